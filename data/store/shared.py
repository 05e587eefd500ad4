"""Reading the items that the consensus and several judge runs share, with what each stands for in the frame."""

from collections.abc import Sequence

import numpy as np

from data.human_tallies import Floats
from data.records import CONSENSUS
from data.shared_items import UNREADABLE, SharedItems
from data.store.sides import ERROR, MISSING
from data.store.tallying import Answers, reached


def shared_items(answers: Answers, runs: Sequence[str]) -> SharedItems:
    """The items that have a consensus and something of all `runs`, by name, in their order.

    Of a run whose prompt was revised here only dev. What an answer is tells `SharedItems`; scores are places in `levels`.
    """
    answers = answers.beside(*runs)
    ratings, human = answers.ratings, answers.ratings.consensus
    nothing = np.full(ratings.size + 1, MISSING)
    verdicts = np.array([ratings.verdicts[run].on(ratings.size) if run in ratings.verdicts else nothing for run in runs])
    before = ratings.condition.ratings if ratings.condition else None
    sides = (before.human(CONSENSUS), *(before.verdicts.get(run) for run in runs)) if before else ()
    kept = ratings.asked(human.items, *sides) & (human.answers >= 0) & (verdicts[:, human.items] != MISSING).all(axis=0)
    items, said = human.items[kept], verdicts[:, human.items[kept]]
    return SharedItems(
        human.answers[kept],
        np.where(said == ERROR, UNREADABLE, said),
        len(ratings.levels) if ratings.question.type == "score" else len(ratings.question.choices),
        answers.frame.group_of[items],
        _stand_for(answers)[items],
    )


def shared_at_threshold(answers: Answers, runs: Sequence[str]) -> SharedItems:
    """The same of scores as two choices: below the threshold, and at or above it. Raises ValueError where none is declared."""
    sides = reached(answers.ratings)
    if sides is None:
        raise ValueError(f"The question must declare a threshold. Found none for {answers.ratings.question.id!r}. Declare one.")
    items = shared_items(answers, runs)
    verdicts = np.where(items.verdicts < 0, UNREADABLE, sides(np.maximum(items.verdicts, 0)))
    return SharedItems(sides(items.human), verdicts, 2, items.groups, items.weights)


def _stand_for(answers: Answers) -> Floats:
    """By trajectory number: how many items of the frame a labelled one stands for; 1 where nobody knows how it was drawn."""
    ratings, pool = answers.ratings, answers.pool_of(answers.ratings.consensus)
    weights = np.ones(ratings.size + 1)
    if pool is None:
        return weights
    inside = pool.stratum_of >= 0
    finished = np.bincount(pool.stratum_of[ratings.finished(CONSENSUS) & inside], minlength=len(pool.strata))
    frames = np.array([stratum.frame for stratum in pool.strata], dtype=np.float64)
    weights[inside] = (frames / np.maximum(finished, 1))[pool.stratum_of[inside]]
    return weights
