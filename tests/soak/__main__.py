"""`make soak`: the real server under people who label, and under `kill -9`. Never in CI.

    python -m tests.soak [kills] [crowd] [--minutes 5]

`kills`: 2,000 labels by eight annotators while the server is killed at random moments.
`crowd`: 32 annotators with overlap 2, first at a human pace, then as fast as the server goes.
Ends with status 1 where a label is lost, doubled, or an item over-assigned.
"""

import argparse
import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from data.store import Store
from data.store.tallying import current_labels
from data.study import Study
from data.verify import verify
from tests.browser.desk_in_browser import Server, free_port
from tests.served_study import make_study
from tests.soak.wire_annotator import Ledger, WireAnnotator, resident_mb

SEED = 11


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("parts", nargs="*", choices=["kills", "crowd"], default=["kills", "crowd"])
    parser.add_argument("--minutes", type=float, default=5, help="of the crowd at a human pace")
    asked = parser.parse_args()
    broken = False
    for part in asked.parts:
        with tempfile.TemporaryDirectory() as folder:
            run = kills(Path(folder)) if part == "kills" else crowd(Path(folder), asked.minutes)
            broken |= asyncio.run(run)
    return 1 if broken else 0


async def kills(folder: Path, labels: int = 2000, people: int = 8) -> bool:
    """Whether something was lost or doubled."""
    study = await asyncio.to_thread(make_study, folder / "study", labels)
    server = Server(study, free_port())
    await asyncio.to_thread(server.start)
    ledger, done = Ledger(), asyncio.Event()
    annotators = seats(server, people, ledger, think=0)
    killing = asyncio.create_task(kill_now_and_then(server, done, random.Random(SEED)))
    started = time.perf_counter()
    await asyncio.gather(*(annotator.work(asyncio.Event()) for annotator in annotators))
    seconds = time.perf_counter() - started
    done.set()
    killed = await killing
    await asyncio.to_thread(server.kill)
    print(f"kills: {labels:,} items, {people} annotators, {killed} times kill -9, {seconds:.0f} s")
    return report(study, ledger, wanted=labels)


async def crowd(folder: Path, minutes: float, people: int = 32) -> bool:
    """Whether something was lost, doubled or over-assigned."""
    items = round(minutes * 60 * people * 0.75) + 4000
    study = await asyncio.to_thread(make_study, folder / "study", items, 2)
    server = Server(study, free_port())
    await asyncio.to_thread(server.start)
    empty = resident_mb(server.process.pid)
    ledger, enough = Ledger(), asyncio.Event()
    annotators = seats(server, people, ledger, think=1.0)
    work = [asyncio.create_task(annotator.work(enough)) for annotator in annotators]
    await asyncio.sleep(10)
    seated = resident_mb(server.process.pid)
    open_pages = sum(annotator.socket is not None for annotator in annotators)
    await asyncio.sleep(max(60 * minutes - 10, 0))
    paced, paced_item, count = sorted(ledger.to_durable), sorted(ledger.to_item), len(ledger.to_durable)
    for annotator in annotators:
        annotator.think = 0
    await asyncio.sleep(30)
    fast = ledger.to_durable[count:]
    enough.set()
    await asyncio.gather(*work)
    after = resident_mb(server.process.pid)
    await asyncio.to_thread(server.kill)
    print(f"crowd: {people} annotators ({open_pages} pages open), {items:,} items with overlap 2, {minutes:g} minutes, then 30 s")
    print(f"  {'':34}{'labels/s':>10}{'p50 ms':>10}{'p95 ms':>10}")
    for what, rate, values in (
        ("key to durable, a second an item", count / (60 * minutes), paced),
        ("next item, a second an item", count / (60 * minutes), paced_item),
        ("key to durable, flat out", len(fast) / 30, sorted(fast)),
    ):
        print(f"  {what:34}{rate:>10.1f}{quantile(values, 0.5):>10.0f}{quantile(values, 0.95):>10.0f}")
    each = (seated - empty) / people
    print(f"  server: {empty:.0f} MB empty, {seated:.0f} MB with {people} people ({each:.1f} MB each), {after:.0f} MB in the end")
    return report(study, ledger, wanted=None)


def seats(server: Server, people: int, ledger: Ledger, think: float) -> list[WireAnnotator]:
    """Annotators with a sign-in link each."""
    names = [f"annotator-{number:02}" for number in range(people)]
    return [
        WireAnnotator(name, server.url, link_for(server, name), ledger, think, random.Random(f"{SEED} {name}")) for name in names
    ]


def link_for(server: Server, name: str) -> str:
    from annotate.links import sign_in_link
    from data.store.people import ensure_person

    with Store.open(server.study.database) as store:
        return sign_in_link(store, ensure_person(store, name, lead=False))


async def kill_now_and_then(server: Server, done: asyncio.Event, moments: random.Random) -> int:
    """Kills the server every half to three seconds of its life, and starts it again; how often."""
    killed = 0
    while not done.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), moments.uniform(0.5, 3))
        if not done.is_set():
            await asyncio.to_thread(server.kill)
            killed += 1
            await asyncio.to_thread(server.start)
    return killed


def report(study: Study, ledger: Ledger, wanted: int | None) -> bool:
    """Compares what the annotators were told with what the database holds."""
    with Store.open(study.database) as store:
        refs = dict(store.conn.execute("SELECT a.ref, t.id FROM assignments a JOIN trajectories t ON t.n = a.trajectory"))
        (events,) = store.conn.execute("SELECT count(*) FROM label_events WHERE action = 'label'").fetchone()
        (surplus,) = store.conn.execute("SELECT count(*) FROM label_events WHERE surplus = 1").fetchone()
        (over,) = store.conn.execute(
            """SELECT count(*) FROM (SELECT 1 FROM label_events e JOIN batches b ON b.code = e.batch WHERE e.surplus = 0
               GROUP BY e.trajectory HAVING count(DISTINCT e.annotator) > b.overlap)"""
        ).fetchone()
        held = {(row["annotator"], row["id"]): row["choice"] for row in current_labels(store)}
        findings = verify(store)
    lost = sum(held.get((name, refs[ref])) != choice for (name, ref), choice in ledger.acknowledged.items())
    doubled = events - surplus - len(held)
    missing = 0 if wanted is None else wanted - len(held)
    print(
        f"  {len(ledger.acknowledged):,} acknowledged, {lost} lost, {doubled} doubled, {over} over-assigned, "
        f"{surplus} surplus, {len(ledger.refused)} refused, {len(findings)} findings of verify"
        + (f", {missing} of {wanted:,} missing" if wanted is not None else "")
    )
    for finding in findings[:5]:
        print(f"  {finding.rule}: {finding.where}: {finding.problem}")
    for why in sorted(set(ledger.refused)):
        print(f"  refused: {why}")
    return bool(lost or doubled or over or findings or missing)


def quantile(values: list[float], share: float) -> float:
    """In milliseconds; nan of nothing."""
    return 1000 * statistics.quantiles(values, n=100)[round(100 * share) - 1] if len(values) > 1 else float("nan")


if __name__ == "__main__":
    sys.exit(main())
