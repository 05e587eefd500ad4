"""Answers that are sets of choices: do two raters, or many, name the same ones?

A set is a whole number whose bit i stands for choice i; 0 is the empty set, and two empty sets agree fully.
Many raters: Krippendorff's alpha with the MASI or the Jaccard distance, alpha of every choice by itself, and
the plain mean of those. Two raters: how often the sets are equal, and how much of them is shared.

Sources: Krippendorff 2011; Passonneau 2006 (MASI).
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from data.tallies import Pattern
from reports.alpha import NOTHING_TO_PAIR, pseudo_items
from reports.alpha_by_design import alpha_of_choices, alpha_of_values
from reports.alpha_of_distances import jaccard_distance
from reports.estimate import Estimate
from reports.intervals import wilson
from reports.ratios import Rows, ratio
from reports.sample import Floats
from reports.vote_sample import VoteSample, estimated, replicates, two_values

SetDistance = Literal["masi", "jaccard"]
Sets = Mapping[Pattern, int] | VoteSample
"""The sets that an item's raters gave, in any order -> items; or such a sample by its design."""

NO_ITEMS = "no item has an answer on both sides"
NO_LABEL = "no choice was named by some and not by others, so no alpha of a choice is defined"


def alpha_of_sets(of: Sets, choices: int, distance: SetDistance) -> Estimate:
    """Alpha, in [-1, 1], of sets of so many choices.

    `masi`: δ = 1 - J·M with J the Jaccard index and M 1, 2/3, 1/3 or 0; `jaccard`: δ = 1 - J; neither squared.
    Items with fewer than two sets pair with nothing; n counts the others. Undefined where there are none, and
    where only one set occurs. Raises ValueError for another distance and for what are no sets of `choices`.
    """
    if distance not in ("masi", "jaccard"):
        raise ValueError(f"Unknown distance {distance!r}. Use 'masi' or 'jaccard'.")
    return alpha_of_values(_sample(of, choices), "MASI" if distance == "masi" else "Jaccard")


def alpha_by_label(of: Sets, choices: int) -> list[Estimate]:
    """Per choice: nominal alpha of whether it was named."""
    sample = _sample(of, choices)
    return [alpha_of_choices(of_label(sample, place), "nominal") for place in range(choices)]


def of_label(sample: VoteSample, place: int) -> VoteSample:
    """Votes per item (raters who did not name the choice, raters who did), items and design as they are."""
    named = [sum(int(each) >> place & 1 for each in pattern) for pattern in sample.patterns]
    return replace(sample, patterns=[(len(sets) - yes, yes) for sets, yes in zip(sample.patterns, named, strict=True)])


def alpha_macro(of: Sets, choices: int) -> Estimate:
    """The plain mean over choices of `alpha_by_label`; undefined ones are left out, and `method` says how many stay.

    The interval is the jackknife of that mean; its coverage was measured little (module `alpha_by_design`).
    """
    sample = _sample(of, choices)
    n = round(float(sample.items.sum()))
    raters = np.fromiter(map(len, sample.patterns), dtype=np.float64, count=len(sample.patterns))
    named = np.array(
        [[sum(int(each) >> place & 1 for each in sets) for place in range(choices)] for sets in sample.patterns], dtype=np.float64
    ).reshape(-1, choices)
    used = (named.sum(axis=0) > 0) & (named.sum(axis=0) < raters.sum())
    method = f"nominal, mean of {used.sum()} of {choices} choices, {sample.method(2)}"
    if reason := NOTHING_TO_PAIR if n == 0 else sample.unlabelled or ("" if used.any() else NO_LABEL):
        return Estimate.undefined(n, method, reason)
    kept = int(used.sum())
    # Pseudo-items of two votes that name none, half or all of the choices: each choice gets two random votes.
    pseudo = _features(np.full(3, 2.0), np.repeat([[0.0], [1.0], [2.0]], kept, axis=1)) * sample.average(raters) / 2
    chances = pseudo_items(2) * np.array([0.25, 0.5, 0.25])
    found = replicates(sample, _features(raters, named[:, used]), pseudo, chances, _mean_alpha)
    return estimated(sample, found, n, method) if math.isfinite(found.value) else Estimate.undefined(n, method, NO_LABEL)


def exact_match(pairs: Mapping[tuple[int, int], int]) -> Estimate:
    """The share of items on which both sides name the same choices; `pairs`: (one side's set, the other's) -> items."""
    n, same = sum(pairs.values()), sum(items for (one, other), items in pairs.items() if one == other)
    return Estimate(same / n, *wilson(same, n), n, "wilson") if n else Estimate.undefined(0, "wilson", NO_ITEMS)


def mean_jaccard(pairs: Mapping[tuple[int, int], int]) -> Estimate:
    """The mean over items of the Jaccard index of both sides' sets, in [0, 1]; two empty sets have 1."""
    sets = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    values = np.repeat(1 - jaccard_distance(sets[:, 0], sets[:, 1]), list(pairs.values()))
    return ratio(values, np.ones(len(values)), Rows.alone(len(values)), NO_ITEMS)


def _features(raters: Floats, named: Floats) -> Floats:
    """P x (1 + 2L): votes, disagreement seen on each choice, and how often each was named."""
    seen = 2 * named * (raters[:, None] - named) / (raters[:, None] - 1)
    return np.column_stack([raters, seen, named])


def _mean_alpha(sums: Floats) -> Floats:
    n, labels = sums[:, :1], sums.shape[1] // 2
    seen, named = sums[:, 1 : labels + 1], sums[:, labels + 1 :]
    mean: Floats = (1 - (n - 1) * seen / (2 * named * (n - named))).mean(axis=1)
    return mean


def _sample(of: Sets, choices: int) -> VoteSample:
    sample = of if isinstance(of, VoteSample) else VoteSample.of_patterns(of, two_values)
    given = of.patterns if isinstance(of, VoteSample) else of
    wrong = next((each for sets in given for each in sets if not 0 <= each < 1 << choices or each != int(each)), None)
    if wrong is not None:
        raise ValueError(
            f"A set of {choices} choices is a whole number from 0 to {(1 << choices) - 1}, bit i for choice i. Found {wrong}."
        )
    return sample
