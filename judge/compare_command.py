"""`rejudge judge compare A B`: which of two judges agrees better with the humans on dev, on the same items."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from data.command_line import AddAction, open_study, print_json, tell
from data.errors import RejudgeError
from data.questions import SIDES_OF_THRESHOLD
from data.store import Store
from data.terminal import on_one_line
from data.wording import amount

Json = Mapping[str, Any]

HELP = "which of two judges agrees better with the humans, on the dev items that both judged"
LABEL_SIDES = ("no", "yes")


def compare(args: argparse.Namespace) -> None:
    from judge.runs import judge_meant
    from reports.of_study.comparisons import comparison_on_dev

    study = open_study(args)
    with Store.open(study.database) as store:
        first, second = (judge_meant(study, store, named) for named in (args.first, args.second))
        if first == second:
            raise RejudgeError(
                "There is nothing to compare.",
                f"Both names mean the run {first.name}.",
                "Name two runs; `rejudge status` lists them.",
            )
        document = comparison_on_dev(study, store, first.name, second.name)
    if not document["questions"]:
        raise RejudgeError(
            f"{first.name} and {second.name} have no dev item in common that people labelled.",
            "Found none with a label and both verdicts.",
            "Label dev items (`rejudge draw --split dev`), and run both judges on them.",
        )
    if args.json:
        print_json(document)
    else:
        tell(
            "\n".join(
                on_one_line(line)
                for question in document["questions"]
                for line in compared_lines(question, first.name, second.name)
            )
        )


def compared_lines(question: Json, first: str, second: str) -> list[str]:
    """One question in words: what is better, who is right where, both matrices, and what a certificate could show."""
    lines = [f"{question['id']}: {first} and {second} on dev"]
    left_out = ", ".join(f"{count:,} {why}" for why, count in question["pair"]["excluded"].items() if count)
    for table in question["pair"]["tables"]:
        lines += [f"  {table['title']}:"] if table["title"] else []
        lines.append(f"  {table['said']}")
        if "counts" in table:
            lines += _right_where(table, _sides(question, table), first, second)
            lines += _matrices(table, _sides(question, table), first, second)
    if left_out:
        lines.append(f"  Left out, or unreadable: {left_out}.")
    return [*lines, *_ahead(question)]


def _sides(question: Json, table: Json) -> Sequence[str]:
    """The choices of a table."""
    if not table["title"]:
        sides: Sequence[str] = question["choices"]
        return sides
    return SIDES_OF_THRESHOLD if question["type"] == "score" else LABEL_SIDES


def _right_where(table: Json, choices: Sequence[str], first: str, second: str) -> list[str]:
    from reports.comparison_document import quoted

    found = quoted(table)
    if found["identical"]:
        return []
    lines = [
        f"  Where humans say {choice}: only {first} agrees on {amount(one, 'item', form=',')}, only {second} on {other:,}."
        for choice, one, other in zip(choices, found["only_first_right"], found["only_second_right"], strict=True)
    ]
    midp = found["mcnemar"]["midp"]
    told = f"undefined: {midp['reason']}" if midp["value"] is None else f"mid-p {midp['value']:.3f}"
    return [*lines, f"  McNemar: {told}. {table['mcnemar_says']}"]


def _matrices(table: Json, choices: Sequence[str], first: str, second: str) -> list[str]:
    """Humans by judge, before and after; unreadable verdicts are left out of the drawing."""
    from reports.matrix import matrix_lines
    from reports.terminal import WIDEST

    size, lines = len(choices), []
    for name, across in ((first, 0), (second, 1)):
        counts = [[0] * size for _ in range(size)]
        for human, rows in enumerate(table["counts"]):
            for one, row in enumerate(rows):
                for other, count in enumerate(row):
                    said = (one, other)[across]
                    if said < size:
                        counts[human][said] += count
        drawn = matrix_lines(list(choices), counts, WIDEST - 4)
        lines += ["", f"  {name}", *(f"    {line}" for line in drawn or ["too many choices to draw; see --json"])]
    return lines


def _ahead(question: Json) -> list[str]:
    """What a look at test would be worth, from its labels alone; nothing for what cannot be certified."""
    from judge.certificate import power_in_words
    from judge.certify import LEAST_IN_A_CLASS, LEAST_ITEMS, WEIGHTS, power_of_items

    if question["type"] not in WEIGHTS:
        return ["", f"  Answers that are {question['type']} are compared, not certified."]
    counts = question["test"]
    if sum(counts) < LEAST_ITEMS or min(counts) < LEAST_IN_A_CLASS:
        said = ", ".join(f"{count:,} {choice}" for choice, count in zip(question["choices"], counts, strict=True))
        takes = f"at least {LEAST_ITEMS} with {LEAST_IN_A_CLASS} of each choice"
        return ["", f"  To certify on test takes {takes}; {amount(sum(counts), 'item')} of test are labelled ({said})."]
    return ["", f"  To certify on test: {power_in_words(power_of_items(counts, 1, WEIGHTS[question['type']]), sum(counts))}"]


def add_compare(add_action: AddAction) -> None:
    sub = add_action("compare", HELP)
    sub.add_argument("first", metavar="A", help="a run, or a prompt with one run: its path, or the beginning of its hash")
    sub.add_argument("second", metavar="B", help="the other one; a positive difference means that it is better")
    sub.add_argument("--json", action="store_true", help="the same as one JSON document")
    sub.set_defaults(run_command=compare)
