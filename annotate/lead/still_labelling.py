"""A lead who still labels is asked before a page shows her what may colour her labels."""

import streamlit as st

from annotate.lead.text import without_markup
from annotate.serving import Serving
from data.store import Store
from data.store.leases import unfinished_batches
from data.store.people import Person


def may_look(serving: Serving, person: Person, what: str, shown: str, why: str) -> bool:
    """Whether the page goes on: a lead with items left in an open batch is asked first, for each batch once.

    `what`: the page, by a word of its own; `shown`: what her button shows; `why`: what it would do to her labels.
    """
    with Store.open(serving.study.database) as store:
        batches = unfinished_batches(store, person.code)
    known = f"warned-{what}"
    if set(batches) <= st.session_state.setdefault(known, set()):
        return True
    named = without_markup(", ".join(batches))
    st.warning(f"You are still labelling in {named}. {why}", icon=":material/visibility_off:")
    with st.container(horizontal=True):
        if st.button(f"Show the {shown}", key="show"):
            st.session_state[known] = st.session_state[known] | set(batches)
            st.rerun()
        st.link_button("Back to the desk", "/", type="primary")
    return False
