"""Two judge runs compared, as one JSON document, and what it says in a sentence."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from data.tallies import JointTally
from data.wording import amount, two_places
from reports.comparing import MCNEMAR_ASKS, MCNEMAR_TAKES, Comparison, compare
from reports.document import SELECTED_SAID, STRICT_HEADLINE_ABOVE, selected_on
from reports.estimate import Estimate
from reports.joint import Joint

Document = dict[str, Any]
Json = Mapping[str, Any]

NO_THRESHOLD = "two rank correlations on the same items have no interval for their difference here: declare a threshold to compare"


def comparison_document(type_: str, joint: JointTally) -> Document:
    """One pair of runs: what was left out, and a table for each table of the question (labels, threshold).

    A table has `comparison` and, in words, `said`; where verdicts are unreadable `comparison_strict`; and for an
    ordinal question, where these have linear weights, the same with `_unweighted`. `headline` tells which to quote.
    """
    tables = {"": joint}
    if type_ == "multilabel":
        tables = dict(joint.by_label)
    elif type_ == "score":
        tables = {"at the threshold": joint.at_threshold} if joint.at_threshold else {}
    listed = [_table(title, type_, table) for title, table in tables.items()] or [_no_table()]
    names = (joint.first.removeprefix("judge:"), joint.second.removeprefix("judge:"))
    return {
        "rows": joint.rows,
        "first": joint.first,
        "second": joint.second,
        "excluded": asdict(joint.excluded),
        "design": joint.design,
        "weighted": any(table.weighted for table in tables.values()),
        "groups": joint.groups,
        **selected_on(joint.selected),
        "tables": [table | {"said": in_words(*names, table) + (SELECTED_SAID if joint.selected else "")} for table in listed],
    }


def _no_table() -> Document:
    return {"title": "", "headline": "readable", "comparison": {"difference": Estimate.undefined(0, "", NO_THRESHOLD).as_json()}}


def _table(title: str, type_: str, joint: JointTally) -> Document:
    main = compare(Joint.readable(joint), "linear" if type_ == "ordinal" else "unweighted")
    document: Document = {
        "title": title,
        "headline": "readable",
        "weights": main.weights,
        "counts": joint.counts,
        "comparison": main.as_json(),
    }
    if type_ == "ordinal":
        document["comparison_unweighted"] = compare(Joint.readable(joint)).as_json()
    if joint.excluded.error:
        document["headline"] = _headline(Joint.strict(joint))
        document["comparison_strict"] = compare(Joint.strict(joint), main.weights).as_json()
        if type_ == "ordinal":
            document["comparison_unweighted_strict"] = compare(Joint.strict(joint)).as_json()
    return document | {"mcnemar_says": _mcnemar_says(main)}


def _headline(strict: Joint) -> str:
    """Strict where more than 2 % of either judge's verdicts are unreadable, of the frame where the items are weighted."""
    for which in (0, 1):
        table = strict.judge(which).population()
        if sum(row[-1] for row in table) > STRICT_HEADLINE_ABOVE * sum(map(sum, table)):
            return "strict"
    return "readable"


def _mcnemar_says(comparison: Comparison) -> str:
    return MCNEMAR_ASKS if comparison.independent else f"{MCNEMAR_ASKS} {MCNEMAR_TAKES}"


def quoted(table: Json) -> Json:
    """The comparison that a table asks to be quoted."""
    comparison: Json = table["comparison_strict" if table["headline"] == "strict" else "comparison"]
    return comparison


def in_words(first: str, second: str, table: Json) -> str:
    """What a table says, in a sentence or two; `first` and `second` name the runs."""
    comparison = quoted(table)
    difference = comparison["difference"]
    if difference["value"] is None:
        return f"Undefined: {difference['reason']}."
    items = amount(comparison["n"], "item", form=",")
    if comparison["identical"]:
        return f"No verdict differs between {first} and {second} on {items}."
    one, two = (two_places(comparison[side]["value"]) for side in ("kappa_first", "kappa_second"))
    kappas = f"kappa {two} of {second} against {one} of {first}"
    differ = f"They differ on {comparison['differing']:,} of {items}."
    if difference["low"] is None:
        return f"{kappas[0].upper()}{kappas[1:]}; no interval: {difference['reason']}. {differ}"
    interval = f"95 % interval of the difference {two_places(difference['low'])} to {two_places(difference['high'])}"
    if difference["low"] <= 0 <= difference["high"]:
        return f"Which of the two agrees better with the humans cannot be told: {kappas}, {interval}. {differ}"
    better, worse = (second, first) if difference["low"] > 0 else (first, second)
    return f"{better} agrees better with the humans than {worse}: {kappas}, {interval}. {differ}"
