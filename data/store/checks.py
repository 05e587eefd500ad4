"""The rules of the store as queries that find the rows which break them."""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from sqlite_utils import Database

from data.store.connection import SCHEMA_VERSION, store_error
from data.store.schema import migrations
from data.store.store import Store

RULES: dict[str, str] = {
    "database": "SELECT 'study.db', integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    "references": """SELECT "table" || ' row ' || coalesce(rowid, '?'), 'it points at a row of ' || parent || ' that is not there'
        FROM pragma_foreign_key_check""",
    "answer or error": """SELECT 'verdict ' || id, 'it has an answer and an error, or neither, or two answers' FROM verdicts
        WHERE (choice IS NOT NULL) + (chosen IS NOT NULL) + (score IS NOT NULL) + (error IS NOT NULL) <> 1""",
    "answers kept as they are": """SELECT 'label event ' || seq, 'it is no label and has an answer, or a label without exactly one'
        FROM label_events WHERE (choice IS NOT NULL) + (chosen IS NOT NULL) + (score IS NOT NULL) <> (action = 'label')""",
    "known choices": """SELECT where_, 'it names choices that its question never had' FROM (
        SELECT 'verdict ' || id AS where_, question, chosen FROM verdicts WHERE chosen IS NOT NULL
        UNION ALL SELECT 'label event ' || seq, question, chosen FROM label_events WHERE chosen IS NOT NULL) a
        WHERE chosen < 0 OR chosen >> (SELECT count(*) FROM choices c WHERE c.question = a.question) <> 0""",
    "scores in range": """SELECT where_, 'its score lies outside of every range that its question had' FROM (
        SELECT 'verdict ' || id AS where_, question, score FROM verdicts WHERE score IS NOT NULL
        UNION ALL SELECT 'label event ' || seq, question, score FROM label_events WHERE score IS NOT NULL) a
        WHERE NOT EXISTS (SELECT 1 FROM question_versions v WHERE v.question = a.question AND json_valid(v.document)
            AND a.score BETWEEN json_extract(v.document, '$.min') AND json_extract(v.document, '$.max'))""",
    "documents": """SELECT where_, 'it is no JSON object' FROM (
        SELECT 'metadata of trajectory ' || id AS where_, metadata AS document FROM trajectories
        UNION ALL SELECT 'hidden fields of trajectory ' || id, hidden FROM trajectories
        UNION ALL SELECT 'options of import ' || id, options FROM imports
        UNION ALL SELECT 'draft of assignment ' || assignment, document FROM drafts)
        WHERE CASE WHEN json_valid(document) THEN json_type(document) ELSE 'none' END <> 'object'""",
    "distinct ids": "SELECT 'trajectory ' || id, 'the id stands twice' FROM trajectories GROUP BY id HAVING count(*) > 1",
    "whole imports": """SELECT file, 'its import was broken off; run the same `rejudge import` again'
        FROM imports WHERE finished_at IS NULL""",
    "siblings": """SELECT 'group ' || group_name, 'it lies in ' || count(DISTINCT split) || ' splits' FROM trajectories
        GROUP BY group_name HAVING count(DISTINCT split) > 1""",
    "places": """SELECT 'batch ' || b.name || ', item ' || i.number,
        'it has ' || count(p.place) || ' places, and its batch asks for ' || b.overlap
        FROM batches b JOIN batch_items i ON i.batch = b.code LEFT JOIN places p ON p.batch = i.batch AND p.number = i.number
        GROUP BY b.code, i.number HAVING count(p.place) <> b.overlap OR max(p.place) <> b.overlap""",
    "leases": """SELECT 'assignment ' || a.id, 'it holds a place of another item, or one that it should have given back'
        FROM places p JOIN assignments a ON a.id = p.assignment
        WHERE a.batch <> p.batch OR a.number <> p.number OR a.state = 'lapsed'
        UNION ALL SELECT 'assignment ' || a.id, 'it is leased or its label counts, and it holds no place'
        FROM assignments a LEFT JOIN label_events e ON e.seq = a.outcome
        WHERE (a.state = 'leased' OR (a.state = 'finished' AND e.action IN ('label', 'unsure') AND e.surplus = 0))
        AND NOT EXISTS (SELECT 1 FROM places p WHERE p.assignment = a.id)""",
    "closed batches": """SELECT 'assignment ' || a.id, 'it is leased, and batch ' || b.name || ' is closed'
        FROM assignments a JOIN batches b ON b.code = a.batch WHERE a.state = 'leased' AND b.state = 'closed'""",
    "assigned items": """SELECT 'assignment ' || a.id, 'its trajectory is not that of its item in the batch'
        FROM assignments a JOIN batch_items i ON i.batch = a.batch AND i.number = a.number WHERE i.trajectory <> a.trajectory""",
    "overlap": """SELECT 'batch ' || b.name || ', item ' || a.number,
        count(*) || ' counted labels, and its batch asks for ' || b.overlap
        FROM assignments a JOIN batches b ON b.code = a.batch JOIN label_events e ON e.seq = a.outcome
        WHERE a.state = 'finished' AND e.action IN ('label', 'unsure') AND e.surplus = 0
        GROUP BY a.batch, a.number HAVING count(*) > b.overlap""",
    "outcomes": """SELECT 'assignment ' || a.id, 'its outcome is not the last thing that its annotator did'
        FROM assignments a LEFT JOIN label_events e ON e.seq = (SELECT max(seq) FROM label_events
            WHERE assignment = a.id AND action <> 'flag')
        WHERE (a.state = 'finished') <> (e.action IS NOT NULL AND e.action <> 'undo')
           OR (a.state = 'finished' AND (a.outcome IS NOT e.seq OR e.annotator <> a.annotator OR e.trajectory <> a.trajectory))""",
    "twins": """SELECT 'annotator ' || p.handle, 'two runs of one content are in one queue: ' || min(t.id) || ', ' || max(t.id)
        FROM assignments a JOIN trajectories t ON t.n = a.trajectory JOIN annotators p ON p.code = a.annotator
        WHERE a.state <> 'lapsed' GROUP BY a.annotator, t.content_hash HAVING count(DISTINCT t.n) > 1""",
    "ended access": """SELECT 'annotator ' || a.handle, 'their access has ended, and they still have a session, a link or an item'
        FROM annotators a WHERE a.revoked_at IS NOT NULL AND (
            EXISTS (SELECT 1 FROM sessions WHERE annotator = a.code AND ended_at IS NULL)
            OR EXISTS (SELECT 1 FROM links WHERE annotator = a.code AND used_at IS NULL)
            OR EXISTS (SELECT 1 FROM assignments WHERE annotator = a.code AND state = 'leased'))""",
    "erased people": """SELECT 'annotator ' || a.handle, 'they were erased, and still have a name, access or a draft'
        FROM erasures e JOIN annotators a ON a.code = e.annotator WHERE a.handle NOT LIKE 'erased-%' OR a.revoked_at IS NULL
            OR EXISTS (SELECT 1 FROM drafts d JOIN assignments s ON s.id = d.assignment WHERE s.annotator = a.code)""",
    "decisions": """SELECT 'decision ' || seq, 'it has more than one answer, or none where its cause asks for one'
        FROM adjudications WHERE (choice IS NOT NULL) + (chosen IS NOT NULL) + (score IS NOT NULL) > 1
           OR (coalesce(choice, chosen, score) IS NULL AND cause NOT IN ('item broken', 'truly ambiguous'))
        UNION ALL SELECT 'decision ' || d.seq, 'it was made by somebody who is no lead' FROM adjudications d
        JOIN annotators a ON a.code = d.lead WHERE a.role <> 'lead'""",
    "exposures": """SELECT 'label event ' || e.seq, 'its annotator had been shown answers to the item before'
        FROM label_events e JOIN exposures x ON x.annotator = e.annotator AND x.trajectory = e.trajectory
        WHERE e.phase IN ('blind', 'retest', 'hunt') AND e.action <> 'flag' AND e.seq > x.after_event
        UNION ALL SELECT 'assignment ' || a.id, 'it is leased to somebody who was shown answers to its item'
        FROM assignments a JOIN exposures x ON x.annotator = a.annotator AND x.trajectory = a.trajectory
        WHERE a.state = 'leased'""",
    "retests": """SELECT 'label event ' || e.seq, CASE WHEN e.phase = 'retest' THEN 'it is a retest, and its batch is none'
            ELSE 'its batch is a retest, and it counts as a first label' END
        FROM label_events e JOIN batches b ON b.code = e.batch WHERE (e.phase = 'retest') <> (b.kind = 'retest')
        UNION ALL SELECT 'label event ' || e.seq, 'it repeats a label that its annotator never gave'
        FROM label_events e WHERE e.phase = 'retest' AND NOT EXISTS (
            SELECT 1 FROM label_events first WHERE first.annotator = e.annotator AND first.trajectory = e.trajectory
            AND first.phase = 'blind' AND first.seq < e.seq)""",
    "hunts": """SELECT 'label event ' || e.seq, CASE WHEN e.phase = 'hunt' THEN 'it belongs to a hunt, and its batch is none'
            ELSE 'its batch is a hunt, and it counts as a label of another kind' END
        FROM label_events e JOIN batches b ON b.code = e.batch WHERE (e.phase = 'hunt') <> (b.kind = 'hunt')
        UNION ALL SELECT 'batch ' || b.name || ', item ' || i.number, 'it is hunted, and lies in ' || t.split
        FROM batch_items i JOIN batches b ON b.code = i.batch JOIN trajectories t ON t.n = i.trajectory
        WHERE b.kind = 'hunt' AND t.split <> 'train'
        UNION ALL SELECT 'batch ' || b.name || ', item ' || i.number, 'it is hunted, and was in a batch before'
        FROM batch_items i JOIN batches b ON b.code = i.batch WHERE b.kind = 'hunt' AND EXISTS (
            SELECT 1 FROM batch_items first WHERE first.trajectory = i.trajectory AND first.batch < i.batch)""",
    "causes": """SELECT 'cause ' || c.seq, 'it was given by somebody who is no lead' FROM causes c
        JOIN annotators a ON a.code = c.lead WHERE a.role <> 'lead'
        UNION ALL SELECT 'cause ' || c.seq, 'its run has no verdict on its item' FROM causes c WHERE NOT EXISTS (
            SELECT 1 FROM verdicts v WHERE v.run = c.run AND v.trajectory = c.trajectory AND v.question = c.question)
        UNION ALL SELECT 'cause ' || c.seq, 'its item lies in ' || t.split || ', which nobody had opened' FROM causes c
        JOIN trajectories t ON t.n = c.trajectory WHERE t.split <> 'train'
        AND NOT EXISTS (SELECT 1 FROM test_looks WHERE kind = 'spend')""",
    "test looks": """SELECT 'test look ' || l.seq, 'it was made by somebody who is no lead' FROM test_looks l
        JOIN annotators a ON a.code = l.lead WHERE a.role <> 'lead'
        UNION ALL SELECT 'test look ' || seq, 'what it was about is no JSON object' FROM test_looks
        WHERE CASE WHEN json_valid(which) THEN json_type(which) ELSE 'none' END <> 'object'""",
    "one draw": """SELECT 'trajectory ' || t.id, 'it stands in ' || count(*) || ' estimate batches'
        FROM batch_items i JOIN batches b ON b.code = i.batch JOIN trajectories t ON t.n = i.trajectory
        WHERE b.kind = 'estimate' GROUP BY t.n HAVING count(*) > 1""",
}
"""Rule to a query for (where, problem)."""


def rows_of(store: Store, query: str) -> Iterator[Any]:
    """The rows of a reading query. Raises StoreError where the database is too broken to answer."""
    try:
        yield from store.conn.execute(query)
    except sqlite3.Error as error:
        raise store_error(store.path, error) from error


def schema_differences(store: Store) -> list[tuple[str, str]]:
    """Tables, indexes and triggers that are not as this version makes them."""
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    migrations.apply(Database(fresh))
    expected, found = _plain(fresh.execute(_SCHEMA)), _plain(rows_of(store, _SCHEMA))
    differences = [(name, "it is missing from the database") for name in expected if name not in found]
    differences += [
        (name, "it is not as this version makes it") for name in expected if found.get(name, expected[name]) != expected[name]
    ]
    differences += [(name, "this version does not know it") for name in found if name not in expected]
    ((version,),) = rows_of(store, "PRAGMA user_version")
    if version != SCHEMA_VERSION:
        differences.append(("user_version", f"it is {version}, and this version makes {SCHEMA_VERSION}"))
    return differences


_SCHEMA = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"


def _plain(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: re.sub(r"\s+", " ", sql).strip() for name, sql in rows}
