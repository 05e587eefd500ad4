"""Which steps a human and a judge point at."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.estimate import Estimate
from reports.intervals import wilson
from reports.ratios import Rows, ratio
from reports.steps import Marks, StepSample, evidence_overlap, first_failure_agreement, step_precision, step_recall

SEVEN: list[Marks] = [([3], [3]), ([2, 5], [2]), ([4], [5]), ([], []), ([1, 2], []), ([], [7]), ([6, 8], [8, 6])]

same_every_time = settings(derandomize=True, max_examples=80, deadline=None)
positions = st.one_of(st.none(), st.sets(st.integers(0, 9), max_size=4))
marked = st.lists(st.tuples(positions, positions), max_size=25)


def every_figure(items: list[Marks] | StepSample) -> list[Estimate]:
    return [
        first_failure_agreement(items),
        first_failure_agreement(items, 1),
        evidence_overlap(items),
        step_precision(items),
        step_recall(items),
    ]


def test_seven_items_by_hand() -> None:
    exact, near = first_failure_agreement(SEVEN), first_failure_agreement(SEVEN, within=1)
    assert (exact.value, exact.n, near.value, near.n) == (3 / 4, 4, 1.0, 4)
    assert (exact.low, exact.high) == wilson(3, 4) and exact.method == "wilson"
    overlap = evidence_overlap(SEVEN)
    assert overlap.value == pytest.approx((1 + 1 / 2 + 0 + 0 + 0 + 1) / 6) and overlap.n == 6
    assert (step_precision(SEVEN).value, step_precision(SEVEN).n) == (pytest.approx(4 / 6), 5)
    assert (step_recall(SEVEN).value, step_recall(SEVEN).n) == (pytest.approx(4 / 8), 5)


def test_a_side_without_an_answer_is_not_a_side_that_marked_nothing() -> None:
    assert every_figure([*SEVEN, (None, [3]), ([3], None), (None, None)]) == every_figure(SEVEN)
    assert step_recall([*SEVEN, ([3], [])]).value == pytest.approx(4 / 9)


def test_the_first_failure_is_the_earliest_step_in_whatever_order_it_was_given() -> None:
    assert first_failure_agreement([([9, 2], [2, 5])]).value == 1.0
    assert first_failure_agreement([([9, 2], [4, 5])], within=2).value == 1.0
    with pytest.raises(ValueError, match="counts steps"):
        first_failure_agreement([], within=-1)


def test_what_nobody_marked_is_undefined_in_words() -> None:
    for estimate in (*every_figure([]), *every_figure([([], [])]), *every_figure([(None, [1])])):
        assert estimate.value is None and estimate.reason and estimate.n == 0
    only_judge: list[Marks] = [([], [1])]
    assert step_precision(only_judge).value == 0.0 and evidence_overlap(only_judge).value == 0.0
    assert "human" in step_recall(only_judge).reason and "both sides" in first_failure_agreement(only_judge).reason


@same_every_time
@given(marked, st.randoms(use_true_random=False))
def test_the_order_of_items_and_a_swap_of_the_sides_change_what_they_should(items: list[Marks], random_: random.Random) -> None:
    shuffled = list(items)
    random_.shuffle(shuffled)
    for one, other in zip(every_figure(items), every_figure(shuffled), strict=True):
        assert one.value == pytest.approx(other.value) and one.low == pytest.approx(other.low, abs=1e-9)
    swapped = [(judge, human) for human, judge in items]
    assert step_precision(swapped).value == step_recall(items).value
    assert evidence_overlap(swapped).value == evidence_overlap(items).value


@same_every_time
@given(marked)
def test_an_interval_holds_its_value_stays_in_range_and_has_a_width(items: list[Marks]) -> None:
    for estimate in every_figure(items):
        if estimate.value is not None:
            assert estimate.low is not None and estimate.high is not None
            assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
            assert estimate.high - estimate.low > 1e-3


def test_perfect_overlap_keeps_a_width_that_shrinks_with_items() -> None:
    widths = []
    for n in (10, 100, 1000):
        estimate = evidence_overlap([([1, 2], [1, 2])] * n)
        assert estimate.value == estimate.high == 1.0 and estimate.low is not None
        widths.append(1 - estimate.low)
    assert widths[0] > 5 * widths[1] > 25 * widths[2] > 0


def test_ten_times_the_items_keep_values_and_narrow_intervals() -> None:
    once, tenfold = every_figure(SEVEN * 10), every_figure(SEVEN * 100)
    for few, many in zip(once, tenfold, strict=True):
        assert few.value == pytest.approx(many.value)
        assert None not in (few.low, few.high, many.low, many.high)
        if few.value != 1:
            assert (few.high - few.low) / (many.high - many.low) == pytest.approx(math.sqrt(10), rel=0.15)  # type: ignore[operator]


def rows(
    item: list[int], group: list[int] | None = None, stratum: list[int] | None = None, rate: tuple[float, ...] = (1.0,)
) -> Rows:
    """The rows of an item share it; `rate` by stratum."""
    number, where = len(item), np.array(stratum or [0] * len(item))
    return Rows(
        item=np.array(item),
        group=np.array(group or item),
        share=np.array([1 / item.count(each) for each in item]),
        stratum=where,
        rate=np.array(rate),
        finished=np.bincount(where, minlength=len(rate)) * len(set(item)) / number,
        weighted=len(set(rate)) > 1,
        grouped=len(set(group or item)) < len(set(item)),
    )


def test_several_labels_of_an_item_are_one_unit_of_the_interval() -> None:
    once: list[Marks] = [([1], [1]) if k % 3 else ([2], [1]) for k in range(40)]
    twice = StepSample([marks for marks in once for _ in range(2)], rows([k for k in range(40) for _ in range(2)]))
    for single, double in ((evidence_overlap(once), evidence_overlap(twice)), (step_recall(once), step_recall(twice))):
        assert (double.value, double.n) == (single.value, 40)
        assert double.low == pytest.approx(single.low) and double.high == pytest.approx(single.high)
    assert first_failure_agreement(twice).n == 40 and "delta" in first_failure_agreement(twice).method


def test_items_that_share_groups_widen_the_interval() -> None:
    marks: list[Marks] = [([1], [1]) if k // 10 % 2 else ([2], [1]) for k in range(100)]
    alone, grouped = (
        evidence_overlap(marks),
        evidence_overlap(StepSample(marks, rows(list(range(100)), [k // 10 for k in range(100)]))),
    )
    assert grouped.value == alone.value and "cluster-robust" in grouped.method
    assert None not in (alone.low, alone.high, grouped.low, grouped.high)
    assert (grouped.high - grouped.low) > 2 * (alone.high - alone.low)  # type: ignore[operator]
    one = evidence_overlap(StepSample(marks, rows(list(range(100)), [0] * 100)))
    assert one.value == alone.value and one.low is None and "one group" in one.reason


def test_weights_are_followed_and_equal_weights_change_nothing() -> None:
    # The judge finds what lies in the stratum of its own positives, and what it misses lies in the other one.
    marks: list[Marks] = [([1], [1])] * 30 + [([1], [])] * 10 + [([], [])] * 60
    stratum = [0] * 30 + [1] * 70
    assert step_recall(marks).value == 30 / 40
    estimate = step_recall(StepSample(marks, rows(list(range(100)), stratum=stratum, rate=(1.0, 9.0))))
    assert estimate.value == pytest.approx(30 / (30 + 9 * 10)) and "post-stratified" in estimate.method
    same = StepSample(marks, rows(list(range(100)), rate=(4.0,)))
    for one, other in zip(every_figure(same), every_figure(marks), strict=True):
        assert (one.value, one.n, one.method) == (pytest.approx(other.value), other.n, other.method)
        assert (one.low, one.high) == (pytest.approx(other.low), pytest.approx(other.high))


def test_a_stratum_of_many_items_without_a_miss_yet_may_hide_misses_but_no_citations() -> None:
    # Fifty of each verdict, of 200 and 1,800: nothing was missed among the fifty "no", which stand for most of the frame.
    marks: list[Marks] = [([1], [1])] * 50 + [([], [])] * 50
    sample = StepSample(marks, rows(list(range(100)), stratum=[0] * 50 + [1] * 50, rate=(4.0, 36.0)))
    recall, precision = step_recall(sample), step_precision(sample)
    assert recall.value == precision.value == 1.0
    assert recall.low is not None and precision.low is not None and recall.low < 0.85 < 0.9 < precision.low


def test_the_error_within_strata_is_that_of_a_stratified_mean() -> None:
    random_ = np.random.default_rng(3)
    values, stratum = random_.random(4000), np.repeat([0, 1], 2000)
    values[2000:] = values[2000:] * 0.2
    design = rows(list(range(4000)), stratum=stratum.tolist(), rate=(1.0, 3.0))
    estimate = ratio(values, np.ones(4000), design, "nothing")
    of_mean = math.sqrt(sum((share**2) * values[stratum == k].var(ddof=1) / 2000 for k, share in enumerate((0.25, 0.75))))
    assert estimate.low is not None and estimate.high is not None
    assert (estimate.high - estimate.low) / (2 * 1.96) == pytest.approx(of_mean, rel=0.02)
