"""What a judge's reply says: a declared choice, or an error with a reason. Never a guess.

A reply is asked for in one of three modes: `json_schema` (the server holds the model to the schema), `json_object` (a JSON
object, the schema stands in the prompt) and `text` (lines like `VERDICT: …`). The whole reply must be in that form: a
verdict that stands in the middle of something else may be one that was quoted.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import ImportRefused
from data.formats.text import parse_json, with_marks
from data.questions import Question

PARSER = 2
"""Part of a judge's identity: another parser may read the same reply differently."""
MODES = ("json_schema", "json_object", "text")
"""From the one that holds a model best to the one that every model can do."""
_LINES = ("RATIONALE", "VERDICT", "CITES", "CONFIDENCE")
_MARKUP = " \t\r>*_#`-"
_QUOTES = " \t\r*_`\"'“”‘’"
_LONGEST_SHOWN = 60
_NUMERAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""Python itself takes 1_0, full-width digits, `inf` and `nan` as well."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One of `choice`, `choices`, `score` and `error`, with what stood beside it."""

    choice: str | None = None
    choices: tuple[str, ...] | None = None
    score: float | None = None
    error: str | None = None
    """What kind of error it is, and after a colon what was found."""
    rationale: str | None = None
    cites: tuple[int, ...] | None = None
    confidence: float | None = None
    notes: tuple[str, ...] = ()
    """What of the reply was left out, in words; where there may be several, after a colon how many."""


class _Unreadable(ValueError):
    """The reply gives no answer; the message is the `error` of the Answer."""


def schema_of(question: Question) -> dict[str, Any]:
    """The JSON schema of an answer: rationale before verdict, so that the verdict follows from it and not the other way."""
    properties: dict[str, Any] = {
        "rationale": {"type": "string", "description": "What in the record speaks for and against, before any verdict."},
        "verdict": _verdict_schema(question),
    }
    if question.evidence != "none":
        properties["cites"] = {
            "type": "array",
            "items": {"type": "integer"},
            "description": "Numbers of the steps that the verdict rests on.",
        }
    properties["confidence"] = {"type": "number", "description": "How sure the verdict is, from 0 to 1."}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _verdict_schema(question: Question) -> dict[str, Any]:
    if question.type == "score":
        kind = "integer" if question.scale else "number"
        return {"type": kind, "description": f"From {question.min} to {question.max}."}
    one = {"type": "string", "enum": list(question.choices)}
    if question.type != "multilabel":
        return one
    return {"type": "array", "items": one, "description": "Every choice that applies; empty where none does."}


def instructions(question: Question, mode: str) -> str:
    """What is said below a prompt about the form of the answer; empty where the server holds the model to the schema."""
    if mode == "json_schema":
        return ""
    if mode == "json_object":
        schema = json.dumps(schema_of(question), ensure_ascii=False)
        return f"Answer with one JSON object and nothing else. It must follow this JSON schema, keys in this order:\n{schema}"
    lines = ["RATIONALE: what in the record speaks for and against, before any verdict", f"VERDICT: {_verdict_in_words(question)}"]
    if question.evidence != "none":
        lines.append("CITES: numbers of the steps that the verdict rests on, with commas between them")
    lines.append("CONFIDENCE: how sure the verdict is, from 0 to 1")
    return "\n".join(["Answer with these lines, each once and in this order, and nothing else:", *lines])


def _verdict_in_words(question: Question) -> str:
    if question.type == "score":
        return f"a {'whole number' if question.scale else 'number'} from {question.min} to {question.max}"
    choices = json.dumps(list(question.choices), ensure_ascii=False)
    if question.type == "multilabel":
        return f"a JSON list of those of {choices} that apply; [] where none does"
    return f"one of {choices}"


def parsed(raw: str, question: Question, step_count: int, mode: str = "json_schema") -> Answer:
    """What the text of one reply says about a trajectory of `step_count` steps; without an answer in it, an error."""
    text = _without_thoughts(with_marks(raw)[0])
    try:
        if not text.strip():
            raise _Unreadable("empty reply")
        found, notes = _from_lines(text, question) if mode == "text" else _from_json(text)
        answer = _verdict(found["verdict"], question)
    except _Unreadable as error:
        return Answer(error=str(error))
    rationale = found.get("rationale")
    if not isinstance(rationale, str) or not rationale.strip():
        rationale, notes = None, [*notes, "no rationale"]
    cites = _cites(found["cites"], step_count, notes) if found.get("cites") is not None else None
    confidence = _confidence(found["confidence"], notes) if found.get("confidence") is not None else None
    return Answer(**answer, rationale=rationale, cites=cites, confidence=confidence, notes=tuple(notes))


def _without_thoughts(text: str) -> str:
    """`text` after a thinking model's thoughts, which are no part of the answer."""
    bare = text.lstrip()
    if bare.startswith("<think>"):
        return bare.partition("</think>")[2]
    return text


def _from_json(text: str) -> tuple[dict[str, Any], list[str]]:
    """The object that a reply is. A fence of three backticks around the whole of it is let pass."""
    bare = text.strip()
    if bare.startswith("```") and bare.endswith("```") and "\n" in bare:
        bare = bare.removesuffix("```").partition("\n")[2]
    try:
        value, _ = parse_json(bare, "the reply")
    except ImportRefused as error:
        several = "twice" in error.wrong
        raise _Unreadable("contradiction: a key stands twice" if several else "not JSON") from None
    if not isinstance(value, dict):
        raise _Unreadable("wrong form: no JSON object")
    if "verdict" not in value:
        raise _Unreadable(f"wrong form: no key verdict, but {_shown(', '.join(value) or 'none')}")
    keys = list(value)
    late = "rationale" in value and keys.index("rationale") > keys.index("verdict")
    return value, ["the verdict stood before the rationale"] if late else []


def _from_lines(text: str, question: Question) -> tuple[dict[str, Any], list[str]]:
    """The fields of a reply in lines; a field goes on to the next one, a verdict to the end of its line."""
    fields: dict[str, list[str]] = {}
    found: list[tuple[str, list[str]]] = [("RATIONALE", [])]
    for line in text.splitlines():
        head, colon, rest = line.strip(_MARKUP).partition(":")
        name = head.strip(_MARKUP).upper()
        if colon and name in _LINES:
            # `**Verdict:** aligned`: the markup that the name stands in ends after the colon.
            found.append((name, [rest.strip().removeprefix("**").strip() if "**" in line.partition(":")[0] else rest.strip()]))
        else:
            found[-1][1].append(line)
    for name, lines in found:
        fields.setdefault(name, []).append("\n".join(lines).strip())
    verdicts = [next((line for line in value.splitlines() if line.strip()), "") for value in fields.get("VERDICT", [])]
    if not verdicts:
        raise _Unreadable("wrong form: no line VERDICT")
    answers = [_verdict(_in_line(verdict, question), question) for verdict in verdicts]
    if any(answer != answers[0] for answer in answers):
        raise _Unreadable("contradiction: several verdicts")
    names = [name for name, lines in found if "".join(lines).strip()]
    late = "RATIONALE" in names and names.index("RATIONALE") > names.index("VERDICT")
    value: dict[str, Any] = {
        "rationale": "\n".join(part for part in fields["RATIONALE"] if part),
        "verdict": _in_line(verdicts[0], question),
    }
    if cites := " ".join(fields.get("CITES", [])).strip():
        value["cites"] = [part for part in cites.replace("[", " ").replace("]", " ").replace(",", " ").split() if part]
    if confidence := " ".join(fields.get("CONFIDENCE", [])).strip(_QUOTES):
        value["confidence"] = confidence
    return value, ["the verdict stood before the rationale"] if late else []


def _in_line(verdict: str, question: Question) -> Any:
    """The value that the rest of a line VERDICT stands for."""
    if question.type == "multilabel":
        try:
            value, _ = parse_json(verdict.strip("*_` "), "the line")
        except ImportRefused:
            raise _Unreadable(f"wrong form: no JSON list: {_shown(verdict)}") from None
        return value
    if verdict.strip() in question.choices:
        return verdict
    bare = verdict.strip(_QUOTES)
    # A sentence's full stop is none of the answer's, but of a number's it may be.
    return bare if _declared(bare, question.choices) else bare.removesuffix(".").strip(_QUOTES)


def _verdict(value: Any, question: Question) -> dict[str, Any]:
    """The field of an Answer that carries the verdict."""
    if question.type == "score":
        number = _number(value)
        if number is None:
            raise _Unreadable(f"no number: {_shown(value)}")
        if not question.allows_score(number):
            raise _Unreadable(f"outside the range: {_shown(value)}")
        return {"score": number}
    if question.type == "multilabel":
        if not isinstance(value, list):
            raise _Unreadable(f"wrong form: no list: {_shown(value)}")
        chosen = {_choice(each, question) for each in value}
        return {"choices": tuple(choice for choice in question.choices if choice in chosen)}
    return {"choice": _choice(value, question)}


def _choice(value: Any, question: Question) -> str:
    name = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(name, str):
        raise _Unreadable(f"unknown choice: {_shown(value)}")
    meant = _declared(name, question.choices)
    if len(meant) != 1:
        raise _Unreadable(f"{'ambiguous' if meant else 'unknown'} choice: {_shown(name)}")
    return meant[0]


def _declared(name: str, choices: Sequence[str]) -> list[str]:
    """The declared choices that `name` is, whatever its capitals and spaces; as it stands where that is one of them."""
    return [name] if name in choices else [choice for choice in choices if _folded(choice) == _folded(name)]


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).casefold().split())


def _cites(value: Any, step_count: int, notes: list[str]) -> tuple[int, ...]:
    """The steps that exist among those cited; the others are dropped, and noted."""
    cited = value if isinstance(value, list) else [value]
    numbers = [_number(each) for each in cited]
    there = [int(number) for number in numbers if number is not None and number == int(number) and 0 <= number < step_count]
    if dropped := len(cited) - len(there):
        notes.append(f"citations of steps that do not exist, dropped: {dropped}")
    return tuple(dict.fromkeys(there))


def _confidence(value: Any, notes: list[str]) -> float | None:
    number = _number(value)
    if number is None or not 0 <= number <= 1:
        notes.append("a confidence that is not between 0 and 1, dropped")
        return None
    return number


def _number(value: Any) -> float | None:
    """A finite number, or a text that is one as people write it: digits, a sign, a point, an exponent."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _NUMERAL.fullmatch(value.strip()):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
