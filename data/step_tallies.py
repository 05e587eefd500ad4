"""Which steps people marked beside those that a judge run cited, or that others marked, row by row.

The store lists these; `reports.steps` turns them into figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.tallies import Excluded

Ints = NDArray[np.int64]
Steps = tuple[int, ...]
"""Positions in a trajectory, from 0."""


EACH = "human:each"
"""Everybody's labels, one by one."""


@dataclass(frozen=True, slots=True)
class StepStratum:
    """One stratum of the draws behind the rows."""

    name: str
    frame: int
    """Items of the frame that lie in it."""
    finished: int
    """Items of it that the people in question (of two people beside each other: both) have finished."""


@dataclass(frozen=True, slots=True)
class StepTally:
    """R rows: an annotator's latest label of an item beside the verdict on it, or beside another annotator's label.

    A label without marked steps is there as such; an item without an answer on one side is no row.
    """

    rows: str
    """`human:each` for everybody's labels, one by one, or `human:NAME`."""
    columns: str
    """`judge:RUN`, or `human:each` for every two annotators of an item."""
    marks: Sequence[tuple[Steps, Steps]]
    """R: the row side's steps and the column side's."""
    item: Ints
    """R: which item."""
    group: Ints
    """R: which group that lies in."""
    stratum: Ints
    """R: its place in `strata`; 0 where there are none."""
    excluded: Excluded
    """Labels that are no row, by the first reason that applies; nothing between humans."""
    design: str = "simple"
    """`simple`, `stratified:RUN`, or `imported` for labels of unknown draw."""
    weighted: bool = False
    """Whether items stand for different numbers of items."""
    strata: tuple[StepStratum, ...] = ()
    """Empty for imported labels; without the strata that hold no readable verdict."""
    silent: bool = False
    """Whether no verdict on these items says anything about steps, not even that there are none."""
    unmarking: tuple[str, ...] = ()
    """People whose imported labels mark no step anywhere: nobody knows whether they were asked, so they have no row."""
    selected: bool = False
    """As `data.tallies.PairTally.selected`."""


@dataclass(frozen=True, slots=True)
class QuestionSteps:
    """All rows of one question."""

    id: str
    type: str
    evidence: str
    """What the question asks of annotators: `none`, `optional`, `any` or `first`."""
    judge: tuple[StepTally, ...]
    """By run: everybody's labels, then each annotator's."""
    humans: StepTally | None
    """Every two annotators of an item; None where no item has two."""
