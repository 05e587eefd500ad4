"""Broken files of every format: each comes in as what it says, or is refused by its place; nothing else ever happens."""

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import ImportRefused
from data.formats import FORMATS, anthropic, format_of, openai_chat
from data.formats.bad_lines import BadLines
from data.formats.native import entry_of
from data.records import Entry, Trajectory
from tests.good_files import (
    GOOD_FILES,
    chat,
    claude,
    native_line,
    record,
    secret_record,
    tau_run,
    write_csv,
    write_json,
    write_parquet,
)
from tests.small_study import write_lines

MUTATIONS = 300
PLACE = re.compile(r"line \d+|item \d+|row \d+|the file|There is no column|/|This file|A column")
"""How a refusal begins that says where; a path stands before the line when a study imports."""


def check(found: list[Entry]) -> None:
    """What came in is as sound as a native line: read again as one, it is the same."""
    for entry in found:
        assert PLACE.match(entry.place)
        run = entry.trajectory
        if run is not None:
            line = {"id": run.id, "task": run.task, "group": run.group, "metadata": run.metadata, "steps": run.steps}
            again = entry_of(json.loads(json.dumps(line)), "line 1", 0).trajectory
            assert again is not None and (again.id, again.task, again.steps) == (run.id, run.task, run.steps)
        for answer in (*entry.verdicts, *entry.labels):
            assert run is None or answer.trajectory == run.id


def bring(path: Path, format: str | None) -> list[Entry] | ImportRefused:
    """The entries of a file, or its refusal in three beats with a place. Anything else fails the test."""
    found: list[Entry] | ImportRefused
    try:
        found = list(format_of(path, format).read(path))
    except ImportRefused as refused:
        found = refused
    if isinstance(found, ImportRefused):
        assert PLACE.match(found.wrong), found
        assert found.wrong.strip() and found.found.strip() and found.do.strip()
    else:
        check(found)
    return found


def broken_bytes(raw: bytes, source: random.Random) -> bytes:
    """`raw` with one to four faults: a changed byte or bit, a cut, a piece lost, a piece twice, a piece elsewhere."""
    data = bytearray(raw)
    for _ in range(source.randint(1, 4)):
        at, length = source.randrange(len(data)), source.randint(1, 40)
        piece = bytes(data[at : at + length])
        match source.randrange(6):
            case 0:
                data[at] = source.randrange(256)
            case 1:
                data[at] ^= 1 << source.randrange(8)
            case 2:
                data = data[: max(at, 1)]
            case 3:
                del data[at : at + length]
                data = data or bytearray(b" ")
            case 4:
                data[at:at] = piece
            case _:
                other = source.randrange(len(data))
                data[other:other] = piece
    return bytes(data)


@pytest.mark.parametrize("name", GOOD_FILES)
def test_broken_bytes_come_in_sound_or_are_refused_by_their_place(name: str, tmp_path: Path) -> None:
    good = GOOD_FILES[name](tmp_path).read_bytes()
    source = random.Random(f"bytes of {name}")
    path = tmp_path / "broken"
    outcomes = []
    for _ in range(MUTATIONS):
        path.write_bytes(broken_bytes(good, source))
        outcomes.append(isinstance(bring(path, name), ImportRefused))
        bring(path, None)
    assert 0.5 < sum(outcomes) / MUTATIONS < 1, "most faults are found, and not everything is a fault"


def test_no_changed_byte_of_a_parquet_file_changes_a_step(tmp_path: Path) -> None:
    path = GOOD_FILES["parquet"](tmp_path)
    good = path.read_bytes()
    steps = [entry.trajectory and entry.trajectory.steps for entry in FORMATS["parquet"].read(path)]
    source = random.Random("parquet")
    for _ in range(MUTATIONS):
        at = source.randrange(4, len(good))
        path.write_bytes(good[:at] + bytes([good[at] ^ (1 << source.randrange(8))]) + good[at + 1 :])
        found = bring(path, "parquet")
        if isinstance(found, list) and len(found) == len(steps):
            for was, entry in zip(steps, found, strict=True):
                now = entry.trajectory and entry.trajectory.steps
                assert now == was


# Documents: values of another type, keys lost, renamed, twice, or null


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place within `value`, as its holder and its key or position."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from nodes(value[key])


STRANGERS: tuple[Any, ...] = (None, True, 0, -1, 1.5, 1e400, "", "x", [], [1], ["x"], {}, {"x": 1}, [[]], [None])


def broken_value(value: Any, source: random.Random) -> str:
    """What was done; `value` is changed in place."""
    places = list(nodes(value))
    holder, key = source.choice(places)
    match source.randrange(5):
        case 0:
            holder[key] = source.choice(STRANGERS)
            return "retyped"
        case 1:
            del holder[key]
            return "dropped"
        case 2 if isinstance(holder, dict):
            holder[source.choice((key[:-1], key + key[-1:], key.title(), f"{key}_2"))] = holder.pop(key)
            return "renamed"
        case 3 if isinstance(holder, list):
            holder.insert(source.randrange(len(holder) + 1), json.loads(json.dumps(holder[key])))
            return "doubled"
        case _:
            other, place = source.choice(places)
            holder[key] = json.loads(json.dumps(other[place]))
            return "replaced"


def documents(name: str, folder: Path) -> tuple[list[Any], Callable[[list[Any]], Path]]:
    """The values of a good file, and how to write them again."""
    path = GOOD_FILES[name](folder)
    broken = folder / "broken"
    if name in ("r-judge", "tau-bench"):
        return json.loads(path.read_text(encoding="utf-8")), lambda values: write_json(broken, *values)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()], lambda values: write_lines(broken, *values)


@pytest.mark.parametrize("name", ["native", "r-judge", "tau-bench", "anthropic", "openai-chat", "answers"])
def test_broken_values_come_in_sound_or_are_refused_by_their_place(name: str, tmp_path: Path) -> None:
    good, write = documents(name, tmp_path)
    source = random.Random(f"values of {name}")
    refused = 0
    for _ in range(MUTATIONS):
        values = json.loads(json.dumps(good))
        broken_value(values, source)
        found = bring(write(values), name)
        refused += isinstance(found, ImportRefused)
    assert 0.2 < refused / MUTATIONS < 1


SPOKEN = {"content", "text", "thinking", "reasoning_content", "thought", "profile"}
"""Keys whose texts an annotator must see."""
HOLDS = {"r-judge": "contents", "tau-bench": "traj", "anthropic": "messages", "openai-chat": "messages"}


def spoken(value: Any) -> list[str]:
    return [holder[key] for holder, key in nodes(value) if key in SPOKEN and isinstance(holder[key], str)]


@pytest.mark.parametrize("name", HOLDS)
def test_a_misspelt_or_retyped_key_never_loses_what_was_said_without_a_word(name: str, tmp_path: Path) -> None:
    good, write = documents(name, tmp_path)
    source = random.Random(f"said in {name}")
    kept = 0
    for _ in range(MUTATIONS):
        values = json.loads(json.dumps(good))
        part = values[1][HOLDS[name]]
        holder, key = source.choice([place for place in nodes(part) if isinstance(place[0], dict)])
        if source.random() < 0.5:
            holder[key + key[-1:]] = holder.pop(key)  # a slip of the finger
            expected = spoken(good[1][HOLDS[name]])
        else:
            holder[key] = source.choice([1, True, [7]])
            expected = spoken(part)
        found = bring(write(values), name)
        if isinstance(found, list):
            kept += 1
            run = found[1].trajectory
            assert run is not None
            shown = json.dumps(run.steps, ensure_ascii=False)
            assert [text for text in expected if json.dumps(text, ensure_ascii=False)[1:-1] not in shown] == [], (holder, key)
            calls = sum(json.dumps(good[1][HOLDS[name]]).count(sign) for sign in ('"function": {', '"tool_use"'))
            assert sum(step["kind"] == "tool_call" for step in run.steps) >= calls, (holder, key)
    assert kept < MUTATIONS / 2


# Any messages at all

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
names = st.sampled_from(["look", "book", "x.y"])
ids = st.sampled_from(["c1", "c2", "c3"])
keys = st.sampled_from(
    ["role", "content", "type", "text", "messages", "id", "tool_calls", "name", "input", "steps", "kind", "traj"]
)
QUICK = settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@st.composite
def openai_messages(draw: st.DrawFn) -> list[Any]:
    """Messages that the OpenAI API would take: each result answers a call before it."""
    messages: list[Any] = [{"role": "system", "content": draw(texts)}]
    for _ in range(draw(st.integers(1, 4))):
        messages.append({"role": "user", "content": draw(texts)})
        calls = draw(st.lists(st.tuples(ids, names, texts), max_size=3))
        assistant: dict[str, Any] = {"role": "assistant", "content": draw(st.none() | texts)}
        if calls:
            assistant["tool_calls"] = [{"id": i, "function": {"name": n, "arguments": a}} for i, n, a in calls]
        if draw(st.booleans()):
            assistant["reasoning_content"] = draw(texts)
        messages.append(assistant)
        messages += [{"role": "tool", "tool_call_id": id, "content": draw(texts)} for id, _, _ in draw(st.permutations(calls))]
    return messages


@st.composite
def anthropic_messages(draw: st.DrawFn) -> list[Any]:
    messages: list[Any] = []
    for _ in range(draw(st.integers(1, 4))):
        messages.append({"role": "user", "content": [{"type": "text", "text": draw(texts)}]})
        calls = draw(st.lists(st.tuples(ids, names), max_size=3))
        said = [{"type": "thinking", "thinking": draw(texts)}, {"type": "text", "text": draw(texts)}]
        used = [{"type": "tool_use", "id": i, "name": n, "input": {"a": draw(texts)}} for i, n in calls]
        messages.append({"role": "assistant", "content": said + used})
        results = [
            {"type": "tool_result", "tool_use_id": id, "content": draw(texts), "is_error": draw(st.booleans())}
            for id, _ in draw(st.permutations(calls))
        ]
        messages.append({"role": "user", "content": results or draw(texts)})
    return messages


def check_links(run: Trajectory) -> None:
    """Every call has a name of its own, and every result follows the one call that it answers."""
    calls: dict[str, str] = {}
    answered: set[str] = set()
    for step in run.steps:
        if step["kind"] == "tool_call":
            assert step["call"] not in calls
            calls[step["call"]] = step["tool"]
        elif step["kind"] == "tool_result":
            assert step["speaker"] == calls[step["call"]]
            assert step["call"] not in answered
            answered.add(step["call"])
    assert answered == set(calls), "as many results as calls, and none to the wrong one"


def run_of(format: Any, path: Path) -> Trajectory:
    (entry,) = format.read(path)
    check([entry])
    assert entry.trajectory is not None
    check_links(entry.trajectory)
    run: Trajectory = entry.trajectory
    return run


@given(openai_messages())
@QUICK
def test_any_openai_messages_come_in_with_every_word_and_every_link(
    tmp_path_factory: pytest.TempPathFactory, messages: list[Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "openai.jsonl"
    run = run_of(openai_chat, write_lines(path, {"id": "r", "messages": messages}))
    assert [step["text"] for step in run.steps if step["kind"] == "tool_result"] == [
        each["content"] for each in messages if each["role"] == "tool"
    ]
    users = [step["text"] for step in run.steps if step.get("speaker") == "user"]
    assert users == [each["content"] for each in messages if each["role"] == "user"]


@given(anthropic_messages())
@QUICK
def test_any_anthropic_messages_come_in_with_every_word_and_every_link(
    tmp_path_factory: pytest.TempPathFactory, messages: list[Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "anthropic.jsonl"
    run = run_of(anthropic, write_lines(path, {"id": "r", "messages": messages}))
    shown = [step["text"] for step in run.steps if step["kind"] == "tool_result"]
    results = [block for each in messages if isinstance(each["content"], list) for block in each["content"]]
    assert shown == [block["content"] for block in results if block["type"] == "tool_result"]
    assert [step.get("error", False) for step in run.steps if step["kind"] == "tool_result"] == [
        block["is_error"] for block in results if block["type"] == "tool_result"
    ]


@given(st.lists(st.tuples(texts.filter(str.strip), texts), min_size=1, max_size=5, unique_by=lambda row: row[0]))
@QUICK
def test_any_texts_come_through_csv_and_parquet_unchanged(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    rows = [{"id": f"r{number}", "text": text, "note": note} for number, (text, note) in enumerate(found)]
    for path in (write_csv(folder / "t.csv", rows), write_parquet(folder / "t.parquet", rows)):
        entries = bring(path, None)
        assert isinstance(entries, list)
        came = [entry.trajectory for entry in entries if entry.trajectory]
        assert [(run.steps[0]["text"], run.metadata.get("note", "")) for run in came] == found


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)


@given(anything)
@settings(QUICK, max_examples=150)
def test_any_json_at_all_comes_in_sound_or_is_refused(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps({"messages": value, "id": 1}) + "\n", encoding="utf-8")
    for format in (None, "openai-chat", "anthropic", "native"):
        bring(path, format)
    path.write_text(json.dumps([value]), encoding="utf-8")
    for format in (None, "r-judge", "tau-bench", "openai-chat"):
        bring(path, format)


# --skip-bad

BROKEN: dict[str, Callable[[Path], Path]] = {
    "native": lambda folder: write_lines(folder / "f", native_line(1), {"id": 2, "steps": [{"kind": "x"}]}, native_line(3)),
    "r-judge": lambda folder: write_json(folder / "f", secret_record(1), record(2, label=3), secret_record(3)),
    "tau-bench": lambda folder: write_json(folder / "f", tau_run(1), tau_run(2, traj=[]), tau_run(3)),
    "anthropic": lambda folder: write_lines(folder / "f", claude(1), claude(2, messages=[{"role": "x"}]), claude(3)),
    "openai-chat": lambda folder: write_lines(folder / "f", chat(1), chat(2, messages=[{"role": "x"}]), chat(3)),
    "csv": lambda folder: write_bytes(folder / "f", b'id,text\n1,"a\nb"\n2,caf\xe9 x\n3,c\n'),
    "parquet": lambda folder: write_parquet(
        folder / "f", [{"id": "1", "text": "a"}, {"id": "2", "text": ""}, {"id": "3", "text": "c"}]
    ),
    "answers": lambda folder: write_bytes(folder / "f", b"id,choice\n1,aligned\n2\n3,aligned\n"),
}
"""By format: three entries, the second of which cannot come in."""


def write_bytes(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_where_bad_lines_are_left_out_the_others_come_in_and_the_bad_one_is_named(name: str, tmp_path: Path) -> None:
    path = BROKEN[name](tmp_path)
    whole = bring(path, name)
    assert isinstance(whole, ImportRefused)
    bad = BadLines(skip=True)
    found = list(format_of(path, name).read(path, bad))
    check(found)
    assert len(found) == 2
    (left_out,) = bad.left_out
    assert str(left_out) == str(whole) and re.match(r"(line|item|row) \d", left_out.wrong)


@pytest.mark.parametrize("name", GOOD_FILES)
def test_where_bad_lines_are_left_out_broken_files_raise_nothing_but_refusals(name: str, tmp_path: Path) -> None:
    good = GOOD_FILES[name](tmp_path).read_bytes()
    source = random.Random(f"skipping in {name}")
    path = tmp_path / "broken"
    came = 0
    for _ in range(100):
        path.write_bytes(broken_bytes(good, source))
        bad = BadLines(skip=True)
        found: list[Entry] = []
        with suppress(ImportRefused):
            for entry in format_of(path, name).read(path, bad):
                found.append(entry)
        check(found)
        came += bool(found and bad.left_out)
    if name not in ("r-judge", "tau-bench", "parquet"):  # one document: a broken byte breaks the whole
        assert came > 20
