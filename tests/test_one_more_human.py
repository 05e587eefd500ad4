"""Is the judge as good as one more human: the two means, their difference, its interval, and what is said of it."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from data.human_tallies import Panel, PanelStratum
from data.wording import interval_end
from reports.estimate import Estimate
from reports.intervals import student_quantile
from reports.one_more_human import (
    OneMoreHuman,
    one_more_human,
    one_more_human_at,
    one_more_human_on_label,
    one_more_human_on_sets,
)
from reports.one_more_scorer import one_more_human_by_rank
from reports.pair_tables import GUESSING, OF_ONE_MIND

Row = tuple[int, dict[int, int]]
"""The judge's answer, and the annotators'."""


def panel(
    rows: Sequence[Row], strata: Sequence[int] = (), frames: Sequence[tuple[int, int]] = (), groups: Sequence[int] = ()
) -> Panel:
    """`strata`, `groups`: by row. `frames`: (frame, finished) of each stratum."""
    answers = sorted({answer for judge, votes in rows for answer in (judge, *votes.values())})
    keys = [
        (
            strata[place] if strata else 0,
            answers.index(judge),
            tuple(sorted((who, answers.index(said)) for who, said in votes.items())),
        )
        for place, (judge, votes) in enumerate(rows)
    ]
    items = Counter(keys)
    places = {key: place for place, key in enumerate(items)}
    held: dict[int, Counter[int]] = {}
    for group, key in zip(groups, keys, strict=bool(groups)):
        held.setdefault(group, Counter())[places[key]] += 1
    return Panel(
        judge="judge-a",
        people=tuple(f"person-{who}" for who in range(1 + max(who for _, votes in rows for who in votes))),
        answers=tuple(answers),
        items=dict(items),
        weighted=bool(frames),
        strata=tuple(PanelStratum(f"stratum {place}", frame, done, True) for place, (frame, done) in enumerate(frames)),
        clusters=dict(Counter(tuple(sorted(each.items())) for each in held.values())),
    )


def sample(seed: int, n: int, people: int, labels: int, choices: int = 2, errs: float = 0.15, judge_errs: float = 0.2) -> list[Row]:
    """`n` items that `labels` of `people` annotators labelled; each errs on an item by the given chance, at random."""
    dice = np.random.default_rng(seed)

    def said(truth: int, chance: float) -> int:
        return int(dice.integers(choices)) if dice.random() < chance else truth

    rows = []
    for _ in range(n):
        truth = int(dice.choice(choices, p=np.arange(1, choices + 1) / (choices * (choices + 1) / 2)))
        who = dice.permutation(people)[:labels]
        rows.append((said(truth, judge_errs), {int(one): said(truth, errs) for one in who}))
    return rows


# The value ------------------------------------------------------------------------------------------------------------


def pairs_of(rows: Sequence[Row], weights: Sequence[float] | None = None, choices: int = 2) -> dict[tuple[int, int], Any]:
    """(rater, rater) to their table, the judge being -1."""
    tables: dict[tuple[int, int], Any] = {}
    for place, (judge, votes) in enumerate(rows):
        cast = [(-1, judge), *sorted(votes.items())]
        for (one, x), (other, y) in combinations(cast, 2):
            tables.setdefault((one, other), np.zeros((choices, choices)))[x, y] += 1 if weights is None else weights[place]
    return tables


def kappa_of(table: Any, credit: Any = None) -> float:
    p = table / table.sum()
    w = np.eye(len(p)) if credit is None else credit
    by_chance = p.sum(axis=1) @ w @ p.sum(axis=0)
    return float(((w * p).sum() - by_chance) / (1 - by_chance))


def means(tables: dict[tuple[int, int], Any], credit: Any = None) -> Any:
    judge = np.mean([kappa_of(table, credit) for (one, _), table in tables.items() if one < 0])
    human = np.mean([kappa_of(table, credit) for (one, _), table in tables.items() if one >= 0])
    return np.array([judge, human, judge - human])


def values(found: OneMoreHuman) -> list[float | None]:
    return [found.judge_human.value, found.human_human.value, found.difference.value]


@pytest.mark.parametrize(("people", "labels"), [(2, 2), (3, 3), (5, 2), (4, 3)])
def test_the_difference_is_the_judges_mean_kappa_less_that_of_the_pairs_of_annotators(people: int, labels: int) -> None:
    rows = sample(people, 200, people, labels)
    found = one_more_human(panel(rows), 2)
    assert values(found) == pytest.approx(means(pairs_of(rows)))
    assert (found.annotators, found.pairs, found.undefined) == (people, people * (people - 1) // 2, 0)
    assert found.difference.n == 200


def test_linear_weights_follow_the_order_of_the_choices() -> None:
    rows = sample(3, 150, 3, 3, choices=4, errs=0.4)
    credit = 1 - np.abs(np.subtract.outer(np.arange(4), np.arange(4))) / 3
    assert values(one_more_human(panel(rows), 4, "linear")) == pytest.approx(means(pairs_of(rows, choices=4), credit))


def test_items_of_strata_weigh_what_they_stand_for() -> None:
    rows = sample(5, 120, 3, 2)
    strata = [place % 2 for place in range(120)]
    found = one_more_human(panel(rows, strata, [(9000, 60), (300, 60)]), 2)
    weights = [(9000, 300)[stratum] / 60 for stratum in strata]
    assert values(found) == pytest.approx(means(pairs_of(rows, weights)))
    assert found.difference.method == "post-stratified, jackknife+4 over items, t(items-strata)"


def test_two_who_share_no_item_of_a_stratum_have_no_kappa_of_the_whole_frame() -> None:
    rows = [(place % 2, {0: place % 2, 1: (place // 2) % 2}) for place in range(40)]
    rows += [(place % 2, {0: (place // 3) % 2, 2: place % 2}) for place in range(40)]
    strata = [0] * 40 + [place % 2 for place in range(40)]
    found = one_more_human(panel(rows, strata, [(900, 60), (300, 20)]), 2)
    # 0 and 1 met in the first stratum alone, and so did 1 and the judge.
    assert (found.pairs, found.annotators, found.undefined) == (1, 2, 2)


def test_sets_are_compared_label_by_label_and_all_labels_together() -> None:
    rows = sample(6, 150, 3, 3, choices=8, errs=0.3)
    by_label = [one_more_human_on_label(panel(rows), label) for label in range(3)]
    of_bit = [
        [(judge >> label & 1, {who: said >> label & 1 for who, said in votes.items()}) for judge, votes in rows]
        for label in range(3)
    ]
    for found, bits in zip(by_label, of_bit, strict=True):
        assert values(found) == pytest.approx(means(pairs_of(bits)))
    together = one_more_human_on_sets(panel(rows), 3)
    assert values(together) == pytest.approx(np.mean([values(found) for found in by_label], axis=0))
    assert (together.annotators, together.pairs) == (9, 9)


def test_scores_are_compared_at_their_threshold() -> None:
    rows = sample(7, 100, 3, 3, choices=5, errs=0.3)
    at_least = [(int(judge >= 3), {who: int(said >= 3) for who, said in votes.items()}) for judge, votes in rows]
    assert values(one_more_human_at(panel(rows), 3)) == pytest.approx(means(pairs_of(at_least)))


# The interval ---------------------------------------------------------------------------------------------------------


def smoothed(tables: dict[tuple[int, int], Any], rows: Sequence[Row], choices: int) -> dict[tuple[int, int], Any]:
    """The tables with the pseudo-items, by their definition."""
    shared = Counter(pair for _, votes in rows for pair in combinations([-1, *sorted(votes)], 2))
    added = {}
    for (one, other), table in tables.items():
        evenly, alike = np.full((choices, choices), choices**-2.0), np.eye(choices) / choices
        more = GUESSING * evenly + OF_ONE_MIND * (evenly if one < 0 else alike)
        added[one, other] = table + shared[one, other] / len(rows) * more
    return added


def brute_force(rows: Sequence[Row], groups: Sequence[int], weigh: Callable[[Sequence[int]], Sequence[float]], choices: int) -> Any:
    """The standard errors of the three means, from their definition: units left out one by one, pseudo-items listed."""
    everything = list(range(len(rows)))

    def without(gone: int | None) -> Any:
        left = [place for place in everything if groups[place] != gone]
        weight = dict(zip(left, weigh(left), strict=True))
        tables = {pair: np.zeros((choices, choices)) for pair in pairs_of(rows, choices=choices)}
        for place in left:
            for pair, table in pairs_of([rows[place]], [weight[place]], choices).items():
                tables[pair] = tables[pair] + table
        return smoothed(tables, rows, choices)

    whole = without(None)
    centre = means(whole)
    units = sorted(set(groups))
    pulls = [(1.0, means(without(unit)) - centre) for unit in units]
    step = 1e-6
    for _, votes in rows:
        people = sorted(votes)
        cast = [(1.0, answers) for answers in product(range(choices), repeat=len(people) + 1)]
        minds = [(1.0, (verdict, *(mind for _ in people))) for verdict, mind in product(range(choices), repeat=2)]
        for many, listed in ((GUESSING, cast), (OF_ONE_MIND, minds)):
            for _, (verdict, *answers) in listed:
                one = pairs_of([(verdict, dict(zip(people, answers, strict=True)))], choices=choices)
                less = {pair: table - step * one.get(pair, 0) for pair, table in whole.items()}
                pulls.append((many / len(listed) / len(rows), (means(less) - centre) / step))
    number = len(units) + GUESSING + OF_ONE_MIND
    mean = sum(times * pull for times, pull in pulls) / number
    return np.sqrt((number - 1) / number * sum(times * (pull - mean) ** 2 for times, pull in pulls))


def errors(found: OneMoreHuman, degrees: int) -> list[float]:
    ends = [(each.high or 0) - (each.low or 0) for each in (found.judge_human, found.human_human, found.difference)]
    return [end / 2 / student_quantile(degrees) for end in ends]


@pytest.mark.parametrize(("people", "labels", "choices", "n"), [(2, 2, 2, 50), (3, 3, 2, 50), (4, 2, 2, 120), (3, 2, 3, 60)])
def test_the_jackknife_is_that_of_leaving_items_out_one_by_one(people: int, labels: int, choices: int, n: int) -> None:
    rows = sample(people * 7 + labels, n, people, labels, choices, errs=0.3, judge_errs=0.4)
    expected = brute_force(rows, range(n), lambda left: [1.0] * len(left), choices)
    assert errors(one_more_human(panel(rows), choices), n - 1) == pytest.approx(expected, rel=1e-4)


def test_groups_are_left_out_whole() -> None:
    rows = sample(1, 60, 3, 2, errs=0.3, judge_errs=0.4)
    groups = [place * place % 23 for place in range(60)]
    expected = brute_force(rows, groups, lambda left: [1.0] * len(left), 2)
    found = one_more_human(panel(rows, groups=groups), 2)
    assert errors(found, len(set(groups)) - 1) == pytest.approx(expected, rel=1e-4)
    assert found.difference.method == "jackknife+4 over groups, t(groups-1)"


@pytest.mark.parametrize("grouped", [False, True])
def test_strata_are_weighted_anew_without_each_unit(grouped: bool) -> None:
    rows = sample(2, 60, 3, 2, errs=0.3, judge_errs=0.4)
    strata, frames = [int(place % 3 == 0) for place in range(60)], [(900, 40), (90, 20)]
    groups = [place * place % 23 for place in range(60)] if grouped else list(range(60))

    def weigh(left: Sequence[int]) -> list[float]:
        held = Counter(strata[place] for place in left)
        weights = [frames[strata[place]][0] / held[strata[place]] for place in left]
        return [weight * len(left) / sum(weights) for weight in weights]

    expected = brute_force(rows, groups, weigh, 2)
    found = one_more_human(panel(rows, strata, frames, groups if grouped else ()), 2)
    assert errors(found, len(set(groups)) - 2) == pytest.approx(expected, rel=1e-4)


def test_everybody_of_one_mind_leaves_a_width() -> None:
    rows: list[Row] = [(place % 2, dict.fromkeys(range(3), place % 2)) for place in range(80)]
    found = one_more_human(panel(rows), 2)
    assert found.difference.value == 0
    assert found.difference.low is not None and -0.15 < found.difference.low < -0.02
    assert found.difference.high is not None and 0.02 < found.difference.high < 0.15
    assert found.judge_human.high == 1 and found.judge_human.low is not None and found.judge_human.low < 0.98


# What is left out, and what is said ------------------------------------------------------------------------------------


def test_two_annotators_who_share_few_items_enter_no_mean() -> None:
    rows = sample(4, 60, 2, 2)
    few: list[Row] = [(1, {0: 1, 2: 0}), (0, {0: 0, 2: 1}), (1, {1: 1, 2: 1})]
    with_her, without = one_more_human(panel([*rows, *few]), 2), one_more_human(panel(rows), 2)
    assert (with_her.annotators, with_her.pairs, with_her.too_few) == (2, 1, 3)
    assert with_her.human_human.value == without.human_human.value
    assert "Left out: 3 kappas that rest on fewer than 10 items." in with_her.words
    assert with_her.difference.n == 63


def test_where_no_two_share_enough_nothing_is_claimed_but_a_small_study_has_its_value() -> None:
    sparse = sample(1, 60, 10, 2)
    found = one_more_human(panel(sparse), 2)
    assert found.difference.value is None and found.answer == "undefined"
    assert found.words == "Cannot be said: no two annotators share 10 items or more, and a kappa of fewer says too little."
    small = one_more_human(panel(sample(1, 8, 3, 3)), 2)
    assert small.difference.value is not None and "Preliminary: fewer than 30 items." in small.words


def test_a_kappa_that_is_undefined_is_left_out_and_counted() -> None:
    rows: list[Row] = [(place % 2, {0: place % 2, 1: int(place % 3 == 0)}) for place in range(40)]
    rows += [(0, {1: 0, 2: 0}) for _ in range(12)]
    found = one_more_human(panel(rows), 2)
    # Person 2 gave one choice only: undefined with the judge, who gave the same to these, and with person 1.
    assert found.undefined == 2 and (found.annotators, found.pairs) == (2, 1)
    assert "Left out: 2 kappas that are undefined." in found.words


def test_one_and_the_same_choice_throughout_has_no_kappa() -> None:
    found = one_more_human(panel([(0, {0: 0, 1: 0})] * 20), 2)
    assert found.answer == "undefined" and "0/0" in found.difference.reason


def test_nobody_and_a_single_item_and_a_single_group_are_told_in_words() -> None:
    nothing = one_more_human(Panel("judge-a", ("ana", "ben"), (), {}), 2)
    assert nothing.difference.reason == "no item has a readable verdict and two annotators' answers"
    one = one_more_human(panel([(1, {0: 0, 1: 1})]), 2)
    assert one.difference.value == 0 and one.difference.low is None and "single item" in one.difference.reason
    assert one.words.startswith("Cannot be said: a single item")
    together = one_more_human(panel(sample(3, 30, 2, 2), groups=[7] * 30), 2)
    assert together.difference.value is not None and "share one group" in together.difference.reason


def test_a_stratum_without_double_labels_is_named() -> None:
    held = panel(sample(3, 30, 2, 2), [0] * 30, [(900, 30), (400, 0)])
    found = one_more_human(held, 2)
    assert found.difference.reason == "no item of the stratum 'stratum 1' has two labels, and 400 items of the frame lie in it"


@pytest.mark.parametrize(
    ("low", "high", "answer", "said"),
    [
        (-0.3, -0.12, "worse", "lower by 0.12 to 0.30."),
        (-0.09, -0.02, "worse", "lower by 0.02 to 0.09. That is less than 0.10 even so."),
        (-0.08, 0.05, "as good", "Yes, to within 0.10: its mean kappa with an annotator is at most 0.08 below"),
        (
            -0.25,
            0.2,
            "unclear",
            "100 items cannot tell: the judge's mean kappa may be 0.25 lower than theirs with each other, or 0.20 higher.",
        ),
        (0.03, 0.2, "better", "higher by 0.03 to 0.20."),
    ],
)
def test_the_answer_follows_the_interval_and_a_wide_one_answers_nothing(low: float, high: float, answer: str, said: str) -> None:
    difference = Estimate((low + high) / 2, low, high, 100, "jackknife+4")
    found = OneMoreHuman(difference, Estimate(0.7, 0.6, 0.8, 100, ""), difference, 3, 3, 0, 0, 100, 100)
    assert found.answer == answer and said in found.words
    low_bar = OneMoreHuman(difference, Estimate(0.21, 0.1, 0.3, 100, ""), difference, 3, 3, 0, 0, 100, 100)
    assert "The annotators' own mean kappa is 0.21: to be like one of them says little." in low_bar.words
    below_chance = OneMoreHuman(difference, Estimate(-0.21, -0.3, -0.1, 100, ""), difference, 3, 3, 0, 0, 100, 100)
    assert "own mean kappa is −0.21: to be like one of them" in below_chance.words


def test_a_kappa_of_few_items_is_not_held_against_one_of_many_in_silence() -> None:
    found = one_more_human(panel(sample(9, 130, 5, 2)), 2)
    assert found.items_per_annotator == pytest.approx(52) and found.items_per_pair == pytest.approx(13, abs=2)
    assert "reads low, which flatters the judge." in found.words
    assert "flatters" not in one_more_human(panel(sample(9, 130, 3, 3)), 2).words


# Scores ---------------------------------------------------------------------------------------------------------------


def rho(x: Sequence[float], y: Sequence[float]) -> float:
    return float(spearmanr(x, y).statistic)


def test_the_rank_correlations_jackknife_is_that_of_leaving_items_out_one_by_one() -> None:
    rows = sample(5, 40, 3, 3, choices=6, errs=0.5, judge_errs=0.6)
    found = one_more_human_by_rank(panel(rows))

    def difference(kept: Sequence[Row]) -> float:
        sides = [[row[0] for row in kept], *([row[1][who] for row in kept] for who in range(3))]
        human = np.mean([rho(sides[x], sides[y]) for x, y in ((1, 2), (1, 3), (2, 3))])
        return float(np.mean([rho(sides[0], sides[who]) for who in (1, 2, 3)]) - human)

    assert found.difference.value == pytest.approx(difference(rows))
    without = [difference(rows[:place] + rows[place + 1 :]) for place in range(40)]
    expected = np.sqrt(39 / 40 * np.sum((np.array(without) - np.mean(without)) ** 2))
    assert errors(found, 39)[2] == pytest.approx(expected)
    assert found.difference.method == "jackknife over items, t(items-1)"


def test_equal_ranks_throughout_have_a_value_and_no_width() -> None:
    found = one_more_human_by_rank(panel([(place, {0: place, 1: place}) for place in range(20)]))
    assert found.difference.value == 0 and found.difference.low is None
    assert found.answer == "unclear" and "changes nothing" in found.words


def test_one_and_the_same_score_throughout_has_no_rank() -> None:
    found = one_more_human_by_rank(panel([(3, {0: place, 1: place}) for place in range(20)]))
    assert found.difference.value is None and "one and the same score" in found.difference.reason


def test_an_end_of_the_interval_near_nothing_is_not_told_as_nothing() -> None:
    assert [interval_end(end) for end in (0.0031, 0.0049, 0.213, 0.0, 0.0001)] == ["0.003", "0.005", "0.21", "0.00", "0.00"]
    difference = Estimate(0.02, -0.0031, 0.04, 100, "jackknife+4")
    found = OneMoreHuman(difference, Estimate(0.7, 0.6, 0.8, 100, ""), difference, 3, 3, 0, 0, 100, 100)
    assert "is at most 0.003 below theirs" in found.words
