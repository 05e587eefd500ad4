"""Gold sets: frozen, hashed exports of what humans decided, with every vote that led to it."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from data.errors import GoldRefused
from data.hashing import canonical_json, tagged_hash
from data.questions import Question, When
from data.records import CONSENSUS
from data.store import Store
from data.store.adjudication import decided_by_item
from data.store.gold import Decided, GoldItem, Vote, add_gold_set, gold_names, votes_by_item
from data.store.incoming import unfinished_imports
from data.store.versions import recorded_versions
from data.study import Study
from data.wording import amount

DEFAULT_MIN_LABELS = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """When an item's votes make it gold."""

    min_labels: int = DEFAULT_MIN_LABELS
    names: bool = False
    """Whether annotators appear under their own names instead of pseudonyms."""


def decide(answers: list[Any], min_labels: int) -> tuple[Any, str] | str:
    """(answer, basis) for the answers to one item that are not unsure; else the reason why the item is left out.

    Choices: the one of more than half. Several choices: each by itself, in or out, and one tie makes the item a tie.
    Scores: the median. Without unanimity all three want three answers, or `min_labels`, if that is more.
    """
    if not answers:
        return "no answer"
    first, count = Counter(answers).most_common(1)[0]
    if count == len(answers):
        if count < min_labels:
            return f"fewer than {amount(min_labels, 'label')}"
        return first, "single" if count == 1 else "unanimous"
    enough = len(answers) >= max(3, min_labels)
    if isinstance(first, tuple):
        votes = Counter(choice for answer in answers for choice in answer)
        if any(2 * count == len(answers) for count in votes.values()):
            return "tie"
        majority = tuple(sorted(choice for choice, count in votes.items() if 2 * count > len(answers)))
        return (majority, "majority") if enough else "too few labels for a majority"
    if isinstance(first, float):
        return (median(answers), "median") if enough else "too few labels for a median"
    if 2 * count <= len(answers):
        return "tie"
    return (first, "majority") if enough else "too few labels for a majority"


def freeze(store: Store, study: Study, name: str, policy: Policy, agreement: dict[str, Any]) -> dict[str, Any]:
    """Freezes the votes as they stand under `name`; the manifest.

    `agreement` is the document of `rejudge agree` at this moment. Raises GoldRefused.
    """
    if policy.min_labels < 1:
        raise GoldRefused("A gold label needs at least one vote.", f"Found --min-labels {policy.min_labels}.", "Ask for 1 or more.")
    if name in gold_names(store):
        raise GoldRefused(
            f"There is a gold set {name!r} already.",
            f"Gold sets: {', '.join(gold_names(store))}.",
            "A frozen set never changes: choose another name.",
        )
    if not name.strip() or not name.isprintable():
        raise GoldRefused("That cannot be a gold set's name.", f"Found {name!r}.", "Use printable characters.")
    unfinished = unfinished_imports(store)
    if unfinished:
        raise GoldRefused(
            "An import was broken off.", f"Unfinished: {', '.join(unfinished)}.", "Run the same `rejudge import` again first."
        )
    with store.reading():
        votes, adjudicated = votes_by_item(store, [question.id for question in study.questions]), decided_by_item(store)
    shown = _names(votes, agreement, policy)
    items, left_out = _decided(study, votes, adjudicated, policy, shown)
    if not items:
        raise GoldRefused(
            "No item has the votes for a gold label.",
            f"Found {len(left_out)} labelled items; each needs {policy.min_labels} agreeing labels, or a majority of three.",
            "Label more, or accept single labels with --min-labels 1." if policy.min_labels > 1 else "Label some items first.",
        )
    manifest = {
        "name": name,
        "study": {"id": store.fact("id"), "name": study.name},
        "policy": {"min_labels": policy.min_labels, "names": policy.names},
        "rows": len(items),
        "rows_hash": rows_hash([item.document for item in items]),
        "counts": _counts(items),
        "left_out": left_out,
        "versions": recorded_versions(store),
        "agreement": _under(shown, agreement),
    }
    add_gold_set(store, name, set_hash(manifest), canonical_json(manifest), items)
    return manifest | {"hash": set_hash(manifest)}


def rows_hash(documents: list[str]) -> str:
    """The hash of a set's rows in their order; each holds the content hash of its trajectory."""
    return tagged_hash("gold rows", "\n".join(documents))


def set_hash(manifest: dict[str, Any]) -> str:
    """The identity of a gold set: its manifest, which holds the hash of its rows."""
    return tagged_hash("gold set", canonical_json(manifest))


def _names(votes: dict[tuple[str, str], list[Vote]], agreement: dict[str, Any], policy: Policy) -> dict[str, str]:
    """Handle to the name that the set shows: a pseudonym, unless the policy asks for names."""
    handles = {vote.annotator for cast in votes.values() for vote in cast} | set(_raters(agreement))
    if policy.names:
        return {handle: handle for handle in handles}
    width = len(str(len(handles)))
    return {handle: f"annotator-{place:0{width}}" for place, handle in enumerate(sorted(handles), 1)}


def _raters(agreement: dict[str, Any]) -> Iterator[str]:
    """The handles that an agreement document names."""
    for question in agreement["questions"]:
        for pair in (*question["pairs"], *question["human_human"]["pairs"]):
            for side in (pair["rows"], pair["columns"]):
                kind, _, name = side.partition(":")
                if kind == "human" and name != CONSENSUS:
                    yield name


def _under(shown: dict[str, str], value: Any) -> Any:
    """An agreement document with the shown names in the place of handles."""
    if isinstance(value, dict):
        return {key: _rater(shown, item) if key in ("rows", "columns") else _under(shown, item) for key, item in value.items()}
    return [_under(shown, item) for item in value] if isinstance(value, list) else value


def _rater(shown: dict[str, str], side: str) -> str:
    kind, _, name = side.partition(":")
    return f"human:{shown.get(name, name)}" if kind == "human" else side


def _decided(
    study: Study,
    votes: dict[tuple[str, str], list[Vote]],
    adjudicated: dict[tuple[str, str], tuple[Decided | None, str]],
    policy: Policy,
    shown: dict[str, str],
) -> tuple[list[GoldItem], list[dict[str, str]]]:
    items: list[GoldItem] = []
    left_out: list[dict[str, str]] = []
    decided: dict[tuple[str, str], Decided] = {}
    not_asked: set[tuple[str, str]] = set()
    # Questions in their declared order: a condition is decided before what depends on it.
    for question in study.questions:
        for (id, _), cast in sorted((key, cast) for key, cast in votes.items() if key[1] == question.id):
            decision = decide([vote.answer for vote in cast if vote.answer is not None], policy.min_labels)
            if (id, question.id) in adjudicated:
                answer, cause = adjudicated[(id, question.id)]
                decision = f"adjudicated: {cause}" if answer is None else (answer, "adjudicated")
            when = question.when
            if when and ((id, when.question) in not_asked or not _holds(when, decided.get((id, when.question)))):
                not_asked.add((id, question.id))
                decision = f"{when.question} is not {when.choice}"
            if isinstance(decision, str):
                left_out.append({"id": id, "question": question.id, "reason": decision})
            else:
                decided[(id, question.id)] = decision[0]
                items.append(_item(id, question, cast, decision, shown))
    items.sort(key=lambda item: (item.id, item.question_id))
    return items, sorted(left_out, key=lambda left: (left["id"], left["question"]))


def _holds(when: When, answer: Decided | None) -> bool:
    """Whether the condition holds, or was not decided."""
    if answer is None:
        return True
    return when.choice in answer if isinstance(answer, tuple) else when.choice == answer


def _said(question: Question, answer: Decided | None) -> dict[str, Any]:
    """An answer under its key; several choices in their declared order."""
    if answer is None:
        return {"unsure": True}
    order = {choice: place for place, choice in enumerate(question.choices)}
    value = sorted(answer, key=lambda choice: (order.get(choice, len(order)), choice)) if isinstance(answer, tuple) else answer
    return {question.answered_by: value}


def _item(id: str, question: Question, votes: list[Vote], decision: tuple[Decided, str], shown: dict[str, str]) -> GoldItem:
    first = votes[0]
    document = {
        "id": id,
        "content_hash": first.content_hash,
        "question": question.id,
        **_said(question, decision[0]),
        "basis": decision[1],
        "votes": [
            {
                "annotator": shown[vote.annotator],
                **_said(question, vote.answer),
                "codebook": vote.codebook,
                "blind": vote.blind,
            }
            for vote in sorted(votes, key=lambda vote: shown[vote.annotator])
        ],
        "group": first.group,
        "split": first.split,
    }
    text = json.dumps(document, ensure_ascii=False)
    return GoldItem(id, question.id, first.trajectory, first.question, text, decision[1], decision[0])


def _counts(items: list[GoldItem]) -> dict[str, Any]:
    """By question: items of each basis, and of each choice (several choices count one by one) or score."""
    by_question: dict[str, Any] = {}
    for item in items:
        kind = "scores" if isinstance(item.answer, float) else "choices"
        row = by_question.setdefault(item.question_id, {"basis": Counter(), kind: Counter()})
        row["basis"][item.basis] += 1
        row[kind].update([f"{item.answer:g}"] if isinstance(item.answer, float) else _each(item.answer))
    return by_question


def _each(answer: str | tuple[str, ...]) -> tuple[str, ...]:
    return (answer,) if isinstance(answer, str) else answer
