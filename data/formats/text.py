"""Bytes to JSON values: UTF-8 only, strict JSON, and characters that no database keeps made visible.

An escaped NUL and a lone surrogate are legal JSON and cannot be stored as text: they become a visible
mark and are counted, so that a trajectory which holds them still comes in.
"""

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, NoReturn

from data.errors import ImportRefused
from data.formats.bad_lines import REFUSED, BadLines
from data.formats.strange_files import refuse_document, refuse_encoding, whole_file

NUL_MARK, SURROGATE_MARK = "\u2400", "\ufffd"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MAY_BE_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_FIRST_ITEM = 64_000_000
"""Bytes. A list whose first item is longer is in no format that we know."""
DEEPEST = 200
"""Levels of nesting. Python could read a few more, but not from every depth of its own stack."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


class _KeyTwice(ValueError):
    """An object says two things under one key."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _KeyTwice(next(key for key in value if keys.count(key) > 1))
    return value


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_once)


@contextmanager
def open_file(path: Path) -> Iterator[BufferedReader]:
    """`path` for reading. Raises ImportRefused for a folder, a pipe, and what cannot be opened or read to its end."""
    try:
        if path.is_dir():
            study = path / "study.db"
            do = f"Name its database, {study}, to join its labels." if study.is_file() else "Name the files in it."
            raise ImportRefused(f"{path} is a folder.", "Found no file to read.", do)
        if path.exists() and not path.is_file():
            raise ImportRefused(
                f"{path} is not a file.", "Found a pipe or a device; import reads twice.", "Save it as a file first."
            )
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise ImportRefused(
            f"{path} cannot be read.", f"Found: {error.strerror or error}.", "Check the name and the permissions."
        ) from None


def decode(raw: bytes, place: str) -> str:
    """`raw` as UTF-8, without a byte order mark."""
    try:
        return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        refuse_encoding(raw.removeprefix(codecs.BOM_UTF8), error, place)


def parse_json(text: str, place: str) -> tuple[Any, int]:
    """The JSON value in `text`, and how many unstorable characters were marked in it."""
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        around = text[max(error.pos - 20, 0) : error.pos + 20]
        where = f"character {error.pos + 1}" if error.lineno == 1 else f"line {error.lineno}, character {error.colno}"
        cut = " It seems to be cut off there." if error.pos >= len(text.rstrip()) - 1 else ""
        raise ImportRefused(
            f"{place}: this is not JSON.",
            f"Found: {error.msg} at {where}, near {around!r}.{cut}",
            "Write it again from its source, or take that part out.",
        ) from None
    except _KeyTwice as error:
        raise ImportRefused(
            f"{place}: a key stands twice in one object.", f"Found {str(error)!r} twice.", "Keep the one that is meant."
        ) from None
    except ValueError as error:
        raise ImportRefused(
            f"{place}: this is not JSON.", f"Found: {error}.", "Replace such numbers by null or leave the field out."
        ) from None
    except RecursionError:
        raise ImportRefused(
            f"{place}: this JSON is nested too deeply.", f"Found more than {DEEPEST} levels.", "Flatten it."
        ) from None
    if text.count("{") + text.count("[") > DEEPEST and isinstance(value, dict | list) and _is_too_deep(value):
        raise ImportRefused(f"{place}: this JSON is nested too deeply.", f"Found more than {DEEPEST} levels.", "Flatten it.")
    if _MAY_BE_UNSTORABLE.search(text):
        return with_marks(value)
    return value, 0


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        children = (child for item in level for child in (item.values() if isinstance(item, dict) else item))
        level = [child for child in children if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def with_marks(value: Any) -> tuple[Any, int]:
    """`value` with a visible mark for each character that no database keeps, and how many there were."""
    count = 0

    def mark(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return NUL_MARK if match[0] == "\x00" else SURROGATE_MARK

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return _UNSTORABLE.sub(mark, value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, dict):
            return {_UNSTORABLE.sub(mark, key): walk(item) for key, item in value.items()}
        return value

    return walk(value), count


def refuse_other_encodings(start: bytes) -> None:
    """Refuses what is not UTF-8; the last character of `start` may be cut in two."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError as error:
        decode(start[: error.end], "the file")


def json_lines(path: Path, bad: BadLines = REFUSED) -> Iterator[tuple[str, Any, int]]:
    """Each line that is not blank: its place (`line 14`), its JSON value, and its marks."""
    first = True
    with open_file(path) as file:
        for number, raw in enumerate(file, 1):
            if not raw.removeprefix(codecs.BOM_UTF8).strip():
                continue
            place, was_first, first = f"line {number}", first, False
            with bad:
                try:
                    value, marks = parse_json(decode(raw, place), place)
                except ImportRefused:
                    if was_first:
                        refuse_document(path, whole_file(path))
                    raise
                yield place, value, marks


def json_document(path: Path) -> tuple[Any, int]:
    """The one JSON value that the whole file is, and its marks."""
    with open_file(path) as file:
        return parse_json(decode(file.read(), "the file"), "the file")


def first_bytes(path: Path, size: int = 65536) -> bytes:
    """The beginning of the file, without a byte order mark, for sniffing."""
    with open_file(path) as file:
        return file.read(size).removeprefix(codecs.BOM_UTF8)


def first_values(path: Path, most: int = 1, most_bytes: int = 16_000_000) -> Iterator[Any]:
    """The JSON values of the first lines that are not blank, for sniffing; ends at a line that is none."""
    with open_file(path) as file:
        for line in file:
            raw = line.removeprefix(codecs.BOM_UTF8)
            if not raw.strip():
                continue
            try:
                yield json.loads(raw)
            except (ValueError, RecursionError):
                return
            most, most_bytes = most - 1, most_bytes - len(raw)
            if most <= 0 or most_bytes <= 0:
                return


def first_object(path: Path) -> dict[str, Any]:
    """The first line of a JSON Lines file; empty where that is no object."""
    for value in first_values(path):
        if isinstance(value, dict):
            return value
    return {}


def first_item(path: Path) -> dict[str, Any]:
    """The first item of a file that is one JSON list; empty where it is none, or the item is no object."""
    start, size = b"", 65_536
    while True:
        longer = first_bytes(path, size)
        text = longer.decode("utf-8", "ignore").lstrip()
        if text[:1] != "[" or len(longer) == len(start):
            return {}
        inner = text[1:].lstrip()
        try:
            value = json.JSONDecoder().raw_decode(inner)[0]
        except (ValueError, RecursionError):
            start, size = longer, size * 8
            if size > _FIRST_ITEM:
                return {}
        else:
            return value if isinstance(value, dict) else {}
