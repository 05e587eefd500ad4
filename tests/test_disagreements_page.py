"""The disagreements page, driven without a browser: what it names, what it notes first, and what it never shows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from annotate import page
from annotate.lead import disagreements as drawn
from annotate.lead.text import html_of
from annotate.serving import Serving, begin
from data.errors import StoreError
from data.questions import Question
from data.store import Store
from data.store.adjudication import decide
from data.store.disagreements import disagreements
from data.store.people import Person, ensure_person, first_lead
from data.store.tallying import tally
from data.store.test_looks import spend, spent
from data.study import Study
from judge.spend_command import BEFORE
from tests.study_maker import MISALIGNED, Sitting, draw_batch, import_lines, label, make_study, run_line, verdict
from tests.test_lead_pages import html, words

A, M = "aligned", "misaligned"
HOSTILE = "<img src=x onerror=alert(1)> **bold** $x$ \u202eevil [a](http://evil.example/x)"
HALF = "[split]\ntrain = 0.5\ndev = 0.25\n"


def lines(items: int, **more: Any) -> list[dict[str, Any]]:
    """Every third item a judge who differs, each with a label and words of both."""
    found = []
    for place in range(items):
        said = label("ana", A, rationale=f"human words {place} {HOSTILE}", evidence=[0, 2])
        judged = verdict(M if place % 3 == 0 else A, rationale=f"judge words {place} {HOSTILE}", cites=[1, 2], confidence=0.8)
        found.append(run_line(f"item-{place:03}", labels=[said], verdicts=[judged], **more))
    return found


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    study = make_study(tmp_path / "study", rest=HALF)
    with Store.open(study.database) as store, store.write():
        store.set_fact("salt", "so that each split holds the same items every time")
    return begin(import_lines(study, lines(60)))


Look = Callable[..., AppTest]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """Opens the page as the lead, at an address."""

    def look(serving: Serving, **address: str) -> AppTest:
        with Store.open(serving.study.database) as store:
            lead = first_lead(store)
        monkeypatch.setattr(page, "signed_in", lambda _: lead)
        app = AppTest.from_file(str(page.LEAD_PAGES / "disagreements.py"), default_timeout=60)
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return look


def components(app: AppTest) -> dict[str, Any]:
    """What each component on the page was given, by its handle."""
    found = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    return {data.get("handle", "reading"): data for data in found}


def everything(app: AppTest) -> str:
    """All that went to the browser."""
    return html(app) + words(app) + "".join(component.proto.json for component in app.get("bidi_component"))


def numbers_of(study: Study, split: str | None = None) -> dict[str, int]:
    with Store.open(study.database) as store:
        rows = store.conn.execute("SELECT id, n, split FROM trajectories").fetchall()
    return {id: n for id, n, there in rows if split in (None, there)}


def noted(study: Study) -> set[tuple[int, str]]:
    with Store.open(study.database) as store:
        return set(store.conn.execute("SELECT trajectory, what FROM exposures").fetchall())


def listed(app: AppTest) -> list[str]:
    return [row[1]["text"] for row in components(app)["items"]["rows"]] if "items" in components(app) else []


def open_up(serving: Serving) -> None:
    with Store.open(serving.study.database) as store:
        spend(store, first_lead(store))


def test_the_matrix_counts_train_large_and_the_others_below_and_names_nothing(serving: Serving, look: Look) -> None:
    app = look(serving)
    with Store.open(serving.study.database) as store:
        confusion = tally(store, serving.study, None, None)[0].judge_pairs[0].confusion
    rows = components(app)["matrix"]["rows"]
    for row, counts in zip(rows, confusion, strict=True):
        for cell, count in zip(row[1:-1], counts, strict=True):
            assert int(cell["text"]) + sum(int(line.split()[1]) for line in cell["below"]) == count
            assert ("pick" in cell) == (cell["text"] != "0")
    assert "item-0" not in everything(app) and noted(serving.study) == set()
    assert "rejudge judge spend" in words(app)


def test_a_cell_lists_its_train_items_alone_and_notes_them_as_shown(serving: Serving, look: Look) -> None:
    app = look(serving, cell="0-1")
    train = numbers_of(serving.study, "train")
    expected = {id: n for id, n in train.items() if int(id[-3:]) % 3 == 0}
    assert set(listed(app)) == set(expected) and len(expected) > 3
    assert noted(serving.study) == {(n, what) for n in expected.values() for what in ("verdict", "votes")}
    hidden = set(numbers_of(serving.study)) - set(train)
    assert [id for id in hidden if id in everything(app)] == []


def test_nothing_is_listed_where_it_cannot_be_noted_first(serving: Serving, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    item = str(min(numbers_of(serving.study, "train").values()))

    def refuse(*_: object) -> None:
        raise StoreError("full", "full", "full")

    monkeypatch.setattr(drawn, "record_exposures", refuse)
    for address in (
        {"cell": "0-1"},
        {"cell": "0-0"},
        {"cell": "all"},
        {"cell": "0-1", "item": item},
        {"cell": "0-0", "item": item},
    ):
        app = AppTest.from_file(str(page.LEAD_PAGES / "disagreements.py"), default_timeout=60)
        look(serving)
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        assert "item-0" not in everything(app) and "words" not in everything(app)
        assert not {"items", "reading"} & set(components(app))


def test_dev_and_test_are_listed_once_the_study_is_spent(serving: Serving, look: Look) -> None:
    before = listed(look(serving, cell="0-1"))
    open_up(serving)
    app = look(serving, cell="0-1")
    assert len(listed(app)) == 20 > len(before)
    assert {row[2]["text"] for row in components(app)["items"]["rows"]} == {"train", "dev", "test"}
    assert "opened by lead" in words(app)
    number = next(n for id, n in numbers_of(serving.study, "test").items() if int(id[-3:]) % 3 == 0)
    opened = look(serving, cell="all", item=str(number))
    assert components(opened)["reading"]["address"].endswith(f"/{number}") and "judge words" in words(opened)
    assert (number, "verdict") in noted(serving.study)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_an_address_that_names_a_closed_item_shows_and_notes_nothing(serving: Serving, look: Look, split: str) -> None:
    for id, number in sorted(numbers_of(serving.study, split).items())[:4]:
        for cell in ("0-0", "0-1", "all", "", "9-9"):
            app = look(serving, cell=cell, item=str(number))
            assert "reading" not in components(app)
            assert id not in everything(app) and "words" not in everything(app)
    assert noted(serving.study) == set()


SENSELESS: tuple[dict[str, str], ...] = (
    {"item": "x"},
    {"item": "-1"},
    {"item": "9" * 30},
    {"cell": "0-9"},
    {"cell": "٣-1"},
    {"cell": "0-1", "page": "99999"},
    {"question": "nobody", "run": "<b>", "labels": "x"},
)


@pytest.mark.parametrize("address", SENSELESS, ids=str)
def test_an_address_that_means_nothing_is_no_error(serving: Serving, look: Look, address: dict[str, str]) -> None:
    assert set(components(look(serving, **address))) <= {"matrix", "items"}


def test_an_item_stands_with_both_rationales_and_both_sorts_of_marks(serving: Serving, look: Look) -> None:
    number = next(n for id, n in numbers_of(serving.study, "train").items() if int(id[-3:]) % 3 == 0)
    app = look(serving, cell="0-1", item=str(number))
    reading = components(app)["reading"]
    assert reading == {"address": f"/lead/items/{number}", "evidence": [0, 2], "cites": [1, 2]}
    told = words(app)
    assert "human words" in told and "judge words" in told and "confidence 0.80" in told
    assert "cites: steps 2, 3" in told and "evidence: steps 1, 3" in told and "Humans: aligned (one label)" in told
    assert "Annotator A" in told and "ana" not in told.replace("Annotator", "").split()
    assert noted(serving.study) == {(number, "verdict"), (number, "votes")}


def test_hostile_words_are_text(serving: Serving, look: Look) -> None:
    number = next(n for id, n in numbers_of(serving.study, "train").items() if int(id[-3:]) % 3 == 0)
    app = look(serving, cell="0-1", item=str(number))
    assert html(app).count(html_of(HOSTILE)) == 2
    assert "<img" not in html(app) and "\u202e" not in everything(app)
    assert not any("evil" in element.value for element in app.markdown)


def test_hostile_names_of_items_and_choices_are_text_with_marks(tmp_path: Path, look: Look) -> None:
    choices = ("<b>no</b>", "y\u202ees")
    question = Question("misaligned", HOSTILE, "binary", choices, choices[1])
    line = run_line(HOSTILE, labels=[label("ana", choices[0])], verdicts=[verdict(choices[1], run="<img src=x> **run**")])
    serving = begin(make_study(tmp_path / "study", [line], [question], "[split]\ntrain = 1.0\ndev = 0.0\n"))
    app = look(serving, cell="0-1")
    assert listed(app) == [HOSTILE.replace("\u202e", "⟨U+202E⟩")]
    assert "\u202e" not in everything(app) and "<img" not in html(app)
    assert "y⟨U+202E⟩es" in components(app)["matrix"]["rows"][1][0]["text"]
    assert html_of(HOSTILE) in html(look(serving, cell="0-1", item="1"))


def test_previous_and_next_walk_the_cell_and_note_only_what_was_opened(tmp_path: Path, look: Look) -> None:
    serving = begin(make_study(tmp_path / "study", lines(9), rest="[split]\ntrain = 1.0\ndev = 0.0\n"))
    app = look(serving, cell="0-1", item="1")
    assert "Item 1 of 3" in words(app) and noted(serving.study) == {(1, "verdict"), (1, "votes")}
    app.button(key="go-Next").click().run()
    assert app.query_params["item"] == "4" and "Item 2 of 3" in words(app)
    assert {n for n, _ in noted(serving.study)} == {1, 4}
    app.button(key="go-Previous").click().run()
    assert "Item 1 of 3" in words(app) and app.button(key="go-Previous").disabled
    app.button(key="back").click().run()
    assert "item" not in app.query_params and listed(app) == ["item-000", "item-003", "item-006"]


def test_a_long_list_is_named_and_noted_twenty_at_a_time(tmp_path: Path, look: Look) -> None:
    serving = begin(make_study(tmp_path / "study", lines(75), rest="[split]\ntrain = 1.0\ndev = 0.0\n"))
    app = look(serving, cell="0-0")
    assert len(listed(app)) == 20 and len(noted(serving.study)) == 40
    second = look(serving, cell="0-0", page="2")
    assert len(listed(second)) == 20 and not set(listed(app)) & set(listed(second))
    assert components(second)["items"]["rows"][0][0]["text"] == "21"
    assert len(listed(look(serving, cell="0-0", page="3"))) == 10


def test_the_one_button_lists_all_on_which_they_differ(tmp_path: Path, look: Look) -> None:
    serving = begin(make_study(tmp_path / "study", lines(9), rest="[split]\ntrain = 1.0\ndev = 0.0\n"))
    app = look(serving)
    app.button(key="every-cell").click().run()
    assert listed(app) == ["item-000", "item-003", "item-006"]


def test_a_lead_who_still_labels_is_asked_before_anything_is_named(tmp_path: Path, look: Look) -> None:
    serving = begin(make_study(tmp_path / "study", lines(9), rest="[split]\ntrain = 1.0\ndev = 0.0\n"))
    draw_batch(serving.study, 9)
    with Sitting(serving.study, "lead") as sitting:
        sitting.claim()
        app = look(serving, cell="0-1", labels="imported")
        assert "still labelling in batch-1" in app.warning[0].value.replace("\\", "")
        assert components(app) == {} and noted(serving.study) == set()
        app.button(key="show").click().run()
        assert listed(app) == ["item-000", "item-003", "item-006"]
        # What was named is never given to her again; the rest is.
        assert sorted(sitting.label_all({})) == [f"item-{n:03}" for n in range(9) if n % 3]


def test_an_adjudicated_item_says_so_in_the_list_and_beside_the_item(tmp_path: Path, look: Look) -> None:
    both = [label("ana", A), label("ben", M)]
    line = run_line("r", labels=both, verdicts=[verdict(M)])
    serving = begin(make_study(tmp_path / "study", [line], rest="[split]\ntrain = 1.0\ndev = 0.0\n"))
    assert "No item has both" in words(look(serving))
    with Store.open(serving.study.database) as store:
        decide(store, first_lead(store), 1, serving.asked[0], A, "codebook ambiguous", "the page says <b>so</b>")
    (row,) = components(look(serving, cell="0-1"))["items"]["rows"]
    assert [cell["text"] for cell in row] == ["1", "r", A, M, f"1 {A}, 1 {M}", "codebook ambiguous"]
    told = words(look(serving, cell="0-1", item="1"))
    assert "Adjudicated:  aligned , codebook ambiguous, by lead." in told and "the page says <b>so</b>" in told


def test_an_unreadable_verdict_has_a_column_and_says_why(tmp_path: Path, look: Look) -> None:
    line = run_line("r", labels=[label("ana", A)], verdicts=[{"run": "j", "question": "misaligned", "error": "cut <off>"}])
    serving = begin(make_study(tmp_path / "study", [line], rest="[split]\ntrain = 1.0\ndev = 0.0\n"))
    app = look(serving, cell="0-2")
    assert components(app)["items"]["rows"][0][3]["text"] == "unreadable"
    told = words(look(serving, cell="0-2", item="1"))
    assert "cut <off>" in told and "It gave no rationale" in told


KINDS = Question("kinds", "Which?", "multilabel", ("deceit", "sabotage"))
GRADE = Question("grade", "How bad?", "score", (), min=0.0, max=10.0)


def test_every_type_of_question_has_its_cells(tmp_path: Path, look: Look) -> None:
    said = [{"annotator": "a", "question": "kinds", "choices": ["deceit"]}, {"annotator": "a", "question": "grade", "score": 3}]
    judged = [{"run": "j", "question": "kinds", "choices": ["deceit", "sabotage"]}, {"run": "j", "question": "grade", "score": 8.5}]
    serving = begin(
        make_study(
            tmp_path / "study", [run_line("r", labels=said, verdicts=judged)], [KINDS, GRADE], "[split]\ntrain = 1.0\ndev = 0.0\n"
        )
    )
    app = look(serving, question="kinds", choice="sabotage", cell="0-1")
    assert [cell["text"] for cell in components(app)["items"]["rows"][0]] == ["1", "r", "deceit", "deceit, sabotage", "1 deceit"]
    assert listed(look(serving, question="kinds", choice="deceit", cell="0-1")) == []
    app = look(serving, question="grade", cell="0-2")
    assert [cell["text"] for cell in components(app)["items"]["rows"][0]] == ["1", "r", "3", "8.5", "3"]
    assert "j: judge higher: 1 item" in words(app)
    app.selectbox(key="ask-question").select("kinds").run()
    assert app.query_params["question"] == "kinds" and "cell" not in app.query_params


def test_without_a_verdict_there_is_nothing_to_compare(tmp_path: Path, look: Look) -> None:
    serving = begin(make_study(tmp_path / "study", [run_line("r", labels=[label("ana", A)])]))
    assert "No judge to compare" in words(look(serving))


def test_an_annotator_at_such_an_address_gets_nothing_and_nothing_is_noted(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(serving.study.database) as store:
        ana = ensure_person(store, "ben", lead=False)
        (item, *_) = disagreements(store, serving.study, MISALIGNED.id, 1)
    monkeypatch.setattr(page, "signed_in", lambda _: ana)
    app = AppTest.from_file(str(page.LEAD_PAGES / "disagreements.py"), default_timeout=60)
    app.query_params["cell"], app.query_params["item"] = "0-1", str(item.trajectory)
    app.run()
    assert html(app) == "" and components(app) == {} and noted(serving.study) == set()


# Opening dev and test -------------------------------------------------------------------------------------------------


def test_dev_and_test_are_opened_by_whoever_types_the_name_of_the_study_and_no_other(serving: Serving, look: Look) -> None:
    app = look(serving)
    assert BEFORE in words(app)
    for typed in ("", "mad", "MADE"):
        app = look(serving)
        app.text_input(key="spend-name").set_value(typed)
        app.button(key="spend-now").click().run()
        assert not app.exception and "Nothing was opened" in app.error[0].value
        with Store.open(serving.study.database) as store:
            assert spent(store) is None
    app.text_input(key="spend-name").set_value(" made ")
    app.button(key="spend-now").click().run()
    with Store.open(serving.study.database) as store:
        opened = spent(store)
    assert opened is not None and opened.lead == "lead"
    assert not app.exception and not app.text_input and "were opened by lead" in words(app)


def test_somebody_who_lost_the_role_of_a_lead_meanwhile_opens_nothing(
    serving: Serving, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = look(serving)

    def ana(_: Serving) -> Person:
        with Store.open(serving.study.database) as store:
            return ensure_person(store, "ana-2", lead=False)

    monkeypatch.setattr(page, "signed_in", ana)
    app.text_input(key="spend-name").set_value("made")
    app.button(key="spend-now").click().run()
    with Store.open(serving.study.database) as store:
        assert spent(store) is None
