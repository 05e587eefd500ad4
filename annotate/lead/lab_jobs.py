"""What runs, how far it is, and how the jobs before it ended: drawn anew by itself, and the whole page once a job has ended."""

import os
import re

import streamlit as st

from annotate.lead.frame import lead
from annotate.lead.jobs import CERTIFIED, Job, how_it_ended, jobs, said, stop
from annotate.lead.text import html_of, without_markup
from annotate.serving import Serving
from data.errors import RejudgeError
from judge.tree import SHORT

EVERY_SECONDS = 1.0
EARLIER = 8
"""Jobs listed below the last one."""
LINES_WHILE_RUNNING = 4
_GOOD, _BAD = "✓", "✕"


@st.fragment(run_every=EVERY_SECONDS)
def draw_jobs() -> None:
    """The last job, and those before it."""
    serving, _ = lead()
    known = jobs(serving.study, EARLIER + 1)
    if not known:
        return
    last = known[0]
    watched = st.session_state.get("watched")
    st.session_state["watched"] = last.number if last.running else None
    if watched == last.number and not last.running:
        # What it brought is all over the page.
        st.rerun(scope="app")
    with st.container(border=True, key="card-job"):
        told, act = st.columns([5, 1], vertical_alignment="center")
        with told:
            st.html(_told(last))
        if last.running:
            with act, st.container(horizontal=True, horizontal_alignment="right"):
                st.button("Stop the job", key=f"stop-{last.number}", on_click=_stop, args=(last.number,))
        words = _words_of(serving, last)
        if words:
            st.html(words)
        if known[1:]:
            st.html(_earlier(known[1:]))


def _stop(number: int) -> None:
    serving, person = lead()
    try:
        stop(serving.study, person, number)
    except RejudgeError as refusal:
        st.toast(without_markup(f"{refusal.wrong} {refusal.found}"))


def _told(job: Job) -> str:
    return (
        f'<div class="rj-row" data-rj="job" data-number="{job.number}" data-state="{"running" if job.running else "ended"}">'
        f'<h2>judge {html_of(job.action)}</h2>{_ending(job)}<span class="rj-soft">{html_of(arguments_shown(job))}</span>'
        f'<span class="rj-soft">{html_of(job.lead)}, {_started(job)} UTC</span></div>'
    )


def _started(job: Job) -> str:
    """To the minute."""
    return html_of(job.started_at[:16].replace("T", " "))


def _ending(job: Job) -> str:
    if job.running:
        return '<span class="rj-tag open">running</span>'
    sign, look = (_GOOD, "open") if _went_well(job) else (_BAD, "warn")
    return f'<span class="rj-tag {look}" data-rj="ended">{sign} {html_of(how_it_ended(job))}</span>'


def _went_well(job: Job) -> bool:
    return job.status == 0 or (job.action == "certify" and job.status in CERTIFIED)


def arguments_shown(job: Job) -> str:
    """What the command was given, hashes cut short, without the address of a server, whose owner may not want it read."""
    shown = [word for word in job.arguments if not word.startswith("--base-url=") and word != "--"]
    return _HASH.sub(lambda found: found[0][:SHORT], " ".join(shown))


_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def _words_of(serving: Serving, job: Job) -> str:
    """While it runs the end of what it says; then all of it, on demand where it went well and has no result."""
    errors = said(serving.study, job.number, "err", os.environ)
    results = said(serving.study, job.number, "out", os.environ)
    if job.running:
        return _block(errors[-LINES_WHILE_RUNNING:])
    if job.status == 0 and not results:
        return f"<details><summary>what it said</summary>{_block(errors)}</details>" if errors else ""
    opened = "" if _went_well(job) else " open"
    notes = f"<details{opened}><summary>notes</summary>{_block(errors)}</details>" if errors and results else _block(errors)
    # A revision says last what came of it.
    return _block(results, "rj-end" if job.action == "revise" else "") + notes


def _block(lines: list[str], look: str = "") -> str:
    text = html_of("\n".join(lines))
    return f'<pre class="rj-log {look}" data-rj="log" tabindex="0">{text}</pre>' if text else ""


def _earlier(listed: list[Job]) -> str:
    rows = "".join(
        f'<tr><td class="rj-num rj-soft">{job.number}</td><th scope="row">{html_of(job.action)}</th><td>{_ending(job)}</td>'
        f'<td class="rj-soft">{html_of(arguments_shown(job))}</td><td class="rj-soft rj-num">{_started(job)}</td></tr>'
        for job in listed
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("", "job", "how it ended", "with", "started, UTC"))
    return (
        f'<details><summary>jobs before it</summary><div class="rj-scroll"><table class="rj-wide"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )
