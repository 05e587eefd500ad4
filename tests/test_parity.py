"""Whether the judge saw what the humans saw is told in words, and never claimed where nobody knows."""

from pathlib import Path
from typing import Any

from data.store import Store
from data.store.judging import Reply, append_replies, ensure_run
from data.store.versions import record_versions
from judge.evidence import EvidenceView, view_of
from judge.prompts import first_prompt, record
from reports.of_study.about import about_of
from reports.parity import differences, parity_of
from tests.conftest import Run
from tests.study_maker import Sitting, draw_batch, make_study, run_line, write_toml

BLIND = {"show": ["domain"], "reasoning": "hidden", "redact": ["gpt-4o"]}


def seen(**changes: Any) -> dict[str, Any]:
    return EvidenceView("hidden", None, ("domain",), None, ("gpt-4o",)).document() | changes


def test_the_same_view_has_no_difference_in_whatever_order_it_is_declared() -> None:
    assert differences(seen(), BLIND) == []
    assert differences(seen(show=["b", "a"]), BLIND | {"show": ["a", "b"]}) == []


def test_every_difference_is_a_clause_that_says_who_saw_it() -> None:
    assert differences(seen(reasoning="shown"), BLIND) == ["the agent’s reasoning was shown to the judge alone"]
    assert differences(seen(), BLIND | {"reasoning": "shown"}) == ["the agent’s reasoning was shown to annotators alone"]
    assert differences(seen(show=["domain", "model", "day"]), BLIND) == [
        "the metadata “model”, “day” were shown to the judge alone"
    ]
    assert differences(seen(show=[]), BLIND) == ["the metadata “domain” was shown to annotators alone"]
    assert differences(seen(redact=[]), BLIND) == ["text that matches “gpt-4o” was blanked for annotators alone"]
    assert differences(seen(results=4000, total=90_000), BLIND) == [
        "of tool results longer than 4,000 characters the middle was cut for the judge alone",
        "what was longer than 90,000 characters in all was shortened for the judge alone",
    ]


def test_nothing_is_claimed_of_a_judge_that_nobody_watched() -> None:
    views = [{"rules": BLIND, "labels": 3}]
    assert parity_of({"kind": "imported", "evidence_view": {"known": False}}, views) is None
    assert parity_of({"kind": "asked", "evidence_view": {}}, views) is None
    assert parity_of({"kind": "asked", "evidence_view": seen()}, []) == []
    assert parity_of({"kind": "asked", "evidence_view": seen()}, views) == [{"labels": 3, "differs": []}]


def test_the_report_says_whether_an_asked_judge_saw_what_annotators_saw(run: Run, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line(f"i{k}", metadata={"domain": "d"}) for k in range(4)])
    with Store.open(study.database) as store:
        (asked, *_), _ = record_versions(store, study)
        prompt = record(store, study, first_prompt(asked.question), asked.code)
        for name, view in (("same", view_of(study)), ("more", EvidenceView(show=("domain",)))):
            of = ensure_run(store, name, "asked", prompt, {"name": name}, view.document())[0].code
            append_replies(store, of, asked.code, [Reply(n, choice="aligned") for n in range(1, 5)])
    draw_batch(study, 1)
    with Sitting(study, "ana") as ana:
        ana.label_all({})
    study = write_toml(study.folder, study.questions, '[blind]\nshow = ["domain"]\n')
    draw_batch(study, 3)
    with Sitting(study, "ben") as ben:
        ben.label_all({})
    assert run("report", "--out", tmp_path / "report.md", "--study", study.folder).returncode == 0
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "more: the judge did not see what the annotators saw (beside 1 of 4 labels): the metadata “domain” was shown" in text
    assert "same: the judge did not see what the annotators saw (beside 3 of 4 labels)" in text
    with Store.open(study.database) as store, store.reading():
        runs = about_of(study, store, None)["runs"]
    assert [[view["labels"] for view in each["parity"]] for each in runs] == [[3, 1], [3, 1]]
