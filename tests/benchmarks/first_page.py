"""How long from the command to the first page that a browser can show, and how much memory the server takes.

The page is drawn by a script over a websocket, so "first page" is the moment when the desk's data has
reached the socket. Beside it stands a bare Streamlit script of one line, in the same run.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.desk_in_browser import ROOT, free_port
from tests.served_study import make_study
from tests.soak.wire_annotator import AWAY, resident_mb

ITEMS = (100, 10_000)


def main() -> None:
    print("from the command to the first page")
    print(f"{'':34}{'answers s':>12}{'page s':>10}{'ratio to bare':>16}{'memory MB':>12}{'growth':>10}")
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text("import streamlit as st\nst.write('hello')\n")
        first = _row("a bare Streamlit script", _bare(bare), None, None)
        before = None
        for items in ITEMS:
            study = Path(folder) / f"study-{items}"
            make_study(study, items)
            before = _row(f"rejudge annotate, {items:,} items", _annotate(study), first, before)


def _row(name: str, measured: tuple[float, float, float], bare: float | None, before: float | None) -> float:
    answers, page, memory = measured
    ratio = f"{page / bare:.1f}" if bare else ""
    growth = f"{page / before:.2f} x" if before else ""
    print(f"{name:34}{answers:>12.2f}{page:>10.2f}{ratio:>16}{memory:>12.0f}{growth:>10}")
    return page


def _bare(script: Path) -> tuple[float, float, float]:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.headless", "true"]
    return _measure([*command, "--browser.gatherUsageStats", "false"], port, signs_in=False)


def _annotate(study: Path) -> tuple[float, float, float]:
    port = free_port()
    command = [sys.executable, str(ROOT / "rejudge.py"), "annotate", "--study", str(study), "--headless", "--port", str(port)]
    return _measure(command, port, signs_in=True)


def _measure(command: list[str], port: int, *, signs_in: bool) -> tuple[float, float, float]:
    """Seconds until the server answers, seconds until the page is drawn, and its memory then in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        link = [process.stdout.readline().strip() for _ in range(3)][-1] if signs_in else None
        answers, page = asyncio.run(_first_page(f"http://127.0.0.1:{port}", link, started))
        return answers, page, resident_mb(process.pid)
    finally:
        process.kill()
        process.communicate()


async def _first_page(url: str, link: str | None, started: float) -> tuple[float, float]:
    async with httpx2.AsyncClient(base_url=url, headers={"Origin": url}) as client:
        while True:
            try:
                await client.get("/")
                break
            except AWAY:
                await asyncio.sleep(0.02)
        answers = time.perf_counter() - started
        if link:
            await client.post(link.removeprefix(url))
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    run = BackMsg()
    run.rerun_script.query_string = ""
    async with websockets.connect(
        address, additional_headers={"Cookie": cookies}, origin=url, subprotocols=["streamlit"], max_size=None
    ) as socket:
        await socket.send(run.SerializeToString())
        async for raw in socket:
            message = ForwardMsg()
            message.ParseFromString(raw)
            if message.WhichOneof("type") == "script_finished":
                return answers, time.perf_counter() - started
    raise AssertionError("the script did not finish")
