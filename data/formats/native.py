"""rejudge's own format: JSON Lines, one trajectory a line, with verdicts and labels beside it.

`native.schema.json`, beside this module, describes it for other tools; this module is what decides.
"""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.formats.answers import label_of, verdict_of
from data.formats.bad_lines import REFUSED, BadLines
from data.formats.fields import check_keys, identity, list_of, object_of, refuse, shown, text_or_none
from data.formats.strange_files import refuse_foreign
from data.formats.text import first_object, json_lines
from data.questions import Question
from data.records import STEP_KINDS, Entry, Step, Trajectory

NAME = "native"
QUESTION: Question | None = None
ONE_A_LINE = True
GIVEAWAYS = ("verdicts", "labels")
"""Parted from the trajectory. Keys at the top that this format does not know are kept hidden too."""

_EVERY_STEP = ("kind", "id", "speaker", "time", "session")
STEP_KEYS = {
    "message": (*_EVERY_STEP, "text"),
    "reasoning": (*_EVERY_STEP, "text"),
    "note": (*_EVERY_STEP, "text"),
    "observation": (*_EVERY_STEP, "text"),
    "tool_call": (*_EVERY_STEP, "tool", "arguments", "call"),
    "tool_result": (*_EVERY_STEP, "text", "call", "error"),
}
_KEY_SETS = {kind: frozenset(keys) for kind, keys in STEP_KEYS.items()}
_PLAIN = {
    kind: {key: (dict, str) if key == "arguments" else (bool,) if key == "error" else (str,) for key in keys if key != "id"}
    for kind, keys in STEP_KEYS.items()
}
"""By kind: the keys of a step that needs no closer look, and the types of their values."""
_TEXTS = ("text", "speaker", "tool", "call", "time", "session")
_TOP = ("id", "task", "group", "metadata", "steps", "verdicts", "labels")


def sniff(path: Path) -> bool:
    """A first line that is an object with steps, or with verdicts or labels and nothing that steps could be read from."""
    line = first_object(path)
    if "id" not in line:
        refuse_foreign(path, line)
    if "messages" in line:
        return isinstance(line.get("steps"), list)
    return "steps" in line or ("id" in line and bool(line.keys() & {"verdicts", "labels"}))


def read(path: Path, bad: BadLines = REFUSED) -> Iterator[Entry]:
    """Every line as an entry. Raises ImportRefused that names the line, unless `bad` leaves it out."""
    for place, value, marks in json_lines(path, bad):
        with bad:
            yield entry_of(object_of(value, place), place, marks)


def entry_of(line: dict[str, Any], place: str, marks: int) -> Entry:
    """One line of the native format."""
    if "id" not in line:
        refuse(f"{place}: the trajectory has no id.", f"Found keys: {', '.join(line)}.", "Give it its source's own `id`.")
    id = identity(line["id"], f"{place}: `id`")
    if not line.get("steps"):
        refuse(
            f"{place}: trajectory {shown(id)} has no steps.",
            f"Found keys: {', '.join(line)}.",
            f"{_misspelt_steps(line)}Each trajectory needs `steps`, at least one; or name the format with --format.",
        )
    what = f"{place} (trajectory {shown(id)})"
    group, metadata = line.get("group"), line.get("metadata")
    verdicts, labels = line.get("verdicts"), line.get("labels")
    if isinstance(group, str) and not group.strip():
        group = None
    trajectory = Trajectory(
        id=id,
        task=text_or_none(line, "task", what),
        steps=[step_of(step, position, what) for position, step in enumerate(list_of(line["steps"], f"{what}: `steps`"))],
        group=None if group is None else identity(group, f"{what}: `group`"),
        metadata={} if metadata is None else object_of(metadata, f"{what}: `metadata`"),
        hidden={key: value for key, value in line.items() if key not in _TOP},
    )
    verdicts = [] if verdicts is None else list_of(verdicts, f"{what}: `verdicts`")
    labels = [] if labels is None else list_of(labels, f"{what}: `labels`")
    return Entry(
        place=place,
        trajectory=trajectory,
        verdicts=[verdict_of(object_of(v, f"{what}: a verdict"), id, f"{what}: a verdict") for v in verdicts],
        labels=[label_of(object_of(v, f"{what}: a label"), id, f"{what}: a label") for v in labels],
        marks=marks,
    )


def _misspelt_steps(line: dict[str, Any]) -> str:
    near = difflib.get_close_matches("steps", [key for key, value in line.items() if isinstance(value, list)], n=1)
    return f"Was {near[0]!r} to be `steps`? " if near and near[0] != "steps" else ""


def _is_plain(step: Step) -> bool:
    """Whether `step` is right at first sight, as most are; what is not is looked at key by key."""
    types = _PLAIN.get(step["kind"], {})
    for key, value in step.items():
        if type(value) not in types.get(key, ()):
            return False
    return bool(step.get("tool")) if "arguments" in types else "text" in step


def step_of(value: Any, position: int, what: str) -> Step:
    """One step, checked. Fields that are null are left out."""
    if type(value) is dict and type(value.get("kind")) is str and _is_plain(value):
        return value
    step = object_of(value, f"{what}: step {position}")
    kind = step.get("kind")
    if not isinstance(kind, str) or kind not in _KEY_SETS:
        found = "It has no `kind`." if kind is None else f"Found kind {shown(kind)}."
        refuse(f"{what}: step {position} has no known kind.", found, f"Use one of: {', '.join(STEP_KINDS)}.")
    where = f"{what}: step {position} ({kind})"
    if not step.keys() <= _KEY_SETS[kind]:
        check_keys(step, STEP_KEYS[kind], where)
    for key in _TEXTS:
        if key in step and not isinstance(step[key], str):
            text_or_none(step, key, where)
    if "id" in step and step["id"] is not None:
        identity(step["id"], f"{where}: `id`")
    if kind == "tool_call":
        arguments = step.get("arguments")
        if arguments is not None and not isinstance(arguments, dict | str):
            refuse(f"{where}: `arguments` must be an object or a text.", f"Found {shown(arguments)}.", "Write them as {…}.")
        if not step.get("tool"):
            refuse(f"{where}: it names no tool.", f"Found keys: {', '.join(step)}.", "Give it `tool`.")
    elif step.get("text") is None:
        refuse(f"{where}: it has no text.", f"Found keys: {', '.join(step)}.", 'Give it `text`, "" where nothing was said.')
    if step.get("error") is not None and not isinstance(step["error"], bool):
        refuse(f"{where}: `error` must be true or false.", f"Found {shown(step['error'])}.", "Put the message into `text`.")
    if None in step.values():
        return {key: value for key, value in step.items() if value is not None}
    return step
