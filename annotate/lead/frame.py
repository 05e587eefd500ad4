"""What every page of the lead's begins with: who is looking, the look of the desk, and how it refuses.

A fragment runs without the script around it, and a revoked session keeps its socket: every run and every
fragment asks again who is there.
"""

from html import escape
from pathlib import Path

import streamlit as st

from annotate import page
from annotate.lead.text import without_markup
from annotate.serving import Serving, current
from data.errors import RejudgeError
from data.store.people import Person

_STYLE = Path(__file__).parent / "lead.css"


def lead() -> tuple[Serving, Person]:
    """The study and the lead who is looking. Stops the run where it is nobody, or no lead."""
    serving = current()
    person = page.signed_in(serving)
    if person is None or person.role != "lead":
        st.write("You are signed out. Open your sign-in link again." if person is None else "This page is for leads.")
        st.stop()
    return serving, person


def heading(serving: Serving, title: str, about: str = "") -> None:
    """The page's title with the study's name above it. `about`: one line of plain text below."""
    st.html(_STYLE)
    below = f'<p class="rj-about">{escape(about)}</p>' if about else ""
    st.html(f'<div class="rj-head"><p class="rj-study">{escape(serving.study.name)}</p><h1>{escape(title)}</h1>{below}</div>')


def show_refusal(refusal: RejudgeError) -> None:
    """Says why something was refused. What it names is anybody's text, and is no markup."""
    st.error(without_markup(f"{refusal.wrong} {refusal.found} {refusal.do}"))
