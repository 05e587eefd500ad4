"""A row of a table as a trajectory: `id`, and `text` or `messages`; every further column is metadata.

`--map COLUMN=FIELD` says what a column is that is called otherwise, and may name what an answer has too
(`choice`, `rationale`, …): then the row carries a verdict, or a label where it names an annotator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from data.formats import anthropic, openai_chat
from data.formats.answers import LABEL_KEYS, VERDICT_KEYS, from_cells
from data.formats.conversation import Conversation
from data.formats.fields import did_you_mean, refuse, shown
from data.formats.native import entry_of
from data.formats.text import parse_json
from data.records import Entry

Columns = tuple[tuple[str, str], ...]
"""Pairs of a column and the field that it is, as `--map` gives them."""

FIELDS = ("id", "text", "messages", "task", "group")
METADATA = "metadata"
"""What `--map` calls a column that is metadata in spite of its name."""
_ANSWER = tuple(dict.fromkeys((*VERDICT_KEYS, *LABEL_KEYS)))
_ALL = (*FIELDS, METADATA, *_ANSWER)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column is what."""

    fields: dict[str, str]
    """Field to column."""
    answer: dict[str, str]
    """Key of an answer to column."""
    metadata: tuple[str, ...]


def known_columns(columns: Columns) -> set[str]:
    """The names by which a header is recognised."""
    return {*FIELDS, *(column for column, _ in columns)}


def layout_of(header: Sequence[str], columns: Columns) -> Layout:
    """The layout of a table with these columns. Raises ImportRefused where `columns` or the table lack something."""
    mapped: dict[str, str] = {}
    kept = set()
    for column, field in columns:
        if column not in header:
            refuse(
                f"--map: there is no column {column!r}.",
                f"Found columns: {', '.join(header)}.",
                f"{did_you_mean(column, header)}Write --map COLUMN=FIELD with one of these columns.",
            )
        if field not in _ALL:
            refuse(
                f"--map: there is no field {field!r}.", f"Fields are {', '.join(_ALL)}.", f"{did_you_mean(field, _ALL)}Name one."
            )
        if field == METADATA:
            kept.add(column)
            continue
        if field in mapped or column in mapped.values() or column in kept:
            refuse("--map names a column or a field twice.", f"Found {column}={field}.", "Name each once.")
        mapped[field] = column
    taken = {*kept, *mapped.values()}
    # What --map says goes before what a column is called; of text and messages it may name one.
    own = {field: field for field in FIELDS if field in header and field not in taken and field not in mapped}
    for field, other in (("text", "messages"), ("messages", "text")):
        if field in mapped:
            own.pop(other, None)
    fields = {field: column for field, column in (own | mapped).items() if field in FIELDS}
    answer = {field: column for field, column in mapped.items() if field not in FIELDS}
    used = {*fields.values(), *answer.values()}
    if "id" not in fields or not fields.keys() & {"text", "messages"}:
        _refuse_header(header, fields)
    return Layout(fields, answer, tuple(column for column in header if column not in used))


def _refuse_header(header: Sequence[str], fields: dict[str, str]) -> NoReturn:
    lacking = "`id`" if "id" not in fields else "`text` or `messages`"
    example = next((column for column in header if column not in fields.values()), "COLUMN")
    answers = set(header) & {"choice", "choices", "score", "error", "unsure"}
    if "id" in fields:
        do = "For answers alone name --format answers." if answers else f"Say which it is, for example: --map {shown(example)}=text"
    else:
        text = "" if fields.keys() & {"text", "messages"} else " --map COLUMN=text"
        do = f"Say which it is, for example: --map {shown(example)}=id{text}"
        do += "; in a file of answers alone call it `id`." if answers else ""
    refuse(f"There is no column {lacking}.", f"Found columns: {', '.join(header)}.", do)


def entry_of_row(row: dict[str, Any], layout: Layout, place: str, marks: int, *, texts: bool) -> Entry:
    """The entry of a row; an absent value is None or "". `texts`: all values are texts, as in CSV."""
    cells = {key: value for key, value in row.items() if value is not None and value != ""}
    found = {field: cells[column] for field, column in layout.fields.items() if column in cells}
    if "id" not in found:
        refuse(f"{place} has no id.", f"Column {layout.fields['id']!r} is empty.", "Give each row its source's own id.")
    line: dict[str, Any] = {key: found[key] for key in ("id", "task", "group") if key in found}
    line["metadata"] = {column: cells[column] for column in layout.metadata if column in cells}
    what = f"{place} (trajectory {shown(found['id'])})"
    if "text" in found and "messages" in found:
        refuse(f"{what} has both text and messages.", "Found neither cell empty.", "Take one out: --map COLUMN=metadata")
    if "messages" in found:
        conversation = _conversation(found["messages"], what)
        line["steps"] = conversation.steps
        if conversation.task is not None:
            line.setdefault("task", conversation.task)
        marks += conversation.marks
    else:
        text = found.get("text")
        if not isinstance(text, str) or not text.strip():
            refuse(f"{what} has no text.", f"Found {shown(text)}.", "Each row needs `text` or `messages`.")
        line["steps"] = [{"kind": "message", "speaker": "transcript", "text": text}]  # of everybody, so nobody's
    answer = {key: cells[column] for key, column in layout.answer.items() if column in cells}
    if answer:
        if "annotator" in layout.answer and not answer.keys() & {"annotator", "run"}:
            refuse(f"{what}: a label names no annotator.", "Found that cell empty.", "Give each label its annotator.")
        if texts:
            answer = from_cells(answer, what)
        line["labels" if "annotator" in answer else "verdicts"] = [answer]
    return entry_of(line, place, marks)


def _conversation(value: Any, what: str) -> Conversation:
    messages, marks = parse_json(value, f"{what}: `messages`") if isinstance(value, str) else (value, 0)
    system = None
    if isinstance(messages, dict) and "messages" in messages:
        system, messages = messages.get("system"), messages["messages"]
    if anthropic.is_anthropic({"messages": messages, "system": system}):
        conversation = anthropic.read_messages(messages, what, system)
    else:
        conversation = openai_chat.read_messages(messages, what)
    if not conversation.steps:
        refuse(f"{what} has no messages.", "Found an empty list.", "Take the row out.")
    conversation.marks += marks
    return conversation
