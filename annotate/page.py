"""Who is looking, and which pages they get. Pages only draw; roles decide here, on the server.

An annotator has the desk and nothing else: no other page is ever named to her session, so that there is
none to be opened by an address. A lead's pages are handed to Streamlit as files, by their path: this
module, which runs for annotators, imports none of them and so reaches neither judge nor reports.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from annotate.codebook_page import Block
from annotate.desk_component import draw_desk
from annotate.serving import Serving, current
from annotate.wire import claim_and_look
from data.store.people import Person
from data.store.versions import AskedQuestion

LEAD_PAGES = Path(__file__).resolve().parent / "lead" / "pages"
LEAD = ("batches", "agreement", "disagreements", "annotators", "prevalence", "plan", "adjudication", "judge")
"""The lead's pages: names of addresses, and of files but for one."""


def file_of(name: str) -> Path:
    """The file of a lead's page. A file called like the room `judge` could be imported in its place."""
    return LEAD_PAGES / f"{'lab' if name == 'judge' else name}.py"


def signed_in(serving: Serving) -> Person | None:
    """The person behind this run's cookie, asked of the database on every run."""
    session = st.context.cookies.get(serving.cookie)
    return serving.person(session if isinstance(session, str) else None)


def draw() -> None:
    """One run of the script."""
    serving = current()
    person = signed_in(serving)
    if person is None or person.role != "lead":
        st.set_page_config(page_title=serving.study.name, layout="wide", initial_sidebar_state="collapsed")
        draw_desk_of(serving, person)
        return

    def desk() -> None:
        # The desk covers the window and has links of its own: no second row of them for the Tab key behind it.
        st.html("<style>[data-testid='stHeader'] { display: none; }</style>")
        draw_desk_of(serving, person)

    pages = [st.Page(desk, title="Desk", url_path="desk", default=True)]
    pages += [st.Page(file_of(name), title=name.capitalize(), url_path=name) for name in LEAD]
    page = st.navigation(pages, position="top")
    title = serving.study.name if page.url_path == "" else f"{page.title} · {serving.study.name}"
    st.set_page_config(page_title=title, layout="wide", initial_sidebar_state="collapsed")
    page.run()


def draw_desk_of(serving: Serving, person: Person | None) -> None:
    if person is None:
        st.write("You are signed out. Open your sign-in link again.")
    else:
        draw_desk(desk_data(serving, person))


def desk_data(serving: Serving, person: Person) -> dict[str, Any]:
    """What the desk needs to begin: texts, choices, codebook pages and opaque references. No trajectory."""
    return {
        "study": serving.study.name,
        "annotator": person.handle,
        "base": "/desk",
        "pages": list(LEAD) if person.role == "lead" else [],
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
