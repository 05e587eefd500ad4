"""Writing what a file brings: what is there already stays, what is new is added, what differs is refused."""

import json
from dataclasses import dataclass, field
from typing import Any

from data.arrivals import Arrival, NewAnswer, NewTrajectory, resolve_positions
from data.errors import ImportRefused
from data.formats.fields import shown
from data.hashing import canonical_json, document_hash, tagged_hash
from data.splits import SplitDraw
from data.store.chain import chain_hash, last_link
from data.store.chosen import chosen_bits, chosen_names
from data.store.events import EventLog, NewEvent
from data.store.store import Store, now
from data.store.versions import choice_codes

VERDICT_CHAINED = (
    "run",
    "question",
    "trajectory",
    "repeat",
    "choice",
    "chosen",
    "score",
    "error",
    "rationale",
    "cites",
    "confidence",
)
"""The columns of a verdict that its chain covers."""


@dataclass(slots=True)
class Known:
    """A trajectory that the database holds."""

    n: int
    content_hash: str
    group: str
    step_count: int
    metadata: dict[str, Any]
    hidden: dict[str, Any]


@dataclass(slots=True)
class Counts:
    """What came in, and what was there already."""

    trajectories: int = 0
    verdicts: int = 0
    labels: int = 0
    known_trajectories: int = 0
    known_verdicts: int = 0
    known_labels: int = 0
    unknown_ids: list[str] = field(default_factory=list)
    """Answers to trajectories that are not in the study."""


def fields_hash(metadata: str, hidden: str) -> str:
    """The hash of a trajectory's fields beside its content, which may gain keys and never change one."""
    return tagged_hash("fields", f"{metadata}\n{hidden}")


def stored_fields(metadata: dict[str, Any], hidden: dict[str, Any]) -> tuple[str, str, str]:
    """Metadata, hidden fields and their hash as they are stored."""
    shown, kept = canonical_json(metadata), canonical_json(hidden)
    return shown, kept, fields_hash(shown, kept)


def begin_import(store: Store, file: str, file_hash: str, options: dict[str, Any], format: str) -> int:
    """The row of this import; one that was broken off is taken up again."""
    text = canonical_json(options)
    with store.write():
        store.conn.execute(
            "INSERT INTO imports (file, file_hash, options, format, started_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [file, file_hash, text, format, now()],
        )
        (id,) = store.conn.execute("SELECT id FROM imports WHERE file_hash = ? AND options = ?", [file_hash, text]).fetchone()
    return int(id)


def finish_import(store: Store, id: int) -> None:
    """Says that every line of the import is in."""
    with store.write():
        store.conn.execute("UPDATE imports SET finished_at = ? WHERE id = ? AND finished_at IS NULL", [now(), id])


def unfinished_imports(store: Store) -> list[str]:
    """Files whose import was broken off after writing began."""
    return [row[0] for row in store.conn.execute("SELECT file FROM imports WHERE finished_at IS NULL ORDER BY id")]


class Intake:
    """Compares chunks of arrivals with the database, and writes what is new.

    A chunk holds a trajectory at most once.
    """

    def __init__(self, store: Store, questions: dict[str, int], choices: dict[str, dict[str, int]], split: SplitDraw) -> None:
        """`questions` and `choices`: codes by name; empty while nothing is recorded yet."""
        self.store = store
        self.questions = questions
        self.choices = choices
        self.split = split
        self.known_choices: dict[str, dict[str, int]] = {}

    def compare(self, chunk: list[Arrival], counts: Counts) -> "Difference":
        """What of `chunk` is new. Raises ImportRefused where it contradicts what is there; writes nothing."""
        known = self._known([arrival.id for arrival in chunk])
        numbers = {entry.n: id for id, entry in known.items()}
        verdicts = self._known_answers(_VERDICTS, numbers)
        labels = self._known_answers(_LABELS, numbers)
        difference = Difference(known)
        for arrival in chunk:
            there = known.get(arrival.id)
            if arrival.trajectory is not None:
                self._compare_trajectory(arrival, arrival.trajectory, there, difference, counts)
            elif there is None:
                counts.unknown_ids.append(arrival.id)
                continue
            else:
                self._resolve(arrival, there)
            for answer in arrival.verdicts:
                if _is_new(arrival, answer, verdicts, "verdict of run"):
                    difference.verdicts.append(answer)
                    counts.verdicts += 1
                else:
                    counts.known_verdicts += 1
            for answer in arrival.labels:
                if _is_new(arrival, answer, labels, "label of annotator"):
                    difference.labels.append(answer)
                    counts.labels += 1
                else:
                    counts.known_labels += 1
        return difference

    def write(self, chunk: list[Arrival], import_id: int, counts: Counts) -> None:
        """Adds what is new of `chunk`, in one transaction."""
        with self.store.write():
            difference = self.compare(chunk, counts)
            if difference.trajectories:
                self._add_trajectories(difference, import_id)
            for n, metadata, hidden in difference.fields:
                self.store.conn.execute(
                    "UPDATE trajectories SET metadata = ?, hidden = ?, fields_hash = ? WHERE n = ?",
                    [*stored_fields(metadata, hidden), n],
                )
            self._add_verdicts(difference)
            self._add_labels(difference, import_id)

    def _known(self, ids: list[str]) -> dict[str, Known]:
        marks = ",".join("?" * len(ids))
        rows = self.store.conn.execute(
            f"SELECT id, n, content_hash, group_name, step_count, metadata, hidden FROM trajectories WHERE id IN ({marks})", ids
        )
        return {
            id: Known(n, content, group, count, json.loads(metadata), json.loads(hidden))
            for id, n, content, group, count, metadata, hidden in rows
        }

    def _known_answers(self, query: str, numbers: dict[int, str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        if not numbers:
            return {}
        marks = ",".join("?" * len(numbers))
        rows = self.store.conn.execute(query.format(marks=marks), list(numbers))
        return {(numbers[row[0]], *row[1:4]): (row[4], self._names(row[2], row[5]), *row[6:]) for row in rows}

    def _names(self, question: str, chosen: int | None) -> frozenset[str] | None:
        """Several choices as names; their codes are read once."""
        if chosen is None:
            return None
        if question not in self.known_choices:
            (code,) = self.store.conn.execute("SELECT code FROM questions WHERE id = ?", [question]).fetchone()
            self.known_choices[question] = choice_codes(self.store, code)
        return frozenset(chosen_names(self.known_choices[question], chosen))

    def _resolve(self, arrival: Arrival, there: Known) -> None:
        """Positions for answers that came without their trajectory."""
        if any(answer.steps for answer in (*arrival.verdicts, *arrival.labels)):
            (steps,) = self.store.conn.execute("SELECT steps FROM trajectories WHERE n = ?", [there.n]).fetchone()
            resolve_positions(arrival, json.loads(steps))

    def _compare_trajectory(
        self, arrival: Arrival, new: NewTrajectory, there: Known | None, difference: "Difference", counts: Counts
    ) -> None:
        if there is None:
            difference.trajectories.append(new)
            counts.trajectories += 1
            return
        counts.known_trajectories += 1
        check_same_content(arrival, new.content_hash, there.content_hash)
        check_same_group(arrival, new, there.group)
        added = False
        for name, old, brought in (("metadata", there.metadata, new.metadata), ("field", there.hidden, new.hidden)):
            for key, value in brought.items():
                if key not in old:
                    old[key] = value
                    added = True
                elif canonical_json(old[key]) != canonical_json(value):  # in Python 1, 1.0 and True are equal
                    refuse_changed_field(arrival, name, key, old[key], value)
        if added:
            difference.fields.append((there.n, there.metadata, there.hidden))

    def _add_trajectories(self, difference: "Difference", import_id: int) -> None:
        (last,) = self.store.conn.execute("SELECT coalesce(max(n), 0) FROM trajectories").fetchone()
        time, rows = now(), []
        format = self.store.conn.execute("SELECT format FROM imports WHERE id = ?", [import_id]).fetchone()[0]
        for n, new in enumerate(difference.trajectories, last + 1):
            difference.known[new.id] = Known(n, new.content_hash, new.group, new.step_count, new.metadata, new.hidden)
            rows.append(
                (
                    n, new.id, new.content_hash, format, new.group, self.split.of(new.group), new.task, new.steps,
                    new.step_count, *stored_fields(new.metadata, new.hidden), import_id, time,
                )
            )  # fmt: skip
        self.store.conn.executemany(f"INSERT INTO trajectories VALUES ({','.join('?' * 14)})", rows)

    def _add_verdicts(self, difference: "Difference") -> None:
        runs: dict[str, int] = {}
        rows = []
        link = last_link(self.store.conn, "verdicts", "id")
        for answer in difference.verdicts:
            if answer.source not in runs:
                runs[answer.source] = ensure_imported_run(self.store, answer.source)
            values = (
                runs[answer.source], self.questions[answer.question], difference.known[answer.trajectory].n, answer.repeat,
                *self._answer(answer), answer.error, answer.rationale, _json_or_none(answer.steps), answer.confidence,
            )  # fmt: skip
            link = chain_hash("verdict", link, values)
            rows.append((*values, link))
        columns = ", ".join((*VERDICT_CHAINED, "chain"))
        self.store.conn.executemany(f"INSERT INTO verdicts ({columns}) VALUES ({','.join('?' * 12)})", rows)

    def _add_labels(self, difference: "Difference", import_id: int) -> None:
        if not difference.labels:
            return
        annotators: dict[str, int] = {}
        log = EventLog(self.store)
        for answer in difference.labels:
            choice, chosen, score = self._answer(answer)
            if answer.source not in annotators:
                annotators[answer.source] = ensure_imported_annotator(self.store, answer.source)
            log.append(
                NewEvent(
                    annotator=annotators[answer.source],
                    trajectory=difference.known[answer.trajectory].n,
                    question=self.questions[answer.question],
                    phase="imported",
                    action="unsure" if choice is chosen is score is None else "label",
                    choice=choice,
                    chosen=chosen,
                    score=score,
                    evidence=[step for step in answer.steps or [] if isinstance(step, int)],
                    rationale=answer.rationale,
                    import_id=import_id,
                )
            )

    def _answer(self, answer: NewAnswer) -> tuple[int | None, int | None, float | None]:
        """`choice`, `chosen` and `score` as they are stored."""
        codes = self.choices[answer.question]
        choice = None if answer.choice is None else codes[answer.choice]
        return choice, None if answer.choices is None else chosen_bits(codes, answer.choices), answer.score


@dataclass(slots=True)
class Difference:
    """What of a chunk is new."""

    known: dict[str, Known]
    trajectories: list[NewTrajectory] = field(default_factory=list)
    fields: list[tuple[int, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    verdicts: list[NewAnswer] = field(default_factory=list)
    labels: list[NewAnswer] = field(default_factory=list)


_VERDICTS = """
SELECT v.trajectory, r.name, q.id, v.repeat, c.name, v.chosen, v.score, v.error, v.rationale, v.cites, v.confidence
FROM verdicts v JOIN judge_runs r ON r.code = v.run JOIN questions q ON q.code = v.question
LEFT JOIN choices c ON c.question = v.question AND c.code = v.choice WHERE v.trajectory IN ({marks})
"""
_LABELS = """
SELECT e.trajectory, a.handle, q.id, 0, c.name, e.chosen, e.score, NULL, e.rationale, e.evidence, NULL
FROM label_events e JOIN annotators a ON a.code = e.annotator JOIN questions q ON q.code = e.question
LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
WHERE e.trajectory IN ({marks}) AND e.phase = 'imported'
"""


def _is_new(arrival: Arrival, answer: NewAnswer, known: dict[tuple[Any, ...], tuple[Any, ...]], what: str) -> bool:
    """Whether `answer` is not among the `known`, where it then is; raises ImportRefused where it differs from what is there."""
    key = (arrival.id, answer.source, answer.question, answer.repeat)
    old = known.get(key)
    if old is None:
        known[key] = (*_said(answer), answer.rationale, _json_or_none(answer.steps), answer.confidence)
        return True
    *said, rationale, steps, confidence = old
    if _said(answer) != tuple(said):
        refuse_changed_answer(arrival, answer, what, in_words(answer), _in_words(*said))
    for name, brought, kept in (
        ("rationale", answer.rationale, rationale),
        ("cites" if what == "verdict" else "evidence", answer.steps, None if steps is None else json.loads(steps)),
        ("confidence", answer.confidence, confidence),
    ):
        if brought is not None and brought != kept:
            there = "none" if kept is None else shown(kept)
            refuse_changed_answer(arrival, answer, what, f"{name} {shown(brought)}", there)
    return False


def _said(answer: NewAnswer) -> tuple[Any, ...]:
    """What makes two answers the same."""
    return answer.choice, None if answer.choices is None else frozenset(answer.choices), answer.score, answer.error


def in_words(answer: NewAnswer) -> str:
    """What it says."""
    return _in_words(*_said(answer))


def _in_words(choice: str | None, choices: frozenset[str] | None, score: float | None, error: str | None) -> str:
    if choices is not None:
        return repr(sorted(choices))
    return repr(score if score is not None else choice or error or "unsure")


def _json_or_none(value: object) -> str | None:
    return None if value is None else canonical_json(value)


def check_same_content(arrival: Arrival, new: str, old: str) -> None:
    if new != old:
        raise ImportRefused(
            f"{arrival.place}: trajectory {shown(arrival.id)} is already there with other content.",
            f"Found content {new[:12]}; what is there has {old[:12]}.",
            "If these are other runs with the same ids, import the file with --prefix P.",
        )


def check_same_group(arrival: Arrival, new: NewTrajectory, old: str) -> None:
    # A line that names no group falls back on its content, and contradicts nobody.
    if new.group not in (old, new.content_hash):
        refuse_changed_field(arrival, "field", "group", old, new.group)


def refuse_changed_field(arrival: Arrival, kind: str, key: str, old: object, new: object) -> None:
    raise ImportRefused(
        f"{arrival.place}: trajectory {shown(arrival.id)} is already there with another {kind} `{key}`.",
        f"Found {shown(new)}; what is there has {shown(old)}.",
        "Mend the file, or import it with --prefix P if these are other runs.",
    )


def refuse_changed_answer(arrival: Arrival, answer: NewAnswer, what: str, new: str, old: str) -> None:
    raise ImportRefused(
        f"{arrival.place}: the {what} {shown(answer.source)} on trajectory {shown(arrival.id)} is already there and differs.",
        f"Found {new}; what is there is {old}.",
        "Verdicts and imported labels never change: bring this one in under another name.",
    )


def ensure_imported_run(store: Store, name: str) -> int:
    """The code of the imported judge run `name`, made where it is new."""
    document = {"kind": "imported", "name": name}
    store.conn.execute(
        """INSERT INTO judge_runs (name, identity, kind, document, evidence_view, recorded_at)
           VALUES (?, ?, 'imported', ?, ?, ?) ON CONFLICT DO NOTHING""",
        [name, document_hash("judge", document), canonical_json(document), canonical_json({"known": False}), now()],
    )
    return int(store.conn.execute("SELECT code FROM judge_runs WHERE name = ?", [name]).fetchone()[0])


def ensure_imported_annotator(store: Store, handle: str) -> int:
    """The code of the annotator `handle`; one who is new cannot sign in."""
    store.conn.execute(
        "INSERT INTO annotators (handle, role, created_at) VALUES (?, 'imported', ?) ON CONFLICT DO NOTHING", [handle, now()]
    )
    return int(store.conn.execute("SELECT code FROM annotators WHERE handle = ?", [handle]).fetchone()[0])
