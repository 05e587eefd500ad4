"""Judge runs compared with each other, on the same items."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.comparison_document import quoted
from reports.written.content import Block, Column, Points, Row, Section, Table, note, strong, text
from reports.written.numerals import figure, joined

Json = Mapping[str, Any]


def comparisons(documents: Json) -> Section | None:
    """The section; None where no two runs have items in common."""
    blocks: list[Block] = []
    questions = documents["comparisons"]["questions"]
    for question in questions:
        if not question["pairs"]:
            continue
        if len(questions) > 1:
            blocks.append(text(strong(question["id"])))
        blocks += _question(question)
    if not blocks:
        return None
    about = (
        "Each pair is compared on the items that both judged and humans labelled; the difference is the second kappa less the "
        "first. Two kappas with intervals that overlap prove nothing of their difference, because both rest on the same items."
    )
    return Section("Judges compared on the same items", (*blocks, note(about)))


def _question(question: Json) -> list[Block]:
    rows, said = [], []
    for pair in question["pairs"]:
        first, second = (pair[side].partition(":")[2] for side in ("first", "second"))
        for table in pair["tables"]:
            about = f" ({table['title']})" if table["title"] else ""
            said.append((f"{table['said']}{_alone(first, second, table, question)}",))
            found = quoted(table)
            if "kappa_first" not in found:
                continue
            names = ((f"{first}{about}",), (second,), (f"{found['n']:,}",))
            figures = ((figure(found["kappa_first"]),), (figure(found["kappa_second"]),), (figure(found["difference"]),))
            rows.append(Row((*names, *figures)))
    blocks: list[Block] = [Points(tuple(said))]
    if rows:
        columns = (
            Column("first", width=2), Column("second", width=2), Column("n", True), Column("kappa of the first", width=2),
            Column("kappa of the second", width=2), Column("difference", width=2),
        )  # fmt: skip
        blocks.insert(0, Table(columns, tuple(rows), "Kappa of two judges on the same items, and its difference."))
    if question["not_compared"]:
        blocks.append(text(f"Not compared, because there are many runs: {joined(question['not_compared'])}."))
    return blocks


def _alone(first: str, second: str, table: Json, question: Json) -> str:
    """Who alone is right how often, and McNemar's test, which asks that."""
    found = quoted(table)
    if "mcnemar" not in found or found["identical"]:
        return ""
    one, two = sum(found["only_first_right"]), sum(found["only_second_right"])
    told = (
        f" Only {first} agrees with the humans on {amount(one, 'item', form=',')}, only {second} on {amount(two, 'item', form=',')}"
    )
    choices = question["choices"] if not table["title"] else []
    each = [
        f"“{choice}” {left:,} and {right:,}"
        for choice, left, right in zip(choices, found["only_first_right"], found["only_second_right"], strict=False)
        if left or right
    ]
    told += f" (by what the humans say: {joined(each)})." if each else "."
    midp = found["mcnemar"]["midp"]
    if midp["value"] is None:
        p = f"undefined: {midp['reason']}"
    else:
        p = f"mid-p {midp['value']:.3f}" if midp["value"] >= 0.0005 else "mid-p below 0.001"
    return f"{told} McNemar: {p}. {table['mcnemar_says']}"
