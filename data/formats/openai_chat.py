"""OpenAI chat messages as JSON Lines: each line an object with `messages`, or a bare list of messages.

Beside `messages` a line may carry `id`, `task`, `group`, `metadata`, `verdicts` and `labels` as a native line does;
every other key is kept hidden. Of a message, what was said, thought, called and returned is read, and nothing else.
"""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.formats.bad_lines import REFUSED, BadLines
from data.formats.conversation import Conversation, entry_of_line, image_note, json_text
from data.formats.fields import OUTCOMES, check_misspelt, did_you_mean, list_of, object_of, refuse, shown, text_or_none
from data.formats.text import first_object, first_values, json_lines
from data.questions import Question
from data.records import Entry

NAME = "openai-chat"
QUESTION: Question | None = None
ONE_A_LINE = True
GIVEAWAYS = OUTCOMES
"""Hidden wherever they stand among `metadata`; keys beside it that this format does not read are hidden too."""

_ARGUMENTS = ("arguments", "input", "args")
"""What a function, a custom tool and LangChain call them."""
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_REASONING = ("reasoning_content", "reasoning", "reasoning_text", "thinking", "thought")
_READ = (
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "refusal",
    "audio",
    "reasoning_details",
    *_REASONING,
)


def sniff(path: Path) -> bool:
    """A first line with `messages`, or that is a list of messages."""
    if isinstance(first_object(path).get("messages"), list):
        return True
    return any(isinstance(value, list) and bool(value) and _is_message(value[0]) for value in first_values(path))


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and "role" in value and "contents" not in value


def read(path: Path, bad: BadLines = REFUSED) -> Iterator[Entry]:
    """Every line as an entry. Raises ImportRefused that names the line and the message, unless `bad` leaves it out."""
    for place, value, marks in json_lines(path, bad):
        with bad:
            yield _entry_of(value, place, marks)


def _entry_of(value: Any, place: str, marks: int) -> Entry:
    if isinstance(value, list) and value and isinstance(value[0], dict) and "messages" in value[0]:
        refuse(f"{place} is a list of conversations.", f"Found {len(value)}.", "Give each a line of its own.")
    line = {"messages": value} if isinstance(value, list) else object_of(value, place)
    if "messages" not in line:
        refuse(
            f"{place} has no messages.",
            f"Found keys: {', '.join(line)}.",
            f"{did_you_mean_messages(line)}Each line needs `messages`; or name the format with --format.",
        )
    return entry_of_line(line, read_messages(line["messages"], place), place, marks, read=("messages",))


def did_you_mean_messages(line: dict[str, Any]) -> str:
    """A hint where a list stands under a key that is nearly `messages`."""
    near = difflib.get_close_matches("messages", [key for key, value in line.items() if isinstance(value, list)], n=1)
    return f"Was {near[0]!r} to be `messages`? " if near else ""


def read_messages(value: Any, place: str) -> Conversation:
    """The steps of a list of OpenAI chat messages."""
    conversation = Conversation()
    for number, message in enumerate(list_of(value, f"{place}: `messages`"), 1):
        what = f"{place}: message {number}"
        _read_message(object_of(message, what), what, conversation)
    return conversation


def _read_message(message: dict[str, Any], what: str, to: Conversation) -> None:
    role = message.get("role")
    if role not in ROLES:
        found = f"Found {shown(role)}." if "role" in message else f"Found keys: {', '.join(message)}."
        hint = did_you_mean(role, ROLES) if isinstance(role, str) else ""
        refuse(f"{what} has no known role.", found, f"{hint}Roles are {', '.join(ROLES)}.")
    check_misspelt(message, _READ, what)
    speaker = text_or_none(message, "name", what) or role
    if role in ("tool", "function"):
        _read_result(message, what, to)
    elif role == "assistant":
        _read_assistant(message, speaker, what, to)
    else:
        if "content" not in message:
            refuse(f"{what} ({role}) has no content.", f"Found keys: {', '.join(message)}.", 'Give it `content`, "" for none.')
        _read_content(message["content"], speaker, what, to, role)


def _read_assistant(message: dict[str, Any], speaker: str, what: str, to: Conversation) -> None:
    thoughts = [text for key in _REASONING if (text := _thought(message.get(key), f"{what}: `{key}`"))]
    if not thoughts:  # they repeat the text where there is one
        thoughts = [_thought(message.get("reasoning_details"), f"{what}: `reasoning_details`")]
    for text in dict.fromkeys(thoughts):
        to.think(speaker, text)
    calls = [] if message.get("tool_calls") is None else list_of(message["tool_calls"], f"{what}: `tool_calls`")
    old_call, refusal, audio = message.get("function_call"), text_or_none(message, "refusal", what), message.get("audio")
    content = message.get("content")
    if content is None and isinstance(audio, dict):
        content = text_or_none(audio, "transcript", f"{what}: `audio`")
    elsewhere = bool(calls or old_call or refusal or any(thoughts))
    if not elsewhere and "content" not in message:
        refuse(f"{what} (assistant) is empty.", f"Found keys: {', '.join(message)}.", 'Give it `content`, "" for none.')
    if content or not elsewhere:
        _read_content(content, speaker, what, to, "assistant")
    if refusal:
        to.say(speaker, refusal)
    for call in calls:
        _read_call(object_of(call, f"{what}: a tool call"), speaker, what, to)
    if old_call:
        function = object_of(old_call, f"{what}: `function_call`")
        to.call(speaker, _tool_of(function, what), _arguments_of(function, what), None)


def _thought(value: Any, what: str) -> str:
    """Reasoning in any of the ways that servers write it: a text, or a list of parts."""
    if value is None or isinstance(value, str):
        return (value or "").strip()
    if isinstance(value, dict):
        value = [value]
    texts = []
    for part in list_of(value, what):
        if isinstance(part, str):
            texts.append(part)
            continue
        part = object_of(part, f"{what}: a part")
        found = next((part[key] for key in ("text", "summary", "thinking", "reasoning", "content") if part.get(key)), None)
        if found is None:
            texts.append(WITHHELD if part.get("data") or part.get("encrypted_content") else "")
        else:
            texts.append(_thought(found, what))
    return "\n\n".join(text for text in texts if text)


WITHHELD = "[reasoning that the provider withheld]"


def _read_call(call: dict[str, Any], speaker: str, what: str, to: Conversation) -> None:
    id = text_or_none(call, "id", f"{what}: a tool call") or None
    if call.get("custom") is not None:
        custom = object_of(call["custom"], f"{what}: `custom`")
        to.call(speaker, _tool_of(custom, what), _arguments_of(custom, what), id)
        return
    function = call.get("function")
    if function is None:  # some libraries leave `function` out and write the name and arguments in its place
        function = call
    elif isinstance(function, str):  # Inspect
        function = call | {"name": function}
    function = object_of(function, f"{what}: `function`")
    to.call(speaker, _tool_of(function, what), _arguments_of(function, what), id)


def _tool_of(function: dict[str, Any], what: str) -> str:
    name = text_or_none(function, "name", f"{what}: a tool call")
    if not name:
        refuse(f"{what}: a tool call names no tool.", f"Found keys: {', '.join(function)}.", "Give it `function.name`.")
    return name


def _arguments_of(function: dict[str, Any], what: str) -> Any:
    check_misspelt(function, ("name", *_ARGUMENTS), f"{what}: a tool call")
    arguments = next((function[key] for key in _ARGUMENTS if function.get(key) is not None), None)
    if arguments is None or isinstance(arguments, dict | str):
        return arguments
    refuse(f"{what}: `arguments` must be a text or an object.", f"Found {shown(arguments)}.", "Write them as the model did.")


def _read_result(message: dict[str, Any], what: str, to: Conversation) -> None:
    if "content" not in message:
        refuse(
            f"{what} ({message['role']}) has no content.", f"Found keys: {', '.join(message)}.", 'Give it `content`, "" for none.'
        )
    content = message["content"]
    if isinstance(content, dict):
        text = json_text(content, what)
    elif isinstance(content, list):
        text = "\n".join(part_text(part, what)[0] for part in content)
    else:
        text = text_or_none(message, "content", what) or ""
    id = text_or_none(message, "tool_call_id", what) or None
    to.result(text, id, text_or_none(message, "name", what) or None, what)


def _read_content(content: Any, speaker: str, what: str, to: Conversation, role: str) -> None:
    """What is said: a text, or a list of parts, each a step of its own."""
    user = role == "user"
    say = to.say_as_agent if role == "assistant" else to.say
    if content is None or isinstance(content, str):
        to.say(speaker, content or "", user=True) if user else say(speaker, content or "")
        return
    if not isinstance(content, list):
        refuse(f"{what}: `content` must be a text or a list of parts.", f"Found {shown(content)}.", "Put it into quotation marks.")
    before = len(to.steps)
    for part in content:
        text, kind = part_text(part, what)
        if kind == "reasoning":
            to.think(speaker, text)
        elif kind == "note":
            to.note(speaker, text)
        elif text:
            to.say(speaker, text, user=True) if user else say(speaker, text)
    if len(to.steps) == before:
        say(speaker, "")


_PARTS = (
    "text",
    "input_text",
    "output_text",
    "refusal",
    "image_url",
    "input_image",
    "input_audio",
    "file",
    "reasoning",
    "thinking",
)


def part_text(part: Any, what: str) -> tuple[str, str]:
    """The text of one part of a message, and whether it is a `message`, a `note` or `reasoning`."""
    if isinstance(part, str):
        return part, "message"
    part = object_of(part, f"{what}: a part of `content`")
    kind = part.get("type")
    if kind in ("text", "input_text", "output_text", "refusal"):
        key = "refusal" if kind == "refusal" else "text"
        text = text_or_none(part, key, f"{what}: a part")
        if text is None:
            refuse(f"{what}: a part has no text.", f"Found keys: {', '.join(part)}.", f"Give it `{key}`.")
        return text, "message"
    if kind in ("reasoning", "thinking"):
        return _thought([part], f"{what}: a part"), "reasoning"
    if kind in ("image_url", "input_image"):
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        return image_note(url) if isinstance(url, str) else "[Image in the message, not shown]", "note"
    if kind in ("input_audio", "file"):
        held = part.get(kind)
        data = (held.get("data") or held.get("file_data")) if isinstance(held, dict) else None
        named = "Sound" if kind == "input_audio" else "File"
        return image_note(f"data:,{data}", named) if isinstance(data, str) else f"[{named} in the message, not shown]", "note"
    hint = did_you_mean(kind, _PARTS) if isinstance(kind, str) else ""
    if kind in ("tool_use", "tool_result", "redacted_thinking", "image", "document"):
        hint = "These are Anthropic's: try --format anthropic. "
    refuse(f"{what}: a part has no known type.", f"Found {shown(kind)}.", f"{hint}Known are {', '.join(_PARTS)}.")
