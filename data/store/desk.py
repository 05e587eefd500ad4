"""What an annotator's desk does to the database: take answers in, undo, keep drafts.

Everything here takes and gives opaque references; who holds which item is decided in `leases.py`.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from data.answering import NOTHING, Answer, problem
from data.errors import DeskRefused
from data.hashing import canonical_json
from data.questions import question_from_document
from data.store.chosen import CHOSEN_NAMES, chosen_bits
from data.store.events import EventLog, NewEvent
from data.store.exposures import was_shown_answers
from data.store.leases import LEASE_SECONDS, Desk, claim_ahead, give_back, has_access, hold_place, renew
from data.store.store import Store, now
from data.store.versions import AskedQuestion, choice_codes, pin_of_shown, pin_shown, shown_document


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that an annotator did, as a browser sent it, with its values already checked for their types."""

    seq: int
    kind: str
    """`submit`, `skip`, `flag` or `undo`."""
    ref: str
    item_hash: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """By question. For a skip, what was written beside the answers."""
    reason: str | None = None
    active_seconds: float | None = None
    pin: str | None = None
    """What the page around the item showed (see `pin_of`), where the browser says so."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not taken, and why."""

    seq: int
    why: str


def take(desk: Desk, outbox: str, acts: list[Act]) -> tuple[int, list[Refusal]]:
    """Writes all acts that are not there yet, in one transaction, or none of them.

    Returns the highest sequence number that is durable, and the refused acts. Renews the leases
    and claims ahead, also where `acts` is empty. Raises DeskRefused where the annotator's access has ended.
    """
    store = desk.store
    try:
        with store.write():
            if not has_access(desk):
                raise DeskRefused("Your access has ended.", "Found that it was revoked.", "Ask for a fresh sign-in link.")
            there = _received(store, outbox, min(act.seq for act in acts)) if acts else {}
            renew(desk)
            refused = []
            for act in acts:
                said = _said(desk, act)
                if act.seq in there:
                    # The browser copies an outbox with a tab: one number may come with two answers.
                    problem = "" if there[act.seq] == said else _ANSWERED
                else:
                    problem = _take_one(desk, outbox, act)
                    there[act.seq] = said
                if problem:
                    refused.append(Refusal(act.seq, problem))
            if refused:
                raise _Refused
            claim_ahead(desk)
            return _highest(desk, outbox), []
    except _Refused:
        with store.write():
            claim_ahead(desk)
        return _highest(desk, outbox), refused


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


def _received(store: Store, outbox: str, least: int) -> dict[int, tuple[Any, ...]]:
    """Sequence number, from `least` on, to what the act said, as `_said` has it."""
    rows = store.conn.execute(
        f"""SELECT e.outbox_seq, e.annotator, a.ref, e.action, e.reason, q.id, c.name, {CHOSEN_NAMES},
                   e.score, e.evidence, e.rationale
            FROM label_events e JOIN assignments a ON a.id = e.assignment JOIN questions q ON q.code = e.question
            LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice WHERE e.outbox = ? AND e.outbox_seq >= ?""",
        [outbox, least],
    )
    there: dict[int, tuple[Any, ...]] = {}
    for seq, annotator, ref, action, reason, question, choice, choices, score, evidence, rationale in rows:
        if action in ("label", "unsure"):
            names = None if choices is None else frozenset(json.loads(choices))
            row = (question, choice, names, score, evidence, rationale)
            there[seq] = (annotator, ref, "submit", there[seq][3] | {row} if seq in there else frozenset([row]))
        else:
            there[seq] = (annotator, ref, action, reason)
    return there


def _said(desk: Desk, act: Act) -> tuple[Any, ...]:
    """What tells an act from another one with the same sequence number."""
    if act.kind != "submit":
        return (desk.annotator, act.ref, act.kind, act.reason or None if act.kind != "undo" else None)
    rows = (
        (
            question, answer.choice, None if answer.choices is None else frozenset(answer.choices), answer.score,
            canonical_json(list(answer.evidence)), answer.rationale or None,
        )
        for question, answer in act.answers.items()
    )  # fmt: skip
    return (desk.annotator, act.ref, "submit", frozenset(rows))


def _highest(desk: Desk, outbox: str) -> int:
    """The last act of this annotator that came by `outbox`."""
    row = desk.store.conn.execute(
        "SELECT outbox_seq FROM label_events WHERE outbox = ? AND annotator = ? ORDER BY outbox_seq DESC LIMIT 1",
        [outbox, desk.annotator],
    ).fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class _Held:
    """An assignment, and what its annotator was asked about it."""

    id: int
    batch: int
    number: int
    trajectory: int
    state: str
    shown: str
    outcome: int | None
    closed: bool
    """Whether its batch is."""
    phase: str
    """Of what she says of it: figures rest on `blind` alone."""
    asked: list[AskedQuestion]


def _take_one(desk: Desk, outbox: str, act: Act) -> str:
    """Writes the events of one act; otherwise says why not."""
    store = desk.store
    row = store.conn.execute(
        """SELECT a.id, a.batch, a.number, a.trajectory, a.state, a.shown, a.outcome, b.state = 'closed',
                  CASE b.kind WHEN 'estimate' THEN 'blind' ELSE b.kind END, s.document
           FROM assignments a JOIN batches b ON b.code = a.batch JOIN shown s ON s.hash = a.shown
           WHERE a.ref = ? AND a.annotator = ?""",
        [act.ref, desk.annotator],
    ).fetchone()
    if row is None:
        return "This item is not yours."
    id, batch, number, trajectory, state, hash, outcome, closed, phase, document = row
    shown = json.loads(document)
    held = _Held(id, batch, number, trajectory, state, hash, outcome, bool(closed), phase, _asked_then(desk, shown))
    if held.closed and act.kind == "undo":
        return "This batch is closed: what was answered stays."
    if was_shown_answers(store, desk.annotator, trajectory):
        return "You have since been shown answers to this item: it is no longer yours to label."
    # To take an answer back nobody needs to see the item, so an undo names no version of it.
    if act.kind != "undo" and held.shown != act.item_hash:
        return "What is shown of this item has changed: please read it again."
    if act.kind == "submit" and act.pin not in (None, pin_of_shown(shown)):
        return "The codebook or the question has changed: please read the item again."
    if not held.asked:
        return "Another question is asked now: please read it again."
    if act.kind == "undo":
        return _undo(desk, outbox, act, held)
    if held.state == "finished":
        return _ANSWERED
    (steps,) = store.conn.execute("SELECT step_count FROM trajectories WHERE n = ?", [held.trajectory]).fetchone()
    if any(not 0 <= step < steps for answer in act.answers.values() for step in answer.evidence):
        return "The evidence names a step that does not exist."
    return _answer(desk, outbox, act, held)


def _answer(desk: Desk, outbox: str, act: Act, held: _Held) -> str:
    """Writes a submit, a skip or a flag."""
    store = desk.store
    if act.kind == "submit":
        then = [asked.question for asked in held.asked]
        # What was lost since cannot be answered any more; the rule for evidence is the one that was shown.
        today = [replace(asked.question, evidence=shown.evidence) for asked, shown in zip(desk.asked, then, strict=True)]
        why = problem(then, act.answers) or (problem(today, act.answers) if today != then else "")
        if why:
            return why
    events = [_event(desk, outbox, act, held, asked) for asked in held.asked if _is_about(act, asked)]
    for event in events[1:]:
        event.active_seconds = None  # the time is that of the item, and must not count twice
    if act.kind == "flag":
        EventLog(store).append(events[0])
        return ""
    # An answer to a closed batch was under way when it closed, or nobody can tell: kept, and never counted.
    holds = not held.closed and hold_place(store, held.id, held.batch, held.number)
    log, last = EventLog(store), 0
    for event in events:
        event.surplus = held.closed or (not holds and act.kind != "skip")
        last = log.append(event)
    store.conn.execute("UPDATE assignments SET state = 'finished', outcome = ? WHERE id = ?", [last, held.id])
    store.conn.execute("DELETE FROM drafts WHERE assignment = ?", [held.id])
    if act.kind == "skip":
        # A skip is no label: somebody else may have the place.
        give_back(store, held.id)
    return ""


def _is_about(act: Act, asked: AskedQuestion) -> bool:
    """A skip leaves every question unanswered; what is submitted answers those that were asked."""
    return act.kind != "submit" or asked.question.id in act.answers


def _event(desk: Desk, outbox: str, act: Act, held: _Held, asked: AskedQuestion) -> NewEvent:
    """What `act` says to one question."""
    answer = act.answers.get(asked.question.id, NOTHING)
    event = NewEvent(
        annotator=desk.annotator, trajectory=held.trajectory, question=asked.code,
        phase=held.phase, action=act.kind,
        batch=held.batch, assignment=held.id, evidence=list(answer.evidence), rationale=answer.rationale or None,
        reason=act.reason or None, confidence=answer.confidence, question_version=asked.version,
        codebook=asked.codebook, shown=held.shown, active_seconds=act.active_seconds, outbox=outbox, outbox_seq=act.seq,
    )  # fmt: skip
    if act.kind == "submit":
        event.action = "unsure" if answer.unsure else "label"
        codes = choice_codes(desk.store, asked.code)
        event.choice = None if answer.choice is None else codes[answer.choice]
        event.chosen = None if answer.choices is None else chosen_bits(codes, answer.choices)
        event.score = answer.score
    return event


def _asked_then(desk: Desk, document: dict[str, Any]) -> list[AskedQuestion]:
    """The questions as they stood in what was shown; empty where the desk asks others now."""
    seen = document["questions"]
    if [(asked.version, asked.codebook) for asked in desk.asked] == [(each["version"], each["codebook"]) for each in seen]:
        return desk.asked
    then = []
    for each in seen:
        row = desk.store.conn.execute(
            """SELECT v.question, v.document, c.page, c.version FROM question_versions v
               JOIN codebooks c ON c.question = v.question AND c.hash = ? WHERE v.hash = ?""",
            [each["codebook"], each["version"]],
        ).fetchone()
        if row is None:  # a label from another study brings the versions of its own question alone
            return []
        code, text, page, version = row
        question = question_from_document(json.loads(text))
        then.append(AskedQuestion(code, question, each["version"], each["codebook"], version, page))
    return then if [asked.code for asked in then] == [asked.code for asked in desk.asked] else []


def _undo(desk: Desk, outbox: str, act: Act, held: _Held) -> str:
    """Takes the last answers to an item back; the item is hers again, with those answers as a draft."""
    store = desk.store
    if held.state != "finished" or held.outcome is None:
        return "There is nothing to undo on this item."
    rows = store.conn.execute(_OUTCOME, [held.outcome, held.id]).fetchall()
    log = EventLog(store)
    for asked in held.asked:
        surplus = next((row[-1] for row in rows if row[0] == asked.question.id), None)
        if surplus is not None:
            event = _event(desk, outbox, Act(act.seq, "undo", act.ref, act.item_hash), held, asked)
            event.surplus, event.active_seconds = bool(surplus), act.active_seconds
            log.append(event)
    if not hold_place(store, held.id, held.batch, held.number):
        # A skipped or surplus item whose places are all taken: hers again would be one person too many.
        return "This answer cannot be taken back any more."
    store.conn.execute(
        "UPDATE assignments SET state = 'leased', outcome = NULL, leased_until = ? WHERE id = ?",
        [time.time() + LEASE_SECONDS, held.id],
    )
    store.conn.execute(
        "INSERT INTO drafts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document, saved_at = excluded.saved_at",
        [held.id, canonical_json(_draft_of(rows)), now()],
    )
    return ""


_OUTCOME = f"""
SELECT q.id, e.action, c.name, {CHOSEN_NAMES}, e.score, e.evidence, e.rationale, e.confidence, e.reason, e.active_seconds, e.surplus
FROM label_events o JOIN label_events e ON e.assignment = o.assignment AND e.outbox IS o.outbox AND e.outbox_seq IS o.outbox_seq
JOIN questions q ON q.code = e.question LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
WHERE o.seq = ? AND o.assignment = ? ORDER BY e.seq
"""
"""All events of the act that finished an assignment; labels that joined from another study have no outbox."""


def _draft_of(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """What was submitted or skipped, as a draft (see `_draft_in` of the wire)."""
    answers, skip, active = {}, None, 0
    for id, action, choice, choices, score, evidence, rationale, confidence, reason, seconds, _ in rows:
        answers[id] = {
            "choice": choice, "choices": None if choices is None else json.loads(choices), "score": score,
            "unsure": action == "unsure", "evidence": json.loads(evidence), "rationale": rationale or "", "confidence": confidence,
        }  # fmt: skip
        skip = (reason or "") if action == "skip" else None
        active = max(active, round(1000 * (seconds or 0)))
    return {"answers": answers, "skip": skip, "active_ms": active}
