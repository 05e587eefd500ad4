"""Whether the codebook must be mended before the judge prompt: a judge cannot agree better with people than its codebook lets them.

The bounds are those of the study's design: people agree at less than kappa 0.4, or cannot be shown to reach 0.6, or too many
of the causes on record blame the codebook. They are conventions, and say nothing about any one item.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from data.wording import amount
from reports.estimate import Estimate
from reports.intervals import LEVEL
from reports.planner import POWER

LEAST_KAPPA = 0.4
LEAST_UPPER = 0.6
MOST_AMBIGUOUS = (3, 10)
"""Of the causes, as numerator and denominator: more than this share blames the codebook."""
LEAST_CAUSES = 20
AMBIGUOUS = "codebook ambiguous"
_MOST_PLANNED = 100_000
"""More double labels than this are no plan."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a lead is told before a revision."""

    ready: bool
    """False: mend the codebook first. True with words: there is something to know, and no reason to stop."""
    words: tuple[str, ...]
    """Sentences; the first says what to do."""


def readiness(human_human: Estimate, causes: Mapping[str, int]) -> Readiness:
    """Whether the codebook stands in the way of a better judge.

    `human_human`: how far people agree beyond chance, such as `agreement_of_people` gives; `causes`: cause to how many
    items have it, of one question and run.
    """
    reasons = [*_people(human_human), *_blamed(causes)]
    if reasons:
        first = "Mend the codebook first: a prompt cannot make a judge agree with people who do not agree with each other."
        return Readiness(False, (first if _people(human_human) else "Mend the codebook first.", *reasons))
    return Readiness(True, _too_few(human_human))


def agreement_of_people(question: Mapping[str, Any]) -> Estimate:
    """Of one question in the document of `agree`: Cohen's kappa where two people share items, else Krippendorff's alpha.

    Alpha is what kappa becomes for more people, and is at the level of the question's type.
    """
    among = question["human_human"]
    pairs = among["pairs"]
    found = pairs[0]["kappa"] if len(pairs) == 1 and "kappa" in pairs[0] else among["krippendorff_alpha"]
    return Estimate(**found)


def _people(agreement: Estimate) -> list[str]:
    """Why people's agreement is too low; empty where it is not, or where that is unknown."""
    if agreement.value is None:
        return []
    told = _told(agreement)
    if agreement.value < LEAST_KAPPA:
        return [f"People agree beyond chance by {told}: below {LEAST_KAPPA}."]
    if agreement.high is not None and agreement.high < LEAST_UPPER:
        return [f"People agree beyond chance by {told}: even the upper end of its interval is below {LEAST_UPPER}."]
    return []


def _blamed(causes: Mapping[str, int]) -> list[str]:
    """Why the causes speak against the codebook; empty where they do not."""
    total, blamed = sum(causes.values()), causes.get(AMBIGUOUS, 0)
    share, whole = MOST_AMBIGUOUS
    if total < LEAST_CAUSES or blamed * whole <= total * share:
        return []
    return [f"{blamed} of {total} disagreements with a cause are “{AMBIGUOUS}”: more than {100 * share // whole} %."]


def _too_few(agreement: Estimate) -> tuple[str, ...]:
    """What to say where people's agreement is not known well enough, with how many double labels would do."""
    if agreement.value is None or agreement.low is None:
        return (
            "Whether the codebook is clear enough cannot be told: how far people agree beyond chance is unknown.",
            f"Why: {agreement.reason}. Draw a batch with “--overlap 2” to know.",
        )
    if agreement.low >= LEAST_KAPPA:
        return ()
    first = f"Too few double labels to tell whether the codebook is clear: people agree beyond chance by {_told(agreement)}."
    needed = double_labels_needed(agreement)
    if needed is None:
        return first, f"It lies so near to {LEAST_KAPPA} that no number of labels within reach would tell."
    return (
        first,
        f"If it stays where it is, about {needed:,} items labelled by two people show with {100 * POWER:.0f} % chance that it is "
        f"above {LEAST_KAPPA}.",
    )


def double_labels_needed(agreement: Estimate) -> int | None:
    """How many items labelled by two people show that kappa is above 0.4, with the planner's power, if it is what it seems.

    The lower half of the interval at hand, which knows about groups and margins, is taken to narrow with the root of n; the
    least n with (z_level + z_power) · half / z_level within kappa - 0.4. None: more than anybody would label, or unknown.
    """
    if agreement.value is None or agreement.low is None or agreement.value <= LEAST_KAPPA:
        return None
    z, z_power = NormalDist().inv_cdf((1 + LEVEL) / 2), NormalDist().inv_cdf(POWER)
    wider = (agreement.value - agreement.low) * (z + z_power) / z / (agreement.value - LEAST_KAPPA)
    needed = math.ceil(agreement.n * wider**2)
    return needed if needed <= _MOST_PLANNED else None


def _told(agreement: Estimate) -> str:
    interval = "" if agreement.low is None or agreement.high is None else f" ({agreement.low:.2f} to {agreement.high:.2f})"
    return f"{agreement.value:.2f}{interval} on {amount(agreement.n, 'item', form=',')}"
