"""The reference cases' adapter itself: what it refuses, and combinations that no case of the shared file has."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # it ships no types
from sklearn import metrics  # type: ignore[import-untyped]
from statsmodels.stats import inter_rater  # type: ignore[import-untyped]
from statsmodels.stats.contingency_tables import mcnemar  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]

from tests.reference_inputs import KEYS, STATISTICS, Case, DoesNotFit, Given, Unknown
from tests.reference_names import answer_of
from tests.test_reference_cases import OWN_COPY, cases_file, check, load_cases

README = Path(__file__).parent / "cases" / "README.md"
THREE = ["low", "medium", "high"]
TABLE = [[20, 5, 1], [3, 14, 4], [0, 2, 11]]
BINARY = [[18, 4], [9, 69]]
YES_NO: dict[str, Any] = {"choices": ["yes", "no"], "positive": "yes"}


def case(given: dict[str, Any], expected: dict[str, float | None], group: str = "robustness", **more: Any) -> Case:
    values = {name: {"value": value} for name, value in expected.items()}
    return {"id": "own", "statistic": group, "question_type": "nominal", "input": given, "expected": values} | more


def items_of(table: list[list[int]]) -> tuple[list[int], list[int]]:
    cells = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in cells], [j for _, j in cells]


def got(given: dict[str, Any], name: str, group: str = "robustness", **more: Any) -> float:
    value, reason = answer_of(Given(case(given, {}, group, **more)), name)
    assert value is not None, reason
    return value


# What it refuses


def test_an_unknown_name_fails() -> None:
    for name in (
        "kappas",
        "kappa_cubic",
        "sensitivity_purple",
        "alpha_label_purple",
        "low",
        "kappa_lower",
        "delta_low",
        "n_se",
        "p_1",
    ):
        with pytest.raises(Unknown):
            check(case({"choices": THREE, "table": TABLE}, {name: 0.5}))
    with pytest.raises(Unknown, match="kapa"):
        check(case({"choices": THREE, "table": TABLE}, {"kapa": 0.5}))


def test_an_unknown_group_or_key_fails() -> None:
    good = {"choices": THREE, "table": TABLE}
    with pytest.raises(Unknown, match="statistic: sorcery"):
        check(case(good, {"kappa": 0.6175095622609434}, "sorcery"))
    with pytest.raises(Unknown, match="input key: tables"):
        check(case(good | {"tables": []}, {"kappa": 0.6175095622609434}))
    with pytest.raises(Unknown, match="weight"):
        check(case({"strata": [{"stratum": "a", "population": 9, "table": BINARY, "weight": 1}]} | YES_NO, {"kappa": 0.6}))


def test_a_value_that_is_off_fails_and_so_does_one_where_none_is_due() -> None:
    good = {"choices": THREE, "table": TABLE}
    assert check(case(good, {"kappa": 0.6175095622609434})) == 1
    for wrong in (0.6175095622609434 + 2e-9, None):
        with pytest.raises(AssertionError):
            check(case(good, {"kappa": wrong}))
    with pytest.raises(AssertionError):
        check(case({"choices": THREE, "table": [[0] * 3, [0, 9, 0], [0] * 3]}, {"kappa": 0.0}))


def test_an_answer_that_is_no_declared_choice_fails() -> None:
    with pytest.raises(DoesNotFit, match="maybe"):
        check(case(YES_NO | {"pairs": [["yes", "maybe"]]}, {"kappa": 0.0}))


def test_a_figure_of_two_raters_is_not_asked_of_three() -> None:
    with pytest.raises(DoesNotFit, match="3"):
        check(case(YES_NO | {"ratings": [["yes", "no", "yes"]]}, {"kappa": 0.0}))


def test_any_name_may_occur_in_any_group() -> None:
    groups = sorted(STATISTICS - {"dawid_skene"})  # where a list is not a set
    for place, each in enumerate(load_cases(OWN_COPY)):
        assert check(each | {"statistic": groups[7 * place % len(groups)]}) > 0


# The files


def test_the_projects_own_copy_is_run_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REJUDGE_CASES", raising=False)
    assert cases_file() == OWN_COPY and len(load_cases(OWN_COPY)) >= 89
    monkeypatch.setenv("REJUDGE_CASES", "elsewhere.json")
    assert cases_file() == Path("elsewhere.json")


def test_every_case_of_the_own_copy_is_named_once_and_expects_something() -> None:
    cases = load_cases(OWN_COPY)
    assert len({each["id"] for each in cases}) == len(cases)
    assert all(each["expected"] and each["source"] for each in cases)
    assert {each["statistic"] for each in cases} == STATISTICS


def test_a_file_of_another_format_fails(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"format": 2, "cases": []}), encoding="utf-8")
    with pytest.raises(Unknown, match="format 2"):
        load_cases(file)


def test_the_readme_of_the_cases_names_every_key_and_group() -> None:
    text = README.read_text(encoding="utf-8")
    for name in KEYS | STATISTICS:
        assert f"`{name}`" in text, name


# Choices in names


def test_a_choice_called_low_or_high_is_matched_before_an_end() -> None:
    human, judge = items_of(TABLE)
    given = {"choices": THREE, "table": TABLE}
    recalls = metrics.recall_score(human, judge, average=None)
    precisions = metrics.precision_score(human, judge, average=None)
    for place, choice in enumerate(THREE):
        assert got(given, f"sensitivity_{choice}") == pytest.approx(recalls[place], abs=1e-12)
        assert got(given, f"precision_{choice}") == pytest.approx(precisions[place], abs=1e-12)
        low, high = proportion_confint(TABLE[place][place], sum(TABLE[place]), method="wilson")
        assert got(given, f"sensitivity_{choice}_low") == pytest.approx(low, abs=1e-9)
        assert got(given, f"sensitivity_{choice}_high") == pytest.approx(high, abs=1e-9)
        assert got(given, f"positive_agreement_{choice}") == pytest.approx(
            metrics.f1_score(human, judge, average=None)[place], abs=1e-12
        )
        assert got(given, f"prevalence_{choice}") == pytest.approx(sum(TABLE[place]) / 60, abs=1e-12)


def test_without_such_a_choice_low_and_high_are_the_ends() -> None:
    low, high = proportion_confint(18, 22, method="wilson")
    given = YES_NO | {"table": BINARY}
    assert got(given, "sensitivity_low") == pytest.approx(low, abs=1e-9)
    assert got(given, "sensitivity_high") == pytest.approx(high, abs=1e-9)


def test_a_label_called_low_has_its_own_kappa_alpha_and_ends() -> None:
    random = np.random.default_rng(5)
    sets = [[[c for c in THREE if random.random() < 0.5] for _ in range(2)] for _ in range(40)]
    for shape in ("ratings", "pairs"):
        given = {"choices": THREE, shape: sets}
        for choice in THREE:
            sides = [[int(choice in pair[side]) for pair in sets] for side in (0, 1)]
            kappa = metrics.cohen_kappa_score(*sides)
            assert got(given, f"kappa_label_{choice}", "multilabel") == pytest.approx(kappa, abs=1e-12)
            table = metrics.confusion_matrix(*sides)
            error = inter_rater.cohens_kappa(table).std_kappa
            assert got(given, f"kappa_label_{choice}_se", "multilabel") == pytest.approx(error, abs=1e-9)
            assert (
                got(given, f"kappa_label_{choice}_low", "multilabel")
                < kappa
                < got(given, f"kappa_label_{choice}_high", "multilabel")
            )
            pi = 1 - (1 - got(given, f"scott_pi_label_{choice}", "multilabel")) * (1 - 1 / 80)
            assert got(given, f"alpha_label_{choice}", "multilabel") == pytest.approx(pi, abs=1e-12)
        macro = np.mean([got(given, f"kappa_label_{choice}", "multilabel") for choice in THREE])
        assert got(given, "kappa_macro", "multilabel") == pytest.approx(macro, abs=1e-12)


def test_choices_that_end_like_one_another_are_told_apart() -> None:
    given = {"choices": ["b", "a_b", "personality disorder"], "table": TABLE}
    assert got(given, "sensitivity_b") == pytest.approx(20 / 26)
    assert got(given, "sensitivity_a_b") == pytest.approx(14 / 21)
    assert got(given, "sensitivity_personality disorder") == pytest.approx(11 / 13)
    numbers = {"choices": [1, 2, 3], "table": TABLE}
    assert got(numbers, "precision_2") == pytest.approx(14 / 21)


# Every shape of two raters


def shapes_of(table: list[list[int]], choices: list[Any]) -> dict[str, dict[str, Any]]:
    human, judge = items_of(table)
    pairs = [[choices[i], choices[j]] for i, j in zip(human, judge, strict=True)]
    gaps = [[None, choices[0]], [choices[1], None], [None, None]]
    n = len(pairs)
    return {
        "table": {"table": table},
        "pairs": {"pairs": pairs + gaps},
        "ratings": {"ratings": pairs + gaps},
        "strata": {"strata": [{"stratum": "all", "population": 10 * n, "table": table}]},
        "clusters": {"clusters": [{"cluster": str(i), "table": part} for i, part in enumerate(_split(table))]},
    }


def _split(table: list[list[int]]) -> list[list[list[int]]]:
    return [[[count // 3 + (third < count % 3) for count in row] for row in table] for third in range(3)]


TWO_RATERS: dict[str, Callable[[list[int], list[int]], float]] = {
    "kappa": metrics.cohen_kappa_score,
    "kappa_linear": lambda human, judge: metrics.cohen_kappa_score(human, judge, weights="linear"),
    "kappa_quadratic": lambda human, judge: metrics.cohen_kappa_score(human, judge, weights="quadratic"),
    "observed_agreement": metrics.accuracy_score,
    "mcc": metrics.matthews_corrcoef,
    "spearman": lambda human, judge: stats.spearmanr(human, judge).statistic,
    "n": lambda human, _: len(human),
    "fleiss_kappa": lambda human, judge: inter_rater.fleiss_kappa(inter_rater.aggregate_raters(np.array([human, judge]).T)[0]),
    "scott_pi": lambda human, judge: inter_rater.fleiss_kappa(inter_rater.aggregate_raters(np.array([human, judge]).T)[0]),
    "alpha_nominal": lambda human, judge: 1 - (1 - TWO_RATERS["scott_pi"](human, judge)) * (1 - 1 / (2 * len(human))),
}


@pytest.mark.parametrize("shape", ["table", "pairs", "ratings", "strata", "clusters"])
def test_a_figure_is_the_same_whatever_shape_its_items_came_in(shape: str) -> None:
    human, judge = items_of(TABLE)
    given = {"choices": THREE} | shapes_of(TABLE, THREE)[shape]
    for name, oracle in TWO_RATERS.items():
        if shape == "strata" and name == "alpha_nominal":
            continue  # how many values a weighted population has is a convention
        if shape in ("pairs", "ratings") and name == "fleiss_kappa":
            continue  # a rater is missing for some items, and Fleiss takes the same number for all
        assert got(given, name) == pytest.approx(oracle(human, judge), abs=1e-9), name


@pytest.mark.parametrize("shape", ["table", "pairs", "ratings", "strata", "clusters"])
def test_measures_of_a_positive_choice_are_the_same_in_every_shape(shape: str) -> None:
    human, judge = items_of(BINARY)
    given = YES_NO | shapes_of(BINARY, ["yes", "no"])[shape]
    oracles = {
        "sensitivity": metrics.recall_score(human, judge, pos_label=0),
        "specificity": metrics.recall_score(human, judge, pos_label=1),
        "precision": metrics.precision_score(human, judge, pos_label=0),
        "npv": metrics.precision_score(human, judge, pos_label=1),
        "f1": metrics.f1_score(human, judge, pos_label=0),
        "balanced_accuracy": metrics.balanced_accuracy_score(human, judge),
        "positive_agreement_no": metrics.f1_score(human, judge, pos_label=1),
        "prevalence": 0.22,
        "prevalence_index_abs": 0.51,
        "bias_index_abs": 0.05,
        "pabak": 0.74,
    }
    for name, value in oracles.items():
        assert got(given, name) == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("name", ["kappa", "kappa_linear", "kappa_quadratic"])
def test_standard_errors_equal_statsmodels(name: str) -> None:
    kind = {"kappa": None, "kappa_linear": "linear", "kappa_quadratic": "quadratic"}[name]
    oracle = inter_rater.cohens_kappa(np.array(TABLE), wt=kind)
    assert got({"choices": THREE, "table": TABLE}, f"{name}_se") == pytest.approx(oracle.std_kappa, abs=1e-9)


def test_the_standard_error_of_any_figure_follows_from_its_differences() -> None:
    given = YES_NO | {"table": BINARY}
    assert got(given, "observed_agreement_se") == pytest.approx(math.sqrt(0.87 * 0.13 / 100), abs=1e-9)
    assert got(given, "precision_se") == pytest.approx(math.sqrt(18 / 27 * 9 / 27 / 27), abs=1e-9)
    assert got(given, "sensitivity_yes_se") == pytest.approx(math.sqrt(18 / 22 * 4 / 22 / 22), abs=1e-9)
    assert got(given, "pabak_se") == pytest.approx(2 * math.sqrt(0.87 * 0.13 / 100), abs=1e-9)


def test_pairs_of_many_raters_and_gaps_give_the_figures_of_many_raters() -> None:
    krippendorff = next(each for each in load_cases(OWN_COPY) if each["id"] == "alpha-krippendorff-2011")
    for name, group in (("ac1", "many_raters"), ("alpha_ratio", "agreement_table"), ("ac2_quadratic", "undefined")):
        assert got(krippendorff["input"], name, group) == pytest.approx(krippendorff["expected"][name]["value"], abs=1e-9)
    assert got(krippendorff["input"], "n", "krippendorff_alpha") == 11


# Intervals and designs


def test_any_figure_has_delta_plus_c_and_its_recommended_interval() -> None:
    given = YES_NO | {"table": BINARY}
    assert got(given, "delta4_low") == pytest.approx(got(given, "kappa_low"), abs=1e-9)
    assert got(given, "kappa_delta4_high") == pytest.approx(got(given, "recommended_high"), abs=1e-9)
    assert got(given, "ac1_delta2_low") == pytest.approx(got(given, "ac1_low"), abs=1e-9)
    assert got(given, "mcc_delta4_high") == pytest.approx(got(given, "mcc_recommended_high"), abs=1e-9)
    three = {"choices": THREE, "table": TABLE}
    assert got(three, "delta3_low") == pytest.approx(got(three, "kappa_low"), abs=1e-9)


def test_wilson_and_clopper_pearson_are_those_of_the_share_that_is_named() -> None:
    for given in ({"successes": 18, "n": 22}, YES_NO | {"table": [[18, 4], [0, 0]]}, YES_NO | {"table": BINARY}):
        share = "" if "successes" in given else "sensitivity_"
        for method, oracle in (("wilson", "wilson"), ("clopper_pearson", "beta")):
            low, high = proportion_confint(18, 22, method=oracle)
            assert got(given, f"{share}{method}_low") == pytest.approx(low, abs=1e-9)
            assert got(given, f"{share}{method}_high") == pytest.approx(high, abs=1e-9)


def test_a_strict_figure_counts_an_unreadable_verdict_as_a_disagreement() -> None:
    given = {"choices": THREE, "table": TABLE, "unreadable": [2, 0, 3]}
    as_a_choice = [[*row, more] for row, more in zip(TABLE, (2, 0, 3), strict=True)] + [[0] * 4]
    assert got(given, "kappa_strict") == pytest.approx(metrics.cohen_kappa_score(*items_of(as_a_choice)), abs=1e-12)
    assert got(given, "kappa_strict_se") == pytest.approx(inter_rater.cohens_kappa(np.array(as_a_choice)).std_kappa, abs=1e-9)
    assert got(given, "observed_agreement_strict") == 45 / 65
    assert got(given, "sensitivity_low_strict") == 20 / 28
    assert got(given, "sensitivity_strict_low") == pytest.approx(proportion_confint(20, 28, method="wilson")[0], abs=1e-9)
    assert got(given, "kappa_linear_readable") == got(given, "kappa_linear")


STRATA = [
    {"stratum": "verdict=yes", "population": 318, "table": [[30, 0], [70, 0]]},
    {"stratum": "verdict=no", "population": 682, "table": [[0, 1], [0, 99]]},
]


def test_weighted_figures_are_those_of_the_population_that_the_strata_stand_for() -> None:
    given = YES_NO | {"strata": STRATA}
    whole = [[95.4, 6.82], [222.6, 675.18]]
    weights = [count for row in whole for count in row]
    cells = ([0, 0, 1, 1], [0, 1, 0, 1])
    assert got(given, "scott_pi") == pytest.approx(1 - (0.22942 / (1 - sum(x**2 for x in (0.21011, 0.78989)))), abs=1e-9)
    assert got(given, "mcc") == pytest.approx(metrics.matthews_corrcoef(*cells, sample_weight=weights), abs=1e-9)
    assert got(given, "positive_agreement_no") == pytest.approx(
        metrics.f1_score(*cells, sample_weight=weights, pos_label=1), abs=1e-9
    )
    assert got(given, "prevalence_no") == pytest.approx(1 - 0.10222, abs=1e-12)
    assert got(given, "unweighted_mcc") == pytest.approx(metrics.matthews_corrcoef(*items_of([[30, 1], [70, 99]])), abs=1e-12)
    assert got(given, "unweighted_precision_low") == pytest.approx(proportion_confint(30, 100, method="wilson")[0], abs=1e-9)
    assert got(given, "sensitivity_yes_se") == pytest.approx(0.06268117955459543, abs=1e-9)
    error = math.sqrt(0.318**2 * 0.3 * 0.7 / 100 + 0.682**2 * 0.01 * 0.99 / 100)
    assert got(given, "prevalence_se") == got(given, "post_stratified_se") == pytest.approx(error, abs=1e-12)
    assert got(given, "observed_agreement_se") == pytest.approx(error, abs=1e-9)


def test_half_a_pseudo_item_goes_into_every_cell_that_a_stratum_can_fill() -> None:
    four = [{"stratum": name, "population": 100, "table": BINARY} for name in "abcd"]
    given = YES_NO | {"strata": four}
    halves = [[count + 0.5 for count in row] for row in BINARY]
    total = sum(map(sum, halves))
    p = np.array(halves) / total
    human, judge = p.sum(axis=1), p.sum(axis=0)
    chance = float(human @ judge)
    kappa = (np.trace(p) - chance) / (1 - chance)
    gradient = (np.eye(2) * (1 - chance) - (judge[None, :].repeat(2, 0).T + human[None, :]) * (1 - np.trace(p))) / (1 - chance) ** 2
    error = math.sqrt(((p * gradient**2).sum() - (p * gradient).sum() ** 2) / (4 * total))
    low = kappa - stats.t.ppf(0.975, 4 * 100 - 4) * error
    assert got(given, "delta_half_low", "post_stratified") == pytest.approx(low, abs=1e-9)


def test_a_kappa_of_groups_has_both_robust_errors_and_the_items_own() -> None:
    mild = next(each for each in load_cases(OWN_COPY) if each["id"] == "clusters-mild")
    given = mild["input"]
    assert got(given, "kappa_se", "cluster_robust") == got(given, "kappa_se_linearised", "cluster_robust")
    assert got(given, "kappa_se_item", "cluster_robust") == got(given, "unweighted_kappa_se", "cluster_robust")
    assert got(given, "sensitivity_se_jackknife", "undefined") > 0
    assert got(given, "fisher_t_low") == got(given, "kappa_fisher_t_low")


def test_custom_weights_come_as_agreement_or_as_disagreement() -> None:
    disagreement = [[0, 1, 3], [1, 0, 6], [3, 6, 0]]
    agreement = [[6, 5, 3], [5, 6, 0], [3, 0, 6]]
    for group in ("cohen_kappa", "robustness"):
        ones = {"choices": THREE, "table": TABLE, "disagreement_weights": disagreement}
        others = {"choices": THREE, "table": TABLE, "agreement_weights": agreement}
        assert got(ones, "kappa_weighted", group) == pytest.approx(got(others, "kappa_weighted", group), abs=1e-12)
        assert got(ones, "kappa_weighted_se", group) == pytest.approx(got(others, "kappa_weighted_se", group), abs=1e-12)
    linear = {"choices": THREE, "pairs": [["low", "high"], *shapes_of(TABLE, THREE)["pairs"]["pairs"]]}
    weights = [[1, 0.5, 0], [0.5, 1, 0.5], [0, 0.5, 1]]
    assert got(linear | {"agreement_weights": weights}, "kappa_weighted") == pytest.approx(got(linear, "kappa_linear"), abs=1e-12)


# Other shapes


def test_mcnemar_is_asked_of_a_table_of_counts_and_of_two_judges() -> None:
    exact = mcnemar(np.array(BINARY), exact=True).pvalue
    for given in (
        YES_NO | {"table": BINARY},
        YES_NO | shapes_of(BINARY, ["yes", "no"])["pairs"],
        {"only_first": 4, "only_second": 9},
    ):
        assert got(given, "mcnemar_exact_p") == pytest.approx(exact, abs=1e-12)
        midp = 2 * stats.binom.cdf(4, 13, 0.5) - stats.binom.pmf(4, 13, 0.5)
        assert got(given, "mcnemar_midp") == pytest.approx(midp, abs=1e-12)


def test_two_judges_have_every_figure_of_one() -> None:
    table3 = [[[50, 14], [6, 10]], [[8, 6], [18, 88]]]
    given = YES_NO | {"table3": table3}
    first, second = np.sum(table3, axis=2).tolist(), np.sum(table3, axis=1).tolist()
    for name in ("kappa", "sensitivity", "ac1", "mcc"):
        assert got(given, f"{name}_1", "robustness") == got(YES_NO | {"table": first}, name)
        assert got(given, f"{name}_2", "robustness") == got(YES_NO | {"table": second}, name)
    assert got(given, "n") == 200


def test_scores_have_ranks_thresholds_and_numeric_alphas() -> None:
    pairs = [[1, 2], [3, 2.5], [3, 4], [5, 4], [7, None], [8, 7], [8, 8], [10, 10], [None, 1], [6, 1]]
    given = {"pairs": pairs, "threshold": 4}
    both = [pair for pair in pairs if None not in pair]
    human, judge = zip(*both, strict=True)
    assert got(given, "spearman", "score", question_type="score") == pytest.approx(
        stats.spearmanr(human, judge).statistic, abs=1e-9
    )
    sides = [[int(score >= 4) for score in side] for side in (human, judge)]
    assert got(given, "kappa_at_threshold", "score") == pytest.approx(metrics.cohen_kappa_score(*sides), abs=1e-12)
    assert got(given, "sensitivity_at_threshold", "score") == pytest.approx(metrics.recall_score(*sides), abs=1e-12)
    assert got(given, "n", "score") == 8
    values = np.array(both, dtype=float)
    observed = ((values[:, 0] - values[:, 1]) ** 2).mean()
    flat = values.ravel()
    expected = ((flat[:, None] - flat[None, :]) ** 2).sum() / (len(flat) * (len(flat) - 1))
    assert got(given, "alpha_interval", "score") == pytest.approx(1 - observed / expected, abs=1e-9)


def test_impossible_plans_have_no_n_and_possible_ones_take_the_judges_margin() -> None:
    impossible = {"kappa": 0.9, "prevalence": 0.1, "judge_prevalence": 0.3, "half_width": 0.1, "level": 0.95}
    assert check(case(impossible, {"n": None}, "planner")) == 1
    power = {"kappa0": 0.6, "kappa1": 0.9, "prevalence": 0.1, "judge_prevalence": 0.3, "power": 0.8}
    assert check(case(power, {"n": None}, "planner")) == 1
    assert check(case({"kappa": 1.0, "prevalence": 0.5, "half_width": 0.1}, {"n": None}, "planner")) == 1
    wide, narrow = ({"kappa": 0.4, "prevalence": 0.3, "judge_prevalence": 0.4, "half_width": width} for width in (0.2, 0.1))
    assert got(narrow, "n", "planner") > 3.5 * got(wide, "n", "planner")
    assert got(narrow | {"level": 0.9}, "n", "planner") < got(narrow, "n", "planner")


def test_adjusted_p_values_equal_statsmodels_in_any_order() -> None:
    p_values = [0.2, 0.01, 0.04, 0.03, 0.9, 0.01]
    adjusted = multipletests(p_values, method="fdr_bh")[1]
    for place, value in enumerate(adjusted):
        assert got({"p_values": p_values}, f"adjusted_{place}") == pytest.approx(value, abs=1e-12)


def test_steps_that_nobody_marked_are_undefined() -> None:
    nothing = {"items": [{"human": [], "judge": []}]}
    expected = {"first_exact": None, "mean_jaccard": None, "evidence_precision": None, "evidence_recall": None, "n_both": 0.0}
    assert check(case(nothing, expected, "step_level")) == 5
    near = {"items": [{"human": [3, 9], "judge": [5]}, {"human": [2], "judge": [2, 3]}]}
    assert [got(near, f"first_within_{k}", "step_level") for k in (1, 2)] == [0.5, 1.0]


def test_two_sides_of_sets_have_exact_matches_and_a_mean_overlap() -> None:
    pairs = [[["low"], ["low"]], [[], []], [["low", "high"], ["high"]], [["medium"], None], [["low"], ["high"]]]
    for shape in ("pairs", "ratings"):
        given = {"choices": THREE, shape: pairs}
        assert got(given, "exact_match", "multilabel", question_type="multilabel") == 0.5
        assert got(given, "mean_jaccard", "robustness", question_type="multilabel") == (1 + 1 + 0.5 + 0) / 4
        assert got(given, "n", "multilabel", question_type="multilabel") == 4


def test_a_list_is_several_ratings_of_one_rater_where_raters_are_modelled() -> None:
    rows = [
        ["a", "a", ["a", "b"]],
        ["b", "b", ["b", "b"]],
        ["a", "b", ["a", "a"]],
        ["b", "b", "b"],
        ["a", "a", None],
        ["b", "a", ["b", "a"]],
    ]
    given = {"choices": ["a", "b"], "ratings": rows}
    shares = [got(given, f"prevalence_{choice}", "dawid_skene") for choice in "ab"]
    assert sum(shares) == pytest.approx(1)
    posteriors = [got(given, f"item{item}_posterior_b", "dawid_skene") for item in range(6)]
    assert np.mean(posteriors) == pytest.approx(shares[1])
    assert got(given, "loglik", "dawid_skene") < 0
    two = {"choices": ["a", "b"], "ratings": [row[:2] for row in rows]}
    assert check(case(two, {"prevalence_a": None, "rater1_correct_b": None, "loglik": None}, "dawid_skene")) == 3
    unused = {"choices": ["a", "b", "c"], "ratings": rows}
    assert check(case(unused, {"prevalence_c": None, "item0_posterior_a": None}, "dawid_skene")) == 2


def test_a_labelled_part_has_the_figures_of_any_table() -> None:
    good = next(each for each in load_cases(OWN_COPY) if each["id"] == "prevalence-good-judge")
    table = good["input"]["labelled"]["table"]
    assert got(good["input"], "kappa", "prevalence") == got(YES_NO | {"table": table}, "kappa")
    assert got(good["input"], "sensitivity", "prevalence") == 18 / 22
    human, judge = items_of(table)
    pairs = [[("yes", "no")[i], ("yes", "no")[j]] for i, j in zip(human, judge, strict=True)]
    again = good["input"] | {"labelled": {"pairs": pairs}, "unlabelled_verdicts": ["yes"] * 300 + ["no"] * 1600}
    for name in ("post_stratified", "ppi", "ppi_low", "humans_only", "rogan_gladen"):
        assert got(again, name, "undefined") == pytest.approx(good["expected"][name]["value"], abs=1e-7)
    other_way = good["input"] | {"positive": "no"}
    assert got(other_way, "post_stratified", "prevalence") == pytest.approx(1 - good["expected"]["post_stratified"]["value"])


def test_nothing_at_all_is_undefined_in_every_shape() -> None:
    none = dict.fromkeys(("kappa", "observed_agreement", "scott_pi", "pabak", "ac1", "mcc", "sensitivity", "precision", "f1"))
    for given in (
        {"table": [[0, 0], [0, 0]]},
        {"pairs": []},
        {"ratings": [["yes", None], [None, None]]},
        {"pairs": [[None, "no"]]},
    ):
        shaped = {name: value for name, value in none.items() if not (name == "ac1" and "ratings" in given)}
        assert check(case(YES_NO | given, shaped | {"n": 0.0, "kappa_low": None, "kappa_se": None, "alpha_nominal": None})) > 10


def test_labels_have_the_figures_that_end_in_a_choice() -> None:
    pairs = [[["low"], ["low", "high"]], [[], ["high"]], [["low", "high"], ["high"]], [["medium"], None], [["high"], ["high"]]]
    given = {"choices": THREE, "pairs": pairs}
    expected = {"sensitivity_low": 1 / 2, "precision_high": 2 / 4, "positive_agreement_high": 4 / 6, "prevalence_low": 2 / 4}
    assert check(case(given, expected | {"sensitivity_medium": None}, "multilabel", question_type="multilabel")) == 5


def test_scores_of_a_labelled_part_correct_the_mean_of_all() -> None:
    scores = {"labelled": {"pairs": [[3, 4], [5, 5], [2, 2], [4, 4.5]]}, "unlabelled_verdicts": [2, 3, 4, 5, 4, 3, 1]}
    human, judge, rest = np.array([3, 5, 2, 4.0]), np.array([4, 5, 2, 4.5]), np.array(scores["unlabelled_verdicts"], dtype=float)
    weight = min(1.0, np.cov(human, judge, ddof=0)[0, 1] / ((1 + 4 / 7) * np.concatenate([judge, rest]).var(ddof=1)))
    mean = human.mean() + weight * (rest.mean() - judge.mean())
    error = math.sqrt((weight * rest).var() / 7 + (human - weight * judge).var() / 4)
    assert got(scores, "ppi_lambda", "prevalence") == pytest.approx(weight, abs=1e-12)
    assert got(scores, "ppi", "prevalence") == pytest.approx(mean, abs=1e-12)
    assert got(scores, "ppi_se", "prevalence") == pytest.approx(error, abs=1e-12)
    assert got(scores, "ppi_high", "prevalence") == pytest.approx(mean + 1.959963984540054 * error, abs=1e-9)


def test_one_group_or_an_error_of_nothing_leaves_no_fishers_interval() -> None:
    alone = YES_NO | {"clusters": [{"cluster": "a", "table": BINARY}]}
    expected = {"fisher_t_low": None, "kappa_se": None, "kappa_se_linearised": None, "kappa_se_jackknife": None}
    assert check(case(alone, expected | {"kappa": got(YES_NO | {"table": BINARY}, "kappa")}, "cluster_robust")) == 5
    perfect = YES_NO | {"clusters": [{"cluster": name, "table": [[2, 0], [0, 3]]} for name in "abcdefghijklmnop"]}
    assert 0 < got(perfect, "fisher_t_low", "cluster_robust") < 1 == got(perfect, "fisher_t_high", "cluster_robust")


def test_a_stratum_that_nobody_labelled_leaves_the_population_undefined() -> None:
    strata = [*STRATA, {"stratum": "unread", "population": 5, "table": [[0, 0], [0, 0]]}]
    expected = dict.fromkeys(("kappa", "kappa_se", "prevalence", "prevalence_se", "sensitivity_low", "kappa_delta_half_high"))
    assert check(case(YES_NO | {"strata": strata}, expected | {"unweighted_kappa": 0.29}, "post_stratified")) == 7
