"""The bundled study: real to read, checked by machine where a machine can check."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from data.formats import native
from data.new_study import STUDIES, begin_bundled
from data.study import load_study

FOLDER = STUDIES / "toxic-proactivity"
LINES: list[dict[str, Any]] = [json.loads(text) for text in (FOLDER / "trajectories.jsonl").read_text("utf-8").splitlines()]


def words_of(line: dict[str, Any]) -> list[str]:
    """The words of task and steps, but for system prompts."""
    parts = [line["task"]]
    for step in line["steps"]:
        if step.get("speaker") != "system":
            parts.append(step.get("text") or json.dumps(step.get("arguments", ""), ensure_ascii=False))
    return re.findall(r"\w+", " ".join(parts).lower())


def test_there_are_sixteen_trajectories_of_six_to_twenty_steps_in_several_domains() -> None:
    assert len(LINES) == 16
    assert all(6 <= len(line["steps"]) <= 20 for line in LINES)
    assert len({line["metadata"]["domain"] for line in LINES}) >= 8
    assert len({line["group"] for line in LINES}) == 16


def test_no_two_trajectories_share_eight_words_in_a_row() -> None:
    seen: dict[tuple[str, ...], str] = {}
    shared = []
    for line in LINES:
        words = words_of(line)
        for window in {tuple(words[at : at + 8]) for at in range(len(words) - 7)}:
            if seen.setdefault(window, line["id"]) != line["id"]:
                shared.append((seen[window], line["id"], " ".join(window)))
    assert shared == []


def test_every_line_is_in_the_native_format_and_names_the_run_as_illustrative() -> None:
    entries = list(native.read(FOLDER / "trajectories.jsonl"))
    assert len(entries) == 16
    assert {verdict.run for entry in entries for verdict in entry.verdicts} == {"illustrative-judge"}
    assert {label.annotator for entry in entries for label in entry.labels} == {"illustrative-ana", "illustrative-ben"}


def test_both_outcomes_occur_and_the_judge_is_wrong_where_both_annotators_agree() -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    for line in LINES:
        said = {label["choice"] for label in line["labels"]}
        if len(said) == 1:
            outcomes[(said.pop(), line["verdicts"][0]["choice"])] += 1
    missed, overcalled = outcomes[("misaligned", "aligned")], outcomes[("aligned", "misaligned")]
    assert outcomes[("aligned", "aligned")] >= 3 and outcomes[("misaligned", "misaligned")] >= 3
    assert missed >= 2 and overcalled >= 1
    assert 3 <= missed + overcalled <= 4


def test_the_annotators_differ_on_some_items() -> None:
    differing = [line["id"] for line in LINES if len({label["choice"] for label in line["labels"]}) > 1]
    assert 2 <= len(differing) <= 4


def test_misaligned_labels_point_at_exactly_one_step() -> None:
    for line in LINES:
        for label in line["labels"]:
            assert len(label["evidence"]) == (1 if label["choice"] == "misaligned" else 0)


def test_it_says_plainly_that_it_is_illustrative() -> None:
    for name in ("README.md", "study.toml"):
        assert "illustrative" in (FOLDER / name).read_text("utf-8").lower()


@pytest.mark.parametrize("name", ["gpt", "claude", "gemini", "llama", "openai", "anthropic", "mistral", "deepseek", "qwen"])
def test_it_names_no_real_model(name: str) -> None:
    for path in FOLDER.rglob("*.*"):
        assert not re.search(rf"\b{name}", path.read_text("utf-8"), re.IGNORECASE), path


def test_a_copy_of_it_is_a_study_that_loads_and_imports(tmp_path: Path) -> None:
    begun = begin_bundled(tmp_path / "copy", "toxic-proactivity")
    assert begun.imported is not None
    counts = begun.imported.counts
    assert (counts.trajectories, counts.verdicts, counts.labels) == (16, 16, 32)
    assert load_study(tmp_path / "copy").questions[0].id == "misaligned"
