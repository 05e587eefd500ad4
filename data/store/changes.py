"""Has the study moved on? One small query, for whoever keeps what was counted."""

from data.store.store import Store

Moment = tuple[object, ...]
"""Compare for equality: two equal moments of one study have the same labels, verdicts, decisions, draws and runs."""


def moment_of(store: Store) -> Moment:
    """Where the study stands. Leases and drafts do not move it."""
    row: Moment = store.conn.execute(
        """SELECT (SELECT group_concat(name || ' ' || seq) FROM sqlite_sequence), (SELECT max(n) FROM trajectories),
                  (SELECT group_concat(state) FROM batches), (SELECT count(*) FROM exposures WHERE what = 'verdict'),
                  (SELECT max(code) FROM annotators), (SELECT count(finished_at) FROM imports)"""
    ).fetchone()
    return row
