"""Where the judge is good and where it is not: a forest of slices for each field, and what so many looks are worth."""

from collections.abc import Mapping
from typing import Any

from reports.estimate import Estimate
from reports.forest import ForestRow, Reference
from reports.forests import FIGURES
from reports.slices import PALE_SAID
from reports.written.content import Block, Forest, Points, Section, note, strong, text
from reports.written.subjects import Subject

Json = Mapping[str, Any]


def slices(documents: Json, subjects: list[Subject]) -> Section | None:
    """The section; None where nothing is sliced."""
    runs = {
        (question["id"], run["columns"].partition(":")[2]): run
        for question in documents["slices"]["questions"]
        for run in question["runs"]
    }
    blocks: list[Block] = []
    for subject in subjects:
        run = runs.get((subject.question["id"], subject.name))
        if run is None or not any(table["fields"] for table in run["tables"]):
            continue
        if len(subjects) > 1:
            blocks.append(text(strong(f"{subject.question['id']}, {subject.name}")))
        for table in run["tables"]:
            blocks += _table(table, subject)
    if not blocks:
        return None
    left_out = documents["slices"]["left_out"]
    if left_out:
        blocks.append(Points(tuple((f"Not sliced by “{each['field']}”: {each['reason']}.",) for each in left_out)))
    return Section("Slices", tuple(blocks))


def _table(table: Json, subject: Subject) -> list[Block]:
    figure = table["figure"]
    rows = tuple(
        ForestRow(value["name"], Estimate(**value[figure]), value["n"], small=value["small"], group=_field(field))
        for field in table["fields"]
        for value in field["values"]
    )
    whole = table["overall"][figure]
    title = table["title"]
    about = f", {title}" if title == "at the threshold" else f", “{title}”" if title else ""
    strict = ", strict" if table["strict"] else ""
    forest = Forest(
        f"{subject.name} against the human consensus, slice by slice{about}",
        f"{FIGURES[figure]}{strict}, 95 % interval",
        rows,
        what="slice",
        reference=None if whole["value"] is None else Reference(whole["value"], "all items"),
    )
    return [forest, note(f"{table['looked_at']}{f' {PALE_SAID}' if any(row.small for row in rows) else ''}")]


def _field(field: Json) -> str:
    name = str(field["field"])
    pooled = f" (the rarest {field['pooled']:,} values together as “other”)" if field["pooled"] else ""
    return f"{name}{pooled}"
