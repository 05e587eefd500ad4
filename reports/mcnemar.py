"""McNemar's test: of the items on which two sides differ, does one side win more often than a coin would let it?

Between a human and a judge it asks whether the judge calls as many items positive as the human does; between two
judges, with right and wrong for positive and negative, whether one is right more often. It tests margins, or accuracy, and
never kappa. It takes items as independent draws.

Sources: McNemar 1947; Fagerland, Lydersen and Laake 2013 (the mid-p version, whose size comes nearest to 5 %).
"""

import operator
from dataclasses import dataclass
from typing import Any

from reports.estimate import Estimate

NO_DISCORDANCE = "no item on which the two differ"
NO_INTERVAL = "a p-value has no interval"


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two-sided p-values in (0, 1] as estimates without interval; n counts the items on which the two differ."""

    exact: Estimate
    midp: Estimate
    only_first: int
    only_second: int

    def as_json(self) -> dict[str, Any]:
        """As in the agreement document."""
        counts = {"only_first": self.only_first, "only_second": self.only_second}
        return {**counts, "exact": self.exact.as_json(), "midp": self.midp.as_json()}


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """The exact test and its mid-p version, from the items that only the first or only the second side called positive.

    exact p = min(1, 2 P(X <= min)), mid-p = 2 P(X <= min) - P(X = min), X ~ Bin(only_first + only_second, 1/2).
    Undefined without a discordant item. Raises ValueError for negative counts.
    """
    first, second = operator.index(only_first), operator.index(only_second)
    if min(first, second) < 0:
        raise ValueError(f"McNemar's test needs counts of items. Found {first} and {second}. Count again.")
    n, least = first + second, min(first, second)
    if n == 0:
        exact, midp = (Estimate.undefined(0, method, NO_DISCORDANCE) for method in ("exact", "mid-p"))
        return McNemar(exact, midp, first, second)
    to_least = _at_most(least, n)
    values = (min(1.0, 2 * to_least), 1.0 if first == second else to_least + _at_most(least - 1, n))
    exact, midp = (
        Estimate(value, None, None, n, method, NO_INTERVAL) for value, method in zip(values, ("exact", "mid-p"), strict=True)
    )
    return McNemar(exact, midp, first, second)


def _at_most(k: int, n: int) -> float:
    """P(X <= k) of n fair coins."""
    if k < 0:
        return 0.0
    from scipy.special import betainc  # scipy is slow to import

    return float(betainc(n - k, k + 1, 0.5))
