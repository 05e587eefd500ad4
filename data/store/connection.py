"""Connections to `study.db`: pragmas, one kind of write transaction, and plain words for SQLite's errors."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import StoreError

SCHEMA_VERSION = 3
"""How many migrations `schema.py` has; `user_version` of a current database."""
BUSY_SECONDS = 10
_writers: dict[str, threading.Lock] = {}
_writers_guard = threading.Lock()


def connect(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection, *, immutable: bool = False) -> sqlite3.Connection:
    """A connection with this project's pragmas, that begins no transaction by itself.

    `immutable`: read the file as if nobody could change it, without a log and without locks.
    """
    try:
        name = f"{path.resolve().as_uri()}?immutable=1" if immutable else path
        conn = sqlite3.connect(name, isolation_level=None, timeout=BUSY_SECONDS, factory=factory, uri=immutable)
        # recursive_triggers: without it INSERT OR REPLACE overwrites a row and its triggers do not fire.
        conn.executescript(
            "PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF;"
        )
        return conn
    except sqlite3.Error as error:
        raise store_error(path, error) from error


def needs_writable_folder(error: BaseException | None) -> bool:
    """Whether SQLite failed to read because it could not make its log and index beside the file."""
    name = getattr(error, "sqlite_errorname", "") or ""
    return name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY"))


def connect_as_it_stands(path: Path) -> sqlite3.Connection:
    """A reading connection to a database in a folder that cannot be written to, where the file alone is complete.

    Raises StoreError where the newest rows may lie in the log beside it, which cannot be read there.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"{path} cannot be read where it lies.",
            f"Its newest rows are in {log.name}, and SQLite needs a writable folder to read those.",
            f"Copy {path.name} and {log.name} together into a folder that you may write to, or make this one writable.",
        )
    return connect(path, immutable=True)


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
