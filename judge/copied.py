"""Passages of a prompt that were copied from items kept aside: a prompt that quotes what it is measured on measures nothing.

A passage is copied where eight words in a row occur in a dev or test trajectory, and neither in the codebook nor in two or more
groups of train: what stands there is how such runs are worded, and what stands in one dev item alone is that item. Every
trajectory is read once; what is held in memory grows with the prompt, not with them. Words are runs of letters and digits,
so that of scripts that put no spaces between words only long passages are found.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from data.splits import SPLITS
from data.store import Store
from data.store.judging import ToJudge, to_judge, trajectories

WORDS = 8
"""In a row: fewer are how people write, and nobody's."""
ENOUGH_GROUPS = 2
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Passage:
    """A copied passage."""

    line: int
    """The line of the text where it begins, from 1."""
    text: str
    """As the prompt has it."""
    split: str
    """Where the first trajectory that holds some of it lies: `dev` or `test`."""
    trajectory: str
    """That trajectory's id."""


@dataclass(slots=True)
class _Seen:
    """Where eight words in a row were found."""

    aside: tuple[str, str] | None = None
    """Split and id of the first dev or test trajectory."""
    groups: tuple[str, ...] = ()
    """Groups of train, the first two."""


def copied_passages(store: Store, texts: Iterable[tuple[int, str]], codebook: str, fields: Iterable[str] = ()) -> list[Passage]:
    """The copied passages of a prompt's `texts`, each with the line it begins in, in their order.

    `fields`: metadata that a judge is shown, which is read as task and steps are.
    """
    fields = tuple(fields)
    texts = list(texts)
    known = set(rows_of(words_of(codebook)))
    seen = {gram: _Seen() for _, text in texts for gram in rows_of(words_of(text)) if gram not in known}
    if seen:
        vocabulary = {word for gram in seen for word in gram}
        for trajectory in trajectories(store, to_judge(store, None, 0, SPLITS)):
            _look(trajectory, fields, seen, vocabulary)
    return [passage for line, text in texts for passage in _passages(line, text, seen)]


def _look(trajectory: ToJudge, fields: Iterable[str], seen: dict[tuple[str, ...], _Seen], vocabulary: set[str]) -> None:
    for text in _texts(trajectory, fields):
        words = words_of(text)
        for start, end in _runs(words, vocabulary):
            for gram in rows_of(words[start:end]):
                if (found := seen.get(gram)) is not None:
                    _note(found, trajectory)


def _runs(words: list[str], vocabulary: set[str]) -> Iterator[tuple[int, int]]:
    """Where eight or more words in a row are all of the vocabulary, from and to: nowhere else can a passage be."""
    place = WORDS - 1
    while place < len(words):  # of any eight in a row this looks at one
        if words[place] not in vocabulary:
            place += WORDS
            continue
        start = end = place
        while start and words[start - 1] in vocabulary:
            start -= 1
        while end < len(words) and words[end] in vocabulary:
            end += 1
        if end - start >= WORDS:
            yield start, end
        place = end + WORDS


def _note(found: _Seen, trajectory: ToJudge) -> None:
    if trajectory.split != "train":
        found.aside = found.aside or (trajectory.split, trajectory.id)
    elif trajectory.group not in found.groups and len(found.groups) < ENOUGH_GROUPS:
        found.groups = (*found.groups, trajectory.group)


def _texts(trajectory: ToJudge, fields: Iterable[str]) -> Iterator[str]:
    yield from texts_in([trajectory.metadata.get(name) for name in fields])
    if trajectory.task:
        yield trajectory.task
    for step in trajectory.steps:
        yield from texts_in([step.get("text"), step.get("arguments")])


def texts_in(value: Any) -> Iterator[str]:
    """Every text within a JSON value; keys are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_in(each)


def words_of(text: str) -> list[str]:
    """The words of a text, whatever their capitals."""
    return _WORD.findall(text.casefold())


def rows_of(words: list[str]) -> Iterator[tuple[str, ...]]:
    """Every eight of them in a row."""
    return zip(*(words[offset:] for offset in range(WORDS)), strict=False)


def _passages(line: int, text: str, seen: dict[tuple[str, ...], _Seen]) -> Iterator[Passage]:
    """Overlapping and touching runs of eight copied words as one passage."""
    # Word by word: casefolding may change the length of a text, and so where its words stand.
    spans = [found.span() for found in _WORD.finditer(text)]
    words = [text[start:end].casefold() for start, end in spans]
    first, last, aside = 0, -1, ("", "")
    for place in range(len(words)):
        found = seen.get(tuple(words[place : place + WORDS]))
        if found is not None and found.aside is not None and len(found.groups) < ENOUGH_GROUPS:
            if place > last + 1:
                if last >= 0:
                    yield _passage(line, text, spans[first][0], spans[last][1], aside)
                first, aside = place, found.aside
            last = place + WORDS - 1
    if last >= 0:
        yield _passage(line, text, spans[first][0], spans[last][1], aside)


def _passage(line: int, text: str, start: int, end: int, aside: tuple[str, str]) -> Passage:
    return Passage(line + text.count("\n", 0, start), text[start:end], *aside)
