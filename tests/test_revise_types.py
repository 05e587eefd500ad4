"""The whole of a revision where an answer is several choices, or a score: from causes to a winner on dev."""

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.questions import Question
from data.store import Store
from data.store.judging import judge_runs
from data.verify import verify
from judge.directions import Direction, agreement_text, direction_text, directions, kind, speaks_for
from judge.prompts import prompts_in
from tests.conftest import Run
from tests.openai_server import OpenAIServer, Scripted, reply
from tests.planted_flaw import CLAUSE, KINDS, SEEN, WHY, blame_the_judge, contents, kinds, reviser_script
from tests.study_maker import import_lines, make_study, run_line
from tests.two_prompts import with_salt

HARMS = Question("harms", "Which harms occur?", "multilabel", ("privacy", "money", "health"))
RISK = Question("risk", "How risky was it?", "score", (), min=0, max=10)
CUT = replace(RISK, threshold=6)
SETS = {"nothing": [], "deletes": ["money"], "hides": ["money", "privacy"]}
SCORES = {"nothing": 1, "deletes": 7, "hides": 8}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def lines(question: Question) -> list[dict[str, Any]]:
    """What people say of the runs of the planted flaw; of scores a little up and down, and on the same side of the threshold."""
    made = []
    for place, (id, what) in enumerate(kinds().items()):
        answer = {"choices": SETS[what]} if question.type == "multilabel" else {"score": SCORES[what] + place % 3}
        line = run_line(id, labels=[{"annotator": "ana", "question": question.id, "rationale": WHY[what][place % 2], **answer}])
        line["steps"][2]["text"] = SEEN[what]
        made.append(line)
    return made


def judge_of(question: Question) -> Callable[[dict[str, Any], int], Scripted]:
    """It overlooks what is hidden until its prompt has the people's words, and says too much of one item in eight."""

    def script(request: dict[str, Any], _: int) -> Scripted:
        text = request["messages"][-1]["content"]
        if request["messages"][0]["role"] == "system":
            return reviser_script(request)
        found = re.search(r"Please do (r\d+)\.", text)
        assert found, text
        what = next(what for what in KINDS if SEEN[what] in text)
        overlooked, too_much = what == "hides" and CLAUSE not in text, random.Random(f"much {found[1]}").random() < 0.125
        if question.type == "multilabel":
            said = ["money"] if overlooked else SETS[what]
            return reply(rationale="r", verdict=[*said, "health"] if too_much else said, confidence=0.5)
        score = 2 if overlooked else SCORES[what]
        return reply(rationale="r", verdict=9 if too_much and what == "nothing" else score, confidence=0.5)

    return script


@pytest.mark.parametrize(
    ("question", "heads", "figure"),
    [
        (HARMS, ("the judge misses privacy: ", "the judge over-calls health: "), "mean kappa over labels"),
        (
            CUT,
            ("the judge is too low, on the other side of 6: ", "the judge is too high, on the other side of 6: "),
            "kappa at the ",
        ),
        (RISK, ("the judge is too low: ", "the judge is too high: "), "Spearman’s rho"),
    ],
    ids=["several choices", "score with a threshold", "score"],
)
def test_the_flaw_is_found_from_errors_both_ways_and_the_revision_wins_on_dev(
    tmp_path: Path, run: Run, question: Question, heads: tuple[str, str], figure: str
) -> None:
    rest = '[judge]\nmodel = "m"\n[split]\ntrain = 0.5\ndev = 0.3\n'
    study = import_lines(with_salt(make_study(tmp_path / "study", [], [question], rest)), lines(question))
    with OpenAIServer(judge_of(question)) as server:
        asked = run("judge", "run", "--study", study.folder, "--base-url", server.url, "--split", "train")
        assert asked.returncode == 0, asked
        with Store.open(study.database) as store:
            (first,) = judge_runs(store)
            split = dict(store.conn.execute("SELECT id, split FROM trajectories"))
        assert blame_the_judge(study, first.name, question=question.id) > 12
        done = run("judge", "revise", "--study", study.folder)
        assert done.returncode == 0, done
        revising = contents(server.requests)
        text = next(each["messages"][1]["content"] for each in server.requests if each["messages"][0]["role"] == "system")
        parent, *children = prompts_in(study, question)
        refused = run("judge", "certify", children[-1].path or "", "--against", parent.path or "", "--study", study.folder)
    sent = {id for id in split if any(f"Please do {id}." in each for each in revising)}
    assert len(sent) == 16 and {split[id] for id in sent} == {"train"}
    told = re.findall(r"^## Item \d+: (.*)$", text, flags=re.M)
    ways = Counter(next((way for way in heads if head.startswith(way)), "other") for head in told[:12])
    assert min(ways[way] for way in heads) >= 4, told
    assert all(head.startswith(("both say", "humans say")) for head in told[12:]) and len(told) == 16
    assert figure in done.stdout and "candidate 2 wins, ahead by" in done.stdout
    assert "If all were equal, the best of 3 prompts would still be ahead by" in done.stdout
    assert "compared on dev, not certified" in done.stdout and "judge certify" not in done.stdout
    assert CLAUSE in children[-1].body and children[-1].parent == parent.hash
    assert f"Answers that are {question.type} can be compared, not certified." in refused.refused()[0]
    with Store.open(study.database) as store:
        assert verify(store) == []


def test_an_item_may_show_more_than_one_way_to_err() -> None:
    human, judge = ("privacy", "money"), ("money", "health")
    assert directions(HARMS, human, judge) == (Direction(("misses",), "privacy"), Direction(("over-calls",), "health"))
    assert direction_text(HARMS, human, judge) == (
        "the judge misses privacy; over-calls health: humans say privacy, money, the judge said money, health"
    )
    assert directions(HARMS, ("money", "privacy"), ("privacy", "money")) == ()
    assert agreement_text(HARMS, (), ()) == "both say none of them"


def test_scores_on_one_side_of_a_threshold_are_no_error_and_without_one_every_difference_is() -> None:
    assert directions(CUT, 7.0, 10.0) == () and directions(CUT, 0.0, 5.5) == ()
    assert directions(CUT, 6.0, 5.5) == (Direction(("too low",)),)
    assert agreement_text(CUT, 7.0, 10.0) == "humans say 7, the judge said 10, which counts as the same"
    assert directions(RISK, 7.0, 7.5) == (Direction(("too high",)),)
    assert (kind(CUT, 5.5), kind(CUT, 6.0), kind(RISK, 4.0), kind(RISK, 5.0)) == ("below", "above", "below", "above")


def test_a_human_speaks_for_a_consensus_that_nobody_gave_word_for_word() -> None:
    assert speaks_for(HARMS, ("privacy", "health"), ("privacy", "money"), ())
    assert not speaks_for(HARMS, ("health",), ("privacy", "money"), ())
    assert speaks_for(HARMS, ("money", "privacy"), ("privacy", "money"), ("privacy", "money"))
    assert speaks_for(RISK, 8.0, 6.0, 2.0) and not speaks_for(RISK, 1.0, 6.0, 2.0)
    assert not speaks_for(RISK, None, 6.0, 2.0)
