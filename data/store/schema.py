"""The tables of `study.db`, as numbered migrations.

`user_version` counts the migrations that were applied, so that opening a current database asks one
number (`SCHEMA_VERSION` in `connection.py`) and touches no migration machinery. Choices, questions,
runs, annotators and batches are small whole numbers in the large tables: counting a million labels
then reads an index of integers.

An answer stands in one of three columns: `choice` (one choice's code), `chosen` (several choices: bit i
is the choice with code i, 0 is none of them) or `score`.
"""

from sqlite_utils import Database, Migrations

from data.hashing import canonical_json
from data.store.events import CAUSE_TEXT, DECISION_TEXT, FREE_TEXT

migrations = Migrations("rejudge")

_TABLES = """
CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE questions (code INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE question_versions (
    hash TEXT PRIMARY KEY, question INTEGER NOT NULL REFERENCES questions, document TEXT NOT NULL, recorded_at TEXT NOT NULL
) STRICT;
CREATE TABLE choices (
    question INTEGER NOT NULL REFERENCES questions, code INTEGER NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (question, code), UNIQUE (question, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE codebooks (
    hash TEXT NOT NULL, question INTEGER NOT NULL REFERENCES questions, version INTEGER NOT NULL, page TEXT NOT NULL,
    recorded_at TEXT NOT NULL, PRIMARY KEY (question, hash), UNIQUE (question, version)
) STRICT;
CREATE TABLE views (hash TEXT PRIMARY KEY, document TEXT NOT NULL, recorded_at TEXT NOT NULL) STRICT;
CREATE TABLE shown (hash TEXT PRIMARY KEY, trajectory INTEGER NOT NULL REFERENCES trajectories, document TEXT NOT NULL) STRICT;

CREATE TABLE imports (
    id INTEGER PRIMARY KEY, file TEXT NOT NULL, file_hash TEXT NOT NULL, options TEXT NOT NULL, format TEXT NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT, UNIQUE (file_hash, options)
) STRICT;
CREATE TABLE trajectories (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content_hash TEXT NOT NULL, format TEXT NOT NULL,
    group_name TEXT NOT NULL, split TEXT NOT NULL CHECK (split IN ('train', 'dev', 'test')),
    task TEXT, steps TEXT NOT NULL, step_count INTEGER NOT NULL, metadata TEXT NOT NULL, hidden TEXT NOT NULL,
    fields_hash TEXT NOT NULL,
    import INTEGER NOT NULL REFERENCES imports, imported_at TEXT NOT NULL
) STRICT;
CREATE INDEX trajectories_by_content ON trajectories (content_hash);
CREATE INDEX trajectories_by_group ON trajectories (split, group_name);

CREATE TABLE judge_runs (
    code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, identity TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('imported')), evidence_view TEXT NOT NULL, recorded_at TEXT NOT NULL
) STRICT;
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES judge_runs, question INTEGER NOT NULL,
    trajectory INTEGER NOT NULL REFERENCES trajectories, repeat INTEGER NOT NULL,
    choice INTEGER, chosen INTEGER CHECK (chosen >= 0), score REAL, error TEXT,
    rationale TEXT, cites TEXT, confidence REAL, chain TEXT NOT NULL,
    CHECK ((choice IS NOT NULL) + (chosen IS NOT NULL) + (score IS NOT NULL) + (error IS NOT NULL) = 1),
    FOREIGN KEY (question, choice) REFERENCES choices (question, code)
) STRICT;
CREATE UNIQUE INDEX verdict_key ON verdicts (trajectory, run, question, repeat);
CREATE INDEX verdict_answers ON verdicts (run, question, repeat, trajectory, choice, chosen, score);

CREATE TABLE annotators (
    code INTEGER PRIMARY KEY, handle TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('annotator', 'lead', 'imported')), created_at TEXT NOT NULL, revoked_at TEXT
) STRICT;
CREATE TABLE erasures (
    n INTEGER PRIMARY KEY AUTOINCREMENT, annotator INTEGER NOT NULL UNIQUE REFERENCES annotators, at TEXT NOT NULL,
    until INTEGER NOT NULL, chain TEXT NOT NULL
) STRICT;
CREATE TABLE links (
    token_hash TEXT PRIMARY KEY, annotator INTEGER NOT NULL REFERENCES annotators, created_at TEXT NOT NULL, used_at TEXT
) STRICT;
CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY, annotator INTEGER NOT NULL REFERENCES annotators, created_at TEXT NOT NULL, ended_at TEXT
) STRICT;

CREATE TABLE batches (
    code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL CHECK (kind IN ('estimate', 'retest')),
    overlap INTEGER NOT NULL CHECK (overlap >= 1), seed TEXT NOT NULL, recipe TEXT NOT NULL, frame TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'paused', 'closed')), drawn_at TEXT NOT NULL
) STRICT;
CREATE TABLE batch_items (
    batch INTEGER NOT NULL REFERENCES batches, number INTEGER NOT NULL, trajectory INTEGER NOT NULL REFERENCES trajectories,
    inclusion REAL NOT NULL CHECK (inclusion > 0 AND inclusion <= 1), stratum TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('real', 'retest')),
    PRIMARY KEY (batch, number), UNIQUE (batch, trajectory)
) STRICT, WITHOUT ROWID;
CREATE TABLE assignments (
    id INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, batch INTEGER NOT NULL, number INTEGER NOT NULL,
    trajectory INTEGER NOT NULL REFERENCES trajectories, annotator INTEGER NOT NULL REFERENCES annotators,
    state TEXT NOT NULL CHECK (state IN ('leased', 'lapsed', 'finished')),
    leased_at TEXT NOT NULL, leased_until REAL NOT NULL, shown TEXT NOT NULL REFERENCES shown,
    outcome INTEGER REFERENCES label_events,
    UNIQUE (annotator, trajectory, batch), FOREIGN KEY (batch, number) REFERENCES batch_items (batch, number)
) STRICT;
CREATE INDEX running_leases ON assignments (leased_until) WHERE state = 'leased';
CREATE INDEX assignments_by_annotator ON assignments (annotator, state, batch, outcome);
CREATE INDEX assignments_in_order ON assignments (batch, annotator, id, number);
CREATE TABLE places (
    batch INTEGER NOT NULL, number INTEGER NOT NULL, place INTEGER NOT NULL CHECK (place >= 1),
    assignment INTEGER UNIQUE REFERENCES assignments,
    PRIMARY KEY (batch, number, place), FOREIGN KEY (batch, number) REFERENCES batch_items (batch, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX free_places ON places (batch, number) WHERE assignment IS NULL;
CREATE TABLE drafts (assignment INTEGER PRIMARY KEY REFERENCES assignments, document TEXT NOT NULL, saved_at TEXT NOT NULL) STRICT;

CREATE TABLE label_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, annotator INTEGER NOT NULL REFERENCES annotators,
    trajectory INTEGER NOT NULL REFERENCES trajectories, question INTEGER NOT NULL REFERENCES questions,
    batch INTEGER REFERENCES batches, assignment INTEGER REFERENCES assignments,
    phase TEXT NOT NULL CHECK (phase IN ('training', 'blind', 'retest', 'revealed', 'adjudication', 'imported')),
    action TEXT NOT NULL CHECK (action IN ('label', 'unsure', 'skip', 'flag', 'undo')),
    choice INTEGER, chosen INTEGER CHECK (chosen >= 0), score REAL,
    evidence TEXT, rationale TEXT, reason TEXT, text_salt TEXT, text_hash TEXT NOT NULL, confidence INTEGER,
    question_version TEXT REFERENCES question_versions, codebook TEXT, shown TEXT REFERENCES shown,
    active_seconds REAL, app_version TEXT NOT NULL, outbox TEXT, outbox_seq INTEGER, surplus INTEGER NOT NULL,
    import INTEGER REFERENCES imports, chain TEXT NOT NULL,
    CHECK ((choice IS NOT NULL) + (chosen IS NOT NULL) + (score IS NOT NULL) = (action = 'label')),
    CHECK ((phase = 'imported') <= (import IS NOT NULL)),
    CHECK ((phase IN ('blind', 'retest')) <= (shown IS NOT NULL AND codebook IS NOT NULL AND question_version IS NOT NULL)),
    FOREIGN KEY (question, choice) REFERENCES choices (question, code),
    FOREIGN KEY (question, codebook) REFERENCES codebooks (question, hash)
) STRICT;
CREATE UNIQUE INDEX label_events_received ON label_events (outbox, outbox_seq, question);
CREATE INDEX label_answers ON label_events (question, phase, annotator, trajectory, seq, action, choice, chosen, score, surplus)
    WHERE action <> 'flag';
CREATE INDEX label_pages ON label_events (question, codebook) WHERE codebook IS NOT NULL;
CREATE INDEX label_flags ON label_events (trajectory) WHERE action = 'flag';
CREATE INDEX label_events_by_trajectory ON label_events (trajectory, phase);
CREATE INDEX label_events_by_assignment ON label_events (assignment, seq);

CREATE TABLE adjudications (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, lead INTEGER NOT NULL REFERENCES annotators,
    trajectory INTEGER NOT NULL REFERENCES trajectories, question INTEGER NOT NULL REFERENCES questions,
    choice INTEGER, chosen INTEGER CHECK (chosen >= 0), score REAL,
    cause TEXT NOT NULL CHECK (cause IN ('slip', 'codebook ambiguous', 'item broken', 'truly ambiguous')),
    rationale TEXT, text_salt TEXT, text_hash TEXT NOT NULL,
    question_version TEXT NOT NULL REFERENCES question_versions, codebook TEXT NOT NULL,
    app_version TEXT NOT NULL, chain TEXT NOT NULL,
    CHECK ((choice IS NOT NULL) + (chosen IS NOT NULL) + (score IS NOT NULL) <= 1),
    CHECK (coalesce(choice, chosen, score) IS NOT NULL OR cause IN ('item broken', 'truly ambiguous')),
    FOREIGN KEY (question, choice) REFERENCES choices (question, code),
    FOREIGN KEY (question, codebook) REFERENCES codebooks (question, hash)
) STRICT;
CREATE INDEX adjudications_by_item ON adjudications (question, trajectory, seq);
CREATE TABLE exposures (
    annotator INTEGER NOT NULL REFERENCES annotators, trajectory INTEGER NOT NULL REFERENCES trajectories,
    what TEXT NOT NULL CHECK (what IN ('verdict', 'votes')), at TEXT NOT NULL, after_event INTEGER NOT NULL,
    PRIMARY KEY (annotator, trajectory, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE gold_sets (
    code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, manifest TEXT NOT NULL, frozen_at TEXT NOT NULL
) STRICT;
CREATE TABLE gold_items (
    gold_set INTEGER NOT NULL REFERENCES gold_sets, trajectory INTEGER NOT NULL REFERENCES trajectories,
    question INTEGER NOT NULL REFERENCES questions, document TEXT NOT NULL, PRIMARY KEY (gold_set, trajectory, question)
) STRICT, WITHOUT ROWID;
"""

# What was recorded stays as it was. A table's free columns are the only ones that may change, in an UPDATE.
# A whole-number key has other names (rowid and so on), which a list of columns must name too.
_FROZEN: dict[str, str] = {
    "questions": "*",
    "question_versions": "*",
    "choices": "*",
    "codebooks": "*",
    "views": "*",
    "shown": "*",
    "trajectories": "n, rowid, oid, _rowid_, id, content_hash, format, group_name, split, task, steps, step_count, import, "
    "imported_at",
    "judge_runs": "*",
    "verdicts": "*",
    "batches": "code, rowid, oid, _rowid_, name, kind, overlap, seed, recipe, frame, drawn_at",
    "batch_items": "*",
    "erasures": "*",
    "exposures": "*",
    "gold_sets": "*",
    "gold_items": "*",
}


@migrations(name="001_the_loop")
def the_loop(db: Database) -> None:
    """Everything from a file to a gold set."""
    # Not executescript: it would commit the transaction that the migration runs in.
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    for table, columns in _FROZEN.items():
        _freeze(db, table, columns)
    # Closing a batch ends its blindness.
    db.execute(
        """CREATE TRIGGER batches_stay_closed BEFORE UPDATE OF state ON batches WHEN OLD.state = 'closed' AND NEW.state <> 'closed'
           BEGIN SELECT RAISE(ABORT, 'a closed batch stays closed'); END"""
    )
    _freeze_but_text(db, "label_events", FREE_TEXT, "annotator = OLD.annotator AND OLD.seq <= until")
    _freeze_but_text(db, "adjudications", DECISION_TEXT, "annotator = OLD.lead")


@migrations(name="002_test_looks")
def test_looks(db: Database) -> None:
    """Who opened or scored what is kept aside."""
    db.execute(
        """CREATE TABLE test_looks (
               seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, lead INTEGER NOT NULL REFERENCES annotators,
               kind TEXT NOT NULL CHECK (kind IN ('spend')), which TEXT NOT NULL, result TEXT NOT NULL,
               app_version TEXT NOT NULL, chain TEXT NOT NULL
           ) STRICT"""
    )
    db.execute("CREATE UNIQUE INDEX spent_once ON test_looks (kind) WHERE kind = 'spend'")
    _freeze(db, "test_looks", "*")


_JUDGE_TABLES = """
CREATE TABLE prompts (
    code INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, question INTEGER NOT NULL REFERENCES questions,
    parent INTEGER REFERENCES prompts, author TEXT NOT NULL, note TEXT NOT NULL, body TEXT NOT NULL, examples TEXT NOT NULL,
    recorded_at TEXT NOT NULL
) STRICT;
CREATE TABLE judge_calls (
    verdict INTEGER PRIMARY KEY REFERENCES verdicts, at TEXT NOT NULL, snapshot TEXT NOT NULL, mode TEXT NOT NULL,
    raw TEXT NOT NULL, finish TEXT NOT NULL, tokens_in INTEGER, tokens_out INTEGER, cost REAL, seconds REAL,
    attempts INTEGER NOT NULL CHECK (attempts >= 1), notes TEXT NOT NULL
) STRICT;
CREATE TABLE causes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, lead INTEGER NOT NULL REFERENCES annotators,
    run INTEGER NOT NULL REFERENCES judge_runs, trajectory INTEGER NOT NULL REFERENCES trajectories,
    question INTEGER NOT NULL REFERENCES questions,
    cause TEXT NOT NULL CHECK (cause IN ('judge wrong', 'human wrong', 'codebook ambiguous', 'item broken', 'evidence differed')),
    note TEXT, text_salt TEXT, text_hash TEXT NOT NULL, app_version TEXT NOT NULL, chain TEXT NOT NULL
) STRICT;
CREATE INDEX causes_by_item ON causes (question, run, trajectory, seq);
CREATE TABLE look_items (
    look INTEGER NOT NULL REFERENCES test_looks, trajectory INTEGER NOT NULL REFERENCES trajectories,
    question INTEGER NOT NULL REFERENCES questions, PRIMARY KEY (look, trajectory, question)
) STRICT, WITHOUT ROWID;
ALTER TABLE judge_runs ADD COLUMN prompt INTEGER REFERENCES prompts CHECK ((kind = 'asked') = (prompt IS NOT NULL));
ALTER TABLE judge_runs ADD COLUMN document TEXT NOT NULL DEFAULT '{}';
"""

_WIDENED = (
    ("judge_runs", "kind IN ('imported')", "kind IN ('imported', 'asked', 'baseline')"),
    ("batches", "kind IN ('estimate', 'retest')", "kind IN ('estimate', 'retest', 'hunt')"),
    ("label_events", "'blind', 'retest', 'revealed'", "'blind', 'retest', 'hunt', 'revealed'"),
    ("label_events", "phase IN ('blind', 'retest'))", "phase IN ('blind', 'retest', 'hunt'))"),
    ("test_looks", "kind IN ('spend')", "kind IN ('spend', 'certify')"),
)
"""Table, and the part of its CHECK constraints that allows more from now on."""


@migrations(name="003_the_judge")
def the_judge(db: Database) -> None:
    """Prompts, what a judge was asked and said, causes of disagreements, hunts and certifications."""
    # A CHECK says which rows may come and is no part of any page, so its text may change where it stands
    # (sqlite.org/lang_altertable.html, section 8): a study of a million labels need not be written anew.
    db.execute("PRAGMA writable_schema=ON")
    for table, before, after in _WIDENED:
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?", [before, after, table])
    db.execute("PRAGMA writable_schema=RESET")
    for statement in _JUDGE_TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute("DROP TRIGGER judge_runs_update")
    for code, name in db.execute("SELECT code, name FROM judge_runs").fetchall():
        document = canonical_json({"kind": "imported", "name": name})
        db.execute("UPDATE judge_runs SET document = ? WHERE code = ?", [document, code])
    db.execute("DROP TRIGGER judge_runs_delete")
    for table in ("judge_runs", "prompts", "judge_calls", "look_items"):
        _freeze(db, table, "*")
    _freeze_but_text(db, "causes", CAUSE_TEXT, "annotator = OLD.lead")


def _freeze(db: Database, table: str, columns: str) -> None:
    """No row of `table` goes, and none changes in these columns (`*`: in any)."""
    of = "" if columns == "*" else f"OF {columns} "
    message = f"RAISE(ABORT, '{table} keeps what was recorded')"
    db.execute(f"CREATE TRIGGER {table}_update BEFORE UPDATE {of}ON {table} BEGIN SELECT {message}; END")
    db.execute(f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} BEGIN SELECT {message}; END")


def _freeze_but_text(db: Database, table: str, text: tuple[str, ...], erased: str) -> None:
    """Rows keep everything but the free text of somebody whose erasure is on record, which may become NULL.

    `erased`: the condition on `erasures` under which a row's text may go.
    """
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})").fetchall()]
    kept = ", ".join(["rowid", "oid", "_rowid_", *(f'"{column}"' for column in columns if column not in text)])
    message = f"RAISE(ABORT, '{table} keeps what was recorded')"
    db.execute(f"CREATE TRIGGER {table}_update BEFORE UPDATE OF {kept} ON {table} BEGIN SELECT {message}; END")
    db.execute(f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} BEGIN SELECT {message}; END")
    left = " OR ".join(f"NEW.{column} IS NOT NULL" for column in text)
    db.execute(
        f"""CREATE TRIGGER {table}_erase BEFORE UPDATE OF {", ".join(text)} ON {table}
            WHEN {left} OR NOT EXISTS (SELECT 1 FROM erasures WHERE {erased})
            BEGIN SELECT {message}; END"""
    )
