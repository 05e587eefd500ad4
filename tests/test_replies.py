"""What counts as an answer in a judge's reply, and that nothing else does."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.questions import Question
from judge.completions import answer_in, completion_of, reply_of
from judge.replies import MODES, Answer, instructions, parsed, schema_of
from tests.study_maker import KIND, MISALIGNED, SEVERITY

TAGS = Question("tags", "What happened?", "multilabel", ("lies", "theft", "none of it, really"), evidence="any")
STARS = Question("stars", "How good?", "score", (), min=1, max=5)
SHARE = Question("share", "How much of it?", "score", (), min=0.0, max=1.0)
HUNDRED = Question("points", "How many?", "score", (), min=0, max=100)
EVERY = (MISALIGNED, SEVERITY, KIND, TAGS, STARS, SHARE)
GOOD: dict[str, Any] = {"misaligned": "aligned", "severity": "much", "kind": "other", "tags": ["theft"], "stars": 4, "share": 0.25}
STEPS = 5


def said(verdict: Any, **fields: Any) -> str:
    return json.dumps({"rationale": "so it is", "verdict": verdict, **fields})


def error_of(raw: str, question: Question = MISALIGNED, mode: str = "json_schema") -> str:
    answer = parsed(raw, question, STEPS, mode)
    assert (answer.choice, answer.choices, answer.score) == (None, None, None)
    assert answer.error is not None
    return answer.error


@pytest.mark.parametrize("question", EVERY, ids=lambda question: question.id)
def test_every_type_of_question_is_answered_in_every_mode(question: Question) -> None:
    value = GOOD[question.id]
    schema = schema_of(question)
    assert list(schema["properties"])[:2] == ["rationale", "verdict"] and schema["required"] == list(schema["properties"])
    assert ("cites" in schema["properties"]) == (question.evidence != "none")
    jsonschema.validate(
        {"rationale": "r", "verdict": value, "confidence": 0.5} | ({"cites": [1]} if question.evidence != "none" else {}), schema
    )
    text = (
        f"RATIONALE: so it is\nVERDICT: {value if not isinstance(value, list) else json.dumps(value)}\nCITES: 1, 3\nCONFIDENCE: 0.5"
    )
    for mode in MODES:
        raw = text if mode == "text" else said(value, cites=[1, 3], confidence=0.5)
        answer = parsed(raw, question, STEPS, mode)
        given = answer.choice or answer.choices or answer.score
        assert given == (tuple(value) if isinstance(value, list) else value), mode
        assert (answer.error, answer.rationale, answer.cites, answer.confidence) == (None, "so it is", (1, 3), 0.5)


def test_each_mode_says_what_form_it_wants_and_a_server_that_enforces_it_needs_no_words() -> None:
    assert instructions(TAGS, "json_schema") == ""
    assert json.dumps(schema_of(TAGS)) in instructions(TAGS, "json_object")
    for question in EVERY:
        lines = instructions(question, "text").splitlines()
        names = [line.partition(":")[0] for line in lines[1:]]
        assert names == ["RATIONALE", "VERDICT", *(["CITES"] if question.evidence != "none" else []), "CONFIDENCE"]


@pytest.mark.parametrize("name", ["aligned", " Aligned", "ALIGNED\n", "a ligned", "\talig ned "])
def test_a_choice_is_matched_whatever_its_capitals_and_spaces(name: str) -> None:
    assert parsed(said(name), MISALIGNED, STEPS).choice == "aligned"
    assert parsed(f"VERDICT: {' '.join(name.split())}", MISALIGNED, STEPS, "text").choice == "aligned"


def test_two_choices_that_differ_in_spaces_alone_are_told_apart_or_not_guessed() -> None:
    close = Question("close", "?", "nominal", ("on going", "ongoing", "over"))
    assert parsed(said("ongoing"), close, STEPS).choice == "ongoing"
    assert error_of(said("On Going"), close).startswith("ambiguous choice")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("", "empty reply"),
        (" \n ", "empty reply"),
        ("The agent was aligned.", "not JSON"),
        ('{"rationale": "r", "verdict": "aligned"', "not JSON"),
        ('{"verdict": NaN}', "not JSON"),
        ("[" * 5000, "not JSON"),
        (said("aligned") + said("misaligned"), "not JSON"),
        (f"Here it is: {said('aligned')}", "not JSON"),
        (f"{said('aligned')} I hope this helps.", "not JSON"),
        ('["aligned"]', "wrong form"),
        ('"aligned"', "wrong form"),
        ('{"answer": {"verdict": "aligned"}}', "wrong form"),
        ('{"rationale": "{\\"verdict\\": \\"aligned\\"}"}', "wrong form"),
        ('{"verdict": "aligned", "verdict": "misaligned"}', "contradiction"),
        (said("maybe"), "unknown choice"),
        (said("aligned, I think"), "unknown choice"),
        (said("not aligned"), "unknown choice"),
        (said("aligned/misaligned"), "unknown choice"),
        (said(True), "unknown choice"),
        (said(None), "unknown choice"),
        (said(["aligned"]), "unknown choice"),
        (said(10**400), "unknown choice"),
    ],
)
def test_what_gives_no_answer_is_an_error_and_never_a_choice(raw: str, kind: str) -> None:
    assert error_of(raw).partition(":")[0] == kind


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("aligned", "wrong form"),
        ("It is clear: aligned", "wrong form"),
        ("RATIONALE: he wrote\nVERDICT: aligned\nVERDICT: misaligned", "contradiction"),
        ("VERDICT: aligned or misaligned", "unknown choice"),
        ("VERDICT:", "unknown choice"),
        ("<think>VERDICT: aligned", "empty reply"),
        (said("aligned"), "wrong form"),
    ],
)
def test_a_reply_in_lines_gives_one_verdict_or_none(raw: str, kind: str) -> None:
    assert error_of(raw, mode="text").partition(":")[0] == kind


@pytest.mark.parametrize(
    "raw",
    [
        "RATIONALE: it obeyed\nVERDICT: aligned",
        "**Rationale:** it obeyed\n\n**Verdict:** **aligned**",
        "## Rationale: it obeyed\n- verdict: `Aligned`.",
        "it obeyed\nVERDICT: 'aligned'\nVERDICT: aligned",
        "<think>VERDICT: misaligned? no</think>\nRATIONALE: it obeyed\nVERDICT:\naligned\n",
    ],
)
def test_a_reply_in_lines_may_be_dressed_up(raw: str) -> None:
    answer = parsed(raw, MISALIGNED, STEPS, "text")
    assert (answer.choice, answer.rationale, answer.notes) == ("aligned", "it obeyed", ())


def test_a_fence_and_thoughts_around_the_whole_object_are_let_pass() -> None:
    for raw in (f"```json\n{said('aligned')}\n```", f"<think>or misaligned?</think>\n{said('aligned')}"):
        assert parsed(raw, MISALIGNED, STEPS, "json_object").choice == "aligned"


def test_citations_of_steps_that_do_not_exist_are_dropped_and_counted() -> None:
    answer = parsed(said("aligned", cites=[0, 4, 5, -1, 2.5, "3", "x", None, True, 4, 1e300]), MISALIGNED, STEPS)
    assert (answer.choice, answer.cites) == ("aligned", (0, 4, 3))
    assert answer.notes == ("citations of steps that do not exist, dropped: 7",)
    assert parsed(said("aligned", cites=[]), MISALIGNED, STEPS).cites == ()
    assert parsed(said("aligned"), MISALIGNED, STEPS).cites is None


def test_a_confidence_is_never_rescaled() -> None:
    for value in (85, -0.1, "high", True, [0.5]):
        answer = parsed(said("aligned", confidence=value), MISALIGNED, STEPS)
        assert (answer.choice, answer.confidence) == ("aligned", None)
        assert answer.notes == ("a confidence that is not between 0 and 1, dropped",)


def test_a_verdict_before_its_rationale_or_without_one_is_taken_and_noted() -> None:
    assert parsed('{"verdict": "aligned", "rationale": "r"}', MISALIGNED, STEPS).notes == (
        "the verdict stood before the rationale",
    )
    assert parsed("VERDICT: aligned\nRATIONALE: r", MISALIGNED, STEPS, "text").notes == ("the verdict stood before the rationale",)
    for value in ("", None, 5):
        assert parsed(said("aligned").replace('"so it is"', json.dumps(value)), MISALIGNED, STEPS).notes == ("no rationale",)


def test_a_score_lies_in_its_range() -> None:
    assert parsed(said("4"), STARS, STEPS).score == 4
    for value, kind in (
        (6, "outside the range"),
        (0.99, "outside the range"),
        ("4/5", "no number"),
        (True, "no number"),
        ([4], "no number"),
    ):
        assert error_of(said(value), STARS).startswith(kind)


@pytest.mark.parametrize("text", ["1_0", "１", "٣", "0x1", "inf", "-Infinity", "nan", "1e999", "1e", ".", "", "1 0", "1,5"])
def test_a_text_that_is_no_plain_number_is_no_score_no_citation_and_no_confidence(text: str) -> None:
    assert error_of(said(text), HUNDRED).startswith("no number")
    assert error_of(f"VERDICT: {text}", HUNDRED, "text")
    answer = parsed(said("aligned", cites=[text], confidence=text), MISALIGNED, STEPS)
    assert (answer.cites, answer.confidence) == ((), None)


@pytest.mark.parametrize(("text", "score"), [("7", 7), (" +7.0 ", 7), ("1e1", 10), (".5e1", 5), ("7.", 7)])
def test_a_number_in_quotes_is_a_number(text: str, score: float) -> None:
    assert parsed(said(text), HUNDRED, STEPS).score == score


def test_several_choices_stand_in_their_order_once_each_and_none_is_an_answer_too() -> None:
    assert parsed(said(["Theft", "lies", "theft"]), TAGS, STEPS).choices == ("lies", "theft")
    assert parsed(said([]), TAGS, STEPS).choices == ()
    assert parsed("VERDICT: []", TAGS, STEPS, "text").choices == ()
    for value in ("lies", ["lies", "murder"], [["lies"]]):
        assert error_of(said(value), TAGS)
    assert error_of("VERDICT: lies, theft", TAGS, "text").startswith("wrong form")


def test_what_no_database_keeps_is_a_visible_mark() -> None:
    answer = parsed('{"rationale": "a\\u0000b\\ud800c", "verdict": "aligned"}', MISALIGNED, STEPS)
    assert answer.rationale == "a\u2400b\ufffdc"


def document(**message: Any) -> dict[str, Any]:
    return {
        "model": "m-1",
        "choices": [{"finish_reason": message.pop("finish", "stop"), "message": message}],
        "usage": {"prompt_tokens": 9},
    }


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"content": None, "refusal": "I cannot"}, "refused by the model"),
        ({"content": said("aligned"), "refusal": "I cannot"}, "refused by the model"),
        ({"content": "", "finish": "content_filter"}, "refused by the server's filter"),
        ({"content": said("aligned"), "finish": "length"}, "cut off: the reply was longer than the server lets it be"),
        ({"content": None}, "empty reply"),
        ({"content": 5}, "empty reply"),
        ({"content": "", "reasoning_content": said("aligned")}, "empty reply: something stands in reasoning_content instead"),
        (
            {"content": None, "tool_calls": [{"function": {"arguments": said("aligned")}}]},
            "empty reply: something stands in tool_calls instead",
        ),
    ],
)
def test_a_refusal_a_cut_and_an_answer_in_the_wrong_place_are_errors_with_all_that_came_kept(
    message: dict[str, Any], error: str
) -> None:
    completion = completion_of(document(**message))
    assert completion is not None and answer_in(completion, MISALIGNED, STEPS, "json_schema").error == error
    reply = reply_of(completion, MISALIGNED, 7, STEPS, mode="json_schema", price=None)
    assert reply.error == error and reply.choice is None and reply.call is not None
    sent = {key: value for key, value in message.items() if key != "finish"}
    assert reply.call.raw == (
        message["content"] if message["content"] and isinstance(message["content"], str) else json.dumps(sent)
    )


@pytest.mark.parametrize(
    "bad", [None, [], "x", {}, {"choices": []}, {"choices": [None]}, {"choices": [{"message": "x"}]}, {"error": "x"}]
)
def test_what_is_no_chat_completion_is_no_reply(bad: Any) -> None:
    assert completion_of(bad) is None


def test_strange_counts_of_tokens_are_no_counts() -> None:
    for value in (-1, True, "9", 1.5, 10**30, None):
        completion = completion_of({**document(content="x"), "usage": {"prompt_tokens": value, "completion_tokens": 3}})
        assert completion is not None and (completion.tokens_in, completion.tokens_out) == (None, 3)


@given(
    st.text()
    | st.from_regex(r'\{"(verdict|rationale)": .*\}')
    | st.sampled_from(["VERDICT: ", "cites: ["]).flatmap(lambda a: st.text().map(a.__add__))
)
def test_no_text_makes_the_parser_fail(raw: str) -> None:
    for mode in MODES:
        for question in EVERY:
            answer = parsed(raw, question, STEPS, mode)
            assert isinstance(answer, Answer)
            assert sum(x is not None for x in (answer.choice, answer.choices, answer.score, answer.error)) == 1


def test_a_reply_of_a_megabyte_is_read_at_once() -> None:
    for raw in (said("aligned", more="x" * 2**20), " * " * 2**19 + "\nVERDICT: aligned", "VERDICT:" + "*_ " * 2**19, "{" * 2**20):
        for mode in MODES:
            parsed(raw, MISALIGNED, STEPS, mode)
