"""Adjudication: item by item where annotators disagree, with their votes and without their names.

No verdict stands on this page, before a decision or after it. What a lead opens here is noted before it
is shown: the desk never gives her that item again.
"""

from dataclasses import dataclass
from enum import Enum
from html import escape

import streamlit as st

from annotate.codebook_page import blocks_of
from annotate.lead.frame import heading, lead
from annotate.lead.kept import kept
from annotate.lead.reading import draw_reading
from annotate.lead.text import html_of, html_of_blocks, without_markup
from annotate.lead.votes import votes_html
from annotate.lead.walking import step
from annotate.serving import Serving
from data.errors import RejudgeError
from data.questions import NO_ANSWER, NONE_OF_THEM, Question, answer_text
from data.store import Store
from data.store.adjudication import CAUSES, WITHOUT_ANSWER, Decision, decide, decision_on
from data.store.contested import Contested, contested, votes_on
from data.store.exposures import record_exposure
from data.store.gold import Decided
from data.store.leases import unfinished_batches
from data.store.people import Person
from data.store.versions import AskedQuestion

WHY = {
    "tie": "annotators are tied",
    "split": "annotators differ",
    "unsure": "somebody is unsure",
    "flagged": "flagged",
}
ABOUT_CAUSE = {
    "slip": "One of them overlooked or misread something.",
    "codebook ambiguous": "The codebook page does not settle it.",
    "item broken": "The item cannot be judged as it is.",
    "truly ambiguous": "Read with care, both readings stand.",
}


@dataclass(frozen=True, slots=True)
class Walk:
    """What there is to walk through on one question."""

    asked: AskedQuestion
    items: list[Contested]
    still_open: int
    """How many there are in batches that are not closed, whether they are listed or not."""

    @property
    def waiting(self) -> list[Contested]:
        return [item for item in self.items if not item.decided]

    @property
    def decided(self) -> list[Contested]:
        return [item for item in self.items if item.decided]


def draw() -> None:
    """One run of the page."""
    serving, person = lead()
    heading(serving, "Adjudication")
    with Store.open(serving.study.database) as store:
        walk = _walk(serving, store, person)
        item = _chosen(walk)
        if item is None:
            return
        record_exposure(store, person.code, item.trajectory, "votes")
        votes = votes_on(store, walk.asked.code, item.trajectory)
        standing = decision_on(store, walk.asked.code, item.trajectory)
    reading, deciding = st.columns([1.6, 1], gap="medium")
    with reading:
        draw_reading(item.trajectory, [step for vote in votes for step in vote.evidence])
    with deciding, st.container(height=720, border=False, key="deciding"):
        st.html(f'<p class="rj-ask">{html_of(walk.asked.question.ask)}</p>{votes_html(walk.asked, votes)}')
        _draw_form(walk.asked, item, standing)
        with st.expander(f"Codebook · version {walk.asked.codebook_version}", expanded=True):
            st.html(f'<div class="rj-book">{html_of_blocks(blocks_of(walk.asked.page))}</div>')


def _walk(serving: Serving, store: Store, person: Person) -> Walk:
    """Asks for the question and for open batches where there is a choice, and lists the items."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = {asked.question.id: asked for asked in serving.asked}
        id = st.selectbox("Question", list(asked), key="question", width=260) if len(asked) > 1 else next(iter(asked))
        items = kept(store, f"contested {id}", lambda store: contested(store, asked[id].code))
        still_open = [item for item in items if item.open]
        if still_open:
            both = st.toggle(f"Also batches that are not closed ({len(still_open)})", key="open")
            items = items if both else [item for item in items if not item.open]
    labels_in = unfinished_batches(store, person.code)
    if still_open and both and labels_in:
        named = without_markup(", ".join(labels_in))
        st.warning(
            f"You still label in {named}. What you open here of it, the desk will not give you any more.",
            icon=":material/visibility_off:",
        )
    return Walk(asked[id], items, len(still_open))


def _chosen(walk: Walk) -> Contested | None:
    """The item in hand, with the way to the others; None where there is none."""
    if not walk.items:
        where = " in closed batches" if walk.still_open else ""
        st.info(f"Nothing to decide{where}: no item has annotators who differ, one who is unsure, or a flag.")
        return None
    numbers = [item.trajectory for item in walk.items]
    if st.session_state.get("item") not in numbers:
        st.session_state.item = (walk.waiting or walk.items)[0].trajectory
    elif st.session_state.pop("go_on", False) and walk.waiting:
        here = numbers.index(st.session_state.item)
        after = [item for item in walk.items[here:] if not item.decided]
        st.session_state.item = (after or walk.waiting)[0].trajectory
    place = numbers.index(st.session_state.item)
    with st.container(horizontal=True, vertical_alignment="center"):
        step("Previous", place - 1, numbers, _go)
        step("Next", place + 1, numbers, _go)
        reasons = ", ".join(WHY[reason] for reason in walk.items[place].reasons) or "nobody differs any more"
        st.html(
            f'<div class="rj-row" data-rj="place"><b class="rj-num">Item {place + 1} of {len(numbers)}</b>'
            f'<span class="rj-soft">{reasons} · {len(walk.waiting)} to decide, {len(walk.decided)} decided</span></div>'
        )
        st.selectbox(
            "Go to",
            numbers,
            key="item",
            width=230,
            label_visibility="collapsed",
            format_func=lambda number: _listed(numbers.index(number), walk),
        )
    return walk.items[place]


def _go(number: int) -> None:
    st.session_state.item = number


def _listed(place: int, walk: Walk) -> str:
    return f"Item {place + 1} · {'decided' if walk.items[place].decided else 'to decide'}"


def _draw_form(asked: AskedQuestion, item: Contested, standing: Decision | None) -> None:
    """Answer, cause and rationale. A decision that stands is where a change begins."""
    if standing:
        st.html(
            f'<p class="rj-soft" data-rj="standing">Decided: <b>{html_of(answer_text(asked.question, standing.answer))}</b>, '
            f"{escape(standing.cause)}, by {html_of(standing.lead)}. Saving again takes its place.</p>"
        )
    key = f"{asked.question.id}-{item.trajectory}"
    with st.container(border=True, key="card-decision"), st.form(f"decision-{key}", border=False):
        answer = _ask_answer(asked.question, standing, key)
        cause = st.radio(
            "Why they disagree",
            CAUSES,
            index=None if standing is None else CAUSES.index(standing.cause),
            captions=[ABOUT_CAUSE[cause] for cause in CAUSES],
            key=f"cause-{key}",
        )
        rationale = st.text_area(
            "Rationale",
            value=standing.rationale if standing else "",
            key=f"rationale-{key}",
            height=90,
            placeholder="What decided it",
        )
        saved = st.form_submit_button("Save the decision", type="primary", shortcut="Ctrl+Enter")
    if saved:
        _save(asked, item, answer, cause, rationale)


class _Nothing(Enum):
    CHOSEN = "nothing was chosen"


def _ask_answer(question: Question, standing: Decision | None, key: str) -> Decided | _Nothing | None:
    """The answer as it stands in the form; None: there is no answer."""
    if question.answered_by == "choice":
        choices = [*question.choices, NO_ANSWER]
        index = None if standing is None else choices.index(answer_text(question, standing.answer))
        place = st.radio(
            "The answer", range(len(choices)), index=index, format_func=lambda at: without_markup(choices[at]), key=f"answer-{key}"
        )
        if place is None:
            return _Nothing.CHOSEN
        return None if place == len(question.choices) else choices[place]
    there = standing.answer if standing else None
    if question.answered_by == "choices":
        before = [choice for choice in question.choices if isinstance(there, tuple) and choice in there]
        chosen = st.multiselect("The answer", question.choices, default=before, placeholder=NONE_OF_THEM, key=f"answer-{key}")
        answer: Decided | _Nothing = tuple(chosen)
    else:
        low, high = float(question.min or 0), float(question.max or 0)
        value = there if isinstance(there, float) else None
        score = st.number_input(f"The answer, {low:g} to {high:g}", low, high, value=value, key=f"answer-{key}")
        answer = _Nothing.CHOSEN if score is None else float(score)
    none = st.checkbox(NO_ANSWER, value=standing is not None and there is None, key=f"none-{key}")
    return None if none else answer


def _save(asked: AskedQuestion, item: Contested, answer: Decided | _Nothing | None, cause: str | None, rationale: str) -> None:
    """Writes the decision and goes on to the next item that waits; says what is missing otherwise."""
    serving, person = lead()
    if isinstance(answer, _Nothing):
        st.error(f"Choose the answer, or “{NO_ANSWER}”.")
    elif cause is None:
        st.error("Name the cause.")
    elif answer is None and cause not in WITHOUT_ANSWER:
        st.error(f"“{NO_ANSWER}” needs the cause “{WITHOUT_ANSWER[0]}” or “{WITHOUT_ANSWER[1]}”.")
    else:
        try:
            with Store.open(serving.study.database) as store:
                decide(store, person, item.trajectory, asked, answer, cause, rationale)
        except RejudgeError as refusal:
            st.error(without_markup(f"{refusal.wrong} {refusal.do}"))
        else:
            st.toast("Saved.", icon=":material/check:")
            st.session_state.go_on = True
            st.rerun()
