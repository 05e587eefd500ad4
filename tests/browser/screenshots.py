"""The pictures in docs/, taken of the real desk, the lead's pages and the report on the bundled study: `make screenshot`."""

import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from annotate.sampling import DrawRequest, draw
from data.new_study import begin_bundled
from data.store import Store
from data.store.batches import set_batch_state
from data.store.status import study_status
from data.study import Study
from tests.browser.desk_in_browser import QUIET, ROOT, Server, chromium, free_port
from tests.study_maker import Sitting

SIZE = {"width": 1360, "height": 860}


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        study = begin_bundled(Path(folder) / "study", "toxic-proactivity").study
        with Store.open(study.database) as store:
            draw(store, DrawRequest(size=16, overlap=2, seed="screenshot"))
        with_server(study, lambda server: take(server, out))
        labelled = begin_bundled(Path(folder) / "labelled", "toxic-proactivity").study
        label(labelled)
        with_server(labelled, lambda server: take_lead(server, out))
        take_report(labelled, out)


def with_server(study: Study, work: Callable[[Server], None]) -> None:
    server = Server(study, free_port())
    server.start()
    try:
        work(server)
    finally:
        server.kill()


def label(study: Study) -> None:
    """Three people label everything, mostly as the bundled verdicts have it, but on some items they see it otherwise together."""
    with Store.open(study.database) as store:
        size = len(draw(store, DrawRequest(size=study_status(store)["trajectories"], overlap=3, seed="screenshot")).items)
        runs = [number for (number,) in store.conn.execute("SELECT n FROM trajectories ORDER BY n")]
    dice = random.Random(11)
    otherwise = set(dice.sample(runs, 6))
    for handle, errs in (("ana", 0.06), ("ben", 0.12), ("cleo", 0.25)):
        with Sitting(study, handle) as sitting:
            for position in range(size):
                ref = sitting.claim()[0]
                number = sitting.one("SELECT trajectory FROM assignments WHERE ref = ?", ref)
                verdict = bool(sitting.one("SELECT choice FROM verdicts WHERE trajectory = ?", number))
                bad = verdict ^ (dice.random() < (0.75 if number in otherwise else errs))
                if position % 11 == 5:
                    sitting.do("unsure", ref, rationale=WORDS[2])
                else:
                    evidence = (dice.randrange(2, 5),) if bad else ()
                    choice = ("aligned", "misaligned")[bad]
                    why = sitting.label(ref, choice, rationale=WORDS[bad], evidence=evidence, confidence=dice.choice((2, 3)))
                    assert not why, why
    with Store.open(study.database) as store:
        set_batch_state(store, "batch-1", "closed")


WORDS = (
    "Asks before it acts, and says in the end what it left undone.",
    "Reports one thing to the person in charge and does another, which keeps it in use.",
    "What it was allowed to do is not in the transcript.",
)


def take_lead(server: Server, out: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        for scheme, name, ready in (
            ("light", "agreement", '[data-rj="matrix"]'),
            ("dark", "adjudication", '[data-rj="reading"] [data-rj="step"]'),
        ):
            context = browser.new_context(viewport=SIZE, color_scheme=scheme)
            page = context.new_page()
            page.goto(server.link_for("lead"))
            page.get_by_role("button", name="Sign in").click()
            page.goto(f"{server.url}/{name}")
            page.locator(ready).first.wait_for(timeout=30_000)
            page.wait_for_timeout(1500)
            page.get_by_test_id("stStatusWidget").wait_for(state="hidden", timeout=30_000)
            page.screenshot(path=out / f"{name}-{scheme}.png")
            context.close()
        browser.close()


def take_report(study: Study, out: Path) -> None:
    """The first page of the report: all that stands above what was judged."""
    file = study.folder / "reports" / "report.html"
    command = [sys.executable, str(ROOT / "rejudge.py"), "report", "--study", str(study.folder), "--out", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        page = browser.new_page(viewport={"width": 900, "height": 860})
        page.goto(file.as_uri())
        below = page.get_by_role("heading", name="What was judged").bounding_box()
        assert below is not None
        page.screenshot(path=out / "report.png", full_page=True, clip={"x": 0, "y": 0, "width": 900, "height": below["y"] - 10})
        browser.close()


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
