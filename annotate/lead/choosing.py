"""What a page of figures is about: the question, the judge run and the source of labels that the lead has chosen."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from annotate.lead.counting import counting
from annotate.lead.frame import lead, show_refusal
from data.errors import RejudgeError

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


def chosen(what: str, runs_of: Callable[[Json], list[str]]) -> tuple[Json, Json, str | None] | None:
    """The document `what` of the study, and the question and the run of it that were chosen; None where there is none, as is said.

    `runs_of`: the names of the runs that a question of the document has figures of. The selectors are drawn where there is
    a choice.
    """
    serving, _ = lead()
    try:
        document = counting(serving.study).document(what, source())
    except RejudgeError as error:
        show_refusal(error)
        return None
    questions = {question["id"]: question for question in document["questions"]}
    if not questions:
        st.info("The study has no question yet. Declare one in study.toml.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        id = st.selectbox("Question", list(questions), key="question", width=260) if len(questions) > 1 else next(iter(questions))
        question = questions[id]
        runs = runs_of(question)
        run = st.selectbox("Judge run", runs, key="run", width=260) if len(runs) > 1 else None
        st.selectbox("Labels of", list(SOURCES), key="labels", format_func=lambda source: SOURCES[source], width=220)
    return document, question, run or (runs[0] if runs else None)


def chosen_run(what: str) -> tuple[Json, Json, Json] | None:
    """`chosen` of a document whose questions hold `runs`; the run as it stands there, that of no name where there is no judge."""
    found = chosen(what, lambda question: [run["run"] for run in question["runs"] if run["run"] is not None])
    if found is None:
        return None
    document, question, name = found
    return document, question, next(run for run in question["runs"] if run["run"] == name)
