"""A question: one thing that is asked of every trajectory, with its declared choices."""

import json
from dataclasses import dataclass
from typing import Any

from data.hashing import document_hash

TYPES = ("binary", "nominal", "ordinal")
_FINDINGS = frozenset(("yes", "true", "1", "unsafe", "harmful", "misaligned", "violation", "failure", "fail", "bad", "positive"))
EVIDENCE = ("none", "optional", "any", "first")


@dataclass(frozen=True, slots=True)
class When:
    """Asked only of items whose answer to `question` is `choice`."""

    question: str
    choice: str


@dataclass(frozen=True, slots=True)
class Question:
    """As `study.toml` declares it."""

    id: str
    ask: str
    type: str
    choices: tuple[str, ...]
    """In order; for an ordinal question lowest first."""
    positive: str | None
    """The choice that a judge is there to find; only for a binary question, and required there."""
    evidence: str = "none"
    when: When | None = None

    def document(self) -> dict[str, Any]:
        """What a label depends on, as JSON: the source of the question's version hash."""
        when = {"question": self.when.question, "is": self.when.choice} if self.when else None
        return {
            "id": self.id,
            "ask": self.ask,
            "type": self.type,
            "choices": list(self.choices),
            "positive": self.positive,
            "evidence": self.evidence,
            "when": when,
        }

    def version(self) -> str:
        """Hash of wording, choices and rules."""
        return document_hash("question", self.document())


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
        f"choices = [{', '.join(toml_text(choice) for choice in question.choices)}]",
    ]
    if question.positive is not None:
        lines.append(f"positive = {toml_text(question.positive)}")
    if question.evidence != "none":
        lines.append(f"evidence = {toml_text(question.evidence)}")
    if question.when is not None:
        lines.append(f"when = {{ question = {toml_text(question.when.question)}, is = {toml_text(question.when.choice)} }}")
    return "\n".join(lines) + "\n"


def guessed_question(id: str, choices: list[str]) -> Question:
    """A question made from the choices that a file uses, for a person to check.

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
