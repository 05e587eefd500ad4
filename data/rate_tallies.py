"""Counts for rates: how often each answer was given, by stratum and by verdict. As `tallies`: no trajectory, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from data.tallies import Excluded, StratumMissing

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RateCell:
    """The items of the frame that lie in one stratum of the draws and have one verdict."""

    stratum: int
    """Its place in `QuestionRates.strata`; 0 where labels are imported."""
    verdict: int
    """A place among the choices, K for unreadable verdicts, K + 1 for items without a verdict."""
    frame: int
    finished: int
    """Items of it that the humans are done with: label, unsure or tie, not skipped."""
    answers: tuple[int, ...]
    """Per choice: items of which it is the humans' consensus."""


@dataclass(frozen=True, slots=True)
class RateTable:
    """What humans and judge said of the same items, counted for rates. K choices."""

    said: tuple[int, ...]
    """Verdicts on all trajectories, in the frame or not: per choice, then unreadable, then without a verdict."""
    cells: tuple[RateCell, ...]
    """By stratum and verdict; those that hold an item of the frame. For imported labels the frame is what was labelled."""
    clusters: Mapping[tuple[tuple[int, int, int], ...], int] = field(default_factory=dict)
    """What one group holds -> groups: sorted (place in `cells`, choice, items). Empty where no group has two items."""
    frame_groups: Mapping[tuple[tuple[int, int], ...], int] = field(default_factory=dict)
    """What one group holds of the frame -> groups: sorted (place in `cells`, items). Where `clusters` are."""
    groups: int = 0
    """Distinct groups among the items with a human answer."""


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """The scores of the items of the frame in one stratum of the draws, those with a readable verdict or those without."""

    stratum: int
    human: Floats
    """Of the items that humans scored."""
    judge: Floats
    """Of the same items, in their order; empty where there is no readable verdict."""
    unlabelled: Floats
    """The judge's, of the other items."""
    beyond: int
    """Other items without a readable verdict."""
    groups: Ints
    """Of the items that humans scored; empty where no group has two items."""
    unlabelled_groups: Ints


@dataclass(frozen=True, slots=True)
class ScoreRates:
    """Scores by stratum; `said` are the verdicts on all trajectories."""

    said: Floats
    unreadable: int
    without: int
    """Trajectories without a verdict."""
    cells: tuple[ScoreCell, ...]
    groups: int = 0


@dataclass(frozen=True, slots=True)
class Rates:
    """One run beside the humans, on all items or on those of a slice."""

    trajectories: int
    tables: Mapping[str, RateTable]
    """By what is counted: `""` the choices, a label of several, or `at the threshold` (choices: below, at or above)."""
    scores: ScoreRates | None = None


@dataclass(frozen=True, slots=True)
class FieldRates:
    """The same by the values of one field."""

    field: str
    origin: str
    """`metadata`, `length` or `source`."""
    parts: tuple[tuple[str, str, Rates], ...]
    """Name and kind of each slice (see `data.store.slicing`), and its counts."""


@dataclass(frozen=True, slots=True)
class RunRates:
    """One judge run's counts."""

    run: str | None
    """None where no run has a verdict on the question: then every item is without one."""
    whole: Rates
    fields: tuple[FieldRates, ...] = ()
    selected: bool = False
    """As `PairTally.selected`."""


@dataclass(frozen=True, slots=True)
class QuestionRates:
    """Everything that was counted for the rates of one question."""

    id: str
    type: str
    choices: tuple[str, ...]
    positive: int | None
    design: str
    """As `PairTally.design`."""
    trajectories: int
    conditional: bool
    """Whether it is asked of some items only, because of an earlier answer."""
    limits: tuple[float, float] | None
    """Lowest and highest score."""
    threshold: float | None
    """From there on a score is a finding."""
    strata: tuple[StratumMissing, ...]
    """The strata of the draws and what is missing of each; empty for imported labels."""
    left_out: Excluded
    """Items without a consensus: skipped, unsure, tied."""
    runs: tuple[RunRates, ...]
    outside_frame: int = 0
    codebooks: Mapping[str, int] = field(default_factory=dict)
    """Codebook version hash -> labels given under it."""
