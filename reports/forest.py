"""Estimates below each other with their intervals: a forest plot, as the text of an SVG.

Drawn by Altair and vl-convert, which need no network and no browser. Where things stand depends on counts of
characters and never on fonts that a machine may have, so the same rows give the same bytes. Colours are three
that colour-blind readers tell apart, each with a mark of its own; a page may map them to its own by the
attributes `fill` and `stroke`, and set the font. Names are anybody's: they enter as text, and characters that
cannot be seen become a mark.
"""

import hashlib
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from data.wording import two_places
from reports.estimate import Estimate
from reports.width import columns, fit, shown

Mark = Literal["circle", "square", "diamond"]

INK, SOFT, LINE, PALE, PAPER = "#1d1f23", "#5d636d", "#e4e1da", "#8b8f96", "#ffffff"
COLOURS: dict[Mark, str] = {"circle": "#2f5d8a", "square": "#8a5a1e", "diamond": "#5d636d"}
FONT = "Charter, 'Bitstream Charter', Georgia, serif"

_ROW, _HEAD, _GAP, _AXIS_LINE = 23, 25, 12, 16
_TOP, _BOTTOM, _INDENT = 26, 46, 14
_CHARACTER = 6.9
"""Pixels that a character takes, in a font that is rather wide."""
_LEAST_NAMES, _MOST_NAMES, _NUMBERS, _NO_NUMBERS = 90, 230, 208, 14
_VALUE, _INTERVAL, _COUNT = 48, 160, 208
"""Where the columns of numbers end, from the right end of the plot."""
_ARROWS = "; where an arrow stands it goes on"
_STEP, _TICK = 0.2, 34
"""Of the scale, and the least room between two of its numbers in pixels."""


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One line of the plot."""

    name: str
    estimate: Estimate
    n: int
    small: bool = False
    """Drawn pale and hollow: too few items to say anything."""
    group: str = ""
    """What it stands under; a heading where it differs from the row before."""
    mark: Mark = "circle"
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that the rows are to be read against."""

    value: float
    name: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A row or a heading, where it stands: `y` counts pixels from the top of the plot to its middle."""

    y: float
    name: str
    left: int
    row: ForestRow | None


def forest_svg(
    rows: Sequence[ForestRow],
    title: str,
    axis: str,
    reference: Reference | None = None,
    width: int = 720,
    full: float | None = 1.0,
    *,
    numbers: bool = True,
) -> str:
    """The plot as SVG text. At least one row.

    `axis`: what the figures are. `full`: a value that the scale shall reach, such as 1 for kappa; None for
    differences, which have no such end. `numbers`: whether the figures stand beside the plot, too. `title` is not
    drawn: it names the figure to those who hear it. An undefined row shows its reason, cut to the room there is;
    the whole is in the text alternative.
    """
    if not rows:
        raise ValueError("A forest plot needs at least one row. Found none. Say in words that there is nothing to draw.")
    import altair as alt  # half a second, which only those who draw wait for
    import vl_convert

    lines, height = _placed(rows)
    names = _room_for_names(lines)
    beside = _NUMBERS if numbers else _NO_NUMBERS
    plot = width - names - beside
    ends = _ends(rows, reference, full)
    arrows = _ARROWS if any(any(_runs_out(row, ends)) for row in rows) else ""
    # It stands in the middle below the plot; what does not fit there goes on in a second line.
    told = _in_lines(f"{shown(axis)}{arrows}", plot + 2 * min(names, beside))
    layers = list(_layers(alt, lines, ends, (names, plot, height, beside), reference, told))
    chart = (
        alt.layer(*layers)
        .properties(
            width=plot,
            height=height,
            autosize=alt.AutoSizeParams(type="none"),
            padding={"left": names, "right": beside, "top": _TOP, "bottom": _BOTTOM + _AXIS_LINE * max(0, len(told) - 1)},
            background="transparent",
        )
        .configure(aria=False, font=FONT)
        .configure_view(stroke=None)
    )
    drawn = vl_convert.vegalite_to_svg(chart.to_dict(), vl_version=".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2]))
    return _told(drawn, title, _in_words(rows, axis, reference))


def _in_lines(axis: str, room: int) -> list[str]:
    """The name of the scale in lines of `room` pixels; what the intervals are stays in one piece."""
    whole, piece = "95 % interval", "95_%_interval"
    lines = textwrap.wrap(axis.replace(whole, piece), max(len(whole), int(room / _CHARACTER)))
    return [line.replace(piece, whole) for line in lines]


def _placed(rows: Sequence[ForestRow]) -> tuple[list[_Line], int]:
    """The lines from the top down, and how high they are together."""
    lines: list[_Line] = []
    y, group = 0, ""
    for row in rows:
        if row.group != group:
            y += _GAP if lines else 0
            if row.group:
                lines.append(_Line(y + _HEAD / 2, row.group, 0, None))
                y += _HEAD
            group = row.group
        elif lines and not group and row.indent == 0 and _stands_apart(lines[-1], row):
            y += _GAP
        lines.append(_Line(y + _ROW / 2, row.name, _INDENT * (row.indent + bool(row.group)), row))
        y += _ROW
    return lines, y


def _stands_apart(before: _Line, row: ForestRow) -> bool:
    return before.row is not None and before.row.mark != row.mark


def _room_for_names(lines: Sequence[_Line]) -> int:
    longest = max(line.left + _CHARACTER * columns(shown(line.name)) for line in lines if line.row)
    return round(min(_MOST_NAMES, max(_LEAST_NAMES, longest))) + 16


def _ends(rows: Sequence[ForestRow], reference: Reference | None, full: float | None) -> tuple[float, float]:
    """The scale, in steps: it holds every interval but those of small rows, which may run out of it."""
    inside = [reference.value] if reference else []
    inside += [] if full is None else [full, full - _STEP]
    for row in rows:
        figures = (row.estimate.value,) if row.small else (row.estimate.value, row.estimate.low, row.estimate.high)
        inside += [figure for figure in figures if figure is not None]
    if not inside:
        inside = [0.0]
    low, high = math.floor(round(min(inside) / _STEP, 9)) * _STEP, math.ceil(round(max(inside) / _STEP, 9)) * _STEP
    return round(min(low, high - 2 * _STEP), 1), round(high, 1)


def _ticks(low: float, high: float, plot: int) -> list[float]:
    """In whole steps from the low end, no more than there is room for."""
    most = max(2, min(10, plot // _TICK))
    step = max(1, math.ceil(round((high - low) / (most * _STEP), 9))) * _STEP
    return [round(low + step * place, 1) for place in range(math.floor(round((high - low) / step, 9)) + 1)]


def _layers(
    alt: Any,
    lines: Sequence[_Line],
    ends: tuple[float, float],
    room: tuple[int, int, int, int],
    reference: Reference | None,
    axis: list[str],
) -> Iterator[Any]:
    names, plot, height, beside = room
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, height], reverse=True, nice=False, zero=False), axis=None)
    scale = alt.Axis(
        title=axis, titleFontSize=12.5, titleFontWeight="normal", titleColor=SOFT, titlePadding=8, labelFontSize=12.5,
        labelColor=SOFT, labelFlush=False, labelPadding=6, domain=False, ticks=False, gridColor=LINE, values=_ticks(*ends, plot),
        format=".1f", labelOverlap=False, zindex=0,
    )  # fmt: skip
    x = alt.X("x:Q", scale=alt.Scale(domain=list(ends), nice=False, zero=False), axis=scale)

    def data(values: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.Data(values=values))

    def text(texts: list[tuple[float, str]], at: float, align: str, **style: Any) -> Any:
        listed = [{"y": place, "text": told} for place, told in texts]
        mark = {"align": align, "baseline": "middle", "fontSize": 13, "color": INK, "clip": False} | style
        return data(listed).mark_text(**mark).encode(y=y, x=alt.value(at), text="text:N")

    # The scale stands whether a row has a figure or not.
    yield data([{"x": ends[0]}]).mark_rule(opacity=0).encode(x=x)
    if reference is not None:
        line = data([{"x": reference.value}])
        yield line.mark_rule(color=SOFT, strokeDash=[3, 3], strokeWidth=1).encode(x=x)
        told = f"{shown(reference.name)} {two_places(reference.value)}"
        yield line.mark_text(color=SOFT, fontSize=11.5, baseline="bottom", dy=-5, text=told).encode(x=x, y=alt.value(0))
    drawn = [line for line in lines if line.row is not None and line.row.estimate.value is not None]
    yield from _intervals(data, x, y, alt, drawn, ends)
    yield from _points(data, x, y, drawn)
    heads = [line for line in lines if line.row is None]
    if heads:
        told_heads = [(line.y, _cut(line.name, names + plot)) for line in heads]
        yield text(told_heads, -names, "left", fontWeight="bold")
    for left, pale in sorted({(line.left, line.row.small) for line in lines if line.row is not None}):
        here = [line for line in lines if line.row is not None and (line.left, line.row.small) == (left, pale)]
        told_names = [(line.y, _cut(line.name, names - left - 10)) for line in here]
        yield text(
            told_names, left - names, "left", color=SOFT if pale or any(line.row.indent for line in here if line.row) else INK
        )
    small = {"fontSize": 12.5, "color": SOFT}
    for end, head, numbers in _columns_of(drawn) if beside == _NUMBERS else ():
        yield text([*numbers, (-9, head)], plot + end, "right", **small)
    reasons = [(line.y, f"undefined: {line.row.estimate.reason}") for line in lines if line.row and line.row.estimate.value is None]
    if reasons:
        yield text([(at, _cut(why, plot + beside)) for at, why in reasons], 0, "left", fontStyle="italic", **small)


def _columns_of(drawn: Sequence[_Line]) -> Iterator[tuple[int, str, list[tuple[float, str]]]]:
    """Where a column of numbers ends, what it is, and its numbers with their heights."""
    there = [(line.y, line.row) for line in drawn if line.row is not None]
    yield _VALUE, "value", [(y, two_places(row.estimate.value)) for y, row in there if row.estimate.value is not None]
    yield _INTERVAL, "95 % interval", [(y, _interval(row.estimate)) for y, row in there]
    yield _COUNT, "n", [(y, f"{row.n:,}") for y, row in there]


def _intervals(data: Any, x: Any, y: Any, alt: Any, drawn: Sequence[_Line], ends: tuple[float, float]) -> Iterator[Any]:
    for colour, thick in sorted({_look(line.row) for line in drawn if line.row}):
        values, cut = [], []
        for line in drawn:
            if line.row is None or _look(line.row) != (colour, thick) or line.row.estimate.low is None:
                continue
            low, high = line.row.estimate.low, line.row.estimate.high or 0.0
            values.append({"y": line.y, "x": max(low, ends[0]), "to": min(high, ends[1])})
            cut += [{"y": line.y, "x": end} for end, out in zip(ends, _runs_out(line.row, ends), strict=True) if out]
        if values:
            yield data(values).mark_rule(color=colour, strokeWidth=thick).encode(x=x, x2=alt.X2("to:Q"), y=y)
        for end, shape in zip(ends, ("triangle-left", "triangle-right"), strict=True):
            here = [each for each in cut if each["x"] == end]
            if here:
                yield data(here).mark_point(shape=shape, filled=True, size=36, color=colour, opacity=1).encode(x=x, y=y)


def _runs_out(row: ForestRow, ends: tuple[float, float]) -> tuple[bool, bool]:
    """At which ends of the scale the interval is cut, and an arrow stands."""
    low, high = row.estimate.low, row.estimate.high
    return low is not None and low < ends[0], high is not None and high > ends[1]


def _points(data: Any, x: Any, y: Any, drawn: Sequence[_Line]) -> Iterator[Any]:
    kinds = sorted({(line.row.mark, line.row.small, min(line.row.indent, 1)) for line in drawn if line.row})
    for mark, small, indent in kinds:
        values = [
            {"y": line.y, "x": line.row.estimate.value}
            for line in drawn
            if line.row and (line.row.mark, line.row.small, min(line.row.indent, 1)) == (mark, small, indent)
        ]
        look = (
            {"fill": PAPER, "stroke": PALE, "strokeWidth": 1.4}
            if small
            else {"fill": COLOURS[mark], "stroke": COLOURS[mark], "strokeWidth": 0}
        )
        size = 46 if small or indent else 78
        yield data(values).mark_point(shape=mark, size=size, opacity=1, **look).encode(x=x, y=y)


def _look(row: ForestRow | None) -> tuple[str, float]:
    return (PALE, 1.3) if row is None or row.small else (COLOURS[row.mark], 2.4)


def _cut(text: str, room: float) -> str:
    return fit(shown(text), max(4, int(room / _CHARACTER)))


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "no interval"
    return f"{two_places(estimate.low)} to {two_places(estimate.high)}"


def _in_words(rows: Sequence[ForestRow], axis: str, reference: Reference | None) -> str:
    """The plot for those who cannot see it."""
    said = [f"{axis}."] + ([f"{reference.name}: {two_places(reference.value)}."] if reference else [])
    for row in rows:
        name = f"{row.group}, {row.name}" if row.group else row.name
        value = row.estimate.value
        figure = f"undefined, {row.estimate.reason}" if value is None else f"{two_places(value)}, {_interval(row.estimate)}"
        said.append(f"{name}: {figure}, {row.n:,} items{', too few to tell' if row.small else ''}.")
    return " ".join(said)


def _told(svg: str, title: str, words: str) -> str:
    """The SVG with a name and a description; its ids are those of no other figure on a page."""
    id = "forest-" + hashlib.sha256(f"{title}\n{words}".encode()).hexdigest()[:10]
    head, _, rest = svg.partition(">")
    named = f'{head} class="rj-forest" role="img" aria-labelledby="{id}-title {id}-desc">'.replace(' class="marks"', "", 1)
    told = f'<title id="{id}-title">{escape(shown(title))}</title><desc id="{id}-desc">{escape(shown(words))}</desc>'
    return f"{named}{told}{rest}"
