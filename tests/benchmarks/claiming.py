"""The next item out of 100,000 with 32 annotators: a label goes in, the next item is claimed, and it is read.

What the server does for one key press, without the browser and the network: from the answer's arrival to the
item that comes next, durable. Measured at the beginning of a batch, with half of it done, and near its end,
where little is free and most of what one looks at is taken; and for somebody who is done while others are not.
"""

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from data.store import Store
from data.store.leases import AnnotatorOrder
from data.store.people import ensure_person
from data.store.store import now
from data.store.versions import record_versions
from data.study import Study, load_study
from tests.benchmarks.bulk import Bulk, bulk_study
from tests.study_maker import Sitting, draw_batch

ITEMS = (1_000, 10_000, 100_000)
PEOPLE = 32
ROUNDS = 12
PHASES = {"at the beginning": 0.0, "half done": 0.5, "95 % done": 0.95, "99.5 % done": 0.995}
NOTHING_LEFT = "nothing left"
SEED = "claiming"


def main() -> None:
    print(f"label to next item on the server, {PEOPLE} annotators, two labels an item; p50 / p95 in ms; budget p95 50 ms")
    print("below: p50 of the processor's time, which is what a busy machine leaves comparable, and its growth")
    print(f"{'items':>10}" + "".join(f"{phase:>18}" for phase in (*PHASES, NOTHING_LEFT)))
    before: list[float] = []
    for items in ITEMS:
        measured = measure(items)
        print(f"{items:>10,}" + "".join(f"{_at(wall, 0.5):>10.1f} / {_at(wall, 0.95):.1f}".rjust(18) for wall, _ in measured))
        medians = [_at(processor, 0.5) for _, processor in measured]
        print(f"{'processor':>10}" + "".join(f"{median:>18.2f}" for median in medians))
        if before:
            print(f"{'growth':>10}" + "".join(f"{now_ / then:>18.1f}" for now_, then in zip(medians, before, strict=True)))
        before = medians


Times = tuple[list[float], list[float]]
"""Milliseconds by the clock and of the processor."""


def measure(items: int) -> list[Times]:
    """Phase by phase: one study, copied for each."""
    with tempfile.TemporaryDirectory() as folder:
        base = bulk_study(Path(folder) / "base", Bulk(items)).folder
        draw_batch(load_study(base), items, overlap=2, seed=SEED)
        measured = []
        for phase, done in PHASES.items():
            study = load_study(Path(shutil.copytree(base, Path(folder) / phase)))
            measured.append(labelling(study, done))
        study = load_study(Path(shutil.copytree(base, Path(folder) / NOTHING_LEFT)))
        return [*measured, idle(study)]


def labelling(study: Study, done: float) -> Times:
    """Of each label with its claim and the reading of what comes next."""
    handles = [f"person-{k}" for k in range(PEOPLE)]
    fill(study, handles, done)
    people = [Sitting(study, handle) for handle in handles]
    for person in people:
        person.claim()
    times: Times = ([], [])
    for _ in range(ROUNDS):
        for person in people:
            held = person.held()
            if held:
                begun = time.perf_counter(), time.process_time()
                person.label(held[0])
                following = person.held()
                if following:
                    person.read(following[0])
                _note(times, begun)
    for person in people:
        person.close()
    return times


def idle(study: Study) -> Times:
    """Of asking, for somebody who has had every item, while others have theirs before them."""
    fill(study, ["quick"], 0.5)
    times: Times = ([], [])
    with Sitting(study, "quick") as quick:
        for _ in range(20):
            begun = time.perf_counter(), time.process_time()
            quick.claim()
            _note(times, begun)
        assert quick.held() == []
    return times


def _note(times: Times, begun: tuple[float, float]) -> None:
    times[0].append(1000 * (time.perf_counter() - begun[0]))
    times[1].append(1000 * (time.process_time() - begun[1]))


def fill(study: Study, handles: list[str], done: float) -> None:
    """As if `handles` had finished this share of all places in turn, each in her own order; straight into the tables."""
    with Store.open(study.database) as store:
        record_versions(store, study)
        people = [ensure_person(store, handle, lead=False).code for handle in handles]
        (size,) = store.conn.execute("SELECT count(*) FROM batch_items").fetchone()
        numbers = np.arange(1, size + 1)
        orders = [AnnotatorOrder.of(SEED, person, size) for person in people]
        queues = [iter(numbers[np.argsort(order.rank_of(numbers))].tolist()) for order in orders]
        given = [0] * (size + 1)
        rows: list[tuple[int, int, int, int]] = []
        turn = 0
        while len(rows) < int(done * 2 * size):
            who = turn % len(people)
            turn += 1
            number = next((number for number in queues[who] if given[number] < 2), None)
            if number is not None:
                given[number] += 1
                rows.append((len(rows) + 1, number, given[number], people[who]))
        _write(store, rows)


def _write(store: Store, rows: list[tuple[int, int, int, int]]) -> None:
    """(assignment, item number, place, annotator) as finished assignments."""
    with store.write():
        store.conn.execute("INSERT INTO shown VALUES ('bulk', 1, '{}')")
        store.conn.execute("CREATE TEMP TABLE filled (id INTEGER PRIMARY KEY, number INTEGER, place INTEGER, annotator INTEGER)")
        store.conn.executemany("INSERT INTO filled VALUES (?, ?, ?, ?)", rows)
        store.conn.execute(
            """INSERT INTO assignments (id, ref, batch, number, trajectory, annotator, state, leased_at, leased_until, shown)
               SELECT f.id, 'bulk-' || f.id, 1, f.number, i.trajectory, f.annotator, 'finished', ?, 0, 'bulk'
               FROM filled f JOIN batch_items i ON i.batch = 1 AND i.number = f.number""",
            [now()],
        )
        store.conn.execute(
            """UPDATE places SET assignment = f.id FROM filled f
               WHERE places.batch = 1 AND places.number = f.number AND places.place = f.place"""
        )


def _at(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]
