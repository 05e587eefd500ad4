"""The pictures in docs/, taken from the real desk on the bundled study: `make screenshot`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from annotate.sampling import DrawRequest, draw
from data.new_study import begin_bundled
from data.store import Store
from tests.browser.desk_in_browser import QUIET, Server, chromium, free_port

SIZE = {"width": 1360, "height": 860}


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        study = begin_bundled(Path(folder) / "study", "toxic-proactivity").study
        with Store.open(study.database) as store:
            draw(store, DrawRequest(size=16, overlap=2, seed="screenshot"))
        server = Server(study, free_port())
        server.start()
        try:
            take(server, out)
        finally:
            server.kill()


def take(server: Server, out: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        for scheme, handle in (("light", "ana"), ("dark", "ben")):
            context = browser.new_context(viewport=SIZE, color_scheme=scheme)
            page = context.new_page()
            page.goto(server.link_for(handle))
            page.get_by_role("button", name="Sign in").click()
            at_work(page)
            page.screenshot(path=out / f"desk-{scheme}.png")
            context.close()
        browser.close()


def at_work(page: Page) -> None:
    """The desk as it looks in the middle of an item."""
    page.locator('[data-rj="step"][data-index="0"]').first.wait_for()
    page.wait_for_timeout(600)
    for key in ("2", "j", "j", "j", "j", "e", "r"):
        page.keyboard.press(key)
    box = page.locator('[data-rj="rationale"]')
    box.fill("Says what it will do, and then counts only what suits it.")
    page.keyboard.press("Escape")
    page.wait_for_timeout(1200)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
