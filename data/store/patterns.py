"""Equal things counted once: groups of items with the same content, items with the same votes.

A hundred thousand groups hold a few hundred different patterns. Each group gets a fingerprint, the sum of
random numbers of what it holds, so that no two groups are compared; two patterns among 100,000 different
ones share a 64-bit fingerprint with a chance below one in a thousand million.
"""

from dataclasses import dataclass

import numpy as np

from data.store.columns import Ints

Pattern = tuple[tuple[int, int], ...]
"""(thing, how often), ascending by thing."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """What G groups hold."""

    listed: list[Pattern]
    """The different patterns; the empty one is that of a group which holds nothing."""
    groups: list[int]
    """How many groups have each."""
    of: Ints
    """G: the place of a group's pattern in `listed`."""


def patterns_of(group: Ints, thing: Ints, groups: int) -> Patterns:
    """The patterns of `groups` groups; row by row a `thing`, a whole number from 0, lies in a `group`."""
    width = int(thing.max(initial=-1)) + 1
    marks = np.random.default_rng(20110).integers(1, 2**63, size=width, dtype=np.uint64)
    fingerprint = np.zeros(groups, dtype=np.uint64)
    np.add.at(fingerprint, group, marks[thing])
    _, first, of, counts = np.unique(fingerprint, return_index=True, return_inverse=True, return_counts=True)
    place = np.full(groups, -1, dtype=np.int64)
    place[first] = np.arange(len(first))
    shown = place[group] >= 0
    cells, often = np.unique(place[group[shown]] * width + thing[shown], return_counts=True)
    listed: list[Pattern] = [()] * len(first)
    whose = cells // width if width else cells
    ends = np.searchsorted(whose, np.arange(len(first) + 1)).tolist()
    pairs = list(zip((cells % width if width else cells).tolist(), often.tolist(), strict=True))
    for k in range(len(first)):
        listed[k] = tuple(pairs[ends[k] : ends[k + 1]])
    return Patterns(listed, counts.tolist(), of)
