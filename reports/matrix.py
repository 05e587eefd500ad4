"""A confusion matrix drawn in text: counts, a shade for the share of the row, names and margins."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.width import columns, fit, left, right

SHADES = " ░▒▓█"
LONGEST_NAME, LONGEST_NUMBERED = 16, 24


@dataclass(frozen=True, slots=True)
class _Layout:
    """How names and cells share the room."""

    rows: list[str]
    heads: list[str]
    cell: int
    """Columns of a cell without its padding."""
    pad: str
    axes: tuple[str, str]

    @property
    def side(self) -> int:
        return max(columns(self.axes[0]), *(columns(row) for row in self.rows))


def matrix_lines(
    names: Sequence[str],
    table: Sequence[Sequence[int]],
    room: int,
    shortest: int = 6,
    axes: tuple[str, str] = ("human", "judge"),
) -> list[str]:
    """The drawing of a K x K table in at most `room` columns; no lines where it cannot fit.

    `axes` names rows and columns. Names are cut to `shortest` columns at worst, then they are numbered.
    The shade is the share of its row that a cell holds: ░ up to 25 %, ▒ 50 %, ▓ 75 %, █ more.
    """
    digits = max(len(str(count)) for row in table for count in row)
    margin = len(str(sum(map(sum, table))))
    for layout in _layouts(names, digits, shortest, axes):
        between = 2 * len(layout.pad) + 1
        if layout.side + 2 + len(names) * (layout.cell + between) + 1 + margin <= room:
            return _draw(layout, table, margin)
    return []


def _layouts(names: Sequence[str], digits: int, shortest: int, axes: tuple[str, str]) -> list[_Layout]:
    """From the most telling to the most compact. Names that are cut alike are no names."""
    layouts = []
    for longest in range(LONGEST_NAME, shortest - 1, -1):
        cut = [fit(name, longest) for name in names]
        if len(set(cut)) == len(cut):
            cell = max(digits + 3, *(columns(name) for name in cut))
            layouts.append(_Layout(cut, cut, cell, " ", axes))
    numbers = [str(place) for place in range(1, len(names) + 1)]
    for longest in range(LONGEST_NUMBERED, shortest + 3, -4):
        rows = [fit(f"{number} {name}", longest) for number, name in zip(numbers, names, strict=True)]
        cell = max(digits + 2, *(columns(number) for number in numbers))
        layouts += [_Layout(rows, numbers, cell, pad, axes) for pad in (" ", "")]
    return layouts


def _draw(layout: _Layout, table: Sequence[Sequence[int]], margin: int) -> list[str]:
    side, cell, pad = layout.side, layout.cell, layout.pad
    indent, line = " " * (side + 1), "─" * (cell + 2 * len(pad))
    above, between, below = (
        indent + start + middle.join([line] * len(layout.heads)) + end for start, middle, end in ("┌┬┐", "├┼┤", "└┴┘")
    )
    gap = f"{pad} {pad}"
    lines = [
        f"{indent} {pad}{fit(layout.axes[1], len(above) - len(indent) - 2)}",
        f"{right(layout.axes[0], side)}  {pad}" + gap.join(right(head, cell) for head in layout.heads),
        above,
    ]
    for place, (name, row) in enumerate(zip(layout.rows, table, strict=True)):
        cells = [_shade(count, sum(row)) + right(str(count), cell - 1) for count in row]
        counts = f"{pad}│{pad}".join(cells)
        lines.append(f"{left(name, side)} │{pad}{counts}{pad}│ {right(str(sum(row)), margin)}")
        lines.append(between if place < len(table) - 1 else below)
    sums = [right(str(sum(column)), cell) for column in zip(*table, strict=True)]
    return [*lines, f"{indent} {pad}{gap.join(sums)}{pad}  {sum(map(sum, table))}"]


def _shade(count: int, row: int) -> str:
    """One of five shades, in whole numbers: an empty cell alone is blank."""
    return SHADES[-(-4 * count // row)] if row else SHADES[0]
