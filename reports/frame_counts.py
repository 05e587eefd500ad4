"""A frame's answers as tallies: what the statistics count, with the groups and weights of rows."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.tallies import Excluded, PairTally, QuestionTally, StratumTally
from reports.frames import Codes, groups_of, weights_of
from reports.sample import Floats

Rated = Mapping[str, Mapping[str, float]]
"""Item -> rater -> answer: a place among the choices, a set as a whole number, or a score."""
FINE = 10**9
"""How finely a weight is told in whole numbers."""


@dataclass(frozen=True, slots=True)
class Units:
    """What the rows with both answers share and weigh."""

    number: int
    """Groups, or rows where they share none."""
    group: Codes | None
    """None where no two rows share one."""
    weights: Floats | None
    """None where all rows weigh the same."""

    @classmethod
    def of(cls, columns: Mapping[str, Any], weight: str | None, group: str | None, used: NDArray[np.bool_]) -> "Units":
        """From the columns called `weight` and `group`. Raises FrameRefused where a row lacks one."""
        weights = None if weight is None else weights_of(str(weight), columns["weight"], used)
        if weights is not None and len(set(weights.tolist())) < 2:
            weights = None
        codes = None if group is None else groups_of(str(group), columns["group"], used)
        rows = int(used.sum())
        number = rows if codes is None else len(np.unique(codes))
        return cls(number, codes if number < rows else None, weights)

    @property
    def alike(self) -> bool:
        """Whether rows weigh the same and share nothing."""
        return self.weights is None and self.group is None


def crossed(pair: PairTally, first: Codes, second: Codes, size: int, units: Units) -> PairTally:
    """The pair with the table of two columns of `size` choices, and what its units hold."""
    cells = np.bincount(first * size + second, minlength=size * size).reshape(size, size)
    counted = replace(pair, confusion=tuple(map(tuple, cells.tolist())), unreadable=(0,) * size)
    if units.weights is not None:
        rows = list(zip(first.tolist(), second.tolist(), units.weights.tolist(), strict=True))
        weighed: Counter[tuple[tuple[int, int, float], ...]] = Counter()
        if units.group is None:
            weighed.update((row,) for row in rows)
        else:
            weighed.update(tuple(sorted(content)) for content in _by_group(units.group, rows))
        return replace(counted, row_weights=weighed)
    if units.group is None:
        return counted
    contents = _by_group(units.group, list(zip(first.tolist(), second.tolist(), strict=True)))
    clusters = Counter(tuple((0, *cell, items) for cell, items in sorted(Counter(content).items())) for content in contents)
    return replace(counted, clusters=clusters)


def scored(pair: PairTally, first: Floats, second: Floats, units: Units) -> PairTally:
    """The pair with two columns of scores; rows of one weight are a stratum."""
    if units.weights is None:
        scores = Counter((0, *scores) for scores in zip(first.tolist(), second.tolist(), strict=True))
        return replace(pair, scores=scores)
    weights, stratum = np.unique(units.weights, return_inverse=True)
    strata = []
    for weight, rows in zip(weights.tolist(), np.bincount(stratum).tolist(), strict=True):
        frame = round(Fraction(weight) / Fraction(weights[0]) * rows * FINE)
        strata.append(StratumTally(f"weight {weight:g}", frame, rows, rows * FINE, ()))
    return replace(pair, strata=tuple(strata), scores=Counter(zip(stratum.tolist(), first.tolist(), second.tolist(), strict=True)))


def labelled(pair: PairTally, first: Codes, second: Codes, choices: Sequence[str], units: Units) -> PairTally:
    """The pair of two columns of sets, with a table for each choice."""
    alike = replace(pair, excluded=Excluded())
    return replace(
        pair,
        by_label={choice: crossed(alike, first >> bit & 1, second >> bit & 1, 2, units) for bit, choice in enumerate(choices)},
    )


def among_raters(type_: str, choices: tuple[str, ...], rated: Rated, people: Sequence[str]) -> QuestionTally:
    """Everybody's answers, and those of every two people who share an item."""
    pairs = [_two(rated, one, other, type_, choices) for one, other in combinations(people, 2)]
    votes = Counter(tuple(sorted(of_item.values())) for of_item in rated.values())
    single = type_ not in ("multilabel", "score")
    return QuestionTally(
        id="",
        type=type_,
        choices=choices,
        positive=None,
        judge_pairs=(),
        human_pairs=tuple(pair for pair in pairs if pair is not None),
        votes=_patterns(votes, len(choices)) if single else {},
        units={} if single else votes,
    )


def _two(rated: Rated, one: str, other: str, type_: str, choices: Sequence[str]) -> PairTally | None:
    """Two raters on the items that both answered; None where there is none."""
    both = np.array([(of_item[one], of_item[other]) for of_item in rated.values() if one in of_item and other in of_item])
    if not len(both):
        return None
    units = Units(len(both), None, None)
    pair = PairTally(f"human:{one}", f"human:{other}", (), (), Excluded(), "imported", len(both))
    if type_ == "score":
        return scored(pair, both[:, 0], both[:, 1], units)
    first, second = both.astype(np.int64).T
    if type_ == "multilabel":
        return labelled(pair, first, second, choices, units)
    return crossed(pair, first, second, len(choices), units)


def _patterns(votes: Mapping[tuple[float, ...], int], size: int) -> dict[tuple[int, ...], int]:
    """Votes per choice -> items."""
    found: Counter[tuple[int, ...]] = Counter()
    for pattern, items in votes.items():
        found[tuple(np.bincount(np.array(pattern, dtype=np.int64), minlength=size).tolist())] += items
    return dict(found)


def _by_group(group: Codes, rows: Sequence[Any]) -> list[list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for code, row in zip(group.tolist(), rows, strict=True):
        found[code].append(row)
    return list(found.values())
