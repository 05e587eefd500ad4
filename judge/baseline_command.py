"""`rejudge judge baseline`: the judge that needs no LLM."""

import argparse

from data.command_line import AddAction, open_study, tell
from data.errors import RejudgeError
from data.questions import Question
from data.store import Store
from data.study import Study
from data.wording import amount

HELP = "a judge without an LLM, taught by the labels of train and dev: what a real one must be better than"


def baseline(args: argparse.Namespace) -> None:
    from judge.baseline import run_baseline

    study = open_study(args)
    question = _question_meant(study, args.question)
    with Store.open(study.database) as store:
        done = run_baseline(store, study, question)
    known = done.known
    wrote = amount(done.written, "verdict", form=",") + (" written." if done.new else " added to those that were there.")
    tell(f"{done.run.name}: {wrote if done.written else 'nothing to do, these labels have taught it before.'}")
    tell(
        f"Taught by the consensus on {amount(len(known.items), 'labelled item', form=',')} of train and dev, in "
        f"{amount(int(known.group.max()) + 1, 'group', form=',')} ({known.source} labels). On these items the verdict comes from a "
        f"model of the other groups ({done.folds} folds)."
    )
    tell("`rejudge agree` tells whether a judge is clearly better than it.")


def _question_meant(study: Study, named: str | None) -> Question:
    if named is None and len(study.questions) == 1:
        return study.questions[0]
    question = None if named is None else study.question(named)
    if question is not None:
        return question
    raise RejudgeError(
        "No question is named." if named is None else f"There is no question {named!r}.",
        f"Declared: {', '.join(each.id for each in study.questions) or 'none'}.",
        "Name one with --question.",
    )


def add_baseline(add_action: AddAction) -> None:
    sub = add_action("baseline", HELP)
    sub.add_argument("--question", metavar="ID", help="the question (default: the only one)")
    sub.set_defaults(run_command=baseline)
