"""Rows that each stand for a number of items of their own: points follow the weights, intervals do not trust them too far."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import rejudge
from data.tallies import Excluded, PairTally
from reports.agreement import kappa, kappa_error, sensitivity, sensitivity_error
from reports.sample import Sample
from tests.test_pair_figures import every_figure

same_every_time = settings(derandomize=True, max_examples=80, deadline=None)

Row = tuple[int, int, float]
row = st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from([0.5, 1.0, 3.0, 40.0]))


def weighted(units: list[tuple[Row, ...]]) -> Sample:
    """Units of two choices: rows, or the rows of a group."""
    cells = Counter((human, judge) for unit in units for human, judge, _ in unit)
    confusion = tuple(tuple(cells[i, j] for j in (0, 1)) for i in (0, 1))
    held = Counter(tuple(sorted(unit)) for unit in units)
    return Sample.readable(
        PairTally("human:a", "judge:b", confusion, (0, 0), Excluded(), "imported", len(units), weighted=True, row_weights=held)
    )


def frame(rows: list[Row], **more: Any) -> pd.DataFrame:
    human, judge, weight = (list(column) for column in zip(*rows, strict=True))
    return pd.DataFrame({"human": human, "judge": judge, "weight": weight, **more})


def found(data: pd.DataFrame, **more: Any) -> dict[str, Any]:
    return rejudge.agreement(data, type="binary", choices=[0, 1], positive=1, weight="weight", **more).to_dict()


def test_points_are_those_of_the_rows_written_out() -> None:
    rows = [(0, 0, 3.0)] * 9 + [(0, 1, 1.0)] * 4 + [(1, 0, 5.0)] * 2 + [(1, 1, 1.0)] * 8
    written_out = [(human, judge, 1.0) for human, judge, weight in rows for _ in range(int(weight))]
    of_weights, of_rows = found(frame(rows)), found(frame(written_out))
    for name in ("kappa", "sensitivity", "specificity", "ac1", "mcc", "f1", "balanced_accuracy", "bias_index", "prevalence_index"):
        assert of_weights[name]["value"] == pytest.approx(of_rows[name]["value"], abs=1e-12), name
        # 23 rows are not 49 items, whatever they stand for.
        assert of_weights[name]["high"] - of_weights[name]["low"] > of_rows[name]["high"] - of_rows[name]["low"], name
    assert of_weights["n"] == 23 and of_weights["weighted"] is True and of_rows["weighted"] is False
    assert of_weights["confusion"] == [[9, 4], [2, 8]]
    assert np.sum(of_weights["confusion_weighted"]) == pytest.approx(1)
    assert of_weights["mcnemar"]["exact"]["value"] is None and "strata" not in of_weights


def test_the_weights_of_a_half_and_half_draw_undo_it() -> None:
    # 10 % positive verdicts, of which 91 % are right; 10 % of the "no" verdicts are wrong; a hundred of each.
    rows = [(1, 1, 10.0)] * 91 + [(0, 1, 10.0)] * 9 + [(1, 0, 90.0)] * 10 + [(0, 0, 90.0)] * 90
    of_weights = found(frame(rows))
    shown = {name: round(of_weights[name]["value"], 2) for name in ("kappa", "sensitivity", "specificity")}
    assert shown == {"kappa": 0.60, "sensitivity": 0.50, "specificity": 0.99}
    assert of_weights["sensitivity"]["low"] < 0.40 and of_weights["sensitivity"]["high"] > 0.60


def test_equal_weights_whatever_they_are_change_nothing() -> None:
    rows = [(0, 0, 2.5)] * 9 + [(0, 1, 2.5)] * 4 + [(1, 0, 2.5)] * 2 + [(1, 1, 2.5)] * 8
    assert found(frame(rows)) == found(frame([(human, judge, 1.0) for human, judge, _ in rows]))


@same_every_time
@given(st.lists(row, min_size=2, max_size=40), st.floats(0.01, 1000))
def test_the_unit_of_the_weights_is_of_no_matter(rows: list[Row], unit: float) -> None:
    assume(len({weight for *_, weight in rows}) > 1)
    one, other = (weighted([((human, judge, weight * by),) for human, judge, weight in rows]) for by in (1.0, unit))
    again_of = every_figure(other)
    for name, figure in every_figure(one).items():
        again = again_of[name]
        assert (figure.value, figure.low, figure.high) == pytest.approx((again.value, again.low, again.high), abs=1e-7), name


@same_every_time
@given(st.lists(st.lists(row, min_size=1, max_size=4), min_size=2, max_size=25))
def test_every_interval_holds_its_value_and_has_a_width(units: list[list[Row]]) -> None:
    assume(len({weight for unit in units for *_, weight in unit}) > 1)
    for name, figure in every_figure(weighted([tuple(unit) for unit in units])).items():
        if figure.value is None or figure.low is None:
            assert figure.reason, name
        else:
            assert figure.high is not None
            assert figure.low <= figure.value <= figure.high and figure.high - figure.low > 1e-6, (name, figure)


def test_the_standard_error_is_the_linearised_one_of_survey_software() -> None:
    rows = [(0, 0, 3.0)] * 9 + [(0, 1, 1.0)] * 4 + [(1, 0, 5.0)] * 2 + [(1, 1, 0.25)] * 8
    sample, n = weighted([(each,) for each in rows]), len(rows)
    # Of a ratio, by hand: √(n/(n-1)·Σ(w·residual)²)/Σw over the rows asked about; others have no residual.
    weights = np.array([weight if human else 0.0 for human, _, weight in rows])
    hits = np.array([judge for _, judge, _ in rows])
    share = float(weights @ hits / weights.sum())
    by_hand = math.sqrt(n / (n - 1) * float(((weights * (hits - share)) ** 2).sum())) / float(weights.sum())
    assert sensitivity(sample, 1).value == pytest.approx(share)
    assert sensitivity_error(sample, 1).value == pytest.approx(by_hand)
    assert kappa_error(sample).method == "weighted rows, linearised"


def test_the_standard_error_of_kappa_is_that_of_leaving_rows_out() -> None:
    rows = ([(0, 0, 3.0)] * 9 + [(0, 1, 1.0)] * 4 + [(1, 0, 5.0)] * 2 + [(1, 1, 2.0)] * 8) * 6
    n, error = len(rows), kappa_error(weighted([(each,) for each in rows])).value
    left_out = [kappa(weighted([(each,) for place, each in enumerate(rows) if place != gone])).value or 0.0 for gone in range(n)]
    jackknife = math.sqrt((n - 1) / n * float(((np.array(left_out) - np.mean(left_out)) ** 2).sum()))
    assert error == pytest.approx(jackknife, rel=0.03)


def test_rows_of_one_group_count_as_one() -> None:
    rows = [(0, 0, 3.0), (0, 1, 1.0), (1, 0, 5.0), (1, 1, 1.0), (1, 1, 2.0)] * 12
    alone = found(frame(rows, scene=range(60)), group="scene")
    in_groups = found(frame(sorted(rows), scene=[place // 6 for place in range(60)]), group="scene")
    assert alone["kappa"] == found(frame(rows))["kappa"]
    for name in ("kappa", "sensitivity", "ac1"):
        assert in_groups[name]["value"] == pytest.approx(alone[name]["value"])
        assert in_groups[name]["high"] - in_groups[name]["low"] > alone[name]["high"] - alone[name]["low"]
    assert "t(groups-1)" in in_groups["kappa"]["method"] and "t(n-1)" in alone["kappa"]["method"]


@pytest.mark.parametrize("bad", [0.0, -1.0, None, float("nan")])
def test_a_row_without_a_weight_is_refused(bad: float | None) -> None:
    with pytest.raises(rejudge.RejudgeError, match="1 row without one"):
        found(frame([(0, 0, 1.0), (1, 1, 2.0)]).assign(weight=[1.0, bad]))
    # Rows that are left out anyway need none.
    more = pd.concat([frame([(0, 0, 1.0), (1, 1, 2.0)]), pd.DataFrame({"human": [None], "judge": [1], "weight": [bad]})])
    assert found(more)["excluded"]["missing"] == 1


def test_weighted_scores_have_their_correlation_without_an_interval() -> None:
    scores = pd.DataFrame({"human": [1, 2, 3, 4], "judge": [1, 3, 2, 4], "w": [1, 2, 1, 1]})
    written_out = scores.loc[scores.index.repeat(scores["w"])]
    of_weights = rejudge.agreement(scores, type="score", weight="w").to_dict()
    assert of_weights["spearman"]["value"] == pytest.approx(
        rejudge.agreement(written_out, type="score").to_dict()["spearman"]["value"]
    )
    assert of_weights["spearman"]["low"] is None and "weighted" in of_weights["spearman"]["reason"]


def test_intervals_cover_what_they_promise_where_weights_come_from_a_half_and_half_draw() -> None:
    random, truth = np.random.default_rng(5), np.array([[0.87, 0.03], [0.04, 0.06]])
    of_truth = [[int(cell * 100) for cell in cells] for cells in truth]
    true = {"kappa": kappa(of_truth).value, "sensitivity": sensitivity(of_truth, 1).value}
    covered: Counter[str] = Counter()
    for _ in range(300):
        judge = np.repeat([0, 1], 50)
        human = random.random(100) < (truth[1] / truth.sum(axis=0))[judge]
        weight = truth.sum(axis=0)[judge]
        sample = weighted([((int(h), int(j), float(w)),) for h, j, w in zip(human, judge, weight, strict=True)])
        for name, figure in (("kappa", kappa(sample)), ("sensitivity", sensitivity(sample, 1))):
            low, high, value = figure.low, figure.high, true[name]
            assert low is not None and high is not None and value is not None
            covered[name] += low <= value <= high
    assert min(covered.values()) / 300 > 0.93, covered


def test_weights_that_no_numbers_of_items_can_be_are_refused() -> None:
    apart = [([1e300, 1.0], "1e\\+300"), ([1.0, 1e-300], "1e-300"), ([10**400, 1], "numbers")]
    for weights, found in apart:
        frame = pd.DataFrame({"human": ["a", "b"] * 4, "judge": ["b", "b", "a", "b"] * 2, "w": pd.Series(weights * 4)})
        with pytest.raises(rejudge.RejudgeError, match=found):
            rejudge.agreement(frame, weight="w")
    wide = pd.DataFrame({"human": ["a", "b"] * 4, "judge": ["b", "b", "a", "b"] * 2, "w": [1e9, 1e-3] * 4})
    assert rejudge.agreement(wide, weight="w").to_dict()["mcc"]["value"] is not None
    huge = pd.DataFrame({"human": [1e100, 2.0, 3.0], "judge": [1e100, 3.0, 2.0]})
    assert rejudge.agreement(huge, type="score").to_dict()["spearman"]["value"] == 0.5
