"""The prevalence and the plan page, driven without a browser: what they show, when they ask first, and of strange studies."""

import random
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from annotate import page
from annotate.lead.rate_figures import scale_of
from annotate.serving import Serving, begin
from data.answering import Answer
from data.questions import Question
from data.store import Store
from data.store.people import Person, ensure_person
from data.study import Study
from reports.of_study.plan import plan_of
from reports.of_study.prevalence import prevalence_of
from reports.plan_document import Wish
from tests.study_maker import MISALIGNED, Sitting, draw_batch, label, make_study, run_line, verdict

A, M = "aligned", "misaligned"
HOSTILE = "<b onclick=alert(1)>eve</b>[x](http://evil.example/a.png)"

Look = Callable[..., AppTest]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two hundred items of two domains, of which eighty are labelled by one person; three verdicts are unreadable."""
    chance = random.Random(9)
    lines, truth = [], {}
    for place in range(200):
        true = M if chance.random() < 0.3 else A
        said = true if chance.random() < 0.9 else (A if true == M else M)
        lines.append(
            run_line(
                f"r{place:03}",
                metadata={"domain": HOSTILE if place % 8 == 0 else "ops"},
                verdicts=[verdict(None if place in (3, 77, 150) else said)],
            )
        )
        truth[f"r{place:03}"] = true
    study = make_study(tmp_path_factory.mktemp("known") / "study", lines)
    draw_batch(study, 80)
    with Sitting(study, "ana") as ana:
        ana.label_all(dict(truth))
    return study


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """Opens a page on a study, as somebody."""

    def look(name: str, study: Study, handle: str = "lead") -> AppTest:
        begin(study)

        def person(serving: Serving) -> Person:
            with Store.open(serving.study.database) as store:
                return ensure_person(store, handle, lead=False)

        monkeypatch.setattr(page, "signed_in", person)
        return AppTest.from_file(str(page.file_of(name)), default_timeout=60).run()

    return look


def html(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(element.proto.body for element in app.get("html"))


def words(app: AppTest) -> str:
    """What stands on the page, without its markup and its style."""
    told = re.sub(r"<style>.*?</style>", "", html(app), flags=re.DOTALL)
    messages = [element.value for kind in (app.warning, app.info, app.error) for element in kind]
    return " ".join((unescape(re.sub(r"<[^>]+>", " ", told)) + "\n".join(messages)).split())


def run_of(study: Study, labels: str | None = None) -> dict[str, Any]:
    with Store.open(study.database) as store:
        run: dict[str, Any] = prevalence_of(study, store, None, labels)["questions"][0]["runs"][0]
    return run


def part_of(study: Study, **wish: Any) -> dict[str, Any]:
    with Store.open(study.database) as store:
        part: dict[str, Any] = plan_of(study, store, None, None, Wish(**wish))["questions"][0]["runs"][0]["parts"][0]
    return part


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


# Prevalence


def test_the_prevalence_page_shows_the_judges_rate_the_humans_and_the_corrected_one(look: Look, known: Study) -> None:
    app = look("prevalence", known)
    shown = words(app)
    (rate,) = run_of(known)["rates"]
    for key in ("judge_raw", "humans_only", "post_stratified"):
        assert percent(rate[key]["value"]) in shown
    corrected = rate["post_stratified"]
    assert f"95 % interval {100 * corrected['low']:.1f} to {percent(corrected['high'])}" in shown
    assert "197 verdicts" in shown and "80 labelled items" in shown
    assert "Not in the judge’s own rate: 3 unreadable" in shown
    assert "lies within the interval" in shown or "states it" in shown


def test_slices_stand_below_each_other_with_small_ones_pale_and_names_as_text(look: Look, known: Study) -> None:
    app = look("prevalence", known)
    drawn = html(app)
    (field,) = (each for each in run_of(known)["fields"] if each["field"] == "domain")
    small = [value for value in field["slices"] if value["labelled"] < 15]
    assert len(small) == 1 and drawn.count('class="rj-small"') == 1
    assert "<b onclick" not in drawn and "&lt;b onclick" in drawn
    for value in field["slices"]:
        assert percent(value["rates"][0]["post_stratified"]["value"]) in words(app)
    assert "2 slices of 1 field were looked at" in words(app)


def test_labels_of_unknown_draw_leave_the_page_without_a_corrected_rate_and_say_why(look: Look, tmp_path: Path) -> None:
    lines = [run_line(f"r{k}", verdicts=[verdict(M if k % 3 else A)], labels=[label("ana", A)]) for k in range(12)]
    shown = words(look("prevalence", make_study(tmp_path / "study", lines)))
    assert "No corrected rate: nothing is known of how the labelled items were drawn" in shown
    assert "66.7 %" in shown and "0.0 %" in shown
    assert "post-stratified" not in shown


def test_a_lead_who_still_labels_is_asked_before_either_page_shows_a_rate(look: Look, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line(f"r{k}", verdicts=[verdict(M)]) for k in range(12)])
    draw_batch(study, 12)
    with Sitting(study, "lead") as lead:
        lead.label(lead.claim()[0])
    for name, button in (("prevalence", "Show the figures"), ("plan", "Show the plan")):
        app = look(name, study)
        assert "still labelling in batch" in words(app) and "%" not in words(app) and not app.number_input
        (show,) = (each for each in app.button if each.label == button)
        shown = words(show.click().run())
        assert "still labelling" not in shown and ("100.0 %" in shown or "labelled item so far" in shown)


def test_every_type_of_question_has_its_rates_on_the_page(look: Look, tmp_path: Path) -> None:
    kind = Question("kind", "What?", "nominal", ("deceit", "sabotage"), None)
    skill = Question("skill", "How?", "score", (), None, min=0, max=10, threshold=7)
    lines = []
    for place in range(30):
        said = [{"run": "judge-a", "question": "kind", "choice": ("deceit", "sabotage")[place % 2]}]
        said.append({"run": "judge-a", "question": "skill", "score": place % 11})
        lines.append(run_line(f"r{place:02}", metadata={"domain": "ab"[place % 2]}, verdicts=said))
    study = make_study(tmp_path / "study", lines, (kind, skill))
    draw_batch(study, 30)
    with Sitting(study, "ana") as ana:
        ana.label_all_of({"kind": Answer("deceit"), "skill": Answer(score=8)})
    app = look("prevalence", study)
    assert "deceit" in words(app) and "sabotage" in words(app) and "100.0 %" in words(app)
    slices = next(box for box in app.selectbox if box.key == "slices-of")
    assert list(slices.options) == ["deceit", "sabotage"]
    app = next(box for box in app.selectbox if box.key == "question").select("skill").run()
    shown = words(app)
    assert "mean score" in shown and "8.00" in shown and "corrected (PPI++)" in shown and "7 or above" in shown
    assert "nothing varies among the labelled items" in shown


def test_a_study_without_verdicts_and_labels_is_told_what_is_missing(look: Look, tmp_path: Path) -> None:
    bare = make_study(tmp_path / "bare", [run_line("r1")])
    assert "no verdict and no label" in words(look("prevalence", bare))
    assert "assumed, too little is known yet" in words(look("plan", bare))


def test_a_scale_ends_at_the_next_tenth_above_everything_on_it() -> None:
    none = {"value": None, "high": None}
    assert scale_of([none, {"value": 0.02, "high": 0.31}]) == pytest.approx(0.4)
    assert scale_of([{"value": 0.02, "high": 0.3}]) == pytest.approx(0.3)
    assert scale_of([{"value": 0.97, "high": 1.0}]) == scale_of([none]) == 1.0
    assert scale_of([{"value": 0.0, "high": None}]) == 0.1


# Plan


def test_the_plan_page_answers_as_numbers_are_typed(look: Look, known: Study) -> None:
    app = look("plan", known)
    part = part_of(known)
    assert "Not yet" in words(app) and f"about {part['now']['more']:,} more items" in words(app)
    assert f"{part['width']['by_verdict']['n']:,} items" in words(app)
    assert "width of the interval alone" in words(app)
    wide = part["now"]["half_width"] + 0.02
    app = app.number_input(key="half-width").set_value(wide).run()
    assert "Enough" in words(app) and "Not yet" not in words(app)
    app = app.number_input(key="kappa0").set_value(0.4).run()
    show = part_of(known, kappa0=0.4)["show"]
    assert "kappa above 0.40" in words(app) and f"{show['simple']['n']:,} items" in words(app)
    app = app.number_input(key="kappa1").set_value(0.3).run()
    assert "No number of items shows" in words(app) and "Starting from" not in words(app)


def test_the_plan_page_refuses_a_kappa_that_cannot_be_with_the_maximum(look: Look, tmp_path: Path) -> None:
    lines = [run_line(f"r{k:03}", verdicts=[verdict(M if k % 2 else A)]) for k in range(60)]
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 60)
    with Sitting(study, "ana") as ana:
        ana.label_all({f"r{k:03}": M if k % 10 == 1 else A for k in range(60)})
    app = look("plan", study).number_input(key="kappa").set_value(0.9).run()
    assert "kappa cannot be 0.9" in words(app) and "at most 0.2" in words(app)
    assert words(app).count("kappa cannot be 0.9") == 1


def test_the_plan_page_writes_a_minus_as_every_page_does(known: Study, look: Look) -> None:
    app = look("plan", known).number_input(key="kappa").set_value(-0.9).run()
    assert "kappa cannot be −0.9" in words(app) and "at least −0." in words(app) and "kappa −0.90 (as given)" in words(app)
    app = app.number_input(key="kappa").set_value(None).run().number_input(key="kappa0").set_value(-0.2).run()
    assert "kappa above −0.20" in words(app)
    app = app.number_input(key="kappa1").set_value(-0.3).run()
    assert app.info[0].value == "No number of items shows a kappa to be above −0.20 when it is −0.30."


def test_the_plan_page_names_hostile_labels_as_text(look: Look, tmp_path: Path) -> None:
    harms = Question("harms", "Which?", "multilabel", (HOSTILE, "money"), None)
    lines = [
        run_line(f"r{k}", verdicts=[{"run": HOSTILE, "question": "harms", "choices": [HOSTILE] if k % 3 else []}]) for k in range(9)
    ]
    app = look("plan", make_study(tmp_path / "study", lines, (harms,)))
    assert "<b onclick" not in html(app) and HOSTILE in words(app)
    assert not any("](" in element.label for element in app.number_input)


def test_the_share_that_is_planned_for_can_be_typed_for_questions_of_two_choices_alone(look: Look, tmp_path: Path) -> None:
    kind = Question("kind", "What?", "nominal", ("deceit", "sabotage", "other"), None)
    lines = [run_line("r1", verdicts=[verdict(M), {"run": "judge-a", "question": "kind", "choice": "other"}])]
    app = look("plan", make_study(tmp_path / "study", lines, (MISALIGNED, kind)))
    assert any(element.key == "share" for element in app.number_input)
    app = app.number_input(key="share").set_value(0.5).run()
    assert "246 items" in words(app)
    app = next(box for box in app.selectbox if box.key == "question").select("kind").run()
    assert not any(element.key == "share" for element in app.number_input)
