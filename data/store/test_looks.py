"""Looks at what is kept aside: who opened or scored the items of dev and test, when, which, and what came of it.

A look is a row that is only ever added, chained to the one before it. Until one of the kind `spend` is on record,
nobody is shown a dev or test item together with a verdict; from then on nothing can be certified on these items.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import LeadRefused
from data.hashing import canonical_json
from data.splits import SPLITS
from data.store.chain import chain_hash, last_link
from data.store.events import APP_VERSION
from data.store.people import Person, check_lead
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
    return next(_looks(store, "l.kind = 'spend'"), None)


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
        check_lead(store, lead, "Only a lead opens dev and test.")
        counts = dict.fromkeys(SPLITS[1:], 0) | dict(
            store.conn.execute("SELECT split, count(*) FROM trajectories WHERE split <> 'train' GROUP BY split")
        )
        runs = [name for (name,) in store.conn.execute("SELECT name FROM judge_runs ORDER BY name")]
        which = canonical_json({"judge_runs": runs, "trajectories": counts})
        _append(store, lead, "spend", which, "opened")
    look = spent(store)
    assert look is not None
    return look, True


def record_certification(
    store: Store, lead: Person, question: int, which: dict[str, Any], result: str, trajectories: Sequence[int]
) -> None:
    """Writes down that two prompts were scored on these test items, within a write transaction.

    `question`: its code; `which`: the judges and what was declared before; `result`: what came of it. Raises LeadRefused for
    somebody who does not run the study.
    """
    check_lead(store, lead, "Only a lead certifies a judge.")
    look = _append(store, lead, "certify", canonical_json(which), result)
    store.conn.executemany("INSERT INTO look_items VALUES (?, ?, ?)", [(look, n, question) for n in trajectories])


@dataclass(frozen=True, slots=True)
class Budget:
    """How far the looks at items are used up, by trajectory number, for one question."""

    used: dict[int, int]
    """Looks at an item, of items with any."""
    declared: dict[int, int]
    """How many were declared before the first of them: a later command cannot enlarge it."""

    @property
    def used_up(self) -> list[int]:
        """Items that allow no further look."""
        return [n for n, used in self.used.items() if used >= self.declared[n]]


def budget(store: Store, question: int) -> Budget:
    """The looks at the items of a question; `question`: its code."""
    rows = store.conn.execute(_LOOKED, [question]).fetchall()
    return Budget({n: used for n, used, _ in rows}, {n: declared for n, _, declared in rows})


def certified(store: Store, question: int) -> list[Look]:
    """The looks at items of a question, in their order; `which` names the judges and holds the figures."""
    return list(_looks(store, "EXISTS (SELECT 1 FROM look_items i WHERE i.look = l.seq AND i.question = ?)", question))


def _looks(store: Store, where: str, *values: int) -> Iterator[Look]:
    """Those for which the SQL `where` holds of a row `l`, in their order."""
    rows = store.conn.execute(
        f"""SELECT l.at, a.handle, l.kind, l.which, l.result FROM test_looks l JOIN annotators a ON a.code = l.lead
            WHERE {where} ORDER BY l.seq""",
        values,
    ).fetchall()
    return (Look(at, lead, kind, json.loads(which), result) for at, lead, kind, which, result in rows)


# SQLite takes the other columns from the row that has the minimum: the first look.
_LOOKED = """
SELECT trajectory, looks, coalesce(json_extract(which, '$.looks'), 1)
FROM (SELECT i.trajectory, count(*) AS looks, min(l.seq), l.which FROM test_looks l JOIN look_items i ON i.look = l.seq
      WHERE l.kind = 'certify' AND i.question = ? GROUP BY i.trajectory)
ORDER BY trajectory
"""


def _append(store: Store, lead: Person, kind: str, which: str, result: str) -> int:
    values = (now(), lead.code, kind, which, result, APP_VERSION)
    link = chain_hash("look", last_link(store.conn, "test_looks", "seq"), values)
    columns = ", ".join((*LOOK_CHAINED, "chain"))
    return int(
        store.conn.execute(f"INSERT INTO test_looks ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, link)).lastrowid or 0
    )
