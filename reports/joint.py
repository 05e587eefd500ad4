"""The counts of two judges beside one human, with the design that they were drawn by.

A joint table is K x W x W: [human][first judge][second judge], W = K, or K + 1 where unreadable verdicts have
the last place. Laid out as K x W² it is a sample like that of a pair (module `sample`), and everything that
holds for a smooth statistic of a pair holds for one of two judges.
"""

import operator
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.tallies import JointStratum, JointTally
from reports.sample import Cells, Contents, Sample, Stratum, frame_groups_of, groups_of, nobody_finished

Table3 = Sequence[Sequence[Sequence[int]]]


@dataclass(frozen=True, slots=True)
class Joint:
    """Two judges beside one human."""

    sample: Sample
    """K x W² cells, column first·W + second."""
    width: int
    """W."""

    @classmethod
    def of_table(cls, table: Table3) -> "Joint":
        """Items drawn with equal chances, each on its own. Raises ValueError for what is no joint table."""
        counts = _checked(table)
        flat = counts.reshape(len(counts), -1)
        whole = int(flat.sum())
        return cls(Sample((Stratum(whole, whole, flat.tolist()),), read=_read(*counts.shape[:2])), counts.shape[1])

    @classmethod
    def readable(cls, joint: JointTally) -> "Joint":
        """The items of which both verdicts can be read."""
        return _of_tally(joint, len(joint.counts))

    @classmethod
    def strict(cls, joint: JointTally) -> "Joint":
        """All of the items, unreadable verdicts in a place of their own."""
        return _of_tally(joint, len(joint.counts) + 1)

    @property
    def counts(self) -> NDArray[np.int64]:
        """K x W x W items, counted without weights."""
        flat = np.array(self.sample.counts(), dtype=np.int64)
        return flat.reshape(len(flat), self.width, self.width)

    def judge(self, which: int) -> Sample:
        """One of the two (0 or 1) beside the human, K x W, on the same items."""
        place = np.arange(self.width**2)
        column = place // self.width if which == 0 else place % self.width
        groups = self.sample.groups
        return replace(
            self.sample,
            strata=tuple(_margin(stratum, which, self.width) for stratum in self.sample.strata),
            groups=None if groups is None else replace(groups, column=column[groups.column]),
            read=None,
        )


def _of_tally(joint: JointTally, width: int) -> Joint:
    size = len(joint.counts)
    known = [place for place, each in enumerate(joint.strata) if _within(each.first, width) and _within(each.second, width)]
    empty = next((joint.strata[place] for place in known if joint.strata[place].frame and not joint.strata[place].finished), None)
    unlabelled = "" if empty is None else nobody_finished(empty.name, empty.frame)
    whole = Joint.of_table([[row[:width] for row in rows[:width]] for rows in joint.counts]).sample
    strata, places = whole.strata, dict.fromkeys(range(max(1, len(joint.strata))), 0)
    if joint.weighted:
        kept = [place for place in known if joint.strata[place].finished > 0]
        strata = tuple(_layer(joint.strata[place], size, width) for place in kept) or strata
        places = {place: new for new, place in enumerate(kept)}
    groups = groups_of(_contents(joint, width), places, width**2)
    frame = frame_groups_of(joint.frame_groups, places) if joint.weighted and groups is not None else None
    return Joint(Sample(strata, joint.weighted, groups, frame, unlabelled, whole.read), width)


def _within(place: int | None, width: int) -> bool:
    """Whether a stratum's items can have a cell, as far as one judge goes."""
    return place is None or 0 <= place < width


def _layer(stratum: JointStratum, size: int, width: int) -> Stratum:
    """As `Stratum.fillable`: nothing counts as fillable that would invent an unreadable reply, but the stratum's own."""
    can = np.zeros((size, width, width), dtype=np.bool_)
    first, second = (range(size) if place is None else [place] for place in (stratum.first, stratum.second))
    can[np.ix_(range(size), first, second)] = True
    counts = np.array(stratum.counts, dtype=np.int64)[:, :width, :width].reshape(size, -1)
    return Stratum(stratum.frame, stratum.finished, counts.tolist(), None, can.reshape(size, -1))


def _margin(stratum: Stratum, which: int, width: int) -> Stratum:
    def along(flat: NDArray[np.int64] | Cells) -> NDArray[np.int64]:
        summed: NDArray[np.int64] = flat.reshape(len(flat), width, width).astype(np.int64).sum(axis=2 - which)
        return summed

    can = None if stratum.can is None else along(stratum.can) > 0
    return replace(stratum, counts=along(np.array(stratum.counts, dtype=np.int64)).tolist(), can=can)


def _contents(joint: JointTally, width: int) -> Contents:
    """The groups of the tally in the cells of this sample."""
    found: Counter[tuple[tuple[int, int, int, int], ...]] = Counter()
    for content, groups in joint.clusters.items():
        cells = [
            (stratum, human, first * width + second, items)
            for stratum, human, first, second, items in content
            if first < width and second < width
        ]
        if cells:
            found[tuple(cells)] += groups
    return found


def _read(size: int, width: int) -> Cells:
    """K x W²: the K³ cells of items that all three could be read on."""
    cells = np.zeros((size, width, width), dtype=np.bool_)
    cells[:, :size, :size] = True
    return cells.reshape(size, -1)


def _checked(table: Table3) -> NDArray[np.int64]:
    counts = [[[operator.index(count) for count in row] for row in rows] for rows in table]
    size, width = len(counts), len(counts[0]) if counts else 0
    shapes = {len(rows) for rows in counts} | {len(row) for rows in counts for row in rows}
    if size < 2 or shapes != {width} or width not in (size, size + 1):
        raise ValueError(
            f"A joint table must be K x K x K, or K x (K+1) x (K+1) with unreadable verdicts last. Found {size} human choices and "
            f"rows of {sorted(shapes)} verdicts. Give a place to every declared choice, used or not."
        )
    if any(count < 0 for rows in counts for row in rows for count in row):
        raise ValueError(f"A joint table must hold counts of items. Found {min(np.ravel(counts))}. Count again.")
    return np.array(counts, dtype=np.int64)
