"""Where the humans' consensus and a judge run differ, item by item.

Every item that both answered lies in one cell of a table: a row for each answer of the humans, a column for each of the
judge's and one for verdicts that could not be read. Cells are counted over all splits; their items are named only of
splits that may be opened (see `test_looks.py`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.questions import SIDES_OF_THRESHOLD, Question
from data.records import CONSENSUS
from data.splits import SPLITS
from data.store.adjudication import Decision, decision_on
from data.store.chosen import CHOSEN_NAMES
from data.store.columns import Bools, Floats, Ints, trajectory_count, whole_numbers
from data.store.contested import Vote, votes_on
from data.store.gold import Decided, answer_of
from data.store.hunting import hunted_items
from data.store.ratings import Ratings, Wanted, read_ratings
from data.store.selection import worked_on
from data.store.sides import ERROR, HUNTED, MISSING, PHASES, UNSURE
from data.store.status import judge_run_codes
from data.store.store import Store
from data.store.test_looks import ALWAYS_OPEN, refuse_closed
from data.store.versions import check_still_declared
from data.study import Study

UNREADABLE = "unreadable"
"""The last column of every table."""
BESIDE_A_SCORE = ("judge lower", "the same", "judge higher")
"""Columns for a score without a threshold, whose one row is every item that the humans scored."""

Cell = tuple[int, int]
"""Row and column, from 0."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The table of a question, and how many items of each split lie in them."""

    part: str | None
    """The choice that it is about, of a multilabel question; else None."""
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    """The last one is `UNREADABLE`."""
    counts: Mapping[str, tuple[tuple[int, ...], ...]]
    """By split, rows by columns."""

    def differ(self, cell: Cell) -> bool:
        """Whether humans and judge differ on the items of a cell. A verdict that cannot be read agrees with nobody."""
        same = BESIDE_A_SCORE.index("the same") if self.columns[:-1] == BESIDE_A_SCORE else cell[0]
        return cell[1] != same


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One item with what both sides said of it; the judge may agree, where such a cell was asked for."""

    trajectory: int
    id: str
    split: str
    human: Decided
    """The consensus."""
    judge: Decided | None
    """None: the verdict could not be read."""
    basis: str
    """What the consensus rests on: `adjudicated`, `single`, `unanimous`, `majority`, of scores `median`."""
    votes: tuple[tuple[Decided, int], ...]
    """Answers and how many people gave them, most first."""
    unsure: int
    cause: str | None
    """Of the adjudication, where there was one (see `adjudication.CAUSES`)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge run said of one item."""

    answer: Decided | None
    error: str | None
    """Why there is no answer."""
    rationale: str
    cites: tuple[int, ...]
    """Positions of steps, from 0."""
    confidence: float | None
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Details:
    """Everything that was said of one item on one question: by people, without their names, and by one run."""

    trajectory: int
    id: str
    split: str
    votes: tuple[Vote, ...]
    verdict: Verdict | None
    decision: Decision | None


class SideBySide:
    """The consensus beside one run, on the items that both answered, or on which the verdict could not be read."""

    def __init__(self, store: Store, ratings: Ratings, run: str) -> None:
        self.question = ratings.question
        self.levels = ratings.levels
        self.decided = ratings.decided
        self.people = tuple((side.items, side.answers) for side in ratings.people.values())
        human, verdicts = ratings.consensus, ratings.verdicts.get(run)
        beside = verdicts.on(ratings.size) if verdicts else np.full(ratings.size + 1, MISSING)
        judged = beside[human.items]
        before = ratings.condition.ratings if ratings.condition else None
        sides = (before.human(CONSENSUS), before.verdicts.get(run)) if before else ()
        asked = ratings.asked(human.items, *(side or None for side in sides))
        both = asked & (human.answers >= 0) & ((judged >= 0) | (judged == ERROR))
        self.items = human.items[both]
        """Trajectory numbers, ascending."""
        self.human, self.judge = human.answers[both], judged[both]
        self.split = _splits(store, ratings.size)[self.items]
        """Places in `SPLITS`."""
        self.causes = _causes(store, self.question)
        self.selected = ratings.selection.of(run)
        """Whether the run's prompt was revised here: then test is left out, and what is counted on train is no figure of it."""

    @property
    def parts(self) -> tuple[str | None, ...]:
        """What there is a table for: each choice of a multilabel question, else the question itself."""
        return self.question.choices if self.question.type == "multilabel" else (None,)

    def cells(self, part: str | None = None) -> Cells:
        """The counts of every cell. `part`: see `parts`."""
        rows, columns = self._axes(part)
        size = len(rows) * len(columns)
        cell, place = self._cell_of(part), np.arange(len(SPLITS)) * size
        counts = np.bincount(place[self.split] + cell, minlength=len(SPLITS) * size).reshape(len(SPLITS), len(rows), -1)
        return Cells(part, rows, columns, {split: tuple(map(tuple, counts[k].tolist())) for k, split in enumerate(SPLITS)})

    def trajectories(self, store: Store, cell: Cell | None, splits: Sequence[str], part: str | None = None) -> Ints:
        """The items in a cell, or of None all that both answered and on which they differ; of these splits.

        In order of import; of scores the largest differences first. Raises LeadRefused for a split that is closed.
        """
        refuse_closed(store, set(splits))
        if cell is None:
            chosen = self._differ(part)
        else:
            columns = self._axes(part)[1]
            chosen = self._cell_of(part) == cell[0] * len(columns) + cell[1]
        chosen &= np.isin(self.split, [SPLITS.index(split) for split in splits])
        rows = np.flatnonzero(chosen)
        if self.question.type == "score":
            apart = np.where(self.judge[rows] >= 0, np.abs(self._score(self.human[rows]) - self._score(self.judge[rows])), np.inf)
            rows = rows[np.argsort(-apart, kind="stable")]
        found: Ints = self.items[rows]
        return found

    def agreeing(self, store: Store, splits: Sequence[str]) -> Ints:
        """The items of these splits on which they do not differ, in order of import.

        Raises LeadRefused for a split that is closed.
        """
        refuse_closed(store, set(splits))
        found: Ints = self.items[
            (self.judge >= 0) & ~self._differ(None) & np.isin(self.split, [SPLITS.index(each) for each in splits])
        ]
        return found

    def listed(self, store: Store, numbers: Ints) -> list[Disagreement]:
        """These trajectories with what both sides said, in this order. Raises LeadRefused where one lies in a closed split."""
        at = np.searchsorted(self.items, numbers)
        splits = [SPLITS[place] for place in self.split[at].tolist()]
        refuse_closed(store, set(splits))
        ids = dict(
            store.conn.execute(
                "SELECT t.n, t.id FROM json_each(?) j JOIN trajectories t ON t.n = j.value", [json.dumps(numbers.tolist())]
            )
        )
        votes = _votes(self.people, numbers)
        return [
            Disagreement(
                number,
                ids[number],
                split,
                self.decided(human),
                None if judge < 0 else self.decided(judge),
                self._basis(number, cast),
                tuple((self.decided(answer), count) for answer, count in _most_first(cast)),
                cast.count(UNSURE),
                self.causes.get(number),
            )
            for number, split, human, judge, cast in zip(
                numbers.tolist(), splits, self.human[at].tolist(), self.judge[at].tolist(), votes, strict=True
            )
        ]

    def _axes(self, part: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        question = self.question
        if part not in self.parts:
            raise ValueError(f"{part!r} is no part of question {question.id!r}; found {self.parts}; name one of these")
        if question.type == "multilabel":
            sides: tuple[str, ...] = (f"not {part}", str(part))
        elif self._ordered:
            return ("scored",), (*BESIDE_A_SCORE, UNREADABLE)
        else:
            sides = SIDES_OF_THRESHOLD if question.type == "score" else question.choices
        return sides, (*sides, UNREADABLE)

    def _cell_of(self, part: str | None) -> Ints:
        """By item: the place of its cell, counted along the rows."""
        columns = len(self._axes(part)[1])
        readable = self.judge >= 0
        if self._ordered:
            place: Ints = np.where(readable, np.sign(self.judge - self.human) + 1, columns - 1)
            return place
        row, column = self._side(self.human, part), self._side(self.judge, part)
        return row * columns + np.where(readable, column, columns - 1)

    @property
    def _ordered(self) -> bool:
        """Whether its cells are those of a score beside a score: lower, the same, higher."""
        return self.question.type == "score" and self.question.threshold is None

    def _side(self, answers: Ints, part: str | None) -> Ints:
        """Answers as places of a table; what stands for an unreadable one means nothing."""
        if self.question.type == "score":
            reached: Ints = (self._score(answers) >= (self.question.threshold or 0)).astype(np.int64)
            return reached
        return answers if part is None else np.maximum(answers, 0) >> self.question.choices.index(part) & 1

    def _differ(self, part: str | None) -> Bools:
        whole = self._ordered or (self.question.type == "multilabel" and part is None)
        human, judge = (self.human, self.judge) if whole else (self._side(self.human, part), self._side(self.judge, part))
        return np.asarray((self.judge >= 0) & (human != judge), dtype=bool)

    def _score(self, answers: Ints) -> Floats:
        return self.levels[np.maximum(answers, 0)]

    def _basis(self, number: int, cast: list[int]) -> str:
        sure = [answer for answer in cast if answer >= 0]
        if number in self.causes:
            return "adjudicated"
        if len(sure) == 1:
            return "single"
        if len(set(sure)) == 1:
            return "unanimous"
        return "median" if self.question.type == "score" else "majority"


def side_by_side(
    store: Store, study: Study, question: str, run: int, source: str | None = None, hunt: str | None = None
) -> SideBySide:
    """The consensus on `question` beside the run of this code, read at one moment.

    `source`: whose labels (see `sides.PHASES`), or `HUNTED` for those of closed hunts, with `hunt` of the one of this name;
    None: of batches, where there are any, else imported ones. Raises
    ValueError for a question that the study does not declare or a run that it does not have.
    """
    declared = {each.id: each for each in study.questions}
    names = {code: name for name, code in judge_run_codes(store).items()}
    if question not in declared or run not in names:
        raise ValueError(f"no question {question!r} or no run {run}; found {list(declared)} and {names}; name one of these")
    with store.reading():
        check_still_declared(store, study)
        within = hunted_items(store, hunt) if source == HUNTED else None
        wanted = Wanted({run: names[run]}, source, within, trajectory_count(store), worked_on(store))
        known: dict[str, Ratings] = {}
        for each in _with_earlier(declared[question], declared):
            known[each.id] = read_ratings(store, each, wanted, known)
        return SideBySide(store, known[question], names[run])


def counts_by_split(
    store: Store, study: Study, question: str, run: int, part: str | None = None
) -> Mapping[str, tuple[tuple[int, ...], ...]]:
    """By split: how many items lie in each cell, rows by columns as `Cells` names them."""
    return side_by_side(store, study, question, run).cells(part).counts


def disagreements(
    store: Store,
    study: Study,
    question: str,
    run: int,
    cell: Cell | None = None,
    splits: Sequence[str] = ALWAYS_OPEN,
    part: str | None = None,
) -> list[Disagreement]:
    """The items on which consensus and run differ, or those of one cell, of splits that may be opened.

    Of scores the largest differences first, else in order of import. Raises LeadRefused for a split that is closed. Whoever
    shows one of them to a lead calls `record_exposure` first.
    """
    found = side_by_side(store, study, question, run)
    return found.listed(store, found.trajectories(store, cell, splits, part))


def details(store: Store, trajectory: int, question: int, run: int, source: str | None = None) -> Details:
    """What people and the run said of one item. `question` and `run` are codes; `source`: `HUNTED` for what a hunt brought.

    Raises LeadRefused where its split is closed, and ValueError where there is no such item.
    """
    row = store.conn.execute("SELECT id, split FROM trajectories WHERE n = ?", [trajectory]).fetchone()
    if row is None:
        raise ValueError(f"no trajectory has the number {trajectory}; found none; take one from a list of them")
    id, split = row
    refuse_closed(store, {split})
    return Details(
        trajectory,
        id,
        split,
        tuple(votes_on(store, question, trajectory, (HUNTED,) if source == HUNTED else PHASES["all"])),
        _verdict(store, trajectory, question, run),
        decision_on(store, question, trajectory),
    )


def _verdict(store: Store, trajectory: int, question: int, run: int) -> Verdict | None:
    row = store.conn.execute(
        f"""SELECT c.name, {CHOSEN_NAMES}, e.score, e.error, coalesce(e.rationale, ''), coalesce(e.cites, '[]'), e.confidence
            FROM verdicts e LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
            WHERE e.trajectory = ? AND e.question = ? AND e.run = ? AND e.repeat = 0""",
        [trajectory, question, run],
    ).fetchone()
    if row is None:
        return None
    choice, choices, score, error, rationale, cites, confidence = row
    return Verdict(answer_of(choice, choices, score), error, rationale, tuple(json.loads(cites)), confidence)


def _with_earlier(question: Question, declared: Mapping[str, Question]) -> list[Question]:
    """The question after those that decide whether it is asked."""
    if question.when is None or question.when.question not in declared:
        return [question]
    return [*_with_earlier(declared[question.when.question], declared), question]


def _splits(store: Store, size: int) -> Ints:
    """By trajectory number: the place of its split in `SPLITS`."""
    places = np.zeros(size + 1, dtype=np.int64)
    for place, split in enumerate(SPLITS[1:], start=1):
        query = "SELECT n AS value FROM trajectories INDEXED BY trajectories_by_group WHERE split = :split"
        places[whole_numbers(store, query, {"split": split})] = place
    return places


def _causes(store: Store, question: Question) -> dict[int, str]:
    """Trajectory to the cause of the decision that stands."""
    rows = store.conn.execute(
        """SELECT trajectory, cause, max(seq) FROM adjudications
           WHERE question = (SELECT code FROM questions WHERE id = ?) GROUP BY trajectory""",
        [question.id],
    )
    return {trajectory: cause for trajectory, cause, _ in rows}


def _votes(people: Sequence[tuple[Ints, Ints]], numbers: Ints) -> list[list[int]]:
    """For each of `numbers` what everybody said of it, an unsure included."""
    cast: list[list[int]] = [[] for _ in numbers]
    for items, answers in people:
        at = np.minimum(np.searchsorted(items, numbers), len(items) - 1)
        said = np.where(items[at] == numbers, answers[at], MISSING)
        for place in np.flatnonzero((said >= 0) | (said == UNSURE)).tolist():
            cast[place].append(int(said[place]))
    return cast


def _most_first(cast: list[int]) -> list[tuple[int, int]]:
    """(answer, how often), without what is no answer."""
    counts = {answer: cast.count(answer) for answer in sorted(set(cast)) if answer >= 0}
    return sorted(counts.items(), key=lambda entry: -entry[1])
