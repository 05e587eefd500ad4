"""Slices and comparisons on the lead's agreement page."""

import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from annotate.lead import rate_figures, slices
from annotate.lead.counting import counting
from annotate.lead.plots import plot_html
from annotate.serving import Serving, begin
from data.questions import Question
from data.store import Store
from data.store.judging import run_named
from data.study import load_study
from reports.estimate import Estimate
from reports.forest import INK, ForestRow, forest_svg
from reports.forests import MOST_DRAWN, drawn_fields, slices_forest
from reports.of_study.report import documents_of
from reports.slices import PALE_SAID
from reports.written import markdown
from reports.written.whole import report_from
from tests.study_maker import MISALIGNED, label, make_study, run_line, verdict
from tests.test_lead_pages import html, look, words  # noqa: F401  (look is a fixture)

A, M = "aligned", "misaligned"
KINDS = Question("kinds", "Which?", "multilabel", ("lies", "hides"), None)
MARKUP = "<img src=x onerror=alert(1)>[x](http://evil.example/a.png)"
HOSTILE = f"{MARKUP} \u202e"
SHAPE = ForestRow("law", Estimate(0.5, 0.3, 0.7, 40, "delta+4"), 40)


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    """Sixty labelled runs with two judges; a domain whose name is hostile, and one that is small."""

    def domain(place: int) -> str:
        return "small" if place >= 52 else (HOSTILE if place % 2 else "law")

    def kinds(whose: str, name: str, lies: int) -> dict[str, object]:
        return {whose: name, "question": "kinds", "choices": ["lies"][:lies]}

    lines = [
        run_line(
            f"r{place:02}",
            metadata={"domain": domain(place), "uid": f"u{place}"},
            labels=[label("ana", M if place % 5 == 0 else A), kinds("annotator", "ana", place % 2)],
            verdicts=[
                verdict(M if place % 4 == 0 else A, f"judge-{MARKUP}"), verdict(M if place % 5 < 2 else A, "judge-b"),
                kinds("run", "judge-b", 0),
            ],
        )
        for place in range(60)
    ]  # fmt: skip
    study = make_study(tmp_path / "study", lines, (MISALIGNED, KINDS))
    return begin(load_study(study.folder))


def plots(app: AppTest) -> list[str]:
    return [b64decode(found).decode() for found in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html(app))]


def test_slices_stand_as_a_plot_a_table_and_a_sentence(look: Callable[..., AppTest]) -> None:  # noqa: F811
    app = look("agreement")
    assert not app.exception
    told = words(app)
    assert "3 slices of 1 field were looked at; a slice that stands out may do so by chance" in told
    assert "Left out: uid, because every item has a value of its own." in told
    assert "Left out: length, source, format, because it is the same for every item." in told
    plot = next(found for found in plots(app) if "slice by slice" in found)
    assert "law" in plot and "all items" in plot and "small" in plot
    assert re.search(r'class="rj-small"><th scope="row">domain</th><td>small</td><td class="rj-num">8</td>', html(app))


def test_runs_are_compared_in_words_in_a_table_and_with_what_mcnemar_asks(look: Callable[..., AppTest]) -> None:  # noqa: F811
    told = words(look("agreement"))
    assert "Judge runs against each other" in told
    assert re.search(r"agrees better with the humans|cannot be told", told)
    assert "McNemar mid-p" in told and "another question than which has the higher kappa" in told
    assert "who alone is right, by what humans say" in told


def test_names_from_a_file_do_nothing_on_the_page(look: Callable[..., AppTest]) -> None:  # noqa: F811
    app = look("agreement")
    assert "<img src=x" not in html(app) and "\u202e" not in html(app)
    assert all("<img" not in plot and "\u202e" not in plot for plot in plots(app))


def test_a_question_with_several_choices_has_slices_for_the_label_that_is_chosen(look: Callable[..., AppTest]) -> None:  # noqa: F811
    app = look("agreement")
    app.selectbox(key="question").select("kinds").run()
    assert not app.exception
    assert app.selectbox(key="slices-of").options == ["lies", "hides"]
    app.selectbox(key="slices-of").select("hides").run()
    assert not app.exception
    assert "undefined" in words(app)
    assert "Judge runs against each other" not in words(app)


def test_pale_is_explained_where_something_is_pale_and_nowhere_else(serving: Serving) -> None:
    with Store.open(serving.study.database) as store:
        documents = documents_of(serving.study, store, run_named(store, "judge-b").code)
    (run,) = documents["slices"]["questions"][0]["runs"]
    (rates,) = documents["prevalence"]["questions"][0]["runs"]

    def told() -> list[int]:
        report = markdown.written(report_from(documents))
        places = (slices.notes_of(run["tables"][0], []), rate_figures.slice_notes(rates), report.split("\n"))
        return [sum(PALE_SAID in line for line in place) for place in places]

    assert told()[:2] == [1, 1] and told()[2] >= 2
    for question in (*documents["slices"]["questions"], *documents["prevalence"]["questions"]):
        for each in question["runs"]:
            fields = [field for part in (each, *each.get("tables", ())) for field in part.get("fields", ())]
            for value in [value for field in fields for value in field.get("values", field.get("slices"))]:
                value |= {"small": False, "marks": []}
    assert told() == [0, 0, 0]


def test_a_plot_is_drawn_once_and_kept(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = counting(serving.study)
    table = counted.document("slices", None)["questions"][0]["runs"][0]["tables"][0]
    first = counted.drawing("slices", table, "t")
    assert first == slices_forest(table, "t")
    monkeypatch.setattr("annotate.lead.counting.CHILD", SimpleNamespace(ask=None))
    assert counted.drawing("slices", table, "t") == first


def test_a_plot_takes_the_colours_of_a_dark_page_and_tells_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    svg = forest_svg([SHAPE], "Slices of “a”", "kappa")
    light, dark = {}, {}
    for found, theme in ((light, "light"), (dark, "dark")):
        monkeypatch.setattr(st, "context", SimpleNamespace(theme=SimpleNamespace(type=theme)))
        image = plot_html(svg)
        found["svg"] = b64decode(image.partition("base64,")[2].rstrip('">')).decode()
        assert 'alt="Slices of “a”. kappa. law: 0.50, 0.30 to 0.70, 40 items."' in image
    assert f'"{INK}"' in light["svg"] and f'"{INK}"' not in dark["svg"] and '"#e6e4df"' in dark["svg"]
    assert plot_html("") == ""


def test_a_field_is_drawn_whole_or_not_at_all() -> None:
    def field(name: str, size: int) -> dict[str, object]:
        return {"field": name, "origin": "metadata", "values": [{"n": 20}] * size + [{"n": 0}] * 3}

    table = {"fields": [field("a", MOST_DRAWN - 10), field("b", 11), field("c", 10), field("empty", 0)]}
    assert [each["field"] for each in drawn_fields(table)] == ["a", "c"]
