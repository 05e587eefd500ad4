"""A Parquet file of trajectories, one a row; see `table.py`. Read in batches, so that memory stays bounded."""

import datetime
import decimal
import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.errors import ImportRefused
from data.formats.bad_lines import REFUSED, BadLines
from data.formats.fields import OUTCOMES, refuse, shown
from data.formats.strange_files import PARQUET_MAGIC
from data.formats.table import Columns, entry_of_row, layout_of
from data.formats.text import first_bytes, open_file, with_marks
from data.questions import Question
from data.records import Entry

NAME = "parquet"
QUESTION: Question | None = None
ONE_A_LINE = False
GIVEAWAYS = OUTCOMES
"""Columns of these names are never shown, whatever study.toml says."""

_BATCH_ROWS = 64
_BUFFER_BYTES = 1 << 20


def sniff(path: Path) -> bool:
    """The mark that every Parquet file begins with."""
    return first_bytes(path, 4) == PARQUET_MAGIC


def read(path: Path, bad: BadLines = REFUSED, columns: Columns = ()) -> Iterator[Entry]:
    """Every row as an entry. Raises ImportRefused that names the row, unless `bad` leaves it out."""
    layout = None
    for number, (header, row) in enumerate(_rows(path), 1):
        if layout is None:
            layout = layout_of(header, columns)
        place = f"row {number}"
        with bad:
            value, marks = with_marks({key: _plain(value, f"{place}: {key!r}") for key, value in row.items()})
            yield entry_of_row(value, layout, place, marks, texts=False)


def _rows(path: Path) -> Iterator[tuple[list[str], dict[str, Any]]]:
    import pyarrow.parquet  # heavy, and no other format needs it

    with open_file(path) as file, _refusals():
        # Without a buffer each column of a row group would be read whole.
        table = pyarrow.parquet.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True)
        header = [str(name) for name in table.schema_arrow.names]
        if len(set(header)) != len(header):
            refuse("A column stands twice.", f"Found: {', '.join(header)}.", "Rename one of them.")
        for batch in table.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
            for row in batch.to_pylist():
                yield header, row


@contextmanager
def _refusals() -> Iterator[None]:
    """Turns what pyarrow raises for a broken file into a refusal."""
    import pyarrow

    try:
        yield
    except ImportRefused:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, TypeError, MemoryError) as error:
        first = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ImportRefused(
            "the file: this Parquet cannot be read.", f"Found: {first}.", "Write it again from its source."
        ) from None


def _plain(value: Any, what: str) -> Any:
    """A value of Parquet as JSON has it; None for what is missing."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, list | tuple):
        return [_plain(item, what) for item in value]
    if isinstance(value, dict):
        # A struct has every key in every row; only an empty `content` says something.
        return {str(key): _plain(item, what) for key, item in value.items() if item is not None or key == "content"}
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | datetime.timedelta | uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            refuse(f"{what} holds bytes that are no text.", f"Found {shown(value)}.", "Leave that column out.")
    refuse(f"{what} holds what JSON cannot.", f"Found {type(value).__name__}.", "Write it as text, or leave that column out.")
