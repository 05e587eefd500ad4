"""Jobs: commands that a lead starts on a page, which outlive the page and the server, and of which there is one at a time."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotate.lead import jobs
from annotate.lead.jobs import Job, how_it_ended, said, start, stop
from data.errors import LeadRefused
from data.store.people import Person
from data.study import Study
from tests.study_maker import make_study

LEAD, ANA = Person(1, "lead", "lead"), Person(2, "ana", "annotator")
SECRET = "sk-secret-0123456789"
ENVIRONMENT = {"PATH": os.environ["PATH"], "OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "http://models.example/v1"}
COMMAND = """
import json, os, signal, sys, time
words = sys.argv[1:]
if "do-refuse" in words:
    sys.exit(1)
print(json.dumps({"words": words, "key": os.environ.get("OPENAI_API_KEY"), "here": os.getcwd()}))
what = next((word for word in words if word.startswith("do-")), "")
if what == "do-wait":
    try:
        for tick in range(600):
            print(f"\\r{tick} of 600", end="", file=sys.stderr, flush=True)
            time.sleep(0.1)
    except KeyboardInterrupt:
        print("\\nStopped.", file=sys.stderr)
        sys.exit(130)
if what == "do-tell-key":
    print("refused: " + os.environ["OPENAI_API_KEY"] + " at " + os.environ["OPENAI_BASE_URL"], file=sys.stderr)
if what == "do-long":
    print("x" * 30_000 + os.environ["OPENAI_API_KEY"] + "y" * 19_990 + "\\nthe end", file=sys.stderr)
if what == "do-bar":
    from tqdm import tqdm
    for _ in tqdm(range(7), unit="item", disable=None, dynamic_ncols=True):
        time.sleep(0.05)
if what == "do-steer":
    print("\\x1b[2J\\x1b[31mred\\x1b[0m <b>bold</b>\\r\\n1 %\\r2 %\\r", end="", file=sys.stderr)
if what == "do-die":
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(int(what.removeprefix("do-exit-")) if what.startswith("do-exit-") else 0)
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """A study, and a command that does what it is told to."""
    door = tmp_path / "door.py"
    door.write_text(COMMAND, encoding="utf-8")
    monkeypatch.setattr(jobs, "FRONT_DOOR", door)
    made = make_study(tmp_path / "study")
    yield made
    for job in jobs.jobs(made):
        if job.running:
            os.killpg(int((jobs.folder_of(made) / f"{job.number:03}.pid").read_text()), signal.SIGKILL)


def ended(study: Study, number: int = 1) -> Job:
    """The job, once it does not run any more."""
    for _ in range(400):
        job = next(job for job in jobs.jobs(study) if job.number == number)
        if not job.running:
            return job
        time.sleep(0.025)
    raise AssertionError("the job goes on and on")


def under_way(study: Study, words: str = "of 600") -> None:
    for _ in range(400):
        if any(words in line for line in said(study, 1, "err", {})):
            return
        time.sleep(0.025)
    raise AssertionError("the job never began")


def test_a_job_is_the_command_on_the_study_with_each_word_as_it_is(study: Study) -> None:
    hostile = ["--model=$(touch x); `id` \u202e", "--prompt=a b"]
    job = start(study, LEAD, "run", hostile, ENVIRONMENT)
    assert (job.number, job.running, job.lead) == (1, True, "lead")
    done = ended(study)
    assert (done.status, how_it_ended(done), list(done.arguments)) == (0, "done", hostile)
    told = json.loads((jobs.folder_of(study) / "001.out").read_text())
    assert told["words"] == ["judge", "run", "--study", str(study.folder.resolve()), *hostile]
    assert told["key"] == SECRET and Path(told["here"]) == study.folder.resolve()
    assert not (study.folder / "x").exists()


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [
        ("run", 1, "done in part"), ("lint", 1, "something is wrong with it"),
        ("run", 2, "wrong usage"), ("run", 3, "ended with exit status 3"),
        ("run", 130, "stopped; what had come by then is kept"),
        ("certify", 0, "PROMOTE"), ("certify", 3, "REJECT"), ("certify", 4, "INCONCLUSIVE"),
    ],
)  # fmt: skip
def test_how_a_job_ended_is_told_in_words(study: Study, action: str, status: int, words: str) -> None:
    start(study, LEAD, action, [f"do-exit-{status}"], ENVIRONMENT)
    assert how_it_ended(ended(study)) == words


def test_a_job_that_ended_with_a_fault_and_without_a_result_is_not_done(study: Study) -> None:
    for number, action in enumerate(("run", "certify"), start=1):
        start(study, LEAD, action, ["do-refuse"], ENVIRONMENT)
        assert how_it_ended(ended(study, number)) == "not done"


def test_one_job_runs_at_a_time_and_the_next_one_when_it_has_ended(study: Study) -> None:
    start(study, LEAD, "run", ["do-wait"], ENVIRONMENT)
    under_way(study)
    with pytest.raises(LeadRefused, match="running already"):
        start(study, LEAD, "revise", [], ENVIRONMENT)
    assert [job.running for job in jobs.jobs(study)] == [True]
    stop(study, LEAD, 1)
    assert how_it_ended(ended(study)) == "stopped; what had come by then is kept"
    start(study, LEAD, "revise", [], ENVIRONMENT)
    assert ended(study, 2).status == 0
    assert [job.number for job in jobs.jobs(study)] == [2, 1]
    with pytest.raises(LeadRefused, match="does not run"):
        stop(study, LEAD, 1)


def test_only_a_lead_starts_or_stops_a_job(study: Study) -> None:
    with pytest.raises(LeadRefused, match="Only a lead starts"):
        start(study, ANA, "run", [], ENVIRONMENT)
    assert jobs.jobs(study) == [] and not jobs.folder_of(study).exists()
    start(study, LEAD, "run", ["do-wait"], ENVIRONMENT)
    under_way(study)
    with pytest.raises(LeadRefused, match="Only a lead stops"):
        stop(study, ANA, 1)
    assert jobs.jobs(study)[0].running


def test_a_job_outlives_the_process_that_started_it_and_the_next_one_can_stop_it(study: Study, tmp_path: Path) -> None:
    starter = (
        "import sys; from pathlib import Path; from annotate.lead import jobs; from data.study import load_study;"
        "from data.store.people import Person; jobs.FRONT_DOOR = Path(sys.argv[2]);"
        "jobs.start(load_study(Path(sys.argv[1])), Person(1, 'lead', 'lead'), 'run', ['do-wait'], {'PATH': ''});"
        "import os, signal; os.killpg(os.getpgid(0), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", starter, str(study.folder), str(tmp_path / "door.py")]
    root = Path(__file__).parent.parent
    gone = os.waitpid(os.posix_spawn(sys.executable, command, {**os.environ, "PYTHONPATH": str(root)}, setpgroup=0), 0)
    assert os.WTERMSIG(gone[1]) == signal.SIGKILL
    under_way(study)
    assert jobs.jobs(study)[0].running
    stop(study, LEAD, 1)
    assert ended(study).status == 130


def test_a_job_whose_process_was_killed_is_not_told_as_running(study: Study) -> None:
    start(study, LEAD, "run", ["do-die"], ENVIRONMENT)
    assert how_it_ended(ended(study)) == "ended by signal 9"
    start(study, LEAD, "run", ["do-wait"], ENVIRONMENT)
    for _ in range(400):
        if said(study, 2, "err", {}):
            break
        time.sleep(0.025)
    os.killpg(int((jobs.folder_of(study) / "002.pid").read_text()), signal.SIGKILL)
    assert "killed" in how_it_ended(ended(study, 2))
    start(study, LEAD, "run", [], ENVIRONMENT)
    assert ended(study, 3).status == 0


def test_the_number_of_a_process_that_is_another_one_by_now_is_never_signalled(study: Study) -> None:
    start(study, LEAD, "run", [], ENVIRONMENT)
    ended(study)
    while jobs._is_held(study):
        time.sleep(0.01)  # it has written how it ended, and is about to be gone
    # As after a crash of the machine: no exit status, and the number of a process that is somebody else's.
    (jobs.folder_of(study) / "001.exit").unlink()
    (jobs.folder_of(study) / "001.pid").write_text(str(os.getpgid(0)))
    assert not jobs.jobs(study)[0].running
    with pytest.raises(LeadRefused):
        stop(study, LEAD, 1)


def test_a_folder_that_cannot_be_written_to_is_told_and_no_traceback(study: Study) -> None:
    (study.folder / "reports").write_text("a file in the way")
    with pytest.raises(LeadRefused, match="cannot be started"):
        start(study, LEAD, "run", [], ENVIRONMENT)


def test_keys_and_addresses_of_the_server_are_never_among_what_a_job_said(study: Study) -> None:
    start(study, LEAD, "run", ["do-tell-key"], ENVIRONMENT)
    ended(study)
    assert said(study, 1, "err", ENVIRONMENT) == ["refused: ▮▮▮ at ⟨the model’s server⟩"]
    assert SECRET not in "".join(said(study, 1, "out", ENVIRONMENT))


def test_the_rest_of_a_key_that_was_cut_off_is_not_shown(study: Study) -> None:
    start(study, LEAD, "run", ["do-long"], ENVIRONMENT)
    ended(study)
    assert said(study, 1, "err", ENVIRONMENT) == ["the end"]


def test_a_progress_bar_that_is_drawn_for_terminals_alone_is_seen(study: Study) -> None:
    start(study, LEAD, "run", ["do-bar"], ENVIRONMENT)
    ended(study)
    (bar,) = said(study, 1, "err", ENVIRONMENT)
    assert "7/7" in bar and "item/s" in bar and len(bar) < 120


def test_a_line_that_was_written_over_is_shown_as_it_was_last_and_steers_nothing(study: Study) -> None:
    start(study, LEAD, "run", ["do-steer"], ENVIRONMENT)
    ended(study)
    assert said(study, 1, "err", ENVIRONMENT) == ["red <b>bold</b>", "2 %"]
    assert said(study, 9, "err", ENVIRONMENT) == []
