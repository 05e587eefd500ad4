"""A question made from the answers that a file gives to it, for a person to check."""

import math
from dataclasses import dataclass, field

from data.questions import Question
from data.records import Label, Verdict

_FINDINGS = frozenset(("yes", "true", "1", "unsafe", "harmful", "misaligned", "violation", "failure", "fail", "bad", "positive"))
_SCALES: tuple[tuple[float, float], ...] = ((0.0, 1.0), (1, 5), (0, 10), (0, 100))
"""Usual ranges of scores; the narrowest that holds all is guessed."""


@dataclass(slots=True)
class Used:
    """What a file answers to one question."""

    choices: dict[str, None] = field(default_factory=dict)
    """In the file's order."""
    labels: dict[str, None] = field(default_factory=dict)
    several: bool = False
    """Whether there are answers of several choices; they may all be empty."""
    least: float = math.inf
    most: float = -math.inf

    def add(self, answer: Verdict | Label) -> None:
        if answer.choice is not None:
            self.choices[answer.choice] = None
        if answer.choices is not None:
            self.several = True
            self.labels |= dict.fromkeys(answer.choices)
        if answer.score is not None:
            self.least, self.most = min(self.least, answer.score), max(self.most, answer.score)

    @property
    def kinds(self) -> list[str]:
        """Which of `choice`, `choices` and `score` occur."""
        found = {"choice": bool(self.choices), "choices": self.several, "score": self.least <= self.most}
        return [kind for kind, there in found.items() if there]

    def question(self, id: str) -> Question:
        """The question that takes these answers; where several kinds occur, those of the first kind."""
        kind = (self.kinds or ["choice"])[0]
        if kind == "choices":
            names = sorted(self.labels)
            names += ["choice-a", "choice-b"][: 2 - len(names)] if len(names) < 2 else []
            return Question(id, f"Which of these hold for “{id}”?", "multilabel", tuple(names))
        if kind == "score":
            low, high = range_of(self.least, self.most)
            return Question(id, f"Which score holds for “{id}”?", "score", (), min=low, max=high)
        return guessed_question(id, list(self.choices))


def range_of(least: float, most: float) -> tuple[float, float]:
    """The narrowest usual range that holds both, else the whole numbers around them."""
    whole = (math.floor(least), max(math.ceil(most), math.floor(least) + 1))
    return next(((low, high) for low, high in _SCALES if low <= least and most <= high), whole)


def guessed_question(id: str, choices: list[str]) -> Question:
    """A question of one choice, from the choices that a file uses.

    Two choices make it binary; more make it nominal. The positive one comes last: the choice called like
    the question, else one that usually means a finding, else the last of the alphabet. Never by how often
    a file uses them: annotators would see from the order which is rare. Where the file uses fewer, the
    missing ones get a name that says so.
    """
    choices = sorted(choices, key=lambda choice: (choice == id, choice.casefold() in _FINDINGS, choice))
    if len(choices) < 2:
        choices = [f"not {choices[0]}", *choices] if choices else ["choice-a", "choice-b"]
    binary = len(choices) == 2
    return Question(
        id=id,
        ask=f"Which choice holds for “{id}”?",
        type="binary" if binary else "nominal",
        choices=tuple(choices),
        positive=choices[1] if binary else None,
    )
