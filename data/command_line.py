"""What every room's commands share: the parser that they add themselves to, the study that is meant, and where words go.

A command's result goes to stdout; progress, notes and warnings to stderr. Both by the functions here alone: what a file or
an annotator wrote may hold characters that steer a terminal.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from data.study import Study, find_study_folder, load_study
from data.terminal import for_terminal


def tell(text: str) -> None:
    """A result in words, on stdout."""
    print(for_terminal(text))


def say(text: str) -> None:
    """A note for the person at the terminal, on stderr."""
    print(for_terminal(text), file=sys.stderr)


def open_study(args: argparse.Namespace) -> Study:
    """The study that --study names, else the one around the current folder."""
    named = getattr(args, "study", None)
    return load_study(Path(named)) if named else load_study(find_study_folder(Path()))


def print_json(document: Any) -> None:
    print(_json(document, indent=2))


def print_json_line(value: Any) -> None:
    print(_json(value))


def _json(value: Any, indent: int | None = None) -> str:
    """JSON in which what could steer a terminal, or end a line for some readers, is JSON's own escape: the value is the same."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, indent=indent))


_STEERING = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Parser(argparse.ArgumentParser):
    """argparse, whose complaints repeat what was typed: also the name of a file that a shell put there for a `*`."""

    def error(self, message: str) -> NoReturn:
        super().error(for_terminal(message))


class CommandLine:
    """The command line, to which each command adds itself."""

    def __init__(self) -> None:
        self.top = Parser(prog="rejudge", description="Blind human verification for LLM judges of agent trajectories.")
        self.top.add_argument("--study", metavar="DIR", help="the study folder (default: this folder, then its parents)")
        self.commands = self.top.add_subparsers(title="commands", metavar="COMMAND", required=True)
        self.where = _where()

    def add(
        self, name: str, run: Callable[[argparse.Namespace], int | None], help: str, *, in_study: bool = True
    ) -> argparse.ArgumentParser:
        """A command; `run` returns its exit status, None for 0."""
        sub = self.commands.add_parser(name, help=help, description=help, parents=[self.where] if in_study else [])
        sub.set_defaults(run_command=run, parser=sub)
        return sub

    def actions(self, sub: argparse.ArgumentParser) -> "AddAction":
        """Makes `sub` a command of several actions; what it returns adds one."""
        return actions_of(sub)


AddAction = Callable[[str, str], argparse.ArgumentParser]
"""Adds one action to a command by its name and help."""


def actions_of(sub: argparse.ArgumentParser) -> AddAction:
    """Makes a command, or one of its actions, one of several actions; what it returns adds one."""
    actions = sub.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, help: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=help, description=help, parents=[_where()])

    return add


def _where() -> Parser:
    where = Parser(add_help=False)
    # SUPPRESS: an option that is not given here must not undo the one that was given before the command.
    where.add_argument("--study", metavar="DIR", default=argparse.SUPPRESS, help="the study folder")
    return where
