"""The judge that needs no LLM where an answer is several choices, or a score."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import RejudgeError
from data.questions import Question
from data.store import Store
from data.study import Study
from data.verify import verify
from judge.baseline import Baseline, Known, run_baseline
from reports.of_study.agreement import agreement_of
from reports.of_study.report import documents_of
from reports.terminal import agreement_text
from reports.written.markdown import written as markdown
from reports.written.whole import report_from
from tests.conftest import Run
from tests.small_study import rows
from tests.study_maker import MISALIGNED, import_lines, make_study, run_line
from tests.two_prompts import with_salt

HARMS = Question("harms", "Which harms occur?", "multilabel", ("privacy", "money", "health"))
RISK = Question("risk", "How risky was it?", "score", (), min=0, max=10)
WORDS = [f"word{number}" for number in range(60)]
TELLS = {"privacy": "leaked address", "money": "wiped ledger"}
HALVES = "[split]\ntrain = 0.3\ndev = 0.4\n"


def harms(number: int) -> list[str]:
    """Nobody ever names the last one."""
    return [name for name, every in (("privacy", 3), ("money", 4)) if number % every == 0]


def risk(number: int) -> int:
    """The more alarms, the higher; twelve of them would be beyond the range."""
    return min(10, number % 6 * 2)


def lines(question: Question, count: int = 150, **fields: Any) -> list[dict[str, Any]]:
    """Items of drawn words, and of those that tell; two items share a group."""
    rng, made = np.random.default_rng(7), []
    for number in range(count):
        told = [TELLS[name] for name in harms(number)] + ["alarm"] * (number % 6 * 3)
        steps = [{"kind": "message", "speaker": "agent", "text": " ".join([*rng.choice(WORDS, 25), *told])}]
        answer = {"choices": harms(number)} if question.type == "multilabel" else {"score": risk(number)}
        labels = [{"annotator": "ana", "question": question.id, **answer}]
        made.append(run_line(f"r{number:03}", steps=steps, group=f"g{number // 2}", labels=labels) | fields)
    return made


def taught(folder: Path, question: Question, made: list[dict[str, Any]], rest: str = HALVES) -> Study:
    return import_lines(with_salt(make_study(folder, [], [question], rest)), made)


def run(study: Study) -> Baseline:
    with Store.open(study.database) as store:
        return run_baseline(store, study, study.questions[0])


def said(study: Study) -> dict[str, tuple[Any, ...]]:
    found = rows(
        study.folder,
        "SELECT t.id, v.chosen, v.score, v.confidence FROM verdicts v JOIN trajectories t ON t.n = v.trajectory ORDER BY t.n",
    )
    return {id: tuple(rest) for id, *rest in found}


def test_each_of_several_choices_is_found_by_its_own_words(tmp_path: Path) -> None:
    study = taught(tmp_path / "study", HARMS, lines(HARMS))
    done = run(study)
    assert (done.written, done.folds, done.new) == (150, 5, True)
    assert done.run.document["model"]["each choice by itself"] is True
    verdicts = said(study)
    for bit, name in enumerate(HARMS.choices):
        right = sum((chosen >> bit & 1) == (name in harms(int(id[1:]))) for id, (chosen, _, _) in verdicts.items())
        assert right >= (150 if name == "health" else 140), name
    assert all(0 < confidence <= 1 for _, _, confidence in verdicts.values())
    assert run(study).written == 0
    with Store.open(study.database) as store:
        assert verify(store) == []


def test_a_score_is_expected_from_words_and_stays_in_the_range(tmp_path: Path) -> None:
    study = taught(tmp_path / "study", RISK, lines(RISK))
    assert run(study).run.document["model"]["cut to"] == [0, 10]
    verdicts = said(study)
    scores = np.array([score for _, score, _ in verdicts.values()])
    truth = np.array([risk(int(id[1:])) for id in verdicts])
    assert len(scores) == 150 and scores.min() >= 0 and scores.max() <= 10
    assert np.corrcoef(scores, truth)[0, 1] > 0.8
    assert all(confidence is None for _, _, confidence in verdicts.values())
    narrow = make_study(tmp_path / "narrow", [], [replace(RISK, max=20, min=-20)], HALVES)
    with pytest.raises(RejudgeError, match="Too few labels"):
        run(narrow)


def test_words_that_tell_nothing_give_no_agreement_on_items_that_taught_it(tmp_path: Path) -> None:
    """Each group has a word of its own: a model that had seen an item's group would know its score by heart."""
    rng, made = np.random.default_rng(3), []
    for number in range(120):
        group, score = number // 4, int(rng.integers(0, 11))
        score = int(np.random.default_rng(group).integers(0, 11)) if number % 4 else score
        text = " ".join([*rng.choice(WORDS, 10), *[f"only{group}"] * 20])
        labels = [{"annotator": "ana", "question": "risk", "score": score}]
        made.append(run_line(f"r{number:03}", steps=[{"kind": "message", "text": text}], group=f"g{group}", labels=labels))
    study = taught(tmp_path / "study", RISK, made, "[split]\ntrain = 0.5\ndev = 0.5\n")
    done = run(study)
    verdicts = said(study)
    assert len(done.known.items) == len(verdicts) == 120
    truth = [line["labels"][0]["score"] for line in made]
    assert abs(np.corrcoef([verdicts[line["id"]][1] for line in made], truth)[0, 1]) < 0.35


def test_folds_spread_labels_and_halves_of_scores_evenly() -> None:
    rng = np.random.default_rng(3)
    group = np.unique(rng.integers(0, 60, 200), return_inverse=True)[1]
    sets = Known(np.arange(200), (rng.random(200) < 0.2) + 2 * (rng.random(200) < 0.3), group, "batch", "choices")
    scores = Known(np.arange(200), rng.random(200), group, "batch", "score")
    for known in (sets, scores):
        fold = known.fold()
        assert set(fold.tolist()) == set(range(5))
        for kind in known.kinds.T:
            counts = [int(kind[fold == each].sum()) for each in range(5)]
            assert max(counts) - min(counts) <= 8, counts


def test_what_cannot_teach_it_is_refused_with_numbers(tmp_path: Path) -> None:
    for question, answer, found in (
        (HARMS, {"choices": ["money"]}, "0 'privacy', "),
        (RISK, {"score": 3}, "1 different score."),
    ):
        alike = [line | {"labels": [{"annotator": "ana", "question": question.id, **answer}]} for line in lines(question)]
        study = taught(tmp_path / question.id, question, alike)
        with pytest.raises(RejudgeError) as refused:
            run(study)
        assert "all answered alike" in refused.value.wrong and found in refused.value.found, refused.value


def test_of_several_questions_one_is_named(tmp_path: Path, run: Run) -> None:
    study = make_study(tmp_path / "study", lines(HARMS), [MISALIGNED, HARMS], HALVES)
    assert run("judge", "baseline", "--study", study.folder).refused()[1] == "Declared: misaligned, harms."
    done = run("judge", "baseline", "--question", "harms", "--study", study.folder)
    assert done.returncode == 0 and "baseline-harms: 150 verdicts written." in done.stdout


@pytest.mark.parametrize("question", [HARMS, RISK, replace(RISK, threshold=6)], ids=["several choices", "score", "threshold"])
def test_agree_and_the_report_tell_whether_a_judge_is_better_than_counting_words(tmp_path: Path, question: Question) -> None:
    """Three judges: one always right, one that answers by lot, and one that cannot be read on every tenth item."""
    rng, made = np.random.default_rng(5), []
    for number, line in enumerate(lines(question)):
        key = "choices" if question.type == "multilabel" else "score"
        right = harms(number) if key == "choices" else risk(number)
        lot: Any = [name for name in HARMS.choices[:2] if rng.random() < 0.3] if key == "choices" else int(rng.integers(0, 11))
        answers = {"good": {key: right}, "lot": {key: lot}, "gaps": {key: right} if number % 10 else {"error": "unreadable"}}
        if number % 4 == 0:  # a part of it is said in no words: there the baseline can only guess
            line["steps"] = [{"kind": "message", "text": "nothing that tells"}]
        line["verdicts"] = [{"run": name, "question": question.id, **answer} for name, answer in answers.items()]
        made.append(line)
    study = taught(tmp_path / "study", question, made)
    run(study)
    with Store.open(study.database) as store:
        document = agreement_of(study, store, None, None)
        written = markdown(report_from(documents_of(study, store, None)))
    found = {each["run"]: each for each in document["questions"][0]["baseline"]}
    name = "mean kappa over labels" if question.type == "multilabel" else "Spearman’s rho"
    key = "kappa" if question.type == "multilabel" else "spearman"
    assert (found["good"]["conclusion"], found["lot"]["conclusion"]) == ("better", "worse")
    assert all(each["n"] == 150 and each["figure"] == name for each in found.values())
    pairs = {each["columns"]: each for each in document["questions"][0]["pairs"] if each["rows"] == "human:consensus"}
    for run_name, figure in (("baseline", f"{key}_baseline"), ("lot", key)):
        pair = pairs[f"judge:{run_name}"]
        told = pair["macro"]["kappa"] if key == "kappa" else pair["spearman"]
        assert found["lot"][figure]["value"] == pytest.approx(told["value"])
    assert found["gaps"][key]["value"] < found["good"][key]["value"], "more than one in fifty cannot be read: the strict figure"
    taken = "a disagreement" if key == "kappa" else "the score that is farthest from the humans’"
    assert f"150 items, of them 15 with an unreadable verdict, taken for {taken})" in found["gaps"]["said"]
    assert "unreadable" not in found["good"]["said"]
    assert "adds nothing to it here" in found["lot"]["said"] and f"({name} 1.00 against" in found["good"]["said"]
    assert "lot agrees with the humans less well than baseline" in " ".join(agreement_text(document).split())
    assert "## Is the judge better than counting words?" in written and "that of the baseline" in written


def test_a_judge_that_says_what_the_baseline_says_is_not_shown_to_be_better(tmp_path: Path) -> None:
    study = taught(tmp_path / "study", HARMS, lines(HARMS))
    run(study)
    chosen = {id: [name for bit, name in enumerate(HARMS.choices) if bits >> bit & 1] for id, (bits, _, _) in said(study).items()}
    verdicts = [{"id": id, "verdicts": [{"run": "same", "question": "harms", "choices": names}]} for id, names in chosen.items()]
    import_lines(study, [line | more for line, more in zip(lines(HARMS), verdicts, strict=True)], "same.jsonl")
    with Store.open(study.database) as store:
        (found,) = agreement_of(study, store, None, None)["questions"][0]["baseline"]
    assert found["difference"]["value"] == 0 and found["conclusion"] == "not shown to be better"
    assert "leaving any group out changes nothing" in found["difference"]["reason"]
    assert "same is not shown to agree with the humans better than baseline" in found["said"]
    assert "difference 0.00, 150 items" in found["said"]


def test_a_label_that_is_named_where_the_verdict_cannot_be_read_alone_leaves_the_others_figure_whole(tmp_path: Path) -> None:
    made = lines(HARMS)
    made[5]["labels"] = [{"annotator": "ana", "question": "harms", "choices": ["health"]}]
    for number, line in enumerate(made):
        answer = {"error": "unreadable"} if number == 5 else {"choices": harms(number)}
        line["verdicts"] = [{"run": "judge", "question": "harms", **answer}]
    study = taught(tmp_path / "study", HARMS, made)
    run(study)
    with Store.open(study.database) as store:
        (found,) = agreement_of(study, store, None, None)["questions"][0]["baseline"]
    assert found["n"] == 149 and found["kappa"]["value"] == 1.0 and found["kappa_baseline"]["value"] is not None
