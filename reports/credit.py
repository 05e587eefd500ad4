"""How much credit a disagreement earns: none, by its distance, or as the researcher says (Cohen 1968).

Credit is 1 for the same choice on both sides and at most 1 elsewhere. Only the ratios of what is lacking to 1
matter to kappa. Held in whole numbers, so that figures of counts stay exact.
"""

import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from reports.sample import Floats

Named = Literal["unweighted", "linear", "quadratic"]
Weights = Named | Sequence[Sequence[float]]
"""A name, or K x K credit: 1 on the diagonal, 0 to 1 elsewhere, in any order. Disagreement weights v are credit 1 - v/max(v)."""

Kind = Named | Literal["custom"]

NAMES: tuple[Named, ...] = ("unweighted", "linear", "quadratic")


@dataclass(frozen=True, slots=True)
class Credit:
    """Credit of K x C cells in units of 1/`full`; columns beyond K (unreadable verdicts) earn none."""

    cells: list[list[int]]
    full: int
    kind: Kind
    """Custom weights that are in fact one of the named go by its name."""

    @property
    def shares(self) -> Floats:
        """K x C, full credit being 1."""
        return np.array([[cell / self.full for cell in row] for row in self.cells], dtype=np.float64)

    def seen(self, counts: list[list[int]]) -> Fraction:
        """The credit that the items of a K x C table earn on average: observed agreement, weighted."""
        earned = sum(sum(map(operator.mul, cells, row)) for cells, row in self._rows(counts))
        return Fraction(earned, self.full * sum(map(sum, counts)))

    def by_chance(self, counts: list[list[int]]) -> Fraction:
        """The same if the two sides were independent: kappa's expected agreement."""
        judge, n = [sum(column) for column in zip(*counts, strict=True)], sum(map(sum, counts))
        earned = sum(sum(row) * sum(map(operator.mul, cells, judge)) for cells, row in self._rows(counts))
        return Fraction(earned, self.full * n * n)

    def _rows(self, counts: list[list[int]]) -> Iterator[tuple[list[int], list[int]]]:
        return zip(self.cells, counts, strict=True)

    @property
    def limits(self) -> tuple[float, float]:
        """The range of chance-corrected agreement: custom weights can count a rare disagreement alone, and then fall below -1."""
        return (-math.inf if self.kind == "custom" else -1.0, 1.0)


def credit_of(weights: Weights, size: int, columns: int) -> Credit:
    """The credit of `size` choices on the human side and `columns` >= `size` on the judge's.

    Raises ValueError for an unknown name and for what is no credit.
    """
    if isinstance(weights, str):
        if weights not in NAMES:
            raise ValueError(f"Unknown weights {weights!r}. Use 'unweighted', 'linear', 'quadratic' or a table of credit.")
        return _credit(*_lacking(weights, size), weights, columns)
    return _credit(*_custom(weights, size), columns)


def _credit(lacking: list[list[int]], full: int, kind: Kind, columns: int) -> Credit:
    return Credit([[full - lack for lack in row] + [0] * (columns - len(lacking)) for row in lacking], full, kind)


def _lacking(name: Named, size: int) -> tuple[list[list[int]], int]:
    """What each cell lacks to full credit, in whole numbers, and what full credit is."""
    power = NAMES.index(name)
    lacking = [[abs(i - j) ** power if i != j else 0 for j in range(size)] for i in range(size)]
    return lacking, 1 if name == "unweighted" else (size - 1) ** power


def _custom(weights: Sequence[Sequence[float]], size: int) -> tuple[list[list[int]], int, Kind]:
    try:
        given = [[Fraction(cell) for cell in row] for row in weights]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"Weights must be finite numbers. Found {weights!r}. Give credit from 0 to 1.") from None
    if len(given) != size or any(len(row) != size for row in given):
        raise ValueError(
            f"Weights must be a table of {size} x {size}, as there are {size} choices. Found rows of "
            f"{[len(row) for row in given]}. Give one row and one column per declared choice."
        )
    every = [cell for row in given for cell in row]
    if any(row[place] != 1 for place, row in enumerate(given)) or not all(0 <= cell <= 1 for cell in every) or min(every) == 1:
        raise ValueError(
            f"Weights must be credit: 1 on the diagonal, 0 to 1 elsewhere, under 1 somewhere. Found {weights!r}. "
            "Disagreement weights v are credit 1 - v/max(v)."
        )
    full = math.lcm(*(cell.denominator for cell in every))
    lacking = [[int(full * (1 - cell)) for cell in row] for row in given]
    return lacking, full, next((name for name in NAMES if _proportional(lacking, _lacking(name, size)[0])), "custom")


def _proportional(first: list[list[int]], second: list[list[int]]) -> bool:
    cells = [pair for rows in zip(first, second, strict=True) for pair in zip(*rows, strict=True)]
    one, other = max(cells)
    return all(mine * other == one * theirs for mine, theirs in cells)
