"""Counting one pair of raters: who said what beside whom, by stratum and by group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from data.store.columns import Bools, Ints, numbered
from data.store.patterns import patterns_of
from data.store.pooling import Pool
from data.store.sides import ERROR, MISSING, SKIPPED, TIE, UNSURE
from data.tallies import Excluded, JointStratum, PairTally, StratumTally

FrameGroups = Mapping[tuple[tuple[int, int], ...], int]
"""As `PairTally.frame_groups`."""

Mapped = Callable[[Ints], Ints]
"""Answers from 0 to the places of another table."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The items of a pair that both sides had, a row each, and what is known of them."""

    rows: str
    columns: str
    items: Ints
    first: Ints
    """The row side's answers, or why there is none."""
    second: Ints
    pool: Pool | None
    """None where labels are imported: then there are no strata."""
    finished: Bools
    """By trajectory number: whether the row side (between humans: both) is done with it."""
    group_of: Ints
    """By trajectory number."""
    drawn_by: Ints | None = None
    """By trajectory number: what the column side says of it, where the strata were drawn by that."""
    frame_groups: FrameGroups = field(default_factory=dict)

    @property
    def judged(self) -> bool:
        return not self.columns.startswith("human:")

    def mapped(self, map: Mapped) -> "Shared":
        """The same items in another table."""

        def each(answers: Ints) -> Ints:
            return np.where(answers < 0, answers, map(np.maximum(answers, 0)))

        drawn_by = None if self.drawn_by is None else each(self.drawn_by)
        return replace(self, first=each(self.first), second=each(self.second), drawn_by=drawn_by)

    @property
    def both(self) -> Bools:
        """Whether an item has an answer on both sides."""
        return (self.first >= 0) & (self.second >= 0)


def excluded_of(pair: Shared) -> Excluded:
    """Each item that enters no figure, under the first reason that applies."""
    x, y = pair.first, pair.second
    if not pair.judged:
        skipped = (x == SKIPPED) | (y == SKIPPED)
        unsure = ~skipped & ((x == UNSURE) | (y == UNSURE))
        return Excluded(skipped=int(skipped.sum()), unsure=int(unsure.sum()))
    said = x >= 0
    return Excluded(
        missing=int((said & (y == MISSING)).sum()),
        skipped=int((x == SKIPPED).sum()),
        unsure=int((x == UNSURE).sum()),
        tie=int((x == TIE).sum()),
        error=int((said & (y == ERROR)).sum()),
    )


def count_pair(pair: Shared, size: int) -> PairTally:
    """The tables of a pair whose answers are places from 0 to `size` - 1."""
    both = pair.both
    in_cell = both | ((pair.first >= 0) & (pair.second == ERROR)) if pair.judged else both
    items, row = pair.items[in_cell], pair.first[in_cell]
    column = np.where(pair.second[in_cell] == ERROR, size, pair.second[in_cell])
    stratum = np.zeros(len(items), dtype=np.int64) if pair.pool is None else pair.pool.stratum_of[items]
    strata = 1 if pair.pool is None else len(pair.pool.strata)
    cell = (stratum * size + row) * (size + 1) + column
    tables = np.bincount(cell, minlength=strata * size * (size + 1)).reshape(strata, size, size + 1)
    whole = tables.sum(axis=0)
    listed = _strata(pair, tables)
    weighted = is_weighted(listed)
    return PairTally(
        rows=pair.rows,
        columns=pair.columns,
        confusion=_rows_of(whole[:, :size]),
        unreadable=tuple(whole[:, size].tolist()) if pair.judged else (),
        excluded=excluded_of(pair),
        design="imported" if pair.pool is None else pair.pool.design,
        groups=group_count(pair.group_of[pair.items[both]]),
        weighted=weighted,
        strata=listed,
        clusters=_clusters(pair.group_of[items], cell, size),
        frame_groups=pair.frame_groups if weighted else {},
    )


def group_count(groups: Ints) -> int:
    """How many different ones there are."""
    return int(np.count_nonzero(np.bincount(groups))) if len(groups) else 0


def frame_of(pair: Shared) -> tuple[StratumTally, ...]:
    """The strata without tables, for a pair whose answers are no choices."""
    # A score that the strata were drawn by has no column here; at its threshold it has one, see `Shared.mapped`.
    return _strata(replace(pair, drawn_by=None), np.zeros((len(pair.pool.strata) if pair.pool else 0, 0, 1), dtype=np.int64))


def is_weighted(strata: Sequence[StratumTally | JointStratum]) -> bool:
    """Whether items stand for different numbers of items in different strata."""
    return len({Fraction(each.frame, each.finished) if each.finished else None for each in strata if each.frame}) > 1


def _strata(pair: Shared, tables: Ints) -> tuple[StratumTally, ...]:
    if pair.pool is None:
        return ()
    size = tables.shape[1]
    inside = pair.pool.stratum_of >= 0
    columns = only_columns(pair.pool, pair.drawn_by, size)
    finished = np.bincount(pair.pool.stratum_of[pair.finished & inside], minlength=len(pair.pool.strata)).tolist()
    return tuple(
        StratumTally(
            name=stratum.name,
            frame=stratum.frame,
            drawn=stratum.drawn,
            finished=finished[k],
            confusion=_rows_of(tables[k][:, :size]),
            unreadable=tuple(tables[k][:, size].tolist()) if pair.judged else (),
            column=columns[k],
        )
        for k, stratum in enumerate(pair.pool.strata)
    )


def only_columns(pool: Pool, drawn_by: Ints | None, size: int) -> list[int | None]:
    """By stratum: the only column that its items can lie in (see `StratumTally.column`).

    `drawn_by`: by trajectory number the verdict by which strata were drawn; None where they were not.
    """
    if drawn_by is None:
        return [None] * len(pool.strata)
    inside = pool.stratum_of >= 0
    answers = drawn_by[inside]
    column = np.where(answers >= 0, answers, np.where(answers == ERROR, size, -1)) + 1
    width = size + 2
    met = np.bincount(pool.stratum_of[inside] * width + column, minlength=len(pool.strata) * width).reshape(-1, width) > 0
    return [int(row.argmax()) - 1 if row.sum() == 1 else None for row in met]


def _rows_of(table: Ints) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in table.tolist())


def _clusters(group: Ints, cell: Ints, size: int) -> Mapping[tuple[tuple[int, int, int, int], ...], int]:
    found = clusters_of(group, cell)
    width = size + 1
    return {
        tuple((at // (size * width), at // width % size, at % width, items) for at, items in pattern): groups
        for pattern, groups in found.items()
    }


def groups_of_frame(pooled: Pool, group_of: Ints) -> FrameGroups:
    """What each group holds of every stratum, drawn or not; empty for one stratum, and where no group has two items."""
    inside = pooled.stratum_of >= 0
    return clusters_of(group_of[inside], pooled.stratum_of[inside]) if len(pooled.strata) > 1 else {}


def clusters_of(group: Ints, cell: Ints) -> dict[tuple[tuple[int, int], ...], int]:
    """(cell, items) of what one group holds -> how many groups hold just that; empty where no group has two items."""
    if not len(group) or int(np.bincount(group).max()) < 2:
        return {}
    cells, thing = numbered(cell)
    found = patterns_of(group, thing, int(group.max()) + 1)
    names = cells.tolist()
    return {
        tuple((names[thing], items) for thing, items in pattern): groups
        for pattern, groups in zip(found.listed, found.groups, strict=True)
        if pattern
    }
