"""Versions of what a label depends on: wording and choices, codebook page, and what was shown.

Each is stored once, by content hash; labels point at the version that their annotator saw.
"""

import json
from dataclasses import dataclass
from typing import Any

from data.codebook import page_version, read_page
from data.errors import StudyError
from data.hashing import canonical_json, document_hash, tagged_hash
from data.questions import MOST_LABELS, Question, question_from_document
from data.store.store import Store, now
from data.study import Study


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as it is asked today, with the codes and hashes that the store knows it by."""

    code: int
    question: Question
    version: str
    codebook: str
    codebook_version: int
    """1 for the first page that was recorded, 2 for the next …"""
    page: str


@dataclass(frozen=True, slots=True)
class View:
    """What annotators may see, by its hash."""

    hash: str
    show: tuple[str, ...]


def record_questions(store: Store, study: Study) -> dict[str, int]:
    """Makes sure that every question, choice and wording of `study` is recorded; ids to codes.

    Must run within a write transaction. Choices keep their codes for good: labels point at them.
    """
    codes: dict[str, int] = {}
    for question in study.questions:
        store.conn.execute("INSERT INTO questions (id) VALUES (?) ON CONFLICT DO NOTHING", [question.id])
        (code,) = store.conn.execute("SELECT code FROM questions WHERE id = ?", [question.id]).fetchone()
        codes[question.id] = code
        known = choice_codes(store, code)
        for choice in question.choices:
            if choice not in known:
                known[choice] = len(known)
                if question.type == "multilabel" and len(known) > MOST_LABELS:
                    raise StudyError(
                        f"{study.toml}: question {question.id!r} has had more than {MOST_LABELS} choices by now.",
                        "study.db keeps every choice that was ever declared.",
                        "Ask the new choices under a new id.",
                    )
                store.conn.execute("INSERT INTO choices VALUES (?, ?, ?)", [code, known[choice], choice])
        store.conn.execute(
            "INSERT INTO question_versions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [question.version(), code, canonical_json(question.document()), now()],
        )
    return codes


def choice_codes(store: Store, question: int) -> dict[str, int]:
    """Every choice that `question` ever had, to its code."""
    return dict(store.conn.execute("SELECT name, code FROM choices WHERE question = ? ORDER BY code", [question]).fetchall())


def record_versions(store: Store, study: Study) -> tuple[list[AskedQuestion], View]:
    """Records questions, codebook pages and the view as they are now, and returns them."""
    pages = {question.id: read_page(study, question) for question in study.questions}
    asked = []
    with store.write():
        codes = record_questions(store, study)
        for question in study.questions:
            code, page = codes[question.id], pages[question.id]
            hash = page_version(page)
            store.conn.execute(
                """INSERT INTO codebooks SELECT ?, ?, coalesce(max(version), 0) + 1, ?, ? FROM codebooks WHERE question = ?
                   ON CONFLICT DO NOTHING""",
                [hash, code, page, now(), code],
            )
            (version,) = store.conn.execute(
                "SELECT version FROM codebooks WHERE question = ? AND hash = ?", [code, hash]
            ).fetchone()
            asked.append(AskedQuestion(code, question, question.version(), hash, version, page))
        view = study.blind.document()
        hash = document_hash("view", view)
        store.conn.execute("INSERT INTO views VALUES (?, ?, ?) ON CONFLICT DO NOTHING", [hash, canonical_json(view), now()])
    return asked, View(hash, study.blind.show)


def pin_shown(store: Store, trajectory: int, asked: list[AskedQuestion], view: View) -> str:
    """The hash of what an annotator is shown of `trajectory` now; recorded within a write transaction."""
    content, metadata = store.conn.execute("SELECT content_hash, metadata FROM trajectories WHERE n = ?", [trajectory]).fetchone()
    document = shown_document(content, metadata, [(q.version, q.codebook) for q in asked], view)
    text = canonical_json(document)
    # The trajectory stands in the row beside the document: two runs of one content share no row.
    hash = tagged_hash(f"shown:{trajectory}", text)
    store.conn.execute("INSERT INTO shown VALUES (?, ?, ?) ON CONFLICT DO NOTHING", [hash, trajectory, text])
    return hash


def shown_document(content_hash: str, metadata: str, questions: list[tuple[str, str]], view: View) -> dict[str, object]:
    """What was shown, by the hashes of its parts and the visible metadata in full."""
    values = json.loads(metadata)
    return {
        "content": content_hash,
        "metadata": {field: values[field] for field in view.show if field in values},
        "questions": [{"version": version, "codebook": codebook} for version, codebook in questions],
        "view": view.hash,
    }


def pin_of(questions: list[tuple[str, str]], view: str) -> str:
    """Names what a whole page shows beside an item: wording, codebook pages and blind rules, by (version, codebook) and view."""
    return document_hash("pin", [[list(pair) for pair in questions], view])[:16]


def pin_of_shown(document: dict[str, Any]) -> str:
    """The pin that an item's shown document was made under."""
    return pin_of([(question["version"], question["codebook"]) for question in document["questions"]], document["view"])


# Only for questions that are missing: it reads every row.
_ANSWERED = """
SELECT (SELECT count(*) FROM verdicts WHERE question = ?1), (SELECT count(*) FROM label_events WHERE question = ?1)
"""


def check_still_declared(store: Store, study: Study) -> None:
    """Refuses a study that lost a question, or a choice, which verdicts or labels already use."""
    declared = [question.id for question in study.questions]
    for id, code in store.conn.execute("SELECT id, code FROM questions ORDER BY id").fetchall():
        if id in declared:
            continue
        verdicts, labels = store.conn.execute(_ANSWERED, [code]).fetchone()
        if verdicts + labels:
            raise StudyError(
                f"{study.toml}: the question {id!r} is not declared any more.",
                f"study.db holds {verdicts} verdicts and {labels} label events on it.",
                "Put it back; a new wording stands under a new id beside it, or in a new study.",
            )
    for question in study.questions:
        row = store.conn.execute("SELECT code FROM questions WHERE id = ?", [question.id]).fetchone()
        if row is not None:
            _check_kind_kept(store, study, question, row[0])
            _check_choices_kept(store, study, question, row[0])
            _check_range_kept(store, study, question, row[0])


_COLUMNS = {"choice": "choice", "choices": "chosen", "score": "score"}
"""Which column of verdicts and label events holds an answer (see `Question.answered_by`)."""


def _recorded(store: Store, question: int) -> list[Question]:
    """Every version of `question` that was recorded."""
    rows = store.conn.execute("SELECT document FROM question_versions WHERE question = ?", [question]).fetchall()
    return [question_from_document(json.loads(document)) for (document,) in rows]


def question_of_version(store: Store, version: str) -> tuple[int, Question]:
    """The code of a question and what it was in a version that is on record."""
    code, document = store.conn.execute("SELECT question, document FROM question_versions WHERE hash = ?", [version]).fetchone()
    return int(code), question_from_document(json.loads(document))


def _is_used(store: Store, question: int, where: str, *values: object) -> bool:
    """Whether a verdict, a label event or a decision on `question` holds an answer of which `where` (with ?2, ?3) is true."""
    found = store.conn.execute(
        f"""SELECT EXISTS (SELECT 1 FROM verdicts WHERE question = ?1 AND ({where}))
                OR EXISTS (SELECT 1 FROM label_events WHERE question = ?1 AND ({where}))
                OR EXISTS (SELECT 1 FROM adjudications WHERE question = ?1 AND ({where}))""",
        [question, *values],
    ).fetchone()
    return bool(found[0])


def _check_kind_kept(store: Store, study: Study, question: Question, code: int) -> None:
    for kind in {version.answered_by for version in _recorded(store, code)} - {question.answered_by}:
        if _is_used(store, code, f"{_COLUMNS[kind]} IS NOT NULL"):
            raise StudyError(
                f"{study.toml}: question {question.id!r} is {question.type} now.",
                f"Verdicts or labels in study.db answer it by `{kind}`.",
                "Put the type back, or ask the question under a new id.",
            )


def _check_choices_kept(store: Store, study: Study, question: Question, code: int) -> None:
    for name, choice in choice_codes(store, code).items():
        if name in question.choices:
            continue
        # Codes of a multilabel question are below MOST_LABELS; others have no bits, and shifting by 64 or more gives 0.
        if _is_used(store, code, "choice = ?2 OR (chosen >> ?2) & 1", choice):
            raise StudyError(
                f"{study.toml}: question {question.id!r} has lost the choice {name!r}.",
                "Verdicts or labels in study.db use it.",
                "Put the choice back, or ask the new wording under a new id.",
            )


def _check_range_kept(store: Store, study: Study, question: Question, code: int) -> None:
    if question.type != "score":
        return
    ranges = [(version.min, version.max) for version in _recorded(store, code) if version.type == "score"]
    if all(
        question.allows_score(low) and question.allows_score(high) for low, high in ranges if low is not None and high is not None
    ):
        return
    if _is_used(store, code, "score < ?2 OR score > ?3", question.min, question.max):
        raise StudyError(
            f"{study.toml}: the range of question {question.id!r} is narrower than its scores.",
            f"Verdicts or labels in study.db lie outside of {question.min} to {question.max}.",
            "Put the range back, or ask the question under a new id.",
        )


def recorded_versions(store: Store) -> dict[str, list[dict[str, object]]]:
    """Every wording and codebook page that was recorded, by hash, for a manifest."""
    questions = store.conn.execute(
        """SELECT q.id, v.hash, v.document FROM question_versions v JOIN questions q ON q.code = v.question
           ORDER BY q.id, v.recorded_at, v.hash"""
    )
    pages = store.conn.execute(
        "SELECT q.id, c.hash, c.version FROM codebooks c JOIN questions q ON q.code = c.question ORDER BY q.id, c.version"
    )
    return {
        "questions": [{"id": id, "hash": hash, "declared": json.loads(document)} for id, hash, document in questions],
        "codebooks": [{"question": id, "hash": hash, "version": version} for id, hash, version in pages],
    }
