"""Whether the lines of one file agree with each other, before anything is written."""

import hashlib
from functools import lru_cache

from data.arrivals import Arrival, NewAnswer, NewTrajectory
from data.hashing import canonical_json
from data.store.incoming import check_same_content, in_words, refuse_changed_answer, refuse_changed_field


def _digest(*parts: object, size: int = 16) -> bytes:
    return hashlib.blake2b(canonical_json(parts).encode(), digest_size=size).digest()


@lru_cache(maxsize=10_000)
def _field_digest(kind: str, key: str) -> bytes:
    return _digest(kind, key, size=6)


_NOTHING = b"\0" * 8


class EarlierLines:
    """What earlier lines of the same file said, in a few bytes each: lines must not contradict each other."""

    def __init__(self) -> None:
        self.trajectories: dict[str, bytes] = {}
        self.answers: dict[bytes, bytes] = {}

    def add(self, arrival: Arrival) -> None:
        """Notes what `arrival` says. Raises ImportRefused where it contradicts an earlier line; then nothing is noted of it."""
        trajectory = None if arrival.trajectory is None else self._trajectory(arrival, arrival.trajectory)
        answers: dict[bytes, bytes] = {}
        for kind, given in (("verdict of run", arrival.verdicts), ("label of annotator", arrival.labels)):
            for answer in given:
                key = _digest(kind, answer.trajectory, answer.source, answer.question, answer.repeat)
                answers[key] = self._answer(arrival, answer, kind, answers.get(key) or self.answers.get(key))
        if trajectory is not None:
            self.trajectories[arrival.id] = trajectory
        self.answers.update(answers)

    def _trajectory(self, arrival: Arrival, new: NewTrajectory) -> bytes:
        fields = {
            _field_digest(kind, key): (key, _digest(value, size=8))
            for kind, table in (("metadata", new.metadata), ("hidden", new.hidden))
            for key, value in table.items()
        }
        old = self.trajectories.get(arrival.id)
        if old is None:
            packed = b"".join(key + value for key, (_, value) in fields.items())
            return bytes.fromhex(new.content_hash[:32]) + _digest(new.group, size=8) + packed
        check_same_content(arrival, new.content_hash[:32], old[:16].hex())
        # The rule of `check_same_group`: a line that names no group contradicts nobody.
        if new.group != new.content_hash and old[16:24] != _digest(new.group, size=8):
            refuse_changed_field(arrival, "field", "group", "another one", new.group)
        known = {old[at : at + 6]: old[at + 6 : at + 14] for at in range(24, len(old), 14)}
        for key, (name, value) in fields.items():
            if known.setdefault(key, value) != value:
                refuse_changed_field(arrival, "field", name, "another value in an earlier line", "a new one")
        return old[:24] + b"".join(key + value for key, value in known.items())

    def _answer(self, arrival: Arrival, answer: NewAnswer, kind: str, old: bytes | None) -> bytes:
        details = {"rationale": answer.rationale, "steps": answer.steps, "confidence": answer.confidence}
        said = _digest(answer.choice, answer.choices, answer.score, answer.error, size=8)
        # The rule of the store: what a line leaves out contradicts nobody.
        parts = [_NOTHING if value is None else _digest(value, size=8) for value in details.values()]
        if old is None:
            return b"".join((said, *parts))
        if old[:8] != said:
            refuse_changed_answer(arrival, answer, kind, in_words(answer), "another answer in an earlier line")
        for place, (name, part) in enumerate(zip(details, parts, strict=True), 1):
            if part not in (_NOTHING, old[8 * place : 8 * place + 8]):
                new = f"{in_words(answer)} with this {name}"
                refuse_changed_answer(arrival, answer, kind, new, "the same answer with another, in an earlier line")
        return old
