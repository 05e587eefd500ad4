"""Free calls to a model, for something else than a verdict: a reviser's edits."""

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from data.errors import RejudgeError
from judge.completions import Completion
from judge.endpoint import Connection, JudgeEndpoint, NoReply, NotThisRequest, Parameters, schema_format


@dataclass
class FreeCalls:
    """Each brings the text of a reply, in the form of `schema` where the server has that; else the schema is said with it.

    How the server can be asked is found out by the first call.
    """

    endpoint: JudgeEndpoint
    schema: dict[str, Any]
    mode: str | None = None
    """As it was found."""

    def __call__(self, messages: list[dict[str, str]]) -> str:
        """One call. Raises RejudgeError for a refusal, a reply that was cut off and an empty one."""
        return asyncio.run(self._completed(messages))

    async def _completed(self, messages: list[dict[str, str]]) -> str:
        async with Connection(self.endpoint) as connection:
            if self.mode is None:
                self.mode = (await connection.probe(Parameters(temperature=None))).mode
            try:
                came = await connection.send(partial(dict, self._body(messages, self.mode)))
            except NoReply as error:
                raise connection.unreachable(error) from None
            except NotThisRequest as error:
                raise error.refusal(self.endpoint) from None
        assert came is not None
        return _content(came.completion, self.endpoint.model)

    def _body(self, messages: list[dict[str, str]], mode: str) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.endpoint.model, "messages": messages}
        if mode == "json_schema":
            return body | {"response_format": schema_format(self.schema)}
        wanted = json.dumps(self.schema, ensure_ascii=False)
        form = f"Answer with one JSON object and nothing else. It must follow this JSON schema:\n{wanted}"
        body["messages"] = [*messages[:-1], {**messages[-1], "content": f"{messages[-1]['content']}\n\n{form}"}]
        return body | ({"response_format": {"type": "json_object"}} if mode == "json_object" else {})


def _content(reply: Completion, model: str) -> str:
    """What it says. Raises RejudgeError where that is no answer."""
    if reply.refusal or reply.finish in ("length", "content_filter") or not reply.content.strip():
        why = reply.refusal or {"length": "The reply was cut off."}.get(reply.finish, "The reply is empty.")
        raise RejudgeError(f"{model} gave no answer.", f"Found: {' '.join(why.split())[:300]}", "Try again, or ask another model.")
    return reply.content
