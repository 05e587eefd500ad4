"""How a number is written in the report: two places, an interval in brackets, per cent with a blank that does not break."""

from collections.abc import Mapping, Sequence
from typing import Any

from data.wording import interval_end, with_minus
from data.wording import two_places as two_places

NO_BREAK = "\N{NO-BREAK SPACE}"
NOTHING = "–"

Json = Mapping[str, Any]


def has_interval(estimate: Json) -> bool:
    return estimate["value"] is not None and estimate["low"] is not None and estimate["high"] is not None


def value(estimate: Json) -> str:
    return NOTHING if estimate["value"] is None else two_places(estimate["value"])


def interval(estimate: Json) -> str:
    """`[0.40, 0.63]`, in one piece; empty where there is none."""
    return f"[{interval_end(estimate['low'])},{NO_BREAK}{interval_end(estimate['high'])}]" if has_interval(estimate) else ""


def figure(estimate: Json) -> str:
    """`0.52 [0.40, 0.63]`, `0.52 (no interval)` or `undefined`."""
    if estimate["value"] is None:
        return "undefined"
    return f"{value(estimate)} {interval(estimate) or '(no interval)'}"


def percent(share: float, places: int = 0) -> str:
    """`14 %`. What is not quite nothing or not quite all is not rounded to it."""
    least = 0.5 * 10 ** -(places + 2)
    if 0 < share < least:
        return f"<{10**-places:.{places}f}{NO_BREAK}%"
    if 1 - least < share < 1:
        return f">{100 - 10**-places:.{places}f}{NO_BREAK}%"
    return with_minus(f"{100 * share:z.{places}f}{NO_BREAK}%")


def percent_figure(estimate: Json, places: int = 0) -> str:
    """`14 % [10, 19]`; without an interval the value alone; `undefined`."""
    if estimate["value"] is None:
        return "undefined"
    told = percent(estimate["value"], places)
    if not has_interval(estimate):
        return told
    low, high = (with_minus(f"{100 * estimate[end]:z.{places}f}") for end in ("low", "high"))
    return f"{told} [{low},{NO_BREAK}{high}]"


def percent_interval(estimate: Json, places: int = 1) -> str:
    """`9.6 – 19.2` in per cent; a dash where there is none."""
    if not has_interval(estimate):
        return NOTHING
    low, high = (with_minus(f"{100 * estimate[end]:z.{places}f}") for end in ("low", "high"))
    return f"{low} – {high}"


def joined(names: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    *some, end = names or ("",)
    return f"{', '.join(some)} {last} {end}" if some else end


def in_letters(count: int) -> str:
    """Up to twelve as a word."""
    small = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return small[count] if 0 <= count < len(small) else f"{count:,}"


DARK = 0.7
"""From this shade on text stands in white."""


def shade(share: float) -> float:
    """How dark a cell with this share of its row is, 0 to 1. No cell is so dark or so light that its number is hard to read."""
    return round(0.04 + 0.56 * share / 0.75, 3) if share <= 0.75 else round(0.88 + 0.12 * (share - 0.75) / 0.25, 3)
