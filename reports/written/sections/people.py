"""The human side: annotators among themselves, against the rest, again, and over time; and the judge as one more of them."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.written import phrases
from reports.written.content import Block, Column, Row, Section, Table, strong, text
from reports.written.first_page import pair_name
from reports.written.numerals import NOTHING, figure
from reports.written.sections.agreed import pairs_table
from reports.written.subjects import Subject

Json = Mapping[str, Any]


def humans(documents: Json, subjects: list[Subject], names: Mapping[str, str]) -> Section | None:
    """The section; None where nobody labelled."""
    if not documents["about"]["people"]:
        return None
    questions = [question for question in documents["humans"]["questions"] if question["annotators"]]
    blocks: list[Block] = []
    for question in questions:
        if len(questions) > 1:
            blocks.append(text(strong(question["id"])))
        blocks += _among(question, names)
        if question["alpha"]["n"]:
            judged = {subject.name for subject in subjects}
            blocks += [_one_more(judge, question["type"]) for judge in question["judges"] if judge["judge"] in judged]
        blocks += _retest(question["retest"], names)
        blocks += _tired(question["fatigue"])
    blocks += _times(documents["humans"]["times"], names)
    return Section("The human side", tuple(blocks)) if blocks else None


def _among(question: Json, names: Mapping[str, str]) -> list[Block]:
    alpha = question["alpha"]
    level = alpha["method"].partition(",")[0]
    if alpha["value"] is None:
        blocks: list[Block] = [text(f"Krippendorff’s alpha ({level}) is undefined: {alpha['reason']}.")]
    else:
        told = f"Krippendorff’s alpha ({level}) is {figure(alpha)}, over {phrases.items(alpha['n'])} with two or more labels."
        told += f" It has no interval: {alpha['reason']}." if alpha["reason"] else ""
        told += " Preliminary: fewer than 30 items." if 0 < alpha["n"] < 30 else ""
        blocks = [text(told)]
    if question["pairs"]:
        who = [pair_name(pair, names) for pair in question["pairs"]]
        about = "Annotators among themselves; sensitivity and specificity hold the second against the first."
        blocks.append(pairs_table(question["pairs"], who, about))
    if len(question["against_rest"]) > 2:
        who = [names.get(each["annotator"], each["annotator"]) for each in question["against_rest"]]
        blocks.append(pairs_table(question["against_rest"], who, "Each annotator against the majority of the others."))
    return blocks


def _one_more(judge: Json, type_: str) -> Block:
    """Whether the judge is as good as one more human, in the words of its own document; of ordered choices with linear weights."""
    found = judge.get("linear", judge)
    told = f"Is {judge['judge']} as good as one more human? {found['words']}"
    if found["difference"]["value"] is not None:
        name = {"score": "rho", "ordinal": "kappa, linearly weighted,"}.get(type_, "kappa")
        told += (
            f" (Mean {name} {figure(found['judge_human'])} with single annotators, {figure(found['human_human'])} of these with "
            f"each other, difference {figure(found['difference'])}, on the same {phrases.items(found['difference']['n'])}.)"
        )
    return text(told)


def _retest(retest: Json, names: Mapping[str, str]) -> list[Block]:
    if retest["together"] is None:
        return []
    who = ["all together", *(names.get(each["annotator"], each["annotator"]) for each in retest["annotators"])]
    about = "The same annotator a second time, blind and unannounced: first labels against second ones."
    return [pairs_table([retest["together"], *retest["annotators"]], who, about)]


def _tired(fatigue: Json) -> list[Block]:
    together = fatigue["together"]
    if together is None or together["difference"]["value"] is None:
        return []
    return [
        text(
            f"Over a session: agreement with the rest is {figure(together['first_third'])} in its first third and "
            f"{figure(together['last_third'])} in its last, difference {figure(together['difference'])} "
            f"({amount(together['sessions'], 'session', form=',')} of nine items or more)."
        )
    ]


def _times(times: Json, names: Mapping[str, str]) -> list[Block]:
    if times["reason"] or not times["annotators"]:
        return []
    rows = [
        Row(
            (
                (names.get(each["annotator"], each["annotator"]),),
                (f"{each['items']:,}",),
                (_seconds(each["median"]),),
                (_seconds(each["lower_quartile"]),),
                (_seconds(each["upper_quartile"]),),
            )
        )
        for each in times["annotators"]
    ]
    columns = (
        Column("annotator", width=2), Column("items", True), Column("median", True), Column("lower quartile", True),
        Column("upper quartile", True),
    )  # fmt: skip
    return [Table(columns, tuple(rows), "Active seconds at an item.")]


def _seconds(estimate: Json) -> str:
    return NOTHING if estimate["value"] is None else f"{estimate['value']:.0f}"
