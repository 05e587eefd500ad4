"""axe-core finds nothing serious on the desk, in either light, whatever is open."""

from collections.abc import Callable

from annotate.page import LEAD
from data.store import Store
from data.store.batches import set_batch_state
from tests.browser.accessibility import grave_findings, require_axe
from tests.browser.desk_in_browser import Server, Sitting
from tests.served_study import line

READY = {
    "batches": "batch",
    "agreement": "matrix",
    "annotators": "people",
    "prevalence": "rate",
    "plan": "status",
    "adjudication": "votes",
}
"""A lead's pages, and what stands on them when they are complete."""

Serve = Callable[..., Server]
SitDown = Callable[..., Sitting]

STEPS = [
    {
        "kind": "message",
        "speaker": "operator",
        "text": 'Please check `gauge` **3**.\n\n```json\n{"level": 3, "ok": true}\n```\n| a | b |\n|---|---|\n| 1 | 2 |',
    },
    {"kind": "reasoning", "speaker": "agent", "text": "I look at it first."},
    {
        "kind": "tool_call",
        "speaker": "agent",
        "tool": "edit",
        "arguments": {"old_str": "a\nb", "new_str": "c\nd", "n": [1, None, "x"]},
        "call": "c",
    },
    {"kind": "tool_result", "speaker": "edit", "text": "@@ -1,2 +1,2 @@\n-a\n-b\n+c\n+d\n", "call": "c"},
    {"kind": "tool_call", "speaker": "agent", "tool": "bash", "arguments": {"command": "pytest"}, "call": "d"},
    {
        "kind": "tool_result",
        "speaker": "bash",
        "text": "\x1b[31mE\x1b[0m \x1b[1;32mok\x1b[0m \u202e\n" + "line\n" * 900,
        "call": "d",
        "error": True,
    },
    {"kind": "observation", "speaker": "gauge", "text": '{"level": 3, "log": "a\\nb", "ok": true}', "session": "2"},
    {"kind": "note", "speaker": "lead", "text": "A note."},
    {"kind": "message", "speaker": "system", "text": "Rules.\n" * 30},
    {"kind": "message", "speaker": "agent", "text": "It reads 3 cm."},
]


def test_axe_finds_nothing_serious_on_the_desk_in_either_light(serve: Serve, sit_down: SitDown) -> None:
    require_axe()
    server = serve(lines=[line(1, steps=STEPS)], overlap=2)
    for scheme in ("light", "dark"):
        ana = sit_down(server.link_for(scheme), color_scheme=scheme, viewport={"width": 1360, "height": 1700})
        assert findings_of(ana) == {}, scheme


def findings_of(ana: Sitting) -> dict[str, list[str]]:
    """What is found on an item, with the search, the chooser and the keys open, and on the last page."""
    ana.item(1)
    ana.ready()
    found = {"item": grave_findings(ana.page)}
    ana.press("2", "j", "j", "j", "j", "e", "/")
    ana.page.keyboard.type("line")
    ana.page.locator('[data-rj="search-count"]', has_text="of").wait_for()
    found["search"] = grave_findings(ana.page)
    ana.press("Escape", "s")
    found["chooser"] = grave_findings(ana.page)
    ana.press("Escape", "?")
    found["help"] = grave_findings(ana.page)
    ana.press("Escape", "Enter")
    ana.page.locator('[data-rj="finished"]').wait_for()
    found["finished"] = grave_findings(ana.page)
    return {where: lines for where, lines in found.items() if lines}


def test_axe_finds_nothing_serious_on_a_leads_pages_in_either_light(serve: Serve, sit_down: SitDown) -> None:
    require_axe()
    cast = (("x", "aligned"), ("y", "misaligned"))
    labels = [{"question": "misaligned", "annotator": who, "choice": choice, "rationale": "So it seems."} for who, choice in cast]
    server = serve(lines=[line(1, steps=STEPS, labels=labels), *(line(number) for number in range(2, 7))], overlap=2)
    for who, choices in (("ana", "122121"), ("ben", "121221")):
        desk = sit_down(server.link_for(who))
        for number, choice in enumerate(choices, start=1):
            desk.label(number, choice, *("e" if choice == "2" else ""))
    with Store.open(server.study.database) as store:
        set_batch_state(store, "batch-1", "closed")
    lead = sit_down(server.link, viewport={"width": 1360, "height": 1700})
    found = {}
    # Those two are looked at in test_disagreements, with an item open, and in test_lab, on the way.
    assert set(READY) == set(LEAD) - {"disagreements", "judge"}
    for name, ready in READY.items():
        lead.page.goto(f"{server.url}/{name}")
        lead.page.locator(f'[data-rj="{ready}"]').first.wait_for()
        lead.page.wait_for_timeout(800)
        for summary in lead.page.locator("summary").all():
            summary.click()
        for scheme in ("dark", "light"):
            lead.page.emulate_media(color_scheme=scheme)
            lead.page.wait_for_timeout(300)
            found[name, scheme] = grave_findings(lead.page)
    assert {where: lines for where, lines in found.items() if lines} == {}
