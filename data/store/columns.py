"""Columns of whole numbers out of SQLite, fast: a million in some tenths of a second.

A row that Python takes from SQLite costs an object or two. Here SQLite writes a whole column as one
text and numpy reads it, so no row becomes an object.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from data.store.store import Store

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def whole_numbers(store: Store, query: str, parameters: Mapping[str, Any] | None = None) -> Ints:
    """The whole numbers that `query` gives as its column `value`, in its order; up to some fifty million."""
    # SQLite keeps the order of a subquery under an aggregate that depends on it, as group_concat does.
    (text,) = store.conn.execute(f"SELECT group_concat(value) FROM ({query})", parameters or {}).fetchone()
    return np.fromstring(text, dtype=np.int64, sep=",") if text is not None else np.empty(0, dtype=np.int64)


def real_numbers(store: Store, query: str, parameters: Mapping[str, Any]) -> Floats:
    """The numbers that `query` gives as its only column, exactly; NaN for NULL."""
    return np.array([row[0] for row in store.conn.execute(query, parameters)], dtype=np.float64)


def numbered(values: Ints) -> tuple[Ints, Ints]:
    """The values that occur, ascending, and for each of `values` its place among them. For whole numbers from 0."""
    if len(values) and int(values.max()) > 8 * len(values) + 1024:
        there, place = np.unique(values, return_inverse=True)
        return there, place
    present = np.bincount(values) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1)[values]


def trajectory_count(store: Store) -> int:
    """The highest number of a trajectory; they are numbered from 1 without gaps."""
    return int(store.conn.execute("SELECT coalesce(max(n), 0) FROM trajectories").fetchone()[0])
