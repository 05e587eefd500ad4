"""The first page of a subject: the matrix beside the kappas, and the note that says how its items were drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from data.questions import SIDES_OF_THRESHOLD
from reports.agreement import kappa, sensitivity
from reports.estimate import Estimate
from reports.forest import ForestRow, Mark
from reports.written import phrases
from reports.written.content import Beside, Block, Forest, Matrix, Paragraph
from reports.written.numerals import has_interval, joined, two_places, value
from reports.written.subjects import Subject, headline, headline_key, one_more_human

Json = Mapping[str, Any]

MOST_ROWS = 12
"""Single annotators in the drawing; the tables have all."""
AXES = {
    "kappa": "Cohen’s kappa, 95 % interval",
    "kappa_strict": "Cohen’s kappa (strict against the judge), 95 % interval",
    "kappa_linear": "kappa with linear weights, 95 % interval",
    "spearman": "Spearman’s rho, 95 % interval",
}


def judge_against_consensus(subject: Subject, documents: Json, names: Mapping[str, str]) -> list[Block]:
    """The drawings, where there is something to draw, and the note below them."""
    pair = subject.consensus
    if pair is None or pair["n"] == 0:
        return []
    blocks: list[Block] = []
    forest = kappas(subject, documents, names)
    if "confusion" in pair:
        blocks.append(Beside(matrix_of(pair, subject.question["choices"], f"Humans against {subject.name}"), forest))
    elif "at_threshold" in pair:
        part = {**pair["at_threshold"], "weighted": pair["weighted"], "excluded": pair["excluded"]}
        blocks.append(Beside(matrix_of(part, SIDES_OF_THRESHOLD, f"Humans against {subject.name}, at the threshold"), forest))
    else:
        blocks.append(forest)
    return [*blocks, Paragraph((design_note(subject, documents["about"]),), "note")]


def matrix_of(pair: Json, choices: Sequence[str], title: str, axes: tuple[str, str] = ("humans say", "judge says")) -> Matrix:
    """The matrix of a pair; its row shares follow the design where the pair is weighted."""
    table = pair.get("confusion_weighted", pair["confusion"])
    shares = tuple(tuple(cell / sum(row) if sum(row) else None for cell in row) for row in table)
    kinds = ["items as drawn, row shares re-weighted"] if "confusion_weighted" in pair else []
    kinds += [f"left out: {phrases.left_out(pair)}"] if phrases.left_out(pair) else []
    return Matrix(
        title=title,
        row_axis=axes[0],
        column_axis=axes[1],
        row_names=tuple(choices),
        column_names=tuple(choices),
        counts=tuple(map(tuple, pair["confusion"])),
        shares=shares,
        note="; ".join(kinds),
    )


def kappas(subject: Subject, documents: Json, names: Mapping[str, str]) -> Forest:
    """Judge and single humans, humans among themselves, judge and consensus, one under the other."""
    pair = subject.consensus
    assert pair is not None
    rows: list[ForestRow] = []
    if "by_label" in pair:
        parts = pair["by_label"]
        rows += [_row(f"judge – consensus: {label}", parts[label], subject.strict, "diamond") for label in parts]
        key = headline_key(next(iter(parts.values())), subject.strict)
    else:
        beside = one_more_human(subject, documents)
        rows += _singles(subject, names, beside)
        rows += _among_humans(subject, names, beside)
        rows.append(_row("judge – consensus" if subject.people > 1 else "judge – human", pair, subject.strict, "diamond"))
        key = headline_key(pair, subject.strict)
    return Forest(f"How far {subject.name} and the humans agree", AXES[key], tuple(rows))


def _singles(subject: Subject, names: Mapping[str, str], beside: Json | None) -> list[ForestRow]:
    """The judge with single annotators: their mean, and below it each of them."""
    if len(subject.singles) < 2:
        return []
    each = [(rater_name(pair["rows"], names), pair) for pair in subject.singles[:MOST_ROWS]]
    if beside is None or subject.strict:  # the mean knows readable verdicts alone
        return [_row(f"judge – {name}", pair, subject.strict, "circle") for name, pair in each]
    mean = Estimate(**beside["judge_human"])
    return [
        ForestRow("judge – single human", mean, mean.n, mark="circle"),
        *(_row(name, pair, subject.strict, "circle", 1) for name, pair in each),
    ]


def _among_humans(subject: Subject, names: Mapping[str, str], beside: Json | None) -> list[ForestRow]:
    """Annotators with each other: the mean over pairs, or the pairs where nothing else is known."""
    if beside is None or (subject.strict and subject.question["type"] == "ordinal"):  # strict kappas have no weights
        pairs = subject.humans["pairs"][:MOST_ROWS]
        return [_row(pair_name(pair, names), pair, subject.strict, "square") for pair in pairs]
    mean = Estimate(**beside["human_human"])
    return [ForestRow("human – human", mean, mean.n, mark="square")]


def _row(name: str, pair: Json, strict: bool, mark: Mark, indent: int = 0) -> ForestRow:
    found = headline(pair, strict)
    return ForestRow(name, Estimate(**found), found["n"], mark=mark, indent=indent)


def methods_of(pair: Json) -> list[str]:
    """How the intervals of the kappas of a pair, or of each choice of it, were made."""
    return [headline(part, False)["method"] for part in pair.get("by_label", {"": pair}).values()]


def rater_name(rater: str, names: Mapping[str, str]) -> str:
    """`human:ana` as the report shows her; a judge under its name."""
    kind, _, name = rater.partition(":")
    return names.get(name, name) if kind == "human" else name


def pair_name(pair: Json, names: Mapping[str, str]) -> str:
    return f"{rater_name(pair['rows'], names)} – {rater_name(pair['columns'], names)}"


def design_note(subject: Subject, about: Json) -> str:
    """How the items were drawn, what that does to the figures, and what annotators saw, in small print."""
    pair = subject.consensus
    assert pair is not None
    if subject.imported:
        said = ["Labels as imported: nothing is known of how their items were drawn, so no figure is weighted."]
    elif pair["weighted"]:
        said = [_weighted(subject, pair, about)]
    else:
        said = [f"Drawn with equal chances{_when(about)}; no weights are needed."]
    said.append(_groups(pair))
    if pair.get("single") == pair["n"] and subject.people > 1:
        said.append("Every item has one person’s label.")
    elif pair.get("single") and subject.people > 1:
        said.append(f"On {pair['single']:,} of the {phrases.items(pair['n'])} the consensus is one person’s label.")
    if "by_label" in pair and phrases.left_out(pair):
        said.append(f"Left out: {phrases.left_out(pair)}.")
    if not subject.imported and len(about["views"]) == 1:
        reasoning = about["views"][0]["rules"]["reasoning"] == "shown"
        told = "Annotators saw the agent’s reasoning" if reasoning else "Annotators did not see the agent’s reasoning"
        said.append(f"{told}; what the judge saw is not known." if subject.run["kind"] == "imported" else f"{told}.")
    return " ".join(sentence for sentence in said if sentence)


def _when(about: Json) -> str:
    """On which day and with which seed, where one batch was drawn."""
    draws = [batch for batch in about["batches"] if batch["kind"] == "estimate"]
    if len(draws) != 1:
        return ""
    batch = draws[0]
    return f" on {batch['day']} with seed {batch['seed']}"


def _weighted(subject: Subject, pair: Json, about: Json) -> str:
    frame = sum(stratum["frame"] for stratum in pair.get("strata", []))
    run = pair["design"].partition(":")[2]
    drawn = f"Drawn in strata by the verdict of {run}" if run else "Drawn in strata at different rates"
    beside = ""
    if "confusion" in pair:
        # As the pair is quoted; of strict figures the readable part, whose weighted figures then stand beside it.
        linear = headline_key(pair, subject.strict) == "kappa_linear"
        unweighted = kappa(pair["confusion"], "linear" if linear else "unweighted")
        raw = [("kappa", unweighted, pair["kappa"])]
        if subject.positive is not None:
            found = sensitivity(pair["confusion"], subject.question["choices"].index(subject.positive))
            raw += [("sensitivity", found, pair["sensitivity"])]
        beside = _unweighted([each for each in raw if each[1].value is not None], linear, subject.strict)
    return (
        f"{drawn}{_when(about)} and re-weighted to the {phrases.items(frame)} of the frame; counts in the matrix are items, "
        f"all other figures are weighted{beside}."
    )


def _unweighted(figures: Sequence[tuple[str, Estimate, Json]], linear: bool, strict: bool) -> str:
    """What figures (name, without weights, with them) would read without weights; and with them, where strict ones are quoted."""
    if not figures:
        return ""
    raw = joined([f"{name} {two_places(without.value)}" for name, without, _ in figures if without.value is not None])
    raw = raw.replace("kappa ", "kappa would read ", 1)
    if not strict:
        return f" (every item counted alike, linearly weighted {raw})" if linear else f" (unweighted, {raw})"
    weighted = joined([value(with_them) for _, _, with_them in figures])
    return f" (over readable verdicts, unweighted, {raw}; weighted {'they are' if len(figures) > 1 else 'it is'} {weighted})"


def _groups(pair: Json) -> str:
    if not 0 < pair["groups"] < pair["n"]:
        return ""
    if pair["groups"] == 1:
        return f"All {phrases.items(pair['n'])} lie in one group: nothing tells how far other groups would differ."
    shared = f"The {phrases.items(pair['n'])} share {pair['groups']:,} groups"
    if any("groups" in method for method in methods_of(pair)):
        return f"{shared}: intervals are cluster-robust."
    if "spearman" in pair and pair["spearman"]["value"] is not None and not has_interval(pair["spearman"]):
        return f"{shared}. Some figures stand without an interval, because {pair['spearman']['reason']}."
    return f"{shared}, and the intervals take items as independent: they may be too narrow."
