"""Who is looking, and which page they get. Pages only draw; roles decide here, on the server."""

from typing import Any

import streamlit as st

from annotate.codebook_page import Block
from annotate.desk_component import draw_desk
from annotate.serving import Serving, current
from annotate.wire import claim_and_look
from data.store.people import Person
from data.store.versions import AskedQuestion


def signed_in(serving: Serving) -> Person | None:
    """The person behind this run's cookie, asked of the database on every run."""
    session = st.context.cookies.get(serving.cookie)
    return serving.person(session if isinstance(session, str) else None)


def draw() -> None:
    """One run of the script."""
    serving = current()
    st.set_page_config(page_title=serving.study.name, layout="wide", initial_sidebar_state="collapsed")
    person = signed_in(serving)
    if person is None:
        st.write("You are signed out. Open your sign-in link again.")
        return
    draw_desk(desk_data(serving, person))


def desk_data(serving: Serving, person: Person) -> dict[str, Any]:
    """What the desk needs to begin: texts, choices, codebook pages and opaque references. No trajectory."""
    return {
        "study": serving.study.name,
        "annotator": person.handle,
        "base": "/desk",
        "owner": serving.owner(person),
        "pin": serving.pin,
        "questions": [_question(asked, page) for asked, page in zip(serving.asked, serving.pages, strict=True)],
        "state": claim_and_look(serving, person),
    }


def _question(asked: AskedQuestion, page: list[Block]) -> dict[str, Any]:
    question = asked.question
    when = question.when
    return {
        "id": question.id,
        "ask": question.ask,
        "type": question.type,
        "choices": list(question.choices),
        "positive": question.positive,
        "evidence": question.evidence,
        "when": {"question": when.question, "is": when.choice} if when else None,
        "min": question.min,
        "max": question.max,
        # JavaScript cannot tell 1.0 from 1.
        "scale": list(question.scale),
        "codebook": {"version": asked.codebook_version, "blocks": page},
    }
