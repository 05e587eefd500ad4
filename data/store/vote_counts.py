"""Counting votes: how many items have which pattern of labels, by stratum and by group, and what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.store.columns import Bools, Ints, numbered
from data.store.pairing import clusters_of
from data.store.patterns import Patterns, patterns_of
from data.store.pooling import Pool
from data.store.ratings import Ratings
from data.store.sides import SKIPPED
from data.tallies import Pattern, StratumMissing, VoteStratum


@dataclass(frozen=True, slots=True)
class VoteCounts:
    """As `QuestionTally` has them."""

    counts: Mapping[tuple[int, ...], int]
    units: Mapping[Pattern, int]
    strata: tuple[VoteStratum, ...]
    clusters: Mapping[tuple[tuple[int, Pattern, int], ...], int]
    missing: tuple[StratumMissing, ...]
    outside: int


def count_votes(ratings: Ratings, pool: Pool, group_of: Ints) -> VoteCounts:
    """The votes on one question. Items that everybody skipped have none."""
    items, patterns = _patterns(ratings)
    names = [_named(pattern, ratings) for pattern in patterns.listed]
    counts = dict(zip(names, np.bincount(patterns.of, minlength=len(names)).tolist(), strict=True))
    done, skipped = _done(ratings)
    imported = any(side.imported.any() for side in ratings.people.values())
    stratum = np.zeros(len(items), dtype=np.int64) if imported else pool.stratum_of[items]
    clusters = {
        tuple((cell // len(names), names[cell % len(names)], count) for cell, count in held): groups
        for held, groups in clusters_of(group_of[items], stratum * len(names) + patterns.of).items()
    }
    by_choice = ratings.question.answered_by == "choice"
    return VoteCounts(
        counts={tuple(map(int, pattern)): count for pattern, count in counts.items()} if by_choice else {},
        units={} if by_choice else counts,
        strata=() if imported else _strata(pool, stratum, patterns, names, done),
        clusters=clusters,
        missing=() if imported else _missing(pool, done, skipped),
        outside=0 if imported else pool.outside,
    )


def _patterns(ratings: Ratings) -> tuple[Ints, Patterns]:
    """Items with a label or an unsure, ascending, and the votes on each, of those to whom the question was put."""
    rows = []
    for name, side in ratings.people.items():
        before = ratings.condition.ratings.human(name) if ratings.condition else None
        asked = ratings.asked(side.items, before) & (side.answers != SKIPPED)
        rows.append((side.items[asked], side.answers[asked]))
    items = np.concatenate([np.empty(0, dtype=np.int64), *(row[0] for row in rows)])
    answers = np.concatenate([np.empty(0, dtype=np.int64), *(row[1] for row in rows)])
    there = np.zeros(ratings.size + 1, dtype=bool)
    there[items] = True
    place = (np.cumsum(there) - 1)[items]
    given = answers >= 0
    things, thing = numbered(answers[given])
    found = patterns_of(place[given], thing, int(there.sum()))
    listed = [tuple((int(things[k]), count) for k, count in pattern) for pattern in found.listed]
    return np.flatnonzero(there), Patterns(listed, found.groups, found.of)


def _named(pattern: tuple[tuple[int, int], ...], ratings: Ratings) -> Pattern:
    """A pattern of (answer, votes) as `tallies.Pattern` has it."""
    if ratings.question.answered_by == "choice":
        votes = [0] * len(ratings.question.choices)
        for choice, count in pattern:
            votes[choice] = count
        return tuple(votes)
    levels = ratings.levels.tolist()
    return tuple(levels[answer] if levels else answer for answer, count in pattern for _ in range(count))


def missing_of(ratings: Ratings, pool: Pool) -> tuple[StratumMissing, ...]:
    """What is missing of each stratum's draw, over all annotators."""
    return _missing(pool, *_done(ratings))


def _done(ratings: Ratings) -> tuple[Bools, Bools]:
    """By trajectory number: whether somebody has finished it, and whether somebody skipped it."""
    done, skipped = np.zeros(ratings.size + 1, dtype=bool), np.zeros(ratings.size + 1, dtype=bool)
    for name in ratings.everybody():
        side = ratings.human(name)
        done |= ratings.finished(name)
        skipped[side.items[side.answers == SKIPPED]] = True
    return done, skipped


def _strata(pool: Pool, stratum: Ints, patterns: Patterns, names: list[Pattern], done: Bools) -> tuple[VoteStratum, ...]:
    tables = np.bincount(stratum * len(names) + patterns.of, minlength=len(pool.strata) * len(names)).reshape(
        len(pool.strata), len(names)
    )
    finished = np.bincount(pool.stratum_of[done & (pool.stratum_of >= 0)], minlength=len(pool.strata)).tolist()
    return tuple(
        VoteStratum(
            each.name,
            each.frame,
            finished[k],
            {name: count for name, count in zip(names, tables[k].tolist(), strict=True) if count},
        )
        for k, each in enumerate(pool.strata)
    )


def _missing(pool: Pool, done: Bools, skipped: Bools) -> tuple[StratumMissing, ...]:
    size = len(pool.strata)
    only_skipped = np.bincount(pool.stratum_of[pool.drawn & ~done & skipped], minlength=size).tolist()
    unfinished = np.bincount(pool.stratum_of[pool.drawn & ~done & ~skipped], minlength=size).tolist()
    return tuple(StratumMissing(each.name, each.drawn, unfinished[k], only_skipped[k]) for k, each in enumerate(pool.strata))
