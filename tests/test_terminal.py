"""What files, annotators and judges wrote does not steer the terminal of whoever reads it; JSON keeps it as it is."""

import ast
import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import rejudge
from data.terminal import for_terminal, on_one_line
from tests.conftest import Run
from tests.study_maker import MISALIGNED, Sitting, draw_batch, label, make_study, numbered, run_line, verdict
from tests.test_rooms import sources

ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08\x7f\u202e\u2066\u200b\u2028"
"""Renames the window, clears the screen, colours it by an 8-bit sequence, writes over the line, turns its direction round."""
TOLD = r"\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08\x7f\u202e\u2066\u200b\u2028"


def steering(text: str) -> str:
    """The characters of `text` that a terminal obeys, or that cannot be seen."""
    return "".join(sign for sign in text if sign not in "\n\t" and not sign.isprintable())


def test_what_cannot_be_seen_is_written_as_its_escape() -> None:
    assert on_one_line(f"a{ATTACK}\n\tb") == f"a{TOLD}\\n\\tb"
    assert for_terminal(f"a{ATTACK}\n\tb") == f"a{TOLD}\n\tb"
    assert on_one_line("naïve — 漢字 🚢 قهوة") == "naïve — 漢字 🚢 قهوة"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A study whose ids, choices, answers, rationales and reasons all carry the attack."""
    choice = f"yes{ATTACK}"
    question = replace(MISALIGNED, choices=("aligned", choice), positive=choice)
    lines = numbered(4, verdicts=[verdict(choice, rationale=ATTACK)], labels=[label("ben", choice, rationale=ATTACK)])
    lines += [
        run_line(
            f"forged\n{ATTACK}\tline", task=ATTACK, labels=[label("ben", choice)], verdicts=[verdict("aligned", run="a\u00e9")]
        )
    ]
    study = make_study(tmp_path / "study", lines, [question])
    draw_batch(study, 5, overlap=2)
    with Sitting(study, "ana") as ana:
        for _ in range(5):
            ref = ana.claim()[0]
            assert not ana.do("flag", ref, reason=f"odd\nbatch-9 (open){ATTACK}")
            assert not ana.label(ref, choice, rationale=ATTACK)
    return study.folder


TEXTS = (
    "status", "status --verdicts", "labels", "agree", "agree --labels all", "batch list", "leaks", "verify", "gold list",
    "annotators list", "gold freeze g --min-labels 1", "import MORE", "import MORE --skip-bad", "agree --run NOBODY",
    "init OTHER --from GOOD", "gold export g --out OUT/x", "report", "report --names --out NOWHERE",
)  # fmt: skip


def test_no_command_lets_what_it_prints_steer_a_terminal(run: Run, hostile: Path, tmp_path: Path) -> None:
    attack = tmp_path / f"runs{ATTACK.replace('/', '')}\nsecond line.jsonl"
    good = [run_line(f"new{ATTACK}"), run_line("newer")]
    bad = [
        run_line(f"bad{ATTACK}", verdicts=[verdict(f"maybe{ATTACK}")]),
        {f"st{ATTACK}eps": ATTACK, "id": ATTACK, "steps": [ATTACK]},
    ]
    attack.write_text("".join(json.dumps(entry) + "\n" for entry in [*good, *bad]), encoding="utf-8")
    source = tmp_path / f"good{ATTACK}.jsonl"
    source.write_text(json.dumps(run_line("x", verdicts=[verdict(f"c{ATTACK}"), verdict("d", run="r2")])) + "\n", encoding="utf-8")
    seen = ""
    for words in TEXTS:
        named = {"MORE": str(attack), "OTHER": str(tmp_path / f"o{ATTACK}"), "GOOD": str(source), "NOBODY": ATTACK}
        argv = [named.get(word, word.replace("OUT", str(tmp_path))) for word in words.split()]
        ran = run(*argv, "--study", hostile) if argv[0] != "init" else run(*argv)
        assert "Traceback" not in ran.stderr, ran
        assert (steering(ran.stdout), steering(ran.stderr)) == ("", ""), words
        seen += ran.stdout + ran.stderr
    assert seen.count(TOLD) > 20, "it was there to be printed"
    assert "\nbatch-9 (open)" not in seen and "\nsecond line.jsonl" not in seen, "nothing forges a line of ours"


def test_a_complaint_about_usage_does_not_repeat_what_steers(run: Run) -> None:
    for argv in ((f"--{ATTACK}",), ("agree", f"--{ATTACK}"), (ATTACK,), ("draw", "--n", ATTACK), ("import", "x", "--map", ATTACK)):
        ran = run(*argv)
        assert ran.returncode == 2 and steering(ran.stderr) == "", argv


def test_json_carries_every_value_unchanged_and_steers_nothing_either(run: Run, hostile: Path) -> None:
    said = run("labels", "--json", "--study", hostile).stdout + run("agree", "--json", "--study", hostile).stdout
    assert steering(said) == "" and "owned" in said
    told = [json.loads(line) for line in run("labels", "--json", "--study", hostile).stdout.splitlines()]
    assert {entry["choice"] for entry in told} == {f"yes{ATTACK}"}
    assert f"forged\n{ATTACK}\tline" in {entry["id"] for entry in told}
    assert f"yes{ATTACK}" in json.loads(run("agree", "--json", "--study", hostile).stdout)["questions"][0]["choices"]


def test_nothing_steers_a_real_terminal(hostile: Path) -> None:
    """The progress bar too, which is drawn on a terminal only, and may move within its line."""
    path = hostile / f"runs{ATTACK}.jsonl"
    path.write_text("".join(json.dumps(run_line(f"more-{k}{ATTACK}")) + "\n" for k in range(5)), encoding="utf-8")
    terminal, end = pty.openpty()
    command = [sys.executable, rejudge.__file__, "import", str(path), "--study", str(hostile)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=end, stderr=end) as process:
        os.close(end)
        heard = b""
        while True:
            try:
                chunk = os.read(terminal, 65_536)
            except OSError:
                break
            if not chunk:
                break
            heard += chunk
    os.close(terminal)
    text = heard.decode()
    assert process.returncode == 0 and "5 trajectories" in text
    assert set(steering(text)) <= {"\r"} and "\x1b" not in text


def test_words_go_out_by_the_two_functions_that_mind_the_terminal() -> None:
    """A `print` of its own would let a name through; the process that counts answers in JSON, to ours."""
    allowed = {"command_line.py", "counter.py"}
    found = [
        f"{path}:{node.lineno}"
        for path in sources()
        if path.name not in allowed
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []
