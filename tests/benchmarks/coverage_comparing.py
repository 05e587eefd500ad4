"""The difference of two judges' kappas where items were not drawn alike and one by one: groups, strata, and both."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from data.tallies import Excluded, JointStratum, JointTally
from reports.agreement import kappa
from reports.comparing import Comparison, compare
from reports.estimate import Estimate
from reports.joint import Joint
from tests.benchmarks.coverage import Cell, Design, Integers

Floats = NDArray[np.float64]
Judges = tuple[tuple[float, float], tuple[float, float], float]
"""How often each errs where humans say no and yes, and how often the second copies the first."""
Figure = Callable[[Comparison], Estimate]

JUDGES: tuple[Judges, ...] = (
    ((0.05, 0.2), (0.05, 0.2), 0.0),
    ((0.05, 0.2), (0.05, 0.2), 0.6),
    ((0.1, 0.3), (0.03, 0.1), 0.3),
    ((0.02, 0.4), (0.15, 0.1), 0.0),
)
PREVALENCES = (0.1, 0.3, 0.5)
CORRELATIONS = (0.0, 0.2, 0.5)
GROUPS = {
    "10 of 5 to 20": [5, 8, 11, 14, 17, 20, 6, 12, 9, 18],
    "20 of 5 to 10": [5, 6, 8, 10] * 5,
    "40 of 3 to 8": [3, 4, 6, 8] * 10,
}


def truth(prevalence: float, judges: Judges) -> float:
    """The second kappa less the first, of the population."""

    def of(errors: Sequence[float]) -> float:
        shares = [
            [(1 - prevalence) * (1 - errors[0]), (1 - prevalence) * errors[0]],
            [prevalence * errors[1], prevalence * (1 - errors[1])],
        ]
        value = kappa([[round(10**12 * share) for share in row] for row in shares]).value
        assert value is not None
        return value

    first, second, copied = judges
    return of([copied * one + (1 - copied) * two for one, two in zip(first, second, strict=True)]) - of(first)


def grouped_items(
    random: np.random.Generator, sizes: Sequence[int], prevalence: float, judges: Judges, correlation: float, times: int
) -> Integers:
    """times x G x 2 x 2 x 2 counts [human][first][second]: every group has a prevalence and error rates of its own."""

    def around(mean: float) -> Floats:
        if correlation == 0:
            return np.full((times, len(sizes)), mean)
        strength = (1 - correlation) / correlation
        return random.beta(mean * strength, (1 - mean) * strength, (times, len(sizes)))

    found = np.zeros((times, len(sizes), 2, 2, 2), dtype=np.int64)
    positive = random.binomial(np.array(sizes)[None], around(prevalence))
    first, second, copied = judges
    for human, items in ((0, np.array(sizes)[None] - positive), (1, positive)):
        of_first, of_second = around(first[human]), around(second[human])
        wrong = random.binomial(items, of_first)
        both = random.binomial(wrong, copied + (1 - copied) * of_second)
        alone = random.binomial(items - wrong, (1 - copied) * of_second)
        found[..., human, 1 - human, 1 - human] = both
        found[..., human, 1 - human, human] = wrong - both
        found[..., human, human, 1 - human] = alone
        found[..., human, human, human] = items - wrong - alone
    return found


def cells_of_groups(groups: dict[str, list[int]], correlation: float, random: np.random.Generator, times: int) -> Iterator[Cell]:
    for (name, sizes), prevalence, judges in itertools.product(groups.items(), PREVALENCES, JUDGES):
        draws = grouped_items(random, sizes, prevalence, judges, correlation, times)
        yield Cell(f"{name}, prevalence {prevalence}, judges {judges}", truth(prevalence, judges), draws)


def of_groups(figure: Figure, data: Integers) -> Estimate:
    return figure(compare(Joint.readable(_tally(data.sum(axis=0), clusters=_contents(data[None])))))


def cells_of_verdicts(
    shapes: Sequence[tuple[int, int, int]], correlation: float, random: np.random.Generator, times: int
) -> Iterator[Cell]:
    """`shapes`: groups, items of each in the frame, items drawn, half of each verdict of the first judge. One group: none.

    One data set: (the frame, drawn of verdict 0, of verdict 1) x groups x 2 x 2 x 2.
    """
    for (groups, size, n), prevalence, judges in itertools.product(shapes, PREVALENCES, JUDGES):
        frames = grouped_items(random, [size] * groups, prevalence, judges, correlation, times)
        draws = np.stack([np.stack([frame, *_half_of_each(random, frame, n)]) for frame in frames])
        yield Cell(f"n {n} of {groups} groups, prevalence {prevalence}, judges {judges}", truth(prevalence, judges), draws)


def _half_of_each(random: np.random.Generator, frame: Integers, n: int) -> Iterator[Integers]:
    for verdict in (0, 1):
        cells = frame[:, :, verdict].ravel()
        drawn = np.zeros_like(frame)
        drawn[:, :, verdict] = random.multivariate_hypergeometric(cells, min(n // 2, int(cells.sum()))).reshape(-1, 2, 2)
        yield drawn


def of_verdicts(figure: Figure, data: Integers) -> Estimate:
    frame, drawn = data[0], data[1:]
    if not drawn.sum(axis=(1, 2, 3, 4)).all():
        return Estimate.undefined(0, "", "a verdict does not occur")
    strata = tuple(
        JointStratum(
            str(verdict),
            int(frame[:, :, verdict].sum()),
            int(drawn[verdict].sum()),
            _wide(drawn[verdict].sum(axis=0)),
            verdict,
            None,
        )
        for verdict in (0, 1)
    )
    held = Counter(tuple((verdict, int(items)) for verdict, items in enumerate(each)) for each in frame.sum(axis=(1, 3)))
    design = {} if len(frame) == 1 else {"clusters": _contents(drawn), "frame_groups": held}
    return figure(compare(Joint.readable(_tally(drawn.sum(axis=(0, 1)), weighted=True, strata=strata, **design))))


def _tally(counts: Integers, **design: object) -> JointTally:
    return JointTally(
        "human:consensus",
        "judge:a",
        "judge:b",
        _wide(counts),
        Excluded(),
        "simple",
        int(counts.sum()),
        **design,  # type: ignore[arg-type]
    )


def _wide(counts: Integers) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """With a place for unreadable verdicts."""
    wide = np.zeros((2, 3, 3), dtype=np.int64)
    wide[:, :2, :2] = counts
    return tuple(tuple(tuple(row) for row in rows) for rows in wide.tolist())


def _contents(groups: Integers) -> Counter[tuple[tuple[int, int, int, int, int], ...]]:
    """From S x G x 2 x 2 x 2 counts."""
    flat = groups.transpose(1, 0, 2, 3, 4).reshape(groups.shape[1], -1)
    places = list(np.ndindex(len(groups), 2, 2, 2))
    contents = Counter(tuple((*place, count) for place, count in zip(places, held, strict=True) if count) for held in flat.tolist())
    del contents[()]
    return contents


def difference(comparison: Comparison) -> Estimate:
    return comparison.difference


def above(comparison: Comparison) -> Estimate:
    """Everything above the one-sided lower bound at level 0.05."""
    bound = comparison.bounds(0.05)
    if bound.low is None or comparison.difference.value is None:
        return comparison.difference
    return Estimate(comparison.difference.value, bound.low, 2.0, comparison.n, bound.method)


ALONE = tuple((1, 4000, n) for n in (50, 100, 200))
TOGETHER = ((40, 50, 120), (200, 10, 120))
FIGURES: dict[str, Figure] = {"difference of kappas": difference, "its lower bound at .05": above}
WIDER: dict[str, list[Design]] = {
    "compare-groups": [
        Design(f"{name}, groups, correlation {each}", partial(cells_of_groups, GROUPS, each), partial(of_groups, figure))
        for name, figure in FIGURES.items()
        for each in CORRELATIONS
    ],
    "compare-strata": [
        Design(f"{name}, half of each verdict of the first", partial(cells_of_verdicts, ALONE, 0.0), partial(of_verdicts, figure))
        for name, figure in FIGURES.items()
    ],
    "compare-groups-and-strata": [
        Design(
            f"{name}, groups and half of each verdict of the first, correlation {each}",
            partial(cells_of_verdicts, TOGETHER, each), partial(of_verdicts, figure),
        )
        for name, figure in FIGURES.items()
        for each in CORRELATIONS
    ],
}  # fmt: skip
"""No published figure stands beside these."""
