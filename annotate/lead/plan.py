"""The plan page: how many items to label, answered as numbers are typed, and whether it is enough.

What was seen so far is counted in another process; what a wish makes of it takes no time.
"""

from typing import Any

import streamlit as st

from annotate.lead import plan_figures
from annotate.lead.choosing import chosen_run
from annotate.lead.figures import notes_html
from annotate.lead.frame import heading, lead
from annotate.lead.still_labelling import may_look
from annotate.lead.text import without_markup
from data.wording import two_places
from reports.plan_document import HALF_WIDTH, Wish, planned
from reports.plan_text import BY_FORMULA, BY_WIDTH_ALONE, assumed_words, gains_words
from reports.planner import POWER

EVERY_SECONDS = 4
WHY = "A plan tells roughly how often the judge and the others chose what, and may colour what you label next."
ABOUT = "How many items to label, from what was seen so far: the numbers of “rejudge plan”."

Json = dict[str, Any]


def draw() -> None:
    """One run of the page."""
    serving, person = lead()
    heading(serving, "Plan", ABOUT)
    if may_look(serving, person, "plan", "plan", WHY):
        _figures()


@st.fragment(run_every=EVERY_SECONDS)
def _figures() -> None:
    """The plan, drawn again while labels come in."""
    found = chosen_run("plan")
    if found is None:
        return
    document, question, run = found
    part = _part(run)
    if part["reason"]:
        st.info(without_markup(part["reason"][0].upper() + part["reason"][1:] + "."))
        return
    asked, told = st.columns([1, 2.1], gap="large", vertical_alignment="top")
    with asked:
        wish = _wish(part)
    with told:
        if wish is not None:
            _plan(document, question, part, wish)


def _part(run: Json) -> Json:
    """What of the question is planned for: itself, or one of its labels."""
    names = [part["of"] for part in run["parts"]]
    name = st.selectbox("Label", names, key="part", width=260) if len(names) > 1 else names[0]
    part: Json = run["parts"][names.index(name) if name in names else 0]
    return part


def _wish(part: Json) -> Wish | None:
    """What was typed; None, with the reason said, where it makes no sense."""
    with st.container(border=True, key="card-wish"):
        half_width = st.number_input(
            "Kappa is to be known to ±", min_value=0.01, max_value=0.50, value=HALF_WIDTH, step=0.01, key="half-width"
        )
        st.html('<p class="rj-caption">To show more</p>')
        kappa0 = _number("Kappa is above", "kappa0", -0.99, 0.98, "nothing to show")
        kappa1 = power = None
        if kappa0 is not None:
            kappa1 = _number("when it truly is", "kappa1", -0.98, 0.99, "as planned with")
            power = st.number_input("with a chance of", min_value=0.50, max_value=0.99, value=POWER, step=0.05, key="power")
        st.html('<p class="rj-caption">Instead of what was seen</p>')
        kappa = _number("Kappa", "kappa", -0.99, 0.99, "as seen so far")
        binary = len(part["verdicts"]) == 2
        prevalence = _number(f"Share of “{part['of']}”", "share", 0.01, 0.99, "as seen so far") if binary else None
    if kappa0 is not None and kappa1 is not None and kappa1 <= kappa0:
        st.info(f"No number of items shows a kappa to be above {two_places(kappa0)} when it is {two_places(kappa1)}.")
        return None
    return Wish(half_width, kappa0, kappa1, POWER if power is None else power, prevalence, kappa)


def _number(label: str, key: str, low: float, high: float, empty: str) -> float | None:
    """A number, or None where the field is left empty."""
    number: float | None = st.number_input(
        without_markup(label), min_value=low, max_value=high, value=None, step=0.05, format="%.2f", key=key, placeholder=empty
    )
    return number


def _plan(document: Json, question: Json, part: Json, wish: Wish) -> None:
    alone = {**document, "questions": [{**question, "runs": [{"run": None, "parts": [part]}]}]}
    answer = planned(alone, wish)["questions"][0]["runs"][0]["parts"][0]
    with st.container(border=True, key="card-now"):
        st.html(plan_figures.status(answer, wish.half_width) + notes_html([BY_WIDTH_ALONE]))
    st.html(plan_figures.plans(answer, wish, document["trajectories"]) + notes_html([BY_FORMULA]))
    if "expected" in answer:
        st.html(plan_figures.expected(answer) + notes_html([gains_words(answer)]))
    st.html(f"<h2>Starting from</h2>{notes_html(assumed_words(answer))}")
