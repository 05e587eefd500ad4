"""Why judge and humans differ on an item, as a lead sees it: what decides whether a disagreement may drive the judge prompt.

A cause is a row that is only ever added, chained like a label event; a later one on the same item, question and run takes
the place of an earlier one. A lead's note enters the chain by its salted hash alone, so that it can be erased.
"""

from dataclasses import dataclass

from data.errors import LeadRefused
from data.store.chain import chain_hash, last_link
from data.store.events import APP_VERSION, CAUSE_TEXT, LeadText
from data.store.people import Person, check_lead
from data.store.store import Store, now
from data.store.test_looks import refuse_closed

CAUSES = ("judge wrong", "human wrong", "codebook ambiguous", "item broken", "evidence differed")
"""Only the first drives the prompt; the third goes to the codebook and to relabelling."""
JUDGE_WRONG = CAUSES[0]
CAUSE_CHAINED = ("at", "lead", "run", "trajectory", "question", "cause", "text_hash", "app_version")
"""The columns that the chain covers, besides the hash before."""
_COLUMNS = (*CAUSE_CHAINED, *CAUSE_TEXT, "chain")
_INSERT = f"INSERT INTO causes ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


@dataclass(frozen=True, slots=True)
class Cause:
    """The one that stands for an item."""

    trajectory: int
    cause: str
    note: str
    lead: str
    at: str


def causes_of(store: Store, run: int, question: int) -> dict[int, Cause]:
    """Trajectory to the cause that stands; `run`, `question`: codes."""
    # SQLite takes the other columns from the row of max(seq).
    rows = store.conn.execute(
        """SELECT c.trajectory, c.cause, coalesce(c.note, ''), a.handle, c.at, max(c.seq) FROM causes c
           JOIN annotators a ON a.code = c.lead WHERE c.run = ? AND c.question = ? GROUP BY c.trajectory""",
        [run, question],
    )
    return {trajectory: Cause(trajectory, *rest) for trajectory, *rest, _ in rows}


def judges_held_wrong(store: Store) -> list[tuple[int, int]]:
    """(run, question), as codes, of which somebody said that the judge is wrong on an item; the last one said first."""
    rows = store.conn.execute(
        "SELECT run, question, max(seq) FROM causes WHERE cause = ? GROUP BY run, question ORDER BY 3 DESC", [JUDGE_WRONG]
    )
    return [(run, question) for run, question, _ in rows]


def assign_cause(store: Store, lead: Person, run: int, trajectory: int, question: int, cause: str, note: str = "") -> int:
    """Writes a cause; its number. Raises LeadRefused, and then nothing was written."""
    if cause not in CAUSES:
        raise LeadRefused("That is no cause.", f"Found {cause!r}.", f"Choose one of: {', '.join(CAUSES)}.")
    text = LeadText.of(note, "note")
    with store.write():
        check_lead(store, lead, "Only a lead says why judge and humans differ.", "Sign in as a lead.")
        _refuse_item(store, run, trajectory, question)
        values = (now(), lead.code, run, trajectory, question, cause, text.hash, APP_VERSION)
        link = chain_hash("cause", last_link(store.conn, "causes", "seq"), values)
        return int(store.conn.execute(_INSERT, (*values, text.words, text.salt, link)).lastrowid or 0)


def _refuse_item(store: Store, run: int, trajectory: int, question: int) -> None:
    """Raises LeadRefused for what is no judged item, may not be seen yet, or may still get labels."""
    row = store.conn.execute(
        """SELECT t.split FROM verdicts v JOIN trajectories t ON t.n = v.trajectory
           WHERE v.run = ? AND v.trajectory = ? AND v.question = ? AND v.repeat = 0""",
        [run, trajectory, question],
    ).fetchone()
    if row is None:
        raise LeadRefused("That run has no verdict on that item.", "Found none.", "Name an item that it judged.")
    refuse_closed(store, {row[0]})
    running = open_batch_of(store, trajectory)
    if running is not None:
        raise LeadRefused(
            "A cause is taken once an item's batch is closed.",
            f"Batch {running!r} is not.",
            f"Let it be labelled to its end, then `rejudge batch close {running}`.",
        )


def open_batch_of(store: Store, trajectory: int) -> str | None:
    """The first batch with this item that is not closed, retests aside; None: all of them are, or it is in none."""
    row = store.conn.execute(
        """SELECT b.name FROM batch_items i JOIN batches b ON b.code = i.batch
           WHERE i.trajectory = ? AND b.state <> 'closed' AND b.kind <> 'retest' ORDER BY b.code""",
        [trajectory],
    ).fetchone()
    return None if row is None else str(row[0])
