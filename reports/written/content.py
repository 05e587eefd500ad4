"""What a written report is made of: plain values that each form draws in its own way.

Every number and every sentence is put together here once, as text, so HTML, Markdown and LaTeX cannot
disagree. Text may come from files that anyone wrote: each form escapes all of it, and `seen` makes visible
what a reader could not see.
"""

import unicodedata
from dataclasses import dataclass

from reports.forest import ForestRow, Reference
from reports.written.numerals import percent

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def seen(text: str) -> str:
    """`text` on one line; what steers reading direction or cannot be seen becomes a mark such as ⟨U+202E⟩."""
    return "".join(" " if sign in "\n\t\r" else _seen(sign) for sign in text.replace("\r\n", "\n"))


def seen_lines(text: str) -> str:
    """The same, with its lines."""
    return "\n".join(map(seen, text.replace("\r\n", "\n").split("\n")))


def _seen(sign: str) -> str:
    return f"⟨U+{ord(sign):04X}⟩" if unicodedata.category(sign) in _UNSEEN else sign


@dataclass(frozen=True, slots=True)
class Marked:
    """Words that stand out."""

    text: str
    how: str
    """`strong`, `emphasis`, `soft` or `code`."""


Words = tuple[str | Marked, ...]


def words(*parts: str | Marked) -> Words:
    return parts


def strong(text: str) -> Marked:
    return Marked(text, "strong")


def emphasis(text: str) -> Marked:
    return Marked(text, "emphasis")


def soft(text: str) -> Marked:
    return Marked(text, "soft")


def code(text: str) -> Marked:
    return Marked(text, "code")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences."""

    words: Words
    kind: str = "text"
    """`text`; `summary`: what the whole report says; `note`: what a reader must know of what stands above; `quote`."""


@dataclass(frozen=True, slots=True)
class Points:
    """A list of remarks."""

    items: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    head: str
    numeric: bool = False
    width: int = 1
    """Of the room that text columns share, how many parts."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    cells: tuple[Words, ...]
    strong: bool = False
    indent: int = 0
    grey: bool = False
    """Shown, and too small to go by."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table. The first cell of a row names it."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix, drawn with counts and row shares."""

    title: str
    row_axis: str
    column_axis: str
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """Items, whatever the design."""
    shares: tuple[tuple[float | None, ...], ...]
    """Of its row, by the design; None where a row is empty."""
    note: str = ""

    def said(self) -> str:
        """All of it in words: counts and row shares."""
        rows = []
        for name, counts, shares in zip(self.row_names, self.counts, self.shares, strict=True):
            cells = ", ".join(
                f"{column} {count:,}{'' if share is None else f' ({percent(share)})'}"
                for column, count, share in zip(self.column_names, counts, shares, strict=True)
            )
            rows.append(f"{self.row_axis} {name}: {cells}")
        return f"{self.title}. {'; '.join(rows)}. {self.column_axis} after the colon; in brackets the share of the row."


@dataclass(frozen=True, slots=True)
class Forest:
    """Figures with their intervals, one under the other."""

    title: str
    axis: str
    rows: tuple[ForestRow, ...]
    what: str = "pair"
    """What its rows are, as the head of their column."""
    reference: Reference | None = None
    full: float | None = 1.0
    """A value that the scale reaches; None where there is no such end."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Two figures that belong together, side by side where there is room."""

    matrix: Matrix
    forest: Forest


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text to copy as it is."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class PaperTable:
    """The table for a paper: LaTeX source to copy, or in LaTeX the table itself."""

    table: Table


Block = Paragraph | Points | Table | Matrix | Forest | Beside | Verbatim | PaperTable


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 2


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    title: str
    subtitle: Words
    sections: tuple[Section, ...]
    """The first has no title: it is the summary."""


def text(*parts: str | Marked) -> Paragraph:
    return Paragraph(parts)


def note(*parts: str | Marked) -> Paragraph:
    return Paragraph(parts, "note")
