"""Is the judge as good as one more human? Its kappa with single annotators, less theirs with each other.

  difference = mean over annotators of kappa(judge, annotator) - mean over pairs of annotators of kappa(one, other)

on the same items: those with a readable verdict and two labels or more. A consensus is no like-for-like
reference, since agreement with several people may lawfully exceed theirs with each other; single people are.
Kappas that are undefined enter neither mean, and are counted; so are those of two raters who share fewer than
FEWEST_SHARED items, because kappa of so few reads low (by .03 to .11 for ten), and more so for two annotators,
who share fewer items than the judge does with each of them.

Interval: each item (or group) is left out in turn, its strata are weighted anew, and
var = (M-1)/M·Σ(without one - their mean)², t(M-1) or t(M-strata), around the value. Four pseudo-items of
weight 1, rated by the annotators of a real item drawn at random, keep it from having no width: in two of them
everybody guesses, in two the annotators are of one mind and the judge guesses. They enter the variance by their
linearised pull, and the value not at all. Without them the jackknife covers as little as 15 % (annotators and
judge who hardly err, rare positives).

A judge's slip counts once for every annotator of its item, so where one or two slips decide, no interval from
the data can know how many more there might be.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.human_tallies import Panel
from data.wording import amount, interval_end, two_places
from reports.chance import ONE_CHOICE
from reports.credit import Named
from reports.design import ONE_GROUP
from reports.estimate import Estimate
from reports.intervals import held, student_quantile
from reports.pair_tables import PairTables, standard_errors
from reports.panels import NO_ITEMS, Pairings, pairings
from reports.sample import Floats

AS_GOOD_WITHIN = 0.10
"""How far below zero the interval may reach where the judge is still called as good: half of what parts two of
the usual grades of kappa, and the smaller of the two differences that certification has in view."""
FEWEST_SHARED = 10
LOW_BAR = 0.4
PRELIMINARY_BELOW = 30
METHOD = "jackknife+4"
FAR_FEWER = 0.75
ONE_ITEM = "a single item tells nothing about the width"


@dataclass(frozen=True, slots=True)
class OneMoreHuman:
    """Two means of kappa on the same items, their difference, and how many kappas they rest on."""

    judge_human: Estimate
    human_human: Estimate
    difference: Estimate
    """Above 0 the judge agrees with people more than they do with each other."""
    annotators: int
    """Kappas of the judge with an annotator (for sets: with an annotator on a label) in the first mean."""
    pairs: int
    """Kappas of two annotators in the second mean."""
    undefined: int
    """Kappas that are undefined and in neither."""
    too_few: int
    """Kappas that rest on too few items and are in neither."""
    items_per_annotator: float
    """How many items the judge shares with an annotator, on average over the first mean."""
    items_per_pair: float
    """How many items two annotators share, on average over the second mean."""
    figure: str = "kappa"
    """What is averaged, in words."""

    @property
    def answer(self) -> str:
        """`better`, `as good`, `worse`, `unclear` or `undefined`; see `words`."""
        low, high = self.difference.low, self.difference.high
        if self.difference.value is None:
            return "undefined"
        if low is None or high is None:
            return "unclear"
        if high < 0:
            return "worse"
        return "better" if low > 0 else "as good" if low >= -AS_GOOD_WITHIN else "unclear"

    @property
    def words(self) -> str:
        """The answer as sentences that may be quoted."""
        return " ".join([_answer_in_words(self), *_cautions(self)])

    def as_json(self) -> dict[str, Any]:
        """As a JSON object; floats are not rounded."""
        return {
            "judge_human": self.judge_human.as_json(),
            "human_human": self.human_human.as_json(),
            "difference": self.difference.as_json(),
            "annotators": self.annotators,
            "pairs": self.pairs,
            "undefined": self.undefined,
            "too_few": self.too_few,
            "items_per_annotator": self.items_per_annotator,
            "items_per_pair": self.items_per_pair,
            "figure": self.figure,
            "answer": self.answer,
            "words": self.words,
        }


def one_more_human(panel: Panel, choices: int, weights: Named = "unweighted") -> OneMoreHuman:
    """For choices, of which `choices` are declared; `linear` weights for ordinal ones."""
    return _by_kappa(panel, choices, [[int(answer)] for answer in panel.answers], weights)


def one_more_human_on_label(panel: Panel, label: int) -> OneMoreHuman:
    """For sets: whether the label at this place is among those given."""
    return _by_kappa(panel, 2, [[int(answer) >> label & 1] for answer in panel.answers])


def one_more_human_on_sets(panel: Panel, labels: int) -> OneMoreHuman:
    """For sets of `labels` labels: the means go over the labels, too."""
    return _by_kappa(panel, 2, [[int(answer) >> label & 1 for label in range(labels)] for answer in panel.answers])


def one_more_human_at(panel: Panel, threshold: float) -> OneMoreHuman:
    """For scores: whether `threshold` is reached."""
    return _by_kappa(panel, 2, [[int(answer >= threshold)] for answer in panel.answers])


@dataclass(frozen=True, slots=True)
class PairValues:
    """One figure for every pair of raters, T of them."""

    rated: Pairings
    judged: NDArray[np.bool_]
    """Whether it is the judge with an annotator."""
    values: Floats
    """nan where undefined."""
    shared: Floats
    """Items that both rated."""

    @property
    def enough(self) -> NDArray[np.bool_]:
        """Whether a figure rests on enough items; whoever rated all there are has enough."""
        found: NDArray[np.bool_] = self.shared >= min(FEWEST_SHARED, self.rated.n)
        return found

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether a figure enters its mean."""
        return self.enough & ~np.isnan(self.values)

    def coefficients(self) -> Floats | None:
        """3 x T: what each figure counts in the judge's mean, the humans', and their difference; None without one of both."""
        judge, human = (self.judged & self.kept).astype(np.float64), (~self.judged & self.kept).astype(np.float64)
        if not judge.any() or not human.any():
            return None
        judge, human = judge / judge.sum(), human / human.sum()
        return np.stack([judge, human, judge - human])

    def nothing(self, method: str, figure: str, why: str) -> OneMoreHuman:
        """Nothing to be told, because one mean has nothing in it. `why` a figure is undefined."""
        if not self.rated.n or self.rated.unlabelled:
            why = self.rated.unlabelled if self.rated.n else NO_ITEMS
        elif not (self.enough & ~self.judged).any() or not (self.enough & self.judged).any():
            why = f"no two annotators share {FEWEST_SHARED} items or more, and a {figure} of fewer says too little"
        else:
            why = f"the {figure} is undefined for every annotator with the judge, or for every two annotators: {why}"
        none = Estimate.undefined(self.rated.n, method, why)
        return OneMoreHuman(none, none, none, 0, 0, *self._left_out(), 0.0, 0.0, figure)

    def summed_up(
        self, coefficients: Floats, errors: Floats | None, degrees: int, method: str, figure: str = "kappa"
    ) -> OneMoreHuman:
        """The three means, from their standard errors. `errors`: None where there is nothing to leave out."""
        n, estimates = self.rated.n, []
        means = coefficients @ np.where(self.kept, self.values, 0.0)
        for place, limit in enumerate((1.0, 1.0, 2.0)):
            value = float(means[place])
            if errors is None:
                reason = ONE_GROUP if self.rated.grouped and self.rated.units < 2 else ONE_ITEM
                estimates.append(Estimate(value, None, None, n, method, reason))
                continue
            low, high = held(value, value, student_quantile(degrees) * float(errors[place]), (-limit, limit))
            estimates.append(Estimate(value, low, high, n, method))
        judge, human, difference = estimates
        of_judge, of_pair = self.judged & self.kept, ~self.judged & self.kept
        return OneMoreHuman(
            judge,
            human,
            difference,
            int(of_judge.sum()),
            int(of_pair.sum()),
            *self._left_out(),
            float(self.shared[of_judge].mean()),
            float(self.shared[of_pair].mean()),
            figure,
        )

    def _left_out(self) -> tuple[int, int]:
        return int((self.enough & np.isnan(self.values)).sum()), int((~self.enough).sum())


def _by_kappa(panel: Panel, size: int, codes: list[list[int]], weights: Named = "unweighted") -> OneMoreHuman:
    rated = pairings(panel)
    method = rated.method(METHOD)
    tables = PairTables.of(rated, size, np.array(codes, dtype=np.int64).reshape(len(codes), len(codes[0]) if codes else 1), weights)
    pairs = PairValues(rated, tables.judged, tables.values(), rated.shared()[tables.pair])
    coefficients = None if rated.unlabelled else pairs.coefficients()
    if coefficients is None:
        return pairs.nothing(method, "kappa", ONE_CHOICE)
    errors = standard_errors(rated, tables, coefficients) if rated.degrees > 0 else None
    return pairs.summed_up(coefficients, errors, rated.degrees, method)


def _answer_in_words(found: OneMoreHuman) -> str:
    difference, mean = found.difference, f"mean {found.figure}"
    if difference.value is None or difference.low is None or difference.high is None:
        return f"Cannot be said: {difference.reason}."
    low, high = (interval_end(abs(end)) for end in (difference.low, difference.high))
    if found.answer == "worse":
        small = " That is less than 0.10 even so." if difference.low >= -AS_GOOD_WITHIN else ""
        return (
            "No. The judge agrees with single annotators less than they agree with each other: "
            f"its {mean} is lower by {high} to {low}.{small}"
        )
    if found.answer == "better":
        return (
            "Yes. The judge agrees with single annotators more than they agree with each other: "
            f"its {mean} is higher by {low} to {high}."
        )
    if found.answer == "as good":
        return f"Yes, to within {AS_GOOD_WITHIN:.2f}: its {mean} with an annotator is at most {low} below theirs with each other."
    n = amount(difference.n, "item", form=",")
    return f"{n} cannot tell: the judge's {mean} may be {low} lower than theirs with each other, or {high} higher."


def _cautions(found: OneMoreHuman) -> list[str]:
    """What a reader must know beside the answer."""
    if found.difference.value is None or found.human_human.value is None:
        return []
    said = []
    if found.human_human.value < LOW_BAR:
        said.append(
            f"The annotators' own mean {found.figure} is {two_places(found.human_human.value)}: to be like one of them says little."
        )
    if found.difference.n < PRELIMINARY_BELOW:
        said.append(f"Preliminary: fewer than {PRELIMINARY_BELOW} items.")
    of_pair, of_judge = found.items_per_pair, found.items_per_annotator
    if of_pair < min(PRELIMINARY_BELOW, FAR_FEWER * of_judge):
        said.append(
            f"Two annotators share {of_pair:.0f} items on average, the judge {of_judge:.0f} with each of them: "
            f"a {found.figure} of few items reads low, which flatters the judge."
        )
    if found.too_few:
        left = amount(found.too_few, f"{found.figure} that rests", f"{found.figure}s that rest")
        said.append(f"Left out: {left} on fewer than {FEWEST_SHARED} items.")
    if found.undefined:
        left = amount(found.undefined, f"{found.figure} that is", f"{found.figure}s that are")
        said.append(f"Left out: {left} undefined.")
    return said
