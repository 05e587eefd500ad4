"""A judge run's verdicts as columns: trajectory beside answer, now or as they stood at an earlier moment."""

from data.store.columns import Ints, whole_numbers
from data.store.store import Store

UNREADABLE, NO_VERDICT = -1, -2
"""Beside the codes of choices, which begin at 0."""


BELOW, REACHED = 0, 1
"""The codes of scores beside a threshold."""


def verdict_codes(
    store: Store, run: int, question: int, last: int | None = None, threshold: float | None = None
) -> tuple[Ints, Ints]:
    """Trajectory numbers, ascending, and what the run said of each: the code of a choice, or `UNREADABLE`.

    `last`: only the verdicts up to this id; verdicts are never changed, so that is how they stood then.
    `threshold`: of a score whether it is reached (`BELOW`, `REACHED`).
    """
    (choices,) = store.conn.execute("SELECT count(*) FROM choices WHERE question = ?", [question]).fetchone()
    width = max(choices, 2) + 1
    answer = "choice" if threshold is None else "score >= ?5"
    packed = whole_numbers(
        store,
        f"""SELECT trajectory * ?4 + coalesce(({answer}) + 1, 0) AS value FROM verdicts INDEXED BY verdict_answers
            WHERE run = ?1 AND question = ?2 AND repeat = 0 AND (?3 IS NULL OR id <= ?3) ORDER BY trajectory""",
        [run, question, last, width] if threshold is None else [run, question, last, width, threshold],
    )
    return packed // width, packed % width - 1
