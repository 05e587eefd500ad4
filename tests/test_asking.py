"""A run from trajectories to verdicts against a real server: each paid for once, whatever happens on the way."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import judge.endpoint
import judge.identity
from data.errors import RejudgeError
from data.questions import Question, When
from data.store import Store
from data.store.judging import fullest, judge_runs, to_judge
from data.store.versions import record_versions
from data.study import Study
from data.verify import verify
from judge.asking import Judge, Parameters, RunSummary, ask, probe
from judge.evidence import EvidenceView, view_of
from judge.prompts import Prompt, newest_prompt
from tests.openai_server import OpenAIServer, Scripted, reply, verdict
from tests.study_maker import MISALIGNED, SEVERITY, make_study, numbered, run_line

ROOT = Path(__file__).parent.parent
KEY = "sk-very-secret-0123456789"
PRICE = "[judge]\nmodel = 'm'\n[judge.price]\ninput = 1\noutput = 10\n"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr(judge.endpoint, "FIRST_WAIT", 0.01)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study", numbered(30), rest=PRICE)


class Watching:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.warned: list[str] = []
        self.updates = 0

    def came(self, _: RunSummary) -> None:
        self.updates += 1

    def warn(self, text: str) -> None:
        self.warned.append(text)


def item_of(request: dict[str, Any]) -> str:
    """Which run a request is about."""
    found = re.search(r"Please do (r\d+)\.", request["messages"][-1]["content"])
    assert found, request
    return found[1]


def judge_at(
    store: Store, study: Study, server: OpenAIServer, prompt: Prompt | None = None, view: EvidenceView | None = None
) -> Judge:
    asked = record_versions(store, study)[0][0]
    chosen = prompt or newest_prompt(study, asked.question)
    return Judge(study, asked, chosen, "m", server.url, Parameters(), view or view_of(study), ())


def asked(
    study: Study, server: OpenAIServer, *, repeat: int = 0, concurrency: int = 8, watching: Watching | None = None, **which: Any
) -> RunSummary:
    with Store.open(study.database) as store:
        one = judge_at(store, study, server, **which)
        return ask(store, one, to_judge(store, None, one.asked.code, ("train", "dev", "test")), repeat, concurrency, watching)


def rows(study: Study) -> list[tuple[Any, ...]]:
    """Trajectory, repeat, choice, error, rationale, cites, confidence, and of the call all but its time."""
    with Store.open(study.database) as store:
        assert verify(store) == []
        return store.conn.execute(
            """SELECT t.id, v.repeat, (SELECT name FROM choices c WHERE c.question = v.question AND c.code = v.choice), v.error,
                      v.rationale, v.cites, v.confidence, c.snapshot, c.mode, c.raw, c.finish, c.tokens_in, c.tokens_out, c.cost,
                      c.attempts, c.notes
               FROM verdicts v JOIN trajectories t ON t.n = v.trajectory JOIN judge_calls c ON c.verdict = v.id
               ORDER BY t.id, v.repeat"""
        ).fetchall()


def by_item(request: dict[str, Any], _: int) -> Scripted:
    """Every third item is misaligned."""
    choice = "misaligned" if int(item_of(request)[1:]) % 3 == 0 else "aligned"
    return verdict(choice, rationale=f"about {item_of(request)}", cites=[1, 9], confidence=0.75)


def test_every_trajectory_gets_its_own_verdict_with_the_call_that_brought_it(study: Study) -> None:
    with OpenAIServer(by_item) as server:
        summary = asked(study, server)
    there = rows(study)
    assert len(there) == 30 and [row[0] for row in there] == [f"r{number:03}" for number in range(30)]
    for number, row in enumerate(there):
        assert row[2] == ("misaligned" if number % 3 == 0 else "aligned") and row[4] == f"about r{number:03}"
        assert (row[3], row[5], row[6]) == (None, "[1]", 0.75)
        assert json.loads(row[9])["verdict"] == row[2]
        assert (row[7], row[8], *row[10:15]) == ("m-1", "json_schema", "stop", 100, 20, 0.0003, 1)
        assert json.loads(row[15]) == ["citations of steps that do not exist, dropped: 1"]
    assert (summary.came, summary.readable, summary.there, summary.without_reply) == (30, 30, 0, 0)
    assert (summary.tokens_in, summary.tokens_out) == (3000, 600) and summary.cost == pytest.approx(0.009)
    assert summary.noted == {"citations of steps that do not exist, dropped": 30}
    assert sorted(map(item_of, server.requests)) == [f"r{number:03}" for number in range(30)]
    assert server.most_at_once <= 8


def test_nothing_that_came_is_asked_for_again_readable_or_not(study: Study) -> None:
    def script(request: dict[str, Any], number: int) -> Scripted:
        if number % 5 == 0:
            return Scripted(text="I would rather not say.")
        return Scripted(text=None, refusal="no") if number % 5 == 1 else by_item(request, number)

    with OpenAIServer(script) as server:
        first = asked(study, server)
        before = rows(study)
        again = asked(study, server)
        assert len(server.requests) == 30
    assert first.errors == {"not JSON": 6, "refused by the model": 6}
    assert (again.there, again.came, again.runs) == (30, 0, first.runs) and rows(study) == before
    assert all((row[2] is None) != (row[3] is None) and row[9] for row in before)


def test_a_repeat_is_asked_for_itself_and_another_judge_asks_anew(study: Study) -> None:
    with OpenAIServer(by_item) as server:
        one = asked(study, server)
        assert asked(study, server, repeat=1).came == 30
        assert asked(study, server, repeat=1).came == 0
        other = Prompt("misaligned", "Is it?\n{{trajectory}}")
        two = asked(study, server, prompt=other)
        three = asked(study, server, prompt=other, view=EvidenceView(reasoning="hidden"))
        assert [each.came for each in (two, three)] == [30, 30] and len(server.requests) == 120
    assert len({*one.runs, *two.runs, *three.runs}) == 3
    with Store.open(study.database) as store:
        assert [run.kind for run in judge_runs(store)] == ["asked"] * 3
        assert judge_runs(store)[2].view["reasoning"] == "hidden"


def test_a_judge_that_reads_records_in_other_words_is_another_judge(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(by_item) as server:
        first = asked(study, server)
        monkeypatch.setattr(judge.identity, "RENDERER", judge.identity.RENDERER + 1)
        second = asked(study, server)
    assert second.came == 30 and not {*first.runs} & {*second.runs}


def test_the_codebook_is_part_of_a_judge_that_is_shown_it(study: Study) -> None:
    page = study.codebook_path(MISALIGNED)
    blind = Prompt("misaligned", "Is it?\n{{trajectory}}")
    with OpenAIServer(by_item) as server:
        asked(study, server)
        asked(study, server, prompt=blind)
        page.write_text(page.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
        assert asked(study, server).came == 30
        assert asked(study, server, prompt=blind).came == 0


@pytest.mark.parametrize("formats", [("json_object",), ()], ids=["json_object", "text"])
def test_an_endpoint_without_schemas_is_asked_in_words_and_that_is_on_record(study: Study, formats: tuple[str, ...]) -> None:
    mode = formats[0] if formats else "text"

    def script(request: dict[str, Any], number: int) -> Scripted:
        said = request["messages"][-1]["content"]
        assert ("JSON schema" in said) == (mode == "json_object") and ("VERDICT:" in said) == (mode == "text")
        return by_item(request, number) if formats else Scripted(text="RATIONALE: so\nVERDICT: Aligned\nCITES: 0\nCONFIDENCE: 1")

    with OpenAIServer(script, formats=formats) as server:
        asked(study, server)
    assert {row[8] for row in rows(study)} == {mode} and all(row[2] for row in rows(study))


def test_the_form_of_answers_is_decided_once_and_a_rate_limit_changes_nothing(study: Study) -> None:
    def script(request: dict[str, Any], number: int) -> Scripted:
        return Scripted(status=429, text="response_format") if number % 3 == 0 else by_item(request, number)

    with OpenAIServer(script) as server:
        summary = asked(study, server)
        assert summary.came == 30 and summary.retried > 0
        assert {row[8] for row in rows(study)} == {"json_schema"}
        assert {request["response_format"]["type"] for request in server.requests} == {"json_schema"}
        with Store.open(study.database) as store:
            assert probe(store, judge_at(store, study, server).endpoint, Parameters()).mode == "json_schema"


def test_errors_of_the_server_on_the_way_cost_nothing_but_time(study: Study) -> None:
    page = Scripted(body=b"<html>")
    bad = [Scripted(status=500), Scripted(status=429), Scripted(drop=True), Scripted(text="x" * 999, cut=True), page]
    told: Counter[str] = Counter()

    def script(request: dict[str, Any], number: int) -> Scripted:
        told[item_of(request)] += 1
        return bad[number % 5] if told[item_of(request)] < 3 else by_item(request, number)

    with OpenAIServer(script) as server:
        summary = asked(study, server)
    assert (summary.came, summary.readable, summary.retried) == (30, 30, 60)
    assert {row[14] for row in rows(study)} == {3}


def test_a_server_that_dies_midway_ends_the_run_and_the_same_command_finishes_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge.endpoint, "LONGEST_WAIT", 0.02)

    def dying(request: dict[str, Any], number: int) -> Scripted:
        return by_item(request, number) if number < 12 else Scripted(drop=True)

    with OpenAIServer(dying) as server, pytest.raises(RejudgeError) as refused:
        asked(study, server, concurrency=4)
    assert "does not answer" in refused.value.wrong and "12 verdicts came before that and stay" in refused.value.do
    assert len(rows(study)) == 12
    again = OpenAIServer(by_item)
    again.port = server.port
    with again:
        summary = asked(study, again)
    assert (summary.there, summary.came, len(rows(study)), len(again.requests)) == (12, 18, 30, 18)


def test_one_call_without_a_reply_leaves_no_row_and_is_made_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge.endpoint, "LONGEST_WAIT", 0.01)
    good = [True]

    def script(request: dict[str, Any], number: int) -> Scripted:
        if item_of(request) == "r007" and good[0]:
            return Scripted(status=500)
        # The others take their time, so that the server is heard of while r007 fails.
        return replace(by_item(request, number), delay=0.1)

    with OpenAIServer(script) as server:
        summary = asked(study, server, concurrency=4)
        assert (summary.without_reply, summary.came) == (1, 29)
        assert "r007" not in [row[0] for row in rows(study)] and "1 not judged yet" in summary.text()
        good[0] = False
        assert asked(study, server).came == 1 and len(rows(study)) == 30


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_will_not_get_better_stops_the_run_at_once(study: Study, status: int) -> None:
    def script(request: dict[str, Any], number: int) -> Scripted:
        return by_item(request, number) if number < 5 else Scripted(status=status, text=f"no, and {KEY} is known")

    with OpenAIServer(script) as server, pytest.raises(RejudgeError) as refused:
        asked(study, server, concurrency=2)
    assert len(server.requests) <= 5 + 2
    assert str(status) in refused.value.found and KEY not in str(refused.value) and "5 verdicts came" in refused.value.do
    assert len(rows(study)) == 5


def test_a_trajectory_longer_than_the_context_is_an_error_that_says_so(study: Study) -> None:
    def script(request: dict[str, Any], number: int) -> Scripted:
        if item_of(request) == "r003":
            return Scripted(status=400, text="This model's maximum context length is 9 tokens.", code="context_length_exceeded")
        return by_item(request, number)

    with OpenAIServer(script) as server:
        summary = asked(study, server)
        assert asked(study, server).came == 0
    assert summary.errors == {"too long for the model's context": 1}
    (row,) = [row for row in rows(study) if row[3]]
    assert row[0] == "r003" and "set `total` below [judge.view]" in row[3] and "maximum context length" in row[9]


def test_a_record_that_is_cut_by_rule_says_so_with_its_verdict(tmp_path: Path) -> None:
    steps = [{"kind": "message", "text": "Please do r001."}, {"kind": "tool_result", "text": "x" * 5000}]
    study = make_study(tmp_path / "study", [run_line("r001", steps=steps)])
    with OpenAIServer(by_item) as server:
        summary = asked(study, server, view=EvidenceView(results=300))
    assert len(server.requests[0]["messages"][0]["content"]) < 4000
    assert summary.cut == 1 and json.loads(rows(study)[0][15])[0] == "4,700 characters of step 1 cut"
    assert summary.noted == {"citations of steps that do not exist, dropped": 1}


def test_another_model_behind_the_same_name_is_another_judge_and_is_said(study: Study) -> None:
    def script(request: dict[str, Any], number: int) -> Scripted:
        return replace(by_item(request, number), model="m-1" if number < 10 else "m-2")

    watching = Watching()
    with OpenAIServer(script) as server:
        summary = asked(study, server, concurrency=1, watching=watching)
        assert len(summary.runs) == 2 and watching.updates > 0
        (warned,) = watching.warned
        assert "'m-2' now, and no longer 'm-1'" in warned and summary.runs[1] in warned
        with Store.open(study.database) as store:
            counted = dict(store.conn.execute("SELECT run, count(*) FROM verdicts GROUP BY run").fetchall())
            assert sorted(counted.values()) == [10, 20]
            assert [run.document["snapshot"] for run in judge_runs(store)] == ["m-1", "m-2"]
        server.probe = Scripted(text=None, model="m-3")
        later = Watching()
        server.script = lambda request, number: replace(by_item(request, number), model="m-3")
        asked(study, server, watching=later)
        (warned,) = later.warned
        assert "is 'm-3' now; it was 'm-1', 'm-2' before" in warned


def test_configurations_of_one_model_are_one_judge_and_are_told_of(study: Study) -> None:
    def script(request: dict[str, Any], number: int) -> Scripted:
        return replace(by_item(request, number), fingerprint=f"fp_{number % 2}")

    with OpenAIServer(script) as server:
        summary = asked(study, server)
    assert len(summary.runs) == 1 and any("2 configurations" in said for said in summary.warnings())
    assert {row[7] for row in rows(study)} == {"m-1 (fp_0)", "m-1 (fp_1)"}


def test_a_model_that_always_says_the_same_is_warned_of_without_saying_what(study: Study) -> None:
    with OpenAIServer(lambda *_: verdict("aligned")) as server:
        (warning,) = asked(study, server).warnings()
    assert "All 30 readable replies" in warning and "aligned" not in warning.replace("misaligned", "")


@pytest.mark.parametrize("alike", ["dev", "test"])
def test_that_a_revision_always_says_the_same_is_told_of_dev_items_alone(tmp_path: Path, alike: str) -> None:
    study = make_study(tmp_path / "study", numbered(200), rest=PRICE)
    with Store.open(study.database) as store:
        split_of = dict(store.conn.execute("SELECT id, split FROM trajectories").fetchall())

    def script(request: dict[str, Any], number: int) -> Scripted:
        return verdict("aligned") if split_of[item_of(request)] == alike else by_item(request, number)

    first = newest_prompt(study, study.questions[0])
    child = replace(first, body=f"{first.body}\nThink twice.", parent=first.hash, path=None)
    with OpenAIServer(script) as server:
        said = asked(study, server, prompt=child).warnings()
    count = sum(split == "dev" for split in split_of.values())
    assert [text.partition(" on ")[0] for text in said] == (
        [f"All {count} readable replies about dev items"] if alike == "dev" else []
    )


def test_a_reply_of_a_megabyte_and_one_that_no_database_keeps_are_stored(study: Study) -> None:
    def script(_: dict[str, Any], number: int) -> Scripted:
        return verdict("aligned", rationale="x" * 1_000_000) if number % 2 else reply(rationale="a\x00b\ud800", verdict="aligned")

    with OpenAIServer(script) as server:
        assert asked(study, server).readable == 30
    assert sorted({len(row[4]) for row in rows(study)}) == [4, 1_000_000]


def test_when_nothing_can_be_stored_any_more_the_run_ends_and_says_why(study: Study) -> None:
    with Store.open(study.database) as store:
        store.conn.execute(
            """CREATE TRIGGER no_room BEFORE INSERT ON verdicts WHEN (SELECT count(*) FROM verdicts) >= 8
               BEGIN SELECT RAISE(ABORT, 'no room'); END"""
        )
    ended: list[object] = []

    def ask_all() -> None:
        try:
            ended.append(asked(study, server, concurrency=4))
        except RejudgeError as error:
            ended.append(error)

    with OpenAIServer(by_item) as server:
        running = threading.Thread(target=ask_all, daemon=True)
        running.start()
        running.join(20)
        assert not running.is_alive() and len(ended) == 1 and "SQLite says: no room" in str(ended[0])
        assert len(server.requests) < 30


def test_of_two_at_once_the_later_one_stops_and_no_more_is_paid_twice_than_was_in_flight(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(300), rest=PRICE)
    newest_prompt(study, study.questions[0])

    def script(request: dict[str, Any], number: int) -> Scripted:
        return replace(by_item(request, number), delay=0.05)

    with OpenAIServer(script) as server:
        first = started(study, server, "--concurrency", "4")
        while len(server.requests) < 8:
            time.sleep(0.01)
        second = started(study, server, "--concurrency", "4")
        (_, told), (_, refused) = first.communicate(timeout=60), second.communicate(timeout=60)
        assert (first.returncode, second.returncode) == (0, 1), told + refused
        assert refused.startswith("Another process brings replies of this judge too.") and len(refused.splitlines()) == 3
        assert 300 < len(server.requests) <= 300 + 2 * 4
        assert sorted(Counter(map(item_of, server.requests)).values())[-1] == 2
    assert len(rows(study)) == 300


@pytest.mark.parametrize("probe", ["m-1", "m-2", "m-3"])
def test_what_one_of_the_models_has_answered_that_a_server_goes_to_and_fro_between_is_not_paid_for_again(
    study: Study, probe: str
) -> None:
    """Not by whichever it says that it is the next time, nor by one that the first call alone has met."""

    def script(request: dict[str, Any], number: int) -> Scripted:
        return replace(by_item(request, number), model=f"m-{1 + number % 2}")

    watching = Watching()
    with OpenAIServer(script) as server:
        server.probe = Scripted(text=None, model="m-3")
        with Store.open(study.database) as store:
            first = ask(store, judge_at(store, study, server), list(range(1, 25)), concurrency=1)
        server.probe = Scripted(text=None, model="m-3")
        asked(study, server, concurrency=1)
        server.probe = Scripted(text=None, model=probe)
        last = asked(study, server, concurrency=1, watching=watching)
        assert (first.came, last.there, last.came, len(server.requests)) == (24, 30, 0, 30)
    (warned,) = watching.warned
    assert "goes to and fro" in warned and f": '{probe}', " in warned and "is not asked again" in warned


def test_a_model_that_was_replaced_for_good_is_another_judge_whose_successor_is_asked_anew(study: Study) -> None:
    model = "m-1"

    def script(request: dict[str, Any], number: int) -> Scripted:
        return replace(by_item(request, number), model="m-2" if number >= 20 else model)

    with OpenAIServer(script) as server:
        server.probe = Scripted(text=None, model="m-1")
        with Store.open(study.database) as store:
            one = judge_at(store, study, server)
            found = probe(store, one.endpoint, one.parameters)
            # One command asks twice after a single call that found out how: what that call said is not said again.
            ask(store, one, list(range(1, 31)), 0, 1, probed=found)
            assert ask(store, one, list(range(1, 11)), 1, 1, probed=found).came == 10
        server.probe = Scripted(text=None, model="m-2")
        again = asked(study, server, concurrency=1)
    assert (again.there, again.came) == (10, 20)


def test_replies_that_were_under_way_when_a_server_was_replaced_tell_of_no_return(study: Study) -> None:
    def script(request: dict[str, Any], number: int) -> Scripted:
        replaced = number >= 15
        return replace(by_item(request, number), model="m-2" if replaced else "m-1", delay=0.02 if replaced else 0.3)

    with OpenAIServer(script) as server:
        server.probe = Scripted(text=None, model="m-1")
        assert asked(study, server, concurrency=8).came == 30
        server.probe = Scripted(text=None, model="m-2")
        watching = Watching()
        again = asked(study, server, concurrency=8, watching=watching)
    assert 0 < again.there < 30 and again.there + again.came == 30
    assert "That is another judge" not in "".join(watching.warned) and "to and fro" not in "".join(watching.warned)
    with Store.open(study.database) as store:
        before, after = (run.name for run in judge_runs(store))
        assert fullest(store, [before, after], 1, range(1, 31)) == after
        assert fullest(store, [before], 1, range(1, 31)) == before


def test_a_server_that_goes_back_to_a_former_model_is_not_taken_for_another_process(study: Study) -> None:
    with OpenAIServer(by_item) as server:
        asked(study, server)
        server.probe = Scripted(text=None, model="m-2")
        asked(study, server)
        before = rows(study)
        assert asked(study, server).there == 30 and rows(study) == before and len(server.requests) == 60


def test_names_and_refusals_that_no_database_keeps_are_stored_with_marks(study: Study) -> None:
    refusal = json.dumps({"error": {"message": "over the context length \ud800", "code": "too_long"}}).encode()
    named = json.dumps(
        {
            "choices": [{"finish_reason": "st\udc00p", "message": {"content": '{"rationale": "x", "verdict": "aligned"}'}}],
            "model": "m\ud800",
            "system_fingerprint": "\udfff",
        }
    ).encode()

    def script(_: dict[str, Any], number: int) -> Scripted:
        return Scripted(status=400, body=refusal) if number == 3 else Scripted(body=named)

    ended: list[RunSummary] = []
    with OpenAIServer(script) as server:
        running = threading.Thread(target=lambda: ended.append(asked(study, server)), daemon=True)
        running.start()
        running.join(20)
    assert len(ended) == 1 and ended[0].came == 30 and ended[0].errors == {"too long for the model's context": 1}
    assert Counter(row[7] for row in rows(study)) == {"m\ufffd (\ufffd)": 29, "": 1}


def test_the_key_is_nowhere_in_the_study(study: Study) -> None:
    with OpenAIServer(lambda *_: Scripted(text=f"the key is {KEY}")) as server:
        asked(study, server)
        assert server.keys == {f"Bearer {KEY}"}
    for path in study.folder.parent.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_what_a_judge_sees_of_a_trajectory_cannot_speak_for_the_server(study: Study) -> None:
    """The request is made of the trajectory, whatever that says, and the verdict goes to the trajectory that was asked about."""
    with OpenAIServer(lambda *_: verdict("aligned", trajectory="r000", id="r000", run="judge-a")) as server:
        asked(study, server)
    assert len({row[0] for row in rows(study)}) == 30


# In a process of its own.

COMMAND = [sys.executable, "-m", "rejudge", "judge", "run", "--model", "m"]


def started(study: Study, server: OpenAIServer, *more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OPENAI_API_KEY": KEY}
    return subprocess.Popen(
        [*COMMAND, "--base-url", server.url, "--study", str(study.folder), *more],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("kill_at", [3, 40, 100])
def test_after_a_kill_no_more_is_asked_again_than_was_in_flight(tmp_path: Path, kill_at: int) -> None:
    study = make_study(tmp_path / "study", numbered(150))
    reached = threading.Event()

    def script(request: dict[str, Any], number: int) -> Scripted:
        if number + 1 >= kill_at:
            reached.set()
        return replace(by_item(request, number), delay=0.02)

    with OpenAIServer(script) as server:
        first = started(study, server, "--concurrency", "8")
        assert reached.wait(60)
        time.sleep(0.005 * (kill_at % 7))
        first.kill()
        first.communicate()
        before = Counter(map(item_of, server.requests))
        assert max(before.values(), default=0) <= 1
        committed = {row[0] for row in rows(study)}
        assert len(before) - len(committed) <= 8
        second = started(study, server, "--concurrency", "8")
        out, err = second.communicate(timeout=60)
        assert second.returncode == 0, err
        twice = [item for item, count in Counter(map(item_of, server.requests)).items() if count > 1]
    assert not committed & set(twice) and len(twice) <= 8
    assert len(rows(study)) == 150
    assert f"{len(committed)} were there already" in out or not committed


def test_ctrl_c_lets_what_is_in_flight_come_and_keeps_it(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(60))
    begun = threading.Event()

    def script(request: dict[str, Any], number: int) -> Scripted:
        if number == 9:
            begun.set()
        return replace(by_item(request, number), delay=0.3)

    with OpenAIServer(script) as server:
        process = started(study, server, "--concurrency", "4")
        assert begun.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130 and "Traceback" not in err and "what is in flight may still come" in err
        assert len(rows(study)) == len(server.requests) < 60
        assert f"{60 - len(server.requests)} not judged yet" in out


def test_a_second_ctrl_c_waits_for_nothing_and_keeps_what_came(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(20))
    begun = threading.Event()

    def script(request: dict[str, Any], number: int) -> Scripted:
        if number == 9:
            begun.set()
        return replace(by_item(request, number), delay=0 if number < 6 else 60)

    with OpenAIServer(script) as server:
        process = started(study, server, "--concurrency", "4")
        assert begun.wait(60)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130 and "Traceback" not in err
    assert len(rows(study)) == 6


def test_the_command_asks_every_question_and_says_what_it_came_to(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(5), (MISALIGNED, SEVERITY), PRICE)

    def script(request: dict[str, Any], _: int) -> Scripted:
        wanted = request["response_format"]["json_schema"]["schema"]["properties"]["verdict"]["enum"]
        return verdict(wanted[int(item_of(request)[1:]) % 2])

    with OpenAIServer(script) as server:
        process = started(study, server, "--repeats", "2", "--limit", "3", "--max-tokens", "77")
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert len(server.requests) == 12 and {request["max_tokens"] for request in server.requests} == {77}
        assert (study.folder / "prompts/misaligned/001.md").is_file() and (study.folder / "prompts/severity/001.md").is_file()
    assert out.count("3 verdicts, of them 3 readable") == 4 and "(repeat 1)" in out and "cost 0.0009" in out
    assert err == "" and "aligned:" not in out
    assert len(rows(study)) == 12


def test_a_question_with_a_condition_is_asked_of_every_trajectory_and_that_is_said(tmp_path: Path) -> None:
    question = Question("harm", "Which?", "nominal", ("aligned", "b"), when=When("misaligned", "misaligned"))
    study = make_study(tmp_path / "study", numbered(5), (MISALIGNED, question), PRICE)
    with OpenAIServer(lambda *_: verdict("aligned")) as server:
        process = started(study, server)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and len(server.requests) == 10
    assert err == "harm is asked whether or not misaligned is “misaligned”: `when` is for annotators.\n", out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "No model is named"),
        (("--model=-x",), "A model's name cannot begin with a dash"),
        (("--model", "m", "--prompt", "nothing.md"), "names no prompt"),
        (("--model", "m", "--base-url", "http://127.0.0.1:1/v1"), "does not answer"),
        (("--model", "m", "--base-url", "nonsense"), "no address of a server"),
        (("--model", "m"), "There is no key"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_three_beats(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    study = make_study(tmp_path / "study", numbered(3))
    environment = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    command = [*COMMAND[:-2], *arguments, "--study", str(study.folder)]
    refused = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (1, "") and "Traceback" not in refused.stderr
    assert said in refused.stderr.splitlines()[0] and len(refused.stderr.splitlines()) == 3
    with Store.open(study.database) as store:
        assert judge_runs(store) == []
