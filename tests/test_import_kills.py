"""An import that is killed: the same command finishes it, and leaves what an unbroken import leaves.

Twenty moments, ten in each pass, are drawn by a fixed seed from all lines read and all SQL statements
run by an unbroken import; at each of them a process of its own kills itself (SIGKILL).
"""

import json
import random
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from data.store import Store
from data.store.incoming import unfinished_imports
from data.verify import verify
from tests.conftest import Run
from tests.small_study import MISALIGNED, SEVERITY, bring, dump, label, line, make_study, rows, verdict, write_lines

KILLS_PER_PASS = 10
CHUNK = 15
"""Lines in a transaction: small, so that a small file has many."""


def a_line(k: int) -> dict[str, Any]:
    return line(
        k,
        group=f"g{k // 3}",
        metadata={"domain": f"d{k % 4}"},
        verdicts=[
            verdict(("aligned", "misaligned")[k % 2], rationale="r", cites=[k % 2]) if k % 5 else verdict(None, error="timeout"),
            verdict(("none", "some", "much")[k % 3], question="severity", repeat=k % 2),
        ],
        labels=[label(("misaligned", "aligned")[k % 2]), label(None, "ben", unsure=True, question="severity")] if k % 3 else [],
    )


@dataclass(frozen=True)
class Unbroken:
    """A study before the import, what an unbroken import makes of it, and how many moments that has."""

    base: Path
    file: Path
    rows: dict[str, Any]
    moments: dict[str, int]


def moments(chunk: int = CHUNK, kill_in: str | None = None, kill_at: int = 0, counted: Path | None = None) -> dict[str, Any]:
    return {"chunk": chunk, "kill_in": kill_in, "kill_at": kill_at, "counted": str(counted) if counted else None}


def unbroken(run: Run, folder: Path, base: Path, file: Path) -> Unbroken:
    whole, counted = folder / "whole", folder / "counted.json"
    shutil.copytree(base, whole)
    assert run("import", file, "--study", whole, moments=moments(counted=counted)).returncode == 0
    return Unbroken(base, file, dump(whole, times=False), json.loads(counted.read_text()))


@pytest.fixture(scope="module")
def whole(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    folder = tmp_path_factory.mktemp("unbroken")
    base = make_study(folder / "base", f"{MISALIGNED}\n{SEVERITY}")
    # Some of it is there already, and some of what is there gains answers.
    bring(
        base,
        write_lines(folder / "first.jsonl", *(a_line(k) for k in range(20)), *(line(k, group=f"g{k // 3}") for k in range(20, 30))),
    )
    file = write_lines(folder / "second.jsonl", *(a_line(k) for k in range(10, 120)))
    return unbroken(run, folder, base, file)


def drawn_moment(whole: Unbroken, where: str, number: int) -> int:
    """One of `KILLS_PER_PASS` moments, one from each stretch of the pass, so that beginning and end are hit too."""
    total = whole.moments[where]
    first, last = (number * total // KILLS_PER_PASS + 1, (number + 1) * total // KILLS_PER_PASS)
    return random.Random(f"kill {where} {number}").randint(first, last)


@pytest.mark.parametrize("number", range(KILLS_PER_PASS))
@pytest.mark.parametrize("where", ["checking", "writing"])
def test_a_killed_import_is_finished_by_the_same_command(
    where: str, number: int, whole: Unbroken, run: Run, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    shutil.copytree(whole.base, study)
    command = ("import", whole.file, "--study", study)
    killed = run(*command, moments=moments(kill_in=where, kill_at=drawn_moment(whole, where, number)))
    assert killed.returncode == -signal.SIGKILL, "the moment was reached"

    begun = rows(study, "SELECT count(*) FROM imports WHERE finished_at IS NULL") == [(1,)]
    if where == "checking":
        assert dump(study) == dump(whole.base), "the first pass writes nothing"
    assert ("second.jsonl was broken off" in run("status", "--study", study).stdout) == begun
    if begun:
        assert "second.jsonl" in run("draw", "--n", "5", "--study", study).refused()[1]
    assert begun or where == "checking" or number in (0, KILLS_PER_PASS - 1), "nearly all of the second pass is marked as begun"

    if where == "writing" and 4 <= number < KILLS_PER_PASS - 1:
        assert 30 < rows(study, "SELECT count(*) FROM trajectories")[0][0] <= 120, "a part of the file is in"

    assert run(*command).returncode == 0
    assert dump(study, times=False) == whole.rows
    with Store.open(study / "study.db") as store:
        assert verify(store) == [] and unfinished_imports(store) == []


def test_both_passes_have_many_moments(whole: Unbroken) -> None:
    assert whole.moments["checking"] > 100 and whole.moments["writing"] > 400
    for where in whole.moments:
        assert len({drawn_moment(whole, where, number) for number in range(KILLS_PER_PASS)}) == KILLS_PER_PASS


def test_an_import_may_be_killed_again_and_again(whole: Unbroken, run: Run, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(whole.base, study)
    command = ("import", whole.file, "--study", study)
    for kill_at in (60, 150, 150, 200):
        assert run(*command, moments=moments(kill_in="writing", kill_at=kill_at)).returncode == -signal.SIGKILL
    assert run(*command).returncode == 0
    assert dump(study, times=False) == whole.rows


def test_a_killed_import_that_brings_its_question_is_finished_too(run: Run, tmp_path: Path) -> None:
    base = make_study(tmp_path / "base", 'name = "s"\n')
    record = {"contents": [[{"role": "user", "content": "Hi"}, {"role": "agent", "action": "Run{}"}]]}
    file = tmp_path / "r.json"
    file.write_text(json.dumps([{"id": k, "label": k % 2, **record} for k in range(40)]))
    whole = unbroken(run, tmp_path, base, file)
    # The very last line that the first pass reads, and the first statements and lines of the second.
    for where, kill_at in (("checking", whole.moments["checking"]), ("writing", 1), ("writing", 5), ("writing", 60)):
        study = tmp_path / f"{where}-{kill_at}"
        shutil.copytree(base, study)
        killed = run("import", file, "--study", study, moments=moments(kill_in=where, kill_at=kill_at))
        assert killed.returncode == -signal.SIGKILL
        assert run("import", file, "--study", study).returncode == 0
        assert dump(study, times=False) == whole.rows
