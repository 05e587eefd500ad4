"""What these figures do not show."""

from collections.abc import Mapping
from typing import Any

from reports.notes import parts
from reports.written import phrases
from reports.written.content import Points, Section, Words
from reports.written.first_page import methods_of
from reports.written.numerals import joined
from reports.written.subjects import Subject

Json = Mapping[str, Any]

COVERED = {
    (False, False): "of items drawn alike, kappa in at least 92.5 % of samples of 30 items or more (two to five choices), "
    "shares near 0 or 1 in 89 %",
    (True, False): "of items drawn by verdict and weighted, kappa in 91 % and shares in 88 %",
    (False, True): "of items that share groups, kappa in 93 % where what a group has in common is little (correlation 0.2) "
    "and in 91 % where it is much (0.5), shares in 87 %",
    (True, True): "of items drawn by verdict that share groups, kappa and shares in 92 % where what a group has in common "
    "is little (correlation 0.2) and in 88 % where it is much (0.5)",
}
"""Weighted, grouped: what intervals of such a pair were measured to cover at worst (`reports/design.py`, `shares.py`)."""


def limits(subjects: list[Subject]) -> Section:
    """The section: always how far intervals can be trusted, and whatever else holds of this study."""
    points: list[Words] = []
    for subject in subjects:
        about = f"{subject.question['id']}, {subject.name}: " if len(subjects) > 1 else ""
        points += [(about + told,) for told in _of(subject)]
    points += [(told,) for told in _coverage(subjects)]
    if len(subjects) > 1:
        points.append((f"{len(subjects)} judges and questions are shown; no figure is adjusted for how many were looked at.",))
    points.append(("Human labels are no truth: where annotators share a misunderstanding, a judge that shares it looks right.",))
    points.append(
        ("A person with access to the machine that holds the study can read its verdicts; blindness is held by the desk.",)
    )
    return Section("Limits", (Points(tuple(points)),))


def _coverage(subjects: list[Subject]) -> list[str]:
    """How often the intervals hold the truth, as far as that was measured for designs like these."""
    methods = [method for subject in subjects if subject.consensus for method in methods_of(subject.consensus)]
    designs = {("post-stratified" in method, "groups" in method) for method in methods}
    if not designs:
        return []
    worst = "; ".join(COVERED[design] for design in sorted(designs))
    return [
        f"Intervals are nominal 95 % intervals. At worst of the designs that were simulated they hold the truth less often: "
        f"{worst}. Those of other figures are indicative."
    ]


def _of(subject: Subject) -> list[str]:
    pair = subject.consensus
    if pair is None:
        return ["no labelled item has a verdict."]
    told = []
    if why := phrases.preliminary(pair["marks"]):
        told.append(f"The figures are preliminary: {why}.")
    if subject.imported:
        told.append(
            "Labels as imported: whether their items stand for anything beyond themselves, and whether they were given blind, "
            "is not known."
        )
    if pair["excluded"]["error"] and not subject.strict:
        told.append(
            f"{phrases.items(pair['excluded']['error'])} with an unreadable verdict are left out of the figures "
            "that are not called strict."
        )
    if subject.people == 1:
        told.append("One annotator labelled: how far another human would agree with her is not known.")
    elif not subject.humans["pairs"]:
        told.append("No item was labelled by two annotators: agreement among humans is not known.")
    if "codebooks" in pair:
        told.append("Labels of more than one codebook version stand in one figure.")
    undefined = [part for part, figures in parts(pair).items() if figures.get("kappa", {"value": 0})["value"] is None]
    if undefined and pair["n"]:
        named = joined([f"“{part}”" for part in undefined if part])
        told.append(
            f"Kappa is undefined{f' for {named}' if named else ''}; observed agreement alone does not show agreement beyond chance."
        )
    return told
