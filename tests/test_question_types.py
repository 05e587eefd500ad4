"""Questions of several choices and of scores, from a file to the database, to `labels` and to a gold set."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import ImportRefused, StudyError
from data.gold import Policy, decide, freeze
from data.gold_files import export
from data.questions import Question, When
from data.store import Store
from data.store.chosen import chosen_bits, chosen_names
from data.store.status import verdict_counts
from data.store.tallying import current_labels
from data.store.versions import check_still_declared
from data.study import Study, load_study
from data.verify import verify
from tests.conftest import Run
from tests.small_study import bring, dump, line, rows, write_lines
from tests.study_maker import KIND, MISALIGNED, make_study, run_line, write_toml

HARMS = Question("harms", "Which harms occur?", "multilabel", ("privacy", "money", "health"))
RISK = Question("risk", "How risky was it?", "score", (), min=0, max=10)
RATE = Question("rate", "Which share of the steps was needed?", "score", (), min=0.0, max=1.0)
ALL = (MISALIGNED, KIND, HARMS, RISK)


def verdict(question: str = "harms", run: str = "judge-a", **answer: Any) -> dict[str, Any]:
    return {"question": question, "run": run, **answer}


def label(annotator: str = "ana", question: str = "harms", **answer: Any) -> dict[str, Any]:
    return {"question": question, "annotator": annotator, **answer}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A study of four types, without a trajectory."""
    return make_study(tmp_path / "study", questions=ALL).folder


def stored(folder: Path) -> list[tuple[Any, ...]]:
    return rows(folder, "SELECT choice, chosen, score, error FROM verdicts ORDER BY id")


# Import


def test_each_answer_stands_in_the_column_of_its_type(made: Path, tmp_path: Path) -> None:
    verdicts = [
        verdict("misaligned", choice="misaligned"),
        verdict(choices=["health", "privacy"]),
        verdict(run="b", choices=[]),
        verdict("risk", score=7),
        verdict("risk", run="b", error="no number in the reply"),
    ]
    bring(made, write_lines(tmp_path / "f.jsonl", line(1, verdicts=verdicts)))
    assert stored(made) == [
        (1, None, None, None),
        (None, 0b101, None, None),
        (None, 0, None, None),
        (None, None, 7.0, None),
        (None, None, None, "no number in the reply"),
    ]
    with Store.open(made / "study.db") as store:
        assert verify(store) == []
        assert [row[1:] for row in verdict_counts(store) if row[0] == "judge-a"] == [
            ("harms", "health", 1),
            ("harms", "privacy", 1),
            ("misaligned", "misaligned", 1),
            ("risk", "(a score)", 1),
        ]


def test_csv_and_json_lines_bring_the_same_answers(tmp_path: Path) -> None:
    answers = [{"choices": ["money"]}, {"choices": []}, {"score": 2.5}, {"error": "x"}]
    questions = ["harms", "harms", "risk", "risk"]
    lines = [{"id": n // 2, "question": q, "run": f"r{n}", **a} for n, (q, a) in enumerate(zip(questions, answers, strict=True))]
    cells = ['0,harms,r0,"[""money""]",,', "0,harms,r1,[],,", "1,risk,r2,,2.5,", "1,risk,r3,,,x"]
    csv = tmp_path / "v.csv"
    csv.write_text("id,question,run,choices,score,error\n" + "\n".join(cells) + "\n")
    found = []
    for n, path in enumerate((write_lines(tmp_path / "v.jsonl", *lines), csv)):
        folder = make_study(tmp_path / f"s{n}", [run_line("0"), run_line("1")], ALL).folder
        assert bring(folder, path).counts.verdicts == 4
        found.append(stored(folder))
    assert found[0] == found[1] == [(None, 2, None, None), (None, 0, None, None), (None, None, 2.5, None), (None, None, None, "x")]


@pytest.mark.parametrize(
    ("answer", "wrong", "advice"),
    [
        (verdict(choices=["money", "fame"]), "'harms' has no choice 'fame'", '"privacy", "money", "health", "fame"'),
        (verdict("risk", score=11), "'risk' has no score 11.0", "max = 100"),
        (verdict("risk", score=-0.5), "'risk' has no score -0.5", "min = -1"),
        (verdict(choice="money"), "'harms' takes no `choice`", "`choices`"),
        (verdict("risk", choices=["7"]), "'risk' takes no `choices`", "`score`"),
        (verdict("misaligned", score=1), "'misaligned' takes no `score`", "`choice`"),
        (verdict("misaligned", choices=["aligned"]), "'misaligned' takes no `choices`", "`choice`"),
        (verdict("tone", score=0.5), "no question 'tone'", 'type = "score"\nmin = 0.0\nmax = 1.0'),
        (verdict("tone", choices=["b", "a"]), "no question 'tone'", 'type = "multilabel"\nchoices = ["a", "b"]'),
        (label(choices=["fame"]), "'harms' has no choice 'fame'", '"fame"'),
    ],
)
def test_an_answer_that_is_not_declared_is_refused_with_the_block_that_would_take_it(
    made: Path, tmp_path: Path, answer: dict[str, Any], wrong: str, advice: str
) -> None:
    before = dump(made)
    with pytest.raises(ImportRefused) as caught:
        bring(made, write_lines(tmp_path / "f.jsonl", line(1, **{"labels" if "annotator" in answer else "verdicts": [answer]})))
    assert wrong in caught.value.wrong and advice in caught.value.do
    assert dump(made) == before


def test_the_block_of_a_refusal_takes_the_file(made: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "f.jsonl", line(1, verdicts=[verdict("risk", score=11), verdict("risk", run="b", score=55)]))
    with pytest.raises(ImportRefused) as caught:
        bring(made, path)
    toml = (made / "study.toml").read_text()
    block = toml[toml.index('[[question]]\nid = "risk"') :]
    (made / "study.toml").write_text(toml.replace(block, caught.value.do.partition("\n\n")[2]))
    assert bring(made, path).counts.verdicts == 2


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ({"choices": ["privacy", "health"]}, {"choices": ["health", "privacy"]}, True),
        ({"choices": ["privacy"]}, {"choices": ["privacy", "health"]}, False),
        ({"choices": []}, {"choices": ["privacy"]}, False),
        ({"choices": []}, {"error": "x"}, False),
        ({"score": 7}, {"score": 7.0}, True),
        ({"score": 0}, {"score": -0.0}, True),
        ({"score": 7}, {"score": 7.000001}, False),
    ],
)
@pytest.mark.parametrize("in_one_file", [True, False])
def test_an_answer_that_came_before_may_come_again_and_never_change(
    made: Path, tmp_path: Path, old: dict[str, Any], new: dict[str, Any], same: bool, in_one_file: bool
) -> None:
    question = "risk" if "score" in old else "harms"
    lines = [line(1, verdicts=[verdict(question, **answer)]) for answer in (old, new)]
    files = [lines] if in_one_file else [[lines[0]], [lines[1]]]
    paths = [write_lines(tmp_path / f"f{n}.jsonl", *part) for n, part in enumerate(files)]
    for path in paths[:-1]:
        bring(made, path)
    if same:
        bring(made, paths[-1])
        assert len(stored(made)) == 1
    else:
        with pytest.raises(ImportRefused, match="already there and differs"):
            bring(made, paths[-1])


def test_the_database_itself_refuses_two_answers_and_none(made: Path, tmp_path: Path) -> None:
    bring(made, write_lines(tmp_path / "f.jsonl", line(1, labels=[label(choices=["money"])])))
    with Store.open(made / "study.db") as store:
        for values in (
            "0, 1, NULL, NULL",
            "NULL, 1, 2.0, NULL",
            "NULL, NULL, 2.0, 'x'",
            "NULL, NULL, NULL, NULL",
            "NULL, -1, NULL, NULL",
        ):
            with pytest.raises(Exception, match="CHECK constraint failed"):
                store.conn.execute(
                    f"""INSERT INTO verdicts (run, question, trajectory, repeat, choice, chosen, score, error, chain)
                        VALUES (1, 1, 1, 0, {values}, '')"""
                )


# What study.toml may change


def changed(study: Study, *questions: Question) -> None:
    with Store.open(study.database) as store:
        check_still_declared(store, write_toml(study.folder, questions))


@pytest.fixture
def answered(tmp_path: Path) -> Study:
    verdicts = [verdict(choices=["privacy"]), verdict("risk", score=7)]
    return make_study(tmp_path / "study", [run_line("1", verdicts=verdicts, labels=[label(choices=["money"])])], (HARMS, RISK))


def test_choices_that_nobody_used_may_go_and_used_ones_may_not(answered: Study) -> None:
    changed(answered, Question("harms", "?", "multilabel", ("privacy", "money")), RISK)
    for kept, lost in ((("privacy", "health"), "money"), (("money", "health"), "privacy")):
        with pytest.raises(StudyError, match=f"lost the choice '{lost}'"):
            changed(answered, Question("harms", "?", "multilabel", kept), RISK)


def test_a_range_may_grow_and_shrink_around_its_scores_and_not_past_them(answered: Study) -> None:
    changed(answered, HARMS, Question("risk", "?", "score", (), min=-5, max=7))
    with pytest.raises(StudyError, match="narrower than its scores"):
        changed(answered, HARMS, Question("risk", "?", "score", (), min=0, max=6))


def test_a_type_whose_answers_are_stored_in_another_way_is_refused_once_there_are_answers(answered: Study) -> None:
    with pytest.raises(StudyError, match="'harms' is nominal now"):
        changed(answered, Question("harms", "?", "nominal", HARMS.choices), RISK)
    with pytest.raises(StudyError, match="'risk' is multilabel now"):
        changed(answered, HARMS, Question("risk", "?", "multilabel", ("a", "b")))


def test_a_question_has_at_most_sixty_choices_over_its_whole_life(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line("1")], (Question("q", "?", "multilabel", tuple(f"a{k}" for k in range(40))),))
    write_toml(study.folder, (Question("q", "?", "multilabel", tuple(f"b{k}" for k in range(40))),))
    with pytest.raises(StudyError, match="more than 60 choices by now"):
        bring(study.folder, write_lines(tmp_path / "f.jsonl", line(2)))
    assert load_study(study.folder).questions[0].choices[0] == "b0"


def test_bits_and_names_are_each_others_inverse() -> None:
    codes = {f"c{k}": k for k in range(60)}
    for names in ((), ("c0",), ("c59",), tuple(codes), ("c3", "c41")):
        assert chosen_names(codes, chosen_bits(codes, names)) == names
        assert 0 <= chosen_bits(codes, names) < 2**63


# What comes out


def test_labels_give_each_answer_under_the_key_of_its_type(made: Path, tmp_path: Path, run: Run) -> None:
    labels = [
        label(choices=["health", "privacy"]),
        label("ben", choices=[]),
        label("eva", unsure=True),
        label(question="risk", score=7),
        label("ben", "risk", unsure=True),
        label("eva", "risk", score=0),
        label(question="kind", choice="other"),
    ]
    bring(made, write_lines(tmp_path / "f.jsonl", line(1, labels=labels)))
    with Store.open(made / "study.db") as store:
        found = {(row["question"], row["annotator"]): row for row in current_labels(store)}
    said = {key: {kind: row[kind] for kind in ("choice", "choices", "score") if kind in row} for key, row in found.items()}
    assert said == {
        ("harms", "ana"): {"choices": ["privacy", "health"]},
        ("harms", "ben"): {"choices": []},
        ("harms", "eva"): {"choices": None},
        ("kind", "ana"): {"choice": "other"},
        ("risk", "ana"): {"score": 7.0},
        ("risk", "ben"): {"score": None},
        ("risk", "eva"): {"score": 0.0},
    }
    lines = [told.split("\t") for told in run("labels", "--study", made).stdout.splitlines()]
    assert {(question, who): answer for _, question, who, answer, _ in lines} == {
        ("harms", "ana"): "privacy, health",
        ("harms", "ben"): "none of them",
        ("harms", "eva"): "unsure",
        ("kind", "ana"): "other",
        ("risk", "ana"): "7",
        ("risk", "ben"): "unsure",
        ("risk", "eva"): "0",
    }


@pytest.mark.parametrize(
    ("answers", "min_labels", "decision"),
    [
        ([("a", "b"), ("a", "b")], 2, (("a", "b"), "unanimous")),
        ([(), ()], 2, ((), "unanimous")),
        ([("a",)], 1, (("a",), "single")),
        ([("a",), ("a", "b"), ("b",)], 2, (("a", "b"), "majority")),
        ([("a",), ("b",), ("c",)], 2, ((), "majority")),
        ([("a",), ("a", "b")], 2, "tie"),
        ([("a",), ("a",), ("a", "b"), ("a", "b")], 2, "tie"),
        ([("a",), ("a", "b"), ("a",)], 4, "too few labels for a majority"),
        ([3.0, 3.0], 2, (3.0, "unanimous")),
        ([0.0], 1, (0.0, "single")),
        ([3.0], 2, "fewer than 2 labels"),
        ([3.0, 5.0], 2, "too few labels for a median"),
        ([9.0, 1.0, 5.0], 2, (5.0, "median")),
        ([9.0, 1.0, 5.0, 6.0], 2, (5.5, "median")),
        ([9.0, 1.0, 5.0], 4, "too few labels for a median"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_policy_for_several_choices_and_scores(answers: list[Any], min_labels: int, decision: object, turned: bool) -> None:
    assert decide(answers[::-1] if turned else answers, min_labels) == decision


def test_a_gold_set_of_every_type(tmp_path: Path) -> None:
    deep = (
        MISALIGNED,
        Question("harms", "?", "multilabel", ("money", "privacy"), when=When("misaligned", "misaligned")),
        Question("risk", "?", "score", (), when=When("harms", "money"), min=0, max=10),
    )

    def votes(misaligned: str, harms: list[str], risk: float) -> list[dict[str, Any]]:
        said = (("misaligned", {"choice": misaligned}), ("harms", {"choices": harms}), ("risk", {"score": risk}))
        return [label(who, question, **answer) for who in ("ana", "ben") for question, answer in said]

    lines = [
        run_line("all", labels=votes("misaligned", ["privacy", "money"], 7)),
        run_line("no money", labels=votes("misaligned", ["privacy"], 7)),
        run_line("not at all", labels=votes("aligned", ["money"], 7)),
    ]
    study = make_study(tmp_path / "study", lines, deep)
    with Store.open(study.database) as store:
        manifest = freeze(store, study, "gold", Policy(), {"study": "made", "questions": []})
        export(store, "gold", "jsonl", tmp_path / "gold.jsonl")
        assert verify(store) == []
    gold = [json.loads(text) for text in (tmp_path / "gold.jsonl").read_text(encoding="utf-8").splitlines()]
    said = [(row["id"], row["question"], *(row[key] for key in ("choice", "choices", "score") if key in row)) for row in gold]
    assert said == [
        ("all", "harms", ["money", "privacy"]),
        ("all", "misaligned", "misaligned"),
        ("all", "risk", 7.0),
        ("no money", "harms", ["privacy"]),
        ("no money", "misaligned", "misaligned"),
        ("not at all", "misaligned", "aligned"),
    ]
    assert list(gold[0])[:5] == ["id", "content_hash", "question", "choices", "basis"]
    assert [set(vote) for vote in gold[2]["votes"]] == [{"annotator", "score", "codebook", "blind"}] * 2
    assert manifest["counts"]["harms"]["choices"] == {"money": 1, "privacy": 2}
    assert manifest["counts"]["risk"] == {"basis": {"unanimous": 1}, "scores": {"7": 1}}
    assert {(left["id"], left["question"]): left["reason"] for left in manifest["left_out"]} == {
        ("no money", "risk"): "harms is not money",
        ("not at all", "harms"): "misaligned is not misaligned",
        ("not at all", "risk"): "harms is not money",
    }
