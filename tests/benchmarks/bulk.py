"""Large studies for benchmarks, written straight into the tables.

For measuring only: rows come without a desk and without the chain of their history, so `rejudge verify`
rightly objects to such a study. Figures come out of it as out of any other.
"""

from dataclasses import dataclass
from pathlib import Path

from data.codebook import ensure_codebook
from data.store import Store
from data.store.incoming import ensure_imported_run
from data.store.store import now
from data.store.versions import record_versions
from data.study import Study
from tests.study_maker import draw_batch, make_study


@dataclass(frozen=True, slots=True)
class Bulk:
    """How large a study shall be."""

    items: int
    annotators: int = 0
    """Each labels every item; nobody where it is 0."""
    group: int = 1
    """Items that share a group."""
    choices: int = 2


def bulk_study(folder: Path, bulk: Bulk) -> Study:
    """A study with one binary question, a verdict of run `judge-a` on every item, and all items drawn and labelled."""
    study = make_study(folder)
    ensure_codebook(study)
    with Store.open(study.database) as store:
        record_versions(store, study)
        with store.write():
            _add_trajectories(store, bulk)
            _add_verdicts(store)
    if bulk.annotators:
        draw_batch(study, bulk.items, overlap=min(bulk.annotators, 100), name="all")
        with Store.open(study.database) as store, store.write():
            _add_labels(store, bulk.annotators)
    return study


def _add_trajectories(store: Store, bulk: Bulk) -> None:
    conn = store.conn
    conn.execute("INSERT INTO imports VALUES (1, 'bulk', 'bulk', '{}', 'native', ?1, ?1)", [now()])
    conn.execute(
        """WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < ?1)
           INSERT INTO trajectories
           SELECT n, printf('run-%07d', n), printf('content-%d', n), 'native', printf('group-%d', n / ?2), 'test', 'Do it.',
                  '[{"kind":"message","speaker":"user","text":"Go on."}]', 1, '{}', '{}', '', 1, ?3 FROM k""",
        [bulk.items, bulk.group, now()],
    )


def _add_verdicts(store: Store) -> None:
    assert ensure_imported_run(store, "judge-a") == 1
    store.conn.execute(
        """INSERT INTO verdicts (run, question, trajectory, repeat, choice, error, chain)
           SELECT 1, 1, n, 0, CASE WHEN n % 97 THEN (n * 7919) % 10 = 0 END, CASE WHEN n % 97 = 0 THEN 'unreadable' END, ''
           FROM trajectories"""
    )


def _add_labels(store: Store, annotators: int) -> None:
    conn, moment = store.conn, now()
    (page,) = conn.execute("SELECT hash FROM codebooks").fetchone()
    (version,) = conn.execute("SELECT hash FROM question_versions").fetchone()
    conn.execute("INSERT INTO shown VALUES ('bulk', 1, '{}')")
    for place in range(annotators):
        conn.execute("INSERT INTO annotators (handle, role, created_at) VALUES (?, 'annotator', ?)", [f"person-{place:02}", moment])
        (code,) = conn.execute("SELECT max(code) FROM annotators").fetchone()
        conn.execute(
            """INSERT INTO label_events (at, annotator, trajectory, question, batch, phase, action, choice, evidence, text_hash,
                   question_version, codebook, shown, app_version, surplus, chain)
               SELECT ?1, ?2, n, 1, 1, 'blind', CASE WHEN (n + ?2) % 50 THEN 'label' ELSE 'unsure' END,
                      CASE WHEN (n + ?2) % 50 THEN ((n * 7919) % 10 = 0) <> ((n * 31 + ?2 * 17) % 11 = 0) END, '[]', '',
                      ?3, ?4, 'bulk', 'bulk', 0, '' FROM trajectories""",
            [moment, code, version, page],
        )
