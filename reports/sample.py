"""The counts of one pair of raters, with the design that they were drawn by: strata, weights and groups.

Every finished item of a stratum stands for `frame / finished` items of the frame, so the population's table
is P = Σ (frame/finished)·table, brought to 1 over the items that have a cell. Items that were finished
without a cell (unsure, tied, without a verdict) are a domain of their own: they share the weights and enter
no figure. Point values use P in whole numbers, so equal weights give exactly the unweighted values.

A sample reads either the readable verdicts alone (K x K) or the unreadable ones too, as one more column
that no human can match (K x (K+1), the strict figures).
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from data.tallies import PairTally

NO_ITEMS = "no item has an answer on both sides"

Table = Sequence[Sequence[int]]
Floats = NDArray[np.float64]
Cells = NDArray[np.bool_]
Linearised = Callable[[Floats], tuple[float, Floats]]
"""From a table of shares: a statistic, and its gradient by those shares."""
Contents = Mapping[tuple[tuple[int, int, int, int], ...], int]
"""As `PairTally.clusters`: (stratum, row, column, items) of one group -> groups."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """What was finished of one stratum."""

    frame: int
    finished: int
    """At least as many as `counts` holds; the others have no cell."""
    counts: list[list[int]]
    """K x C, with C = K or K + 1."""
    column: int | None = None
    """The only column that its items can lie in; None for any readable one."""
    can: Cells | None = None
    """K x C: where its items can lie, where a column does not tell."""

    @property
    def cells(self) -> int:
        """Items that have a cell."""
        return sum(map(sum, self.counts))

    @property
    def fillable(self) -> Cells:
        """K x C: where its items can lie. Nothing counts as fillable that would invent an unreadable reply."""
        if self.can is not None:
            return self.can
        can = np.zeros((len(self.counts), len(self.counts[0])), dtype=np.bool_)
        if self.column is None:
            can[:, : len(self.counts)] = True
        else:
            can[:, self.column] = True
        return can


@dataclass(frozen=True, slots=True)
class Groups:
    """Items that share a group, as flat columns: one entry per group content, stratum and cell."""

    content: NDArray[np.int64]
    """Which distinct content of a group an entry belongs to."""
    stratum: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    items: Floats
    times: Floats
    """By content: how many groups hold it."""

    @property
    def number(self) -> int:
        """How many groups there are."""
        return round(float(self.times.sum()))

    @property
    def effective(self) -> float:
        """(Σm)²/Σm² for groups of m items: how many groups of one size they are worth."""
        of_group = np.bincount(self.content, weights=self.items, minlength=len(self.times))
        return float((self.times * of_group).sum()) ** 2 / float((self.times * of_group**2).sum())


@dataclass(frozen=True, slots=True)
class FrameGroups:
    """What the frame holds of each group, drawn or not: one entry per distinct content and stratum."""

    content: NDArray[np.int64]
    stratum: NDArray[np.int64]
    items: Floats
    times: Floats
    """By content: how many groups hold it."""


@dataclass(frozen=True, slots=True)
class RowWeights:
    """What rows weigh that each have a weight of their own; the units (`groups`) are then rows, or groups of rows."""

    table: list[list[int]]
    """K x K: the sums of the weights, in whole numbers."""
    scaled: Floats
    """K x K: the same, adding up to the effective number of rows, (Σw)²/Σw²."""
    grouped: bool
    """Whether the units are groups."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A pair's counts by stratum; with `groups` where items share them or weigh unlike, else items are the units."""

    strata: tuple[Stratum, ...]
    weighted: bool = False
    groups: Groups | None = None
    frame_groups: FrameGroups | None = None
    unlabelled: str = ""
    """Why nothing stands for part of the frame; empty where something does."""
    read: Cells | None = None
    """K x C: the cells of items that were read on every side, where they are not the first K columns."""
    row_weights: RowWeights | None = None

    @classmethod
    def of_table(cls, table: Table, unreadable: Sequence[int] | None = None) -> "Sample":
        """Items drawn with equal chances, each on its own. Raises ValueError for what is no table of counts."""
        counts = checked(table) if unreadable is None else _widened(table, unreadable)
        return cls((_plain(counts),))

    @classmethod
    def of(cls, of: "Table | Sample") -> "Sample":
        """A sample as it is, and a table as items drawn with equal chances."""
        return of if isinstance(of, Sample) else cls.of_table(of)

    @classmethod
    def readable(cls, pair: PairTally) -> "Sample":
        """The pair's items whose verdict can be read."""
        return _of_pair(pair, strict=False)

    @classmethod
    def strict(cls, pair: PairTally) -> "Sample":
        """All of the pair's items, unreadable verdicts in a column of their own."""
        return _of_pair(pair, strict=True)

    @property
    def n(self) -> int:
        """Items that have a cell."""
        return sum(stratum.cells for stratum in self.strata)

    @property
    def size(self) -> int:
        """K."""
        return len(self.strata[0].counts)

    @property
    def legible(self) -> Cells:
        """K x C: the cells of items that were read on every side, which smoothing may fill."""
        if self.read is not None:
            return self.read
        cells = np.zeros((self.size, len(self.strata[0].counts[0])), dtype=np.bool_)
        cells[:, : self.size] = True
        return cells

    def against_rest(self, positive: int) -> "Sample":
        """The same items with two choices: the others (place 0) and `positive` (place 1); unreadable verdicts stay theirs."""
        check_place(positive, self.size)
        if self.size == 2 and positive == 1:
            return self
        place = np.arange(len(self.strata[0].counts[0])) == positive
        side = place.astype(np.int64)
        side[self.size :] = 2
        strata = tuple(
            replace(
                stratum,
                counts=_side_by_side(stratum.counts, side),
                column=None if stratum.column is None else int(side[stratum.column]),
            )
            for stratum in self.strata
        )
        groups = self.groups
        return replace(
            self,
            strata=strata,
            row_weights=None if self.row_weights is None else _weights_side_by_side(self.row_weights, side),
            groups=None if groups is None else replace(groups, row=side[groups.row], column=side[groups.column]),
        )

    def counts(self) -> list[list[int]]:
        """The items, counted without weights."""
        return summed([stratum.counts for stratum in self.strata])

    def cells(self) -> Floats:
        """S x K x C: the items by stratum; weighted rows in effective rows."""
        if self.row_weights is not None:
            return self.row_weights.scaled[None]
        return np.array([stratum.counts for stratum in self.strata], dtype=np.float64)

    def population(self) -> list[list[int]]:
        """The frame's table in whole numbers that stand in the ratio of its shares."""
        if self.row_weights is not None:
            return self.row_weights.table
        if not self.weighted or not self.n:
            return self.counts()
        common = math.lcm(*(stratum.finished for stratum in self.strata))
        times = [stratum.frame * (common // stratum.finished) for stratum in self.strata]
        return summed(
            [[[factor * count for count in row] for row in each.counts] for factor, each in zip(times, self.strata, strict=True)]
        )

    def shares(self) -> list[list[float]]:
        """The frame's table in shares that add up to 1; all zero without items."""
        table = self.population()
        total = max(1, sum(map(sum, table)))
        return [[count / total for count in row] for row in table]


def _of_pair(pair: PairTally, strict: bool) -> Sample:
    if pair.row_weights and not strict:
        return _of_rows(pair)
    size = len(pair.confusion)
    whole = _widened(pair.confusion, pair.unreadable) if strict else checked(pair.confusion)
    known = [each for each in pair.strata if each.column is None or 0 <= each.column < size + strict]
    empty = next((each for each in known if each.frame > 0 and each.finished == 0), None)
    unlabelled = "" if empty is None else nobody_finished(empty.name, empty.frame)
    if not pair.weighted:
        strata: tuple[Stratum, ...] = (_plain(whole),)
        places = dict.fromkeys(range(max(1, len(pair.strata))), 0)
    else:
        kept = [place for place, each in enumerate(pair.strata) if each in known and each.finished > 0]
        places = {place: new for new, place in enumerate(kept)}
        strata = tuple(
            Stratum(
                each.frame,
                each.finished,
                _widened(each.confusion, each.unreadable or (0,) * size) if strict else checked(each.confusion),
                each.column,
            )
            for each in (pair.strata[place] for place in kept)
        )
    if any(stratum.cells > stratum.finished for stratum in strata):
        raise ValueError(f"A stratum of {pair.rows} x {pair.columns} holds more items than were finished in it. Count again.")
    groups = groups_of(pair.clusters, places, size + strict)
    frame = frame_groups_of(pair.frame_groups, places) if pair.weighted and groups is not None else None
    return Sample(strata or (_plain(whole),), pair.weighted, groups, frame, unlabelled)


def _of_rows(pair: PairTally) -> Sample:
    """Rows with weights of their own. Each unit is drawn by itself, whatever it weighs."""
    counts, size = checked(pair.confusion), len(pair.confusion)
    sizes = np.fromiter(map(len, pair.row_weights), dtype=np.int64, count=len(pair.row_weights))
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(pair.row_weights)), dtype=np.float64).reshape(-1, 3)
    times = np.fromiter(pair.row_weights.values(), dtype=np.float64, count=len(sizes))
    content, weight = np.repeat(np.arange(len(sizes)), sizes), flat[:, 2]
    row, column = flat[:, 0].astype(np.int64), flat[:, 1].astype(np.int64)
    of_entry, whole = weight * times[content], float((weight * times[content]).sum())
    sums = [[Fraction(math.fsum(of_entry[(row == i) & (column == j)])) for j in range(size)] for i in range(size)]
    common = math.lcm(*(cell.denominator for line in sums for cell in line))
    effective = whole**2 / float((weight**2 * times[content]).sum())
    weights = RowWeights(
        table=[[int(cell * common) for cell in line] for line in sums],
        scaled=np.array([[float(cell) for cell in line] for line in sums]) * (effective / whole),
        grouped=bool((sizes > 1).any()),
    )
    groups = Groups(content, np.zeros_like(content), row, column, weight * (effective / whole), times)
    return Sample((_plain(counts),), groups=groups, row_weights=weights)


def _plain(counts: list[list[int]]) -> Stratum:
    n = sum(map(sum, counts))
    return Stratum(n, n, counts)


def groups_of(clusters: Contents, places: Mapping[int, int], width: int) -> Groups | None:
    """The groups in the cells of this sample; None where each of them holds one item only."""
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(clusters)), dtype=np.int64).reshape(-1, 4)
    content = np.repeat(np.arange(len(clusters)), np.fromiter(map(len, clusters), dtype=np.int64, count=len(clusters)))
    place_of = _place_of(places)
    kept = flat[:, 2] < width
    content, flat = content[kept], flat[kept]
    used, content = np.unique(content, return_inverse=True)
    sizes = np.bincount(content, weights=flat[:, 3], minlength=len(used))
    if not len(sizes) or sizes.max() < 2:
        return None
    times = np.fromiter(clusters.values(), dtype=np.float64, count=len(clusters))[used]
    return Groups(content, place_of[flat[:, 0]], flat[:, 1], flat[:, 2], flat[:, 3].astype(np.float64), times)


def frame_groups_of(frame: Mapping[tuple[tuple[int, int], ...], int], places: Mapping[int, int]) -> FrameGroups | None:
    """Without the strata that are no part of this sample."""
    if not frame:
        return None
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(frame)), dtype=np.int64).reshape(-1, 2)
    content = np.repeat(np.arange(len(frame)), np.fromiter(map(len, frame), dtype=np.int64, count=len(frame)))
    kept = np.isin(flat[:, 0], list(places))
    content, flat = content[kept], flat[kept]
    times = np.fromiter(frame.values(), dtype=np.float64, count=len(frame))
    return FrameGroups(content, _place_of(places)[flat[:, 0]], flat[:, 1].astype(np.float64), times)


def _place_of(places: Mapping[int, int]) -> NDArray[np.int64]:
    """The place in the sample, by the stratum's place in the pair."""
    found = np.full(max(places, default=0) + 1, -1)
    found[list(places)] = list(places.values())
    return found


def _weights_side_by_side(weights: RowWeights, side: NDArray[np.int64]) -> RowWeights:
    scaled = np.zeros((2, 2))
    np.add.at(scaled, (side[:, None], side[None, :]), weights.scaled)
    return RowWeights(_side_by_side(weights.table, side), scaled, weights.grouped)


def _side_by_side(counts: list[list[int]], side: NDArray[np.int64]) -> list[list[int]]:
    merged = [[0] * (int(side.max()) + 1) for _ in range(2)]
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            merged[side[i]][side[j]] += count
    return merged


def check_place(place: int, size: int) -> None:
    """Raises ValueError where `place` is none of `size` choices."""
    if not 0 <= place < size:
        raise ValueError(f"`positive` must be a place from 0 to {size - 1}. Found {place}.")


def nobody_finished(stratum: str, frame: int) -> str:
    """Why figures are undefined where a stratum of the frame has no finished item."""
    return f"no item of the stratum {stratum!r} is finished, and {frame:,} items of the frame lie in it"


def checked(table: Table) -> list[list[int]]:
    """The table as Python integers, which neither overflow nor round. Raises ValueError for no table of counts."""
    counts = [[operator.index(count) for count in row] for row in table]
    widths = {len(row) for row in counts}
    if len(counts) < 2 or widths != {len(counts)}:
        raise ValueError(
            f"A table must be square, with two choices or more. Found {len(counts)} rows of {sorted(widths)} "
            "columns. Give one row and one column per declared choice, used or not."
        )
    if any(count < 0 for row in counts for count in row):
        raise ValueError(f"A table must hold counts of items. Found {min(map(min, counts))}. Count again.")
    return counts


def summed(tables: Sequence[list[list[int]]]) -> list[list[int]]:
    """Cell by cell; there must be at least one table."""
    return [[sum(cells) for cells in zip(*rows, strict=True)] for rows in zip(*tables, strict=True)]


def _widened(table: Table, unreadable: Sequence[int]) -> list[list[int]]:
    counts, extra = checked(table), [operator.index(count) for count in unreadable]
    if len(extra) != len(counts) or any(count < 0 for count in extra):
        raise ValueError(f"`unreadable` must hold one count per human choice. Found {extra} for {len(counts)} choices.")
    return [[*row, more] for row, more in zip(counts, extra, strict=True)]
