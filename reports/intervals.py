"""Closed-form 95 % intervals: Wilson's for a proportion, and a held Wald interval for everything else.

A Wald interval around a smoothed centre may run past the range of the statistic, and it may miss the
raw value. `held` cuts the first and widens for the second.
"""

import math
from statistics import NormalDist

LEVEL = 0.95
UPPER_TAIL = (1 + LEVEL) / 2


def normal_quantile() -> float:
    """1.959964, the two-sided 95 % quantile of the normal distribution."""
    return NormalDist().inv_cdf(UPPER_TAIL)


def student_quantile(degrees_of_freedom: int) -> float:
    """The two-sided 95 % quantile of Student's t; infinite where no degree of freedom is left."""
    if degrees_of_freedom < 1:
        return math.inf
    from scipy.special import stdtrit  # scipy is slow to import, and z needs none of it

    return float(stdtrit(degrees_of_freedom, UPPER_TAIL))


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's score interval for `successes` of `n`, n >= 1, within [0, 1] (Newcombe 1998, method 3)."""
    p, z = successes / n, normal_quantile()
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half_width = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return held(p, centre, half_width, (0.0, 1.0))


def held(value: float, centre: float, half_width: float, limits: tuple[float, float]) -> tuple[float, float]:
    """`centre` ± `half_width`, cut to `limits`, then widened where needed so that `value` lies inside."""
    low, high = max(centre - half_width, limits[0]), min(centre + half_width, limits[1])
    return min(low, value), max(high, value)
