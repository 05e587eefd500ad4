"""Processes that label, for tests that race them or kill them.

They are forked from one process that has imported everything: a life then costs milliseconds.

    python -m tests.label_worker crowd STUDY PEOPLE [FIRST]  everybody labels until nothing is left
    python -m tests.label_worker lives STUDY SEED COUNT      COUNT lives, each ended by SIGKILL at a random moment
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from data.store.leases import others_hold_something
from data.study import Study, load_study
from tests.study_maker import Sitting


def label_until_done(study: Study, handle: str, gate: int) -> list[str]:
    """The ids that `handle` labelled, in order; begins when the other end of `gate` is closed."""
    mine = []
    with Sitting(study, handle) as me:
        os.read(gate, 1)
        while (held := me.claim()) or others_hold_something(me.store, me.desk.annotator):
            # Reading takes a moment; without it one process keeps the lock and the others only watch.
            time.sleep(0.01)
            if held:
                mine.append(me.id_of(held[0]))
                assert not me.label(held[0])
    return mine


def crowd(study: Study, people: int, first: int = 0) -> dict[str, list[str]]:
    """Who labelled what, of `people` who worked at the same time; the first of them has the number `first`."""
    gate, keeper = os.pipe()
    readers = {}
    for k in range(first, first + people):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(keeper)
            with os.fdopen(writer, "w") as out:
                json.dump(label_until_done(study, f"person-{k}", gate), out)
            os._exit(0)
        os.close(writer)
        readers[f"person-{k}"] = reader
    time.sleep(0.3)
    os.close(keeper)
    given = {}
    for handle, reader in readers.items():
        with os.fdopen(reader) as lines:
            given[handle] = json.load(lines)
        assert os.wait()[1] == 0
    return given


def label_for_ever(study: Study, outbox: str, seed: int, out: int) -> None:
    """Labels, undoes and labels again, and says each sequence number once it is acknowledged."""
    chance = random.Random(seed)
    with Sitting(study, "ana", outbox=outbox) as me:
        done: list[str] = []
        while True:
            held = me.claim()
            if not held or (done and chance.random() < 0.2):
                why = me.do("undo", done.pop() if done else me.one("SELECT ref FROM assignments ORDER BY random() LIMIT 1"))
            else:
                why = me.label(held[0], chance.choice(("aligned", "misaligned")), rationale="x" * chance.randrange(2000))
                done.append(held[0])
            assert not why, why
            os.write(out, f"{me.seq}\n".encode())


def lives(study: Study, seed: int, count: int) -> list[tuple[str, int]]:
    """The (outbox, sequence number) of everything that was acknowledged before the kill."""
    chance = random.Random(seed)
    acknowledged = []
    for life in range(count):
        outbox = f"life {life}"
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            label_for_ever(study, outbox, seed * 1000 + life, writer)
        os.close(writer)
        with os.fdopen(reader) as lines:
            # Two lives of three end while labels are being written, the third also before the first one.
            said = [lines.readline()] if life % 3 else []
            time.sleep(chance.uniform(0, 0.03))
            os.kill(child, signal.SIGKILL)
            said += lines
        ended = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL, "it died of something else"
        acknowledged += [(outbox, int(line)) for line in said if line.endswith("\n")]
    return acknowledged


if __name__ == "__main__":
    what, folder, *numbers = sys.argv[1:]
    work = {"crowd": crowd, "lives": lives}[what]
    json.dump(work(load_study(Path(folder)), *map(int, numbers)), sys.stdout)
