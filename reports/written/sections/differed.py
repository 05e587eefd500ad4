"""Where humans and judge differ: how many items of each split, why, and a few of them with what both sides wrote."""

from collections.abc import Mapping
from typing import Any

from data.splits import SPLITS
from reports.document import SELECTED_SAID
from reports.written.content import Block, Column, Points, Row, Section, Table, Words, code, emphasis, soft, strong, text
from reports.written.numerals import joined
from reports.written.subjects import Subject

Json = Mapping[str, Any]

BASES = {
    "adjudicated": "adjudicated",
    "single": "one label",
    "unanimous": "unanimous",
    "majority": "a majority",
    "median": "the median",
}


def disagreements(documents: Json, subjects: list[Subject]) -> Section | None:
    """The section; None where no subject has a pair."""
    found = documents["disagreements"]
    by_key = {(question["id"], run["run"]): run for question in found["questions"] for run in question["runs"]}
    blocks: list[Block] = []
    for subject in subjects:
        if subject.consensus is None or not subject.consensus["n"]:
            continue
        if len(subjects) > 1:
            blocks.append(text(strong(f"{subject.question['id']}, {subject.name}")))
        blocks += _run(by_key[subject.question["id"], subject.name], found["open"])
    return Section("Where humans and judge differ", tuple(blocks)) if blocks else None


def _run(run: Json, opened: list[str]) -> list[Block]:
    blocks: list[Block] = [_cells(table) for table in run["tables"]]
    if run.get("selected"):
        return [*blocks, text(f"{SELECTED_SAID.strip()} There are counts alone.")]
    closed = [split for split in SPLITS if split not in opened]
    if closed:
        blocks.append(
            text(
                f"Items are named of {joined(opened)} only. Of {joined(closed)} there are counts alone: what is shown once cannot "
                "certify a better judge."
            )
        )
    else:
        blocks.append(text("Dev and test were opened by a lead, on record: nothing can be certified on these items any more."))
    if run["causes"]:
        causes = joined([f"{count:,} {cause}" for cause, count in run["causes"].items()])
        blocks.append(text(f"Causes that adjudication gave among the items on which humans and judge differ: {causes}."))
    if run["judge_causes"]:
        given = sum(run["judge_causes"].values())
        causes = joined([f"{count:,} {cause}" for cause, count in run["judge_causes"].items()])
        told = f"{given:,} of the {run['differ']:,} items of {joined(opened)} on which humans and judge differ"
        blocks.append(
            text(f"Of {told} a lead has said why: {causes}. Only “judge wrong” is a reason to revise the judge's prompt.")
        )
    if not run["differ"]:
        blocks.append(text(f"On no labelled item of {joined(opened)} do humans and judge differ."))
        return blocks
    shown = len(run["items"])
    which = f"all {shown:,}" if shown == run["differ"] else f"{shown:,} of {run['differ']:,}, taken from each cell in turn"
    if run["differ"] == 1:
        blocks.append(text(f"The one item of {joined(opened)} on which they differ, in excerpts:"))
    else:
        blocks.append(text(f"The items of {joined(opened)} on which they differ ({which}), in excerpts:"))
    return [*blocks, *(block for item in run["items"] for block in _item(item))]


def _cells(table: Json) -> Table:
    """The cells in which the two differ, by split."""
    rows = []
    for place, row in enumerate(table["rows"]):
        for across, column in enumerate(table["columns"]):
            counts = [table["counts"][split][place][across] for split in SPLITS]
            if row != column and column != "the same" and (sum(counts) or across < len(table["columns"]) - 1):
                cells = tuple((f"{count:,}",) for count in (*counts, sum(counts)))
                rows.append(Row(((row,), (column,), *cells)))
    columns = (Column("humans say"), Column("judge says"), *(Column(split, True) for split in SPLITS), Column("all", True))
    about = f" (“{table['part']}”)" if table["part"] is not None else ""
    return Table(columns, tuple(rows), f"Items on which humans and judge differ{about}, by split.")


def _item(item: Json) -> list[Block]:
    votes = joined([f"{count} {answer}" for answer, count in item["votes"]])
    unsure = f", {item['unsure']} unsure" if item["unsure"] else ""
    cause = f" Cause: {item['cause']}." if item["cause"] else ""
    answers = f"humans {item['human']} ({BASES[item['basis']]}: {votes}{unsure}), judge {item['judge']}.{cause}"
    points: list[Words] = [("Task: ", emphasis(item["task"]))] if item["task"] else []
    points += [(f"{who}: “{item[key]}”",) for who, key in (("Humans", "human_words"), ("Judge", "judge_words")) if item[key]]
    if "step" in item:
        step = item["step"]
        points.append(
            (
                f"Step {step['number']:,}, where {'the judge points' if step['by'] == 'judge' else 'humans point'}: ",
                soft(f"“{step['text']}”"),
            )
        )
    told: list[Block] = [text(code(item["id"]), " ", soft(f"({item['split']})"), f" {answers}")]
    return [*told, Points(tuple(points))] if points else told
