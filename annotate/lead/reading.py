"""The reading component: a trajectory as annotators see it, by the desk's own modules."""

from collections.abc import Sequence

import streamlit as st

from annotate.desk_component import MODULES, MODULES_PATH
from annotate.reading import READING_PATH

_reading = st.components.v2.component(
    "rejudge.reading",
    css=(MODULES / "desk.css").read_text(encoding="utf-8"),
    js=f"""// The modules lie beside the app.
const modules = new URL("{MODULES_PATH}/reading.js", location.origin);
export default async (component) => (await import(modules.href)).default(component);
""",
    isolate_styles=True,
)


def draw_reading(trajectory: int, evidence: Sequence[int], cites: Sequence[int] = ()) -> None:
    """Shows a trajectory with the steps marked that annotators named as evidence and, apart from them, those that a judge cites.

    Its text comes by a route that asks again who is reading, and that knows of no verdict.
    """
    marks = {"evidence": sorted(set(evidence)), "cites": sorted(set(cites))}
    _reading(key="reading", data={"address": f"{READING_PATH}/{trajectory}", **marks})
