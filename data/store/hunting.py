"""Train items on which a judge is likely to be wrong, found in its verdicts alone, for a batch that hunts for its errors.

Three things are suspicious: judges disagree, a judge's verdict flips over its repeats, or its confidence is among the
lowest quarter. What is found is no sample of anything: it feeds causes and revisions, and no figure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

import numpy as np

from data.questions import Question
from data.store.columns import Bools, trajectory_count, whole_numbers
from data.store.status import question_codes
from data.store.store import Store

DISAGREE, FLIP, LOW = "judges disagree", "verdicts flip", "low confidence"
REASONS = (DISAGREE, FLIP, LOW)
_LOWEST = Fraction(1, 4)
"""An item's confidence is low where at most this share of the run's items has one as low."""

Row = tuple[int, int, int, float, float | None]
"""Trajectory, run, repeat, answer, confidence; of one question, readable."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """An item that could be hunted."""

    trajectory: int
    id: str
    reasons: tuple[str, ...]
    """In the order of `REASONS`."""
    degree: Fraction
    """How far judges disagree, plus how far verdicts flip, plus how low the confidence is; each from 0 to 1."""

    @property
    def rank(self) -> tuple[int, Fraction]:
        """Higher is more suspicious."""
        return len(self.reasons), self.degree


def suspects(store: Store, questions: Sequence[Question], run: int | None) -> list[Suspect]:
    """Train items that are in no batch and have no label, with what makes them suspicious, ordered by id.

    An item is as suspicious as on the worst of `questions`. Of scores the sides of the threshold count, or without one any
    difference. `run`: the code of the judge that is suspected;
    others then count by whether they contradict it. None: all judges.
    """
    free = dict(store.conn.execute(_FREE).fetchall())
    worst: dict[int, Suspect] = {}
    codes = question_codes(store)
    for question in questions:
        rows: list[Row] = store.conn.execute(_VERDICTS, [codes[question.id], question.threshold]).fetchall()
        low = _low_confidence(row for row in rows if run in (None, row[1]))
        for trajectory, of_item in groupby(rows, key=lambda row: row[0]):
            if trajectory not in free:
                continue
            found = _suspicion(list(of_item), run, low.get(trajectory))
            suspect = Suspect(trajectory, free[trajectory], tuple(found), sum(found.values(), Fraction(0)))
            if found and (trajectory not in worst or worst[trajectory].rank < suspect.rank):
                worst[trajectory] = suspect
    return sorted(worst.values(), key=lambda suspect: suspect.id)


def free_of_train(store: Store) -> tuple[int, int]:
    """How many trajectories of train are in no batch and have no label, and how many train has."""
    (whole,) = store.conn.execute("SELECT count(*) FROM trajectories WHERE split = 'train'").fetchone()
    return len(store.conn.execute(_FREE).fetchall()), whole


# By the primary key of verdicts: an item's rows come together.
_VERDICTS = """
SELECT v.trajectory, v.run, v.repeat,
       coalesce(v.choice, v.chosen, CASE WHEN ?2 IS NULL THEN v.score ELSE v.score >= ?2 END), v.confidence
FROM verdicts v JOIN trajectories t ON t.n = v.trajectory
WHERE t.split = 'train' AND v.question = ?1 AND v.error IS NULL ORDER BY v.trajectory, v.run, v.repeat
"""
_FREE = """
SELECT n, id FROM trajectories t WHERE split = 'train'
AND NOT EXISTS (SELECT 1 FROM batch_items i WHERE i.trajectory = t.n)
AND NOT EXISTS (SELECT 1 FROM label_events e WHERE e.trajectory = t.n)
"""


def _suspicion(rows: list[Row], run: int | None, low: Fraction | None) -> Mapping[str, Fraction]:
    """Reason to degree, of the readable verdicts on one item."""
    by_run: dict[int, list[float]] = defaultdict(list)
    first: dict[int, float] = {}
    for _, judge, repeat, answer, _ in rows:
        by_run[judge].append(answer)
        if repeat == 0:
            first[judge] = answer
    if run is None:
        disagree = _apart(list(first.values()))
    else:
        others = [answer for judge, answer in first.items() if judge != run]
        against = sum(answer != first[run] for answer in others) if run in first else 0
        disagree = Fraction(against, len(others)) if others else Fraction(0)
    flip = max((_apart(answers) for judge, answers in by_run.items() if run in (None, judge)), default=Fraction(0))
    degrees = {DISAGREE: disagree, FLIP: flip, LOW: low or Fraction(0)}
    return {reason: degree for reason, degree in degrees.items() if degree}


def _apart(answers: list[float]) -> Fraction:
    """The share of answers that are not the most frequent one; 0 where there are none."""
    return 1 - Fraction(max(Counter(answers).values()), len(answers)) if answers else Fraction(0)


def _low_confidence(rows: Iterable[Row]) -> dict[int, Fraction]:
    """Trajectory to how low the confidence of a run's first verdict is, of several runs the lowest; only where it is low.

    A judge that is always equally confident is low nowhere.
    """
    by_run: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for trajectory, judge, repeat, _, confidence in rows:
        if repeat == 0 and confidence is not None:
            by_run[judge].append((confidence, trajectory))
    low: dict[int, Fraction] = {}
    for said in by_run.values():
        said.sort()
        as_low = 0
        for _, alike in groupby(said, key=lambda each: each[0]):
            items = [trajectory for _, trajectory in alike]
            as_low += len(items)
            share = Fraction(as_low, len(said))
            if share > _LOWEST:
                break
            for trajectory in items:
                low[trajectory] = max(low.get(trajectory, Fraction(0)), 1 - share)
    return low


@dataclass(frozen=True, slots=True)
class Hunt:
    """A batch that hunted."""

    name: str
    run: str | None
    """The judge that was suspected; None: all."""
    question: str | None
    """On which question; None: on all."""


def last_closed_hunt(store: Store) -> Hunt | None:
    """The hunt that was drawn last among those that are closed; None where there is none."""
    row = store.conn.execute(
        """SELECT name, json_extract(recipe, '$.run'), json_extract(recipe, '$.question') FROM batches
           WHERE kind = 'hunt' AND state = 'closed' ORDER BY code DESC LIMIT 1"""
    ).fetchone()
    return None if row is None else Hunt(*row)


def hunted_items(store: Store, batch: str | None = None) -> Bools:
    """By trajectory number: whether it stands in a hunt that is closed; with `batch` in the hunt of this name."""
    hunted = np.zeros(trajectory_count(store) + 1, dtype=bool)
    hunted[whole_numbers(store, _HUNTED, {"batch": batch})] = True
    return hunted


_HUNTED = """
SELECT i.trajectory AS value FROM batch_items i JOIN batches b ON b.code = i.batch
WHERE b.kind = 'hunt' AND b.state = 'closed' AND (:batch IS NULL OR b.name = :batch)
"""
