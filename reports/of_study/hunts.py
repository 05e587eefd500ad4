"""How much richer in a judge's errors the last closed hunt was than a random draw from the same split."""

from typing import Any

from data.questions import Question
from data.records import CONSENSUS
from data.store import Store
from data.store.disagreements import side_by_side
from data.store.factors import items_of_split
from data.store.hunting import last_closed_hunt
from data.store.sides import HUNTED
from data.store.status import judge_run_codes, questions_of_run
from data.store.tallying import read_answers
from data.study import Study
from reports.agreement import observed_agreement
from reports.estimate import Estimate
from reports.hunting import ratio_of_shares, share_of_errors
from reports.sample import Sample
from reports.shares import proportion

Document = dict[str, Any]


def last_hunt_of(study: Study, store: Store) -> Document | None:
    """The last closed hunt, question by question and run by run: `hunted` and `random`, shares of items on which judge and
    humans differ, and `ratio`; None where no hunt is closed.

    `hunted`: of its items with a consensus and a readable verdict, taken one by one; `random`: of the train items of estimate
    batches, weighted and by group as `agree` has them. A multilabel or score question has no random share and no ratio.
    """
    with store.reading():
        hunt = last_closed_hunt(store)
        if hunt is None:
            return None
        runs = {name: code for name, code in judge_run_codes(store).items() if hunt.run in (None, name)}
        random = _random(study, store, None if hunt.run is None else runs.get(hunt.run))
        rows = []
        for name, code in runs.items():
            answered = questions_of_run(store, code)
            for question in study.questions:
                if hunt.question in (None, question.id) and question.id in answered:
                    hunted = _hunted(study, store, question, code, hunt.name)
                    rows.append(_row(question, name, hunted, random.get((question.id, name), NO_DRAW)))
    return {"hunt": hunt.name, "rows": rows}


NO_DRAW = Estimate.undefined(0, "wilson", "no train item of a batch drawn at random has both a consensus and a verdict")


def _row(question: Question, run: str, hunted: Estimate, random: Estimate) -> Document:
    ratio = ratio_of_shares(hunted, random)
    return {
        "question": question.id,
        "run": run,
        "hunted": hunted.as_json(),
        "random": random.as_json(),
        "ratio": ratio.as_json(),
    }


def _hunted(study: Study, store: Store, question: Question, run: int, hunt: str) -> Estimate:
    both = side_by_side(store, study, question.id, run, HUNTED, hunt)
    readable = int((both.judge >= 0).sum())
    return proportion(len(both.trajectories(store, None, ("train",))), readable)


def _random(study: Study, store: Store, run: int | None) -> dict[tuple[str, str], Estimate]:
    """(Question id, run) to the share of train items on which the run differs from the consensus of estimate batches.

    `run`: the code of one, or None for all.
    """
    return {
        (answers.ratings.question.id, name): share_of_errors(observed_agreement(Sample.readable(pair)))
        for answers in read_answers(store, study, run, "batch", items_of_split(store, "train"))
        if answers.ratings.question.answered_by == "choice"
        for name in answers.ratings.verdicts
        for pair in answers.judge_pairs(name, [CONSENSUS])
    }
