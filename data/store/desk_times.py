"""When items were finished at the desk, and how long that took: what the label events say of their time."""

from dataclasses import dataclass

import numpy as np

from data.human_tallies import HumanTimes, Sittings
from data.store.columns import Ints, trajectory_count, whole_numbers
from data.store.store import Store

_CENTISECONDS = 100
_LONGEST = 2**27 - 1
"""Centiseconds, some fifteen days: what takes longer counts as this."""


@dataclass(frozen=True, slots=True)
class DeskTimes:
    """Everybody's items at the desk, and where each of them stands among the rows."""

    tally: HumanTimes
    key: Ints
    """By row: which annotator, which trajectory; -1 for a retest. See `rows_of`."""
    order: Ints
    """The rows by key."""
    size: int

    @classmethod
    def none(cls) -> "DeskTimes":
        """Where nobody labelled at a desk."""
        nothing = np.empty(0, dtype=np.int64)
        return cls(HumanTimes((), Sittings(nothing, nothing, nothing.astype(np.float64), nothing)), nothing, nothing, 0)

    def rows_of(self, name: str, items: Ints) -> Ints:
        """The rows in which `name` labelled `items` (trajectory numbers) first; -1 where she did not at the desk."""
        if name not in self.tally.people or not len(self.key):
            return np.full(len(items), -1)
        wanted = self.tally.people.index(name) * (self.size + 1) + items
        place = np.minimum(np.searchsorted(self.key, wanted, sorter=self.order), len(self.order) - 1)
        row = self.order[place]
        return np.where(self.key[row] == wanted, row, -1)


def read_times(store: Store) -> DeskTimes:
    """The items that each annotator has finished at the desk: labelled, unsure or skipped; a row an item, a retest one more.

    An item's time is all active time at it, of the answers that were taken back too: the desk's clock goes on after
    an undo. What is surplus is left out here, too.
    """
    size = trajectory_count(store)
    people = store.conn.execute("SELECT code, handle FROM annotators ORDER BY handle").fetchall()
    place = np.zeros(max((code for code, _ in people), default=0) + 1, dtype=np.int64)
    place[[code for code, _ in people]] = np.arange(len(people))
    who = whole_numbers(store, f"SELECT (annotator * {size + 1} + trajectory) * 4 + {_KIND} AS value {_EVENTS}")
    when = whole_numbers(store, f"SELECT {_MOMENT} * {_LONGEST + 1} + {_SPENT} AS value {_EVENTS}")
    at, spent = np.divmod(when, _LONGEST + 1)
    whose, kind = np.divmod(who, 4)
    annotator, trajectory = np.divmod(whose, size + 1)
    thing = (place[annotator] * (size + 1) + trajectory) * 2 + (kind & 1)
    # Events come in the order in which they happened: the last of an item tells whether and when it was finished.
    order = np.argsort(thing, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(thing[order]) != 0, True)) if len(order) else order
    longest = np.maximum.reduceat(spent[order], np.append(0, ends[:-1] + 1)) if len(order) else spent
    last = order[ends]
    kept = kind[last] < 2
    last, longest = last[kept], longest[kept]
    in_time = np.lexsort((last, place[annotator[last]]))
    last, longest = last[in_time], longest[in_time]
    key = np.where(kind[last] & 1, -1, thing[last] // 2)
    return DeskTimes(
        HumanTimes(
            tuple(handle for _, handle in people),
            Sittings(
                person=place[annotator[last]],
                at=at[last],
                seconds=np.where(longest > 0, (longest - 1) / _CENTISECONDS, np.nan),
                item=trajectory[last],
            ),
        ),
        key,
        np.argsort(key, kind="stable"),
        size,
    )


# Two columns of numbers in the order of the rows, read by the same scan: half the time of one column of texts.
_EVENTS = "FROM label_events NOT INDEXED WHERE phase IN ('blind', 'retest') AND surplus = 0 AND action <> 'flag' ORDER BY seq"
_KIND = "(action = 'undo') * 2 + (phase = 'retest')"
_MOMENT = "coalesce(CAST(strftime('%s', at) AS INTEGER), -1)"
_SPENT = f"coalesce(min(CAST({_CENTISECONDS} * active_seconds AS INTEGER), {_LONGEST} - 1) + 1, 0)"
