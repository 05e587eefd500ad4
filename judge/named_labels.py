"""Verdicts that a template names, and that its question does not have.

A word is taken for a verdict only where the template says that it is one: in quotation marks (or backticks, or bold) behind the
word verdict, label, choice, or an "answer" that the judge is told to give, with `:`, `=`, `is`, `with` and the like between;
or alone behind such a word and a colon at the beginning of a line. Alternatives behind it (`"a" | "b"`, `"a" or "b"`) count too.
Whatever else is quoted may be about anything.
"""

import re
from collections.abc import Iterator

from data.questions import Question

_ANSWER = r"(?:(?<=\n)|(?<=[.:;,*>}-]\s)|(?<=then\s)|(?<=your\s)|(?<=final\s)|(?<=must\s)|(?<=please\s)|(?<=[\"'`]))answers?"
_NOUN = rf"(?:verdicts?|labels?|choices?|{_ANSWER})[\"'`*]*"
_LINK = r"(?:\s*(?:[:=]|\b(?:is|are|be|as|with|either|must|should|exactly|one\s+of|only)\b))"
_QUOTE = r"(?:\*\*[^*\n]{1,80}\*\*|\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|`[^`\n]{1,80}`|(?<!\w)'[^'\n]{1,80}'(?!\w))"
# What a colon follows is the next key of a JSON object.
_QUOTED = rf"{_QUOTE}(?!\s*:)"
_BETWEEN = r"\s*(?:\||/|,\s*or\b|,|\bor\b|\band\b)\s*"
_BEHIND = re.compile(rf"(?<!\w){_NOUN}{_LINK}{{0,4}}\s*[\[({{]?\s*({_QUOTED}(?:{_BETWEEN}{_QUOTED})*)", re.IGNORECASE)
_WORDS = r"[\w-]+(?:[ \t]*[|/][ \t]*[\w-]+)*"
_BARE = re.compile(
    rf"(?<=\n)[ \t]*(?:[-*>] )?(?:final\s+)?(?:verdict|label|choice|answer)[ \t]*[:=][ \t]*({_WORDS})[ \t]*(?=\n)", re.IGNORECASE
)
_EACH = re.compile(_QUOTE)


def undeclared_labels(question: Question, text: str) -> list[tuple[int, str]]:
    """The verdicts that `text` names and that are none of the question's, each with its line, from 1; in their order."""
    found = sorted(set(_named(f"\n{text}\n")))
    return [(line, label) for line, label in found if not _is_declared(question, label)]


def _named(text: str) -> Iterator[tuple[int, str]]:
    for found in _BEHIND.finditer(text):
        for quoted in _EACH.finditer(found[1]):
            inside = quoted[0].strip("*\"“”`'")
            for label in inside.split("|"):
                yield text.count("\n", 0, found.start(1) + quoted.start()), label.strip()
    for found in _BARE.finditer(text):
        for label in re.split(r"[|/]", found[1]):
            yield text.count("\n", 0, found.start(1)), label.strip()


def _is_declared(question: Question, label: str) -> bool:
    if not label or label.startswith(("{", "<", "…", "...")):
        return True  # a placeholder, or a space to fill in
    if question.type == "score":
        try:
            return question.allows_score(float(label))
        except ValueError:
            return False
    declared = [*question.choices, *([question.when.choice] if question.when else [])]
    return _folded(label) in {_folded(choice) for choice in declared}


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
