"""How far each of several judges agrees with the humans on the items that all of them have, and the difference of two.

One choice: kappa. Several choices: the plain mean of the choices' kappas, over those that the humans name on some items and not
on others, so that every judge is averaged over the same ones. Scores: Spearman's rank correlation, with mid-ranks for ties.
All of them are strict: an unreadable verdict agrees with nothing; of scores it stands at the end of the range that is farther
from the humans' score.

Intervals of two judges side by side (`paired`): the jackknife by group around the whole, with Student's t; beyond BLOCKS groups
by random blocks of them, seeded, because a rank correlation has to be ranked anew for each. The weights of items stay as they are
when a group is left out. Measured coverage of the nominal 95 % of the difference, where it is 0 (400 draws a setting, errors of
the two alike by half; 40, 60 and 150 items, and 15, 20 and 50 groups of 3 or 4): four labels .95 to .96, scores of five levels
.93 to .97. Under unequal weights, or with two judges that differ, it was not measured.

Sources: Efron and Stein 1981 (the jackknife errs on the wide side); as `agreement.kappa` and `scores.spearman`.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from data.human_tallies import Bools, Ints
from data.questions import Question
from data.shared_items import SharedItems
from reports.credit import Named, credit_of
from reports.estimate import Estimate
from reports.intervals import UPPER_TAIL, held, student_quantile
from reports.sample import Floats

BLOCKS = 100
_SEED = 20111
ALONE = "by itself it has no interval here: both rest on the same items, and the difference has one"
NO_ITEMS = "no item has a label and a verdict of both"
ONE_GROUP = "all items share one group, so nothing tells the width"
NO_CHANGE = "leaving any group out changes nothing, so nothing tells the width"
METHOD = "jackknife"


class Figure(Protocol):
    """A figure of each run of some items."""

    @property
    def name(self) -> str:
        """What it is called in a sentence."""

    def __call__(self, items: SharedItems) -> Floats:
        """By run; not finite where it is undefined."""


@dataclass(frozen=True, slots=True)
class Kappa:
    """Of one choice."""

    weights: Named = "unweighted"
    """As in `agreement.kappa`."""
    name: str = "kappa"

    def __call__(self, items: SharedItems) -> Floats:
        return _kappas(items.human, items.verdicts, items.choices, items.weights, self.weights)


@dataclass(frozen=True, slots=True)
class MeanKappa:
    """Of several choices: the plain mean over `labels`, the places of those that count."""

    labels: tuple[int, ...]
    name: str = "mean kappa over labels"

    @classmethod
    def of(cls, items: SharedItems) -> "MeanKappa":
        """Over those that the humans name on some of the items and not on others."""
        named = (items.human[None, :] >> np.arange(items.choices)[:, None] & 1).sum(axis=1)
        return cls(tuple(np.flatnonzero((named > 0) & (named < len(items.human))).tolist()))

    def __call__(self, items: SharedItems) -> Floats:
        if not self.labels:
            return np.full(len(items.verdicts), np.nan)
        unreadable = items.verdicts < 0
        by_label = [
            _kappas(items.human >> place & 1, np.where(unreadable, -1, items.verdicts >> place & 1), 2, items.weights)
            for place in self.labels
        ]
        mean: Floats = np.mean(by_label, axis=0)
        return mean


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """Of scores."""

    levels: Floats
    """The score of each place, ascending."""
    low: float
    """The least score that the question takes."""
    high: float
    name: str = "Spearman’s rho"

    @classmethod
    def of(cls, question: Question, levels: Floats) -> "RankCorrelation":
        """Of a question of the type `score`. Raises ValueError for another one."""
        if question.min is None or question.max is None:
            raise ValueError(f"The question must have a range of scores. Found {question.type!r}. Give one of the type 'score'.")
        return cls(levels, float(question.min), float(question.max))

    def __call__(self, items: SharedItems) -> Floats:
        share, human = items.weights / items.weights.sum(), self.levels[items.human]
        farthest = np.where(human - self.low > self.high - human, self.low, self.high)
        said = np.where(items.verdicts < 0, farthest, self.levels[np.maximum(items.verdicts, 0)])
        ranks = np.stack([_mid_ranks(column, share) for column in (human, *said)])
        ranks -= (ranks @ share)[:, None]
        spread, together = (ranks**2) @ share, ranks[1:] @ (ranks[0] * share)
        defined = (spread[1:] > 1e-15) & (spread[0] > 1e-15)
        found: Floats = np.where(defined, together / np.sqrt(np.where(defined, spread[1:] * spread[0], 1.0)), np.nan)
        return np.clip(found, -1.0, 1.0)


def _kappas(human: Ints, verdicts: Ints, choices: int, weights: Floats, named: Named = "unweighted") -> Floats:
    """By run, strict; not finite where one is undefined."""
    runs, width = len(verdicts), choices + 1
    said = np.where(verdicts < 0, choices, verdicts)
    cell = (np.arange(runs)[:, None] * choices + human[None, :]) * width + said
    counted = np.bincount(cell.ravel(), np.tile(weights, runs), minlength=runs * choices * width)
    p = counted.reshape(runs, choices, width) / weights.sum()
    credit = credit_of(named, choices, width).shares
    seen = (p * credit).sum(axis=(1, 2))
    chance = np.einsum("pk,kw,pw->p", p.sum(axis=2), credit, p.sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        kappas: Floats = (seen - chance) / (1 - chance)
    return kappas


def _mid_ranks(column: Floats, share: Floats) -> Floats:
    """The share below each value, and half the share at it."""
    _, place = np.unique(column, return_inverse=True)
    at = np.bincount(place, weights=share)
    ranks: Floats = (np.cumsum(at) - at / 2)[place]
    return ranks


@dataclass(frozen=True, slots=True)
class Paired:
    """Two judges on the same items. `difference` is the second's figure less the first's: positive = the second is better."""

    figure: str
    """What it is called."""
    first: Estimate
    """In [-1, 1], without an interval of its own."""
    second: Estimate
    difference: Estimate
    """In [-2, 2]."""
    error: Estimate
    """The standard error of the difference, for publication; 0 where no group changes it."""

    @property
    def n(self) -> int:
        return self.difference.n


def paired(items: SharedItems, figure: Figure) -> Paired:
    """The two runs of `items`, an unreadable verdict agreeing with nothing. Undefined where either figure is.

    Raises ValueError for items of another number of runs.
    """
    if len(items.verdicts) != 2:
        raise ValueError(f"Two runs are compared. Found {len(items.verdicts)}. Give the items that two share.")
    n = len(items.human)
    values = figure(items) if n else np.full(2, np.nan)
    one_or_other = f"{figure.name} is undefined: one and the same answer throughout" if n else NO_ITEMS
    sides = [
        Estimate(value, None, None, n, METHOD, ALONE) if math.isfinite(value) else Estimate.undefined(n, METHOD, one_or_other)
        for value in values.tolist()
    ]
    if not np.isfinite(values).all():
        nothing = Estimate.undefined(n, METHOD, one_or_other)
        return Paired(figure.name, sides[0], sides[1], nothing, nothing)
    difference, error = _difference(items, figure, float(values[1] - values[0]))
    return Paired(figure.name, sides[0], sides[1], difference, error)


def _difference(items: SharedItems, figure: Figure, value: float) -> tuple[Estimate, Estimate]:
    """With its interval, and its standard error."""
    n, unit = len(items.human), np.unique(items.groups, return_inverse=True)[1]
    number = int(unit.max()) + 1
    units = "items" if number == n else "groups"
    if number < 2:
        return Estimate(value, None, None, n, METHOD, ONE_GROUP), Estimate.undefined(n, METHOD, ONE_GROUP)
    if number > BLOCKS:
        unit, number, units = np.random.default_rng(_SEED).permutation(number)[unit] % BLOCKS, BLOCKS, f"blocks of {units}"
    method = f"{METHOD} over {number} {units}, t({number - 1})"
    without = np.array([_without(items, figure, unit == each, value) for each in range(number)])
    error = math.sqrt((number - 1) / number * float(((without - value) ** 2).sum()))
    told = Estimate(error, None, None, n, method, "a standard error")
    if error < 1e-12:
        return Estimate(value, None, None, n, method, NO_CHANGE), replace(told, value=0.0)
    low, high = held(value, value, student_quantile(number - 1, UPPER_TAIL) * error, (-2.0, 2.0))
    return Estimate(value, low, high, n, method), told


def _without(items: SharedItems, figure: Figure, gone: Bools, whole: float) -> float:
    """The difference without some items; `whole` where it is undefined."""
    first, second = figure(items.only(~gone)).tolist()
    return second - first if math.isfinite(second - first) else whole
