"""What these figures do not show."""

from collections.abc import Mapping
from typing import Any

from reports.notes import parts
from reports.written import phrases
from reports.written.content import Points, Section, Words
from reports.written.numerals import joined
from reports.written.subjects import Subject

Json = Mapping[str, Any]

COVERAGE = (
    "Intervals are nominal 95 % intervals. By enumeration and simulation those of kappa from simple draws cover at least 92.5 % of "
    "the time at 30 items or more, where kappa is defined; shares near 0 or 1 by Wilson’s interval as little as 90 %; intervals "
    "for stratified and for grouped items at least about 91 %, from 50 items and 10 groups on. Nothing is claimed for fewer."
)


def limits(subjects: list[Subject]) -> Section:
    """The section: always how far intervals can be trusted, and whatever else holds of this study."""
    points: list[Words] = []
    for subject in subjects:
        about = f"{subject.question['id']}, {subject.name}: " if len(subjects) > 1 else ""
        points += [(about + told,) for told in _of(subject)]
    points.append((COVERAGE,))
    if len(subjects) > 1:
        points.append((f"{len(subjects)} judges and questions are shown; no figure is adjusted for how many were looked at.",))
    points.append(("Human labels are no truth: where annotators share a misunderstanding, a judge that shares it looks right.",))
    points.append(
        ("A person with access to the machine that holds the study can read its verdicts; blindness is held by the desk.",)
    )
    return Section("Limits", (Points(tuple(points)),))


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
