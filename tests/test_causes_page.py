"""Causes on the disagreements page: taken item by item, counted, and never of an item that may not be seen yet."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from annotate.lead import causing
from annotate.serving import Serving, begin
from data.errors import LeadRefused
from data.store import Store
from data.store.batches import set_batch_state
from data.store.causes import CAUSES, assign_cause, causes_of
from data.store.people import first_lead
from data.store.status import judge_run_codes
from data.store.test_looks import spend
from data.verify import verify
from reports.of_study.disagreements import disagreements_of
from tests.conftest import Run
from tests.study_maker import Sitting, draw_batch, make_study, numbered, run_line, verdict
from tests.test_disagreements_page import HALF, HOSTILE, A, Look, M, components, lines, listed, look, noted, numbers_of
from tests.test_lead_pages import html, words

__all__ = ["look"]
ALL_TRAIN = "[split]\ntrain = 1.0\ndev = 0.0\n"


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """Nine train items, of which the judge differs on the first, fourth and seventh."""
    monkeypatch.setattr(causing, "ONE_PRESS", 0.0)
    return begin(make_study(tmp_path / "study", lines(9), rest=ALL_TRAIN))


def causes(serving: Serving) -> dict[int, str]:
    with Store.open(serving.study.database) as store:
        return {number: cause.cause for number, cause in causes_of(store, 1, 1).items()}


def give(app: AppTest, place: int) -> AppTest:
    app.button(key=f"cause-{place}").click().run()
    assert not app.exception
    return app


def keys(app: AppTest) -> list[Any]:
    return [button.key for button in app.button if str(button.key).startswith("cause-")]


def test_each_button_writes_its_cause_and_walks_on_to_the_next_item_without_one(serving: Serving, look: Look) -> None:
    app = look(serving, cell="0-1", item="1")
    assert keys(app) == [f"cause-{place}" for place in range(1, 6)] and "0 of 3 have a cause" in words(app)
    give(app, 1)
    assert causes(serving) == {1: "judge wrong"} and app.query_params["item"] == "4"
    assert "1 of 3 have a cause" in words(app)
    assert "1 of 3 disagreements have a cause: 1 judge wrong." in words(look(serving))
    app.button(key="go-Next").click().run()
    give(app, 3)
    assert app.query_params["item"] == "4", "round to the one that was left out"
    give(app, 5)
    assert causes(serving) == {1: "judge wrong", 4: "evidence differed", 7: "codebook ambiguous"}
    assert "item" not in app.query_params and len(listed(app)) == 3
    with Store.open(serving.study.database) as store:
        assert verify(store) == []


def test_buttons_have_the_keys_one_to_five(serving: Serving, look: Look) -> None:
    app = look(serving, cell="all", item="1")
    assert [app.button(key=f"cause-{place}").proto.shortcut for place in range(1, 6)] == list("12345")
    assert [app.button(key=f"cause-{place}").label.lower() for place in range(1, 6)] == list(CAUSES)


def test_a_held_key_gives_one_item_a_cause(serving: Serving, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causing, "ONE_PRESS", 3600.0)
    app = look(serving, cell="0-1", item="1")
    for _ in range(3):
        give(app, 1)
    assert causes(serving) == {1: "judge wrong"} and app.query_params["item"] == "4"


def test_the_standing_cause_is_shown_with_its_note_and_another_takes_its_place(serving: Serving, look: Look) -> None:
    app = look(serving, cell="0-1", item="1")
    app.text_input(key="note-1-1-1").input(HOSTILE).run()
    give(app, 2)
    again = look(serving, cell="0-1", item="1")
    assert "Human wrong, says lead" in words(again) and again.text_input(key="note-1-1-1").value == HOSTILE
    assert again.button(key="cause-2").proto.type == "primary" != again.button(key="cause-1").proto.type
    give(again, 1)
    with Store.open(serving.study.database) as store:
        cause = causes_of(store, 1, 1)[1]
        assert (cause.cause, cause.note, cause.lead) == ("judge wrong", HOSTILE, "lead")
        assert store.conn.execute("SELECT count(*) FROM causes").fetchone() == (2,)
    assert "<img" not in html(again)


def test_a_list_can_be_filtered_by_cause(serving: Serving, look: Look) -> None:
    give(look(serving, cell="0-1", item="4"), 1)
    assert listed(look(serving, cell="0-1", cause="1")) == ["item-003"]
    assert listed(look(serving, cell="all", cause="without")) == ["item-000", "item-006"]
    assert listed(look(serving, cell="all", cause="2")) == [] and "None of them passes" in words(
        look(serving, cell="all", cause="2")
    )
    assert len(listed(look(serving, cell="all", cause="nonsense"))) == 3
    app = look(serving, cell="0-1")
    assert [cell["text"] for cell in components(app)["items"]["head"][0]][-1] == "cause"
    assert [row[-1]["text"] for row in components(app)["items"]["rows"]] == ["–", "judge wrong", "–"]
    app.selectbox(key="ask-cause").set_value("1").run()
    assert listed(app) == ["item-003"] and app.query_params["cause"] == "1"


def test_one_button_opens_the_first_item_without_a_cause(serving: Serving, look: Look) -> None:
    give(look(serving, cell="0-1", item="1"), 1)
    app = look(serving, cell="0-1")
    app.button(key="give-causes").click().run()
    assert app.query_params["item"] == "4" and (4, "verdict") in noted(serving.study)


def test_items_on_which_both_agree_or_the_judge_is_unreadable_ask_for_no_cause(tmp_path: Path, look: Look) -> None:
    made = [
        *lines(2),
        run_line("broken", labels=[{"annotator": "ana", "choice": A}], verdicts=[{"run": "judge-a", "error": "cut"}]),
    ]
    serving = begin(make_study(tmp_path / "study", made, rest=ALL_TRAIN))
    assert keys(look(serving, cell="0-0", item="2")) == []
    assert keys(look(serving, cell="0-2", item="3")) == []
    assert keys(look(serving, cell="0-1", item="1")) != []


def test_no_cause_is_asked_while_the_batch_of_an_item_runs(tmp_path: Path, look: Look) -> None:
    study = make_study(tmp_path / "study", numbered(2, verdicts=[verdict(M)]), rest=ALL_TRAIN)
    draw_batch(study, 2, name="<b>first</b>")
    with Sitting(study, "ana") as ana:
        ana.label_all({})
    app = look(begin(study), cell="0-1", item="1")
    assert keys(app) == [] and "is closed" in words(app) and "<b>first" not in html(app)
    with Store.open(study.database) as store:
        with pytest.raises(LeadRefused, match="once an item's batch is closed"):
            assign_cause(store, first_lead(store), 1, 1, 1, "judge wrong")
        set_batch_state(store, "<b>first</b>", "closed")
    assert len(keys(look(begin(study), cell="0-1", item="1"))) == 5


def test_items_of_dev_and_test_take_no_cause_until_they_are_spent(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", lines(60), rest=HALF)
    number = min(numbers_of(study, "test").values())
    with Store.open(study.database) as store:
        lead = first_lead(store)
        with pytest.raises(LeadRefused, match="not shown together with a verdict"):
            assign_cause(store, lead, 1, number, 1, "judge wrong")
        assert causes_of(store, 1, 1) == {}
        spend(store, lead)
        assign_cause(store, lead, 1, number, 1, "judge wrong")
        assert set(causes_of(store, 1, 1)) == {number}


def test_a_cause_that_cannot_be_written_is_said_and_the_item_stays(serving: Serving, look: Look) -> None:
    app = look(serving, cell="0-1", item="1")
    app.text_input(key="note-1-1-1").input("x" * 30_000).run()
    give(app, 1)
    assert causes(serving) == {} and app.query_params["item"] == "1"
    assert any("very long" in error.value for error in app.error)


def test_the_report_tells_the_causes_beside_those_of_adjudication(serving: Serving, run: Run) -> None:
    study = serving.study
    with Store.open(study.database) as store:
        assert disagreements_of(study, store, None, None)["questions"][0]["runs"][0]["judge_causes"] == {}
        for item, cause in ((1, "judge wrong"), (4, "human wrong"), (7, "judge wrong"), (1, "human wrong")):
            assign_cause(store, first_lead(store), 1, item, 1, cause)
        found = disagreements_of(study, store, None, None)
    assert found["questions"][0]["runs"][0]["judge_causes"] == {"human wrong": 2, "judge wrong": 1}
    assert run("report", "--out", study.folder / "r.md", "--study", study.folder).returncode == 0
    text = (study.folder / "r.md").read_text(encoding="utf-8")
    assert (
        "Of 3 of the 3 items of train on which humans and judge differ a lead has said why: 2 human wrong and 1 judge wrong" in text
    )


def test_items_of_closed_hunts_are_shown_marked_and_take_causes(
    tmp_path: Path, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causing, "ONE_PRESS", 0.0)
    made = [*lines(3), *(run_line(f"odd-{k}", verdicts=[verdict(M, rationale="judge's"), verdict(A, run="b")]) for k in range(3))]
    study = make_study(tmp_path / "study", made, rest=ALL_TRAIN)
    draw_batch(study, 3, hunt=True, name="hunt")
    with Sitting(study, "ana") as ana:
        while held := ana.claim():
            ana.label(held[0], A, rationale="what ana wrote")
    app = look(begin(study), labels="hunt", run="judge-a")
    assert "odd-" not in html(app) + words(app) and "closed hunts" not in app.selectbox(key="ask-labels").options
    with Store.open(study.database) as store:
        set_batch_state(store, "hunt", "closed")
    assert "Hunted items" not in words(look(begin(study), cell="all")), "the figures' own matrix stays as it is"
    app = look(begin(study), labels="hunt", run="judge-a", cell="all")
    assert listed(app) == ["odd-0", "odd-1", "odd-2"] and "Hunted items" in words(app) and 'data-rj="hunted"' in html(app)
    item = look(begin(study), labels="hunt", run="judge-a", cell="all", item="4")
    assert "what ana wrote" in words(item) and 'data-rj="hunted"' in html(item)
    give(item, 1)
    assert item.query_params["item"] == "5"
    with Store.open(study.database) as store:
        assert set(causes_of(store, judge_run_codes(store)["judge-a"], 1)) == {4}
