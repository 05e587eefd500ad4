"""What a notebook's frame says: answers as places among the choices, what is missing, groups and weights.

Nothing is guessed: an answer that is no choice is refused, never dropped, and only None, NaN and NA are missing.
"""

import sys
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import FrameRefused
from data.questions import MOST_LABELS
from data.wording import amount

Codes = NDArray[np.int64]
"""A place among the choices for each row, -1 where the answer is missing."""
MISSING = -1
MOST_APART = 1e12
"""Beyond this ratio of two weights the lighter row is lost to rounding beside the heavier one."""
SETS = (list, tuple, set, frozenset, np.ndarray)


@dataclass(frozen=True, slots=True)
class Answers:
    """One column or more, read with the same choices."""

    choices: tuple[str, ...]
    columns: tuple[Any, ...]
    """Codes, or for scores numbers, nan where one is missing."""

    @property
    def given(self) -> NDArray[np.bool_]:
        """Columns x rows: where there is an answer."""
        return np.array([np.isfinite(column) & (column >= 0 if self.choices else True) for column in self.columns])


def columns_of(frame: Any, **named: str | None) -> dict[str, Any]:
    """The columns of a pandas frame by the argument that names them. Raises FrameRefused for what is no frame or no column."""
    import pandas  # slow to import, and whoever has a frame has it already

    if not isinstance(frame, pandas.DataFrame):
        raise FrameRefused("This is no pandas frame.", f"Found {type(frame).__name__}.", "Give a pandas.DataFrame.")
    found = {}
    for argument, name in named.items():
        if name is None:
            continue
        if name not in frame.columns:
            known = [str(column) for column in frame.columns]
            near = get_close_matches(str(name), known, 1) or known[:1]
            nearest = f" Did you mean {near[0]!r}?" if near else ""
            raise FrameRefused(
                f"The frame has no column {name!r}.",
                f"Found {', '.join(map(repr, known)) or 'no columns'}.",
                f"Name a column of the frame as `{argument}`.{nearest}",
            )
        column = frame[name]
        if isinstance(column, pandas.DataFrame):
            raise FrameRefused(
                f"The frame has several columns {name!r}.", f"Found {column.shape[1]} of that name.", "Give each its own name."
            )
        found[argument] = column
    return found


def choice_answers(columns: Mapping[str, Any], choices: Sequence[Hashable] | None) -> Answers:
    """Single choices. `columns`: name to column; without `choices`, those that occur, sorted."""
    import pandas

    read = {}
    for name, column in columns.items():
        try:
            codes, values = pandas.factorize(column)
        except TypeError:
            raise FrameRefused(
                f"Column {name!r} holds answers that are no single choices.",
                f"Found {_first(column)!r}.",
                "For several choices an item use type='multilabel'.",
            ) from None
        read[name] = (codes.astype(np.int64), [plain(value) for value in values])
    declared = _declared(choices, [value for _, values in read.values() for value in values])
    places = {choice: place for place, choice in enumerate(declared)}
    coded = []
    for name, (codes, values) in read.items():
        unknown = [value for value in values if value not in places]
        if unknown:
            _refuse_answer(name, unknown[0], int((codes == values.index(unknown[0])).sum()), declared)
        # The last place stands for the code -1 of what is missing.
        coded.append(np.array([*(places[value] for value in values), MISSING], dtype=np.int64)[codes])
    return Answers(tuple(map(str, declared)), tuple(coded))


def set_answers(columns: Mapping[str, Any], choices: Sequence[Hashable] | None) -> Answers:
    """Sets of choices, as whole numbers with bit i for choice i; an empty set is an answer."""
    read = {name: [_set_of(name, value) for value in column] for name, column in columns.items()}
    seen = [choice for values in read.values() for value in values if value is not None for choice in value]
    declared = _declared(choices, seen)
    if len(declared) > MOST_LABELS:
        raise FrameRefused("There are too many labels.", f"Found {len(declared)}.", f"Give at most {MOST_LABELS} `choices`.")
    places = {choice: place for place, choice in enumerate(declared)}
    for name, values in read.items():
        unknown = [choice for value in values if value is not None for choice in value if choice not in places]
        if unknown:
            _refuse_answer(name, unknown[0], unknown.count(unknown[0]), declared)
    coded = (
        np.array([MISSING if value is None else sum(1 << places[choice] for choice in value) for value in values], dtype=np.int64)
        for values in read.values()
    )
    return Answers(tuple(map(str, declared)), tuple(coded))


def numbers_of(name: str, column: Any) -> NDArray[np.float64]:
    """A column of numbers, nan where one is missing. Raises FrameRefused for text and for what is infinite."""
    import pandas

    missing = pandas.isna(column).to_numpy()
    values = np.full(len(column), np.nan)
    for place, value in enumerate(column):
        if missing[place]:
            continue
        number = plain(value)
        # Compared, not converted: a whole number may be larger than any float.
        if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= sys.float_info.max:
            raise FrameRefused(f"Column {name!r} must hold numbers.", f"Found {number!r}.", "Give finite numbers, or None.")
        values[place] = number
    return values


def groups_of(name: str, column: Any, used: NDArray[np.bool_]) -> Codes:
    """Which group each used row belongs to. Raises FrameRefused where one has none."""
    import pandas

    codes: Codes = pandas.factorize(column)[0].astype(np.int64)[used]
    if (codes < 0).any():
        raise FrameRefused(
            f"Column {name!r} does not name every row's group.",
            f"Found {amount(int((codes < 0).sum()), 'row')} without one.",
            "Name a group for each row, a group of its own where it shares none.",
        )
    return codes


def weights_of(name: str, column: Any, used: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How many items each used row stands for. Raises FrameRefused for what is no weight."""
    weights = numbers_of(name, column)[used]
    bad = ~(weights > 0)
    if bad.any():
        raise FrameRefused(
            f"Column {name!r} must hold a weight above 0 for every row with both answers.",
            f"Found {amount(int(bad.sum()), 'row')} without one.",
            "Give the number of items that the row stands for; leave rows that stand for none out of the frame.",
        )
    if len(weights) and weights.max() / MOST_APART > weights.min():
        raise FrameRefused(
            f"The weights in column {name!r} lie too far apart to be numbers of items.",
            f"Found {weights.min():g} and {weights.max():g}.",
            "Give the number of items that each row stands for.",
        )
    return weights


def texts_of(name: str, column: Any) -> list[str]:
    """A column of names. Raises FrameRefused where one is missing."""
    import pandas

    missing = int(pandas.isna(column).sum())
    if missing:
        raise FrameRefused(
            f"Column {name!r} must name something in every row.", f"Found {amount(missing, 'row')} without.", "Fill or drop them."
        )
    return [str(plain(value)) for value in column]


def _declared(choices: Sequence[Hashable] | None, seen: Iterable[Any]) -> list[Any]:
    """The choices in their order: as given, else those that occur, sorted."""
    if choices is None:
        declared = sorted(set(seen), key=_by_kind)
        told = "Tell all `choices`: those that nobody gave count too."
    else:
        if isinstance(choices, str):
            raise FrameRefused("`choices` must be a list.", f"Found the text {choices!r}.", "Give a list of choices, in order.")
        declared, told = [plain(choice) for choice in choices], "Give each choice once."
    if len(declared) < 2 or len(set(map(str, declared))) < len(declared):
        raise FrameRefused("An answer needs at least two choices, and no two may look alike.", f"Found {declared or 'none'}.", told)
    return declared


def _by_kind(value: Any) -> tuple[bool, float, str, str]:
    """Numbers by size, then everything else by kind and name."""
    number = isinstance(value, int | float)
    return not number, value if number else 0.0, type(value).__name__, str(value)


def _refuse_answer(name: str, value: Any, rows: int, declared: Sequence[Any]) -> None:
    alike = next((choice for choice in declared if str(choice) == str(value)), None)
    hint = f" The choice {alike!r} is a {type(alike).__name__}, the answer a {type(value).__name__}." if alike is not None else ""
    raise FrameRefused(
        f"Column {name!r} holds an answer that is no choice.",
        f"Found {value!r} in {amount(rows, 'row')}; the choices are {', '.join(map(repr, declared))}.{hint}",
        "Add it to `choices`, or make it None where it is no answer.",
    )


def _set_of(name: str, value: Any) -> frozenset[Any] | None:
    if isinstance(value, SETS):
        return frozenset(plain(choice) for choice in value)
    import pandas

    if pandas.isna(value):
        return None
    raise FrameRefused(
        f"Column {name!r} must hold lists or sets of choices.", f"Found {value!r}.", "Give a list for each row, empty for none."
    )


def plain(value: Any) -> Any:
    """A value as Python has it; a whole float is a whole number, since a missing answer turns 0 and 1 into floats."""
    if isinstance(value, np.generic):
        value = value.item()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _first(column: Any) -> Any:
    return next((value for value in column if not isinstance(value, Hashable)), None)
