"""Certificates on the judge page: the files that `rejudge judge certify` wrote, shown as text."""

from pathlib import Path

import streamlit as st

from annotate.lead.text import html_of
from annotate.serving import Serving
from data.study import Study

LONGEST = 200_000
"""Bytes of a certificate that are shown."""
PATTERN = "certificate*.md"


def certificates(study: Study) -> list[Path]:
    """The files, the newest first."""
    found = [path for path in (study.folder / "reports").glob(PATTERN) if path.is_file() and not path.is_symlink()]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)


def draw_certificates(serving: Serving) -> None:
    """The newest one, and a choice among several; nothing where there is none."""
    found = certificates(serving.study)
    if not found:
        return
    with st.container(border=True, key="card-certificates"):
        st.html("<h2>Certificates</h2>")
        names = [path.name for path in found]
        name = st.selectbox("Certificate", names, key="certificate", width=420) if len(names) > 1 else names[0]
        path = found[names.index(name)] if name in names else found[0]
        with path.open("rb") as file:
            text = file.read(LONGEST).decode("utf-8", errors="replace")
        shown = f'<pre class="rj-prompt" data-rj="certificate" tabindex="0">{html_of(text)}</pre>'
        st.html(f'<p class="rj-soft">{html_of(path.name)}</p>{shown}')
