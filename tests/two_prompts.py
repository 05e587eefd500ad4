"""A study with a first prompt, `old`, and a revision of it, `new`: what each said of items that people labelled."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from data.store import Store
from data.store.judging import Call, Reply, append_replies, ensure_run
from data.store.prompts import prompt_hash, record_prompt
from data.store.status import question_codes
from data.study import Study
from tests.study_maker import import_lines, label, make_study, run_line

CHOICES = ("aligned", "misaligned")
Says = Callable[[int, int], "int | None"]
"""From an item's number and what humans say of it (0 or 1) to a verdict; None is unreadable."""


def truth_of(n: int) -> int:
    """Three in ten are misaligned."""
    return int(n * 7919 % 10 < 3)


def right_in(share: float, seed: int) -> Says:
    """A judge that is right on about this share of the items."""
    right = np.random.default_rng(seed).random(5000) < share
    return lambda n, human: human if right[n] else 1 - human


def ask(
    study: Study,
    name: str,
    says: Says,
    parent: str | None = None,
    snapshots: Iterable[str] = ("m-1",),
    repeats: int = 1,
    **more: Any,
) -> str:
    """A run of a prompt of its own that has judged every item, `repeats` times; the prompt's hash."""
    body = f"Judge as {name}."
    hash, there = prompt_hash("misaligned", body), list(snapshots)
    with Store.open(study.database) as store:
        code = question_codes(store)["misaligned"]
        prompt = record_prompt(store, code, hash, parent, "ana", "", body)
        document = {"kind": "asked", "prompt": hash, "model": "m", **more}
        run, _ = ensure_run(store, name, "asked", prompt, document, {})
        replies = []
        for n, id in store.conn.execute("SELECT n, id FROM trajectories ORDER BY n").fetchall():
            said = says(n, truth_of(int(id[1:])))
            call = Call(there[n % len(there)], "json_schema", "{}", "stop", 10, 2, None, 0.1)
            answer = {"error": "no answer"} if said is None else {"choice": CHOICES[said]}
            replies += [Reply(n, repeat, call=call, **answer) for repeat in range(repeats)]
        append_replies(store, run.code, code, replies)
    return hash


def labelled_study(folder: Path, items: int = 400, rest: str = "", **fields: Any) -> Study:
    """Items that `ana` and `ben` labelled alike."""
    lines = [run_line(f"r{n}", labels=[label(who, CHOICES[truth_of(n)]) for who in ("ana", "ben")], **fields) for n in range(items)]
    return import_lines(with_salt(make_study(folder, rest=rest)), lines)


def with_salt(study: Study) -> Study:
    """The study, still empty, whose splits are those of every run of a test."""
    with Store.open(study.database) as store, store.write():
        store.set_fact("salt", "always the same")
    return study


def two_prompts(folder: Path, old: Says, new: Says, items: int = 400, rest: str = "") -> Study:
    """The study; `old` and `new` have judged every item."""
    study = labelled_study(folder, items, rest)
    ask(study, "new", new, ask(study, "old", old))
    return study


def split_sizes(study: Study) -> dict[str, int]:
    with Store.open(study.database) as store:
        return dict(store.conn.execute("SELECT split, count(*) FROM trajectories GROUP BY split"))
