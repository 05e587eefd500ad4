"""Batches on the judge page: a run by files, whose requests are written into the study's folder and whose results lie there.

What this server is not asked to carry is files of any size from a browser: results are put beside the requests, and named here.
"""

import json
import re
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import streamlit as st

from annotate.lead.lab_arguments import options
from annotate.lead.lab_fields import Subject, Wanted, endpoint, how_many
from annotate.lead.text import html_of, seen, without_markup
from data.questions import Question
from data.study import Study
from data.wording import amount

FOLDER = "batch"
"""In the study's folder: a folder for each batch."""
WRITE, READ = "Write the requests", "Read the results"
MOST_LISTED = 200
MOST_DOWNLOADED = 8_000_000
"""Bytes of a file that the page hands out; a longer one is taken from its folder."""
_MANIFEST = ".manifest.json"
_REQUESTS = re.compile(r"-[0-9]{5}\.jsonl$")


def batch(subject: Subject) -> Wanted | None:
    """The fields of the action: one of its two ways at a time."""
    way = st.segmented_control("Way", [WRITE, READ], default=WRITE, required=True, key="batch-way", label_visibility="collapsed")
    return _read(subject.serving.study) if way == READ else _write(subject)


# Requests


def _write(subject: Subject) -> Wanted | None:
    study, question = subject.serving.study, subject.question
    if subject.node is None:
        st.html('<p class="rj-soft">There is no prompt yet.</p>')
        return None
    model, base_url = endpoint(subject, "batch")
    asked = how_many("batch", st.columns(3))
    folder = next_folder(study, question)
    st.html(f'<p class="rj-soft" data-rj="batch-folder">The files go to <code>{html_of(str(study.folder / folder))}</code>.</p>')
    given = options(out=folder, prompt=subject.node.hash, model=model, base_url=base_url, **asked)
    return Wanted(["write", *given], (base_url,), button=WRITE, below=partial(_draw_written, study, question))


def next_folder(study: Study, question: Question) -> str:
    """The first that holds no whole batch of the question, in the study's folder."""
    return next(
        folder
        for number in count(1)
        if not (study.folder / (folder := f"{FOLDER}/{question.id}-{number:03}") / f"{question.id}{_MANIFEST}").exists()
    )


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """A batch whose files are whole."""

    folder: Path
    requests: int
    count: int
    """Of its files."""
    files: tuple[Path, ...]
    """Those that lie beside the manifest, as the command puts them."""


def written_batches(study: Study, question: Question) -> list[WrittenBatch]:
    """Those of a question, the last one first; what is no batch of the page's is left out."""
    found = []
    for manifest in sorted((study.folder / FOLDER).glob(f"*/{question.id}{_MANIFEST}"), reverse=True):
        try:
            told = json.loads(manifest.read_text(encoding="utf-8"))
            files = tuple(path for file in told["files"] if (path := _beside(manifest, str(file["name"]))))
            found.append(WrittenBatch(manifest.parent, int(told["requests"]), len(told["files"]), files))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _draw_written(study: Study, question: Question) -> None:
    """What was written, with the files of the last one to take away."""
    batches = written_batches(study, question)
    if not batches:
        return
    rows = "".join(
        f'<tr><th scope="row"><code>{html_of(each.folder.relative_to(study.folder).as_posix())}</code></th>'
        f'<td class="rj-num">{each.requests:,}</td><td class="rj-num">{each.count:,}</td></tr>'
        for each in batches[:MOST_LISTED]
    )
    heads = (
        '<th scope="col">written before</th><th scope="col" class="rj-num">requests</th><th scope="col" class="rj-num">files</th>'
    )
    st.html(f'<div class="rj-scroll"><table data-rj="batches"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>')
    here = [path for path in batches[0].files if path.stat().st_size <= MOST_DOWNLOADED]
    with st.container(horizontal=True):
        for path in here[:4]:
            st.download_button(
                f"Download {without_markup(seen(path.name))}",
                path.read_bytes(),
                path.name,
                "application/jsonl",
                key=f"download-{path.parent.name}-{path.name}",
                on_click="ignore",
            )
    if len(here[:4]) < batches[0].count:
        st.html('<p class="rj-soft">Files that are long, or many, are taken from the folder itself.</p>')


def _beside(manifest: Path, name: str) -> Path | None:
    """A request file that a manifest names; None for anything that lies elsewhere or is something else."""
    path = manifest.parent / name
    plain = path.name == name and _REQUESTS.search(name) is not None
    return path if plain and path.is_file() and not path.is_symlink() else None


# Results


def _read(study: Study) -> Wanted | None:
    found = results_there(study)
    st.html(
        f'<p class="rj-soft">Put the output and error files of a batch into <code>{html_of(str(study.folder / FOLDER))}</code>, or '
        "beside their requests. They may come in any order, in part or twice: each verdict is stored once.</p>"
    )
    if not found:
        st.html('<p class="rj-soft" data-rj="no-results">There is no file of results yet.</p>')
        return None
    names = [path.relative_to(study.folder).as_posix() for path in found]
    chosen = st.multiselect("Output and error files", names, key="batch-files", format_func=lambda name: seen(str(name)))
    st.html(f'<p class="rj-soft">{amount(len(names), "file")} there, the newest first.</p>')
    return Wanted(["read", "--", *(name for name in chosen if name in names)], agreed=bool(chosen), button=READ)


def results_there(study: Study) -> list[Path]:
    """Files below the folder of batches that are no requests and no manifests, the newest first."""
    # A folder on the way that is a link is not followed.
    found = [
        path
        for path in (study.folder / FOLDER).rglob("*")
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and not _is_request(path)
    ]
    return sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.as_posix()))[:MOST_LISTED]


def _is_request(path: Path) -> bool:
    if path.name.endswith(_MANIFEST):
        return True
    question = _REQUESTS.sub("", path.name)
    return question != path.name and (path.parent / f"{question}{_MANIFEST}").exists()
