"""Leases: who holds which item, exactly.

A batch has `overlap` places per item, an assignment holds at most one of them, and the schema lets no
two assignments hold the same. A lapsed lease gives its place back when the next person claims.
"""

import json
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from data.errors import DeskRefused
from data.hashing import tagged_hash
from data.store.columns import Ints, whole_numbers
from data.store.store import Store, now
from data.store.versions import AskedQuestion, View, pin_shown

LEASE_SECONDS = 15 * 60
HELD = 3
"""The item in work and two ahead."""
_PROBES = 48
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Desk:
    """One annotator at a desk that asks one set of questions."""

    store: Store
    annotator: int
    asked: list[AskedQuestion]
    view: View


def has_access(desk: Desk) -> bool:
    """Whether the annotator may work: a request may come through the door just before access ends."""
    row = desk.store.conn.execute("SELECT revoked_at IS NULL FROM annotators WHERE code = ?", [desk.annotator]).fetchone()
    return bool(row[0])


def renew(desk: Desk) -> None:
    desk.store.conn.execute(
        "UPDATE assignments INDEXED BY running_leases SET leased_until = ? WHERE annotator = ? AND state = 'leased'",
        [time.time() + LEASE_SECONDS, desk.annotator],
    )


def give_back(store: Store, id: int) -> None:
    """Frees the place that an assignment holds, for somebody else."""
    store.conn.execute("UPDATE places SET assignment = NULL WHERE assignment = ?", [id])


def hold_place(store: Store, id: int, batch: int, number: int) -> bool:
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
    """Gives back the places of leases that ran out.

    A lease that seems to run for longer than any does was given before the clock was set back: it runs
    from now on, or nobody else would get the item until the clock is there again.
    """
    longest = time.time() + LEASE_SECONDS
    store.conn.execute("UPDATE assignments SET leased_until = ?1 WHERE state = 'leased' AND leased_until > ?1", [longest])
    lapse(
        store,
        store.conn.execute("SELECT id FROM assignments WHERE state = 'leased' AND leased_until < ?", [time.time()]).fetchall(),
    )


def end_leases(store: Store, batch: int) -> None:
    """Ends every lease on a batch that is being closed. Must run within a write transaction."""
    lapse(
        store,
        store.conn.execute(
            "SELECT id FROM assignments INDEXED BY running_leases WHERE state = 'leased' AND batch = ?", [batch]
        ).fetchall(),
    )


def end_leases_of(store: Store, annotator: int) -> int:
    """Ends every lease of one annotator, and says how many. Must run within a write transaction."""
    held = store.conn.execute("SELECT id FROM assignments WHERE state = 'leased' AND annotator = ?", [annotator]).fetchall()
    lapse(store, held)
    return len(held)


def lapse(store: Store, leases: list[tuple[int]]) -> None:
    """Ends leases, by the ids of their assignments, and gives their places back. Must run within a write transaction."""
    for (id,) in leases:
        give_back(store, id)
        store.conn.execute("UPDATE assignments SET state = 'lapsed' WHERE id = ?", [id])


def claim_ahead(desk: Desk) -> None:
    """Claims until the annotator holds the item in work and two ahead, oldest open batch first.

    Near the end of a batch fewer are held, or annotators would starve each other.
    """
    store, me = desk.store, desk.annotator
    if not has_access(desk):
        return
    _free_lapsed(store)
    # What she holds in a paused batch is hers to finish, so it counts; in a closed one nobody holds anything.
    (held,) = store.conn.execute(
        "SELECT count(*) FROM assignments INDEXED BY running_leases WHERE annotator = ? AND state = 'leased'", [me]
    ).fetchone()
    for (batch,) in store.conn.execute("SELECT code FROM batches WHERE state = 'open' ORDER BY code").fetchall():
        while held < HELD:
            number = _next_number(store, me, batch)
            if number is None:
                break
            if held and _few_free(store, batch):
                # Not from the next batch either: she would leave this one before it is done, and positions would jump.
                return
            _lease(desk, batch, number)
            held += 1


def _few_free(store: Store, batch: int) -> bool:
    """Whether so few places are left that nobody should hold one that she does not work on yet."""
    (people,) = store.conn.execute(
        "SELECT count(DISTINCT annotator) FROM assignments INDEXED BY running_leases WHERE batch = ? AND state = 'leased'", [batch]
    ).fetchone()
    (free,) = store.conn.execute(
        "SELECT count(*) FROM (SELECT 1 FROM places INDEXED BY free_places WHERE batch = ? AND assignment IS NULL LIMIT ?)",
        [batch, HELD * people],
    ).fetchone()
    return bool(people > 1 and free < HELD * people)


def _lease(desk: Desk, batch: int, number: int) -> None:
    store = desk.store
    (trajectory,) = store.conn.execute(
        "SELECT trajectory FROM batch_items WHERE batch = ? AND number = ?", [batch, number]
    ).fetchone()
    shown = pin_shown(store, trajectory, desk.asked, desk.view)
    # Queues are in the order of claiming, also where the clock was set back in between.
    row = store.conn.execute(
        """INSERT INTO assignments (ref, batch, number, trajectory, annotator, state, leased_at, leased_until, shown)
           VALUES (?1, ?2, ?3, ?4, ?5, 'leased',
                   max(?6, coalesce((SELECT max(leased_at) FROM assignments INDEXED BY running_leases
                                    WHERE annotator = ?5 AND batch = ?2 AND state = 'leased'), '')), ?7, ?8)
           ON CONFLICT (annotator, trajectory, batch) DO UPDATE
           SET state = 'leased', leased_at = excluded.leased_at, leased_until = excluded.leased_until, shown = excluded.shown
           RETURNING id""",
        [secrets.token_urlsafe(12), batch, number, trajectory, desk.annotator, now(), time.time() + LEASE_SECONDS, shown],
    ).fetchall()
    if not hold_place(store, row[0][0], batch, number):
        raise DeskRefused("The item was taken.", "Found no free place.", "Ask for the next one.")


def _next_number(store: Store, me: int, batch: int) -> int | None:
    """The next item in this annotator's own order that has a free place for her.

    Her order is a seeded affine permutation of a shuffled list, walked round and round: independent of verdict
    and stratum, and computable forwards (probing on from the item that she got last) and backwards (ranking
    what is free). While much is free a few probes find the next; when little is, that little is ranked.
    """
    size, seed = store.conn.execute(
        "SELECT (SELECT max(number) FROM batch_items WHERE batch = ?1), seed FROM batches WHERE code = ?1", [batch]
    ).fetchone()
    # What she had begun before her lease ran out comes first, with her draft, while it has a free place.
    begun = store.conn.execute(_BEGUN, [batch, me]).fetchone()
    if begun:
        return int(begun[0])
    order = AnnotatorOrder.of(seed, me, size)
    last = store.conn.execute(
        """SELECT number FROM assignments INDEXED BY assignments_in_order WHERE batch = ? AND annotator = ?
           ORDER BY id DESC LIMIT 1""",
        [batch, me],
    ).fetchone()
    start = 0 if last is None else order.rank_of(last[0]) + 1
    for rank in range(start, start + min(_PROBES, order.prime)):
        number = order.number_at(rank)
        if 1 <= number <= size and store.conn.execute(_FREE_FOR_ME, [batch, me, number]).fetchone():
            return number
    return _ranked(store, me, batch, order, size, start)


def _ranked(store: Store, me: int, batch: int, order: "AnnotatorOrder", size: int, start: int) -> int | None:
    """The first in her order from the rank `start` on, round to it again, of all that is free and that she never had."""
    key = {"batch": batch, "me": me}
    (had,) = store.conn.execute(f"SELECT count(*) FROM ({_HERS})", key).fetchone()
    if had == size:  # one who is done asks again and again while others work
        return None
    there = np.zeros(size + 1, dtype=bool)
    there[whole_numbers(store, _FREE, key)] = True
    there[whole_numbers(store, _HERS, key)] = False
    free = np.flatnonzero(there)
    free = free[np.argsort((order.rank_of(free) - start) % order.prime)]
    for begin in range(0, len(free), _CHUNK):
        some = free[begin : begin + _CHUNK].tolist()
        open_to_her = {row[0] for row in store.conn.execute(_OPEN_AMONG, [batch, me, json.dumps(some)])}
        for number in some:
            if number in open_to_her:
                return int(number)
    return None


_FREE = "SELECT number AS value FROM places INDEXED BY free_places WHERE batch = :batch AND assignment IS NULL"
_HERS = "SELECT number AS value FROM assignments INDEXED BY assignments_in_order WHERE batch = :batch AND annotator = :me"
LABELLED_BLIND = """b.kind = 'estimate' AND mine.state = 'finished' AND EXISTS (
    SELECT 1 FROM label_events e WHERE e.assignment = mine.id AND e.action = 'label' AND e.surplus = 0)"""
"""SQL: an assignment `mine` in batch `b` whose label counts."""
# Never an item she finished, never two runs of one content, and never what she was shown an answer to. In a retest
# it is the other way round: only an item that she has labelled, and once. What she answered in a hunt enters no figure, so
# an estimate batch may give it to her as any other item.
# CROSS JOIN keeps SQLite's order: from the item outwards, not through everything that she ever had or was shown.
_OPEN_TO_ME = f"""CASE WHEN (SELECT kind FROM batches WHERE code = i.batch) = 'retest' THEN EXISTS (
    SELECT 1 FROM assignments mine CROSS JOIN batches b ON b.code = mine.batch
    WHERE mine.annotator = ?2 AND mine.trajectory = i.trajectory AND {LABELLED_BLIND})
AND NOT EXISTS (
    SELECT 1 FROM assignments a CROSS JOIN batches b ON b.code = a.batch
    WHERE a.annotator = ?2 AND a.trajectory = i.trajectory AND b.kind = 'retest' AND a.state <> 'lapsed')
ELSE NOT EXISTS (
    SELECT 1 FROM trajectories t CROSS JOIN trajectories twin ON twin.content_hash = t.content_hash
    CROSS JOIN assignments a ON a.trajectory = twin.n AND a.annotator = ?2
    WHERE t.n = i.trajectory AND (a.state <> 'lapsed' OR twin.n <> t.n)
    AND NOT (twin.n = t.n AND a.batch <> i.batch AND a.state = 'finished'
             AND (SELECT kind FROM batches WHERE code = a.batch) = 'hunt')) END
AND NOT (EXISTS (SELECT 1 FROM exposures WHERE annotator = ?2) AND EXISTS (
    SELECT 1 FROM trajectories t CROSS JOIN trajectories twin CROSS JOIN exposures x
    WHERE t.n = i.trajectory AND twin.content_hash = t.content_hash AND x.trajectory = twin.n AND x.annotator = ?2))"""
_FREE_FOR_ME = f"""
SELECT 1 FROM places p JOIN batch_items i ON i.batch = p.batch AND i.number = p.number
WHERE p.batch = ?1 AND p.number = ?3 AND p.assignment IS NULL AND {_OPEN_TO_ME} LIMIT 1
"""
_BEGUN = f"""
SELECT i.number FROM assignments begun INDEXED BY assignments_by_annotator
CROSS JOIN batch_items i ON i.batch = begun.batch AND i.number = begun.number
WHERE begun.annotator = ?2 AND begun.batch = ?1 AND begun.state = 'lapsed'
AND EXISTS (SELECT 1 FROM places p WHERE p.batch = i.batch AND p.number = i.number AND p.assignment IS NULL)
AND {_OPEN_TO_ME} ORDER BY begun.id LIMIT 1
"""
_OPEN_AMONG = f"""
SELECT i.number FROM json_each(?3) asked CROSS JOIN batch_items i ON i.batch = ?1 AND i.number = asked.value WHERE {_OPEN_TO_ME}
"""


Number = TypeVar("Number", int, Ints)


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

    def rank_of(self, number: Number) -> Number:
        """Where an item stands in the order, from 0 to the prime."""
        return (number * self.factor + self.shift) % self.prime

    def number_at(self, rank: int) -> int:
        """The item number with this rank, which may count on beyond the prime; some numbers belong to no item."""
        return (rank - self.shift) * pow(self.factor, -1, self.prime) % self.prime


@lru_cache
def _next_prime(least: int) -> int:
    candidate = least
    while any(candidate % divisor == 0 for divisor in range(2, int(candidate**0.5) + 1)):
        candidate += 1
    return candidate


def last_finished(store: Store, me: int) -> str | None:
    """The reference of the item that this annotator finished last."""
    row = store.conn.execute(
        "SELECT ref FROM assignments WHERE annotator = ? AND state = 'finished' ORDER BY outcome DESC LIMIT 1", [me]
    ).fetchone()
    return None if row is None else str(row[0])


def others_hold_something(store: Store, me: int) -> bool:
    """Whether others hold an item that she could still get, should its place come free."""
    row = store.conn.execute(
        f"""SELECT EXISTS (SELECT 1 FROM assignments held JOIN batches b ON b.code = held.batch
            JOIN batch_items i ON i.batch = held.batch AND i.number = held.number
            WHERE held.state = ?1 AND held.annotator <> ?2 AND b.state = 'open' AND {_OPEN_TO_ME})""",
        ["leased", me],
    ).fetchone()
    return bool(row[0])


def unfinished_batches(store: Store, me: int) -> list[str]:
    """Open batches in which she has begun to label and could still be given an item, or holds one; by name."""
    rows = store.conn.execute(
        f"""SELECT b.name FROM batches b WHERE b.state = ?1
            AND EXISTS (SELECT 1 FROM assignments mine WHERE mine.batch = b.code AND mine.annotator = ?2 AND mine.state <> 'lapsed')
            AND (EXISTS (SELECT 1 FROM assignments mine
                         WHERE mine.batch = b.code AND mine.annotator = ?2 AND mine.state = 'leased')
                 OR EXISTS (SELECT 1 FROM places p JOIN batch_items i ON i.batch = p.batch AND i.number = p.number
                            WHERE p.batch = b.code AND p.assignment IS NULL AND {_OPEN_TO_ME}))
            ORDER BY b.code""",
        ["open", me],
    )
    return [row[0] for row in rows]
