"""Dawid and Skene, the alternative annotator test, Benjamini and Hochberg: right, guarded, and kept out of every figure."""

import ast
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from reports.alt_test import AltTest, alternative_annotator_test
from reports.dawid_skene import dawid_skene
from reports.false_discovery import benjamini_hochberg

ROOT = Path(__file__).parent.parent
ALONE = {"reports.dawid_skene", "reports.alt_test", "reports.false_discovery"}

same_every_time = settings(derandomize=True, max_examples=60, deadline=None)


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    return found


def test_no_room_imports_what_is_for_notebooks_alone() -> None:
    for room in ("annotate", "judge", "reports", "data"):
        for path in (ROOT / room).rglob("*.py"):
            assert not imported(path) & ALONE, path


# Benjamini and Hochberg


@same_every_time
@given(st.lists(st.floats(0, 1), max_size=20))
def test_adjusted_p_values_are_those_of_statsmodels_in_the_order_of_the_input(p_values: list[float]) -> None:
    wanted = multipletests(p_values, method="fdr_bh")[1].tolist() if p_values else []
    assert benjamini_hochberg(p_values) == pytest.approx(wanted, abs=1e-12)


def test_what_is_no_p_value_is_refused() -> None:
    for wrong in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="p-value"):
            benjamini_hochberg([0.5, wrong])


# Dawid and Skene


def people(items: int, accuracies: list[float], prevalence: float, seed: int, missing: float = 0.0) -> list[list[str | None]]:
    random_ = random.Random(seed)
    rows: list[list[str | None]] = []
    for _ in range(items):
        truth = "yes" if random_.random() < prevalence else "no"
        other = "no" if truth == "yes" else "yes"
        row: list[str | None] = [truth if random_.random() < accuracy else other for accuracy in accuracies]
        rows.append([None if random_.random() < missing else answer for answer in row])
    return rows


def in_products(ratings: list[list[Any]], choices: list[str], rounds: int) -> tuple[Any, Any, float]:
    """EM as the paper writes it, with products in place of logarithms."""
    votes = np.array([[[row[j] == c for c in choices] for j in range(len(row))] for row in ratings], dtype=float)
    truth = votes.sum(axis=1) / votes.sum(axis=(1, 2))[:, None]
    for _ in range(rounds):
        prevalence = truth.mean(axis=0)
        errors = np.einsum("ik,ijl->jkl", truth, votes)
        errors /= errors.sum(axis=2, keepdims=True)
        likelihood = prevalence * np.prod(np.prod(errors[None] ** votes[:, :, None, :], axis=3), axis=1)
        truth = likelihood / likelihood.sum(axis=1, keepdims=True)
    prevalence, errors = truth.mean(axis=0), np.einsum("ik,ijl->jkl", truth, votes)
    errors /= errors.sum(axis=2, keepdims=True)
    likelihood = prevalence * np.prod(np.prod(errors[None] ** votes[:, :, None, :], axis=3), axis=1)
    return truth, errors, float(np.log(likelihood.sum(axis=1)).sum())


def test_em_in_logarithms_is_em_in_products() -> None:
    ratings = people(120, [0.9, 0.8, 0.7, 0.6], 0.3, 4, missing=0.2)
    ratings = [row for row in ratings if any(row)]
    model = dawid_skene(ratings, ["yes", "no"])
    truth, errors, log_likelihood = in_products(ratings, ["yes", "no"], model.rounds)
    assert model.converged and not model.refused
    assert np.array(model.posteriors) == pytest.approx(truth, abs=1e-9)
    assert model.log_likelihood == pytest.approx(log_likelihood, abs=1e-9)
    assert [[[cell.value for cell in row] for row in each] for each in model.rater_confusions] == pytest.approx(errors, abs=1e-9)


def test_em_finds_prevalence_and_raters_of_its_own_model() -> None:
    model = dawid_skene(people(4000, [0.95, 0.8, 0.7, 0.6], 0.2, 1), ["yes", "no"])
    assert model.prevalence[0].value == pytest.approx(0.2, abs=0.03)
    assert [model.correct(rater, "no").value for rater in range(4)] == pytest.approx([0.95, 0.8, 0.7, 0.6], abs=0.03)
    assert "local optimum" in model.note and "local optimum" in model.prevalence[0].reason


def test_many_ratings_of_one_item_do_not_underflow() -> None:
    model = dawid_skene([[["yes"] * 2000, ["yes"] * 900 + ["no"] * 100, ["yes"]], [["no"] * 2000, "no", "no"]] * 3, ["yes", "no"])
    assert model.converged
    assert all(posterior is not None and sum(posterior) == pytest.approx(1) for posterior in model.posteriors)


def test_several_ratings_by_one_rater_count_one_by_one() -> None:
    ratings = people(60, [0.9, 0.8, 0.7], 0.4, 6)
    once = dawid_skene(ratings, ["yes", "no"])
    in_lists: list[list[Any]] = [[[first], second, (third,)] for first, second, third in ratings]
    assert dawid_skene(in_lists, ["yes", "no"]) == once
    in_lists[0][0] = ["no", "no", "yes"]
    thrice = dawid_skene(in_lists, ["yes", "no"])
    assert thrice.rater_confusions[0][0][0].n == once.rater_confusions[0][0][0].n + 2
    assert thrice.log_likelihood is not None and once.log_likelihood is not None
    assert thrice.log_likelihood < once.log_likelihood - 1


def test_em_refuses_two_raters_and_a_choice_that_nobody_gave_and_says_which() -> None:
    two = dawid_skene([["yes", "no", None]] * 30, ["yes", "no"])
    assert "2 raters" in two.refused and two.posteriors == () and two.prevalence[0].value is None
    assert two.correct(0, "yes").value is None and two.correct(0, "yes").reason
    never = dawid_skene(people(30, [0.9] * 3, 0.5, 1), ["yes", "no", "maybe"])
    assert "maybe" in never.refused and not never.converged
    assert "0 raters" in dawid_skene([], ["yes", "no"]).refused


def test_an_item_that_nobody_rated_has_no_posterior_and_changes_nothing() -> None:
    ratings = people(40, [0.9, 0.8, 0.7], 0.4, 2)
    with_gap = dawid_skene([*ratings, [None, None, None]], ["yes", "no"])
    without = dawid_skene(ratings, ["yes", "no"])
    assert with_gap.posteriors[-1] is None and with_gap.posteriors[:-1] == without.posteriors
    assert with_gap.prevalence == without.prevalence


def test_a_rater_who_never_met_a_choice_has_no_error_rate_there() -> None:
    ratings: list[list[Any]] = [["a", "a", "a", None]] * 9 + [["b", "b", "b", "b"]] * 9
    model = dawid_skene(ratings, ["a", "b"])
    assert model.correct(3, "a").value is None and "a" in model.correct(3, "a").reason
    assert model.correct(3, "b").value == pytest.approx(1)


def test_ratings_that_are_none_of_the_choices_or_rows_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="perhaps"):
        dawid_skene([["yes", "perhaps", "no"]], ["yes", "no"])
    with pytest.raises(ValueError, match="one length"):
        dawid_skene([["yes", "no"], ["yes"]], ["yes", "no"])


# The alternative annotator test


def annotators(items: int, accuracies: list[float], prevalence: float, seed: int) -> tuple[list[str], list[list[str]]]:
    rows = people(items, [1.0, *accuracies], prevalence, seed)
    columns = [[str(row[place]) for row in rows] for place in range(len(accuracies) + 1)]
    return columns[0], columns[1:]


def test_the_published_example_by_hand() -> None:
    # Annotator 1 differs from the judge on the last item alone, where the judge says what the others say:
    # t = (-1/6 - .2)/(1/6) = -2.2 with five degrees of freedom.
    test = alternative_annotator_test([1, 1, 0, 0, 1, 0], [[1, 1, 0, 0, 1, 1], [1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 1, 0]], 0.2)
    assert [each.p.value for each in test.annotators] == pytest.approx([0.039546948951591186] * 3, abs=1e-12)
    assert (test.winning_rate.value, test.advantage.value, test.passed) == (0.0, 1.0, None)
    assert any("6 items" in reason for reason in test.reasons)


def test_p_values_are_those_of_scipy() -> None:
    truth, humans = annotators(80, [0.9, 0.85, 0.8], 0.5, 3)
    judge = annotators(80, [0.85], 0.5, 9)[1][0]
    judge = [own if place % 3 else other for place, (own, other) in enumerate(zip(truth, judge, strict=True))]
    test = alternative_annotator_test(judge, humans, 0.15)
    for place, each in enumerate(test.annotators):
        others = [row for k, row in enumerate(humans) if k != place]
        d = []
        for item, (own, verdict) in enumerate(zip(humans[place], judge, strict=True)):
            fits = [sum(row[item] == answer for row in others) for answer in (own, verdict)]
            d.append((fits[0] >= fits[1]) - (fits[1] >= fits[0]))
        assert each.p.value == pytest.approx(ttest_1samp(np.array(d, dtype=float), 0.15, alternative="less").pvalue, abs=1e-12)


def test_a_judge_as_good_as_accurate_annotators_passes_and_the_majority_judge_does_not() -> None:
    truth, humans = annotators(300, [0.95, 0.93, 0.92], 0.5, 5)
    test = alternative_annotator_test(truth, humans, 0.15)
    assert test.passed is True and test.reasons == () and test.winning_rate.value == 1.0
    assert test.always_majority is not None and test.always_majority.winning_rate.value == 0.0
    assert test.always_majority.passed is None


def test_a_bad_judge_of_accurate_annotators_fails() -> None:
    truth, humans = annotators(300, [0.95, 0.93, 0.92], 0.5, 5)
    coin = random.Random(1)
    test = alternative_annotator_test([coin.choice(["yes", "no"]) for _ in truth], humans, 0.15)
    assert test.passed is False and test.reasons == ()


def reasons(test: AltTest) -> str:
    assert test.passed is None
    return " | ".join(test.reasons)


def test_an_always_no_judge_at_rare_positives_wins_and_is_not_passed() -> None:
    _, humans = annotators(60, [0.99, 0.97, 0.95], 0.05, 7)
    test = alternative_annotator_test(["no"] * 60, humans, 0.2)
    assert test.winning_rate.value is not None and test.winning_rate.value >= 0.5
    assert "constant" in reasons(test) and "yes makes up" in reasons(test)
    assert test.always_majority is not None and test.always_majority.winning_rate == test.winning_rate


def test_every_guard_withholds_the_pass_with_its_own_reason() -> None:
    truth, humans = annotators(300, [0.95, 0.93, 0.92], 0.5, 5)
    assert "2 annotators" in reasons(alternative_annotator_test(truth, humans[:2], 0.15))
    few = [row[:29] + [None] * 271 for row in humans[:1]] + humans[1:]  # type: ignore[operator]
    assert "29 items" in reasons(alternative_annotator_test(truth, few, 0.15))
    assert "constant" in reasons(alternative_annotator_test(["yes"] * 300, humans, 0.15))
    guessing = [annotators(300, [0.5], 0.5, seed)[1][0] for seed in (1, 2, 3)]
    assert "alpha" in reasons(alternative_annotator_test(truth, guessing, 0.15))
    assert "maybe makes up 0.0 %" in reasons(alternative_annotator_test(truth, humans, 0.15, choices=["yes", "no", "maybe"]))
    same = [["yes"] * 40] * 3
    assert "undefined" in reasons(alternative_annotator_test(["yes", "no"] * 20, same, 0.15))


def test_items_without_judge_or_second_human_are_left_out() -> None:
    truth, humans = annotators(100, [0.95, 0.93, 0.92], 0.5, 5)
    judge: list[str | None] = [None if item < 10 else answer for item, answer in enumerate(truth)]
    lonely: list[list[str | None]] = [list(humans[0]), [None] * 20 + humans[1][20:], [None] * 20 + humans[2][20:]]  # type: ignore[operator]
    test = alternative_annotator_test(judge, lonely, 0.15)
    assert [each.n for each in test.annotators] == [80, 80, 80]
    assert alternative_annotator_test(truth[20:], [row[20:] for row in humans], 0.15).annotators == test.annotators


def test_nobody_to_compare_is_undefined_with_a_reason() -> None:
    for humans in ([], [[None, None]], [[1, 0]]):
        test = alternative_annotator_test([1, 0], humans, 0.2)
        assert test.winning_rate.value is None and test.winning_rate.reason and test.passed is None and test.reasons


def test_a_wrong_question_is_refused() -> None:
    for wrong in (
        {"humans": [[1]]},
        {"epsilon": 1.5},
        {"score": "kappa"},
        {"choices": [1]},
        {"fdr": 0},
    ):
        given = {"judge": [1, 0], "humans": [[1, 0], [0, 1]], "epsilon": 0.2} | wrong
        with pytest.raises(ValueError, match=r"Found|Unknown|Name them"):
            alternative_annotator_test(**given)  # type: ignore[arg-type]
