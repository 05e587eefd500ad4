"""One look at the test items: what is asked before it, what is on record with it, and what it says.

The look is written down in the transaction that counts the verdicts, before anything of it is shown: who breaks off has looked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import CertifyRefused
from data.questions import Question
from data.store import Store
from data.store.judging import JudgeRun
from data.store.people import Person, check_lead
from data.store.prompts import recorded_prompts
from data.store.snapshots import snapshots
from data.store.status import incomplete_batches, question_codes, questions_of_run
from data.store.test_items import LabelledItems, labelled_test_items
from data.store.test_looks import certified, record_certification, spent
from data.store.versions import check_still_declared
from data.study import Study
from data.tallies import JointTally
from data.wording import amount
from judge.certify import (
    LEAST_IN_A_CLASS,
    LEAST_ITEMS,
    WEIGHTS,
    Certification,
    certification,
    groups_in,
    power_statement,
    refuse_too_few,
)
from reports.joint import Joint

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which two judges, on which question, with how many looks."""

    study: Study
    question: Question
    old: JudgeRun
    new: JudgeRun
    looks: int | None
    """As declared with this command, if they were."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What can be said before a look, from labels alone."""

    looks: int
    """Declared for the items that would be used."""
    look: int
    """Which of them this is, from 1."""
    power: tuple[tuple[float, float], ...]
    """Improvement of kappa from .60, and the chance that it would be shown."""
    items: int
    left_out: int
    """Test items whose looks are used up."""
    warnings: tuple[str, ...]


def question_meant(store: Store, study: Study, old: JudgeRun, new: JudgeRun, named: str | None) -> Question:
    """The question that both answer. Raises CertifyRefused for none, for several, and for one that cannot be certified."""
    both = set(questions_of_run(store, old.code)) & set(questions_of_run(store, new.code))
    found = [question for question in study.questions if question.id in both and named in (None, question.id)]
    if len(found) != 1:
        listed = ", ".join(question.id for question in study.questions if question.id in both) or "none"
        raise CertifyRefused(
            f"{new.name} and {old.name} must be certified on one question.",
            f"Found verdicts of both on: {listed}.",
            "Name one of them with --question." if both else "Let both judge the same question.",
        )
    if found[0].type not in WEIGHTS:
        raise CertifyRefused(
            f"Answers that are {found[0].type} can be compared, not certified.",
            f"Question {found[0].id!r} has no single kappa to decide by.",
            f"Compare them on dev: `rejudge judge compare {old.name} {new.name}`.",
        )
    return found[0]


def ahead(store: Store, asked: Asked, lead: Person) -> Ahead:
    """What to say before the look; nothing of the verdicts. Raises CertifyRefused, LeadRefused where there can be none."""
    with store.reading():
        check_lead(store, lead, "Only a lead certifies a judge.")
        ready = _checked(store, asked)
        there = ready.there
        return Ahead(
            ready.looks,
            there.looks + 1,
            power_statement(ready.joint, ready.looks, WEIGHTS[asked.question.type]),
            len(there.items),
            there.used_up,
            tuple(_warnings(store, asked, ready)),
        )


def look(store: Store, asked: Asked, lead: Person) -> Document:
    """The certificate of a look that is on record when this returns. Raises CertifyRefused, LeadRefused: then none was taken."""
    with store.write():
        ready = _checked(store, asked)
        weights = WEIGHTS[asked.question.type]
        found = certification(ready.joint, ready.looks, asked.question.choices, weights)
        code = question_codes(store)[asked.question.id]
        document = _document(store, asked, ready, found)
        document["number"] = len(certified(store, code)) + 1
        document["lead"] = lead.handle
        document["power"] = [list(each) for each in power_statement(ready.joint, ready.looks, weights)]
        which = {key: document[key] for key in ("question", "old", "new", "looks", "look", "labels", "kappa", "bounds")}
        record_certification(store, lead, code, which, found.result, ready.there.items)
    return document


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a look would be taken at."""

    there: LabelledItems
    tally: JointTally
    joint: Joint
    """Its strict table."""
    looks: int
    """Declared for the items."""


def _checked(store: Store, asked: Asked) -> _Ready:
    """The items, where a look at them is allowed and would tell something. Raises CertifyRefused."""
    check_still_declared(store, asked.study)
    opened = spent(store)
    if opened:
        raise CertifyRefused(
            "Nothing can be certified in this study any more.",
            f"{opened.lead} opened dev and test with their verdicts at {opened.at}.",
            "Compare judges with `rejudge judge compare`; a certificate takes a study with items that nobody has seen.",
        )
    code = question_codes(store)[asked.question.id]
    there = labelled_test_items(store, asked.study, asked.question, code, asked.old.name, asked.new.name)
    try:
        tally = _any(there.joint)
        joint = Joint.strict(tally)
        refuse_too_few(joint, asked.question.choices)
    except CertifyRefused:
        if not there.used_up:
            raise
        raise CertifyRefused(
            "The looks at these test items are used up.",
            f"{amount(there.used_up, 'test item')} had every look that was declared for them ({_on_record(store, code)}); "
            f"{amount(len(there.items), 'other')} with a label and both verdicts "
            f"{'remains' if len(there.items) == 1 else 'remain'}.",
            "Label test items that nobody has looked at yet; these cannot decide once more.",
        ) from None
    return _Ready(there, tally, joint, _looks(there, asked.looks))


def _any(tally: JointTally | None) -> JointTally:
    """Raises CertifyRefused where there is none."""
    if tally is None:
        raise CertifyRefused(
            f"Too few test items to certify on: it takes at least {LEAST_ITEMS} labelled items, {LEAST_IN_A_CLASS} of each choice.",
            "Found 0 test items with a label and both verdicts.",
            "Label test items (`rejudge draw --split test`), and run both judges on them.",
        )
    return tally


def _on_record(store: Store, code: int) -> str:
    """What came of the looks so far: who broke off before it was told finds it here."""
    return "; ".join(
        f"{look.which['new']['run']} against {look.which['old']['run']} on {look.at[:10]}: {look.result}"
        for look in certified(store, code)
        if "new" in look.which and "old" in look.which
    )


def _looks(there: LabelledItems, wanted: int | None) -> int:
    """As declared before the first look at them; of fresh items as declared now."""
    if there.declared and wanted is not None and (wanted,) != there.declared:
        raise CertifyRefused(
            "How many looks there are was declared before the first one.",
            f"Found {' and '.join(map(str, there.declared))} on record for these test items, and --looks {wanted} now.",
            "Leave --looks out.",
        )
    return max(there.declared, default=wanted or 1)


def _warnings(store: Store, asked: Asked, ready: _Ready) -> list[str]:
    """What a reader should know besides the figures; nothing of the verdicts."""
    said, code = [], question_codes(store)[asked.question.id]
    for name, state in incomplete_batches(store):
        said.append(f"{name} is {state} and not finished: what is labelled of it later is not part of this look.")
    found = {run.name: snapshots(store, run.code, code, ready.there.items) for run in (asked.old, asked.new)}
    for name, counts in found.items():
        if len(counts) > 1:
            listed = ", ".join(f"{snapshot} ({amount(count, 'verdict')})" for snapshot, count in counts.items())
            said.append(f"The server reported more than one snapshot while {name} was asked: {listed}.")
    one, other = (set(counts) for counts in found.values())
    if one and other and one != other and asked.old.document.get("model") == asked.new.document.get("model"):
        said.append(
            f"The server reported another snapshot for {asked.new.name} ({', '.join(sorted(other))}) than for {asked.old.name} "
            f"({', '.join(sorted(one))}): what differs may be the model."
        )
    if missing := ready.tally.excluded.missing:
        said.append(f"{amount(missing, 'labelled test item')} without a verdict of one of the two are left out.")
    return said


def _document(store: Store, asked: Asked, ready: _Ready, found: Certification) -> Document:
    there, joint, comparison = ready.there, ready.joint, found.comparison
    return {
        "study": asked.study.name,
        "question": asked.question.id,
        "type": asked.question.type,
        "choices": list(asked.question.choices),
        "result": found.result,
        "reasons": list(found.reasons),
        "old": _judge(store, asked.old),
        "new": _judge(store, asked.new),
        "looks": ready.looks,
        "look": there.looks + 1,
        "left_out": there.used_up,
        "labels": there.labels,
        "design": ready.tally.design,
        "weighted": ready.tally.weighted,
        "groups": groups_in(joint.sample),
        "weights": comparison.weights,
        "kappa": {
            "old": comparison.first.as_json(),
            "new": comparison.second.as_json(),
            "difference": comparison.difference.as_json(),
        },
        "bounds": {"low": found.bounds.low, "high": found.bounds.high, "level": found.level, "method": found.bounds.method},
        "recalls": [
            {
                "choice": each.choice,
                "items": each.items,
                "old": each.old.as_json(),
                "new": each.new.as_json(),
                "change": each.change,
            }
            for each in found.recalls
        ],
        "unreadable": {"old": found.unreadable[0], "new": found.unreadable[1]},
        "differing": comparison.differing,
        # K x (K + 1): humans by one judge, unreadable replies last.
        "counts": {"old": joint.judge(0).counts(), "new": joint.judge(1).counts()},
        "more": {"items": found.more.items, "reason": found.more.reason},
        "warnings": _warnings(store, asked, ready),
        "apart": _apart(asked.old, asked.new),
    }


def _judge(store: Store, run: JudgeRun) -> Document:
    prompt = next((each.hash for each in recorded_prompts(store) if each.code == run.prompt), None)
    model = run.document.get("model")
    return {"run": run.name, "identity": run.identity, "prompt": prompt, "model": model if isinstance(model, str) else run.kind}


def _apart(old: JudgeRun, new: JudgeRun) -> list[str]:
    """In which parts of what makes a judge the two differ."""
    keys: Sequence[str] = sorted(old.document.keys() | new.document.keys())
    return [key for key in keys if old.document.get(key) != new.document.get(key)]
