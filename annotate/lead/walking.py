"""Going from one item to the next, with buttons and with keys."""

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

_KEYS = {"Previous": "Alt+ArrowLeft", "Next": "Alt+ArrowRight"}


def step(label: Literal["Previous", "Next"], place: int, numbers: Sequence[int], go: Callable[[int], None]) -> None:
    """A button that goes to the item at `place` of `numbers`; without work where there is none."""
    inside = 0 <= place < len(numbers)
    args = (numbers[place],) if inside else None
    st.button(label, key=f"go-{label}", on_click=go if inside else None, args=args, disabled=not inside, shortcut=_KEYS[label])
