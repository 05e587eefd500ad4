"""Counting a judge run's replies to the same items: what its consistency with itself rests on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data.questions import Question
from data.repeat_tallies import RepeatTally
from data.store.columns import Ints, trajectory_count
from data.store.groups import group_numbers
from data.store.selection import selection
from data.store.sides import ERROR, SideReader
from data.store.store import Store


def repeat_tallies(store: Store, questions: Sequence[Question], run: int | None) -> dict[str, list[RepeatTally]]:
    """By question id: every run that answered an item more than once, by name. `run`: the code of one run, or None for all.

    All trajectories count, labelled or not; of a run whose prompt was revised in this study those of dev. Call it within
    `Store.reading`.
    """
    runs = store.conn.execute("SELECT code, name FROM judge_runs WHERE ?1 IS NULL OR code = ?1 ORDER BY name", [run]).fetchall()
    found: dict[str, list[RepeatTally]] = {}
    selected = selection(store)
    for question in questions:
        for code, name in runs:
            reader = SideReader(store, question, selected.items if selected.of(name) else None)
            repeats = _repeats(store, code, reader.code)
            if len(repeats) > 1 and (tally := _tally(store, reader, code, name, repeats)) is not None:
                found.setdefault(question.id, []).append(replace(tally, selected=selected.of(name)))
    return found


def _repeats(store: Store, run: int, question: int) -> list[int]:
    """The numbers of the repeats that there are, ascending."""
    return [repeat for (repeat,) in store.conn.execute(_REPEATS, {"run": run, "question": question})]


# From one repeat to the next by the index, instead of over every verdict of the run.
_REPEATS = """
WITH RECURSIVE there(repeat) AS (
    SELECT min(repeat) FROM verdicts INDEXED BY verdict_answers WHERE run = :run AND question = :question
    UNION ALL
    SELECT (SELECT min(repeat) FROM verdicts INDEXED BY verdict_answers
            WHERE run = :run AND question = :question AND repeat > there.repeat) FROM there WHERE there.repeat IS NOT NULL)
SELECT repeat FROM there WHERE repeat IS NOT NULL
"""


def _tally(store: Store, reader: SideReader, run: int, name: str, repeats: Sequence[int]) -> RepeatTally | None:
    """None where no item has two replies, as where each repeat went over other items."""
    said = [reader.verdicts(run, repeat) for repeat in repeats]
    item = np.concatenate([each.items for each in said])
    unreadable = np.concatenate([each.reasons for each in said]) == ERROR
    values, answer = np.unique(np.concatenate([each.values for each in said]), return_inverse=True)
    answer = np.where(unreadable, len(values), answer)
    size, width = trajectory_count(store) + 1, len(values) + 1
    replies = np.bincount(item, minlength=size)
    cells, times = np.unique(item * width + answer, return_counts=True)
    same = np.bincount(cells // width, weights=times * (times - 1) // 2, minlength=size).astype(np.int64)
    unreadable_of = np.bincount(item[unreadable], minlength=size)
    again: Ints = np.flatnonzero(replies > 1)
    if not len(again):
        return None
    of_item = replies[again]
    return RepeatTally(
        run=name,
        repeats=int(of_item.max()),
        replies=of_item,
        differing=of_item * (of_item - 1) // 2 - same[again],
        group=group_numbers(store)[again],
        unreadable_items=int((unreadable_of[again] > 0).sum()),
        unreadable_replies=int(unreadable_of[again].sum()),
        once=int((replies == 1).sum()),
    )
