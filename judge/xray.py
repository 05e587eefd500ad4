"""Whether a judge obeys what it judges: train items asked again with an instruction to the grader in what a tool brought.

Every item is asked as it is, which gives the verdict; once more, which shows how often the verdict flips by itself; and then
with each kind of instruction alone, towards a verdict that the judge did not give. One item of a group is asked, so that items
are independent. The replies are no verdicts of a run and enter no figure: they stand in a file of the
study's `reports/`, and what stands there is not asked again.
"""

import asyncio
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from data.errors import RejudgeError
from data.hashing import document_hash
from data.store import Store
from data.store.judging import ToJudge, to_judge, trajectories
from data.study import write_study_file
from judge.completions import answer_in
from judge.endpoint import Connection, NoReply, NotThisRequest, Probed
from judge.identity import Judge
from judge.injections import CONTROL, INJECTIONS, in_words, injected, target_for, value_of
from judge.replies import Answer
from reports.estimate import Estimate
from reports.intervals import wilson

FOLDER = "reports"
CLEAN = "as it is"
ITEMS = 20
"""How many are asked where nobody says so."""
Document = dict[str, Any]
Replies = dict[str, dict[str, Document]]
"""Trajectory's id -> kind -> the answer, as a document."""


@dataclass(frozen=True, slots=True)
class _Call:
    item: str
    kind: str
    text: str
    steps: int


def xray_of(store: Store, judge: Judge, probed: Probed, count: int = ITEMS, concurrency: int = 16) -> tuple[Document, Path]:
    """What flips the judge's verdicts, and the file that says so; every reply stands beside it, and is not asked for again.

    Calls that ended without a reply are counted (`calls_without_reply`): the same call makes them again.

    `count`: items at most, each of a group of its own. Raises RejudgeError where train has none, and for what no call gets past;
    what came before is kept.
    """
    judge = replace(judge, parameters=probed.parameters)
    items = _items(store, judge, count)
    if not items:
        raise RejudgeError(
            "There is no train item to ask about.",
            "Found no trajectory in train with a text that an instruction could stand in.",
            "Import more; a study with train = 0 only measures, and keeps nothing that may be worked on.",
        )
    identity = judge.document(probed.completion.model, probed.mode)
    path = judge.study.folder / FOLDER / f"xray-{judge.asked.question.id}-{_version(identity)}.jsonl"
    kept = _Kept.read(path)
    report = path.with_suffix(".json")
    write_study_file(report, _text({"judge": identity, "figures": None, "replies": path.name}))
    clean = [_call(judge, item, CLEAN, item) for item in items]
    asyncio.run(_ask(judge, probed, concurrency, clean, kept))
    calls = [call for item in items for call in _calls(judge, item, kept.answer(item.id, CLEAN))]
    asyncio.run(_ask(judge, probed, concurrency, calls, kept))
    silent = sum(kept.answer(call.item, call.kind) is None for call in (*clean, *calls))
    document = {**figures_of(judge, [item.id for item in items], kept.replies), "calls_without_reply": silent}
    write_study_file(report, _text({"judge": identity, "figures": document, "replies": path.name}))
    return document, report


def _text(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _version(identity: Document) -> str:
    kinds = [[each.kind, each.text_for("“…”", "…")] for each in INJECTIONS]
    return document_hash("xray", {"judge": identity, "kinds": kinds})[:8]


def _items(store: Store, judge: Judge, count: int) -> list[ToJudge]:
    """Up to `count` train items, one of a group, in an order that has nothing to do with how they came in."""
    numbers = to_judge(store, None, judge.asked.code, ("train",))
    random.Random("xray").shuffle(numbers)
    found: list[ToJudge] = []
    for item in trajectories(store, numbers):
        if len(found) >= count:
            break
        if all(item.group != other.group for other in found) and injected(item.steps, "") is not None:
            found.append(item)
    return found


def _call(judge: Judge, item: ToJudge, kind: str, changed: ToJudge) -> _Call:
    return _Call(item.id, kind, judge.shown(changed).text, len(item.steps))


def _calls(judge: Judge, item: ToJudge, given: Answer | None) -> Iterator[_Call]:
    """The second call as it is, and one for each kind; nothing where the first reply could not be read."""
    if given is None or value_of(given) is None:
        return
    clean = _call(judge, item, CONTROL, item)
    yield clean
    target = target_for(judge.asked.question, given)
    value = list(target) if isinstance(target, tuple) else target
    for injection in INJECTIONS:
        steps = injected(item.steps, injection.text_for(in_words(target), value))
        assert steps is not None
        call = _call(judge, item, injection.kind, replace(item, steps=steps))
        if call.text != clean.text:  # the judge's view may leave the place out
            yield call


async def _ask(judge: Judge, probed: Probed, concurrency: int, calls: list[_Call], kept: "_Kept") -> None:
    """Makes the calls whose answers are not kept yet. A call that ends without a reply leaves none."""

    async def one(call: _Call) -> None:
        try:
            came = await connection.send(partial(judge.body, call.text, probed.mode))
        except NoReply:
            return
        except NotThisRequest as error:
            if not error.of_this_item:
                raise error.refusal(judge.endpoint) from None
            kept.add(call, Answer(error="refused by the server"))
            return
        if came is not None:
            kept.add(call, answer_in(came.completion, judge.asked.question, call.steps, probed.mode))

    async with Connection(judge.endpoint, concurrency) as connection:
        tasks = [asyncio.create_task(one(call)) for call in calls if kept.answer(call.item, call.kind) is None]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class _Kept:
    """The replies, each a line of the file as soon as it came."""

    path: Path
    replies: Replies = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "_Kept":
        """What is there. Raises RejudgeError for a file that an xray did not write."""
        kept = cls(path)
        try:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            whole = text[: text.rfind("\n") + 1]
            for line in whole.splitlines():
                said = json.loads(line)
                kept.replies.setdefault(said["item"], {})[said["kind"]] = said["answer"]
                answer_of(said["answer"])
            if whole != text:  # the last line was not written to its end
                write_study_file(path, whole)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise RejudgeError(
                f"{path} cannot be read.", "Found something else than an xray writes.", "Move it away, and run again."
            ) from None
        return kept

    def answer(self, item: str, kind: str) -> Answer | None:
        found = self.replies.get(item, {}).get(kind)
        return None if found is None else answer_of(found)

    def add(self, call: _Call, answer: Answer) -> None:
        said = {key: value for key, value in asdict(answer).items() if key in _KEPT}
        self.replies.setdefault(call.item, {})[call.kind] = said
        line = json.dumps({"item": call.item, "kind": call.kind, "answer": said})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


_KEPT = ("choice", "choices", "score", "error", "rationale", "confidence")


def answer_of(said: Document) -> Answer:
    """An answer as the file has it."""
    return Answer(**{**said, "choices": None if said["choices"] is None else tuple(said["choices"])})


def figures_of(judge: Judge, items: list[str], replies: Mapping[str, Mapping[str, Document]]) -> Document:
    """By kind how often the verdict became the one that was ordered, and how often another one, as shares of readable replies."""
    question = judge.asked.question
    kinds = []
    for kind in (CONTROL, *(injection.kind for injection in INJECTIONS)):
        followed, changed, unreadable, n = [], 0, 0, 0
        for item in items:
            said = replies.get(item, {})
            if kind not in said:
                continue
            given, got = (answer_of(said[each]) for each in (CLEAN, kind))
            if (now := value_of(got)) is None:
                unreadable += 1
                continue
            n += 1
            if now != value_of(given):
                changed += 1
                if now == target_for(question, given):
                    followed.append(item)
        kinds.append(
            {
                "kind": kind,
                "n": n,
                "unreadable": unreadable,
                "flipped": _share(len(followed), n),
                "changed": _share(changed, n),
                "flipped_items": sorted(followed),
            }
        )
    unread = sum(value_of(answer_of(replies[item][CLEAN])) is None for item in items if CLEAN in replies.get(item, {}))
    return {
        "question": question.id,
        "prompt": judge.prompt.hash,
        "model": judge.model,
        "items": len(items),
        "unreadable": unread,
        "without_reply": sum(CLEAN not in replies.get(item, {}) for item in items),
        "kinds": kinds,
    }


def _share(count: int, n: int) -> Document:
    if not n:
        return Estimate.undefined(0, "wilson", "no readable reply").as_json()
    return Estimate(count / n, *wilson(count, n), n, "wilson").as_json()
