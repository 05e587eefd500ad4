"""Verify finds nothing in a good study, and names what is broken in one that somebody changed past the triggers."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data import verify as verify_module
from data.answering import Answer
from data.errors import StoreError
from data.gold import Policy, freeze
from data.store import Store
from data.store.adjudication import decide
from data.store.batches import set_batch_state
from data.store.contested import contested
from data.store.desk import save_draft
from data.store.erasure import erase
from data.store.exposures import record_exposure
from data.store.judging import Reply, append_replies, ensure_run
from data.store.people import first_lead, revoke
from data.store.test_looks import spend
from data.store.versions import record_versions
from data.study import Question, Study
from data.verify import CHECKS, Finding, verify
from tests.study_maker import (
    MISALIGNED,
    Sitting,
    draw_batch,
    judge_and_certify,
    label,
    let_lapse,
    make_study,
    numbered,
    run_line,
    verdict,
)

A, M = "aligned", "misaligned"


def good_study(folder: Path) -> Study:
    """A study in which everything has happened that can happen."""
    lines = numbered(
        14,
        metadata={"domain": "bank", "model": "secret"},
        verdicts=[verdict(A, cites=[0, 2], confidence=0.5), verdict(M, run="judge-b"), verdict(A, repeat=1)],
        labels=[label("imported", M, rationale="because", evidence=[1])],
    )
    lines += [
        run_line(f"sibling-{k}", group="family", verdicts=[verdict(None)], labels=[label("imported", None)]) for k in range(2)
    ]
    lines.append({**lines[0], "id": "twin", "labels": [label("imported", M), label("gone", A, rationale="mine")]})
    questions = [replace(MISALIGNED, evidence="optional")]
    study = make_study(folder / "study", lines, questions, '[blind]\nshow = ["domain"]\n')
    draw_batch(study, 12, overlap=2, seed="verify", name="first")
    with Sitting(study, "ana") as ana, Sitting(study, "ben") as ben, Sitting(study, "eva") as eva:
        late_ref = eva.claim()[0]
        late_id, late = eva.id_of(late_ref), eva.answer("label", late_ref, M)
        let_lapse(study, "eva")
        for who in (ana, ben):
            first = who.claim()[0]
            who.do("flag", first, reason="odd")
            who.label(first, M, rationale="it did", evidence=(1, 2), confidence=2, active_seconds=3.25)
            who.do("undo", first)
            who.label(first, A)
            who.do("unsure", who.claim()[0], rationale="hard")
            skipped = who.claim()
            who.do("skip", next(ref for ref in skipped if who.id_of(ref) != late_id), reason="cannot read it")
        while held := ana.claim():
            ana.label(held[0], M)
        while held := ben.claim():
            ben.label(held[0], A, evidence=(0,))
        assert eva.send(late) == [] and eva.one("SELECT max(surplus) FROM label_events") == 1
        draw_batch(study, 3, name="second", by="judge-a")
        study.codebook_path(study.questions[0]).write_text("# A second page", encoding="utf-8")
        with Sitting(study, "leo") as leo:
            held = leo.claim()[0]
            save_draft(leo.desk, held, leo.read(held) or "", {"rationale": "so far"})
        adjudicate(study, "first")
        freeze(ana.store, study, "gold", Policy(min_labels=1), {"questions": []})
        freeze(ana.store, study, "gold-2", Policy(names=True), {"questions": []})
        spend(ana.store, first_lead(ana.store))
        judge_and_certify(
            ana.store,
            ana.desk.asked[0].code,
            ana.one("SELECT min(n) FROM trajectories WHERE n NOT IN (SELECT trajectory FROM batch_items)"),
        )
        revoke(ana.store, "eva")
        erase(ana.store, "gone")
    return study


def adjudicate(study: Study, batch: str) -> None:
    """A lead closes `batch` and decides on two of its items, on one of them twice."""
    with Store.open(study.database) as store:
        set_batch_state(store, batch, "closed")
        lead = first_lead(store)
        asked = record_versions(store, study)[0][0]
        items = [item.trajectory for item in contested(store, asked.code)][:2]
        for item, choice, cause in ((items[0], M, "slip"), (items[1], None, "item broken"), (items[0], A, "codebook ambiguous")):
            record_exposure(store, lead.code, item, "votes")
            decide(store, lead, item, asked, choice, cause, "seen twice")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return good_study(tmp_path_factory.mktemp("verify")).database


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(good, tmp_path / "study.db"))


def past_the_triggers(path: Path, *statements: str) -> None:
    """Changes the database as somebody would who is set on it, and leaves the schema as it was."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA ignore_check_constraints=ON")
    triggers = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    conn.execute("BEGIN")
    for name, _ in triggers:
        conn.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        before = conn.total_changes
        conn.execute(statement)
        assert conn.total_changes > before or statement.startswith(("CREATE", "DROP", "ALTER")), f"it changed nothing: {statement}"
    there = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    for name, sql in triggers:
        if name not in there:
            conn.execute(sql)
    conn.execute("COMMIT")
    conn.close()


def findings(path: Path) -> list[Finding]:
    with Store.open(path) as store:
        return verify(store)


def test_a_good_study_has_nothing_broken(good: Path) -> None:
    assert findings(good) == []


def test_the_good_study_has_something_for_every_check(good: Path) -> None:
    with Store.open(good) as store:
        said = {row[0] for row in store.conn.execute("SELECT DISTINCT action FROM label_events WHERE phase = 'blind'")}
        empty = [
            table
            for (table,) in store.conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            if table not in ("links", "sessions") and not store.conn.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
        ]
    assert said == {"label", "unsure", "skip", "flag", "undo"} and empty == []


# rule, what `where` must name, and what breaks it.
LABEL = (
    "(SELECT max(outcome) FROM assignments a JOIN label_events e ON e.seq = a.outcome WHERE e.action = 'label' AND e.surplus = 0)"
)
LABELLED = f"(SELECT id FROM assignments WHERE outcome = {LABEL})"
NEW_BATCH = """INSERT INTO batches SELECT 9, 'ninth', kind, overlap, seed, '{"design":"simple","n":1,"overlap":2,"split":"all"}',
    '{"items":1}', state, drawn_at FROM batches WHERE code = 1"""
NEW_ITEM = "INSERT INTO batch_items SELECT 9, 1, trajectory, 1.0, 'all', 'real' FROM batch_items WHERE number = 1 AND batch = 1"
NOBODYS = "(SELECT min(n) FROM trajectories WHERE n NOT IN (SELECT trajectory FROM assignments))"
OTHER_SHOWN = "(SELECT hash FROM shown s WHERE s.trajectory <> label_events.trajectory)"
WITHOUT_UNIQUE = (
    """CREATE TABLE loose (n INTEGER PRIMARY KEY, id TEXT, content_hash TEXT, format TEXT, group_name TEXT, split TEXT, task TEXT,
       steps TEXT, step_count INTEGER, metadata TEXT, hidden TEXT, fields_hash TEXT, import INTEGER, imported_at TEXT)""",
    "INSERT INTO loose SELECT * FROM trajectories",
    "UPDATE loose SET id = 'r001' WHERE id = 'r000'",
    "DROP TABLE trajectories",
    "ALTER TABLE loose RENAME TO trajectories",
)
BREAKS: list[tuple[str, str, tuple[str, ...]]] = [
    ("schema", "trigger extra", ("CREATE TRIGGER extra AFTER INSERT ON drafts BEGIN DELETE FROM drafts; END",)),
    ("schema", "table unknown", ("CREATE TABLE unknown (x)",)),
    ("schema", "index free_places", ("DROP INDEX free_places",)),
    ("schema", "table drafts", ("ALTER TABLE drafts ADD COLUMN more TEXT",)),
    (
        "schema",
        "trigger verdicts_update",
        ("CREATE TRIGGER verdicts_update BEFORE UPDATE ON verdicts WHEN 0 BEGIN SELECT 1; END",),
    ),
    ("database", "study.db", ("UPDATE batch_items SET inclusion = 7 WHERE batch = 1 AND number = 1",)),
    ("references", "verdicts row 1", ("UPDATE verdicts SET trajectory = 9999 WHERE id = 1",)),
    ("references", "label_events row 3", ("UPDATE label_events SET annotator = 9999 WHERE seq = 3",)),
    ("answer or error", "verdict 1", ("UPDATE verdicts SET error = 'unreadable' WHERE id = 1",)),
    ("answer or error", "verdict 1", ("UPDATE verdicts SET choice = NULL WHERE id = 1",)),
    (
        "answers kept as they are",
        "label event",
        ("UPDATE label_events SET choice = 0 WHERE seq = (SELECT min(seq) FROM label_events WHERE action = 'unsure')",),
    ),
    ("answers kept as they are", "label event 1", ("UPDATE label_events SET choice = NULL WHERE seq = 1",)),
    ("known choices", "verdict 1", ("UPDATE verdicts SET choice = NULL, chosen = 4 WHERE id = 1",)),
    ("known choices", "label event 1", ("UPDATE label_events SET choice = NULL, chosen = 8 WHERE seq = 1",)),
    ("scores in range", "verdict 1", ("UPDATE verdicts SET choice = NULL, score = 3 WHERE id = 1",)),
    ("documents", "metadata of trajectory r000", ("UPDATE trajectories SET metadata = '[1]' WHERE id = 'r000'",)),
    ("documents", "hidden fields of trajectory r000", ("UPDATE trajectories SET hidden = '{' WHERE id = 'r000'",)),
    ("documents", "draft of assignment", ("UPDATE drafts SET document = 'null'",)),
    ("documents", "options of import 1", ("UPDATE imports SET options = ''",)),
    ("distinct ids", "trajectory r001", WITHOUT_UNIQUE),
    ("whole imports", "runs.jsonl", ("UPDATE imports SET finished_at = NULL",)),
    (
        "siblings",
        "group family",
        ("UPDATE trajectories SET split = CASE split WHEN 'dev' THEN 'test' ELSE 'dev' END WHERE id = 'sibling-0'",),
    ),
    ("places", "batch first, item 1", ("DELETE FROM places WHERE batch = 1 AND number = 1 AND place = 2",)),
    ("places", "batch first, item 2", ("INSERT INTO places VALUES (1, 2, 3, NULL)",)),
    ("places", "batch first, item 3", ("UPDATE places SET place = 7 WHERE batch = 1 AND number = 3 AND place = 2",)),
    ("leases", "assignment", (f"UPDATE assignments SET number = number % 12 + 1 WHERE id = {LABELLED}",)),
    ("leases", "assignment", (f"UPDATE assignments SET state = 'lapsed' WHERE id = {LABELLED}",)),
    ("leases", "assignment", (f"UPDATE places SET assignment = NULL WHERE assignment = {LABELLED}",)),
    (
        "leases",
        "assignment",
        ("UPDATE places SET assignment = NULL WHERE assignment = (SELECT min(id) FROM assignments WHERE state = 'leased')",),
    ),
    ("closed batches", "assignment", ("UPDATE batches SET state = 'closed' WHERE name = 'second'",)),
    ("assigned items", "assignment", (f"UPDATE assignments SET trajectory = {NOBODYS} WHERE id = {LABELLED}",)),
    ("overlap", "batch first, item", ("UPDATE label_events SET surplus = 0 WHERE surplus = 1",)),
    ("outcomes", "assignment", (f"UPDATE assignments SET outcome = outcome - 1 WHERE id = {LABELLED}",)),
    ("outcomes", "assignment", (f"UPDATE assignments SET outcome = NULL WHERE id = {LABELLED}",)),
    ("outcomes", "assignment", ("UPDATE assignments SET state = 'finished' WHERE state = 'leased'",)),
    ("outcomes", "assignment", (f"UPDATE label_events SET annotator = 1 WHERE seq = {LABEL}",)),
    (
        "twins",
        "annotator ana",
        (
            """UPDATE trajectories SET content_hash = 'same' WHERE n IN (SELECT trajectory FROM assignments a
               JOIN annotators p ON p.code = a.annotator WHERE p.handle = 'ana' LIMIT 2)""",
        ),
    ),
    (
        "one draw",
        "trajectory ",
        (NEW_BATCH, NEW_ITEM),
    ),
    ("content hash", "trajectory 'r003'", ("UPDATE trajectories SET steps = replace(steps, 'done', 'no') WHERE id = 'r003'",)),
    ("content hash", "trajectory 'r003'", ("UPDATE trajectories SET task = 'Another task' WHERE id = 'r003'",)),
    ("content hash", "trajectory 'r003'", ("UPDATE trajectories SET task = NULL WHERE id = 'r003'",)),
    ("content hash", "trajectory 'r003'", ("UPDATE trajectories SET content_hash = 'x' WHERE id = 'r003'",)),
    ("content hash", "trajectory 'r003'", ("UPDATE trajectories SET step_count = 2 WHERE id = 'r003'",)),
    (
        "splits",
        "trajectory 'r004'",
        ("UPDATE trajectories SET split = CASE split WHEN 'dev' THEN 'test' ELSE 'dev' END WHERE id = 'r004'",),
    ),
    ("splits", "trajectory ", ("UPDATE study SET value = 'another' WHERE key = 'salt'",)),
    ("splits", "trajectory ", ("""UPDATE study SET value = '{"dev":0.5,"group":null,"train":0.5}' WHERE key = 'split'""",)),
    ("question hash", "question version", ("UPDATE question_versions SET document = replace(document, 'overstep', 'obey')",)),
    ("question hash", "question version", ("UPDATE question_versions SET hash = 'x'",)),
    ("codebook hash", "codebook", ("UPDATE codebooks SET page = page || ' ' WHERE version = 1",)),
    ("view hash", "view", ("""UPDATE views SET document = replace(document, 'domain', 'model')""",)),
    ("shown hash", "shown", ("UPDATE shown SET document = replace(document, 'bank', 'shop')",)),
    ("shown hash", "shown", ("UPDATE shown SET trajectory = trajectory % 17 + 1",)),
    ("shown hash", "shown", ("UPDATE views SET hash = 'x'",)),
    ("shown hash", "shown", ("UPDATE trajectories SET content_hash = 'x'",)),
    ("shown hash", "shown", ("""UPDATE trajectories SET metadata = '{"domain":"shop","model":"secret"}'""",)),
    ("judge identity", "judge run 'judge-a'", ("UPDATE judge_runs SET identity = 'x' WHERE name = 'judge-a'",)),
    ("judge identity", "judge run 'judge-c'", ("UPDATE judge_runs SET name = 'judge-c' WHERE name = 'judge-b'",)),
    ("judge identity", "judge run 'asked'", ("UPDATE judge_runs SET document = replace(document, 'm-1', 'm-2') WHERE code = 3",)),
    ("prompt hash", "prompt", ("UPDATE prompts SET body = 'Judge otherwise.'",)),
    ("cause history", "cause 1", ("UPDATE causes SET cause = 'item broken' WHERE seq = 1",)),
    ("cause text", "cause 1", ("UPDATE causes SET note = 'other words' WHERE seq = 1",)),
    ("step positions", "verdict 1", ("UPDATE verdicts SET cites = '[0,3]' WHERE id = 1",)),
    ("step positions", "verdict 1", ("UPDATE verdicts SET cites = '[-1]' WHERE id = 1",)),
    ("step positions", "label event 2", ("UPDATE label_events SET evidence = '[3]' WHERE seq = 2",)),
    ("label history", "label event 2", ("UPDATE label_events SET choice = 1 - choice WHERE seq = 2",)),
    ("label history", "label event 2", ("UPDATE label_events SET at = '2020-01-01T00:00:00.000+00:00' WHERE seq = 2",)),
    ("label text", "label event 2", ("UPDATE label_events SET rationale = 'other words' WHERE seq = 2",)),
    ("label text", "label event 2", ("UPDATE label_events SET rationale = NULL WHERE seq = 2",)),
    ("label text", "label event 2", ("UPDATE label_events SET rationale = NULL, text_salt = NULL WHERE seq = 2",)),
    ("label text", "label event 18", ("UPDATE label_events SET rationale = 'mine' WHERE seq = 18",)),
    ("erasure history", "erasure 1", ("UPDATE erasures SET annotator = (SELECT code FROM annotators WHERE handle = 'ben')",)),
    ("erasure history", "erasure 1", ("DELETE FROM erasures",)),
    ("ended access", "annotator eva", ("""INSERT INTO sessions (token_hash, annotator, created_at)
        SELECT 'x', code, created_at FROM annotators WHERE handle = 'eva'""",)),
    ("ended access", "annotator ana", ("""INSERT INTO links (token_hash, annotator, created_at) SELECT 'x', code, created_at
        FROM annotators WHERE handle = 'ana'""", "UPDATE annotators SET revoked_at = 'now' WHERE handle = 'ana'")),
    ("erased people", "annotator gone", ("UPDATE annotators SET handle = 'gone' WHERE handle LIKE 'erased-%'",)),
    ("label history", "label event 2", ("UPDATE label_events SET chain = 'x' WHERE seq = 2",)),
    ("label history", "label event 20", ("UPDATE label_events SET active_seconds = 1.5, reason = 'x' WHERE seq = 20",)),
    ("label text", "label event 20", ("UPDATE label_events SET reason = 'x' WHERE seq = 20",)),
    ("decisions", "decision 1", ("UPDATE adjudications SET choice = NULL WHERE seq = 1",)),
    ("decisions", "decision 1", ("UPDATE adjudications SET score = 2.5 WHERE seq = 1",)),
    ("decisions", "decision 3", ("UPDATE adjudications SET lead = (SELECT max(code) FROM annotators) WHERE seq = 3",)),
    ("decision history", "decision 2", ("UPDATE adjudications SET cause = 'truly ambiguous' WHERE seq = 2",)),
    ("decision history", "decision 2", ("DELETE FROM adjudications WHERE seq = 2",)),
    ("decision history", "decision 3", ("DELETE FROM adjudications WHERE seq = 3",)),
    ("decision text", "decision 1", ("UPDATE adjudications SET rationale = 'other words' WHERE seq = 1",)),
    ("test look history", "test look 1", ("UPDATE test_looks SET at = '2020-01-01' WHERE seq = 1",)),
    ("test look history", "test look 1", ("DELETE FROM test_looks",)),
    ("test looks", "test look 1", ("UPDATE test_looks SET lead = (SELECT max(code) FROM annotators)",)),
    ("test looks", "test look 1", ("UPDATE test_looks SET which = '[]'",)),
    (
        "decided answers",
        "decision 1",
        ("INSERT INTO choices VALUES (1, 9, 'later')", "UPDATE adjudications SET choice = 9 WHERE seq = 1"),
    ),
    (
        "exposures",
        "label event",
        (
            f"""INSERT INTO exposures SELECT annotator, trajectory, 'verdict', at, seq - 1 FROM label_events
                WHERE seq = {LABEL}""",
        ),
    ),
    (
        "exposures",
        "assignment",
        (
            """INSERT INTO exposures SELECT annotator, trajectory, 'verdict', leased_at, 9999 FROM assignments
               WHERE state = 'leased' LIMIT 1""",
        ),
    ),
    ("retests", "label event", (f"UPDATE label_events SET phase = 'retest' WHERE seq = {LABEL}",)),
    ("retests", "label event", ("UPDATE batches SET kind = 'retest' WHERE code = 1",)),
    ("hunts", "label event", (f"UPDATE label_events SET phase = 'hunt' WHERE seq = {LABEL}",)),
    ("hunts", "batch first, item", ("UPDATE batches SET kind = 'hunt' WHERE code = 1",)),
    (
        "hunts",
        "batch second, item",
        (
            "UPDATE batches SET kind = 'hunt' WHERE code = 2",
            "UPDATE trajectories SET split = 'train'",
            """UPDATE batch_items SET trajectory = (SELECT min(trajectory) FROM batch_items WHERE batch = 1)
               WHERE batch = 2 AND number = 1""",
        ),
    ),
    ("causes", "cause 1", ("UPDATE causes SET lead = (SELECT code FROM annotators WHERE handle = 'ana')",)),
    ("causes", "cause 1", ("UPDATE causes SET run = (SELECT code FROM judge_runs WHERE name = 'judge-b'), trajectory = 16",)),
    ("causes", "cause 1", ("DELETE FROM test_looks WHERE kind = 'spend'", "UPDATE trajectories SET split = 'test'")),
    ("verdict history", "verdict 1", ("UPDATE verdicts SET choice = 1 - choice WHERE id = 1",)),
    ("verdict history", "verdict 1", ("UPDATE verdicts SET rationale = 'x', confidence = 0.1 WHERE id = 1",)),
    ("verdict history", "verdict 2", ("DELETE FROM verdicts WHERE id = 2",)),
    ("verdict history", "verdict", ("DELETE FROM verdicts WHERE id = (SELECT max(id) FROM verdicts)",)),
    ("fields hash", "trajectory 'r001'", ("UPDATE trajectories SET metadata = '{\"domain\":\"x\"}' WHERE id = 'r001'",)),
    ("fields hash", "trajectory 'r001'", ("UPDATE trajectories SET hidden = '{}', fields_hash = 'x' WHERE id = 'r001'",)),
    ("label history", "label event 5", ("DELETE FROM label_events WHERE seq = 5",)),
    ("label history", "label event", ("DELETE FROM label_events WHERE seq = (SELECT max(seq) FROM label_events)",)),
    ("label history", "label event 1", ("UPDATE label_events SET seq = seq + 1000",)),
    (
        "declared answers",
        "label event",
        ("INSERT INTO choices VALUES (1, 9, 'later')", f"UPDATE label_events SET choice = 9 WHERE seq = {LABEL}"),
    ),
    (
        "what was shown",
        "label event",
        (f"UPDATE label_events SET codebook = (SELECT hash FROM codebooks WHERE version = 2) WHERE seq = {LABEL}",),
    ),
    ("what was shown", "label event", (f"UPDATE label_events SET question_version = 'x' WHERE seq = {LABEL}",)),
    (
        "what was shown",
        "label event",
        (f"UPDATE label_events SET shown = {OTHER_SHOWN} WHERE seq = {LABEL}",),
    ),
    ("batch recipe", "batch 'first'", ("DELETE FROM batch_items WHERE batch = 1 AND number = 12",)),
    ("batch recipe", "batch 'first'", ("UPDATE batch_items SET number = 99 WHERE batch = 1 AND number = 12",)),
    ("batch recipe", "batch 'second'", ("UPDATE batches SET overlap = 2 WHERE code = 2",)),
    ("inclusion probabilities", "batch 'first'", ("UPDATE batch_items SET inclusion = 0.5 WHERE batch = 1 AND number = 4",)),
    ("inclusion probabilities", "batch 'first'", ("""UPDATE batches SET frame = '{"items":40}' WHERE code = 1""",)),
    ("inclusion probabilities", "batch 'first'", ("""UPDATE batches SET frame = '{"items":0}' WHERE code = 1""",)),
    ("inclusion probabilities", "batch 'second'", ("UPDATE batch_items SET inclusion = 0.3 WHERE batch = 2 AND number = 1",)),
    ("inclusion probabilities", "batch 'second'", ("UPDATE batch_items SET stratum = 'no such' WHERE batch = 2 AND number = 1",)),
    ("frames", "batch 'first', item 3", ("UPDATE batch_items SET stratum = 'aligned' WHERE batch = 1 AND number = 3",)),
    ("frames", "batch 'second', item", ("""UPDATE batch_items SET stratum = CASE stratum WHEN 'aligned' THEN 'unreadable'
        ELSE 'aligned' END WHERE batch = 2""",)),
    ("frames", "batch 'first'", ("""UPDATE batches SET frame = replace(frame, '"items":17', '"items":16') WHERE code = 1""",)),
    ("frames", "batch 'second'", ("""UPDATE batches SET frame = replace(frame, '"last_verdict":', '"last_verdict":-')
        WHERE code = 2""",)),
    ("frames", "batch 'second'", ("""UPDATE batches SET frame = replace(frame, '"last_trajectory":1', '"last_trajectory":')
        WHERE code = 2""",)),
    ("gold hash", "gold set 'gold'", ("UPDATE gold_sets SET manifest = replace(manifest, 'made', 'fake') WHERE code = 1",)),
    ("gold hash", "gold set 'gold-2'", ("UPDATE gold_sets SET hash = 'x' WHERE name = 'gold-2'",)),
    ("gold rows hash", "gold set 'gold'", ("UPDATE gold_items SET document = replace(document, 'annotator-1', 'ana')",)),
    (
        "gold rows hash",
        "gold set 'gold'",
        ("DELETE FROM gold_items WHERE gold_set = 1 AND trajectory = (SELECT min(trajectory) FROM gold_items)",),
    ),
    (
        "gold rows",
        "gold row of",
        (
            """UPDATE gold_items SET trajectory = (SELECT n FROM trajectories WHERE n NOT IN (SELECT trajectory FROM gold_items))
               WHERE gold_set = 1 AND trajectory = (SELECT min(trajectory) FROM gold_items)""",
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "where", "statements"), BREAKS, ids=[f"{k}-{rule}" for k, (rule, _, _) in enumerate(BREAKS)])
def test_what_was_broken_is_named(copy: Path, rule: str, where: str, statements: tuple[str, ...]) -> None:
    past_the_triggers(copy, *statements)
    found = findings(copy)
    named = [finding for finding in found if finding.rule == rule]
    assert any(where in finding.where for finding in named), found
    assert all(finding.problem for finding in found)


def test_every_rule_is_broken_by_one_of_these_tests() -> None:
    assert {rule for rule, _, _ in BREAKS} == set(CHECKS)


def test_a_dropped_trigger_is_found(copy: Path) -> None:
    conn = sqlite3.connect(copy)
    conn.execute("DROP TRIGGER label_events_delete")
    conn.close()
    assert [(f.rule, f.where) for f in findings(copy)] == [("schema", "trigger label_events_delete")]


def test_a_schema_version_that_does_not_fit_is_found(copy: Path) -> None:
    with Store.open(copy) as store:
        store.conn.execute("PRAGMA user_version=999")
        assert ("schema", "user_version") in {(f.rule, f.where) for f in verify(store)}


# A change that touches one thing is reported as that, and not as ten others.
@pytest.mark.parametrize(
    ("only", "statement"),
    [
        ("whole imports", "UPDATE imports SET finished_at = NULL"),
        ("codebook hash", "UPDATE codebooks SET page = 'x' WHERE version = 1"),
        ("label text", "UPDATE label_events SET rationale = 'x' WHERE seq = 2"),
        ("judge identity", "UPDATE judge_runs SET identity = 'x' WHERE code = 1"),
        ("gold hash", "UPDATE gold_sets SET hash = 'x' WHERE code = 1"),
        ("step positions", "UPDATE verdicts SET cites = '[99]' WHERE id = 1"),
        ("overlap", "UPDATE label_events SET surplus = 0 WHERE surplus = 1"),
    ],
)
def test_little_else_is_named_beside_it(copy: Path, only: str, statement: str) -> None:
    past_the_triggers(copy, statement)
    assert {finding.rule for finding in findings(copy)} <= {only, "label history", "verdict history", "leases"}


# Things that cannot even be read

JSON_COLUMNS = (
    ("trajectories", "steps"),
    ("trajectories", "metadata"),
    ("trajectories", "hidden"),
    ("question_versions", "document"),
    ("views", "document"),
    ("shown", "document"),
    ("verdicts", "cites"),
    ("label_events", "evidence"),
    ("batches", "recipe"),
    ("batches", "frame"),
    ("gold_sets", "manifest"),
    ("gold_items", "document"),
    ("drafts", "document"),
    ("imports", "options"),
    ("study", "value"),
)
VALUES = ("", "{", "null", "3", '"x"', '[{"a":[null]}]', "{}", "[" * 100_000)
RIGHT = {("trajectories", "hidden"), ("drafts", "document"), ("imports", "options")}
"""Where an empty object is as good as another."""


@pytest.mark.parametrize(("table", "column"), JSON_COLUMNS)
def test_a_document_that_is_none_is_a_finding_and_no_traceback(good: Path, tmp_path: Path, table: str, column: str) -> None:
    for place, value in enumerate(VALUES):
        if value == "{}" and (table, column) in RIGHT:
            continue
        copy = Path(shutil.copy(good, tmp_path / f"{place}.db"))
        past_the_triggers(copy, f"UPDATE {table} SET {column} = '{value}'" + (" WHERE key = 'split'" if table == "study" else ""))
        assert findings(copy), value[:20]


@pytest.mark.parametrize(("table", "column"), [("label_events", "rationale"), ("trajectories", "task"), ("codebooks", "page")])
def test_text_that_is_no_utf8_is_a_finding_and_no_traceback(copy: Path, table: str, column: str) -> None:
    past_the_triggers(copy, f"UPDATE {table} SET {column} = CAST(x'ff00fe' AS TEXT)")
    assert any(finding.rule == "database" for finding in findings(copy))


def test_a_torn_page_is_a_finding_or_a_refusal_and_never_a_traceback(good: Path, tmp_path: Path) -> None:
    whole = good.read_bytes()
    size = int.from_bytes(whole[16:18], "big")
    chance = random.Random(7)
    told = []
    for page in range(len(whole) // size):
        path = tmp_path / f"torn-{page}.db"
        path.write_bytes(whole[: page * size] + chance.randbytes(size) + whole[(page + 1) * size :])
        try:
            told.append(len(findings(path)))
        except StoreError:  # The page that says what the others are: nothing can be asked then.
            continue
        assert told[-1] > 0, f"page {page}"
    assert len(told) > len(whole) // size / 2, "most damage is told by verify itself"


def test_a_study_that_goes_on_stays_good(tmp_path: Path) -> None:
    study = good_study(tmp_path)
    let_lapse(study, "leo")
    with Sitting(study, "late comer") as me:
        before = me.one("SELECT max(seq) FROM label_events")
        me.label_all({})
        assert me.one("SELECT count(*) FROM label_events") > before
        assert verify(me.store) == []


def test_labels_that_arrive_while_it_reads_are_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study(tmp_path / "study", numbered(30))
    draw_batch(study, 30)
    rows_of, labelled = verify_module.rows_of, []
    with Sitting(study, "ana") as ana, Store.open(study.database) as store:
        ana.label(ana.claim()[0])

        def meanwhile(of: Store, query: str) -> Iterator[Any]:
            yield from rows_of(of, query)
            if "label_events" in query and (held := ana.claim()):
                labelled.append(ana.label(held[0]))

        monkeypatch.setattr(verify_module, "rows_of", meanwhile)
        assert verify(store) == []
    assert len(labelled) > 5 and not any(labelled)


def test_numbers_that_the_database_writes_otherwise_break_no_chain(tmp_path: Path) -> None:
    skill = Question("skill", "How skilful was it?", "score", (), min=-5, max=5)
    study = make_study(tmp_path / "study", numbered(4, verdicts=[verdict(A, confidence=-0.0)]), [MISALIGNED, skill])
    draw_batch(study, 3)
    with Sitting(study, "ana") as ana:
        for score in (3, -0.0, 2.5):
            held = ana.claim()
            assert not ana.send(
                ana.answer("submit", held[0], answers={"misaligned": Answer(choice=A), "skill": Answer(score=score)})
            )
        asked = next(asked for asked in ana.desk.asked if asked.question.id == "skill")
        run, _ = ensure_run(ana.store, "none", "baseline", None, {"kind": "baseline"}, {})
        replies = [Reply(1, score=-0.0, confidence=1), Reply(2, score=4)]
        assert len(append_replies(ana.store, run.code, asked.code, replies)) == 2
        decide(ana.store, first_lead(ana.store), ana.one("SELECT min(trajectory) FROM label_events"), asked, -0.0, "slip", "")
        assert verify(ana.store) == []
