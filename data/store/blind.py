"""The desk's door: what one annotator may read, held by SQLite's authorizer and not by good intentions.

A blind connection gets temporary views filtered to its annotator, and then an authorizer that denies
by default: the views' listed columns may be read, and nothing else. The authorizer knows tables and
columns but not rows, so the filter lies in inner views with random names, and a column of a real table
may be read only from within one of those. A common table expression that takes the name of a public
view does not help: it is not the inner one.

Numbers that count across annotators, such as an event's, stay inside too: they would tell how much
others have done. What comes out is the turn within one's own rows.
"""

import secrets
import sqlite3
from pathlib import Path
from typing import Any

from data.store.chosen import CHOSEN_NAMES
from data.store.connection import connect, store_error

# Public view: its columns, and the query behind them. {me} and {show} are filled in per connection.
# `<> ''` on a column that is never empty: SQLite drops what a statement does not use of a view, and a
# table of which only the row number is left looks to the authorizer as if the statement itself had named it.
_VIEWS: dict[str, tuple[tuple[str, ...], str]] = {
    "my_item": (
        ("ref", "shown", "task", "steps", "metadata"),
        """SELECT a.ref, a.shown, t.task, t.steps, {show}
           FROM main.assignments a JOIN main.trajectories t ON t.n = a.trajectory
           WHERE a.annotator = {me} AND a.state = 'leased' AND t.id <> ''""",
    ),
    "my_labels": (
        ("ref", "turn", "question", "action", "choice", "choices", "score", "evidence", "rationale", "confidence", "reason"),
        f"""SELECT a.ref, dense_rank() OVER (ORDER BY a.outcome), q.id, e.action, c.name, {CHOSEN_NAMES}, e.score, e.evidence,
              e.rationale, e.confidence, e.reason
            FROM main.assignments a JOIN main.label_events o ON o.seq = a.outcome
            JOIN main.label_events e ON e.assignment = a.id AND e.outbox IS o.outbox AND e.outbox_seq IS o.outbox_seq
            JOIN main.questions q ON q.code = e.question
            LEFT JOIN main.choices c ON c.question = e.question AND c.code = e.choice
            WHERE a.annotator = {{me}} AND a.state = 'finished' AND e.annotator = {{me}} AND q.id <> ''""",
    ),
    "my_draft": (
        ("ref", "document"),
        """SELECT a.ref, d.document FROM main.drafts d JOIN main.assignments a ON a.id = d.assignment
           WHERE a.annotator = {me} AND d.saved_at <> ''""",
    ),
    "my_position": (
        ("ref", "line", "turn", "finished", "size"),
        """SELECT a.ref, a.batch,
             row_number() OVER (ORDER BY coalesce((SELECT max(e.seq) FROM main.label_events e
                                                   WHERE e.assignment = a.id AND e.action = 'undo'), 0) DESC, a.leased_at, a.id),
             (SELECT count(*) FROM main.assignments f
              WHERE f.annotator = {me} AND f.batch = a.batch AND f.state = 'finished'),
             (SELECT max(i.number) FROM main.batch_items i WHERE i.batch = a.batch)
           FROM main.assignments a JOIN main.batches b ON b.code = a.batch
           WHERE a.annotator = {me} AND a.state = 'leased' AND b.state <> 'closed'""",
    ),
    "questions": (
        ("id", "hash", "document"),
        """SELECT q.id, v.hash, v.document FROM main.questions q JOIN main.question_versions v ON v.question = q.code
           WHERE q.id <> ''""",
    ),
    "codebooks": (
        ("question", "hash", "version", "page"),
        """SELECT q.id, c.hash, c.version, c.page FROM main.codebooks c JOIN main.questions q ON q.code = c.question
           WHERE q.id <> ''""",
    ),
}
_FUNCTIONS = {
    "count", "max", "coalesce", "row_number", "dense_rank",
    "json_object", "json_group_array", "json_extract", "json_type", "json",
}  # fmt: skip
PUBLIC_VIEWS = tuple(_VIEWS)


class _Sealed(sqlite3.Connection):
    """Without the calls that reach the file past the authorizer."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise sqlite3.DatabaseError("not authorized")

    blobopen = serialize = deserialize = backup = enable_load_extension = load_extension = _refuse


def _sealed(path: Path, annotator: int, show: tuple[str, ...]) -> sqlite3.Connection:
    """A connection with the annotator's views, and then the authorizer."""
    conn = connect(path, _Sealed)
    inner = {name: f"inner_{secrets.token_hex(8)}" for name in _VIEWS}
    for name, (columns, query) in _VIEWS.items():
        listed = ", ".join(columns)
        body = query.format(me=int(annotator), show=_shown_metadata(show))
        conn.execute(f"CREATE TEMP VIEW {inner[name]} ({listed}) AS {body}")
        conn.execute(f"CREATE TEMP VIEW {name} ({listed}) AS SELECT {listed} FROM temp.{inner[name]}")
    conn.execute("PRAGMA query_only=ON")
    conn.set_authorizer(_Rule(inner))
    return conn


class BlindStore:
    """One annotator's reading connection. Close it after use; opening takes a fraction of a millisecond."""

    def __init__(self, path: Path, annotator: int, show: tuple[str, ...] = ()) -> None:
        """`show`: the metadata fields that the study lets annotators see."""
        self.path = path
        try:
            self.conn = _sealed(path, annotator, show)
        except sqlite3.Error as error:
            raise store_error(path, error) from error

    def __enter__(self) -> "BlindStore":
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self.conn.close()
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "SQLITE_AUTH") != "SQLITE_AUTH":
            raise store_error(self.path, error) from error

    def row(self, sql: str, parameters: list[Any]) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self.conn.execute(sql, parameters).fetchone()
        return row

    def rows(self, sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        return self.conn.execute(sql, parameters).fetchall()


def _shown_metadata(show: tuple[str, ...]) -> str:
    """SQL for the JSON object of the shown fields alone."""
    pairs = []
    for field in show:
        literal = field.replace("'", "''")
        path = f"""t.metadata, '$."{literal}"'"""
        # json_extract alone makes 1 and 0 of true and false.
        value = (
            f"CASE json_type({path}) WHEN 'true' THEN json('true') WHEN 'false' THEN json('false') ELSE json_extract({path}) END"
        )
        pairs.append(f"'{literal}', {value}")
    return f"json_object({', '.join(pairs)})"


class _Rule:
    """Allows reading the public views' columns, and real columns only from within the inner views."""

    def __init__(self, inner: dict[str, str]) -> None:
        self.inner = frozenset(inner.values())
        self.columns = {name: frozenset(columns) for name, (columns, _) in _VIEWS.items()}
        self.columns |= {inner[name]: frozenset(columns) for name, (columns, _) in _VIEWS.items()}

    def __call__(self, action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if second in _FUNCTIONS else sqlite3.SQLITE_DENY
        if action != sqlite3.SQLITE_READ:
            return sqlite3.SQLITE_DENY
        if database == "temp" or database is None:
            # Reading the views themselves; "" is the column of a count over a view.
            allowed = second == "" or second in self.columns.get(first or "", frozenset())
            return sqlite3.SQLITE_OK if allowed and first in self.columns else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if source in self.inner else sqlite3.SQLITE_DENY
