"""Counting panels: what a judge run and at least two annotators said of the same items."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from data.human_tallies import Panel, PanelItem, PanelStratum
from data.store.columns import Bools, Ints, numbered
from data.store.pairing import clusters_of
from data.store.patterns import patterns_of
from data.store.pooling import Pool
from data.store.sides import ERROR, MISSING, Side
from data.store.tallying import Answers


def count_panel(answers: Answers, run: str, people: Mapping[str, Side], done: Ints) -> Panel:
    """The panel of a run. `people`: what was put to them; `done`: by trajectory number, how many have finished it."""
    ratings = answers.ratings
    verdicts = ratings.verdicts[run].on(ratings.size)
    labels = np.zeros(ratings.size + 1, dtype=np.int64)
    for side in people.values():
        labels[side.items[side.answers >= 0]] += 1
    twice = labels >= 2
    inside = twice & (verdicts >= 0)
    pool = answers.pool_of(*people.values())
    values, items, alike = _items(people, inside, verdicts, pool)
    strata = () if pool is None else _strata(pool, done, verdicts)
    rates = {Fraction(each.frame, each.finished) if each.finished else None for each in strata if each.judged}
    levels = ratings.levels.tolist()
    return Panel(
        judge=run,
        people=tuple(people),
        answers=tuple(levels[value] if levels else value for value in values.tolist()),
        items=dict(zip(items, np.bincount(alike, minlength=len(items)).tolist(), strict=True)),
        single=int(((labels == 1) & (verdicts >= 0)).sum()),
        unreadable=int((twice & (verdicts == ERROR)).sum()),
        missing=int((twice & (verdicts == MISSING)).sum()),
        design="imported" if pool is None else pool.design,
        weighted=len(rates) > 1,
        strata=strata,
        clusters=clusters_of(answers.frame.group_of[inside], alike),
    )


def _items(people: Mapping[str, Side], inside: Bools, verdicts: Ints, pool: Pool | None) -> tuple[Ints, list[PanelItem], Ints]:
    """The answers that occur, the distinct items, and for each item (ascending) the place of what it is like."""
    place = np.cumsum(inside) - 1
    numbers = np.flatnonzero(inside)
    rows = [(numbers, verdicts[numbers])]
    for side in people.values():
        kept = inside[side.items] & (side.answers >= 0)
        rows.append((side.items[kept], side.answers[kept]))
    values, answer = numbered(np.concatenate([said for _, said in rows]))
    rater = np.repeat(np.arange(len(rows)), [len(said) for _, said in rows])
    width = max(1, len(values))
    things = [rater * width + answer]
    of_item = [place[np.concatenate([items for items, _ in rows])]]
    if pool is not None:
        # The stratum stands after all raters, as one thing more that an item has.
        things.append(len(rows) * width + pool.stratum_of[numbers])
        of_item.append(place[numbers])
    met, thing = numbered(np.concatenate(things))
    found = patterns_of(np.concatenate(of_item), thing, len(numbers))
    listed = [[divmod(int(met[each]), width) for each, _ in pattern] for pattern in found.listed]
    items = []
    for (_, verdict), *others in listed:
        votes = tuple((one - 1, said) for one, said in others if one < len(rows))
        stratum = 0 if pool is None else sum((one - len(rows)) * width + said for one, said in others if one >= len(rows))
        items.append((stratum, verdict, votes))
    return values, items, found.of


def _strata(pool: Pool, done: Ints, verdicts: Ints) -> tuple[PanelStratum, ...]:
    inside = pool.stratum_of >= 0
    size = len(pool.strata)
    finished = np.bincount(pool.stratum_of[inside & (done >= 2)], minlength=size).tolist()
    judged = np.bincount(pool.stratum_of[inside & (verdicts >= 0)], minlength=size).tolist()
    return tuple(PanelStratum(each.name, each.frame, finished[k], judged[k] > 0) for k, each in enumerate(pool.strata))
