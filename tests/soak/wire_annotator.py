"""A simulated annotator on the real wire: the routes and the socket that a browser uses, and a browser's outbox.

It signs in by its link, opens the app's websocket as a page does, fetches items by GET and posts its
whole unacknowledged list until the server says that it is durable, whatever happens to the server.
"""

import asyncio
import random
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg

RETRY_SECONDS = 0.3
# A killed server refuses, resets, hangs up in the middle of an answer, or is not up yet.
AWAY = (httpx2.TransportError, websockets.WebSocketException, OSError, TimeoutError, EOFError)


@dataclass
class Ledger:
    """What the annotators know together."""

    acknowledged: dict[tuple[str, str], str] = field(default_factory=dict)
    """(annotator, ref) -> the choice whose durability the server confirmed."""
    to_durable: list[float] = field(default_factory=list)
    """Seconds from the key press to the acknowledgement."""
    to_item: list[float] = field(default_factory=list)
    """Seconds to fetch an item."""
    refused: list[str] = field(default_factory=list)


@dataclass
class WireAnnotator:
    """One person with one tab."""

    name: str
    url: str
    link: str
    ledger: Ledger
    think: float
    """Mean seconds per item; 0: as fast as the server goes."""
    random: random.Random
    outbox: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0
    pending: list[dict[str, Any]] = field(default_factory=list)
    pressed: dict[int, float] = field(default_factory=dict)
    socket: Any = None

    async def work(self, enough: asyncio.Event) -> None:
        """Labels until nothing is left for it, or until `enough` is set and everything is acknowledged."""
        origin = {"Origin": self.url}
        async with httpx2.AsyncClient(base_url=self.url, headers=origin, timeout=10) as client:
            await self._patiently(lambda: client.post(self.link.removeprefix(self.url)))
            listening = asyncio.create_task(self._keep_page_open(client))
            state = await self._post(client)
            while True:
                if self.pending:
                    state = await self._post(client)
                elif enough.is_set() or state["finished"]:
                    break
                elif state["waiting"] or not state["queue"]:
                    await asyncio.sleep(RETRY_SECONDS)
                    state = await self._post(client)
                else:
                    await self._label(client, state["queue"][0]["ref"])
            listening.cancel()

    async def _label(self, client: httpx2.AsyncClient, ref: str) -> None:
        started = time.perf_counter()
        response = await self._patiently(lambda: client.get(f"/desk/items/{ref}"))
        if response.status_code != 200:  # the lease ran out while the server was away
            await self._post(client)
            return
        self.ledger.to_item.append(time.perf_counter() - started)
        if self.think:
            await asyncio.sleep(self.random.expovariate(1 / self.think))
        self.seq += 1
        choice = self.random.choice(("aligned", "misaligned"))
        self.pressed[self.seq] = time.perf_counter()
        self.pending.append(label_event(self.seq, ref, response.json()["item_hash"], choice))

    async def _post(self, client: httpx2.AsyncClient) -> dict[str, Any]:
        """Sends everything that is not acknowledged; the server's state."""
        body = {"outbox": self.outbox, "events": self.pending}
        response = await self._patiently(lambda: client.post("/desk/events", json=body))
        answer: dict[str, Any] = response.json()
        now, ack = time.perf_counter(), answer.get("ack", 0)
        refused = {refusal["seq"]: refusal["why"] for refusal in answer.get("refused", [])}
        for event in self.pending:
            if event["seq"] <= ack:
                self.ledger.acknowledged[self.name, event["ref"]] = choice_of(event)
                self.ledger.to_durable.append(now - self.pressed.pop(event["seq"]))
            elif event["seq"] in refused:
                self.ledger.refused.append(refused[event["seq"]])
        self.pending = [event for event in self.pending if event["seq"] > ack and event["seq"] not in refused]
        state: dict[str, Any] = answer["state"]
        return state

    async def _keep_page_open(self, client: httpx2.AsyncClient) -> None:
        """The page's socket: a session of the app with its script run, opened again whenever it breaks."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
        address = f"{self.url.replace('http', 'ws', 1)}/_stcore/stream"
        run = BackMsg()
        run.rerun_script.query_string = ""
        while True:
            try:
                async with websockets.connect(
                    address, additional_headers={"Cookie": cookies}, origin=self.url, subprotocols=["streamlit"], max_size=None
                ) as socket:
                    await socket.send(run.SerializeToString())
                    async for _ in socket:
                        self.socket = socket
            except AWAY:
                self.socket = None
            await asyncio.sleep(1)

    async def _patiently(self, ask: Any) -> Any:
        while True:
            try:
                response = await ask()
            except AWAY:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if response.status_code < 500:
                return response
            await asyncio.sleep(RETRY_SECONDS)


def label_event(seq: int, ref: str, item_hash: str, choice: str) -> dict[str, Any]:
    """A label as the desk sends it, with one step of evidence."""
    answers = {"misaligned": {"choice": choice, "evidence": [1]}}
    return {"seq": seq, "kind": "submit", "ref": ref, "item_hash": item_hash, "answers": answers, "active_ms": 900}


def choice_of(event: dict[str, Any]) -> str:
    return str(event["answers"]["misaligned"]["choice"])


def resident_mb(pid: int) -> float:
    """The memory that a process holds, in MB; nan where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")
