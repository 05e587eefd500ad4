"""Is this study what it says it is? Every hash derived again, every rule of the store checked on its rows.

The database refuses most of this by itself. Verify looks at the rows as somebody else would: it finds
what got past the triggers.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from data.arrivals import content_hash
from data.codebook import page_version
from data.gold import rows_hash, set_hash
from data.hashing import canonical_json, document_hash, tagged_hash
from data.questions import question_from_document
from data.splits import SplitDraw
from data.store import Store
from data.store.checks import RULES, rows_of, schema_differences
from data.store.events import CHAINED, GENESIS, chain_hash, text_hash


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is broken."""

    rule: str
    """A short name for what should hold, such as `content hash` or `splits`."""
    where: str
    """The table and the row."""
    problem: str


def verify(store: Store) -> list[Finding]:
    """Everything that is broken; an empty list where nothing is."""
    findings: list[Finding] = [Finding("schema", name, problem) for name, problem in schema_differences(store)]
    for name, query in RULES.items():
        findings += [Finding(name, str(where), str(problem)) for where, problem in rows_of(store, query)]
    for check in (_trajectories, _splits, _versions, _shown, _runs, _positions, _events, _choices, _batches, _gold):
        findings += check(store)
    return findings


def _trajectories(store: Store) -> Iterator[Finding]:
    for id, task, steps, count, hash in rows_of(store, "SELECT id, task, steps, step_count, content_hash FROM trajectories"):
        where = f"trajectory {id!r}"
        try:
            listed = json.loads(steps)
        except ValueError:
            yield Finding("content hash", where, "its steps are not JSON")
            continue
        if content_hash(task, canonical_json(listed)) != hash:
            yield Finding("content hash", where, "task or steps are not those that were imported")
        elif len(listed) != count:
            yield Finding("content hash", where, f"it has {len(listed)} steps, and {count} were counted")


def _splits(store: Store) -> Iterator[Finding]:
    rules = json.loads(store.fact("split") or '{"train": 0, "dev": 0}')
    draw = SplitDraw(store.fact("salt") or "", rules["train"], rules["dev"])
    for id, group, split in rows_of(store, "SELECT id, group_name, split FROM trajectories"):
        if draw.of(group) != split:
            yield Finding(
                "splits", f"trajectory {id!r}", f"its group {group[:40]!r} was drawn into {draw.of(group)}, and it lies in {split}"
            )


def _versions(store: Store) -> Iterator[Finding]:
    for hash, document in rows_of(store, "SELECT hash, document FROM question_versions"):
        if document_hash("question", json.loads(document)) != hash:
            yield Finding(
                "question hash", f"question version {hash[:12]}", "its wording or choices are not those that were recorded"
            )
    for hash, page in rows_of(store, "SELECT hash, page FROM codebooks"):
        if page_version(page) != hash:
            yield Finding("codebook hash", f"codebook {hash[:12]}", "the page is not the one that was recorded")
    for hash, document in rows_of(store, "SELECT hash, document FROM views"):
        if document_hash("view", json.loads(document)) != hash:
            yield Finding("view hash", f"view {hash[:12]}", "what annotators may see is not what was recorded")


def _shown(store: Store) -> Iterator[Finding]:
    query = "SELECT s.hash, s.trajectory, s.document, t.content_hash FROM shown s JOIN trajectories t ON t.n = s.trajectory"
    views = {row[0] for row in rows_of(store, "SELECT hash FROM views")}
    for hash, trajectory, document, content in rows_of(store, query):
        parts = json.loads(document)
        if tagged_hash(f"shown:{trajectory}", document) != hash:
            yield Finding("shown hash", f"shown {hash[:12]}", "what was shown is not what was recorded")
        elif parts["content"] != content or parts["view"] not in views:
            yield Finding("shown hash", f"shown {hash[:12]}", "it points at another content or view than the database holds")


def _runs(store: Store) -> Iterator[Finding]:
    for name, kind, identity in rows_of(store, "SELECT name, kind, identity FROM judge_runs"):
        if document_hash("judge", {"kind": kind, "name": name}) != identity:
            yield Finding("judge identity", f"judge run {name!r}", "its identity is not that of its name and kind")


def _positions(store: Store) -> Iterator[Finding]:
    for query, what in (
        (
            "SELECT v.id, v.cites, t.step_count FROM verdicts v JOIN trajectories t ON t.n = v.trajectory WHERE v.cites <> '[]'",
            "verdict",
        ),
        (
            """SELECT e.seq, e.evidence, t.step_count FROM label_events e
               JOIN trajectories t ON t.n = e.trajectory WHERE e.evidence <> '[]'""",
            "label event",
        ),
    ):
        for key, steps, count in rows_of(store, query):
            if any(not 0 <= step < count for step in json.loads(steps)):
                yield Finding("step positions", f"{what} {key}", f"it points beyond the {count} steps of its trajectory")


def _events(store: Store) -> Iterator[Finding]:
    columns = ", ".join(f'"{column}"' for column in CHAINED)
    last, expected = GENESIS, 0
    query = f"SELECT seq, chain, rationale, reason, {columns} FROM label_events ORDER BY seq"
    for seq, chain, rationale, reason, *values in rows_of(store, query):
        expected += 1
        if seq != expected:
            yield Finding("label history", f"label event {expected}", f"events {expected} to {seq - 1} are missing")
            expected = seq
        elif chain_hash(last, tuple(values)) != chain:
            yield Finding("label history", f"label event {seq}", "it, or the one before it, is not as it was written")
        if text_hash(rationale, reason) != values[CHAINED.index("text_hash")]:
            yield Finding("label history", f"label event {seq}", "its rationale or reason is not as it was written")
        last = chain
    for (written,) in rows_of(store, "SELECT seq FROM sqlite_sequence WHERE name = 'label_events'"):
        if written > expected:
            yield Finding(
                "label history", f"label event {expected + 1}", f"events {expected + 1} to {written} are missing at the end"
            )


def _choices(store: Store) -> Iterator[Finding]:
    declared: dict[str, tuple[str, ...]] = {
        hash: question_from_document(json.loads(document)).choices
        for hash, document in rows_of(store, "SELECT hash, document FROM question_versions")
    }
    query = """SELECT e.seq, e.question_version, e.codebook, c.name, s.document, s.trajectory = e.trajectory FROM label_events e
               LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice LEFT JOIN shown s ON s.hash = e.shown
               WHERE e.phase = 'blind'"""
    for seq, version, codebook, choice, document, same_trajectory in rows_of(store, query):
        where = f"label event {seq}"
        if choice is not None and choice not in declared.get(version, ()):
            yield Finding("declared choices", where, f"its choice {choice!r} was not among those that its annotator saw")
        seen = json.loads(document)["questions"] if document else []
        if not same_trajectory or {"version": version, "codebook": codebook} not in seen:
            yield Finding("what was shown", where, "it does not point at what its annotator was shown")


def _batches(store: Store) -> Iterator[Finding]:
    query = """SELECT b.name, b.recipe, b.frame, b.overlap, count(i.number), min(i.number), max(i.number),
                      min(i.inclusion), max(i.inclusion)
               FROM batches b LEFT JOIN batch_items i ON i.batch = b.code GROUP BY b.code"""
    for name, recipe_text, frame_text, overlap, items, first, last, least, most in rows_of(store, query):
        recipe: dict[str, Any] = json.loads(recipe_text)
        frame: dict[str, Any] = json.loads(frame_text)
        where = f"batch {name!r}"
        if items != recipe["n"] or (first, last) != (1, items) or overlap != recipe["overlap"]:
            yield Finding("batch recipe", where, f"its recipe asked for {recipe['n']} items, and it holds {items}")
        elif {least, most} != {recipe["n"] / frame["items"]}:
            yield Finding("inclusion probabilities", where, "they are not those of its recipe and frame")


def _gold(store: Store) -> Iterator[Finding]:
    for code, name, hash, manifest_text in rows_of(store, "SELECT code, name, hash, manifest FROM gold_sets"):
        where = f"gold set {name!r}"
        manifest = json.loads(manifest_text)
        if set_hash(manifest) != hash:
            yield Finding("gold hash", where, "its manifest is not the one that was frozen")
        rows = rows_of(
            store,
            f"""SELECT i.document, t.content_hash, t.id, q.id FROM gold_items i JOIN trajectories t ON t.n = i.trajectory
                JOIN questions q ON q.code = i.question WHERE i.gold_set = {int(code)} ORDER BY t.id, q.id""",
        )
        if rows_hash([row[0] for row in rows]) != manifest["rows_hash"]:
            yield Finding("gold hash", where, "its rows are not those that were frozen")
        for document, content, id, question in rows:
            row = json.loads(document)
            if (row["content_hash"], row["id"], row["question"]) != (content, id, question):
                yield Finding("gold rows", f"{where}, {id!r}", "the row is about another trajectory than it says")
