"""A verdict and a label as a file writes them, and the files that hold nothing else (JSON Lines or CSV).

Exactly one of an answer (`choice`, `choices` or `score`), `error` (verdicts) or `unsure: true` (labels): both,
or neither, is refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from data.formats.bad_lines import REFUSED, BadLines
from data.formats.csv_rows import csv_header, csv_rows
from data.formats.fields import (
    check_keys,
    confidence_of,
    identity,
    name_of,
    object_of,
    positions_of,
    refuse,
    shown,
    text_or_none,
    whole_number,
)
from data.formats.text import first_bytes, first_object, json_lines, parse_json
from data.questions import Question
from data.records import CONSENSUS, Entry, Label, Verdict

NAME = "answers"
QUESTION: Question | None = None
ONE_A_LINE = True
GIVEAWAYS: tuple[str, ...] = ()
"""Nothing here is a trajectory, so nothing of it is ever shown."""

VERDICT_KEYS = ("question", "run", "choice", "choices", "score", "error", "rationale", "cites", "confidence", "repeat")
LABEL_KEYS = ("question", "annotator", "choice", "choices", "score", "unsure", "rationale", "evidence")

_KNOWN = {"id", *VERDICT_KEYS, *LABEL_KEYS}


def _choice(value: dict[str, Any], what: str) -> str | None:
    choice = text_or_none(value, "choice", what)
    if choice is not None and not choice.strip():
        refuse(
            f"{what} has an empty choice.", f"Found {shown(choice)}.", "Keep what was really answered; leave out what is absent."
        )
    return choice


def _choices(value: dict[str, Any], what: str) -> tuple[str, ...] | None:
    """Several choices, or none of them; None where the key is absent or null."""
    choices = value.get("choices")
    if choices is None:
        return None
    if not isinstance(choices, list) or not all(isinstance(choice, str) and choice.strip() for choice in choices):
        refuse(f"{what}: `choices` must be a list of choices.", f"Found {shown(choices)}.", 'Write ["…", "…"], or [] for none.')
    if len(set(choices)) != len(choices):
        refuse(f"{what}: `choices` names one twice.", f"Found {shown(choices)}.", "Name each that holds once.")
    return tuple(choices)


def _score(value: dict[str, Any], what: str) -> float | None:
    """A number; None where the key is absent or null. Its range is the study's affair."""
    score = value.get("score")
    if score is None:
        return None
    # NaN fails the comparison; a whole number beyond doubles cannot be stored as one.
    if not isinstance(score, int | float) or isinstance(score, bool) or not -1e300 <= score <= 1e300:
        refuse(f"{what}: `score` must be a number.", f"Found {shown(score)}.", "Keep the score that was really given.")
    return float(score) + 0.0  # no minus zero, which would be another text and the same number


def _refuse_several(what: str, instead: str, answers: dict[str, Any]) -> NoReturn:
    """There must be exactly one of the answers and what may stand instead of one."""
    found = [f"`{key}` {shown(value)}" for key, value in answers.items() if value is not None]
    refuse(
        f"{what} must have an answer or {instead}, and one alone.",
        f"Found {' and '.join(found)}." if found else "Found neither.",
        f"Keep what was really answered: one of {', '.join(f'`{key}`' for key in answers)}.",
    )


def verdict_of(value: dict[str, Any], trajectory: str, what: str) -> Verdict:
    """A judge's answer to one question about `trajectory`."""
    check_keys(value, VERDICT_KEYS, what)
    choice, error = _choice(value, what), text_or_none(value, "error", what)
    choices, score = _choices(value, what), _score(value, what)
    if (choice is None) + (choices is None) + (score is None) + (error is None) != 3:
        _refuse_several(what, "an error", {"choice": choice, "choices": choices, "score": score, "error": error})
    return Verdict(
        trajectory=trajectory,
        question=text_or_none(value, "question", what),
        run=name_of(run, f"{what}: `run`") if (run := text_or_none(value, "run", what)) else None,
        choice=choice,
        error=error,
        rationale=text_or_none(value, "rationale", what),
        cites=positions_of(value.get("cites"), "cites", what),
        confidence=confidence_of(value.get("confidence"), what),
        repeat=0 if value.get("repeat") is None else whole_number(value["repeat"], "repeat", what),
        choices=choices,
        score=score,
    )


def label_of(value: dict[str, Any], trajectory: str, what: str) -> Label:
    """A human's answer to one question about `trajectory`."""
    check_keys(value, LABEL_KEYS, what)
    choice, unsure = _choice(value, what), value.get("unsure")
    if unsure is not None and not isinstance(unsure, bool):
        refuse(f"{what}: `unsure` must be true or false.", f"Found {shown(unsure)}.", "Write true, or leave it out.")
    choices, score = _choices(value, what), _score(value, what)
    if (choice is None) + (choices is None) + (score is None) + (not unsure) != 3:
        _refuse_several(what, "be unsure", {"choice": choice, "choices": choices, "score": score, "unsure": unsure or None})
    if value.get("annotator") is None:
        refuse(f"{what} names no annotator.", f"Found keys: {', '.join(value)}.", "Give it `annotator`.")
    annotator = name_of(value["annotator"], f"{what}: `annotator`")
    if annotator == CONSENSUS:
        refuse(f"{what}: no annotator can be called {CONSENSUS!r}.", "The figures use that name.", "Give the annotator another.")
    return Label(
        trajectory=trajectory,
        question=text_or_none(value, "question", what),
        annotator=annotator,
        choice=choice,
        rationale=text_or_none(value, "rationale", what),
        evidence=positions_of(value.get("evidence"), "evidence", what),
        choices=choices,
        score=score,
    )


def sniff(path: Path) -> bool:
    """JSON Lines or CSV whose first object or header has an id and an answer, and no trajectory."""
    keys = first_object(path).keys() or set(csv_header(path, _KNOWN))
    return (
        "id" in keys and bool(keys & {"choice", "choices", "score", "error", "unsure"}) and not keys & {"steps", "text", "messages"}
    )


def read(path: Path, bad: BadLines = REFUSED) -> Iterator[Entry]:
    """Every line as an entry without a trajectory: a label where it names an annotator, else a verdict."""
    lines = json_lines(path, bad) if first_bytes(path, 64).lstrip()[:1] == b"{" else _csv_lines(path, bad)
    for place, value, marks in lines:
        with bad:
            yield _entry_of(dict(object_of(value, place)), place, marks)


def _entry_of(line: dict[str, Any], place: str, marks: int) -> Entry:
    if "id" not in line:
        refuse(f"{place} has no id.", f"Found: {', '.join(map(str, line))}.", "Name the trajectory in `id`.")
    id = identity(line.pop("id"), f"{place}: `id`")
    what = f"{place} (trajectory {shown(id)})"
    entry = Entry(place, None, marks=marks)
    if line.get("annotator") is not None:
        entry.labels.append(label_of(line, id, f"{what}: a label"))
        return entry
    # An empty annotator is no verdict by default: it is one where the line names its judge run.
    empty = "annotator" in line and not line.get("run")
    line.pop("annotator", None)
    if empty or line.keys() & {"unsure", "evidence"}:
        refuse(f"{what}: a label names no annotator.", f"Found keys: {', '.join(line)}.", "Give it `annotator`.")
    entry.verdicts.append(verdict_of(line, id, f"{what}: a verdict"))
    return entry


def _csv_lines(path: Path, bad: BadLines) -> Iterator[tuple[str, Any, int]]:
    for place, cells, marks in csv_rows(path, _KNOWN, bad):
        with bad:
            yield place, from_cells(cells, place), marks


def from_cells(cells: dict[str, str], place: str) -> dict[str, Any]:
    """A row of texts as the values that JSON Lines would carry; an empty cell is an absent key."""
    line: dict[str, Any] = {key: cell for key, cell in cells.items() if cell != ""}
    if "annotator" in cells:
        line.setdefault("annotator", None)
    for key in ("cites", "evidence", "choices"):
        if key in line:
            line[key] = parse_json(line[key], f"{place}: `{key}`")[0]
    for key, convert in (("score", float), ("confidence", float), ("repeat", int)):
        if key in line:
            try:
                line[key] = convert(line[key])
            except ValueError:
                refuse(
                    f"{place}: `{key}` is not a number.", f"Found {shown(line[key])}.", "Write a number, or leave the cell empty."
                )
    if "unsure" in line:
        word = line["unsure"].strip().casefold()
        if word not in ("true", "false", "1", "0"):
            refuse(
                f"{place}: `unsure` must be true or false.",
                f"Found {shown(line['unsure'])}.",
                "Write true, or leave the cell empty.",
            )
        line["unsure"] = word in ("true", "1")
    return line
