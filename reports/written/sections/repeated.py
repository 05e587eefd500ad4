"""Whether a judge that was asked again said the same."""

from collections.abc import Mapping
from typing import Any

from reports.consistency import rests_on
from reports.written import phrases
from reports.written.content import Block, Column, Points, Row, Section, Table, note
from reports.written.numerals import percent_figure

Json = Mapping[str, Any]


def consistency(documents: Json) -> Section | None:
    """The section; None where no run answered an item more than once."""
    rows, remarks = [], []
    for question in documents["agreement"]["questions"]:
        for found in question.get("consistency", []):
            name = f"{found['run']}, {question['id']}"
            figures = ((percent_figure(found["flip_rate"], 1),), (percent_figure(found["pairwise_flip_rate"], 1),))
            rows.append(Row(((found["run"],), (question["id"],), (f"{found['repeats']:,}",), (f"{found['items']:,}",), *figures)))
            marks = phrases.preliminary(found["marks"])
            remarks.append(f"{name}: {rests_on(found)}{f'; preliminary, {marks}' if marks else ''}.")
    if not rows:
        return None
    columns = (
        Column("judge run", width=2), Column("question", width=2), Column("replies", True), Column("items", True),
        Column("items that flip", width=2), Column("two replies differ", width=2),
    )  # fmt: skip
    about = (
        "An item flips where its replies are not all the same; the more replies, the more items do. That two replies to one item "
        "differ does not depend on how many there are. A judge that never flips may still be wrong."
    )
    blocks: list[Block] = [
        Table(columns, tuple(rows), "How often a judge run’s replies to one item differ, of all items that it was asked again."),
        Points(tuple((remark,) for remark in remarks)),
        note(about),
    ]
    return Section("Does the judge agree with itself?", tuple(blocks))
