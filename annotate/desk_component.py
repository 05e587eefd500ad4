"""The desk as one Streamlit component: plain modules from `annotate/desk/`, no build step.

The script that Streamlit carries is a shim; the modules are served beside the app, under a path that
names their content, so that an upgraded desk never meets an old module in a browser's cache.
"""

import hashlib
from pathlib import Path
from typing import Any

import streamlit as st

MODULES = Path(__file__).parent / "desk"


def modules_version() -> str:
    """A hash of every file of the desk."""
    digest = hashlib.sha256()
    for path in sorted(MODULES.glob("*.*")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


MODULES_PATH = f"/desk/js/{modules_version()}"

_desk = st.components.v2.component(
    "rejudge.desk",
    css=(MODULES / "desk.css").read_text(encoding="utf-8"),
    js=f"""// The desk's modules lie beside the app.
const modules = new URL("{MODULES_PATH}/desk.js", location.origin);
export default async (component) => (await import(modules.href)).default(component);
""",
    isolate_styles=True,
)


def draw_desk(data: dict[str, Any]) -> None:
    """Mounts the desk with `data` (see `annotate/page.py`)."""
    _desk(key="desk", data=data)
