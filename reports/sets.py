"""Answers that are sets of choices: do two raters, or many, name the same ones?

A set is a whole number whose bit i stands for choice i; 0 is the empty set, and two empty sets agree fully.
Many raters: Krippendorff's alpha with the MASI or the Jaccard distance (module `alpha_by_design`), alpha of
every choice by itself, and their plain mean. Two raters: how often the sets are equal, and how much of them
is shared.

Sources: Krippendorff 2011; Passonneau 2006 (MASI).
"""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np

from data.tallies import Pattern
from reports.alpha import krippendorff_alpha
from reports.alpha_by_design import alpha_of_values, jaccard_distance
from reports.estimate import Estimate
from reports.intervals import wilson
from reports.ratios import Rows, ratio

SetDistance = Literal["masi", "jaccard"]
NO_ITEMS = "no item has an answer on both sides"


def alpha_of_sets(units: Mapping[Pattern, int], choices: int, distance: SetDistance) -> Estimate:
    """Alpha, in [-1, 1], of `units`: the sets that an item's raters gave, sorted -> items.

    `masi`: δ = 1 - J·M with J the Jaccard index and M 1, 2/3, 1/3 or 0; `jaccard`: δ = 1 - J; not squared.
    Items with fewer than two sets pair with nothing; n counts the others. Undefined where there are none, and
    where only one set occurs. Raises ValueError for another distance and for what are no sets of `choices`.
    """
    if distance not in ("masi", "jaccard"):
        raise ValueError(f"Unknown distance {distance!r}. Use 'masi' or 'jaccard'.")
    _check(units, choices)
    return alpha_of_values(units, "MASI" if distance == "masi" else "Jaccard")


def by_label(units: Mapping[Pattern, int], choices: int) -> list[dict[tuple[int, ...], int]]:
    """Per choice: (raters who did not name it, raters who did) -> items."""
    _check(units, choices)
    found = []
    for place in range(choices):
        patterns: Counter[tuple[int, ...]] = Counter()
        for sets, items in units.items():
            named = sum(int(each) >> place & 1 for each in sets)
            patterns[len(sets) - named, named] += items
        found.append(dict(patterns))
    return found


def alpha_by_label(units: Mapping[Pattern, int], choices: int) -> list[Estimate]:
    """Per choice: nominal alpha of whether it was named."""
    return [krippendorff_alpha(patterns) for patterns in by_label(units, choices)]


def exact_match(pairs: Mapping[tuple[int, int], int]) -> Estimate:
    """The share of items on which both sides name the same choices; `pairs`: (one side's set, the other's) -> items."""
    n, same = sum(pairs.values()), sum(items for (one, other), items in pairs.items() if one == other)
    return Estimate(same / n, *wilson(same, n), n, "wilson") if n else Estimate.undefined(0, "wilson", NO_ITEMS)


def mean_jaccard(pairs: Mapping[tuple[int, int], int]) -> Estimate:
    """The mean over items of the Jaccard index of both sides' sets, in [0, 1]; two empty sets have 1."""
    shared = [1 - jaccard_distance(one, other) for one, other in pairs]
    values = np.repeat(np.array(shared, dtype=np.float64), list(pairs.values()))
    return ratio(values, np.ones(len(values)), Rows.alone(len(values)), NO_ITEMS)


def _check(units: Mapping[Pattern, int], choices: int) -> None:
    wrong = next((each for sets in units for each in sets if not 0 <= each < 1 << choices or each != int(each)), None)
    if wrong is not None:
        raise ValueError(
            f"A set of {choices} choices is a whole number from 0 to {(1 << choices) - 1}, bit i for choice i. Found {wrong}."
        )
