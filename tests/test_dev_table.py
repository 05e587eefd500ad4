"""Judge runs beside humans on dev: what candidates are compared by."""

from pathlib import Path

import pytest

from data.store import Store
from data.study import Study
from judge.competing import contest, optimism
from judge.dev_table import dev_table
from tests.study_maker import SEVERITY, Sitting, draw_batch, label, make_study, numbered, run_line, verdict

RIGHT: dict[str, str | None] = {f"r{place:03}": ("misaligned" if place % 3 == 0 else "aligned") for place in range(200)}


def judged(folder: Path, wrong: dict[str, int]) -> Study:
    """200 items; each run of `wrong` errs on one item in so many, and cannot be read on r001 to r009."""
    lines = []
    for place, (id, right) in enumerate(RIGHT.items()):
        other = "aligned" if right == "misaligned" else "misaligned"
        said = {run: other if place % every == 0 else right for run, every in wrong.items()}
        lines.append(run_line(id, verdicts=[verdict(None if 0 < place < 10 else said[run], run) for run in wrong]))
    return make_study(folder, lines, rest="[split]\ntrain = 0.1\ndev = 0.6\n")


def splits(study: Study) -> dict[str, str]:
    with Store.open(study.database) as store:
        return dict(store.conn.execute("SELECT id, split FROM trajectories"))


def test_only_dev_items_with_a_label_are_compared(tmp_path: Path) -> None:
    study = judged(tmp_path / "study", {"old": 4, "new": 15})
    draw_batch(study, 200, overlap=1)
    with Sitting(study, "ana") as ana:
        ana.label_all(RIGHT)
    dev = [id for id, split in splits(study).items() if split == "dev"]
    assert 60 < len(dev) < 180
    with Store.open(study.database) as store:
        table = dev_table(store, study, "misaligned")
        found = table.compared("old", "new")
        shared = table.shared(["old", "new"])
    assert len(table.labelled) == found.n == len(shared.human) == len(dev)
    # r000 is wrong by both counts; r001 to r009 cannot be read, which is a disagreement.
    wrong = {every: sum(int(id[1:]) % every == 0 or id < "r010" for id in dev) for every in (4, 15)}
    assert sum(found.only_second_right) - sum(found.only_first_right) == wrong[4] - wrong[15]
    assert [int((said != shared.human).sum()) for said in shared.verdicts] == [wrong[4], wrong[15]]
    chance = optimism(shared, times=100)
    assert chance.expected is not None
    assert chance.expected == pytest.approx(0, abs=1e-12), "one candidate is no choice"
    assert chance.often_below is not None
    assert chance.often_below > 0.05
    assert contest("old", {"old": 10, "new": 12}, table.compared).winner == "new"


def test_items_of_a_stratified_draw_stand_for_as_many_as_they_were_drawn_from(tmp_path: Path) -> None:
    study = judged(tmp_path / "study", {"old": 4, "new": 15})
    draw_batch(study, 40, by="old", split="dev")
    with Sitting(study, "ana") as ana:
        ana.label_all(RIGHT)
    dev = sum(split == "dev" for split in splits(study).values())
    with Store.open(study.database) as store:
        shared = dev_table(store, study, "misaligned").shared(["old", "new"])
    assert len(shared.human) == 40
    assert shared.weights.sum() == pytest.approx(dev)
    assert len(set(shared.weights.tolist())) > 1


def test_without_labels_there_is_nothing_to_compare(tmp_path: Path) -> None:
    study = judged(tmp_path / "study", {"old": 4, "new": 15})
    with Store.open(study.database) as store:
        table = dev_table(store, study, "misaligned")
        assert table.labelled == []
        assert table.compared("old", "new").difference.value is None
        assert table.compared("old", "nobody").n == 0
        assert optimism(table.shared(["old", "nobody"])).expected is None
        with pytest.raises(ValueError, match="must be declared"):
            dev_table(store, study, "other")


def test_near_misses_of_ordered_choices_count_less(tmp_path: Path) -> None:
    near = [{"run": run, "question": "severity", "choice": choice} for run, choice in (("near", "some"), ("far", "much"))]
    lines = [
        line | {"verdicts": near, "labels": [label("ana", "none" if place % 2 else "some") | {"question": "severity"}]}
        for place, line in enumerate(numbered(80))
    ]
    study = make_study(tmp_path / "study", lines, [SEVERITY])
    with Store.open(study.database) as store:
        table = dev_table(store, study, "severity")
    assert table.weights == "linear"
    assert table.shared(["near", "far"]).weights.tolist() == [1.0] * len(table.labelled)
