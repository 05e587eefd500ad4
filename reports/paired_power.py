"""How likely a paired comparison is to show that the second of two judges is better by so much, before anybody looks.

The table human x first x second is made from what is known then: how many items of each choice there are. Both
judges are right equally often whatever the choice, wrong ones are spread evenly over the other choices, and within a
choice the errors of the two correlate by `CORRELATION`. In n such items the difference has the mean and the standard
error that `comparing` would find in the expected table (delta+2), and is taken as normal.

At 30 % positives, from kappa .60, against the shares of 1,000 simulated tables whose one-sided 95 % bound lies above 0:
  to .75   n 135 .602 (.623), n 200 .755 (.773), n 400 .954 (.954)
  to .70   n 135 .342 (.347), n 200 .450 (.457), n 400 .698 (.715)
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from reports.comparing import SMOOTHING, difference_linearised
from reports.credit import Named, credit_of
from reports.sample import Floats

CORRELATION = 0.3


def power_of_difference(
    items: Sequence[int], first: float, second: float, level: float = 0.05, weights: Named = "unweighted"
) -> float:
    """The chance, 0 to 1, that the one-sided lower bound at `level` of the difference of two kappas lies above 0.

    `items`: of each human choice, none of them 0; `first`, `second`: the kappas that are assumed, from 0 to below 1.
    """
    if len(items) < 2 or min(items) < 1:
        raise ValueError(f"Each of two or more choices needs items. Found {list(items)}. Count by the humans’ choice.")
    if not (0 <= first < 1 and 0 <= second < 1 and 0 < level < 0.5):
        raise ValueError(f"Kappas lie from 0 to below 1, levels between 0 and 0.5. Found {first}, {second}, {level}.")
    size, n = len(items), sum(items)
    table = expected_table([count / n for count in items], *(_accuracy(items, kappa, weights) for kappa in (first, second)))
    p = (n * table + SMOOTHING.pseudo_items / size**3) / (n + SMOOTHING.pseudo_items)
    flat = p.reshape(size, -1)
    value, gradient = difference_linearised(size, size, weights)(flat)
    deviation = gradient - float((flat * gradient).sum())
    error = math.sqrt(float((flat * deviation**2).sum()) / (n + SMOOTHING.pseudo_items))
    normal = NormalDist()
    return normal.cdf(value / error - normal.inv_cdf(1 - level))


def expected_table(shares: Sequence[float], first: float | Sequence[float], second: float | Sequence[float]) -> Floats:
    """K x K x K shares of human x first x second; `first`, `second`: how often each is right, of each choice or of all."""
    size = len(shares)
    table = np.zeros((size, size, size))
    for human, share in enumerate(shares):
        one, two = (1 - (right if isinstance(right, float) else right[human]) for right in (first, second))
        both = min(one, two, one * two + CORRELATION * math.sqrt(one * (1 - one) * two * (1 - two)))
        wrong = np.full(size, 1 / (size - 1))
        wrong[human] = 0
        table[human] = both * np.outer(wrong, wrong)
        table[human, :, human] += (one - both) * wrong
        table[human, human, :] += (two - both) * wrong
        table[human, human, human] += 1 - one - two + both
        table[human] *= share
    return table


def _accuracy(items: Sequence[int], kappa: float, weights: Named) -> float:
    """How often a judge is right that has this kappa."""
    size = len(items)
    shares, w = np.array(items) / sum(items), credit_of(weights, size, size).shares
    low, high = 1 / size, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        pair = np.outer(shares, np.full(size, (1 - middle) / (size - 1)))
        pair[np.diag_indices(size)] = shares * middle
        chance = float(pair.sum(axis=1) @ w @ pair.sum(axis=0))
        low, high = (middle, high) if (float((w * pair).sum()) - chance) / (1 - chance) < kappa else (low, middle)
    return low
