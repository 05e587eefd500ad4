"""How many items must be labelled: for an interval of kappa of a given half-width, or to show that kappa is above a bound.

The large-sample variance of kappa (Fleiss, Cohen and Everitt 1969) is taken at the table that the assumed kappa
and margins make. For two choices that table is the only one. For more choices both sides have the same shares and
agree by chance beyond a part `kappa` of the items, which is one of many tables: an indication.

A draw is simple, or has equal numbers of each verdict (a small stratum whole), whose items are weighted back; then
the variance is Σ A²·(variance of the gradient within the stratum)/n of it. Groups multiply it by a design effect.
What no table can show is refused with the range that the margins allow.

Sources: Fleiss, Cohen and Everitt 1969; Cantor 1996 (power).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from data.wording import with_minus
from reports.intervals import LEVEL

POWER = 0.80
MOST_ITEMS = 10**9
_NOTHING = 1e-9
"""A share of the items below this is a rounding error."""

Floats = npt.NDArray[np.float64]
Prevalence = float | Sequence[float]
"""The share of the first of two choices (which of them is meant does not matter), or the shares of all choices."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many items to label, or why no number would do."""

    n: int | None
    reason: str = ""
    maximum: float | None = None
    """The highest kappa that the margins allow, where a kappa above it was asked for."""
    by_verdict: tuple[int, ...] = ()
    """Of the n, how many of each verdict; for draws by verdict."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How the items would be drawn."""

    by_verdict: bool = False
    """Equal numbers of each verdict; else simple."""
    population: tuple[int, ...] = field(default=())
    """Items of each verdict that there are, for a draw by verdict; empty where no stratum runs out."""
    design_effect: float = 1.0
    """What items that share a group multiply the variance by."""

    def __post_init__(self) -> None:
        if not self.design_effect > 0:
            raise ValueError(f"A design effect is above 0; 1 means that groups do not matter. Found {self.design_effect}.")

    def sizes(self, n: int, verdicts: int) -> list[int]:
        """Of `n` items, how many of each of `verdicts`: as many of one as of another, a small stratum whole."""
        there = self.population or (MOST_ITEMS,) * verdicts
        shares = [0] * verdicts
        for done, place in enumerate(sorted(range(verdicts), key=lambda place: (there[place], place))):
            shares[place] = min(there[place], (n - sum(shares)) // (verdicts - done))
        return shares


SIMPLE = Draw()


def kappa_maximum(prevalence: float, judge_prevalence: float | None = None) -> float:
    """The highest kappa of two choices when the human says the first of a share `prevalence` of the items, and the judge
    of a share `judge_prevalence` (default: the same, and then 1). Both in (0, 1)."""
    return _range(prevalence, _same(prevalence, judge_prevalence))[1]


def kappa_minimum(prevalence: float, judge_prevalence: float | None = None) -> float:
    """The lowest kappa of two choices with these margins."""
    return _range(prevalence, _same(prevalence, judge_prevalence))[0]


def kappa_variance(kappa: float, prevalence: Prevalence, judge_prevalence: float | None = None) -> float:
    """n times the large-sample variance of kappa in a simple draw. Raises ValueError where no table has these margins."""
    return _variance(kappa, prevalence, judge_prevalence, SIMPLE)(1)


def items_for_width(
    kappa: float, prevalence: Prevalence, half_width: float, judge_prevalence: float | None = None,
    level: float = LEVEL, draw: Draw = SIMPLE,
) -> Plan:  # fmt: skip
    """How many items bring the interval of kappa to ± `half_width` (in (0, 1)): the least n with z·√(variance) within it."""
    if not 0 < half_width < 1:
        raise ValueError(f"A half-width lies between 0 and 1. Found {half_width}. Ask for 0.10, say.")
    z = _quantile(level)
    if refused := _refused([kappa], prevalence, judge_prevalence):
        return refused
    variance = _variance(kappa, prevalence, judge_prevalence, draw)
    return _least(lambda n: z * math.sqrt(variance(n)) <= half_width, draw, _choices(prevalence))


def items_for_power(
    kappa0: float, kappa1: float, prevalence: Prevalence, power: float = POWER, judge_prevalence: float | None = None,
    level: float = LEVEL, draw: Draw = SIMPLE,
) -> Plan:  # fmt: skip
    """How many items show, two-sided at 1 - `level`, that kappa is not `kappa0` with chance `power` when it is `kappa1`.

    The least n with z_level·√V₀ + z_power·√V₁ within |kappa1 - kappa0| (Cantor 1996; equal to irr::N.cohen.kappa).
    """
    if kappa0 == kappa1:
        raise ValueError(f"No number of items tells {kappa0} from itself. Give two different kappas.")
    if not 0.5 <= power < 1:
        raise ValueError(f"The power lies between 0.5 and 1. Found {power}. Ask for 0.80, say.")
    if refused := _refused([kappa0, kappa1], prevalence, judge_prevalence):
        return refused
    z, z_power = _quantile(level), NormalDist().inv_cdf(power)
    under0 = _variance(kappa0, prevalence, judge_prevalence, draw)
    under1 = _variance(kappa1, prevalence, judge_prevalence, draw)
    apart = abs(kappa1 - kappa0)
    return _least(lambda n: z * math.sqrt(under0(n)) + z_power * math.sqrt(under1(n)) <= apart, draw, _choices(prevalence))


def half_widths(
    n: int, kappa: float, prevalence: Prevalence, judge_prevalence: float | None = None, level: float = LEVEL, draw: Draw = SIMPLE
) -> dict[str, float]:
    """What half-widths to expect from `n` items: of `kappa`, and for two choices of `sensitivity`, `specificity` (of the
    first choice) and `rate`, how often humans say the first, post-stratified on the verdict in either draw.

    By the large-sample variance; a share that is planned with none or all, which has no such variance, by Wilson's
    interval. Infinite where a verdict that occurs would get no item. Raises ValueError where no table has these margins.
    """
    z, table = _quantile(level), _table(kappa, prevalence, judge_prevalence)
    found = {"kappa": _by_draw(table, _gradient(table), draw)}
    if len(table) == 2:
        rows, columns = np.indices((2, 2))
        human, judge = rows == 0, columns == 0
        found["sensitivity"] = _by_draw(table, _share_gradient(table, human & judge, human), draw)
        found["specificity"] = _by_draw(table, _share_gradient(table, ~human & ~judge, ~human), draw)
        found["rate"] = _stratified(table, human.astype(np.float64), draw, proportional=not draw.by_verdict)
    expected = {name: z * math.sqrt(variance(n)) for name, variance in found.items()}
    if len(table) == 2:
        for row, name in enumerate(("sensitivity", "specificity")):
            if float(table[row].min()) < _NOTHING:
                expected[name] = max(expected[name], _of_all(n, table, row, draw, z))
    return expected


def _of_all(n: int, table: Floats, row: int, draw: Draw, z: float) -> float:
    """The half-width of Wilson's interval where all items of a row of the table that a draw of `n` brings are alike."""
    columns = table.sum(axis=0)
    sizes = np.array(draw.sizes(n, len(table)), dtype=np.float64) if draw.by_verdict else n * columns
    items = float((sizes * np.divide(table[row], columns, out=np.zeros(len(table)), where=columns > 0)).sum()) / draw.design_effect
    return z**2 / (items + z**2) / 2


Variance = Callable[[int], float]
"""Of a figure, by the number of items."""


def _least(enough: Callable[[int], bool], draw: Draw, verdicts: int) -> Plan:
    """The least n that is enough."""
    most = (sum(draw.population) if draw.by_verdict else 0) or MOST_ITEMS
    if not enough(most):
        return Plan(None, f"all {most:,} items there are would not be enough")
    low, high = 0, 1
    while high < most and not enough(high):
        low, high = high, min(most, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return Plan(high, by_verdict=tuple(draw.sizes(high, verdicts)) if draw.by_verdict else ())


def _refused(kappas: Sequence[float], prevalence: Prevalence, judge_prevalence: float | None) -> Plan | None:
    """Why no table has one of these kappas with these margins."""
    for kappa in kappas:
        if not -1 <= kappa < 1:
            raise ValueError(f"A kappa to plan for lies from -1 to below 1, where its variance is 0. Found {kappa}.")
    if not isinstance(prevalence, float | int):
        _shares(prevalence)
        low, high = 0.0, 1.0
    else:
        low, high = _range(prevalence, _same(prevalence, judge_prevalence))
    for kappa in kappas:
        cannot = f"kappa cannot be {with_minus(f'{kappa:.3g}')} where human and judge have these shares:"
        if kappa > high + 1e-12:
            return Plan(None, f"{cannot} at most {_floored(high)}", high)
        if kappa < low - 1e-12:
            return Plan(None, f"{cannot} at least {with_minus(f'{low:.3f}')}", high)
    return None


def _floored(maximum: float) -> str:
    """Three places that do not promise more than there is."""
    return f"{math.floor(maximum * 1000 + 1e-9) / 1000:.3f}"


def _range(human: float, judge: float) -> tuple[float, float]:
    for share in (human, judge):
        if not 0 < share < 1:
            raise ValueError(
                f"A share to plan with lies between 0 and 1. Found {share}. Where a choice never occurs kappa is undefined."
            )
    both, apart = human * judge, (human + judge) / 2 - human * judge
    return (max(0.0, human + judge - 1) - both) / apart, (min(human, judge) - both) / apart


def _same(prevalence: float, judge_prevalence: float | None) -> float:
    return prevalence if judge_prevalence is None else judge_prevalence


def _shares(prevalence: Sequence[float]) -> Floats:
    shares = np.asarray(prevalence, dtype=np.float64)
    if len(shares) < 2 or (shares < 0).any() or abs(float(shares.sum()) - 1) > 1e-6 or float(shares.max()) >= 1:
        raise ValueError(f"Give one share per choice that add up to 1, at least two above 0. Found {list(prevalence)}.")
    return shares


def _choices(prevalence: Prevalence) -> int:
    return 2 if isinstance(prevalence, float | int) else len(prevalence)


def _table(kappa: float, prevalence: Prevalence, judge_prevalence: float | None) -> Floats:
    """Shares of the items, rows human and columns judge."""
    if refused := _refused([kappa], prevalence, judge_prevalence):
        raise ValueError(f"No table has these margins: {refused.reason}.")
    if isinstance(prevalence, float | int):
        judge = _same(prevalence, judge_prevalence)
        both = prevalence * judge + kappa * ((prevalence + judge) / 2 - prevalence * judge)
        table: Floats = np.array([[both, prevalence - both], [judge - both, 1 - prevalence - judge + both]])
    elif judge_prevalence is not None:
        raise ValueError("`judge_prevalence` is for two choices. For more, both sides are planned with the same shares.")
    else:
        shares = _shares(prevalence)
        table = (1 - kappa) * np.outer(shares, shares) + kappa * np.diag(shares)
    return np.asarray(np.maximum(table, 0.0), dtype=np.float64)


def _gradient(p: Floats) -> Floats:
    """Of unweighted kappa by the shares of its table."""
    human, judge = p.sum(axis=1), p.sum(axis=0)
    p_o, p_e = float(np.trace(p)), float(human @ judge)
    credit: Floats = np.eye(len(p)) * (1 - p_e) - (judge[:, None] + human[None, :]) * (1 - p_o)
    return np.asarray(credit / (1 - p_e) ** 2, dtype=np.float64)


def _share_gradient(p: Floats, good: npt.NDArray[np.bool_], asked: npt.NDArray[np.bool_]) -> Floats:
    """Of the share that the cells `good` have of the cells `asked`."""
    whole = float(p[asked].sum())
    gradient: Floats = (good - float(p[good].sum()) / whole * asked) / whole
    return gradient


def _variance(kappa: float, prevalence: Prevalence, judge_prevalence: float | None, draw: Draw) -> Variance:
    table = _table(kappa, prevalence, judge_prevalence)
    return _by_draw(table, _gradient(table), draw)


def _by_draw(table: Floats, gradient: Floats, draw: Draw) -> Variance:
    if draw.by_verdict:
        return _stratified(table, gradient, draw)
    of_item = float((table * (gradient - float((table * gradient).sum())) ** 2).sum()) * draw.design_effect
    return lambda n: of_item / n


def _stratified(table: Floats, gradient: Floats, draw: Draw, proportional: bool = False) -> Variance:
    """Strata are the verdicts: Σ A²·[Σ f g² - (Σ f g)²]/n of the stratum."""
    weight = table.sum(axis=0)
    there = weight > 0
    f = table[:, there] / weight[there]
    inside = (f * (gradient[:, there] - (f * gradient[:, there]).sum(axis=0)) ** 2).sum(axis=0)
    parts = weight[there] ** 2 * inside * draw.design_effect

    def variance(n: int) -> float:
        sizes = n * weight[there] if proportional else np.array(draw.sizes(n, len(table)), dtype=np.float64)[there]
        return math.inf if (sizes == 0).any() else float((parts / sizes).sum())

    return variance


def _quantile(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"A level lies between 0 and 1. Found {level}. Ask for 0.95, say.")
    return NormalDist().inv_cdf((1 + level) / 2)
