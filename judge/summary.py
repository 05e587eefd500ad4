"""What a run or a batch came to, as it goes and at its end. No count of any verdict stands in it."""

from collections import Counter
from dataclasses import dataclass, field

from data.store.columns import Bools
from data.store.judging import Reply
from data.wording import amount

_FEW = 20
"""Readable replies that may all be alike without a word."""


@dataclass(kw_only=True)
class Brought:
    """Replies that are stored."""

    readable: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    """Replies without an answer, by kind."""
    cost: float | None = None

    @property
    def came(self) -> int:
        """Replies, readable or not."""
        return self.readable + self.errors.total()

    def count(self, reply: Reply) -> None:
        """A reply that is stored."""
        if reply.error is None:
            self.readable += 1
        else:
            self.errors[reply.error.partition(":")[0]] += 1
        if reply.call is not None and reply.call.cost is not None:
            self.cost = (self.cost or 0.0) + reply.call.cost


@dataclass
class RunSummary(Brought):
    """One question, once over a list of trajectories."""

    question: str
    repeat: int
    wanted: int
    """Trajectories that were to be judged."""
    there: int = 0
    """Of these, judged before by the same judge: not asked again."""
    runs: list[str] = field(default_factory=list)
    """The names of the runs that verdicts went to: more than one where the server's model changed meanwhile."""
    noted: Counter[str] = field(default_factory=Counter)
    """What was left out of replies, or stood wrong in them, by what it was."""
    cut: int = 0
    """Trajectories that the judge saw a part of."""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    without_reply: int = 0
    """Calls that ended without a reply; the same command makes them again."""
    retried: int = 0
    """Attempts that failed and were followed by another."""
    most_at_once: int = 0
    lowest_pace: int = 0
    stopped: bool = False
    """Whether it was told to stop before its end."""
    fingerprints: set[str] = field(default_factory=set)
    told_of: Bools | None = None
    """By trajectory number: whether it may be told that its answer is like the others'; None: of every one."""
    _alike: int = 0
    """Readable replies that may be told of."""
    _answers: set[object] = field(default_factory=set)
    """Of these, the first two answers that differ."""

    def add(self, reply: Reply, cut: tuple[str, ...]) -> None:
        """A reply that is stored; `cut`: what of the trajectory the judge did not see, with which the call's notes begin."""
        self.count(reply)
        if reply.error is None and (self.told_of is None or self.told_of[reply.trajectory]):
            self._alike += 1
            if len(self._answers) < 2:
                self._answers.add((reply.choice, reply.choices, reply.score))
        self.cut += bool(cut)
        if (call := reply.call) is not None:
            for note in call.notes[len(cut) :]:
                kind, _, count = note.partition(": ")
                self.noted[kind] += int(count or 1)
            self.tokens_in += call.tokens_in or 0
            self.tokens_out += call.tokens_out or 0

    def text(self) -> str:
        """In words, a line each."""
        named = " and ".join(self.runs) or "no run"
        again = f" (repeat {self.repeat})" if self.repeat else ""
        lines = [f"{self.question}{again}, {named}: {amount(self.came, 'verdict')}, of them {self.readable} readable"]
        lines += [f"  {count} without an answer: {kind}" for kind, count in self.errors.most_common()]
        if self.there:
            lines.append(f"  {self.there} were there already and are not asked again")
        lines += [f"  {note}: {count}" for note, count in self.noted.most_common()]
        if self.cut:
            lines.append(f"  {amount(self.cut, 'trajectory', 'trajectories')} cut by the rules of [judge.view], each on record")
        tokens = f"{amount(self.tokens_in, 'token', form=',')} in, {self.tokens_out:,} out"
        cost = "" if self.cost is None else f"; cost {self.cost:.4f}"
        rate = f"; {self.came / self.seconds:,.1f} a second" if self.seconds > 0 and self.came else ""
        lines.append(f"  {tokens}{cost}; {self.seconds:,.1f} seconds{rate}")
        if self.retried:
            slower = f", down to {self.lowest_pace} at once" if self.lowest_pace < self.most_at_once else ""
            lines.append(f"  {amount(self.retried, 'attempt')} failed and made again{slower}")
        left = self.wanted - self.there - self.came
        if left:
            lines.append(f"  {left} not judged yet: the same command goes on from here")
        return "\n".join(lines)

    def warnings(self) -> list[str]:
        """What whoever reads the summary should look at."""
        said = []
        if self._alike >= _FEW and len(self._answers) == 1:
            where = "" if self.told_of is None else " about dev items"
            said.append(
                f"All {self._alike} readable replies{where} on {self.question} give one and the same answer. "
                "Look at the prompt and the model before you trust a figure."
            )
        if len(self.fingerprints) > 1:
            said.append(
                f"The server answered from {len(self.fingerprints)} configurations of the model "
                f"({', '.join(sorted(self.fingerprints)[:5])}): equal requests may get other replies."
            )
        return said
