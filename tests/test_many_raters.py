"""Many raters: Fleiss, Gwet and alpha against their definitions, each other, and libraries."""

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa  # type: ignore[import-untyped]

from data.tallies import QuestionTally, VoteStratum
from reports.alpha import Level, krippendorff_alpha
from reports.alpha_by_design import alpha_by_design
from reports.chance import ac1, ac2, scott_pi
from reports.estimate import Estimate
from reports.many_raters import fleiss, gwet
from reports.vote_figures import vote_figures
from reports.vote_sample import VoteSample, at_least
from tests.test_alpha import KRIPPENDORFF_2011

Ratings = list[list[int | None]]
Patterns = dict[tuple[int, ...], int]

FOURTEEN_RATERS: Patterns = {
    # The textbook example of ten subjects: kappa .210.
    (0, 0, 0, 0, 14): 1,
    (0, 2, 6, 4, 2): 1,
    (0, 0, 3, 5, 6): 1,
    (0, 3, 9, 2, 0): 1,
    (2, 2, 8, 1, 1): 1,
    (7, 7, 0, 0, 0): 1,
    (3, 2, 6, 3, 0): 1,
    (2, 5, 3, 2, 2): 1,
    (6, 5, 2, 1, 0): 1,
    (0, 2, 2, 3, 7): 1,
}

same_every_time = settings(derandomize=True, max_examples=60, deadline=None)


@st.composite
def ratings(draw: st.DrawFn, gaps: bool = True, most: int = 4) -> tuple[int, Ratings]:
    """The number of choices, and items x raters."""
    size, raters = draw(st.integers(2, 4)), draw(st.integers(2, most))
    answer = st.integers(0, size - 1)
    each = st.one_of(st.none(), answer) if gaps else answer
    return size, draw(st.lists(st.lists(each, min_size=raters, max_size=raters), min_size=1, max_size=15))


def patterns_of(size: int, items: Sequence[Sequence[int | None]]) -> Patterns:
    return dict(Counter(tuple(row.count(choice) for choice in range(size)) for row in items))


def figures(patterns: Patterns) -> dict[str, Estimate]:
    levels: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")
    return {
        "fleiss": fleiss(patterns),
        "ac1": gwet(patterns),
        "ac2_linear": gwet(patterns, "linear"),
        "ac2_quadratic": gwet(patterns, "quadratic"),
        **{level: krippendorff_alpha(patterns, level) for level in levels},
    }


NOMINAL = ("fleiss", "ac1", "nominal")


def same(one: Estimate, other: Estimate) -> bool:
    parts = [(one.value, other.value), (one.low, other.low), (one.high, other.high)]
    return one.n == other.n and all((a is None) == (b is None) and (a is None or b is None or abs(a - b) < 1e-9) for a, b in parts)


# Published values


def test_the_textbook_table_of_fleiss_prints_point_210() -> None:
    estimate = fleiss(FOURTEEN_RATERS)
    assert estimate.value == pytest.approx(0.20993070442195524, abs=1e-12) and estimate.n == 10
    assert gwet(FOURTEEN_RATERS).value == pytest.approx(0.22561415081662817, abs=1e-12)


def test_gwet_with_gaps_is_what_irrcac_documents() -> None:
    # The twelfth unit has one rating: it counts in the shares of the choices, and not in the agreement.
    estimate = gwet(KRIPPENDORFF_2011)
    assert estimate.value == pytest.approx(0.775444068126995, abs=1e-12) and estimate.n == 11
    assert gwet(KRIPPENDORFF_2011, "linear").value == pytest.approx(0.8587391364326116, abs=1e-12)
    assert gwet(KRIPPENDORFF_2011, "quadratic").value == pytest.approx(0.9140007235516046, abs=1e-12)
    without = {votes: items for votes, items in KRIPPENDORFF_2011.items() if sum(votes) > 1}
    assert gwet(without).value != estimate.value


def test_krippendorff_2011_prints_849_interval_and_797_ratio() -> None:
    values = [1, 2, 3, 4, 5]
    assert krippendorff_alpha(KRIPPENDORFF_2011, "interval", values).value == pytest.approx(0.849, abs=5e-4)
    assert krippendorff_alpha(KRIPPENDORFF_2011, "ratio", values).value == pytest.approx(0.797, abs=5e-4)


# Definitions


@same_every_time
@given(ratings())
def test_gwet_is_its_definition(case: tuple[int, Ratings]) -> None:
    size, items = case
    rows = [[vote for vote in row if vote is not None] for row in items]
    several = [row for row in rows if len(row) > 1]
    assume(several)
    for weights, credit in (
        ("unweighted", lambda i, j: Fraction(i == j)),
        ("linear", lambda i, j: 1 - Fraction(abs(i - j), size - 1)),
        ("quadratic", lambda i, j: 1 - Fraction(abs(i - j), size - 1) ** 2),
    ):
        seen = sum(
            sum((credit(a, b) for a, b in permutations(row, 2)), Fraction()) / (len(row) * (len(row) - 1)) for row in several
        ) / len(several)
        rated = [row for row in rows if row]
        shares = [sum(Fraction(row.count(k), len(row)) for row in rated) / len(rated) for k in range(size)]
        whole = sum((credit(i, j) for i in range(size) for j in range(size)), Fraction())
        by_chance = whole / (size * (size - 1)) * sum(share * (1 - share) for share in shares)
        assert gwet(patterns_of(size, items), weights).value == float((seen - by_chance) / (1 - by_chance))  # type: ignore[arg-type]


@same_every_time
@given(ratings())
def test_alpha_at_the_interval_and_the_ratio_level_is_its_definition(case: tuple[int, Ratings]) -> None:
    size, items = case
    values = [0.0, 0.5, 3.0, 10.0][:size]
    rows = [[values[vote] for vote in row if vote is not None] for row in items]
    rows = [row for row in rows if len(row) > 1]
    everything = [value for row in rows for value in row]
    assume(len(set(everything)) > 1)
    distances: dict[Level, Callable[[float, float], float]] = {
        "interval": lambda a, b: (a - b) ** 2,
        "ratio": lambda a, b: 0.0 if a == b else ((a - b) / (a + b)) ** 2,
    }
    for level, distance in distances.items():
        seen = sum(sum(distance(a, b) for a, b in permutations(row, 2)) / (len(row) - 1) for row in rows)
        expected = sum(distance(a, b) for a, b in permutations(everything, 2))
        wanted = 1 - (len(everything) - 1) * seen / expected
        assert krippendorff_alpha(patterns_of(size, items), level, values).value == pytest.approx(wanted, abs=1e-9)


# Against libraries


@same_every_time
@given(ratings(gaps=False))
def test_fleiss_is_that_of_statsmodels(case: tuple[int, Ratings]) -> None:
    size, items = case
    assume(len({vote for row in items for vote in row}) > 1)
    table = np.array([[row.count(choice) for choice in range(size)] for row in items])
    assert fleiss(patterns_of(size, items)).value == pytest.approx(float(fleiss_kappa(table)), abs=1e-9)


# Against each other


@same_every_time
@given(ratings(gaps=False, most=2))
def test_two_raters_without_gaps_are_the_figures_of_a_table(case: tuple[int, Ratings]) -> None:
    size, items = case
    patterns, n = patterns_of(size, items), len(items)
    table = [[sum(row == [i, j] for row in items) for j in range(size)] for i in range(size)]
    assert gwet(patterns).value == pytest.approx(ac1(table).value)
    assert gwet(patterns, "quadratic").value == pytest.approx(ac2(table, "quadratic").value)
    pi = scott_pi(table).value
    if pi is None:
        assert fleiss(patterns).value is None
    else:
        assert fleiss(patterns).value == pytest.approx(pi)
        assert krippendorff_alpha(patterns).value == pytest.approx(1 - (1 - pi) * (1 - 1 / (2 * n)), abs=1e-9)


@same_every_time
@given(ratings(), st.randoms(use_true_random=False))
def test_the_order_of_items_of_raters_and_of_choices_says_nothing(case: tuple[int, Ratings], random_: random.Random) -> None:
    size, items = case
    once = figures(patterns_of(size, items))
    mixed = [random_.sample(row, len(row)) for row in random_.sample(items, len(items))]
    assert all(same(once[name], other) for name, other in figures(patterns_of(size, mixed)).items())
    names = random_.sample(range(size), size)
    renamed = [[None if vote is None else names[vote] for vote in row] for row in items]
    other = figures(patterns_of(size, renamed))
    assert all(same(once[name], other[name]) for name in NOMINAL)
    reversed_ = [[None if vote is None else size - 1 - vote for vote in row] for row in items]
    other = figures(patterns_of(size, reversed_))
    assert all(same(once[name], other[name]) for name in once if name != "ratio")


@same_every_time
@given(ratings())
def test_ten_times_the_items_keep_fleiss_and_gwet_and_take_alphas_small_sample_term_away(case: tuple[int, Ratings]) -> None:
    size, items = case
    patterns = patterns_of(size, items)
    once, tenfold = figures(patterns), figures({votes: 10 * times for votes, times in patterns.items()})
    paired = sum(sum(votes) * times for votes, times in patterns.items() if sum(votes) > 1)
    for name in once:
        one, ten = once[name].value, tenfold[name].value
        assert (one is None) == (ten is None)
        if one is not None and ten is not None:
            shrunk = 1 if name[:2] in ("fl", "ac") else (10 * paired - 1) / (10 * (paired - 1))
            assert 1 - ten == pytest.approx((1 - one) * shrunk, abs=1e-9)


@same_every_time
@given(ratings())
def test_an_interval_holds_its_value_stays_in_range_and_has_a_width(case: tuple[int, Ratings]) -> None:
    for estimate in figures(patterns_of(*case)).values():
        if estimate.value is None:
            assert estimate.reason
        else:
            assert estimate.low is not None and estimate.high is not None
            assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1
            assert estimate.high - estimate.low > 1e-6


def test_ten_times_the_items_narrow_every_interval_by_about_the_root_of_ten() -> None:
    patterns: Patterns = {(3, 0, 0): 90, (2, 1, 0): 30, (1, 2, 0): 25, (0, 2, 1): 40, (0, 0, 3): 25, (1, 1, 1): 9}
    for once, tenfold in zip(
        figures(patterns).values(), figures({votes: 10 * items for votes, items in patterns.items()}).values(), strict=True
    ):
        assert None not in (once.low, once.high, tenfold.low, tenfold.high)
        ratio = (once.high - once.low) / (tenfold.high - tenfold.low)  # type: ignore[operator]
        assert ratio == pytest.approx(math.sqrt(10), rel=0.07)


# Limits


def test_perfect_agreement_is_one_and_keeps_a_width_whatever_the_number_of_raters() -> None:
    for raters in (2, 3, 12):
        for estimate in figures({(raters, 0): 20, (0, raters): 20}).values():
            assert estimate.value == estimate.high == 1.0
            assert estimate.low is not None and 0.6 < estimate.low < 0.95


def test_twelve_raters_who_saw_one_rare_item_are_not_sure_of_it() -> None:
    # Of 30 items with 3 % positives most samples hold one or none; an interval of the twelve votes alone would be narrow.
    estimate = krippendorff_alpha({(12, 0): 24, (11, 1): 5, (3, 9): 1})
    assert estimate.low is not None and estimate.high is not None and estimate.high - estimate.low > 0.5


def test_fleiss_names_unequal_numbers_of_ratings_and_one_choice_and_nothing_to_pair() -> None:
    unequal = fleiss({(2, 0): 5, (1, 2): 4})
    assert unequal.value is None and "2, 3" in unequal.reason and unequal.n == 9
    assert "one choice" in fleiss({(3, 0): 30}).reason
    assert "two" in fleiss({(1, 0): 30}).reason and fleiss({}).n == 0
    assert fleiss({(0, 0): 7, (2, 0): 5, (0, 2): 5}) == fleiss({(2, 0): 5, (0, 2): 5})


def test_gwet_is_defined_for_one_choice_and_undefined_without_a_pair() -> None:
    assert gwet({(3, 0): 30}).value == 1.0
    assert gwet({(1, 0): 30}).value is None and gwet({}).value is None
    unused = gwet({(2, 0, 0): 9, (1, 1, 0): 3})
    assert unused.value is not None and unused.value > (gwet({(2, 0): 9, (1, 1): 3}).value or 0)


def test_what_are_no_patterns_no_weights_and_no_values_is_refused() -> None:
    for function in (fleiss, gwet):
        with pytest.raises(ValueError, match="Patterns of votes"):
            function({(2, -1): 3})  # type: ignore[operator]
    with pytest.raises(ValueError, match="cubic"):
        gwet({(2, 0): 3}, "cubic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cubic"):
        krippendorff_alpha({}, "cubic")  # type: ignore[arg-type]
    for values in ([1, 1], [1], [0, math.nan]):
        with pytest.raises(ValueError, match="one number per choice"):
            krippendorff_alpha({(2, 0): 3}, "interval", values)
    with pytest.raises(ValueError, match="from 0 up"):
        krippendorff_alpha({(2, 0): 3}, "ratio", [-1, 1])


# Designs


def question(type_: str, patterns: Any, **design: Any) -> QuestionTally:
    choices = () if type_ == "score" else ("a", "b", "c")
    votes, units = ({}, patterns) if type_ in ("multilabel", "score") else (patterns, {})
    return QuestionTally("q", type_, choices, None, (), (), votes, units=units, **design)


def test_fleiss_and_gwet_follow_the_weights_of_strata() -> None:
    first: Patterns = {(2, 0, 0): 80, (1, 1, 0): 20}
    second: Patterns = {(0, 2, 0): 60, (1, 1, 0): 40}
    strata = (VoteStratum("x", 900, 100, first), VoteStratum("y", 100, 100, second))
    whole = dict(Counter(first) + Counter(second))
    sample = VoteSample.of_tally(question("nominal", whole, vote_strata=strata), at_least(1))
    frame: Patterns = {(2, 0, 0): 720, (1, 1, 0): 220, (0, 2, 0): 60}
    for figure in (fleiss, gwet):
        weighted, plain = figure(sample), figure(whole)
        assert weighted.value == pytest.approx(figure(frame).value, abs=1e-9) and weighted.n == 200
        assert "post-stratified" in weighted.method and plain.value is not None
        assert abs(plain.value - (weighted.value or 0)) > 0.01


def test_groups_widen_fleiss_and_gwet_and_keep_their_values() -> None:
    patterns: Patterns = {(3, 0, 0): 90, (2, 1, 0): 30, (0, 2, 1): 40, (0, 0, 3): 25}
    clusters = {((0, pattern, 5),): items // 5 for pattern, items in patterns.items()}
    sample = VoteSample.of_tally(question("nominal", patterns, vote_clusters=clusters), at_least(1))
    for figure in (fleiss, gwet):
        alone, grouped = figure(patterns), figure(sample)
        assert grouped.value == alone.value and "groups" in grouped.method
        assert None not in (alone.low, alone.high, grouped.low, grouped.high)
        assert (grouped.high - grouped.low) > 1.6 * (alone.high - alone.low)  # type: ignore[operator]


def test_a_stratum_that_nobody_finished_leaves_all_figures_undefined_and_is_named() -> None:
    strata = (VoteStratum("x", 900, 12, {(2, 0, 0): 8, (0, 2, 0): 4}), VoteStratum("late wave", 100, 0, {}))
    tally = question("ordinal", {(2, 0, 0): 8, (0, 2, 0): 4}, vote_strata=strata)
    for figure in vote_figures(tally).values():
        assert figure["value"] is None and "late wave" in figure["reason"]


def test_every_figure_of_a_question_is_told_by_its_type() -> None:
    patterns: Patterns = {(2, 0, 0): 9, (1, 1, 0): 5, (0, 2, 0): 8, (0, 0, 3): 4}
    assert list(vote_figures(question("nominal", patterns))) == ["fleiss", "ac1"]
    ordinal = vote_figures(question("ordinal", patterns))
    assert sorted(ordinal) == ["ac1", "ac2_linear", "ac2_quadratic", "alpha_interval", "alpha_nominal", "alpha_ratio", "fleiss"]
    assert ordinal["alpha_interval"]["value"] == krippendorff_alpha(patterns, "interval").value
    sets = vote_figures(question("multilabel", {(1, 1): 9, (1, 3): 4, (0, 4, 4): 3, (7,): 2}))
    assert list(sets) == ["alpha_jaccard", "alpha_macro", "by_label"] and list(sets["by_label"]) == ["a", "b", "c"]
    assert list(vote_figures(question("score", {(1.0, 2.0): 5, (3.0, 3.0): 4}))) == ["alpha_ratio"]


def test_a_level_that_the_votes_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="MASI"):
        alpha_by_design(question("nominal", {(2, 0, 0): 9}), "MASI")
    with pytest.raises(ValueError, match="nominal"):
        alpha_by_design(question("score", {(1.0, 2.0): 9}), "nominal")
    below = alpha_by_design(question("score", {(-1.0, 2.0): 9}), "ratio")
    assert below.value is None and "from 0 up" in below.reason
