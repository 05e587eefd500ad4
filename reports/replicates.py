"""Intervals by 2,000 seeded multinomial replicates of the table with c pseudo-items, for what has no closed form.

A replicate draws each stratum's finished items, pseudo-items among them, anew; what a replicate leaves undefined is
drawn past. The interval runs between the 2.5 % and 97.5 % quantiles of the figure and is widened to hold its value.
Equal tables give equal intervals: the seed is fixed. Where items share groups, the number of items is replaced by
the effective number of groups, n²/Σm² for groups of m items, as if a group were one item over and over: wider than needed.

Coverage was not measured: such an interval is indicative.
"""

from collections.abc import Callable

import numpy as np

from reports.design import ONE_GROUP, Interval, Smoothing, pseudo_items
from reports.intervals import UPPER_TAIL
from reports.sample import Floats, Sample

REPLICATES, SEED = 2_000, 20_250_101
Figure = Callable[[Floats], Floats]
"""From tables of shares, one a replicate: a figure of each, or nan where it is 0/0."""


def replicated_interval(
    sample: Sample, value: float, figure: Figure, smoothing: Smoothing, limits: tuple[float, float]
) -> Interval:
    """The 95 % interval of any figure within `limits`, with `value` in the population of `sample`, n >= 1."""
    method = replicated_method(sample, smoothing)
    if sample.groups is not None and sample.groups.number < 2:
        return Interval(None, None, method, ONE_GROUP)
    whole = _population(sample, smoothing)
    totals = whole.sum(axis=(1, 2))
    found = figure(whole[totals > 0] / totals[totals > 0, None, None])
    found = found[np.isfinite(found)]
    low, high = np.quantile(found, (1 - UPPER_TAIL, UPPER_TAIL))
    return Interval(max(min(float(low), value), limits[0]), min(max(float(high), value), limits[1]), method)


def replicated_method(sample: Sample, smoothing: Smoothing) -> str:
    """How the interval is made."""
    design = "post-stratified " if sample.weighted else ""
    groups = ", n = effective units" if sample.groups is not None else ""
    return f"{design}{REPLICATES:,} replicates of the table + {smoothing.pseudo_items}{groups}"


def _population(sample: Sample, smoothing: Smoothing) -> Floats:
    """REPLICATES x K x C: the frame's table in each replicate."""
    random = np.random.default_rng(SEED)
    pseudo = pseudo_items(sample, smoothing)
    effect = (
        1.0
        if sample.groups is None
        else float(sample.groups.times[sample.groups.content] @ sample.groups.items) / sample.groups.effective
    )
    whole = np.zeros((REPLICATES, *pseudo.shape[1:]))
    for stratum, counts, added in zip(sample.strata, sample.cells(), pseudo, strict=True):
        cells = np.append((counts + added).ravel(), stratum.finished - stratum.cells)
        finished = float(cells.sum())
        if finished == 0:
            continue
        number = max(1, round(finished / effect))
        drawn = random.multinomial(number, cells / finished, size=REPLICATES)[:, :-1]
        whole += (stratum.frame if sample.weighted else finished) / number * drawn.reshape(whole.shape)
    return whole
