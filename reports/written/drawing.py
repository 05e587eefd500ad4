"""The report's figures as SVG: marks of an Altair chart at places that are counted here, so no font decides the layout.

Shade and number say the same; lines differ by sign and not by colour alone. Each figure has a title and all of
its numbers in words, for whoever does not see it.
"""

import re
from html import escape, unescape
from typing import Any

from reports import forest
from reports.width import columns, fit
from reports.written.content import Forest, Matrix, seen
from reports.written.numerals import DARK, NOTHING, percent, shade

FONT = 'Charter, "Bitstream Charter", Georgia, serif'
INK, SOFT, BLUE = "#1d1f23", "#545a64", "#2f5d8a"
CELLS = {2: (100, 82), 3: (86, 68), 4: (74, 58), 5: (64, 52)}
SMALLEST_CELL = (54, 46)
LONGEST_NAME, LETTER = 20, 7.1
"""Of a name beside the matrix, in letters; and about how wide a letter is, in pixels."""

Spec = dict[str, Any]


def matrix_svg(matrix: Matrix, id: str) -> str:
    """A confusion matrix: counts, row shares in per cent, and the share as the shade of its cell."""
    wide, high = CELLS.get(len(matrix.column_names), SMALLEST_CELL)
    heads = _heads(matrix.column_names, int(wide / LETTER))
    numbered = heads != tuple(map(seen, matrix.column_names)) and len(set(heads)) < len(heads)
    rows = [fit(seen(name), LONGEST_NAME) for name in matrix.row_names]
    if numbered:
        heads = tuple(str(place) for place in range(1, len(heads) + 1))
        rows = [fit(f"{place} {seen(name)}", LONGEST_NAME) for place, name in enumerate(matrix.row_names, 1)]
    left = 34 + int(LETTER * max(map(columns, rows))) + 8
    width, height = left + wide * len(heads) + 6, 46 + high * len(rows) + 6
    middle = left + wide * len(heads) / 2
    texts = [_text(middle, 12, matrix.column_axis, colour=SOFT)]
    texts += [_text(left + wide * (place + 0.5), 34, head) for place, head in enumerate(heads)]
    texts += [_text(left - 9, 46 + high * (place + 0.5), row, align="right") for place, row in enumerate(rows)]
    texts.append(_text(10, 46 + high * len(rows) / 2, matrix.row_axis, colour=SOFT, angle=270))
    boxes: list[Spec] = []
    for down, (counts, shares) in enumerate(zip(matrix.counts, matrix.shares, strict=True)):
        for across, (count, share) in enumerate(zip(counts, shares, strict=True)):
            x, y = left + wide * across, 46 + high * down
            boxes.append({"x": x, "x2": x + wide - 2, "y": y, "y2": y + high - 2, "shade": shade(share or 0)})
            ink = "#ffffff" if shade(share or 0) > DARK else INK
            of_row = " of row" if down == across == 0 and wide >= 86 and share is not None else ""
            told = NOTHING if share is None else percent(share) + of_row
            big = 20 if wide >= 74 else 15
            texts.append(_text(x + wide / 2 - 1, y + high / 2 - 0.45 * big, f"{count:,}", size=big, bold=True, colour=ink))
            texts.append(_text(x + wide / 2 - 1, y + high / 2 + 0.55 * big + 2, told, size=12, colour=ink))
    return with_words(_svg(boxes, texts, width, height), id, matrix.title, matrix.said())


def _heads(names: tuple[str, ...], room: int) -> tuple[str, ...]:
    return tuple(fit(seen(name), max(4, room)) for name in names)


def _text(
    x: float, y: float, told: str, *, size: int = 13, bold: bool = False, colour: str = INK, align: str = "center", angle: int = 0
) -> Spec:
    return {
        "x": round(x, 1), "y": round(y, 1), "told": seen(told), "size": size, "weight": "bold" if bold else "normal",
        "colour": colour, "align": align, "angle": angle,
    }  # fmt: skip


def _svg(boxes: list[Spec], texts: list[Spec], width: int, height: int) -> str:
    """Boxes and texts in pixels from the upper left corner."""
    import altair as alt
    import vl_convert

    def data(values: list[Spec]) -> Any:
        return alt.Chart(alt.Data(values=values))  # type: ignore[no-untyped-call]  # Altair has no type for its constructor

    def at(channel: type, field: str) -> Any:
        return channel(field, type="quantitative", scale=None, axis=None)

    layers = [
        data(boxes)
        .mark_rect(fill=BLUE, stroke=BLUE, strokeOpacity=0.35, strokeWidth=0.75, aria=False)
        .encode(
            x=at(alt.X, "x"), x2="x2", y=at(alt.Y, "y"), y2="y2",
            fillOpacity=alt.FillOpacity("shade", type="quantitative", scale=None),
        )
    ]  # fmt: skip
    looks = sorted({tuple(text[key] for key in ("size", "weight", "colour", "align", "angle")) for text in texts})
    for look in looks:
        size, weight, colour, align, angle = look
        alike = [text for text in texts if tuple(text[key] for key in ("size", "weight", "colour", "align", "angle")) == look]
        layers.append(
            data([{key: text[key] for key in ("x", "y", "told")} for text in alike])
            .mark_text(
                fontSize=size, fontWeight=weight, color=colour, align=align, angle=angle, baseline="middle", aria=False, limit=0
            )
            .encode(x=at(alt.X, "x"), y=at(alt.Y, "y"), text=alt.Text("told", type="nominal"))
        )
    chart = (
        alt.layer(*layers)
        .properties(width=width, height=height, padding=0, autosize="none")
        .configure(font=FONT)
        .configure_view(stroke=None)
    )
    return str(vl_convert.vegalite_to_svg({**chart.to_dict(), "background": None}))


def forest_svg(drawn: Forest, id: str, width: int, *, numbers: bool = True) -> str:
    """A forest plot, `width` pixels wide. `numbers`: whether its figures stand beside it, too."""
    svg = forest.forest_svg(drawn.rows, drawn.title, drawn.axis, drawn.reference, width, drawn.full, numbers=numbers)
    words = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)
    return with_words(re.sub(r"<title.*?</desc>", "", svg, flags=re.DOTALL), id, drawn.title, unescape(words[1]) if words else "")


def with_words(svg: str, id: str, title: str, told: str) -> str:
    """An SVG to stand inside HTML: with a title and a description, and without the names of XML, which HTML knows."""
    size = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg)
    inside = re.fullmatch(r"\s*<svg[^>]*>(.*)</svg>\s*", svg, re.DOTALL)
    if size is None or inside is None:
        raise ValueError(f"A figure must be one SVG with a viewBox. Found {svg[:80]!r}. Draw it with Altair and vl-convert.")
    width, height = size.groups()
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="{id}-title {id}-words">'
        f'<title id="{id}-title">{escape(seen(title))}</title><desc id="{id}-words">{escape(seen(told))}</desc>{inside[1]}</svg>'
    )
