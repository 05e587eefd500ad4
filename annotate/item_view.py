"""What an annotator is shown of an item: the steps by kind, with the study's redactions made."""

import json
from typing import Any

from annotate.serving import Serving
from data.redaction import Redaction, as_text, numbered
from data.store import BlindStore
from data.study import BlindRules


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
        **visible(redaction_by(serving.study.blind), task, json.loads(metadata), json.loads(steps)),
        "draft": None if draft is None else json.loads(draft[0]),
    }


def redaction_by(rules: BlindRules) -> Redaction:
    """What annotators are kept from seeing."""
    return Redaction(rules.reasoning, rules.redact)


def visible(redact: Redaction, task: str | None, metadata: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    """All that an annotator sees of a trajectory, of which `metadata` are the shown fields alone."""
    return {
        "task": redact.value(task),
        "metadata": [[key, redact.value(as_text(value))] for key, value in metadata.items() if value is not None],
        "steps": [redact.step(step) for step in numbered(steps)],
    }
