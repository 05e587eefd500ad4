"""Closed-form 95 % intervals: Wilson's and Clopper-Pearson's for a proportion, and a held Wald interval for everything else.

A Wald interval around a smoothed centre may run past the range of the statistic, and it may miss the
raw value. `held` cuts the first and widens for the second.
"""

import math
import operator
from statistics import NormalDist

LEVEL = 0.95
UPPER_TAIL = (1 + LEVEL) / 2


def normal_quantile(share: float = UPPER_TAIL) -> float:
    """Where the normal distribution has `share`, 0 to 1, below it; 1.959964 for a two-sided 95 %."""
    return NormalDist().inv_cdf(share)


def student_quantile(degrees_of_freedom: int, share: float = UPPER_TAIL) -> float:
    """The same for Student's t, `share` above a half; infinite where no degree of freedom is left."""
    if degrees_of_freedom < 1:
        return math.inf
    from scipy.special import stdtrit  # scipy is slow to import, and z needs none of it

    return float(stdtrit(degrees_of_freedom, share))


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's score interval for `successes` of `n`, n >= 1, within [0, 1] (Newcombe 1998, method 3)."""
    return score_interval(successes / n, n, normal_quantile())


def clopper_pearson(successes: int, n: int) -> tuple[float, float]:
    """The exact interval for `successes` of `n`, n >= 1, within [0, 1]: it never covers less than 95 %, often more.

    For where a bound must hold; Wilson's is narrower and covers 95 % on average (Clopper and Pearson 1934).
    """
    check_successes(successes, n)
    if n == 0:
        raise ValueError("An interval of a share needs at least one item. Found n = 0.")
    from scipy.special import betaincinv  # scipy is slow to import

    tail = 1 - UPPER_TAIL
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return low, high


def check_successes(successes: int, n: int) -> None:
    """Raises ValueError for what is no count of successes among n."""
    if not 0 <= operator.index(successes) <= operator.index(n):
        raise ValueError(f"Successes must be from 0 to n. Found {successes} of {n}. Count again.")


def score_interval(p: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's interval around the share `p` for any quantile and an n > 0 that need not be whole."""
    if math.isinf(quantile):
        return 0.0, 1.0
    spread = quantile**2 / n
    half_width = quantile / (1 + spread) * math.sqrt(p * (1 - p) / n + spread / (4 * n))
    return held(p, (p + spread / 2) / (1 + spread), half_width, (0.0, 1.0))


def held(value: float, centre: float, half_width: float, limits: tuple[float, float]) -> tuple[float, float]:
    """`centre` ± `half_width`, cut to `limits`, then widened where needed so that `value` lies inside."""
    low, high = max(centre - half_width, limits[0]), min(centre + half_width, limits[1])
    return min(low, value), max(high, value)
