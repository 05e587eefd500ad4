"""Two raters, items drawn alike and one by one: kappa of two to five choices, weighted, shares, the other measures."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.agreement import ac1, kappa, observed_agreement, sensitivity
from reports.binary import balanced_accuracy, bias_index, f1, prevalence_index
from reports.chance import ac2, pabak, scott_pi
from reports.comparing import compare
from reports.correlation import mcc
from reports.estimate import Estimate
from tests.benchmarks.coverage import BINARY_KAPPA, Cell, Design, Integers

Floats = NDArray[np.float64]
Figure = Callable[[Sequence[Sequence[int]]], Estimate]

SIZES = (30, 50, 100, 200)
MARGINS = {
    2: ((0.9, 0.1), (0.7, 0.3), (0.5, 0.5)),
    3: ((0.34, 0.33, 0.33), (0.6, 0.3, 0.1), (0.5, 0.45, 0.05), (0.8, 0.17, 0.03)),
    4: ((0.25, 0.25, 0.25, 0.25), (0.4, 0.3, 0.2, 0.1), (0.6, 0.25, 0.1, 0.05), (0.5, 0.3, 0.17, 0.03)),
    5: ((0.2, 0.2, 0.2, 0.2, 0.2), (0.35, 0.25, 0.2, 0.15, 0.05), (0.5, 0.2, 0.15, 0.1, 0.05), (0.4, 0.3, 0.17, 0.1, 0.03)),
}
AGREEMENTS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9)
MANY_ITEMS = 10**9


def two_by_two(prevalence: float, called: float, agreement: float) -> Floats | None:
    """Shares with these two margins, positive first, and this kappa; None where the margins do not allow it."""
    by_chance = prevalence * called + (1 - prevalence) * (1 - called)
    seen = agreement * (1 - by_chance) + by_chance
    both = (seen - 1 + prevalence + called) / 2
    table = np.array([[both, prevalence - both], [called - both, 1 - prevalence - called + both]])
    return table if table.min() >= -1e-12 else None


def mixed(margin: Sequence[float], agreement: float) -> Floats:
    """Agreed by knowing with the chance `agreement`, else two independent guesses by one margin; kappa = `agreement`."""
    shares = np.array(margin)
    return agreement * np.diag(shares) + (1 - agreement) * np.outer(shares, shares)


def graded(margin: Sequence[float], slip: float) -> Floats:
    """The judge slips by d places with chances in the ratio slip^d."""
    shares, places = np.array(margin), np.arange(len(margin))
    slips = slip ** np.abs(places[:, None] - places[None, :])
    table: Floats = shares[:, None] * slips / slips.sum(axis=1, keepdims=True)
    return table


def drawn(random: np.random.Generator, table: Floats, n: int, times: int) -> Integers:
    """`times` tables of n items, in the shape of `table`."""
    shares = np.maximum(table, 0).ravel()
    return random.multinomial(n, shares / shares.sum(), size=times).reshape(times, *table.shape)


def truth_of(table: Floats, figure: Callable[[list], Estimate]) -> float:  # type: ignore[type-arg]
    """The figure of the shares themselves, by the product's own code at a billion items."""
    value = figure(np.rint(np.maximum(table, 0) * MANY_ITEMS).astype(np.int64).tolist()).value
    if value is None:
        raise ValueError(f"A truth must be defined. Found none for {table.tolist()}. Leave this cell out.")
    return value


def kappa_cells(n: int, random: np.random.Generator, times: int) -> Iterator[Cell]:
    """Two choices: prevalence, the judge's margin as a multiple of it, and kappa, where possible."""
    grid = itertools.product((0.02, 0.05, 0.1, 0.2, 0.3, 0.5), (2 / 3, 1.0, 1.5, 2.0), (-0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 0.95))
    for prevalence, factor, agreement in grid:
        table = two_by_two(prevalence, prevalence * factor, agreement) if prevalence * factor < 0.99 else None
        if table is not None:
            name = f"prevalence {prevalence}, judge x{factor:.2g}, kappa {agreement}"
            yield Cell(name, agreement, drawn(random, table, n, times))


def of_tables(
    tables: Callable[[], Iterable[tuple[str, Floats]]],
    sizes: Sequence[int],
    figure: Figure,
    random: np.random.Generator,
    times: int,
) -> Iterator[Cell]:
    """Each table at each size."""
    for (name, table), n in itertools.product(tables(), sizes):
        yield Cell(f"n {n}, {name}", truth_of(table, figure), drawn(random, table, n, times))


def mixed_tables(size: int) -> Iterator[tuple[str, Floats]]:
    for margin, agreement in itertools.product(MARGINS[size], AGREEMENTS):
        yield f"margin {margin}, kappa {agreement}", mixed(margin, agreement)


def ordinal_tables() -> Iterator[tuple[str, Floats]]:
    for size in (3, 4, 5):
        for margin, slip in itertools.product(MARGINS[size][:3], (0.05, 0.15, 0.3, 0.6)):
            yield f"margin {margin}, slip {slip}", graded(margin, slip)


def judged_tables() -> Iterator[tuple[str, Floats]]:
    """Two choices by what the judge finds and what it leaves alone: 216 cells with three sizes."""
    for prevalence, found, spared in itertools.product((0.1, 0.3, 0.5), (0.5, 0.7, 0.9, 0.97), (0.6, 0.8, 0.9, 0.95, 0.99, 1.0)):
        table = np.array(
            [[prevalence * found, prevalence * (1 - found)], [(1 - prevalence) * (1 - spared), (1 - prevalence) * spared]]
        )
        yield f"prevalence {prevalence}, sensitivity {found}, specificity {spared}", table


def share_cells(random: np.random.Generator, times: int) -> Iterator[Cell]:
    """A share of n items: agreement, or sensitivity over n human positives."""
    for n, share in itertools.product(SIZES, (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)):
        right = random.binomial(n, share, size=times)
        yield Cell(f"n {n}, share {share}", share, np.stack([right, n - right], axis=1))


def pabak_cells(random: np.random.Generator, times: int) -> Iterator[Cell]:
    """Of two choices: twice the agreement, less 1."""
    return (replace(cell, truth=2 * cell.truth - 1) for cell in share_cells(random, times))


def paired_tables() -> Iterator[tuple[str, Floats]]:
    """Human x first x second: errors that are alike or differ, and verdicts that were copied or not."""
    for prevalence, copied in itertools.product((0.1, 0.3, 0.5), (0.0, 0.6)):
        for first, second in (
            ((0.8, 0.9), (0.8, 0.9)),
            ((0.7, 0.9), (0.85, 0.95)),
            ((0.9, 0.8), (0.8, 0.95)),
            ((0.9, 0.97), (0.9, 0.97)),
        ):
            table = np.zeros((2, 2, 2))
            for human, share in enumerate((prevalence, 1 - prevalence)):
                of_first = np.array([first[0], 1 - first[0]] if human == 0 else [1 - first[1], first[1]])
                of_second = np.array([second[0], 1 - second[0]] if human == 0 else [1 - second[1], second[1]])
                table[human] = share * (copied * np.diag(of_first) + (1 - copied) * np.outer(of_first, of_second))
            yield f"prevalence {prevalence}, judges {first} and {second}, copied {copied}", table


def of_lists(figure: Figure) -> Callable[[Integers], Estimate]:
    return lambda data: figure(data.tolist())


def _design(
    name: str,
    figure: Figure,
    tables: Callable[[], Iterable[tuple[str, Floats]]],
    published: float | None,
    sizes: Sequence[int] = SIZES,
) -> Design:
    return Design(name, partial(of_tables, tables, sizes, figure), of_lists(figure), published)


def _agreement_of(right_and_wrong: Sequence[Sequence[int]]) -> Estimate:
    right, wrong = right_and_wrong
    return observed_agreement([[right, wrong], [0, 0]])  # type: ignore[list-item]


def _sensitivity_of(right_and_wrong: Sequence[Sequence[int]]) -> Estimate:
    right, wrong = right_and_wrong
    return sensitivity([[right, wrong], [0, 7]], 0)  # type: ignore[list-item]


def _pabak_of(right_and_wrong: Sequence[Sequence[int]]) -> Estimate:
    right, wrong = right_and_wrong
    return pabak([[right, wrong], [0, 0]])  # type: ignore[list-item]


def difference(table3: Sequence[Any]) -> Estimate:
    return compare(table3).difference


PARTS: dict[str, list[Design]] = {
    "kappa": [
        Design(f"kappa, two choices, n = {n}", partial(kappa_cells, n), of_lists(kappa), 0.929, BINARY_KAPPA) for n in SIZES
    ],
    "choices": [
        _design(f"kappa, {size} choices", kappa, partial(mixed_tables, size), published)
        for size, published in ((3, 0.928), (4, 0.928), (5, 0.925))
    ],
    "weighted": [
        _design(f"kappa {weights}, 3 to 5 choices", lambda table, weights=weights: kappa(table, weights), ordinal_tables, published)
        for weights, published in (("linear", 0.931), ("quadratic", 0.941))
    ],
    "shares": [
        Design("agreement (Wilson)", share_cells, of_lists(_agreement_of), 0.899),
        Design("sensitivity (Wilson)", share_cells, of_lists(_sensitivity_of), 0.899),
        Design("PABAK of two choices (Wilson)", pabak_cells, of_lists(_pabak_of), 0.899),
    ],
    "measures": [
        _design("F1", lambda table: f1(table, 0), judged_tables, 0.905, SIZES[:3]),
        _design("balanced accuracy", lambda table: balanced_accuracy(table, 0), judged_tables, 0.888, SIZES[:3]),
        _design("MCC, two choices", mcc, judged_tables, 0.946, SIZES[:3]),
        _design("AC1, two choices", ac1, judged_tables, 0.936, SIZES[:3]),
    ],
    "compare": [
        _design("kappa of the second judge less that of the first", difference, paired_tables, 0.945, (50, 100, 200)),
    ],
}  # fmt: skip

CUSTOM = [[1, 0.9, 0, 0.3], [0.9, 1, 0.5, 0], [0, 0.5, 1, 0.7], [0.3, 0, 0.7, 1]]
BEYOND: dict[str, Figure] = {
    "AC1": ac1,
    "AC2 linear": lambda table: ac2(table, "linear"),
    "AC2 quadratic": lambda table: ac2(table, "quadratic"),
    "Scott's pi": scott_pi,
    "MCC": mcc,
}
WIDER: dict[str, list[Design]] = {
    "beyond": [
        *(
            _design(f"{name}, {size} choices", figure, partial(mixed_tables, size), None)
            for name, figure in BEYOND.items()
            for size in (2, 3, 4, 5)
        ),
        _design("kappa, custom weights, 4 choices", lambda table: kappa(table, CUSTOM), partial(mixed_tables, 4), None),
        _design("prevalence index", lambda table: prevalence_index(table, 0), judged_tables, None, SIZES[:3]),
        _design("bias index", lambda table: bias_index(table, 0), judged_tables, None, SIZES[:3]),
    ],
}
"""No published figure stands beside these; they run only when asked for."""
