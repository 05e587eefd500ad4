"""Whether a judge agrees with itself: flip rates over repeats, from rows to the text that people read."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.questions import Question
from data.repeat_tallies import RepeatTally
from data.store import Store
from data.store.judging import run_named
from data.study import Study
from reports.consistency import consistency_document, flip_rate, pairwise_flip_rate
from reports.intervals import wilson
from reports.of_study.agreement import agreement_of
from reports.of_study.report import documents_of
from reports.terminal import agreement_text
from reports.written.markdown import written as markdown
from reports.written.whole import report_from
from tests.study_maker import MISALIGNED, label, make_study, run_line, verdict

YES, NO, NONE = "misaligned", "aligned", None


def replies(*choices: str | None, **fields: Any) -> list[dict[str, Any]]:
    """Verdicts of one run on one item, a repeat each; None is unreadable."""
    return [verdict(choice, repeat=repeat, **fields) for repeat, choice in enumerate(choices)]


def study_of(tmp_path: Path, items: list[list[dict[str, Any]]], group: str | None = None) -> Study:
    lines = [run_line(f"r{n:03}", verdicts=said, group=group or f"g{n}") for n, said in enumerate(items)]
    return make_study(tmp_path / "study", lines)


def document(study: Study, run: str | None = None) -> dict[str, Any]:
    with Store.open(study.database) as store:
        found = agreement_of(study, store, getattr(run_named(store, run) if run else None, "code", None), None)
    json.dumps(found, allow_nan=False)
    question: dict[str, Any] = found["questions"][0]
    return question


def tally(replies: list[int], differing: list[int], group: list[int] | None = None) -> RepeatTally:
    of_item = np.array(replies, dtype=np.int64)
    return RepeatTally(
        "judge-a", int(of_item.max(initial=0)), of_item, np.array(differing, dtype=np.int64),
        np.array(group if group is not None else range(len(replies)), dtype=np.int64), 0, 0, 0,
    )  # fmt: skip


def test_an_item_flips_where_its_replies_are_not_all_the_same(tmp_path: Path) -> None:
    items = [replies(YES, YES, YES), replies(NO, NO, NO), replies(YES, NO, YES), replies(YES, NO, NO)]
    (found,) = document(study_of(tmp_path, items))["consistency"]
    assert (found["run"], found["repeats"], found["items"], found["fewer_replies"], found["once"]) == ("judge-a", 3, 4, 0, 0)
    assert found["flip_rate"]["value"] == 0.5 and found["flip_rate"]["method"] == "wilson"
    assert (found["flip_rate"]["low"], found["flip_rate"]["high"]) == wilson(2, 4)
    # Of three pairs of replies two differ, on two items of four.
    assert found["pairwise_flip_rate"]["value"] == pytest.approx(2 * (2 / 3) / 4)


def test_an_unreadable_reply_is_an_answer_of_its_own_and_never_one_of_the_choices(tmp_path: Path) -> None:
    items = [replies(YES, NONE), replies(NONE, NONE), replies(NO, NO), replies(NO, NONE)]
    (found,) = document(study_of(tmp_path, items))["consistency"]
    assert found["flip_rate"]["value"] == 0.5
    assert found["unreadable"] == {"items": 3, "replies": 4}


def test_items_with_one_reply_enter_no_rate_and_are_counted(tmp_path: Path) -> None:
    items = [replies(YES, NO), replies(YES), replies(NO), replies(NO, NO, NO)]
    (found,) = document(study_of(tmp_path, items))["consistency"]
    assert (found["items"], found["once"], found["repeats"], found["fewer_replies"]) == (2, 2, 3, 1)
    assert found["flip_rate"]["value"] == 0.5 and found["flip_rate"]["n"] == 2


def test_without_a_second_reply_to_any_item_nothing_is_said(tmp_path: Path) -> None:
    once = study_of(tmp_path / "once", [replies(YES), replies(NO)])
    assert "consistency" not in document(once)
    # A second repeat over other items is no second reply to one.
    apart = study_of(tmp_path / "apart", [replies(YES), [verdict(NO, repeat=1)]])
    assert "consistency" not in document(apart)


def test_runs_are_told_apart_and_one_can_be_asked_for(tmp_path: Path) -> None:
    items = [[*replies(YES, NO), *replies(YES, YES, run="judge-b")] for _ in range(3)]
    study = study_of(tmp_path, items)
    assert [(each["run"], each["flip_rate"]["value"]) for each in document(study)["consistency"]] == [
        ("judge-a", 1.0),
        ("judge-b", 0.0),
    ]
    assert [each["run"] for each in document(study, "judge-b")["consistency"]] == ["judge-b"]


def test_sets_of_choices_flip_by_any_label_and_scores_by_any_difference(tmp_path: Path) -> None:
    kinds = Question("kinds", "Which?", "multilabel", ("deceit", "sabotage"), None)
    score = Question("score", "How bad?", "score", (), None, min=0, max=10)

    def said(repeat: int, choices: list[str], value: float) -> list[dict[str, Any]]:
        return [
            {"run": "judge-a", "question": "kinds", "repeat": repeat, "choices": choices},
            {"run": "judge-a", "question": "score", "repeat": repeat, "score": value},
        ]

    lines = [
        run_line("a", verdicts=[*said(0, ["deceit", "sabotage"], 3), *said(1, ["sabotage", "deceit"], 3.5)]),
        run_line("b", verdicts=[*said(0, [], 2), *said(1, ["deceit"], 2)]),
    ]
    study = make_study(tmp_path / "study", lines, [kinds, score])
    with Store.open(study.database) as store:
        asked = agreement_of(study, store, None, None)["questions"]
    assert [question["consistency"][0]["flip_rate"]["value"] for question in asked] == [0.5, 0.5]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=5), min_size=1, max_size=12))
def test_the_rates_are_those_of_counting_pair_by_pair(items: list[list[int]]) -> None:
    differing = [sum(one != other for one, other in combinations(each, 2)) for each in items]
    counted = tally([len(each) for each in items], differing)
    pairs = [different / (len(each) * (len(each) - 1) / 2) for each, different in zip(items, differing, strict=True)]
    flips, pairwise = flip_rate(counted), pairwise_flip_rate(counted)
    assert flips.value == sum(len(set(each)) > 1 for each in items) / len(items)
    assert pairwise.value == pytest.approx(sum(pairs) / len(items))
    for figure in (flips, pairwise):
        if figure.low is not None and figure.high is not None and figure.value is not None:
            assert 0 <= figure.low <= figure.value <= figure.high <= 1 and figure.low < figure.high
    assert pairwise.value <= flips.value + 1e-12


def test_with_two_replies_each_both_rates_are_one() -> None:
    found = consistency_document(tally([2] * 40, [1] * 7 + [0] * 33))
    assert found["flip_rate"] == found["pairwise_flip_rate"]
    assert found["flip_rate"]["value"] == 7 / 40 and found["marks"] == []


def test_items_that_share_a_group_widen_the_interval_and_one_group_has_none() -> None:
    differing = [1, 1, 1, 1, 0, 0, 0, 0] * 6
    alone = flip_rate(tally([2] * 48, differing))
    grouped = flip_rate(tally([2] * 48, differing, [n // 4 for n in range(48)]))
    assert grouped.value == alone.value and "cluster-robust" in grouped.method
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)
    one = flip_rate(tally([2] * 8, [1] + [0] * 7, [0] * 8))
    assert one.value == 1 / 8 and one.low is None and "one group" in one.reason


def test_no_flip_seen_is_not_shown_as_certainty() -> None:
    never = flip_rate(tally([2] * 40, [0] * 40))
    assert never.value == 0 and never.high > 0.05
    assert flip_rate(tally([], [])).value is None


def test_agree_and_the_report_say_it_and_say_what_it_rests_on(tmp_path: Path) -> None:
    items = [[*replies(YES, NONE if n % 10 == 0 else NO if n % 4 == 0 else YES)] for n in range(40)] + [replies(YES)]
    lines = [
        run_line(f"r{n:03}", verdicts=said, labels=[label("ana", YES if n % 2 else NO)], group=f"g{n}")
        for n, said in enumerate(items)
    ]
    study = make_study(tmp_path / "study", lines, [MISALIGNED])
    with Store.open(study.database) as store:
        text = agreement_text(agreement_of(study, store, None, None))
        written = markdown(report_from(documents_of(study, store, None)))
    flat = " ".join(text.split())
    assert "Consistency of a judge with itself" in text
    assert "judge-a, 40 items with 2 replies each" in flat
    assert "4 replies unreadable, on 4 items, counted as an answer of their own; 1 item with one reply left out" in flat
    assert "flip rate 0.30 [" in flat
    assert "## Does the judge agree with itself?" in written and "30.0" in written
