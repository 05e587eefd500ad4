"""rejudge.agreement and rejudge.reliability: a frame gives what a study gives, guesses nothing, and is shown as text."""

import doctest
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rejudge
from reports import notebook
from tests.conftest import Run
from tests.study_maker import label, make_study, numbered, verdict
from tests.test_reference_cases import cases_file, load_cases

ROOT = Path(__file__).parent.parent
YES, NO = "misaligned", "aligned"


def frame_of(pairs: list[tuple[Any, Any]], **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"human": [human for human, _ in pairs], "judge": [judge for _, judge in pairs], **more})


def some_pairs() -> list[tuple[str, str]]:
    return [(NO, NO)] * 22 + [(NO, YES)] * 4 + [(YES, NO)] * 3 + [(YES, YES)] * 11


def binary(frame: pd.DataFrame, **more: Any) -> dict[str, Any]:
    return rejudge.agreement(frame, type="binary", choices=[NO, YES], positive=YES, **more).to_dict()


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(rejudge.RejudgeError) as refused:
        call()
    assert isinstance(refused.value, ValueError)
    assert len(str(refused.value).split("\n")) == 3
    return str(refused.value)


def test_the_signatures_are_these() -> None:
    assert str(inspect.signature(rejudge.agreement)).partition(" -> ")[0] == (
        "(frame: Any, rows: str = 'human', columns: str = 'judge', *, "
        "type: Literal['binary', 'nominal', 'ordinal', 'multilabel', 'score'] = 'nominal', "
        "choices: collections.abc.Sequence[collections.abc.Hashable] | None = None, "
        "positive: collections.abc.Hashable | None = None, weight: str | None = None, group: str | None = None)"
    )
    assert [*inspect.signature(rejudge.reliability).parameters] == ["frame", "item", "rater", "value", "type", "choices"]


def test_the_published_values_in_the_docstrings_are_met() -> None:
    results = doctest.testmod(notebook)
    assert results.attempted >= 12 and results.failed == 0


def test_a_frame_gives_the_figures_that_a_study_of_the_same_answers_gives(run: Run, tmp_path: Path) -> None:
    pairs = some_pairs()
    lines = numbered(len(pairs))
    for place, (line, (human, judge)) in enumerate(zip(lines, pairs, strict=True)):
        line |= {"labels": [label("ana", human)], "verdicts": [verdict(judge)]}
        if place % 3:
            line["labels"].append(label("ben", judge if place % 5 else human))
    folder = make_study(tmp_path / "study", lines).folder
    question = json.loads(run("agree", "--json", "--all", "--study", folder).stdout)["questions"][0]
    pair = next(pair for pair in question["pairs"] if pair["rows"] == "human:ana")
    found = binary(frame_of(pairs))
    assert found == pair | {"rows": "human:human", "columns": "judge:judge"}
    rated = pd.DataFrame(
        [(line["id"], each["annotator"], each["choice"]) for line in lines for each in line["labels"]],
        columns=["item", "rater", "value"],
    )
    humans = rejudge.reliability(rated).to_dict()
    assert humans.keys() == question["human_human"].keys()
    for key in ("krippendorff_alpha", "fleiss", "ac1"):
        assert humans[key] == question["human_human"][key]
    assert humans["pairs"][0]["kappa"] == question["human_human"]["pairs"][0]["kappa"]


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, float("nan"), pd.NaT])
def test_a_missing_answer_is_counted_and_is_no_choice(gap: Any) -> None:
    pairs = some_pairs()
    found = binary(frame_of([*pairs, (gap, YES), (NO, gap), (gap, gap)]))
    assert found["excluded"] == {"missing": 3, "skipped": 0, "unsure": 0, "tie": 0, "error": 0}
    assert found | {"excluded": 0} == binary(frame_of(pairs)) | {"excluded": 0}


def test_a_gap_that_turns_numbers_into_floats_changes_no_choice() -> None:
    whole = rejudge.agreement(frame_of([(1, 1), (0, 0), (1, 0), (0, 0)]), type="binary", positive=1).to_dict()
    gaps = rejudge.agreement(frame_of([(1, 1), (0, 0), (1, 0), (0, 0), (None, 1)]), type="binary", positive=1)
    assert gaps.to_dict()["kappa"] == whole["kappa"] and gaps.to_dict()["confusion"] == [[2, 0], [1, 1]]
    assert "0 " in repr(gaps) and "0.0 " not in repr(gaps)


def test_an_answer_that_is_no_choice_is_refused_and_never_dropped() -> None:
    said = refusal(lambda: binary(frame_of([*some_pairs(), ("unreadable", YES)])))
    assert "'unreadable' in 1 row" in said and "Add it to `choices`" in said
    said = refusal(lambda: rejudge.agreement(frame_of([("1", 1), ("2", 2)]), choices=[1, 2]))
    assert "The choice 1 is a int, the answer a str" in said


def test_an_unreadable_verdict_as_a_choice_of_its_own_gives_the_strict_kappa() -> None:
    case = next(case for case in load_cases(cases_file()) if case["id"] == "undefined-unreadable-verdicts")
    (yy, yn), (ny, nn) = case["input"]["table"]
    cells = {("yes", "yes"): yy, ("yes", "no"): yn, ("no", "yes"): ny, ("no", "no"): nn, ("yes", "broken"): 3, ("no", "broken"): 2}
    found = rejudge.agreement(frame_of([pair for pair, n in cells.items() for _ in range(n)])).to_dict()
    assert found["kappa"]["value"] == pytest.approx(case["expected"]["kappa_strict"]["value"], abs=1e-9)


def test_order_and_positive_choice_are_never_guessed() -> None:
    three = frame_of([("low", "low"), ("mid", "high"), ("high", "high")])
    assert "lowest first" in refusal(lambda: rejudge.agreement(three, type="ordinal"))
    assert "lowest first" in refusal(lambda: rejudge.reliability(pd.DataFrame(columns=["item", "rater", "value"]), type="ordinal"))
    assert "positive" in refusal(lambda: rejudge.agreement(frame_of(some_pairs()), type="binary"))
    assert "none of the choices" in refusal(lambda: rejudge.agreement(frame_of(some_pairs()), type="binary", positive="bad"))
    assert "two choices" in refusal(lambda: rejudge.agreement(three, type="binary", positive="low"))
    assert "these are nominal" in refusal(lambda: rejudge.agreement(frame_of(some_pairs()), positive=YES))
    cases = {case["id"]: case for case in load_cases(cases_file())}
    case = cases["robust-string-labels"]
    found = rejudge.agreement(frame_of(case["input"]["pairs"]), type="ordinal", choices=case["input"]["choices"]).to_dict()
    for name in ("kappa", "kappa_linear", "kappa_quadratic", "ac1", "pabak"):
        assert found[name]["value"] == pytest.approx(case["expected"][name]["value"], abs=1e-9)


def test_without_choices_those_that_occur_are_taken_sorted() -> None:
    found = rejudge.agreement(frame_of([("b", "b"), ("c", "a"), ("b", "c")])).to_dict()
    assert list(found["by_choice"]) == ["a", "b", "c"] and found["confusion"] == [[0, 0, 0], [0, 1, 1], [1, 0, 0]]
    assert [*rejudge.agreement(frame_of([(10, 9), (9, 9), (2, 2)])).to_dict()["by_choice"]] == ["2", "9", "10"]
    assert "Tell all `choices`" in refusal(lambda: rejudge.agreement(frame_of([("a", "a")])))
    assert "no two may look alike" in refusal(lambda: rejudge.agreement(frame_of([("1", 1)])))
    assert "no two may look alike" in refusal(lambda: rejudge.agreement(frame_of([("a", "b")]), choices=["a", "a", "b"]))
    assert "must be a list" in refusal(lambda: rejudge.agreement(frame_of([("a", "b")]), choices="ab"))


def test_what_is_no_such_frame_column_or_type_is_refused() -> None:
    frame = frame_of(some_pairs())
    assert "no pandas frame" in refusal(lambda: rejudge.agreement([("a", "b")]))
    assert "Did you mean 'judge'?" in refusal(lambda: rejudge.agreement(frame, columns="juge"))
    assert "several columns" in refusal(lambda: rejudge.agreement(pd.concat([frame, frame["judge"]], axis=1)))
    assert "no type 'likert'" in refusal(lambda: rejudge.agreement(frame, type="likert"))  # type: ignore[arg-type]
    assert "no choices" in refusal(lambda: rejudge.agreement(frame, type="score", choices=[1, 2]))
    assert "type='multilabel'" in refusal(lambda: rejudge.agreement(frame_of([(["a"], ["b"]), (["a"], [])])))


def test_items_of_a_group_get_the_robust_interval() -> None:
    case = next(case for case in load_cases(cases_file()) if case["id"] == "clusters-mild")
    cells, groups = [], []
    for part in case["input"]["clusters"]:
        for i, row in enumerate(part["table"]):
            for j, count in enumerate(row):
                cells += [(case["input"]["choices"][i], case["input"]["choices"][j])] * count
                groups += [part["cluster"]] * count
    found = rejudge.agreement(frame_of(cells, scene=groups), type="binary", positive="yes", group="scene").to_dict()
    expected = case["expected"]
    assert found["groups"] == 12 and found["kappa"]["value"] == pytest.approx(expected["kappa"]["value"], abs=1e-9)
    # Fisher's interval from the linearised error lies inside: with so few groups the jackknife's error is the wider one.
    low, high = expected["fisher_t_low"]["value"], expected["fisher_t_high"]["value"]
    assert low - 0.01 < found["kappa"]["low"] < low and high < found["kappa"]["high"] < high + 0.01
    assert found["kappa_standard_error"]["value"] == pytest.approx(expected["kappa_se_linearised"]["value"], abs=1e-9)
    alone = frame_of(some_pairs(), scene=range(40))
    assert binary(alone, group="scene") == binary(frame_of(some_pairs()))
    without = frame_of(some_pairs(), scene=[None, *range(39)])
    assert "1 row without one" in refusal(lambda: binary(without, group="scene"))


def test_sets_and_scores_are_read_as_they_are() -> None:
    sets = frame_of(
        [(["lies"], {"lies"}), ([], ()), (["lies", "hides"], ["hides"]), (None, ["lies"]), (np.array(["hides"]), ["hides"])]
    )
    found = rejudge.agreement(sets, type="multilabel").to_dict()
    assert found["n"] == 4 and found["excluded"]["missing"] == 1
    assert found["by_label"]["lies"]["confusion"] == [[2, 0], [1, 1]] and found["by_label"]["hides"]["confusion"] == [
        [2, 0],
        [0, 2],
    ]
    assert found["exact_match"]["value"] == 0.75 and found["mean_jaccard"]["value"] == 0.875 and "macro" in found
    assert "lists or sets" in refusal(lambda: rejudge.agreement(frame_of([("lies", ["lies"])]), type="multilabel"))
    assert "no choice" in refusal(lambda: rejudge.agreement(sets, type="multilabel", choices=["lies", "cheats"]))
    case = next(case for case in load_cases(cases_file()) if case["statistic"] == "score")
    found = rejudge.agreement(frame_of(case["input"]["pairs"]), type="score").to_dict()
    assert found["spearman"]["value"] == pytest.approx(case["expected"]["spearman"]["value"], abs=1e-9)
    assert "must hold numbers" in refusal(lambda: rejudge.agreement(frame_of([("7", 7)]), type="score"))
    assert "inf" in refusal(lambda: rejudge.agreement(frame_of([(np.inf, 7)]), type="score"))


def test_reliability_counts_ratings_without_a_value_and_refuses_a_second_rating() -> None:
    rated = pd.DataFrame([(1, "ana", "a"), (1, "ben", "a"), (2, "ana", "b"), (2, "ben", None)], columns=["item", "rater", "value"])
    found = rejudge.reliability(rated, choices=["a", "b"])
    assert "1 rating without a value" in repr(found) and "1 rating without a value" in found._repr_html_()
    assert found.to_dict()["krippendorff_alpha"]["n"] == 1
    assert "twice" in refusal(lambda: rejudge.reliability(pd.concat([rated, rated.head(1)])))
    assert "every row" in refusal(lambda: rejudge.reliability(rated.assign(rater=[None, "a", "b", "c"])))


@pytest.mark.parametrize("type_", ["binary", "ordinal", "multilabel", "score"])
def test_reliability_is_that_of_the_reference_cases_at_every_level(type_: str) -> None:
    names = {"binary": "alpha_nominal", "ordinal": "alpha_ordinal", "multilabel": "alpha_masi", "score": "alpha_interval"}
    for case in load_cases(cases_file()):
        if (
            "ratings" not in case["input"]
            or names[type_] not in case["expected"]
            or case["expected"][names[type_]]["value"] is None
        ):
            continue
        choices = case["input"]["choices"]
        if type_ == "binary" and len(choices) != 2:
            continue
        numbered = {choice: choice if isinstance(choice, int) else place for place, choice in enumerate(choices)}
        rows = [
            (item, f"rater {place}", numbered[value] if type_ == "score" and value is not None else value)
            for item, ratings in enumerate(case["input"]["ratings"])
            for place, value in enumerate(ratings)
        ]
        frame = pd.DataFrame(rows, columns=["item", "rater", "value"])
        found = rejudge.reliability(frame, type=type_, choices=None if type_ == "score" else choices).to_dict()  # type: ignore[arg-type]
        expected = case["expected"][names[type_]]
        assert found["krippendorff_alpha"]["value"] == pytest.approx(expected["value"], abs=expected["tolerance"]), case["id"]
        for other, key in (("alpha_jaccard", "alpha_jaccard"), ("fleiss_kappa", "fleiss"), ("ac1", "ac1")):
            if other in case["expected"] and key in found and case["expected"][other]["value"] is not None:
                assert found[key]["value"] == pytest.approx(
                    case["expected"][other]["value"], abs=case["expected"][other]["tolerance"]
                )


HOSTILE = ("<img src=x onerror=alert(1)>", "a\x1b[2Jb", "\u202egnp", "`rm` **bold** $x$", "</table><script>alert(2)</script>")


def test_every_text_of_a_frame_is_shown_as_text() -> None:
    pairs = [(choice, HOSTILE[(place * 3) % len(HOSTILE)]) for place, choice in enumerate(HOSTILE * 3)]
    frame = pd.DataFrame(pairs, columns=[HOSTILE[0], HOSTILE[1]])
    for shown in (
        rejudge.agreement(frame, HOSTILE[0], HOSTILE[1]),
        rejudge.agreement(frame.map(lambda choice: [choice]), HOSTILE[0], HOSTILE[1], type="multilabel"),
        rejudge.reliability(
            pd.DataFrame([(1, rater, HOSTILE[0]) for rater in HOSTILE], columns=["item", "rater", "value"]), choices=HOSTILE
        ),
    ):
        html, text = shown._repr_html_(), repr(shown)
        assert "<img" not in html and "<script" not in html and html.count("</table>") == html.count("<table")
        assert "\x1b" not in html + text and "\u202e" not in html + text


def test_what_is_shown_tells_the_matrix_the_figures_and_what_must_be_known() -> None:
    found = rejudge.agreement(frame_of(some_pairs()), type="binary", positive=YES)
    html, text = found._repr_html_(), repr(found)
    for said in (
        "Cohen’s kappa",
        "95 % interval",
        "sensitivity",
        "AC1",
        "bias index",
        "over-calls misaligned",
        "delta+4",
        'data-rj="matrix"',
    ):
        assert said in html, said
    assert "┌" in text and "kappa" in text and "n = 40" in text
    assert "undefined" in rejudge.agreement(frame_of([("a", "a")] * 9), choices=["a", "b"])._repr_html_()
    nothing = rejudge.agreement(frame_of([(None, "a"), ("b", None)]))
    assert "no item has an answer on both sides" in nothing._repr_html_() and nothing.to_dict()["n"] == 0
    few = rejudge.agreement(frame_of(some_pairs()[:20]), choices=[NO, YES])
    assert "preliminary" in few._repr_html_() and "preliminary" in repr(few)


def test_importing_rejudge_and_its_statistics_loads_nothing_slow() -> None:
    slow = ("pandas", "scipy", "sklearn", "statsmodels", "streamlit", "altair", "krippendorff", "nltk")
    code = f"import sys, rejudge; rejudge.agreement, rejudge.reliability; print([m for m in {slow!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (out.stdout.strip(), out.returncode) == ("[]", 0), out.stderr
    bare = "import sys, rejudge; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", bare], cwd=ROOT, capture_output=True, text=True).stdout.strip() == "False"


def test_a_hundred_thousand_rows_are_read_in_a_moment() -> None:
    random = np.random.default_rng(0)
    human = random.integers(0, 5, 100_000)
    judge = np.where(random.random(100_000) < 0.8, human, random.integers(0, 5, 100_000))
    start = process_time()
    found = rejudge.agreement(frame_of(list(zip(human, judge, strict=True))), choices=[0, 1, 2, 3, 4]).to_dict()
    assert found["n"] == 100_000 and process_time() - start < 5


def test_sixty_labels_are_as_many_as_a_study_may_have() -> None:
    names = [f"label {k:02}" for k in range(61)]
    sets = [(1, "ana", [names[0], names[59]]), (1, "ben", [names[59]]), (2, "ana", [names[58]]), (2, "ben", [])]
    frame = pd.DataFrame(sets, columns=["item", "rater", "value"])
    found = rejudge.reliability(frame, type="multilabel", choices=names[:60]).to_dict()["pairs"][0]["by_label"]
    assert found[names[59]]["confusion"] == [[1, 0], [0, 1]] and found[names[58]]["confusion"] == [[1, 0], [1, 0]]
    assert "at most 60" in refusal(lambda: rejudge.reliability(frame, type="multilabel", choices=names))
