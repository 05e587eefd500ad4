"""The study's database and its two doors: `Store.open` for leads, `Store.open_blind` for the desk."""

import secrets
import sqlite3
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from data.errors import StoreError
from data.store.blind import BlindStore
from data.store.connection import SCHEMA_VERSION, connect, store_error, write


def now() -> str:
    """This moment in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Store:
    """An open `study.db`. Bound to the thread that opened it; cheap enough to open for every request."""

    def __init__(self, path: Path, conn: sqlite3.Connection) -> None:
        self.path = path
        self.conn = conn

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
        conn = connect(path)
        try:
            _check_version(path, conn)
        except sqlite3.Error as error:
            conn.close()
            raise store_error(path, error) from error
        except StoreError:
            conn.close()
            raise
        return cls(path, conn)

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

    def close(self) -> None:
        self.conn.close()

    def write(self) -> AbstractContextManager[None]:
        """One immediate, durable transaction."""
        return write(self.conn, self.path)

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
