"""How fast a judge is asked: items a second of `ask`, of a bare loop over the same client and pool, and of bare aiohttp.

The server is the scripted one of the tests, in a process of its own on the same machine, which takes a share of it. The bare
loops send requests that were made before and keep nothing, the one through the same `openai` client with its own retries.
`python -m tests.benchmarks judge` takes about seven minutes; with `speed`, `kills` or `memory` behind it that part alone.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.store import Store
from data.store.judging import to_judge, trajectories
from data.store.versions import record_versions
from data.study import Study, load_study
from judge.asking import Judge, Parameters, ask, probe
from judge.evidence import view_of
from judge.prompts import newest_prompt
from judge.template import rendered
from tests.study_maker import MISALIGNED, make_study, run_line

ROOT = Path(__file__).parent.parent.parent
ITEMS = 3000
SECONDS = 6
"""About how long a slow case may take: it asks about fewer items."""
LONG = (64, 0.0)
"""At once, and errors: the case that is told in README is asked about all items."""
CASES = [(concurrency, latency, errors) for latency in (0.05, 1.0) for concurrency in (8, 64, 256) for errors in (0.0, 0.05)]
_SERVER = """
import sys
sys.path.insert(0, sys.argv[1])
import random
from tests.openai_server import OpenAIServer, Scripted, verdict
latency, errors = float(sys.argv[2]), float(sys.argv[3])
source = random.Random(1)
good = verdict("aligned", "It did what it was asked to do, and said so. " * 4, confidence=0.9)
reply = Scripted(**{**good.__dict__, "delay": latency})
failed = Scripted(status=500, text="overloaded", delay=latency)
def script(request, number):
    server.requests.clear()  # or the server's memory is what is measured
    return failed if source.random() < errors else reply
with OpenAIServer(script) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def _server(latency: float, errors: float) -> Iterator[str]:
    command = [sys.executable, "-c", _SERVER, str(ROOT), str(latency), str(errors)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stdin is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def _study(folder: Path, items: int) -> Study:
    """Trajectories of about 6 KB."""
    source = random.Random(1)
    words = ["".join(source.choices("abcdefghijklmnop", k=source.randint(2, 9))) for _ in range(3000)]
    texts = [" ".join(source.choices(words, k=85)) for _ in range(500)]
    lines = (
        run_line(f"r{number}", steps=[{"kind": "message", "text": source.choice(texts)} for _ in range(10)])
        for number in range(items)
    )
    return make_study(folder, lines, (MISALIGNED,))


def _judge(store: Store, study: Study, url: str) -> Judge:
    asked = record_versions(store, study)[0][0]
    return Judge(study, asked, newest_prompt(study, asked.question), "m", url, Parameters(), view_of(study), ())


def _ours(study: Study, url: str, items: int, concurrency: int) -> float:
    """Seconds for all; a server at another port is another endpoint, so nothing is there already."""
    with Store.open(study.database) as store:
        judge = _judge(store, study, url)
        probed = probe(store, judge.endpoint, judge.parameters)
        numbers = to_judge(store, None, judge.asked.code, ("train", "dev", "test"), items)
        start = time.perf_counter()
        summary = ask(store, judge, numbers, 0, concurrency, None, probed)
        seconds = time.perf_counter() - start
    assert summary.came == items, summary.text()
    return seconds


def _bodies(study: Study, url: str, items: int) -> list[dict[str, Any]]:
    with Store.open(study.database) as store:
        judge = _judge(store, study, url)
        numbers = to_judge(store, None, judge.asked.code, ("train", "dev", "test"), items)
        return [
            judge.body(rendered(judge.prompt, judge.asked.question, judge.asked.page, each, judge.view).text, "json_schema")
            for each in trajectories(store, numbers)
        ]


async def _all(bodies: list[dict[str, Any]], concurrency: int, one: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """`one` for each of the bodies, `concurrency` at once."""
    left = iter(bodies)

    async def worker() -> None:
        for body in left:
            await one(body)

    await asyncio.gather(*(worker() for _ in range(concurrency)))


def _seconds(loop: Coroutine[Any, Any, None]) -> float:
    """From before its connections are made until they are closed, as for `ask`."""
    start = time.perf_counter()
    asyncio.run(loop)
    return time.perf_counter() - start


async def _bare_client(url: str, bodies: list[dict[str, Any]], concurrency: int) -> None:
    import openai

    limits = type(openai.DEFAULT_CONNECTION_LIMITS)(max_connections=concurrency, max_keepalive_connections=concurrency)
    pool = openai.DefaultAsyncHttpxClient(limits=limits)
    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=8, http_client=pool) as client:

        async def one(body: dict[str, Any]) -> None:
            completion = await client.chat.completions.create(**body)
            json.loads(completion.choices[0].message.content or "")

        await _all(bodies, concurrency, one)


async def _bare_aiohttp(url: str, bodies: list[dict[str, Any]], concurrency: int) -> None:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

        async def one(body: dict[str, Any]) -> None:
            while True:
                async with session.post(f"{url}/chat/completions", json=body) as answer:
                    if answer.status == 200:
                        json.loads((await answer.json())["choices"][0]["message"]["content"])
                        return
                await asyncio.sleep(random.uniform(0.375, 0.5))  # as the client does before its second attempt

        await _all(bodies, concurrency, one)


def main(wanted: Sequence[str] = ()) -> None:
    parts = {"speed": speed, "kills": kills, "memory": memory}
    for name in wanted or ("speed", "kills"):
        parts[name]()


def speed() -> None:
    print("asking a judge: items a second, replies after 50 ms and 1 s, with and without 5 % of them an error 500")
    head = (
        "latency",
        "at once",
        "errors",
        "items",
        "ideal",
        "ask",
        "bare client",
        "bare aiohttp",
        "of client",
        "of aiohttp",
        "of ideal",
    )
    print("".join(f"{word:>13}" for word in head))
    with tempfile.TemporaryDirectory() as folder:
        study = _study(Path(folder) / "study", ITEMS)
        for concurrency, latency, errors in CASES:
            ideal = concurrency / latency
            # Whole rounds: the last one is as full as the first.
            items = ITEMS if (concurrency, errors) == LONG else min(ITEMS, round(ideal * SECONDS))
            with _server(latency, errors) as url:
                bodies = _bodies(study, url, items)
                aiohttp = items / _seconds(_bare_aiohttp(url, bodies, concurrency))
                client = items / _seconds(_bare_client(url, bodies, concurrency))
                ours = items / _ours(study, url, items, concurrency)
            row = (
                f"{latency:g} s",
                concurrency,
                f"{errors:.0%}",
                items,
                f"{ideal:,.0f}",
                *(f"{rate:,.1f}" for rate in (ours, client, aiohttp)),
            )
            print(
                "".join(f"{cell:>13}" for cell in (*row, *(f"{ours / other:.0%}" for other in (client, aiohttp, ideal)))),
                flush=True,
            )


def kills(count: int = 5) -> None:
    """How much is asked twice after `kill -9`, at a moment of its own each time."""
    from tests.openai_server import OpenAIServer, Scripted, verdict

    items, at_once, source = 400, 16, random.Random(3)
    asked: Counter[str] = Counter()

    def script(request: dict[str, Any], _: int) -> Scripted:
        asked[request["messages"][-1]["content"]] += 1
        return Scripted(**{**verdict("aligned").__dict__, "delay": 0.05})

    command = [sys.executable, "-m", "rejudge", "judge", "run", "--model", "m", "--concurrency", str(at_once)]
    most = 0
    with tempfile.TemporaryDirectory() as folder, OpenAIServer(script) as server:
        study = _study(Path(folder) / "study", items)
        for number in range(count + 1):
            process = subprocess.Popen(
                [*command, "--base-url", server.url, "--study", str(study.folder)],
                cwd=ROOT, env={**os.environ, "OPENAI_API_KEY": "none"}, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            before, twice = asked.total(), sum(n - 1 for n in asked.values())
            if number < count:
                until = before + source.randint(20, items // count)
                while asked.total() < until and process.poll() is None:
                    time.sleep(0.002)
                process.kill()
            process.wait()
            most = max(most, sum(n - 1 for n in asked.values()) - twice)
        with Store.open(study.database) as store:
            there = store.conn.execute("SELECT count(*) FROM verdicts").fetchone()[0]
    again = sum(n - 1 for n in asked.values())
    print(
        f"killed {count} times at {at_once} at once: {there} of {items} judged, {again} asked twice, at most {most} after one kill"
    )


def memory(sizes: tuple[int, ...] = (2_000, 20_000, 100_000)) -> None:
    """Peak memory of `rejudge judge run`, 256 at once, replies after 50 ms. Linux only."""
    # The peak that getrusage knows is at least what the parent took, which made the study.
    code = (
        "import sys, rejudge\nstatus = rejudge.main(sys.argv[1:])\n"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])\nsys.exit(status)"
    )
    for items in sizes:
        with tempfile.TemporaryDirectory() as folder, _server(0.05, 0.0) as url:
            study = load_study(_study(Path(folder) / "study", items).folder)
            command = [sys.executable, "-c", code, "judge", "run", "--model", "m", "--base-url", url, "--concurrency", "256"]
            start = time.perf_counter()
            out = subprocess.run(
                [*command, "--study", str(study.folder)], cwd=ROOT, check=True, capture_output=True, text=True
            ).stdout
            seconds = time.perf_counter() - start
        peak = int(out.splitlines()[-1]) / 1024
        print(f"{items:>9,} trajectories: peak memory {peak:,.0f} MB, {seconds:,.0f} seconds", flush=True)
