"""Rows of a CSV file, read as a stream: separated by commas, semicolons or tabs, whichever its header is."""

import codecs
import csv
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from data.errors import ImportRefused
from data.formats.bad_lines import REFUSED, BadLines
from data.formats.fields import refuse
from data.formats.text import NUL_MARK, decode, first_bytes, open_file

_SEPARATORS = (",", ";", "\t")
_LONGEST_CELL = 64_000_000
"""Characters. A quotation mark that is never closed must not read a whole file into one cell."""


def csv_header(path: Path, known: Collection[str]) -> list[str]:
    """The columns of a CSV file, for sniffing; empty where its first line is none."""
    lines = first_bytes(path).splitlines()
    try:
        return _header_of(lines[0].decode("utf-8"), known)[0] if lines else []
    except (UnicodeDecodeError, csv.Error):
        return []


def _header_of(line: str, known: Collection[str]) -> tuple[list[str], str]:
    """The columns in `line` and their separator: the one that gives most of the `known` columns, else most columns."""
    found = []
    for separator in _SEPARATORS:
        names = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
        found.append((len(set(names) & set(known)), len(names), separator, names))
    # The first of equals: commas.
    _, _, separator, names = max(found, key=lambda each: each[:2])
    # pandas writes its index under no name.
    return [name or f"column {number}" for number, name in enumerate(names, 1)], separator


class _Lines:
    """The lines of a file as csv wants them, with the bytes of the row that is being read kept for a refusal."""

    def __init__(self, file: Iterable[bytes]) -> None:
        self.file = file
        self.row: list[bytes] = []

    def __iter__(self) -> Iterator[str]:
        for number, chunk in enumerate(self.file):
            # Old Macs end lines with a carriage return alone.
            for raw in (chunk if number else chunk.removeprefix(codecs.BOM_UTF8)).splitlines(keepends=True):
                self.row.append(raw)
                yield raw.decode("utf-8", "surrogateescape")

    def take(self) -> list[bytes]:
        taken, self.row = self.row, []
        return taken


def csv_rows(path: Path, known: Collection[str], bad: BadLines = REFUSED) -> Iterator[tuple[str, dict[str, str], int]]:
    """Each row that is not blank: its place (`line 14`, where it begins), its cells by column, and its marks."""
    csv.field_size_limit(_LONGEST_CELL)
    last = 1
    with open_file(path) as file:
        lines = _Lines(file)
        rest = iter(lines)
        first = next(rest, "")
        _check_encoding(lines.take(), 1)
        try:
            header, separator = _header_of(first, known)
            if len(set(header)) != len(header):
                refuse("line 1: a column stands twice.", f"Found: {', '.join(header)}.", "Rename one of them.")
            reader = csv.reader(rest, delimiter=separator, strict=True)
            for row in reader:
                begun, last, raw = last + 1, reader.line_num + 1, lines.take()
                if row:
                    with bad:
                        yield _cells_of(row, header, begun, raw)
        except csv.Error as error:
            raise ImportRefused(f"line {last + 1} is not CSV.", f"Found: {error}.", "Mend the quoting of that line.") from None


def _cells_of(row: list[str], header: list[str], begun: int, raw: list[bytes]) -> tuple[str, dict[str, str], int]:
    _check_encoding(raw, begun)
    place = f"line {begun}"
    if len(row) != len(header):
        refuse(f"{place} has {len(row)} cells.", f"The header names {len(header)} columns.", "Mend the quoting of that line.")
    marks = sum(cell.count("\x00") for cell in row)
    return place, {key: cell.replace("\x00", NUL_MARK) for key, cell in zip(header, row, strict=True)}, marks


def _check_encoding(raw: list[bytes], begun: int) -> None:
    for number, line in enumerate(raw, begun):
        decode(line, f"line {number}")
