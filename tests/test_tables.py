"""Tables of trajectories: CSV and Parquet, and what --map says of their columns."""

import datetime
import decimal
import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from data.errors import ImportRefused
from data.formats import format_of
from data.formats.table import Columns
from data.formats.text import NUL_MARK
from data.records import Entry, Trajectory
from tests.conftest import Run
from tests.good_files import chat, claude, table_rows, write_csv, write_parquet
from tests.small_study import bring, rows, write_lines


def read(path: Path, *columns: tuple[str, str], format: str | None = None) -> list[Entry]:
    return list(format_of(path, format, tuple(columns)).read(path))


def runs(path: Path, *columns: tuple[str, str]) -> list[Trajectory]:
    return [entry.trajectory for entry in read(path, *columns) if entry.trajectory is not None]


def text_file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_csv_and_parquet_bring_the_same_trajectories(tmp_path: Path) -> None:
    from_csv = runs(write_csv(tmp_path / "t.csv", table_rows()))
    from_parquet = runs(write_parquet(tmp_path / "t.parquet", table_rows()))
    assert from_csv == from_parquet and [run.id for run in from_csv] == ["a", "b", "c"]
    text, openai, anthropic = from_csv
    assert (
        text.steps == [{"kind": "message", "speaker": "transcript", "text": 'User: hi\nAgent: said "no"; left.'}]
        and text.task is None
    )
    assert [step["kind"] for step in openai.steps].count("tool_call") == 2 and openai.task == "Book room 1."
    assert [step["kind"] for step in anthropic.steps].count("reasoning") == 2
    assert [run.metadata.get("domain") for run in from_csv] == ["travel", None, "café"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_semicolons_and_tabs_part_columns_as_commas_do(separator: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [{"id": 1, "text": "a, b; c\td", "x,y": "z"}], separator)
    (run,) = runs(path)
    assert run.steps[0]["text"] == "a, b; c\td" and run.metadata == {"x,y": "z"}


def test_answers_may_be_parted_by_semicolons_too(study: Path, tmp_path: Path) -> None:
    bring(study, write_lines(tmp_path / "t.jsonl", {"id": 1, "steps": [{"kind": "message", "text": "x"}]}))
    answers = text_file(tmp_path / "a.csv", 'id;choice;rationale\n1;aligned;"a, b; c"\n')
    assert bring(study, answers, run="a").counts.verdicts == 1
    assert rows(study, "SELECT rationale FROM verdicts") == [("a, b; c",)]


def test_a_header_may_have_a_byte_order_mark_blanks_and_a_nameless_index(tmp_path: Path) -> None:
    (run,) = runs(text_file(tmp_path / "t.csv", "\ufeff, id , text\r\n0,r,hello\r\n\r\n"))
    assert (run.id, run.steps[0]["text"], run.metadata) == ("r", "hello", {"column 1": "0"})


def test_the_line_of_a_refusal_counts_lines_within_cells(tmp_path: Path) -> None:
    path = text_file(tmp_path / "t.csv", 'id,text\n1,"a\nb\nc"\n\n2,\n')
    with pytest.raises(ImportRefused, match=r"^line 6 \(trajectory '2'\) has no text"):
        read(path)


def test_nuls_in_cells_come_in_as_marks_and_are_counted(tmp_path: Path) -> None:
    (entry,) = read(text_file(tmp_path / "t.csv", "id,text\n1,a\x00b\n"))
    assert entry.marks == 1 and entry.trajectory and entry.trajectory.steps[0]["text"] == f"a{NUL_MARK}b"
    (entry,) = read(write_parquet(tmp_path / "t.parquet", [{"id": "1", "text": "a\x00b"}]))
    assert entry.marks == 1 and entry.trajectory and entry.trajectory.steps[0]["text"] == f"a{NUL_MARK}b"


def test_map_says_which_column_is_what(tmp_path: Path) -> None:
    table = [{"run": 7, "log": "hello", "goal": "Book.", "scenario": "s1", "text": "a summary"}]
    for path in (write_csv(tmp_path / "t.csv", table), write_parquet(tmp_path / "t.parquet", table)):
        (run,) = runs(path, ("run", "id"), ("log", "text"), ("goal", "task"), ("scenario", "group"))
        assert (run.id, run.task, run.group) == ("7", "Book.", "s1")
        assert run.steps[0]["text"] == "hello"
        assert run.metadata == {"text": "a summary"}, "what --map says goes before what a column is called"


def test_map_chooses_between_text_and_messages(tmp_path: Path) -> None:
    table = [{"id": 1, "text": "t", "messages": json.dumps(chat()["messages"])}]
    path = write_csv(tmp_path / "t.csv", table)
    with pytest.raises(ImportRefused, match="has both text and messages"):
        read(path)
    assert [len(runs(path, columns)[0].steps) for columns in (("messages", "messages"), ("messages", "metadata"))] == [8, 1]


def test_a_row_carries_a_verdict_or_a_label_where_map_says_so(tmp_path: Path) -> None:
    table = [
        {"id": 1, "text": "t", "judge_says": "misaligned", "why": "w", "sure": "0.5", "who": ""},
        {"id": 2, "text": "u", "judge_says": "", "why": "", "sure": "", "who": ""},
    ]
    path = write_csv(tmp_path / "t.csv", table)
    one, two = read(path, ("judge_says", "choice"), ("why", "rationale"), ("sure", "confidence"))
    (verdict,) = one.verdicts
    assert (verdict.choice, verdict.rationale, verdict.confidence, verdict.trajectory) == ("misaligned", "w", 0.5, "1")
    assert two.verdicts == [] and one.labels == []
    with pytest.raises(ImportRefused, match="a label names no annotator"):
        read(path, ("judge_says", "choice"), ("who", "annotator"), ("why", "rationale"), ("sure", "metadata"))
    labelled = write_csv(tmp_path / "l.csv", [{"id": 1, "text": "t", "vote": "aligned", "who": "ana"}])
    (entry,) = read(labelled, ("vote", "choice"), ("who", "annotator"))
    assert [(label.annotator, label.choice) for label in entry.labels] == [("ana", "aligned")]


def test_without_map_a_column_of_choices_is_hidden_metadata_and_no_verdict(study: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [{"id": 1, "text": "t", "choice": "misaligned"}])
    assert bring(study, path).counts.verdicts == 0
    assert rows(study, "SELECT metadata, hidden FROM trajectories") == [("{}", '{"choice":"misaligned"}')]


BAD_MAPS: dict[str, tuple[Columns, str]] = {
    "an unknown column": ((("txt", "text"),), "Did you mean 'text'?"),
    "an unknown field": ((("text", "txt"),), "Did you mean 'text'?"),
    "a field twice": ((("text", "task"), ("domain", "task")), "names a column or a field twice"),
    "a column twice": ((("text", "task"), ("text", "group")), "names a column or a field twice"),
    "no text left": ((("text", "task"), ("messages", "metadata")), "There is no column `text` or `messages`"),
    "no id left": ((("id", "task"),), "There is no column `id`"),
}


@pytest.mark.parametrize(("columns", "wrong"), BAD_MAPS.values(), ids=BAD_MAPS)
def test_a_bad_map_is_refused(columns: Columns, wrong: str, tmp_path: Path) -> None:
    for path in (write_csv(tmp_path / "t.csv", table_rows()), write_parquet(tmp_path / "t.parquet", table_rows())):
        with pytest.raises(ImportRefused) as caught:
            read(path, *columns)
        assert wrong in str(caught.value)


def test_map_is_for_tables_alone(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="--map names the columns of a table"):
        format_of(write_lines(tmp_path / "f.jsonl", chat()), None, (("a", "id"),))
    with pytest.raises(ImportRefused, match="--map names the columns of a table"):
        format_of(write_csv(tmp_path / "t.csv", table_rows()), "answers", (("a", "id"),))


def test_the_command_takes_map_more_than_once_and_refuses_what_is_no_pair(run: Run, study: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [{"run=7": "a", "log": "hello", "says": "aligned"}])
    pairs = ("--map", "run=7=id", "--map", "log=text", "--map", "says=choice")
    done = run("import", path, "--study", study, "--run", "judge", *pairs)
    assert (done.returncode, done.stdout) == (0, "t.csv (csv): 1 trajectory, 1 verdict, 0 labels came in.\n")
    again = run("import", path, "--study", study, "--run", "judge", *pairs)
    assert again.returncode == 0 and "already there: 1 trajectory, 1 verdict" in again.stdout
    wrong = run("import", path, "--study", study, "--map", "log")
    assert wrong.returncode == 2 and "'log' is not COLUMN=FIELD" in wrong.stderr


@pytest.mark.parametrize(
    ("header", "do"),
    [
        ("run_no,log", "--map 'run_no'=id --map COLUMN=text"),
        ("run_no,choice", "in a file of answers alone call it `id`"),
    ],
)
def test_a_csv_of_other_columns_is_told_of_map(header: str, do: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{header}\n1,x\n", encoding="utf-8")
    with pytest.raises(ImportRefused) as caught:
        format_of(path, None)
    assert header.replace(",", ", ") in caught.value.found and do in caught.value.do


BAD_TABLES = {
    "no id column": ("key,text\n1,x\n", "There is no column `id`", "--map 'key'=id"),
    "an empty id": ("id,text\n,x\n", "line 2 has no id", "its source's own id"),
    "an empty text": ("id,text\n1,  \n", "has no text", "`text` or `messages`"),
    "messages that are no JSON": ("id,messages\n1,hello\n", "line 2 (trajectory '1'): `messages`: this is not JSON", ""),
    "messages that are no list": ("id,messages\n1,3\n", "`messages` must be a list", ""),
    "messages that are empty": ("id,messages\n1,[]\n", "has no messages", ""),
    "a bad message": ('id,messages\n1,"[{""role"": ""me""}]"\n', "message 1 has no known role", ""),
    "a column twice": ("id,text,text\n1,x,y\n", "a column stands twice", ""),
    "a row too long": ("id,text\n1,x\n2,x,y\n", "line 3 has 3 cells", ""),
    "a quotation mark that is never closed": ('id,text\n1,x\n2,"x\n3,y\n', "line 3 is not CSV", ""),
    "bytes that are not UTF-8": (b"id,text\n1,x\n2,caf\xe9 y\n", "line 3: this is not UTF-8", "iconv -f WINDOWS-1252"),
    "cut in the middle of a character": ("id,text\n1,café".encode()[:-1], "line 2: this is not UTF-8 to its end", "cut off"),
}


@pytest.mark.parametrize(("text", "wrong", "do"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_bad_table_is_refused_by_its_place(text: str | bytes, wrong: str, do: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ImportRefused) as caught:
        read(path)
    assert wrong in caught.value.wrong and do in caught.value.do


def test_a_cell_that_never_ends_is_refused_and_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.formats.csv_rows._LONGEST_CELL", 1000)
    path = text_file(tmp_path / "t.csv", 'id,text\n1,"x\n' + "y\n" * 1000)
    with pytest.raises(ImportRefused, match="line 2 is not CSV") as caught:
        read(path)
    assert "field limit" in caught.value.found


def test_messages_of_parquet_may_be_nested_and_what_a_struct_leaves_empty_is_absent(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "t.parquet", [{"id": 1, "messages": chat()["messages"]}, {"id": 2, "messages": claude()["messages"][:1]}]
    )
    first, second = runs(path)
    assert first.steps == runs(write_csv(tmp_path / "t.csv", [{"id": 1, "messages": json.dumps(chat()["messages"])}]))[0].steps
    assert second.steps == [{"kind": "message", "speaker": "user", "text": "Book room 1."}]


def test_values_of_parquet_become_what_json_has(tmp_path: Path) -> None:
    row = {
        "id": 1,
        "text": "x",
        "at": datetime.datetime(2026, 1, 2, 3, 4),
        "day": datetime.date(2026, 1, 2),
        "cost": decimal.Decimal("1.50"),
        "none": math.nan,
        "share": 0.5,
        "tags": ["a", None],
        "bytes": b"abc",
        "more": {"a": 1, "b": None},
    }
    (run,) = runs(write_parquet(tmp_path / "t.parquet", [row]))
    assert run.metadata == {
        "at": "2026-01-02T03:04:00", "day": "2026-01-02", "cost": "1.50", "share": 0.5, "tags": ["a", None], "bytes": "abc",
        "more": {"a": 1},
    }  # fmt: skip
    with pytest.raises(ImportRefused, match=r"row 1: 'b' holds bytes that are no text"):
        read(write_parquet(tmp_path / "b.parquet", [{"id": 1, "text": "x", "b": b"\xff"}]))


def test_a_number_too_large_is_refused_by_its_row(study: Path, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", [{"id": 1, "text": "x", "n": math.inf}])
    with pytest.raises(ImportRefused, match=r"row 1 \(trajectory '1'\) holds a number too large"):
        bring(study, path)


def test_a_large_row_group_is_read_in_pieces(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {"id": list(range(8000)), "text": [f"{number:08} " * 300 for number in range(8000)]}
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pyarrow.table(table), path, row_group_size=8000, compression="none", use_dictionary=False)
    size = path.stat().st_size
    before = pyarrow.total_allocated_bytes()
    tracemalloc.start()  # what pyarrow reads through a Python file is Python's
    held = [pyarrow.total_allocated_bytes() - before for _ in format_of(path, None).read(path)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(held) == 8000 and size > 20_000_000
    assert peak < 8_000_000
    assert max(held) < 6_000_000


@pytest.mark.parametrize("cut", [3, 20, -1, -6, 400])
def test_a_broken_parquet_is_refused(cut: int, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", table_rows())
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ImportRefused) as caught:
        read(path, format="parquet")
    assert "Parquet" in caught.value.wrong


def test_a_table_comes_into_a_study_whole(study: Path, tmp_path: Path) -> None:
    imported = bring(study, write_parquet(tmp_path / "t.parquet", table_rows()))
    assert (imported.format, imported.counts.trajectories) == ("parquet", 3)
    again = bring(study, write_csv(tmp_path / "t.csv", table_rows()))
    assert (again.format, again.counts.known_trajectories, again.counts.trajectories) == ("csv", 3, 0)
