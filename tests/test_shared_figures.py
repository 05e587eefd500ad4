"""Figures of several judges on shared items, and the interval of the difference of two."""

from typing import Any

import numpy as np
import pytest

from data.shared_items import SharedItems
from reports.agreement import kappa
from reports.sample import Sample
from reports.shared_figures import BLOCKS, Kappa, MeanKappa, RankCorrelation, paired


def shared(human: Any, *verdicts: Any, choices: int = 2, groups: Any = None, weights: Any = None) -> SharedItems:
    n = len(human)
    return SharedItems(
        np.array(human),
        np.array(verdicts),
        choices,
        np.arange(n) if groups is None else np.array(groups),
        np.ones(n) if weights is None else np.array(weights, dtype=np.float64),
    )


def test_kappa_is_that_of_the_table_with_a_column_for_what_cannot_be_read() -> None:
    human, said = [0, 0, 0, 1, 1, 1, 0, 1], [0, 0, 1, 1, 1, -1, -1, 0]
    table = Sample.of_table([[2, 1], [1, 2]], [1, 1])
    (found,) = Kappa()(shared(human, said))
    assert found == pytest.approx(kappa(table).value)


def test_a_label_that_the_humans_never_tell_apart_is_in_no_mean() -> None:
    human = [0b001, 0b000, 0b011, 0b001, 0b010, 0b000]
    items = shared(human, human, [each | 0b100 for each in human], choices=3)
    assert MeanKappa.of(items).labels == (0, 1)
    assert MeanKappa.of(items)(items).tolist() == [1.0, 1.0]
    same = shared([1, 1, 1], [1, 1, 1], [1, 0, 1], choices=2)
    assert not np.isfinite(MeanKappa.of(same)(same)).any()
    assert "undefined" in paired(same, MeanKappa.of(same)).difference.reason


def test_an_unreadable_score_stands_at_the_end_that_is_farther_from_the_humans() -> None:
    levels = np.array([0.0, 2.0, 9.0, 10.0])
    figure = RankCorrelation(levels, 0.0, 10.0)
    gaps, ends = figure(shared([0, 1, 2, 3, 1], [0, -1, 2, -1, 1], [0, 3, 2, 0, 1]))
    assert gaps == pytest.approx(ends)


def test_weights_count_as_copies_do() -> None:
    rng = np.random.default_rng(4)
    human, one, two = (rng.integers(0, 5, 40) for _ in range(3))
    times = rng.integers(1, 4, 40)
    copies = [np.repeat(each, times) for each in (human, one, two)]
    for figure in (Kappa("linear"), RankCorrelation(np.arange(5.0), 0, 4)):
        weighted = figure(shared(human, one, two, choices=5, weights=times))
        assert weighted == pytest.approx(figure(shared(*copies, choices=5)))


def test_copies_of_an_item_in_its_group_tell_no_more_than_one() -> None:
    rng = np.random.default_rng(5)
    human = rng.integers(0, 5, 60)
    said = [np.clip(human + rng.integers(-wide, wide + 1, 60), 0, 4) for wide in (1, 2)]
    figure = RankCorrelation(np.arange(5.0), 0, 4)
    once = paired(shared(human, *said), figure)
    copied = paired(shared(*(np.tile(each, 4) for each in (human, *said)), groups=np.tile(np.arange(60), 4)), figure)
    loose = paired(shared(*(np.tile(each, 4) for each in (human, *said))), figure)
    assert copied.error.value == pytest.approx(once.error.value)
    assert (loose.error.value or 1) < 0.65 * (once.error.value or 0)
    assert f"jackknife over {BLOCKS} blocks of items" in loose.difference.method and "over 60 groups" in copied.difference.method


def test_the_jackknife_tells_how_the_difference_varies_from_sample_to_sample() -> None:
    rng = np.random.default_rng(6)
    values, errors = [], []
    for _ in range(120):
        human = rng.integers(0, 8, 80)
        said = [human ^ np.where(rng.random(80) < wrong, rng.integers(0, 8, 80), 0) for wrong in (0.5, 0.3)]
        items = shared(human, *said, choices=3)
        found = paired(items, MeanKappa.of(items))
        assert found.difference.value is not None and found.error.value is not None
        values.append(found.difference.value)
        errors.append(found.error.value)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)


def test_what_has_no_width_has_a_reason() -> None:
    human = [0, 1, 2, 3, 4, 0, 1, 2]
    figure = RankCorrelation(np.arange(5.0), 0, 4)
    same = paired(shared(human, human, human), figure)
    assert (same.difference.value, same.difference.low, same.error.value) == (0.0, None, 0.0) and same.difference.reason
    one_group = paired(shared(human, human, human[::-1], groups=[0] * 8), figure)
    assert one_group.difference.low is None and one_group.error.value is None and "one group" in one_group.error.reason
    with pytest.raises(ValueError, match="Found 1"):
        paired(shared(human, human), figure)
