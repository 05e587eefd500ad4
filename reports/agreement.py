"""How far a judge agrees with a human, from a table of counts and from nothing else.

A table has one row per declared choice for the human and one column per declared choice for the judge, in
the declared order, used or not. The point values are exact fractions of whole numbers. The intervals are
closed forms: their cost depends on the number of choices, never on the number of items.

delta+c (method strings `delta+4`, `delta+2, t(n-1)`, ...): c pseudo-items are spread evenly over the
cells; value and large-sample variance are taken on that smoothed table of n + c items. A plain delta
interval covers as little as 23 % and is [1, 1] at perfect agreement. With c = 4 (two choices), 3 (three)
or 2 with Student's t (four and more) a nominal 95 % interval of kappa covers at least 92.5 % for n >= 30.
With linear weights (c = 2, t) it covered 93.1 % at worst, with quadratic ones (c = 4, t) 94.1 %. With
custom weights (c = 4, t) it is indicative: 92.6 % at worst for one table of credit that was tried.

Sources: Cohen 1960 and 1968 (kappa); Fleiss, Cohen and Everitt 1969 (its variance); Newcombe 1998 (Wilson's
interval). AC1, AC2, Scott's pi and PABAK are in `chance`, precision and its like in `binary`.
"""

from collections.abc import Sequence

import numpy as np

from reports.chance import ONE_CHOICE
from reports.chance import ac1 as ac1
from reports.credit import Credit, credit_of
from reports.credit import Weights as Weights
from reports.design import Smoothing, large_sample_error, smooth_interval, smooth_method
from reports.estimate import Estimate
from reports.replicates import replicated_interval, replicated_method
from reports.sample import NO_ITEMS, Cells, Floats, Linearised, Sample, Table, check_place
from reports.shares import share, share_error

NO_HUMAN_POSITIVE = "no item is positive on the human side"
NO_HUMAN_NEGATIVE = "no item is negative on the human side"
NO_COUNTED_DISAGREEMENT = "both sides used only choices between which these weights see no difference (0/0)"


def kappa(of: Table | Sample, weights: Weights = "unweighted") -> Estimate:
    """Cohen's kappa of a K x K table with rows human and columns judge: in [-1, 1], with custom weights 1 at most.

    `linear` gives credit 1 - |i-j|/(K-1), `quadratic` 1 - ((i-j)/(K-1))², by the declared order; a K x K table
    of credit (1 on the diagonal, 0 to 1 elsewhere) follows no order. Undefined without items, and where both
    sides gave one and the same choice throughout. A sample with a column of unreadable verdicts gives the
    strict kappa: chance agreement is over the declared choices, and the column earns no credit under any
    weights.
    """
    sample, credit = _with_credit(of, weights)
    smoothing = smoothing_of(sample.size, credit)
    value, why = _defined(sample, credit)
    if value is None:
        return Estimate.undefined(sample.n, smooth_method(sample, smoothing), why)
    interval = smooth_interval(sample, value, _kappa_by(credit), smoothing, credit.limits)
    return Estimate(value, interval.low, interval.high, sample.n, interval.method, interval.reason)


def kappa_error(of: Table | Sample, weights: Weights = "unweighted") -> Estimate:
    """The large-sample standard error of `kappa`, which is its value here; undefined where kappa is.

    Fleiss, Cohen and Everitt 1969, divisor n; under strata that of the design, under groups the linearised one.
    For publication beside kappa: the interval does not come from it, because it is 0 at perfect agreement.
    """
    sample, credit = _with_credit(of, weights)
    value, why = _defined(sample, credit)
    if value is None:
        return Estimate.undefined(sample.n, "delta method", why)
    return large_sample_error(sample, _kappa_by(credit))


def expected_agreement(of: Table | Sample, weights: Weights = "unweighted") -> Estimate:
    """The agreement, in [0, 1], that two raters with these margins would reach by chance: kappa's p_e.

    The interval is indicative (2,000 replicates): the figure is flat at even margins, where no delta interval has a width.
    """
    sample, credit = _with_credit(of, weights)
    smoothing = smoothing_of(sample.size, credit)
    if reason := NO_ITEMS if sample.n == 0 else sample.unlabelled:
        return Estimate.undefined(sample.n, replicated_method(sample, smoothing), reason)
    value = float(credit.by_chance(sample.population()))
    w = credit.shares

    def of_each(tables: Floats) -> Floats:
        chance: Floats = ((tables.sum(axis=2) @ w) * tables.sum(axis=1)).sum(axis=1)
        return chance

    interval = replicated_interval(sample, value, of_each, smoothing, (0.0, 1.0))
    return Estimate(value, interval.low, interval.high, sample.n, interval.method, interval.reason)


def kappa_strict(table: Table, unreadable: Sequence[int], weights: Weights = "unweighted") -> Estimate:
    """Kappa with unreadable verdicts as one more judge column, which no human can match.

    `unreadable[i]` counts the items of human choice i whose verdict could not be read. With none it is `kappa`.
    """
    return kappa(Sample.of_table(table, unreadable), weights)


def observed_agreement(of: Table | Sample) -> Estimate:
    """The share of items with the same answer on both sides; an unreadable verdict agrees with nothing."""
    sample = Sample.of(of)
    good = np.eye(sample.size, len(sample.strata[0].counts[0]), dtype=np.bool_)
    return share(sample, good, np.ones_like(good), NO_ITEMS)


def observed_agreement_strict(table: Table, unreadable: Sequence[int]) -> Estimate:
    """Observed agreement over all items, where an unreadable verdict agrees with nothing."""
    return observed_agreement(Sample.of_table(table, unreadable))


def sensitivity(of: Table | Sample, positive: int) -> Estimate:
    """The share of the human positives that the judge calls positive; n counts the human positives.

    An unreadable verdict finds nothing.
    """
    sample = Sample.of(of)
    return share(sample, *_human_positives(sample, positive), NO_HUMAN_POSITIVE)


def sensitivity_error(of: Table | Sample, positive: int) -> Estimate:
    """The large-sample standard error of `sensitivity` under the design, as `kappa_error`."""
    sample = Sample.of(of)
    return share_error(sample, *_human_positives(sample, positive), NO_HUMAN_POSITIVE)


def sensitivity_strict(table: Table, unreadable: Sequence[int], positive: int) -> Estimate:
    """Sensitivity over all human positives, where an unreadable verdict finds nothing."""
    return sensitivity(Sample.of_table(table, unreadable), positive)


def specificity(of: Table | Sample, positive: int) -> Estimate:
    """The share of the human negatives that the judge calls negative; n counts the human negatives."""
    sample = Sample.of(of)
    return share(sample, *_human_negatives(sample, positive), NO_HUMAN_NEGATIVE)


def specificity_error(of: Table | Sample, positive: int) -> Estimate:
    """The large-sample standard error of `specificity` under the design, as `kappa_error`."""
    sample = Sample.of(of)
    return share_error(sample, *_human_negatives(sample, positive), NO_HUMAN_NEGATIVE)


def smoothing_of(size: int, credit: Credit) -> Smoothing:
    """How many pseudo-items, and whether Student's t replaces the normal quantile: measured, not derived."""
    if credit.kind == "unweighted" or (size == 2 and credit.kind != "custom"):
        return Smoothing.of_kappa(size)  # with two choices all named weights are the same statistic
    return Smoothing(2 if credit.kind == "linear" else 4, True)


def _human_positives(sample: Sample, positive: int) -> tuple[Cells, Cells]:
    check_place(positive, sample.size)
    asked = np.zeros((sample.size, len(sample.strata[0].counts[0])), dtype=np.bool_)
    asked[positive] = True
    good = np.zeros_like(asked)
    good[positive, positive] = True
    return good, asked


def _human_negatives(sample: Sample, positive: int) -> tuple[Cells, Cells]:
    check_place(positive, sample.size)
    asked = np.ones((sample.size, len(sample.strata[0].counts[0])), dtype=np.bool_)
    asked[positive] = False
    good = asked.copy()
    good[:, positive] = False
    good[:, sample.size :] = False
    return good, asked


def _with_credit(of: Table | Sample, weights: Weights) -> tuple[Sample, Credit]:
    sample = Sample.of(of)
    return sample, credit_of(weights, sample.size, len(sample.strata[0].counts[0]))


def _defined(sample: Sample, credit: Credit) -> tuple[float | None, str]:
    """Kappa, or why there is none."""
    if reason := NO_ITEMS if sample.n == 0 else sample.unlabelled:
        return None, reason
    table = sample.population()
    p_o, p_e = credit.seen(table), credit.by_chance(table)
    if p_e == 1:
        used = sum(any(row) for row in table) + sum(any(column) for column in zip(*table, strict=True))
        return None, ONE_CHOICE if used == 2 else NO_COUNTED_DISAGREEMENT
    return float((p_o - p_e) / (1 - p_e)), ""


def _kappa_by(credit: Credit) -> Linearised:
    w = credit.shares
    return lambda p: kappa_linearised(p, w)


def kappa_linearised(p: Floats, w: Floats) -> tuple[float, Floats]:
    """Kappa of a table of shares, and its gradient (Fleiss, Cohen and Everitt 1969)."""
    human, judge = p.sum(axis=1), p.sum(axis=0)
    p_o, p_e = float((w * p).sum()), float(human @ w @ judge)
    mean_credit = (w @ judge)[:, None] + (human @ w)[None, :]
    gradient = (w * (1 - p_e) - mean_credit * (1 - p_o)) / (1 - p_e) ** 2
    return (p_o - p_e) / (1 - p_e), gradient
