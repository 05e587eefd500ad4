"""Counts for the agreement page, in a process of its own.

Reads one JSON object a line, writes one: the same document as `rejudge agree --json`. It ends with its
server, whose end of the pipe closes then.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from data.errors import RejudgeError
from data.store import Store
from data.study import load_study
from reports.of_study import agreement_of

NICER = 10
"""How far behind the desk this process stands in the queue for a processor."""


def main() -> None:
    """Answers until there is nobody left to ask."""
    if hasattr(os, "nice"):
        os.nice(NICER)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_answer(Path(asked["folder"]), asked["labels"])), flush=True)


def _answer(folder: Path, labels: str | None) -> dict[str, Any]:
    try:
        study = load_study(folder)
        with Store.open(study.database) as store:
            return {"document": agreement_of(study, store, None, labels)}
    except RejudgeError as error:
        return {"refused": [error.wrong, error.found, error.do]}


if __name__ == "__main__":
    main()
