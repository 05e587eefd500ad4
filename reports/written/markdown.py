"""The report as Markdown: its figures are tables, so the file needs nothing beside it."""

import re
from typing import TypeGuard

from reports.written.content import (
    Beside,
    Block,
    Column,
    Forest,
    Marked,
    Matrix,
    PaperTable,
    Paragraph,
    Points,
    Report,
    Row,
    Table,
    Words,
    seen,
    seen_lines,
)
from reports.written.latex import paper_table
from reports.written.numerals import NOTHING, figure, percent

_SIGNS = re.compile(r"[\\`*_\[\]{}|~^$]")
"""What means something within a line of Markdown, in one dialect or another."""
_BEGINNING = re.compile(r"([#+\-=:>]|\d+(?=[.)]))")
"""What means something at the beginning of a line."""
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ADDRESS = re.compile(r"(?<=\w):(?=//)|(?<=\bwww)\.", re.IGNORECASE)
"""Where some dialects make a link out of plain text."""


def written(report: Report) -> str:
    """The whole file."""
    parts = [f"# {said(report.title)}", _from_the_start(_line(report.subtitle))]
    for section in report.sections:
        parts += [f"{'#' * section.level} {said(section.title)}"] if section.title else []
        parts += [piece for block in section.blocks for piece in _block(block)]
    return "\n\n".join(part for part in parts if part) + "\n"


def said(text: str) -> str:
    """`text` as Markdown that shows it and obeys none of it; HTML in it is text too."""
    text = "".join(_ENTITIES.get(sign, sign) for sign in _SIGNS.sub(r"\\\g<0>", seen(text)))
    return _ADDRESS.sub(r"\\\g<0>", text)


def _from_the_start(text: str) -> str:
    """A line of Markdown whose beginning is no mark of a heading, list or rule, and no blanks of a code block."""
    text = text.lstrip(" ")
    found = _BEGINNING.match(text)
    if not found:
        return text
    number = found[0] if found[0].isdigit() else ""
    return f"{number}\\{text[len(number) :]}"


def _line(words: Words) -> str:
    return "".join(_marked(part) if isinstance(part, Marked) else said(part) for part in words)


def _marked(part: Marked) -> str:
    if not part.text:
        return ""
    if part.how == "code":
        return _code(seen(part.text))
    around = {"strong": "**", "emphasis": "*"}.get(part.how, "")
    inside = part.text.strip()
    if not around or not inside:
        return said(part.text)
    # Beside a blank the signs would mean nothing.
    before, after = part.text.partition(inside)[::2]
    return f"{said(before)}{around}{said(inside)}{around}{said(after)}"


def _code(text: str) -> str:
    """A code span, fenced by more backticks than it holds."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _block(block: Block) -> list[str]:
    if isinstance(block, Paragraph):
        quoted = "> " if block.kind in ("summary", "quote") else ""
        return [quoted + _from_the_start(_line(block.words))]
    if isinstance(block, Points):
        return ["\n".join(f"- {_from_the_start(_line(item))}" for item in block.items)]
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Matrix):
        return _matrix(block)
    if isinstance(block, Forest):
        return _forest(block)
    if isinstance(block, Beside):
        return [*_block(block.matrix), *_block(block.forest)]
    if isinstance(block, PaperTable):
        return _fenced(paper_table(block.table), "latex")
    return _fenced(block.text, block.language)


def _fenced(text: str, language: str) -> list[str]:
    text = seen_lines(text)
    fence = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return [f"{fence}{language}\n{text.rstrip()}\n{fence}"]


def _table(table: Table) -> list[str]:
    lines = [_cells([said(column.head) for column in table.columns])]
    lines.append("|" + "|".join("---:" if column.numeric else "---" for column in table.columns) + "|")
    lines += [_cells(_row(row)) for row in table.rows]
    return [*([f"*{said(table.caption)}*"] if table.caption else []), "\n".join(lines)]


def _row(row: Row) -> list[str]:
    cells = [_cell(cell) for cell in row.cells]
    cells[0] = "&emsp;" * row.indent + cells[0]
    return [f"**{cell}**" if row.strong and cell and "**" not in cell else cell for cell in cells]


def _cell(words: Words) -> str:
    """In a code span a pipe would part the cell, so there it stands as text."""
    return _line(tuple(part.text if _parts_cells(part) else part for part in words))


def _parts_cells(part: str | Marked) -> TypeGuard[Marked]:
    return isinstance(part, Marked) and part.how == "code" and "|" in part.text


def _cells(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _matrix(matrix: Matrix) -> list[str]:
    columns = (Column(f"{matrix.row_axis} ↓ {matrix.column_axis} →"), *(Column(name, True) for name in matrix.column_names))
    rows = tuple(
        Row(((name,), *((_counted(count, share),) for count, share in zip(counts, shares, strict=True))))
        for name, counts, shares in zip(matrix.row_names, matrix.counts, matrix.shares, strict=True)
    )
    caption = f"{matrix.title}: items, and in brackets the share of the row" + (f"; {matrix.note}" if matrix.note else "")
    return _table(Table(columns, rows, caption))


def _counted(count: int, share: float | None) -> str:
    return f"{count:,} ({NOTHING if share is None else percent(share)})"


def _forest(forest: Forest) -> list[str]:
    rows: list[Row] = []
    group = ""
    for row in forest.rows:
        rows += [Row(((row.group,), ("",), ("",)), strong=True)] if row.group and row.group != group else []
        group = row.group
        told = figure(row.estimate.as_json()) + (" (few items)" if row.small else "")
        rows.append(Row(((row.name,), (told,), (f"{row.n:,}",)), indent=row.indent + bool(group)))
    return _table(Table((Column(forest.what), Column(forest.axis, True), Column("n", True)), tuple(rows), forest.title))
