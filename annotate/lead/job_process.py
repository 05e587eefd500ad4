"""A job of the judge page, in a process of its own: runs one command and writes down how it ended.

It is started as a file, imports nothing of rejudge's, and outlives the server. The lock that it is handed stays held until
command and process are both gone: by that, and not by a number that another process may have by now, it is told as running.
"""

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import tty
from pathlib import Path

COLUMNS = 110
"""Of the terminal that the command sees: so wide is its progress bar."""


def main(beside: str, lock: int, command: list[str]) -> None:
    """Runs `command`; `beside`: the path of the job's files without their ending."""
    # A handler, and not SIG_IGN: the command starts with Ctrl-C as it is by nature, and is the one that it is meant for.
    signal.signal(signal.SIGINT, lambda *_: None)
    _write(Path(f"{beside}.pid"), os.getpid())
    # Commands show how far they are where somebody looks on, at a terminal: here the lead does, by way of the file.
    screen, terminal = os.openpty()
    tty.setraw(terminal)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    running = subprocess.Popen(command, stderr=terminal, pass_fds=[lock])
    os.close(terminal)
    with Path(f"{beside}.err").open("ab", buffering=0) as err:
        while said := _read(screen):
            err.write(said)
    _write(Path(f"{beside}.exit"), running.wait())


def _read(screen: int) -> bytes:
    """What was written to the terminal; empty once nobody has it open."""
    try:
        return os.read(screen, 65_536)
    except OSError:
        return b""


def _write(path: Path, number: int) -> None:
    new = path.with_suffix(f"{path.suffix}-new")
    new.write_text(str(number), encoding="utf-8")
    new.replace(path)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
