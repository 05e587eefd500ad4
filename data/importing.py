"""A file comes in whole or not at all.

The first pass reads and checks every line and writes nothing; the second writes in bounded
transactions. A second pass that was broken off is finished by the same command.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from types import ModuleType

from tqdm import tqdm

from data.arrivals import Arrival, Naming, NewAnswer, Receiver
from data.codebook import ensure_codebook
from data.errors import ImportRefused
from data.formats import format_of
from data.formats.fields import shown
from data.formats.text import open_file
from data.hashing import canonical_json
from data.questions import Question, question_block
from data.splits import SplitDraw, check_rules_unchanged, rules_document
from data.store import Store
from data.store.incoming import (
    Counts,
    Intake,
    begin_import,
    check_same_content,
    finish_import,
    refuse_changed_answer,
    refuse_changed_field,
)
from data.store.status import group_count
from data.store.versions import check_still_declared, choice_codes, record_questions
from data.study import Study, append_questions

CHUNK_ENTRIES, CHUNK_BYTES = 500, 16_000_000
FEW_GROUPS = 30


@dataclass(slots=True)
class Imported:
    """What came of one file."""

    path: Path
    format: str
    counts: Counts
    marks: int
    notes: list[str] = field(default_factory=list)
    """What a person should know: questions added, skeletons made, few groups."""


def import_file(study: Study, path: Path, format_name: str | None, naming: Naming) -> tuple[Study, Imported]:
    """Brings `path` into `study`. Raises ImportRefused, StudyError or StoreError; then nothing was written.

    Returns the study again, because a format may bring its question.
    """
    try:
        return _import(study, path, format_name, naming)
    except ImportRefused as error:
        raise error if error.wrong.startswith(str(path)) else error.at(str(path)) from None


def _import(study: Study, path: Path, format_name: str | None, naming: Naming) -> tuple[Study, Imported]:
    _check_names(naming)
    format = format_of(path, format_name)
    planned, block = _with_question_of(format, study, naming)
    notes = []
    with Store.open(study.database) as store:
        check_still_declared(store, planned)
        check_rules_unchanged(store.fact("split"), study.split)
        checked = _check(store, planned, path, format, naming)
        if block:
            study = append_questions(study, [block])
            notes.append(f"study.toml: added question {format.QUESTION.id!r}; check its wording, choices and `positive`.")
        notes += [f"{page}: made a skeleton; write the codebook page before anybody labels." for page in ensure_codebook(study)]
        counts = _write(store, study, path, format, naming, checked)
        groups = group_count(store)
    if counts.trajectories and groups < FEW_GROUPS:
        notes.append(f"Only {groups} groups: the splits are coarse under {FEW_GROUPS}; see [split] in study.toml.")
    return study, Imported(path, format.NAME, counts, checked.marks, notes)


def _check_names(naming: Naming) -> None:
    for name, text in (("--run", naming.run), ("--question", naming.question), ("--prefix", naming.prefix)):
        if text is not None and (not text.isprintable() or (not text.strip() and name != "--prefix")):
            raise ImportRefused(f"{name} cannot be that.", f"Found {shown(text)}.", "Use printable characters, in UTF-8.")


def _with_question_of(format: ModuleType, study: Study, naming: Naming) -> tuple[Study, str | None]:
    """The study with the question that the format brings, and the block to add where it is not declared."""
    brought: Question | None = format.QUESTION
    if brought is None or naming.question:
        return study, None
    there = study.question(brought.id)
    if there is not None and set(there.choices) == set(brought.choices):
        return study, None
    if study.questions:
        declared = "; ".join(f"{question.id} ({', '.join(question.choices)})" for question in study.questions)
        raise ImportRefused(
            f"This {format.NAME} file answers the question {brought.id!r} ({', '.join(brought.choices)}).",
            f"study.toml declares: {declared}.",
            "Name the question that it answers with --question ID; its choices must have the same names.",
        )
    return Study(study.folder, study.name, (brought,), study.blind, study.split, study.judge_model), question_block(brought)


def _arrivals(
    path: Path, format: ModuleType, study: Study, naming: Naming, what: str, total: int | None = None
) -> Iterator[Arrival]:
    """`total`: how many entries will come, for the bar."""
    receiver = Receiver(study, naming, format, path)
    # disable=None: no bar where stderr is not a terminal.
    for entry in tqdm(format.read(path), desc=f"{what} {path.name}", total=total, unit=" entries", disable=None, leave=False):
        yield receiver.receive(entry)


def _chunks(arrivals: Iterator[Arrival], size: Callable[[Arrival], int]) -> Iterator[list[Arrival]]:
    """Arrivals in bounded lots, each trajectory at most once in a lot."""
    chunk: list[Arrival] = []
    ids: set[str] = set()
    weight = 0
    for arrival in arrivals:
        again = arrival.trajectory is not None and arrival.id in ids
        if chunk and (again or len(chunk) >= CHUNK_ENTRIES or weight >= CHUNK_BYTES):
            yield chunk
            chunk, ids, weight = [], set(), 0
        chunk.append(arrival)
        ids.add(arrival.id)
        weight += size(arrival)
    if chunk:
        yield chunk


def _size(arrival: Arrival) -> int:
    return len(arrival.trajectory.steps) if arrival.trajectory else 200


@dataclass(slots=True)
class _Checked:
    """What the first pass found."""

    file_hash: str = ""
    entries: int = 0
    marks: int = 0
    """Characters that came in as marks."""


def _check(store: Store, study: Study, path: Path, format: ModuleType, naming: Naming) -> _Checked:
    """The first pass."""
    intake, seen, counts, checked = Intake(store, {}, {}, SplitDraw("", 0, 0)), _Seen(), Counts(), _Checked()
    total = _line_count(path) if format.ONE_A_LINE else None
    for chunk in _chunks(_arrivals(path, format, study, naming, "checking", total), _size):
        intake.compare(chunk, counts)
        for arrival in chunk:
            seen.add(arrival)
            checked.entries += 1
            checked.marks += arrival.marks
    if counts.unknown_ids:
        few = ", ".join(shown(id) for id in counts.unknown_ids[:5])
        raise ImportRefused(
            f"{len(counts.unknown_ids)} of the answers are to trajectories that are not in the study.",
            f"Found: {few}{' …' if len(counts.unknown_ids) > 5 else ''}.",
            "Import the trajectories first, or give the same --prefix as they had.",
        )
    if not seen.trajectories and not seen.answers:
        raise ImportRefused("There is nothing in it.", "Found no line that is not blank.", "Check how it was written.")
    checked.file_hash = _file_hash(path)
    return checked


def _write(store: Store, study: Study, path: Path, format: ModuleType, naming: Naming, checked: _Checked) -> Counts:
    """The second pass."""
    with store.write():
        questions = record_questions(store, study)
        if store.fact("split") is None:
            store.set_fact("split", rules_document(study.split))
    choices = {id: choice_codes(store, code) for id, code in questions.items()}
    split = SplitDraw(store.fact("salt") or "", study.split.train, study.split.dev)
    options = {"prefix": naming.prefix, "question": naming.question, "run": naming.run}
    name = os.fsencode(path.name).decode("utf-8", "replace")
    import_id = begin_import(store, name, checked.file_hash, options, format.NAME)
    intake, counts = Intake(store, questions, choices, split), Counts()
    # A file that is still growing has lines now that nobody checked: they wait for the next import.
    arrivals = _arrivals(path, format, study, naming, "writing", checked.entries)
    for chunk in _chunks(islice(arrivals, checked.entries), _size):
        intake.write(chunk, import_id, counts)
    finish_import(store, import_id)
    return counts


def _line_count(path: Path) -> int:
    with open_file(path) as file:
        return sum(block.count(b"\n") for block in iter(partial(file.read, 1 << 20), b""))


def _file_hash(path: Path) -> str:
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(*parts: object, size: int = 16) -> bytes:
    return hashlib.blake2b(canonical_json(parts).encode(), digest_size=size).digest()


@lru_cache(maxsize=10_000)
def _field_digest(kind: str, key: str) -> bytes:
    return _digest(kind, key, size=6)


_NOTHING = b"\0" * 8


class _Seen:
    """What earlier lines of the same file said, in a few bytes each: lines must not contradict each other."""

    def __init__(self) -> None:
        self.trajectories: dict[str, bytes] = {}
        self.answers: dict[bytes, bytes] = {}

    def add(self, arrival: Arrival) -> None:
        new = arrival.trajectory
        if new is not None:
            fields = {
                _field_digest(kind, key): (key, _digest(value, size=8))
                for kind, table in (("metadata", new.metadata), ("hidden", new.hidden))
                for key, value in table.items()
            }
            old = self.trajectories.get(arrival.id)
            if old is None:
                packed = b"".join(key + value for key, (_, value) in fields.items())
                self.trajectories[arrival.id] = bytes.fromhex(new.content_hash[:32]) + _digest(new.group, size=8) + packed
            else:
                self._compare(arrival, fields, old)
        for kind, answers in (("verdict of run", arrival.verdicts), ("label of annotator", arrival.labels)):
            for answer in answers:
                self._answer(arrival, answer, kind)

    def _compare(self, arrival: Arrival, fields: dict[bytes, tuple[str, bytes]], old: bytes) -> None:
        new = arrival.trajectory
        assert new is not None
        check_same_content(arrival, new.content_hash[:32], old[:16].hex())
        # The rule of `check_same_group`: a line that names no group contradicts nobody.
        if new.group != new.content_hash and old[16:24] != _digest(new.group, size=8):
            refuse_changed_field(arrival, "field", "group", "another one", new.group)
        known = {old[at : at + 6]: old[at + 6 : at + 14] for at in range(24, len(old), 14)}
        for key, (name, value) in fields.items():
            if known.setdefault(key, value) != value:
                refuse_changed_field(arrival, "field", name, "another value in an earlier line", "a new one")
        self.trajectories[arrival.id] = old[:24] + b"".join(key + value for key, value in known.items())

    def _answer(self, arrival: Arrival, answer: NewAnswer, kind: str) -> None:
        key = _digest(kind, answer.trajectory, answer.source, answer.question, answer.repeat)
        details = {"rationale": answer.rationale, "steps": answer.steps, "confidence": answer.confidence}
        said = _digest(answer.choice, answer.error, size=8)
        # The rule of the store: what a line leaves out contradicts nobody.
        parts = [_NOTHING if value is None else _digest(value, size=8) for value in details.values()]
        old = self.answers.setdefault(key, b"".join((said, *parts)))
        if old[:8] != said:
            refuse_changed_answer(arrival, answer, kind, "another answer in an earlier line")
        for place, (name, part) in enumerate(zip(details, parts, strict=True), 1):
            if part not in (_NOTHING, old[8 * place : 8 * place + 8]):
                refuse_changed_answer(arrival, answer, kind, f"the same answer with another {name}, in an earlier line")
