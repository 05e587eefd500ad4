"""Krippendorff's alpha: his own data, the reference cases' traps, and its limits."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reports.alpha import Level, krippendorff_alpha

LEVELS: tuple[Level, ...] = ("nominal", "ordinal")

Patterns = dict[tuple[int, ...], int]

KRIPPENDORFF_2011: Patterns = {
    # Four observers, twelve units, values 1 to 5: the canonical reliability data with missing values.
    (3, 0, 0, 0, 0): 1,
    (0, 3, 1, 0, 0): 1,
    (0, 0, 4, 0, 0): 2,
    (0, 4, 0, 0, 0): 2,
    (1, 1, 1, 1, 0): 1,
    (0, 0, 0, 4, 0): 1,
    (3, 1, 0, 0, 0): 1,
    (0, 0, 0, 0, 3): 1,
    (2, 0, 0, 0, 0): 1,
    (0, 0, 1, 0, 0): 1,
}

same_every_time = settings(derandomize=True, max_examples=100, deadline=None)


@st.composite
def vote_patterns(draw: st.DrawFn) -> Patterns:
    size = draw(st.integers(2, 4))
    pattern = st.tuples(*[st.integers(0, 3)] * size)
    return draw(st.dictionaries(pattern, st.integers(1, 20), min_size=1, max_size=12))


def by_definition(patterns: Patterns, level: Level) -> float:
    """1 - (n-1) Σ_u Σ_{i≠j} δ/(m_u - 1) / Σ_{i≠j} δ, pair by pair."""
    units = [(votes, items) for votes, items in patterns.items() if sum(votes) >= 2]
    size = len(next(iter(patterns)))
    used = [sum(votes[k] * items for votes, items in units) for k in range(size)]

    def difference(c: int, k: int) -> float:
        low, high = min(c, k), max(c, k)
        if level == "nominal":
            return float(c != k)
        return 0.0 if c == k else (sum(used[low : high + 1]) - (used[low] + used[high]) / 2) ** 2

    choices = [(c, k) for c in range(size) for k in range(size) if c != k]
    seen = sum(items * votes[c] * votes[k] * difference(c, k) / (sum(votes) - 1) for votes, items in units for c, k in choices)
    expected = sum(used[c] * used[k] * difference(c, k) for c, k in choices)
    return 1 - (sum(used) - 1) * seen / expected


def test_krippendorff_2011_prints_743_nominal_and_815_ordinal() -> None:
    assert krippendorff_alpha(KRIPPENDORFF_2011).value == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(KRIPPENDORFF_2011, "ordinal").value == pytest.approx(0.815, abs=5e-4)


def test_a_unit_with_one_value_is_not_counted() -> None:
    without = {votes: items for votes, items in KRIPPENDORFF_2011.items() if sum(votes) > 1}
    assert krippendorff_alpha(KRIPPENDORFF_2011) == krippendorff_alpha(without)
    assert krippendorff_alpha(KRIPPENDORFF_2011).n == 11


@same_every_time
@given(vote_patterns())
def test_alpha_is_its_definition_and_its_interval_is_finite_and_holds_it(
    patterns: Patterns,
) -> None:
    pairable = [votes for votes in patterns if sum(votes) >= 2]
    assume(len({k for votes in pairable for k, vote in enumerate(votes) if vote}) > 1)
    for level in LEVELS:
        estimate = krippendorff_alpha(patterns, level)
        assert estimate.value == pytest.approx(by_definition(patterns, level), abs=1e-9)
        assert estimate.low is not None and estimate.high is not None and estimate.value is not None
        assert -1.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0
        assert estimate.high - estimate.low > 1e-6


def test_two_raters_without_gaps_are_scotts_pi_with_a_small_sample_term() -> None:
    a, b, d = 40, 15, 45  # agreed on the first, differed, agreed on the second
    n = a + b + d
    share = (2 * a + b) / (2 * n)
    p_e = share**2 + (1 - share) ** 2
    pi = ((a + d) / n - p_e) / (1 - p_e)
    estimate = krippendorff_alpha({(2, 0): a, (1, 1): b, (0, 2): d})
    assert estimate.value == pytest.approx(1 - (1 - pi) * (1 - 1 / (2 * n)), abs=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_order_matters_to_the_ordinal_level_alone(level: Level) -> None:
    near: Patterns = {(2, 0, 0): 10, (0, 2, 0): 10, (0, 0, 2): 10, (1, 1, 0): 6}
    far: Patterns = {(2, 0, 0): 10, (0, 2, 0): 10, (0, 0, 2): 10, (1, 0, 1): 6}
    near_alpha, far_alpha = krippendorff_alpha(near, level).value, krippendorff_alpha(far, level).value
    assert near_alpha is not None and far_alpha is not None
    if level == "nominal":
        assert near_alpha == pytest.approx(far_alpha, abs=1e-12)
    else:
        assert near_alpha > far_alpha + 0.1


def test_nothing_to_pair_and_one_choice_alone_are_undefined_for_two_reasons() -> None:
    unpaired = krippendorff_alpha({(1, 0): 30, (0, 1): 4})
    constant = krippendorff_alpha({(3, 0): 30, (0, 1): 4})
    assert unpaired.value is None and unpaired.n == 0 and "two" in unpaired.reason
    assert constant.value is None and constant.n == 30 and "one choice" in constant.reason
    assert krippendorff_alpha({}).value is None


def test_perfect_agreement_is_one_and_keeps_a_width() -> None:
    estimate = krippendorff_alpha({(2, 0): 20, (0, 2): 20})
    assert estimate.value == 1.0 and estimate.high == 1.0
    assert estimate.low is not None and 0.6 < estimate.low < 0.95


def test_the_method_names_level_and_interval() -> None:
    even: Patterns = {(2, 0): 9, (1, 1): 3}
    gaps: Patterns = {(2, 0): 9, (1, 2): 3}
    many: Patterns = {(5, 0): 9, (2, 3): 3}
    assert krippendorff_alpha(even).method == "nominal, delta over patterns+3"
    assert krippendorff_alpha(gaps, "ordinal").method == "ordinal, jackknife over patterns+3"
    assert krippendorff_alpha(many).method == "nominal, jackknife over patterns+3"


def test_ten_times_the_items_narrow_the_interval_by_about_the_root_of_ten() -> None:
    patterns: Patterns = {(3, 0): 80, (2, 1): 30, (1, 2): 25, (0, 3): 65}
    once = krippendorff_alpha(patterns)
    tenfold = krippendorff_alpha({votes: 10 * items for votes, items in patterns.items()})
    assert once.low is not None and once.high is not None
    assert tenfold.low is not None and tenfold.high is not None
    ratio = (once.high - once.low) / (tenfold.high - tenfold.low)
    assert ratio == pytest.approx(math.sqrt(10), rel=0.05)


@pytest.mark.parametrize("level", LEVELS)
def test_delta_and_jackknife_agree_on_large_data(level: Level) -> None:
    # One item of another size turns the same data to the jackknife.
    even: Patterns = {
        (3, 0, 0): 900,
        (2, 1, 0): 300,
        (1, 2, 0): 250,
        (0, 2, 1): 400,
        (0, 0, 3): 250,
        (1, 1, 1): 90,
    }
    delta, jackknife = krippendorff_alpha(even, level), krippendorff_alpha({**even, (1, 1, 0): 1}, level)
    assert delta.method != jackknife.method
    assert None not in (delta.low, delta.high, jackknife.low, jackknife.high)
    ratio = (jackknife.high - jackknife.low) / (delta.high - delta.low)  # type: ignore[operator]
    assert ratio == pytest.approx(1, abs=0.01)


def test_a_billion_items_of_one_pattern_cost_and_err_nothing() -> None:
    estimate = krippendorff_alpha({(2, 0): 10**9, (0, 2): 10**9, (1, 1): 10**9})
    assert estimate.value == pytest.approx(1 / 3, abs=1e-6)
    assert estimate.low is not None and estimate.high is not None
    assert 0 < estimate.high - estimate.low < 1e-3


@pytest.mark.parametrize("patterns", [{(1, 1): 2, (1, 1, 1): 3}, {(2,): 3}, {(2, -1): 3}, {(2, 1): -3}])
def test_what_are_no_patterns_of_votes_is_refused(patterns: Patterns) -> None:
    with pytest.raises(ValueError, match="Patterns of votes"):
        krippendorff_alpha(patterns)


def test_numbers_that_nobody_gave_leave_alpha_undefined() -> None:
    for level in ("interval", "ratio"):
        found = krippendorff_alpha({}, level, [0.0, 4.0, 7.0])
        assert found.value is None and found.n == 0 and found.reason
