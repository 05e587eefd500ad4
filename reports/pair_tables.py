"""Kappas of every pair of raters on a panel's items, and how far their means would move without one item or group.

Leaving a unit out touches only the tables of its own raters; where items are weighted it moves the weights of
its strata too, and by these every table. Both are done for distinct units alone.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reports.credit import Credit, Named, credit_of
from reports.panels import Ints, Pairings
from reports.sample import Floats

GUESSING, OF_ONE_MIND = 2.0, 2.0
"""Pseudo-items in which everybody guesses, and in which the annotators are of one mind and the judge guesses."""
_ROWS_AT_ONCE = 200_000

Codes = Ints
"""What the answers that occur are in each part of a question: answers x parts, from 0. One part for choices, one for
each label of a set."""


@dataclass(frozen=True, slots=True)
class PairTables:
    """The T tables of all pairs of raters (and parts), by stratum."""

    counts: Floats
    """T x S x K²."""
    judged: NDArray[np.bool_]
    pair: Ints
    """T."""
    table: Ints
    cell: Ints
    """Rows x parts: where each rated pair lies."""
    stratum_weights: Floats
    """S, with mean 1 over the items."""
    credit: Credit
    whole: list[list[int]]
    """T x K² in whole numbers, in the ratio of the frame's shares."""
    uncovered: NDArray[np.bool_]
    """T: whether the two share no item of a stratum, so that nothing stands for part of the frame."""

    @classmethod
    def of(cls, rated: Pairings, size: int, codes: Codes, weights: Named) -> "PairTables":
        first, second = codes[rated.answers[:, 0]], codes[rated.answers[:, 1]]
        parts = first.shape[1]
        table = rated.pair[:, None] * parts + np.arange(parts)
        cell = first * size + second
        tables, strata, cells = len(rated.judged) * parts, len(rated.mass), size * size
        counts = np.zeros((tables, strata, cells))
        np.add.at(counts, (table, rated.stratum[rated.item][:, None], cell), rated.counts[rated.item][:, None])
        left = rated.items_of_strata()[None]
        return cls(
            counts=counts,
            judged=np.repeat(rated.judged, parts),
            pair=np.repeat(np.arange(len(rated.judged)), parts),
            table=table,
            cell=cell,
            stratum_weights=rated.weights(left)[0],
            credit=credit_of(weights, size, size),
            whole=_whole(rated, counts),
            uncovered=(counts.sum(axis=2) == 0)[:, rated.mass > 0].any(axis=1),
        )

    @property
    def size(self) -> int:
        """K."""
        return len(self.credit.cells)

    def values(self) -> Floats:
        """T kappas, exact but for the last division; nan where undefined."""
        found = []
        for cells, uncovered in zip(self.whole, self.uncovered, strict=True):
            if uncovered:
                found.append(math.nan)
                continue
            table = [cells[k : k + self.size] for k in range(0, len(cells), self.size)]
            seen, by_chance = self.credit.seen(table), self.credit.by_chance(table)
            found.append(math.nan if by_chance == 1 else float((seen - by_chance) / (1 - by_chance)))
        return np.array(found)

    def kappas(self, cells: Floats) -> Floats:
        """Kappas of R x K² tables, none of them undefined."""
        table = cells.reshape(-1, self.size, self.size)
        n = table.sum(axis=(1, 2))
        credit = self.credit.shares
        rows, columns = table.sum(axis=2) / n[:, None], table.sum(axis=1) / n[:, None]
        seen = (table * credit).sum(axis=(1, 2)) / n
        by_chance = ((rows @ credit) * columns).sum(axis=1)
        values: Floats = (seen - by_chance) / (1 - by_chance)
        return values

    def pulls(self, cells: Floats) -> Floats:
        """T x K x K: by how much a unit more in a cell moves the kappa of T x K² tables (Fleiss, Cohen and Everitt 1969)."""
        table = cells.reshape(-1, self.size, self.size)
        n = table.sum(axis=(1, 2))[:, None, None]
        credit, p = self.credit.shares, table / n
        rows, columns = p.sum(axis=2), p.sum(axis=1)
        seen = (p * credit).sum(axis=(1, 2))[:, None, None]
        by_chance = ((rows @ credit) * columns).sum(axis=1)[:, None, None]
        mean_credit = (columns @ credit.T)[:, :, None] + (rows @ credit)[:, None, :]
        gradient = (credit * (1 - by_chance) - mean_credit * (1 - seen)) / (1 - by_chance) ** 2
        pulls: Floats = (gradient - (p * gradient).sum(axis=(1, 2))[:, None, None]) / n
        return pulls


def _whole(rated: Pairings, counts: Floats) -> list[list[int]]:
    """The weighted tables in whole numbers that stand in the ratio of the frame's shares."""
    return [
        [
            sum(factor * round(cell) for factor, cell in zip(rated.factors, of_cell, strict=True))
            for of_cell in zip(*table, strict=True)
        ]
        for table in counts.tolist()
    ]


def standard_errors(rated: Pairings, tables: PairTables, coefficients: Floats) -> Floats:
    """Standard errors of the three means: every unit left out in turn, pseudo-items included."""
    pseudo = _pseudo_counts(rated, tables)
    whole = np.einsum("s,tsc->tc", tables.stratum_weights, tables.counts) + pseudo
    centre = coefficients @ tables.kappas(whole)
    pulls = _without_each(rated, tables, coefficients, pseudo) - centre[:, None]
    means, squares = _pulls_of_pseudo_items(rated, tables, coefficients, tables.pulls(whole))
    number = rated.units + GUESSING + OF_ONE_MIND
    mean = (pulls @ rated.times + means) / number
    about_mean = (pulls**2) @ rated.times + squares - number * mean**2
    errors: Floats = np.sqrt(np.maximum(0.0, (number - 1) / number * about_mean))
    return errors


def _pseudo_counts(rated: Pairings, tables: PairTables) -> Floats:
    """T x K²: what the pseudo-items add to each table, as often as items have its two raters."""
    size = tables.size
    evenly, alike = np.full(size * size, 1 / size**2), np.eye(size).ravel() / size
    shared = rated.shared()[tables.pair] / rated.n
    of_mind = np.where(tables.judged[:, None], evenly, alike)
    added: Floats = shared[:, None] * (GUESSING * evenly + OF_ONE_MIND * of_mind)
    return added


def _without_each(rated: Pairings, tables: PairTables, coefficients: Floats, pseudo: Floats) -> Floats:
    """3 x distinct units: the means without one unit of each kind."""
    removed = rated.removed()
    left = rated.items_of_strata()[None] - removed
    kinds, kind = np.unique(removed, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    # With a unit's weights gone, the tables that it is not in change by the weights alone.
    weights = rated.weights(rated.items_of_strata()[None] - kinds)
    untouched = np.stack([tables.kappas(np.einsum("s,tsc->tc", each, tables.counts) + pseudo) for each in weights])
    means: Floats = (coefficients @ untouched.T)[:, kind]
    weights = rated.weights(left)
    rows_of_item = np.argsort(rated.item, kind="stable")
    first = np.searchsorted(rated.item[rows_of_item], np.arange(len(rated.counts) + 1))
    per_entry = np.diff(first)[rated.content]
    ends = np.cumsum(per_entry)
    for begin, end in _portions(ends, rated.unit):
        entry = np.repeat(np.arange(begin, end), per_entry[begin:end])
        within = np.arange(len(entry)) - np.repeat(
            ends[begin:end] - per_entry[begin:end] - (ends[begin - 1] if begin else 0), per_entry[begin:end]
        )
        row = rows_of_item[first[rated.content[entry]] + within]
        touched, place = np.unique(rated.unit[entry, None] * len(tables.counts) + tables.table[row], return_inverse=True)
        unit, table = touched // len(tables.counts), touched % len(tables.counts)
        taken = np.zeros((len(touched), len(rated.mass), tables.size**2))
        stratum = rated.stratum[rated.content[entry]][:, None]
        np.add.at(taken, (place.reshape(tables.table[row].shape), stratum, tables.cell[row]), rated.held[entry][:, None])
        rest = np.einsum("rs,rsc->rc", weights[unit], tables.counts[table] - taken) + pseudo[table]
        change = tables.kappas(rest) - untouched[kind[unit], table]
        for which in range(len(means)):
            means[which] += np.bincount(unit, weights=coefficients[which, table] * change, minlength=means.shape[1])
    return means


def _portions(ends: Ints, unit: Ints) -> list[tuple[int, int]]:
    """Entries in portions of some ROWS_AT_ONCE rows; entries of one unit stay together."""
    bounds, begun = [0], 0
    for place in np.flatnonzero(np.diff(unit)) + 1:
        if ends[place - 1] - begun >= _ROWS_AT_ONCE:
            bounds.append(int(place))
            begun = int(ends[place - 1])
    bounds.append(len(unit))
    return list(pairwise(bounds))


def _pulls_of_pseudo_items(rated: Pairings, tables: PairTables, coefficients: Floats, pulls: Floats) -> tuple[Floats, Floats]:
    """Of the pseudo-items' pulls on the three means: their sum, and the sum of their squares."""
    item, often = _rater_sets(rated)
    row = np.flatnonzero(np.isin(rated.item, item))
    parts = len(tables.judged) // len(rated.judged)
    table = (rated.pair[row][:, None] * parts + np.arange(parts)).ravel()
    raters = rated.raters[tables.pair[table]]
    of_part = np.repeat(np.searchsorted(item, rated.item[row]), parts) * parts + np.tile(np.arange(parts), len(row))
    judged = tables.judged[table][:, None, None]
    sums, squares = np.zeros(3), np.zeros(3)
    for which, coefficient in enumerate(coefficients):
        pull = -coefficient[table, None, None] * pulls[table]
        of_mind = np.zeros((len(item) * parts, tables.size, tables.size))
        np.add.at(of_mind, of_part, np.where(judged, pull, np.diagonal(pull, axis1=1, axis2=2)[:, None, :]))
        for many, mean, variance in (
            (GUESSING, *_of_guesses(pull, raters, of_part, len(item) * parts)),
            (OF_ONE_MIND, of_mind.mean(axis=(1, 2)), of_mind.var(axis=(1, 2))),
        ):
            # The labels of a set are guessed one by one.
            whole = mean.reshape(-1, parts).sum(axis=1)
            sums[which] += many * float(often @ whole)
            squares[which] += many * float(often @ (variance.reshape(-1, parts).sum(axis=1) + whole**2))
    return sums, squares


def _of_guesses(pull: Floats, raters: Ints, of_part: Ints, sets: int) -> tuple[Floats, Floats]:
    """By set of raters: mean and variance of the summed pulls of R pairs of raters who all guess.

    A pull on a table of two independent raters is its mean, a main effect of each and the rest of the pair;
    only the main effects of one rater add up over the pairs, and nothing else is correlated.
    """
    mean = pull.mean(axis=(1, 2))
    effects = (pull.mean(axis=2) - mean[:, None], pull.mean(axis=1) - mean[:, None])
    rest = pull - mean[:, None, None] - effects[0][:, :, None] - effects[1][:, None, :]
    people = int(raters.max()) + 1
    found, place = np.unique(np.concatenate([of_part * people + raters[:, side] for side in (0, 1)]), return_inverse=True)
    mains = np.zeros((len(found), pull.shape[1]))
    np.add.at(mains, place, np.concatenate(effects))
    whole, variance = np.zeros(sets), np.zeros(sets)
    np.add.at(whole, of_part, mean)
    np.add.at(variance, found // people, (mains**2).mean(axis=1))
    np.add.at(variance, of_part, (rest**2).mean(axis=(1, 2)))
    return whole, variance


def _rater_sets(rated: Pairings) -> tuple[Ints, Floats]:
    """An item for each distinct set of annotators, ascending, and the share of the items that have it."""
    of_item: list[list[int]] = [[] for _ in rated.counts]
    for item, pair in zip(
        rated.item[rated.judged[rated.pair]].tolist(), rated.pair[rated.judged[rated.pair]].tolist(), strict=True
    ):
        of_item[item].append(pair)
    shares: dict[tuple[int, ...], float] = {}
    first: dict[tuple[int, ...], int] = {}
    for place, (pairs, count) in enumerate(zip(of_item, rated.counts.tolist(), strict=True)):
        key = tuple(sorted(pairs))
        shares[key] = shares.get(key, 0.0) + count / rated.n
        first.setdefault(key, place)
    return np.array(list(first.values()), dtype=np.int64), np.array(list(shares.values()))
