"""Items that were not drawn alike and one by one: strata of verdicts, groups, and both."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from data.tallies import Excluded, PairTally, StratumTally
from reports.agreement import ac1, kappa, observed_agreement, sensitivity, specificity
from reports.estimate import Estimate
from reports.sample import Sample
from tests.benchmarks.coverage import Cell, Design, Integers
from tests.benchmarks.coverage_pairs import truth_of, two_by_two

Floats = NDArray[np.float64]
Figure = Callable[[Sample], Estimate]

FIGURES: dict[str, Figure] = {
    "kappa": kappa,
    "AC1": ac1,
    "agreement": observed_agreement,
    "sensitivity": lambda sample: sensitivity(sample, 0),
    "specificity": lambda sample: specificity(sample, 0),
}
FRAME = 100_000
EVEN_GROUPS = {"10 of 5": [5] * 10, "10 of 10": [10] * 10, "20 of 5": [5] * 20, "20 of 10": [10] * 20, "40 of 5": [5] * 40}
SMALL_GROUPS = {"30 of 2": [2] * 30, "80, mostly alone": [1] * 60 + [2] * 20}
LARGE_GROUPS = {
    "40 of 5": [5] * 40, "10 of 10": [10] * 10, "20 of 10": [10] * 20, "27 of 1 to 20": [1] * 10 + [3] * 10 + [8] * 5 + [20] * 2,
}  # fmt: skip
RARE_TOO = (0.05, 0.1, 0.3, 0.5)
CORRELATIONS = (0.0, 0.2, 0.5)
AGREEMENTS = (0.3, 0.6, 0.9)


def equal_margins(prevalence: float, agreement: float) -> Floats:
    """2 x 2 shares, positive first."""
    table = two_by_two(prevalence, prevalence, agreement)
    if table is None:
        raise ValueError(f"Equal margins allow every kappa above 0. Found {agreement}.")
    return table


def truth(figure: Figure, table: Floats) -> float:
    return truth_of(table, lambda counts: figure(Sample.of_table(counts)))


# Strata of verdicts, each with half of the items. One data set: verdict x (its items in the frame, human positives, negatives)


def verdict_cells(
    figure: Figure, sizes: Sequence[int], grid: Sequence[tuple[float, float]], random: np.random.Generator, times: int
) -> Iterator[Cell]:
    """`grid`: prevalence, and the judge's margin as a multiple of it."""
    for n, (prevalence, factor), agreement in itertools.product(sizes, grid, (0.0, 0.2, 0.4, 0.6, 0.8, 0.9)):
        table = two_by_two(prevalence, prevalence * factor, agreement)
        if table is None:
            continue
        called = table.sum(axis=0)
        draws = np.zeros((times, 2, 3), dtype=np.int64)
        for verdict in (0, 1):
            positive = random.binomial(n // 2, min(1.0, max(0.0, table[0, verdict] / called[verdict])), size=times)
            draws[:, verdict] = np.stack([np.full(times, round(FRAME * called[verdict])), positive, n // 2 - positive], axis=1)
        yield Cell(f"n {n}, prevalence {prevalence}, judge x{factor:.2g}, kappa {agreement}", truth(figure, table), draws)


def of_verdicts(figure: Figure, data: Integers) -> Estimate:
    strata = []
    for verdict, (frame, positive, negative) in enumerate(data.tolist()):
        table = tuple(tuple(count if column == verdict else 0 for column in (0, 1)) for count in (positive, negative))
        n = positive + negative
        strata.append(StratumTally(f"j: {verdict}", frame, n, n, table, (0, 0), verdict))
    whole = tuple(tuple(int(count) for count in row) for row in data[:, 1:].T)
    pair = PairTally(
        "human:consensus", "judge:j", whole, (0, 0), Excluded(), "stratified:j", int(data[:, 1:].sum()),
        weighted=True, strata=tuple(strata),
    )  # fmt: skip
    return figure(Sample.readable(pair))


# Groups, their items drawn alike. One data set: groups x 2 x 2


def grouped_items(
    random: np.random.Generator, sizes: Sequence[int], table: Floats, correlation: float, times: int
) -> NDArray[np.int64]:
    """times x G x 2 x 2 counts: every group has a prevalence and error rates of its own."""

    def around(mean: float) -> Floats:
        if correlation == 0:
            return np.full((times, len(sizes)), mean)
        strength = (1 - correlation) / correlation
        return random.beta(max(mean, 1e-9) * strength, max(1 - mean, 1e-9) * strength, (times, len(sizes)))

    human = table.sum(axis=1)
    positive = random.binomial(np.array(sizes)[None], around(float(human[0])))
    negative = np.array(sizes)[None] - positive
    found = random.binomial(positive, around(float(table[0, 0] / human[0])))
    called = random.binomial(negative, around(float(table[1, 0] / human[1])))
    return np.stack([found, positive - found, called, negative - called], axis=2).reshape(times, -1, 2, 2)


def group_cells(
    figure: Figure,
    groups: dict[str, list[int]],
    correlation: float,
    prevalences: Sequence[float],
    agreements: Sequence[float],
    random: np.random.Generator,
    times: int,
) -> Iterator[Cell]:
    for (name, sizes), prevalence, agreement in itertools.product(groups.items(), prevalences, agreements):
        table = equal_margins(prevalence, agreement)
        draws = grouped_items(random, sizes, table, correlation, times)
        yield Cell(f"{name}, prevalence {prevalence}, kappa {agreement}", truth(figure, table), draws)


def grouped_pair(data: Integers) -> PairTally:
    """Items drawn alike, by group."""
    table = tuple(map(tuple, data.sum(axis=0).tolist()))
    return PairTally("human:consensus", "judge:j", table, (0, 0), Excluded(), "simple", len(data), clusters=_contents(data[None]))


def of_groups(figure: Figure, data: Integers) -> Estimate:
    return figure(Sample.readable(grouped_pair(data)))


# Groups and strata of verdicts. One data set: (the frame, drawn of verdict 0, drawn of verdict 1) x groups x 2 x 2


def grouped_verdict_cells(
    figure: Figure, shapes: Sequence[tuple[int, int, int]], correlation: float, random: np.random.Generator, times: int
) -> Iterator[Cell]:
    """`shapes`: groups, items of each in the frame, items drawn."""
    for (groups, size, n), prevalence, agreement in itertools.product(shapes, (0.1, 0.3, 0.5), AGREEMENTS):
        table = equal_margins(prevalence, agreement)
        frames = grouped_items(random, [size] * groups, table, correlation, times)
        drawn = [half_of_each(random, frame, n) for frame in frames]
        yield Cell(f"n {n} in {groups} groups, prevalence {prevalence}, kappa {agreement}", truth(figure, table), np.stack(drawn))


def half_of_each(random: np.random.Generator, frame: Integers, n: int) -> Integers:
    """A data set of about n items from the groups of a frame."""
    drawn = np.zeros((3, *frame.shape), dtype=np.int64)
    drawn[0] = frame
    for verdict in (0, 1):
        cells = frame[:, :, verdict].ravel()
        drawn[1 + verdict, :, :, verdict] = random.multivariate_hypergeometric(cells, min(n // 2, int(cells.sum()))).reshape(-1, 2)
    return drawn


def grouped_verdict_pair(data: Integers) -> PairTally | None:
    """None where a verdict does not occur."""
    frame, drawn = data[0], data[1:]
    strata = []
    for verdict in (0, 1):
        table = tuple(map(tuple, drawn[verdict].sum(axis=0).tolist()))
        finished = int(drawn[verdict].sum())
        if finished:
            strata.append(
                StratumTally(f"j: {verdict}", int(frame[:, :, verdict].sum()), finished, finished, table, (0, 0), verdict)
            )
    if len(strata) < 2:
        return None
    whole = tuple(map(tuple, drawn.sum(axis=(0, 1)).tolist()))
    return PairTally(
        "human:consensus", "judge:j", whole, (0, 0), Excluded(), "stratified:j", len(frame),
        weighted=True, strata=tuple(strata), clusters=_contents(drawn),
        frame_groups=Counter(tuple((verdict, int(items)) for verdict, items in enumerate(held)) for held in frame.sum(axis=1)),
    )  # fmt: skip


def of_grouped_verdicts(figure: Figure, data: Integers) -> Estimate:
    pair = grouped_verdict_pair(data)
    return Estimate.undefined(0, "", "a verdict does not occur") if pair is None else figure(Sample.readable(pair))


def _contents(groups: NDArray[np.int64]) -> Counter[tuple[tuple[int, int, int, int], ...]]:
    """From S x G x 2 x 2 counts."""
    flat = groups.transpose(1, 0, 2, 3).reshape(groups.shape[1], -1)
    places = list(np.ndindex(len(groups), 2, 2))
    contents = Counter(tuple((*place, count) for place, count in zip(places, held, strict=True) if count) for held in flat.tolist())
    del contents[()]
    return contents


def _by_verdict(name: str, figure: str, sizes: Sequence[int], grid: Sequence[tuple[float, float]], published: float) -> Design:
    each = FIGURES[figure]
    return Design(
        f"{figure}, half of each verdict, {name}", partial(verdict_cells, each, sizes, grid), partial(of_verdicts, each), published
    )


def _grouped(
    figure: str,
    groups: dict[str, list[int]],
    correlation: float,
    prevalences: Sequence[float],
    agreements: Sequence[float],
    name: str,
    published: float | None = None,
) -> Design:
    each = FIGURES[figure]
    return Design(
        f"{figure}, {name}, correlation {correlation}", partial(group_cells, each, groups, correlation, prevalences, agreements),
        partial(of_groups, each), published,
    )  # fmt: skip


def _grouped_by_verdict(figure: str, correlation: float) -> Design:
    each = FIGURES[figure]
    shapes = ((40, 50, 100), (40, 50, 200), (20, 50, 100), (100, 10, 100))
    return Design(
        f"{figure}, groups and half of each verdict, correlation {correlation}",
        partial(grouped_verdict_cells, each, shapes, correlation), partial(of_grouped_verdicts, each),
    )  # fmt: skip


EACH = tuple(itertools.product(FIGURES, CORRELATIONS))
EQUAL = ((0.1, 1.0), (0.3, 1.0), (0.5, 1.0))
UNEQUAL = tuple(itertools.product((0.1, 0.3, 0.5), (2 / 3, 1.5)))

PARTS: dict[str, list[Design]] = {
    "strata": [
        *(
            _by_verdict(f"n = {n}, equal margins", "kappa", (n,), EQUAL, published)
            for n, published in ((30, 0.930), (50, 0.934), (100, 0.933), (200, 0.939))
        ),
        _by_verdict("unequal margins", "kappa", (30, 50, 100, 200), UNEQUAL, 0.908),
        _by_verdict("5 % positive", "kappa", (30, 50, 100, 200), ((0.05, 1.0),), 0.867),
        _by_verdict("n = 30", "sensitivity", (30,), EQUAL, 0.86),
        _by_verdict("n >= 50", "sensitivity", (50, 100, 200), EQUAL, 0.911),
        _by_verdict("n = 30", "specificity", (30,), EQUAL, 0.86),
        _by_verdict("n >= 50", "specificity", (50, 100, 200), EQUAL, 0.911),
    ],
    "groups": [
        _grouped("kappa", EVEN_GROUPS, correlation, (0.3, 0.5), (0.2, 0.4, 0.6, 0.8), "10 to 40 even groups", published)
        for correlation, published in zip(CORRELATIONS, (0.95, 0.94, 0.915), strict=True)
    ],
}  # fmt: skip
WIDER: dict[str, list[Design]] = {
    name: [_grouped(figure, groups, correlation, RARE_TOO, AGREEMENTS, said) for figure, correlation in EACH]
    for name, groups, said in (
        ("groups-1-2", SMALL_GROUPS, "30 to 80 groups of 1 or 2"),
        ("groups-5-20", LARGE_GROUPS, "10 to 40 groups of 5 to 20"),
    )
} | {
    "groups-and-strata": [_grouped_by_verdict(figure, correlation) for figure, correlation in EACH],
}
"""No published figure stands beside these, which also have rare choices and uneven groups; they run only when asked for."""
