"""The study's database and its two doors: `Store.open` for leads, `Store.open_blind` for the desk."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from data.errors import StoreError
from data.store.blind import BlindStore
from data.store.connection import (
    SCHEMA_VERSION,
    connect,
    connect_as_it_stands,
    needs_writable_folder,
    store_error,
    write,
)


def now() -> str:
    """This moment in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Store:
    """An open `study.db`. Bound to the thread that opened it; cheap enough to open for every request."""

    def __init__(self, path: Path, conn: sqlite3.Connection, unchanged_since: tuple[int, ...] = ()) -> None:
        """`unchanged_since`: the stamp of a file that is read without locks, to see whether somebody changed it meanwhile."""
        self.path = path
        self.conn = conn
        self.unchanged_since = unchanged_since

    @classmethod
    def create(cls, path: Path) -> "Store":
        """A new database with a study id, a salt and the first lead, named `lead`."""
        conn = connect(path)
        try:
            conn.execute("PRAGMA journal_mode=WAL")
            _migrate(path, conn)
        except sqlite3.Error as error:
            raise store_error(path, error) from error
        store = cls(path, conn)
        with store.write():
            if store.fact("id") is None:
                store.set_fact("id", secrets.token_hex(16))
                store.set_fact("salt", secrets.token_hex(16))
                conn.execute("INSERT INTO annotators (handle, role, created_at) VALUES ('lead', 'lead', ?)", [now()])
        return store

    @classmethod
    def open(cls, path: Path) -> "Store":
        """The database at `path`, migrated where it is behind.

        Raises StoreError where it is missing, broken, or made by a newer version of rejudge.
        """
        _check_there(path)
        try:
            return cls(path, _current(path))
        except StoreError as error:
            if needs_writable_folder(error.__cause__):
                return cls._as_it_stands(path)
            raise

    @classmethod
    def _as_it_stands(cls, path: Path) -> "Store":
        """A store that only reads, in a folder that only lets read."""
        before = _stamp(path)
        return cls(path, _current(path, as_it_stands=True), unchanged_since=before)

    @staticmethod
    def open_blind(path: Path, annotator: int, show: tuple[str, ...] = ()) -> BlindStore:
        """What one annotator may read, and nothing else; see `data/store/blind.py`.

        `annotator` is the code from the table, `show` the metadata fields that the study shows.
        """
        _check_there(path)
        return BlindStore(path, annotator, show)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self.close()
        if isinstance(error, sqlite3.Error):
            # A page that is damaged, a disk that is full: whatever was asked, the user reads three beats.
            raise store_error(self.path, error) from error
        if error is None and self.unchanged_since and _stamp(self.path) != self.unchanged_since:
            raise StoreError(
                f"{self.path} changed while it was read.",
                "Found a newer file, or a log beside it: somebody who may write there is at work.",
                "Ask again once they are done; what was printed may be wrong.",
            )

    def close(self) -> None:
        self.conn.close()

    def write(self) -> AbstractContextManager[None]:
        """One immediate, durable transaction."""
        return write(self.conn, self.path)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All queries inside see the study at one moment, whoever writes meanwhile. Writing inside is an error.

        Within another such block it is the same moment.
        """
        if self.conn.in_transaction:
            yield
            return
        self.conn.execute("BEGIN")
        try:
            yield
        finally:
            if self.conn.in_transaction:
                self.conn.execute("ROLLBACK")

    def fact(self, key: str) -> str | None:
        """A value of the table `study`, such as `id` or `salt`."""
        row = self.conn.execute("SELECT value FROM study WHERE key = ?", [key]).fetchone()
        return None if row is None else str(row[0])

    def set_fact(self, key: str, value: str) -> None:
        self.conn.execute("INSERT INTO study VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", [key, value])


def _check_there(path: Path) -> None:
    # SQLite would make an empty database where there is none.
    if not path.is_file():
        raise StoreError(
            f"{path} does not exist.",
            "Found a study folder without its database.",
            "Restore it, or begin anew with `rejudge init`.",
        )


def _current(path: Path, *, as_it_stands: bool = False) -> sqlite3.Connection:
    """A connection to a database of this version. A StoreError that SQLite made has SQLite's error as its cause."""
    conn = connect_as_it_stands(path) if as_it_stands else connect(path)
    try:
        _check_version(path, conn)
    except sqlite3.Error as error:
        conn.close()
        raise store_error(path, error) from error
    except StoreError:
        conn.close()
        raise
    return conn


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when somebody writes: time and size of the file, and the size of its log."""
    log = path.with_name(f"{path.name}-wal")
    found = path.stat()
    return (found.st_mtime_ns, found.st_size, log.stat().st_size if log.exists() else 0)


def _check_version(path: Path, conn: sqlite3.Connection) -> None:
    """Migrates what is behind; refuses what is newer, and what no version of rejudge has made."""
    found = conn.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was made by a newer version of rejudge.",
            f"It has schema {found}; this version knows {SCHEMA_VERSION}.",
            "Upgrade rejudge.",
        )
    if found < 1:
        # An empty file is a database too: to fill it with tables would hide that a study is lost.
        raise StoreError(
            f"{path} is not the database of a study.",
            "Found an empty file, or a database that rejudge did not make.",
            "Restore it from a backup, or begin anew with `rejudge init`.",
        )
    if found < SCHEMA_VERSION:
        _migrate(path, conn)


def _migrate(path: Path, conn: sqlite3.Connection) -> None:
    # Imported where it is needed: sqlite-utils loads pandas, and every command would wait for it.
    from sqlite_utils import Database

    from data.store.schema import migrations

    # Two processes may find the database behind at once: the second waits here and finds nothing to do.
    with write(conn, path):
        if conn.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            migrations.apply(Database(conn))
            conn.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
