"""The annotators page: how far people agree with each other, with themselves and with the judge, and how they work."""

from typing import Any

import streamlit as st

from annotate.lead import figures, people_figures
from annotate.lead.choosing import chosen
from annotate.lead.frame import heading, lead
from annotate.lead.still_labelling import may_look
from annotate.lead.text import html_of
from reports.notes import parts

EVERY_SECONDS = 4
WHY = "These figures tell how you and the others label, and how the judge does, and may colour what you label next."

Json = dict[str, Any]


def draw() -> None:
    """One run of the page."""
    serving, person = lead()
    heading(serving, "Annotators", "How far people agree with each other, with themselves and with the judge, and how they work.")
    if may_look(serving, person, "annotators", "figures", WHY):
        _figures()


@st.fragment(run_every=EVERY_SECONDS)
def _figures() -> None:
    """The figures, drawn again while labels come in."""
    found = chosen("humans", lambda question: [judge["judge"] for judge in question["judges"]])
    if found is None:
        return
    document, question, run = found
    if not question["annotators"]:
        st.info("Nobody has labelled yet. Draw a batch and invite people on the page “Batches”.")
        return
    for judge in question["judges"]:
        if judge["judge"] == run:
            _judge(judge)
    _among(question)
    _against_rest(question)
    _retest(question)
    _times(document["times"])
    _sessions(question["fatigue"], document["times"])


def _section(title: str, body: str, notes: list[str] | None = None) -> None:
    st.html(f"<h2>{html_of(title)}</h2>{body}{figures.notes_html(notes or [])}")


def _judge(judge: Json) -> None:
    """The judge as one more human: the answer in words, and the two means with their difference."""
    with st.container(border=True, key="card-judge"):
        said = f'<p class="rj-said" data-rj="one-more-human" data-answer="{html_of(judge["answer"])}">{html_of(judge["words"])}</p>'
        _section(
            f"Is {judge['judge']} as good as one more human?",
            said + people_figures.means(judge),
            people_figures.judge_notes(judge),
        )


def _among(question: Json) -> None:
    """Alpha, and everybody beside everybody."""
    drawn = people_figures.matrix(question)
    pairs = [
        row
        for pair in question["pairs"]
        for row in _rows(f"{figures.name_of(pair['rows'])} – {figures.name_of(pair['columns'])}", pair)
    ]
    listed = f"<details><summary>the pairs as a list</summary>{figures.pairs_table(pairs, 'pair')}</details>" if pairs else ""
    _section("Among themselves", people_figures.alpha(question["alpha"]) + drawn + listed)


def _rows(name: str, pair: Json) -> list[tuple[str, Json]]:
    """Rows for a table of pairs: one, or one for each label or threshold."""
    left_out = {"excluded": pair["excluded"]}
    return [(f"{name} · {title}" if title else name, {**left_out, **part}) for title, part in parts(pair).items()]


def _against_rest(question: Json) -> None:
    rows = [row for pair in question["against_rest"] for row in _rows(pair["annotator"], pair)]
    if rows:
        notes = [
            "The rest is the choice of more than half of the others on an item. Sensitivity and the like take the rest for right."
        ]
        if any(pair["weighted"] for pair in question["against_rest"]):
            notes.append("Weighted to the frame, as the draw asks.")
        _section("Each against the rest", figures.pairs_table(rows, "annotator"), notes)


def _retest(question: Json) -> None:
    retest = question["retest"]
    if retest["together"] is None:
        _section("The same item again", f'<p class="rj-undefined">Unknown: {html_of(retest["reason"])}.</p>')
        return
    rows = _rows("everybody", retest["together"]) if len(retest["annotators"]) > 1 else []
    rows += [row for pair in retest["annotators"] for row in _rows(pair["annotator"], pair)]
    _section("The same item again", figures.pairs_table(rows, "annotator"), ["First label beside second, of the same person."])


def _times(times: Json) -> None:
    if times["reason"]:
        _section("Time", f'<p class="rj-undefined">Unknown: {html_of(times["reason"])}.</p>')
        return
    notes = ["Active time: the page in view, and something done within two minutes. Quartiles are drawn, the median is the dot."]
    _section("Time for an item", people_figures.times_table(times), notes)


def _sessions(fatigue: Json, times: Json) -> None:
    """Agreement and time over a session."""
    drawn = people_figures.stretches(
        [("agreement with the rest", "agreement", fatigue["by_position"]), ("median time", "median", times["by_position"])]
    )
    if fatigue["together"] is None:
        said = f'<p class="rj-undefined">Agreement over a session is unknown: {html_of(fatigue["reason"])}.</p>'
    else:
        said = people_figures.thirds_table(fatigue)
    if drawn or times["sessions"]:
        _section("Over a session", said + drawn, people_figures.session_notes(times))
