"""The agreement document of a study as it stands: counted by the store, figured here, the same for every reader."""

from collections.abc import Mapping, Sequence

from data.repeat_tallies import RepeatTally
from data.step_tallies import QuestionSteps
from data.store import Store
from data.store.exposures import labels_by_leads
from data.store.repeats import repeat_tallies
from data.store.step_tallies import question_steps
from data.store.tallying import read_answers
from data.store.versions import check_still_declared
from data.study import Study
from reports.consistency import consistency_document
from reports.document import Document, agreement_document
from reports.of_study.baselines import beside_baseline, with_baselines
from reports.of_study.steps import step_figures


def agreement_of(study: Study, store: Store, run: int | None, labels: str | None, everything: bool = False) -> Document:
    """What `rejudge agree --json` prints, with `everything` that of `--json --all`.

    `run`: a judge run's code, or None for all; `labels`: a source, or None for the default.

    Raises StudyError where study.toml lost what the labels use.
    """
    with store.reading():
        check_still_declared(store, study)
        answers, leads = read_answers(store, study, run, labels), labels_by_leads(store)
        repeated = repeat_tallies(store, study.questions, run)
        pairs = beside_baseline(store, answers)
        marked = [question_steps(store, each) for each in answers] if everything else []
    document = agreement_document(study.name, [each.tally() for each in answers], everything)
    document = with_baselines(with_consistency(document, repeated), pairs)
    return with_leads(with_steps(document, [each for each in marked if each is not None]), leads)


def with_consistency(document: Document, repeated: Mapping[str, Sequence[RepeatTally]]) -> Document:
    """The document with how often each run's replies to one item differ, of the questions where one answered again."""
    for question in document["questions"]:
        if question["id"] in repeated:
            question["consistency"] = [consistency_document(tally) for tally in repeated[question["id"]]]
    return document


def with_steps(document: Document, marked: Sequence[QuestionSteps]) -> Document:
    """The document with which steps people marked and judge runs cited, of the questions where they did."""
    steps = {each.id: step_figures(each) for each in marked}
    for question in document["questions"]:
        if question["id"] in steps:
            question["steps"] = steps[question["id"]]
    return document


def with_leads(document: Document, counts: dict[str, tuple[int, int]]) -> Document:
    """The document with how many labels of batches came from people with a lead's role, question by question.

    `counts`: question id to (labels, those before their annotator had opened any verdict). Absent where there are none.
    """
    for question in document["questions"]:
        if question["id"] in counts:
            labels, before = counts[question["id"]]
            question["leads"] = {"labels": labels, "before_any_verdict": before}
    return document
