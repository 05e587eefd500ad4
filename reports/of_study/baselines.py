"""Every judge run of a study beside its newest baseline, on the same items."""

from collections.abc import Mapping, Sequence

from data.store import Store
from data.store.joint import joint_tally
from data.store.judging import judge_runs
from data.store.tallying import Answers
from data.tallies import JointTally
from reports.against_baseline import against_baseline
from reports.document import Document


def joints_with_baseline(store: Store, answers: Sequence[Answers]) -> dict[str, list[JointTally]]:
    """By question id: the newest baseline (first) beside each other run (second); of questions that have both."""
    kinds = {run.name: run.kind for run in judge_runs(store)}
    found: dict[str, list[JointTally]] = {}
    for each in answers:
        there = [name for name in kinds if name in each.ratings.verdicts]
        baselines = [name for name in there if kinds[name] == "baseline"]
        if not baselines or each.ratings.question.answered_by != "choice":
            continue
        joints = [joint_tally(each, baselines[-1], name) for name in there if kinds[name] != "baseline"]
        found[each.ratings.question.id] = [joint for joint in joints if joint is not None]
    return found


def with_baselines(document: Document, joints: Mapping[str, Sequence[JointTally]]) -> Document:
    """The document with what each run adds to a baseline, of the questions that have one."""
    for question in document["questions"]:
        if found := joints.get(question["id"]):
            question["baseline"] = [against_baseline(question["type"], joint) for joint in found]
    return document
