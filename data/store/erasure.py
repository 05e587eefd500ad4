"""Erasing a person: the one exception to "history is never updated".

Handle and free text go; choices, evidence steps and times stay, under a pseudonym, so that no figure
changes. The erasure itself is on record, in a chained table that is only ever added to, and the
triggers let text become NULL for somebody who stands there, and for nobody else.
"""

import json
import secrets
import sqlite3
from dataclasses import dataclass

from data.store.chain import chain_hash, last_link
from data.store.events import CAUSE_TEXT, DECISION_TEXT, FREE_TEXT
from data.store.people import Person, end_access, person_named
from data.store.store import Store, now

ERASURE_CHAINED = ("annotator", "at", "until")
"""The columns that the chain of erasures covers, besides the hash before."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a person wrote that the study still holds."""

    labels: int
    """Label events of theirs, which stay."""
    texts: int
    """Rationales and reasons, those of a lead's decisions included."""
    drafts: int
    gold_sets: list[str]
    """Frozen with names, this one among them: these keep the name, because a frozen set never changes."""


def words_of(store: Store, person: Person) -> Words:
    """What an erasure would take, and what it would leave."""
    labels, texts = store.conn.execute(
        """SELECT count(*), count(coalesce(rationale, reason)) + (SELECT count(rationale) FROM adjudications WHERE lead = ?1)
                  + (SELECT count(note) FROM causes WHERE lead = ?1)
           FROM label_events WHERE annotator = ?1""",
        [person.code],
    ).fetchone()
    (drafts,) = store.conn.execute(
        "SELECT count(*) FROM drafts d JOIN assignments a ON a.id = d.assignment WHERE a.annotator = ?", [person.code]
    ).fetchone()
    return Words(labels, texts, drafts, _gold_sets_naming(store, person.handle))


def _gold_sets_naming(store: Store, handle: str) -> list[str]:
    naming = []
    for code, name, manifest in store.conn.execute("SELECT code, name, manifest FROM gold_sets ORDER BY code").fetchall():
        if not json.loads(manifest)["policy"]["names"]:
            continue
        documents = store.conn.execute("SELECT document FROM gold_items WHERE gold_set = ?", [code])
        if any(vote["annotator"] == handle for (document,) in documents for vote in json.loads(document)["votes"]):
            naming.append(name)
    return naming


def erase(store: Store, handle: str) -> str:
    """Takes handle and free text of a person out of the study, for good; the pseudonym that stands for them now.

    The file may still hold the text in pages that are free: `clean` takes it out of those too. For
    somebody who is erased already nothing changes. Raises StoreError as `revoke` does.
    """
    with store.write():
        person = person_named(store, handle)
        if person.state == "erased":
            return handle
        end_access(store, person)
        at, (until,) = now(), store.conn.execute("SELECT coalesce(max(seq), 0) FROM label_events").fetchone()
        chain = chain_hash("erasure", last_link(store.conn, "erasures", "n"), (person.code, at, until))
        store.conn.execute(
            "INSERT INTO erasures (annotator, at, until, chain) VALUES (?, ?, ?, ?)", [person.code, at, until, chain]
        )
        for table, who, text in (
            ("label_events", "annotator", FREE_TEXT),
            ("adjudications", "lead", DECISION_TEXT),
            ("causes", "lead", CAUSE_TEXT),
        ):
            cleared = ", ".join(f"{column} = NULL" for column in text)
            store.conn.execute(f"UPDATE {table} SET {cleared} WHERE {who} = ?", [person.code])
        for query in (
            "DELETE FROM drafts WHERE assignment IN (SELECT id FROM assignments WHERE annotator = ?)",
            "DELETE FROM sessions WHERE annotator = ?",
            "DELETE FROM links WHERE annotator = ?",
        ):
            store.conn.execute(query, [person.code])
        # By chance, not by number: two studies that are joined later must not take two people for one.
        pseudonym = f"erased-{secrets.token_hex(4)}"
        store.conn.execute("UPDATE annotators SET handle = ? WHERE code = ?", [pseudonym, person.code])
    return pseudonym


def clean(store: Store) -> str:
    """Writes the database anew, so that nothing that was deleted stands in its free pages or its log.

    Returns why that was not possible; nothing where it was. Labelling may go on meanwhile.
    """
    try:
        store.conn.execute("VACUUM")
        busy, *_ = store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return "somebody is reading the database" if busy else ""
