"""`rejudge plan`: what it starts from, what it refuses, and when it says enough."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

import rejudge
from data.questions import Question
from data.store import Store
from data.study import Study
from reports.of_study.plan import plan_of, seen_so_far
from reports.plan_document import ASSUMED, GIVEN, JUDGE, SEEN, Wish, planned
from reports.plan_text import plan_text, roughly, status_words
from reports.planner import items_for_width
from tests.study_maker import KIND, MISALIGNED, Sitting, draw_batch, make_study, run_line, verdict

A, M = "aligned", "misaligned"
Json = dict[str, Any]


Truth = dict[str, str | None]


def judged(folder: Path, items: int = 200, rate: float = 0.2, right: float = 0.9) -> tuple[Study, Truth]:
    """A study whose judge is right on a share of the items, and the truth."""
    chance = random.Random(11)
    truth: Truth = {}
    lines = []
    for place in range(items):
        true, other = (M, A) if chance.random() < rate else (A, M)
        truth[f"r{place:03}"] = true
        lines.append(run_line(f"r{place:03}", verdicts=[verdict(true if chance.random() < right else other)]))
    return make_study(folder, lines), truth


def labelled(study: Study, truth: Truth, size: int, **draw: Any) -> None:
    draw_batch(study, size, **draw)
    with Sitting(study, "ana") as ana:
        ana.label_all(truth)


def plan(study: Study, wish: Wish | None = None) -> Json:
    with Store.open(study.database) as store:
        return json.loads(json.dumps(plan_of(study, store, None, None, wish)))  # type: ignore[no-any-return]


def part_of(study: Study, **wish: Any) -> Json:
    part: Json = plan(study, Wish(**wish))["questions"][0]["runs"][0]["parts"][0]
    return part


# What it starts from


def test_without_a_verdict_or_a_label_it_says_what_it_assumes(tmp_path: Path) -> None:
    part = part_of(make_study(tmp_path / "study", [run_line(f"r{place}") for place in range(5)]))
    assert (part["assumed"]["kappa"], part["assumed"]["kappa_from"], part["assumed"]["shares_from"]) == (0.6, ASSUMED, ASSUMED)
    assert part["width"]["simple"]["n"] == 246 and "by_verdict" not in part["width"]
    assert part["now"] == {"status": "not yet", "half_width": None, "more": 246, "left": 5}


def test_before_the_first_label_the_judges_rate_stands_for_both_sides(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line(f"r{k:03}", verdicts=[verdict(M if k < 90 else A)]) for k in range(900)])
    part = part_of(study)
    assert part["assumed"]["shares_from"] == JUDGE and part["assumed"]["shares"] == [0.1, 0.9]
    assert part["width"]["simple"]["n"] == items_for_width(0.6, 0.1, 0.1).n
    assert part["width"]["by_verdict"]["by_verdict"][0] == 90  # all there are
    assert part["expected"]["n"] == 450


def test_from_twenty_labels_on_it_starts_from_what_was_seen(tmp_path: Path) -> None:
    study, truth = judged(tmp_path / "study")
    labelled(study, truth, 60)
    part = part_of(study)
    table = part["table"]
    assert part["labelled"] == 60 and part["assumed"]["kappa_from"] == part["assumed"]["shares_from"] == SEEN
    assert part["assumed"]["kappa"] == pytest.approx(part["kappa"]["value"])
    assert part["assumed"]["shares"][0] == pytest.approx(sum(table[0]))
    assert part["assumed"]["judge"] == pytest.approx(table[0][0] + table[1][0])
    few, few_truth = judged(tmp_path / "few")
    labelled(few, few_truth, 19)
    assert part_of(few)["assumed"]["kappa_from"] == ASSUMED


def test_what_is_given_takes_the_place_of_what_was_seen(tmp_path: Path) -> None:
    study, truth = judged(tmp_path / "study")
    labelled(study, truth, 60)
    at = part_of(study, prevalence=0.5, kappa=0.8)
    assert (at["assumed"]["kappa_from"], at["assumed"]["shares_from"]) == (GIVEN, GIVEN)
    assert at["width"]["simple"]["n"] == 139


def test_the_first_of_two_choices_is_the_positive_one(tmp_path: Path) -> None:
    turned = Question("misaligned", "?", "binary", (M, A), M)
    lines = [run_line(f"r{k:03}", verdicts=[verdict(M if k < 30 else A)]) for k in range(300)]
    for questions in ((MISALIGNED,), (turned,)):
        assert part_of(make_study(tmp_path / questions[0].choices[0], lines, questions))["assumed"]["shares"][0] == 0.1


def test_perfect_agreement_so_far_does_not_plan_for_no_items(tmp_path: Path) -> None:
    study, truth = judged(tmp_path / "study", right=1.0)
    labelled(study, truth, 40)
    part = part_of(study, half_width=0.05)
    assert part["kappa"]["value"] == 1.0 and part["width"]["simple"]["n"] > 20
    assert part["now"]["status"] == "not yet" and part["now"]["more"] > 0


def test_groups_raise_the_number_by_the_design_effect_seen_so_far(tmp_path: Path) -> None:
    chance = random.Random(3)
    lines, truth = [], {}
    for group in range(40):
        bad, right = chance.random() < 0.5, chance.random() < 0.7
        for place in range(5):
            id = f"g{group:02}-{place}"
            truth[id] = M if bad else A
            said = truth[id] if right else (A if bad else M)
            lines.append(run_line(id, group=f"g{group}", verdicts=[verdict(said)]))
    study = make_study(tmp_path / "study", lines)
    labelled(study, dict(truth), 200)
    part = part_of(study)
    effect = part["assumed"]["design_effect"]
    assert effect > 3
    at = part["assumed"]
    alone = items_for_width(at["kappa"], at["shares"][0], 0.1, at["judge"]).n
    assert alone is not None and part["width"]["simple"]["n"] == pytest.approx(effect * alone, abs=effect + 1)


# Enough or not


def test_enough_is_told_by_the_width_of_the_interval_as_it_is(tmp_path: Path) -> None:
    study, truth = judged(tmp_path / "study", items=400, rate=0.5)
    labelled(study, truth, 300)
    part = part_of(study)
    kappa = part["kappa"]
    width = (kappa["high"] - kappa["low"]) / 2
    assert width < 0.1 and part["now"] == {"status": "enough", "half_width": width, "more": 0, "left": 100}
    tighter = part_of(study, half_width=width / 2)["now"]
    assert tighter["status"] == "not yet" and tighter["more"] == pytest.approx(900, abs=2)
    assert "more than the 100 that are left" in status_words(part_of(study, half_width=width / 2), width / 2)


def test_the_verdict_on_enough_does_not_know_the_value_of_kappa(tmp_path: Path) -> None:
    study, truth = judged(tmp_path / "study")
    labelled(study, truth, 60)
    with Store.open(study.database) as store:
        seen = seen_so_far(study, store, None, None)
    part = seen["questions"][0]["runs"][0]["parts"][0]
    before = planned(seen, Wish())["questions"][0]["runs"][0]["parts"][0]["now"]
    part["kappa"] = part["kappa"] | {"low": part["kappa"]["low"] - 0.3, "high": part["kappa"]["high"] - 0.3, "value": 0.1}
    assert planned(seen, Wish())["questions"][0]["runs"][0]["parts"][0]["now"] == pytest.approx(before)


def test_unreadable_verdicts_that_lead_to_strict_figures_are_planned_by_them(tmp_path: Path) -> None:
    lines = [run_line(f"r{k:02}", verdicts=[verdict(None if k % 10 == 0 else (M if k % 2 else A))]) for k in range(60)]
    study = make_study(tmp_path / "study", lines)
    labelled(study, {f"r{k:02}": M if k % 2 else A for k in range(60)}, 60)
    part = part_of(study)
    assert part["strict"] and part["kappa"]["value"] < 1.0 and part["readable_kappa"] == 1.0
    assert "kappa, strict" in status_words(part, 0.1)


# Refusals


def test_a_kappa_that_the_margins_do_not_allow_is_refused_with_the_maximum(tmp_path: Path) -> None:
    lines = [run_line(f"r{k:03}", verdicts=[verdict(M if k % 2 else A)]) for k in range(200)]
    study = make_study(tmp_path / "study", lines)
    labelled(study, {f"r{k:03}": M if k % 10 == 1 else A for k in range(200)}, 200)
    part = part_of(study, kappa=0.9, kappa0=0.1)
    for refused in (*part["width"].values(), part["show"]["simple"]):
        assert refused["n"] is None and refused["maximum"] == pytest.approx(0.2) and "at most 0.2" in refused["reason"]
    assert "expected" not in part
    assert part["now"]["more"] is not None  # the width as it is still tells


def test_what_was_seen_below_the_bound_is_not_planned_to_be_shown_above_it(tmp_path: Path) -> None:
    study, truth = judged(tmp_path / "study", right=0.7)
    labelled(study, truth, 100)
    show = part_of(study, kappa0=0.8)["show"]
    assert show["simple"]["n"] is None and "not above 0.8" in show["simple"]["reason"]
    assert part_of(study, kappa0=0.8, kappa1=0.9, prevalence=0.5)["show"]["simple"]["n"] > 0


def test_before_anything_is_seen_a_bound_is_planned_to_be_cleared_by_a_fifth(tmp_path: Path) -> None:
    show = part_of(make_study(tmp_path / "study", [run_line("r1")]), kappa0=0.6)["show"]
    assert (show["kappa1"], show["simple"]["n"]) == (0.8, 108)


# Other questions


def test_questions_of_many_choices_labels_and_scores_have_plans_of_their_own(tmp_path: Path) -> None:
    harms = Question("harms", "Which?", "multilabel", ("privacy", "money"), None)
    skill = Question("skill", "How?", "score", (), None, min=0, max=10, threshold=7)
    plain = Question("plain", "How?", "score", (), None, min=0, max=10)
    lines = []
    for place in range(60):
        said = [
            {"run": "judge-a", "question": "kind", "choice": KIND.choices[place % 3]},
            {"run": "judge-a", "question": "harms", "choices": ["privacy"] if place % 4 == 0 else ["money"]},
            {"run": "judge-a", "question": "skill", "score": place % 11},
            {"run": "judge-a", "question": "plain", "score": place % 11},
        ]
        lines.append(run_line(f"r{place:02}", verdicts=said))
    study = make_study(tmp_path / "study", lines, (KIND, harms, skill, plain))
    document = plan(study)
    kind, several, score, without = ([part for run in each["runs"] for part in run["parts"]] for each in document["questions"])
    assert kind[0]["width"]["simple"]["n"] == items_for_width(0.6, [1 / 3] * 3, 0.1).n
    assert [part["of"] for part in several] == ["privacy", "money"] and "by_verdict" not in several[0]["width"]
    assert score[0]["of"] == "7 or above" and score[0]["width"]["simple"]["n"]
    assert "threshold" in without[0]["reason"]
    text = plan_text(document, 70)
    assert all(len(line) <= 70 for line in text.splitlines())
    assert "Scores without a threshold" in text


# The command


def test_the_command_prints_a_plan_and_no_count_of_verdicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, _ = judged(tmp_path / "study", items=187)
    positive = part_of(study)["verdicts"][0]
    assert rejudge.main(["plan", "--study", str(study.folder)]) == 0
    said = capsys.readouterr().out
    assert "not yet" in said and "± 0.10" in said and "width of the interval alone" in said
    assert str(positive) not in said and str(187 - positive) not in said
    assert f"{positive / 187:.2f}" not in said
    draw_batch(study, 30)
    assert rejudge.main(["plan", "--study", str(study.folder), "--json", "--kappa0", "0.5", "--run", "judge-a"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["questions"][0]["runs"][0]["parts"][0]["show"]["kappa0"] == 0.5
    assert "not for who still labels" in captured.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--half-width", "0"], "--half-width is out of range"),
        (["--half-width", "nan"], "--half-width is out of range"),
        (["--prevalence", "10"], "--prevalence is out of range"),
        (["--kappa", "1"], "--kappa is out of range"),
        (["--power", "0.2", "--kappa0", "0.5"], "--power is out of range"),
        (["--kappa1", "0.8"], "--kappa1 needs --kappa0"),
        (["--kappa0", "0.8", "--kappa1", "0.8"], "above what it is not"),
        (["--question", "nosuch"], "no question 'nosuch'"),
        (["--run", "nosuch"], "no judge run 'nosuch'"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_words(
    tmp_path: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study = make_study(tmp_path / "study", [run_line("r1", verdicts=[verdict(M)])])
    assert rejudge.main(["plan", "--study", str(study.folder), *options]) == 1
    assert said in capsys.readouterr().err


def test_a_study_without_a_question_has_nothing_to_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = make_study(tmp_path / "study", questions=())
    assert rejudge.main(["plan", "--study", str(study.folder)]) == 0
    assert "no question yet" in capsys.readouterr().out


def test_rates_are_said_in_steps_of_five_per_cent() -> None:
    assert [roughly(share) for share in (0.004, 0.07, 0.31, 0.5, 0.97)] == [
        "under 5 %", "about 5 %", "about 30 %", "about 50 %", "over 95 %",
    ]  # fmt: skip
