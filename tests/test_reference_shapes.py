"""The reference cases' adapter on what is empty or unusual: nothing drawn, one rater, one choice against the rest."""

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics  # type: ignore[import-untyped]  # it ships no types
from statsmodels.stats import inter_rater  # type: ignore[import-untyped]

from tests.test_reference_adapter import BINARY, STRATA, TABLE, THREE, YES_NO, case, got, items_of, shapes_of
from tests.test_reference_cases import check


@pytest.mark.parametrize("shape", ["strata", "clusters"])
def test_no_stratum_and_no_group_leave_everything_undefined(shape: str) -> None:
    names = ("kappa", "kappa_se", "unweighted_kappa", "sensitivity", "prevalence", "prevalence_se", "recommended_low")
    assert check(case(YES_NO | {shape: []}, dict.fromkeys(names) | {"n": 0.0})) == 8
    groups = dict.fromkeys(("kappa_se_item", "kappa_se_linearised", "kappa_se_jackknife", "fisher_t_low"))
    assert check(case(YES_NO | {"clusters": []}, groups, "cluster_robust")) == 4


def test_what_a_single_rater_says_agrees_with_nothing() -> None:
    names = dict.fromkeys(("kappa", "observed_agreement", "ac1", "alpha_nominal", "fleiss_kappa"))
    assert check(case(YES_NO | {"ratings": [["yes"], ["no"], [None]]}, names | {"n": 0.0}, "undefined")) == 6


def test_numbers_without_ratings_have_no_alpha_at_any_level() -> None:
    names = dict.fromkeys(("alpha_nominal", "alpha_ordinal", "alpha_interval", "alpha_ratio", "alpha_ratio_low"))
    for choices in ([0, 4, 7, 8, 11], THREE):
        for given in ({"ratings": []}, {"pairs": []}):
            assert check(case({"choices": choices} | given, names, "krippendorff_alpha")) == 5


def test_weights_that_count_no_disagreement_have_no_kappa() -> None:
    given = {"choices": THREE, "table": TABLE, "disagreement_weights": [[0] * 3] * 3}
    assert check(case(given, dict.fromkeys(("kappa_weighted", "kappa_weighted_se", "kappa_weighted_low")))) == 3


def test_a_class_without_gold_items_leaves_the_corrected_rate_undefined() -> None:
    gold = {"sensitivity": {"correct": 0, "n": 0}, "specificity": {"correct": 9, "n": 10}}
    assert check(case({"judge_positive": 3, "n": 10} | gold, {"rogan_gladen": None, "lee": None, "judge_raw": 0.3})) == 3


def test_one_marked_step_may_come_without_its_list() -> None:
    given = {"items": [{"human": 3, "judge": [3]}, {"human": [2, 5], "judge": 4}, {"human": None, "judge": 1}]}
    expected = {"first_exact": 0.5, "first_within_2": 1.0, "n_both": 2.0, "mean_jaccard": 0.5}
    assert check(case(given, expected, "step_level")) == 4


@pytest.mark.parametrize("shape", ["table", "pairs", "ratings", "strata", "clusters"])
def test_one_choice_of_several_has_a_kappa_and_an_alpha_against_the_rest(shape: str) -> None:
    given: dict[str, Any] = {"choices": THREE} | shapes_of(TABLE, THREE)[shape]
    for place, choice in enumerate(THREE):
        sides = [[int(answer == place) for answer in side] for side in items_of(TABLE)]
        kappa = metrics.cohen_kappa_score(*sides)
        assert got(given, f"kappa_label_{choice}") == pytest.approx(kappa, abs=1e-12)
        if shape in ("table", "pairs", "ratings"):
            error = inter_rater.cohens_kappa(metrics.confusion_matrix(*sides)).std_kappa
            assert got(given, f"kappa_label_{choice}_se") == pytest.approx(error, abs=1e-9)
            pi = got(given, f"scott_pi_label_{choice}")
            assert got(given, f"alpha_label_{choice}") == pytest.approx(1 - (1 - pi) * (1 - 1 / 120), abs=1e-12)


def test_a_prevalence_has_a_standard_error_in_every_shape() -> None:
    error = math.sqrt(0.22 * 0.78 / 100)
    for shape in ("table", "pairs", "ratings"):
        given = YES_NO | shapes_of(BINARY, ["yes", "no"])[shape]
        for name in ("prevalence_se", "prevalence_no_se"):
            assert got(given, name) == pytest.approx(error, abs=1e-12), (shape, name)
    strata = YES_NO | {"strata": STRATA}
    assert got(strata, "prevalence_no_se") == pytest.approx(got(strata, "post_stratified_se"), abs=1e-12)
    tables = [[[2, 1], [0, 3]], [[1, 0], [1, 4]], [[3, 0], [0, 2]], [[0, 2], [1, 4]]]
    sizes, positives = (np.array([part(np.array(table)) for table in tables]) for part in (np.sum, lambda each: each[0].sum()))
    pulls = (positives - sizes * positives.sum() / sizes.sum()) / sizes.sum()
    clusters = YES_NO | {"clusters": [{"cluster": str(place), "table": table} for place, table in enumerate(tables)]}
    assert got(clusters, "prevalence_se") == pytest.approx(math.sqrt(4 / 3 * (pulls**2).sum()), abs=1e-12)


def test_alpha_of_groups_and_of_one_stratum_has_every_level() -> None:
    for level in ("nominal", "ordinal", "interval", "ratio"):
        plain = got({"choices": THREE, "table": TABLE}, f"alpha_{level}")
        clusters = {"choices": THREE} | shapes_of(TABLE, THREE)["clusters"]
        assert got(clusters, f"alpha_{level}") == pytest.approx(plain, abs=1e-12)
        assert got(clusters, f"alpha_{level}_low") < plain < got(clusters, f"alpha_{level}_high")


def test_the_strict_figures_of_one_choice_count_what_was_not_read_as_missed() -> None:
    given = YES_NO | {"table": BINARY, "unreadable": [3, 2]}
    expected = {"f1_strict": 36 / 52, "positive_agreement_yes_strict": 36 / 52, "precision_strict": 18 / 27, "npv_strict": 69 / 73}
    assert check(case(given, expected | {"balanced_accuracy_strict": (18 / 25 + 69 / 80) / 2, "pabak_strict": 174 / 105 - 1})) == 6
    assert got(given, "pabak_strict_se") == pytest.approx(2 * math.sqrt(87 / 105 * 18 / 105 / 105), abs=1e-9)
