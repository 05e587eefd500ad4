"""Times, sessions and fatigue, from columns alone."""

from collections.abc import Sequence
from statistics import median

import numpy as np
import pytest
from scipy.stats import binom

from data.human_tallies import Accord, Sittings
from reports.human_side import agreement_by_position, fatigue, pace, quantile, sessions

# Times ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "ends"), [(6, (0, 5)), (9, (1, 7)), (20, (5, 14)), (100, (39, 60))])
def test_the_interval_of_a_median_lies_between_two_of_the_times(n: int, ends: tuple[int, int]) -> None:
    # The tables of the sign test, such as Conover 1999: for 20 the 6th and the 15th, for 100 the 40th and the 61st.
    values = np.arange(n, dtype=np.float64)[::-1] ** 2
    found = quantile(values, 0.5)
    assert found.value == median(values)
    assert (found.low, found.high) == tuple(float(end**2) for end in ends)
    assert binom.cdf(ends[0], n, 0.5) <= 0.025 < binom.cdf(ends[0] + 1, n, 0.5)


def test_five_times_are_too_few_for_an_interval_and_none_for_a_median() -> None:
    few = quantile(np.array([4.0, 1, 3, 2, 5]), 0.5)
    assert (few.value, few.low, few.high) == (3, None, None) and "six" in few.reason
    assert quantile(np.array([]), 0.5).value is None


def test_a_quarter_lies_between_its_own_values_and_a_million_times_are_no_trouble() -> None:
    values = np.random.default_rng(3).permutation(1_000_000).astype(np.float64)
    lower, upper = quantile(values, 0.25), quantile(values, 0.75)
    assert lower.low is not None and lower.high is not None and lower.low < 250_000 < lower.high < 251_500
    assert upper.low is not None and upper.high is not None and 748_500 < upper.low < 750_000 < upper.high


def test_the_interval_of_a_median_covers_what_it_says() -> None:
    dice, hit = np.random.default_rng(8), 0
    for _ in range(2000):
        found = quantile(dice.lognormal(0, 1, 15), 0.5)
        hit += found.low is not None and found.high is not None and found.low <= 1 <= found.high
    assert hit / 2000 > 0.95


# Sessions -------------------------------------------------------------------------------------------------------------


def sittings(rows: Sequence[tuple[int, int, float]]) -> Sittings:
    """(person, moment in seconds, active seconds) of one item after the other."""
    person, at, seconds = (np.array(column) for column in zip(*rows, strict=True))
    return Sittings(person, at, seconds.astype(np.float64), np.arange(len(rows)) + 1)


def test_a_session_ends_with_half_an_hour_away_and_not_with_a_long_item() -> None:
    minute = 60
    found = sessions(
        sittings(
            [
                (0, 0, 10),
                (0, 29 * minute, 10),
                (0, 29 * minute + 3600, 45 * 60),  # an hour later, of which three quarters were work
                (0, 29 * minute + 3600 + 1812, 10),  # away for 1802 seconds
                (1, 29 * minute + 3600 + 1830, 10),  # somebody else
                (1, -1, 10),  # nobody knows when
            ]
        )
    )
    assert found.session.tolist() == [0, 0, 0, 1, 2, -1]
    assert found.position.tolist() == [1, 2, 3, 1, 1, 0]
    assert found.length.tolist() == [3, 3, 3, 1, 1, 0]
    assert found.number == 3


def test_an_item_without_a_time_counts_as_done_at_once() -> None:
    found = sessions(sittings([(0, 0, np.nan), (0, 1799, np.nan), (0, 3700, np.nan)]))
    assert found.session.tolist() == [0, 0, 1]


def labelled(seed: int, people: int, items: int, length: int, falls: float, overlap: int = 1) -> tuple[Accord, Sittings]:
    """`people` who label `items` each in sessions of `length`; agreement falls from .9 to .9 - `falls` over a session."""
    dice = np.random.default_rng(seed)
    rows = [(one, place * 60 + 10**6 * (place // length), 50.0) for one in range(people) for place in range(items)]
    position = np.tile(np.arange(items) % length, people)
    agrees = dice.random(len(rows)) < 0.9 - falls * position / (length - 1)
    group = np.concatenate([dice.permutation(items) for _ in range(people)]) + items * np.repeat(
        np.arange(people) // overlap, items
    )
    return Accord(np.arange(len(rows)), agrees, group), sittings(rows)


def test_the_difference_between_first_and_last_third_is_that_of_the_labels_in_them() -> None:
    accord, sat = labelled(1, 3, 60, 30, 0.5)
    found = fatigue(accord, sat, sessions(sat))
    place = np.tile(np.arange(60) % 30, 3)
    first, last = accord.agrees[place < 10], accord.agrees[place >= 20]
    assert found.sessions == 6 and (found.first.n, found.last.n) == (60, 60)
    assert found.difference.value == pytest.approx(last.mean() - first.mean())
    assert found.difference.high is not None and found.difference.high < 0


def test_labels_of_one_item_are_not_counted_as_two_pieces_of_evidence() -> None:
    rows = [(0, place * 60, 1.0) for place in range(30)]
    agrees = np.array([True] * 9 + [False] + [True] * 10 + [False] * 6 + [True] * 4)
    alone = Accord(np.arange(30), agrees, np.arange(30))
    paired = Accord(np.arange(30), agrees, np.arange(30) // 2)
    widths = []
    for accord in (alone, paired):
        difference = fatigue(accord, sittings(rows), sessions(sittings(rows))).difference
        assert difference.low is not None and difference.high is not None
        widths.append(difference.high - difference.low)
    assert widths[1] > 1.2 * widths[0]


def test_full_agreement_throughout_leaves_a_width() -> None:
    accord, sat = labelled(2, 2, 40, 20, 0.0)
    accord = Accord(accord.row, np.ones_like(accord.agrees), accord.group)
    difference = fatigue(accord, sat, sessions(sat)).difference
    assert difference.value == 0
    assert difference.low is not None and difference.high is not None and difference.low < -0.05 and difference.high > 0.05


def test_a_short_session_has_no_thirds() -> None:
    accord, sat = labelled(3, 2, 40, 8, 0.5)
    found = fatigue(accord, sat, sessions(sat))
    assert found.difference.value is None and found.sessions == 0
    assert "stretch" in found.difference.reason


def test_positions_are_cut_where_they_are_said_to_be() -> None:
    accord, sat = labelled(4, 1, 100, 100, 0.3)
    over = sessions(sat)
    assert [(each.first, each.last, each.figure.n) for each in agreement_by_position(accord, over)] == [
        (1, 10, 10), (11, 20, 10), (21, 40, 20), (41, 80, 40), (81, None, 20),
    ]  # fmt: skip
    assert [each.figure.value for each in pace(sat, over)] == [50.0] * 5
    short = sessions(sittings([(0, 0, 5.0)]))
    assert [(each.first, each.last) for each in pace(sittings([(0, 0, 5.0)]), short)] == [(1, 10)]
