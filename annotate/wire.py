"""The desk's own routes: items by GET, labels and drafts by POST.

Everything that a browser sends is treated as forged: types are checked here, meaning is checked in
`data/store/desk.py`, and only a commit is acknowledged.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from annotate.item_view import item_for
from annotate.serving import Serving
from data.answering import Answer
from data.command_line import say
from data.errors import DeskRefused, StoreError
from data.questions import MOST_LABELS
from data.store import BlindStore, Store
from data.store.desk import Act, Refusal, refresh_shown, save_draft, take
from data.store.leases import last_finished, others_hold_something
from data.store.people import Person

Endpoint = Callable[[Request], Awaitable[Response]]
KINDS = ("submit", "skip", "flag", "undo")
MOST_BYTES = 1_000_000
MOST_TEXT = 20_000
MOST_EVENTS = 200
MOST_EVIDENCE = 5_000
MOST_ANSWERS = 200
_HUGE = 1e300
_ANOTHER = "This browser is now signed in as somebody else. Reload the page to go on as they."
_OUTBOX = re.compile(r"[A-Za-z0-9-]{1,100}")
# identity: Streamlit's compression would run on the event loop and stall every other request.
PRIVATE = {"Cache-Control": "private, no-store", "Content-Encoding": "identity"}


def routes(serving: Serving) -> list[Route]:
    """The routes, for a server whose door has put the signed-in person into the request's scope."""

    async def item(request: Request) -> Response:
        found = await run_in_threadpool(_item, serving, _person(request), request.path_params["ref"])
        return JSONResponse(found, headers=PRIVATE) if found else JSONResponse({"error": "not yours"}, 404, headers=PRIVATE)

    async def events(request: Request) -> Response:
        person = _person(request)
        try:
            body = await _body(request)
            # A page that was opened by one person must not go on under the name of another who signed in since.
            if body.get("owner") not in (None, serving.owner(person)):
                return JSONResponse({"error": _ANOTHER}, 403, headers=PRIVATE)
            outbox, acts, malformed = _events_in(body)
        except DeskRefused as error:
            return JSONResponse({"error": error.wrong}, 400, headers=PRIVATE)
        try:
            answer, status = await run_in_threadpool(_take, serving, person, outbox, acts, malformed)
        except DeskRefused as error:
            # Access ended after the door had let this request in.
            return JSONResponse({"error": error.wrong}, 401, headers=PRIVATE)
        return JSONResponse(answer, status, headers=PRIVATE)

    async def drafts(request: Request) -> Response:
        try:
            ref, item_hash, draft = _draft_in(await _body(request))
            await run_in_threadpool(_save_draft, serving, _person(request), ref, item_hash, draft)
        except DeskRefused as error:
            return JSONResponse({"error": error.wrong}, 409, headers=PRIVATE)
        return Response(status_code=204, headers=PRIVATE)

    return [
        Route("/desk/items/{ref}", _or_later(item), methods=["GET"]),
        Route("/desk/events", _or_later(events), methods=["POST"]),
        Route("/desk/drafts", _or_later(drafts), methods=["POST"]),
    ]


def _or_later(endpoint: Endpoint) -> Endpoint:
    """`endpoint`, which answers 503 where the database cannot be used now: the browser keeps what it has, and asks again.

    The lead's terminal says why; an annotator's browser is not told where the file lies.
    """

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except StoreError as error:
            say(str(error))
            return JSONResponse({"error": "The study cannot be used just now."}, 503, headers=PRIVATE)

    return answered


def desk_state(blind: BlindStore, last: str | None, waiting: bool, pin: str) -> dict[str, Any]:
    """What the browser should hold now: the next items, the one finished `last`, and whether all is done.

    A position is one's own finished items plus one, of the batch's size; what others left does not show.
    What was undone comes first, then items in the order in which they were claimed.
    """
    held = blind.rows("SELECT ref, line, finished, size FROM my_position ORDER BY turn", [])
    queue: list[dict[str, Any]] = []
    ahead: dict[int, int] = {}
    for ref, line, finished, size in held:
        ahead[line] = ahead.get(line, 0) + 1
        queue.append({"ref": ref, "position": finished + ahead[line], "of": size})
    waiting = waiting and not queue
    done = not queue and not waiting
    return {"queue": queue, "last": last, "finished": done, "waiting": waiting, "pin": pin}


def claim_and_look(serving: Serving, person: Person) -> dict[str, Any]:
    """Claims the next items for `person`; the state for a page that opens."""
    answer, _ = _take(serving, person, "", [], [])
    state: dict[str, Any] = answer["state"]
    return state


def _person(request: Request) -> Person:
    person: Person = request.scope["rejudge.person"]
    return person


def _blind(serving: Serving, person: Person) -> BlindStore:
    return Store.open_blind(serving.study.database, person.code, serving.view.show)


def _item(serving: Serving, person: Person, ref: str) -> dict[str, Any] | None:
    with Store.open(serving.study.database) as store:
        if refresh_shown(serving.desk(store, person), ref) is None:
            return None
    with _blind(serving, person) as blind:
        return item_for(serving, blind, ref)


def _take(serving: Serving, person: Person, outbox: str, acts: list[Act], malformed: list[Refusal]) -> tuple[dict[str, Any], int]:
    """Takes the whole list or, where one event of it is refused, nothing."""
    with Store.open(serving.study.database) as store:
        desk = serving.desk(store, person)
        ack, refused = take(desk, outbox, [] if malformed else acts)
        refused = [*malformed, *refused]
        last, waiting = last_finished(store, person.code), others_hold_something(store, person.code)
    with _blind(serving, person) as blind:
        answer: dict[str, Any] = {"ack": ack, "state": desk_state(blind, last, waiting, serving.pin)}
    if refused:
        answer["refused"] = [_refusal(refusal) for refusal in refused]
    return answer, 409 if refused else 200


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {"seq": refusal.seq, "why": refusal.why}


def _save_draft(serving: Serving, person: Person, ref: str, item_hash: str, draft: dict[str, Any]) -> None:
    with Store.open(serving.study.database) as store:
        save_draft(serving.desk(store, person), ref, item_hash, draft)


def _malformed(found: str) -> DeskRefused:
    return DeskRefused(f"The desk sent something that it should not: {found}.", "Found a malformed message.", "Reload the page.")


async def _body(request: Request) -> dict[str, Any]:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise _malformed("more than a megabyte")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise _malformed("no JSON") from None
    if not isinstance(value, dict):
        raise _malformed("no object")
    return value


def _events_in(body: dict[str, Any]) -> tuple[str, list[Act], list[Refusal]]:
    """The outbox, its events, and those that cannot be read but have a number to be refused by."""
    outbox, events = body.get("outbox"), body.get("events")
    if not isinstance(outbox, str) or not _OUTBOX.fullmatch(outbox):
        raise _malformed("no outbox")
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise _malformed("no list of events")
    acts, malformed = [], []
    for event in events:
        seq = _whole_in(event, "seq", 1, 2**53) if isinstance(event, dict) else None
        if seq is None:
            raise _malformed("an event that is no object")
        try:
            acts.append(_event_in(event, seq))
        except DeskRefused as error:
            malformed.append(Refusal(seq, error.wrong))
    return outbox, acts, malformed


def _event_in(event: dict[str, Any], seq: int) -> Act:
    kind = event.get("kind")
    if kind not in KINDS:
        raise _malformed("an event of an unknown kind")
    answers = _answers_in(event) if kind in ("submit", "skip") else {}
    if kind == "submit" and not answers:
        raise _malformed("no answer")
    if kind == "skip" and any(answer.is_given for answer in answers.values()):
        raise _malformed("an answer where none belongs")
    active = _number_in(event, "active_ms", 0, 10**9)
    return Act(
        seq=seq,
        kind=kind,
        ref=_text_in(event, "ref") or "",
        item_hash=_text_in(event, "item_hash") or "",
        answers=answers,
        reason=_text_in(event, "reason"),
        active_seconds=None if active is None else active / 1000,
        pin=_text_in(event, "pin"),
    )


def _answers_in(value: dict[str, Any]) -> dict[str, Answer]:
    """The answers by question; whether they are right is the store's to say."""
    answers = value.get("answers") or {}
    if not isinstance(answers, dict) or len(answers) > MOST_ANSWERS:
        raise _malformed("answers that are no object")
    return {id: _answer_in(answer) for id, answer in answers.items()}


def _answer_in(value: Any) -> Answer:
    if not isinstance(value, dict):
        raise _malformed("an answer that is no object")
    unsure, choices = value.get("unsure") or False, value.get("choices")
    if not isinstance(unsure, bool):
        raise _malformed("an unsure that is neither true nor false")
    if choices is not None and (not isinstance(choices, list) or len(choices) > MOST_LABELS):
        raise _malformed("choices that are no list of texts")
    return Answer(
        choice=_text_in(value, "choice"),
        choices=None if choices is None else tuple(_text_in({"choice": choice}, "choice") or "" for choice in choices),
        score=_number_in(value, "score", -_HUGE, _HUGE),
        unsure=unsure,
        evidence=_evidence_in(value),
        rationale=_text_in(value, "rationale"),
        confidence=None if value.get("confidence") is None else _whole_in(value, "confidence", 1, 3),
    )


def _draft_in(body: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    draft = body.get("draft")
    if not isinstance(draft, dict):
        raise _malformed("no draft")
    active = _number_in(draft, "active_ms", 0, 10**9)
    kept = {
        "answers": {id: asdict(answer) | {"rationale": answer.rationale or ""} for id, answer in _answers_in(draft).items()},
        "skip": _text_in(draft, "skip"),
        "active_ms": round(active or 0),
    }
    return _text_in(body, "ref") or "", _text_in(body, "item_hash") or "", kept


def _text_in(value: dict[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is None:
        return None
    if not isinstance(text, str) or len(text) > MOST_TEXT:
        raise _malformed(f"a {key} that is no text, or a very long one")
    # A lone surrogate can be typed by script and cannot be stored.
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _whole_in(value: dict[str, Any], key: str, least: int, most: int) -> int:
    number = value.get(key)
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        raise _malformed(f"a {key} that is no number in its range")
    return number


def _number_in(value: dict[str, Any], key: str, least: float, most: float) -> float | None:
    number = value.get(key)
    if number is None:
        return None
    if not isinstance(number, int | float) or isinstance(number, bool) or not least <= number <= most:
        raise _malformed(f"a {key} that is no number in its range")
    return float(number)


def _evidence_in(value: dict[str, Any]) -> tuple[int, ...]:
    steps = value.get("evidence") or []
    if not isinstance(steps, list) or len(steps) > MOST_EVIDENCE:
        raise _malformed("evidence that is no list of steps")
    if not all(isinstance(step, int) and not isinstance(step, bool) and 0 <= step < 2**31 for step in steps):
        raise _malformed("evidence that is no list of steps")
    return tuple(sorted(set(steps)))
