"""Who said what on a question, as columns of numbers: a side for every person and every judge run.

An answer is a number from 0: the place of a choice among the declared ones, several choices as a bit set of
such places, or the place of a score among all scores that occur. Below 0 it is a reason why there is none.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from data.questions import Question
from data.store.columns import Bools, Floats, Ints, real_numbers, whole_numbers
from data.store.store import Store
from data.store.versions import choice_codes

UNSURE, SKIPPED, TIE, ERROR, MISSING = -1, -2, -3, -4, -5
PHASES = {"batch": ("blind",), "imported": ("imported",), "all": ("imported", "blind")}
"""Source of labels to its phases; of one person's labels on an item the one of the later phase stands."""
HUNTED = "hunt"
"""What hunts brought: a source for lists of items and their causes, and for no figure."""
_UNDONE, _SKIPPED, _UNSURE, _GIVEN = range(4)
_REASONS = np.array([0, SKIPPED, UNSURE, 0])


@dataclass(frozen=True, slots=True)
class Side:
    """One rater's answers: a row per item, items ascending."""

    items: Ints
    """Trajectory numbers."""
    answers: Ints
    imported: Bools
    """Whether the answer rests on an imported label."""
    pages: Ints
    """The place of the codebook page that the label was given under, among those of the question; -1 where none is known."""

    def __len__(self) -> int:
        return len(self.items)

    def within(self, items: Bools) -> "Side":
        """The answers on `items` (by trajectory number) alone."""
        rows = items[self.items]
        return Side(self.items[rows], self.answers[rows], self.imported[rows], self.pages[rows])

    def on(self, size: int) -> Ints:
        """By trajectory number up to `size`: the answer, or `MISSING`."""
        answers = np.full(size + 1, MISSING, dtype=np.int64)
        answers[self.items] = self.answers
        return answers


@dataclass(frozen=True, slots=True)
class Said:
    """A side before its answers are whole numbers from 0."""

    items: Ints
    reasons: Ints
    """0 where an answer was given, else why not."""
    values: Ints | Floats
    """The place of a choice, a bit set of places, or a score; means nothing where none was given."""
    imported: Bools
    pages: Ints

    def __len__(self) -> int:
        return len(self.items)

    def side(self, levels: Floats | None) -> Side:
        """`levels`: the scores that occur, for a question of scores."""
        answers = self.values.astype(np.int64) if levels is None else np.searchsorted(levels, self.values)
        return Side(self.items, np.where(self.reasons < 0, self.reasons, answers), self.imported, self.pages)

    def only(self, rows: Bools | Ints) -> "Said":
        return Said(self.items[rows], self.reasons[rows], self.values[rows], self.imported[rows], self.pages[rows])


class SideReader:
    """Reads the sides of one question, over covering indexes."""

    def __init__(self, store: Store, question: Question, within: Bools | None = None) -> None:
        """`within`: by trajectory number, the items to be read; None for all."""
        row = store.conn.execute("SELECT code FROM questions WHERE id = ?", [question.id]).fetchone()
        self.store = store
        self.within = within
        self.code = -1 if row is None else int(row[0])
        self.kind = question.answered_by
        known = choice_codes(store, self.code)
        # A choice that is declared no more has no answers: `check_still_declared` sees to that.
        self._places = np.array(
            [question.choices.index(name) if name in question.choices else MISSING for name in known] or [MISSING]
        )
        self.width = len(known) + _GIVEN
        self.pages, self._page_of = self._read_pages()

    def people(self, source: str) -> dict[str, Said]:
        """By handle, in alphabetical order: everybody's answers and skips; what was undone or is surplus is neither."""
        found = {}
        for code, handle in self._everybody():
            phases = [said for phase in PHASES.get(source, (source,)) if len(said := self._labels(code, phase))]
            if phases:
                found[handle] = _later(phases) if len(phases) > 1 else phases[0]
        return found

    def twice(self) -> dict[str, tuple[Said, Said]]:
        """By handle, in alphabetical order: what somebody said first, and what she said in a retest; only who had one."""
        found = {handle: (code, again) for code, handle in self._everybody() if len(again := self._labels(code, "retest"))}
        return {handle: (self._labels(code, "blind"), again) for handle, (code, again) in found.items()}

    def _everybody(self) -> list[tuple[int, str]]:
        return self.store.conn.execute("SELECT code, handle FROM annotators ORDER BY handle").fetchall()

    def verdicts(self, run: int, repeat: int = 0) -> Said:
        """A run's verdicts, of one repeat."""
        where = """verdicts INDEXED BY verdict_answers WHERE run = :run AND question = :question AND repeat = :repeat
                   ORDER BY trajectory"""
        items, how, values = self._read(where, "0", {"run": run, "repeat": repeat})
        said = Said(items, np.where(how == _GIVEN, 0, ERROR), values, np.zeros(len(items), dtype=bool), np.full(len(items), -1))
        return said if self.within is None else said.only(self.within[items])

    def value_of(self, answer: int | float) -> int | float:
        """An answer as the store has it (a code, a bit set of codes, a score) in the form of `Said.values`."""
        if self.kind == "score":
            return answer
        code = np.array([int(answer)])
        return int((self._places[code] if self.kind == "choice" else self._bits(code))[0])

    def _labels(self, annotator: int, phase: str) -> Said:
        """The latest of one person's labels and skips on every item."""
        where = """label_events INDEXED BY label_answers WHERE question = :question AND phase = :phase AND annotator = :annotator
                   AND surplus = 0 AND action <> 'flag' ORDER BY trajectory, seq"""
        key = {"phase": phase, "annotator": annotator}
        why = f"CASE action WHEN 'unsure' THEN {_UNSURE} WHEN 'skip' THEN {_SKIPPED} ELSE {_UNDONE} END"
        items, how, values = self._read(where, why, key)
        if phase == "imported":
            pages = np.full(len(items), -1)
        elif len(self.pages) > 1:
            pages = self._page_of[whole_numbers(self.store, f"SELECT seq AS value FROM {where}", key | {"question": self.code})]
        else:
            pages = np.zeros(len(items), dtype=np.int64)
        said = Said(items, _REASONS[how], values, np.full(len(items), phase == "imported"), pages)
        counts = _last_of_each(items) & (how != _UNDONE)
        return said.only(counts if self.within is None else counts & self.within[items])

    def _read(self, where: str, why: str, key: dict[str, Any]) -> tuple[Ints, Ints, Ints | Floats]:
        """Items, how each was answered (`why` where it has no answer) and the answers, of the rows of one person or run."""
        key = key | {"question": self.code}
        if self.kind == "choice":  # both in one number: half the time
            coded = f"trajectory * {self.width} + coalesce(choice + {_GIVEN}, {why})"
            packed = whole_numbers(self.store, f"SELECT {coded} AS value FROM {where}", key)
            items, said = np.divmod(packed, self.width)
            return items, np.minimum(said, _GIVEN), self._places[np.maximum(said - _GIVEN, 0)]
        column = "score" if self.kind == "score" else "chosen"
        coded = f"trajectory * 4 + CASE WHEN {column} IS NOT NULL THEN {_GIVEN} ELSE {why} END"
        items, how = np.divmod(whole_numbers(self.store, f"SELECT {coded} AS value FROM {where}", key), 4)
        if self.kind == "score":
            return items, how, real_numbers(self.store, f"SELECT score FROM {where}", key)
        return items, how, self._bits(whole_numbers(self.store, f"SELECT coalesce(chosen, 0) AS value FROM {where}", key))

    def _bits(self, chosen: Ints) -> Ints:
        """Bit sets of codes as bit sets of places."""
        placed = np.zeros(len(chosen), dtype=np.int64)
        for code, place in enumerate(self._places.tolist()):
            if place >= 0:
                placed |= (chosen >> code & 1) << place
        return placed

    def _read_pages(self) -> tuple[tuple[str, ...], Ints]:
        """The codebook pages that labels were given under, and by event the place of its page among them."""
        rows = self.store.conn.execute(
            """SELECT hash FROM codebooks c WHERE question = ? AND EXISTS
               (SELECT 1 FROM label_events e INDEXED BY label_pages WHERE e.question = c.question AND e.codebook = c.hash)
               ORDER BY version""",
            [self.code],
        ).fetchall()
        pages = tuple(row[0] for row in rows)
        if len(pages) < 2:
            return pages, np.empty(0, dtype=np.int64)
        (last,) = self.store.conn.execute("SELECT max(seq) FROM label_events").fetchone()
        page_of = np.full(last + 1, -1)
        for place, page in enumerate(pages):
            query = "SELECT seq AS value FROM label_events INDEXED BY label_pages WHERE question = :question AND codebook = :page"
            page_of[whole_numbers(self.store, query, {"question": self.code, "page": page})] = place
        return pages, page_of


def _last_of_each(items: Ints) -> Bools:
    """Of ascending items the last row of each."""
    return np.append(items[1:] != items[:-1], True)[: len(items)]


def _later(phases: list[Said]) -> Said:
    """One person's labels of several phases, the later phase's first; but a skip gives way to any label."""
    items = np.concatenate([said.items for said in phases])
    rank = np.concatenate([np.where(said.reasons == SKIPPED, -1, place) for place, said in enumerate(phases)])
    order = np.lexsort((rank, items))
    both = Said(
        items,
        np.concatenate([said.reasons for said in phases]),
        np.concatenate([said.values for said in phases]),
        np.concatenate([said.imported for said in phases]),
        np.concatenate([said.pages for said in phases]),
    )
    return both.only(order[_last_of_each(items[order])])
