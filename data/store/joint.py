"""Counting two judge runs beside the human consensus, item by item: what a comparison of the two rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from data.questions import Question
from data.records import CONSENSUS
from data.store.columns import Bools, Ints
from data.store.pairing import FrameGroups, Mapped, clusters_of, group_count, is_weighted, only_columns
from data.store.pooling import Pool
from data.store.ratings import Ratings
from data.store.sides import ERROR, MISSING, SKIPPED, TIE, UNSURE
from data.store.store import Store
from data.store.tallying import Answers, bit_of, reached
from data.tallies import Excluded, JointStratum, JointTally


def runs_in_order(store: Store) -> list[str]:
    """The judge runs by when they were recorded, then by name."""
    return [name for (name,) in store.conn.execute("SELECT name FROM judge_runs ORDER BY recorded_at, name")]


def joint_tally(answers: Answers, first: str, second: str) -> JointTally | None:
    """Two runs beside the consensus; None where no item has something of all three."""
    answers = answers.beside(first, second)
    ratings, frame = answers.ratings, answers.frame
    if first not in ratings.verdicts or second not in ratings.verdicts:
        return None
    human = ratings.consensus
    one, two = (ratings.verdicts[run].on(ratings.size) for run in (first, second))
    items, said = _asked(ratings, first, second)
    if not ((one[items] != MISSING) & (two[items] != MISSING)).any():
        return None
    by = {run for run, id in frame.pool.by if id == ratings.question.id}
    three = _Three(
        f"judge:{first}", f"judge:{second}", items, said, one[items], two[items], answers.pool_of(human),
        ratings.finished(CONSENSUS), frame.group_of, frame.groups, one if first in by else None, two if second in by else None,
    )  # fmt: skip
    question, selected = ratings.question, ratings.selection.of(first, second)
    if question.answered_by == "choice":
        return replace(three.counted(len(question.choices)), selected=selected)
    threshold = reached(ratings)
    return replace(
        three.uncounted(),
        selected=selected,
        by_label=_by_label(three, question),
        at_threshold=None if threshold is None else three.mapped(threshold).counted(2),
    )


def joint_items(answers: Answers, first: str, second: str) -> tuple[Ints, Ints]:
    """The items of `joint_tally`'s tables (trajectory numbers, ascending) and what the consensus says of each."""
    ratings = answers.beside(first, second).ratings
    items, said = _asked(ratings, first, second)
    kept = said >= 0
    for run in (first, second):
        kept &= (ratings.verdicts[run].on(ratings.size)[items] != MISSING) if run in ratings.verdicts else False
    return items[kept], said[kept]


def _asked(ratings: Ratings, first: str, second: str) -> tuple[Ints, Ints]:
    """The consensus where the question was put to it or to one of the runs: items and answers."""
    human, before = ratings.consensus, ratings.condition.ratings if ratings.condition else None
    sides = (before.human(CONSENSUS), before.verdicts.get(first), before.verdicts.get(second)) if before else ()
    asked = ratings.asked(human.items, *(side or None for side in sides))
    return human.items[asked], human.answers[asked]


def _by_label(three: "_Three", question: Question) -> Mapping[str, JointTally]:
    if question.type != "multilabel":
        return {}
    return {choice: three.mapped(bit_of(place)).counted(2) for place, choice in enumerate(question.choices)}


@dataclass(frozen=True, slots=True)
class _Three:
    """The items that the human side has, a row each, and what both runs say of them."""

    first_name: str
    second_name: str
    items: Ints
    human: Ints
    """The consensus, or why there is none."""
    first: Ints
    second: Ints
    pool: Pool | None
    """None where labels are imported: then there are no strata."""
    finished: Bools
    """By trajectory number: whether the human side is done with it."""
    group_of: Ints
    """By trajectory number."""
    frame_groups: FrameGroups = field(default_factory=dict)
    drawn_by_first: Ints | None = None
    """By trajectory number: the first run's verdict, where the strata were drawn by that."""
    drawn_by_second: Ints | None = None

    def mapped(self, map: Mapped) -> "_Three":
        """The same items in another table."""

        def each(answers: Ints) -> Ints:
            return np.where(answers < 0, answers, map(np.maximum(answers, 0)))

        return replace(
            self,
            human=each(self.human),
            first=each(self.first),
            second=each(self.second),
            drawn_by_first=None if self.drawn_by_first is None else each(self.drawn_by_first),
            drawn_by_second=None if self.drawn_by_second is None else each(self.drawn_by_second),
        )

    def uncounted(self) -> JointTally:
        """Without a table, for answers that are no choices."""
        both = (self.human >= 0) & (self.first >= 0) & (self.second >= 0)
        return JointTally(
            rows=f"human:{CONSENSUS}",
            first=self.first_name,
            second=self.second_name,
            counts=(),
            excluded=self._excluded(),
            design="imported" if self.pool is None else self.pool.design,
            groups=group_count(self.group_of[self.items[both]]),
        )

    def counted(self, size: int) -> JointTally:
        """The tables of answers that are places from 0 to `size` - 1."""
        width = size + 1
        kept = (self.human >= 0) & (self.first != MISSING) & (self.second != MISSING)
        items = self.items[kept]
        one, two = (np.where(side[kept] == ERROR, size, side[kept]) for side in (self.first, self.second))
        stratum = np.zeros(len(items), dtype=np.int64) if self.pool is None else self.pool.stratum_of[items]
        strata = 1 if self.pool is None else len(self.pool.strata)
        cell = ((stratum * size + self.human[kept]) * width + one) * width + two
        tables = np.bincount(cell, minlength=strata * size * width**2).reshape(strata, size, width, width)
        listed = self._strata(tables)
        weighted = is_weighted(listed)
        return replace(
            self.uncounted(),
            counts=_nested(tables.sum(axis=0)),
            weighted=weighted,
            strata=listed,
            clusters=_clusters(self.group_of[items], cell, size),
            frame_groups=self.frame_groups if weighted else {},
        )

    def _excluded(self) -> Excluded:
        said = self.human >= 0
        missing = said & ((self.first == MISSING) | (self.second == MISSING))
        return Excluded(
            missing=int(missing.sum()),
            skipped=int((self.human == SKIPPED).sum()),
            unsure=int((self.human == UNSURE).sum()),
            tie=int((self.human == TIE).sum()),
            error=int((said & ~missing & ((self.first == ERROR) | (self.second == ERROR))).sum()),
        )

    def _strata(self, tables: Ints) -> tuple[JointStratum, ...]:
        if self.pool is None:
            return ()
        size = tables.shape[1]
        first, second = (only_columns(self.pool, drawn_by, size) for drawn_by in (self.drawn_by_first, self.drawn_by_second))
        inside = self.pool.stratum_of >= 0
        finished = np.bincount(self.pool.stratum_of[self.finished & inside], minlength=len(self.pool.strata)).tolist()
        return tuple(
            JointStratum(stratum.name, stratum.frame, finished[k], _nested(tables[k]), first[k], second[k])
            for k, stratum in enumerate(self.pool.strata)
        )


def _nested(table: Ints) -> tuple[tuple[tuple[int, ...], ...], ...]:
    return tuple(tuple(tuple(row) for row in rows) for rows in table.tolist())


def _clusters(group: Ints, cell: Ints, size: int) -> Mapping[tuple[tuple[int, int, int, int, int], ...], int]:
    width = size + 1
    return {
        tuple(
            (at // (size * width**2), at // width**2 % size, at // width % width, at % width, items) for at, items in pattern
        ): groups
        for pattern, groups in clusters_of(group, cell).items()
    }
