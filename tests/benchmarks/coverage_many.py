"""Beyond three raters of two choices: more of both, gaps, sets, scores, and marked steps. Only when asked for.

A truth is the figure of 40,000 items of the same kind.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from reports.alpha import krippendorff_alpha
from reports.alpha_by_design import alpha_of_values
from reports.estimate import Estimate
from reports.many_raters import fleiss, gwet
from reports.ratios import Rows, ratio
from reports.sets import alpha_macro, alpha_of_sets
from tests.benchmarks.coverage import Cell, Design, Integers

Figure = Callable[[Integers], Estimate]
Draw = Callable[[np.random.Generator, int], Integers]
"""From how many items: a data set."""
Patterns = dict[tuple[int, ...], int]

SIZES = (30, 100)
POPULATION = 40_000
ODDS = {
    2: ((0.03, 0.97), (0.1, 0.9), (0.5, 0.5)),
    3: ((0.05, 0.15, 0.8), (0.34, 0.33, 0.33)),
    4: ((0.05, 0.1, 0.25, 0.6),),
    5: ((0.03, 0.07, 0.1, 0.3, 0.5), (0.2,) * 5),
}
"""Shares of the choices, by their number."""
CROWDS = {"2 ratings": (2, 2), "3 ratings": (3, 3), "5 ratings": (5, 5), "12 ratings": (12, 12), "1 to 5 ratings": (1, 5)}
"""Fewest and most ratings of an item."""
MOST_LABELS = 6


def cells(figure: Figure, worlds: Mapping[str, Draw], random: np.random.Generator, times: int) -> Iterator[Cell]:
    for name, draw in worlds.items():
        true = figure(draw(random, POPULATION)).value
        for n in SIZES:
            if true is not None:
                yield Cell(f"{name}, n {n}", true, np.stack([draw(random, n) for _ in range(times)]))


def designs(figures: Mapping[str, Figure], worlds: Mapping[str, Draw]) -> list[Design]:
    return [Design(name, partial(cells, figure, worlds), figure) for name, figure in figures.items()]


def with_gaps(given: Integers, fewest: int, random: np.random.Generator) -> Integers:
    """-1 where a rater gave nothing."""
    raters = given.shape[1]
    given[np.arange(raters) >= random.integers(fewest, raters + 1, size=len(given))[:, None]] = -1
    return given


# Votes. One data set: items x raters


def votes(
    odds: Sequence[float], accuracy: float, ordered: bool, fewest: int, most: int, random: np.random.Generator, n: int
) -> Integers:
    """Errors are even, or half as frequent one place further."""
    size = len(odds)
    truth = random.choice(size, size=n, p=odds)
    apart = np.abs(np.arange(size)[:, None] - np.arange(size))
    wrong = np.where(apart > 0, 0.5 ** (apart * ordered), 0.0)
    chances = np.where(apart > 0, (1 - accuracy) * wrong / wrong.sum(axis=1, keepdims=True), accuracy)
    given = (random.random((n, most, 1)) > np.cumsum(chances, axis=1)[truth][:, None, :-1]).sum(axis=2)
    return with_gaps(given, fewest, random)


def patterns_of(size: int, data: Integers) -> Patterns:
    rows = np.stack([(data == choice).sum(axis=1) for choice in range(size)], axis=1)
    distinct, times = np.unique(rows, axis=0, return_counts=True)
    return {tuple(row): items for row, items in zip(distinct.tolist(), times.tolist(), strict=True)}


def _voted(size: int, figures: Mapping[str, Callable[[Patterns], Estimate]], ordered: bool, gaps: bool = True) -> list[Design]:
    worlds: dict[str, Draw] = {
        f"{crowd}, {odds}, accuracy {accuracy}": partial(votes, odds, accuracy, ordered, *ratings)
        for (crowd, ratings), odds, accuracy in itertools.product(CROWDS.items(), ODDS[size], (0.8, 0.95))
        if gaps or ratings[0] == ratings[1]
    }
    return designs(
        {f"{name}, {size} choices": lambda data, of=of: of(patterns_of(size, data)) for name, of in figures.items()},  # type: ignore[misc]
        worlds,
    )


# Sets and scores. One data set: items x raters


def sets(named: Sequence[float], error: float, fewest: int, most: int, random: np.random.Generator, n: int) -> Integers:
    true = random.random((n, len(named))) < np.array(named)
    given = (true[:, None, :] ^ (random.random((n, most, len(named))) < error)) @ (1 << np.arange(len(named)))
    return with_gaps(given, fewest, random)


def scores(rare: float, noise: float, fewest: int, most: int, random: np.random.Generator, n: int) -> Integers:
    """`rare`: the share of items around 9, the others around 1; 0 for items around 5, normally spread."""
    true = np.where(random.random(n) < rare, 9.0, 1.0) if rare else random.normal(5, 2, n)
    given = np.clip(np.rint(true[:, None] + random.normal(0, noise, (n, most))), 0, 10).astype(np.int64)
    return with_gaps(given, fewest, random)


def units_of(data: Integers) -> dict[tuple[float, ...], int]:
    return Counter(tuple(each for each in row if each >= 0) for row in data.tolist())


def _crowded(draw: Callable[..., Integers], worlds: Mapping[str, tuple[object, ...]]) -> dict[str, Draw]:
    return {
        f"{crowd}, {name}": partial(draw, *world, *ratings)
        for (crowd, ratings), (name, world) in itertools.product(CROWDS.items(), worlds.items())
        if ratings[1] < 12
    }


# Marked steps. One data set: items x (marked by both, by the human alone, by the judge alone, stratum, its items in the frame)


def steps(shared: float, correlation: float, random: np.random.Generator, n: int) -> Integers:
    """The judge cites up to three steps of an item."""
    cited = random.choice(4, size=n, p=(0.2, 0.4, 0.25, 0.15))
    both = random.binomial(cited, _around(shared, correlation, n, random))
    return np.column_stack([both, random.binomial(2, 0.2, n), cited - both, np.zeros((n, 2), dtype=np.int64)])


def steps_in_groups(size: int, shared: float, correlation: float, random: np.random.Generator, n: int) -> Integers:
    """Items of a group, one after the other, have one share."""
    cited = random.integers(0, 4, size=n)
    both = random.binomial(cited, np.repeat(_around(shared, correlation, -(-n // size), random), size)[:n])
    return np.column_stack([both, random.binomial(2, 0.2, n), cited - both, np.zeros((n, 2), dtype=np.int64)])


def steps_by_verdict(positive: float, missed: float, random: np.random.Generator, n: int) -> Integers:
    """Half of each verdict of 2,000 items; a judge that says no cites nothing. The whole frame for n of 2,000 and more."""
    frame = np.array([round(2000 * positive), 2000 - round(2000 * positive)])
    drawn = np.minimum(frame, n // 2) if n < 2000 else n * frame // 2000
    cited = np.concatenate([random.integers(1, 4, size=drawn[0]), np.zeros(drawn[1], dtype=np.int64)])
    both = random.binomial(cited, np.where(random.random(len(cited)) < 0.8, 0.8, 0.0))
    alone = np.where(
        cited > 0, random.random(len(cited)) < 0.2, (random.random(len(cited)) < missed) * random.integers(1, 3, size=len(cited))
    )
    stratum = np.repeat([0, 1], drawn)
    return np.column_stack([both, alone, cited - both, stratum, frame[stratum]])


def _around(share: float, correlation: float, n: int, random: np.random.Generator) -> NDArray[np.float64]:
    strength = (1 - correlation) / correlation if correlation else 1e9
    return random.beta(share * strength, (1 - share) * strength, n)


def rows_of(data: Integers, group: int) -> Rows:
    item, stratum, finished = np.arange(len(data)), data[:, 3], np.bincount(data[:, 3]).astype(np.float64)
    weighted = len(finished) > 1
    rate = np.array([data[stratum == k, 4].max() for k in range(len(finished))]) / finished if weighted else np.ones(1)
    return Rows(item, item // group, np.ones(len(data)), stratum, rate, finished, weighted, grouped=group > 1)


def overlap(data: Integers, group: int = 1) -> Estimate:
    either = data[:, :3].sum(axis=1)
    return ratio(data[:, 0] / np.maximum(either, 1), (either > 0).astype(np.float64), rows_of(data, group), "nothing marked")


def precision(data: Integers, group: int = 1) -> Estimate:
    both, cited = data[:, 0].astype(np.float64), (data[:, 0] + data[:, 2]).astype(np.float64)
    return ratio(both, cited, rows_of(data, group), "nothing cited", anywhere=False)


def recall(data: Integers, group: int = 1) -> Estimate:
    both, human = data[:, 0].astype(np.float64), (data[:, 0] + data[:, 1]).astype(np.float64)
    return ratio(both, human, rows_of(data, group), "nothing marked")


OF_STEPS: dict[str, Callable[..., Estimate]] = {
    "overlap of steps": overlap,
    "precision of steps": precision,
    "recall of steps": recall,
}
UNORDERED = {"alpha": krippendorff_alpha, "AC1": gwet}
ORDERED: dict[str, Callable[[Patterns], Estimate]] = {
    "alpha ordinal": lambda patterns: krippendorff_alpha(patterns, "ordinal"),
    "alpha interval": lambda patterns: krippendorff_alpha(patterns, "interval"),
    "AC2 linear": lambda patterns: gwet(patterns, "linear"),
    "AC2 quadratic": lambda patterns: gwet(patterns, "quadratic"),
}
OF_SETS: dict[str, Figure] = {
    "MASI": lambda data: alpha_of_sets(units_of(data), MOST_LABELS, "masi"),
    "Jaccard": lambda data: alpha_of_sets(units_of(data), MOST_LABELS, "jaccard"),
    "mean of the choices' alphas": lambda data: alpha_macro(units_of(data), MOST_LABELS),
}
OF_SCORES: dict[str, Figure] = {
    "scores, interval": lambda data: alpha_of_values(units_of(data), "interval"),
    "scores, ratio": lambda data: alpha_of_values(units_of(data), "ratio"),
}
PARTS: dict[str, list[Design]] = {
    "many-raters": [
        *itertools.chain.from_iterable(_voted(size, UNORDERED, ordered=False) for size in ODDS),
        *itertools.chain.from_iterable(_voted(size, {"Fleiss": fleiss}, ordered=False, gaps=False) for size in ODDS),
        *itertools.chain.from_iterable(_voted(size, ORDERED, ordered=True) for size in ODDS if size > 2),
    ],
    "sets": designs(
        OF_SETS,
        _crowded(
            sets,
            {
                "3 choices": ((0.1, 0.3, 0.5), 0.1),
                "3 rare choices": ((0.05, 0.05, 0.2), 0.05),
                "6 choices": ((0.02, 0.05, 0.1, 0.1, 0.3, 0.5), 0.05),
                "6 choices, few errors": ((0.3,) * 6, 0.02),
            },
        ),
    ),
    "scores": [
        *designs(OF_SCORES, _crowded(scores, {"little noise": (0, 0.5), "much noise": (0, 1.5), "a tenth far off": (0.1, 0.5)})),
        *designs({f"{name}, 3 % far off": figure for name, figure in OF_SCORES.items()}, _crowded(scores, {"3 %": (0.03, 0.5)})),
    ],
    "steps": [
        *designs(
            OF_STEPS,
            {
                f"{shared} shared, correlation {rho}": partial(steps, shared, rho)
                for shared, rho in itertools.product((0.1, 0.5, 0.95), (0, 0.3, 0.8))
            },
        ),
        *designs(
            {f"{name} by verdict": figure for name, figure in OF_STEPS.items()},
            {
                f"{positive} cited, {missed} missed": partial(steps_by_verdict, positive, missed)
                for positive, missed in itertools.product((0.1, 0.3), (0.005, 0.02, 0.1, 0.3))
            },
        ),
        *designs(
            {f"{name} in groups of 5": partial(figure, group=5) for name, figure in OF_STEPS.items()},
            {
                f"{shared} shared, correlation {rho}": partial(steps_in_groups, 5, shared, rho)
                for shared, rho in itertools.product((0.1, 0.5, 0.9), (0, 0.3, 0.5))
            },
        ),
    ],
}  # fmt: skip
