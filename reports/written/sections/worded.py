"""Whether a judge is better than counting words."""

from collections.abc import Mapping
from typing import Any

from reports.against_baseline import sides
from reports.document import SELECTED_SAID
from reports.written.content import Block, Column, Points, Row, Section, Table, note
from reports.written.numerals import figure

Json = Mapping[str, Any]

LEARNED = "logistic regression"
LEARNED_OF_ALL = "logistic regression (of several choices one for each, of scores ridge regression)"


def baselines(documents: Json) -> Section | None:
    """The section; None without a baseline."""
    rows, said, kappas = [], [], True
    for question in documents["agreement"]["questions"]:
        for found in question.get("baseline", []):
            figures = tuple((figure(each),) for each in (*sides(found), found["difference"]))
            kappas = kappas and "figure" not in found
            rows.append(Row(((found["run"],), (question["id"],), (f"{found['n']:,}",), *figures)))
            said.append((f"{found['said']}{SELECTED_SAID if found.get('selected') else ''}",))
    if not rows:
        return None
    columns = (
        Column("judge run", width=2), Column("question", width=2), Column("n", True),
        Column("its kappa" if kappas else "its agreement", width=2),
        Column("kappa of the baseline" if kappas else "that of the baseline", width=2), Column("difference", width=2),
    )  # fmt: skip
    about = (
        f"The baseline is no LLM: {LEARNED if kappas else LEARNED_OF_ALL} on the words and pairs of words of what annotators "
        "see, taught by the consensus on train and dev. On items that taught it its verdict comes from a model of other "
        "groups alone."
    )
    blocks: list[Block] = [
        Points(tuple(said)),
        Table(columns, tuple(rows), "Each judge beside the newest baseline, on the same items."),
        note(about),
    ]
    return Section("Is the judge better than counting words?", tuple(blocks))
