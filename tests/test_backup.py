"""A backup is one whole file of one moment, made while people label; it takes no other file's place."""

import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from data.errors import StoreError
from data.store import Store
from data.store.backup import back_up
from data.study import load_study
from data.verify import verify
from tests.conftest import Run
from tests.study_maker import Sitting, draw_batch, label, make_study, numbered, verdict


def events_in(path: Path) -> list[tuple[object, ...]]:
    with Store.open(path) as store:
        assert verify(store) == []
        return store.conn.execute("SELECT * FROM label_events ORDER BY seq").fetchall()


def test_a_backup_made_while_people_label_is_whole_and_of_one_moment(tmp_path: Path) -> None:
    lines = numbered(120, task="x" * 20_000, verdicts=[verdict("aligned")], labels=[label("imported", "aligned")])
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 120, overlap=2)
    counts: dict[str, list[str]] = {}

    def work(handle: str) -> None:
        with Sitting(study, handle) as sitting:
            counts[handle] = sitting.label_all({})

    people = [threading.Thread(target=work, args=(handle,)) for handle in ("ana", "ben")]
    for person in people:
        person.start()
    made = []
    while any(person.is_alive() for person in people) and len(made) < 20:
        path = tmp_path / "backups" / f"{len(made)}.db"
        with Store.open(study.database) as store:
            made.append((path, back_up(store, path)))
    for person in people:
        person.join()
    assert {len(done) for done in counts.values()} == {120}, "nobody was held up for long enough to be refused"
    whole = events_in(study.database)
    sizes = []
    for path, backup in made:
        copied = events_in(path)
        assert copied == whole[: len(copied)], "a beginning of the history, in which nothing is missing"
        assert backup.rows["label_events"] == len(copied) and backup.rows["trajectories"] == 120
        sizes.append(len(copied))
    assert len(set(sizes)) > 1 and sizes == sorted(sizes), "some were made in the middle of the work"
    assert {path.name for path in (tmp_path / "backups").iterdir() if not path.name.endswith((".db-wal", ".db-shm"))} == {
        path.name for path, _ in made
    }


def test_the_newest_label_is_in_it_though_a_plain_copy_lacks_it(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(2))
    draw_batch(study, 2)
    with Sitting(study, "ana") as ana:
        ana.label_all({})
        plain = Path(shutil.copy(study.database, tmp_path / "plain.db"))
        back_up(ana.store, tmp_path / "whole.db")
        assert len(events_in(tmp_path / "whole.db")) == 2
        with sqlite3.connect(plain) as conn, pytest.raises((sqlite3.Error, AssertionError)):
            assert conn.execute("SELECT count(*) FROM label_events").fetchone() == (2,)


def test_a_backup_is_a_study_again_when_it_is_put_in_its_place(tmp_path: Path, run: Run) -> None:
    study = make_study(tmp_path / "study", numbered(4, labels=[label("ana", "aligned")], verdicts=[verdict("aligned")]))
    before = run("status", "--study", study.folder).stdout
    said = run("backup", "../kept/study.db", "--study", study.folder, cwd=study.folder)
    assert said.returncode == 0 and "4 trajectories, 4 verdicts, 4 label events" in said.stdout and "study.toml" in said.stderr
    for path in study.folder.glob("study.db*"):
        path.unlink()
    shutil.copy(tmp_path / "kept" / "study.db", study.database)
    assert run("status", "--study", study.folder).stdout == before
    assert run("verify", "--study", study.folder).returncode == 0
    with Sitting(load_study(study.folder), "ana") as ana:
        assert ana.claim() == [] and ana.one("PRAGMA journal_mode") == "wal"


def test_a_backup_takes_no_files_place_and_a_failed_one_leaves_nothing(tmp_path: Path, run: Run) -> None:
    study = make_study(tmp_path / "study", numbered(2))
    (tmp_path / "there.db").write_text("mine")
    refused = run("backup", tmp_path / "there.db", "--study", study.folder).refused()
    assert len(refused) == 3 and "is there already" in refused[0]
    assert run("backup", study.database, "--study", study.folder).refused()[0].endswith("is there already.")
    assert (tmp_path / "there.db").read_text() == "mine"
    run("backup", tmp_path / "there.db" / "x.db", "--study", study.folder).refused()
    whole = study.database.read_bytes()
    study.database.write_bytes(whole[: len(whole) // 2] + b"\xff" * 4096 + whole[len(whole) // 2 + 4096 :])
    (tmp_path / "out").mkdir()
    refused = run("backup", tmp_path / "out" / "x.db", "--study", study.folder).refused()
    assert len(refused) == 3
    assert list((tmp_path / "out").iterdir()) == []


def test_a_backup_whose_name_is_taken_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study(tmp_path / "study", numbered(2))
    to = tmp_path / "x.db"
    monkeypatch.setattr("data.store.backup._sync", lambda _: to.write_text("mine"))
    with Store.open(study.database) as store, pytest.raises(StoreError, match="made just now"):
        back_up(store, to)
    assert to.read_text() == "mine" and [path.name for path in tmp_path.glob(".x*")] == []
