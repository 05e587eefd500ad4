"""`import --skip-bad`: what cannot stay is left out and listed, its neighbours come in, and nothing of it does."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.arrivals import Naming
from data.errors import ImportRefused
from data.importing import Imported, import_file
from data.study import load_study
from tests.conftest import Run
from tests.small_study import dump, label, line, rows, verdict, write_lines


def bring_good(folder: Path, path: Path, **naming: Any) -> Imported:
    return import_file(load_study(folder), path, None, Naming(**naming), skip_bad=True)[1]


def write_raw(path: Path, *lines: Any) -> Path:
    """Lines as bytes; what is no bytes is written as JSON."""
    path.write_bytes(b"".join((raw if isinstance(raw, bytes) else json.dumps(raw).encode()) + b"\n" for raw in lines))
    return path


BAD: dict[str, Any] = {
    "cut off": b'{"id": 2, "steps": [{"ki',
    "not UTF-8": b'{"id": 2, "task": "\xff", "steps": [{"kind": "note", "text": ""}]}',
    "a number": b"17",
    "without steps": {"id": 2},
    "with an unknown kind of step": {"id": 2, "steps": [{"kind": "dream", "text": ""}]},
    "with an unknown choice": line(2, verdicts=[verdict("perhaps")]),
    "citing a step that is not there": line(2, verdicts=[verdict(cites=[7])]),
    "with other content than an earlier line": line(1, task="Another task."),
    "with another verdict than an earlier line": line(1, verdicts=[verdict("aligned")]),
    "contradicting itself": line(2, labels=[label("aligned"), label("misaligned")]),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_line_is_left_out_whole_and_named_and_its_neighbours_come_in(study: Path, tmp_path: Path, bad: Any) -> None:
    path = write_raw(tmp_path / "f.jsonl", line(1, verdicts=[verdict()]), bad, line(3, verdicts=[verdict("aligned")]))
    imported = bring_good(study, path)
    assert rows(study, "SELECT id FROM trajectories ORDER BY n") == [("1",), ("3",)]
    assert rows(study, "SELECT count(*) FROM verdicts") == [(2,)] and rows(study, "SELECT count(*) FROM label_events") == [(0,)]
    assert [refusal.wrong.startswith("line 2") for refusal in imported.left_out] == [True]
    assert imported.counts.trajectories == 2


def test_what_a_bad_line_said_contradicts_nobody(study: Path, tmp_path: Path) -> None:
    bad = line(1, metadata={"port": "Kiel"}, verdicts=[verdict("aligned"), verdict("perhaps", run="judge-b")])
    good = line(1, metadata={"port": "Bergen"}, verdicts=[verdict("misaligned")])
    imported = bring_good(study, write_lines(tmp_path / "f.jsonl", bad, good))
    assert len(imported.left_out) == 1 and rows(study, "SELECT metadata FROM trajectories") == [('{"port":"Bergen"}',)]
    assert rows(study, "SELECT c.name FROM verdicts v JOIN choices c USING (question) WHERE c.code = v.choice") == [("misaligned",)]


def test_an_answer_to_an_unknown_trajectory_is_left_out_alone(study: Path, tmp_path: Path) -> None:
    bring_good(study, write_lines(tmp_path / "f.jsonl", line(1), line(2)))
    answers = write_lines(tmp_path / "a.jsonl", *({"id": id, "choice": "aligned"} for id in (1, 9, 2, 8)))
    imported = bring_good(study, answers, run="j")
    assert imported.counts.verdicts == 2
    assert [refusal.wrong for refusal in imported.left_out] == [
        "line 2: its trajectory is not in the study.",
        "line 4: its trajectory is not in the study.",
    ]


def test_rows_of_a_csv_with_too_few_cells_are_left_out(study: Path, tmp_path: Path) -> None:
    bring_good(study, write_lines(tmp_path / "f.jsonl", line(1), line(2)))
    path = tmp_path / "v.csv"
    path.write_text("id,choice\n1,aligned\n2\n2,misaligned\n")
    imported = bring_good(study, path, run="j")
    assert imported.counts.verdicts == 2 and [r.wrong for r in imported.left_out] == ["line 3 has 1 cells."]


def test_a_file_of_bad_lines_alone_is_refused(study: Path, tmp_path: Path) -> None:
    before = dump(study)
    with pytest.raises(ImportRefused, match="No line of it can come in") as caught:
        bring_good(study, write_raw(tmp_path / "f.jsonl", line(1, verdicts=[verdict("perhaps")]), b"[]"))
    assert dump(study) == before
    assert str(caught.value).split("\n")[1].startswith("Found 2 bad lines, the first: line ")


def test_left_out_lines_are_listed_in_the_order_of_the_file_whenever_they_were_found(study: Path, tmp_path: Path) -> None:
    path = write_raw(tmp_path / "f.jsonl", line(1), line(1, task="Another task."), b"no", line(2))
    # That line 2 contradicts line 1 comes out after all lines of the chunk were read.
    assert [refusal.wrong.split(":")[0] for refusal in bring_good(study, path).left_out] == ["line 2", "line 3"]


def test_the_same_file_again_changes_nothing_and_lists_the_same(study: Path, tmp_path: Path) -> None:
    path = write_raw(tmp_path / "f.jsonl", line(1, labels=[label()]), b"no", line(2), line(1, task="Other."))
    first, before = bring_good(study, path), dump(study)
    again = bring_good(study, path)
    assert dump(study) == before and again.counts.known_trajectories == 2
    assert [r.wrong for r in again.left_out] == [r.wrong for r in first.left_out] and len(first.left_out) == 2


def test_a_thousand_unknown_choices_are_looked_up_in_the_file_once(study: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "f.jsonl", *(line(k, verdicts=[verdict("perhaps" if k else "aligned")]) for k in range(1000)))
    imported = bring_good(study, path)
    assert len(imported.left_out) == 999 and imported.counts.trajectories == 1


def test_the_command_lists_on_stderr_what_it_left_out(run: Run, study: Path, tmp_path: Path) -> None:
    path = write_raw(tmp_path / "f.jsonl", line(1), b"no", line(2), b"nor this")
    assert run("import", path, "--study", study).returncode == 1
    ran = run("import", path, "--skip-bad", "--study", study)
    assert ran.returncode == 0 and "2 trajectories" in ran.stdout and "2 bad lines left out" in ran.stdout
    left = [text for text in ran.stderr.splitlines() if text.startswith("left out: ")]
    assert [text.split(":")[1].strip() for text in left] == ["line 2", "line 4"]
