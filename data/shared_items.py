"""Items that the humans and several judge runs all answered, a column each: what figures of several judges are made of."""

from dataclasses import dataclass, replace

from data.human_tallies import Bools, Floats, Ints

UNREADABLE = -1
"""In the place of an answer: the verdict could not be read."""


@dataclass(frozen=True, slots=True)
class SharedItems:
    """Items that a human side and all runs have.

    An answer is the place of a choice, from 0; of several choices a whole number whose bit i is choice i; of scores the place
    of its level.
    """

    human: Ints
    verdicts: Ints
    """Runs x items; `UNREADABLE` for a verdict that could not be read."""
    choices: int
    """How many there are; of scores how many levels."""
    groups: Ints
    """Whatever number a group has."""
    weights: Floats
    """How many items of the frame each stands for."""

    def only(self, kept: Bools) -> "SharedItems":
        """The items of `kept` alone."""
        columns = (self.groups[kept], self.weights[kept])
        return replace(self, human=self.human[kept], verdicts=self.verdicts[:, kept], groups=columns[0], weights=columns[1])
