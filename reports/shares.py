"""Intervals of shares: of the items in some cells, how many lie in some of those. Agreement, sensitivity, ...

- simple: Wilson.
- weighted (`post-stratified square-and-add`): a stratum's items first lie in the cells asked about or not,
  then in the favourable ones or not. Each of these shares is moved to either of its Wilson limits, and the
  changes of the figure are squared and added, for each side by itself. What the design settles is not moved:
  a stratum of "no" verdicts has no true positives. Delta+1/2 covers .845 at worst where this covers .911.
- groups (`cluster-robust logit, t(groups-1)`): the robust standard error (`design`) on the logit scale; Wilson with
  the number of groups for n where that error is 0. Chosen over Wilson with an effective n, which covers .865
  at worst where this covers .889 (27 groups of 1 to 20 items, ρ .5).
- weighted and groups (`... square-and-add or cluster-robust logit, the wider, t(groups-strata)`): the first
  knows what a stratum without a single error may hide, the second what groups have in common. Where the
  second has no width, square-and-add with each stratum's n divided by the mean size of a group. Without the
  frame's counts by group (`frame_groups`) specificity covers .63 at worst, with them .855.
- rows with weights of their own (`weighted rows, logit or delta+4, the wider, t(n-1)`, see `design`): the logit interval
  alone covers .467 at worst, where the errors that were not seen would be the heavy ones.

Measured coverage of the nominal 95 % (settings as in `design`; worst over agreement, sensitivity, specificity,
then the mean of their means):
  half of each verdict                  n 30 .882, .941;  n 50 to 200 .895, .945
  30 to 80 groups of 1 or 2             .915, .970 for ρ up to .5
  10 to 40 groups of 5 to 20            ρ 0 .935, .968;  ρ .2 .912, .966;  ρ .5 .875, .965
  by verdict, 20 to 100 groups          ρ 0 .945, .969;  ρ .2 .927, .966;  ρ .5 .890, .963
"""

import math
from dataclasses import replace

import numpy as np

from reports.design import (
    ONE_GROUP,
    Interval,
    Smoothing,
    degrees_of_groups,
    large_sample_error,
    robust_error,
    robust_errors,
)
from reports.estimate import Estimate
from reports.intervals import check_successes, held, normal_quantile, score_interval, student_quantile, wilson
from reports.sample import NO_ITEMS, Cells, Floats, Groups, Linearised, Sample, Stratum

LIMITS = (0.0, 1.0)


def proportion(successes: int, n: int) -> Estimate:
    """`successes` of `n` items drawn alike, in [0, 1], with Wilson's interval; undefined without items."""
    check_successes(successes, n)
    if n == 0:
        return Estimate.undefined(0, "wilson", "there are no items")
    return Estimate(successes / n, *wilson(successes, n), n, "wilson")


def share(sample: Sample, good: Cells, asked: Cells, reason: str) -> Estimate:
    """The share of the items in the cells `asked` that lie in the cells `good`, of the frame where the sample is weighted.

    Both are K x C, `good` within `asked`. n counts the items in `asked`; without any it is undefined for `reason`.
    """
    n = within(sample.counts(), asked)
    if why := NO_ITEMS if sample.n == 0 else reason if n == 0 else sample.unlabelled:
        return Estimate.undefined(n, share_method(sample), why)
    table = sample.population()
    interval = share_interval(sample, good, asked)
    value = within(table, good) / within(table, asked)
    return Estimate(value, interval.low, interval.high, n, interval.method, interval.reason)


def share_error(sample: Sample, good: Cells, asked: Cells, reason: str) -> Estimate:
    """The large-sample standard error of `share` under the design; undefined where the share is."""
    defined = share(sample, good, asked, reason)
    if defined.value is None:
        return defined
    error = large_sample_error(sample, _linearised(good, asked))
    return replace(error, n=defined.n)


def within(table: list[list[int]], cells: Cells) -> int:
    """How many items of the table lie in the cells."""
    return sum(row[j] for row, inside in zip(table, cells, strict=True) for j in np.flatnonzero(inside))


def share_interval(sample: Sample, good: Cells, asked: Cells) -> Interval:
    """The 95 % interval of the share of the items in the cells `asked` that lie in the cells `good`.

    Both are K x C, `good` within `asked`; at least one item must lie in `asked`.
    """
    method = share_method(sample)
    if sample.row_weights is not None and sample.groups is not None:
        return _by_rows(sample, sample.groups, sample.row_weights.grouped, good, asked)
    if sample.groups is not None and _groups_asked(sample.groups, asked) < 2:
        return Interval(None, None, method, ONE_GROUP)
    if sample.weighted:
        return Interval(*_weighted(sample, good, asked), method)
    counts = np.array(sample.counts())
    successes, n = int(counts[good].sum()), int(counts[asked].sum())
    if sample.groups is None:
        return Interval(*wilson(successes, n), method)
    return _clustered(sample, sample.groups, good, asked, successes / n)


def share_method(sample: Sample) -> str:
    """How the interval is made."""
    if sample.weighted:
        if sample.groups is not None:
            return "post-stratified square-and-add or cluster-robust logit, the wider, t(groups-strata)"
        return "post-stratified square-and-add"
    if sample.row_weights is not None:
        of_groups = ("cluster-robust ", "groups") if sample.row_weights.grouped else ("", "n")
        return f"weighted rows, {of_groups[0]}logit or delta+4, the wider, t({of_groups[1]}-1)"
    return "cluster-robust logit, t(groups-1)" if sample.groups else "wilson"


def _by_rows(sample: Sample, groups: Groups, grouped: bool, good: Cells, asked: Cells) -> Interval:
    method = share_method(sample)
    if groups.number < 2 or (grouped and _groups_asked(groups, asked) < 2):
        return Interval(None, None, method, ONE_GROUP)
    linearised, quantile = _linearised(good, asked), student_quantile(groups.number - 1)
    value = linearised(np.array(sample.shares()))[0]
    error, centre, smoothed_error = robust_errors(sample, groups, linearised, Smoothing(4, True))
    ends = held(value, centre, quantile * smoothed_error, LIMITS)
    if error >= 1e-12 and value not in LIMITS:
        of_logit = logit_interval(value, quantile * error)
        ends = min(ends[0], of_logit[0]), max(ends[1], of_logit[1])
    return Interval(*ends, method)


def _clustered(sample: Sample, groups: Groups, good: Cells, asked: Cells, p: float) -> Interval:
    number = _groups_asked(groups, asked)
    # Groups without an item in `asked` tell nothing here, and are none of the M.
    error = robust_error(sample, groups, _linearised(good, asked))
    error *= math.sqrt(number / (number - 1) * (groups.number - 1) / groups.number)
    if error < 1e-12 or p in LIMITS:
        return Interval(*score_interval(p, number, normal_quantile()), "wilson with n = groups")
    return Interval(*logit_interval(p, student_quantile(number - 1) * error), "cluster-robust logit, t(groups-1)")


def logit_interval(p: float, half_width: float) -> tuple[float, float]:
    """`half_width` around `p`, 0 < p < 1, taken to the logit scale and back."""
    centre, spread = math.log(p / (1 - p)), half_width / (p * (1 - p))
    return min(p, _logistic(centre - spread)), max(p, _logistic(centre + spread))


def _groups_asked(groups: Groups, asked: Cells) -> int:
    """How many groups have an item in the cells asked about."""
    inside = np.unique(groups.content[asked[groups.row, groups.column]])
    return round(float(groups.times[inside].sum()))


def _logistic(x: float) -> float:
    return 0.0 if x < -700 else 1 / (1 + math.exp(-x))


def _weighted(sample: Sample, good: Cells, asked: Cells) -> tuple[float, float]:
    if sample.groups is None:
        return _square_and_add(sample, good, asked, 1.0, normal_quantile())
    linearised = _linearised(good, asked)
    quantile = student_quantile(degrees_of_groups(sample, sample.groups))
    value = linearised(np.array(sample.shares()))[0]
    error = robust_error(sample, sample.groups, linearised)
    if error < 1e-12 or not 0 < value < 1:
        return _square_and_add(sample, good, asked, max(1.0, sample.n / sample.groups.number), quantile)
    low, high = _square_and_add(sample, good, asked, 1.0, quantile)
    of_logit = logit_interval(value, quantile * error)
    return min(low, of_logit[0]), max(high, of_logit[1])


def _linearised(good: Cells, asked: Cells) -> Linearised:
    def linearised(p: Floats) -> tuple[float, Floats]:
        whole = float(p[asked].sum())
        share = float(p[good].sum()) / whole
        return share, (good.astype(np.float64) - share * asked) / whole

    return linearised


def _square_and_add(sample: Sample, good: Cells, asked: Cells, effect: float, quantile: float) -> tuple[float, float]:
    """`effect`: what each stratum's n is divided by."""
    parts = [_Chain(stratum, good, asked, effect, quantile) for stratum in sample.strata]
    frame = np.array([stratum.frame for stratum in sample.strata], dtype=np.float64)
    at = np.array([part.at for part in parts])
    value = _share(frame, at)
    if value is None:
        raise ValueError("No item lies in the cells asked about, so there is no share. Check before asking for its interval.")
    below = above = 0.0
    for place, part in enumerate(parts):
        for step, limits in part.moves:
            changes = [0.0]
            for limit in limits:
                moved = at.copy()
                moved[place, step] = limit
                changed = _share(frame, moved)
                changes.append(0.0 if changed is None else changed - value)
            below, above = below + min(changes) ** 2, above + max(changes) ** 2
    low, high = max(0.0, value - math.sqrt(below)), min(1.0, value + math.sqrt(above))
    return held(value, (low + high) / 2, (high - low) / 2, LIMITS)


class _Chain:
    """One stratum's shares, each of the one before: items with a cell, in `asked`, in `good`; and their limits."""

    def __init__(self, stratum: Stratum, good: Cells, asked: Cells, effect: float, quantile: float) -> None:
        counts = np.array(stratum.counts)
        can, cells = stratum.fillable, stratum.cells
        if stratum.column is None:  # an unreadable reply can come from any stratum that is none of verdicts
            can = np.ones_like(can)
        within, hit = int(counts[asked].sum()), int(counts[good].sum())
        settled = (
            cells == stratum.finished,
            not (can & ~asked).any() or not (can & asked).any(),
            not (can & asked & ~good).any() or not (can & good).any(),
        )
        # Where nobody was asked, the last share stays out of it: it has no value of its own to be moved from.
        ends = ((cells, stratum.finished), (within, cells), (hit, within))
        structural = (1.0, float((can & asked).any()), float((can & good).any()))
        self.at: list[float] = []
        self.moves: list[tuple[int, tuple[float, float]]] = []
        for step, ((part, whole), fixed, certain) in enumerate(zip(ends, settled, structural, strict=True)):
            if fixed or whole == 0:
                self.at.append(certain if fixed else math.nan)
                continue
            self.at.append(part / whole)
            self.moves.append((step, score_interval(part / whole, whole / effect, quantile)))


def _share(frame: Floats, at: Floats) -> float | None:
    """The frame's share, from each stratum's chain of shares. A stratum that does not know its last one follows the others."""
    asked = frame * at[:, 0] * np.nan_to_num(at[:, 1])
    known = np.isfinite(at[:, 2])
    whole = float(asked[known].sum())
    return float((asked[known] * at[known, 2]).sum()) / whole if whole > 0 else None
