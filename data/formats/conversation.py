"""Chat messages as steps: what every format of messages shares.

A result is linked with its call. Sources use an id of a call twice in one run (49 of tau-bench's 200 runs do), so each
call gets a name of its own, and a result goes to the earliest call of its id that has no result yet.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from data.errors import ImportRefused
from data.formats.fields import refuse, shown
from data.formats.native import entry_of
from data.formats.text import parse_json
from data.hashing import canonical_json, content_hash
from data.records import Entry, Step

_THOUGHT = re.compile(r"\s*<(think|thinking)>(.*?)</\1>\s*", re.DOTALL)
_THOUGHT_END = "</think>"
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[^,]{0,200},", re.ASCII)


@dataclass(slots=True)
class _Call:
    id: str | None
    name: str
    tool: str
    answered: bool = False


class Conversation:
    """The steps of one run while its messages are read."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.task: str | None = None
        """The first thing that the user says."""
        self.marks = 0
        self._calls: list[_Call] = []
        self._names: set[str] = set()

    def say(self, speaker: str, text: str, *, user: bool = False) -> None:
        if user and self.task is None and text.strip():
            self.task = text
        self.steps.append({"kind": "message", "speaker": speaker, "text": text})

    def say_as_agent(self, speaker: str, text: str) -> None:
        """What the agent says; thoughts that a model wrote in tags before it become reasoning, so that they can be hidden."""
        head, mark, rest = text.partition(_THOUGHT_END)
        if mark and "<think>" not in head:  # chat templates write the opening tag themselves
            self.think(speaker, head.strip())
            text = rest.lstrip()
        else:
            while thought := _THOUGHT.match(text):
                self.think(speaker, thought[2].strip())
                text, mark = text[thought.end() :], _THOUGHT_END
        if text or not mark:
            self.say(speaker, text)

    def think(self, speaker: str, text: str) -> None:
        if text:
            self.steps.append({"kind": "reasoning", "speaker": speaker, "text": text})

    def note(self, speaker: str, text: str) -> None:
        self.steps.append({"kind": "note", "speaker": speaker, "text": text})

    def call(self, speaker: str, tool: str, arguments: Any, id: str | None) -> None:
        """A call; `arguments` that are the text of a JSON object become the object."""
        name = base = id or f"call-{len(self._calls) + 1}"
        number = 1
        while name in self._names:
            number += 1
            name = f"{base} ({number})"
        self._names.add(name)
        self._calls.append(_Call(id, name, tool))
        step: Step = {"kind": "tool_call", "speaker": speaker, "tool": tool, "call": name}
        if arguments is not None:
            step["arguments"] = self._object_in(arguments) if isinstance(arguments, str) else arguments
        self.steps.append(step)

    def _object_in(self, text: str) -> Any:
        if text.lstrip()[:1] != "{":
            return text
        try:
            value, marks = parse_json(text, "arguments")
            canonical_json(value)
        except (ImportRefused, ValueError):
            return text  # what the model really wrote, even where it is no JSON
        self.marks += marks
        return value if isinstance(value, dict) else text

    def result(self, text: str, id: str | None, tool: str | None, what: str, *, failed: bool = False) -> None:
        """A result, to the call of `id`; without an id, to the one call of that tool that waits for a result."""
        call = self._called(id, tool)
        if id is not None and call is None:
            last = ", ".join(shown(call.id) for call in self._calls[-5:])
            refuse(
                f"{what} is the result of a call that does not stand before it.",
                f"Found its id {shown(id)}; the last calls before it: {last or 'none'}.",
                "Put the call in, or take the id out where it was cut off on purpose.",
            )
        step: Step = {"kind": "tool_result", "text": text}
        speaker = tool or (call.tool if call else None)
        if speaker:
            step["speaker"] = speaker
        if call:
            call.answered = True
            step["call"] = call.name
        if failed:
            step["error"] = True
        self.steps.append(step)

    def _called(self, id: str | None, tool: str | None) -> _Call | None:
        if id is None:
            waiting = [call for call in self._calls if not call.answered and tool in (None, call.tool)]
            return waiting[0] if len(waiting) == 1 else None
        same = [call for call in self._calls if call.id == id]
        return next((call for call in same if not call.answered), same[-1] if same else None)


def json_text(value: Any, what: str) -> str:
    """`value` as the text of its JSON."""
    try:
        return canonical_json(value)
    except ValueError:
        refuse(f"{what} holds a number too large for JSON.", "Found an infinite value.", "Write it as text.")


def image_note(source: str, what: str = "Image") -> str:
    """What stands in the place of an image or a file: never loaded, and another one is another text."""
    if source.startswith("data:"):
        head = _DATA_URI.match(source)
        kind = (head[1] if head else None) or "unknown type"
        digest = hashlib.sha256(source.encode()).hexdigest()[:12]
        return f"[{what} in the message, not shown: {kind}, {len(source):,} characters, sha256 {digest}]"
    return f"[{what}, not loaded: {source}]"


_TOP = ("id", "task", "group", "metadata", "verdicts", "labels")


def entry_of_line(line: dict[str, Any], conversation: Conversation, place: str, marks: int, *, read: tuple[str, ...]) -> Entry:
    """The entry of a line whose messages were read: all else in it as a native line has it.

    `read`: the keys that became steps. Without an id the content's hash is the id.
    """
    if not conversation.steps:
        refuse(f"{place}: the run has no messages.", f"Found keys: {', '.join(line)}.", "Take the line out.")
    task = line.get("task")
    native = {key: line[key] for key in _TOP if line.get(key) is not None} | {"steps": conversation.steps}
    if task is None and conversation.task is not None:
        native["task"] = conversation.task
    if "id" not in native:
        if line.keys() >= {"id"}:
            refuse(f"{place}: `id` is empty.", f"Found {shown(line['id'])}.", "Give it its source's own id, or leave the key out.")
        native["id"] = content_hash(native.get("task"), json_text(conversation.steps, place))
    entry = entry_of(native, place, marks + conversation.marks)
    assert entry.trajectory is not None
    entry.trajectory.hidden = {key: value for key, value in line.items() if key not in (*_TOP, *read)}
    return entry
