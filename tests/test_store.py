"""The database: what opening does, what it refuses, and that history cannot be rewritten."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from data.errors import RejudgeError, StoreError
from data.gold import Policy, freeze
from data.store import Store
from data.store.adjudication import decide
from data.store.batches import set_batch_state
from data.store.checks import schema_differences
from data.store.connection import SCHEMA_VERSION, connect
from data.store.erasure import erase
from data.store.exposures import record_exposure
from data.store.people import first_lead
from data.store.schema import migrations
from data.store.test_looks import spend
from data.study import Study
from data.verify import verify
from reports.of_study.agreement import agreement_of
from tests.study_maker import Sitting, draw_batch, judge_and_certify, label, make_study, numbered, run_line, verdict


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study with something in every table that keeps what was recorded."""
    labels = [label("ben", "aligned"), label("gone", "aligned", rationale="mine")]
    lines = [run_line("first", verdicts=[verdict("aligned")], labels=labels), *numbered(5)]
    study = make_study(tmp_path_factory.mktemp("store") / "study", lines)
    draw_batch(study, 3)
    with Sitting(study, "ana") as ana:
        ana.label_all({})
        freeze(ana.store, study, "gold", Policy(min_labels=1), {"questions": []})
        lead, first = first_lead(ana.store), ana.one("SELECT n FROM trajectories WHERE id = 'first'")
        record_exposure(ana.store, lead.code, first, "votes")
        spend(ana.store, lead)
        decide(ana.store, lead, first, ana.desk.asked[0], "aligned", "slip", "a word")
        erase(ana.store, "gone")
        set_batch_state(ana.store, "batch-1", "closed")
        judge_and_certify(ana.store, ana.desk.asked[0].code, first)
    return study


@pytest.fixture
def copy(study: Study, tmp_path: Path) -> Iterator[Store]:
    """A database of its own for a test that tries to break it."""
    shutil.copy(study.database, tmp_path / "study.db")
    with Store.open(tmp_path / "study.db") as store:
        yield store


def contents(path: Path) -> bytes:
    return b"".join(part.read_bytes() for part in sorted(path.parent.glob(f"{path.name}*")) if part.suffix != ".db-shm")


def test_opening_a_current_database_runs_no_migration_and_writes_nothing(copy: Store) -> None:
    before, said = contents(copy.path), []
    real_connect = sqlite3.connect

    class Listening(sqlite3.Connection):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]
            self.set_trace_callback(said.append)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *args, **kwargs: real_connect(*args, **{**kwargs, "factory": Listening}))
        with Store.open(copy.path) as store:
            changes = store.conn.total_changes
    assert changes == 0
    assert said and all(statement.strip().startswith("PRAGMA") for statement in said)
    assert contents(copy.path) == before


def test_a_new_database_says_its_version(copy: Store) -> None:
    assert copy.conn.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_migrating_twice_is_a_noop(tmp_path: Path) -> None:
    with Store.create(tmp_path / "study.db") as store:
        first = list(store.conn.iterdump())
    with Store.create(tmp_path / "study.db") as store:
        assert list(store.conn.iterdump()) == first


def test_two_processes_that_make_one_database_agree_on_its_salt(tmp_path: Path) -> None:
    salts: list[str | None] = []

    def create() -> None:
        with Store.create(tmp_path / "study.db") as store:
            salts.append(store.fact("salt"))

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(salts) == 4 and len(set(salts)) == 1 and salts[0]


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1), ("trusted_schema", 0)],
)
def test_every_connection_has_the_pragmas(copy: Store, pragma: str, value: object) -> None:
    bare = connect(copy.path)
    with Store.open(copy.path) as second, Store.create(copy.path) as third:
        found = [conn.execute(f"PRAGMA {pragma}").fetchone()[0] for conn in (copy.conn, second.conn, third.conn, bare)]
    bare.close()
    assert found == [value] * 4


def refusal_of(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Store.open(path).close()
    error = caught.value
    assert len(str(error).splitlines()) == 3 and all((error.wrong, error.found, error.do))
    assert str(path) in error.wrong
    return error


def test_a_newer_database_is_refused(copy: Store) -> None:
    copy.conn.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    error = refusal_of(copy.path)
    assert str(SCHEMA_VERSION + 1) in error.found and "Upgrade" in error.do


def test_a_missing_database_is_refused_and_not_made(tmp_path: Path) -> None:
    refusal_of(tmp_path / "study.db")
    with pytest.raises(StoreError):
        Store.open_blind(tmp_path / "study.db", 1)
    assert not (tmp_path / "study.db").exists()


@pytest.mark.parametrize("size", [0, 50, 4096, 0.5])
def test_a_truncated_database_is_refused(study: Study, tmp_path: Path, size: float) -> None:
    whole = study.database.read_bytes()
    path = tmp_path / "study.db"
    path.write_bytes(whole[: int(size * len(whole)) if isinstance(size, float) else size])
    refusal_of(path)
    assert path.stat().st_size < len(whole), "nothing was built on the ruin"


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("id,choice\n" * 1000)
    assert "not a database" in refusal_of(tmp_path / "study.db").found
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()
    assert "rejudge did not make" in refusal_of(tmp_path / "other.db").found
    (tmp_path / "folder.db").mkdir()
    refusal_of(tmp_path / "folder.db")


WHOLLY_FROZEN = (
    "questions", "question_versions", "choices", "codebooks", "views", "shown", "judge_runs", "verdicts", "batch_items",
    "label_events", "adjudications", "causes", "exposures", "erasures", "gold_sets", "gold_items", "test_looks", "look_items",
    "prompts", "judge_calls",
)  # fmt: skip
PARTLY_FROZEN = {"trajectories": {"metadata", "hidden", "fields_hash"}, "batches": {"state"}}
"""Columns that may change: an import may add fields; a batch is paused and closed."""
FREE = {"study", "imports", "annotators", "links", "sessions", "assignments", "places", "drafts"}


def columns_of(store: Store, table: str) -> list[str]:
    return [row[1] for row in store.conn.execute(f"PRAGMA table_info({table})")]


def test_every_table_is_known_to_these_tests(copy: Store) -> None:
    tables = {row[0] for row in copy.conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    tables = {table for table in tables if not table.startswith(("sqlite_", "_sqlite_"))}
    assert tables == FREE | set(WHOLLY_FROZEN) | set(PARTLY_FROZEN)


@pytest.mark.parametrize("table", [*WHOLLY_FROZEN, *PARTLY_FROZEN])
def test_what_was_recorded_can_be_neither_updated_nor_deleted_nor_replaced(copy: Store, table: str) -> None:
    conn = copy.conn
    conn.execute("PRAGMA foreign_keys=OFF")  # So that it is the trigger which refuses, and not a reference.
    before = conn.execute(f"SELECT * FROM {table}").fetchall()
    assert before, "a table without rows shows nothing"
    frozen = [column for column in columns_of(copy, table) if column not in PARTLY_FROZEN.get(table, ())]
    rowids = (
        [] if "WITHOUT ROWID" in conn.execute("SELECT sql FROM sqlite_master WHERE name = ?", [table]).fetchone()[0] else ["rowid"]
    )
    attempts = [f"DELETE FROM {table}", f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"]
    attempts += [f"REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"]
    for column in [*frozen, *rowids]:
        attempts += [f'UPDATE {table} SET "{column}" = "{column}"', f'UPDATE OR REPLACE {table} SET "{column}" = "{column}"']
    for attempt in attempts:
        with pytest.raises(sqlite3.IntegrityError, match="keeps what was recorded"):
            conn.execute(attempt)
    assert conn.execute(f"SELECT * FROM {table}").fetchall() == before


@pytest.mark.parametrize(("table", "column"), [(table, column) for table, free in PARTLY_FROZEN.items() for column in sorted(free)])
def test_the_free_columns_may_change(copy: Store, table: str, column: str) -> None:
    value = "closed" if column == "state" else '{"new":1}'
    copy.conn.execute(f"UPDATE {table} SET {column} = ?", [value])
    assert {row[0] for row in copy.conn.execute(f"SELECT {column} FROM {table}")} == {value}


def test_a_failing_write_leaves_nothing(copy: Store) -> None:
    before = list(copy.conn.iterdump())

    def half_a_write(then: str) -> None:
        with copy.write():
            copy.set_fact("half", "written")
            copy.conn.execute(then)

    for then in ("INSERT INTO drafts VALUES (999999, '{}', 'now')", "DELETE FROM shown", "SELECT no such thing"):
        with pytest.raises((sqlite3.Error, StoreError)):
            half_a_write(then)
    assert not copy.conn.in_transaction
    assert list(copy.conn.iterdump()) == before


def set_fact(store: Store, key: str) -> None:
    with store.write():
        store.set_fact(key, "written")


def test_a_write_that_never_gets_its_turn_is_refused_in_three_beats(copy: Store) -> None:
    other = sqlite3.connect(copy.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    copy.conn.execute("PRAGMA busy_timeout=20")
    with pytest.raises(RejudgeError) as caught:
        set_fact(copy, "never")
    other.execute("ROLLBACK")
    other.close()
    assert len(str(caught.value).splitlines()) == 3 and "Another process" in caught.value.do
    set_fact(copy, "now")
    assert (copy.fact("never"), copy.fact("now")) == (None, "written")


def test_a_reference_to_nothing_is_refused(copy: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        copy.conn.execute("INSERT INTO drafts VALUES (999999, '{}', 'now')")


def test_a_verdict_is_a_choice_or_an_error_and_never_both_or_neither(copy: Store) -> None:
    insert = "INSERT INTO verdicts (run, question, trajectory, repeat, choice, error, chain) VALUES (1, 1, 2, ?, ?, ?, '')"
    copy.conn.execute(insert, [0, 0, None])
    copy.conn.execute(insert, [1, None, "unreadable"])
    for choice, error in ((0, "unreadable"), (None, None)):
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            copy.conn.execute(insert, [2, choice, error])


def test_the_schema_version_counts_the_migrations() -> None:
    applied = Database(memory=True)
    migrations.apply(applied)
    assert len(migrations.applied(applied)) == SCHEMA_VERSION


def test_a_study_of_the_first_schema_gets_what_came_later_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "older.db"
    older = sqlite3.connect(path, isolation_level=None)
    migrations.apply(Database(older), stop_before="002_test_looks")
    older.execute("PRAGMA user_version=1")
    older.execute("INSERT INTO annotators (handle, role, created_at) VALUES ('lea', 'lead', 'then')")
    older.close()
    with Store.open(path) as store:
        assert schema_differences(store) == []
        assert store.conn.execute("SELECT handle FROM annotators").fetchall() == [("lea",)]
        assert store.conn.execute("SELECT count(*) FROM test_looks").fetchone() == (0,)


def test_a_study_labelled_before_a_judge_could_be_asked_opens_whole_and_goes_on(tmp_path: Path) -> None:
    lines = [run_line(f"r{place}", verdicts=[verdict("aligned")], labels=[label("ben", "aligned")]) for place in range(40)]
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 6)
    with Sitting(study, "ana") as ana:
        ana.label_all({})
        figures = agreement_of(study, ana.store, None, None)
    earlier = tmp_path / "earlier.db"
    as_it_was(study.database, earlier)
    earlier.replace(study.database)
    with Store.open(study.database) as store:
        assert verify(store) == [] and agreement_of(study, store, None, None) == figures
        with pytest.raises(sqlite3.IntegrityError, match="keeps what was recorded"):
            store.conn.execute("UPDATE judge_runs SET document = '{}'")
        set_batch_state(store, "batch-1", "closed")
        judge_and_certify(store, 1, store.conn.execute("SELECT n FROM trajectories WHERE split = 'train'").fetchone()[0])
        assert verify(store) == []


def as_it_was(path: Path, earlier: Path) -> None:
    """The rows of a study in a database that migrations up to the second one made."""
    conn = sqlite3.connect(earlier, isolation_level=None)
    migrations.apply(Database(conn), stop_before="003_the_judge")
    conn.execute("ATTACH ? AS now", [str(path)])
    for (table,) in conn.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
        if not table.startswith("_sqlite"):
            columns = ", ".join(f'"{row[1]}"' for row in conn.execute(f"PRAGMA main.table_info({table})"))
            conn.execute(f"DELETE FROM main.{table}" if table == "sqlite_sequence" else "SELECT 1")
            conn.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")
    conn.execute("DETACH now")
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA user_version=2")
    conn.close()
