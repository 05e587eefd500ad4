"""Everybody's votes on a question with the design that the items were drawn by, and intervals by leaving items out.

Each group of items (or item) is left out in turn, its strata are weighted anew, and

  var = (M-1)/M · Σ (figure without m - their mean)²,  t(groups - 1), t(items - 1) or t(... - strata).

Weights frame / finished of the strata are brought to mean 1 over the items that enter. Pseudo-items of random
votes are added, every one a group of its own, so that perfect agreement keeps a width (as in `alpha`). The
strata's sizes are taken as they are: under weights an interval speaks of this frame.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from data.tallies import Pattern, QuestionTally
from reports.alpha import BLOCK, pseudo_items
from reports.design import ONE_GROUP
from reports.estimate import Estimate
from reports.intervals import held, student_quantile
from reports.sample import Floats, nobody_finished

Integers = NDArray[np.int64]
Contents = Mapping[tuple[tuple[int, Pattern, int], ...], int]
"""As `QuestionTally.vote_clusters`."""
Statistic = Callable[[Floats], Floats]
"""From R x F sums over items: R figures, nan where undefined."""

LIMITS = (-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class VoteSample:
    """Items with enough votes by stratum, and what each distinct group (or item) holds."""

    patterns: list[Pattern]
    """P, distinct: votes per choice, or the votes themselves (`QuestionTally.votes` and `.units`)."""
    items: Floats
    """S x P; one stratum where items are not weighted."""
    mass: Floats
    """S: items of the frame that the stratum's items stand for."""
    content: Integers
    stratum: Integers
    pattern: Integers
    count: Floats
    """One entry per content, stratum and pattern, contents ascending: how many such items it holds."""
    times: Floats
    """R: how many groups have this content."""
    grouped: bool
    weighted: bool
    unlabelled: str
    """Why nothing stands for part of the frame; empty where something does."""

    @classmethod
    def of_patterns(cls, patterns: Mapping[Pattern, int], enters: Callable[[Pattern], bool]) -> "VoteSample":
        """Items drawn alike, each on its own; `enters`: whether an item has enough votes."""
        return cls.of_tally(QuestionTally("patterns", "", (), None, (), (), {}, units=patterns), enters)

    @classmethod
    def of_tally(cls, tally: QuestionTally, enters: Callable[[Pattern], bool]) -> "VoteSample":
        """The votes of a question as it was counted."""
        whole: Mapping[Pattern, int] = tally.units or dict(tally.votes.items())
        rates = {Fraction(each.frame, each.finished) for each in tally.vote_strata if each.finished}
        empty = next((each for each in tally.vote_strata if each.frame and not each.finished), None)
        weighted = len(rates) > 1
        strata = [each.patterns for each in tally.vote_strata] if weighted else [whole]
        known = sorted({pattern for stratum in strata for pattern, items in stratum.items() if items and enters(pattern)})
        place = {pattern: position for position, pattern in enumerate(known)}
        items = np.zeros((len(strata), len(known)))
        for position, stratum in enumerate(strata):
            for pattern, count in stratum.items():
                if pattern in place:
                    items[position, place[pattern]] = count
        stands_for = np.array([each.frame / max(1, each.finished) for each in tally.vote_strata] if weighted else [1.0])
        entries, times, grouped = _contents(tally.vote_clusters, place, items)
        return cls(
            patterns=known,
            items=items,
            mass=stands_for * items.sum(axis=1),
            content=entries[:, 0],
            stratum=entries[:, 1],
            pattern=entries[:, 2],
            count=entries[:, 3].astype(np.float64),
            times=times,
            grouped=grouped,
            weighted=weighted,
            unlabelled="" if empty is None else nobody_finished(empty.name, empty.frame),
        )

    @property
    def number(self) -> int:
        """Groups, or items where items are the units."""
        return round(float(self.times.sum()))

    @property
    def plain(self) -> bool:
        """Whether items count alike and one by one."""
        return not (self.weighted or self.grouped or self.unlabelled)

    def average(self, of_pattern: Floats) -> float:
        """The mean over items, as they were counted, of a number by pattern."""
        items = self.items.sum(axis=0)
        return float(items @ of_pattern / items.sum())

    def method(self, choices: int) -> str:
        """How the interval is made."""
        units = "groups" if self.grouped else "items"
        strata = "strata" if self.weighted else "1"
        return (
            "post-stratified, " if self.weighted else ""
        ) + f"jackknife over {units}+{pseudo_items(choices)}, t({units}-{strata})"

    def weights(self, removed: Floats) -> Floats:
        """R x S: what an item of each stratum weighs, with R x S items taken away."""
        if not self.weighted:
            return np.ones(removed.shape)
        left = self.items.sum(axis=1)[None] - removed
        weight = np.where(left > 0, self.mass / np.maximum(left, 1), 0.0)
        scaled: Floats = weight * (left.sum(axis=1) / np.maximum((weight * left).sum(axis=1), 1e-300))[:, None]
        return scaled

    def blocks(self, width: int) -> Iterator[tuple[int, int, slice]]:
        """Contents from, contents to, and their entries, so that `width` numbers a content stay few at once."""
        step = max(1, BLOCK // width)
        for first in range(0, len(self.times), step):
            last = min(first + step, len(self.times))
            begin, end = np.searchsorted(self.content, (first, last))
            yield first, last, slice(int(begin), int(end))

    def removed(self, first: int, last: int, entries: slice) -> Floats:
        """(last - first) x S: how many items these contents hold of each stratum."""
        table = np.zeros((last - first, len(self.items)))
        np.add.at(table, (self.content[entries] - first, self.stratum[entries]), self.count[entries])
        return table


def _contents(clusters: Contents, place: Mapping[Pattern, int], items: Floats) -> tuple[Integers, Floats, bool]:
    """Entries (content, stratum, pattern, items), how many groups have each content, and whether a group has two items."""
    one_stratum = len(items) == 1
    groups = [
        (held, times)
        for content, times in clusters.items()
        if (
            held := [
                (0 if one_stratum else stratum, place[pattern], count) for stratum, pattern, count in content if pattern in place
            ]
        )
    ]
    if not any(sum(count for _, _, count in held) > 1 for held, _ in groups):
        at = np.argwhere(items > 0)
        alone = np.column_stack([np.arange(len(at)), at, np.ones(len(at), dtype=np.int64)])
        return alone, items[at[:, 0], at[:, 1]], False
    flat = [(content, *entry) for content, (held, _) in enumerate(groups) for entry in held]
    return np.array(flat, dtype=np.int64), np.array([times for _, times in groups], dtype=np.float64), True


@dataclass(frozen=True, slots=True)
class Replicates:
    """A figure, and what becomes of it item by item."""

    value: float
    """Of all items; nan where undefined."""
    centre: float
    """Of all items and pseudo-items."""
    pulls: Floats
    """How far it moves without each group (or item), and without each pseudo-item."""
    times: Floats
    """How many there are of each."""


def replicates(sample: VoteSample, features: Floats, pseudo: Floats, chances: Floats, statistic: Statistic) -> Replicates:
    """Of a statistic of sums over items. `features`: P x F; `pseudo`: Q x F, `chances` times each."""
    everything = sample.items @ features
    raw = _weighted(sample.weights(np.zeros((1, len(sample.items)))), everything[None])
    value, extra = statistic(raw)[0], chances @ pseudo
    whole = raw + extra
    left_out = np.empty(len(sample.times))
    for first, last, entries in sample.blocks(everything.size):
        left = np.zeros((last - first, *everything.shape)) + everything
        at = (sample.content[entries] - first, sample.stratum[entries])
        np.subtract.at(left, at, sample.count[entries, None] * features[sample.pattern[entries]])
        left_out[first:last] = statistic(_weighted(sample.weights(sample.removed(first, last, entries)), left) + extra)
    centre = float(statistic(whole)[0])
    part = np.minimum(chances, 1.0)  # of a pseudo-item only what there is of it
    of_pseudo = (statistic(whole - part[:, None] * pseudo) - centre) / part
    return Replicates(float(value), centre, np.append(left_out - centre, of_pseudo), np.append(sample.times, chances))


def _weighted(weight: Floats, sums: Floats) -> Floats:
    """R x F from R x S weights and R x S x F sums."""
    if sums.shape[1] == 1:
        one: Floats = weight * sums[:, 0]
        return one
    summed: Floats = np.einsum("rs,rsf->rf", weight, sums)
    return summed


def estimated(sample: VoteSample, found: Replicates, n: int, method: str, value: float | None = None) -> Estimate:
    """The estimate of `found`, whose value is defined; `value`: the same to the last digit, where it is known."""
    exact = found.value if value is None else value
    if sample.grouped and sample.number < 2:
        return Estimate(exact, None, None, n, method, ONE_GROUP)
    number = float(found.times.sum())
    mean = float(found.times @ found.pulls) / number
    variance = (number - 1) / number * float(found.times @ (found.pulls - mean) ** 2)
    strata = int((sample.items.sum(axis=1) > 0).sum()) if sample.weighted else 1
    units = sample.number if sample.grouped else n
    half_width = student_quantile(units - strata) * math.sqrt(variance) if units > strata else math.inf
    return Estimate(exact, *held(exact, found.centre, half_width, LIMITS), n, method)


def two_votes(votes: int) -> tuple[Integers, Integers, Floats]:
    """The pairs of two random votes out of so many, and their chances."""
    first, second = np.triu_indices(votes)
    return first, second, np.where(first == second, 1, 2) / votes**2


def at_least(votes: int) -> Callable[[Pattern], bool]:
    """Whether a pattern of votes per choice has so many."""
    return lambda pattern: sum(pattern) >= votes


def two_values(pattern: Pattern) -> bool:
    """Whether a pattern of the votes themselves has two."""
    return len(pattern) > 1
