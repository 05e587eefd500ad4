"""Labels of another study's database: what it holds, and how they join this one.

A label joins as what it was. Where both databases hold the same batch (its name, seed, recipe and
items), it joins that batch, still blind, with the wording and the codebook page that its annotator saw.
Elsewhere nobody can say how its item was drawn: it joins as an imported label. So does one of somebody who
was shown answers to the item here: of two machines nobody can say which came first.
"""

import json
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from data.errors import ImportRefused
from data.formats.bad_lines import BadLines
from data.formats.fields import shown
from data.hashing import canonical_json, tagged_hash
from data.questions import Question
from data.store.chosen import chosen_bits
from data.store.events import EventLog, NewEvent
from data.store.exposures import was_shown_answers
from data.store.incoming import Counts, ensure_imported_annotator
from data.store.leases import hold_place
from data.store.store import Store, now
from data.store.versions import choice_codes

_LABELS = """
SELECT t.id, t.content_hash, a.handle, q.id AS question, e.phase, e.action, c.name AS choice, e.chosen, e.score, e.question AS code,
       e.evidence, e.rationale, e.confidence, e.active_seconds, e.at, b.name AS batch, e.question_version, v.document AS wording,
       e.codebook, p.page, s.document AS shown
FROM (SELECT max(seq) AS last FROM label_events WHERE phase IN ('blind', 'imported') AND surplus = 0 AND action <> 'flag'
      GROUP BY question, phase, annotator, trajectory) latest
JOIN label_events e ON e.seq = latest.last JOIN trajectories t ON t.n = e.trajectory
JOIN questions q ON q.code = e.question JOIN annotators a ON a.code = e.annotator
LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice LEFT JOIN batches b ON b.code = e.batch
LEFT JOIN question_versions v ON v.hash = e.question_version
LEFT JOIN codebooks p ON p.question = e.question AND p.hash = e.codebook LEFT JOIN shown s ON s.hash = e.shown
WHERE e.action IN ('label', 'unsure') ORDER BY e.seq
"""


@dataclass(frozen=True, slots=True)
class TheirLabel:
    """A current label of the other database, with everything that it points at."""

    id: str
    content_hash: str
    handle: str
    question: str
    phase: str
    action: str
    choice: str | None
    choices: tuple[str, ...] | None
    score: float | None
    evidence: list[int]
    rationale: str | None
    confidence: int | None
    active_seconds: float | None
    at: str
    batch: str | None
    question_version: str | None
    wording: str | None
    codebook: str | None
    page: str | None
    shown: str | None

    @property
    def place(self) -> str:
        return f"the label of {shown(self.handle)} on trajectory {shown(self.id)} ({self.question})"

    @property
    def kind(self) -> str:
        """As `Question.answered_by` has it; means nothing for an unsure."""
        return "score" if self.score is not None else "choice" if self.choices is None else "choices"

    @property
    def answer(self) -> Any:
        return self.choice or self.choices if self.score is None else self.score


def their_labels(other: Store) -> Iterator[TheirLabel]:
    """Every current label of `other`, in the order in which they were given."""
    names: dict[int, dict[int, str]] = {}
    for row in other.conn.execute(_LABELS):
        id, content, handle, question, phase, action, choice, bits, score, code, evidence, *rest = row
        if bits is not None and code not in names:
            names[code] = {known: name for name, known in choice_codes(other, code).items()}
        chosen = None if bits is None else tuple(name for known, name in names[code].items() if bits >> known & 1)
        yield TheirLabel(id, content, handle, question, phase, action, choice, chosen, score, json.loads(evidence or "[]"), *rest)


def batches_in_common(store: Store, other: Store) -> dict[str, int]:
    """Batches that both databases hold: name to the code here."""
    theirs = {name: _batch_identity(other, code, name) for code, name in other.conn.execute("SELECT code, name FROM batches")}
    mine = store.conn.execute("SELECT code, name FROM batches").fetchall()
    return {name: code for code, name in mine if name in theirs and theirs[name] == _batch_identity(store, code, name)}


def _batch_identity(store: Store, code: int, name: str) -> tuple[Any, ...]:
    row = store.conn.execute("SELECT seed, recipe, frame FROM batches WHERE code = ?", [code]).fetchone()
    items = store.conn.execute(
        "SELECT i.number, t.id, t.content_hash FROM batch_items i JOIN trajectories t ON t.n = i.trajectory WHERE i.batch = ? "
        "ORDER BY i.number",
        [code],
    ).fetchall()
    return (name, row[0], row[1], items)


class Joining:
    """Writes labels of another database, within one write transaction."""

    def __init__(self, store: Store, declared: Iterable[Question], batches: dict[str, int], import_id: int) -> None:
        """`declared`: the questions of study.toml; `batches`: those in common, by name."""
        self.store = store
        self.declared = {question.id: question for question in declared}
        self.batches = batches
        self.import_id = import_id
        self.log = EventLog(store)
        self.questions: dict[str, int] = dict(store.conn.execute("SELECT id, code FROM questions").fetchall())
        self.choices = {id: choice_codes(store, code) for id, code in self.questions.items()}
        self.counts = Counts()

    def add(self, label: TheirLabel) -> None:
        """Adds what is new. Raises ImportRefused for what contradicts; then nothing of it was written."""
        row = self.store.conn.execute("SELECT n, content_hash, metadata FROM trajectories WHERE id = ?", [label.id]).fetchone()
        if row is None:
            raise ImportRefused(
                f"{label.place}: the trajectory is not in this study.",
                f"Found content {label.content_hash[:12]}.",
                "Import the file that it came from first, or leave such labels out with --skip-bad.",
            )
        trajectory, content, metadata = row
        if content != label.content_hash:
            raise ImportRefused(
                f"{label.place}: the trajectory of that id has other content here.",
                f"Found content {label.content_hash[:12]}; here it is {content[:12]}.",
                "Labels join only where both studies hold the same run.",
            )
        _check_shown(label, json.loads(metadata))
        code = self._question(label)
        batch = self.batches.get(label.batch or "") if label.phase == "blind" else None
        # Who is not here yet is only made with her first label: an erased name must not come back without one.
        row = self.store.conn.execute("SELECT code FROM annotators WHERE handle = ?", [label.handle]).fetchone()
        annotator = 0 if row is None else int(row[0])
        there = batch is not None and self._is_there(label, annotator, trajectory, code, "blind")
        if not there and (batch is None or was_shown_answers(self.store, annotator, trajectory)):
            batch, there = None, self._is_there(label, annotator, trajectory, code, "imported")
        if there or self._is_there_erased(label, annotator, trajectory, code):
            self.counts.known_labels += 1
            return
        annotator = annotator or ensure_imported_annotator(self.store, label.handle)
        self._write(label, annotator, trajectory, code, batch)
        self.counts.labels += 1

    def _question(self, label: TheirLabel) -> int:
        """The question's code. Labels are never taken back, so one that study.toml does not allow must not come in."""
        question, lacks = self.declared.get(label.question), ""
        named = label.choices if label.choices is not None else () if label.choice is None else (label.choice,)
        if question is None:
            lacks = "."
        elif label.action == "label" and label.kind != question.answered_by:
            lacks = f" that is answered by `{label.kind}`."
        elif missing := [name for name in named if name not in question.choices]:
            lacks = f" with the choice {shown(missing[0])}."
        elif label.score is not None and not question.allows_score(label.score):
            lacks = f" whose range holds the score {label.score:g}."
        if lacks:
            raise ImportRefused(
                f"{label.place}: this study has no question {shown(label.question)}{lacks}",
                f"Here are: {', '.join(self.declared) or 'none'}.",
                "Declare in study.toml what the other study declares.",
            )
        return self.questions[label.question]

    def _is_there(self, label: TheirLabel, annotator: int, trajectory: int, question: int, phase: str) -> bool:
        row = self.store.conn.execute(
            """SELECT e.action, c.name, e.chosen, e.score FROM label_events e
               LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
               WHERE e.seq = (SELECT max(seq) FROM label_events WHERE question = ? AND phase = ? AND annotator = ?
                              AND trajectory = ? AND surplus = 0 AND action <> 'flag')""",
            [question, phase, annotator, trajectory],
        ).fetchone()
        if row is None or row[0] in ("undo", "skip"):
            return False
        bits = None if label.choices is None else chosen_bits(self.choices[label.question], label.choices)
        if tuple(row) != (label.action, label.choice, bits, label.score):
            raise ImportRefused(
                f"{label.place} is here already, and differs.",
                f"Found {shown(label.answer or label.action)}.",
                "If these are two people, name one anew with --map NAME=OTHER; if one, decide which label stands, "
                "and leave the others out with --skip-bad.",
            )
        return True

    def _is_there_erased(self, label: TheirLabel, annotator: int, trajectory: int, question: int) -> bool:
        """Whether it is the label of somebody who was erased in one of the two databases, and has two names now.

        Nobody gives two labels to one item in one millisecond.
        """
        if label.phase != "blind":
            return False
        row = self.store.conn.execute(
            """SELECT 1 FROM label_events INDEXED BY label_events_by_trajectory
               WHERE trajectory = ? AND phase = 'blind' AND question = ? AND at = ? AND action = ? AND annotator <> ?""",
            [trajectory, question, label.at, label.action, annotator],
        ).fetchone()
        return row is not None

    def _write(self, label: TheirLabel, annotator: int, trajectory: int, question: int, batch: int | None) -> None:
        shown_here = self._versions(label, question, trajectory)
        blind = batch is not None and shown_here is not None
        event = NewEvent(
            annotator=annotator, trajectory=trajectory, question=question, phase="blind" if blind else "imported",
            action=label.action, batch=batch if blind else None,
            choice=None if label.choice is None else self.choices[label.question][label.choice],
            chosen=None if label.choices is None else chosen_bits(self.choices[label.question], label.choices),
            score=label.score, evidence=label.evidence, rationale=label.rationale, confidence=label.confidence,
            question_version=label.question_version, codebook=label.codebook, shown=shown_here,
            active_seconds=label.active_seconds, import_id=self.import_id, at=label.at,
        )  # fmt: skip
        event.assignment = self._place(annotator, trajectory, batch, shown_here) if batch and shown_here else None
        seq = self.log.append(event)
        if event.assignment is not None:
            self.store.conn.execute("UPDATE assignments SET state = 'finished', outcome = ? WHERE id = ?", [seq, event.assignment])

    def _place(self, annotator: int, trajectory: int, batch: int, shown: str) -> int | None:
        """The assignment that a label from elsewhere fulfils here, so that nobody is asked for it again.

        None where all places of the item are taken: two people who both labelled the whole batch on two
        machines both count, though it asked for one label an item; this study gave it to one of them.
        """
        conn = self.store.conn
        (number,) = conn.execute(
            "SELECT number FROM batch_items WHERE batch = ? AND trajectory = ?", [batch, trajectory]
        ).fetchone()
        twin = conn.execute(
            """SELECT 1 FROM assignments a JOIN trajectories t ON t.n = a.trajectory WHERE a.annotator = ?1 AND a.state <> 'lapsed'
               AND t.n <> ?2 AND t.content_hash = (SELECT content_hash FROM trajectories WHERE n = ?2)""",
            [annotator, trajectory],
        ).fetchone()
        if twin:
            return None
        conn.execute("SAVEPOINT place")
        (id,) = conn.execute(
            """INSERT INTO assignments (ref, batch, number, trajectory, annotator, state, leased_at, leased_until, shown)
               VALUES (?, ?, ?, ?, ?, 'leased', ?, ?, ?)
               ON CONFLICT (annotator, trajectory, batch) DO UPDATE SET state = 'leased' RETURNING id""",
            [secrets.token_urlsafe(12), batch, number, trajectory, annotator, now(), time.time(), shown],
        ).fetchall()[0]
        if hold_place(self.store, id, batch, number):
            conn.execute("RELEASE place")
            conn.execute("DELETE FROM drafts WHERE assignment = ?", [id])
            return int(id)
        conn.execute("ROLLBACK TO place")
        conn.execute("RELEASE place")
        return None

    def _versions(self, label: TheirLabel, question: int, trajectory: int) -> str | None:
        """Records the wording, the page and the view that the label points at; the hash of what was shown."""
        conn = self.store.conn
        if label.wording is not None:
            conn.execute(
                "INSERT INTO question_versions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [label.question_version, question, label.wording, now()],
            )
        if label.page is not None:
            conn.execute(
                """INSERT INTO codebooks SELECT ?, ?, coalesce(max(version), 0) + 1, ?, ? FROM codebooks WHERE question = ?
                   ON CONFLICT DO NOTHING""",
                [label.codebook, question, label.page, now(), question],
            )
        if label.shown is None:
            return None
        hash = tagged_hash(f"shown:{trajectory}", label.shown)
        conn.execute("INSERT INTO shown VALUES (?, ?, ?) ON CONFLICT DO NOTHING", [hash, trajectory, label.shown])
        return hash


def _check_shown(label: TheirLabel, metadata: dict[str, Any]) -> None:
    """What an annotator was shown must be here, or nobody could say later what the label is about."""
    seen = json.loads(label.shown)["metadata"] if label.shown is not None else {}
    other = [field for field, value in seen.items() if field not in metadata or metadata[field] != value]
    if other:
        raise ImportRefused(
            f"{label.place} was given with metadata on view that is not here, or differs.",
            f"Found {shown(other[0])}: {shown(seen[other[0]])}.",
            "Import the file that brought it first, or leave such labels out with --skip-bad.",
        )


def copy_views(store: Store, other: Store) -> None:
    """What annotators could see there, for the labels that point at it."""
    for row in other.conn.execute("SELECT hash, document, recorded_at FROM views"):
        store.conn.execute("INSERT INTO views VALUES (?, ?, ?) ON CONFLICT DO NOTHING", list(row))


def own_labels_of(store: Store, handle: str) -> int:
    """How many labels `handle` gave here at the desk, and did not bring from elsewhere."""
    (count,) = store.conn.execute(
        """SELECT count(*) FROM label_events e JOIN annotators a ON a.code = e.annotator
           WHERE a.handle = ? AND e.phase = 'blind' AND e.import IS NULL""",
        [handle],
    ).fetchone()
    return int(count)


def join_labels(
    store: Store, declared: Iterable[Question], other: Store, labels: list[TheirLabel], bad: BadLines, source: tuple[str, str, Any]
) -> Counts:
    """Brings `labels` of `other` in, all of them or nothing.

    `declared`: the questions of study.toml, which are recorded; `source`: file name, its hash, the options of the import.
    """
    file, hash, options = source
    with store.write():
        store.conn.execute(
            """INSERT INTO imports (file, file_hash, options, format, started_at, finished_at) VALUES (?, ?, ?, 'study', ?, ?)
               ON CONFLICT DO NOTHING""",
            [file, hash, canonical_json(options), now(), now()],
        )
        (import_id,) = store.conn.execute(
            "SELECT id FROM imports WHERE file_hash = ? AND options = ?", [hash, canonical_json(options)]
        ).fetchone()
        copy_views(store, other)
        joining = Joining(store, declared, batches_in_common(store, other), import_id)
        for label in labels:
            with bad:
                joining.add(label)
    return joining.counts
