"""Counting the human side: each annotator beside the rest, beside herself, and everybody beside the judge.

What somebody said counts where the question was put to her: where her own earlier answer asks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from data.human_tallies import Accord, HumanTally, HumanTimes, Panel
from data.questions import Question
from data.store.columns import Floats, Ints
from data.store.consensus import Poll, consensus_of
from data.store.desk_times import DeskTimes, read_times
from data.store.pairing import Shared
from data.store.panel_counts import count_panel
from data.store.ratings import Ratings
from data.store.sides import MISSING, SKIPPED, TIE, UNSURE, Said, Side, SideReader
from data.store.store import Store
from data.store.tallying import Answers, read_answers
from data.store.vote_counts import count_votes
from data.study import Study
from data.tallies import Excluded, PairTally, QuestionTally

REST = "human:rest"


def human_side(store: Store, study: Study, run: int | None, source: str | None) -> tuple[list[HumanTally], HumanTimes]:
    """Every question's counts, and everybody's times at the desk.

    `run`: the code of one judge run, or None for all; `source` as in `tally`. It takes many queries: where
    labelling goes on, call it within `Store.reading`.
    """
    answers = read_answers(store, study, run, source)
    at_desk = any((~side.imported).any() for each in answers for side in each.ratings.people.values())
    times = read_times(store) if at_desk else DeskTimes.none()
    return [_Counting(store, each, times).tally() for each in answers], times.tally


@dataclass(frozen=True, slots=True)
class _Counting:
    """One question, and everything that its counts need."""

    store: Store
    answers: Answers
    times: DeskTimes

    @property
    def ratings(self) -> Ratings:
        return self.answers.ratings

    def tally(self) -> HumanTally:
        ratings = self.ratings
        people = {name: _asked(ratings, name) for name in ratings.people}
        done = np.zeros(ratings.size + 1, dtype=np.int64)
        for name in people:
            done += ratings.finished(name)
        rest = {name: _rest(ratings, people, name) for name in people}
        return HumanTally(
            question=self._question(),
            people=tuple(name for name, side in people.items() if (side.answers != SKIPPED).any()),
            rest=tuple(self._against(name, people[name], said, done) for name, said in rest.items() if len(said)),
            retests=self._retests(),
            panels=tuple(self._panel(run, people, done) for run in ratings.verdicts),
            accord=self._accord(people, rest),
            imported=any(side.imported.any() for side in people.values()),
            threshold=ratings.question.threshold,
        )

    def _panel(self, run: str, people: Mapping[str, Side], done: Ints) -> Panel:
        answers = self.answers.beside(run)
        if answers is self.answers:
            return count_panel(answers, run, people, done)
        chosen = answers.ratings.selection.items
        return replace(count_panel(answers, run, {name: side.within(chosen) for name, side in people.items()}, done), selected=True)

    def _question(self) -> QuestionTally:
        question = self.ratings.question
        votes = count_votes(self.ratings, self.answers.frame.pool, self.answers.frame.group_of)
        return QuestionTally(
            id=question.id,
            type=question.type,
            choices=question.choices,
            positive=None if question.positive is None else question.choices.index(question.positive),
            judge_pairs=(),
            human_pairs=self.answers.human_pairs(),
            votes=votes.counts,
            units=votes.units,
            vote_strata=votes.strata,
            vote_clusters=votes.clusters,
            missing=votes.missing,
            outside_frame=votes.outside,
        )

    def _against(self, name: str, mine: Side, rest: Said, done: Ints) -> PairTally:
        """One annotator (columns) beside the majority of the others (rows)."""
        ratings = self.ratings
        levels = _levels(ratings, rest.values[rest.reasons == 0])
        theirs = rest.side(levels)
        hers = mine if levels is None else _said(ratings, mine).side(levels)
        answers = hers.on(ratings.size)[theirs.items]
        finished = ratings.finished(name)
        pair = self._counted_by(levels).pair(
            Shared(
                REST, f"human:{name}", theirs.items, theirs.answers, answers, self.answers.pool_of(*ratings.people.values()),
                finished & (done > 1), self.answers.frame.group_of,
            ),
            [name],
        )  # fmt: skip
        tied = (answers >= 0) & (theirs.answers == TIE)
        return _leaving_out(
            pair,
            Excluded(skipped=int((answers == SKIPPED).sum()), unsure=int((answers == UNSURE).sum()), tie=int(tied.sum())),
        )

    def _counted_by(self, levels: Floats | None) -> Answers:
        """The answers, to count pairs by `levels` of scores that need not be anybody's own: a median may lie between two."""
        return self.answers if levels is None else replace(self.answers, ratings=replace(self.ratings, levels=levels))

    def _retests(self) -> tuple[PairTally, ...]:
        """First labels (rows) beside second ones of the same person; those of all people first, as nobody's."""
        ratings = self.ratings
        twice = SideReader(self.store, ratings.question).twice()
        if not twice:
            return ()
        levels = _levels(ratings, *(said.values[said.reasons == 0] for both in twice.values() for said in both))
        rows: dict[str, tuple[Ints, Ints, Ints]] = {}
        for name, (first, again) in twice.items():
            after = again.side(levels)
            earlier = first.side(levels).on(ratings.size)[after.items]
            there = earlier != MISSING
            rows[name] = (after.items[there], earlier[there], after.answers[there])
        items, earlier, later = (np.concatenate(columns) for columns in zip(*rows.values(), strict=True))
        rows = {"": (items, earlier, later), **rows}
        nobody = np.zeros(ratings.size + 1, dtype=bool)
        counted, group_of = self._counted_by(levels), self.answers.frame.group_of
        return tuple(
            counted.pair(Shared(f"human:{name}", f"human:{name}", *columns, None, nobody, group_of), [])
            for name, columns in rows.items()
        )

    def _accord(self, people: Mapping[str, Side], rest: Mapping[str, Said]) -> Accord | None:
        """Every label at the desk that the others have a majority on."""
        ratings = self.ratings
        rows, agrees, groups = [], [], []
        for name, theirs in rest.items():
            labels = people[name].on(ratings.size)[theirs.items]
            row = self.times.rows_of(name, theirs.items)
            kept = (labels >= 0) & (theirs.reasons == 0) & (row >= 0)
            mine, other = labels[kept], theirs.values[kept]
            if ratings.question.type == "score":
                if ratings.question.threshold is None:
                    return None
                mine, other = (side >= ratings.question.threshold for side in (ratings.levels[mine], other))
            rows.append(row[kept])
            agrees.append(mine == other)
            groups.append(self.answers.frame.group_of[theirs.items[kept]])
        if not sum(map(len, rows)):
            return None
        return Accord(np.concatenate(rows), np.concatenate(agrees), np.concatenate(groups))


def _asked(ratings: Ratings, name: str) -> Side:
    """What somebody said where the question was put to her."""
    side = ratings.people[name]
    if ratings.condition is None:
        return side
    put = np.zeros(ratings.size + 1, dtype=bool)
    put[side.items] = ratings.asked(side.items, ratings.condition.ratings.human(name))
    return side.within(put)


def _said(ratings: Ratings, side: Side) -> Said:
    """A side with scores as scores again."""
    values = ratings.levels[np.maximum(side.answers, 0)] if len(ratings.levels) else np.maximum(side.answers, 0)
    return Said(side.items, np.minimum(side.answers, 0), values, side.imported, side.pages)


def _rest(ratings: Ratings, people: Mapping[str, Side], name: str) -> Said:
    """What the others say together, a tie included, on the items that `name` has."""
    hers = np.zeros(ratings.size + 1, dtype=bool)
    hers[people[name].items] = True
    others = [_said(ratings, side.within(hers)) for other, side in people.items() if other != name]
    question: Question = ratings.question
    together = consensus_of(Poll.of(others, ratings.size), question.type, len(question.choices), {})[0]
    return together.only((together.reasons == 0) | (together.reasons == TIE))


def _levels(ratings: Ratings, *scores: Floats | Ints) -> Floats | None:
    """All scores that occur, for a question of scores."""
    return np.unique(np.concatenate([ratings.levels, *scores])) if ratings.question.type == "score" else None


def _leaving_out(pair: PairTally, excluded: Excluded) -> PairTally:
    """The pair, and its labels or its threshold, with other numbers of what was left out."""
    return replace(
        pair,
        excluded=excluded,
        by_label={label: replace(part, excluded=excluded) for label, part in pair.by_label.items()},
        at_threshold=pair.at_threshold and replace(pair.at_threshold, excluded=excluded),
    )
