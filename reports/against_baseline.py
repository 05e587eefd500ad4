"""Does an LLM judge add anything to counting words? A judge beside the baseline on the same items, and what that means.

Judged by the paired 95 % interval of the kappa difference (module `comparing`): only one that lies above 0 shows that the
judge is better. The baseline's verdict on an item never comes from a model that was taught by the item, or by its group.
"""

from collections.abc import Mapping
from typing import Any

from data.tallies import JointTally
from data.wording import amount, two_places
from reports.comparison_document import comparison_document, quoted

Json = Mapping[str, Any]
Document = dict[str, Any]

BETTER, NOT_SHOWN, WORSE, UNDEFINED = "better", "not shown to be better", "worse", "undefined"


def against_baseline(type_: str, joint: JointTally) -> Document:
    """The second run of `joint` beside the first, which is a baseline; `type_`: `binary`, `nominal` or `ordinal`."""
    pair = comparison_document(type_, joint)
    table = quoted(pair["tables"][0])
    document = {"baseline": pair["first"].removeprefix("judge:"), "run": pair["second"].removeprefix("judge:")}
    document |= {key: pair[key] for key in ("excluded", "design", "weighted", "groups", "splits", "selected") if key in pair}
    figures = {"kappa_baseline": table["kappa_first"], "kappa": table["kappa_second"], "difference": table["difference"]}
    found = document | {
        "n": table["n"],
        "weights": pair["tables"][0]["weights"],
        **figures,
        "conclusion": _conclusion(table["difference"]),
    }
    return found | {"said": in_words(found)}


def _conclusion(difference: Json) -> str:
    if difference["low"] is None or difference["high"] is None:
        return UNDEFINED
    return BETTER if difference["low"] > 0 else WORSE if difference["high"] < 0 else NOT_SHOWN


def in_words(found: Json) -> str:
    """What it means, in a few sentences."""
    run, baseline, difference = found["run"], found["baseline"], found["difference"]
    if found["conclusion"] == UNDEFINED:
        return f"Whether {run} is better than {baseline} is undefined: {difference['reason']}."
    one, two = (two_places(found[key]["value"]) for key in ("kappa", "kappa_baseline"))
    kappa = "linearly weighted kappa" if found["weights"] == "linear" else "kappa"
    interval = f"{two_places(difference['value'])} [{two_places(difference['low'])}, {two_places(difference['high'])}]"
    figures = f"({kappa} {one} against {two}, difference {interval}, {amount(found['n'], 'item', form=',')})"
    what = f"{baseline}, which only counts words and learned from labels of this study"
    if found["conclusion"] == BETTER:
        return f"{run} agrees with the humans better than {what} {figures}."
    means = (
        "An LLM that is no better than counting words adds nothing to it here: the words give the answer away, or the judge "
        "misses what the humans see."
    )
    if found["conclusion"] == WORSE:
        return f"{run} agrees with the humans less well than {what} {figures}. {means}"
    return f"{run} is not shown to agree with the humans better than {what} {figures}. {means} More labels may tell."
