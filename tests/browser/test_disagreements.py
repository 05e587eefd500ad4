"""A lead reads where humans and judge differ, in the browser: the matrix, the list, one item with both sorts of marks, the keys."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from data.store import Store
from data.store.batches import set_batch_state
from data.store.people import first_lead
from data.store.test_looks import spend
from tests.browser.accessibility import grave_findings, require_axe
from tests.browser.desk_in_browser import Server, Sitting
from tests.served_study import TOML, line

Serve = Callable[..., Server]
SitDown = Callable[..., Sitting]

PAYLOADS = (
    "<img src=x onerror=\"document.title='owned'\">",
    "</div><style>body{display:none}</style>",
    "![x](http://127.0.0.1:9/leak.png) [click](javascript:document.title='owned') $\\rickroll{}$",
    "\u202eevil\u2066",
)
SPLIT = "\n[split]\ntrain = 1.0\ndev = 0.0\n"


def differing(number: int) -> dict[str, object]:
    """A judge who sees the agent overstep in steps 2 and 4, and a human who points at steps 1 and 2 and does not."""
    words = "\n".join(PAYLOADS)
    label = {"question": "misaligned", "annotator": "x", "choice": "aligned", "rationale": words, "evidence": [0, 1]}
    verdict = {"question": "misaligned", "run": "judge-a", "choice": "misaligned", "rationale": words, "cites": [1, 3]}
    return line(number, labels=[label], verdicts=[verdict | {"confidence": 0.7}])


def a_server(serve: Serve, items: int = 3, split: str = SPLIT) -> Server:
    toml = TOML.replace('evidence = "first"', 'evidence = "optional"') + split
    server = serve(lines=[differing(number) for number in range(items)], toml=toml)
    with Store.open(server.study.database) as store:
        set_batch_state(store, "batch-1", "closed")
    return server


def test_a_cell_opens_its_list_and_an_item_both_sides_with_their_marks(serve: Serve, sit_down: SitDown) -> None:
    server = a_server(serve, items=22)
    lead = sit_down(server.link)
    page = lead.page
    page.get_by_role("link", name="Disagreements").click()
    cell = page.get_by_role("button", name="humans aligned, judge-a misaligned: 22 items")
    cell.wait_for()
    expect(page.locator('[data-rj="items"]')).to_have_count(0)
    cell.click()
    page.locator('[data-rj="items"]').wait_for()
    expect(cell).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="open item 2, run-001")).to_be_visible()
    page.get_by_role("button", name="open item 1, run-000").click()

    reading = page.locator('[data-rj="reading"]')
    reading.locator('[data-rj="step"][data-index="3"]').wait_for()
    signs = {
        index: [sign.inner_text() for sign in reading.locator(f'.step[data-index="{index}"] .signs span').all()]
        for index in range(4)
    }
    assert signs == {0: ["⚑"], 1: ["◆", "⚑"], 2: [], 3: ["◆"]}
    marks = reading.locator('[data-rj="marks"]')
    for sort, words, steps in (("cites", "◆ judge cites", ["2", "4"]), ("evidence", "⚑ annotators’ evidence", ["1", "2"])):
        line_of = marks.locator(f'[data-sort="{sort}"]')
        assert line_of.inner_text().startswith(words)
        assert [button.inner_text() for button in line_of.get_by_role("button").all()] == steps
    marks.get_by_role("button", name="step 4, cited by the judge").click()
    expect(reading.locator(".step.focus")).to_have_attribute("data-index", "3")
    for side in ('[data-rj="verdict"]', '[data-rj="votes"]'):
        told = page.locator(side).inner_text()
        assert "<img src=x" in told and "⟨U+202E⟩" in told
    # The address brings another session of hers to the same item.
    again = lead.context.new_page()
    again.goto(page.url)
    expect(again.locator('[data-rj="place"]')).to_contain_text("Item 1 of 22")

    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator('[data-rj="place"]')).to_contain_text("Item 2 of 22")
    page.keyboard.press("Alt+ArrowLeft")
    expect(page.locator('[data-rj="place"]')).to_contain_text("Item 1 of 22")
    page.get_by_role("button", name="Back to the list").click()
    expect(page.get_by_role("button", name="open item 20, run-019")).to_be_visible()
    page.get_by_test_id("stPagination").get_by_text("2", exact=True).click()
    expect(page.get_by_role("button", name="open item 21, run-020")).to_be_visible()
    expect(page.get_by_role("button", name="open item 1, run-000")).to_have_count(0)
    assert "owned" not in page.title() and lead.errors == []
    assert [url for url in lead.requested if not url.startswith(server.url) and not url.startswith(("data:", "blob:"))] == []


def test_closed_items_reach_no_browser_and_open_ones_do(serve: Serve, sit_down: SitDown) -> None:
    server = a_server(serve, items=3, split="\n[split]\ntrain = 0.0\ndev = 0.0\n")
    lead = sit_down(server.link, listen=True)
    page = lead.page
    matrix, back = page.locator('[data-rj="matrix"]'), page.get_by_role("button", name="Back to the matrix")
    for address, ready in (("", matrix), ("?cell=0-1", matrix), ("?cell=all", matrix), ("?cell=all&item=1", back)):
        page.goto(f"{server.url}/disagreements{address}")
        ready.wait_for()
        page.wait_for_timeout(500)
    heard = "\n".join(lead.received)
    assert "test 3" in heard
    assert [word for word in ("run-00", "evil", '"cites":', "/lead/items/") if word in heard] == []
    with Store.open(server.study.database) as store:
        spend(store, first_lead(store))
    page.goto(f"{server.url}/disagreements?cell=0-1")
    expect(page.get_by_role("button", name="open item 3, run-002")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_disagreements_page(serve: Serve, sit_down: SitDown, scheme: str) -> None:
    require_axe()
    server = a_server(serve)
    lead = sit_down(server.link, color_scheme=scheme, viewport={"width": 1360, "height": 1100})
    found = {}
    for address, ready in (("?cell=0-1", "items"), ("?cell=0-1&item=1", "verdict")):
        lead.page.goto(f"{server.url}/disagreements{address}")
        lead.page.locator(f'[data-rj="{ready}"]').first.wait_for()
        lead.page.wait_for_timeout(1000)
        found[address] = grave_findings(lead.page)
    assert {address: lines for address, lines in found.items() if lines} == {}
