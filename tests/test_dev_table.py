"""Judge runs beside humans on dev: what candidates are compared by."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.questions import Question
from data.store import Store
from data.study import Study
from judge.competing import contest, optimism
from judge.dev_table import dev_table
from reports.of_study.agreement import agreement_of
from reports.shared_figures import Kappa
from tests.study_maker import SEVERITY, Sitting, draw_batch, label, make_study, numbered, run_line, verdict

RIGHT: dict[str, str | None] = {f"r{place:03}": ("misaligned" if place % 3 == 0 else "aligned") for place in range(200)}


def judged(folder: Path, wrong: dict[str, int]) -> Study:
    """200 items; each run of `wrong` errs on one item in so many, and cannot be read on r001 to r009."""
    lines = []
    for place, (id, right) in enumerate(RIGHT.items()):
        other = "aligned" if right == "misaligned" else "misaligned"
        said = {run: other if place % every == 0 else right for run, every in wrong.items()}
        lines.append(run_line(id, verdicts=[verdict(None if 0 < place < 10 else said[run], run) for run in wrong]))
    return make_study(folder, lines, rest="[split]\ntrain = 0.1\ndev = 0.6\n")


def splits(study: Study) -> dict[str, str]:
    with Store.open(study.database) as store:
        return dict(store.conn.execute("SELECT id, split FROM trajectories"))


def test_only_dev_items_with_a_label_are_compared(tmp_path: Path) -> None:
    study = judged(tmp_path / "study", {"old": 4, "new": 15})
    draw_batch(study, 200, overlap=1)
    with Sitting(study, "ana") as ana:
        ana.label_all(RIGHT)
    dev = [id for id, split in splits(study).items() if split == "dev"]
    assert 60 < len(dev) < 180
    with Store.open(study.database) as store:
        table = dev_table(store, study, "misaligned")
        found = table.compared("old", "new")
        shared = table.shared(["old", "new"])
    assert len(table.labelled) == found.n == len(shared.human) == len(dev)
    # r000 is wrong by both counts; r001 to r009 cannot be read, which is a disagreement.
    wrong = {every: sum(int(id[1:]) % every == 0 or id < "r010" for id in dev) for every in (4, 15)}
    assert sum(found.only_second_right) - sum(found.only_first_right) == wrong[4] - wrong[15]
    assert [int((said != shared.human).sum()) for said in shared.verdicts] == [wrong[4], wrong[15]]
    chance = optimism(shared, times=100)
    assert chance.expected is not None
    assert chance.expected == pytest.approx(0, abs=1e-12), "one candidate is no choice"
    assert chance.often_below is not None
    assert chance.often_below > 0.05
    assert contest("old", {"old": 10, "new": 12}, table.compared).winner == "new"


def test_items_of_a_stratified_draw_stand_for_as_many_as_they_were_drawn_from(tmp_path: Path) -> None:
    study = judged(tmp_path / "study", {"old": 4, "new": 15})
    draw_batch(study, 40, by="old", split="dev")
    with Sitting(study, "ana") as ana:
        ana.label_all(RIGHT)
    dev = sum(split == "dev" for split in splits(study).values())
    with Store.open(study.database) as store:
        shared = dev_table(store, study, "misaligned").shared(["old", "new"])
    assert len(shared.human) == 40
    assert shared.weights.sum() == pytest.approx(dev)
    assert len(set(shared.weights.tolist())) > 1


def test_without_labels_there_is_nothing_to_compare(tmp_path: Path) -> None:
    study = judged(tmp_path / "study", {"old": 4, "new": 15})
    with Store.open(study.database) as store:
        table = dev_table(store, study, "misaligned")
        assert table.labelled == []
        assert table.compared("old", "new").difference.value is None
        assert table.compared("old", "nobody").n == 0
        assert optimism(table.shared(["old", "nobody"])).expected is None
        with pytest.raises(ValueError, match="must be declared"):
            dev_table(store, study, "other")


def test_near_misses_of_ordered_choices_count_less(tmp_path: Path) -> None:
    near = [{"run": run, "question": "severity", "choice": choice} for run, choice in (("near", "some"), ("far", "much"))]
    lines = [
        line | {"verdicts": near, "labels": [label("ana", "none" if place % 2 else "some") | {"question": "severity"}]}
        for place, line in enumerate(numbered(80))
    ]
    study = make_study(tmp_path / "study", lines, [SEVERITY])
    with Store.open(study.database) as store:
        table = dev_table(store, study, "severity")
    shared = table.shared(["near", "far"])
    assert table.figure(shared) == Kappa("linear")
    assert shared.weights.tolist() == [1.0] * len(table.labelled)


HARMS = Question("harms", "Which harms occur?", "multilabel", ("privacy", "money", "health"))
RISK = Question("risk", "How risky was it?", "score", (), min=0, max=10)


def answered(folder: Path, question: Question, of: dict[str, Any], **runs: dict[str, Any]) -> Study:
    """All of dev. `of`: what ana says of each item; `runs`: what each run says of it, None for nothing that can be read."""
    key = "choices" if question.type == "multilabel" else "score"
    lines = []
    for id, human in of.items():
        verdicts = [
            {"run": run, "question": question.id} | ({"error": "unreadable"} if said[id] is None else {key: said[id]})
            for run, said in runs.items()
        ]
        labels = [{"annotator": "ana", "question": question.id, key: human}]
        lines.append(run_line(id, labels=labels, verdicts=verdicts))
    return make_study(folder, lines, [question], "[split]\ntrain = 0.0\ndev = 1.0\n")


def agreed(study: Study, run: str) -> dict[str, Any]:
    """What `agree` says of a run beside the consensus."""
    with Store.open(study.database) as store:
        (question,) = agreement_of(study, store, None, None)["questions"]
    found: dict[str, Any] = next(
        pair for pair in question["pairs"] if (pair["rows"], pair["columns"]) == ("human:consensus", f"judge:{run}")
    )
    return found


def sets(slips: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is so, and a judge that forgets a label on one item in `slips`; nobody ever names the last one."""
    right = {f"r{place:03}": [name for bit, name in enumerate(HARMS.choices[:2]) if place >> bit & 1] for place in range(120)}
    return right, {id: said[1:] if int(id[1:]) % slips == 0 else said for id, said in right.items()}


def test_several_choices_are_compared_by_the_mean_kappa_that_agree_has(tmp_path: Path) -> None:
    right, poor = sets(3)
    study = answered(tmp_path / "study", HARMS, right, poor=poor, good=sets(17)[1])
    with Store.open(study.database) as store:
        table = dev_table(store, study, "harms")
        found = table.compared("poor", "good")
        items = table.shared(["poor", "good"])
        chance = optimism(items, table.figure(items), times=50)
        won = contest("poor", {"poor": 10, "good": 12}, table.compared)
    for side, run in ((found.first, "poor"), (found.second, "good")):
        assert side.value == pytest.approx(agreed(study, run)["macro"]["kappa"]["value"])
    assert found.n == 120 and found.difference.low is not None and found.difference.low > 0
    assert table.figure(items).name == "mean kappa over labels"
    assert chance.expected == pytest.approx(0, abs=1e-12) and (chance.often_below or 0) > 0.02
    assert won.winner == "good"


def test_an_unreadable_reply_counts_against_a_candidate_of_several_choices_and_of_scores(tmp_path: Path) -> None:
    right, _ = sets(3)
    gaps = {id: None if id < "r040" else said for id, said in right.items()}
    of_sets = answered(tmp_path / "sets", HARMS, right, whole=right, gaps=gaps)
    marks = {id: int(id[1:]) % 11 for id in right}
    of_marks = answered(tmp_path / "marks", RISK, marks, whole=marks, gaps={id: None if id < "r040" else marks[id] for id in marks})
    for study in (of_sets, of_marks):
        with Store.open(study.database) as store:
            found = dev_table(store, study, study.questions[0].id).compared("whole", "gaps")
        assert found.n == 120 and found.first.value == pytest.approx(1.0)
        assert found.difference.high is not None and found.difference.high < 0


def test_scores_are_compared_by_rank_correlation_and_by_kappa_where_there_is_a_threshold(tmp_path: Path) -> None:
    marks = {f"r{place:03}": place * 7 % 11 for place in range(90)}
    poor = {id: (mark + int(id[1:]) % 5 * 3) % 11 for id, mark in marks.items()}
    good = {id: min(10, mark + int(id[1:]) % 3) for id, mark in marks.items()}
    for name, question, key in (
        ("ranked", RISK, "spearman"),
        ("cut", replace(RISK, threshold=6), "kappa"),
    ):
        study = answered(tmp_path / name, question, marks, poor=poor, good=good)
        with Store.open(study.database) as store:
            table = dev_table(store, study, "risk")
            found = table.compared("poor", "good")
            items = table.shared(["poor", "good"])
            values = table.figure(items)(items).tolist()
        assert found.difference.value == pytest.approx(values[1] - values[0])
        for side, run in ((found.first, "poor"), (found.second, "good")):
            pair = agreed(study, run)
            told = pair["spearman"] if key == "spearman" else pair["at_threshold"]["kappa"]
            assert side.value == pytest.approx(told["value"])
        assert contest("poor", {"poor": 10, "good": 12}, table.compared).winner == "good"


def test_without_labels_other_types_have_nothing_to_compare_either(tmp_path: Path) -> None:
    for name, question in (("sets", HARMS), ("marks", RISK), ("cut", replace(RISK, threshold=6))):
        study = make_study(tmp_path / name, [run_line("r000")], [question])
        with Store.open(study.database) as store:
            table = dev_table(store, study, question.id)
            assert table.compared("old", "new").difference.value is None
            items = table.shared(["old", "new"])
            assert optimism(items, table.figure(items)).expected is None
