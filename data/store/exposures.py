"""Who was shown an answer to what: a verdict, or other people's labels.

A person may lead and label. What she was shown an answer to, the desk never gives her again, and a
label that she gave before stays. Each first time is a row, with the number of the last label event
before it, so that what came before and what after does not hang on a clock.
"""

import json
from collections.abc import Sequence

from data.store.leases import lapse
from data.store.store import Store, now

KINDS = ("verdict", "votes")


def record_exposure(store: Store, annotator: int, trajectory: int, what: str) -> None:
    """Notes that `annotator` is about to be shown `what` (see `KINDS`) of `trajectory`, before it is shown.

    An item of this content that lies at her desk is taken from it. The second time changes nothing.
    """
    record_exposures(store, annotator, [trajectory], what)


def record_exposures(store: Store, annotator: int, trajectories: Sequence[int], what: str) -> None:
    """The same of several items that are shown together, in one transaction."""
    known = {
        row[0]
        for row in store.conn.execute(
            """SELECT j.value FROM json_each(?) j JOIN exposures x
               ON x.annotator = ? AND x.trajectory = j.value AND x.what = ?""",
            [json.dumps(list(trajectories)), annotator, what],
        )
    }
    new = json.dumps(sorted(set(trajectories) - known))
    if new == "[]":
        return
    with store.write():
        store.conn.execute(
            """INSERT INTO exposures SELECT ?, value, ?, ?, (SELECT coalesce(max(seq), 0) FROM label_events)
               FROM json_each(?) WHERE true ON CONFLICT DO NOTHING""",
            [annotator, what, now(), new],
        )
        held = store.conn.execute(
            """SELECT a.id FROM assignments a JOIN trajectories t ON t.n = a.trajectory
               WHERE a.annotator = ? AND a.state = 'leased'
               AND t.content_hash IN (SELECT x.content_hash FROM json_each(?) j JOIN trajectories x ON x.n = j.value)""",
            [annotator, new],
        ).fetchall()
        lapse(store, held)


def was_shown_answers(store: Store, annotator: int, trajectory: int) -> bool:
    """Whether she was shown an answer to this run, or to another of the same content."""
    row = store.conn.execute(
        """SELECT 1 FROM trajectories t CROSS JOIN trajectories twin CROSS JOIN exposures x
           WHERE t.n = ?2 AND twin.content_hash = t.content_hash AND x.trajectory = twin.n AND x.annotator = ?1 LIMIT 1""",
        [annotator, trajectory],
    ).fetchone()
    return row is not None


def labels_by_leads(store: Store) -> dict[str, tuple[int, int]]:
    """Question id to (labels, labels before any verdict) of people with a lead's role.

    Counted are current labels of this study's batches, unsure ones included; `before` are those that were
    given before their annotator had been shown any verdict at all.
    """
    rows = store.conn.execute(_BY_LEADS).fetchall()
    return {question: (labels, before) for question, labels, before in rows}


_BY_LEADS = """
SELECT q.id, count(*), sum(e.last <= coalesce((SELECT min(x.after_event) FROM exposures x
                                               WHERE x.annotator = e.annotator AND x.what = 'verdict'), e.last))
FROM (SELECT annotator, trajectory, question, action, max(seq) AS last FROM label_events
      WHERE phase = 'blind' AND surplus = 0 AND action <> 'flag' AND annotator IN (SELECT code FROM annotators WHERE role = 'lead')
      GROUP BY question, annotator, trajectory) e
JOIN questions q ON q.code = e.question WHERE e.action IN ('label', 'unsure') GROUP BY q.id ORDER BY q.id
"""
