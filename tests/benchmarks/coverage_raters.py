"""Many raters, items on their own: alpha, Fleiss' kappa and AC1 over patterns of votes; and alpha of items in groups."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.tallies import QuestionTally, VoteStratum
from reports.alpha import krippendorff_alpha
from reports.alpha_by_design import alpha_by_design
from reports.estimate import Estimate
from reports.many_raters import fleiss, gwet
from tests.benchmarks.coverage import Cell, Design, Integers

Floats = NDArray[np.float64]
Patterns = Mapping[tuple[int, ...], int]
Figure = Callable[[Patterns], Estimate]

SIZES = (30, 50, 100, 200)
BINARY = tuple(
    itertools.product((0.1, 0.3, 0.5), ((0.7, 0.7, 0.7), (0.8, 0.8, 0.8), (0.9, 0.9, 0.9), (0.95, 0.95, 0.95), (0.7, 0.9, 0.95)))
)
ORDINAL = tuple(itertools.product(((0.34, 0.33, 0.33), (0.6, 0.3, 0.1)), ((0.6,) * 3, (0.8,) * 3, (0.9,) * 3)))
MANY_ITEMS = 10**9


def votes_of_two(positive: float, accuracies: Sequence[float]) -> dict[tuple[int, ...], float]:
    """Chances of (votes against, votes for), raters erring by themselves."""
    chances: Counter[tuple[int, ...]] = Counter()
    for truth, share in ((1, positive), (0, 1 - positive)):
        for votes in itertools.product((0, 1), repeat=len(accuracies)):
            chance = math.prod(right if vote == truth else 1 - right for vote, right in zip(votes, accuracies, strict=True))
            chances[len(votes) - sum(votes), sum(votes)] += share * chance  # type: ignore[assignment]
    return dict(chances)


def votes_of_three(margin: Sequence[float], accuracies: Sequence[float]) -> dict[tuple[int, ...], float]:
    """Three ordered choices; an error lands one place off twice as often as two."""
    chances: Counter[tuple[int, ...]] = Counter()
    for truth, share in enumerate(margin):
        near = [0.0 if k == truth else 1 / abs(k - truth) for k in range(3)]
        for votes in itertools.product(range(3), repeat=len(accuracies)):
            each = (
                right if vote == truth else (1 - right) * near[vote] / sum(near)
                for vote, right in zip(votes, accuracies, strict=True)
            )
            chances[tuple(votes.count(k) for k in range(3))] += share * math.prod(each)  # type: ignore[assignment]
    return dict(chances)


def pattern_cells(
    figure: Figure,
    votes: Callable[[Any, Sequence[float]], dict[tuple[int, ...], float]],
    grid: Sequence[tuple[Any, tuple[float, ...]]],
    random: np.random.Generator,
    times: int,
) -> Iterator[Cell]:
    for n, (margin, accuracies) in itertools.product(SIZES, grid):
        chances = votes(margin, accuracies)
        shares = np.array([chances[pattern] for pattern in sorted(chances)])
        true = figure({pattern: round(chances[pattern] * MANY_ITEMS) for pattern in sorted(chances)}).value
        if true is not None:
            yield Cell(f"n {n}, {margin}, accuracy {accuracies}", true, random.multinomial(n, shares / shares.sum(), size=times))


def of_patterns(figure: Figure, patterns: Sequence[tuple[int, ...]], data: Integers) -> Estimate:
    return figure({pattern: int(items) for pattern, items in zip(patterns, data, strict=True) if items})


# Items in groups. One data set: groups x items, how many of three voted yes


def grouped_cells(correlation: float, random: np.random.Generator, times: int) -> Iterator[Cell]:
    """The truth is alpha in a population of the same groups."""
    for (groups, size), (prevalence, accuracy) in itertools.product(
        ((40, 5), (20, 10), (30, 2)), ((0.3, 0.9), (0.5, 0.8), (0.1, 0.95))
    ):
        everybody = _grouped_votes(random, 40_000, size, prevalence, accuracy, correlation)
        true = krippendorff_alpha(_counted(everybody)).value
        draws = np.stack([_grouped_votes(random, groups, size, prevalence, accuracy, correlation) for _ in range(times)])
        if true is not None:
            yield Cell(f"{groups} groups of {size}, prevalence {prevalence}, accuracy {accuracy}", true, draws)


def of_grouped_votes(data: Integers) -> Estimate:
    contents = Counter(tuple((0, pattern, items) for pattern, items in sorted(_counted(group).items())) for group in data)
    patterns = _counted(data)
    strata = (VoteStratum("all", data.size, data.size, patterns),)
    return alpha_by_design(
        QuestionTally("q", "binary", ("no", "yes"), 1, (), (), patterns, vote_strata=strata, vote_clusters=contents)
    )


def _grouped_votes(
    random: np.random.Generator, groups: int, size: int, prevalence: float, accuracy: float, correlation: float
) -> Integers:
    strength = (1 - correlation) / correlation if correlation else 1e9
    share = random.beta(prevalence * strength, (1 - prevalence) * strength, groups)
    right = random.beta(accuracy * strength, (1 - accuracy) * strength, groups)
    positive = random.random((groups, size)) < share[:, None]
    agrees = random.random((groups, size, 3)) < right[:, None, None]
    return np.asarray((positive[:, :, None] == agrees).sum(axis=2), dtype=np.int64)


def _counted(yes: Integers) -> Counter[tuple[int, ...]]:
    return Counter({(3 - votes, votes): int(items) for votes, items in enumerate(np.bincount(yes.ravel(), minlength=4)) if items})


def _binary(name: str, figure: Figure) -> Design:
    patterns = sorted(votes_of_two(0.5, (0.8,) * 3))
    cells = partial(pattern_cells, figure, votes_of_two, BINARY)
    return Design(f"{name}, three raters, two choices", cells, partial(of_patterns, figure, patterns), 0.919)


def _ordered(name: str, figure: Figure) -> Design:
    patterns = sorted(votes_of_three((0.4, 0.3, 0.3), (0.8,) * 3))
    cells = partial(pattern_cells, figure, votes_of_three, ORDINAL)
    return Design(f"{name}, three raters, three choices", cells, partial(of_patterns, figure, patterns))


PARTS: dict[str, list[Design]] = {
    "raters": [
        _binary("alpha", krippendorff_alpha), _binary("Fleiss", fleiss), _binary("AC1", gwet),
        _ordered("alpha", krippendorff_alpha), _ordered("alpha ordinal", lambda patterns: krippendorff_alpha(patterns, "ordinal")),
        _ordered("alpha interval", lambda patterns: krippendorff_alpha(patterns, "interval")), _ordered("AC1", gwet),
    ],
    "grouped-raters": [
        Design(f"alpha of groups, three raters, correlation {correlation}", partial(grouped_cells, correlation), of_grouped_votes)
        for correlation in (0.0, 0.2, 0.5)
    ],
}  # fmt: skip
