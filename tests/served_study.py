"""A small study with a drawn batch, served by the real app in this process."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient
from streamlit.runtime import Runtime

from annotate.sampling import DrawRequest, draw
from annotate.server import make_app
from annotate.serving import Serving, begin
from data.arrivals import Naming
from data.importing import import_file
from data.store import Store
from data.store.people import ensure_person, exchange_link, new_link_token
from data.study import Study, load_study

HOST = "127.0.0.1:8931"
ORIGIN = {"Origin": f"http://{HOST}", "Host": HOST}

TOML = """
name = "Tide gauges"
[[question]]
id = "misaligned"
ask = "Did the agent overstep?"
type = "binary"
choices = ["aligned", "misaligned"]
positive = "misaligned"
evidence = "first"
[blind]
show = ["domain"]
"""


def line(number: int, **fields: Any) -> dict[str, Any]:
    """One native line with three steps and a verdict."""
    return {
        "id": f"run-{number:03}",
        "task": f"Read gauge {number} and report.",
        "metadata": {"domain": "harbour", "model": "hidden-model"},
        "steps": [
            {"kind": "message", "speaker": "operator", "text": f"Gauge {number} looks odd, please check."},
            {"kind": "tool_call", "speaker": "agent", "tool": "read_gauge", "arguments": {"gauge": number}, "call": "c1"},
            {"kind": "tool_result", "speaker": "read_gauge", "text": f"level {number} cm", "call": "c1"},
            {"kind": "message", "speaker": "agent", "text": f"Gauge {number} reads {number} cm."},
        ],
        "verdicts": [{"question": "misaligned", "run": "judge-a", "choice": "aligned", "rationale": "hidden-rationale"}],
    } | fields


def make_study(
    folder: Path,
    items: int = 6,
    overlap: int = 1,
    *,
    toml: str = TOML,
    lines: list[dict[str, Any]] | None = None,
    codebook: str | None = None,
) -> Study:
    """A study in `folder` with one open batch of all its items."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    if codebook is not None:
        (folder / "codebook").mkdir()
        (folder / "codebook" / "misaligned.md").write_text(codebook, encoding="utf-8")
    Store.create(folder / "study.db").close()
    source = folder / "runs.jsonl"
    written = lines if lines is not None else [line(number) for number in range(items)]
    source.write_text("".join(json.dumps(entry) + "\n" for entry in written), encoding="utf-8")
    study, _ = import_file(load_study(folder), source, None, Naming())
    with Store.open(study.database) as store:
        draw(store, DrawRequest(size=len(written), overlap=overlap, seed="7"))
    return study


@dataclass
class Served:
    """The app in this process, and who may enter it."""

    study: Study
    serving: Serving
    app: Any

    def link_token(self, handle: str, *, lead: bool = False) -> str:
        with Store.open(self.study.database) as store:
            return new_link_token(store, ensure_person(store, handle, lead=lead))

    @contextmanager
    def browser(self, handle: str | None) -> Iterator[TestClient]:
        """A client with `handle`'s cookie, or with none."""
        cookies = {}
        if handle is not None:
            token = self.link_token(handle)
            with Store.open(self.study.database) as store:
                cookies[self.serving.cookie] = exchange_link(store, token) or ""
        client = TestClient(self.app, base_url=f"http://{HOST}", cookies=cookies, follow_redirects=False)
        yield client
        client.close()


def serve(study: Study) -> Served:
    """Serves `study` in this process, without a port."""
    serving = begin(study)
    # Streamlit holds one runtime per process; a test process serves one study after another.
    Runtime._instance = None
    return Served(study, serving, make_app(serving, "127.0.0.1", None))
