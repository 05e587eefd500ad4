"""Does an LLM judge add anything to counting words? A judge beside the baseline on the same items, and what that means.

Judged by the paired 95 % interval of the kappa difference (module `comparing`), of several choices that of their mean kappa, of
scores that of Spearman's rho (module `shared_figures`): only one that lies above 0 shows that the judge is better.
The baseline's verdict on an item never comes from a model that was taught by the item, or by its group.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from data.human_tallies import Bools
from data.shared_items import SharedItems
from data.tallies import JointTally
from data.wording import amount, two_places
from reports.comparison_document import comparison_document, quoted
from reports.document import STRICT_HEADLINE_ABOVE, selected_on
from reports.shared_figures import Figure, paired

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


def figure_against_baseline(joint: JointTally, items: SharedItems, figure_of: Callable[[SharedItems], Figure]) -> Document:
    """The same of several choices and of scores: `items` of the two runs of `joint`, beside each other by `figure_of` them.

    Unreadable verdicts are left out, or agree with nothing where they are more than 2 % of the frame, as everywhere.
    """
    unreadable: Bools = np.asarray((items.verdicts < 0).any(axis=0), dtype=bool)
    few = float(items.weights[unreadable].sum()) <= STRICT_HEADLINE_ABOVE * float(items.weights.sum())
    counted = items.only(~unreadable) if few else items
    # Which labels there are to average over is a matter of the items that are left.
    pair = paired(counted, figure_of(counted))
    names = [run.removeprefix("judge:") for run in (joint.first, joint.second)]
    key = "spearman" if joint.by_label == {} else "kappa"
    found = {
        "baseline": names[0],
        "run": names[1],
        "excluded": asdict(joint.excluded),
        "design": joint.design,
        "weighted": len(set(items.weights.tolist())) > 1,
        "groups": joint.groups,
        **selected_on(joint.selected),
        "n": pair.n,
        "figure": pair.figure,
        "unreadable_counted": 0 if few else int(unreadable.sum()),
        f"{key}_baseline": pair.first.as_json(),
        key: pair.second.as_json(),
        "difference": pair.difference.as_json(),
        "conclusion": _conclusion(pair.difference.as_json()),
    }
    return found | {"said": in_words(found)}


def sides(found: Json) -> tuple[Json, Json]:
    """The figure of the run, and that of the baseline."""
    key = "kappa" if "kappa" in found else "spearman"
    return found[key], found[f"{key}_baseline"]


def _conclusion(difference: Json) -> str:
    if difference["low"] is None or difference["high"] is None:
        return NOT_SHOWN if difference["value"] == 0 else UNDEFINED
    return BETTER if difference["low"] > 0 else WORSE if difference["high"] < 0 else NOT_SHOWN


def in_words(found: Json) -> str:
    """What it means, in a few sentences."""
    run, baseline, difference = found["run"], found["baseline"], found["difference"]
    if found["conclusion"] == UNDEFINED:
        return f"Whether {run} is better than {baseline} is undefined: {difference['reason']}."
    one, two = (two_places(side["value"]) for side in sides(found))
    kappa = found.get("figure") or ("linearly weighted kappa" if found["weights"] == "linear" else "kappa")
    ends = "" if difference["low"] is None else f" [{two_places(difference['low'])}, {two_places(difference['high'])}]"
    interval = f"{two_places(difference['value'])}{ends}"
    figures = f"({kappa} {one} against {two}, difference {interval}, {amount(found['n'], 'item', form=',')})"
    what = f"{baseline}, which only counts words and learned from labels of this study"
    if counted := found.get("unreadable_counted", 0):
        taken = "the score that is farthest from the humans’" if "spearman" in found else "a disagreement"
        figures = f"{figures[:-1]}, of them {counted:,} with an unreadable verdict, taken for {taken})"
    if found["conclusion"] == BETTER:
        return f"{run} agrees with the humans better than {what} {figures}."
    means = (
        "An LLM that is no better than counting words adds nothing to it here: the words give the answer away, or the judge "
        "misses what the humans see."
    )
    if found["conclusion"] == WORSE:
        return f"{run} agrees with the humans less well than {what} {figures}. {means}"
    return f"{run} is not shown to agree with the humans better than {what} {figures}. {means} More labels may tell."
