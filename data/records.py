"""The things that come in from a file, as plain values: trajectory, verdict, label.

An importer hands these over; the study's questions decide whether they may stay.
"""

from dataclasses import dataclass, field
from typing import Any

Step = dict[str, Any]
"""One step as it is stored: `kind`, and the fields that its kind allows (see `data/formats/native.py`)."""

CONSENSUS = "consensus"
"""Stands beside annotators in the figures, so no annotator can be called so."""

STEP_KINDS = ("message", "reasoning", "tool_call", "tool_result", "observation", "note")


@dataclass(slots=True)
class Trajectory:
    """One run of an agent."""

    id: str
    """The source's own id, as text."""
    task: str | None
    steps: list[Step]
    group: str | None = None
    """Siblings that must not straddle splits; None where neither the line nor the format brings one."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Fields that a study may choose to show."""
    hidden: dict[str, Any] = field(default_factory=dict)
    """Fields that give the answer away, or that nobody declared: kept, and never shown."""


@dataclass(slots=True)
class Verdict:
    """A judge's answer (one of `choice`, `choices` and `score`) or an error, never neither, never both."""

    trajectory: str
    question: str | None
    """None: the study's only question."""
    run: str | None
    """None: the run named on the command line."""
    choice: str | None = None
    error: str | None = None
    rationale: str | None = None
    cites: list[int | str] | None = None
    """Positions in the steps, or the steps' own ids."""
    confidence: float | None = None
    repeat: int = 0
    choices: tuple[str, ...] | None = None
    """For a multilabel question; empty: none of them."""
    score: float | None = None


@dataclass(slots=True)
class Label:
    """A human's answer that came with a file: one of `choice`, `choices` and `score`, or none of them for unsure."""

    trajectory: str
    question: str | None
    annotator: str
    choice: str | None = None
    rationale: str | None = None
    evidence: list[int | str] | None = None
    choices: tuple[str, ...] | None = None
    score: float | None = None


@dataclass(slots=True)
class Entry:
    """What one line or item of a file holds."""

    place: str
    """Where it stands, for a message: `line 14`, `item 3`."""
    trajectory: Trajectory | None
    """None in a file of verdicts or labels alone."""
    verdicts: list[Verdict] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    marks: int = 0
    """Characters that cannot be stored (NUL, lone surrogates) and came in as a visible mark."""
