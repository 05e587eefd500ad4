"""Chat messages as steps: OpenAI's, Anthropic's, and tau-bench's runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import ImportRefused
from data.formats import anthropic, format_of, openai_chat
from data.hashing import canonical_json, content_hash
from data.records import Entry, Step, Trajectory
from tests.good_files import chat, claude, tau_run, write_json
from tests.small_study import MISALIGNED, bring, make_study, rows, write_lines


def entry(path: Path, format: str | None = None) -> Entry:
    (only,) = format_of(path, format).read(path)
    return only


def trajectory(path: Path, format: str | None = None) -> Trajectory:
    found = entry(path, format).trajectory
    assert found is not None
    return found


def openai_steps(*messages: Any) -> list[Step]:
    return openai_chat.read_messages(list(messages), "line 1").steps


def anthropic_steps(*messages: Any, system: Any = None) -> list[Step]:
    return anthropic.read_messages(list(messages), "line 1", system).steps


def said(*content: Any, role: str = "assistant") -> dict[str, Any]:
    return {"role": role, "content": content[0] if len(content) == 1 and isinstance(content[0], str) else list(content)}


def call(name: str = "look", arguments: Any = "{}", id: str | None = "c1") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def asked(*calls: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **more}


# OpenAI


def test_a_chat_becomes_steps_by_kind_with_calls_and_results_linked(tmp_path: Path) -> None:
    found = entry(write_lines(tmp_path / "f.jsonl", chat()))
    run = found.trajectory
    assert run is not None
    assert run.steps == [
        {"kind": "message", "speaker": "system", "text": "You book rooms."},
        {"kind": "message", "speaker": "user", "text": "Book room 1."},
        {"kind": "reasoning", "speaker": "assistant", "text": "I should look first."},
        {"kind": "tool_call", "speaker": "assistant", "tool": "look", "arguments": {"room": 1}, "call": "c1"},
        {"kind": "tool_call", "speaker": "assistant", "tool": "price", "arguments": "room=1", "call": "c2"},
        {"kind": "tool_result", "speaker": "price", "text": "40", "call": "c2"},
        {"kind": "tool_result", "speaker": "look", "text": "free", "call": "c1"},
        {"kind": "message", "speaker": "assistant", "text": "Booked."},
    ]
    assert (run.id, run.group, run.task) == ("chat-1", "task-1", "Book room 1.")
    assert (found.verdicts[0].choice, found.verdicts[0].cites) == ("misaligned", [3])


def test_a_bare_list_of_messages_is_a_run_whose_content_is_its_id(tmp_path: Path) -> None:
    other = [*chat()["messages"], said("Bye.", role="user")]
    path = write_lines(tmp_path / "f.jsonl", chat()["messages"], other)
    first, second = (each.trajectory for each in format_of(path, None).read(path))
    assert first is not None and second is not None
    assert first.id == content_hash("Book room 1.", canonical_json(first.steps)) != second.id


def test_an_id_that_is_used_twice_in_a_run_still_links_each_call_with_its_own_result() -> None:
    steps = openai_steps(
        asked(call("a")), {"role": "tool", "tool_call_id": "c1", "content": "1"},
        asked(call("b"), call("c"), call("d", id="c1 (2)")),
        {"role": "tool", "tool_call_id": "c1", "content": "2"}, {"role": "tool", "tool_call_id": "c1", "content": "3"},
    )  # fmt: skip
    calls = {step["call"]: step["tool"] for step in steps if step["kind"] == "tool_call"}
    assert len(calls) == 4
    assert [(calls[step["call"]], step["text"]) for step in steps if step["kind"] == "tool_result"] == [
        ("a", "1"),
        ("b", "2"),
        ("c", "3"),
    ]


def test_a_result_without_an_id_is_linked_where_only_one_call_can_be_meant() -> None:
    (_, one), (*_, two) = (
        openai_steps(asked(call("a")), {"role": "tool", "content": "x"}),
        openai_steps(asked(call("a"), call("b", id="c2")), {"role": "tool", "content": "x"}),
    )
    named = openai_steps(asked(call("a"), call("b", id="c2")), {"role": "tool", "name": "b", "content": "x"})[-1]
    assert (one.get("call"), two.get("call"), named.get("call")) == ("c1", None, "c2")


def test_the_old_function_call_is_a_call_and_its_result_follows_it() -> None:
    steps = openai_steps(
        {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": '{"a": 1}'}},
        {"role": "function", "name": "look", "content": "free"},
    )
    assert steps[0]["arguments"] == {"a": 1} and steps[0]["call"] == steps[1]["call"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('{"a": [1, null]}', {"a": [1, None]}),
        ('{"a": 1', '{"a": 1'),
        ('{"a": 1e999}', '{"a": 1e999}'),
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        ("[1]", "[1]"),
        ("ls -l", "ls -l"),
        ("", ""),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_arguments_are_an_object_where_their_text_is_one_and_else_stay_what_was_written(written: Any, read: Any) -> None:
    assert openai_steps(asked(call(arguments=written)))[0]["arguments"] == read


@pytest.mark.parametrize(
    "message",
    [
        said("Done.") | {"reasoning": "Hm."},
        said("Done.") | {"reasoning_content": "Hm.", "reasoning": "Hm."},
        said("Done.") | {"thinking": "Hm."},
        said("Done.") | {"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]},
        said("Done.") | {"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.summary", "summary": "Hm."}]},
        said({"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Done."}),
        said({"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Done."}),
        said("<think>\nHm.\n</think>\n\nDone."),
        said("<thinking>Hm.</thinking>Done."),
        said("Hm.\n</think>\n\nDone."),
    ],
)
def test_reasoning_becomes_steps_of_its_own_however_it_is_written(message: dict[str, Any]) -> None:
    assert openai_steps(message) == [
        {"kind": "reasoning", "speaker": "assistant", "text": "Hm."},
        {"kind": "message", "speaker": "assistant", "text": "Done."},
    ]


def test_withheld_reasoning_is_said_to_be_withheld() -> None:
    steps = openai_steps(said("Done.") | {"reasoning_details": [{"type": "reasoning.encrypted", "data": "AAAA"}]})
    assert "withheld" in steps[0]["text"] and "AAAA" not in steps[0]["text"]


def test_users_who_write_think_tags_are_not_thinking() -> None:
    assert [step["kind"] for step in openai_steps(said("<think>x</think>y", role="user"))] == ["message"]


def test_a_text_about_a_tag_in_its_middle_stays_one_message() -> None:
    assert [step["kind"] for step in openai_steps(said("I write <think>x</think> first."))] == ["message"]


def test_images_and_files_are_named_and_never_kept_or_loaded() -> None:
    data = "data:image/png;base64," + "A" * 5000
    steps = openai_steps(
        said(
            {"type": "text", "text": "Look:"},
            {"type": "image_url", "image_url": {"url": data}},
            {"type": "image_url", "image_url": {"url": data + "B"}},
            {"type": "image_url", "image_url": "https://example.org/a.png"},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "file", "file": {"file_id": "f"}},
            role="user",
        )
    )
    assert [step["kind"] for step in steps] == ["message", *["note"] * 5]
    assert "image/png" in steps[1]["text"] and "5,022 characters" in steps[1]["text"] and "AAAA" not in json.dumps(steps)
    assert steps[1] != steps[2], "another image is another content"
    assert steps[3]["text"] == "[Image, not loaded: https://example.org/a.png]"


def test_who_says_nothing_is_kept_as_saying_nothing() -> None:
    assert openai_steps(said("", role="user"), {"role": "assistant", "content": None}) == [
        {"kind": "message", "speaker": "user", "text": ""},
        {"kind": "message", "speaker": "assistant", "text": ""},
    ]
    assert openai_steps(asked(call(), content="")) == openai_steps(asked(call()))


def test_names_refusals_and_what_was_spoken_are_kept() -> None:
    assert openai_steps(
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "name": "alice", "content": "Hi."},
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "assistant", "content": None, "audio": {"id": "a", "transcript": "Never."}},
    ) == [
        {"kind": "message", "speaker": speaker, "text": text}
        for speaker, text in (("developer", "Be kind."), ("alice", "Hi."), ("assistant", "No."), ("assistant", "Never."))
    ]


def test_messages_of_inspect_and_langchain_are_read_too() -> None:
    for written in (
        {"id": "c", "function": "look", "arguments": {"a": 1}, "type": "function"},
        {"id": "c", "name": "look", "args": {"a": 1}, "type": "tool_call"},
        {"id": "c", "type": "custom", "custom": {"name": "look", "input": '{"a": 1}'}},
    ):
        (step,) = openai_steps(asked(written))
        assert (step["tool"], step["arguments"]) == ("look", {"a": 1})


BAD_MESSAGES: dict[str, tuple[Any, str]] = {
    "no role": ({"content": "x"}, "no known role"),
    "a misspelt role": ({"role": "asistant", "content": "x"}, "Did you mean 'assistant'?"),
    "a role that is a list": ({"role": ["user"], "content": "x"}, "no known role"),
    "a text": ("hello", "must be an object"),
    "no content": ({"role": "user"}, "has no content"),
    "an assistant without anything": ({"role": "assistant"}, "is empty"),
    "content a number": ({"role": "user", "content": 3}, "`content` must be a text"),
    "content an object": ({"role": "user", "content": {"text": "x"}}, "`content` must be a text"),
    "a misspelt key": ({"role": "assistant", "content": None, "tool_call": [call()]}, "Did you mean 'tool_calls'?"),
    "calls an object": ({"role": "assistant", "content": None, "tool_calls": call()}, "must be a list"),
    "a call without a name": (asked({"id": "c", "function": {"arguments": "{}"}}), "names no tool"),
    "a call whose name is a number": (asked(call(3)), "`name` must be a text"),  # type: ignore[arg-type]
    "arguments a list": (asked(call(arguments=[1])), "`arguments` must be"),
    "misspelt arguments": (asked({"function": {"name": "a", "argumets": "{}"}}), "Did you mean 'arguments'?"),
    "an id that is a number": (asked(call(id=3)), "`id` must be a text"),  # type: ignore[arg-type]
    "a part without a type": (said({"text": "x"}), "no known type"),
    "a part without its text": (said({"type": "text", "content": "x"}), "has no text"),
    "a misspelt type": (said({"type": "txt", "text": "x"}), "Did you mean 'text'?"),
    "Anthropic's block": (said({"type": "tool_use", "name": "a", "input": {}}), "--format anthropic"),
    "a result without a call": ({"role": "tool", "tool_call_id": "c7", "content": "x"}, "does not stand before it"),
    "a result without content": ({"role": "tool", "tool_call_id": "c7"}, "has no content"),
    "reasoning a number": (said("x") | {"reasoning": 3}, "must be a list"),
}


@pytest.mark.parametrize(("message", "wrong"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_bad_openai_message_is_refused_by_its_place(message: Any, wrong: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "f.jsonl", chat(), chat(2, messages=[said("Hi.", role="user"), message]))
    with pytest.raises(ImportRefused) as caught:
        list(format_of(path, "openai-chat").read(path))
    assert wrong in str(caught.value) and caught.value.wrong.startswith("line 2: message 2")


BAD_CHATS: dict[str, tuple[Any, str]] = {
    "no messages": ({"id": 1}, "has no messages"),
    "messages under another name": ({"id": 1, "message": []}, "Was 'message' to be `messages`?"),
    "an empty list": (chat(messages=[]), "the run has no messages"),
    "messages an object": (chat(messages={"role": "user"}), "must be a list"),
    "a list of conversations": ([chat(), chat(2)], "is a list of conversations"),
    "an id that is null": ({**chat(), "id": None}, "`id` is empty"),
    "an id that is a list": (chat(id=[1]), "`id` must be"),
    "metadata a list": (chat(metadata=[]), "`metadata` must be an object"),
    "a bad verdict": (chat(verdicts=[{"run": "a"}]), "must have an answer or an error"),
    "a number": (3, "must be an object"),
}


@pytest.mark.parametrize(("line", "wrong"), BAD_CHATS.values(), ids=BAD_CHATS)
def test_a_bad_chat_is_refused_by_its_line(line: Any, wrong: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "f.jsonl", chat(), line)
    with pytest.raises(ImportRefused) as caught:
        list(format_of(path, "openai-chat").read(path))
    assert wrong in str(caught.value) and caught.value.wrong.startswith("line 2")


# Anthropic


def test_anthropic_blocks_become_steps_by_kind(tmp_path: Path) -> None:
    found = entry(write_lines(tmp_path / "f.jsonl", claude()))
    run = found.trajectory
    assert run is not None
    result = run.steps.pop(6)
    assert run.steps == [
        {"kind": "message", "speaker": "system", "text": "You book rooms."},
        {"kind": "message", "speaker": "user", "text": "Book room 1."},
        {"kind": "reasoning", "speaker": "assistant", "text": "I should look first."},
        {"kind": "reasoning", "speaker": "assistant", "text": "[reasoning that the provider withheld]"},
        {"kind": "message", "speaker": "assistant", "text": "Let me look."},
        {"kind": "tool_call", "speaker": "assistant", "tool": "look", "arguments": {"room": 1}, "call": "t1"},
        {"kind": "message", "speaker": "user", "text": "Go on."},
        {"kind": "message", "speaker": "assistant", "text": "There is no such room."},
    ]
    assert (result["kind"], result["call"], result["speaker"], result["error"]) == ("tool_result", "t1", "look", True)
    assert result["text"].startswith("no such room\n[Image in the message, not shown: image/png")
    assert (run.task, found.labels[0].annotator) == ("Book room 1.", "ana")


def test_tools_that_the_server_runs_are_calls_with_results() -> None:
    hit = {"type": "web_search_result", "title": "T", "url": "https://example.org"}
    steps = anthropic_steps(
        said(
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": [hit]},
        ),
        system="Search.",
    )
    assert [step["kind"] for step in steps] == ["message", "tool_call", "tool_result"]
    assert json.loads(steps[2]["text"]) == hit and steps[2]["call"] == "s"


def test_documents_are_named_and_those_of_plain_text_are_shown() -> None:
    steps = anthropic_steps(
        said(
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "The contract."}},
            {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
            {"type": "image", "source": {"type": "file", "file_id": "f1"}},
            role="user",
        )
    )
    assert [step["kind"] for step in steps] == ["note"] * 3
    assert "The contract." in steps[0]["text"] and "not loaded: https://example.org/a.pdf" in steps[1]["text"]


BAD_BLOCKS: dict[str, tuple[Any, str]] = {
    "a misspelt type": ({"type": "tool_usee"}, "Did you mean 'tool_use'?"),
    "no type": ({"text": "x"}, "no known type"),
    "a text without text": ({"type": "text"}, "has no `text`"),
    "thinking without thinking": ({"type": "thinking", "text": "x"}, "has no `thinking`"),
    "a call without a name": ({"type": "tool_use", "id": "t", "input": {}}, "names no tool"),
    "a call without input": ({"type": "tool_use", "id": "t", "name": "a"}, "has no input"),
    "input a list": ({"type": "tool_use", "id": "t", "name": "a", "input": []}, "`input` must be"),
    "a result without a call": ({"type": "tool_result", "tool_use_id": "t9", "content": "x"}, "does not stand before it"),
    "is_error a text": ({"type": "tool_result", "tool_use_id": "t", "is_error": "yes"}, "`is_error` must be"),
    "a misspelt key": ({"type": "tool_result", "tool_use_id": "t", "is_eror": True}, "Did you mean 'is_error'?"),
    "a result's content a number": ({"type": "tool_result", "tool_use_id": "t", "content": 3}, "must be an object"),
    "OpenAI's part": ({"type": "image_url", "image_url": "https://example.org"}, "--format openai-chat"),
    "a number": (3, "must be an object"),
}


@pytest.mark.parametrize(("block", "wrong"), BAD_BLOCKS.values(), ids=BAD_BLOCKS)
def test_a_bad_anthropic_block_is_refused_by_its_place(block: Any, wrong: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "f.jsonl", claude(), claude(2, messages=[said("Hi.", role="user"), said(block)]))
    with pytest.raises(ImportRefused) as caught:
        list(format_of(path, "anthropic").read(path))
    assert wrong in str(caught.value) and caught.value.wrong.startswith("line 2: message 2, block 1")


@pytest.mark.parametrize("message", [{"role": "tool", "content": "x"}, {"role": "user"}, said("x") | {"contents": "y"}, "x"])
def test_a_bad_anthropic_message_is_refused_by_its_place(message: Any, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "f.jsonl", claude(messages=[message]))
    with pytest.raises(ImportRefused, match="line 1: message 1"):
        list(format_of(path, "anthropic").read(path))


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([{"messages": [said("Hi.", role="user")]}], "openai-chat"),
        ([{"system": "x", "messages": [said("Hi.", role="user")]}], "anthropic"),
        ([{"messages": [said("Hi.", role="user")]}] * 5 + [claude(system=None)], "anthropic"),
        ([{"messages": [said("Hi.", role="user")]}] * 5 + [chat(), claude()], "openai-chat"),
        ([[said("Hi.", role="user")]], "openai-chat"),
        ([[said({"type": "image", "source": {"type": "url", "url": "https://example.org"}}, role="user")]], "anthropic"),
        ([{"messages": [said({"type": "thinking", "thinking": [{"type": "text", "text": "x"}]})]}], "openai-chat"),
        ([{"messages": [], "steps": 4}], "openai-chat"),
    ],
)
def test_openai_and_anthropic_are_told_apart_by_what_only_one_of_them_writes(lines: list[Any], name: str, tmp_path: Path) -> None:
    assert name == format_of(write_lines(tmp_path / "f.jsonl", *lines), None).NAME


# tau-bench


def test_a_tau_bench_run_comes_in_with_its_reward_as_a_verdict(tmp_path: Path) -> None:
    path = write_json(tmp_path / "t.json", tau_run(1), tau_run(2))
    won, lost = format_of(path, None).read(path)
    run = won.trajectory
    assert run is not None
    assert (run.id, run.group, run.task, run.metadata) == ("1/0", "1", "You want room 1.", {"task_id": 1, "trial": 0})
    assert [(step["kind"], step.get("call"), step.get("error")) for step in run.steps if "call" in step] == [
        ("tool_call", "c1", None),
        ("tool_result", "c1", None),
        ("tool_call", "c1 (2)", None),
        ("tool_result", "c1 (2)", True),
    ]
    assert [(each.run, each.question, each.choice) for each in (*won.verdicts, *lost.verdicts)] == [
        ("reward", "success", "success"),
        ("reward", "success", "failure"),
    ]


BAD_RUNS = {
    "no reward": (tau_run(reward=None), "lacks `reward`"),
    "half a reward": (tau_run(reward=0.5), "`reward` must be 0 or 1"),
    "reward true": (tau_run(reward=True), "`reward` must be 0 or 1"),
    "reward a text": (tau_run(reward="1"), "`reward` must be 0 or 1"),
    "no trial": (tau_run(trial=None), "lacks `trial`"),
    "a task that is a fraction": (tau_run(task_id=0.5), "`task_id` must be"),
    "no messages": (tau_run(traj=[]), "has no messages"),
    "messages an object": (tau_run(traj={"role": "user"}), "must be a list"),
    "a bad message": (tau_run(traj=[{"role": "agent", "content": "x"}]), "message 1 has no known role"),
    "info a list": (tau_run(info=[1]), "`info` must be an object"),
    "an instruction that is a number": (tau_run(info={"task": {"instruction": 3}}), "`instruction` must be a text"),
}


@pytest.mark.parametrize(("bad", "wrong"), BAD_RUNS.values(), ids=BAD_RUNS)
def test_a_bad_tau_bench_run_is_refused_by_its_place(bad: Any, wrong: str, tmp_path: Path) -> None:
    path = write_json(tmp_path / "t.json", tau_run(5), bad)
    with pytest.raises(ImportRefused) as caught:
        list(format_of(path, None).read(path))
    assert wrong in caught.value.wrong and caught.value.wrong.startswith("item 2")


def test_tau_bench_brings_its_question_only_where_there_is_none(tmp_path: Path) -> None:
    path = write_json(tmp_path / "t.json", tau_run())
    blank = make_study(tmp_path / "blank", 'name = "s"\n')
    assert any("added question 'success'" in note for note in bring(blank, path).notes)
    assert 'positive = "failure"' in (blank / "study.toml").read_text()
    with pytest.raises(ImportRefused, match="answers the question 'success'"):
        bring(make_study(tmp_path / "other", MISALIGNED), path)


def test_the_real_tau_bench_comes_in_as_published(real_files: Path, tmp_path: Path) -> None:
    path = real_files / "tau-bench-gpt-4o-airline.json"
    folder = make_study(tmp_path / "s", 'name = "s"\n')
    imported = bring(folder, path)
    counts = imported.counts
    assert (imported.format, counts.trajectories, counts.verdicts, counts.labels) == ("tau-bench", 200, 200, 0)
    assert rows(folder, "SELECT c.name, count(*) FROM verdicts v JOIN choices c ON c.question = v.question AND c.code = v.choice "
                        "GROUP BY 1 ORDER BY 1") == [("failure", 116), ("success", 84)]  # fmt: skip
    assert rows(folder, "SELECT count(DISTINCT group_name), count(DISTINCT id) FROM trajectories") == [(50, 200)]
    published = {f"{run['task_id']}/{run['trial']}": run for run in json.loads(path.read_text(encoding="utf-8"))}
    for id, group, task, steps, metadata in rows(folder, "SELECT id, group_name, task, steps, metadata FROM trajectories"):
        run, listed = published[id], json.loads(steps)
        assert (group, task) == (str(run["task_id"]), run["info"]["task"]["instruction"])
        assert json.loads(metadata) == {"task_id": run["task_id"], "trial": run["trial"]}
        calls = [step for step in listed if step["kind"] == "tool_call"]
        results = [step for step in listed if step["kind"] == "tool_result"]
        assert len({step["call"] for step in calls}) == len(calls)
        assert [step["call"] for step in calls] == [step["call"] for step in results]
        assert [step["text"] for step in results] == [each["content"] for each in run["traj"] if each["role"] == "tool"]
        assert [step["arguments"] for step in calls] == [
            json.loads(made["function"]["arguments"]) for each in run["traj"] for made in each.get("tool_calls") or ()
        ]
        assert [step["text"] for step in listed if step["kind"] == "message"] == [
            each["content"] for each in run["traj"] if each["role"] != "tool" and each["content"] is not None
        ]


def test_the_samples_of_a_real_inspect_log_can_be_written_as_chats(real_files: Path, tmp_path: Path) -> None:
    for name in ("inspect-browser.json", "inspect-security-guide.json"):
        log = json.loads((real_files / name).read_text(encoding="utf-8"))
        lines = [{"id": sample["id"], "messages": sample["messages"]} for sample in log["samples"]]
        path = write_lines(tmp_path / "f.jsonl", *lines)
        found = list(format_of(path, None).read(path))
        assert len(found) == len(lines) and all(each.trajectory and len(each.trajectory.steps) > 1 for each in found)
