"""The steps of a study: which labels and verdicts count, how they are weighted, and what is said where nothing can be."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.answering import Answer
from data.questions import Question, When
from data.store import Store
from data.study import Study
from reports.of_study.agreement import agreement_of
from reports.of_study.steps import steps_of
from reports.terminal import agreement_text
from tests.study_maker import MISALIGNED, Sitting, draw_batch, label, make_study, numbered, run_line, verdict

FIRST = replace(MISALIGNED, evidence="first")

Line = dict[str, Any]


def line(id: str, labels: list[Line], *verdicts: Line) -> Line:
    return run_line(id, labels=labels, verdicts=list(verdicts))


def marked(annotator: str, *steps: int) -> Line:
    return label(annotator, "misaligned" if steps else "aligned", evidence=list(steps))


def cited(*steps: int, **fields: Any) -> Line:
    return verdict("misaligned" if steps else "aligned", cites=list(steps), **fields)


def document(study: Study, labels: str | None = None) -> dict[str, Any]:
    with Store.open(study.database) as store:
        found = steps_of(study, store, None, labels)
    json.dumps(found, allow_nan=False)
    return found


def only(study: Study) -> dict[str, Any]:
    question: dict[str, Any] = document(study)["questions"][0]
    return question


def test_each_label_stands_beside_the_verdict_and_the_labels_of_an_item_share_its_weight(tmp_path: Path) -> None:
    lines = [
        line("a", [marked("ana", 1), marked("ben", 2)], cited(1)),
        line("b", [marked("ana", 0)], cited(0, 2)),
        line("c", [marked("ana")], cited()),
    ]
    question = only(make_study(tmp_path / "s", lines, [FIRST]))
    each, ana, ben = question["pairs"]
    assert [pair["rows"] for pair in question["pairs"]] == ["human:each", "human:ana", "human:ben"]
    assert (each["labels"], each["items"], each["design"], each["weighted"]) == (4, 3, "imported", False)
    assert each["evidence_overlap"]["value"] == pytest.approx((0.5 + 0.5) / 2)
    assert each["first_failure"]["value"] == pytest.approx((0.5 + 1) / 2) and each["first_failure"]["n"] == 2
    assert each["first_failure_within_1"]["value"] == 1.0
    assert each["step_precision"]["value"] == pytest.approx((0.5 + 1) / (1 + 2))
    assert each["step_recall"]["value"] == pytest.approx((0.5 + 1) / (1 + 1))
    assert (ana["first_failure"]["value"], ana["first_failure"]["method"]) == (1.0, "wilson")
    assert ben["evidence_overlap"]["value"] == 0.0 and ben["labels"] == 1
    assert question["human_human"]["evidence_overlap"]["value"] == 0.0 and question["human_human"]["labels"] == 1
    assert "step_precision" not in question["human_human"]
    assert each["marks"] == ["fewer-than-30-items"]


def test_missing_unsure_and_unreadable_are_left_out_and_counted(tmp_path: Path) -> None:
    lines = [
        line("a", [marked("ana", 1)], cited(1)),
        line("b", [marked("ana", 1)], verdict(None)),
        line("c", [marked("ana", 1)]),
        line("d", [label("ana", None)], cited(1)),
        line("e", [], cited(1)),
    ]
    pair = only(make_study(tmp_path / "s", lines, [FIRST]))["pairs"][0]
    assert pair["excluded"] == {"missing": 1, "skipped": 0, "unsure": 1, "error": 1}
    assert (pair["labels"], pair["evidence_overlap"]["value"]) == (1, 1.0)


def test_a_verdict_that_cites_nothing_missed_what_the_human_marked(tmp_path: Path) -> None:
    lines = [line("a", [marked("ana", 1)], cited(1)), line("b", [marked("ana", 1)], verdict("aligned"))]
    pair = only(make_study(tmp_path / "s", lines, [FIRST]))["pairs"][0]
    assert pair["step_recall"]["value"] == 0.5 and pair["step_precision"]["value"] == 1.0


def test_a_run_that_never_says_which_steps_is_undefined_and_not_wrong(tmp_path: Path) -> None:
    lines = [line("a", [marked("ana", 1), marked("ben", 1)], verdict("misaligned"), cited(2, run="judge-b"))]
    silent, speaking = (pair for pair in only(make_study(tmp_path / "s", lines, [FIRST]))["pairs"] if pair["rows"] == "human:each")
    for name in ("evidence_overlap", "first_failure", "first_failure_within_1", "step_precision", "step_recall"):
        assert silent[name]["value"] is None and "which steps" in silent[name]["reason"]
    assert speaking["step_recall"]["value"] == 0.0


def test_imported_labels_of_somebody_who_never_marks_a_step_say_nothing_of_steps(tmp_path: Path) -> None:
    lines = [line("a", [marked("ana", 1), label("ben", "misaligned")], cited(1))]
    question = only(make_study(tmp_path / "s", lines, [FIRST]))
    assert question["pairs"][0]["unmarking"] == ["ben"] and question["pairs"][0]["labels"] == 1
    assert "human_human" not in question


def test_questions_without_evidence_are_left_out_and_other_evidence_has_no_first_failure(tmp_path: Path) -> None:
    plain = replace(MISALIGNED, evidence="none")
    assert document(make_study(tmp_path / "p", [line("a", [label("ana", "aligned")], cited(1))], [plain]))["questions"] == []
    some = make_study(tmp_path / "s", [line("a", [marked("ana", 1)], cited(1))], [replace(MISALIGNED, evidence="optional")])
    assert "first_failure" not in only(some)["pairs"][0] and only(some)["pairs"][0]["evidence_overlap"]["value"] == 1.0


def test_the_latest_blind_label_counts_and_an_undone_one_does_not(tmp_path: Path) -> None:
    study = make_study(tmp_path / "s", numbered(4, verdicts=[cited(1)]), [FIRST])
    draw_batch(study, 4)
    with Sitting(study, "ana") as ana:
        done = []
        for steps in ((0,), (1,), (2,), None):
            ref = ana.claim()[0]
            done.append(ref)
            assert (
                ana.do("skip", ref, reason="broken") == "" if steps is None else ana.label(ref, "misaligned", evidence=steps) == ""
            )
        assert ana.do("undo", done[0]) == ""
        assert ana.label(done[0], "misaligned", evidence=(1,)) == ""
        assert ana.do("undo", done[2]) == ""
    pair = only(study)["pairs"][0]
    assert (pair["rows"], pair["labels"], pair["excluded"]["skipped"]) == ("human:each", 2, 1)
    assert pair["first_failure"]["value"] == 1.0 and pair["design"] == "simple"


def test_a_draw_by_verdict_is_weighted_to_its_frame(tmp_path: Path) -> None:
    # The judge finds a tenth of the items, and misses the step in every one of the others.
    lines = [run_line(f"r{k:03}", verdicts=[cited(1) if k % 10 == 0 else cited()]) for k in range(100)]
    study = make_study(tmp_path / "s", lines, [FIRST])
    draw_batch(study, 10, by="judge-a")
    with Sitting(study, "ana") as ana:
        ana.label_all_of({"misaligned": Answer(choice="misaligned", evidence=(1,))})
    pair = only(study)["pairs"][0]
    assert (pair["design"], pair["weighted"], pair["labels"]) == ("stratified:judge-a", True, 10)
    assert pair["step_recall"]["value"] == pytest.approx(10 / 100) and pair["step_precision"]["value"] == 1.0
    assert "post-stratified" in pair["step_recall"]["method"]


def test_a_stratum_that_nobody_finished_is_named(tmp_path: Path) -> None:
    lines = [run_line(f"r{k:03}", verdicts=[cited(1) if k < 10 else cited()]) for k in range(40)]
    study = make_study(tmp_path / "s", lines, [FIRST])
    draw_batch(study, 8, by="judge-a")
    with Sitting(study, "ana") as ana:
        while held := ana.claim():
            ref = next((each for each in held if ana.id_of(each) < "r010"), None)
            assert ana.do("skip", held[0], reason="no") == "" if ref is None else ana.label(ref, "misaligned", evidence=(1,)) == ""
    pair = only(study)["pairs"][0]
    assert pair["step_recall"]["value"] is None and "aligned" in pair["step_recall"]["reason"]


def test_items_that_share_groups_are_units_together(tmp_path: Path) -> None:
    lines = [{**line(f"r{k}", [marked("ana", k // 6 % 2)], cited(1)), "group": f"g{k // 6}"} for k in range(24)]
    pair = only(make_study(tmp_path / "s", lines, [FIRST]))["pairs"][0]
    assert pair["groups"] == 4 and "cluster-robust" in pair["evidence_overlap"]["method"]
    assert pair["marks"] == ["fewer-than-30-items", "fewer-than-10-groups"]


def test_a_question_that_was_not_put_is_no_row(tmp_path: Path) -> None:
    why = Question("why", "Why?", "nominal", ("greed", "fear"), None, "any", When("misaligned", "misaligned"))
    lines = [
        line("a", [marked("ana", 1), label("ana", "fear", question="why", evidence=[2])],
             cited(1), verdict("fear", question="why", cites=[2])),
        line("b", [marked("ana"), label("ana", "fear", question="why", evidence=[0])],
             cited(), verdict("fear", question="why", cites=[2])),
    ]  # fmt: skip
    found = document(make_study(tmp_path / "s", lines, [FIRST, why]))
    assert [each["id"] for each in found["questions"]] == ["misaligned", "why"]
    assert found["questions"][1]["pairs"][0]["labels"] == 1
    assert found["questions"][1]["pairs"][0]["evidence_overlap"]["value"] == 1.0


def test_the_document_is_the_same_every_time(tmp_path: Path) -> None:
    lines = [line(f"r{k}", [marked("ana", k % 3), marked("ben", 1)], cited(1), cited(k % 2, run="judge-b")) for k in range(30)]
    study = make_study(tmp_path / "s", lines, [FIRST])
    assert document(study) == document(study)
    assert [(pair["rows"], pair["columns"]) for pair in only(study)["pairs"]] == [
        (f"human:{rows}", f"judge:judge-{run}") for run in "ab" for rows in ("each", "ana", "ben")
    ]


def test_agree_all_tells_the_steps_and_every_figure_of_the_annotators_and_agree_alone_does_not(tmp_path: Path) -> None:
    lines = [line(f"r{k}", [marked("ana", *([k % 3] * (k % 2))), marked("ben", 1)], cited(1)) for k in range(30)]
    study = make_study(tmp_path / "s", lines, [FIRST])
    with Store.open(study.database) as store:
        plain, everything = (agreement_of(study, store, None, None, each)["questions"][0] for each in (False, True))
        told = agreement_text(agreement_of(study, store, None, None, True), 100)
    assert list(plain["human_human"]) == ["krippendorff_alpha", "pairs"] and "steps" not in plain
    assert everything["steps"] == {key: value for key, value in only(study).items() if key not in ("id", "type")}
    assert everything["human_human"]["fleiss"]["n"] == everything["human_human"]["ac1"]["n"] == 30
    assert "\nMarked steps\n  each label – judge-a, 30 items\n    overlap " in told
    assert "\n  Fleiss' kappa " in told and "annotators beside each other, 30 items" in told
    assert all(len(row) <= 100 for row in told.splitlines())
