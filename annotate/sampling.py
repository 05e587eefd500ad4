"""Drawing a batch: a probability sample with everything recorded that a figure will need.

Simple, or stratified by the verdicts of a judge run. The frame is sorted by id and shuffled by a seeded
generator, so the same study and seed give the same batch on any machine.
"""

import random
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Any

from annotate.hunting import Hunted, plan_hunt
from data.errors import DrawRefused
from data.store import Store
from data.store.batches import DrawnStratum, FrameItem, NewBatch, add_batch, batch_names, distinct_contents, frame, labelled_frame
from data.store.draws import VerdictStrata, verdict_names
from data.store.incoming import unfinished_imports
from data.store.status import judge_run_codes, questions_of_run
from data.study import Study
from data.wording import amount

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
    by: VerdictStrata | None = None
    """The verdicts to stratify by; None for a simple draw."""
    retest: bool = False
    """Items that were labelled already, to be labelled once more by the same people."""
    hunt: Hunted | None = None
    """Train items on which a judge is suspected of errors; no sample, and part of no figure."""


def verdicts_meant(store: Store, study: Study, run: str | None, question: str | None) -> VerdictStrata:
    """The verdicts that `--stratify verdict` means. Raises DrawRefused where they are not named, or cannot make strata."""
    runs = judge_run_codes(store)
    if run is None or run not in runs:
        raise DrawRefused(
            "--stratify verdict needs --run." if run is None else f"There is no judge run {run!r}.",
            f"Runs in this study: {', '.join(runs) or 'none'}.",
            "Name the one whose verdicts make the strata." if runs else "Import verdicts first, or draw without --stratify.",
        )
    answered = questions_of_run(store, runs[run])
    if question is None and len(answered) > 1:
        raise DrawRefused(
            f"Run {run!r} answers several questions.", f"Found {', '.join(answered)}.", "Name one of them with --question."
        )
    if question is not None and question not in answered:
        raise DrawRefused(
            f"Run {run!r} has no verdict on {question!r}.",
            f"It answers {', '.join(answered)}.",
            "Name one of these with --question.",
        )
    meant = question or answered[0]
    declared = next((each for each in study.questions if each.id == meant), None)
    if declared is None:
        raise DrawRefused(
            f"The question {meant!r} is not declared any more.", f"Found it in study.db, and not in {study.toml}.", "Put it back."
        )
    if declared.type == "multilabel" or (declared.type == "score" and declared.threshold is None):
        raise DrawRefused(
            f"Verdicts on {meant!r} cannot make strata.",
            f"It is a {declared.type} question" + (" without a threshold." if declared.type == "score" else "."),
            "Declare a threshold in study.toml, or draw without --stratify."
            if declared.type == "score"
            else "Draw without --stratify, or by another question.",
        )
    return VerdictStrata(run, meant, declared.threshold)


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
        seed = request.seed or secrets.token_hex(4)
        if request.hunt:
            batch = plan_hunt(store, request.hunt, request.size, request.overlap, name, seed)
        else:
            items = _frame(store, request)
            _check_size(items, request)
            batch = plan(items, request, name, seed, verdict_names(store, request.by) if request.by else {})
        add_batch(store, batch)
    return batch


def _frame(store: Store, request: DrawRequest) -> list[FrameItem]:
    if request.retest:
        return labelled_frame(store, request.split, request.overlap)
    return frame(store, request.split, request.by)


def _check_size(items: list[FrameItem], request: DrawRequest) -> None:
    """Refuses a draw of more items than there are, or of too few for one of every stratum."""
    if len(items) < request.size:
        where = f"split {request.split}" if request.split else "the study"
        if request.retest:
            raise DrawRefused(
                f"There are fewer than {request.size} items to label again.",
                f"Found {len(items)} in {where} that {amount(request.overlap, 'person', 'people')} with access labelled blind, "
                "and that are in no other retest.",
                f"Ask for --n {len(items)} or less." if items else "Let more of a batch be labelled first.",
            )
        raise DrawRefused(
            f"There are fewer than {request.size} items to draw from.",
            f"Found {len(items)} in {where} that are in no other estimate batch.",
            f"Ask for --n {len(items)} or less." if items else "Import more trajectories, or choose another --split.",
        )
    strata = len({item.verdict for item in items})
    if strata > request.size:
        raise DrawRefused(
            f"{request.size} items cannot cover {strata} strata.",
            "A stratum of which nothing is drawn would leave every figure undefined.",
            f"Ask for --n {strata} or more, or draw without --stratify.",
        )


def copies_in(store: Store, batch: NewBatch) -> int:
    """How many of its items have the content of another of its items: one annotator gets only one of such twins."""
    return len(batch.items) - distinct_contents(store, [item.n for item in batch.items])


def plan(items: list[FrameItem], request: DrawRequest, name: str, seed: str, verdicts: dict[int, str] | None = None) -> NewBatch:
    """The batch that `seed` draws from the frame `items`, which is sorted by id.

    `verdicts`: the names of the strata by code, in the order in which they are drawn.
    """
    chance = random.Random(f"rejudge draw {seed}")
    recipe: dict[str, Any] = {
        "design": "retest" if request.retest else "simple",
        "n": request.size,
        "overlap": request.overlap,
        "split": request.split or "all",
    }
    splits = dict(Counter(item.split for item in items))
    if request.by is None:
        whole = DrawnStratum("all", None, len(items), request.size)
        drawn = chance.sample(items, request.size)
        return NewBatch(name, request.overlap, seed, recipe, splits, [whole], drawn, "retest" if request.retest else "estimate")
    stratify = {"by": "verdict", "run": request.by.run, "question": request.by.question}
    threshold = {} if request.by.threshold is None else {"threshold": request.by.threshold}
    recipe |= {"design": f"stratified:{request.by.run}", "stratify": stratify | threshold}
    by_verdict: dict[int | None, list[FrameItem]] = {}
    for item in items:
        by_verdict.setdefault(item.verdict, []).append(item)
    parts = {code: by_verdict[code] for code in verdicts or {} if code in by_verdict}
    shares = equal_shares([len(part) for part in parts.values()], request.size)
    strata, drawn = [], []
    for (code, part), share in zip(parts.items(), shares, strict=True):
        strata.append(DrawnStratum((verdicts or {})[code], code, len(part), share))
        drawn += chance.sample(part, share)
    # Every annotator's order is made from the items' numbers, and those must not tell a stratum.
    chance.shuffle(drawn)
    return NewBatch(name, request.overlap, seed, recipe, splits, strata, drawn)


def equal_shares(sizes: list[int], total: int) -> list[int]:
    """How many to draw from strata of these sizes: equal numbers, a small one whole and its rest given to the others.

    What does not divide goes to the larger ones. `total` is at most the sum of `sizes`.
    """
    shares = [0] * len(sizes)
    for done, place in enumerate(sorted(range(len(sizes)), key=lambda place: (sizes[place], place))):
        shares[place] = min(sizes[place], (total - sum(shares)) // (len(sizes) - done))
    return shares
