"""Fixtures of the browser tests, and what happens where there is no browser."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.desk_in_browser import QUIET, Server, Sitting, chromium, free_port, watch
from tests.served_study import make_study

REQUIRED = "REJUDGE_BROWSER_REQUIRED"
# A machine with other work to do is no defect: what comes, comes within this.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.browser)
    if here and chromium() is None:
        if os.environ.get(REQUIRED):
            raise pytest.UsageError("The browser tests are required here, and no Chromium was found: run `make browser`.")
        for item in here:
            item.add_marker(pytest.mark.skip(reason="no Chromium"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "no Chromium" in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"!!! {len(skipped)} BROWSER TESTS WERE SKIPPED: no Chromium. Run `make browser`, or set REJUDGE_CHROMIUM to one.",
            red=True,
            bold=True,
        )


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on studies made from native lines."""
    servers: list[Server] = []

    def start(**fields: Any) -> Server:
        server = Server(make_study(tmp_path / f"study-{len(servers)}", **fields), free_port())
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


# Playwright keeps an event loop running in this thread, and commands that ask a judge open one of their own: no longer than
# a file of browser tests.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def sit_down(browser: Browser) -> Iterator[Callable[..., Sitting]]:
    """Signs somebody in by a printed link, as a person would."""
    contexts: list[BrowserContext] = []

    def sit(link: str, *, listen: bool = False, **options: Any) -> Sitting:
        context = browser.new_context(**({"viewport": {"width": 1360, "height": 860}} | options))
        contexts.append(context)
        sitting = Sitting(context, context.new_page())
        watch(sitting, listen)
        sitting.page.goto(link)
        sitting.page.get_by_role("button", name="Sign in").click()
        return sitting

    yield sit
    for context in contexts:
        context.close()
