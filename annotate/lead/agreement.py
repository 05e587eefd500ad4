"""The agreement page: the document of `rejudge agree`, drawn. Figures over many items only, and no single item's verdict."""

from typing import Any

import streamlit as st

from annotate.lead import figures
from annotate.lead.comparisons import draw_comparisons
from annotate.lead.counting import counting
from annotate.lead.frame import heading, lead
from annotate.lead.slices import draw_slices
from annotate.lead.still_labelling import may_look
from annotate.lead.text import html_of
from data.errors import RejudgeError
from data.questions import SIDES_OF_THRESHOLD
from reports.notes import leads_note, leaning, parts

EVERY_SECONDS = 4
SOURCES = {
    "default": "batches, else imported",
    "batch": "batches",
    "imported": "imported",
    "all": "both",
}

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
    serving, _ = lead()
    counted = counting(serving.study)
    try:
        document = counted.document("agreement", _source())
    except RejudgeError as error:
        st.error(f"{error.wrong} {error.found} {error.do}".replace("*", "\\*"))
        return
    question, run = _chosen(document)
    if question is None:
        st.info("The study has no question yet. Declare one in study.toml.")
        return
    pairs = [pair for pair in question["pairs"] if pair["columns"] == run]
    if not pairs:
        st.info(_why_no_pairs(question))
    for pair in pairs:
        if pair["rows"] == figures.CONSENSUS:
            _consensus(question, pair)
    single = [row for pair in pairs if pair["rows"] != figures.CONSENSUS for row in _rows(figures.name_of(pair["rows"]), pair)]
    if single:
        _section("Single annotators against " + figures.name_of(str(run)), figures.pairs_table(single, "annotator"))
    _humans(question)
    if pairs:
        draw_slices(counted, question["id"], str(run), _source())
        draw_comparisons(counted, question["id"], _source())
    _about(question)


def _source() -> str | None:
    """The source of labels that is chosen, as `agree --labels` takes it."""
    source = st.session_state.get("labels")
    return source if source in SOURCES and source != "default" else None


def _chosen(document: Json) -> tuple[Json | None, str | None]:
    """The question and the run that were chosen, with the selectors drawn where there is a choice."""
    questions = {question["id"]: question for question in document["questions"]}
    if not questions:
        return None, None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        id = st.selectbox("Question", list(questions), key="question", width=260) if len(questions) > 1 else next(iter(questions))
        question = questions[id]
        runs = list(dict.fromkeys(pair["columns"] for pair in question["pairs"]))
        run = st.selectbox("Judge run", runs, key="run", format_func=figures.name_of, width=260) if len(runs) > 1 else None
        st.selectbox("Labels of", list(SOURCES), key="labels", format_func=lambda source: SOURCES[source], width=220)
    return question, run or (runs[0] if runs else None)


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
        parts = _tables_of(question, pair)
        for title, choices, part in parts:
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


def _tables_of(question: Json, pair: Json) -> list[tuple[str, list[str], figures.Json]]:
    """(title, choices, figures) of each table of a pair: itself, its labels, or its threshold."""
    if "by_label" in pair:
        return [(label, [f"not {label}", label], part) for label, part in pair["by_label"].items()]
    return [(title, list(SIDES_OF_THRESHOLD) if title else question["choices"], part) for title, part in parts(pair).items()]


def _rows(name: str, pair: Json) -> list[tuple[str, figures.Json]]:
    """Rows for a table of pairs: one, or one for each label or threshold."""
    left_out = {"excluded": pair["excluded"]}
    return [(f"{name} · {title}" if title else name, {**left_out, **part}) for title, part in parts(pair).items()]


def _humans(question: Json) -> None:
    humans = question["human_human"]
    alpha = humans["krippendorff_alpha"]
    if alpha["value"] is None:
        said = f'<p class="rj-undefined">Krippendorff’s alpha undefined: {html_of(alpha["reason"])}</p>'
    else:
        value = f'<b data-rj="alpha">{figures.value_of(alpha)}</b>'
        said = f'<div class="rj-lead-figure">{value}<span class="rj-soft">{_alpha_words(alpha)}</span></div>'
    pairs = [
        row
        for pair in humans["pairs"]
        for row in _rows(f"{figures.name_of(pair['rows'])} – {figures.name_of(pair['columns'])}", pair)
    ]
    _section("Humans among themselves", said + (figures.pairs_table(pairs, "pair") if pairs else ""))


def _alpha_words(alpha: Json) -> str:
    level = html_of(alpha["method"].partition(",")[0])
    interval = f"95 % interval {figures.interval_of(alpha)}" if figures.interval_of(alpha) else html_of(alpha["reason"])
    preliminary = " · preliminary" if alpha["n"] < figures.PRELIMINARY_BELOW else ""
    return f"Krippendorff’s alpha ({level}) · {interval} · {alpha['n']:,} items with two or more labels{preliminary}"


def _about(question: Json) -> None:
    """What concerns the question as a whole: labels of leads, and what of the draws is missing."""
    notes = []
    if "leads" in question:
        notes.append(leads_note(question["leads"]))
    if question.get("outside_frame"):
        notes.append(f"{question['outside_frame']:,} items were imported after the last draw: no figure stands for them.")
    if notes:
        st.html(figures.notes_html(notes))
