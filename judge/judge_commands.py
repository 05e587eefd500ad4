"""`rejudge judge ...`: every action has a module of its own, and joins the command here."""

from data.command_line import CommandLine
from judge.baseline_command import add_baseline
from judge.batch_command import add_batch
from judge.certify_command import add_certify
from judge.compare_command import add_compare
from judge.lint_command import add_lint
from judge.list_command import add_list
from judge.revise_command import add_revise
from judge.run_command import add_run
from judge.spend_command import add_spend, spend
from judge.xray_command import add_xray

ACTIONS = (
    add_run,
    add_batch,
    add_baseline,
    add_lint,
    add_list,
    add_revise,
    add_compare,
    add_certify,
    add_xray,
    add_spend,
)
"""In the order in which `--help` lists them."""


def add_judge(line: CommandLine) -> None:
    add_action = line.actions(line.add("judge", spend, "the judge: ask it, find why it errs, revise it, certify it"))
    for add in ACTIONS:
        add(add_action)
