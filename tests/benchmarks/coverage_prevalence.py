"""How often it truly happens: a hundred labels of two thousand verdicts, and strata that were labelled unevenly."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from reports.estimate import Estimate
from reports.prevalence import RateStratum, humans_only, lee, post_stratified, ppi_mean, rogan_gladen_counted
from tests.benchmarks.coverage import Cell, Design, Integers

LABELLED, REST = 100, 1_900
PUBLISHED = {
    (0.1, 0.80, 0.95): (0.932, 0.956, 0.923, 0.994), (0.2, 0.85, 0.90): (0.942, 0.957, 0.936, 0.985),
    (0.2, 0.90, 0.95): (0.943, 0.964, 0.936, 0.989), (0.3, 0.80, 0.80): (0.941, 0.954, 0.951, 0.980),
    (0.5, 0.90, 0.90): (0.942, 0.950, 0.944, 0.983),
}  # fmt: skip
"""(true rate, sensitivity, specificity) -> coverage of humans only, post-stratified, PPI++, Rogan-Gladen."""

# A simple draw. One data set: labelled found, missed, false, spared; verdicts on the rest positive, negative


def pool_cells(setting: tuple[float, float, float], random: np.random.Generator, times: int) -> Iterator[Cell]:
    rate, found, spared = setting
    shares = [rate * found, rate * (1 - found), (1 - rate) * (1 - spared), (1 - rate) * spared]
    labelled = random.multinomial(LABELLED, shares, size=times)
    called = random.binomial(REST, shares[0] + shares[2], size=times)
    yield Cell(f"rate {rate}, sensitivity {found}, specificity {spared}", rate, np.column_stack([labelled, called, REST - called]))


def by_humans(data: Integers) -> Estimate:
    found, missed, false, spared, _, _ = data.tolist()
    return humans_only(found + missed, found + missed + false + spared)


def by_strata(data: Integers) -> Estimate:
    found, missed, false, spared, called, left = data.tolist()
    strata = [
        RateStratum(found + false + called, found + false, found),
        RateStratum(missed + spared + left, missed + spared, missed),
    ]
    return post_stratified(strata)


def by_ppi(data: Integers) -> Estimate:
    found, missed, false, spared, called, left = data.tolist()
    human = np.repeat([1.0, 1.0, 0.0, 0.0], [found, missed, false, spared])
    judge = np.repeat([1.0, 0.0, 1.0, 0.0], [found, missed, false, spared])
    return ppi_mean(human, judge, np.repeat([1.0, 0.0], [called, left])).mean


def by_rogan_gladen(data: Integers) -> Estimate:
    found, missed, false, spared, called, left = data.tolist()
    if not found + missed or not false + spared:
        return Estimate.undefined(0, "", "a class has no label")
    return rogan_gladen_counted(called, called + left, (spared, false + spared), (found, found + missed))


METHODS: dict[str, Callable[[Integers], Estimate]] = {
    "humans only": by_humans, "post-stratified": by_strata, "PPI++": by_ppi, "Rogan-Gladen": by_rogan_gladen,
}  # fmt: skip

# Strata of known size. One data set: stratum x (population, labelled, positive)


def strata_cells(random: np.random.Generator, times: int) -> Iterator[Cell]:
    """Two or three strata whose rates differ, labelled in equal numbers."""
    rates = ((0.02, 0.6), (0.05, 0.8), (0.1, 0.5), (0.2, 0.9), (0.02, 0.2, 0.7), (0.1, 0.3, 0.6))
    for n, each, mostly_first in itertools.product((30, 60, 100, 200), rates, (True, False)):
        weights = np.array([0.8, *[0.2 / (len(each) - 1)] * (len(each) - 1)]) if mostly_first else np.full(len(each), 1 / len(each))
        labelled = n // len(each)
        draws = np.stack(
            [
                np.column_stack(
                    [np.full(times, round(weight * 60_000)), np.full(times, labelled), random.binomial(labelled, rate, times)]
                )
                for weight, rate in zip(weights, each, strict=True)
            ],
            axis=1,
        )
        whole = np.rint(weights * 60_000)
        yield Cell(f"n {n}, rates {each}, shares {weights.round(2).tolist()}", float(whole @ np.array(each) / whole.sum()), draws)


def of_strata(data: Integers) -> Estimate:
    return post_stratified([RateStratum(*each) for each in data.tolist()])


# Gold by class, and a judged set apart from it. One data set: positive verdicts, right of the negatives, right of the positives


def gold_cells(random: np.random.Generator, times: int) -> Iterator[Cell]:
    for (rate, found, spared), gold in itertools.product(PUBLISHED, (30, 50, 100)):
        called = random.binomial(2_000, rate * found + (1 - rate) * (1 - spared), times)
        right = [random.binomial(gold, share, times) for share in (spared, found)]
        name = f"{gold} of each class, rate {rate}, sensitivity {found}, specificity {spared}"
        yield Cell(name, rate, np.column_stack([called, *right, np.full(times, gold)]))


def by_lee(data: Integers) -> Estimate:
    called, spared, found, gold = data.tolist()
    return lee(called, 2_000, (spared, gold), (found, gold))


def _pool(setting: tuple[float, float, float]) -> list[Design]:
    said = "rate {}, sensitivity {}, specificity {}".format(*setting)
    methods = zip(METHODS.items(), PUBLISHED[setting], strict=True)
    return [Design(f"{name}, {said}", partial(pool_cells, setting), method, published) for (name, method), published in methods]


PARTS: dict[str, list[Design]] = {
    "prevalence": [
        *(design for setting in PUBLISHED for design in _pool(setting)),
        Design("post-stratified over strata", strata_cells, of_strata, 0.916),
        Design("Lee et al.", gold_cells, by_lee, 0.942),
    ],
}
