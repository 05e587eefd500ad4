"""Gold sets in the database: votes to decide from, and frozen sets."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from data.errors import GoldRefused
from data.store.chosen import CHOSEN_NAMES
from data.store.store import Store, now

Decided = str | tuple[str, ...] | float
"""A choice, several choices in the order of their codes, or a score."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One annotator's current label on one item."""

    trajectory: int
    question: int
    content_hash: str
    group: str
    split: str
    annotator: str
    answer: Decided | None
    """None: unsure."""
    codebook: str | None
    blind: bool


@dataclass(frozen=True, slots=True)
class GoldItem:
    """One row of a set, without the trajectory's text, which never changes."""

    id: str
    question_id: str
    trajectory: int
    question: int
    document: str
    basis: str
    answer: Decided


def votes_by_item(store: Store, questions: list[str]) -> dict[tuple[str, str], list[Vote]]:
    """(trajectory id, question id) to the votes: a person's latest blind label, else her imported one."""
    votes: dict[tuple[str, str], dict[str, Vote]] = {}
    for id, question_id, n, question, content, group, split, handle, *said, page, phase in store.conn.execute(_VOTES):
        if question_id in questions:
            vote = Vote(n, question, content, group, split, handle, answer_of(*said), page, phase != "imported")
            cast = votes.setdefault((id, question_id), {})
            # Imported rows come first, so the last blind label, also of a hunt, takes the place of the same person's imported one.
            cast[vote.annotator] = vote
    return {key: list(cast.values()) for key, cast in votes.items()}


def answer_of(choice: str | None, choices: str | None, score: float | None) -> Decided | None:
    """An answer from its three columns, the several choices as a JSON list of names; None: unsure, or no answer."""
    if choices is not None:
        return tuple(json.loads(choices))
    return choice if score is None else score


_VOTES = f"""
SELECT t.id, q.id, t.n, q.code, t.content_hash, t.group_name, t.split, a.handle, c.name, {CHOSEN_NAMES},
       e.score, e.codebook, e.phase
FROM (SELECT max(seq) AS last FROM label_events WHERE phase IN ('blind', 'hunt', 'imported') AND surplus = 0 AND action <> 'flag'
      GROUP BY question, phase, annotator, trajectory) latest
JOIN label_events e ON e.seq = latest.last JOIN trajectories t ON t.n = e.trajectory
JOIN questions q ON q.code = e.question JOIN annotators a ON a.code = e.annotator
LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
WHERE e.action IN ('label', 'unsure') ORDER BY e.phase <> 'imported', e.seq
"""


def gold_names(store: Store) -> list[str]:
    """Names in the order of freezing."""
    return [row[0] for row in store.conn.execute("SELECT name FROM gold_sets ORDER BY code")]


def add_gold_set(store: Store, name: str, hash: str, manifest: str, items: list[GoldItem]) -> None:
    """Freezes a set, in one transaction. Raises GoldRefused where the name was taken meanwhile."""
    with store.write():
        if name in gold_names(store):
            raise GoldRefused(f"There is a gold set {name!r} already.", "It was frozen just now.", "Choose another name.")
        code = store.conn.execute(
            "INSERT INTO gold_sets (name, hash, manifest, frozen_at) VALUES (?, ?, ?, ?)", [name, hash, manifest, now()]
        ).lastrowid
        store.conn.executemany(
            "INSERT INTO gold_items VALUES (?, ?, ?, ?)", [(code, item.trajectory, item.question, item.document) for item in items]
        )


def gold_manifest(store: Store, name: str) -> tuple[str, str] | None:
    """Hash and manifest (canonical JSON) of a frozen set."""
    row: tuple[str, str] | None = store.conn.execute("SELECT hash, manifest FROM gold_sets WHERE name = ?", [name]).fetchone()
    return row


def gold_rows(store: Store, name: str) -> Iterator[tuple[str, str | None, str]]:
    """(document, task, steps) of every row, sorted by id and question."""
    yield from store.conn.execute(
        """SELECT i.document, t.task, t.steps FROM gold_items i JOIN gold_sets s ON s.code = i.gold_set
           JOIN trajectories t ON t.n = i.trajectory JOIN questions q ON q.code = i.question
           WHERE s.name = ? ORDER BY t.id, q.id""",
        [name],
    )
