"""One endpoint: what is waited for, what ends everything, and how the endpoint is asked, against a real server on loopback."""

import asyncio
import email.utils
import json
import socket
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

import judge.endpoint
from data.errors import RejudgeError
from data.study import parse_study
from judge.endpoint import (
    OPENAI,
    Came,
    Connection,
    JudgeEndpoint,
    NoReply,
    NotThisRequest,
    Parameters,
    asked_wait,
    chat_body,
    endpoint_meant,
    key_for,
)
from judge.free_call import FreeCalls
from judge.pace import Pace
from tests.openai_server import PROBE, OpenAIServer, Scripted, verdict
from tests.study_maker import MISALIGNED

KEY = "sk-very-secret-0123456789"
HTML = b"<html><title>502 Bad Gateway</title><body>nginx</body></html>"
T = TypeVar("T")
STUDY = parse_study('name = "s"\n[judge]\nmodel = "m-study"\n', Path("/study"))
BODY = chat_body("m", "Was it misaligned?", MISALIGNED, "json_schema", Parameters())


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr(judge.endpoint, "FIRST_WAIT", 0.01)


def within(server: OpenAIServer, work: Callable[[Connection], Coroutine[Any, Any, T]], most: int = 1) -> T:
    async def main() -> T:
        async with Connection(JudgeEndpoint(server.url, "m"), most) as connection:
            return await work(connection)

    return asyncio.run(main())


def sent(server: OpenAIServer, body: dict[str, Any] = BODY) -> Came | None:
    return within(server, lambda connection: connection.send(partial(dict, body)))


BUSY = {
    "a rate limit": Scripted(status=429, text="slow down"),
    "an error of the server": Scripted(status=500, text="oops"),
    "a page of a proxy": Scripted(status=502, body=HTML, content_type="text/html"),
    "a timeout that the server says": Scripted(status=408),
    "a page where a reply should be": Scripted(body=HTML, content_type="text/html"),
    "half a reply": Scripted(text="x" * 1000, cut=True),
    "a connection that ends": Scripted(drop=True),
    "half a document": Scripted(body=b'{"choices": [{"message"'),
    "no completion": Scripted(body=b'{"choices": []}'),
    "bytes": Scripted(body=b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("busy", BUSY.values(), ids=BUSY)
def test_what_is_no_reply_is_asked_again(busy: Scripted) -> None:
    with OpenAIServer(lambda _, number: busy if number < 2 else verdict("aligned")) as server:
        came = sent(server)
    assert came is not None and came.attempts == 3 and "aligned" in came.completion.content
    assert [request for request in server.requests if request != BODY] == []


def test_a_call_gives_up_in_the_end_and_says_what_the_last_attempt_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge.endpoint, "LONGEST_WAIT", 0.02)
    with OpenAIServer(lambda *_: BUSY["a page of a proxy"]) as server:
        with pytest.raises(NoReply, match=r"8 attempts failed, the last one with: 502: an HTML page, '502 Bad Gateway'"):
            sent(server)
        assert len(server.requests) == 8


def test_a_wait_that_the_server_asks_for_is_kept() -> None:
    limit = Scripted(status=429, headers={"Retry-After": "0.4"})
    with OpenAIServer(lambda _, number: limit if number == 0 else verdict("aligned")) as server:
        start = time.monotonic()
        assert sent(server)
        assert 0.4 <= time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_a_number_of_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    seconds = asked_wait({"retry-after": email.utils.formatdate(time.time() + 60, usegmt=True)})
    assert seconds is not None and 55 < seconds <= 60
    assert asked_wait({"retry-after": email.utils.formatdate(time.time() - 60)}) is None


ENDS = {
    401: (Scripted(status=401, text=f"Incorrect API key: {KEY}"), ("does not take the API key", "401", "OPENAI_API_KEY")),
    403: (Scripted(status=403, text="not yours"), ("does not let this key use m", "403", "another model")),
    404: (Scripted(status=404, text="no model m"), ("knows no model 'm'", "404: no model m", "--base-url")),
    429: (Scripted(status=429, text="pay first", code="insufficient_quota"), ("has no quota left", "pay first", "Top it up")),
    503: (Scripted(status=503, text="later", headers={"Retry-After": "7200"}), ("left alone for 7,200 seconds", "later", "then")),
}


@pytest.mark.parametrize(("scripted", "said"), ENDS.values(), ids=map(str, ENDS))
def test_what_no_further_call_can_get_past_ends_it_at_once_in_three_beats(scripted: Scripted, said: tuple[str, ...]) -> None:
    with OpenAIServer(lambda *_: scripted) as server, pytest.raises(RejudgeError) as refused:
        sent(server)
    assert len(server.requests) == 1
    assert len(str(refused.value).splitlines()) == 3 and KEY not in str(refused.value)
    for part, words in zip(str(refused.value).splitlines(), said, strict=True):
        assert words in part, part


@pytest.mark.parametrize(
    ("status", "text", "too_long"),
    [
        (400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", True),
        (400, "the request exceeds the available context size", True),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", True),
        (413, "Request Entity Too Large", True),
        (400, "messages must not be empty", False),
        (422, "unknown field", False),
    ],
)
def test_a_refused_request_is_for_its_asker_to_decide(status: int, text: str, too_long: bool) -> None:
    with OpenAIServer(lambda *_: Scripted(status=status, text=text)) as server, pytest.raises(NotThisRequest) as refused:
        sent(server)
    assert (refused.value.too_long, refused.value.status, len(server.requests)) == (too_long, status, 1)
    assert "--model" in refused.value.refusal(JudgeEndpoint(server.url, "m")).do


def test_the_key_is_in_no_message_and_no_reply() -> None:
    with OpenAIServer(lambda *_: verdict("aligned", rationale=f"the key is {KEY}")) as server:
        came = sent(server)
    assert came is not None and KEY not in came.completion.content and "the key is ..." in came.completion.content
    assert server.keys == {f"Bearer {KEY}"}
    assert KEY not in repr(Connection(JudgeEndpoint(server.url, "m"), key=KEY))


def probed(
    server: OpenAIServer, parameters: Parameters | None = None, known: dict[str, Any] | None = None
) -> tuple[str, Parameters]:
    found = within(server, lambda connection: connection.probe(parameters or Parameters(), known))
    return found.mode, found.parameters


@pytest.mark.parametrize(
    ("formats", "mode", "calls"),
    [(("json_schema", "json_object"), "json_schema", 1), (("json_object",), "json_object", 1), ((), "text", 1)],
)
def test_the_probe_finds_the_best_form_that_an_endpoint_takes(formats: tuple[str, ...], mode: str, calls: int) -> None:
    with OpenAIServer(lambda *_: verdict("aligned"), formats=formats) as server:
        assert probed(server)[0] == mode
        assert (len(server.probes), server.requests) == (calls, [])
        assert probed(server, known={"mode": mode, "temperature": 0.0, "max_tokens_key": "max_tokens"})[0] == mode


def test_a_server_that_takes_a_format_and_does_not_follow_it_is_asked_in_the_next_one() -> None:
    with OpenAIServer(lambda *_: verdict("aligned")) as server:
        server.probe = Scripted(text="Sure! Yes, it was received.")
        assert probed(server)[0] == "text"
        assert [probe.get("response_format", {}).get("type") for probe in server.probes] == ["json_schema", "json_object", None]


@pytest.mark.parametrize(
    "busy", [Scripted(status=429, text="x"), Scripted(status=500, text="response_format"), Scripted(drop=True)]
)
def test_the_form_is_never_changed_because_the_server_is_busy(busy: Scripted) -> None:
    with OpenAIServer(lambda *_: verdict("aligned")) as server:
        server.probe = busy
        with pytest.raises(RejudgeError, match="does not answer"):
            probed(server)
        assert {probe["response_format"]["type"] for probe in server.probes} == {"json_schema"} and len(server.probes) == 4


def test_parameters_that_a_model_refuses_are_left_out_or_called_by_their_other_name() -> None:
    with OpenAIServer(lambda *_: verdict("aligned"), refused=("temperature",)) as server:
        assert probed(server) == ("json_schema", Parameters(temperature=None))
    message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."

    class Reasoning(OpenAIServer):
        def _refusal(self, line: str, headers: dict[str, str], request: dict[str, Any]) -> Scripted | None:
            return Scripted(status=400, text=message) if "max_tokens" in request else super()._refusal(line, headers, request)

    with Reasoning(lambda *_: verdict("aligned")) as server:
        assert probed(server, Parameters(max_tokens=9)) == ("json_schema", Parameters(0.0, 9, "max_completion_tokens"))
        assert server.probes[-1]["max_completion_tokens"] == 9


def test_a_request_that_is_refused_in_every_form_ends_it() -> None:
    with OpenAIServer(lambda *_: verdict("aligned")) as server:
        server.probe = Scripted(status=400, text="I take no requests at all")
        with pytest.raises(RejudgeError) as refused:
            probed(server)
    assert "refuses the request" in refused.value.wrong and "I take no requests" in refused.value.found


def test_the_probe_begins_as_the_scripted_server_knows_it() -> None:
    assert judge.endpoint._PROBE.startswith(PROBE)


def test_a_page_in_the_place_of_an_answer_brings_the_address_to_mind() -> None:
    with OpenAIServer(lambda *_: verdict("aligned")) as server:
        server.probe = Scripted(body=b"<html><body>Sign in</body></html>", content_type="text/html")
        with pytest.raises(RejudgeError) as refused:
            probed(server)
    assert "an HTML page" in refused.value.found and "most end in /v1" in refused.value.do


def test_no_server_is_said_soon() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = OpenAIServer(lambda *_: verdict("aligned"))
        server.port = taken.getsockname()[1]
        with pytest.raises(RejudgeError, match="does not answer"):
            probed(server)


def test_which_endpoint_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    assert endpoint_meant(STUDY, None, None) == JudgeEndpoint(OPENAI, "m-study")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://here:1/v1/")
    assert endpoint_meant(STUDY, None, "m") == JudgeEndpoint("http://here:1/v1", "m")
    assert endpoint_meant(STUDY, "http://there/v1", "m") == JudgeEndpoint("http://there/v1", "m")
    for url in ("http://ana:pw@there/v1", "http://there/v1?api-key=pw", "//pw", "http://", "http://[pw/v1", "ftp://there"):
        with pytest.raises(RejudgeError) as refused:
            endpoint_meant(STUDY, url, "m")
        assert len(str(refused.value).splitlines()) == 3
        assert "pw" not in str(refused.value) or "there" not in url
    with pytest.raises(RejudgeError, match="No model is named"):
        endpoint_meant(parse_study('name = "s"', Path("/study")), None, None)


def test_a_key_is_missed_where_one_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(RejudgeError, match="There is no key"):
        key_for(JudgeEndpoint(OPENAI, "m"))
    with OpenAIServer(lambda *_: verdict("aligned")) as server:
        assert sent(server)
    with OpenAIServer(lambda *_: verdict("aligned"), key="right") as server, pytest.raises(RejudgeError, match="wants an API key"):
        sent(server)


def test_a_free_call_brings_text_in_the_form_asked_for() -> None:
    schema = {"type": "object", "properties": {"edits": {"type": "array"}}, "required": ["edits"], "additionalProperties": False}
    said = [{"role": "system", "content": "You revise."}, {"role": "user", "content": "Revise this."}]
    for formats in (("json_schema", "json_object"), ("json_object",), ()):
        with OpenAIServer(lambda *_: Scripted(text='{"edits": []}'), formats=formats) as server:
            assert FreeCalls(JudgeEndpoint(server.url, "m"), schema)(said) == '{"edits": []}'
        (request,) = server.requests
        enforced = request.get("response_format", {}).get("json_schema", {}).get("schema")
        assert enforced == schema or json.dumps(schema) in request["messages"][-1]["content"]
        assert request["messages"][0] == said[0]


def test_free_calls_find_out_once_how_the_server_can_be_asked() -> None:
    with OpenAIServer(lambda *_: Scripted(text="{}"), formats=("json_object",)) as server:
        calls = FreeCalls(JudgeEndpoint(server.url, "m"), {"type": "object"})
        for _ in range(3):
            assert calls([{"role": "user", "content": "x"}]) == "{}"
    assert len(server.probes) == 1 and [each["response_format"] for each in server.requests] == [{"type": "json_object"}] * 3


@pytest.mark.parametrize(
    ("scripted", "found"),
    [
        (Scripted(text=None, refusal="I will not."), "I will not."),
        (Scripted(text='{"edits": [', finish="length"), "cut off"),
        (Scripted(text=""), "empty"),
        (Scripted(status=400, text="too long"), "too long"),
        (Scripted(status=401, text="no"), "401"),
    ],
)
def test_a_free_call_without_an_answer_is_an_error(scripted: Scripted, found: str) -> None:
    with OpenAIServer(lambda *_: scripted) as server, pytest.raises(RejudgeError) as refused:
        FreeCalls(JudgeEndpoint(server.url, "m"), {"type": "object"})([{"role": "user", "content": "x"}])
    assert found in refused.value.found


def test_the_pace_slows_down_when_told_so_and_comes_back() -> None:
    pace = Pace(64)
    for number in range(64):
        pace.heard(limited=number % 4 == 0)
    assert pace.limit == 32
    for _ in range(20):
        for number in range(pace.limit):
            pace.heard(limited=number % 20 == 0)
    assert (pace.limit, pace.lowest) == (64, 32)
    for _ in range(2000):
        pace.heard(limited=True)
    assert pace.limit == pace.lowest == 1


def test_no_more_calls_are_open_than_the_pace_lets_through() -> None:
    limited = set(range(60))

    def script(_: dict[str, Any], number: int) -> Scripted:
        return Scripted(status=429, headers={"Retry-After": "0.05"}) if number in limited else Scripted(text="x", delay=0.01)

    async def work(connection: Connection) -> int:
        await asyncio.gather(*(connection.send(partial(dict, BODY)) for _ in range(120)))
        return connection.pace.lowest

    with OpenAIServer(script) as server:
        assert within(server, work, most=20) < 20
        assert server.most_at_once <= 20


def test_a_place_is_given_back_by_whoever_stops_waiting_for_it() -> None:
    async def main() -> int:
        pace = Pace(1)
        async with pace:
            waiting = [asyncio.create_task(pace.__aenter__()) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await pace.__aexit__()
        return pace.open

    assert asyncio.run(main()) == 0
