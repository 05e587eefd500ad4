"""What a lead does in the browser, beside people who label; and what an annotator gets at a lead's addresses."""

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from annotate.page import LEAD
from data.store import Store
from tests.browser.desk_in_browser import Server, Sitting
from tests.browser.test_blindness import HIDDEN, secret_line
from tests.served_study import TOML, line

Serve = Callable[..., Server]
SitDown = Callable[..., Sitting]

LOOSE = TOML.replace('evidence = "first"', 'evidence = "optional"')


def agree(server: Server) -> dict[str, Any]:
    """The consensus against the judge, as the command prints it."""
    document = json.loads(server.printed("agree", "--json"))
    pair: dict[str, Any] = next(pair for pair in document["questions"][0]["pairs"] if pair["rows"] == "human:consensus")
    return pair


def label_all(sitting: Sitting, items: int, key: str) -> None:
    for position in range(1, items + 1):
        sitting.label(position, key)
    sitting.page.locator('[data-rj="finished"]').wait_for()
    sitting.saved()


def cells(lead: Sitting) -> list[int]:
    return [int(text.split()[0]) for text in lead.page.locator('[data-rj="matrix"] .rj-cell').all_inner_texts()]


def test_a_lead_closes_a_batch_reads_the_figures_and_decides_an_item_and_the_figure_changes(
    serve: Serve, sit_down: SitDown
) -> None:
    server = serve(items=2, overlap=2, toml=LOOSE)
    # Two annotators who differ on everything: two ties.
    label_all(sit_down(server.link_for("ana")), 2, "1")
    label_all(sit_down(server.link_for("ben")), 2, "2")

    lead = sit_down(server.link)
    page = lead.page
    page.get_by_role("link", name="Batches").click()
    batch = page.locator('[data-rj="batch"]')
    expect(batch).to_have_attribute("data-state", "open")
    expect(page.locator('[data-rj="finished-labels"]')).to_have_text("4")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Close for good").click()
    expect(batch).to_have_attribute("data-state", "closed")

    page.get_by_role("link", name="Agreement").first.click()
    expect(page.get_by_text("2 tied").first).to_be_visible()
    assert agree(server)["n"] == 0

    page.get_by_role("link", name="Adjudication").first.click()
    expect(page.locator('[data-rj="votes"]')).to_contain_text("Annotator A")
    page.locator('[data-rj="reading"] [data-rj="step"]').first.wait_for()
    told = page.inner_text("body")
    assert "Annotator B" in told and not re.search(r"\b(ana|ben|judge-a|hidden-\w+|run-0\d+)\b", told)
    page.locator('[data-rj="reading"] .trajectory').focus()
    page.keyboard.press("j")
    expect(page.locator('[data-rj="reading"] .step.focus')).to_have_attribute("data-index", "1")
    page.get_by_role("radiogroup", name="The answer").get_by_text("misaligned", exact=True).click()
    page.get_by_text("codebook ambiguous").click()
    page.get_by_label("Rationale").fill("the page says so")
    page.get_by_role("button", name="Save the decision").click()
    expect(page.locator('[data-rj="place"]')).to_contain_text("1 to decide, 1 decided")

    page.get_by_role("link", name="Agreement").first.click()
    page.locator('[data-rj="matrix"]').first.wait_for()
    pair = agree(server)
    assert cells(lead) == [count for row in pair["confusion"] for count in row] == [0, 0, 1, 0]
    # Decided while the figures are open, on the command line's side of the house: the page follows by itself.
    decide_the_rest(server)
    expect(page.locator('[data-rj="matrix"] .rj-cell b').nth(2)).to_have_text("2")
    assert lead.errors == []


def decide_the_rest(server: Server) -> None:
    from data.store.adjudication import decide
    from data.store.contested import contested
    from data.store.people import first_lead
    from data.store.versions import record_versions

    with Store.open(server.study.database) as store:
        asked = record_versions(store, server.study)[0][0]
        (item,) = [item.trajectory for item in contested(store, asked.code) if not item.decided]
        decide(store, first_lead(store), item, asked, "misaligned", "slip", "")


def test_an_annotator_gets_nothing_at_a_leads_addresses(serve: Serve, sit_down: SitDown) -> None:
    server = serve(lines=[secret_line(number) for number in range(3)], overlap=2, toml=LOOSE)
    ben = sit_down(server.link_for("sentinelben"))
    for position in range(1, 4):
        ben.label(position, "2")
    ben.page.locator('[data-rj="finished"]').wait_for()
    ben.saved()
    lead = sit_down(server.link)
    lead.page.goto(f"{server.url}/agreement")
    lead.page.get_by_role("heading", name="Agreement").wait_for()

    ana = sit_down(server.link_for("ana"), listen=True)
    ana.item(1)
    assert ana.page.get_by_role("link", name="Agreement").count() == 0
    for name in (*LEAD, "desk"):
        ana.go_to(f"{server.url}/{name}")
        ana.item(1)
        assert (
            ana.page.locator('[data-rj="batch"], [data-rj="matrix"], [data-rj="people"], [data-rj="votes"], .rj-head').count() == 0
        )
    statuses = ana.page.evaluate("async () => Promise.all([1, 2, 3].map(async n => (await fetch('/lead/items/' + n)).status))")
    assert statuses == [404, 404, 404]
    heard = "\n".join(ana.received)
    assert "looks odd, please check" in heard and "(no body" not in heard
    assert [word for word in (*HIDDEN, "batch-1", "rj-head") if word in heard] == []


PAYLOADS = (
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "![x](http://127.0.0.1:9/leak.png)",
    "</div></table><style>body{display:none}</style>",
    "<svg onload=\"document.title='owned'\"></svg>",
    "[click](javascript:document.title='owned')",
    "\u202eevil\u2066 \u200b",
    "$\\rickroll{}$ :red[x] `a`",
)


def test_hostile_words_of_annotators_and_files_do_nothing_on_a_leads_pages(serve: Serve, sit_down: SitDown) -> None:
    labels = [
        {"question": "misaligned", "annotator": f"{who} {PAYLOADS[0]}", "choice": choice, "rationale": "\n".join(PAYLOADS)}
        for who, choice in (("x", "aligned"), ("y", "misaligned"))
    ]
    verdicts = [{"question": "misaligned", "run": PAYLOADS[3], "choice": "aligned"}]
    steps = [{"kind": "message", "speaker": "user", "text": text} for text in PAYLOADS]
    lines = [line(0), line(1, labels=labels, verdicts=verdicts, steps=steps, task=PAYLOADS[1])]
    server = serve(lines=lines, toml=LOOSE)
    with Store.open(server.study.database) as store, store.write():
        store.conn.execute("UPDATE batches SET state = 'closed'")
    lead = sit_down(server.link)
    for name, ready in (
        ("batches", '[data-rj="batch"]'), ("agreement", ".rj-lead-figure"), ("annotators", '[data-rj="people"]'),
        ("adjudication", '[data-rj="votes"]'),
    ):  # fmt: skip
        lead.page.goto(f"{server.url}/{name}")
        lead.page.locator(ready).first.wait_for()
        lead.page.wait_for_timeout(700)
        assert "owned" not in lead.page.title()
        expect(lead.page.locator(".rj-head")).to_be_visible()
    assert "⟨U+202E⟩" in lead.page.locator('[data-rj="votes"]').inner_text()
    assert "<img src=x" in lead.page.locator('[data-rj="votes"]').inner_text()
    assert [url for url in lead.requested if not url.startswith(server.url) and not url.startswith(("data:", "blob:"))] == []
    assert lead.errors == []
