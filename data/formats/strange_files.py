"""Files that are not what was meant: packed, in another encoding, cut off, or laid out over many lines.

Each is refused by what it is, with the command that makes it readable.
"""

import json
from pathlib import Path
from typing import Any, NoReturn

from data.errors import ImportRefused

PARQUET_MAGIC = b"PAR1"
_PACKED = (
    (
        b"PK\x03\x04",
        "a zip archive (an .eval log and an .xlsx workbook are zip archives too)",
        "Unpack it, and import what is in it",
    ),
    (b"\x1f\x8b", "packed with gzip", "Unpack it first: gunzip --keep FILE"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "Unpack it first: unzstd FILE"),
    (b"BZh", "packed with bzip2", "Unpack it first: bunzip2 --keep FILE"),
    (b"\xfd7zXZ\x00", "packed with xz", "Unpack it first: unxz --keep FILE"),
    (b"%PDF-", "a PDF", "Import the data that it was made from"),
)
_READ_WHOLE = 64_000_000
"""Bytes. A larger file is not read again only to say kindly what it is."""
_READABLE = {"steps", "messages", "choice", "choices", "score", "error", "unsure", "verdicts", "labels"}
"""An object with one of these could come in, were it on a line of its own."""
_EACH_ON_A_LINE = 'python -c "import json, sys; [print(json.dumps(x)) for x in json.load(open(sys.argv[1]))]" FILE > NEW.jsonl'
_WRITE_NATIVE = "Write each run as a line of native JSON Lines, or of openai-chat; the README shows both."
_CHAT = 'as a line of JSON Lines, {"id": …, "messages": […]}, and import that as openai-chat'
_FOREIGN: tuple[tuple[frozenset[str], str, str], ...] = (
    (frozenset(("eval", "samples")), "an Inspect log", f"the messages of each sample {_CHAT}"),
    (frozenset(("target_messages", "events")), "a Petri transcript", f"its `target_messages` {_CHAT}"),
    (frozenset(("schema_version", "steps", "agent")), "an ATIF trajectory", f"its steps as messages, each run {_CHAT}"),
    (frozenset(("simulations", "tasks")), "a tau2-bench result", f"the messages of each simulation {_CHAT}"),
    (frozenset(("ticks", "termination_reason")), "a tau2-bench simulation in ticks", f"its turns as messages, each run {_CHAT}"),
)
_NEAR = 20


def refuse_packed(start: bytes) -> None:
    """Refuses a file whose first bytes `start` are those of an archive or a document."""
    for magic, what, do in _PACKED:
        if start.startswith(magic):
            raise ImportRefused(f"This file is {what}.", f"Found {start[: len(magic)]!r} at its beginning.", f"{do}.")


def refuse_wide(raw: bytes, place: str) -> None:
    """Refuses what is UTF-16 or UTF-32."""
    other = wide_encoding(raw)
    if other:
        raise ImportRefused(
            f"{place}: this is not UTF-8.", f"Found {other}: {raw[:8]!r}.", f"Convert it: iconv -f {other} -t UTF-8 FILE > NEW"
        )


def refuse_encoding(raw: bytes, error: UnicodeDecodeError, place: str) -> NoReturn:
    """Refuses `raw`, which failed to decode as UTF-8, by the encoding that it seems to be in."""
    refuse_wide(raw, place)
    found = f"Found the byte {raw[error.start]:#04x} at position {error.start}"
    before = raw[max(error.start - _NEAR, 0) : error.start].decode("utf-8", "replace")
    if error.reason == "unexpected end of data" and error.end == len(raw):
        raise ImportRefused(
            f"{place}: this is not UTF-8 to its end.",
            f"{found}, after {before!r}: the file ends in the middle of a character.",
            "It was cut off: fetch or write it again from its source.",
        ) from None
    after = raw[error.start + 1 : error.start + 2]
    try:
        letter = raw[error.start : error.start + 1].decode("cp1252") if after < b"\x80" else ""
    except UnicodeDecodeError:
        letter = ""
    raise ImportRefused(
        f"{place}: this is not UTF-8.",
        f"{found}, after {before!r}" + (f"; in Latin-1 and Windows-1252 it is {letter!r}." if letter else "."),
        "Convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW" if letter else "Save the file as UTF-8.",
    ) from None


def wide_encoding(raw: bytes) -> str | None:
    """UTF-32 or UTF-16 where `raw` begins like one, with or without a byte order mark."""
    if raw.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "UTF-32"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    even, odd = raw[:64:2], raw[1:64:2]
    if len(odd) > 1:
        for first, second, name in ((even, odd, "UTF-16LE"), (odd, even, "UTF-16BE")):
            if not any(second) and all(first):
                return name
    return None


def refuse_document(path: Path, raw: bytes) -> None:
    """Refuses JSON that is laid out over many lines, or is one list, where each line must be an object.

    `raw`: the file, or as much of it as was read; returns where it is neither.
    """
    try:
        text = raw.decode("utf-8")
        start = len(text) - len(text.lstrip())
        value, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return
    lines = text.count("\n", start, end) + 1
    if isinstance(value, dict) and lines > 1:
        refuse_foreign(path, value)
        found, reason = f"one object on {lines} lines", "JSON laid out over many lines, and each object must stand on one line"
        do, item = "python -m json.tool --no-indent --no-ensure-ascii FILE NEW.jsonl", value
    elif isinstance(value, list):
        found, reason = f"a list of {len(value)}", "one JSON list, and each object in it must have a line of its own"
        do, item = _EACH_ON_A_LINE, value[0] if value and isinstance(value[0], dict) else {}
    else:
        return
    keys = f" with the keys: {', '.join(item)}" if item else ""
    if not item.keys() & _READABLE:
        raise ImportRefused(f"{path} is in no format that rejudge knows.", f"Found {found}{keys}.", _WRITE_NATIVE)
    raise ImportRefused(f"{path} is {reason}.", f"Found {found}{keys}.", f"Write it as JSON Lines: {do}")


def refuse_foreign(path: Path, value: dict[str, Any]) -> None:
    """Refuses an object of a format that is known by its keys and has no importer."""
    for keys, what, do in _FOREIGN:
        if keys <= value.keys():
            raise ImportRefused(
                f"{path} is {what}, which has no importer here.", f"Found the keys: {', '.join(value)}.", f"Write {do}."
            )


def whole_file(path: Path) -> bytes:
    """The bytes of `path` without a byte order mark; nothing of a file that is too large for a second look."""
    if path.stat().st_size > _READ_WHOLE:
        return b""
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf")
