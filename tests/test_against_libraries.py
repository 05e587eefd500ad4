"""Equal to scikit-learn, statsmodels and scipy, on tables that hypothesis makes, wherever these define a value."""

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # it ships no types
from sklearn import metrics  # type: ignore[import-untyped]
from statsmodels.stats import inter_rater  # type: ignore[import-untyped]
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of_statsmodels  # type: ignore[import-untyped]
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]

from data.tallies import Excluded, PairTally
from reports.agreement import Weights, kappa, kappa_error, observed_agreement, sensitivity, specificity
from reports.binary import balanced_accuracy, f1, npv, precision
from reports.correlation import mcc
from reports.intervals import clopper_pearson, wilson
from reports.many_raters import fleiss
from reports.mcnemar import mcnemar
from reports.per_class import specific_agreement
from reports.scores import spearman
from tests.drawn_tables import Table, items_of, ratings, same_every_time, same_few_times, tables

EVERY_WEIGHT: tuple[Weights, ...] = ("unweighted", "linear", "quadratic")


@contextmanager
def of_undefined_values() -> Iterator[None]:
    """The libraries warn where we say None."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def same(ours: float | None, theirs: Any, rel: float = 1e-9) -> bool:
    """Where ours is undefined theirs is 0, 1 or nan, by the library's convention."""
    return ours is None or ours == pytest.approx(float(theirs), rel=rel, abs=1e-9)


@same_few_times
@given(tables())
def test_kappa_equals_scikit_learn_under_every_weight(table: Table) -> None:
    human, judge = items_of(table)
    for weights in EVERY_WEIGHT:
        with of_undefined_values():
            kind = None if weights == "unweighted" else weights
            theirs = metrics.cohen_kappa_score(human, judge, labels=list(range(len(table))), weights=kind)
        ours = kappa(table, weights).value
        assert same(ours, theirs) and (ours is None) == bool(np.isnan(theirs))


@same_every_time
@given(tables(2, 4), st.data())
def test_kappa_with_custom_weights_is_the_ratio_of_disagreement_seen_to_expected(table: Table, data: Any) -> None:
    size = len(table)
    lacking = np.array([[0 if i == j else data.draw(st.integers(1, 9)) for j in range(size)] for i in range(size)])
    ours = kappa(table, (1 - lacking / lacking.max()).tolist()).value
    by_chance = np.outer(np.sum(table, axis=1), np.sum(table, axis=0)) / np.sum(table)
    expected = float((by_chance * lacking).sum())
    assert (ours is None) == (expected == 0)
    assert expected == 0 or same(ours, 1 - float((np.array(table) * lacking).sum()) / expected)


@same_every_time
@given(tables())
def test_correlation_and_accuracies_equal_scikit_learn(table: Table) -> None:
    human, judge = items_of(table)
    with of_undefined_values():
        assert same(mcc(table).value, metrics.matthews_corrcoef(human, judge))
        assert same(observed_agreement(table).value, metrics.accuracy_score(human, judge))
        if len(table) == 2:
            for positive in (0, 1):
                assert same(balanced_accuracy(table, positive).value, metrics.balanced_accuracy_score(human, judge))


@same_few_times
@given(tables())
def test_figures_of_each_class_equal_scikit_learn(table: Table) -> None:
    human, judge = items_of(table)
    asked = {"labels": list(range(len(table))), "average": None, "zero_division": np.nan}
    with of_undefined_values():
        recalls, precisions, scores = (
            score(human, judge, **asked) for score in (metrics.recall_score, metrics.precision_score, metrics.f1_score)
        )
    for place in range(len(table)):
        assert same(sensitivity(table, place).value, recalls[place])
        assert same(precision(table, place).value, precisions[place])
        assert same(f1(table, place).value, scores[place])
        assert same(specific_agreement(table, place).value, scores[place])
        for ours, theirs in ((sensitivity, recalls), (precision, precisions), (f1, scores)):
            assert (ours(table, place).value is None) == bool(np.isnan(theirs[place]))
        rest = [[int(side[k] != place) for k in range(len(side))] for side in (human, judge)]
        with of_undefined_values():
            assert same(specificity(table, place).value, metrics.recall_score(*rest, zero_division=np.nan))
            assert same(npv(table, place).value, metrics.precision_score(*rest, zero_division=np.nan))


@same_few_times
@given(tables())
def test_standard_errors_of_kappa_equal_statsmodels(table: Table) -> None:
    assume(min(map(sum, table)) > 0)
    assume(kappa(table).value not in (None, 1.0))
    for weights, theirs in (("unweighted", None), ("linear", "linear"), ("quadratic", "quadratic")):
        oracle = inter_rater.cohens_kappa(np.array(table), wt=theirs)
        assert same(kappa(table, weights).value, oracle.kappa)  # type: ignore[arg-type]
        assert same(kappa_error(table, weights).value, oracle.std_kappa, rel=1e-7)  # type: ignore[arg-type]


@same_every_time
@given(ratings(gaps=False))
def test_fleiss_equals_statsmodels(answers: list[list[int | None]]) -> None:
    votes = [[row.count(choice) for choice in range(3)] for row in answers]
    ours = fleiss(Counter(map(tuple, votes)))  # type: ignore[arg-type]
    with of_undefined_values():
        theirs = inter_rater.fleiss_kappa(np.array(votes))
    assert same(ours.value, theirs)
    assert (ours.value is None) == (np.count_nonzero(np.sum(votes, axis=0)) == 1)


@same_every_time
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_equals_statsmodels_and_scipy(only_first: int, only_second: int) -> None:
    assume(only_first + only_second > 0)
    ours = mcnemar(only_first, only_second)
    assert same(ours.exact.value, mcnemar_of_statsmodels([[0, only_first], [only_second, 0]], exact=True).pvalue)
    assert same(ours.exact.value, stats.binomtest(only_first, only_first + only_second).pvalue)
    least, n = min(only_first, only_second), only_first + only_second
    midp = 2 * stats.binom.cdf(least, n, 0.5) - stats.binom.pmf(least, n, 0.5)
    assert same(ours.midp.value, midp)


@same_every_time
@given(st.integers(1, 2000), st.data())
def test_intervals_of_a_proportion_equal_statsmodels_and_scipy(n: int, data: Any) -> None:
    successes = data.draw(st.integers(0, n))
    assert wilson(successes, n) == pytest.approx(proportion_confint(successes, n, method="wilson"), abs=1e-9)
    of_scipy = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson(successes, n) == pytest.approx((of_scipy.low, of_scipy.high), abs=1e-9)
    exact = stats.binomtest(successes, n).proportion_ci(method="exact")
    assert clopper_pearson(successes, n) == pytest.approx((exact.low, exact.high), abs=1e-9)
    with of_undefined_values():
        low, high = proportion_confint(successes, n, method="beta")
    ends = (0.0 if successes == 0 else low, 1.0 if successes == n else high)  # statsmodels: nan there, in some versions
    assert clopper_pearson(successes, n) == pytest.approx(ends, abs=1e-9)


@same_every_time
@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=60))
def test_the_rank_correlation_equals_scipy(scores: list[tuple[int, int]]) -> None:
    counted = Counter((0, float(human), float(judge)) for human, judge in scores)
    pair = PairTally("human:consensus", "judge:j", (), (), Excluded(), "simple", len(scores), scores=counted)
    ours = spearman(pair).value
    with of_undefined_values():
        theirs = stats.spearmanr([human for human, _ in scores], [judge for _, judge in scores]).statistic
    assert same(ours, theirs) and (ours is None) == bool(np.isnan(theirs))
