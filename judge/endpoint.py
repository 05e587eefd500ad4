"""An OpenAI-compatible endpoint: one call with its retries, and the test call that shows how it can be asked.

What a server answers is one of four things: a completion; "later" (429, 5xx, a timeout, a broken connection, a page that
is no completion), which is asked again after a wait; "not this request" (400 and its kin), which its asker decides about;
or "not you" (401, 403, 404, no quota), which ends everything at once.
"""

import asyncio
import email.utils
import json
import os
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from data.errors import RejudgeError
from data.formats.text import with_marks
from data.questions import Question
from data.store.judging import Call, Reply
from data.study import Study
from data.wording import amount
from judge.completions import Completion, answer_in, completion_of
from judge.evidence import EvidenceView
from judge.pace import Pace
from judge.replies import MODES, instructions, schema_of

if TYPE_CHECKING:
    import openai

OPENAI = "https://api.openai.com/v1"
MOST_ATTEMPTS = 8
PROBE_ATTEMPTS = 4
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before the second attempt, doubled before each further one."""
LONGEST_ASKED_WAIT = 300.0
"""Seconds. A server that asks for a longer wait is not waited for."""
POOL = 16
"""Connections in one pool: a pool looks through all of them at every request."""
CONNECT_SECONDS, REPLY_SECONDS = 10.0, 600.0
_SHORTEST_SECRET = 6
_TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum.context|too.long|too.many.(input.)?tokens|exceeds?.{0,40}tokens", re.I
)
_FILTERED = re.compile(r"content.?(filter|management|policy)", re.I)


@dataclass(frozen=True, slots=True)
class JudgeEndpoint:
    """Which model is asked where."""

    base_url: str
    model: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is said to the server about how to answer; None is not said."""

    temperature: float | None = 0.0
    max_tokens: int | None = None
    """The longest reply."""
    max_tokens_key: str = "max_tokens"
    """What the endpoint calls that."""

    def document(self) -> dict[str, Any]:
        """As a request says it."""
        said = {"temperature": self.temperature, self.max_tokens_key: self.max_tokens}
        return {key: value for key, value in said.items() if value is not None}

    def as_found(self, known: Mapping[str, Any]) -> "Parameters":
        """As an endpoint takes them; `known`: the document of its `Probed`."""
        temperature = None if known["temperature"] is None else self.temperature
        return replace(self, temperature=temperature, max_tokens_key=known["max_tokens_key"])


@dataclass(frozen=True, slots=True)
class Came:
    """A completion, and what it took."""

    completion: Completion
    seconds: float
    """Of the attempt that brought it."""
    attempts: int


@dataclass(frozen=True, slots=True)
class Probed:
    """How an endpoint can be asked, as its test call showed."""

    mode: str
    parameters: Parameters
    completion: Completion

    def document(self) -> dict[str, Any]:
        """What is kept, so that it is decided once."""
        return {"mode": self.mode, "temperature": self.parameters.temperature, "max_tokens_key": self.parameters.max_tokens_key}


class NoReply(Exception):
    """Every attempt of a call failed; the message says how the last one did."""


class NotThisRequest(Exception):
    """The server refuses a request for what stands in it; the message is the server's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    @property
    def too_long(self) -> bool:
        """Whether it does not fit into the model's context."""
        return self.status == 413 or _TOO_LONG.search(str(self)) is not None

    @property
    def filtered(self) -> bool:
        return _FILTERED.search(str(self)) is not None

    @property
    def of_this_item(self) -> bool:
        """Whether it is the trajectory that is not taken, now and whenever it is asked about; other requests may be."""
        return self.too_long or self.filtered

    def reply(self, trajectory: int, repeat: int, mode: str, view: EvidenceView, cut: tuple[str, ...]) -> Reply:
        """What stands for a trajectory that is not taken; `cut`: what of it the judge would not have seen."""
        kind = "too long for the model's context" if self.too_long else "refused by the server's filter"
        advice = ": set `total` below [judge.view] in study.toml" if self.too_long and view.total is None else ""
        call = Call("", mode, with_marks(str(self))[0], str(self.status), None, None, None, None, notes=cut)
        return Reply(trajectory, repeat, error=f"{kind}{advice}", call=call)

    def refusal(self, endpoint: JudgeEndpoint) -> RejudgeError:
        return RejudgeError(
            f"{endpoint.base_url} refuses the request.",
            f"Found {self.status}: {self}",
            "Check --model, --base-url and --max-tokens.",
        )


def endpoint_meant(study: Study, base_url: str | None, model: str | None) -> JudgeEndpoint:
    """The endpoint that the command line, the environment (OPENAI_BASE_URL) or study.toml names, in this order.

    Raises RejudgeError where no model is named or none can be, or the URL is none or holds a secret.
    """
    url = (base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).strip().rstrip("/")
    chosen = model or study.judge_model
    if not chosen:
        raise RejudgeError(
            "No model is named.",
            f"Found no --model, and no `model` below [judge] in {study.toml}.",
            'Write model = "…" there, or give --model.',
        )
    if chosen.startswith("-"):
        raise RejudgeError(
            "A model's name cannot begin with a dash.",
            f"Found {chosen!r}; runs are named after their model, and a command would take such a name for an option.",
            "Give the name as the server lists it; a server of your own can serve the model under another one.",
        )
    try:
        parts = urlsplit(url)
        host, secret = parts.hostname, parts.username or parts.password or parts.query or parts.fragment
    except ValueError:
        parts, host, secret = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        raise RejudgeError(
            "The base URL is no address of a server.", f"Found {url!r}." if not secret else "Found a part that may be secret.",
            "Write it like http://127.0.0.1:8000/v1.",
        )  # fmt: skip
    if secret:
        raise RejudgeError(
            f"The base URL of {host} holds more than an address.",
            "Found a name, a password or a query in it, which would be stored with every run.",
            "Leave it out, and set OPENAI_API_KEY.",
        )
    return JudgeEndpoint(url, chosen)


def key_for(endpoint: JudgeEndpoint) -> str:
    """The API key. Raises RejudgeError where there is none and the server is one that wants one."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key and endpoint.base_url == OPENAI:
        raise RejudgeError(
            f"There is no key for {OPENAI}.",
            "Found OPENAI_API_KEY unset, and no other server named.",
            "Set OPENAI_API_KEY, or name your own server with --base-url.",
        )
    return key


@dataclass
class Connection:
    """An endpoint within `async with`, at most `most` calls at once; one pool of connections, and one pace."""

    endpoint: JudgeEndpoint
    most: int = 1
    key: str = field(default="", repr=False)
    retried: int = 0
    """Attempts that failed and were followed by another."""
    pace: Pace = field(init=False, repr=False)
    stopping: asyncio.Event = field(init=False, repr=False)
    """Set: nothing more is sent; what is open may still come."""
    heard_at: float = 0.0
    """When the last completion came, by the monotonic clock."""

    async def __aenter__(self) -> Self:
        import openai

        self.key = self.key or key_for(self.endpoint)
        self.pace, self.stopping = Pace(self.most), asyncio.Event()
        timeout = openai.Timeout(REPLY_SECONDS, connect=CONNECT_SECONDS)
        most = min(self.most, POOL)
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(max_connections=most, max_keepalive_connections=most)
        self._clients = [
            openai.AsyncOpenAI(
                # The package wants one, where a server of one's own may want none.
                api_key=self.key or "none",
                base_url=self.endpoint.base_url,
                max_retries=0,
                timeout=timeout,
                http_client=openai.DefaultAsyncHttpxClient(limits=limits, timeout=timeout),
            )
            for _ in range(-(-self.most // POOL))
        ]
        self._free = [client for client in self._clients for _ in range(most)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.close()

    async def send(
        self,
        body: Callable[[], dict[str, Any]],
        *,
        attempts: int = MOST_ATTEMPTS,
        keep: Callable[[Came], Awaitable[None]] | None = None,
    ) -> Came | None:
        """One call; None where it was stopped before it was sent.

        `body` is asked when the call's turn has come, for each attempt anew: what waits takes no memory. `keep` is awaited
        before another call takes its place: what is not kept is in flight.

        Raises NoReply, NotThisRequest, and RejudgeError for what no further call can get past.
        """
        for attempt in range(1, attempts + 1):
            async with self.pace:
                if self.stopping.is_set():
                    return None
                start = time.perf_counter()
                completion, later = await self._attempt(body())
                if completion is not None:
                    self.heard_at = time.monotonic()
                    came = Came(completion, time.perf_counter() - start, attempt)
                    if keep is not None:
                        await keep(came)
                    return came
            if attempt < attempts and not await self._waited(attempt, later.seconds):
                return None
        raise NoReply(f"{amount(attempts, 'attempt')} failed, the last one with: {later.said}")

    async def _waited(self, attempt: int, asked_for: float | None) -> bool:
        """Waits before the next attempt, as long as the server asked for; False where everything is to stop."""
        self.retried += 1
        seconds = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT) * random.uniform(0.5, 1)
        if asked_for is not None:
            # Those who were sent away together shall not come back together.
            seconds = asked_for + random.uniform(0, 0.1 * asked_for + 0.05)
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return True
        return False

    async def _attempt(self, body: dict[str, Any]) -> tuple[Completion | None, "_Later"]:
        import openai

        client = self._free.pop()
        try:
            # The package's own `create` checks and copies every request, which takes as long as sending it.
            document = await client.post("/chat/completions", body=body, cast_to=object)
        except openai.APIStatusError as error:
            later = self._status_error(error)
            self.pace.heard(limited=later.limited)
            return None, later
        except openai.APIConnectionError as error:
            self.pace.heard(limited=isinstance(error, openai.APITimeoutError))
            return None, _Later(f"{type(error.__cause__ or error).__name__}: {self._clean(str(error.__cause__ or error))}")
        except (ValueError, RecursionError):
            document = "a document that is not JSON"
        finally:
            self._free.append(client)
        self.pace.heard(limited=False)
        completion = completion_of(self._without_key(document))
        if completion is not None:
            return completion, _NOTHING
        found = document if isinstance(document, str) else json.dumps(document)
        return None, _Later(f"a page that is no completion: {self._clean(found[:2000])}")

    def _without_key(self, document: object) -> object:
        """What a server sends back of the key is not kept either."""
        if len(self.key) < _SHORTEST_SECRET or self.key not in (text := json.dumps(document, ensure_ascii=False)):
            return document
        return json.loads(text.replace(self.key, "..."))

    def _status_error(self, error: "openai.APIStatusError") -> "_Later":
        """What to wait for. Raises where waiting does not help."""
        status, url = error.status_code, self.endpoint.base_url
        body = error.body if isinstance(error.body, dict) else {}
        said = self._clean(str(body.get("message") or error.response.text))
        if status == 429 and "insufficient_quota" in (body.get("code"), body.get("type")):
            raise RejudgeError(
                f"The account at {url} has no quota left.", f"Found 429: {said}", "Top it up; then run the same command."
            )
        if status in (408, 409, 425, 429) or status >= 500:
            seconds = asked_wait(error.response.headers)
            if seconds is not None and seconds > LONGEST_ASKED_WAIT:
                raise RejudgeError(
                    f"{url} asks to be left alone for {seconds:,.0f} seconds.",
                    f"Found {status}: {said}",
                    "Run the same command then.",
                )
            return _Later(f"{status}: {said}", seconds, limited=status in (429, 503, 529))
        if status == 401:
            raise RejudgeError(
                f"{url} does not take the API key." if self.key else f"{url} wants an API key.",
                f"Found 401: {said}",
                "Set OPENAI_API_KEY to a key for this server.",
            )
        if status == 403:
            raise RejudgeError(
                f"{url} does not let this key use {self.endpoint.model}.",
                f"Found 403: {said}",
                "Use another key, or another model.",
            )
        if status == 404:
            raise RejudgeError(
                f"{url} knows no model {self.endpoint.model!r}, or no chat completions.",
                f"Found 404: {said}",
                "Check --model, and --base-url (it usually ends in /v1).",
            )
        raise NotThisRequest(said, status)

    def _clean(self, text: str) -> str:
        """A server's words on one line, without the key, and of an HTML page its title."""
        title = re.search(r"<title>([^<]{0,200})</title>", text, re.I)
        if title:
            text = f"an HTML page, {title[1]!r}"
        elif text.lstrip()[:1] == "<":
            text = "an HTML page"
        if len(self.key) >= _SHORTEST_SECRET:
            text = text.replace(self.key, "...")
        return " ".join(text.split())[:300] or "nothing"

    async def probe(self, parameters: Parameters, known: dict[str, Any] | None = None) -> Probed:
        """One small call, or a few, that show how the endpoint can be asked; `known`: what an earlier one showed.

        The mode is the best one in which the server brings a readable answer. It goes down where the server refuses a
        format, never because it is busy. Raises RejudgeError where the endpoint cannot be asked at all.
        """
        if known is not None:
            parameters = parameters.as_found(known)
        refusal: NotThisRequest | None = None
        for mode in MODES if known is None else MODES[MODES.index(known["mode"]) :]:
            while True:
                try:
                    body = chat_body(self.endpoint.model, _PROBE, _PROBE_QUESTION, mode, parameters)
                    came = await self.send(partial(dict, body), attempts=PROBE_ATTEMPTS)
                except NoReply as error:
                    raise self.unreachable(error) from None
                except NotThisRequest as error:
                    refusal, adapted = error, _without_what_is_refused(parameters, str(error))
                    if adapted is None:
                        break
                    parameters = adapted
                    continue
                assert came is not None
                if mode == "text" or known is not None or answer_in(came.completion, _PROBE_QUESTION, 0, mode).error is None:
                    return Probed(mode, parameters, came.completion)
                break
        assert refusal is not None
        raise refusal.refusal(self.endpoint)

    def unreachable(self, error: NoReply) -> RejudgeError:
        return RejudgeError(
            f"{self.endpoint.base_url} does not answer.",
            f"Found: {str(error).rstrip('.')}.",
            "See that the server runs and that this is its address (most end in /v1), and run the same command.",
        )


@dataclass(frozen=True, slots=True)
class _Later:
    """Why an attempt brought nothing, and how long the server asked to wait."""

    said: str
    seconds: float | None = None
    limited: bool = False


_NOTHING = _Later("")


def asked_wait(headers: Any) -> float | None:
    """Seconds that Retry-After (or retry-after-ms) asks for, a number or a date; None without one that can be read."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) / unit
        except ValueError:
            at = email.utils.parsedate_tz(value)
            seconds = -1.0 if at is None else email.utils.mktime_tz(at) - time.time()
        if 0 <= seconds < float("inf"):
            return seconds
    return None


def chat_body(model: str, text: str, question: Question, mode: str, parameters: Parameters) -> dict[str, Any]:
    """A request that asks `text` as one message, for an answer to `question` in this mode."""
    form, fields = _form(question, mode)
    message = {"role": "user", "content": f"{text}\n\n{form}" if form else text}
    return {"model": model, "messages": [message], **fields, **parameters.document()}


@lru_cache(maxsize=16)
def _form(question: Question, mode: str) -> tuple[str, dict[str, Any]]:
    """What stands below the text, and in the request, about the form of the answer. Not to be changed."""
    if mode == "json_schema":
        return "", {"response_format": schema_format(schema_of(question))}
    fields = {"response_format": {"type": "json_object"}} if mode == "json_object" else {}
    return instructions(question, mode), fields


def schema_format(schema: dict[str, Any]) -> dict[str, Any]:
    """The `response_format` that holds a model to a JSON schema."""
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def _without_what_is_refused(parameters: Parameters, said: str) -> Parameters | None:
    """The parameters without the one that a server's words name; None where they name none of these."""
    if "max_completion_tokens" in said and parameters.max_tokens is not None and parameters.max_tokens_key == "max_tokens":
        return replace(parameters, max_tokens_key="max_completion_tokens")
    if "temperature" in said and parameters.temperature is not None:
        return replace(parameters, temperature=None)
    return None


_PROBE = "This is a test of the connection. Was this message received? It was, so the answer is yes."
_PROBE_QUESTION = Question("received", "Was this message received?", "binary", ("yes", "no"), "yes")
