"""Krippendorff's alpha where the distance of two votes is any function of them: of sets, of scores at the ratio level.

The disagreement expected is the quadratic form c·δ·c of how often each of V values was given. Leaving out a
group with the counts x takes 2·x·(δ·c) - x·δ·x away, so a δ·c that is computed once, block by block, serves
every group, and no V x V table is ever held: V² distances are computed, V numbers are kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.alpha import BLOCK, pseudo_items
from reports.sample import Floats
from reports.vote_sample import Integers, Replicates, VoteSample, two_votes

Distance = Callable[[NDArray[Any], NDArray[Any]], Floats]
"""δ of two arrays of values, by broadcasting; symmetric, 0 for equal values, between 0 and 1."""


def masi_distance(a: NDArray[Any], b: NDArray[Any]) -> Floats:
    """1 - J·M of sets of choices as bit sets (Passonneau 2006); two empty sets agree."""
    one_within_other = np.bitwise_count(a & b) == np.minimum(np.bitwise_count(a), np.bitwise_count(b))
    return np.where(a == b, 0.0, 1 - _jaccard(a, b) * np.where(one_within_other, 2 / 3, 1 / 3))


def jaccard_distance(a: NDArray[Any], b: NDArray[Any]) -> Floats:
    """1 - J of sets of choices as bit sets; two empty sets agree."""
    return np.where(a == b, 0.0, 1 - _jaccard(a, b))


def ratio_distance(a: NDArray[Any], b: NDArray[Any]) -> Floats:
    """((a - b)/(a + b))² of numbers from 0 up; two zeros do not differ."""
    squared: Floats = ((a - b) / np.where(a == b, 1.0, a + b)) ** 2
    return squared


def _jaccard(a: NDArray[Any], b: NDArray[Any]) -> Floats:
    """Of sets that are not both empty; for two empty ones 0."""
    index: Floats = np.bitwise_count(a & b) / np.maximum(np.bitwise_count(a | b), 1)
    return index


@dataclass(frozen=True, slots=True)
class _Held:
    """Which values each row of things (patterns, groups, pseudo-items) holds, and how often; rows ascending."""

    row: Integers
    value: Integers
    """Places among the values."""
    often: Floats
    rows: int

    def quadratic(self, values: NDArray[Any], distance: Distance) -> Floats:
        """By row: x·δ·x."""
        ends = np.searchsorted(self.row, np.arange(self.rows + 1))
        length = np.diff(ends)[self.row]
        found = np.zeros(self.rows)
        begin = 0
        while begin < len(self.row):
            end = max(begin + 1, int(np.searchsorted(np.cumsum(length[begin:]), BLOCK, side="right")) + begin)
            one = np.repeat(np.arange(begin, end), length[begin:end])
            step = np.arange(len(one)) - np.repeat(np.cumsum(length[begin:end]) - length[begin:end], length[begin:end])
            other = ends[self.row[one]] + step
            apart = distance(values[self.value[one]], values[self.value[other]])
            found += _added(self.row[one], self.often[one] * self.often[other] * apart, self.rows)
            begin = end
        return found

    def times(self, by_value: Floats) -> Floats:
        """rows x T: the sum over what a row holds of T x V numbers by value."""
        return np.column_stack([_added(self.row, self.often * each[self.value], self.rows) for each in by_value])


def distance_replicates(
    sample: VoteSample, values: Sequence[float], spread: Sequence[float], distance: Distance, kind: type[int] | type[float]
) -> Replicates:
    """Of alpha: `values` that occur, ascending; pseudo-items hold two of `spread`. `kind`: how a value is computed with."""
    known = np.array([kind(value) for value in values])
    place = {value: position for position, value in enumerate(values)}
    patterns = _held(sample.patterns, place)
    first, second, chances = two_votes(len(spread))
    pseudo = _held([(spread[a], spread[b]) for a, b in zip(first, second, strict=True)], place)
    chances = pseudo_items(len(values)) * chances
    return _Alpha.of(sample, patterns, pseudo, chances, known, distance).replicates()


def _held(patterns: Sequence[Sequence[float]], place: dict[float, int]) -> _Held:
    row = np.repeat(np.arange(len(patterns)), np.fromiter(map(len, patterns), dtype=np.int64, count=len(patterns)))
    value = np.fromiter((place[each] for pattern in patterns for each in pattern), dtype=np.int64, count=len(row))
    return _summed(row, value, np.ones(len(row)), len(patterns), len(place))


def _added(place: Integers, amount: Floats, places: int) -> Floats:
    """By place: the sum of its amounts."""
    return np.bincount(place, weights=amount, minlength=places).astype(np.float64)


def _summed(row: Integers, value: Integers, often: Floats, rows: int, values: int) -> _Held:
    """One entry per row and value."""
    cells, place = np.unique(row * values + value, return_inverse=True)
    return _Held(cells // values, cells % values, _added(place, often, len(cells)), rows)


@dataclass(frozen=True, slots=True)
class _Alpha:
    """Sums by stratum, of which the last are the pseudo-items, which always weigh 1."""

    sample: VoteSample
    patterns: _Held
    pseudo: _Held
    chances: Floats
    known: NDArray[Any]
    distance: Distance
    scale: float
    """What a pseudo-item's two votes weigh, so that it weighs as much as an average item."""
    size: Floats
    """P: votes of a pattern."""
    of_pattern: Floats
    """P: x·δ·x."""
    of_pseudo: Floats
    """Q."""
    reach: Floats
    """(S+1) x V: δ·c of each stratum's counts c."""
    form: Floats
    """(S+1) x (S+1): c·δ·c of two strata."""
    seen: Floats
    """S+1: disagreement seen."""
    votes: Floats
    """S+1."""

    @classmethod
    def of(
        cls, sample: VoteSample, patterns: _Held, pseudo: _Held, chances: Floats, known: NDArray[Any], distance: Distance
    ) -> "_Alpha":
        size = _added(patterns.row, patterns.often, patterns.rows)
        scale = sample.average(size) / 2
        of_pattern, of_pseudo = patterns.quadratic(known, distance), pseudo.quadratic(known, distance)
        counts = np.zeros((len(sample.items) + 1, len(known)))
        for stratum, of_stratum in enumerate(sample.items):
            counts[stratum] = _added(patterns.value, patterns.often * of_stratum[patterns.row], len(known))
        counts[-1] = _added(pseudo.value, scale * pseudo.often * chances[pseudo.row], len(known))
        reach = np.empty_like(counts)
        step = max(1, BLOCK // len(known))
        for begin in range(0, len(known), step):
            reach[:, begin : begin + step] = counts @ distance(known[begin : begin + step, None], known[None, :]).T
        return cls(
            sample, patterns, pseudo, chances, known, distance, scale, size, of_pattern, of_pseudo, reach,
            form=reach @ counts.T,
            seen=np.append(sample.items @ (of_pattern / (size - 1)), scale * float(chances @ of_pseudo)),
            votes=np.append(sample.items @ size, 2 * scale * float(chances.sum())),
        )  # fmt: skip

    def replicates(self) -> Replicates:
        sample, strata = self.sample, len(self.sample.items)
        nothing = np.zeros((1, strata))
        raw = np.append(sample.weights(nothing), [[0.0]], axis=1)
        whole = np.append(sample.weights(nothing), [[1.0]], axis=1)
        left_out = np.empty(len(sample.times))
        by_stratum = self.patterns.times(self.reach)
        for first, last, entries in sample.blocks((strata + 1) ** 2):
            left_out[first:last] = self._without(first, last, entries, by_stratum)
        centre = float(self._of(whole)[0])
        part = np.minimum(self.chances, 1.0)  # of a pseudo-item only what there is of it
        amount = self.scale * part
        without_pseudo = self._alpha(
            whole @ self.seen - amount * self.of_pseudo,
            whole @ self.votes - 2 * amount,
            (whole @ self.form * whole).sum()
            - 2 * amount * (self.pseudo.times(self.reach) @ whole[0])
            + amount**2 * self.of_pseudo,
        )
        pulls = np.append(left_out - centre, (without_pseudo - centre) / part)
        return Replicates(float(self._of(raw)[0]), centre, pulls, np.append(sample.times, self.chances))

    def _of(self, weight: Floats) -> Floats:
        return self._alpha(weight @ self.seen, weight @ self.votes, ((weight @ self.form) * weight).sum(axis=1))

    def _without(self, first: int, last: int, entries: slice, by_stratum: Floats) -> Floats:
        """Alpha without each of the contents from `first` to `last`."""
        sample = self.sample
        content, stratum, pattern = sample.content[entries] - first, sample.stratum[entries], sample.pattern[entries]
        weight = np.append(sample.weights(sample.removed(first, last, entries)), np.ones((last - first, 1)), axis=1)
        # What each entry's items weigh once the others' weights have moved.
        count = sample.count[entries] * weight[content, stratum]

        def summed(each: Floats) -> Floats:
            return _added(content, count * each, last - first)

        seen = weight @ self.seen - summed(self.of_pattern[pattern] / (self.size[pattern] - 1))
        votes = weight @ self.votes - summed(self.size[pattern])
        reached = summed((by_stratum[pattern] * weight[content]).sum(axis=1))
        if len(content) == last - first:  # one kind of items each
            alone = count**2 * self.of_pattern[pattern]
        else:
            alone = self._groups(content, pattern, count, last - first).quadratic(self.known, self.distance)
        return self._alpha(seen, votes, ((weight @ self.form) * weight).sum(axis=1) - 2 * reached + alone)

    def _groups(self, content: Integers, pattern: Integers, count: Floats, groups: int) -> _Held:
        """What each group holds, weighted."""
        begin = np.searchsorted(self.patterns.row, pattern)
        length = np.searchsorted(self.patterns.row, pattern, side="right") - begin
        of = np.repeat(begin - np.cumsum(length) + length, length) + np.arange(int(length.sum()))
        often = np.repeat(count, length) * self.patterns.often[of]
        return _summed(np.repeat(content, length), self.patterns.value[of], often, groups, len(self.known))

    @staticmethod
    def _alpha(seen: Floats, n: Floats, expected: Floats) -> Floats:
        defined = expected > 1e-12 * np.maximum(1.0, n) ** 2
        return np.where(defined, 1 - (n - 1) * seen / np.where(defined, expected, 1.0), np.nan)
