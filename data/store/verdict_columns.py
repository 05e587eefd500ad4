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
    answer = "choice" if threshold is None else "score >= :threshold"
    packed = whole_numbers(
        store,
        f"""SELECT trajectory * :width + coalesce(({answer}) + 1, 0) AS value FROM verdicts INDEXED BY verdict_answers
            WHERE run = :run AND question = :question AND repeat = 0 AND (:last IS NULL OR id <= :last) ORDER BY trajectory""",
        {"run": run, "question": question, "last": last, "width": width, "threshold": threshold},
    )
    return packed // width, packed % width - 1
