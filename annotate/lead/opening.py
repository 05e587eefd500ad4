"""Opening dev and test for good, on the page whose counts are closed: what `rejudge judge spend` does, confirmed by name."""

import streamlit as st

from annotate.lead.frame import lead, show_refusal
from annotate.lead.text import html_of, seen, without_markup
from data.errors import RejudgeError
from data.store import Store
from data.store.test_looks import spend, spent
from judge.spend_command import BEFORE


def draw_opening() -> None:
    """What it means, and a field for the study's name; nothing where they are open."""
    serving, _ = lead()
    with Store.open(serving.study.database) as store:
        if spent(store) is not None:
            return
    with st.expander("Open dev and test for good"):
        st.html(f'<p class="rj-said" data-rj="spend">{html_of(BEFORE)}</p>')
        with st.form("spend", border=False):
            named = without_markup(seen(serving.study.name))
            typed = st.text_input(f"To confirm, type the study’s name: **{named}**", key="spend-name", width=420)
            pressed = st.form_submit_button("Open dev and test for good", key="spend-now")
        if pressed:
            _open(typed)


def _open(typed: str) -> None:
    serving, person = lead()
    if typed.strip() != serving.study.name.strip():
        st.error("Nothing was opened: that is not the study’s name.")
        return
    try:
        with Store.open(serving.study.database) as store:
            spend(store, person)
    except RejudgeError as refusal:
        show_refusal(refusal)
        return
    st.rerun()
