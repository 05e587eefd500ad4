"""Two judges on the same items: the difference of their kappas, who is right where, and what is said of it."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.tallies import Excluded, JointStratum, JointTally
from reports.agreement import kappa
from reports.comparing import MCNEMAR_TAKES, compare
from reports.comparison_document import comparison_document, in_words, quoted
from reports.credit import credit_of
from reports.joint import Joint

REVISION = [[[50, 14], [6, 10]], [[8, 6], [18, 88]]]
SAME = [[[30, 0], [0, 10]], [[5, 0], [0, 55]]]
THREE = [[[9, 2, 0], [1, 3, 1], [0, 1, 1]], [[2, 1, 0], [3, 12, 2], [0, 2, 2]], [[1, 0, 0], [0, 3, 4], [1, 2, 14]]]
STRICT = [[[50, 14, 2], [6, 10, 0], [1, 0, 1]], [[8, 6, 0], [18, 88, 3], [0, 4, 0]]]

tables = st.lists(st.integers(0, 30), min_size=8, max_size=8).map(lambda flat: np.array(flat).reshape(2, 2, 2).tolist())


def margin(table: list[list[list[int]]], which: int) -> list[list[int]]:
    return np.array(table).sum(axis=2 - which).tolist()  # type: ignore[no-any-return]


def nested(table: Any) -> Any:
    return tuple(tuple(tuple(row) for row in rows) for rows in np.array(table).tolist())


def tally(table: Any, **design: Any) -> JointTally:
    """A joint tally of K x (K+1) x (K+1) counts."""
    size = len(table)
    wide = np.zeros((size, size + 1, size + 1), dtype=int)
    given_ = np.array(table)
    wide[:, : given_.shape[1], : given_.shape[2]] = given_
    error = int(wide.sum() - wide[:, :size, :size].sum())
    return JointTally("human:consensus", "judge:a", "judge:b", nested(wide), Excluded(error=error), "simple", 100, **design)


@settings(max_examples=60, deadline=None)
@given(tables)
def test_the_difference_is_that_of_the_two_kappas_and_turns_with_the_judges(table: list[list[list[int]]]) -> None:
    found, turned = compare(table), compare(np.array(table).transpose(0, 2, 1).tolist())
    first, second = (kappa(margin(table, which)).value for which in (0, 1))
    assert (found.first.value, found.second.value) == (first, second)
    if first is None or second is None:
        assert found.difference.value is None and "is undefined" in found.difference.reason
        return
    assert found.difference.value == second - first
    assert found.difference.low <= found.difference.value <= found.difference.high
    assert found.difference.low < found.difference.high
    assert turned.difference.value == -found.difference.value
    assert turned.difference.low == pytest.approx(-found.difference.high)
    assert turned.only_first_right == found.only_second_right
    assert found.differing == sum(table[h][0][1] + table[h][1][0] for h in (0, 1))


@pytest.mark.parametrize(
    ("table", "weights"), [(REVISION, "unweighted"), (THREE, "unweighted"), (THREE, "linear"), (THREE, "quadratic")]
)
def test_the_standard_error_is_that_of_the_gradient_found_by_nudging_every_cell(table: Any, weights: Any) -> None:
    counts = np.array(table, dtype=float)
    n, w = counts.sum(), credit_of(weights, len(table), len(table)).shares

    def difference(p: Any) -> float:
        found = []
        for axis in (2, 1):
            pair = p.sum(axis=axis) / p.sum()
            seen, chance = (w * pair).sum(), pair.sum(axis=1) @ w @ pair.sum(axis=0)
            found.append((seen - chance) / (1 - chance))
        return float(found[1] - found[0])

    p, step = counts / n, 1e-6
    gradient = np.zeros_like(p)
    for cell in np.ndindex(p.shape):
        nudge = np.zeros_like(p)
        nudge[cell] = step
        gradient[cell] = (difference(p + nudge) - difference(p - nudge)) / (2 * step)
    error = math.sqrt(((p * gradient**2).sum() - (p * gradient).sum() ** 2) / n)
    assert compare(table, weights).error.value == pytest.approx(error, rel=1e-5)


def test_identical_verdicts_have_no_difference_and_the_interval_still_has_a_width() -> None:
    found = compare(SAME)
    assert (found.difference.value, found.error.value, found.identical, found.differing) == (0, 0, True, 0)
    assert found.difference.low is not None and found.difference.low < 0 < (found.difference.high or 0)
    assert found.unsmoothed.low is None and found.unsmoothed.reason
    assert found.mcnemar.exact.value is None
    table = comparison_document("binary", tally(SAME))["tables"][0]
    assert table["said"] == in_words("a", "b", table) == "No verdict differs between a and b on 100 items."


def test_who_alone_is_right_is_counted_by_what_humans_say() -> None:
    found = compare(REVISION)
    assert found.only_first_right == (14, 18) and found.only_second_right == (6, 6)
    assert (found.mcnemar.only_first, found.mcnemar.only_second) == (32, 12)


def test_a_one_sided_bound_is_an_end_of_the_interval_at_half_its_level() -> None:
    found = compare(REVISION)
    half, at_five = found.bounds(0.025), found.bounds(0.05)
    assert (half.low, half.high) == pytest.approx((found.difference.low, found.difference.high))
    assert half.low < at_five.low < found.difference.value < at_five.high < half.high  # type: ignore[operator]
    for level in (0.0, 0.5, -1, 2):
        with pytest.raises(ValueError, match="level"):
            found.bounds(level)


def test_an_unreadable_verdict_of_either_judge_is_a_disagreement_of_that_judge() -> None:
    joint = tally(STRICT)
    strict, readable = compare(Joint.strict(joint)), compare(Joint.readable(joint))
    assert readable.n == 200 and strict.n == 211
    assert strict.first.value == kappa(Joint.strict(joint).judge(0)).value
    assert readable.difference == compare(REVISION).difference
    assert strict.only_first_right == (16, 21) and strict.only_second_right == (7, 10)
    assert compare(STRICT).difference == strict.difference
    without = tally(REVISION)
    assert compare(Joint.strict(without)).difference == compare(Joint.readable(without)).difference


def test_the_document_leads_with_strict_figures_where_more_than_two_in_a_hundred_are_unreadable() -> None:
    (table,) = comparison_document("binary", tally(STRICT))["tables"]
    assert table["headline"] == "strict" and quoted(table) == table["comparison_strict"]
    few = np.array(STRICT)
    few[:, :, 2] = few[:, 2, :] = 0
    few[0, 0, 2] = 1
    (table,) = comparison_document("binary", tally(few))["tables"]
    assert table["headline"] == "readable" and quoted(table) == table["comparison"] and "comparison_strict" in table
    (table,) = comparison_document("binary", tally(REVISION))["tables"]
    assert "comparison_strict" not in table


def test_an_ordinal_question_is_compared_with_linear_weights_and_without() -> None:
    (table,) = comparison_document("ordinal", tally(THREE))["tables"]
    assert table["weights"] == "linear"
    assert table["comparison"]["difference"]["value"] == compare(THREE, "linear").difference.value
    assert table["comparison_unweighted"]["difference"]["value"] == compare(THREE).difference.value


def test_scores_without_a_threshold_are_not_compared_and_the_reason_is_said() -> None:
    joint = JointTally("human:consensus", "judge:a", "judge:b", (), Excluded(), "simple", 10)
    (table,) = comparison_document("score", joint)["tables"]
    assert in_words("a", "b", table).startswith("Undefined: two rank correlations")
    at = JointTally("human:consensus", "judge:a", "judge:b", (), Excluded(), "simple", 10, at_threshold=tally(REVISION))
    (table,) = comparison_document("score", at)["tables"]
    assert table["title"] == "at the threshold" and table["comparison"]["n"] == 200


def test_several_choices_are_compared_label_by_label() -> None:
    labels = {"lies": tally(REVISION), "hides": tally(SAME)}
    joint = JointTally("human:consensus", "judge:a", "judge:b", (), Excluded(), "simple", 10, by_label=labels)
    found = comparison_document("multilabel", joint)["tables"]
    assert [(table["title"], table["comparison"]["identical"]) for table in found] == [("lies", False), ("hides", True)]


def test_words_say_who_agrees_better_only_where_the_interval_lies_on_one_side() -> None:
    def said(table: Any) -> str:
        return in_words("old", "new", comparison_document("binary", tally(table))["tables"][0])

    worse = said(REVISION)
    assert worse.startswith("old agrees better with the humans than new: kappa 0.48 of new against 0.69 of old")
    assert "−0.33 to −0.07" in worse and worse.endswith("They differ on 44 of 200 items.")
    assert said([[[30, 6], [6, 8]], [[7, 5], [5, 53]]]).startswith("Which of the two agrees better with the humans cannot be told")
    assert said([[[30, 6], [0, 0]], [[0, 0], [0, 0]]]).startswith("Undefined: the kappa of the first is undefined: both sides gave")


def by_first(counts: Any, frame: tuple[int, int]) -> JointTally:
    """Drawn by the first judge's verdict."""
    whole = tally(counts)
    strata = []
    for verdict in (0, 1):
        part = np.zeros_like(np.array(whole.counts))
        part[:, verdict] = np.array(whole.counts)[:, verdict]
        strata.append(JointStratum(f"a: {verdict}", frame[verdict], int(part.sum()), nested(part), verdict, None))
    return tally(counts, weighted=True, strata=tuple(strata))


def test_items_drawn_by_a_verdict_stand_for_what_they_were_drawn_from() -> None:
    counts = np.array(REVISION)
    drawn = counts.sum(axis=(0, 2))
    found = compare(Joint.readable(by_first(REVISION, (9000, 1000))))
    frame = counts * np.array([9000, 1000])[None, :, None] * int(np.prod(drawn)) // drawn[None, :, None]
    whole = compare(frame.tolist())
    assert found.difference.value == pytest.approx(whole.difference.value)
    assert found.first.value == pytest.approx(whole.first.value)
    assert "post-stratified" in found.difference.method and not found.independent
    assert found.difference.low < found.difference.value < found.difference.high  # type: ignore[operator]


def test_no_pseudo_item_lies_where_a_stratum_has_no_items() -> None:
    joint = Joint.strict(by_first(STRICT, (900, 100)))
    for stratum, verdict in zip(joint.sample.strata, (0, 1), strict=False):
        can = stratum.fillable.reshape(2, 3, 3)
        assert can[:, verdict, :2].all() and can.sum() == 4


def grouped(table: Any, size: int) -> JointTally:
    """Every item `size` times, as a group of its own."""
    counts = np.array(table)
    clusters = Counter({((0, h, f, s, size),): int(counts[h, f, s]) for h, f, s in np.ndindex(counts.shape) if counts[h, f, s]})
    return tally(counts * size, clusters=clusters if size > 1 else {})


def test_items_that_repeat_each_other_tell_no_more_than_one_of_them() -> None:
    alone, twice = compare(REVISION), compare(Joint.readable(grouped(REVISION, 2)))
    assert twice.difference.value == alone.difference.value
    assert twice.error.value == pytest.approx((alone.error.value or 0) * math.sqrt(200 / 199))
    assert "cluster-robust" in twice.difference.method and not twice.independent
    width, twice_width = ((each.difference.high or 0) - (each.difference.low or 0) for each in (alone, twice))
    assert twice_width == pytest.approx(width, rel=0.05)


def test_groups_without_a_difference_are_as_many_items_as_groups() -> None:
    alone, four = compare(SAME), compare(Joint.readable(grouped(SAME, 4)))
    assert four.identical and "n = groups" in four.difference.method
    assert four.difference.high == pytest.approx(alone.difference.high, rel=0.05)


def test_where_all_items_share_a_group_there_is_a_difference_without_an_interval() -> None:
    content = tuple((0, *cell, int(np.array(REVISION)[cell])) for cell in np.ndindex(2, 2, 2))
    found = compare(Joint.readable(tally(REVISION, clusters={content: 1})))
    assert found.difference.value is not None and found.difference.low is None
    assert "share one group" in found.difference.reason
    assert found.bounds(0.05).low is None and "share one group" in found.bounds(0.05).reason


def test_mcnemar_is_said_to_test_accuracy_and_to_take_items_as_independent() -> None:
    (plain,) = comparison_document("binary", tally(REVISION))["tables"]
    (weighted,) = comparison_document("binary", by_first(REVISION, (900, 100)))["tables"]
    assert "right more often (accuracy)" in plain["mcnemar_says"] and MCNEMAR_TAKES not in plain["mcnemar_says"]
    assert weighted["mcnemar_says"].endswith(MCNEMAR_TAKES)


@pytest.mark.parametrize(
    "table", [[], [[[1]]], [[[1, 2], [3, 4]]], [[[1, 2], [3, 4]], [[1, 2], [3, -4]]], [[[1, 2, 3], [3, 4]], [[1, 2], [3, 4]]],
              [[[1, 2, 3, 4]] * 4] * 2],
)  # fmt: skip
def test_what_is_no_joint_table_is_refused(table: Any) -> None:
    with pytest.raises(ValueError, match="joint table"):
        compare(table)
