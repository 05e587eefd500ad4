"""A question's prompts as a tree: those of its files and those on record, each below the one that it was made from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.questions import Question
from data.store import Store
from data.store.prompts import recorded_prompts
from judge.prompts import Prompt, prompt_of

SHORT = 8
"""Digits of a hash that are shown."""


@dataclass(frozen=True, slots=True)
class Node:
    """One prompt."""

    prompt: Prompt
    parent: str | None
    """The hash of the prompt that it was made from, where that is known here."""
    depth: int
    files: tuple[Path, ...]
    """Where it lies; empty for one that is on record alone."""
    code: int | None
    """On record: in the store."""
    revised: bool
    """Whether only dev, and a certificate, may speak of it."""

    @property
    def hash(self) -> str:
        return self.prompt.hash

    @property
    def short(self) -> str:
        return self.hash[:SHORT]

    @property
    def named(self) -> str:
        """Its file, else its hash."""
        return self.files[-1].name if self.files else self.short


def prompt_tree(store: Store, question: Question, files: Sequence[Prompt]) -> list[Node]:
    """Every prompt of a question, on record or among its `files`, each after its parent, children in the order they came in."""
    nodes: dict[str, Node] = {}
    for record in recorded_prompts(store, question.id):
        nodes[record.hash] = Node(prompt_of(record), record.parent, 0, (), record.code, record.revised)
    for prompt in files:
        assert prompt.path is not None
        there = nodes.get(prompt.hash)
        if there is None:
            nodes[prompt.hash] = Node(prompt, None, 0, (prompt.path,), None, prompt.parent is not None)
        else:
            nodes[prompt.hash] = replace(there, files=(*there.files, prompt.path))
    placed = [replace(node, parent=_known(node, nodes)) for node in nodes.values()]
    return _in_order(placed)


def _known(node: Node, nodes: dict[str, Node]) -> str | None:
    """The whole hash of a node's parent, where its beginning names one prompt that is here."""
    named = (node.prompt.parent or "").lower()
    found = [hash for hash in nodes if named and hash.startswith(named) and hash != node.hash]
    return found[0] if len(found) == 1 else None


def _in_order(nodes: list[Node]) -> list[Node]:
    children: dict[str | None, list[Node]] = {}
    for node in nodes:
        children.setdefault(node.parent, []).append(node)
    ordered: list[Node] = []
    waiting = [(node, 0) for node in reversed(children.get(None, []))]
    while waiting:
        node, depth = waiting.pop()
        ordered.append(replace(node, depth=depth))
        waiting += [(child, depth + 1) for child in reversed(children.get(node.hash, []))]
    # Files that name each other as parents hang on no first one; they are shown all the same.
    return ordered + [node for node in nodes if node.hash not in {each.hash for each in ordered}]
