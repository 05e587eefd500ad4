"""Reading a long run: search, jumps, the map of the steps, folding, and how what a tool got and gave is laid out."""

import json
import random
from collections.abc import Callable
from typing import Any

from annotate.desk_component import MODULES_PATH
from tests.browser.desk_in_browser import Server, Sitting
from tests.served_study import line

Serve = Callable[..., Server]
SitDown = Callable[..., Sitting]

PIXELS = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg=="
LOG = "".join(f"line {n} of the log\n" for n in range(5000)).rstrip()
STEPS: list[dict[str, Any]] = [
    {"kind": "message", "speaker": "operator", "text": "Please read the gauges."},
    {"kind": "tool_call", "speaker": "agent", "tool": "read_all", "arguments": {"since": "2026-03-02"}, "call": "a"},
    {"kind": "tool_call", "speaker": "agent", "tool": "edit", "arguments": {"new_str": "c\nd", "old_str": "a\nb"}, "call": "b"},
    {"kind": "tool_result", "speaker": "read_all", "text": LOG, "call": "a"},
    {"kind": "tool_result", "speaker": "edit", "text": "Error: no such file", "call": "b"},
    {"kind": "tool_result", "speaker": "edit", "text": "refused", "call": "b", "error": True},
    {"kind": "observation", "speaker": "x", "text": '{"b": 12345678901234567890, "10": 1, "2": 1.0, "b": "x\\ny"}'},
    {"kind": "observation", "speaker": "x", "text": f"before data:image/png;base64,{PIXELS} after"},
    {"kind": "message", "speaker": "agent", "text": "All is calm. HARBOUR read."},
    {"kind": "message", "speaker": "operator", "text": "Thank you."},
]


def focus(sitting: Sitting) -> int:
    """The number of the step that has the focus, as a reader sees it."""
    return int(sitting.page.locator(".step.focus").first.get_attribute("data-index") or -1) + 1


def after(sitting: Sitting, *keys: str) -> int:
    sitting.press(*keys)
    return focus(sitting)


def test_keys_jump_to_calls_errors_messages_partners_and_the_final_answer(serve: Serve, sit_down: SitDown) -> None:
    ana = sit_down(serve(lines=[line(1, steps=STEPS)]).link_for("ana"))
    ana.item(1)
    assert [after(ana, key) for key in "nnN"] == [2, 3, 2]
    # To its result, which is not the next step, and back.
    assert [after(ana, key) for key in "ll"] == [4, 2]
    # What reads like an error is found as well as what is marked as one.
    assert [after(ana, key) for key in "xxX"] == [5, 6, 5]
    assert [after(ana, key) for key in "mmM"] == [9, 10, 9]
    assert [after(ana, key) for key in "Gga"] == [10, 1, 9]
    ana.press("n")
    assert "No tool call after this step." in ana.page.locator('[data-rj="notice"]').inner_text()
    ana.press("g")
    ana.page.get_by_role("button", name="next error").click()
    assert focus(ana) == 5
    ana.page.get_by_role("button", name="final answer").click()
    assert focus(ana) == 9


def test_search_counts_finds_what_is_folded_and_gives_the_keys_back(serve: Serve, sit_down: SitDown) -> None:
    ana = sit_down(serve(lines=[line(1, steps=STEPS), line(2, steps=STEPS[:2])]).link_for("ana"))
    ana.item(1)
    while ana.page.locator('[data-rj="step"]').first.get_attribute("aria-setsize") != "10":
        ana.ready()
        ana.press("1", "Enter")
        ana.item(2)
    ana.ready()
    count, now = ana.page.locator('[data-rj="search-count"]'), ana.page.locator("mark.now")
    ana.press("/")
    ana.page.keyboard.type("LINE 30")
    count.get_by_text("1 of 111").wait_for()
    assert (now.inner_text(), focus(ana)) == ("line 30", 4)
    ana.press("Enter")
    assert count.inner_text() == "2 of 111"
    # Far down in what was folded away.
    assert "line 300 of the log" in now.locator("xpath=ancestor::*[contains(@class, 'step')][1]").inner_text()
    assert now.bounding_box() is not None
    assert ana.page.locator(".step").count() < 60
    ana.press("Shift+Enter", "Shift+Enter")
    assert count.inner_text() == "111 of 111"
    ana.page.locator('[data-rj="search"]').fill("harbour")
    count.get_by_text("1 of 1").wait_for()
    assert (now.inner_text(), focus(ana)) == ("HARBOUR", 9)
    ana.page.locator('[data-rj="search"]').fill("2s1u")
    count.get_by_text("not found").wait_for()
    ana.press("Escape")
    assert ana.page.locator("mark").count() == 0
    # What was typed was no answer; and the browser's own key opens this search, which sees all of the steps.
    assert ana.page.locator('[data-rj="choice"][aria-checked="true"]').count() == 0
    assert after(ana, "k") == 8
    ana.press("Control+f")
    assert ana.page.locator('[data-rj="search"]').is_visible()
    assert ana.errors == []


def test_the_map_shows_where_one_is_and_takes_one_anywhere(serve: Serve, sit_down: SitDown) -> None:
    steps = [{"kind": "message", "speaker": "agent", "text": f"word {n}"} for n in range(2000)]
    ana = sit_down(serve(lines=[line(1, steps=steps)]).link_for("ana"))
    ana.item(1)
    strip = ana.page.locator('[data-rj="map"]')
    box = strip.bounding_box()
    assert box is not None
    assert (strip.get_attribute("aria-valuemax"), strip.get_attribute("aria-valuenow")) == ("2000", "1")
    ana.page.mouse.click(box["x"] + 10, box["y"] + box["height"] - 15)
    assert focus(ana) > 1990
    ana.page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    assert ana.page.locator(".map-tip").inner_text().startswith("step ")
    ana.page.mouse.down()
    ana.page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 4, steps=4)
    ana.page.mouse.up()
    assert 450 < focus(ana) < 550
    strip.focus()
    before = focus(ana)
    ana.press("PageDown")
    assert focus(ana) == before + 200
    assert ana.page.locator(".step").count() < 60
    painted = "node => new Set(node.getContext('2d').getImageData(0, 0, node.width, node.height).data).size"
    assert strip.locator("canvas").evaluate(painted) > 3


def test_what_is_hidden_opens_part_by_part_or_at_once(serve: Serve, sit_down: SitDown) -> None:
    ana = sit_down(serve(lines=[line(1, steps=STEPS)]).link_for("ana"))
    ana.item(1)
    ana.press("n", "l")
    step = ana.page.locator('.step[data-index="3"]')
    assert "… 4,980 lines hidden" in step.first.inner_text()
    assert "line 13 of the log" in step.first.inner_text() and "line 4999 of the log" in step.first.inner_text()
    ana.press("o")
    assert focus(ana) == 4
    # Ahead of the reader stands what was opened; further on stands what is still hidden.
    ana.page.locator(".trajectory").evaluate("node => { node.scrollTop += 415 * 19.4 }")
    ana.page.get_by_text("… 4,580 lines hidden").wait_for()
    ana.press("O")
    ana.page.locator(".trajectory").evaluate("node => { node.scrollTop = 0 }")
    ana.press("g", "n", "l", "O")
    assert "… 4,980 lines hidden" in step.first.inner_text()


def test_arguments_and_results_are_laid_out_and_lose_nothing(serve: Serve, sit_down: SitDown) -> None:
    ana = sit_down(serve(lines=[line(1, steps=STEPS)]).link_for("ana"))
    ana.item(1)
    ana.press("n", "n")
    edit = ana.page.locator('.step[data-index="2"]')
    assert edit.locator(".removed-text").inner_text() == "a\nb"
    assert edit.locator(".added-text").inner_text() == "c\nd"
    ana.press("x", "x", "j")
    laid = ana.page.locator('.step[data-index="6"] .out').inner_text()
    assert laid == '{\n  "b": 12345678901234567890,\n  "10": 1,\n  "2": 1.0,\n  "b":\n    ╭ x\n    │ y\n}'
    ana.press("j")
    image = ana.page.locator('.step[data-index="7"] img')
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 2
    assert ana.errors == []


def some_value(chance: random.Random, depth: int) -> Any:
    words = ["", "a", "é\u4f60", 'q"uo\\te', "l" * 90, "tab\there", "\U0001f600", "1", "true", "line\nbreak"]
    if depth == 0 or chance.random() < 0.4:
        return chance.choice([None, True, False, 0, -1, 1.5, 1e300, 10**25, *words])
    if chance.random() < 0.5:
        return [some_value(chance, depth - 1) for _ in range(chance.randrange(5))]
    return {chance.choice(words[:-1]) + str(n): some_value(chance, depth - 1) for n in range(chance.randrange(5))}


def test_json_that_is_laid_out_says_what_it_said(serve: Serve, sit_down: SitDown) -> None:
    ana = sit_down(serve(items=1).link_for("ana"))
    ana.item(1)
    chance = random.Random(4)
    values = [{"value": some_value(chance, 4)} for _ in range(400)]
    texts = [json.dumps(value, ensure_ascii=bool(n % 2)) for n, value in enumerate(values)]
    lay = f"async texts => {{ const {{laidOut}} = await import('{MODULES_PATH}/layout.js'); return texts.map(laidOut); }}"
    for value, text, laid in zip(values, texts, ana.page.evaluate(lay, texts), strict=True):
        if "line\\nbreak" in text:
            # A string of several lines stands behind a bar: every other sign is still there.
            assert "╭ line" in laid and "│ break" in laid
        else:
            assert json.loads(laid) == value, laid
    broken = [text[:-1] for text in texts] + ["[INFO] started", "{1}", "[1, 2] and more", "nothing", "", "[" * 5000]
    assert ana.page.evaluate(lay, broken) == [None] * len(broken)
    python = [repr(value) for value in values if "line\nbreak" not in repr(value)]
    assert [text for text, laid in zip(python, ana.page.evaluate(lay, python), strict=True) if laid is None] == []
