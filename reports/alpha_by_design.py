"""Krippendorff's alpha of a question, for items with weights or groups and for votes that are sets or scores.

Where items are units of equal weight and votes are single choices, `alpha` has it in closed form. Everything
else comes here, to the jackknife of `vote_sample`. Sets, and scores at the ratio level, whose distances follow
no formula of sums, go on to `alpha_of_distances`.

Pseudo-items weigh as much as an average item and hold two random votes: drawn evenly over the choices, or, for
sets and scores, over evenly spaced quantiles of the votes in their order.

Levels: nominal; ordinal; interval, δ² = (a - b)²; ratio, δ² = ((a - b)/(a + b))²; of sets MASI, δ = 1 - J·M with
J the Jaccard index and M = 1 (equal), 2/3 (one within the other), 1/3 (overlap) or 0, and Jaccard, δ = 1 - J,
neither squared; two empty sets agree.

Measured coverage of the nominal 95 % (seeded simulation; the draws were few, so take all of it as indicative):
  grouped binary votes    three annotators of accuracy .8 to .95, positives .05 to .5, 12 to 40 groups of 2 to 10,
                          300 draws a setting; correlation within groups 0 .940 at worst, .2 .903, .5 .856
  sets of 3 or 6 choices  2 to 5 annotators, some with gaps, 30 and 100 items, 250 draws a setting, worst and mean:
                          MASI .916, .948; Jaccard .928, .953; mean of the choices' alphas .964, .989
  scores                  the same annotators: interval .904, ratio .872 at worst; but .51 (interval) for thirty
                          items of which 3 % lie far from the rest, for a sample may hold none of those
Weights were not measured.

Sources: Krippendorff 2011; Passonneau 2006 (MASI).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np

from data.tallies import Pattern, QuestionTally
from reports.alpha import (
    NOTHING_TO_PAIR,
    ONE_CHOICE,
    Level,
    Scale,
    alpha_of_sums,
    coincidences_of,
    krippendorff_alpha,
    pseudo_items,
)
from reports.alpha_of_distances import distance_replicates, jaccard_distance, masi_distance, ratio_distance
from reports.estimate import Estimate
from reports.sample import Floats
from reports.vote_sample import Replicates, VoteSample, at_least, estimated, replicates, two_values, two_votes

AnyLevel = Literal["nominal", "ordinal", "interval", "ratio", "MASI", "Jaccard"]

LEVELS: dict[str, AnyLevel] = {
    "binary": "nominal", "nominal": "nominal", "ordinal": "ordinal", "multilabel": "MASI", "score": "interval",
}  # fmt: skip
"""The level of a question's type."""
QUANTILES = 12
ONE_VALUE = "only one answer occurs, so there is no disagreement to expect (0/0)"
BELOW_ZERO = "the ratio level is for scores from 0 up, and there are some below"


def alpha_by_design(tally: QuestionTally, level: AnyLevel | None = None) -> Estimate:
    """Alpha, in [-1, 1], of everybody's votes on a question; n counts the items with two votes or more.

    `level`: default that of the question's type; choices take nominal, ordinal, interval and ratio (each choice
    its place, 0, 1, 2, ...), sets MASI and Jaccard, scores interval and ratio. Undefined where no item has two
    votes, where only one answer occurs, and where a stratum has no finished item. Raises ValueError for a
    question type without a level, and for a level that its votes cannot take.
    """
    wanted = level or LEVELS.get(tally.type)
    if tally.type not in LEVELS or wanted is None:
        raise ValueError(f"Question {tally.id!r} is of type {tally.type!r}, which has no alpha. Known types: {', '.join(LEVELS)}.")
    known = {"multilabel": ("MASI", "Jaccard"), "score": ("interval", "ratio")}.get(tally.type, get_args(Level))
    if wanted not in known:
        raise ValueError(f"Question {tally.id!r} is of type {tally.type!r}, which has no level {wanted!r}. Use {', '.join(known)}.")
    if tally.type in ("multilabel", "score"):
        return alpha_of_values(VoteSample.of_tally(tally, two_values), wanted)
    return alpha_of_choices(VoteSample.of_tally(tally, at_least(2)), next(each for each in get_args(Level) if each == wanted))


def alpha_of_values(of: Mapping[Pattern, int] | VoteSample, level: AnyLevel) -> Estimate:
    """Alpha, in [-1, 1], of sets (MASI, Jaccard) or scores (interval, ratio).

    `of`: the values that an item's raters gave, in any order -> items. Undefined as in `alpha_by_design`.
    """
    sample = of if isinstance(of, VoteSample) else VoteSample.of_patterns(of, two_values)
    counts = Counter(value for pattern in sample.patterns for value in pattern)
    values = sorted(counts)
    method = f"{level}, {sample.method(len(values))}"
    n = round(float(sample.items.sum()))
    if reason := NOTHING_TO_PAIR if n == 0 else sample.unlabelled:
        return Estimate.undefined(n, method, reason)
    if len(values) == 1:
        return Estimate.undefined(n, method, ONE_VALUE)
    if level == "ratio" and values[0] < 0:
        return Estimate.undefined(n, method, BELOW_ZERO)
    spread = [values[round(at)] for at in np.linspace(0, len(values) - 1, min(QUANTILES, len(values)))]
    if level == "interval":
        found = _interval(sample, values, spread)
    else:
        distance = {"MASI": masi_distance, "Jaccard": jaccard_distance, "ratio": ratio_distance}[level]
        found = distance_replicates(sample, values, spread, distance, float if level == "ratio" else int)
    if not math.isfinite(found.value):
        return Estimate.undefined(n, method, ONE_VALUE)
    return estimated(sample, found, n, method)


def alpha_of_choices(sample: VoteSample, level: Level) -> Estimate:
    """Alpha, in [-1, 1], of votes per choice at `level`; items with fewer than two votes must be left out of `sample`."""
    size = len(sample.patterns[0]) if sample.patterns else 2
    if sample.plain:
        counted: Counter[tuple[int, ...]] = Counter()
        for pattern, items in zip(sample.patterns, sample.items[0].tolist(), strict=True):
            counted[tuple(int(votes) for votes in pattern)] += round(items)
        return krippendorff_alpha(counted, level)
    method = f"{level}, {sample.method(size)}"
    n = round(float(sample.items.sum()))
    if reason := NOTHING_TO_PAIR if n == 0 else sample.unlabelled:
        return Estimate.undefined(n, method, reason)
    votes = np.array(sample.patterns, dtype=np.float64)
    if np.count_nonzero(votes.sum(axis=0)) == 1:
        return Estimate.undefined(n, method, ONE_CHOICE)
    first, second, chances = two_votes(size)
    one_vote = np.eye(size)
    pseudo = coincidences_of(one_vote[first] + one_vote[second]) * sample.average(votes.sum(axis=1)) / 2
    found = replicates(sample, coincidences_of(votes), pseudo, pseudo_items(size) * chances, alpha_of_sums(Scale.of(level, size)))
    return estimated(sample, found, n, method)


def _interval(sample: VoteSample, values: Sequence[float], spread: Sequence[float]) -> Replicates:
    """Scores: (a - b)² follows from sums of values and of squares, scaled to 0 ... 1."""
    least, unit = values[0], values[-1] - values[0]
    first, second, chances = two_votes(len(spread))
    drawn = [(spread[a], spread[b]) for a, b in zip(first, second, strict=True)]
    features, pseudo = (
        _moments([tuple((value - least) / unit for value in pattern) for pattern in part]) for part in (sample.patterns, drawn)
    )
    size = sample.average(np.fromiter(map(len, sample.patterns), dtype=np.float64))
    return replicates(sample, features, pseudo * size / 2, pseudo_items(len(values)) * chances, _alpha_of_moments)


def _moments(patterns: Sequence[Pattern]) -> Floats:
    """P x 4: the squared distances seen, the number of values, their sum and their sum of squares."""
    rows = []
    for pattern in patterns:
        m, once, twice = len(pattern), math.fsum(pattern), math.fsum(value * value for value in pattern)
        rows.append((2 * (m * twice - once * once) / (m - 1), m, once, twice))
    return np.array(rows, dtype=np.float64)


def _alpha_of_moments(sums: Floats) -> Floats:
    seen, n, once, twice = sums.T
    expected = 2 * (n * twice - once**2)
    defined = expected > 1e-12 * n**2
    return np.where(defined, 1 - (n - 1) * seen / np.where(defined, expected, 1.0), np.nan)
