"""Two raters who gave scores: Spearman's rank correlation, with mid-ranks for ties.

Interval: Fisher's z with the standard error √((1 + r²/2)/(n - 3)) (Bonett and Wright 2000), widened to hold
the value; at least four items. It takes items as independent draws with equal chances, so weighted items
and items that share groups get the (weighted) value without an interval, and the reason.
"""

import math
from collections.abc import Sequence

import numpy as np

from data.tallies import PairTally
from reports.estimate import Estimate
from reports.intervals import normal_quantile
from reports.sample import Floats, nobody_finished

METHOD = "fisher z, bonett-wright"
NO_ITEMS = "no item has a score on both sides"
CONSTANT = "one side gave one and the same score to every item"
TOO_FEW = "fewer than four items tell nothing about the width"
NOT_INDEPENDENT = "the interval of a rank correlation is for items drawn alike and one by one; these are weighted or share groups"


def spearman(pair: PairTally) -> Estimate:
    """The rank correlation of a pair's `scores`, in [-1, 1], of the frame where the pair is weighted."""
    n = sum(pair.scores.values())
    if n == 0:
        return Estimate.undefined(0, METHOD, NO_ITEMS)
    empty = next((each for each in pair.strata if each.frame and not each.finished and each.column != -1), None)
    if pair.weighted and empty is not None:
        return Estimate.undefined(n, METHOD, nobody_finished(empty.name, empty.frame))
    weights = [
        items * (pair.strata[stratum].frame / pair.strata[stratum].finished if pair.weighted else 1.0)
        for (stratum, _, _), items in pair.scores.items()
    ]
    value = _correlation([(human, judge) for _, human, judge in pair.scores], np.array(weights))
    if value is None:
        return Estimate.undefined(n, METHOD, CONSTANT)
    if pair.weighted or pair.groups < n:
        return Estimate(value, None, None, n, "no interval", NOT_INDEPENDENT)
    if n < 4:
        return Estimate(value, None, None, n, METHOD, TOO_FEW)
    bounded = min(max(value, -1 + 1 / n**2), 1 - 1 / n**2)  # perfect order keeps a width
    half_width = normal_quantile() * math.sqrt((1 + value**2 / 2) / (n - 3))
    low, high = (math.tanh(math.atanh(bounded) + way * half_width) for way in (-1, 1))
    return Estimate(value, min(low, value), max(high, value), n, METHOD)


def _correlation(scores: Sequence[tuple[float, float]], weights: Floats) -> float | None:
    table = np.array(scores, dtype=np.float64)
    share = weights / weights.sum()
    ranks = np.stack([_mid_ranks(column, share) for column in table.T])
    ranks -= (ranks @ share)[:, None]
    spread = (ranks**2) @ share
    if min(spread) < 1e-15:
        return None
    return max(-1.0, min(1.0, float((ranks[0] * ranks[1]) @ share / math.sqrt(spread[0] * spread[1]))))


def _mid_ranks(column: Floats, share: Floats) -> Floats:
    """The share below each value, and half the share at it."""
    _, place = np.unique(column, return_inverse=True)
    at = np.bincount(place, weights=share)
    ranks: Floats = (np.cumsum(at) - at / 2)[place]
    return ranks
