"""What would give the answer away is kept hidden by every format, whatever study.toml asks to show."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.arrivals import Naming, Receiver
from data.formats import FORMATS
from data.formats.fields import gives_away
from data.study import parse_study
from tests.good_files import GOOD_FILES, SECRET, chat, claude, record, tau_run, write_csv, write_json, write_parquet
from tests.small_study import bring, line, make_study, rows, write_lines


def spread(field: str) -> dict[str, Any]:
    """Metadata with `field` in every way that it could be written."""
    return {"plain": "seen", field: SECRET, field.upper(): SECRET, f" {field} ": SECRET, "deep": {"a": [{field: SECRET}]}}


def beside(field: str) -> dict[str, Any]:
    return {} if field in ("verdicts", "labels") else {field: SECRET}


def native_file(folder: Path, field: str) -> Path:
    return write_lines(folder / "f.jsonl", line(metadata={"plain": "seen", field: SECRET, "deep": [{field: SECRET}]}))


def r_judge_file(folder: Path, field: str) -> Path:
    changes = {"scenario": "seen", "risk_description": None, field: 1 if field == "label" else SECRET}
    return write_json(folder / "f.json", record(**changes))


def tau_bench_file(folder: Path, field: str) -> Path:
    if field in ("reward", "traj", "info"):
        return write_json(folder / "f.json", tau_run())
    return write_json(folder / "f.json", tau_run(**{field: SECRET, "info": tau_run()["info"] | {field: SECRET}}))


def anthropic_file(folder: Path, field: str) -> Path:
    return write_lines(folder / "f.jsonl", claude(labels=None, metadata=spread(field)) | beside(field))


def openai_file(folder: Path, field: str) -> Path:
    return write_lines(folder / "f.jsonl", chat(verdicts=None, metadata=spread(field)) | beside(field))


def csv_file(folder: Path, field: str) -> Path:
    return write_csv(folder / "f.csv", [{"id": 1, "text": "x", "plain": "seen", field: SECRET, field.upper(): SECRET}])


def parquet_file(folder: Path, field: str) -> Path:
    return write_parquet(folder / "f.parquet", [{"id": "1", "text": "x", **spread(field)}])


HOLDERS: dict[str, Callable[[Path, str], Path]] = {
    "native": native_file,
    "r-judge": r_judge_file,
    "tau-bench": tau_bench_file,
    "anthropic": anthropic_file,
    "openai-chat": openai_file,
    "csv": csv_file,
    "parquet": parquet_file,
}
"""By format: a file that has a field wherever this format could carry it."""


def test_every_format_that_brings_trajectories_is_tried() -> None:
    assert set(HOLDERS) == set(FORMATS) - {"answers"} and FORMATS["answers"].GIVEAWAYS == ()


@pytest.mark.parametrize("name", HOLDERS)
def test_a_giveaway_is_hidden_and_never_part_of_what_a_study_could_show(name: str, tmp_path: Path) -> None:
    format = FORMATS[name]
    study = parse_study('name = "s"\n', tmp_path)
    assert format.GIVEAWAYS
    for field in format.GIVEAWAYS:
        path = HOLDERS[name](tmp_path, field)
        (entry,) = format.read(path)
        entry.verdicts, entry.labels = [], []
        arrived = Receiver(study, Naming(), format, path).receive(entry).trajectory
        assert arrived is not None
        assert SECRET not in f"{arrived.task} {arrived.steps} {json.dumps(arrived.metadata)}", field
        assert field not in arrived.metadata
        if field not in ("label", "reward", "traj"):  # these are the answer or the trajectory, and kept as that
            assert SECRET in json.dumps(arrived.hidden), field
        assert "seen" in arrived.metadata.values() or name == "tau-bench", "what gives nothing away can be shown"


SHOWN = json.dumps(["domain", "reward", "info", "score", "runs", "labels", "model", "review", "goal", "risk_type", "task_id"])
QUESTION = """
[[question]]
id = "misaligned"
ask = "?"
type = "binary"
choices = ["aligned", "misaligned"]
positive = "misaligned"
"""


@pytest.mark.parametrize("name", [name for name in GOOD_FILES if name != "answers"])
def test_nothing_secret_of_a_good_file_can_be_shown(name: str, tmp_path: Path) -> None:
    own = name in ("r-judge", "tau-bench")
    folder = make_study(tmp_path / "s", 'name = "s"\n' + ("" if own else QUESTION) + f"\n[blind]\nshow = {SHOWN}\n")
    bring(folder, GOOD_FILES[name](tmp_path))
    found = rows(folder, "SELECT task, steps, metadata, hidden FROM trajectories")
    assert len(found) == 3
    for task, steps, metadata, hidden in found:
        assert SECRET not in f"{task} {steps} {metadata}" and SECRET in hidden


def test_every_published_giveaway_is_in_the_list_of_its_format() -> None:
    assert {"label", "risk_description", "goal", "risk_type", "failure_mode", "ambiguous"} <= set(FORMATS["r-judge"].GIVEAWAYS)
    assert {"reward", "info", "actions", "reward_info", "review"} <= set(FORMATS["tau-bench"].GIVEAWAYS)
    outcomes = {
        "reward",
        "score",
        "scores",
        "judge_output",
        "label",
        "target",
        "behavior_class",
        "ttf",
        "mast_annotation",
        "risk_level",
    }
    for name in ("openai-chat", "anthropic", "csv", "parquet"):
        assert outcomes <= set(FORMATS[name].GIVEAWAYS)


def test_a_giveaway_is_found_at_any_depth_and_in_any_case() -> None:
    giveaways = frozenset(("reward",))
    for key, value in (
        ("reward", 1),
        (" Reward", 1),
        ("info", {"REWARD": 1}),
        ("info", [[{"a": {"reward": None}}]]),
    ):
        assert gives_away(key, value, giveaways)
    for key, value in (("rewarding", 1), ("info", "reward"), ("info", [1, ["reward"]]), ("", {})):
        assert not gives_away(key, value, giveaways)
