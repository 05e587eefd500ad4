"""The real server is killed under a labelling browser: nothing that was acknowledged is lost, nothing pending is dropped."""

from collections.abc import Callable

from tests.browser.desk_in_browser import Server, Sitting


def test_three_kills_of_the_server_lose_no_label(serve: Callable[..., Server], sit_down: Callable[..., Sitting]) -> None:
    server = serve(items=12)
    ana = sit_down(server.link_for("ana"))
    acknowledged: set[str] = set()
    position = 1
    for kill in range(3):
        ana.label(position, "1")
        ana.item(position + 1)
        ana.saved()
        acknowledged |= {str(label["id"]) for label in server.labels()}
        server.kill()
        # The next item is in the browser already: she goes on, and is told that this is not saved.
        ana.label(position + 1, "2", "j", "e")
        ana.page.locator('[data-rj="state"][data-state="unsaved"]').wait_for()
        server.start()
        ana.saved()
        position += 2
        labels = server.labels()
        assert len(labels) == 2 * (kill + 1)
        assert acknowledged <= {str(label["id"]) for label in labels}
    ana.item(position)
    assert ana.errors == []


def test_a_server_that_is_away_puts_no_dialog_over_the_desk(serve: Callable[..., Server], sit_down: Callable[..., Sitting]) -> None:
    server = serve(items=4)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    server.kill()
    ana.page.wait_for_timeout(6000)
    assert ana.page.locator('[data-testid="stDialog"]').count() == 0
    ana.press("r")
    ana.page.keyboard.type("typed while it was away")
    assert ana.page.locator('[data-rj="rationale"]').input_value() == "typed while it was away"
    ana.page.locator('[data-rj="state"][data-state="unsaved"]').wait_for()


def test_a_label_that_was_not_sent_survives_a_reload(serve: Callable[..., Server], sit_down: Callable[..., Sitting]) -> None:
    server = serve(items=4)
    ana = sit_down(server.link_for("ana"))
    ana.item(1)
    ana.saved()
    # Posts fail, pages load: the label stays in the browser until they work again.
    ana.context.route("**/desk/events", lambda route: route.abort())
    ana.label(1, "1")
    ana.page.locator('[data-rj="state"][data-state="unsaved"]').wait_for()
    assert server.labels() == []
    ana.context.unroute("**/desk/events")
    ana.page.reload()
    ana.saved()
    ana.item(2)
    assert [label["choice"] for label in server.labels()] == ["aligned"]
