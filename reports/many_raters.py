"""Agreement of many raters on single choices, beside Krippendorff's alpha: Fleiss' kappa, Gwet's AC1 and AC2.

Items enter as patterns of votes, (number of votes per choice). Both statistics compare p_a, the mean over
items of the share of a rater's pairs that agree, with p_e from the shares π of the choices; both are
functions of a few means over items, and the point values are exact fractions.

- Fleiss: p_e = Σ π². Every item must have the same number of ratings. With two raters it is Scott's pi.
- Gwet: p_e = Σ w/(K(K-1)) · Σ π(1-π), K being the declared choices. Items may have gaps: p_a is over items
  with two ratings or more, π over items with any.

Sources: Fleiss 1971; Gwet 2008 and 2014 (gaps and weights).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Literal

import numpy as np

from reports.alpha import NOTHING_TO_PAIR, ONE_CHOICE, PSEUDO_ITEMS, pairable
from reports.estimate import Estimate
from reports.intervals import held, student_quantile
from reports.sample import Floats

Weights = Literal["unweighted", "linear", "quadratic"]
Patterns = Mapping[tuple[int, ...], int]
Statistic = Callable[[Floats], Floats]
"""From R x F sums of features over items: R figures."""

METHOD = "jackknife over patterns+3"
UNEQUAL = "items have different numbers of ratings ({}), and Fleiss' kappa takes the same number for every item"


def fleiss(patterns: Patterns) -> Estimate:
    """Fleiss' kappa, in [-1, 1], of the items in `patterns`: (votes per choice, in declared order) -> items.

    Items without any vote are left out. Undefined where no item has two, where items differ in their number
    of votes, and where only one choice occurs. Raises ValueError for what are no patterns.
    """
    paired, items = pairable(patterns)
    counted = dict(zip(paired, items, strict=True))
    raters = sorted({sum(votes) for votes, times in patterns.items() if times and sum(votes)})
    n = sum(items)
    if n == 0:
        return Estimate.undefined(0, METHOD, NOTHING_TO_PAIR)
    if len(raters) > 1:
        return Estimate.undefined(n, METHOD, UNEQUAL.format(", ".join(map(str, raters))))
    seen, shares = _means(counted, _credit(len(paired[0]), "unweighted"))
    by_chance = sum(share * share for share in shares)
    if by_chance == 1:
        return Estimate.undefined(n, METHOD, ONE_CHOICE)
    return _estimate((seen - by_chance) / (1 - by_chance), counted, n, "unweighted", fleiss_of_sums)


def gwet(patterns: Patterns, weights: Weights = "unweighted") -> Estimate:
    """Gwet's AC1 (unweighted) or AC2, in [-1, 1], of the items in `patterns`: (votes per choice) -> items.

    `linear` gives two votes the credit 1 - |i-j|/(K-1), `quadratic` 1 - ((i-j)/(K-1))². Items with one vote
    count in the shares of the choices alone; n counts those with two or more. Undefined where there are none.
    Raises ValueError for what are no patterns and for unknown weights.
    """
    _, items = pairable(patterns)
    credit = _credit(len(next(iter(patterns), "01")), weights)
    n = sum(items)
    if n == 0:
        return Estimate.undefined(0, METHOD, NOTHING_TO_PAIR)
    voted = {votes: times for votes, times in patterns.items() if times and sum(votes)}
    seen, shares = _means(voted, credit)
    size = len(credit)
    by_chance = Fraction(sum(map(sum, credit)), size * (size - 1)) * sum(share * (1 - share) for share in shares)
    value = (seen - by_chance) / (1 - by_chance)
    return _estimate(value, voted, n, weights, gwet_of_sums(size, weights))


def features(votes: Floats, weights: Weights) -> Floats:
    """P x (3 + K) of P x K votes, each row with at least one: what both statistics add up over items.

    Whether an item has two ratings or more, the share of its pairs that agree (else 0), 1, and the shares of
    its votes.
    """
    raters = votes.sum(axis=1)
    credit = np.array(_credit(votes.shape[1], weights), dtype=np.float64)
    pairs = ((votes @ credit) * votes).sum(axis=1) - raters
    agreed = np.where(raters > 1, pairs / np.maximum(raters * (raters - 1), 1), 0.0)
    return np.column_stack([raters > 1, agreed, np.ones(len(votes)), votes / raters[:, None]])


def fleiss_of_sums(sums: Floats) -> Floats:
    """R kappas of R x (3 + K) sums of `features`; nan where only one choice occurs."""
    share = sums[:, 3:] / sums[:, 2:3]
    return _beyond_chance(sums, (share**2).sum(axis=1))


def gwet_of_sums(size: int, weights: Weights) -> Statistic:
    """AC1 or AC2 over `size` choices, of sums of `features` with the same weights."""
    whole = float(sum(map(sum, _credit(size, weights)))) / (size * (size - 1))

    def statistic(sums: Floats) -> Floats:
        share = sums[:, 3:] / sums[:, 2:3]
        return _beyond_chance(sums, whole * (share * (1 - share)).sum(axis=1))

    return statistic


def pseudo_items(size: int, weights: Weights) -> tuple[Floats, Floats]:
    """Features of items of two random votes, and the chances of each."""
    one_vote = np.eye(size)
    first, second = np.triu_indices(size)
    return features(one_vote[first] + one_vote[second], weights), np.where(first == second, 1, 2) / size**2


def _estimate(value: Fraction, patterns: Patterns, n: int, weights: Weights, statistic: Statistic) -> Estimate:
    votes = np.array(list(patterns), dtype=np.float64)
    pseudo, chances = pseudo_items(votes.shape[1], weights)
    each = np.vstack([features(votes, weights), pseudo])
    times = np.concatenate([np.array(list(patterns.values()), dtype=np.float64), PSEUDO_ITEMS * chances])
    whole = times @ each
    left_out = statistic(whole - each)
    number = float(times.sum())
    mean = float(times @ left_out) / number
    variance = (number - 1) / number * float(times @ (left_out - mean) ** 2)
    half_width = student_quantile(n - 1) * math.sqrt(variance)
    return Estimate(float(value), *held(float(value), float(statistic(whole[None])[0]), half_width, (-1.0, 1.0)), n, METHOD)


def _beyond_chance(sums: Floats, by_chance: Floats) -> Floats:
    agreed = sums[:, 1] / sums[:, 0]
    result: Floats = np.where(
        by_chance < 1 - 1e-12, (agreed - by_chance) / np.where(by_chance < 1 - 1e-12, 1 - by_chance, 1.0), np.nan
    )
    return result


def _means(patterns: Patterns, credit: list[list[Fraction]]) -> tuple[Fraction, list[Fraction]]:
    """The mean over items with two votes or more of the credit of their pairs, and over items of their votes' shares.

    Added up by number of votes, so that fractions are few whatever the number of patterns.
    """
    size = len(credit)
    agreed: dict[int, Fraction] = defaultdict(Fraction)
    shares: dict[int, list[int]] = defaultdict(lambda: [0] * size)
    items: dict[int, int] = defaultdict(int)
    for votes, times in patterns.items():
        raters = sum(votes)
        used = [k for k, count in enumerate(votes) if count]
        agreed[raters] += times * (sum(credit[k][j] * votes[k] * votes[j] for k in used for j in used) - raters)
        items[raters] += times
        for k in used:
            shares[raters][k] += times * votes[k]
    several = [raters for raters in items if raters > 1]
    seen = sum((agreed[m] / (m * (m - 1)) for m in several), Fraction()) / sum(items[m] for m in several)
    n = sum(items.values())
    return seen, [sum((Fraction(shares[m][k], m) for m in items), Fraction()) / n for k in range(size)]


def _credit(size: int, weights: Weights) -> list[list[Fraction]]:
    """Agreement weights, K x K."""
    if weights not in ("unweighted", "linear", "quadratic"):
        raise ValueError(f"Unknown weights {weights!r}. Use 'unweighted', 'linear' or 'quadratic'.")
    if weights == "unweighted":
        return [[Fraction(i == j) for j in range(size)] for i in range(size)]
    power = 1 if weights == "linear" else 2
    return [[1 - Fraction(abs(i - j), size - 1) ** power for j in range(size)] for i in range(size)]
