"""The agreement document as HTML: figures with their intervals, the matrix, tables of pairs, and what a reader must know.

Every figure comes from the document as it is; nothing is counted here. A figure that the data do not
define is its reason in words.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from annotate.lead.text import html_of
from data.questions import SIDES_OF_THRESHOLD
from data.wording import two_places
from reports.notes import STRATUM_COUNTS, design_notes, preliminary
from reports.written.subjects import headline_key

CONSENSUS = "human:consensus"
NAMES = {
    "kappa": "Cohen’s kappa",
    "kappa_linear": "kappa, linear weights",
    "kappa_quadratic": "kappa, quadratic weights",
    "observed_agreement": "observed agreement",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ac1": "Gwet’s AC1",
    "prevalence_index": "prevalence index",
    "bias_index": "bias index",
    "spearman": "Spearman’s rho",
}
AROUND_ZERO = ("prevalence_index", "bias_index")
"""Figures from −1 to 1 whose best value is no end of the scale: they are drawn on a scale of their own."""
SHORT = {"observed_agreement": "agreement", "sensitivity": "sens.", "specificity": "spec.", "ac1": "AC1", "spearman": "rho"}
LEFT_OUT = {
    "missing": "without a verdict",
    "skipped": "skipped",
    "unsure": "unsure",
    "tie": "tied",
    "error": "with an unreadable verdict",
}
STRICT = "_strict"
DARKEST = 42
"""Per cent of the accent colour in a cell that holds its whole row: text stays readable on it in both lights."""

Json = Mapping[str, Any]


def value_of(estimate: Json) -> str:
    return "–" if estimate["value"] is None else two_places(estimate["value"])


def interval_of(estimate: Json) -> str:
    """The 95 % interval; empty where there is none."""
    if estimate["value"] is None or estimate["low"] is None or estimate["high"] is None:
        return ""
    return f"{two_places(estimate['low'])} to {two_places(estimate['high'])}"


def name_of(rater: str) -> str:
    return "consensus" if rater == CONSENSUS else rater.partition(":")[2]


def figure_keys(pair: Json) -> list[str]:
    """The estimates of a pair, the known ones first, each followed by its strict sister."""
    there = [key for key, value in pair.items() if isinstance(value, dict) and {"value", "reason", "method"} <= value.keys()]
    plain = [key for key in NAMES if key in there]
    plain += [key for key in there if key not in NAMES and not key.endswith(STRICT)]
    return [both for key in plain for both in (key, key + STRICT) if both in there]


def label_of(key: str) -> str:
    plain = key.removesuffix(STRICT)
    name = NAMES.get(plain, plain.replace("_", " "))
    return f"{name}, strict" if key.endswith(STRICT) else name


def figures_table(pair: Json) -> str:
    """One row per figure: value, interval, where they lie, and the items that it rests on."""
    keys = figure_keys(pair)
    agreeing, around_zero = ([key for key in keys if (key in AROUND_ZERO) is wanted] for wanted in (False, True))
    low = -1.0 if any((pair[key]["low"] or 0) < 0 for key in agreeing) else 0.0
    body = f"<tbody>{_figure_rows(pair, agreeing, low)}</tbody>"
    if around_zero:
        scale = f'<tr><td></td><td></td><td class="rj-soft" aria-hidden="true">{_axis(-1.0)}</td><td></td><td></td></tr>'
        body += f"<tbody>{scale if low == 0 else ''}{_figure_rows(pair, around_zero, -1.0)}</tbody>"
    return (
        '<table class="rj-figure"><thead><tr><th scope="col">figure</th><th scope="col" class="rj-num">value</th>'
        f'<th scope="col" aria-hidden="true">{_axis(low)}</th><th scope="col" class="rj-num">95 % interval</th>'
        f'<th scope="col" class="rj-num">n</th></tr></thead>{body}</table>'
    )


def _figure_rows(pair: Json, keys: Sequence[str], low: float) -> str:
    rows = []
    for key in keys:
        estimate = pair[key]
        head = f'<th scope="row">{escape(label_of(key))}</th>'
        if estimate["value"] is None:
            rows.append(f'<tr>{head}<td colspan="4" class="rj-undefined">undefined: {html_of(estimate["reason"])}</td></tr>')
            continue
        rows.append(
            f'<tr>{head}<td class="rj-num">{value_of(estimate)}</td><td>{track(estimate, low)}</td>'
            f'<td class="rj-num rj-soft">{interval_of(estimate) or html_of(estimate["reason"])}</td>'
            f'<td class="rj-num rj-soft">{estimate["n"]:,}</td></tr>'
        )
    return "".join(rows)


def choices_table(by_choice: Json) -> str:
    """Each of several choices against the others: sensitivity, precision and specific agreement, with intervals."""
    keys = list(next(iter(by_choice.values())))
    heads = "".join(
        f'<th scope="col" class="rj-num">{escape(label_of(key))}</th><th scope="col" class="rj-num">95 % interval</th>'
        for key in keys
    )
    rows = "".join(
        f'<tr><th scope="row">{html_of(choice)}</th><td class="rj-num">{figures["sensitivity"]["n"]:,}</td>'
        + "".join(
            f'<td class="rj-num">{value_of(figures[key])}</td><td class="rj-num rj-soft">{interval_of(figures[key])}</td>'
            for key in keys
        )
        + "</tr>"
        for choice, figures in by_choice.items()
    )
    return (
        '<div class="rj-scroll"><table class="rj-wide" data-rj="by-choice"><thead><tr>'
        '<th scope="col">each choice against the others</th>'
        f'<th scope="col" class="rj-num">n</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def macro_table(macro: Json) -> str:
    """The means over labels, and how many labels a mean does without."""
    left_out = [f"{label_of(key)} {macro[key]['left_out']}" for key in figure_keys(macro) if macro[key]["left_out"]]
    note = [f"Labels without the figure, left out of its mean: {', '.join(left_out)}."] if left_out else []
    return figures_table(macro) + notes_html(note)


def _axis(low: float) -> str:
    return f"{'−1' if low < 0 else '0'} to 1"


def track(estimate: Json, low: float = 0.0, high: float = 1.0, beside: float | None = None) -> str:
    """A line from `low` to `high` with the interval and the value on it; the numbers beside it say the same.

    `beside`: another value, marked by a tick.
    """

    def place(figure: float) -> float:
        return round(100 * (min(high, max(low, figure)) - low) / (high - low), 2)

    inside = '<u style="left:50%"></u>' if low < 0 else ""
    if estimate["low"] is not None and estimate["high"] is not None:
        left, right = place(estimate["low"]), place(estimate["high"])
        inside += f'<i style="left:{left}%;width:{round(right - left, 2)}%"></i>'
    inside += "" if beside is None else f'<b style="left:{place(beside)}%"></b>'
    inside += f'<em style="left:{place(estimate["value"])}%"></em>'
    return f'<span class="rj-track" aria-hidden="true">{inside}</span>'


def sides_of(question: Json, title: str) -> Sequence[str]:
    """The choices of a table of a question: itself, or under the title of a label, or at the threshold of a score."""
    if question["type"] == "multilabel":
        return (f"not {title}", title)
    choices: Sequence[str] = question["choices"]
    return SIDES_OF_THRESHOLD if question["type"] == "score" else choices


def headline(pair: Json) -> str:
    """Kappa, as the report quotes the pair (strict, of ordered choices linear): large, with its interval and n."""
    if "kappa" not in pair:
        return ""
    key = headline_key(pair, pair.get("headline") == "strict")
    estimate = pair[key]
    if estimate["value"] is None:
        return f'<p class="rj-undefined">{escape(label_of(key))} undefined: {html_of(estimate["reason"])}</p>'
    interval = f"95 % interval {interval_of(estimate)}" if interval_of(estimate) else html_of(estimate["reason"])
    return (
        f'<div class="rj-lead-figure"><b data-rj="kappa">{value_of(estimate)}</b>'
        f'<span class="rj-soft">{escape(label_of(key))} · {interval} · n = {estimate["n"]:,}</span></div>'
    )


def matrix(choices: Sequence[str], pair: Json, axes: tuple[str, str]) -> str:
    """The confusion matrix drawn: counts, and the share of the row as a number and as a shade, weighted where the pair is."""
    table, shares = pair["confusion"], row_shares(pair)
    sums = [sum(row) for row in table]
    heads = "".join(f'<th scope="col">{html_of(choice)}</th>' for choice in choices)
    rows = []
    for place, (choice, row) in enumerate(zip(choices, table, strict=True)):
        cells = "".join(_cell(count, shares[place][column], column == place) for column, count in enumerate(row))
        rows.append(f'<tr><th scope="row">{html_of(choice)}</th>{cells}<td class="rj-sum">{sums[place]:,}</td></tr>')
    columns = "".join(f'<td class="rj-sum">{sum(column):,}</td>' for column in zip(*table, strict=True))
    many = " rj-many" if len(choices) > 4 else ""
    return (
        f'<div class="rj-scroll"><table class="rj-matrix{many}" data-rj="matrix"><thead>'
        f'<tr><td></td><th class="rj-axis" colspan="{len(choices)}">{html_of(axes[1])}</th><td></td></tr>'
        f'<tr><th scope="col" class="rj-axis">{html_of(axes[0])}</th>{heads}<th scope="col" class="rj-axis">all</th></tr></thead>'
        f'<tbody>{"".join(rows)}<tr><th scope="row" class="rj-axis">all</th>{columns}'
        f'<td class="rj-sum">{sum(sums):,}</td></tr></tbody></table></div>'
    )


def row_shares(pair: Json) -> list[list[float | None]]:
    """Of each cell of the matrix, its share of the row, as sensitivity and its like have it: weighted where the pair is."""
    table = pair.get("confusion_weighted", pair["confusion"])
    return [[cell / sum(row) if sum(row) else None for cell in row] for row in table]


def _cell(count: int, share: float | None, diagonal: bool) -> str:
    said = "" if share is None else f"{100 * share:.0f} %"
    kind = "rj-cell rj-diagonal" if diagonal else "rj-cell"
    return f'<td class="{kind}" style="--share:{DARKEST * (share or 0):.1f}"><b>{count:,}</b><span>{said}</span></td>'


def matrix_table(choices: Sequence[str], pair: Json, axes: tuple[str, str]) -> str:
    """The same as a list, a row for each cell."""
    rows = "".join(
        f'<tr><th scope="row">{html_of(human)}</th><td>{html_of(judge)}</td><td class="rj-num">{count:,}</td>'
        f'<td class="rj-num">{"–" if share is None else f"{100 * share:.1f} %"}</td></tr>'
        for human, row, shares in zip(choices, pair["confusion"], row_shares(pair), strict=True)
        for judge, count, share in zip(choices, row, shares, strict=True)
    )
    return (
        "<details><summary>the matrix as a list</summary><table><thead><tr>"
        f'<th scope="col">{html_of(axes[0])}</th><th scope="col">{html_of(axes[1])}</th><th scope="col" class="rj-num">items</th>'
        f'<th scope="col" class="rj-num">share of the row</th></tr></thead><tbody>{rows}</tbody></table></details>'
    )


def pairs_table(pairs: Iterable[tuple[str, Json]], what: str) -> str:
    """One row per pair: who, n, kappa with its interval, the other figures, what was left out."""
    listed = list(pairs)
    keys = [key for key in SHORT if any(key in pair for _, pair in listed)]
    heads = "".join(f'<th scope="col" class="rj-num">{escape(SHORT[key])}</th>' for key in keys)
    rows = []
    for name, pair in listed:
        shown = "".join(f'<td class="rj-num">{value_of(pair[key]) if key in pair else "–"}</td>' for key in keys)
        rows.append(
            f'<tr><th scope="row">{html_of(name)}</th><td class="rj-num">{pair["n"]:,}</td>{_kappa_cells(pair)}{shown}'
            f'<td class="rj-soft">{html_of(left_out(pair))}</td></tr>'
        )
    return (
        f'<div class="rj-scroll"><table class="rj-wide"><thead><tr><th scope="col">{escape(what)}</th>'
        f'<th scope="col" class="rj-num">n</th><th scope="col" class="rj-num">kappa</th>'
        f'<th scope="col" class="rj-num">95 % interval</th>{heads}<th scope="col">left out</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _kappa_cells(pair: Json) -> str:
    estimate = pair.get("kappa")
    if estimate is None:
        return '<td class="rj-num">–</td><td></td>'
    if estimate["value"] is None:
        return f'<td class="rj-num">–</td><td class="rj-undefined">undefined: {html_of(estimate["reason"])}</td>'
    return f'<td class="rj-num">{value_of(estimate)}</td><td class="rj-num rj-soft">{interval_of(estimate)}</td>'


def left_out(pair: Json) -> str:
    """How many items entered no figure, and why."""
    return ", ".join(f"{count:,} {LEFT_OUT.get(key, key)}" for key, count in pair.get("excluded", {}).items() if count)


def notes_of(pair: Json) -> list[str]:
    """What a reader must know before quoting the pair: left out, small, borrowed, weighted, missing."""
    notes = [words.strip("()").capitalize() + "." for words in preliminary(pair["marks"])]
    if left_out(pair):
        notes.append(f"Left out: {left_out(pair)}.")
    if pair["design"] == "imported":
        notes.append("Labels as imported: nothing is known of how their items were drawn.")
    if pair["weighted"]:
        notes.append(_weighted(pair))
    # Wide enough that no note is cut in two; weights and strata are told above and in a table of their own.
    notes += design_notes({**pair, "weighted": False, "strata": []}, _ONE_LINE, 0)
    if pair.get("headline") == "strict":
        notes.append("Quote the strict figures: more than 2 % of the verdicts are unreadable, and each is a disagreement there.")
    if "codebooks" in pair:
        versions = ", ".join(f"{count:,} under {page[:8]}" for page, count in pair["codebooks"].items())
        notes.append(f"Labels of more than one codebook version: {versions}.")
    return notes


_ONE_LINE = 10_000


def _weighted(pair: Json) -> str:
    frame = sum(stratum["frame"] for stratum in pair.get("strata", []))
    run = pair["design"].partition(":")[2]
    drawn = f" by verdict of {run}" if run else ""
    told = "the matrix counts items, its shares and all figures are weighted to the frame"
    return f"Drawn{drawn} in strata: {told} of {frame:,} items."


def strata_table(pair: Json) -> str:
    """The strata of a weighted pair, or of one with items missing; empty otherwise."""
    strata = pair.get("strata", [])
    if not pair["weighted"] and not any(stratum["missing"] for stratum in strata):
        return ""
    heads = "".join(f'<th scope="col" class="rj-num">{head}</th>' for head in STRATUM_COUNTS)
    rows = "".join(
        f'<tr><th scope="row">{html_of(stratum["name"])}</th>'
        + "".join(f'<td class="rj-num">{stratum[head]:,}</td>' for head in STRATUM_COUNTS)
        + "</tr>"
        for stratum in strata
    )
    return f'<table><thead><tr><th scope="col">stratum</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def notes_html(notes: Iterable[str]) -> str:
    items = "".join(f"<li>{html_of(note)}</li>" for note in notes)
    return f'<ul class="rj-notes">{items}</ul>' if items else ""
