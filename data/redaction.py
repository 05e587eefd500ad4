"""What a study blanks in a trajectory before anybody, human or judge, is shown it.

A redaction and a hidden reasoning leave a visible mark, and no step changes its place: evidence points at positions.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

REDACTED = "▮▮▮"
HIDDEN_REASONING = "▮▮▮ reasoning is not shown in this study"
_SHOWN_KEYS = ("kind", "speaker", "text", "tool", "arguments", "call", "error", "session")
_NUMBERED_KEYS = ("call", "session")
_FIXED_KEYS = ("kind", *_NUMBERED_KEYS)


def numbered(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps with small numbers in the place of the source's own ids of calls and sessions.

    What the source calls them is nobody's business here: call ids name a provider, sessions an experiment.
    """
    numbers: dict[str, dict[str, str]] = {key: {} for key in _NUMBERED_KEYS}
    for step in steps:
        for key, known in numbers.items():
            if key in step:
                step[key] = known.setdefault(step[key], str(len(known) + 1))
    return steps


def as_text(value: Any) -> str:
    """A metadata value or a call's arguments as text: what is no text already, as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Redaction:
    """Applies a study's rules to what would be shown."""

    def __init__(self, reasoning: str, patterns: Sequence[str]) -> None:
        """`reasoning`: `shown` or `hidden`; `patterns`: regular expressions, each of which compiles."""
        self.hide_reasoning = reasoning == "hidden"
        # One by one: a pattern may begin with flags of its own, which cannot be joined into another.
        self.patterns = [re.compile(pattern) for pattern in patterns]

    def step(self, step: dict[str, Any]) -> dict[str, Any]:
        shown = {key: step[key] for key in _SHOWN_KEYS if key in step}
        if self.hide_reasoning and step["kind"] == "reasoning":
            shown["text"] = HIDDEN_REASONING
            return shown
        if self.patterns:
            shown = {key: value if key in _FIXED_KEYS else self.value(value) for key, value in shown.items()}
        # As text: a browser's own numbers and objects would round long numbers and sort keys that look like numbers.
        return shown | {"arguments": as_text(shown["arguments"])} if "arguments" in shown else shown

    def value(self, value: Any) -> Any:
        """`value` with every match in every text, also in keys, blanked."""
        if not self.patterns:
            return value
        if isinstance(value, str):
            for pattern in self.patterns:
                value = pattern.sub(REDACTED, value)
            return value
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        return value
