"""Whether annotators and judge point at the same steps."""

from collections.abc import Mapping
from typing import Any

from reports.written import phrases
from reports.written.content import Block, Column, Points, Row, Section, Table, note, strong, text
from reports.written.first_page import rater_name
from reports.written.numerals import NOTHING, figure, joined

Json = Mapping[str, Any]

FIGURES = {
    "first_failure": "same first failing step",
    "first_failure_within_1": "at most one step apart",
    "evidence_overlap": "overlap of steps",
    "step_precision": "precision",
    "step_recall": "recall",
}
EACH = "human:each"


def steps(documents: Json, names: Mapping[str, str]) -> Section | None:
    """The section; None where no question has marked steps."""
    asked = documents["steps"]["questions"]
    questions = [question for question in asked if question["pairs"] or "human_human" in question]
    blocks: list[Block] = []
    for question in questions:
        if len(questions) > 1:
            blocks.append(text(strong(question["id"])))
        blocks += _question(question, names)
    if not blocks:
        return None
    about = (
        "Overlap is the mean share of the marked steps that both marked; precision the share of the judge’s cited steps that "
        "humans marked, recall the share of the humans’ steps that the judge cites. n counts the items that a figure rests on."
    )
    return Section("Do they point at the same steps?", (*blocks, note(about)))


def _question(question: Json, names: Mapping[str, str]) -> list[Block]:
    pairs = [(_name(pair, names), pair) for pair in question["pairs"]]
    pairs += [("annotators with each other", question["human_human"])] if "human_human" in question else []
    keys = [key for key in FIGURES if any(key in pair for _, pair in pairs)]
    rows = [
        Row(((name,), (f"{pair['items']:,}",), *((_told(pair[key]) if key in pair else NOTHING,) for key in keys)))
        for name, pair in pairs
    ]
    columns = (Column("who", width=2), Column("items", True), *(Column(FIGURES[key]) for key in keys))
    blocks: list[Block] = [Table(columns, tuple(rows), "Steps that annotators marked beside those that the judge cites.")]
    remarks = [f"{name}: preliminary, {why}." for name, pair in pairs if (why := phrases.preliminary(pair["marks"]))]
    remarks += [
        f"{FIGURES[key]} is undefined: {pair[key]['reason']}." for _, pair in pairs for key in keys if _undefined(pair, key)
    ]
    silent = sorted({names.get(each, each) for _, pair in pairs for each in pair.get("unmarking", [])})
    remarks += [f"Without a marked step on any item, and left out: {joined(silent)}."] if silent else []
    if remarks:
        blocks.append(Points(tuple((remark,) for remark in dict.fromkeys(remarks))))
    return blocks


def _name(pair: Json, names: Mapping[str, str]) -> str:
    who = "each annotator" if pair["rows"] == EACH else rater_name(pair["rows"], names)
    return f"{who} – {rater_name(pair['columns'], names)}"


def _told(estimate: Json) -> str:
    return NOTHING if estimate["value"] is None else f"{figure(estimate)}, n = {estimate['n']:,}"


def _undefined(pair: Json, key: str) -> bool:
    return key in pair and pair[key]["value"] is None
