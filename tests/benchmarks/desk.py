"""Key press to next item readable, and to durable, in Chromium against the real server.

The clock starts at the key event's own time stamp. Readable: the new position stands in the document
with its first step, and a frame with both has been presented. Durable: the state says saved again,
which it says only of what the database has acknowledged.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser.desk_in_browser import QUIET, Server, chromium, free_port
from tests.served_study import line, make_study

ITEMS = 50
SIZES = {"6 KB": 6_000, "100 KB": 100_000}
PACE_MS = 450

_CLOCK = """
window.rejudgeClock = [];
addEventListener("keydown", event => {
    if (event.key !== "Enter") return;
    const find = (root, selector) => {
        const found = root.querySelector(selector);
        if (found) return found;
        for (const node of root.querySelectorAll("*")) {
            const inner = node.shadowRoot && find(node.shadowRoot, selector);
            if (inner) return inner;
        }
        return null;
    };
    const item = find(document, '[data-rj="item"]');
    const before = item && item.dataset.position;
    const root = item && item.getRootNode();
    const entry = {readable: null, durable: null};
    window.rejudgeClock.push(entry);
    const start = event.timeStamp;
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


def long_line(number: int, size: int) -> dict[str, Any]:
    """A trajectory of about `size` bytes in 12 steps."""
    steps = [
        {
            "kind": "message" if at % 2 else "tool_result",
            "speaker": "agent",
            "text": (f"step {at} of run {number}: the level is steady.\n" * (size // 12 // 44 + 1)),
        }
        for at in range(12)
    ]
    return line(number, steps=steps)


def main() -> None:
    print(f"the desk, {ITEMS} items at a pace of {PACE_MS} ms; p50 / p95 in ms")
    print(f"{'':10}{'key → readable':>20}{'key → durable':>20}")
    for name, size in SIZES.items():
        readable, durable = measure(size)
        print(f"{name:10}{_shown(readable):>20}{_shown(durable):>20}")


def measure(size: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each submit but the first two, which warm up."""
    folder = Path(tempfile.mkdtemp())
    server = Server(make_study(folder / "study", lines=[long_line(number, size) for number in range(ITEMS + 3)]), free_port())
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            page.add_init_script(_CLOCK)
            page.goto(server.link)
            page.get_by_role("button", name="Sign in").click()
            _label(page)
            entries: list[dict[str, float]] = page.evaluate("window.rejudgeClock")[2:]
            browser.close()
    finally:
        server.kill()
        shutil.rmtree(folder)
    return [entry["readable"] for entry in entries], [entry["durable"] for entry in entries]


def _label(page: Page) -> None:
    for position in range(1, ITEMS + 3):
        page.locator(f'[data-rj="item"][data-position="{position}"]').wait_for()
        page.wait_for_timeout(PACE_MS)
        page.keyboard.press("1")
        page.keyboard.press("Enter")
    page.locator('[data-rj="state"][data-state="saved"]').wait_for()
    page.wait_for_timeout(500)


def _shown(values: list[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:.0f} / {ordered[int(len(ordered) * 0.95)]:.0f}"
