"""Counting who said what beside whom: rows of the store in, `data.tallies` out.

Answers are small whole numbers throughout, and everything is counted on columns at once.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from data.questions import Question
from data.records import CONSENSUS
from data.store.chosen import CHOSEN_NAMES
from data.store.columns import Bools, Ints, numbered, trajectory_count
from data.store.groups import group_numbers
from data.store.pairing import (
    FrameGroups,
    Mapped,
    Shared,
    count_pair,
    excluded_of,
    frame_of,
    group_count,
    groups_of_frame,
    is_weighted,
)
from data.store.pooling import Pool, pool
from data.store.ratings import Ratings, Wanted, read_ratings
from data.store.selection import Selection, selection
from data.store.sides import MISSING, PHASES, SKIPPED, Side
from data.store.store import Store
from data.store.vote_counts import count_votes
from data.study import Study
from data.tallies import PairTally, QuestionTally

SOURCES = tuple(PHASES)
NO_RUN = -1
"""In the place of a run's code: what humans say alone."""


def tally(store: Store, study: Study, run: int | None, source: str | None, within: Bools | None = None) -> list[QuestionTally]:
    """Every question's counts.

    `run`: the code of one judge run, or None for all; `source`: see `SOURCES`; `within` (by trajectory number):
    these items alone, with their part of the frame. It takes many queries: where labelling goes on, call it
    within `Store.reading`.
    """
    return [answers.tally() for answers in read_answers(store, study, run, source, within)]


def read_answers(
    store: Store,
    study: Study,
    run: int | None,
    source: str | None,
    within: Bools | None = None,
    held_back: Selection | None = None,
) -> "list[Answers]":
    """What everybody said, question by question: read once, to be counted whole or part by part. Parameters as in `tally`.

    Of a run whose prompt was revised here only what it says of dev is read (`selection`, else `held_back`).
    """
    runs = {
        code: name
        for code, name in store.conn.execute("SELECT code, name FROM judge_runs ORDER BY name")
        if run is None or code == run
    }
    size = trajectory_count(store)
    held_back = selection(store) if held_back is None else held_back
    frame = Frame(pool(store, within), group_numbers(store))
    known: dict[str, Ratings] = {}
    for question in study.questions:
        known[question.id] = read_ratings(store, question, Wanted(runs, source, within, size, held_back), known)
    return [Answers(ratings, frame) for ratings in known.values()]


@dataclass(frozen=True)
class Frame:
    """What items were drawn from, and which of them share a group."""

    pool: Pool
    group_of: Ints
    """By trajectory number."""

    @cached_property
    def groups(self) -> FrameGroups:
        """What each group holds of every stratum."""
        return groups_of_frame(self.pool, self.group_of)

    def within(self, items: Bools) -> "Frame":
        """The part of the frame that `items` (by trajectory number) are."""
        return Frame(self.pool.within(items), self.group_of)


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said on one question, and everything else that its counts need."""

    ratings: Ratings
    frame: Frame

    def within(self, items: Bools, frame: Frame) -> "Answers":
        """What was said on `items` (by trajectory number); `frame` is the part of the frame that they are."""
        return Answers(self.ratings.within(items), frame)

    def beside(self, *runs: str | None) -> "Answers":
        """What figures of these runs are about: all of it, or dev alone where the prompt of one was revised here."""
        chosen = self.ratings.selection
        return self.within(chosen.items, self.frame.within(chosen.items)) if chosen.of(*runs) else self

    def tally(self) -> QuestionTally:
        ratings, question = self.ratings, self.ratings.question
        names = list(ratings.people)
        votes = count_votes(ratings, self.frame.pool, self.frame.group_of)
        return QuestionTally(
            id=question.id,
            type=question.type,
            choices=question.choices,
            positive=None if question.positive is None else question.choices.index(question.positive),
            judge_pairs=tuple(pair for run in ratings.verdicts for pair in self.judge_pairs(run, [CONSENSUS, *names])),
            human_pairs=self.human_pairs(),
            votes=votes.counts,
            units=votes.units,
            vote_strata=votes.strata,
            vote_clusters=votes.clusters,
            missing=votes.missing,
            outside_frame=votes.outside,
        )

    def judge_pairs(self, run: str, people: Iterable[str]) -> Iterator[PairTally]:
        """Each of `people` (the consensus is one) beside the run; without an item that both had there is no pair."""
        return self.beside(run)._judge_pairs(run, people)

    def _judge_pairs(self, run: str, people: Iterable[str]) -> Iterator[PairTally]:
        ratings = self.ratings
        if run not in ratings.verdicts:
            return
        verdicts = ratings.verdicts[run].on(ratings.size)
        by_run = (run, ratings.question.id) in self.frame.pool.by
        before = ratings.condition.ratings if ratings.condition else None
        for name in people:
            human = ratings.human(name)
            sides = (before.human(name), before.verdicts.get(run)) if before else ()
            asked = ratings.asked(human.items, *(side or None for side in sides))
            items, answers = human.items[asked], human.answers[asked]
            if (verdicts[items] != MISSING).any():
                pair = self.pair(
                    Shared(
                        f"human:{name}", f"judge:{run}", items, answers, verdicts[items], self.pool_of(human),
                        ratings.finished(name), self.frame.group_of, verdicts if by_run else None,
                    ),
                    [name],
                )  # fmt: skip
                yield replace(pair, selected=ratings.selection.of(run))

    def human_pairs(self) -> tuple[PairTally, ...]:
        """Each two people who had an item in common."""
        names = list(self.ratings.people)
        return tuple(pair for place, first in enumerate(names) for pair in self._human_pairs(first, names[place + 1 :]))

    def _human_pairs(self, first: str, others: list[str]) -> Iterator[PairTally]:
        """A person beside others; without an item that both had there is no pair."""
        ratings = self.ratings
        one, finished = ratings.people[first].on(ratings.size), ratings.finished(first)
        before = ratings.condition.ratings if ratings.condition else None
        for second in others:
            other = ratings.people[second]
            sides = (before.human(first), before.human(second)) if before else ()
            shared = (one[other.items] != MISSING) & ratings.asked(other.items, *(side or None for side in sides))
            items = other.items[shared]
            if len(items):
                yield self.pair(
                    Shared(
                        f"human:{first}", f"human:{second}", items, one[items], other.answers[shared],
                        self.pool_of(ratings.people[first], other), finished & ratings.finished(second), self.frame.group_of,
                    ),
                    [first, second],
                )  # fmt: skip

    def pool_of(self, *sides: Side) -> Pool | None:
        """The strata behind these sides; none where a label of theirs was imported, for nobody knows how that was drawn."""
        return None if any(side.imported.any() for side in sides) else self.frame.pool

    def pair(self, shared: Shared, people: list[str]) -> PairTally:
        """The tables of a pair, by the type of the question."""
        question = self.ratings.question
        shared = replace(shared, frame_groups=self.frame.groups)
        both = shared.items[shared.both]
        if question.answered_by == "choice":
            pair = count_pair(shared, len(question.choices))
        else:
            strata = frame_of(shared)
            pair = PairTally(
                rows=shared.rows,
                columns=shared.columns,
                confusion=(),
                unreadable=(),
                excluded=excluded_of(shared),
                design="imported" if shared.pool is None else shared.pool.design,
                groups=group_count(self.frame.group_of[both]),
                weighted=is_weighted(strata),
                strata=strata,
                by_label=_by_label(shared, question),
                scores=_scores(shared, self.ratings) if question.type == "score" else {},
                at_threshold=_at_threshold(shared, self.ratings),
            )
        single = int(np.isin(both, self.ratings.single, assume_unique=True).sum()) if people == [CONSENSUS] else None
        return replace(pair, codebooks=self._codebooks(both, people), single=single)

    def _codebooks(self, items: Ints, people: list[str]) -> dict[str, int]:
        """Codebook page to the labels that were given under it, of `people` on `items`."""
        ratings = self.ratings
        if len(ratings.pages) < 2 and people != [CONSENSUS]:
            # Both gave a label: an imported one has no page, any other has the only one there is.
            given = len(items) * len(people)
            imported = sum(
                int(np.isin(items, side.items[side.imported]).sum()) for side in map(ratings.human, people) if side.imported.any()
            )
            return {page: given - imported for page in ratings.pages if given > imported}
        used = np.zeros(ratings.size + 1, dtype=bool)
        used[items] = True
        sides = ratings.people.values() if people == [CONSENSUS] else [ratings.people[name] for name in people]
        counts = np.zeros(len(ratings.pages) + 1, dtype=np.int64)
        for side in sides:
            labels = used[side.items] & (side.answers != SKIPPED)
            counts += np.bincount(side.pages[labels] + 1, minlength=len(counts))
        return {page: int(count) for page, count in sorted(zip(ratings.pages, counts[1:], strict=True)) if count}


def _by_label(shared: Shared, question: Question) -> Mapping[str, PairTally]:
    """For several choices: whether each was among them, on one side and on the other."""
    if question.type != "multilabel":
        return {}
    return {choice: count_pair(shared.mapped(bit_of(place)), 2) for place, choice in enumerate(question.choices)}


def bit_of(place: int) -> Mapped:
    """Whether the choice at `place` is among several."""
    return lambda sets: sets >> place & 1


def reached(ratings: Ratings) -> Mapped | None:
    """Whether a score reaches the threshold that is declared, if one is."""
    threshold = ratings.question.threshold
    if threshold is None:
        return None
    first = int(np.searchsorted(ratings.levels, threshold))
    return lambda levels: (levels >= first).astype(np.int64)


def _at_threshold(shared: Shared, ratings: Ratings) -> PairTally | None:
    """For scores with a threshold: whether it was reached."""
    map = reached(ratings)
    return None if map is None else count_pair(shared.mapped(map), 2)


def _scores(shared: Shared, ratings: Ratings) -> dict[tuple[int, float, float], int]:
    both = shared.both
    stratum = np.zeros(int(both.sum()), dtype=np.int64) if shared.pool is None else shared.pool.stratum_of[shared.items[both]]
    size = len(ratings.levels)
    cells, place = numbered((stratum * size + shared.first[both]) * size + shared.second[both])
    counts = np.bincount(place, minlength=len(cells))
    levels = ratings.levels.tolist()
    return {
        (cell // (size * size), levels[cell // size % size], levels[cell % size]): count
        for cell, count in zip(cells.tolist(), counts.tolist(), strict=True)
    }


def current_labels(store: Store) -> list[dict[str, Any]]:
    """Every current label, ordered by question, trajectory and annotator; undone and surplus ones left out.

    The answer stands under `choice`, `choices` or `score`, as its question is declared; null where there is none.
    """
    store.conn.row_factory = sqlite3.Row
    try:
        rows = [dict(row) for row in store.conn.execute(_CURRENT)]
    finally:
        store.conn.row_factory = None
    return [_label(row, row.pop("type")) for row in rows]


def _label(row: dict[str, Any], type: str | None) -> dict[str, Any]:
    kind = {"multilabel": "choices", "score": "score"}.get(type or "", "choice")
    parsed = {key: json.loads(row[key]) for key in ("choices", "evidence") if row[key] is not None}
    return {key: value for key, value in (row | parsed).items() if key not in ("choice", "choices", "score") or key == kind}


_CURRENT = f"""
SELECT t.id AS id, q.id AS question, a.handle AS annotator, e.action AS action, c.name AS choice, {CHOSEN_NAMES} AS choices,
       e.score AS score, e.evidence AS evidence,
       e.rationale AS rationale, e.reason AS reason, e.confidence AS confidence, e.phase AS phase, b.name AS batch,
       e.codebook AS codebook, e.question_version AS question_version, e.shown AS shown, e.active_seconds AS active_seconds,
       e.at AS at, (SELECT json_extract(v.document, '$.type') FROM question_versions v WHERE v.question = q.code
                    ORDER BY v.rowid DESC LIMIT 1) AS type
FROM (SELECT max(seq) AS last FROM label_events WHERE phase IN ('blind', 'imported') AND surplus = 0 AND action <> 'flag'
      GROUP BY question, phase, annotator, trajectory) latest
JOIN label_events e ON e.seq = latest.last JOIN trajectories t ON t.n = e.trajectory
JOIN questions q ON q.code = e.question JOIN annotators a ON a.code = e.annotator
LEFT JOIN batches b ON b.code = e.batch LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
WHERE e.action <> 'undo' ORDER BY q.id, t.id, a.handle, e.phase
"""
