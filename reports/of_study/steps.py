"""Which steps annotators and judge runs point at, question by question: the same steps, and the same first failure?"""

from typing import Any

from data.step_tallies import QuestionSteps, StepTally
from data.store import Store
from data.store.step_tallies import question_steps
from data.store.tallying import read_answers
from data.store.versions import check_still_declared
from data.study import Study
from reports.document import Document, marks_of, selected_on
from reports.steps import StepSample, evidence_overlap, first_failure_agreement, sample_of, step_precision, step_recall


def steps_of(study: Study, store: Store, run: int | None, labels: str | None) -> Document:
    """The step-level figures of a study. `run`: a judge run's code, or None for all; `labels`: a source, or None for the default.

    Questions that ask for no evidence and have none are left out. Each label is a row of its own beside the
    verdict, and the labels of an item share its weight. Raises StudyError where study.toml lost what the labels use.
    """
    with store.reading():
        check_still_declared(store, study)
        found = [question_steps(store, answers) for answers in read_answers(store, study, run, labels)]
    questions = [{"id": each.id, "type": each.type, **step_figures(each)} for each in found if each is not None]
    return {"study": study.name, "questions": questions}


def step_figures(steps: QuestionSteps) -> Document:
    """The figures of one question: everybody's labels beside each judge run, each annotator's, and annotators beside each other."""
    first = steps.evidence == "first"
    document: Document = {"evidence": steps.evidence, "pairs": [_beside_judge(tally, first) for tally in steps.judge]}
    if steps.humans is not None:
        document["human_human"] = _rows(steps.humans) | _symmetric(sample_of(steps.humans), first)
    return document


def _beside_judge(tally: StepTally, first: bool) -> Document:
    sample = sample_of(tally)
    return (
        _rows(tally)
        | {"excluded": _excluded(tally)}
        | _symmetric(sample, first)
        | {"step_precision": step_precision(sample).as_json(), "step_recall": step_recall(sample).as_json()}
    )


def _symmetric(sample: StepSample, first: bool) -> Document:
    """What needs no side to be right. The earliest marked step is a first failure only where that was asked for."""
    figures = {"evidence_overlap": evidence_overlap(sample)}
    if first:
        figures |= {
            "first_failure": first_failure_agreement(sample),
            "first_failure_within_1": first_failure_agreement(sample, within=1),
        }
    return {name: figure.as_json() for name, figure in figures.items()}


def _rows(tally: StepTally) -> Document:
    items, groups = len(set(tally.item.tolist())), len(set(tally.group.tolist()))
    return {
        "rows": tally.rows,
        "columns": tally.columns,
        "labels": len(tally.marks),
        "items": items,
        "groups": groups,
        "design": tally.design,
        "weighted": tally.weighted,
        **selected_on(tally.selected),
        "marks": marks_of(items, groups, tally.selected),
        "unmarking": list(tally.unmarking),
    }


def _excluded(tally: StepTally) -> dict[str, Any]:
    left_out = tally.excluded
    return {"missing": left_out.missing, "skipped": left_out.skipped, "unsure": left_out.unsure, "error": left_out.error}
