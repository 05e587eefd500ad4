"""The server: one process with the door, the desk's routes and the Streamlit script."""

import html
import socket
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from streamlit.starlette import App
from streamlit.web.server.starlette import starlette_server

from annotate.desk_component import MODULES, MODULES_PATH
from annotate.door import Door, allowed_hosts, sign_in_routes
from annotate.headers import SafeHeaders
from annotate.links import DEFAULT_PORT, sign_in_link
from annotate.reading import reading_routes
from annotate.serving import Serving, begin
from annotate.wire import routes
from data.command_line import tell
from data.errors import RejudgeError
from data.store import Store
from data.store.people import first_lead
from data.study import Study

SCRIPT = Path(__file__).resolve().parent / "script" / "main.py"


_SANS = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
_MONO = 'ui-monospace, "JetBrains Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'
# The desk's colours (annotate/desk/desk.css) for the pages around it.
THEME = {
    "theme.font": _SANS,
    "theme.headingFont": _SANS,
    "theme.codeFont": _MONO,
    "theme.baseFontSize": 15,
    "theme.baseRadius": "8px",
    "theme.buttonRadius": "8px",
    "theme.light.primaryColor": "#2f5d8a",
    "theme.light.backgroundColor": "#fbfaf8",
    "theme.light.secondaryBackgroundColor": "#ffffff",
    "theme.light.textColor": "#1d1f23",
    "theme.light.borderColor": "#e4e1da",
    "theme.light.linkColor": "#2f5d8a",
    "theme.dark.primaryColor": "#8ab4dc",
    "theme.dark.backgroundColor": "#15171a",
    "theme.dark.secondaryBackgroundColor": "#1c1f23",
    "theme.dark.textColor": "#e6e4df",
    "theme.dark.borderColor": "#2f333a",
    "theme.dark.linkColor": "#8ab4dc",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens, and how people reach it."""

    host: str
    port: int | None
    """None: the default port, or a free one."""
    url: str | None
    """The public address, where a proxy stands before it."""


def make_app(serving: Serving, host: str, url: str | None) -> App:
    """The whole app. Requests meet the headers first, then the door, then routes and Streamlit."""
    return App(
        SCRIPT,
        routes=[
            *sign_in_routes(serving, secure=urlsplit(url or "").scheme == "https"),
            *routes(serving),
            *reading_routes(serving),
            Mount(MODULES_PATH, StaticFiles(directory=MODULES)),
        ],
        middleware=[Middleware(SafeHeaders), Middleware(Door, serving=serving, hosts=allowed_hosts(host, url))],
    )


def answer_at_once() -> None:
    """Has the server's sockets send the end of a short answer without waiting for the client's acknowledgement.

    asyncio sees to that only for sockets made with an explicit protocol, and Streamlit's is not: without this
    every request on an open connection takes 40 ms longer. The accepted sockets inherit it from the listening one.
    """
    bind = starlette_server._bind_socket

    def bind_without_delay(address: str, port: int, backlog: int) -> socket.socket:
        bound = bind(address, port, backlog)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound

    starlette_server._bind_socket = bind_without_delay


def serve(study: Study, address: Address, *, headless: bool) -> None:
    """Serves `study` until it is stopped. Prints the lead's sign-in link, alone on the last line."""
    parts = urlsplit(address.url or "http://here")
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
        raise RejudgeError(
            f"{address.url!r} is no address of the app.",
            "Found no http:// or https:// with a host alone.",
            "Write --url https://HOST.",
        )
    serving = begin(study)
    port = _port(address)
    url = (address.url or f"http://{_reachable(address.host)}:{port}").rstrip("/")
    with Store.open(study.database) as store:
        with store.write():
            store.set_fact("address", url)
        link = sign_in_link(store, first_lead(store))
    where = "this machine only" if allowed_hosts(address.host, None) else f"the network, on {address.host}"
    tell(f"{study.name} is served at {url} ({where}). Stop with Ctrl-C.")
    tell("Sign-in link for lead; it works once:")
    tell(link)
    sys.stdout.flush()
    app = make_app(serving, address.host, address.url)
    answer_at_once()
    with nullcontext() if headless else opening_page(study.folder, link) as page:
        if page:
            threading.Thread(target=_open_browser, args=(address.host, port, page), daemon=True).start()
        _run(app, address.host, port)


def _run(app: App, host: str, port: int) -> None:
    """Serves until it is stopped."""
    app.run(
        config={
            "server.address": host,
            "server.port": port,
            "server.headless": True,
            "server.fileWatcherType": "none",
            "server.allowedHosts": [],
            "browser.gatherUsageStats": False,
            # A full collection after every run would hold up each label that comes in meanwhile.
            "runner.postScriptGC": False,
            "client.toolbarMode": "viewer",
            "client.showErrorDetails": "none",
            "logger.hideWelcomeMessage": True,
            "logger.level": "error",
            **THEME,
        }
    )


def _reachable(host: str) -> str:
    """A name by which this machine's own browser reaches a server on `host`."""
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _port(address: Address) -> int:
    try:
        socket.getaddrinfo(address.host, None)
    except (OSError, UnicodeError) as error:
        raise RejudgeError(f"{address.host!r} is no address to listen on.", f"Found: {error}.", "Name another --host.") from None
    if address.port is not None:
        if not _is_free(address.host, address.port):
            raise RejudgeError(
                f"Port {address.port} on {address.host} cannot be used.",
                "Found another program on it, or no right to it.",
                "Stop that program, or name another --port.",
            )
        return address.port
    if _is_free(address.host, DEFAULT_PORT):
        return DEFAULT_PORT
    with _socket(address.host) as free:
        free.bind((address.host, 0))
        return int(free.getsockname()[1])


def _socket(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)


def _is_free(host: str, port: int) -> bool:
    with _socket(host) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@contextmanager
def opening_page(folder: Path, link: str) -> Iterator[Path]:
    """A file that leads to `link`, which its owner alone may read, and which is gone afterwards.

    A browser that is told the link itself has it in its command line, where every user of the machine can read it.
    Not in /tmp, which some browsers do not see.
    """
    handle, name = tempfile.mkstemp(prefix="sign-in-", suffix=".html", dir=folder)
    page = Path(name).resolve()
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={html.escape(link)}"><title>rejudge</title>')
        yield page
    finally:
        page.unlink(missing_ok=True)


def _open_browser(host: str, port: int, page: Path) -> None:
    """Opens the page once the server answers, and takes it away when a browser has had time to read it."""
    reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    for _ in range(200):
        try:
            socket.create_connection((reachable, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            webbrowser.open(page.as_uri())
            time.sleep(30)
            page.unlink(missing_ok=True)
            return
