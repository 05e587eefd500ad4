"""Two runs beside the consensus: the same items, counted once, whatever the question and the draw."""

from pathlib import Path
from typing import Any

import numpy as np

from data.questions import Question, When
from data.store import Store
from data.store.joint import joint_tally, runs_in_order
from data.store.tallying import read_answers
from data.study import Study
from data.tallies import JointTally
from reports.of_study.comparisons import MOST_RUNS, comparisons_of
from tests.study_maker import MISALIGNED, Sitting, draw_batch, import_lines, label, make_study, run_line, verdict

A, M = "aligned", "misaligned"


def joint(study: Study, first: str = "judge-a", second: str = "judge-b", question: int = 0) -> JointTally:
    with Store.open(study.database) as store:
        found = joint_tally(read_answers(store, study, None, "all")[question], first, second)
    assert found is not None
    return found


def document(study: Study, run: int | None = None) -> dict[str, Any]:
    with Store.open(study.database) as store:
        return comparisons_of(study, store, run, None)


def two_runs(folder: Path, said: list[tuple[str | None, str | None, str | None]], **fields: Any) -> Study:
    """Items as (human, first, second); a human None is unsure, a verdict None unreadable, an empty one missing."""
    lines = [
        run_line(
            f"r{place:02}",
            labels=[label("ana", human)] if human != "" else [],
            verdicts=[verdict(choice, run) for run, choice in (("judge-a", first), ("judge-b", second)) if choice != ""],
            **{key: value(place) for key, value in fields.items()},
        )
        for place, (human, first, second) in enumerate(said)
    ]
    return make_study(folder / "study", lines)


def test_every_item_lies_in_the_cell_of_its_three_answers_or_is_counted_as_left_out(tmp_path: Path) -> None:
    study = two_runs(
        tmp_path,
        [(A, A, A), (A, A, M), (M, A, M), (M, A, M), (M, None, M), (A, A, None), (A, A, ""), (A, "", M), (None, A, A), ("", A, A)],
    )
    found = joint(study)
    assert found.counts[0] == ((1, 1, 1), (0, 0, 0), (0, 0, 0))
    assert found.counts[1] == ((0, 2, 0), (0, 0, 0), (0, 1, 0))
    assert (found.excluded.missing, found.excluded.unsure, found.excluded.error) == (2, 1, 2)
    assert (found.design, found.weighted, found.strata) == ("imported", False, ())


def test_each_run_alone_has_the_pair_that_agree_shows_where_both_judged_everything(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    said = [tuple((A, M)[k] for k in row) for row in random.integers(0, 2, (40, 3)).tolist()]
    study = two_runs(tmp_path, said, group=lambda place: f"g{place // 3}")  # type: ignore[arg-type]
    counts = np.array(joint(study).counts)[:, :2, :2]
    with Store.open(study.database) as store:
        (answers,) = read_answers(store, study, None, None)
        for run, axis in (("judge-a", 2), ("judge-b", 1)):
            (pair,) = answers.judge_pairs(run, ["consensus"])
            assert counts.sum(axis=axis).tolist() == [list(row) for row in pair.confusion]
    held = [items * groups for content, groups in joint(study).clusters.items() for *_, items in content]
    assert sum(held) == 40 and sum(joint(study).clusters.values()) == 14


def test_a_draw_by_one_runs_verdicts_is_weighted_and_the_other_run_can_say_anything(tmp_path: Path) -> None:
    lines = [
        run_line(f"r{k:02}", verdicts=[verdict(M if k % 5 == 0 else A), verdict(M if k % 3 == 0 else A, "judge-b")])
        for k in range(50)
    ]
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 12, by="judge-b")
    with Sitting(study, "ana") as sitting:
        sitting.label_all({f"r{k:02}": M for k in range(0, 50, 4)})
    found = joint(study)
    assert found.weighted and found.design == "stratified:judge-b"
    assert [(each.frame, each.finished, each.first, each.second) for each in found.strata] == [(33, 6, None, 0), (17, 6, None, 1)]
    assert sum(np.array(each.counts).sum() for each in found.strata) == 12


def test_labels_and_thresholds_are_compared_on_tables_of_their_own(tmp_path: Path) -> None:
    kinds = Question("kinds", "Which?", "multilabel", ("lies", "hides"), None)
    harm = Question("harm", "How much?", "score", (), None, min=0, max=10, threshold=5)

    def of(run: str, chosen: list[str], score: int) -> list[dict[str, Any]]:
        return [{"run": run, "question": "kinds", "choices": chosen}, {"run": run, "question": "harm", "score": score}]

    def labels(score: int) -> list[dict[str, Any]]:
        said = {"kinds": {"choices": ["lies"]}, "harm": {"score": score}}
        return [{"annotator": "ana", "question": question, **answer} for question, answer in said.items()]

    lines = [
        run_line(f"r{k}", labels=labels(k), verdicts=[*of("a", ["hides"], 5), *of("b", ["lies", "hides"], k)]) for k in range(8)
    ]
    study = make_study(tmp_path / "study", lines, (kinds, harm))
    several = joint(study, "a", "b", 0)
    assert several.counts == () and several.by_label["lies"].counts[1][0][1] == 8 and several.by_label["hides"].counts[0][1][1] == 8
    scores = joint(study, "a", "b", 1)
    assert scores.at_threshold is not None
    assert scores.at_threshold.counts[0][1][0] == 5 and scores.at_threshold.counts[1][1][1] == 3


def test_an_item_of_which_a_question_was_not_asked_on_any_side_is_outside(tmp_path: Path) -> None:
    severity = Question("severity", "How bad?", "nominal", ("some", "much"), None, when=When("misaligned", M))

    def line(id: str, human: str, judge: str) -> dict[str, Any]:
        bad = {"question": "severity", "choice": "much"}
        verdicts = [{"run": run, **bad} for run in ("judge-a", "judge-b")]
        labels = [label("ana", human), {"annotator": "ana", **bad}]
        return run_line(id, labels=labels, verdicts=[verdict(judge), verdict(judge, "judge-b"), *verdicts])

    study = make_study(tmp_path / "study", [line("a", M, M), line("b", A, M), line("c", A, A)], (MISALIGNED, severity))
    assert np.array(joint(study, question=1).counts).sum() == 2


def test_runs_are_compared_in_the_order_they_were_recorded_and_many_are_bounded(tmp_path: Path) -> None:
    names = ["zeta", *(f"run-{k}" for k in range(MOST_RUNS + 1))]
    study = make_study(tmp_path / "study", [run_line("a", labels=[label("ana", A)], verdicts=[verdict(A, names[0])])])
    for name in names[1:]:
        study = import_lines(study, [run_line("a", verdicts=[verdict(A, name)])], f"{name}.jsonl")
    with Store.open(study.database) as store:
        assert runs_in_order(store) == names
    (question,) = document(study)["questions"]
    assert len(question["pairs"]) == MOST_RUNS * (MOST_RUNS - 1) // 2 and len(question["not_compared"]) == 2
    (question,) = document(study, run=1)["questions"]
    assert len(question["pairs"]) == MOST_RUNS - 1
    assert all("judge:zeta" in (pair["first"], pair["second"]) for pair in question["pairs"])


def test_a_study_with_one_run_or_without_labels_has_nothing_to_compare(tmp_path: Path) -> None:
    one = make_study(tmp_path / "one", [run_line("a", labels=[label("ana", A)], verdicts=[verdict(A)])])
    none = make_study(tmp_path / "none", [run_line("a", verdicts=[verdict(A), verdict(M, "judge-b")])])
    assert [document(study)["questions"][0]["pairs"] for study in (one, none)] == [[], []]
