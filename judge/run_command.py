"""`rejudge judge run`: asks a model about the trajectories, and goes on where it was broken off."""

import argparse
from typing import TYPE_CHECKING, Any

from data.command_line import AddAction, open_study, say, tell
from data.errors import RejudgeError
from data.splits import SPLITS
from data.store import Store
from data.study import Study
from data.terminal import on_one_line

if TYPE_CHECKING:
    from judge.asking import RunSummary
    from judge.identity import Judge

HELP = "ask a model about every trajectory; verdicts that are there are not paid for again"
CONCURRENCY = 16
WITHOUT_REPLY = "Calls that ended without a reply: {}.\nNothing is stored for them.\nRun the same command again."


def run(args: argparse.Namespace) -> int:
    from judge.asking import ask, probe

    study = open_study(args)
    with Store.open(study.database) as store:
        judges = judges_meant(args, study, store)
        probed = probe(store, judges[0].endpoint, judges[0].parameters)
        summaries: list[RunSummary] = []
        for judge in judges:
            numbers = numbers_meant(store, judge, args.split, args.limit)
            for repeat in range(args.repeats):
                with Bar(judge, len(numbers)) as bar:
                    summary = ask(store, judge, numbers, repeat, args.concurrency, bar, probed)
                tell(summary.text())
                for warning in summary.warnings():
                    say(warning)
                summaries.append(summary)
                if summary.stopped:
                    say("Stopped. What came is stored; the same command goes on from here.")
                    return 130
    silent = sum(summary.without_reply for summary in summaries)
    if silent:
        say(WITHOUT_REPLY.format(silent))
    return 1 if silent else 0


def judges_meant(args: argparse.Namespace, study: Study, store: Store) -> "list[Judge]":
    """One judge for each question, or for the one that --prompt is about.

    Questions, codebook pages and missing first prompts are recorded on the way, and notes on new prompts and on conditions that
    the judge does not wait for are said. Raises RejudgeError where there is nothing to ask, and for a new prompt that lint refuses.
    """
    from data.store.versions import record_versions
    from judge.endpoint import Parameters, endpoint_meant
    from judge.identity import Judge
    from judge.lint import check_new
    from judge.prompts import newest_prompt, prompt_meant

    if not study.questions:
        raise RejudgeError("There is no question to ask.", f"Found none in {study.toml}.", "Declare one as a [[question]] block.")
    endpoint = endpoint_meant(study, args.base_url, args.model)
    asked, _ = record_versions(store, study)
    if args.prompt is not None:
        prompt = prompt_meant(study, store, args.prompt)
        if all(each.question.id != prompt.question for each in asked):
            raise RejudgeError(
                f"{prompt.path or args.prompt} is about a question that this study does not have.",
                f"Found {prompt.question!r}; the questions are {', '.join(each.question.id for each in asked)}.",
                "Mend the line `question:` of the prompt, or name another prompt.",
            )
        pairs = [(each, prompt) for each in asked if each.question.id == prompt.question]
    else:
        pairs = [(each, newest_prompt(study, each.question)) for each in asked]
    for note in check_new(study, store, [prompt for _, prompt in pairs]):
        say(on_one_line(note))
    for each, _ in pairs:
        if (when := each.question.when) is not None:
            say(
                on_one_line(
                    f"{each.question.id} is asked whether or not {when.question} is “{when.choice}”: `when` is for annotators."
                )
            )
    parameters = Parameters(max_tokens=args.max_tokens)
    return [Judge.of(store, study, each, prompt, endpoint, parameters) for each, prompt in pairs]


def numbers_meant(store: Store, judge: "Judge", split: str, limit: int | None) -> list[int]:
    """The trajectories of a split in their order. Raises RejudgeError where there is none."""
    from data.store.judging import to_judge

    numbers = to_judge(store, None, judge.asked.code, SPLITS if split == "all" else (split,), limit)
    if not numbers:
        where = "" if split == "all" else f" in the split {split}"
        raise RejudgeError(f"There is no trajectory{where}.", "Found nothing to judge.", "Import some, or choose another split.")
    return numbers


class Bar:
    """The progress of one run on stderr, where that is a terminal."""

    def __init__(self, judge: "Judge", total: int) -> None:
        self.judge, self.total, self.seen = judge, total, 0

    def __enter__(self) -> "Bar":
        from tqdm import tqdm

        self.bar: Any = tqdm(total=self.total, desc=self.judge.asked.question.id, unit="item", disable=None, dynamic_ncols=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def came(self, summary: "RunSummary") -> None:
        if not self.seen:
            # What is there already says nothing about how fast the rest comes.
            self.bar.total = self.bar.total - summary.there
        cost = "" if summary.cost is None else f", cost {summary.cost:.2f}"
        errors = f", {summary.errors.total()} unreadable" if summary.errors else ""
        self.bar.set_postfix_str(f"{summary.tokens_in + summary.tokens_out:,} tokens{cost}{errors}", refresh=False)
        self.bar.update(summary.came - self.seen)
        self.seen = summary.came

    def warn(self, text: str) -> None:
        self.bar.clear()
        say(text)


def add_run(add_action: AddAction) -> None:
    sub = add_action("run", HELP)
    judge_options(sub)
    sub.add_argument(
        "--concurrency", type=positive, default=CONCURRENCY, metavar="N", help=f"calls at once (default {CONCURRENCY})"
    )
    scope_options(sub)
    sub.set_defaults(run_command=run)


def judge_options(
    sub: argparse.ArgumentParser, base_url: str = "an OpenAI-compatible endpoint (default: OPENAI_BASE_URL, else OpenAI's)"
) -> None:
    """What `judges_meant` goes by; `base_url`: what that option is for."""
    sub.add_argument("--prompt", metavar="P", help="its path, or the beginning of its hash (default: each question's newest)")
    sub.add_argument("--model", metavar="M", help="default: `model` below [judge] in study.toml")
    sub.add_argument("--base-url", metavar="U", help=base_url)
    sub.add_argument("--max-tokens", type=positive, metavar="X", help="the longest reply, in tokens (default: the server's)")


def scope_options(sub: argparse.ArgumentParser) -> None:
    """What of the study a judge is asked about, and how often."""
    sub.add_argument("--repeats", type=positive, default=1, metavar="R", help="ask R times; figures use the first (default 1)")
    sub.add_argument("--split", choices=[*SPLITS, "all"], default="all", help="default all")
    sub.add_argument("--limit", type=positive, metavar="N", help="only the first N trajectories")


def positive(text: str) -> int:
    """A number of an option. Raises what argparse turns into a complaint."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, found {text}")
    return number
