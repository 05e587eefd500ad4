"""Who labelled, and under what blindness; and whether the judge and the humans saw the same."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.written.content import Block, Column, Points, Row, Section, Table, Words, text
from reports.written.numerals import joined
from reports.written.subjects import Subject

Json = Mapping[str, Any]

ROLES = {"lead": "lead", "annotator": "annotator", "imported": "came with a file"}


def labelled(documents: Json, names: Mapping[str, str]) -> Section:
    """The section."""
    about = documents["about"]
    people = about["people"]
    if not people:
        return Section("Who labelled, and what they saw", (text("Nobody has labelled yet."),))
    blocks: list[Block] = [_people(people, names)]
    blind = any(each["source"] == "batch" for person in people for each in person["labels"])
    if blind:
        blocks.append(
            text(
                "Labels of batches were given blind: until a batch is closed, no annotator is shown a verdict, its rationale, "
                "another annotator’s label, why an item was drawn, or which model produced it."
            )
        )
        blocks += [note_ for note_ in (_leads(question) for question in documents["agreement"]["questions"]) if note_]
    if any(each["source"] == "imported" for person in people for each in person["labels"]):
        blocks.append(text("What the people behind imported labels could see, verdicts included, is not known."))
    if about["decided"]:
        blocks.append(Points(tuple(_decided(question, causes) for question, causes in about["decided"].items())))
    return Section("Who labelled, and under what blindness", tuple(blocks))


def _people(people: list[Json], names: Mapping[str, str]) -> Table:
    rows = []
    for person in people:
        for place, each in enumerate(person["labels"]):
            who = names[person["handle"]] if place == 0 else ""
            role = ROLES[person["role"]] if place == 0 else ""
            how = "blind, in batches" if each["source"] == "batch" else "imported"
            rows.append(Row(((who,), (role,), (each["question"],), (how,), (f"{each['labels']:,}",), (f"{each['unsure']:,}",))))
    columns = (
        Column("annotator", width=2), Column("role", width=2), Column("question", width=2), Column("labels are", width=2),
        Column("labels", True), Column("of these unsure", True),
    )  # fmt: skip
    shown = "" if all(handle == name for handle, name in names.items()) else " Names are replaced by pseudonyms."
    return Table(columns, tuple(rows), f"Who labelled.{shown}")


def _leads(question: Json) -> Block | None:
    if "leads" not in question:
        return None
    leads = question["leads"]
    return text(
        f"On “{question['id']}” {amount(leads['labels'], 'label', form=',')} of batches came from people with a lead’s role, "
        f"who may see verdicts; {leads['before_any_verdict']:,} of them were given before their author had opened any verdict. "
        "The desk never gives anybody an item whose verdict she was shown."
    )


def _decided(question: str, causes: Json) -> Words:
    told = joined([f"{count:,} {cause}" for cause, count in causes.items()])
    return (
        f"A lead decided {amount(sum(causes.values()), 'item', form=',')} of “{question}” on which annotators disagreed ({told}).",
    )


def view_parity(documents: Json, subjects: list[Subject]) -> Section:
    """What the judge saw beside what the humans saw."""
    about = documents["about"]
    blocks: list[Block] = [_views(about)] if about["views"] else []
    if not about["views"]:
        blocks.append(text("What humans saw is not recorded: no label of this study was given at its desk."))
    for run in {subject.name: subject.run for subject in subjects}.values():
        blocks.append(text(f"{run['name']}: ", _judge_view(run)))
    return Section("What the judge saw, and what the humans saw", tuple(blocks))


def _views(about: Json) -> Points:
    return Points(
        tuple(
            (
                f"Under {amount(view['labels'], 'label', form=',')} annotators saw task and steps, "
                f"{'with' if view['rules']['reasoning'] == 'shown' else 'without'} the agent’s reasoning; "
                f"{_fields(view['rules']['show'])}; {_redacted(view['rules']['redact'])}. All else was hidden.",
            )
            for view in about["views"]
        )
    )


def _fields(fields: list[str]) -> str:
    return f"of the metadata {joined([f'“{field}”' for field in fields])}" if fields else "no metadata"


def _redacted(patterns: list[str]) -> str:
    if not patterns:
        return "nothing was blanked"
    return f"text that matches {joined([f'“{pattern}”' for pattern in patterns], 'or')} was blanked"


def _judge_view(run: Json) -> str:
    if run["parity"] is None:
        how = "the verdicts were imported" if run["kind"] == "imported" else "it is not recorded"
        return f"unknown: {how}. If the judge saw more than the annotators, or less, that is part of their disagreement."
    if not run["parity"]:
        return "recorded, and there is no blind label to compare it with."
    differing = [view for view in run["parity"] if view["differs"]]
    if not differing:
        return "the judge saw what the annotators saw."
    told = "; ".join(dict.fromkeys(clause for view in differing for clause in view["differs"]))
    labels, of = (sum(view["labels"] for view in views) for views in (differing, run["parity"]))
    beside = f" (beside {labels:,} of {amount(of, 'label', form=',')})" if labels < of else ""
    return f"the judge did not see what the annotators saw{beside}: {told}. Part of their disagreement may come from that."
