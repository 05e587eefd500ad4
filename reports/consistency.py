"""Does a judge agree with itself? How often its replies to one item differ.

- flip rate: the share of items whose replies are not all the same. It grows with the number of replies.
- pairwise flip rate: the chance that two replies to one item differ, which does not: of each item the share of its pairs
  of replies that differ, and the mean of that over items. With two replies both rates are one.

An unreadable reply is an answer of its own: two of them are the same, one beside a readable one is a flip. A judge that is
consistent need not be right; one that flips cannot be right on every reply.

Intervals: Wilson for shares of items that share no group; else module `ratios`, cluster-robust where items share groups.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from data.repeat_tallies import RepeatTally
from data.wording import amount
from reports.document import marks_of, selected_on
from reports.estimate import Estimate
from reports.ratios import Rows, ratio
from reports.sample import Floats
from reports.shares import proportion

FLIP_NAMES = {"flip_rate": "flip rate", "pairwise_flip_rate": "two replies differ"}
NO_REPEATS = "no item has two replies"


def flip_rate(tally: RepeatTally) -> Estimate:
    """The share of items, in [0, 1], whose replies are not all the same answer; n counts items with two replies or more."""
    return _mean(tally, (tally.differing > 0).astype(np.float64), whole=True)


def pairwise_flip_rate(tally: RepeatTally) -> Estimate:
    """The chance, in [0, 1], that two replies to one item are different answers; n as in `flip_rate`."""
    pairs = tally.replies * (tally.replies - 1) // 2
    return _mean(tally, tally.differing / np.maximum(pairs, 1), whole=tally.repeats == 2)


def consistency_document(tally: RepeatTally) -> dict[str, Any]:
    """One entry of `consistency` in the document of `rejudge agree --json`."""
    items, groups = len(tally.replies), len(np.unique(tally.group))
    return {
        "run": tally.run,
        "repeats": tally.repeats,
        "items": items,
        "groups": groups,
        "fewer_replies": int((tally.replies < tally.repeats).sum()),
        "once": tally.once,
        "unreadable": {"items": tally.unreadable_items, "replies": tally.unreadable_replies},
        "flip_rate": flip_rate(tally).as_json(),
        "pairwise_flip_rate": pairwise_flip_rate(tally).as_json(),
        **selected_on(tally.selected),
        "marks": marks_of(items, groups, tally.selected),
    }


def rests_on(found: Mapping[str, Any]) -> str:
    """What the rates of `consistency_document` rest on, in words: items, replies, and what is unreadable among them."""
    fewer = found["fewer_replies"]
    told = f"{amount(found['items'], 'item', form=',')} with {'up to ' if fewer else ''}{found['repeats']:,} replies each"
    if unreadable := found["unreadable"]["replies"]:
        share = amount(found["unreadable"]["items"], "item", form=",")
        told += f"; {amount(unreadable, 'reply', 'replies', ',')} unreadable, on {share}, counted as an answer of their own"
    if found["once"]:
        told += f"; {amount(found['once'], 'item', form=',')} with one reply left out"
    return told


def _mean(tally: RepeatTally, of_item: Floats, whole: bool) -> Estimate:
    """The mean of I values in [0, 1]; `whole`: each is 0 or 1."""
    items = len(of_item)
    if items == 0:
        return Estimate.undefined(0, "wilson", NO_REPEATS)
    groups, group = np.unique(tally.group, return_inverse=True)
    rows = Rows.alone(items)
    if len(groups) < items:
        rows = replace(rows, group=group, grouped=True)
    elif whole:
        return proportion(int(of_item.sum()), items)
    return ratio(of_item, np.ones(items), rows, NO_REPEATS)
