"""The rule of certification: what is promoted, rejected and left open, how often by chance, and what is refused."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from data.errors import CertifyRefused
from judge.certify import INCONCLUSIVE, PROMOTE, REJECT, Certification, certification, power_statement
from reports.joint import Joint
from reports.paired_power import expected_table, power_of_difference
from tests.test_comparing import tally

CHOICES = ("aligned", "misaligned")
TIMES = 1000
BETTER = [[[70, 2], [14, 4]], [[6, 14], [2, 28]]]
"""As human x old x new: the new one is right on 24 items more."""


def accuracy(kappa: float, prevalence: float) -> float:
    """How often a judge is right, on either class alike, that has this kappa."""
    low, high = 0.5, 1.0
    for _ in range(50):
        right = (low + high) / 2
        of_judge = prevalence * right + (1 - prevalence) * (1 - right)
        chance = prevalence * of_judge + (1 - prevalence) * (1 - of_judge)
        low, high = (right, high) if (right - chance) / (1 - chance) < kappa else (low, right)
    return low


def certified(table: Any, looks: int = 1, choices: tuple[str, ...] = CHOICES, weights: Any = "unweighted") -> Certification:
    return certification(Joint.of_table(np.array(table).tolist()), looks, choices, weights)


@cache
def results(prevalence: float, old: tuple[float, float], new: tuple[float, float], n: int = 135) -> dict[str, float]:
    """The share of each answer over seeded tables; `old` and `new`: specificity and sensitivity. Refused is no answer."""
    table = expected_table([1 - prevalence, prevalence], old, new)
    counts = np.random.default_rng(6).multinomial(n, table.ravel(), size=TIMES).reshape(TIMES, 2, 2, 2)
    found = dict.fromkeys((PROMOTE, REJECT, INCONCLUSIVE, "refused"), 0)
    for each in counts:
        try:
            found[certified(each).result] += 1
        except CertifyRefused:
            found["refused"] += 1
    return {result: count / TIMES for result, count in found.items()}


def alike(kappa: float) -> tuple[float, float]:
    right = accuracy(kappa, 0.3)
    return right, right


def test_an_equal_prompt_is_promoted_in_at_most_7_percent_of_tables_and_rejected_as_rarely() -> None:
    found = results(0.3, alike(0.6), alike(0.6))
    assert 0.01 <= found[PROMOTE] <= 0.07 and found[REJECT] <= 0.07


def test_a_prompt_that_is_worse_by_a_tenth_is_hardly_ever_promoted() -> None:
    found = results(0.3, alike(0.6), alike(0.5))
    assert found[PROMOTE] <= 0.015 and found[REJECT] >= 0.20


def test_a_prompt_that_is_better_by_fifteen_hundredths_is_promoted_in_more_than_half() -> None:
    assert results(0.3, alike(0.6), alike(0.75))[PROMOTE] >= 0.55


def test_a_prompt_that_buys_specificity_with_sensitivity_is_held_back_though_its_kappa_is_better() -> None:
    found = results(0.2, (0.80, 0.90), (0.97, 0.70))
    assert found[PROMOTE] <= 0.09 and found[INCONCLUSIVE] > 0.8


def test_an_identical_prompt_is_never_promoted() -> None:
    pairs = np.random.default_rng(6).multinomial(135, [0.58, 0.12, 0.06, 0.24], size=TIMES).reshape(TIMES, 2, 2)
    for pair in pairs:
        table = np.zeros((2, 2, 2), dtype=int)
        table[:, [0, 1], [0, 1]] = pair
        found = certified(table)
        assert found.result == INCONCLUSIVE and found.reasons == ("No verdict differs between the two on 135 items.",)
        assert found.more.items is None


def test_the_power_told_before_a_look_is_the_share_of_tables_in_which_it_comes_true() -> None:
    told = power_of_difference([94, 41], 0.60, 0.75)
    assert told == pytest.approx(results(0.3, alike(0.6), alike(0.75))[PROMOTE], abs=0.05)
    for n, share in ((135, 0.61), (200, 0.76), (400, 0.96)):
        assert power_of_difference([round(n * 0.7), round(n * 0.3)], 0.60, 0.75) == pytest.approx(share, abs=0.03)


def test_the_power_statement_knows_the_human_side_alone_and_falls_with_the_looks() -> None:
    turned = Joint.of_table(np.array(BETTER)[:, ::-1, ::-1].tolist())
    joint = Joint.of_table(BETTER)
    assert power_statement(joint, 1) == power_statement(turned, 1)
    (tenth, low), (more, high) = power_statement(joint, 1)
    assert (tenth, more) == (0.10, 0.15) and 0 < low < high < 1
    assert power_statement(joint, 3)[1][1] < high


def test_what_is_promoted_says_why_and_with_which_figures() -> None:
    found = certified(BETTER)
    assert found.result == PROMOTE and found.bounds.low is not None and found.bounds.low > 0
    assert found.reasons[0].startswith("Kappa rises from ") and found.level == 0.05
    aligned, misaligned = found.recalls
    assert (aligned.choice, aligned.items, misaligned.items) == ("aligned", 90, 50)
    assert misaligned.change == pytest.approx(42 / 50 - 30 / 50)


def test_what_is_turned_round_is_rejected() -> None:
    found = certified(np.array(BETTER).transpose(0, 2, 1))
    assert found.result == REJECT and "falls" in found.reasons[0]


def test_each_look_that_was_declared_widens_the_bounds() -> None:
    one, two, three = (certified(BETTER, looks) for looks in (1, 2, 3))
    assert one.bounds.low > two.bounds.low > three.bounds.low  # type: ignore[operator]
    assert three.level == pytest.approx(0.05 / 3)
    for looks in (0, 4):
        with pytest.raises(ValueError, match="looks can be declared"):
            certified(BETTER, looks)


def test_more_unreadable_replies_keep_a_better_prompt_from_promotion() -> None:
    counts = np.zeros((2, 3, 3), dtype=int)
    counts[:, :2, :2] = BETTER
    counts[0, 0, 2] = 1
    found = certification(Joint.strict(tally(counts)), 1, CHOICES)
    assert found.unreadable == (0, 1) and found.result == INCONCLUSIVE
    assert found.reasons == ("The new prompt has more unreadable replies: 1 against 0.",)
    assert found.more.items is None and "not for want of labels" in found.more.reason
    counts[0, 2, 0] = 1
    assert certification(Joint.strict(tally(counts)), 1, CHOICES).result == PROMOTE


def test_a_recall_may_fall_by_five_hundredths_and_not_by_more() -> None:
    def falling(misses: int) -> Certification:
        return certified([[[50, 0], [50, 0]], [[0, 0], [misses, 100 - misses]]])

    assert falling(5).result == PROMOTE and not any(recall.falls_too_far for recall in falling(5).recalls)
    held = falling(6)
    assert held.result == INCONCLUSIVE and held.reasons == (
        "The recall of “misaligned” falls by more than 0.05: from 1.00 to 0.94 on 100 items.",
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([[[20, 5], [5, 4]], [[5, 5], [5, 10]]], "at least 60 labelled items"),
        ([[[80, 5], [5, 4]], [[3, 3], [3, 5]]], "at least 15 of each choice"),
    ],
)
def test_too_few_items_are_refused_with_the_numbers(table: Any, said: str) -> None:
    with pytest.raises(CertifyRefused) as refused:
        certified(table)
    assert said in refused.value.wrong and str(int(np.sum(table))) in refused.value.found


def test_few_groups_are_refused_however_many_items_they_hold() -> None:
    counts = np.zeros((2, 3, 3), dtype=int)
    counts[:, :2, :2] = BETTER
    cells = tuple((0, h, a, b, int(counts[h, a, b])) for h, a, b in np.ndindex(2, 2, 2))
    whole = tally(counts, clusters={cells: 1})
    with pytest.raises(CertifyRefused, match="at least 8 groups"):
        certification(Joint.strict(whole), 1, CHOICES)


def test_the_labels_still_wanting_would_show_the_difference_seen() -> None:
    table: list[list[list[int]]] = [[[60, 6], [9, 9]], [[5, 6], [3, 22]]]
    found = certified(table)
    assert found.result == INCONCLUSIVE and found.more.items is not None and found.more.items > 0
    times = (found.comparison.n + found.more.items) / found.comparison.n
    larger = certified((np.array(table) * times).round().astype(int))
    spread = larger.comparison.spread
    assert spread is not None and larger.difference.value == pytest.approx((1.645 + 0.8416) * spread.error, rel=0.05)


def test_ordinal_choices_are_certified_with_linear_weights() -> None:
    table = np.ones((3, 3, 3), dtype=int)
    for human in range(3):
        table[human, human, human] = 20
        table[human, 2 - human, human] += 6
    levels = ("none", "some", "much")
    linear, plain = (certified(table, 1, levels, weights) for weights in ("linear", "unweighted"))
    assert linear.comparison.weights == "linear" and linear.difference.value != plain.difference.value
