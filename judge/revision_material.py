"""What a revision learns from: train items on which a lead held the judge to be wrong, and some on which it is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from data.codebook import read_page
from data.errors import RejudgeError
from data.questions import Question
from data.store import Store
from data.store.causes import JUDGE_WRONG, causes_of
from data.store.disagreements import Details, Disagreement, details, side_by_side
from data.store.judging import JudgeRun, ToJudge, trajectories
from data.store.sides import HUNTED
from data.store.status import question_codes
from data.study import Study
from judge.copied import texts_in
from judge.evidence import EvidenceView, record_text, shortened, view_of
from judge.prompts import Prompt
from judge.reviser import MOST_AGREEMENTS, MOST_DISAGREEMENTS, Case, Material, balanced
from judge.template import BYTES_A_TOKEN

RECORD_TOKENS = 24_000
"""For the records of all cases together."""
MOST_RATIONALES = 3
"""Of humans, on one item."""
LONGEST_RATIONALE = 1_500
"""Characters of one; the rest is cut, with a mark."""
SPLIT = "train"
LOOKED_AT = 50
"""Items of one cell among which those with a human's rationale are looked for."""


def material(store: Store, study: Study, question: Question, prompt: Prompt, run: JudgeRun) -> Material:
    """The cases for a revision of `prompt` by what `run` got wrong, each as the judge's own view has it.

    As evenly as they go from every (human, judge) cell, those with a human's rationale first. Raises RejudgeError where
    there is no error to learn from, or where the question has no choices.
    """
    if question.answered_by != "choice":
        raise RejudgeError(
            f"A prompt for {question.id} cannot be revised here.",
            f"Found a question of the type {question.type}: its errors have no directions to balance.",
            "Revise the file by hand: copy it, name its parent, and compare both with `rejudge judge compare`.",
        )
    code = question_codes(store)[question.id]
    both = side_by_side(store, study, question.id, run.code)
    held = {number: cause.note for number, cause in causes_of(store, run.code, code).items() if cause.cause == JUDGE_WRONG}
    found = [each for each in both.listed(store, both.trajectories(store, None, (SPLIT,))) if each.trajectory in held]
    hunt = side_by_side(store, study, question.id, run.code, HUNTED)
    sampled = set(both.items.tolist())  # what a sample says of an item comes before what a hunt did
    hunted = [
        each
        for each in hunt.listed(store, hunt.trajectories(store, None, (SPLIT,)))
        if each.trajectory in held and each.trajectory not in sampled
    ]
    wrong = _told(store, code, run, found, MOST_DISAGREEMENTS, hunted)
    if not wrong:
        raise RejudgeError(
            "There is nothing to revise the prompt by.",
            f"Found no train item on which {run.name} and the humans differ with the cause “{JUDGE_WRONG}”.",
            "Say on the disagreements page why they differ; only these drive the prompt.",
        )
    agreed = [
        each
        for place in range(len(question.choices))
        for each in both.listed(store, both.trajectories(store, (place, place), (SPLIT,))[:LOOKED_AT])
    ]
    told = [*wrong, *_told(store, code, run, agreed, MOST_AGREEMENTS)]
    room = replace(view_of(study), total=_room(view_of(study), len(told)))
    records = trajectories(store, [each.item.trajectory for each in told])
    cases = tuple(each.case(record, room, held) for each, record in zip(told, records, strict=True))
    return Material(prompt, question, read_page(study, question), cases)


def _room(view: EvidenceView, cases: int) -> int:
    """Characters for the record of one case."""
    room = RECORD_TOKENS * BYTES_A_TOKEN // cases
    return room if view.total is None else min(room, view.total)


@dataclass(frozen=True, slots=True)
class _Told:
    """An item, with all that was said of it."""

    item: Disagreement
    said: Details

    @property
    def rationales(self) -> tuple[str, ...]:
        """Of humans who gave the answer that stands, and of the lead who decided on it."""
        decision = self.said.decision
        decided = (decision.rationale,) if decision and decision.answer == self.item.human else ()
        given = (*decided, *(vote.rationale for vote in self.said.votes if vote.answer == self.item.human))
        return tuple(shortened(text, LONGEST_RATIONALE) for text in given if text.strip())[:MOST_RATIONALES]

    def case(self, record: ToJudge, view: EvidenceView, notes: Mapping[int, str]) -> Case:
        verdict = self.said.verdict
        seen = record_text(record, view)
        return Case(
            trajectory=record.n,
            split=record.split,
            human=str(self.item.human),
            judge=str(self.item.judge),
            human_rationales=self.rationales,
            judge_rationale=shortened(verdict.rationale, LONGEST_RATIONALE) if verdict else "",
            note=shortened(notes.get(record.n, ""), LONGEST_RATIONALE) if self.item.human != self.item.judge else "",
            record=seen.text if seen.task is None else f"Task: {seen.task}\n{seen.text}",
            whole="\n".join(texts_in([record.task, record.steps, record.metadata])),
        )


def _told(
    store: Store, question: int, run: JudgeRun, items: Sequence[Disagreement], most: int, hunted: Sequence[Disagreement] = ()
) -> list[_Told]:
    """Up to `most` of the items and of those of hunts, balanced over (human, judge)."""
    told = {item.trajectory: _Told(item, details(store, item.trajectory, question, run.code)) for item in items}
    told |= {item.trajectory: _Told(item, details(store, item.trajectory, question, run.code, HUNTED)) for item in hunted}
    cells: dict[tuple[str, str], list[int]] = {}
    for number in sorted(told, key=lambda number: (not told[number].rationales, number)):
        cells.setdefault((str(told[number].item.human), str(told[number].item.judge)), []).append(number)
    ordered = {cell: cells[cell] for cell in sorted(cells)}
    return [told[number] for number in balanced(ordered, most)]
