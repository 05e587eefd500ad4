"""A job of the judge page, in a process of its own: runs one command and writes down how it ended.

It is started as a file, imports nothing of rejudge's, and outlives the server. The lock that it is handed stays held until
command and process are both gone: by that, and not by a number that another process may have by now, it is told as running.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path


def main(beside: str, lock: int, command: list[str]) -> None:
    """Runs `command`; `beside`: the path of the job's files without their ending."""
    # A handler, and not SIG_IGN: the command starts with Ctrl-C as it is by nature, and is the one that it is meant for.
    signal.signal(signal.SIGINT, lambda *_: None)
    _write(Path(f"{beside}.pid"), os.getpid())
    _write(Path(f"{beside}.exit"), subprocess.run(command, pass_fds=[lock], check=False).returncode)


def _write(path: Path, number: int) -> None:
    new = path.with_suffix(f"{path.suffix}-new")
    new.write_text(str(number), encoding="utf-8")
    new.replace(path)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
