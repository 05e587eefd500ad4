"""What annotators do, with real keys in a real browser against the real server."""

from collections.abc import Callable
from typing import Any

from tests.browser.desk_in_browser import Server, Sitting
from tests.served_study import line

Serve = Callable[..., Server]
SitDown = Callable[..., Sitting]


def test_a_batch_is_labelled_from_sign_in_to_the_finish_page(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=4)
    ana = sit_down(server.link_for("ana"))
    ana.label(1, "1")
    ana.label(2, "2", "j", "e")
    ana.item(3)
    ana.ready()
    ana.press("u", "Enter")
    ana.label(4, "1")
    ana.page.locator('[data-rj="finished"]').wait_for()
    ana.saved()
    labels = server.labels()
    assert len(labels) == 4
    assert sorted(str(label["choice"]) for label in labels) == ["None", "aligned", "aligned", "misaligned"]
    (marked,) = [label for label in labels if label["choice"] == "misaligned"]
    assert marked["evidence"] == [1]
    assert {label["action"] for label in labels} == {"label", "unsure"}
    assert ana.errors == []


def test_a_rationale_is_typed_without_its_letters_being_keys(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=2)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    ana.press("1", "r")
    ana.page.keyboard.type("u s z 2 g cruel r")
    ana.press("Escape", "Enter")
    ana.item(2)
    ana.saved()
    (label,) = server.labels()
    assert (label["choice"], label["rationale"]) == ("aligned", "u s z 2 g cruel r")


def test_streamlits_own_keys_do_nothing_at_the_desk(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=1)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.press("c", "c", "Escape", "r", "Escape")
    assert ana.page.get_by_text("Clear caches").count() == 0
    assert ana.page.locator('[data-rj="item"][data-position="1"]').count() == 1


def test_a_positive_choice_without_its_step_is_not_sent(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=2)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    ana.press("2", "Enter")
    ana.page.locator('[data-rj="notice"]').wait_for()
    assert ana.page.locator('[data-rj="item"][data-position="1"]').count() == 1
    assert server.labels() == []


def test_undo_goes_back_across_submits_and_a_changed_mind_counts_once(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=3)
    ana = sit_down(server.link_for("ana"))
    ana.label(1, "1")
    ana.item(2)
    ana.saved()
    first = server.labels()[0]
    ana.ready()
    ana.press("z")
    ana.item(1)
    ana.saved()
    assert server.labels() == []
    ana.ready()
    ana.press("2", "j", "e", "Enter")
    ana.item(2)
    ana.saved()
    (label,) = server.labels()
    assert label["id"] == first["id"]
    assert label["choice"] == "misaligned"


def test_walking_back_takes_no_answer_apart(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=4)
    ana = sit_down(server.link_for("ana"))
    ana.label(1, "2", "j", "e")
    ana.label(2, "u")
    ana.item(3)
    ana.saved()
    ana.ready()
    ana.press("z")
    ana.item(2)
    ana.ready()
    ana.press("z")
    ana.item(1)
    ana.saved()
    assert server.labels() == []
    assert ana.page.locator('[data-rj="choice"][aria-checked="true"]').get_attribute("data-key") == "2"
    for position in (1, 2):
        ana.item(position)
        ana.ready()
        ana.press("Enter")
    ana.item(3)
    ana.saved()
    assert sorted((label["action"], label["evidence"]) for label in server.labels()) == [("label", [1]), ("unsure", [])]


def test_a_draft_is_there_again_after_a_reload_and_on_another_machine(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=2)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    ana.press("2", "j", "j", "e", "r")
    ana.page.keyboard.type("half a thought")
    ana.page.wait_for_timeout(1500)
    ana.saved()
    elsewhere = sit_down(server.link_for("ana"))
    for sitting in (ana, elsewhere):
        if sitting is ana:
            ana.page.reload()
        sitting.item(1)
        assert sitting.page.locator('[data-rj="rationale"]').input_value() == "half a thought"
        assert sitting.page.locator('[data-rj="choice"][aria-checked="true"]').get_attribute("data-key") == "2"


def test_a_held_key_labels_one_item(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=5)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    ana.press("1")
    for _ in range(20):
        ana.page.keyboard.down("Enter")
    ana.page.keyboard.up("Enter")
    ana.item(2)
    ana.saved()
    assert len(server.labels()) == 1


def test_a_skip_takes_a_reason_and_a_flag_leaves_the_item(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=3)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.ready()
    ana.press("f", "1")
    ana.page.wait_for_timeout(300)
    assert ana.page.locator('[data-rj="item"][data-position="1"]').count() == 1
    ana.press("s", "1", "Enter")
    ana.item(2)
    ana.saved()
    (label,) = server.labels()
    assert label["action"] == "skip"
    assert label["reason"]


def test_two_tabs_of_one_person_write_one_label_for_one_item(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=3)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    second = Sitting(ana.context, ana.context.new_page())
    second.page.goto(server.url)
    second.item(1)
    ana.label(1, "1")
    ana.item(2)
    ana.saved()
    second.ready()
    second.press("2", "j", "e", "Enter")
    second.page.wait_for_timeout(1200)
    second.item(2)
    labels = server.labels()
    assert [label["choice"] for label in labels] == ["aligned"]


def test_help_lists_the_keys_and_goes_away(serve: Serve, sit_down: SitDown) -> None:
    server = serve(items=1)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.press("?")
    ana.page.locator('[data-rj="help"]').wait_for()
    ana.press("Escape")
    ana.page.locator('[data-rj="help"]').wait_for(state="hidden")


def test_hostile_text_is_shown_as_text(serve: Serve, sit_down: SitDown) -> None:
    hostile: list[dict[str, Any]] = [
        {"kind": "message", "speaker": "<img src=x onerror=alert(1)>", "text": "<script>window.owned = 1</script>"},
        {"kind": "message", "speaker": "agent", "text": "<img src='https://evil.example/a.png' onerror='window.owned = 1'>"},
        {"kind": "message", "speaker": "agent", "text": "![x](https://evil.example/b.png) [link](javascript:window.owned=1)"},
        {
            "kind": "tool_call",
            "speaker": "agent",
            "tool": "<b>x</b>",
            "arguments": {"<svg onload=alert(1)>": "</div><iframe src=//evil.example>"},
        },
        {"kind": "tool_result", "speaker": "x", "text": "\u202egnp.exe \u200b\u0007 \x1b[31mred\x1b[0m"},
        {"kind": "message", "speaker": "agent", "text": "x" * 1_000_000},
        {"kind": "message", "speaker": "agent", "text": "line of the long one\n" * 250_000},
    ]
    server = serve(lines=[line(1, steps=hostile, task="<script>window.owned = 1</script>"), line(2)])
    ana = sit_down(server.link_for("ana"))
    ana.page.locator('[data-rj="item"]').wait_for()
    for position in (1, 2):
        ana.item(position)
        ana.ready()
        ana.press("G", "g", "j", "j", "j", "j", "o", "1", "Enter")
    ana.page.locator('[data-rj="finished"]').wait_for()
    assert ana.page.evaluate("window.owned === undefined")
    assert [url for url in ana.requested if not url.startswith((server.url, "blob:", "data:"))] == []
    assert ana.errors == []


def test_no_request_carries_the_sign_in_link_as_where_it_came_from(serve: Serve, sit_down: SitDown) -> None:
    """A proxy in front logs Referer; the address of the link is the secret."""
    server = serve()
    sitting = sit_down(server.link_for("ana"))
    referers: list[str] = []
    link = server.link_for("ben")
    sitting.page.on("request", lambda request: referers.append(request.all_headers().get("referer", "")))
    sitting.page.goto(link)
    sitting.page.get_by_role("button", name="Sign in").click()
    sitting.item(1)
    assert any(referers) and [referer for referer in referers if "/in/" in referer] == []
