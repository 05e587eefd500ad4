"""Figures slice by slice: where a judge is good and where it is not, with what so many looks are worth.

The figures of a slice are those of its items alone, with its part of the frame and its groups, by the same
methods as those of the whole. Where the whole asks for strict figures, every slice has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.tallies import PairTally
from data.wording import amount
from reports.agreement import kappa, observed_agreement, sensitivity, specificity
from reports.document import STRICT_HEADLINE_ABOVE
from reports.estimate import Estimate
from reports.sample import Sample
from reports.scores import spearman

SMALL_BELOW = 15
PALE_SAID = f"Pale: fewer than {SMALL_BELOW} labelled items, too few to say anything."
"""What is said where a slice is drawn so."""
"""Items under which a slice is shown pale: its interval is too wide to say anything."""
CHANCE = 20
"""One 95 % interval in this many misses the truth."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SlicePair:
    """One slice of a field."""

    name: str
    kind: str
    """`value`, `range`, `other` or `missing`."""
    items: int
    """Trajectories of the study that lie in it, labelled or not."""
    pair: PairTally | None
    """Human consensus beside the judge; None where no item has both."""


@dataclass(frozen=True, slots=True)
class SlicedField:
    """All slices of a field."""

    field: str
    origin: str
    """`metadata`, `length` or `source`."""
    shown: bool
    """Whether annotators see the field."""
    pooled: int
    """Values that share the slice `other`."""
    slices: Sequence[SlicePair]


@dataclass(frozen=True, slots=True)
class _Table:
    """Which table of a pair the figures are of, and how they are made."""

    title: str
    """Empty, or the label of several choices, or `at the threshold`."""
    type: str
    positive: int | None
    figure: str
    """The figure that slices are sorted by."""
    strict: bool

    def of(self, pair: PairTally) -> PairTally | None:
        if self.title and pair.by_label:
            return pair.by_label[self.title]
        return pair.at_threshold if self.title else pair

    def figures(self, pair: PairTally | None) -> dict[str, Estimate]:
        """Empty where there is no pair."""
        table = None if pair is None else self.of(pair)
        if table is None:
            return {}
        if self.figure == "spearman":
            return {"spearman": spearman(table)}
        sample = Sample.strict(table) if self.strict else Sample.readable(table)
        figures = {"kappa": kappa(sample), "observed_agreement": observed_agreement(sample)}
        if self.type == "ordinal":
            figures["kappa_linear"] = kappa(sample, "linear")
        if self.type == "binary" and self.positive is not None:
            figures["sensitivity"] = sensitivity(sample, self.positive)
            figures["specificity"] = specificity(sample, self.positive)
        return figures

    def unreadable(self, pair: PairTally | None) -> int:
        return 0 if pair is None else pair.excluded.error


def sliced(type_: str, positive: int | None, whole: PairTally, fields: Sequence[SlicedField]) -> list[Document]:
    """A table for each table of the pair: one, or one for each label of several choices, or the threshold of a score.

    Each has `figure` (the figure that slices are sorted by), `overall`, `fields` with their slices (lowest first, then
    small ones, undefined ones last) and the sentence `looked_at`.
    """
    return [_document(table, whole, fields) for table in _tables(type_, positive, whole)]


def _tables(type_: str, positive: int | None, whole: PairTally) -> list[_Table]:
    if type_ == "multilabel":
        return [_Table(label, "binary", 1, "kappa", _leads_strict(pair)) for label, pair in whole.by_label.items()]
    if type_ == "score":
        if whole.at_threshold is None:
            return [_Table("", type_, None, "spearman", False)]
        return [_Table("at the threshold", "binary", 1, "kappa", _leads_strict(whole.at_threshold))]
    return [_Table("", type_, positive, "kappa", _leads_strict(whole))]


def _leads_strict(pair: PairTally) -> bool:
    """Whether more than 2 % of the verdicts are unreadable, of the frame where the pair is weighted."""
    table = Sample.strict(pair).population()
    return sum(row[-1] for row in table) > STRICT_HEADLINE_ABOVE * sum(map(sum, table))


def _document(table: _Table, whole: PairTally, fields: Sequence[SlicedField]) -> Document:
    listed = [
        {
            "field": each.field,
            "origin": each.origin,
            "shown": each.shown,
            "pooled": each.pooled,
            "values": sorted((_slice(table, part) for part in each.slices), key=lambda value: _order(value, table.figure)),
        }
        for each in fields
    ]
    return {
        "title": table.title,
        "figure": table.figure,
        "strict": table.strict,
        "overall": _as_json(table, whole),
        "fields": listed,
        "looked_at": looked_at(listed, table.figure),
    }


def _slice(table: _Table, part: SlicePair) -> Document:
    said = _as_json(table, part.pair)
    return {"name": part.name, "kind": part.kind, "items": part.items, "small": said["n"] < SMALL_BELOW} | said


def _as_json(table: _Table, pair: PairTally | None) -> Document:
    figures = table.figures(pair) or {table.figure: Estimate.undefined(0, "", "no item has an answer on both sides")}
    n = figures[table.figure].n
    return {"n": n, "unreadable": table.unreadable(pair)} | {name: figure.as_json() for name, figure in figures.items()}


def _order(value: Document, figure: str) -> tuple[bool, bool, float, str]:
    estimate = value[figure]["value"]
    return (estimate is None, value["small"], 0.0 if estimate is None else estimate, value["name"])


def looked_at(fields: Sequence[Document], figure: str) -> str:
    """How many slices were looked at, and what that does to a slice that stands out; one sentence."""
    values = [value for each in fields for value in each["values"]]
    defined = sum(value[figure]["low"] is not None for value in values)
    if not values:
        return "No slice was looked at: no field parts the items."
    begun = f"{amount(len(values), 'slice', form=',')} of {amount(len(fields), 'field')} were looked at"
    if len(values) == 1:
        begun = begun.replace("were", "was")
    if not defined:
        return f"{begun}, and none has a figure with an interval."
    if defined < CHANCE:
        return f"{begun}; a slice that stands out may do so by chance: it is a question to ask of new items, not a finding."
    missed = round(defined / CHANCE)
    return (
        f"{begun}; of the {defined:,} intervals about {amount(missed, 'misses', 'miss', form=',')} by chance alone, "
        "so a slice that stands out is a question to ask of new items, not a finding."
    )
