"""How an amount is said, and texts of others."""

from collections.abc import Iterable


def amount(count: int, one: str, many: str = "", form: str = "") -> str:
    """`count` in the number format `form`, with `one` beside it for 1, else `many` (default: `one` with an s)."""
    return f"{count:{form}} {one if count == 1 else many or one + 's'}"


def quoted(texts: Iterable[str]) -> str:
    """`“a”, “b”`."""
    return ", ".join(f"“{text}”" for text in texts)
