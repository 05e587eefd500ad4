"""The lead's pages, driven without a browser: what they show, what they refuse, and to whom."""

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from annotate import page
from annotate.lead.counting import CHILD, Counting, counting
from annotate.lead.figures import headline, matrix, matrix_table
from annotate.serving import Serving, begin
from data.errors import StudyError
from data.questions import Question
from data.store import Store
from data.store.adjudication import decide, decision_on
from data.store.batches import batch_names, set_batch_state
from data.store.contested import contested, votes_on
from data.store.exposures import record_exposure
from data.store.people import Person, ensure_person, first_lead
from data.study import Study, load_study
from data.tallies import Excluded, QuestionTally, StratumMissing
from reports.document import agreement_document
from reports.of_study.agreement import agreement_of, with_leads
from tests.conftest import Run
from tests.served_study import ORIGIN, TOML, line, make_study, serve
from tests.study_maker import Sitting, draw_batch, import_lines
from tests.study_maker import make_study as made
from tests.test_agree_document import pair, question, stratified

A, M = "aligned", "misaligned"
LOOSE = TOML.replace('evidence = "first"', 'evidence = "optional"')
WORDS = "she <b>saw</b> it \u202e[x](http://evil.example/a.png)"


def people_at_work(folder: Path) -> Study:
    """Six items of which two are contested; the batch is open still, and everybody has finished."""
    study = make_study(folder / "study", overlap=2, toml=LOOSE)
    said: dict[str, dict[str, str | None]] = {"ana": {"run-001": M, "run-002": M, "run-004": None}, "ben": {"run-002": M}}
    for handle, choices in said.items():
        with Sitting(study, handle) as sitting:
            while held := sitting.claim():
                choice = choices.get(sitting.id_of(held[0]), A)
                rationale = WORDS if handle == "ana" else None
                why = sitting.do("unsure" if choice is None else "label", held[0], choice, rationale=rationale, evidence=(1,))
                assert not why, why
    return study


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    return begin(people_at_work(tmp_path))


@pytest.fixture
def look(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens one of the lead's pages by its file, as somebody."""

    def look(name: str, handle: str | None = "lead") -> AppTest:
        def person(_: Serving) -> Person | None:
            if handle is None:
                return None
            with Store.open(serving.study.database) as store:
                return ensure_person(store, handle, lead=False)

        monkeypatch.setattr(page, "signed_in", person)
        return AppTest.from_file(str(page.file_of(name)), default_timeout=60).run()

    return look


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def words(app: AppTest) -> str:
    """What stands on the page, without its markup and its style."""
    told = re.sub(r"<style>.*?</style>", "", html(app), flags=re.DOTALL)
    messages = [element.value for kind in (app.warning, app.info, app.error, app.success) for element in kind]
    return unescape(re.sub(r"<[^>]+>", " ", told)) + "\n".join(messages)


def close(serving: Serving) -> None:
    with Store.open(serving.study.database) as store:
        set_batch_state(store, "batch-1", "closed")


def document(serving: Serving, labels: str | None = None) -> dict[str, Any]:
    with Store.open(serving.study.database) as store:
        return agreement_of(serving.study, store, None, labels)


# Who gets what --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", page.LEAD)
@pytest.mark.parametrize("handle", ["ana", None])
def test_a_page_of_the_leads_gives_an_annotator_nothing(look: Callable[..., AppTest], name: str, handle: str | None) -> None:
    app = look(name, handle)
    assert not app.exception
    assert html(app) == ""
    assert not app.button and not app.selectbox and not app.get("bidi_component")
    assert app.markdown[0].value == ("This page is for leads." if handle else "You are signed out. Open your sign-in link again.")


def test_a_lead_has_the_desk_with_links_and_an_annotator_has_it_without(look: Callable[..., AppTest]) -> None:
    for handle, links in (("lead", list(page.LEAD)), ("ana", [])):
        look("batches", handle)
        app = AppTest.from_file(str(Path(page.__file__).parent / "script" / "main.py"), default_timeout=30).run()
        assert not app.exception
        (component,) = app.get("bidi_component")
        assert json.loads(component.proto.json)["pages"] == links


def test_a_trajectory_to_read_is_for_leads_and_carries_what_annotators_see(tmp_path: Path) -> None:
    toml = TOML + 'redact = ["Gauge \\\\d"]\n'
    served = serve(make_study(tmp_path / "study", toml=toml))
    with served.browser("lead") as lead, served.browser("ana") as ana, served.browser(None) as nobody:
        found = lead.get("/lead/items/1")
        assert found.status_code == 200
        assert found.headers["cache-control"] == "private, no-store"
        assert set(found.json()) == {"task", "metadata", "steps"}
        assert "▮▮▮ looks odd" in found.text
        for secret in ("hidden-model", "hidden-rationale", "judge-a", "run-0"):
            assert secret not in found.text
        for number in ("1", "999", "99999999999999999999999"):
            assert ana.get(f"/lead/items/{number}").status_code == 404
            assert ana.post(f"/lead/items/{number}", headers=ORIGIN).status_code in (404, 405)
            assert nobody.get(f"/lead/items/{number}").status_code == 401
        assert lead.get("/lead/items/99999999999999999999999").status_code == 404


# Agreement ------------------------------------------------------------------------------------------------------------


def test_the_agreement_page_shows_the_figures_of_agree(serving: Serving, look: Callable[..., AppTest], run: Run) -> None:
    app = look("agreement")
    assert not app.exception
    (question,) = json.loads(run("agree", "--json", "--study", serving.study.folder).stdout)["questions"]
    pair = next(pair for pair in question["pairs"] if pair["rows"] == "human:consensus")
    told = words(app)
    for key in ("observed_agreement", "specificity", "ac1"):
        assert f"{pair[key]['value']:.2f}" in told
    assert f"n = {pair['n']}" in told
    cells = [int(cell) for cell in re.findall(r'class="rj-cell[^>]*><b>(\d+)</b>', html(app))]
    assert cells == [count for row in pair["confusion"] for count in row]
    alpha = question["human_human"]["krippendorff_alpha"]
    assert f'data-rj="alpha">{alpha["value"]:.2f}' in html(app)
    assert "ana – ben" in told and "Single annotators against judge-a" in told
    assert "preliminary" in told.lower() and "1 tied" in told


def test_the_figure_at_the_head_is_the_one_that_the_report_quotes() -> None:
    def figure(value: float) -> dict[str, Any]:
        return {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 40, "method": "", "reason": ""}

    kappas = {"kappa": figure(0.41), "kappa_linear": figure(0.52), "kappa_strict": figure(0.33)}
    assert ">0.52<" in headline({"headline": "readable", **kappas})
    assert ">0.33<" in headline({"headline": "strict", **kappas})
    assert ">0.41<" in headline({"kappa": figure(0.41)})


def test_an_undefined_figure_is_its_reason_in_words(serving: Serving, look: Callable[..., AppTest]) -> None:
    pair = document(serving)["questions"][0]["pairs"][0]
    assert pair["kappa"]["value"] == 0 or pair["kappa"]["value"] is None
    undefined = [
        pair[key] for key in pair if isinstance(pair[key], dict) and pair[key].get("reason") and pair[key]["value"] is None
    ]
    told = words(look("agreement"))
    assert all(f"undefined: {estimate['reason']}" in told for estimate in undefined)
    assert "nan" not in told.lower() and "None" not in told


def test_the_figures_follow_the_labels_and_the_source_that_was_chosen(serving: Serving, look: Callable[..., AppTest]) -> None:
    app = look("agreement")
    app.selectbox(key="labels").select("imported").run()
    assert "Nothing to compare yet" in words(app) or "No judge to compare" in words(app)
    app.selectbox(key="labels").select("batch").run()
    before = words(app)
    with Store.open(serving.study.database) as store:
        lead = first_lead(store)
        asked = serving.asked[0]
        item = contested(store, asked.code)[0].trajectory
        decide(store, lead, item, asked, M, "slip", "")
    after = words(app.run())
    assert after != before
    assert "1 tied" not in after


def test_a_lead_who_still_labels_is_asked_before_a_figure_is_shown(serving: Serving, look: Callable[..., AppTest]) -> None:
    make_more(serving.study)
    with Sitting(serving.study, "lead") as sitting:
        sitting.claim()
    app = look("agreement")
    assert "still labelling in batch-2" in app.warning[0].value.replace("\\", "")
    assert "data-rj" not in html(app) and not app.selectbox
    app.button(key="show").click().run()
    assert not app.warning
    assert 'data-rj="matrix"' in html(app)


def make_more(study: Study) -> None:
    """A second batch, of items that came in later."""
    import_lines(study, [line(number) for number in range(20, 24)], "more.jsonl")
    draw_batch(study, 4, overlap=2)


def test_no_single_items_verdict_is_on_the_agreement_page(look: Callable[..., AppTest]) -> None:
    told = html(look("agreement"))
    assert "run-0" not in told and "hidden-rationale" not in told


def test_an_unchanged_study_is_not_counted_again(serving: Serving) -> None:
    kept = counting(serving.study)
    first = kept.document("agreement", None)
    assert first == document(serving)
    assert kept.document("agreement", None) is first
    with Store.open(serving.study.database) as store:
        # What moves all day while people label: leases, drafts, and leads who read votes.
        record_exposure(store, first_lead(store).code, 1, "votes")
    assert kept.document("agreement", None) is first
    make_more(serving.study)
    assert kept.document("agreement", None) is not first


def test_a_counting_process_that_died_is_started_again(serving: Serving) -> None:
    kept = Counting(serving.study)
    before = kept.document("agreement", "batch")
    assert CHILD.process is not None
    CHILD.process.kill()
    CHILD.process.wait()
    kept.known.clear()
    assert kept.document("agreement", "batch") == before


def test_what_the_count_refuses_is_said_and_no_traceback(serving: Serving, look: Callable[..., AppTest]) -> None:
    serving.study.toml.write_text(LOOSE.replace('"misaligned"', '"other"'), encoding="utf-8")
    with pytest.raises(StudyError), Store.open(serving.study.database) as store:
        agreement_of(load_study(serving.study.folder), store, None, None)
    app = look("agreement")
    assert not app.exception
    assert "has lost the choice" in app.error[0].value or "not declared" in app.error[0].value


@pytest.mark.parametrize("page", ["agreement", "annotators", "prevalence", "plan"])
def test_a_refusal_on_a_page_of_figures_obeys_no_name_in_it(
    page: str, look: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StudyError("The run [here](https://e.example) is broken.", "Found `it`.", "Mend it.")

    monkeypatch.setattr(Counting, "document", refuse)
    (error,) = look(page).error
    assert "](" not in error.value and error.value.replace("\\", "").endswith("Found `it`. Mend it.")


# Batches --------------------------------------------------------------------------------------------------------------


def test_the_batches_page_shows_progress_and_closes_a_batch(serving: Serving, look: Callable[..., AppTest]) -> None:
    make_more(serving.study)
    with Sitting(serving.study, "ana", "another tab") as ana:
        first = ana.claim()[0]
        assert not ana.do("flag", first, reason="cut <off>")
        assert not ana.label(first)
    app = look("batches")
    assert not app.exception
    told = words(app)
    assert "batch-2 open" in " ".join(told.split())
    assert "12  of 12 labels" in told and "1  of 8 labels" in told and "cut <off>" in told
    app.button(key="paused-2").click().run()
    assert 'data-state="paused"' in html(app)
    app.button(key="open-2").click().run()
    app.button(key="closed-1").click().run()
    assert 'data-state="closed"' in html(app)
    with Store.open(serving.study.database) as store:
        assert store.conn.execute("SELECT state FROM batches ORDER BY code").fetchall() == [("closed",), ("open",)]


def test_a_batch_is_drawn_from_the_page_and_a_refusal_is_said(serving: Serving, look: Callable[..., AppTest]) -> None:
    import_lines(serving.study, [line(number) for number in range(20, 24)], "more.jsonl")
    app = look("batches")
    app.number_input(key="n").set_value(99)
    app.text_input(key="name").set_value("*second*")
    submit(app, "Draw")
    assert "fewer than 99 items" in app.error[0].value
    app.number_input(key="n").set_value(3)
    submit(app, "Draw")
    assert "3 items drawn from 4" in app.success[0].value
    with Store.open(serving.study.database) as store:
        assert batch_names(store) == ["batch-1", "*second*"]


def test_a_batch_is_drawn_equally_from_each_verdict_and_the_page_does_not_tell_how_many_there_are(
    serving: Serving, look: Callable[..., AppTest]
) -> None:
    fresh = [line(number) for number in range(20, 30)]
    for odd in fresh[:3]:
        odd["verdicts"][0]["choice"] = M
    import_lines(serving.study, fresh, "more.jsonl")
    app = look("batches")
    app.number_input(key="n").set_value(6)
    app.selectbox(key="stratify").select(("judge-a", "misaligned"))
    submit(app, "Draw")
    assert re.fullmatch(r"batch-2: 6 items drawn from 10; seed \w+\.", app.success[0].value.replace("\\", ""))
    with Store.open(serving.study.database) as store:
        query = "SELECT count(*), count(DISTINCT stratum) FROM batch_items WHERE batch = 2 GROUP BY stratum"
        assert store.conn.execute(query).fetchall() == [(3, 1), (3, 1)]


def test_a_link_is_made_for_an_annotator_and_shown_once(look: Callable[..., AppTest]) -> None:
    app = look("batches")
    app.text_input(key="handle").set_value("dora")
    submit(app, "Make a sign-in link")
    (link,) = [element.value for element in app.code]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/in/[\w-]{40,}", link)
    assert not app.run().code
    app.text_input(key="handle").set_value("consensus")
    submit(app, "Make a sign-in link")
    assert "cannot be an annotator" in app.error[0].value


def submit(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


# Adjudication ---------------------------------------------------------------------------------------------------------


def test_items_of_an_open_batch_are_offered_only_when_asked_for_and_with_a_warning(
    serving: Serving, look: Callable[..., AppTest]
) -> None:
    make_more(serving.study)
    with Sitting(serving.study, "lead") as sitting:
        sitting.claim()
    app = look("adjudication")
    assert "Nothing to decide in closed batches" in app.info[0].value
    with Store.open(serving.study.database) as store:
        assert store.conn.execute("SELECT count(*) FROM exposures").fetchone()[0] == 0
    app.toggle(key="open").set_value(True).run()
    assert "You still label in batch-2" in app.warning[0].value.replace("\\", "")
    assert "Item 1 of 2" in words(app)


def test_votes_stand_without_names_and_no_verdict_stands_on_the_page(serving: Serving, look: Callable[..., AppTest]) -> None:
    close(serving)
    app = look("adjudication")
    told = html(app)
    assert "Annotator A" in told and "Annotator B" in told
    assert not any(name in words(app) for name in ("ana", "ben", "judge-a", "hidden-", "run-0"))
    assert "she &lt;b&gt;saw&lt;/b&gt; it" in told and "⟨U+202E⟩" in told and "<b>saw</b>" not in told
    (component,) = app.get("bidi_component")
    data = json.loads(component.proto.json)
    assert data["evidence"] == [1] and re.fullmatch(r"/lead/items/\d+", data["address"])
    decide_here(app, M, "slip")
    assert not any(name in words(app) for name in ("judge-a", "hidden-", "run-0"))


def decide_here(app: AppTest, answer: str | None, cause: str | None, rationale: str = "") -> None:
    """Fills the form of the item in hand and saves it."""
    options = [A, M, "no answer"]
    if answer is not None:
        next(radio for radio in app.radio if radio.label == "The answer").set_value(options.index(answer))
    if cause is not None:
        next(radio for radio in app.radio if radio.label == "Why they disagree").set_value(cause)
    app.text_area[0].set_value(rationale)
    submit(app, "Save the decision")


def decided(serving: Serving) -> list[Any]:
    with Store.open(serving.study.database) as store:
        return store.conn.execute("SELECT trajectory, choice, cause, rationale FROM adjudications ORDER BY seq").fetchall()


def test_a_decision_needs_its_cause_and_its_answer(serving: Serving, look: Callable[..., AppTest]) -> None:
    close(serving)
    app = look("adjudication")
    decide_here(app, None, "slip")
    assert "Choose the answer" in app.error[0].value
    decide_here(app, M, None)
    # The form keeps what was chosen before.
    app = look("adjudication")
    decide_here(app, M, None)
    assert app.error[0].value == "Name the cause."
    app = look("adjudication")
    decide_here(app, "no answer", "slip")
    assert "needs the cause" in app.error[0].value
    assert decided(serving)[1:] == []


def test_a_saved_decision_leads_to_the_next_item_is_listed_and_may_be_changed(
    serving: Serving, look: Callable[..., AppTest]
) -> None:
    close(serving)
    app = look("adjudication")
    first = app.session_state["item"]
    assert "2 to decide, 0 decided" in words(app)
    decide_here(app, M, "slip", "it did")
    second = app.session_state["item"]
    assert second != first and "1 to decide, 1 decided" in words(app)
    decide_here(app, "no answer", "item broken")
    assert "0 to decide, 2 decided" in words(app)
    app.selectbox(key="item").select(first).run()
    assert "Decided:  misaligned" in words(app)
    assert app.text_area[0].value == "it did"
    decide_here(app, A, "codebook ambiguous", "on reflection")
    assert decided(serving) == [
        (first, 1, "slip", "it did"),
        (second, None, "item broken", None),
        (first, 0, "codebook ambiguous", "on reflection"),
    ]
    with Store.open(serving.study.database) as store:
        standing = decision_on(store, serving.asked[0].code, first)
    assert standing is not None and standing.answer == A


def test_previous_and_next_walk_and_what_is_opened_is_noted(serving: Serving, look: Callable[..., AppTest]) -> None:
    close(serving)
    app = look("adjudication")
    seen = [app.session_state["item"]]

    def noted() -> list[int]:
        with Store.open(serving.study.database) as store:
            rows = store.conn.execute("SELECT trajectory FROM exposures WHERE what = 'votes' ORDER BY at, trajectory").fetchall()
        return [row[0] for row in rows]

    assert noted() == seen
    app.button(key="go-Next").click().run()
    seen.append(app.session_state["item"])
    assert sorted(noted()) == sorted(seen) and len(set(seen)) == 2
    app.button(key="go-Previous").click().run()
    assert app.session_state["item"] == seen[0]


def test_what_was_opened_here_the_desk_does_not_give(tmp_path: Path) -> None:
    lines = [
        line(number, labels=[{"question": "misaligned", "annotator": who, "choice": said} for who, said in (("x", A), ("y", M))])
        for number in range(3)
    ]
    serving = begin(make_study(tmp_path / "study", lines=lines, toml=LOOSE))
    with Sitting(serving.study, "lead") as sitting:
        assert len(sitting.claim()) == 3
        with Store.open(serving.study.database) as store:
            (lead,) = [first_lead(store)]
            # Items of an open batch wait for their labels, so the imported votes on them are not on offer.
            assert contested(store, serving.asked[0].code) == []
            record_exposure(store, lead.code, 1, "votes")
            assert len(votes_on(store, serving.asked[0].code, 1)) == 2
        assert len(sitting.claim()) == 2
        assert len(sitting.label_all({})) == 2


KINDS = Question("kinds", "Which *kinds*?", "multilabel", ("deceit", "sabotage", "other"))
GRADE = Question("grade", "How bad?", "score", (), min=0, max=10, threshold=5)


def every_type(folder: Path) -> Study:
    """One contested item with a set of choices and a score, and a judge who said both."""
    cast = (("a", ["deceit"], 3), ("b", [], 7.5))
    labels = [{"annotator": who, "question": "kinds", "choices": kinds} for who, kinds, _ in cast]
    labels += [{"annotator": who, "question": "grade", "score": score} for who, _, score in cast]
    verdicts = [{"run": "judge-a", "question": "kinds", "choices": ["deceit"]}, {"run": "judge-a", "question": "grade", "score": 6}]
    steps = [{"kind": "message", "text": "x"}]
    return made(
        folder / "study", [{"id": "r", "task": "t", "steps": steps, "labels": labels, "verdicts": verdicts}], [KINDS, GRADE]
    )


def test_every_type_of_question_is_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = every_type(tmp_path)
    serving = begin(study)
    with Store.open(study.database) as store:
        lead = first_lead(store)
    monkeypatch.setattr(page, "signed_in", lambda _: lead)
    app = AppTest.from_file(str(page.LEAD_PAGES / "adjudication.py"), default_timeout=60).run()
    assert "none of them" in words(app) and "deceit" in words(app)
    app.multiselect[0].set_value(["other", "deceit"])
    next(radio for radio in app.radio if radio.label == "Why they disagree").set_value("slip")
    submit(app, "Save the decision")
    app.selectbox(key="question").select("grade").run()
    assert "7.5" in words(app)
    app.number_input[0].set_value(4.5)
    next(radio for radio in app.radio if radio.label == "Why they disagree").set_value("slip")
    submit(app, "Save the decision")
    with Store.open(study.database) as store:
        standing = [decision_on(store, asked.code, 1) for asked in serving.asked]
    assert [decision and decision.answer for decision in standing] == [("deceit", "other"), 4.5]


SCORED = question(
    pair((), unreadable=(), groups=40, scores={(0, float(k), float(k + k % 3)): 2 for k in range(20)},
         at_threshold=pair(((19, 3), (2, 16)))),
    type="score", choices=(), positive=None, units={(1.0, 2.0): 9, (5.0, 5.0): 30},
)  # fmt: skip
SEVERAL = question(
    pair((), unreadable=(), excluded=Excluded(error=3, unsure=1), groups=60,
         by_label={"lies": pair(((40, 3), (4, 13))), "hides": pair(((50, 3), (4, 3)), unreadable=(2, 1))}),
    type="multilabel", choices=("lies", "hides"), positive=None, units={(1, 1): 9, (1, 3): 4, (0, 0): 20},
)  # fmt: skip
DRAWN = question(stratified(groups=11, single=40), missing=(StratumMissing("judge-a: misaligned", 115, 11, 4),), outside_frame=12)
UNREADABLE = question(pair(((30, 4), (3, 23)), unreadable=(2, 3), codebooks={"a" * 64: 40, "b" * 64: 25}))
SHOWN = (
    (SCORED, ("Spearman", "at the threshold", "at or above", "16")),
    (SEVERAL, ("lies", "not hides", "kappa, strict", "1 unsure, 3 with an unreadable verdict")),
    (DRAWN, ("weighted to the frame of 10,000 items", "judge-a: misaligned", "one person's label", "imported after the last draw")),
    (UNREADABLE, ("Quote the strict figures", "Cohen’s kappa, strict", "codebook version")),
)


@pytest.mark.parametrize(("tally", "told"), SHOWN)
def test_every_design_and_type_is_drawn(
    look: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, tally: QuestionTally, told: tuple[str, ...]
) -> None:
    document = with_leads(agreement_document("s", [tally]), {"misaligned": (7, 5)})
    nothing = {"questions": [], "left_out": []}
    monkeypatch.setattr(CHILD, "ask", lambda asked: {"document": document if asked["what"] == "agreement" else nothing})
    app = look("agreement")
    assert not app.exception
    found = words(app)
    assert [missing for missing in (*told, "7 labels of batches came from people") if missing not in found] == []
    assert "None" not in found and "nan" not in found


def test_the_shares_of_a_weighted_matrix_are_those_of_the_figures_beside_it() -> None:
    weighted = {"confusion": [[9, 1], [0, 13]], "confusion_weighted": [[0.26, 0.04], [0.0, 0.7]]}
    drawn = matrix(("success", "failure"), weighted, ("humans", "reward"))
    listed = matrix_table(("success", "failure"), weighted, ("humans", "reward"))
    assert "<b>1</b><span>13 %</span>" in drawn and "<b>9</b><span>87 %</span>" in drawn
    assert "13.3 %" in listed and "10.0 %" not in listed
    assert "<b>1</b><span>10 %</span>" in matrix(("a", "b"), {"confusion": [[9, 1], [0, 0]]}, ("humans", "judge"))
