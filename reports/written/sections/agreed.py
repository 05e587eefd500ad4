"""Agreement in full: every figure of every pair with its interval, strict beside readable, and the matrices as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from data.questions import SIDES_OF_THRESHOLD
from reports.notes import parts
from reports.written import phrases
from reports.written.content import Block, Column, Points, Row, Section, Table, Words, note, strong, text
from reports.written.first_page import matrix_of, rater_name
from reports.written.numerals import NOTHING, figure, interval, percent, value
from reports.written.subjects import Subject

Json = Mapping[str, Any]

NAMES = {
    "kappa": "Cohen’s kappa",
    "kappa_linear": "kappa, linear weights",
    "kappa_quadratic": "kappa, quadratic weights",
    "observed_agreement": "observed agreement",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ac1": "Gwet’s AC1",
    "spearman": "Spearman’s rho",
    "prevalence_index": "prevalence index",
    "bias_index": "bias index (positive: the judge over-calls)",
}
"""What the figures of a pair are called, in the order in which they stand."""
IN_COLUMNS = ("kappa", "kappa_linear", "spearman", "observed_agreement", "sensitivity", "specificity", "ac1")
SHORT = {"kappa": "kappa", "kappa_linear": "linear", "spearman": "rho", "observed_agreement": "agreement", "ac1": "AC1"}


def agreement(subjects: list[Subject], names: Mapping[str, str]) -> list[Section]:
    """A section for each subject that has a pair."""
    sections = [_subject(subject, names, len(subjects) > 1) for subject in subjects if subject.consensus is not None]
    return sections or [Section("Agreement in full", (text("No labelled item has a verdict, so there is no agreement to show."),))]


def _subject(subject: Subject, names: Mapping[str, str], several: bool) -> Section:
    pair = subject.consensus
    assert pair is not None
    blocks: list[Block] = []
    if pair["n"]:
        for name, part in parts(pair).items():
            blocks.append(figures_table(part, f"The judge against the human consensus{f', {_part(name, pair)}' if name else ''}."))
            blocks += cells_table({**part, "weighted": pair["weighted"]}, _choices(subject, name), "The matrix as a list")
            if name and "by_label" in pair:
                blocks.append(
                    matrix_of({**part, "excluded": {}}, ("not chosen", "chosen"), f"“{name}”: humans against {subject.name}")
                )
        blocks += _by_choice(pair) + _macro(pair)
        blocks += _undefined(pair)
        blocks.append(note("n is the number of items that a figure rests on: for sensitivity those that humans call positive."))
    blocks += strata_table(pair)
    blocks += _codebooks(pair)
    if subject.singles:
        blocks.append(
            pairs_table(
                subject.singles,
                [rater_name(each["rows"], names) for each in subject.singles],
                "Single annotators against the judge.",
            )
        )
    title = f"Agreement in full: {subject.question['id']}, {subject.name}" if several else "Agreement in full"
    return Section(title, tuple(blocks))


def _part(name: str, pair: Json) -> str:
    return f"“{name}”" if "by_label" in pair else name


def _choices(subject: Subject, part: str) -> Sequence[str]:
    if not part:
        return tuple(subject.question["choices"])
    return SIDES_OF_THRESHOLD if part == "at the threshold" else ("not chosen", "chosen")


def figures_table(pair: Json, caption: str) -> Table:
    """A row for each figure; where verdicts are unreadable, the strict one beside the readable one."""
    strict = any(f"{key}_strict" in pair for key in NAMES)
    rows = []
    for key, name in NAMES.items():
        if key not in pair:
            continue
        beside: tuple[Words, ...] = ((figure(pair[f"{key}_strict"]) if f"{key}_strict" in pair else NOTHING,),) if strict else ()
        found = pair[key]
        lead = strict and pair.get("headline") == "strict"
        told: Words = (value(found),) if lead else (strong(value(found)),)
        rows.append(Row(((name,), told, (interval(found) or NOTHING,), *beside, (f"{found['n']:,}",))))
    heads = [Column("figure", width=3), Column("readable only" if strict else "value", True), Column("95 % interval", True)]
    heads += [Column("strict", True)] if strict else []
    about = " Strict: an unreadable verdict is one more answer of the judge, which no human can match." if strict else ""
    return Table((*heads, Column("n", True)), tuple(rows), caption + about)


def cells_table(pair: Json, choices: Sequence[str], caption: str) -> list[Table]:
    """A row for each cell of a matrix: items, and share of its row."""
    if "confusion" not in pair:
        return []
    matrix = matrix_of({"excluded": {}, **pair}, choices, "")
    rows = [
        Row(((human,), (judge,), (f"{count:,}",), (NOTHING if share is None else percent(share, 1),)))
        for human, counts, shares in zip(choices, matrix.counts, matrix.shares, strict=True)
        for judge, count, share in zip(choices, counts, shares, strict=True)
    ]
    weighted = ", re-weighted" if "confusion_weighted" in pair else ""
    columns = (Column("humans say"), Column("judge says"), Column("items", True), Column(f"share of the row{weighted}", True))
    return [Table(columns, tuple(rows), f"{caption}.")]


def _by_choice(pair: Json) -> list[Block]:
    """Of more than two choices, each against the others."""
    if "by_choice" not in pair:
        return []
    keys = ("sensitivity", "precision", "specific_agreement")
    rows = [Row(((f"“{choice}”",), *((figure(figures[key]),) for key in keys))) for choice, figures in pair["by_choice"].items()]
    columns = (Column("choice", width=2), *(Column(key.replace("_", " ")) for key in keys))
    return [Table(columns, tuple(rows), "Each choice against the others.")]


def _macro(pair: Json) -> list[Block]:
    """Of several choices, the plain mean over them."""
    if "macro" not in pair:
        return []
    rows = [
        Row(((NAMES[key],), (value(found),), (interval(found) or NOTHING,), (f"{found['labels']:,}",), (f"{found['left_out']:,}",)))
        for key, found in pair["macro"].items()
        if key in NAMES
    ]
    columns = (
        Column("figure", width=3), Column("mean", True), Column("95 % interval", True), Column("choices", True),
        Column("undefined", True),
    )  # fmt: skip
    return [Table(columns, tuple(rows), "Plain means over the choices; choices for which a figure is undefined are left out.")]


def pairs_table(pairs: Sequence[Json], who: Sequence[str], caption: str) -> Table:
    """A row for each pair (for several choices, one for each choice), its figures with their intervals."""
    listed = [
        (name if not part else f"{name}: {part}", figures)
        for name, pair in zip(who, pairs, strict=True)
        for part, figures in parts(pair).items()
    ]
    keys = [key for key in IN_COLUMNS if any(key in figures for _, figures in listed)]
    rows = [
        Row(((name,), (f"{figures['n']:,}",), *(((figure(figures[key]),) if key in figures else (NOTHING,)) for key in keys)))
        for name, figures in listed
    ]
    return Table((Column("who", width=2), Column("n", True), *(Column(SHORT.get(key, key)) for key in keys)), tuple(rows), caption)


def strata_table(pair: Json) -> list[Block]:
    """The strata behind a pair, where they are more than one or something of them is missing."""
    strata = pair.get("strata", [])
    if not pair["weighted"] and not any(stratum["missing"] for stratum in strata):
        return []
    rows = [
        Row(((each["name"],), *((f"{each[key]:,}",) for key in ("frame", "drawn", "finished", "missing")), (_weight(each),)))
        for each in strata
    ]
    columns = (
        Column("stratum", width=2), Column("in the frame", True), Column("drawn", True), Column("finished", True),
        Column("missing", True), Column("an item stands for", True),
    )  # fmt: skip
    blocks: list[Block] = [Table(columns, tuple(rows), "The strata behind these figures.")]
    if why := phrases.preliminary([mark for mark in pair["marks"] if "missing" in mark]):
        blocks.append(text(f"These figures are preliminary: {why}."))
    return blocks


def _weight(stratum: Json) -> str:
    return f"{stratum['frame'] / stratum['finished']:,.2f}" if stratum["finished"] else NOTHING


def _undefined(pair: Json) -> list[Block]:
    """Why a figure, or its interval, is missing."""
    reasons: dict[str, list[str]] = {}
    for part, figures in parts(pair).items():
        for key, name in NAMES.items():
            for found, called in ((figures.get(key), name), (figures.get(f"{key}_strict"), f"{name}, strict")):
                if found is not None and found["reason"]:
                    what = "undefined" if found["value"] is None else "without an interval"
                    reasons.setdefault(f"{what}: {found['reason']}", []).append(f"{part}: {called}" if part else called)
    if not reasons:
        return []
    return [Points(tuple((f"{', '.join(called)} – {reason}.",) for reason, called in reasons.items()))]


def _codebooks(pair: Json) -> list[Block]:
    if "codebooks" not in pair:
        return []
    versions = ", ".join(f"{count:,} under {page[:12]}" for page, count in pair["codebooks"].items())
    return [text(f"Labels of more than one codebook version stand in these figures: {versions}.")]
