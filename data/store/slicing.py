"""The parts of a study by what is known of its trajectories: every metadata field, their length, the files they came from.

A field is looked at where its values are words, numbers or yes and no. Its most frequent values are named, and
the rest are pooled; numbers of many values, and lengths, are cut in thirds. What makes no slices (every item
alike, every item its own value, lists, long texts) is left out with the reason, so that a reader can be told.
Splits are not among the slices: they are drawn at random, and differ by chance alone. The parts are those of
all trajectories, drawn or not, so that they stand still while labels come in. Names come from whoever wrote
the file. Annotators see none of this.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from data.store.columns import Bools, Ints, trajectory_count
from data.store.store import Store
from data.study import Study

NAMED = 12
"""Values of a field that get a slice of their own; two more may hold the rest and the items without a value."""
MOST_FIELDS = 40
MOST_VALUES = 50_000
LONGEST_VALUE = 200
_CHUNK = 500

LENGTH, FILE, FORMAT = "length", "source", "format"

Places = npt.NDArray[np.int16]
Value = str | int | float


@dataclass(frozen=True, slots=True)
class SliceItems:
    """One slice: the items that share a value."""

    name: str
    kind: str
    """`value`, `range` (of numbers), `other` (the pooled rest) or `missing` (the field says nothing)."""
    items: Bools
    """By trajectory number; place 0 is nobody's."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """One field, and the parts that it makes of the study."""

    field: str
    origin: str
    """`metadata`, `length` or `source`; a field of the metadata may have any name."""
    shown: bool
    """Whether annotators see it."""
    parts: tuple[tuple[str, str], ...]
    """(name, kind) of each slice, in a stable order; none where the field was left out."""
    place: Places
    """By trajectory number: its slice, a place in `parts`; -1 for none."""
    left_out: str = ""
    """Why there are no parts; empty where there are."""
    pooled: int = 0
    """How many different values the slice `other` holds."""

    @property
    def values(self) -> list[SliceItems]:
        """The slices one by one, each with its own array over all items."""
        return [SliceItems(name, kind, self.place == part) for part, (name, kind) in enumerate(self.parts)]


def slices(store: Store, study: Study) -> list[Slicing]:
    """Every field of the study: length and source first, then metadata in alphabetical order, those left out too.

    One pass over all trajectories: some 3 seconds for a million with seven fields, most of it their JSON.
    """
    size = trajectory_count(store)
    columns = _Columns(size, study.blind.show)
    for chunk in _chunks(store, size):
        columns.take(*chunk)
    found = [_length(columns.lengths), *_sources(store, columns.imports)]
    for name in sorted(columns.fields):
        found.append(columns.fields[name].slicing(name, name in study.blind.show))
    for name in sorted(columns.beyond):
        found.append(_left_out(name, f"only the first {MOST_FIELDS} fields are looked at"))
    return found


def _chunks(store: Store, size: int) -> Iterator[tuple[int, Ints, Ints, list[dict[str, Any]]]]:
    """Of some trajectories after another: the first's number, lengths, imports, fields."""
    # Each column as one text, as in `columns.py`; a shorter chunk would cost more queries, a longer one more memory.
    query = """SELECT group_concat(step_count), group_concat(import), '[' || group_concat(metadata) || ']',
                      '[' || group_concat(hidden) || ']'
               FROM (SELECT step_count, import, metadata, hidden FROM trajectories WHERE n BETWEEN ? AND ? ORDER BY n)"""
    for first in range(1, size + 1, _CHUNK):
        lengths, imports, shown, hidden = store.conn.execute(query, [first, first + _CHUNK - 1]).fetchone()
        fields = [kept | told for kept, told in zip(orjson.loads(hidden), orjson.loads(shown), strict=True)]
        yield first, _whole(lengths), _whole(imports), fields


def _whole(text: str) -> Ints:
    return np.fromstring(text, dtype=np.int64, sep=",")


class _Columns:
    """Everything that is read, by trajectory number."""

    def __init__(self, size: int, first: Iterable[str]) -> None:
        """`first`: fields that are looked at however many there are."""
        self.size = size
        self.lengths, self.imports = np.zeros(size + 1, dtype=np.int64), np.zeros(size + 1, dtype=np.int64)
        self.first = tuple(first)
        self.fields: dict[str, _Field] = {}
        self.beyond: set[str] = set()

    def take(self, first: int, lengths: Ints, imports: Ints, fields: list[dict[str, Any]]) -> None:
        here = slice(first, first + len(fields))
        self.lengths[here], self.imports[here] = lengths, imports
        for name in dict.fromkeys(name for each in fields for name in each):
            field = self._field(name)
            if field is not None and not field.left_out:
                field.take(here, [each.get(name) for each in fields])

    def _field(self, name: str) -> "_Field | None":
        if name not in self.fields:
            if name not in self.first and len(self.fields) >= MOST_FIELDS:
                self.beyond.add(name)
                return None
            self.fields[name] = _Field(self.size)
        return self.fields[name]


class _Field:
    """One field while it is read: the values met so far, and by trajectory number which of them it has."""

    def __init__(self, size: int) -> None:
        self.known: dict[Value | None, int] = {None: 0}
        self.code = np.zeros(size + 1, dtype=np.int32)
        self.left_out = ""

    def take(self, here: slice, values: list[Any]) -> None:
        known, before = self.known, len(self.known)
        try:
            self.code[here] = [known.setdefault(value, len(known)) for value in values]
        except TypeError:  # a list or an object is no key
            self._leave_out("its values are lists or objects")
            return
        if len(known) > MOST_VALUES:
            self._leave_out(f"it has more than {MOST_VALUES:,} different values")
        elif any(isinstance(value, str) and len(value) > LONGEST_VALUE for value in list(known)[before:]):
            self._leave_out(f"its values are texts of more than {LONGEST_VALUE} characters")

    def _leave_out(self, why: str) -> None:
        self.left_out, self.known, self.code = why, {}, self.code[:0]

    def slicing(self, name: str, shown: bool) -> Slicing:
        if self.left_out:
            return _left_out(name, self.left_out, shown)
        values = [value for value in self.known if value is not None]
        given = int((self.code > 0).sum())
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        measured = numbers and any(isinstance(value, float) for value in values)
        if len(values) == given and not (measured and given > NAMED):
            return _left_out(name, "every item has a value of its own", shown)
        if numbers and len(values) > NAMED:
            return _in_thirds(name, "metadata", shown, np.array([0, *values], dtype=np.float64)[self.code], self.code > 0)
        if len(values) > NAMED and 2 * len(values) > given:
            return _left_out(name, "most items have a value of their own", shown)
        return _by_value(name, "metadata", shown, self.code, values)


def _left_out(field: str, why: str, shown: bool = False) -> Slicing:
    return Slicing(field, "metadata", shown, (), np.empty(0, dtype=np.int16), why)


def _by_value(field: str, origin: str, shown: bool, code: Ints | npt.NDArray[np.int32], values: list[Value]) -> Slicing:
    """The most frequent values, numbers in their order and words by frequency; `code` counts `values` from 1, 0 is none."""
    names = [_said(value) for value in values]
    counts = np.bincount(code[1:], minlength=len(values) + 1)
    frequent = sorted(range(len(values)), key=lambda at: (-counts[at + 1], names[at]))[:NAMED]
    if all(isinstance(value, int | float) for value in values):
        frequent.sort(key=lambda at: values[at])
    parts = [(names[at], "value") for at in frequent]
    place_of = np.full(len(values) + 1, len(parts), dtype=np.int16)
    place_of[[at + 1 for at in frequent]] = np.arange(len(parts))
    pooled = len(values) - len(frequent)
    if pooled:
        parts.append((f"other values ({pooled:,})", "other"))
    if counts[0]:
        place_of[0] = len(parts)
        parts.append(("not given", "missing"))
    return _slicing(field, origin, shown, parts, place_of[code], pooled)


def _in_thirds(field: str, origin: str, shown: bool, numbers: npt.NDArray[np.float64], given: Bools, unit: str = "") -> Slicing:
    """Three parts of about equal size, cut at numbers that can be read; equal numbers stay together."""
    known = np.sort(numbers[given])
    if not len(known):
        return _left_out(field, "there is no item", shown)
    ends = [_readable(float(known[-(-len(known) * third // 3) - 1])) for third in (1, 2)]
    cuts = sorted({end for end in ends if known[0] <= end < known[-1]})
    place = np.where(given, np.searchsorted(np.array(cuts), numbers, side="left"), len(cuts) + 1).astype(np.int16)
    parts = [(name, "range") for name in _ranges(cuts, bool((known % 1 == 0).all()), unit)]
    if not given[1:].all():
        parts.append(("not given", "missing"))
    return _slicing(field, origin, shown, parts, place, 0)


def _ranges(cuts: list[float], whole: bool, unit: str) -> list[str]:
    """`up to 5`, `6 to 9`, `10 and more` for whole numbers, else `up to 5.5`, `over 5.5 to 9`, `over 9`."""
    if not cuts:
        return ["all"]
    first = f"up to {_said(cuts[0], unit)}"
    pairs = list(pairwise(cuts))
    if not whole:
        return [first, *(f"over {_said(low)} to {_said(high, unit)}" for low, high in pairs), f"over {_said(cuts[-1], unit)}"]
    between = [f"{_said(low + 1)} to {_said(high, unit)}" if low + 1 < high else _said(high, unit) for low, high in pairs]
    return [first, *between, f"{_said(cuts[-1] + 1, unit)} and more"]


def _slicing(field: str, origin: str, shown: bool, parts: list[tuple[str, str]], place: Places, pooled: int) -> Slicing:
    if len(parts) < 2:
        return Slicing(field, origin, shown, (), place[:0], "it is the same for every item")
    place[0] = -1
    return Slicing(field, origin, shown, tuple(parts), place, pooled=pooled)


def _length(lengths: Ints) -> Slicing:
    given = np.arange(len(lengths)) > 0
    return _in_thirds(LENGTH, "length", True, lengths.astype(np.float64), given, "step")


def _sources(store: Store, imports: Ints) -> list[Slicing]:
    """By the file that a trajectory came in with, and by its format."""
    rows = store.conn.execute("SELECT id, file, format FROM imports ORDER BY id").fetchall()
    found = []
    for field, column in ((FILE, 1), (FORMAT, 2)):
        values: dict[str, int] = {}
        code_of = np.zeros(max((row[0] for row in rows), default=0) + 1, dtype=np.int64)
        for row in rows:
            if (imports == row[0]).any():  # a file of verdicts alone brings no trajectory
                code_of[row[0]] = values.setdefault(row[column], len(values) + 1)
        found.append(_by_value(field, "source", False, code_of[imports], list(values)))
    return found


def _readable(number: float) -> float:
    """Whole as it is, else to three digits."""
    return number if number.is_integer() else float(f"{number:.3g}")


def _said(value: Value, unit: str = "") -> str:
    """A value in words; `unit`: what a number counts, in the singular."""
    if isinstance(value, bool):
        said = "true" if value else "false"
    elif isinstance(value, float):
        said = f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    else:
        said = str(value)
    return f"{said} {unit}{'' if value == 1 else 's'}" if unit else said
