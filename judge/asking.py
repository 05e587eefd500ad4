"""Asking a model about many trajectories: at full speed, each paid for once.

A reply is in flight until it is committed, and at most `concurrency` are: whatever ends the process, no more than these are
asked again. Trajectories are read when their turn comes, so that memory does not grow with their number.
"""

import asyncio
import contextlib
import json
import math
import secrets
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from data.errors import RejudgeError
from data.hashing import document_hash
from data.splits import SPLITS
from data.store import Store
from data.store.judging import JudgeRun, Reply, append_replies, ensure_run, judge_runs, to_judge, trajectories
from data.store.selection import told_of
from data.store.snapshots import met, to_and_fro
from data.wording import amount
from judge.completions import reply_of
from judge.endpoint import Came, Connection, JudgeEndpoint, NoReply, NotThisRequest, Parameters, Probed
from judge.identity import Judge
from judge.prompts import record
from judge.summary import RunSummary

__all__ = ["Judge", "Parameters", "Progress", "RunSummary", "ask", "earlier_snapshots", "found_before", "probe"]

GATHERING_SECONDS = 0.002
GROUPS = 3
"""What is open is committed in so many groups. Were it one, all calls would set out together and come back together, and this
process would have nothing to do in between."""


class Progress(Protocol):
    """Who watches a run."""

    def came(self, summary: RunSummary) -> None:
        """Some replies were stored."""

    def warn(self, text: str) -> None:
        """Something to be said while it goes on."""


def probe(store: Store, endpoint: JudgeEndpoint, parameters: Parameters) -> Probed:
    """A small call that shows how the endpoint can be asked and which model it says it is.

    How it can be asked is decided once and kept in the study. Raises RejudgeError where it cannot be asked.
    """
    known = found_before(store, endpoint)

    async def probed() -> Probed:
        async with Connection(endpoint) as connection:
            return await connection.probe(parameters, known)

    found = asyncio.run(probed())
    if found.document() != known:
        with store.write():
            store.set_fact(_fact(endpoint), json.dumps(found.document()))
    met(store, endpoint.base_url, endpoint.model, [found.completion.model])
    return found


def found_before(store: Store, endpoint: JudgeEndpoint) -> dict[str, Any] | None:
    """The document of what an earlier `probe` showed; None where there was none."""
    kept = store.fact(_fact(endpoint))
    return None if kept is None else dict(json.loads(kept))


def _fact(endpoint: JudgeEndpoint) -> str:
    return f"endpoint {endpoint.base_url} {endpoint.model}"


def earlier_snapshots(store: Store, judge: Judge, snapshot: str) -> list[str]:
    """Other models that the server said it was when this prompt was put to the same model at the same endpoint.

    Empty where it was the same one at any time.
    """
    told = [
        str(run.document.get("snapshot"))
        for run in judge_runs(store)
        if run.kind == "asked"
        and [run.document.get(key) for key in ("endpoint", "model", "prompt")] == [judge.base_url, judge.model, judge.prompt.hash]
    ]
    return [] if snapshot in told else list(dict.fromkeys(told))


def ask(
    store: Store,
    judge: Judge,
    numbers: Sequence[int],
    repeat: int = 0,
    concurrency: int = 16,
    progress: Progress | None = None,
    probed: Probed | None = None,
) -> RunSummary:
    """Asks the judge about those of the trajectories (by number) that it has no verdict on, and stores what comes.

    `probed`: what `probe` has shown; it is called where that is not given. Ctrl-C lets what is in flight come; a second one
    leaves it. Raises RejudgeError for what no further call can get past; what came before is stored.
    """
    found = probed or probe(store, judge.endpoint, judge.parameters)
    judge = replace(judge, parameters=judge.parameters.as_found(found.document()))
    prompt = record(store, judge.study, judge.prompt, judge.asked.code)
    snapshot = found.completion.model
    summary = RunSummary(
        judge.asked.question.id, repeat, len(numbers), most_at_once=concurrency, lowest_pace=concurrency,
        told_of=told_of(store, prompt),
    )  # fmt: skip
    together = to_and_fro(store, judge.base_url, judge.model, snapshot)
    if len(together) > 1:
        _warn(
            progress,
            f"{judge.base_url} goes to and fro between models as {judge.model}: {', '.join(map(repr, together))}. "
            "Each verdict goes to the run of the model that gave it; what one of them has answered is not asked again. "
            "To have one of them judge everything, ask for it by its own name with --model.",
        )
    if told := [each for each in earlier_snapshots(store, judge, snapshot) if each not in together]:
        _warn(
            progress,
            f"{judge.base_url} says that {judge.model} is {snapshot!r} now; it was {', '.join(map(repr, told))} before. "
            "That is another judge: its verdicts go to a run of their own, and all trajectories are asked again.",
        )
    identities = [document_hash("judge", judge.document(each, found.mode)) for each in together]
    left = numbers
    for run in judge_runs(store):
        if run.identity in identities:
            missing = set(to_judge(store, run.code, judge.asked.code, SPLITS, repeat=repeat))
            left = [number for number in left if number in missing]
            summary.runs.append(run.name)
    summary.there = len(numbers) - len(left)
    if left:
        mine = _Mine.begun(store, f"asking {min(identities)[:16]} {repeat}")
        asking = _Asking(store, judge, prompt, found, repeat, concurrency, progress, summary, mine, together)
        try:
            asyncio.run(asking.all_of(left))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        if (failure := asking.failure) is not None:
            kept = f" {amount(summary.came, 'verdict')} came before that and stay." if summary.came else ""
            raise type(failure)(failure.wrong, failure.found, f"{failure.do}{kept}")
    return summary


def _warn(progress: Progress | None, text: str) -> None:
    if progress is not None:
        progress.warn(text)


@dataclass(frozen=True, slots=True)
class _Mine:
    """Which process began last to ask a judge: of two at once that one stops, so that they do not pay for the same replies."""

    fact: str
    token: str

    @classmethod
    def begun(cls, store: Store, fact: str) -> "_Mine":
        mine = cls(fact, secrets.token_hex(8))
        with store.write():
            store.set_fact(fact, mine.token)
        return mine

    def check(self, store: Store, there: int) -> None:
        """`there`: of the replies that came just now, those that somebody else had stored. Raises RejudgeError where this stops."""
        if there and store.fact(self.fact) == self.token:
            raise RejudgeError(
                "Another process brings replies of this judge too.",
                f"Found {amount(there, 'reply', 'replies')} that it had stored while this one asked for them.",
                "Let it end, then run the same command for what is left.",
            )


@dataclass(frozen=True, slots=True)
class _Pending:
    """A reply that came and is not committed yet."""

    reply: Reply
    snapshot: str
    cut: tuple[str, ...]
    tells: bool
    """Whether its snapshot is to be remembered (see `_tells`)."""
    committed: "asyncio.Future[None]"


def _released(group: Sequence[_Pending]) -> None:
    """Whoever waits for these to be stored goes on."""
    for each in group:
        if not each.committed.done():
            each.committed.set_result(None)


@dataclass
class _Asking:
    """One pass over a list of trajectories, within one event loop."""

    store: Store
    judge: Judge
    prompt: int
    probed: Probed
    repeat: int
    concurrency: int
    progress: Progress | None
    summary: RunSummary
    mine: _Mine
    together: tuple[str, ...]
    """The models that the server is known to go between."""
    failure: RejudgeError | None = None
    connection: Connection = field(init=False)
    pending: list[_Pending] = field(default_factory=list)
    runs: dict[str, JudgeRun] = field(default_factory=dict)
    """By the snapshot that the server reports."""
    heard: dict[str, float] = field(init=False)
    """When each of them was first heard in this pass; the one that the probe met was there before."""
    no_more: bool = False
    """Nothing more will be pending."""
    writes: bool = True
    """Whether what is pending is still going to be stored."""

    async def all_of(self, numbers: Sequence[int]) -> None:
        start = time.monotonic()
        self.something = asyncio.Event()
        self.heard = {self.probed.completion.model: -math.inf}
        async with Connection(self.judge.endpoint, self.concurrency) as self.connection:
            with ThreadPoolExecutor(1) as pool, self._stopped_by_signals():
                writer = asyncio.create_task(self._write(pool))
                try:
                    await self._ask(numbers)
                finally:
                    self.no_more = True
                    self.something.set()
                    await asyncio.shield(writer)
                    self.summary.seconds = time.monotonic() - start
                    self.summary.retried = self.connection.retried
                    self.summary.lowest_pace = self.connection.pace.lowest
                    self.summary.stopped = self.connection.stopping.is_set() and self.failure is None

    async def _ask(self, numbers: Sequence[int]) -> None:
        """A task for each call that is open, waits for its next attempt, or comes next: twice as many as may be open."""
        places = asyncio.Semaphore(2 * self.concurrency)
        open: set[asyncio.Task[None]] = set()
        surprises: list[BaseException] = []

        def done(task: asyncio.Task[None]) -> None:
            open.discard(task)
            places.release()
            if not task.cancelled() and (error := task.exception()) is not None:
                surprises.append(error)
                self.connection.stopping.set()

        try:
            for number in numbers:
                await places.acquire()
                if self.connection.stopping.is_set():
                    break
                task = asyncio.create_task(self._one(number))
                open.add(task)
                task.add_done_callback(done)
            while open:
                await asyncio.wait(open)
        finally:
            for task in open:
                task.cancel()
        if surprises:
            raise surprises[0]

    async def _one(self, number: int) -> None:
        """One trajectory, to a reply that is stored."""
        steps, cut = 0, tuple[str, ...]()

        def body() -> dict[str, Any]:
            nonlocal steps, cut
            (trajectory,) = trajectories(self.store, [number])
            shown = self.judge.shown(trajectory)
            steps, cut = len(trajectory.steps), shown.cut
            return self.judge.body(shown.text, self.probed.mode)

        async def keep(came: Came) -> None:
            reply = reply_of(
                came.completion, self.judge.asked.question, number, steps, mode=self.probed.mode,
                price=self.judge.study.judge_price, repeat=self.repeat, seconds=came.seconds, attempts=came.attempts, cut=cut,
            )  # fmt: skip
            if came.completion.fingerprint:
                self.summary.fingerprints.add(came.completion.fingerprint)
            snapshot = came.completion.model
            await self._keep(reply, snapshot, cut, self._tells(snapshot, time.monotonic() - came.seconds))

        start = time.monotonic()
        try:
            await self.connection.send(body, keep=keep)
        except NoReply as error:
            self.summary.without_reply += 1
            if self.connection.heard_at < start:
                # Nobody else heard anything either: the server is gone.
                self._fail(self.connection.unreachable(error))
        except NotThisRequest as error:
            if error.of_this_item:
                reply = error.reply(number, self.repeat, self.probed.mode, self.judge.view, cut)
                await self._keep(reply, self.probed.completion.model, cut)
            else:
                self._fail(error.refusal(self.judge.endpoint))
        except RejudgeError as error:
            self._fail(error)

    def _fail(self, error: RejudgeError) -> None:
        self.failure = self.failure or error
        self.connection.stopping.set()

    def _tells(self, snapshot: str, sent: float) -> bool:
        """Whether a reply shows a model that the server was not yet, or that it came back to one.

        Only what was sent after another model's first reply shows that: many are open at once, and one that comes later may have
        been answered before the server was replaced.
        """
        first = self.heard.get(snapshot)
        if first is None:
            self.heard[snapshot] = time.monotonic()
            return bool(snapshot)
        return any(first < other < sent for other in self.heard.values())

    async def _keep(self, reply: Reply, snapshot: str, cut: tuple[str, ...], tells: bool = False) -> None:
        if not self.writes:
            return
        committed = asyncio.get_running_loop().create_future()
        self.pending.append(_Pending(reply, snapshot, cut, tells, committed))
        self.something.set()
        await committed

    async def _write(self, pool: ThreadPoolExecutor) -> None:
        """The one writer. While one group is committed the next one gathers."""
        loop = asyncio.get_running_loop()
        store: Store | None = None
        try:
            while True:
                await self.something.wait()
                if len(self.pending) < self.concurrency // 8 and not self.no_more:
                    # A commit for each reply would cost more than it saves; what is open takes no harm from waiting this long.
                    await asyncio.sleep(GATHERING_SECONDS)
                self.something.clear()
                most = max(1, self.concurrency // GROUPS)
                group, self.pending = self.pending[:most], self.pending[most:]
                if self.pending or self.no_more:
                    self.something.set()
                if group:
                    # SQLite's connections belong to a thread; this one must not wait for a disk.
                    if store is None:
                        store = await loop.run_in_executor(pool, Store.open, self.store.path)
                    await self._commit(loop, pool, store, group)
                elif self.no_more:
                    return
        finally:
            self._end_writing()
            if store is not None:
                await loop.run_in_executor(pool, store.close)

    def _end_writing(self) -> None:
        """Where it ends by an error, nothing that comes is stored: nothing more is sent, and nobody waits for the disk."""
        self.writes = False
        if not self.no_more:
            self.connection.stopping.set()
        _released(self.pending)

    async def _commit(self, loop: asyncio.AbstractEventLoop, pool: ThreadPoolExecutor, store: Store, group: list[_Pending]) -> None:
        try:
            await loop.run_in_executor(pool, self._append, store, group)
        except RejudgeError as error:
            self._fail(error)
        else:
            for each in group:
                self.summary.add(each.reply, each.cut)
            if self.progress is not None:
                self.progress.came(self.summary)
        finally:
            _released(group)

    def _append(self, store: Store, group: list[_Pending]) -> None:
        """In the writer's thread: each reply to the run of the model that the server said it was."""
        met(store, self.judge.base_url, self.judge.model, [each.snapshot for each in group if each.tells])
        for snapshot in dict.fromkeys(each.snapshot for each in group):
            if snapshot not in self.runs:
                self.runs[snapshot] = self._run_of(store, snapshot)
            replies = [each.reply for each in group if each.snapshot == snapshot]
            written = append_replies(store, self.runs[snapshot].code, self.judge.asked.code, replies)
            if snapshot in self.together:
                # Another model's run may have had them from before: only of these it is known what was there.
                self.mine.check(store, len(replies) - len(written))

    def _run_of(self, store: Store, snapshot: str) -> JudgeRun:
        document = self.judge.document(snapshot, self.probed.mode)
        run, _ = ensure_run(store, self.judge.run_name, "asked", self.prompt, document, self.judge.view.document())
        if run.name not in self.summary.runs:
            self.summary.runs.append(run.name)
        if snapshot not in self.together:
            _warn(
                self.progress,
                f"{self.judge.base_url} says that {self.judge.model} is {snapshot!r} now, and no longer "
                f"{self.probed.completion.model!r}. That is another judge: verdicts go on under {run.name}.",
            )
        return run

    @contextlib.contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        """Ctrl-C (or SIGTERM) lets what is in flight come, the second one does not wait for it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        assert main is not None

        def stop() -> None:
            if self.connection.stopping.is_set():
                main.cancel()
                return
            self.connection.stopping.set()
            _warn(self.progress, "Stopping: what is in flight may still come. Ctrl-C again leaves it.")

        caught = (signal.SIGINT, signal.SIGTERM)
        for each in caught:
            loop.add_signal_handler(each, stop)
        try:
            yield
        finally:
            for each in caught:
                loop.remove_signal_handler(each)
