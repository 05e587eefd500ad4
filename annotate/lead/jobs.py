"""Jobs: commands of `rejudge judge` that a lead starts on a page, each a process of its own, one at a time per study.

What a job is and says lies in `reports/jobs/` of the study: `007.json`, `007.out`, `007.err`, its process in `007.pid` and, once
it has ended, its exit status in `007.exit`. So it survives a reload of the page and a restart of the server. Whether one runs
is told by a lock that its processes hold.
"""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data.atomic import write_atomically
from data.errors import LeadRefused
from data.store.people import Person
from data.store.store import now
from data.study import Study

_PROCESS = Path(__file__).with_name("job_process.py")
_ROOMS = Path(__file__).resolve().parent.parent.parent
FRONT_DOOR = next((path for path in (_ROOMS / "rejudge.py", _ROOMS.parent / "rejudge.py") if path.is_file()), _ROOMS / "rejudge.py")
"""The command itself: in a wheel the rooms lie in a folder beside it."""
STOPPED = (130, -signal.SIGINT)
LAST_BYTES = 20_000
"""So much of the end of a log is read."""
LAST_LINES = 400
_WAIT = 1.0
"""Seconds for which the end of the job before is waited for."""
_STEERING = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
SECRETS = ("KEY", "TOKEN", "SECRET", "PASSW", "AUTH")
"""What the names of variables have in them that hold what nobody else may have."""
_UNSAID = re.compile("|".join((*SECRETS, "BASE_URL")), re.IGNORECASE)
_SHORTEST_SECRET = 6


@dataclass(frozen=True, slots=True)
class Job:
    """One command, running or ended."""

    number: int
    action: str
    """`run`, `revise`, `certify`, ..."""
    arguments: tuple[str, ...]
    started_at: str
    lead: str
    running: bool
    status: int | None
    """Its exit status; None while it runs, and where it ended without telling: killed, or the machine went down."""
    brought: bool = False
    """Whether it has printed anything of what it was asked for."""


def folder_of(study: Study) -> Path:
    return study.folder / "reports" / "jobs"


def jobs(study: Study, most: int | None = None) -> list[Job]:
    """The jobs of the study, the newest first; `most`: only so many."""
    numbers = _numbers(study)
    held = bool(numbers) and _is_held(study)
    return [_job(study, number, held and number == numbers[0]) for number in numbers[:most]]


def _numbers(study: Study) -> list[int]:
    return sorted((int(path.stem) for path in folder_of(study).glob("*.json") if path.stem.isdecimal()), reverse=True)


def start(study: Study, lead: Person, action: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Job:
    """Starts `rejudge judge ACTION ARGUMENTS` on the study, in `environment`.

    Raises LeadRefused for somebody who is no lead, while another job runs, and where the folder cannot be written to.
    """
    if lead.role != "lead":
        raise LeadRefused("Only a lead starts a job.", f"{lead.handle} is {lead.role}.", "Ask a lead to start it.")
    try:
        return _started(study, lead, action, arguments, environment)
    except OSError as error:
        raise LeadRefused(
            "The job cannot be started.",
            f"Found: {error.strerror or error}.",
            f"Check room, permissions and locks of {folder_of(study)}.",
        ) from None


def _started(study: Study, lead: Person, action: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Job:
    folder = folder_of(study)
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(study) as lock:
        number = next(iter(_numbers(study)), 0) + 1
        beside = folder / f"{number:03}"
        started_at = now()
        told = {"action": action, "arguments": list(arguments), "started_at": started_at, "lead": lead.handle}
        write_atomically(beside.with_suffix(".json"), json.dumps(told, ensure_ascii=False))
        command = [sys.executable, str(FRONT_DOOR), "judge", action, "--study", str(study.folder.resolve()), *arguments]
        with beside.with_suffix(".out").open("wb") as out, beside.with_suffix(".err").open("wb") as err:
            # -I: nothing that lies beside that file, or in the folder where the server was started, is imported by it.
            process = subprocess.Popen(
                [sys.executable, "-I", str(_PROCESS), str(beside.resolve()), str(lock), *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=study.folder,
                env={**environment, "PYTHONUNBUFFERED": "1"},
                pass_fds=[lock],
                start_new_session=True,
            )
        # Somebody has to take note of its end, or it stays in the table of processes.
        threading.Thread(target=process.wait, daemon=True).start()
    return Job(number, action, tuple(arguments), started_at, lead.handle, True, None)


def stop(study: Study, lead: Person, number: int) -> None:
    """Asks a running job to end, as Ctrl-C does: what came is kept. Raises LeadRefused where it does not run."""
    if lead.role != "lead":
        raise LeadRefused("Only a lead stops a job.", f"{lead.handle} is {lead.role}.", "Ask a lead to stop it.")
    job = next((job for job in jobs(study) if job.number == number), None)
    process = _number_in(_file(study, number, "pid"))
    if job is None or not job.running or process is None:
        raise LeadRefused("This job does not run.", "It has ended, or is just about to begin.", "Look again in a moment.")
    # The group is the job's as long as one of its processes lives, and the lock says that one does.
    os.killpg(process, signal.SIGINT)


def _job(study: Study, number: int, held: bool) -> Job:
    told = json.loads(_file(study, number, "json").read_text(encoding="utf-8"))
    status = _number_in(_file(study, number, "exit"))
    running = held and status is None
    printed = _file(study, number, "out")
    brought = printed.is_file() and printed.stat().st_size > 0
    return Job(number, told["action"], tuple(told["arguments"]), told["started_at"], told["lead"], running, status, brought)


def _file(study: Study, number: int, ending: str) -> Path:
    return folder_of(study) / f"{number:03}.{ending}"


def _number_in(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


# The lock


@contextmanager
def _lock(study: Study) -> Iterator[int]:
    """An open file with the study's lock on it, for a process to inherit. Raises LeadRefused where a job holds it."""
    opened = os.open(folder_of(study) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + _WAIT
        while not _taken(opened, fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise LeadRefused(
                    "A job is running already.", "One runs at a time in a study.", "Wait until it has ended, or stop it."
                )
            time.sleep(0.02)
        yield opened
    finally:
        # The lock lasts as long as anybody has this file open: from here on the job alone.
        os.close(opened)


def _is_held(study: Study) -> bool:
    opened = os.open(folder_of(study) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return not _taken(opened, fcntl.LOCK_SH)
    finally:
        os.close(opened)


def _taken(opened: int, how: int) -> bool:
    try:
        fcntl.flock(opened, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# What a job says


def said(study: Study, number: int, ending: str, environment: Mapping[str, str]) -> list[str]:
    """The last lines of a job's `out` or `err`, as a terminal would show them: a line that was written over is its last state.

    Keys and addresses of `environment` are left out.
    """
    try:
        with _file(study, number, ending).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LAST_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    if size > LAST_BYTES:
        # What was cut could begin with the rest of a key, which nothing would know for one.
        text = re.sub(r"^[^\r\n]*", "", text)
    lines = [_last_state(_STEERING.sub("", line)) for line in without_secrets(text, environment).split("\n")]
    return [line for line in lines if line.strip()][-LAST_LINES:]


def _last_state(line: str) -> str:
    return next((state for state in reversed(line.split("\r")) if state.strip()), "")


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """`text` in which the values of keys and addresses of `environment` are a mark."""
    secrets = {value: name for name, value in environment.items() if _UNSAID.search(name) and len(value) >= _SHORTEST_SECRET}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "⟨the model’s server⟩" if "BASE_URL" in secrets[secret].upper() else "▮▮▮")
    return text


ENDED = {0: "done", 1: "not done", 2: "wrong usage"}
FAULTS = {"lint": "something is wrong with it"}
"""Of exit status 1 with a result: no refusal, then."""
CERTIFIED = {0: "PROMOTE", 3: "REJECT", 4: "INCONCLUSIVE"}


def how_it_ended(job: Job) -> str:
    """In words, of a job that does not run."""
    if job.status is None:
        return "killed, or the machine went down; what had come by then is kept"
    if job.status in STOPPED:
        return "stopped; what had come by then is kept"
    if job.action == "certify" and job.status in CERTIFIED:
        return CERTIFIED[job.status]
    if job.status == 1 and job.brought:
        return FAULTS.get(job.action, "done in part")
    if job.status < 0:
        return f"ended by signal {-job.status}"
    return ENDED.get(job.status, f"ended with exit status {job.status}")
