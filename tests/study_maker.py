"""Studies for tests, made the way their users make them: a study.toml, a file that is imported, a draw, and people at desks."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from annotate.hunting import hunted_meant
from annotate.sampling import DrawRequest, draw, verdicts_meant
from data.answering import Answer
from data.arrivals import Naming
from data.codebook import ensure_codebook
from data.importing import import_file
from data.questions import Question, question_block
from data.store import Store
from data.store.batches import NewBatch
from data.store.causes import assign_cause
from data.store.desk import Act, Refusal, refresh_shown, take
from data.store.judging import Call, Reply, append_replies, ensure_run
from data.store.leases import Desk
from data.store.people import ensure_person, first_lead
from data.store.prompts import prompt_hash, record_prompt
from data.store.test_looks import record_certification
from data.store.versions import record_versions
from data.study import Study, load_study

MISALIGNED = Question("misaligned", "Did the agent overstep?", "binary", ("aligned", "misaligned"), "misaligned", "optional")
SEVERITY = Question("severity", "How bad was it?", "ordinal", ("none", "some", "much"), None)
KIND = Question("kind", "What kind of thing was it?", "nominal", ("deceit", "sabotage", "other"), None)


def run_line(id: str, **fields: Any) -> dict[str, Any]:
    """One line of a native file: a run of three steps whose text is its own, unless `steps` says otherwise."""
    steps = [
        {"kind": "message", "speaker": "user", "text": f"Please do {id}."},
        {"kind": "tool_call", "speaker": "agent", "tool": "do", "arguments": {"what": id}, "call": "c"},
        {"kind": "tool_result", "speaker": "do", "text": "done", "call": "c"},
    ]
    return {"id": id, "task": f"Task {id}", "steps": steps, **fields}


def verdict(choice: str | None, run: str = "judge-a", **fields: Any) -> dict[str, Any]:
    """A verdict; None is an answer that could not be read."""
    answer = {"error": "unreadable"} if choice is None else {"choice": choice}
    return {"run": run, "question": "misaligned", **answer, **fields}


def label(annotator: str, choice: str | None, **fields: Any) -> dict[str, Any]:
    """An imported label; None is unsure."""
    answer = {"unsure": True} if choice is None else {"choice": choice}
    return {"annotator": annotator, "question": "misaligned", **answer, **fields}


def make_study(
    folder: Path, lines: Iterable[dict[str, Any]] = (), questions: Iterable[Question] = (MISALIGNED,), rest: str = ""
) -> Study:
    """A study with `questions`, `rest` at the end of its study.toml, and `lines` imported."""
    folder.mkdir(parents=True, exist_ok=True)
    write_toml(folder, questions, rest)
    study = load_study(folder)
    Store.create(study.database).close()
    ensure_codebook(study)
    return import_lines(study, lines) if lines else study


def write_toml(folder: Path, questions: Iterable[Question], rest: str = "") -> Study:
    """The study.toml of `folder`, written anew."""
    blocks = [question_block(question) for question in questions]
    (folder / "study.toml").write_text(f'name = "made"\n\n{"".join(blocks)}\n{rest}', encoding="utf-8")
    return load_study(folder)


def import_lines(study: Study, lines: Iterable[dict[str, Any]], name: str = "runs.jsonl") -> Study:
    """`study` with a native file of `lines` brought in."""
    path = study.folder.parent / f"{study.folder.name}-{name}"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return import_file(study, path, None, Naming())[0]


def draw_batch(
    study: Study,
    size: int,
    overlap: int = 1,
    seed: str = "seed",
    name: str | None = None,
    *,
    split: str | None = None,
    by: str | None = None,
    question: str | None = None,
    retest: bool = False,
    hunt: bool = False,
) -> NewBatch:
    """A batch over all splits, or over one; `by`: the run whose verdicts it is stratified by; `retest`: of labelled items.

    `hunt`: of suspected errors, of the run `by` where there is one.
    """
    with Store.open(study.database) as store:
        strata = verdicts_meant(store, study, by, question) if by and not hunt else None
        hunted = hunted_meant(store, study, by, question) if hunt else None
        return draw(store, DrawRequest(size, overlap, split, name, seed, strata, retest, hunted))


def numbered(count: int, **fields: Any) -> list[dict[str, Any]]:
    """`count` runs, `r000` and on."""
    return [run_line(f"r{place:03}", **fields) for place in range(count)]


@dataclass
class Sitting:
    """One person at a desk, with a browser's outbox."""

    study: Study
    handle: str
    outbox: str = ""
    seq: int = 0
    store: Store = field(init=False)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store.open(self.study.database)
        person = ensure_person(self.store, self.handle, lead=False)
        asked, view = record_versions(self.store, self.study)
        self.desk = Desk(self.store, person.code, asked, view)
        self.outbox = self.outbox or f"tab of {self.handle}"

    def __enter__(self) -> "Sitting":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with suppress(Exception):
            self.store.close()

    def claim(self) -> list[str]:
        """Claims ahead; the refs that are held, in the order of claiming."""
        take(self.desk, self.outbox, [])
        return self.held()

    def held(self) -> list[str]:
        rows = self.store.conn.execute(
            "SELECT ref FROM assignments WHERE annotator = ? AND state = 'leased' ORDER BY leased_at, id", [self.desk.annotator]
        )
        return [row[0] for row in rows]

    def answer(self, kind: str, ref: str, choice: str | None = None, **fields: Any) -> Act:
        """The next act of this browser, with the hash of what is shown of the item.

        `label` and `unsure` answer the first question alone; `submit` has `answers` of its own.
        """
        self.seq += 1
        row = self.store.conn.execute("SELECT shown FROM assignments WHERE ref = ?", [ref]).fetchone()
        fields.setdefault("item_hash", row[0] if row else "")
        said = {key: fields.pop(key) for key in ("evidence", "rationale", "confidence") if key in fields}
        if kind in ("label", "unsure", "skip"):
            fields["answers"] = {self.desk.asked[0].question.id: Answer(choice=choice, unsure=kind == "unsure", **said)}
        return Act(self.seq, "submit" if kind in ("label", "unsure") else kind, ref, **fields)

    def send(self, *acts: Act) -> list[Refusal]:
        """What was refused of `acts`."""
        return take(self.desk, self.outbox, list(acts))[1]

    def do(self, kind: str, ref: str, choice: str | None = None, **fields: Any) -> str:
        """Sends one act; why it was refused, or nothing."""
        refused = self.send(self.answer(kind, ref, choice, **fields))
        return refused[0].why if refused else ""

    def label(self, ref: str, choice: str = "aligned", **fields: Any) -> str:
        return self.do("label", ref, choice, **fields)

    def id_of(self, ref: str) -> str:
        """The source's id of an item, which no annotator sees."""
        return str(self.one("SELECT t.id FROM assignments a JOIN trajectories t ON t.n = a.trajectory WHERE a.ref = ?", ref))

    def ref_of(self, id: str) -> str:
        """The held item that is the run `id`."""
        return next(ref for ref in self.held() if self.id_of(ref) == id)

    def read(self, ref: str) -> str | None:
        """Opens the item as the desk does; the hash of what is shown."""
        return refresh_shown(self.desk, ref)

    def one(self, sql: str, *parameters: Any) -> Any:
        """The first column of the first row."""
        return self.store.conn.execute(sql, parameters).fetchone()[0]

    def label_all_of(self, answers: dict[str, Answer]) -> list[str]:
        """Gives the same `answers` to every item until nothing is left. Returns the ids in the order of labelling."""
        ids = []
        while held := self.claim():
            ids.append(self.id_of(held[0]))
            refused = self.send(self.answer("submit", held[0], answers=answers))
            assert not refused, refused
        return ids

    def label_all(self, choose: dict[str, str | None], default: str = "aligned") -> list[str]:
        """Labels until nothing is left; None in `choose` is unsure. Returns the ids in the order of labelling."""
        ids = []
        while held := self.claim():
            ids.append(self.id_of(held[0]))
            choice = choose.get(ids[-1], default)
            why = self.do("unsure", held[0]) if choice is None else self.label(held[0], choice)
            assert not why, why
        return ids


def saying(act: Act, **changes: Any) -> Act:
    """`act` with its answers changed."""
    return replace(act, answers={id: replace(answer, **changes) for id, answer in act.answers.items()})


def let_lapse(study: Study, handle: str) -> None:
    """As if a quarter of an hour had gone by without a word from `handle`."""
    with Store.open(study.database) as store, store.write():
        store.conn.execute(
            """UPDATE assignments SET leased_until = 0
               WHERE state = 'leased' AND annotator = (SELECT code FROM annotators WHERE handle = ?)""",
            [handle],
        )


def judge_and_certify(store: Store, question: int, trajectory: int, words: str = "a note") -> None:
    """A run `asked` with a verdict on one item that brought a call, the cause of a disagreement, and a look at the item.

    `words` stand wherever somebody or a judge may write.
    """
    lead = first_lead(store)
    (id,) = store.conn.execute("SELECT id FROM questions WHERE code = ?", [question]).fetchone()
    (choice,) = store.conn.execute("SELECT name FROM choices WHERE question = ? ORDER BY code LIMIT 1", [question]).fetchone()
    prompt = record_prompt(store, question, prompt_hash(id, "Judge."), None, "ana", words, "Judge.")
    run, _ = ensure_run(store, "asked", "asked", prompt, {"kind": "asked", "model": "m-1"}, {})
    call = Call("m-1", "json_schema", words, "stop", 10, 2, None, 0.1)
    append_replies(store, run.code, question, [Reply(trajectory, choice=choice, call=call)])
    assign_cause(store, lead, run.code, trajectory, question, "judge wrong", words)
    with store.write():
        record_certification(store, lead, question, {"new": run.name}, "INCONCLUSIVE", [trajectory])
