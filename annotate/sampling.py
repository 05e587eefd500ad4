"""Drawing a batch: a simple random sample with everything recorded that a figure will need.

The frame is sorted by id and shuffled by a seeded generator, so the same study and seed give the same
batch on any machine.
"""

import random
import secrets
from collections import Counter
from dataclasses import dataclass

from data.errors import DrawRefused
from data.store import Store
from data.store.batches import FrameItem, NewBatch, add_batch, batch_names, distinct_contents, frame
from data.store.incoming import unfinished_imports

MOST_OVERLAP = 100


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """What `rejudge draw` was asked for."""

    size: int
    overlap: int = 1
    split: str | None = None
    """`train`, `dev` or `test`; None for all."""
    name: str | None = None
    seed: str | None = None


def draw(store: Store, request: DrawRequest) -> NewBatch:
    """Draws and opens a batch. Raises DrawRefused; then nothing was written."""
    if request.size < 1 or not 1 <= request.overlap <= MOST_OVERLAP:
        raise DrawRefused(
            f"A batch needs at least one item, and one to {MOST_OVERLAP} labels per item.",
            f"Found --n {request.size} and --overlap {request.overlap}.",
            "Ask for whole numbers in that range.",
        )
    for option, text in (("--name", request.name), ("--seed", request.seed)):
        if text is not None and not (text.strip() and text.isprintable()):
            raise DrawRefused(f"{option} cannot be shown.", f"Found {text!r}.", "Use printable characters.")
    unfinished = unfinished_imports(store)
    if unfinished:
        raise DrawRefused(
            "An import was broken off, so the frame is not complete.",
            f"Unfinished: {', '.join(unfinished)}.",
            "Run the same `rejudge import` on the same file again; it finishes the rest. Without that file, begin a new study.",
        )
    with store.write():
        names = batch_names(store)
        name = request.name or next(f"batch-{k}" for k in range(1, len(names) + 2) if f"batch-{k}" not in names)
        if name in names:
            raise DrawRefused(f"There is a batch {name!r} already.", f"Batches: {', '.join(names)}.", "Choose another --name.")
        items = frame(store, request.split)
        if len(items) < request.size:
            where = f"split {request.split}" if request.split else "the study"
            raise DrawRefused(
                f"There are fewer than {request.size} items to draw from.",
                f"Found {len(items)} in {where} that are in no other estimate batch.",
                f"Ask for --n {len(items)} or less." if items else "Import more trajectories, or choose another --split.",
            )
        batch = plan(items, request, name, request.seed or secrets.token_hex(4))
        add_batch(store, batch)
    return batch


def copies_in(store: Store, batch: NewBatch) -> int:
    """How many of its items have the content of another of its items: one annotator gets only one of such twins."""
    return len(batch.items) - distinct_contents(store, [item.n for item in batch.items])


def plan(items: list[FrameItem], request: DrawRequest, name: str, seed: str) -> NewBatch:
    """The batch that `seed` draws from the frame `items`, which is sorted by id."""
    drawn = random.Random(f"rejudge draw {seed}").sample(items, request.size)
    return NewBatch(
        name=name,
        overlap=request.overlap,
        seed=seed,
        recipe={"design": "simple", "n": request.size, "overlap": request.overlap, "split": request.split or "all"},
        frame={"items": len(items), "strata": {"all": len(items)}, "splits": dict(Counter(item.split for item in items))},
        items=drawn,
        inclusion=request.size / len(items),
    )
