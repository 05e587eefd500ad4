"""Judge runs beside the humans on dev, for candidates that compete: pair by pair, and all on the items that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.questions import Question
from data.shared_items import SharedItems
from data.store import Store
from data.store.factors import items_of_split
from data.store.joint import joint_tally
from data.store.shared import shared_at_threshold, shared_items
from data.store.tallying import Answers, read_answers
from data.store.versions import check_still_declared
from data.study import Study
from judge.competing import Pair
from reports.comparing import compare
from reports.credit import Named
from reports.joint import Joint
from reports.shared_figures import Figure, Kappa, MeanKappa, RankCorrelation, paired

SPLIT = "dev"


@dataclass(frozen=True, slots=True)
class DevTable:
    """What humans and runs said of the dev items of one question."""

    answers: Answers

    @property
    def question(self) -> Question:
        return self.answers.ratings.question

    @property
    def labelled(self) -> list[int]:
        """Dev items that have a consensus, by trajectory number, ascending."""
        human = self.answers.ratings.consensus
        numbers: list[int] = human.items[human.answers >= 0].tolist()
        return numbers

    def compared(self, first: str, second: str) -> Pair:
        """Two runs by their names, strictly: an unreadable reply is a disagreement."""
        if not self._by_choice:
            items = self.shared([first, second])
            return paired(items, self.figure(items))
        joint = joint_tally(self.answers, first, second)
        if joint is not None and self.question.type == "score":
            joint = joint.at_threshold
        if joint is None:
            size = len(self.question.choices) or 2
            return compare(Joint.of_table([[[0] * (size + 1)] * (size + 1)] * size), self._weights)
        return compare(Joint.strict(joint), self._weights)

    def shared(self, runs: Sequence[str]) -> SharedItems:
        """The items that have a consensus and something of all `runs`, in their order; of scores at a threshold."""
        if self.question.type == "score" and self._by_choice:
            return shared_at_threshold(self.answers, runs)
        return shared_items(self.answers, runs)

    def figure(self, items: SharedItems) -> Figure:
        """What candidates are compared by on these items."""
        question = self.question
        if question.type == "multilabel":
            return MeanKappa.of(items)
        if self._by_choice:
            return Kappa(self._weights, "kappa at the threshold" if question.type == "score" else "kappa")
        return RankCorrelation.of(question, self.answers.ratings.levels)

    @property
    def _by_choice(self) -> bool:
        """Whether an answer is one of several: a choice, or a side of the threshold."""
        return self.question.answered_by == "choice" or self.question.threshold is not None

    @property
    def _weights(self) -> Named:
        """Of kappa."""
        return "linear" if self.question.type == "ordinal" else "unweighted"


def dev_table(store: Store, study: Study, question: str) -> DevTable:
    """Read at one moment. Raises StudyError where study.toml lost what labels use, ValueError for an unknown question."""
    with store.reading():
        check_still_declared(store, study)
        for answers in read_answers(store, study, None, None, items_of_split(store, SPLIT)):
            if answers.ratings.question.id == question:
                return DevTable(answers)
    declared = [each.id for each in study.questions]
    raise ValueError(f"The question must be declared in study.toml. Found {question!r} beside {declared}. Name one of these.")
