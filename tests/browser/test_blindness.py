"""Blindness on the wire: what a browser receives while a batch is walked, and what outsiders get."""

import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from data.store import Store
from tests.browser.desk_in_browser import Server, Sitting
from tests.served_study import TOML, line

Serve = Callable[..., Server]
SitDown = Callable[..., Sitting]

HIDDEN = (
    "sentinelrun",
    "sentinelrationale",
    "sentinelerror",
    "sentinelmodel",
    "sentinelscore",
    "sentinelextra",
    "sentinelgroup",
    "sentinelid",
    "sentinelannotator",
    "sentinelwords",
    "sentinelstepid",
    "sentinelsession",
    "sentineltime",
    "sentinelcall",
    "sentinelben",
    "sentinelsays",
    "0.987654321",
)


def secret_line(number: int) -> dict[str, Any]:
    """A native line that carries a word of its own in every field that nobody may see."""
    verdict = {
        "question": "misaligned",
        "run": "sentinelrun",
        "rationale": "sentinelrationale",
        "cites": [1],
        "confidence": 0.987654321,
    }
    verdict |= {"error": "sentinelerror"} if number == 0 else {"choice": "misaligned"}
    plain = line(number)
    plain["steps"][0]["id"] = f"sentinelstepid-{number}"
    for step in plain["steps"]:
        step |= {"session": f"sentinelsession-{number}", "time": "sentineltime"}
        if "call" in step:
            step["call"] = "sentinelcall"
    return plain | {
        "id": f"sentinelid-{number}",
        "group": f"sentinelgroup-{number % 2}",
        "metadata": {"domain": "harbour", "model": "sentinelmodel", "score": "sentinelscore"},
        "reward": "sentinelextra",
        "verdicts": [verdict],
        "labels": [{"question": "misaligned", "annotator": "sentinelannotator", "choice": "aligned", "rationale": "sentinelwords"}],
    }


def test_no_frame_and_no_body_carries_what_an_annotator_may_not_learn(serve: Serve, sit_down: SitDown) -> None:
    server = serve(lines=[secret_line(number) for number in range(5)], overlap=2)
    # Somebody else labels everything first, with words of his own.
    ben = sit_down(server.link_for("sentinelben"))
    for position in range(1, 6):
        ben.item(position)
        ben.ready()
        ben.press("2", "j", "e", "r")
        ben.page.keyboard.type("sentinelsays")
        ben.press("Escape", "Enter")
    ben.page.locator('[data-rj="finished"]').wait_for()
    ben.saved()

    ana = sit_down(server.link_for("ana"), listen=True)
    for position in range(1, 6):
        ana.item(position)
        ana.ready()
        if position == 2:
            ana.press("z")
            ana.item(1)
            ana.ready()
            ana.press("Enter")
            ana.item(2)
            ana.ready()
        ana.press("o", "G", "1", "Enter")
    ana.page.locator('[data-rj="finished"]').wait_for()
    ana.saved()
    ana.go_to(ana.page.url)
    ana.page.locator('[data-rj="finished"]').wait_for()
    heard = "\n".join(ana.received)
    # The test listens: what may be seen did arrive.
    assert "looks odd, please check" in heard
    assert "Tide gauges" in heard
    assert "(no body" not in heard
    assert [word for word in HIDDEN if word in heard] == []
    assert len([label for label in server.labels() if label["annotator"] == "ana"]) == 5


def test_what_another_annotator_holds_is_not_to_be_had(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=6)
    ana, ben = sit_down(server.link_for("ana")), sit_down(server.link_for("ben"))
    ana.item(1)
    ben.item(1)
    ref = ana.page.locator('[data-rj="item"]').get_attribute("data-ref")
    assert ref != ben.page.locator('[data-rj="item"]').get_attribute("data-ref")
    status = ben.page.evaluate("async ref => (await fetch('/desk/items/' + ref)).status", ref)
    assert status == 404


def test_an_outsider_gets_nothing(serve: Serve, browser: Browser) -> None:
    server = serve(items=2)
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(server.url)
    assert answer is not None
    assert answer.status == 401
    assert "Tide gauges" not in page.content()
    opened = page.evaluate(
        """url => new Promise(done => {
            const socket = new WebSocket(url);
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        })""",
        f"ws://127.0.0.1:{server.port}/_stcore/stream",
    )
    assert opened == "refused"
    context.close()


@pytest.fixture
def other_port() -> Iterator[str]:
    """A page of somebody else's on another port of this host."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title><body>hello</body>")

        def log_message(self, *_: Any) -> None:
            """No log in the test's output."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


TRIES = """async base => {
    const results = {};
    const attempt = async (name, work) => { try { results[name] = await work(); } catch (error) { results[name] = "failed"; } };
    await attempt("get", async () => (await fetch(base + "/desk/items/x", {credentials: "include"})).status);
    await attempt("opaque", async () => (await (await fetch(base + "/", {credentials: "include", mode: "no-cors"})).text()).length);
    await attempt("post", async () => (await fetch(base + "/desk/events", {method: "POST", credentials: "include", mode: "no-cors",
        body: JSON.stringify({outbox: "evil", events: []})})).type);
    await attempt("socket", () => new Promise(done => {
        const socket = new WebSocket(base.replace("http", "ws") + "/_stcore/stream");
        socket.onopen = () => done("open");
        socket.onerror = () => done("refused");
    }));
    await attempt("frame", () => new Promise(done => {
        const frame = document.createElement("iframe");
        frame.src = base + "/";
        frame.onload = () => { try { done(frame.contentDocument.body.innerText.length); } catch (error) { done("closed"); } };
        document.body.append(frame);
        setTimeout(() => done("closed"), 3000);
    }));
    return results;
}"""


def test_a_page_on_another_port_of_this_host_gets_nothing(serve: Serve, sit_down: SitDown, other_port: str) -> None:
    server = serve(items=2)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    # The same browser with ana's cookie, which knows no ports.
    page = ana.context.new_page()
    page.goto(other_port)
    results = page.evaluate(TRIES, server.url)
    assert results["get"] == "failed"
    assert results["opaque"] in (0, "failed")
    assert results["socket"] == "refused"
    assert results["frame"] == "closed"
    with Store.open(server.study.database) as store:
        assert store.conn.execute("SELECT count(*) FROM label_events").fetchone()[0] == 0


def test_nothing_that_is_shown_tells_how_the_batch_was_drawn(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=3, toml=TOML)
    ana = sit_down(server.link_for("ana"), listen=True)
    ana.item(1)
    heard = "\n".join(ana.received)
    assert [word for word in ("batch-1", "estimate", "inclusion", "stratum") if word in heard] == []
