"""The prevalence document as HTML: rates with their intervals, what they are made of, and slices below each other.

Every figure comes from the document as it is; nothing is counted here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from annotate.lead.figures import track
from annotate.lead.text import html_of
from data.wording import amount, two_places
from reports.document import MANY_MISSING
from reports.forests import field_name
from reports.notes import MISSING, leads_note, preliminary
from reports.slices import PALE_SAID, looked_at

Json = Mapping[str, Any]

CORRECTED = {"post_stratified": "corrected (post-stratified on the verdict)", "ppi": "corrected (PPI++)"}
CELLS = ("stratum", "verdict", "items", "labelled", "humans say")


def percent(share: float) -> str:
    """One place, as tables have it."""
    return f"{100 * share:.1f} %"


def interval_of(estimate: Json, said: str) -> str:
    """The 95 % interval in the words of `said`, `percent` or `plain`; empty where there is none."""
    if estimate["low"] is None or estimate["high"] is None:
        return ""
    if said == "percent":
        return f"{100 * estimate['low']:.1f} to {percent(estimate['high'])}"
    return f"{two_places(estimate['low'])} to {two_places(estimate['high'])}"


def headline(rate: Json) -> str:
    """The corrected rate, large, with its interval, and what the judge's own does to it in words."""
    corrected = rate["post_stratified"]
    if corrected["value"] is None:
        return f'<p class="rj-undefined">No corrected rate: {html_of(corrected["reason"])}.</p>'
    interval, n = interval_of(corrected, "percent"), amount(corrected["n"], "labelled item", form=",")
    told = f"95 % interval {interval}" if interval else html_of(corrected["reason"])
    return (
        f'<div class="rj-lead-figure"><b data-rj="rate">{percent(corrected["value"])}</b>'
        f'<span class="rj-soft">of the items are “{html_of(rate["of"])}” · {told} · {n}'
        f"</span></div>{_against_raw(rate)}"
    )


def _against_raw(rate: Json) -> str:
    """Whether the judge's own rate lies below, above or within the interval."""
    raw, corrected = rate["judge_raw_in_frame"], rate["post_stratified"]
    if raw["value"] is None or corrected["low"] is None:
        return ""
    said = f"The judge’s own rate, {percent(raw['value'])},"
    if raw["value"] < corrected["low"]:
        told = f"{said} understates it."
    elif raw["value"] > corrected["high"]:
        told = f"{said} overstates it."
    else:
        told = f"{said} lies within the interval."
    return f'<p class="rj-said" data-rj="against-raw">{told}</p>'


def rates_table(run: Json) -> str:
    """Every share that the question asks about: the judge's rate, the humans', the corrected one."""
    top = scale_of(rate[key] for rate in run["rates"] for key in ("judge_raw", "humans_only", "post_stratified"))
    rows = []
    several = len(run["rates"]) > 1
    for rate in run["rates"]:
        if several:
            rows.append(f'<tr class="rj-group"><th scope="rowgroup" colspan="5">{html_of(rate["of"])}</th></tr>')
        rows += [_row(name, rate[key], source, top, "percent") for key, name, source in _sources(run, rate)]
    what = "share of the items" if several else f"share of “{html_of(run['rates'][0]['of'])}”"
    return _table(what, rows, top, "percent")


def mean_table(run: Json, limits: Sequence[float]) -> str:
    """The mean score: the judge's, the humans', the corrected one."""
    mean = run["mean"]
    named = {"judge_raw": "judge, as is", "humans_only": "humans only", "ppi": CORRECTED["ppi"]}
    sources = {
        "judge_raw": _verdicts(mean["judge_raw"]["n"]),
        "humans_only": _labels(run),
        "ppi": _both(run, mean["judge_raw"]["n"]),
    }
    rows = [_row(name, mean[key], sources[key], limits[1], "plain", limits[0]) for key, name in named.items()]
    return _table("mean score", rows, limits[1], "plain", limits[0])


def _sources(run: Json, rate: Json) -> list[tuple[str, str, str]]:
    """(key, name, from) of each row."""
    raw, of_frame = rate["judge_raw"], rate["judge_raw_in_frame"]
    rows = [("judge_raw", "judge, as is", _verdicts(raw["n"]))]
    if of_frame["n"] and of_frame["n"] != raw["n"] and rate["post_stratified"]["value"] is not None:
        rows.append(("judge_raw_in_frame", "judge, among the items drawn from", _verdicts(of_frame["n"])))
    rows.append(("humans_only", "humans only", _labels(run)))
    if rate["post_stratified"]["value"] is not None or len(run["rates"]) > 1:  # else the headline has said why there is none
        rows.append(("post_stratified", CORRECTED["post_stratified"], _both(run, of_frame["n"])))
    return rows


def _verdicts(count: int) -> str:
    return amount(count, "verdict", form=",")


def _labels(run: Json) -> str:
    return amount(run["labelled"], "labelled item", form=",")


def _both(run: Json, verdicts: int) -> str:
    return f"{_verdicts(verdicts)}, {_labels(run)}"


def _row(name: str, estimate: Json, source: str, top: float, said: str, bottom: float = 0.0) -> str:
    strong = name in CORRECTED.values() and estimate["value"] is not None
    head = f'<tr{" class=rj-strong" if strong else ""}><th scope="row">{html_of(name)}</th>'
    if estimate["value"] is None:
        return f'{head}<td colspan="4" class="rj-undefined">undefined: {html_of(estimate["reason"])}</td></tr>'
    value = percent(estimate["value"]) if said == "percent" else two_places(estimate["value"])
    return (
        f'{head}<td class="rj-num">{value}</td><td>{track(estimate, bottom, top)}</td>'
        f'{_ends(estimate, said)}<td class="rj-soft">{source}</td></tr>'
    )


def _ends(estimate: Json, said: str) -> str:
    """The cell of the interval. The judge's own rate has none, and needs no reason each time."""
    if interval := interval_of(estimate, said):
        return f'<td class="rj-num rj-soft">{interval}</td>'
    if estimate["method"] == "count":
        return '<td class="rj-num rj-soft">–</td>'
    return f'<td class="rj-undefined">{html_of(estimate["reason"])}</td>'


def _table(what: str, rows: Iterable[str], top: float, said: str, bottom: float = 0.0) -> str:
    axis = f"0 to {100 * top:.0f} %" if said == "percent" else f"{bottom:g} to {top:g}"
    return (
        f'<div class="rj-scroll"><table class="rj-figure rj-rates" data-rj="rates"><thead><tr><th scope="col">{what}</th>'
        f'<th scope="col" class="rj-num">estimate</th><th scope="col" aria-hidden="true">{axis}</th>'
        f'<th scope="col" class="rj-num">95 % interval</th><th scope="col">from</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def scale_of(estimates: Iterable[Json]) -> float:
    """Where a scale that begins at 0 ends: the next full tenth above everything that is to be seen on it."""
    ends = [end for estimate in estimates for end in (estimate["value"], estimate["high"]) if end is not None]
    return min(1.0, max(0.1, math.ceil(max(ends, default=1.0) * 10 - 1e-9) / 10))


def cells_table(question: Json, run: Json) -> str:
    """What the corrected rate is made of: a row for each verdict in each stratum; empty where it is made of nothing."""
    cells = run.get("cells", [])
    if not cells or len(run["rates"]) > 1:
        return ""
    one_stratum = len({cell["stratum"] for cell in cells}) == 1
    heads = "".join(f'<th scope="col"{_NUM if head in CELLS[2:] else ""}>{head}</th>' for head in CELLS[one_stratum:])
    rows = "".join(_cell(question, run, cell, one_stratum) for cell in cells)
    return (
        "<details><summary>what the corrected rate is made of</summary>"
        f'<div class="rj-scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>'
    )


_NUM = ' class="rj-num"'


def _cell(question: Json, run: Json, cell: Json, one_stratum: bool) -> str:
    said = "; ".join(
        f"{html_of(choice)} {count:,}" for choice, count in zip(_choices(question, run), cell["answers"], strict=True) if count
    )
    if "counted_with" in cell:
        other = run["cells"][cell["counted_with"]]
        said = f"nobody labelled one: counted with “{html_of(_verdict(other))}”, and its own rate may be anything"
    stratum = "" if one_stratum else f'<th scope="row">{html_of(cell["stratum"])}</th>'
    return (
        f'<tr>{stratum}<th scope="row">{html_of(_verdict(cell))}</th><td class="rj-num">{cell["frame"]:,}</td>'
        f'<td class="rj-num">{cell["finished"]:,}</td><td class="rj-num">{said or "–"}</td></tr>'
    )


def _choices(question: Json, run: Json) -> list[str]:
    """The names of a cell's answers."""
    return list(question["choices"]) or ["below", run["rates"][0]["of"]]


def _verdict(cell: Json) -> str:
    return {"unreadable": "(unreadable)", "none": "(no verdict)"}.get(cell["kind"], str(cell["verdict"]))


def notes_of(question: Json, run: Json) -> list[str]:
    """What a reader must know before quoting a rate: its frame, its design, what is missing, small, left out."""
    notes = [words.strip("()").capitalize() + "." for words in preliminary(run["marks"])]
    notes += [*_drawn(question, run), *_uncounted(question, run)]
    if MANY_MISSING in run["marks"]:
        notes.append(MISSING)
    if 0 < run["groups"] < run["labelled"]:
        notes.append(
            f"The {run['labelled']:,} labelled items lie in {amount(run['groups'], 'group', form=',')}; "
            "the intervals allow for what the items of a group have in common."
        )
    if "codebooks" in question:
        versions = ", ".join(f"{count:,} under {page[:8]}" for page, count in question["codebooks"].items())
        notes.append(f"Labels of more than one codebook version: {versions}.")
    if "leads" in question:
        notes.append(leads_note(question["leads"]))
    return notes


def _drawn(question: Json, run: Json) -> list[str]:
    """How the labelled items were drawn, and from what."""
    notes, design, whole = [], question["design"], question["trajectories"]
    if design.startswith("stratified:"):
        same = all(rate["humans_only"] == rate["post_stratified"] for rate in run["rates"])
        told = " The humans’ own rate, weighted, is the corrected one then." if same and run["rates"] else ""
        notes.append(f"Drawn by verdict of {design.partition(':')[2]} in strata, and weighted back.{told}")
    if run["frame"] < whole and design != "imported":
        notes.append(f"The labels speak for the {run['frame']:,} trajectories that were drawn from, of {whole:,}.")
    if question.get("outside_frame"):
        items = amount(question["outside_frame"], "item", form=",")
        notes.append(f"{items} came in after the last draw, and nothing stands for them.")
    return notes


def _uncounted(question: Json, run: Json) -> list[str]:
    """What is in no verdict's share, and what in no human's."""
    unreadable, none = run["verdicts"]["unreadable"], run["verdicts"]["none"] if run["run"] is not None else 0
    told = [f"{unreadable:,} unreadable"] if unreadable else []
    told += [f"{amount(none, 'trajectory', 'trajectories', form=',')} without a verdict"] if none else []
    notes = [f"Not in the judge’s own rate: {', '.join(told)}. To the corrected one they are strata of their own."] if told else []
    out = [f"{question['left_out'][why]:,} {word}" for why, word in _LEFT_OUT.items() if question["left_out"][why]]
    return notes + ([f"Left out: {', '.join(out)}. The rates are those of items with an answer."] if out else [])


_LEFT_OUT = {"skipped": "skipped", "unsure": "unsure", "tie": "tied"}


def slices_html(run: Json, place: int) -> str:
    """The slices by the corrected rate at `place` of `rates`, field by field; by the humans' where nothing is corrected."""
    corrected = run["rates"][place]["post_stratified"]["value"] is not None
    key = "post_stratified" if corrected else "humans_only"
    fields = [_sorted(field, place, key) for field in run["fields"]]
    values = [value for _, slices in fields for value in slices]
    if not values:
        return ""
    top = scale_of(value["rates"][place][which] for value in values for which in (key, "judge_raw") if value["labelled"])
    rows = []
    for name, slices in fields:
        rows.append(f'<tr class="rj-group"><th scope="rowgroup" colspan="6">{html_of(name)}</th></tr>')
        rows += [_slice(value, value["rates"][place], key, top) for value in slices]
    told = looked_at([{"values": [value["rates"][place] for value in slices]} for _, slices in fields], key)
    said = "corrected" if corrected else "humans only"
    return (
        f'<p class="rj-about">{html_of(told)}</p><div class="rj-scroll">'
        '<table class="rj-figure rj-slices" data-rj="slices"><thead><tr>'
        f'<th scope="col">slice</th><th scope="col" class="rj-num">judge</th><th scope="col" class="rj-num">{said}</th>'
        f'<th scope="col" aria-hidden="true">0 to {100 * top:.0f} %</th><th scope="col" class="rj-num">95 % interval</th>'
        f'<th scope="col" class="rj-num">labelled</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def slice_notes(run: Json) -> list[str]:
    """How the slices are to be read."""
    pale = any(value["marks"] for field in run["fields"] for value in field["slices"])
    return ["The dot is the rate, the bar its interval, the tick the judge’s own rate.", *([PALE_SAID] if pale else [])]


def _sorted(field: Json, place: int, key: str) -> tuple[str, list[Json]]:
    """A field's name and its slices: ranges in their order, values from the highest rate down, small ones last."""

    def rank(value: Json) -> tuple[int, float]:
        figure = value["rates"][place][key]["value"]
        if value["kind"] in ("other", "missing"):
            return 3, 0.0
        if figure is None:
            return 2, 0.0
        return (1 if value["marks"] else 0), -figure

    ranges = any(value["kind"] == "range" for value in field["slices"])
    return field_name(field), list(field["slices"]) if ranges else sorted(field["slices"], key=rank)


def _slice(value: Json, rate: Json, key: str, top: float) -> str:
    small = ' class="rj-small"' if value["marks"] else ""
    raw, estimate = rate["judge_raw"]["value"], rate[key]
    begun = (
        f'<tr{small}><th scope="row">{html_of(value["name"])}</th><td class="rj-num">{"–" if raw is None else percent(raw)}</td>'
    )
    if estimate["value"] is None:
        why = "no labelled item" if not value["labelled"] else f"undefined: {html_of(estimate['reason'])}"
        return f'{begun}<td colspan="3" class="rj-undefined">{why}</td><td class="rj-num">{value["labelled"]:,}</td></tr>'
    return (
        f'{begun}<td class="rj-num">{percent(estimate["value"])}</td><td>{track(estimate, 0.0, top, raw)}</td>'
        f'{_ends(estimate, "percent")}<td class="rj-num">{value["labelled"]:,}</td></tr>'
    )
