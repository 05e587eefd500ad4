"""Figures on the judge page: what the runs of a prompt brought and cost, and two runs before and after a revision.

Figures over many items only, and no single item's verdict. Of a prompt that was revised here the documents hold dev alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from annotate.lead import figures
from annotate.lead.counting import Counting
from annotate.lead.frame import show_refusal
from annotate.lead.text import html_of
from data.errors import RejudgeError
from data.splits import SPLITS
from data.store.judging import JudgeRun, RunTotals
from data.wording import two_places
from reports.comparison_document import quoted

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ran:
    """A judge run, and what it has brought."""

    run: JudgeRun
    totals: RunTotals


def largest(runs: Sequence[Ran]) -> JudgeRun:
    """The run with most verdicts, of several the last: a try at a few items tells nothing of a prompt."""
    return max(reversed(runs), key=lambda ran: sum(ran.totals.verdicts.values())).run


def kappas(counted: Counting, question: str, runs: Sequence[Ran]) -> dict[int, str]:
    """By prompt: kappa of its largest run and the consensus of the humans, as `rejudge judge list` tells it."""
    by_prompt: dict[int, list[Ran]] = {}
    for ran in runs:
        if ran.run.prompt is not None:
            by_prompt.setdefault(ran.run.prompt, []).append(ran)
    if not by_prompt:
        return {}
    try:
        document = counted.document("agreement", None)
    except RejudgeError:
        return {}
    asked = [each for each in document["questions"] if each["id"] == question]
    pairs = {pair["columns"]: pair for each in asked for pair in each["pairs"] if pair["rows"] == figures.CONSENSUS}
    named = {prompt: pairs.get(f"judge:{largest(own).name}") for prompt, own in by_prompt.items()}
    return {prompt: told for prompt, pair in named.items() if pair is not None and (told := _kappa(pair))}


def _kappa(pair: Json) -> str:
    """In two places, with the splits that it is about."""
    part = pair.get("macro", pair)
    strict = pair.get("headline") == "strict" and "kappa_strict" in part
    estimate = part.get("kappa_strict" if strict else "kappa") or part.get("kappa_linear")
    if estimate is None:
        return ""
    return f"{figures.value_of(estimate)} {'dev' if pair.get('selected') else 'all'}"


def draw_runs(runs: Sequence[Ran], held_back: bool) -> None:
    """What was asked with the prompt that is chosen; `held_back`: its test verdicts are for a certificate to speak of."""
    if not runs:
        st.html('<p class="rj-soft" data-rj="no-run">There is no verdict by this prompt yet.</p>')
        return
    splits = tuple(split for split in SPLITS if split != "test") if held_back else SPLITS
    heads = ("verdicts", "unreadable, not of test" if held_back else "unreadable", "repeats", "tokens in", "tokens out", "cost")
    rows = []
    for ran in runs:
        totals = ran.totals
        counts = (
            f"{sum(totals.verdicts.values()):,}", _unreadable(totals, splits), f"{totals.repeats:,}",
            _count(totals.tokens_in), _count(totals.tokens_out),
            "–" if totals.cost is None else f"{totals.cost:,.4f}",
        )  # fmt: skip
        model = ran.run.document.get("model")
        said = [snapshot for snapshot in totals.snapshots if snapshot != model]
        snapshots = f'<br><span class="rj-soft">answers as {html_of(", ".join(said))}</span>' if said else ""
        cells = "".join(f'<td class="rj-num">{count}</td>' for count in counts)
        rows.append(
            f'<tr><th scope="row" class="rj-name">{html_of(ran.run.name)}</th>'
            f"<td>{html_of(str(model or ran.run.kind))}{snapshots}</td>{cells}</tr>"
        )
    numbers = "".join(f'<th scope="col" class="rj-num">{head}</th>' for head in heads)
    st.html(
        '<div class="rj-scroll"><table class="rj-wide" data-rj="runs"><thead><tr><th scope="col">run</th>'
        f'<th scope="col">model</th>{numbers}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _count(tokens: int | None) -> str:
    return "–" if tokens is None else f"{tokens:,}"


def _unreadable(totals: RunTotals, splits: Sequence[str]) -> str:
    verdicts, unreadable = (sum(counts.get(split, 0) for split in splits) for counts in (totals.verdicts, totals.unreadable))
    share = f" ({100 * unreadable / verdicts:.1f} %)" if unreadable else ""
    return f"{unreadable:,}{share}"


def draw_before_after(counted: Counting, question: str, before: JudgeRun, after: JudgeRun) -> None:
    """Both matrices and the difference of kappa, on the same items."""
    try:
        document = counted.document("comparisons", None, after.code)
    except RejudgeError as error:
        show_refusal(error)
        return
    found = next((each for each in document["questions"] if each["id"] == question), None)
    pair = _pair(found["pairs"] if found else [], before.name, after.name)
    if found is None or pair is None:
        st.html('<p class="rj-soft" data-rj="no-comparison">No labelled item has verdicts of both runs yet.</p>')
        return
    where = " and ".join(pair["splits"]) if "splits" in pair else "all splits"
    st.html(f'<h2 data-rj="before-after">Before and after, on {html_of(where)}</h2>')
    turned = pair["first"] == f"judge:{after.name}"
    for table in pair["tables"]:
        if table["title"]:
            st.html(f"<h3>{html_of(table['title'])}</h3>")
        st.html(f'<p class="rj-said">{html_of(table["said"])}</p>{_difference(table, turned)}')
        if table.get("counts"):
            _matrices(figures.sides_of(found, table["title"]), table["counts"], (before.name, after.name), turned)
    if notes := figures.notes_html(_notes(pair)):
        st.html(notes)


def _pair(pairs: Sequence[Json], before: str, after: str) -> Json | None:
    wanted = {f"judge:{before}", f"judge:{after}"}
    return next((pair for pair in pairs if {pair["first"], pair["second"]} == wanted), None)


def _difference(table: Json, turned: bool) -> str:
    """Kappa after less kappa before, large, with its interval."""
    quote = quoted(table)
    difference = quote["difference"]
    if difference["value"] is None:
        return f'<p class="rj-undefined">The difference of kappa is undefined: {html_of(difference["reason"])}.</p>'
    sign = -1 if turned else 1
    one, two = ("kappa_second", "kappa_first") if turned else ("kappa_first", "kappa_second")
    ends = [difference["low"], difference["high"]]
    interval = html_of(difference["reason"])
    if None not in ends:
        low, high = sorted(sign * end for end in ends)
        interval = f"95 % interval {two_places(low)} to {two_places(high)}"
    change = two_places(sign * difference["value"])
    change = change if change.startswith("−") or change == "0.00" else f"+{change}"
    return (
        f'<div class="rj-lead-figure"><b data-rj="kappa-change">{change}</b><span class="rj-soft">change of kappa, '
        f"{figures.value_of(quote[one])} → {figures.value_of(quote[two])} · {interval} · n = {quote['n']:,}</span></div>"
    )


def _matrices(choices: Sequence[str], counts: Sequence[Sequence[Sequence[int]]], names: tuple[str, str], turned: bool) -> None:
    """What both runs said where both can be read, beside the humans."""
    size = len(choices)
    first = [[sum(human[one][two] for two in range(size)) for one in range(size)] for human in counts]
    second = [[sum(human[one][two] for one in range(size)) for two in range(size)] for human in counts]
    drawn = zip(names, (second, first) if turned else (first, second), st.columns(2, gap="large"), strict=True)
    for name, confusion, column in drawn:
        axes = ("humans", name)
        with column:
            table = {"confusion": confusion}
            st.html(figures.matrix(choices, table, axes) + figures.matrix_table(choices, table, axes))


def _notes(pair: Json) -> list[str]:
    left_out = figures.left_out(pair)
    notes = [f"Not in the table: {left_out}."] if left_out else []
    if pair["weighted"]:
        notes.append("The matrices count items; kappas and their difference are weighted to the frame.")
    if any(table["headline"] == "strict" for table in pair["tables"]):
        notes.append("Strict figures: each unreadable verdict is a disagreement. The matrices hold what can be read.")
    return notes
