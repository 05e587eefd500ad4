"""Is the judge as good as one more human, for scores: the same difference of means, of rank correlations.

  difference = mean over annotators of Spearman(judge, annotator) - mean over pairs of annotators of Spearman(one, other)

Interval: jackknife as for kappas, but without pseudo-items, which would need scores of their own; where leaving
items out changes nothing there is a value without a width. Beyond BLOCKS items (or groups) they are left out by
random blocks of equal size, seeded: a rank correlation has to be ranked anew for each. Indicative: not measured.
"""

import math
from dataclasses import replace

import numpy as np

from data.human_tallies import Panel
from reports.estimate import Estimate
from reports.one_more_human import OneMoreHuman, PairValues
from reports.panels import Pairings, pairings
from reports.sample import Floats
from reports.scores import CONSTANT

BLOCKS = 100
_SEED = 20110
FIGURE = "rank correlation"
NO_CHANGE = "leaving any item out changes nothing, so nothing tells the width"


def one_more_human_by_rank(panel: Panel) -> OneMoreHuman:
    """For scores: `judge_human` and `human_human` are mean rank correlations, in [-1, 1]."""
    rated = pairings(panel)
    units = "blocks of groups" if rated.grouped else "blocks of items"
    blocked = rated.units > BLOCKS
    method = rated.method("jackknife")
    if blocked:
        method = ("post-stratified, " if rated.weighted else "") + f"jackknife over {BLOCKS} {units}, t(blocks-1)"
    scores = np.array(panel.answers, dtype=np.float64)
    left = _weighted(rated, _left_out(rated, blocked))
    found = np.array([_correlations(rated, scores, pair, left) for pair in range(len(rated.judged))]).reshape(-1, len(left))
    pairs = PairValues(rated, rated.judged, found[:, 0], rated.shared())
    coefficients = None if rated.unlabelled else pairs.coefficients()
    if coefficients is None:
        return pairs.nothing(method, FIGURE, CONSTANT)
    # A pair that has no correlation without a unit keeps the one that it has with it.
    without = np.where(np.isnan(found[:, 1:]), found[:, :1], found[:, 1:])
    replicates = coefficients @ np.where(pairs.kept[:, None], without, 0.0)
    number = replicates.shape[1]
    degrees = min(rated.degrees, number - 1)
    errors = replicates.std(axis=1) * math.sqrt(number - 1) if degrees > 0 else None
    told = pairs.summed_up(coefficients, errors, degrees, method, FIGURE)
    return replace(
        told,
        judge_human=_with_width(told.judge_human),
        human_human=_with_width(told.human_human),
        difference=_with_width(told.difference),
    )


def _with_width(estimate: Estimate) -> Estimate:
    """Without an interval where it would have no width."""
    if estimate.low is None or estimate.high is None or estimate.high - estimate.low > 1e-12:
        return estimate
    return Estimate(estimate.value, None, None, estimate.n, estimate.method, NO_CHANGE)


def _left_out(rated: Pairings, blocked: bool) -> Floats:
    """(1 + R) x P: how many of each distinct item are gone; none in the first row, then unit by unit or block by block."""
    unit = np.repeat(np.arange(len(rated.times)), rated.times.astype(np.int64))
    block = np.random.default_rng(_SEED).permutation(len(unit)) % BLOCKS if blocked else np.arange(len(unit))
    gone = np.zeros((1 + min(len(unit), BLOCKS), len(rated.counts)))
    for row in range(1, len(gone)):
        often = np.bincount(unit[block == row - 1], minlength=len(rated.times))
        gone[row] = np.bincount(rated.content, weights=rated.held * often[rated.unit], minlength=len(rated.counts))
    return gone


def _correlations(rated: Pairings, scores: Floats, pair: int, left: Floats) -> Floats:
    """One correlation for each row of `left`, R x P weights of the distinct items; nan where one side is constant."""
    rows = np.flatnonzero(rated.pair == pair)
    weights = left[:, rated.item[rows]]
    share = weights / np.maximum(weights.sum(axis=1), 1e-300)[:, None]
    ranks = [_mid_ranks(scores[rated.answers[rows, side]], share) for side in (0, 1)]
    first, second = (each - (each * share).sum(axis=1)[:, None] for each in ranks)
    spread = ((first**2) * share).sum(axis=1) * ((second**2) * share).sum(axis=1)
    together = (first * second * share).sum(axis=1)
    defined = spread > 1e-24
    found: Floats = np.where(defined, together / np.sqrt(np.where(defined, spread, 1.0)), np.nan)
    return np.clip(found, -1.0, 1.0)


def _mid_ranks(column: Floats, share: Floats) -> Floats:
    """R x rows: the share below each value, and half the share at it."""
    order = np.argsort(column, kind="stable")
    ascending = column[order]
    begins = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
    at = np.add.reduceat(share[:, order], begins, axis=1)
    place = np.empty(len(column), dtype=np.int64)
    place[order] = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(column))))
    ranks: Floats = (np.cumsum(at, axis=1) - at / 2)[:, place]
    return ranks


def _weighted(rated: Pairings, gone: Floats) -> Floats:
    """(1 + R) x P: what the items that are left of each kind weigh, strata weighted anew."""
    left = rated.counts - gone
    of_strata = np.zeros((len(left), len(rated.mass)))
    for stratum in range(len(rated.mass)):
        of_strata[:, stratum] = left[:, rated.stratum == stratum].sum(axis=1)
    weighted: Floats = left * rated.weights(of_strata)[:, rated.stratum]
    return weighted
