"""A study that several people labelled at their desks, on a clock of its own: how often each errs, tires, dawdles."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.store import events
from data.study import Study
from tests.study_maker import Sitting, draw_batch, make_study, run_line, verdict

CHOICES = ("aligned", "misaligned")


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who labels."""

    handle: str
    errs: float = 0.0
    """The chance of a wrong label."""
    tires: float = 0.0
    """How much higher that chance is at the end of a session than at its beginning."""
    seconds: float = 60.0
    """The median time at an item."""
    session: int = 40
    """Items before a long break."""


def at_work(
    folder: Path,
    clock: pytest.MonkeyPatch,
    workers: Sequence[Worker],
    items: int,
    *,
    judge_errs: float = 0.1,
    overlap: int | None = None,
    seed: int = 5,
    positives: float = 0.4,
) -> Study:
    """Everybody labels everything (or `overlap` of them each item) of a batch; a judge has verdicts on all."""
    dice = random.Random(seed)
    truth = {f"r{place:03}": dice.random() < positives for place in range(items)}
    lines = [run_line(id, verdicts=[verdict(CHOICES[bad ^ (dice.random() < judge_errs)])]) for id, bad in truth.items()]
    study = make_study(folder, lines)
    draw_batch(study, items, overlap=overlap or len(workers))
    for worker in workers:
        sit_down(study, clock, worker, truth, dice)
    return study


def sit_down(study: Study, clock: pytest.MonkeyPatch, worker: Worker, truth: dict[str, bool], dice: random.Random) -> None:
    """One person labels until nothing is left, with a break of an hour after each session."""
    moment = datetime(2026, 3, 2, 9, tzinfo=UTC)
    clock.setattr(events, "now", lambda: moment.isoformat(timespec="milliseconds"))
    with Sitting(study, worker.handle, f"tab of {worker.handle} {dice.random()}") as sitting:
        place = 0
        while held := sitting.claim():
            at = place % worker.session
            chance = worker.errs + worker.tires * at / max(1, worker.session - 1)
            seconds = worker.seconds * dice.lognormvariate(0, 0.5)
            moment += timedelta(seconds=seconds + 3 + (3600 if at == 0 and place else 0))
            bad = truth[sitting.id_of(held[0])] ^ (dice.random() < chance)
            why = sitting.label(held[0], CHOICES[bad], active_seconds=seconds)
            assert not why, why
            place += 1
