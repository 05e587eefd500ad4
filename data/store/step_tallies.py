"""Listing marked steps: what each annotator's latest label of an item points at, beside what a judge run cites.

Several annotators of an item stay several: a union of their steps grows with their number, a majority of them
is often empty, and a decision of the lead has no steps. So each label is a row of its own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from data.step_tallies import EACH, QuestionSteps, Steps, StepStratum, StepTally
from data.store.columns import Bools, Ints
from data.store.pooling import Pool
from data.store.sides import ERROR, MISSING, SKIPPED, UNSURE, Side
from data.store.store import Store
from data.store.tallying import Answers
from data.tallies import Excluded


def question_steps(store: Store, answers: Answers) -> QuestionSteps | None:
    """The steps of one question; None where it asks for none and nobody marked any."""
    question = answers.ratings.question
    marked = _marked(store, answers)
    if question.evidence == "none" and not any(any(each.values()) for each in marked.steps.values()):
        return None
    judge: list[StepTally] = []
    for run in answers.ratings.verdicts:
        cited = _cited(store, run, question.id)
        each = [(f"human:{name}", [name]) for name in marked.steps] if len(marked.steps) > 1 else []
        for rows, names in [(EACH, [*marked.steps]), *each]:
            tally = _beside_judge(answers, marked, run, cited, rows, names)
            judge += [] if tally is None else [tally]
    return QuestionSteps(question.id, question.type, question.evidence, tuple(judge), _beside_each_other(answers, marked))


@dataclass(frozen=True, slots=True)
class _Marked:
    """What people marked."""

    steps: Mapping[str, Mapping[int, Steps]]
    """By handle and trajectory number, of the label that counts."""
    unmarking: tuple[str, ...]
    """People whose labels are imported and mark nothing anywhere; not among `steps`."""


def _marked(store: Store, answers: Answers) -> _Marked:
    read: dict[str, dict[str, dict[int, Steps]]] = {"blind": {}, "imported": {}}
    known: dict[str, Steps] = {}
    for phase, people in read.items():
        rows = store.conn.execute(_LATEST, {"question": answers.ratings.question.id, "phase": phase})
        for handle, trajectory, evidence in rows:
            steps = known.get(evidence)
            if steps is None:
                steps = known[evidence] = tuple(json.loads(evidence))
            people.setdefault(handle, {})[trajectory] = steps
    steps_of, unmarking = {}, []
    for name, side in answers.ratings.people.items():
        given = side.answers >= 0
        phases = zip(side.items[given].tolist(), side.imported[given].tolist(), strict=True)
        found = {item: read["imported" if imported else "blind"].get(name, {}).get(item, ()) for item, imported in phases}
        if found and side.imported[given].all() and not any(found.values()):
            unmarking.append(name)
        else:
            steps_of[name] = found
    return _Marked(steps_of, tuple(unmarking))


# The label that stands is the last event of its phase; one that was undone, skipped or unsure has no steps.
_LATEST = """
SELECT a.handle, e.trajectory, coalesce(e.evidence, '[]')
FROM (SELECT annotator, max(seq) AS last FROM label_events INDEXED BY label_answers
      WHERE question = (SELECT code FROM questions WHERE id = :question) AND phase = :phase AND surplus = 0 AND action <> 'flag'
      GROUP BY annotator, trajectory) latest
JOIN label_events e ON e.seq = latest.last JOIN annotators a ON a.code = e.annotator WHERE e.action = 'label'
"""


def _cited(store: Store, run: str, question: str) -> dict[int, Steps]:
    """By trajectory number: what the run's verdict cites, where it says anything about steps; of labelled items alone."""
    rows = store.conn.execute(_CITED, {"run": run, "question": question})
    return {trajectory: tuple(json.loads(cites)) for trajectory, cites in rows}


_CITED = """
SELECT v.trajectory, v.cites
FROM (SELECT DISTINCT trajectory FROM label_events INDEXED BY label_answers
      WHERE question = (SELECT code FROM questions WHERE id = :question) AND action <> 'flag') labelled
CROSS JOIN verdicts v ON v.trajectory = labelled.trajectory AND v.run = (SELECT code FROM judge_runs WHERE name = :run)
                     AND v.question = (SELECT code FROM questions WHERE id = :question) AND v.repeat = 0
WHERE v.cites IS NOT NULL AND v.error IS NULL
"""


def _beside_judge(
    answers: Answers, marked: _Marked, run: str, cited: Mapping[int, Steps], rows: str, names: Sequence[str]
) -> StepTally | None:
    """The labels of `names` beside the run; None where no item has both."""
    answers = answers.beside(run)
    ratings = answers.ratings
    names = [name for name in names if name in ratings.people]
    verdicts = ratings.verdicts[run].on(ratings.size)
    items_of_rows: list[int] = []
    marks: list[tuple[Steps, Steps]] = []
    left_out = {"missing": 0, "skipped": 0, "unsure": 0, "error": 0}
    for name in names:
        items, said = _asked(answers, name, run)
        there = said >= 0
        for reason, which in (
            ("skipped", said == SKIPPED),
            ("unsure", said == UNSURE),
            ("missing", there & (verdicts[items] == MISSING)),
            ("error", there & (verdicts[items] == ERROR)),
        ):
            left_out[reason] += int(which.sum())
        kept = items[there & (verdicts[items] >= 0)].tolist()
        items_of_rows.extend(kept)
        marks.extend((marked.steps[name][item], cited.get(item, ())) for item in kept)
    if not marks:
        return None
    done = np.logical_or.reduce([ratings.finished(name) for name in names])
    drawn = _Drawn.of(answers.pool_of(*(ratings.people[name] for name in names)), done, verdicts >= 0)
    tally = _tally(answers, (rows, f"judge:{run}"), np.array(items_of_rows), marks, drawn)
    return replace(
        tally, excluded=Excluded(**left_out), silent=not cited, unmarking=marked.unmarking, selected=ratings.selection.of(run)
    )


def _asked(answers: Answers, name: str, run: str) -> tuple[Ints, Ints]:
    """A person's items and answers, of those to whom the question was put on either side."""
    ratings = answers.ratings
    side = ratings.people[name]
    before = ratings.condition.ratings if ratings.condition else None
    sides: tuple[Side | None, ...] = (before.human(name), before.verdicts.get(run)) if before else ()
    asked = ratings.asked(side.items, *(each or None for each in sides))
    return side.items[asked], side.answers[asked]


def _beside_each_other(answers: Answers, marked: _Marked) -> StepTally | None:
    """Every two annotators of an item, in alphabetical order."""
    people = answers.ratings.people
    items: list[int] = []
    marks: list[tuple[Steps, Steps]] = []
    for first, second in combinations(marked.steps, 2):
        one, other = marked.steps[first], marked.steps[second]
        shared = sorted(one.keys() & other.keys())
        items.extend(shared)
        marks.extend((one[item], other[item]) for item in shared)
    if not marks:
        return None
    done = np.sum([answers.ratings.finished(name) for name in marked.steps], axis=0) >= 2
    drawn = _Drawn.of(answers.pool_of(*(people[name] for name in marked.steps)), done, np.ones(len(done), dtype=bool))
    return replace(_tally(answers, (EACH, EACH), np.array(items), marks, drawn), unmarking=marked.unmarking)


def _tally(answers: Answers, sides: tuple[str, str], item: Ints, marks: list[tuple[Steps, Steps]], drawn: "_Drawn") -> StepTally:
    return StepTally(
        rows=sides[0],
        columns=sides[1],
        marks=marks,
        item=item,
        group=answers.frame.group_of[item],
        stratum=drawn.place[item],
        excluded=Excluded(),
        design=drawn.design,
        weighted=drawn.weighted,
        strata=drawn.strata,
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """How the items behind some rows were drawn."""

    design: str
    weighted: bool
    strata: tuple[StepStratum, ...]
    place: Ints
    """By trajectory number: the place among `strata`."""

    @classmethod
    def of(cls, pool: Pool | None, done: Bools, enters: Bools) -> "_Drawn":
        """`enters`, by trajectory number: what can be a row at all; strata without such items are left out."""
        if pool is None:
            return cls("imported", False, (), np.zeros(len(done), dtype=np.int64))
        inside, size = pool.stratum_of >= 0, len(pool.strata)
        finished = np.bincount(pool.stratum_of[inside & done], minlength=size).tolist()
        known = np.flatnonzero(np.bincount(pool.stratum_of[inside & enters], minlength=size)).tolist()
        strata = tuple(StepStratum(pool.strata[k].name, pool.strata[k].frame, finished[k]) for k in known)
        rates = {Fraction(each.frame, each.finished) if each.finished else None for each in strata}
        place = np.zeros(size + 1, dtype=np.int64)
        place[known] = np.arange(len(known))
        return cls(pool.design, len(rates) > 1, strata, place[pool.stratum_of])
