"""What an annotator's reading connection gives, and that it gives nothing else."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.gold import Policy, freeze
from data.store import BlindStore, Store
from data.store.adjudication import decide
from data.store.blind import PUBLIC_VIEWS
from data.store.desk import save_draft
from data.store.erasure import erase
from data.store.exposures import record_exposure
from data.store.people import ensure_person, exchange_link, first_lead, new_link_token
from data.store.test_looks import spend
from data.study import Study
from tests.study_maker import Sitting, draw_batch, judge_and_certify, label, make_study, numbered, verdict

SECRET = "sentinelword"
"""Stands in every field that no annotator may see."""
HIDDEN = {
    "group": f"{SECRET}-group",
    "metadata": {"domain": "bank", "model": SECRET, "score": SECRET, "flagged": True},
    "reward": SECRET,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Ana and ben at work on the same twelve items of thirteen; every table has rows."""
    lines = numbered(
        13,
        verdicts=[verdict("misaligned", rationale=SECRET, run=SECRET)],
        labels=[label(SECRET, "misaligned", rationale=SECRET)],
        **HIDDEN,
    )
    for line in lines:
        line["id"] = f"{SECRET}-{line['id']}"
    study = make_study(tmp_path_factory.mktemp("blind") / "study", lines, rest='[blind]\nshow = ["domain", "flagged", "nowhere"]\n')
    draw_batch(study, 12, overlap=2, name=SECRET)
    with Sitting(study, "ana") as ana, Sitting(study, "ben") as ben:
        for who, choice in ((ana, "aligned"), (ben, "misaligned")):
            for _ in range(3):
                who.label(who.claim()[0], choice, rationale=f"{who.handle} thinks so", evidence=(1,))
            held = who.claim()[0]
            save_draft(who.desk, held, who.read(held) or "", {"rationale": f"{who.handle} is not sure yet"})
        lead, asked = first_lead(ana.store), ana.desk.asked[0]
        labelled = ana.one("SELECT min(trajectory) FROM label_events WHERE phase = 'blind'")
        record_exposure(ana.store, lead.code, labelled, "votes")
        spend(ana.store, lead)
        decide(ana.store, lead, labelled, asked, "misaligned", "slip", SECRET)
        freeze(ana.store, study, SECRET, Policy(min_labels=1, names=True), {"questions": []})
        session = exchange_link(ana.store, new_link_token(ana.store, ensure_person(ana.store, "ana", lead=False)))
        assert session
        left_over = ana.one("SELECT n FROM trajectories WHERE n NOT IN (SELECT trajectory FROM batch_items)")
        judge_and_certify(ana.store, asked.code, left_over, SECRET)
        erase(ana.store, ensure_person(ana.store, "gone", lead=False).handle)
    return study


def code_of(study: Study, handle: str) -> int:
    with Store.open(study.database) as store:
        return ensure_person(store, handle, lead=False).code


@pytest.fixture(scope="module")
def anas(study: Study) -> Iterator[BlindStore]:
    with Store.open_blind(study.database, code_of(study, "ana"), study.blind.show) as blind:
        yield blind


def everything(blind: BlindStore) -> dict[str, list[tuple[object, ...]]]:
    return {view: sorted(blind.rows(f"SELECT * FROM {view}", []), key=repr) for view in PUBLIC_VIEWS}


def tables_of(study: Study) -> dict[str, list[str]]:
    with Store.open(study.database) as store:
        names = [row[0] for row in store.conn.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        return {name: [row[1] for row in store.conn.execute(f'PRAGMA table_info("{name}")')] for name in names}


def refused(blind: BlindStore, sql: str) -> None:
    """`prohibited`, `not authorized` or `authoriz…`: the authorizer's words, and no other failure."""
    with pytest.raises(sqlite3.DatabaseError) as caught:
        blind.conn.execute(sql).fetchall()
    words = str(caught.value)
    assert "prohibited" in words or "not authorized" in words or "not allowed" in words, f"{sql}: {words}"


def test_every_table_has_rows_to_hide(study: Study) -> None:
    with Store.open(study.database) as store:
        empty = [name for name in tables_of(study) if not store.conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]]
    assert empty == []


def test_no_column_of_any_table_can_be_selected(study: Study, anas: BlindStore) -> None:
    tried = 0
    for table, columns in tables_of(study).items():
        for column in [*columns, "rowid", "*", "count(*)", "1"]:
            if column == "rowid" and table not in ("sqlite_sequence",):
                with pytest.raises(sqlite3.DatabaseError):
                    anas.conn.execute(f'SELECT rowid FROM main."{table}"').fetchall()
                continue
            expression = column if column in ("*", "count(*)", "1", "rowid") else f'"{column}"'
            refused(anas, f'SELECT {expression} FROM main."{table}"')
            tried += 1
    assert tried > 150


def test_no_table_can_be_written_changed_or_dropped(study: Study, anas: BlindStore) -> None:
    for table, columns in tables_of(study).items():
        if table.startswith("sqlite_"):
            continue
        name = f'main."{table}"'
        for sql in (
            f"DELETE FROM {name}",
            f"INSERT INTO {name} DEFAULT VALUES",
            f"REPLACE INTO {name} DEFAULT VALUES",
            f"DROP TABLE {name}",
            f"ALTER TABLE {name} RENAME TO gone",
            f"CREATE INDEX main.mine ON {table} ({columns[0]})",
            *(f'UPDATE {name} SET "{column}" = NULL' for column in columns),
        ):
            refused(anas, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT (SELECT choice FROM verdicts LIMIT 1) FROM my_item",
        "SELECT ref FROM my_item WHERE EXISTS (SELECT 1 FROM verdicts WHERE choice = 1)",
        "SELECT m.ref, v.choice FROM my_item m JOIN verdicts v",
        "SELECT ref FROM my_item UNION SELECT rationale FROM verdicts",
        "SELECT ref FROM my_item ORDER BY (SELECT count(*) FROM label_events)",
        "SELECT count(*) FROM verdicts",
        "SELECT count(*) FROM label_events",
        "SELECT count(*) FROM main.questions",
        "SELECT max(seq) FROM label_events",
        "WITH my_labels AS (SELECT * FROM label_events) SELECT * FROM my_labels",
        "WITH my_item AS (SELECT choice AS ref FROM verdicts) SELECT ref FROM my_item",
        "WITH questions (id) AS (SELECT rationale FROM verdicts) SELECT id FROM questions",
        "WITH RECURSIVE my_labels (ref) AS (SELECT 1 UNION SELECT count(*) FROM verdicts) SELECT ref FROM my_labels",
        "WITH inner_0 AS (SELECT * FROM label_events) SELECT * FROM inner_0",
        "SELECT * FROM (SELECT * FROM main.codebooks)",
        "SELECT rowid FROM main.trajectories",
        "SELECT _rowid_ FROM label_events",
        "SELECT * FROM json_each('[1]')",
        "SELECT value FROM my_item, json_each(my_item.steps)",
        "SELECT * FROM pragma_table_info('verdicts')",
        "SELECT * FROM pragma_database_list",
        "SELECT name FROM sqlite_master",
        "SELECT sql FROM main.sqlite_schema",
        "SELECT sql FROM temp.sqlite_master",
        "SELECT sql FROM sqlite_temp_master",
        "SELECT sql FROM temp.sqlite_schema",
        "SELECT * FROM sqlite_sequence",
        "SELECT * FROM dbstat",
        "PRAGMA table_info(verdicts)",
        "PRAGMA query_only=OFF",
        "PRAGMA writable_schema=ON",
        "PRAGMA database_list",
        "PRAGMA user_version",
        "ATTACH ':memory:' AS other",
        "ATTACH 'study.db' AS other",
        "DETACH temp",
        "BEGIN",
        "BEGIN IMMEDIATE",
        "SAVEPOINT s",
        "VACUUM",
        "VACUUM INTO 'copy.db'",
        "REINDEX",
        "ANALYZE",
        "CREATE TABLE mine (x)",
        "CREATE TEMP TABLE mine (x)",
        "CREATE TEMP TABLE mine AS SELECT * FROM verdicts",
        "CREATE TEMP VIEW mine AS SELECT * FROM verdicts",
        "CREATE TEMP TRIGGER mine INSTEAD OF DELETE ON my_item BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE temp.mine USING fts5 (x)",
        "DROP VIEW my_item",
        "DROP VIEW temp.my_labels",
        "DROP TRIGGER label_events_update",
        "DROP INDEX label_answers",
        "UPDATE my_item SET ref = 'x'",
        "DELETE FROM my_labels",
        "INSERT INTO my_draft VALUES ('x', 'y')",
        "SELECT load_extension('evil')",
        "SELECT readfile('study.db')",
        "SELECT randomblob(10)",
        "SELECT sqlite_version()",
        "SELECT zeroblob(1000000000)",
        "EXPLAIN SELECT * FROM verdicts",
        "EXPLAIN QUERY PLAN SELECT * FROM verdicts",
    ],
)
def test_nothing_goes_round_the_views(anas: BlindStore, sql: str) -> None:
    # Some do not exist in this SQLite, or not under these names: any refusal is a refusal, an answer is not.
    with pytest.raises(sqlite3.Error):
        anas.conn.execute(sql).fetchall()


def test_a_script_gets_no_further_than_a_statement(study: Study, anas: BlindStore) -> None:
    with pytest.raises(sqlite3.Error):
        anas.conn.executescript("SELECT 1; DROP TABLE verdicts;")
    with Store.open(study.database) as store:
        assert store.conn.execute("SELECT count(*) FROM verdicts").fetchone()[0] == 14


def test_what_passes_by_the_authorizer_is_closed(anas: BlindStore, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        for reach in (
            lambda: anas.conn.blobopen("verdicts", "rationale", 1, readonly=True),
            lambda: anas.conn.serialize(),
            lambda: anas.conn.backup(copy),
            lambda: list(anas.conn.iterdump()),
            lambda: anas.conn.enable_load_extension(True),
        ):
            with pytest.raises(sqlite3.DatabaseError):
                reach()
    copy.close()


def test_every_column_of_a_view_can_be_read_by_itself(anas: BlindStore, study: Study) -> None:
    with Store.open_blind(study.database, code_of(study, "ana")) as nothing_shown:
        for blind in (anas, nothing_shown):
            for view in PUBLIC_VIEWS:
                rows = blind.conn.execute(f"SELECT * FROM {view}")
                columns, count = [column[0] for column in rows.description], len(rows.fetchall())
                for column in columns:
                    assert len(blind.rows(f"SELECT {column} FROM {view}", [])) == count > 0
                assert blind.row(f"SELECT count(*) FROM {view}", []) == (count,)


def test_the_names_of_the_inner_views_cannot_be_learned(anas: BlindStore) -> None:
    messages = []
    for sql in (
        "SELECT nothing FROM my_item",
        "SELECT * FROM my_item NATURAL JOIN my_labels, verdicts",
        "SELECT ref.x FROM my_item",
    ):
        with pytest.raises(sqlite3.Error) as caught:
            anas.conn.execute(sql)
        messages.append(str(caught.value))
    assert all("inner_" not in message for message in messages), messages
    explained = ""
    try:
        explained = repr(anas.rows("EXPLAIN QUERY PLAN SELECT * FROM my_item", []))
    except sqlite3.Error as error:
        explained = str(error)
    assert "inner_" not in explained


def test_each_annotator_reads_her_own_rows_and_only_those(study: Study, anas: BlindStore) -> None:
    with Store.open_blind(study.database, code_of(study, "ben"), study.blind.show) as bens:
        hers, his = everything(anas), everything(bens)
    for view in ("my_item", "my_labels", "my_draft", "my_position"):
        assert hers[view] and his[view]
        assert not {row[0] for row in hers[view]} & {row[0] for row in his[view]}, "no reference is shared"
    assert len(hers["my_labels"]) == 3 and len(hers["my_item"]) == 3
    assert {row[4] for row in hers["my_labels"]} == {"aligned"} and {row[4] for row in his["my_labels"]} == {"misaligned"}
    assert "ben" not in repr(hers) and "ana" not in repr(his)
    assert hers["questions"] == his["questions"] and hers["codebooks"] == his["codebooks"]


def test_a_stranger_reads_no_item(study: Study) -> None:
    with Store.open_blind(study.database, 999, study.blind.show) as blind:
        found = everything(blind)
    assert all(found[view] == [] for view in ("my_item", "my_labels", "my_draft", "my_position"))


def test_only_the_metadata_that_the_study_shows_is_there(anas: BlindStore) -> None:
    for (text,) in anas.rows("SELECT metadata FROM my_item", []):
        assert json.loads(text) == {"domain": "bank", "flagged": True, "nowhere": None}


def test_without_shown_fields_there_is_no_metadata(study: Study) -> None:
    with Store.open_blind(study.database, code_of(study, "ana")) as blind:
        assert {row[0] for row in blind.rows("SELECT metadata FROM my_item", [])} == {"{}"}


def test_a_field_name_is_a_name_and_no_sql(study: Study) -> None:
    names = ("o'; DROP TABLE verdicts; --", "a.b", "$", "[0]", "{me}", "domain")
    with Store.open_blind(study.database, code_of(study, "ana"), names) as blind:
        values = json.loads(blind.rows("SELECT metadata FROM my_item", [])[0][0])
    assert values == dict.fromkeys(names[:-1]) | {"domain": "bank"}


def test_no_hidden_field_and_no_id_stands_in_anything_that_she_may_read(study: Study, anas: BlindStore) -> None:
    text = repr(everything(anas))
    steps = {json.dumps(step) for (steps,) in anas.rows("SELECT steps FROM my_item", []) for step in json.loads(steps)}
    assert steps and all("Please do r" in text for _ in steps), "the trajectory itself is there"
    # The task and steps were made from the id without its prefix; the prefix stands for every hidden field.
    assert SECRET not in text
    assert "real" not in text and "train" not in text.replace("constrain", "") and "inclusion" not in text
    with Store.open(study.database) as store:
        hashes = [row[0] for row in store.conn.execute("SELECT content_hash FROM trajectories")]
        splits = {row[0] for row in store.conn.execute("SELECT split FROM trajectories")}
    assert not [hash for hash in hashes if hash in text]
    cells = {str(cell) for rows in everything(anas).values() for row in rows for cell in row}
    assert not cells & splits


def test_what_another_annotator_does_changes_nothing_that_she_reads(study: Study, anas: BlindStore) -> None:
    before = everything(anas)
    with Sitting(study, "ben", outbox="later", seq=100) as ben:
        ben.label(ben.claim()[0], "misaligned", rationale="later")
        ben.do("skip", ben.claim()[0], reason="later")
        ben.do("flag", ben.claim()[0], reason="later")
    assert everything(anas) == before


def test_the_views_are_the_listed_ones(tmp_path: Path) -> None:
    assert PUBLIC_VIEWS == ("my_item", "my_labels", "my_draft", "my_position", "questions", "codebooks")
    study = make_study(tmp_path / "empty")
    with Store.open_blind(study.database, 1) as blind:
        assert {view: rows for view, rows in everything(blind).items() if rows} == {}
