"""Candidates compete on dev: who is ahead of the parent, by how much more than chance, and when it is time to stop.

Everybody is compared on the same items as the parent, strictly: an unreadable reply is a disagreement. A gain is a
difference of kappas (of mean kappas over labels, of rank correlations) above one standard error of that difference.
Candidates within one standard error of the best are tied with it, and the shortest prompt wins.

The best of several candidates looks better than it is, because it was picked for what it shows on these very items. How
much that makes is found by exchanging the verdicts of all prompts at random within each item (within each group, where
items share one): what is then ahead is so by chance alone, with errors as alike between prompts as they are here.
Measured on 400 seeded sets of eleven equal prompts (kappa .66, 30 % positives, errors of any two correlated by .5): the best
of ten was ahead of the average by .114, .079 and .060 on 50, 100 and 200 items, and this said .116, .083 and .059.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from data.shared_items import SharedItems
from reports.estimate import Estimate
from reports.shared_figures import Figure, Kappa

ROUNDS_WITHOUT_GAIN = 2
"""After so many it is time to stop."""
TIMES = 1000
"""How often verdicts are exchanged."""
OFTEN = 0.95


class Pair(Protocol):
    """Two prompts on the same items: a `Comparison` of kappas, or `Paired` figures of another kind."""

    @property
    def first(self) -> Estimate: ...
    @property
    def second(self) -> Estimate: ...
    @property
    def difference(self) -> Estimate:
        """The second's less the first's."""

    @property
    def error(self) -> Estimate:
        """The standard error of the difference."""

    @property
    def n(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """One prompt on the dev items that it shares with the parent."""

    name: str
    characters: int
    comparison: Pair
    """The parent first, this prompt second; of the parent with itself."""
    gained: bool
    tied: bool
    """Whether it is the best or within one standard error of it."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The parent first, then the candidates in the order given."""

    standings: tuple[Standing, ...]
    best: str
    """The highest figure."""
    winner: str
    """The shortest of those that are tied with the best; the parent where no candidate gained."""

    @property
    def gained(self) -> bool:
        """Whether the round brought a gain."""
        return self.winner != self.standings[0].name


def contest(parent: str, characters: Mapping[str, int], compared: Callable[[str, str], Pair]) -> Contest:
    """Who wins; `characters`: length by name, of the parent as of the candidates; `compared`: two prompts by their names.

    Where a figure is undefined its prompt is not ahead of anybody. Raises ValueError where the parent has no length.
    """
    if parent not in characters:
        raise ValueError(f"The parent must be among the prompts. Found {list(characters)}, and not {parent!r}. Add it.")
    names = [parent, *(name for name in characters if name != parent)]
    beside = {name: compared(parent, name) for name in names}
    values = {name: beside[name].second.value for name in names}
    best = max(names, key=lambda name: -2.0 if values[name] is None else values[name] or 0.0)
    tied = {name for name in names if name == best or (values[name] is not None and not is_gain(compared(name, best)))}
    gained = {name for name in names if name != parent and is_gain(beside[name])}
    # On equal length the better one; a parent that is tied stays.
    order = sorted(tied & gained, key=lambda name: (characters[name], -(values[name] or 0.0), names.index(name)))
    standings = tuple(Standing(name, characters[name], beside[name], name in gained, name in tied) for name in names)
    return Contest(standings, best, order[0] if order and parent not in tied else parent)


def is_gain(comparison: Pair) -> bool:
    """Whether the second is ahead of the first by more than one standard error of the difference."""
    difference, error = comparison.difference.value, comparison.error.value
    return difference is not None and error is not None and difference > max(error, 0.0)


@dataclass(frozen=True, slots=True)
class Optimism:
    """What the best of several equal prompts gains by chance."""

    candidates: int
    n: int
    expected: float | None
    """Of the figure, on average; None with a reason."""
    often_below: float | None
    """In 95 % of the exchanges the best was not further ahead of the parent than this."""
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        names = ("candidates", "n", "expected", "often_below", "reason")
        return {name: getattr(self, name) for name in names}


def optimism(items: SharedItems, figure: Figure = Kappa(), times: int = TIMES, seed: int = 0) -> Optimism:  # noqa: B008
    """How far the best of all prompts but the first would be ahead, were all of them equal.

    Undefined without items, and where the figure is.
    """
    prompts, n = items.verdicts.shape
    if n == 0 or prompts < 2:
        return Optimism(prompts - 1, n, None, None, "no item has a label and a verdict of every prompt")
    dice = np.random.default_rng(seed)
    group = np.unique(items.groups, return_inverse=True)[1]
    gains, ahead = np.empty(times), np.empty(times)
    for time in range(times):
        order = dice.random((int(group.max()) + 1, prompts)).argsort(axis=1)
        found = figure(replace(items, verdicts=np.take_along_axis(items.verdicts, order[group].T, axis=0)))
        # On average over which of the prompts is the parent: it is any of them alike.
        second, best = np.partition(found, prompts - 2)[-2:]
        gains[time] = best - (best - second) / prompts - found.mean()
        ahead[time] = found[1:].max() - found[0]
    if not np.isfinite(gains).all():
        return Optimism(prompts - 1, n, None, None, f"{figure.name} is undefined: one and the same answer throughout")
    return Optimism(prompts - 1, n, float(gains.mean()), float(np.quantile(ahead, OFTEN)))


@dataclass(frozen=True, slots=True)
class Step:
    """A prompt of the tree beside the one that it was made from."""

    prompt: str
    parent: str | None
    round: int | None
    """The round of revision that it came from; None for one made by hand."""
    gained: bool | None
    """None: never compared with its parent on dev."""


def rounds_without_gain(prompt: str, steps: Sequence[Step]) -> int:
    """How many rounds in a row brought nothing, up to now, for who would revise `prompt`.

    Those that began at it; and, going up, the steps by which it was reached without a gain.
    """
    by_prompt = {step.prompt: step for step in steps}
    tried = [step for step in steps if step.parent == prompt and step.gained is not None]
    if any(step.gained for step in tried):
        return 0
    count = len({step.round for step in tried})
    at: str | None = prompt
    while at is not None and (step := by_prompt.get(at)) is not None and step.gained is False:
        count, at = count + 1, step.parent
    return count
