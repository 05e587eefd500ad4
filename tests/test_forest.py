"""The forest plot: what is drawn, what is said in words, and that names do nothing."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from reports.estimate import Estimate
from reports.forest import PALE, ForestRow, Reference, forest_svg

AXIS = "Cohen’s kappa, 95 % interval"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</text></svg><b>",
    "datum['x']",
    "${1+1} {{2}}",
    "a\u202eb\x07c\x00d\ne",
    "&amp;<!-- ]]>",
    "漢字" * 60,
    "",
)


def row(name: str = "law", value: float = 0.5, low: float = 0.3, high: float = 0.7, n: int = 40, **more: object) -> ForestRow:
    return ForestRow(name, Estimate(value, low, high, n, "delta+4"), n, **more)  # type: ignore[arg-type]


def undefined(name: str, reason: str) -> ForestRow:
    return ForestRow(name, Estimate.undefined(3, "delta+4", reason), 3)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_every_row_has_its_name_its_figures_and_its_n() -> None:
    told = texts(forest_svg([row("law"), row("trade", -0.254, -0.5, 0.1, 1234)], "Slices", AXIS))
    assert {"law", "trade", "0.50", "0.30 to 0.70", "40", "−0.25", "−0.50 to 0.10", "1,234", AXIS} <= set(told)


def test_the_same_rows_give_the_same_bytes_and_nothing_in_them_loads_anything() -> None:
    rows = [row("law", group="domain"), row("trade", group="domain", small=True), undefined("x", "no item")]
    first, second = (forest_svg(rows, "Slices", AXIS, Reference(0.4, "all items")) for _ in range(2))
    assert first == second
    assert not re.search(r"https?://(?!www\.w3\.org)|url\(|<script|<image|<a |href=|<style|@import", first)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_wherever_it_stands(name: str) -> None:
    rows = [row(name, group=name), undefined(name, name or "?")]
    svg = forest_svg(rows, name, name, Reference(0.1, name))
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}
    assert tags <= {"svg", "title", "desc", "g", "path", "rect", "line", "text", "tspan"}
    assert not any(attribute.startswith("on") for element in ET.fromstring(svg).iter() for attribute in element.attrib)
    assert "\x07" not in svg and "\u202e" not in svg and "\x00" not in svg


def test_an_undefined_row_stands_with_its_reason_and_the_words_have_it_whole() -> None:
    reason = "both sides gave one and the same choice to every item, so chance alone would agree as well (0/0)"
    svg = forest_svg([row("law"), undefined("trade", reason)], "Slices", AXIS)
    assert any(told.startswith("undefined: both sides gave") for told in texts(svg))
    assert f"trade: undefined, {reason}, 3 items." in svg


def test_those_who_cannot_see_it_are_told_all_of_it() -> None:
    svg = forest_svg(
        [row("law", group="domain"), row("b", n=9, small=True)], "Slices of judge-a", AXIS, Reference(0.45, "all items")
    )
    root = ET.fromstring(svg)
    title, description = (next(root.iter(f"{{http://www.w3.org/2000/svg}}{tag}")) for tag in ("title", "desc"))
    assert root.get("role") == "img" and root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == "Slices of judge-a"
    assert description.text is not None
    assert "all items: 0.45." in description.text and "domain, law: 0.50, 0.30 to 0.70, 40 items." in description.text
    assert "b: 0.50, 0.30 to 0.70, 9 items, too few to tell." in description.text


def test_a_small_row_is_pale_and_hollow_and_does_not_stretch_the_scale() -> None:
    svg = forest_svg([row(), row("small", 0.5, -1.0, 1.0, 5, small=True)], "Slices", AXIS)
    assert f'fill="#ffffff" stroke="{PALE}"' in svg
    ticks = [told for told in texts(svg) if re.fullmatch(r"-?\d\.\d", told)]
    assert ticks[0] == "0.2" and ticks[-1] == "1.0"
    assert f"{AXIS}; where an arrow stands it goes on" in texts(svg)
    assert "arrow" not in forest_svg([row(), row("small", 0.5, 0.3, 1.0, 5, small=True)], "Slices", AXIS)


def test_a_scale_holds_every_interval_and_reaches_one_for_kappa_and_not_for_differences() -> None:
    def ticks(**more: object) -> list[float]:
        rows = [row("a", -0.2, -0.33, 0.07), row("b", 0.0, -0.1, 0.1)]
        told = texts(forest_svg(rows, "t", AXIS, **more))  # type: ignore[arg-type]
        return [float(tick.replace("−", "-")) for tick in told if re.fullmatch(r"[-−]?\d\.\d", tick)]

    assert (ticks()[0], ticks()[-1]) == (-0.4, 1.0)
    assert (ticks(full=None)[0], ticks(full=None)[-1]) == (-0.4, 0.2)
    assert all(high > low for low, high in pairwise(ticks()))


def test_marks_and_indents_tell_kinds_of_rows_apart() -> None:
    rows = [
        row("judge – single human"),
        row("annotator-1", indent=1),
        row("human – human", mark="square"),
        row("c", mark="diamond"),
    ]
    svg = forest_svg(rows, "Kappas", AXIS)
    assert {"#2f5d8a", "#8a5a1e", "#5d636d"} <= set(re.findall(r'fill="(#\w+)"', svg))


def test_a_row_without_an_interval_is_a_point_and_says_so() -> None:
    alone = ForestRow("a", Estimate(0.4, None, None, 20, "m", "all items share one group"), 20)
    told = texts(forest_svg([alone], "t", AXIS))
    assert "no interval" in told and "0.40" in told


def test_where_every_row_is_undefined_the_scale_still_stands() -> None:
    assert "1.0" in texts(forest_svg([undefined("a", "no item")], "t", AXIS))


def test_without_a_row_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        forest_svg([], "t", AXIS)


def test_a_name_of_the_scale_that_is_too_long_goes_on_in_a_second_line_and_is_not_cut() -> None:
    axis = "Cohen’s kappa (strict against the judge), 95 % interval"
    svg = forest_svg([row("judge – annotator-1")], "t", axis, width=440, numbers=False)
    lines = [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}tspan")]
    assert lines == ["Cohen’s kappa (strict against the judge),", "95 % interval"]
    low = forest_svg([row("judge – annotator-1")], "t", AXIS, width=440, numbers=False)
    high_of = [int(re.findall(r'height="(\d+)"', each)[0]) for each in (low, svg)]
    assert high_of[1] > high_of[0], "with room for it"
