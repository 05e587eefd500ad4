"""What `rejudge agree` prints: the agreement document as calm plain text, at most 100 columns wide.

The consensus against a judge run gets a block with its matrix, since that pair is the one that is quoted.
Single annotators follow as rows of a table, so that they can be compared at a glance.
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from data.questions import SIDES_OF_THRESHOLD
from data.step_tallies import EACH
from data.wording import amount
from reports.consistency import FLIP_NAMES, rests_on
from reports.document import FEW_ITEMS, MANY_MISSING, PRELIMINARY_BELOW, SELECTED
from reports.matrix import matrix_lines
from reports.notes import (
    HUMANS_AND_JUDGE,
    MISSING,
    NAMES,
    STEP_NAMES,
    VOTE_NAMES,
    Sides,
    design_notes,
    indented,
    leads_note,
    leaning,
    margins,
    methods,
    pair_notes,
    parts,
    preliminary,
)
from reports.width import columns, fit, left, right, shown, wrapped

WIDEST, NARROWEST = 100, 60
LABEL, FIGURE, COUNT = 17, 21, 9
CELL = 15
"""Columns of a figure in a table, its interval below it: `[-0.04, -0.01]` and a space."""
CONSENSUS = "human:consensus"

HEADS = {
    "spearman": "Spearman",
    "kappa": "kappa",
    "observed_agreement": "agreement",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ac1": "AC1",
    "kappa_linear": "linear",
    "kappa_quadratic": "quadratic",
    "precision": "precision",
    "specific_agreement": "specific agr.",
}
MACRO = "macro mean"
MOST_CHOICES = 12

Json = Mapping[str, Any]


def agreement_text(document: Json, width: int = WIDEST) -> str:
    """The document of `agreement_document` as plain text of at most `width` columns (60 to 100)."""
    width = max(NARROWEST, min(width, WIDEST))
    lines = [fit(f"Agreement in {shown(document['study'])}", width)]
    if not document["questions"]:
        lines += ["", "Nothing to compare: the study has no question yet. Declare one in study.toml."]
    for question in document["questions"]:
        lines += ["", "", *_question(question, width)]
    lines += _legend(document, width)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _legend(document: Json, width: int) -> list[str]:
    """What the signs mean, once at the end, for those that occur."""
    judged = [pair for question in document["questions"] for pair in question["pairs"]]
    among_humans = [pair for question in document["questions"] for pair in question["human_human"]["pairs"]]
    if not judged and not among_humans:
        return []
    text = "Brackets hold 95 % intervals."
    if any(pair["rows"] == CONSENSUS and pair["n"] for pair in judged):
        text += " Shades tell the share of the row: ░ up to 25 %, ▒ 50 %, ▓ 75 %, █ more."
    if any(len(_table_keys(pairs, width)[1]) for pairs in _tables(document)):
        text += " Figures that found no room are in --json."
    if any("sensitivity" in part for pair in among_humans for part in parts(pair).values()):
        text += " Between two people sensitivity and specificity hold the second against the first."
    if any("headline" in pair for pair in judged):
        text += " Strict figures count an unreadable verdict as a disagreement."
    return ["", "", *wrapped(text, width), *wrapped(methods(document["questions"]), width)]


def _question(question: Json, width: int) -> list[str]:
    choices = ": " + " | ".join(map(shown, question["choices"])) if question["choices"] else ""
    sought = f"; positive: {shown(question['positive'])}" if "positive" in question else ""
    heading = fit(f"{shown(question['id'])}  ({question['type']}{choices}{sought})", width)
    lines = [heading, "═" * columns(heading)]
    if outside := question.get("outside_frame", 0):
        lines += indented(
            [f"{amount(outside, 'item', form=',')} came in after the last draw; no figure stands for them."], width, 0
        )
    if "leads" in question:
        lines += indented([leads_note(question["leads"])], width, 0)
    for run in dict.fromkeys(pair["columns"] for pair in question["pairs"]):
        lines += _run(run, [pair for pair in question["pairs"] if pair["columns"] == run], question, width)
    lines += ["", *_baseline(question["baseline"], width)] if "baseline" in question else []
    lines += ["", *_consistency(question["consistency"], width)] if "consistency" in question else []
    if not question["pairs"]:
        lines += ["", *wrapped(_why_no_pairs(question["human_human"]), width)]
    if not question["pairs"] and _unlabelled(question["human_human"]):
        return lines
    lines += ["", *humans_text(question["human_human"], width)]
    return lines + (["", *_steps(question["steps"], width)] if "steps" in question else [])


def _run(run: str, pairs: Sequence[Json], question: Json, width: int) -> list[str]:
    """Everybody against one judge run: blocks for the consensus, a table for single annotators."""
    lines: list[str] = []
    single: list[tuple[str, Json]] = []
    for pair in pairs:
        if pair["rows"] == CONSENSUS:
            lines += ["", *block(f"Human consensus against {_name(run)}", pair, question, width)]
        else:
            single.append((_name(pair["rows"]), pair))
    if single:
        lines += ["", fit(f"Single annotators against {_name(run)}{_weighted(single)}", width), *_table(single, width)]
    return lines


def _weighted(pairs: Sequence[tuple[str, Json]]) -> str:
    return ", weighted to the frame" if any(pair["weighted"] for _, pair in pairs) else ""


def _why_no_pairs(humans: Json) -> str:
    if not _unlabelled(humans):
        return "No judge to compare: there are labels, but no labelled item has a verdict. Bring verdicts with `rejudge import`."
    return (
        "Nothing to compare: no item has both a verdict and a label. Bring verdicts with `rejudge import`; "
        "draw items with `rejudge draw` and label them with `rejudge annotate`."
    )


def _unlabelled(humans: Json) -> bool:
    """Whether no item has two labels, as far as the document can tell."""
    return not humans["pairs"] and not humans["krippendorff_alpha"]["n"]


def block(title: str, pair: Json, question: Json, width: int, sides: Sides = HUMANS_AND_JUDGE) -> list[str]:
    """One pair in full: its figures, the matrix beside them where there is room, and what must be known of it."""
    lines = [_title(title, pair, width)]
    notes = [*pair_notes(pair, width, indent=2), *design_notes(pair, width, indent=2)]
    if pair["n"] == 0:
        return lines + notes
    if "by_label" in pair:
        rows = [(shown(label), part) for label, part in pair["by_label"].items()]
        return [
            *lines,
            *_rows([*rows, (MACRO, {"n": pair["n"], **pair["macro"]})], width),
            *_left_out(pair["macro"], width),
            *notes,
        ]
    for name, part in parts(pair).items():
        choices = SIDES_OF_THRESHOLD if name else question["choices"]
        lines += [f"  {name}"] if name else []
        lines += _part(part, choices, width, sides.axes)
        lines += _by_choice(part, width)
        sought = f"scores {SIDES_OF_THRESHOLD[1]} the threshold" if name else shown(question.get("positive", ""))
        lines += indented([leaning(part, sought, sides), margins(part, sides)], width, 2)
    return lines + notes


def _left_out(macro: Json, width: int) -> list[str]:
    """Which means over labels do without a label, because it is undefined there."""
    left_out = [f"{HEADS[key]} {macro[key]['left_out']}" for key in HEADS if key in macro and macro[key]["left_out"]]
    return indented(
        [f"Labels without the figure, left out of the macro mean: {', '.join(left_out)}." if left_out else ""], width, 4
    )


def _by_choice(part: Json, width: int) -> list[str]:
    """Each of several choices against the others."""
    if "by_choice" not in part:
        return []
    if len(part["by_choice"]) > MOST_CHOICES:
        return indented([f"Figures of each of the {len(part['by_choice'])} choices are in --json."], width, 2)
    rows = [(shown(choice), {"n": figures["sensitivity"]["n"], **figures}) for choice, figures in part["by_choice"].items()]
    return ["", *indented(["Each choice against the others (n: where the human says so):"], width, 2), *_rows(rows, width)]


def _part(part: Json, choices: Sequence[str], width: int, axes: tuple[str, str]) -> list[str]:
    figures = _figures(part)
    if "confusion" not in part:
        return [f"  {line}" for line in figures]
    side = max(map(columns, figures))
    names = list(map(shown, choices))
    telling = min(9, max(map(columns, names)))  # beside the figures only if the names stay readable
    if matrix := matrix_lines(names, part["confusion"], width - side - 6, telling, axes):
        together = zip_longest(figures, matrix, fillvalue="")
        return [f"  {left(figure, side)}    {drawn}" for figure, drawn in together]
    matrix = matrix_lines(names, part["confusion"], width - 2, axes=axes)
    matrix = matrix or [f"({len(names)} x {len(names)} confusion matrix: too wide to draw; see --json)"]
    return [f"  {line}" for line in [*figures, "", *matrix]]


def _title(title: str, pair: Json, width: int) -> str:
    count = f"n = {pair['n']:,}"
    return left(title, width - columns(count) - 2) + "  " + count


def _figures(pair: Json) -> list[str]:
    """One line per figure with its interval; where verdicts are unreadable, the strict one beside it."""
    strict = "headline" in pair
    label = max(LABEL, *(columns(name) + 1 for key, name in NAMES.items() if key in pair))
    lines = [left("", label) + left("readable", FIGURE) + "strict"] if strict else []
    for key, name in NAMES.items():
        if key in pair:
            beside = _with_interval(pair[f"{key}_strict"]) if f"{key}_strict" in pair else ""
            figure = _with_interval(pair[key])
            lines.append(left(name, label) + (left(figure, FIGURE) + beside if strict else figure))
    return lines


def _table(pairs: Sequence[tuple[str, Json]], width: int) -> list[str]:
    """Rows of pairs, each with its notes; a multilabel pair has a row per choice, a score pair one more at the threshold."""
    keys, _ = _table_keys([figures for _, pair in pairs for figures in parts(pair).values()], width)
    names = [[f"{name} · {shown(part)}" if part else name for part in parts(pair)] for name, pair in pairs]
    who = _who([name for each in names for name in each], len(keys), width)
    # Cut short, two choices of one pair would look alike: then each stands under the name.
    under = any(columns(name) > who for each in names for name in each)
    if under:
        names = [[f"  {shown(part)}" if part else name for part in parts(pair)] for name, pair in pairs]
        who = _who([name for each in names for name in each], len(keys), width)
    lines = [_heads(keys, who)]
    for (name, pair), each in zip(pairs, names, strict=True):
        lines += [f"  {fit(name, width - 2)}"] if under and "by_label" in pair else []
        for row, figures in zip(each, parts(pair).values(), strict=True):
            lines += _row(row, figures, keys, who, width)
        lines += pair_notes(pair, width, indent=4)
    return lines


def _rows(rows: Sequence[tuple[str, Json]], width: int) -> list[str]:
    """One row per name, without notes."""
    keys, _ = _table_keys([figures for _, figures in rows], width)
    who = _who([name for name, _ in rows], len(keys), width)
    return [_heads(keys, who), *(line for name, figures in rows for line in _row(name, figures, keys, who, width))]


def _table_keys(rows: Sequence[Json], width: int) -> tuple[list[str], list[str]]:
    """The figures that a table of these rows has room for, and those that it has not."""
    keys = [key for key in HEADS if any(key in figures for figures in rows)]
    fitting = max(1, (width - 2 - COUNT - 2 - 8) // CELL)
    return keys[:fitting], keys[fitting:]


def _tables(document: Json) -> list[list[Json]]:
    """The rows of every table in the text."""
    tables = []
    for question in document["questions"]:
        singles = [pair for pair in question["pairs"] if pair["rows"] != CONSENSUS or "by_label" in pair]
        for pairs in (singles, question["human_human"]["pairs"]):
            tables.append([figures for pair in pairs for figures in parts(pair).values()])
    return tables


def _who(names: Sequence[str], keys: int, width: int) -> int:
    """Columns for the names."""
    return min(width - 2 - COUNT - 2 - CELL * keys, max(map(columns, names), default=1))


def _heads(keys: Sequence[str], who: int) -> str:
    return "  " + left("", who) + right("n", COUNT) + "  " + "".join(left(HEADS[key], CELL) for key in keys)


def _row(name: str, figures: Json, keys: Sequence[str], who: int, width: int) -> list[str]:
    """The values, below them their intervals, and the strict figures where verdicts are unreadable."""
    values = "".join(left(_short(figures[key]) if key in figures else "", CELL) for key in keys)
    intervals = "".join(left(_interval(figures[key]) if key in figures else "", CELL) for key in keys)
    lines = ["  " + left(name, who) + right(f"{figures['n']:,}", COUNT) + "  " + values]
    lines += ["  " + " " * (who + COUNT) + "  " + intervals] if intervals.strip() else []
    if any(f"{key}_strict" in figures for key in NAMES):
        lines += indented([f"strict: {_strict_in_words(figures)}"], width, 4)
    return lines


def _strict_in_words(pair: Json) -> str:
    return ", ".join(f"{name} {_with_interval(pair[f'{key}_strict'])}" for key, name in NAMES.items() if f"{key}_strict" in pair)


def humans_text(humans: Json, width: int, title: str = "Humans among themselves") -> list[str]:
    """The annotators among themselves: alpha, and every pair of them."""
    alpha = humans["krippendorff_alpha"]
    pairs = [(f"{_name(pair['rows'])} – {_name(pair['columns'])}", pair) for pair in humans["pairs"]]
    lines = [f"{title}{_weighted(pairs)}"]
    label = left("Krippendorff's alpha", LABEL + 5)
    if alpha["value"] is None:
        lines += indented([f"{label}undefined: {alpha['reason']}"], width, 2)
    else:
        level = alpha["method"].partition(",")[0]
        items = f"{level}, {amount(alpha['n'], 'item', form=',')} with two or more labels"
        lines += indented([f"{label}{_with_interval(alpha)}  ({items})"], width, 2)
        lines += indented([f"no interval: {alpha['reason']}" if alpha["reason"] else ""], width, 2)
        lines += indented(preliminary([FEW_ITEMS] if 0 < alpha["n"] < PRELIMINARY_BELOW else []), width, 2)
    for key, name in VOTE_NAMES.items():
        if key in humans:
            lines += indented([f"{name} {_or_why(humans[key])}"], width, 2)
    if any(MANY_MISSING in pair["marks"] for _, pair in pairs):
        lines += indented([MISSING], width, 2)
    return lines + (_table(pairs, width) if pairs else [])


def _baseline(runs: Sequence[Json], width: int) -> list[str]:
    """What each run adds to a baseline that counts words."""
    lines = ["Judges beside the baseline"]
    for found in runs:
        lines += indented([shown(found["said"]), *preliminary([SELECTED] if found.get("selected") else [])], width, 2)
    return lines


def _consistency(runs: Sequence[Json], width: int) -> list[str]:
    """How often each run's replies to one item differ."""
    lines = ["Consistency of a judge with itself"]
    for found in runs:
        lines += indented([f"{shown(found['run'])}, {rests_on(found)}", *preliminary(found["marks"])], width, 2)
        lines += indented([f"{name} {_or_why(found[key])}" for key, name in FLIP_NAMES.items()], width, 4)
    return lines


def _steps(steps: Json, width: int) -> list[str]:
    """Which steps people and judge runs point at: a line a figure."""
    lines = ["Marked steps"]
    sides = [
        (f"{'each label' if pair['rows'] == EACH else _name(pair['rows'])} – {_name(pair['columns'])}", pair)
        for pair in steps["pairs"]
    ]
    humans = [("annotators beside each other", steps["human_human"])] if "human_human" in steps else []
    for who, pair in sides + humans:
        lines += indented([f"{who}, {amount(pair['items'], 'item', form=',')}", *preliminary(pair["marks"])], width, 2)
        for key, name in STEP_NAMES.items():
            if key in pair:
                lines += indented([f"{name} {_or_why(pair[key])}"], width, 4)
    return lines


def _or_why(estimate: Json) -> str:
    """The value with its interval, and the reason for what is missing of them."""
    return _with_interval(estimate) + (f": {estimate['reason']}" if estimate["reason"] else "")


def _with_interval(estimate: Json) -> str:
    if estimate["value"] is None or estimate["low"] is None or estimate["high"] is None:
        return _plain(estimate)
    return f"{_plain(estimate)} [{_two_places(estimate['low'])}, {_two_places(estimate['high'])}]"


def _interval(estimate: Json) -> str:
    if estimate["low"] is None or estimate["high"] is None:
        return ""
    return f"[{_two_places(estimate['low'])}, {_two_places(estimate['high'])}]"


def _plain(estimate: Json) -> str:
    return "undefined" if estimate["value"] is None else _two_places(estimate["value"])


def _short(estimate: Json) -> str:
    return "–" if estimate["value"] is None else _two_places(estimate["value"])


def _two_places(figure: float) -> str:
    return f"{round(figure, 2) + 0.0:.2f}"  # + 0.0 turns -0.0 into 0.0


def _name(rater: str) -> str:
    return shown(rater.partition(":")[2])
