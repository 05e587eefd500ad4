"""The HTML report in a real browser: it asks for nothing, runs nothing, and its figures have names; on paper nothing is cut off."""

import json
from pathlib import Path

from playwright.sync_api import Browser

from data.store import Store
from data.study import Study
from reports.of_study.report import documents_of
from reports.written import html
from reports.written.whole import report_from
from tests.browser.hostile_texts import MARKUP, RUN
from tests.study_maker import MISALIGNED, Sitting, draw_batch, make_study, run_line, verdict

LONG = "w" * 300


def written(study: Study, path: Path) -> Path:
    with Store.open(study.database) as store:
        path.write_text(html.written(report_from(documents_of(study, store, None), names=True)), encoding="utf-8")
    return path


def judged(folder: Path, text: str) -> Study:
    lines = []
    for k in range(60):
        said = verdict("misaligned" if k % 4 == 0 else "aligned", rationale=text, cites=[1])
        lines.append(run_line(f"{k} {text}", task=text, metadata={"model": f"m{k % 3} {text}"}, verdicts=[said]))
    study = make_study(folder, lines, [MISALIGNED], rest="[split]\ntrain = 1.0\ndev = 0.0\n")
    draw_batch(study, 60, overlap=2)
    for who, every in (("ana", 5), ("ben", 6)):
        with Sitting(study, who) as sitting:
            sitting.label_all({f"{k} {text}": "misaligned" for k in range(0, 60, every)})
    return study


def test_a_hostile_report_asks_for_nothing_and_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    texts = [*MARKUP.values(), f"<svg onload={RUN}>", LONG]
    path = written(judged(tmp_path / "study", " ".join(texts)), tmp_path / "report.html")
    page = browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert complaints == []
    assert page.evaluate("window.owned") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.close()


def test_a_report_fits_the_screen_the_telephone_and_the_page(browser: Browser, tmp_path: Path) -> None:
    path = written(judged(tmp_path / "study", "plain"), tmp_path / "report.html")
    for width in (1200, 390):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
    page = browser.new_page(viewport={"width": 700, "height": 990})
    page.emulate_media(media="print")
    page.goto(path.as_uri())
    wide = page.evaluate(
        "[...document.querySelectorAll('table, svg, pre')].filter(e => e.getBoundingClientRect().right > 701).length"
    )
    assert wide == 0
    page.close()


def test_every_figure_tells_its_numbers_to_those_who_hear_it(browser: Browser, tmp_path: Path) -> None:
    path = written(judged(tmp_path / "study", "plain"), tmp_path / "report.html")
    page = browser.new_page()
    page.goto(path.as_uri())
    figures = page.get_by_role("img")
    assert figures.count() >= 3
    names = [figures.nth(place).evaluate("e => e.querySelector('title').textContent") for place in range(figures.count())]
    assert len(set(names)) == len(names), json.dumps(names)
    matrix = page.get_by_role("img", name="Humans against judge-a")
    assert "humans say aligned: aligned " in matrix.locator("desc").text_content()
    page.close()


def test_on_paper_all_that_the_first_page_says_stands_on_one_page(browser: Browser, tmp_path: Path) -> None:
    lines = [
        run_line(f"r{k:03}", verdicts=[verdict("misaligned" if k % 3 == 0 else "aligned")], group=f"g{k // 2}") for k in range(200)
    ]
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 30, overlap=2, by="judge-a")
    for who, every in (("ana", 4), ("ben", 5)):
        with Sitting(study, who) as sitting:
            sitting.label_all({f"r{k:03}": "misaligned" for k in range(0, 200, every)})
    # Letter paper, the shorter of the two in use, within the margins of the style sheet, in pixels of 1/96 inch.
    width, height = round(8.5 * 96 - 30 / 25.4 * 96), round(11 * 96 - 34 / 25.4 * 96)
    page = browser.new_page(viewport={"width": width, "height": height})
    page.emulate_media(media="print")
    page.goto(written(study, tmp_path / "report.html").as_uri())
    note = page.get_by_text("Drawn in strata by the verdict of judge-a").bounding_box()
    assert note is not None and note["y"] + note["height"] <= height
    page.close()
