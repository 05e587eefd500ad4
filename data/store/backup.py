"""Backups: one file that holds everything which was committed when it was begun, made while labelling goes on.

Copying `study.db` alone loses what still lies in its log (`study.db-wal`). A backup reads the database
through SQLite, inside one read transaction: writers go on, and the copy is of one moment.
"""

import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from data.atomic import sync_folder, temporary_beside
from data.errors import StoreError
from data.store.connection import store_error
from data.store.store import Store

_PAGES_AT_ONCE = 4096
"""16 MB: between two steps the process can be stopped."""
_CHAINS = {"label_events": "seq", "verdicts": "id", "adjudications": "seq", "erasures": "n", "test_looks": "seq"}


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds."""

    rows: dict[str, int]
    """By table."""
    bytes: int


def back_up(store: Store, to: Path) -> Backup:
    """Writes a verified copy of the study's database to `to`, whole or not at all.

    Raises StoreError where `to` is there already or cannot be written, and where the copy is not what
    was read or is damaged.
    """
    if to.exists() or not to.name:
        raise StoreError(f"{to} is there already.", "A backup never takes the place of a file.", "Name another one.")
    temporary = temporary_beside(to)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(mode=0o600)
        # As private as the study is, but never read-only: a study in a sealed folder is backed up too.
        temporary.chmod(stat.S_IMODE(store.path.stat().st_mode) | stat.S_IWUSR)
        found = _copy(store, temporary)
        _sync(temporary)
        _name_it(temporary, to)
        sync_folder(to.parent)
        return Backup(found, to.stat().st_size)
    except OSError as error:
        raise StoreError(f"{to} cannot be written.", f"Found: {error.strerror or error}.", "Name another file.") from None
    finally:
        for leftover in (temporary, *(temporary.with_name(temporary.name + end) for end in ("-wal", "-shm", "-journal"))):
            leftover.unlink(missing_ok=True)


def _copy(store: Store, temporary: Path) -> dict[str, int]:
    """Copies, and compares both sides while the reading transaction still holds the moment."""
    store.conn.execute("BEGIN")
    try:
        there = _contents(store.conn)
        with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
            try:
                store.conn.backup(copy, pages=_PAGES_AT_ONCE)
                damage = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
                same = damage == "ok" and _contents(copy) == there
            except sqlite3.Error as error:
                raise store_error(temporary, error) from error
    finally:
        store.conn.execute("ROLLBACK")
    if not same:
        raise StoreError(
            f"{store.path} could not be backed up: the copy is damaged, or differs from it.",
            f"SQLite says: {' '.join(damage.split())}.",
            "Run `rejudge verify`; the study may be damaged itself. No backup was written.",
        )
    return {table: count for (table, count), *_ in there}


def _contents(conn: sqlite3.Connection) -> list[tuple[tuple[str, int], str]]:
    """Every table with its count of rows and, where it is chained, its last link."""
    tables = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()]
    contents = []
    for table in tables:
        (count,) = conn.execute(f'SELECT count(*) FROM "{table}"').fetchone()
        last = ""
        if table in _CHAINS:
            row = conn.execute(f"SELECT chain FROM {table} ORDER BY {_CHAINS[table]} DESC LIMIT 1").fetchone()
            last = str(row[0]) if row else ""
        contents.append(((table, int(count)), last))
    return contents


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _name_it(temporary: Path, to: Path) -> None:
    """Gives the finished file its name, which nobody may have taken meanwhile."""
    try:
        os.link(temporary, to)
    except FileExistsError:
        raise StoreError(f"{to} is there already.", "It was made just now.", "Name another one.") from None
    except OSError:
        # A file system without second names: there the check from before has to do.
        temporary.rename(to)
