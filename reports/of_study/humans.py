"""The human side of a study as it stands: counted by the store, figured here, the same for every reader."""

from data.store import Store
from data.store.human_side import human_side
from data.store.versions import check_still_declared
from data.study import Study
from reports.document import Document
from reports.human_document import human_document


def humans_of(study: Study, store: Store, run: int | None, labels: str | None) -> Document:
    """Annotators beside each other, the rest and the judge, again, and over time; parameters as in `agreement_of`.

    Raises StudyError where study.toml lost what the labels use.
    """
    with store.reading():
        check_still_declared(store, study)
        tallies, times = human_side(store, study, run, labels)
    return human_document(study.name, tallies, times)
