"""How to reproduce every number: hashes, versions, seeds, commands."""

from collections.abc import Mapping
from typing import Any

from reports.notes import methods
from reports.written.content import Block, Column, Row, Section, Table, Verbatim, code, text

Json = Mapping[str, Any]


def reproduced(documents: Json) -> Section:
    """The section."""
    about = documents["about"]
    rows = [Row((("study",), (code(about["hash"]),)))]
    rows += [Row(((name,), (version,))) for name, version in about["versions"].items()]
    rows += [Row(((f"seed of {batch['name']}",), (code(batch["seed"]),))) for batch in about["batches"]]
    rows += [Row(((f"gold set {gold['name']}",), (code(gold["hash"]), f" ({gold['rows']:,} labels)"))) for gold in about["gold"]]
    rows += [Row(((f"judge run {run['name']}",), (code(run["identity"]),))) for run in about["runs"]]
    blocks: list[Block] = [
        text(
            "The study’s hash covers every trajectory, draw, wording and codebook page, and the ends of the chained histories of "
            "verdicts, labels and decisions: with the same hash and versions, these commands print the same numbers and write this "
            "report, byte for byte."
        ),
        Table((Column("what", width=2), Column("value", width=5)), tuple(rows)),
        Verbatim(
            "rejudge verify                 # every hash and every rule again\n"
            "rejudge agree --json --all     # every figure of every pair\n"
            "rejudge report                 # this report",
            "console",
        ),
    ]
    if told := methods(documents["agreement"]["questions"]):
        blocks.append(text(told))
    return Section("How to reproduce every number", tuple(blocks))
