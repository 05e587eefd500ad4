"""What the actions of the judge page have in common: what each is about, what it hands on, and the fields that several have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from annotate.lead.lab_arguments import address, free_text
from annotate.lead.lab_figures import Ran
from annotate.lead.lab_prompts import parent_of
from annotate.lead.text import seen
from annotate.serving import Serving
from data.questions import Question
from data.splits import SPLITS
from data.store.judging import JudgeRun
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

    def ran(self, node: Node | None) -> list[Ran]:
        """What was asked with a prompt; nothing with one that is not on record."""
        return [ran for ran in self.runs if node is not None and node.code is not None and ran.run.prompt == node.code]

    def of(self, node: Node | None) -> list[JudgeRun]:
        """The same runs, without what they brought."""
        return [ran.run for ran in self.ran(node)]

    @property
    def parent(self) -> Node | None:
        return None if self.node is None else parent_of(self.nodes, self.node)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be started."""

    arguments: list[str]
    addresses: tuple[str | None, ...] = ()
    """Of the servers that it asks; None for the one that rejudge was started with."""
    agreed: bool = True
    """False where something has to be agreed to first."""
    button: str = ""
    """What the button says that starts it, where it is not what the action's does."""
    below: Callable[[], None] | None = None
    """Draws what stands below the button."""


Form = Callable[[Subject], Wanted | None]
"""Draws an action's fields; None where it cannot be started yet, which it then has said."""


def endpoint(
    subject: Subject, what: str, model_else: str = "", server_else: str = "the one that rejudge was started with"
) -> tuple[str | None, str | None]:
    """The model and the address of the server; None for what is left to the command: `model_else`, `server_else` in words.

    `model_else`: empty for the one that the study declares.
    """
    model, base_url = st.columns([1, 1.4])
    with model:
        declared = model_else or subject.serving.study.judge_model
        typed = st.text_input("Model", key=f"model-{what}", placeholder=seen(declared) if declared else "as the server calls it")
    with base_url:
        where = st.text_input("Its server", key=f"base-url-{what}", placeholder=server_else)
    if where.strip():
        st.html(
            '<p class="rj-soft">A server that is typed here gets no key: keys go only to the server that they were set for.</p>'
        )
    return free_text("The model", typed), address(where)


def how_many(what: str, columns: Sequence[DeltaGenerator]) -> dict[str, Any]:
    """Which trajectories are asked about and how often, in three columns; the options of a command by their names."""
    split, limit, repeats = columns
    with split:
        part = st.selectbox("Trajectories of", ["all", *SPLITS], key=f"split-{what}")
    with limit:
        first = st.number_input("Only the first", min_value=1, value=None, step=1, key=f"limit-{what}", placeholder="all of them")
    with repeats:
        times = st.number_input("Times each", min_value=1, max_value=20, value=1, step=1, key=f"repeats-{what}")
    return {"split": part, "limit": first, "repeats": times if times > 1 else None}


def run_of(label: str, key: str, runs: Sequence[JudgeRun], place: int) -> JudgeRun:
    names = [run.name for run in runs]
    name = st.selectbox(label, names, min(max(place, 0), len(names) - 1), key=key)
    return runs[names.index(name)] if name in names else runs[0]
