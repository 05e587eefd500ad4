"""The server changes or refuses under the desk: nothing is lost silently, and no label points at what was not shown."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route

from tests.browser.desk_in_browser import Server, Sitting
from tests.served_study import line

Serve = Callable[..., Server]
SitDown = Callable[..., Sitting]


def refuse(status: int, error: str, when: Callable[[Any], bool]) -> tuple[Callable[[Route], None], list[Any]]:
    """A route that answers `status` to the bodies that `when` picks, and the list of those bodies."""
    refused: list[Any] = []

    def answer(route: Route) -> None:
        body = route.request.post_data_json
        if when(body):
            refused.append(body)
            route.fulfill(status=status, json={"error": error})
        else:
            route.continue_()

    return answer, refused


def notice(sitting: Sitting, words: str) -> None:
    sitting.page.locator('[data-rj="notice"]', has_text=words).wait_for()


def test_a_codebook_page_edited_while_a_label_waits_is_shown_and_no_label_points_at_one_that_was_not(
    serve: Serve, sit_down: SitDown
) -> None:
    server = serve(items=4)
    page = server.study.codebook_path(server.study.questions[0])
    page.write_text("# Overstep\n\nThe first page.\n", encoding="utf-8")
    server.kill()
    server.start()
    ana = sit_down(server.link_for("ana"))
    ana.label(1, "1")
    ana.item(2)
    ana.saved()
    assert "The first page." in ana.page.locator('[data-rj="codebook"]').inner_text()
    (first,) = server.labels()
    server.kill()
    # She goes on with what she has read, under the page that she has read.
    ana.label(2, "2", "j", "e")
    ana.item(3)
    ana.press("r")
    ana.page.keyboard.type("begun under the first page")
    page.write_text("# Overstep\n\nThe second page.\n", encoding="utf-8")
    server.start()
    ana.page.locator('[data-rj="codebook"]', has_text="The second page.").wait_for()
    ana.page.locator('[data-rj="item"][data-position]').wait_for()
    ana.saved()
    position = int(ana.page.locator('[data-rj="item"]').get_attribute("data-position") or 0)
    assert position in (2, 3)
    if position == 3:
        assert ana.page.locator('[data-rj="rationale"]').input_value() == "begun under the first page"
    before = {str(label["id"]) for label in server.labels()}
    assert {label["codebook"] for label in server.labels()} == {first["codebook"]}
    ana.label(position, "1")
    ana.item(position + 1)
    ana.saved()
    (new,) = [label for label in server.labels() if label["id"] not in before]
    assert new["codebook"] != first["codebook"]
    assert ana.errors == []


def test_a_pin_that_never_comes_true_reloads_the_page_once(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=2)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)

    def at_odds(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["state"]["pin"] = "another"
        route.fulfill(response=answer, json=body)

    loads: list[str] = []
    ana.page.on("load", lambda page: loads.append(page.url))
    ana.page.route("**/desk/events", at_odds)
    for _ in range(2):
        ana.ready()
        # A flag makes the desk hear from the server and leaves the item.
        ana.press("f", "1")
        ana.page.wait_for_timeout(3000)
        ana.item(1)
    notice(ana, "Reload this page")
    assert len(loads) == 1


def test_a_refused_draft_is_not_called_saved_until_it_is(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=2)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.saved()
    answer, refused = refuse(409, "That item is not yours to work on.", lambda _: len(refused) < 1)
    ana.page.route("**/desk/drafts", answer)
    ana.ready()
    asked = len([url for url in ana.requested if "/desk/items/" in url])
    ana.press("r")
    ana.page.keyboard.type("what I was about to say")
    ana.page.locator('[data-rj="state"][data-state="unsaved"]').wait_for()
    ana.saved()
    assert len(refused) == 1
    assert len([url for url in ana.requested if "/desk/items/" in url]) == asked + 1
    ana.page.reload()
    ana.item(1)
    assert ana.page.locator('[data-rj="rationale"]').input_value() == "what I was about to say"


def test_a_draft_of_an_item_that_is_gone_is_given_up_aloud(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=2)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.saved()
    ana.page.route("**/desk/drafts", lambda route: route.fulfill(status=409, json={"error": "not yours"}))
    ana.page.route("**/desk/items/*", lambda route: route.fulfill(status=404, json={"error": "not yours"}))
    ana.ready()
    ana.press("r")
    ana.page.keyboard.type("lost")
    ana.page.locator('[data-rj="state"][data-state="unsaved"]').wait_for()
    notice(ana, "was not kept")


def test_a_draft_does_not_overtake_the_undo_of_its_item(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=2)
    ana = sit_down(server.link_for("ana"))
    ana.label(1, "1")
    ana.item(2)
    ana.saved()
    ana.page.route("**/desk/events", lambda route: route.abort())
    ana.ready()
    ana.press("z")
    ana.item(1)
    drafts = len([url for url in ana.requested if url.endswith("/desk/drafts")])
    ana.press("r")
    ana.page.keyboard.type("on second thoughts")
    ana.page.wait_for_timeout(2500)
    assert len([url for url in ana.requested if url.endswith("/desk/drafts")]) == drafts
    assert ana.state() == "unsaved"
    ana.page.unroute("**/desk/events")
    ana.saved()
    ana.page.reload()
    ana.item(1)
    assert ana.page.locator('[data-rj="rationale"]').input_value() == "on second thoughts"


def test_one_event_that_the_server_cannot_read_takes_no_other_with_it(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=5)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.saved()
    ana.page.route("**/desk/events", lambda route: route.abort())
    ana.label(1, "1")
    ana.label(2, "2", "j", "e")
    # The third item is on the page meanwhile, so nothing but the retry asks the server.
    ana.item(3)
    ana.page.locator('[data-rj="state"][data-state="unsaved"]').wait_for()
    answer, refused = refuse(
        400,
        "A word about it.",
        lambda body: any(event["answers"]["misaligned"].get("choice") == "misaligned" for event in body["events"]),
    )
    # The route that was added last answers first, so no retry slips through between the two.
    ana.page.route("**/desk/events", answer)
    notice(ana, "Not saved yet. A word about it.")
    assert ana.state() == "unsaved"
    notice(ana, "was not taken. A word about it.")
    ana.saved()
    # Once with the others, once alone.
    assert [len(body["events"]) for body in refused] == [2, 1]
    assert [label["choice"] for label in server.labels()] == ["aligned"]
    # The item whose label was dropped is there to be labelled again.
    ana.page.unroute("**/desk/events")
    ana.item(2)
    ana.ready()
    ana.press("Enter")
    ana.saved()
    ana.page.wait_for_timeout(300)
    assert sorted(str(label["choice"]) for label in server.labels()) == ["aligned", "misaligned"]


def test_a_line_says_where_another_session_begins(serve: Serve, sit_down: SitDown) -> None:
    steps = [
        {"kind": "message", "speaker": "operator", "text": "Please check the gauge.", "session": "1"},
        {"kind": "message", "speaker": "agent", "text": "It reads 3 cm.", "session": "1"},
        {"kind": "message", "speaker": "operator", "text": "And today?", "session": "2"},
        {"kind": "message", "speaker": "agent", "text": "It reads 4 cm.", "session": "2"},
    ]
    server = serve(lines=[line(1, steps=steps), line(2)])
    ana = sit_down(server.link_for("ana"))
    seen = []
    for position in (1, 2):
        ana.item(position)
        ana.ready()
        lines = ana.page.locator('[data-rj="session"]')
        seen.append(
            [(text, lines.nth(n).locator("..").get_attribute("data-index")) for n, text in enumerate(lines.all_inner_texts())]
        )
        ana.press("j", "j", "1", "Enter")
    assert sorted(seen) == [[], [("session 2", "2")]]


def test_the_page_without_an_item_finds_a_new_batch_by_itself_and_tells_nothing_of_others(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=1)
    ben = sit_down(server.link_for("ben"))
    ben.item(1)
    ana = sit_down(server.link_for("ana"))
    ana.page.locator('[data-rj="waiting"], [data-rj="empty"], [data-rj="finished"]').wait_for()
    words = ana.page.locator(".page-body").inner_text()
    assert "This page looks again by itself." in words
    assert "hold" not in words
    assert "other" not in words.lower()
    # Ben skips it: the place is free, and it comes to ana.
    ben.ready()
    ben.press("s", "1", "Enter")
    ana.item(1, within=60_000)  # it looks every 15 seconds
