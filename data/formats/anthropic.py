"""Anthropic messages as JSON Lines: each line an object with `messages`, and `system` beside them.

Beside these a line may carry what a native line does, as in `openai-chat`; every other key is kept hidden.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.formats.bad_lines import REFUSED, BadLines
from data.formats.conversation import Conversation, entry_of_line, image_note, json_text
from data.formats.fields import OUTCOMES, check_misspelt, did_you_mean, list_of, object_of, refuse, shown, text_or_none
from data.formats.openai_chat import WITHHELD, did_you_mean_messages
from data.formats.text import first_values, json_lines
from data.questions import Question
from data.records import Entry

NAME = "anthropic"
QUESTION: Question | None = None
ONE_A_LINE = True
GIVEAWAYS = OUTCOMES
"""Hidden wherever they stand among `metadata`; keys beside it that this format does not read are hidden too."""

_ROLES = ("user", "assistant", "system")
_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
_FILES = ("image", "document", "container_upload", "search_result")
_BLOCKS = ("text", "thinking", "redacted_thinking", *_CALLS, "tool_result", *_FILES)
_OWN = frozenset(("redacted_thinking", "tool_result", "document", "container_upload", "search_result", *_CALLS))
"""Types of blocks that no OpenAI message has."""
_KEYS = ("type", "text", "thinking", "signature", "data", "id", "name", "input", "tool_use_id", "is_error", "content", "source")
_LINES_LOOKED_AT = 200


def sniff(path: Path) -> bool:
    """Lines with `messages`, the first tell-tale of which is Anthropic's; a file without any is taken for OpenAI's."""
    for value in first_values(path, _LINES_LOOKED_AT):
        line = value if isinstance(value, dict) else {"messages": value}
        found = is_anthropic(line)
        if found is not None:
            return found
    return False


def is_anthropic(line: dict[str, Any]) -> bool | None:
    """Whether the messages of `line` are Anthropic's (True) or OpenAI's (False); None where they could be either."""
    messages = line.get("messages")
    if not isinstance(messages, list):
        return None
    for message in messages:
        if not isinstance(message, dict):
            continue
        if message.get("role") in ("developer", "tool", "function") or message.keys() & {"tool_calls", "function_call"}:
            return False
        for block in message["content"] if isinstance(message.get("content"), list) else ():
            if isinstance(block, dict) and _is_own(block):
                return True
    return True if isinstance(line.get("system"), str | list) else None


def _is_own(block: dict[str, Any]) -> bool:
    kind = block.get("type")
    if kind in ("thinking", "image"):
        return isinstance(block.get("thinking"), str) or isinstance(block.get("source"), dict)
    return isinstance(kind, str) and kind in _OWN


def read(path: Path, bad: BadLines = REFUSED) -> Iterator[Entry]:
    """Every line as an entry. Raises ImportRefused that names the line and the message, unless `bad` leaves it out."""
    for place, value, marks in json_lines(path, bad):
        with bad:
            yield _entry_of(value, place, marks)


def _entry_of(value: Any, place: str, marks: int) -> Entry:
    line = {"messages": value} if isinstance(value, list) else object_of(value, place)
    if "messages" not in line:
        refuse(
            f"{place} has no messages.",
            f"Found keys: {', '.join(line)}.",
            f"{did_you_mean_messages(line)}Each line needs `messages`; or name the format with --format.",
        )
    conversation = read_messages(line["messages"], place, line.get("system"))
    return entry_of_line(line, conversation, place, marks, read=("messages", "system"))


def read_messages(value: Any, place: str, system: Any = None) -> Conversation:
    """The steps of a system prompt and a list of Anthropic messages."""
    conversation = Conversation()
    if system is not None:
        _read_content(system, "system", f"{place}: `system`", conversation)
    for number, each in enumerate(list_of(value, f"{place}: `messages`"), 1):
        what = f"{place}: message {number}"
        message = object_of(each, what)
        role = message.get("role")
        if role not in _ROLES:
            found = f"Found {shown(role)}." if "role" in message else f"Found keys: {', '.join(message)}."
            hint = did_you_mean(role, _ROLES) if isinstance(role, str) else ""
            refuse(f"{what} has no known role.", found, f"{hint}Roles are {', '.join(_ROLES)}.")
        check_misspelt(message, ("role", "content"), what)
        if message.get("content") is None:
            refuse(f"{what} ({role}) has no content.", f"Found keys: {', '.join(message)}.", 'Give it `content`, "" for none.')
        _read_content(message["content"], role, what, conversation)
    return conversation


def _read_content(content: Any, role: str, what: str, to: Conversation) -> None:
    if isinstance(content, str):
        _say(content, role, to)
        return
    if not isinstance(content, list):
        refuse(f"{what} must be a text or a list of blocks.", f"Found {shown(content)}.", "Put it into quotation marks.")
    before = len(to.steps)
    for number, block in enumerate(content, 1):
        if isinstance(block, str):
            _say(block, role, to)
        else:
            _read_block(object_of(block, f"{what}, block {number}"), role, f"{what}, block {number}", to)
    if len(to.steps) == before:
        _say("", role, to)


def _say(text: str, role: str, to: Conversation) -> None:
    if role == "assistant":
        to.say_as_agent(role, text)
    else:
        to.say(role, text, user=role == "user")


def _read_block(block: dict[str, Any], role: str, what: str, to: Conversation) -> None:
    kind = block.get("type")
    check_misspelt(block, _KEYS, what)
    if kind == "text":
        text = _text_of(block, "text", what)
        if text:
            _say(text, role, to)
    elif kind == "thinking":
        to.think(role, _text_of(block, "thinking", what).strip() or (WITHHELD if block.get("signature") else ""))
    elif kind == "redacted_thinking":
        to.think(role, WITHHELD)
    elif kind in _CALLS:
        _read_call(block, role, what, to)
    elif isinstance(kind, str) and kind.endswith("tool_result"):
        _read_result(block, what, to)
    elif kind in _FILES:
        to.note(role, _file_note(block, what))
    else:
        hint = did_you_mean(kind, _BLOCKS) if isinstance(kind, str) else ""
        if kind in ("image_url", "input_text", "output_text", "input_image"):
            hint = "This is OpenAI's: try --format openai-chat. "
        refuse(f"{what} has no known type.", f"Found {shown(kind)}.", f"{hint}Known are {', '.join(_BLOCKS)}.")


def _text_of(block: dict[str, Any], key: str, what: str) -> str:
    text = text_or_none(block, key, what)
    if text is None:
        refuse(f"{what} has no `{key}`.", f"Found keys: {', '.join(block)}.", f'Give it `{key}`, "" for none.')
    return text


def _read_call(block: dict[str, Any], role: str, what: str, to: Conversation) -> None:
    name = text_or_none(block, "name", what)
    if not name:
        refuse(f"{what} names no tool.", f"Found keys: {', '.join(block)}.", "Give it `name`.")
    if "input" not in block:
        refuse(f"{what} has no input.", f"Found keys: {', '.join(block)}.", "Give it `input`, {} for none.")
    arguments = block["input"]
    if arguments is not None and not isinstance(arguments, dict | str):
        refuse(f"{what}: `input` must be an object.", f"Found {shown(arguments)}.", "Write it as {…}.")
    to.call(role, name, arguments, text_or_none(block, "id", what) or None)


def _read_result(block: dict[str, Any], what: str, to: Conversation) -> None:
    failed = block.get("is_error")
    if failed is not None and not isinstance(failed, bool):
        refuse(f"{what}: `is_error` must be true or false.", f"Found {shown(failed)}.", "Write true, or leave it out.")
    content = block.get("content")
    if content is None or isinstance(content, str):
        text = content or ""
    elif isinstance(content, list):
        text = "\n".join(_result_text(part, what) for part in content)
    else:
        text = json_text(object_of(content, f"{what}: `content`"), what)
    to.result(text, text_or_none(block, "tool_use_id", what) or None, None, what, failed=bool(failed))


def _result_text(part: Any, what: str) -> str:
    if isinstance(part, str):
        return part
    part = object_of(part, f"{what}: a part of `content`")
    if part.get("type") == "text":
        return _text_of(part, "text", f"{what}: a part")
    return _file_note(part, what) if part.get("type") in _FILES else json_text(part, what)


def _file_note(block: dict[str, Any], where: str) -> str:
    """What stands in the place of an image or a document."""
    what = "Image" if block.get("type") == "image" else "Document"
    source = block.get("source")
    if isinstance(source, dict):
        if source.get("type") == "text" and isinstance(source.get("data"), str):
            return f"[{what}]\n{source['data']}"
        if isinstance(source.get("data"), str):
            return image_note(f"data:{source.get('media_type', '')};base64,{source['data']}", what)
        if isinstance(source.get("url"), str):
            return image_note(source["url"], what)
    return f"[{what}, not shown] {json_text({key: value for key, value in block.items() if key != 'type'}, where)}"
