"""Where the labels and verdicts of a study come from, as counts of its rows: what a report tells of how its figures came about."""

import json
from collections.abc import Iterator
from typing import Any

from data.hashing import document_hash, tagged_hash
from data.store.chain import GENESIS
from data.store.store import Store

Rows = list[dict[str, Any]]


def judged(store: Store, run: int | None) -> Rows:
    """Every judge run by name, or the one: its identity, what the judge saw (`evidence_view`), and its verdicts by question."""
    runs = store.conn.execute(
        "SELECT code, name, kind, identity, evidence_view FROM judge_runs WHERE ?1 IS NULL OR code = ?1 ORDER BY name", [run]
    ).fetchall()
    return [
        {
            "name": name,
            "kind": kind,
            "identity": identity,
            "evidence_view": json.loads(view),
            "verdicts": [
                {"question": question, "verdicts": verdicts, "unreadable": unreadable, "more_repeats": more}
                for question, verdicts, unreadable, more in store.conn.execute(_VERDICTS, [code])
            ],
        }
        for code, name, kind, identity, view in runs
    ]


_VERDICTS = """
SELECT q.id, sum(v.repeat = 0), sum(v.repeat = 0 AND v.error IS NOT NULL), sum(v.repeat > 0)
FROM verdicts v JOIN questions q ON q.code = v.question WHERE v.run = ? GROUP BY q.id ORDER BY q.id
"""


def draws(store: Store) -> Rows:
    """Every batch in the order of drawing: its recipe, seed, day and frame, and how many items of each stratum are missing.

    An item is missing where no annotator has labelled it (unsure is a label).
    """
    batches = store.conn.execute(
        "SELECT code, name, kind, overlap, seed, recipe, frame, state, drawn_at FROM batches ORDER BY code"
    ).fetchall()
    found = []
    for code, name, kind, overlap, seed, recipe, frame, state, at in batches:
        missing = dict(store.conn.execute(_MISSING, [code, "blind" if kind == "estimate" else kind]).fetchall())
        drawn = json.loads(frame)
        strata = [
            {"name": each["name"], "items": each["items"], "drawn": each["drawn"], "missing": missing.get(each["name"], 0)}
            for each in drawn["strata"]
        ]
        found.append(
            {
                "name": name, "kind": kind, "overlap": overlap, "seed": seed, "recipe": json.loads(recipe), "state": state,
                "day": at[:10], "frame": drawn["items"], "strata": strata,
            }
        )  # fmt: skip
    return found


_CURRENT = """
(SELECT annotator, trajectory, question, phase, action, codebook, shown, max(seq) FROM label_events
 WHERE action <> 'flag' AND surplus = 0 AND phase IN ('blind', 'imported') GROUP BY annotator, trajectory, question, phase)
"""
_MISSING = """
WITH labelled AS MATERIALIZED (
    SELECT DISTINCT trajectory FROM (
        SELECT trajectory, action, max(seq) FROM label_events
        WHERE batch = ?1 AND phase = ?2 AND action <> 'flag' AND surplus = 0 GROUP BY annotator, trajectory, question)
    WHERE action IN ('label', 'unsure'))
SELECT stratum, count(*) FROM batch_items WHERE batch = ?1 AND trajectory NOT IN labelled GROUP BY stratum
"""


def labellers(store: Store) -> Rows:
    """Who labelled, by handle: role, and by question how many current labels of batches and of imports, and how many unsure."""
    rows = store.conn.execute(_LABELLERS).fetchall()
    people: dict[str, dict[str, Any]] = {}
    for handle, role, question, source, labels, unsure in rows:
        person = people.setdefault(handle, {"handle": handle, "role": role, "labels": []})
        person["labels"].append({"question": question, "source": source, "labels": labels, "unsure": unsure})
    return list(people.values())


_LABELLERS = f"""
SELECT a.handle, a.role, q.id, CASE e.phase WHEN 'imported' THEN 'imported' ELSE 'batch' END, count(*), sum(e.action = 'unsure')
FROM {_CURRENT} e JOIN annotators a ON a.code = e.annotator JOIN questions q ON q.code = e.question
WHERE e.action IN ('label', 'unsure') GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4
"""


def codebooks_used(store: Store) -> Rows:
    """By question and codebook page: its version and hash, and how many current blind labels were given under it."""
    rows = store.conn.execute(
        f"""SELECT q.id, c.version, c.hash, count(*) FROM {_CURRENT} e
            JOIN questions q ON q.code = e.question JOIN codebooks c ON c.question = e.question AND c.hash = e.codebook
            WHERE e.phase = 'blind' AND e.action IN ('label', 'unsure') GROUP BY q.id, c.version ORDER BY q.id, c.version"""
    )
    return [{"question": id, "version": version, "hash": hash, "labels": labels} for id, version, hash, labels in rows]


def views_used(store: Store) -> Rows:
    """By what annotators could see: the blind rules, and how many current blind labels were given under them."""
    rows = store.conn.execute(
        f"""SELECT v.hash, v.document, count(*) FROM {_CURRENT} e JOIN shown s ON s.hash = e.shown
            JOIN views v ON v.hash = json_extract(s.document, '$.view')
            WHERE e.phase = 'blind' AND e.action IN ('label', 'unsure') GROUP BY v.hash ORDER BY 3 DESC, 1"""
    )
    return [{"hash": hash, "rules": json.loads(document), "labels": labels} for hash, document, labels in rows]


def gold_hashes(store: Store) -> Rows:
    """Every frozen gold set, in the order of freezing."""
    rows = store.conn.execute("SELECT name, hash, json_extract(manifest, '$.rows') FROM gold_sets ORDER BY code")
    return [{"name": name, "hash": hash, "rows": count} for name, hash, count in rows]


def sources(store: Store) -> Rows:
    """How many trajectories came from files of each format."""
    rows = store.conn.execute("SELECT format, count(*) FROM trajectories GROUP BY format ORDER BY format")
    return [{"format": format, "trajectories": count} for format, count in rows]


def decided_causes(store: Store) -> dict[str, dict[str, int]]:
    """Question to how many of its items a lead decided, by cause; of several decisions on one item the last."""
    found: dict[str, dict[str, int]] = {}
    for question, cause, count in store.conn.execute(
        """SELECT q.id, d.cause, count(*) FROM (SELECT question, cause, max(seq) FROM adjudications GROUP BY question, trajectory) d
           JOIN questions q ON q.code = d.question GROUP BY 1, 2 ORDER BY 1, 2"""
    ):
        found.setdefault(question, {})[cause] = count
    return found


def study_hash(store: Store) -> str:
    """One hash over everything that a figure rests on: trajectories and their fields, draws, and the ends of every history."""
    return document_hash("study", dict(_hashed(store)))


_ENDS = (("verdicts", "id"), ("label_events", "seq"), ("adjudications", "seq"), ("erasures", "n"), ("test_looks", "seq"))


def _hashed(store: Store) -> Iterator[tuple[str, Any]]:
    one = store.conn.execute
    lines = (" ".join(row) for row in one("SELECT content_hash, fields_hash, split, id FROM trajectories ORDER BY id"))
    yield "trajectories", tagged_hash("trajectories", "\n".join(lines))
    for table, key in _ENDS:
        last = one(f"SELECT chain FROM {table} ORDER BY {key} DESC LIMIT 1").fetchone()
        yield table, last[0] if last else GENESIS
    yield "batches", [list(row) for row in one("SELECT name, overlap, seed, recipe, frame FROM batches ORDER BY code")]
    yield "judge_runs", [row[0] for row in one("SELECT identity FROM judge_runs ORDER BY identity")]
    yield "questions", [row[0] for row in one("SELECT hash FROM question_versions ORDER BY hash")]
    yield "codebooks", [row[0] for row in one("SELECT hash FROM codebooks ORDER BY hash")]
