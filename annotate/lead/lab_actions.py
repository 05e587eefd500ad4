"""The commands of the judge, one at a time: what each does, what it takes, and the button that starts it as a job."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from annotate.lead.frame import lead
from annotate.lead.jobs import jobs, start
from annotate.lead.lab_arguments import address, environment, free_text, options
from annotate.lead.lab_figures import Ran
from annotate.lead.text import html_of, without_markup
from annotate.serving import Serving
from data.errors import RejudgeError
from data.questions import Question
from data.splits import SPLITS
from data.store.judging import JudgeRun
from judge.judge_commands import ACTIONS
from judge.tree import Node


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action is about."""

    serving: Serving
    question: Question
    nodes: Sequence[Node]
    node: Node | None
    """The prompt that is chosen."""
    runs: Sequence[Ran]
    """Every run that has a verdict, in the order of recording."""

    def of(self, node: Node | None) -> list[JudgeRun]:
        """The runs of a prompt."""
        return [ran.run for ran in self.runs if node is not None and node.code is not None and ran.run.prompt == node.code]

    @property
    def parent(self) -> Node | None:
        return next((each for each in self.nodes if self.node is not None and each.hash == self.node.parent), None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be started."""

    arguments: list[str]
    base_url: str | None = None


Form = Callable[[Subject], Wanted | None]
"""Draws an action's fields; None where it cannot be started yet, which it then has said."""


def draw_actions(subject: Subject) -> None:
    """One action at a time, by the names of the commands."""
    names = [name for name, action in FORMS.items() if action.command in _THERE]
    if not names:
        return
    name = st.segmented_control("Action", names, default=names[0], key="action", label_visibility="collapsed") or names[0]
    action = FORMS[name]
    st.html(f'<p class="rj-said">{html_of(action.about)}</p>')
    try:
        wanted = action.form(subject)
    except RejudgeError as refusal:
        st.error(without_markup(f"{refusal.wrong} {refusal.found} {refusal.do}"))
        return
    if wanted is None:
        return
    busy = any(job.running for job in jobs(subject.serving.study)[:1])
    pressed = st.button(action.button, key=f"start-{action.command}", type="primary", disabled=busy)
    if busy:
        st.html('<p class="rj-soft">Another job runs; one runs at a time.</p>')
    if pressed:
        _start(action, wanted)


def _start(action: "Action", wanted: Wanted) -> None:
    serving, person = lead()
    try:
        start(serving.study, person, action.command, wanted.arguments, environment(wanted.base_url))
    except RejudgeError as refusal:
        st.error(without_markup(f"{refusal.wrong} {refusal.found} {refusal.do}"))
        return
    st.rerun()


# Fields that several actions have


def _endpoint(subject: Subject, what: str) -> tuple[str | None, str | None]:
    """The model and the address of the server, where they are not those of the study and of this server."""
    model, base_url = st.columns([1, 1.4])
    with model:
        declared = subject.serving.study.judge_model
        typed = st.text_input("Model", key=f"model-{what}", placeholder=declared or "as the server calls it")
    with base_url:
        where = st.text_input("Server", key=f"base-url-{what}", placeholder="the one that this server is set up for")
    if where.strip():
        st.html(
            '<p class="rj-soft">A server that is typed here gets no key: keys go only to the server that they were set for.</p>'
        )
    return free_text("The model", typed), address(where)


def _run_of(label: str, key: str, runs: Sequence[JudgeRun], place: int) -> JudgeRun:
    names = [run.name for run in runs]
    name = st.selectbox(label, names, min(max(place, 0), len(names) - 1), key=key)
    return runs[names.index(name)] if name in names else runs[0]


def _prompt_or_say(subject: Subject) -> Node | None:
    if subject.node is None:
        st.html('<p class="rj-soft">There is no prompt yet.</p>')
    return subject.node


# The actions


def _run(subject: Subject) -> Wanted | None:
    prompt = [] if subject.node is None else [f"--prompt={subject.node.hash}"]
    model, base_url = _endpoint(subject, "run")
    split, limit, repeats, concurrency = st.columns(4)
    with split:
        part = st.selectbox("Trajectories of", ["all", *SPLITS], key="split-run")
    with limit:
        first = st.number_input("Only the first", min_value=1, value=None, step=1, key="limit-run", placeholder="all of them")
    with repeats:
        times = st.number_input("Times each", min_value=1, max_value=20, value=1, step=1, key="repeats-run")
    with concurrency:
        at_once = st.number_input(
            "At once", min_value=1, max_value=512, value=None, step=1, key="concurrency-run", placeholder="as it comes"
        )
    given = options(
        model=model, base_url=base_url, split=part, limit=first, repeats=times if times > 1 else None, concurrency=at_once
    )
    return Wanted([*prompt, *given], base_url)


def _compare(subject: Subject) -> Wanted | None:
    runs = [ran.run for ran in subject.runs]
    if len(runs) < 2:
        st.html('<p class="rj-soft">It takes two judge runs.</p>')
        return None
    first, second = st.columns(2)
    before, after = subject.of(subject.parent), subject.of(subject.node)
    with first:
        one = _run_of("First", "compare-first", runs, runs.index(before[-1]) if before else 0)
    with second:
        two = _run_of("Second", "compare-second", runs, runs.index(after[-1]) if after else len(runs) - 1)
    if one == two:
        st.html('<p class="rj-soft">Name two different runs.</p>')
        return None
    return Wanted(["--", one.name, two.name])


@dataclass(frozen=True, slots=True)
class Action:
    """A command, and how it is started."""

    command: str
    button: str
    about: str
    form: Form


FORMS = {
    "Ask": Action(
        "run",
        "Ask the judge",
        "Asks the judge about every trajectory that it has no verdict on yet. What was paid for is never asked again.",
        _run,
    ),
    "Compare": Action(
        "compare", "Compare", "Two judge runs on the labelled items of dev: which agrees better with the humans.", _compare
    ),
}
"""By what the page calls them."""
_THERE = {add.__name__.removeprefix("add_") for add in ACTIONS}
