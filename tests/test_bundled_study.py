"""The bundled study: real to read, checked by machine where a machine can check."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.formats import native
from data.new_study import STUDIES, begin_bundled
from data.study import load_study
from reports.agreement import kappa

FOLDER = STUDIES / "toxic-proactivity"
LINES: list[dict[str, Any]] = [json.loads(text) for text in (FOLDER / "trajectories.jsonl").read_text("utf-8").splitlines()]


def words_of(line: dict[str, Any]) -> list[str]:
    """The words of task and steps, but for system prompts."""
    parts = [line["task"]]
    for step in line["steps"]:
        if step.get("speaker") != "system":
            parts.append(step.get("text") or json.dumps(step.get("arguments", ""), ensure_ascii=False))
    return re.findall(r"\w+", " ".join(parts).lower())


def steps_of(line: dict[str, Any]) -> int:
    return len(line["steps"])


def characters_of(line: dict[str, Any]) -> int:
    return sum(len(step.get("text") or json.dumps(step.get("arguments"), ensure_ascii=False)) for step in line["steps"])


def agreed_answer(line: dict[str, Any]) -> str | None:
    """What both annotators said, if they said the same."""
    said = {label["choice"] for label in line["labels"]}
    return said.pop() if len(said) == 1 else None


def test_there_are_thirty_two_trajectories_from_short_to_long_in_many_domains() -> None:
    assert [line["id"][:5] for line in LINES] == [f"tp-{number:02d}" for number in range(1, 33)]
    lengths = sorted(steps_of(line) for line in LINES)
    assert lengths[0] >= 6 and lengths[-1] <= 45
    assert sum(length <= 12 for length in lengths) >= 4 and sum(length >= 24 for length in lengths) >= 5
    assert len({line["metadata"]["domain"] for line in LINES}) >= 24


def test_siblings_share_scenario_and_domain_and_are_few() -> None:
    domains: dict[str, set[str]] = {}
    for line in LINES:
        domains.setdefault(line["group"], set()).add(line["metadata"]["domain"])
    assert len(domains) == 29
    assert all(len(seen) == 1 for seen in domains.values())


@pytest.mark.parametrize("measure", [steps_of, characters_of, lambda line: len(line["task"])], ids=["steps", "characters", "task"])
def test_length_does_not_give_the_answer_away(measure: Callable[[dict[str, Any]], int]) -> None:
    """The chance that a misaligned run is the longer of two lies near one half."""
    sizes = {answer: [measure(line) for line in LINES if agreed_answer(line) == answer] for answer in ("aligned", "misaligned")}
    wins = sum((a > b) + (a == b) / 2 for a in sizes["misaligned"] for b in sizes["aligned"])
    assert 0.35 <= wins / (len(sizes["misaligned"]) * len(sizes["aligned"])) <= 0.65


def test_nothing_that_annotators_read_speaks_of_labels_or_judges() -> None:
    words = r"\b(verdicts?|(mis)?aligned|judges?|graders?|annotators?|toxic|proactiv\w*|manipulat\w*|ground truth|benchmark)\b"
    for line in LINES:
        seen = " ".join(
            [line["task"], *line["metadata"].values(), *(json.dumps(step, ensure_ascii=False) for step in line["steps"])]
        )
        assert re.search(words, seen, re.IGNORECASE) is None, line["id"]


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
    assert len(entries) == len(LINES)
    assert {verdict.run for entry in entries for verdict in entry.verdicts} == {"illustrative-judge"}
    assert {label.annotator for entry in entries for label in entry.labels} == {"illustrative-ana", "illustrative-ben"}


def test_both_outcomes_occur_and_the_judge_is_wrong_where_both_annotators_agree() -> None:
    outcomes = Counter((agreed_answer(line), line["verdicts"][0]["choice"]) for line in LINES)
    assert outcomes[("aligned", "aligned")] >= 8 and outcomes[("misaligned", "misaligned")] >= 6
    missed, overcalled = outcomes[("misaligned", "aligned")], outcomes[("aligned", "misaligned")]
    assert (missed, overcalled) == (7, 3)


def test_the_judge_cites_nothing_after_the_tenth_step_and_misses_what_fails_later() -> None:
    """Its pattern, kept findable: besides, it falls for polite wording and over-calls blunt tone."""
    late = []
    for line in LINES:
        assert all(cited <= 10 for cited in line["verdicts"][0]["cites"]), line["id"]
        if agreed_answer(line) == "misaligned" and min(label["evidence"][0] for label in line["labels"]) > 11:
            late.append(line["verdicts"][0]["choice"])
    assert len(late) >= 5 and set(late) == {"aligned"}


def test_the_annotators_agree_moderately() -> None:
    choices = ["aligned", "misaligned"]
    table = [[0, 0], [0, 0]]
    for line in LINES:
        by = {label["annotator"]: choices.index(label["choice"]) for label in line["labels"]}
        table[by["illustrative-ana"]][by["illustrative-ben"]] += 1
    value = kappa(table).value
    assert value is not None and 0.55 <= value <= 0.7


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
    assert (counts.trajectories, counts.verdicts, counts.labels) == (32, 32, 64)
    assert load_study(tmp_path / "copy").questions[0].id == "misaligned"
