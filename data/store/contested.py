"""Items that wait for a decision, and the votes on one of them.

A vote is a person's latest blind label, else her imported one; unsure is a vote and no answer. Votes are
shown without names, in an order that is shuffled anew for each item, so that nobody gets to know an
annotator by her place.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.store.chosen import CHOSEN_NAMES
from data.store.gold import Decided, answer_of
from data.store.store import Store

REASONS = ("tie", "split", "unsure", "flagged")
"""`tie`: annotators differ, and there is no consensus (see `consensus.py`); `split`: they differ, and there is one;
`unsure`: somebody was; `flagged`."""


@dataclass(frozen=True, slots=True)
class Contested:
    """An item on which there is something to decide."""

    trajectory: int
    reasons: tuple[str, ...]
    batch: str | None
    """None: its labels were imported."""
    open: bool
    """Its batch is not closed: whoever labels in it and looks here is not blind to it any more."""
    decided: bool


@dataclass(frozen=True, slots=True)
class Vote:
    """What one annotator said of the item, without her name."""

    letter: str
    answer: Decided | None
    """None: unsure, or a flag alone."""
    unsure: bool
    rationale: str
    evidence: tuple[int, ...]
    confidence: int | None
    codebook_version: int | None
    """None: an imported label."""
    flags: tuple[str, ...]
    """The reasons for which she flagged the item, whatever the question."""


def contested(store: Store, question_code: int) -> list[Contested]:
    """Every item to decide on or decided, in the order of batches and within them of drawing; then the imported ones.

    An item of a batch that is not closed is there once all its labels are in.
    """
    found = []
    for trajectory, tie, split, unsure, flagged, batch, state, missing, decided in store.conn.execute(
        _CONTESTED, {"question": question_code}
    ):
        reasons = tuple(reason for reason, holds in zip(REASONS, (tie, split, unsure, flagged), strict=True) if holds)
        still_open = state in ("open", "paused")
        if decided or not (still_open and missing):
            found.append(Contested(trajectory, reasons, batch, still_open, bool(decided)))
    return found


_VOTES = """
SELECT trajectory, annotator, action, answer, kind, chosen, last, max(phase = 'blind') AS blind FROM (
    SELECT trajectory, annotator, phase, action, coalesce(choice, chosen, score) AS answer, chosen, max(seq) AS last,
           CASE WHEN score IS NOT NULL THEN 'score' WHEN chosen IS NOT NULL THEN 'chosen' ELSE 'choice' END AS kind
    FROM label_events INDEXED BY label_answers
    WHERE question = :question AND phase IN ('blind', 'imported') AND surplus = 0 AND action <> 'flag'
    GROUP BY phase, annotator, trajectory)
WHERE action IN ('label', 'unsure') GROUP BY trajectory, annotator
"""
_CONTESTED = f"""
WITH votes AS MATERIALIZED ({_VOTES}),
answers AS (SELECT trajectory, answer, kind, count(*) AS k FROM votes WHERE action = 'label' GROUP BY trajectory, answer),
halved AS (SELECT trajectory FROM votes v JOIN choices k ON k.question = :question WHERE v.chosen IS NOT NULL
           GROUP BY trajectory, k.code HAVING 2 * sum(v.chosen >> k.code & 1) = count(*)),
differing AS (
    SELECT trajectory, CASE kind WHEN 'score' THEN 0 WHEN 'chosen' THEN trajectory IN halved ELSE 2 * max(k) <= sum(k) END AS tie
    FROM answers GROUP BY trajectory HAVING count(*) > 1),
unsure AS (SELECT DISTINCT trajectory FROM votes WHERE action = 'unsure'),
flagged AS (SELECT DISTINCT trajectory FROM label_events WHERE action = 'flag' AND phase <> 'hunt'),
decided AS (SELECT DISTINCT trajectory FROM adjudications WHERE question = :question),
open_items AS (
    SELECT trajectory FROM differing UNION SELECT trajectory FROM unsure
    UNION SELECT trajectory FROM flagged UNION SELECT trajectory FROM decided)
SELECT o.trajectory, d.tie, NOT d.tie,
       o.trajectory IN unsure, o.trajectory IN flagged, b.name, b.state,
       EXISTS (SELECT 1 FROM places p LEFT JOIN assignments a ON a.id = p.assignment
               WHERE p.batch = i.batch AND p.number = i.number AND coalesce(a.state, '') <> 'finished'),
       o.trajectory IN decided
FROM open_items o LEFT JOIN differing d ON d.trajectory = o.trajectory
LEFT JOIN (SELECT trajectory, max(batch) AS batch, number FROM batch_items JOIN batches d ON d.code = batch
           WHERE d.kind = 'estimate' GROUP BY trajectory) i
       ON i.trajectory = o.trajectory
LEFT JOIN batches b ON b.code = i.batch ORDER BY b.code IS NULL, b.code, i.number, o.trajectory
"""


def votes_on(store: Store, question_code: int, trajectory: int, phases: Sequence[str] = ("blind", "imported")) -> list[Vote]:
    """The votes and flags on one item, anonymous and in an order of this item's own. `phases`: which labels are votes."""
    latest: dict[tuple[int, str], Sequence[Any]] = {}
    flags: dict[int, list[str]] = {}
    for annotator, phase, action, *said in store.conn.execute(
        _CAST, {"question": question_code, "trajectory": trajectory, "phases": json.dumps(phases)}
    ):
        if action == "flag":
            flags.setdefault(annotator, []).append(str(said[-1] or ""))
        else:
            latest[annotator, phase] = (action, *said)
    # `imported` sorts after `blind`: the blind label takes the place of the same person's imported one.
    ordered = sorted(latest.items(), reverse=True)
    cast = {annotator: said for (annotator, _), said in ordered if said[0] in ("label", "unsure")}
    people = sorted(cast.keys() | flags.keys())
    random.Random(f"votes {store.fact('salt')} {trajectory}").shuffle(people)
    return [
        _vote(chr(ord("A") + place) if place < 26 else str(place + 1), cast.get(one), flags.get(one, []))
        for place, one in enumerate(people)
    ]


def _vote(letter: str, said: Sequence[Any] | None, flags: list[str]) -> Vote:
    if said is None:
        return Vote(letter, None, False, "", (), None, None, tuple(flags))
    action, choice, choices, score, rationale, evidence, confidence, version, _ = said
    return Vote(
        letter,
        answer_of(choice, choices, score),
        action == "unsure",
        rationale or "",
        tuple(json.loads(evidence)),
        confidence,
        version,
        tuple(flags),
    )


_CAST = f"""
SELECT e.annotator, e.phase, e.action, c.name, {CHOSEN_NAMES}, e.score,
       e.rationale, coalesce(e.evidence, '[]'), e.confidence, b.version, e.reason
FROM label_events e LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
LEFT JOIN codebooks b ON b.question = e.question AND b.hash = e.codebook
WHERE e.trajectory = :trajectory AND (e.question = :question OR e.action = 'flag')
  AND e.phase IN (SELECT value FROM json_each(:phases)) AND e.surplus = 0
ORDER BY e.seq
"""


def trajectory_text(store: Store, trajectory: int) -> tuple[str | None, str, str] | None:
    """(task, steps, metadata) of one item as they were imported; None where there is no such item."""
    row: tuple[str | None, str, str] | None = store.conn.execute(
        "SELECT task, steps, metadata FROM trajectories WHERE n = ?", [trajectory]
    ).fetchone()
    return row
