"""What stays of a file: the identity of runs, verdicts and labels, the splits, and refusals that change nothing."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from data.errors import ImportRefused, RejudgeError
from data.splits import SplitDraw
from data.study import load_study
from tests.conftest import Run
from tests.small_study import MISALIGNED, SEVERITY, bring, dump, label, line, make_study, rows, verdict, write_lines


def refused(folder: Path, path: Path, wrong: str, **naming: Any) -> ImportRefused:
    """Imports `path`, which must be refused and change nothing."""
    before = dump(folder)
    with pytest.raises(ImportRefused, match=wrong) as caught:
        bring(folder, path, **naming)
    assert dump(folder) == before
    assert caught.value.wrong.startswith(f"{path}: ")
    return caught.value


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Writes lines into a file of its own and returns its path."""

    def file(*lines: Any) -> Path:
        return write_lines(tmp_path / f"file-{len(os.listdir(tmp_path))}.jsonl", *lines)

    return file


# The same file, the same run


def test_importing_the_same_file_twice_changes_nothing(study: Path, file: Any) -> None:
    path = file(
        line(
            1,
            metadata={"a": 1, "b": [None, {"c": 0.1}]},
            verdicts=[verdict(confidence=1), verdict(repeat=1), verdict(None, error="e", run="b")],
        ),
        line(2, group="g", labels=[label(), label(None, "ben", unsure=True, rationale="r", evidence=[0])]),
        line(1),
        line(3, extra=True),
    )  # fmt: skip
    first = bring(study, path).counts
    assert (first.trajectories, first.verdicts, first.labels, first.known_trajectories) == (3, 3, 2, 1)
    before = dump(study)
    again = bring(study, path).counts
    assert (again.trajectories, again.verdicts, again.labels) == (0, 0, 0)
    assert (again.known_trajectories, again.known_verdicts, again.known_labels) == (4, 3, 2)
    assert dump(study) == before


def test_the_same_run_gains_verdicts_labels_and_metadata_fields(study: Path, file: Any) -> None:
    bring(study, file(line(1, metadata={"a": 1}, verdicts=[verdict()])))
    counts = bring(
        study, file(line(1, metadata={"b": 2}, note="n", verdicts=[verdict("aligned", run="judge-b")], labels=[label()]))
    ).counts
    assert (counts.trajectories, counts.verdicts, counts.labels) == (0, 1, 1)
    assert rows(study, "SELECT metadata, hidden FROM trajectories") == [('{"a":1,"b":2}', '{"note":"n"}')]
    assert rows(study, "SELECT name FROM judge_runs ORDER BY name") == [("judge-a",), ("judge-b",)]


@pytest.mark.parametrize(
    ("old", "new"), [("x", "y"), (1, 2), (1, True), (0, False), (1, "1"), ([1, 2], [2, 1]), ({"a": 1}, {"a": True}), (None, 0)]
)
def test_a_changed_metadata_value_is_refused(study: Path, file: Any, old: Any, new: Any) -> None:
    bring(study, file(line(1, metadata={"k": old}, own=[old])))
    refused(study, file(line(1, metadata={"k": new})), "already there with another metadata `k`")
    refused(study, file(line(1, own=[new])), "already there with another field `own`")


def test_metadata_may_come_again_with_its_keys_in_another_order(study: Path, file: Any) -> None:
    bring(study, file(line(1, metadata={"k": {"a": 1, "b": 2}})))
    bring(study, file(line(1, metadata={"k": {"b": 2, "a": 1}})))
    assert rows(study, "SELECT count(*) FROM trajectories") == [(1,)]


def test_a_changed_group_is_refused_and_an_absent_one_is_not(study: Path, file: Any) -> None:
    bring(study, file(line(1, group="g"), line(2)))
    bring(study, file(line(1, group=None), line(1, group="")))
    refused(study, file(line(1, group="h")), "another field `group`")
    refused(study, file(line(2, group="g")), "another field `group`")


def test_the_same_id_with_other_content_needs_a_prefix(study: Path, file: Any) -> None:
    bring(study, file(line(1)))
    for changed in (line(1, task="Other."), line(1, task=None), line(1, steps=[{"kind": "note", "text": "x"}])):
        path = file(changed)
        error = refused(study, path, "trajectory '1' is already there with other content")
        assert "line 1" in error.wrong and "--prefix" in error.do
    bring(study, path, prefix="second-")
    assert rows(study, "SELECT id FROM trajectories ORDER BY n") == [("1",), ("second-1",)]


def test_ids_are_compared_as_text(study: Path, file: Any) -> None:
    bring(study, file(line(7, task="t", steps=[{"kind": "note", "text": "x"}])))
    counts = bring(study, file(line("7", task="t", steps=[{"kind": "note", "text": "x"}]))).counts
    assert (counts.trajectories, counts.known_trajectories) == (0, 1)
    bring(study, file(line("07", task="t"), line(" 7", task="t")))
    assert rows(study, "SELECT count(*) FROM trajectories") == [(3,)]


def test_another_id_with_the_same_content_is_a_second_run_in_the_same_split(tmp_path: Path, file: Any) -> None:
    folder = make_study(tmp_path / "s", f"{MISALIGNED}[split]\ntrain = 0.4\ndev = 0.3\n")
    same = {"task": "t"}
    runs = [line(f"{k}-{twin}", **same, steps=[{"kind": "note", "text": f"content {k}"}]) for k in range(20) for twin in "ab"]
    bring(folder, file(*runs))
    splits = rows(folder, "SELECT content_hash, count(*), count(DISTINCT split) FROM trajectories GROUP BY 1")
    assert len(splits) == 20 and {row[1:] for row in splits} == {(2, 1)}
    assert len(rows(folder, "SELECT DISTINCT split FROM trajectories")) == 3


def test_the_group_wins_over_the_content_of_twins(study: Path, file: Any) -> None:
    bring(study, file(*(line(k, group=f"g{k}", task="t", steps=[{"kind": "note", "text": "one"}]) for k in range(40))))
    draw = SplitDraw(rows(study, "SELECT value FROM study WHERE key = 'salt'")[0][0], 0.15, 0.30)
    found = rows(study, "SELECT group_name, split FROM trajectories")
    assert len({split for _, split in found}) == 3
    assert all(draw.of(group) == split for group, split in found)


# Lines of one file

CONTRADICTIONS = {
    "content": ([line(1), line(1, task="Other.")], "other content"),
    "metadata": ([line(1, metadata={"k": 1}), line(2), line(1, metadata={"k": 2})], "another field `k`"),
    "a hidden field": ([line(1, k=1), line(1, k=2)], "another field `k`"),
    "groups": ([line(1, group="g"), line(1, group="h")], "another field `group`"),
    "a group that comes too late": ([line(1), line(1, group="g")], "another field `group`"),
    "verdicts": ([line(1, verdicts=[verdict()]), line(1, verdicts=[verdict("aligned")])], "is already there and differs"),
    "verdict and error": (
        [line(1, verdicts=[verdict()]), line(1, verdicts=[verdict(None, error="e")])],
        "already there and differs",
    ),
    "verdicts of one line": ([line(2), line(1, verdicts=[verdict(), verdict("aligned")])], "is already there and differs"),
    "labels of one line": ([line(2), line(1, labels=[label(), label(None, unsure=True)])], "is already there and differs"),
    "labels": ([line(1, labels=[label()]), line(1, labels=[label("misaligned")])], "is already there and differs"),
}


@pytest.mark.parametrize(("lines", "wrong"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_lines_that_contradict_each_other_are_refused_before_anything_is_written(
    study: Path, file: Any, lines: list[Any], wrong: str
) -> None:
    error = refused(study, file(*lines), wrong)
    assert f"line {len(lines)}" in error.wrong


def test_an_answer_that_stands_twice_in_a_line_comes_in_once(study: Path, file: Any) -> None:
    path = file(line(1, verdicts=[verdict(rationale="r"), verdict(rationale="r")], labels=[label(), label()]))
    counts = bring(study, path).counts
    assert (counts.verdicts, counts.known_verdicts, counts.labels, counts.known_labels) == (1, 1, 1, 1)
    assert rows(study, "SELECT (SELECT count(*) FROM verdicts), (SELECT count(*) FROM label_events)") == [(1, 1)]


def test_a_line_without_a_group_may_follow_one_with_it(study: Path, file: Any) -> None:
    bring(study, file(line(1, group="g"), line(1)))
    assert rows(study, "SELECT group_name FROM trajectories") == [("g",)]


# Answers never change


def test_the_verdict_of_a_run_never_changes(study: Path, file: Any) -> None:
    bring(
        study, file(line(1, verdicts=[verdict(rationale="r", cites=[0], confidence=0.5), verdict(None, error="timeout", run="b")]))
    )
    for changed in (
        verdict("aligned"),
        verdict(None, error="timeout"),
        verdict(rationale="another"),
        verdict(cites=[1]),
        verdict(confidence=0.6),
        verdict(run="b"),
        verdict(None, error="refused", run="b"),
        verdict(None, error="timeout", run="b", rationale="only now"),
    ):
        error = refused(study, file(line(1, verdicts=[changed])), "is already there and differs")
        found, there = error.found.removeprefix("Found ").removesuffix(".").split("; what is there is ")
        assert "never change" in error.do and found != there
    bring(study, file(line(1, verdicts=[verdict()])))  # says less, and nothing else


def test_an_imported_label_never_changes(study: Path, file: Any) -> None:
    bring(study, file(line(1, labels=[label(evidence=[0]), label(None, "ben", unsure=True)])))
    for changed in (label("misaligned"), label(None, unsure=True), label(evidence=[1]), label("aligned", "ben")):
        refused(study, file(line(1, labels=[changed])), "is already there and differs")
    assert "what is there is 'unsure'" in refused(study, file(line(1, labels=[label("aligned", "ben")])), "differs").found


def test_an_unreadable_verdict_is_never_counted_as_a_no(study: Path, file: Any) -> None:
    bring(study, file(line(1, verdicts=[verdict(None, error="the reply was cut off"), verdict(None, error="", run="b")])))
    assert rows(study, "SELECT choice, error FROM verdicts ORDER BY id") == [(None, "the reply was cut off"), (None, "")]


def test_repeats_are_kept_apart(study: Path, file: Any) -> None:
    bring(study, file(line(1, verdicts=[verdict("aligned"), verdict("misaligned", repeat=1), verdict(None, error="e", repeat=7)])))
    found = rows(study, "SELECT v.repeat, c.name FROM verdicts v LEFT JOIN choices c ON c.code = v.choice ORDER BY 1")
    assert found == [(0, "aligned"), (1, "misaligned"), (7, None)]


def test_cited_steps_are_kept_as_positions(study: Path, file: Any) -> None:
    steps = [{"kind": "note", "id": id, "text": "x"} for id in ("a", 17, "b")] + [{"kind": "note", "text": "no id"}]
    cited = {"judge-a": ["a", 1, "b"], "judge-b": ["17", 3], "judge-c": [], "judge-d": None}
    bring(study, file(line(1, steps=steps, verdicts=[verdict(run=run, cites=cites) for run, cites in cited.items()])))
    found = dict(rows(study, "SELECT r.name, v.cites FROM verdicts v JOIN judge_runs r ON r.code = v.run"))
    assert found == {"judge-a": "[0,1,2]", "judge-b": "[1,3]", "judge-c": "[]", "judge-d": None}


@pytest.mark.parametrize("cites", [[2], [-1], ["s9"], [""], ["2"], [10**30]])
def test_a_step_that_does_not_exist_is_refused(study: Path, file: Any, cites: list[Any]) -> None:
    steps = [{"kind": "note", "id": "s0", "text": "x"}, {"kind": "note", "text": "y"}]
    wrong = "line 2 .trajectory '1'.: `{}` names a step that does not exist"
    error = refused(study, file(line(2), line(1, steps=steps, verdicts=[verdict(cites=cites)])), wrong.format("cites"))
    assert "the trajectory has 2 steps, 0 to 1" in error.found
    refused(study, file(line(2), line(1, steps=steps, labels=[label(evidence=cites)])), wrong.format("evidence"))


def test_an_id_that_two_steps_share_cannot_be_cited(study: Path, file: Any) -> None:
    steps = [{"kind": "note", "id": "s", "text": "x"}, {"kind": "note", "id": "s", "text": "y"}]
    bring(study, file(line(1, steps=steps, verdicts=[verdict(cites=[0, 1])])))
    error = refused(study, file(line(1, steps=steps, verdicts=[verdict(run="b", cites=["s"])])), "an id that several steps have")
    assert "0, 1" in error.found


# Questions and choices that are not declared


def pasted(error: RejudgeError) -> str:
    """The block of study.toml in what a refusal says to do."""
    return error.do.partition("\n\n")[2]


def test_an_undeclared_question_comes_with_a_block_that_lets_the_file_in(study: Path, file: Any) -> None:
    path = file(
        line(1, verdicts=[verdict(None, question="kind", error="e"), verdict()]),
        line(2, verdicts=[verdict("a", question="kind")]),
        line(3, labels=[label("b", question="kind"), label("c", "ben", question="kind")]),
    )
    error = refused(study, path, "line 1: there is no question 'kind'")
    assert "misaligned" in error.found
    with (study / "study.toml").open("a") as toml:
        toml.write(f"\n{pasted(error)}")
    kind = load_study(study).question("kind")
    assert kind is not None and (kind.type, kind.choices) == ("nominal", ("a", "b", "c"))
    assert bring(study, path).counts.trajectories == 3


@pytest.mark.parametrize("answers", [[], ["bad"], ["bad", "good"]])
def test_the_block_lets_the_file_in_however_few_choices_it_uses(tmp_path: Path, file: Any, answers: list[str]) -> None:
    folder = make_study(tmp_path / "s", 'name = "s"\n')
    verdicts = [verdict(None, error="e", run="z"), *(verdict(choice, run=choice) for choice in answers)]
    path = file(line(1, verdicts=verdicts))
    error = refused(folder, path, "there is no question 'misaligned'")
    with (folder / "study.toml").open("a") as toml:
        toml.write(f"\n{pasted(error)}")
    assert bring(folder, path).counts.verdicts == 1 + len(answers)


def test_an_undeclared_choice_comes_with_a_block_that_lets_the_file_in(tmp_path: Path, file: Any) -> None:
    follow = SEVERITY + 'evidence = "optional"\nwhen = { question = "misaligned", is = "misaligned" }\n'
    folder = make_study(tmp_path / "s", f"{MISALIGNED}\n{follow}")
    bring(folder, file(line(0, verdicts=[verdict("none", question="severity"), verdict("aligned")])))
    for path, question, there in (
        (file(line(1, verdicts=[verdict("huge", question="severity")]), line(2, labels=[label("tiny", question="severity")])),
         "severity", follow),
        (file(line(3, verdicts=[verdict("neither")])), "misaligned", MISALIGNED.partition("\n\n")[2]),
    ):  # fmt: skip
        error = refused(folder, path, f"question '{question}' has no choice")
        before = load_study(folder).question(question)
        toml = (folder / "study.toml").read_text()
        assert there in toml
        (folder / "study.toml").write_text(toml.replace(there, pasted(error)))
        after = load_study(folder).question(question)
        assert before is not None and after is not None
        assert after.choices[: len(before.choices)] == before.choices and after.when == before.when
        bring(folder, path)
    assert rows(folder, "SELECT count(*) FROM verdicts") == [(4,)]


def test_a_question_that_cannot_be_declared_is_refused_without_a_block(study: Path, file: Any) -> None:
    for answers, why in (
        ([verdict(question="is it bad?")], "letters, digits, _ and -"),
        ([verdict("Bad", question="q"), verdict("bad", "b", question="q")], "not distinct"),
        ([verdict(f"It is {k}.", f"r{k}", question="q") for k in range(40)], "40 choices"),
    ):
        error = refused(study, file(line(1, verdicts=answers)), "there is no question")
        assert "Mend the file" in error.do and "[[question]]" not in error.do
        assert why in error.do


def test_a_used_choice_may_not_leave_study_toml(study: Path, file: Any) -> None:
    path = file(line(1, verdicts=[verdict("aligned")]))
    bring(study, path)
    (study / "study.toml").write_text(MISALIGNED.replace('["aligned"', '["fine"'))
    before = dump(study)
    with pytest.raises(RejudgeError, match="has lost the choice 'aligned'"):
        bring(study, path)
    assert dump(study) == before


# Splits

GROUPED = f'{MISALIGNED}[split]\ngroup = "scenario"\n'


def splits(folder: Path) -> dict[str, str]:
    return dict(rows(folder, "SELECT id, split FROM trajectories"))


def give_salt(folder: Path, salt: str) -> None:
    import sqlite3

    with sqlite3.connect(folder / "study.db") as conn:
        conn.execute("UPDATE study SET value = ? WHERE key = 'salt'", [salt])
    conn.close()


def test_splits_do_not_depend_on_the_order_of_import(tmp_path: Path, file: Any) -> None:
    lines = [line(k, group=f"g{k // 2}") for k in range(120)]
    forward, backward, salted = (make_study(tmp_path / name) for name in ("f", "b", "s"))
    give_salt(forward, "one salt")
    give_salt(backward, "one salt")
    bring(forward, file(*lines))
    bring(backward, file(*reversed(lines[60:])))
    bring(backward, file(*reversed(lines[:60])))
    bring(salted, file(*lines))
    assert splits(forward) == splits(backward)
    assert splits(forward) != splits(salted), "another salt draws other splits"
    assert all(splits(forward)[str(k)] == splits(forward)[str(k + 1)] for k in range(0, 120, 2)), "siblings stay together"


def test_shares_are_kept_over_many_groups() -> None:
    drawn = Counter(SplitDraw("fixed salt", 0.15, 0.30).of(f"group {k}") for k in range(20_000))
    for split, share in (("train", 0.15), ("dev", 0.30), ("test", 0.55)):
        assert abs(drawn[split] / 20_000 - share) < 0.015
    assert {SplitDraw("s", 0, 0).of(f"{k}") for k in range(200)} == {"test"}
    assert {SplitDraw("s", 1, 0).of(f"{k}") for k in range(200)} == {"train"}


def test_the_group_comes_from_the_line_then_from_the_named_field_then_from_the_content(tmp_path: Path, file: Any) -> None:
    folder = make_study(tmp_path / "s", GROUPED)
    bring(
        folder,
        file(
            line(1, group="own", metadata={"scenario": "s1"}),
            line(2, metadata={"scenario": "s1"}),
            line(3, scenario="s1"),
            line(4, metadata={"scenario": 4}),
            line(5, group="", metadata={"scenario": "s1"}),
            line(6, group=6),
            line(7, metadata={"scenario": 0.5}),
            *(line(f"empty-{k}", metadata={"scenario": empty}) for k, empty in enumerate(["", "  ", None, [], {}])),
            line("none"),
        ),
    )
    found = dict(rows(folder, "SELECT id, group_name FROM trajectories"))
    contents = dict(rows(folder, "SELECT id, content_hash FROM trajectories"))
    assert [found[str(k)] for k in range(1, 8)] == ["own", "s1", "s1", "4", "s1", "6", "0.5"]
    for id in ("none", *(f"empty-{k}" for k in range(5))):
        assert found[id] == contents[id]


def test_splits_never_move_once_drawn(tmp_path: Path, file: Any) -> None:
    folder = make_study(tmp_path / "s", GROUPED)
    (folder / "study.toml").write_text(f"{GROUPED}train = 0.2\n")  # before the first import shares may change
    bring(folder, file(line(1)))
    for changed in (
        GROUPED,
        f"{GROUPED}train = 0.3\n",
        f"{GROUPED}train = 0.2\ndev = 0.2\n",
        f"{MISALIGNED}[split]\ntrain = 0.2\n",
    ):
        (folder / "study.toml").write_text(changed)
        before = dump(folder)
        with pytest.raises(ImportRefused, match=r"\[split\] in study\.toml has changed") as caught:
            bring(folder, file(line(2)))
        assert "0.2" in caught.value.found and dump(folder) == before
    (folder / "study.toml").write_text(f"{GROUPED}dev = 0.30\ntrain = 0.20\n")
    bring(folder, file(line(2)))


def test_few_groups_are_warned_of(tmp_path: Path, file: Any) -> None:
    few, many = make_study(tmp_path / "few"), make_study(tmp_path / "many")
    path = file(*(line(k, group=f"g{k % 29}") for k in range(60)))
    assert any("Only 29 groups" in note for note in bring(few, path).notes)
    assert not any("Only" in note for note in bring(few, path).notes), "nothing came in, nothing to warn of"
    assert not any("Only" in note for note in bring(many, file(*(line(k) for k in range(30)))).notes)


# Names on the command line and of files


def test_names_that_cannot_be_stored_are_refused(study: Path, file: Any) -> None:
    path = file(line(1, verdicts=[verdict(run=None)]))
    for naming in ({"run": "\udcff"}, {"run": "  "}, {"prefix": "\udc80-"}, {"prefix": "a\nb"}, {"question": "\udcff"}):
        refused(study, path, "cannot be that", **naming)


def test_a_file_whose_name_is_not_utf8_comes_in(study: Path, file: Any, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl"))
    file(line(1)).rename(odd)
    assert bring(study, odd).counts.trajectories == 1
    assert rows(study, "SELECT file FROM imports") == [("caf\ufffd.jsonl",)]


def test_a_study_toml_that_cannot_take_the_question_of_a_format_refuses_before_anything_is_written(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s", 'name = "s"\nquestion = []\n')
    path = tmp_path / "r.json"
    path.write_text(json.dumps([{"id": 1, "contents": [[{"role": "user", "content": "Hi"}]], "label": 0}]))
    before = dump(folder)
    with pytest.raises(RejudgeError):
        bring(folder, path)
    assert dump(folder) == before


def test_lines_that_are_added_while_a_file_comes_in_wait_for_the_next_import(
    study: Path, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from data import importing

    path, write = file(line(1), line(2)), importing._write

    def growing(*all: Any) -> Any:
        with path.open("a") as end:
            end.write('{"id": 3, "steps": [{"ki')
        return write(*all)

    monkeypatch.setattr(importing, "_write", growing)
    assert bring(study, path).counts.trajectories == 2
    assert rows(study, "SELECT finished_at IS NOT NULL FROM imports") == [(1,)]


# The bad input of the issue, through the command

DEEP = "[" * 5000
BAD_INPUT: dict[str, tuple[str, str]] = {
    "not JSON": ('{"id": 1, "steps": [}\n', "line 1"),
    "not JSON further on": (json.dumps(line()) + "\nhello\n", "line 2"),
    "a truncated last line": (json.dumps(line()) + "\n" + json.dumps(line(2))[:-9], "line 2"),
    "an unknown format": ("a,b\n1,2\n", "no format"),
    "missing steps": (json.dumps(line()) + "\n" + '{"id": 2, "reward": 0}\n', "line 2"),
    "an empty list of steps": (json.dumps(line(steps=[])), "line 1"),
    "a verdict for no question": (json.dumps(line(verdicts=[verdict(question="other")])), "line 1"),
    "a choice that is not declared": (json.dumps(line(verdicts=[verdict("bad")])), "line 1"),
    "a label that is not declared": (json.dumps(line(labels=[label("bad")])), "line 1"),
    "choice and error": (json.dumps(line(verdicts=[verdict(error="x")])), "line 1"),
    "neither choice nor error": (json.dumps(line(verdicts=[verdict(None)])), "line 1"),
    "a position beyond the end": (json.dumps(line(verdicts=[verdict(cites=[2])])), "line 1"),
    "evidence beyond the end": (json.dumps(line(labels=[label(evidence=[-1])])), "line 1"),
    "the same id with other content": (json.dumps(line(0, task="Another.")), "line 1"),
    "an empty file": ("", "is empty"),
    "NaN": ('{"id": 1, "steps": [{"kind": "note", "text": "x"}], "x": NaN}', "line 1"),
    "a number beyond all": ('{"id": 1, "steps": [{"kind": "note", "text": "x"}], "x": 1e999}', "line 1"),
    "nested without end": ('{"id": 1, "steps": [{"kind": "note", "text": "x"}], "x": ' + DEEP, "line 1"),
    "an unknown key in a step": (json.dumps(line(steps=[{"kind": "note", "txt": "x"}])), "line 1"),
    "a verdict without a run": (json.dumps(line(verdicts=[verdict(run=None)])), "line 1"),
    "an id that is no id": (json.dumps(line([1])), "line 1"),
}  # fmt: skip


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that holds something to lose. No test may change it."""
    folder = make_study(tmp_path_factory.mktemp("held") / "study")
    bring(folder, write_lines(folder.parent / "first.jsonl", line(0, verdicts=[verdict()], labels=[label()])))
    return folder


def check_refused(run: Run, folder: Path, path: Path, named: str, **request: Any) -> None:
    before = dump(folder)
    said = run("import", path, "--study", folder, **request).refused()
    assert dump(folder) == before
    assert str(path) in said[0] and named in said[0]
    assert len(said) == 3 or said[3:5] == ["", "[[question]]"], said
    assert all(said[:3])


@pytest.mark.parametrize(("text", "named"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_refused_in_three_beats_and_changes_nothing(
    run: Run, held: Path, tmp_path: Path, text: str, named: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    check_refused(run, held, path, named)


def test_a_folder_and_a_missing_file_are_refused_in_three_beats(run: Run, held: Path, tmp_path: Path) -> None:
    check_refused(run, held, tmp_path, "is a folder")
    check_refused(run, held, tmp_path / "none.jsonl", "cannot be read")


def test_a_file_without_permission_is_refused_in_three_beats(run: Run, held: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "secret.jsonl", line(5))
    path.chmod(0)
    # root may read everything, until it gives up its rights
    check_refused(run, held, path, "cannot be read", without_rights=os.geteuid() == 0)


def test_of_several_files_those_before_a_bad_one_are_in(run: Run, study: Path, file: Any) -> None:
    ran = run("import", file(line(1)), file("nonsense"), file(line(2)), "--study", study)
    assert ran.returncode == 1 and "Traceback" not in ran.stderr
    assert ran.stdout.count("came in") == 1
    assert rows(study, "SELECT id FROM trajectories") == [("1",)]
