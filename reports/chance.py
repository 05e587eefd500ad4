"""Agreement corrected for chance in other ways than Cohen's: Scott's pi, PABAK, and Gwet's AC1 and AC2.

AC1, AC2 and PABAK depend on how many choices are declared, used or not. All take the readable items: a
K x K table, or a sample without a column of unreadable verdicts.

Intervals: delta+c as `agreement` tells; of Scott's pi with the c of kappa, of AC1 with 2 (Student's t from four choices
on), of AC2 with 2 and t for linear weights and 4 and t for others; PABAK's is Wilson's. AC1 of two choices covered 93.4 %
at worst (n 30-200). The others are indicative, from seeded simulations of chance-mixed tables: at worst AC1 93.6 % for
three choices, 93.2 % for four, 92.8 % for five; with equal margins only, Scott's pi 94.5, 93.5, 94.0 and 93.1 % for two to
five, AC2 93.8 %.

Sources: Scott 1955; Brennan and Prediger 1981, Byrt, Bishop and Carlin 1993 (PABAK); Gwet 2008 and 2014.
"""

from fractions import Fraction

import numpy as np

from reports.credit import Credit, Weights, credit_of
from reports.design import Smoothing, smooth_interval, smooth_method
from reports.estimate import Estimate
from reports.sample import NO_ITEMS, Floats, Linearised, Sample, Table
from reports.shares import share

ONE_CHOICE = "both sides gave one and the same choice to every item, so chance alone would agree as well (0/0)"


def scott_pi(of: Table | Sample) -> Estimate:
    """Scott's pi, in [-1, 1]: chance agreement from the mean of both margins, as if both raters had one and the same.

    Undefined without items, and where both sides gave one and the same choice throughout.
    """
    sample = readable(of)
    smoothing = Smoothing.of_kappa(sample.size)
    if reason := NO_ITEMS if sample.n == 0 else sample.unlabelled:
        return Estimate.undefined(sample.n, smooth_method(sample, smoothing), reason)
    p_o, shares = _agreement_and_shares(sample.population())
    p_e = sum(part**2 for part in shares)
    if p_e == 1:
        return Estimate.undefined(sample.n, smooth_method(sample, smoothing), ONE_CHOICE)
    value = float((p_o - p_e) / (1 - p_e))
    interval = smooth_interval(sample, value, _pi_linearised, smoothing)
    return Estimate(value, interval.low, interval.high, sample.n, interval.method, interval.reason)


def pabak(of: Table | Sample) -> Estimate:
    """Prevalence- and bias-adjusted kappa, in [-1/(K-1), 1]: chance agreement is 1/K. Also Brennan and Prediger's.

    A line in observed agreement, and so is its interval; an unreadable verdict agrees with nothing. Undefined only
    without items.
    """
    sample = Sample.of(of)
    agreed = np.eye(sample.size, len(sample.strata[0].counts[0]), dtype=np.bool_)
    p_o = share(sample, agreed, np.ones_like(agreed), NO_ITEMS)
    if p_o.value is None:
        return p_o
    table = sample.population()
    exact = Fraction(sum(row[place] for place, row in enumerate(table)), sum(map(sum, table)))
    value = float((sample.size * exact - 1) / (sample.size - 1))
    low, high = (None if end is None else (sample.size * end - 1) / (sample.size - 1) for end in (p_o.low, p_o.high))
    return Estimate(value, low, high, p_o.n, p_o.method, p_o.reason)


def ac1(of: Table | Sample) -> Estimate:
    """Gwet's AC1, in [-1, 1], over the declared choices; undefined only without items (Gwet 2008)."""
    return ac2(of, "unweighted")


def ac2(of: Table | Sample, weights: Weights) -> Estimate:
    """Gwet's AC2, in [-1, 1]: AC1 with credit for near misses, as `kappa` takes it (Gwet 2014).

    Undefined only without items. With custom weights it can fall below -1. The interval is indicative, but for AC1 of
    two choices.
    """
    sample = readable(of)
    credit = credit_of(weights, sample.size, sample.size)
    smoothing = _smoothing_of_ac(sample.size, credit)
    if reason := NO_ITEMS if sample.n == 0 else sample.unlabelled:
        return Estimate.undefined(sample.n, smooth_method(sample, smoothing), reason)
    table, size = sample.population(), sample.size
    p_o, (_, shares) = credit.seen(table), _agreement_and_shares(table)
    scale = Fraction(sum(map(sum, credit.cells)), credit.full * size * (size - 1))
    p_e = scale * sum(part * (1 - part) for part in shares)
    value = float((p_o - p_e) / (1 - p_e))
    interval = smooth_interval(sample, value, _ac_by(credit, float(scale)), smoothing, limits=credit.limits)
    return Estimate(value, interval.low, interval.high, sample.n, interval.method, interval.reason)


def _smoothing_of_ac(size: int, credit: Credit) -> Smoothing:
    if credit.kind == "unweighted" or (size == 2 and credit.kind != "custom"):
        return Smoothing(2, size > 3)
    return Smoothing(2 if credit.kind == "linear" else 4, True)


def readable(of: Table | Sample) -> Sample:
    """The sample, which must have no column of unreadable verdicts. Raises ValueError for one that has."""
    sample = Sample.of(of)
    if len(sample.strata[0].counts[0]) != sample.size:
        raise ValueError(
            "This figure has no strict form: an unreadable verdict is no choice that chance could agree on. "
            "Found a column of unreadable verdicts. Give the readable items alone."
        )
    return sample


def _agreement_and_shares(table: list[list[int]]) -> tuple[Fraction, list[Fraction]]:
    """Observed agreement, and the mean of both margins by choice."""
    n = sum(map(sum, table))
    p_o = Fraction(sum(row[place] for place, row in enumerate(table)), n)
    return p_o, [Fraction(sum(row) + sum(column), 2 * n) for row, column in zip(table, zip(*table, strict=True), strict=True)]


def _pi_linearised(p: Floats) -> tuple[float, Floats]:
    """Scott's pi of a table of shares, and its gradient."""
    mean = (p.sum(axis=1) + p.sum(axis=0)) / 2
    p_o, p_e = float(np.trace(p)), float((mean**2).sum())
    gradient = (np.eye(len(p)) * (1 - p_e) - (mean[:, None] + mean[None, :]) * (1 - p_o)) / (1 - p_e) ** 2
    return (p_o - p_e) / (1 - p_e), gradient


def _ac_by(credit: Credit, scale: float) -> Linearised:
    w = credit.shares

    def linearised(p: Floats) -> tuple[float, Floats]:
        """AC2 of a table of shares, and its gradient (Gwet 2008 and 2014)."""
        mean = (p.sum(axis=1) + p.sum(axis=0)) / 2
        p_o, p_e = float((w * p).sum()), scale * float((mean * (1 - mean)).sum())
        chance_gradient = scale * (1 - mean[:, None] - mean[None, :])
        gradient = (w * (1 - p_e) - chance_gradient * (1 - p_o)) / (1 - p_e) ** 2
        return (p_o - p_e) / (1 - p_e), gradient

    return linearised
