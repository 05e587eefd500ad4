"""Drawing a hunt: train items on which a judge is suspected of errors, the most suspicious first.

Equally suspicious ones are taken by lot, so the same study and seed give the same batch on any machine. The items are then
shuffled: everybody's order is made from their numbers, and must not tell how suspicious they are.
"""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from data.errors import DrawRefused
from data.questions import Question
from data.store import Store
from data.store.batches import DrawnStratum, FrameItem, NewBatch
from data.store.hunting import DISAGREE, FLIP, LOW, REASONS, Suspect, free_of_train, suspects
from data.store.status import judge_run_codes, questions_of_run
from data.study import Study
from data.wording import amount


@dataclass(frozen=True, slots=True)
class Hunted:
    """Whose errors a hunt is after."""

    run: str | None
    """The judge run; None: any."""
    code: int | None
    """Of the run."""
    question: str | None
    """The one that was named; None: all that are asked."""
    questions: tuple[Question, ...]


def hunted_meant(store: Store, study: Study, run: str | None, question: str | None) -> Hunted:
    """What `--hunt` means with `--run` and `--question`. Raises DrawRefused for names that are not there."""
    runs = judge_run_codes(store)
    if run is not None and run not in runs:
        raise DrawRefused(
            f"There is no judge run {run!r}.", f"Runs in this study: {', '.join(runs) or 'none'}.", "Name one of these, or none."
        )
    judged = {id for name, code in runs.items() if run in (None, name) for id in questions_of_run(store, code)}
    questions = tuple(each for each in study.questions if each.id in judged and question in (None, each.id))
    if not questions:
        on = "any question of this study" if question is None else f"{question!r}"
        raise DrawRefused(
            "There is nothing to hunt by.",
            f"Found no verdict on {on}" + (f" by {run!r}." if run else "."),
            "Import verdicts, or let a judge run, and hunt for its errors then.",
        )
    return Hunted(run, runs[run] if run else None, question, questions)


def plan_hunt(store: Store, hunted: Hunted, size: int, overlap: int, name: str, seed: str) -> NewBatch:
    """The hunt that `seed` draws. Raises DrawRefused where fewer items are suspicious."""
    found = suspects(store, hunted.questions, hunted.code)
    if len(found) < size:
        raise _too_few(store, hunted, len(found), size)
    chance = random.Random(f"rejudge hunt {seed}")
    chance.shuffle(found)
    taken = sorted(found, key=lambda suspect: suspect.rank, reverse=True)[:size]
    chance.shuffle(taken)
    recipe: dict[str, Any] = {"design": "hunt", "n": size, "overlap": overlap, "split": "train", "reasons": reasons(taken)}
    recipe |= {"run": hunted.run, "question": hunted.question}
    stratum = DrawnStratum("suspected", None, len(found), size)
    items = [FrameItem(suspect.trajectory, suspect.id, "train") for suspect in taken]
    return NewBatch(name, overlap, seed, recipe, {"train": len(found)}, [stratum], items, "hunt")


def _too_few(store: Store, hunted: Hunted, found: int, size: int) -> DrawRefused:
    """Why there is nothing (more) to hunt, and what would change that: another judge does not where every item is labelled."""
    free, whole = free_of_train(store)
    wrong = f"There {'is no item' if size == 1 else f'are fewer than {size} items'} to hunt."
    if not whole:
        return DrawRefused(
            wrong, "Found no trajectory in train, and a hunt takes items of train alone.",
            "Import more; a study with train = 0 only measures, and keeps nothing that may be worked on.",
        )  # fmt: skip
    if not free:
        return DrawRefused(
            wrong,
            f"Found 0 of train that are free: each of its {amount(whole, 'item', form=',')} has a label or is in a batch already.",
            "Where humans and judge differ on these, the page Disagreements takes a cause (in a batch once it is closed). "
            "To hunt, import trajectories that nobody has labelled.",
        )
    return DrawRefused(
        wrong,
        f"Found {found:,} of train on which {' or '.join(_SAID[reason] for reason in REASONS)}"
        f"{f' (run {hunted.run})' if hunted.run else ''}, among the {free:,} of {whole:,} that are in no batch and have no label.",
        f"Ask for --n {found} or less." if found else "Let the judge run again with --repeats 3, or a second judge beside it.",
    )


_SAID = {DISAGREE: "judges disagree", FLIP: "verdicts flip over repeats", LOW: "a judge's confidence is low"}


def reasons(taken: list[Suspect]) -> dict[str, int]:
    """Reason to how many items have it; an item may have several."""
    counts = Counter(reason for suspect in taken for reason in suspect.reasons)
    return {reason: counts[reason] for reason in REASONS if counts[reason]}
