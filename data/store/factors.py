"""What a draw's rate can depend on, as columns over all trajectories: verdicts, splits, waves of import."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from data.store.columns import Bools, Ints, trajectory_count, whole_numbers
from data.store.draws import Draw, VerdictStrata, verdict_names, verdicts_at
from data.store.store import Store
from data.store.verdict_columns import NO_VERDICT

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that may tell strata apart."""

    labels: tuple[str, ...]
    """Its values in words, in the order in which strata are listed."""
    values: Ints
    """By trajectory number: the place of its value in `labels`; place 0 is nobody's."""
    prefix: str = ""
    by: tuple[str, str] | None = None
    """(run, question), where its values are verdicts."""

    def present(self, stratum_of: Ints, strata: int) -> Bools:
        """strata x labels: whether a stratum has items with that value."""
        inside = stratum_of >= 0
        width = len(self.labels)
        counts = np.bincount(stratum_of[inside] * width + self.values[inside], minlength=strata * width)
        there: Bools = counts.reshape(strata, width) > 0
        return there

    def within(self, label: str) -> Bools:
        """By trajectory number: whether it has this value."""
        chosen: Bools = self.values == self.labels.index(label)
        chosen[0] = False
        return chosen


def split_factor(store: Store, size: int) -> Factor:
    """The split of every trajectory."""
    values = np.zeros(size + 1, dtype=np.int64)
    for place, name in enumerate(SPLITS):
        values[whole_numbers(store, "SELECT n AS value FROM trajectories WHERE split = :name", {"name": name})] = place
    return Factor(SPLITS, values)


def items_of_split(store: Store, split: str) -> Bools:
    """By trajectory number: whether it lies in this split."""
    return split_factor(store, trajectory_count(store)).within(split)


def wave_factor(draws: Iterable[Draw], size: int) -> Factor:
    """Before which draw a trajectory came in; the last value is for those after all draws."""
    by_cut: dict[int, list[str]] = {}
    for draw in draws:
        by_cut.setdefault(draw.last_trajectory, []).append(draw.name)
    cuts = sorted(by_cut)
    labels = [
        f"imported after {by_cut[cuts[k - 1]][-1]}" if k else f"imported before {by_cut[cut][0]}" for k, cut in enumerate(cuts)
    ]
    values = np.searchsorted(np.array(cuts, dtype=np.int64), np.arange(size + 1), side="left")
    return Factor((*labels, "imported later"), values)


def verdict_factors(store: Store, draws: Iterable[Draw], size: int) -> tuple[dict[str, Ints], list[Factor]]:
    """Batch to the codes of the verdicts that it was stratified on; and what they tell, by run and question."""
    columns: dict[str, Ints] = {}
    by_factor: dict[VerdictStrata, list[str]] = {}
    for draw in draws:
        if draw.by:
            columns[draw.name] = verdicts_at(store, draw.by, draw.last_verdict, size)
            by_factor.setdefault(draw.by, []).append(draw.name)
    questions = {by.question for by in by_factor}
    factors = []
    for by, batches in by_factor.items():
        labels, values = _verdicts_over_time(verdict_names(store, by), [(batch, columns[batch]) for batch in batches])
        prefix = f"{by.run}: " if len(questions) == 1 else f"{by.run} {by.question}: "
        factors.append(Factor(labels, values, prefix, (by.run, by.question)))
    return columns, factors


def _verdicts_over_time(names: dict[int, str], columns: list[tuple[str, Ints]]) -> tuple[tuple[str, ...], Ints]:
    """Labels and values of a run's verdicts: as they stood at its last draw, and at which draws there was none yet.

    A verdict is never changed, so nothing else can differ between two draws.
    """
    place = np.zeros(len(names), dtype=np.int64)  # the codes below 0 count from its end
    place[list(names)] = np.arange(len(names))
    batches, last = zip(*columns, strict=True)
    without = sum(((column == NO_VERDICT) & (last[-1] != NO_VERDICT)).astype(np.int64) for column in last)
    labels = [
        name + (f" (no verdict at {batches[missed - 1]})" if missed else "")
        for name in names.values()
        for missed in range(len(columns))
    ]
    return tuple(labels), place[last[-1]] * len(columns) + without
