"""`rejudge judge lint`: what is wrong with prompts, before anybody pays for asking them."""

import argparse

from data.command_line import AddAction, open_study, tell
from data.store import Store
from data.terminal import on_one_line
from data.wording import amount

HELP = "check prompts: placeholders, verdicts that the study does not declare, passages copied from dev or test items"


def lint(args: argparse.Namespace) -> int:
    from judge.lint import findings, said
    from judge.prompts import prompt_meant, prompts_in

    study = open_study(args)
    with Store.open(study.database) as store:
        prompts = [prompt_meant(study, store, named) for named in args.prompts]
        prompts = prompts or [prompt for question in study.questions for prompt in prompts_in(study, question)]
        if not prompts:
            tell("There is no prompt yet; `rejudge judge run` writes the first one.")
        refused = 0
        for prompt in prompts:
            found = findings(study, store, prompt)
            refused += sum(finding.refused for finding in found)
            bad = sum(finding.refused for finding in found)
            named = on_one_line(str(prompt.path or f"{prompt.question} {prompt.hash[:8]}"))
            tell(f"{named}: {amount(bad, 'finding') if bad else 'good'}")
            for finding in found:
                tell(f"  {'' if finding.refused else 'note: '}{on_one_line(said(finding))}")
    return 1 if refused else 0


def add_lint(add_action: AddAction) -> None:
    sub = add_action("lint", HELP)
    sub.add_argument(
        "prompts", nargs="*", metavar="P", help="the path of a prompt, or the beginning of its hash (default: all files)"
    )
    sub.set_defaults(run_command=lint)
