"""How often it happens: the judge's rate, the humans', and the one that their labels correct, as sentences and tables."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.slices import PALE_SAID
from reports.written.content import Block, Column, Row, Section, Table, note, strong, text
from reports.written.numerals import NOTHING, has_interval, percent, percent_figure, percent_interval, two_places
from reports.written.subjects import Subject

Json = Mapping[str, Any]

POST_STRATIFIED = "corrected (post-stratified on the verdict)"

BESIDE = {"humans_only": "humans only, 95 % interval", "post_stratified": "corrected, 95 % interval"}


def rates_of(subject: Subject, documents: Json) -> Json | None:
    """What the prevalence document says of this question and run."""
    for question in documents["prevalence"]["questions"]:
        if question["id"] == subject.question["id"]:
            return next((run for run in question["runs"] if run["run"] == subject.name), None)
    return None


def rate_in_words(subject: Subject, documents: Json) -> str:
    """The raw rate beside the corrected one, where the question asks of one thing how often it happens; else empty."""
    run = rates_of(subject, documents)
    if run is None or len(run["rates"]) != 1:
        return ""
    rate = run["rates"][0]
    raw, corrected = rate["judge_raw_in_frame"], rate["post_stratified"]
    if raw["value"] is None or corrected["value"] is None:
        return ""
    told = f"raw rate of “{rate['of']}”, {percent(raw['value'])},"
    if not has_interval(corrected):
        return f"Its {told} stands beside a corrected {percent(corrected['value'])}."
    if raw["value"] < corrected["low"]:
        return f"Its {told} understates the corrected {percent_figure(corrected)}."
    if raw["value"] > corrected["high"]:
        return f"Its {told} overstates the corrected {percent_figure(corrected)}."
    return f"Its {told} lies within the interval of the corrected {percent_figure(corrected)}."


def rate_for_a_paper(subject: Subject, documents: Json) -> str:
    """The same as a paper would say it, with the reason where nothing is corrected."""
    run = rates_of(subject, documents)
    if run is None or len(run["rates"]) != 1:
        return ""
    rate = run["rates"][0]
    raw, corrected = rate["judge_raw" if subject.imported else "judge_raw_in_frame"], rate["post_stratified"]
    if raw["value"] is None:
        return ""
    told = f"The judge’s raw rate of “{rate['of']}” is {percent(raw['value'], 1)}"
    if corrected["value"] is None:
        return f"{told}; it is not corrected by the labels, because {corrected['reason']}."
    return f"{told}; corrected by the labels (post-stratified on the verdict) it is {percent_figure(corrected, 1)}."


def how_often(subject: Subject, documents: Json) -> list[Block]:
    """The table of the first page, and why a rate is missing from it."""
    run = rates_of(subject, documents)
    if run is None:
        return []
    rates = run["rates"]
    blocks: list[Block] = [_of_each(rates)] if len(rates) > 1 else [_of_one(run, subject.imported)] if rates else []
    blocks += [_mean(run["mean"])] if "mean" in run else []
    missing = [("No rate of the humans", rate["humans_only"]) for rate in rates]
    missing += [("No corrected rate", rate["post_stratified"]) for rate in rates]
    missing += [("No corrected mean", run["mean"]["ppi"])] if "mean" in run else []
    reasons = [f"{what}: {each['reason']}." for what, each in missing if each["value"] is None]
    return [*blocks, *(note(reason) for reason in dict.fromkeys(reasons))]


def _of_one(run: Json, imported: bool) -> Table:
    columns = (
        Column(f"share of “{run['rates'][0]['of']}”", width=3), Column("estimate", True), Column("95 % interval", True),
        Column("from", width=2),
    )  # fmt: skip
    return Table(columns, tuple(_rows(run["rates"][0], run, imported)))


def _of_each(rates: list[Json]) -> Table:
    """A row for each of several choices."""
    keys = [key for key in BESIDE if any(rate[key]["value"] is not None for rate in rates)]
    rows = [
        Row(((f"“{rate['of']}”",), (_percent(rate["judge_raw"]),), *((percent_figure(rate[key], 1),) for key in keys)))
        for rate in rates
    ]
    return Table(
        (Column("share of", width=2), Column("judge, as is", True), *(Column(BESIDE[key], True) for key in keys)), tuple(rows)
    )


def _rows(rate: Json, run: Json, imported: bool) -> list[Row]:
    verdicts = amount(rate["judge_raw"]["n"], "verdict", form=",")
    labels = amount(run["labelled"], "labelled item", form=",")
    rows = [Row((("judge, as is",), (_percent(rate["judge_raw"]),), (NOTHING,), (verdicts,)))]
    if run["frame"] and rate["judge_raw_in_frame"]["n"] != rate["judge_raw"]["n"]:
        of_frame = amount(rate["judge_raw_in_frame"]["n"], "verdict", form=",")
        where = "on the labelled items" if imported else "in the frame of the draws"
        rows.append(Row(((f"judge, as is, {where}",), (_percent(rate["judge_raw_in_frame"]),), (NOTHING,), (of_frame,))))
    humans, corrected = rate["humans_only"], rate["post_stratified"]
    # Drawn by this run's verdict, the humans' weighted share is the corrected one.
    alike = all(humans[end] == corrected[end] for end in ("value", "low", "high"))
    if humans["value"] is not None and not alike:
        rows.append(Row((("humans only",), (_percent(humans),), (percent_interval(humans),), (labels,))))
    if corrected["value"] is not None:
        both = f"{amount(rate['judge_raw_in_frame']['n'], 'verdict', form=',')}, {labels}"
        rows.append(Row(((POST_STRATIFIED,), (_percent(corrected),), (percent_interval(corrected),), (both,)), strong=True))
    return rows


def _percent(estimate: Json) -> str:
    return NOTHING if estimate["value"] is None else percent(estimate["value"], 1)


def _mean(mean: Json) -> Table:
    named = {"judge_raw": "judge, as is", "humans_only": "humans only", "ppi": "corrected (prediction-powered, PPI++)"}
    rows = []
    for key, name in named.items():
        found = mean[key]
        if found["value"] is None:
            continue
        interval = f"{two_places(found['low'])} – {two_places(found['high'])}" if has_interval(found) else NOTHING
        cells = ((name,), (two_places(found["value"]),), (interval,), (f"{found['n']:,}",))
        rows.append(Row(cells, strong=key == "ppi"))
    return Table(
        (Column("mean score", width=3), Column("estimate", True), Column("95 % interval", True), Column("n", True)), tuple(rows)
    )


def by_slice(documents: Json, subjects: list[Subject]) -> Section | None:
    """How often it happens slice by slice; None where nothing is sliced."""
    blocks: list[Block] = []
    for subject in subjects:
        run = rates_of(subject, documents)
        if run is None:
            continue
        tables = [_by_slice(run, place) for place in range(len(run["rates"])) if run["fields"]]
        if tables and len(subjects) > 1:
            blocks.append(text(strong(f"{subject.question['id']}, {subject.name}")))
        blocks += tables
    if not blocks:
        return None
    pale = any(row.grey for block in blocks if isinstance(block, Table) for row in block.rows)
    about = f"A rate of a slice is made of its own verdicts and its own labels.{f' {PALE_SAID}' if pale else ''}"
    return Section("How often, slice by slice", (*blocks, note(about)))


def _by_slice(run: Json, place: int) -> Table:
    corrected = run["rates"][place]["post_stratified"]["value"] is not None
    key, name = ("post_stratified", "corrected") if corrected else ("humans_only", "humans only")
    rows = []
    for field in run["fields"]:
        rows.append(Row(((field["field"],), ("",), ("",), ("",), ("",))))
        for part in field["slices"]:
            rate = part["rates"][place]
            counts = ((f"{part['trajectories']:,}",), (f"{part['labelled']:,}",))
            cells = ((part["name"],), *counts, (_percent(rate["judge_raw"]),), (_corrected(rate[key]),))
            rows.append(Row(cells, indent=1, grey=bool(part["marks"])))
    columns = (
        Column("slice", width=3), Column("trajectories", True), Column("labelled", True), Column("judge, as is", True),
        Column(f"{name}, 95 % interval", True),
    )  # fmt: skip
    return Table(columns, tuple(rows), f"Share of “{run['rates'][place]['of']}”, slice by slice.")


def _corrected(estimate: Json) -> str:
    return NOTHING if estimate["value"] is None else percent_figure(estimate, 1)
