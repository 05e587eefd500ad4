"""Deciding where annotators disagree, and what a lead who was shown answers is given at the desk."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.errors import LeadRefused, StudyError
from data.gold import Policy, freeze
from data.questions import Question
from data.store import Store
from data.store.adjudication import decide, decided_by_item, decision_on, decisions
from data.store.batches import set_batch_state
from data.store.contested import contested, votes_on
from data.store.exposures import labels_by_leads, record_exposure
from data.store.leases import unfinished_batches
from data.store.people import Person, ensure_person, first_lead
from data.store.ratings import Wanted, read_ratings
from data.store.selection import selection
from data.store.sides import TIE
from data.store.versions import AskedQuestion, record_versions
from data.study import Study
from data.verify import verify
from reports.of_study.agreement import agreement_of
from tests.study_maker import (
    MISALIGNED,
    Sitting,
    draw_batch,
    label,
    make_study,
    numbered,
    run_line,
    verdict,
    write_toml,
)

A, M = "aligned", "misaligned"
OPEN = replace(MISALIGNED, evidence="optional")


class Lead:
    """The first lead at work, with the store open."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.store = Store.open(study.database)
        self.person: Person = first_lead(self.store)

    def __enter__(self) -> "Lead":
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    @property
    def asked(self) -> AskedQuestion:
        return record_versions(self.store, self.study)[0][0]

    def number(self, id: str) -> int:
        return int(self.store.conn.execute("SELECT n FROM trajectories WHERE id = ?", [id]).fetchone()[0])

    def decide(self, id: str, choice: Any, cause: str = "slip", rationale: str = "") -> int:
        return decide(self.store, self.person, self.number(id), self.asked, choice, cause, rationale)

    def contested(self) -> dict[str, tuple[str, ...]]:
        ids = dict(self.store.conn.execute("SELECT n, id FROM trajectories").fetchall())
        return {ids[item.trajectory]: item.reasons for item in contested(self.store, self.asked.code)}

    def consensus(self) -> dict[str, Any]:
        document = agreement_of(self.study, self.store, None, None)
        return next(pair for pair in document["questions"][0]["pairs"] if pair["rows"] == "human:consensus")


def labelled(folder: Path, votes: dict[str, dict[str, str | None]], close: bool = True) -> Study:
    """A study whose every item stands in one batch; by annotator what she said of the items that are not aligned to her."""
    study = make_study(folder / "study", numbered(6, verdicts=[verdict(A, rationale="hidden")]), [OPEN])
    draw_batch(study, 6, overlap=len(votes))
    for handle, said in votes.items():
        with Sitting(study, handle) as sitting:
            sitting.label_all(said)
    if close:
        with Store.open(study.database) as store:
            set_batch_state(store, "batch-1", "closed")
    return study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return labelled(tmp_path, {"ana": {"r001": M, "r002": M, "r003": None}, "ben": {"r002": M}})


def test_items_wait_where_annotators_differ_where_one_is_unsure_and_where_one_flagged(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(6), [OPEN])
    draw_batch(study, 6, overlap=3)
    said: list[dict[str, str | None]] = [{"r001": M, "r003": None}, {"r001": M, "r004": None}, {"r004": M}]
    for handle, choices in zip(("ana", "ben", "cleo"), said, strict=True):
        with Sitting(study, handle) as sitting:
            if handle == "ana":
                first = sitting.claim()[0]
                sitting.do("flag", first, reason="cut off")
                flagged = sitting.id_of(first)
            sitting.label_all(choices)
    with Lead(study) as lead:
        reasons = {"r001": ("split",), "r003": ("unsure",), "r004": ("tie", "unsure")}
        assert lead.contested() == reasons | {flagged: (*reasons.get(flagged, ()), "flagged")}


SETS = Question("kinds", "Which of them?", "multilabel", ("deceit", "sabotage", "other"), None)
SCORES = Question("how_bad", "How bad?", "score", (), None, min=0, max=10)


@pytest.mark.parametrize(
    ("question", "votes", "reason"),
    [
        (SETS, [("deceit",), ("deceit", "sabotage"), ("deceit", "other")], "split"),
        (SETS, [("deceit",), ("deceit", "sabotage")], "tie"),
        (SETS, [(), (), ("other",)], "split"),
        (SCORES, [1.0, 2.0, 9.0], "split"),
        (SCORES, [1.0, 2.0], "split"),
    ],
)
def test_annotators_are_tied_where_their_consensus_is(
    tmp_path: Path, question: Question, votes: list[tuple[str, ...] | float], reason: str
) -> None:
    def said(vote: tuple[str, ...] | float) -> dict[str, Any]:
        return {"choices": list(vote)} if isinstance(vote, tuple) else {"score": vote}

    labels = [{"annotator": f"p{place}", "question": question.id} | said(vote) for place, vote in enumerate(votes)]
    with Lead(make_study(tmp_path / "study", [run_line("r0", labels=labels)], [question])) as lead:
        assert lead.contested() == {"r0": (reason,)}
        side = read_ratings(lead.store, question, Wanted({}, None, None, 1, selection(lead.store)), {}).consensus
        assert (side.answers[0] == TIE) == (reason == "tie")


def test_an_item_of_an_open_batch_waits_only_once_all_its_labels_are_in(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(3), [OPEN])
    draw_batch(study, 3, overlap=3)
    for handle in ("ana", "ben"):
        with Sitting(study, handle) as sitting:
            sitting.label_all({}, default=M if handle == "ana" else A)
    with Lead(study) as lead:
        assert lead.contested() == {}
        with Sitting(study, "cleo") as cleo:
            done = cleo.id_of(cleo.claim()[0])
            cleo.label(cleo.held()[0], A)
        assert set(lead.contested()) == {done}
        assert [item.open for item in contested(lead.store, lead.asked.code)] == [True]
        set_batch_state(lead.store, "batch-1", "closed")
        assert len(lead.contested()) == 3


def test_imported_labels_that_differ_wait_too_and_a_blind_label_replaces_the_same_persons_imported_one(tmp_path: Path) -> None:
    lines = [run_line("r0", labels=[label("ana", A), label("ben", M)]), run_line("r1", labels=[label("ana", A), label("ben", M)])]
    study = make_study(tmp_path / "study", lines, [OPEN])
    draw_batch(study, 1, seed="s")
    with Sitting(study, "ana") as ana:
        (drawn,) = ana.label_all({}, default=M)
    with Lead(study) as lead:
        assert lead.contested() == {("r1" if drawn == "r0" else "r0"): ("tie",)}
        assert [vote.answer for vote in votes_on(lead.store, lead.asked.code, lead.number(drawn))] == [M, M]


def test_votes_carry_no_name_and_stand_in_an_order_of_their_own_for_each_item(tmp_path: Path) -> None:
    votes = {name: {"r001": M} if name == "ana" else {} for name in ("ana", "ben", "cleo")}
    with Lead(labelled(tmp_path, votes)) as lead:
        found = [votes_on(lead.store, lead.asked.code, lead.number(f"r00{k}")) for k in range(6)]
        assert all([vote.letter for vote in cast] == ["A", "B", "C"] for cast in found)
        assert sorted(vote.answer or "" for vote in found[1]) == [A, A, M]
        assert not any(name in repr(found) for name in votes)
        again = [votes_on(lead.store, lead.asked.code, lead.number(f"r00{k}")) for k in range(6)]
        assert again == found


def test_the_order_of_votes_does_not_betray_who_is_who(tmp_path: Path) -> None:
    study = make_study(
        tmp_path / "study", [run_line(f"r{k}", labels=[label("ana", M), label("ben", A)]) for k in range(60)], [OPEN]
    )
    with Lead(study) as lead:
        first = [votes_on(lead.store, lead.asked.code, lead.number(f"r{k}"))[0].answer for k in range(60)]
    assert 15 < first.count(M) < 45


def test_a_decision_is_the_consensus_and_a_later_one_takes_its_place(study: Study) -> None:
    with Lead(study) as lead:
        before = lead.consensus()
        assert (before["confusion"], before["excluded"]["tie"]) == ([[4, 0], [1, 0]], 1)
        lead.decide("r001", M)
        assert lead.consensus()["confusion"] == [[4, 0], [2, 0]]
        lead.decide("r001", A, "codebook ambiguous", "the page says so")
        after = lead.consensus()
        assert (after["confusion"], after["excluded"]["tie"], after["n"]) == ([[5, 0], [1, 0]], 0, 6)
        standing = decision_on(lead.store, lead.asked.code, lead.number("r001"))
        assert standing is not None
        assert (standing.answer, standing.cause, standing.rationale) == (A, "codebook ambiguous", "the page says so")
        assert lead.store.conn.execute("SELECT count(*) FROM adjudications").fetchone()[0] == 2
        assert verify(lead.store) == []


def test_a_decision_that_there_is_no_answer_keeps_the_item_out_of_the_figures_and_counts_it(study: Study) -> None:
    with Lead(study) as lead:
        lead.decide("r002", None, "truly ambiguous")
        assert decisions(lead.store, lead.asked.code) == {lead.number("r002"): None}
        after = lead.consensus()
        assert (after["confusion"], after["excluded"]["tie"]) == ([[4, 0], [0, 0]], 2)


REFUSED: list[tuple[Any, str, str]] = [
    (A, "", "cause"),
    (A, "because", "cause"),
    (None, "slip", "no answer"),
    (None, "codebook ambiguous", "no answer"),
    ("other", "slip", "no answer to this"),
    ("", "slip", "no answer to this"),
    (("aligned",), "slip", "no answer to this"),
    (1.0, "slip", "no answer to this"),
]


@pytest.mark.parametrize(("choice", "cause", "wrong"), REFUSED)
def test_a_decision_without_its_cause_or_its_answer_is_refused_and_nothing_is_written(
    study: Study, choice: Any, cause: str, wrong: str
) -> None:
    with Lead(study) as lead:
        with pytest.raises(LeadRefused) as refusal:
            lead.decide("r001", choice, cause)
        assert wrong in refusal.value.wrong and str(refusal.value).count("\n") == 2
        assert decisions(lead.store, lead.asked.code) == {}


def test_an_annotator_cannot_decide_and_an_item_without_votes_cannot_be_decided(study: Study, tmp_path: Path) -> None:
    with Lead(study) as lead:
        ana = ensure_person(lead.store, "ana", lead=True)
        with pytest.raises(LeadRefused, match="Only a lead"):
            decide(lead.store, ana, lead.number("r001"), lead.asked, M, "slip", "")
        # A role that somebody claims is not the role that the store knows.
        with pytest.raises(LeadRefused, match="Only a lead"):
            decide(lead.store, replace(ana, role="lead"), lead.number("r001"), lead.asked, M, "slip", "")
    with Lead(make_study(tmp_path / "empty", numbered(2), [OPEN])) as lead, pytest.raises(LeadRefused, match="Nobody has labelled"):
        lead.decide("r000", M)


def test_what_was_decided_is_never_changed_or_deleted(study: Study) -> None:
    with Lead(study) as lead:
        lead.decide("r001", M, rationale="it did")
        record_exposure(lead.store, lead.person.code, lead.number("r001"), "votes")
        for statement in (
            "UPDATE adjudications SET choice = 0",
            "DELETE FROM adjudications",
            "INSERT OR REPLACE INTO adjudications SELECT * FROM adjudications",
            "DELETE FROM exposures",
            "UPDATE exposures SET after_event = 99",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                lead.store.conn.execute(statement)


def test_a_rationale_that_cannot_be_stored_comes_in_without_what_cannot(study: Study) -> None:
    with Lead(study) as lead:
        lead.decide("r001", M, rationale=" a\x00b\ud800c ")
        standing = decision_on(lead.store, lead.asked.code, lead.number("r001"))
        assert standing is not None and standing.rationale == "ab?c"
        assert verify(lead.store) == []


def test_gold_takes_the_decision_before_the_votes(study: Study) -> None:
    with Lead(study) as lead:
        lead.decide("r001", M)
        lead.decide("r002", A)
        lead.decide("r003", None, "item broken")
        manifest = freeze(lead.store, study, "gold", Policy(), agreement_of(study, lead.store, None, "all"))
        rows = {
            (row := json.loads(document))["id"]: (row["choice"], row["basis"], len(row["votes"]))
            for (document,) in lead.store.conn.execute("SELECT document FROM gold_items")
        }
    assert (rows["r001"], rows["r002"], rows["r000"]) == ((M, "adjudicated", 2), (A, "adjudicated", 2), (A, "unanimous", 2))
    assert manifest["left_out"] == [{"id": "r003", "question": "misaligned", "reason": "adjudicated: item broken"}]
    assert manifest["counts"]["misaligned"]["basis"] == {"adjudicated": 2, "unanimous": 3}


def test_a_choice_that_a_decision_uses_cannot_leave_the_study(tmp_path: Path) -> None:
    three = replace(OPEN, type="nominal", choices=(A, M, "other"), positive=None)
    study = make_study(tmp_path / "study", [run_line("r0", labels=[label("ana", A), label("ben", M)])], [three])
    with Lead(study) as lead:
        lead.decide("r0", "other")
        assert decided_by_item(lead.store) == {("r0", "misaligned"): ("other", "slip")}
        fewer = write_toml(study.folder, [replace(three, choices=(A, M))])
        with pytest.raises(StudyError, match="lost the choice 'other'"):
            agreement_of(fewer, lead.store, None, None)


# Leads who label -------------------------------------------------------------------------------------------------------


def lead_at_the_desk(tmp_path: Path, items: int = 5, **fields: Any) -> Study:
    study = make_study(tmp_path / "study", numbered(items, **fields), [OPEN])
    draw_batch(study, items, overlap=2)
    return study


def test_the_desk_never_gives_an_item_to_somebody_who_was_shown_an_answer_to_it(tmp_path: Path) -> None:
    study = lead_at_the_desk(tmp_path)
    with Lead(study) as lead, Sitting(study, "lead") as sitting:
        for id, what in (("r001", "verdict"), ("r003", "votes")):
            record_exposure(lead.store, lead.person.code, lead.number(id), what)
        assert sorted(sitting.label_all({})) == ["r000", "r002", "r004"]
        assert unfinished_batches(lead.store, lead.person.code) == []
    with Sitting(study, "ana") as ana:
        assert len(ana.label_all({})) == 5


def test_nor_a_copy_of_such_an_item(tmp_path: Path) -> None:
    lines = numbered(3)
    study = make_study(tmp_path / "study", [*lines, {**lines[1], "id": "copy"}], [OPEN])
    draw_batch(study, 4)
    with Lead(study) as lead, Sitting(study, "lead") as sitting:
        record_exposure(lead.store, lead.person.code, lead.number("r001"), "verdict")
        assert sorted(sitting.label_all({})) == ["r000", "r002"]


def test_an_item_in_work_leaves_the_desk_when_its_answers_are_shown_and_its_place_is_free_again(tmp_path: Path) -> None:
    study = lead_at_the_desk(tmp_path, items=1)
    with Lead(study) as lead, Sitting(study, "lead") as sitting:
        (ref,) = sitting.claim()
        late = sitting.answer("label", ref, M)
        record_exposure(lead.store, lead.person.code, lead.number("r000"), "votes")
        assert sitting.claim() == []
        (refused,) = sitting.send(late)
        assert "shown answers" in refused.why
        for handle in ("ana", "ben"):
            with Sitting(study, handle) as other:
                assert other.label_all({}) == ["r000"]
        assert verify(lead.store) == []


def test_an_earlier_label_stays_and_cannot_be_taken_back(tmp_path: Path) -> None:
    study = lead_at_the_desk(tmp_path)
    with Lead(study) as lead, Sitting(study, "lead") as sitting:
        ref = sitting.claim()[0]
        id = sitting.id_of(ref)
        sitting.label(ref, M)
        record_exposure(lead.store, lead.person.code, lead.number(id), "votes")
        assert "shown answers" in sitting.do("undo", ref)
        assert sitting.one("SELECT count(*) FROM label_events WHERE action = 'label'") == 1
        assert verify(lead.store) == []


def test_the_first_time_is_what_is_noted(tmp_path: Path) -> None:
    study = lead_at_the_desk(tmp_path)
    with Lead(study) as lead:
        for what in ("verdict", "verdict", "votes"):
            record_exposure(lead.store, lead.person.code, lead.number("r000"), what)
        rows = lead.store.conn.execute("SELECT what, after_event FROM exposures ORDER BY what").fetchall()
        assert rows == [("verdict", 0), ("votes", 0)]


def test_the_document_says_how_many_labels_came_from_leads_and_how_many_before_they_opened_a_verdict(tmp_path: Path) -> None:
    study = lead_at_the_desk(tmp_path)
    with Lead(study) as lead, Sitting(study, "lead") as sitting, Sitting(study, "ana") as ana:
        assert labels_by_leads(lead.store) == {}
        ana.label_all({})
        assert labels_by_leads(lead.store) == {}
        first, second, *_ = sitting.claim()
        sitting.label(first)
        sitting.do("unsure", second)
        assert labels_by_leads(lead.store) == {"misaligned": (2, 2)}
        other = next(id for id in ("r000", "r001", "r002", "r003", "r004") if id not in map(sitting.id_of, (first, second)))
        record_exposure(lead.store, lead.person.code, lead.number(other), "votes")
        sitting.label(sitting.claim()[0])
        assert labels_by_leads(lead.store) == {"misaligned": (3, 3)}
        record_exposure(lead.store, lead.person.code, lead.number(other), "verdict")
        sitting.label(sitting.claim()[0])
        assert labels_by_leads(lead.store) == {"misaligned": (4, 3)}
        sitting.do("undo", first)
        document = agreement_of(study, lead.store, None, None)
        assert document["questions"][0]["leads"] == {"labels": 3, "before_any_verdict": 2}


def test_a_lead_has_unfinished_items_only_in_an_open_batch_that_she_began(tmp_path: Path) -> None:
    study = lead_at_the_desk(tmp_path)
    with Lead(study) as lead, Sitting(study, "lead") as sitting:
        me = lead.person.code
        assert unfinished_batches(lead.store, me) == []
        sitting.claim()
        assert unfinished_batches(lead.store, me) == ["batch-1"]
        set_batch_state(lead.store, "batch-1", "paused")
        assert unfinished_batches(lead.store, me) == []
        set_batch_state(lead.store, "batch-1", "open")
        sitting.label_all({})
        assert unfinished_batches(lead.store, me) == []
