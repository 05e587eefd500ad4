"""Figures of weighted, stratified and grouped items: hand-computed, at their limits, and by properties."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.tallies import Excluded, PairTally, StratumTally
from reports.agreement import ac1, kappa, observed_agreement, sensitivity, specificity
from reports.estimate import Estimate
from reports.sample import Sample
from tests.benchmarks import coverage_designs
from tests.benchmarks.coverage import Cell, covered
from tests.benchmarks.coverage_designs import CORRELATIONS, equal_margins, grouped_items, grouped_pair, truth

Counts = tuple[tuple[int, ...], ...]

same_every_time = settings(derandomize=True, max_examples=100, deadline=None)
count = st.integers(0, 30)
table_of_two = st.tuples(st.tuples(count, count), st.tuples(count, count))

FIGURES: dict[str, Callable[[Sample], Estimate]] = {
    "kappa": kappa,
    "linear": lambda sample: kappa(sample, "linear"),
    "quadratic": lambda sample: kappa(sample, "quadratic"),
    "AC1": ac1,
    "agreement": observed_agreement,
    "sensitivity": lambda sample: sensitivity(sample, 1),
    "specificity": lambda sample: specificity(sample, 1),
}


def stratum(
    confusion: Sequence[Sequence[int]],
    frame: int,
    *,
    name: str = "all",
    column: int | None = None,
    unreadable: tuple[int, ...] = (0, 0),
    without: int = 0,
) -> StratumTally:
    """`without`: finished items that have no cell."""
    finished = sum(map(sum, confusion)) + sum(unreadable) + without
    return StratumTally(name, frame, finished, finished, tuple(map(tuple, confusion)), unreadable, column)


def pair(*strata: StratumTally, weighted: bool = True, clusters: Mapping[Any, int] | None = None) -> PairTally:
    whole = tuple(map(tuple, np.sum([each.confusion for each in strata], axis=0).tolist()))
    unreadable = tuple(map(sum, zip(*(each.unreadable for each in strata), strict=True)))
    groups = sum((clusters or {}).values()) or sum(map(sum, whole))
    return PairTally(
        "human:consensus", "judge:j", whole, unreadable, Excluded(error=sum(unreadable)), "stratified:j", groups,
        weighted=weighted, strata=strata, clusters=clusters or {},
    )  # fmt: skip


def figures(sample: Sample) -> dict[str, Estimate]:
    return {name: figure(sample) for name, figure in FIGURES.items()}


def each_alone(*strata: StratumTally) -> dict[Any, int]:
    """Every item a group of its own."""
    return {
        ((s, i, j, 1),): items
        for s, each in enumerate(strata)
        for i, row in enumerate(each.confusion)
        for j, items in enumerate(row)
        if items
    }


def test_the_judge_that_reads_81_on_a_half_and_half_sample_has_kappa_60() -> None:
    # 10 % positive verdicts, of which 91 % are right; 10 % of the "no" verdicts are wrong; a hundred of each.
    positive = stratum([[0, 9], [0, 91]], 1000, name="j: yes", column=1)
    negative = stratum([[90, 0], [10, 0]], 9000, name="j: no", column=0)
    raw, weighted = (
        figures(Sample.readable(pair(positive, negative, weighted=False))),
        figures(Sample.readable(pair(positive, negative))),
    )
    shown = {name: (raw[name].value, weighted[name].value) for name in ("kappa", "sensitivity", "specificity")}
    rounded = {name: tuple(round(value or 0, 2) for value in values) for name, values in shown.items()}
    assert rounded == {"kappa": (0.81, 0.60), "sensitivity": (0.90, 0.50), "specificity": (0.91, 0.99)}
    assert weighted["sensitivity"].value == float(Fraction(910, 910 + 900))
    assert weighted["sensitivity"].n == 101  # items, not the frame
    # The interval must know that ten found misses stand for nine hundred.
    low, high = weighted["sensitivity"].low or 0, weighted["sensitivity"].high or 0
    assert low < 0.40 and high > 0.60


def test_items_without_a_cell_share_the_weights_and_enter_no_figure() -> None:
    # Half of the first stratum is unsure: its 40 cells stand for half of its 800 items.
    first, second = stratum([[30, 2], [3, 5]], 800, without=40), stratum([[50, 10], [5, 35]], 200)
    shares = np.array(Sample.readable(pair(first, second)).shares())
    by_hand = (800 / 80 * np.array(first.confusion) + 200 / 100 * np.array(second.confusion)) / 600
    assert shares == pytest.approx(by_hand, abs=1e-12)


def test_a_stratum_without_a_finished_item_leaves_every_figure_undefined_and_is_named() -> None:
    done, empty = stratum([[30, 2], [3, 5]], 800), stratum([[0, 0], [0, 0]], 70, name="j: second wave")
    for estimate in figures(Sample.readable(pair(done, empty))).values():
        assert estimate.value is estimate.low is estimate.high is None
        assert "second wave" in estimate.reason and "70 items" in estimate.reason


def test_an_empty_stratum_of_items_that_the_pair_does_not_speak_about_does_no_harm() -> None:
    # No verdict at all: outside the pair. Unreadable: outside the readable figures, inside the strict ones.
    done = stratum([[30, 2], [3, 5]], 800)
    none, unreadable = stratum([[0, 0], [0, 0]], 70, name="j: no verdict", column=-1), stratum([[0, 0], [0, 0]], 9, column=2)
    assert kappa(Sample.readable(pair(done, none, unreadable))).value == kappa(done.confusion).value
    assert kappa(Sample.strict(pair(done, none))).value == kappa(done.confusion).value
    assert kappa(Sample.strict(pair(done, unreadable))).value is None


def test_the_strict_figures_weigh_the_unreadable_stratum_as_the_frame_does() -> None:
    yes, no = stratum([[0, 5], [0, 45]], 100, column=1), stratum([[48, 0], [2, 0]], 800, column=0)
    broken = stratum([[0, 0], [0, 0]], 100, column=2, unreadable=(4, 16))
    strict = Sample.strict(pair(yes, no, broken))
    assert observed_agreement(strict).value == pytest.approx((100 * 0.9 + 800 * 0.96) / 1000, abs=1e-12)
    assert sensitivity(strict, 1).value == pytest.approx(90 / (90 + 32 + 80), abs=1e-12)
    assert sensitivity(strict, 1).n == 45 + 2 + 16
    readable = Sample.readable(pair(yes, no, broken))
    assert sensitivity(readable, 1).value == pytest.approx(90 / (90 + 32), abs=1e-12)


def test_the_shares_of_a_sample_add_up_to_one_or_are_nothing() -> None:
    assert np.sum(Sample.readable(pair(stratum([[1, 2], [3, 4]], 70), stratum([[5, 0], [0, 1]], 3))).shares()) == pytest.approx(1)
    assert Sample.readable(pair(stratum([[0, 0], [0, 0]], 5, without=3))).shares() == [[0, 0], [0, 0]]


@same_every_time
@given(table_of_two, st.integers(1, 10**6))
def test_one_stratum_has_the_unweighted_values_whatever_its_frame(table: Counts, frame: int) -> None:
    assume(sum(map(sum, table)) > 0)
    plain, designed = figures(Sample.of_table(table)), figures(Sample.readable(pair(stratum(table, frame))))
    assert {name: each.value for name, each in designed.items()} == {name: each.value for name, each in plain.items()}


@same_every_time
@given(table_of_two, table_of_two, st.integers(1, 50))
def test_equal_weights_give_exactly_the_unweighted_values(first: Counts, second: Counts, each_stands_for: int) -> None:
    assume(sum(map(sum, first)) and sum(map(sum, second)))
    strata = [stratum(table, each_stands_for * sum(map(sum, table))) for table in (first, second)]
    plain, designed = figures(Sample.readable(pair(*strata, weighted=False))), figures(Sample.readable(pair(*strata)))
    assert {name: each.value for name, each in designed.items()} == {name: each.value for name, each in plain.items()}


@same_every_time
@given(st.lists(st.tuples(table_of_two, st.integers(1, 5000)), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_no_figure_depends_on_the_order_of_the_strata_or_the_unit_of_the_frame(parts: list[Any], random: Any) -> None:
    strata = [stratum(table, frame) for table, frame in parts if sum(map(sum, table))]
    assume(strata)
    shuffled = random.sample(strata, len(strata))
    larger = [stratum(each.confusion, 7 * each.frame) for each in strata]
    wanted = figures(Sample.readable(pair(*strata)))
    for other in (figures(Sample.readable(pair(*shuffled))), figures(Sample.readable(pair(*larger)))):
        for name, estimate in wanted.items():
            assert other[name].value == estimate.value
            assert other[name].low == pytest.approx(estimate.low, abs=1e-9)
            assert other[name].high == pytest.approx(estimate.high, abs=1e-9)


@same_every_time
@given(
    st.lists(st.tuples(table_of_two, st.integers(1, 5000)), min_size=1, max_size=4),
    st.booleans(),
    st.integers(1, 4),
)
def test_every_interval_of_every_design_is_finite_holds_its_value_and_has_a_width(
    parts: list[Any], weighted: bool, size: int
) -> None:
    strata = [stratum(table, frame) for table, frame in parts if sum(map(sum, table))]
    assume(strata)
    contents = {
        ((s, i, j, min(size, items)),): max(1, items // size)
        for s, each in enumerate(strata)
        for i, row in enumerate(each.confusion)
        for j, items in enumerate(row)
        if items
    }
    for clusters in ({}, contents):
        for estimate in figures(Sample.readable(pair(*strata, weighted=weighted, clusters=clusters))).values():
            if estimate.value is None or estimate.low is None or estimate.high is None:
                assert estimate.reason
                continue
            assert -1.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0
            assert estimate.high - estimate.low > 1e-6


@same_every_time
@given(table_of_two, st.booleans())
def test_groups_of_one_item_each_are_no_groups(table: Counts, weighted: bool) -> None:
    assume(sum(map(sum, table)) > 1)
    strata = (stratum(table, 300), stratum([[3, 1], [1, 2]], 900))
    alone = figures(Sample.readable(pair(*strata, weighted=weighted, clusters=each_alone(*strata))))
    assert alone == figures(Sample.readable(pair(*strata, weighted=weighted)))


def test_nearly_every_item_alone_gives_nearly_the_interval_without_groups() -> None:
    strata = (stratum([[300, 40], [30, 130]], 500),)
    contents = {**each_alone(*strata), ((0, 0, 0, 2),): 1}
    contents[(0, 0, 0, 1),] -= 2
    for weighted in (False, True):
        grouped = figures(Sample.readable(pair(*strata, weighted=weighted, clusters=contents)))
        for name, plain in figures(Sample.readable(pair(*strata, weighted=weighted))).items():
            assert plain.low is not None and plain.high is not None
            assert grouped[name].method != plain.method
            assert grouped[name].low == pytest.approx(plain.low, abs=0.02)
            assert grouped[name].high == pytest.approx(plain.high, abs=0.02)


def test_groups_that_agree_within_widen_every_interval() -> None:
    # Ten items a group, all of one cell: 400 items tell as much as 40.
    whole = stratum([[200, 20], [20, 160]], 4000)
    contents = {((0, 0, 0, 10),): 20, ((0, 0, 1, 10),): 2, ((0, 1, 0, 10),): 2, ((0, 1, 1, 10),): 16}
    for weighted in (False, True):
        plain, grouped = (figures(Sample.readable(pair(whole, weighted=weighted, clusters=each))) for each in ({}, contents))
        for name, estimate in plain.items():
            low, high = grouped[name].low, grouped[name].high
            assert None not in (low, high, estimate.low, estimate.high)
            assert 2.5 < (high - low) / (estimate.high - estimate.low) < 4.5, name  # type: ignore[operator]  # √10 = 3.2


def test_a_group_that_spans_strata_is_one_group() -> None:
    # Each group's errors come in both strata together; taken apart they would look independent.
    yes, no = stratum([[0, 40], [0, 60]], 400, column=1), stratum([[60, 0], [40, 0]], 600, column=0)
    together = {((0, 0, 1, 10), (1, 1, 0, 10)): 4, ((0, 1, 1, 10), (1, 0, 0, 10)): 6}
    apart = {((0, 0, 1, 10),): 4, ((0, 1, 1, 10),): 6, ((1, 0, 0, 10),): 6, ((1, 1, 0, 10),): 4}
    spans, separate = (kappa(Sample.readable(pair(yes, no, clusters=each))) for each in (together, apart))
    assert None not in (spans.low, spans.high, separate.low, separate.high)
    assert spans.value == separate.value
    assert spans.high - spans.low > 1.2 * (separate.high - separate.low)  # type: ignore[operator]


def test_groups_that_hold_unlike_shares_of_the_strata_widen_what_depends_on_the_strata() -> None:
    yes, no = stratum([[0, 30], [0, 70]], 400, column=1), stratum([[90, 0], [10, 0]], 1600, column=0)
    content = {((0, 0, 1, 3 + k), (0, 1, 1, 7 - k), (1, 0, 0, 9), (1, 1, 0, 1)): 5 for k in (-1, 1)}
    alike = {((0, 40), (1, 160)): 10}
    unlike = {((0, 80), (1, 120)): 5, ((1, 200),): 5}
    plain, same, other = (
        figures(Sample.readable(dataclasses.replace(pair(yes, no, clusters=content), frame_groups=frame)))
        for frame in ({}, alike, unlike)
    )
    for name, estimate in plain.items():
        assert same[name] == estimate and other[name].value == estimate.value
        assert None not in (estimate.low, estimate.high, other[name].low, other[name].high)
        assert other[name].high - other[name].low >= estimate.high - estimate.low  # type: ignore[operator]
    wider, narrow = other["specificity"], plain["specificity"]
    assert wider.high - wider.low > 1.5 * (narrow.high - narrow.low)  # type: ignore[operator]


def test_one_group_has_a_value_and_no_interval() -> None:
    whole = stratum([[20, 2], [2, 16]], 400)
    content = {((0, 0, 0, 20), (0, 0, 1, 2), (0, 1, 0, 2), (0, 1, 1, 16)): 1}
    for name, estimate in figures(Sample.readable(pair(whole, weighted=False, clusters=content))).items():
        assert estimate.value is not None and estimate.low is estimate.high is None, name
        assert "one group" in estimate.reason


def test_perfect_agreement_in_twelve_groups_is_worth_twelve_items() -> None:
    whole = stratum([[60, 0], [0, 60]], 400)
    content = {((0, 0, 0, 10),): 6, ((0, 1, 1, 10),): 6}
    grouped = kappa(Sample.readable(pair(whole, weighted=False, clusters=content)))
    alone = kappa([[6, 0], [0, 6]])
    assert grouped.value == grouped.high == 1.0
    assert grouped.low == pytest.approx(alone.low, abs=1e-12)


def test_a_rare_choice_in_groups_never_narrows_the_interval_below_fishers() -> None:
    sizes = {((0, 0, 0, 2),): 20, ((0, 0, 0, 1),): 50, ((0, 1, 1, 1),): 3, ((0, 0, 1, 1),): 1, ((0, 1, 0, 1),): 1}
    estimate = kappa(Sample.readable(pair(stratum([[90, 1], [1, 3]], 95), weighted=False, clusters=sizes)))
    assert estimate.method == "cluster-robust fisher z or delta+4, the wider, t(groups-1)"
    plain = kappa([[90, 1], [1, 3]])
    assert None not in (estimate.low, estimate.high, plain.low, plain.high)
    assert estimate.low <= plain.low + 0.01 and estimate.high >= plain.high - 0.01  # type: ignore[operator]


def test_unreadable_verdicts_belong_to_groups_in_the_strict_figures_alone() -> None:
    whole = stratum([[20, 2], [2, 16]], 400, unreadable=(6, 0))
    contents = {**each_alone(whole), ((0, 0, 2, 2),): 3}
    both = pair(whole, weighted=False, clusters=contents)
    assert Sample.readable(both).groups is None
    assert Sample.strict(both).groups is not None
    assert kappa(Sample.strict(both)).n == 46


def test_the_methods_say_what_was_done() -> None:
    five = [[4 * (i == j) + 1 for j in range(5)] for i in range(5)]
    wide = (StratumTally("a", 100, 45, 45, tuple(map(tuple, five))), StratumTally("b", 900, 45, 45, tuple(map(tuple, five))))
    table = tuple(map(tuple, np.multiply(five, 2).tolist()))
    by_choice = PairTally("human:a", "human:b", table, (), Excluded(), "stratified:j", 90, weighted=True, strata=wide)
    assert kappa(Sample.readable(by_choice)).method == "post-stratified delta+2, t(n-strata)"
    two = (stratum([[20, 2], [2, 16]], 400), stratum([[5, 2], [2, 6]], 400))
    assert kappa(Sample.readable(pair(*two))).method == "post-stratified delta+1/2 per cell, t(n-strata)"
    assert observed_agreement(Sample.readable(pair(*two))).method == "post-stratified square-and-add"


def test_a_jackknife_of_groups_gives_the_width_of_the_linearised_interval() -> None:
    random = np.random.default_rng(7)
    groups = grouped_items(random, [8] * 60, equal_margins(0.4, 0.6), 0.2, 1)[0]
    estimate = kappa(Sample.readable(grouped_pair(groups)))
    left_out = [kappa((groups.sum(axis=0) - group).tolist()).value or 0 for group in groups]
    error = math.sqrt(59 / 60 * sum((each - sum(left_out) / 60) ** 2 for each in left_out))
    assert estimate.value is not None and estimate.low is not None and estimate.high is not None
    by_fisher = (math.atanh(estimate.high) - math.atanh(estimate.low)) / 2 / 2.001 * (1 - estimate.value**2)
    assert by_fisher == pytest.approx(error, rel=0.05)


COVERED = ("kappa", "agreement", "sensitivity", "specificity")


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_intervals_of_grouped_items_cover_what_they_promise(correlation: float) -> None:
    table = equal_margins(0.3, 0.6)
    draws = grouped_items(np.random.default_rng(11), [5] * 40, table, correlation, 400)
    for name in COVERED:
        figure = coverage_designs.FIGURES[name]
        found = covered(Cell(name, truth(figure, table), draws), partial(coverage_designs.of_groups, figure), {})
        assert found is not None and found.share >= 0.92, found


def test_intervals_of_items_drawn_by_verdict_cover_what_they_promise() -> None:
    for name in COVERED:
        figure = coverage_designs.FIGURES[name]
        cells = coverage_designs.verdict_cells(figure, (100,), ((0.1, 1.0),), np.random.default_rng(12), 400)
        cell = next(cell for cell in cells if cell.name.endswith("kappa 0.6"))
        found = covered(cell, partial(coverage_designs.of_verdicts, figure), {})
        assert found is not None and found.share >= 0.92, found


def test_contents_of_groups_add_up_to_the_items_of_the_pair() -> None:
    frame = grouped_items(np.random.default_rng(4), [20] * 30, equal_margins(0.2, 0.5), 0.2, 1)[0]
    drawn = coverage_designs.grouped_verdict_pair(coverage_designs.half_of_each(np.random.default_rng(3), frame, 100))
    assert drawn is not None
    held: Counter[tuple[int, int]] = Counter()
    for content, times in drawn.clusters.items():
        for _, row, column, items in content:
            held[row, column] += times * items
    assert [[held[i, j] for j in range(2)] for i in range(2)] == [list(row) for row in drawn.confusion]


def test_a_stratum_whose_items_all_lack_an_answer_changes_nothing() -> None:
    strata = (stratum([[40, 3], [4, 13]], 400), stratum([[20, 5], [4, 31]], 900))
    silent = stratum([[0, 0], [0, 0]], 5000, name="j: unreadable or no verdict", without=30)
    with_it, without = figures(Sample.readable(pair(*strata, silent))), figures(Sample.readable(pair(*strata)))
    for name, estimate in without.items():
        assert with_it[name].value == estimate.value
        assert with_it[name].low == pytest.approx(estimate.low, abs=1e-12)
        assert with_it[name].high == pytest.approx(estimate.high, abs=1e-12)
