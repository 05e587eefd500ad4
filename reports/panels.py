"""What several annotators and a judge said of the same items, pair by pair, and what may be left out at once.

A panel counts items that are alike once. Here each of its distinct items becomes one row for every pair of
raters on it (the judge with each annotator, each two annotators with each other), so that whatever is asked
of the pairs costs as much as there are distinct items, not as there are items.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.human_tallies import Panel
from reports.sample import Floats

Ints = NDArray[np.int64]

NO_ITEMS = "no item has a readable verdict and two annotators' answers"


@dataclass(frozen=True, slots=True)
class Pairings:
    """A panel's P distinct items as rows of rated pairs, and its units: the items, or the groups that they share."""

    judged: NDArray[np.bool_]
    """By pair of raters: whether it is the judge with an annotator; else it is two annotators."""
    raters: Ints
    """Pairs x 2: who; the judge is number `people`."""
    item: Ints
    """By row: the place of the distinct item."""
    pair: Ints
    """By row."""
    answers: Ints
    """Rows x 2, in the order of `raters`: places in `Panel.answers`."""
    stratum: Ints
    """P."""
    counts: Floats
    """P: how many items are like this one."""
    mass: Floats
    """Strata: how many items of the frame the panel's items stand for; means nothing where nothing is weighted."""
    factors: tuple[int, ...]
    """Strata: whole numbers in the ratio of the weights."""
    weighted: bool
    unit: Ints
    content: Ints
    held: Floats
    """By entry: a distinct unit, a distinct item, and how many such items the unit holds."""
    times: Floats
    """By distinct unit: how many units are like this one."""
    grouped: bool
    unlabelled: str
    """Why nothing stands for part of the frame; empty where something does."""

    @property
    def n(self) -> int:
        """Items."""
        return round(float(self.counts.sum()))

    @property
    def units(self) -> int:
        """Groups, or items where items are the units."""
        return round(float(self.times.sum()))

    @property
    def degrees(self) -> int:
        """Degrees of freedom: units less strata."""
        return self.units - (int((self.items_of_strata() > 0).sum()) if self.weighted else 1)

    def method(self, name: str) -> str:
        """How an interval is made, `name` being what is done with the units."""
        units = "groups" if self.grouped else "items"
        strata = "strata" if self.weighted else "1"
        return ("post-stratified, " if self.weighted else "") + f"{name} over {units}, t({units}-{strata})"

    def items_of_strata(self) -> Floats:
        """Strata: how many items each has."""
        items: Floats = np.bincount(self.stratum, weights=self.counts, minlength=len(self.mass)).astype(np.float64)
        return items

    def shared(self) -> Floats:
        """Pairs: how many items both raters rated."""
        items: Floats = np.bincount(self.pair, weights=self.counts[self.item], minlength=len(self.judged)).astype(np.float64)
        return items

    def removed(self) -> Floats:
        """Distinct units x strata: how many items each unit holds of each stratum."""
        table = np.zeros((len(self.times), len(self.mass)))
        np.add.at(table, (self.unit, self.stratum[self.content]), self.held)
        return table

    def weights(self, left: Floats) -> Floats:
        """R x strata from R x strata items that are left: what each weighs, with mean 1 over the items left."""
        if not self.weighted:
            return np.ones_like(left)
        weight = np.where(left > 0, self.mass / np.maximum(left, 1), 0.0)
        scaled: Floats = weight * (left.sum(axis=1) / np.maximum((weight * left).sum(axis=1), 1e-300))[:, None]
        return scaled


def pairings(panel: Panel) -> Pairings:
    """The pairs of raters on a panel's items. Raises ValueError for an item with fewer than two labels."""
    items = list(panel.items)
    if any(len(votes) < 2 for _, _, votes in items):
        raise ValueError("A panel's items must have two annotators' answers or more. Found one with fewer. Count again.")
    sizes = np.array([len(votes) for _, _, votes in items], dtype=np.int64)
    people, answer = np.array([vote for _, _, votes in items for vote in votes], dtype=np.int64).reshape(-1, 2).T
    item = np.repeat(np.arange(len(items)), sizes)
    verdict = np.array([verdict for _, verdict, _ in items], dtype=np.int64)
    judge = len(panel.people)
    columns: list[tuple[Any, ...]] = [(item, np.full(len(item), judge), people, verdict[item], answer)]
    for apart in range(1, int(sizes.max(initial=1))):
        first = np.flatnonzero(item[:-apart] == item[apart:])
        columns.append((item[first], people[first], people[first + apart], answer[first], answer[first + apart]))
    row_item, one, other, x, y = (np.concatenate(each) for each in zip(*columns, strict=True))
    found, pair = np.unique(one * (judge + 1) + other, return_inverse=True)
    raters = np.stack([found // (judge + 1), found % (judge + 1)], axis=1)
    counts = np.array(list(panel.items.values()), dtype=np.float64)
    unit, content, held, times = _units(panel, counts)
    weighted = panel.weighted and bool(panel.strata)
    mass, factors = np.ones(1), [1]
    if weighted:
        of_strata = np.bincount([stratum for stratum, _, _ in items], weights=counts, minlength=len(panel.strata))
        mass = np.array([each.frame / max(1, each.finished) for each in panel.strata]) * of_strata
        common = math.lcm(*(max(1, each.finished) for each in panel.strata))
        factors = [each.frame * (common // max(1, each.finished)) for each in panel.strata]
    empty = next((each for each in panel.strata if each.judged and each.frame and not each.finished), None)
    return Pairings(
        judged=raters[:, 0] == judge,
        raters=raters,
        item=row_item,
        pair=pair,
        answers=np.stack([x, y], axis=1),
        stratum=np.array([stratum if weighted else 0 for stratum, _, _ in items], dtype=np.int64),
        counts=counts,
        mass=mass,
        factors=tuple(factors),
        weighted=weighted,
        unit=unit,
        content=content,
        held=held,
        times=times,
        grouped=bool(panel.clusters),
        unlabelled="" if empty is None else nobody_twice(empty.name, empty.frame),
    )


def nobody_twice(stratum: str, frame: int) -> str:
    """Why figures are undefined where a stratum of the frame has no item that two annotators finished."""
    return f"no item of the stratum {stratum!r} has two labels, and {frame:,} items of the frame lie in it"


def _units(panel: Panel, counts: Floats) -> tuple[Ints, Ints, Floats, Floats]:
    """Unit, distinct item and how many, entry by entry; and how many units are like each."""
    if not panel.clusters:
        each = np.arange(len(counts))
        return each, each, np.ones(len(counts)), counts
    entries = np.array([entry for content in panel.clusters for entry in content], dtype=np.int64).reshape(-1, 2)
    unit = np.repeat(np.arange(len(panel.clusters)), [len(content) for content in panel.clusters])
    times = np.array(list(panel.clusters.values()), dtype=np.float64)
    held = np.bincount(entries[:, 0], weights=entries[:, 1] * times[unit], minlength=len(counts))
    if (held != counts).any():
        raise ValueError("The groups of a panel must hold its items, each once. Found other numbers. Count again.")
    return unit, entries[:, 0], entries[:, 1].astype(np.float64), times
