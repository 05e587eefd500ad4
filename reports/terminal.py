"""What `rejudge agree` prints: the agreement document as calm plain text, at most 100 columns wide.

The consensus against a judge run gets a block with its matrix, since that pair is the one that is quoted.
Single annotators follow as rows of a table, so that they can be compared at a glance.
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from reports.matrix import matrix_lines
from reports.width import columns, fit, left, right, shown

WIDEST, NARROWEST = 100, 60
PRELIMINARY_BELOW = 30
LABEL, FIGURE, SHORT_FIGURE, COUNT = 17, 21, 7, 9
CONSENSUS = "human:consensus"

NAMES = {
    "kappa": "kappa",
    "kappa_linear": "kappa, linear",
    "kappa_quadratic": "kappa, quadratic",
    "observed_agreement": "agreement",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ac1": "AC1",
}
HEADS = {
    "observed_agreement": "agree",
    "sensitivity": "sens",
    "specificity": "spec",
    "ac1": "AC1",
    "kappa_linear": "lin",
    "kappa_quadratic": "quad",
}
EXCLUDED = {
    "missing": "without a verdict",
    "skipped": "skipped",
    "unsure": "unsure",
    "tie": "tied",
    "error": "unreadable",
}

Json = Mapping[str, Any]


def agreement_text(document: Json, width: int = WIDEST, positives: Mapping[str, str] | None = None) -> str:
    """The document of `agreement_document` as plain text of at most `width` columns (60 to 100).

    `positives`: binary question to its positive choice, which sensitivity is about and the document does not carry.
    """
    width = max(NARROWEST, min(width, WIDEST))
    lines = [fit(f"Agreement in {shown(document['study'])}", width)]
    if not document["questions"]:
        lines += ["", "Nothing to compare: the study has no question yet. Declare one in study.toml."]
    for question in document["questions"]:
        lines += ["", "", *_question(question, width, (positives or {}).get(question["id"]))]
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
    if any("headline" in pair for pair in judged):
        text += " Strict figures count an unreadable verdict as a disagreement."
    return ["", "", *wrap(text, width)]


def _question(question: Json, width: int, positive: str | None) -> list[str]:
    choices = " | ".join(map(shown, question["choices"]))
    sought = f"; positive: {shown(positive)}" if positive else ""
    heading = fit(f"{shown(question['id'])}  ({question['type']}: {choices}{sought})", width)
    lines = [heading, "═" * columns(heading)]
    for run in dict.fromkeys(pair["columns"] for pair in question["pairs"]):
        lines += _run(run, [pair for pair in question["pairs"] if pair["columns"] == run], question, width)
    if not question["pairs"]:
        lines += ["", *wrap(_why_no_pairs(question["human_human"]), width)]
    if not question["pairs"] and _unlabelled(question["human_human"]):
        return lines
    return [*lines, "", *_humans(question["human_human"], width)]


def _run(run: str, pairs: Sequence[Json], question: Json, width: int) -> list[str]:
    """Everybody against one judge run: blocks for the consensus, a table for single annotators."""
    lines: list[str] = []
    single: list[tuple[str, Json]] = []
    for pair in pairs:
        if pair["rows"] == CONSENSUS:
            lines += ["", *_block(pair, question["choices"], width)]
        else:
            single.append((_name(pair["rows"]), pair))
    if single:
        lines += ["", fit(f"Single annotators against {_name(run)}", width), *_table(single, width)]
    return lines


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


def _block(pair: Json, choices: Sequence[str], width: int) -> list[str]:
    """The consensus against a run: its figures, and the matrix beside them where there is room."""
    lines = [_title(f"Human consensus against {_name(pair['columns'])}", pair, width)]
    if pair["n"] == 0:
        return lines + _notes(pair, width, indent=2)
    figures = _figures(pair)
    side = max(map(columns, figures))
    names = list(map(shown, choices))
    telling = min(9, max(map(columns, names)))  # beside the figures only if the names stay readable
    if matrix := matrix_lines(names, pair["confusion"], width - side - 6, shortest=telling):
        together = zip_longest(figures, matrix, fillvalue="")
        lines += [f"  {left(figure, side)}    {drawn}" for figure, drawn in together]
    else:
        matrix = matrix_lines(names, pair["confusion"], width - 2)
        matrix = matrix or [f"({len(names)} x {len(names)} confusion matrix: too wide to draw; see --json)"]
        lines += [f"  {line}" for line in [*figures, "", *matrix]]
    return lines + _notes(pair, width, indent=2)


def _title(title: str, pair: Json, width: int) -> str:
    count = f"n = {pair['n']:,}"
    return left(title, width - columns(count) - 2) + "  " + count


def _figures(pair: Json) -> list[str]:
    """One line per figure with its interval; where verdicts are unreadable, the strict one beside it."""
    strict = "headline" in pair
    lines = [left("", LABEL) + left("readable", FIGURE) + "strict"] if strict else []
    for key, name in NAMES.items():
        if key in pair:
            beside = _with_interval(pair[f"{key}_strict"]) if f"{key}_strict" in pair else ""
            figure = _with_interval(pair[key])
            lines.append(left(name, LABEL) + (left(figure, FIGURE) + beside if strict else figure))
    return lines


def _table(pairs: Sequence[tuple[str, Json]], width: int) -> list[str]:
    """One row per pair: who, n, kappa with its interval, the other figures as plain values."""
    shorts = [key for key in HEADS if any(key in pair for _, pair in pairs)]
    room = width - 2 - COUNT - 2 - FIGURE - SHORT_FIGURE * len(shorts)
    if room < 8:  # a narrow terminal keeps kappa and n; the rest is in --json
        shorts, room = [], width - 2 - COUNT - 2 - FIGURE
    who = min(room, max(columns(name) for name, _ in pairs))
    heads = "".join(right(HEADS[key], SHORT_FIGURE) for key in shorts)
    lines = ["  " + left("", who) + right("n", COUNT) + "  " + left("kappa", FIGURE) + heads]
    for name, pair in pairs:
        row = "  " + left(name, who) + right(f"{pair['n']:,}", COUNT) + "  "
        row += left(_with_interval(pair["kappa"]), FIGURE)
        lines.append(row + "".join(right(_short(pair[key]), SHORT_FIGURE) for key in shorts))
        if "headline" in pair:
            lines += _wrapped(f"strict: {_strict_in_words(pair)}", width, 4)
        lines += _notes(pair, width, indent=4)
    return lines


def _strict_in_words(pair: Json) -> str:
    return ", ".join(f"{name} {_with_interval(pair[f'{key}_strict'])}" for key, name in NAMES.items() if f"{key}_strict" in pair)


def _humans(humans: Json, width: int) -> list[str]:
    alpha = humans["krippendorff_alpha"]
    lines = ["Humans among themselves"]
    label = left("Krippendorff's alpha", LABEL + 5)
    if alpha["value"] is None:
        lines += _wrapped(f"{label}undefined: {alpha['reason']}", width, 2)
    else:
        level = alpha["method"].partition(",")[0]
        items = f"{level}, {alpha['n']:,} items with two or more labels"
        lines += _wrapped(f"{label}{_with_interval(alpha)}  ({items})", width, 2)
        lines += _wrapped(_preliminary(alpha["n"]), width, 2)
    pairs = [(f"{_name(pair['rows'])} – {_name(pair['columns'])}", pair) for pair in humans["pairs"]]
    return lines + (_table(pairs, width) if pairs else [])


def _notes(pair: Json, width: int, indent: int) -> list[str]:
    """What a reader must know before quoting the pair: what is undefined, left out, small or borrowed."""
    left_out = [f"{count:,} {EXCLUDED[key]}" for key, count in pair["excluded"].items() if count]
    about = ["as imported"] if pair["design"] == "imported" else []
    about += [_preliminary(pair["n"])] if _preliminary(pair["n"]) else []
    about += ["left out: " + ", ".join(left_out)] if left_out else []
    notes = [*_undefined(pair), "; ".join(about)]
    if pair.get("headline") == "strict":
        share = pair["excluded"]["error"] / (pair["n"] + pair["excluded"]["error"])
        notes.append(f"Quote the strict figures: {100 * share:.1f} % of the verdicts are unreadable.")
    if 0 < pair["groups"] < pair["n"]:
        notes.append(
            f"The {pair['n']:,} items lie in {pair['groups']:,} groups. The intervals take items as independent: "
            "where many share a group, they are too narrow."
        )
    if "codebooks" in pair:
        versions = ", ".join(f"{count:,} under {shown(hash_)[:8]}" for hash_, count in pair["codebooks"].items())
        notes.append(f"Labels of more than one codebook version: {versions}.")
    return [line for note in notes for line in _wrapped(note, width, indent)]


def _undefined(pair: Json) -> list[str]:
    """One line per reason; figures that share it share the line."""
    names_by_reason: dict[str, list[str]] = {}
    for key, name in NAMES.items():
        for figure, called in ((key, name), (f"{key}_strict", f"{name} strict")):
            if figure in pair and pair[figure]["value"] is None:
                names_by_reason.setdefault(pair[figure]["reason"], []).append(called)
    everything = pair["n"] == 0 and len(names_by_reason) == 1
    return [
        f"undefined: {reason}" if everything else f"{', '.join(names)} undefined: {reason}"
        for reason, names in names_by_reason.items()
    ]


def _preliminary(n: int) -> str:
    return f"(preliminary: fewer than {PRELIMINARY_BELOW} items)" if 0 < n < PRELIMINARY_BELOW else ""


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    return [" " * indent + line for line in wrap(text, width - indent, drop_whitespace=True)]


def _with_interval(estimate: Json) -> str:
    if estimate["value"] is None or estimate["low"] is None or estimate["high"] is None:
        return _plain(estimate)
    return f"{_plain(estimate)} [{_two_places(estimate['low'])}, {_two_places(estimate['high'])}]"


def _plain(estimate: Json) -> str:
    return "undefined" if estimate["value"] is None else _two_places(estimate["value"])


def _short(estimate: Json) -> str:
    return "–" if estimate["value"] is None else _two_places(estimate["value"])


def _two_places(figure: float) -> str:
    return f"{round(figure, 2) + 0.0:.2f}"  # + 0.0 turns -0.0 into 0.0


def _name(rater: str) -> str:
    return shown(rater.partition(":")[2])
