"""The human side as HTML: the matrix of annotators, means beside each other, times, and what a session does to them.

Every figure comes from the document as it is; nothing is counted here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from annotate.lead import figures
from annotate.lead.text import html_of
from data.wording import amount
from reports.document import PRELIMINARY_BELOW
from reports.human_side import SHORTEST_SESSION
from reports.one_more_human import AS_GOOD_WITHIN, FEWEST_SHARED

_DARKEST = 42
"""Per cent of the accent colour in a cell of full agreement: text stays readable on it in both lights."""
_IN_MINUTES = 100
"""Seconds, from where times are told in minutes."""
_MANY = 6
"""People, from where the cells of their matrix are small."""

Json = Mapping[str, Any]


def alpha(estimate: Json) -> str:
    """Krippendorff's alpha, large, or why there is none."""
    if estimate["value"] is None:
        return f'<p class="rj-undefined">Krippendorff’s alpha undefined: {html_of(estimate["reason"])}</p>'
    level = html_of(estimate["method"].partition(",")[0])
    interval = figures.interval_of(estimate)
    said = f"95 % interval {interval}" if interval else html_of(estimate["reason"])
    preliminary = " · preliminary" if estimate["n"] < PRELIMINARY_BELOW else ""
    return (
        f'<div class="rj-lead-figure"><b data-rj="alpha">{figures.value_of(estimate)}</b><span class="rj-soft">'
        f"Krippendorff’s alpha ({level}) · {said} · {amount(estimate['n'], 'item', form=',')} with two or more labels"
        f"{preliminary}</span></div>"
    )


def means(judge: Json) -> str:
    """The judge with an annotator, two annotators, and the difference; then the differences of weights, labels or threshold.

    Empty where there is nothing but reasons, which the answer in words has told.
    """
    others = {"linear weights": judge.get("linear"), "at the threshold": judge.get("at_threshold"), **judge.get("by_label", {})}
    differences = {"difference": judge["difference"]}
    differences |= {f"difference, {name}": found["difference"] for name, found in others.items() if found}
    both = {"judge with an annotator": judge["judge_human"], "two annotators": judge["human_human"]}
    if all(each["value"] is None for each in differences.values()):
        return ""
    low = -1.0 if any((each["low"] or 0) < 0 for each in both.values()) else 0.0
    reach = _reach(differences.values())
    said = f"−{reach:g} to {reach:g}; shaded: as good, to within {AS_GOOD_WITHIN:.2f}"
    scale = f'<tr class="rj-scale" aria-hidden="true"><td></td><td></td><td colspan="3" class="rj-soft">{said}</td></tr>'
    return (
        '<div class="rj-scroll"><table class="rj-figure" data-rj="means"><thead><tr>'
        f'<th scope="col">mean {html_of(judge["figure"])}</th><th scope="col" class="rj-num">value</th>'
        f'<th scope="col" aria-hidden="true">{"−1" if low < 0 else "0"} to 1</th>'
        '<th scope="col" class="rj-num">95 % interval</th><th scope="col" class="rj-num">n</th></tr></thead><tbody>'
        + "".join(_line(name, estimate, (low, 1.0)) for name, estimate in both.items())
        + f"</tbody><tbody>{scale}"
        + "".join(_line(name, estimate, (-reach, reach), as_good=True) for name, estimate in differences.items())
        + "</tbody></table></div>"
    )


def judge_notes(judge: Json) -> list[str]:
    """What a reader must know of the panel: its raters, its design, and what is not in it."""
    notes = []
    if judge["difference"]["value"] is not None:
        notes.append(
            f"The means go over {amount(judge['annotators'], judge['figure'], form=',')} of the judge with an annotator and "
            f"{judge['pairs']:,} of two annotators, on the items that have a readable verdict and two labels or more."
        )
    why = {"single": "with one label only", "unreadable": "with an unreadable verdict", "missing": "without a verdict"}
    left_out = [
        f"{amount(judge['left_out'][key], 'item', form=',')} {words}" for key, words in why.items() if judge["left_out"][key]
    ]
    if left_out:
        notes.append(f"Not among them: {', '.join(left_out)}.")
    if judge["design"] == "imported":
        notes.append("Labels as imported: nothing is known of how their items were drawn.")
    if judge["weighted"]:
        notes.append("Weighted to the frame, as the draw asks.")
    return notes


def matrix(question: Json) -> str:
    """Everybody beside everybody: kappa as a number and a shade, and the items that both labelled."""
    names, between = question["annotators"], {}
    for pair in question["pairs"]:
        ends = (figures.name_of(pair["rows"]), figures.name_of(pair["columns"]))
        between[ends] = between[ends[::-1]] = _figure_of(pair)
    if not between:
        return '<p class="rj-soft">No two people labelled the same item.</p>'
    heads = "".join(f'<th scope="col">{html_of(name)}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{html_of(name)}</th>{"".join(_cell(name, other, between) for other in names)}</tr>' for name in names
    )
    many = " rj-many" if len(names) > _MANY else ""
    few = f"; grey: fewer than {FEWEST_SHARED}" if any(0 < each["n"] < FEWEST_SHARED for each in between.values()) else ""
    return (
        f'<div class="rj-scroll"><table class="rj-matrix rj-people{many}" data-rj="people"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        f'<p class="rj-soft">{_named(question)} of every two people; below it the items of both{few}.</p>'
    )


def _named(question: Json) -> str:
    return {"multilabel": "Mean kappa over labels", "score": "Spearman’s rho"}.get(question["type"], "Cohen’s kappa")


def _figure_of(pair: Json) -> Json:
    """The figure that the matrix shows, by the type of the question."""
    if "by_label" in pair:
        return {**pair["macro"]["kappa"], "n": pair["n"]}
    figure: Json = pair.get("kappa", pair.get("spearman", {}))
    return figure


def _cell(name: str, other: str, between: Mapping[tuple[str, str], Json]) -> str:
    if name == other:
        return '<td class="rj-cell rj-same"></td>'
    figure = between.get((name, other))
    if figure is None:
        return '<td class="rj-cell rj-none"><b>–</b><span>0</span></td>'
    if figure["value"] is None or figure["n"] < FEWEST_SHARED:
        return f'<td class="rj-cell rj-none"><b>{figures.value_of(figure)}</b><span>{figure["n"]:,}</span></td>'
    share = _DARKEST * max(0.0, figure["value"])
    return f'<td class="rj-cell" style="--share:{share:.1f}"><b>{figures.value_of(figure)}</b><span>{figure["n"]:,}</span></td>'


def times_table(times: Json) -> str:
    """One row a person: items, median with its interval, quartiles drawn, and the hours."""
    rows = [("everybody", times["together"])] if len(times["annotators"]) > 1 else []
    rows += [(each["annotator"], each) for each in times["annotators"]]
    longest = max((each["upper_quartile"]["value"] or 0 for _, each in rows), default=0) or 1
    body = "".join(_time_row(name, each, longest) for name, each in rows)
    return (
        '<div class="rj-scroll"><table class="rj-figure" data-rj="times"><thead><tr><th scope="col">annotator</th>'
        f'<th scope="col" class="rj-num">items</th><th scope="col" class="rj-num">median, {_unit(longest)}</th>'
        f'<th scope="col" aria-hidden="true">0 to {_clock(longest, longest)}</th><th scope="col" class="rj-num">95 % interval</th>'
        '<th scope="col" class="rj-num">quartiles</th><th scope="col" class="rj-num">in all</th><th scope="col"></th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _time_row(name: str, each: Json, longest: float) -> str:
    median, lower, upper = (each[key] for key in ("median", "lower_quartile", "upper_quartile"))
    head = f'<tr><th scope="row">{html_of(name)}</th><td class="rj-num rj-soft">{each["items"]:,}</td>'
    untimed = f"{each['untimed']:,} without a time" if each["untimed"] else ""
    if median["value"] is None:
        return f'{head}<td colspan="5" class="rj-undefined">{html_of(median["reason"])}</td><td class="rj-soft">{untimed}</td></tr>'
    drawn = _track(median["value"], lower["value"], upper["value"], (0.0, longest))
    known = median["low"] is not None
    interval = f"{_clock(median['low'], longest)} to {_clock(median['high'], longest)}" if known else html_of(median["reason"])
    quartiles = f"{_clock(lower['value'], longest)} and {_clock(upper['value'], longest)}"
    return (
        f'{head}<td class="rj-num">{_clock(median["value"], longest)}</td><td>{drawn}</td>'
        f'<td class="{"rj-num " if known else ""}rj-soft">{interval}</td><td class="rj-num rj-soft">{quartiles}</td>'
        f'<td class="rj-num rj-soft">{_hours(each["seconds"])}</td><td class="rj-soft">{untimed}</td></tr>'
    )


def thirds_table(fatigue: Json) -> str:
    """Agreement with the rest in the first and the last third of a session, and the difference."""
    if fatigue["together"]["difference"]["value"] is None:
        return f'<p class="rj-undefined">Thirds of a session cannot be compared: {html_of(fatigue["reason"])}.</p>'
    rows = [("everybody", fatigue["together"])] if len(fatigue["annotators"]) > 1 else []
    rows += [(each["annotator"], each) for each in fatigue["annotators"]]
    reach = _reach(each["difference"] for _, each in rows)
    body = "".join(_third_row(name, each, reach) for name, each in rows)
    return (
        '<div class="rj-scroll"><table class="rj-figure" data-rj="thirds"><thead><tr><th scope="col">agreement with the rest</th>'
        '<th scope="col" class="rj-num">sessions</th><th scope="col" class="rj-num">first third</th>'
        '<th scope="col" class="rj-num">last third</th><th scope="col" class="rj-num">difference</th>'
        f'<th scope="col" aria-hidden="true">−{reach:g} to {reach:g}</th><th scope="col" class="rj-num">95 % interval</th>'
        f"</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _third_row(name: str, each: Json, reach: float) -> str:
    difference = each["difference"]
    head = f'<tr><th scope="row">{html_of(name)}</th><td class="rj-num rj-soft">{each["sessions"]:,}</td>'
    if difference["value"] is None:
        return f'{head}<td colspan="5" class="rj-undefined">undefined: {html_of(difference["reason"])}</td></tr>'
    parts = "".join(
        f'<td class="rj-num">{figures.value_of(each[key])} <span class="rj-soft">of {each[key]["n"]:,}</span></td>'
        for key in ("first_third", "last_third")
    )
    drawn = _track(difference["value"], difference["low"], difference["high"], (-reach, reach))
    interval = figures.interval_of(difference) or html_of(difference["reason"])
    return (
        f'{head}{parts}<td class="rj-num">{figures.value_of(difference)}</td><td>{drawn}</td>'
        f'<td class="rj-num rj-soft">{interval}</td></tr>'
    )


def stretches(charts: Iterable[tuple[str, str, Sequence[Json]]]) -> str:
    """Small drawings by position in the session: (title, key of the figure, its stretches). Empty where there is nothing."""
    drawn = [_chart(title, key, listed) for title, key, listed in charts if listed]
    return f'<div class="rj-charts">{"".join(drawn)}</div>' if drawn else ""


def _chart(title: str, key: str, listed: Sequence[Json]) -> str:
    seconds = key == "median"
    ends = [each[key][end] for each in listed for end in ("value", "low", "high") if each[key][end] is not None]
    bottom = 0.0 if seconds or min(ends) < 0.5 else 0.5
    top = max(*ends, 1e-9) if seconds else 1.0
    columns = []
    for each in listed:
        figure = each[key]
        value = _clock(figure["value"], top) if seconds else figures.value_of(figure)
        where = f"{each['from']}–{each['to']}" if each["to"] else f"from {each['from']}"
        rail = _rail(figure, bottom, top)
        columns.append(f"<li>{rail}<b>{value}</b><span>items {where}</span><span>n = {figure['n']:,}</span></li>")
    scale = f"0 to {_clock(top, top)} {_unit(top)}" if seconds else f"{bottom:g} to 1"
    return (
        f'<figure class="rj-chart" data-rj="{key}-by-position"><figcaption>{html_of(title)} '
        f'<span class="rj-soft">{scale}, with 95 % intervals</span></figcaption><ol>{"".join(columns)}</ol></figure>'
    )


def _rail(figure: Json, bottom: float, top: float) -> str:
    def place(value: float) -> float:
        return round(100 * (value - bottom) / (top - bottom), 2)

    inside = ""
    if figure["low"] is not None and figure["high"] is not None:
        low, high = place(figure["low"]), place(figure["high"])
        inside = f'<i style="bottom:{low}%;height:{round(high - low, 2)}%"></i>'
    return f'<span class="rj-rail" aria-hidden="true">{inside}<em style="bottom:{place(figure["value"])}%"></em></span>'


def session_notes(times: Json) -> list[str]:
    """What a session is, and how many there were."""
    return [
        f"{amount(times['sessions'], 'session', form=',')}, the longest of {amount(times['longest_session'], 'item', form=',')}. "
        "A session ends where somebody is away for more than half an hour.",
        f"Thirds are compared in sessions of {SHORTEST_SESSION} items or more. Everybody walks an order of her own, "
        "so what comes late is no harder than what comes early.",
    ]


def _unit(longest: float) -> str:
    return "min:s" if longest >= _IN_MINUTES else "s"


def _clock(seconds: float, longest: float) -> str:
    """Seconds, as all times of a table are written whose longest is `longest`: in seconds, or in minutes and seconds."""
    if longest < _IN_MINUTES:
        return f"{seconds:.1f}" if longest < 10 else f"{seconds:.0f}"
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def _hours(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _reach(estimates: Iterable[Json]) -> float:
    """How far an axis around zero must reach, in quarters."""
    ends = [abs(each[end]) for each in estimates for end in ("value", "low", "high") if each[end] is not None]
    return max(1, math.ceil(4 * min(1.0, max(ends, default=0)))) / 4


def _line(name: str, estimate: Json, ends: tuple[float, float], as_good: bool = False) -> str:
    head = f'<tr><th scope="row">{html_of(name)}</th>'
    if estimate["value"] is None:
        return f'{head}<td colspan="4" class="rj-undefined">undefined: {html_of(estimate["reason"])}</td></tr>'
    drawn = _track(estimate["value"], estimate["low"], estimate["high"], ends, as_good)
    interval = figures.interval_of(estimate) or html_of(estimate["reason"])
    return (
        f'{head}<td class="rj-num">{figures.value_of(estimate)}</td><td>{drawn}</td>'
        f'<td class="rj-num rj-soft">{interval}</td><td class="rj-num rj-soft">{estimate["n"]:,}</td></tr>'
    )


def _track(value: float, low: float | None, high: float | None, ends: tuple[float, float], as_good: bool = False) -> str:
    """A line between `ends` with a bar from `low` to `high` and a dot at `value`; zero is marked where it lies within."""

    def place(figure: float) -> float:
        return round(100 * (min(ends[1], max(ends[0], figure)) - ends[0]) / (ends[1] - ends[0]), 2)

    inside = ""
    if as_good:
        inside = f'<s style="left:{place(-AS_GOOD_WITHIN)}%;width:{round(100 - place(-AS_GOOD_WITHIN), 2)}%"></s>'
    if ends[0] < 0 < ends[1]:
        inside += f'<u style="left:{place(0.0)}%"></u>'
    if low is not None and high is not None:
        inside += f'<i style="left:{place(low)}%;width:{round(place(high) - place(low), 2)}%"></i>'
    return f'<span class="rj-track rj-long" aria-hidden="true">{inside}<em style="left:{place(value)}%"></em></span>'
