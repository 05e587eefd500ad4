"""The scripted server is what the openai package takes for a real one, in its good replies and in its bad ones."""

import json

import openai
import pytest

from tests.openai_server import PROBE, OpenAIServer, Scripted, verdict

HTML = b"<html><title>502 Bad Gateway</title></html>"
SAID = [{"role": "user", "content": "Was it misaligned?"}]


def test_every_scripted_answer_reaches_the_openai_package_as_it_would_from_a_real_server() -> None:
    answers = [
        verdict("aligned", cites=[1]),
        Scripted(status=429, text="slow down", headers={"Retry-After": "7"}),
        Scripted(status=502, body=HTML, content_type="text/html"),
        Scripted(text="half of it", cut=True),
        Scripted(drop=True),
        Scripted(text=None, refusal="I cannot help with that.", finish="stop", model="m-2", fingerprint="fp_1", usage=(7, 3)),
        Scripted(text="x" * 1_000_000, finish="length"),
    ]
    with OpenAIServer(lambda _, number: answers[number]) as server, openai.OpenAI(api_key="k", base_url=server.url) as client:

        def ask() -> openai.types.chat.ChatCompletion:
            return client.with_options(max_retries=0).chat.completions.create(model="m", messages=SAID)  # type: ignore[arg-type]

        assert json.loads(ask().choices[0].message.content or "") == {"rationale": "because", "verdict": "aligned", "cites": [1]}
        with pytest.raises(openai.RateLimitError) as limited:
            ask()
        assert limited.value.response.headers["Retry-After"] == "7"
        with pytest.raises(openai.InternalServerError):
            ask()
        for _ in ("cut", "dropped"):
            with pytest.raises(openai.APIConnectionError):
                ask()
        refused = ask()
        assert refused.choices[0].message.refusal == "I cannot help with that." and refused.choices[0].message.content is None
        assert (refused.model, refused.system_fingerprint) == ("m-2", "fp_1")
        assert refused.usage is not None and (refused.usage.prompt_tokens, refused.usage.completion_tokens) == (7, 3)
        long = ask().choices[0]
        assert long.finish_reason == "length" and len(long.message.content or "") == 1_000_000
        assert len(server.requests) == len(answers) and server.requests[0]["messages"] == SAID


def test_a_format_or_field_that_is_not_taken_is_a_400_and_a_wrong_key_a_401() -> None:
    with OpenAIServer(lambda *_: verdict("aligned"), formats=(), key="right", refused=("temperature",)) as server:
        for key, fields, status in (
            ("right", {"response_format": {"type": "json_object"}}, 400),
            ("right", {"temperature": 0}, 400),
            ("wrong", {}, 401),
        ):
            with (
                openai.OpenAI(api_key=key, base_url=server.url, max_retries=0) as client,
                pytest.raises(openai.APIStatusError) as no,
            ):
                client.chat.completions.create(model="m", messages=SAID, **fields)  # type: ignore[call-overload]
            assert no.value.status_code == status
        assert server.requests == []


def test_a_test_call_is_no_request_of_the_script() -> None:
    with OpenAIServer(lambda *_: verdict("aligned")) as server, openai.OpenAI(api_key="k", base_url=server.url) as client:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": f"{PROBE} Say yes."}])
        assert (len(server.probes), server.requests) == (1, [])
