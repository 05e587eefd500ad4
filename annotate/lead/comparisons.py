"""Judge runs against each other on the agreement page: on the same items, with who is right where."""

from typing import Any

import streamlit as st

from annotate.lead import figures
from annotate.lead.counting import Counting
from annotate.lead.plots import plot_html
from annotate.lead.text import html_of
from reports.comparison_document import quoted

Json = dict[str, Any]


def draw_comparisons(counted: Counting, question: str, labels: str | None) -> None:
    """The section, where two runs judged a labelled item."""
    document = counted.document("comparisons", labels)
    found = next((each for each in document["questions"] if each["id"] == question), None)
    if not found or not found["pairs"]:
        return
    with st.container(border=True, key="card-comparisons"):
        _draw(counted, found)


def _draw(counted: Counting, question: Json) -> None:
    st.html("<h2>Judge runs against each other</h2>")
    pairs = question["pairs"]
    titles = [table["title"] for table in pairs[0]["tables"]]
    title = st.selectbox("Label", titles, key="compared-on", width=260) if len(titles) > 1 else titles[0]
    place = titles.index(title) if title in titles else 0
    tables = [(pair, pair["tables"][place]) for pair in pairs]
    said = "".join(f'<p class="rj-said">{html_of(table["said"])}</p>' for _, table in tables)
    drawn = [(f"{_second(pair)} less {_first(pair)}", table) for pair, table in tables]
    svg = counted.drawing("comparisons", drawn, "Differences of kappa between judge runs") if len(tables) > 1 else ""
    compared = [(pair, table) for pair, table in tables if "n" in quoted(table)]
    body = f"{_list(compared)}{_by_choice(question, compared)}" if compared else ""
    st.html(f'{said}<div class="rj-scroll">{plot_html(svg)}</div>{body}{figures.notes_html(_notes(question, compared))}')


def _first(pair: Json) -> str:
    return figures.name_of(pair["first"])


def _second(pair: Json) -> str:
    return figures.name_of(pair["second"])


def _list(compared: list[tuple[Json, Json]]) -> str:
    """One row per pair: both kappas, their difference, who alone is right, McNemar, what was left out."""
    counted = ("n", "kappa, first", "kappa, second", "difference", "95 % interval", "only first right", "only second right")
    heads = "".join(f'<th scope="col" class="rj-num">{head}</th>' for head in (*counted, "McNemar mid-p"))
    rows = []
    for pair, table in compared:
        quote = quoted(table)
        difference = quote["difference"]
        why = "" if difference["value"] is not None else f"undefined: {difference['reason']}"
        numbers = (
            f"{quote['n']:,}",
            figures.value_of(quote["kappa_first"]),
            figures.value_of(quote["kappa_second"]),
            figures.value_of(difference),
            html_of(figures.interval_of(difference) or why or difference["reason"]),
            f"{sum(quote['only_first_right']):,}",
            f"{sum(quote['only_second_right']):,}",
            _p_value(quote["mcnemar"]["midp"]),
        )
        cells = "".join(f'<td class="rj-num">{cell}</td>' for cell in numbers)
        names = f'<th scope="row" class="rj-name">{html_of(_first(pair))}</th><td class="rj-name">{html_of(_second(pair))}</td>'
        rows.append(f'<tr>{names}{cells}<td class="rj-soft">{html_of(figures.left_out(pair))}</td></tr>')
    return (
        '<div class="rj-scroll"><table class="rj-wide" data-rj="comparisons"><thead><tr><th scope="col">first</th>'
        f'<th scope="col">second</th>{heads}<th scope="col">left out</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _p_value(estimate: Json) -> str:
    value = estimate["value"]
    if value is None:
        return "–"
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"


def _by_choice(question: Json, compared: list[tuple[Json, Json]]) -> str:
    """Who alone is right, by what the humans say."""
    rows = []
    for pair, table in compared:
        quote = quoted(table)
        choices = figures.sides_of(question, table["title"])
        for choice, first, second in zip(choices, quote["only_first_right"], quote["only_second_right"], strict=True):
            rows.append(
                f'<tr><th scope="row">{html_of(_first(pair))}</th><td>{html_of(_second(pair))}</td><td>{html_of(choice)}</td>'
                f'<td class="rj-num">{first:,}</td><td class="rj-num">{second:,}</td></tr>'
            )
    return (
        "<details><summary>who alone is right, by what humans say</summary>"
        '<div class="rj-scroll"><table><thead><tr><th scope="col">first</th><th scope="col">second</th>'
        '<th scope="col">humans say</th><th scope="col" class="rj-num">only first right</th>'
        f'<th scope="col" class="rj-num">only second right</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div></details>'
    )


def _notes(question: Json, compared: list[tuple[Json, Json]]) -> list[str]:
    notes = list(dict.fromkeys(table["mcnemar_says"] for _, table in compared))
    if any(table["headline"] == "strict" for _, table in compared):
        notes.append("Strict figures where more than 2 % of a run’s verdicts are unreadable: each is a disagreement of that run.")
    if any(table.get("weights") == "linear" for _, table in compared):
        notes.append("Kappas with linear weights, as the choices are in order.")
    if any(pair["weighted"] for pair, _ in compared):
        notes.append("Kappas and differences are weighted to the frame; who is right is counted in items.")
    if question["not_compared"]:
        notes.append(f"Recorded earlier and not compared: {', '.join(question['not_compared'])}.")
    return notes
