"""Which way a judge errs on an item, by the type of its question: what the cases of a revision are balanced by.

One choice: from the humans' choice to the judge's. Several: a label that it misses, or over-calls; one item may show more than one
of these. Scores: too high or too low, where both lie on the same side of a declared threshold not at all.
"""

from typing import NamedTuple

from data.questions import Question, answer_text
from data.store.gold import Decided

MISSES, OVER_CALLS = "misses", "over-calls"
TOO_HIGH, TOO_LOW = "too high", "too low"


class Direction(NamedTuple):
    """One way to err."""

    way: tuple[str, ...]
    """What disagreements are balanced by first: of one choice (human, judge), else which way."""
    label: str = ""
    """And then: of several choices which of them."""


def directions(question: Question, human: Decided, judge: Decided) -> tuple[Direction, ...]:
    """Every way in which the judge errs there; none where it does not differ."""
    if isinstance(human, tuple) and isinstance(judge, tuple):
        return tuple(
            Direction((MISSES if choice in human else OVER_CALLS,), choice)
            for choice in question.choices
            if (choice in human) != (choice in judge)
        )
    if isinstance(human, float) and isinstance(judge, float):
        at = question.threshold
        same = human == judge if at is None else (human >= at) == (judge >= at)
        return () if same else (Direction((TOO_HIGH if judge > human else TOO_LOW,)),)
    return () if human == judge else (Direction((str(human), str(judge))),)


def direction_text(question: Question, human: Decided, judge: Decided) -> str:
    """Which way it errs, in words; empty where it does not."""
    found = directions(question, human, judge)
    if not found:
        return ""
    said = f"humans say {answer_text(question, human)}, the judge said {answer_text(question, judge)}"
    if question.type == "multilabel":
        return f"the judge {'; '.join(f'{direction.way[0]} {direction.label}' for direction in found)}: {said}"
    if question.type == "score":
        apart = "" if question.threshold is None else f", on the other side of {question.threshold:g}"
        return f"the judge is {found[0].way[0]}{apart}: {said}"
    if question.positive == judge:
        return f"false positive: {said}"
    return f"false negative: {said}" if question.positive == human else said


def agreement_text(question: Question, human: Decided, judge: Decided) -> str:
    """What both say, in words; empty where the judge errs. Two scores may differ and lie on the same side."""
    if directions(question, human, judge):
        return ""
    one, other = answer_text(question, human), answer_text(question, judge)
    return f"both say {one}" if one == other else f"humans say {one}, the judge said {other}, which counts as the same"


def kind(question: Question, human: Decided) -> str:
    """What agreements are balanced by: the answer, of scores the side of the threshold, or of the middle of the range."""
    if isinstance(human, float):
        middle = ((question.min or 0) + (question.max or 0)) / 2
        return "above" if human >= (middle if question.threshold is None else question.threshold) else "below"
    return answer_text(question, human)


def speaks_for(question: Question, vote: Decided | None, human: Decided, judge: Decided) -> bool:
    """Whether who gave `vote` held what the consensus does where the judge errs, though not always in the same answer."""
    if vote is None:
        return False
    if (set(vote) == set(human)) if isinstance(vote, tuple) and isinstance(human, tuple) else vote == human:
        return True
    return bool(set(directions(question, vote, judge)) & set(directions(question, human, judge)))
