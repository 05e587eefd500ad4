"""Taking the cause of a disagreement between humans and a judge: five buttons and a note, and the way to the next without one.

Streamlit fires a shortcut again and again while its key is held. A press within a second of the one before is taken for
the same one: nobody reads an item in that time, and a held key would fill a list with one cause.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from annotate.lead.frame import lead, show_refusal
from annotate.lead.text import html_of
from data.errors import RejudgeError
from data.store import Store
from data.store.causes import CAUSES, Cause, assign_cause, open_batch_of
from data.wording import amount

ABOUT = {
    "judge wrong": "The humans are right, by the codebook. Only these drive the judge's prompt.",
    "human wrong": "The judge is right, by the codebook.",
    "codebook ambiguous": "The page lets both answers stand: mend it, and label again.",
    "item broken": "The item cannot be judged as it is.",
    "evidence differed": "Humans and judge did not see the same, or looked at different steps.",
}
WITHOUT = "without"
"""The filter that leaves items without a cause."""
ONE_PRESS = 1.0
"""Seconds."""
FILTERS = {"any": "all", WITHOUT: "without a cause", **{str(place): cause for place, cause in enumerate(CAUSES, 1)}}


def passing(numbers: Sequence[int], causes: Mapping[int, Cause], filter: str) -> list[int]:
    """The items that one of `FILTERS` lets through."""
    if filter == WITHOUT:
        return [number for number in numbers if number not in causes]
    wanted = FILTERS[filter]
    return [number for number in numbers if filter == "any" or (number in causes and causes[number].cause == wanted)]


def progress_html(numbers: Sequence[int], causes: Mapping[int, Cause]) -> str:
    """`3 of 12 have a cause: 2 judge wrong, 1 item broken`."""
    counts = Counter(causes[number].cause for number in numbers if number in causes)
    told = ", ".join(f"{counts[cause]:,} {cause}" for cause in CAUSES if counts[cause])
    verb = "has" if len(numbers) == 1 else "have"
    said = f"{counts.total():,} of {amount(len(numbers), 'disagreement', form=',')} {verb} a cause{': ' if told else ''}{told}."
    return f'<p class="rj-soft" data-rj="causes">{html_of(said)}</p>'


def next_without(numbers: Sequence[int], here: int, causes: Mapping[int, Cause]) -> int | None:
    """The next item without a cause after `here`, round to it; None where every other one has one."""
    place = numbers.index(here)
    return next((number for number in (*numbers[place + 1 :], *numbers[:place]) if number not in causes), None)


def draw_causes(store: Store, run: int, question: int, item: int, standing: Cause | None, go_on: Callable[[], None]) -> None:
    """The form for one item. `go_on`: called after a cause was written, before the next run of the page."""
    running = open_batch_of(store, item)
    with st.container(border=True, key="card-cause"):
        st.html(f"<h3>Why they differ</h3>{_standing(standing)}")
        if running is not None:
            st.html(f'<p class="rj-soft">A cause is taken once batch {html_of(running)} is closed.</p>')
            return
        refusal = st.session_state.pop("cause-refused", None)
        if refusal is not None:
            show_refusal(refusal)
        note = f"note-{run}-{question}-{item}"
        if standing and note not in st.session_state:
            st.session_state[note] = standing.note

        def take(cause: str) -> None:
            if _same_press():
                return
            serving, person = lead()
            try:
                with Store.open(serving.study.database) as writing:
                    assign_cause(writing, person, run, item, question, cause, st.session_state.get(note) or "")
            except RejudgeError as error:
                st.session_state["cause-refused"] = error
            else:
                go_on()

        with st.container(horizontal=True, gap="small", key="causes"):
            for place, cause in enumerate(CAUSES, 1):
                stands = standing is not None and standing.cause == cause
                st.button(
                    cause.capitalize(),
                    key=f"cause-{place}",
                    type="primary" if stands else "secondary",
                    help=ABOUT[cause],
                    shortcut=str(place),
                    on_click=take,
                    args=(cause,),
                )
        about = "Note, if any: what the prompt or the codebook would have to say"
        st.text_input("Note", key=note, placeholder=about, label_visibility="collapsed")


def _standing(standing: Cause | None) -> str:
    if standing is None:
        return ""
    return (
        f'<p class="rj-soft" data-rj="cause">{html_of(standing.cause.capitalize())}, says {html_of(standing.lead)}. '
        "Another one takes its place.</p>"
    )


def _same_press() -> bool:
    """Whether a cause was pressed a moment ago; a held key goes on being the same press."""
    before, now = st.session_state.get("cause-pressed", -ONE_PRESS), time.monotonic()
    st.session_state["cause-pressed"] = now
    return bool(now - before < ONE_PRESS)
