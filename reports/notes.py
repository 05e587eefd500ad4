"""What a reader must know before quoting a pair: its design, what is missing, left out, undefined, borrowed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.wording import amount, with_minus
from reports.design import NO_INTERVAL
from reports.document import DEV_ONLY, FEW_GROUPS, FEW_ITEMS, MANY_MISSING, SELECTED
from reports.pair_figures import MACRO
from reports.width import columns, left, right, shown, wrapped

Json = Mapping[str, Any]

NAMES = {
    "kappa": "kappa",
    "kappa_linear": "kappa, linear",
    "kappa_quadratic": "kappa, quadratic",
    "observed_agreement": "agreement",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ac1": "AC1",
    "prevalence_index": "prevalence index",
    "bias_index": "bias index",
    "expected_agreement": "chance agreement",
    "kappa_standard_error": "kappa's std. error",
    "scott_pi": "Scott's pi",
    "pabak": "PABAK",
    "ac2_linear": "AC2, linear",
    "ac2_quadratic": "AC2, quadratic",
    "mcc": "MCC",
    "precision": "precision",
    "npv": "NPV",
    "f1": "F1",
    "balanced_accuracy": "balanced accuracy",
    "specific_agreement": "specific agreement",
    "spearman": "Spearman",
}
VOTE_NAMES = {
    "fleiss": "Fleiss' kappa",
    "ac1": "AC1",
    "ac2_linear": "AC2, linear",
    "ac2_quadratic": "AC2, quadratic",
    "alpha_nominal": "alpha, nominal",
    "alpha_interval": "alpha, interval",
    "alpha_ratio": "alpha, ratio",
    "alpha_jaccard": "alpha, Jaccard",
    "alpha_macro": "alpha, macro mean",
}
"""Figures of everybody's votes beside Krippendorff's alpha, with `--all`."""
STEP_NAMES = {
    "evidence_overlap": "overlap",
    "first_failure": "same first failure",
    "first_failure_within_1": "first failure within one step",
    "step_precision": "precision",
    "step_recall": "recall",
}
EXCLUDED = {
    "missing": "without a verdict",
    "skipped": "skipped",
    "unsure": "unsure",
    "tie": "tied",
    "error": "unreadable",
}
FRAME = "frame"
"""The design of rows that a notebook brought: how they were drawn is not known, and need not be said of each pair."""
MARKS = {FEW_ITEMS: "fewer than 30 items", FEW_GROUPS: "fewer than 10 groups"}
STRATUM_COUNTS = ("frame", "drawn", "finished", "missing")
COUNT, NARROWEST_NAME = 11, 10


def pair_notes(pair: Json, width: int, indent: int) -> list[str]:
    """The notes on one pair, wrapped to `width` columns."""
    words = EXCLUDED | ({"missing": "without both answers"} if pair["design"] == FRAME else {})
    left_out = [f"{count:,} {words[key]}" for key, count in pair["excluded"].items() if count]
    about = ["as imported"] if pair["design"] == "imported" else []
    about += preliminary(pair["marks"])
    about += ["left out: " + ", ".join(left_out)] if left_out else []
    notes = [f"{shown(name)}: {line}" if name else line for name, part in parts(pair).items() for line in undefined(part)]
    notes.append("; ".join(about))
    if pair.get("headline") == "strict":
        notes.append(f"Quote the strict figures: {_unreadable(pair)} unreadable.")
    if 0 < pair["groups"] < pair["n"] and not _robust(pair):
        notes.append(f"{_groups(pair)}. The intervals take items as independent: where many share a group, they are too narrow.")
    if "codebooks" in pair:
        versions = ", ".join(f"{count:,} under {shown(hash_)[:8]}" for hash_, count in pair["codebooks"].items())
        notes.append(f"Labels of more than one codebook version: {versions}.")
    return indented(notes, width, indent)


def design_notes(pair: Json, width: int, indent: int) -> list[str]:
    """How the items of a pair were drawn, what is missing by stratum, and how many labels a consensus rests on."""
    lines = []
    strata = pair.get("strata", [])
    if pair["weighted"] and not strata:
        lines += indented(["Rows are weighted: the matrix counts them, the figures follow their weights."], width, indent)
    elif pair["weighted"]:
        frame = sum(stratum["frame"] for stratum in strata)
        drawn = " by verdict of " + shown(pair["design"].partition(":")[2]) if pair["design"].startswith("stratified:") else ""
        drawing = f"Drawn{drawn} in strata: the matrix counts items, the figures are weighted to the frame of {frame:,} items."
        lines += indented([drawing], width, indent)
    if strata and (pair["weighted"] or any(stratum["missing"] for stratum in strata)):
        lines += _strata(strata, width, indent)
    if MANY_MISSING in pair["marks"]:
        lines += indented([MISSING], width, indent)
    if 0 < pair["groups"] < pair["n"] and _robust(pair):
        lines += indented([f"{_groups(pair)}; the intervals allow for what the items of a group have in common."], width, indent)
    if pair.get("single"):
        of = amount(pair["n"], "item", form=",")
        lines += indented([f"The consensus on {pair['single']:,} of {of} is one person's label."], width, indent)
    return lines


MISSING = "More than 10 % of a stratum's drawn items are unfinished or skipped: the figures are preliminary."


def leads_note(leads: Json) -> str:
    """How many labels came from people who may see verdicts, and how many of those before they had."""
    return (
        f"{amount(leads['labels'], 'label', form=',')} of batches came from people with a lead's role, "
        f"{leads['before_any_verdict']:,} of them before any verdict was opened."
    )


@dataclass(frozen=True, slots=True)
class Sides:
    """What the two sides of a pair are called."""

    rows: str
    columns: str
    opening: str
    """The columns, where a sentence begins."""
    axes: tuple[str, str]
    """Along the matrix."""


HUMANS_AND_JUDGE = Sides("the humans", "the judge", "The judge", ("human", "judge"))


def leaning(figures: Json, choice: str, sides: Sides = HUMANS_AND_JUDGE) -> str:
    """Which way the judge's bias points: a sentence with how far, or nothing where there is no bias index."""
    bias = figures.get("bias_index")
    if bias is None or bias["value"] is None:
        return ""
    if bias["value"] == 0:
        said = f"{sides.opening} says {choice} as often as {sides.rows}"
    else:
        way = "over-calls" if bias["value"] > 0 else "under-calls"
        more = "more" if bias["value"] > 0 else "fewer"
        points = _of_hundred(abs(bias["value"]))
        said = f"{sides.opening} {way} {choice}: it says so of {points} in 100 items {more} than {sides.rows}"
    if bias["low"] is None or bias["high"] is None:
        return f"{said}."
    chance = "; chance alone may do that" if bias["value"] and bias["low"] <= 0 <= bias["high"] else ""
    return f"{said} [{_of_hundred(bias['low'])}, {_of_hundred(bias['high'])}]{chance}."


def _of_hundred(share: float) -> str:
    return with_minus(f"{100 * share:z.1f}")


def margins(figures: Json, sides: Sides = HUMANS_AND_JUDGE) -> str:
    """McNemar's test in words, where the figures have it."""
    test = figures.get("mcnemar")
    if test is None:
        return ""
    if test["midp"]["value"] is None:
        return f"McNemar's test undefined: {test['midp']['reason']}."
    return (
        f"McNemar's test, of whether both call as many positive: {test['only_first']:,} by {sides.rows} only, "
        f"{test['only_second']:,} by {sides.columns} only; exact p {test['exact']['value']:.3g}, mid-p {test['midp']['value']:.3g}."
    )


def preliminary(marks: Sequence[str]) -> list[str]:
    """The marks in words: on sizes as one remark or none, and on what the items were used for."""
    found = [MARKS[mark] for mark in marks if mark in MARKS]
    return [*([f"(preliminary: {', '.join(found)})"] if found else []), *([f"({DEV_ONLY})"] if SELECTED in marks else [])]


def undefined(figures: Json) -> list[str]:
    """One line per reason; figures that share it share the line."""
    values: dict[str, list[str]] = {}
    intervals: dict[str, list[str]] = {}
    for key, name in NAMES.items():
        for figure, called in ((key, name), (f"{key}_strict", f"{name} strict")):
            if figure not in figures or figures[figure]["reason"] in ("", NO_INTERVAL):
                continue
            found = values if figures[figure]["value"] is None else intervals
            found.setdefault(figures[figure]["reason"], []).append(called)
    everything = figures["n"] == 0 and len(values) == 1
    return [
        *(f"undefined: {why}" if everything else f"{', '.join(names)} undefined: {why}" for why, names in values.items()),
        *(f"no interval for {', '.join(names)}: {why}" for why, names in intervals.items()),
    ]


def parts(pair: Json) -> dict[str, Json]:
    """What a pair holds figures of, by name: itself, its labels (multilabel), its threshold (score)."""
    if "by_label" in pair:
        return dict(pair["by_label"])
    return {"": pair} | ({"at the threshold": pair["at_threshold"]} if "at_threshold" in pair else {})


def methods(questions: Iterable[Json]) -> str:
    """How the intervals were made: figures by method, in a sentence; empty without a figure."""
    found: dict[str, list[str]] = {}
    whole = False
    for question in questions:
        humans = question["human_human"]
        for key, name in {"krippendorff_alpha": "alpha", **VOTE_NAMES}.items():
            if key in humans and humans[key]["value"] is not None:
                found.setdefault(humans[key]["method"], []).append(name if key != "ac1" else "AC1 of all annotators")
        for key in STEP_NAMES:
            for pair in question.get("steps", {}).get("pairs", []):
                if key in pair and pair[key]["low"] is not None:
                    found.setdefault(pair[key]["method"], []).append("marked steps")
        for pair in (*question["pairs"], *question["human_human"]["pairs"]):
            whole = whole or any(0 < each["frame"] == each["finished"] and pair["weighted"] for each in pair.get("strata", []))
            for part in parts(pair).values():
                for key, name in NAMES.items():
                    if key in part and part[key]["low"] is not None:
                        found.setdefault(part[key]["method"], []).append(name)
            if any(figure["low"] is not None for figure in pair.get("macro", {}).values()):
                found.setdefault(MACRO, []).append("macro mean")
    if not found:
        return ""
    sentence = "; ".join(f"{', '.join(dict.fromkeys(names))}: {method}" for method, names in found.items())
    correction = " A stratum labelled whole counts as a sample too (no finite-population correction)." if whole else ""
    return f"Intervals by: {sentence}.{correction}"


def indented(notes: Iterable[str], width: int, indent: int) -> list[str]:
    """Each note wrapped to `width` columns, `indent` of them blank; empty notes leave no line."""
    return [" " * indent + line for note in notes for line in wrapped(note, width - indent)]


def _unreadable(pair: Json) -> str:
    if pair["weighted"]:
        return "more than 2 % of the frame's verdicts are"
    return f"{100 * pair['excluded']['error'] / (pair['n'] + pair['excluded']['error']):.1f} % of the verdicts are"


def _groups(pair: Json) -> str:
    return f"The {pair['n']:,} items lie in {amount(pair['groups'], 'group', form=',')}"


def _robust(pair: Json) -> bool:
    figures = [part[key] for part in parts(pair).values() for key in NAMES if key in part]
    return any("groups" in figure["method"] for figure in figures)


def _strata(strata: Sequence[Json], width: int, indent: int) -> list[str]:
    """One row per stratum; a narrow terminal shows fewer counts."""
    counts: Sequence[str] = STRATUM_COUNTS
    while len(counts) > 1 and width - indent - COUNT * len(counts) < NARROWEST_NAME:
        counts = counts[1:]
    names = [shown(stratum["name"]) for stratum in strata]
    room = min(width - indent - COUNT * len(counts), max(7, *map(columns, names)))
    lines = [left("stratum", room) + "".join(right(head, COUNT) for head in counts)]
    for name, stratum in zip(names, strata, strict=True):
        lines.append(left(name, room) + "".join(right(f"{stratum[head]:,}", COUNT) for head in counts))
    return [" " * indent + line for line in lines]
