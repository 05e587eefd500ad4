"""What an annotator's desk does to the database: take answers in, undo, keep drafts.

Everything here takes and gives opaque references; who holds which item is decided in `leases.py`.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from data.errors import DeskRefused
from data.hashing import canonical_json
from data.questions import question_from_document
from data.store.events import EventLog, NewEvent
from data.store.leases import LEASE_SECONDS, Desk, claim_ahead, give_back, has_access, hold_place, renew
from data.store.store import Store, now
from data.store.versions import AskedQuestion, choice_codes, pin_of_shown, pin_shown, shown_document


@dataclass(frozen=True, slots=True)
class Answer:
    """One event from a browser, with its values already checked for their types."""

    seq: int
    kind: str
    """`label`, `unsure`, `skip`, `flag` or `undo`."""
    ref: str
    item_hash: str
    choice: str | None = None
    evidence: tuple[int, ...] = ()
    rationale: str | None = None
    reason: str | None = None
    confidence: int | None = None
    active_seconds: float | None = None
    pin: str | None = None
    """What the page around the item showed (see `pin_of`), where the browser says so."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not taken, and why."""

    seq: int
    why: str


def take(desk: Desk, outbox: str, answers: list[Answer]) -> tuple[int, list[Refusal]]:
    """Writes all events that are not there yet, in one transaction, or none of them.

    Returns the highest sequence number that is durable, and the refused events. Renews the leases
    and claims ahead, also where `answers` is empty. Raises DeskRefused where the annotator's access has ended.
    """
    store = desk.store
    try:
        with store.write():
            if not has_access(desk):
                raise DeskRefused("Your access has ended.", "Found that it was revoked.", "Ask for a fresh sign-in link.")
            there = _received(store, outbox)
            renew(desk)
            refused = []
            for answer in answers:
                said = _said(desk, answer)
                if answer.seq in there:
                    # The browser copies an outbox with a tab: one number may come with two answers.
                    problem = "" if there[answer.seq] == said else _ANSWERED
                else:
                    problem = _take_one(desk, outbox, answer)
                    there[answer.seq] = said
                if problem:
                    refused.append(Refusal(answer.seq, problem))
            if refused:
                raise _Refused
            claim_ahead(desk)
            return _highest(desk, there), []
    except _Refused:
        with store.write():
            claim_ahead(desk)
            there = _received(store, outbox)
        return _highest(desk, there), refused


_ANSWERED = "This item was already answered in another tab."


class _Refused(Exception):
    """Rolls the transaction back."""


def save_draft(desk: Desk, ref: str, item_hash: str, document: dict[str, Any]) -> None:
    """Keeps work in progress on an item that this annotator holds. Raises DeskRefused otherwise."""
    with desk.store.write():
        held = desk.store.conn.execute(
            "SELECT id FROM assignments WHERE ref = ? AND annotator = ? AND state = 'leased' AND shown = ?",
            [ref, desk.annotator, item_hash],
        ).fetchone()
        if held is None:
            raise DeskRefused("That item is not yours to work on.", "Found no such lease.", "Go on with the next item.")
        desk.store.conn.execute(
            """INSERT INTO drafts VALUES (?, ?, ?)
               ON CONFLICT DO UPDATE SET document = excluded.document, saved_at = excluded.saved_at""",
            [held[0], canonical_json(document), now()],
        )


def refresh_shown(desk: Desk, ref: str) -> str | None:
    """Pins what this desk shows of an item that the annotator holds now; None where she does not hold it.

    Study and codebook may have changed since the item was claimed.
    """
    row = desk.store.conn.execute(
        "SELECT id, trajectory, shown FROM assignments WHERE ref = ? AND annotator = ? AND state = 'leased'", [ref, desk.annotator]
    ).fetchone()
    if row is None:
        return None
    id, trajectory, pinned = row
    content, metadata, before = desk.store.conn.execute(
        "SELECT t.content_hash, t.metadata, s.document FROM trajectories t JOIN shown s ON s.trajectory = t.n WHERE s.hash = ?",
        [pinned],
    ).fetchone()
    versions = [(q.version, q.codebook) for q in desk.asked]
    if canonical_json(shown_document(content, metadata, versions, desk.view)) == before:
        return str(pinned)
    with desk.store.write():
        fresh = pin_shown(desk.store, trajectory, desk.asked, desk.view)
        # Another tab may have answered it since: then what that answer points at stays.
        still = desk.store.conn.execute("UPDATE assignments SET shown = ? WHERE id = ? AND state = 'leased'", [fresh, id])
    return fresh if still.rowcount else None


def _received(store: Store, outbox: str) -> dict[int, tuple[Any, ...]]:
    """Sequence number to what the event said, as `_said` has it."""
    rows = store.conn.execute(
        """SELECT e.outbox_seq, e.annotator, a.ref, e.action, c.name, e.evidence, e.rationale, e.reason FROM label_events e
           JOIN assignments a ON a.id = e.assignment LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
           WHERE e.outbox = ?""",
        [outbox],
    )
    return {seq: tuple(said) for seq, *said in rows}


def _highest(desk: Desk, there: dict[int, tuple[Any, ...]]) -> int:
    return max((seq for seq, said in there.items() if said[0] == desk.annotator), default=0)


def _said(desk: Desk, answer: Answer) -> tuple[Any, ...]:
    """What tells an answer from another one with the same sequence number."""
    if answer.kind == "undo":
        return (desk.annotator, answer.ref, "undo", None, "[]", None, None)
    choice = answer.choice if answer.kind == "label" else None
    evidence = canonical_json(list(answer.evidence))
    return (desk.annotator, answer.ref, answer.kind, choice, evidence, answer.rationale or None, answer.reason or None)


def _take_one(desk: Desk, outbox: str, answer: Answer) -> str:
    """Writes one event; otherwise says why not."""
    store = desk.store
    row = store.conn.execute(
        "SELECT id, batch, number, trajectory, state, shown, outcome FROM assignments WHERE ref = ? AND annotator = ?",
        [answer.ref, desk.annotator],
    ).fetchone()
    if row is None:
        return "This item is not yours."
    id, batch, number, trajectory, state, shown, outcome = row
    (batch_state,) = store.conn.execute("SELECT state FROM batches WHERE code = ?", [batch]).fetchone()
    if batch_state == "closed" and answer.kind == "undo":
        return "This batch is closed: what was answered stays."
    # To take an answer back nobody needs to see the item, so an undo names no version of it.
    if answer.kind != "undo" and shown != answer.item_hash:
        return "What is shown of this item has changed: please read it again."
    document = json.loads(store.conn.execute("SELECT document FROM shown WHERE hash = ?", [shown]).fetchone()[0])
    if answer.kind in ("label", "unsure") and answer.pin not in (None, pin_of_shown(document)):
        return "The codebook or the question has changed: please read the item again."
    question = _asked_then(desk, document)
    if question is None:
        return "Another question is asked now: please read it again."
    event = NewEvent(
        annotator=desk.annotator, trajectory=trajectory, question=question.code, phase="blind", action=answer.kind,
        batch=batch, assignment=id, evidence=list(answer.evidence), rationale=answer.rationale or None,
        reason=answer.reason or None, confidence=answer.confidence, question_version=question.version,
        codebook=question.codebook, shown=shown, active_seconds=answer.active_seconds, outbox=outbox, outbox_seq=answer.seq,
    )  # fmt: skip
    if answer.kind == "undo":
        return _undo(desk, event, id, batch, number, state, outcome)
    if state == "finished":
        return _ANSWERED
    (steps,) = store.conn.execute("SELECT step_count FROM trajectories WHERE n = ?", [trajectory]).fetchone()
    if any(not 0 <= step < steps for step in answer.evidence):
        return "The evidence names a step that does not exist."
    if answer.kind == "flag":
        EventLog(store).append(event)
        return ""
    if answer.kind == "label":
        event.choice = choice_codes(store, question.code).get(answer.choice or "")
        if event.choice is None or any(answer.choice not in q.question.choices for q in (question, desk.asked[0])):
            return "That is not one of the choices."
    problem = evidence_problem(question, answer)
    if problem:
        return problem
    # An answer to a closed batch was under way when it closed, or nobody can tell: kept, and never counted.
    closed = batch_state == "closed"
    holds = not closed and hold_place(store, id, batch, number)
    event.surplus = closed or (not holds and answer.kind != "skip")
    seq = EventLog(store).append(event)
    store.conn.execute("UPDATE assignments SET state = 'finished', outcome = ? WHERE id = ?", [seq, id])
    store.conn.execute("DELETE FROM drafts WHERE assignment = ?", [id])
    if answer.kind == "skip":
        # A skip is no label: somebody else may have the place.
        give_back(store, id)
    return ""


def _asked_then(desk: Desk, document: dict[str, Any]) -> AskedQuestion | None:
    """The question as it stood in what was shown; None where the desk asks another one now."""
    now_asked = desk.asked[0]
    seen = document["questions"][0]
    code, text, page, version = desk.store.conn.execute(
        """SELECT v.question, v.document, c.page, c.version FROM question_versions v
           JOIN codebooks c ON c.question = v.question AND c.hash = ? WHERE v.hash = ?""",
        [seen["codebook"], seen["version"]],
    ).fetchone()
    if code != now_asked.code:
        return None
    asked = question_from_document(json.loads(text))
    return AskedQuestion(code, asked, seen["version"], seen["codebook"], version, page)


def evidence_problem(question: AskedQuestion, answer: Answer) -> str:
    """Why the evidence does not do for this answer; empty where it does."""
    rule, count = question.question.evidence, len(answer.evidence)
    if rule == "none" and count:
        return "This question takes no evidence."
    if answer.kind != "label":
        return ""
    if rule == "any" and not count:
        return "Mark at least one step as evidence."
    if rule == "first" and (count > 1 or (answer.choice == question.question.positive and count != 1)):
        return "Mark exactly one step: the first failing one."
    return ""


def _undo(desk: Desk, event: NewEvent, id: int, batch: int, number: int, state: str, outcome: int | None) -> str:
    """Takes the last answer to an item back; the item is hers again, with that answer as a draft."""
    store = desk.store
    if state != "finished" or outcome is None:
        return "There is nothing to undo on this item."
    row = store.conn.execute(
        """SELECT e.action, c.name, e.evidence, e.rationale, e.confidence, e.reason, e.surplus, e.active_seconds FROM label_events e
           LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice WHERE e.seq = ?""",
        [outcome],
    ).fetchone()
    action, choice, evidence, rationale, confidence, reason, surplus, active = row
    event.surplus, event.evidence, event.rationale, event.reason, event.confidence = bool(surplus), [], None, None, None
    EventLog(store).append(event)
    draft = {
        "action": action, "choice": choice, "evidence": json.loads(evidence), "rationale": rationale or "",
        "confidence": confidence, "reason": reason or "", "active_ms": round(1000 * (active or 0)),
    }  # fmt: skip
    if not hold_place(store, id, batch, number):
        # A skipped or surplus item whose places are all taken: hers again would be one person too many.
        return "This answer cannot be taken back any more."
    store.conn.execute(
        "UPDATE assignments SET state = 'leased', outcome = NULL, leased_until = ? WHERE id = ?", [time.time() + LEASE_SECONDS, id]
    )
    store.conn.execute(
        "INSERT INTO drafts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document, saved_at = excluded.saved_at",
        [id, canonical_json(draft), now()],
    )
    return ""
