"""What was seen of a study so far, and what that and a wish make of a plan: numbers of items, or why there is none.

Two steps: what the data say (`of_study/plan.py`) takes counting; `planned` adds what somebody wants to reach, and
takes no time. So a page counts once and answers every number that is typed.

Whether labelling may stop is told by the width of the interval alone. A rule on the value ("stop once the lower
end is above .6") looks again and again until chance helps it; a rule on the width is not helped by looking.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from data.wording import with_minus
from reports.planner import POWER, Draw, Plan, Prevalence, half_widths, items_for_power, items_for_width

Document = dict[str, Any]

HALF_WIDTH = 0.10
SEEN_FROM = 20
"""Labelled items from which on what was seen is planned with."""
GIVEN, SEEN, JUDGE, ASSUMED = "given", "seen", "judge", "assumed"
"""Where a number comes from: whoever asked, the labels so far, the judge's verdicts (both sides alike), nobody."""
USUAL_KAPPA, USUAL_GAIN = 0.60, 0.20
NEARLY_ONE = 0.98
"""A kappa seen above this is planned as this: at 1 the variance is 0, and no number of items would follow."""
NOT_ABOVE = "the kappa that is planned with is not above {}: no number of items is likely to show that it were"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be reached, and what is to be taken for granted instead of what was seen."""

    half_width: float = HALF_WIDTH
    kappa0: float | None = None
    """Kappa is to be shown above this; None: there is nothing to show."""
    kappa1: float | None = None
    """What kappa truly is then; None: as it is planned with."""
    power: float = POWER
    prevalence: float | None = None
    """The share of the positive choice, on both sides; for questions of two choices."""
    kappa: float | None = None


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a plan starts from, and where each part of it comes from."""

    kappa: float
    kappa_from: str
    shares: tuple[float, ...]
    """The human side's, by choice; the positive one first where there are two."""
    shares_from: str
    judge: float | None
    """The judge's share of the first of two choices; None where both sides are planned alike."""
    design_effect: float
    population: tuple[int, ...]
    """Readable verdicts of each choice, in the order of `shares`; empty without a judge."""

    @property
    def prevalence(self) -> Prevalence:
        """As the planner takes it."""
        return self.shares[0] if len(self.shares) == 2 else self.shares

    def draw(self, by_verdict: bool) -> Draw:
        """A draw from these items."""
        return Draw(by_verdict, self.population, self.design_effect)


def planned(seen: Document, wish: Wish) -> Document:
    """The plan document: `seen` with a plan for every part of every run. Raises ValueError for a wish that makes no sense."""
    return seen | {
        "wish": asdict(wish),
        "questions": [
            question
            | {
                "runs": [
                    run | {"parts": [_part(part, wish, seen["trajectories"]) for part in run["parts"]]} for run in question["runs"]
                ]
            }
            for question in seen["questions"]
        ],
    }


def grounds(part: Document, wish: Wish) -> Grounds:
    """What a part is planned from."""
    table, verdicts = part["table"], part["verdicts"]
    told = part["labelled"] >= SEEN_FROM and part["readable_kappa"] is not None
    judged = sum(count > 0 for count in verdicts) > 1
    shares, shares_from, judge = (1 / len(verdicts),) * len(verdicts), ASSUMED, None
    if wish.prevalence is not None and len(verdicts) == 2:
        shares, shares_from = (wish.prevalence, 1 - wish.prevalence), GIVEN
    elif told:
        human, judges = [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)]
        shares, shares_from = tuple((one + other) / 2 for one, other in zip(human, judges, strict=True)), SEEN
        if len(verdicts) == 2 and 0 < human[0] < 1 and 0 < judges[0] < 1:
            shares, judge = tuple(human), judges[0]
    elif judged:
        shares, shares_from = tuple(count / sum(verdicts) for count in verdicts), JUDGE
    kappa, kappa_from = USUAL_KAPPA, ASSUMED
    if wish.kappa is not None:
        kappa, kappa_from = wish.kappa, GIVEN
    elif told:
        lowest = -1.0 if len(verdicts) == 2 else 0.0
        kappa, kappa_from = min(max(part["readable_kappa"], lowest), NEARLY_ONE), SEEN
    effect = max(1.0, part["design_effect"] or 1.0)
    return Grounds(kappa, kappa_from, shares, shares_from, judge, effect, tuple(verdicts) if judged else ())


def _part(part: Document, wish: Wish, trajectories: int) -> Document:
    if part["reason"]:
        return part
    at = grounds(part, wish)
    draws = {"simple": at.draw(False)}
    if part["strata"] and at.population:
        draws["by_verdict"] = at.draw(True)
    width = {name: items_for_width(at.kappa, at.prevalence, wish.half_width, at.judge, draw=draw) for name, draw in draws.items()}
    document = part | {
        "assumed": asdict(at) | {"shares": list(at.shares), "population": list(at.population)},
        "width": {name: _as_json(plan) for name, plan in width.items()},
        "now": _now(part, wish.half_width, width, trajectories),
    }
    if wish.kappa0 is not None:
        document["show"] = _show(at, wish, wish.kappa0, draws)
    if len(draws) == 2 and width["simple"].maximum is None:
        document["expected"] = _expected(at, width["simple"].n, draws)
    return document


def _show(at: Grounds, wish: Wish, kappa0: float, draws: dict[str, Draw]) -> Document:
    """Items that show kappa to be above kappa0."""
    kappa1 = wish.kappa1
    if kappa1 is None:
        kappa1 = min(NEARLY_ONE, kappa0 + USUAL_GAIN) if at.kappa_from == ASSUMED else at.kappa
    if wish.kappa1 is None and kappa1 <= kappa0:
        plans = {name: Plan(None, NOT_ABOVE.format(with_minus(f"{kappa0:.3g}"))) for name in draws}
    else:
        plans = {
            name: items_for_power(kappa0, kappa1, at.prevalence, wish.power, at.judge, draw=draw) for name, draw in draws.items()
        }
    return {"kappa0": kappa0, "kappa1": kappa1, "power": wish.power, **{name: _as_json(plan) for name, plan in plans.items()}}


def _expected(at: Grounds, n: int | None, draws: dict[str, Draw]) -> Document:
    """What the same number of items would bring by either draw: half-widths, None where a verdict would get no item."""
    items = min(n or 200, max(1, sum(at.population) // 2))  # of all the items there are, any draw is the same
    widths = {name: half_widths(items, at.kappa, at.prevalence, at.judge, draw=draw) for name, draw in draws.items()}
    finite = {name: {key: width if math.isfinite(width) else None for key, width in each.items()} for name, each in widths.items()}
    return {"n": items, **finite}


def _now(part: Document, half_width: float, width: dict[str, Plan], trajectories: int) -> Document:
    """Enough or not yet, by the width of the interval as it is; and about how many more items it would take."""
    kappa, n = part["kappa"], part["labelled"]
    known = kappa is not None and kappa["low"] is not None and kappa["high"] is not None
    now = (kappa["high"] - kappa["low"]) / 2 if known else None
    if now is not None and now <= half_width:
        return {"status": "enough", "half_width": now, "more": 0, "left": trajectories - n}
    more = None
    if now is not None and n >= SEEN_FROM:
        more = math.ceil(n * (now / half_width) ** 2) - n
    else:
        plan = width["by_verdict" if part["drawn_by_verdict"] and "by_verdict" in width else "simple"]
        more = None if plan.n is None else plan.n - n
    return {"status": "not yet", "half_width": now, "more": None if more is None else max(1, more), "left": trajectories - n}


def _as_json(plan: Plan) -> Document:
    return {"n": plan.n, "by_verdict": list(plan.by_verdict), "maximum": plan.maximum, "reason": plan.reason}
