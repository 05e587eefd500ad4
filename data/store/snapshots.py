"""Which models a server said it was: while a run was asked, and one after the other.

A server that comes back to a model after it was another one goes to and fro between them (a balancer in front of two versions,
an update that is rolled out or back). What any of these has answered is not paid for again; what a model answered that was
replaced for good, its successor is asked anew.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import groupby

from data.store.store import Store


def snapshots(store: Store, run: int, question: int, items: Sequence[int]) -> dict[str, int]:
    """Snapshot to verdicts that it brought, by name, of these trajectories; `run`, `question`: codes."""
    rows = store.conn.execute(_SNAPSHOTS, {"run": run, "question": question, "items": json.dumps(list(items))})
    return dict(rows.fetchall())


def met(store: Store, endpoint: str, model: str, told: Iterable[str]) -> None:
    """Remembers that a server, asked for `model`, said that it was these, in this order."""
    key, told = _key(endpoint, model), [snapshot for snapshot, _ in groupby(told)]
    if _after(store.fact(key), told) is not None:
        with store.write():
            changed = _after(store.fact(key), told)
            if changed is not None:
                store.set_fact(key, changed)


def to_and_fro(store: Store, endpoint: str, model: str, snapshot: str) -> tuple[str, ...]:
    """The models between which the server goes, `snapshot` first; that one alone where it stayed what it was."""
    stays: list[list[str]] = json.loads(store.fact(_key(endpoint, model)) or "[]")
    together = next((stay for stay in stays if snapshot in stay), [])
    return (snapshot, *(other for other in together if other != snapshot))


def _key(endpoint: str, model: str) -> str:
    return f"snapshots {endpoint} {model}"


def _after(kept: str | None, told: Sequence[str]) -> str | None:
    """What is kept once these were met: lists of models, those together that it came back to; None where nothing changes."""
    stays: list[list[str]] = json.loads(kept or "[]")
    for snapshot in told:
        place = next((place for place, stay in enumerate(stays) if snapshot in stay), None)
        if place is None:
            stays.append([snapshot])
        else:
            stays[place:] = [[each for stay in stays[place:] for each in stay]]
    changed = json.dumps(stays)
    return None if changed == kept else changed


_SNAPSHOTS = """
SELECT c.snapshot, count(*) FROM json_each(:items) j
JOIN verdicts v ON v.trajectory = j.value AND v.run = :run AND v.question = :question AND v.repeat = 0
JOIN judge_calls c ON c.verdict = v.id WHERE c.snapshot <> '' GROUP BY c.snapshot ORDER BY c.snapshot
"""
