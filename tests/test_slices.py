"""Figures slice by slice: the same as those of the slice alone, in an order a reader wants, small and undefined ones told."""

from pathlib import Path
from typing import Any

import pytest

from data.store import Store
from data.store.slicing import slices
from data.store.tallying import tally
from data.study import Study
from data.tallies import Excluded, PairTally
from reports.agreement import kappa, observed_agreement
from reports.of_study.slices import slices_of
from reports.sample import Sample
from reports.slices import SMALL_BELOW, SlicedField, SlicePair, looked_at, sliced
from tests.study_maker import MISALIGNED, Question, label, make_study, run_line, verdict
from tests.test_agree_document import pair, stratified
from tests.test_parts import drawn

A, M = "aligned", "misaligned"
SETS = Question("kinds", "Which?", "multilabel", ("lies", "hides"), None)


def document(study: Study, run: int | None = None, labels: str | None = None) -> dict[str, Any]:
    with Store.open(study.database) as store:
        return slices_of(study, store, run, labels)


def table(study: Study) -> dict[str, Any]:
    return document(study)["questions"][0]["runs"][0]["tables"][0]  # type: ignore[no-any-return]


def field_of(slices: list[SlicePair]) -> SlicedField:
    return SlicedField("domain", "metadata", True, 0, slices)


def part(name: str, tally: PairTally | None) -> SlicePair:
    return SlicePair(name, "value", 100, tally)


def names(table: dict[str, Any]) -> list[str]:
    return [value["name"] for value in table["fields"][0]["values"]]


def test_a_slice_has_the_figures_of_its_items_alone(tmp_path: Path) -> None:
    study = drawn(tmp_path)
    whole = table(study)
    (domain,) = [each for each in whole["fields"] if each["field"] == "domain"]
    assert not whole["strict"]
    with Store.open(study.database) as store:
        for slicing in [each for each in slices(store, study) if each.field == "domain"]:
            for value in slicing.values:
                (question,) = tally(store, study, None, None, value.items)
                alone = Sample.readable(question.judge_pairs[0])
                (found,) = [each for each in domain["values"] if each["name"] == value.name]
                assert found["n"] == alone.n and found["items"] == int(value.items.sum())
                assert found["kappa"] == kappa(alone).as_json()
                assert found["observed_agreement"] == observed_agreement(alone).as_json()


def test_a_slice_of_a_stratified_draw_is_weighted_to_its_own_part_of_the_frame() -> None:
    (found,) = sliced("binary", 1, stratified(), [field_of([part("law", stratified())])])
    (value,) = found["fields"][0]["values"]
    assert value["kappa"] == kappa(Sample.readable(stratified())).as_json()
    assert "post-stratified" in value["kappa"]["method"]


def test_slices_come_lowest_first_then_small_ones_and_undefined_ones_last() -> None:
    slices = [
        part("good", pair(((40, 2), (2, 20)))),
        part("undefined", pair(((30, 0), (0, 0)))),
        part("small", pair(((3, 3), (3, 3)))),
        part("poor", pair(((20, 15), (15, 20)))),
        part("nobody", None),
    ]
    (found,) = sliced("binary", 1, pair(((90, 20), (20, 60))), [field_of(slices)])
    assert names(found) == ["poor", "good", "small", "undefined", "nobody"]
    by_name = {value["name"]: value for value in found["fields"][0]["values"]}
    assert [name for name, value in by_name.items() if value["small"]] == ["small", "nobody"]
    assert by_name["undefined"]["kappa"]["value"] is None and "one and the same choice" in by_name["undefined"]["kappa"]["reason"]
    assert by_name["nobody"]["n"] == 0 and by_name["nobody"]["kappa"]["reason"] == "no item has an answer on both sides"


@pytest.mark.parametrize(("n", "small"), [(SMALL_BELOW - 1, True), (SMALL_BELOW, False)])
def test_a_slice_is_small_under_fifteen_labels(n: int, small: bool) -> None:
    (found,) = sliced("binary", 1, pair(((40, 2), (2, 20))), [field_of([part("a", pair(((n - 4, 1), (1, 2))))])])
    assert found["fields"][0]["values"][0]["small"] is small


def test_where_the_whole_leads_with_strict_figures_every_slice_does() -> None:
    broken, sound = pair(((30, 4), (3, 23)), unreadable=(2, 3)), pair(((20, 2), (1, 12)))
    (found,) = sliced("binary", 1, broken, [field_of([part("a", broken), part("b", sound)])])
    assert found["strict"] and found["overall"]["n"] == 65 and found["overall"]["unreadable"] == 5
    by_name = {value["name"]: value for value in found["fields"][0]["values"]}
    assert by_name["a"]["kappa"] == kappa(Sample.strict(broken)).as_json()
    assert by_name["b"]["kappa"]["value"] == kappa(sound.confusion).value
    (readable,) = sliced("binary", 1, sound, [field_of([part("a", broken)])])
    assert not readable["strict"] and readable["fields"][0]["values"][0]["n"] == 60


def test_an_ordinal_question_has_linear_weights_and_a_binary_one_both_kinds_of_errors() -> None:
    three = pair(((9, 1, 0), (2, 8, 1), (0, 1, 9)))
    (ordinal,) = sliced("ordinal", None, three, [field_of([part("a", three)])])
    assert {"kappa", "kappa_linear"} <= set(ordinal["overall"]) and "sensitivity" not in ordinal["overall"]
    (binary,) = sliced("binary", 1, pair(((30, 4), (3, 23))), [])
    assert {"kappa", "observed_agreement", "sensitivity", "specificity"} <= set(binary["overall"])


def test_several_choices_have_a_table_for_each_label_and_scores_one_at_their_threshold_or_their_ranks() -> None:
    lies = pair(((40, 3), (4, 13)))
    several = pair((), unreadable=(), by_label={"lies": lies, "hides": pair(((50, 3), (4, 3)), unreadable=(2, 1))},
                   excluded=Excluded(error=3))  # fmt: skip
    found = sliced("multilabel", None, several, [field_of([part("a", several), part("b", None)])])
    assert [(each["title"], each["strict"]) for each in found] == [("lies", False), ("hides", True)]
    assert found[0]["fields"][0]["values"][0]["kappa"] == kappa(lies.confusion).as_json()
    scores = {(0, float(k), float(k + k % 3)): 2 for k in range(20)}
    (at,) = sliced("score", None, pair((), unreadable=(), scores=scores, at_threshold=pair(((19, 3), (2, 16)))), [])
    assert (at["title"], at["figure"]) == ("at the threshold", "kappa")
    ranks = pair((), unreadable=(), scores=scores, groups=40)
    (spearman,) = sliced("score", None, ranks, [field_of([part("a", ranks)])])
    assert spearman["figure"] == "spearman" and spearman["fields"][0]["values"][0]["spearman"]["n"] == 40


def test_one_sentence_says_how_many_slices_were_looked_at_and_what_chance_does() -> None:
    value = {"kappa": {"low": 0.1}}
    undefined = {"kappa": {"low": None}}

    def said(*sizes: int, holes: int = 0) -> str:
        return looked_at([{"values": [value] * size + [undefined] * holes} for size in sizes], "kappa")

    assert said(4, 5, 5, 5, 5).startswith(
        "24 slices of 5 fields were looked at; of the 24 intervals about 1 misses by chance alone"
    )
    assert "of the 40 intervals about 2 miss by chance" in said(40)
    assert "about" not in said(10), "half an interval is expected to miss, which is none or one"
    assert said(1) == (
        "1 slice of 1 field was looked at; a slice that stands out may do so by chance: "
        "it is a question to ask of new items, not a finding."
    )
    assert said(0, holes=3) == "3 slices of 1 field were looked at, and none has a figure with an interval."
    assert said() == "No slice was looked at: no field parts the items."
    assert all(said(size).count(".") == 1 for size in (1, 9, 10, 30))


def test_fields_that_were_left_out_are_told_with_the_reason(tmp_path: Path) -> None:
    lines = [run_line(f"r{k}", metadata={"id": f"i{k}"}, verdicts=[verdict(A)], labels=[label("ana", A)]) for k in range(4)]
    found = document(make_study(tmp_path / "study", lines))
    assert {"field": "id", "reason": "every item has a value of its own"} in found["left_out"]
    assert all(each["field"] != "id" for each in found["questions"][0]["runs"][0]["tables"][0]["fields"])


def test_each_run_and_each_question_has_slices_of_its_own_and_one_run_can_be_asked_for(tmp_path: Path) -> None:
    lines = [
        run_line(
            f"r{k}", metadata={"domain": "ab"[k % 2]},
            verdicts=[verdict(A), verdict(A, run="judge-b"), {"run": "judge-b", "question": "kinds", "choices": []}],
            labels=[label("ana", A if k % 2 else M), {"annotator": "ana", "question": "kinds", "choices": ["lies"]}],
        )
        for k in range(8)
    ]  # fmt: skip
    study = make_study(tmp_path / "study", lines, (MISALIGNED, SETS))
    first, second = document(study)["questions"]
    assert [run["columns"] for run in first["runs"]] == ["judge:judge-a", "judge:judge-b"]
    assert [run["columns"] for run in second["runs"]] == ["judge:judge-b"]
    assert [run["columns"] for run in document(study, run=2)["questions"][0]["runs"]] == ["judge:judge-b"]


def test_a_study_without_a_label_or_a_question_has_no_slices_to_show(tmp_path: Path) -> None:
    study = make_study(tmp_path / "a", [run_line(f"r{k}", verdicts=[verdict(A)]) for k in range(3)])
    assert document(study)["questions"][0]["runs"] == []
    assert document(make_study(tmp_path / "b", (), ()))["questions"] == []
