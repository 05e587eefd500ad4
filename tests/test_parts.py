"""Counting parts of a study: what was read once and restricted is what reading the part alone gives."""

from pathlib import Path

import numpy as np
import pytest

from data.store import Store
from data.store.columns import trajectory_count
from data.store.tallying import read_answers, tally
from data.study import Study
from tests.study_maker import Sitting, draw_batch, label, make_study, numbered, run_line, verdict

A, M = "aligned", "misaligned"


def drawn(folder: Path) -> Study:
    """Sixty runs in groups of two, a batch by verdict that two people labelled; ties, skips, unsures and errors among them."""
    lines = [
        run_line(
            f"r{place:02}",
            group=f"g{place // 2}",
            metadata={"domain": "abc"[place % 3]},
            verdicts=[verdict(None if place == 7 else (M if place % 4 == 0 else A))] if place != 9 else [],
        )
        for place in range(60)
    ]
    study = make_study(folder / "study", lines)
    draw_batch(study, 30, overlap=2, by="judge-a")
    for handle, choices in (("ana", {"r04": A, "r08": None}), ("ben", {"r00": A, "r12": M, "r16": M, "r08": None})):
        with Sitting(study, handle) as sitting:
            sitting.label_all({f"r{place:02}": M for place in range(0, 60, 5)} | choices)
    return study


def imported(folder: Path) -> Study:
    lines = [
        {**line, "verdicts": [verdict(A if place % 3 else M)], "labels": [label("ana", M if place % 2 else A)]}
        for place, line in enumerate(numbered(20))
    ]
    return make_study(folder / "study", lines)


@pytest.mark.parametrize("make", [drawn, imported])
@pytest.mark.parametrize("source", [None, "all"])
def test_a_part_of_what_was_read_is_counted_like_the_part_alone(make, source: str | None, tmp_path: Path) -> None:
    study = make(tmp_path)
    with Store.open(study.database) as store:
        (answers,) = read_answers(store, study, None, source)
        size = trajectory_count(store)
        for seed in range(6):
            items = np.random.default_rng(seed).random(size + 1) < 0.5
            items[0] = False
            (alone,) = tally(store, study, None, source, items)
            assert answers.within(items, answers.frame.within(items)).tally() == alone
        assert answers.tally() == tally(store, study, None, source)[0]
