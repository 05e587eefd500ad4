"""The agreement document of a study as it stands: counted by the store, figured here, the same for every reader."""

from data.store import Store
from data.store.exposures import labels_by_leads
from data.store.tallying import tally
from data.store.versions import check_still_declared
from data.study import Study
from reports.document import Document, agreement_document


def agreement_of(study: Study, store: Store, run: int | None, labels: str | None, everything: bool = False) -> Document:
    """What `rejudge agree --json` prints, with `everything` that of `--json --all`.

    `run`: a judge run's code, or None for all; `labels`: a source, or None for the default.

    Raises StudyError where study.toml lost what the labels use.
    """
    with store.reading():
        check_still_declared(store, study)
        tallies, leads = tally(store, study, run, labels), labels_by_leads(store)
    return with_leads(agreement_document(study.name, tallies, everything), leads)


def with_leads(document: Document, counts: dict[str, tuple[int, int]]) -> Document:
    """The document with how many labels of batches came from people with a lead's role, question by question.

    `counts`: question id to (labels, those before their annotator had opened any verdict). Absent where there are none.
    """
    for question in document["questions"]:
        if question["id"] in counts:
            labels, before = counts[question["id"]]
            question["leads"] = {"labels": labels, "before_any_verdict": before}
    return document
