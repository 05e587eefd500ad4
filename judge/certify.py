"""The rule by which a new prompt takes the place of an old one: three answers, from one table of test items.

PROMOTE: the one-sided lower bound of the kappa difference lies above 0, no class's recall falls by more than 0.05 in the
sample, and the new prompt has no more unreadable replies. REJECT: the upper bound lies below 0. Otherwise INCONCLUSIVE.
Bounds are at level 0.05 divided by the looks that were declared, kappa is strict: an unreadable reply is a disagreement.

Measured over 1,000 seeded tables each, as `tests/test_certify.py` draws them (n = 135, 30 % positives unless said, errors
correlated by .3, one look):
  promoted: an equal prompt (kappa .60 both) 4.8 %; an identical one 0; one worse by 0.10 (.60 → .50) 0;
  one better by 0.15 (.60 → .75) 56.8 %, of 200 items 75.0 %, of 400 96.2 %; at 20 % positives one with specificity
  .80 → .97 and sensitivity .90 → .70, whose kappa is better by .16, 5.1 %: the rule on recalls holds it back.
  rejected: an equal prompt 5.5 %, one worse by 0.10 33.0 %.
Under strata and groups the bound is that of `reports.comparing`, which tells how often it held there (.92 at worst).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from data.errors import CertifyRefused
from data.wording import amount
from reports.agreement import sensitivity
from reports.comparing import Comparison, compare
from reports.credit import Named
from reports.design import Interval
from reports.estimate import Estimate
from reports.intervals import normal_quantile, student_quantile
from reports.joint import Joint
from reports.paired_power import power_of_difference
from reports.sample import Sample
from reports.written.numerals import two_places

PROMOTE, REJECT, INCONCLUSIVE = "PROMOTE", "REJECT", "INCONCLUSIVE"
LEVEL = 0.05
MOST_LOOKS = 3
LARGEST_FALL = Fraction(1, 20)
"""By how much the recall of a class may fall."""
LEAST_ITEMS, LEAST_IN_A_CLASS, LEAST_GROUPS = 60, 15, 8
POWER = 0.80
ASSUMED_KAPPA = 0.60
IMPROVEMENTS = (0.10, 0.15)
WEIGHTS: dict[str, Named] = {"binary": "unweighted", "nominal": "unweighted", "ordinal": "linear"}
"""By type of question; others are compared, not certified."""


@dataclass(frozen=True, slots=True)
class ClassRecall:
    """How many of the items that humans put in one class each prompt puts there too; an unreadable reply does not."""

    choice: str
    items: int
    old: Estimate
    new: Estimate
    falls_too_far: bool

    @property
    def change(self) -> float | None:
        return None if self.old.value is None or self.new.value is None else self.new.value - self.old.value


@dataclass(frozen=True, slots=True)
class MoreLabels:
    """How many more test labels would show the difference seen with 80 % power, were it the true one; None with a reason."""

    items: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Certification:
    """What came of one look."""

    result: str
    """`PROMOTE`, `REJECT` or `INCONCLUSIVE`."""
    comparison: Comparison
    """Old and new prompt as first and second, strict."""
    level: float
    """Of each bound: 0.05 divided by the looks declared."""
    bounds: Interval
    """The one-sided lower and upper bound of the difference."""
    recalls: tuple[ClassRecall, ...]
    unreadable: tuple[int, int]
    """Replies of the old and the new prompt, counted."""
    reasons: tuple[str, ...]
    """In words: why it is promoted or rejected, or everything that keeps it from being either."""
    more: MoreLabels

    @property
    def difference(self) -> Estimate:
        """New kappa less old, with its two-sided 95 % interval."""
        return self.comparison.difference


def certification(joint: Joint, looks_declared: int, choices: Sequence[str], weights: Named = "unweighted") -> Certification:
    """The answer for `joint`, the strict table human x old x new; `choices` name its human side.

    Raises CertifyRefused where there are too few items, and ValueError for a number of looks that is none.
    """
    level = _level(looks_declared)
    refuse_too_few(joint, choices)
    comparison = compare(joint, weights)
    bounds = comparison.bounds(level)
    recalls, unreadable = _recalls(joint, choices), _unreadable(joint)
    against = _against_promotion(comparison, bounds, recalls, unreadable)
    if not against:
        result, reasons = PROMOTE, [_promoted(comparison, bounds)]
    elif bounds.high is not None and bounds.high < 0 and not comparison.identical:
        result, reasons = REJECT, [f"Kappa falls {_from_to(comparison)}, and the upper bound {_two(bounds.high)} lies below 0."]
    else:
        result, reasons = INCONCLUSIVE, against
    more = MoreLabels(None, "it is decided") if result != INCONCLUSIVE else _more(comparison, bounds, level)
    return Certification(result, comparison, level, bounds, recalls, unreadable, tuple(reasons), more)


def refuse_too_few(joint: Joint, choices: Sequence[str]) -> None:
    """Raises CertifyRefused, with the numbers, where a look would tell nothing."""
    sample = joint.sample
    found = [sum(row) for row in sample.counts()]
    groups = groups_in(sample)
    small = [f"{count} {choice!r}" for choice, count in zip(choices, found, strict=True) if count < LEAST_IN_A_CLASS]
    if sample.n >= LEAST_ITEMS and not small and groups >= LEAST_GROUPS and not sample.unlabelled:
        return
    if sample.unlabelled:
        raise CertifyRefused(
            "Part of the test items has no label that could stand for it.",
            f"Found that {sample.unlabelled}.",
            "Let people finish the batch, then look.",
        )
    lacking = [f"at least {LEAST_ITEMS} labelled items"] if sample.n < LEAST_ITEMS else []
    lacking += [f"at least {LEAST_IN_A_CLASS} of each choice"] if small else []
    lacking += [f"at least {LEAST_GROUPS} groups"] if groups < LEAST_GROUPS else []
    classes = ", ".join(f"{count} {choice!r}" for choice, count in zip(choices, found, strict=True))
    raise CertifyRefused(
        f"Too few test items to certify on: it takes {' and '.join(lacking)}.",
        f"Found {amount(sample.n, 'test item')} with a label and both verdicts ({classes}) in {amount(groups, 'group')}.",
        "Label more test items (`rejudge draw --split test`), or run the judges on those that have a label.",
    )


def groups_in(sample: Sample) -> int:
    """Groups among its items; an item that shares none is one."""
    return sample.n if sample.groups is None else sample.groups.number


def power_statement(joint: Joint, looks_declared: int, weights: Named = "unweighted") -> tuple[tuple[float, float], ...]:
    """(improvement of kappa, chance that the bound shows it) before anybody looks: only the human side of `joint` is used.

    From kappa .60, for items as the labels have them and drawn one by one; groups tell less.
    """
    return power_of_items([sum(row) for row in joint.sample.counts()], looks_declared, weights)


def power_of_items(items: Sequence[int], looks_declared: int, weights: Named = "unweighted") -> tuple[tuple[float, float], ...]:
    """The same, for these numbers of items by human choice."""
    level = _level(looks_declared)
    return tuple(
        (better, power_of_difference(items, ASSUMED_KAPPA, ASSUMED_KAPPA + better, level, weights)) for better in IMPROVEMENTS
    )


def _level(looks_declared: int) -> float:
    if not 1 <= looks_declared <= MOST_LOOKS:
        raise ValueError(f"From 1 to {MOST_LOOKS} looks can be declared. Found {looks_declared}. Declare 1.")
    return LEVEL / looks_declared


def _recalls(joint: Joint, choices: Sequence[str]) -> tuple[ClassRecall, ...]:
    old, new = joint.judge(0), joint.judge(1)
    counts, before, after = old.counts(), old.population(), new.population()
    found = []
    for place, choice in enumerate(choices):
        whole = sum(before[place])
        falls = whole > 0 and Fraction(before[place][place] - after[place][place], whole) > LARGEST_FALL
        found.append(ClassRecall(choice, sum(counts[place]), sensitivity(old, place), sensitivity(new, place), falls))
    return tuple(found)


def _unreadable(joint: Joint) -> tuple[int, int]:
    """The last place, where there is one more than choices."""
    size = joint.sample.size
    old, new = (sum(sum(row[size:]) for row in joint.judge(which).counts()) for which in (0, 1))
    return old, new


def _against_promotion(
    comparison: Comparison, bounds: Interval, recalls: Sequence[ClassRecall], unreadable: tuple[int, int]
) -> list[str]:
    """Everything that keeps the new prompt from being promoted."""
    if comparison.identical:
        return [f"No verdict differs between the two on {amount(comparison.n, 'item')}."]
    against = []
    if comparison.difference.value is None or bounds.low is None:
        against.append(f"The difference cannot be told: {comparison.difference.reason or bounds.reason}.")
    elif bounds.low <= 0:
        against.append(
            f"That kappa is better is not shown: it goes {_from_to(comparison)}, and the lower bound {_two(bounds.low)} does not "
            "lie above 0."
        )
    for recall in recalls:
        if recall.falls_too_far:
            against.append(
                f"The recall of “{recall.choice}” falls by more than 0.05: from {_two(recall.old.value)} to "
                f"{_two(recall.new.value)} on {amount(recall.items, 'item')}."
            )
    old, new = unreadable
    if new > old:
        against.append(f"The new prompt has more unreadable replies: {new} against {old}.")
    return against


def _promoted(comparison: Comparison, bounds: Interval) -> str:
    return (
        f"Kappa rises {_from_to(comparison)}, and the lower bound {_two(bounds.low)} lies above 0; no recall falls by more than "
        "0.05, and no more replies are unreadable."
    )


def _more(comparison: Comparison, bounds: Interval, level: float) -> MoreLabels:
    """The standard error shrinks with the root of n; more items are taken to be like these, in groups alike."""
    difference, spread = comparison.difference.value, comparison.spread
    if comparison.identical or not difference or spread is None:
        return MoreLabels(None, "there is no difference whose size could be shown")
    if bounds.low is not None and bounds.low > 0:
        return MoreLabels(None, "the bound lies above 0 already; it is not for want of labels")
    bound = normal_quantile(1 - level) if spread.degrees is None else student_quantile(spread.degrees, 1 - level)
    if math.isinf(bound):
        return MoreLabels(None, "so few groups tell nothing about the width")
    needed = comparison.n * ((bound + normal_quantile(POWER)) * spread.error / difference) ** 2
    return MoreLabels(max(1, math.ceil(needed) - comparison.n))


def _from_to(comparison: Comparison) -> str:
    return f"from {_two(comparison.first.value)} to {_two(comparison.second.value)}"


def _two(figure: float | None) -> str:
    return "undefined" if figure is None else two_places(figure)
