"""What a judge sees of a trajectory: by declared rules, with the same redactions as for the humans, and every cut said.

A record is plain text. A step begins at the left edge with its position, as in `[3] tool_result (bash): ...`; every further
line of it is indented. So nothing that a trajectory says can begin a step, or end the record.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from data.redaction import Redaction, as_text, numbered
from data.store.judging import ToJudge
from data.study import Study
from data.terminal import on_one_line
from data.wording import amount

RENDERER = 1
"""Part of a judge's identity, as the parser is: raised whenever a record or a template is put into other words."""
RESULTS = ("tool_result", "observation")
"""Kinds of steps that bring what a tool or the world answered: they are cut before anything else."""
SHORTEST = 200
"""Middle steps are left out before a result is cut below so many characters."""
LONGEST_NAME = 80
"""Characters of a speaker, tool or field; the rest of a longer one is cut."""
TASK_SHARE = 4
"""Of `total`, a task takes at most one part in so many."""
_INDENT = "\n  "
_LINE_END = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """What a judge is shown; part of what makes it this judge and no other."""

    reasoning: str = "shown"
    """`shown` or `hidden`."""
    results: int | None = None
    """Characters of a tool result or observation, the rest is cut; None for all."""
    show: tuple[str, ...] = ()
    """Metadata fields."""
    total: int | None = None
    """Characters of task and record together; None for all."""
    redact: tuple[str, ...] = ()
    """Patterns that are blanked, for humans and judge alike."""

    def document(self) -> dict[str, Any]:
        """As JSON: what is stored with a run."""
        return {
            "reasoning": self.reasoning,
            "results": self.results,
            "show": list(self.show),
            "total": self.total,
            "redact": list(self.redact),
        }


def view_of(study: Study) -> EvidenceView:
    """What `[judge.view]` declares; what it leaves open is as `[blind]` has it for annotators, with nothing cut."""
    rules, blind = study.judge_view, study.blind
    return EvidenceView(
        blind.reasoning if rules.reasoning is None else rules.reasoning,
        rules.results,
        blind.show if rules.show is None else rules.show,
        rules.total,
        blind.redact,
    )


@dataclass(frozen=True, slots=True)
class Record:
    """A trajectory as a judge reads it."""

    text: str
    cut: tuple[str, ...]
    """What was cut by the rules of the view, a sentence each; empty where nothing was."""
    task: str | None
    """The task, as far as it is shown; None where none is recorded."""


def record_text(trajectory: ToJudge, view: EvidenceView) -> Record:
    """The record of a trajectory under a view: the same text whenever it is made.

    Cut are, in this order and only as far as needed: results to `results` characters each; then, for `total`, the longest results
    first, the middle steps, and at last the longest of the texts that remain. Each cut leaves a mark, and is said in `cut`.
    """
    redact = Redaction(view.reasoning, view.redact)
    steps = [redact.step(step) for step in numbered([dict(step) for step in trajectory.steps])]
    fields = [(key, trajectory.metadata[key]) for key in view.show if trajectory.metadata.get(key) is not None]
    parts = [_Part(f"- {_name(key)}", as_text(redact.value(value))) for key, value in fields]
    parts += [_step(position, step) for position, step in enumerate(steps)]
    task: str | None = redact.value(trajectory.task)
    cut, room = [], view.total
    if task is not None and room is not None:
        most = room // TASK_SHARE
        if len(task) > most:
            cut.append(f"{amount(len(task) - most, 'character', form=',')} of the task cut")
            task = shortened(task, most)
        room -= len(task)
    selection = _fitted(_Selection(tuple(parts), view.results), room)
    return Record(selection.text(), (*cut, *selection.said()), task)


def shortened(text: str, most: int | None) -> str:
    """`text`, of which the middle is cut where it is longer than `most` characters: two thirds of these from its beginning."""
    if most is None or len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail]}\n[… {len(text) - most} characters cut …]\n{text[len(text) - tail :]}"


@dataclass(frozen=True, slots=True)
class _Part:
    """A metadata field or a step, before it is cut."""

    head: str
    text: str
    position: int | None = None
    """None for metadata."""
    is_result: bool = False


def _step(position: int, step: dict[str, Any]) -> _Part:
    by = [_name(step[key]) for key in ("speaker", "tool") if step.get(key)]
    by += [f"{key} {step[key]}" for key in ("session", "call") if key in step]
    by += ["error"] if step.get("error") else []
    head = f"[{position}] {step['kind']}" + (f" ({', '.join(by)})" if by else "")
    return _Part(head, step.get("text") or step.get("arguments") or "", position, step["kind"] in RESULTS)


def _name(text: str) -> str:
    name = on_one_line(text)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


@dataclass(frozen=True, slots=True)
class _Selection:
    """How much of each part a record holds."""

    parts: tuple[_Part, ...]
    results: int | None
    """Characters of a result; None for all."""
    others: int | None = None
    """Characters of any other text."""
    left_out: tuple[int, int] | None = None
    """The first and the last position of the steps that are left out."""
    without_metadata: bool = False

    def most(self, part: _Part) -> int | None:
        return self.results if part.is_result else self.others

    def kept(self) -> list[_Part]:
        first, last = self.left_out or (0, -1)
        return [p for p in self.parts if not (self.without_metadata if p.position is None else first <= p.position <= last)]

    def text(self) -> str:
        lines = []
        for part in self.kept():
            if self.left_out and part.position == self.left_out[1] + 1:
                lines.append(f"[… {_left_out(*self.left_out)} …]")
            lines.append(f"{part.head}: {_INDENT.join(_LINE_END.split(shortened(part.text, self.most(part))))}")
        return "\n".join(lines)

    def said(self) -> list[str]:
        """What is not in the text, in words."""
        said = ["the metadata left out"] if self.without_metadata else []
        said += [_left_out(*self.left_out)] if self.left_out else []
        lost = [(p, len(p.text) - most) for p in self.kept() if (most := self.most(p)) is not None and len(p.text) > most]
        if positions := [part.position for part, _ in lost if part.position is not None]:
            characters = sum(count for part, count in lost if part.position is not None)
            said.append(f"{amount(characters, 'character', form=',')} of {_steps(positions)} cut")
        if characters := sum(count for part, count in lost if part.position is None):
            said.append(f"{amount(characters, 'character', form=',')} of the metadata cut")
        return said

    def fits(self, total: int) -> bool:
        return len(self.text()) <= total


def _left_out(first: int, last: int) -> str:
    return f"step {first} left out" if first == last else f"steps {first} to {last} left out"


def _steps(positions: list[int]) -> str:
    """Positions in words: `steps 1, 3 to 5`."""
    runs: list[list[int]] = []
    for position in positions:
        if runs and runs[-1][-1] == position - 1:
            runs[-1][1:] = [position]
        else:
            runs.append([position])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return f"{'step' if len(positions) == 1 else 'steps'} {', '.join(words)}"


def _fitted(whole: _Selection, total: int | None) -> _Selection:
    """The selection that keeps most within `total` characters, by the order of the rules."""
    if total is None or whole.fits(total):
        return whole
    longest = max((len(part.text) for part in whole.parts if part.is_result), default=0)
    floor = SHORTEST if whole.results is None else min(SHORTEST, whole.results)
    upto = longest if whole.results is None else min(longest, whole.results)
    selection = _largest(lambda most: replace(whole, results=most), floor, upto, total)
    if selection.fits(total):
        return selection
    count = sum(part.position is not None for part in whole.parts)
    if count > 2:
        selection = _largest(lambda kept: _ends(selection, kept, count), 2, count - 1, total)
    of_all = _all_cut(selection, whole.results, total)
    return of_all if of_all.fits(total) else _all_cut(replace(selection, without_metadata=True), whole.results, total)


def _all_cut(selection: _Selection, results: int | None, total: int) -> _Selection:
    """The selection with every text cut to one length; results to no more than `results` characters."""

    def cut_to(most: int) -> _Selection:
        return replace(selection, results=most if results is None else min(most, results), others=most)

    return _largest(cut_to, 0, total, total)


def _ends(selection: _Selection, kept: int, count: int) -> _Selection:
    """The first and the last of `count` steps, `kept` together."""
    return replace(selection, left_out=(kept - kept // 2, count - kept // 2 - 1))


def _largest(of: Callable[[int], _Selection], least: int, most: int, total: int) -> _Selection:
    """`of` the largest number from `least` to `most` that fits; of `least` where none does. What fits at a number fits below it."""
    while least < most:
        middle = (least + most + 1) // 2
        if of(middle).fits(total):
            least = middle
        else:
            most = middle - 1
    return of(least)
