"""How amounts and figures are said, and texts of others."""

from collections.abc import Iterable


def amount(count: int, one: str, many: str = "", form: str = "") -> str:
    """`count` in the number format `form`, with `one` beside it for 1, else `many` (default: `one` with an s)."""
    return f"{count:{form}} {one if count == 1 else many or one + 's'}"


def two_places(figure: float) -> str:
    """−0.00 is 0.00, and a minus is a minus."""
    return with_minus(f"{figure:z.2f}")


def interval_end(figure: float) -> str:
    """An end of an interval. One that is near 0 keeps the side of it that it lies on: −0.004, not 0.00."""
    told = two_places(figure)
    return with_minus(f"{figure:.3f}") if told == "0.00" and abs(figure) >= 0.0005 else told


def with_minus(number: str) -> str:
    """A number as it was formatted, whose sign is a minus and no hyphen."""
    return number.replace("-", "−")


def quoted(texts: Iterable[str]) -> str:
    """`“a”, “b”`."""
    return ", ".join(f"“{text}”" for text in texts)
