"""The two-rater figures beside kappa: hand-computed tables and designs, refusals, and properties of their intervals."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reports.agreement import (
    expected_agreement,
    kappa,
    kappa_error,
    observed_agreement,
    sensitivity,
    specificity,
)
from reports.binary import balanced_accuracy, bias_index, f1, npv, precision, prevalence_index
from reports.chance import ac1, ac2, pabak, scott_pi
from reports.correlation import mcc
from reports.estimate import Estimate
from reports.intervals import clopper_pearson
from reports.mcnemar import mcnemar
from reports.per_class import specific_agreement
from reports.sample import Sample, Table
from reports.shares import proportion
from tests.drawn_tables import same_every_time, tables
from tests.test_design import pair, stratum

COHEN_1960 = [[88, 10, 2], [14, 40, 6], [18, 10, 12]]
SCREENING = [[18, 4], [9, 69]]
"""Rows human yes, no; columns judge."""
YES = 0

OF_ANY_TABLE: dict[str, Callable[[Table | Sample], Estimate]] = {
    "kappa": kappa,
    "kappa_linear": lambda of: kappa(of, "linear"),
    "kappa_quadratic": lambda of: kappa(of, "quadratic"),
    "observed_agreement": observed_agreement,
    "expected_agreement": expected_agreement,
    "scott_pi": scott_pi,
    "pabak": pabak,
    "ac1": ac1,
    "ac2_linear": lambda of: ac2(of, "linear"),
    "ac2_quadratic": lambda of: ac2(of, "quadratic"),
    "mcc": mcc,
}
OF_ONE_CHOICE: dict[str, Callable[[Table | Sample, int], Estimate]] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "precision": precision,
    "npv": npv,
    "f1": f1,
    "balanced_accuracy": balanced_accuracy,
    "prevalence_index": prevalence_index,
    "bias_index": bias_index,
    "positive_agreement": specific_agreement,
}


def every_figure(of: Table | Sample, positive: int = 0) -> dict[str, Estimate]:
    return {
        **{name: figure(of) for name, figure in OF_ANY_TABLE.items()},
        **{name: figure(of, positive) for name, figure in OF_ONE_CHOICE.items()},
    }


def test_a_proportion_of_nothing_is_undefined_and_what_is_no_count_is_refused() -> None:
    assert proportion(0, 0).value is None and proportion(0, 0).reason
    with pytest.raises(ValueError, match="5 of 4"):
        proportion(5, 4)
    with pytest.raises(ValueError, match="at least one"):
        clopper_pearson(0, 0)


def test_a_judge_that_says_yes_too_often_has_a_positive_bias_and_mcnemar_sees_it() -> None:
    over, under = [[20, 0], [10, 70]], [[20, 10], [0, 70]]
    assert bias_index(over, YES).value == 0.10 and bias_index(under, YES).value == -0.10
    assert (bias_index(over, YES).low or 0) > 0 > (bias_index(under, YES).high or 0)
    assert prevalence_index(over, YES).value == prevalence_index(under, YES).value == -0.50
    assert prevalence_index(over, 1).value == 0.50
    assert mcnemar(0, 10).midp.value == 2**-10 and mcnemar(0, 10).exact.value == 2**-9


def test_a_choice_among_four_has_the_figures_of_that_choice_against_the_rest() -> None:
    table = [[5, 3, 0, 0], [3, 11, 4, 0], [2, 13, 3, 4], [1, 2, 4, 14]]
    for choice in range(4):
        rest = [other for other in range(4) if other != choice]
        tp, fn, fp = table[choice][choice], sum(table[choice][j] for j in rest), sum(table[i][choice] for i in rest)
        two = [[tp, fn], [fp, sum(map(sum, table)) - tp - fn - fp]]
        for name, figure in OF_ONE_CHOICE.items():
            of_four, of_two = figure(table, choice), figure(two, 0)
            assert of_four == of_two, name
        assert specific_agreement(table, choice).value == 2 * tp / (2 * tp + fn + fp)


def test_each_undefined_figure_says_why() -> None:
    nothing = [[0, 0], [0, 0]]
    assert {name for name, figure in every_figure(nothing).items() if figure.value is None and figure.reason} == {
        *every_figure(nothing)
    }
    no_judge_yes, neither_yes = [[0, 10], [0, 30]], [[0, 0], [0, 25]]
    assert "judge" in precision(no_judge_yes, YES).reason and precision(no_judge_yes, YES).value is None
    assert "one side" in mcc(no_judge_yes).reason and "both sides" in mcc(neither_yes).reason
    assert "either side" in f1(neither_yes, YES).reason and "neither side" in specific_agreement(neither_yes, YES).reason
    assert "positive" in balanced_accuracy(neither_yes, YES).reason
    assert scott_pi(neither_yes).value is None and scott_pi([[0, 10], [0, 30]]).value is not None
    assert ac1(neither_yes).value == pabak(neither_yes).value == 1.0
    assert kappa_error(neither_yes).value is None
    blind_to = kappa([[9, 0, 0], [0, 0, 0], [0, 0, 7]], [[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    assert blind_to.value is None and "see no difference" in blind_to.reason


@pytest.mark.parametrize("weighted", [False, True])
def test_where_all_items_share_one_group_every_figure_has_its_value_and_no_interval(weighted: bool) -> None:
    table = [[9, 2], [1, 14]]
    contents = {tuple((0, i, j, count) for i, row in enumerate(table) for j, count in enumerate(row)): 1}
    alone = Sample.readable(pair(stratum(table, 80), weighted=weighted, clusters=contents))
    for name, figure in every_figure(alone).items():
        assert figure.value == every_figure(table)[name].value, name
        assert figure.low is figure.high is None and "share one group" in figure.reason, name


def test_custom_weights_that_are_named_ones_have_their_interval() -> None:
    linear = [[1, Fraction(1, 2), 0], [Fraction(1, 2), 1, Fraction(1, 2)], [0, Fraction(1, 2), 1]]
    half_as_severe = [[(1 + cell) / 2 for cell in row] for row in linear]
    named = kappa(COHEN_1960, "linear")
    assert kappa(COHEN_1960, linear) == named
    same = kappa(COHEN_1960, half_as_severe)  # only the ratios of what is lacking matter
    assert (same.value, same.method) == (named.value, named.method)
    assert (same.low, same.high) == pytest.approx((named.low, named.high), abs=1e-12)
    assert kappa(COHEN_1960, [[1, 0.3, 0.3], [0.3, 1, 0.3], [0.3, 0.3, 1]]).method == kappa(COHEN_1960).method


def test_custom_weights_may_fall_below_minus_one_and_the_interval_does_not_stop_there() -> None:
    rare_alone = [[1, 0, 1], [0, 1, 1], [1, 1, 1]]
    found = kappa([[0, 5, 0], [5, 0, 0], [0, 0, 90]], rare_alone)
    assert found.value == -19.0 and found.low is not None and found.low <= -19.0
    lone = kappa([[0, 1, 0], [0, 0, 0], [0, 0, 0]], rare_alone)
    assert (lone.value, lone.low, lone.high) == (0.0, None, None) and "tell nothing" in lone.reason


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[1, 0], [0, 1]], "3 x 3"),
        ([[0, 1, 3], [1, 0, 6], [3, 6, 0]], "1 - v/max"),
        ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], "under 1 somewhere"),
        ([[1, 0, 2], [0, 1, 0], [0, 0, 1]], "credit"),
        ([[1, 0, math.nan], [0, 1, 0], [0, 0, 1]], "finite"),
        ("cubic", "cubic"),
    ],
)
def test_what_is_no_credit_is_refused(weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kappa(COHEN_1960, weights)


def test_figures_without_a_strict_form_refuse_unreadable_verdicts() -> None:
    strict = Sample.of_table(SCREENING, [1, 2])
    for figure in (scott_pi, ac1, mcc):
        with pytest.raises(ValueError, match="no strict form"):
            figure(strict)
    assert sensitivity(strict, YES).n == 23


def test_an_unreadable_verdict_is_a_disagreement_and_nobodys_positive() -> None:
    strict = Sample.of_table(SCREENING, [3, 2])  # 18 of 25 found, 69 of 80 cleared, 27 called positive
    assert f1(strict, YES).value == specific_agreement(strict, YES).value == 2 * 18 / (25 + 27)
    assert (precision(strict, YES), npv(strict, YES)) == (precision(SCREENING, YES), npv(SCREENING, YES))
    assert balanced_accuracy(strict, YES).value == pytest.approx((18 / 25 + 69 / 80) / 2, abs=1e-12)
    assert pabak(strict).value == pytest.approx(2 * 87 / 105 - 1, abs=1e-12)
    for figure in (f1(strict, YES), balanced_accuracy(strict, YES), pabak(strict)):
        assert (figure.low or 0) < (figure.value or 0) < (figure.high or 0)


@same_every_time
@given(tables(), st.integers(0, 1))
def test_every_interval_holds_its_value_and_has_a_width(table: list[list[int]], positive: int) -> None:
    for name, figure in every_figure(table, positive).items():
        if figure.value is None:
            assert figure.reason and figure.low is None, name
        else:
            assert figure.low is not None and figure.high is not None, name
            assert figure.low <= figure.value <= figure.high and figure.high - figure.low > 1e-6, (name, figure)


@same_every_time
@given(tables(2, 2), tables(2, 2), st.integers(1, 50), st.booleans())
def test_every_interval_of_every_design_holds_its_value_and_has_a_width(
    first: list[list[int]], second: list[list[int]], frame: int, grouped: bool
) -> None:
    strata = [stratum(first, sum(map(sum, first)) * frame), stratum(second, 7 * sum(map(sum, second)))]
    clusters = None
    if grouped:
        contents = [
            tuple((place, i, j, part[i][j]) for place, part in enumerate((first, second)) for j in (0, 1) if part[i][j])
            for i in (0, 1)
        ]
        assume(all(contents))
        clusters = dict.fromkeys(contents, 1)
    sample = Sample.readable(pair(*strata, clusters=clusters))
    for name, figure in every_figure(sample).items():
        if figure.value is None or figure.low is None:
            assert figure.reason, name
        else:
            assert figure.high is not None
            assert figure.low <= figure.value <= figure.high and figure.high - figure.low > 1e-6, (name, figure)


@same_every_time
@given(tables(2, 4))
def test_equal_weights_give_exactly_the_unweighted_points(table: list[list[int]]) -> None:
    parts = [stratum([[count * times for count in row] for row in table], 1000 * times, unreadable=()) for times in (1, 3)]
    whole = every_figure([[4 * count for count in row] for row in table])
    for name, figure in every_figure(Sample.readable(pair(*parts))).items():
        assert figure.value == pytest.approx(whole[name].value, abs=1e-12), name


@pytest.mark.parametrize("name", [name for name in (*OF_ANY_TABLE, *OF_ONE_CHOICE) if name != "expected_agreement"])
def test_every_interval_has_the_width_of_a_jackknife(name: str) -> None:
    table = [[6100, 900, 300], [700, 2400, 500], [150, 350, 1600]]
    if name in ("prevalence_index", "bias_index", "balanced_accuracy"):
        table = [row[:2] for row in table[:2]]
    of = OF_ANY_TABLE[name] if name in OF_ANY_TABLE else lambda table: OF_ONE_CHOICE[name](table, 1)
    whole, squares = of(table), 0.0
    assert whole.value is not None and whole.low is not None and whole.high is not None
    for i, row in enumerate(table):
        for j, count in enumerate(row):
            row[j] -= 1
            left_out = of(table).value
            row[j] += 1
            assert left_out is not None and table[i][j] == count
            squares += count * (left_out - whole.value) ** 2
    assert (whole.high - whole.low) / (2 * 1.959964) == pytest.approx(math.sqrt(squares), rel=0.01)


def test_a_seeded_interval_is_the_same_every_time_and_the_method_says_what_it_is() -> None:
    assert expected_agreement(SCREENING) == expected_agreement(SCREENING)
    assert expected_agreement(SCREENING).method == "2,000 replicates of the table + 4"
    even = expected_agreement([[25, 25], [25, 25]])  # where every gradient is 0
    assert even.low is not None and even.high is not None and even.high - even.low > 0.005
