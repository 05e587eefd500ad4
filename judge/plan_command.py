"""`rejudge plan`: how many items to label."""

import argparse
from typing import TYPE_CHECKING

from data.command_line import CommandLine, open_study, print_json, say, tell
from data.errors import RejudgeError
from data.store import Store

if TYPE_CHECKING:
    from reports.plan_document import Wish


def plan(args: argparse.Namespace) -> None:
    from data.store.status import incomplete_batches
    from judge.runs import run_meant
    from reports.of_study.plan import plan_of
    from reports.plan_text import plan_text

    study, wish = open_study(args), _wish(args)
    if args.question is not None and args.question not in [question.id for question in study.questions]:
        raise RejudgeError(
            f"There is no question {args.question!r}.",
            f"Questions of this study: {', '.join(question.id for question in study.questions) or 'none'}.",
            "Name one of them, or leave out --question.",
        )
    with Store.open(study.database) as store:
        document = plan_of(study, store, run_meant(store, args.run), args.labels, wish)
        incomplete = incomplete_batches(store)
    if args.question is not None:
        document["questions"] = [question for question in document["questions"] if question["id"] == args.question]
    if incomplete:
        named = ", ".join(name for name, _ in incomplete)
        say(f"Not finished: {named}. A plan tells roughly how often the judge and the others chose what: not for who still labels.")
    if args.json:
        print_json(document)
    else:
        tell(plan_text(document))


def _wish(args: argparse.Namespace) -> "Wish":
    from reports.plan_document import Wish

    for option, value, low, high in (
        ("--half-width", args.half_width, 0.0, 1.0),
        ("--prevalence", args.prevalence, 0.0, 1.0),
        ("--kappa", args.kappa, -1.0, 1.0),
        ("--kappa0", args.kappa0, -1.0, 1.0),
        ("--kappa1", args.kappa1, -1.0, 1.0),
        ("--power", args.power, 0.5, 1.0),
    ):
        if value is not None and not low < value < high:
            raise RejudgeError(f"{option} is out of range.", f"Found {value:g}.", f"Give a number between {low:g} and {high:g}.")
    if args.kappa1 is not None and args.kappa0 is None:
        raise RejudgeError(
            "--kappa1 needs --kappa0.", "Found --kappa1 alone.", "Say with --kappa0 what kappa is to be shown above."
        )
    if args.kappa1 is not None and args.kappa1 <= args.kappa0:
        raise RejudgeError(
            "No number of items shows a kappa to be above what it is not.",
            f"Found --kappa1 {args.kappa1:g} and --kappa0 {args.kappa0:g}.",
            "Give a --kappa1 above --kappa0.",
        )
    return Wish(args.half_width, args.kappa0, args.kappa1, args.power, args.prevalence, args.kappa)


def add_plan(line: CommandLine) -> None:
    sub = line.add("plan", plan, "how many items to label, and whether it is enough")
    sub.add_argument("--question", metavar="Q", help="one question (default: all)")
    sub.add_argument("--run", metavar="R", help="one judge run (default: all)")
    sub.add_argument("--labels", choices=["batch", "imported", "all"], help="what was seen so far: as in `agree`")
    sub.add_argument("--half-width", type=float, default=0.10, metavar="W", help="kappa is to be known to ± W (default 0.10)")
    sub.add_argument("--kappa0", type=float, metavar="K", help="also: how many items show that kappa is above K")
    sub.add_argument("--kappa1", type=float, metavar="K", help="what kappa truly is then (default: as seen so far)")
    sub.add_argument("--power", type=float, default=0.80, metavar="P", help="with which chance they show it (default 0.80)")
    sub.add_argument("--prevalence", type=float, metavar="P", help="instead of what was seen: the share of the positive choice")
    sub.add_argument("--kappa", type=float, metavar="K", help="instead of what was seen: the kappa to plan with")
    sub.add_argument("--json", action="store_true")
