"""Intervals of kappa and AC1 that know how the items were drawn: strata, weights, groups.

`Linearised` gives a statistic of a table of shares and its gradient g by those shares. With d = g - Σ P g
an item in stratum s pulls the statistic by (frame_s/W)/n_s · d of its cell, W being the frame's items that
have a cell; everything below is the variance of the sum of these pulls.

- simple: delta+c (module `agreement`).
- weighted (`post-stratified delta+1/2 per cell, t(n-strata)`): pseudo-items in each cell that a stratum can
  fill, for a stratum of verdicts its own column, none where no item has a cell; variance
  Σ A_s²·[Σ f d² - (Σ f d)²]/n_s, A_s = frame_s/W.
  Half a pseudo-item a cell for two choices, while the strata fill at most CELLS_FOR_HALVES cells; beyond,
  all cells of all strata share the c of a simple draw (`post-stratified delta+3, ...`). Halves everywhere
  would cover 45 % at worst for five choices and 48 % for two choices in eight strata.
- groups (`cluster-robust fisher z or delta+c, the wider, t(groups-1)`): the pulls, each less the mean of its stratum,
  are summed by group over all strata; the standard error of that, or the jackknife's where it is wider (`jackknife`),
  makes tanh(atanh v ± t·SE/(1-v²)). Fisher's interval is too short where a choice is rare (measured: down to
  69 %), so it is widened to hold delta+c with every pseudo-item a group of its own, which gives back the interval
  without groups for groups of one item. At v = 1 or SE = 0, delta+c with the number of groups for n takes Fisher's place.
- weights and groups: how much of a stratum there is varies between groups too. The frame's counts by group
  (`frame_groups`) add M/(M-1)·Σ over groups of (Σ_s N_ms/W · mean d of s)². Where a tally does not have them
  the strata are taken as fixed, and the interval speaks of this frame alone.

- rows with weights of their own (`weighted rows, fisher z or delta+4, the wider, t(n-1)`), as a notebook's frame has them:
  every row, or group of rows, is a unit drawn by itself that pulls by its weight, so that how many rows of a weight
  there are is chance too; each distinct weight as a stratum would take that for fixed. Pseudo-items weigh as much
  as an effective row, of which there are n_eff = (Σw)²/Σw². Rows that were drawn in strata get a wider interval than need be.

No finite-population correction, whatever the share of a stratum that was labelled: the figures speak of
the judge on items like these, so a stratum that was labelled whole is a sample too.

Measured coverage of the nominal 95 % (`python -m tests.benchmarks coverage --times 400 strata groups-1-2 groups-5-20
groups-and-strata`: kappa .3 to .9, prevalence .05 to .5, 400 draws a setting and so ± .01 each; worst, mean; ρ is the
correlation within groups of prevalence and error rates):
  kappa, half of each verdict           n 30 or 50 .912, .956;  n 100 or 200 .927, .953
  kappa, 30 to 80 groups of 1 or 2      .930, .977 for ρ up to .5
  kappa, 10 to 40 groups of 5 to 20     ρ 0 .932, .971;  ρ .2 .932, .970;  ρ .5 .912, .958 (rare choices)
  kappa, by verdict, 20 to 100 groups   ρ 0 .932, .968;  ρ .2 .932, .969;  ρ .5 .880, .965
  AC1                                   the same designs: .912; .950; .938, .940, .915; .922, .925, .945 at worst
  rows with weights (half of each verdict; lognormal with σ .5 and 1; 1 and 3 by cell), n 50 to 200, 150 draws a
  setting: kappa .887, .961; shares .900, .968; balanced accuracy, MCC, AC1, both indices .887, .970
Where `frame_groups` are missing it is less: with the linearised error alone .823 for kappa and .815 for AC1 in the last line.

Sources: Fleiss, Cohen and Everitt 1969 (gradient); Begg and Greenes 1983 (re-weighting); Binder 1983
(linearisation by groups).
"""

import math
from dataclasses import dataclass

import numpy as np

from reports.estimate import Estimate
from reports.intervals import held, normal_quantile, student_quantile
from reports.jackknife import widening
from reports.sample import Floats, Groups, Linearised, Sample

NO_INTERVAL = "a standard error is given without an interval of its own"
ONE_GROUP = "all items share one group, so nothing tells how far other groups would differ"
NO_DEGREE = "so few items or groups tell nothing about the width, and the figure has no lower limit of its own"
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

    @classmethod
    def of_kappa(cls, size: int) -> "Smoothing":
        """What was measured best for unweighted kappa of `size` choices."""
        return cls(4, False) if size == 2 else cls(3, False) if size == 3 else cls(2, True)


def smooth_interval(
    sample: Sample,
    value: float,
    linearised: Linearised,
    smoothing: Smoothing,
    limits: tuple[float, float] = LIMITS,
) -> Interval:
    """The 95 % interval of a smooth statistic within `limits` with `value` in the population of `sample`, n >= 1."""
    if sample.groups is None:
        centre, half_width, method = _by_item(sample, linearised, smoothing)
        interval = Interval(*held(value, centre, half_width, limits), method)
    elif sample.groups.number < 2:
        return Interval(None, None, smooth_method(sample, smoothing), ONE_GROUP)
    else:
        interval = _by_groups(sample, sample.groups, value, linearised, smoothing, limits)
    if interval.low == -math.inf:
        return Interval(None, None, interval.method, NO_DEGREE)
    return interval


def smooth_method(sample: Sample, smoothing: Smoothing) -> str:
    """How the interval would be made, for a statistic that turns out to be undefined."""
    if sample.groups is not None:
        return _robust_method(sample, f"fisher z or {_weighted_name(sample, smoothing)}, the wider")
    return f"post-stratified {_weighted_name(sample, smoothing)}, t(n-strata)" if sample.weighted else smoothing.method


def degrees_of_groups(sample: Sample, groups: Groups) -> int:
    """Degrees of freedom under groups; below one, nothing is known of the width."""
    return groups.number - max(1, sum(stratum.cells > 0 for stratum in sample.strata))


def robust_error(sample: Sample, groups: Groups, linearised: Linearised) -> float:
    """The standard error by group that intervals are made of: of the raw table, linearised or by the jackknife, the wider."""
    raw, wider = _raw(sample, groups, linearised)
    return raw.error_by_group(sample, groups, wider)


def robust_errors(sample: Sample, groups: Groups, linearised: Linearised, smoothing: Smoothing) -> tuple[float, float, float]:
    """That error; then the statistic of the smoothed table, and its error there, each pseudo-item being a group."""
    raw, wider = _raw(sample, groups, linearised)
    smoothed = _Pulls.of(sample, linearised, smoothing)
    error, of_smoothed = (pulls.error_by_group(sample, groups, wider) for pulls in (raw, smoothed))
    return error, smoothed.value, of_smoothed


def _raw(sample: Sample, groups: Groups, linearised: Linearised) -> tuple["_Pulls", float]:
    """The pulls in the raw table, and how much wider than linearised the jackknife has their error."""
    raw = _Pulls.of(sample, linearised, None)
    return raw, widening(sample, groups, linearised, math.sqrt(raw.variance_of_groups(groups)))


def large_sample_error(sample: Sample, linearised: Linearised) -> Estimate:
    """The standard error of a smooth statistic under the design, without smoothing.

    Of items drawn alike it is that of the delta method with divisor n, under groups the linearised one.
    """
    design = "post-stratified, " if sample.weighted else ""
    if sample.groups is None:
        error = math.sqrt(_Pulls.of(sample, linearised, None).variance_by_item())
        return Estimate(error, None, None, sample.n, f"{design}delta method", NO_INTERVAL)
    method = "weighted rows, linearised" if sample.row_weights is not None else f"{design}cluster-robust, linearised"
    if sample.groups.number < 2:
        return Estimate.undefined(sample.n, method, ONE_GROUP)
    error = _Pulls.of(sample, linearised, None).error_by_group(sample, sample.groups)
    return Estimate(error, None, None, sample.n, method, NO_INTERVAL)


@dataclass(frozen=True, slots=True)
class Spread:
    """Where a smooth statistic lies and how far it may lie from there, for bounds at any level."""

    centre: float
    """Its value in the smoothed table."""
    error: float
    """The standard error of that, never 0."""
    degrees: int | None
    """Of Student's t; None where the normal quantile was measured."""
    method: str


def smooth_spread(sample: Sample, linearised: Linearised, smoothing: Smoothing) -> Spread:
    """The spread of a smooth statistic of any range, delta+c under every design; with groups, at least two of them.

    Under groups every pseudo-item is a group of its own. Where no item pulls, as many items as groups are taken.
    """
    pulls, name = _Pulls.of(sample, linearised, smoothing), _weighted_name(sample, smoothing)
    if sample.groups is None:
        degrees = sample.n - sum(stratum.cells > 0 for stratum in sample.strata) if sample.weighted else None
        return Spread(pulls.value, math.sqrt(pulls.variance_by_item()), degrees, smooth_method(sample, smoothing))
    degrees = degrees_of_groups(sample, sample.groups)
    raw, wider = _raw(sample, sample.groups, linearised)
    if raw.error_by_group(sample, sample.groups) < 1e-12:
        centre, half_width = _at_number_of_groups(sample, sample.groups, linearised, smoothing)
        return Spread(centre, half_width / normal_quantile(), degrees, _robust_method(sample, f"{name} with n = groups"))
    error = pulls.error_by_group(sample, sample.groups, wider)
    return Spread(pulls.value, error, degrees, _robust_method(sample, name))


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
    whole: float
    """W: items of the frame that have a cell."""

    @classmethod
    def of(cls, sample: Sample, linearised: Linearised, smoothing: Smoothing | None) -> "_Pulls":
        counts = sample.cells()
        pseudo = np.zeros_like(counts) if smoothing is None else pseudo_items(sample, smoothing)
        items = counts + pseudo
        without = np.array([stratum.finished - stratum.cells for stratum in sample.strata], dtype=np.float64)
        finished = items.sum(axis=(1, 2)) + without
        frame = np.array([stratum.frame for stratum in sample.strata], dtype=np.float64) if sample.weighted else finished
        table = np.tensordot(frame / finished, items, axes=1)
        whole = float(table.sum())
        p = table / whole
        value, gradient = linearised(p)
        return cls(value, items, finished, frame / whole, gradient - float((p * gradient).sum()), pseudo, whole)

    def variance_by_item(self) -> float:
        """Σ A²·[Σ f d² - (Σ f d)²]/n; items without a cell pull by 0, and are among the n."""
        f = self.items / self.finished[:, None, None]
        # Centred within the stratum first: at 1e9 items the textbook form cancels.
        mean = (f * self.deviation).sum(axis=(1, 2))
        inside = (f * (self.deviation - mean[:, None, None]) ** 2).sum(axis=(1, 2))
        outside = np.maximum(0.0, 1 - f.sum(axis=(1, 2))) * mean**2
        return float((self.share**2 * (inside + outside) / self.finished).sum())

    def error_by_group(self, sample: Sample, groups: Groups, wider: float = 1.0) -> float:
        """The standard error under groups; `wider`: what that of the groups drawn is multiplied by."""
        cells = self.items.sum(axis=(1, 2))
        mean = (self.items * self.deviation).sum(axis=(1, 2)) / np.maximum(cells, 1e-300)
        # Whether an item has a cell at all varies from item to item, beside what its group does.
        domain = cells / self.finished
        beside = float((self.share**2 * domain * (1 - domain) * mean**2 / self.finished).sum())
        of_groups = wider**2 * self.variance_of_groups(groups)
        return math.sqrt(of_groups + beside + self._variance_of_strata(sample, domain * mean))

    def variance_of_groups(self, groups: Groups) -> float:
        """M/(M-1)·Σ over groups of their summed pulls, squared; each pseudo-item is a group of its own."""
        cells = self.items.sum(axis=(1, 2))
        mean = (self.items * self.deviation).sum(axis=(1, 2)) / np.maximum(cells, 1e-300)
        scale = self.share / self.finished
        pull = scale[:, None, None] * (self.deviation[None] - mean[:, None, None])
        of_entry = groups.items * pull[groups.stratum, groups.row, groups.column]
        of_group = np.bincount(groups.content, weights=of_entry, minlength=len(groups.times))
        squares = float((groups.times * of_group**2).sum()) + float((self.pseudo * pull**2).sum())
        return groups.number / (groups.number - 1) * squares

    def _variance_of_strata(self, sample: Sample, pull: Floats) -> float:
        """What comes from the groups of the frame holding unlike shares of the strata; `pull`: mean by stratum."""
        frame = sample.frame_groups
        if frame is None:
            return 0.0
        of_group = np.bincount(frame.content, weights=frame.items * pull[frame.stratum], minlength=len(frame.times)) / self.whole
        number = float(frame.times.sum())
        return number / (number - 1) * float((frame.times * of_group**2).sum()) if number > 1 else 0.0


def _by_item(sample: Sample, linearised: Linearised, smoothing: Smoothing) -> tuple[float, float, str]:
    pulls = _Pulls.of(sample, linearised, smoothing)
    if sample.weighted:
        quantile = student_quantile(sample.n - sum(stratum.cells > 0 for stratum in sample.strata))
        method = smooth_method(sample, smoothing)
    else:
        quantile = student_quantile(sample.n - 1) if smoothing.student else normal_quantile()
        method = smoothing.method
    return pulls.value, quantile * math.sqrt(pulls.variance_by_item()), method


def _by_groups(
    sample: Sample,
    groups: Groups,
    value: float,
    linearised: Linearised,
    smoothing: Smoothing,
    limits: tuple[float, float],
) -> Interval:
    raw, wider = _raw(sample, groups, linearised)
    error = raw.error_by_group(sample, groups, wider)
    quantile = student_quantile(degrees_of_groups(sample, groups))
    if abs(value) >= 1 or error < 1e-12:
        ends = held(value, *_at_number_of_groups(sample, groups, linearised, smoothing), limits)
        other = f"delta+{smoothing.pseudo_items} with n = {'groups' if sample.row_weights is None else 'effective units'}"
        if not sample.weighted:
            return Interval(*ends, other)
    else:
        half_width = quantile * error / (1 - value**2)
        ends = (math.tanh(math.atanh(value) - half_width), math.tanh(math.atanh(value) + half_width))
        other = "fisher z"
    smoothed = _Pulls.of(sample, linearised, smoothing)
    of_delta = held(value, smoothed.value, quantile * smoothed.error_by_group(sample, groups, wider), limits)
    method = _robust_method(sample, f"{other} or {_weighted_name(sample, smoothing)}, the wider")
    return Interval(min(ends[0], of_delta[0]), max(ends[1], of_delta[1]), method)


def _at_number_of_groups(sample: Sample, groups: Groups, linearised: Linearised, smoothing: Smoothing) -> tuple[float, float]:
    """delta+c of the same shares in as many items as there are groups."""
    p = np.array(sample.shares())
    number = groups.number if sample.row_weights is None else groups.effective
    smoothed = p * number + _evenly(sample, smoothing.pseudo_items)
    n = float(smoothed.sum())
    centre, gradient = linearised(smoothed / n)
    deviation = gradient - float((smoothed * gradient).sum()) / n
    return centre, normal_quantile() * math.sqrt(float((smoothed * deviation**2).sum())) / n


def pseudo_items(sample: Sample, smoothing: Smoothing) -> Floats:
    """S x K x C."""
    if not sample.weighted:
        # Only the readable cells are smoothed, in the strict table too: the strict interval is then the
        # readable one while nothing is unreadable, and no pseudo-item invents a broken reply. Spreading c over
        # all K x (K+1) cells covered .848 at worst where this covers .920 (two choices, 300 simulated designs).
        return _evenly(sample, smoothing.pseudo_items)[None]
    fillable = np.array([stratum.fillable & (stratum.cells > 0) for stratum in sample.strata], dtype=np.float64)
    return fillable * (0.5 if _halves(sample) else smoothing.pseudo_items / fillable.sum())


def _halves(sample: Sample) -> bool:
    """Whether half a pseudo-item goes in each cell that a stratum can fill."""
    cells = sum(int(stratum.fillable.sum()) for stratum in sample.strata if stratum.cells)
    return sample.size == 2 and cells <= CELLS_FOR_HALVES


def _evenly(sample: Sample, pseudo_items: float) -> Floats:
    cells = sample.legible.astype(np.float64)
    return cells * (pseudo_items / float(cells.sum()))


def _units(sample: Sample) -> str:
    return "groups" if sample.row_weights is None or sample.row_weights.grouped else "n"


def _weighted_name(sample: Sample, smoothing: Smoothing) -> str:
    return "delta+1/2 per cell" if sample.weighted and _halves(sample) else f"delta+{smoothing.pseudo_items}"


def _robust_method(sample: Sample, name: str) -> str:
    if sample.row_weights is not None:
        return f"weighted rows, {'cluster-robust ' if sample.row_weights.grouped else ''}{name}, t({_units(sample)}-1)"
    if sample.weighted:
        return f"post-stratified, cluster-robust {name}, t(groups-strata)"
    return f"cluster-robust {name}, t(groups-1)"
