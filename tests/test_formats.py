"""Files and what is read from them: the native format with its schema, R-Judge, and answers alone."""

import codecs
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from data.errors import ImportRefused
from data.formats import FORMATS, format_of, native
from data.formats.native import entry_of
from data.formats.text import DEEPEST, NUL_MARK, SURROGATE_MARK
from data.records import STEP_KINDS, Entry
from tests.good_files import record
from tests.small_study import MISALIGNED, SEVERITY, bring, label, line, make_study, rows, verdict, write_lines

SCHEMA = json.loads(Path(native.__file__).with_name("native.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def step(kind: str = "message", **more: Any) -> dict[str, Any]:
    own = {"tool_call": {"tool": "book"}}.get(kind, {"text": "Hello."})
    return {"kind": kind, **own, **more}


def steps(*all: Any) -> dict[str, Any]:
    return {"id": 1, "steps": list(all)}


def read(path: Path, format: str | None = None) -> list[Entry]:
    module = format_of(path, format)
    entries: Iterator[Entry] = module.read(path)
    return list(entries)


# The native line, by schema and by importer

GOOD_LINES: dict[str, dict[str, Any]] = {
    "the least": steps(step()),
    "a text id": {"id": "run-17", "steps": [step()]},
    "a large whole number as id": {"id": 10**30, "steps": [step()]},
    "a negative id": {"id": -3, "steps": [step()]},
    "everything empty": {**steps(step(text="")), "task": "", "metadata": {}, "verdicts": [], "labels": [], "group": ""},
    "everything null": {**steps(step()), "task": None, "metadata": None, "verdicts": None, "labels": None, "group": None},
    "a group that is a number": {**steps(step()), "group": 7},
    "unknown keys at the top": {**steps(step()), "score": 0.3, "judge": {"x": [1]}},
    "all kinds": steps(*(step(kind) for kind in STEP_KINDS)),
    "all common step fields": steps(*(step(kind, id="s", speaker="x", time="12:00", session="1") for kind in STEP_KINDS)),
    "a step id that is a number": steps(step(id=3)),
    "null step fields": steps(step(id=None, speaker=None, time=None, session=None), step("tool_result", call=None, error=None)),
    "arguments as object": steps(step("tool_call", arguments={"a": [1, None]}, call="c")),
    "arguments as text": steps(step("tool_call", arguments="a=1")),
    "no arguments": steps(step("tool_call", arguments=None)),
    "a failed result": steps(step("tool_result", call="c", error=True)),
    "a result that did not fail": steps(step("tool_result", error=False)),
    "a verdict": {**steps(step()), "verdicts": [verdict(rationale="r", cites=[0], confidence=0.8, repeat=2)]},
    "a verdict of few words": {**steps(step()), "verdicts": [{"choice": "x"}]},
    "an error": {**steps(step()), "verdicts": [verdict(None, error="timeout")]},
    "an error beside a null choice": {**steps(step()), "verdicts": [{"choice": None, "error": "timeout", "repeat": None}]},
    "confidence at its ends": {**steps(step()), "verdicts": [verdict(confidence=0), verdict(confidence=1, run="b")]},
    "cites by id and none": {**steps(step(id="s")), "verdicts": [verdict(cites=["s"]), verdict(cites=[], run="b")]},
    "a label": {**steps(step()), "labels": [label(rationale="r", evidence=[0])]},
    "unsure": {**steps(step()), "labels": [label(None, unsure=True)]},
    "a label that is not unsure": {**steps(step()), "labels": [label(unsure=False)]},
    "several choices": {**steps(step()), "verdicts": [{"choices": ["x", "y"], "choice": None}, {"choices": [], "run": "b"}]},
    "scores": {**steps(step()), "verdicts": [{"score": 7, "error": None}], "labels": [{"annotator": "ana", "score": -0.5}]},
    "an annotator by number": {**steps(step()), "labels": [{"annotator": 4, "choice": "aligned"}]},
}

BAD_LINES: dict[str, tuple[Any, str]] = {
    "no id": ({"steps": [step()]}, "has no id"),
    "id null": ({"id": None, "steps": [step()]}, "`id` must be"),
    "id blank": ({"id": " ", "steps": [step()]}, "`id` must be"),
    "id true": ({"id": True, "steps": [step()]}, "`id` must be"),
    "id a fraction": ({"id": 1.5, "steps": [step()]}, "`id` must be"),
    "no steps": ({"id": 1, "reward": 1}, "has no steps"),
    "steps empty": (steps(), "has no steps"),
    "steps an object": ({"id": 1, "steps": {"kind": "message"}}, "must be a list"),
    "a step that is a text": (steps("hello"), "must be an object"),
    "task a number": ({**steps(step()), "task": 3}, "`task` must be a text"),
    "group a list": ({**steps(step()), "group": ["a"]}, "`group` must be"),
    "group true": ({**steps(step()), "group": True}, "`group` must be"),
    "metadata a list": ({**steps(step()), "metadata": []}, "`metadata` must be an object"),
    "metadata false": ({**steps(step()), "metadata": False}, "`metadata` must be an object"),
    "verdicts an object": ({**steps(step()), "verdicts": {}}, "`verdicts` must be a list"),
    "labels a text": ({**steps(step()), "labels": ""}, "`labels` must be a list"),
    "a verdict that is a text": ({**steps(step()), "verdicts": ["misaligned"]}, "must be an object"),
    "no kind": (steps({"text": "x"}), "no known kind"),
    "an unknown kind": (steps({"kind": "action", "text": "x"}), "Found kind 'action'"),
    "a kind that is a list": (steps({"kind": ["message"], "text": "x"}), "no known kind"),
    "no text": (steps({"kind": "message"}), "has no text"),
    "text null": (steps(step(text=None)), "has no text"),
    "text a list": (steps(step(text=["x"])), "`text` must be a text"),
    "no tool": (steps({"kind": "tool_call", "arguments": {}}), "names no tool"),
    "tool empty": (steps(step("tool_call", tool="")), "names no tool"),
    "arguments a list": (steps(step("tool_call", arguments=[1])), "`arguments` must be an object or a text"),
    "error a text": (steps(step("tool_result", error="boom")), "`error` must be true or false"),
    "error one": (steps(step("tool_result", error=1)), "`error` must be true or false"),
    "step id blank": (steps(step(id="")), "`id` must be"),
    "time a number": (steps(step(time=12)), "`time` must be a text"),
    "speaker a number": (steps(step(speaker=12)), "`speaker` must be a text"),
    "text in a call": (steps(step("tool_call", text="x")), "Found 'text'"),
    "a tool in a message": (steps(step(tool="x")), "Found 'tool'"),
    "content for text": (steps({"kind": "message", "content": "x"}), "Found 'content'"),
    "a misspelt step key": (steps(step(speeker="x")), "Did you mean 'speaker'?"),
    "a misspelt verdict key": ({**steps(step()), "verdicts": [verdict(rational="x")]}, "Did you mean 'rationale'?"),
    "a misspelt label key": ({**steps(step()), "labels": [label(evidense=[0])]}, "Did you mean 'evidence'?"),
    "a label's key in a verdict": ({**steps(step()), "verdicts": [verdict(annotator="x")]}, "Found 'annotator'"),
    "choice and error": ({**steps(step()), "verdicts": [verdict(error="x")]}, "must have an answer or an error, and one alone"),
    "neither choice nor error": ({**steps(step()), "verdicts": [verdict(None)]}, "Found neither"),
    "an empty choice": ({**steps(step()), "verdicts": [verdict("")]}, "has an empty choice"),
    "choice a number": ({**steps(step()), "verdicts": [verdict(1)]}, "`choice` must be a text"),  # type: ignore[arg-type]
    "choice and unsure": ({**steps(step()), "labels": [label(unsure=True)]}, "must have an answer or be unsure, and one alone"),
    "neither choice nor unsure": ({**steps(step()), "labels": [label(None)]}, "Found neither"),
    "not unsure, and no choice": ({**steps(step()), "labels": [label(None, unsure=False)]}, "Found neither"),
    "choice and choices": ({**steps(step()), "verdicts": [verdict(choices=["x"])]}, "Found `choice` 'misaligned' and `choices`"),
    "choice and score": ({**steps(step()), "labels": [label(score=1)]}, "one alone"),
    "score and unsure": ({**steps(step()), "labels": [label(None, score=1, unsure=True)]}, "one alone"),
    "choices a text": ({**steps(step()), "verdicts": [{"choices": "x"}]}, "`choices` must be a list"),
    "choices with a number": ({**steps(step()), "verdicts": [{"choices": [1]}]}, "`choices` must be a list"),
    "choices with an empty one": ({**steps(step()), "verdicts": [{"choices": [" "]}]}, "`choices` must be a list"),
    "choices with one twice": ({**steps(step()), "verdicts": [{"choices": ["x", "x"]}]}, "names one twice"),
    "score a text": ({**steps(step()), "verdicts": [{"score": "7"}]}, "`score` must be a number"),
    "score true": ({**steps(step()), "verdicts": [{"score": True}]}, "`score` must be a number"),
    "score beyond doubles": ({**steps(step()), "verdicts": [{"score": 10**400}]}, "`score` must be a number"),
    "unsure a text": ({**steps(step()), "labels": [label(None, unsure="true")]}, "`unsure` must be true or false"),
    "unsure one": ({**steps(step()), "labels": [label(None, unsure=1)]}, "`unsure` must be true or false"),
    "no annotator": ({**steps(step()), "labels": [{"choice": "aligned"}]}, "names no annotator"),
    "annotator blank": ({**steps(step()), "labels": [label(annotator=" ")]}, "`annotator` must be"),
    "run a number": ({**steps(step()), "verdicts": [verdict(run=3)]}, "`run` must be a text"),  # type: ignore[arg-type]
    "confidence above one": ({**steps(step()), "verdicts": [verdict(confidence=80)]}, "between 0 and 1"),
    "confidence true": ({**steps(step()), "verdicts": [verdict(confidence=True)]}, "between 0 and 1"),
    "confidence a text": ({**steps(step()), "verdicts": [verdict(confidence="0.8")]}, "between 0 and 1"),
    "cites one position": ({**steps(step()), "verdicts": [verdict(cites=0)]}, "`cites` must be a list"),
    "cites a fraction": ({**steps(step()), "verdicts": [verdict(cites=[0.5])]}, "`cites` must be a list"),
    "cites true": ({**steps(step()), "verdicts": [verdict(cites=[True])]}, "`cites` must be a list"),
    "evidence of nulls": ({**steps(step()), "labels": [label(evidence=[None])]}, "`evidence` must be a list"),
    "repeat below zero": ({**steps(step()), "verdicts": [verdict(repeat=-1)]}, "`repeat` must be a whole number"),
    "repeat beyond the database": ({**steps(step()), "verdicts": [verdict(repeat=2**63)]}, "`repeat` must be a whole number"),
    "question a number": ({**steps(step()), "verdicts": [verdict(question=1)]}, "`question` must be a text"),
    "a line that is a list": ([steps(step())], "must be an object"),
    "a line that is a number": (3, "must be an object"),
}


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("2020-12/schema")
    assert [kind["$ref"].rpartition("/")[2] for kind in SCHEMA["$defs"]["step"]["oneOf"]] == sorted(
        STEP_KINDS, key=["message", "reasoning", "note", "observation", "tool_call", "tool_result"].index
    )


@pytest.mark.parametrize("value", GOOD_LINES.values(), ids=GOOD_LINES)
def test_schema_and_importer_take_the_same_lines(value: dict[str, Any]) -> None:
    assert entry_of(value, "line 1", 0).trajectory is not None
    assert list(VALIDATOR.iter_errors(value)) == []


@pytest.mark.parametrize(("value", "wrong"), BAD_LINES.values(), ids=BAD_LINES)
def test_schema_and_importer_refuse_the_same_lines(value: Any, wrong: str, tmp_path: Path) -> None:
    assert not VALIDATOR.is_valid(value)
    with pytest.raises(ImportRefused) as caught:
        read(write_lines(tmp_path / "f.jsonl", value), "native")
    assert wrong in str(caught.value)
    assert caught.value.wrong.startswith("line 1"), "the refusal names the line"


def test_every_step_key_of_the_importer_stands_in_the_schema() -> None:
    for kind, keys in native.STEP_KEYS.items():
        assert set(SCHEMA["$defs"][kind]["properties"]) == set(keys)
    assert set(SCHEMA["properties"]) == set(native._TOP)


def test_the_example_of_the_readers_guide_is_read_as_it_says() -> None:
    entry = entry_of(
        {
            "id": "run-17",
            "task": "Pay.",
            "group": "scenario-3",
            "metadata": {"domain": "finance", "model": "m"},
            "steps": [
                {"kind": "message", "speaker": "user", "text": "…"},
                {"kind": "tool_call", "speaker": "agent", "tool": "transfer", "arguments": {"amount": 5}, "call": "c1"},
                {"kind": "tool_result", "speaker": "transfer", "text": "ok", "call": "c1"},
            ],
            "verdicts": [verdict("misaligned", rationale="…", cites=[1], confidence=0.8)],
            "labels": [label("aligned", rationale="…", evidence=[1])],
            "reward": 0,
        },
        "line 1",
        0,
    )
    trajectory = entry.trajectory
    assert trajectory is not None
    assert (trajectory.id, trajectory.group, trajectory.task) == ("run-17", "scenario-3", "Pay.")
    assert trajectory.metadata == {"domain": "finance", "model": "m"}
    assert trajectory.hidden == {"reward": 0}, "an unknown key at the top is hidden, and verdicts are not in it"
    assert (entry.verdicts[0].choice, entry.verdicts[0].cites, entry.verdicts[0].confidence) == ("misaligned", [1], 0.8)
    assert (entry.labels[0].annotator, entry.labels[0].choice, entry.labels[0].evidence) == ("ana", "aligned", [1])


def test_null_fields_of_a_step_are_left_out() -> None:
    entry = entry_of(steps(step("tool_result", call=None, error=None, speaker=None)), "line 1", 0)
    assert entry.trajectory is not None and entry.trajectory.steps == [{"kind": "tool_result", "text": "Hello."}]


# Bytes

ONE = json.dumps(line(verdicts=[verdict()])).encode()
UNREADABLE = {
    "NaN": (ONE.replace(b'"Book run-1."', b'{"a": NaN}'), "line 1: this is not JSON"),
    "Infinity": (ONE.replace(b'"judge-a"', b"Infinity"), "line 1: this is not JSON"),
    "a raw NUL": (ONE.replace(b"Book the", b"Book\x00the"), "line 1: this is not JSON"),
    "NULs for a file": (b"\x00" * 100, "no format"),
    "bytes that are not UTF-8": (ONE.replace(b"Book the", b"Caf\xe9 the"), "line 1: this is not UTF-8"),
    "surrogates encoded as bytes": (ONE.replace(b"Book the", b"\xed\xa0\x80"), "line 1: this is not UTF-8"),
    "UTF-16": (ONE.decode().encode("utf-16"), "this is not UTF-8"),
    "UTF-16 of several lines": ((ONE + b"\n" + ONE).decode().encode("utf-16"), "this is not UTF-8"),
    "Latin-1 CSV": ("id;größe\n".encode("latin-1"), "this is not UTF-8"),
    "a truncated last line": (ONE + b"\n" + ONE[:-30], "line 2: this is not JSON"),
    "a truncated only line": (ONE[:-30], "line 1: this is not JSON"),
    "two objects in a line": (ONE + b" " + ONE, "line 1: this is not JSON"),
    "a comma too many": (ONE[:-1] + b",}", "line 1: this is not JSON"),
    "single quotes": (str(line()).encode(), "line 1: this is not JSON"),
    "deep nesting": (ONE[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "nesting just too deep": (ONE[:-1] + b', "x": ' + b"[" * DEEPEST + b"]" * DEEPEST + b"}", "nested too deeply"),
    "a number too large": (ONE[:-1] + b', "x": 1e999}', "a number too large for JSON"),
    "a number too large in a step": (ONE.replace(b'"room": "run-1"', b'"room": -1e999'), "a number too large for JSON"),
    "a confidence too large": (ONE.replace(b'"choice"', b'"confidence": 1e999, "choice"'), "between 0 and 1"),
    "a whole number of 5000 digits": (ONE[:-1] + b', "x": ' + b"9" * 5000 + b"}", "line 1: this is not JSON"),
    "an empty file": (b"", "is empty"),
    "a file of blanks": (b" \n\n\t\n", "is empty"),
    "a byte order mark alone": (codecs.BOM_UTF8, "is empty"),
    "prose": (b"Dear all,\nplease find attached\n", "no format that rejudge knows"),
    "another JSON": (b'{"runs": [], "version": 3}', "has the keys: runs, version"),
    "a JSON list of native lines": (b"[" + ONE + b"]", "is one JSON list"),
    "a zip file": (b"PK\x03\x04\x14\x00\x08\x08\xff\xfe", "is a zip archive"),
}


@pytest.mark.parametrize(("raw", "wrong"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_file_is_refused(raw: bytes, wrong: str, tmp_path: Path, study: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_bytes(raw)
    with pytest.raises(ImportRefused) as caught:
        bring(study, file)
    assert wrong in str(caught.value)
    assert str(file) in caught.value.wrong
    assert rows(study, "SELECT count(*) FROM trajectories") == [(0,)]


READABLE = {
    "plain": ONE,
    "a byte order mark": codecs.BOM_UTF8 + ONE,
    "a byte order mark before a blank line": codecs.BOM_UTF8 + b"\n" + ONE,
    "Windows line ends": ONE + b"\r\n",
    "blank lines": b"\n  \n" + ONE + b"\n\n \r\n",
    "no last line end": b"\n" + ONE,
    "a line separator within a text": ONE.replace(b"Book the", "Book\u2028\x85the".encode()),
    "nesting as deep as may be": ONE[:-1] + b', "x": ' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}",
    "many brackets that are not deep": ONE[:-1] + b', "x": [' + b",".join([b"{}"] * 500) + b"]}",
}


@pytest.mark.parametrize("raw", READABLE.values(), ids=READABLE)
def test_a_readable_file_comes_in(raw: bytes, tmp_path: Path, study: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_bytes(raw)
    counts = bring(study, file).counts
    assert (counts.trajectories, counts.verdicts) == (1, 1)


def test_the_refusal_of_a_bad_line_counts_blank_lines_too(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_bytes(ONE + b"\n\n\n{]\n")
    with pytest.raises(ImportRefused, match="line 4: this is not JSON"):
        read(file)


def test_escaped_nuls_and_lone_surrogates_come_in_marked_and_counted(study: Path, tmp_path: Path) -> None:
    text = '"a\\u0000b \\ud800 c \\udfffd \\ud83d\\ude42 \\\\u0000 e"'
    raw = json.dumps(line(metadata={"k": "v"})).replace('"Book the room run-1."', text).replace('"v"', '"\\u0000"')
    file = tmp_path / "f.jsonl"
    file.write_text(raw)
    imported = bring(study, file)
    assert imported.marks == 4
    ((stored, metadata),) = rows(study, "SELECT steps, metadata FROM trajectories")
    assert json.loads(stored)[0]["text"] == f"a{NUL_MARK}b {SURROGATE_MARK} c {SURROGATE_MARK}d 🙂 \\u0000 e"
    assert json.loads(metadata) == {"k": NUL_MARK}


def test_a_step_of_five_megabytes_comes_in_whole(study: Path, tmp_path: Path) -> None:
    text = "Zeile äöü 🙂 " * 300_000
    assert len(text.encode()) > 5_000_000
    bring(study, write_lines(tmp_path / "f.jsonl", line(steps=[step(text=text)])))
    ((stored,),) = rows(study, "SELECT steps FROM trajectories")
    assert json.loads(stored)[0]["text"] == text


def test_what_is_no_file_is_refused(study: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, wrong in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.jsonl", "cannot be read"),
        (study / "study.toml" / "x", "cannot be read"),
        (tmp_path / ("n" * 300), "cannot be read"),
        (pipe, "is not a file"),
        (Path("/dev/null"), "is not a file"),
    ):
        with pytest.raises(ImportRefused, match=wrong) as caught:
            bring(study, path)
        assert str(path) in caught.value.wrong


def test_a_file_that_fails_while_it_is_read_is_refused(study: Path) -> None:
    file = Path("/proc/self/mem")
    if not file.is_file():
        pytest.skip("this system has no file that opens and cannot be read")
    with pytest.raises(ImportRefused, match="cannot be read"):
        bring(study, file)


def test_an_unknown_format_is_refused_with_the_known_ones(study: Path, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="'openai' is not a format") as caught:
        bring(study, write_lines(tmp_path / "f.jsonl", line()), "openai")
    assert "native, r-judge, tau-bench, anthropic, openai-chat, answers, csv, parquet" in caught.value.found
    assert "Did you mean 'openai-chat'?" in caught.value.do


def test_every_format_has_the_same_things() -> None:
    for name, module in FORMATS.items():
        assert name == module.NAME
        assert callable(module.sniff) and callable(module.read)
        assert isinstance(module.GIVEAWAYS, tuple) and hasattr(module, "QUESTION")


def test_formats_are_told_apart(tmp_path: Path) -> None:
    csv = tmp_path / "a.csv"
    csv.write_text("\ufeffid,choice\n1,x\n")
    r_judge = tmp_path / "r.json"
    r_judge.write_text("\n" + json.dumps([record()], indent=1))
    for path, name in (
        (write_lines(tmp_path / "n.jsonl", line()), "native"),
        (write_lines(tmp_path / "a.jsonl", {"id": 1, "choice": "x"}), "answers"),
        (write_lines(tmp_path / "e.jsonl", {"id": 1, "error": "x"}), "answers"),
        (write_lines(tmp_path / "u.jsonl", {"id": 1, "annotator": "a", "unsure": True}), "answers"),
        (csv, "answers"),
        (r_judge, "r-judge"),
    ):
        assert name == format_of(path, None).NAME


# R-Judge


def write_records(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def test_r_judge_records_become_steps_by_kind(tmp_path: Path) -> None:
    (entry,) = read(write_records(tmp_path / "r.json", record()))
    assert entry.trajectory is not None
    assert entry.trajectory.steps == [
        {"kind": "message", "speaker": "system", "text": "You are a phone."},
        {"kind": "message", "speaker": "user", "text": "Send it to all, 1."},
        {"kind": "reasoning", "speaker": "agent", "text": "I could ask."},
        {"kind": "tool_call", "speaker": "agent", "tool": "Send", "arguments": "{'to': 'all'}"},
        {"kind": "tool_result", "speaker": "environment", "text": "sent"},
        {"kind": "message", "speaker": "agent", "text": "Done: all {have} it."},
    ]
    assert entry.trajectory.task == "Send it to all, 1."
    (its_label,) = entry.labels
    assert (its_label.annotator, its_label.question, its_label.choice) == ("r-judge", "unsafe", "unsafe")


@pytest.mark.parametrize(
    ("action", "tool", "arguments"),
    [
        ("Send{'to': 'all'}", "Send", "{'to': 'all'}"),
        ('Send: {"to": "all"}', "Send", '{"to": "all"}'),
        ('Send\nAction Input: {"to": "all"}', "Send", '{"to": "all"}'),
        ("python.run {}", "python.run", "{}"),
    ],
)
def test_the_ways_to_write_a_call_are_read_as_calls(tmp_path: Path, action: str, tool: str, arguments: str) -> None:
    turns = [{"role": "user", "content": "Go."}, {"role": "agent", "action": action}]
    (entry,) = read(write_records(tmp_path / "r.json", record(contents=[turns])))
    assert entry.trajectory is not None
    assert entry.trajectory.steps[-1] == {"kind": "tool_call", "speaker": "agent", "tool": tool, "arguments": arguments}


def test_sessions_of_one_record_are_told_apart(tmp_path: Path) -> None:
    session = [{"role": "user", "content": "Hi."}, {"role": "agent", "content": "Hello."}]
    (entry,) = read(write_records(tmp_path / "r.json", record(profile=None, contents=[session, session])))
    assert entry.trajectory is not None
    assert [each["session"] for each in entry.trajectory.steps] == ["1", "1", "2", "2"]


RELATIVES = {
    "as published": record(),
    "without goal and scenario": record(goal=None, scenario=None),
    "with more about risk": record(risk_type="RISK", failure_mode="RISK", ambiguous=1, risk_level="RISK"),
    "with an application scenario": record(scenario=None, application_scenario="Email"),
    "without profile and description": record(profile=None, risk_description=None),
    "with null fields": {**record(), "profile": None, "goal": None, "risk_description": None, "scenario": None},
}


@pytest.mark.parametrize("relative", RELATIVES.values(), ids=RELATIVES)
def test_nothing_about_risk_or_goal_is_ever_part_of_what_can_be_shown(relative: dict[str, Any], tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s", 'name = "s"\n')
    assert bring(folder, write_records(tmp_path / "r.json", relative)).counts.labels == 1
    ((task, steps, metadata, hidden),) = rows(folder, "SELECT task, steps, metadata, hidden FROM trajectories")
    showable = f"{task} {steps} {metadata}"
    assert "RISK" not in showable and "GOAL" not in showable
    assert set(json.loads(metadata)) <= {"scenario", "application_scenario"}
    kept = {key for key in relative if key not in ("id", "profile", "contents", "label", "scenario", "application_scenario")}
    assert kept == set(json.loads(hidden))


BAD_RECORDS = {
    "no label": (record(label=None), "lacks `label`"),
    "label two": (record(label=2), "`label` must be 0 or 1"),
    "label true": (record(label=True), "`label` must be 0 or 1"),
    "label a fraction": (record(label=1.0), "`label` must be 0 or 1"),
    "label a text": (record(label="1"), "`label` must be 0 or 1"),
    "no contents": (record(contents=None), "lacks `contents`"),
    "contents empty": (record(contents=[]), "has no turns"),
    "contents flat": (record(contents=[{"role": "user", "content": "x"}]), "must be a list"),
    "an unknown role": (record(contents=[[{"role": "tool", "content": "x"}]]), "no known role"),
    "content a list": (record(contents=[[{"role": "user", "content": ["x"]}]]), "`content` must be a text"),
}


@pytest.mark.parametrize(("bad", "wrong"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_bad_r_judge_record_is_refused_by_its_place(bad: dict[str, Any], wrong: str, tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s", 'name = "s"\n')
    with pytest.raises(ImportRefused) as caught:
        bring(folder, write_records(tmp_path / "r.json", record(), bad), "r-judge")
    assert wrong in caught.value.wrong and "item 2" in caught.value.wrong
    assert rows(folder, "SELECT count(*) FROM trajectories") == [(0,)]
    assert (folder / "study.toml").read_text() == 'name = "s"\n'


def test_r_judge_brings_its_question_only_where_there_is_none(tmp_path: Path) -> None:
    file = write_records(tmp_path / "r.json", record())
    blank = make_study(tmp_path / "blank", 'name = "s"\n')
    assert any("added question 'unsafe'" in note for note in bring(blank, file).notes)
    added = (blank / "study.toml").read_text()
    assert not any("added" in note for note in bring(blank, file).notes) and (blank / "study.toml").read_text() == added
    other = make_study(tmp_path / "other")
    with pytest.raises(ImportRefused, match="answers the question 'unsafe'") as caught:
        bring(other, file)
    assert "--question ID" in caught.value.do and "misaligned (aligned, misaligned)" in caught.value.found
    with pytest.raises(ImportRefused, match="has no choice 'unsafe'"):
        bring(other, file, question="misaligned")
    own = MISALIGNED.replace("misaligned", "dangerous").replace('["aligned", "dangerous"]', '["unsafe", "safe"]')
    own = own.replace('positive = "dangerous"', 'positive = "unsafe"')
    named = make_study(tmp_path / "named", own)
    assert bring(named, file, question="dangerous").counts.labels == 1
    assert rows(named, "SELECT q.id, c.name FROM label_events e JOIN questions q ON q.code = e.question "
                       "JOIN choices c ON c.question = e.question AND c.code = e.choice") == [("dangerous", "unsafe")]  # fmt: skip


def test_the_real_r_judge_comes_in_as_published(real_files: Path, tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s", 'name = "s"\n')
    imported = bring(folder, real_files / "r-judge.json")
    assert (imported.format, imported.counts.trajectories, imported.counts.labels, imported.counts.verdicts) == (
        "r-judge",
        564,
        564,
        0,
    )
    counted = rows(
        folder,
        """SELECT a.handle, c.name, count(*) FROM label_events e JOIN annotators a ON a.code = e.annotator
           JOIN choices c ON c.question = e.question AND c.code = e.choice GROUP BY 1, 2 ORDER BY 2""",
    )
    assert counted == [("r-judge", "safe", 266), ("r-judge", "unsafe", 298)]
    records = {str(record["id"]): record for record in json.loads((real_files / "r-judge.json").read_text(encoding="utf-8"))}
    for id, task, steps, metadata, hidden in rows(folder, "SELECT id, task, steps, metadata, hidden FROM trajectories"):
        source, listed = records[id], json.loads(steps)
        assert listed[0] == {"kind": "message", "speaker": "system", "text": source["profile"]}
        said = [turn["content"] for session in source["contents"] for turn in session if turn["role"] == "user" and turn["content"]]
        assert [each["text"] for each in listed if each["speaker"] == "user"] == said
        assert task == (said[0] if said else None)
        assert set(json.loads(metadata)) <= {"scenario"}
        assert json.loads(hidden) == {key: source[key] for key in ("goal", "risk_description")}
        for secret in (source["goal"], source["risk_description"]):
            assert not secret or secret not in " ".join([task or "", metadata, *(str(each) for each in listed)])
    twins = rows(folder, "SELECT count(*) FROM trajectories GROUP BY content_hash HAVING count(*) > 1")
    assert twins == [(2,), (2,)]


# Answers alone


@pytest.fixture
def filled(study: Path, tmp_path: Path) -> Path:
    """A study that holds the trajectories 1 to 3."""
    bring(study, write_lines(tmp_path / "trajectories.jsonl", *(line(id) for id in (1, 2, 3))))
    return study


def answers(folder: Path) -> list[tuple[Any, ...]]:
    return rows(
        folder,
        """SELECT t.id, r.name, c.name, v.error, v.rationale, v.cites, v.confidence, v.repeat
           FROM verdicts v JOIN trajectories t ON t.n = v.trajectory JOIN judge_runs r ON r.code = v.run
           LEFT JOIN choices c ON c.question = v.question AND c.code = v.choice ORDER BY 1, 2, v.repeat""",
    )


def human(folder: Path) -> list[tuple[Any, ...]]:
    return rows(
        folder,
        """SELECT t.id, a.handle, e.action, c.name, e.rationale, e.evidence FROM label_events e
           JOIN trajectories t ON t.n = e.trajectory JOIN annotators a ON a.code = e.annotator
           LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice ORDER BY e.seq""",
    )


def test_verdicts_alone_come_in_from_json_lines_and_csv_alike(filled: Path, tmp_path: Path) -> None:
    said = 'He said "no",\nthen left.'
    file = write_lines(
        tmp_path / "v.jsonl",
        {"id": 1, "choice": "misaligned", "rationale": said, "confidence": 0.5, "cites": [1]},
        {"id": "2", "error": "refused to answer"},
        {"id": 3, "choice": "aligned", "repeat": 1},
    )
    csv = tmp_path / "v.csv"
    quoted = said.replace('"', '""')
    csv.write_text(
        "id,choice,error,rationale,confidence,cites,repeat\r\n"
        f'1,misaligned,,"{quoted}",0.5,[1],\r\n'
        "2,,refused to answer,,,,\r\n\r\n3,aligned,,,,,1\r\n",
        newline="",
    )  # fmt: skip
    bring(filled, file, run="a")
    bring(filled, csv, run="b")
    expected = [
        ("1", "misaligned", None, said, "[1]", 0.5, 0),
        ("2", None, "refused to answer", None, None, None, 0),
        ("3", "aligned", None, None, None, None, 1),
    ]
    for run in "ab":
        assert [(id, *rest) for id, name, *rest in answers(filled) if name == run] == expected


def test_labels_alone_come_in_from_json_lines_and_csv_alike(filled: Path, tmp_path: Path) -> None:
    file = write_lines(
        tmp_path / "l.jsonl",
        {"id": 1, "annotator": "ana", "choice": "aligned", "evidence": [0, 1], "rationale": "r"},
        {"id": 2, "annotator": "ana", "unsure": True},
    )
    csv = tmp_path / "l.csv"
    csv.write_text('id,annotator,choice,unsure,evidence,rationale\n1,ben,aligned,,"[0, 1]",r\n2,ben,,TRUE,,\n')
    assert bring(filled, file).counts.labels == bring(filled, csv).counts.labels == 2
    for name in ("ana", "ben"):
        assert [row for row in human(filled) if row[1] == name] == [
            ("1", name, "label", "aligned", "r", "[0,1]"),
            ("2", name, "unsure", None, None, "[]"),
        ]


def test_verdicts_and_labels_may_stand_in_one_table(filled: Path, tmp_path: Path) -> None:
    csv = tmp_path / "both.csv"
    csv.write_text("id,run,annotator,choice\n1,judge-a,,aligned\n1,,ana,misaligned\n")
    counts = bring(filled, csv).counts
    assert (counts.verdicts, counts.labels) == (1, 1)


def test_many_answers_to_one_trajectory_come_in_few_transactions(filled: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "v.jsonl", *({"id": 1, "run": f"r{k}", "choice": "aligned"} for k in range(300)))
    assert bring(filled, file).counts.verdicts == 300
    assert bring(filled, file).counts.known_verdicts == 300


def test_a_rationale_longer_than_a_csv_field_usually_is_comes_in(filled: Path, tmp_path: Path) -> None:
    csv = tmp_path / "v.csv"
    csv.write_text(f"id,choice,rationale\n1,aligned,{'x' * 300_000}\n")
    bring(filled, csv, run="a")
    assert rows(filled, "SELECT length(rationale) FROM verdicts") == [(300_000,)]


def test_unknown_ids_are_refused_and_counted(filled: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "v.jsonl", *({"id": id, "choice": "aligned"} for id in range(1, 11)))
    with pytest.raises(ImportRefused, match="7 of the answers are to trajectories that are not in the study") as caught:
        bring(filled, file, run="a")
    assert "'4', '5', '6', '7', '8' …" in caught.value.found and "--prefix" in caught.value.do
    assert answers(filled) == []


def test_a_prefix_names_the_trajectories_of_answers_too(filled: Path, tmp_path: Path) -> None:
    bring(filled, write_lines(tmp_path / "more.jsonl", line(1, task="Another.")), prefix="p-")
    bring(filled, write_lines(tmp_path / "v.jsonl", {"id": 1, "choice": "aligned"}), prefix="p-", run="a")
    assert [row[0] for row in answers(filled)] == ["p-1"]


BAD_ANSWERS = {
    "no run": ("id,choice\n1,aligned\n", "does not say which judge run"),
    "a row too short": ("id,choice,rationale\n1,aligned,x\n2,aligned\n", "line 3 has 2 cells"),
    "a row too long": ("id,choice\n1,aligned,x\n", "line 2 has 3 cells"),
    "a bad row after one of three lines": ('id,choice,rationale\n1,aligned,"a\nb\nc"\n2,aligned\n', "line 5 has 2 cells"),
    "a quotation mark that is never closed": ('id,choice\n1,aligned\n2,"aligned\n3,aligned\n', "line 3 is not CSV"),
    "text after a quotation mark": ('id,choice\n1,"aligned"x\n', "line 2 is not CSV"),
    "a column twice": ("id,choice,choice\n1,aligned,aligned\n", "a column stands twice"),
    "an unknown column": ("id,choice,rational\n1,aligned,x\n", "Did you mean 'rationale'?"),
    "an unknown column of labels": ("id,annotator,choice,evidense\n1,ana,aligned,x\n", "Did you mean 'evidence'?"),
    "neither": ("id,choice,error\n1,,\n", "Found neither"),
    "both": ("id,choice,error\n1,aligned,x\n", "one alone"),
    "no id": ("id,choice\n,aligned\n", "line 2 has no id"),
    "confidence a word": ("id,choice,confidence\n1,aligned,high\n", "`confidence` is not a number"),
    "confidence nan": ("id,choice,confidence\n1,aligned,nan\n", "between 0 and 1"),
    "repeat a word": ("id,choice,repeat\n1,aligned,first\n", "`repeat` is not a number"),
    "cites not JSON": ("id,choice,cites\n1,aligned,[1\n", "`cites`: this is not JSON"),
    "cites beyond the end": ("id,choice,cites\n1,aligned,[2]\n", "names a step that does not exist"),
    "unsure a word": ("id,annotator,unsure\n1,ana,perhaps\n", "`unsure` must be true or false"),
    "unsure without a name": ("id,annotator,unsure\n1,,true\n", "names no annotator"),
    "an undeclared choice": ("id,choice\n1,unsafe\n", "has no choice 'unsafe'"),
    "a header alone": ("id,choice\n", "nothing in it"),
}


@pytest.mark.parametrize(("text", "wrong"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_bad_answers_are_refused(text: str, wrong: str, filled: Path, tmp_path: Path) -> None:
    csv = tmp_path / "v.csv"
    csv.write_text(text)
    with pytest.raises(ImportRefused) as caught:
        bring(filled, csv, run=None if wrong.startswith("does not say") else "a")
    assert wrong in str(caught.value) and str(csv) in caught.value.wrong
    assert answers(filled) == [] and human(filled) == []


def test_answers_need_a_question_where_the_study_has_several(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s", f"{MISALIGNED}\n{SEVERITY}")
    bring(folder, write_lines(tmp_path / "t.jsonl", line(1)))
    file = write_lines(tmp_path / "v.jsonl", {"id": 1, "choice": "much"})
    with pytest.raises(ImportRefused, match="which question") as caught:
        bring(folder, file, run="a")
    assert "misaligned, severity" in caught.value.found and "--question ID" in caught.value.do
    bring(folder, file, run="a", question="severity")
    named = write_lines(tmp_path / "w.jsonl", {"id": 1, "choice": "aligned", "question": "misaligned"})
    bring(folder, named, run="a", question="severity")
    assert rows(folder, "SELECT q.id FROM verdicts v JOIN questions q ON q.code = v.question ORDER BY v.id") == [
        ("severity",),
        ("misaligned",),
    ]


def test_the_run_of_a_line_goes_before_the_run_of_the_command(filled: Path, tmp_path: Path) -> None:
    bring(
        filled,
        write_lines(tmp_path / "v.jsonl", {"id": 1, "choice": "aligned", "run": "own"}, {"id": 2, "choice": "aligned"}),
        run="a",
    )
    assert [(row[0], row[1]) for row in answers(filled)] == [("1", "own"), ("2", "a")]
