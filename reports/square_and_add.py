"""Square-and-add for any figure of two choices under a design: shares moved to their Wilson limits, changes squared and added.

A stratum is a chain of shares: its items that have a cell, of those the human positives, and of the human positives
and negatives each those that the judge calls positive. In a stratum of one verdict only the first two are
free. Each is moved to either of its limits by itself, and the figure's changes are squared and added, for each
side by itself. On one simple sample this is, for balanced accuracy, the square-and-add of sensitivity and specificity.

Groups: as in `shares`, the wider of this and the cluster-robust logit interval. Coverage under strata and groups was
not measured: there the interval is indicative.

Source: Newcombe 1998; facts on stratified draws as in `shares`.
"""

import math
from collections.abc import Callable

import numpy as np

from reports.design import ONE_GROUP, Interval, degrees_of_groups, robust_error
from reports.intervals import held, normal_quantile, score_interval, student_quantile
from reports.sample import Floats, Linearised, Sample, Stratum
from reports.shares import logit_interval

Figure = Callable[[Floats], float]
"""From a 2 x 2 table of shares that add up to 1, rows human: a figure."""


def designed_interval(sample: Sample, value: float, linearised: Linearised) -> Interval:
    """The 95 % interval of a smooth figure in [0, 1] of two choices, with `value` in the population of `sample`.

    For samples with strata or groups; both choices must occur on the human side. Without ends where all items share one group.
    """

    def figure(p: Floats) -> float:
        return linearised(p)[0]

    method, limits = designed_method(sample), (0.0, 1.0)
    if sample.groups is None:
        return Interval(*square_and_add(sample, value, figure, limits), method)
    if sample.groups.number < 2:
        return Interval(None, None, method, ONE_GROUP)
    quantile = student_quantile(degrees_of_groups(sample, sample.groups))
    error = robust_error(sample, sample.groups, linearised)
    if error < 1e-12 or value in limits:
        units = sample.groups.number if sample.row_weights is None else sample.groups.effective
        effect = max(1.0, float(sample.cells().sum()) / units)
        return Interval(*square_and_add(sample, value, figure, limits, effect, quantile), method)
    low, high = square_and_add(sample, value, figure, limits, 1.0, quantile)
    of_logit = logit_interval(value, quantile * error)
    return Interval(min(low, of_logit[0]), max(high, of_logit[1]), method)


def designed_method(sample: Sample) -> str:
    """How `designed_interval` is made."""
    if sample.groups is None:
        return "post-stratified square-and-add"
    if sample.row_weights is not None:
        units = "groups" if sample.row_weights.grouped else "n"
        return f"weighted rows, square-and-add or logit, the wider, t({units}-1)"
    if sample.weighted:
        return "post-stratified square-and-add or cluster-robust logit, the wider, t(groups-strata)"
    return "square-and-add or cluster-robust logit, the wider, t(groups-1)"


def square_and_add(
    sample: Sample,
    value: float,
    figure: Figure,
    limits: tuple[float, float],
    effect: float = 1.0,
    quantile: float | None = None,
) -> tuple[float, float]:
    """The interval within `limits`; `effect`: what each stratum's n is divided by; `quantile`: by default the normal one.

    Of a sample with two choices and without a column of unreadable verdicts.
    """
    quantile = normal_quantile() if quantile is None else quantile
    if math.isinf(quantile):
        return limits
    pooled = _judge_shares(np.array(sample.population(), dtype=np.float64))
    cells = zip(sample.strata, sample.cells(), strict=True)
    chains = [_Chain(stratum, counts, pooled, effect, quantile) for stratum, counts in cells if stratum.cells]
    tables = [chain.frame * chain.table(chain.at) for chain in chains]
    whole, below, above = sum(tables, np.zeros((2, 2))), 0.0, 0.0
    for chain, table in zip(chains, tables, strict=True):
        for step, ends in chain.moves:
            changes = [0.0]
            for end in ends:
                moved = whole - table + chain.frame * chain.table([*chain.at[:step], end, *chain.at[step + 1 :]])
                changed = figure(moved / moved.sum()) - value if _defined(moved) else 0.0
                changes.append(changed)
            below, above = below + min(changes) ** 2, above + max(changes) ** 2
    low, high = max(limits[0], value - math.sqrt(below)), min(limits[1], value + math.sqrt(above))
    return held(value, (low + high) / 2, (high - low) / 2, limits)


def _defined(table: Floats) -> bool:
    return bool((table.sum(axis=1) > 0).all())


def _judge_shares(table: Floats) -> list[float]:
    """By row: what share of its items lies in the last column; one half where there is none."""
    return [float(row[1] / row.sum()) if row.sum() > 0 else 0.5 for row in table]


class _Chain:
    """One stratum's shares: has a cell; human positive; judge positive among the human negatives, and among the positives."""

    def __init__(self, stratum: Stratum, counts: Floats, pooled: list[float], effect: float, quantile: float) -> None:
        self.column, self.frame = stratum.column, float(stratum.frame)
        rows = counts.sum(axis=1)
        parts = [(float(stratum.cells), float(stratum.finished)), (float(rows[1]), float(rows.sum()))]
        if self.column is None:
            parts += [(float(row[1]), float(row.sum())) for row in counts]
        unknown = [1.0, 0.0, *pooled]
        self.at = [part / whole if whole else unknown[step] for step, (part, whole) in enumerate(parts)]
        free = [step for step, (_, whole) in enumerate(parts) if whole and not (step == 0 and stratum.cells == stratum.finished)]
        self.moves = [(step, score_interval(self.at[step], parts[step][1] / effect, quantile)) for step in free]

    def table(self, at: list[float]) -> Floats:
        """The stratum's 2 x 2 shares of its finished items."""
        human = np.array([1 - at[1], at[1]])
        judge = np.eye(2)[[self.column] * 2] if self.column is not None else np.array([[1 - share, share] for share in at[2:]])
        table: Floats = at[0] * human[:, None] * judge
        return table
