"""The forest plots of what was counted: slices of one judge run, and runs against each other."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.comparison_document import quoted
from reports.estimate import Estimate
from reports.forest import ForestRow, Reference, forest_svg

Json = Mapping[str, Any]

MOST_DRAWN = 60
"""Rows that a plot has room for; a field is drawn whole or not at all."""
FIGURES = {"kappa": "Cohen’s kappa", "spearman": "Spearman’s rho"}


def slices_forest(table: Json, title: str) -> str:
    """The slices of a table of `reports.slices.sliced`, beside the figure of all items; empty where none can be drawn."""
    rows = [
        ForestRow(value["name"], Estimate(**value[table["figure"]]), value["n"], small=value["small"], group=field_name(field))
        for field in drawn_fields(table)
        for value in field["values"]
        if value["n"]
    ]
    whole = table["overall"][table["figure"]]["value"]
    reference = None if whole is None else Reference(whole, "all items")
    axis = f"{FIGURES[table['figure']]}{', strict' if table['strict'] else ''}, 95 % interval"
    return forest_svg(rows, title, axis, reference) if rows else ""


def drawn_fields(table: Json) -> list[Json]:
    """The fields that there is room for, in their order."""
    kept, rows = [], 0
    for field in table["fields"]:
        labelled = sum(value["n"] > 0 for value in field["values"])
        if labelled and rows + labelled <= MOST_DRAWN:
            kept.append(field)
            rows += labelled
    return kept


def field_name(field: Json) -> str:
    """A field of the metadata by its own name, which may be `length` or `source` too."""
    ours = field["origin"] == "metadata" and field["field"] in ("length", "source", "format")
    return f"{field['field']} (metadata)" if ours else str(field["field"])


def differences_forest(pairs: Sequence[tuple[str, Json]], title: str) -> str:
    """The differences of comparisons, (name of the pair, its table); empty where no pair has one."""
    rows = [
        ForestRow(name, Estimate(**comparison["difference"]), comparison["n"])
        for name, comparison in ((name, quoted(table)) for name, table in pairs)
        if comparison["difference"]["value"] is not None
    ]
    axis = "difference of kappas, second less first, 95 % interval"
    return forest_svg(rows, title, axis, Reference(0.0, "no difference"), full=None) if rows else ""
