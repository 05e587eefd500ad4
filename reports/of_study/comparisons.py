"""Every two judge runs of a study beside the human consensus: which agrees better, on the same items."""

from itertools import combinations

import numpy as np

from data.store import Store
from data.store.factors import items_of_split
from data.store.joint import joint_tally, runs_in_order
from data.store.status import judge_run_codes
from data.store.tallying import Answers, read_answers
from data.store.versions import check_still_declared
from data.study import Study
from reports.comparison_document import comparison_document
from reports.document import Document

MOST_RUNS = 6
"""Runs that are compared with each other: fifteen pairs are as many as anybody reads."""


def comparisons_of(study: Study, store: Store, run: int | None, labels: str | None) -> Document:
    """The comparisons of a study. `run`: the code of a judge run that every pair shall have, or None; `labels`: a source, or None.

    Pairs are in the order in which runs were recorded, `first` before `second`. Of many runs those recorded last
    are compared, and the others listed. Raises StudyError where study.toml lost what the labels use.
    """
    with store.reading():
        check_still_declared(store, study)
        answers, runs, codes = read_answers(store, study, None, labels), runs_in_order(store), judge_run_codes(store)
    wanted = next((name for name, code in codes.items() if code == run), None)
    return {"study": study.name, "questions": [_question(each, runs, wanted) for each in answers]}


def comparison_on_dev(study: Study, store: Store, first: str, second: str) -> Document:
    """Two runs by name beside the consensus, on dev alone; `test`: how many items people gave each choice there, no verdicts.

    Raises StudyError as `comparisons_of`.
    """
    with store.reading():
        check_still_declared(store, study)
        on_dev, on_test = (read_answers(store, study, None, None, items_of_split(store, split)) for split in ("dev", "test"))
    questions = []
    for answers, kept_aside in zip(on_dev, on_test, strict=True):
        question = answers.ratings.question
        joint = joint_tally(answers, first, second)
        if joint is not None:
            pair = comparison_document(question.type, joint)
            about = {"id": question.id, "type": question.type, "choices": list(question.choices)}
            questions.append(about | {"pair": pair, "test": _labelled(kept_aside)})
    return {"study": study.name, "splits": ["dev"], "first": first, "second": second, "questions": questions}


def _labelled(answers: Answers) -> list[int]:
    """By choice how many items have it as their consensus; empty where answers are no choices."""
    question, said = answers.ratings.question, answers.ratings.consensus.answers
    if question.answered_by != "choice":
        return []
    counts: list[int] = np.bincount(said[said >= 0], minlength=len(question.choices)).tolist()
    return counts


def _question(answers: Answers, runs: list[str], wanted: str | None) -> Document:
    question = answers.ratings.question
    there = [run for run in runs if run in answers.ratings.verdicts]
    others = [run for run in there if run != wanted]
    room = MOST_RUNS if wanted is None else MOST_RUNS - 1
    kept = [run for run in there if run == wanted or run in others[-room:]]
    pairs = [(first, second) for first, second in combinations(kept, 2) if wanted is None or wanted in (first, second)]
    joints = [joint for first, second in pairs if (joint := joint_tally(answers, first, second)) is not None]
    return {
        "id": question.id,
        "type": question.type,
        "choices": list(question.choices),
        "pairs": [comparison_document(question.type, joint) for joint in joints],
        "not_compared": [run for run in there if run not in kept],
    }
