"""Do a human and a judge point at the same steps of a trajectory?

An item is what the human marked and what the judge cited, as positions of steps; a side that gave no answer
at all is None, and the item then enters nothing. Marking nothing is an answer.

- first failure: of the items where both marked a step, the share whose earliest ones are the same (or at most
  `within` steps apart)
- overlap: the mean Jaccard index over items where either marked a step
- precision: of all steps that the judge cites, the share that the human marked; recall the other way round

Where several annotators labelled an item each label is a row beside the verdict; the rows of an item share its
weight and are one unit of the interval. Intervals: Wilson for first failures of a row an item, drawn alike; else
module `ratios`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.step_tallies import StepTally
from reports.estimate import Estimate
from reports.intervals import wilson
from reports.ratios import Rows, ratio
from reports.sample import Floats, nobody_finished

Marks = tuple[Collection[int] | None, Collection[int] | None]
"""The human's steps and the judge's; None for a side without an answer."""

NOT_BOTH = "no item has a step marked on both sides"
NEITHER = "no item has a step marked on either side"
JUDGE_CITES_NOTHING = "the judge cites no step of any item"
JUDGE_IS_SILENT = "no verdict on these items says which steps it rests on"
HUMAN_MARKS_NOTHING = "the human marked no step of any item"


@dataclass(frozen=True)
class StepSample:
    """Rows of marks with the design that their items were drawn by."""

    marks: Sequence[Marks]
    rows: Rows
    silent: str = ""
    """Why the judge's citations tell nothing; empty where they do."""

    @cached_property
    def counts(self) -> Floats:
        """R x 3: steps of the human, of the judge, of both; zeros where a side has no answer."""
        counts = [
            (len(set(human)), len(set(judge)), len(set(human) & set(judge)))
            if human is not None and judge is not None
            else (0, 0, 0)
            for human, judge in self.marks
        ]
        return np.array(counts, dtype=np.float64).reshape(-1, 3)


def sample_of(tally: StepTally) -> StepSample:
    """The rows of a tally, weighted to the frame where it is."""
    rates = np.array([each.frame / max(1, each.finished) for each in tally.strata] if tally.weighted else [1.0])
    stratum = tally.stratum if tally.weighted else np.zeros(len(tally.item), dtype=np.int64)
    items, place, rows_of_item = np.unique(tally.item, return_inverse=True, return_counts=True)
    finished = [each.finished for each in tally.strata] if tally.weighted else [len(items)]
    empty = next((each for each in tally.strata if each.frame and not each.finished), None)
    rows = Rows(
        item=tally.item,
        group=tally.group,
        share=1 / rows_of_item[place],
        stratum=stratum,
        rate=rates,
        finished=np.array(finished, dtype=np.float64),
        weighted=tally.weighted,
        grouped=len(np.unique(tally.group)) < len(items),
        unlabelled="" if empty is None else nobody_finished(empty.name, empty.frame),
    )
    return StepSample(tally.marks, rows, JUDGE_IS_SILENT if tally.silent else "")


def first_failure_agreement(items: Sequence[Marks] | StepSample, within: int = 0) -> Estimate:
    """The share of items, of those where both sides marked a step, whose earliest are at most `within` steps apart.

    n counts those items. Raises ValueError for a negative `within`.
    """
    if within < 0:
        raise ValueError(f"`within` counts steps. Found {within}. Use 0 for the same step, 1 for a neighbour.")
    sample = _sample(items)
    if sample.silent:
        return Estimate.undefined(0, sample.rows.method, sample.silent)
    apart = [abs(min(human) - min(judge)) if human and judge else None for human, judge in sample.marks]
    both = np.array([steps is not None for steps in apart], dtype=np.float64)
    near = np.array([steps is not None and steps <= within for steps in apart], dtype=np.float64)
    rows = sample.rows
    if rows.weighted or rows.grouped or len(np.unique(rows.item)) < len(rows.item):
        return ratio(near, both, rows, NOT_BOTH, anywhere=False)
    n, hits = int(both.sum()), int(near.sum())
    return Estimate(hits / n, *wilson(hits, n), n, "wilson") if n else Estimate.undefined(0, "wilson", NOT_BOTH)


def evidence_overlap(items: Sequence[Marks] | StepSample) -> Estimate:
    """The mean Jaccard index of both sides' steps, in [0, 1], over the items where either marked one."""
    sample = _sample(items)
    human, judge, both = sample.counts.T
    either = human + judge - both
    shared = np.where(either > 0, both / np.maximum(either, 1), 0.0)
    return _ratio(sample, shared, (either > 0).astype(np.float64), NEITHER)


def step_precision(items: Sequence[Marks] | StepSample) -> Estimate:
    """Of the steps that the judge cites, all items together, the share that the human marked; n counts items with a cited one."""
    sample = _sample(items)
    # What the judge cites is known of the whole frame: a stratum without it in the sample has none.
    return _ratio(sample, sample.counts[:, 2], sample.counts[:, 1], JUDGE_CITES_NOTHING, anywhere=False)


def step_recall(items: Sequence[Marks] | StepSample) -> Estimate:
    """Of the steps that the human marked, all items together, the share that the judge cites; n counts items with a marked one."""
    sample = _sample(items)
    return _ratio(sample, sample.counts[:, 2], sample.counts[:, 0], HUMAN_MARKS_NOTHING)


def _ratio(sample: StepSample, part: Floats, whole: Floats, nothing: str, anywhere: bool = True) -> Estimate:
    if sample.silent:
        return Estimate.undefined(0, sample.rows.method, sample.silent)
    return ratio(part, whole, sample.rows, nothing, anywhere)


def _sample(items: Sequence[Marks] | StepSample) -> StepSample:
    return items if isinstance(items, StepSample) else StepSample(items, Rows.alone(len(items)))
