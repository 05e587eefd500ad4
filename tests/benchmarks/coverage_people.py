"""The judge as one more human, and fatigue: drawn as people label, with everybody, in turns, in groups and by verdict."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from data.human_tallies import Accord, Panel, PanelStratum, Sittings
from reports.estimate import Estimate
from reports.human_side import fatigue, sessions
from reports.one_more_human import FEWEST_SHARED, one_more_human
from tests.benchmarks.coverage import Cell, Design, Integers

Floats = NDArray[np.float64]

SIZES = (30, 50, 100, 200)
PREVALENCES = (0.1, 0.4)
PEOPLE = ((0.95, 0.95, 0.0), (0.8, 0.8, 0.0), (0.9, 0.7, 0.1), (0.98, 0.99, 0.0))
"""How often annotators are right, how often the judge is, and how many items are a toss for everybody."""
FULL, IN_TURNS = ((2, 2), (3, 3), (5, 5)), ((5, 2), (8, 3))
"""(annotators, labels an item)."""


def spread(accuracy: float, people: int) -> list[float]:
    """Annotators of the same kind are not equally good."""
    return [accuracy + step for step in np.linspace(-0.03, 0.02, people)]


def wrong(accuracy: float, positive: float) -> tuple[float, float]:
    """The chance of an error on a negative and on a positive item: as many false alarms as misses."""
    return (1 - accuracy) * positive / (1 - positive), 1 - accuracy


def kappa_of(table: Floats) -> float:
    p = table / table.sum()
    by_chance = float(p.sum(axis=1) @ p.sum(axis=0))
    return (float(np.trace(p)) - by_chance) / (1 - by_chance)


def truth(positive: float, people: Sequence[float], judge: float, toss: float) -> float:
    """The difference of the means of kappa over all items."""

    def between(one: float, other: float) -> float:
        table = toss * np.full((2, 2), 0.25)
        for state, share in ((0, 1 - positive), (1, positive)):
            says = [np.array([1 - chance, chance]) for chance in (wrong(each, positive)[state] for each in (one, other))]
            says = [each[::-1] for each in says] if state else says
            table += share * (1 - toss) * np.outer(*says)
        return kappa_of(table)

    human = np.mean([between(one, other) for one, other in itertools.combinations(people, 2)])
    return float(np.mean([between(judge, each) for each in people]) - human)


def labelled(
    random: np.random.Generator, shape: tuple[int, int], positive: float, people: Sequence[float], judge: float, toss: float,
    labels: int, same: float = 0.0, group: int = 1,
) -> Integers:  # fmt: skip
    """R x n x (1 + annotators): the judge's answer and theirs, -1 for none. `same`: how often a group is all of one kind."""
    times, n = shape
    kind = random.random((times, -(-n // group)))
    of_group = np.repeat(kind, group, axis=1)[:, :n]
    state = np.where(random.random(shape) < same, of_group, random.random(shape)) < positive
    tossed = random.random(shape) < toss
    sides = []
    for accuracy in (judge, *people):
        alarm, miss = wrong(accuracy, positive)
        said = state ^ (random.random(shape) < np.where(state, miss, alarm))
        sides.append(np.where(tossed, random.random(shape) < 0.5, said))
    answers = np.stack(sides, axis=2).astype(np.int64)
    if labels < len(people):
        turn = random.random((times, n, len(people))).argsort(axis=2).argsort(axis=2)
        answers[:, :, 1:][turn >= labels] = -1
    return answers


def panel_of(data: Integers, group: int = 1, strata: Integers | None = None, frames: Sequence[int] = ()) -> Panel:
    """One data set as the store would count it."""
    keys = []
    for place, row in enumerate(data):
        votes = tuple((who, int(said)) for who, said in enumerate(row[1:]) if said >= 0)
        keys.append((0 if strata is None else int(strata[place]), int(row[0]), votes))
    items = Counter(keys)
    places = {key: place for place, key in enumerate(items)}
    held: dict[int, Counter[int]] = {}
    for place, key in enumerate(keys if group > 1 else ()):
        held.setdefault(place // group, Counter())[places[key]] += 1
    finished = Counter(key[0] for key in keys)
    return Panel(
        "judge", tuple(map(str, range(data.shape[1] - 1))), (0, 1), dict(items), weighted=bool(frames),
        strata=tuple(PanelStratum(str(place), frame, finished[place], True) for place, frame in enumerate(frames)),
        clusters=dict(Counter(tuple(sorted(each.items())) for each in held.values())),
    )  # fmt: skip


def difference(data: Integers) -> Estimate:
    return one_more_human(panel_of(data), 2).difference


def panels(shapes: Sequence[tuple[int, int]], random: np.random.Generator, times: int) -> Iterator[Cell]:
    """Items on their own. Cells in which two annotators share fewer items than enter a mean are left out."""
    for (number, labels), n, positive, (accuracy, judge, toss) in itertools.product(shapes, SIZES, PREVALENCES, PEOPLE):
        if n * labels * (labels - 1) / (number * (number - 1)) < FEWEST_SHARED:
            continue
        people = spread(accuracy, number)
        data = labelled(random, (times, n), positive, people, judge, toss, labels)
        name = f"{labels} of {number} people, {n} items, {positive:.0%} positive, right {accuracy:.2f} and {judge:.2f}"
        yield Cell(name, truth(positive, people, judge, toss), data)


GROUP = 5


def groups(random: np.random.Generator, times: int) -> Iterator[Cell]:
    """Items in groups of five that are alike by half."""
    for n, positive, (accuracy, judge, toss) in itertools.product((100, 200), PREVALENCES, PEOPLE):
        people = spread(accuracy, 3)
        data = labelled(random, (times, n), positive, people, judge, toss, 3, 0.5, GROUP)
        yield Cell(
            f"{n} items, {positive:.0%} positive, right {accuracy:.2f} and {judge:.2f}", truth(positive, people, judge, toss), data
        )


FRAME = 10_000


def by_verdict(random: np.random.Generator, times: int) -> Iterator[Cell]:
    """Half of each verdict, from a frame of 10,000; the last row of a data set holds the frame's positives."""
    for n, positive, (accuracy, judge, toss) in itertools.product((50, 100, 200), PREVALENCES, PEOPLE):
        people = spread(accuracy, 3)
        drawn = []
        for _ in range(times):
            frame = labelled(random, (1, FRAME), positive, people, judge, toss, 3)[0]
            found = [random.permutation(np.flatnonzero(frame[:, 0] == said))[: n // 2] for said in (0, 1)]
            drawn.append(np.vstack([frame[np.concatenate(found)], np.full(4, int((frame[:, 0] == 1).sum()))]))
        name = f"{n} items, {positive:.0%} positive, right {accuracy:.2f} and {judge:.2f}"
        yield Cell(name, truth(positive, people, judge, toss), np.stack(drawn))


def weighted_difference(data: Integers) -> Estimate:
    positives = int(data[-1, 0])
    rows = data[:-1]
    return one_more_human(panel_of(rows, strata=rows[:, 0], frames=(FRAME - positives, positives)), 2).difference


def shifts(overlap: int, random: np.random.Generator, times: int) -> Iterator[Cell]:
    """People who label in sessions and agree less and less; R x rows x (person, position, agrees, item).

    Of every `overlap` people all label the same items, each in an order of her own, and with two an agreement of
    the one is one of the other.
    """
    for number, (length, count), (early, late) in itertools.product(
        (2, 4, 8), ((12, 2), (30, 1), (30, 4)), ((0.9, 0.9), (0.95, 0.8), (0.7, 0.6), (0.98, 0.98))
    ):
        items = length * count
        person = np.repeat(np.arange(number), items)
        position = np.tile(np.arange(items) % length, number)
        order = random.random((times, number, items)).argsort(axis=2)
        item = (order + items * (np.arange(number) // overlap)[None, :, None]).reshape(times, -1)
        chance = early + (late - early) * position / (length - 1)
        if overlap == 1:
            agrees = random.random((times, len(person))) < chance
        else:
            # What makes one item hard makes it hard for both: the two labels of an item share their luck.
            luck = random.random((times, items * (number // overlap)))
            agrees = np.take_along_axis(luck, item, axis=1) < chance
        first, last = (np.arange(length)[3 * np.arange(length) // length == third] for third in (0, 2))
        change = (late - early) / (length - 1) * (last.mean() - first.mean())
        data = np.stack(np.broadcast_arrays(person, position, agrees, item), axis=2).astype(np.int64)
        yield Cell(f"{number} people, {count} sessions of {length}, {early:.2f} to {late:.2f}", float(change), data)


def change_over_a_session(data: Integers) -> Estimate:
    person, position, agrees, item = data.T
    begun = np.cumsum(position == 0)
    sat = Sittings(person, begun * 10_000_000 + position * 60, np.full(len(data), 30.0), item)
    accord = Accord(np.arange(len(data)), agrees.astype(bool), item)
    return fatigue(accord, sat, sessions(sat)).difference


PARTS = {
    "people": [
        Design("judge as one more human, everybody labels all", lambda random, times: panels(FULL, random, times), difference),
        Design("judge as one more human, in turns", lambda random, times: panels(IN_TURNS, random, times), difference),
        Design("judge as one more human, groups of five", groups, lambda data: one_more_human(panel_of(data, GROUP), 2).difference),
        Design("judge as one more human, by verdict", by_verdict, weighted_difference),
        Design("fatigue, items of one person each", lambda random, times: shifts(1, random, times), change_over_a_session),
        Design("fatigue, items of two people each", lambda random, times: shifts(2, random, times), change_over_a_session),
    ]
}
