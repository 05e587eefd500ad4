"""The parts of a study by metadata, length and source."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.store import Store
from data.store.slicing import LONGEST_VALUE, MOST_FIELDS, NAMED, Slicing, slices
from data.study import Study
from tests.study_maker import import_lines, make_study, run_line


def parts_of(study: Study) -> dict[str, Slicing]:
    with Store.open(study.database) as store:
        return {each.field: each for each in slices(store, study)}


def by_name(slicing: Slicing) -> dict[str, int]:
    return {value.name: int(value.items.sum()) for value in slicing.values}


def with_fields(folder: Path, fields: list[dict[str, Any]], rest: str = "") -> dict[str, Slicing]:
    lines = [run_line(f"r{place:03}", metadata=each) for place, each in enumerate(fields)]
    return parts_of(make_study(folder / "study", lines, rest=rest))


def test_words_are_slices_by_how_often_they_occur_and_items_without_one_are_told_apart(tmp_path: Path) -> None:
    found = with_fields(tmp_path, [{"domain": "law"}] * 2 + [{"domain": "trade"}] * 3 + [{}, {"domain": None}])
    assert list(by_name(found["domain"]).items()) == [("trade", 3), ("law", 2), ("not given", 2)]
    assert [value.kind for value in found["domain"].values] == ["value", "value", "missing"]
    assert found["domain"].place.tolist() == [-1, 1, 1, 0, 0, 0, 2, 2]


def test_a_field_is_looked_at_whether_annotators_see_it_or_not(tmp_path: Path) -> None:
    lines = [run_line(f"r{place}", metadata={"domain": "ab"[place % 2]}, extra=["x", "y"][place % 2]) for place in range(6)]
    found = parts_of(make_study(tmp_path / "study", lines, rest='[blind]\nshow = ["domain"]\n'))
    assert found["domain"].shown and not found["extra"].shown
    assert by_name(found["extra"]) == {"x": 3, "y": 3}


def test_only_the_most_frequent_values_are_named_and_the_rest_are_pooled(tmp_path: Path) -> None:
    found = with_fields(tmp_path, [{"model": f"m{place // 4:02}"} for place in range(80)] + [{"model": "m19"}])["model"]
    assert len(found.values) == NAMED + 1
    assert found.values[0].name == "m19" and int(found.values[0].items.sum()) == 5
    assert (found.values[-1].name, found.values[-1].kind) == ("other values (8)", "other") and found.pooled == 8
    assert sum(by_name(found).values()) == 81
    assert np.array([value.items for value in found.values]).sum(axis=0).tolist() == [0] + [1] * 81


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([f"id-{place}" for place in range(30)], "every item has a value of its own"),
        (list(range(30)), "every item has a value of its own"),
        ([f"id-{place}" for place in range(29)] + ["id-0"], "most items have a value of their own"),
        (["same"] * 30, "it is the same for every item"),
        ([["a"]] * 30, "its values are lists or objects"),
        ([{"a": 1}] * 15 + ["b"] * 15, "its values are lists or objects"),
        (["a" * (LONGEST_VALUE + 1), "b"] * 15, f"its values are texts of more than {LONGEST_VALUE} characters"),
    ],
)
def test_a_field_that_makes_no_slices_is_left_out_with_the_reason(tmp_path: Path, values: list[Any], why: str) -> None:
    found = with_fields(tmp_path, [{"field": value} for value in values])["field"]
    assert (found.values, found.left_out) == ([], why)


def test_numbers_of_many_values_are_cut_in_thirds_and_few_stay_themselves(tmp_path: Path) -> None:
    fields = [{"cost": place / 7, "tokens": place // 2, "seed": place % 3} for place in range(60)]
    found = with_fields(tmp_path, [*fields, {}])
    assert list(by_name(found["seed"])) == ["0", "1", "2", "not given"]
    assert by_name(found["tokens"]) == {"up to 9": 20, "10 to 19": 20, "20 and more": 20, "not given": 1}
    assert list(by_name(found["cost"])) == ["up to 2.71", "over 2.71 to 5.57", "over 5.57", "not given"]
    assert by_name(found["cost"])["up to 2.71"] == sum(place / 7 <= 2.71 for place in range(60))


def test_yes_and_no_are_named_as_the_file_has_them(tmp_path: Path) -> None:
    assert by_name(with_fields(tmp_path, [{"tools": True}] * 2 + [{"tools": False}])["tools"]) == {"true": 2, "false": 1}


def test_length_is_cut_in_thirds_of_steps_and_equal_lengths_stay_together(tmp_path: Path) -> None:
    step = {"kind": "message", "speaker": "user", "text": "Go on."}
    lengths = [1, 1, 1, 1, 2, 3, 4, 5, 9]
    lines = [run_line(f"r{place}", steps=[{**step, "text": f"{place}"}] * size) for place, size in enumerate(lengths)]
    assert by_name(parts_of(make_study(tmp_path / "study", lines))["length"]) == {
        "up to 1 step": 4,
        "2 to 3 steps": 2,
        "4 steps and more": 3,
    }


def test_the_source_is_the_file_that_trajectories_came_in_with(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line("a"), run_line("b")])
    assert parts_of(study)["source"].left_out == "it is the same for every item"
    found = parts_of(import_lines(study, [run_line("c")], "more.jsonl"))
    assert by_name(found["source"]) == {"study-runs.jsonl": 2, "study-more.jsonl": 1}
    assert found["format"].left_out == "it is the same for every item"


def test_what_is_looked_at_is_bounded_and_what_annotators_see_comes_first(tmp_path: Path) -> None:
    fields = {f"field-{place:02}": "x" for place in range(MOST_FIELDS + 5)} | {"zone": "a"}
    found = with_fields(tmp_path, [fields, {**fields, "zone": "b"}, fields], rest='[blind]\nshow = ["zone"]\n')
    beyond = [name for name, slicing in found.items() if "first 40 fields" in slicing.left_out]
    assert len(beyond) == 5 and "zone" not in beyond
    assert by_name(found["zone"]) == {"a": 2, "b": 1}


def test_a_field_named_like_one_of_ours_is_a_field_of_its_own(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line(f"r{place}", metadata={"length": "ab"[place % 2]}) for place in range(4)])
    with Store.open(study.database) as store:
        found = [(each.field, each.origin) for each in slices(store, study) if each.field == "length"]
    assert found == [("length", "length"), ("length", "metadata")]


def test_an_empty_study_has_no_slices(tmp_path: Path) -> None:
    assert all(not slicing.values for slicing in parts_of(make_study(tmp_path / "study")).values())
