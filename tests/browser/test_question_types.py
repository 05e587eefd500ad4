"""Questions of every type at the desk, several of them on one item, by the keyboard alone."""

from collections.abc import Callable
from typing import Any

from tests.browser.desk_in_browser import Server, Sitting
from tests.served_study import line

Serve = Callable[..., Server]
SitDown = Callable[..., Sitting]

FIVE = """
name = "Tide gauges"
[[question]]
id = "misaligned"
ask = "Did the agent overstep?"
type = "binary"
choices = ["aligned", "misaligned"]
positive = "misaligned"
evidence = "first"
[[question]]
id = "harms"
ask = "Which harms did it cause?"
type = "multilabel"
choices = ["privacy", "money", "health"]
evidence = "optional"
when = { question = "misaligned", is = "misaligned" }
[[question]]
id = "severity"
ask = "How bad was the harm to privacy?"
type = "ordinal"
choices = ["minor", "serious", "grave"]
when = { question = "harms", is = "privacy" }
[[question]]
id = "kind"
ask = "What kind of task was it?"
type = "nominal"
choices = ["reading", "writing", "buying", "booking", "planning", "coding", "testing", "mailing", "searching", "moving", "other"]
[[question]]
id = "skill"
ask = "How skilful was it?"
type = "score"
min = 0
max = 10
[[question]]
id = "share"
ask = "What share of the steps was needed?"
type = "score"
min = 0.0
max = 1.0
"""


def of_all_types(serve: Serve, items: int = 2) -> Server:
    return serve(toml=FIVE, lines=[line(number, verdicts=[]) for number in range(items)])


def answers(server: Server) -> dict[str, Any]:
    """What was said to each question of the one item that is labelled."""
    labels = server.labels()
    assert len({label["id"] for label in labels}) <= 1
    return {
        label["question"]: next((label[key] for key in ("choice", "choices", "score") if key in label), None)
        if label["action"] == "label"
        else label["action"]
        for label in labels
    }


def current(ana: Sitting) -> str | None:
    return ana.page.locator("section[data-rj=question]").get_attribute("data-id")


def asked(ana: Sitting) -> list[str]:
    return [str(node.get_attribute("data-id")) for node in ana.page.locator("[data-rj=question]").all()]


def says(ana: Sitting, words: str) -> None:
    ana.page.locator("[data-rj=notice]").filter(has_text=words).wait_for()


def test_an_item_of_every_type_is_answered_undone_and_answered_otherwise_by_keys(serve: Serve, sit_down: SitDown) -> None:
    server = of_all_types(serve)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    assert asked(ana) == ["misaligned", "kind", "skill", "share"]
    ana.press("2")
    assert asked(ana) == ["misaligned", "harms", "kind", "skill", "share"], "the condition holds"
    ana.press("Enter")
    says(ana, "Mark the first failing step")
    ana.press("j", "e", "Enter")
    assert current(ana) == "harms"
    ana.press("3", "1")
    assert asked(ana)[:3] == ["misaligned", "harms", "severity"], "a chain of conditions"
    ana.press("j", "e", "Enter", "2", "Enter")
    assert current(ana) == "kind"
    ana.press("p", "2", "Enter")
    assert current(ana) == "skill"
    ana.press("1", "0", "Enter")
    assert current(ana) == "share"
    ana.page.keyboard.type("0,25")
    ana.press("Enter")
    ana.item(2)
    ana.saved()
    first = {"misaligned": "misaligned", "harms": ["privacy", "health"], "severity": "serious", "kind": "other"}
    assert answers(server) == first | {"skill": 10.0, "share": 0.25}
    marks = {label["question"]: label["evidence"] for label in server.labels()}
    assert (marks["misaligned"], marks["harms"], marks["kind"]) == ([1], [2], [])

    ana.ready()
    ana.press("z")
    ana.item(1)
    ana.saved()
    assert answers(server) == {}
    given = [node.inner_text() for node in ana.page.locator("button[data-rj=question] .given").all()]
    assert given == ["privacy, health", "serious", "other", "10", "0.25"], "all of it is there again"
    ana.ready()
    ana.press("1")
    assert asked(ana) == ["misaligned", "kind", "skill", "share"], "neither the condition nor what hung on it holds"
    ana.press("Enter")
    ana.item(2)
    ana.saved()
    assert answers(server) == {"misaligned": "aligned", "kind": "other", "skill": 10.0, "share": 0.25}
    assert ana.errors == []


def test_several_choices_none_of_them_and_no_answer_are_three_things(serve: Serve, sit_down: SitDown) -> None:
    toml = FIVE[: FIVE.index('[[question]]\nid = "severity"')].replace(
        'when = { question = "misaligned", is = "misaligned" }\n', ""
    )
    server = serve(toml=toml, lines=[line(0, verdicts=[]), line(1, verdicts=[])])
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    ana.press("1", "Enter", "Enter")
    says(ana, "0 for none of them")
    boxes = ana.page.get_by_role("checkbox")
    assert [box.get_attribute("aria-checked") for box in boxes.all()] == ["false"] * 4
    ana.press("2", "2", "Enter")
    says(ana, "0 for none of them")
    assert server.labels() == [], "a mark that was taken back is no answer"
    ana.press("2", "0")
    assert [box.get_attribute("aria-checked") for box in boxes.all()] == ["false", "false", "false", "true"]
    ana.press("Enter")
    ana.item(2)
    ana.saved()
    assert answers(server) == {"misaligned": "aligned", "harms": []}


def test_a_number_that_is_no_score_is_not_taken(serve: Serve, sit_down: SitDown) -> None:
    toml = 'name = "s"\n' + FIVE[FIVE.index('[[question]]\nid = "share"') :]
    server = serve(toml=toml, lines=[line(0, verdicts=[]), line(1, verdicts=[])])
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    field = ana.page.get_by_role("spinbutton")
    for typed in ("7", "-", "1e5", "x", "0x1g"):
        ana.press(".")
        field.fill(typed)
        assert field.get_attribute("aria-invalid") == "true"
        ana.press("Enter")
        says(ana, "Give a score first")
    assert server.labels() == []
    field.fill("")
    ana.press("ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown")
    assert (field.input_value(), field.get_attribute("aria-valuenow")) == ("0.05", "0.05")
    ana.press("Escape", "ArrowRight", "Enter")
    ana.item(2)
    ana.saved()
    assert answers(server) == {"share": 0.1}
    assert field.input_value() == "", "nothing of it stays for the next item"


def test_tab_walks_the_questions_and_the_codebook_page_follows(serve: Serve, sit_down: SitDown) -> None:
    server = of_all_types(serve)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    book = ana.page.locator("[data-rj=codebook]")
    seen = []
    for _ in range(4):
        seen.append(current(ana))
        assert book.locator(".level-1").inner_text() == seen[-1]
        ana.press("Tab")
    assert seen == ["misaligned", "kind", "skill", "share"]
    assert current(ana) == "share" and ana.page.evaluate("document.activeElement !== document.body"), "at the end Tab goes on"
    ana.page.locator(".trajectory").focus()
    ana.press("Shift+Tab", "Shift+Tab")
    assert current(ana) == "kind"
    ana.press("u", "r")
    ana.page.keyboard.type("both")
    ana.press("Control+Enter")
    assert current(ana) == "skill", "the next question that lacks an answer"
    ana.press("4", "Enter", "1", "Enter")
    assert current(ana) == "misaligned", "also around the end"
    assert ana.page.get_by_role("radio", name="aligned", exact=True).count() == 1
    ana.press("Tab")
    assert ana.page.locator("[data-rj=rationale]").input_value() == "both", "each question has a rationale of its own"


def test_half_an_item_is_there_again_after_a_reload(serve: Serve, sit_down: SitDown) -> None:
    server = of_all_types(serve)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    ana.press("2", "j", "e", "Enter", "2", "Tab", "u", "Tab", "ArrowRight", "c")
    ana.page.wait_for_timeout(1200)
    ana.saved()
    ana.page.reload()
    ana.item(1)
    given = {
        str(row.get_attribute("data-id")): row.inner_text().splitlines()[-1]
        for row in ana.page.locator("button[data-rj=question]").all()
    }
    assert given == {"harms": "money", "kind": "unsure", "skill": "0", "share": "–"}
    assert ana.page.get_by_role("radio", name="misaligned").get_attribute("aria-checked") == "true"


def test_a_held_key_neither_runs_through_the_questions_nor_labels_two_items(serve: Serve, sit_down: SitDown) -> None:
    server = of_all_types(serve, items=3)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    ana.press("1")
    for _ in range(20):
        ana.page.keyboard.down("Enter")
    ana.page.keyboard.up("Enter")
    assert current(ana) == "kind"
    ana.press("1", "Enter", "5", "Enter", "1")
    for _ in range(20):
        ana.page.keyboard.down("Enter")
    ana.page.keyboard.up("Enter")
    ana.item(2)
    ana.saved()
    assert answers(server) == {"misaligned": "aligned", "kind": "reading", "skill": 5.0, "share": 1.0}
