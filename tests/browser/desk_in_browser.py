"""A real server in a process of its own, and a person at the desk in a real Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

import rejudge
from data.store import Store
from data.store.tallying import current_labels
from data.study import Study

ROOT = Path(__file__).parent.parent.parent
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without a network of its own Chromium would go on asking for updates.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium() -> str | None:
    """A Chromium on this machine."""
    return os.environ.get("REJUDGE_CHROMIUM") or next((path for name in _NAMES if (path := shutil.which(name))), None)


@dataclass
class Server:
    """`rejudge annotate` in a process of its own."""

    study: Study
    port: int
    process: subprocess.Popen[str] = field(init=False)
    link: str = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, str(ROOT / "rejudge.py"), "annotate", "--study", str(self.study.folder), "--headless"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        lines = [self.process.stdout.readline() for _ in range(3)]
        self.link = lines[-1].strip()
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server did not come up")

    def kill(self) -> None:
        """kill -9: nothing gets a chance to tidy up."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.communicate()

    def link_for(self, name: str) -> str:
        return self.printed("annotators", "add", name).splitlines()[-1]

    def printed(self, *command: str) -> str:
        """What a command prints that is run on the study beside the server."""
        with redirect_stdout(StringIO()) as out:
            assert rejudge.main([*command, "--study", str(self.study.folder)]) == 0
        return out.getvalue()

    def labels(self) -> list[dict[str, Any]]:
        with Store.open(self.study.database) as store:
            return current_labels(store)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Sitting:
    """One person at the desk, and everything that reached her browser."""

    context: BrowserContext
    page: Page
    received: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    arriving: int = 0
    """Answers whose body is still to be written down."""

    def go_to(self, address: str) -> None:
        """Leaves the page when all that it asked for has arrived: Chromium drops the bodies of a page that is left."""
        self.page.wait_for_load_state("networkidle")
        while self.arriving:
            self.page.wait_for_timeout(20)
        self.page.goto(address)

    def item(self, position: int, within: float = 30_000) -> None:
        """Waits until the item at `position` is readable; `within`: milliseconds."""
        self.page.locator(f'[data-rj="item"][data-position="{position}"]').wait_for(timeout=within)
        self.page.locator('[data-rj="step"][data-index="0"]').first.wait_for()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def ready(self) -> None:
        """Waits out the moment in which a held key could label the next item too."""
        self.page.wait_for_timeout(400)

    def saved(self) -> None:
        self.page.locator('[data-rj="state"][data-state="saved"]').wait_for()

    def state(self) -> str | None:
        return self.page.locator('[data-rj="state"]').get_attribute("data-state")

    def label(self, position: int, *keys: str) -> None:
        """Reads the item at `position`, presses `keys` and submits."""
        self.item(position)
        self.ready()
        self.press(*keys, "Enter")


def watch(sitting: Sitting, listen: bool) -> None:
    """Writes down what the page asks for, what goes wrong in it and, where `listen`, all that it receives."""
    page = sitting.page
    page.on("request", lambda request: sitting.requested.append(request.url))
    page.on("pageerror", lambda error: sitting.errors.append(str(error)))
    page.on("console", lambda message: sitting.errors.append(message.text) if "Content Security Policy" in message.text else None)
    if not listen:
        return

    def heard(response: Any) -> None:
        # Streamlit's own bundle is the same for every study; what is said of this one comes by other paths.
        if response.status not in (204, 303, 304) and "/static/" not in response.url:
            sitting.arriving += 1
            try:
                sitting.received.append(response.body().decode("utf-8", "replace"))
            except PlaywrightError as error:  # a body that Chromium dropped: the test that listens asserts that there is none
                sitting.received.append(f"(no body of {response.request.method} {response.url}: {error})")
            sitting.arriving -= 1

    page.on("response", heard)

    def connected(socket: Any) -> None:
        socket.on("framereceived", lambda payload: sitting.received.append(_text(payload)))

    page.on("websocket", connected)


def _text(payload: str | bytes) -> str:
    return payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
