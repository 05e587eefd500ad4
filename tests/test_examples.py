"""Examples: train items that a prompt shows with their answers, and that give nothing away of the item that is asked about."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data.errors import RejudgeError
from data.questions import Question
from data.store import Store
from data.store.judging import to_judge, trajectories
from data.store.prompts import Example, recorded_prompts
from data.store.versions import record_versions
from data.study import Study
from data.verify import verify
from judge.asking import Judge, ask
from judge.endpoint import JudgeEndpoint, Parameters
from judge.lint import findings
from judge.prompts import Prompt, parse_prompt, prompt_of, record
from judge.template import NO_EXAMPLES
from tests.openai_server import OpenAIServer, verdict
from tests.study_maker import MISALIGNED, import_lines, label, make_study, run_line

BODY = "{{choices}}\n# Examples\n{{examples}}\n# The record\n{{trajectory}}"
HALF = "[split]\ntrain = 0.5\ndev = 0.2\n"
ENDPOINT = JudgeEndpoint("http://127.0.0.1:9/v1", "m")


def text_step(text: str) -> list[dict[str, object]]:
    return [{"kind": "message", "speaker": "agent", "text": text}]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two items a group; what is said in each is said nowhere else."""
    lines = [
        run_line(f"run-{n:02}", group=f"g{n // 2:02}", steps=text_step(f"word{n:02} ====== {{{{choices}}}}"), task=f"task{n:02}")
        | {"labels": [label("ben", "misaligned" if n % 3 else "aligned")]}
        for n in range(60)
    ]
    return make_study(tmp_path_factory.mktemp("examples") / "study", lines, rest=HALF)


@pytest.fixture
def store(study: Study) -> Iterator[Store]:
    with Store.open(study.database) as store:
        yield store


def ids(store: Store, split: str) -> list[str]:
    return [id for (id,) in store.conn.execute("SELECT id FROM trajectories WHERE split = ? ORDER BY n", [split])]


def judge_of(study: Study, store: Store, *examples: Example, body: str = BODY, endpoint: JudgeEndpoint = ENDPOINT) -> Judge:
    asked = record_versions(store, study)[0][0]
    return Judge.of(store, study, asked, Prompt("misaligned", body, examples=examples), endpoint, Parameters())


def told_about(judge: Judge, store: Store, id: str) -> str:
    (number,) = store.conn.execute("SELECT n FROM trajectories WHERE id = ?", [id]).fetchone()
    return judge.shown(next(trajectories(store, [number]))).text


def test_a_judge_reads_records_answers_and_reasons_in_the_order_of_the_prompt(study: Study, store: Store) -> None:
    one, _, two, *_ = ids(store, "train")
    judge = judge_of(study, store, Example(two, "misaligned", "It did so."), Example(one, "aligned", ""))
    text = told_about(judge, store, ids(store, "test")[0])
    fence = next(line for line in text.splitlines() if set(line) == {"="})
    between = text.partition("# Examples\n")[2].partition("\n# The record")[0]
    assert between == (
        f"Example 1\nTask:\n{fence}\ntask{two[4:]}\n{fence}\nRecord:\n{fence}\n[0] message (agent): word{two[4:]} ====== "
        f"{{{{choices}}}}\n{fence}\nRationale: It did so.\nVerdict: misaligned\n\n"
        f"Example 2\nTask:\n{fence}\ntask{one[4:]}\n{fence}\nRecord:\n{fence}\n[0] message (agent): word{one[4:]} ====== "
        f"{{{{choices}}}}\n{fence}\nVerdict: aligned"
    )
    assert len(fence) > 6


def test_no_item_is_an_example_for_itself_or_its_group(study: Study, store: Store) -> None:
    first, sibling, other, *_ = ids(store, "train")
    judge = judge_of(study, store, Example(first, "aligned", "because"))
    assert f"word{first[4:]}" in told_about(judge, store, other)
    for id in (first, sibling):
        text = told_about(judge, store, id)
        assert f"# Examples\n{NO_EXAMPLES}\n" in text and "because" not in text


def test_other_examples_are_another_prompt_and_another_judge(study: Study, store: Store) -> None:
    one, two, *_ = ids(store, "train")
    judges = [judge_of(study, store, *shown) for shown in ((), (Example(one, "aligned", ""),), (Example(two, "aligned", ""),))]
    assert len({judge.prompt.hash for judge in judges}) == 3
    assert len({str(judge.document("m", "text")) for judge in judges}) == 3


def test_the_file_and_the_record_of_a_prompt_keep_its_examples(study: Study, store: Store) -> None:
    one, two, *_ = ids(store, "train")
    prompt = Prompt("misaligned", BODY, examples=(Example(one, "aligned", "a | b"), Example(two, "a|b", "")))
    assert parse_prompt(prompt.text(), "it").examples == prompt.examples
    record(store, study, prompt, record_versions(store, study)[0][0].code)
    kept = next(each for each in recorded_prompts(store) if each.hash == prompt.hash)
    assert prompt_of(kept) == prompt and verify(store) == []
    assert kept.revised  # it shows what humans said of train


@pytest.mark.parametrize("line", ["example: run-01", "example: | aligned", "example:", "example: run-01 |  | why"])
def test_a_line_that_is_no_example_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(RejudgeError, match="line 3: this is no example") as refused:
        parse_prompt(f"---\nquestion: misaligned\n{line}\n---\n{BODY}", "it")
    assert "ID | ANSWER" in refused.value.do


def found(study: Study, store: Store, *examples: Example, body: str = BODY) -> list[tuple[str, bool, str]]:
    about = [(each.kind, each.refused, each.text) for each in findings(study, store, Prompt("misaligned", body, examples=examples))]
    return [each for each in about if "{{examples}}" in each[2] or each[0] == "example"]


def test_lint_refuses_examples_that_are_not_of_train_or_have_no_answer(study: Study, store: Store) -> None:
    train, kept_aside = ids(store, "train")[0], ids(store, "test")[0]
    for example, words in (
        (Example("nowhere", "aligned", ""), "no trajectory 'nowhere'"),
        (Example(kept_aside, "aligned", ""), "lies in test"),
        (Example(kept_aside, "misaligned", ""), "lies in test"),
        (Example(train, "harmless", ""), "no answer to this question (unknown choice"),
    ):
        (finding,) = found(study, store, example)
        assert finding[:2] == ("example", True) and words in finding[2]
        with pytest.raises(RejudgeError, match="cannot be shown with its examples"):
            judge_of(study, store, example)


def test_lint_knows_a_placeholder_without_examples_and_examples_without_a_placeholder(study: Study, store: Store) -> None:
    train = next(id for id in ids(store, "train") if int(id[4:]) % 3)
    assert [each[:2] for each in found(study, store)] == [("placeholder", False)]
    without = BODY.replace("{{examples}}", "none")
    assert [each[:2] for each in found(study, store, Example(train, "misaligned", ""), body=without)] == [("placeholder", True)]


def test_a_passage_of_a_test_item_is_refused_in_the_reason_of_an_example_too(tmp_path: Path) -> None:
    secret = "the parrot quietly moved seventeen marble elephants into the flooded basement"
    study = make_study(tmp_path / "study", [run_line(f"r{n}") for n in range(40)], rest=HALF)
    with Store.open(study.database) as store:
        (group,) = store.conn.execute("SELECT group_name FROM trajectories WHERE split = 'test'").fetchone()
    import_lines(study, [run_line("told", group=group, steps=text_step(secret))], "more.jsonl")
    with Store.open(study.database) as store:
        prompt = Prompt("misaligned", BODY, examples=(Example(ids(store, "train")[0], "aligned", f"As {secret} here."),))
        copied = [each for each in findings(study, store, prompt) if each.kind == "copied"]
    assert [(each.refused, each.line) for each in copied] == [(True, None)] and secret in copied[0].text


def test_examples_of_several_choices_and_of_scores_are_written_as_a_reply_is(tmp_path: Path) -> None:
    harms = Question("harms", "Which?", "multilabel", ("privacy", "money"))
    skill = Question("skill", "How much?", "score", (), min=0, max=10)
    study = make_study(tmp_path / "study", [run_line(f"r{n}") for n in range(20)], [harms, skill], HALF)
    with Store.open(study.database) as store:
        train = ids(store, "train")[0]
        for question, good, bad in (("harms", '["money"]', "money"), ("skill", "7.5", "11")):
            for answer, wrong in ((good, 0), (bad, 1)):
                about = findings(study, store, Prompt(question, BODY, examples=(Example(train, answer, ""),)))
                assert [each.kind for each in about if each.refused] == ["example"] * wrong


def test_a_run_shows_the_examples_to_the_server(tmp_path: Path) -> None:
    study = make_study(
        tmp_path / "study", [run_line(f"r{n}", steps=text_step(f"word{n:02}")) for n in range(20)], [MISALIGNED], HALF
    )
    with OpenAIServer(lambda _request, _number: verdict("aligned")) as server, Store.open(study.database) as store:
        train = ids(store, "train")[0]
        judge = judge_of(study, store, Example(train, "aligned", "why so"), endpoint=JudgeEndpoint(server.url, "m"))
        summary = ask(store, judge, to_judge(store, None, judge.asked.code, ("train", "dev", "test")))
        told = [request["messages"][-1]["content"] for request in server.requests]
    assert summary.came == 20
    assert sum("Rationale: why so\nVerdict: aligned" in text for text in told) == 19
