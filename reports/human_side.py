"""How long labelling took, and whether it got worse in the course of a sitting.

A session is what one person labels without being away for more than half an hour: the time between two
items, less the active time spent on the second, tells how long she was away. Position counts the items of a
session from 1. Whoever labels walks a random order of her own, so what stands late in a session is no harder
than what stands early, and a fall of agreement is hers.

Agreement is with the rest: with the choice of more than half of the others on the item. It is taken as drawn,
without weights, because it speaks of people at work and of no population of trajectories.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.human_tallies import Accord, Bools, Floats, Ints, Sittings
from reports.estimate import Estimate
from reports.intervals import LEVEL, normal_quantile, score_interval, student_quantile, wilson

AWAY_SECONDS = 30 * 60
SHORTEST_SESSION = 9
"""Items: below, a third of a session is no stretch of work."""
POSITIONS = ((1, 10), (11, 20), (21, 40), (41, 80), (81, None))
NO_TIMES = "no item has a time"
FEW_TIMES = "too few items: an interval from the order of the times alone needs six for the median, and more for a quartile"
NO_LABELS = "no label in this stretch of a session can be held against others"
ONE_ITEM = "all labels are of one item, so nothing tells how far others would differ"
ORDER = "order statistics"
SHARE, DIFFERENCE = "wilson", "square-and-add of two wilson"


def quantile(values: Floats, share: float) -> Estimate:
    """The quantile of `values` with this share below it, 0 < share < 1, as a mean of the two next to it.

    The interval reaches from the highest value that lies above the quantile with a chance of at most 2.5 % to the
    lowest that lies below it with such a chance: P(Bin(n, share) < rank), whatever the distribution. That covers at
    least 95 % for independent draws of anything continuous; the times of few people are not quite that.
    """
    ordered = np.sort(values)
    n = len(ordered)
    if n == 0:
        return Estimate.undefined(0, ORDER, NO_TIMES)
    value = float(np.quantile(ordered, share))
    from scipy.special import bdtr  # slow to import

    middle, spread = n * share, 10 * math.sqrt(n * share * (1 - share)) + 1
    ranks = np.arange(max(0, math.floor(middle - spread)), min(n, math.ceil(middle + spread)))
    below = bdtr(ranks, n, share)  # the chance that at most so many lie below the quantile
    tail = (1 - LEVEL) / 2
    low = ranks[0] + int(np.searchsorted(below, tail, side="right")) - 1
    high = ranks[0] + int(np.searchsorted(below, 1 - tail, side="left"))
    if low < ranks[0] or high > ranks[-1]:
        return Estimate(value, None, None, n, ORDER, FEW_TIMES)
    return Estimate(value, min(float(ordered[low]), value), max(float(ordered[high]), value), n, ORDER)


@dataclass(frozen=True, slots=True)
class Sessions:
    """For every row of `Sittings`, where it stands in its session."""

    session: Ints
    """From 0; -1 where no time is known."""
    position: Ints
    """From 1; 0 where no time is known."""
    length: Ints
    """Items of the session."""

    @property
    def number(self) -> int:
        """How many there are."""
        return int(self.session.max(initial=-1)) + 1

    def thirds(self) -> tuple[Bools, Bools]:
        """Whether a row lies in the first and in the last third of a session of SHORTEST_SESSION items or more."""
        third = np.where(self.length >= SHORTEST_SESSION, 3 * (self.position - 1) // np.maximum(self.length, 1), -1)
        return third == 0, third == 2

    def within(self, first: int, last: int | None) -> Bools:
        """Whether a row's position lies between these two."""
        inside: Bools = (self.position >= first) & (self.position <= (self.position if last is None else last))
        return inside


def sessions(sittings: Sittings) -> Sessions:
    """The sessions that `sittings` fall into."""
    rows = len(sittings.at)
    known = np.flatnonzero(sittings.at >= 0)
    session, position, length = np.full(rows, -1), np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    if len(known):
        at, person = sittings.at[known], sittings.person[known]
        away = np.diff(at) - np.nan_to_num(sittings.seconds[known][1:])
        begins = np.concatenate([[True], (away > AWAY_SECONDS) | (np.diff(person) != 0)])
        number = np.cumsum(begins) - 1
        first = np.flatnonzero(begins)
        session[known] = number
        position[known] = np.arange(len(known)) - first[number] + 1
        length[known] = np.bincount(number)[number]
    return Sessions(session, position, length)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The items at some positions of all sessions."""

    first: int
    last: int | None
    """None: to the end."""
    figure: Estimate


def pace(sittings: Sittings, over: Sessions) -> list[Stretch]:
    """The median of active seconds by position; stretches that nobody reached are left out."""
    found = []
    for first, last in POSITIONS:
        seconds = sittings.seconds[over.within(first, last)]
        seconds = seconds[~np.isnan(seconds)]
        if len(seconds):
            found.append(Stretch(first, last, quantile(seconds, 0.5)))
    return found


@dataclass(frozen=True, slots=True)
class Fatigue:
    """Agreement with the rest in the first and the last third of the sessions that are long enough."""

    sessions: int
    first: Estimate
    last: Estimate
    difference: Estimate
    """Last less first: below 0 agreement fell."""


def fatigue(accord: Accord, sittings: Sittings, over: Sessions, person: int | None = None) -> Fatigue:
    """How agreement with the rest changed in the course of a session; `person`: one annotator's place, or None for all.

    The difference is Newcombe's (square-and-add of two Wilson intervals), with each number of labels divided by
    the design effect of labels that share an item (or group), where that is above 1.
    """
    rows = accord.row if person is None else accord.row[sittings.person[accord.row] == person]
    of_person = np.ones(len(accord.row), dtype=bool) if person is None else sittings.person[accord.row] == person
    early, late = (third[rows] for third in over.thirds())
    agrees, group = accord.agrees[of_person], accord.group[of_person]
    counted = len(np.unique(over.session[rows[early | late]]))
    first, last = _share(agrees[early]), _share(agrees[late])
    if first.value is None or last.value is None:
        return Fatigue(counted, first, last, Estimate.undefined(0, DIFFERENCE, NO_LABELS))
    n = first.n + last.n
    value = last.value - first.value
    groups = len(np.unique(group[early | late]))
    if groups < 2:
        return Fatigue(counted, first, last, Estimate(value, None, None, n, DIFFERENCE, ONE_ITEM))
    effect = _design_effect(agrees, group, early, late)
    quantile = student_quantile(groups - 1) if groups < n else normal_quantile()
    (low_1, high_1), (low_2, high_2) = (
        score_interval(each.value, each.n / effect, quantile) for each in (first, last) if each.value is not None
    )
    below = math.hypot(last.value - low_2, high_1 - first.value)
    above = math.hypot(high_2 - last.value, first.value - low_1)
    method = DIFFERENCE + (", by groups of labels" if groups < n else "")
    return Fatigue(counted, first, last, Estimate(value, max(-1.0, value - below), min(1.0, value + above), n, method))


def agreement_by_position(accord: Accord, over: Sessions) -> list[Stretch]:
    """Agreement with the rest by position, Wilson by labels; stretches without a label are left out."""
    found = []
    for first, last in POSITIONS:
        agrees = accord.agrees[over.within(first, last)[accord.row]]
        if len(agrees):
            found.append(Stretch(first, last, _share(agrees)))
    return found


def _share(agrees: Bools) -> Estimate:
    n, good = len(agrees), int(agrees.sum())
    if n == 0:
        return Estimate.undefined(0, SHARE, NO_LABELS)
    return Estimate(good / n, *wilson(good, n), n, SHARE)


def _design_effect(agrees: Bools, group: Ints, early: Bools, late: Bools) -> float:
    """How much larger the difference's variance is by groups of labels than by labels, at least 1."""
    pulls = np.zeros(len(agrees))
    plain = 0.0
    for part, sign in ((early, -1.0), (late, 1.0)):
        n = int(part.sum())
        p = float(agrees[part].mean())
        pulls[part] = sign * (agrees[part] - p) / n
        plain += p * (1 - p) / n
    if plain == 0:
        return 1.0
    used = early | late
    _, place = np.unique(group[used], return_inverse=True)
    of_group = np.bincount(place, weights=pulls[used])
    number = len(of_group)
    return max(1.0, number / (number - 1) * float((of_group**2).sum()) / plain)


def seconds_of(sittings: Sittings, person: int | None = None) -> tuple[Floats, int]:
    """The active seconds that were taken, of one annotator or all, and how many items have none."""
    seconds = sittings.seconds if person is None else sittings.seconds[sittings.person == person]
    taken = seconds[~np.isnan(seconds)]
    return taken, len(seconds) - len(taken)


def session_lengths(over: Sessions) -> Sequence[int]:
    """Items of each session."""
    lengths: list[int] = np.bincount(over.session[over.session >= 0]).tolist()
    return lengths
