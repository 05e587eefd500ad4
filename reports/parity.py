"""View parity: whether a judge was shown what the annotators were shown. Where it was not, some disagreement comes from that."""

from collections.abc import Mapping, Sequence
from typing import Any

from data.wording import amount, quoted

Json = Mapping[str, Any]
COMPARED = ("reasoning", "show", "redact")
"""What blind rules and a judge's view both declare."""


def parity_of(run: Json, views: Sequence[Json]) -> list[dict[str, Any]] | None:
    """By what annotators could see: how many labels were given under it, and how what the judge saw differs, a clause each.

    `run`: a document with `kind` and `evidence_view`; `views`: documents with `rules` and `labels`. None where nobody knows
    what the judge saw; empty where no label tells what annotators saw.
    """
    view = run["evidence_view"]
    if run["kind"] == "imported" or any(key not in view for key in COMPARED):
        return None
    return [{"labels": each["labels"], "differs": differences(view, each["rules"])} for each in views]


def differences(view: Json, rules: Json) -> list[str]:
    """What the judge (`view`) and annotators (blind `rules`) were not shown alike, a clause each; empty where all was the same."""
    found = []
    if view["reasoning"] != rules["reasoning"]:
        judge_alone = view["reasoning"] == "shown"
        found.append(f"the agent’s reasoning was shown to {'the judge' if judge_alone else 'annotators'} alone")
    found += _fields([field for field in view["show"] if field not in rules["show"]], "the judge")
    found += _fields([field for field in rules["show"] if field not in view["show"]], "annotators")
    found += _blanked([pattern for pattern in view["redact"] if pattern not in rules["redact"]], "the judge")
    found += _blanked([pattern for pattern in rules["redact"] if pattern not in view["redact"]], "annotators")
    if (results := view.get("results")) is not None:
        found.append(f"of tool results longer than {amount(results, 'character', form=',')} the middle was cut for the judge alone")
    if (total := view.get("total")) is not None:
        found.append(f"what was longer than {amount(total, 'character', form=',')} in all was shortened for the judge alone")
    return found


def _fields(fields: Sequence[str], who: str) -> list[str]:
    return [f"the metadata {quoted(fields)} {'was' if len(fields) == 1 else 'were'} shown to {who} alone"] if fields else []


def _blanked(patterns: Sequence[str], who: str) -> list[str]:
    return [f"text that matches {quoted(patterns)} was blanked for {who} alone"] if patterns else []
