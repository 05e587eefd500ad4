"""What could still give the answer away in what annotators see: the same view, searched.

It finds and counts; whether a finding matters is for a person to decide. A domain, or the length of a
run, may predict the verdict because it is the subject. No verdict and no count of verdicts comes out.
"""

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from annotate.item_view import redaction_by, visible
from data.store import Store
from data.store.status import judge_run_codes
from data.store.visible import Answer, Item, imported_files, items, verdict_answers
from data.study import Study
from data.terminal import on_one_line
from reports.auc import FieldAuc, field_auc

KINDS = (
    "model or provider", "score", "grader's phrase", "choice", "question id", "run name", "judge's words", "file name or id",
)  # fmt: skip
LENGTH, STEPS = "(length in characters)", "(number of steps)"
WORDS_IN_A_ROW = 8
_AROUND = 40
_LEAST_NAME = 4
"""Shorter names of files and ids stand in any text."""

_MODELS = r"""gpt[-_ ]?[345o][\w.-]* | chatgpt | o[134](?:-mini|-preview|-pro) | claude[\w.-]* | anthropic | open\s?ai |
    gemini[\w.-]* | deepmind | gemma[-_ ]?\d[\w.-]* | (?:meta-)?llama[-_ ]?\d[\w.-]* | mi[sx]tral[\w.-]* | qwen[\w.-]* |
    qwq[\w.-]* | deepseek[\w.-]* |
    grok[-_ ]?\d?[\w.-]* | x\.ai | cohere | command-r[\w.-]* | phi-\d[\w.-]* | kimi[\w.-]* | moonshot | glm-\d[\w.-]* | minimax |
    nemotron[\w.-]* | hunyuan[\w.-]* | doubao[\w.-]* | ernie[\w.-]* | yi-\d+b | falcon-\d+b | amazon\s?nova |
    bedrock | vertex\s?ai"""
_NUMBER_NAMES = r"(?:reward|score|grade|rating|points?|risk[ _-]level|severity)"
_SCORES = rf"""(?:\w+[ _-])?{_NUMBER_NAMES}["']?\s* (?:
        (?:[:=]|\bof\b|\bis\b) \s*["']? [-+]?\d+(?:\.\d+)?(?:\s*/\s*\d+)? |
        [:=]\s*["']? (?:[a-f][+-]?(?!\w)|low|medium|high|critical)
    ) | (?<![\d/.])\d{{1,3}}\s*/\s*(?:5|10|100)(?![\d/])"""
_PHRASES = r"""as\s+an?\s+(?:impartial\s+|expert\s+)?(?:judge|evaluator|grader|rater|reviewer) | verdict | ground[ _-]truth |
    rubric | gold[ _-](?:label|answer|standard) | graded | annotators? | llm[ _-]as[ _-]a?[ _-]?judge |
    (?:label|classification|annotation|judge?ment|evaluation|assessment)\s*[:=] | evaluation\s+(?:result|criteria) |
    (?:pass|fail)ed\s+the\s+(?:test|evaluation|check) | (?:is|was)\s+(?:safe|unsafe|aligned|misaligned)\s+because |
    the\s+(?:agent|assistant|model)(?:'s)?\s+(?:behaviou?r|actions?|conduct|response)\s+(?:is|are|was|were)\s+
        \w*(?:safe|align|harm|manipul)\w*"""
_MODEL_FIELD = re.compile(r"model|provider|engine|llm|vendor", re.IGNORECASE)


@dataclass
class Trace:
    """One thing that was found, over all items."""

    kind: str
    found: str
    """As it stands in the text, in small letters; digits of scores as #."""
    occurrences: int = 0
    items: int = 0
    places: Counter[str] = field(default_factory=Counter)
    where: str = ""
    """The item and place of the excerpt."""
    excerpt: str = ""

    def as_json(self, of: int) -> dict[str, Any]:
        return {
            "kind": self.kind, "found": self.found, "occurrences": self.occurrences, "items": self.items, "share": self.items / of,
            "places": dict(self.places.most_common()), "where": self.where, "excerpt": self.excerpt,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaks:
    """Everything that a search found."""

    items: int
    traces: list[Trace]
    """By kind, the one in most items first."""
    fields: list[tuple[str, str, list[FieldAuc]]]
    """Run, question, and what each visible field says about its verdicts."""

    def as_json(self, study: str) -> dict[str, Any]:
        return {
            "study": study,
            "items": self.items,
            "findings": [trace.as_json(self.items) for trace in self.traces],
            "fields": [
                {"run": run, "question": question, **figure.as_json()}
                for run, question, figures in self.fields
                for figure in figures
            ],
        }


class Search:
    """Looks for everything on the list in one visible text after the other."""

    def __init__(self, study: Study, store: Store) -> None:
        self.redact, self.show = redaction_by(study.blind), study.blind.show
        self.patterns = {
            "model or provider": re.compile(rf"(?<![\w.])(?:{_MODELS})", re.IGNORECASE | re.VERBOSE),
            "score": re.compile(rf"(?<!\w)(?:{_SCORES})", re.IGNORECASE | re.VERBOSE),
            "grader's phrase": re.compile(rf"(?<!\w)(?:{_PHRASES})", re.IGNORECASE | re.VERBOSE),
        }
        files = {name for file in imported_files(store) for name in (file, PurePath(file).stem)}
        for kind, names in {
            "choice": (choice for question in study.questions for choice in question.choices),
            "question id": (question.id for question in study.questions),
            "run name": judge_run_codes(store),
            "file name or id": (name for name in files if len(name) >= _LEAST_NAME),
        }.items():
            anyone = _any_of(names)
            if anyone:
                self.patterns[kind] = anyone
        self.traces: dict[tuple[str, str], Trace] = {}
        self.values: dict[int, tuple[str, dict[str, Any]]] = {}
        """By item: its group, and the visible fields that could predict a verdict."""

    def look_at(self, item: Item) -> None:
        shown = {name: item.metadata[name] for name in self.show if name in item.metadata}
        seen = visible(self.redact, item.task, shown, item.steps)
        parts = list(_parts(seen))
        starts, length = [], 0
        for _, text in parts:
            starts.append(length)
            length += len(text) + 1
        text = "\n".join(text for _, text in parts)
        values = {name: self.redact.value(shown[name]) if name in shown else None for name in self.show}
        self.values[item.n] = (item.group, values | {LENGTH: len(text), STEPS: len(item.steps)})
        hits: Counter[tuple[str, str]] = Counter()
        for kind, start, end in self._hits(item, text, parts, starts):
            place = parts[bisect_right(starts, start) - 1][0]
            found = " ".join(text[start:end].lower().replace('"', "").replace("'", "").split()).rstrip(".-")
            found = {"judge's words": f"{WORDS_IN_A_ROW} words in a row", "score": re.sub(r"\d+", "#", found)}.get(kind, found)
            trace = self.traces.setdefault((kind, found), Trace(kind, found))
            trace.occurrences += 1
            trace.places[place] += 1
            hits[kind, found] += 1
            if not trace.where:
                trace.where, trace.excerpt = f"{item.id}, {place}", _excerpt(text, start, end)
        for key in hits:
            self.traces[key].items += 1

    def _hits(self, item: Item, text: str, parts: list[tuple[str, str]], starts: list[int]) -> Iterator[tuple[str, int, int]]:
        for kind, pattern in self.patterns.items():
            for match in pattern.finditer(text):
                yield kind, match.start(), match.end()
        # Its own model and id, which may be called anything.
        for kind, names in (("model or provider", _own_models(item, self.show)), ("file name or id", _own_id(item))):
            own = _any_of(names)
            for match in own.finditer(text) if own else ():
                if not (kind in self.patterns and self.patterns[kind].match(text, match.start())):
                    yield kind, match.start(), match.end()
        rows = {row for rationale in item.rationales for row in _rows_of_words(_words(rationale))}
        for (_, part), start in zip(parts, starts, strict=True) if rows else ():
            yield from (("judge's words", start + first, start + last) for first, last in _copied(part, rows))


def _parts(seen: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(place, text) of everything that is shown."""
    if seen["task"]:
        yield "task", seen["task"]
    for name, value in seen["metadata"]:
        yield f"metadata {name}", value
    for step in seen["steps"]:
        for key in ("speaker", "tool", "text", "arguments"):
            value = step.get(key)
            if value:
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                yield step["kind"] if key == "text" else f"{step['kind']} {key}", text


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the names as whole words; blanks, hyphens and underscores in them are the same."""
    written = sorted({name.strip() for name in names if name.strip()}, key=len, reverse=True)
    if not written:
        return None
    loose = ("[\\s_-]+".join(map(re.escape, re.split(r"[\s_-]+", name))) for name in written)
    return re.compile(rf"(?<!\w)(?:{'|'.join(loose)})(?!\w)", re.IGNORECASE)


def _own_models(item: Item, show: tuple[str, ...]) -> set[str]:
    hidden = {**{name: value for name, value in item.metadata.items() if name not in show}, **item.hidden}
    named = {value for name, value in hidden.items() if isinstance(value, str) and _MODEL_FIELD.search(name)}
    return {name for value in named for name in (value, value.rpartition("/")[2]) if len(name) >= _LEAST_NAME - 1}


def _own_id(item: Item) -> set[str]:
    return {item.id} if len(item.id) >= _LEAST_NAME and not item.id.isdecimal() else set()


def _words(text: str) -> list[re.Match[str]]:
    return list(re.finditer(r"\w+", text.lower()))


def _rows_of_words(words: list[re.Match[str]]) -> Iterator[tuple[str, ...]]:
    plain = [word.group() for word in words]
    return zip(*(plain[start:] for start in range(WORDS_IN_A_ROW)), strict=False)


def _copied(text: str, rows: set[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    """Passages of `text` that also stand in the rationale, each once however long it is."""
    words = _words(text)
    first, last = -1, -1
    for place, row in enumerate(_rows_of_words(words)):
        if row not in rows:
            continue
        if first >= 0 and place > last:
            yield words[first].start(), words[min(last, len(words)) - 1].end()
            first = -1
        first, last = (place if first < 0 else first), place + WORDS_IN_A_ROW
    if first >= 0:
        yield words[first].start(), words[min(last, len(words)) - 1].end()


def _excerpt(text: str, start: int, end: int) -> str:
    """The finding with what stands around it, on one line; what a terminal would obey is written out."""
    before, after = text[max(start - _AROUND, 0) : start], text[end : end + _AROUND]
    around = f"{'…' if start > _AROUND else ''}{before}{text[start : min(end, start + 200)]}{after}"
    around += "…" if end + _AROUND < len(text) else ""
    return on_one_line(" ".join(around.split()))


def find_leaks(store: Store, study: Study) -> Leaks:
    """Searches every trajectory as annotators see it, and asks what each visible field alone says about the verdicts."""
    search = Search(study, store)
    for item in items(store):
        search.look_at(item)
    traces = sorted(search.traces.values(), key=lambda trace: (KINDS.index(trace.kind), -trace.items, trace.found))
    fields = [(run, question, _fields(search, answers)) for (run, question), answers in verdict_answers(store).items()]
    return Leaks(len(search.values), traces, fields)


def _fields(search: Search, answers: list[Answer]) -> list[FieldAuc]:
    kinds = _kinds(answers)
    found = [search.values[answer[0]] for answer in answers]
    groups = [group for group, _ in found]
    return [field_auc(name, [values[name] for _, values in found], kinds, groups) for name in (*search.show, LENGTH, STEPS)]


def _kinds(answers: list[Answer]) -> npt.NDArray[np.bool_]:
    """Items x kinds of verdict: each choice but the last of two, each of several choices, or a score above the median."""
    scores = [score for *_, score in answers if score is not None]
    if scores:
        middle = float(np.median(scores))
        return np.array([[score is not None and score > middle] for *_, score in answers])
    sets = [chosen if chosen is not None else 1 << (choice or 0) for _, choice, chosen, _ in answers]
    several = any(chosen is not None for _, _, chosen, _ in answers)
    codes = [code for code in range(max(sets, default=0).bit_length()) if any(chosen >> code & 1 for chosen in sets)]
    codes = codes if several or len(codes) > 2 else codes[-1:]
    return np.array([[bool(chosen >> code & 1) for code in codes] for chosen in sets]).reshape(len(sets), len(codes))
