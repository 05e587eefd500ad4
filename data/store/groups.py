"""Groups of trajectories as whole numbers."""

import numpy as np

from data.store.columns import Ints, trajectory_count, whole_numbers
from data.store.store import Store


def group_numbers(store: Store) -> Ints:
    """By trajectory number (place 0 is nobody's): the number of its group, from 0; groups lie within one split."""
    if store.conn.execute(_ANY_PAIR).fetchone() is None:
        return np.arange(-1, trajectory_count(store))
    order = whole_numbers(store, "SELECT n AS value FROM trajectories INDEXED BY trajectories_by_group ORDER BY split, group_name")
    sizes = whole_numbers(store, _SIZES)
    numbers = np.full(trajectory_count(store) + 1, -1, dtype=np.int64)
    numbers[order] = np.repeat(np.arange(len(sizes)), sizes)
    return numbers


_ANY_PAIR = "SELECT 1 FROM trajectories INDEXED BY trajectories_by_group GROUP BY split, group_name HAVING count(*) > 1 LIMIT 1"
_SIZES = """
SELECT count(*) AS value FROM trajectories INDEXED BY trajectories_by_group
GROUP BY split, group_name ORDER BY split, group_name
"""
