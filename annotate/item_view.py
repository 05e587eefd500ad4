"""What an annotator is shown of an item: the steps by kind, with the study's redactions made.

A redaction and a hidden reasoning leave a visible mark, and no step changes its place: evidence
points at positions.
"""

import json
import re
from typing import Any

from annotate.serving import Serving
from data.store import BlindStore
from data.study import BlindRules

REDACTED = "▮▮▮"
HIDDEN_REASONING = "▮▮▮ reasoning is not shown in this study"
_SHOWN_KEYS = ("kind", "speaker", "text", "tool", "arguments", "call", "error", "session")
_NUMBERED_KEYS = ("call", "session")
_FIXED_KEYS = ("kind", *_NUMBERED_KEYS)


def item_for(serving: Serving, blind: BlindStore, ref: str) -> dict[str, Any] | None:
    """The item `ref` as JSON for the desk; None where this annotator does not hold it."""
    row = blind.row("SELECT shown, task, steps, metadata FROM my_item WHERE ref = ?", [ref])
    if row is None:
        return None
    shown, task, steps, metadata = row
    draft = blind.row("SELECT document FROM my_draft WHERE ref = ?", [ref])
    return {
        "ref": ref,
        "item_hash": shown,
        **visible(Redaction(serving.study.blind), task, json.loads(metadata), json.loads(steps)),
        "draft": None if draft is None else json.loads(draft[0]),
    }


def visible(redact: "Redaction", task: str | None, metadata: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    """All that an annotator sees of a trajectory, of which `metadata` are the shown fields alone."""
    return {
        "task": redact.value(task),
        "metadata": [[key, redact.value(_text(value))] for key, value in metadata.items() if value is not None],
        "steps": [redact.step(step) for step in numbered(steps)],
    }


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


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Redaction:
    """Applies a study's `[blind]` rules to what would be shown."""

    def __init__(self, rules: BlindRules) -> None:
        self.hide_reasoning = rules.reasoning == "hidden"
        # One by one: a pattern may begin with flags of its own, which cannot be joined into another.
        self.patterns = [re.compile(pattern) for pattern in rules.redact]

    def step(self, step: dict[str, Any]) -> dict[str, Any]:
        shown = {key: step[key] for key in _SHOWN_KEYS if key in step}
        if self.hide_reasoning and step["kind"] == "reasoning":
            shown["text"] = HIDDEN_REASONING
            return shown
        if self.patterns:
            shown = {key: value if key in _FIXED_KEYS else self.value(value) for key, value in shown.items()}
        # As text: a browser's own numbers and objects would round long numbers and sort keys that look like numbers.
        return shown | {"arguments": _text(shown["arguments"])} if "arguments" in shown else shown

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
