"""What the annotators of an item say together: the choice of more than half of those who were sure.

One label is enough. Where no choice has more than half the item is a tie, of ordinal choices too. Several
choices are decided label by label, and one tie makes the item a tie. Of scores it is the median. What a lead
decided comes before all that; decided that there is no answer, an item counts as a tie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.store.columns import Bools, Floats, Ints
from data.store.sides import SKIPPED, TIE, UNSURE, Said

Decisions = Mapping[int, float | int | None]
"""Trajectory to what was decided on it, in the form of `Said.values`; None: there is no answer."""


@dataclass(frozen=True, slots=True)
class Poll:
    """All labels and skips on a question, a row each."""

    items: Ints
    """The trajectories on which anybody said something, ascending; U of them."""
    place: Ints
    """By row: the place of its item in `items`."""
    reasons: Ints
    values: Ints | Floats
    imported: Bools

    @classmethod
    def of(cls, people: Sequence[Said], size: int) -> "Poll":
        """`size`: the highest number of a trajectory."""
        rows = np.concatenate([said.items for said in people]) if people else np.empty(0, dtype=np.int64)
        there = np.zeros(size + 1, dtype=bool)
        there[rows] = True
        place = (np.cumsum(there) - 1)[rows]
        join = np.concatenate
        empty = np.empty(0, dtype=np.int64)
        return cls(
            np.flatnonzero(there),
            place,
            join([said.reasons for said in people]) if people else empty,
            join([said.values for said in people]) if people else empty,
            join([said.imported for said in people]) if people else empty.astype(bool),
        )

    def count(self, rows: Bools) -> Ints:
        """U: how many of `rows` each item has."""
        return np.bincount(self.place[rows], minlength=len(self.items))


def consensus_of(poll: Poll, type: str, choices: int, decided: Decisions) -> tuple[Said, Bools]:
    """The consensus, and of each of its items whether it rests on one label."""
    sure = poll.reasons == 0
    labels = poll.count(sure)
    values: Ints | Floats
    if type == "score":
        tie, values = np.zeros(len(poll.items), dtype=bool), _medians(poll, sure, labels)
    elif type == "multilabel":
        tie, values = _label_by_label(poll, sure, labels, choices)
    else:
        tie, values = _majority(poll, sure, labels, choices)
    unsure = poll.count(poll.reasons == UNSURE) > 0
    reasons = np.where(tie, TIE, 0)
    reasons = np.where(labels == 0, np.where(unsure, UNSURE, SKIPPED), reasons)
    single = labels == 1
    for item, answer in decided.items():
        at = int(np.searchsorted(poll.items, item))
        if at < len(poll.items) and poll.items[at] == item:
            reasons[at], values[at] = (TIE, 0) if answer is None else (0, answer)
            single[at] = False
    imported = poll.count(poll.imported) > 0
    return Said(poll.items, reasons, values, imported, np.full(len(poll.items), -1)), single


def _majority(poll: Poll, sure: Bools, labels: Ints, choices: int) -> tuple[Bools, Ints]:
    votes = np.bincount(poll.place[sure] * choices + poll.values[sure].astype(np.int64), minlength=len(labels) * choices)
    votes = votes.reshape(len(labels), choices)
    top = votes.argmax(axis=1)
    return votes[np.arange(len(labels)), top] * 2 <= labels, top


def _label_by_label(poll: Poll, sure: Bools, labels: Ints, choices: int) -> tuple[Bools, Ints]:
    tie, together = np.zeros(len(labels), dtype=bool), np.zeros(len(labels), dtype=np.int64)
    sets = poll.values.astype(np.int64)
    for place in range(choices):
        votes = poll.count(sure & (sets >> place & 1 == 1))
        tie |= (votes * 2 == labels) & (labels > 0)
        together |= (votes * 2 > labels).astype(np.int64) << place
    return tie, together


def _medians(poll: Poll, sure: Bools, labels: Ints) -> Floats:
    place, scores = poll.place[sure], poll.values[sure].astype(np.float64)
    scores = scores[np.lexsort((scores, place))]
    first = np.cumsum(labels) - labels
    medians = np.zeros(len(labels))
    some = labels > 0
    low, high = first[some] + (labels[some] - 1) // 2, first[some] + labels[some] // 2
    medians[some] = (scores[low] + scores[high]) / 2
    return medians
