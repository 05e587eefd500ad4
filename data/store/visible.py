"""What a search for giveaways reads: everything that could be shown, and what it must not tell."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from data.store.store import Store


@dataclass(frozen=True, slots=True)
class Item:
    """One trajectory, before any rule about what is shown."""

    n: int
    id: str
    group: str
    task: str | None
    steps: list[dict[str, Any]]
    metadata: dict[str, Any]
    hidden: dict[str, Any]
    rationales: list[str]
    """What judges wrote about it, of every run."""


def items(store: Store) -> Iterator[Item]:
    """Every trajectory, in the order of import."""
    query = "SELECT n, id, group_name, task, steps, metadata, hidden FROM trajectories ORDER BY n"
    for n, id, group, task, steps, metadata, hidden in store.conn.execute(query):
        said = store.conn.execute("SELECT rationale FROM verdicts WHERE trajectory = ? AND rationale IS NOT NULL", [n])
        documents = json.loads(steps), json.loads(metadata), json.loads(hidden)
        yield Item(n, id, group, task, *documents, [text for (text,) in said.fetchall()])


def imported_files(store: Store) -> list[str]:
    """The names of the files that came in."""
    return [row[0] for row in store.conn.execute("SELECT DISTINCT file FROM imports ORDER BY file")]


Answer = tuple[int, int | None, int | None, float | None]
"""Trajectory; and of choice, bit set of choices and score the one that was given."""


def verdict_answers(store: Store) -> dict[tuple[str, str], list[Answer]]:
    """(run, question) to its readable verdicts, first repeats alone."""
    found: dict[tuple[str, str], list[Answer]] = {}
    for run, question, *answer in store.conn.execute(
        """SELECT r.name, q.id, v.trajectory, v.choice, v.chosen, v.score FROM verdicts v
           JOIN judge_runs r ON r.code = v.run JOIN questions q ON q.code = v.question
           WHERE v.repeat = 0 AND v.error IS NULL ORDER BY r.name, q.id, v.trajectory"""
    ):
        found.setdefault((run, question), []).append(tuple(answer))
    return found
