"""How much wider than linearised a statistic of few groups spreads, told by leaving out each group in turn.

A linearised error takes every group's pull at the table that this group helped to make. With few groups, or with one that
holds most of a rare choice, that is too small: measured at 10 to 40 groups of 5 to 20 items whose prevalence and error
rates correlate by .5, intervals made of it cover .85 where those made of the jackknife's cover .91 (`design`).

Source: Efron and Stein 1981 (the jackknife errs on the wide side); Bell and McCaffrey 2002 (few groups).
"""

import math

import numpy as np

from reports.sample import Floats, Groups, Linearised, Sample

MOST_GROUPS = 500
"""With more of them the two errors are the same for all purposes, and leaving out each would take long."""
STEEPEST = 1e9
"""A gradient beyond it is that of a table whose statistic is undefined but for rounding."""


def widening(sample: Sample, groups: Groups, linearised: Linearised, error: float) -> float:
    """The jackknife's standard error, around the whole, over `error`, the linearised one of the groups; and at least 1.

    1 for more than MOST_GROUPS groups, for fewer than two, for rows that share none, and where `error` is 0. A group
    without which the statistic is undefined counts as one that changes nothing.
    """
    number = groups.number
    alone = sample.row_weights is not None and not sample.row_weights.grouped
    if alone or not 2 <= number <= MOST_GROUPS or error <= 0:
        return 1.0
    cells = sample.cells()
    whole = linearised(_table(sample, cells))[0]
    without = np.array([_without(sample, cells, groups, content, linearised, whole) for content in range(len(groups.times))])
    spread = (number - 1) / number * float((groups.times * (without - whole) ** 2).sum())
    return max(1.0, math.sqrt(spread) / error)


def _without(sample: Sample, cells: Floats, groups: Groups, content: int, linearised: Linearised, whole: float) -> float:
    """The statistic without one group of this content; `whole` where it is undefined. `cells`: those of `sample`."""
    own = groups.content == content
    held = np.zeros_like(cells)
    np.add.at(held, (groups.stratum[own], groups.row[own], groups.column[own]), groups.items[own])
    table = _table(sample, np.maximum(0.0, cells - held), held.sum(axis=(1, 2)))
    with np.errstate(all="ignore"):
        try:
            value, gradient = linearised(table)
        except ZeroDivisionError:
            return whole
    defined = math.isfinite(value) and bool((np.abs(gradient) < STEEPEST).all())
    return value if defined else whole


def _table(sample: Sample, items: Floats, gone: Floats | float = 0.0) -> Floats:
    """K x C shares of the frame; `items`: S x K x C; `gone`: S, finished items that were left out."""
    if sample.weighted:
        frame = np.array([stratum.frame for stratum in sample.strata], dtype=np.float64)
        left = np.array([stratum.finished for stratum in sample.strata], dtype=np.float64) - gone
        items = items * np.where(left > 0, frame / np.maximum(left, 1.0), 0.0)[:, None, None]
    table: Floats = items.sum(axis=0)
    return table / max(float(table.sum()), 1e-300)
