"""How often a judge run answered the same items, and how often it answered them otherwise.

The store counts these; `reports.consistency` turns them into figures.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RepeatTally:
    """One run on one question: I items that it answered more than once. An unreadable reply is an answer of its own."""

    run: str
    repeats: int
    """Replies to the item that has most."""
    replies: Ints
    """I: at least 2."""
    differing: Ints
    """I: how many of the pairs of an item's replies are two different answers."""
    group: Ints
    """I: which group an item lies in."""
    unreadable_items: int
    """Of the I items, those with an unreadable reply."""
    unreadable_replies: int
    """Of their replies."""
    once: int
    """Items with a single reply: they enter no figure."""
    selected: bool = False
    """As `PairTally.selected`."""
