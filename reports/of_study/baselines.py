"""Every judge run of a study beside its newest baseline, on the same items."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from data.shared_items import SharedItems
from data.store import Store
from data.store.joint import joint_tally
from data.store.judging import judge_runs
from data.store.shared import shared_items
from data.store.tallying import Answers
from data.tallies import JointTally
from reports.against_baseline import against_baseline, figure_against_baseline
from reports.document import Document
from reports.shared_figures import Figure, MeanKappa, RankCorrelation


@dataclass(frozen=True, slots=True)
class Beside:
    """A baseline (first) and another run (second) on the same items."""

    joint: JointTally
    shared: tuple[SharedItems, Callable[[SharedItems], Figure]] | None
    """Of several choices and of scores, which have no table: the items, and what is compared on them."""

    def document(self, type_: str) -> Document:
        """What the run adds to the baseline."""
        return against_baseline(type_, self.joint) if self.shared is None else figure_against_baseline(self.joint, *self.shared)


def beside_baseline(store: Store, answers: Sequence[Answers]) -> dict[str, list[Beside]]:
    """By question id: the newest baseline beside each other run; of questions that have both."""
    kinds = {run.name: run.kind for run in judge_runs(store)}
    found: dict[str, list[Beside]] = {}
    for each in answers:
        there = [name for name in kinds if name in each.ratings.verdicts]
        baselines = [name for name in there if kinds[name] == "baseline"]
        if baselines:
            pairs = [_beside(each, baselines[-1], name) for name in there if kinds[name] != "baseline"]
            found[each.ratings.question.id] = [pair for pair in pairs if pair is not None]
    return found


def _beside(answers: Answers, baseline: str, run: str) -> Beside | None:
    """None where no item has something of both and of the humans."""
    joint, question = joint_tally(answers, baseline, run), answers.ratings.question
    if joint is None:
        return None
    if question.answered_by == "choice":
        return Beside(joint, None)
    ranks = RankCorrelation.of(question, answers.ratings.levels) if question.type == "score" else None
    return Beside(joint, (shared_items(answers, [baseline, run]), lambda items: ranks or MeanKappa.of(items)))


def with_baselines(document: Document, pairs: Mapping[str, Sequence[Beside]]) -> Document:
    """The document with what each run adds to a baseline, of the questions that have one."""
    for question in document["questions"]:
        if found := pairs.get(question["id"]):
            question["baseline"] = [pair.document(question["type"]) for pair in found]
    return document
