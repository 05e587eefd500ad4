"""What could give the answer away is found where it is visible, and only there; and a field's AUC is honest about chance."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from annotate.leaks import KINDS, LENGTH, STEPS, Leaks, find_leaks
from annotate.leaks_text import leaks_text
from data.questions import Question
from data.store import Store
from data.study import Study
from reports.auc import LEAST_GROUPS, MOST_ITEMS, FieldAuc, _rank_auc, field_auc
from tests.conftest import Run
from tests.study_maker import KIND, MISALIGNED, import_lines, make_study, run_line, verdict

RATIONALE = "The agent deleted the audit log on its own and then it told nobody about that at all."


def leaks_in(folder: Path, lines: list[dict[str, Any]], blind: str = "", questions: tuple[Question, ...] = (MISALIGNED,)) -> Leaks:
    study = make_study(folder / "study", lines, questions, f"[blind]\n{blind}\n")
    with Store.open(study.database) as store:
        return find_leaks(store, study)


def found(leaks: Leaks) -> dict[str, set[str]]:
    return {kind: {trace.found for trace in leaks.traces if trace.kind == kind} for kind in {t.kind for t in leaks.traces}}


def saying(text: str, id: str = "17", kind: str = "message", **fields: Any) -> dict[str, Any]:
    return run_line(id, steps=[{"kind": kind, "speaker": "agent", "text": text}], task="Mind the ledger.", **fields)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("model or provider", "I am GPT-4o, by OpenAI.", {"gpt-4o", "openai"}),
        ("model or provider", "As Claude-3.5-Sonnet I decline", {"claude-3.5-sonnet"}),
        ("model or provider", "running meta-llama-3 and Qwen2.5-72B, o3-mini", {"meta-llama-3", "qwen2.5-72b", "o3-mini"}),
        ("model or provider", "this is house-model-x9 speaking", {"house-model-x9"}),
        ("score", "Final reward: 0.75", {"final reward: #.#"}),
        ("score", 'got "risk_score": 8 today', {"risk_score: #"}),
        ("score", "That makes 7/10, severity: high.", {"#/#", "severity: high"}),
        ("grader's phrase", "As an impartial judge, I find the verdict clear.", {"as an impartial judge", "verdict"}),
        ("grader's phrase", "Label: 1. The agent's actions were unsafe.", {"label:", "the agents actions were unsafe"}),
        ("choice", "This is clearly MISALIGNED behaviour", {"misaligned"}),
        ("question id", "see misaligned_choice; question misaligned", {"misaligned"}),
        ("run name", "judged by judge_a yesterday", {"judge_a"}),
        ("file name or id", "taken from study-runs.jsonl", {"study-runs.jsonl"}),
        ("file name or id", "my name is case-x-99", {"case-x-99"}),
        ("judge's words", "He says: the agent deleted the audit log on its own and then it told nobody!", {"8 words in a row"}),
    ],
)
def test_each_kind_of_giveaway_is_found_in_the_visible_text(tmp_path: Path, kind: str, text: str, expected: set[str]) -> None:
    line = saying(text, "case-x-99", verdicts=[verdict("aligned", rationale=RATIONALE)], metadata={"agent_model": "house-model-x9"})
    leaks = leaks_in(tmp_path, [line, saying("nothing at all", "other")])
    assert found(leaks)[kind] == expected
    for trace in leaks.traces:
        if trace.kind == kind:
            assert (trace.items, trace.where) == (1, "case-x-99, message")
            assert trace.found.split()[0][:3].replace("#", "") in trace.excerpt.lower() or kind in ("judge's words", "score")


@pytest.mark.parametrize(
    "text",
    [
        "The colander holds 5 litres; 24/7 service, version 1.10/2 of the gradebook, on 3/4/2025.",
        "A grandmother's clause; the judging of horses; photo3-mini; score sheets are here.",
        "The agent deleted the audit log, and then nobody was told about that.",
    ],
)
def test_plain_words_are_not_taken_for_giveaways(tmp_path: Path, text: str) -> None:
    assert found(leaks_in(tmp_path, [saying(text, verdicts=[verdict("aligned", rationale=RATIONALE)])])) == {}


def test_what_annotators_do_not_see_is_not_searched(tmp_path: Path) -> None:
    hidden = {"metadata": {"model": "gpt-4o", "domain": "bank of openai"}, "verdicts": [verdict("aligned", rationale=RATIONALE)]}
    steps = [
        {"kind": "reasoning", "speaker": "agent", "text": "I am Claude, reward: 5"},
        {"kind": "tool_call", "speaker": "agent", "tool": "pay", "arguments": {"to": "deepmind"}, "call": "gemini-call-1"},
    ]
    lines = [run_line("17", task="Ask Mistral-7B.", steps=steps, **hidden)]
    seen = leaks_in(tmp_path / "a", lines, 'show = ["domain"]')
    assert found(seen) == {"model or provider": {"openai", "claude", "deepmind", "mistral-7b"}, "score": {"reward: #"}}
    assert {t.found: t.places.most_common(1)[0][0] for t in seen.traces} == {
        "openai": "metadata domain", "claude": "reasoning", "deepmind": "tool_call arguments", "mistral-7b": "task",
        "reward: #": "reasoning",
    }  # fmt: skip
    blanked = leaks_in(tmp_path / "b", lines, 'reasoning = "hidden"\nredact = ["Mistral-\\\\S+", "deepmind"]')
    assert found(blanked) == {}


def test_findings_are_counted_by_occurrence_and_by_item_and_only_once_per_copied_passage(tmp_path: Path) -> None:
    copied = f"{RATIONALE} And again: {RATIONALE}"
    lines = [saying(copied, str(k), verdicts=[verdict("aligned", rationale=RATIONALE)]) for k in range(3)] + [
        saying("gpt-4 gpt-4", "9")
    ]
    leaks = leaks_in(tmp_path, lines)
    by = {trace.kind: trace for trace in leaks.traces}
    assert (by["judge's words"].occurrences, by["judge's words"].items) == (6, 3)
    assert (by["model or provider"].occurrences, by["model or provider"].items) == (2, 1)
    assert by["model or provider"].as_json(leaks.items)["share"] == 0.25


def test_no_terminal_is_moved_by_what_is_found(tmp_path: Path) -> None:
    leaks = leaks_in(tmp_path, [saying("\x1b[2J\x1b]0;owned\x07 GPT-4 \u202e evil", "run\u202e")])
    text = leaks_text(leaks)
    assert "\\x1b[2J" in text and all(sign.isprintable() or sign == "\n" for sign in text)


# The fields


def figures(leaks: Leaks, run: str = "judge-a") -> dict[str, FieldAuc]:
    (mine,) = [fields for name, _, fields in leaks.fields if name == run]
    return {figure.field: figure for figure in mine}


def tangled(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Runs whose domain nearly tells the verdict of judge-a, and of judge-b nothing."""
    chance, lines = random.Random(seed), []
    for k in range(count):
        bad = chance.random() < 0.4
        domain = ("bank" if bad else "shop") if chance.random() < 0.9 else "other"
        fields: dict[str, Any] = {
            "domain": domain,
            "cost": round(chance.random() + bad, 3),
            "note": "left over " * chance.randrange(3),
        }
        verdicts = [verdict(("aligned", "misaligned")[bad]), verdict(chance.choice(("aligned", "misaligned")), run="judge-b")]
        lines.append(run_line(f"{k:04}", metadata=fields, verdicts=verdicts, group=f"g{k // 2}"))
    return lines


def test_a_field_that_tells_the_verdict_stands_out_and_the_others_do_not(tmp_path: Path) -> None:
    leaks = leaks_in(tmp_path, tangled(160), 'show = ["domain", "cost", "note", "nowhere"]')
    a, b = figures(leaks), figures(leaks, "judge-b")
    assert list(a) == ["domain", "cost", "note", "nowhere", LENGTH, STEPS]
    assert a["domain"].stands_out and (a["domain"].auc.value or 0) > 0.9 and a["domain"].p == 1 / 200
    assert a["cost"].stands_out and (a["cost"].auc.value or 0) > 0.9
    assert [name for name in ("note", "nowhere", STEPS) if a[name].stands_out] == []
    assert a[STEPS].auc.value == 0.5 == a["nowhere"].auc.value, "what never differs tells nothing"
    assert sum(figure.stands_out for figure in b.values()) <= 1
    assert a["domain"].auc.n == 160


def test_neither_verdicts_nor_their_counts_come_out(tmp_path: Path, run: Run) -> None:
    study = make_study(tmp_path / "study", tangled(60), rest='[blind]\nshow = ["domain"]')
    for argv in (["leaks"], ["leaks", "--json"]):
        ran = run(*argv, "--study", study.folder)
        assert ran.returncode == 0 and "misaligned: " not in ran.stdout.replace("misaligned\n", "")
    document = json.loads(run("leaks", "--json", "--study", study.folder).stdout)
    assert set(document) == {"study", "items", "findings", "fields"}
    assert {key for row in document["fields"] for key in row} == {"run", "question", "field", "auc", "chance", "p"}
    assert all(row["auc"]["n"] == 60 for row in document["fields"])
    with_one_kind = make_study(tmp_path / "one", [run_line(f"{k}", verdicts=[verdict("aligned")]) for k in range(40)])
    assert "too few items, groups or unlike verdicts" in run("leaks", "--study", with_one_kind.folder).stdout


def test_small_or_uniform_data_are_said_not_to_tell(tmp_path: Path) -> None:
    for lines in (tangled(18), [line | {"group": f"g{k % (LEAST_GROUPS - 1)}"} for k, line in enumerate(tangled(60))]):
        figure = figures(leaks_in(tmp_path / str(len(lines)), lines, 'show = ["domain"]'))["domain"]
        assert (figure.auc.value, figure.chance, figure.stands_out) == (None, None, False) and figure.auc.reason
    empty = leaks_in(tmp_path / "empty", [saying("nothing")])
    assert empty.fields == [] and "no verdicts" in leaks_text(empty)


def test_more_than_two_kinds_of_verdict_are_each_held_against_the_rest(tmp_path: Path) -> None:
    lines = [
        run_line(f"{k:03}", metadata={"who": KIND.choices[k % 3]}, verdicts=[verdict(KIND.choices[k % 3], question="kind")])
        for k in range(60)
    ]
    figure = figures(leaks_in(tmp_path, lines, 'show = ["who"]', (KIND,)))["who"]
    assert figure.auc.value == pytest.approx(1.0) and figure.stands_out


def test_ranks_give_the_auc_of_scikit_learn() -> None:
    chance = np.random.default_rng(0)
    scores, kinds = chance.integers(0, 5, (80, 7)).astype(float), chance.random((80, 7)) < 0.3
    aucs, pairs = _rank_auc(scores, kinds)
    assert aucs == pytest.approx([roc_auc_score(kinds[:, c], scores[:, c]) for c in range(7)])
    assert list(pairs) == [kinds[:, c].sum() * (80 - kinds[:, c].sum()) for c in range(7)]


@pytest.mark.parametrize("in_groups", [False, True])
def test_a_field_that_tells_nothing_stands_out_no_oftener_than_it_should(in_groups: bool) -> None:
    """40 studies of 60 items; also where siblings share both field and verdict, which fools a plain shuffle."""
    chance, above = np.random.default_rng(5), 0
    for _ in range(40):
        groups = np.repeat(np.arange(12), 5) if in_groups else np.arange(60)
        size = groups.max() + 1
        values = [f"v{v}" for v in chance.integers(0, 3, size)[groups]]
        kinds = (chance.random(size) < 0.5)[groups][:, None]
        above += field_auc("f", values, kinds, [str(g) for g in groups]).stands_out
    assert above <= 5, "2.5 % of 40 is one; six or more would happen once in a thousand times"


def test_large_studies_are_looked_at_in_a_sample_of_whole_groups() -> None:
    chance = np.random.default_rng(1)
    groups = [str(k // 3) for k in range(3 * MOST_ITEMS)]
    kinds = chance.random((len(groups), 1)) < 0.5
    values = ["yes" if kind else "no" for kind in kinds[:, 0]]
    figure = field_auc("f", values, kinds, groups)
    assert MOST_ITEMS - 3 <= figure.auc.n <= MOST_ITEMS and figure.auc.value == pytest.approx(1.0)


def test_every_kind_is_named_in_the_text_found_or_not(tmp_path: Path) -> None:
    text = leaks_text(leaks_in(tmp_path, [saying("GPT-4 said so")]))
    assert all(kind in text for kind in KINDS) and "gpt-4: once in 1 item (100.0%)" in text


def test_an_imported_file_of_labels_is_searched_for_by_name(tmp_path: Path) -> None:
    study: Study = import_lines(make_study(tmp_path / "s", [saying("see s-bad-ones.jsonl")]), [saying("x", "2")], "bad-ones.jsonl")
    with Store.open(study.database) as store:
        assert found(find_leaks(store, study)) == {"file name or id": {"s-bad-ones.jsonl"}}
