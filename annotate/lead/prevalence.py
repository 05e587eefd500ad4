"""The prevalence page: how often it happens. Figures over many items only, and no single item's verdict."""

from typing import Any

import streamlit as st

from annotate.lead import rate_figures
from annotate.lead.choosing import chosen_run
from annotate.lead.figures import notes_html
from annotate.lead.frame import heading, lead
from annotate.lead.still_labelling import may_look

EVERY_SECONDS = 4
WHY = "These figures tell how often the judge and the others chose what, and may colour what you label next."
ABOUT = "How often it happens: what the judge says, and what the labels make of that."

Json = dict[str, Any]


def draw() -> None:
    """One run of the page."""
    serving, person = lead()
    heading(serving, "Prevalence", ABOUT)
    if may_look(serving, person, "prevalence", "figures", WHY):
        _figures()


@st.fragment(run_every=EVERY_SECONDS)
def _figures() -> None:
    """The figures, drawn again while labels come in."""
    found = chosen_run("prevalence")
    if found is None:
        return
    _, question, run = found
    if not run["labelled"] and run["run"] is None:
        st.info("Nothing to count yet: there is no verdict and no label on this question.")
        return
    _happening(question, run)
    _slices(run)


def _happening(question: Json, run: Json) -> None:
    """The rates, what they are made of, and what a reader must know."""
    with st.container(border=True, key="card-rates"):
        parts = ["<h2>How often does it happen?</h2>"]
        if len(run["rates"]) == 1:
            parts.append(rate_figures.headline(run["rates"][0]))
        if run["rates"]:
            parts.append(rate_figures.rates_table(run))
        if "mean" in run:
            parts.append(rate_figures.mean_table(run, question["limits"]))
        parts.append(rate_figures.cells_table(question, run))
        parts.append(notes_html(rate_figures.notes_of(question, run)))
        st.html("".join(parts))


def _slices(run: Json) -> None:
    """The slices by one of the rates."""
    names = [rate["of"] for rate in run["rates"]]
    if not names or not any(field["slices"] for field in run["fields"]):
        return
    st.html("<h2>Slice by slice</h2>")
    name = st.selectbox("Share of", names, key="slices-of", width=260) if len(names) > 1 else names[0]
    place = names.index(name) if name in names else 0
    st.html(rate_figures.slices_html(run, place) + notes_html(rate_figures.slice_notes(run)))
