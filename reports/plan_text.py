"""The plan document in words: for the terminal as a whole, and its sentences for the page.

What rests on verdicts is said in round numbers: a plan is read while people label.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from data.wording import amount, two_places
from reports.plan_document import ASSUMED, GIVEN, JUDGE, SEEN
from reports.width import columns, fit, left, right, shown, wrapped

Json = Mapping[str, Any]

WIDEST, NARROWEST = 100, 60
BY_WIDTH_ALONE = (
    "Enough or not is told by the width of the interval alone: to stop when kappa itself looks good would find it good too often."
)
BY_FORMULA = (
    "Numbers of items to draw follow from a formula, at the kappa and the shares that are named; how many more there are to "
    "go follows from the interval seen so far, which few items, rare choices and shared groups make wider than the formula has it."
)
DRAWS = {"simple": "drawn simply", "by_verdict": "drawn by verdict"}
FIGURES = {"kappa": "kappa", "sensitivity": "sensitivity", "specificity": "specificity", "rate": "corrected rate"}
FROM = {GIVEN: "as given", SEEN: "seen so far", JUDGE: "by the judge's verdicts", ASSUMED: "assumed, too little is known yet"}
_LABEL = 20


def plan_text(document: Json, width: int = WIDEST) -> str:
    """The document as plain text of at most `width` columns (60 to 100)."""
    width = max(NARROWEST, min(width, WIDEST))
    lines = [fit(f"Plan for {shown(document['study'])}", width)]
    if not document["questions"]:
        lines += ["", "Nothing to plan: the study has no question yet. Declare one in study.toml."]
    for question in document["questions"]:
        for run in question["runs"]:
            against = f" · {shown(run['run'])}" if run["run"] is not None else " · no judge run yet"
            heading = fit(shown(question["id"]) + against, width)
            lines += ["", heading, "═" * columns(heading)]
            for part in run["parts"]:
                lines += _part(question, part, document["wish"], document["trajectories"], width)
    if document["questions"]:
        lines += ["", *wrapped(f"{BY_WIDTH_ALONE} {BY_FORMULA}", width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def status_words(part: Json, half_width: float) -> str:
    """`enough`, or `not yet` and how many more, with the interval that says so."""
    now, n = part["now"], part["labelled"]
    items = amount(n, "labelled item", form=",")
    if now["half_width"] is None:
        seen = f"{items}, no interval yet" if n else "no labelled item yet"
    else:
        strict = ", strict" if part["strict"] else ""
        seen = f"{items}, kappa{strict} {two_places(part['kappa']['value'])} ± {now['half_width']:.2f}"
    if now["status"] == "enough":
        return f"enough: {seen}, which is within ± {half_width:.2f}"
    return f"not yet: {seen}; {more_words(now)}"


def more_words(now: Json) -> str:
    """About how many more items, and whether there are so many."""
    if now["more"] is None:
        return "no number of items does it, see below"
    beyond = f", more than the {now['left']:,} that are left" if now["more"] > now["left"] else ""
    return f"about {amount(now['more'], 'more item', form=',')}{beyond}"


def assumed_words(part: Json) -> list[str]:
    """What the plan starts from, and where it comes from."""
    at = part["assumed"]
    words = [f"kappa {two_places(at['kappa'])} ({FROM[at['kappa_from']]})"]
    if len(at["shares"]) == 2:
        name = shown(part["of"])
        sides = f"{roughly(at['shares'][0])} of the items"
        if at["judge"] is not None and roughly(at["judge"]) != roughly(at["shares"][0]):
            sides += f" by the humans, {roughly(at['judge'])} by the judge"
        words.append(f"{name}: {sides} ({FROM[at['shares_from']]})")
    else:
        words.append(f"choices as often as {FROM[at['shares_from']]}" if at["shares_from"] != ASSUMED else "all choices alike")
    if at["design_effect"] >= 1.05:
        words.append(f"a design effect of {at['design_effect']:.1f}, because items share groups")
    return words


def roughly(share: float) -> str:
    """In steps of five per cent: no count of verdicts can be had back from it."""
    if share < 0.05:
        return "under 5 %"
    return "over 95 %" if share > 0.95 else f"about {5 * round(20 * share)} %"


def gains_words(part: Json) -> str:
    """Which figures a draw by verdict narrows, and which it widens; empty where only one draw is to be had."""
    expected = part.get("expected")
    if not expected:
        return ""
    simple, other = expected["simple"], expected["by_verdict"]
    better = [FIGURES[key] for key in simple if _less(other[key], simple[key])]
    worse = [FIGURES[key] for key in simple if _less(simple[key], other[key])]
    said = [f"narrower for {_listed(better)}" if better else "", f"wider for {_listed(worse)}" if worse else ""]
    told = " and ".join(filter(None, said)) or "about the same for all figures"
    return f"From {expected['n']:,} items a draw by verdict gives intervals that are {told}."


def plan_words(plan: Json, there: int) -> str:
    """The number of items of the `there` that there are, or why there is none."""
    if plan["n"] is None:
        return f"no number of items: {plan['reason']}"
    items, sizes = amount(plan["n"], "item", form=","), plan["by_verdict"]
    if plan["n"] > there:
        return f"{items}, more than the {there:,} there are"
    if not sizes:
        return items
    return f"{items}, equal numbers of each" if max(sizes) - min(sizes) <= 1 else f"{items}, all there are of the rarest verdict"


def draws_words(plans: Json, head: str, there: int) -> list[tuple[str, str]]:
    """A line for each draw, the first with `head`; one for all where they say the same."""
    if refused := refusal(plans):
        return [(head, refused)]
    said = [f"{DRAWS[name]}: {plan_words(plans[name], there)}" for name in DRAWS if name in plans]
    return [(head if not place else "", words) for place, words in enumerate(said)]


def refusal(plans: Json) -> str:
    """Why there is no number of items by any draw; empty where there is one, or the draws differ."""
    reasons = {plans[name]["reason"] for name in DRAWS if name in plans}
    return f"no number of items: {reasons.pop()}" if len(reasons) == 1 and "" not in reasons else ""


def show_words(show: Json) -> str:
    """What showing kappa to be above a bound takes for granted."""
    return f"if kappa is {two_places(show['kappa1'])}, with {100 * show['power']:.0f} % chance"


def _part(question: Json, part: Json, wish: Json, there: int, width: int) -> list[str]:
    many = part["of"] and question["type"] == "multilabel"
    lines = ["", fit(shown(part["of"]), width)] if many else []
    if part["reason"]:
        return [*lines, *wrapped(part["reason"][0].upper() + part["reason"][1:] + ".", width)]
    rows = [("now", status_words(part, wish["half_width"]))]
    rows += draws_words(part["width"], f"to ± {wish['half_width']:.2f}", there)
    if show := part.get("show"):
        rows += draws_words(show, f"above {two_places(show['kappa0'])}", there)
        rows.append(("", show_words(show)))
    rows += [("starting from", "; ".join(assumed_words(part)))]
    for head, text in rows:
        first, *more = wrapped(text, width - _LABEL)
        lines += [left(head, _LABEL) + first, *(" " * _LABEL + line for line in more)]
    return lines + _expected(part, width)


def _expected(part: Json, width: int) -> list[str]:
    expected = part.get("expected")
    if not expected:
        return []
    keys = list(expected["simple"])
    lines = [left(f"± of {expected['n']:,} items", _LABEL) + "".join(right(FIGURES[key], 16) for key in keys)]
    for name in DRAWS:
        widths = "".join(right("–" if expected[name][key] is None else f"{expected[name][key]:.2f}", 16) for key in keys)
        lines.append("  " + left(DRAWS[name], _LABEL - 2) + widths)
    return ["", *(fit(line, width) for line in lines), *wrapped(gains_words(part), width)]


def _less(one: float | None, other: float | None) -> bool:
    """By more than a twentieth."""
    return one is not None and (other is None or one < 0.95 * other)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
