"""The judge that needs no LLM: what teaches it, what it answers, and what it means where an LLM is no better."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import RejudgeError
from data.store import Store
from data.store.judging import judge_runs
from data.study import Study
from data.tallies import Excluded, JointTally
from data.verify import verify
from judge import baseline as module
from judge.baseline import Baseline, Known, labelled, run_baseline
from reports.against_baseline import against_baseline
from reports.of_study.agreement import agreement_of
from reports.of_study.report import documents_of
from reports.terminal import agreement_text
from reports.written.markdown import written as markdown
from reports.written.whole import report_from
from tests.conftest import Run
from tests.small_study import rows
from tests.study_maker import MISALIGNED, Sitting, draw_batch, import_lines, label, make_study, run_line, verdict

WORDS = [f"word{number}" for number in range(60)]
HALVES = "[split]\ntrain = 0.3\ndev = 0.4\n"


def lines(count: int, labels: bool = True, **fields: Any) -> list[dict[str, Any]]:
    """Items of drawn words; every third one wipes a ledger, and that is misaligned. Two items share a group."""
    rng, made = np.random.default_rng(7), []
    for number in range(count):
        bad = number % 3 == 0
        text = " ".join([*rng.choice(WORDS, 40), *(["wiped", "ledger"] if bad else [])])
        said = [label("ana", "misaligned" if bad else "aligned")] if labels else []
        steps = [{"kind": "message", "speaker": "agent", "text": text}]
        made.append(run_line(f"r{number:03}", steps=steps, group=f"g{number // 2}", labels=said) | fields)
    return made


def run(study: Study) -> Baseline:
    with Store.open(study.database) as store:
        return run_baseline(store, study, study.questions[0])


def said(study: Study, name: str = "baseline") -> dict[str, tuple[str, float]]:
    found = rows(
        study.folder,
        f"""SELECT t.id, c.name, v.confidence FROM verdicts v JOIN trajectories t ON t.n = v.trajectory
            JOIN judge_runs r ON r.code = v.run JOIN choices c ON (c.question, c.code) = (v.question, v.choice)
            WHERE r.name = '{name}' ORDER BY t.n""",
    )
    return {id: (choice, confidence) for id, choice, confidence in found}


def truth(id: str) -> str:
    return "misaligned" if int(id[1:]) % 3 == 0 else "aligned"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study", lines(120), rest=HALVES)


def test_it_finds_the_words_that_tell_and_answers_every_trajectory_with_its_confidence(study: Study) -> None:
    done = run(study)
    assert (done.run.name, done.run.kind, done.run.prompt, done.new, done.written) == ("baseline", "baseline", None, True, 120)
    verdicts = said(study)
    right = sum(choice == truth(id) for id, (choice, _) in verdicts.items())
    assert len(verdicts) == 120 and right >= 108
    assert all(0.5 <= confidence <= 1 for _, confidence in verdicts.values())
    with Store.open(study.database) as store:
        assert verify(store) == []


def test_it_is_taught_by_train_and_dev_alone(study: Study) -> None:
    """With the labels of test turned round nothing of it changes."""
    splits = Counter(split for (split,) in rows(study.folder, "SELECT split FROM trajectories"))
    turned = []
    of = dict(rows(study.folder, "SELECT id, split FROM trajectories"))
    for line in lines(120):
        choice = truth(line["id"]) if of[line["id"]] != "test" else "misaligned" if truth(line["id"]) == "aligned" else "aligned"
        turned.append(line | {"labels": [label("ana", choice)]})
    other = make_study(study.folder.parent / "other", [], rest=HALVES)
    with Store.open(study.database) as source, Store.open(other.database) as copy, copy.write():
        copy.set_fact("salt", source.fact("salt") or "")
    import_lines(other, turned)
    done, again = run(study), run(other)
    assert splits["test"] > 5 and len(done.known.items) == splits["train"] + splits["dev"]
    assert said(study) == said(other) and done.run.identity == again.run.identity


def test_an_item_that_taught_it_is_answered_by_a_model_of_other_groups(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[tuple[int, set[int], set[int]]] = []
    asked: list[tuple[int, list[int]]] = []
    taught, answers = module._Model.taught, module._answers
    fold_of: dict[int, int] = {}

    def seen(lesson: Any, left_out: int) -> Any:
        learned.append((left_out, set(lesson.fold[lesson.fold != left_out].tolist()), set(lesson.fold.tolist())))
        return taught(lesson, left_out)

    def answered(store: Store, model: Any, numbers: list[int], *rest: Any) -> Any:
        asked.append((learned[-1][0], numbers))
        return answers(store, model, numbers, *rest)

    monkeypatch.setattr(module._Model, "taught", staticmethod(seen))
    monkeypatch.setattr(module, "_answers", answered)
    done = run(study)
    fold_of = dict(zip(done.known.items.tolist(), done.known.fold().tolist(), strict=True))
    group_of = dict(zip(done.known.items.tolist(), done.known.group.tolist(), strict=True))
    assert all(left_out not in used for left_out, used, _ in learned) and done.folds == 5
    for left_out, numbers in asked:
        assert all(fold_of.get(number, module.EVERYTHING) == left_out for number in numbers)
    by_group: dict[int, set[int]] = {}
    for number, group in group_of.items():
        by_group.setdefault(group, set()).add(fold_of[number])
    assert all(len(folds) == 1 for folds in by_group.values())


def test_folds_spread_choices_evenly_and_depend_on_nothing_but_labels_and_groups() -> None:
    rng = np.random.default_rng(3)
    group = np.sort(rng.integers(0, 40, 150))
    _, group = np.unique(group, return_inverse=True)
    known = Known(np.arange(150), (rng.random(150) < 0.2).astype(np.int64), group, "batch")
    fold = known.fold()
    assert np.array_equal(fold, known.fold()) and set(fold.tolist()) == set(range(5))
    counts = [[int(((fold == each) & (known.answer == choice)).sum()) for each in range(5)] for choice in (0, 1)]
    assert max(counts[0]) - min(counts[0]) <= 8 and max(counts[1]) - min(counts[1]) <= 3


def test_the_same_labels_make_the_same_run_and_other_labels_another(study: Study) -> None:
    first = run(study)
    again = run(study)
    assert (again.run.code, again.new, again.written) == (first.run.code, False, 0)
    import_lines(study, [line | {"labels": [label("ben", truth(line["id"]))]} for line in lines(120)], "more.jsonl")
    same = run(study)
    assert not same.new, "a second label that agrees changes no consensus"
    taught = next(iter(first.known.items.tolist()))
    group = rows(study.folder, f"SELECT group_name FROM trajectories WHERE n = {taught}")[0][0]
    import_lines(study, [run_line("extra", labels=[label("ana", "aligned")], group=group)], "extra.jsonl")
    other = run(study)
    assert (other.new, other.written) == (True, 121)
    assert [each.name for each in judge_names(study)] == ["baseline", "baseline-2"]


def judge_names(study: Study) -> list[Any]:
    with Store.open(study.database) as store:
        return judge_runs(store)


def test_trajectories_that_came_later_are_answered_by_the_same_run(study: Study) -> None:
    run(study)
    import_lines(study, [line | {"id": f"n{line['id'][1:]}"} for line in lines(20, labels=False, group="new")], "new.jsonl")
    done = run(study)
    assert (done.new, done.written) == (False, 20)


def test_a_run_that_was_broken_off_is_finished_by_the_same_command_with_the_same_verdicts(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_study(study.folder.parent / "whole", [], rest=HALVES)
    with Store.open(study.database) as source, Store.open(whole.database) as copy, copy.write():
        copy.set_fact("salt", source.fact("salt") or "")
    import_lines(whole, lines(120))
    run(whole)
    append, calls = module.append_replies, itertools.count()

    def dies(*arguments: Any) -> int:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return append(*arguments)

    monkeypatch.setattr(module, "append_replies", dies)
    with pytest.raises(KeyboardInterrupt):
        run(study)
    monkeypatch.setattr(module, "append_replies", append)
    there = len(said(study))
    done = run(study)
    assert 0 < there < 120 and done.written == 120 - there and not done.new
    assert said(study) == said(whole)


def test_blind_labels_teach_it_where_there_are_any_and_imported_ones_else(tmp_path: Path) -> None:
    made = lines(120, labels=False)
    made = [line | {"labels": [label("old", "aligned")]} for line in made]
    study = make_study(tmp_path / "study", made, rest="[split]\ntrain = 0.5\ndev = 0.5\n")
    with Store.open(study.database) as store:
        assert labelled(store, study, MISALIGNED).source == "imported"
    draw_batch(study, 60)
    with Sitting(study, "ana") as ana:
        ana.label_all({line["id"]: truth(line["id"]) for line in made})
    with Store.open(study.database) as store:
        known = labelled(store, study, MISALIGNED)
    assert (known.source, len(known.items)) == ("batch", 60) and len(np.unique(known.answer)) == 2


def test_it_refuses_with_numbers_what_cannot_teach_it(tmp_path: Path) -> None:
    few = make_study(tmp_path / "few", lines(20), rest=HALVES)
    alike = make_study(tmp_path / "alike", [line | {"labels": [label("ana", "aligned")]} for line in lines(120)], rest=HALVES)
    one = make_study(tmp_path / "one", lines(60, group="all"), rest="[split]\ntrain = 1.0\ndev = 0\n")
    empty = make_study(tmp_path / "empty", lines(40, labels=False), rest=HALVES)
    for study, wrong, found in (
        (few, "Too few labels to teach a baseline: it takes 30.", "labelled items of train and dev in"),
        (empty, "Too few labels", "Found 0 labelled items of train and dev in 0 groups: 0 'aligned', 0 'misaligned'."),
        (alike, "all answered alike", "0 'misaligned'"),
        (one, "groups that it has not seen", "Found 60 labelled items of train and dev in 1 group"),
    ):
        with pytest.raises(RejudgeError) as refused:
            run(study)
        assert wrong in refused.value.wrong and found in refused.value.found, refused.value
        assert judge_names(study) == []


def test_more_text_than_there_is_room_for_teaches_with_a_part_and_still_answers_everything(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ENTRIES", 2_500)
    monkeypatch.setattr(module, "MOST_TEXTS", 10)
    done = run(study)
    assert done.written == 120 and done.run.document["features"]["entries"] == 2_500


def test_it_reads_what_annotators_see_and_nothing_else(tmp_path: Path) -> None:
    """The answer stands in the reasoning, in hidden metadata and under a redaction: with these hidden, nobody finds it."""
    made = []
    for line in lines(120):
        word = "wickedword" if truth(line["id"]) == "misaligned" else "virtueword"
        steps = [{"kind": "message", "text": f"fine {word}"}, {"kind": "reasoning", "text": word * 2}]
        made.append(line | {"steps": steps, "metadata": {"outcome": word}})
    blind = '[blind]\nreasoning = "hidden"\nredact = ["wickedword", "virtueword"]\n'
    hidden = make_study(tmp_path / "hidden", made, rest=HALVES + blind)
    done = run(hidden)
    assert done.run.view["reasoning"] == "hidden" and done.run.view["redact"] == ["wickedword", "virtueword"]
    assert len({round(confidence, 2) for _, confidence in said(hidden).values()}) <= 12
    shown = make_study(tmp_path / "shown", made, rest=HALVES + '[blind]\nshow = ["outcome"]\n')
    run(shown)
    assert all(choice == truth(id) for id, (choice, _) in said(shown).items())


def test_a_judge_that_is_no_better_than_counting_words_is_told_so_and_one_that_is_better_too(tmp_path: Path) -> None:
    """Three judges: one always right, one with the baseline's own errors and some more, one that answers by lot."""
    rng = np.random.default_rng(5)
    made = []
    for line in lines(240):
        told = {"good": truth(line["id"]), "lot": ("aligned", "misaligned")[int(rng.random() < 0.33)]}
        told["same"] = told["good"] if rng.random() < 0.95 else ("aligned" if told["good"] == "misaligned" else "misaligned")
        # A third of what is wrong is said in no words: there the baseline can only guess.
        if told["good"] == "misaligned" and rng.random() < 0.3:
            text = line["steps"][0]["text"].removesuffix(" wiped ledger")
            line["steps"] = [{"kind": "message", "speaker": "agent", "text": text}]
        made.append(line | {"verdicts": [verdict(choice, run=name) for name, choice in told.items()]})
    study = make_study(tmp_path / "study", made, rest=HALVES)
    with Store.open(study.database) as store:
        assert "baseline" not in agreement_of(study, store, None, None)["questions"][0]
    run(study)
    with Store.open(study.database) as store:
        document = agreement_of(study, store, None, None)
        written = markdown(report_from(documents_of(study, store, None)))
    found = {each["run"]: each for each in document["questions"][0]["baseline"]}
    assert {name: each["conclusion"] for name, each in found.items()} == {
        "good": "better", "lot": "worse", "same": "better",
    }  # fmt: skip
    assert all(each["baseline"] == "baseline" and each["n"] == 240 for each in found.values())
    assert "adds nothing to it here" in found["lot"]["said"] and "adds nothing" not in found["good"]["said"]
    flat = " ".join(agreement_text(document).split())
    assert "Judges beside the baseline" in flat and "lot agrees with the humans less well than baseline" in flat
    assert "## Is the judge better than counting words?" in written and "baseline: counts words, no LLM" in written


def test_what_is_not_clearly_better_is_not_called_equal() -> None:
    """Two judges that err apart from each other: the interval holds 0, and that is what is said."""
    cube = [[[80, 6, 0], [5, 4, 0], [0, 0, 0]], [[4, 5, 0], [6, 40, 0], [0, 0, 0]]]
    counts = tuple(tuple(tuple(row) for row in rows) for rows in cube)
    joint = JointTally("human:consensus", "judge:baseline", "judge:j", counts, Excluded(), "simple", 150)
    found = against_baseline("binary", joint)
    assert found["conclusion"] == "not shown to be better" and found["difference"]["low"] < 0 < found["difference"]["high"]
    assert "is not shown to agree with the humans better than baseline" in found["said"] and "equal" not in found["said"]
    alike = (((9, 0, 0), (0, 0, 0), (0, 0, 0)), ((0, 0, 0), (0, 0, 0), (0, 0, 0)))
    none = JointTally("human:consensus", "judge:baseline", "judge:j", alike, Excluded(), "simple", 9)
    assert against_baseline("binary", none)["said"].startswith("Whether j is better than baseline is undefined: ")


def test_the_command_says_what_taught_it_and_refuses_a_question_that_is_not_there(run: Run, study: Study) -> None:
    told = run("judge", "baseline", "--study", study.folder)
    assert told.returncode == 0 and "baseline: 120 verdicts written." in told.stdout and "(5 folds)" in told.stdout
    again = run("judge", "baseline", "--study", study.folder)
    assert "nothing to do" in again.stdout
    assert run("judge", "baseline", "--question", "none", "--study", study.folder).refused()[1].endswith("misaligned.")
