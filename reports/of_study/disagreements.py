"""Where humans and judge differ: counts of every cell by split, and of the open splits a few items with what both sides wrote.

Train items are open; dev and test only once a lead has spent them (`data/store/test_looks.py`).
"""

import json
from collections import Counter
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np

from data.questions import Question
from data.store import Store
from data.store.causes import causes_of
from data.store.contested import trajectory_text
from data.store.disagreements import Cell, Cells, Disagreement, details, side_by_side
from data.store.gold import Decided
from data.store.selection import SELECTED_ON
from data.store.status import judge_run_codes, question_codes, questions_of_run
from data.store.test_looks import opened_splits
from data.study import Study
from reports.document import selected_on

Document = dict[str, Any]

MOST_ITEMS = 12
"""Items that are told of, for each question and run."""
LONGEST_TASK, LONGEST_WORDS, LONGEST_STEP = 160, 280, 200
"""Characters of an excerpt."""


def disagreements_of(study: Study, store: Store, run: int | None, labels: str | None) -> Document:
    """The disagreements of the human consensus with each run. `run`, `labels`: as in `agreement_of`.

    Of each question and run: `cells` by split, of all splits; `differ`: how many items of the open splits differ; `items`:
    at most `MOST_ITEMS` of these, taken from each cell in turn; `causes`: why annotators disagreed on those that were
    adjudicated; `judge_causes`: why humans and judge differ, of those where a lead has said so.
    """
    with store.reading():
        opened = opened_splits(store)
        codes = {code: name for name, code in judge_run_codes(store).items() if run in (None, code)}
        found = []
        for question in study.questions:
            runs = [code for code in codes if question.id in questions_of_run(store, code)]
            found.append(
                {"id": question.id, "runs": [_run(study, store, question, code, codes[code], labels, opened) for code in runs]}
            )
    return {"study": study.name, "open": list(opened), "questions": found}


def _run(
    study: Study, store: Store, question: Question, run: int, name: str, labels: str | None, opened: tuple[str, ...]
) -> Document:
    beside = side_by_side(store, study, question.id, run, labels)
    tables = [beside.cells(part) for part in beside.parts]
    if beside.selected:
        # The items of train that are open are no figure of it, and dev is counted alone.
        listed = [_table(_only_dev(table)) for table in tables]
        return {"run": name, **selected_on(True), "tables": listed, "differ": 0, "causes": {}, "judge_causes": {}, "items": []}
    differing = [beside.trajectories(store, cell, opened, table.part).tolist() for table in tables for cell in _off_diagonal(table)]
    in_turn = [number for each in zip_longest(*differing) for number in each if number is not None]
    chosen = list(dict.fromkeys(in_turn))
    named = beside.listed(store, np.array(chosen[:MOST_ITEMS], dtype=np.int64))
    asked = question_codes(store)[question.id]
    why = causes_of(store, run, asked)
    return {
        "run": name,
        "tables": [_table(table) for table in tables],
        "differ": len(chosen),
        "causes": dict(sorted(Counter(beside.causes[number] for number in chosen if number in beside.causes).items())),
        "judge_causes": dict(sorted(Counter(why[number].cause for number in chosen if number in why).items())),
        "items": [_item(store, asked, run, each) for each in named],
    }


def _only_dev(table: Cells) -> Cells:
    none = tuple((0,) * len(table.columns) for _ in table.rows)
    return replace(table, counts={split: counts if split in SELECTED_ON else none for split, counts in table.counts.items()})


def _table(table: Cells) -> Document:
    return {"part": table.part, "rows": list(table.rows), "columns": list(table.columns), "counts": dict(table.counts)}


def _off_diagonal(table: Cells) -> list[Cell]:
    """The cells in which both sides gave an answer and they differ."""
    cells = [(row, column) for row in range(len(table.rows)) for column in range(len(table.columns) - 1)]
    return [cell for cell in cells if table.differ(cell)]


def _item(store: Store, question: int, run: int, found: Disagreement) -> Document:
    """One item with short excerpts: the task, what the humans and the judge wrote, and the step that one of them points at."""
    said = details(store, found.trajectory, question, run)
    agreeing = [vote for vote in said.votes if vote.answer == found.human]
    words = next((vote.rationale for vote in agreeing if vote.rationale), "")
    pointed = [("humans", vote.evidence[0]) for vote in agreeing if vote.evidence]
    pointed += [("judge", said.verdict.cites[0])] if said.verdict and said.verdict.cites else []
    task, steps, _ = trajectory_text(store, found.trajectory) or (None, "[]", "{}")
    document: Document = {
        "id": found.id,
        "split": found.split,
        "human": in_words(found.human),
        "judge": in_words(found.judge),
        "basis": found.basis,
        "votes": [[in_words(answer), count] for answer, count in found.votes],
        "unsure": found.unsure,
        "cause": found.cause,
        "task": excerpt(task or "", LONGEST_TASK),
        "human_words": excerpt(words, LONGEST_WORDS),
        "judge_words": excerpt(said.verdict.rationale if said.verdict else "", LONGEST_WORDS),
    }
    if pointed:
        who, place = pointed[0]
        document["step"] = {"by": who, "number": place + 1, "text": excerpt(_step(json.loads(steps)[place]), LONGEST_STEP)}
    return document


def in_words(answer: Decided | None) -> str:
    """An answer as text."""
    if answer is None:
        return "unreadable"
    if isinstance(answer, tuple):
        return ", ".join(answer) or "none of them"
    return f"{answer:g}" if isinstance(answer, float) else answer


def _step(step: dict[str, Any]) -> str:
    if step["kind"] == "tool_call":
        arguments = step.get("arguments", "")
        told = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        return f"{step.get('tool', '')} {told}"
    return str(step.get("text", ""))


def excerpt(text: str, longest: int) -> str:
    """`text` on one line, cut after `longest` characters, between words where there are any."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    return (cut.rpartition(" ")[0] if " " in cut[longest // 2 :] else cut).rstrip(" ,;:–-") + " …"
