"""Results of a batch, read back: the same parsing and the same rows as of a direct run, whatever became of single requests.

A result is placed by its `custom_id` alone: files may come in any order, whole or in part, twice, or mixed with others'. A
reply, readable or not, is stored once, in small groups: after a crash the same command stores the rest. A request that
failed leaves no row, and is written again by the next `judge batch write`; one that the model cannot take (longer than its
context, refused by a filter) is an error, as in a direct run.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import RejudgeError
from data.hashing import canonical_json
from data.questions import Question
from data.store import Store
from data.store.columns import trajectory_count
from data.store.judging import JudgeRun, Reply, ToJudge, append_replies, ensure_run, trajectories
from data.store.prompts import recorded_prompts
from data.store.versions import question_of_version
from data.study import Study
from judge.batch_files import CUSTOM_ID, Written, fingerprint, remembered
from judge.completions import completion_of, reply_of
from judge.endpoint import NotThisRequest
from judge.evidence import EvidenceView, record_text
from judge.summary import Brought

GROUP = 500
"""Replies that are stored at once."""
LONGEST_LINE = 64 * 2**20
"""Bytes of a result; a longer line is none."""
CUT_OFF = "a last line that is cut off"


@dataclass
class Reading(Brought):
    """What a reading came to."""

    lines: int = 0
    there: int = 0
    """Replies that the run had already, from before or from another line: the first one stays."""
    failed: Counter[str] = field(default_factory=Counter)
    """Requests that ended without a reply, by why."""
    failures: dict[str, str] = field(default_factory=dict)
    """By why: what was said of the first of them, hostile as every text of a server; absent where nothing was."""
    not_ours: Counter[str] = field(default_factory=Counter)
    """Lines that are no result of this study, by why."""
    runs: list[str] = field(default_factory=list)
    """Whose verdicts came, by name."""
    left: dict[str, int] = field(default_factory=dict)
    """By question: requests of those that were written which have no reply yet."""


@dataclass(frozen=True, slots=True)
class _Judge:
    """A judge whose results come in."""

    written: Written
    question: Question
    code: int
    """The question's."""
    prompt: int
    """Its code."""
    view: EvidenceView

    @classmethod
    def of(cls, store: Store, written: Written) -> "_Judge":
        document = written.document
        code, question = question_of_version(store, document["question"])
        prompt = next(each.code for each in recorded_prompts(store) if each.hash == document["prompt"])
        view = document["view"] | {"show": tuple(document["view"]["show"]), "redact": tuple(document["view"]["redact"])}
        return cls(written, question, code, prompt, EvidenceView(**view))

    def run(self, store: Store, snapshot: str) -> JudgeRun:
        """The run of the model that the server said it was."""
        document = self.written.document | {"snapshot": snapshot}
        return ensure_run(store, self.written.name, "asked", self.prompt, document, self.view.document())[0]


@dataclass(frozen=True, slots=True)
class _Result:
    """What came of one request."""

    judge: _Judge
    snapshot: str
    reply: Reply


def read_batch(store: Store, study: Study, paths: Sequence[Path]) -> Reading:
    """Stores what the files bring. Raises RejudgeError where a file cannot be read, or none of the lines is of this study."""
    reader = _Reader(store, study)
    group: list[_Result] = []
    for path in paths:
        for line, whole in _lines(path):
            found = reader.result(line, whole)
            if found is not None:
                group.append(found)
            if len(group) >= GROUP:
                reader.keep(group)
                group = []
    reader.keep(group)
    reader.keep_refused()
    reading = reader.reading
    if reading.lines and reading.not_ours.total() == reading.lines:
        raise RejudgeError(
            "Nothing in these files is a result for this study.",
            f"Found {_counted(reading.not_ours)}.",
            "Name the output and error files of a batch that `rejudge judge batch write` made in this study.",
        )
    for judge in reader.judges.values():
        if judge is not None:
            left = sum(len(judge.written.left(store, judge.code, repeat)) for repeat in range(judge.written.repeats))
            reading.left[judge.question.id] = reading.left.get(judge.question.id, 0) + left
    return reading


def _lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Each line that holds something, and whether a line break ends it; of a line that is too long its beginning."""
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE):
                whole = line.endswith(b"\n")
                if len(line) == LONGEST_LINE and not whole:
                    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                        pass
                if line.strip():
                    yield line, whole
    except OSError as error:
        raise RejudgeError(
            f"{path} cannot be read.", f"Found: {error.strerror or error}.", "Check that it is there and may be read."
        ) from None


class _NotOurs(ValueError):
    """A line that is no result of this study; the message says why, in words that many have in common."""


class _Reader:
    """Tells what each line is, and stores what it brings."""

    def __init__(self, store: Store, study: Study) -> None:
        self.store, self.study = store, study
        self.reading = Reading()
        self.judges: dict[str, _Judge | None] = {}
        self.size = trajectory_count(store)
        self.runs: dict[tuple[str, str], JudgeRun] = {}
        """By judge and snapshot."""
        self.refused: dict[str, list[Reply]] = {}
        """By judge: what the model could not take."""

    def result(self, line: bytes, whole: bool) -> _Result | None:
        """The reply on one line; None where it brings none, which is counted."""
        self.reading.lines += 1
        try:
            return self._reply(*self._placed(line, whole))
        except _NotOurs as why:
            self.reading.not_ours[str(why)] += 1
            return None

    def _placed(self, line: bytes, whole: bool) -> tuple[_Judge, dict[str, Any], ToJudge, int]:
        """Which judge a line is from, what stands in it, the trajectory and the repeat. Raises _NotOurs."""
        try:
            document = json.loads(line.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise _NotOurs("no JSON" if whole or len(line) == LONGEST_LINE else CUT_OFF) from None
        id = document.get("custom_id") if isinstance(document, dict) else None
        known = CUSTOM_ID.fullmatch(id) if isinstance(id, str) else None
        if known is None:
            raise _NotOurs("no custom_id of rejudge")
        key, number, print_, repeat = known[1], int(known[2]), known[3], int(known[4])
        if key not in self.judges:
            written = remembered(self.store, key)
            self.judges[key] = None if written is None else _Judge.of(self.store, written)
        judge = self.judges[key]
        if judge is None:
            raise _NotOurs("of a run that this study did not write")
        if "body" in document and "response" not in document and "error" not in document:
            raise _NotOurs("a request, and no result")
        trajectory = next(trajectories(self.store, [number])) if number <= self.size else None
        if trajectory is None or fingerprint(trajectory) != print_ or repeat >= judge.written.repeats:
            raise _NotOurs("about a trajectory or repeat that was not asked about")
        return judge, document, trajectory, repeat

    def _reply(self, judge: _Judge, document: dict[str, Any], trajectory: ToJudge, repeat: int) -> _Result | None:
        status, body, said = _parts(document)
        # What was cut is told by the view alone; without a limit nothing was.
        limited = judge.view.results is not None or judge.view.total is not None
        cut = record_text(trajectory, judge.view).cut if limited else ()
        mode = judge.written.document["mode"]
        completion = completion_of(body) if status == 200 and not said else None
        if completion is not None:
            reply = reply_of(
                completion, judge.question, trajectory.n, len(trajectory.steps), mode=mode, price=self.study.judge_price,
                repeat=repeat, cut=cut,
            )  # fmt: skip
            return _Result(judge, completion.model, reply)
        refused = NotThisRequest(said, status)
        if not refused.of_this_item or status not in (400, 413, 422):
            why = _why(document, status, said)
            self.reading.failed[why] += 1
            if said:
                self.reading.failures.setdefault(why, said)
            return None
        self.refused.setdefault(judge.written.key, []).append(refused.reply(trajectory.n, repeat, mode, judge.view, cut))
        return None

    def keep(self, group: Sequence[_Result]) -> None:
        """Stores the replies that are new, each with the run of the model that replied."""
        by_run: dict[tuple[str, str], list[_Result]] = {}
        for each in group:
            by_run.setdefault((each.judge.written.key, each.snapshot), []).append(each)
        for place, results in by_run.items():
            judge = results[0].judge
            if place not in self.runs:
                self.runs[place] = judge.run(self.store, place[1])
                self.reading.runs.append(self.runs[place].name)
            run = self.runs[place]
            new = append_replies(self.store, run.code, judge.code, [each.reply for each in results])
            self.reading.there += len(results) - len(new)
            for reply in new:
                self.reading.count(reply)

    def keep_refused(self) -> None:
        """What the model could not take names no model: it goes to the run that the other replies of its judge went to."""
        for judge in self.judges.values():
            if judge is None or not (refused := self.refused.get(judge.written.key)):
                continue
            here = [snapshot for key, snapshot in self.runs if key == judge.written.key]
            runs = judge.written.runs(self.store)
            snapshot = here[-1] if here else str(runs[-1].document["snapshot"]) if runs else str(judge.written.document["model"])
            for start in range(0, len(refused), GROUP):
                self.keep([_Result(judge, snapshot, reply) for reply in refused[start : start + GROUP]])


def _parts(document: dict[str, Any]) -> tuple[int, Any, str]:
    """Status, body and error message of a result. Some engines put the completion where the service puts a response."""
    response = document.get("response")
    error = document.get("error")
    said = _message(error)
    if not isinstance(response, dict):
        return 0, None, said
    if "choices" in response:
        return 200, response, said
    status, body = response.get("status_code", 200), response.get("body")
    if isinstance(body, dict) and "error" in body and not said:
        said = _message(body["error"])
    return status if isinstance(status, int) else 0, body, said


def _message(error: Any) -> str:
    if not error:
        return ""
    if isinstance(error, dict) and isinstance(error.get("message"), str) and error["message"]:
        return str(error["message"])
    if isinstance(error, dict) and isinstance(error.get("error"), dict):
        return _message(error["error"])
    return error if isinstance(error, str) else canonical_json(error)


def _why(document: dict[str, Any], status: int, said: str) -> str:
    """Why a request has no reply, in words that many have in common."""
    error = document.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code:
        return code
    if status and status != 200:
        return f"status {status}"
    return "an error" if said else "no completion"


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
