"""Slices on the agreement page: a forest plot, the same as a table, and how many were looked at."""

from typing import Any

import streamlit as st

from annotate.lead import figures
from annotate.lead.counting import Counting
from annotate.lead.plots import plot_html
from annotate.lead.text import html_of
from data.wording import amount
from reports.forests import drawn_fields, field_name
from reports.slices import PALE_SAID

Json = dict[str, Any]

COLUMNS = ("observed_agreement", "sensitivity", "specificity", "kappa_linear")
"""Figures of the table beside the one that slices are sorted by."""


def draw_slices(counted: Counting, question: str, run: str, labels: str | None) -> None:
    """The section, where the run has any; `run` as `judge:NAME`."""
    document = counted.document("slices", labels)
    runs = [each for found in document["questions"] if found["id"] == question for each in found["runs"]]
    tables: list[Json] = next((each["tables"] for each in runs if each["columns"] == run), [])
    if not any(table["fields"] for table in tables):
        return
    with st.container(border=True, key="card-slices"):
        _draw(counted, figures.name_of(run), tables, document["left_out"])


def _draw(counted: Counting, run: str, tables: list[Json], left_out: list[Json]) -> None:
    st.html(f"<h2>Slices of {html_of(run)} against the consensus</h2>")
    titles = [table["title"] for table in tables]
    title = st.selectbox("Label", titles, key="slices-of", width=260) if len(titles) > 1 else titles[0]
    table = tables[titles.index(title)] if title in titles else tables[0]
    svg = counted.drawing("slices", table, f"{run} against the human consensus, slice by slice")
    about = f'<p class="rj-about">{html_of(table["looked_at"])}</p>'
    st.html(f'{about}<div class="rj-scroll">{plot_html(svg)}</div>{_list(table)}{figures.notes_html(notes_of(table, left_out))}')


def _list(table: Json) -> str:
    """The slices as a table, a row each."""
    keys = [table["figure"], *(key for key in COLUMNS if key in table["overall"])]
    heads = "".join(f'<th scope="col" class="rj-num">{html_of(head)}</th>' for head in _heads(keys))
    rows = [_row("all items", "", table["overall"], keys, small=False)]
    for field in table["fields"]:
        rows += [_row(field_name(field), value["name"], value, keys, small=value["small"]) for value in field["values"]]
    return (
        "<details><summary>the slices as a table</summary>"
        '<div class="rj-scroll"><table class="rj-wide"><thead><tr><th scope="col">field</th><th scope="col">slice</th>'
        f'<th scope="col" class="rj-num">n</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div></details>'
    )


def _heads(keys: list[str]) -> list[str]:
    named = [figures.SHORT.get(key, figures.label_of(key)) for key in keys]
    return ["kappa" if keys[0] == "kappa" else named[0], "95 % interval", *named[1:]]


def _row(field: str, name: str, value: Json, keys: list[str], small: bool) -> str:
    first = value[keys[0]]
    if first["value"] is None:
        cells = f'<td class="rj-num">–</td><td class="rj-undefined">undefined: {html_of(first["reason"])}</td>'
    else:
        interval = figures.interval_of(first) or html_of(first["reason"])
        cells = f'<td class="rj-num">{figures.value_of(first)}</td><td class="rj-num rj-soft">{interval}</td>'
    cells += "".join(f'<td class="rj-num">{figures.value_of(value[key]) if key in value else "–"}</td>' for key in keys[1:])
    kind = ' class="rj-small"' if small else ""
    return (
        f'<tr{kind}><th scope="row">{html_of(field)}</th><td>{html_of(name)}</td><td class="rj-num">{value["n"]:,}</td>{cells}</tr>'
    )


def notes_of(table: Json, left_out: list[Json]) -> list[str]:
    """What a reader must know of the plot and the table: what is pale, taken together, left out or in the table alone."""
    drawn = drawn_fields(table)
    fields = [each for each in table["fields"] if any(value["n"] for value in each["values"])]
    beyond = [field_name(each) for each in fields if each not in drawn]
    nobody = [f"{field_name(each)} {value['name']}" for each in table["fields"] for value in each["values"] if not value["n"]]
    notes = [PALE_SAID] if any(value["small"] for each in table["fields"] for value in each["values"]) else []
    notes += [
        f"{field_name(each)}: the rarest {amount(each['pooled'], 'value', form=',')} are taken together."
        for each in table["fields"]
        if each["pooled"]
    ]
    if nobody:
        notes.append(f"Without a labelled item: {', '.join(nobody)}.")
    if beyond:
        notes.append(f"In the table alone, for want of room: {', '.join(beyond)}.")
    reasons: dict[str, list[str]] = {}
    for each in left_out:
        reasons.setdefault(each["reason"], []).append(each["field"])
    notes += [f"Left out: {', '.join(fields)}, because {reason}." for reason, fields in reasons.items()]
    return notes
