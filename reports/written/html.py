"""The report as one HTML file: its style and its figures are inside, it runs nothing and loads nothing."""

from collections.abc import Iterator
from functools import partial
from html import escape
from itertools import count
from pathlib import Path

from reports.written.content import (
    Beside,
    Block,
    Forest,
    Marked,
    Matrix,
    PaperTable,
    Paragraph,
    Points,
    Report,
    Row,
    Section,
    Table,
    Words,
    seen,
    seen_lines,
)
from reports.written.drawing import forest_svg, matrix_svg
from reports.written.latex import paper_table

STYLE = Path(__file__).with_name("report.css")
WIDE, NARROW = 820, 460
"""A forest by itself and beside a matrix, in pixels."""
LONGEST_WORD = 24
SHORT_NAME = 18
"""Characters of the name of a row that no line break should part."""
LONGEST_ON_ONE_PAGE = 14
"""Rows of a table that no page break should part."""
_TAGS = {
    "strong": ("<b>", "</b>"),
    "emphasis": ("<i>", "</i>"),
    "soft": ('<span class="soft">', "</span>"),
    "code": ("<code>", "</code>"),
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def written(report: Report) -> str:
    """The whole file."""
    numbers = count(1)
    body = "\n".join(_section(section, numbers) for section in report.sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{said(report.title)}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        f'<h1>{said(report.title)}</h1>\n<p class="sub">{_line(report.subtitle)}</p>\n{body}\n</body>\n</html>\n'
    )


def said(text: str) -> str:
    """`text` as HTML that shows it and obeys none of it."""
    return escape(seen(text))


def _line(words: Words) -> str:
    return "".join(_marked(part) if isinstance(part, Marked) else said(part) for part in words)


def _marked(part: Marked) -> str:
    begin, end = _TAGS[part.how]
    return f"{begin}{said(part.text)}{end}"


def _section(section: Section, numbers: Iterator[int]) -> str:
    heading = f"<h{section.level}>{said(section.title)}</h{section.level}>\n" if section.title else ""
    blocks = "\n".join(_block(block, numbers) for block in section.blocks)
    return f"<section>\n{heading}{blocks}\n</section>"


def _block(block: Block, numbers: Iterator[int]) -> str:
    if isinstance(block, Paragraph):
        if block.kind == "quote":
            return f"<blockquote><p>{_line(block.words)}</p></blockquote>"
        return f"<p{_class('' if block.kind == 'text' else block.kind)}>{_line(block.words)}</p>"
    if isinstance(block, Points):
        return "<ul>\n" + "\n".join(f"<li>{_line(item)}</li>" for item in block.items) + "\n</ul>"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Matrix):
        note = f"<figcaption>{said(block.note)}</figcaption>" if block.note else ""
        return f"<figure>{matrix_svg(block, f'figure-{next(numbers)}')}{note}</figure>"
    if isinstance(block, Forest):
        return f"<figure>{forest_svg(block, f'figure-{next(numbers)}', WIDE)}</figure>"
    if isinstance(block, Beside):
        forest = forest_svg(block.forest, f"figure-{next(numbers)}", NARROW, numbers=False)
        return f'<div class="beside">\n{_block(block.matrix, numbers)}\n<figure>{forest}</figure>\n</div>'
    source = paper_table(block.table) if isinstance(block, PaperTable) else block.text
    return f"<pre>{escape(seen_lines(source))}</pre>"


def _table(table: Table) -> str:
    heads = "".join(f'<th scope="col"{_class("n" if column.numeric else "")}>{said(column.head)}</th>' for column in table.columns)
    caption = f"<caption>{said(table.caption)}</caption>" if table.caption else ""
    rows = "\n".join(map(partial(_row, table), table.rows))
    short = ' class="short"' if len(table.rows) <= LONGEST_ON_ONE_PAGE else ""
    return f'<div class="wide"><table{short}>{caption}<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'


def _row(table: Table, row: Row) -> str:
    kinds = " ".join(kind for kind, holds in (("strong", row.strong), ("grey", row.grey)) if holds)
    first, *others = row.cells
    indent = f' style="padding-left:{8 + 16 * row.indent}px"' if row.indent else ""
    name = "w" if sum(map(len, _texts(first))) <= SHORT_NAME else ""
    cells = f'<th scope="row"{_class(name, _long(first))}{indent}>{_line(first)}</th>' + "".join(
        f"<td{_class('n' if column.numeric else '', _long(cell))}>{_line(cell)}</td>"
        for column, cell in zip(table.columns[1:], others, strict=True)
    )
    return f"<tr{_class(kinds)}>{cells}</tr>"


def _class(*names: str) -> str:
    there = " ".join(name for name in names if name)
    return f' class="{there}"' if there else ""


def _texts(words: Words) -> list[str]:
    return [part.text if isinstance(part, Marked) else part for part in words]


def _long(words: Words) -> str:
    """The class of a cell with a word that no line would hold."""
    return "l" if any(len(word) > LONGEST_WORD for text in _texts(words) for word in text.split()) else ""
