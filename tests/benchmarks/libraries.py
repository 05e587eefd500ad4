"""Kappa with an interval from a million pairs: ours beside what people use instead, in one run.

Ours is counting (`bincount` of integer codes) and `kappa`, which has its interval. scikit-learn gives a value; its
interval is the naive bootstrap, which draws the items anew: a few replicates are timed and 2,000 are reckoned from
them. statsmodels counts with its own `to_table` and has a standard error. nltk takes triples, and has a value.
What would take longer than a minute is reckoned from the size before, and marked with ~.
"""

import time
import warnings
from collections.abc import Callable

import numpy as np
from nltk.metrics.agreement import AnnotationTask  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score  # type: ignore[import-untyped]
from statsmodels.stats.inter_rater import cohens_kappa, to_table  # type: ignore[import-untyped]

from reports.agreement import kappa
from reports.sample import Sample
from tests.test_design import pair, stratum

Integers = NDArray[np.int64]
SIZES = (1_000, 100_000, 1_000_000)
CHOICES = 5
REPLICATES = 2_000
LONGEST = 60.0


def main() -> None:
    print(f"kappa of {CHOICES} choices from pairs of integer codes, value and 95 % interval; milliseconds, and times ours")
    print(f"{'':>34}" + "".join(f"{n:>25,}" for n in SIZES))
    times = {name: _over_sizes(method) for name, method in METHODS.items()}
    ours = [taken for taken, _ in times[OURS]]
    for name, each in times.items():
        shown = (
            f"{'~' if guessed else ''}{taken * 1e3:,.2f} ({taken / own:,.0f}x)"
            for (taken, guessed), own in zip(each, ours, strict=True)
        )
        print(f"{name:>34}" + "".join(f"{text:>25}" for text in shown))
    table = _counted(*_pairs(SIZES[-1]))
    after = _best(lambda: kappa(table), 200)
    print(f"after counting, {SIZES[-1]:,} pairs: kappa with its interval in {after * 1e3:.2f} ms; budget 50 ms")
    strata = tuple(stratum(table, 10 * SIZES[-1] * place, unreadable=(0,) * CHOICES) for place in (1, 2, 3, 4))
    drawn = _best(lambda: kappa(Sample.readable(pair(*strata))), 20)
    print(f"the same four times over, in strata of several weights: {drawn * 1e3:.2f} ms")


def _pairs(n: int) -> tuple[Integers, Integers]:
    random = np.random.default_rng(4)
    human = random.choice(CHOICES, size=n, p=[0.4, 0.25, 0.2, 0.1, 0.05])
    judge = np.where(random.random(n) < 0.8, human, random.integers(0, CHOICES, n))
    return human.astype(np.int64), judge.astype(np.int64)


def _counted(human: Integers, judge: Integers) -> list[list[int]]:
    table: list[list[int]] = np.bincount(human * CHOICES + judge, minlength=CHOICES**2).reshape(CHOICES, CHOICES).tolist()
    return table


def _ours(human: Integers, judge: Integers) -> float:
    return _best(lambda: kappa(_counted(human, judge)), 20)


def _scikit_learn(human: Integers, judge: Integers) -> float:
    return _best(lambda: cohen_kappa_score(human, judge), 3)


def _bootstrap(human: Integers, judge: Integers) -> float:
    random = np.random.default_rng(5)
    timed = max(2, min(100, 200_000 // len(human)))

    def replicates() -> None:
        for _ in range(timed):
            drawn = random.integers(0, len(human), len(human))
            cohen_kappa_score(human[drawn], judge[drawn])

    return _best(replicates, 1) * REPLICATES / timed


def _statsmodels(human: Integers, judge: Integers) -> float:
    return _best(lambda: cohens_kappa(to_table(np.column_stack([human, judge]), bins=CHOICES)[0]), 3)


def _nltk(human: Integers, judge: Integers) -> float:
    def value() -> None:
        triples = [(who, item, label) for who, side in (("h", human), ("j", judge)) for item, label in enumerate(side.tolist())]
        AnnotationTask(triples).kappa()

    return _best(value, 1)


OURS = "ours: count, kappa, interval"
METHODS: dict[str, Callable[[Integers, Integers], float]] = {
    OURS: _ours,
    "scikit-learn, value alone": _scikit_learn,
    f"scikit-learn, {REPLICATES:,} replicates": _bootstrap,
    "statsmodels, value and error": _statsmodels,
    "nltk, value alone": _nltk,
}


def _over_sizes(method: Callable[[Integers, Integers], float]) -> list[tuple[float, bool]]:
    """Seconds by size, and whether they were reckoned."""
    found: list[tuple[float, bool]] = []
    for place, n in enumerate(SIZES):
        if place:
            grown = found[-1][0] * n / SIZES[place - 1]
            if grown > LONGEST and method is _nltk:
                found.append((grown, True))
                continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append((method(*_pairs(n)), method is _bootstrap))
    return found


def _best(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)
