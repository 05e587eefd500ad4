"""The reading component: a trajectory as annotators see it, by the desk's own modules."""

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


def draw_reading(trajectory: int, evidence: list[int]) -> None:
    """Shows a trajectory with these steps marked. Its text comes by a route that asks again who is reading."""
    _reading(key="reading", data={"address": f"{READING_PATH}/{trajectory}", "evidence": evidence})
