"""What of a study reaches the reviser: train items with the cause “judge wrong”, with what both sides said."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from data.errors import RejudgeError
from data.store import Store
from data.store.causes import assign_cause
from data.store.judging import run_named
from data.store.people import ensure_person
from data.store.status import question_codes
from data.study import Study
from judge.prompts import first_prompt
from judge.reviser import Material, messages
from judge.revision_material import BYTES_A_TOKEN, RECORD_TOKENS, material
from tests.study_maker import KIND, MISALIGNED, import_lines, label, make_study, run_line, verdict
from tests.two_prompts import with_salt

ITEMS = 160
TRAIN = "[split]\ntrain = 0.75\ndev = 0.1\n"


def truth(place: int) -> str:
    return "misaligned" if place % 2 else "aligned"


def judged(folder: Path, long: str = "") -> Study:
    """A judge that is wrong on every fourth item, on three times as many aligned as misaligned ones."""
    lines = []
    for place in range(ITEMS):
        wrong = place % 8 in (0, 2, 4, 5)
        other = "aligned" if place % 2 else "misaligned"
        said = verdict(other if wrong else truth(place), rationale=f"judge on {place}")
        why = {} if place % 9 == 0 else {"rationale": f"human on {place}"}
        line = run_line(f"r{place:03}", verdicts=[said], labels=[label("ana", truth(place), **why)])
        line["steps"][2]["text"] = f"done{long} {place}"
        lines.append(line)
    return import_lines(with_salt(make_study(folder, rest=TRAIN)), lines)


def blame(study: Study, cause: str, which: range, **fields: Any) -> None:
    """The same cause for all train items among `which`."""
    with Store.open(study.database) as store:
        lead = ensure_person(store, "lead", lead=True)
        run = run_named(store, "judge-a")
        assert run is not None
        for n, id in store.conn.execute("SELECT n, id FROM trajectories WHERE split = 'train' ORDER BY n").fetchall():
            if int(id[1:]) in which:
                assign_cause(store, lead, run.code, n, question_codes(store)["misaligned"], cause, **fields)


def given(study: Study) -> Material:
    with Store.open(study.database) as store:
        run = run_named(store, "judge-a")
        assert run is not None
        return material(store, study, MISALIGNED, first_prompt(MISALIGNED), run)


def test_twelve_disagreements_from_both_directions_and_four_agreements_all_of_train(tmp_path: Path) -> None:
    study = judged(tmp_path / "study")
    blame(study, "judge wrong", range(ITEMS))
    found = given(study)
    wrong = [case for case in found.cases if case.wrong]
    assert Counter((case.human, case.judge) for case in wrong) == {("aligned", "misaligned"): 6, ("misaligned", "aligned"): 6}
    assert Counter(case.human for case in found.cases if not case.wrong) == {"aligned": 2, "misaligned": 2}
    assert {case.split for case in found.cases} == {"train"}
    with Store.open(study.database) as store:
        train = {n for (n,) in store.conn.execute("SELECT n FROM trajectories WHERE split = 'train'")}
    assert {case.trajectory for case in found.cases} <= train


def test_no_word_of_a_dev_or_test_item_is_sent(tmp_path: Path) -> None:
    study = judged(tmp_path / "study")
    blame(study, "judge wrong", range(ITEMS))
    text = messages(given(study))[1]["content"]
    with Store.open(study.database) as store:
        aside = [id for (id,) in store.conn.execute("SELECT id FROM trajectories WHERE split <> 'train'")]
        train = [id for (id,) in store.conn.execute("SELECT id FROM trajectories WHERE split = 'train'")]
    assert len(aside) > 10
    assert not [id for id in aside if f"Please do {id}." in text or f"human on {int(id[1:])}\n" in text]
    assert sum(f"Please do {id}." in text for id in train) == 16


def test_both_rationales_and_the_leads_note_are_given_and_items_with_a_human_rationale_come_first(tmp_path: Path) -> None:
    study = judged(tmp_path / "study")
    blame(study, "judge wrong", range(ITEMS), note="mind the second rule")
    with Store.open(study.database) as store:
        places = {n: int(id[1:]) for n, id in store.conn.execute("SELECT n, id FROM trajectories")}
    for case in given(study).cases:
        place = places[case.trajectory]
        assert case.human_rationales == (f"human on {place}",)
        assert case.judge_rationale == f"judge on {place}"
        assert case.note == ("mind the second rule" if case.wrong else "")
        assert f"Please do r{place:03}." in case.record
        assert case.record.startswith(f"Task: Task r{place:03}\n[0] message (user): ")


def test_only_what_a_lead_held_the_judge_to_be_wrong_on_drives_the_prompt(tmp_path: Path) -> None:
    study = judged(tmp_path / "study")
    with pytest.raises(RejudgeError, match="nothing to revise the prompt by"):
        given(study)
    blame(study, "codebook ambiguous", range(ITEMS))
    with pytest.raises(RejudgeError, match="cause “judge wrong”"):
        given(study)
    blame(study, "judge wrong", range(24))
    some = [case for case in given(study).cases if case.wrong]
    assert 0 < len(some) < 12
    with Store.open(study.database) as store:
        assert all(
            store.conn.execute("SELECT id FROM trajectories WHERE n = ?", [c.trajectory]).fetchone()[0] < "r024" for c in some
        )


def test_long_records_share_the_room_there_is_and_are_cut_with_a_mark(tmp_path: Path) -> None:
    study = judged(tmp_path / "study", " word" * 9_000)
    blame(study, "judge wrong", range(ITEMS))
    found = given(study)
    room = RECORD_TOKENS * BYTES_A_TOKEN
    assert room * 0.8 < sum(len(case.record) for case in found.cases) < room * 1.05
    assert all("characters cut" in case.record for case in found.cases)
    assert all(len(case.whole) > 40_000 for case in found.cases)


def test_every_cell_of_several_choices_has_its_turn(tmp_path: Path) -> None:
    choices = ("deceit", "sabotage", "other")
    lines = [
        run_line(
            f"r{place:03}",
            verdicts=[{"run": "judge-a", "question": "kind", "choice": choices[place // 3 % 3]}],
            labels=[label("ana", choices[place % 3]) | {"question": "kind"}],
        )
        for place in range(90)
    ]
    study = make_study(tmp_path / "study", lines, [KIND], "[split]\ntrain = 1.0\ndev = 0.0\n")
    with Store.open(study.database) as store:
        lead, run = ensure_person(store, "lead", lead=True), run_named(store, "judge-a")
        assert run is not None
        for n in range(1, 91):
            assign_cause(store, lead, run.code, n, question_codes(store)["kind"], "judge wrong")
        found = material(store, study, KIND, first_prompt(KIND), run)
    cells = Counter((case.human, case.judge) for case in found.cases if case.wrong)
    assert len(cells) == 6
    assert set(cells.values()) == {2}
