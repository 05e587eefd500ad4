"""Connections to `study.db`: pragmas, one kind of write transaction, and plain words for SQLite's errors."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import StoreError

SCHEMA_VERSION = 1
"""How many migrations `schema.py` has; `user_version` of a current database."""
BUSY_SECONDS = 10
_writers: dict[str, threading.Lock] = {}
_writers_guard = threading.Lock()


def connect(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """A connection with this project's pragmas, that begins no transaction by itself."""
    try:
        conn = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, factory=factory)
        # recursive_triggers: without it INSERT OR REPLACE overwrites a row and its triggers do not fire.
        conn.executescript(
            "PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF;"
        )
        return conn
    except sqlite3.Error as error:
        raise store_error(path, error) from error


_ADVICE = {
    "SQLITE_BUSY": "Another process is writing for long; wait, or stop it, and try again.",
    "SQLITE_FULL": "Free some space on this disk and try again; nothing that was acknowledged is lost.",
    "SQLITE_NOTADB": "Restore the file from a backup; this one is no database.",
    "SQLITE_CORRUPT": "Restore the file from a backup, and run `rejudge verify` on it.",
    "SQLITE_READONLY": "Make the file and its folder writable for you, or copy the study elsewhere.",
    "SQLITE_CANTOPEN": "Check that the folder is there and may be written to.",
    "SQLITE_IOERR": "Check the disk and its room.",
}


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """`error` in three beats."""
    name = getattr(error, "sqlite_errorname", "") or ""
    do = next((advice for code, advice in _ADVICE.items() if name.startswith(code)), "Run `rejudge verify` to see what is broken.")
    return StoreError(f"{path} could not be used.", f"SQLite says: {error}.", do)


@contextmanager
def write(conn: sqlite3.Connection, path: Path) -> Iterator[None]:
    """One `BEGIN IMMEDIATE` transaction: all of it, durable, or nothing of it.

    The writers of this process queue for one lock before they ask SQLite, whose own waiting is not
    fair: with 32 writers and no queue some wait for seconds.
    """
    with _writers_guard:
        lock = _writers.setdefault(str(path), threading.Lock())
    with lock:
        try:
            conn.execute("BEGIN IMMEDIATE")
            try:
                yield
                conn.execute("COMMIT")
            finally:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            raise store_error(path, error) from error
