"""R-Judge (Yuan et al. 2024) and files of its shape, such as ASSEBench's: a JSON list of records.

Its human labels become labels of annotator `r-judge`. `profile` is the agent's system prompt, so it
stays visible; `goal` is an instruction to a judge and everything about risk tells the label, so both
are kept hidden.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.formats.bad_lines import REFUSED, BadLines
from data.formats.fields import check_misspelt, identity, list_of, object_of, refuse, shown, text_or_none
from data.formats.text import first_bytes, json_document
from data.questions import Question
from data.records import Entry, Label, Step, Trajectory

NAME = "r-judge"
ANNOTATOR = "r-judge"
QUESTION = Question(
    id="unsafe",
    ask="Do the agent's actions cause or risk harm?",
    type="binary",
    choices=("safe", "unsafe"),
    positive="unsafe",
)
ONE_A_LINE = False
GIVEAWAYS = ("goal", "label", "risk_description", "risk_type", "failure_mode", "ambiguous")
"""Every field that is not listed as showable is hidden with them."""

_TOOL = re.compile(r"[A-Za-z_][\w.-]*")
_SHOWABLE = ("scenario", "application_scenario")
_TURN = ("role", "content", "thought", "action")
_READ = ("id", "profile", "contents", "label")


def sniff(path: Path) -> bool:
    """A JSON list that speaks of `contents` and roles near its beginning."""
    start = first_bytes(path)
    return start.lstrip()[:1] == b"[" and b'"contents"' in start and b'"role"' in start


def read(path: Path, bad: BadLines = REFUSED) -> Iterator[Entry]:
    """Every record as an entry with one label. Raises ImportRefused that names the record, unless `bad` leaves it out."""
    records, marks = json_document(path)
    for number, value in enumerate(list_of(records, "the file"), 1):
        place = f"item {number}"
        with bad:
            entry = _entry_of(object_of(value, place), place)
            entry.marks, marks = marks, 0  # those of the whole file count once
            yield entry


def _entry_of(record: dict[str, Any], place: str) -> Entry:
    missing = [key for key in ("id", "contents", "label") if key not in record]
    if missing:
        refuse(
            f"{place} lacks {', '.join(f'`{key}`' for key in missing)}.",
            f"Found keys: {', '.join(record)}.",
            "Mend the record, or name the right format with --format.",
        )
    id = identity(record["id"], f"{place}: `id`")
    what = f"{place} ({shown(id)})"
    label = record["label"]
    if not isinstance(label, int) or isinstance(label, bool) or label not in (0, 1):
        refuse(f"{what}: `label` must be 0 or 1.", f"Found {shown(label)}.", "0 is safe, 1 is unsafe.")
    steps, task = _steps_of(record, what)
    return Entry(
        place=place,
        trajectory=Trajectory(
            id=id,
            task=task,
            steps=steps,
            metadata={key: record[key] for key in _SHOWABLE if record.get(key) not in (None, "")},
            hidden={key: value for key, value in record.items() if key not in (*_SHOWABLE, *_READ)},
        ),
        labels=[
            Label(
                trajectory=id,
                question=QUESTION.id,
                annotator=ANNOTATOR,
                choice=QUESTION.choices[label],
                rationale=text_or_none(record, "risk_description", what) or None,
            )
        ],
    )


def _steps_of(record: dict[str, Any], what: str) -> tuple[list[Step], str | None]:
    """The steps of all sessions, and the task: the first thing that the user says."""
    steps: list[Step] = []
    task: str | None = None
    profile = text_or_none(record, "profile", what)
    if profile:
        steps.append({"kind": "message", "speaker": "system", "text": profile})
    sessions = list_of(record["contents"], f"{what}: `contents`")
    for number, session in enumerate(sessions, 1):
        mark = {"session": str(number)} if len(sessions) > 1 else {}
        for turn in list_of(session, f"{what}: session {number}"):
            for step in _steps_of_turn(object_of(turn, f"{what}: a turn"), what):
                if task is None and step.get("speaker") == "user":
                    task = step["text"]
                steps.append(step | mark)
    if not any(step.get("speaker") != "system" for step in steps):
        refuse(f"{what} has no turns.", "Found `contents` without any.", "Take the record out.")
    return steps, task


def _steps_of_turn(turn: dict[str, Any], what: str) -> list[Step]:
    role = turn.get("role")
    check_misspelt(turn, _TURN, f"{what}: a turn")
    if isinstance(role, str) and not turn.keys() & (set(_TURN[1:]) if role == "agent" else {"content"}):
        refuse(f"{what}: a turn of {role} says nothing.", f"Found keys: {', '.join(turn)}.", 'Give it `content`, "" for none.')
    if role == "agent":
        steps: list[Step] = []
        thought, action = text_or_none(turn, "thought", what), text_or_none(turn, "action", what)
        if thought:
            steps.append({"kind": "reasoning", "speaker": "agent", "text": thought})
        if action:
            steps.append(_action(action))
        said = text_or_none(turn, "content", what)
        if said:
            steps.append({"kind": "message", "speaker": "agent", "text": said})
        return steps
    text = text_or_none(turn, "content", what) or ""
    if role == "user":  # 14 records of r-judge.json begin with a user who says nothing
        return [{"kind": "message", "speaker": "user", "text": text}] if text else []
    if role == "environment":
        return [{"kind": "tool_result", "speaker": "environment", "text": text}]
    refuse(f"{what}: a turn has no known role.", f"Found {shown(role)}.", "Roles are user, agent and environment.")


def _action(action: str) -> Step:
    """A call where the text begins with a tool's name and its arguments, else what the agent says.

    Three ways of writing occur: `Tool{…}`, `Tool: {…}` and `Tool` with `Action Input: …` on the next line.
    """
    name, mark, rest = action.partition("\nAction Input:")
    if mark:
        arguments = rest.strip()
    else:
        name, brace, rest = action.partition("{")
        arguments = brace + rest.strip()
    name = name.strip().removesuffix(":")
    if not arguments or not _TOOL.fullmatch(name):
        return {"kind": "message", "speaker": "agent", "text": action}
    return {"kind": "tool_call", "speaker": "agent", "tool": name, "arguments": arguments}
