"""Files that are not what was meant are refused by what they are, with what makes them readable."""

import gzip
import io
import json
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from data.errors import ImportRefused
from data.formats import FORMATS, format_of
from tests.good_files import GOOD_FILES, chat, native_line, table_rows, write_csv, write_json
from tests.small_study import bring, line, verdict, write_lines


def refusal(path: Path, format: str | None = None) -> ImportRefused:
    with pytest.raises(ImportRefused) as caught:
        list(format_of(path, format).read(path))
    for beat in (caught.value.wrong, caught.value.found, caught.value.do):
        assert len(beat) > 10
    return caught.value


@pytest.mark.parametrize("name", GOOD_FILES)
def test_every_good_file_is_known_by_its_own_format_and_no_other_takes_it_first(name: str, tmp_path: Path) -> None:
    path = GOOD_FILES[name](tmp_path)
    assert name == format_of(path, None).NAME
    takers = [other for other, module in FORMATS.items() if module.sniff(path)]
    # Anthropic's messages are messages too, and are asked for first.
    assert takers == ([name] if name != "anthropic" else ["anthropic", "openai-chat"])


@pytest.mark.parametrize("format", [None, *FORMATS])
def test_an_archive_is_refused_under_whatever_name(format: str | None, tmp_path: Path) -> None:
    inner = json.dumps(line()).encode()
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("runs.jsonl", inner)
    for raw, what, do in (
        (held.getvalue(), "zip archive", "Unpack"),
        (gzip.compress(inner), "packed with gzip", "gunzip"),
        (b"\x28\xb5\x2f\xfd" + b"\0" * 20, "packed with zstd", "unzstd"),
    ):
        path = tmp_path / "f"
        path.write_bytes(raw)
        refused = refusal(path, format)
        assert what in refused.wrong and do in refused.do


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "parquet"])
def test_parquet_under_another_name_is_refused(format: str, tmp_path: Path) -> None:
    assert "is Parquet" in refusal(GOOD_FILES["parquet"](tmp_path), format).wrong


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "parquet"])
def test_another_file_under_the_name_parquet_or_csv_is_refused(name: str, tmp_path: Path) -> None:
    path = GOOD_FILES[name](tmp_path)
    assert "not Parquet" in refusal(path, "parquet").wrong
    if name != "csv":
        assert "JSON, not CSV" in refusal(path, "csv").wrong


@pytest.mark.parametrize("named", FORMATS)
@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_file_under_a_wrong_name_is_refused_and_never_half_read(name: str, named: str, tmp_path: Path) -> None:
    if name == named or {name, named} == {"anthropic", "openai-chat"}:
        return
    refusal(GOOD_FILES[name](tmp_path), named)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", [name for name in GOOD_FILES if name != "parquet"])
def test_wide_encodings_are_named(name: str, encoding: str, tmp_path: Path) -> None:
    path = GOOD_FILES[name](tmp_path)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    for format in (None, name):
        refused = refusal(path, format)
        assert "not UTF-8" in refused.wrong and encoding.upper()[:6] in refused.found and "iconv -f UTF-" in refused.do


@pytest.mark.parametrize("name", [name for name in GOOD_FILES if name != "parquet"])
def test_latin_1_is_named_with_the_letter_it_would_be(name: str, tmp_path: Path) -> None:
    path = GOOD_FILES[name](tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[:40] + b"\xe9" + raw[41:])
    refused = refusal(path, name)
    assert "not UTF-8" in refused.wrong and "'é'" in refused.found and "iconv -f WINDOWS-1252" in refused.do


@pytest.mark.parametrize("name", [name for name in GOOD_FILES if name != "parquet"])
def test_a_file_that_ends_in_the_middle_of_a_character_is_said_to_be_cut_off(name: str, tmp_path: Path) -> None:
    path = GOOD_FILES[name](tmp_path)
    path.write_bytes(path.read_bytes().rstrip() + "🙂".encode()[:2])
    refused = refusal(path, name)
    assert "not UTF-8 to its end" in refused.wrong and "middle of a character" in refused.found and "cut off" in refused.do


def shown_command(refused: ImportRefused, path: Path, new: Path) -> list[str]:
    """The command of a refusal's advice, for this file."""
    command = refused.do.partition(": ")[2].replace("FILE", shlex.quote(str(path))).replace("NEW.jsonl", shlex.quote(str(new)))
    return shlex.split(command.replace("python ", f"{shlex.quote(sys.executable)} ", 1))


@pytest.mark.parametrize("value", [native_line(), chat()])
@pytest.mark.parametrize("format", [None, "native", "openai-chat"])
def test_one_object_over_many_lines_is_refused_with_a_command_that_mends_it(value: Any, format: str | None, tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(json.dumps(value | {"note": "é"}, indent=2, ensure_ascii=False), encoding="utf-8")
    refused = refusal(path, format)
    assert "laid out over many lines" in refused.wrong and "one object on" in refused.found
    new = tmp_path / "new.jsonl"
    subprocess.run(shown_command(refused, path, new), check=True)
    assert len(list(format_of(new, None).read(new))) == 1


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("values", [[native_line(1), native_line(2)], [chat(1), chat(2)]])
def test_a_list_of_lines_is_refused_with_a_command_that_mends_it(values: list[Any], indent: int | None, tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(json.dumps(values, indent=indent), encoding="utf-8")
    refused = refusal(path)
    assert "one JSON list" in refused.wrong and "a list of 2" in refused.found
    *command, mark, new = shown_command(refused, path, tmp_path / "new.jsonl")
    assert mark == ">"
    Path(new).write_text(subprocess.run(command, check=True, capture_output=True, text=True).stdout, encoding="utf-8")
    assert len(list(format_of(Path(new), None).read(Path(new)))) == 2


def test_logs_of_other_tools_are_named_with_the_way_in(tmp_path: Path) -> None:
    for value, what in (
        ({"version": 2, "eval": {}, "samples": []}, "an Inspect log"),
        ({"schema_version": "ATIF-v1.5", "agent": {}, "steps": []}, "an ATIF trajectory"),
        ({"metadata": {}, "events": [], "target_messages": []}, "a Petri transcript"),
        ({"info": {}, "tasks": [], "simulations": []}, "a tau2-bench result"),
    ):
        for indent in (None, 2):
            path = tmp_path / "f.json"
            path.write_text(json.dumps(value, indent=indent), encoding="utf-8")
            refused = refusal(path)
            assert what in refused.wrong and "openai-chat" in refused.do


def test_no_real_file_of_another_format_is_taken_for_one_of_ours(real_files: Path) -> None:
    known = {"r-judge.json": "r-judge", "tau-bench-gpt-4o-airline.json": "tau-bench"}
    for path in sorted(real_files.iterdir()):
        if path.name in known:
            assert known[path.name] == format_of(path, None).NAME
        else:
            refusal(path)


def test_a_native_line_without_steps_is_told_what_it_lacks(tmp_path: Path) -> None:
    refused = refusal(write_lines(tmp_path / "f.jsonl", {"id": 1, "task": "x", "verdicts": [verdict()]}))
    assert "line 1: trajectory '1' has no steps" in refused.wrong
    misspelt = line()
    misspelt["step"] = misspelt.pop("steps")
    refused = refusal(write_lines(tmp_path / "g.jsonl", misspelt | {"labels": []}))
    assert "has no steps" in refused.wrong and "Was 'step' to be `steps`?" in refused.do


def test_a_misspelt_choice_is_refused_with_the_one_that_was_meant(study: Path, tmp_path: Path) -> None:
    for choice, meant in (("Misaligned", "misaligned"), ("alligned", "aligned"), ("MISALIGNED", "misaligned")):
        with pytest.raises(ImportRefused, match=f"has no choice '{choice}'") as caught:
            bring(study, write_lines(tmp_path / "f.jsonl", line(verdicts=[verdict(choice)])))
        assert f"Did you mean '{meant}'?" in caught.value.do
    with pytest.raises(ImportRefused) as caught:
        bring(study, write_lines(tmp_path / "f.jsonl", line(verdicts=[verdict("yes")])))
    assert "Did you mean" not in caught.value.do


def test_a_key_that_stands_twice_in_one_object_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text(
        json.dumps(line()) + "\n" + json.dumps(line(2, verdicts=[verdict()])).replace('"choice"', '"choice": "aligned", "choice"')
    )
    refused = refusal(path)
    assert refused.wrong == "line 2: a key stands twice in one object." and "'choice'" in refused.found


def test_json_that_is_broken_deep_in_a_file_of_many_lines_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    text = json.dumps([json.loads(write_json(tmp_path / "x.json", {"traj": [], "task_id": 1}).read_text())[0]] * 3, indent=1)
    path.write_text(text[:-4] + "?")
    assert f"line {text.count(chr(10))}" in refusal(path, "tau-bench").found


def test_a_table_of_answers_given_as_trajectories_is_told_so(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [{"id": 1, "choice": "aligned"}])
    refused = refusal(path, "csv")
    assert "no column `text` or `messages`" in refused.wrong and "--format answers" in refused.do
    assert format_of(write_csv(tmp_path / "t.csv", table_rows()), None).NAME == "csv"
