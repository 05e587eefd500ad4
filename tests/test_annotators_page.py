"""The annotators page, driven without a browser: what it shows, when it asks first, and what it shows of strange studies."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from annotate import page
from annotate.lead.people_figures import judge_notes
from annotate.serving import Serving, begin
from data.questions import Question
from data.store import Store
from data.store.people import Person, ensure_person
from data.study import Study
from reports.of_study.humans import humans_of
from tests.people_at_work import Worker, at_work
from tests.study_maker import Sitting, draw_batch, import_lines, make_study, numbered, run_line, verdict

A, M = "aligned", "misaligned"
HOSTILE = "<b onclick=alert(1)>eve</b>[x](http://evil.example/a.png)"

Look = Callable[..., AppTest]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Ana and ben are careful, cleo is careless; all that they were given is labelled."""
    with pytest.MonkeyPatch.context() as clock:
        workers = [Worker("ana", 0.05), Worker("ben", 0.05, seconds=150), Worker("cleo", 0.35)]
        return at_work(tmp_path_factory.mktemp("known") / "study", clock, workers, 40)


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """Opens the page on a study, as somebody."""

    def look(study: Study, handle: str = "lead") -> AppTest:
        begin(study)

        def person(serving: Serving) -> Person:
            with Store.open(serving.study.database) as store:
                return ensure_person(store, handle, lead=False)

        monkeypatch.setattr(page, "signed_in", person)
        return AppTest.from_file(str(page.LEAD_PAGES / "annotators.py"), default_timeout=60).run()

    return look


def html(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(element.proto.body for element in app.get("html"))


def words(app: AppTest) -> str:
    """What stands on the page, without its markup and its style."""
    told = re.sub(r"<style>.*?</style>", "", html(app), flags=re.DOTALL)
    messages = [element.value for kind in (app.warning, app.info, app.error) for element in kind]
    return " ".join((unescape(re.sub(r"<[^>]+>", " ", told)) + "\n".join(messages)).split())


def document(study: Study) -> dict[str, Any]:
    with Store.open(study.database) as store:
        return humans_of(study, store, None, None)


def two(figure: float) -> str:
    return f"{round(figure, 2) + 0.0:.2f}".replace("-", "−")


def test_the_page_shows_the_figures_of_the_document(known: Study, look: Look) -> None:
    app = look(known)
    told, (question,), times = words(app), document(known)["questions"], document(known)["times"]
    judge = question["judges"][0]
    assert judge["words"] in told and f'data-answer="{judge["answer"]}"' in html(app)
    for key in ("judge_human", "human_human", "difference"):
        assert two(judge[key]["value"]) in told and f"{two(judge[key]['low'])} to {two(judge[key]['high'])}" in told
    assert f'data-rj="alpha">{two(question["alpha"]["value"])}' in html(app)
    matrix = html(app).split('data-rj="people"')[1].split("</table>")[0]
    shown = re.findall(r"<b>([^<]+)</b><span>(\d+)</span>", matrix)
    between = {(pair["rows"], pair["columns"]): pair["kappa"] for pair in question["pairs"]}
    assert len(shown) == 6, "each of three pairs, from both sides"
    assert sorted(shown) == sorted(2 * [(two(kappa["value"]), str(kappa["n"])) for kappa in between.values()])
    for pair in question["against_rest"]:
        assert f"{pair['annotator']} {pair['n']} {two(pair['kappa']['value'])}" in told
    ben = next(each for each in times["annotators"] if each["annotator"] == "ben")["median"]["value"]
    assert f"ben 40 {round(ben) // 60}:{round(ben) % 60:02}" in told
    assert "draw some with “rejudge draw --retest”" in told
    assert "first third" in told and "items 21–40" in told and "3 sessions, the longest of 40 items" in told


def test_an_annotator_sees_nothing_of_it(known: Study, look: Look) -> None:
    app = look(known, "ana")
    assert html(app) == "" and app.markdown[0].value == "This page is for leads." and not app.selectbox


def test_a_lead_who_still_labels_is_asked_first(tmp_path: Path, look: Look) -> None:
    study = make_study(tmp_path / "study", numbered(4, verdicts=[verdict(A)]))
    draw_batch(study, 4, overlap=3)
    for who in ("ana", "ben"):
        with Sitting(study, who) as sitting:
            sitting.label_all({"r001": M})
    with Sitting(study, "lead") as lead:
        lead.claim()
    app = look(study)
    assert "still labelling in batch\\-1" in app.warning[0].value
    assert "data-rj" not in html(app) and not app.selectbox and "ana" not in words(app)
    app.button(key="show").click().run()
    assert not app.warning and 'data-rj="people"' in html(app)


def test_names_are_shown_and_never_obeyed(tmp_path: Path, look: Look) -> None:
    lines = [
        run_line(
            f"r{place:03}",
            labels=[{"annotator": who, "question": "misaligned", "choice": (A, M)[place % 2]} for who in (HOSTILE, "ana")],
            verdicts=[verdict((A, M)[place % 3 == 0], run=HOSTILE)],
        )
        for place in range(12)
    ]
    app = look(make_study(tmp_path / "study", lines))
    assert "&lt;b onclick=alert(1)&gt;eve&lt;/b&gt;" in html(app) and "<b onclick" not in html(app)


def test_imported_labels_have_no_clock_and_it_is_said(tmp_path: Path, look: Look) -> None:
    labels = [{"annotator": who, "question": "misaligned", "choice": A} for who in ("ana", "ben")]
    told = words(look(make_study(tmp_path / "study", numbered(5, labels=labels, verdicts=[verdict(A)]))))
    assert "Unknown: no label of a batch is counted here" in told
    assert "Labels as imported" in told
    assert "Cannot be said: the kappa is undefined for every annotator with the judge" in told
    assert "None" not in told and "nan" not in told


def test_a_study_without_labels_or_with_one_annotator_says_so(tmp_path: Path, look: Look) -> None:
    study = make_study(tmp_path / "study", numbered(3, verdicts=[verdict(A)]))
    assert "Nobody has labelled yet" in words(look(study))
    draw_batch(study, 3)
    with Sitting(study, "ana") as ana:
        ana.label_all({})
    told = words(look(study))
    assert "No two people labelled the same item" in told and "no item has a readable verdict and two annotators' answers" in told


def test_the_second_labels_of_a_retest_are_shown(look: Look, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(6))
    draw_batch(study, 6, overlap=1)
    for later in ("", "later"):
        with Sitting(study, "ana", later) as ana:
            ana.label_all({"r001": M, "r002": M if later else A})
        if not later:
            draw_batch(study, 6, retest=True)
    told = words(look(study))
    assert "First label beside second, of the same person" in told
    assert "ana 6 0.57" in told


SCALE = Question("q", "How *bad*?", "ordinal", ("none", "some", "much"))
SCORE = Question("q", "How bad?", "score", (), min=0, max=10, threshold=5)
KINDS = Question("q", "Which?", "multilabel", ("deceit", "sabotage_strict", "other"))
SETS = (["deceit"], ["deceit", "sabotage_strict"], ["other"])


@pytest.mark.parametrize(
    ("question", "answers", "told"),
    [
        (SCALE, ("none", "some", "much"), ("difference, linear weights", "Cohen’s kappa of every two people")),
        (KINDS, SETS, ("difference, sabotage_strict", "Mean kappa over labels of every two people", "ana · sabotage_strict")),
        (SCORE, (2.0, 5.0, 7.5), ("difference, at the threshold", "Spearman’s rho of every two people", "mean rank correlation")),
    ],
)
def test_every_type_of_question_is_drawn(
    tmp_path: Path, look: Look, question: Question, answers: tuple[Any, ...], told: tuple[str, ...]
) -> None:
    key = question.answered_by
    lines = []
    for place in range(30):
        labels = [
            {"annotator": who, "question": "q", key: answers[(place // step) % 3]}
            for who, step in (("ana", 1), ("ben", 2), ("cy", 1))
        ]
        lines.append(run_line(f"r{place}", labels=labels, verdicts=[{"question": "q", "run": "j", key: answers[(place * 2) % 3]}]))
    found = words(look(make_study(tmp_path / "study", lines, [question])))
    assert [missing for missing in told if missing not in found] == []
    assert "None" not in found and "nan" not in found


def test_two_runs_are_told_apart_by_a_choice(look: Look, tmp_path: Path) -> None:
    labels = [{"annotator": who, "question": "misaligned", "choice": M} for who in ("ana", "ben")]
    lines = [
        run_line(f"r{place}", labels=[labels[0], labels[1] | {"choice": (A, M)[place % 2]}],
                 verdicts=[verdict((A, M)[place % 2]), verdict(A, run="judge-b")])
        for place in range(8)
    ]  # fmt: skip
    app = look(import_lines(make_study(tmp_path / "study"), lines))
    assert "Is judge-a as good as one more human?" in words(app)
    app.selectbox(key="run").select("judge-b").run()
    assert "Is judge-b as good as one more human?" in words(app) and "Is judge-a" not in words(app)


def test_what_is_not_in_the_means_is_counted_in_items() -> None:
    judge = {"difference": {"value": None}, "left_out": {"single": 9, "unreadable": 1, "missing": 0}, "design": "simple"}
    assert (
        judge_notes({**judge, "weighted": False})[0]
        == "Not among them: 9 items with one label only, 1 item with an unreadable verdict."
    )
