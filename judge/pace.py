"""How many calls are open at once: as many as asked for, fewer while the server says that it is too many.

What is counted are answers of the server, in windows of at least sixteen: where a quarter of them say "too many", half as
many calls are let through; else an eighth of the window more, up to what was asked for. Single failures among many
answers slow nothing down.
"""

import asyncio
from collections import deque

_SMALLEST_WINDOW = 16
_TOO_MANY = 0.25
"""The share of a window that makes the pace slower."""


class Pace:
    """Lets at most `limit` through at a time: `async with pace: …`. Bound to one event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = most
        self.lowest = most
        """The lowest limit that there was."""
        self.open = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._heard = self._limited = 0

    async def __aenter__(self) -> None:
        if self.open < self.limit and not self._waiting:
            self.open += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        self.open -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.open < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self.open += 1
                place.set_result(None)

    def heard(self, limited: bool) -> None:
        """An answer of the server; `limited`: it says that there are too many calls."""
        self._heard += 1
        self._limited += limited
        if self._heard < max(_SMALLEST_WINDOW, self.limit):
            return
        if self._limited >= _TOO_MANY * self._heard:
            self.limit = max(1, self.limit // 2)
            self.lowest = min(self.lowest, self.limit)
        else:
            self.limit = min(self.most, self.limit + max(1, self._heard // 8))
        self._heard = self._limited = 0
        self._admit()
