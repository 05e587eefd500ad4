"""Is this study what it says it is? Every hash derived again, every rule of the store checked on its rows.

The database refuses most of this by itself. Verify looks at the rows as somebody else would: it finds
what got past the triggers, and a row or a page that cannot even be read is a finding like any other.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from data.codebook import page_version
from data.errors import StoreError
from data.gold import rows_hash, set_hash
from data.hashing import canonical_json, content_hash, document_hash, tagged_hash
from data.questions import Question, question_from_document
from data.splits import SplitDraw
from data.store import Store
from data.store.adjudication import CHAINED as DECISION_CHAINED
from data.store.causes import CAUSE_CHAINED
from data.store.chain import GENESIS, chain_hash
from data.store.checks import RULES, rows_of, schema_differences
from data.store.chosen import CHOSEN_NAMES
from data.store.draws import frames_again
from data.store.erasure import ERASURE_CHAINED
from data.store.events import CHAINED, text_hash
from data.store.incoming import VERDICT_CHAINED, fields_hash
from data.store.prompts import Example, prompt_hash
from data.store.test_looks import LOOK_CHAINED

Problem = tuple[str, str]
"""Where, and what is wrong there."""
Check = Callable[[Store], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is broken."""

    rule: str
    """A short name for what should hold, such as `content hash` or `splits`."""
    where: str
    """The table and the row."""
    problem: str


def verify(store: Store) -> list[Finding]:
    """Everything that is broken; an empty list where nothing is. Labelling may go on meanwhile."""
    findings: list[Finding] = []
    with store.reading():
        for rule, check in CHECKS.items():
            try:
                findings += [Finding(rule, where, problem) for where, problem in check(store)]
            except StoreError as error:
                findings.append(Finding("database", f"the check of {rule!r}", f"the database cannot answer it. {error.found}"))
            except _UNREADABLE as error:
                findings.append(Finding(rule, "study.db", f"it holds something that cannot be read: {error!r}"))
    return findings


# What a value raises that is not of the form in which it was written.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)


def _query(query: str) -> Check:
    """The check that a query makes by itself: it finds (where, problem)."""
    return lambda store: ((str(where), str(problem)) for where, problem in rows_of(store, query))


def _each(what: str, query: str, judge: Callable[..., str]) -> Check:
    """Judges every row of `query`, whose first column says which; `judge` returns the problem, or nothing."""

    def check(store: Store) -> Iterator[Problem]:
        for key, *row in rows_of(store, query):
            try:
                problem = judge(*row)
            except _UNREADABLE as error:
                problem = f"it cannot be read: {error!r}"
            if problem:
                yield what.format(key), problem

    return check


def _content(task: str | None, steps: str, count: int, hash: str) -> str:
    listed = json.loads(steps)
    if content_hash(task, canonical_json(listed)) != hash:
        return "task or steps are not those that were imported"
    return "" if len(listed) == count else f"it has {len(listed)} steps, and {count} were counted"


def _split(group: str, split: str, salt: str | None, rules: str | None) -> str:
    drawn = _draw(salt or "", rules or '{"dev":0,"train":0}').of(group)
    return "" if drawn == split else f"its group {group[:40]!r} was drawn into {drawn}, and it lies in {split}"


@lru_cache
def _draw(salt: str, rules: str) -> SplitDraw:
    shares = json.loads(rules)
    return SplitDraw(salt, shares["train"], shares["dev"])


def _question(hash: str, document: str) -> str:
    same = document_hash("question", json.loads(document)) == hash
    return "" if same else "its wording or choices are not those that were recorded"


def _codebook(hash: str, page: str) -> str:
    return "" if page_version(page) == hash else "the page is not the one that was recorded"


def _view(hash: str, document: str) -> str:
    same = document_hash("view", json.loads(document)) == hash
    return "" if same else "what annotators may see is not what was recorded"


def _shown(hash: str, trajectory: int, document: str, content: str, metadata: str, known_view: int | None) -> str:
    parts = json.loads(document)
    if tagged_hash(f"shown:{trajectory}", document) != hash:
        return "what was shown is not what was recorded"
    if parts["content"] != content or not known_view:
        return "it points at another content or view than the database holds"
    held = json.loads(metadata)
    changed = [field for field, value in parts["metadata"].items() if field not in held or held[field] != value]
    return f"it was shown with another {changed[0]!r} than the database holds" if changed else ""


def _run(name: str, kind: str, document: str, identity: str) -> str:
    says = json.loads(document)
    same = tagged_hash("judge", document) == identity and says["kind"] == kind and says.get("name", name) == name
    return "" if same else "its identity is not that of what it says it is"


def _prompt(question: str, body: str, examples: str, hash: str) -> str:
    same = prompt_hash(question, body, [Example(*each) for each in json.loads(examples)]) == hash
    return "" if same else "its hash is not that of its question, template and examples"


def _positions(steps: str, count: int) -> str:
    listed = json.loads(steps)
    inside = isinstance(listed, list) and all(0 <= step < count for step in listed)
    return "" if inside else f"it points beyond the {count} steps of its trajectory"


def _unbroken(tag: str, table: str, key: str, columns: tuple[str, ...], what: str) -> Check:
    """Walks a chained table: every row as it was written, none missing in between or at the end."""

    def check(store: Store) -> Iterator[Problem]:
        listed = ", ".join(f'"{column}"' for column in columns)
        last, expected = GENESIS, 0
        for number, chain, *values in rows_of(store, f"SELECT {key}, chain, {listed} FROM {table} ORDER BY {key}"):
            expected += 1
            if number != expected:
                yield f"{what} {expected}", f"{what}s {expected} to {number - 1} are missing"
                expected = number
            elif chain_hash(tag, last, tuple(values)) != chain:
                yield f"{what} {number}", "it, or the one before it, is not as it was written"
            last = chain
        for (written,) in rows_of(store, f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'"):
            if written > expected:
                yield f"{what} {expected + 1}", f"{what}s {expected + 1} to {written} are missing at the end"

    return check


def _text(rationale: str | None, reason: str | None, salt: str | None, hash: str, erased: int | None) -> str:
    if erased:
        gone = rationale is None and reason is None and salt is None
        return "" if gone else "its annotator was erased, and it still holds what they wrote"
    return "" if text_hash(rationale, reason, salt) == hash else "its rationale or reason is not as it was written"


def _fields(metadata: str, hidden: str, hash: str) -> str:
    return "" if fields_hash(metadata, hidden) == hash else "its metadata or hidden fields are not those that were imported"


def _declared(choice: str | None, chosen: str | None, score: float | None, document: str | None) -> str:
    seen = _question_in(document) if document else None
    names = [choice] if choice is not None else json.loads(chosen) if chosen is not None else []
    for name in names:
        if seen is None or name not in seen.choices:
            return f"its choice {name!r} was not among those that its annotator saw"
    if score is not None and (seen is None or not seen.allows_score(score)):
        return f"its score {score!r} was not in the range that its annotator saw"
    return ""


@lru_cache
def _question_in(document: str) -> Question:
    return question_from_document(json.loads(document))


def _seen(version: str, codebook: str, document: str | None, same_trajectory: int | None) -> str:
    seen = json.loads(document)["questions"] if document else []
    points = same_trajectory and {"version": version, "codebook": codebook} in seen
    return "" if points else "it does not point at what its annotator was shown"


def _recipe(recipe_text: str, overlap: int, items: int, first: int | None, last: int | None) -> str:
    recipe = json.loads(recipe_text)
    if items == recipe["n"] and (first, last) == (1, items) and overlap == recipe["overlap"]:
        return ""
    return f"its recipe asked for {recipe['n']} items with {recipe['overlap']} labels; it holds {items} with {overlap}"


def _inclusion(frame_text: str, stratum: str, least: float, most: float, items: int) -> str:
    frame: dict[str, Any] = json.loads(frame_text)
    (drawn,) = [each for each in frame["strata"] if each["name"] == stratum] or [None]
    if drawn is None:
        return f"its frame has no stratum {stratum!r}"
    same = {least, most} == {drawn["drawn"] / drawn["items"]} and items == drawn["drawn"]
    return "" if same else f"those of stratum {stratum!r} are not those of its frame"


def _gold_manifest(hash: str, manifest: str) -> str:
    return "" if set_hash(json.loads(manifest)) == hash else "its manifest is not the one that was frozen"


def _gold_rows(store: Store) -> Iterator[Problem]:
    for code, name, manifest in rows_of(store, "SELECT code, name, manifest FROM gold_sets"):
        documents = rows_of(
            store,
            f"""SELECT i.document FROM gold_items i JOIN trajectories t ON t.n = i.trajectory
                JOIN questions q ON q.code = i.question WHERE i.gold_set = {int(code)} ORDER BY t.id, q.id""",
        )
        try:
            frozen = json.loads(manifest)["rows_hash"]
        except _UNREADABLE:
            frozen = None
        if rows_hash([row[0] for row in documents]) != frozen:
            yield f"gold set {name!r}", "its rows are not those that were frozen"


def _gold_subject(document: str, content: str, id: str, question: str) -> str:
    row = json.loads(document)
    same = (row["content_hash"], row["id"], row["question"]) == (content, id, question)
    return "" if same else "the row is about another trajectory than it says"


CHECKS: dict[str, Check] = {
    "schema": lambda store: iter(schema_differences(store)),
    **{rule: _query(query) for rule, query in RULES.items()},
    "content hash": _each("trajectory {!r}", "SELECT id, task, steps, step_count, content_hash FROM trajectories", _content),
    "splits": _each(
        "trajectory {!r}",
        """SELECT id, group_name, split, (SELECT value FROM study WHERE key = 'salt'),
                  (SELECT value FROM study WHERE key = 'split') FROM trajectories""",
        _split,
    ),
    "question hash": _each("question version {:.12}", "SELECT hash, hash, document FROM question_versions", _question),
    "codebook hash": _each("codebook {:.12}", "SELECT hash, hash, page FROM codebooks", _codebook),
    "view hash": _each("view {:.12}", "SELECT hash, hash, document FROM views", _view),
    "shown hash": _each(
        "shown {:.12}",
        """SELECT s.hash, s.hash, s.trajectory, s.document, t.content_hash, t.metadata, CASE WHEN json_valid(s.document)
                  THEN EXISTS (SELECT 1 FROM views v WHERE v.hash = json_extract(s.document, '$.view')) END
           FROM shown s JOIN trajectories t ON t.n = s.trajectory""",
        _shown,
    ),
    "judge identity": _each("judge run {!r}", "SELECT name, name, kind, document, identity FROM judge_runs", _run),
    "prompt hash": _each(
        "prompt {:.12}",
        "SELECT p.hash, q.id, p.body, p.examples, p.hash FROM prompts p JOIN questions q ON q.code = p.question",
        _prompt,
    ),
    "step positions": _each(
        "{}",
        """SELECT 'verdict ' || v.id, v.cites, t.step_count FROM verdicts v
           JOIN trajectories t ON t.n = v.trajectory WHERE v.cites <> '[]'
           UNION ALL SELECT 'label event ' || e.seq, e.evidence, t.step_count FROM label_events e
           JOIN trajectories t ON t.n = e.trajectory WHERE e.evidence <> '[]'""",
        _positions,
    ),
    "label history": _unbroken("event", "label_events", "seq", CHAINED, "label event"),
    "erasure history": _unbroken("erasure", "erasures", "n", ERASURE_CHAINED, "erasure"),
    "label text": _each(
        "label event {}",
        """SELECT e.seq, e.rationale, e.reason, e.text_salt, e.text_hash, e.seq <= x.until
           FROM label_events e LEFT JOIN erasures x ON x.annotator = e.annotator""",
        _text,
    ),
    "verdict history": _unbroken("verdict", "verdicts", "id", VERDICT_CHAINED, "verdict"),
    "decision history": _unbroken("adjudication", "adjudications", "seq", DECISION_CHAINED, "decision"),
    "cause history": _unbroken("cause", "causes", "seq", CAUSE_CHAINED, "cause"),
    "cause text": _each(
        "cause {}",
        """SELECT d.seq, d.note, NULL, d.text_salt, d.text_hash, x.n FROM causes d LEFT JOIN erasures x ON x.annotator = d.lead""",
        _text,
    ),
    "test look history": _unbroken("look", "test_looks", "seq", LOOK_CHAINED, "test look"),
    "decision text": _each(
        "decision {}",
        """SELECT d.seq, d.rationale, NULL, d.text_salt, d.text_hash, x.n FROM adjudications d
           LEFT JOIN erasures x ON x.annotator = d.lead""",
        _text,
    ),
    "decided answers": _each(
        "decision {}",
        f"""SELECT e.seq, c.name, {CHOSEN_NAMES}, e.score, v.document FROM adjudications e
            LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
            LEFT JOIN question_versions v ON v.hash = e.question_version""",
        _declared,
    ),
    "fields hash": _each("trajectory {!r}", "SELECT id, metadata, hidden, fields_hash FROM trajectories", _fields),
    "declared answers": _each(
        "label event {}",
        f"""SELECT e.seq, c.name, {CHOSEN_NAMES}, e.score, v.document FROM label_events e
            LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
            LEFT JOIN question_versions v ON v.hash = e.question_version
            WHERE e.phase IN ('blind', 'retest', 'hunt') AND e.action = 'label'""",
        _declared,
    ),
    "what was shown": _each(
        "label event {}",
        """SELECT e.seq, e.question_version, e.codebook, s.document, s.trajectory = e.trajectory
           FROM label_events e LEFT JOIN shown s ON s.hash = e.shown WHERE e.phase IN ('blind', 'retest', 'hunt')""",
        _seen,
    ),
    "batch recipe": _each(
        "batch {!r}",
        """SELECT b.name, b.recipe, b.overlap, count(i.number), min(i.number), max(i.number)
           FROM batches b LEFT JOIN batch_items i ON i.batch = b.code GROUP BY b.code""",
        _recipe,
    ),
    "inclusion probabilities": _each(
        "batch {!r}",
        """SELECT b.name, b.frame, i.stratum, min(i.inclusion), max(i.inclusion), count(*)
           FROM batches b JOIN batch_items i ON i.batch = b.code GROUP BY b.code, i.stratum""",
        _inclusion,
    ),
    "frames": frames_again,
    "gold hash": _each("gold set {!r}", "SELECT name, hash, manifest FROM gold_sets", _gold_manifest),
    "gold rows hash": _gold_rows,
    "gold rows": _each(
        "gold row of {!r}",
        """SELECT t.id, i.document, t.content_hash, t.id, q.id FROM gold_items i
           JOIN trajectories t ON t.n = i.trajectory JOIN questions q ON q.code = i.question""",
        _gold_subject,
    ),
}
"""Rule to its check, in the order in which findings are listed."""
