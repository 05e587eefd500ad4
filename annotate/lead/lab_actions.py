"""The commands of the judge, one at a time: what each does, what it takes, and the button that starts it as a job."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import streamlit as st

from annotate.lead.counting import counting
from annotate.lead.figures import notes_html
from annotate.lead.frame import lead, show_refusal
from annotate.lead.jobs import jobs, start
from annotate.lead.lab_arguments import environment, options
from annotate.lead.lab_batches import batch
from annotate.lead.lab_fields import Form, Subject, Wanted, endpoint, how_many, run_of
from annotate.lead.text import html_of
from data.errors import RejudgeError
from data.store import Store
from data.store.causes import CAUSES, causes_of
from data.store.judging import JudgeRun
from data.store.status import question_codes
from data.wording import amount
from judge.certify_command import LOOKS


def draw_actions(subject: Subject) -> None:
    """One action at a time, by the names of the commands."""
    names = list(FORMS)
    with st.container(border=True, key="card-actions"):
        name = st.segmented_control("Action", names, default=names[0], required=True, key="action", label_visibility="collapsed")
        _draw_action(subject, FORMS[name if name in FORMS else names[0]])


def _draw_action(subject: Subject, action: "Action") -> None:
    st.html(f'<p class="rj-said">{html_of(action.about)}</p>')
    try:
        wanted = action.form(subject)
    except RejudgeError as refusal:
        show_refusal(refusal)
        return
    if wanted is None:
        return
    busy = any(job.running for job in jobs(subject.serving.study, 1))
    words, may = wanted.button or action.button, wanted.agreed and not busy
    pressed = st.button(words, key=f"start-{action.command}", type="primary", disabled=not may)
    if busy:
        st.html('<p class="rj-soft">A job runs, as below; one runs at a time.</p>')
    if pressed:
        _start(action, wanted)
    if wanted.below is not None:
        wanted.below()


def _start(action: "Action", wanted: Wanted) -> None:
    serving, person = lead()
    try:
        start(serving.study, person, action.command, wanted.arguments, environment(wanted.addresses))
    except RejudgeError as refusal:
        show_refusal(refusal)
        return
    st.rerun()


# The actions


def _run(subject: Subject) -> Wanted | None:
    prompt = [] if subject.node is None else [f"--prompt={subject.node.hash}"]
    model, base_url = endpoint(subject, "run")
    *columns, concurrency = st.columns(4)
    asked = how_many("run", columns)
    with concurrency:
        at_once = st.number_input(
            "At once", min_value=1, max_value=512, value=None, step=1, key="concurrency-run", placeholder="as it comes"
        )
    given = options(model=model, base_url=base_url, **asked, concurrency=at_once)
    return Wanted([*prompt, *given], (base_url,))


def _compare(subject: Subject) -> Wanted | None:
    runs = [ran.run for ran in subject.runs]
    if len(runs) < 2:
        st.html('<p class="rj-soft">It takes two judge runs.</p>')
        return None
    first, second = st.columns(2)
    before, after = subject.of(subject.parent), subject.of(subject.node)
    new = after[-1] if after else runs[-1]
    # A first prompt has no parent: then the newest other run.
    old = next(run for run in (*reversed(before), *reversed(runs)) if run != new)
    with first:
        one = run_of("First", "compare-first", runs, runs.index(old))
    with second:
        two = run_of("Second", "compare-second", runs, runs.index(new))
    if one == two:
        st.html('<p class="rj-soft">Name two different runs.</p>')
        return None
    return Wanted(["--", one.name, two.name])


def _revise(subject: Subject) -> Wanted | None:
    runs = subject.of(subject.node) + [ran.run for ran in subject.runs if ran.run.kind == "imported"]
    if subject.node is None or not runs:
        st.html('<p class="rj-soft">Ask with this prompt first: a revision starts from what it got wrong on train.</p>')
        return None
    run = run_of("Whose errors", "revise-run", runs, len(subject.of(subject.node)) - 1)
    wrong = _judged_wrong(subject, run)
    where = f"/disagreements?question={quote(subject.question.id)}&run={quote(run.name)}"
    said = f"{amount(wrong, 'train item')} with the cause “judge wrong” on {run.name}."
    st.html(f'<p class="rj-soft" data-rj="causes">{html_of(said)} <a href="{html_of(where)}">Take causes</a></p>')
    if not wrong:
        return None
    # Revised and asked is by the model, and at the server, of that run.
    model, base_url = endpoint(subject, "revise", str(run.document.get("model") or ""), "where that run was asked")
    count = st.number_input("Candidates", min_value=1, max_value=10, value=3, step=1, key="candidates-revise", width=160)
    anyway = st.checkbox("even where the codebook is to be mended first, or the last rounds brought no gain", key="anyway-revise")
    given = options(prompt=subject.node.hash, run=run.name, candidates=count, model=model, base_url=base_url, by=_handle())
    # The candidates are asked where the run was asked.
    asked_at = run.document.get("endpoint")
    return Wanted([*given, *(["--anyway"] if anyway else [])], (base_url, str(asked_at) if asked_at else None))


def _judged_wrong(subject: Subject, run: JudgeRun) -> int:
    with Store.open(subject.serving.study.database) as store:
        code = question_codes(store).get(subject.question.id)
        causes = {} if code is None else causes_of(store, run.code, code)
    return sum(cause.cause == CAUSES[0] for cause in causes.values())


def _handle() -> str:
    _, person = lead()
    return person.handle


def _certify(subject: Subject) -> Wanted | None:
    new, others = subject.of(subject.node), [ran.run for ran in subject.runs]
    before = subject.of(subject.parent)
    if not new or len(others) < 2:
        st.html('<p class="rj-soft">It takes a run of this prompt, and one of the prompt whose place it is to take.</p>')
        return None
    left, right, count = st.columns([2, 2, 1])
    with left:
        one = run_of("New", "certify-new", new, len(new) - 1)
    others = [run for run in others if run != one]
    with right:
        other = run_of("Against", "certify-old", others, others.index(before[-1]) if before and before[-1] in others else 0)
    with count:
        declared = st.selectbox("Looks", ["as declared", *map(str, LOOKS)], key="certify-looks")
    looks = int(declared) if declared.isdecimal() else None
    told = counting(subject.serving.study).ahead(subject.question.id, other.name, one.name, looks, _handle())
    st.html(_before_a_look(told))
    number = next((job.number for job in jobs(subject.serving.study, 1)), 0)
    words = f"Take look {told['look']} of {told['looks']}: it is on record, and cannot be taken back"
    agreed = st.checkbox(words, key=f"certify-agreed-{number}-{one.code}-{other.code}-{looks}")
    given = options(against=other.name, looks=looks, question=subject.question.id, by=_handle())
    return Wanted([*given, "--", one.name], agreed=agreed)


def _before_a_look(told: dict[str, Any]) -> str:
    notes = list(told["warnings"])
    if told["left_out"]:
        notes.append(f"Left out, because their looks are used up: {amount(told['left_out'], 'test item')}.")
    notes.append(
        "How many looks there are is declared with the first one: 1 unless you choose more, and each one is then stricter."
    )
    return f'<p class="rj-said" data-rj="power">{html_of(told["power"])}</p>{notes_html(notes)}'


def _xray(subject: Subject) -> Wanted | None:
    if subject.node is None:
        st.html('<p class="rj-soft">There is no prompt yet.</p>')
        return None
    model, base_url = endpoint(subject, "xray")
    most = st.number_input("Items at most", min_value=1, max_value=10_000, value=20, step=1, key="n-xray", width=160)
    return Wanted(options(prompt=subject.node.hash, model=model, base_url=base_url, n=most), (base_url,))


def _baseline(subject: Subject) -> Wanted | None:
    return Wanted(options(question=subject.question.id))


def _lint(subject: Subject) -> Wanted | None:
    if subject.node is None:
        st.html('<p class="rj-soft">There is no prompt yet.</p>')
        return None
    return Wanted(["--", subject.node.hash])


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
    "Batch": Action(
        "batch",
        "Start",
        "The same by files, for millions: requests to send to a batch service or to a cluster, and what comes back.",
        batch,
    ),
    "Revise": Action(
        "revise",
        "Revise the prompt",
        "A model proposes edits with reasons, from train items on which the judge is wrong. The candidates compete on dev and "
        "become prompts below this one.",
        _revise,
    ),
    "Compare": Action(
        "compare", "Compare", "Two judge runs on the labelled items of dev: which agrees better with the humans.", _compare
    ),
    "Certify": Action(
        "certify",
        "Certify",
        "Whether the new prompt is better than the old one, decided once on test items. Each look is on record, and uses them up.",
        _certify,
    ),
    "X-ray": Action(
        "xray",
        "X-ray the judge",
        "Asks train items again with instructions to the grader in a tool result, each kind alone, and counts how often the judge "
        "obeys.",
        _xray,
    ),
    "Baseline": Action(
        "baseline",
        "Teach the baseline",
        "A judge without a model of language, taught by the labels: what a real one must beat.",
        _baseline,
    ),
    "Lint": Action("lint", "Check the prompt", "What is wrong with the prompt that is chosen, before anybody pays for it.", _lint),
}
"""By what the page calls them."""
