"""A trajectory for a lead to read, outside of any assignment: what annotators are shown of it, and no more.

Leads alone get one; for everybody else there is nothing at this address. No verdict, label or citation comes by it, of
whatever split: what a page shows beside a trajectory it takes from the store, which refuses closed splits by itself
(`data/store/disagreements.py`). So items of dev and test are read here too, where a lead decides on their votes.
"""

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from annotate.item_view import redaction_by, visible
from annotate.serving import Serving
from annotate.wire import PRIVATE
from data.store import Store
from data.store.contested import trajectory_text

READING_PATH = "/lead/items"


def reading_routes(serving: Serving) -> list[Route]:
    """The route, for a server whose door has put the signed-in person into the request's scope."""

    async def item(request: Request) -> Response:
        found = None
        if request.scope["rejudge.person"].role == "lead":
            found = await run_in_threadpool(_read, serving, request.path_params["number"])
        if found is None:
            return JSONResponse({"error": "not found"}, 404, headers=PRIVATE)
        return JSONResponse(found, headers=PRIVATE)

    return [Route(f"{READING_PATH}/{{number:int}}", item, methods=["GET"])]


def _read(serving: Serving, number: int) -> dict[str, Any] | None:
    if number >= 2**63:
        return None
    with Store.open(serving.study.database) as store:
        row = trajectory_text(store, number)
    if row is None:
        return None
    task, steps, metadata = row
    values = json.loads(metadata)
    shown = {field: values[field] for field in serving.view.show if field in values}
    return visible(redaction_by(serving.study.blind), task, shown, json.loads(steps))
