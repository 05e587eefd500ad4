"""A real HTTP server on loopback that speaks chat completions from a script: delays, rate limits, errors, broken replies.

    def script(request, number):
        return Scripted(status=429, headers={"Retry-After": "1"}) if number == 0 else verdict("misaligned")

    with OpenAIServer(script) as server:
        ...  # base URL: server.url

The small calls by which the judge finds out what an endpoint can do are answered by the server itself, and stand in
`server.probes`; `number` counts the others, from 0, in the order in which they came.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

FORMATS = ("json_schema", "json_object")
PROBE = "This is a test of the connection."
"""How the judge's own test call begins."""


@dataclass(frozen=True)
class Scripted:
    """One answer. With `body` the bytes are sent as they are, whatever the other fields say of the reply."""

    status: int = 200
    text: str | None = ""
    """The content of the message; with another `status` than 200 the message of the error."""
    delay: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"
    model: str = "m-1"
    """What the server says that the model is."""
    fingerprint: str | None = None
    refusal: str | None = None
    usage: tuple[int, int] | None = (100, 20)
    body: bytes | None = None
    content_type: str = "application/json"
    cut: bool = False
    """Half of the body comes, and the connection ends."""
    drop: bool = False
    """The connection ends without an answer."""
    code: str | None = None
    """Of an error: its `code`."""


Script = Callable[[dict[str, Any], int], Scripted]


def reply(**fields: Any) -> Scripted:
    """A reply whose content is a JSON object of these fields."""
    return Scripted(text=json.dumps(fields, ensure_ascii=False))


def verdict(choice: str, rationale: str = "because", **fields: Any) -> Scripted:
    """A well-formed verdict on a question with choices."""
    return reply(rationale=rationale, verdict=choice, **fields)


class OpenAIServer:
    """Serves from `with` on to its end; see the module."""

    def __init__(
        self, script: Script, *, formats: tuple[str, ...] = FORMATS, key: str | None = None, refused: tuple[str, ...] = ()
    ) -> None:
        """`formats`: the response formats it takes, 400 for others; `key`: the only API key it takes, 401 for others.

        `refused`: request fields that it answers with 400, as reasoning models do with `temperature`.
        """
        self.script, self.formats, self.key, self.refused = script, formats, key, refused
        self.requests: list[dict[str, Any]] = []
        self.probes: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        """Every value of the Authorization header."""
        self.probe = Scripted(text=None)
        """How a test call is answered, but for its text, which is made to fit."""
        self.at_once = 0
        self.most_at_once = 0
        """The most scripted requests that were open at one moment."""
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        # A port that was given already is taken again: a server that comes back.
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=2**26, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if not await self._answer(lines[0], headers, body, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, line: str, headers: dict[str, str], body: bytes, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection lives on."""
        self.keys.add(headers.get("authorization", ""))
        request = json.loads(body)
        answer = self._refusal(line, headers, request)
        if answer is None and str(request["messages"][-1]["content"]).startswith(PROBE):
            self.probes.append(request)
            answer = self._probed(request)
        scripted = answer is None
        if answer is None:
            number = len(self.requests)
            self.requests.append(request)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            answer = self.script(request, number)
        try:
            if answer.delay:
                await asyncio.sleep(answer.delay)
            if answer.drop:
                return False
            writer.write(_bytes(answer))
            await writer.drain()
        finally:
            self.at_once -= scripted
        return not answer.cut

    def _refusal(self, line: str, headers: dict[str, str], request: dict[str, Any]) -> Scripted | None:
        if not line.startswith("POST ") or "/chat/completions" not in line:
            return Scripted(status=404, text=f"no such path: {line}")
        if self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
            return Scripted(status=401, text=f"Incorrect API key provided: {headers.get('authorization', '')[7:]}.")
        for name in self.refused:
            if name in request:
                return Scripted(status=400, text=f"Unsupported parameter: '{name}' is not supported with this model.")
        wanted = request.get("response_format", {}).get("type", "text")
        if wanted not in ("text", *self.formats):
            return Scripted(status=400, text=f"response_format of type {wanted} is not supported")
        return None

    def _probed(self, request: dict[str, Any]) -> Scripted:
        text = '{"rationale": "a test", "verdict": "yes"}' if "response_format" in request else "a test\nVERDICT: yes"
        return replace(self.probe, text=text) if self.probe.text is None else self.probe


def _bytes(answer: Scripted) -> bytes:
    body = answer.body
    if body is None and answer.status != 200:
        body = json.dumps({"error": {"message": answer.text, "type": "scripted", "code": answer.code}}).encode()
    if body is None:
        message = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
        document: dict[str, Any] = {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": answer.model,
            "choices": [{"index": 0, "finish_reason": answer.finish, "message": message, "logprobs": None}],
        }  # fmt: skip
        if answer.usage is not None:
            sent, came = answer.usage
            document["usage"] = {"prompt_tokens": sent, "completion_tokens": came, "total_tokens": sent + came}
        if answer.fingerprint is not None:
            document["system_fingerprint"] = answer.fingerprint
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    headers = {"Content-Type": answer.content_type, "Content-Length": str(len(body)), **answer.headers}
    head = f"HTTP/1.1 {answer.status} Scripted\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    return head.encode("latin-1") + (body[: len(body) // 2] if answer.cut else body)
