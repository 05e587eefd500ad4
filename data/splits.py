"""Train, dev and test: drawn by group, from a salted hash, before the first label.

A group's split depends on the salt, the shares and the group's name alone, so the order of import
does not matter and siblings never straddle.
"""

from dataclasses import dataclass

from data.errors import ImportRefused
from data.hashing import canonical_json, tagged_hash
from data.study import SplitRules

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class SplitDraw:
    """The shares as they stood at the first import, and the study's salt."""

    salt: str
    train: float
    dev: float

    def of(self, group: str) -> str:
        """`train`, `dev` or `test`."""
        point = int(tagged_hash(f"split:{self.salt}", group)[:13], 16) / 16**13
        if point < self.train:
            return "train"
        return "dev" if point < self.train + self.dev else "test"


def rules_document(rules: SplitRules) -> str:
    """The rules as text, to be kept with the study."""
    return canonical_json({"train": rules.train, "dev": rules.dev, "group": rules.group})


def check_rules_unchanged(kept: str | None, rules: SplitRules) -> None:
    """Refuses other rules than those that the splits were drawn by."""
    if kept is not None and kept != rules_document(rules):
        raise ImportRefused(
            "[split] in study.toml has changed since the first import.",
            f"The splits were drawn with {kept}; found {rules_document(rules)}.",
            "Put it back: splits never move. For another split, begin a new study.",
        )
