"""What a study is made of, for the report: questions, judges, draws, people, what was shown, and what the figures rest on."""

import platform
from typing import Any

from data.store import Store
from data.store.events import APP_VERSION
from data.store.provenance import (
    codebooks_used,
    decided_causes,
    draws,
    gold_hashes,
    judged,
    labellers,
    sources,
    study_hash,
    views_used,
)
from data.store.status import group_count, study_status
from data.study import Study
from reports.parity import parity_of

Document = dict[str, Any]


def about_of(study: Study, store: Store, run: int | None) -> Document:
    """Everything that a report says beside figures; equal studies give equal documents. Within `Store.reading`.

    `run`: a judge run's code, or None for all.
    """
    status, views = study_status(store), views_used(store)
    return {
        "study": study.name,
        "hash": study_hash(store),
        "versions": versions(),
        "trajectories": status["trajectories"],
        "groups": group_count(store),
        "splits": status["splits"],
        "twins": status["twins"]["trajectories"],
        "sources": sources(store),
        "questions": [question.document() | {"version": question.version()} for question in study.questions],
        "codebooks": codebooks_used(store),
        "runs": [each | {"parity": parity_of(each, views)} for each in judged(store, run)],
        "batches": draws(store),
        "people": labellers(store),
        "blind": study.blind.document(),
        "views": views,
        "decided": decided_causes(store),
        "gold": gold_hashes(store),
    }


def versions() -> dict[str, str]:
    """What computed the figures: rejudge, Python and numpy."""
    import numpy

    return {"rejudge": APP_VERSION, "Python": platform.python_version(), "numpy": numpy.__version__}
