"""Figures without slowing the desk: counted in another process, and only when something has changed.

Counting a million labels takes a second or two of one processor. In the server's own process every label
that comes in meanwhile would wait for Python's lock; so a child process counts, at a lower priority, and
its answer is kept until the study has moved on. A look at an unchanged study costs one small query. Plots are
drawn there too: the library that draws takes half a second to load.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from data.errors import RejudgeError, StoreError
from data.store import Store
from data.store.changes import Moment, moment_of
from data.study import Study

_DRAWINGS_KEPT = 32
_ROOMS = Path(__file__).resolve().parent.parent.parent
# -c puts the folder where the server was started first on the path; a `data` that lies there is not ours.
_START = "import sys; sys.path[0] = sys.argv[1]; from annotate.lead.counter import main; main()"


class Child:
    """The process that counts. It knows no study: each question names one."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer. Raises StoreError where the process ends without one, twice."""
        line = json.dumps(question)
        with self.lock:
            # One that has died since it was last asked is started again.
            said = self._said(line) or self._said(line)
        if not said:
            raise StoreError("The figures could not be counted.", "The process that counts ended.", "Try `rejudge agree`.")
        answer: dict[str, Any] = json.loads(said)
        return answer

    def _said(self, line: str) -> str:
        if self.process is None or self.process.poll() is not None:
            # A session of its own: Ctrl-C is meant for the server, and this process ends with it.
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START, str(_ROOMS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            said = self.process.stdout.readline()
        except BrokenPipeError:
            said = ""
        if not said:
            self.process.kill()
            self.process.communicate()
            self.process = None
        return said


CHILD = Child()


class Counting:
    """The documents of one study."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.known: dict[tuple[str, str | None, int | None], tuple[Moment, dict[str, Any]]] = {}
        self.drawn: dict[str, str] = {}
        self.lock = threading.Lock()

    def document(self, what: str, labels: str | None, run: int | None = None) -> dict[str, Any]:
        """A document of `counter.DOCUMENTS`, over this source of labels and of this run. Raises RejudgeError as its counting would.

        `run`: the code of a judge run, None for all.
        """
        with Store.open(self.study.database) as store:
            moment = moment_of(store)
        with self.lock:  # several pages that want the same count it once
            known = self.known.get((what, labels, run))
            if known is None or known[0] != moment:
                known = self.known[what, labels, run] = (moment, self._asked(what=what, labels=labels, run=run))
        return known[1]

    def findings(self, prompt: str) -> list[dict[str, Any]]:
        """What is wrong with a prompt, or worth knowing: `said` in words, `refused` where no judge is asked by it.

        `prompt`: the text of its file. Raises RejudgeError as `rejudge judge lint` would.
        """
        found: list[dict[str, Any]] = self._asked(prompt=prompt)["findings"]
        return found

    def ahead(self, question: str, old: str, new: str, looks: int | None, lead: str) -> dict[str, Any]:
        """Before a look at test items, from labels alone: `power` in words, `look`, `looks`, `left_out`, `warnings`.

        `old`, `new`: names of runs; `lead`: who would look. Raises RejudgeError where there can be no look.
        """
        return self._asked(question=question, old=old, new=new, looks=looks, ahead=lead)

    def _asked(self, **question: Any) -> dict[str, Any]:
        answer = CHILD.ask({"folder": str(self.study.folder.resolve()), **question})
        if "refused" in answer:
            raise RejudgeError(*answer["refused"])
        document: dict[str, Any] = answer["document"]
        return document

    def drawing(self, what: str, of: Any, title: str) -> str:
        """A drawing of `counter.DRAWINGS` as SVG, of a part of a document. The last few are kept."""
        asked = {"draw": what, "of": of, "title": title}
        key = json.dumps(asked)
        with self.lock:
            if key not in self.drawn:
                while len(self.drawn) >= _DRAWINGS_KEPT:
                    del self.drawn[next(iter(self.drawn))]
                self.drawn[key] = CHILD.ask(asked)["document"]["svg"]
            return self.drawn[key]


_counting: Counting | None = None
_guard = threading.Lock()


def counting(study: Study) -> Counting:
    """The one for the study that is served."""
    global _counting
    with _guard:
        if _counting is None or _counting.study is not study:
            _counting = Counting(study)
        return _counting
