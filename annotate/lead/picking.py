"""Tables in which a cell can be picked: a Streamlit component, because no element of Streamlit's draws one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

import streamlit as st

from annotate.lead.text import seen


class PickCell(TypedDict, total=False):
    """One cell of such a table."""

    text: str
    below: list[str]
    """Further lines, smaller; where there is this key, `text` is large."""
    look: str
    """Classes of `lead.css`."""
    head: str
    """`row` or `col`: a heading."""
    span: int
    share: float
    """Per cent of the accent colour behind it."""
    pick: str
    """What it stands for when it is picked; a cell without this cannot be."""
    say: str
    """What a screen reader says of it."""
    on: bool
    """Whether it is the one that is picked."""


_picking = st.components.v2.component(
    "rejudge.picking", js=Path(__file__).with_name("picking.js").read_text(encoding="utf-8"), isolate_styles=False
)


def draw_picking(
    handle: str,
    label: str,
    look: str,
    head: Sequence[Sequence[PickCell]],
    rows: Sequence[Sequence[PickCell]],
    picked: Callable[[str], None],
) -> None:
    """Draws the table; before the run in which a cell was picked `picked` is called with what it stands for.

    `handle`: its name on the page; texts of cells are shown as they are, what cannot be seen as a mark.
    """

    def changed() -> None:
        value = getattr(st.session_state.get(handle), "picked", None)
        if isinstance(value, str):
            picked(value)

    data = {"label": seen(label), "look": look, "handle": handle, "head": _shown(head), "rows": _shown(rows)}
    _picking(key=handle, data=data, on_picked_change=changed)


def _shown(rows: Sequence[Sequence[PickCell]]) -> list[list[dict[str, Any]]]:
    return [[{key: _text(value) for key, value in cell.items()} for cell in row] for row in rows]


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return seen(value)
    return [seen(line) for line in value] if isinstance(value, list) else value
