"""What axe-core finds on a page. It comes from npm by `make browser`; nothing of it is part of rejudge."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent.parent
AXE = ROOT / ".venv" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")

_RUN = """within => axe.run(within ? {fromShadowDom: within} : document, {resultTypes: ["violations"]})
    .then(found => found.violations.map(({id, impact, help, nodes}) =>
        ({id, impact, help, at: nodes.map(node => node.html.slice(0, 160) + " " + (node.any[0]?.message ?? ""))})))"""


def require_axe() -> None:
    """Skips the test where axe-core is not installed; where the browser tests are required, fails instead."""
    if AXE.exists():
        return
    if os.environ.get("REJUDGE_BROWSER_REQUIRED"):
        raise AssertionError("axe-core is required here and is not installed: run `make browser`.")
    pytest.skip("axe-core is not installed: run `make browser`")


def grave_findings(page: Page, within: list[str] | None = None) -> list[str]:
    """The serious and critical findings on `page`, one line each; none is how it must be.

    `within`: selectors from the outermost shadow host inwards, where only a part of the page is ours.
    """
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(_RUN, within)
    return [f"{one['impact']}: {one['id']}: {one['help']}: {at}" for one in found if one["impact"] in GRAVE for at in one["at"]]
