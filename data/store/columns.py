"""Columns of whole numbers out of SQLite, fast: a million in a tenth of a second.

A row that Python takes from SQLite costs an object or two. Here SQLite writes a whole column as one
text and numpy reads it, so no row becomes an object.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from data.store.store import Store

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def whole_numbers(store: Store, query: str, parameters: list[Any]) -> Ints:
    """The whole numbers that `query` gives as its column `value`, in its order; up to some fifty million."""
    # SQLite keeps the order of a subquery under an aggregate that depends on it, as group_concat does.
    (text,) = store.conn.execute(f"SELECT group_concat(value) FROM ({query})", parameters).fetchone()
    return np.fromstring(text, dtype=np.int64, sep=",") if text is not None else np.empty(0, dtype=np.int64)


def trajectory_count(store: Store) -> int:
    """The highest number of a trajectory; they are numbered from 1 without gaps."""
    return int(store.conn.execute("SELECT coalesce(max(n), 0) FROM trajectories").fetchone()[0])
