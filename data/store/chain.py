"""Rows that are only ever added, each chained to the one before it.

A chain makes a change of history visible even where somebody got past the triggers: a changed row
breaks its own link, a missing one the link after it, and the count of rows ever written shows a
missing end.
"""

import sqlite3
from typing import Any

from data.hashing import document_hash

GENESIS = "0" * 64


def chain_hash(table: str, before: str, values: tuple[Any, ...]) -> str:
    """The link of a row with `values` to the row before."""
    return document_hash(table, [before, *values])


def as_kept(number: float | None) -> float | None:
    """`number` as a REAL column gives it back: 3 as 3.0, and no minus zero. The link covers what will be read."""
    return None if number is None else number + 0.0


def last_link(conn: sqlite3.Connection, table: str, key: str) -> str:
    """The link of the last row; within a write transaction nobody adds another meanwhile."""
    row = conn.execute(f"SELECT chain FROM {table} ORDER BY {key} DESC LIMIT 1").fetchone()
    return str(row[0]) if row else GENESIS
