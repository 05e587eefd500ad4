"""What tests share: a study folder, the command in a process of its own, and the real files."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.small_study import make_study

TESTS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str

    def refused(self) -> list[str]:
        """The lines on stderr of a command that was refused as it must be: status 1, no result, no traceback."""
        assert self.returncode == 1, self
        assert self.stdout == ""
        assert "Traceback" not in self.stderr
        return self.stderr.splitlines()


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def _command_server() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, TESTS / "command_server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as server:
        yield server
        assert server.stdin is not None
        server.stdin.close()


@pytest.fixture(scope="session")
def run(_command_server: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs `rejudge` with these arguments in a process of its own; see `command_server.py`."""
    outputs = tmp_path_factory.mktemp("outputs")
    stdin, answers = _command_server.stdin, _command_server.stdout
    assert stdin is not None and answers is not None

    def run(*argv: object, cwd: Path | None = None, **request: Any) -> Ran:
        files = {name: outputs / name for name in ("stdout", "stderr")}
        for file in files.values():
            file.unlink(missing_ok=True)
        asked = {"argv": [os.fspath(arg) if isinstance(arg, Path) else str(arg) for arg in argv], "cwd": str(cwd or outputs)}
        stdin.write(json.dumps(asked | {name: str(file) for name, file in files.items()} | request) + "\n")
        stdin.flush()
        returncode = int(answers.readline())
        return Ran(returncode, *(files[name].read_text(encoding="utf-8") for name in ("stdout", "stderr")))

    return run


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study folder with one binary question and nothing imported."""
    return make_study(tmp_path / "study")


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real files that REJUDGE_REAL_FILES names."""
    named = os.environ.get("REJUDGE_REAL_FILES")
    if not named:
        pytest.skip("REJUDGE_REAL_FILES names no folder of real files (r-judge.json)")
    return Path(named)
