"""A prompt's template: placeholders, put in by a single pass over the template.

What is put in is never looked at again: a trajectory that holds `{{choices}}` brings those characters and nothing else. Task and
record stand between two lines of equals signs, longer than any run of equals signs in all that is put together, so that no
trajectory can close its own fence.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from data.errors import RejudgeError
from data.questions import Question
from data.store.judging import ToJudge
from data.terminal import on_one_line
from judge.evidence import EvidenceView, record_text
from judge.examples import ShownExample
from judge.prompts import Prompt

PLACEHOLDERS = ("trajectory", "task", "codebook", "choices", "question", "examples")
REQUIRED = "trajectory"
NO_TASK = "(none is recorded)"
NO_EXAMPLES = "(none)"
BYTES_A_TOKEN = 4
_SHORTEST_FENCE = 5
_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_FENCES = re.compile(f"={{{_SHORTEST_FENCE},}}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent to a judge about one trajectory."""

    text: str
    cut: tuple[str, ...]
    """What of the trajectory was cut, a sentence each."""


def rendered(
    prompt: Prompt,
    question: Question,
    codebook: str,
    trajectory: ToJudge,
    view: EvidenceView,
    examples: Sequence[ShownExample] = (),
) -> Rendered:
    """The prompt about a trajectory: equal input gives equal text. `codebook`: the question's page.

    An item is no example for itself, nor for another one of its group. Raises RejudgeError for a template that `parts_of` refuses.
    """
    parts = parts_of(prompt)
    record = record_text(trajectory, view)
    trusted = {
        "question": question.ask.strip(),
        "codebook": codebook.strip(),
        "choices": choices_text(question),
    }
    others = [example for example in examples if not example.tells_of(trajectory)]
    fence = fence_around(
        prompt.body, *trusted.values(), record.text, record.task or "", *(text for each in others for text in each.texts)
    )
    values = trusted | {
        "trajectory": f"{fence}\n{record.text}\n{fence}",
        "task": NO_TASK if record.task is None else f"{fence}\n{record.task}\n{fence}",
        "examples": "\n\n".join(each.within(fence, number) for number, each in enumerate(others, 1)) or NO_EXAMPLES,
    }
    text = "".join(values[part] if number % 2 else part for number, part in enumerate(parts))
    return Rendered(text, record.cut)


def parts_of(prompt: Prompt) -> tuple[str, ...]:
    """The template as text, placeholder's name, text, ..., text.

    Raises RejudgeError for an unknown placeholder, one that is not closed, and a template without {{trajectory}}.
    """
    try:
        return _parts(prompt.body)
    except RejudgeError as error:
        raise error.at(str(prompt.path or f"Prompt {prompt.hash[:8]}")) from None


def written_parts(body: str) -> Iterator[tuple[int, str]]:
    """What stands between the placeholders of a template, known or not, each with the line it begins in, from 1."""
    line = 1
    for number, part in enumerate(_PLACEHOLDER.split(body)):
        if not number % 2:
            yield line, part
        line += part.count("\n")


@lru_cache(maxsize=64)
def _parts(body: str) -> tuple[str, ...]:
    parts = [part.strip() if number % 2 else part for number, part in enumerate(_PLACEHOLDER.split(body))]
    listed = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS)
    for name in parts[1::2]:
        if name not in PLACEHOLDERS:
            raise RejudgeError(
                "the template has an unknown placeholder.",
                f"Found {{{{{on_one_line(name)[:60]}}}}}.",
                f"The placeholders are {listed}; two braces that are none need a space between them.",
            )
    loose = next((part for part in parts[::2] if "{{" in part), None)
    if loose is not None:
        raise RejudgeError(
            "the template has a placeholder that is not closed.",
            f"Found {on_one_line(loose[loose.index('{{') :])[:60]}.",
            "Close it with two braces; two braces that are no placeholder need a space between them.",
        )
    if REQUIRED not in parts[1::2]:
        found = ", ".join(f"{{{{{name}}}}}" for name in dict.fromkeys(parts[1::2])) or "no placeholder"
        raise RejudgeError(
            "the template has no {{trajectory}}.",
            f"Found {found}.",
            "Write {{trajectory}} where the record belongs: without it the judge sees nothing.",
        )
    return tuple(parts)


def choices_text(question: Question) -> str:
    """What may be answered, as the judge reads it."""
    if question.type == "score":
        return f"A number from {question.min} to {question.max}" + (", in whole steps." if question.scale else ".")
    listed = "\n".join(f"- {on_one_line(choice)}" for choice in question.choices)
    if question.type == "multilabel":
        return f"All that apply of these, or none of them:\n{listed}"
    return f"One of these{', from the lowest to the highest' if question.type == 'ordinal' else ''}:\n{listed}"


def estimated_tokens(text: str) -> int:
    """About how many tokens a text takes: one for every four bytes of UTF-8. Tokenizers differ by a third and more."""
    return -(-len(text.encode(errors="replace")) // BYTES_A_TOKEN)


def fence_around(*texts: str) -> str:
    """A line of equals signs that stands in none of the texts."""
    longest = max((len(run) for text in texts for run in _FENCES.findall(text)), default=_SHORTEST_FENCE - 1)
    return "=" * (longest + 1)
