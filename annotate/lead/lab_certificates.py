"""Certificates on the judge page: what `rejudge judge certify` wrote, laid out as its HTML is, and both files to take away."""

from pathlib import Path

import streamlit as st

from annotate.lead.own_html import shown
from annotate.lead.text import html_of, seen
from annotate.serving import Serving
from data.study import Study

LONGEST = 400_000
"""Bytes of a file that is shown."""
PATTERN = "certificate*.md"
_KINDS = {".html": "text/html", ".md": "text/markdown"}


def certificates(study: Study) -> list[Path]:
    """The files in Markdown, the newest first."""
    found = [path for path in (study.folder / "reports").glob(PATTERN) if _is_file(path)]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)


def draw_certificates(serving: Serving) -> None:
    """The newest one, and a choice among several; nothing where there is none."""
    found = certificates(serving.study)
    if not found:
        return
    with st.container(border=True, key="card-certificates"):
        st.html("<h2>Certificates</h2>")
        names = [path.stem for path in found]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if len(names) > 1:
                name = st.selectbox("Certificate", names, key="certificate", width=420, format_func=seen)
            else:
                name = names[0]
            path = found[names.index(name)] if name in names else found[0]
            forms = {form: _read(path.with_suffix(form)) for form in _KINDS}
            for form, kind in _KINDS.items():
                file = forms[form]
                if file is not None:
                    words = f"Download {'HTML' if form == '.html' else 'Markdown'}"
                    st.download_button(
                        words, file, f"{path.stem}{form}", kind, key=f"download-{path.stem}{form}", on_click="ignore"
                    )
        st.html(_laid_out(forms))


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _read(path: Path) -> bytes | None:
    """The file; None where there is none, or none that was written by rejudge, for it is too long."""
    if not _is_file(path) or path.stat().st_size > LONGEST:
        return None
    return path.read_bytes()


def _laid_out(forms: dict[str, bytes | None]) -> str:
    html, markdown = ("" if file is None else file.decode("utf-8", errors="replace") for file in forms.values())
    body = shown(html)
    if body is not None:
        return f'<div class="rj-paper" data-rj="certificate">{body}</div>'
    text = html_of(markdown) or "This file is too long to be shown."
    return f'<pre class="rj-prompt" data-rj="certificate" tabindex="0">{text}</pre>'
