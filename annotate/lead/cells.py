"""The confusion matrix of the disagreements page, whose cells can be picked, and the list of a cell's items."""

from collections.abc import Callable, Mapping, Sequence

from annotate.lead.figures import DARKEST
from annotate.lead.picking import PickCell, draw_picking
from data.questions import Question, answer_text
from data.splits import SPLITS
from data.store.causes import Cause
from data.store.disagreements import UNREADABLE, Cell, Cells, Disagreement
from data.wording import amount

Picked = Callable[[str], None]


def totals(cells: Cells) -> dict[str, int]:
    """By split: how many items lie in the table."""
    return {split: sum(map(sum, rows)) for split, rows in cells.counts.items()}


def cell_words(cells: Cells, cell: Cell | None, run: str) -> str:
    """A cell in words; None: all on which they differ."""
    if cell is None:
        return f"humans and {run} differ"
    judge = cells.columns[cell[1]]
    if len(cells.rows) == 1:
        return f"{run}: {judge}"
    return f"humans {cells.rows[cell[0]]}, {run} {judge}"


def draw_matrix(cells: Cells, opened: Sequence[str], run: str, chosen: Cell | None, picked: Picked) -> None:
    """Counts of every cell: those whose items can be listed large, the others by split below. Shades are shares of the row."""
    there = [split for split, count in totals(cells).items() if count]
    listed = [split for split in SPLITS if split in there and (split not in opened or len(there) > 1)]
    below = [split for split in listed if split not in opened or set(there) <= set(opened)]
    last = len(cells.columns) - 1
    names = [PickCell(text=name, head="col", look="rj-axis" if k == last else "") for k, name in enumerate(cells.columns)]
    head = [
        [PickCell(text=""), PickCell(text=run, look="rj-axis", span=last + 1)],
        [PickCell(text="humans", look="rj-axis", head="col"), *names],
    ]
    rows = []
    for row, name in enumerate(cells.rows):
        drawn = [_cell(cells, (row, column), opened, below, run, chosen) for column in range(last + 1)]
        rows.append([PickCell(text=name, head="row"), *drawn])
    many = " rj-many" if last > 5 else ""
    draw_picking("matrix", f"humans against {run}", f"rj-matrix{many}", head, rows, picked)


def _cell(cells: Cells, cell: Cell, opened: Sequence[str], below: Sequence[str], run: str, chosen: Cell | None) -> PickCell:
    count = {split: cells.counts[split][cell[0]][cell[1]] for split in SPLITS}
    whole = sum(sum(cells.counts[split][cell[0]]) for split in SPLITS)
    there = sum(count[split] for split in opened)
    drawn = PickCell(
        text=f"{there:,}",
        below=[f"{split} {count[split]:,}" for split in below if count[split]],
        look="rj-cell" if cells.differ(cell) else "rj-cell rj-diagonal",
        share=round(DARKEST * sum(count.values()) / whole, 1) if whole else 0,
    )
    if there:
        said = f"{cell_words(cells, cell, run)}: {amount(there, 'item')}"
        drawn |= PickCell(pick=f"cell:{cell[0]}-{cell[1]}", say=said, on=chosen == cell)
    return drawn


def draw_rows(
    question: Question, run: str, listed: Sequence[Disagreement], causes: Mapping[int, Cause], before: int, picked: Picked
) -> None:
    """The items of a cell, of which one can be picked. `before`: how many of them stand on earlier pages."""
    several = {item.split for item in listed} != {"train"}
    decided, why = any(item.cause for item in listed), any(item.trajectory in causes for item in listed)
    heads = ["", "item", *(["split"] if several else []), "humans", run, "votes"]
    heads += [*(["adjudicated"] if decided else []), *(["cause"] if why else [])]
    rows = []
    for place, item in enumerate(listed, start=before + 1):
        judge = UNREADABLE if item.judge is None else answer_text(question, item.judge)
        told = [*([item.split] if several else []), answer_text(question, item.human), judge]
        told += [_votes(question, item), *([item.cause or "–"] if decided else [])]
        told += [causes[item.trajectory].cause if item.trajectory in causes else "–"] if why else []
        id = PickCell(text=item.id, pick=f"item:{item.trajectory}", say=f"open item {place}, {item.id}")
        rows.append([PickCell(text=f"{place:,}", look="rj-num rj-soft"), id, *(PickCell(text=text) for text in told)])
    draw_picking("items", "items", "rj-wide rj-items", [[PickCell(text=name, head="col") for name in heads]], rows, picked)


def _votes(question: Question, item: Disagreement) -> str:
    """Who said what, in numbers: `3 aligned, 1 misaligned, 1 unsure`; scores as they are: `3 (2 times), 7.5`."""
    cast = [(answer_text(question, answer), count) for answer, count in item.votes]
    if question.type == "score":
        told = [text if count == 1 else f"{text} ({count} times)" for text, count in cast]
    else:
        told = [f"{count} {text}" for text, count in cast]
    return ", ".join([*told, *([f"{item.unsure} unsure"] if item.unsure else [])])
