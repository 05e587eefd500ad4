"""One positive choice against all others: precision, NPV, F1, balanced accuracy, and where prevalence and bias lie.

`positive` is a place among the choices. With more than two of them the others are taken together, so that each
choice has figures of its own. Sensitivity and specificity are in `agreement`.

Intervals, all of any design: precision and NPV as shares (`shares`). F1 = 2J/(1 + J) of the share
J = TP/(TP + FP + FN), whose Wilson interval covered 90.4 % at worst (2 of 216 cells under 93 %). Balanced accuracy:
square-and-add over the two Wilson intervals (88.8 % at worst, 12 of 216 cells under 93 %). Prevalence index: delta+2
(93.8 % at worst of 791 designs with n 30-200, enumerated exactly), bias index: delta+4 (92.1 % at worst of 1,134, 10 of
them under 93 %); both are linear in the table.

Sources: Newcombe 1998 (square-and-add); Byrt, Bishop and Carlin 1993 (the two indices).
"""

import math
from fractions import Fraction

import numpy as np

from reports.agreement import sensitivity, specificity
from reports.chance import readable
from reports.design import Smoothing, smooth_interval, smooth_method
from reports.estimate import Estimate
from reports.sample import NO_ITEMS, Cells, Floats, Linearised, Sample, Table, check_place
from reports.shares import share
from reports.square_and_add import designed_interval, designed_method

NO_JUDGE_POSITIVE = "no item is positive on the judge's side"
NO_JUDGE_NEGATIVE = "no item is negative on the judge's side"
NO_POSITIVE = "no item is positive on either side"
OF_J = " of TP/(TP+FP+FN)"
SQUARE_AND_ADD = "square-and-add of sensitivity and specificity"


def precision(of: Table | Sample, positive: int) -> Estimate:
    """The share of the judge's positives that the human calls positive; n counts the judge's positives.

    An unreadable verdict is none of them.
    """
    sample = Sample.of(of)
    check_place(positive, sample.size)
    asked = _no_cell(sample)
    asked[:, positive] = True
    return share(sample, *_hits(asked, positive), NO_JUDGE_POSITIVE)


def npv(of: Table | Sample, positive: int) -> Estimate:
    """Negative predictive value: the share of the judge's negatives that the human calls negative; n counts those."""
    sample = Sample.of(of)
    check_place(positive, sample.size)
    asked = _no_cell(sample)
    asked[:, : sample.size] = True
    asked[:, positive] = False
    good = asked.copy()
    good[positive] = False
    return share(sample, good, asked, NO_JUDGE_NEGATIVE)


def f1(of: Table | Sample, positive: int) -> Estimate:
    """F1, in [0, 1]: 2 TP / (2 TP + FP + FN); n counts the items that are positive on either side.

    An unreadable verdict on a human positive is one of the FN.
    """
    return f1_for(of, positive, NO_POSITIVE)


def f1_for(of: Table | Sample, positive: int, reason: str) -> Estimate:
    """F1 of one choice, undefined for `reason` where neither side gave it."""
    sample = Sample.of(of)
    check_place(positive, sample.size)
    asked = _no_cell(sample)
    asked[positive] = asked[:, positive] = True
    good, asked = _hits(asked, positive)
    j = share(sample, good, asked, reason)
    method = j.method + OF_J
    if j.value is None:
        return Estimate.undefined(j.n, method, j.reason)
    table = sample.population()
    given = sum(table[positive]) + sum(row[positive] for row in table)
    low, high = (None if end is None else 2 * end / (1 + end) for end in (j.low, j.high))
    return Estimate(2 * table[positive][positive] / given, low, high, j.n, method, j.reason)


def balanced_accuracy(of: Table | Sample, positive: int) -> Estimate:
    """The mean of sensitivity and specificity, in [0, 1]; undefined where either is.

    An unreadable verdict neither finds nor clears; under weights or groups there is no such strict form (ValueError).
    """
    sample = Sample.of(of).against_rest(positive)
    found, cleared = sensitivity(sample, 1), specificity(sample, 1)
    designed = sample.weighted or sample.groups is not None
    if designed:
        readable(sample)
    method = designed_method(sample) if designed else SQUARE_AND_ADD
    if found.value is None or cleared.value is None:
        return Estimate.undefined(sample.n, method, found.reason if found.value is None else cleared.reason)
    negatives, positives = sample.population()
    value = float((Fraction(positives[1], sum(positives)) + Fraction(negatives[0], sum(negatives))) / 2)
    if designed:
        interval = designed_interval(sample, value, _balanced)
        return Estimate(value, interval.low, interval.high, sample.n, interval.method, interval.reason)
    below, above = (
        math.hypot(*(one.value - end if end is not None and one.value is not None else math.nan for one, end in ends)) / 2
        for ends in (((found, found.low), (cleared, cleared.low)), ((found, found.high), (cleared, cleared.high)))
    )
    return Estimate(value, max(0.0, value - below), min(1.0, value + above), sample.n, method)


def prevalence_index(of: Table | Sample, positive: int) -> Estimate:
    """How far positives outweigh negatives where both sides agree, in [-1, 1]: (both positive - both negative) / n.

    Far from 0 kappa is low even where agreement is high.
    """
    return _index(of, positive, np.array([[-1.0, 0.0], [0.0, 1.0]]), Smoothing(2, False))


def bias_index(of: Table | Sample, positive: int) -> Estimate:
    """The judge's share of positives less the human's, in [-1, 1]: above 0 the judge over-calls, below it under-calls."""
    return _index(of, positive, np.array([[0.0, 1.0], [-1.0, 0.0]]), Smoothing(4, False))


def _index(of: Table | Sample, positive: int, worth: Floats, smoothing: Smoothing) -> Estimate:
    """The mean of what the cells are worth, from -1 to 1."""
    sample = readable(of).against_rest(positive)
    if reason := NO_ITEMS if sample.n == 0 else sample.unlabelled:
        return Estimate.undefined(sample.n, smooth_method(sample, smoothing), reason)
    table = sample.population()
    total = sum(int(worth[i, j]) * table[i][j] for i in (0, 1) for j in (0, 1))
    value = total / sum(map(sum, table))
    interval = smooth_interval(sample, value, _mean(worth), smoothing)
    return Estimate(value, interval.low, interval.high, sample.n, interval.method, interval.reason)


def _mean(worth: Floats) -> Linearised:
    return lambda p: (float((worth * p).sum()), worth)


def _balanced(p: Floats) -> tuple[float, Floats]:
    """Balanced accuracy of a 2 x 2 table of shares, positive last, and its gradient."""
    cleared, found = p[0, 0] / p[0].sum(), p[1, 1] / p[1].sum()
    gradient = np.array([[1 - cleared, -cleared], [-found, 1 - found]]) / (2 * p.sum(axis=1, keepdims=True))
    return float(cleared + found) / 2, gradient


def _no_cell(sample: Sample) -> Cells:
    """K x C, none of them meant yet."""
    return np.zeros((sample.size, len(sample.strata[0].counts[0])), dtype=np.bool_)


def _hits(asked: Cells, positive: int) -> tuple[Cells, Cells]:
    good = np.zeros_like(asked)
    good[positive, positive] = True
    return good, asked
