"""A chat completion as the server sent it, and the reply to be stored that it makes."""

import json
from dataclasses import dataclass
from typing import Any

from data.formats.text import with_marks
from data.questions import Question
from data.store.judging import Call, Reply
from data.study import Price
from judge.replies import Answer, parsed


@dataclass(frozen=True, slots=True)
class Completion:
    """What of a chat completion matters here. Nothing in it is to be trusted."""

    content: str
    refusal: str
    finish: str
    model: str
    """What the server says that the model is; empty where it says nothing."""
    fingerprint: str
    """What the server says of its configuration."""
    tokens_in: int | None
    tokens_out: int | None
    message: dict[str, Any]


def completion_of(document: Any) -> Completion | None:
    """None where the document is no chat completion, so that nothing was replied."""
    if not isinstance(document, dict):
        return None
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(message := first.get("message"), dict):
        return None
    given = document.get("usage")
    usage = given if isinstance(given, dict) else {}
    return Completion(
        content=_text(message.get("content")),
        refusal=_text(message.get("refusal")),
        finish=_storable(first.get("finish_reason")),
        model=_storable(document.get("model")),
        fingerprint=_storable(document.get("system_fingerprint")),
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
        message=message,
    )


def answer_in(completion: Completion, question: Question, step_count: int, mode: str) -> Answer:
    """What a completion says; a refusal, a reply that was cut off and an empty one are errors."""
    if completion.refusal:
        return Answer(error="refused by the model")
    if completion.finish == "content_filter":
        return Answer(error="refused by the server's filter")
    if completion.finish == "length":
        return Answer(error="cut off: the reply was longer than the server lets it be")
    if not completion.content.strip():
        elsewhere = [
            key for key in ("tool_calls", "function_call", "reasoning_content", "reasoning") if completion.message.get(key)
        ]
        return Answer(error=f"empty reply: something stands in {', '.join(elsewhere)} instead" if elsewhere else "empty reply")
    return parsed(completion.content, question, step_count, mode)


def reply_of(
    completion: Completion,
    question: Question,
    trajectory: int,
    step_count: int,
    *,
    mode: str,
    price: Price | None,
    repeat: int = 0,
    seconds: float | None = None,
    attempts: int = 1,
    cut: tuple[str, ...] = (),
) -> Reply:
    """The verdict and its call, as they are stored; `cut`: what of the trajectory the judge did not see."""
    answer = answer_in(completion, question, step_count, mode)
    # Where nothing stands in its place, the whole message is what came.
    raw = completion.content or json.dumps(completion.message, ensure_ascii=False)
    call = Call(
        snapshot=said_to_be(completion),
        mode=mode,
        raw=with_marks(raw)[0],
        finish=completion.finish,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        cost=None if price is None else price.of(completion.tokens_in, completion.tokens_out),
        seconds=seconds,
        attempts=attempts,
        notes=(*cut, *answer.notes),
    )
    return Reply(
        trajectory,
        repeat,
        answer.choice,
        answer.choices,
        answer.score,
        None if answer.error is None else with_marks(answer.error)[0],
        answer.rationale,
        answer.cites,
        answer.confidence,
        call,
    )


def said_to_be(completion: Completion) -> str:
    """The model that the server says it is, and its configuration in brackets where it names one."""
    return f"{completion.model} ({completion.fingerprint})" if completion.fingerprint else completion.model


def _text(value: Any) -> str:
    """Content may come in parts, each with a text."""
    if isinstance(value, list):
        return "".join(part["text"] for part in value if isinstance(part, dict) and isinstance(part.get("text"), str))
    return value if isinstance(value, str) else ""


def _storable(value: Any) -> str:
    """A name, which may become a part of what a judge is: without what no database takes."""
    marked: str = with_marks(_text(value))[0]
    return marked


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
