"""Before a prompt is revised: what is said where the codebook is the trouble, and where nobody can tell."""

from collections import Counter

import pytest

from judge.readiness import agreement_of_people, double_labels_needed, readiness
from reports.estimate import Estimate


def kappa(value: float, low: float, high: float, n: int = 50) -> Estimate:
    return Estimate(value, low, high, n, "delta+4")


GOOD = kappa(0.75, 0.60, 0.86)


def test_people_who_agree_and_causes_that_blame_the_judge_leave_nothing_to_say() -> None:
    assert readiness(GOOD, Counter({"judge wrong": 30})) == readiness(GOOD, {}) and readiness(GOOD, {}).words == ()


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (kappa(0.39, 0.10, 0.70), "below 0.4"),
        (kappa(0.45, 0.35, 0.59), "upper end of its interval is below 0.6"),
        (kappa(0.45, 0.41, 0.59), "upper end of its interval is below 0.6"),
    ],
)
def test_low_agreement_between_people_stops_a_revision(people: Estimate, words: str) -> None:
    found = readiness(people, {})
    assert not found.ready and found.words[0].startswith("Mend the codebook first") and words in found.words[1]


def test_the_bounds_themselves_are_high_enough() -> None:
    found = readiness(kappa(0.40, 0.40, 0.60), {})
    assert found.ready and found.words == ()


@pytest.mark.parametrize(
    ("blamed", "total", "ready"), [(6, 20, True), (7, 20, False), (19, 19, True), (30, 100, True), (31, 100, False)]
)
def test_more_than_thirty_percent_of_twenty_causes_stop_it(blamed: int, total: int, ready: bool) -> None:
    causes = {"codebook ambiguous": blamed, "judge wrong": total - blamed}
    found = readiness(GOOD, causes)
    assert found.ready is ready
    assert ready or f"{blamed} of {total}" in found.words[1]


def test_both_reasons_are_told() -> None:
    assert len(readiness(kappa(0.2, 0.0, 0.4), {"codebook ambiguous": 20}).words) == 3


def test_a_low_lower_bound_alone_says_how_many_double_labels_would_do() -> None:
    found = readiness(kappa(0.62, 0.30, 0.82, 30), {})
    assert found.ready and found.words[0].startswith("Too few double labels to tell")
    assert "about 130 items" in found.words[1], found.words


def test_with_so_many_labels_the_lower_bound_lies_above_by_the_margin_of_the_power() -> None:
    people = kappa(0.62, 0.30, 0.82, 30)
    needed = double_labels_needed(people)
    assert needed is not None
    half = (0.62 - 0.30) * (30 / needed) ** 0.5
    assert (0.62 - 0.4) / half == pytest.approx((1.95996 + 0.84162) / 1.95996, rel=0.01)


def test_a_kappa_at_the_bound_is_no_plan() -> None:
    assert double_labels_needed(kappa(0.4, 0.2, 0.61)) is None
    assert "no number of labels" in readiness(kappa(0.4001, 0.2, 0.61), {}).words[1]


def test_unknown_agreement_is_told_as_unknown_and_is_no_reason_to_stop() -> None:
    found = readiness(Estimate.undefined(0, "delta+4", "no item has two labels"), {})
    assert found.ready and "no item has two labels" in found.words[1] and "--overlap 2" in found.words[1]


def test_two_people_are_told_by_kappa_and_more_by_alpha() -> None:
    two, more = kappa(0.5, 0.4, 0.7).as_json(), kappa(0.6, 0.4, 0.7).as_json()
    pair = {"kappa": two}
    assert agreement_of_people({"human_human": {"pairs": [pair], "krippendorff_alpha": more}}).value == 0.5
    assert agreement_of_people({"human_human": {"pairs": [pair, pair], "krippendorff_alpha": more}}).value == 0.6
    assert agreement_of_people({"human_human": {"pairs": [{"by_label": {}}], "krippendorff_alpha": more}}).value == 0.6
