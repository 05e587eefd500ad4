"""A judge's requests as files in OpenAI's batch format: for the hosted Batch API, or for vLLM's `run-batch` on a cluster.

Each line is one request, known by its `custom_id`: which judge of which study asks, about which trajectory, and which repeat.
The store remembers the judge under that id, so results can be read without these files. Written is what the judge has no
verdict on yet, one trajectory in memory at a time; a file stands under its name only once it is whole, and the manifest last.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from data.atomic import replacing, write_atomically
from data.errors import RejudgeError
from data.hashing import canonical_json, document_hash, tagged_hash
from data.store import Store
from data.store.judging import JudgeRun, ToJudge, judge_runs, to_judge, trajectories
from judge.asking import found_before
from judge.identity import Judge
from judge.prompts import record

MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
"""In one file of the hosted Batch API. vLLM has no such limits, and takes the same files."""
URL = "/v1/chat/completions"
CUSTOM_ID = re.compile(r"rejudge-([0-9a-f]{16})-([1-9][0-9]{0,17})-([0-9a-f]{8})-(0|[1-9][0-9]{0,5})")
"""Judge, trajectory, what the trajectory is, and repeat: at most 59 characters, of the 64 that the service takes."""


@dataclass(frozen=True, slots=True)
class Written:
    """A judge whose requests were written, as the store remembers it."""

    key: str
    """16 hexadecimal digits, of this study and judge alone."""
    document: dict[str, Any]
    """The judge's identity but for the snapshot, which only a reply tells."""
    name: str
    """What its run is called, where that is free."""
    splits: tuple[str, ...]
    limit: int | None
    repeats: int
    folder: str
    """A hash of where the files went."""

    @classmethod
    def of(cls, store: Store, judge: Judge, mode: str, wanted: "Wanted", out: Path) -> "Written":
        document = judge.document("", mode)
        key = document_hash("batch", {"study": store.fact("id"), "judge": document})[:16]
        folder = tagged_hash("folder", str(out.resolve()))[:16]
        return cls(key, document, judge.run_name, wanted.splits, wanted.limit, wanted.repeats, folder)

    def runs(self, store: Store) -> list[JudgeRun]:
        """The runs of this judge, one for each snapshot that replied, in the order of recording."""
        return [run for run in judge_runs(store) if run.kind == "asked" and run.document | {"snapshot": ""} == self.document]

    def left(self, store: Store, question: int, repeat: int) -> list[int]:
        """Trajectories of those that were asked for on which none of its runs has a verdict yet.

        Nobody knows which model a server will be when it comes to a file: what any has answered is not written again.
        """
        left = to_judge(store, None, question, self.splits, self.limit, repeat)
        for run in self.runs(store):
            missing = set(to_judge(store, run.code, question, self.splits, self.limit, repeat))
            left = [number for number in left if number in missing]
        return left

    def remember(self, store: Store, before: "Written | None") -> None:
        """`before`: as it was remembered; results of the repeats that went out then may still come."""
        repeats = self.repeats if before is None else max(self.repeats, before.repeats)
        kept = {
            "document": self.document, "name": self.name, "splits": self.splits, "limit": self.limit, "repeats": repeats,
            "folder": self.folder,
        }  # fmt: skip
        with store.write():
            store.set_fact(f"batch {self.key}", canonical_json(kept))


def remembered(store: Store, key: str) -> Written | None:
    """The judge that a `custom_id` begins with; None for one of another study."""
    kept = store.fact(f"batch {key}")
    if kept is None:
        return None
    found = json.loads(kept)
    return Written(key, **(found | {"splits": tuple(found["splits"])}))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a judge shall be asked about."""

    splits: tuple[str, ...]
    limit: int | None = None
    repeats: int = 1


@dataclass
class Writing:
    """What was written for one judge."""

    question: str
    manifest: Path
    there: int = 0
    """Requests that would ask for what its run has."""
    requests: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)
    too_long: list[str] = field(default_factory=list)
    """Trajectories whose request fits into no file."""
    elsewhere: bool = False
    """Whether its requests went to another folder before, and not all of them have a reply."""


def custom_id(key: str, trajectory: ToJudge, repeat: int) -> str:
    return f"rejudge-{key}-{trajectory.n}-{fingerprint(trajectory)}-{repeat}"


def fingerprint(trajectory: ToJudge) -> str:
    """Tells a trajectory from one that has its number in another copy of the study."""
    return document_hash("batch item", [trajectory.id, trajectory.content_hash])[:8]


def decided_before(store: Store, judge: Judge, mode: str | None) -> tuple[Judge, str]:
    """The judge as its endpoint was found to be asked by a run before, and in which mode; else as it is, by JSON schema.

    `mode`: one that is wanted whatever was found.
    """
    known = found_before(store, judge.endpoint)
    if known is None:
        return judge, mode or "json_schema"
    return replace(judge, parameters=judge.parameters.as_found(known)), mode or known["mode"]


def write_batch(store: Store, judge: Judge, mode: str, wanted: Wanted, out: Path) -> Writing:
    """Writes what the judge has no verdict on to files in `out`, and a manifest beside them.

    The same command after a crash writes the same files again. Raises RejudgeError where the folder holds a whole batch of
    this question, or cannot be written to.
    """
    question = judge.asked.question.id
    done = Writing(question, out / f"{question}.manifest.json")
    if done.manifest.exists():
        raise RejudgeError(
            f"{out} holds a batch of question {question!r} already.",
            f"Found {done.manifest.name}: that one is whole, and may have been sent.",
            "Read its results first (`rejudge judge batch read`), then name another folder with --out.",
        )
    record(store, judge.study, judge.prompt, judge.asked.code)
    written = Written.of(store, judge, mode, wanted, out)
    before = remembered(store, written.key)
    left = [(repeat, written.left(store, judge.asked.code, repeat)) for repeat in range(wanted.repeats)]
    done.there = wanted.repeats * len(to_judge(store, None, judge.asked.code, wanted.splits, wanted.limit))
    done.there -= sum(len(numbers) for _, numbers in left)
    if not any(numbers for _, numbers in left):
        return done
    done.elsewhere = before is not None and before.folder != written.folder
    written.remember(store, before)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path in _broken_off(out, question):
            path.unlink()
        _into_files(_lines(store, judge, mode, written.key, left, done), out, done)
        manifest = _manifest(written, prompt_hash=judge.prompt.hash, model=judge.model, done=done)
        write_atomically(done.manifest, json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise RejudgeError(
            f"{out} cannot be written to.", f"Found: {error.strerror or error}.", "Name another folder with --out."
        ) from None
    return done


def _broken_off(out: Path, question: str) -> list[Path]:
    """What a command that was killed left of this question: without a manifest nobody was told to send it."""
    ours = re.compile(rf"{re.escape(question)}-[0-9]{{5}}\.jsonl|\.{re.escape(question)}[-.].*\.new")
    return [path for path in sorted(out.iterdir()) if ours.fullmatch(path.name)]


def _lines(
    store: Store, judge: Judge, mode: str, key: str, left: Sequence[tuple[int, Sequence[int]]], done: Writing
) -> Iterator[bytes]:
    """A request a line, repeat by repeat."""
    for repeat, numbers in left:
        for trajectory in trajectories(store, numbers):
            shown = judge.shown(trajectory)
            request = {
                "custom_id": custom_id(key, trajectory, repeat), "method": "POST", "url": URL, "body": judge.body(shown.text, mode),
            }  # fmt: skip
            line = json.dumps(request, ensure_ascii=False).encode(errors="replace") + b"\n"
            if len(line) > MOST_BYTES:
                done.too_long.append(trajectory.id)
                continue
            yield line


def _into_files(lines: Iterator[bytes], out: Path, done: Writing) -> None:
    line = next(lines, None)
    while line is not None:
        path = out / f"{done.question}-{len(done.files) + 1:05}.jsonl"
        digest, size, count = hashlib.sha256(), 0, 0
        with replacing(path) as file:
            while line is not None and count < MOST_REQUESTS and size + len(line) <= MOST_BYTES:
                file.write(line)
                digest.update(line)
                size, count = size + len(line), count + 1
                line = next(lines, None)
        done.files.append({"name": path.name, "requests": count, "bytes": size, "sha256": digest.hexdigest()})
        done.requests += count


def _manifest(written: Written, prompt_hash: str, model: str, done: Writing) -> dict[str, Any]:
    """What the files are; the same files have the same one."""
    return {
        "question": done.question,
        "model": model,
        "prompt": prompt_hash,
        "judge": document_hash("judge", written.document),
        "custom_id": f"rejudge-{written.key}-(trajectory)-(fingerprint)-(repeat)",
        "asked_as": written.document,
        "splits": list(written.splits),
        "limit": written.limit,
        "repeats": written.repeats,
        "requests": done.requests,
        "there": done.there,
        "left_out": done.too_long,
        "files": done.files,
    }
