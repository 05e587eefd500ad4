"""Ratios of sums over items: of all there is (`whole`), the part that counts. Each item's part lies between 0 and its whole.

A mean of values between 0 and 1 is such a ratio with whole 1, and so is a share of marked steps, of which items
hold several. What lies in one item is not independent, so items are the units, or the groups that they share.

Interval (`delta+2, t(n-1)`): two pseudo-units of the mean whole are added, one with all of it and one with
nothing; value and linearised standard error are taken on these, with Student's t; cut to [0, 1] and widened
to hold the raw value. It has a width even where every item has the same part. Weighted items
(`post-stratified ...`): the error within strata, t(n-strata). Groups (`cluster-robust ..., t(groups-1)`): what
items add is summed by group first; under weights too, where that takes the strata for free.

Measured (seeded simulation, 15 to 200 items, 6,000 draws a setting; means of values in {0, 1/3, 1/2, 2/3, 1}
that lie at the ends, in the middle or at one place, and shares of 0 to 3 steps an item with correlation 0 to .8
within items): the nominal 95 % cover at least .945, .974 on average. Under weights and groups it was not
measured: take it as indicative.

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
    weight: Floats
    """R: how many items of the frame the row's item stands for; rows of one item share that."""
    stratum: Ints
    """R: from 0."""
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
        return cls(place, place, np.ones(number), np.zeros(number, dtype=np.int64), np.array([float(number)]))

    @property
    def method(self) -> str:
        """How the interval is made."""
        name = "delta+2, t(groups-1)" if self.grouped else "delta+2, t(n-strata)" if self.weighted else "delta+2, t(n-1)"
        return ("post-stratified " if self.weighted else "") + ("cluster-robust " if self.grouped else "") + name


def ratio(part: Floats, whole: Floats, rows: Rows, nothing: str) -> Estimate:
    """Σ weight·part / Σ weight·whole, in [0, 1], of R rows with 0 <= part <= whole; n counts the items with a whole.

    Undefined, for the reason `nothing`, where no row has a whole, and where nothing stands for part of the frame.
    """
    n = int(np.count_nonzero(np.bincount(rows.item[whole > 0])))
    if reason := nothing if n == 0 else rows.unlabelled:
        return Estimate.undefined(n, rows.method, reason)
    value = float(rows.weight @ part / (rows.weight @ whole))
    unit = rows.group if rows.grouped else rows.item
    parts, wholes = (np.bincount(unit, weights=rows.weight * each) for each in (part, whole))
    used = wholes > 0
    units = int(used.sum())
    if rows.grouped and units < 2:
        return Estimate(value, None, None, n, rows.method, ONE_GROUP)
    size = float(wholes.sum()) / units
    total = float(wholes.sum()) + 2 * size
    centre = (float(parts.sum()) + size) / total
    pull = (parts - centre * wholes) / total
    pseudo = (size / total) ** 2 * ((1 - centre) ** 2 + centre**2)
    if rows.weighted and not rows.grouped:
        stratum = np.zeros(len(wholes), dtype=np.int64)
        stratum[unit] = rows.stratum
        variance, degrees = _within_strata(pull, stratum, rows.finished) + pseudo, n - len(np.unique(rows.stratum))
    else:
        # The pulls of all units and pseudo-units add up to 0.
        variance, degrees = (units + 2) / (units + 1) * (float(pull @ pull) + pseudo), units - 1
    return Estimate(value, *held(value, centre, student_quantile(degrees) * math.sqrt(variance), (0.0, 1.0)), n, rows.method)


def _within_strata(pull: Floats, stratum: Ints, finished: Floats) -> float:
    """Σ over strata of n/(n-1)·Σ (pull - its mean)²; items of a stratum without a row pull by 0."""
    summed = np.bincount(stratum, weights=pull, minlength=len(finished))
    squares = np.bincount(stratum, weights=pull**2, minlength=len(finished))
    centred = np.maximum(0.0, squares - summed**2 / np.maximum(finished, 1.0))
    return float((np.where(finished > 1, finished / np.maximum(finished - 1, 1.0), 1.0) * centred).sum())
