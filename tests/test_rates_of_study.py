"""How often it happens in a study: whose labels speak for which items, however they were drawn, and what is said where none do."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from data.answering import Answer
from data.questions import Question, When
from data.store import Store
from data.study import Study
from reports.intervals import wilson
from reports.of_study.prevalence import prevalence_of
from tests.study_maker import KIND, MISALIGNED, Sitting, draw_batch, import_lines, label, make_study, run_line, verdict

A, M = "aligned", "misaligned"
Json = dict[str, Any]


def document_of(study: Study, labels: str | None = None) -> Json:
    with Store.open(study.database) as store:
        document = prevalence_of(study, store, None, labels)
    return json.loads(json.dumps(document))  # type: ignore[no-any-return]


def run_of(study: Study, run: str | None = "judge-a", question: str = "misaligned", labels: str | None = None) -> Json:
    questions = {each["id"]: each for each in document_of(study, labels)["questions"]}
    return next(each for each in questions[question]["runs"] if each["run"] == run)


def rate_of(study: Study, run: str | None = "judge-a", **which: Any) -> Json:
    (rate,) = run_of(study, run, **which)["rates"]
    return rate


def judged(said: dict[str, str | None], run: str = "judge-a", **fields: Any) -> list[Json]:
    """A run an id; `-` has no verdict, None an unreadable one."""
    return [run_line(id, verdicts=[] if choice == "-" else [verdict(choice, run)], **fields) for id, choice in said.items()]


def verdicts(**counts: int) -> dict[str, str | None]:
    """So many of each: `misaligned=3, unreadable=1, none=2`."""
    kinds: dict[str, str | None] = {"unreadable": None, "none": "-"}
    flat = [kinds.get(kind, kind) for kind, count in counts.items() for _ in range(count)]
    return {f"r{place:03}": choice for place, choice in enumerate(flat)}


def labelled(study: Study, truth: dict[str, str | None], **draw: Any) -> list[str]:
    """Draws a batch and labels it all by `truth` (None: unsure); the ids."""
    batch = draw_batch(study, **draw)
    with Sitting(study, "ana", f"tab for {batch.name}") as ana:
        return ana.label_all(truth)


def square_and_add(*parts: tuple[float, int, int]) -> tuple[float, float, float]:
    """(weight, positives, labelled) of each stratum: the rate and its interval."""
    value = sum(weight * positives / n for weight, positives, n in parts)
    limits = [(weight, positives / n, *wilson(positives, n)) for weight, positives, n in parts]
    below = sum((weight * (share - low)) ** 2 for weight, share, low, _ in limits) ** 0.5
    above = sum((weight * (high - share)) ** 2 for weight, share, _, high in limits) ** 0.5
    return value, value - below, value + above


def ends(estimate: Json) -> tuple[float, float, float]:
    return estimate["value"], estimate["low"], estimate["high"]


# Which items a label speaks for


def test_a_simple_draw_is_stratified_afterwards_on_the_verdict(tmp_path: Path) -> None:
    said = verdicts(aligned=60, misaligned=20)
    study = make_study(tmp_path / "study", judged(said))
    truth = {id: M if choice == M and place % 4 else A for place, (id, choice) in enumerate(said.items())}
    ids = labelled(study, truth, size=24)
    drawn = {choice: [id for id in ids if said[id] == choice] for choice in (A, M)}
    positives = {choice: sum(truth[id] == M for id in of) for choice, of in drawn.items()}
    rate = rate_of(study)
    assert rate["of"] == M and rate["judge_raw"]["value"] == 20 / 80 and rate["judge_raw"]["low"] is None
    assert ends(rate["humans_only"]) == pytest.approx((sum(positives.values()) / 24, *wilson(sum(positives.values()), 24)))
    expected = square_and_add((60 / 80, positives[A], len(drawn[A])), (20 / 80, positives[M], len(drawn[M])))
    assert ends(rate["post_stratified"]) == pytest.approx(expected)
    assert rate["post_stratified"]["n"] == 24 and rate["post_stratified"]["value"] != rate["humans_only"]["value"]


def test_a_draw_by_verdict_is_weighted_back_and_the_humans_rate_with_it(tmp_path: Path) -> None:
    said = verdicts(aligned=60, misaligned=20)
    study = make_study(tmp_path / "study", judged(said))
    ids = labelled(study, dict(said), size=20, by="judge-a")
    assert sum(said[id] == M for id in ids) == 10
    rate = rate_of(study)
    assert ends(rate["post_stratified"]) == pytest.approx(square_and_add((0.75, 0, 10), (0.25, 10, 10)))
    assert rate["humans_only"] == rate["post_stratified"]


def test_a_draw_by_another_runs_verdict_is_stratified_on_both(tmp_path: Path) -> None:
    chance = random.Random(4)
    lines, said = [], {}
    for place in range(120):
        first, second = (M if chance.random() < 0.3 else A for _ in range(2))
        said[f"r{place:03}"] = (first, second)
        lines.append(run_line(f"r{place:03}", verdicts=[verdict(first), verdict(second, "judge-b")]))
    study = make_study(tmp_path / "study", lines)
    truth: dict[str, str | None] = {id: M if both == (M, M) else A for id, both in said.items()}
    ids = labelled(study, truth, size=60, by="judge-a")
    parts = []
    for pair in ((A, A), (A, M), (M, A), (M, M)):
        drawn = [id for id in ids if said[id] == pair]
        parts.append((sum(both == pair for both in said.values()) / 120, sum(truth[id] == M for id in drawn), len(drawn)))
    expected = square_and_add(*parts)
    assert ends(rate_of(study, "judge-b")["post_stratified"]) == pytest.approx(expected)
    cells = run_of(study, "judge-b")["cells"]
    assert [(cell["stratum"], cell["verdict"]) for cell in cells] == [
        ("judge-a: aligned", A), ("judge-a: aligned", M), ("judge-a: misaligned", A), ("judge-a: misaligned", M),
    ]  # fmt: skip


def test_several_batches_are_one_sample(tmp_path: Path) -> None:
    said = verdicts(aligned=60, misaligned=20)
    study = make_study(tmp_path / "study", judged(said))
    ids = labelled(study, dict(said), size=16, name="simple")
    ids += labelled(study, dict(said), size=20, name="by verdict", by="judge-a")
    counts = {choice: sum(said[id] == choice for id in ids) for choice in (A, M)}
    assert ends(rate_of(study)["post_stratified"]) == pytest.approx(
        square_and_add((0.75, 0, counts[A]), (0.25, counts[M], counts[M]))
    )


def test_a_draw_from_one_split_speaks_for_that_split_alone(tmp_path: Path) -> None:
    said = verdicts(aligned=50, misaligned=50)
    study = make_study(tmp_path / "study", judged(said), rest="[split]\ntrain = 0.5\ndev = 0.0\n")
    ids = labelled(study, dict(said), size=20, split="train")
    with Store.open(study.database) as store:
        train = {row[0] for row in store.conn.execute("SELECT id FROM trajectories WHERE split = 'train'")}
    run = run_of(study)
    assert run["frame"] == len(train) < 100 and set(ids) <= train
    share = sum(said[id] == M for id in train) / len(train)
    (rate,) = run["rates"]
    assert rate["post_stratified"]["value"] == pytest.approx(share)
    assert rate["judge_raw"]["value"] == 0.5 and rate["judge_raw_in_frame"]["value"] == pytest.approx(share)


def test_items_that_came_after_the_last_draw_are_outside_and_counted(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged(verdicts(aligned=10, misaligned=10)))
    labelled(study, {}, size=10)
    later = {f"late-{place}": M for place in range(5)}
    study = import_lines(study, judged(dict(later)), "more.jsonl")
    (question,) = document_of(study)["questions"]
    (run,) = question["runs"]
    assert question["outside_frame"] == 5 and question["trajectories"] == 25 and run["frame"] == 20
    assert run["rates"][0]["judge_raw"]["n"] == 25 and run["rates"][0]["judge_raw_in_frame"]["n"] == 20


# Verdicts that are none


def test_an_unreadable_verdict_is_a_stratum_of_its_own_and_never_a_no(tmp_path: Path) -> None:
    said = verdicts(aligned=20, misaligned=10, unreadable=10)
    study = make_study(tmp_path / "study", judged(said))
    truth: dict[str, str | None] = {id: A if choice == A else M for id, choice in said.items()}
    labelled(study, truth, size=40)
    run = run_of(study)
    (rate,) = run["rates"]
    assert run["verdicts"] == {"readable": 30, "unreadable": 10, "none": 0}
    assert rate["judge_raw"]["value"] == pytest.approx(10 / 30) and rate["judge_raw"]["n"] == 30
    assert ends(rate["post_stratified"]) == pytest.approx(square_and_add((0.5, 0, 20), (0.25, 10, 10), (0.25, 10, 10)))


def test_items_without_a_verdict_belong_to_the_frame_too(tmp_path: Path) -> None:
    said = verdicts(aligned=20, misaligned=10, none=10)
    study = make_study(tmp_path / "study", judged(said))
    labelled(study, {id: M if choice == "-" else A for id, choice in said.items()}, size=40)
    assert rate_of(study)["post_stratified"]["value"] == pytest.approx(0.25)
    assert run_of(study)["verdicts"]["none"] == 10


def test_unreadable_items_that_chance_left_unlabelled_count_with_their_neighbours_and_may_be_anything(tmp_path: Path) -> None:
    said = verdicts(aligned=57, misaligned=40, unreadable=3)
    study = make_study(tmp_path / "study", judged(said))
    ids = labelled(study, dict(said), size=30, seed="0")
    assert not {"r097", "r098", "r099"} & set(ids)
    counts = {choice: sum(said[id] == choice for id in ids) for choice in (A, M)}
    rate = rate_of(study)["post_stratified"]
    value, low, high = square_and_add((0.60, 0, counts[A]), (0.40, counts[M], counts[M]))
    assert rate["value"] == pytest.approx(value)
    assert rate["high"] == pytest.approx(value + ((high - value) ** 2 + 0.03**2) ** 0.5)
    assert rate["low"] == pytest.approx(low)
    unread = next(cell for cell in run_of(study)["cells"] if cell["kind"] == "unreadable")
    assert run_of(study)["cells"][unread["counted_with"]]["verdict"] == A


def test_a_stratum_that_nobody_has_begun_leaves_the_rate_undefined_and_is_named(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged(verdicts(aligned=20, misaligned=10)))
    draw_batch(study, 12, by="judge-a")
    with Sitting(study, "ana") as ana:
        for _ in range(12):
            held = ana.claim()
            ref = next((ref for ref in held if ana.id_of(ref) < "r020"), None)
            if ref is None:
                assert ana.do("skip", held[0], reason="later") == ""
            else:
                assert ana.label(ref) == ""
    rate = rate_of(study)
    for figure in ("post_stratified", "humans_only"):
        assert rate[figure]["value"] is None
        assert "judge-a: misaligned" in rate[figure]["reason"] and "10 items" in rate[figure]["reason"]
    assert rate["judge_raw"]["value"] == pytest.approx(1 / 3)
    assert "more-than-10-percent-missing" in run_of(study)["marks"]


# Whose answers


def test_unsure_and_tied_items_are_left_out_of_the_rate_and_counted(tmp_path: Path) -> None:
    said = verdicts(aligned=20, misaligned=20)
    study = make_study(tmp_path / "study", judged(said))
    truth: dict[str, str | None] = {id: None if id < "r010" else choice for id, choice in said.items()}
    labelled(study, truth, size=40)
    rate = rate_of(study)
    # Half of the "aligned" are unsure: of the items with an answer 10 lie there, and 20 in "misaligned".
    assert rate["post_stratified"]["value"] == pytest.approx(20 / 30) and rate["post_stratified"]["n"] == 30
    assert rate["humans_only"]["value"] == pytest.approx(20 / 30)
    assert document_of(study)["questions"][0]["left_out"] == {"skipped": 0, "unsure": 10, "tie": 0}


def test_labels_of_unknown_draw_correct_nothing_and_the_reason_is_given(tmp_path: Path) -> None:
    lines = judged(verdicts(aligned=40, misaligned=10))
    for place in range(20):
        lines[place]["labels"] = [label("ana", M if place < 6 else A)]
    study = make_study(tmp_path / "study", lines)
    run = run_of(study)
    (rate,) = run["rates"]
    assert rate["post_stratified"]["value"] is None and "nothing is known of how" in rate["post_stratified"]["reason"]
    assert ends(rate["humans_only"]) == pytest.approx((0.3, *wilson(6, 20)))
    assert rate["judge_raw"]["value"] == 0.2 and run["labelled"] == 20
    assert document_of(study)["questions"][0]["design"] == "imported"


def test_without_labels_or_without_verdicts_the_rest_is_still_told(tmp_path: Path) -> None:
    study = make_study(tmp_path / "judged", judged(verdicts(aligned=3, misaligned=1)))
    rate = rate_of(study)
    assert rate["judge_raw"]["value"] == 0.25
    assert rate["post_stratified"]["value"] is None and rate["humans_only"]["reason"] == "no item has a human answer"
    alone = make_study(tmp_path / "alone", [run_line(f"r{place}") for place in range(20)])
    labelled(alone, {"r1": M}, size=20)
    rate = rate_of(alone, None)
    assert rate["humans_only"]["value"] == 0.05
    assert rate["judge_raw"]["value"] is None and "no judge run" in rate["post_stratified"]["reason"]


def test_items_that_share_a_group_widen_the_interval(tmp_path: Path) -> None:
    chance = random.Random(2)
    group_is_bad = [chance.random() < 0.4 for _ in range(20)]
    said: dict[str, str | None] = {f"r{place:03}": M if chance.random() < 0.3 else A for place in range(100)}
    truth: dict[str, str | None] = {id: M if group_is_bad[place // 5] else A for place, id in enumerate(said)}
    widths = []
    for name, groups in (("alone", False), ("grouped", True)):
        lines = judged(said)
        for place, line in enumerate(lines):
            line["group"] = f"g{place // 5 if groups else place}"
        study = make_study(tmp_path / name, lines)
        labelled(study, truth, size=100)
        rate = rate_of(study)["post_stratified"]
        widths.append(rate["high"] - rate["low"])
        assert ("cluster-robust" in rate["method"]) is groups
        assert run_of(study)["groups"] == (20 if groups else 100)
    assert widths[1] > 1.5 * widths[0]


# Slices


def test_a_slice_has_its_own_verdicts_and_its_own_labels_and_a_small_one_is_marked(tmp_path: Path) -> None:
    said = verdicts(aligned=60, misaligned=40)
    lines = judged(said)
    for place, line in enumerate(lines):
        line["metadata"] = {"domain": "law" if place % 4 else "trade"}
    study = make_study(tmp_path / "study", lines)
    domain = {line["id"]: line["metadata"]["domain"] for line in lines}
    ids = labelled(study, {id: M if domain[id] == "trade" else A for id in said}, size=40)
    (field,) = (each for each in run_of(study)["fields"] if each["field"] == "domain")
    law, trade = field["slices"]
    assert (law["name"], law["trajectories"], trade["trajectories"]) == ("law", 75, 25)
    assert law["labelled"] == sum(domain[id] == "law" for id in ids) >= 15 and law["marks"] == []
    assert trade["labelled"] == sum(domain[id] == "trade" for id in ids) < 15 and trade["marks"] == ["fewer-than-15-labels"]
    assert law["rates"][0]["post_stratified"]["value"] == 0.0 and trade["rates"][0]["post_stratified"]["value"] == 1.0
    assert law["rates"][0]["judge_raw"]["value"] == sum(said[id] == M for id in said if domain[id] == "law") / 75
    drawn = {choice: sum(said[id] == choice and domain[id] == "law" for id in ids) for choice in (A, M)}
    share = {choice: sum(said[id] == choice and domain[id] == "law" for id in said) / 75 for choice in (A, M)}
    expected = square_and_add(*((share[choice], 0, drawn[choice]) for choice in (A, M)))
    assert ends(law["rates"][0]["post_stratified"]) == pytest.approx(expected)


def test_a_slice_in_which_chance_drew_nothing_of_a_stratum_has_a_wider_interval_and_not_none(tmp_path: Path) -> None:
    said = verdicts(aligned=60, misaligned=40)
    lines = judged(said)
    for place, line in enumerate(lines):
        line["metadata"] = {"domain": "law" if place < 62 else "trade"}
    study = make_study(tmp_path / "study", lines)
    ids = labelled(study, dict(said), size=20, by="judge-a", seed="2")
    assert not {"r060", "r061"} & set(ids)
    (field,) = (each for each in run_of(study)["fields"] if each["field"] == "domain")
    law = next(each for each in field["slices"] if each["name"] == "law")
    for figure in ("post_stratified", "humans_only"):
        value, low, high = ends(law["rates"][0][figure])
        assert (value, low) == (0.0, 0.0)
        assert high == pytest.approx((wilson(0, 10)[1] ** 2 + (2 / 62) ** 2) ** 0.5, rel=0.1)


# Other types of questions


def test_every_choice_of_a_nominal_question_has_its_rate(tmp_path: Path) -> None:
    kinds = ["deceit", "sabotage", "other"]
    lines = [run_line(f"r{place:02}", verdicts=[verdict(kinds[place % 3], question="kind")]) for place in range(30)]
    study = make_study(tmp_path / "study", lines, (KIND,))
    draw_batch(study, 30)
    with Sitting(study, "ana") as ana:
        while held := ana.claim():
            place = int(ana.id_of(held[0])[1:])
            assert not ana.send(
                ana.answer("submit", held[0], answers={"kind": Answer("other" if place < 15 else kinds[place % 3])})
            )
    run = run_of(study, question="kind")
    assert [rate["of"] for rate in run["rates"]] == kinds
    assert [rate["post_stratified"]["value"] for rate in run["rates"]] == pytest.approx([5 / 30, 5 / 30, 20 / 30])
    assert [rate["judge_raw"]["value"] for rate in run["rates"]] == pytest.approx([1 / 3] * 3)


def test_a_question_of_several_choices_has_a_rate_for_each_label(tmp_path: Path) -> None:
    harms = Question("harms", "Which?", "multilabel", ("privacy", "money"), None)
    lines = []
    for place in range(20):
        choices = [name for name, every in (("privacy", 2), ("money", 5)) if place % every == 0]
        lines.append(run_line(f"r{place:02}", verdicts=[{"run": "judge-a", "question": "harms", "choices": choices}],
                              labels=[{"annotator": "ana", "question": "harms", "choices": ["money"]}]))  # fmt: skip
    run = run_of(make_study(tmp_path / "study", lines, (harms,)), question="harms")
    assert [(rate["of"], rate["judge_raw"]["value"], rate["humans_only"]["value"]) for rate in run["rates"]] == [
        ("privacy", 0.5, 0.0), ("money", 0.2, 1.0),
    ]  # fmt: skip


SKILL = Question("skill", "How skilful?", "score", (), None, min=0, max=10, threshold=7)


def scored(folder: Path, when: When | None = None, size: int = 60) -> Study:
    """The judge says place % 11, the person one more where she can."""
    questions = [SKILL] if when is None else [MISALIGNED, Question("skill", "How?", "score", (), None, min=0, max=10, when=when)]
    lines = []
    for place in range(size):
        said = [{"run": "judge-a", "question": "skill", "score": place % 11}]
        if place % 20 == 7:
            said = [{"run": "judge-a", "question": "skill", "error": "unreadable"}]
        lines.append(run_line(f"r{place:02}", verdicts=said))
    return make_study(folder, lines, questions)


def test_a_score_has_its_mean_by_ppi_and_its_rate_at_the_threshold(tmp_path: Path) -> None:
    study = scored(tmp_path / "study", size=200)
    draw_batch(study, 40)
    with Sitting(study, "ana") as ana:
        while held := ana.claim():
            place = int(ana.id_of(held[0])[1:])
            assert not ana.send(ana.answer("submit", held[0], answers={"skill": Answer(score=min(10, place % 11 + 1))}))
    run = run_of(study, question="skill")
    mean = run["mean"]
    read = [place % 11 for place in range(200) if place % 20 != 7]
    assert mean["judge_raw"]["value"] == pytest.approx(sum(read) / len(read))
    truth = sum(min(10, place % 11 + 1) for place in range(200)) / 200
    assert mean["ppi"]["low"] < truth < mean["ppi"]["high"]
    assert mean["ppi"]["high"] - mean["ppi"]["low"] < 0.6 * (mean["humans_only"]["high"] - mean["humans_only"]["low"])
    assert mean["ppi"]["method"].startswith("stratified ppi++")
    (rate,) = run["rates"]
    assert rate["of"] == "7 or above" and rate["post_stratified"]["low"] < sum(place % 11 >= 6 for place in range(200)) / 200
    assert run["verdicts"] == {"readable": 190, "unreadable": 10, "none": 0}


def test_a_question_that_is_put_to_some_items_only_has_the_rate_among_those(tmp_path: Path) -> None:
    severe = Question("severe", "Severe?", "binary", ("no", "yes"), "yes", when=When("misaligned", M))
    lines = []
    for place in range(40):
        choice = M if place % 2 else A
        said = [verdict(choice)] + ([verdict("yes", question="severe")] if choice == M else [])
        lines.append(run_line(f"r{place:02}", verdicts=said))
    study = make_study(tmp_path / "study", lines, (MISALIGNED, severe))
    draw_batch(study, 40)
    with Sitting(study, "ana") as ana:
        while held := ana.claim():
            place = int(ana.id_of(held[0])[1:])
            answers = {"misaligned": Answer(M if place < 20 else A)}
            if place < 20:
                answers["severe"] = Answer("yes" if place < 5 else "no")
            assert not ana.send(ana.answer("submit", held[0], answers=answers))
    (rate,) = run_of(study, question="severe")["rates"]
    assert rate["judge_raw"]["value"] == 1.0 and rate["judge_raw"]["n"] == 20
    assert rate["humans_only"]["value"] == 0.25 and rate["post_stratified"]["value"] == pytest.approx(0.25)
    assert rate["post_stratified"]["n"] == 20


def test_the_mean_of_a_score_that_is_put_to_some_items_only_is_not_corrected(tmp_path: Path) -> None:
    study = scored(tmp_path / "study", When("misaligned", M))
    draw_batch(study, 20)
    with Sitting(study, "ana") as ana:
        ana.label_all_of({"misaligned": Answer(M), "skill": Answer(score=3)})
    assert "some items only" in run_of(study, question="skill")["mean"]["ppi"]["reason"]


# The document


def test_the_document_is_the_same_twice_and_names_no_other_correction(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged(verdicts(aligned=20, misaligned=10)))
    labelled(study, {}, size=20)
    text = json.dumps(document_of(study))
    assert text == json.dumps(document_of(study))
    assert "lee" not in text.lower() and "gladen" not in text.lower()


def test_labels_of_leads_are_told(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", judged(verdicts(aligned=20, misaligned=10)))
    labelled(study, {}, size=20)
    with Store.open(study.database) as store, store.write():
        store.conn.execute("UPDATE annotators SET role = 'lead'")
    assert document_of(study)["questions"][0]["leads"] == {"labels": 20, "before_any_verdict": 20}
