"""Adjudication: what a lead decided on items where annotators disagree.

A decision is a row that is only ever added, chained like a label event; a later one on the same item and
question takes the place of an earlier one. Free text enters the chain by its salted hash alone, so that it
can be erased.
"""

from dataclasses import dataclass

from data.errors import LeadRefused
from data.store.chain import as_kept, chain_hash, last_link
from data.store.chosen import CHOSEN_NAMES, chosen_bits
from data.store.events import APP_VERSION, DECISION_TEXT, LeadText
from data.store.gold import Decided, answer_of
from data.store.people import Person, check_lead
from data.store.store import Store, now
from data.store.versions import AskedQuestion, choice_codes

CAUSES = ("slip", "codebook ambiguous", "item broken", "truly ambiguous")
"""Why annotators disagreed, as the lead sees it."""
WITHOUT_ANSWER = ("item broken", "truly ambiguous")
"""Causes under which a decision may hold that there is no answer."""

CHAINED = (
    "at", "lead", "trajectory", "question", "choice", "chosen", "score", "cause", "text_hash", "question_version", "codebook",
    "app_version",
)  # fmt: skip
"""The columns that the chain covers, besides the hash before."""
_COLUMNS = (*CHAINED, *DECISION_TEXT, "chain")
_INSERT = f"INSERT INTO adjudications ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"

Code = int | float
"""An answer as the store has it: the code of a choice, a bit set of codes (multilabel), or a score."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision that stands on one item and question."""

    trajectory: int
    answer: Decided | None
    """None: there is no answer."""
    cause: str
    rationale: str
    lead: str
    at: str
    codebook_version: int


def decisions(store: Store, question_code: int) -> dict[int, Code | None]:
    """Trajectory to the answer that stands, for every adjudicated item of a question; None: decided that there is none.

    A choice is its code, multilabel a bit set of codes, a score the number itself.
    """
    # SQLite takes the answer from the row of max(seq).
    rows = store.conn.execute(
        "SELECT trajectory, coalesce(choice, chosen, score), max(seq) FROM adjudications WHERE question = ? GROUP BY trajectory",
        [question_code],
    )
    return {trajectory: answer for trajectory, answer, _ in rows}


def decided_by_item(store: Store) -> dict[tuple[str, str], tuple[Decided | None, str]]:
    """(trajectory id, question id) to what was decided, or None, and the cause."""
    rows = store.conn.execute(
        f"""SELECT t.id, q.id, e.cause, c.name, {CHOSEN_NAMES}, e.score
            FROM (SELECT max(seq) AS last FROM adjudications GROUP BY question, trajectory) latest
            JOIN adjudications e ON e.seq = latest.last JOIN trajectories t ON t.n = e.trajectory
            JOIN questions q ON q.code = e.question LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice"""
    )
    return {(id, question): (answer_of(*said), cause) for id, question, cause, *said in rows}


def decision_on(store: Store, question_code: int, trajectory: int) -> Decision | None:
    """The decision that stands on one item."""
    row = store.conn.execute(
        f"""SELECT e.cause, coalesce(e.rationale, ''), a.handle, e.at, b.version, c.name, {CHOSEN_NAMES}, e.score
            FROM adjudications e JOIN annotators a ON a.code = e.lead
            JOIN codebooks b ON b.question = e.question AND b.hash = e.codebook
            LEFT JOIN choices c ON c.question = e.question AND c.code = e.choice
            WHERE e.question = ? AND e.trajectory = ? ORDER BY e.seq DESC LIMIT 1""",
        [question_code, trajectory],
    ).fetchone()
    if row is None:
        return None
    cause, rationale, lead, at, version, *said = row
    return Decision(trajectory, answer_of(*said), cause, rationale, lead, at, version)


def decide(
    store: Store, lead: Person, trajectory: int, asked: AskedQuestion, answer: Decided | None, cause: str, rationale: str
) -> int:
    """Writes a decision; its number. `answer` None: there is none. Raises LeadRefused, and then nothing was written."""
    if cause not in CAUSES:
        raise LeadRefused("A decision needs its cause.", f"Found {cause!r}.", f"Choose one of: {', '.join(CAUSES)}.")
    if answer is None and cause not in WITHOUT_ANSWER:
        found, do = f"Its cause is {cause!r}.", f"Choose one, or name the cause: {' or '.join(WITHOUT_ANSWER)}."
        raise LeadRefused("This decision has no answer.", found, do)
    text = LeadText.of(rationale, "rationale")
    with store.write():
        check_lead(store, lead, "Only a lead decides.", "Sign in as a lead.")
        columns = _columns_of(store, asked, answer)
        if not store.conn.execute(
            """SELECT 1 FROM label_events WHERE trajectory = ?
               AND ((question = ? AND action IN ('label', 'unsure')) OR action = 'flag')""",
            [trajectory, asked.code],
        ).fetchone():
            raise LeadRefused("Nobody has labelled that item.", "Found no vote on it.", "Decide on items that have votes.")
        values = (
            now(), lead.code, trajectory, asked.code, *columns, cause, text.hash, asked.version,
            asked.codebook, APP_VERSION,
        )  # fmt: skip
        link = chain_hash("adjudication", last_link(store.conn, "adjudications", "seq"), values)
        return int(store.conn.execute(_INSERT, (*values, text.words, text.salt, link)).lastrowid or 0)


def _columns_of(store: Store, asked: AskedQuestion, answer: Decided | None) -> tuple[int | None, int | None, float | None]:
    """(choice, chosen, score) for an answer that the question allows. Raises LeadRefused for any other."""
    question, codes = asked.question, choice_codes(store, asked.code)
    if answer is None:
        return None, None, None
    if isinstance(answer, tuple):
        if question.answered_by == "choices" and set(answer) <= set(question.choices):
            return None, chosen_bits(codes, set(answer)), None
    elif isinstance(answer, str):
        if question.answered_by == "choice" and answer in question.choices:
            return codes[answer], None, None
    elif question.answered_by == "score" and question.allows_score(answer):
        return None, None, as_kept(answer)
    raise LeadRefused("That is no answer to this question.", f"Found {answer!r}.", "Choose one that study.toml declares.")
