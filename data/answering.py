"""Which questions an item is asked, and which answers each of them takes.

The desk in the browser keeps the same rules, so that an annotator hears of it at once; what decides is here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.questions import Question


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says to one question: one of `choice`, `choices`, `score` and unsure, or none of them yet."""

    choice: str | None = None
    choices: tuple[str, ...] | None = None
    score: float | None = None
    unsure: bool = False
    evidence: tuple[int, ...] = ()
    rationale: str | None = None
    confidence: int | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is an answer; unsure is one."""
        return self.unsure or any(value is not None for value in (self.choice, self.choices, self.score))

    def names(self, choice: str) -> bool:
        """Whether this answer is `choice`, or names it among others."""
        return self.choice == choice or choice in (self.choices or ())


NOTHING = Answer()


def asked(questions: Sequence[Question], answers: Mapping[str, Answer]) -> list[Question]:
    """Those whose condition holds, in their declared order.

    A condition holds where its question is asked itself and answered with its choice: unsure is not enough.
    """
    found: dict[str, Question] = {}
    for question in questions:
        when = question.when
        if when is None or (when.question in found and answers.get(when.question, NOTHING).names(when.choice)):
            found[question.id] = question
    return list(found.values())


def problem(questions: Sequence[Question], answers: Mapping[str, Answer]) -> str:
    """Why `answers` cannot be taken for an item that is asked `questions`; empty where they can."""
    known = {question.id for question in questions}
    if not answers.keys() <= known:
        return "That question is not asked."
    now_asked = asked(questions, answers)
    for question in questions:
        if question in now_asked:
            why = _answer_problem(question, answers.get(question.id, NOTHING))
        else:
            why = "This question is not asked, as its condition does not hold." if question.id in answers else ""
        if why:
            return why if len(questions) == 1 else f"“{question.id}”: {why}"
    return ""


def _answer_problem(question: Question, answer: Answer) -> str:
    values = (answer.choice, answer.choices, answer.score, answer.unsure or None)
    if sum(value is not None for value in values) != 1:
        return "It has two answers." if answer.is_given else "It is not answered."
    return _value_problem(question, answer) or evidence_problem(question, answer)


def _value_problem(question: Question, answer: Answer) -> str:
    if answer.score is not None:
        # NaN lies in no range.
        if question.answered_by == "score" and question.allows_score(answer.score):
            return ""
        return "That is not a score that it takes."
    named = answer.choices if answer.choices is not None else () if answer.choice is None else (answer.choice,)
    kind = "unsure" if answer.unsure else "choice" if answer.choices is None else "choices"
    fits = kind in ("unsure", question.answered_by) and set(named) <= set(question.choices) and len(set(named)) == len(named)
    return "" if fits else "That is not one of the choices."


def evidence_problem(question: Question, answer: Answer) -> str:
    """Why the evidence does not do for this answer; empty where it does."""
    rule, count = question.evidence, len(answer.evidence)
    if rule == "none" and count:
        return "This question takes no evidence."
    if answer.unsure:
        return ""
    if rule == "any" and not count:
        return "Mark at least one step as evidence."
    if rule == "first" and (count > 1 or (answer.choice == question.positive and count != 1)):
        return "Mark exactly one step: the first failing one."
    return ""
