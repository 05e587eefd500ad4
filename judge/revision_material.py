"""What a revision learns from: train items on which a lead held the judge to be wrong, and some on which it is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from data.codebook import read_page
from data.errors import RejudgeError
from data.questions import Question, answer_text
from data.store import Store
from data.store.causes import JUDGE_WRONG, causes_of
from data.store.disagreements import Details, Disagreement, details, side_by_side
from data.store.gold import Decided
from data.store.judging import JudgeRun, ToJudge, trajectories
from data.store.sides import HUNTED
from data.store.status import question_codes
from data.study import Study
from judge.copied import texts_in
from judge.directions import agreement_text, direction_text, directions, kind, speaks_for
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
"""Items of one kind among which those with a human's rationale are looked for."""


def material(store: Store, study: Study, question: Question, prompt: Prompt, run: JudgeRun) -> Material:
    """The cases for a revision of `prompt` by what `run` got wrong, each as the judge's own view has it.

    As evenly as they go from every way to err (`directions`), those with a human's rationale first, of scores the
    largest differences. Raises RejudgeError where there is no error to learn from.
    """
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
    told = [_Told.of(store, question, code, run, each) for each in found]
    wrong = _balanced([*told, *(_Told.of(store, question, code, run, each, HUNTED) for each in hunted)])
    if not wrong:
        raise RejudgeError(
            "There is nothing to revise the prompt by.",
            f"Found no train item on which {run.name} and the humans differ with the cause “{JUDGE_WRONG}”.",
            "Say on the disagreements page why they differ; only these drive the prompt.",
        )
    right = _agreements(question, both.listed(store, both.agreeing(store, (SPLIT,))))
    cells = {cell: _in_order([_Told.of(store, question, code, run, each) for each in items]) for cell, items in right.items()}
    chosen = [*wrong, *balanced(cells, MOST_AGREEMENTS)]
    room = replace(view_of(study), total=_room(view_of(study), len(chosen)))
    records = trajectories(store, [each.item.trajectory for each in chosen])
    cases = tuple(each.case(record, room, held) for each, record in zip(chosen, records, strict=True))
    return Material(prompt, question, read_page(study, question), cases)


def _agreements(question: Question, items: Sequence[Disagreement]) -> dict[str, list[Disagreement]]:
    """The first items of each kind; of sets of choices, of which there may be many, the kinds that are most often so."""
    kinds: dict[str, list[Disagreement]] = {}
    for item in items:
        kinds.setdefault(kind(question, item.human), []).append(item)
    several = question.type == "multilabel"
    order = sorted(kinds, key=lambda name: (-len(kinds[name]) if several else 0, name))
    return {name: kinds[name][:LOOKED_AT] for name in order[:MOST_AGREEMENTS]}


def _room(view: EvidenceView, cases: int) -> int:
    """Characters for the record of one case."""
    room = RECORD_TOKENS * BYTES_A_TOKEN // cases
    return room if view.total is None else min(room, view.total)


@dataclass(frozen=True, eq=False)
class _Told:
    """An item, with all that was said of it."""

    question: Question
    item: Disagreement
    said: Details
    judge: Decided
    """Its answer, which could be read."""

    @classmethod
    def of(
        cls, store: Store, question: Question, code: int, run: JudgeRun, item: Disagreement, source: str | None = None
    ) -> "_Told":
        if item.judge is None:
            raise ValueError(f"An unreadable verdict is no case. Found one on {item.id!r}. Leave it out.")
        return cls(question, item, details(store, item.trajectory, code, run.code, source), item.judge)

    @cached_property
    def rationales(self) -> tuple[str, ...]:
        """Of the lead who decided on it, and of humans who hold what stands, those who gave just that answer first."""
        item, decision = self.item, self.said.decision
        decided = (decision.rationale,) if decision and _same(decision.answer, item.human) else ()
        votes = [vote for vote in self.said.votes if speaks_for(self.question, vote.answer, item.human, self.judge)]
        given = (*decided, *(vote.rationale for vote in sorted(votes, key=lambda vote: not _same(vote.answer, item.human))))
        return tuple(shortened(text, LONGEST_RATIONALE) for text in given if text.strip())[:MOST_RATIONALES]

    @property
    def apart(self) -> float:
        """How far two scores lie from each other; 0 of choices."""
        human = self.item.human
        return abs(human - self.judge) if isinstance(human, float) and isinstance(self.judge, float) else 0.0

    def case(self, record: ToJudge, view: EvidenceView, notes: Mapping[int, str]) -> Case:
        verdict, human = self.said.verdict, self.item.human
        seen = record_text(record, view)
        direction = direction_text(self.question, human, self.judge)
        return Case(
            trajectory=record.n,
            split=record.split,
            human=answer_text(self.question, human),
            judge=answer_text(self.question, self.judge),
            direction=direction,
            agreement=agreement_text(self.question, human, self.judge),
            human_rationales=self.rationales,
            judge_rationale=shortened(verdict.rationale, LONGEST_RATIONALE) if verdict else "",
            note=shortened(notes.get(record.n, ""), LONGEST_RATIONALE) if direction else "",
            record=seen.text if seen.task is None else f"Task: {seen.task}\n{seen.text}",
            whole="\n".join(texts_in([record.task, record.steps, record.metadata])),
        )


def _same(answer: Decided | None, human: Decided) -> bool:
    """Whether two answers are the same one; several choices in any order."""
    return set(answer) == set(human) if isinstance(answer, tuple) and isinstance(human, tuple) else answer == human


def _balanced(told: Sequence[_Told]) -> list[_Told]:
    """Up to MOST_DISAGREEMENTS items, in turn by each way to err, and within it by each label."""
    ways: dict[tuple[str, ...], dict[str, list[_Told]]] = {}
    for each in _in_order(told):
        for way, label in directions(each.question, each.item.human, each.judge):
            ways.setdefault(way, {}).setdefault(label, []).append(each)
    in_turn = {way: balanced({label: ways[way][label] for label in sorted(ways[way])}, len(told)) for way in sorted(ways)}
    return balanced(in_turn, MOST_DISAGREEMENTS)


def _in_order(told: Sequence[_Told]) -> list[_Told]:
    return sorted(told, key=lambda each: (not each.rationales, -each.apart, each.item.trajectory))
