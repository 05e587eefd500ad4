"""The judge page: a question's prompts, what was asked with them, and every command of the judge, started, watched and stopped.

It names no single item beside what a judge said of it: causes are taken on the page “Disagreements”.
"""

import streamlit as st

from annotate.lead.counting import counting
from annotate.lead.frame import heading, lead, show_refusal
from annotate.lead.kept import kept
from annotate.lead.lab_actions import draw_actions
from annotate.lead.lab_certificates import draw_certificates
from annotate.lead.lab_fields import Subject
from annotate.lead.lab_figures import Ran, draw_before_after, draw_runs, kappas, largest
from annotate.lead.lab_jobs import draw_jobs
from annotate.lead.lab_prompts import chosen_of, draw_chosen, draw_no_prompt, draw_tree
from annotate.lead.still_labelling import may_look
from annotate.lead.text import html_of
from annotate.serving import Serving
from data.questions import Question
from data.store import Store
from data.store.judging import judge_runs, run_totals
from judge.prompts import prompt_files
from judge.tree import Node, prompt_tree

ABOUT = (
    "Ask the judge, revise its prompt, and prove on held-out items that it got better. Each is a command that runs on the server."
)
WHY = "These figures tell how often the judge and the others chose what, and may colour what you label next."


def draw() -> None:
    """One run of the page."""
    serving, person = lead()
    heading(serving, "Judge", ABOUT)
    if not may_look(serving, person, "judge", "judge", WHY):
        return
    question = _question(serving)
    files, bad = prompt_files(serving.study, question)
    for refusal in bad:
        show_refusal(refusal)
    with Store.open(serving.study.database) as store:
        nodes = prompt_tree(store, question, files)
        totals = kept(store, "totals of runs", run_totals)
        runs = [Ran(run, totals[run.code]) for run in judge_runs(store) if run.code in totals]
    node = _prompts(serving, question, nodes, runs)
    subject = Subject(serving, question, nodes, node, runs)
    draw_actions(subject)
    # Below the button that starts one, so that whoever pressed it sees it run.
    draw_jobs()
    if node is not None:
        _figures(subject, node)
    draw_certificates(serving)


def _question(serving: Serving) -> Question:
    questions = {question.id: question for question in serving.study.questions}
    named = st.query_params.get("question", "")
    ids = list(questions)
    id = named if named in questions else ids[0]
    if len(ids) > 1:
        id = st.selectbox("Question", ids, ids.index(id), key="ask-question", width=260, on_change=_asked)
    st.html(f'<p class="rj-ask">{html_of(questions[id].ask)}</p>')
    return questions[id]


def _asked() -> None:
    st.query_params["question"] = st.session_state["ask-question"]
    st.query_params.pop("prompt", None)


def _prompts(serving: Serving, question: Question, nodes: list[Node], runs: list[Ran]) -> Node | None:
    """The tree and the prompt that is chosen in it; None where there is none."""
    if not nodes:
        draw_no_prompt(serving, question)
        return None
    node = chosen_of(nodes)
    agreed = kappas(counting(serving.study), question.id, runs)
    tree, shown = st.columns([1, 1.35], gap="medium")
    with tree, st.container(border=True, key="card-tree"):
        st.html("<h2>Prompts</h2>")
        draw_tree(nodes, node, agreed)
    with shown, st.container(border=True, key="card-prompt"):
        draw_chosen(serving, nodes, node)
    return node


def _figures(subject: Subject, node: Node) -> None:
    """What the runs of the prompt that is chosen brought, and the change against its parent's."""
    own, earlier = subject.ran(node), subject.ran(subject.parent)
    with st.container(border=True, key="card-runs"):
        st.html("<h2>What was asked with it</h2>")
        draw_runs(own, node.revised)
    if own and earlier:
        with st.container(border=True, key="card-change"):
            after = largest(own)
            # The same model before and after, where there is one: else two things changed at once.
            same = [ran for ran in earlier if ran.run.document.get("model") == after.document.get("model")]
            draw_before_after(counting(subject.serving.study), subject.question.id, largest(same or earlier), after)
