"""What was judged: questions, wording and choices, codebook pages, judge runs."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.written.content import Block, Column, Points, Row, Section, Table, Words, code, emphasis, strong, text
from reports.written.numerals import joined, percent

Json = Mapping[str, Any]

TYPES = {
    "binary": "one of two choices",
    "nominal": "one of several choices, in no order",
    "ordinal": "one of several choices, in order, lowest first",
    "multilabel": "any number of choices",
    "score": "a score",
}


MADE = {"imported": "imported", "asked": "asked by rejudge", "baseline": "baseline: counts words, no LLM"}


def judged(documents: Json) -> Section:
    """The section."""
    about = documents["about"]
    blocks: list[Block] = [text(_trajectories(about))]
    for question in about["questions"]:
        blocks += _question(question, about)
    if about["runs"]:
        blocks.append(_runs(about["runs"]))
    else:
        blocks.append(text("No judge run is in this study yet: bring verdicts with ", code("rejudge import"), "."))
    return Section("What was judged", tuple(blocks))


def _trajectories(about: Json) -> str:
    of = [f"{each['trajectories']:,} from {each['format']} files" for each in about["sources"]]
    told = f"{amount(about['trajectories'], 'trajectory', 'trajectories', ',')} in {amount(about['groups'], 'group', form=',')}"
    told += f" ({joined(of)})." if of else "."
    splits = [f"{split} {found['trajectories']:,}" for split, found in about["splits"].items() if found["trajectories"]]
    told += f" By split: {joined(splits)}." if len(splits) > 1 else ""
    if about["twins"]:
        told += f" {about['twins']:,} of them share their content with another one."
    return told


def _question(question: Json, about: Json) -> list[Block]:
    points: list[Words] = [("Asked: ", emphasis(question["ask"]))]
    if question["type"] == "score":
        at = "" if question["threshold"] is None else f"; from {question['threshold']:g} on it is a finding"
        points.append((f"Answer: a score from {question['min']:g} to {question['max']:g}{at}.",))
    else:
        choices = joined([f"“{choice}”" for choice in question["choices"]])
        points.append((f"Answer: {TYPES[question['type']]}: {choices}.",))
    if question["positive"] is not None:
        points.append((f"Positive: “{question['positive']}”. Sensitivity is the share of these that the judge finds.",))
    if question["when"]:
        points.append((f"Asked only where “{question['when']['question']}” is “{question['when']['is']}”.",))
    pages = [each for each in about["codebooks"] if each["question"] == question["id"]]
    if pages:
        used = joined(
            [f"version {page['version']} ({page['hash'][:12]}, {amount(page['labels'], 'label', form=',')})" for page in pages]
        )
        mixed = " Labels of different versions stand in one figure." if len(pages) > 1 else ""
        points.append((f"Codebook page: {used}.{mixed}",))
    else:
        points.append(("Codebook page: no label was given under one in this study.",))
    points.append((f"Version of wording and choices: {question['version'][:12]}.",))
    return [text("Question ", strong(question["id"]), ":"), Points(tuple(points))]


def _runs(runs: list[Json]) -> Table:
    rows = []
    for run in runs:
        for place, each in enumerate(run["verdicts"]):
            share = f" ({percent(each['unreadable'] / each['verdicts'], 1)})" if each["verdicts"] else ""
            repeats = f"{each['more_repeats']:,}" if each["more_repeats"] else "none"
            named = (run["name"],) if place == 0 else ("",)
            counted = ((f"{each['verdicts']:,}",), (f"{each['unreadable']:,}{share}",), (repeats,))
            rows.append(Row((named, (each["question"],), *counted, (MADE[run["kind"]],))))
    columns = (
        Column("judge run", width=3), Column("question", width=2), Column("verdicts", True), Column("unreadable", True),
        Column("further repeats", True), Column("made", width=2),
    )  # fmt: skip
    return Table(columns, tuple(rows), "The judge runs. Figures use the first verdict of each on an item; repeats enter no figure.")
