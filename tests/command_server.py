"""Runs commands of rejudge, each in a process of its own, forked from one that has loaded everything.

A command started from nothing spends most of its time on loading pandas. What is asked comes as JSON
lines on stdin: the arguments, the folder, where stdout and stderr go, and for an import the moment at
which the process shall kill itself. What is answered is the exit status, negative for a signal.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import data.importing as importing
import rejudge

LATE = (
    "altair",
    "annotate.leaks_text",
    "annotate.links",
    "annotate.sampling",
    "data.gold",
    "data.store.checks",
    "data.store.schema",
    "data.store.tallying",
    "data.verify",
    "judge.asking",
    "judge.certifying",
    "judge.revising",
    "judge.runs",
    "openai",
    "reports.document",
    "reports.of_study.plan",
    "reports.of_study.report",
    "reports.plan_text",
    "reports.terminal",
    "reports.written.html",
    "reports.written.latex",
    "reports.written.markdown",
    "reports.written.whole",
    "scipy.special",
    "scipy.stats",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "sklearn.model_selection",
    "vl_convert",
)
"""What commands load only when they need it, loaded here before the fork."""


def main() -> int:
    for name in LATE:
        importlib.import_module(name)
    gc.freeze()  # or every child copies what it never uses
    for request in sys.stdin.buffer:
        child = os.fork()
        if child == 0:
            status = command(json.loads(request))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)  # taking down all that was loaded takes longer than most commands
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    return 0


def command(request: dict[str, Any]) -> int:
    """In the child: becomes the command that was asked for."""
    os.chdir(request["cwd"])
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["stdout"], os.O_WRONLY | os.O_CREAT),
        (2, request["stderr"], os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(name, flags), number)
    if request.get("without_rights"):
        give_up_rights()
    if "moments" in request:
        Moments(**request["moments"]).watch()
    sys.argv = ["rejudge", *request["argv"]]
    return rejudge.main(request["argv"])


def give_up_rights() -> None:
    """Root is then asked for permissions like anybody else (Linux: an empty set of capabilities)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "capset")


class Moments:
    """Counts the moments of an import (every line read, every SQL statement), and kills its process at one of them."""

    def __init__(self, chunk: int, kill_in: str | None, kill_at: int, counted: str | None) -> None:
        importing.CHUNK_ENTRIES = chunk
        self.kill_in, self.kill_at, self.counted = kill_in, kill_at, counted
        self.now_in = "checking"
        self.seen = {"checking": 0, "writing": 0}

    def tick(self, *_: object) -> None:
        self.seen[self.now_in] += 1
        if self.now_in == self.kill_in and self.seen[self.now_in] == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Puts the counting around the two passes; what they do stays as it is."""
        check, write, arrivals = importing._check, importing._write, importing._arrivals

        def checking(store: Any, *rest: Any) -> Any:
            store.conn.set_trace_callback(self.tick)
            return check(store, *rest)

        def writing(*all: Any) -> Any:
            self.now_in = "writing"
            counts = write(*all)
            if self.counted:
                with open(self.counted, "w") as file:
                    json.dump(self.seen, file)
            return counts

        def counting(*all: Any) -> Any:
            for arrival in arrivals(*all):
                self.tick()
                yield arrival

        patched: dict[str, Callable[..., Any]] = {"_check": checking, "_write": writing, "_arrivals": counting}
        for name, function in patched.items():
            setattr(importing, name, function)


if __name__ == "__main__":
    sys.exit(main())
