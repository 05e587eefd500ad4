"""What an annotator's desk does to the database: claim items, take answers in, undo, keep drafts.

Leases are exact: a batch has `overlap` places per item, an assignment holds at most one of them, and
the schema lets no two assignments hold the same. A lapsed lease gives its place back when the next
person claims. Everything here takes and gives opaque references.
"""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from data.errors import DeskRefused
from data.hashing import canonical_json, tagged_hash
from data.questions import question_from_document
from data.store.events import EventLog, NewEvent
from data.store.store import Store, now
from data.store.versions import AskedQuestion, View, choice_codes, pin_shown, shown_document

LEASE_SECONDS = 15 * 60
HELD = 3
"""The item in work and two ahead."""
_PROBES = 48


@dataclass(frozen=True, slots=True)
class Desk:
    """One annotator at a desk that asks one set of questions."""

    store: Store
    annotator: int
    asked: list[AskedQuestion]
    view: View


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


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not taken, and why."""

    seq: int
    why: str


def take(desk: Desk, outbox: str, answers: list[Answer]) -> tuple[int, list[Refusal]]:
    """Writes all events that are not there yet, in one transaction, or none of them.

    Returns the highest sequence number that is durable, and the refused events. Renews the leases
    and claims ahead, also where `answers` is empty.
    """
    store = desk.store
    try:
        with store.write():
            there = _received(store, outbox)
            _renew(desk)
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
            _claim_ahead(desk)
            return _highest(desk, there), []
    except _Refused:
        with store.write():
            _claim_ahead(desk)
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


def _renew(desk: Desk) -> None:
    desk.store.conn.execute(
        "UPDATE assignments SET leased_until = ? WHERE annotator = ? AND state = 'leased'",
        [time.time() + LEASE_SECONDS, desk.annotator],
    )


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
    if store.conn.execute("SELECT state FROM batches WHERE code = ?", [batch]).fetchone()[0] != "open":
        return "This batch is not open any more."
    # To take an answer back nobody needs to see the item, so an undo names no version of it.
    if answer.kind != "undo" and shown != answer.item_hash:
        return "What is shown of this item has changed: please read it again."
    question = _asked_then(desk, shown)
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
    holds = _hold_place(store, id, batch, number)
    event.surplus = not holds and answer.kind != "skip"
    seq = EventLog(store).append(event)
    store.conn.execute("UPDATE assignments SET state = 'finished', outcome = ? WHERE id = ?", [seq, id])
    store.conn.execute("DELETE FROM drafts WHERE assignment = ?", [id])
    if answer.kind == "skip":
        # A skip is no label: somebody else may have the place.
        store.conn.execute("UPDATE places SET assignment = NULL WHERE assignment = ?", [id])
    return ""


def _asked_then(desk: Desk, shown: str) -> AskedQuestion | None:
    """The question as it stood in what was shown; None where the desk asks another one now."""
    now_asked = desk.asked[0]
    (document,) = desk.store.conn.execute("SELECT document FROM shown WHERE hash = ?", [shown]).fetchone()
    seen = json.loads(document)["questions"][0]
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
    if answer.kind != "label":
        return ""
    if rule == "none" and count:
        return "This question takes no evidence."
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
    if not _hold_place(store, id, batch, number):
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


def _hold_place(store: Store, id: int, batch: int, number: int) -> bool:
    """Whether the assignment holds a place of its item, taking a free one where it holds none."""
    if store.conn.execute("SELECT 1 FROM places WHERE assignment = ?", [id]).fetchone():
        return True
    _free_lapsed(store)
    row = store.conn.execute(
        """UPDATE places SET assignment = ?1 WHERE (batch, number, place) =
           (SELECT batch, number, min(place) FROM places WHERE batch = ?2 AND number = ?3 AND assignment IS NULL)
           RETURNING place""",
        [id, batch, number],
    ).fetchone()
    return row is not None


def _free_lapsed(store: Store) -> None:
    """Gives back the places of leases that ran out."""
    lapsed = store.conn.execute("SELECT id FROM assignments WHERE state = 'leased' AND leased_until < ?", [time.time()]).fetchall()
    for (id,) in lapsed:
        store.conn.execute("UPDATE places SET assignment = NULL WHERE assignment = ?", [id])
        store.conn.execute("UPDATE assignments SET state = 'lapsed' WHERE id = ?", [id])


def _claim_ahead(desk: Desk) -> None:
    """Claims until the annotator holds the item in work and two ahead, oldest open batch first.

    Near the end of a batch fewer are held, or annotators would starve each other.
    """
    store, me = desk.store, desk.annotator
    _free_lapsed(store)
    # What she holds in a paused batch cannot be worked on, and must not keep her from the open ones.
    (held,) = store.conn.execute(
        """SELECT count(*) FROM assignments a JOIN batches b ON b.code = a.batch
           WHERE a.annotator = ? AND a.state = 'leased' AND b.state = 'open'""",
        [me],
    ).fetchone()
    for (batch,) in store.conn.execute("SELECT code FROM batches WHERE state = 'open' ORDER BY code").fetchall():
        while held < HELD:
            if held and _few_free(store, batch):
                break
            number = _next_number(store, me, batch)
            if number is None:
                break
            _lease(desk, batch, number)
            held += 1


def _few_free(store: Store, batch: int) -> bool:
    """Whether so few places are left that nobody should hold one that she does not work on yet."""
    rows = store.conn.execute(
        """SELECT count(*), (SELECT count(DISTINCT annotator) FROM assignments WHERE batch = ?1 AND state = 'leased')
           FROM (SELECT 1 FROM places WHERE batch = ?1 AND assignment IS NULL LIMIT 64)""",
        [batch],
    ).fetchone()
    free, people = rows
    return bool(people > 1 and free < HELD * people)


def _lease(desk: Desk, batch: int, number: int) -> None:
    store = desk.store
    (trajectory,) = store.conn.execute(
        "SELECT trajectory FROM batch_items WHERE batch = ? AND number = ?", [batch, number]
    ).fetchone()
    shown = pin_shown(store, trajectory, desk.asked, desk.view)
    row = store.conn.execute(
        """INSERT INTO assignments (ref, batch, number, trajectory, annotator, state, leased_at, leased_until, shown)
           VALUES (?, ?, ?, ?, ?, 'leased', ?, ?, ?)
           ON CONFLICT (annotator, trajectory, batch) DO UPDATE
           SET state = 'leased', leased_at = excluded.leased_at, leased_until = excluded.leased_until, shown = excluded.shown
           RETURNING id""",
        [secrets.token_urlsafe(12), batch, number, trajectory, desk.annotator, now(), time.time() + LEASE_SECONDS, shown],
    ).fetchall()
    if not _hold_place(store, row[0][0], batch, number):
        raise DeskRefused("The item was taken.", "Found no free place.", "Ask for the next one.")


def _next_number(store: Store, me: int, batch: int) -> int | None:
    """The first item in this annotator's own order that has a free place for her.

    Her order is a seeded affine permutation of a shuffled list: independent of verdict and stratum, and
    computable forwards (probing from where she is) and backwards (ranking what is free). While much is
    free a few probes find the next; when little is free, that little is ranked in SQL.
    """
    size, seed = store.conn.execute(
        "SELECT (SELECT max(number) FROM batch_items WHERE batch = ?1), seed FROM batches WHERE code = ?1", [batch]
    ).fetchone()
    order = AnnotatorOrder.of(seed, me, size)
    (mine,) = store.conn.execute("SELECT count(*) FROM assignments WHERE annotator = ? AND batch = ?", [me, batch]).fetchone()
    for rank in range(mine, min(mine + _PROBES, order.prime)):
        number = order.number_at(rank)
        if number <= size and store.conn.execute(f"{_FREE_FOR_ME} AND p.number = ?3 LIMIT 1", [batch, me, number]).fetchone():
            return number
    row = store.conn.execute(
        f"{_FREE_FOR_ME} ORDER BY (p.number * ?3 + ?4) % ?5 LIMIT 1", [batch, me, order.factor, order.shift, order.prime]
    ).fetchone()
    return None if row is None else int(row[0])


# Never an item she finished, and never two runs of one content.
_FREE_FOR_ME = """
SELECT p.number FROM places p JOIN batch_items i ON i.batch = p.batch AND i.number = p.number
WHERE p.batch = ?1 AND p.assignment IS NULL
AND NOT EXISTS (
    SELECT 1 FROM trajectories t JOIN trajectories twin ON twin.content_hash = t.content_hash
    JOIN assignments a ON a.trajectory = twin.n AND a.annotator = ?2
    WHERE t.n = i.trajectory AND (a.state <> 'lapsed' OR twin.n <> t.n))
"""


@dataclass(frozen=True, slots=True)
class AnnotatorOrder:
    """rank = (number * factor + shift) mod prime, for item numbers from 1."""

    factor: int
    shift: int
    prime: int

    @classmethod
    def of(cls, seed: str, annotator: int, size: int) -> "AnnotatorOrder":
        # A prime well above small sizes: with few residues there would be few different orders.
        prime = _next_prime(max(size + 1, 1009))
        key = tagged_hash("order", f"{seed}:{annotator}")
        return cls(int(key[:12], 16) % (prime - 1) + 1, int(key[12:24], 16) % prime, prime)

    def number_at(self, rank: int) -> int:
        """The item number with this rank; some ranks of the prime belong to no item."""
        return (rank - self.shift) * pow(self.factor, -1, self.prime) % self.prime


def _next_prime(least: int) -> int:
    candidate = least
    while any(candidate % divisor == 0 for divisor in range(2, int(candidate**0.5) + 1)):
        candidate += 1
    return candidate


def others_hold_something(store: Store, me: int) -> bool:
    """Whether an item that she has not had is leased to others, so that its place may come free for her."""
    row = store.conn.execute(
        """SELECT EXISTS (SELECT 1 FROM assignments a JOIN batches b ON b.code = a.batch
           WHERE a.state = 'leased' AND a.annotator <> ?1 AND b.state = 'open'
           AND NOT EXISTS (SELECT 1 FROM assignments mine WHERE mine.annotator = ?1 AND mine.trajectory = a.trajectory
                           AND mine.batch = a.batch))""",
        [me],
    ).fetchone()
    return bool(row[0])
