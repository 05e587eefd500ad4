"""Leases: who holds which item, exactly.

A batch has `overlap` places per item, an assignment holds at most one of them, and the schema lets no
two assignments hold the same. A lapsed lease gives its place back when the next person claims.
"""

import secrets
import time
from dataclasses import dataclass

from data.errors import DeskRefused
from data.hashing import tagged_hash
from data.store.store import Store, now
from data.store.versions import AskedQuestion, View, pin_shown

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


def has_access(desk: Desk) -> bool:
    """Whether the annotator may work: a request may come through the door just before access ends."""
    row = desk.store.conn.execute("SELECT revoked_at IS NULL FROM annotators WHERE code = ?", [desk.annotator]).fetchone()
    return bool(row[0])


def renew(desk: Desk) -> None:
    desk.store.conn.execute(
        "UPDATE assignments SET leased_until = ? WHERE annotator = ? AND state = 'leased'",
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
    _lapse(
        store,
        store.conn.execute("SELECT id FROM assignments WHERE state = 'leased' AND leased_until < ?", [time.time()]).fetchall(),
    )


def end_leases(store: Store, batch: int) -> None:
    """Ends every lease on a batch that is being closed. Must run within a write transaction."""
    _lapse(store, store.conn.execute("SELECT id FROM assignments WHERE state = 'leased' AND batch = ?", [batch]).fetchall())


def end_leases_of(store: Store, annotator: int) -> int:
    """Ends every lease of one annotator, and says how many. Must run within a write transaction."""
    held = store.conn.execute("SELECT id FROM assignments WHERE state = 'leased' AND annotator = ?", [annotator]).fetchall()
    _lapse(store, held)
    return len(held)


def _lapse(store: Store, leases: list[tuple[int]]) -> None:
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
    (held,) = store.conn.execute("SELECT count(*) FROM assignments WHERE annotator = ? AND state = 'leased'", [me]).fetchone()
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
        "SELECT count(DISTINCT annotator) FROM assignments WHERE batch = ? AND state = 'leased'", [batch]
    ).fetchone()
    (free,) = store.conn.execute(
        "SELECT count(*) FROM (SELECT 1 FROM places WHERE batch = ? AND assignment IS NULL LIMIT ?)", [batch, HELD * people]
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
                   max(?6, coalesce((SELECT max(leased_at) FROM assignments
                                    WHERE annotator = ?5 AND batch = ?2 AND state = 'leased'), '')), ?7, ?8)
           ON CONFLICT (annotator, trajectory, batch) DO UPDATE
           SET state = 'leased', leased_at = excluded.leased_at, leased_until = excluded.leased_until, shown = excluded.shown
           RETURNING id""",
        [secrets.token_urlsafe(12), batch, number, trajectory, desk.annotator, now(), time.time() + LEASE_SECONDS, shown],
    ).fetchall()
    if not hold_place(store, row[0][0], batch, number):
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
    # What she had begun before her lease ran out comes first, with her draft, while it has a free place.
    begun = store.conn.execute(f"{_FREE_FOR_ME} AND {_BEGUN} LIMIT 1", [batch, me]).fetchone()
    if begun:
        return int(begun[0])
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


# Never an item she finished, never two runs of one content, and never what she was shown an answer to.
# CROSS JOIN keeps SQLite's order: from the item outwards, not through everything that she was ever shown.
_OPEN_TO_ME = """NOT EXISTS (
    SELECT 1 FROM trajectories t JOIN trajectories twin ON twin.content_hash = t.content_hash
    JOIN assignments a ON a.trajectory = twin.n AND a.annotator = ?2
    WHERE t.n = i.trajectory AND (a.state <> 'lapsed' OR twin.n <> t.n))
AND NOT (EXISTS (SELECT 1 FROM exposures WHERE annotator = ?2) AND EXISTS (
    SELECT 1 FROM trajectories t CROSS JOIN trajectories twin CROSS JOIN exposures x
    WHERE t.n = i.trajectory AND twin.content_hash = t.content_hash AND x.trajectory = twin.n AND x.annotator = ?2))"""
_FREE_FOR_ME = f"""
SELECT p.number FROM places p JOIN batch_items i ON i.batch = p.batch AND i.number = p.number
WHERE p.batch = ?1 AND p.assignment IS NULL AND {_OPEN_TO_ME}
"""


_BEGUN = "i.trajectory IN (SELECT trajectory FROM assignments WHERE annotator = ?2 AND batch = ?1 AND state = 'lapsed')"


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
