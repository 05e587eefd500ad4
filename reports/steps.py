"""Do a human and a judge point at the same steps of a trajectory?

An item is what the human marked and what the judge cited, as positions of steps; a side that gave no answer
at all is None, and the item then enters nothing. Marking nothing is an answer.

- first failure: of the items where both marked a step, the share whose earliest ones are the same (or at most
  `within` steps apart)
- overlap: the mean Jaccard index over items where either marked a step
- precision: of all steps that the judge cites, the share that the human marked; recall the other way round

Where several annotators labelled an item each label is a row beside the verdict, and rows of an item are one
unit of the interval. Intervals: Wilson for first failures of a row an item, drawn alike; else module `ratios`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from reports.estimate import Estimate
from reports.intervals import wilson
from reports.ratios import Rows, ratio
from reports.sample import Floats

Marks = tuple[Collection[int] | None, Collection[int] | None]
"""The human's steps and the judge's; None for a side without an answer."""

NOT_BOTH = "no item has a step marked on both sides"
NEITHER = "no item has a step marked on either side"
JUDGE_CITES_NOTHING = "the judge cites no step of any item"
HUMAN_MARKS_NOTHING = "the human marked no step of any item"


@dataclass(frozen=True, slots=True)
class StepSample:
    """Rows of marks with the design that their items were drawn by."""

    marks: Sequence[Marks]
    rows: Rows


def first_failure_agreement(items: Sequence[Marks] | StepSample, within: int = 0) -> Estimate:
    """The share of items, of those where both sides marked a step, whose earliest are at most `within` steps apart.

    n counts those items. Raises ValueError for a negative `within`.
    """
    if within < 0:
        raise ValueError(f"`within` counts steps. Found {within}. Use 0 for the same step, 1 for a neighbour.")
    sample = _sample(items)
    apart = [abs(min(human) - min(judge)) if human and judge else None for human, judge in sample.marks]
    both = np.array([steps is not None for steps in apart], dtype=np.float64)
    near = np.array([steps is not None and steps <= within for steps in apart], dtype=np.float64)
    rows = sample.rows
    if rows.weighted or rows.grouped or len(np.unique(rows.item)) < len(rows.item):
        return ratio(near, both, rows, NOT_BOTH)
    n, hits = int(both.sum()), int(near.sum())
    return Estimate(hits / n, *wilson(hits, n), n, "wilson") if n else Estimate.undefined(0, "wilson", NOT_BOTH)


def evidence_overlap(items: Sequence[Marks] | StepSample) -> Estimate:
    """The mean Jaccard index of both sides' steps, in [0, 1], over the items where either marked one."""
    sample, counts = _counted(items)
    human, judge, both = counts.T
    either = human + judge - both
    return ratio(np.where(either > 0, both / np.maximum(either, 1), 0.0), (either > 0).astype(np.float64), sample.rows, NEITHER)


def step_precision(items: Sequence[Marks] | StepSample) -> Estimate:
    """Of the steps that the judge cites, all items together, the share that the human marked; n counts items with a cited one."""
    sample, counts = _counted(items)
    return ratio(counts[:, 2], counts[:, 1], sample.rows, JUDGE_CITES_NOTHING)


def step_recall(items: Sequence[Marks] | StepSample) -> Estimate:
    """Of the steps that the human marked, all items together, the share that the judge cites; n counts items with a marked one."""
    sample, counts = _counted(items)
    return ratio(counts[:, 2], counts[:, 0], sample.rows, HUMAN_MARKS_NOTHING)


def _sample(items: Sequence[Marks] | StepSample) -> StepSample:
    return items if isinstance(items, StepSample) else StepSample(items, Rows.alone(len(items)))


def _counted(items: Sequence[Marks] | StepSample) -> tuple[StepSample, Floats]:
    """R x 3: steps of the human, of the judge, of both; zeros where a side has no answer."""
    sample = _sample(items)
    counts = [
        (0, 0, 0) if human is None or judge is None else (len(set(human)), len(set(judge)), len(set(human) & set(judge)))
        for human, judge in sample.marks
    ]
    return sample, np.array(counts, dtype=np.float64).reshape(-1, 3)
