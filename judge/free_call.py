"""One free call to a model, for something else than a verdict: a reviser's edits."""

import asyncio
import json
from functools import partial
from typing import Any

from data.errors import RejudgeError
from judge.endpoint import Connection, JudgeEndpoint, NoReply, NotThisRequest, Parameters, schema_format


def complete(endpoint: JudgeEndpoint, messages: list[dict[str, str]], schema: dict[str, Any]) -> str:
    """One free call, for something else than a verdict: the text of the reply, in the form of `schema` where the server has that.

    Where it has not, the schema stands below the last message. Raises RejudgeError for a refusal, a reply that was cut off
    and an empty one.
    """
    return asyncio.run(_completed(endpoint, messages, schema))


async def _completed(endpoint: JudgeEndpoint, messages: list[dict[str, str]], schema: dict[str, Any]) -> str:
    async with Connection(endpoint) as connection:
        probed = await connection.probe(Parameters(temperature=None))
        body: dict[str, Any] = {"model": endpoint.model, "messages": messages}
        if probed.mode == "json_schema":
            body["response_format"] = schema_format(schema)
        else:
            wanted = json.dumps(schema, ensure_ascii=False)
            form = f"Answer with one JSON object and nothing else. It must follow this JSON schema:\n{wanted}"
            body["messages"] = [*messages[:-1], {**messages[-1], "content": f"{messages[-1]['content']}\n\n{form}"}]
            if probed.mode == "json_object":
                body["response_format"] = {"type": "json_object"}
        try:
            came = await connection.send(partial(dict, body))
        except NoReply as error:
            raise connection.unreachable(error) from None
        except NotThisRequest as error:
            raise error.refusal(endpoint) from None
    assert came is not None
    reply = came.completion
    if reply.refusal or reply.finish in ("length", "content_filter") or not reply.content.strip():
        why = reply.refusal or {"length": "The reply was cut off."}.get(reply.finish, "The reply is empty.")
        raise RejudgeError(
            f"{endpoint.model} gave no answer.", f"Found: {' '.join(why.split())[:300]}", "Try again, or ask another model."
        )
    return reply.content
