"""All answers to one question, side by side: people, their consensus, judge runs; and which items it was asked of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from data.questions import Question
from data.records import CONSENSUS
from data.store.adjudication import decisions
from data.store.columns import Bools, Floats, Ints
from data.store.consensus import Decisions, Poll, consensus_of
from data.store.gold import Decided
from data.store.selection import Selection
from data.store.sides import SKIPPED, Side, SideReader
from data.store.store import Store


@dataclass(frozen=True, slots=True)
class Ratings:
    """Who answered what."""

    question: Question
    people: Mapping[str, Side]
    """By handle, in alphabetical order; only who answered or skipped something."""
    consensus: Side
    single: Ints
    """Items whose consensus rests on one label, ascending."""
    verdicts: Mapping[str, Side]
    """By run, in alphabetical order; only runs with a verdict on this question. Of a prompt that was revised here those
    on the items of `selection` alone."""
    levels: Floats
    """The scores that occur, ascending; empty where answers are no scores."""
    pages: tuple[str, ...]
    """Hashes of the codebook pages that labels were given under."""
    size: int
    """The highest number of a trajectory."""
    condition: "Condition | None"
    selection: Selection

    def within(self, items: Bools) -> "Ratings":
        """What was answered on `items` (by trajectory number) alone; who answered nothing there is gone."""
        people = {name: part for name, side in self.people.items() if len(part := side.within(items))}
        verdicts = {run: part for run, side in self.verdicts.items() if len(part := side.within(items))}
        before = self.condition and Condition(self.condition.ratings.within(items), self.condition.wanted)
        consensus, single = self.consensus.within(items), self.single[items[self.single]]
        return replace(self, people=people, consensus=consensus, single=single, verdicts=verdicts, condition=before)

    def decided(self, answer: int) -> Decided:
        """An answer as a person would name it; `answer`: from 0."""
        if self.question.type == "score":
            return float(self.levels[answer])
        if self.question.type == "multilabel":
            return tuple(choice for place, choice in enumerate(self.question.choices) if answer >> place & 1)
        return self.question.choices[answer]

    def human(self, name: str) -> Side:
        """A person's side, or the consensus; empty for somebody who did not answer."""
        return self.consensus if name == CONSENSUS else self.people.get(name, NOBODY)

    def everybody(self) -> set[str]:
        """Who answered this question, or one that decides whether it is asked."""
        return set(self.people) | (self.condition.ratings.everybody() if self.condition else set())

    def asked(self, items: Ints, *sides: Side | None) -> Bools:
        """Of `items`: whether the condition holds on one of `sides`, which are sides of the question that it is about."""
        if self.condition is None:
            return np.ones(len(items), dtype=bool)
        held = [self.condition.holds(side.on(self.size)[items]) if side else np.ones(len(items), dtype=bool) for side in sides]
        return np.asarray(np.logical_or.reduce(held), dtype=bool)

    def finished(self, name: str) -> Bools:
        """By trajectory number: whether `name` has said all that this question wants of her on an item.

        A label, an unsure or a tie; or what she said before makes the question one that is not asked.
        """
        side = self.human(name)
        done = self.not_asked(name)
        done[side.items[side.answers != SKIPPED]] = True
        return done

    def not_asked(self, name: str) -> Bools:
        """By trajectory number: whether `name` is done with the question before without the answer that asks this one.

        The desk asks only after that answer: who was unsure there was not asked here, and is done too.
        """
        if self.condition is None:
            return np.zeros(self.size + 1, dtype=bool)
        before = self.condition.ratings
        done = before.not_asked(name)
        side = before.human(name)
        done[side.items[(side.answers != SKIPPED) & ~self.condition.named(side.answers)]] = True
        return done


@dataclass(frozen=True, slots=True)
class Condition:
    """The answer to an earlier question that lets this one be asked."""

    ratings: Ratings
    wanted: int
    """The place of the choice."""

    def named(self, answers: Ints) -> Bools:
        """Whether an answer is the choice, or has it among others."""
        several = self.ratings.question.type == "multilabel"
        named = (answers >> self.wanted) & 1 == 1 if several else answers == self.wanted
        return np.asarray((answers >= 0) & named, dtype=bool)

    def holds(self, answers: Ints) -> Bools:
        """Who did not answer the earlier question does not rule this one out."""
        return (answers < 0) | self.named(answers)


_NOTHING = np.empty(0, dtype=np.int64)
NOBODY = Side(_NOTHING, _NOTHING, _NOTHING.astype(bool), _NOTHING)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read."""

    runs: Mapping[int, str]
    """Code to name, in alphabetical order."""
    source: str | None
    """See `sides.PHASES`; None: batches, where they have labels, else imported ones."""
    within: Bools | None
    """By trajectory number: the items to be read; None for all."""
    size: int
    selection: Selection


def read_ratings(store: Store, question: Question, wanted: Wanted, earlier: Mapping[str, Ratings]) -> Ratings:
    """The answers to `question`. `earlier`: the questions before it, by id."""
    reader = SideReader(store, question, wanted.within)
    said = reader.people(wanted.source or "batch")
    if wanted.source is None and not any((side.reasons != SKIPPED).any() for side in said.values()):
        # Skips alone are no labels; nor is what was undone, or surplus.
        said = reader.people("imported")
    verdicts = {}
    for code, name in wanted.runs.items():
        side = reader.verdicts(code)
        if wanted.selection.of(name):
            side = side.only(wanted.selection.items[side.items])
        if len(side):
            verdicts[name] = side
    poll = Poll.of(list(said.values()), wanted.size)
    together, single = consensus_of(poll, question.type, len(question.choices), _decided(store, reader))
    levels = None
    if question.type == "score":
        answers = [*said.values(), *verdicts.values(), together]
        levels = np.unique(np.concatenate([side.values[side.reasons == 0].astype(np.float64) for side in answers]))
    return Ratings(
        question=question,
        people={name: side.side(levels) for name, side in said.items()},
        consensus=together.side(levels),
        single=poll.items[single],
        verdicts={name: side.side(levels) for name, side in verdicts.items()},
        levels=np.empty(0) if levels is None else levels,
        pages=reader.pages,
        size=wanted.size,
        condition=_condition(question, earlier),
        selection=wanted.selection,
    )


def _condition(question: Question, earlier: Mapping[str, Ratings]) -> Condition | None:
    if question.when is None or question.when.question not in earlier:
        return None
    before = earlier[question.when.question]
    return Condition(before, before.question.choices.index(question.when.choice))


def _decided(store: Store, reader: SideReader) -> Decisions:
    decided = decisions(store, reader.code)
    return {item: None if answer is None else reader.value_of(answer) for item, answer in decided.items()}
