"""The next item out of 100,000 with 32 annotators: a label goes in, the next item is claimed, and it is read.

What the server does for one key press, without the browser and the network: from the answer's arrival to the
item that comes next, durable. Measured at the beginning of a batch, with half of it done, and near its end,
where little is free and most of what one looks at is taken; and for somebody who is done while others are not.
"""

import tempfile
import time
from pathlib import Path

from data.store import Store
from data.store.leases import AnnotatorOrder
from data.store.people import ensure_person
from data.store.store import now
from data.store.versions import record_versions
from data.study import Study
from tests.benchmarks.bulk import Bulk, bulk_study
from tests.study_maker import Sitting, draw_batch

ITEMS = (1_000, 10_000, 100_000)
PEOPLE = 32
ROUNDS = 12
PHASES = {"at the beginning": 0.0, "half done": 0.5, "95 % done": 0.95, "99.5 % done": 0.995}
SEED = "claiming"


def main() -> None:
    print(f"label to next item on the server, {PEOPLE} annotators, two labels an item; p50 / p95 in ms; budget p95 50 ms")
    print(f"{'items':>10}" + "".join(f"{phase:>18}" for phase in (*PHASES, "nothing left")))
    before: list[float] = []
    for items in ITEMS:
        phases = [measure(items, done) for done in PHASES.values()]
        phases.append(idle(items))
        print(f"{items:>10,}" + "".join(f"{_shown(values):>18}" for values in phases))
        now_ = [_at(values, 0.5) for values in phases]
        if before:
            print(f"{'growth':>10}" + "".join(f"{after / earlier:>18.1f}" for after, earlier in zip(now_, before, strict=True)))
        before = now_


def measure(items: int, done: float) -> list[float]:
    """Milliseconds of each label with its claim and the reading of what comes next."""
    with tempfile.TemporaryDirectory() as folder:
        study = bulk_study(Path(folder) / "study", Bulk(items))
        draw_batch(study, items, overlap=2, seed=SEED)
        handles = [f"person-{k}" for k in range(PEOPLE)]
        fill(study, handles, done)
        people = [Sitting(study, handle) for handle in handles]
        for person in people:
            person.claim()
        taken = []
        for _ in range(ROUNDS):
            for person in people:
                held = person.held()
                if not held:
                    continue
                begun = time.perf_counter()
                person.label(held[0])
                if person.held():
                    person.read(person.held()[0])
                taken.append(1000 * (time.perf_counter() - begun))
        for person in people:
            person.close()
    return taken


def idle(items: int) -> list[float]:
    """Milliseconds of asking for somebody who has had every item, while others have half of theirs before them."""
    with tempfile.TemporaryDirectory() as folder:
        study = bulk_study(Path(folder) / "study", Bulk(items))
        draw_batch(study, items, overlap=2, seed=SEED)
        fill(study, ["quick"], 0.5)
        taken = []
        with Sitting(study, "quick") as quick:
            for _ in range(20):
                begun = time.perf_counter()
                quick.claim()
                taken.append(1000 * (time.perf_counter() - begun))
            assert quick.held() == []
    return taken


def fill(study: Study, handles: list[str], done: float) -> None:
    """As if `handles` had finished this share of all places in turn, each in her own order; straight into the tables."""
    with Store.open(study.database) as store:
        record_versions(store, study)
        people = [ensure_person(store, handle, lead=False).code for handle in handles]
        (size,) = store.conn.execute("SELECT count(*) FROM batch_items").fetchone()
        orders = [AnnotatorOrder.of(SEED, person, size) for person in people]
        ranks = [0] * len(people)
        given = [0] * (size + 1)
        rows, turn = [], 0
        while len(rows) < int(done * 2 * size):
            who = turn % len(people)
            turn += 1
            while ranks[who] < orders[who].prime:
                number = orders[who].number_at(ranks[who])
                ranks[who] += 1
                if 1 <= number <= size and given[number] < 2:
                    given[number] += 1
                    rows.append((len(rows) + 1, number, given[number], people[who]))
                    break
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


def _shown(values: list[float]) -> str:
    return f"{_at(values, 0.5):.1f} / {_at(values, 0.95):.1f}"
