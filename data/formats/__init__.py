"""The source formats, one module each, with the same things in every one.

`NAME`, `sniff(path)`, `read(path, bad)` (see `bad_lines.py`), `QUESTION` (the one that the format brings, or None) and
`GIVEAWAYS` (the fields that would give the answer away: hidden even where they stand among metadata)
and `ONE_A_LINE` (whether each line is an entry, so that they can be counted beforehand).
"""

from pathlib import Path
from types import ModuleType

from data.errors import ImportRefused
from data.formats import answers, native, r_judge
from data.formats.text import first_bytes, json_lines, refuse_other_encodings

FORMATS: dict[str, ModuleType] = {module.NAME: module for module in (native, r_judge, answers)}


def format_of(path: Path, name: str | None) -> ModuleType:
    """The format called `name`, else the first that recognises the file. Raises ImportRefused."""
    if name is not None:
        if name not in FORMATS:
            raise ImportRefused(f"{name!r} is not a format.", f"Known formats: {', '.join(FORMATS)}.", "Name one of them.")
        return FORMATS[name]
    start = first_bytes(path)
    if not start.strip():
        raise ImportRefused(f"{path} is empty.", "Found nothing in it.", "Check how it was written.")
    for module in FORMATS.values():
        if module.sniff(path):
            return module
    keys = ""
    if start.lstrip()[:1] == b"{":
        for place, value, _ in json_lines(path):  # raises where the first line is not even JSON
            keys = f" Its first object ({place}) has the keys: {', '.join(value) or 'none'}." if isinstance(value, dict) else ""
            break
    refuse_other_encodings(start)
    raise ImportRefused(
        f"{path} is in no format that rejudge knows.",
        f"It begins with {start[:60].decode('utf-8', 'replace')!r}.{keys}",
        f"Name the format with --format ({', '.join(FORMATS)}), or write it as native JSON Lines.",
    )
