"""A judge's requests as files, and their results read back: the same rows as of a direct run, whatever became of the files."""

import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import judge.batch_files as batch_files
import judge.batch_results as batch_results
from data.errors import RejudgeError
from data.store import Store
from data.store.judging import judge_runs
from data.store.versions import record_versions
from data.study import Study, load_study
from data.verify import verify
from judge.asking import ask, probe
from judge.batch_files import CUSTOM_ID, Wanted, Writing, decided_before, write_batch
from judge.batch_results import Reading, read_batch
from judge.endpoint import Parameters
from judge.evidence import view_of
from judge.identity import Judge
from judge.prompts import newest_prompt
from tests.conftest import Run
from tests.openai_server import OpenAIServer, Scripted
from tests.openai_server import verdict as scripted
from tests.small_study import rows
from tests.study_maker import MISALIGNED, import_lines, make_study, numbered, run_line, write_toml

SETTINGS = "[judge]\nmodel = 'm'\n[judge.price]\ninput = 1\noutput = 10\n"
URL = "http://127.0.0.1:9/v1"
Line = dict[str, Any]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    monkeypatch.setenv("OPENAI_BASE_URL", URL)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study", numbered(12), rest=SETTINGS)


def the_judge(store: Store, study: Study, url: str = URL) -> Judge:
    asked = record_versions(store, study)[0][0]
    return Judge(study, asked, newest_prompt(study, asked.question), "m", url, Parameters(), view_of(study), ())


def write(study: Study, out: Path, mode: str | None = None, url: str = URL, **wanted: Any) -> Writing:
    with Store.open(study.database) as store:
        judge, mode = decided_before(store, the_judge(store, study, url), mode)
        return write_batch(store, judge, mode, Wanted(**({"splits": ("train", "dev", "test")} | wanted)), out)


def read(study: Study, *paths: Path) -> Reading:
    with Store.open(study.database) as store:
        return read_batch(store, study, paths)


def requests(out: Path) -> list[Line]:
    files = sorted(out.glob("misaligned-*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]


def completion(choice: str, model: str = "m-1", **message: Any) -> Line:
    content = json.dumps({"rationale": "because", "verdict": choice, "confidence": 0.8})
    return {
        "model": model, "choices": [{"message": {"role": "assistant", "content": content} | message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20},
    }  # fmt: skip


def result(request: Line, choice: str = "aligned", **fields: Any) -> Line:
    """As the hosted service and vLLM write it."""
    response = {"status_code": 200, "request_id": "r", "body": completion(choice, **fields)}
    return {"id": "batch_req_1", "custom_id": request["custom_id"], "response": response, "error": None}


def failed(request: Line, status: int, message: str, code: str | None = None) -> Line:
    body = {"error": {"message": message, "code": code}}
    return {"custom_id": request["custom_id"], "response": {"status_code": status, "body": body}, "error": None}


def results_file(path: Path, lines: Iterable[Line | str]) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line) + "\n") for line in lines), encoding="utf-8")
    return path


def choice_of(request: Line) -> str:
    return "misaligned" if int(request["custom_id"].split("-")[2]) % 3 == 0 else "aligned"


VERDICTS = """
SELECT v.trajectory, v.repeat, v.choice, v.error, v.rationale, v.cites, v.confidence, c.snapshot, c.mode, c.raw, c.finish,
       c.tokens_in, c.tokens_out, c.cost, c.attempts, c.notes, r.identity, r.name
FROM verdicts v JOIN judge_calls c ON c.verdict = v.id JOIN judge_runs r ON r.code = v.run ORDER BY r.code, v.trajectory, v.repeat
"""


def test_a_file_holds_one_request_a_line_as_the_service_takes_it(study: Study, tmp_path: Path) -> None:
    done = write(study, tmp_path / "out")
    lines = requests(tmp_path / "out")
    assert (done.requests, len(lines), done.there) == (12, 12, 0)
    for line in lines:
        assert list(line) == ["custom_id", "method", "url", "body"]
        assert (line["method"], line["url"], line["body"]["model"]) == ("POST", "/v1/chat/completions", "m")
        assert line["body"]["response_format"]["type"] == "json_schema"
        assert CUSTOM_ID.fullmatch(line["custom_id"]) and len(line["custom_id"]) <= 64
        assert f"Please do r{int(line['custom_id'].split('-')[2]) - 1:03}." in line["body"]["messages"][0]["content"]
    assert len({line["custom_id"] for line in lines}) == 12


def test_files_are_split_at_both_limits_and_the_manifest_tells_of_them(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_files, "MOST_REQUESTS", 5)
    write(study, tmp_path / "few")
    assert [len(p.read_text().splitlines()) for p in sorted((tmp_path / "few").glob("*.jsonl"))] == [5, 5, 2]
    whole = sum(p.stat().st_size for p in (tmp_path / "few").glob("*.jsonl"))
    monkeypatch.setattr(batch_files, "MOST_REQUESTS", 50_000)
    monkeypatch.setattr(batch_files, "MOST_BYTES", whole // 4)
    done = write(study, tmp_path / "small")
    sizes = [p.stat().st_size for p in sorted((tmp_path / "small").glob("*.jsonl"))]
    assert max(sizes) <= whole // 4 and len(sizes) >= 4 and sum(sizes) == whole
    manifest = json.loads(done.manifest.read_text())
    assert [each["requests"] for each in manifest["files"]] == [
        len((tmp_path / "small" / each["name"]).read_text().splitlines()) for each in manifest["files"]
    ]
    for each in manifest["files"]:
        assert each["sha256"] == hashlib.sha256((tmp_path / "small" / each["name"]).read_bytes()).hexdigest()
    assert manifest["requests"] == 12 and manifest["asked_as"]["prompt"] == manifest["prompt"]


def test_a_trajectory_that_fits_into_no_file_is_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = make_study(
        tmp_path / "long", [*numbered(2), run_line("long", steps=[{"kind": "note", "text": "x" * 50_000}])], rest=SETTINGS
    )
    monkeypatch.setattr(batch_files, "MOST_BYTES", 40_000)
    done = write(long, tmp_path / "out")
    assert (done.requests, done.too_long) == (2, ["long"])
    assert json.loads(done.manifest.read_text())["left_out"] == ["long"]


def test_what_comes_back_in_any_order_is_what_a_direct_run_would_have_stored(study: Study, tmp_path: Path) -> None:
    other = make_study(tmp_path / "other", numbered(12), rest=SETTINGS)

    def script(request: Line, _: int) -> Scripted:
        number = int(request["messages"][0]["content"].partition("Please do r")[2][:3]) + 1
        return scripted("misaligned" if number % 3 == 0 else "aligned", confidence=0.8)

    with OpenAIServer(script) as server:
        with Store.open(other.database) as store:
            judge = the_judge(store, other, server.url)
            ask(store, judge, list(range(1, 13)))
        write(study, tmp_path / "out", url=server.url)
    lines = requests(tmp_path / "out")
    random.Random(3).shuffle(lines)
    results_file(tmp_path / "a.jsonl", [result(line, choice_of(line)) for line in lines[:7]])
    results_file(tmp_path / "b.jsonl", [result(line, choice_of(line)) for line in lines[7:]])
    reading = read(study, tmp_path / "b.jsonl", tmp_path / "a.jsonl")
    assert (reading.readable, reading.there, reading.failed, reading.not_ours, reading.left) == (12, 0, {}, {}, {"misaligned": 0})
    brought, direct = rows(study.folder, VERDICTS), rows(other.folder, VERDICTS)
    assert brought == direct and reading.cost == pytest.approx(12 * 300e-6)
    with Store.open(study.database) as store:
        assert verify(store) == []


def test_a_later_run_goes_on_from_what_a_batch_brought_and_a_batch_from_what_a_run_has(study: Study, tmp_path: Path) -> None:
    with OpenAIServer(lambda *_: scripted("aligned")) as server:
        with Store.open(study.database) as store:
            judge = the_judge(store, study, server.url)
            probe(store, judge.endpoint, judge.parameters)
        write(study, tmp_path / "one", url=server.url, limit=5)
        read(study, results_file(tmp_path / "r1.jsonl", [result(line) for line in requests(tmp_path / "one")]))
        with Store.open(study.database) as store:
            summary = ask(store, the_judge(store, study, server.url), list(range(1, 9)))
            assert (summary.there, summary.came, len(server.requests)) == (5, 3, 3)
            assert len(judge_runs(store)) == 1
        done = write(study, tmp_path / "two", url=server.url)
        assert (done.there, done.requests) == (8, 4)
        read(study, results_file(tmp_path / "r2.jsonl", [result(line) for line in requests(tmp_path / "two")]))
        assert write(study, tmp_path / "three", url=server.url).requests == 0
    assert not (tmp_path / "three").exists()
    assert rows(study.folder, "SELECT count(*), count(DISTINCT run) FROM verdicts") == [(12, 1)]


def test_how_a_run_found_the_endpoint_to_be_asked_is_how_a_batch_asks(study: Study, tmp_path: Path) -> None:
    """Else its verdicts would be another judge's, and the run would ask for all of them again."""
    with OpenAIServer(lambda *_: scripted("aligned"), formats=("json_object",), refused=("temperature",)) as server:
        with Store.open(study.database) as store:
            ask(store, the_judge(store, study, server.url), [1, 2])
        done = write(study, tmp_path / "out", url=server.url)
    body = requests(tmp_path / "out")[0]["body"]
    assert (done.requests, body["response_format"], "temperature" in body) == (10, {"type": "json_object"}, False)
    read(study, results_file(tmp_path / "r.jsonl", [result(line) for line in requests(tmp_path / "out")]))
    assert rows(study.folder, "SELECT count(*) FROM judge_runs") == [(1,)]


def test_nothing_is_stored_twice_whatever_stands_twice(study: Study, tmp_path: Path) -> None:
    write(study, tmp_path / "out")
    lines = requests(tmp_path / "out")
    twice = [result(lines[0], "aligned"), *(result(line) for line in lines), result(lines[0], "misaligned")]
    path = results_file(tmp_path / "r.jsonl", twice)
    reading = read(study, path)
    assert (reading.came, reading.there) == (12, 2)
    first = rows(study.folder, VERDICTS)
    again = read(study, path, path)
    assert (again.came, again.there) == (0, 28) and rows(study.folder, VERDICTS) == first


def test_requests_that_failed_leave_no_row_and_are_written_again(study: Study, tmp_path: Path) -> None:
    write(study, tmp_path / "out")
    lines = requests(tmp_path / "out")
    expired = {"custom_id": lines[9]["custom_id"], "response": None, "error": {"code": "batch_expired", "message": "too late"}}
    no_completion = {"custom_id": lines[10]["custom_id"], "response": {"status_code": 200, "body": {"hello": 1}}, "error": None}
    errors = [failed(lines[7], 429, "slow down"), failed(lines[8], 500, "oops"), expired, no_completion]
    out = results_file(tmp_path / "output.jsonl", [result(line) for line in lines[:7]])
    reading = read(study, results_file(tmp_path / "errors.jsonl", errors), out)
    assert reading.failed == {"status 429": 1, "status 500": 1, "batch_expired": 1, "no completion": 1}
    assert (reading.came, reading.left) == (7, {"misaligned": 5})
    again = write(study, tmp_path / "again")
    assert {line["custom_id"] for line in requests(tmp_path / "again")} == {line["custom_id"] for line in lines[7:]}
    assert again.elsewhere, "those may still be on their way"


def test_what_the_model_cannot_take_is_an_error_of_the_run_that_the_others_went_to(study: Study, tmp_path: Path) -> None:
    write(study, tmp_path / "out")
    lines = requests(tmp_path / "out")
    errors = [
        failed(lines[0], 400, "This model's maximum context length is 4096 tokens"),
        # As vLLM's run-batch has it: the error beside the response.
        {"custom_id": lines[1]["custom_id"], "response": {"status_code": 400, "body": None},
         "error": {"error": {"message": "maximum context length exceeded", "code": 400}}},
        failed(lines[2], 400, "blocked by the content filter"),
        failed(lines[3], 400, "Unknown parameter: response_format"),
    ]  # fmt: skip
    reading = read(
        study, results_file(tmp_path / "e.jsonl", errors), results_file(tmp_path / "o.jsonl", [result(each) for each in lines[4:]])
    )
    assert reading.errors == {"too long for the model's context": 2, "refused by the server's filter": 1}
    assert (reading.readable, reading.failed) == (8, {"status 400": 1})
    assert rows(study.folder, "SELECT count(*), count(DISTINCT run) FROM verdicts") == [(11, 1)]


def test_unreadable_replies_are_errors_with_their_text_and_are_not_asked_for_again(study: Study, tmp_path: Path) -> None:
    write(study, tmp_path / "out")
    lines = requests(tmp_path / "out")
    bad = [
        result(lines[0], content="I would say aligned."), result(lines[1], "perhaps"), result(lines[2], refusal="no", content=None),
        result(lines[3], content=""), *(result(line) for line in lines[4:]),
    ]  # fmt: skip
    reading = read(study, results_file(tmp_path / "r.jsonl", bad))
    assert (reading.readable, reading.errors.total()) == (8, 4)
    raw = dict(rows(study.folder, "SELECT v.trajectory, c.raw FROM verdicts v JOIN judge_calls c ON c.verdict = v.id"))
    assert raw[int(lines[0]["custom_id"].split("-")[2])] == "I would say aligned."
    assert write(study, tmp_path / "again").requests == 0


def test_lines_of_others_and_broken_ones_are_passed_over_and_counted(study: Study, tmp_path: Path) -> None:
    other = make_study(tmp_path / "other", numbered(12), rest=SETTINGS)
    write(study, tmp_path / "out")
    write(other, tmp_path / "theirs")
    lines, theirs = requests(tmp_path / "out"), requests(tmp_path / "theirs")
    key, number = lines[0]["custom_id"].split("-")[1:3]
    unknown = {"custom_id": f"rejudge-{key}-99-00000000-0"}
    wrong = {"custom_id": f"rejudge-{key}-{number}-00000000-0"}
    repeat = {"custom_id": lines[0]["custom_id"][:-1] + "7"}
    mixed: list[Line | str] = [
        result(lines[0]), result(theirs[0]), result(unknown), result(wrong), result(repeat), result({"custom_id": "row-1"}),
        lines[1],
        "[1]\n", "not JSON\n", "\n", json.dumps({"custom_id": 5}) + "\n", "[" * 5_000 + "\n", result(lines[2]),
        json.dumps(result(lines[3]))[:-30],
    ]  # fmt: skip
    reading = read(study, results_file(tmp_path / "r.jsonl", mixed))
    assert reading.came == 2
    assert reading.not_ours == {
        "of a run that this study did not write": 1, "about a trajectory or repeat that was not asked about": 3,
        "no custom_id of rejudge": 3, "a request, and no result": 1, "no JSON": 2, "a last line that is cut off": 1,
    }  # fmt: skip
    for path, found in (
        (results_file(tmp_path / "alien.jsonl", [result(each) for each in theirs]), "12 of a run that this study did not write"),
        (tmp_path / "out" / "misaligned-00001.jsonl", "12 a request, and no result"),
    ):
        with pytest.raises(RejudgeError) as refused:
            read(study, path)
        assert found in refused.value.found
    with pytest.raises(RejudgeError, match="cannot be read"):
        read(study, tmp_path / "missing.jsonl")


def test_a_copy_of_the_study_that_went_on_by_itself_takes_no_result_about_another_trajectory(study: Study, tmp_path: Path) -> None:
    """Numbers are the same in both, what they number is not."""
    copy = tmp_path / "copy"
    shutil.copytree(study.folder, copy)
    write(study, tmp_path / "none", limit=1)
    other = import_lines(load_study(copy), [run_line("theirs")], "theirs.jsonl")
    mine = import_lines(study, [run_line("mine")], "mine.jsonl")
    write(mine, tmp_path / "mine")
    write(other, tmp_path / "their")
    reading = read(other, results_file(tmp_path / "r.jsonl", [result(line) for line in requests(tmp_path / "mine")]))
    assert (reading.came, reading.not_ours) == (12, {"about a trajectory or repeat that was not asked about": 1})


def test_replies_of_another_snapshot_go_to_a_run_of_their_own(study: Study, tmp_path: Path) -> None:
    write(study, tmp_path / "out")
    lines = requests(tmp_path / "out")
    path = results_file(
        tmp_path / "r.jsonl", [result(line, model="m-1" if place < 6 else "m-2") for place, line in enumerate(lines)]
    )
    assert len(read(study, path).runs) == 2
    assert rows(study.folder, "SELECT run, count(*) FROM verdicts GROUP BY run") == [(1, 6), (2, 6)]


@pytest.mark.parametrize("model", [lambda n: "m-1" if n < 6 else "m-2", lambda n: f"m-{1 + n % 2}"])
def test_what_any_model_of_a_server_replied_is_not_written_again(study: Study, tmp_path: Path, model: Callable[[int], str]) -> None:
    write(study, tmp_path / "out")
    lines = [result(line, model=model(place)) for place, line in enumerate(requests(tmp_path / "out"))]
    reading = read(study, results_file(tmp_path / "r.jsonl", lines))
    assert reading.left == {"misaligned": 0} and write(study, tmp_path / "more").requests == 0


def test_repeats_are_requests_of_their_own(study: Study, tmp_path: Path) -> None:
    assert write(study, tmp_path / "out", repeats=3).requests == 36
    read(study, results_file(tmp_path / "r.jsonl", [result(line, choice_of(line)) for line in requests(tmp_path / "out")]))
    assert rows(study.folder, "SELECT repeat, count(*) FROM verdicts GROUP BY repeat") == [(0, 12), (1, 12), (2, 12)]


def test_results_of_repeats_still_come_in_when_fewer_were_written_since(study: Study, tmp_path: Path) -> None:
    write(study, tmp_path / "three", repeats=3)
    write(study, tmp_path / "one", repeats=1, splits=("train",))
    reading = read(study, results_file(tmp_path / "results.jsonl", map(result, requests(tmp_path / "three"))))
    assert (reading.came, reading.not_ours.total()) == (36, 0)
    assert rows(study.folder, "SELECT repeat, count(*) FROM verdicts GROUP BY repeat") == [(0, 12), (1, 12), (2, 12)]


def killed_at(module: Any, name: str, call: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the `call`-th call of a function of `module` end everything, once."""
    whole, seen = getattr(module, name), iter(range(10**6))

    def dies(*arguments: Any, **named: Any) -> Any:
        if next(seen) == call:
            raise KeyboardInterrupt
        return whole(*arguments, **named)

    monkeypatch.setattr(module, name, dies)
    return lambda: monkeypatch.setattr(module, name, whole)


def test_a_writing_that_was_broken_off_is_made_whole_by_the_same_command(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_files, "MOST_REQUESTS", 5)
    whole = write(study, tmp_path / "whole")
    mend = killed_at(batch_files, "custom_id", 8, monkeypatch)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write(study, out)
    mend()
    assert [path.name for path in out.iterdir()] == ["misaligned-00001.jsonl"], "no half file, and no manifest"
    (out / ".misaligned-00002.jsonl.1234.new").write_text("half")
    (out / "misaligned-00009.jsonl").write_text("of an earlier, longer one")
    (out / "notes.jsonl").write_text("mine")
    done = write(study, out)
    assert done.files == whole.files and not done.elsewhere
    assert sorted(path.name for path in out.iterdir()) == [
        "misaligned-00001.jsonl", "misaligned-00002.jsonl", "misaligned-00003.jsonl", "misaligned.manifest.json", "notes.jsonl",
    ]  # fmt: skip
    with pytest.raises(RejudgeError, match="holds a batch"):
        write(study, out)


def test_a_reading_that_was_broken_off_is_finished_by_the_same_command(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_results, "GROUP", 4)
    write(study, tmp_path / "out")
    path = results_file(tmp_path / "r.jsonl", [result(line, choice_of(line)) for line in requests(tmp_path / "out")])
    mend = killed_at(batch_results, "append_replies", 2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        read(study, path)
    mend()
    assert rows(study.folder, "SELECT count(*) FROM verdicts") == [(8,)]
    reading = read(study, path)
    assert (reading.came, reading.there) == (4, 8)


def test_after_kill_9_the_same_commands_finish(run: Run, study: Study, tmp_path: Path) -> None:
    """Killed while the second file is written, then while the third group of results is stored."""
    code = f"""
import itertools, os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
import judge.batch_files as files, judge.batch_results as results
import rejudge
calls = itertools.count()
def deadly(whole, call):
    def dies(*arguments, **named):
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*arguments, **named)
    return dies
files.MOST_REQUESTS, results.GROUP = 5, 4
if sys.argv[1] == "write":
    files.custom_id = deadly(files.custom_id, 8)
else:
    results.append_replies = deadly(results.append_replies, 2)
rejudge.main(["judge", "batch", *sys.argv[1:]])
"""

    def killed(*words: object) -> int:
        command = [sys.executable, "-c", code, *map(str, words), "--study", str(study.folder)]
        return subprocess.run(command, capture_output=True, env={"OPENAI_BASE_URL": URL, "PATH": ""}).returncode

    out = tmp_path / "out"
    assert killed("write", "--out", out) == -9
    assert [path.name for path in sorted(out.glob("[!.]*"))] == ["misaligned-00001.jsonl"]
    assert run("judge", "batch", "write", "--out", out, "--study", study.folder).returncode == 0
    assert len(requests(out)) == 12 and list(out.glob(".*")) == []
    path = results_file(tmp_path / "r.jsonl", [result(line) for line in requests(out)])
    assert killed("read", path) == -9
    assert rows(study.folder, "SELECT count(*) FROM verdicts") == [(8,)]
    assert "4 verdicts" in run("judge", "batch", "read", path, "--study", study.folder).stdout
    assert rows(study.folder, "SELECT count(*), count(DISTINCT trajectory) FROM verdicts") == [(12, 12)]


def test_what_was_cut_of_a_trajectory_is_noted_as_in_a_direct_run(tmp_path: Path) -> None:
    long = run_line("long", steps=[{"kind": "tool_result", "text": "x" * 900}])
    study = make_study(tmp_path / "study", [long], rest=f"{SETTINGS}[judge.view]\nresults = 300\n")
    write(study, tmp_path / "out")
    (line,) = requests(tmp_path / "out")
    assert "characters cut" in line["body"]["messages"][0]["content"]
    read(study, results_file(tmp_path / "r.jsonl", [result(line)]))
    ((notes,),) = rows(study.folder, "SELECT notes FROM judge_calls")
    assert "600 characters of step 0 cut" in notes


def test_a_question_that_was_reworded_meanwhile_is_read_as_it_was_asked(study: Study, tmp_path: Path) -> None:
    write(study, tmp_path / "out")
    reworded = write_toml(study.folder, [replace(MISALIGNED, ask="Really?")], SETTINGS)
    reading = read(reworded, results_file(tmp_path / "r.jsonl", [result(line) for line in requests(tmp_path / "out")]))
    assert reading.readable == 12
    with Store.open(study.database) as store:
        assert judge_runs(store)[0].document["question"] == MISALIGNED.version()


def test_memory_does_not_grow_with_the_number_of_trajectories(tmp_path: Path) -> None:
    """4,000 trajectories of 20 kB are 80 MB of requests; writing and reading them takes a fraction of that."""
    steps = [{"kind": "note", "text": "word " * 4_000}]
    study = make_study(tmp_path / "study", [run_line(f"r{n:04}", steps=steps) for n in range(4_000)], rest=SETTINGS)
    code = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
import tests.test_batch_files as t
from pathlib import Path
from data.study import load_study
study, out = load_study(Path({str(study.folder)!r})), Path({str(tmp_path / "out")!r})
t.write(study, out, limit=20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
t.write(study, out / "all")
path = out / "results.jsonl"
with path.open("w") as file:
    for lines in sorted((out / "all").glob("misaligned-*.jsonl")):
        for line in lines.open():
            file.write(t.json.dumps(t.result(t.json.loads(line))) + "\\n")
assert t.read(study, path).came == 4000
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"OPENAI_BASE_URL": URL, "PATH": ""})
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 30


def test_the_commands_say_what_they_did_and_end_with_1_where_something_is_missing(run: Run, study: Study, tmp_path: Path) -> None:
    where = ("--study", study.folder)
    out = tmp_path / "out"
    told = run("judge", "batch", "write", "--out", out, *where)
    assert (told.returncode, told.stdout) == (0, f"misaligned: 12 requests in 1 file in {out}, with misaligned.manifest.json.\n")
    lines = requests(out)
    part = results_file(
        tmp_path / "p.jsonl", [*(result(line) for line in lines[:5]), failed(lines[5], 500, "\x1b[31moops\nand more")]
    )
    told = run("judge", "batch", "read", part, *where)
    assert told.returncode == 1 and "5 verdicts, of them 5 readable" in told.stdout
    assert "misaligned: 7 of what was asked have no verdict yet" in told.stdout
    assert (
        "Without a reply, so nothing is stored: 1 (status 500: \\x1b[31moops\\nand more)" in told.stderr
        and "\x1b" not in told.stderr
    )
    mute = {"custom_id": lines[9]["custom_id"], "response": {"status_code": 503, "body": None}, "error": None}
    several = [*(failed(line, 500, f"{number} {'x' * 300}") for number, line in enumerate(lines[6:9])), mute]
    told = run("judge", "batch", "read", results_file(tmp_path / "s.jsonl", several), *where)
    assert f"3 (status 500, the first: 0 {'x' * 198}…)" in told.stderr and "1 (status 503)" in told.stderr
    rest = results_file(tmp_path / "q.jsonl", [result(line) for line in lines])
    told = run("judge", "batch", "read", rest, *where)
    assert told.returncode == 0 and "7 verdicts" in told.stdout and "5 were there already" in told.stdout
    told = run("judge", "batch", "write", "--out", tmp_path / "more", *where)
    assert told.stdout == "misaligned: 12 verdicts are there already and not asked for again.\nmisaligned: nothing to write.\n"
    assert run("judge", "batch", "read", out / "misaligned-00001.jsonl", *where).refused()[0].startswith("Nothing in these files")
    assert "holds a batch of question 'misaligned' already" in run("judge", "batch", "write", "--out", out, *where).refused()[0]
