"""How many items: published numbers, and what no table can show is refused."""

from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from reports.agreement import kappa as kappa_of
from reports.planner import Draw, half_widths, items_for_power, items_for_width, kappa_maximum, kappa_minimum, kappa_variance


@pytest.mark.parametrize(
    ("kappa", "prevalence", "n"),
    [(0.6, 0.5, 246), (0.6, 0.3, 296), (0.6, 0.1, 705), (0.8, 0.5, 139), (0.8, 0.3, 167), (0.8, 0.1, 401)],
)
def test_the_published_table_of_widths_is_met(kappa: float, prevalence: float, n: int) -> None:
    assert items_for_width(kappa, prevalence, 0.1).n == n


def test_an_impossible_kappa_is_refused_with_the_maximum_of_the_margins() -> None:
    plan = items_for_width(0.9, 0.1, 0.1, judge_prevalence=0.3)
    assert plan.n is None and plan.maximum == pytest.approx(7 / 17)
    assert "at most 0.411" in plan.reason
    power = items_for_power(0.3, 0.9, 0.1, judge_prevalence=0.3)
    assert power.n is None and power.maximum == pytest.approx(7 / 17)
    assert items_for_width(-0.9, 0.1, 0.1).n is None


def test_the_highest_kappa_is_that_of_the_table_with_these_margins() -> None:
    table = [[100, 0], [200, 700]]
    assert kappa_maximum(0.1, 0.3) == pytest.approx(kappa_of(table).value)
    assert kappa_maximum(0.4) == 1.0
    assert kappa_minimum(0.5) == -1.0


def test_the_variance_does_not_know_which_choice_is_first() -> None:
    assert kappa_variance(0.5, 0.2, 0.3) == pytest.approx(kappa_variance(0.5, 0.8, 0.7))
    assert (
        kappa_variance(0.5, 0.2)
        == pytest.approx(kappa_variance(0.5, [0.2, 0.8]))
        == pytest.approx(kappa_variance(0.5, [0.2, 0.8, 0.0]))
    )


def test_groups_multiply_the_items_by_their_design_effect() -> None:
    alone, grouped = items_for_width(0.6, 0.5, 0.1).n, items_for_width(0.6, 0.5, 0.1, draw=Draw(design_effect=2.5)).n
    assert alone is not None and grouped is not None and abs(grouped - 2.5 * alone) <= 2


def test_equal_numbers_of_each_verdict_need_fewer_items_for_kappa_where_positives_are_rare() -> None:
    simple, by_verdict = items_for_width(0.6, 0.1, 0.1), items_for_width(0.6, 0.1, 0.1, draw=Draw(by_verdict=True))
    assert simple.n is not None and by_verdict.n is not None and by_verdict.n < 0.7 * simple.n
    assert sum(by_verdict.by_verdict) == by_verdict.n


def test_a_small_stratum_is_planned_whole_and_the_rest_comes_from_the_other() -> None:
    plan = items_for_width(0.6, 0.1, 0.1, draw=Draw(by_verdict=True, population=(100, 900)))
    assert plan.n is not None and plan.by_verdict == (100, plan.n - 100)


def test_a_plan_that_needs_more_items_than_there_are_says_so() -> None:
    plan = items_for_width(0.6, 0.1, 0.02, draw=Draw(by_verdict=True, population=(100, 900)))
    assert plan.n is None and "all 1,000 items" in plan.reason and plan.maximum is None


def test_expected_half_widths_are_those_that_a_plan_asks_for() -> None:
    for draw in (Draw(), Draw(by_verdict=True), Draw(by_verdict=True, design_effect=1.7)):
        n = items_for_width(0.6, 0.2, 0.12, judge_prevalence=0.25, draw=draw).n
        assert n is not None
        assert half_widths(n, 0.6, 0.2, 0.25, draw=draw)["kappa"] <= 0.12
        assert half_widths(n - 2, 0.6, 0.2, 0.25, draw=draw)["kappa"] > 0.12


def test_the_expected_half_width_of_a_draw_by_verdict_is_what_simulated_draws_spread_by() -> None:
    chance = np.random.default_rng(5)
    table = np.array([[0.064, 0.036], [0.036, 0.864]])  # kappa .6, both say the first of 10 %
    n, weight = 400, np.array([0.1, 0.9])
    found = []
    for _ in range(3000):
        drawn = [chance.multinomial(n // 2, table[:, verdict] / weight[verdict]) for verdict in (0, 1)]
        p = np.array([drawn[verdict] / (n // 2) * weight[verdict] for verdict in (0, 1)]).T
        by_chance = float(p.sum(axis=1) @ p.sum(axis=0))
        found.append((np.trace(p) - by_chance) / (1 - by_chance))
    expected = half_widths(n, 0.6, 0.1, draw=Draw(by_verdict=True))["kappa"] / 1.959964
    assert float(np.std(found)) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: items_for_width(0.6, 0.5, 0.0),
        lambda: items_for_width(1.0, 0.5, 0.1),
        lambda: items_for_width(0.6, 0.0, 0.1),
        lambda: items_for_width(0.6, 0.5, 0.1, level=95),
        lambda: items_for_width(0.6, [0.5, 0.6], 0.1),
        lambda: items_for_width(0.6, [0.5, 0.5], 0.1, judge_prevalence=0.4),
        lambda: items_for_power(0.6, 0.6, 0.5),
        lambda: items_for_power(0.6, 0.8, 0.5, power=0.2),
        lambda: kappa_variance(0.9, 0.1, 0.3),
        lambda: Draw(design_effect=0),
    ],
)
def test_what_makes_no_sense_is_refused(ask: Any) -> None:
    with pytest.raises(ValueError, match=r"Found|No number|No table|both sides"):
        ask()


@pytest.mark.parametrize("draw", [Draw(), Draw(by_verdict=True), Draw(design_effect=1.5)])
def test_a_judge_that_missed_nothing_so_far_is_not_planned_to_be_known_to_nothing(draw: Draw) -> None:
    # Humans say the first of 0.25 of the items, the judge of 0.3, and kappa is the highest there is: no item is missed.
    kappa = kappa_maximum(0.25, 0.3)
    found = half_widths(80, kappa, 0.25, 0.3, draw=draw)
    of_verdict = {False: 80 * 0.25, True: 40 * 0.25 / 0.3}[draw.by_verdict] / draw.design_effect
    low, high = proportion_confint(of_verdict, of_verdict, method="wilson")
    assert found["sensitivity"] == pytest.approx((high - low) / 2)
    assert half_widths(800, kappa, 0.25, 0.3, draw=draw)["sensitivity"] < found["sensitivity"]
    assert 0 < found["specificity"] < 0.12
