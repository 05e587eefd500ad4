"""Judge runs whose prompt was revised in this study: of the splits only dev may speak of them.

A revision is chosen because it did well on dev, and made from what went wrong on train; what it does on test is for a
certificate to say, once for every look that was declared.
"""

from dataclasses import dataclass

import numpy as np

from data.store.columns import Bools, trajectory_count
from data.store.factors import items_of_split
from data.store.prompts import recorded_prompts
from data.store.store import Store

SELECTED_ON = ("dev",)
"""The splits that figures of such a run are about."""
WORKED_ON = ("train", "dev")
"""The splits on which its verdicts are read at all, outside a certificate."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs these are, and on which items they are reported."""

    runs: frozenset[str]
    items: Bools
    """By trajectory number: whether it lies in dev."""

    def of(self, *runs: str | None) -> bool:
        """Whether one of `runs` is of a revised prompt."""
        return not self.runs.isdisjoint(runs)


def selection(store: Store) -> Selection:
    """The runs of revised prompts, and the items of dev."""
    revised = {prompt.code for prompt in recorded_prompts(store) if prompt.revised}
    runs = frozenset(name for name, prompt in store.conn.execute("SELECT name, prompt FROM judge_runs") if prompt in revised)
    return Selection(runs, items_of_split(store, *SELECTED_ON) if runs else _nothing(store))


def told_of(store: Store, prompt: int) -> Bools | None:
    """By trajectory number, where what a prompt's verdicts are may be told; None: everywhere. `prompt`: its code."""
    revised = any(each.code == prompt and each.revised for each in recorded_prompts(store))
    return items_of_split(store, *SELECTED_ON) if revised else None


def worked_on(store: Store) -> Selection:
    """The same with train, for lists of single items and their causes, which are no figures."""
    found = selection(store)
    if not found.runs:
        return found
    return Selection(found.runs, np.logical_or.reduce([items_of_split(store, split) for split in WORKED_ON]))


def for_certificate(store: Store) -> Selection:
    """No run is held back. For what `judge.certifying` counts, which is on record before anybody reads it."""
    return Selection(frozenset(), _nothing(store))


def _nothing(store: Store) -> Bools:
    return np.zeros(trajectory_count(store) + 1, dtype=bool)
