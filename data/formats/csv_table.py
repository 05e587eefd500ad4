"""A CSV file of trajectories, one a row; see `table.py`."""

from collections.abc import Iterator
from pathlib import Path

from data.formats.bad_lines import REFUSED, BadLines
from data.formats.csv_rows import csv_header, csv_rows
from data.formats.fields import OUTCOMES, refuse
from data.formats.strange_files import PARQUET_MAGIC
from data.formats.table import Columns, entry_of_row, known_columns, layout_of
from data.formats.text import first_bytes
from data.questions import Question
from data.records import Entry

NAME = "csv"
QUESTION: Question | None = None
ONE_A_LINE = False
GIVEAWAYS = OUTCOMES
"""Columns of these names are never shown, whatever study.toml says."""


def sniff(path: Path) -> bool:
    """A header with a column `text` or `messages`."""
    if _is_json(path) or first_bytes(path, 4) == PARQUET_MAGIC:
        return False
    return bool({"text", "messages"} & set(csv_header(path, known_columns(()))))


def _is_json(path: Path) -> bool:
    return first_bytes(path, 64).lstrip()[:1] in (b"{", b"[")


def read(path: Path, bad: BadLines = REFUSED, columns: Columns = ()) -> Iterator[Entry]:
    """Every row as an entry. Raises ImportRefused that names the line, unless `bad` leaves it out."""
    if _is_json(path):
        refuse("This file is JSON, not CSV.", f"It begins with {first_bytes(path, 40).strip()!r}.", "Leave --format out.")
    layout = None
    for place, row, marks in csv_rows(path, known_columns(columns), bad):
        if layout is None:
            layout = layout_of(list(row), columns)
        with bad:
            yield entry_of_row(row, layout, place, marks, texts=True)
    if layout is None:
        layout_of(csv_header(path, known_columns(columns)), columns)
