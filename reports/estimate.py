"""A figure is never a bare number: it has an interval, an n and a method, or the reason why it has none."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """One statistic with its 95 % interval. What is undefined is `None` with a reason, never 0, 1 or nan."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """How many items the figure rests on. For sensitivity these are the human positives, not all items."""
    method: str
    """How the interval was made, such as `wilson` or `delta+4`."""
    reason: str = ""
    """Why the value, or only the interval, is missing. In words for a researcher."""

    def __post_init__(self) -> None:
        figures = [figure for figure in (self.value, self.low, self.high) if figure is not None]
        if not all(math.isfinite(figure) for figure in figures):
            raise ValueError(f"An estimate must be finite. Found {figures}. Use Estimate.undefined for 0/0.")
        if len(figures) < 3 and not self.reason:
            raise ValueError("An estimate lacks its value or an end of its interval. Give the reason.")

    @classmethod
    def undefined(cls, n: int, method: str, reason: str) -> "Estimate":
        """The estimate of something that these data do not define."""
        return cls(None, None, None, n, method, reason)

    def as_json(self) -> dict[str, float | int | str | None]:
        """The estimate as a JSON object. Floats are not rounded."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "method": self.method,
            "reason": self.reason,
        }
