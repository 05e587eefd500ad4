"""How far a judge agrees with a human, from a table of counts and from nothing else.

A table has one row per declared choice for the human and one column per declared choice for the judge, in
the declared order, used or not. The point values are exact fractions of whole numbers. The intervals are
closed forms: their cost depends on the number of choices, never on the number of items.

delta+c (method strings `delta+4`, `delta+2, t(n-1)`, ...): c pseudo-items are spread evenly over the
cells; value and large-sample variance are taken on that smoothed table of n + c items. A plain delta
interval covers as little as 23 % and is [1, 1] at perfect agreement. With c = 4 (two choices), 3 (three)
or 2 with Student's t (four and more) a nominal 95 % interval of kappa covers at least 92.5 % for n >= 30.

Sources: Cohen 1960 and 1968 (kappa); Fleiss, Cohen and Everitt 1969 (its variance); Gwet 2008 (AC1);
Newcombe 1998 (Wilson's interval).
"""

import math
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reports.estimate import Estimate
from reports.intervals import held, normal_quantile, student_quantile, wilson

Table = Sequence[Sequence[int]]
Weights = Literal["unweighted", "linear", "quadratic"]
Floats = NDArray[np.float64]
Linearised = tuple[float, Floats]
"""A statistic of a table of shares, and its gradient by those shares."""

NO_ITEMS = "no item has an answer on both sides"
ONE_CHOICE = "both sides gave one and the same choice to every item, so chance alone would agree as well (0/0)"
NO_HUMAN_POSITIVE = "no item is positive on the human side"
NO_HUMAN_NEGATIVE = "no item is negative on the human side"


def kappa(table: Table, weights: Weights = "unweighted") -> Estimate:
    """Cohen's kappa, in [-1, 1], of a K x K table with rows human and columns judge.

    `linear` gives credit 1 - |i-j|/(K-1), `quadratic` 1 - ((i-j)/(K-1))², by the declared order.
    Undefined without items, and where both sides gave one and the same choice throughout.
    """
    return _kappa(_counts(table), weights)


def kappa_strict(table: Table, unreadable: Sequence[int], weights: Weights = "unweighted") -> Estimate:
    """Kappa with unreadable verdicts as one more judge column, which no human can match.

    `unreadable[i]` counts the items of human choice i whose verdict could not be read. Chance agreement is
    over the declared choices. It earns no credit under any weights. With none unreadable it is `kappa`.
    """
    return _kappa(_with_unreadable(table, unreadable), weights)


def observed_agreement(table: Table) -> Estimate:
    """The share of items with the same answer on both sides, with Wilson's interval."""
    return _observed_agreement(_counts(table))


def observed_agreement_strict(table: Table, unreadable: Sequence[int]) -> Estimate:
    """Observed agreement over all items, where an unreadable verdict agrees with nothing."""
    return _observed_agreement(_with_unreadable(table, unreadable))


def sensitivity(table: Table, positive: int) -> Estimate:
    """The share of the human positives that the judge calls positive; n counts the human positives."""
    return _sensitivity(_counts(table), positive)


def sensitivity_strict(table: Table, unreadable: Sequence[int], positive: int) -> Estimate:
    """Sensitivity over all human positives, where an unreadable verdict finds nothing."""
    return _sensitivity(_with_unreadable(table, unreadable), positive)


def specificity(table: Table, positive: int) -> Estimate:
    """The share of the human negatives that the judge calls negative; n counts the human negatives."""
    counts = _counts(table)
    _check_place(positive, len(counts))
    negatives = [row for place, row in enumerate(counts) if place != positive]
    n = _total(negatives)
    return _proportion(n - sum(row[positive] for row in negatives), n, NO_HUMAN_NEGATIVE)


def ac1(table: Table) -> Estimate:
    """Gwet's AC1, in [-1, 1], over the declared choices; undefined only without items (Gwet 2008).

    The interval covers at least 93 % for two choices (n 30-200). For more choices it is indicative: in a
    seeded simulation of chance-mixed tables, 93.6 % for three, 93.2 % for four, 92.8 % for five at worst.
    """
    counts = _counts(table)
    n, size = _total(counts), len(counts)
    student = size > 3
    method = _method(2, student)
    if n == 0:
        return Estimate.undefined(0, method, NO_ITEMS)
    p_o = Fraction(sum(counts[k][k] for k in range(size)), n)
    shares = [Fraction(sum(counts[k]) + sum(row[k] for row in counts), 2 * n) for k in range(size)]
    p_e = sum(share * (1 - share) for share in shares) / (size - 1)
    interval = _delta(counts, 2, _quantile(student, n), _ac1_linearised)
    value = float((p_o - p_e) / (1 - p_e))
    return Estimate(value, *held(value, *interval, (-1.0, 1.0)), n, method)


def _kappa(counts: list[list[int]], weights: Weights) -> Estimate:
    n, size = _total(counts), len(counts)
    credit, full = _credit(size, len(counts[0]), weights)
    pseudo_items, student = _smoothing(size, weights)
    method = _method(pseudo_items, student)
    if n == 0:
        return Estimate.undefined(0, method, NO_ITEMS)
    value = _exact_kappa(counts, credit, full)
    if value is None:
        return Estimate.undefined(n, method, ONE_CHOICE)
    w = np.array(credit, dtype=np.float64) / full
    interval = _delta(counts, pseudo_items, _quantile(student, n), lambda p: _kappa_linearised(p, w))
    return Estimate(value, *held(value, *interval, (-1.0, 1.0)), n, method)


def _smoothing(size: int, weights: Weights) -> tuple[int, bool]:
    """How many pseudo-items, and whether Student's t replaces the normal quantile: measured, not derived."""
    if size == 2:  # with two choices all weights are the same statistic, and so have the same interval
        return 4, False
    if weights == "quadratic":
        return 4, True
    if weights == "linear":
        return 2, True
    return (3, False) if size == 3 else (2, True)


def _method(pseudo_items: int, student: bool) -> str:
    return f"delta+{pseudo_items}, t(n-1)" if student else f"delta+{pseudo_items}"


def _quantile(student: bool, n: int) -> float:
    return student_quantile(n - 1) if student else normal_quantile()


def _credit(rows: int, columns: int, weights: Weights) -> tuple[list[list[int]], int]:
    """Agreement weights as whole numbers, and the number that stands for full agreement."""
    if weights == "unweighted":
        full, power = 1, 0
    elif weights == "linear":
        full, power = rows - 1, 1
    elif weights == "quadratic":
        full, power = (rows - 1) ** 2, 2
    else:
        raise ValueError(f"Unknown weights {weights!r}. Use 'unweighted', 'linear' or 'quadratic'.")
    no_credit = [0] * (columns - rows)
    distance = [[abs(i - j) ** power if i != j else 0 for j in range(rows)] for i in range(rows)]
    return [[full - step for step in row] + no_credit for row in distance], full


def _exact_kappa(counts: list[list[int]], credit: list[list[int]], full: int) -> float | None:
    """Kappa in whole numbers: a constant judge is exactly 0 and 1e9 items round nothing. None where 0/0."""
    n, columns = _total(counts), range(len(counts[0]))
    judge = [sum(row[j] for row in counts) for j in columns]
    seen = sum(credit[i][j] * row[j] for i, row in enumerate(counts) for j in columns)
    by_chance = sum(credit[i][j] * sum(row) * judge[j] for i, row in enumerate(counts) for j in columns)
    p_o, p_e = Fraction(seen, full * n), Fraction(by_chance, full * n * n)
    return None if p_e == 1 else float((p_o - p_e) / (1 - p_e))


def _kappa_linearised(p: Floats, w: Floats) -> Linearised:
    """Kappa of a table of shares, and its gradient (Fleiss, Cohen and Everitt 1969)."""
    human, judge = p.sum(axis=1), p.sum(axis=0)
    p_o, p_e = float((w * p).sum()), float(human @ w @ judge)
    mean_credit = (w @ judge)[:, None] + (human @ w)[None, :]
    gradient = (w * (1 - p_e) - mean_credit * (1 - p_o)) / (1 - p_e) ** 2
    return (p_o - p_e) / (1 - p_e), gradient


def _ac1_linearised(p: Floats) -> Linearised:
    """AC1 of a table of shares, and its gradient (Gwet 2008)."""
    size = len(p)
    share = (p.sum(axis=1) + p.sum(axis=0)) / 2
    p_o, p_e = float(np.trace(p)), float((share * (1 - share)).sum()) / (size - 1)
    chance_gradient = (1 - share[:, None] - share[None, :]) / (size - 1)
    gradient = (np.eye(size) * (1 - p_e) - chance_gradient * (1 - p_o)) / (1 - p_e) ** 2
    return (p_o - p_e) / (1 - p_e), gradient


def _delta(
    counts: list[list[int]], pseudo_items: int, quantile: float, linearised: Callable[[Floats], Linearised]
) -> tuple[float, float]:
    """Centre and half-width of delta+c."""
    size = len(counts)
    smoothed = np.array(counts, dtype=np.float64)
    # Only the K x K readable cells are smoothed, in the strict table too: the strict interval is then the
    # readable one while nothing is unreadable, and no pseudo-item invents a broken reply. Spreading c over
    # all K x (K+1) cells covered .848 at worst where this covers .920 (two choices, 300 simulated designs).
    smoothed[:, :size] += pseudo_items / size**2
    n = float(smoothed.sum())
    p = smoothed / n
    centre, gradient = linearised(p)
    spread = gradient - (p * gradient).sum()  # centred first: at 1e9 items the textbook form cancels
    variance = float((p * spread**2).sum()) / n
    return centre, quantile * math.sqrt(variance)


def _observed_agreement(counts: list[list[int]]) -> Estimate:
    return _proportion(sum(row[place] for place, row in enumerate(counts)), _total(counts), NO_ITEMS)


def _sensitivity(counts: list[list[int]], positive: int) -> Estimate:
    _check_place(positive, len(counts))
    return _proportion(counts[positive][positive], sum(counts[positive]), NO_HUMAN_POSITIVE)


def _proportion(successes: int, n: int, reason: str) -> Estimate:
    if n == 0:
        return Estimate.undefined(0, "wilson", reason)
    return Estimate(successes / n, *wilson(successes, n), n, "wilson")


def _counts(table: Table) -> list[list[int]]:
    """The table as Python integers, which neither overflow nor round."""
    counts = [[operator.index(count) for count in row] for row in table]
    widths = {len(row) for row in counts}
    if len(counts) < 2 or widths != {len(counts)}:
        raise ValueError(
            f"A table must be square, with two choices or more. Found {len(counts)} rows of {sorted(widths)} "
            "columns. Give one row and one column per declared choice, used or not."
        )
    if any(count < 0 for row in counts for count in row):
        raise ValueError(f"A table must hold counts of items. Found {min(map(min, counts))}. Count again.")
    return counts


def _with_unreadable(table: Table, unreadable: Sequence[int]) -> list[list[int]]:
    counts, extra = _counts(table), [operator.index(count) for count in unreadable]
    if len(extra) != len(counts) or any(count < 0 for count in extra):
        raise ValueError(f"`unreadable` must hold one count per human choice. Found {extra} for {len(counts)} choices.")
    return [[*row, more] for row, more in zip(counts, extra, strict=True)]


def _check_place(positive: int, size: int) -> None:
    if not 0 <= positive < size:
        raise ValueError(f"`positive` must be a place from 0 to {size - 1}. Found {positive}.")


def _total(counts: list[list[int]]) -> int:
    return sum(map(sum, counts))
