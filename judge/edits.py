"""A revision as edits with reasons: what each replaces, whether it may, and the text and the diff that come of them.

An edit names a passage of the current template by its own words, which must stand there exactly once. So a lead can
read what changes and why, and nothing else of the prompt moves.
"""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from data.wording import amount
from judge.copied import WORDS, rows_of, words_of

MOST_LONGER = 0.25
"""How much longer than its parent a template may become, as a share of the parent's characters."""
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_SHOWN = 60
_UNSEEN = ("Cc", "Cf")
"""Categories of signs that steer a terminal, turn the reading direction, or hide words from whoever reads the diff."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement, and why."""

    old: str
    """A passage of the current template, letter by letter."""
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why edits cannot be taken, in three beats of which the first names the edit."""

    wrong: str
    found: str
    do: str

    def __str__(self) -> str:
        return f"{self.wrong} {self.found} {self.do}"


@dataclass(frozen=True, slots=True)
class Part:
    """A run of lines in a diff."""

    kind: Literal["same", "gone", "new"]
    lines: tuple[str, ...]


def problems(body: str, edits: Sequence[Edit], items: Mapping[str, str], known: Sequence[str] = ()) -> list[Problem]:
    """Why these edits of the template `body` cannot be taken; empty where they can.

    `items`: by the name that a message may give it, the text of each item that whoever made the edits was shown;
    `known`: texts that may be quoted (the codebook page, the question's wording and choices), besides the template itself.
    """
    if not edits:
        return [Problem("There are no edits.", "Found an empty list.", "Give at least one edit.")]
    found = [problem for place, edit in enumerate(edits, 1) for problem in _of_one(body, place, edit)]
    found = found or _overlaps(body, edits)
    if found:
        return found
    revised = applied(body, edits)
    rules = (_longer(body, revised), _placeholders(body, edits), _copied(body, edits, items, known))
    return [problem for problem in rules if problem is not None]


def applied(body: str, edits: Sequence[Edit]) -> str:
    """The template with every edit made. Raises ValueError for edits that do not each name one passage of their own."""
    text = body
    if any(body.count(edit.old) != 1 for edit in edits) or _overlaps(body, edits):
        raise ValueError("Each edit must name one passage of its own. Found some that do not. Ask `problems` first.")
    # From the end: what is put in moves nothing that is still to be replaced, and is never searched.
    for edit in sorted(edits, key=lambda edit: body.index(edit.old), reverse=True):
        start = body.index(edit.old)
        text = text[:start] + edit.new + text[start + len(edit.old) :]
    return text.strip("\n")


def diff_parts(old: str, new: str) -> list[Part]:
    """The whole of both templates as runs of lines, for a page: what went stands before what came in its place."""
    before, after = old.split("\n"), new.split("\n")
    parts: list[Part] = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(Part("same", tuple(before[i:j])))
            continue
        parts += [Part("gone", tuple(before[i:j]))] if j > i else []
        parts += [Part("new", tuple(after[k:m]))] if m > k else []
    return parts


def _of_one(body: str, place: int, edit: Edit) -> list[Problem]:
    times = body.count(edit.old) if edit.old else 0
    if not edit.old.strip():
        return [Problem(f"Edit {place} names no passage.", "Its `old` is empty.", "Copy the passage that it replaces.")]
    if times != 1:
        wrong = f"Edit {place} does not name one passage of the prompt: {_short(edit.old)}."
        where = "does not stand in it" if times == 0 else f"stands in it {times} times"
        return [
            Problem(wrong, f"Its `old` {where}.", "Copy it letter by letter from the prompt, with as much around it as is needed.")
        ]
    if edit.new == edit.old:
        return [Problem(f"Edit {place} changes nothing.", "Its `new` is its `old`.", "Leave it out, or change something.")]
    if unseen := sorted({sign for sign in edit.new if unicodedata.category(sign) in _UNSEEN and sign not in f"{body}\n\t"}):
        signs = ", ".join(map(repr, unseen[:5]))
        return [Problem(f"Edit {place} puts in what nobody sees.", f"Found {signs}.", "Write what can be read on a page.")]
    if not edit.reason.strip():
        return [Problem(f"Edit {place} has no reason.", "Its `reason` is empty.", "Say in a sentence which error it mends.")]
    return []


def _overlaps(body: str, edits: Sequence[Edit]) -> list[Problem]:
    spans = sorted((body.index(edit.old), body.index(edit.old) + len(edit.old), place) for place, edit in enumerate(edits, 1))
    return [
        Problem(
            f"Edits {min(one, two)} and {max(one, two)} replace the same words.",
            f"They share {_short(body[start:end])}.",
            "Make one edit of them.",
        )
        for (_, end, one), (start, _, two) in pairwise(spans)
        if start < end
    ]


def _longer(body: str, revised: str) -> Problem | None:
    most = int(len(body) * (1 + MOST_LONGER))
    if len(revised) <= most:
        return None
    return Problem(
        "The edits together make the prompt too long.",
        f"It had {amount(len(body), 'character', form=',')} and would have {len(revised):,}; at most {most:,} are taken.",
        f"Say the same in fewer words: {amount(len(revised) - most, 'character', form=',')} less.",
    )


def _placeholders(body: str, edits: Sequence[Edit]) -> Problem | None:
    """The first edit after which the template has other placeholders."""
    before = Counter(_marks(body))
    for place in range(1, len(edits) + 1):
        after = Counter(_marks(applied(body, edits[:place])))
        if before != after:
            changed = sorted((before - after).keys() | (after - before).keys())
            return Problem(
                f"Edit {place} takes out or puts in a placeholder.",
                f"It changes how often {', '.join(map(_short, changed))} stands in the prompt.",
                f"Leave all as they are; the prompt has {', '.join(sorted(set(_PLACEHOLDER.findall(body)))) or 'none'}.",
            )
    return None


def _marks(text: str) -> list[str]:
    """Placeholders, and pairs of braces that are none by themselves but could become one with what stands beside them."""
    return [*_PLACEHOLDER.findall(text), *re.findall(r"\{\{|\}\}", _PLACEHOLDER.sub("", text))]


def _copied(body: str, edits: Sequence[Edit], items: Mapping[str, str], known: Sequence[str]) -> Problem | None:
    """The first words of an item that come into the template, by one edit or by two that meet."""
    allowed = {row for text in (body, *known) for row in rows_of(words_of(text))}
    there = {name: set(rows_of(words_of(text))) for name, text in items.items()}
    alone = [(f"Edit {place} copies", applied(body, [edit])) for place, edit in enumerate(edits, 1)]
    for who, revised in (*alone, ("The edits together copy", applied(body, edits))):
        for row in rows_of(words_of(revised)):
            name = None if row in allowed else next((name for name, rows in there.items() if row in rows), None)
            if name is not None:
                return Problem(
                    f"{who} words of {name}.",
                    f"Found {_short(' '.join(row))}, {WORDS} words in a row that stand in it.",
                    "Say the rule in words of your own: a prompt that quotes an item knows that item.",
                )
    return None


def _short(text: str) -> str:
    """Enough of a passage to know it by."""
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…")
