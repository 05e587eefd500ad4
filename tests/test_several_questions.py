"""Items that are asked several questions: what the server takes, refuses, undoes and gives back."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from data.answering import Answer, asked, problem
from data.questions import Question, When
from data.store import Store
from data.store.desk import Act
from data.store.tallying import current_labels
from data.verify import verify
from tests.served_study import ORIGIN, line, serve
from tests.served_study import make_study as make_served
from tests.study_maker import Sitting, draw_batch, make_study, numbered

MISALIGNED = Question("misaligned", "?", "binary", ("aligned", "misaligned"), "misaligned", "first")
HARMS = Question("harms", "?", "multilabel", ("privacy", "money"), when=When("misaligned", "misaligned"))
SEVERITY = Question("severity", "?", "ordinal", ("minor", "grave"), evidence="any", when=When("harms", "privacy"))
SKILL = Question("skill", "?", "score", (), min=0, max=10, evidence="optional")
ALL = (MISALIGNED, HARMS, SEVERITY, SKILL)

BAD = Answer("misaligned", evidence=(1,))
WHOLE = {
    "misaligned": BAD,
    "harms": Answer(choices=("money", "privacy")),
    "severity": Answer("grave", evidence=(0, 2)),
    "skill": Answer(score=7.5),
}
FINE = {"misaligned": Answer("aligned"), "skill": Answer(unsure=True, rationale="cannot tell")}


# The rules


def ids(answers: dict[str, Answer]) -> list[str]:
    return [question.id for question in asked(ALL, answers)]


def test_a_question_is_asked_while_its_condition_and_all_before_it_hold() -> None:
    assert ids({}) == ["misaligned", "skill"]
    assert ids({"misaligned": Answer("misaligned")}) == ["misaligned", "harms", "skill"]
    assert ids({"misaligned": Answer(unsure=True)}) == ["misaligned", "skill"]
    assert ids({"misaligned": BAD, "harms": Answer(choices=("money",))}) == ["misaligned", "harms", "skill"]
    assert ids({"misaligned": BAD, "harms": Answer(choices=("privacy", "money"))}) == ["misaligned", "harms", "severity", "skill"]
    assert ids({"misaligned": Answer("aligned"), "harms": Answer(choices=("privacy",))}) == ["misaligned", "skill"]


WRONG: dict[str, tuple[dict[str, Answer], str]] = {
    "nothing": ({}, "“misaligned”: It is not answered"),
    "a required one missing": ({"misaligned": Answer("aligned")}, "“skill”: It is not answered"),
    "a conditional one missing": ({"misaligned": BAD, "skill": Answer(score=1)}, "“harms”: It is not answered"),
    "one whose condition does not hold": (FINE | {"harms": Answer(choices=())}, "“harms”: This question is not asked"),
    "one at the end of a broken chain": (
        FINE | {"severity": Answer("grave", evidence=(0,))},
        "“severity”: This question is not asked",
    ),
    "a question of nobody": (FINE | {"tone": Answer("x")}, "That question is not asked"),
    "a choice and unsure": (FINE | {"misaligned": Answer("aligned", unsure=True)}, "two answers"),
    "a choice and a score": (FINE | {"skill": Answer("aligned", score=1)}, "two answers"),
    "a choice to several": (WHOLE | {"harms": Answer("money")}, "“harms”: That is not one of the choices"),
    "several to a choice": (WHOLE | {"misaligned": Answer(choices=("misaligned",), evidence=(1,))}, "not one of the choices"),
    "an undeclared one among several": (WHOLE | {"harms": Answer(choices=("money", "fame"))}, "not one of the choices"),
    "one of several twice": (WHOLE | {"harms": Answer(choices=("privacy", "privacy"))}, "not one of the choices"),
    "a choice to a score": (FINE | {"skill": Answer("7")}, "“skill”: That is not one of the choices"),
    "a score to a choice": (FINE | {"misaligned": Answer(score=1)}, "“misaligned”: That is not a score"),
    "a score above the range": (FINE | {"skill": Answer(score=10.001)}, "not a score"),
    "a score below the range": (FINE | {"skill": Answer(score=-0.001)}, "not a score"),
    "a score that is no number": (FINE | {"skill": Answer(score=float("nan"))}, "not a score"),
    "no first failing step": (WHOLE | {"misaligned": Answer("misaligned")}, "“misaligned”: Mark exactly one step"),
    "no evidence where some is due": (WHOLE | {"severity": Answer("grave")}, "“severity”: Mark at least one step"),
    "evidence where none is taken": (WHOLE | {"harms": Answer(choices=("privacy",), evidence=(1,))}, "takes no evidence"),
}


@pytest.mark.parametrize(("answers", "why"), WRONG.values(), ids=WRONG)
def test_what_is_no_answer_to_the_item_is_refused_by_its_question(answers: dict[str, Answer], why: str) -> None:
    assert why in problem(ALL, answers)


@pytest.mark.parametrize("answers", [WHOLE, FINE, WHOLE | {"severity": Answer(unsure=True)}, FINE | {"skill": Answer(score=0)}])
def test_what_answers_every_question_that_is_asked_is_taken(answers: dict[str, Answer]) -> None:
    assert problem(ALL, answers) == ""


# The store


@pytest.fixture
def sit(tmp_path: Path) -> Iterator[Callable[[str], Sitting]]:
    study = make_study(tmp_path / "study", numbered(6), ALL)
    draw_batch(study, 6)
    opened: list[Sitting] = []

    def sit(handle: str) -> Sitting:
        opened.append(Sitting(study, handle))
        return opened[-1]

    yield sit
    with Store.open(study.database) as store:
        assert verify(store) == []
    for sitting in opened:
        sitting.close()


def submit(ana: Sitting, ref: str, answers: dict[str, Answer], **fields: Any) -> Act:
    return ana.answer("submit", ref, answers=answers, **fields)


def said(ana: Sitting) -> dict[str, tuple[object, ...]]:
    kinds = ("choice", "choices", "score")
    return {
        str(row["question"]): (row["action"], *(row[kind] for kind in kinds if row.get(kind) is not None), row["evidence"])
        for row in current_labels(ana.store)
    }


def test_one_act_is_one_event_for_each_question_and_all_or_none(sit: Callable[[str], Sitting]) -> None:
    ana = sit("ana")
    ref = ana.claim()[0]
    (refusal,) = ana.send(submit(ana, ref, WHOLE | {"skill": Answer(score=11)}))
    assert "“skill”" in refusal.why and said(ana) == {}
    assert not ana.send(submit(ana, ref, WHOLE, active_seconds=9.0))
    assert said(ana) == {
        "misaligned": ("label", "misaligned", [1]),
        "harms": ("label", ["privacy", "money"], []),
        "severity": ("label", "grave", [0, 2]),
        "skill": ("label", 7.5, []),
    }
    seconds = ana.store.conn.execute("SELECT active_seconds FROM label_events ORDER BY seq").fetchall()
    assert seconds == [(9.0,), (None,), (None,), (None,)], "the time of the item, once"


def test_an_act_that_comes_again_is_the_same_and_one_that_differs_in_any_answer_is_not(sit: Callable[[str], Sitting]) -> None:
    ana = sit("ana")
    ref = ana.claim()[0]
    act = submit(ana, ref, WHOLE)
    again = Act(act.seq, act.kind, ref, act.item_hash, WHOLE | {"harms": Answer(choices=("privacy", "money"))})
    assert not ana.send(act) and not ana.send(act) and not ana.send(again), "the order of several choices says nothing"
    for changed in (WHOLE | {"skill": Answer(score=7)}, WHOLE | {"harms": Answer(choices=("privacy",))}, FINE):
        assert ana.send(Act(act.seq, act.kind, ref, act.item_hash, changed))
    assert ana.one("SELECT count(*) FROM label_events") == 4


def test_undo_takes_all_answers_back_and_gives_them_as_the_draft(sit: Callable[[str], Sitting]) -> None:
    ana = sit("ana")
    ref = ana.claim()[0]
    ana.send(submit(ana, ref, WHOLE, active_seconds=2.0))
    assert not ana.do("undo", ref) and said(ana) == {}
    draft = json.loads(ana.one("SELECT document FROM drafts"))
    blank = {"choice": None, "choices": None, "score": None, "unsure": False, "evidence": [], "rationale": "", "confidence": None}
    assert draft == {
        "answers": {
            "misaligned": blank | {"choice": "misaligned", "evidence": [1]},
            "harms": blank | {"choices": ["privacy", "money"]},
            "severity": blank | {"choice": "grave", "evidence": [0, 2]},
            "skill": blank | {"score": 7.5},
        },
        "skip": None,
        "active_ms": 2000,
    }
    assert not ana.send(submit(ana, ref, FINE))
    assert said(ana) == {"misaligned": ("label", "aligned", []), "skill": ("unsure", [])}, "nothing stays of what is not asked now"


def test_a_skip_leaves_every_question_unanswered_and_gives_the_item_away(sit: Callable[[str], Sitting]) -> None:
    ana, ben = sit("ana"), sit("ben")
    ref = ana.claim()[0]
    assert not ana.send(ana.answer("skip", ref, reason="another language"))
    assert {question: row[0] for question, row in said(ana).items()} == dict.fromkeys((q.id for q in ALL), "skip")
    id = ana.id_of(ref)
    assert id in ben.label_all_of(FINE)


def test_the_desk_reads_its_own_answers_back_and_nobody_elses(sit: Callable[[str], Sitting]) -> None:
    ana, ben = sit("ana"), sit("ben")
    for who, answers in ((ana, WHOLE), (ben, FINE)):
        who.send(submit(who, who.claim()[0], answers))
    query = "SELECT turn, question, action, choice, choices, score FROM my_labels ORDER BY question"
    with Store.open_blind(ana.study.database, ana.desk.annotator) as blind:
        assert blind.rows(query, []) == [
            (1, "harms", "label", None, '["privacy","money"]', None),
            (1, "misaligned", "label", "misaligned", None, None),
            (1, "severity", "label", "grave", None, None),
            (1, "skill", "label", None, None, 7.5),
        ]


# The wire

TOML = """
name = "Tide gauges"
[[question]]
id = "misaligned"
ask = "Did it overstep?"
type = "binary"
choices = ["aligned", "misaligned"]
positive = "misaligned"
[[question]]
id = "harms"
ask = "Which harms?"
type = "multilabel"
choices = ["privacy", "money"]
when = { question = "misaligned", is = "misaligned" }
[[question]]
id = "skill"
ask = "How skilful?"
type = "score"
min = 0
max = 10
"""
GOOD = {"misaligned": {"choice": "misaligned"}, "harms": {"choices": ["money"]}, "skill": {"score": 3}}
FORGED: dict[str, str] = {
    "an unknown choice": '{"misaligned": {"choice": "misaligned"}, "harms": {"choices": ["fame"]}, "skill": {"score": 3}}',
    "out of range": '{"misaligned": {"choice": "aligned"}, "skill": {"score": 10.5}}',
    "NaN": '{"misaligned": {"choice": "aligned"}, "skill": {"score": NaN}}',
    "infinity": '{"misaligned": {"choice": "aligned"}, "skill": {"score": Infinity}}',
    "a score in quotes": '{"misaligned": {"choice": "aligned"}, "skill": {"score": "3"}}',
    "two answers": '{"misaligned": {"choice": "aligned"}, "skill": {"score": 3, "unsure": true}}',
    "a condition that does not hold": '{"misaligned": {"choice": "aligned"}, "harms": {"choices": []}, "skill": {"score": 3}}',
    "a missing answer": '{"misaligned": {"choice": "misaligned"}, "skill": {"score": 3}}',
    "an answer to no question": '{"misaligned": {"choice": "aligned"}, "skill": {"score": 3}, "__proto__": {"choice": "x"}}',
    "a question twice": '{"misaligned": {"choice": "aligned"}, "misaligned": {"choice": "misaligned"}, "skill": {"score": 3}}',
}


def test_forged_answers_are_refused_one_by_one_and_nothing_is_written(tmp_path: Path) -> None:
    served = serve(make_served(tmp_path / "study", toml=TOML, lines=[line(number, verdicts=[]) for number in range(3)]))
    with served.browser("ana") as client:
        state = client.post("/desk/events", headers=ORIGIN, json={"outbox": "a", "events": []}).json()["state"]
        ref = state["queue"][0]["ref"]
        event = {"seq": 1, "kind": "submit", "ref": ref, "item_hash": client.get(f"/desk/items/{ref}").json()["item_hash"]}
        for what, forged in FORGED.items():
            body = json.dumps({"outbox": "a", "events": [event | {"answers": "HERE"}]}).replace('"HERE"', forged)
            answer = client.post("/desk/events", headers=ORIGIN, content=body)
            assert (answer.status_code, [each["seq"] for each in answer.json()["refused"]]) == (409, [1]), what
            with Store.open(served.study.database) as store:
                assert current_labels(store) == [], what
        draft = {"answers": GOOD, "skip": None, "active_ms": 1}
        sent = {"ref": ref, "item_hash": event["item_hash"], "draft": draft}
        assert client.post("/desk/drafts", headers=ORIGIN, json=sent).status_code == 204
        kept = client.get(f"/desk/items/{ref}").json()["draft"]["answers"]
        assert (kept["harms"]["choices"], kept["skill"]["score"]) == (["money"], 3.0)
        assert (
            client.post("/desk/events", headers=ORIGIN, json={"outbox": "a", "events": [event | {"answers": GOOD}]}).json()["ack"]
            == 1
        )
    with Store.open(served.study.database) as store:
        assert len(current_labels(store)) == 3 and verify(store) == []
