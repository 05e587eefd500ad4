"""The two-rater statistics: published tables, what is undefined or refused, and properties that hold for every table."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from reports.agreement import (
    Weights,
    ac1,
    kappa,
    kappa_strict,
    observed_agreement,
    observed_agreement_strict,
    sensitivity,
    sensitivity_strict,
    specificity,
)
from reports.estimate import Estimate
from reports.intervals import held, student_quantile
from tests.drawn_tables import same_every_time, tables

EVERY_WEIGHT: tuple[Weights, ...] = ("unweighted", "linear", "quadratic")
COHEN_1960 = [[88, 10, 2], [14, 40, 6], [18, 10, 12]]
FLEISS_COHEN_EVERITT_1969 = [[106, 10, 4], [22, 28, 10], [2, 12, 6]]


def every_figure(table: list[list[int]]) -> list[Estimate]:
    unreadable = [k + 1 for k in range(len(table))]
    return [
        *(kappa(table, weights) for weights in EVERY_WEIGHT),
        *(kappa_strict(table, unreadable, weights) for weights in EVERY_WEIGHT),
        observed_agreement(table),
        observed_agreement_strict(table, unreadable),
        sensitivity(table, 0),
        sensitivity_strict(table, unreadable, 0),
        specificity(table, 0),
        ac1(table),
    ]


def test_cohen_1960_kappa_is_58_of_118() -> None:
    assert kappa(COHEN_1960).value == float(Fraction(58, 118))


def test_fleiss_cohen_and_everitt_1969_print_kappa_point_429() -> None:
    assert kappa(FLEISS_COHEN_EVERITT_1969).value == pytest.approx(0.429, abs=5e-4)


def test_the_interval_approaches_the_1969_standard_error_as_counts_grow() -> None:
    # The paper's table has standard error .05 at n = 200; ten thousand times the counts, a hundredth of it.
    exact = math.sqrt(0.002885)
    estimate = kappa([[count * 10_000 for count in row] for row in FLEISS_COHEN_EVERITT_1969])
    assert estimate.low is not None and estimate.high is not None
    assert (estimate.high - estimate.low) / (2 * 1.959964) * 100 == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize(
    "figure",
    [
        lambda table, _: kappa(table),
        lambda table, _: kappa(table, "linear"),
        lambda table, _: kappa(table, "quadratic"),
        lambda table, unreadable: kappa_strict(table, unreadable),
        lambda table, unreadable: kappa_strict(table, unreadable, "linear"),
        lambda table, _: ac1(table),
    ],
)
def test_every_gradient_gives_the_width_of_a_jackknife(
    figure: Callable[[list[list[int]], list[int]], Estimate],
) -> None:
    cells = [[6100, 900, 300, 900], [700, 2400, 500, 400], [150, 350, 1600, 100]]

    def of(cells: list[list[int]]) -> Estimate:
        return figure([row[:3] for row in cells], [row[3] for row in cells])

    estimate = of(cells)
    assert estimate.value is not None and estimate.low is not None and estimate.high is not None
    squares = 0.0
    for i, row in enumerate(cells):
        for j, count in enumerate(row):
            row[j] -= 1
            left_out = of(cells).value
            row[j] += 1
            assert left_out is not None and cells[i][j] == count
            squares += count * (left_out - estimate.value) ** 2
    assert (estimate.high - estimate.low) / (2 * 1.959964) == pytest.approx(math.sqrt(squares), rel=0.01)


def test_an_interval_is_cut_to_its_limits_and_widened_to_hold_its_value() -> None:
    assert held(1.0, 0.5, 0.25, (-1.0, 1.0)) == (0.25, 1.0)
    assert held(-0.5, 0.0, 0.25, (-1.0, 1.0)) == (-0.5, 0.25)
    assert held(0.5, 0.5, math.inf, (-1.0, 1.0)) == (-1.0, 1.0)


def test_feinstein_and_cicchetti_1990_same_agreement_other_kappa() -> None:
    balanced, skewed = [[40, 9], [6, 45]], [[80, 10], [5, 5]]
    assert observed_agreement(balanced).value == observed_agreement(skewed).value == 0.85
    assert kappa(balanced).value == pytest.approx(0.70, abs=5e-3)
    assert kappa(skewed).value == pytest.approx(0.32, abs=5e-3)


def test_one_unreadable_verdict_lowers_every_strict_figure() -> None:
    table = [[18, 4], [6, 52]]
    pairs = [
        (kappa(table), kappa_strict(table, [1, 0])),
        (observed_agreement(table), observed_agreement_strict(table, [1, 0])),
        (sensitivity(table, 0), sensitivity_strict(table, [1, 0], 0)),
    ]
    for readable, strict in pairs:
        assert readable.value is not None and strict.value is not None
        assert strict.value < readable.value
        assert strict.n == readable.n + 1


def test_kappa_strict_is_kappa_with_a_choice_that_no_human_uses() -> None:
    as_fourth_choice = [[20, 5, 1, 2], [3, 14, 4, 0], [0, 2, 11, 3], [0, 0, 0, 0]]
    strict = kappa_strict([row[:3] for row in as_fourth_choice[:3]], [2, 0, 3])
    assert strict.value == kappa(as_fourth_choice).value


@same_every_time
@given(tables())
def test_strict_figures_are_the_readable_ones_while_nothing_is_unreadable(table: list[list[int]]) -> None:
    none = [0] * len(table)
    for weights in EVERY_WEIGHT:
        strict, readable = kappa_strict(table, none, weights), kappa(table, weights)
        assert (strict.value, strict.n, strict.method) == (readable.value, readable.n, readable.method)
        assert strict.low == pytest.approx(readable.low, abs=1e-12)
        assert strict.high == pytest.approx(readable.high, abs=1e-12)
    assert observed_agreement_strict(table, none) == observed_agreement(table)
    assert sensitivity_strict(table, none, 1) == sensitivity(table, 1)


@pytest.mark.parametrize("weights", EVERY_WEIGHT)
def test_both_sides_constant_leaves_kappa_undefined_with_a_reason(weights: Weights) -> None:
    table = [[0, 0, 0], [0, 25, 0], [0, 0, 0]]
    estimate = kappa(table, weights)
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (None, None, None, 25)
    assert "same choice" in estimate.reason
    assert observed_agreement(table).value == ac1(table).value == 1.0


def test_a_constant_judge_has_kappa_exactly_zero() -> None:
    assert kappa([[0, 7], [0, 60]]).value == 0.0
    assert kappa([[0, 7, 0], [0, 60, 0], [0, 9, 0]], "linear").value == 0.0


def test_an_unreadable_verdict_makes_a_constant_table_defined() -> None:
    assert kappa_strict([[0, 0], [0, 25]], [0, 1]).value == 0.0
    assert kappa_strict([[0, 0], [0, 0]], [3, 4]).value == 0.0


def test_no_item_means_everything_is_undefined_and_n_is_zero() -> None:
    for estimate in (kappa([[0, 0], [0, 0]]), observed_agreement([[0, 0], [0, 0]]), ac1([[0, 0], [0, 0]])):
        assert estimate.value is None and estimate.n == 0 and estimate.reason


def test_the_class_that_no_human_gave_is_named_in_the_reason() -> None:
    assert "positive" in sensitivity([[0, 0], [3, 20]], 0).reason
    assert "negative" in specificity([[5, 2], [0, 0]], 0).reason
    assert sensitivity([[0, 0], [3, 20]], 0).n == 0


def test_one_agreed_item_is_undefined_and_one_disagreed_item_is_zero() -> None:
    assert kappa([[1, 0], [0, 0]]).value is None
    assert kappa([[0, 1], [0, 0]]).value == 0.0


def test_one_item_of_four_choices_says_nothing_about_kappa() -> None:
    table = [[0, 1, 0, 0], [0] * 4, [0] * 4, [0] * 4]
    estimate = kappa(table)
    assert (estimate.value, estimate.low, estimate.high) == (0.0, -1.0, 1.0)
    assert student_quantile(0) == math.inf


def test_sensitivity_follows_the_positive_choice_and_counts_human_positives() -> None:
    table = [[70, 10], [5, 15]]
    assert sensitivity(table, 1).value == 0.75 and sensitivity(table, 1).n == 20
    assert specificity(table, 1).value == 0.875 and specificity(table, 1).n == 80
    assert sensitivity(table, 0).value == 0.875


def test_a_billion_items_in_each_cell_are_exact() -> None:
    huge = 10**9
    perfect = kappa([[huge, 0], [0, huge]])
    assert perfect.value == 1.0 and perfect.low is not None and 0.999999 < perfect.low < 1.0
    table = [[3 * huge, huge], [huge, 3 * huge]]
    assert kappa(table).value == ac1(table).value == 0.5
    constant = kappa([[0, huge], [0, 7 * huge]])
    assert constant.value == 0.0 and constant.low is not None and constant.low < 0.0


def test_numpy_counts_do_not_overflow() -> None:
    table: Any = np.array([[2_000_000_000, 9], [9, 2_000_000_000]], dtype=np.int32)
    assert kappa(table) == kappa(table.tolist())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[1, 2]], "square"),
        ([[5]], "square"),
        ([], "square"),
        ([[1, 2], [3]], "square"),
        ([[1, -2], [3, 4]], "counts"),
    ],
)
def test_what_is_no_table_of_counts_is_refused(table: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kappa(table)


def test_shares_instead_of_counts_are_refused() -> None:
    shares: Any = [[0.25, 0.25], [0.25, 0.25]]
    with pytest.raises(TypeError):
        kappa(shares)


def test_a_wrong_place_or_weight_is_refused() -> None:
    wrong: Any = "cubic"
    with pytest.raises(ValueError, match="weights"):
        kappa([[1, 2], [3, 4]], wrong)
    with pytest.raises(ValueError, match="place"):
        sensitivity([[1, 2], [3, 4]], 2)
    with pytest.raises(ValueError, match="unreadable"):
        kappa_strict([[1, 2], [3, 4]], [1])


def test_an_estimate_refuses_nan_and_silence() -> None:
    with pytest.raises(ValueError, match="finite"):
        Estimate(math.nan, 0.0, 1.0, 3, "wilson")
    with pytest.raises(ValueError, match="reason"):
        Estimate(None, None, None, 0, "wilson")


def test_the_method_names_the_interval() -> None:
    two, three, four = ([[3 + (i == j) for j in range(k)] for i in range(k)] for k in (2, 3, 4))
    assert [kappa(table).method for table in (two, three, four)] == ["delta+4", "delta+3", "delta+2, t(n-1)"]
    assert kappa(three, "linear").method == "delta+2, t(n-1)"
    assert kappa(three, "quadratic").method == "delta+4, t(n-1)"
    assert kappa(two, "linear") == kappa(two, "quadratic") == kappa(two)
    assert ac1(two).method == "delta+2" and observed_agreement(two).method == "wilson"


@same_every_time
@given(tables())
def test_every_interval_is_finite_holds_its_value_and_has_a_width(table: list[list[int]]) -> None:
    for estimate in every_figure(table):
        if estimate.value is None:
            assert estimate.low is None and estimate.high is None and estimate.reason
            continue
        assert estimate.low is not None and estimate.high is not None
        assert -1.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0
        assert estimate.high - estimate.low > 1e-6


@pytest.mark.parametrize("true_kappa", [0.0, 0.4, 0.8])
def test_delta_plus_four_covers_93_percent_by_exact_enumeration(true_kappa: float) -> None:
    """Every 2 x 2 table of 30 items, judge and human positive on 30 %: the claim of the module, counted."""
    n, prevalence = 30, 0.3
    both = prevalence**2 + true_kappa * prevalence * (1 - prevalence)
    shares = [both, prevalence - both, prevalence - both, 1 - 2 * prevalence + both]
    logs = [math.log(share) for share in shares]
    covered = defined = 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            for c in range(n + 1 - a - b):
                cells = (a, b, c, n - a - b - c)
                ways = math.lgamma(n + 1) - sum(math.lgamma(cell + 1) for cell in cells)
                chance = math.exp(ways + sum(cell * log for cell, log in zip(cells, logs, strict=True)))
                if chance < 1e-7:  # all of these together are under a thousandth
                    continue
                estimate = kappa([[a, b], [c, cells[3]]])
                if estimate.low is None or estimate.high is None:
                    continue
                defined += chance
                covered += chance * (estimate.low <= true_kappa <= estimate.high)
    assert defined > 0.999
    assert covered / defined >= 0.93
