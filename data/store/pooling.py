"""Several batches as one sample: the strata behind a figure, and what each finished item stands for.

A draw gives every item of its frame a rate: of how many items of its stratum, in no batch yet, it took how
many. What makes rates differ is the verdict at the draw (where it was stratified; unreadable and no
verdict are strata too), the split (where it was restricted) and whether the item was there yet. Items that
every draw met at one rate are one stratum: that is the coarsest partition in which all estimate batches
together are a simple random sample of each stratum. So a second simple draw from the same items adds no
stratum, and neither does a stratified one that happened to take its strata at one rate.

A finished item stands for (items of its stratum) / (finished items of its stratum). The frame is every
item that one of the draws could have taken. A batch counts whatever its state: everybody walks it in an
order of her own that knows nothing of strata, so what is finished of an open batch is a random part of
each stratum, and the rest is missing.
"""

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from data.store.columns import Bools, Ints, numbered, trajectory_count, whole_numbers
from data.store.draws import Draw, read_draws
from data.store.factors import SPLITS, Factor, split_factor, verdict_factors, wave_factor
from data.store.store import Store

NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True)
class Stratum:
    """Items that every draw met at one rate."""

    name: str
    frame: int
    drawn: int


@dataclass(frozen=True, slots=True)
class Pool:
    """All estimate batches of a study as one stratified sample."""

    strata: tuple[Stratum, ...]
    stratum_of: Ints
    """By trajectory number (place 0 is nobody's): the place in `strata`, or -1 outside the frame."""
    drawn: Bools
    """By trajectory number: whether it is in the frame and stands in an estimate batch."""
    outside: int
    """Items imported after the last draw."""
    by: frozenset[tuple[str, str]]
    """(run, question) of which the verdicts tell strata apart."""

    @property
    def design(self) -> str:
        """`simple`, or `stratified:RUN`; several runs are joined by ` + `."""
        runs = sorted({run for run, _ in self.by})
        return f"stratified:{' + '.join(runs)}" if runs else "simple"

    def within(self, items: Bools) -> "Pool":
        """The part of the frame that `items` (by trajectory number) are; strata without any of them are gone."""
        stratum_of = np.where(items, self.stratum_of, -1)
        there = np.unique(stratum_of[stratum_of >= 0])
        stratum_of = np.where(stratum_of < 0, -1, np.searchsorted(there, stratum_of))
        drawn = self.drawn & (stratum_of >= 0)
        return replace(
            self, strata=_counted([self.strata[k].name for k in there], stratum_of, drawn), stratum_of=stratum_of, drawn=drawn
        )


def pool(store: Store, within: Bools | None = None) -> Pool:
    """Pools the estimate batches of a study; with `within` (by trajectory number), over those items alone."""
    draws, size = read_draws(store), trajectory_count(store)
    if not draws:
        return Pool((), np.full(size + 1, -1), np.zeros(size + 1, dtype=bool), 0, frozenset())
    columns, verdicts = verdict_factors(store, draws, size)
    splits = split_factor(store, size)
    found = _met_alike(draws, columns, splits.values)
    telling = _telling([*verdicts, splits, wave_factor(draws, size)], found)
    names, place = _named(found, telling, splits)
    stratum_of = np.where(found < 0, -1, place[found])
    drawn = np.zeros(size + 1, dtype=bool)
    drawn[whole_numbers(store, _DRAWN)] = True
    drawn &= stratum_of >= 0
    last = max(draw.last_trajectory for draw in draws)
    by = frozenset(factor.by for factor in telling if factor.by)
    whole = Pool(_counted(names, stratum_of, drawn), stratum_of, drawn, size - last, by)
    return whole if within is None else whole.within(within)


def _counted(names: list[str], stratum_of: Ints, drawn: Bools) -> tuple[Stratum, ...]:
    frames = np.bincount(stratum_of[stratum_of >= 0], minlength=len(names)).tolist()
    taken = np.bincount(stratum_of[drawn], minlength=len(names)).tolist()
    return tuple(Stratum(*each) for each in zip(names, frames, taken, strict=True))


_DRAWN = """
SELECT i.trajectory AS value FROM batch_items i JOIN batches b ON b.code = i.batch WHERE b.kind = 'estimate'
"""


def _met_alike(draws: list[Draw], columns: dict[str, Ints], split: Ints) -> Ints:
    """By trajectory number: one number, from 0, for all items that every draw met at one rate; -1 where none could take it."""
    met = np.zeros(len(split), dtype=np.int64)
    reached = np.zeros(len(split), dtype=bool)
    whole = np.zeros(len(split), dtype=bool)  # a stratum that was drawn whole has no more to do with later draws
    for draw in draws:
        eligible = (np.arange(len(split)) <= draw.last_trajectory) & ~whole
        eligible[0] = False
        if draw.split:
            eligible &= split == SPLITS.index(draw.split)
        rates = sorted({NOTHING, *draw.rates.values()})
        rate = np.zeros(len(split), dtype=np.int64)
        for code, drawn in draw.rates.items():
            items = eligible if code is None else eligible & (columns[draw.name] == code)
            rate[items] = rates.index(drawn)
            if drawn == 1:
                whole |= items
        met = numbered(met * len(rates) + rate)[1]
        reached |= eligible
    alike = np.full(len(split), -1, dtype=np.int64)
    alike[reached] = numbered(met[reached])[1]
    return alike


def _telling(factors: list[Factor], found: Ints) -> list[Factor]:
    """The factors that tell the strata apart, without those that the others make needless."""
    inside = found >= 0
    strata = int(found.max(initial=-1)) + 1
    kept = list(factors)
    for factor in reversed(factors):
        others = [other for other in kept if other is not factor]
        key = np.zeros(int(inside.sum()), dtype=np.int64)
        for other in others:
            key = key * len(other.labels) + other.values[inside]
        met = np.bincount(numbered(key)[1] * strata + found[inside]) > 0
        met = np.pad(met, (0, -len(met) % strata)) if strata else met
        if not strata or (met.reshape(-1, strata).sum(axis=1) <= 1).all():
            kept = others
    return kept


def _named(found: Ints, factors: list[Factor], splits: Factor) -> tuple[list[str], Ints]:
    """The strata's names in the order in which they are listed, and where in it each of `found` stands.

    A name says no more than what tells the stratum from the others, and which splits, where none was drawn from the rest.
    """
    strata = int(found.max(initial=-1)) + 1
    everybody = np.where(np.arange(len(found)) > 0, 0, -1)
    restricted = splits.present(np.where(found < 0, -1, 0), 1).sum() < splits.present(everybody, 1).sum()
    if restricted and splits not in factors:
        factors = [*factors, splits]
    there = [factor.present(found, strata) for factor in factors]
    order = sorted(range(strata), key=lambda k: [tuple(np.flatnonzero(table[k]).tolist()) for table in there])
    place = np.empty(strata, dtype=np.int64)
    place[order] = np.arange(strata)
    names: list[str] = []
    alike: Counter[str] = Counter()
    for k in order:
        said = _said_of(found, k, [(factor, table[k]) for factor, table in zip(factors, there, strict=True)])
        parts = [
            factor.prefix + " or ".join(np.array(factor.labels, dtype=object)[table[k]])
            for which, (factor, table) in enumerate(zip(factors, there, strict=True))
            if which in said or (restricted and factor is splits)
        ]
        name = ", ".join(parts) or "all"
        alike[name] += 1
        names.append(f"{name} ({alike[name]})" if alike[name] > 1 else name)
    return names, place


def _said_of(found: Ints, stratum: int, values: list[tuple[Factor, Bools]]) -> list[int]:
    """Which of the factors it takes to tell the items of a stratum, by their values, from those of others."""
    others = (found >= 0) & (found != stratum)
    fits = [labels[factor.values] for factor, labels in values]
    kept = list(range(len(values)))
    for place in reversed(range(len(values))):
        rest = [other for other in kept if other != place]
        if not (others & np.logical_and.reduce([fits[other] for other in rest] or [others])).any():
            kept = rest
    return kept
