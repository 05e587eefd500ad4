"""Figures as a notebook draws them: HTML with its styles inline, in the colours of whatever page it stands on.

Text takes the colour of the page and shades are translucent, so the same HTML reads in a light and in a dark notebook. Every
name comes from a frame that anyone may have filled, and stands in the page as text.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from data.questions import SIDES_OF_THRESHOLD
from data.wording import two_places
from reports.notes import NAMES, VOTE_NAMES, Sides, design_notes, leaning, pair_notes, parts
from reports.width import shown

Json = Mapping[str, Any]

ONE_LINE = 10_000
"""Wide enough that no note is cut in two."""
CELL = "padding:.25em .7em;border:0;background:none;text-align:"
LINE = "1px solid rgba(127,127,127,.45)"
SHADE, AGREED = "66,133,200", "52,152,110"
DARKEST = 0.5
"""How much colour a cell has that holds its whole row: text stays readable on it in both lights."""
SHORT = 40
"""Names under so many characters are not broken over lines."""


def agreement_html(pair: Json, question: Json, sides: Sides, methods: str) -> str:
    """One pair: kappa large, the matrix drawn, every default figure with its interval, and what must be known of them."""
    title = f"{sides.axes[0]} against {sides.axes[1]}"
    blocks = [_heading(title, f"{question['type']}, n = {pair['n']:,}")]
    if not pair["n"]:
        return _framed([*blocks, _notes(pair_notes(pair, ONE_LINE, 0))])
    for name, part in parts(pair).items():
        choices = question["choices"]
        if "by_label" in pair:
            choices, blocks = (f"not {name}", name), [*blocks, _heading(name, "", "1.05em")]
        elif name:
            choices = SIDES_OF_THRESHOLD
        sought = name or question.get("positive", "")
        lean = leaning(part, sought, sides)
        drawn = _matrix(choices, part["confusion"], sides) if "confusion" in part else ""
        body = f'<div style="display:flex;flex-wrap:wrap;gap:1.2em 2.4em;align-items:flex-start">{drawn}{_figures(part)}</div>'
        blocks += [_headline(part), body, _choices(part), _notes([lean] if lean else [])]
    if "macro" in pair:
        left_out = [f"{NAMES[key]} {mean['left_out']}" for key, mean in pair["macro"].items() if mean["left_out"]]
        note = [f"Labels without the figure, left out of its mean: {', '.join(left_out)}."] if left_out else []
        blocks += [_heading("mean over labels", "", "1.05em"), _figures(pair["macro"]), _notes(note)]
    blocks.append(_notes([*pair_notes(pair, ONE_LINE, 0), *design_notes(pair, ONE_LINE, 0), methods]))
    return _framed(blocks)


def reliability_html(humans: Json, title: str, notes: Sequence[str]) -> str:
    """Alpha large, the other figures for many raters, and a row for each pair of raters."""
    alpha = humans["krippendorff_alpha"]
    level = alpha["method"].partition(",")[0]
    blocks = [_heading(title, f"{alpha['n']:,} items with two ratings or more"), _large(alpha, f"Krippendorff’s alpha, {level}")]
    blocks.append(
        _table(
            _figure_row(name, humans[key])
            for key, name in {"krippendorff_alpha": "Krippendorff’s alpha", **VOTE_NAMES}.items()
            if key in humans
        )
    )
    rows = []
    for pair in humans["pairs"]:
        who = " – ".join(pair[side].partition(":")[2] for side in ("rows", "columns"))
        for name, part in parts(pair).items():
            key = "spearman" if "spearman" in part else "kappa"
            rows.append(_figure_row(f"{who} · {name}" if name else who, part[key], NAMES[key]))
    blocks += [_heading("pairs", "", "1.05em"), _table(rows)] if rows else []
    return _framed([*blocks, _notes(notes)])


def _framed(blocks: Iterable[str]) -> str:
    inside = "".join(blocks)
    return f'<div data-rj="figures" style="color:inherit;line-height:1.45;max-width:60em;padding:.3em 0">{inside}</div>'


def _heading(title: str, about: str, size: str = "1.1em") -> str:
    beside = f' <span style="opacity:.7;font-weight:400">{_text(about)}</span>' if about else ""
    return f'<div style="font-size:{size};font-weight:600;margin:.5em 0 .2em">{_text(title)}{beside}</div>'


def _headline(part: Json) -> str:
    key = "kappa" if "kappa" in part else "spearman"
    return _large(part[key], "Cohen’s kappa" if key == "kappa" else "Spearman’s rank correlation")


def _large(estimate: Json, name: str) -> str:
    if estimate["value"] is None:
        return f'<div style="margin:.2em 0">{escape(name)} undefined: {_text(estimate["reason"])}</div>'
    beside = f"95 % interval {_interval(estimate)}" if estimate["low"] is not None else f"no interval: {estimate['reason']}"
    value = f'<span style="font-size:1.9em;font-weight:600;line-height:1.2">{two_places(estimate["value"])}</span>'
    return f'<div style="margin:.1em 0 .5em">{value} <span style="opacity:.8">{escape(name)}, {_text(beside)}</span></div>'


def _figures(figures: Json) -> str:
    return _table(_figure_row(name, figures[key]) for key, name in NAMES.items() if key in figures)


def _table(rows: Iterable[str]) -> str:
    return f'<table style="border-collapse:collapse;margin:0;color:inherit;background:none">{"".join(rows)}</table>'


def _figure_row(name: str, estimate: Json, kind: str = "") -> str:
    wrap = "nowrap" if len(name) < SHORT else "normal"
    head = f'<th scope="row" style="{CELL}left;font-weight:400;white-space:{wrap}">{_text(name)}</th>'
    head += f'<td style="{CELL}left;opacity:.75">{_text(kind)}</td>' if kind else ""
    if estimate["value"] is None:
        reason = f'<td colspan="3" style="{CELL}left;opacity:.75;white-space:normal">undefined: {_text(estimate["reason"])}</td>'
        return f'<tr style="background:none">{head}{reason}</tr>'
    return (
        f'<tr style="background:none">{head}<td style="{CELL}right;font-weight:600">{two_places(estimate["value"])}</td>'
        f'<td style="{CELL}left;opacity:.75;white-space:nowrap">{_interval(estimate)}</td>'
        f'<td style="{CELL}right;opacity:.75;white-space:nowrap">n = {estimate["n"]:,}</td></tr>'
    )


def _matrix(choices: Sequence[str], table: Sequence[Sequence[int]], sides: Sides) -> str:
    """Counts and shares of the row, shaded by the share; the diagonal, where both agree, in a colour of its own."""
    sums = [sum(row) for row in table]
    heads = "".join(f'<th scope="col" style="{CELL}center;font-weight:600">{_text(choice)}</th>' for choice in choices)
    rows = []
    for place, (choice, row) in enumerate(zip(choices, table, strict=True)):
        cells = "".join(_cell(count, sums[place], place == column) for column, count in enumerate(row))
        rows.append(
            f'<tr style="background:none"><th scope="row" style="{CELL}right;font-weight:600">{_text(choice)}</th>{cells}'
            f'<td style="{CELL}right;opacity:.75">{sums[place]:,}</td></tr>'
        )
    sums_below = "".join(f'<td style="{CELL}center;opacity:.75">{sum(column):,}</td>' for column in zip(*table, strict=True))
    return (
        '<table data-rj="matrix" style="border-collapse:collapse;margin:0;color:inherit;background:none">'
        f'<tr style="background:none"><td style="{CELL}left"></td>'
        f'<th colspan="{len(choices)}" style="{CELL}center;font-weight:400;opacity:.75">{_text(sides.axes[1])}</th>'
        f'<td style="{CELL}left"></td></tr>'
        f'<tr style="background:none"><th style="{CELL}right;font-weight:400;opacity:.75">{_text(sides.axes[0])}</th>{heads}'
        f'<td style="{CELL}left"></td></tr>{"".join(rows)}'
        f'<tr style="background:none"><td style="{CELL}left"></td>{sums_below}'
        f'<td style="{CELL}right;opacity:.75">{sum(sums):,}</td></tr></table>'
    )


def _cell(count: int, row: int, agreed: bool) -> str:
    share = count / row if row else 0.0
    colour = f"rgba({AGREED if agreed else SHADE},{DARKEST * share:.2f})"
    said = f'<div style="opacity:.75;font-size:.85em">{100 * share:.0f} %</div>' if row else ""
    return (
        f'<td style="padding:.35em .9em;border:{LINE};text-align:center;background:{colour}">'
        f'<div style="font-weight:600">{count:,}</div>{said}</td>'
    )


def _choices(part: Json) -> str:
    """Each of several choices against the others."""
    if "by_choice" not in part:
        return ""
    keys = list(next(iter(part["by_choice"].values())))
    heads = "".join(f'<th scope="col" style="{CELL}left;font-weight:400;opacity:.75">{_text(NAMES[key])}</th>' for key in keys)
    rows = "".join(
        f'<tr style="background:none"><th scope="row" style="{CELL}left;font-weight:600">{_text(choice)}</th>'
        + "".join(f'<td style="{CELL}left;white-space:nowrap">{_in_short(figures[key])}</td>' for key in keys)
        + "</tr>"
        for choice, figures in part["by_choice"].items()
    )
    title = f'<th scope="col" style="{CELL}left;font-weight:400;opacity:.75">each against the others</th>'
    return f'<div style="margin-top:.6em">{_table([f"<tr style=background:none>{title}{heads}</tr>", rows])}</div>'


def _in_short(estimate: Json) -> str:
    if estimate["value"] is None:
        return '<span style="opacity:.75">undefined</span>'
    return f'<b>{two_places(estimate["value"])}</b> <span style="opacity:.75">{_interval(estimate)}</span>'


def _notes(notes: Iterable[str]) -> str:
    items = "".join(f'<li style="margin:.1em 0">{_text(note)}</li>' for note in notes if note.strip())
    return f'<ul style="margin:.6em 0 0;padding-left:1.2em;opacity:.85;font-size:.92em">{items}</ul>' if items else ""


def _interval(estimate: Json) -> str:
    return "" if estimate["low"] is None else f"{two_places(estimate['low'])} to {two_places(estimate['high'])}"


def _text(text: str) -> str:
    return escape(shown(text))
