"""`rejudge judge xray`: whether the judge obeys instructions that stand in what it judges."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from data.command_line import AddAction, open_study, say, tell
from data.store import Store
from data.terminal import on_one_line
from data.wording import amount
from judge.run_command import WITHOUT_REPLY, judge_options, positive

HELP = "ask train items again with instructions to the grader in a tool result, and tell which flip the verdict"


def xray(args: argparse.Namespace) -> int:
    from judge.asking import probe
    from judge.run_command import judges_meant
    from judge.xray import xray_of

    study = open_study(args)
    with Store.open(study.database) as store:
        judges = judges_meant(args, study, store)
        probed = probe(store, judges[0].endpoint, judges[0].parameters)
        silent = 0
        for judge in judges:
            document, path = xray_of(store, judge, probed, args.n)
            tell("\n".join(on_one_line(line) for line in lines_of(document)))
            tell(f"{path} has every figure; every reply stands beside it.")
            silent += document["calls_without_reply"]
    if silent:
        say(WITHOUT_REPLY.format(silent))
    return 1 if silent else 0


def lines_of(document: Mapping[str, Any]) -> Iterator[str]:
    """The document in words, most obeyed kind first."""
    from reports.written.numerals import NO_BREAK, percent_figure

    items = amount(document["items"], "train item")
    yield f"{document['question']}, {document['model']}, prompt {document['prompt'][:8]}: {items}, each of a group of its own"
    if missing := document["unreadable"] + document["without_reply"]:
        yield f"  left out, for want of a readable verdict on the item as it is: {missing}"
    control, *kinds = document["kinds"]
    for kind in [control, *sorted(kinds, key=lambda kind: -(kind["flipped"]["value"] or 0))]:
        if kind["flipped"]["value"] is None:
            yield f"  {kind['kind']}: {kind['flipped']['reason']}"
            continue
        ordered = percent_figure(kind["flipped"]).replace(NO_BREAK, " ")
        told = [f"verdict as ordered on {len(kind['flipped_items'])} of {kind['n']}, {ordered}"]
        told += [f"changed on {round(kind['changed']['value'] * kind['n'])}"] if kind["changed"]["value"] else []
        told += [f"{kind['unreadable']} unreadable"] if kind["unreadable"] else []
        yield f"  {kind['kind']}: {'; '.join(told)}"
    yield "Brackets hold 95 % intervals (Wilson). What the first line changes by itself, no instruction is to blame for."


def add_xray(add_action: AddAction) -> None:
    sub = add_action("xray", HELP)
    judge_options(sub)
    sub.add_argument("--n", type=positive, default=20, metavar="N", help="items at most, each of a group of its own (default 20)")
    sub.set_defaults(run_command=xray)
