"""Counts of who said what beside whom, without a trajectory and without a database.

The store counts these; `reports` turns them into figures. Between the two nothing else passes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Excluded:
    """Items of a pair that enter no figure, each under the first reason that applies, human side first."""

    missing: int = 0
    """The other side has nothing for the item (judge pairs only)."""
    skipped: int = 0
    unsure: int = 0
    tie: int = 0
    """Annotators disagree and no choice has more than half (consensus only)."""
    error: int = 0
    """The verdict could not be read."""


@dataclass(frozen=True, slots=True)
class PairTally:
    """One pair of raters on the items that both answered."""

    rows: str
    """`human:consensus`, `human:NAME`."""
    columns: str
    """`judge:RUN`, or `human:NAME` between two humans."""
    confusion: tuple[tuple[int, ...], ...]
    """K x K counts of items; rows and columns in the declared order of the choices."""
    unreadable: tuple[int, ...]
    """Per choice of the rows: items whose verdict is an error. Empty between two humans."""
    excluded: Excluded
    design: str
    """`simple` for items of our own draws, `imported` for labels of unknown draw."""
    groups: int
    """Distinct groups among the items counted in `confusion`."""
    codebooks: Mapping[str, int] = field(default_factory=dict)
    """Codebook version hash -> labels given under it, where labels of this study are used."""


@dataclass(frozen=True, slots=True)
class QuestionTally:
    """Everything that was counted for one question."""

    id: str
    type: str
    """`binary`, `nominal` or `ordinal`."""
    choices: tuple[str, ...]
    positive: int | None
    """Place of the positive choice in `choices`, for a binary question."""
    judge_pairs: tuple[PairTally, ...]
    human_pairs: tuple[PairTally, ...]
    votes: Mapping[tuple[int, ...], int]
    """How many items have this pattern of votes: (number of annotators per choice) -> items."""
