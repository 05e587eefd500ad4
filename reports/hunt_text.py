"""What a hunt brought, in words for the terminal."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount

Json = Mapping[str, Any]
Figure = Mapping[str, Any]


def hunt_lines(document: Json) -> list[str]:
    """The document of `last_hunt_of` as lines. They speak of the items of that hunt and of nothing else."""
    rows = [row for row in document["rows"] if row["hunted"]["n"]]
    if not rows:
        return [f"The last closed hunt, {document['hunt']}, has no item with both a consensus and a verdict."]
    lines = [f"The last closed hunt, {document['hunt']}, beside train items drawn at random:"]
    for row in rows:
        lines.append(f"  {row['question']}, {row['run']}: {_row(row)}")
    lines.append(
        "  This is about the items of that hunt. A hunt is no sample: no figure counts them, and the next may bring more or less."
    )
    return lines


def _row(row: Json) -> str:
    hunted, random, ratio = row["hunted"], row["random"], row["ratio"]
    told = f"judge and humans differ on {_share(hunted)} hunted"
    if random["value"] is None:
        return f"{told}; {random['reason']}, so nothing can be said of richer."
    told += f", and on {_share(random)} drawn at random"
    if ratio["value"] is None:
        return f"{told}; no ratio: {ratio['reason']}."
    return f"{told}: {_times(ratio)}."


def _share(share: Figure) -> str:
    return f"{100 * share['value']:.0f} % of {amount(share['n'], 'item', form=',')}"


def _times(ratio: Figure) -> str:
    if ratio["high"] is None:
        return f"{ratio['value']:.1f} times the share (at least {ratio['low']:.1f} times; {ratio['reason']})"
    told = f"{ratio['value']:.1f} times the share (95 % interval {ratio['low']:.1f} to {ratio['high']:.1f})"
    return told if ratio["low"] > 1 or ratio["high"] < 1 else f"{told}, which does not show that the hunt was richer or poorer"
