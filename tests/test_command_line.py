"""The commands as they are typed: what goes where, what is refused, and what a draw is."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data.wording import amount
from tests.conftest import Ran, Run
from tests.small_study import MISALIGNED, bring, dump, label, line, make_study, rows, verdict, write_lines
from tests.study_maker import Sitting, draw_batch, numbered
from tests.study_maker import make_study as made_study

COMMANDS = (
    "demo",
    "init",
    "import",
    "draw",
    "batch",
    "annotators",
    "annotate",
    "agree",
    "plan",
    "labels",
    "judge",
    "gold",
    "report",
    "status",
    "leaks",
    "verify",
    "backup",
)
ACTIONS = (
    ("batch", "list"),
    ("batch", "pause"),
    ("batch", "open"),
    ("batch", "close"),
    ("annotators", "add"),
    ("annotators", "list"),
    ("annotators", "revoke"),
    ("annotators", "erase"),
    ("judge", "batch", "write"),
    ("judge", "batch", "read"),
    ("judge", "lint"),
    ("judge", "list"),
    ("judge", "xray"),
    ("judge", "compare"),
    ("judge", "certify"),
    ("judge", "baseline"),
    ("judge", "run"),
    ("judge", "revise"),
    ("judge", "spend"),
    ("gold", "freeze"),
    ("gold", "list"),
    ("gold", "export"),
)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of 60 trajectories with verdicts and labels. No test may change it."""
    folder = make_study(tmp_path_factory.mktemp("held") / "study")
    bring(folder, write_lines(folder.parent / "f.jsonl", *map(a_line, range(60))))
    return folder


def a_line(k: int) -> dict[str, Any]:
    answers = {"verdicts": [verdict(("aligned", "misaligned")[k % 2])], "labels": [label(("aligned", "misaligned")[k % 3 == 0])]}
    return line(f"run-{k:02}", group=f"g{k}", **answers)


@pytest.fixture
def drawable(tmp_path: Path) -> Path:
    """A study of 60 trajectories of its own."""
    folder = make_study(tmp_path / "study")
    bring(folder, write_lines(tmp_path / "f.jsonl", *map(a_line, range(60))))
    return folder


def typed(*argv: object, cwd: Path, **more: Any) -> "subprocess.CompletedProcess[str]":
    """`rejudge` started from nothing, as a shell does it."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-m", "rejudge", *map(str, argv)],
        cwd=cwd,
        env=environment,
        text=True,
        encoding="utf-8",
        check=False,
        **more,
    )


# Help and wrong usage


def test_the_help_names_every_command_and_no_other(run: Run) -> None:
    ran = run("--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    listed = re.findall(r"^    (\w+)\b", ran.stdout, re.M)
    assert tuple(listed) == COMMANDS


@pytest.mark.parametrize("command", [*((name,) for name in COMMANDS), *ACTIONS], ids=" ".join)
def test_every_command_has_a_help(run: Run, command: tuple[str, ...]) -> None:
    ran = run(*command, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"usage: rejudge {' '.join(command)}") and "-h, --help" in ran.stdout


WRONG_USAGE = [
    (),
    ("nonsense",),
    ("judge", "ask"),
    ("judge", "run", "--repeats", "0"),
    ("judge", "run", "--split", "other"),
    ("judge", "run", "--concurrency", "many"),
    ("judge", "revise", "--candidates", "11"),
    ("import",),
    ("import", "f", "--nonsense"),
    ("draw",),
    ("draw", "--n", "many"),
    ("draw", "--n", "1.5"),
    ("draw", "--n", "3", "--split", "other"),
    ("draw", "--n", "3", "--hunt", "--retest"),
    ("init",),
    ("init", "x", "--study", "a", "--from", "b"),
    ("annotators",),
    ("annotators", "add"),
    ("annotators", "erase"),
    ("annotators", "revoke"),
    ("backup",),
    ("annotate", "--port", "0"),
    ("agree", "--labels", "some"),
    ("judge", "spend", "--yes"),
    ("judge", "compare", "a"),
    ("judge", "certify", "new"),
    ("judge", "certify", "new", "--against", "old", "--looks", "4"),
    ("gold", "freeze"),
    ("gold", "export", "g"),
    ("gold", "export", "g", "--format", "xlsx", "--out", "x"),
    ("status", "extra"),
]


@pytest.mark.parametrize("argv", WRONG_USAGE, ids=lambda argv: " ".join(argv) or "nothing")
def test_wrong_usage_ends_with_status_two_and_a_usage_line(run: Run, tmp_path: Path, argv: tuple[str, ...]) -> None:
    ran = run(*argv, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stdout == "" and ran.stderr.startswith("usage: rejudge") and "Traceback" not in ran.stderr
    assert list(tmp_path.iterdir()) == []


# Where the study is


@pytest.mark.parametrize(
    "command", [("status",), ("labels",), ("agree",), ("verify",), ("annotators", "list"), ("gold", "list")], ids=" ".join
)
def test_the_study_may_stand_before_and_after_the_command_or_be_where_one_is(
    run: Run, held: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (held / "codebook").mkdir(exist_ok=True)
    before, after = run("--study", held, *command), run(*command, "--study", held)
    within = run(*command, cwd=held / "codebook")
    assert before.returncode == 0 and before.stdout
    assert before == after == within
    elsewhere = run(*command, cwd=tmp_path)
    assert "There is no study here." in elsewhere.refused()[0]


def test_the_study_after_the_command_goes_before_the_other(run: Run, held: Path, tmp_path: Path) -> None:
    assert run("--study", tmp_path, "status", "--study", held).returncode == 0
    assert run("--study", held, "status", "--study", tmp_path).returncode == 1


def test_a_study_that_cannot_be_used_is_refused_in_three_beats(run: Run, tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s")
    for name, spoil in (
        ("study.toml: `naem`", lambda: (folder / "study.toml").write_text(f"naem = 1\n{MISALIGNED}")),
        ("study.toml cannot be read", lambda: (folder / "study.toml").unlink()),
        ("study.db does not exist", lambda: ((folder / "study.toml").write_text(MISALIGNED), (folder / "study.db").unlink())),
        ("study.db could not be used", lambda: (folder / "study.db").write_bytes(b"no database at all " * 100)),
    ):
        for leftover in folder.glob("study.db-*"):
            leftover.unlink()
        spoil()
        for command in (("status",), ("agree",), ("draw", "--n", "1"), ("labels", "--json")):
            said = run(*command, "--study", folder).refused()
            assert name in said[0] and len(said) == 3
    assert run("status", "--study", tmp_path / "nowhere").returncode == 1


# init


def test_init_says_what_it_made_and_what_to_check(run: Run, tmp_path: Path) -> None:
    blank = run("init", "blank", cwd=tmp_path)
    assert (blank.returncode, blank.stdout) == (0, "blank: study 'blank' is ready.\n")
    assert "Declare a question" in blank.stderr
    file = write_lines(tmp_path / "f.jsonl", line(verdicts=[verdict()], labels=[label()]))
    begun = run("init", "from", "--from", file, cwd=tmp_path)
    assert begun.returncode == 0 and begun.stdout.count("  check ") == 3 and "`positive`" in begun.stdout
    assert begun.stderr == f"Then: rejudge import {file} --study from\n"
    assert run("import", file, "--study", "from", cwd=tmp_path).returncode == 0
    again = run("init", "blank", cwd=tmp_path)
    assert again.refused()[0] == "blank is not empty."


def test_init_lists_the_bundled_studies_and_copies_one(run: Run, tmp_path: Path) -> None:
    listed = run("init", "--list")
    assert (listed.returncode, listed.stderr) == (0, "") and "toxic-proactivity" in listed.stdout.split("\n")
    made = run("init", "--study", "toxic-proactivity", "s", cwd=tmp_path)
    assert made.returncode == 0 and "came in" in made.stdout
    assert run("verify", "--study", tmp_path / "s").returncode == 0
    assert "no bundled study" in run("init", "t", "--study", "none", cwd=tmp_path).refused()[0]


# import


def test_the_result_of_an_import_is_on_stdout_and_its_warnings_on_stderr(run: Run, study: Path, tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_text(json.dumps(a_line(1)).replace("Book the", "Book\\u0000 the") + "\n" + json.dumps(a_line(2)))
    first = run("import", file, "--study", study)
    assert (
        first.stdout
        == "f.jsonl (native): 2 trajectories, 2 verdicts, 2 labels came in; 1 unstorable character came in as visible marks.\n"
    )
    assert "skeleton" in first.stderr and "Only 2 groups" in first.stderr
    again = run("import", file, "--study", study)
    assert "0 trajectories, 0 verdicts, 0 labels came in; already there: 2 trajectories, 2 verdicts, 2 labels" in again.stdout
    assert again.stderr == ""


def test_no_count_of_verdicts_is_printed_unless_asked_for(run: Run, held: Path, study: Path, tmp_path: Path) -> None:
    imported = run("import", write_lines(tmp_path / "f.jsonl", *map(a_line, range(9))), "--study", study)
    plain, asked = run("status", "--study", held), run("status", "--verdicts", "--study", held)
    for ran in (imported, plain):
        assert "misaligned:" not in ran.stdout and "judge-a · misaligned" not in ran.stdout
    assert plain.stdout in asked.stdout and "30" in asked.stdout.removeprefix(plain.stdout)


# status


def test_status_is_a_function_of_the_rows(run: Run, held: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(held, copy)
    first, second, third = (run("status", "--study", folder) for folder in (held, held, copy))
    assert first == second == third
    assert "trajectories: 60" in first.stdout and not re.search(r"20\d\d-|\d\d:\d\d", first.stdout), "no clock"


def test_status_counts_twins_and_groups(run: Run, study: Path, tmp_path: Path) -> None:
    same = {"task": "t", "steps": [{"kind": "note", "text": "x"}]}
    bring(study, write_lines(tmp_path / "f.jsonl", *(line(k, group=f"g{k}", **same) for k in range(30)), line("other")))
    said = run("status", "--study", study).stdout
    counted = dict(rows(study, "SELECT split, count(*) FROM trajectories GROUP BY split"))
    assert "twins (same content, other id): 30; contents that straddle splits: 1" in said
    for split, count in counted.items():
        assert f"  {split}: {count} in {amount(count, 'group')}" in said


# draw


def items(folder: Path, name: str = "batch-1") -> list[tuple[Any, ...]]:
    return rows(
        folder,
        f"""SELECT t.id, i.inclusion, i.stratum, i.role, t.split FROM batch_items i JOIN batches b ON b.code = i.batch
            JOIN trajectories t ON t.n = i.trajectory WHERE b.name = '{name}' ORDER BY i.number""",
    )


def test_a_seed_gives_the_same_batch_whatever_the_order_of_import(run: Run, tmp_path: Path) -> None:
    drawn = []
    for name, order in (("a", range(60)), ("b", reversed(range(60)))):
        folder = make_study(tmp_path / name)
        bring(folder, write_lines(tmp_path / f"{name}.jsonl", *map(a_line, order)))
        ran = run("draw", "--n", "20", "--seed", "7", "--study", folder)
        assert (
            ran.stdout == "batch-1: 20 items drawn at random from 60, 1 label each; seed 7.\n"
            and "still the skeleton" in ran.stderr
        )
        drawn.append([row[0] for row in items(folder)])
    assert drawn[0] == drawn[1]
    assert drawn[0] != sorted(drawn[0]) and len(set(drawn[0])) == 20
    other = make_study(tmp_path / "c")
    bring(other, tmp_path / "a.jsonl")
    run("draw", "--n", "20", "--seed", "8", "--study", other)
    assert [row[0] for row in items(other)] != drawn[0]


def test_a_random_seed_is_printed_stored_and_good_for_the_same_draw(run: Run, drawable: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(drawable, copy)
    said = re.search(r"seed (\w+)\.", run("draw", "--n", "10", "--study", drawable).stdout)
    assert said is not None
    assert rows(drawable, "SELECT seed FROM batches") == [(said[1],)]
    run("draw", "--n", "10", "--seed", said[1], "--study", copy)
    assert items(copy) == items(drawable)


def test_a_batch_records_recipe_frame_and_inclusion_probabilities(run: Run, drawable: Path) -> None:
    assert run("draw", "--n", "12", "--overlap", "2", "--seed", "1", "--study", drawable).returncode == 0
    assert {row[1:4] for row in items(drawable)} == {(12 / 60, "all", "real")}
    ((recipe, frame, overlap, state, kind),) = rows(drawable, "SELECT recipe, frame, overlap, state, kind FROM batches")
    assert json.loads(recipe) == {"design": "simple", "n": 12, "overlap": 2, "split": "all"}
    assert json.loads(frame)["items"] == 60 and sum(json.loads(frame)["splits"].values()) == 60
    assert (overlap, state, kind) == (2, "open", "estimate")
    assert rows(drawable, "SELECT number, count(*), max(place) FROM places GROUP BY number") == [(k, 2, 2) for k in range(1, 13)]


def test_a_draw_leaves_out_the_items_of_other_batches(run: Run, drawable: Path) -> None:
    for k in range(3):
        assert run("draw", "--n", "20", "--seed", str(k), "--study", drawable).returncode == 0
    drawn = [items(drawable, f"batch-{k}") for k in (1, 2, 3)]
    assert len({row[0] for batch in drawn for row in batch}) == 60
    assert [batch[0][1] for batch in drawn] == [20 / 60, 20 / 40, 20 / 20]
    said = run("draw", "--n", "1", "--study", drawable).refused()
    assert "fewer than 1 items" in said[0] and "Found 0" in said[1]


def test_a_draw_from_one_split_takes_only_its_items(run: Run, drawable: Path) -> None:
    in_split = dict(rows(drawable, "SELECT split, count(*) FROM trajectories GROUP BY split"))
    for split, count in in_split.items():
        assert run("draw", "--n", str(count), "--split", split, "--name", split, "--study", drawable).returncode == 0
        assert {row[4] for row in items(drawable, split)} == {split}
        assert {row[1] for row in items(drawable, split)} == {1.0}
        assert f"in split {split}" in run("draw", "--n", "1", "--split", split, "--study", drawable).refused()[1]
    assert sum(in_split.values()) == 60


@pytest.mark.parametrize(
    ("argv", "wrong", "do"),
    [
        (("--n", "61"), "fewer than 61 items", "--n 60"),
        (("--n", "0"), "at least one item", "range"),
        (("--n", "-5"), "at least one item", "range"),
        (("--n", "5", "--overlap", "0"), "at least one item", "range"),
    ],
)
def test_a_draw_that_cannot_be_is_refused_with_what_can(run: Run, held: Path, argv: tuple[str, ...], wrong: str, do: str) -> None:
    before = dump(held)
    said = run("draw", *argv, "--study", held).refused()
    assert wrong in said[0] and do in said[2] and len(said) == 3
    assert dump(held) == before


def test_a_stratified_draw_tells_how_many_strata_there_are_and_not_how_large(run: Run, tmp_path: Path) -> None:
    # All in one split: the size of another might happen to be that of a stratum.
    study = make_study(tmp_path / "study", f"{MISALIGNED}\n[split]\ntrain = 0\ndev = 0\n")
    said = ["aligned"] * 37 + ["misaligned"] * 5
    bring(study, write_lines(tmp_path / "f.jsonl", *(line(k, verdicts=[verdict(choice)]) for k, choice in enumerate(said))))
    ran = run("draw", "--n", "12", "--seed", "7", "--stratify", "verdict", "--run", "judge-a", "--study", study)
    assert ran.stdout == (
        "batch-1: 12 items drawn at random from 42, equally from 2 strata by the verdict of judge-a, 1 label each; seed 7.\n"
    )
    assert rows(study, "SELECT stratum, inclusion, count(*) FROM batch_items GROUP BY 1, 2 ORDER BY 1") == [
        ("aligned", 7 / 37, 7),
        ("misaligned", 1.0, 5),
    ]
    told = run("status", "--study", study).stdout + run("batch", "list", "--study", study).stdout
    assert "in 2 strata" in told and "37" not in told and "5 " not in told
    assert run("verify", "--study", study).returncode == 0


@pytest.mark.parametrize(
    ("argv", "status", "says"),
    [
        (("--stratify", "verdict"), 1, "--stratify verdict needs --run"),
        (("--stratify", "verdict", "--run", "other"), 1, "no judge run 'other'"),
        (("--run", "judge-a"), 2, "belong to --stratify verdict"),
        (("--stratify", "length", "--run", "judge-a"), 2, "invalid choice"),
    ],
)
def test_a_stratified_draw_that_cannot_be_is_refused(
    run: Run, drawable: Path, argv: tuple[str, ...], status: int, says: str
) -> None:
    ran = run("draw", "--n", "2", *argv, "--study", drawable)
    assert ran.returncode == status and says in ran.stderr and ran.stdout == ""
    assert rows(drawable, "SELECT count(*) FROM batches") == [(0,)]


def test_a_batch_is_paused_opened_and_closed_for_good(run: Run, drawable: Path) -> None:
    assert run("batch", "list", "--study", drawable).stdout == "No batch is drawn yet.\n"
    run("draw", "--n", "4", "--overlap", "2", "--study", drawable)
    for action, state in (("pause", "paused"), ("open", "open"), ("close", "closed"), ("close", "closed")):
        assert run("batch", action, "batch-1", "--study", drawable).stdout.startswith(f"batch-1 is {state}: ")
        listed = run("batch", "list", "--study", drawable).stdout
        assert listed.startswith(f"batch-1 ({state}): 0 of 8 labels, 4 items, 2 labels each\n  4 items without a label")
    assert "stays so" in run("batch", "open", "batch-1", "--study", drawable).refused()[0]
    assert "no batch 'other'" in run("batch", "close", "other", "--study", drawable).refused()[0]


def test_agree_says_which_batches_are_not_finished(run: Run, tmp_path: Path) -> None:
    study = made_study(tmp_path / "study", numbered(6, verdicts=[verdict()]))
    draw_batch(study, 4, name="begun")
    with Sitting(study, "ana") as ana:
        ana.label(ana.claim()[0])
        assert "Not finished: begun (open)." in run("agree", "--study", study.folder).stderr
        ana.label_all({})
        assert "Not finished" not in run("agree", "--study", study.folder).stderr


def test_two_batches_never_have_one_name(run: Run, drawable: Path) -> None:
    run("draw", "--n", "1", "--name", "batch-2", "--study", drawable)
    run("draw", "--n", "1", "--study", drawable)
    run("draw", "--n", "1", "--study", drawable)
    assert [row[0] for row in rows(drawable, "SELECT name FROM batches ORDER BY code")] == ["batch-2", "batch-1", "batch-3"]
    assert "There is a batch 'batch-1' already." in run("draw", "--n", "1", "--name", "batch-1", "--study", drawable).refused()[0]


def test_every_item_is_drawn_equally_often() -> None:
    from collections import Counter

    from annotate.sampling import DrawRequest, plan
    from data.store.batches import FrameItem

    frame = [FrameItem(k, f"{k:02}", "test") for k in range(10)]
    drawn = Counter(item.n for seed in range(2000) for item in plan(frame, DrawRequest(3), "b", str(seed)).items)
    assert len(drawn) == 10 and all(abs(count - 600) < 90 for count in drawn.values())  # 4.4 standard deviations


# Results


def test_json_results_are_one_document_on_stdout_and_nothing_else(run: Run, held: Path) -> None:
    agree, verify = run("agree", "--json", "--study", held), run("verify", "--json", "--study", held)
    document = json.loads(agree.stdout)
    assert document["study"] == "small" and document["questions"][0]["pairs"][0]["n"] == 60
    assert json.loads(verify.stdout) == {"ok": True, "findings": []}
    assert agree.stderr == verify.stderr == ""


def test_labels_come_as_one_json_object_a_line(run: Run, held: Path) -> None:
    ran = run("labels", "--json", "--study", held)
    found = [json.loads(kept) for kept in ran.stdout.splitlines()]
    assert len(found) == 60 and ran.stderr == ""
    assert {(each["question"], each["annotator"], each["choice"]) for each in found} == {
        ("misaligned", "ana", "aligned"),
        ("misaligned", "ana", "misaligned"),
    }
    assert len(run("labels", "--study", held).stdout.splitlines()) == 60


def test_agree_without_answers_says_why_and_ends_well(run: Run, study: Path) -> None:
    empty = run("agree", "--json", "--study", study)
    assert empty.returncode == 0 and json.loads(empty.stdout)["questions"][0]["pairs"] == []
    assert run("agree", "--study", study).returncode == 0


def test_verify_ends_with_status_one_when_something_is_broken(run: Run, drawable: Path) -> None:
    import sqlite3

    with sqlite3.connect(drawable / "study.db") as conn:
        conn.execute("DROP TRIGGER trajectories_update")
        conn.execute("UPDATE trajectories SET task = 'Another.' WHERE n = 1")
    conn.close()
    ran = run("verify", "--json", "--study", drawable)
    assert ran.returncode == 1 and not json.loads(ran.stdout)["ok"]
    assert run("verify", "--study", drawable).returncode == 1


def test_gold_is_frozen_listed_and_exported_into_folders_that_are_missing(run: Run, drawable: Path, tmp_path: Path) -> None:
    assert "No gold set" in run("gold", "list", "--study", drawable).stdout
    assert "60 gold labels" in run("gold", "freeze", "g1", "--min-labels", "1", "--study", drawable).stdout
    assert run("gold", "list", "--study", drawable).stdout.startswith("g1\t60 gold labels\t")
    out = tmp_path / "a" / "b" / "gold.jsonl"
    assert run("gold", "export", "g1", "--out", out, "--study", drawable).returncode == 0
    assert len(out.read_text().splitlines()) == 60 and json.loads(Path(f"{out}.manifest.json").read_text())
    assert run("gold", "export", "g1", "--out", tmp_path, "--study", drawable).refused()


def test_the_link_of_an_annotator_stands_alone_on_the_last_line(run: Run, drawable: Path) -> None:
    first, second = (run("annotators", "add", "Ana B.", "--study", drawable) for _ in range(2))
    links = [ran.stdout.splitlines()[-1] for ran in (first, second)]
    assert all(re.fullmatch(r"http://127\.0\.0\.1:\d+/\S+", link) for link in links)
    assert links[0] != links[1], "a fresh link each time"
    run("annotators", "add", "boss", "--lead", "--study", drawable)
    assert run("annotators", "list", "--study", drawable).stdout == "Ana B.\tannotator\nana\timported\nboss\tlead\nlead\tlead\n"
    assert "name" in run("annotators", "add", " ", "--study", drawable).refused()[0]
    assert "already" in run("annotators", "add", "Ana B.", "--lead", "--study", drawable).stderr


# As a shell starts it


def test_the_module_runs_as_the_command_does(held: Path, run: Run) -> None:
    ran = typed("status", cwd=held, capture_output=True)
    assert Ran(ran.returncode, ran.stdout, ran.stderr) == run("status", cwd=held)


def test_a_reader_who_leaves_is_no_error(held: Path) -> None:
    for command in (("status",), ("labels", "--json")):
        reading, writing = os.pipe()
        os.close(reading)
        ran = typed(*command, cwd=held, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        assert (ran.returncode, ran.stderr) == (0, ""), command


def test_status_tells_what_was_flagged_and_how_much_was_left_unanswered(tmp_path: Path, run: Run) -> None:
    study = made_study(tmp_path / "study", numbered(5))
    draw_batch(study, 5)
    with Sitting(study, "ana") as ana:
        first, second, third = ana.claim()
        assert not ana.do("flag", first, reason="cut off in the middle")
        assert not ana.do("unsure", first) and not ana.do("skip", second, reason="another language") and not ana.label(third)
        flagged = ana.id_of(first)
    told = run("status", "--study", study.folder).stdout
    assert "2 of 5 labels" in told
    assert "1 unsure, 1 skipped" in told
    assert f"flagged by ana: {flagged} (cut off in the middle)" in told
