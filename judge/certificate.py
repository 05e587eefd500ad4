"""The certificate of one look, to read and to keep: Markdown and HTML from the same content."""

from collections.abc import Mapping, Sequence
from typing import Any

from data.wording import amount
from judge.certify import INCONCLUSIVE, PROMOTE, REJECT
from reports.written.content import (
    Block,
    Column,
    Matrix,
    Paragraph,
    Points,
    Report,
    Row,
    Section,
    Table,
    code,
    emphasis,
    note,
    strong,
    text,
)
from reports.written.numerals import figure, two_places

Json = Mapping[str, Any]

MEANS = {
    PROMOTE: "NEW is better than OLD: it may take its place.",
    REJECT: "NEW is worse than OLD: keep OLD.",
    INCONCLUSIVE: "NEW is not shown to be better than OLD: keep OLD.",
}
RULE = (
    "PROMOTE: the one-sided lower bound of the difference of kappas (new less old) lies above 0, no class’s recall falls by more "
    "than 0.05 in the sample, and NEW has no more unreadable replies than OLD. REJECT: the one-sided upper bound lies below 0. "
    "INCONCLUSIVE: anything else. Kappa is strict: an unreadable reply is a disagreement."
)


def certificate(document: Json) -> Report:
    """The content of the file. Nothing in it depends on the clock."""
    new, old = document["new"]["run"], document["old"]["run"]
    summary = Paragraph((strong(f"{document['result']}. "), " ".join([MEANS[document["result"]], *document["reasons"]])), "summary")
    return Report(
        f"Certificate {document['number']}: “{new}” against “{old}”",
        (
            "Study ",
            emphasis(document["study"]),
            " · question ",
            emphasis(document["question"]),
            f" · look taken by {document['lead']}",
        ),
        (
            Section("", (summary, *_more(document))),
            Section("What was measured", tuple(_measured(document))),
            Section("Who was compared", tuple(_judges(document))),
            Section("Items and looks", tuple(_items(document))),
            Section("The rule", (text(RULE),)),
        ),
    )


def more_in_words(document: Json) -> str:
    """How many more labels would decide; empty where it is decided."""
    if document["result"] != INCONCLUSIVE:
        return ""
    more = document["more"]
    if more["items"] is None:
        return f"How many more test labels would decide cannot be told: {more['reason']}."
    seen, labels = document["kappa"]["difference"], amount(more["items"], "more test label", form=",")
    told = (
        f"Were the difference seen, {two_places(seen['value'])}, the true one, {labels} like these would show it with 80 % power."
    )
    if document["look"] < document["looks"]:
        return told
    fresh = amount(seen["n"] + more["items"], "fresh test item", form=",")
    return f"{told} The looks at these items are used up, so that it takes {fresh} to decide."


def caution_in_words(document: Json) -> str:
    """That what is better need not be good; empty where nothing was promoted, or NEW is better than chance."""
    kappa = document["kappa"]["new"]
    if document["result"] != PROMOTE or kappa["low"] is None or kappa["low"] > 0:
        return ""
    return (
        f"Better than OLD is not good: the interval of NEW’s own kappa, {figure(kappa)}, holds 0, which is the agreement of chance."
    )


def power_in_words(power: Sequence[Sequence[float]], items: int) -> str:
    """The chances, before anybody looked."""
    (first, chance), *others = power
    more = "".join(f", one by {two_places(better)} in {100 * shown:.0f} %" for better, shown in others)
    return (
        f"With {amount(items, 'test item', form=',')} an improvement of kappa from 0.60 by {two_places(first)} would be shown in "
        f"{100 * chance:.0f} % of cases{more}, if items were drawn one by one; items that share a group tell less."
    )


def _more(document: Json) -> list[Block]:
    return [text(said) for said in (caution_in_words(document), more_in_words(document)) if said]


def _measured(document: Json) -> list[Block]:
    kappa, bounds = document["kappa"], document["bounds"]
    weights = "linear weights" if document["weights"] == "linear" else "unweighted"
    rows = [
        Row((("kappa",), (figure(kappa["old"]),), (figure(kappa["new"]),), (figure(kappa["difference"]),)), strong=True),
        *(
            Row(((f"recall of “{each['choice']}” ({amount(each['items'], 'item')})",), *_change(each)))
            for each in document["recalls"]
        ),
        Row((("unreadable replies",), *((f"{count:,}",) for count in _three(document["unreadable"])))),
    ]
    columns = (Column("", width=2), Column("old", width=2), Column("new", width=2), Column("new less old", width=2))
    blocks: list[Block] = [Table(columns, tuple(rows), f"Strict figures ({weights}) with 95 % intervals.")]
    if bounds["low"] is not None:
        blocks.append(
            text(
                f"One-sided bounds of the difference at level {bounds['level']:.4g}: lower {_three_places(bounds['low'])}, upper "
                f"{_three_places(bounds['high'])} ({bounds['method']})."
            )
        )
    blocks += [_matrix(document, which) for which in ("old", "new")]
    blocks.append(text(f"Their verdicts differ on {amount(document['differing'], 'item', form=',')}."))
    return blocks


def _change(recall: Json) -> tuple[tuple[str], ...]:
    change = "undefined" if recall["change"] is None else two_places(recall["change"])
    return (figure(recall["old"]),), (figure(recall["new"]),), (change,)


def _three(unreadable: Json) -> tuple[int, int, int]:
    return unreadable["old"], unreadable["new"], unreadable["new"] - unreadable["old"]


def _matrix(document: Json, which: str) -> Matrix:
    counts = tuple(tuple(row) for row in document["counts"][which])
    names = tuple(document["choices"])
    shares = tuple(tuple(count / sum(row) if sum(row) else None for count in row) for row in counts)
    named = f"{which}: {document[which]['run']}"
    note = "Counts of items; shades by the share of the row, without weights." if document["weighted"] else ""
    return Matrix(named, "humans", named, names, (*names, "unreadable"), counts, shares, note)


def _judges(document: Json) -> list[Block]:
    rows = [
        Row(
            (
                (which,),
                (each["run"],),
                (each["model"] or "–",),
                (code(each["prompt"]) if each["prompt"] else "none",),
                (code(each["identity"]),),
            )
        )
        for which, each in (("old", document["old"]), ("new", document["new"]))
    ]
    columns = (Column(""), Column("run"), Column("model"), Column("prompt (sha256)", width=2), Column("identity (sha256)", width=2))
    blocks: list[Block] = [Table(columns, tuple(rows))]
    if document["apart"]:
        blocks.append(text(f"What makes them two judges: {', '.join(document['apart'])}."))
    if document["warnings"]:
        blocks.append(Points(tuple((warning,) for warning in document["warnings"])))
    return blocks


def _items(document: Json) -> list[Block]:
    items = sum(each["items"] for each in document["recalls"])
    classes = ", ".join(f"{each['items']:,} “{each['choice']}”" for each in document["recalls"])
    drawn = {"imported": "labels as imported", "simple": "drawn alike"}.get(document["design"], document["design"])
    blocks: list[Block] = [
        text(
            f"{amount(items, 'test item', form=',')} with a human label and both verdicts ({classes}), in "
            f"{amount(document['groups'], 'group', form=',')}; {drawn}{', re-weighted' if document['weighted'] else ''}. "
            "Items and labels (sha256): ",
            code(document["labels"]),
            ".",
        ),
        text(
            f"Look {document['look']} of {document['looks']} declared before the first one; each bound is at level 0.05 divided by "
            f"{document['looks']}. It is on record, and counts against every one of these items."
        ),
    ]
    if document["left_out"]:
        blocks.append(text(f"Left out, because their looks are used up: {amount(document['left_out'], 'test item', form=',')}."))
    return [*blocks, note(f"Before the look: {power_in_words(document['power'], items)}")]


def _three_places(figure: float) -> str:
    return f"{round(figure, 3) + 0.0:.3f}".replace("-", "−")
