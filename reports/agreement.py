"""How far a judge agrees with a human, from a table of counts and from nothing else.

A table has one row per declared choice for the human and one column per declared choice for the judge, in
the declared order, used or not. The point values are exact fractions of whole numbers. The intervals are
closed forms: their cost depends on the number of choices, never on the number of items.

delta+c (method strings `delta+4`, `delta+2, t(n-1)`, ...): c pseudo-items are spread evenly over the
cells; value and large-sample variance are taken on that smoothed table of n + c items. A plain delta
interval covers as little as 23 % and is [1, 1] at perfect agreement. With c = 4 (two choices), 3 (three)
or 2 with Student's t (four and more) a nominal 95 % interval of kappa covers at least 92.5 % for n >= 30.

Sources: Cohen 1960 and 1968 (kappa); Fleiss, Cohen and Everitt 1969 (its variance); Gwet 2008 (AC1);
Newcombe 1998 (Wilson's interval).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np

from reports.design import Smoothing, smooth_interval, smooth_method
from reports.estimate import Estimate
from reports.sample import Cells, Floats, Sample, Table
from reports.shares import share_interval, share_method

Weights = Literal["unweighted", "linear", "quadratic"]

NO_ITEMS = "no item has an answer on both sides"
ONE_CHOICE = "both sides gave one and the same choice to every item, so chance alone would agree as well (0/0)"
NO_HUMAN_POSITIVE = "no item is positive on the human side"
NO_HUMAN_NEGATIVE = "no item is negative on the human side"


def kappa(of: Table | Sample, weights: Weights = "unweighted") -> Estimate:
    """Cohen's kappa, in [-1, 1], of a K x K table with rows human and columns judge.

    `linear` gives credit 1 - |i-j|/(K-1), `quadratic` 1 - ((i-j)/(K-1))², by the declared order.
    Undefined without items, and where both sides gave one and the same choice throughout. A sample with a
    column of unreadable verdicts gives the strict kappa: chance agreement is over the declared choices, and
    the column earns no credit under any weights.
    """
    sample = _sample(of)
    table = sample.population()
    credit, full = _credit(sample.size, len(table[0]), weights)
    smoothing = _smoothing(sample.size, weights)
    if reason := NO_ITEMS if sample.n == 0 else sample.unlabelled:
        return Estimate.undefined(sample.n, smooth_method(sample, smoothing), reason)
    value = _exact_kappa(table, credit, full)
    if value is None:
        return Estimate.undefined(sample.n, smooth_method(sample, smoothing), ONE_CHOICE)
    w = np.array(credit, dtype=np.float64) / full
    fisher = weights == "unweighted" or sample.size == 2
    interval = smooth_interval(sample, value, lambda p: _kappa_linearised(p, w), smoothing, fisher)
    return Estimate(value, interval.low, interval.high, sample.n, interval.method, interval.reason)


def kappa_strict(table: Table, unreadable: Sequence[int], weights: Weights = "unweighted") -> Estimate:
    """Kappa with unreadable verdicts as one more judge column, which no human can match.

    `unreadable[i]` counts the items of human choice i whose verdict could not be read. With none it is `kappa`.
    """
    return kappa(Sample.of_table(table, unreadable), weights)


def observed_agreement(of: Table | Sample) -> Estimate:
    """The share of items with the same answer on both sides; an unreadable verdict agrees with nothing."""
    sample = _sample(of)
    good = np.eye(sample.size, len(sample.strata[0].counts[0]), dtype=np.bool_)
    return _share(sample, good, np.ones_like(good), NO_ITEMS)


def observed_agreement_strict(table: Table, unreadable: Sequence[int]) -> Estimate:
    """Observed agreement over all items, where an unreadable verdict agrees with nothing."""
    return observed_agreement(Sample.of_table(table, unreadable))


def sensitivity(of: Table | Sample, positive: int) -> Estimate:
    """The share of the human positives that the judge calls positive; n counts the human positives.

    An unreadable verdict finds nothing.
    """
    sample = _sample(of)
    _check_place(positive, sample.size)
    asked = np.zeros((sample.size, len(sample.strata[0].counts[0])), dtype=np.bool_)
    asked[positive] = True
    good = np.zeros_like(asked)
    good[positive, positive] = True
    return _share(sample, good, asked, NO_HUMAN_POSITIVE)


def sensitivity_strict(table: Table, unreadable: Sequence[int], positive: int) -> Estimate:
    """Sensitivity over all human positives, where an unreadable verdict finds nothing."""
    return sensitivity(Sample.of_table(table, unreadable), positive)


def specificity(of: Table | Sample, positive: int) -> Estimate:
    """The share of the human negatives that the judge calls negative; n counts the human negatives."""
    sample = _sample(of)
    _check_place(positive, sample.size)
    asked = np.ones((sample.size, len(sample.strata[0].counts[0])), dtype=np.bool_)
    asked[positive] = False
    good = asked.copy()
    good[:, positive] = False
    good[:, sample.size :] = False
    return _share(sample, good, asked, NO_HUMAN_NEGATIVE)


def ac1(of: Table | Sample) -> Estimate:
    """Gwet's AC1, in [-1, 1], over the declared choices; undefined only without items (Gwet 2008).

    The interval covers at least 93 % for two choices (n 30-200). For more choices it is indicative: in a
    seeded simulation of chance-mixed tables, 93.6 % for three, 93.2 % for four, 92.8 % for five at worst.
    """
    sample = _sample(of)
    size = sample.size
    smoothing = Smoothing(2, size > 3)
    if reason := NO_ITEMS if sample.n == 0 else sample.unlabelled:
        return Estimate.undefined(sample.n, smooth_method(sample, smoothing), reason)
    table = sample.population()
    n = _total(table)
    p_o = Fraction(sum(table[k][k] for k in range(size)), n)
    shares = [Fraction(sum(table[k]) + sum(row[k] for row in table), 2 * n) for k in range(size)]
    p_e = sum(share * (1 - share) for share in shares) / (size - 1)
    value = float((p_o - p_e) / (1 - p_e))
    interval = smooth_interval(sample, value, _ac1_linearised, smoothing, fisher=False)
    return Estimate(value, interval.low, interval.high, sample.n, interval.method, interval.reason)


def _sample(of: Table | Sample) -> Sample:
    return of if isinstance(of, Sample) else Sample.of_table(of)


def _smoothing(size: int, weights: Weights) -> Smoothing:
    """How many pseudo-items, and whether Student's t replaces the normal quantile: measured, not derived."""
    if size == 2:  # with two choices all weights are the same statistic, and so have the same interval
        return Smoothing(4, False)
    if weights == "quadratic":
        return Smoothing(4, True)
    if weights == "linear":
        return Smoothing(2, True)
    return Smoothing(3, False) if size == 3 else Smoothing(2, True)


def _credit(rows: int, columns: int, weights: Weights) -> tuple[list[list[int]], int]:
    """Agreement weights as whole numbers, and the number that stands for full agreement."""
    if weights == "unweighted":
        full, power = 1, 0
    elif weights == "linear":
        full, power = rows - 1, 1
    elif weights == "quadratic":
        full, power = (rows - 1) ** 2, 2
    else:
        raise ValueError(f"Unknown weights {weights!r}. Use 'unweighted', 'linear' or 'quadratic'.")
    no_credit = [0] * (columns - rows)
    distance = [[abs(i - j) ** power if i != j else 0 for j in range(rows)] for i in range(rows)]
    return [[full - step for step in row] + no_credit for row in distance], full


def _exact_kappa(counts: list[list[int]], credit: list[list[int]], full: int) -> float | None:
    """Kappa in whole numbers: a constant judge is exactly 0 and 1e9 items round nothing. None where 0/0."""
    n, columns = _total(counts), range(len(counts[0]))
    judge = [sum(row[j] for row in counts) for j in columns]
    seen = sum(credit[i][j] * row[j] for i, row in enumerate(counts) for j in columns)
    by_chance = sum(credit[i][j] * sum(row) * judge[j] for i, row in enumerate(counts) for j in columns)
    p_o, p_e = Fraction(seen, full * n), Fraction(by_chance, full * n * n)
    return None if p_e == 1 else float((p_o - p_e) / (1 - p_e))


def _kappa_linearised(p: Floats, w: Floats) -> tuple[float, Floats]:
    """Kappa of a table of shares, and its gradient (Fleiss, Cohen and Everitt 1969)."""
    human, judge = p.sum(axis=1), p.sum(axis=0)
    p_o, p_e = float((w * p).sum()), float(human @ w @ judge)
    mean_credit = (w @ judge)[:, None] + (human @ w)[None, :]
    gradient = (w * (1 - p_e) - mean_credit * (1 - p_o)) / (1 - p_e) ** 2
    return (p_o - p_e) / (1 - p_e), gradient


def _ac1_linearised(p: Floats) -> tuple[float, Floats]:
    """AC1 of a table of shares, and its gradient (Gwet 2008)."""
    size = len(p)
    share = (p.sum(axis=1) + p.sum(axis=0)) / 2
    p_o, p_e = float(np.trace(p)), float((share * (1 - share)).sum()) / (size - 1)
    chance_gradient = (1 - share[:, None] - share[None, :]) / (size - 1)
    gradient = (np.eye(size) * (1 - p_e) - chance_gradient * (1 - p_o)) / (1 - p_e) ** 2
    return (p_o - p_e) / (1 - p_e), gradient


def _share(sample: Sample, good: Cells, asked: Cells, reason: str) -> Estimate:
    n = _within(sample.counts(), asked)
    if why := reason if n == 0 else sample.unlabelled:
        return Estimate.undefined(n, share_method(sample), why)
    table = sample.population()
    interval = share_interval(sample, good, asked)
    value = _within(table, good) / _within(table, asked)
    return Estimate(value, interval.low, interval.high, n, interval.method, interval.reason)


def _within(table: list[list[int]], cells: Cells) -> int:
    return sum(row[j] for row, inside in zip(table, cells, strict=True) for j in np.flatnonzero(inside))


def _check_place(positive: int, size: int) -> None:
    if not 0 <= positive < size:
        raise ValueError(f"`positive` must be a place from 0 to {size - 1}. Found {positive}.")


def _total(counts: list[list[int]]) -> int:
    return sum(map(sum, counts))
