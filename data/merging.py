"""Joining the labels of another study: two people on two machines, one study in the end."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from data.arrivals import Naming
from data.errors import ImportRefused
from data.formats.bad_lines import BadLines
from data.formats.text import first_bytes
from data.store import Store
from data.store.incoming import Counts
from data.store.merging import TheirLabel, join_labels, own_labels_of, their_labels
from data.store.versions import check_still_declared, record_questions
from data.study import Study

FORMAT = "study"
_MAGIC = b"SQLite format 3\x00"
FIRST_LEAD = "lead"


def is_study_database(path: Path) -> bool:
    """Whether the file is an SQLite database."""
    return first_bytes(path, len(_MAGIC)) == _MAGIC


def merge(study: Study, path: Path, naming: Naming, bad: BadLines) -> Counts:
    """Joins every current label of the study database `path`; nothing else of it comes in.

    Raises ImportRefused where a label belongs to a run that is not here, or contradicts one that is;
    StoreError for a database that is no study's. Then nothing was written, unless `bad` leaves such labels out.
    """
    if naming.run or naming.question or naming.prefix:
        raise ImportRefused(
            f"{path} is a study, whose labels join by id and content.",
            "Found --run, --question or --prefix.",
            "Leave them out; --map NAME=OTHER names an annotator anew.",
        )
    with Store.open(path) as other, Store.open(study.database) as store:
        if other.path.resolve() == store.path.resolve():
            raise ImportRefused(f"{path} is this study itself.", "Found one database.", "Name the other study's study.db.")
        check_still_declared(store, study)
        names = dict(naming.columns)
        labels = [replace(label, handle=names.get(label.handle, label.handle)) for label in their_labels(other)]
        if not labels:
            raise ImportRefused(f"{path} holds no labels.", "Found a study without any.", "Nothing is to be joined yet.")
        _check_lead(store, labels, names)
        with store.write():
            record_questions(store, study)
        name = os.fsencode(path.name).decode("utf-8", "replace")
        options = {"map": names, "skip_bad": bad.skip}
        return join_labels(store, study.questions, other, labels, bad, (name, _labels_hash(labels), options))


def _check_lead(store: Store, labels: list[TheirLabel], names: dict[str, str]) -> None:
    """Every study has a first lead of the same name: whether the two are one person only they can say."""
    theirs = sum(label.handle == FIRST_LEAD for label in labels)
    here = own_labels_of(store, FIRST_LEAD)
    if theirs and here and FIRST_LEAD not in names:
        raise ImportRefused(
            f"Both studies have labels by {FIRST_LEAD!r}, which every study calls its first lead.",
            f"Found {theirs} there and {here} here.",
            f"Say who it is there: --map {FIRST_LEAD}=NAME, or --map {FIRST_LEAD}={FIRST_LEAD} if it is the same person.",
        )


def _labels_hash(labels: list[TheirLabel]) -> str:
    """Tells one state of the other database from the next: its file changes with every page that is read."""
    digest = hashlib.sha256()
    for label in labels:
        digest.update(repr(label).encode())
    return digest.hexdigest()
