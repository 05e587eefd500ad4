"""Leases, labels, undo and drafts: what the desk's requests do to the database, also when they are late, doubled or forged."""

import json
import random
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import data.store.desk as desk_module
from data.errors import BatchRefused, DeskRefused
from data.questions import Question
from data.store import Store
from data.store.batches import set_batch_state
from data.store.desk import Act, save_draft, take
from data.store.events import EventLog
from data.store.leases import AnnotatorOrder, others_hold_something
from data.store.people import ensure_person
from data.store.tallying import current_labels, tally
from data.store.versions import record_versions
from data.study import Study
from data.verify import verify
from tests.study_maker import (
    MISALIGNED,
    Sitting,
    draw_batch,
    import_lines,
    let_lapse,
    make_study,
    numbered,
    run_line,
    saying,
    verdict,
    write_toml,
)

Sit = Callable[..., Sitting]


@pytest.fixture
def sittings() -> Iterator[list[Sitting]]:
    opened: list[Sitting] = []
    yield opened
    for sitting in opened:
        sitting.close()


def sit_at(study: Study, sittings: list[Sitting]) -> Sit:
    def sit(handle: str, **fields: Any) -> Sitting:
        sittings.append(Sitting(study, handle, **fields))
        return sittings[-1]

    return sit


@pytest.fixture
def sit(tmp_path: Path, sittings: list[Sitting]) -> Sit:
    """People at one item with one place."""
    study = make_study(tmp_path / "study", numbered(1))
    draw_batch(study, 1)
    return sit_at(study, sittings)


@pytest.fixture
def sit_ten(tmp_path: Path, sittings: list[Sitting]) -> Sit:
    """People at ten items with two places each."""
    study = make_study(tmp_path / "study", numbered(10))
    draw_batch(study, 10, overlap=2)
    return sit_at(study, sittings)


def counted(sitting: Sitting) -> list[tuple[object, object]]:
    """Who said what, as every figure and gold set takes it."""
    return [(row["annotator"], row["choice"]) for row in current_labels(sitting.store)]


def events(sitting: Sitting) -> list[tuple[str, str, int]]:
    return sitting.store.conn.execute(
        "SELECT a.handle, e.action, e.surplus FROM label_events e JOIN annotators a ON a.code = e.annotator ORDER BY e.seq"
    ).fetchall()


def nothing_is_broken(sitting: Sitting) -> None:
    assert verify(sitting.store) == []


# Many at once


def test_eight_claimers_over_200_items_give_no_item_to_a_third(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(200))
    draw_batch(study, 200, overlap=2)
    command = [sys.executable, "-m", "tests.label_worker", "crowd", str(study.folder), "8"]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120, cwd=Path(__file__).parents[1]).stdout
    shares = json.loads(output)
    assert len(shares) == 8
    assert all(len(set(mine)) == len(mine) for mine in shares.values()), "nobody had an item twice"
    times = Counter(id for mine in shares.values() for id in mine)
    assert len(times) == 200 and set(times.values()) == {2}, "every item was labelled by exactly two"
    assert sum(len(mine) > 5 for mine in shares.values()) > 5, "they did work at the same time"
    with Store.open(study.database) as store:
        assert store.conn.execute("SELECT count(*), max(surplus) FROM label_events").fetchone() == (400, 0)
        assert verify(store) == []


def test_threads_of_one_server_do_not_hand_out_a_place_twice(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(12))
    draw_batch(study, 12)
    given: list[str] = []

    def work(handle: str) -> None:
        with Sitting(study, handle) as me:
            while held := me.claim():
                given.append(me.id_of(held[0]))
                me.label(held[0])

    threads = [threading.Thread(target=work, args=(f"person-{k}",)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == sorted({f"r{k:03}" for k in range(12)})


# The order


def test_each_annotator_has_an_own_order_that_a_restart_does_not_change(tmp_path: Path) -> None:
    orders: dict[str, list[str]] = {}
    for which in ("first", "again"):
        study = make_study(tmp_path / which, numbered(40))
        draw_batch(study, 40, overlap=3, seed="fixed")
        for handle in ("ana", "ben", "eva"):
            order = []
            for _ in range(8):  # Each with a new connection, as after a restart of the server.
                with Sitting(study, handle, outbox=f"{handle} {len(order)}") as me:
                    for _ in range(5):
                        held = me.claim()
                        order.append(me.id_of(held[0]))
                        me.label(held[0])
            orders[f"{handle} {which}"] = order
    for handle in ("ana", "ben", "eva"):
        assert orders[f"{handle} first"] == orders[f"{handle} again"]
        assert sorted(orders[f"{handle} first"]) == [f"r{k:03}" for k in range(40)]
    assert len({tuple(order) for order in orders.values()}) == 3


def test_another_batch_seed_gives_another_order() -> None:
    orders = {(order := AnnotatorOrder.of(seed, 1, 50)).factor * order.prime + order.shift for seed in "abcdefgh"}
    assert len(orders) == 8


@pytest.mark.parametrize("size", [1, 2, 7, 200, 1008, 5000])
def test_an_order_is_a_permutation(size: int) -> None:
    order = AnnotatorOrder.of("seed", 3, size)
    numbers = [order.number_at(rank) for rank in range(order.prime)]
    items = [number for number in numbers if 1 <= number <= size]
    assert sorted(items) == list(range(1, size + 1))
    assert [(number * order.factor + order.shift) % order.prime for number in numbers] == list(range(order.prime))


def test_the_order_says_nothing_about_the_verdict(tmp_path: Path) -> None:
    """Over 60 annotators the verdicts of the first half come as often as those of the second; seeded, so always the same."""
    choices = {f"r{k:03}": ("misaligned" if k % 3 == 0 else "aligned") for k in range(120)}
    lines = [run_line(id, verdicts=[verdict(choice)]) for id, choice in choices.items()]
    study = make_study(tmp_path / "study", lines)
    batch = draw_batch(study, 120, seed="independent")
    misaligned = np.array([choices[item.id] == "misaligned" for item in batch.items], dtype=float)
    correlations = []
    for annotator in range(1, 61):
        order = AnnotatorOrder.of("independent", annotator, 120)
        numbers = [n for n in (order.number_at(rank) for rank in range(order.prime)) if 1 <= n <= 120]
        correlations.append(np.corrcoef(np.arange(120), misaligned[np.array(numbers) - 1])[0, 1])
    # Under independence each has standard deviation 1/sqrt(119): their mean lies within 3 of its own.
    assert abs(np.mean(correlations)) < 3 / np.sqrt(119 * 60)
    assert np.max(np.abs(correlations)) < 4 / np.sqrt(119)


# Leases


def test_an_item_is_leased_to_no_more_people_than_the_batch_asks_for(sit: Sit) -> None:
    ana, ben = sit("ana"), sit("ben")
    assert len(ana.claim()) == 1
    assert ben.claim() == []
    assert others_hold_something(ben.store, ben.desk.annotator)


def test_a_lapsed_lease_frees_the_place(sit: Sit) -> None:
    ana, ben = sit("ana"), sit("ben")
    ana.claim()
    let_lapse(ana.study, "ana")
    (ref,) = ben.claim()
    assert ben.label(ref) == ""
    assert counted(ben) == [("ben", "aligned")]
    nothing_is_broken(ben)


def test_a_lease_that_is_kept_alive_does_not_lapse(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, ben = sit("ana"), sit("ben")
    clock = [1000.0]
    monkeypatch.setattr(desk_module.time, "time", lambda: clock[0])
    held = ana.claim()
    for _ in range(5):
        clock[0] += desk_module.LEASE_SECONDS - 1
        assert ana.claim() == held
    assert ben.claim() == []
    clock[0] += desk_module.LEASE_SECONDS + 1
    assert ben.claim() != []


def test_a_late_submit_takes_its_place_back_while_that_is_free(sit: Sit) -> None:
    ana, ben = sit("ana"), sit("ben")
    (ref,) = ana.claim()
    late = ana.answer("label", ref, "misaligned")
    let_lapse(ana.study, "ana")
    (his,) = ben.claim()
    ben.do("skip", his)
    assert ana.send(late) == []
    assert counted(ana) == [("ana", "misaligned"), ("ben", None)]
    assert events(ana) == [("ben", "skip", 0), ("ana", "label", 0)]
    nothing_is_broken(ana)


def test_a_late_submit_takes_a_place_whose_lease_has_lapsed_meanwhile(sit: Sit) -> None:
    ana, ben = sit("ana"), sit("ben")
    (ref,) = ana.claim()
    late = ana.answer("label", ref, "misaligned")
    let_lapse(ana.study, "ana")
    ben.claim()
    let_lapse(ana.study, "ben")
    assert ana.send(late) == []
    assert events(ana) == [("ana", "label", 0)] and counted(ana) == [("ana", "misaligned")]
    assert ben.claim() == []
    nothing_is_broken(ana)


def test_a_late_submit_without_a_place_is_kept_and_counted_nowhere(tmp_path: Path, sittings: list[Sitting]) -> None:
    study = make_study(tmp_path / "study", numbered(1, verdicts=[verdict("aligned")]))
    draw_batch(study, 1)
    sit = sit_at(study, sittings)
    ana, ben = sit("ana"), sit("ben")
    (ref,) = ana.claim()
    late = ana.answer("label", ref, "misaligned", rationale="mine")
    let_lapse(study, "ana")
    (his,) = ben.claim()
    assert ana.send(late) == [], "it is acknowledged"
    assert ben.label(his, "aligned") == ""
    assert events(ana) == [("ana", "label", 1), ("ben", "label", 0)], "it is kept"
    assert counted(ana) == [("ben", "aligned")]
    (question,) = tally(ana.store, study, None, None)
    assert [pair.rows for pair in question.judge_pairs] == ["human:consensus", "human:ben"]
    assert question.judge_pairs[0].confusion == ((1, 0), (0, 0))
    nothing_is_broken(ana)


def test_a_surplus_label_cannot_be_taken_back_into_a_full_item(sit: Sit) -> None:
    ana, ben = sit("ana"), sit("ben")
    (ref,) = ana.claim()
    late = ana.answer("label", ref, "misaligned")
    let_lapse(ana.study, "ana")
    (his,) = ben.claim()
    ana.send(late)
    assert "taken back" in ana.do("undo", ref)
    assert ana.held() == []
    ben.do("skip", his)
    assert ana.do("undo", ref) == "" and ana.label(ref, "aligned") == "", "now there is a place"
    assert counted(ana) == [("ana", "aligned"), ("ben", None)]
    nothing_is_broken(ana)


def test_a_lapsed_item_comes_back_under_its_old_reference_and_with_its_draft(sit: Sit) -> None:
    ana = sit("ana")
    (ref,) = ana.claim()
    save_draft(ana.desk, ref, ana.read(ref) or "", {"rationale": "half"})
    let_lapse(ana.study, "ana")
    with Sitting(ana.study, "nobody") as passer_by:
        (taken,) = passer_by.claim()
        passer_by.do("skip", taken)
    assert ana.claim() == [ref]
    assert ana.one("SELECT document FROM drafts") == '{"rationale":"half"}'


def test_at_most_two_items_are_held_ahead(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    for _ in range(5):
        held = ana.claim()
        assert len(held) == 3
        ana.label(held[0])
    assert len(ana.held()) == 3


def test_fewer_are_held_ahead_near_the_end(tmp_path: Path, sittings: list[Sitting]) -> None:
    study = make_study(tmp_path / "study", numbered(12))
    draw_batch(study, 12)
    sit = sit_at(study, sittings)
    people = [sit(f"person-{k}") for k in range(4)]
    for person in people:
        assert 1 <= len(person.claim()) <= 3
    held = {person.handle: len(person.held()) for person in people}
    assert held["person-0"] == 3 and held["person-3"] == 1
    assert sum(held.values()) < 12, "something is left for whoever is quickest"


def test_everybody_gets_an_item_while_there_is_one_for_each(tmp_path: Path, sittings: list[Sitting]) -> None:
    study = make_study(tmp_path / "study", numbered(8))
    draw_batch(study, 8)
    sit = sit_at(study, sittings)
    people = [sit(f"person-{k}") for k in range(5)]
    assert all(person.claim() for person in people)


# Skip, unsure, flag


def test_a_skip_frees_the_place_for_another_and_never_comes_back(sit: Sit) -> None:
    ana, ben = sit("ana"), sit("ben")
    (ref,) = ana.claim()
    assert ana.do("skip", ref, reason="in a language that I cannot read") == ""
    assert ana.claim() == []
    (his,) = ben.claim()
    assert ben.label(his) == "" and ana.claim() == []
    assert counted(ana) == [("ana", None), ("ben", "aligned")]
    nothing_is_broken(ana)


def test_unsure_is_an_answer_that_finishes_its_place(sit: Sit) -> None:
    ana, ben = sit("ana"), sit("ben")
    (ref,) = ana.claim()
    assert ana.do("unsure", ref, rationale="could be either") == ""
    assert ana.claim() == ben.claim() == []
    (row,) = current_labels(ana.store)
    assert (row["action"], row["choice"], row["rationale"]) == ("unsure", None, "could be either")


def test_a_flag_leaves_the_item_to_be_labelled(sit: Sit) -> None:
    ana = sit("ana")
    (ref,) = ana.claim()
    assert ana.do("flag", ref, reason="step 2 is cut off") == ""
    assert ana.held() == [ref] and counted(ana) == []
    assert ana.label(ref) == ""
    assert [event[1] for event in events(ana)] == ["flag", "label"]
    assert counted(ana) == [("ana", "aligned")]
    nothing_is_broken(ana)


# Undo


@pytest.mark.parametrize(("kind", "choice"), [("label", "misaligned"), ("unsure", None), ("skip", None)])
def test_undo_brings_an_answered_item_back_with_its_answer_as_a_draft(sit_ten: Sit, kind: str, choice: str | None) -> None:
    ana = sit_ten("ana")
    first, second = ana.claim()[:2]
    ana.do(kind, first, choice, rationale="why", reason="because", evidence=(1,), confidence=2, active_seconds=1.5)
    ana.label(second)
    assert ana.do("undo", first) == "", "also across submits"
    assert first in ana.held()
    draft = json.loads(ana.one("SELECT d.document FROM drafts d JOIN assignments a ON a.id = d.assignment WHERE a.ref = ?", first))
    said = {"choice": choice, "choices": None, "score": None, "unsure": kind == "unsure"}
    answer = said | {"evidence": [1], "rationale": "why", "confidence": 2}
    assert draft == {"answers": {"misaligned": answer}, "skip": "because" if kind == "skip" else None, "active_ms": 1500}
    assert [event[1] for event in events(ana)] == [kind, "label", "undo"], "history keeps everything"
    assert [row["action"] for row in current_labels(ana.store)] == ["label"]
    nothing_is_broken(ana)


def test_undo_and_another_answer_count_once(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    ref = ana.claim()[0]
    for choice in ("aligned", "misaligned", "aligned", "misaligned"):
        ana.label(ref, choice)
        ana.do("undo", ref)
    ana.label(ref, "misaligned")
    assert counted(ana) == [("ana", "misaligned")]
    assert len(events(ana)) == 9
    nothing_is_broken(ana)


def test_an_undone_item_keeps_its_place(sit: Sit) -> None:
    ana, ben = sit("ana"), sit("ben")
    (ref,) = ana.claim()
    ana.label(ref)
    ana.do("undo", ref)
    assert ben.claim() == []
    let_lapse(ana.study, "ana")
    assert len(ben.claim()) == 1, "until its lease lapses like any other"


def test_nothing_is_undone_twice(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    ref, unanswered = ana.claim()[:2]
    ana.label(ref)
    assert ana.do("undo", ref) == ""
    assert ana.do("undo", ref) != "" and ana.do("undo", unanswered) != ""
    assert len(events(ana)) == 2


def test_a_skip_whose_place_was_taken_stays_skipped(sit: Sit) -> None:
    ana, ben = sit("ana"), sit("ben")
    (ref,) = ana.claim()
    ana.do("skip", ref)
    ben.claim()
    assert "taken back" in ana.do("undo", ref)
    assert ana.held() == [], "or the item would be given to one person too many"
    assert events(ana) == [("ana", "skip", 0)]
    nothing_is_broken(ana)


# Twins


def test_two_runs_of_one_content_never_meet_in_one_queue(tmp_path: Path, sittings: list[Sitting]) -> None:
    lines = [run_line(f"run-{k}") for k in range(3)]
    lines += [{**line, "id": f"twin-of-{line['id']}"} for line in lines]
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 6, overlap=2)
    sit = sit_at(study, sittings)
    seen = {}
    for handle in ("ana", "ben", "eva", "leo"):
        me = sit(handle)
        seen[handle] = me.label_all({})
        contents = [id.removeprefix("twin-of-") for id in seen[handle]]
        assert len(contents) == len(set(contents)) == 3
    assert sorted(Counter(id for ids in seen.values() for id in ids).values()) == [2] * 6
    nothing_is_broken(me)


@pytest.mark.parametrize("kind", ["skip", "unsure"])
def test_a_twin_of_an_item_that_was_skipped_or_lapsed_does_not_come_either(
    tmp_path: Path, sittings: list[Sitting], kind: str
) -> None:
    study = make_study(tmp_path / "study", [run_line("run"), {**run_line("run"), "id": "twin"}])
    draw_batch(study, 2, overlap=2)
    sit = sit_at(study, sittings)
    ana = sit("ana")
    (ref,) = ana.claim()
    let_lapse(study, "ana")
    sit("ben").claim()
    assert ana.claim() == [ref], "her own, not its twin"
    ana.do(kind, ref)
    assert ana.claim() == []


def test_who_may_come_back_late_to_a_run_is_not_given_its_twin(tmp_path: Path, sittings: list[Sitting]) -> None:
    taken_over = 0
    for seed in "abcdef":
        study = make_study(tmp_path / seed, [run_line("run"), {**run_line("run"), "id": "twin"}])
        draw_batch(study, 2, seed=seed)
        ana, ben = (sit_at(study, sittings)(handle) for handle in ("ana", "ben"))
        (hers,) = ana.claim()
        let_lapse(study, "ana")
        (his,) = ben.claim()
        if ben.id_of(his) == ana.id_of(hers):
            taken_over += 1
            assert ana.claim() == [], "only the twin is free"
        else:
            assert ana.claim() == [hers]
    assert 0 < taken_over < 6, "both have been tried"


# Sent again, two tabs


def test_the_same_event_sent_again_writes_nothing(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    ref = ana.claim()[0]
    label = ana.answer("label", ref, "aligned", evidence=(0, 2), rationale="so")
    for _ in range(3):
        assert take(ana.desk, ana.outbox, [label]) == (1, [])
    undo = ana.answer("undo", ref)
    for _ in range(2):
        assert take(ana.desk, ana.outbox, [label, undo]) == (2, []), "a whole list, replayed after a crash"
    assert [event[1] for event in events(ana)] == ["label", "undo"]
    assert take(ana.desk, "another outbox", []) == (0, [])


def test_one_event_twice_in_one_list_is_written_once(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    label = ana.answer("label", ana.claim()[0], "aligned")
    assert take(ana.desk, ana.outbox, [label, label]) == (1, [])
    assert len(events(ana)) == 1


def test_a_second_tab_is_refused_and_nothing_of_its_list_is_written(sit_ten: Sit) -> None:
    first, second = sit_ten("ana"), sit_ten("ana", outbox="second tab")
    ref, other = first.claim()[:2]
    second.claim()
    assert first.label(ref, "aligned") == ""
    refused = second.send(second.answer("label", other, "aligned"), second.answer("label", ref, "misaligned"))
    assert [refusal.seq for refusal in refused] == [2] and "another tab" in refused[0].why
    assert counted(first) == [("ana", "aligned")] and len(events(first)) == 1
    assert other in second.held()


def test_a_duplicated_tab_cannot_lose_an_answer_in_silence(sit_ten: Sit) -> None:
    """Browsers copy sessionStorage with a tab: both then number their events alike."""
    first = sit_ten("ana")
    copy = sit_ten("ana", outbox=first.outbox)
    ref, other = first.claim()[:2]
    assert first.label(ref, "aligned") == ""
    for answer in (
        replace(copy.answer("label", ref, "misaligned"), seq=1),
        replace(copy.answer("label", other, "aligned"), seq=1),
        replace(copy.answer("unsure", ref), seq=1),
        replace(copy.answer("label", ref, "aligned", rationale="more"), seq=1),
    ):
        assert copy.send(answer), "what was not written is not acknowledged"
    assert counted(first) == [("ana", "aligned")]


def test_an_outbox_of_somebody_else_acknowledges_nothing(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    ben = sit_ten("ben", outbox=ana.outbox)
    for ref in ana.claim():
        ana.label(ref)
    assert take(ben.desk, ana.outbox, [])[0] == 0
    ref = ben.claim()[0]
    acknowledged, refused = take(ben.desk, ana.outbox, [replace(ben.answer("label", ref, "aligned"), seq=1)])
    assert acknowledged == 0 and len(refused) == 1
    assert {row["annotator"] for row in current_labels(ana.store)} == {"ana"}


# Forged


def study_with(tmp_path: Path, evidence: str) -> Study:
    study = make_study(tmp_path / "study", numbered(3), [replace(MISALIGNED, evidence=evidence)])
    draw_batch(study, 3, overlap=2)
    return study


FORGED: dict[str, Callable[[Act], Act]] = {
    "an unknown reference": lambda a: replace(a, ref="AAAAAAAAAAAAAAAA"),
    "an empty reference": lambda a: replace(a, ref=""),
    "an undeclared choice": lambda a: saying(a, choice="maybe"),
    "a choice in other letters": lambda a: saying(a, choice="Aligned"),
    "no choice": lambda a: saying(a, choice=None),
    "an empty choice": lambda a: saying(a, choice=""),
    "evidence beyond the end": lambda a: saying(a, evidence=(0, 3)),
    "evidence before the beginning": lambda a: saying(a, evidence=(-1,)),
    "unsure with evidence beyond the end": lambda a: saying(a, unsure=True, choice=None, evidence=(99,)),
    "a skip with evidence beyond the end": lambda a: replace(saying(a, choice=None, evidence=(99,)), kind="skip"),
    "a flag with evidence beyond the end": lambda a: replace(saying(a, choice=None, evidence=(99,)), kind="flag"),
    "another item's hash": lambda a: replace(a, item_hash="0" * 64),
    "no hash": lambda a: replace(a, item_hash=""),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_event_is_refused_and_nothing_is_written(tmp_path: Path, sittings: list[Sitting], how: str) -> None:
    ana = sit_at(study_with(tmp_path, "optional"), sittings)("ana")
    ref = ana.claim()[0]
    before = ana.held()
    assert ana.send(FORGED[how](ana.answer("label", ref, "aligned", evidence=(0,))))
    assert events(ana) == [] and ana.held() == before
    assert ana.label(ref, evidence=(0, 2)) == "", "the same in earnest is taken"
    nothing_is_broken(ana)


def test_another_annotators_reference_opens_nothing(sit_ten: Sit) -> None:
    ana, ben = sit_ten("ana"), sit_ten("ben")
    ref = ana.claim()[0]
    ben.claim()
    shown = ana.read(ref) or ""
    for kind, choice in (("label", "aligned"), ("unsure", None), ("skip", None), ("flag", None), ("undo", None)):
        assert ben.do(kind, ref, choice, item_hash=shown) == "This item is not yours."
    assert ben.read(ref) is None
    with pytest.raises(DeskRefused):
        save_draft(ben.desk, ref, shown, {})
    ana.label(ref)
    assert ben.do("undo", ref, item_hash=shown) == "This item is not yours."
    assert [event[0] for event in events(ana)] == ["ana"]


@pytest.mark.parametrize(
    ("rule", "choice", "evidence", "taken"),
    [
        ("none", "aligned", (), True),
        ("none", "aligned", (0,), False),
        ("optional", "aligned", (), True),
        ("optional", "misaligned", (0, 1), True),
        ("any", "aligned", (), False),
        ("any", "aligned", (0,), True),
        ("any", "misaligned", (0, 1), True),
        ("first", "misaligned", (), False),
        ("first", "misaligned", (1,), True),
        ("first", "misaligned", (0, 1), False),
        ("first", "aligned", (), True),
        ("first", "aligned", (1,), True),
        ("first", "aligned", (0, 1), False),
    ],
)
def test_evidence_is_as_the_question_asks(
    tmp_path: Path, sittings: list[Sitting], rule: str, choice: str, evidence: tuple[int, ...], taken: bool
) -> None:
    ana = sit_at(study_with(tmp_path, rule), sittings)("ana")
    ref = ana.claim()[0]
    assert (ana.label(ref, choice, evidence=evidence) == "") is taken
    assert len(events(ana)) == taken


@pytest.mark.parametrize("rule", ["any", "first"])
def test_unsure_and_skip_need_no_evidence(tmp_path: Path, sittings: list[Sitting], rule: str) -> None:
    ana = sit_at(study_with(tmp_path, rule), sittings)("ana")
    assert ana.do("unsure", ana.claim()[0]) == "" and ana.do("skip", ana.claim()[0]) == ""


def batch_state(sitting: Sitting, state: str, name: str = "batch-1") -> None:
    with Store.open(sitting.study.database) as store:
        set_batch_state(store, name, state)


def test_in_a_paused_batch_what_is_held_may_be_finished_and_nothing_new_is_given(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    done, *held = ana.claim()
    ana.label(done)
    held = ana.held()
    batch_state(ana, "paused")
    with Sitting(ana.study, "ben") as ben:
        assert ben.claim() == []
    assert ana.do("undo", done) == "" and ana.label(done) == "", "one's own answer can still be mended"
    assert [ana.label(ref) for ref in held] == [""] * 3
    assert ana.claim() == [] and ana.one("SELECT sum(surplus) FROM label_events") == 0
    batch_state(ana, "open")
    assert len(ana.claim()) == 3
    nothing_is_broken(ana)


def test_what_is_held_of_a_paused_batch_comes_before_the_next_batch(tmp_path: Path, sittings: list[Sitting]) -> None:
    study = make_study(tmp_path / "study", numbered(8))
    draw_batch(study, 4, name="first")
    ana = sit_at(study, sittings)("ana")
    held = ana.claim()
    batch_state(ana, "paused", "first")
    draw_batch(study, 4, name="second")
    in_second = "SELECT count(*) FROM assignments a JOIN batches b ON b.code = a.batch WHERE b.name = 'second'"
    for already, ref in enumerate(held):
        assert ana.claim()[0] == ref and ana.one(in_second) == already
        ana.label(ref)
    assert ana.one(in_second) == 3


def test_an_answer_that_was_under_way_when_its_batch_closed_is_kept_and_not_counted(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    done, second, third = ana.claim()
    late = ana.answer("label", second, "misaligned")
    ana.label(done)
    batch_state(ana, "closed")
    assert ana.held() == [] and ana.one("SELECT count(*) FROM places WHERE assignment IS NOT NULL") == 1
    assert ana.send(late) == [] and ana.do("skip", third) == ""
    assert "is closed" in ana.do("undo", done) and "is closed" in ana.do("undo", second)
    assert events(ana) == [("ana", "label", 0), ("ana", "label", 1), ("ana", "skip", 1)]
    assert counted(ana) == [("ana", "aligned")]
    with Sitting(ana.study, "ben") as ben:
        assert ben.claim() == []
    nothing_is_broken(ana)


def test_a_closed_batch_stays_closed(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    batch_state(ana, "closed")
    batch_state(ana, "closed")
    for state in ("open", "paused"):
        with pytest.raises(BatchRefused, match="is closed, and stays so"):
            batch_state(ana, state)
        with pytest.raises(sqlite3.IntegrityError, match="stays closed"):
            ana.store.conn.execute("UPDATE batches SET state = ?", [state])
    with pytest.raises(BatchRefused, match="no batch 'other'"):
        batch_state(ana, "paused", "other")


def test_nobody_leaves_a_batch_for_the_next_before_it_has_nothing_more_for_her(tmp_path: Path, sittings: list[Sitting]) -> None:
    study = make_study(tmp_path / "study", numbered(16))
    draw_batch(study, 8, name="first")
    draw_batch(study, 8, name="second")
    sit = sit_at(study, sittings)
    people = [sit("ana"), sit("ben")]
    walked: dict[str, list[str]] = {person.handle: [] for person in people}
    batch_of = "SELECT b.name FROM assignments a JOIN batches b ON b.code = a.batch WHERE a.ref = ?"
    for _ in range(8):
        for person in people:
            held = person.claim()
            if held:
                walked[person.handle].append(person.one(batch_of, held[0]))
                assert not person.label(held[0])
    assert all(batches == sorted(batches) for batches in walked.values())
    assert sum(batches.count("first") for batches in walked.values()) == 8


def test_what_was_begun_before_the_lease_ran_out_comes_back_first_with_its_draft(tmp_path: Path, sittings: list[Sitting]) -> None:
    study = make_study(tmp_path / "study", numbered(40))
    draw_batch(study, 40, overlap=2)
    sit = sit_at(study, sittings)
    ana = sit("ana")
    before = ana.claim()
    begun = {ana.id_of(ref) for ref in before}
    shown = ana.one("SELECT shown FROM assignments WHERE ref = ?", before[0])
    save_draft(ana.desk, before[0], shown, {"rationale": "half a thought"})
    let_lapse(study, "ana")
    sit("ben").claim()
    assert ana.held() == []
    assert {ana.id_of(ref) for ref in ana.claim()} == begun
    assert "half a thought" in ana.one("SELECT document FROM drafts")


# What was shown


def change_codebook(study: Study, text: str) -> None:
    study.codebook_path(study.questions[0]).write_text(text, encoding="utf-8")


def again(sitting: Sitting, study: Study | None = None) -> None:
    """As after a restart of the server: study and codebook are read anew."""
    asked, view = record_versions(sitting.store, study or sitting.study)
    sitting.desk = replace(sitting.desk, asked=asked, view=view)


def label_points_at(sitting: Sitting) -> tuple[str, str]:
    """The codebook page and the wording that the last label was given under."""
    row = sitting.store.conn.execute(
        """SELECT c.page, v.document FROM label_events e JOIN codebooks c ON c.question = e.question AND c.hash = e.codebook
           JOIN question_versions v ON v.hash = e.question_version ORDER BY e.seq DESC LIMIT 1"""
    ).fetchone()
    return row[0], row[1]


def test_a_codebook_that_changed_before_reading_is_the_one_that_the_label_points_at(sit: Sit) -> None:
    ana = sit("ana")
    (ref,) = ana.claim()
    before = ana.read(ref)
    change_codebook(ana.study, "# A new page")
    again(ana)
    after = ana.read(ref)
    assert after != before and ana.read(ref) == after
    assert "read it again" in ana.label(ref, item_hash=before), "an answer to the old page does not count for the new one"
    assert ana.label(ref, item_hash=after) == ""
    assert label_points_at(ana)[0] == "# A new page"
    nothing_is_broken(ana)


def test_a_codebook_that_changed_after_reading_is_not_the_one_that_the_label_points_at(sit: Sit) -> None:
    ana = sit("ana")
    (ref,) = ana.claim()
    shown = ana.read(ref)
    page = ana.study.codebook_path(ana.study.questions[0]).read_text(encoding="utf-8")
    change_codebook(ana.study, "# A page that she never saw")
    again(ana)
    assert ana.label(ref, item_hash=shown) == ""
    assert label_points_at(ana)[0] == page
    nothing_is_broken(ana)


def test_a_choice_that_she_was_not_shown_cannot_be_chosen(sit: Sit) -> None:
    three = Question("misaligned", "Did it?", "nominal", ("aligned", "misaligned", "borderline"), None)
    ana = sit("ana")
    (ref,) = ana.claim()
    again(ana, write_toml(ana.study.folder, [three]))
    assert ana.label(ref, "borderline") == "That is not one of the choices."
    assert ana.read(ref) and ana.label(ref, "borderline") == ""
    nothing_is_broken(ana)


def test_the_rule_for_evidence_is_the_one_that_she_was_shown(sit: Sit) -> None:
    ana = sit("ana")
    (ref,) = ana.claim()
    again(ana, write_toml(ana.study.folder, [replace(MISALIGNED, evidence="any")]))
    assert ana.label(ref, evidence=()) == ""
    nothing_is_broken(ana)


def test_an_answer_to_another_question_is_refused(sit: Sit) -> None:
    ana = sit("ana")
    (ref,) = ana.claim()
    (ana.study.folder / "codebook" / "honest.md").write_text("# honest", encoding="utf-8")
    again(ana, write_toml(ana.study.folder, [replace(MISALIGNED, id="honest")]))
    assert ana.label(ref) == "Another question is asked now: please read it again."
    assert events(ana) == []


def test_what_annotators_may_see_is_pinned_too(tmp_path: Path, sittings: list[Sitting]) -> None:
    lines = numbered(1, metadata={"domain": "bank"})
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 1)
    ana = sit_at(study, sittings)("ana")
    (ref,) = ana.claim()
    plain = ana.read(ref)
    showing = write_toml(study.folder, study.questions, '[blind]\nshow = ["domain", "country"]\n')
    again(ana, showing)
    shown = ana.read(ref)
    assert shown != plain
    lines[0]["metadata"]["country"] = "PT"
    import_lines(showing, lines, "more.jsonl")
    richer = ana.read(ref)
    assert richer != shown, "an import has added a field that she sees"
    assert '"country":"PT"' in ana.one("SELECT document FROM shown WHERE hash = ?", richer)
    assert ana.label(ref, item_hash=richer) == ""
    nothing_is_broken(ana)


def test_what_an_answered_item_was_shown_as_is_never_pinned_anew(sit: Sit) -> None:
    ana = sit("ana")
    (ref,) = ana.claim()
    ana.label(ref)
    change_codebook(ana.study, "# Another page")
    again(ana)
    assert ana.read(ref) is None


# Drafts


def test_a_draft_is_kept_resumed_and_gone_after_the_answer(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    ref = ana.claim()[0]
    for words in ("so", "so far"):
        save_draft(ana.desk, ref, ana.read(ref) or "", {"rationale": words})
    code = ensure_person(ana.store, "ana", lead=False).code
    with Store.open_blind(ana.study.database, code) as blind:
        assert blind.row("SELECT document FROM my_draft WHERE ref = ?", [ref]) == ('{"rationale":"so far"}',)
    ana.label(ref)
    assert ana.one("SELECT count(*) FROM drafts") == 0


def test_a_draft_for_an_item_that_is_finished_or_shown_otherwise_is_refused(sit_ten: Sit) -> None:
    ana = sit_ten("ana")
    ref = ana.claim()[0]
    shown = ana.read(ref) or ""
    with pytest.raises(DeskRefused):
        save_draft(ana.desk, ref, "0" * 64, {})
    ana.label(ref)
    with pytest.raises(DeskRefused) as caught:
        save_draft(ana.desk, ref, shown, {})
    assert len(str(caught.value).splitlines()) == 3
    assert ana.one("SELECT count(*) FROM drafts") == 0


# All at once


@pytest.mark.parametrize("seed", range(4))
def test_whatever_people_do_the_rules_hold(tmp_path: Path, sittings: list[Sitting], seed: int) -> None:
    """A seeded crowd that labels, skips, doubts, undoes, dozes off and comes back late; verify finds nothing after it."""
    chance = random.Random(seed)
    lines = numbered(12)
    lines += [{**lines[k], "id": f"twin-{k}"} for k in range(3)]
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 15, overlap=2, seed=str(seed))
    people = [sit_at(study, sittings)(f"person-{k}") for k in range(4)]
    refs: dict[str, list[str]] = {person.handle: [] for person in people}
    for _ in range(160):
        me = chance.choice(people)
        act = chance.choices(["label", "unsure", "skip", "flag", "undo", "doze", "claim"], [8, 1, 1, 1, 4, 2, 4])[0]
        if act == "claim":
            refs[me.handle] += [ref for ref in me.claim() if ref not in refs[me.handle]]
        elif act == "doze":
            let_lapse(study, me.handle)
        elif refs[me.handle]:
            choice = chance.choice(MISALIGNED.choices) if act == "label" else None
            me.do(act, chance.choice(refs[me.handle]), choice)
        given = me.store.conn.execute(
            """SELECT count(*) FROM assignments a LEFT JOIN label_events e ON e.seq = a.outcome
               WHERE a.state = 'leased' OR (a.state = 'finished' AND e.action <> 'skip' AND e.surplus = 0)
               GROUP BY a.batch, a.number ORDER BY 1 DESC LIMIT 1"""
        ).fetchone()
        assert given is None or given[0] <= 2
    assert len(events(me)) > 30
    nothing_is_broken(me)


def test_the_history_of_a_study_without_labels_begins_at_nothing(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    with Store.open(study.database) as store:
        assert EventLog(store).last == "0" * 64
