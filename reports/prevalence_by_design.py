"""How often it truly happens in a study: `prevalence` for the cells that a store counts, with strata, groups and gaps.

The cells are verdict x stratum of the draws. What was labelled of a stratum is a random part of it, so the
humans' share within each of its cells speaks for all items of the cell; the shares are weighted by the frame.
That serves draws by this run's verdict, by another run's, by none, and several of them together.

- Items that humans finished without an answer (unsure, tied, not asked) are a domain of their own: the rate is
  that of the items with an answer, and their share of each cell is estimated, too.
- A stratum that nobody has finished an item of leaves the rate undefined, and is named.
- A cell that chance left without a finished item (an unreadable verdict, mostly, or one slice's few items of a
  stratum) counts with a neighbour, and its own rate may be anything: the interval adds what moving it to 0 and
  to 1 changes, squared like every other part.
- Items that share a group: cluster-robust or square-and-add, the wider (see `shares`); the frame's groups
  matter as well, because groups differ in how often each verdict is given.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from data.rate_tallies import RateCell, RateTable, ScoreRates
from reports.estimate import Estimate
from reports.prevalence import (
    NO_LABELS,
    NO_VERDICTS,
    NOT_THE_TRUTH,
    ScoreStratum,
    judge_raw,
    mean_in_strata,
    stratified_ppi_mean,
)
from reports.sample import FrameGroups, Groups, Sample, Stratum, nobody_finished
from reports.shares import share_interval, share_method

IMPORTED = "nothing is known of how the labelled items were drawn, so they speak for no others and correct no rate"
NO_JUDGE = "no judge run has a verdict on this question"
ONLY_SOME = "the question is put to some items only, and which of the others it would be put to is not known"


@dataclass(frozen=True, slots=True)
class Joined:
    """A cell without a finished item, and the one that it counts with; both by their place."""

    place: int
    to: int


@dataclass(frozen=True, slots=True)
class Design:
    """What the whole question says of its strata; for a slice the same."""

    strata: Sequence[str]
    """Their names; empty for imported labels."""
    begun: frozenset[int]
    """Strata of which some item is finished, in a slice or out of it."""


def design_of(strata: Sequence[str], table: RateTable) -> Design:
    """The design behind a question's whole table."""
    return Design(tuple(strata), frozenset(cell.stratum for cell in table.cells if cell.finished))


def raw_rate(table: RateTable, choice: int) -> Estimate:
    """The share of `choice` among all readable verdicts, in the frame or not."""
    return judge_raw(table.said[choice], sum(table.said[:-2]))


def raw_rate_in_frame(table: RateTable, choice: int) -> Estimate:
    """The same of the frame's items alone."""
    choices = len(table.said) - 2
    of_frame = [sum(cell.frame for cell in table.cells if cell.verdict == verdict) for verdict in range(choices)]
    return judge_raw(of_frame[choice], sum(of_frame))


def humans_rate(table: RateTable, choice: int, design: Design) -> Estimate:
    """The share of `choice` among the humans' answers, weighted by the strata of the draws where their rates differ."""
    merged: dict[int, RateCell] = {}
    for cell in table.cells:
        before = merged.get(cell.stratum)
        merged[cell.stratum] = replace(cell, verdict=0) if before is None else _together(before, cell)
    cells = list(merged.values())
    place = {cell.stratum: at for at, cell in enumerate(cells)}
    return _rate(table, _Cells(cells, [place[cell.stratum] for cell in table.cells], _differ(cells)), choice, design)


def corrected_rate(table: RateTable, choice: int, design: Design) -> Estimate:
    """The post-stratified share of `choice` in the frame; undefined, with the reason, without a design or without verdicts."""
    n, method = answered(table), "post-stratified square-and-add"
    if n and not design.strata:
        return Estimate.undefined(n, method, IMPORTED)
    if sum(table.said[:-2]) == 0:
        return Estimate.undefined(n, method, NO_VERDICTS if table.said[-2] else NO_JUDGE)
    return _rate(table, _Cells(table.cells, range(len(table.cells)), True), choice, design)


def answered(table: RateTable) -> int:
    """Items with a human answer."""
    return sum(sum(cell.answers) for cell in table.cells)


def joined_cells(cells: Sequence[RateCell]) -> tuple[Joined, ...]:
    """The cells without a finished item, each with a neighbour: of its stratum, else of its verdict, else any; the largest."""
    live = [place for place, cell in enumerate(cells) if cell.finished]

    def near(cell: RateCell, place: int) -> tuple[bool, bool, int]:
        return cells[place].stratum == cell.stratum, cells[place].verdict == cell.verdict, cells[place].frame

    empty = [place for place, cell in enumerate(cells) if not cell.finished]
    return tuple(Joined(place, max(live, key=partial(near, cells[place]))) for place in empty) if live else ()


@dataclass(frozen=True, slots=True)
class _Cells:
    """What a rate is figured from."""

    cells: Sequence[RateCell]
    places: Sequence[int]
    """By cell of the table: its place in `cells`."""
    weighted: bool


def _rate(table: RateTable, of: _Cells, choice: int, design: Design) -> Estimate:
    joined = joined_cells(of.cells) if of.weighted else ()
    sample = _sample(table, of, joined)
    if reason := _undone(table, design):
        return Estimate.undefined(sample.n, share_method(sample), reason)
    good, asked = _row(sample, choice), np.ones((sample.size, sample.size), dtype=np.bool_)
    population = sample.population()
    value = sum(population[choice]) / sum(map(sum, population))
    interval = share_interval(sample, good, asked)
    if interval.low is None or interval.high is None:
        return Estimate(value, None, None, sample.n, interval.method, interval.reason)
    below, above = (value - interval.low) ** 2, (interval.high - value) ** 2
    whole = sum(cell.frame for cell in of.cells)
    for each in joined:
        weight, answers = of.cells[each.place].frame / whole, of.cells[each.to].answers
        share = answers[choice] / sum(answers) if sum(answers) else value
        below, above = below + (weight * share) ** 2, above + (weight * (1 - share)) ** 2
    low, high = max(0.0, value - math.sqrt(below)), min(1.0, value + math.sqrt(above))
    return Estimate(value, min(low, value), max(high, value), sample.n, interval.method)


def _undone(table: RateTable, design: Design) -> str:
    """Why there is no rate: no answer at all, or a stratum that nobody has begun."""
    if answered(table) == 0:
        return NO_LABELS
    undone = [cell for cell in table.cells if design.strata and cell.stratum not in design.begun]
    if not undone:
        return ""
    first = undone[0].stratum
    return nobody_finished(design.strata[first], sum(cell.frame for cell in undone if cell.stratum == first))


def _sample(table: RateTable, of: _Cells, joined: Sequence[Joined]) -> Sample:
    """All in the first column: which verdict an item has is told by its stratum."""
    choices = len(table.said) - 2
    frames = [cell.frame for cell in of.cells]
    for each in joined:
        frames[each.to] += of.cells[each.place].frame
    live = [place for place, cell in enumerate(of.cells) if cell.finished]
    at = {place: new for new, place in enumerate(live)}
    at |= {each.place: at[each.to] for each in joined}
    strata = [Stratum(frames[place], of.cells[place].finished, _column(of.cells[place].answers), 0) for place in live]
    places = [at.get(place, -1) for place in of.places]
    groups = _groups(table.clusters, places)
    frame = _frame_groups(table.frame_groups, places) if of.weighted and groups is not None else None
    return Sample(tuple(strata) or (Stratum(0, 0, _column((0,) * choices), 0),), of.weighted, groups, frame)


def _column(answers: Sequence[int]) -> list[list[int]]:
    return [[items, *[0] * (len(answers) - 1)] for items in answers]


def _groups(clusters: Mapping[tuple[tuple[int, int, int], ...], int], places: Sequence[int]) -> Groups | None:
    if not clusters:
        return None
    flat = np.array([entry for content in clusters for entry in content], dtype=np.int64)
    content = np.repeat(np.arange(len(clusters)), [len(content) for content in clusters])
    return Groups(
        content,
        np.array(places, dtype=np.int64)[flat[:, 0]],
        flat[:, 1],
        np.zeros(len(flat), dtype=np.int64),
        flat[:, 2].astype(np.float64),
        np.array(list(clusters.values()), dtype=np.float64),
    )


def _frame_groups(frame: Mapping[tuple[tuple[int, int], ...], int], places: Sequence[int]) -> FrameGroups:
    flat = np.array([entry for content in frame for entry in content], dtype=np.int64)
    content = np.repeat(np.arange(len(frame)), [len(content) for content in frame])
    stratum = np.array(places, dtype=np.int64)[flat[:, 0]]
    there = stratum >= 0
    times = np.array(list(frame.values()), dtype=np.float64)
    return FrameGroups(content[there], stratum[there], flat[there, 1].astype(np.float64), times)


def _row(sample: Sample, choice: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    row = np.zeros((sample.size, sample.size), dtype=np.bool_)
    row[choice] = True
    return row


def _together(one: RateCell, other: RateCell) -> RateCell:
    answers = tuple(a + b for a, b in zip(one.answers, other.answers, strict=True))
    return RateCell(one.stratum, one.verdict, one.frame + other.frame, one.finished + other.finished, answers)


def _differ(cells: Sequence[RateCell]) -> bool:
    """Whether finished items of different cells stand for different numbers of items."""
    return any(cell.frame * cells[0].finished != cells[0].frame * cell.finished for cell in cells)


# Scores


def raw_mean(scores: ScoreRates) -> Estimate:
    """The mean of the judge's scores, in the frame or not."""
    n = len(scores.said)
    if n == 0:
        return Estimate.undefined(0, "count", NO_VERDICTS)
    return Estimate(float(scores.said.mean()), None, None, n, "count", NOT_THE_TRUTH)


def humans_mean(scores: ScoreRates, design: Design, limits: tuple[float, float]) -> Estimate:
    """The mean of the humans' scores, weighted by the strata of the draws."""
    strata = []
    for stratum in dict.fromkeys(cell.stratum for cell in scores.cells):
        cells = [cell for cell in scores.cells if cell.stratum == stratum]
        beyond = sum(cell.beyond + len(cell.unlabelled) for cell in cells) if design.strata else 0
        human = np.concatenate([cell.human for cell in cells])
        groups = np.concatenate([cell.groups for cell in cells])
        strata.append(ScoreStratum(human, (), (), beyond, groups if len(groups) else None))
    return _in_design(strata, lambda live: mean_in_strata(live, limits), scores, design, limits)


def corrected_mean(scores: ScoreRates, design: Design, limits: tuple[float, float], conditional: bool) -> Estimate:
    """The mean score in the frame by PPI++, stratum by stratum; items without a readable verdict are strata of their own."""
    n = sum(len(cell.human) for cell in scores.cells)
    if n and not design.strata:
        return Estimate.undefined(n, "ppi++", IMPORTED)
    if len(scores.said) == 0:
        return Estimate.undefined(n, "ppi++", NO_VERDICTS if scores.unreadable else NO_JUDGE)
    if conditional:
        return Estimate.undefined(n, "ppi++", ONLY_SOME)
    strata = [
        ScoreStratum(
            cell.human, cell.judge, cell.unlabelled, cell.beyond, cell.groups if len(cell.groups) else None, cell.unlabelled_groups
        )
        for cell in scores.cells
    ]
    return _in_design(strata, lambda live: stratified_ppi_mean(live, limits), scores, design, limits)


def score_design(strata: Sequence[str], scores: ScoreRates) -> Design:
    """`design_of` for a question of scores."""
    return Design(tuple(strata), frozenset(cell.stratum for cell in scores.cells if len(cell.human)))


def _in_design(
    strata: Sequence[ScoreStratum], mean_of: Callable[[Sequence[ScoreStratum]], Estimate], scores: ScoreRates, design: Design,
    limits: tuple[float, float],
) -> Estimate:  # fmt: skip
    """The mean of the strata with a label; those without, left so by chance, may have any mean within the limits."""
    undone = [cell.stratum for cell in scores.cells if design.strata and cell.stratum not in design.begun]
    live = [stratum for stratum in strata if len(np.asarray(stratum.human))]
    mean = mean_of(live)
    if live and undone:
        items = sum(len(cell.unlabelled) + cell.beyond for cell in scores.cells if cell.stratum == undone[0])
        return Estimate.undefined(mean.n, mean.method, nobody_finished(design.strata[undone[0]], items))
    if mean.value is None or mean.low is None or mean.high is None:
        return mean
    whole = sum(map(_items, strata))
    below, above = (mean.value - mean.low) ** 2, (mean.high - mean.value) ** 2
    for weight in (_items(stratum) / whole for stratum in strata if not len(np.asarray(stratum.human))):
        below, above = below + (weight * (mean.value - limits[0])) ** 2, above + (weight * (limits[1] - mean.value)) ** 2
    low, high = max(limits[0], mean.value - math.sqrt(below)), min(limits[1], mean.value + math.sqrt(above))
    return Estimate(mean.value, min(low, mean.value), max(high, mean.value), mean.n, mean.method)


def _items(stratum: ScoreStratum) -> int:
    return len(np.asarray(stratum.human)) + len(np.asarray(stratum.unlabelled)) + stratum.beyond
