"""Judge runs beside the humans on dev, for candidates that compete: pair by pair, and all on the items that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.questions import Question
from data.records import CONSENSUS
from data.store import Store
from data.store.factors import items_of_split
from data.store.joint import joint_tally
from data.store.sides import ERROR, MISSING
from data.store.tallying import Answers, read_answers
from data.store.versions import check_still_declared
from data.study import Study
from judge.competing import SharedItems
from reports.comparing import Comparison, compare
from reports.credit import Named
from reports.joint import Joint

SPLIT = "dev"


@dataclass(frozen=True, slots=True)
class DevTable:
    """What humans and runs said of the dev items of one question with choices."""

    answers: Answers

    @property
    def question(self) -> Question:
        return self.answers.ratings.question

    @property
    def weights(self) -> Named:
        """Of kappa."""
        return "linear" if self.question.type == "ordinal" else "unweighted"

    @property
    def labelled(self) -> list[int]:
        """Dev items that have a consensus, by trajectory number, ascending."""
        human = self.answers.ratings.consensus
        numbers: list[int] = human.items[human.answers >= 0].tolist()
        return numbers

    def compared(self, first: str, second: str) -> Comparison:
        """Two runs by their names, strictly: an unreadable reply is a disagreement."""
        joint = joint_tally(self.answers, first, second)
        if joint is None:
            size = len(self.question.choices)
            return compare(Joint.of_table([[[0] * (size + 1)] * (size + 1)] * size), self.weights)
        return compare(Joint.strict(joint), self.weights)

    def shared(self, runs: Sequence[str]) -> SharedItems:
        """The items that have a consensus and something of all `runs`, in their order."""
        ratings, frame = self.answers.ratings, self.answers.frame
        human = ratings.consensus
        nothing = np.full(ratings.size + 1, MISSING)
        verdicts = np.array([ratings.verdicts[run].on(ratings.size) if run in ratings.verdicts else nothing for run in runs])
        before = ratings.condition.ratings if ratings.condition else None
        sides = (before.human(CONSENSUS), *(before.verdicts.get(run) for run in runs)) if before else ()
        kept = ratings.asked(human.items, *sides) & (human.answers >= 0) & (verdicts[:, human.items] != MISSING).all(axis=0)
        items, said = human.items[kept], verdicts[:, human.items[kept]]
        return SharedItems(
            human.answers[kept],
            np.where(said == ERROR, len(self.question.choices), said),
            len(self.question.choices),
            frame.group_of[items],
            self._stand_for()[items],
        )

    def _stand_for(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """By trajectory number: how many items of the frame a labelled one stands for; 1 where nobody knows how it was drawn."""
        ratings, pool = self.answers.ratings, self.answers.pool_of(self.answers.ratings.consensus)
        weights = np.ones(ratings.size + 1)
        if pool is None:
            return weights
        inside = pool.stratum_of >= 0
        finished = np.bincount(pool.stratum_of[ratings.finished(CONSENSUS) & inside], minlength=len(pool.strata))
        frames = np.array([stratum.frame for stratum in pool.strata], dtype=np.float64)
        weights[inside] = (frames / np.maximum(finished, 1))[pool.stratum_of[inside]]
        return weights


def dev_table(store: Store, study: Study, question: str) -> DevTable:
    """Read at one moment. Raises StudyError where study.toml lost what labels use, ValueError for an unknown question."""
    with store.reading():
        check_still_declared(store, study)
        for answers in read_answers(store, study, None, None, items_of_split(store, SPLIT)):
            if answers.ratings.question.id == question:
                return DevTable(answers)
    declared = [each.id for each in study.questions]
    raise ValueError(f"The question must be declared in study.toml. Found {question!r} beside {declared}. Name one of these.")
