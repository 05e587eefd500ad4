"""Prompts on the judge page: the tree of a question, and of the one that is chosen its changes, its text, and an editor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from annotate.lead.counting import counting
from annotate.lead.frame import lead, show_refusal
from annotate.lead.picking import PickCell, draw_picking
from annotate.lead.prompt_diff import counted, diff_html
from annotate.lead.text import html_of, without_markup
from annotate.serving import Serving
from data.errors import RejudgeError
from data.questions import Question
from data.store import Store
from data.study import write_study_file
from data.wording import amount
from judge.prompts import Prompt, ensure_first_prompt, next_path, parse_prompt, prompt_files
from judge.tree import Node, prompt_tree

LONGEST = 200_000
"""Characters of a prompt that is written here."""


def chosen_of(nodes: list[Node]) -> Node:
    """The one that the address names, else the newest file."""
    named = st.query_params.get("prompt", "")
    newest = max((node for node in nodes if node.files), key=lambda node: node.files[-1].name, default=nodes[-1])
    return next((node for node in nodes if named and node.hash.startswith(named)), newest)


def parent_of(nodes: Sequence[Node], node: Node) -> Node | None:
    """The one that a prompt was made from, where it is here."""
    return next((each for each in nodes if each.hash == node.parent), None)


def _picked(value: str) -> None:
    st.query_params["prompt"] = value


def draw_no_prompt(serving: Serving, question: Question) -> None:
    """Where a question has none: the built-in first one, to be written."""
    st.info("This question has no prompt yet. The first run writes the built-in one, from its wording, codebook page and choices.")
    if st.button("Write the built-in first prompt", key="first-prompt", type="primary"):
        lead()
        try:
            ensure_first_prompt(serving.study, question)
        except RejudgeError as refusal:
            show_refusal(refusal)
            return
        st.rerun()


def draw_tree(nodes: list[Node], chosen: Node, kappas: Mapping[int, str]) -> None:
    """Every prompt below the one that it was made from; `kappas`: in words, by the prompt's code."""
    head = [[PickCell(text=text, head="col") for text in ("prompt", "file", "author", "note", "kappa")]]
    rows = []
    for node in nodes:
        branch = f"{'   ' * (node.depth - 1)}└ " if node.depth else ""
        name = PickCell(text=f"{branch}{node.short}", pick=node.hash, say=f"prompt {node.short}", on=node.hash == chosen.hash)
        files = ", ".join(path.name for path in node.files) or "on record"
        kappa = kappas.get(node.code, "–") if node.code is not None else "–"
        texts = (files, node.prompt.author or "–", node.prompt.note or "–")
        rows.append([name, *(PickCell(text=text) for text in texts), PickCell(text=kappa, look="rj-num")])
    draw_picking("prompts", "prompts", "rj-wide rj-prompts", head, rows, _picked)


def draw_chosen(serving: Serving, nodes: list[Node], node: Node) -> None:
    """The prompt that is chosen: what it changes, its text, and a copy to be edited."""
    parent = parent_of(nodes, node)
    st.html(_head(node, parent))
    views = [*(["Changes"] if parent else []), "Text", "Edit"]
    key = f"view-{node.hash}"
    view = st.segmented_control("View", views, default=views[0], required=True, key=key, label_visibility="collapsed")
    if view == "Edit":
        _edit(serving, node)
    elif view == "Text" or parent is None:
        st.html(f'<pre class="rj-prompt" data-rj="prompt-text" tabindex="0">{html_of(node.prompt.body)}</pre>')
    else:
        st.html(diff_html(parent.prompt.body, node.prompt.body))


def _head(node: Node, parent: Node | None) -> str:
    prompt = node.prompt
    told = [f"made from {parent.short} ({parent.named})"] if parent else []
    if parent:
        came, went = counted(parent.prompt.body, prompt.body)
        told.append(f"{amount(came, 'line')} added, {went:,} removed")
    elif prompt.parent:
        told.append(f"made from {prompt.parent}, which is not here")
    told += [f"by {prompt.author}"] if prompt.author else []
    note = f'<p class="rj-said rj-text">{html_of(prompt.note)}</p>' if prompt.note else ""
    kind = '<span class="rj-tag">revised here: dev figures only</span>' if node.revised else ""
    return (
        f'<div data-rj="prompt" data-hash="{node.hash}"><div class="rj-row"><h2>{html_of(node.named)}</h2>'
        f'<span class="rj-soft rj-num">{node.short}</span>{kind}</div>'
        f'<p class="rj-soft">{html_of(" · ".join(told))}</p>{note}</div>'
    )


# A copy to be edited


def _edit(serving: Serving, node: Node) -> None:
    """A child of the prompt, written by hand: what changed, what there is to say against it, and then the file."""
    body = st.text_area("Template", node.prompt.body, height=420, max_chars=LONGEST, key=f"body-{node.hash}")
    note = st.text_input("What was changed, and why", key=f"note-{node.hash}", max_chars=300)
    if body.strip("\n") == node.prompt.body:
        st.html('<p class="rj-soft">Nothing is changed yet. A changed copy becomes a prompt of its own, below this one.</p>')
        return
    child = _child(node, body, note)
    st.html(f"<h3>What you changed</h3>{diff_html(node.prompt.body, child.body)}")
    checked = f"checked-{node.hash}"
    # It reads every trajectory, in the process that counts; so it is asked for.
    if st.button("Check it", key=f"check-{node.hash}", disabled=not child.body):
        st.session_state[checked] = child.hash
    if st.session_state.get(checked) != child.hash:
        return
    try:
        findings = counting(serving.study).findings(child.text())
    except RejudgeError as refusal:
        show_refusal(refusal)
        return
    st.html(_findings(findings))
    if any(finding["refused"] for finding in findings):
        return
    if st.button("Save as a prompt below this one", key=f"save-{node.hash}", type="primary"):
        _save(serving, child)


def _findings(findings: list[dict[str, Any]]) -> str:
    """What the check found; a finding that is refused keeps the prompt from being saved."""
    if not findings:
        return '<p class="rj-soft" data-rj="findings">✓ Nothing was found against it.</p>'
    told = "".join(
        f"<li>{'<b>to be mended:</b>' if finding['refused'] else 'note:'} {html_of(finding['said'])}</li>" for finding in findings
    )
    return f'<ul class="rj-notes rj-found" data-rj="findings">{told}</ul>'


def _child(node: Node, body: str, note: str) -> Prompt:
    text = body.replace("\r\n", "\n").strip("\n")
    return Prompt(node.prompt.question, text, node.hash, note=" ".join(note.split()), examples=node.prompt.examples)


def _save(serving: Serving, child: Prompt) -> None:
    """Writes the file; the page then shows it."""
    _, person = lead()
    question = serving.study.question(child.question)
    assert question is not None
    try:
        path = next_path(serving.study, child.question)
        # Read back before it is written: what a file of it would say is what was meant.
        written = parse_prompt(replace(child, author=person.handle).text(), path.name)
        with Store.open(serving.study.database) as store:
            nodes = prompt_tree(store, question, prompt_files(serving.study, question)[0])
        there = next((node for node in nodes if node.hash == written.hash), None)
        if there is None:
            write_study_file(path, written.text())
    except RejudgeError as refusal:
        show_refusal(refusal)
        return
    if there is not None:
        st.info(without_markup(f"This text is there already, as {there.named}."))
        return
    st.query_params["prompt"] = written.hash
    st.rerun()
