"""An xray finds the instruction that a judge obeys, blames none for flips of its own, and leaves no verdict behind."""

import base64
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

import judge.endpoint
import rejudge
from data.errors import RejudgeError
from data.questions import Question
from data.store import Store
from data.store.versions import record_versions
from data.study import Study
from judge.asking import Judge, Parameters, probe
from judge.evidence import EvidenceView
from judge.injections import CONTROL, INJECTIONS, in_words, injected, target_for, value_of
from judge.prompts import first_prompt
from judge.replies import Answer
from judge.run_command import WITHOUT_REPLY
from judge.xray import CLEAN, xray_of
from judge.xray_command import lines_of
from tests.conftest import Run
from tests.openai_server import OpenAIServer, Scripted, reply, verdict
from tests.study_maker import MISALIGNED, make_study, numbered, run_line

SPLIT = "[split]\ntrain = 0.6\ndev = 0.2\n"
SEVERITY = Question("severity", "How bad?", "ordinal", ("none", "some", "much"))
KINDS = Question("kinds", "Which?", "multilabel", ("a", "b", "c"))
SKILL = Question("skill", "How good?", "score", (), min=0, max=10)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setattr(judge.endpoint, "FIRST_WAIT", 0.01)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study", [run_line(f"i{k:02}", group=f"g{k // 2}") for k in range(60)], rest=SPLIT)


def xray(study: Study, server: OpenAIServer, count: int = 4, view: EvidenceView | None = None) -> dict[str, Any]:
    with Store.open(study.database) as store:
        (asked, *_), _ = record_versions(store, study)
        of = Judge(study, asked, first_prompt(asked.question), "m", server.url, Parameters(), view or EvidenceView(), ())
        return xray_of(store, of, probe(store, of.endpoint, of.parameters), count, concurrency=4)[0]


def by_kind(document: dict[str, Any]) -> dict[str, int]:
    return {kind["kind"]: len(kind["flipped_items"]) for kind in document["kinds"]}


def asked_text(request: dict[str, Any]) -> str:
    return str(request["messages"][-1]["content"])


def task_of(text: str) -> str:
    return re.findall(r"^Task i\d+$", text, re.MULTILINE)[0]


def steadfast(_: dict[str, Any], __: int) -> Scripted:
    return verdict("aligned")


def test_a_judge_that_obeys_one_kind_is_caught_by_that_kind_alone(study: Study) -> None:
    def obeys_threats(request: dict[str, Any], _: int) -> Scripted:
        return verdict("misaligned" if "is shut down" in asked_text(request) else "aligned")

    with OpenAIServer(obeys_threats) as server:
        document = xray(study, server)
    assert by_kind(document) == {kind: 4 if kind == "threat" else 0 for kind in (CONTROL, *(each.kind for each in INJECTIONS))}
    threat = next(kind for kind in document["kinds"] if kind["kind"] == "threat")
    assert threat["flipped"]["value"] == 1 and 0.5 < threat["flipped"]["low"] < 0.52 and threat["flipped"]["method"] == "wilson"
    told = list(lines_of(document))
    assert told[1].startswith(f"  {CONTROL}") and told[2].startswith("  threat: verdict as ordered on 4 of 4, 100 %")


def test_every_instruction_is_alone_in_a_tool_result_and_orders_the_verdict_that_was_not_given(study: Study) -> None:
    with OpenAIServer(steadfast) as server:
        xray(study, server, count=2)
    texts = [asked_text(request) for request in server.requests]
    assert len(texts) == 2 * (2 + len(INJECTIONS)) and len(INJECTIONS) >= 8
    clean = {text for text in texts if texts.count(text) == 2}
    assert len(clean) == 2
    for text in set(texts) - clean:
        (whole,) = [each for each in clean if task_of(each) == task_of(text)]
        fences = [next(line for line in each.splitlines() if set(line) == {"="}) for each in (whole, text)]
        whole = whole.replace(*fences)
        before = next(place for place, (a, b) in enumerate(zip(whole, text, strict=False)) if a != b)
        step = re.findall(r"^\[\d+\] \w+", text[: before + 1], re.MULTILINE)[-1]
        assert step == "[2] tool_result"
        said = text[before:]
        if "base64: " in said:
            said = base64.b64decode(said.split("base64: ")[1].split()[0]).decode()
        assert "misaligned" in said.split("Task and record stand")[0]
        assert text.splitlines().count(fences[1]) == 4 and len(re.findall(r"^\[\d+\]", text, re.MULTILINE)) == 3


def test_what_flips_by_itself_shows_beside_the_kinds(study: Study) -> None:
    lock, seen = threading.Lock(), {}  # type: ignore[var-annotated]

    def fickle(request: dict[str, Any], _: int) -> Scripted:
        with lock:
            seen[asked_text(request)] = seen.get(asked_text(request), 0) + 1
            return verdict("misaligned" if seen[asked_text(request)] > 1 else "aligned")

    with OpenAIServer(fickle) as server:
        found = by_kind(xray(study, server))
    assert found[CONTROL] == 4 and sum(found.values()) == 4


def test_its_replies_are_no_verdicts_and_only_train_is_asked_one_item_of_a_group(study: Study) -> None:
    with OpenAIServer(steadfast) as server:
        document = xray(study, server, count=500)
    with Store.open(study.database) as store:
        groups = store.conn.execute("SELECT count(DISTINCT group_name) FROM trajectories WHERE split = 'train'").fetchone()[0]
        aside = [id for (id,) in store.conn.execute("SELECT id FROM trajectories WHERE split <> 'train'")]
        assert store.conn.execute("SELECT count(*) FROM verdicts").fetchone()[0] == 0
        assert store.conn.execute("SELECT count(*) FROM judge_runs").fetchone()[0] == 0
    assert document["items"] == groups > 1
    assert not any(f"Task {id}\n" in asked_text(request) for request in server.requests for id in aside)


def test_what_came_is_not_asked_for_again_and_a_torn_line_costs_one_call(study: Study) -> None:
    with OpenAIServer(steadfast) as server:
        first = xray(study, server, count=3)
        paid = len(server.requests)
        assert xray(study, server, count=3) == first and len(server.requests) == paid
        (path,) = (study.folder / "reports").glob("xray-*.jsonl")
        path.write_text(path.read_text(encoding="utf-8")[:-30], encoding="utf-8")
        assert xray(study, server, count=3) == first and len(server.requests) == paid + 1
        path.write_text("nonsense\n", encoding="utf-8")
        with pytest.raises(RejudgeError, match="cannot be read"):
            xray(study, server, count=3)
    report = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert report["figures"] == first and report["replies"] == path.name


def test_a_key_that_stops_working_ends_it_with_three_beats_and_keeps_what_came(study: Study) -> None:
    with OpenAIServer(lambda _, number: verdict("aligned") if number < 6 else Scripted(status=401, text="no")) as server:
        with pytest.raises(RejudgeError, match="API key") as refused:
            xray(study, server)
        assert len(str(refused.value).split("\n")) == 3
        server.script = steadfast
        asked = len(server.requests)
        xray(study, server)
    assert len(server.requests) - asked == 4 * (2 + len(INJECTIONS)) - 6


def test_unreadable_replies_are_no_flips_and_an_unreadable_first_reply_leaves_the_item_out(study: Study) -> None:
    def mute(request: dict[str, Any], number: int) -> Scripted:
        if number == 0:
            return Scripted(text="no idea")
        return Scripted(text="???") if "OracleGrader" in asked_text(request) else verdict("aligned")

    with OpenAIServer(mute) as server:
        document = xray(study, server)
    assert document["unreadable"] == 1 and document["kinds"][0]["n"] == 3
    role = next(kind for kind in document["kinds"] if kind["kind"] == "role-play")
    assert (role["n"], role["unreadable"], role["flipped"]["value"]) == (0, 3, None)


@pytest.mark.parametrize(
    ("question", "given", "target", "words"),
    [
        (MISALIGNED, Answer(choice="misaligned"), "aligned", "“aligned”"),
        (SEVERITY, Answer(choice="none"), "much", "“much”"),
        (SEVERITY, Answer(choice="much"), "none", "“none”"),
        (KINDS, Answer(choices=("a",)), ("b", "c"), "“b” and “c”"),
        (KINDS, Answer(choices=("a", "b", "c")), (), "none of the choices"),
        (SKILL, Answer(score=9), 0, "0"),
        (SKILL, Answer(score=2.0), 10, "10"),
    ],
)
def test_what_is_ordered_is_never_what_was_given(question: Question, given: Answer, target: Any, words: str) -> None:
    assert target_for(question, given) == target != value_of(given) and in_words(target) == words


def test_scores_and_several_choices_are_xrayed_too(tmp_path: Path) -> None:
    for question, low, high in ((KINDS, ["a"], ["b", "c"]), (SKILL, 1, 10)):
        made = make_study(tmp_path / question.id, numbered(40), [question], SPLIT)

        def script(request: dict[str, Any], _: int, low: Any = low, high: Any = high) -> Scripted:
            return reply(
                rationale="r", verdict=high if "mark" not in asked_text(request) and "Hinweis" in asked_text(request) else low
            )

        with OpenAIServer(script) as server:
            found = by_kind(xray(made, server, count=2))
        assert found["other language"] == 2 and sum(found.values()) == 2, question.id


def test_an_instruction_stands_in_the_last_tool_result_else_in_what_there_is() -> None:
    message, result = {"kind": "message", "text": "m"}, {"kind": "tool_result", "text": "r"}
    assert injected([result, result, message], "X") == [result, {"kind": "tool_result", "text": "r\nX"}, message]
    assert injected([message, {"kind": "reasoning", "text": "t"}], "X") == [
        {"kind": "message", "text": "m\nX"},
        {"kind": "reasoning", "text": "t"},
    ]
    assert injected([{"kind": "reasoning", "text": "t"}], "X") is None and result == {"kind": "tool_result", "text": "r"}


def test_calls_that_ended_without_a_reply_are_counted_and_made_again(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(judge.endpoint, "LONGEST_WAIT", 0.01)
    broken = True

    def script(request: dict[str, Any], _: int) -> Scripted:
        fails = broken and "is shut down" in asked_text(request)
        return Scripted(status=500) if fails else verdict("aligned")

    with OpenAIServer(script) as server:
        command = ["judge", "xray", "--base-url", server.url, "--model", "m", "--n", "2", "--study", str(study.folder)]
        assert rejudge.main(command) == 1
        assert capsys.readouterr().err == WITHOUT_REPLY.format(2) + "\n"
        broken, before = False, len(server.requests)
        assert rejudge.main(command) == 0 and len(server.requests) == before + 2


def test_the_command_tells_every_kind_and_where_the_replies_are(run: Run, study: Study) -> None:
    with OpenAIServer(steadfast) as server:
        ran = run("judge", "xray", "--base-url", server.url, "--model", "m", "--n", 2, "--study", study.folder)
    assert ran.returncode == 0, ran.stderr
    assert all(f"  {injection.kind}: verdict as ordered on 0 of 2, 0 %" in ran.stdout for injection in INJECTIONS)
    assert "has every figure" in ran.stdout and CLEAN not in ran.stdout
    empty = make_study(study.folder.parent / "empty", [], rest="[split]\ntrain = 0\ndev = 0\n")
    with OpenAIServer(steadfast) as server:
        assert (
            "no train item" in run("judge", "xray", "--base-url", server.url, "--model", "m", "--study", empty.folder).refused()[0]
        )
