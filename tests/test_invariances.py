"""What must not change a figure: the order of items, of raters, of names; and what changes it by a known factor."""

import math
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data.tallies import Excluded, PairTally
from reports.agreement import (
    Weights,
    expected_agreement,
    kappa,
    kappa_error,
    observed_agreement,
    sensitivity,
    sensitivity_error,
    specificity,
    specificity_error,
)
from reports.alpha import Level, krippendorff_alpha
from reports.alt_test import alternative_annotator_test
from reports.binary import balanced_accuracy, bias_index, f1, npv, precision, prevalence_index
from reports.chance import ac1, ac2, pabak, scott_pi
from reports.comparing import compare
from reports.correlation import mcc
from reports.dawid_skene import dawid_skene
from reports.estimate import Estimate
from reports.many_raters import fleiss, gwet
from reports.per_class import specific_agreement
from reports.prevalence import RateStratum, post_stratified, post_stratified_error
from reports.scores import spearman
from tests.drawn_tables import Table, ratings, same_every_time, same_few_times, tables, times, transposed

EVERY_WEIGHT: tuple[Weights, ...] = ("unweighted", "linear", "quadratic")
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")

SYMMETRIC: dict[str, Callable[[Table], Estimate]] = {
    **{f"kappa {weights}": lambda table, weights=weights: kappa(table, weights) for weights in EVERY_WEIGHT},  # type: ignore[misc]
    **{f"ac2 {weights}": lambda table, weights=weights: ac2(table, weights) for weights in EVERY_WEIGHT},  # type: ignore[misc]
    "agreement": observed_agreement,
    "pi": scott_pi,
    "pabak": pabak,
    "mcc": mcc,
}
"""Figures that know no human and no judge."""
OF_A_CHOICE: dict[str, Callable[[Table, int], Estimate]] = {
    "sensitivity": sensitivity, "specificity": specificity, "precision": precision, "npv": npv, "f1": f1,
    "balanced accuracy": balanced_accuracy, "prevalence index": prevalence_index, "bias index": bias_index,
    "specific agreement": specific_agreement,
}  # fmt: skip


def alike(one: Estimate, other: Estimate) -> bool:
    """The same value and ends, to rounding, and the same words."""
    if (one.value, other.value) == (None, None):
        return (one.n, one.reason) == (other.n, other.reason)
    if one.n != other.n or None in (one.value, other.value):
        return False
    ends = [(one.value, other.value), (one.low, other.low), (one.high, other.high)]
    return all(mine == theirs or mine == pytest.approx(theirs, abs=1e-9) for mine, theirs in ends)


def patterns_of(answers: list[list[Any]], choices: int = 3) -> Counter[tuple[int, ...]]:
    return Counter(tuple(row.count(choice) for choice in range(choices)) for row in answers)


def shuffled(things: list[Any], random: Random) -> list[Any]:
    return random.sample(things, len(things))


# Items


@same_few_times
@given(ratings(gaps=True), st.randoms(use_true_random=False))
def test_the_order_of_items_changes_no_model_of_raters(answers: list[list[Any]], random: Random) -> None:
    order = shuffled(list(range(len(answers))), random)
    moved = [answers[item] for item in order]
    one, other = dawid_skene(answers, [0, 1, 2]), dawid_skene(moved, [0, 1, 2])
    assert one.refused == other.refused
    for place, item in enumerate(order if not one.refused else []):
        mine, theirs = one.posteriors[item], other.posteriors[place]
        assert mine is theirs is None or mine == pytest.approx(theirs, abs=1e-6)
    judge = [item % 3 for item in range(len(answers))]
    for first, second in zip(
        alternative_annotator_test(judge, transposed(answers), 0.2).annotators,
        alternative_annotator_test([judge[item] for item in order], transposed(moved), 0.2).annotators,
        strict=True,
    ):
        assert alike(first.p, second.p) and alike(first.advantage, second.advantage)


@same_every_time
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_scores_changes_no_rank_correlation(scores: list[tuple[int, int]], random: Random) -> None:
    def of(pairs: list[tuple[int, int]]) -> Estimate:
        counted = Counter((0, float(human), float(judge)) for human, judge in pairs)
        return spearman(PairTally("human:consensus", "judge:j", (), (), Excluded(), "simple", len(pairs), scores=counted))

    assert alike(of(scores), of(shuffled(scores, random)))
    assert alike(of(scores), of([(judge, human) for human, judge in scores]))
    assert alike(of(scores), of([(human**3, judge + 7) for human, judge in scores]))


# Raters


@same_few_times
@given(ratings(gaps=True), st.randoms(use_true_random=False))
def test_the_order_of_raters_changes_no_figure_of_many(answers: list[list[Any]], random: Random) -> None:
    order = shuffled(list(range(len(answers[0]))), random)
    one, other = patterns_of(answers), patterns_of([[row[rater] for rater in order] for row in answers])
    assert one == other
    first = dawid_skene(answers, [0, 1, 2])
    second = dawid_skene([[row[rater] for rater in order] for row in answers], [0, 1, 2])
    assert first.refused == second.refused
    for place, rater in enumerate(order if not first.refused else []):
        for choice in range(3):
            mine, theirs = first.correct(rater, choice).value, second.correct(place, choice).value
            assert mine is theirs is None or mine == pytest.approx(theirs, abs=1e-6)


@same_every_time
@given(tables())
def test_exchanging_human_and_judge_keeps_what_is_symmetric(table: Table) -> None:
    for name, figure in SYMMETRIC.items():
        assert alike(figure(table), figure(transposed(table))), name
    pairs = Counter(
        {tuple((k == i) + (k == j) for k in range(len(table))): 0 for i in range(len(table)) for j in range(len(table))}
    )
    for i, row in enumerate(table):
        for j, count in enumerate(row):
            pairs[tuple((k == i) + (k == j) for k in range(len(table)))] += count
    assert kappa(table).n == krippendorff_alpha(pairs).n
    for weights in EVERY_WEIGHT:
        assert alike(kappa_error(table, weights), kappa_error(transposed(table), weights))


@same_every_time
@given(tables(), st.integers(0, 1))
def test_exchanging_human_and_judge_turns_recall_into_precision(table: Table, place: int) -> None:
    other = transposed(table)
    for here, there in ((sensitivity, precision), (specificity, npv)):
        mine, theirs = here(table, place), there(other, place)
        assert (mine.value, mine.low, mine.high, mine.n) == (theirs.value, theirs.low, theirs.high, theirs.n)
    assert alike(f1(table, place), f1(other, place))
    assert alike(prevalence_index(table, place), prevalence_index(other, place))
    assert bias_index(table, place).value == -(bias_index(other, place).value or 0.0)


@same_every_time
@given(st.lists(st.integers(0, 20), min_size=8, max_size=8))
def test_exchanging_two_judges_turns_the_difference_around(counts: list[int]) -> None:
    table3 = np.array(counts).reshape(2, 2, 2)
    one, other = compare(table3.tolist()), compare(table3.transpose(0, 2, 1).tolist())
    assert (one.difference.value is None) == (other.difference.value is None)
    if one.difference.value is not None and other.difference.value is not None:
        assert one.difference.value == pytest.approx(-other.difference.value, abs=1e-12)
        assert one.difference.low == pytest.approx(-(other.difference.high or math.nan), abs=1e-9)
    assert (one.only_first_right, one.only_second_right) == (other.only_second_right, other.only_first_right)
    assert one.mcnemar.midp == other.mcnemar.midp


# Names


@same_every_time
@given(tables(), st.randoms(use_true_random=False))
def test_renaming_the_choices_changes_no_nominal_figure(table: Table, random: Random) -> None:
    order = shuffled(list(range(len(table))), random)
    renamed = [[table[i][j] for j in order] for i in order]
    for figure in (kappa, ac1, scott_pi, pabak, mcc, observed_agreement, kappa_error):
        assert alike(figure(renamed), figure(table))
    for name, of_choice in OF_A_CHOICE.items():
        assert alike(of_choice(renamed, order.index(0)), of_choice(table, 0)), name


@same_every_time
@given(tables())
def test_turning_an_order_around_changes_no_weighted_figure(table: Table) -> None:
    backwards = [row[::-1] for row in table[::-1]]
    for name, figure in SYMMETRIC.items():
        assert alike(figure(table), figure(backwards)), name


@same_every_time
@given(ratings(gaps=True), st.randoms(use_true_random=False))
def test_renaming_the_choices_changes_no_nominal_figure_of_many(answers: list[list[Any]], random: Random) -> None:
    patterns = patterns_of(answers)
    order = shuffled([0, 1, 2], random)
    renamed = Counter({tuple(votes[k] for k in order): items for votes, items in patterns.items()})
    backwards = Counter({votes[::-1]: items for votes, items in patterns.items()})
    for figure in (krippendorff_alpha, fleiss, gwet):
        assert alike(figure(patterns), figure(renamed))
    assert alike(krippendorff_alpha(patterns, "ordinal"), krippendorff_alpha(backwards, "ordinal"))
    assert alike(krippendorff_alpha(patterns, "interval"), krippendorff_alpha(backwards, "interval"))
    moved, scaled = ([7 + 3 * place for place in range(3)], [5.0 * place for place in range(3)])
    assert alike(krippendorff_alpha(patterns, "interval"), krippendorff_alpha(patterns, "interval", moved))
    assert alike(krippendorff_alpha(patterns, "ratio"), krippendorff_alpha(patterns, "ratio", scaled))


def test_an_unused_choice_changes_what_depends_on_the_declared_ones_and_nothing_else() -> None:
    used, declared = [[20, 5], [3, 14]], [[20, 5, 0], [3, 14, 0], [0, 0, 0]]
    for figure in (kappa, scott_pi, mcc, observed_agreement):
        assert figure(used).value == figure(declared).value
    for figure in (ac1, pabak):
        assert figure(used).value != figure(declared).value


# Counts


@same_few_times
@given(tables())
def test_ten_times_the_counts_keep_every_value(table: Table) -> None:
    tenfold = times(table, 10)
    for name, figure in (SYMMETRIC | {"by chance": expected_agreement}).items():
        assert figure(table).value == pytest.approx(figure(tenfold).value, abs=1e-12), name
    for name, of_choice in OF_A_CHOICE.items():
        assert of_choice(table, 0).value == pytest.approx(of_choice(tenfold, 0).value, abs=1e-12), name


@same_every_time
@given(tables())
def test_ten_times_the_counts_shrink_every_standard_error_by_the_root_of_ten(table: Table) -> None:
    tenfold = times(table, 10)
    found = [(kappa_error(table, weights), kappa_error(tenfold, weights)) for weights in EVERY_WEIGHT]
    found += [(figure(table, 0), figure(tenfold, 0)) for figure in (sensitivity_error, specificity_error)]
    strata = [RateStratum(10_000 * (place + 1), sum(row), row[0]) for place, row in enumerate(table) if sum(row)]
    more = [RateStratum(each.population, 10 * each.labelled, 10 * each.positives) for each in strata]
    found.append((post_stratified_error(strata), post_stratified_error(more)))
    assert post_stratified(strata).value == pytest.approx(post_stratified(more).value, abs=1e-12)
    for once, ten in found:
        assert (once.value is None) == (ten.value is None)
        if once.value is not None and ten.value is not None:
            assert ten.value * math.sqrt(10) == pytest.approx(once.value, rel=1e-9, abs=1e-9)


@same_every_time
@given(tables())
def test_ten_times_the_counts_narrow_every_interval(table: Table) -> None:
    assume(min(map(min, table)) >= 3)  # with empty cells the pseudo-items, not the data, set the width
    for name, figure in SYMMETRIC.items():
        once, ten = figure(table), figure(times(table, 10))
        assert None not in (once.low, once.high, ten.low, ten.high)
        assert ten.high - ten.low < once.high - once.low, name  # type: ignore[operator]


@same_every_time
@given(st.lists(st.integers(0, 20), min_size=8, max_size=8))
def test_ten_times_the_counts_shrink_the_error_of_a_difference_too(counts: list[int]) -> None:
    table3 = np.array(counts).reshape(2, 2, 2)
    once, ten = compare(table3.tolist()), compare((10 * table3).tolist())
    assert once.difference.value == pytest.approx(ten.difference.value, abs=1e-12)
    if once.error.value is not None and ten.error.value is not None:
        assert ten.error.value * math.sqrt(10) == pytest.approx(once.error.value, rel=1e-9, abs=1e-9)


@same_every_time
@given(tables(2, 2, 200), st.integers(0, 1))
def test_the_byrt_identity_links_kappa_to_pabak_and_the_two_indices(table: Table, positive: int) -> None:
    """kappa = (PABAK - PI² + BI²) / (1 - PI² + BI²) (Byrt, Bishop and Carlin 1993)."""
    found = kappa(table).value
    assume(found is not None)
    corrected, unbalanced, biased = pabak(table).value, prevalence_index(table, positive).value, bias_index(table, positive).value
    assert corrected is not None and unbalanced is not None and biased is not None
    assert found == pytest.approx((corrected - unbalanced**2 + biased**2) / (1 - unbalanced**2 + biased**2), abs=1e-9)


@same_every_time
@given(tables(2, 4))
def test_two_raters_without_gaps_tie_alpha_fleiss_and_ac1_to_their_tables(table: Table) -> None:
    """alpha = 1 - (1 - pi)(1 - 1/(2n)); Fleiss' kappa is Scott's pi; Gwet's AC1 of ratings is that of the table."""
    patterns: Counter[tuple[int, ...]] = Counter()
    for i, row in enumerate(table):
        for j, count in enumerate(row):
            patterns[tuple((k == i) + (k == j) for k in range(len(table)))] += count
    n, pi = sum(map(sum, table)), scott_pi(table).value
    assert fleiss(patterns).value == pytest.approx(pi, abs=1e-12)
    alpha = krippendorff_alpha(patterns).value
    assert (alpha is None) == (pi is None)
    assert pi is None or alpha == pytest.approx(1 - (1 - pi) * (1 - 1 / (2 * n)), abs=1e-9)
    for weights in EVERY_WEIGHT:
        assert gwet(patterns, weights).value == pytest.approx(ac2(table, weights).value, abs=1e-12)  # type: ignore[arg-type]
