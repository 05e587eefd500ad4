"""How often the 95 % intervals hold the truth under designs that the published ones do not cover; seeded.

`python -m tests.benchmarks coverage` prints, per design and figure, the worst and the mean coverage over
its settings and how many settings lie below 93 %. Settings with an undefined figure are left out of it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.tallies import Excluded, PairTally, QuestionTally, StratumTally, VoteStratum
from reports.agreement import ac1, kappa, observed_agreement, sensitivity, specificity
from reports.alpha_by_design import alpha_by_design
from reports.estimate import Estimate
from reports.sample import Sample

Floats = NDArray[np.float64]
GROUPS = {
    "40 of 5": [5] * 40, "10 of 10": [10] * 10, "20 of 10": [10] * 20, "30 of 2": [2] * 30,
    "80, mostly alone": [1] * 60 + [2] * 20, "27 of 1 to 20": [1] * 10 + [3] * 10 + [8] * 5 + [20] * 2,
}  # fmt: skip
CORRELATIONS = (0.0, 0.2, 0.5)
PREVALENCES = (0.05, 0.1, 0.3, 0.5)
KAPPAS = (0.3, 0.6, 0.9)

Figure = Callable[[Sample], Estimate]
FIGURES: dict[str, Figure] = {
    "kappa": kappa,
    "AC1": ac1,
    "agreement": observed_agreement,
    "sensitivity": lambda sample: sensitivity(sample, 1),
    "specificity": lambda sample: specificity(sample, 1),
}


def joint(prevalence: float, agreement: float) -> Floats:
    """2 x 2 shares with equal margins, positive last, of this kappa."""
    off = prevalence * (1 - prevalence) * (1 - agreement)
    return np.array([[1 - prevalence - off, off], [off, prevalence - off]])


def truth(table: Floats) -> dict[str, float]:
    """The figures of the shares themselves, by the product's own code at a billion items."""
    sample = Sample.of_table([[round(cell * 10**9) for cell in row] for row in table])
    return {name: figure(sample).value or 0.0 for name, figure in FIGURES.items()}


def grouped_items(random: np.random.Generator, sizes: Sequence[int], table: Floats, correlation: float) -> NDArray[np.int64]:
    """G x 2 x 2 counts: every group has a prevalence and error rates of its own."""

    def around(mean: float) -> Floats:
        if correlation == 0:
            return np.full(len(sizes), mean)
        strength = (1 - correlation) / correlation
        return random.beta(mean * strength, (1 - mean) * strength, len(sizes))

    human = table.sum(axis=1)
    positive = random.binomial(sizes, around(float(human[1])))
    negative = np.array(sizes) - positive
    found = random.binomial(positive, around(float(table[1, 1] / human[1])))
    called = random.binomial(negative, around(float(table[0, 1] / human[0])))
    return np.stack([negative - called, called, positive - found, found], axis=1).reshape(-1, 2, 2)


def simple_pair(groups: NDArray[np.int64]) -> PairTally:
    """Items drawn alike, by group."""
    table = groups.sum(axis=0).tolist()
    return PairTally(
        "human:consensus", "judge:j", tuple(map(tuple, table)), (0, 0), Excluded(), "simple", len(groups),
        clusters=_contents(groups[None]),
    )  # fmt: skip


def pair_by_verdict(random: np.random.Generator, groups: NDArray[np.int64], n: int) -> PairTally | None:
    """n items from the frame `groups`, half of each verdict; None where a verdict does not occur. One group is none."""
    drawn = np.zeros((2, *groups.shape), dtype=np.int64)
    strata = []
    for verdict in (0, 1):
        cells = groups[:, :, verdict].ravel()
        finished = min(n // 2, int(cells.sum()))
        if finished == 0:
            return None
        drawn[verdict, :, :, verdict] = random.multivariate_hypergeometric(cells, finished).reshape(-1, 2)
        table = tuple(map(tuple, drawn[verdict].sum(axis=0).tolist()))
        strata.append(StratumTally(f"j: {verdict}", int(cells.sum()), finished, finished, table, (0, 0), verdict))
    whole = tuple(map(tuple, drawn.sum(axis=(0, 1)).tolist()))
    return PairTally(
        "human:consensus", "judge:j", whole, (0, 0), Excluded(), "stratified:j", len(groups) if len(groups) > 1 else n,
        weighted=True, strata=tuple(strata), clusters=_contents(drawn) if len(groups) > 1 else {},
        frame_groups=Counter(tuple((verdict, int(items)) for verdict, items in enumerate(held)) for held in groups.sum(axis=1)),
    )  # fmt: skip


def _contents(groups: NDArray[np.int64]) -> Counter[tuple[tuple[int, int, int, int], ...]]:
    """From S x G x 2 x 2 counts."""
    contents: Counter[tuple[tuple[int, int, int, int], ...]] = Counter()
    of_group, times = np.unique(groups.transpose(1, 0, 2, 3).reshape(groups.shape[1], -1), axis=0, return_counts=True)
    for held, number in zip(of_group.reshape(-1, len(groups), 2, 2), times, strict=True):
        content = tuple((int(s), int(i), int(j), int(held[s, i, j])) for s, i, j in np.argwhere(held > 0))
        if content:
            contents[content] += int(number)
    return contents


def groups_alone(random: np.random.Generator, times: int) -> Iterator[tuple[str, dict[str, float], list[PairTally]]]:
    """Settings of grouped items, drawn alike."""
    for name, sizes in GROUPS.items():
        for correlation in CORRELATIONS:
            for prevalence in PREVALENCES:
                for agreement in KAPPAS:
                    table = joint(prevalence, agreement)
                    pairs = [simple_pair(grouped_items(random, sizes, table, correlation)) for _ in range(times)]
                    yield f"groups, {name}, correlation {correlation}", truth(table), pairs


def strata_alone(random: np.random.Generator, times: int) -> Iterator[tuple[str, dict[str, float], list[PairTally]]]:
    """Settings of items on their own, half of each verdict."""
    for n in (30, 50, 100, 200):
        for prevalence in PREVALENCES[1:]:
            for agreement in KAPPAS:
                table = joint(prevalence, agreement)
                frames = [grouped_items(random, [5000], table, 0.0) for _ in range(times)]
                yield f"by verdict, n = {n}", truth(table), [pair for f in frames if (pair := pair_by_verdict(random, f, n))]


def strata_and_groups(random: np.random.Generator, times: int) -> Iterator[tuple[str, dict[str, float], list[PairTally]]]:
    """Settings of grouped items, half of each verdict."""
    for groups, size, n in ((40, 50, 100), (40, 50, 200), (20, 50, 100), (100, 10, 100)):
        for correlation in CORRELATIONS:
            for prevalence in PREVALENCES[1:]:
                for agreement in KAPPAS:
                    table = joint(prevalence, agreement)
                    frames = [grouped_items(random, [size] * groups, table, correlation) for _ in range(times)]
                    pairs = [pair for f in frames if (pair := pair_by_verdict(random, f, n))]
                    yield f"by verdict, n = {n} in {groups} groups, correlation {correlation}", truth(table), pairs


def covered(pairs: Sequence[PairTally], figure: Figure, value: float) -> tuple[float, float]:
    """The share of the pairs whose interval holds `value`, and the intervals' mean width."""
    estimates = [figure(Sample.readable(pair)) for pair in pairs]
    ends = [(each.low, each.high) for each in estimates if each.low is not None and each.high is not None]
    return sum(low - 1e-9 <= value <= high + 1e-9 for low, high in ends) / len(ends), sum(b - a for a, b in ends) / len(ends)


def alphas(random: np.random.Generator, times: int) -> None:
    """Three annotators of one accuracy; the truth is alpha in a population of the same groups."""
    for groups, size in ((40, 5), (20, 10), (30, 2)):
        for correlation in CORRELATIONS:
            results = []
            for prevalence, accuracy in ((0.3, 0.9), (0.5, 0.8), (0.1, 0.95)):
                wanted = alpha_by_design(_three_votes(random, 4000, size, prevalence, accuracy, correlation, False)).value or 0.0
                drawn = [_three_votes(random, groups, size, prevalence, accuracy, correlation, True) for _ in range(times)]
                found = [alpha_by_design(tally) for tally in drawn]
                ends = [(each.low, each.high) for each in found if each.low is not None and each.high is not None]
                results.append(sum(low <= wanted <= high for low, high in ends) / len(ends))
            shown = "  ".join(f"{result:.3f}" for result in results)
            print(f"alpha, {groups} groups of {size}, correlation {correlation}: {shown}", flush=True)


def _three_votes(
    random: np.random.Generator, groups: int, size: int, prevalence: float, accuracy: float, correlation: float, known: bool
) -> QuestionTally:
    strength = (1 - correlation) / correlation if correlation else 1e9
    share = random.beta(prevalence * strength, (1 - prevalence) * strength, groups)
    right = random.beta(accuracy * strength, (1 - accuracy) * strength, groups)
    positive = random.random((groups, size)) < share[:, None]
    agrees = random.random((groups, size, 3)) < right[:, None, None]
    yes = (positive[:, :, None] == agrees).sum(axis=2)
    patterns = Counter((3 - int(votes), int(votes)) for votes in yes.ravel())
    contents: Counter[Any] = Counter()
    for group in yes if known else ():
        held = Counter((3 - int(votes), int(votes)) for votes in group)
        contents[tuple(sorted((0, pattern, items) for pattern, items in held.items()))] += 1
    n = groups * size
    return QuestionTally(
        "q", "binary", ("no", "yes"), 1, (), (), patterns,
        vote_strata=(VoteStratum("all", n, n, patterns),), vote_clusters=contents,
    )  # fmt: skip


def main(times: int = 400) -> None:
    """Print everything; a few minutes."""
    print(f"Coverage of nominal 95 % intervals, {times} draws a setting")
    for settings in (strata_alone, strata_and_groups, groups_alone):
        random = np.random.default_rng(20)
        results: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for name, wanted, pairs in settings(random, times):
            for figure, compute in FIGURES.items():
                results[name, figure].append(covered(pairs, compute, wanted[figure]))
        for (name, figure), found in results.items():
            coverage = [share for share, _ in found]
            below = sum(share < 0.93 for share in coverage)
            print(
                f"{name}: {figure}: worst {min(coverage):.3f}, mean {sum(coverage) / len(coverage):.3f}, "
                f"below .93 in {below} of {len(coverage)}, mean width {sum(width for _, width in found) / len(found):.3f}",
                flush=True,
            )
    alphas(np.random.default_rng(21), times)
