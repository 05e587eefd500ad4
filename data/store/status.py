"""What a study holds, counted from its rows."""

import json
from typing import Any

from data.store.incoming import unfinished_imports
from data.store.selection import SELECTED_ON, selection
from data.store.store import Store
from data.store.test_looks import spent


def group_count(store: Store) -> int:
    """How many groups the trajectories fall into."""
    return int(store.conn.execute("SELECT count(DISTINCT group_name) FROM trajectories").fetchone()[0])


def study_status(store: Store) -> dict[str, Any]:
    """Everything that `rejudge status` tells but verdicts; equal studies give equal values."""
    one = store.conn.execute
    splits = {
        split: {"trajectories": items, "groups": groups}
        for split, items, groups in one("SELECT split, count(*), count(DISTINCT group_name) FROM trajectories GROUP BY split")
    }
    twins, straddling = one(
        """SELECT coalesce(sum(items), 0), coalesce(sum(splits > 1), 0) FROM
           (SELECT count(*) AS items, count(DISTINCT split) AS splits FROM trajectories
            GROUP BY content_hash HAVING count(*) > 1)"""
    ).fetchone()
    labels = [
        {"annotator": handle, "question": question, "source": source, "labels": count}
        for handle, question, source, count in one(_LABELS)
    ]
    return {
        "trajectories": one("SELECT count(*) FROM trajectories").fetchone()[0],
        "splits": splits,
        "spent": spent(store),
        "twins": {"trajectories": twins, "contents_that_straddle_splits": straddling},
        "unfinished_imports": unfinished_imports(store),
        "judge_runs": list(judge_run_codes(store)),
        "batches": [
            _batch(store, *row) for row in one("SELECT code, name, kind, overlap, state, frame FROM batches ORDER BY code")
        ],
        "labels": labels,
        "gold_sets": [row[0] for row in one("SELECT name FROM gold_sets ORDER BY name")],
    }


_LABELS = """
SELECT a.handle, q.id, CASE e.phase WHEN 'imported' THEN 'imported' ELSE 'batch' END, count(*)
FROM (SELECT annotator, trajectory, question, phase, action, max(seq) FROM label_events
      WHERE action <> 'flag' AND surplus = 0 AND phase IN ('blind', 'imported')
      GROUP BY annotator, trajectory, question, phase) e
JOIN annotators a ON a.code = e.annotator JOIN questions q ON q.code = e.question
WHERE e.action IN ('label', 'unsure') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def _batch(store: Store, code: int, name: str, kind: str, overlap: int, state: str, frame: str) -> dict[str, Any]:
    # A place is held by who works on the item or has labelled it; a skip gives it back.
    items, places, done, labelled = store.conn.execute(
        """SELECT (SELECT count(*) FROM batch_items WHERE batch = ?1), count(*), coalesce(sum(a.state = 'finished'), 0),
                  count(DISTINCT CASE WHEN a.state = 'finished' THEN p.number END)
           FROM places p LEFT JOIN assignments a ON a.id = p.assignment WHERE p.batch = ?1""",
        [code],
    ).fetchone()
    counts = dict(store.conn.execute(_ANSWERS, [code]).fetchall())
    flags = store.conn.execute(_FLAGS, [code]).fetchall()
    return {
        "name": name,
        "kind": kind,
        "state": state,
        "items": items,
        "strata": len(json.loads(frame)["strata"]),
        "overlap": overlap,
        "labels_wanted": places,
        "labels_finished": done,
        "items_missing": items - labelled,
        "unsure": counts.get("unsure", 0),
        "skipped": counts.get("skip", 0),
        "surplus": counts.get("surplus", 0),
        "flags": [{"id": id, "annotator": handle, "reason": reason} for id, handle, reason in flags],
    }


_ANSWERS = """
SELECT CASE WHEN e.surplus THEN 'surplus' ELSE e.action END, count(*) FROM assignments a JOIN label_events e ON e.seq = a.outcome
WHERE a.batch = ? AND a.state = 'finished' GROUP BY 1
"""
_FLAGS = """
SELECT t.id, p.handle, e.reason FROM label_events e JOIN trajectories t ON t.n = e.trajectory
JOIN annotators p ON p.code = e.annotator WHERE e.batch = ? AND e.action = 'flag' ORDER BY e.seq
"""


def has_imported_labels(store: Store) -> bool:
    """Whether a file brought labels."""
    return bool(store.conn.execute(_IMPORTED).fetchone()[0])


# By question, or the index would be read from end to end.
_IMPORTED = """
SELECT EXISTS (SELECT 1 FROM questions q WHERE EXISTS (SELECT 1 FROM label_events e INDEXED BY label_answers
               WHERE e.question = q.code AND e.phase = 'imported' AND e.action <> 'flag'))
"""


def incomplete_batches(store: Store) -> list[tuple[str, str]]:
    """Name and state of every batch with figures in which a label is still wanted or under way."""
    rows = store.conn.execute(
        """SELECT name, state FROM batches b
           WHERE kind = 'estimate' AND (EXISTS (SELECT 1 FROM places WHERE batch = b.code AND assignment IS NULL)
           OR EXISTS (SELECT 1 FROM assignments INDEXED BY running_leases WHERE state = 'leased' AND batch = b.code))
           ORDER BY code"""
    )
    return [(name, state) for name, state in rows]


def judge_run_codes(store: Store) -> dict[str, int]:
    """Every judge run by name, to its code."""
    return dict(store.conn.execute("SELECT name, code FROM judge_runs ORDER BY name").fetchall())


def question_codes(store: Store) -> dict[str, int]:
    """Every question that was ever declared, by id, to its code."""
    return dict(store.conn.execute("SELECT id, code FROM questions ORDER BY id").fetchall())


def questions_of_run(store: Store, run: int) -> list[str]:
    """The questions on which a run has a verdict."""
    rows = store.conn.execute(
        """SELECT id FROM questions q WHERE EXISTS (SELECT 1 FROM verdicts v WHERE v.run = ? AND v.question = q.code AND repeat = 0)
           ORDER BY id""",
        [run],
    )
    return [row[0] for row in rows]


def verdict_counts(store: Store) -> list[tuple[str, str, str, int]]:
    """Run, question, answer and how many verdicts; only shown when asked for.

    A verdict of several choices counts under each of them; scores are counted together. Of a run whose prompt was revised here
    those of dev alone are counted.
    """
    return store.conn.execute(
        """SELECT r.name, q.id, coalesce(c.name, CASE WHEN v.error IS NOT NULL THEN '(unreadable)'
                  WHEN v.score IS NOT NULL THEN '(a score)' ELSE '(none of them)' END), count(*)
           FROM verdicts v JOIN judge_runs r ON r.code = v.run JOIN questions q ON q.code = v.question
           LEFT JOIN choices c ON c.question = v.question AND (c.code = v.choice OR (v.chosen >> c.code) & 1)
           WHERE v.repeat = 0 AND (
               r.name NOT IN (SELECT value FROM json_each(?1))
               OR (SELECT split FROM trajectories WHERE n = v.trajectory) IN (SELECT value FROM json_each(?2)))
           GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        [json.dumps(sorted(selection(store).runs)), json.dumps(SELECTED_ON)],
    ).fetchall()
