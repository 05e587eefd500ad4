"""Counting how often each answer was given: verdicts on all trajectories, human answers on what was drawn.

Items of the frame fall into cells, by the stratum of the draws and by the verdict of one run. Within a stratum
what was drawn is a simple random part, so what lies in a cell of it is one, too, whichever run the draws went
by: a cell's human answers speak for all items of the cell. Unreadable verdicts and none at all are cells like others.

Imported labels have no frame: their cells hold what was labelled and nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from data.rate_tallies import FieldRates, QuestionRates, RateCell, Rates, RateTable, RunRates, ScoreCell, ScoreRates
from data.records import CONSENSUS
from data.store.columns import Bools, Floats, Ints, numbered
from data.store.pairing import Mapped, clusters_of, group_count
from data.store.pooling import Pool
from data.store.ratings import Ratings
from data.store.sides import ERROR, MISSING, SKIPPED, TIE, UNSURE
from data.store.slicing import Slicing
from data.store.store import Store
from data.store.tallying import Answers, read_answers
from data.store.vote_counts import missing_of
from data.study import Study
from data.tallies import Excluded

AT_THRESHOLD = "at the threshold"


def count_rates(
    store: Store, study: Study, run: int | None, source: str | None, slicings: Sequence[Slicing] = ()
) -> list[QuestionRates]:
    """Every question's counts, over all items and by the values of each of `slicings`.

    `run`: the code of one judge run, or None for all; `source`: see `tallying.SOURCES`. It takes many queries:
    where labelling goes on, call it within `Store.reading`.
    """
    return [rates_of(answers, slicings) for answers in read_answers(store, study, run, source)]


def rates_of(answers: Answers, slicings: Sequence[Slicing] = ()) -> QuestionRates:
    """The same of one question whose answers have been read."""
    return _Counting.of(answers, slicings).question()


@dataclass(frozen=True, slots=True)
class _Parts:
    """A division of the trajectories."""

    of: Ints
    """By trajectory number: its part, -1 for none."""
    number: int


@dataclass(frozen=True, slots=True)
class _Views:
    """One question's answers as places among K choices."""

    choices: int
    human: Ints
    """By trajectory number; below 0 where there is no answer."""
    judge: Ints
    """By trajectory number; K is an unreadable verdict, K + 1 none."""
    asked: Bools
    """By trajectory number: whether the judge's own earlier verdict asks this question."""


@dataclass(frozen=True, slots=True)
class _Counting:
    """One question and everything that its counts need. Columns are by trajectory number."""

    ratings: Ratings
    pool: Pool
    imported: bool
    group_of: Ints
    slicings: Sequence[Slicing]
    human: Ints
    """The consensus, or why there is none; `MISSING` where the question was not asked."""
    finished: Bools
    stratum: Ints
    """Place of the stratum; -1 outside the frame."""

    @classmethod
    def of(cls, answers: Answers, slicings: Sequence[Slicing]) -> "_Counting":
        ratings, frame = answers.ratings, answers.frame
        side = ratings.consensus
        before = ratings.condition.ratings.consensus if ratings.condition else None
        asked = ratings.asked(side.items, before)
        human = np.full(ratings.size + 1, MISSING, dtype=np.int64)
        human[side.items[asked]] = side.answers[asked]
        finished = ratings.finished(CONSENSUS)
        imported = bool(side.imported.any())
        stratum = np.where(finished, 0, -1) if imported else frame.pool.stratum_of
        return cls(ratings, frame.pool, imported, frame.group_of, slicings, human, finished, stratum)

    def question(self) -> QuestionRates:
        question = self.ratings.question
        runs: list[str | None] = [*self.ratings.verdicts] or [None]
        whole = _Parts(np.where(np.arange(self.ratings.size + 1) > 0, 0, -1), 1)
        return QuestionRates(
            id=question.id,
            type=question.type,
            choices=question.choices,
            positive=None if question.positive is None else question.choices.index(question.positive),
            design="imported" if self.imported else self.pool.design,
            trajectories=self.ratings.size,
            conditional=self.ratings.condition is not None,
            threshold=question.threshold,
            limits=None if question.min is None or question.max is None else (float(question.min), float(question.max)),
            strata=() if self.imported else missing_of(self.ratings, self.pool),
            left_out=Excluded(**{why: int((self.human == code).sum()) for why, code in _LEFT_OUT.items()}),
            runs=tuple(
                RunRates(run, self._rates(run, whole)[0], tuple(self._by_field(run)), self.ratings.selection.of(run))
                for run in runs
            ),
            outside_frame=0 if self.imported else self.pool.outside,
            codebooks=self._codebooks(),
        )

    def _by_field(self, run: str | None) -> Iterator[FieldRates]:
        for slicing in self.slicings:
            if slicing.parts:
                rates = self._rates(run, _Parts(slicing.place.astype(np.int64), len(slicing.parts)))
                parts = [(name, kind, each) for (name, kind), each in zip(slicing.parts, rates, strict=True)]
                yield FieldRates(slicing.field, slicing.origin, tuple(parts))

    def _rates(self, run: str | None, parts: _Parts) -> list[Rates]:
        """One entry a part; of a run whose prompt was revised here, its part of dev."""
        if self.ratings.selection.of(run):
            parts = _Parts(np.where(self.ratings.selection.items, parts.of, -1), parts.number)
        trajectories = np.bincount(parts.of[parts.of >= 0], minlength=parts.number).tolist()
        tables = {name: self._tables(views, parts) for name, views in self._views(run).items()}
        scores = self._scores(run, parts) if self.ratings.question.type == "score" else [None] * parts.number
        return [Rates(trajectories[k], {name: found[k] for name, found in tables.items()}, scores[k]) for k in range(parts.number)]

    def _views(self, run: str | None) -> Mapping[str, _Views]:
        question = self.ratings.question
        judge = self._judge(run)
        asked = np.arange(self.ratings.size + 1) > 0
        if self.ratings.condition and run is not None:
            asked[1:] &= self.ratings.asked(np.arange(1, len(asked)), self.ratings.condition.ratings.verdicts.get(run))

        def view(choices: int, map: Mapped | None = None) -> _Views:
            human, said = (column if map is None else _mapped(column, map) for column in (self.human, judge))
            return _Views(choices, human, np.where(said == ERROR, choices, np.where(said == MISSING, choices + 1, said)), asked)

        if question.type == "multilabel":
            return {choice: view(2, partial(_bit, place)) for place, choice in enumerate(question.choices)}
        if question.type != "score":
            return {"": view(len(question.choices))}
        if question.threshold is None:
            return {}
        first = int(np.searchsorted(self.ratings.levels, question.threshold))
        return {AT_THRESHOLD: view(2, lambda levels: (levels >= first).astype(np.int64))}

    def _judge(self, run: str | None) -> Ints:
        size = self.ratings.size
        return np.full(size + 1, MISSING, dtype=np.int64) if run is None else self.ratings.verdicts[run].on(size)

    def _tables(self, views: _Views, parts: _Parts) -> list[RateTable]:
        width, strata = views.choices + 2, max(1, len(self.pool.strata))
        there = np.flatnonzero(views.asked & (parts.of >= 0))
        said = np.bincount(parts.of[there] * width + views.judge[there], minlength=parts.number * width).reshape(-1, width).tolist()
        framed = np.flatnonzero((self.stratum >= 0) & (parts.of >= 0))
        cell = (parts.of[framed] * strata + self.stratum[framed]) * width + views.judge[framed]
        cells = parts.number * strata * width
        done, human = self.finished[framed], views.human[framed]
        answered = done & (human >= 0)
        frame = np.bincount(cell, minlength=cells)
        finished = np.bincount(cell[done], minlength=cells)
        answers = np.bincount(cell[answered] * views.choices + human[answered], minlength=cells * views.choices)
        answers = answers.reshape(cells, views.choices)
        # Cells are numbered part by part, so those of one part lie beside each other.
        listed = np.flatnonzero(frame)
        place = np.zeros(cells, dtype=np.int64)
        starts = np.searchsorted(listed, np.arange(parts.number + 1) * strata * width).tolist()
        place[listed] = np.arange(len(listed)) - np.repeat(starts[:-1], np.diff(starts))
        found = [
            RateTable(
                tuple(said[k]),
                tuple(
                    RateCell(at // width % strata, at % width, int(frame[at]), int(finished[at]), tuple(answers[at].tolist()))
                    for at in listed[starts[k] : starts[k + 1]].tolist()
                ),
            )
            for k in range(parts.number)
        ]
        in_part = parts.of[framed]
        rows = place[cell] * views.choices + np.maximum(human, 0)
        return [
            self._grouped(table, framed[mine], rows[mine], place[cell[mine]], answered[mine], views.choices)
            for table, mine in zip(found, (in_part == k for k in range(parts.number)), strict=True)
        ]

    def _grouped(self, table: RateTable, items: Ints, rows: Ints, cells: Ints, answered: Bools, choices: int) -> RateTable:
        """The table with its groups. `rows`: cell and answer in one number."""
        if not answered.any():
            return table
        group = numbered(self.group_of[items])[1]
        clusters = clusters_of(group[answered], rows[answered])
        return replace(
            table,
            clusters={
                tuple((at // choices, at % choices, count) for at, count in held): groups for held, groups in clusters.items()
            },
            frame_groups=clusters_of(group, cells) if clusters else {},
            groups=group_count(group[answered]),
        )

    def _scores(self, run: str | None, parts: _Parts) -> list[ScoreRates | None]:
        judge, levels = self._judge(run), self.ratings.levels
        return [self._scores_of(judge, levels, parts.of == k) for k in range(parts.number)]

    def _scores_of(self, judge: Ints, levels: Floats, mine: Bools) -> ScoreRates:
        mine[0] = False
        said = judge[mine]
        human = (self.human >= 0) & mine
        grouped = bool(human.any()) and int(np.bincount(self.group_of[human]).max()) > 1
        cells = []
        for stratum in np.unique(self.stratum[mine & (self.stratum >= 0)]).tolist():
            within = mine & (self.stratum == stratum)
            for part in (within & (judge >= 0), within & (judge < 0)):
                labelled, rest = np.flatnonzero(part & human), np.flatnonzero(part & ~human)
                scored, others = labelled[judge[labelled] >= 0], rest[judge[rest] >= 0]
                if len(labelled) + len(rest):
                    cells.append(
                        ScoreCell(
                            stratum,
                            levels[self.human[labelled]],
                            levels[judge[scored]],
                            levels[judge[others]],
                            len(rest) - len(others),
                            self.group_of[labelled] if grouped else labelled[:0],
                            self.group_of[others] if grouped else others[:0],
                        )
                    )
        return ScoreRates(
            levels[said[said >= 0]], int((said == ERROR).sum()), int((said == MISSING).sum()), tuple(cells),
            group_count(self.group_of[human]),
        )  # fmt: skip

    def _codebooks(self) -> dict[str, int]:
        """Codebook page to the labels that were given under it, of the items with a consensus; empty where there is one page."""
        pages = self.ratings.pages
        if len(pages) < 2:
            return {}
        counts = np.zeros(len(pages) + 1, dtype=np.int64)
        for side in self.ratings.people.values():
            labels = (self.human[side.items] >= 0) & (side.answers != SKIPPED)
            counts += np.bincount(side.pages[labels] + 1, minlength=len(counts))
        return {page: int(count) for page, count in sorted(zip(pages, counts[1:], strict=True)) if count}


_LEFT_OUT = {"skipped": SKIPPED, "unsure": UNSURE, "tie": TIE}


def _mapped(answers: Ints, map: Mapped) -> Ints:
    return np.where(answers < 0, answers, map(np.maximum(answers, 0)))


def _bit(place: int, sets: Ints) -> Ints:
    bits: Ints = sets >> place & 1
    return bits
