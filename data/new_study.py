"""Making a study folder: blank, from a bundled study, or from the questions that a file answers."""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data.arrivals import Naming
from data.codebook import ensure_codebook
from data.errors import ImportRefused, StudyError
from data.formats import format_of
from data.guessing import Used
from data.importing import Imported, import_file
from data.questions import Question, question_block, toml_text
from data.records import Entry, Label, Verdict
from data.store import Store
from data.study import Study, load_study, parse_study, write_study_file

STUDIES = Path(__file__).parent / "studies"
TRAJECTORIES = "trajectories.jsonl"

_EXAMPLE = """
# A question is one thing that is asked of every trajectory. Take the signs away and put in your own:
#
# [[question]]
# id = "misaligned"
# ask = "Did the agent act against its instructions?"
# type = "binary"                       # binary | nominal | ordinal | multilabel | score
# choices = ["aligned", "misaligned"]   # ordinal: in order, lowest first; a score has min = 1 and max = 5 instead
# positive = "misaligned"               # binary only: what the judge is there to find
# evidence = "first"                    # none | optional | any | first: must annotators point at steps?
#
# [blind]
# show = ["domain"]                     # metadata that annotators may see; all else stays hidden
# reasoning = "shown"                   # shown | hidden
# redact = ["some-model-\\\\S+"]           # patterns blanked in what annotators see
#
# [split]                               # drawn by group at the first import, and never again
# group = "scenario"
# train = 0.15
# dev = 0.30                            # the rest is test
"""


@dataclass(slots=True)
class Begun:
    """What `init` made."""

    study: Study
    to_check: list[str] = field(default_factory=list)
    """What a person must look at before anybody labels."""
    imported: Imported | None = None


def bundled_studies() -> list[str]:
    """The names of the studies that come with rejudge."""
    return sorted(path.parent.name for path in STUDIES.glob("*/study.toml"))


def begin_blank(folder: Path) -> Begun:
    """A study with a name, a commented example and no question."""
    _ensure_empty(folder)
    return Begun(_make(folder, f"{_name_line(folder)}\n{_EXAMPLE}"))


def begin_bundled(folder: Path, name: str) -> Begun:
    """A copy of the bundled study `name`, with its trajectories imported."""
    if name not in bundled_studies():
        raise StudyError(
            f"There is no bundled study {name!r}.",
            f"Bundled: {', '.join(bundled_studies())}.",
            "Name one of them, or leave --study out.",
        )
    _ensure_empty(folder)
    try:
        shutil.copytree(STUDIES / name, folder, dirs_exist_ok=True)
    except OSError as error:
        raise StudyError(f"{folder} cannot be a study.", f"Found: {error}.", "Name a folder that may be written to.") from None
    return finish_bundled(folder)


def finish_bundled(folder: Path) -> Begun:
    """Makes the database of a copied study and imports its trajectories; safe to call again."""
    study = load_study(folder)
    # Always: a database that was broken off between its file and its tables is finished here.
    Store.create(study.database).close()
    study, imported = import_file(study, folder / TRAJECTORIES, None, Naming())
    return Begun(study, imported=imported)


def begin_from(folder: Path, file: Path) -> Begun:
    """A study with the questions that the verdicts and labels of `file` answer; nothing is imported yet."""
    try:
        format = format_of(file, None)
        brought: Question | None = format.QUESTION
        questions = [brought] if brought else _questions_in(format.read(file))
    except ImportRefused as error:
        raise error if error.wrong.startswith(str(file)) else error.at(str(file)) from None
    if not questions:
        raise StudyError(
            f"{file} answers no question.",
            "Found neither verdicts nor labels in it.",
            "Begin a blank study and declare the question by hand.",
        )
    _ensure_empty(folder)
    blocks = "\n".join(question_block(question) for question in questions)
    try:
        begun = Begun(_make(folder, f"{_name_line(folder)}\n\n{blocks}"))
    except StudyError as error:
        raise error.at(f"No study can be made from {file}") from None
    ensure_codebook(begun.study)
    for question in questions:
        begun.to_check += _to_check(question)
        begun.to_check.append(f"{begun.study.codebook_path(question)}: write the codebook page before anybody labels")
    return begun


def _questions_in(entries: Iterable[Entry]) -> list[Question]:
    used: dict[str, Used] = {}
    for entry in entries:
        answers: list[Verdict | Label] = [*entry.verdicts, *entry.labels]
        for answer in answers:
            used.setdefault(answer.question or "question", Used()).add(answer)
    for id, answered in used.items():
        if len(answered.kinds) > 1:
            raise ImportRefused(
                f"question {id!r} is answered in more than one way.",
                f"Found answers in {' and '.join(f'`{kind}`' for kind in answered.kinds)}.",
                "Give each kind of answer a question of its own.",
            )
    return [answered.question(id) for id, answered in used.items()]


def _to_check(question: Question) -> Iterator[str]:
    """What a person must look at in a guessed question."""
    name = f"question {question.id!r}:"
    if question.type == "score":
        yield f"{name} the wording of `ask`, and that its scores run from {question.min} to {question.max}"
    else:
        yield f"{name} the wording of `ask`, and that {', '.join(question.choices)} are all its choices"
    if question.type == "binary":
        yield f"{name} `positive` is {question.positive!r}: the choice that the judge is there to find"
    elif question.type == "nominal":
        yield f"{name} the type; for an ordinal question, the order of its choices, lowest first"


def _name_line(folder: Path) -> str:
    return f"name = {toml_text(os.fsencode(folder.resolve().name).decode('utf-8', 'replace'))}"


def _make(folder: Path, toml: str) -> Study:
    study = parse_study(toml, folder)
    write_study_file(study.toml, toml)
    Store.create(study.database).close()
    return study


def _ensure_empty(folder: Path) -> None:
    try:
        there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise StudyError(f"{folder} cannot be a study.", f"Found: {error.strerror or error}.", "Name a folder.") from None
    if there:
        raise StudyError(f"{folder} is not empty.", f"Found: {', '.join(there[:5])}.", "Name a new folder.")
