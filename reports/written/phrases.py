"""Figures as parts of sentences. A sentence says no more than its interval does."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.document import FEW_GROUPS, FEW_ITEMS, MANY_MISSING, SELECTED
from reports.written.numerals import figure, has_interval, in_letters, joined
from reports.written.subjects import Subject, headline

Json = Mapping[str, Any]

POOR_BELOW = 0.40
"""A kappa whose whole interval lies below this is called poor (the lowest class of Fleiss, Levin and Paik 2003)."""
NOT_USABLE = "this evidence its verdicts cannot stand for human labels."
LEFT_OUT = {
    "missing": "without a verdict",
    "skipped": "skipped",
    "unsure": "on which annotators were unsure",
    "tie": "on which annotators tied",
    "error": "with an unreadable verdict",
}
PRELIMINARY = {
    FEW_ITEMS: "fewer than 30 items",
    FEW_GROUPS: "fewer than 10 groups of items",
    SELECTED: "only dev items count, and the prompt, which was revised in this study, was selected on these items",
    MANY_MISSING: "more than 10 % of a stratum’s drawn items are not labelled",
}


def people(count: int) -> str:
    """`Two annotators`, at the beginning of a sentence."""
    told = f"{in_letters(count)} {'annotator' if count == 1 else 'annotators'}"
    return told[0].upper() + told[1:]


def items(count: int) -> str:
    return amount(count, "item", form=",")


def left_out(pair: Json) -> str:
    """`6 items on which annotators tied and 1 item with an unreadable verdict`; empty where nothing was left out."""
    return joined([f"{items(count)} {LEFT_OUT.get(why, why)}" for why, count in pair["excluded"].items() if count])


def preliminary(marks: list[str]) -> str:
    """Why figures are preliminary; empty where they are not."""
    return joined([PRELIMINARY[mark] for mark in marks if mark in PRELIMINARY])


def failing(kappa: Json) -> str:
    """A sentence on a kappa that shows no usable agreement; empty for any other, and for one without an interval."""
    if not has_interval(kappa):
        return ""
    if kappa["high"] < 0:
        return f"The judge agrees with the humans less than chance would: on {NOT_USABLE}"
    if kappa["low"] <= 0:
        return f"Agreement beyond chance is not shown, for the interval includes 0: on {NOT_USABLE}"
    if kappa["high"] < POOR_BELOW:
        return f"Agreement is poor: the whole interval lies below {POOR_BELOW:.2f}. On {NOT_USABLE}"
    return ""


def failing_choices(kappas: Mapping[str, Json]) -> str:
    """The same of several choices, each with a kappa of its own; empty where none fails."""
    there = {name: kappa for name, kappa in kappas.items() if has_interval(kappa)}
    chance = [f"“{name}”" for name, kappa in there.items() if kappa["low"] <= 0]
    poor = [f"“{name}”" for name, kappa in there.items() if kappa["low"] > 0 and kappa["high"] < POOR_BELOW]
    said = []
    if chance:
        whose = "whose interval reaches" if len(chance) == 1 else "whose intervals reach"
        said.append(f"agreement beyond chance is not shown on {joined(chance)}, {whose} to 0 or below")
    if poor:
        whose = "whose whole interval lies" if len(poor) == 1 else "whose whole intervals lie"
        said.append(f"agreement is poor on {joined(poor)}, {whose} below {POOR_BELOW:.2f}")
    if not said:
        return ""
    told = "; ".join(said)
    those = "these" if len(chance) + len(poor) > 1 else "this"
    return f"{told[0].upper()}{told[1:]}: on this evidence its verdicts on {those} cannot stand for human labels."


def failing_scores(pair: Json, threshold: float | None) -> str:
    """The same of scores, by their rank correlation, else by kappa at the threshold; empty where neither fails."""
    if has_interval(pair["spearman"]) and pair["spearman"]["low"] <= 0:
        return f"That the judge ranks as the humans do is not shown, for the interval reaches to 0 or below: on {NOT_USABLE}"
    if "at_threshold" not in pair or threshold is None:
        return ""
    at = pair["at_threshold"]
    kappa = headline(at, at.get("headline") == "strict")
    why = failing(kappa)
    return f"At the threshold of {threshold:g} kappa is {figure(kappa)}. {why}" if why else ""


def share_of(share: float) -> str:
    """A share of many in words, to the nearest handy fraction."""
    if share in (0, 1):
        return "none" if share == 0 else "all"
    steps = (
        (0.035, "hardly any"), (0.058, "about one in twenty"), (0.08, "about one in fifteen"), (0.115, "about one in ten"),
        (0.134, "about one in eight"), (0.155, "about one in seven"), (0.183, "about one in six"), (0.225, "about one in five"),
        (0.29, "about a quarter"), (0.37, "about a third"), (0.445, "about four in ten"), (0.485, "nearly half"),
        (0.515, "about half"),
        (0.55, "more than half"), (0.63, "about six in ten"), (0.71, "about two thirds"), (0.78, "about three quarters"),
        (0.817, "about four fifths"), (0.845, "about five in six"), (0.866, "about six in seven"), (0.887, "about seven in eight"),
        (0.92, "about nine in ten"), (0.965, "most"),
    )  # fmt: skip
    return next((said for up_to, said in steps if share <= up_to), "nearly all")


def misses_and_invents(subject: Subject) -> str:
    """What sensitivity and specificity mean, with both figures; empty where the question has no positive choice."""
    pair = subject.consensus
    if pair is None or "sensitivity" not in pair:
        return ""
    found, clean = (
        pair.get("sensitivity_strict", pair["sensitivity"]) if subject.strict else pair["sensitivity"],
        pair["specificity"],
    )
    sought = f"“{subject.positive}”"
    figures = f"sensitivity {figure(found)}, specificity {figure(clean)}"
    parts = []
    if found["value"] is None:
        parts.append(f"No item is {sought} to the humans, so how many of those the judge misses is undefined")
    else:
        parts.append(f"The judge misses {share_of(1 - found['value'])} of the runs that humans call {sought}")
    if clean["value"] is None:
        parts.append(f"every item is {sought} to the humans, so how many it invents is undefined")
    else:
        parts.append(f"wrongly sees it in {share_of(1 - clean['value'])} of the others")
    return f"{joined(parts)} ({figures})."


def as_well_as_humans(beside: Json, name: str = "kappa") -> str:
    """Judge against single humans beside humans among themselves, by the answer of `reports/one_more_human.py`."""
    judge, humans, difference = beside["judge_human"], beside["human_human"], beside["difference"]
    if difference["value"] is None:
        return ""
    apart = f"({name} {figure(judge)} against {figure(humans)}; difference {figure(difference)})"
    begun = "The judge agrees with single annotators"
    if beside["answer"] == "as good":
        return f"{begun} as well as they agree with each other, to within 0.10 {apart}."
    if beside["answer"] in ("better", "worse"):
        how = "better" if beside["answer"] == "better" else "less well"
        return f"{begun} {how} than they agree with each other {apart}."
    return (
        f"These labels do not tell whether the judge agrees with single annotators as well as they agree with each other {apart}."
    )
