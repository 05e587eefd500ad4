"""rejudge: blind human verification for LLM judges. The front door: every command, and the public names.

Each room has its commands in a `commands.py`: parse, call one function, print. Results go to stdout; progress, notes and warnings
to stderr. Exit status: 0 done, 1 refused, 2 wrong usage.
"""

import argparse
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

_HERE = Path(__file__).resolve().parent
# In the wheel the rooms lie in one folder of their own, so that nothing called `data` or `reports` is
# loose in anybody's site-packages; in the repository they stand beside this file.
ROOMS = _HERE / "rejudge_rooms" if (_HERE / "rejudge_rooms").is_dir() else _HERE
if sys.path[:1] != [str(ROOMS)]:
    sys.path.insert(0, str(ROOMS))
for _room in ("annotate", "judge", "reports", "data"):
    _loaded = getattr(sys.modules.get(_room), "__file__", None)
    if _loaded is not None and not Path(_loaded).resolve().is_relative_to(ROOMS):
        raise ImportError(
            f"Another package called `{_room}` is already loaded, so rejudge cannot load its own.\n"
            f"Found {_loaded}.\n"
            "Import rejudge first, or run it in an environment of its own (pipx, uv tool)."
        )

import reports  # noqa: E402, F401  its modules come when a notebook asks, whatever else is called `reports` by then
from annotate import commands as desk  # noqa: E402  the rooms can be imported only now
from data import commands as study  # noqa: E402
from data.command_line import CommandLine, say  # noqa: E402
from data.errors import RejudgeError  # noqa: E402
from data.store import Store  # noqa: E402
from data.study import Study, load_study  # noqa: E402
from judge import commands as figures  # noqa: E402
from judge.judge_commands import add_judge  # noqa: E402
from judge.plan_command import add_plan  # noqa: E402
from judge.report_command import add_report  # noqa: E402

if TYPE_CHECKING:
    from reports.notebook import agreement, reliability

__all__ = ["RejudgeError", "Store", "Study", "agreement", "load_study", "main", "reliability"]

COMMANDS = (
    desk.add_demo,
    study.add_init,
    study.add_import,
    desk.add_draw,
    figures.add_batch,
    desk.add_annotators,
    desk.add_annotate,
    figures.add_agree,
    add_plan,
    study.add_labels,
    add_judge,
    figures.add_gold,
    add_report,
    figures.add_status,
    desk.add_leaks,
    study.add_verify,
    study.add_backup,
)
"""Every command, in the order in which `--help` lists them."""


def __getattr__(name: str) -> Any:
    """What notebooks use, imported when they do: no command waits for the statistics."""
    if name in ("agreement", "reliability"):
        from reports import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'rejudge' has no attribute {name!r}")


def parser() -> argparse.ArgumentParser:
    """Every command and option."""
    line = CommandLine()
    for add in COMMANDS:
        add(line)
    return line.top


def main(argv: list[str] | None = None) -> int:
    """Runs one command; its exit status."""
    args = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets its escape instead of an error.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = args.run_command(args) or 0
        sys.stdout.flush()
        return status
    except RejudgeError as error:
        say(str(error))
        return 1
    except BrokenPipeError:
        # The reader of our output left (`rejudge labels | head`): nothing is wrong, and nothing more is to be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        named = f" ({error.filename})" if error.filename else ""
        say(f"Something could not be read or written{named}.\nFound: {error.strerror or error}.\nCheck room and permissions.")
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
