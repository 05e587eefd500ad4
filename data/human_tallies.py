"""Counts of the human side of a study: everybody beside the judge and each other, again, and over time.

The store counts these; `reports` turns them into figures, as it does with `data.tallies`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data.tallies import PairTally, QuestionTally

PanelItem = tuple[int, int, tuple[tuple[int, int], ...]]
"""(stratum, the judge's answer, ((annotator's place in `Panel.people`, her answer), ...) by place).
Answers are places in `Panel.answers`."""


@dataclass(frozen=True, slots=True)
class PanelStratum:
    """One stratum of the draws behind a panel."""

    name: str
    frame: int
    """Items of the frame that lie in it."""
    finished: int
    """Items of it that two annotators or more have finished."""
    judged: bool
    """Whether the frame has a readable verdict in it: else nothing of it can enter."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The items that a judge run and at least two annotators answered; items alike are counted once."""

    judge: str
    people: tuple[str, ...]
    answers: tuple[float, ...]
    """The answers that occur, ascending: the place of a choice, several choices as a bit set of such places, or a score."""
    items: Mapping[PanelItem, int]
    single: int = 0
    """Items with a readable verdict and one label only, which are no part of it."""
    unreadable: int = 0
    """Items with two labels or more whose verdict could not be read."""
    missing: int = 0
    """Items with two labels or more on which the run has no verdict."""
    design: str = "simple"
    weighted: bool = False
    strata: tuple[PanelStratum, ...] = ()
    """Empty for imported labels: nobody knows how their items were drawn."""
    clusters: Mapping[tuple[tuple[int, int], ...], int] = field(default_factory=dict)
    """What one group holds, sorted (place in `items`, how many) -> groups. Empty where no group has two items."""
    selected: bool = False
    """As `PairTally.selected`."""


Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sittings:
    """Every item that annotators finished at the desk, in the order in which each of them did: a row an item.

    Columns of one length, sorted by annotator, then by time.
    """

    person: Ints
    """Place in `HumanTimes.people`."""
    at: Ints
    """Seconds since 1970, or -1 where none is known."""
    seconds: Floats
    """Active seconds at the item; NaN where none were taken."""
    item: Ints
    """Trajectory numbers."""


@dataclass(frozen=True, slots=True)
class HumanTimes:
    """When people labelled, and how long it took them."""

    people: tuple[str, ...]
    sittings: Sittings


@dataclass(frozen=True, slots=True)
class Accord:
    """Whether each label agrees with the rest: a row a label that the others have a majority on."""

    row: Ints
    """The row of `Sittings` that the label was given in."""
    agrees: Bools
    group: Ints
    """The number of its item's group."""


@dataclass(frozen=True, slots=True)
class HumanTally:
    """Everything that was counted for one question."""

    question: QuestionTally
    """The annotators beside each other; without judge pairs."""
    people: tuple[str, ...]
    """Who answered, or was unsure, in alphabetical order."""
    rest: tuple[PairTally, ...]
    """Each annotator (column) beside the majority of the others (row)."""
    retests: tuple[PairTally, ...]
    """Each annotator's first label (row) beside her second on the same item (column)."""
    panels: tuple[Panel, ...]
    """One a judge run."""
    accord: Accord | None
    """None where no label was given at the desk, and for scores without a threshold."""
    imported: bool
    """Whether these labels were imported, some at least."""
    threshold: float | None = None
    """Of a score."""
