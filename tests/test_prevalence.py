"""How often it truly happens: what each figure does where the data say nothing."""

import math

import numpy as np
import pytest

from reports.prevalence import (
    RateStratum,
    ScoreStratum,
    humans_only,
    judge_raw,
    lee,
    post_stratified,
    post_stratified_error,
    ppi_mean,
    rogan_gladen,
    rogan_gladen_counted,
    stratified_ppi_mean,
)


def test_the_judges_own_rate_has_no_interval_for_the_truth() -> None:
    rate = judge_raw(11, 100)
    assert (rate.value, rate.low, rate.high) == (0.11, None, None)
    assert "for the humans to tell" in rate.reason


def test_strata_that_were_labelled_at_one_rate_give_the_humans_share() -> None:
    strata = [RateStratum(100, 10, 7), RateStratum(300, 30, 5)]
    assert post_stratified(strata).value == pytest.approx(humans_only(12, 40).value)


def test_a_stratum_that_nobody_labelled_leaves_the_rate_undefined_and_is_named() -> None:
    rate = post_stratified([RateStratum(100, 10, 7), RateStratum(3, 0, 0, "judge-a: unreadable")])
    assert rate.value is None and rate.n == 10
    assert "judge-a: unreadable" in rate.reason and "3 items" in rate.reason
    assert post_stratified_error([RateStratum(3, 0, 0, "x"), RateStratum(3, 1, 0)]).value is None


def test_a_stratum_without_population_is_no_stratum() -> None:
    strata = [RateStratum(100, 10, 7), RateStratum(300, 30, 5)]
    assert post_stratified([*strata, RateStratum(0, 0, 0, "nothing")]) == post_stratified(strata)


def test_no_interval_has_zero_width_and_every_one_holds_its_value() -> None:
    for strata in ([RateStratum(50, 5, 0), RateStratum(50, 5, 0)], [RateStratum(50, 5, 5)], [RateStratum(9, 1, 0)]):
        rate = post_stratified(strata)
        assert rate.value is not None and rate.low is not None and rate.high is not None
        assert rate.low < rate.high and rate.low <= rate.value <= rate.high


def test_what_has_no_data_is_undefined_with_a_reason() -> None:
    nothing = [
        humans_only(0, 0), judge_raw(0, 0), post_stratified([]), post_stratified([RateStratum(5, 0, 0)]),
        ppi_mean([], [], [1, 2]).mean,
        lee(3, 10, (0, 0), (4, 5)), lee(3, 10, (1, 5), (1, 5)), rogan_gladen(3, 10, 0.4, 0.6), rogan_gladen(0, 0, 0.9, 0.9),
        rogan_gladen_counted(3, 10, (1, 5), (1, 5)), rogan_gladen_counted(0, 0, (1, 5), (1, 5)),
    ]  # fmt: skip
    for estimate in nothing:
        assert estimate.value is None and estimate.reason


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="Found 3 of 2"):
        humans_only(3, 2)
    with pytest.raises(ValueError, match="labelled items are part of its population"):
        post_stratified([RateStratum(5, 6, 1, "judge-a: yes")])
    with pytest.raises(ValueError, match="finite number"):
        ppi_mean([1.0, math.nan], [1, 2], [3])
    with pytest.raises(ValueError, match="stratum of their own"):
        ppi_mean([1, 2], [1], [3])


def test_a_correction_beyond_the_range_stays_in_it_and_holds_its_value() -> None:
    for correct in (lee, rogan_gladen_counted):
        rate = correct(12, 200, (45, 50), (45, 50))
        assert rate.value == 0.0 and rate.low == 0.0 and rate.high is not None and rate.high > 0
        far = correct(0, 2000, (450, 500), (450, 500))
        assert far.value == 0.0 and far.low is None and "outside 0 to 1" in far.reason


# Scores


def test_a_judge_that_is_always_right_takes_the_mean_to_that_of_all_items() -> None:
    chance = np.random.default_rng(3)
    everything = chance.integers(0, 11, 2000).astype(float)
    mean, weight = ppi_mean(everything[:100], everything[:100], everything[100:])
    assert weight is not None and weight > 0.85
    assert mean.value is not None and abs(mean.value - everything.mean()) < 0.1


def test_a_judge_that_says_one_thing_leaves_the_humans_mean() -> None:
    mean, weight = ppi_mean([1, 2, 6], [5, 5, 5], [5, 5])
    assert (mean.value, weight) == (3.0, 0.0)


def test_a_mean_without_variation_or_with_one_label_has_no_interval() -> None:
    assert ppi_mean([4, 4, 4], [1, 2, 3], [2, 2]).mean.low is None
    one = ppi_mean([4], [1], [2, 2]).mean
    assert one.value == 4.0 and one.low is None and "one labelled item" in one.reason


def test_a_mean_stays_within_its_limits() -> None:
    mean = ppi_mean([0, 0, 0, 1], [0, 0, 1, 1], [0, 1] * 5, limits=(0, 10)).mean
    assert mean.low == 0.0


def test_items_without_a_verdict_are_a_stratum_with_the_humans_mean() -> None:
    read = ScoreStratum([2, 4, 5], [2, 4, 6], [3] * 7)
    unread = ScoreStratum([9, 7], [], [], beyond=8)
    mean = stratified_ppi_mean([read, unread])
    alone = ppi_mean([2, 4, 5], [2, 4, 6], [3] * 7).mean
    assert mean.value is not None and alone.value is not None
    assert mean.value == pytest.approx(0.5 * alone.value + 0.5 * 8)
    assert "beyond" not in stratified_ppi_mean([read, ScoreStratum([], [], [], beyond=4)]).reason
    assert stratified_ppi_mean([read, ScoreStratum([], [], [], beyond=4)]).value is None


def test_groups_of_one_item_are_items_up_to_the_quantile_and_copies_of_items_widen() -> None:
    chance = np.random.default_rng(8)
    judge = chance.normal(5, 2, 40)
    human = judge + chance.normal(0, 1, 40)
    rest = chance.normal(5, 2, 60)
    alone = ppi_mean(human, judge, rest).mean
    apart = stratified_ppi_mean([ScoreStratum(human, judge, rest, 0, range(40), range(40, 100))])
    assert alone.high is not None and apart.high is not None and alone.value is not None
    assert apart.value == alone.value
    # Student's quantile, M/(M-1), and the two items that mean and λ take.
    assert 1.04 < (apart.high - alone.value) / (alone.high - alone.value) < 2.0227 / 1.95996 * math.sqrt(40 / 39 * 40 / 38)
    twice = ScoreStratum(np.repeat(human, 2), np.repeat(judge, 2), np.repeat(rest, 2), 0, np.repeat(range(40), 2),
                         np.repeat(range(40, 100), 2))  # fmt: skip
    doubled, naive = stratified_ppi_mean([twice]), ppi_mean(twice.human, twice.judge, twice.unlabelled).mean
    assert doubled.high is not None and naive.high is not None and doubled.low is not None and naive.low is not None
    assert doubled.high - doubled.low > 1.35 * (naive.high - naive.low)
    assert stratified_ppi_mean([ScoreStratum([1, 2], [1, 2], [1], 0, [0, 0], [0])]).low is None
