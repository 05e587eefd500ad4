"""Key press to next item readable, and to durable, in Chromium against the real server; stepping; memory.

The clock starts at the key event's own time stamp. Readable: the new position stands in the document
with its first step, and a frame with both has been presented. Durable: the state says saved again,
which it says only of what the database has acknowledged.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.desk_in_browser import QUIET, Server, chromium, free_port
from tests.served_study import line, make_study
from tests.study_maker import import_lines

SIZES = {
    "6 KB": (6_000, 12),
    "100 KB": (100_000, 12),
    "1 MB": (1_000_000, 12),
    "5 MB": (5_000_000, 12),
    "5 MB, 2000": (5_000_000, 2000),
}
"""Bytes and steps of a trajectory."""
ITEMS = {"6 KB": 50, "100 KB": 50, "1 MB": 24, "5 MB": 12, "5 MB, 2000": 12}
BATCHES = (100, 100_000)
"""Items of a batch, short ones: the desk must not feel how many there are."""
OTHERS = 20_000
PACE_MS = 450
LARGE_PACE_MS = 1500
"""Nobody reads five megabytes faster; the next item is fetched meanwhile."""
SESSION = 200
"""Items of the session whose memory is measured."""

_CLOCK = """
window.rejudgeClock = [];
window.rejudgeSteps = [];
addEventListener("keydown", event => {
    const find = (root, selector) => {
        const found = root.querySelector(selector);
        if (found) return found;
        for (const node of root.querySelectorAll("*")) {
            const inner = node.shadowRoot && find(node.shadowRoot, selector);
            if (inner) return inner;
        }
        return null;
    };
    const start = event.timeStamp;
    if (event.key !== "Enter") {
        // A message sent in a frame's callback comes after that frame was painted.
        requestAnimationFrame(() => {
            const {port1, port2} = new MessageChannel();
            port1.onmessage = () => window.rejudgeSteps.push(performance.now() - start);
            port2.postMessage(null);
        });
        return;
    }
    const item = find(document, '[data-rj="item"]');
    const before = item && item.dataset.position;
    const root = item && item.getRootNode();
    const entry = {readable: null, durable: null};
    window.rejudgeClock.push(entry);
    const look = () => {
        const now = root.querySelector('[data-rj="item"]');
        const done = root.querySelector('[data-rj="finished"]');
        const step = now && root.querySelector('[data-rj="step"][data-index="0"]');
        const state = root.querySelector('[data-rj="state"]');
        const moved = done || (now && now.dataset.position !== before && step);
        if (moved && entry.readable === null) {
            entry.readable = 0;
            requestAnimationFrame(() => { entry.readable = performance.now() - start; });
        }
        if (moved && entry.durable === null && state.dataset.state === "saved") entry.durable = performance.now() - start;
        if (entry.readable && entry.durable !== null) return;
        if (performance.now() - start < 10000) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}, true);
"""


def long_line(number: int, size: int, steps: int) -> dict[str, Any]:
    """A trajectory of about `size` bytes in this many steps, of the kinds of a coding agent."""
    text = f"step of run {number}: the level is steady.\n" * (size // steps // 40 + 1)
    kinds = ("reasoning", "tool_call", "tool_result", "message")
    made: list[dict[str, Any]] = []
    for at in range(steps):
        kind = kinds[at % 4]
        said = {"tool": "bash", "arguments": {"command": text}, "call": str(at)} if kind == "tool_call" else {"text": text}
        made.append({"kind": kind, "speaker": "agent"} | said | ({"call": str(at - 1)} if kind == "tool_result" else {}))
    return line(number, steps=made)


def main() -> None:
    print("the desk; p50 / p95 in ms, and the growth of p50 from the line above")
    print(f"{'':12}{'key → readable':>24}{'key → durable':>24}{'key → stepped':>24}")
    before: list[float] | None = None
    for name, (size, steps) in SIZES.items():
        figures = measure([long_line(number, size, steps) for number in range(ITEMS[name] + 3)], ITEMS[name])
        middles = [_middle(values) for values in figures]
        cells = [_shown(values) for values in figures]
        if before:
            cells = [f"{cell} ×{middle / max(was, 0.1):.1f}" for cell, middle, was in zip(cells, middles, before, strict=True)]
        print(f"{name:12}" + "".join(f"{cell:>24}" for cell in cells), flush=True)
        before = middles
    for items in BATCHES:
        figures = measure([line(number) for number in range(items)], 24)
        print(f"a batch of {items:,} short items: " + " · ".join(map(_shown, figures)), flush=True)
    size, steps = SIZES["6 KB"]
    figures = measure([long_line(number, size, steps) for number in range(ITEMS["6 KB"] + 3)], ITEMS["6 KB"], OTHERS)
    print(f"6 KB, while a lead's agreement page counts {OTHERS:,} labels anew: " + " · ".join(map(_shown, figures)), flush=True)
    for name in ("6 KB", "1 MB"):
        print(memory(name), flush=True)


@contextmanager
def desk(lines: list[dict[str, Any]], others: int = 0) -> Iterator[Page]:
    """Somebody signed in at a desk with these items. `others`: imported labels that a lead's agreement page beside it counts."""
    folder = Path(tempfile.mkdtemp())
    study = make_study(folder / "study", lines=lines)
    if others:
        study = import_lines(study, [labelled_line(number) for number in range(others // 2)])
    server = Server(study, free_port())
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
            if others:
                _open_agreement(browser, server)
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            page.add_init_script(_CLOCK)
            page.goto(server.link_for("ana"))
            page.get_by_role("button", name="Sign in").click()
            yield page
            browser.close()
    finally:
        server.kill()
        shutil.rmtree(folder)


def labelled_line(number: int) -> dict[str, Any]:
    """A short trajectory with the labels of two people, which the agreement page counts."""
    said = [("x", "aligned"), ("y", "misaligned" if number % 5 == 0 else "aligned")]
    labels = [{"question": "misaligned", "annotator": who, "choice": choice} for who, choice in said]
    return line(100_000 + number, labels=labels)


def _open_agreement(browser: Browser, server: Server) -> None:
    """In a window of the lead's own, over all labels; it counts them anew as labels come in."""
    page = browser.new_context().new_page()
    page.goto(server.link)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{server.url}/agreement")
    page.locator('[data-rj="alpha"], .rj-undefined').first.wait_for(timeout=60_000)
    page.get_by_role("combobox").last.click()
    page.get_by_role("option", name="both").click()
    page.locator('[data-rj="matrix"]').first.wait_for(timeout=60_000)


def measure(lines: list[dict[str, Any]], items: int, others: int = 0) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of each submit but the first two, which warm up, and of each step."""
    pace = LARGE_PACE_MS if sum(len(str(step.get("text", ""))) for step in lines[0]["steps"]) > 500_000 else PACE_MS
    with desk(lines, others) as page:
        for position in range(1, items + 3):
            page.locator(f'[data-rj="item"][data-position="{position}"]').wait_for()
            for key in "jjjnoG" if position > 2 else "":
                page.keyboard.press(key)
                page.wait_for_timeout(60)
            page.wait_for_timeout(pace)
            page.keyboard.press("1")
            page.keyboard.press("Enter")
        page.locator('[data-rj="state"][data-state="saved"]').wait_for()
        page.wait_for_timeout(500)
        entries: list[dict[str, float]] = page.evaluate("window.rejudgeClock")[2:]
        stepped: list[float] = page.evaluate("window.rejudgeSteps")
    return [entry["readable"] for entry in entries], [entry["durable"] for entry in entries], stepped


def memory(name: str) -> str:
    """What the page holds after a collection, early and late in a session of many items: heap, nodes, the process's own memory.

    The process's figure is too high: the protocol by which the browser is driven keeps the body of every answer
    in that process (200 bare fetches of a megabyte, all dropped, make it grow by as much).
    """
    size, steps = SIZES[name]
    seen = []
    with desk([long_line(number, size, steps) for number in range(SESSION)]) as page:
        devtools = page.context.new_cdp_session(page)
        for position in range(1, SESSION + 1):
            page.locator(f'[data-rj="item"][data-position="{position}"]').wait_for()
            for key in "jnoO/":
                page.keyboard.press(key)
            page.keyboard.type("steady")
            page.keyboard.press("Escape")
            page.wait_for_timeout(380)
            page.keyboard.press("1")
            page.keyboard.press("Enter")
            if position in (20, SESSION // 2, SESSION):
                page.wait_for_timeout(500)
                for _ in range(2):
                    devtools.send("HeapProfiler.collectGarbage")
                heap = devtools.send("Runtime.getHeapUsage")["usedSize"] / 1e6
                counters = devtools.send("Memory.getDOMCounters")
                held = f"{heap:.0f} MB heap, {counters['nodes']} nodes, {counters['jsEventListeners']} listeners"
                seen.append(f"{position}: {held}{_renderer_memory(page)}")
    return f"memory over {SESSION} items of {name}, after a collection: " + " · ".join(seen)


def _renderer_memory(page: Page) -> str:
    """The largest renderer's own memory, where the system tells."""
    assert page.context.browser is not None
    processes = page.context.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = []
    for process in processes:
        status = Path(f"/proc/{process['id']}/status")
        if process["type"] == "renderer" and status.exists():
            fields = dict(entry.split(":", 1) for entry in status.read_text(encoding="utf-8").splitlines())
            sizes.append(int(fields["RssAnon"].split()[0]) / 1000)
    return f", {max(sizes):.0f} MB process" if sizes else ""


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _shown(values: list[float]) -> str:
    return f"{_middle(values):.0f} / {sorted(values)[int(len(values) * 0.95)]:.0f}"
