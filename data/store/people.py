"""Who may sign in: annotators and leads, their one-time links, and their sessions.

Tokens are random and long; only their salted hashes are stored.
"""

import secrets
from dataclasses import dataclass

from data.errors import LeadRefused, StoreError
from data.hashing import tagged_hash
from data.records import CONSENSUS
from data.store.leases import end_leases_of
from data.store.store import Store, now


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a live session, or named on the command line."""

    code: int
    handle: str
    role: str
    state: str = ""
    """Empty, `revoked` or `erased`."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """What ended when somebody's access did."""

    sessions: int
    links: int
    leases: int


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
        _refuse_erased(store, handle)
        store.conn.execute(
            """INSERT INTO annotators (handle, role, created_at) VALUES (?, ?, ?)
               ON CONFLICT DO UPDATE SET role = excluded.role WHERE role = 'imported'""",
            [handle, role, now()],
        )
        store.conn.execute("UPDATE annotators SET revoked_at = NULL WHERE handle = ?", [handle])
    row = store.conn.execute("SELECT code, handle, role FROM annotators WHERE handle = ?", [handle]).fetchone()
    return Person(*row)


def _refuse_erased(store: Store, handle: str) -> None:
    row = store.conn.execute("SELECT e.at FROM erasures e JOIN annotators a ON a.code = e.annotator WHERE handle = ?", [handle])
    erased = row.fetchone()
    if erased:
        raise StoreError(
            f"{handle} stands for somebody who was erased.", f"Found the erasure of {erased[0]}.", "Add a person under a new name."
        )


_PEOPLE = """
SELECT a.code, a.handle, a.role, CASE WHEN e.n IS NOT NULL THEN 'erased' WHEN a.revoked_at IS NOT NULL THEN 'revoked' ELSE '' END
FROM annotators a LEFT JOIN erasures e ON e.annotator = a.code
"""


def people(store: Store) -> list[Person]:
    """Everybody, by handle."""
    return [Person(*row) for row in store.conn.execute(f"{_PEOPLE} ORDER BY a.handle")]


def person_named(store: Store, handle: str) -> Person:
    """The person `handle`. Raises StoreError that lists whom there is."""
    there = {person.handle: person for person in people(store)}
    if handle not in there:
        raise StoreError(f"There is nobody called {handle!r}.", f"Found: {', '.join(there)}.", "See `rejudge annotators list`.")
    return there[handle]


def check_lead(
    store: Store, person: Person, wrong: str, do: str = "Name a lead; `rejudge annotators list` shows who is one."
) -> None:
    """Raises LeadRefused, beginning with `wrong`, for somebody who does not run the study."""
    role, revoked = store.conn.execute("SELECT role, revoked_at FROM annotators WHERE code = ?", [person.code]).fetchone()
    if role != "lead" or revoked:
        found = f"{person.handle} is {role}" + (", and their access has ended." if revoked else ".")
        raise LeadRefused(wrong, found, do)


def revoke(store: Store, handle: str) -> Revoked:
    """Ends somebody's access now: sessions, unused links, and what is leased to them. Labels and drafts stay.

    Raises StoreError for a name that is not there, and for the last lead. `ensure_person` gives access back.
    """
    with store.write():
        return end_access(store, person_named(store, handle))


def refuse_only_lead(store: Store, person: Person) -> None:
    """Raises StoreError for the last one who could run the study."""
    leads = [other for other in people(store) if other.role == "lead" and not other.state]
    if leads == [person]:
        raise StoreError(
            f"{person.handle} is the only lead.",
            "Found no other who could run the study.",
            "Add another lead first: `add NAME --lead`.",
        )


def end_access(store: Store, person: Person) -> Revoked:
    """What `revoke` does; must run within a write transaction."""
    refuse_only_lead(store, person)
    leases = end_leases_of(store, person.code)
    ended = store.conn.execute("UPDATE sessions SET ended_at = ? WHERE annotator = ? AND ended_at IS NULL", [now(), person.code])
    unused = store.conn.execute("DELETE FROM links WHERE annotator = ? AND used_at IS NULL", [person.code])
    store.conn.execute("UPDATE annotators SET revoked_at = ? WHERE code = ? AND revoked_at IS NULL", [now(), person.code])
    return Revoked(ended.rowcount, unused.rowcount, leases)


def first_lead(store: Store) -> Person:
    """The lead that `init` made, or the next one where that one's access has ended."""
    row = store.conn.execute(
        "SELECT code, handle, role FROM annotators WHERE role = 'lead' ORDER BY revoked_at IS NOT NULL, code"
    ).fetchone()
    return Person(*row)


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
           WHERE s.token_hash = ? AND s.ended_at IS NULL AND a.revoked_at IS NULL AND a.role <> 'imported'""",
        [_hash(store, "session", session)],
    ).fetchone()
    return None if row is None else Person(*row)
