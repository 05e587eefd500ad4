"""What is recorded of a draw, and what its strata were: read back from the rows of the batches."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from data.store.columns import Ints, trajectory_count
from data.store.store import Store
from data.store.verdict_columns import BELOW, NO_VERDICT, REACHED, UNREADABLE, verdict_codes


@dataclass(frozen=True, slots=True)
class VerdictStrata:
    """What a draw is stratified by: the verdicts of one run on one question."""

    run: str
    question: str
    threshold: float | None = None
    """Of scores: whether they reach it."""


@dataclass(frozen=True, slots=True)
class Draw:
    """An estimate batch, as far as pooling needs it."""

    name: str
    split: str | None
    last_trajectory: int
    """The highest number of a trajectory at the draw."""
    last_verdict: int
    """The highest id of a verdict at the draw."""
    by: VerdictStrata | None
    rates: dict[int | None, Fraction]
    """Code of the verdict (None: of all items) to drawn / frame. A stratum without items is not there."""


def read_draws(store: Store) -> list[Draw]:
    """The estimate batches in the order of drawing."""
    rows = store.conn.execute("SELECT name, recipe, frame FROM batches WHERE kind = 'estimate' ORDER BY code")
    return [draw_of(name, json.loads(recipe), json.loads(frame)) for name, recipe, frame in rows]


def draw_of(name: str, recipe: dict[str, Any], frame: dict[str, Any]) -> Draw:
    """A draw from the recipe and frame of its batch (see `batches.NewBatch`)."""
    by = recipe.get("stratify")
    return Draw(
        name=name,
        split=None if recipe["split"] == "all" else recipe["split"],
        last_trajectory=frame["last_trajectory"],
        last_verdict=frame["last_verdict"],
        by=VerdictStrata(by["run"], by["question"], by.get("threshold")) if by else None,
        rates={stratum["verdict"]: Fraction(stratum["drawn"], stratum["items"]) for stratum in frame["strata"]},
    )


def verdicts_at(store: Store, by: VerdictStrata, last: int, size: int) -> Ints:
    """By trajectory number up to `size`: the verdict's code, `UNREADABLE` or `NO_VERDICT`, as they stood at the id `last`."""
    (run,) = store.conn.execute("SELECT code FROM judge_runs WHERE name = ?", [by.run]).fetchone()
    (question,) = store.conn.execute("SELECT code FROM questions WHERE id = ?", [by.question]).fetchone()
    codes = np.full(size + 1, NO_VERDICT, dtype=np.int64)
    items, answers = verdict_codes(store, run, question, last, by.threshold)
    codes[items] = answers
    return codes


def verdict_names(store: Store, by: VerdictStrata) -> dict[int, str]:
    """Code to name of every verdict that there can be: the choices, then `UNREADABLE` and `NO_VERDICT`.

    A name is nobody else's, even where a choice is called like one of the last two.
    """
    if by.threshold is not None:
        at = f"{by.threshold:g}"
        return {BELOW: f"below {at}", REACHED: f"{at} or above", UNREADABLE: "unreadable", NO_VERDICT: "no verdict"}
    rows = store.conn.execute(
        "SELECT c.code, c.name FROM choices c JOIN questions q ON q.code = c.question WHERE q.id = ? ORDER BY c.code", [by.question]
    )
    names: dict[int, str] = dict(rows.fetchall())
    for code, name in ((UNREADABLE, "unreadable"), (NO_VERDICT, "no verdict")):
        while name in names.values():
            name = f"({name})"
        names[code] = name
    return names


def frames_again(store: Store) -> Iterator[tuple[str, str]]:
    """Every estimate batch whose frame or strata are not those of the rows that were there at its draw, and how."""
    size = trajectory_count(store)
    numbers = np.arange(size + 1)
    taken = np.zeros(size + 1, dtype=bool)
    splits = np.array(["", *(row[0] for row in store.conn.execute("SELECT split FROM trajectories ORDER BY n"))], dtype=object)
    rows = store.conn.execute("SELECT code, name, recipe, frame FROM batches WHERE kind = 'estimate' ORDER BY code").fetchall()
    for batch, name, recipe_text, frame_text in rows:
        frame = json.loads(frame_text)
        drawn_by = draw_of(name, json.loads(recipe_text), frame)
        framed = (numbers > 0) & (numbers <= drawn_by.last_trajectory) & ~taken
        if drawn_by.split:
            framed &= splits == drawn_by.split
        codes = verdicts_at(store, drawn_by.by, drawn_by.last_verdict, size) if drawn_by.by else np.zeros(size + 1, dtype=np.int64)
        there = {stratum["verdict"] or 0: stratum for stratum in frame["strata"]}
        for code, count in Counter(codes[framed].tolist()).items():
            if there.get(code, {"items": 0})["items"] != count:
                yield f"batch {name!r}", f"its frame does not say that {count} items were in one of its strata"
        if len(there) != len(set(codes[framed].tolist())) or frame["items"] != framed.sum():
            yield f"batch {name!r}", f"its frame says {frame['items']} items in {len(there)} strata; {framed.sum()} were there"
        if frame["splits"] != dict(Counter(splits[framed].tolist())):
            yield f"batch {name!r}", "its frame does not say how many items of each split were there"
        for number, item, stratum in store.conn.execute(
            "SELECT number, trajectory, stratum FROM batch_items WHERE batch = ? ORDER BY number", [batch]
        ):
            if not framed[item] or there.get(int(codes[item]), {"name": None})["name"] != stratum:
                yield f"batch {name!r}, item {number}", f"it was not in stratum {stratum!r} of the frame"
            taken[item] = True
