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
class StratumTally:
    """One stratum of the draws behind a pair: every finished item of it stands for `frame / finished` items."""

    name: str
    """`judge-a: misaligned`, `judge-a: unreadable`, `judge-a: no verdict`, `all`."""
    frame: int
    """Items of the frame that lie in this stratum."""
    drawn: int
    """Items that all estimate batches drew from it."""
    finished: int
    """Items of it that the human side (between humans: both) finished: label, unsure or tie, not skipped."""
    confusion: tuple[tuple[int, ...], ...]
    """K x K counts of its items."""
    unreadable: tuple[int, ...] = ()
    """As in `PairTally`: per choice of the rows. Empty between humans."""
    column: int | None = None
    """The only column that its items can lie in, because it was drawn by the verdict of this pair's run:
    a place among the choices, `K` for unreadable verdicts, -1 where the run has no verdict at all.
    None where its items can lie in any cell."""


@dataclass(frozen=True, slots=True)
class StratumMissing:
    """What is missing of a stratum's draw, over all annotators."""

    name: str
    drawn: int
    unfinished: int
    """Drawn items on which no annotator has finished."""
    skipped: int
    """Drawn items on which annotators did nothing but skip; not among `unfinished`."""


Pattern = tuple[float, ...]
"""The votes on one item. For choices: number of annotators per choice, in declared order. For multilabel
(bit sets as whole numbers, bit i = choice i) and score: the votes themselves, sorted."""


@dataclass(frozen=True, slots=True)
class VoteStratum:
    """The patterns of votes of the finished items of one stratum."""

    name: str
    frame: int
    finished: int
    """Items that at least one annotator finished, however many votes they have."""
    patterns: Mapping[Pattern, int]


@dataclass(frozen=True, slots=True)
class PairTally:
    """One pair of raters on the items that both answered."""

    rows: str
    """`human:consensus`, `human:NAME`."""
    columns: str
    """`judge:RUN`, or `human:NAME` between two humans."""
    confusion: tuple[tuple[int, ...], ...]
    """K x K counts of items; rows and columns in the declared order of the choices.
    Empty for multilabel (see `by_label`) and score (see `scores`)."""
    unreadable: tuple[int, ...]
    """Per choice of the rows: items whose verdict is an error. Empty between two humans."""
    excluded: Excluded
    design: str
    """`simple` or `stratified:RUN` for items of our own draws, `imported` for labels of unknown draw."""
    groups: int
    """Distinct groups among the items with an answer on both sides."""
    codebooks: Mapping[str, int] = field(default_factory=dict)
    """Codebook version hash -> labels given under it, where labels of this study are used."""
    weighted: bool = False
    """Whether `frame / finished` differs between the strata, so that the figures must follow the weights."""
    strata: tuple[StratumTally, ...] = ()
    """Empty for imported labels, one or more for our own draws; their tables add up to those of the pair."""
    clusters: Mapping[tuple[tuple[int, int, int, int], ...], int] = field(default_factory=dict)
    """What one group holds -> how many groups hold just that. It is sorted (stratum, row, column, items), with
    the stratum's place in `strata` (0 without strata) and column `K` for unreadable verdicts. Groups without
    an item in a cell are left out. Empty where no group has two items: then items are the units."""
    frame_groups: Mapping[tuple[tuple[int, int], ...], int] = field(default_factory=dict)
    """What one group holds of the whole frame, drawn or not -> groups: sorted (stratum, items of the frame).
    Where strata are weighted and groups matter: how much of a stratum there is varies from group to group."""
    by_label: Mapping[str, "PairTally"] = field(default_factory=dict)
    """Multilabel: choice -> its binary pair, with choices (not chosen, chosen) and so positive 1."""
    scores: Mapping[tuple[int, float, float], int] = field(default_factory=dict)
    """Score: (stratum, row's score, column's score) -> items."""
    at_threshold: "PairTally | None" = None
    """Score with a declared threshold: the binary pair, choices (below, at or above) and so positive 1."""
    row_weights: Mapping[tuple[tuple[int, int, float], ...], int] = field(default_factory=dict)
    """For rows of a frame that each stand for as many items as their own weight says: what one unit holds, a row or
    the rows of one group, as sorted (row, column, weight) -> units. Empty for all that this project draws, which has
    `strata`; where it is not, `strata` and `clusters` are empty."""
    single: int | None = None
    """Items in the table whose consensus rests on one label; None where rows are no consensus."""
    selected: bool = False
    """Whether the judge's prompt was revised in this study, so that these are the items of dev, on which it was chosen."""


@dataclass(frozen=True, slots=True)
class QuestionTally:
    """Everything that was counted for one question."""

    id: str
    type: str
    """`binary`, `nominal`, `ordinal`, `multilabel` or `score`."""
    choices: tuple[str, ...]
    """In declared order; empty for score."""
    positive: int | None
    """Place of the positive choice in `choices`, for a binary question."""
    judge_pairs: tuple[PairTally, ...]
    human_pairs: tuple[PairTally, ...]
    votes: Mapping[tuple[int, ...], int]
    """How many items have this pattern of votes: (number of annotators per choice) -> items."""
    units: Mapping[Pattern, int] = field(default_factory=dict)
    """The same for multilabel and score, where `votes` is empty: sorted votes of an item -> items."""
    vote_strata: tuple[VoteStratum, ...] = ()
    """Patterns by stratum, of either kind; empty for imported labels."""
    vote_clusters: Mapping[tuple[tuple[int, Pattern, int], ...], int] = field(default_factory=dict)
    """As `PairTally.clusters`: what one group holds, sorted (stratum, pattern, items) -> groups."""
    missing: tuple[StratumMissing, ...] = ()
    outside_frame: int = 0
    """Items imported after the last draw, which no figure stands for."""


@dataclass(frozen=True, slots=True)
class JointStratum:
    """One stratum behind two judge runs."""

    name: str
    frame: int
    finished: int
    counts: tuple[tuple[tuple[int, ...], ...], ...]
    """As `JointTally.counts`."""
    first: int | None = None
    """The only verdict of the first run that its items can have, because it was drawn by that: a place among the
    choices, `K` for unreadable, -1 where the run has none. None where they can have any."""
    second: int | None = None


@dataclass(frozen=True, slots=True)
class JointTally:
    """Human consensus x first judge run x second judge run, on the items that all three have something on."""

    rows: str
    first: str
    """`judge:RUN`."""
    second: str
    counts: tuple[tuple[tuple[int, ...], ...], ...]
    """K x (K + 1) x (K + 1) items: [human][first][second], place `K` for unreadable verdicts. Empty for multilabel and score."""
    excluded: Excluded
    """`missing` lack a verdict of one run or both; `error` counts items of which either verdict is unreadable."""
    design: str
    groups: int
    """Distinct groups among the items of which both verdicts can be read."""
    weighted: bool = False
    strata: tuple[JointStratum, ...] = ()
    clusters: Mapping[tuple[tuple[int, int, int, int, int], ...], int] = field(default_factory=dict)
    """What one group holds -> groups, as `PairTally.clusters`: sorted (stratum, human, first, second, items)."""
    frame_groups: Mapping[tuple[tuple[int, int], ...], int] = field(default_factory=dict)
    by_label: Mapping[str, "JointTally"] = field(default_factory=dict)
    at_threshold: "JointTally | None" = None
    selected: bool = False
    """As `PairTally.selected`, of either run."""
