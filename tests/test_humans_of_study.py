"""The human side of studies with people whose ways are known: the counts of the store and the document of their figures."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from data.answering import Answer
from data.questions import Question, When
from data.store import Store
from data.store.batches import set_batch_state
from data.store.human_side import human_side
from data.study import Study
from reports.agreement import kappa
from reports.of_study.agreement import agreement_of
from reports.of_study.humans import humans_of
from tests.people_at_work import Worker, at_work, sit_down
from tests.study_maker import MISALIGNED, Sitting, draw_batch, label, make_study, numbered, run_line, verdict

A, M = "aligned", "misaligned"


def told(study: Study, labels: str | None = None) -> dict[str, Any]:
    with Store.open(study.database) as store:
        return humans_of(study, store, None, labels)


def asked(study: Study, labels: str | None = None) -> dict[str, Any]:
    question: dict[str, Any] = told(study, labels)["questions"][0]
    return question


# Studies whose people's ways are known --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Ana and ben are careful, cleo is careless, dora tires."""
    with pytest.MonkeyPatch.context() as clock:
        workers = [Worker("ana", 0.05), Worker("ben", 0.05, seconds=120), Worker("cleo", 0.35), Worker("dora", 0.02, tires=0.5)]
        return at_work(tmp_path_factory.mktemp("known") / "study", clock, workers, 120)


def test_a_careless_annotator_stands_out_against_the_rest(known: Study) -> None:
    question = asked(known)
    rest = {pair["annotator"]: pair for pair in question["against_rest"]}
    assert list(rest) == question["annotators"] == ["ana", "ben", "cleo", "dora"]
    assert min(rest, key=lambda name: rest[name]["kappa"]["value"]) == "cleo"
    assert rest["cleo"]["observed_agreement"]["high"] < rest["ana"]["observed_agreement"]["value"]
    with_her = [pair["kappa"]["value"] for pair in question["pairs"] if "human:cleo" in (pair["rows"], pair["columns"])]
    without = [pair["kappa"]["value"] for pair in question["pairs"] if "human:cleo" not in (pair["rows"], pair["columns"])]
    assert len(with_her) == 3 and max(with_her) < min(without)


def test_a_tiring_annotator_is_found_by_her_sessions_and_nobody_else_is(known: Study) -> None:
    found = asked(known)["fatigue"]
    tired = {each["annotator"]: each["difference"] for each in found["annotators"]}
    assert tired["dora"]["high"] < 0
    assert all(tired[name]["low"] < 0 < tired[name]["high"] for name in ("ana", "ben", "cleo"))
    assert found["reason"] == "" and found["together"]["sessions"] == 12
    assert [each["from"] for each in found["by_position"]] == [1, 11, 21]


def test_everybodys_time_is_told_and_the_slow_one_is_slow(known: Study) -> None:
    times = told(known)["times"]
    medians = {each["annotator"]: each["median"] for each in times["annotators"]}
    assert list(medians) == ["ana", "ben", "cleo", "dora"]
    assert medians["ben"]["low"] > max(medians[name]["high"] for name in ("ana", "cleo", "dora"))
    assert times["together"]["items"] == 480 and times["together"]["untimed"] == 0
    assert times["sessions"] == 12 and times["longest_session"] == 40
    with Store.open(known.database) as store:
        (seconds,) = store.conn.execute("SELECT sum(active_seconds) FROM label_events").fetchone()
    assert times["together"]["seconds"] == pytest.approx(seconds, abs=480 * 0.01)


def test_the_document_is_json_and_the_same_every_time(known: Study) -> None:
    assert json.dumps(told(known)) == json.dumps(told(known))


def test_the_matrix_and_alpha_are_those_of_agree(known: Study) -> None:
    with Store.open(known.database) as store:
        humans = agreement_of(known, store, None, None)["questions"][0]["human_human"]
    question = asked(known)
    assert question["pairs"] == humans["pairs"] and question["alpha"] == humans["krippendorff_alpha"]


# Against the rest -----------------------------------------------------------------------------------------------------


def imported(folder: Path, said: dict[str, Sequence[str | None]], question: Question = MISALIGNED, **fields: Any) -> Study:
    """`said`: handle to her imported labels, item by item; "-" for none, None for unsure."""
    items = len(next(iter(said.values())))
    lines = []
    for place in range(items):
        labels = [label(who, row[place], question=question.id) for who, row in said.items() if row[place] != "-"]
        lines.append(run_line(f"r{place:03}", labels=labels, **{key: value[place] for key, value in fields.items()}))
    return make_study(folder / "study", lines, [question])


def test_the_rest_is_the_majority_of_the_others_and_a_tie_is_counted(tmp_path: Path) -> None:
    study = imported(
        tmp_path,
        {
            "ana": [A, M, M, A, None, A],
            "ben": [A, A, M, M, A, "-"],
            "cleo": [M, A, None, M, A, "-"],
            "dora": [A, M, A, M, A, "-"],
        },
    )
    rest = {pair["annotator"]: pair for pair in asked(study)["against_rest"]}
    # ana: aligned by two to one; aligned by two to one; one each, cleo being unsure; misaligned by three; unsure herself; alone.
    assert rest["ana"]["confusion"] == [[1, 1], [1, 0]]
    assert rest["ana"]["excluded"] == {"missing": 0, "skipped": 0, "unsure": 1, "tie": 1, "error": 0}
    assert rest["cleo"]["confusion"] == [[1, 1], [1, 1]]
    assert rest["cleo"]["excluded"]["tie"] == 0 and rest["cleo"]["excluded"]["unsure"] == 1
    assert rest["ben"]["excluded"]["tie"] == 1 and rest["ben"]["n"] == 4
    assert rest["ana"]["design"] == "imported" and rest["ana"]["sensitivity"]["n"] == 1


def test_weights_of_a_stratified_draw_are_followed_against_the_rest(tmp_path: Path) -> None:
    lines = [run_line(f"r{place:03}", verdicts=[verdict(M if place < 10 else A)]) for place in range(90)]
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 20, overlap=2, by="judge-a")
    for who in ("ana", "ben"):
        with Sitting(study, who) as sitting:
            sitting.label_all({f"r{place:03}": M for place in range(4 if who == "ana" else 6)})
    (pair, other) = asked(study)["against_rest"]
    assert pair["weighted"] and pair["design"] == "stratified:judge-a"
    (between,) = asked(study)["pairs"]
    # With two annotators the rest is the other one.
    assert other["kappa"] == between["kappa"]
    assert other["confusion"] == between["confusion"] and pair["kappa"]["value"] == pytest.approx(between["kappa"]["value"])


# Beside the judge -----------------------------------------------------------------------------------------------------


def test_the_panel_holds_the_items_with_two_labels_and_a_verdict(tmp_path: Path) -> None:
    said = {"ana": [A, M, A, A, None, A], "ben": [A, A, "-", M, A, "-"], "cleo": [M, "-", "-", M, A, A]}
    verdicts = [[verdict(M)], [verdict(A)], [verdict(A)], [verdict(None)], [verdict(A)], []]
    study = imported(tmp_path, said, verdicts=verdicts)
    with Store.open(study.database) as store:
        (tally,) = human_side(store, study, None, None)[0]
    (panel,) = tally.panels
    assert panel.people == ("ana", "ben", "cleo") and panel.answers == (0, 1)
    assert dict(panel.items) == {
        (0, 1, ((0, 0), (1, 0), (2, 1))): 1,
        (0, 0, ((0, 1), (1, 0))): 1,
        (0, 0, ((1, 0), (2, 0))): 1,  # ana was unsure
    }
    assert (panel.single, panel.unreadable, panel.missing) == (1, 1, 1)
    (judge,) = asked(study)["judges"]
    assert judge["left_out"] == {"single": 1, "unreadable": 1, "missing": 1}
    assert judge["design"] == "imported" and judge["difference"]["n"] == 3


def test_every_run_stands_beside_the_annotators_by_itself(known: Study, tmp_path: Path) -> None:
    (judge,) = asked(known)["judges"]
    pairs = asked(known)["pairs"]
    assert judge["human_human"]["value"] == pytest.approx(sum(pair["kappa"]["value"] for pair in pairs) / 6)
    with Store.open(known.database) as store:
        document = agreement_of(known, store, None, None)["questions"][0]
    single = [pair["kappa"]["value"] for pair in document["pairs"] if pair["rows"] != "human:consensus"]
    assert judge["judge_human"]["value"] == pytest.approx(sum(single) / 4)
    assert judge["answer"] in ("better", "as good") and judge["words"].startswith("Yes")
    several = imported(tmp_path, {"ana": [A, M, A], "ben": [A, M, M]}, verdicts=[[verdict(A), verdict(M, run="judge-b")]] * 3)
    assert [each["judge"] for each in asked(several)["judges"]] == ["judge-a", "judge-b"]


def test_a_stratified_draw_weighs_the_judge_beside_annotators(tmp_path: Path) -> None:
    lines = [run_line(f"r{place:03}", verdicts=[verdict(M if place < 20 else A)]) for place in range(200)]
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 40, overlap=2, by="judge-a")
    for who, wrong in (("ana", 5), ("ben", 7)):
        with Sitting(study, who) as sitting:
            sitting.label_all({f"r{place:03}": M for place in (*range(20 - wrong), 30, 60 + wrong)})
    (judge,) = asked(study)["judges"]
    with Store.open(study.database) as store:
        document = agreement_of(study, store, None, None)["questions"][0]
    single = [pair["kappa"]["value"] for pair in document["pairs"] if pair["rows"] != "human:consensus"]
    (between,) = document["human_human"]["pairs"]
    assert judge["weighted"] and judge["difference"]["method"].startswith("post-stratified")
    assert judge["judge_human"]["value"] == pytest.approx(sum(single) / 2)
    assert judge["human_human"]["value"] == pytest.approx(between["kappa"]["value"])


def test_items_that_share_a_group_are_left_out_together(tmp_path: Path) -> None:
    said = {who: [(A, M)[(place * step) % 3 == 0] for place in range(40)] for who, step in (("ana", 1), ("ben", 2), ("cleo", 5))}
    verdicts = [[verdict((A, M)[place % 4 == 0])] for place in range(40)]
    study = imported(tmp_path, said, verdicts=verdicts, group=[f"g{place // 4}" for place in range(40)])
    (judge,) = asked(study)["judges"]
    assert judge["difference"]["method"] == "jackknife+4 over groups, t(groups-1)"


# Every type of question -----------------------------------------------------------------------------------------------


def answers(of: str, who: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Lines with labels of `who` and, in the last column, a verdict; `of`: the key of the answer."""
    lines = []
    for place, row in enumerate(rows):
        labels = [{"annotator": name, "question": "q", of: said} for name, said in zip(who, row, strict=False) if said is not None]
        verdicts = [{"run": "judge-a", "question": "q", of: row[-1]}]
        lines.append(run_line(f"r{place:03}", labels=labels, verdicts=verdicts))
    return lines


def test_an_ordinal_question_has_linear_kappas_beside(tmp_path: Path) -> None:
    dice = np.random.default_rng(1)
    scale = ["none", "some", "much"]
    rows = [[scale[min(2, max(0, int(level + step)))] for step in dice.integers(-1, 2, 4)] for level in dice.integers(0, 3, 60)]
    study = make_study(tmp_path / "study", answers("choice", "abc", rows), [Question("q", "?", "ordinal", tuple(scale))])
    question = asked(study)
    (judge,) = question["judges"]
    assert judge["linear"]["judge_human"]["value"] > judge["judge_human"]["value"]
    assert "kappa_linear" in question["against_rest"][0]


def test_the_mean_of_two_annotators_is_told_as_their_one_pair_is(tmp_path: Path) -> None:
    dice = np.random.default_rng(2)
    rows = [[str(said) for said in dice.choice(["none", "some", "much"], 3)] for _ in range(50)]
    study = make_study(tmp_path / "study", answers("choice", "ab", rows), [Question("q", "?", "ordinal", ("none", "some", "much"))])
    question = asked(study)
    (judge,), (pair,) = question["judges"], question["pairs"]
    assert judge["human_human"] == pair["kappa"] and judge["linear"]["human_human"] == pair["kappa_linear"]
    assert judge["judge_human"]["method"] != pair["kappa"]["method"]


def test_sets_are_compared_label_by_label_and_by_the_mean_over_labels(tmp_path: Path) -> None:
    dice = np.random.default_rng(2)
    kinds = ("deceit", "sabotage", "other")
    rows = [[[kind for kind in kinds if dice.random() < 0.4] for _ in range(4)] for _ in range(60)]
    study = make_study(tmp_path / "study", answers("choices", "abc", rows), [Question("q", "?", "multilabel", kinds)])
    question = asked(study)
    (judge,) = question["judges"]
    assert list(judge["by_label"]) == list(kinds)
    mean = np.mean([judge["by_label"][kind]["difference"]["value"] for kind in kinds])
    assert judge["difference"]["value"] == pytest.approx(mean)
    has = np.array([[["deceit" in said for said in row] for row in rows]])[0]
    pairs = [kappa(np.histogram2d(has[:, place], has[:, 3], bins=2)[0].astype(int).tolist()).value for place in range(3)]
    assert judge["by_label"]["deceit"]["judge_human"]["value"] == pytest.approx(np.mean(pairs))
    assert set(question["against_rest"][0]["by_label"]) == set(kinds)


def test_scores_are_compared_by_rank_and_at_the_threshold(tmp_path: Path) -> None:
    dice = np.random.default_rng(3)
    rows = [[float(min(10, max(0, round(level + step)))) for step in dice.normal(0, 1.5, 4)] for level in dice.uniform(0, 10, 150)]
    question = Question("q", "?", "score", (), min=0, max=10, threshold=5)
    study = make_study(tmp_path / "study", answers("score", "abc", rows), [question])
    (judge,) = asked(study)["judges"]
    columns = list(zip(*rows, strict=True))
    of_judge = np.mean([spearmanr(columns[place], columns[3]).statistic for place in range(3)])
    of_humans = np.mean([spearmanr(columns[x], columns[y]).statistic for x, y in ((0, 1), (0, 2), (1, 2))])
    assert judge["judge_human"]["value"] == pytest.approx(of_judge)
    assert judge["human_human"]["value"] == pytest.approx(of_humans)
    assert judge["difference"]["low"] < judge["difference"]["value"] < judge["difference"]["high"]
    assert "100 blocks of items" in judge["difference"]["method"] and "rank correlation" in judge["words"]
    assert "kappa" in judge["at_threshold"]["words"]
    rest = asked(study)["against_rest"]
    assert all("spearman" in pair and "at_threshold" in pair for pair in rest)
    # The rest of three is the mean of two scores, which need not be anybody's score.
    together = [(row[1] + row[2]) / 2 for row in rows]
    assert rest[0]["spearman"]["value"] == pytest.approx(spearmanr(together, columns[0]).statistic)


def test_a_question_that_is_asked_of_some_counts_what_was_put_to_each(tmp_path: Path) -> None:
    how = Question("severity", "How bad?", "ordinal", ("none", "some", "much"), when=When("misaligned", M))
    study = make_study(
        tmp_path / "study", numbered(9, verdicts=[verdict(M), verdict("some", question="severity")]), [MISALIGNED, how]
    )
    draw_batch(study, 9, overlap=2)
    for who, bad in (("ana", 6), ("ben", 4)):
        with Sitting(study, who) as sitting:
            while held := sitting.claim():
                wrong = int(sitting.id_of(held[0])[1:]) < bad
                given = {"misaligned": Answer(choice=(A, M)[wrong])} | ({"severity": Answer(choice="some")} if wrong else {})
                assert not sitting.send(sitting.answer("submit", held[0], answers=given, active_seconds=10.0))
    document = told(study)
    severity = document["questions"][1]
    assert severity["judges"][0]["difference"]["n"] == 4
    assert [pair["n"] for pair in severity["against_rest"]] == [4, 4]
    # The time of an item is not that of each question on it.
    assert document["times"]["together"]["items"] == 18 and document["times"]["together"]["seconds"] == 180


# Again, and the clock -------------------------------------------------------------------------------------------------


def test_second_labels_stand_beside_the_first_of_the_same_person(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(8))
    draw_batch(study, 8, overlap=2)
    for who, bad in (("ana", ("r001", "r002")), ("ben", ("r001",))):
        with Sitting(study, who) as sitting:
            sitting.label_all(dict.fromkeys(bad, M))
    assert asked(study)["retest"]["reason"].startswith("no item was labelled again")
    draw_batch(study, 8, overlap=2, retest=True)
    for who, bad in (("ana", ("r001", "r003")), ("ben", ("r001",))):
        with Sitting(study, who, f"later {who}") as sitting:
            sitting.label_all(dict.fromkeys(bad, M) | {"r007": None})
    retest = asked(study)["retest"]
    assert [each["annotator"] for each in retest["annotators"]] == ["ana", "ben"]
    ana, ben = retest["annotators"]
    assert ana["confusion"] == [[4, 1], [1, 1]] and ben["confusion"] == [[6, 0], [0, 1]]
    assert retest["together"]["confusion"] == [[10, 1], [1, 2]]
    assert ana["excluded"]["unsure"] == 1 and retest["together"]["n"] == 14
    assert ben["kappa"]["value"] == 1 and ben["kappa"]["low"] < 0.9
    # An item that both had again is one item, not two.
    assert "groups" in retest["together"]["observed_agreement"]["method"]
    times = told(study)["times"]["together"]
    assert times["items"] == 32, "a retest takes its time, too"


def test_an_items_time_holds_what_was_taken_back_and_nothing_twice(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(3))
    draw_batch(study, 3, overlap=1)
    with Sitting(study, "ana") as ana:
        first, second, third = ana.claim()
        assert not ana.label(first, active_seconds=20.0)
        assert not ana.do("undo", first)
        assert not ana.label(first, M, active_seconds=32.5)
        assert not ana.do("unsure", second)
        assert not ana.label(third, active_seconds=11.0)
        assert not ana.do("undo", third)
    times = told(study)["times"]
    assert times["reason"] == "" and times["together"]["median"]["value"] == 32.5
    assert (times["together"]["items"], times["together"]["untimed"], times["together"]["seconds"]) == (2, 1, 32.5)
    assert times["together"]["median"]["low"] is None and "six" in times["together"]["median"]["reason"]


def test_a_surplus_label_has_no_time_here(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(1))
    draw_batch(study, 1)
    with Sitting(study, "ana") as ana:
        (ref,) = ana.claim()
        with Store.open(study.database) as store:
            set_batch_state(store, "batch-1", "closed")
        assert not ana.label(ref, active_seconds=9.0)
    assert told(study)["times"]["reason"].startswith("no label of a batch")


def test_imported_labels_have_no_time_and_no_session_and_it_is_said(tmp_path: Path) -> None:
    document = told(imported(tmp_path, {"ana": [A, M, A], "ben": [A, M, M]}))
    assert document["times"]["reason"].startswith("no label of a batch")
    assert document["times"]["annotators"] == [] and document["times"]["together"]["median"]["value"] is None
    assert document["questions"][0]["fatigue"]["reason"].startswith("no label of a batch")


def test_one_annotator_alone_and_nobody_at_all_are_told_in_words(tmp_path: Path) -> None:
    lonely = asked(imported(tmp_path, {"ana": [A, M, A]}, verdicts=[[verdict(A)]] * 3))
    assert lonely["annotators"] == ["ana"] and lonely["against_rest"] == [] and lonely["pairs"] == []
    (judge,) = lonely["judges"]
    assert (
        judge["answer"] == "undefined"
        and judge["difference"]["reason"] == "no item has a readable verdict and two annotators' answers"
    )
    assert judge["words"] == "Cannot be said: no item has a readable verdict and two annotators' answers."
    nobody = told(make_study(tmp_path / "empty", numbered(2)))
    assert nobody["questions"][0]["annotators"] == [] and nobody["questions"][0]["alpha"]["value"] is None


def test_a_study_of_both_sources_times_the_labels_of_its_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study(tmp_path / "study", numbered(20, labels=[label("zoe", A), label("yan", A)], verdicts=[verdict(A)]))
    draw_batch(study, 20, overlap=1)
    truth = {f"r{place:03}": place % 3 == 0 for place in range(20)}
    sit_down(study, monkeypatch, Worker("ana"), truth, random.Random(1))
    both = told(study, "all")
    assert both["questions"][0]["annotators"] == ["ana", "yan", "zoe"]
    assert [each["annotator"] for each in both["times"]["annotators"]] == ["ana"]
    assert [each["annotator"] for each in both["questions"][0]["fatigue"]["annotators"]] == ["ana"]
    assert told(study, "imported")["times"]["annotators"] == []
