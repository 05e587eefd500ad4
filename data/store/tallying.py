"""Counting who said what beside whom: rows of the store in, `data.tallies` out.

Choices are small whole numbers throughout, and everything is counted on columns at once.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.questions import Question
from data.store.chosen import CHOSEN_NAMES
from data.store.store import Store
from data.store.versions import choice_codes
from data.study import Study
from data.tallies import Excluded, PairTally, QuestionTally

# Answers are codes: 0 and above a choice, below that a reason why there is none.
UNSURE, SKIPPED, TIE, ERROR, MISSING = -1, -2, -3, -4, -5
SOURCES = ("batch", "imported", "all")


@dataclass(frozen=True, slots=True)
class _Labels:
    """One row per item and annotator: `item`, `annotator`, `answer`, `codebook`."""

    table: pd.DataFrame
    design: str


def tally(store: Store, study: Study, run: int | None, source: str | None) -> list[QuestionTally]:
    """Every question's counts. `run`: the code of one judge run, or None for all; `source`: see `SOURCES`."""
    runs = {
        code: name
        for code, name in store.conn.execute("SELECT code, name FROM judge_runs ORDER BY name")
        if run is None or code == run
    }
    groups = _groups(store)
    known: dict[str, _Answers] = {}
    tallies = []
    for question in study.questions:
        if question.answered_by != "choice":
            continue  # several choices and scores are not counted in tables of choices
        answers = _Answers.read(store, question, runs, source)
        known[question.id] = answers
        outside = known.get(question.when.question) if question.when else None
        tallies.append(_tally_question(answers, outside, groups))
    return tallies


@dataclass(frozen=True, slots=True)
class _Answers:
    """All answers to one question, as columns of codes by item."""

    question: Question
    labels: _Labels
    people: Mapping[str, pd.Series]
    """Handle -> answer by item."""
    consensus: pd.Series
    verdicts: Mapping[str, pd.Series]
    """Run -> answer by item."""

    @classmethod
    def read(cls, store: Store, question: Question, runs: dict[int, str], source: str | None) -> "_Answers":
        row = store.conn.execute("SELECT code FROM questions WHERE id = ?", [question.id]).fetchone()
        code = -1 if row is None else row[0]
        places = choice_codes(store, code)
        place = {places[choice]: position for position, choice in enumerate(question.choices) if choice in places}
        labels = _read_labels(store, code, place, source)
        people = {str(handle): part.set_index("item")["answer"] for handle, part in labels.table.groupby("annotator", sort=True)}
        verdicts = {name: _read_verdicts(store, run, code, place) for run, name in runs.items()}
        return cls(
            question,
            labels,
            people,
            _consensus(labels.table, len(question.choices)),
            {name: answers for name, answers in verdicts.items() if len(answers)},
        )


def _read_labels(store: Store, question: int, place: dict[int, int], source: str | None) -> _Labels:
    if source is None:
        labels = _read_labels(store, question, place, "batch")
        # Skips alone are no labels; nor is what was undone, or surplus.
        batch = (labels.table["answer"] != SKIPPED).any()
        return labels if batch else _read_labels(store, question, place, "imported")
    phases = {"batch": ("blind",), "imported": ("imported",), "all": ("blind", "imported")}[source]
    marks = ",".join("?" * len(phases))
    # The latest event of a person on an item decides: SQLite takes the other columns from the row of max(seq).
    # Of one person's blind and imported answers the blind one stands, as in a gold set; a skip gives way to either.
    order = "ORDER BY e.action <> 'skip', e.phase = 'blind'" if source == "all" else ""
    rows = store.conn.execute(
        f"""SELECT e.trajectory, a.handle, e.action, e.choice, e.last FROM
            (SELECT annotator, trajectory, phase, action, choice, max(seq) AS last FROM label_events INDEXED BY label_answers
             WHERE question = ? AND phase IN ({marks}) AND surplus = 0 AND action <> 'flag'
             GROUP BY phase, annotator, trajectory) e
            JOIN annotators a ON a.code = e.annotator WHERE e.action <> 'undo' {order}""",
        [question, *phases],
    ).fetchall()
    answer = {"unsure": UNSURE, "skip": SKIPPED}
    pages = dict(
        store.conn.execute("SELECT seq, codebook FROM label_events WHERE question = ? AND codebook IS NOT NULL", [question])
    )
    table = pd.DataFrame(
        {
            "item": np.array([row[0] for row in rows], dtype=np.int64),
            "annotator": pd.Series([row[1] for row in rows], dtype="object"),
            "answer": np.array([place[row[3]] if row[2] == "label" else answer[row[2]] for row in rows], dtype=np.int64),
            "codebook": pd.Series([pages.get(row[4]) for row in rows], dtype="object"),
        }
    ).drop_duplicates(["item", "annotator"], keep="last")
    return _Labels(table, "simple" if source == "batch" else "imported")


def _read_verdicts(store: Store, run: int, question: int, place: dict[int, int]) -> pd.Series:
    rows = store.conn.execute(
        "SELECT trajectory, choice FROM verdicts INDEXED BY verdict_answers WHERE run = ? AND question = ? AND repeat = 0",
        [run, question],
    ).fetchall()
    answers = np.array([ERROR if choice is None else place[choice] for _, choice in rows], dtype=np.int64)
    return pd.Series(answers, index=pd.Index([item for item, _ in rows], dtype="int64"))


def _consensus(table: pd.DataFrame, choices: int) -> pd.Series:
    """By item: the choice of more than half of the labels that are not unsure, else why there is none."""
    votes = _votes(table, choices)
    if not len(votes):
        return pd.Series(dtype="int64")
    counts = votes.to_numpy()
    total = counts.sum(axis=1)
    top = counts.argmax(axis=1)
    settled = counts[np.arange(len(counts)), top] * 2 > total
    unsure = table.assign(unsure=table["answer"] == UNSURE).groupby("item")["unsure"].any().reindex(votes.index)
    answer = np.where(settled, top, np.where(total > 0, TIE, np.where(unsure.to_numpy(dtype=bool), UNSURE, SKIPPED)))
    return pd.Series(answer, index=votes.index)


def _votes(table: pd.DataFrame, choices: int) -> pd.DataFrame:
    """Items x choices: how many annotators chose what. Items whose labels are all unsure have a row of zeros."""
    items = pd.Index(np.sort(table["item"].unique()), dtype="int64")
    chosen = table[table["answer"] >= 0]
    counts = np.zeros((len(items), choices), dtype=np.int64)
    np.add.at(counts, (items.get_indexer(chosen["item"]), chosen["answer"].to_numpy()), 1)
    return pd.DataFrame(counts, index=items)


def _groups(store: Store) -> pd.Series:
    rows = store.conn.execute("SELECT n, group_name FROM trajectories").fetchall()
    names = pd.factorize(np.array([name for _, name in rows], dtype=object))[0]
    return pd.Series(names, index=pd.Index([n for n, _ in rows], dtype="int64"))


def _tally_question(answers: _Answers, condition: _Answers | None, groups: pd.Series) -> QuestionTally:
    question = answers.question
    judge_pairs, human_pairs = [], []
    for run, verdicts in answers.verdicts.items():
        for name, human in (("consensus", answers.consensus), *answers.people.items()):
            if not len(human):
                continue
            asked = _asked(answers, condition, human, name, run)
            pair = _judge_pair(answers, f"human:{name}", human[asked], f"judge:{run}", verdicts, groups)
            if pair:
                judge_pairs.append(pair)
    names = sorted(answers.people)
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            human_pair = _human_pair(answers, first, second, condition, groups)
            if human_pair:
                human_pairs.append(human_pair)
    votes = _votes(_where_asked(answers, condition), len(question.choices))
    return QuestionTally(
        id=question.id,
        type=question.type,
        choices=question.choices,
        positive=None if question.positive is None else question.choices.index(question.positive),
        judge_pairs=tuple(judge_pairs),
        human_pairs=tuple(human_pairs),
        votes=_patterns(votes),
    )


def _where_asked(answers: _Answers, condition: _Answers | None) -> pd.DataFrame:
    """The labels that their annotators gave where `when` held for themselves, or where they did not say."""
    table, when = answers.labels.table, answers.question.when
    if condition is None or when is None:
        return table
    wanted = condition.question.choices.index(when.choice)
    asked = np.ones(len(table), dtype=bool)
    for name, side in condition.people.items():
        rows = (table["annotator"] == name).to_numpy()
        asked[rows] = _holds(side, pd.Index(table.loc[rows, "item"]), wanted)
    return table[asked]


def _patterns(votes: pd.DataFrame) -> dict[tuple[int, ...], int]:
    """How many items have which row of votes."""
    if not len(votes):
        return {}
    patterns, counts = np.unique(votes.to_numpy(), axis=0, return_counts=True)
    return {tuple(map(int, pattern)): int(count) for pattern, count in zip(patterns, counts, strict=True)}


def _asked(answers: _Answers, condition: _Answers | None, human: pd.Series, name: str, run: str) -> npt.NDArray[np.bool_]:
    """Items where `when` holds on at least one side. A side that did not answer the condition does not rule out."""
    when = answers.question.when
    if condition is None or when is None:
        return np.ones(len(human), dtype=bool)
    wanted = condition.question.choices.index(when.choice)
    sides = (condition.consensus if name == "consensus" else condition.people.get(name), condition.verdicts.get(run))
    return np.logical_or(_holds(sides[0], human.index, wanted), _holds(sides[1], human.index, wanted))


def _holds(side: pd.Series | None, items: pd.Index, wanted: int) -> npt.NDArray[np.bool_]:
    if side is None or not len(side):
        return np.ones(len(items), dtype=bool)
    found = side.reindex(items, fill_value=MISSING).to_numpy()
    return np.asarray((found == wanted) | (found < 0), dtype=bool)


def _judge_pair(
    answers: _Answers, rows: str, human: pd.Series, columns: str, verdicts: pd.Series, groups: pd.Series
) -> PairTally | None:
    judge = verdicts.reindex(human.index, fill_value=MISSING)
    if (judge == MISSING).all():
        return None
    h, j = human.to_numpy(), judge.to_numpy()
    size = len(answers.question.choices)
    human_said = h >= 0
    unreadable = np.bincount(h[human_said & (j == ERROR)], minlength=size)
    excluded = Excluded(
        missing=int((human_said & (j == MISSING)).sum()),
        skipped=int((h == SKIPPED).sum()),
        unsure=int((h == UNSURE).sum()),
        tie=int((h == TIE).sum()),
        error=int(unreadable.sum()),
    )
    both = human_said & (j >= 0)
    return _pair(answers, rows, columns, h[both], j[both], human.index[both], excluded, groups, tuple(map(int, unreadable)))


def _human_pair(answers: _Answers, first: str, second: str, condition: _Answers | None, groups: pd.Series) -> PairTally | None:
    a, b = answers.people[first].align(answers.people[second], join="inner")
    when = answers.question.when
    if condition is not None and when is not None:
        wanted = condition.question.choices.index(when.choice)
        asked = _holds(condition.people.get(first), a.index, wanted) | _holds(condition.people.get(second), a.index, wanted)
        a, b = a[asked], b[asked]
    if not len(a):
        return None
    x, y = a.to_numpy(), b.to_numpy()
    skipped = (x == SKIPPED) | (y == SKIPPED)
    unsure = ~skipped & ((x == UNSURE) | (y == UNSURE))
    both = ~skipped & ~unsure
    excluded = Excluded(skipped=int(skipped.sum()), unsure=int(unsure.sum()))
    return _pair(answers, f"human:{first}", f"human:{second}", x[both], y[both], a.index[both], excluded, groups, ())


def _pair(
    answers: _Answers, rows: str, columns: str, x: npt.NDArray[np.int64], y: npt.NDArray[np.int64], items: pd.Index,
    excluded: Excluded, groups: pd.Series, unreadable: tuple[int, ...],
) -> PairTally:  # fmt: skip
    size = len(answers.question.choices)
    confusion = np.bincount(x * size + y, minlength=size * size).reshape(size, size)
    table = answers.labels.table
    names = {rows.removeprefix("human:"), columns.removeprefix("human:")}
    used = table[table["item"].isin(items) & (table["annotator"].isin(names) | (rows == "human:consensus"))]
    codebooks = used["codebook"].dropna().value_counts()
    return PairTally(
        rows=rows,
        columns=columns,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        unreadable=unreadable,
        excluded=excluded,
        design=answers.labels.design,
        groups=int(groups.reindex(items).nunique()),
        codebooks={str(page): int(count) for page, count in sorted(codebooks.items())},
    )


def current_labels(store: Store) -> list[dict[str, object]]:
    """Every current label, ordered by question, trajectory and annotator; undone and surplus ones left out.

    The answer stands under `choice`, `choices` or `score`, as its question is declared; null where there is none.
    """
    store.conn.row_factory = sqlite3.Row
    try:
        rows = [dict(row) for row in store.conn.execute(_CURRENT)]
    finally:
        store.conn.row_factory = None
    return [_label(row, row.pop("type")) for row in rows]


def _label(row: dict[str, Any], type: str | None) -> dict[str, object]:
    kind = {"multilabel": "choices", "score": "score"}.get(type or "", "choice")
    parsed = {key: json.loads(row[key]) for key in ("choices", "evidence") if row[key] is not None}
    return {key: value for key, value in (row | parsed).items() if key not in ("choice", "choices", "score") or key == kind}


_CURRENT = f"""
SELECT t.id AS id, q.id AS question, a.handle AS annotator, e.action AS action, c.name AS choice, {CHOSEN_NAMES} AS choices,
       e.score AS score, e.evidence AS evidence,
       e.rationale AS rationale, e.reason AS reason, e.confidence AS confidence, e.phase AS phase, b.name AS batch,
       e.codebook AS codebook, e.question_version AS question_version, e.shown AS shown, e.active_seconds AS active_seconds,
       e.at AS at, (SELECT json_extract(v.document, '$.type') FROM question_versions v WHERE v.question = q.code
                    ORDER BY v.rowid DESC LIMIT 1) AS type
FROM (SELECT max(seq) AS last FROM label_events WHERE phase IN ('blind', 'imported') AND surplus = 0 AND action <> 'flag'
      GROUP BY question, phase, annotator, trajectory) latest
JOIN label_events e ON e.seq = latest.last JOIN trajectories t ON t.n = e.trajectory
JOIN questions q ON q.code = e.question JOIN annotators a ON a.code = e.annotator
LEFT JOIN batches b ON b.code = e.batch LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
WHERE e.action <> 'undo' ORDER BY q.id, t.id, a.handle, e.phase
"""
