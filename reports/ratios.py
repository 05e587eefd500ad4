"""Ratios of sums over items: of all there is (`whole`), the part that counts. Each item's part lies between 0 and its whole.

A mean of values between 0 and 1 is such a ratio with whole 1, and so is a share of marked steps, of which items
hold several. What lies in one item is not independent, so items are the units, or the groups that they share.

Interval (`delta+2, t(n-1)`): two pseudo-units of the mean whole are added, one with all of it and one with
nothing; value and linearised standard error are taken on these, with Student's t; cut to [0, 1] and widened
to hold the raw value. It has a width even where every item has the same part.
- weighted (`post-stratified ...`): each pseudo-unit is shared evenly by the strata and weighs as the items there;
  the error is that within strata, t(n-strata). A stratum where no item has a whole, but some might (`anywhere`), has
  its share of the one with nothing: without it recall covers .71 where a draw by verdict holds few misses.
- groups (`cluster-robust ..., t(groups-1)`): what items add is summed by group first; under weights too, and then
  nothing is credited to the strata.

Measured (`python -m tests.benchmarks coverage --times 400 steps`; 30 and 100 items of 0 to 3 steps on each side,
overlap, precision and recall; the worst of 16 to 18 settings, and the mean):
  items on their own, correlation within items 0 to .8   .938, .968
  half of each verdict, .5 to 30 % missed by the judge    .940, .973
  groups of 5, correlation within groups 0 to .5          .920, .992
Weights and groups together were not measured: indicative.

Source: Cochran 1977, Sampling techniques, chapter 6 (linearised ratio).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.design import ONE_GROUP
from reports.estimate import Estimate
from reports.intervals import held, student_quantile
from reports.sample import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """R rows: which item each belongs to, and how the items were drawn."""

    item: Ints
    """R: from 0."""
    group: Ints
    """R: from 0; as `item` where items share none."""
    share: Floats
    """R: what part of its item a row is; the rows of an item add up to 1."""
    stratum: Ints
    """R: from 0."""
    rate: Floats
    """By stratum: how many items of the frame an item stands for."""
    finished: Floats
    """By stratum: items that were finished, with a row or without."""
    weighted: bool = False
    """Whether items stand for different numbers of items of the frame."""
    grouped: bool = False
    """Whether two items share a group."""
    unlabelled: str = ""
    """Why nothing stands for part of the frame; empty where something does."""

    @classmethod
    def alone(cls, number: int) -> "Rows":
        """A row an item, all drawn alike."""
        place = np.arange(number)
        return cls(place, place, np.ones(number), np.zeros(number, dtype=np.int64), np.ones(1), np.array([float(number)]))

    @property
    def method(self) -> str:
        """How the interval is made."""
        name = "delta+2, t(groups-1)" if self.grouped else "delta+2, t(n-strata)" if self.weighted else "delta+2, t(n-1)"
        return ("post-stratified " if self.weighted else "") + ("cluster-robust " if self.grouped else "") + name


@dataclass(frozen=True, slots=True)
class _Pseudo:
    """Pseudo-units, each `often` times."""

    part: Floats
    whole: Floats
    """Weighted, as `part` is."""
    often: Floats
    stratum: Ints


def ratio(part: Floats, whole: Floats, rows: Rows, nothing: str, anywhere: bool = True) -> Estimate:
    """Σ weight·part / Σ weight·whole, in [0, 1], of R rows with 0 <= part <= whole; n counts the items with a whole.

    `anywhere`: whether a stratum in which no item has a whole might hold some. Undefined, for the reason `nothing`,
    where no row has a whole, and where nothing stands for part of the frame.
    """
    n = int(np.count_nonzero(np.bincount(rows.item[whole > 0])))
    if reason := nothing if n == 0 else rows.unlabelled:
        return Estimate.undefined(n, rows.method, reason)
    unit = rows.group if rows.grouped else rows.item
    weight = rows.rate[rows.stratum] * rows.share
    parts, wholes = (np.bincount(unit, weights=weight * each) for each in (part, whole))
    value = float(parts.sum() / wholes.sum())
    units = int(np.count_nonzero(wholes))
    if rows.grouped and units < 2:
        return Estimate(value, None, None, n, rows.method, ONE_GROUP)
    pseudo = _pseudo_units(whole, rows, units, anywhere)
    total = float(wholes.sum() + pseudo.often @ pseudo.whole)
    centre = float(parts.sum() + pseudo.often @ pseudo.part) / total
    pull, of_pseudo = (parts - centre * wholes) / total, (pseudo.part - centre * pseudo.whole) / total
    if rows.weighted and not rows.grouped:
        stratum = np.zeros(len(wholes), dtype=np.int64)
        stratum[unit] = rows.stratum
        variance = _within_strata(pull, stratum, rows.finished, of_pseudo, pseudo)
        degrees = n - len(np.unique(rows.stratum[whole > 0]))
    else:
        # The pulls of all units and pseudo-units add up to 0.
        number = units + float(pseudo.often.sum())
        variance, degrees = number / (number - 1) * float(pull @ pull + pseudo.often @ of_pseudo**2), units - 1
    half_width = student_quantile(degrees) * math.sqrt(variance)
    return Estimate(value, *held(value, centre, half_width, (0.0, 1.0)), n, rows.method)


def _pseudo_units(whole: Floats, rows: Rows, units: int, anywhere: bool) -> _Pseudo:
    size = float(rows.share @ whole) / units
    strata = np.arange(len(rows.rate))
    met = np.bincount(rows.stratum, weights=whole, minlength=len(strata)) > 0
    open_ = np.full(len(strata), True) if anywhere else met
    stratum = np.concatenate([strata[met], strata[open_]])
    wholes = size * rows.rate[stratum]
    full = np.repeat([1.0, 0.0], [int(met.sum()), int(open_.sum())])
    return _Pseudo(full * wholes, wholes, np.full(len(stratum), 1 / int(open_.sum())), stratum)


def _within_strata(pull: Floats, stratum: Ints, finished: Floats, of_pseudo: Floats, pseudo: _Pseudo) -> float:
    """Σ over strata of n/(n-1)·Σ (pull - its mean)²; items of a stratum without a row pull by 0."""

    def added(of_items: Floats, of_extra: Floats) -> Floats:
        strata = len(finished)
        extra = np.bincount(pseudo.stratum, weights=pseudo.often * of_extra, minlength=strata)
        return (np.bincount(stratum, weights=of_items, minlength=strata) + extra).astype(np.float64)

    number = finished + np.bincount(pseudo.stratum, weights=pseudo.often, minlength=len(finished))
    centred = np.maximum(0.0, added(pull**2, of_pseudo**2) - added(pull, of_pseudo) ** 2 / np.maximum(number, 1.0))
    return float((np.where(number > 1, number / np.maximum(number - 1, 1e-9), 1.0) * centred).sum())
