"""Who may sign in: annotators and leads, their one-time links, and their sessions.

Tokens are random and long; only their salted hashes are stored.
"""

import secrets
from dataclasses import dataclass

from data.errors import StoreError
from data.hashing import tagged_hash
from data.records import CONSENSUS
from data.store.store import Store, now


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a live session, or named on the command line."""

    code: int
    handle: str
    role: str


def _hash(store: Store, kind: str, token: str) -> str:
    return tagged_hash(f"{kind}:{store.fact('salt')}", token)


def check_handle(handle: str) -> None:
    """Refuses a name that cannot be shown, or that the figures use for something else."""
    if not handle.strip() or handle != handle.strip() or not handle.isprintable() or len(handle) > 80 or handle == CONSENSUS:
        raise StoreError(
            "That cannot be an annotator's name.",
            f"Found {handle!r}.",
            f"Use 1 to 80 printable characters, without blanks at the ends, and not {CONSENSUS!r}.",
        )


def ensure_person(store: Store, handle: str, *, lead: bool) -> Person:
    """The annotator `handle`, made where new; one who is there keeps the role that was given first.

    An imported annotator who is added becomes one who can sign in: imported and blind labels under one
    name are one person's. Raises StoreError for a name that cannot be one.
    """
    role = "lead" if lead else "annotator"
    check_handle(handle)
    with store.write():
        store.conn.execute(
            """INSERT INTO annotators (handle, role, created_at) VALUES (?, ?, ?)
               ON CONFLICT DO UPDATE SET role = excluded.role WHERE role = 'imported'""",
            [handle, role, now()],
        )
    row = store.conn.execute("SELECT code, handle, role FROM annotators WHERE handle = ?", [handle]).fetchone()
    return Person(*row)


def people(store: Store) -> list[Person]:
    """Everybody, by handle."""
    return [Person(*row) for row in store.conn.execute("SELECT code, handle, role FROM annotators ORDER BY handle")]


def first_lead(store: Store) -> Person:
    """The lead that `init` made."""
    return Person(*store.conn.execute("SELECT code, handle, role FROM annotators WHERE role = 'lead' ORDER BY code").fetchone())


def new_link_token(store: Store, person: Person) -> str:
    """A fresh one-time token for a sign-in link."""
    token = secrets.token_urlsafe(32)
    with store.write():
        store.conn.execute(
            "INSERT INTO links (token_hash, annotator, created_at) VALUES (?, ?, ?)",
            [_hash(store, "link", token), person.code, now()],
        )
    return token


def person_of_link(store: Store, token: str) -> Person | None:
    """Whom the token would sign in, while it can still be exchanged; asking consumes nothing."""
    row = store.conn.execute(
        """SELECT a.code, a.handle, a.role FROM links l JOIN annotators a ON a.code = l.annotator
           WHERE l.token_hash = ? AND l.used_at IS NULL""",
        [_hash(store, "link", token)],
    ).fetchone()
    return None if row is None else Person(*row)


def exchange_link(store: Store, token: str) -> str | None:
    """A session token for a link's token, once; None where it is unknown or was used."""
    session = secrets.token_urlsafe(32)
    with store.write():
        row = store.conn.execute(
            "UPDATE links SET used_at = ? WHERE token_hash = ? AND used_at IS NULL RETURNING annotator",
            [now(), _hash(store, "link", token)],
        ).fetchone()
        if row is None:
            return None
        store.conn.execute(
            "INSERT INTO sessions (token_hash, annotator, created_at) VALUES (?, ?, ?)",
            [_hash(store, "session", session), row[0], now()],
        )
    return session


def person_of_session(store: Store, session: str) -> Person | None:
    """Who holds the session token, while it is alive."""
    row = store.conn.execute(
        """SELECT a.code, a.handle, a.role FROM sessions s JOIN annotators a ON a.code = s.annotator
           WHERE s.token_hash = ? AND s.ended_at IS NULL AND a.role <> 'imported'""",
        [_hash(store, "session", session)],
    ).fetchone()
    return None if row is None else Person(*row)
