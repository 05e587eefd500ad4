"""The source formats, one module each, with the same things in every one: see `Format`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol, cast

from data.errors import ImportRefused
from data.formats import answers, anthropic, csv_table, native, openai_chat, parquet_table, r_judge, table, tau_bench
from data.formats.bad_lines import REFUSED, BadLines
from data.formats.csv_rows import csv_header
from data.formats.fields import did_you_mean
from data.formats.strange_files import PARQUET_MAGIC, refuse_document, refuse_foreign, refuse_packed, refuse_wide, whole_file
from data.formats.text import first_bytes, json_lines, refuse_other_encodings
from data.questions import Question
from data.records import Entry


class Reading(Protocol):
    """What an import needs of a format."""

    @property
    def NAME(self) -> str: ...
    @property
    def QUESTION(self) -> Question | None:
        """The question that the format brings."""

    @property
    def GIVEAWAYS(self) -> tuple[str, ...]:
        """The fields, in lower case, that would give the answer away: hidden even where they stand within metadata."""

    @property
    def ONE_A_LINE(self) -> bool:
        """Whether each line is an entry, so that they can be counted beforehand."""

    def read(self, path: Path, bad: BadLines = ..., /) -> Iterator[Entry]:
        """Every entry of the file, as a stream. Raises ImportRefused that names the place, unless `bad` leaves it out."""


class Format(Reading, Protocol):
    """A module of this folder."""

    def sniff(self, path: Path, /) -> bool:
        """Whether the file looks like one of this format. Raises nothing but ImportRefused."""


@dataclass(frozen=True, slots=True)
class MappedTable:
    """A format of tables that reads its columns as `--map` says."""

    NAME: str
    QUESTION: Question | None
    GIVEAWAYS: tuple[str, ...]
    ONE_A_LINE: bool
    columns: table.Columns

    def read(self, path: Path, bad: BadLines = REFUSED, /) -> Iterator[Entry]:
        if self.NAME == parquet_table.NAME:
            return parquet_table.read(path, bad, self.columns)
        return csv_table.read(path, bad, self.columns)


_MODULES = (native, r_judge, tau_bench, anthropic, openai_chat, answers, csv_table, parquet_table)
FORMATS: dict[str, Format] = {module.NAME: cast(Format, module) for module in _MODULES}
"""In the order in which they are asked whether they know a file."""


def format_of(path: Path, name: str | None, columns: table.Columns = ()) -> Reading:
    """The format called `name`, else the first that recognises the file; with `columns` a table's. Raises ImportRefused."""
    if name is not None and name not in FORMATS:
        raise ImportRefused(
            f"{name!r} is not a format.", f"Known formats: {', '.join(FORMATS)}.", f"{did_you_mean(name, FORMATS)}Name one of them."
        )
    start = first_bytes(path)
    if not start.strip():
        raise ImportRefused(f"{path} is empty.", "Found nothing in it.", "Check how it was written.")
    refuse_packed(start)
    refuse_wide(start, "the file")
    _check_parquet(start, name)
    if columns:
        return _mapped_table(start, name, columns)
    if name is not None:
        return FORMATS[name]
    for module in FORMATS.values():
        if module.sniff(path):
            return module
    _refuse_unknown(path, start)


def _check_parquet(start: bytes, name: str | None) -> None:
    is_parquet = start.startswith(PARQUET_MAGIC)
    if is_parquet and name not in (None, parquet_table.NAME):
        raise ImportRefused("This file is Parquet.", f"Found --format {name}.", "Leave --format out, or name parquet.")
    if name == parquet_table.NAME and not is_parquet:
        raise ImportRefused("This file is not Parquet.", f"It begins with {start[:8]!r}.", "Leave --format out.")


def _mapped_table(start: bytes, name: str | None, columns: table.Columns) -> MappedTable:
    if name not in (None, csv_table.NAME, parquet_table.NAME) or start.lstrip()[:1] in (b"{", b"["):
        raise ImportRefused(
            "--map names the columns of a table.",
            f"Found --format {name}." if name else f"The file begins with {start[:20].decode('utf-8', 'replace')!r}.",
            "Leave it out, or give a CSV or Parquet of trajectories.",
        )
    module = parquet_table if start.startswith(PARQUET_MAGIC) else csv_table
    return MappedTable(module.NAME, module.QUESTION, module.GIVEAWAYS, module.ONE_A_LINE, columns)


def _refuse_unknown(path: Path, start: bytes) -> NoReturn:
    keys = ""
    if start.lstrip()[:1] == b"{":
        for place, value, _ in json_lines(path):  # raises where the first line is not even JSON
            if isinstance(value, dict):
                refuse_foreign(path, value)
            keys = f" Its first object ({place}) has the keys: {', '.join(value) or 'none'}." if isinstance(value, dict) else ""
            break
    elif start.lstrip()[:1] == b"[":
        refuse_document(path, whole_file(path))
    refuse_other_encodings(start)
    if path.suffix.lower() in (".csv", ".tsv"):
        table.layout_of(csv_header(path, table.known_columns(())), ())  # says which columns it lacks
    raise ImportRefused(
        f"{path} is in no format that rejudge knows.",
        f"It begins with {start[:60].decode('utf-8', 'replace')!r}.{keys}",
        f"Name the format with --format ({', '.join(FORMATS)}), or write it as native JSON Lines.",
    )
