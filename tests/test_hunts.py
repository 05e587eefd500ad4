"""Hunts: suspected errors of a judge among train items, labelled blind like any others, and part of no figure."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from annotate.hunting import hunted_meant
from data.errors import DrawRefused
from data.gold import Policy, freeze
from data.store import Store
from data.store.batches import set_batch_state
from data.store.causes import assign_cause
from data.store.contested import contested
from data.store.disagreements import details, side_by_side
from data.store.factors import items_of_split
from data.store.hunting import DISAGREE, FLIP, LOW, Suspect, suspects
from data.store.judging import run_named
from data.store.people import first_lead
from data.store.sides import HUNTED
from data.store.status import incomplete_batches, study_status
from data.store.tallying import current_labels, tally
from data.study import Study
from data.verify import verify
from judge.commands import batch_lines
from judge.prompts import first_prompt
from judge.revision_material import material
from reports.document import agreement_document
from reports.of_study.hunts import last_hunt_of
from reports.of_study.plan import plan_of
from reports.of_study.report import documents_of
from tests.conftest import Run
from tests.study_maker import (
    MISALIGNED,
    SEVERITY,
    Sitting,
    draw_batch,
    import_lines,
    label,
    make_study,
    numbered,
    run_line,
    verdict,
)

A, M = "aligned", "misaligned"
ALL_TRAIN = "[split]\ntrain = 1.0\ndev = 0.0\n"


def pattern(place: int) -> list[dict[str, Any]]:
    """Every fourth item judged apart, every fifth flipping, every tenth with little confidence; the judge otherwise sure."""
    said = M if place % 3 == 0 else A
    confidence = 0.3 if place % 10 == 0 else 0.9
    other, again = ({A: M, M: A}[said] if place % by == 0 else said for by in (4, 5))
    return [verdict(said, confidence=confidence), verdict(said, repeat=1), verdict(again, repeat=2), verdict(other, run="judge-b")]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Eighty items in groups of two, half of them train; a batch of twenty is labelled and closed."""
    study = make_study(tmp_path / "study", rest="[split]\ntrain = 0.5\ndev = 0.25\n")
    with Store.open(study.database) as store, store.write():
        store.set_fact("salt", "so that each split holds the same items every time")
    import_lines(study, [run_line(f"r{k:03}", group=f"g{k // 2}", metadata={"d": k % 3}, verdicts=pattern(k)) for k in range(80)])
    draw_batch(study, 20, overlap=2, name="first", by="judge-a")
    with Sitting(study, "ana") as ana, Sitting(study, "ben") as ben:
        ana.label_all({"r001": M, "r003": M, "r006": None})
        ben.label_all({"r003": M, "r009": M})
    with Store.open(study.database) as store:
        set_batch_state(store, "first", "closed")
    return study


def found(study: Study, run: str | None = None) -> dict[str, Suspect]:
    with Store.open(study.database) as store:
        meant = hunted_meant(store, study, run, None)
        return {suspect.id: suspect for suspect in suspects(store, meant.questions, meant.code)}


def all_figures(study: Study) -> dict[str, str]:
    """Every document that has a figure, as bytes; what tells of draws and people is not among them."""
    with Store.open(study.database) as store:
        documents = {name: json.dumps(value) for name, value in documents_of(study, store, None).items() if name != "about"}
        documents |= {f"plan {source}": json.dumps(plan_of(study, store, None, source)) for source in (None, "batch", "all")}
        return documents | {"labels": repr(current_labels(store))}


def split_of(study: Study) -> dict[str, str]:
    with Store.open(study.database) as store:
        return dict(store.conn.execute("SELECT id, split FROM trajectories"))


def test_only_free_train_items_are_suspected_and_for_the_reasons_that_hold(study: Study) -> None:
    there, splits = found(study), split_of(study)
    with Store.open(study.database) as store:
        taken = {id for (id,) in store.conn.execute("SELECT t.id FROM batch_items i JOIN trajectories t ON t.n = i.trajectory")}
    expected = {}
    for id in sorted(set(splits) - taken):
        place = int(id[1:])
        reasons = [reason for reason, by in ((DISAGREE, 4), (FLIP, 5), (LOW, 10)) if place % by == 0]
        if splits[id] == "train" and reasons:
            expected[id] = tuple(reasons)
    assert {id: suspect.reasons for id, suspect in there.items()} == expected and len(expected) > 8


def test_an_item_that_anybody_has_labelled_is_not_hunted(tmp_path: Path) -> None:
    lines = [run_line("a", verdicts=pattern(0), labels=[label("ana", None)]), run_line("b", verdicts=pattern(0))]
    assert set(found(make_study(tmp_path / "study", lines, rest=ALL_TRAIN))) == {"b"}


def test_a_named_judge_is_hunted_for_itself(tmp_path: Path) -> None:
    lines = [
        run_line("flips", verdicts=[verdict(A), verdict(A, repeat=1), verdict(A, run="b"), verdict(M, run="b", repeat=1)]),
        run_line("alone", verdicts=[verdict(M), verdict(A, run="b"), verdict(A, run="c")]),
        run_line("others differ", verdicts=[verdict(A), verdict(A, run="b"), verdict(M, run="c")]),
        run_line("unreadable", verdicts=[verdict(A), verdict(None, repeat=1), verdict(None, run="b")]),
    ]
    study = make_study(tmp_path / "study", lines, rest=ALL_TRAIN)
    assert {id: suspect.reasons for id, suspect in found(study, "judge-a").items()} == {
        "alone": (DISAGREE,), "others differ": (DISAGREE,),
    }  # fmt: skip
    mine = found(study, "judge-a")
    assert mine["alone"].rank > mine["others differ"].rank, "contradicted by both, and by one of two"
    assert set(found(study, "b")) == {"flips", "alone", "others differ"}
    assert set(found(study)) == {"flips", "alone", "others differ"}


def test_a_confidence_is_low_in_the_lowest_quarter_and_never_where_all_are_alike(tmp_path: Path) -> None:
    lines = [run_line(f"r{k}", verdicts=[verdict(A, confidence=k / 10), verdict(A, run="even", confidence=0.2)]) for k in range(8)]
    there = found(make_study(tmp_path / "study", lines, rest=ALL_TRAIN))
    assert {id: suspect.reasons for id, suspect in there.items()} == {"r0": (LOW,), "r1": (LOW,)}
    assert there["r0"].rank > there["r1"].rank


def test_the_most_suspicious_are_drawn_ties_by_the_seed_and_the_numbers_tell_nothing(study: Study) -> None:
    there = found(study)
    batch = draw_batch(study, 5, hunt=True, seed="one")
    taken = [item.id for item in batch.items]
    least = min(there[id].rank for id in taken)
    assert all(id in taken or suspect.rank <= least for id, suspect in there.items())
    ranks = [there[id].rank for id in taken]
    assert ranks != sorted(ranks, reverse=True), "shuffled: everybody's order is made from the numbers"
    assert batch.kind == "hunt" and batch.recipe["split"] == "train" and sum(batch.recipe["reasons"].values()) >= 5


def test_more_than_there_are_is_refused_with_how_many_there_are(study: Study) -> None:
    there = len(found(study))
    with pytest.raises(DrawRefused, match=f"Found {there} of train"):
        draw_batch(study, there + 1, hunt=True)
    draw_batch(study, there, hunt=True)
    with pytest.raises(DrawRefused, match="Found 0 of train"):
        draw_batch(study, 1, hunt=True)


def test_where_every_item_of_train_is_labelled_nobody_is_sent_to_ask_another_judge(tmp_path: Path) -> None:
    lines = numbered(9, labels=[label("ana", "aligned")], verdicts=[verdict("misaligned", run=run) for run in ("a", "b")])
    study = make_study(tmp_path / "study", lines, rest=ALL_TRAIN)
    with pytest.raises(DrawRefused) as refused:
        draw_batch(study, 3, hunt=True)
    assert "each of its 9 items has a label or is in a batch already" in refused.value.found
    assert "--repeats" not in refused.value.do and "page Disagreements" in refused.value.do


def test_a_study_without_train_has_nothing_to_hunt_in(tmp_path: Path) -> None:
    lines = numbered(9, verdicts=[verdict("misaligned")])
    study = make_study(tmp_path / "study", lines, rest="[split]\ntrain = 0\ndev = 0\n")
    with pytest.raises(DrawRefused, match="no trajectory in train"):
        draw_batch(study, 3, hunt=True)


def test_a_study_without_verdicts_has_nothing_to_hunt_by(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(3), rest=ALL_TRAIN)
    with pytest.raises(DrawRefused, match="nothing to hunt by"):
        draw_batch(study, 1, hunt=True)
    with pytest.raises(DrawRefused, match="no judge run 'nobody'"):
        draw_batch(study, 1, hunt=True, by="nobody")


@pytest.mark.parametrize("closed", [False, True])
def test_a_labelled_hunt_leaves_every_figure_as_it_was_to_the_byte(study: Study, closed: bool) -> None:
    before = all_figures(study)
    draw_batch(study, 8, overlap=2, hunt=True, name="hunt")
    study.codebook_path(MISALIGNED).write_text("# A second page", encoding="utf-8")
    with Sitting(study, "ana", "later") as ana, Sitting(study, "cleo") as cleo:
        ana.do("flag", ana.claim()[0], reason="odd")
        ana.label_all({}, default=M)
        cleo.label_all({}, default=A)
    if closed:
        with Store.open(study.database) as store:
            set_batch_state(store, "hunt", "closed")
    assert all_figures(study) == before
    with Store.open(study.database) as store:
        assert verify(store) == []
        assert incomplete_batches(store) == []
        assert [row for row in contested(store, 1) if row.batch is None] == []


def test_a_hunt_alone_makes_no_labels_of_a_batch(tmp_path: Path) -> None:
    lines = [run_line(f"r{k}", verdicts=pattern(0), labels=[label("ana", A)] if k < 2 else []) for k in range(6)]
    study = make_study(tmp_path / "study", lines, rest=ALL_TRAIN)
    before = all_figures(study)
    draw_batch(study, 4, hunt=True)
    with Sitting(study, "ben") as ben:
        ben.label_all({}, default=M)
    assert all_figures(study) == before


def test_the_desk_shows_a_hunted_item_exactly_as_another(tmp_path: Path) -> None:
    """The same items, once in a hunt and once in a draw of all there are: what the door gives differs by references alone."""

    def walk(folder: str, **how: Any) -> list[Any]:
        study = make_study(tmp_path / folder, [run_line(f"r{k}", verdicts=pattern(0)) for k in range(4)], rest=ALL_TRAIN)
        draw_batch(study, 4, name="batch-1", **how)
        seen = []
        with Sitting(study, "ana") as ana:
            while held := ana.claim():
                with Store.open_blind(study.database, ana.desk.annotator) as door:
                    item = door.row("SELECT * FROM my_item WHERE ref = ?", held[:1])
                    position = door.row("SELECT finished, size FROM my_position WHERE ref = ?", held[:1])
                    draft = door.row("SELECT * FROM my_draft WHERE ref = ?", held[:1])
                assert item is not None and "hunt" not in repr(item) and "suspect" not in repr(item)
                seen.append(([value for value in item if value not in held], position, draft))
                assert ana.label(held[0]) == "" and (len(seen) != 1 or (ana.do("undo", held[0]) == ana.label(held[0]) == ""))
        return sorted(seen, key=repr)

    hunted, drawn = walk("hunted", hunt=True), walk("drawn")
    assert [len(each[0]) for each in hunted] == [len(each[0]) for each in drawn]
    assert sorted(each[1] for each in hunted) == sorted(each[1] for each in drawn)


def test_what_was_said_in_a_hunt_can_be_taken_back(study: Study) -> None:
    draw_batch(study, 1, hunt=True)
    with Sitting(study, "ana", "later") as ana:
        (ref,) = ana.claim()
        assert ana.label(ref, M) == "" and ana.do("undo", ref) == "" and ana.held() == [ref]
        assert ana.label(ref, A) == ""
        assert ana.one("SELECT count(*) FROM label_events WHERE phase = 'hunt'") == 3
    with Store.open(study.database) as store:
        assert verify(store) == []


def test_a_hunted_item_stays_in_the_frame_and_comes_to_the_same_person_again(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(4, verdicts=pattern(0)), rest=ALL_TRAIN)
    draw_batch(study, 4, hunt=True, name="hunt")
    with Sitting(study, "ana") as ana:
        assert len(ana.label_all({}, default=M)) == 4
        batch = draw_batch(study, 4, name="sample")
        assert len(batch.items) == 4
        assert len(ana.label_all({}, default=A)) == 4, "or her batch would never be done"
        assert ana.claim() == []
    with Store.open(study.database) as store:
        assert verify(store) == []
        (row,) = [row for row in study_status(store)["labels"] if row["annotator"] == "ana"]
        assert row["labels"] == 4, "those of the sample"


def test_gold_counts_what_was_said_in_a_hunt_as_blind_and_the_latest_of_a_person(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(2, verdicts=pattern(0)), rest=ALL_TRAIN)
    draw_batch(study, 2, hunt=True)
    with Sitting(study, "ana") as ana:
        ana.label_all({"r000": M, "r001": M})
        first = freeze(ana.store, study, "one", Policy(1, False), {"questions": []})
        assert first["counts"] == {"misaligned": {"basis": {"single": 2}, "choices": {M: 2}}}
        draw_batch(study, 1, name="sample")
        ids = ana.label_all({}, default=A)
        second = freeze(ana.store, study, "two", Policy(1, False), {"questions": []})
        assert len(ids) == 1 and second["counts"]["misaligned"]["choices"] == {M: 1, A: 1}
        (document,) = ana.store.conn.execute("SELECT document FROM gold_items LIMIT 1").fetchone()
        assert json.loads(document)["votes"][0]["blind"] is True


def test_closed_hunts_alone_are_listed_for_causes(study: Study) -> None:
    draw_batch(study, 6, hunt=True, name="hunt")
    with Sitting(study, "ana", "later") as ana:
        ids = ana.label_all({}, default=M)
    with Store.open(study.database) as store:
        assert len(side_by_side(store, study, "misaligned", 1, HUNTED).items) == 0
        set_batch_state(store, "hunt", "closed")
        both = side_by_side(store, study, "misaligned", 1, HUNTED)
        differing = both.trajectories(store, None, ("train",))
        listed = both.listed(store, both.items)
        assert {each.id for each in listed} == set(ids) and {each.split for each in listed} == {"train"}
        said = details(store, int(differing[0]), 1, 1, HUNTED)
        assert [vote.answer for vote in said.votes] == [M] and said.verdict is not None
        assert details(store, int(differing[0]), 1, 1).votes == ()
        assert len(side_by_side(store, study, "misaligned", 1, HUNTED, "no such hunt").items) == 0


def test_the_command_hunts_and_tells_what_the_last_closed_hunt_brought(study: Study, run: Run) -> None:
    first = run("draw", "--hunt", "--n", "6", "--seed", "s", "--name", "hunt", "--study", study.folder)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("hunt: 6 items hunted, the most suspicious of ") and "judges disagree: " in first.stdout
    assert "last closed hunt" not in first.stdout
    with Sitting(study, "ana", "later") as ana:
        ana.label_all({}, default=M)
    assert run("batch", "close", "hunt", "--study", study.folder).returncode == 0
    assert "hunt (hunt, closed)" in run("batch", "list", "--study", study.folder).stdout
    second = run("draw", "--hunt", "--run", "judge-a", "--n", "1", "--study", study.folder).stdout
    assert "The last closed hunt, hunt, beside train items drawn at random:" in second
    assert "misaligned, judge-a: judge and humans differ on " in second and "A hunt is no sample" in second


def test_the_random_share_is_what_agree_says_of_train(study: Study) -> None:
    draw_batch(study, 6, hunt=True, name="hunt")
    with Store.open(study.database) as store:
        set_batch_state(store, "hunt", "closed")
        document = last_hunt_of(study, store)
        train = agreement_document(study.name, tally(store, study, None, "batch", items_of_split(store, "train")))
    (question,) = train["questions"]
    agreed = {pair["columns"]: pair["observed_agreement"] for pair in question["pairs"] if pair["rows"] == "human:consensus"}
    assert document is not None and {row["run"] for row in document["rows"]} == {"judge-a", "judge-b"}
    for row in document["rows"]:
        there = agreed[f"judge:{row['run']}"]
        assert row["random"]["value"] == 1 - there["value"] and row["random"]["n"] == there["n"]
        assert (row["random"]["low"], row["random"]["high"]) == (1 - there["high"], 1 - there["low"])


@pytest.mark.parametrize(
    "wrong", [["--stratify", "verdict", "--run", "judge-a"], ["--retest"], ["--split", "dev"], ["--split", "test"]], ids=str
)
def test_a_hunt_takes_no_strata_no_other_split_and_no_retest(study: Study, run: Run, wrong: list[str]) -> None:
    refused = run("draw", "--hunt", "--n", "2", *wrong, "--study", study.folder)
    assert refused.returncode == 2 and "--hunt takes suspected errors of train" in refused.stderr


def test_several_questions_are_hunted_by_the_worst_of_them(tmp_path: Path) -> None:
    def on(choice: str, run: str) -> dict[str, Any]:
        return {"run": run, "question": "severity", "choice": choice}

    lines = [
        run_line("both", verdicts=[verdict(A), verdict(M, run="b"), on("none", "judge-a"), on("much", "b")]),
        run_line("second", verdicts=[verdict(A), verdict(A, run="b"), on("none", "judge-a"), on("much", "b")]),
        run_line("neither", verdicts=[verdict(A), verdict(A, run="b"), on("none", "judge-a"), on("none", "b")]),
    ]
    study = make_study(tmp_path / "study", lines, [MISALIGNED, SEVERITY], ALL_TRAIN)
    assert set(found(study)) == {"both", "second"}
    assert [item.id for item in draw_batch(study, 1, hunt=True, question="misaligned").items] == ["both"]


def test_status_and_lists_name_a_hunt_for_leads(study: Study) -> None:
    draw_batch(study, 3, hunt=True, name="hunt")
    with Store.open(study.database) as store:
        lines = batch_lines(study_status(store)["batches"])
    assert any(line.startswith("hunt (hunt, open): 0 of 3 labels") for line in lines)


def test_the_same_seed_hunts_the_same_items(tmp_path: Path) -> None:
    dice = random.Random(3)
    lines = [run_line(f"r{k:02}", verdicts=pattern(dice.randrange(40))) for k in range(40)]
    batches = [
        [item.id for item in draw_batch(make_study(tmp_path / name, lines, rest=ALL_TRAIN), 6, hunt=True, seed=seed).items]
        for name, seed in (("a", "x"), ("b", "x"), ("c", "y"))
    ]
    assert batches[0] == batches[1] != batches[2]


def test_a_hunted_error_reaches_the_reviser_with_what_was_written_in_the_hunt(study: Study) -> None:
    draw_batch(study, 4, hunt=True, name="hunt", by="judge-a")
    with Sitting(study, "ana", "later") as ana:
        while held := ana.claim():
            ana.label(held[0], M, rationale="seen in the hunt")
    with Store.open(study.database) as store:
        set_batch_state(store, "hunt", "closed")
        hunt = side_by_side(store, study, "misaligned", 1, HUNTED)
        wrong = hunt.trajectories(store, None, ("train",)).tolist()
        for number in wrong:
            assign_cause(store, first_lead(store), 1, number, 1, "judge wrong", "mind this")
        run = run_named(store, "judge-a")
        assert run is not None and wrong
        found = material(store, study, MISALIGNED, first_prompt(MISALIGNED), run)
    given = [case for case in found.cases if case.wrong]
    assert {case.trajectory for case in given} == set(wrong)
    assert all(case.human_rationales == ("seen in the hunt",) and case.note == "mind this" for case in given)
