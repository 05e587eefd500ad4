"""The batches page: how far the labelling is, batches to pause, open, close and draw, and who may sign in."""

from dataclasses import replace

import streamlit as st

from annotate.lead.frame import heading, lead, show_refusal
from annotate.lead.kept import kept
from annotate.lead.text import html_of, without_markup
from annotate.links import sign_in_link
from annotate.sampling import MOST_OVERLAP, DrawRequest, copies_in, verdicts_meant
from annotate.sampling import draw as draw_batch
from annotate.serving import Serving
from data.errors import RejudgeError
from data.store import Store
from data.store.batches import set_batch_state
from data.store.people import ensure_person, people
from data.store.progress import Part, Progress, in_work, progress_of
from data.store.status import judge_run_codes, questions_of_run

EVERY_SECONDS = 4
SPLITS = ("all", "train", "dev", "test")


def draw() -> None:
    """One run of the page."""
    serving, _ = lead()
    heading(serving, "Batches", "How far the labelling is, and who labels.")
    _progress()
    left, right = st.columns(2, gap="large")
    with left:
        _draw_form(serving)
    with right:
        _annotators(serving)


@st.fragment(run_every=EVERY_SECONDS)
def _progress() -> None:
    """Every batch, drawn again while labels come in."""
    serving, _ = lead()
    with Store.open(serving.study.database) as store:
        batches, at_work = kept(store, "progress", progress_of), in_work(store)
    if not batches:
        st.info("No batch is drawn yet.")
    for batch in batches:
        with st.container(border=True, key=f"card-batch-{batch.code}"):
            _batch(serving, batch, {handle: count for (code, handle), count in at_work.items() if code == batch.code})


def _batch(serving: Serving, batch: Progress, at_work: dict[str, int]) -> None:
    told, acts = st.columns([3, 1], vertical_alignment="top")
    with told:
        st.html(_told(batch, at_work))
    with acts, st.container(horizontal=True, horizontal_alignment="right"):
        if batch.state == "open":
            _act(serving, batch, "Pause", "paused")
        if batch.state == "paused":
            _act(serving, batch, "Open again", "open")
        if batch.state != "closed":
            with st.popover("Close"):
                st.write("Nobody labels in a closed batch any more, and its labels may be shown. This cannot be undone.")
                _act(serving, batch, "Close for good", "closed")


def _act(serving: Serving, batch: Progress, label: str, state: str) -> None:
    if not st.button(label, key=f"{state}-{batch.code}"):
        return
    try:
        with Store.open(serving.study.database) as store:
            set_batch_state(store, batch.name, state)
    except RejudgeError as refusal:
        show_refusal(refusal)
    else:
        st.rerun()


def _told(batch: Progress, at_work: dict[str, int]) -> str:
    share = 100 * batch.finished / batch.wanted if batch.wanted else 100
    parts = batch.parts
    counts = (
        (sum(at_work.values()), "in work"),
        (sum(part.unsure for part in parts), "unsure"),
        (sum(part.skipped for part in parts), "skipped"),
        (sum(part.surplus for part in parts), "surplus"),
        (len(batch.flags), "flagged"),
    )
    said = " · ".join(f"{count:,} {word}" for count, word in counts if count)
    again = "" if batch.kind == "estimate" else f'<span class="rj-tag">{batch.kind}</span>'
    each = "one label each" if batch.overlap == 1 else f"{batch.overlap} labels each"
    return (
        f'<div data-rj="batch" data-state="{batch.state}"><div class="rj-row"><h2>{html_of(batch.name)}</h2>'
        f'<span class="rj-tag {batch.state}">{batch.state}</span>{again}</div>'
        f'<div class="rj-bar" role="img" aria-label="{share:.0f} % finished"><i style="width:{share:.2f}%"></i></div>'
        '<div class="rj-row"><span class="rj-num">'
        f'<b data-rj="finished-labels">{batch.finished:,}</b> of {batch.wanted:,} labels</span>'
        f'<span class="rj-soft">{batch.items:,} items, {each}</span><span class="rj-soft">{said}</span></div>'
        f"{_people_table(batch, at_work)}{_flags(batch)}</div>"
    )


def _people_table(batch: Progress, at_work: dict[str, int]) -> str:
    parts = {part.handle: part for part in batch.parts}
    rows = []
    for handle in sorted(parts.keys() | at_work.keys()):
        part = parts.get(handle, Part(handle, 0, 0, 0, 0))
        counts = (part.finished, part.unsure, part.skipped, at_work.get(handle, 0))
        cells = "".join(f'<td class="rj-num">{count:,}</td>' for count in counts)
        rows.append(f'<tr><th scope="row">{html_of(handle)}</th>{cells}</tr>')
    if not rows:
        return ""
    heads = "".join(f'<th scope="col" class="rj-num">{word}</th>' for word in ("finished", "unsure", "skipped", "in work"))
    return (
        '<table style="margin-top:8px"><thead><tr><th scope="col">annotator</th>'
        f"{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _flags(batch: Progress) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html_of(flag.id)}</th><td>{html_of(flag.handle)}</td><td>{html_of(flag.reason)}</td></tr>'
        for flag in batch.flags
    )
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{word}</th>' for word in ("item", "annotator", "reason"))
    return f"<details><summary>flagged items</summary><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></details>"


def _draw_form(serving: Serving) -> None:
    with Store.open(serving.study.database) as store:
        verdicts = [(run, id) for run, code in judge_run_codes(store).items() for id in questions_of_run(store, code)]
    with st.container(border=True, key="card-draw"), st.form("draw", border=False):
        st.html("<h2>Draw a batch</h2>")
        size = st.number_input("Items", min_value=1, value=40, step=1, key="n")
        left, right = st.columns(2)
        overlap = left.number_input("Labels per item", min_value=1, max_value=MOST_OVERLAP, value=2, step=1, key="overlap")
        split = right.selectbox("Split", SPLITS, key="split")
        by = st.selectbox(
            "How",
            [None, *verdicts],
            key="stratify",
            format_func=lambda by: f"equally from each verdict of {by[0]} on {by[1]}" if by else "simply at random",
        )
        left, right = st.columns(2)
        name = left.text_input("Name", placeholder="batch-1 and so on", key="name")
        seed = right.text_input("Seed", placeholder="random", key="seed")
        asked = st.form_submit_button("Draw", type="primary")
    if asked:
        request = DrawRequest(
            int(size), int(overlap), None if split == "all" else split, name.strip() or None, seed.strip() or None
        )
        _draw(serving, request, by)


def _draw(serving: Serving, request: DrawRequest, by: tuple[str, str] | None) -> None:
    """Draws. What the strata hold is not told: it would say how often the judge gave which verdict."""
    lead()
    try:
        with Store.open(serving.study.database) as store:
            strata = verdicts_meant(store, serving.study, *by) if by else None
            batch = draw_batch(store, replace(request, by=strata))
            copies = copies_in(store, batch)
    except RejudgeError as refusal:
        show_refusal(refusal)
        return
    st.success(without_markup(f"{batch.name}: {len(batch.items)} items drawn from {batch.frame['items']}; seed {batch.seed}."))
    if copies:
        st.warning(f"{copies} of the items are copies of others in the batch. Nobody is given both.")


def _annotators(serving: Serving) -> None:
    with st.container(border=True, key="card-people"):
        st.html("<h2>Who labels</h2>")
        with Store.open(serving.study.database) as store:
            known = people(store)
        rows = "".join(f'<tr><th scope="row">{html_of(one.handle)}</th><td class="rj-soft">{one.role}</td></tr>' for one in known)
        heads = '<tr><th scope="col">name</th><th scope="col">role</th></tr>'
        st.html(f'<table class="rj-wide"><thead>{heads}</thead><tbody>{rows}</tbody></table>')
        with st.form("invite", border=False):
            handle = st.text_input("Name", key="handle", placeholder="a new name, or one of these for a fresh link")
            as_lead = st.checkbox("a lead: runs the study and may see verdicts", key="as_lead")
            asked = st.form_submit_button("Make a sign-in link")
        if asked:
            _invite(serving, handle, as_lead)


def _invite(serving: Serving, handle: str, as_lead: bool) -> None:
    lead()
    try:
        with Store.open(serving.study.database) as store:
            person = ensure_person(store, handle.strip(), lead=as_lead)
            link = sign_in_link(store, person)
    except RejudgeError as refusal:
        show_refusal(refusal)
        return
    if as_lead and person.role != "lead":
        st.warning(without_markup(f"{person.handle} is there already, as {person.role}; that stays."))
    st.html(f'<p class="rj-soft">For {html_of(person.handle)} ({person.role}). It works once and is shown this once.</p>')
    st.code(link, language=None, wrap_lines=True)
