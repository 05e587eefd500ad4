"""`rejudge judge batch`: the same run by files, for the hosted Batch API or vLLM's `run-batch`."""

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from data.command_line import AddAction, actions_of, open_study, say, tell
from data.splits import SPLITS
from data.store import Store
from data.terminal import on_one_line
from data.wording import amount
from judge.replies import MODES
from judge.run_command import judge_options, judges_meant, scope_options

if TYPE_CHECKING:
    from judge.batch_files import Writing
    from judge.batch_results import Reading

LONGEST_MESSAGE = 200
"""Characters of what a server says about a failed request that are repeated."""
HELP = "the same run by files in OpenAI's batch format: write the requests, read the results"


def write(args: argparse.Namespace) -> None:
    from judge.batch_files import Wanted, decided_before, write_batch

    study, out = open_study(args), Path(args.out)
    wanted = Wanted(SPLITS if args.split == "all" else (args.split,), args.limit, args.repeats)
    with Store.open(study.database) as store:
        for judge in judges_meant(args, study, store):
            judge, mode = decided_before(store, judge, args.mode)
            _say_written(write_batch(store, judge, mode, wanted, out), out)


def _say_written(done: "Writing", out: Path) -> None:
    if done.there:
        tell(f"{done.question}: {amount(done.there, 'verdict', form=',')} are there already and not asked for again.")
    if not done.files:
        tell(f"{done.question}: nothing to write.")
    else:
        files = amount(len(done.files), "file", form=",")
        tell(f"{done.question}: {amount(done.requests, 'request', form=',')} in {files} in {out}, with {done.manifest.name}.")
    if done.too_long:
        say(
            f"Left out, because their request fits into no file: {amount(len(done.too_long), 'trajectory', 'trajectories')}, "
            "listed in the manifest. `total` below [judge.view] in study.toml cuts them."
        )
    if done.elsewhere:
        say(
            "Requests of this judge went to another folder before. What of them has no result yet stands in these files again: "
            "read those results first, or it is paid for twice."
        )


def read(args: argparse.Namespace) -> int:
    from judge.batch_results import read_batch

    study = open_study(args)
    with Store.open(study.database) as store:
        reading = read_batch(store, study, [Path(name) for name in args.files])
    for line in _summary(reading):
        tell(line)
    for line in _warnings(reading):
        say(line)
    return 1 if reading.failed or reading.not_ours else 0


def _summary(reading: "Reading") -> list[str]:
    named = ", ".join(dict.fromkeys(reading.runs)) or "no run"
    lines = [f"{named}: {amount(reading.came, 'verdict', form=',')}, of them {reading.readable:,} readable"]
    lines += [f"  {count:,} without an answer: {kind}" for kind, count in _often(reading.errors)]
    if reading.there:
        lines.append(f"  {reading.there:,} were there already, or stand twice in the files: the first one stays")
    if reading.cost is not None:
        lines.append(f"  cost {reading.cost:.4f} by [judge.price]")
    for question, left in reading.left.items():
        if left:
            lines.append(
                f"  {question}: {left:,} of what was asked have no verdict yet; `rejudge judge batch write` writes these again"
            )
    return lines


def _warnings(reading: "Reading") -> list[str]:
    failed = [
        f"Without a reply, so nothing is stored: {count:,} ({why}{_message_of(reading.failures.get(why), count)})"
        for why, count in _often(reading.failed)
    ]
    return failed + [f"Passed over: {amount(count, 'line', form=',')} ({why})" for why, count in _often(reading.not_ours)]


def _message_of(message: str | None, count: int) -> str:
    """What the server said, on one line."""
    if message is None:
        return ""
    line = on_one_line(message)
    return f"{', the first' if count > 1 else ''}: {line if len(line) <= LONGEST_MESSAGE else f'{line[:LONGEST_MESSAGE]}…'}"


def _often(kinds: Counter[str]) -> list[tuple[str, int]]:
    return sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))


def add_batch(add_action: AddAction) -> None:
    add = actions_of(add_action("batch", HELP))
    sub = add("write", "write a request for every verdict that is not there yet")
    sub.add_argument("--out", required=True, metavar="DIR", help="the folder for the files")
    judge_options(sub, "where `judge run` would ask the same model (default: as there)")
    scope_options(sub)
    sub.add_argument(
        "--mode",
        choices=MODES,
        help="how an answer is asked for (default: as a run found that endpoint to answer, else json_schema)",
    )
    sub.set_defaults(run_command=write)
    sub = add("read", "store what output and error files bring, in any order")
    sub.add_argument("files", nargs="+", metavar="FILE", help="a file of results")
    sub.set_defaults(run_command=read)
