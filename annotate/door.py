"""The door: who may pass, asked of the database for every request and every websocket.

Without a live session no socket opens and every path but a sign-in link answers 401. Cookies do not
know ports, so a page on another port of this host carries ours: the door compares Origin with Host,
port included, and refuses what a browser marks as coming from elsewhere.
"""

import html
import re
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from annotate.links import LINK_PATH
from annotate.messages import only_taken
from annotate.serving import Serving
from data.command_line import say
from data.errors import StoreError
from data.store import Store
from data.store.people import Person, exchange_link, person_of_link

# Streamlit's own endpoints that tell about the server to anybody who may ask, or take files that no page asks for.
_CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check", "/_stcore/upload_file")
_LINK = re.compile(rf"{LINK_PATH}/[A-Za-z0-9_-]+")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_MONTH = 30 * 24 * 3600


class Door:
    """Middleware round the whole app."""

    def __init__(self, app: ASGIApp, serving: Serving, hosts: frozenset[str] | None) -> None:
        """`hosts`: names that a request may be addressed to; None where the server listens to a network."""
        self.app = app
        self.serving = serving
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self.app(scope, only_taken(receive) if scope["type"] == "websocket" else receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4401, "reason": "not signed in"})
        else:
            await refusal(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self._host_is_ours(headers) or not _comes_from_here(scope, headers):
            return PlainTextResponse("This request comes from elsewhere.", 403)
        path: str = scope["path"]
        if scope["type"] == "http" and _LINK.fullmatch(path):
            return None
        session = session_of(headers, self.serving.cookie)
        try:
            person = await run_in_threadpool(self.serving.person, session)
        except StoreError as error:
            say(str(error))
            return PlainTextResponse("The study cannot be used just now. Try again.", 503)
        if person is None:
            return HTMLResponse(_SIGNED_OUT, 401) if path == "/" else PlainTextResponse("Not signed in.", 401)
        if path.startswith(_CLOSED):
            return PlainTextResponse("Not found.", 404)
        scope["rejudge.person"] = person
        return None

    def _host_is_ours(self, headers: Headers) -> bool:
        try:
            return self.hosts is None or urlsplit(f"//{headers.get('host', '')}").hostname in self.hosts
        except ValueError:
            return False


def allowed_hosts(host: str, url: str | None) -> frozenset[str] | None:
    """The names that requests may be addressed to, for a server that listens on `host`."""
    if host not in _LOOPBACK:
        return None
    named = urlsplit(url).hostname if url else None
    return frozenset(_LOOPBACK | ({named} if named else set()))


def session_of(headers: Headers, cookie: str) -> str | None:
    """The session token in the request's cookies."""
    # Not http.cookies, which gives up at the first odd value: any program on this host may have set one.
    return cookie_parser(headers.get("cookie", "")).get(cookie)


def _comes_from_here(scope: Scope, headers: Headers) -> bool:
    """Whether a request that could act, or read, was made by our own pages."""
    site = headers.get("sec-fetch-site")
    acts = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
    if acts:
        _, scheme, origin = headers.get("origin", "").partition("://")
        return bool(scheme) and origin == headers.get("host") and site in (None, "same-origin")
    # A person may come from anywhere by a link; a script, an image or a frame of another page may not.
    return site in (None, "same-origin", "none") or headers.get("sec-fetch-mode") == "navigate"


def sign_in_routes(serving: Serving, *, secure: bool) -> list[Route]:
    """GET shows one button and consumes nothing, because mail and chat scanners open links; POST signs in."""

    def _look(token: str) -> Person | None:
        with Store.open(serving.study.database) as store:
            return person_of_link(store, token)

    def _exchange(token: str) -> str | None:
        with Store.open(serving.study.database) as store:
            return exchange_link(store, token)

    async def show(request: Request) -> Response:
        invited = await run_in_threadpool(_look, request.path_params["token"])
        here = await run_in_threadpool(serving.person, session_of(request.headers, serving.cookie))
        if invited:
            return HTMLResponse(_page(f"Sign in as {invited.handle}", _button(invited, here)))
        if here:
            return RedirectResponse("/", 303)
        return HTMLResponse(_page("This link does not work any more", _USED), 410)

    async def enter(request: Request) -> Response:
        session = await run_in_threadpool(_exchange, request.path_params["token"])
        if session is None:
            return HTMLResponse(_page("This link does not work any more", _USED), 410)
        response = RedirectResponse("/", 303)
        response.set_cookie(serving.cookie, session, max_age=_MONTH, httponly=True, samesite="lax", secure=secure)
        return response

    path = f"{LINK_PATH}/{{token}}"
    return [Route(path, show, methods=["GET"]), Route(path, enter, methods=["POST"])]


def _page(title: str, body: str) -> str:
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<style>
:root {{ color-scheme: light dark; --bg: #fbfaf8; --ink: #1d1f23; --soft: #62676f; --accent: #2f5d8a; --on: #fff; }}
@media (prefers-color-scheme: dark) {{ :root {{ --bg: #15171a; --ink: #e6e4df; --soft: #989da6; --accent: #8ab4dc;
  --on: #15171a; }} }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--bg); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", sans-serif; }}
main {{ max-width: 30rem; padding: 2rem; }} h1 {{ font-size: 1.25rem; margin: 0 0 .75rem; }}
p {{ margin: .5rem 0; color: var(--soft); }}
button {{ margin-top: 1rem; border: 0; border-radius: 8px; padding: .7rem 1.3rem; background: var(--accent); color: var(--on);
  font: inherit; font-weight: 600; cursor: pointer; }}
button:focus-visible {{ outline: 3px solid var(--ink); outline-offset: 2px; }}
code {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .92em; color: var(--ink); }}
</style></head><body><main><h1>{html.escape(title)}</h1>{body}</main></body></html>"""


def _button(invited: Person, here: Person | None) -> str:
    other = ""
    if here and here.code != invited.code:
        other = f"<p>You are signed in here as <b>{html.escape(here.handle)}</b>; this signs {html.escape(here.handle)} out.</p>"
    return f"""<p>This link is yours alone and works once, in this browser. Keep it to yourself.</p>{other}
<form method="post"><button type="submit" autofocus>Sign in as {html.escape(invited.handle)}</button></form>"""


_USED = """<p>It was used already, or it is not complete. Whoever runs the study prints a fresh one with
<code>rejudge annotators add NAME</code>.</p>"""
_SIGNED_OUT = _page(
    "You are not signed in",
    """<p>Open the sign-in link that was printed for you: <code>rejudge annotate</code> prints the lead's,
<code>rejudge annotators add NAME</code> prints everybody else's.</p>""",
)
