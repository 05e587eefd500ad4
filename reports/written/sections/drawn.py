"""How the items were drawn: batches, recipes, seeds, strata, frames, and what of them is missing."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.written.content import Block, Column, Row, Section, Table, note, text
from reports.written.numerals import percent
from reports.written.subjects import Subject

Json = Mapping[str, Any]

DRAWN = {
    "estimate": "simple random",
    "retest": "labelled items once more, to the same people (retest)",
    "hunt": "train items on which the judge is suspected of errors, the most suspicious first; in no figure (hunt)",
}


def drawn(documents: Json, subjects: list[Subject]) -> Section:
    """The section."""
    batches = documents["about"]["batches"]
    used = [subject for subject in subjects if subject.consensus is not None]
    blocks: list[Block] = []
    if any(subject.imported for subject in used):
        blocks.append(
            text(
                "As imported: the labels came in with a file. Nothing is known of how their items were chosen, so no figure is "
                "weighted, none stands for more than these items, and no rate is corrected by them."
            )
        )
    if not batches:
        blocks += [] if blocks else [text("No batch was drawn, and no labels were imported.")]
        return Section("How the items were drawn", tuple(blocks))
    if used and all(subject.imported for subject in used):
        blocks.append(text("The batches below have no finished label yet; the figures are from the imported labels."))
    blocks.append(_batches(batches))
    if any(len(batch["strata"]) > 1 for batch in batches):
        blocks.append(_strata(batches))
    hunts = " but a hunt" if any(batch["kind"] == "hunt" for batch in batches) else ""
    blocks.append(
        note(
            f"Every draw{hunts} is a probability sample of its frame: the frame is sorted by id and shuffled by a generator with "
            "the seed given here, so the same study and seed draw the same items. Items of another batch are not in the frame. "
            "Everybody labels in an order of her own that knows nothing of verdicts and strata."
        )
    )
    outside = {
        question["id"]: question["outside_frame"]
        for question in documents["agreement"]["questions"]
        if question.get("outside_frame")
    }
    if outside:
        blocks.append(
            text(f"{amount(max(outside.values()), 'item', form=',')} came in after the last draw: no figure stands for them.")
        )
    return Section("How the items were drawn", tuple(blocks))


def _batches(batches: list[Json]) -> Table:
    rows = []
    for batch in batches:
        recipe = batch["recipe"]
        stratify = recipe.get("stratify")
        how = DRAWN[batch["kind"]]
        if stratify:
            at = f", at {stratify['threshold']:g}" if "threshold" in stratify else ""
            how = f"equal numbers of each verdict of {stratify['run']} on {stratify['question']}{at}"
        how += "" if recipe["split"] == "all" else f", split {recipe['split']}"
        n = sum(stratum["drawn"] for stratum in batch["strata"])
        missing = sum(stratum["missing"] for stratum in batch["strata"])
        how += f"; seed {batch['seed']}; on {batch['day']} (UTC); {batch['state']}"
        counts = (batch["frame"], n, batch["overlap"], missing)
        rows.append(Row(((batch["name"],), (how,), *((f"{count:,}",) for count in counts))))
    columns = (
        Column("batch"), Column("how it was drawn", width=4), Column("frame", True), Column("items", True),
        Column("labels each", True), Column("unlabelled", True),
    )  # fmt: skip
    about = "The batches: how they were drawn, from how many items (the frame), and how many of them nobody has labelled."
    return Table(columns, tuple(rows), about)


def _strata(batches: list[Json]) -> Table:
    rows = [
        Row(
            (
                (batch["name"],), (stratum["name"],), (f"{stratum['items']:,}",), (f"{stratum['drawn']:,}",),
                (percent(stratum["drawn"] / stratum["items"], 1),),
                (f"{stratum['missing']:,} ({percent(stratum['missing'] / stratum['drawn'])})" if stratum["drawn"] else "0",),
            )
        )
        for batch in batches if len(batch["strata"]) > 1 for stratum in batch["strata"]
    ]  # fmt: skip
    columns = (
        Column("batch", width=2), Column("stratum (verdict at the draw)", width=3), Column("in the frame", True),
        Column("drawn", True), Column("chance of being drawn", True), Column("unlabelled", True),
    )  # fmt: skip
    return Table(columns, tuple(rows), "The strata of each draw.")
