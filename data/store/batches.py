"""Batches: drawn samples, with the frame they were drawn from."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from data.errors import BatchRefused
from data.hashing import canonical_json
from data.store.columns import trajectory_count
from data.store.draws import VerdictStrata, verdicts_at
from data.store.leases import LABELLED_BLIND, end_leases
from data.store.store import Store, now

STATES = ("open", "paused", "closed")
Kind = Literal["estimate", "retest", "hunt"]


@dataclass(frozen=True, slots=True)
class FrameItem:
    """A trajectory that a draw could have taken."""

    n: int
    id: str
    split: str
    verdict: int | None = None
    """The code of the verdict that its stratum is made of; None in a simple draw."""


@dataclass(frozen=True, slots=True)
class DrawnStratum:
    """How many items a stratum of the frame had at the draw, and how many of them were drawn."""

    name: str
    verdict: int | None
    items: int
    drawn: int

    @property
    def inclusion(self) -> float:
        """The probability with which each of its items was drawn."""
        return self.drawn / self.items


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch as it will be stored; `items` in the order in which they were drawn."""

    name: str
    overlap: int
    seed: str
    recipe: dict[str, Any]
    """`design`, `n`, `overlap`, `split` and, where it is stratified, `stratify`: by which `run` and `question`."""
    splits: dict[str, int]
    """Items of the frame by split."""
    strata: list[DrawnStratum]
    items: list[FrameItem]
    kind: Kind = "estimate"
    """`retest`: its items go once more to people who have labelled them, for consistency and no other figure; `hunt`: they
    are suspected errors of a judge, for causes and revisions and no figure."""

    @property
    def frame(self) -> dict[str, Any]:
        """The frame at the draw, as it is stored but for the moment of the draw."""
        strata = [asdict(stratum) for stratum in self.strata]
        return {"items": sum(stratum.items for stratum in self.strata), "strata": strata, "splits": self.splits}


def frame(store: Store, split: str | None, by: VerdictStrata | None = None) -> list[FrameItem]:
    """What a draw may take: all but the items of other estimate batches, ordered by id.

    Items of hunts are in it: without what judges err on, nothing that is drawn would stand for the study.
    """
    rows = store.conn.execute(
        """SELECT n, id, split FROM trajectories t WHERE (?1 IS NULL OR split = ?1)
           AND NOT EXISTS (SELECT 1 FROM batch_items i JOIN batches b ON b.code = i.batch
                           WHERE i.trajectory = t.n AND b.kind = 'estimate') ORDER BY id""",
        [split],
    )
    if by is None:
        return [FrameItem(*row) for row in rows]
    verdicts = verdicts_at(store, by, last_verdict(store), trajectory_count(store)).tolist()
    return [FrameItem(n, id, split, verdicts[n]) for n, id, split in rows]


def labelled_frame(store: Store, split: str | None, people: int) -> list[FrameItem]:
    """What a draw of retests may take, ordered by id: items that at least so many people could label once more.

    These labelled it blind, still have access, and were shown no answer to it since. Left out are items of earlier retests.
    """
    rows = store.conn.execute(
        f"""SELECT t.n, t.id, t.split FROM assignments mine JOIN batches b ON b.code = mine.batch
            JOIN annotators p ON p.code = mine.annotator AND p.revoked_at IS NULL JOIN trajectories t ON t.n = mine.trajectory
            WHERE (?1 IS NULL OR t.split = ?1) AND {LABELLED_BLIND}
            AND NOT EXISTS (SELECT 1 FROM exposures x WHERE x.annotator = mine.annotator AND x.trajectory = t.n)
            AND NOT EXISTS (SELECT 1 FROM batch_items i JOIN batches r ON r.code = i.batch
                            WHERE i.trajectory = t.n AND r.kind = 'retest')
            GROUP BY t.n HAVING count(DISTINCT mine.annotator) >= ?2 ORDER BY t.id""",
        [split, people],
    )
    return [FrameItem(*row) for row in rows]


def batch_names(store: Store) -> list[str]:
    """Names in the order of drawing."""
    return [row[0] for row in store.conn.execute("SELECT name FROM batches ORDER BY code")]


def distinct_contents(store: Store, numbers: list[int]) -> int:
    """How many different contents these trajectories have."""
    hashes = dict(store.conn.execute("SELECT n, content_hash FROM trajectories"))
    return len({hashes[n] for n in numbers})


def add_batch(store: Store, batch: NewBatch) -> None:
    """Writes an open batch, its items and their places. Must run within a write transaction.

    With the frame it stores the moment of the draw, as the highest trajectory and verdict: what comes in
    later belongs to no stratum of it.
    """
    moment = {"last_trajectory": trajectory_count(store), "last_verdict": last_verdict(store)}
    code = store.conn.execute(
        """INSERT INTO batches (name, kind, overlap, seed, recipe, frame, state, drawn_at)
           VALUES (?, ?, ?, ?, ?, ?, 'open', ?)""",
        [
            batch.name,
            batch.kind,
            batch.overlap,
            batch.seed,
            canonical_json(batch.recipe),
            canonical_json(batch.frame | moment),
            now(),
        ],
    ).lastrowid
    strata = {stratum.verdict: stratum for stratum in batch.strata}
    store.conn.executemany(
        "INSERT INTO batch_items VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                code,
                number,
                item.n,
                strata[item.verdict].inclusion,
                strata[item.verdict].name,
                "retest" if batch.kind == "retest" else "real",
            )
            for number, item in enumerate(batch.items, 1)
        ],
    )
    store.conn.executemany(
        "INSERT INTO places (batch, number, place) VALUES (?, ?, ?)",
        [(code, number, place) for number in range(1, len(batch.items) + 1) for place in range(1, batch.overlap + 1)],
    )


def last_verdict(store: Store) -> int:
    """The highest id of a verdict; 0 where there is none."""
    return int(store.conn.execute("SELECT coalesce(max(id), 0) FROM verdicts").fetchone()[0])


def set_batch_state(store: Store, name: str, state: str) -> None:
    """Opens, pauses or closes the batch `name`; where it is in that state already, nothing changes.

    Paused: nobody is given an item, and who holds one may finish it. Closed: every lease ends, and an answer
    that was under way is kept as surplus (see `desk.take`). Closing ends blindness, so it is for good.
    Raises BatchRefused where there is no such batch, and for one that is closed.
    """
    if state not in STATES:
        raise ValueError(f"A batch is {', '.join(STATES)}. Found {state!r}.")
    with store.write():
        row = store.conn.execute("SELECT code, state FROM batches WHERE name = ?", [name]).fetchone()
        if row is None:
            raise BatchRefused(
                f"There is no batch {name!r}.",
                f"Batches: {', '.join(batch_names(store)) or 'none'}.",
                "Name one of them." if batch_names(store) else "Draw one with `rejudge draw`.",
            )
        code, before = row
        if before == state:
            return
        if before == "closed":
            raise BatchRefused(
                f"Batch {name!r} is closed, and stays so.",
                "Closing ended its blindness: labels given now could not be told from blind ones.",
                "Draw another batch with `rejudge draw`.",
            )
        store.conn.execute("UPDATE batches SET state = ? WHERE code = ?", [state, code])
        if state == "closed":
            end_leases(store, code)
