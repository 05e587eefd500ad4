"""A file comes in whole or not at all.

The first pass reads and checks every line, and writes to a spool only; the second brings what is in the
spool into the database, in bounded transactions. A second pass that was broken off is finished by the
same command.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from data import merging
from data.arrivals import Arrival, Naming, Receiver
from data.codebook import ensure_codebook
from data.earlier_lines import EarlierLines
from data.errors import ImportRefused
from data.formats import Reading, format_of
from data.formats.bad_lines import BadLines
from data.formats.fields import shown
from data.formats.text import open_file
from data.merging import is_study_database, merge
from data.questions import Question, question_block
from data.splits import SplitDraw, check_rules_unchanged, rules_document
from data.spool import Spool
from data.store import Store
from data.store.incoming import Counts, Intake, begin_import, finish_import
from data.store.status import group_count
from data.store.versions import check_still_declared, choice_codes, record_questions
from data.study import Study, append_questions
from data.terminal import on_one_line
from data.wording import amount

CHUNK_ENTRIES, CHUNK_BYTES = 1000, 16_000_000
FEW_GROUPS = 30
T = TypeVar("T")


@dataclass(slots=True)
class Imported:
    """What came of one file."""

    path: Path
    format: str
    counts: Counts
    marks: int
    left_out: list[ImportRefused]
    """Why each bad line was left out, in the order of the file."""
    notes: list[str] = field(default_factory=list)
    """What a person should know: questions added, skeletons made, few groups."""


def import_file(
    study: Study, path: Path, format_name: str | None, naming: Naming, *, skip_bad: bool = False
) -> tuple[Study, Imported]:
    """Brings `path` into `study`. Raises ImportRefused, StudyError or StoreError; then nothing was written.

    With `skip_bad` the lines that cannot stay are left out, and listed in what is returned.
    Returns the study again, because a format may bring its question.
    """
    bad = BadLines(skip_bad)
    try:
        if is_study_database(path) and format_name in (None, merging.FORMAT):
            counts = merge(study, path, naming, bad)
            return study, Imported(path, merging.FORMAT, counts, 0, bad.left_out)
        return _import(study, path, format_name, naming, bad)
    except ImportRefused as error:
        raise error if error.wrong.startswith(str(path)) else error.at(on_one_line(str(path))) from None


def _import(study: Study, path: Path, format_name: str | None, naming: Naming, bad: BadLines) -> tuple[Study, Imported]:
    _check_names(naming)
    format = format_of(path, format_name, naming.columns)
    planned, block = _with_question_of(format, study, naming)
    notes = []
    with Store.open(study.database) as store, Spool(study.folder) as spool:
        check_still_declared(store, planned)
        check_rules_unchanged(store.fact("split"), study.split)
        file = _check(store, Receiver(planned, naming, format, path), spool, bad)
        if block:
            study = append_questions(study, [block])
            notes.append(f"study.toml: added question {planned.questions[0].id!r}; check its wording, choices and `positive`.")
        notes += [f"{page}: made a skeleton; write the codebook page before anybody labels." for page in ensure_codebook(study)]
        counts, marks = _write(store, study, file, spool)
        groups = group_count(store)
    if counts.trajectories and groups < FEW_GROUPS:
        notes.append(f"Only {amount(groups, 'group')}: the splits are coarse under {FEW_GROUPS}; see [split] in study.toml.")
    return study, Imported(path, format.NAME, counts, marks, sorted(bad.left_out, key=_place_in_file), notes)


def _place_in_file(refusal: ImportRefused) -> int:
    """The number of the line or item that a refusal begins with: some are found only after the whole file was read."""
    found = re.match(r"\D*(\d+)", refusal.wrong)
    return int(found[1]) if found else 0


def _check_names(naming: Naming) -> None:
    for name, text in (("--run", naming.run), ("--question", naming.question), ("--prefix", naming.prefix)):
        if text is not None and (not text.isprintable() or (not text.strip() and name != "--prefix")):
            raise ImportRefused(f"{name} cannot be that.", f"Found {shown(text)}.", "Use printable characters, in UTF-8.")


def _with_question_of(format: Reading, study: Study, naming: Naming) -> tuple[Study, str | None]:
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


def _arrivals(receiver: Receiver, bad: BadLines) -> Iterator[Arrival]:
    """Every entry of the file, as the study takes it."""
    total = _line_count(receiver.path) if receiver.format.ONE_A_LINE else None
    entries = receiver.format.read(receiver.path, bad)
    for entry in _bar(entries, "checking", receiver.path, total):
        with bad:
            yield receiver.receive(entry)


def _bar(items: Iterator[T], doing: str, path: Path, total: int | None) -> Iterator[T]:
    """`items` with a progress bar; none where stderr is not a terminal (`disable=None`)."""
    from tqdm import tqdm  # slow to import, and a notebook that imports rejudge needs no progress bar

    yield from tqdm(items, desc=f"{doing} {on_one_line(path.name)}", total=total, unit=" entries", disable=None, leave=False)


def _chunks(arrivals: Iterator[Arrival], size: Callable[[Arrival], int], most: int) -> Iterator[list[Arrival]]:
    """Arrivals in bounded lots of at most `most`, each trajectory at most once in a lot."""
    chunk: list[Arrival] = []
    ids: set[str] = set()
    weight = 0
    for arrival in arrivals:
        again = arrival.trajectory is not None and arrival.id in ids
        if chunk and (again or len(chunk) >= most or weight >= CHUNK_BYTES):
            yield chunk
            chunk, ids, weight = [], set(), 0
        chunk.append(arrival)
        ids.add(arrival.id)
        weight += size(arrival)
    if chunk:
        yield chunk


def _size(arrival: Arrival) -> int:
    return len(arrival.trajectory.steps) if arrival.trajectory else 200


@dataclass(frozen=True, slots=True)
class _File:
    """What the first pass read, for the row that tells an import from others."""

    path: Path
    format: str
    hash: str
    options: dict[str, Any]


def _check(store: Store, receiver: Receiver, spool: Spool, bad: BadLines) -> _File:
    """The first pass: what can stay goes into `spool`, checked against the study, the database and earlier lines."""
    intake, earlier, counts = Intake(store, {}, {}, SplitDraw("", 0, 0)), EarlierLines(), Counts()
    # What is wrong with a line must not touch its neighbours: where bad lines are left out, each stands alone.
    for chunk in _chunks(_arrivals(receiver, bad), _size, 1 if bad.skip else CHUNK_ENTRIES):
        with bad:
            intake.compare(chunk, counts)
            if bad.skip:
                _refuse_unknown(counts, chunk[0].place)
            for arrival in chunk:
                earlier.add(arrival)
            spool.add(chunk)
    _refuse_unknown(counts)
    if not spool.entries and bad.left_out:
        first = bad.left_out[0]
        found = f"{amount(len(bad.left_out), 'bad line')}, the first: {first.wrong} {first.found}"
        raise ImportRefused("No line of it can come in.", f"Found {found}", first.do)
    if not spool.entries:
        raise ImportRefused("There is nothing in it.", "Found no line that is not blank.", "Check how it was written.")
    naming = receiver.naming
    options: dict[str, Any] = {"prefix": naming.prefix, "question": naming.question, "run": naming.run, "skip_bad": bad.skip}
    if naming.columns:
        options["map"] = dict(naming.columns)
    return _File(receiver.path, receiver.format.NAME, _file_hash(receiver.path), options)


def _refuse_unknown(counts: Counts, place: str | None = None) -> None:
    unknown, counts.unknown_ids = counts.unknown_ids, []
    if not unknown:
        return
    few = ", ".join(shown(id) for id in unknown[:5])
    raise ImportRefused(
        f"{place}: its trajectory is not in the study."
        if place
        else f"{len(unknown)} of the answers are to trajectories that are not in the study.",
        f"Found: {few}{' …' if len(unknown) > 5 else ''}.",
        "Import the trajectories first, or give the same --prefix as they had.",
    )


def _write(store: Store, study: Study, file: _File, spool: Spool) -> tuple[Counts, int]:
    """The second pass. Returns what came in, and how many characters came in as marks."""
    with store.write():
        questions = record_questions(store, study)
        if store.fact("split") is None:
            store.set_fact("split", rules_document(study.split))
    choices = {id: choice_codes(store, code) for id, code in questions.items()}
    split = SplitDraw(store.fact("salt") or "", study.split.train, study.split.dev)
    name = os.fsencode(file.path.name).decode("utf-8", "replace")
    import_id = begin_import(store, name, file.hash, file.options, file.format)
    intake, counts, marks = Intake(store, questions, choices, split), Counts(), 0
    for chunk in _chunks(_bar(spool.arrivals(), "writing", file.path, spool.entries), _size, CHUNK_ENTRIES):
        intake.write(chunk, import_id, counts)
        marks += sum(arrival.marks for arrival in chunk)
    finish_import(store, import_id)
    return counts, marks


def _line_count(path: Path) -> int:
    with open_file(path) as file:
        return sum(block.count(b"\n") for block in iter(partial(file.read, 1 << 20), b""))


def _file_hash(path: Path) -> str:
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
