"""A question: one thing that is asked of every trajectory, with its declared choices or its range of scores."""

import json
from dataclasses import dataclass
from typing import Any

from data.hashing import document_hash

TYPES = ("binary", "nominal", "ordinal", "multilabel", "score")
EVIDENCE = ("none", "optional", "any", "first")
MOST_LABELS = 60
"""Choices that a multilabel question can have: an answer is stored as the bits of one whole number."""
WIDEST_SCALE = 10
"""A scale of whole numbers up to this span has a key and a button for each."""
SIDES_OF_THRESHOLD = ("below", "at or above")
"""What a score is at its threshold."""

NO_ANSWER = "no answer"
NONE_OF_THEM = "none of them"


@dataclass(frozen=True, slots=True)
class When:
    """Asked only of items whose answer to `question` is `choice`, or names it among others."""

    question: str
    choice: str


@dataclass(frozen=True, slots=True)
class Question:
    """As `study.toml` declares it."""

    id: str
    ask: str
    type: str
    choices: tuple[str, ...]
    """In order; for an ordinal question lowest first. Empty for a score."""
    positive: str | None = None
    """The choice that a judge is there to find; only for a binary question, and required there."""
    evidence: str = "none"
    when: When | None = None
    min: float | None = None
    """For a score: the least one. Whole numbers stay whole: they make a scale of whole steps."""
    max: float | None = None
    threshold: float | None = None
    """For a score: from here on it is a finding."""

    def document(self) -> dict[str, Any]:
        """What a label depends on, as JSON: the source of the question's version hash."""
        when = {"question": self.when.question, "is": self.when.choice} if self.when else None
        document = {
            "id": self.id,
            "ask": self.ask,
            "type": self.type,
            "choices": list(self.choices),
            "positive": self.positive,
            "evidence": self.evidence,
            "when": when,
        }
        return document | {"min": self.min, "max": self.max, "threshold": self.threshold} if self.type == "score" else document

    def version(self) -> str:
        """Hash of wording, choices and rules."""
        return document_hash("question", self.document())

    @property
    def answered_by(self) -> str:
        """Which of `choice`, `choices` and `score` carries an answer to it."""
        return {"multilabel": "choices", "score": "score"}.get(self.type, "choice")

    @property
    def scale(self) -> tuple[int, ...]:
        """Every score of a short scale of whole numbers; empty where a number is typed."""
        low, high = self.min, self.max
        if not isinstance(low, int) or not isinstance(high, int) or not 2 <= high - low <= WIDEST_SCALE:
            return ()
        return tuple(range(low, high + 1))

    def allows_score(self, score: float) -> bool:
        """Whether `score` lies in the declared range."""
        return self.min is not None and self.max is not None and self.min <= score <= self.max


def answer_text(question: Question, answer: str | tuple[str, ...] | float | None) -> str:
    """An answer in words; several choices in their declared order."""
    if answer is None:
        return NO_ANSWER
    if isinstance(answer, tuple):
        return ", ".join(choice for choice in question.choices if choice in answer) or NONE_OF_THEM
    return f"{answer:g}" if isinstance(answer, float) else answer


def question_from_document(document: dict[str, Any]) -> Question:
    """The inverse of `Question.document`."""
    when = document["when"]
    return Question(
        id=document["id"],
        ask=document["ask"],
        type=document["type"],
        choices=tuple(document["choices"]),
        positive=document["positive"],
        evidence=document["evidence"],
        when=When(when["question"], when["is"]) if when else None,
        min=document.get("min"),
        max=document.get("max"),
        threshold=document.get("threshold"),
    )


def toml_text(text: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's too, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def question_block(question: Question) -> str:
    """The `[[question]]` block of `study.toml` that declares `question`."""
    lines = [
        "[[question]]",
        f"id = {toml_text(question.id)}",
        f"ask = {toml_text(question.ask)}",
        f"type = {toml_text(question.type)}",
    ]
    if question.type == "score":
        bounds = (("min", question.min), ("max", question.max), ("threshold", question.threshold))
        lines += [f"{key} = {value!r}" for key, value in bounds if value is not None]
    else:
        lines.append(f"choices = [{', '.join(toml_text(choice) for choice in question.choices)}]")
    if question.positive is not None:
        lines.append(f"positive = {toml_text(question.positive)}")
    if question.evidence != "none":
        lines.append(f"evidence = {toml_text(question.evidence)}")
    if question.when is not None:
        lines.append(f"when = {{ question = {toml_text(question.when.question)}, is = {toml_text(question.when.choice)} }}")
    return "\n".join(lines) + "\n"
