"""The list of prompts shows the whole tree, what was paid, and of a revised prompt nothing but what dev says."""

import json
import re
from pathlib import Path
from typing import Any

from data.questions import Question
from data.store import Store
from judge.list_command import lines_of
from judge.listing import list_of
from judge.prompts import ensure_first_prompt
from tests.conftest import Run
from tests.study_maker import MISALIGNED, make_study, numbered, verdict
from tests.two_prompts import ask, labelled_study, right_in, split_sizes, two_prompts


def listed(study: Any) -> dict[str, Any]:
    with Store.open(study.database) as store:
        return list_of(study, store)


def prompts(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {prompt["runs"][0]["name"]: prompt for prompt in document["questions"][0]["prompts"] if prompt["runs"]}


def test_a_first_prompt_has_figures_of_all_splits_and_a_revised_one_of_dev_alone(tmp_path: Path) -> None:
    study = two_prompts(tmp_path / "study", right_in(0.8, 1), right_in(0.9, 2))
    found, sizes = prompts(listed(study)), split_sizes(study)
    old, new = (found[name]["runs"][0]["agreement"] for name in ("old", "new"))
    assert (old["n"], new["n"]) == (400, sizes["dev"]) and "selected" not in old and new["selected"] is True
    assert new["splits"] == ["dev"] and found["new"]["parent"] == found["old"]["hash"] and found["new"]["revised"]
    text = "\n".join(lines_of(listed(study)))
    assert f" on {sizes['dev']} dev items, selected on these items" in text and " on 400 items\n" in text


def test_unreadable_verdicts_on_test_are_not_told_of_a_revised_prompt(tmp_path: Path) -> None:
    study = labelled_study(tmp_path / "study", 200)
    ask(study, "new", lambda *_: None, ask(study, "old", lambda *_: None))
    found, sizes = prompts(listed(study)), split_sizes(study)
    assert found["old"]["runs"][0]["unreadable"] == 200
    assert found["new"]["runs"][0]["unreadable"] == 200 - sizes["test"]
    assert f"200 verdicts, {200 - sizes['test']} unreadable of train and dev" in "\n".join(lines_of(listed(study)))


def test_strict_figures_stand_on_the_same_items_as_each_other(tmp_path: Path) -> None:
    study = labelled_study(tmp_path / "study", 200)
    right = right_in(0.9, 1)
    ask(study, "old", lambda place, said: None if place % 5 == 0 else right(place, said))
    text = "\n".join(lines_of(listed(study)))
    assert re.search(r"kappa, strict 0\.\d\d \[.*\], agreement, strict 0\.\d\d \[.*\] on 200 items$", text)


def test_tokens_and_models_are_those_of_the_calls(tmp_path: Path) -> None:
    study = labelled_study(tmp_path / "study", 20)
    ask(study, "old", right_in(1, 1), snapshots=("m-1", "m-2"))
    (found,) = prompts(listed(study)).values()
    (run,) = found["runs"]
    assert (run["tokens_in"], run["tokens_out"], run["cost"], run["snapshots"]) == (200, 40, None, ["m-1", "m-2"])
    assert "old (m, which answers as m-1,m-2): 20 verdicts, 0 unreadable; 200 tokens in, 40 out" in "\n".join(
        lines_of(listed(study))
    )


def test_files_that_were_never_asked_imported_runs_and_questions_without_prompts_are_listed(tmp_path: Path) -> None:
    score = Question("skill", "How good?", "score", (), min=0, max=10)
    study = make_study(
        tmp_path / "study", numbered(6, verdicts=[verdict("aligned"), verdict("misaligned", repeat=1)]), [MISALIGNED, score]
    )
    ensure_first_prompt(study, MISALIGNED)
    document = listed(study)
    (prompt,) = document["questions"][0]["prompts"]
    assert prompt["files"] == ["prompts/misaligned/001.md"] and prompt["runs"] == [] and not prompt["revised"]
    (other,) = document["questions"][0]["other_runs"]
    assert (other["name"], other["kind"], other["verdicts"], other["more_repeats"], other["agreement"]) == (
        "judge-a",
        "imported",
        6,
        6,
        None,
    )
    text = "\n".join(lines_of(document))
    assert "Nothing was asked with it yet." in text and "skill (score)\n  No prompt yet" in text
    assert "judge-a (imported): 6 verdicts, 0 unreadable, and 6 of further repeats\n    no labelled item with a verdict" in text


def test_the_command_escapes_hostile_notes_and_prints_json(run: Run, tmp_path: Path) -> None:
    study = labelled_study(tmp_path / "study", 4)
    path = study.folder / "prompts" / "misaligned" / "001.md"
    path.parent.mkdir(parents=True)
    path.write_text("---\nquestion: misaligned\nauthor: \x1b[2Jeve\n---\n{{trajectory}}\n", encoding="utf-8")
    ran = run("judge", "list", "--study", study.folder)
    assert ran.returncode == 0 and "\x1b" not in ran.stdout and "by \\x1b[2Jeve" in ran.stdout
    assert json.loads(run("judge", "list", "--json", "--study", study.folder).stdout) == listed(study)
