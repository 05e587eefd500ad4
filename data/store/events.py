"""The append-only history of labels, each event chained to the one before it.

The chain makes a change of history visible even where somebody got past the triggers. Free text
enters it by its salted hash alone, so that a person's words can be erased without breaking it: the salt
goes with them, or short words could be guessed back from the hash.
"""

import secrets
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from data.errors import LeadRefused
from data.hashing import canonical_json, document_hash
from data.store.chain import as_kept, chain_hash, last_link
from data.store.store import Store, now


def _app_version() -> str:
    try:
        return version("rejudge")
    except PackageNotFoundError:
        return "source"


APP_VERSION = _app_version()


@dataclass(slots=True)
class NewEvent:
    """One thing that an annotator did."""

    annotator: int
    trajectory: int
    question: int
    phase: str
    action: str
    batch: int | None = None
    assignment: int | None = None
    choice: int | None = None
    chosen: int | None = None
    score: float | None = None
    evidence: list[int] = field(default_factory=list)
    rationale: str | None = None
    reason: str | None = None
    confidence: int | None = None
    question_version: str | None = None
    codebook: str | None = None
    shown: str | None = None
    active_seconds: float | None = None
    outbox: str | None = None
    outbox_seq: int | None = None
    surplus: bool = False
    import_id: int | None = None
    at: str | None = None
    """None: now. A label from another database keeps its own moment."""


CHAINED = (
    "at", "annotator", "trajectory", "question", "batch", "assignment", "phase", "action", "choice", "chosen",
    "score", "evidence",
    "text_hash", "confidence", "question_version", "codebook", "shown", "active_seconds", "app_version", "outbox",
    "outbox_seq", "surplus", "import",
)  # fmt: skip
"""The columns that the chain covers, besides the hash before."""
FREE_TEXT = ("rationale", "reason", "text_salt")
"""What an annotator wrote, and the salt of its hash: all that an erasure takes from an event."""
DECISION_TEXT = ("rationale", "text_salt")
"""The same of a lead's decision (see `adjudication.py`)."""
CAUSE_TEXT = ("note", "text_salt")
"""The same of the cause of a disagreement (see `causes.py`)."""
MOST_OF_A_LEAD = 20_000
"""Characters that a lead may write beside a decision or a cause."""
_COLUMNS = (*CHAINED, *FREE_TEXT, "chain")
_INSERT = f"INSERT INTO label_events ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


def text_hash(rationale: str | None, reason: str | None, salt: str | None) -> str:
    """The hash by which an event's free text enters the chain; an event without text needs no salt."""
    return document_hash("text", [rationale, reason, salt])


@dataclass(frozen=True, slots=True)
class LeadText:
    """What a lead wrote beside a decision or a cause, as it is stored."""

    words: str | None
    """None for nothing."""
    salt: str | None

    @classmethod
    def of(cls, said: str, what: str) -> "LeadText":
        """`what`: what to call it. Raises LeadRefused where it is very long."""
        if len(said) > MOST_OF_A_LEAD:
            raise LeadRefused(f"The {what} is very long.", f"Found {len(said)} characters.", f"Use up to {MOST_OF_A_LEAD}.")
        # What a browser sends may hold what cannot be stored.
        words = said.strip().encode("utf-8", "replace").decode("utf-8").replace("\x00", "") or None
        return cls(words, secrets.token_hex(16) if words else None)

    @property
    def hash(self) -> str:
        """As `text_hash`."""
        return text_hash(self.words, None, self.salt)


class EventLog:
    """Appends events within one write transaction."""

    def __init__(self, store: Store) -> None:
        self.conn = store.conn
        self.last = last_link(self.conn, "label_events", "seq")
        self.time = now()

    def append(self, event: NewEvent) -> int:
        """Writes `event`; its sequence number."""
        salt = None if event.rationale is None and event.reason is None else secrets.token_hex(16)
        values = (
            event.at or self.time, event.annotator, event.trajectory, event.question, event.batch, event.assignment, event.phase,
            event.action, event.choice, event.chosen, as_kept(event.score),
            canonical_json(event.evidence), text_hash(event.rationale, event.reason, salt), event.confidence,
            event.question_version, event.codebook, event.shown, as_kept(event.active_seconds), APP_VERSION,
            event.outbox, event.outbox_seq, int(event.surplus), event.import_id,
        )  # fmt: skip
        self.last = chain_hash("event", self.last, values)
        return int(self.conn.execute(_INSERT, (*values, event.rationale, event.reason, salt, self.last)).lastrowid or 0)
