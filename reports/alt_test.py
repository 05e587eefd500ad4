"""The alternative annotator test: may the judge stand in for one of the annotators?

For each annotator h, on the items that h, the judge and somebody else answered: S(x) is the share of the
others who answered x (or minus the root mean squared distance to them). d = 1[S(h) ≥ S(judge)] -
1[S(judge) ≥ S(h)] is 1 where h alone fits the others best and -1 where the judge does; a one-sided t-test
asks whether mean(d) < ε, what h costs more than the judge being at most worth ε. The p-values of all
annotators are taken together by Benjamini and Yekutieli; the winning rate is the share rejected, and half
of them is a pass.

The published test passes judges that it should not. Where one class is rare a judge that always says the
common one passes: three annotators of accuracy .97, .93 and .85, 60 items, 10 % positives, ε = .2: in 82 to
99.8 % of the cases. Where annotators guess, a coin passes. So pass or fail is withheld, with the reasons,
where the data cannot carry it, and the same test of the judge that always says the humans' most frequent
answer stands beside it. For notebooks: no consensus, gold set or report uses it.

Source: Calderon, Reichart and Dror 2025.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from data.wording import amount
from reports.alpha import krippendorff_alpha
from reports.estimate import Estimate
from reports.sample import Floats

Score = Literal["accuracy", "neg_rmse"]

PASS_AT = 0.5
FEWEST_ANNOTATORS = 3
FEWEST_ITEMS = 30
LEAST_ALPHA = 0.4
LEAST_SHARE = 0.10
METHOD = "alternative annotator test, {}, epsilon {:g}, Benjamini-Yekutieli at {:g}"
NO_INTERVAL = "the published test gives no interval"
P_VALUE = "a p-value has no interval"
RARE = "a judge that never says it may pass"
TOO_FEW_ITEMS = "fewer than two items that the judge and two annotators answered"


@dataclass(frozen=True, slots=True)
class AnnotatorResult:
    """One annotator left out, and the judge in her place."""

    n: int
    """Items that she, the judge and somebody else answered."""
    p: Estimate
    """The p-value of mean(d) < epsilon; not adjusted."""
    advantage: Estimate
    """The share of the n items on which the judge fits the others at least as well as she."""
    rejected: bool
    """Whether the judge wins, all annotators' p-values taken together."""


@dataclass(frozen=True, slots=True)
class AltTest:
    """The published figures, and what may be said of them."""

    annotators: tuple[AnnotatorResult, ...]
    winning_rate: Estimate
    """The share of the annotators against whom the judge wins."""
    advantage: Estimate
    """The mean over annotators of `advantage`."""
    passed: bool | None
    """Whether the winning rate reaches .5; None where it may not be said."""
    reasons: tuple[str, ...]
    """Why it may not be said; empty where it may."""
    always_majority: "AltTest | None"
    """The same test of a judge that always gives the humans' most frequent answer. A judge that does no better
    than this one has shown nothing. None within itself, and where nobody answered."""


@dataclass(frozen=True, slots=True)
class _Setting:
    score: Score
    epsilon: float
    fdr: float
    choices: tuple[Any, ...] | None

    @property
    def method(self) -> str:
        return METHOD.format(self.score, self.epsilon, self.fdr)


def alternative_annotator_test(
    judge: Sequence[Any],
    humans: Sequence[Sequence[Any]],
    epsilon: float,
    score: Score = "accuracy",
    choices: Sequence[Hashable] | None = None,
    fdr: float = 0.05,
) -> AltTest:
    """The test of `judge` (an answer per item) against `humans` (a row per annotator, an answer per item); None is missing.

    `epsilon`: what a human annotator costs more than the judge, as a share of items; published with .1 to .2.
    `score`: `accuracy` for choices, `neg_rmse` for numbers. `choices`: the declared ones (default those that
    humans gave, where the score is accuracy); without choices no class is counted as rare. Raises ValueError
    for rows of unequal length, an epsilon or fdr outside [0, 1], and an answer that is no choice.
    """
    if {len(row) for row in humans} - {len(judge)}:
        raise ValueError(
            f"Every annotator needs a place for each of the judge's {len(judge)} items. Found {[len(row) for row in humans]}."
        )
    if not 0 <= epsilon <= 1 or not 0 < fdr < 1:
        raise ValueError(f"epsilon must lie in [0, 1] and fdr in (0, 1). Found {epsilon} and {fdr}.")
    if score not in ("accuracy", "neg_rmse"):
        raise ValueError(f"Unknown score {score!r}. Use 'accuracy' or 'neg_rmse'.")
    given = Counter(answer for row in humans for answer in row if answer is not None)
    if choices is None and score == "accuracy":
        choices = sorted(given, key=lambda answer: (str(type(answer)), answer))
    if choices is not None and (unknown := set(given) - set(choices)):
        raise ValueError(
            f"Humans gave answers that are none of the choices: {sorted(map(str, unknown))}. Name them among `choices`."
        )
    setting = _Setting(score, epsilon, fdr, None if choices is None else tuple(choices))
    if not given:
        return _tested(judge, humans, setting, None)
    frequent = min(given, key=lambda answer: (-given[answer], str(answer)))
    majority = _tested([frequent] * len(judge), humans, setting, None)
    return _tested(judge, humans, setting, majority)


def _tested(judge: Sequence[Any], humans: Sequence[Sequence[Any]], setting: _Setting, majority: AltTest | None) -> AltTest:
    compared = [_against(judge, humans, place, setting.score) for place in range(len(humans))]
    p_values = [_p_value(differences, setting.epsilon) if len(differences) > 1 else None for differences, _ in compared]
    wins = _benjamini_yekutieli(p_values, setting.fdr)
    annotators = tuple(
        AnnotatorResult(len(found[0]), _p_estimate(p, len(found[0]), setting), _advantage([found], setting), won)
        for found, p, won in zip(compared, p_values, wins, strict=True)
    )
    tested = [place for place, p in enumerate(p_values) if p is not None]
    if not tested:
        nothing = Estimate.undefined(0, setting.method, TOO_FEW_ITEMS)
        return AltTest(annotators, nothing, nothing, None, (TOO_FEW_ITEMS,), majority)
    rate = Estimate(sum(wins) / len(tested), None, None, len(tested), setting.method, NO_INTERVAL)
    reasons = _reasons(judge, humans, compared, setting)
    passed = None if reasons else sum(wins) >= PASS_AT * len(tested)
    return AltTest(annotators, rate, _advantage([compared[place] for place in tested], setting), passed, reasons, majority)


def _against(judge: Sequence[Any], humans: Sequence[Sequence[Any]], left_out: int, score: Score) -> tuple[list[int], int]:
    """d of each item that `left_out`, the judge and somebody else answered, and on how many the judge fits as well."""
    differences, as_well = [], 0
    for item, (own, verdict) in enumerate(zip(humans[left_out], judge, strict=True)):
        others = [row[item] for place, row in enumerate(humans) if place != left_out and row[item] is not None]
        if own is None or verdict is None or not others:
            continue
        # The number of others is the same for both, so sums compare as shares and as roots of means do, without rounding.
        if score == "accuracy":
            of_human, of_judge = others.count(own), others.count(verdict)
        else:
            of_human, of_judge = (-sum((answer - other) ** 2 for other in others) for answer in (own, verdict))
        differences.append(int(of_human >= of_judge) - int(of_judge >= of_human))
        as_well += of_judge >= of_human
    return differences, as_well


def _p_value(differences: Sequence[int], epsilon: float) -> float:
    """One-sided, of the mean being below epsilon; two items or more."""
    from scipy.special import stdtr  # scipy is slow to import

    d = np.array(differences, dtype=np.float64)
    error = float(d.std(ddof=1)) / len(d) ** 0.5
    if error == 0:
        return 0.0 if d[0] < epsilon else 1.0
    return float(stdtr(len(d) - 1, (float(d.mean()) - epsilon) / error))


def _benjamini_yekutieli(p_values: Sequence[float | None], fdr: float) -> list[bool]:
    """Which are rejected, under any dependence between them (Benjamini and Yekutieli 2001)."""
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    number = len(tested)
    harmonic = sum(1 / rank for rank in range(1, number + 1))
    last = max((rank for rank, (p, _) in enumerate(tested, start=1) if p <= rank * fdr / (number * harmonic)), default=0)
    rejected = {place for _, place in tested[:last]}
    return [place in rejected for place in range(len(p_values))]


def _p_estimate(p: float | None, n: int, setting: _Setting) -> Estimate:
    return (
        Estimate.undefined(n, setting.method, TOO_FEW_ITEMS) if p is None else Estimate(p, None, None, n, setting.method, P_VALUE)
    )


def _advantage(compared: Sequence[tuple[list[int], int]], setting: _Setting) -> Estimate:
    """The mean over annotators; n counts their items."""
    n = sum(len(differences) for differences, _ in compared)
    if n == 0:
        return Estimate.undefined(0, setting.method, TOO_FEW_ITEMS)
    mean = sum(Fraction(as_well, len(differences)) for differences, as_well in compared) / len(compared)
    return Estimate(float(mean), None, None, n, setting.method, NO_INTERVAL)


def _reasons(
    judge: Sequence[Any], humans: Sequence[Sequence[Any]], compared: Sequence[tuple[list[int], int]], setting: _Setting
) -> tuple[str, ...]:
    """Why neither pass nor fail may be said."""
    used = [item for item, verdict in enumerate(judge) if verdict is not None and sum(row[item] is not None for row in humans) > 1]
    answers = Counter(row[item] for item in used for row in humans if row[item] is not None)
    reasons = []
    taking_part = sum(bool(differences) for differences, _ in compared)
    if taking_part < FEWEST_ANNOTATORS:
        reasons.append(
            f"only {amount(taking_part, 'annotator')} can be compared with the judge and others; it takes {FEWEST_ANNOTATORS}"
        )
    fewest = min(len(differences) for differences, _ in compared)
    if fewest < FEWEST_ITEMS:
        reasons.append(f"an annotator has {amount(fewest, 'item')} to compare; it takes {FEWEST_ITEMS} each")
    if why := _alpha_too_low(humans, used, setting.score):
        reasons.append(why)
    if len({judge[item] for item in used}) == 1:
        reasons.append(f"the judge is constant: it says {judge[used[0]]} of every item")
    whole = sum(answers.values())
    for choice in setting.choices or ():
        if answers[choice] < LEAST_SHARE * whole:
            share = 100 * answers[choice] / whole
            reasons.append(f"{choice} makes up {share:.1f} % of the humans' answers; under {100 * LEAST_SHARE:.0f} % {RARE}")
    return tuple(reasons)


def _alpha_too_low(humans: Sequence[Sequence[Any]], used: Sequence[int], score: Score) -> str:
    values = sorted(
        {row[item] for item in used for row in humans if row[item] is not None}, key=lambda value: (str(type(value)), value)
    )
    place = {value: k for k, value in enumerate(values)}
    patterns: Mapping[tuple[int, ...], int] = Counter(
        tuple(np.bincount([place[row[item]] for row in humans if row[item] is not None], minlength=max(2, len(values))).tolist())
        for item in used
    )
    if score == "accuracy":
        alpha = krippendorff_alpha(patterns)
    else:
        numbers: Floats = np.array([*map(float, values), *([float(values[0]) + 1] if len(values) == 1 else [])])
        alpha = krippendorff_alpha(patterns, "interval", numbers.tolist())
    if alpha.value is None:
        return f"the humans' alpha is undefined: {alpha.reason}"
    if alpha.low is None or alpha.low < LEAST_ALPHA:
        return f"the humans' alpha may be as low as {alpha.low:.2f}, and under {LEAST_ALPHA} they agree too little to be a measure"
    return ""
