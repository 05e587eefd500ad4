"""Which models a server said it was, while a run was asked."""

import json
from collections.abc import Sequence

from data.store.store import Store


def snapshots(store: Store, run: int, question: int, items: Sequence[int]) -> dict[str, int]:
    """Snapshot to verdicts that it brought, by name, of these trajectories; `run`, `question`: codes."""
    rows = store.conn.execute(_SNAPSHOTS, {"run": run, "question": question, "items": json.dumps(list(items))})
    return dict(rows.fetchall())


_SNAPSHOTS = """
SELECT c.snapshot, count(*) FROM json_each(:items) j
JOIN verdicts v ON v.trajectory = j.value AND v.run = :run AND v.question = :question AND v.repeat = 0
JOIN judge_calls c ON c.verdict = v.id WHERE c.snapshot <> '' GROUP BY c.snapshot ORDER BY c.snapshot
"""
