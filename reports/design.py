"""Intervals of kappa and AC1 that know how the items were drawn: strata, weights, groups.

`Linearised` gives a statistic of a table of shares and its gradient g by those shares. With d = g - Σ P g
an item in stratum s pulls the statistic by (frame_s/W)/n_s · d of its cell, W being the frame's items that
have a cell; everything below is the variance of the sum of these pulls.

- simple: delta+c (module `agreement`).
- weighted (`post-stratified delta+1/2 per cell, t(n-strata)`): pseudo-items in each cell that a stratum can
  fill, for a stratum of verdicts its own column; variance Σ A_s²·[Σ f d² - (Σ f d)²]/n_s, A_s = frame_s/W.
  Half a pseudo-item a cell for two choices, while the strata fill at most CELLS_FOR_HALVES cells; beyond,
  all cells of all strata share the c of a simple draw (`post-stratified delta+3, ...`). Halves everywhere
  would cover 45 % at worst for five choices and 48 % for two choices in eight strata.
- groups: the pulls are summed by group, over all strata, and each pseudo-item is a group of its own, so
  that groups of one item give back the interval without groups; t(groups - 1), or t(groups - strata).
- groups, kappa of equal weights (`cluster-robust fisher z, t(groups-1)`): tanh(atanh κ ± t·SE/(1-κ²)) with
  the linearised SE of the raw table. At κ = 1 or SE = 0: delta+c with the number of groups for n. Where
  chance alone would disagree on fewer than FISHER_NEEDS items (a rare choice), Fisher's interval is too
  short (measured: down to 69 %), and it is widened to hold the delta+c one.

No finite-population correction, whatever the share of a stratum that was labelled: the figures speak of
the judge on items like these, so a stratum that was labelled whole is a sample too.

Measured coverage of the nominal 95 % (`python -m tests.benchmarks.coverage`): see COVERAGE there.

Sources: Fleiss, Cohen and Everitt 1969 (gradient); Begg and Greenes 1983 (re-weighting); Binder 1983
(linearisation by groups).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reports.intervals import held, normal_quantile, student_quantile
from reports.sample import Floats, Groups, Sample

Linearised = Callable[[Floats], tuple[float, Floats]]
"""From a table of shares: a statistic, and its gradient by those shares."""

ONE_GROUP = "all items share one group, so nothing tells how far other groups would differ"
FISHER_NEEDS = 40
CELLS_FOR_HALVES = 12
LIMITS = (-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval, how it was made, and why it has no ends where it has none."""

    low: float | None
    high: float | None
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Pseudo-items of a simple draw, and whether Student's t replaces the normal quantile."""

    pseudo_items: int
    student: bool

    @property
    def method(self) -> str:
        """`delta+4`, `delta+2, t(n-1)`."""
        return f"delta+{self.pseudo_items}" + (", t(n-1)" if self.student else "")


def smooth_interval(sample: Sample, value: float, linearised: Linearised, smoothing: Smoothing, fisher: bool) -> Interval:
    """The 95 % interval of a smooth statistic in [-1, 1] with `value` in the population of `sample`, n >= 1.

    `fisher`: the statistic is an unweighted kappa, for which Fisher's z was measured under groups.
    """
    if sample.groups is None:
        centre, half_width, method = _by_item(sample, linearised, smoothing)
        return Interval(*held(value, centre, half_width, LIMITS), method)
    if sample.groups.number < 2:
        return Interval(None, None, _clustered_method(sample, smoothing), ONE_GROUP)
    if fisher and not sample.weighted:
        return _fisher(sample, sample.groups, value, linearised, smoothing)
    centre, half_width = _by_group(sample, sample.groups, linearised, smoothing)
    return Interval(*held(value, centre, half_width, LIMITS), _clustered_method(sample, smoothing))


def smooth_method(sample: Sample, smoothing: Smoothing) -> str:
    """How the interval would be made, for a statistic that turns out to be undefined."""
    if sample.groups is not None:
        return _clustered_method(sample, smoothing)
    return f"{_weighted_method(sample, smoothing)}, t(n-strata)" if sample.weighted else smoothing.method


def degrees_of_groups(sample: Sample, groups: Groups) -> int:
    """Degrees of freedom under groups; below one, nothing is known of the width."""
    return groups.number - len(sample.strata)


def design_effect(sample: Sample, groups: Groups, linearised: Linearised) -> float:
    """Variance by group over variance by item, at least 1, of the raw table; 1 where neither is above 0."""
    pulls = _Pulls.of(sample, linearised, None)
    by_item, by_group = pulls.variance_by_item(), pulls.variance_by_group(groups)
    return max(1.0, by_group / by_item) if by_item > 0 else 1.0


@dataclass(frozen=True, slots=True)
class _Pulls:
    """A linearised statistic over (smoothed) strata of K x C cells."""

    value: float
    items: Floats
    """S x K x C, pseudo-items included."""
    finished: Floats
    """S: finished items and pseudo-items."""
    share: Floats
    """S: what share of the frame's items with a cell one unit of `items / finished` stands for."""
    deviation: Floats
    """K x C: gradient less its mean."""
    pseudo: Floats
    """S x K x C."""
    chance: float

    @classmethod
    def of(cls, sample: Sample, linearised: Linearised, smoothing: Smoothing | None) -> "_Pulls":
        counts = np.array([stratum.counts for stratum in sample.strata], dtype=np.float64)
        pseudo = np.zeros_like(counts) if smoothing is None else _pseudo_items(sample, smoothing)
        items = counts + pseudo
        finished = np.array([stratum.finished for stratum in sample.strata], dtype=np.float64) + pseudo.sum(axis=(1, 2))
        frame = np.array([stratum.frame for stratum in sample.strata], dtype=np.float64) if sample.weighted else finished
        table = np.tensordot(frame / finished, items, axes=1)
        whole = float(table.sum())
        p = table / whole
        value, gradient = linearised(p)
        by_chance = float(p.sum(axis=1) @ p[:, : len(p)].sum(axis=0))
        return cls(value, items, finished, frame / whole, gradient - float((p * gradient).sum()), pseudo, by_chance)

    def variance_by_item(self) -> float:
        """Σ A²·[Σ f d² - (Σ f d)²]/n; items without a cell pull by 0, and are among the n."""
        f = self.items / self.finished[:, None, None]
        # Centred within the stratum first: at 1e9 items the textbook form cancels.
        mean = (f * self.deviation).sum(axis=(1, 2))
        inside = (f * (self.deviation - mean[:, None, None]) ** 2).sum(axis=(1, 2))
        outside = np.maximum(0.0, 1 - f.sum(axis=(1, 2))) * mean**2
        return float((self.share**2 * (inside + outside) / self.finished).sum())

    def variance_by_group(self, groups: Groups) -> float:
        """M/(M-1)·Σ over groups of their summed pulls, squared; each pseudo-item is a group of its own."""
        cells = self.items.sum(axis=(1, 2))
        mean = (self.items * self.deviation).sum(axis=(1, 2)) / np.maximum(cells, 1e-300)
        scale = self.share / self.finished
        pull = scale[:, None, None] * (self.deviation[None] - mean[:, None, None])
        of_entry = groups.items * pull[groups.stratum, groups.row, groups.column]
        of_group = np.bincount(groups.content, weights=of_entry, minlength=len(groups.times))
        squares = float((groups.times * of_group**2).sum()) + float((self.pseudo * pull**2).sum())
        # Whether an item has a cell at all varies from item to item, beside what its group does.
        domain = cells / self.finished
        beside = float((self.share**2 * domain * (1 - domain) * mean**2 / self.finished).sum())
        return groups.number / (groups.number - 1) * squares + beside


def _by_item(sample: Sample, linearised: Linearised, smoothing: Smoothing) -> tuple[float, float, str]:
    pulls = _Pulls.of(sample, linearised, smoothing)
    if sample.weighted:
        quantile = student_quantile(sample.n - sum(stratum.cells > 0 for stratum in sample.strata))
        method = f"{_weighted_method(sample, smoothing)}, t(n-strata)"
    else:
        quantile = student_quantile(sample.n - 1) if smoothing.student else normal_quantile()
        method = smoothing.method
    return pulls.value, quantile * math.sqrt(pulls.variance_by_item()), method


def _by_group(sample: Sample, groups: Groups, linearised: Linearised, smoothing: Smoothing) -> tuple[float, float]:
    pulls = _Pulls.of(sample, linearised, smoothing)
    quantile = student_quantile(degrees_of_groups(sample, groups))
    return pulls.value, quantile * math.sqrt(pulls.variance_by_group(groups))


def _fisher(sample: Sample, groups: Groups, value: float, linearised: Linearised, smoothing: Smoothing) -> Interval:
    raw = _Pulls.of(sample, linearised, None)
    error = math.sqrt(raw.variance_by_group(groups))
    if value >= 1 or error < 1e-12:
        centre, half_width = _at_number_of_groups(sample, groups, linearised, smoothing)
        return Interval(*held(value, centre, half_width, LIMITS), f"delta+{smoothing.pseudo_items} with n = groups")
    half_width = student_quantile(groups.number - 1) * error / (1 - value**2)
    low, high = (math.tanh(math.atanh(value) + way * half_width) for way in (-1, 1))
    method = "cluster-robust fisher z, t(groups-1)"
    if sample.n * (1 - raw.chance) < FISHER_NEEDS:
        wider = held(value, *_by_group(sample, groups, linearised, smoothing), LIMITS)
        low, high = min(low, wider[0]), max(high, wider[1])
        method = f"cluster-robust fisher z or delta+{smoothing.pseudo_items}, the wider, t(groups-1)"
    return Interval(low, high, method)


def _at_number_of_groups(sample: Sample, groups: Groups, linearised: Linearised, smoothing: Smoothing) -> tuple[float, float]:
    """delta+c of the same shares in as many items as there are groups."""
    p = np.array(sample.shares())
    smoothed = p * groups.number + _evenly(p.shape, smoothing.pseudo_items)
    n = float(smoothed.sum())
    centre, gradient = linearised(smoothed / n)
    deviation = gradient - float((smoothed * gradient).sum()) / n
    return centre, normal_quantile() * math.sqrt(float((smoothed * deviation**2).sum())) / n


def _pseudo_items(sample: Sample, smoothing: Smoothing) -> Floats:
    """S x K x C."""
    size = sample.size
    if not sample.weighted:
        # Only the K x K readable cells are smoothed, in the strict table too: the strict interval is then the
        # readable one while nothing is unreadable, and no pseudo-item invents a broken reply. Spreading c over
        # all K x (K+1) cells covered .848 at worst where this covers .920 (two choices, 300 simulated designs).
        return _evenly((size, len(sample.strata[0].counts[0])), smoothing.pseudo_items)[None]
    fillable = np.array([stratum.fillable for stratum in sample.strata], dtype=np.float64)
    return fillable * (0.5 if _halves(sample) else smoothing.pseudo_items / fillable.sum())


def _halves(sample: Sample) -> bool:
    """Whether half a pseudo-item goes in each cell that a stratum can fill."""
    return sample.size == 2 and sum(int(stratum.fillable.sum()) for stratum in sample.strata) <= CELLS_FOR_HALVES


def _evenly(shape: tuple[int, ...], pseudo_items: float) -> Floats:
    spread = np.zeros(shape)
    spread[:, : shape[0]] = pseudo_items / shape[0] ** 2
    return spread


def _weighted_method(sample: Sample, smoothing: Smoothing) -> str:
    return "post-stratified delta+1/2 per cell" if _halves(sample) else f"post-stratified delta+{smoothing.pseudo_items}"


def _clustered_method(sample: Sample, smoothing: Smoothing) -> str:
    if sample.weighted:
        return f"{_weighted_method(sample, smoothing)}, cluster-robust, t(groups-strata)"
    return f"cluster-robust delta+{smoothing.pseudo_items}, t(groups-1)"
