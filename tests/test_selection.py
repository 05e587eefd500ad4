"""A prompt that was revised in the study is reported on dev alone, marked, in every document, and nowhere on test."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.splits import SPLITS
from data.store import Store
from data.store.disagreements import side_by_side
from data.store.people import first_lead
from data.store.selection import selection
from data.store.status import judge_run_codes
from data.store.test_looks import spend
from data.study import Study
from reports.document import SELECTED, SELECTED_SAID
from reports.of_study.plan import seen_so_far
from reports.of_study.report import documents_of
from reports.terminal import agreement_text
from reports.written import html, markdown
from reports.written.whole import report_from
from tests.conftest import Run
from tests.two_prompts import ask, labelled_study, right_in, split_sizes, two_prompts


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return two_prompts(tmp_path_factory.mktemp("selected") / "study", right_in(0.8, 1), right_in(0.9, 2))


@pytest.fixture(scope="module")
def documents(study: Study) -> dict[str, Any]:
    with Store.open(study.database) as store:
        return documents_of(study, store, None)


def by_run(pairs: list[Any], run: str) -> list[Any]:
    return [pair for pair in pairs if pair["columns"] == f"judge:{run}"]


@pytest.mark.parametrize(("split", "revised"), [("", {"copy"}), ("[split]\ntrain = 0.0\ndev = 0.0\n", set())])
def test_a_copy_that_names_no_parent_is_a_revision_once_there_are_labels_and_dev_items(
    tmp_path: Path, split: str, revised: set[str]
) -> None:
    study = labelled_study(tmp_path / "study", 30, split)
    ask(study, "first", right_in(0.8, 1))
    ask(study, "copy", right_in(0.9, 2))
    with Store.open(study.database) as store:
        assert selection(store).runs == revised


def test_the_runs_of_revised_prompts_are_known(study: Study) -> None:
    with Store.open(study.database) as store:
        found = selection(store)
    assert found.runs == {"new"} and int(found.items.sum()) == split_sizes(study)["dev"]
    assert found.of("old", "new") and not found.of("old", None)


def test_agree_reports_a_revision_on_dev_alone_and_the_first_prompt_on_all(study: Study, run: Run) -> None:
    document = json.loads(run("agree", "--json", "--study", study.folder).stdout)
    pairs, sizes = document["questions"][0]["pairs"], split_sizes(study)
    assert len(by_run(pairs, "new")) == len(by_run(pairs, "old")) == 3
    for pair in by_run(pairs, "new"):
        assert (pair["n"], pair["splits"], pair["selected"]) == (sizes["dev"], ["dev"], True)
        assert SELECTED in pair["marks"] and pair["excluded"]["missing"] == 0
    for pair in by_run(pairs, "old"):
        assert pair["n"] == sum(sizes.values()) and "selected" not in pair and SELECTED not in pair["marks"]


def test_the_text_of_agree_says_so(study: Study, run: Run, documents: dict[str, Any]) -> None:
    said = " ".join(run("agree", "--study", study.folder).stdout.split())
    assert said.count("dev items only: the prompt was revised in this study") >= 1
    old = run("agree", "--run", "old", "--study", study.folder).stdout
    assert "dev items only" not in old
    assert "dev items only" in agreement_text(documents["agreement"])


def test_a_comparison_with_the_first_prompt_is_paired_on_dev_alone(study: Study, documents: dict[str, Any]) -> None:
    (pair,) = documents["comparisons"]["questions"][0]["pairs"]
    assert (pair["first"], pair["second"], pair["selected"]) == ("judge:old", "judge:new", True)
    (table,) = pair["tables"]
    assert table["comparison"]["n"] == split_sizes(study)["dev"] and table["said"].endswith(SELECTED_SAID)


def test_rates_slices_panels_and_plans_of_a_revision_are_those_of_dev(study: Study, documents: dict[str, Any]) -> None:
    dev = split_sizes(study)["dev"]
    rates = {each["run"]: each for each in documents["prevalence"]["questions"][0]["runs"]}
    assert rates["new"]["labelled"] == dev and sum(rates["new"]["verdicts"].values()) == dev
    assert SELECTED in rates["new"]["marks"] and SELECTED not in rates["old"]["marks"]
    judges = {each["judge"]: each for each in documents["humans"]["questions"][0]["judges"]}
    assert judges["new"]["words"].endswith(SELECTED_SAID) and not judges["old"]["words"].endswith(SELECTED_SAID)
    assert judges["new"]["difference"]["n"] == dev
    sliced = {each["columns"]: each for each in documents["slices"]["questions"][0]["runs"]}
    assert all(table["overall"]["n"] == dev for table in sliced["judge:new"]["tables"])
    with Store.open(study.database) as store:
        seen = seen_so_far(study, store, None, None)["questions"][0]["runs"]
    assert {each["run"]: each["parts"][0]["labelled"] for each in seen}["new"] == dev


def test_disagreements_of_a_revision_are_counted_on_dev_in_the_report_and_never_on_test(
    study: Study, documents: dict[str, Any]
) -> None:
    runs = {each["run"]: each for each in documents["disagreements"]["questions"][0]["runs"]}
    totals = {split: sum(map(sum, runs["new"]["tables"][0]["counts"][split])) for split in SPLITS}
    assert totals == {"train": 0, "dev": split_sizes(study)["dev"], "test": 0} and runs["new"]["items"] == []
    with Store.open(study.database) as store:
        beside = side_by_side(store, study, "misaligned", judge_run_codes(store)["new"])
    found = {split: sum(map(sum, counts)) for split, counts in beside.cells().counts.items()}
    assert found["test"] == 0 and found["train"] == split_sizes(study)["train"]


def test_the_report_says_it_beside_the_figures(documents: dict[str, Any]) -> None:
    report = report_from(documents)
    for text in (markdown.written(report), html.written(report)):
        assert "selected on these items" in text
        assert "only dev items count" in text


def test_not_even_a_spent_study_tells_of_a_revision_on_test(tmp_path: Path, run: Run) -> None:
    study = two_prompts(tmp_path / "study", right_in(0.8, 1), right_in(0.9, 2), items=60)
    with Store.open(study.database) as store:
        spend(store, first_lead(store))
    document = json.loads(run("agree", "--json", "--run", "new", "--study", study.folder).stdout)
    assert {pair["n"] for pair in document["questions"][0]["pairs"]} == {split_sizes(study)["dev"]}


def test_a_revision_without_a_dev_split_is_reported_nowhere(tmp_path: Path, run: Run) -> None:
    study = two_prompts(tmp_path / "study", right_in(0.8, 1), right_in(0.9, 2), items=30, rest="[split]\ntrain = 0.0\ndev = 0.0\n")
    document = json.loads(run("agree", "--json", "--study", study.folder).stdout)
    assert {pair["columns"] for pair in document["questions"][0]["pairs"]} == {"judge:old"}


def test_a_revision_contradicts_itself_on_dev_alone(tmp_path: Path, run: Run) -> None:
    study = labelled_study(tmp_path / "study", 60)
    ask(study, "new", right_in(0.9, 2), ask(study, "old", right_in(0.8, 1), repeats=2), repeats=2)
    found = {
        each["run"]: each
        for each in json.loads(run("agree", "--json", "--study", study.folder).stdout)["questions"][0]["consistency"]
    }
    assert found["new"]["items"] == split_sizes(study)["dev"] and found["new"]["selected"] and SELECTED in found["new"]["marks"]
    assert found["old"]["items"] == 60 and "selected" not in found["old"]


def test_how_often_a_revision_gave_each_verdict_is_told_of_dev_alone(study: Study, run: Run) -> None:
    said = run("status", "--verdicts", "--study", study.folder).stdout.partition("verdicts:\n")[2].splitlines()
    counts = {name: [line for line in said if line.startswith(f"  {name} ")] for name in ("old", "new")}
    marked = " on dev (its prompt was revised here)"
    assert sum(int(line.rpartition(": ")[2]) for line in counts["old"]) == 400
    assert all(line.endswith(marked) for line in counts["new"])
    assert sum(int(line.removesuffix(marked).rpartition(": ")[2]) for line in counts["new"]) == split_sizes(study)["dev"]
