"""Looks at what is kept aside: who opened or scored the items of dev and test, when, which, and what came of it.

A look is a row that is only ever added, chained to the one before it. Until one of the kind `spend` is on record,
nobody is shown a dev or test item together with a verdict; from then on nothing can be certified on these items.
"""

import json
from dataclasses import dataclass
from typing import Any

from data.errors import LeadRefused
from data.hashing import canonical_json
from data.splits import SPLITS
from data.store.chain import chain_hash, last_link
from data.store.events import APP_VERSION
from data.store.people import Person
from data.store.store import Store, now

LOOK_CHAINED = ("at", "lead", "kind", "which", "result", "app_version")
"""The columns that the chain covers, besides the hash before."""
ALWAYS_OPEN = ("train",)
"""The splits whose items may be shown with a verdict, spent or not."""


@dataclass(frozen=True, slots=True)
class Look:
    """One row."""

    at: str
    lead: str
    kind: str
    which: dict[str, Any]
    """What was looked at: for `spend` the judge runs that there were, and how many trajectories lay in each split."""
    result: str


def spent(store: Store) -> Look | None:
    """The look that opened dev and test; None while they are closed."""
    row = store.conn.execute(
        """SELECT l.at, a.handle, l.kind, l.which, l.result FROM test_looks l JOIN annotators a ON a.code = l.lead
           WHERE l.kind = 'spend'"""
    ).fetchone()
    return None if row is None else Look(row[0], row[1], row[2], json.loads(row[3]), row[4])


def opened_splits(store: Store) -> tuple[str, ...]:
    """The splits whose items may be shown together with a verdict."""
    return SPLITS if spent(store) else ALWAYS_OPEN


def refuse_closed(store: Store, splits: set[str]) -> None:
    """Raises LeadRefused where one of `splits` is closed."""
    closed = [split for split in SPLITS if split in splits - set(opened_splits(store))]
    if closed:
        raise LeadRefused(
            f"Items of {' and '.join(closed)} are not shown together with a verdict.",
            "Found no record that they were opened.",
            "`rejudge judge spend` opens them for good; nothing can be certified on them afterwards.",
        )


def spend(store: Store, lead: Person) -> tuple[Look, bool]:
    """Opens dev and test for good, on record; the look, and whether it is this one rather than an earlier one.

    Raises LeadRefused for somebody who does not run the study.
    """
    with store.write():
        before = spent(store)
        if before:
            return before, False
        role, revoked = store.conn.execute("SELECT role, revoked_at FROM annotators WHERE code = ?", [lead.code]).fetchone()
        if role != "lead" or revoked:
            found = f"{lead.handle} is {role}" + (", and their access has ended." if revoked else ".")
            raise LeadRefused("Only a lead opens dev and test.", found, "Name a lead; `rejudge annotators list` shows who is one.")
        counts = dict.fromkeys(SPLITS[1:], 0) | dict(
            store.conn.execute("SELECT split, count(*) FROM trajectories WHERE split <> 'train' GROUP BY split")
        )
        runs = [name for (name,) in store.conn.execute("SELECT name FROM judge_runs ORDER BY name")]
        which = canonical_json({"judge_runs": runs, "trajectories": counts})
        values = (now(), lead.code, "spend", which, "opened", APP_VERSION)
        link = chain_hash("look", last_link(store.conn, "test_looks", "seq"), values)
        columns = ", ".join((*LOOK_CHAINED, "chain"))
        store.conn.execute(f"INSERT INTO test_looks ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, link))
    look = spent(store)
    assert look is not None
    return look, True
