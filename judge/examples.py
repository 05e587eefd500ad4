"""Train items that a prompt shows together with their answers (few-shot examples)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from data.errors import RejudgeError
from data.questions import Question
from data.store import Store
from data.store.judging import ToJudge, trajectories_named
from data.store.prompts import Example
from judge.evidence import EvidenceView, Record, record_text
from judge.prompts import Prompt
from judge.replies import Answer, parsed

SPLIT = "train"


@dataclass(frozen=True, slots=True)
class ShownExample:
    """One as a judge reads it."""

    example: Example
    trajectory: ToJudge
    record: Record

    @property
    def texts(self) -> tuple[str, ...]:
        """All that it brings."""
        return (self.record.text, self.record.task or "", self.example.answer, self.example.why)

    def tells_of(self, trajectory: ToJudge) -> bool:
        """Whether it is this item, or one of its group or content: its answer would be given away."""
        mine = self.trajectory
        return mine.group == trajectory.group or mine.content_hash == trajectory.content_hash

    def within(self, fence: str, number: int) -> str:
        """Its text, task and record between fences; `number`: from 1."""
        task = [] if self.record.task is None else ["Task:", fence, self.record.task, fence]
        why = [f"Rationale: {self.example.why}"] if self.example.why else []
        lines = [f"Example {number}", *task, "Record:", fence, self.record.text, fence, *why, f"Verdict: {self.example.answer}"]
        return "\n".join(lines)


def examples_shown(store: Store, prompt: Prompt, question: Question, view: EvidenceView) -> tuple[ShownExample, ...]:
    """The examples of a prompt in its order. Raises RejudgeError for one that `examples_refused` names."""
    items = example_items(store, prompt)
    refused = next(examples_refused(prompt, question, items), None)
    if refused is not None:
        raise RejudgeError(f"{prompt.path or f'Prompt {prompt.hash[:8]}'} cannot be shown with its examples.", *refused)
    return tuple(ShownExample(each, items[each.item], record_text(items[each.item], view)) for each in prompt.examples)


def examples_refused(prompt: Prompt, question: Question, items: Mapping[str, ToJudge]) -> Iterator[tuple[str, str]]:
    """What is wrong with an example, and what to do about it. `items`: see `example_items`."""
    for example in prompt.examples:
        item = items.get(example.item)
        if item is None:
            yield f"There is no trajectory {example.item!r} for an example.", "Give the id of a train item."
        elif item.split != SPLIT:
            yield f"The example {example.item!r} lies in {item.split}.", "Take a train item: on others the judge is measured."
        error = answer_of(example, question).error
        if error is not None:
            kind = " as a JSON list" if question.type == "multilabel" else ""
            yield f"The example {example.item!r} has no answer to this question ({error}).", f"Write a declared one{kind}."


def example_items(store: Store, prompt: Prompt) -> dict[str, ToJudge]:
    """By id, the trajectories that examples name, as far as they are there."""
    return trajectories_named(store, [example.item for example in prompt.examples])


def answer_of(example: Example, question: Question) -> Answer:
    """What an example says, read as a judge's own reply is."""
    return parsed(f"RATIONALE: none\nVERDICT: {example.answer}", question, 0, "text")
