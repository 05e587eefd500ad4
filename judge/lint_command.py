"""`rejudge judge lint`: what is wrong with prompts, before anybody pays for asking them."""

import argparse
from typing import TYPE_CHECKING

from data.command_line import AddAction, open_study, say, tell
from data.errors import RejudgeError
from data.store import Store
from data.terminal import on_one_line
from data.wording import amount

if TYPE_CHECKING:
    from judge.prompts import Prompt

HELP = "check prompts: placeholders, undeclared verdicts, passages copied from dev or test items; how many tokens they take"


def lint(args: argparse.Namespace) -> int:
    from judge.lint import findings, said
    from judge.prompts import first_prompt, prompt_files, prompt_meant
    from judge.tokens import tokens_of

    study = open_study(args)
    with Store.open(study.database) as store:
        prompts, bad_files = [prompt_meant(study, store, named) for named in args.prompts], list[RejudgeError]()
        for question in () if prompts else study.questions:
            good, unreadable = prompt_files(study, question)
            prompts += good or ([] if unreadable else [first_prompt(question)])
            bad_files += unreadable
        refused = 0
        for prompt in prompts:
            found = findings(study, store, prompt)
            bad = sum(finding.refused for finding in found)
            refused += bad
            tell(f"{on_one_line(_named(prompt, bool(args.prompts)))}: {amount(bad, 'finding') if bad else 'good'}")
            for finding in found:
                tell(f"  {'' if finding.refused else 'note: '}{on_one_line(said(finding))}")
            if not bad and (tokens := tokens_of(store, study, prompt)):
                tell(f"  {tokens.in_words()}")
    for error in bad_files:
        say(str(error))
    return 1 if refused or bad_files else 0


def _named(prompt: "Prompt", asked_for: bool) -> str:
    if prompt.path:
        return str(prompt.path)
    if asked_for:
        return f"{prompt.question} {prompt.hash[:8]}"
    return f"{prompt.question}, no prompt yet; the built-in first one, which `rejudge judge run` writes"


def add_lint(add_action: AddAction) -> None:
    sub = add_action("lint", HELP)
    sub.add_argument(
        "prompts", nargs="*", metavar="P", help="the path of a prompt, or the beginning of its hash (default: all files)"
    )
    sub.set_defaults(run_command=lint)
