"""Answers that are sets: alpha with MASI and Jaccard, each choice by itself, two raters; and no table of all pairs of sets."""

import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask  # type: ignore[import-untyped]

from data.tallies import Pattern, QuestionTally, VoteStratum
from reports.alpha_by_design import alpha_by_design, alpha_of_values
from reports.alpha_of_distances import distance_replicates, jaccard_distance, masi_distance
from reports.sets import alpha_by_label, alpha_macro, alpha_of_sets, exact_match, mean_jaccard
from reports.vote_sample import VoteSample, estimated, two_values

Units = dict[Pattern, int]

EIGHT: Units = {(1, 1, 3): 1, (6, 2, 6): 1, (0, 0, 1): 1, (7, 3): 1, (4, 2, 4): 1, (5, 5, 5): 1, (2, 3, 2): 1, (0, 0, 0): 1}

same_every_time = settings(derandomize=True, max_examples=60, deadline=None)
sets_of_three = st.lists(st.integers(0, 7), min_size=1, max_size=4).map(tuple)
many_units = st.dictionaries(sets_of_three, st.integers(1, 5), min_size=1, max_size=10)


def masi(a: frozenset[int], b: frozenset[int]) -> float:
    if a == b:
        return 0.0
    shared = len(a & b)
    return 1 - shared / len(a | b) * (2 / 3 if shared == min(len(a), len(b)) else 1 / 3)


def jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    return 1 - len(a & b) / len(a | b) if a | b else 0.0


def members(bits: float) -> frozenset[int]:
    return frozenset(place for place in range(12) if int(bits) >> place & 1)


def test_eight_items_of_three_choices_by_definition() -> None:
    assert alpha_of_sets(EIGHT, 3, "masi").value == pytest.approx(0.5041231445849368, abs=1e-12)
    assert alpha_of_sets(EIGHT, 3, "jaccard").value == pytest.approx(0.5482142857142858, abs=1e-12)
    assert [each.value for each in alpha_by_label(EIGHT, 3)] == pytest.approx([0.6615384615384615, 0.6615384615384615, 0.45])
    macro = alpha_macro(EIGHT, 3)
    assert macro.value == pytest.approx(0.591025641025641, abs=1e-12) and "3 of 3 choices" in macro.method


@same_every_time
@given(many_units)
def test_alpha_of_sets_is_that_of_nltk_given_exact_distances(units: Units) -> None:
    paired = {sets: items for sets, items in units.items() if len(sets) > 1}
    assume(len({each for sets in paired for each in sets}) > 1)
    rows = [sets for sets, items in paired.items() for _ in range(items)]
    triples = [(f"rater {k}", str(item), members(each)) for item, sets in enumerate(rows) for k, each in enumerate(sets)]
    distances: dict[str, Callable[[Any, Any], float]] = {"masi": masi, "jaccard": jaccard}
    for name, distance in distances.items():
        wanted = AnnotationTask(triples, distance=distance).alpha()
        estimate = alpha_of_sets(units, 3, name)  # type: ignore[arg-type]
        assert estimate.value == pytest.approx(wanted, abs=1e-9) and estimate.n == len(rows)
        assert estimate.low is not None and estimate.high is not None and estimate.value is not None
        assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1 and estimate.high - estimate.low > 1e-6


def test_distances_of_arrays_are_those_of_sets() -> None:
    bits = np.arange(32)
    for of_bits, of_sets in ((masi_distance, masi), (jaccard_distance, jaccard)):
        wanted = [[of_sets(members(a), members(b)) for b in range(32)] for a in range(32)]
        assert of_bits(bits[:, None], bits[None, :]) == pytest.approx(np.array(wanted), abs=1e-15)


@st.composite
def designs(draw: st.DrawFn) -> QuestionTally:
    """Scores from 0 to 4 of two to four raters, in one to three strata, some items in groups."""
    number = draw(st.integers(6, 30))
    unit = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=4).map(lambda votes: tuple(sorted(votes)))
    units = draw(st.lists(unit, min_size=number, max_size=number))
    strata = draw(st.integers(1, 3))
    stratum = [k % strata for k in range(number)]
    group = draw(st.lists(st.integers(0, number // 2), min_size=number, max_size=number))
    counts = [Counter(unit for unit, where in zip(units, stratum, strict=True) if where == k) for k in range(strata)]
    frames = draw(st.lists(st.integers(1, 9), min_size=strata, max_size=strata))
    held: dict[int, Counter[tuple[int, Pattern]]] = {}
    for unit_, where, which in zip(units, stratum, group, strict=True):
        held.setdefault(which, Counter())[where, unit_] += 1
    contents = Counter(tuple(sorted((where, unit_, items) for (where, unit_), items in each.items())) for each in held.values())
    return QuestionTally(
        "q", "score", (), None, (), (), {}, units=Counter(units),
        vote_strata=tuple(VoteStratum(str(k), frame * sum(counts[k].values()), sum(counts[k].values()), counts[k])
                          for k, frame in enumerate(frames)),
        vote_clusters=contents if draw(st.booleans()) else {},
    )  # fmt: skip


@same_every_time
@given(designs())
def test_the_way_without_a_table_is_the_way_of_sums_under_every_design(tally: QuestionTally) -> None:
    # At the interval level alpha follows from sums; the same distances, one by one, must lead to the same interval.
    sample = VoteSample.of_tally(tally, two_values)
    values = sorted({value for pattern in sample.patterns for value in pattern})
    assume(len(values) > 1)
    of_sums, span = alpha_of_values(sample, "interval"), values[-1] - values[0]
    found = distance_replicates(sample, values, values, lambda a, b: ((a - b) / span) ** 2, float)
    one_by_one = estimated(sample, found, of_sums.n, of_sums.method)
    assert one_by_one.reason == of_sums.reason
    for part in ("value", "low", "high"):
        assert getattr(one_by_one, part) == pytest.approx(getattr(of_sums, part), abs=1e-7)


def test_twenty_thousand_items_of_twelve_choices_stay_under_a_hundred_megabytes() -> None:
    random = np.random.default_rng(2)
    named = random.integers(0, 1 << 12, size=20_000)
    rows = [tuple(int(each) ^ (1 << int(bit)) for bit in random.integers(0, 12, size=3)) for each in named]
    tally = QuestionTally("q", "multilabel", tuple("abcdefghijkl"), None, (), (), {}, units=Counter(rows))
    tracemalloc.start()
    estimate = alpha_by_design(tally)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert estimate.value is not None and estimate.n == 20_000
    assert peak < 100e6


@same_every_time
@given(many_units)
def test_the_macro_mean_leaves_undefined_choices_out_and_says_how_many_stay(units: Units) -> None:
    alphas = [each.value for each in alpha_by_label(units, 4)]
    defined = [each for each in alphas if each is not None]
    macro = alpha_macro(units, 4)
    if defined:
        assert macro.value == pytest.approx(sum(defined) / len(defined), abs=1e-9)
        assert f"{len(defined)} of 4 choices" in macro.method
        assert macro.low is not None and macro.high is not None and macro.low <= (macro.value or 0) <= macro.high
    else:
        assert macro.value is None and macro.reason


def test_two_raters_match_exactly_or_share_a_part() -> None:
    pairs = {(0, 0): 4, (1, 1): 3, (1, 3): 2, (1, 2): 1}
    match, shared = exact_match(pairs), mean_jaccard(pairs)
    assert (match.value, match.n, match.method) == (0.7, 10, "wilson")
    assert shared.value == pytest.approx((4 + 3 + 2 * 0.5) / 10) and shared.n == 10
    assert shared.low is not None and shared.high is not None and shared.low < 0.8 < shared.high
    assert exact_match({}).value is None and mean_jaccard({}).reason


def test_what_are_no_sets_of_the_choices_is_refused() -> None:
    for wrong in ({(8, 1): 2}, {(-1, 1): 2}, {(0.5, 1): 2}):
        with pytest.raises(ValueError, match="bit i for choice i"):
            alpha_of_sets(wrong, 3, "masi")
    with pytest.raises(ValueError, match="dice"):
        alpha_of_sets(EIGHT, 3, "dice")  # type: ignore[arg-type]
