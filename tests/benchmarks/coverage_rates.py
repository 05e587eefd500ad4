"""The corrected rate as a study has it: cells of verdict x stratum under every draw, slices, groups, cells left empty.

The frame is drawn anew each time from the process that has the true rate, and labels are drawn from the frame.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from annotate.sampling import equal_shares
from data.rate_tallies import RateCell, RateTable
from reports.estimate import Estimate
from reports.prevalence import ScoreStratum, stratified_ppi_mean
from reports.prevalence_by_design import Design as Drawn
from reports.prevalence_by_design import corrected_rate
from reports.slices import SMALL_BELOW
from tests.benchmarks.coverage import Cell, Design, Integers

FRAME, SIZES = 2_000, (30, 50, 100, 200)
TRUTHS = ((0.05, 0.8, 0.97), (0.05, 0.4, 0.99), (0.1, 0.5, 0.99), (0.2, 0.85, 0.9), (0.3, 0.8, 0.8), (0.5, 0.9, 0.9))
"""True rate, sensitivity, specificity."""
UNREADABLE = 0.01
STRATA = ("first", "second", "third")

Shares = NDArray[np.float64]


def judged(rate: float, found: float, spared: float) -> Shares:
    """Verdict (negative, positive, unreadable) x truth (negative, positive)."""
    read = 1 - UNREADABLE
    return np.array(
        [
            [(1 - rate) * spared * read, rate * (1 - found) * read],
            [(1 - rate) * (1 - spared) * read, rate * found * read],
            [(1 - rate) * UNREADABLE, rate * UNREADABLE],
        ]
    )


def labelled(frame: Integers, sizes: Sequence[int], random: np.random.Generator) -> Integers:
    """Of S strata x V verdicts x 2 truths that many items a stratum, drawn at random."""
    drawn = [random.multivariate_hypergeometric(each.ravel(), n) for each, n in zip(frame, sizes, strict=True)]
    return np.stack(drawn).reshape(frame.shape)


def data_set(frame: Integers, drawn: Integers) -> Integers:
    """S x V x (items of the frame, labelled negative, labelled positive)."""
    return np.concatenate([frame.sum(axis=-1, keepdims=True), drawn], axis=-1)


def by_cells(data: Integers) -> Estimate:
    """One data set, as a study's table; strata without any label are those that chance left so."""
    cells = [
        RateCell(stratum, verdict, int(items), int(no + yes), (int(no), int(yes)))
        for stratum, row in enumerate(data)
        for verdict, (items, no, yes) in enumerate(row)
        if items
    ]
    said = tuple(int(count) for count in data[:, :, 0].sum(axis=0))
    return corrected_rate(RateTable((*said, 0), tuple(cells)), 1, Drawn(STRATA, frozenset(range(len(STRATA)))))


def simple_cells(random: np.random.Generator, times: int) -> Iterator[Cell]:
    for n, truth in itertools.product(SIZES, TRUTHS):
        frames = random.multinomial(FRAME, judged(*truth).ravel(), size=times).reshape(-1, 1, 3, 2)
        yield _cell(n, truth, [data_set(frame, labelled(frame, [n], random)) for frame in frames])


def verdict_cells(random: np.random.Generator, times: int) -> Iterator[Cell]:
    """Equal numbers of each verdict, a small stratum whole."""
    for n, truth in itertools.product(SIZES, TRUTHS):
        found = []
        for frame in random.multinomial(FRAME, judged(*truth).ravel(), size=times).reshape(-1, 3, 2):
            strata = np.zeros((3, 3, 2), dtype=np.int64)
            strata[range(3), range(3)] = frame
            there = strata[strata.sum(axis=(1, 2)) > 0]
            found.append(data_set(strata, _spread(strata, labelled(there, _equal(there, n), random))))
        yield _cell(n, truth, found)


def other_cells(random: np.random.Generator, times: int) -> Iterator[Cell]:
    """Equal numbers of each verdict of another run, which is right on 85 % of the items whatever this one says."""
    for n, truth in itertools.product(SIZES, TRUTHS):
        right = np.array([[0.85, 0.15], [0.15, 0.85]])  # its verdict x truth
        shares = judged(*truth)[None] * right[:, None]
        frames = random.multinomial(FRAME, shares.ravel(), size=times).reshape(-1, 2, 3, 2)
        yield _cell(n, truth, [data_set(frame, labelled(frame, _equal(frame, n), random)) for frame in frames])


def slice_cells(random: np.random.Generator, times: int) -> Iterator[Cell]:
    """A slice of a fifth of the items, of a draw by verdict; draws that leave it pale are left out."""
    for n, truth in itertools.product((100, 200, 400), TRUTHS):
        found = []
        for whole in random.multinomial(FRAME, judged(*truth).ravel(), size=times).reshape(-1, 3, 2):
            strata = np.zeros((3, 3, 2), dtype=np.int64)
            strata[range(3), range(3)] = whole
            there = strata[strata.sum(axis=(1, 2)) > 0]
            drawn = _spread(strata, labelled(there, _equal(there, n), random))
            inside = random.binomial(drawn, 0.2)
            frame = inside + random.binomial(strata - drawn, 0.2)
            if inside.sum() >= SMALL_BELOW:
                found.append(data_set(frame, inside))
        if len(found) > times / 10:
            yield _cell(n, truth, found)


def grouped_cells(random: np.random.Generator, times: int) -> Iterator[Cell]:
    """A simple draw from groups of five; rate, sensitivity and specificity vary from group to group (ρ .2)."""
    for (groups, n), truth in itertools.product(((60, 100), (200, 100), (200, 300)), TRUTHS):
        yield Cell(f"{n} of {groups} groups of 5, {truth}", truth[0], _grouped(groups, n, truth, random, max(1, times // 10)))


def _grouped(groups: int, n: int, truth: tuple[float, float, float], random: np.random.Generator, times: int) -> Integers:
    """times x G x 2 verdicts x (items of the frame, labelled negative, labelled positive)."""
    rate, found, spared = (random.beta(4 * share, 4 * (1 - share), (times, groups)) for share in truth)
    shares = np.stack([(1 - rate) * spared, rate * (1 - found), (1 - rate) * (1 - spared), rate * found], axis=-1)
    data = []
    for each in shares:
        frame = random.multinomial(5, each)
        drawn = random.multivariate_hypergeometric(frame.ravel(), n).reshape(groups, 2, 2)
        data.append(data_set(frame.reshape(groups, 2, 2), drawn))
    return np.stack(data)


def by_groups(data: Integers) -> Estimate:
    """One data set of groups, all in one stratum."""
    whole = data.sum(axis=0)
    cells = tuple(RateCell(0, v, int(items), int(no + yes), (int(no), int(yes))) for v, (items, no, yes) in enumerate(whole))
    clusters = Counter(
        tuple((v, answer, int(group[v, 1 + answer])) for v in (0, 1) for answer in (0, 1) if group[v, 1 + answer]) for group in data
    )
    frame = Counter(tuple((v, int(group[v, 0])) for v in (0, 1) if group[v, 0]) for group in data)
    clusters.pop((), None)
    said = tuple(int(items) for items in whole[:, 0])
    return corrected_rate(RateTable((*said, 0, 0), cells, clusters, frame), 1, Drawn(STRATA, frozenset([0])))


# Scores from 0 to 10. One data set: stratum x human x judge, the labelled items and then all of them


def score_cells(by_verdict: bool, random: np.random.Generator, times: int) -> Iterator[Cell]:
    """The judge is off by up to two points; drawn simply, or half from where it says 7 or more."""
    steps = np.arange(11)
    for n, peak in itertools.product((30, 50, 100, 200), (1, 4, 8)):
        human = np.exp(-np.abs(steps - peak) / 2.0)
        joint = np.exp(-np.abs(steps[:, None] - steps) / 1.0) * (np.abs(steps[:, None] - steps) <= 2) * human[:, None]
        joint = joint / joint.sum(axis=1, keepdims=True) * (human / human.sum())[:, None]
        side = (np.arange(2)[:, None, None] == (steps >= 7)) if by_verdict else np.ones((1, 1, 11), dtype=np.bool_)
        found = []
        for frame in random.multinomial(FRAME, joint.ravel(), size=times).reshape(-1, 11, 11):
            strata = frame * side
            sizes = equal_shares(strata.sum(axis=(1, 2)).tolist(), n)
            drawn = [random.multivariate_hypergeometric(each.ravel(), size) for each, size in zip(strata, sizes, strict=True)]
            found.append(np.stack([np.stack(drawn).reshape(strata.shape), strata], axis=1))
        yield Cell(f"n {n}, most at {peak}", float((joint.sum(axis=1) * steps).sum()), np.stack(found))


def by_ppi(data: Integers) -> Estimate:
    steps = np.arange(11.0)
    strata = []
    for drawn, all_ in data:
        human, judge = (np.repeat(column.ravel(), drawn.ravel()) for column in np.meshgrid(steps, steps, indexing="ij"))
        strata.append(ScoreStratum(human, judge, np.repeat(steps, (all_ - drawn).sum(axis=0))))
    return stratified_ppi_mean(strata, (0.0, 10.0))


def _equal(strata: Integers, n: int) -> list[int]:
    return equal_shares(strata.sum(axis=(1, 2)).tolist(), n)


def _spread(strata: Integers, drawn: Integers) -> Integers:
    """`drawn` of the strata that hold items, at their places."""
    whole = np.zeros_like(strata)
    whole[strata.sum(axis=(1, 2)) > 0] = drawn
    return whole


def _cell(n: int, truth: tuple[float, float, float], found: Sequence[Integers]) -> Cell:
    return Cell(f"n {n}, rate {truth[0]}, sensitivity {truth[1]}, specificity {truth[2]}", truth[0], np.stack(found))


PARTS: dict[str, list[Design]] = {
    "rates": [
        Design("corrected rate, simple draw, 1 % unreadable", simple_cells, by_cells),
        Design("corrected rate, by verdict", verdict_cells, by_cells, 0.916),
        Design("corrected rate, by another run's verdict", other_cells, by_cells),
        Design("corrected rate of a slice, by verdict", slice_cells, by_cells),
        Design("corrected rate, groups of 5", grouped_cells, by_groups),
        Design("PPI++ mean of scores, simple draw", partial(score_cells, False), by_ppi),
        Design("PPI++ mean of scores, by verdict", partial(score_cells, True), by_ppi),
    ],
}
