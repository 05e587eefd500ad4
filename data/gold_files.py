"""Gold sets as files: the same rows as JSON Lines, CSV or Parquet, with a manifest beside them.

In CSV and Parquet the columns are always the same ones (`COLUMNS`); what is nested in a row stands in
them as JSON text, because tool arguments have no fixed shape. The bytes depend on the frozen set and
the format alone (for Parquet: and on the version of pyarrow). Gold rows, their order and the set's
hash do not depend on the format.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from data.atomic import replacing, write_atomically
from data.errors import GoldRefused
from data.store import Store
from data.store.gold import gold_manifest, gold_names, gold_rows

Row = dict[str, Any]
COLUMNS = (
    "id", "content_hash", "question", "choice", "choices", "score", "basis", "votes", "group", "split", "task", "steps",
)  # fmt: skip
"""Of `choice`, `choices` and `score` each row has one; the others are null."""
_NESTED = ("choices", "votes", "steps")
_NUMBERS = ("score",)
_ROWS_AT_ONCE = 1000

FORMULA_SIGNS = "=+-@＝＋－＠\t\r\n"
"""What makes a spreadsheet run a cell, or begin another one, where a text begins with it."""
_GUARDED = (*FORMULA_SIGNS, "'")
GUARD = (
    "A cell that a spreadsheet could run, or that begins with an apostrophe or is an empty text, has an apostrophe in front: "
    "drop one leading apostrophe to get the text. An empty cell is a null."
)


def guarded(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet runs: with an apostrophe in front where it could.

    Also a text that begins with an apostrophe gets one, and so does an empty one (an empty cell is a
    null). So one rule takes it all back: drop one leading apostrophe. See `unguarded`.
    """
    return f"'{text}" if not text or text.startswith(_GUARDED) else text


def unguarded(cell: str) -> str | None:
    """The text that `guarded` made `cell` of; None for an empty cell."""
    return cell.removeprefix("'") if cell else None


def export(store: Store, name: str, format: str, out: Path) -> Path:
    """Writes the gold set `name` to `out`, and `OUT.manifest.json` beside it; the manifest's path.

    `format`: one of `FORMATS`. The manifest's keys that begin with `file_` are about the file, all
    others about the set. Raises GoldRefused.
    """
    frozen = gold_manifest(store, name)
    if frozen is None:
        raise GoldRefused(
            f"There is no gold set {name!r}.", f"Gold sets: {', '.join(gold_names(store)) or 'none'}.", "Freeze one first."
        )
    hash, manifest = frozen
    if not out.name or out.is_dir():
        raise GoldRefused(f"{str(out)!r} is no file to write to.", "Found a folder.", "Name a file with --out.")
    if out.resolve().name.startswith(store.path.name) and out.resolve().parent == store.path.resolve().parent:
        raise GoldRefused(f"{out} belongs to the study's database.", f"Found {store.path} there.", "Name another --out.")
    beside = out.with_name(f"{out.name}.manifest.json")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as file:
            counted = _Hashed(file)
            about = FORMATS[format](_rows(store, name), counted)
        described = {"hash": hash, "file_format": format, "file_sha256": counted.hash.hexdigest(), **about} | json.loads(manifest)
        write_atomically(beside, json.dumps(described, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise GoldRefused(f"{out} cannot be written.", f"Found: {error.strerror or error}.", "Name another --out.") from None
    return beside


def _rows(store: Store, name: str) -> Iterator[Row]:
    for document, task, steps in gold_rows(store, name):
        yield json.loads(document) | {"task": task, "steps": json.loads(steps)}


class _Hashed(io.RawIOBase):
    """A file that hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def _jsonl(rows: Iterator[Row], file: _Hashed) -> dict[str, Any]:
    for row in rows:
        file.write(f"{json.dumps(row, ensure_ascii=False)}\n".encode())
    return {}


def _csv(rows: Iterator[Row], file: _Hashed) -> dict[str, Any]:
    """RFC 4180 in UTF-8 with a header; says how many cells got an apostrophe, and what takes it back."""
    text = io.TextIOWrapper(cast(BinaryIO, file), encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    guards = 0
    for row in rows:
        flat = _flat(row)
        cells = {column: value if value is None or column in _NUMBERS else guarded(value) for column, value in flat.items()}
        guards += sum(cells[column] != flat[column] for column in COLUMNS)
        writer.writerow([cells[column] for column in COLUMNS])
    text.detach()
    return {
        "file_guarded_cells": guards,
        "file_guard": GUARD,
    }


def _parquet(rows: Iterator[Row], file: _Hashed) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [pa.field(column, pa.float64() if column in _NUMBERS else pa.string()) for column in COLUMNS],
    )
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        chunk: list[Row] = []
        for row in rows:
            chunk.append(_flat(row))
            if len(chunk) == _ROWS_AT_ONCE:
                writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
                chunk = []
        writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
    return {}


def _flat(row: Row) -> Row:
    """A row with every column, and JSON text in the place of what is nested."""
    flat = {column: row.get(column) for column in COLUMNS}
    for column in _NESTED:
        if flat[column] is not None:
            flat[column] = json.dumps(flat[column], ensure_ascii=False)
    return flat


FORMATS: dict[str, Callable[[Iterator[Row], _Hashed], dict[str, Any]]] = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}
