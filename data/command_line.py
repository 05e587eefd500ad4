"""What every room's commands share: the parser that they add themselves to, the study that is meant, and where words go.

A command's result goes to stdout; progress, notes and warnings to stderr.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.study import Study, find_study_folder, load_study


def say(text: str) -> None:
    """A note for the person at the terminal, on stderr."""
    print(text, file=sys.stderr)


def open_study(args: argparse.Namespace) -> Study:
    """The study that --study names, else the one around the current folder."""
    named = getattr(args, "study", None)
    return load_study(Path(named)) if named else load_study(find_study_folder(Path()))


def print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))


class CommandLine:
    """The command line, to which each command adds itself."""

    def __init__(self) -> None:
        self.top = argparse.ArgumentParser(
            prog="rejudge", description="Blind human verification for LLM judges of agent trajectories."
        )
        self.top.add_argument("--study", metavar="DIR", help="the study folder (default: this folder, then its parents)")
        self.commands = self.top.add_subparsers(title="commands", metavar="COMMAND", required=True)
        self.where = argparse.ArgumentParser(add_help=False)
        # SUPPRESS: an option that is not given here must not undo the one that was given before the command.
        self.where.add_argument("--study", metavar="DIR", default=argparse.SUPPRESS, help="the study folder")

    def add(
        self, name: str, run: Callable[[argparse.Namespace], int | None], help: str, *, in_study: bool = True
    ) -> argparse.ArgumentParser:
        """A command; `run` returns its exit status, None for 0."""
        sub = self.commands.add_parser(name, help=help, description=help, parents=[self.where] if in_study else [])
        sub.set_defaults(run_command=run, parser=sub)
        return sub

    def actions(self, sub: argparse.ArgumentParser) -> Callable[..., argparse.ArgumentParser]:
        """Makes `sub` a command of several actions; what it returns adds one."""
        actions = sub.add_subparsers(dest="action", required=True, metavar="ACTION")

        def add(name: str, help: str) -> argparse.ArgumentParser:
            return actions.add_parser(name, help=help, description=help, parents=[self.where])

        return add
