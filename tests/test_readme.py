"""The README's commands are run, in its order, on a fresh folder; and it names every command that there is."""

import argparse
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.request import urlopen

import pytest

from data.new_study import STUDIES
from rejudge import parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]


def start(command: list[str], cwd: Path) -> str:
    """Starts a server, waits for its sign-in link, opens that, and stops the server; the page."""
    server = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    stop = threading.Timer(120, lambda: os.killpg(server.pid, 9))
    stop.start()
    try:
        assert server.stdout is not None
        for line in server.stdout:
            if "/in/" in line:
                for _ in range(200):
                    try:
                        with urlopen(line.strip(), timeout=5) as answer:
                            return str(answer.read().decode())
                    except OSError:
                        threading.Event().wait(0.1)
        raise AssertionError("no sign-in link was printed")
    finally:
        stop.cancel()
        os.killpg(server.pid, 9)
        server.communicate()


def test_the_readme_takes_a_newcomer_from_her_file_to_a_gold_set(tmp_path: Path) -> None:
    source = (STUDIES / "toxic-proactivity" / "trajectories.jsonl").read_text(encoding="utf-8")
    (tmp_path / "runs.jsonl").write_text(source, encoding="utf-8")
    cwd, ran = tmp_path, []
    for command in COMMANDS:
        words = shlex.split(command)
        if words[0] == "make":
            continue
        ran.append(command)
        if words[0] == "cd":
            cwd = cwd / words[1]
            continue
        assert words[0] == "rejudge"
        program = [sys.executable, str(ROOT / "rejudge.py"), *words[1:]]
        if words[1] == "annotate":
            assert "Sign in" in start([*program, "--headless"], cwd)
            continue
        result = subprocess.run(program, cwd=cwd, capture_output=True, text=True)
        assert (command, result.returncode, result.stderr if result.returncode else "") == (command, 0, "")
        if words[1] == "agree":
            assert "kappa" in result.stdout
    assert len(ran) >= 12
    assert len((cwd / "gold" / "first.jsonl").read_text(encoding="utf-8").splitlines()) >= 10


@pytest.mark.skipif(not (ROOT / ".venv" / ".installed").exists(), reason="not set up by make")
def test_make_demo_opens_the_desk_on_the_bundled_study(tmp_path: Path) -> None:
    assert "make demo" in COMMANDS
    page = start(["make", "demo", f"ARGS=--headless --port {free_port()} --dir {tmp_path / 'demo'}"], ROOT)
    assert "Sign in" in page


def test_make_test_runs_linters_and_tests() -> None:
    assert "make test" in COMMANDS
    plan = subprocess.run(["make", "--dry-run", "test"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports", "pytest"):
        assert tool in plan


def subparsers_of(line: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in line._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found


def test_the_readme_and_the_help_name_the_same_commands() -> None:
    commands = subparsers_of(parser())
    judge = {f"judge {action}" for action in subparsers_of(commands.pop("judge"))}
    named = re.findall(r"^\| `rejudge (judge \S+|\w+)[^|]*` \|", README, re.MULTILINE)
    assert sorted(named) == sorted({*commands, *judge})


def test_every_option_that_the_readme_names_exists() -> None:
    def helps(line: argparse.ArgumentParser) -> str:
        return line.format_help() + "".join(map(helps, subparsers_of(line).values()))

    there = helps(parser())
    for option in set(re.findall(r"--[a-z][a-z-]+", README)):
        assert option in there, option


def test_every_file_in_the_reading_order_exists() -> None:
    section = README.split("## The code, in reading order")[1].split("## Why")[0]
    for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([^`]+)`", cell):
            path = name if "/" in name or (ROOT / name).exists() else f"{folder}/{name}"
            assert (ROOT / path).exists(), path
            folder = str(Path(path).parent)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
