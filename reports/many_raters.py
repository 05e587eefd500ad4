"""Agreement of many raters on single choices, beside Krippendorff's alpha: Fleiss' kappa, Gwet's AC1 and AC2.

Items enter as patterns of votes, (number of votes per choice). Both statistics compare p_a, the mean over
items of the share of a rater's pairs that agree, with p_e from the shares π of the choices; both are
functions of a few means over items, and the point values are exact fractions.

- Fleiss: p_e = Σ π². Every item must have the same number of ratings. With two raters it is Scott's pi.
- Gwet: p_e = Σ w/(K(K-1)) · Σ π(1-π), K being the declared choices. Items may have gaps: p_a is over items
  with two ratings or more, π over items with any.

Interval: leaving out one item at a time, with pseudo-items of two random votes as in `alpha` (module `vote_sample`).
Measured in the settings of `alpha`, worst and mean: Fleiss .917, .964; AC1 .925, .964; AC2 linear .927, .972,
quadratic .927, .981. Under weights or groups it was not measured: take it as indicative.

Sources: Fleiss 1971; Gwet 2008 and 2014 (gaps and weights).
"""

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from reports.alpha import NOTHING_TO_PAIR, ONE_CHOICE, pairable, pseudo_items
from reports.credit import Credit, Weights, credit_of
from reports.estimate import Estimate
from reports.sample import Floats
from reports.vote_sample import Statistic, VoteSample, at_least, estimated, replicates, two_votes

Patterns = Mapping[tuple[int, ...], int]

UNEQUAL = "items have different numbers of ratings ({}), and Fleiss' kappa takes the same number for every item"


def fleiss(of: Patterns | VoteSample) -> Estimate:
    """Fleiss' kappa, in [-1, 1]. `of`: (votes per choice, in declared order) -> items, or such a sample by its design.

    Items without any vote are left out; n counts those with two or more. Undefined where there are none, where
    items differ in their number of votes, and where only one choice occurs. Raises ValueError for what are no
    patterns.
    """
    sample, n, method = _sample(of)
    if reason := NOTHING_TO_PAIR if n == 0 else sample.unlabelled or _unequal(sample):
        return Estimate.undefined(n, method, reason)
    votes = np.array(sample.patterns)
    if np.count_nonzero(votes.sum(axis=0)) == 1:
        return Estimate.undefined(n, method, ONE_CHOICE)
    exact = None
    if not sample.weighted:
        seen, shares = _means(sample, _unweighted(votes.shape[1]))
        by_chance = sum(share * share for share in shares)
        exact = float((seen - by_chance) / (1 - by_chance))
    return _estimate(sample, _unweighted(votes.shape[1]), _fleiss_of_sums, n, method, exact)


def gwet(of: Patterns | VoteSample, weights: Weights = "unweighted") -> Estimate:
    """Gwet's AC1 (unweighted) or AC2, in [-1, 1]. `of`: (votes per choice) -> items, or such a sample by its design.

    `linear` gives two votes the credit 1 - |i-j|/(K-1), `quadratic` 1 - ((i-j)/(K-1))²; a table of credit is
    for votes in either order. Items with one vote count in the shares of the choices alone; n counts those with
    two or more. Undefined where there are none. Raises ValueError for what are no patterns and no weights.
    """
    sample, n, method = _sample(of)
    size = len(sample.patterns[0]) if sample.patterns else 2
    credit = credit_of(weights, size, size)
    if reason := NOTHING_TO_PAIR if n == 0 else sample.unlabelled:
        return Estimate.undefined(n, method, reason)
    whole = Fraction(sum(map(sum, credit.cells)), credit.full * size * (size - 1))
    exact = None
    if not sample.weighted:
        seen, shares = _means(sample, credit)
        by_chance = whole * sum(share * (1 - share) for share in shares)
        exact = float((seen - by_chance) / (1 - by_chance))
    return _estimate(sample, credit, _gwet_of_sums(float(whole)), n, method, exact)


def _sample(of: Patterns | VoteSample) -> tuple[VoteSample, int, str]:
    """The items with a vote, how many have two, and how the interval is made."""
    if not isinstance(of, VoteSample):
        pairable(of)  # what are no patterns is refused there
        of = VoteSample.of_patterns(dict(of.items()), at_least(1))
    several = np.fromiter((sum(pattern) > 1 for pattern in of.patterns), dtype=np.float64, count=len(of.patterns))
    return of, round(float(of.items.sum(axis=0) @ several)), of.method(len(of.patterns[0]) if of.patterns else 2)


def _unequal(sample: VoteSample) -> str:
    raters = sorted({int(sum(pattern)) for pattern in sample.patterns})
    return UNEQUAL.format(", ".join(map(str, raters))) if len(raters) > 1 else ""


def _unweighted(size: int) -> Credit:
    return credit_of("unweighted", size, size)


def _estimate(sample: VoteSample, credit: Credit, statistic: Statistic, n: int, method: str, exact: float | None) -> Estimate:
    votes = np.array(sample.patterns, dtype=np.float64)
    size = votes.shape[1]
    first, second, chances = two_votes(size)
    pseudo = _features(np.eye(size)[first] + np.eye(size)[second], credit)
    found = replicates(sample, _features(votes, credit), pseudo, pseudo_items(size) * chances, statistic)
    return estimated(sample, found, n, method, exact)


def _features(votes: Floats, credit: Credit) -> Floats:
    """P x (3 + K) of P x K votes, each row with at least one: what both statistics add up over items.

    Whether an item has two ratings or more, the credit of its pairs (else 0), 1, and the shares of its votes.
    """
    raters = votes.sum(axis=1)
    pairs = ((votes @ credit.shares) * votes).sum(axis=1) - raters
    agreed = np.where(raters > 1, pairs / np.maximum(raters * (raters - 1), 1), 0.0)
    return np.column_stack([raters > 1, agreed, np.ones(len(votes)), votes / raters[:, None]])


def _fleiss_of_sums(sums: Floats) -> Floats:
    """R kappas of R x (3 + K) sums of `_features`."""
    share = sums[:, 3:] / sums[:, 2:3]
    return _beyond_chance(sums, (share**2).sum(axis=1))


def _gwet_of_sums(whole: float) -> Statistic:
    """AC1 or AC2 of sums of `_features` with the same weights; `whole`: Σ of the weights over K(K-1)."""

    def statistic(sums: Floats) -> Floats:
        share = sums[:, 3:] / sums[:, 2:3]
        return _beyond_chance(sums, whole * (share * (1 - share)).sum(axis=1))

    return statistic


def _beyond_chance(sums: Floats, by_chance: Floats) -> Floats:
    defined = by_chance < 1 - 1e-12
    agreed = sums[:, 1] / sums[:, 0]
    return np.where(defined, (agreed - by_chance) / np.where(defined, 1 - by_chance, 1.0), np.nan)


def _means(sample: VoteSample, credit: Credit) -> tuple[Fraction, list[Fraction]]:
    """The mean over items with two votes or more of the credit of their pairs, and over items of their votes' shares.

    Added up by number of votes, so that fractions are few whatever the number of patterns.
    """
    size = len(credit.cells)
    pairs: dict[int, list[list[int]]] = defaultdict(lambda: [[0] * size for _ in range(size)])
    shares: dict[int, list[int]] = defaultdict(lambda: [0] * size)
    items: dict[int, int] = defaultdict(int)
    for pattern, often in zip(sample.patterns, sample.items.sum(axis=0).tolist(), strict=True):
        votes, times = [int(count) for count in pattern], round(often)
        raters = sum(votes)
        items[raters] += times
        used = [k for k, count in enumerate(votes) if count]
        for k in used:
            shares[raters][k] += times * votes[k]
            for j in used:
                pairs[raters][k][j] += times * votes[k] * (votes[j] - (k == j))
    several = [raters for raters in items if raters > 1]
    agreed = {m: sum(credit.cells[k][j] * pairs[m][k][j] for k in range(size) for j in range(size)) for m in several}
    seen = sum((Fraction(agreed[m], credit.full * m * (m - 1)) for m in several), Fraction()) / sum(items[m] for m in several)
    n = sum(items.values())
    return seen, [sum((Fraction(shares[m][k], m) for m in items), Fraction()) / n for k in range(size)]
