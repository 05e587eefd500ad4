"""Gold sets: frozen, hashed exports of what humans decided, with every vote that led to it."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import GoldRefused
from data.hashing import canonical_json, tagged_hash
from data.store import Store
from data.store.gold import GoldItem, Vote, add_gold_set, gold_manifest, gold_names, gold_rows, votes_by_item
from data.store.incoming import unfinished_imports
from data.store.versions import recorded_versions
from data.study import Study, write_atomically

DEFAULT_MIN_LABELS = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """When an item's votes make it gold."""

    min_labels: int = DEFAULT_MIN_LABELS
    names: bool = False
    """Whether annotators appear under their own names instead of pseudonyms."""


def decide(answers: list[str], min_labels: int) -> tuple[str, str] | str:
    """(choice, basis) for the answers that are not unsure; else the reason why the item is left out."""
    if not answers:
        return "no answer"
    choice, count = Counter(answers).most_common(1)[0]
    if count == len(answers) >= min_labels:
        return choice, "single" if count == 1 else "unanimous"
    if len(answers) >= max(3, min_labels) and 2 * count > len(answers):
        return choice, "majority"
    if count == len(answers):
        return f"fewer than {min_labels} labels"
    return "tie" if 2 * count <= len(answers) else "too few labels for a majority"


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
    items, left_out = _decided(store, study, policy)
    if not items:
        raise GoldRefused(
            "No item has the votes for a gold label.",
            f"Found {len(left_out)} labelled items; each needs {policy.min_labels} agreeing labels, or a majority of three.",
            "Label more, or accept single labels with --min-labels 1.",
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
        "agreement": agreement,
    }
    add_gold_set(store, name, set_hash(manifest), canonical_json(manifest), items)
    return manifest | {"hash": set_hash(manifest)}


def rows_hash(documents: list[str]) -> str:
    """The hash of a set's rows in their order; each holds the content hash of its trajectory."""
    return tagged_hash("gold rows", "\n".join(documents))


def set_hash(manifest: dict[str, Any]) -> str:
    """The identity of a gold set: its manifest, which holds the hash of its rows."""
    return tagged_hash("gold set", canonical_json(manifest))


def _decided(store: Store, study: Study, policy: Policy) -> tuple[list[GoldItem], list[dict[str, str]]]:
    votes = votes_by_item(store, [question.id for question in study.questions])
    handles = sorted({vote.annotator for cast in votes.values() for vote in cast})
    shown = {handle: handle if policy.names else f"annotator-{place}" for place, handle in enumerate(handles, 1)}
    items, left_out = [], []
    for (id, question), cast in sorted(votes.items()):
        decision = decide([vote.choice for vote in cast if vote.choice is not None], policy.min_labels)
        if isinstance(decision, str):
            left_out.append({"id": id, "question": question, "reason": decision})
        else:
            items.append(_item(id, question, cast, decision, shown))
    return items, left_out


def _item(id: str, question: str, votes: list[Vote], decision: tuple[str, str], shown: dict[str, str]) -> GoldItem:
    first = votes[0]
    document = {
        "id": id,
        "content_hash": first.content_hash,
        "question": question,
        "choice": decision[0],
        "basis": decision[1],
        "votes": [
            {
                "annotator": shown[vote.annotator],
                **({"unsure": True} if vote.choice is None else {"choice": vote.choice}),
                "codebook": vote.codebook,
                "blind": vote.blind,
            }
            for vote in sorted(votes, key=lambda vote: shown[vote.annotator])
        ],
        "group": first.group,
        "split": first.split,
    }
    return GoldItem(first.trajectory, first.question, json.dumps(document, ensure_ascii=False), decision[1], decision[0])


def _counts(items: list[GoldItem]) -> dict[str, Any]:
    by_question: dict[str, Any] = {}
    for item in items:
        row = by_question.setdefault(json.loads(item.document)["question"], {"basis": Counter(), "choices": Counter()})
        row["basis"][item.basis] += 1
        row["choices"][item.choice] += 1
    return by_question


def export_jsonl(store: Store, name: str, out: Path) -> Path:
    """Writes the gold set as JSON Lines, and `OUT.manifest.json` beside it; the manifest's path.

    The bytes depend on the frozen set alone. Raises GoldRefused.
    """
    frozen = gold_manifest(store, name)
    if frozen is None:
        raise GoldRefused(
            f"There is no gold set {name!r}.", f"Gold sets: {', '.join(gold_names(store)) or 'none'}.", "Freeze one first."
        )
    hash, manifest = frozen
    lines = [
        json.dumps(json.loads(document) | {"task": task, "steps": json.loads(steps)}, ensure_ascii=False)
        for document, task, steps in gold_rows(store, name)
    ]
    text = "".join(f"{line}\n" for line in lines)
    beside = out.with_name(f"{out.name}.manifest.json")
    described = {"hash": hash, "file_sha256": _sha256(text)} | json.loads(manifest)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, text)
        write_atomically(beside, json.dumps(described, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise GoldRefused(f"{out} cannot be written.", f"Found: {error.strerror or error}.", "Name another --out.") from None
    return beside


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
