"""A good file of each format: what the tests of all formats begin with.

Every text and field that would tell how a run came out holds the word SECRET.
"""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.small_study import label, line, verdict, write_lines

SECRET = "SECRET-outcome"


def chat(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A line of OpenAI chat with a call, its result, reasoning, and a verdict; None leaves a key out."""
    whole = {
        "id": f"chat-{number}",
        "group": f"task-{number}",
        "model": SECRET,
        "metadata": {"domain": "travel", "reward": SECRET, "info": {"depth": {"score": SECRET}}},
        "messages": [
            {"role": "system", "content": "You book rooms."},
            {"role": "user", "content": f"Book room {number}."},
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "I should look first.",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"room": 1}'}},
                    {"id": "c2", "type": "function", "function": {"name": "price", "arguments": "room=1"}},
                ],
            },
            {"role": "tool", "tool_call_id": "c2", "content": "40"},
            {"role": "tool", "tool_call_id": "c1", "content": "free"},
            {"role": "assistant", "content": "Booked."},
        ],
        "verdicts": [verdict(rationale=SECRET, cites=[3], confidence=0.5)],
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def claude(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A line of Anthropic messages."""
    whole = {
        "id": f"claude-{number}",
        "model": SECRET,
        "metadata": {"domain": "travel", "score": SECRET, "runs": [{"label": SECRET}]},
        "system": [{"type": "text", "text": "You book rooms."}],
        "messages": [
            {"role": "user", "content": f"Book room {number}."},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "I should look first.", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "b3BhcXVl"},
                    {"type": "text", "text": "Let me look."},
                    {"type": "tool_use", "id": "t1", "name": "look", "input": {"room": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "is_error": True,
                        "content": [
                            {"type": "text", "text": "no such room"},
                            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}},
                        ],
                    },
                    {"type": "text", "text": "Go on."},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "There is no such room."}]},
        ],
        "labels": [label(rationale=SECRET, evidence=[5])],
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def tau_run(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A run of tau-bench, which uses an id of a call twice."""
    action = {"name": "book", "kwargs": {"room": SECRET}}
    whole = {
        "task_id": number,
        "trial": 0,
        "reward": float(number % 2),
        "info": {
            "task": {"user_id": "mia", "instruction": f"You want room {number}.", "actions": [action], "outputs": [SECRET]},
            "source": "user",
            "user_cost": 0.25,
            "reward_info": {"reward": 1.0, "info": {"gt_data_hash": SECRET}, "actions": [action]},
        },
        "review": {"summary": SECRET},
        "traj": [
            {"role": "system", "content": "# Policy"},
            {"role": "user", "content": "A room, please."},
            {"role": "assistant", "content": None, "tool_calls": [_call("look", '{"room": 1}')]},
            {"role": "tool", "tool_call_id": "c1", "name": "look", "content": "free"},
            {"role": "assistant", "content": "I book it.", "tool_calls": [_call("book", '{"room": 1}')]},
            {"role": "tool", "tool_call_id": "c1", "name": "book", "content": "Error: the room is taken"},
            {"role": "assistant", "content": "It is taken."},
            {"role": "user", "content": "Thanks. ###STOP###"},
        ],
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def _call(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}


def record(id: Any = 1, **changes: Any) -> dict[str, Any]:
    """A record of R-Judge's shape; None leaves a key out."""
    whole = {
        "id": id,
        "scenario": "phone",
        "profile": "You are a phone.",
        "goal": "GOAL: judge this.",
        "contents": [
            [
                {"role": "user", "content": f"Send it to all, {id}."},
                {"role": "agent", "thought": "I could ask.", "action": "Send{'to': 'all'}"},
                {"role": "environment", "content": "sent"},
                {"role": "agent", "thought": "", "action": "Done: all {have} it."},
            ]
        ],
        "label": 1,
        "risk_description": "RISK: it sends.",
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def secret_record(id: Any) -> dict[str, Any]:
    """A record with everything that tells its label."""
    return record(id, **dict.fromkeys(("goal", "risk_description", "risk_type", "failure_mode", "ambiguous"), SECRET))


def table_rows() -> list[dict[str, Any]]:
    """Rows of a table of trajectories, one as text and one as messages."""
    return [
        {"id": "a", "text": "User: hi\nAgent: said \"no\"; left.", "messages": "", "domain": "travel", "reward": SECRET},
        {"id": "b", "text": "", "messages": json.dumps(chat()["messages"]), "domain": "", "reward": SECRET},
        {"id": "c", "text": "", "messages": json.dumps(claude()["messages"]), "domain": "café", "reward": SECRET},
    ]  # fmt: skip


def write_json(path: Path, *values: Any) -> Path:
    path.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    return path


def write_csv(path: Path, rows: list[dict[str, Any]], separator: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]], **options: Any) -> Path:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, **options)
    return path


def native_line(number: int = 1) -> dict[str, Any]:
    return line(f"run-{number}", metadata={"domain": "x", "labels": SECRET}, verdicts=[verdict(cites=[1])], labels=[label()])


GOOD_FILES: dict[str, Callable[[Path], Path]] = {
    "native": lambda folder: write_lines(folder / "native.jsonl", *map(native_line, range(3))),
    "r-judge": lambda folder: write_json(folder / "r-judge.json", *map(secret_record, range(3))),
    "tau-bench": lambda folder: write_json(folder / "tau.json", *map(tau_run, range(3))),
    "anthropic": lambda folder: write_lines(folder / "anthropic.jsonl", *map(claude, range(3))),
    "openai-chat": lambda folder: write_lines(folder / "openai.jsonl", *map(chat, range(3))),
    "answers": lambda folder: write_lines(
        folder / "answers.jsonl",
        *({"id": id, "choice": "aligned", "run": "judge-a", "confidence": 0.5, "cites": [0]} for id in range(4)),
    ),
    "csv": lambda folder: write_csv(folder / "table.csv", table_rows()),
    "parquet": lambda folder: write_parquet(folder / "table.parquet", table_rows(), write_page_checksum=True),
}
"""By the format's name."""
