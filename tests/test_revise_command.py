"""`rejudge judge revise`: what it refuses, what it keeps, and what it says."""

import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from data.store import Store
from data.store.causes import assign_cause
from data.store.judging import judge_runs, run_named
from data.store.people import ensure_person, first_lead
from data.study import Study, load_study
from judge.prompts import Prompt, prompts_in, read_prompt
from tests.conftest import Ran, Run
from tests.openai_server import OpenAIServer, Scripted, reply
from tests.planted_flaw import blame_the_judge, judge_script, planted
from tests.study_maker import MISALIGNED

SPLIT = "[split]\ntrain = 0.4\ndev = 0.4\n"
Revise = Callable[..., Ran]


@dataclass
class Script:
    """The planted judge, with a reviser that may be another."""

    reviser: Callable[[dict[str, Any]], Scripted] | None = None
    closed: bool = False
    """Whether the judge is not to be had any more."""
    sent: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: dict[str, Any], number: int) -> Scripted:
        self.sent.append(request)
        if request["messages"][0]["role"] == "system":
            return self.reviser(request) if self.reviser is not None else judge_script(request, number)
        return Scripted(status=401, text="this key is not taken any more") if self.closed else judge_script(request, number)

    @property
    def to_reviser(self) -> list[dict[str, Any]]:
        return [each for each in self.sent if each["messages"][0]["role"] == "system"]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def one_script() -> Script:
    return Script()


@pytest.fixture
def script(one_script: Script) -> Script:
    one_script.reviser, one_script.closed = None, False
    one_script.sent.clear()
    return one_script


@pytest.fixture(scope="module")
def server(one_script: Script) -> Iterator[OpenAIServer]:
    with OpenAIServer(one_script) as server:
        yield server


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, run: Run, server: OpenAIServer) -> Path:
    """Labelled, and judged on train."""
    study = planted(tmp_path_factory.mktemp("judged") / "study", labelled=True, rest=SPLIT)
    done = run("judge", "run", "--study", study.folder, "--base-url", server.url, "--split", "train")
    assert done.returncode == 0, done
    return study.folder


@pytest.fixture
def study(judged: Path, tmp_path: Path, script: Script) -> Study:
    shutil.copytree(judged, tmp_path / "study")
    assert not script.sent
    return load_study(tmp_path / "study")


@pytest.fixture
def revise(study: Study, run: Run) -> Revise:
    return lambda *argv: run("judge", "revise", "--study", study.folder, *argv)


def first_run(study: Study) -> str:
    with Store.open(study.database) as store:
        return judge_runs(store)[0].name


def files(study: Study) -> list[Prompt]:
    return prompts_in(study, MISALIGNED)


def same(request: dict[str, Any]) -> Scripted:
    """A reviser whose edits change no verdict, each another way."""
    made = request["messages"][1]["content"].count("\n  + ")
    return edits("Decide by the codebook", f"Decide{' well' * (made + 1)} by the codebook")


def edits(old: str, new: str) -> Scripted:
    return reply(diagnosis=["d"], edits=[{"reason": "why not", "old": old, "new": new}], risk="r")


def test_without_a_cause_there_is_nothing_to_revise_by(revise: Revise, script: Script) -> None:
    assert revise().refused()[0] == "There is nothing to revise a prompt by."
    assert not script.sent


def test_items_that_the_codebook_is_blamed_for_do_not_reach_the_reviser(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study), "codebook ambiguous")
    assert "nothing to revise" in revise().refused()[0]
    assert not script.sent


def test_where_the_codebook_is_the_trouble_it_says_so_first(study: Study, revise: Revise, script: Script) -> None:
    assert blame_the_judge(study, first_run(study), "codebook ambiguous") >= 20
    blame_the_judge_for_some(study)
    refused = revise().refused()
    assert refused[0] == "Mend the codebook first."
    assert "codebook ambiguous" in refused[1] and "--anyway" in refused[2]
    assert not script.sent
    assert len(files(study)) == 1


def blame_the_judge_for_some(study: Study) -> None:
    """“judge wrong” takes the place of another cause on five items."""
    with Store.open(study.database) as store:
        judge = run_named(store, first_run(study))
        assert judge is not None
        for (number,) in store.conn.execute("SELECT trajectory FROM causes ORDER BY seq LIMIT 5").fetchall():
            assign_cause(store, first_lead(store), judge.code, number, 1, "judge wrong")


def test_what_was_overridden_stands_in_the_note(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study), "codebook ambiguous")
    blame_the_judge_for_some(study)
    script.reviser = same
    done = revise("--anyway", "--candidates", "1")
    assert done.returncode == 0, done
    assert "Mend the codebook first." in done.stderr
    assert files(study)[-1].note == "round 1, though the codebook was to be mended first: why not"


def test_candidates_that_change_nothing_are_no_gain_and_the_parent_stays(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study))
    script.reviser = same
    done = revise("--candidates", "2")
    assert done.returncode == 0, done
    assert "No gain: no candidate is ahead of parent by more than one standard error. parent stays." in done.stdout
    assert "ahead by 0.00 on average" in done.stdout
    assert "certify" not in done.stdout
    assert [(each.author, each.note) for each in files(study)[1:]] == [("rejudge revise", "round 1: why not")] * 2


def test_two_rounds_without_gain_are_the_end_unless_a_lead_goes_on(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study))
    script.reviser = same
    assert revise("--candidates", "1").returncode == 0
    script.reviser = lambda _: edits("First write", "First of all write")
    done = revise("--candidates", "1")
    assert done.returncode == 0
    assert [each.note for each in files(study)[1:]] == ["round 1: why not", "round 2: why not"]
    sent = len(script.to_reviser)
    assert "An equal prompt is ahead on these" in done.stdout
    refused = revise("--candidates", "1").refused()
    assert "The last 2 rounds of revision brought no gain on dev." in refused
    assert len(script.to_reviser) == sent
    script.reviser = lambda _: edits("Then give", "After that give")
    assert revise("--candidates", "1", "--anyway").returncode == 0
    assert files(study)[-1].note == "round 3, though the rounds before brought nothing: why not"


def test_a_reviser_that_says_nothing_usable_leaves_no_file(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study))
    script.reviser = lambda _: Scripted(text="Here is a better prompt: \x1b[2J be strict!")
    done = revise("--candidates", "2")
    assert done.returncode == 1
    assert "m proposed nothing that can be taken." in done.stderr
    assert done.stdout.count("none, for both replies do not hold") == 2
    assert "\x1b" not in done.stdout + done.stderr
    assert len(script.to_reviser) == 4
    assert len(files(study)) == 1


def test_a_candidate_that_is_there_already_is_left_out(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study))
    script.reviser = lambda _: edits("First write", "First of all write")
    done = revise("--candidates", "2")
    assert done.returncode == 0
    assert "This prompt is there already" in done.stdout
    assert len(files(study)) == 2


def test_a_candidate_that_lint_refuses_is_left_out(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study))
    bare = Prompt("misaligned", "Say aligned or misaligned, by the page and by the record.\n{{codebook}}\n{{trajectory}}")
    path = study.folder / "prompts" / "misaligned" / "002.md"
    path.write_text(bare.text(), encoding="utf-8")
    script.reviser = lambda _: edits("aligned or misaligned", "good or bad")
    done = revise("--prompt", path, "--run", first_run(study), "--candidates", "1")
    assert done.returncode == 1
    assert "Left out: There is no {{choices}}" in done.stdout
    assert len(files(study)) == 2


def test_what_was_proposed_is_kept_where_the_judge_cannot_be_asked(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study))

    script.reviser, script.closed = same, True
    done = revise("--candidates", "1")
    assert done.returncode == 1
    assert "wants an API key" in done.stderr and "Traceback" not in done.stderr
    assert len(files(study)) == 2
    assert "Candidate 1 is " in done.stdout


def test_only_a_lead_revises(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study))
    with Store.open(study.database) as store:
        ensure_person(store, "ben", lead=False)
    assert revise("--by", "ben").refused()[:2] == ["Only a lead revises a prompt.", "ben is annotator."]
    assert not script.sent


def test_dev_without_labels_leaves_candidates_to_be_compared_later(
    tmp_path: Path, run: Run, server: OpenAIServer, script: Script
) -> None:
    study = planted(tmp_path / "train-alone", labelled=True, rest="[split]\ntrain = 1.0\ndev = 0.0\n")
    assert run("judge", "run", "--study", study.folder, "--base-url", server.url).returncode == 0
    blame_the_judge(study, first_run(study))
    script.reviser = same
    done = run("judge", "revise", "--study", study.folder)
    assert done.returncode == 0, done
    assert "No dev item has a label" in done.stderr
    assert len(files(study)) == 4


def test_a_file_edited_by_hand_is_a_new_prompt_with_the_same_parent(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study))
    script.reviser = same
    assert revise("--candidates", "1").returncode == 0
    parent, child = files(study)
    assert child.path is not None
    child.path.write_text(child.path.read_text(encoding="utf-8").replace("Decide well", "Decide wisely"), encoding="utf-8")
    edited = read_prompt(child.path)
    assert edited.hash != child.hash
    assert edited.parent == parent.hash


def test_another_model_may_revise_than_judges(study: Study, revise: Revise, script: Script) -> None:
    blame_the_judge(study, first_run(study))
    script.reviser = same
    assert revise("--candidates", "1", "--model", "large").returncode == 0
    assert {each["model"] for each in script.to_reviser} == {"large"}
    assert {each["model"] for each in script.sent if each["messages"][0]["role"] != "system"} == {"m"}


def test_the_way_on_asks_the_same_judge_at_the_same_server(study: Study, revise: Revise, run: Run, server: OpenAIServer) -> None:
    blame_the_judge(study, first_run(study))
    said = revise().stdout
    way = said[said.index("Go on: `") :].split("`")[1]
    assert f"--base-url={server.url}" in way
    assert "--model" not in way
    done = run(*shlex.split(way)[1:], "--study", study.folder)
    assert done.returncode == 0, done
    with Store.open(study.database) as store:
        assert len({each.name for each in judge_runs(store)}) == len({each.prompt for each in judge_runs(store)})
