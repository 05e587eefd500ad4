"""How far every batch is, and who did what of it. Names and counts of people: for leads."""

import time
from dataclasses import dataclass

from data.store.store import Store


@dataclass(frozen=True, slots=True)
class Part:
    """What one annotator has done of a batch, in items."""

    handle: str
    finished: int
    """Labelled or unsure, and counted."""
    unsure: int
    """Of these."""
    skipped: int
    surplus: int


@dataclass(frozen=True, slots=True)
class Flag:
    """An item that an annotator called broken."""

    id: str
    handle: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """One batch."""

    code: int
    name: str
    kind: str
    """`estimate`, `retest`: its items were labelled before by the same people; `hunt`: they are suspected errors of a judge."""
    state: str
    items: int
    overlap: int
    parts: tuple[Part, ...]
    """By handle."""
    flags: tuple[Flag, ...]

    @property
    def wanted(self) -> int:
        """How many labels the batch asks for."""
        return self.items * self.overlap

    @property
    def finished(self) -> int:
        return sum(part.finished for part in self.parts)


def progress_of(store: Store) -> list[Progress]:
    """Every batch, the latest first. Reads every assignment: keep the answer while the study stands still (see `changes.py`)."""
    parts: dict[int, list[Part]] = {}
    for batch, *counted in store.conn.execute(_PARTS):
        parts.setdefault(batch, []).append(Part(*counted))
    flags: dict[int, list[Flag]] = {}
    for batch, *flagged in store.conn.execute(_FLAGS):
        flags.setdefault(batch, []).append(Flag(*flagged))
    return [
        Progress(code, name, kind, state, items, overlap, tuple(parts.get(code, [])), tuple(flags.get(code, [])))
        for code, name, kind, state, items, overlap in store.conn.execute(
            """SELECT code, name, kind, state, (SELECT max(number) FROM batch_items WHERE batch = code), overlap
               FROM batches ORDER BY code DESC"""
        )
    ]


_PARTS = """
SELECT a.batch, p.handle, sum(e.action IN ('label', 'unsure') AND NOT e.surplus), sum(e.action = 'unsure' AND NOT e.surplus),
       sum(e.action = 'skip'), sum(e.surplus AND e.action <> 'skip')
FROM assignments a JOIN label_events e ON e.seq = a.outcome JOIN annotators p ON p.code = a.annotator
WHERE a.state = 'finished' GROUP BY a.batch, a.annotator ORDER BY p.handle
"""
_FLAGS = """
SELECT e.batch, t.id, p.handle, coalesce(e.reason, '') FROM label_events e JOIN trajectories t ON t.n = e.trajectory
JOIN annotators p ON p.code = e.annotator WHERE e.action = 'flag' AND e.batch IS NOT NULL
GROUP BY e.batch, e.trajectory, e.annotator, e.reason ORDER BY min(e.seq)
"""


def in_work(store: Store) -> dict[tuple[int, str], int]:
    """(batch code, handle) to how many items lie at that annotator's desk now. A small query: few leases run at once."""
    rows = store.conn.execute(
        """SELECT a.batch, p.handle, count(*) FROM assignments a JOIN annotators p ON p.code = a.annotator
           WHERE a.state = 'leased' AND a.leased_until >= ? GROUP BY a.batch, p.handle""",
        [time.time()],
    )
    return {(batch, handle): count for batch, handle, count in rows}
