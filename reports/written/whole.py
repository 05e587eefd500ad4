"""The whole report from the documents of a study: its first page, its sections, and what a paper takes over."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.written.content import Block, Paragraph, Report, Section, Words, emphasis
from reports.written.first_page import judge_against_consensus
from reports.written.happening import by_slice, how_often
from reports.written.numerals import joined
from reports.written.paper import for_a_paper
from reports.written.sections.agreed import agreement
from reports.written.sections.compared import comparisons
from reports.written.sections.differed import disagreements
from reports.written.sections.drawn import drawn
from reports.written.sections.judged import judged
from reports.written.sections.labelled import labelled, view_parity
from reports.written.sections.limits import limits
from reports.written.sections.people import humans
from reports.written.sections.repeated import consistency
from reports.written.sections.reproduced import reproduced
from reports.written.sections.sliced import slices
from reports.written.sections.stepped import steps
from reports.written.sections.worded import baselines
from reports.written.subjects import Subject, shown_names, subjects_of
from reports.written.summary import summary

Json = Mapping[str, Any]

HOW_OFTEN = "How often does it happen?"


def report_from(documents: Json, names: bool = False) -> Report:
    """The report. `names`: annotators under their own names instead of pseudonyms."""
    subjects = subjects_of(documents)
    shown = shown_names(documents, names)
    sections = [_summary(documents, subjects)]
    for subject in subjects:
        sections += _first_page(subject, documents, shown, len(subjects) > 1)
    sections += [
        judged(documents),
        drawn(documents, subjects),
        labelled(documents, shown),
        *(agreement(subjects, shown) if subjects else []),
        *_there(
            humans(documents, subjects, shown),
            comparisons(documents),
            baselines(documents),
            consistency(documents),
            steps(documents, shown),
            slices(documents, subjects),
            by_slice(documents, subjects),
            disagreements(documents, subjects),
        ),
        view_parity(documents, subjects),
        limits(subjects),
        *for_a_paper(subjects, documents, shown),
        reproduced(documents),
    ]
    return Report(_title(documents, subjects), _subtitle(documents, subjects), tuple(sections))


def _there(*sections: Section | None) -> list[Section]:
    """Those that apply to this study."""
    return [section for section in sections if section is not None]


def _title(documents: Json, subjects: list[Subject]) -> str:
    runs = list(dict.fromkeys(subject.name for subject in subjects))
    if not runs:
        return f"Human verification: study “{documents['about']['study']}”"
    if len(runs) == 1:
        return f"Human verification of the judge “{runs[0]}”"
    return f"Human verification of {len(runs)} judges"


def _subtitle(documents: Json, subjects: list[Subject]) -> Words:
    about = documents["about"]
    ids = list(dict.fromkeys(subject.question["id"] for subject in subjects))
    parts: list[Any] = ["Study ", emphasis(about["study"])]
    if ids:
        parts += [f" · {'question' if len(ids) == 1 else 'questions'} ", emphasis(joined(ids))]
    parts.append(f" · {amount(about['trajectories'], 'trajectory', 'trajectories', ',')}")
    done = max((subject.labelled for subject in subjects), default=0)
    blind = subjects and not any(subject.imported for subject in subjects if subject.consensus)
    parts.append(f", {done:,} labelled{' blind' if blind and done else ''}")
    for gold in about["gold"][-1:]:
        parts.append(f" · gold set {gold['name']} (sha256 {gold['hash'][:8]}…)")
    return tuple(parts)


def _summary(documents: Json, subjects: list[Subject]) -> Section:
    if not subjects:
        return Section("", (Paragraph((_nothing(documents["about"]),), "summary"),))
    several = len(subjects) > 1
    boxes: list[Block] = []
    for subject in subjects:
        named: Words = (emphasis(f"{subject.question['id']}, {subject.name}: "),) if several else ()
        boxes.append(Paragraph((*named, summary(subject, documents)), "summary"))
    return Section("", tuple(boxes))


def _nothing(about: Json) -> str:
    """What there is in a study of which nothing can be said yet, and why not."""
    there = amount(about["trajectories"], "trajectory", "trajectories", ",")
    if not about["questions"]:
        return f"This study holds {there} and asks no question yet, so there is nothing to verify: declare one in study.toml."
    labels = sum(each["labels"] for person in about["people"] for each in person["labels"])
    given = amount(labels, "human label", form=",")
    why = "so there is no judge to verify: bring verdicts with `rejudge import`"
    return f"This study holds {there}, {given} and no verdict of a judge, {why}."


def _first_page(subject: Subject, documents: Json, names: Mapping[str, str], several: bool) -> list[Section]:
    """The drawings and the rates; of one subject each under a heading of its own."""
    drawn = judge_against_consensus(subject, documents, names)
    rates = how_often(subject, documents)
    if several:
        blocks = (*drawn, *rates)
        return [Section(f"{subject.question['id']}: {subject.name} against the humans", blocks)] if blocks else []
    if not drawn or not rates:
        return [
            Section(title, tuple(blocks)) for title, blocks in (("Judge against the humans", drawn), (HOW_OFTEN, rates)) if blocks
        ]
    *figures, small_print = drawn
    title = "Judge against consensus" if subject.people > 1 else "Judge against human"
    return [Section(title, tuple(figures)), Section(HOW_OFTEN, (*rates, small_print))]
