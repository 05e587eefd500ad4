"""Everything that the written report is made from: each document of the study, taken at one moment."""

from typing import Any

from data.store import Store
from data.study import Study
from reports.of_study.about import about_of
from reports.of_study.agreement import agreement_of
from reports.of_study.comparisons import comparisons_of
from reports.of_study.disagreements import disagreements_of
from reports.of_study.humans import humans_of
from reports.of_study.prevalence import prevalence_of
from reports.of_study.slices import slices_of
from reports.of_study.steps import steps_of

Documents = dict[str, dict[str, Any]]


def documents_of(study: Study, store: Store, run: int | None) -> Documents:
    """Subject to its document. `run`: a judge run's code, or None for all. Raises StudyError (see `agreement_of`)."""
    with store.reading():
        return {
            "about": about_of(study, store, run),
            "agreement": agreement_of(study, store, run, None),
            "prevalence": prevalence_of(study, store, run, None),
            "humans": humans_of(study, store, run, None),
            "steps": steps_of(study, store, run, None),
            "slices": slices_of(study, store, run, None),
            "comparisons": comparisons_of(study, store, run, None),
            "disagreements": disagreements_of(study, store, run, None),
        }
