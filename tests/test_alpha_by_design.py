"""Krippendorff's alpha of weighted and grouped items, of sets and of scores; and the rank correlation of scores."""

import math
from collections import Counter
from itertools import permutations
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.tallies import Excluded, PairTally, Pattern, QuestionTally, VoteStratum
from reports.alpha import krippendorff_alpha
from reports.alpha_by_design import alpha_by_design, masi_distance
from reports.estimate import Estimate
from reports.scores import spearman

Patterns = dict[tuple[int, ...], int]
EVEN: Patterns = {(3, 0, 0): 90, (2, 1, 0): 30, (1, 2, 0): 25, (0, 2, 1): 40, (0, 0, 3): 25, (1, 1, 1): 9}

same_every_time = settings(derandomize=True, max_examples=60, deadline=None)


def tally(type_: str, patterns: Any, **design: Any) -> QuestionTally:
    size = len(next(iter(patterns), ())) if type_ in ("binary", "nominal", "ordinal") else 0
    votes, units = (patterns, {}) if size else ({}, patterns)
    return QuestionTally("q", type_, tuple("abcdefgh"[:size]), None, (), (), votes, units=units, **design)


def alpha(type_: str, patterns: Any, **design: Any) -> Estimate:
    return alpha_by_design(tally(type_, patterns, **design))


def in_groups(patterns: Any, size: int) -> dict[Any, int]:
    """Groups of `size` items of one pattern, and one smaller group of each pattern for the rest."""
    groups = {((0, pattern, size),): items // size for pattern, items in patterns.items() if items >= size}
    return groups | {((0, pattern, items % size),): 1 for pattern, items in patterns.items() if items % size}


def by_definition(units: dict[Pattern, int], distance: Any) -> float:
    """1 - (n-1) Σ_u Σ_{i≠j} δ/(m_u - 1) / Σ_{i≠j} δ, vote by vote."""
    items = [unit for unit, times in units.items() for _ in range(times) if len(unit) > 1]
    values = [value for unit in items for value in unit]
    seen = sum(sum(distance(a, b) for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in items)
    return 1 - (len(values) - 1) * seen / sum(distance(a, b) for a, b in permutations(values, 2))


def test_simple_choices_keep_their_closed_form() -> None:
    assert alpha("nominal", EVEN) == krippendorff_alpha(EVEN)
    assert alpha("ordinal", EVEN) == krippendorff_alpha(EVEN, "ordinal")


@pytest.mark.parametrize("type_", ["nominal", "ordinal"])
def test_groups_keep_the_value_and_widen_the_interval(type_: str) -> None:
    alone, grouped = alpha(type_, EVEN), alpha(type_, EVEN, vote_clusters=in_groups(EVEN, 5))
    assert grouped.value == pytest.approx(alone.value, abs=1e-12)
    assert None not in (alone.low, alone.high, grouped.low, grouped.high)
    assert (grouped.high - grouped.low) / (alone.high - alone.low) > 1.6  # type: ignore[operator]
    assert grouped.method == f"{type_}, jackknife over groups+3, t(groups-1)"


def test_groups_of_one_item_are_no_groups() -> None:
    assert alpha("nominal", EVEN, vote_clusters=in_groups(EVEN, 1)) == alpha("nominal", EVEN)


def test_two_strata_weigh_as_their_frames_do() -> None:
    # The same votes as one sample of the frame: 100 items of the first stratum stand for 900, of the second for 100.
    first: Patterns = {(2, 0): 80, (1, 1): 20}
    second: Patterns = {(0, 2): 60, (1, 1): 40}
    strata = (VoteStratum("x", 900, 100, first), VoteStratum("y", 100, 100, second))
    weighted = alpha("binary", {(2, 0): 80, (1, 1): 60, (0, 2): 60}, vote_strata=strata)
    frame = krippendorff_alpha({(2, 0): 720, (1, 1): 220, (0, 2): 60})
    assert weighted.value is not None and frame.value is not None
    assert weighted.value == pytest.approx(frame.value, abs=2e-3)  # but for the small-sample term of n
    assert weighted.n == 200 and "post-stratified" in weighted.method
    assert weighted.value < (krippendorff_alpha({(2, 0): 80, (1, 1): 60, (0, 2): 60}).value or 0) - 0.1


@same_every_time
@given(st.lists(st.tuples(*[st.integers(0, 15)] * 3), min_size=1, max_size=3), st.sampled_from(["nominal", "ordinal", "binary"]))
def test_equal_weights_give_the_unweighted_value(parts: list[tuple[int, int, int]], type_: str) -> None:
    assume(all(map(sum, parts)))
    strata, whole = [], Counter[tuple[int, ...]]()
    for place, (both, split, neither) in enumerate(parts):
        patterns: Patterns = {(2, 0): both, (1, 1): split, (0, 2): neither}
        whole.update(patterns)
        strata.append(VoteStratum(str(place), 9 * sum(patterns.values()), sum(patterns.values()), patterns))
    weighted, plain = alpha(type_, dict(whole), vote_strata=tuple(strata)), alpha(type_, dict(whole))
    assert weighted == plain


def test_a_stratum_that_nobody_finished_leaves_alpha_undefined_and_is_named() -> None:
    strata = (VoteStratum("x", 900, 219, EVEN), VoteStratum("late wave", 100, 0, {}))
    estimate = alpha("nominal", EVEN, vote_strata=strata)
    assert estimate.value is None and "late wave" in estimate.reason and estimate.n == 219


def test_one_group_has_a_value_and_no_interval() -> None:
    content = tuple((0, pattern, items) for pattern, items in EVEN.items())
    estimate = alpha("nominal", EVEN, vote_clusters={content: 1})
    assert estimate.value == pytest.approx(krippendorff_alpha(EVEN).value or 0, abs=1e-12)
    assert estimate.low is None and "one group" in estimate.reason


def test_masi_weighs_the_overlap_of_two_sets() -> None:
    assert masi_distance(0, 0) == masi_distance(5, 5) == 0
    assert masi_distance(0b01, 0b10) == 1 and masi_distance(0, 0b10) == 1
    assert masi_distance(0b01, 0b11) == pytest.approx(1 - 1 / 2 * 2 / 3)
    assert masi_distance(0b011, 0b110) == pytest.approx(1 - 1 / 3 * 1 / 3)


@same_every_time
@given(
    st.dictionaries(
        st.lists(st.integers(0, 7), min_size=1, max_size=4).map(lambda v: tuple(sorted(v))), st.integers(1, 6), min_size=1
    )
)
def test_alpha_of_sets_and_of_scores_is_its_definition(units: dict[Pattern, int]) -> None:
    assume(len({value for unit in units if len(unit) > 1 for value in unit}) > 1)
    for type_, distance in (
        ("multilabel", lambda a, b: masi_distance(int(a), int(b))),
        ("score", lambda a, b: (a - b) ** 2),
    ):
        estimate = alpha(type_, units)
        assert estimate.value == pytest.approx(by_definition(units, distance), abs=1e-9)
        assert estimate.low is not None and estimate.high is not None and estimate.value is not None
        assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1
        assert estimate.high - estimate.low > 1e-6


def test_alpha_of_scores_does_not_depend_on_their_unit_or_origin() -> None:
    units = {(1.0, 2.0): 9, (5.0, 5.0): 12, (9.0, 7.0): 8, (3.0, 3.0, 4.0): 5}
    moved = {tuple(1e6 + 1e-4 * value for value in unit): times for unit, times in units.items()}
    once, again = alpha("score", units), alpha("score", moved)
    assert once.value == pytest.approx(again.value, abs=1e-6)
    assert once.low == pytest.approx(again.low, abs=1e-6)


def test_levels_that_find_one_answer_or_no_pair_say_so() -> None:
    assert "one answer" in alpha("score", {(4.0, 4.0): 30}).reason
    assert "two" in alpha("multilabel", {(3,): 30}).reason
    assert "one choice" in alpha("nominal", {(2, 0): 30}, vote_clusters={((0, (2, 0), 15),): 2}).reason
    assert alpha("multilabel", {(1, 2): 5}).method.startswith("MASI,")
    assert alpha("score", {(1.0, 2.0): 5}).method.startswith("interval,")
    with pytest.raises(ValueError, match="essay"):
        alpha("essay", {(1.0, 2.0): 5})


def scored(scores: list[tuple[float, float]], **design: Any) -> Estimate:
    counts = Counter((0, human, judge) for human, judge in scores)
    given = {"groups": len(scores)} | design
    return spearman(PairTally("human:consensus", "judge:j", (), (), Excluded(), "simple", scores=counts, **given))


def test_a_rank_correlation_follows_the_order_and_nothing_else() -> None:
    rising = [(float(k), math.exp(k)) for k in range(20)]
    assert scored(rising).value == pytest.approx(1.0) and scored([(a, -b) for a, b in rising]).value == pytest.approx(-1.0)
    assert (scored(rising).low or 0) < 1.0  # perfect order keeps a width
    mixed = [(0.0, 1.0), (1.0, 0.0), (2.0, 2.0), (3.0, 4.0), (4.0, 3.0), (5.0, 5.0)]
    estimate = scored(mixed)
    assert estimate.value == pytest.approx(1 - 6 * 4 / (6 * 35))  # no ties: 1 - 6 Σd²/(n(n²-1))
    assert estimate.low is not None and estimate.high is not None and estimate.low < estimate.value < estimate.high


def test_a_rank_correlation_without_an_interval_says_why() -> None:
    rising = [(float(k), float(k % 5)) for k in range(20)]
    assert "groups" in scored(rising, groups=4).reason and scored(rising, groups=4).value is not None
    assert "four items" in scored(rising[:3]).reason
    assert "same score" in scored([(1.0, 5.0), (2.0, 5.0)]).reason and scored([(1.0, 5.0), (2.0, 5.0)]).value is None
    assert scored([]).value is None
