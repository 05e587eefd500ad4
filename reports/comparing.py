"""Which of two judges, or of two prompts, agrees better with the humans: paired, on the same items.

Two kappas with intervals of their own say little about their difference, because both rest on the same items.
The difference is a statistic of the joint table human x first x second: its gradient is that of the second kappa less
that of the first, and its variance follows the design like that of any other (module `design`).

- simple (`delta+2`): two pseudo-items over the K³ readable cells, Wald, widened to hold the raw difference. It covered 94.3 %
  at worst of 72 designs (two choices, prevalence .1 to .5, n 50 to 200, errors alike or not, up to 60 % copied verdicts).
- weighted, groups: the pseudo-items of `design` under its strata and groups, with Student's t; where no item pulls,
  as many items as there are groups.

Measured coverage of the nominal 95 % (`python -m tests.benchmarks coverage --times 400 compare-strata compare-groups
compare-groups-and-strata`: two choices, prevalence .1 to .5, 400 draws a setting; worst, mean; ρ as in `design`), then
the worst of the one-sided lower bound at level .05:
  half of each verdict of the first     n 50 to 200 .930, .963; .920
  10 to 40 groups of 3 to 20            ρ 0 .927, .958; .948    ρ .2 .935, .955; .927    ρ .5 .930, .956; .925
  both, n 120, 40 or 200 groups         ρ 0 .943, .967; .940    ρ .2 .938, .965          ρ .5 .945, .967
More than two choices under strata or groups were not measured.

Sources: Fleiss, Cohen and Everitt 1969 (gradient); Binder 1983 (linearisation by groups); McNemar 1947.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.agreement import kappa, kappa_linearised
from reports.credit import Named, credit_of
from reports.design import NO_DEGREE, Interval, Smoothing, Spread, large_sample_error, smooth_method, smooth_spread
from reports.estimate import Estimate
from reports.intervals import UPPER_TAIL, held, normal_quantile, student_quantile
from reports.joint import Joint, Table3
from reports.mcnemar import McNemar, mcnemar
from reports.sample import Floats, Linearised

LIMITS = (-2.0, 2.0)
SMOOTHING = Smoothing(2, False)
PLAIN = "plain Wald"
NO_WIDTH = "its standard error is 0 in these items, which says nothing of others"
MCNEMAR_ASKS = (
    "McNemar’s test asks whether one of the two is right more often (accuracy); that is another question than which has the higher "
    "kappa, and the two answers can differ."
)
MCNEMAR_TAKES = "It takes items as drawn alike and one by one, which these are not."


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two judges on the same items. `difference` is the second's kappa less the first's: positive = the second is better."""

    weights: Named
    first: Estimate
    second: Estimate
    """Their kappas on these items, strict ones where unreadable verdicts have a place."""
    difference: Estimate
    """In [-2, 2]."""
    error: Estimate
    """The large-sample standard error of the difference, without smoothing; for publication."""
    unsmoothed: Estimate
    """The difference with that error's plain Wald interval: too short for few items; for comparison only."""
    only_first_right: tuple[int, ...]
    """By human choice: items on which the first agrees with the human and the second does not; counted, without weights."""
    only_second_right: tuple[int, ...]
    mcnemar: McNemar
    differing: int
    """Items with two different verdicts."""
    independent: bool
    """Whether items were drawn alike and one by one, as McNemar's test takes them."""
    spread: Spread | None
    """What bounds are made of; None where there is no interval."""

    @property
    def n(self) -> int:
        return self.difference.n

    @property
    def identical(self) -> bool:
        """Whether the two said the same of every item."""
        return self.n > 0 and self.differing == 0

    def bounds(self, level: float) -> Interval:
        """The one-sided lower and upper bound of the difference, each at `level` (0.05: each holds in 95 % of samples).

        From the same standard error as the interval, and widened to hold the difference. Raises ValueError for a
        level that is not between 0 and a half.
        """
        if not 0 < level < 0.5:
            raise ValueError(f"The level of a bound must be above 0 and below 0.5. Found {level!r}. Give 0.05 for 95 %.")
        if self.spread is None or self.difference.value is None:
            return Interval(None, None, self.difference.method, self.difference.reason)
        low, high = _ends(self.spread, self.difference.value, 1 - level)
        return Interval(low, high, f"{self.spread.method}, one-sided at level {level:g}")

    def as_json(self) -> dict[str, Any]:
        """As in the document of comparisons."""
        figures = {"kappa_first": self.first, "kappa_second": self.second, "difference": self.difference}
        return {
            "n": self.n,
            **{name: estimate.as_json() for name, estimate in figures.items()},
            "differing": self.differing,
            "identical": self.identical,
            "only_first_right": list(self.only_first_right),
            "only_second_right": list(self.only_second_right),
            "mcnemar": self.mcnemar.as_json(),
        }


def compare(of: Table3 | Joint, weights: Named = "unweighted") -> Comparison:
    """Two judges beside one human, from a joint table of counts or one with its design; `weights` as in `agreement.kappa`.

    An unreadable verdict, where it has a place, agrees with nothing. Undefined where either kappa is. Raises
    ValueError for what is no joint table.
    """
    joint = of if isinstance(of, Joint) else Joint.of_table(of)
    first, second = (kappa(joint.judge(which), weights) for which in (0, 1))
    only_first, only_second, differing = _who_is_right(joint)
    difference, error, unsmoothed, spread = _difference(joint, weights, first, second)
    return Comparison(
        weights=weights,
        first=first,
        second=second,
        difference=difference,
        error=error,
        unsmoothed=unsmoothed,
        only_first_right=only_first,
        only_second_right=only_second,
        mcnemar=mcnemar(sum(only_first), sum(only_second)),
        differing=differing,
        independent=joint.sample.groups is None and not joint.sample.weighted,
        spread=spread,
    )


def _who_is_right(joint: Joint) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """By human choice who alone agrees with it, and how many items have two different verdicts."""
    counts = joint.counts
    size = len(counts)
    right = np.arange(joint.width)[None, :] == np.arange(size)[:, None]
    only_first = (counts * (right[:, :, None] & ~right[:, None, :])).sum(axis=(1, 2))
    only_second = (counts * (~right[:, :, None] & right[:, None, :])).sum(axis=(1, 2))
    same = int(np.trace(counts.sum(axis=0)))
    return tuple(only_first.tolist()), tuple(only_second.tolist()), int(counts.sum()) - same


def _difference(
    joint: Joint, weights: Named, first: Estimate, second: Estimate
) -> tuple[Estimate, Estimate, Estimate, Spread | None]:
    """The difference, its large-sample error, its plain Wald interval, and what bounds are made of."""
    sample, method = joint.sample, smooth_method(joint.sample, SMOOTHING)
    if first.value is None or second.value is None:
        whose = "first" if first.value is None else "second"
        undefined = Estimate.undefined(sample.n, method, f"the kappa of the {whose} is undefined: {first.reason or second.reason}")
        return undefined, undefined, undefined, None
    value = second.value - first.value
    linearised = difference_linearised(joint.sample.size, joint.width, weights)
    error = large_sample_error(sample, linearised)
    if error.value is None:
        alone = Estimate(value, None, None, sample.n, method, error.reason)
        return alone, error, alone, None
    spread = smooth_spread(sample, linearised, SMOOTHING)
    low, high = _ends(spread, value, UPPER_TAIL)
    return Estimate(value, low, high, sample.n, spread.method), error, _plain(value, error, spread), spread


def _plain(value: float, error: Estimate, spread: Spread) -> Estimate:
    """The Wald interval without smoothing; none where it would have no width, or no end."""
    half_width = _quantile(spread, UPPER_TAIL) * (error.value or math.nan)
    if not math.isfinite(half_width):
        return Estimate(value, None, None, error.n, PLAIN, NO_WIDTH if not error.value else NO_DEGREE)
    return Estimate(value, value - half_width, value + half_width, error.n, PLAIN)


def difference_linearised(size: int, width: int, weights: Named) -> Linearised:
    """From shares of `size` x `width`² cells: the second's kappa less the first's, and its gradient."""
    w = credit_of(weights, size, width).shares

    def linearised(p: Floats) -> tuple[float, Floats]:
        cube = p.reshape(len(p), width, width)
        (one, of_first), (two, of_second) = (kappa_linearised(cube.sum(axis=axis), w) for axis in (2, 1))
        return two - one, (of_second[:, None, :] - of_first[:, :, None]).reshape(p.shape)

    return linearised


def _quantile(spread: Spread, share: float) -> float:
    return normal_quantile(share) if spread.degrees is None else student_quantile(spread.degrees, share)


def _ends(spread: Spread, value: float, share: float) -> tuple[float, float]:
    return held(value, spread.centre, _quantile(spread, share) * spread.error, LIMITS)
