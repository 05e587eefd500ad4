"""Checks of single fields, with the refusal that names what was found."""

import difflib
from collections.abc import Iterable
from typing import Any, NoReturn

from data.errors import ImportRefused


def shown(value: Any) -> str:
    """`value` for a message: its repr, cut short."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def refuse(wrong: str, found: str, do: str) -> NoReturn:
    raise ImportRefused(wrong, found, do)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`Did you mean 'x'? ` with the nearest of `known`, whatever its case; empty where none is near."""
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return f"Did you mean {folded[near[0]]!r}? " if near else ""


def check_keys(value: dict[str, Any], known: Iterable[str], what: str) -> None:
    """Refuses a key that `what` cannot have, naming the nearest that it can."""
    known = list(known)
    for key in value:
        if key not in known:
            refuse(
                f"{what} has a key that is not known.",
                f"Found {key!r}; it can have: {', '.join(known)}.",
                f"{did_you_mean(key, known)}Rename it, or move it into the line's metadata.",
            )


def check_misspelt(message: dict[str, Any], read: tuple[str, ...], what: str) -> None:
    """Refuses a key that is all but one of those that are read: what stands under it would be lost without a word."""
    for key, value in message.items():
        if value is not None and key not in read:
            near = difflib.get_close_matches(key.casefold(), read, n=1, cutoff=0.88)
            if near:
                refuse(f"{what} has a key that is not known.", f"Found {key!r}.", f"Did you mean {near[0]!r}? Rename it.")


def text_or_none(value: dict[str, Any], key: str, what: str) -> str | None:
    """The text under `key`; None where it is absent or null."""
    found = value.get(key)
    if found is None or isinstance(found, str):
        return found
    refuse(f"{what}: `{key}` must be a text.", f"Found {shown(found)}.", "Put it into quotation marks.")


def object_of(value: Any, what: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    refuse(f"{what} must be an object.", f"Found {shown(value)}.", "Write it as {…} with its keys.")


def list_of(value: Any, what: str) -> list[Any]:
    if isinstance(value, list):
        return value
    refuse(f"{what} must be a list.", f"Found {shown(value)}.", "Write it as […].")


def identity(value: Any, what: str) -> str:
    """An id: a text that is not empty, or a whole number, as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value
    refuse(f"{what} must be a text or a whole number.", f"Found {shown(value)}.", "Give each its source's own id.")


MOST_NAME = 200


def name_of(value: Any, what: str) -> str:
    """The name of an annotator or a judge run: an id that can be shown on one line."""
    name = identity(value, what)
    if name != name.strip() or not name.isprintable() or len(name) > MOST_NAME:
        refuse(
            f"{what} cannot be shown.",
            f"Found {shown(name)}.",
            f"Use at most {MOST_NAME} printable characters, no blanks at the ends.",
        )
    return name


def confidence_of(value: Any, what: str) -> float | None:
    """A share between 0 and 1, or None."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value) + 0.0  # no minus zero, as of a score
    refuse(f"{what}: `confidence` must lie between 0 and 1.", f"Found {shown(value)}.", "Rescale it, or leave it out.")


def positions_of(value: Any, key: str, what: str) -> list[int | str] | None:
    """Step positions or step ids, or None where the key is absent; whether they exist is checked with the steps."""
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(item, int | str) and not isinstance(item, bool) for item in value):
        return value
    refuse(
        f"{what}: `{key}` must be a list of step positions.",
        f"Found {shown(value)}.",
        "Count steps from 0, or use the steps' own ids.",
    )


def whole_number(value: Any, key: str, what: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
        return value
    refuse(f"{what}: `{key}` must be a whole number from 0.", f"Found {shown(value)}.", "Count repeats from 0.")


OUTCOMES = (
    *("reward", "rewards", "total_reward", "average_reward", "cum_reward", "reward_info", "reward_explanation"),
    *("score", "scores", "eval_scores", "auto_scores", "grade", "success", "outcome", "result", "resolved", "passed", "correct"),
    *("verdict", "verdicts", "judge", "judge_output", "judgment", "judgments", "judgement", "judgements", "review", "rationale"),
    *("label", "labels", "target", "annotation", "annotations", "mast_annotation", "choice", "choices", "highlights"),
    *("risk", "risk_score", "risk_score_total", "risk_level", "risk_type", "risk_trajectory", "risk_description"),
    *("failure_mode", "ambiguous", "behavior_class", "ttf", "termination_signal", "normalized_termination_signal"),
    *("supervised_choice", "better_choice", "collective_outcome", "summary_info"),
)
"""Fields of the public formats that tell how a run came out. Formats that take any field hide these."""


def gives_away(key: str, value: Any, giveaways: frozenset[str]) -> bool:
    """Whether the field `key`, or any field within its value, is one of `giveaways` (in lower case)."""
    if key.strip().casefold() in giveaways:
        return True
    if isinstance(value, dict):
        return any(gives_away(inner, part, giveaways) for inner, part in value.items())
    return isinstance(value, list) and any(gives_away("", part, giveaways) for part in value if isinstance(part, dict | list))
