"""The agreement page: the document of `rejudge agree`, drawn. Figures over many items only, and no single item's verdict."""

from typing import Any

import streamlit as st

from annotate.lead import figures, people_figures
from annotate.lead.choosing import chosen, source
from annotate.lead.comparisons import draw_comparisons
from annotate.lead.counting import counting
from annotate.lead.frame import heading, lead
from annotate.lead.slices import draw_slices
from annotate.lead.still_labelling import may_look
from annotate.lead.text import html_of
from data.questions import SIDES_OF_THRESHOLD
from reports.notes import leads_note, leaning, parts

EVERY_SECONDS = 4
WHY = "These figures tell how often the judge and the others chose what, and may colour what you label next."

Json = dict[str, Any]


def draw() -> None:
    """One run of the page."""
    serving, person = lead()
    heading(serving, "Agreement", "How far judge and humans agree, as it stands now: the figures of “rejudge agree”.")
    if may_look(serving, person, "agreement", "figures", WHY):
        _figures()


@st.fragment(run_every=EVERY_SECONDS)
def _figures() -> None:
    """The figures, drawn again while labels come in."""
    found = chosen("agreement", _runs)
    if found is None:
        return
    _, question, run = found
    pairs = [pair for pair in question["pairs"] if figures.name_of(pair["columns"]) == run]
    if not pairs:
        st.info(_why_no_pairs(question))
    for pair in pairs:
        if pair["rows"] == figures.CONSENSUS:
            _consensus(question, pair)
    single = [row for pair in pairs if pair["rows"] != figures.CONSENSUS for row in _rows(figures.name_of(pair["rows"]), pair)]
    if single:
        _section(f"Single annotators against {run}", figures.pairs_table(single, "annotator"))
    _humans(question)
    if pairs:
        counted = counting(lead()[0].study)
        draw_slices(counted, question["id"], pairs[0]["columns"], source())
        draw_comparisons(counted, question["id"], source())
    _about(question)


def _runs(question: Json) -> list[str]:
    return list(dict.fromkeys(figures.name_of(pair["columns"]) for pair in question["pairs"]))


def _why_no_pairs(question: Json) -> str:
    humans = question["human_human"]
    if humans["pairs"] or humans["krippendorff_alpha"]["n"]:
        return "No judge to compare: there are labels, but no labelled item has a verdict. Bring verdicts with “rejudge import”."
    return "Nothing to compare yet: no item has both a verdict and a label."


def _section(title: str, body: str, notes: list[str] | None = None) -> None:
    st.html(f"<h2>{html_of(title)}</h2>{body}{figures.notes_html(notes or [])}")


def _consensus(question: Json, pair: Json) -> None:
    axes = ("humans", figures.name_of(pair["columns"]))
    with st.container(border=True, key="card-consensus"):
        _section(f"Human consensus against {axes[1]}", figures.headline(pair))
        for title, part in parts(pair).items():
            choices = figures.sides_of(question, title)
            drawn, listed = st.columns([1, 1.15], gap="large", vertical_alignment="top")
            with drawn:
                if "confusion" in part:
                    caption = f"<h3>{html_of(title)}</h3>" if title else ""
                    st.html(caption + figures.matrix(choices, part, axes) + figures.matrix_table(choices, part, axes))
            with listed:
                lean = leaning(part, _sought(question, title))
                st.html(f'<div class="rj-scroll">{figures.figures_table(part)}</div>{figures.notes_html([lean] if lean else [])}')
            if "by_choice" in part:
                st.html(figures.choices_table(part["by_choice"]))
        if "macro" in pair:
            _section("Mean over labels", f'<div class="rj-scroll">{figures.macro_table(pair["macro"])}</div>')
        below = figures.notes_html(figures.notes_of(pair)) + figures.strata_table(pair)
        if below:
            st.html(below)


def _sought(question: Json, title: str) -> str:
    """What the judge may over-call: a label, a score at or above the threshold, the positive choice."""
    if question["type"] == "score":
        return f"scores {SIDES_OF_THRESHOLD[1]} the threshold"
    return title or str(question.get("positive", ""))


def _rows(name: str, pair: Json) -> list[tuple[str, figures.Json]]:
    """Rows for a table of pairs: one, or one for each label or threshold."""
    left_out = {"excluded": pair["excluded"]}
    return [(f"{name} · {title}" if title else name, {**left_out, **part}) for title, part in parts(pair).items()]


def _humans(question: Json) -> None:
    humans = question["human_human"]
    pairs = [
        row
        for pair in humans["pairs"]
        for row in _rows(f"{figures.name_of(pair['rows'])} – {figures.name_of(pair['columns'])}", pair)
    ]
    _section(
        "Humans among themselves",
        people_figures.alpha(humans["krippendorff_alpha"]) + (figures.pairs_table(pairs, "pair") if pairs else ""),
    )


def _about(question: Json) -> None:
    """What concerns the question as a whole: labels of leads, and what of the draws is missing."""
    notes = []
    if "leads" in question:
        notes.append(leads_note(question["leads"]))
    if question.get("outside_frame"):
        notes.append(f"{question['outside_frame']:,} items were imported after the last draw: no figure stands for them.")
    if notes:
        st.html(figures.notes_html(notes))
