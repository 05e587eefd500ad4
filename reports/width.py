"""Text in terminal columns: how wide it is, how to cut it, how to pad it.

A CJK character or an emoji takes two columns, a combining accent none. Names come from files that anyone
may have written, so characters that steer a terminal or turn the reading direction become a visible mark.
"""

import re
import unicodedata

ELLIPSIS = "…"
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
COMBINING = frozenset({"Mn", "Me"})


def shown(text: str) -> str:
    """`text` with control, format and separator characters as �."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in INVISIBLE else c for c in text)


def columns(text: str) -> int:
    """How many terminal columns `text` takes."""
    return sum(_columns_of(character) for character in text)


def fit(text: str, room: int) -> str:
    """`text`, cut with … where it takes more than `room` columns (at least one)."""
    if columns(text) <= room:
        return text
    kept, used = "", columns(ELLIPSIS)
    for character in text:
        used += _columns_of(character)
        if used > room:
            break
        kept += character
    return kept + ELLIPSIS


def left(text: str, room: int) -> str:
    """`text` cut and padded on its right to exactly `room` columns."""
    text = fit(text, room)
    return text + " " * (room - columns(text))


def right(text: str, room: int) -> str:
    """`text` cut and padded on its left to exactly `room` columns."""
    text = fit(text, room)
    return " " * (room - columns(text)) + text


def wrapped(text: str, room: int) -> list[str]:
    """`text` in lines of at most `room` columns, broken at spaces but never inside `[low, high]`; a wider word is cut."""
    lines: list[str] = []
    for word in re.findall(r"\[[^\][]*\]\S*|\S+", text):
        if lines and columns(lines[-1]) + 1 + columns(word) <= room:
            lines[-1] += " " + word
        else:
            lines.append(fit(word, room))
    return lines


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in COMBINING:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
