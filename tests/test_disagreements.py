"""Where consensus and judge differ: counts of every split, items of those that may be opened, and what was said of one."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from data.errors import LeadRefused
from data.questions import Question, When
from data.splits import SPLITS
from data.store import Store
from data.store.adjudication import decide
from data.store.disagreements import Disagreement, counts_by_split, details, disagreements, side_by_side
from data.store.people import first_lead
from data.store.tallying import tally
from data.store.test_looks import spend
from data.store.versions import record_versions
from data.study import Study
from tests.study_maker import KIND, MISALIGNED, Sitting, draw_batch, label, make_study, numbered, run_line, verdict

A, M = "aligned", "misaligned"
HARMS = Question("harms", "Which?", "multilabel", ("privacy", "money", "health"))
RISK = Question("risk", "How much?", "score", (), min=0.0, max=10.0)
RISK_AT_5 = Question("risk", "How much?", "score", (), min=0.0, max=10.0, threshold=5.0)
SEVERITY = Question("severity", "How bad?", "ordinal", ("none", "some", "much"), when=When("misaligned", M))
RUN = 1


def answer(question: Question, dice: random.Random) -> dict[str, Any]:
    if question.type == "score":
        return {"score": float(dice.randint(0, 10))}
    if question.type == "multilabel":
        return {"choices": [choice for choice in question.choices if dice.random() < 0.4]}
    return {"choice": dice.choice(question.choices)}


def a_study(folder: Path, *questions: Question, items: int = 120) -> Study:
    """Every item with one to three imported labels, some of them unsure, and verdicts of which some are unreadable or missing."""
    dice = random.Random(5)
    lines = []
    for place in range(items):
        labels, verdicts = [], []
        for question in questions:
            for who in ("ana", "ben", "cleo")[: dice.randint(1, 3)]:
                said = {"unsure": True} if dice.random() < 0.1 else answer(question, dice)
                labels.append({"annotator": who, "question": question.id, **said})
            if place % 17:
                said = {"error": "cut off"} if dice.random() < 0.1 else answer(question, dice)
                verdicts.append({"run": "judge-a", "question": question.id, **said})
        lines.append(run_line(f"r{place:03}", labels=labels, verdicts=verdicts))
    return make_study(folder / "study", lines, questions, "[split]\ntrain = 0.4\ndev = 0.3\n")


def opened(study: Study) -> None:
    with Store.open(study.database) as store:
        spend(store, first_lead(store))


def found(study: Study, question: Question = MISALIGNED, splits: Sequence[str] = ("train",), **more: Any) -> list[Disagreement]:
    with Store.open(study.database) as store:
        return disagreements(store, study, question.id, RUN, splits=splits, **more)


def added(counts: dict[str, Any]) -> list[list[int]]:
    return [[sum(cells) for cells in zip(*rows, strict=True)] for rows in zip(*counts.values(), strict=True)]


@pytest.mark.parametrize("question", [MISALIGNED, KIND, HARMS, RISK_AT_5], ids=lambda question: question.type)
def test_the_cells_of_all_splits_add_up_to_the_matrix_of_agree(tmp_path: Path, question: Question) -> None:
    study = a_study(tmp_path, question)
    with Store.open(study.database) as store:
        (counted,) = tally(store, study, RUN, None)
        pair = counted.judge_pairs[0]
        for part in question.choices if question.type == "multilabel" else (None,):
            of = pair.by_label[part] if part else pair.at_threshold or pair
            cells = added(dict(counts_by_split(store, study, question.id, RUN, part)))
            assert [row[:-1] for row in cells] == [list(row) for row in of.confusion]
            assert [row[-1] for row in cells] == list(of.unreadable)
            assert sum(map(sum, cells)) > 60


def test_a_question_under_a_condition_has_the_cells_of_agree_too(tmp_path: Path) -> None:
    study = a_study(tmp_path, MISALIGNED, SEVERITY)
    with Store.open(study.database) as store:
        pair = tally(store, study, RUN, None)[1].judge_pairs[0]
        cells = added(dict(counts_by_split(store, study, "severity", RUN)))
    assert [row[:-1] for row in cells] == [list(row) for row in pair.confusion]
    assert sum(map(sum, cells)) < 110, "somebody said that the condition does not hold"


@pytest.mark.parametrize("question", [MISALIGNED, KIND, HARMS, RISK, RISK_AT_5], ids=lambda question: f"{question.type}")
def test_every_cell_lists_as_many_items_as_it_counts(tmp_path: Path, question: Question) -> None:
    study = a_study(tmp_path, question)
    opened(study)
    with Store.open(study.database) as store:
        both = side_by_side(store, study, question.id, RUN)
        for part in both.parts:
            cells = both.cells(part)
            differing = set()
            for split in SPLITS:
                for row in range(len(cells.rows)):
                    for column in range(len(cells.columns)):
                        listed = disagreements(store, study, question.id, RUN, (row, column), (split,), part)
                        assert len(listed) == cells.counts[split][row][column]
                        assert {item.split for item in listed} <= {split}
                        assert all((item.judge is None) == (column == len(cells.columns) - 1) for item in listed)
                        if cells.differ((row, column)) and column < len(cells.columns) - 1:
                            differing |= {item.id for item in listed}
            whole = disagreements(store, study, question.id, RUN, None, SPLITS, part)
            assert {item.id for item in whole} == differing


def test_items_of_a_closed_split_are_never_named_and_all_are_once_it_is_spent(tmp_path: Path) -> None:
    study = a_study(tmp_path, MISALIGNED)
    with Store.open(study.database) as store:
        split_of = dict(store.conn.execute("SELECT id, split FROM trajectories"))
    assert {split_of[item.id] for item in found(study)} == {"train"}
    for splits in (("dev",), ("test",), SPLITS):
        with pytest.raises(LeadRefused, match="not shown together with a verdict"):
            found(study, splits=splits)
    before = found(study)
    opened(study)
    assert found(study) == before
    assert {item.split for item in found(study, splits=SPLITS)} == set(SPLITS)


def test_the_details_of_a_closed_item_are_refused(tmp_path: Path) -> None:
    study = a_study(tmp_path, MISALIGNED)
    with Store.open(study.database) as store:
        by_split = dict(store.conn.execute("SELECT split, min(n) FROM trajectories GROUP BY split"))
        assert details(store, by_split["train"], 1, RUN).split == "train"
        for split in ("dev", "test"):
            with pytest.raises(LeadRefused, match=f"Items of {split} are not shown"):
                details(store, by_split[split], 1, RUN)
        with pytest.raises(ValueError, match="no trajectory"):
            details(store, 9999, 1, RUN)
        spend(store, first_lead(store))
        assert details(store, by_split["test"], 1, RUN).split == "test"


def all_train(folder: Path, lines: list[dict[str, Any]], question: Question = MISALIGNED) -> Study:
    return make_study(folder / "study", lines, (question,), "[split]\ntrain = 1.0\ndev = 0.0\n")


def test_an_item_says_what_the_consensus_rests_on(tmp_path: Path) -> None:
    labels = {
        "single": [label("ana", A), label("ben", None)],
        "unanimous": [label("ana", A), label("ben", A)],
        "majority": [label("ana", A), label("ben", M), label("cleo", A), label("dora", None)],
        "adjudicated": [label("ana", A), label("ben", M)],
        "tied": [label("ana", A), label("ben", M)],
    }
    study = all_train(tmp_path, [run_line(id, labels=said, verdicts=[verdict(M)]) for id, said in labels.items()])
    with Store.open(study.database) as store:
        (number,) = store.conn.execute("SELECT n FROM trajectories WHERE id = 'adjudicated'").fetchone()
        decide(store, first_lead(store), number, record_versions(store, study)[0][0], A, "slip", "")
    listed = {item.id: item for item in found(study)}
    assert {id: item.basis for id, item in listed.items()} == {id: id for id in labels if id != "tied"}
    assert listed["majority"].votes == ((A, 2), (M, 1)) and listed["majority"].unsure == 1
    assert {item.cause for item in listed.values()} == {"slip", None} and listed["adjudicated"].cause == "slip"
    assert {(item.human, item.judge) for item in listed.values()} == {(A, M)}


def test_scores_come_with_the_largest_differences_first(tmp_path: Path) -> None:
    said = ((3.0, 4.0), (1.0, 9.5), (5.0, 5.0), (8.0, 2.0), (7.0, None))
    lines = [
        run_line(
            f"r{place}",
            labels=[{"annotator": "ana", "question": "risk", "score": human}],
            verdicts=[{"run": "judge-a", "question": "risk", **({"error": "x"} if judge is None else {"score": judge})}],
        )
        for place, (human, judge) in enumerate(said)
    ]
    study = all_train(tmp_path, lines, RISK)
    assert [(item.human, item.judge) for item in found(study, RISK)] == [(1.0, 9.5), (8.0, 2.0), (3.0, 4.0)]
    with Store.open(study.database) as store:
        cells = side_by_side(store, study, "risk", RUN).cells()
    assert (cells.rows, cells.columns) == (("scored",), ("judge lower", "the same", "judge higher", "unreadable"))
    assert cells.counts["train"] == ((1, 1, 2, 1),)


def test_several_choices_differ_label_by_label_and_together(tmp_path: Path) -> None:
    said = {"same": (["privacy"], ["privacy"]), "one": (["privacy"], ["privacy", "money"]), "none": ([], ["money"])}
    lines = [
        run_line(
            id,
            labels=[{"annotator": "ana", "question": "harms", "choices": human}],
            verdicts=[{"run": "judge-a", "question": "harms", "choices": judge}],
        )
        for id, (human, judge) in said.items()
    ]
    study = all_train(tmp_path, lines, HARMS)
    assert [item.id for item in found(study, HARMS)] == ["one", "none"]
    assert [item.id for item in found(study, HARMS, part="money", cell=(0, 1))] == ["one", "none"]
    assert found(study, HARMS, part="privacy") == []
    assert found(study, HARMS)[0].judge == ("privacy", "money")
    with pytest.raises(ValueError, match="no part"):
        found(study, HARMS, part="fame", cell=(0, 1))


def test_the_details_hold_every_label_and_the_verdict(tmp_path: Path) -> None:
    labels = [label("ana", A, rationale="it asked", evidence=[0, 2]), label("ben", None, rationale="cannot tell")]
    judged = verdict(M, rationale="it lied", cites=[1], confidence=0.75)
    study = all_train(tmp_path, [run_line("r", labels=labels, verdicts=[judged]), run_line("bad", verdicts=[verdict(None)])])
    with Store.open(study.database) as store:
        item, bad = details(store, 1, 1, RUN), details(store, 2, 1, RUN)
        other = details(store, 1, 1, 99)
    votes = {(vote.answer, vote.unsure, vote.rationale, vote.evidence) for vote in item.votes}
    assert votes == {(A, False, "it asked", (0, 2)), (None, True, "cannot tell", ())}
    assert item.verdict is not None and (item.verdict.answer, item.verdict.error) == (M, None)
    assert (item.verdict.rationale, item.verdict.cites, item.verdict.confidence) == ("it lied", (1,), 0.75)
    assert bad.verdict is not None and (bad.verdict.answer, bad.verdict.error, bad.votes) == (None, "unreadable", ())
    assert other.verdict is None and item.decision is None
    assert "ana" not in repr(item) and "ben" not in repr(item)


def test_the_source_of_labels_can_be_chosen(tmp_path: Path) -> None:
    study = all_train(tmp_path, numbered(4, labels=[label("ana", A)], verdicts=[verdict(M)]))
    draw_batch(study, 2)
    with Sitting(study, "ben") as ben:
        ben.label_all({}, default=M)
    with Store.open(study.database) as store:
        counts = {
            source: side_by_side(store, study, "misaligned", RUN, source).cells().counts["train"]
            for source in (None, "batch", "imported", "all")
        }
    assert counts == {None: ((0, 0, 0), (0, 2, 0)), "batch": ((0, 0, 0), (0, 2, 0)), "imported": ((0, 4, 0), (0, 0, 0)),
                      "all": ((0, 2, 0), (0, 0, 0))}  # fmt: skip


def test_a_run_without_a_verdict_and_a_question_without_a_label_have_empty_cells(tmp_path: Path) -> None:
    study = all_train(tmp_path, numbered(3, verdicts=[verdict(M)]))
    assert found(study) == []
    with Store.open(study.database) as store:
        assert sum(map(sum, counts_by_split(store, study, "misaligned", RUN)["train"])) == 0
        for question, run in (("nobody", RUN), ("misaligned", 7)):
            with pytest.raises(ValueError, match="name one of these"):
                side_by_side(store, study, question, run)
