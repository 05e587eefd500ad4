"""Hostile trajectories: no script runs, no request leaves, the layout holds, and nothing stays unseen."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.desk_in_browser import Server, Sitting
from tests.browser.hostile_texts import ADDRESSES, LONGEST, MARKUP, PAYLOADS, RUN, SHAPES, TEMPLATES, UNSEEN
from tests.served_study import line

Serve = Callable[..., Server]
SitDown = Callable[..., Sitting]

CHOICES = [
    MARKUP["image that fails"] + "".join(UNSEEN[name] for name in ("bidi override", "zero width")),
    MARKUP["ends of everything"] + SHAPES["one word"][:300],
]
TOML = f"""
name = {MARKUP["script"]!r}
[[question]]
id = "misaligned"
ask = "Did it overstep? <svg onload={RUN}> {{{{7*7}}}} {"w" * 400}"
type = "binary"
choices = {CHOICES!r}
positive = {CHOICES[1]!r}
evidence = "optional"
[blind]
show = ["domain", "<b>key</b>"]
"""
CODEBOOK = "# <script>window.owned=1</script>\n\n" + "\n\n".join(
    text for name, text in PAYLOADS.items() if name not in ("markdown fence", "one line", "line breaks", "json of brackets")
)


def steps_of(texts: list[str]) -> list[dict[str, Any]]:
    """Every text in every place of a step."""
    steps: list[dict[str, Any]] = []
    for n, text in enumerate(texts):
        steps += [
            {"kind": "message", "speaker": text, "text": text, "session": text},
            {"kind": "reasoning", "speaker": "agent", "text": text, "session": f"{n}"},
            {
                "kind": "tool_call",
                "speaker": text,
                "tool": text,
                "arguments": {text: text, "deep": [text, {text: text}]},
                "call": text,
            },
            {"kind": "tool_result", "speaker": text, "text": text, "call": text, "error": n % 2 == 0},
            {"kind": "tool_call", "speaker": "agent", "tool": "raw", "arguments": text, "call": f"raw-{n}"},
            {"kind": ("observation", "note")[n % 2], "speaker": "agent", "text": f"{text}\n{text}"},
        ]
    return steps


def lines() -> list[dict[str, Any]]:
    texts = list(PAYLOADS.values())
    some = [texts[:26], texts[26:52], texts[52:]]
    made = [
        line(n, steps=steps_of(part), task="\n".join(part), metadata={"domain": part[n], "<b>key</b>": part}, verdicts=[])
        for n, part in enumerate(some)
    ]
    longest = [step for text in LONGEST.values() for step in _long_steps(text)]
    million = LONGEST["a million signs in a line"]
    return [*made, line(8, steps=longest, task=million, metadata={"domain": million}, verdicts=[]), line(9, verdicts=[])]


def _long_steps(text: str) -> list[dict[str, Any]]:
    return [
        {"kind": "message", "speaker": text[:100_000], "text": text},
        {"kind": "tool_call", "speaker": "agent", "tool": text[:100_000], "arguments": {text[:100_000]: text}},
        {"kind": "tool_result", "speaker": "tool", "text": text},
    ]


LOOK = Path(__file__).with_name("hostile_look.js").read_text(encoding="utf-8").split("\n", 1)[1].rstrip().rstrip(";")
SCROLL = """node => {
    node.scrollTop += node.clientHeight * 1.3;
    return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def listen(sitting: Sitting) -> list[str]:
    """What must not happen, as it happens."""
    seen: list[str] = []

    def dialog(opened: Any) -> None:
        seen.append(f"dialog {opened.message}")
        opened.dismiss()

    sitting.page.on("dialog", dialog)
    sitting.page.on("popup", lambda page: seen.append(f"popup {page.url}"))
    sitting.page.on("download", lambda download: seen.append(f"download {download.url}"))
    sitting.page.on("frameattached", lambda frame: seen.append(f"frame {frame.url}"))
    return seen


def walk(sitting: Sitting, most: int, *, to_end: bool) -> tuple[list[str], set[str], set[str]]:
    """Looks at the item from top to end; what is wrong, where the panels stood, and the chips that were seen."""
    wrong: list[str] = []
    places, chips = set(), set()
    for _ in range(most):
        found = sitting.page.evaluate(LOOK)
        wrong += found["wrong"] + (["a script ran"] if found["owned"] else [])
        places.add(found["places"])
        chips |= set(found["chips"])
        if found["end"]:
            return wrong, places, chips
        sitting.page.locator(".trajectory").evaluate(SCROLL)
    return [*wrong, "the walk did not come to the end"] if to_end else wrong, places, chips


@pytest.fixture
def hostile(serve: Serve) -> Server:
    return serve(lines=lines(), toml=TOML, codebook=CODEBOOK)


def test_there_are_sixty_payloads_and_more() -> None:
    assert len(PAYLOADS) + len(LONGEST) >= 100
    assert len(set(PAYLOADS.values())) == len(PAYLOADS)
    assert len(MARKUP) >= 40 and len(UNSEEN) >= 12 and len(ADDRESSES) >= 5 and len(TEMPLATES) >= 5


def test_nothing_that_a_trajectory_says_runs_leaves_breaks_the_layout_or_stays_unseen(hostile: Server, sit_down: SitDown) -> None:
    # Narrow, where a layout breaks first, and high, so that much is looked at in one go.
    ana = sit_down(hostile.link_for("ana"), viewport={"width": 1100, "height": 1800})
    seen = listen(ana)
    wrong: list[str] = []
    places: set[str] = set()
    chips: set[str] = set()
    title = None
    for position in range(1, 6):
        ana.item(position)
        title = title or ana.page.title()
        found, at, shown = walk(ana, 80, to_end=True)
        wrong += found
        places |= at
        chips |= shown
        # The keys that open, search and jump, on whatever stands there.
        ana.press("g", "j", "O", "l", "x", "m", "n", "O", "G", "o", "/")
        ana.page.keyboard.insert_text("<script>")
        ana.press("Enter", "Shift+Enter", "Escape")
        wrong += walk(ana, 3, to_end=False)[0]
        ana.ready()
        ana.press("1", "Enter")
    ana.page.locator('[data-rj="finished"]').wait_for()
    ana.saved()
    assert sorted(set(wrong)) == []
    # Where header and panels stand depends on no trajectory.
    assert len(places) == 1, places
    assert seen == []
    assert ana.errors == []
    assert [url for url in ana.requested if not re.match(rf"{re.escape(hostile.url)}/|blob:{re.escape(hostile.url)}/", url)] == []
    assert ana.page.title() == title
    assert ana.page.evaluate("[window.owned ?? null, ({}).owned ?? null, document.forms.length]") == [None, None, 0]
    assert {"⟨U+202E⟩", "⟨U+200B⟩", "⟨U+FEFF⟩", "⟨ESC[2J⟩", "[31m", "⟨ESC]0;owned␇⟩", "⟨U+3164⟩"} <= chips
    assert any("judge says unsafe" in chip for chip in chips)
    assert any("combining marks" in chip for chip in chips)
