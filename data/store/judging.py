"""What a judge says, as it comes in: runs by identity, and verdicts with the calls that brought them, in small groups.

(run, trajectory, question, repeat) is there once: that is the cache of what was paid for, and the point where a run
that was killed goes on. A call that ended without a reply leaves no row, and is made again.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import RejudgeError
from data.hashing import canonical_json, document_hash
from data.store.chain import as_kept, chain_hash, last_link
from data.store.chosen import chosen_bits
from data.store.incoming import VERDICT_CHAINED
from data.store.store import Store, now
from data.store.versions import choice_codes


@dataclass(frozen=True, slots=True)
class JudgeRun:
    """One prompt x model x parameters, or a baseline, or imported verdicts."""

    code: int
    name: str
    kind: str
    """`imported`, `asked` or `baseline`."""
    prompt: int | None
    """The code of its prompt, for one that was asked."""
    document: dict[str, Any]
    """All that makes it this judge and no other; its hash is the run's identity."""
    view: dict[str, Any]
    """What the judge sees of a trajectory."""

    @property
    def identity(self) -> str:
        """64 hexadecimal digits."""
        return document_hash("judge", self.document)


@dataclass(frozen=True, slots=True)
class Call:
    """How a reply was got."""

    snapshot: str
    """The model that the server says it was; empty where it says nothing."""
    mode: str
    """How an answer was asked for: `json_schema`, `json_object` or `text`."""
    raw: str
    """The reply as it came."""
    finish: str
    """Why the server ended it: `stop`, `length`, ...; empty where it says nothing."""
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    """In the unit of `[judge.price]`; None without a price or a count of tokens."""
    seconds: float | None
    """From sending to the end of the reply, without the waits between attempts."""
    attempts: int = 1
    notes: tuple[str, ...] = ()
    """What was cut or left out, in words: parts of the trajectory, citations of steps that do not exist."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A verdict on one trajectory: one of `choice`, `choices`, `score` and `error`; with the call, where there was one."""

    trajectory: int
    """Its number in the store."""
    repeat: int = 0
    choice: str | None = None
    choices: tuple[str, ...] | None = None
    score: float | None = None
    error: str | None = None
    rationale: str | None = None
    cites: tuple[int, ...] | None = None
    """Positions in its steps."""
    confidence: float | None = None
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class ToJudge:
    """A trajectory as the store has it, before any rule about what a judge sees."""

    n: int
    id: str
    content_hash: str
    group: str
    split: str
    task: str | None
    steps: list[dict[str, Any]]
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What a run has brought so far, and what it took."""

    verdicts: dict[str, int]
    """By split, of all repeats."""
    unreadable: dict[str, int]
    """By split: those without an answer."""
    repeats: int
    tokens_in: int | None
    """None where no call tells them."""
    tokens_out: int | None
    cost: float | None
    """In the unit of `[judge.price]`; None where no call has one."""
    snapshots: tuple[str, ...]
    """The models that the server said it was, in alphabetical order."""


def judge_runs(store: Store) -> list[JudgeRun]:
    """Every run in the order of recording."""
    rows = store.conn.execute("SELECT code, name, kind, prompt, document, evidence_view FROM judge_runs ORDER BY code")
    return [
        JudgeRun(code, name, kind, prompt, json.loads(document), json.loads(view))
        for code, name, kind, prompt, document, view in rows
    ]


def run_named(store: Store, name: str) -> JudgeRun | None:
    return next((run for run in judge_runs(store) if run.name == name), None)


def run_totals(store: Store) -> dict[int, RunTotals]:
    """By the code of a run that has a verdict."""
    found: dict[int, tuple[dict[str, int], dict[str, int]]] = {}
    for run, split, verdicts, unreadable in store.conn.execute(
        """SELECT v.run, t.split, count(*), count(v.error) FROM verdicts v JOIN trajectories t ON t.n = v.trajectory
           GROUP BY v.run, t.split ORDER BY v.run, t.split"""
    ):
        told = found.setdefault(run, ({}, {}))
        told[0][split], told[1][split] = verdicts, unreadable
    rows = store.conn.execute(
        """SELECT v.run, 1 + max(v.repeat), sum(c.tokens_in), sum(c.tokens_out), total(c.cost), count(c.cost),
                  json_group_array(DISTINCT c.snapshot) FILTER (WHERE c.snapshot <> '')
           FROM verdicts v LEFT JOIN judge_calls c ON c.verdict = v.id GROUP BY v.run"""
    )
    return {
        run: RunTotals(*found[run], repeats, tokens_in, tokens_out, cost if priced else None, tuple(sorted(json.loads(snapshots))))
        for run, repeats, tokens_in, tokens_out, cost, priced, snapshots in rows
    }


def ensure_run(
    store: Store, name: str, kind: str, prompt: int | None, document: dict[str, Any], view: dict[str, Any]
) -> tuple[JudgeRun, bool]:
    """The run of this identity, made where it is new, and whether it is.

    `name`: what a new one is called; where that is taken by another judge, with `-2`, `-3`, ... after it.
    """
    identity = document_hash("judge", document)
    with store.write():
        there = store.conn.execute("SELECT name FROM judge_runs WHERE identity = ?", [identity]).fetchone()
        if there is None:
            taken = {row[0] for row in store.conn.execute("SELECT name FROM judge_runs")}
            free = next(named for number in range(1, len(taken) + 2) if (named := _numbered(name, number)) not in taken)
            store.conn.execute(
                """INSERT INTO judge_runs (name, identity, kind, prompt, document, evidence_view, recorded_at)
                   VALUES (?, ?, ?, ?, ?, ?, ?)""",
                [free, identity, kind, prompt, canonical_json(document), canonical_json(view), now()],
            )
    found = next(run for run in judge_runs(store) if run.identity == identity)
    return found, there is None


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def to_judge(
    store: Store, run: int | None, question: int, splits: Sequence[str], limit: int | None = None, repeat: int = 0
) -> list[int]:
    """Numbers of the trajectories of `splits` that the run has no verdict on yet, in their order, of the first `limit` there are.

    `limit` counts trajectories with and without a verdict, so that the same command goes on where it was broken off.
    """
    rows = store.conn.execute(
        """SELECT n FROM (SELECT n FROM trajectories WHERE split IN (SELECT value FROM json_each(?1)) ORDER BY n LIMIT ?2) t
           WHERE NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.trajectory = t.n AND v.run = ?3 AND v.question = ?4 AND v.repeat = ?5)
           ORDER BY n""",
        [json.dumps(list(splits)), -1 if limit is None else limit, run, question, repeat],
    )
    return [n for (n,) in rows]


def fullest(store: Store, runs: Sequence[str], question: int, items: Sequence[int]) -> str:
    """Of these runs, by name, the one with most verdicts on `items` (trajectory numbers); of several the first."""
    rows = store.conn.execute(
        """SELECT r.name, count(*) FROM judge_runs r JOIN verdicts v ON v.run = r.code AND v.question = ?1 AND v.repeat = 0
           WHERE v.trajectory IN (SELECT value FROM json_each(?2)) GROUP BY r.name""",
        [question, json.dumps(list(items))],
    )
    counts = dict(rows.fetchall())
    return max(runs, key=lambda name: counts.get(name, 0))


def trajectories_named(store: Store, ids: Sequence[str]) -> dict[str, ToJudge]:
    """By id; without those that are not there."""
    rows = store.conn.execute("SELECT n FROM trajectories WHERE id IN (SELECT value FROM json_each(?))", [json.dumps(ids)])
    return {each.id: each for each in trajectories(store, [n for (n,) in rows.fetchall()])}


def trajectories(store: Store, numbers: Sequence[int]) -> Iterator[ToJudge]:
    """These trajectories, in the order asked for, one at a time."""
    for n in numbers:
        row = store.conn.execute(
            "SELECT n, id, content_hash, group_name, split, task, steps, metadata FROM trajectories WHERE n = ?", [n]
        ).fetchone()
        if row is None:
            raise RejudgeError(f"There is no trajectory number {n}.", "Found nothing in study.db.", "Ask `rejudge verify`.")
        number, id, content, group, split, task, steps, metadata = row
        yield ToJudge(number, id, content, group, split, task, json.loads(steps), json.loads(metadata))


def append_replies(store: Store, run: int, question: int, replies: Sequence[Reply]) -> list[Reply]:
    """Writes those that are new, in one transaction; which they were. What is there already stays as it is.

    Only `repeat` 0 of a run feeds figures. `question`: its code; a choice must be declared.
    """
    codes = choice_codes(store, question)
    written: list[Reply] = []
    with store.write():
        link, time = last_link(store.conn, "verdicts", "id"), now()
        for reply in replies:
            if store.conn.execute(_THERE, [reply.trajectory, run, question, reply.repeat]).fetchone():
                continue
            values = (
                run, question, reply.trajectory, reply.repeat,
                None if reply.choice is None else codes[reply.choice],
                None if reply.choices is None else chosen_bits(codes, reply.choices),
                as_kept(reply.score), reply.error, reply.rationale,
                None if reply.cites is None else canonical_json(list(reply.cites)), as_kept(reply.confidence),
            )  # fmt: skip
            link = chain_hash("verdict", link, values)
            verdict = store.conn.execute(_VERDICT, (*values, link)).lastrowid
            if call := reply.call:
                store.conn.execute(
                    _CALL,
                    [
                        verdict, time, call.snapshot, call.mode, call.raw, call.finish, call.tokens_in, call.tokens_out, call.cost,
                        call.seconds, call.attempts, canonical_json(list(call.notes)),
                    ],
                )  # fmt: skip
            written.append(reply)
    return written


_THERE = "SELECT 1 FROM verdicts WHERE trajectory = ? AND run = ? AND question = ? AND repeat = ?"
_COLUMNS = (*VERDICT_CHAINED, "chain")
_VERDICT = f"INSERT INTO verdicts ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_CALL = f"INSERT INTO judge_calls VALUES ({', '.join('?' * 12)})"
