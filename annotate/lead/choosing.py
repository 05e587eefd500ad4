"""What a page of figures is about: the question, the judge run and the source of labels that the lead has chosen."""

from collections.abc import Callable
from typing import Any

import streamlit as st

SOURCES = {
    "default": "batches, else imported",
    "batch": "batches",
    "imported": "imported",
    "all": "both",
}

Json = dict[str, Any]


def source() -> str | None:
    """The source of labels that is chosen, as `agree --labels` takes it."""
    chosen = st.session_state.get("labels")
    return chosen if chosen in SOURCES and chosen != "default" else None


def chosen(document: Json, runs_of: Callable[[Json], list[str]]) -> tuple[Json | None, str | None]:
    """The question and the run that were chosen, with the selectors drawn where there is a choice.

    `runs_of`: the names of the runs that a question of the document has figures of.
    """
    questions = {question["id"]: question for question in document["questions"]}
    if not questions:
        return None, None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        id = st.selectbox("Question", list(questions), key="question", width=260) if len(questions) > 1 else next(iter(questions))
        question = questions[id]
        runs = runs_of(question)
        run = st.selectbox("Judge run", runs, key="run", width=260) if len(runs) > 1 else None
        st.selectbox("Labels of", list(SOURCES), key="labels", format_func=lambda source: SOURCES[source], width=220)
    return question, run or (runs[0] if runs else None)
