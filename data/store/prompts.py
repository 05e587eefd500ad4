"""The revisions of judge prompts that were used: a tree by content hash, which is only ever added to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from data.hashing import canonical_json, document_hash
from data.store.store import Store, now


class Example(NamedTuple):
    """A train item that a prompt shows together with its answer."""

    item: str
    """The trajectory's id."""
    answer: str
    """As the prompt's author wrote it."""
    why: str
    """Nothing, or the reason."""


@dataclass(frozen=True, slots=True)
class RecordedPrompt:
    """One revision."""

    code: int
    hash: str
    question: str
    parent: str | None
    """The hash of the revision that it was made from; None for a first one."""
    author: str
    note: str
    body: str
    """The template, without its front matter."""
    examples: tuple[Example, ...]
    recorded_at: str
    revised: bool
    """Whether it was made in this study from another one: then only dev, and a certificate, may speak of it (DESIGN 8a)."""


def prompt_hash(question: str, body: str, examples: Sequence[Example] = ()) -> str:
    """What a revision is known by: the question's id, template and examples. Author, note and parent do not change a judge."""
    shown = {"examples": examples} if examples else {}
    return document_hash("prompt", {"question": question, "body": body, **shown})


def record_prompt(
    store: Store, question: int, hash: str, parent: str | None, author: str, note: str, body: str, examples: Sequence[Example] = ()
) -> int:
    """The code of the revision, recorded where it is new; `question`: its code. Its parent must be on record already."""
    with store.write():
        code = None if parent is None else store.conn.execute("SELECT code FROM prompts WHERE hash = ?", [parent]).fetchone()
        store.conn.execute(
            """INSERT INTO prompts (hash, question, parent, author, note, body, examples, recorded_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO NOTHING""",
            [hash, question, None if code is None else code[0], author, note, body, canonical_json(examples), now()],
        )
        return int(store.conn.execute("SELECT code FROM prompts WHERE hash = ?", [hash]).fetchone()[0])


def recorded_prompts(store: Store, question: str | None = None) -> list[RecordedPrompt]:
    """Every revision in the order of recording, of one question or of all.

    A question's first one on record is no revision; neither is one without a parent that was there before any label, or in a
    study that keeps no dev items: it has nothing to be selected on. One that shows train items with their answers is.
    """
    rows = store.conn.execute(_PROMPTS, [question]).fetchall()
    return [
        RecordedPrompt(code, hash, of, parent, author, note, body, _examples(examples), at, bool(revised))
        for code, hash, of, parent, author, note, body, examples, at, revised in rows
    ]


def _examples(listed: str) -> tuple[Example, ...]:
    return tuple(Example(*each) for each in json.loads(listed))


_PROMPTS = """
SELECT p.code, p.hash, q.id, (SELECT hash FROM prompts WHERE code = p.parent), p.author, p.note, p.body, p.examples, p.recorded_at,
       p.parent IS NOT NULL OR (
           (p.examples <> '[]' OR (
               p.code > (SELECT min(code) FROM prompts WHERE question = p.question)
               AND EXISTS (SELECT 1 FROM label_events e WHERE e.question = p.question AND e.at <= p.recorded_at)))
           AND EXISTS (SELECT 1 FROM trajectories WHERE split = 'dev'))
FROM prompts p JOIN questions q ON q.code = p.question WHERE ?1 IS NULL OR q.id = ?1 ORDER BY p.code
"""
