"""Retests: labelled items go once more, blind and unannounced, to the people who labelled them, and feed no other figure."""

from pathlib import Path
from typing import Any

import pytest

from data.errors import DrawRefused
from data.gold import Policy, freeze
from data.store import Store
from data.store.batches import set_batch_state
from data.store.exposures import record_exposure
from data.store.people import ensure_person, revoke
from data.store.status import incomplete_batches, study_status
from data.store.tallying import current_labels
from data.study import Study
from data.verify import verify
from judge.commands import batch_lines
from reports.of_study.agreement import agreement_of
from tests.study_maker import Sitting, draw_batch, make_study, numbered, verdict

A, M = "aligned", "misaligned"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Eight items: ana labelled all of them, ben the first four."""
    made = make_study(tmp_path / "study", numbered(8, verdicts=[verdict(A)]))
    draw_batch(made, 8, overlap=2, name="first")
    with Sitting(made, "ana") as ana, Sitting(made, "ben") as ben:
        ana.label_all({"r001": M})
        for _ in range(4):
            ben.label(ben.claim()[0])
    with Store.open(made.database) as store:
        set_batch_state(store, "first", "closed")
    return made


def figures(study: Study) -> dict[str, Any]:
    with Store.open(study.database) as store:
        return agreement_of(study, store, None, None)


def phases(study: Study, handle: str) -> dict[str, int]:
    with Store.open(study.database) as store:
        return dict(
            store.conn.execute(
                """SELECT phase, count(*) FROM label_events e JOIN annotators a ON a.code = e.annotator
                   WHERE a.handle = ? GROUP BY phase""",
                [handle],
            )
        )


def test_a_retest_comes_to_the_people_who_labelled_the_item_and_to_nobody_else(study: Study) -> None:
    draw_batch(study, 8, retest=True)
    with Sitting(study, "cleo") as cleo:
        assert cleo.claim() == []
    with Sitting(study, "ben", "later by ben") as ben:
        mine = set(ben.label_all({}))
        labelled = ben.store.conn.execute(
            """SELECT DISTINCT t.id FROM label_events e JOIN trajectories t ON t.n = e.trajectory
               WHERE e.annotator = ? AND e.phase = 'blind'""",
            [ben.desk.annotator],
        )
        assert mine == {row[0] for row in labelled} and len(mine) == 4
    with Sitting(study, "ana", "later") as ana:
        assert len(ana.label_all({})) == 4, "the places that ben left"
    with Store.open(study.database) as store:
        assert verify(store) == []


def test_a_second_answer_is_kept_apart_and_moves_no_figure(study: Study) -> None:
    before = figures(study)
    with Store.open(study.database) as store:
        labels, gold = current_labels(store), freeze(store, study, "g1", Policy(1, False), before)
    draw_batch(study, 8, retest=True)
    with Sitting(study, "ana", "later") as ana:
        ana.label_all({}, default=M)
    assert phases(study, "ana") == {"blind": 8, "retest": 8}
    assert figures(study) == before
    with Store.open(study.database) as store:
        assert current_labels(store) == labels
        again = freeze(store, study, "g2", Policy(1, False), before)
        assert again["counts"] == gold["counts"]


def test_nobody_labels_an_item_a_third_time(study: Study) -> None:
    draw_batch(study, 8, overlap=1, retest=True)
    with Sitting(study, "ana", "later") as ana:
        ana.label_all({})
        assert ana.claim() == []
    with pytest.raises(DrawRefused, match="Found 0 in the study"):
        draw_batch(study, 1, retest=True)


def test_a_retest_can_be_taken_back_and_given_again(study: Study) -> None:
    draw_batch(study, 1, retest=True)
    with Sitting(study, "ana", "later") as ana:
        (ref,) = ana.claim()
        assert ana.label(ref, M) == "" and ana.do("undo", ref) == ""
        assert ana.held() == [ref]
        assert ana.label(ref, A) == ""
    assert phases(study, "ana")["retest"] == 3
    with Store.open(study.database) as store:
        assert verify(store) == []


def test_the_desk_tells_a_retest_by_nothing_but_the_item_itself(study: Study) -> None:
    draw_batch(study, 8, retest=True)
    with Sitting(study, "ana", "later") as ana:
        ref = ana.claim()[0]
        with Store.open_blind(study.database, ana.desk.annotator) as door:
            item = door.row("SELECT * FROM my_item WHERE ref = ?", [ref])
            position = door.row("SELECT finished, size FROM my_position WHERE ref = ?", [ref])
            draft = door.row("SELECT * FROM my_draft WHERE ref = ?", [ref])
        assert item is not None and "retest" not in repr(item)
        assert position == (0, 8)
        assert draft is None, "what she said the first time is not laid before her"


def test_what_a_lead_was_shown_answers_to_is_not_hers_to_repeat(study: Study) -> None:
    with Store.open(study.database) as store:
        ana = ensure_person(store, "ana", lead=False)
        for trajectory in range(1, 9):
            record_exposure(store, ana.code, trajectory, "verdict")
    with pytest.raises(DrawRefused, match="fewer than 5 items to label again"):
        draw_batch(study, 5, retest=True)


def test_items_whose_annotators_have_left_are_not_drawn(study: Study) -> None:
    with Store.open(study.database) as store:
        revoke(store, "ana")
    with pytest.raises(DrawRefused, match="Found 4 in the study"):
        draw_batch(study, 8, retest=True)
    assert len(draw_batch(study, 4, retest=True).items) == 4


def test_an_overlap_of_two_draws_only_what_two_people_have_labelled(study: Study) -> None:
    with pytest.raises(DrawRefused, match="2 people with access labelled blind"):
        draw_batch(study, 5, overlap=2, retest=True)
    batch = draw_batch(study, 4, overlap=2, retest=True)
    assert batch.recipe["design"] == "retest"


def test_status_calls_it_a_retest_and_agree_does_not_wait_for_it(study: Study) -> None:
    draw_batch(study, 3, name="again", retest=True)
    with Store.open(study.database) as store:
        assert any(line.startswith("again (retest, open): 0 of 3 labels") for line in batch_lines(study_status(store)["batches"]))
        assert "again" not in [name for name, _ in incomplete_batches(store)]


def test_the_frame_of_the_next_draw_and_what_was_drawn_before_stay_as_they_were(study: Study) -> None:
    draw_batch(study, 3, retest=True)
    with pytest.raises(DrawRefused, match="Found 0 in the study"):
        draw_batch(study, 1)
