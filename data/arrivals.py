"""What a file brings, checked against the study's questions and ready to be written.

Between a format, which knows how a file is written, and the store, which knows what is there already.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from data.errors import ImportRefused, StudyError
from data.formats import Reading
from data.formats.fields import did_you_mean, gives_away, shown
from data.guessing import Used, range_of
from data.hashing import canonical_json, content_hash
from data.questions import MOST_LABELS, Question, question_block
from data.records import Entry, Label, Step, Trajectory, Verdict
from data.study import Study, parse_study

MANY_CHOICES = 30
"""A question with more was not meant: its file has free text where a choice should stand."""


@dataclass(slots=True)
class NewTrajectory:
    """A trajectory as it will be stored."""

    id: str
    content_hash: str
    task: str | None
    steps: str
    """Canonical JSON."""
    step_count: int
    group: str
    metadata: dict[str, Any]
    hidden: dict[str, Any]


@dataclass(slots=True)
class NewAnswer:
    """A verdict or an imported label as it will be stored."""

    trajectory: str
    source: str
    """The judge run's or the annotator's name."""
    question: str
    repeat: int
    choice: str | None
    error: str | None
    rationale: str | None
    steps: list[int | str] | None
    """Cited or evidence steps; positions once they are resolved."""
    confidence: float | None
    choices: tuple[str, ...] | None = None
    """In the declared order."""
    score: float | None = None


@dataclass(slots=True)
class Arrival:
    """One entry of a file."""

    place: str
    id: str
    trajectory: NewTrajectory | None
    verdicts: list[NewAnswer] = field(default_factory=list)
    labels: list[NewAnswer] = field(default_factory=list)
    marks: int = 0


@dataclass(frozen=True, slots=True)
class Naming:
    """What the command line says about the names in a file."""

    run: str | None = None
    question: str | None = None
    prefix: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    """Which column of a table is which field; in another study, which annotator is who."""


class Receiver:
    """Turns a format's entries into arrivals. Raises ImportRefused, with the place, for what cannot stay."""

    def __init__(self, study: Study, naming: Naming, format: Reading, path: Path) -> None:
        self.study = study
        self.naming = naming
        self.format = format
        self.path = path
        self.brought: Question | None = format.QUESTION
        self.giveaways: frozenset[str] = frozenset(format.GIVEAWAYS)
        # Reads the whole file once more, for a refusal that tells all that has to be declared.
        self.again: Callable[[], Iterator[Entry]] = partial(format.read, path)
        self.used: dict[str, Used] = {}
        self.questions = {question.id: question for question in study.questions}
        # Of questions that take one choice: what most answers are, and so what is looked up first.
        self.choices = {q.id: frozenset(q.choices if q.answered_by == "choice" else ()) for q in study.questions}

    def receive(self, entry: Entry) -> Arrival:
        trajectory = None if entry.trajectory is None else self._trajectory(entry.trajectory, entry.place)
        if entry.trajectory is not None:
            id = entry.trajectory.id
        else:
            id = (entry.verdicts[0] if entry.verdicts else entry.labels[0]).trajectory
        id = self.naming.prefix + id
        arrival = Arrival(entry.place, id, trajectory, marks=entry.marks)
        for verdict in entry.verdicts:
            arrival.verdicts.append(
                NewAnswer(
                    trajectory=id,
                    source=self._run(verdict, entry.place),
                    question=self._question(verdict, entry.place),
                    repeat=verdict.repeat,
                    choice=verdict.choice,
                    error=verdict.error,
                    rationale=verdict.rationale,
                    steps=verdict.cites,
                    confidence=verdict.confidence,
                    choices=verdict.choices,
                    score=verdict.score,
                )
            )
        for label in entry.labels:
            arrival.labels.append(
                NewAnswer(
                    trajectory=id,
                    source=label.annotator,
                    question=self._question(label, entry.place),
                    repeat=0,
                    choice=label.choice,
                    error=None,
                    rationale=label.rationale,
                    steps=label.evidence,
                    confidence=None,
                    choices=label.choices,
                    score=label.score,
                )
            )
        if entry.trajectory is not None:
            resolve_positions(arrival, entry.trajectory.steps)
        return arrival

    def _trajectory(self, trajectory: Trajectory, place: str) -> NewTrajectory:
        try:
            steps = canonical_json(trajectory.steps)
            hash = content_hash(trajectory.task, steps)
            if trajectory.metadata or trajectory.hidden:
                canonical_json([trajectory.metadata, trajectory.hidden])
        except ValueError:
            raise ImportRefused(
                f"{place} (trajectory {shown(trajectory.id)}) holds a number too large for JSON.",
                "Found an infinite value.",
                "Write it as text.",
            ) from None
        # What would give the answer away is never shown, whatever study.toml says and wherever it stood.
        telling = {key for key, value in trajectory.metadata.items() if gives_away(key, value, self.giveaways)}
        return NewTrajectory(
            id=self.naming.prefix + trajectory.id,
            content_hash=hash,
            task=trajectory.task,
            steps=steps,
            step_count=len(trajectory.steps),
            group=trajectory.group or self._group_field(trajectory) or hash,
            metadata={key: value for key, value in trajectory.metadata.items() if key not in telling},
            hidden=trajectory.hidden | {key: trajectory.metadata[key] for key in telling},
        )

    def _group_field(self, trajectory: Trajectory) -> str | None:
        field = self.study.split.group
        value = trajectory.metadata.get(field, trajectory.hidden.get(field)) if field else None
        if value is None or value in ("", [], {}):
            return None
        return (value if value.strip() else None) if isinstance(value, str) else canonical_json(value)

    def _run(self, verdict: Verdict, place: str) -> str:
        run = verdict.run or self.naming.run
        if not run:
            raise ImportRefused(
                f"{place}: a verdict does not say which judge run it is from.",
                f"Found a verdict on trajectory {shown(verdict.trajectory)} without `run`.",
                "Name the run with --run NAME.",
            )
        return run

    def _meant(self, id: str | None) -> str | None:
        """The question that an answer is to, where the file names `id`."""
        if id is None or (self.naming.question and self.brought and id == self.brought.id):
            id = self.naming.question
        if id is None and len(self.questions) == 1:
            id = next(iter(self.questions))
        return id

    def _question(self, answer: Verdict | Label, place: str) -> str:
        """The question that `answer` is to, which must be declared and take it."""
        id = self._meant(answer.question)
        if id is None:
            raise ImportRefused(
                f"{place}: an answer does not say which question it is to.",
                f"The study has {len(self.questions)} questions: {', '.join(self.questions) or 'none'}.",
                "Name one with --question ID, or write `question` beside the answer.",
            )
        if id not in self.questions:
            raise ImportRefused(
                f"{place}: there is no question {shown(id)} in this study.",
                f"study.toml declares: {', '.join(self.questions) or 'none'}.",
                _advice("Declare it in study.toml, with your own wording", self._used(id).question(id)),
            )
        if answer.choice is not None and answer.choice in self.choices[id]:
            return id
        if answer.choice is not None or answer.choices is not None or answer.score is not None:
            self._check_taken(answer, self.questions[id], place)
        return id

    def _check_taken(self, answer: Verdict | Label, question: Question, place: str) -> None:
        """Refuses an answer that is not among those which `question` declares; brings several choices into its order."""
        brought = "choice" if answer.choice is not None else "score" if answer.choices is None else "choices"
        if brought != question.answered_by:
            raise ImportRefused(
                f"{place}: question {shown(question.id)} takes no `{brought}`.",
                f"Found {shown(getattr(answer, brought))}; the question is declared as {question.type}.",
                f"Write its answers as `{question.answered_by}`, or declare another question for these.",
            )
        if answer.score is not None:
            if not question.allows_score(answer.score):
                self._refuse_undeclared(
                    question, f"score {answer.score!r}", f"Declared range: {question.min} to {question.max}.", place
                )
            return
        for choice in (answer.choice,) if answer.choice is not None else answer.choices or ():
            if choice not in question.choices:
                names = f"Declared choices: {', '.join(question.choices)}."
                self._refuse_undeclared(question, f"choice {shown(choice)}", names, place, did_you_mean(choice, question.choices))
        if answer.choices is not None:
            answer.choices = tuple(sorted(answer.choices, key=question.choices.index))

    def _refuse_undeclared(self, question: Question, what: str, declared: str, place: str, hint: str = "") -> NoReturn:
        raise ImportRefused(
            f"{place}: question {shown(question.id)} has no {what}.",
            declared,
            hint
            + _advice(
                "Mend the file, or put this in the place of the question's block", _widened(question, self._used(question.id))
            ),
        )

    def _used(self, id: str) -> Used:
        """What the file answers to question `id`, in its order, up to the first line that is broken."""
        if id in self.used:  # where bad lines are left out, many ask
            return self.used[id]
        used = self.used[id] = Used()
        with suppress(ImportRefused):  # a later refusal is for the next attempt
            for entry in self.again():
                answers: list[Verdict | Label] = [*entry.verdicts, *entry.labels]
                for answer in answers:
                    if self._meant(answer.question) == id:
                        used.add(answer)
        return used


def _widened(question: Question, used: Used) -> Question:
    """`question` with the choices or the scores that a file uses beside its own. A binary one is then nominal."""
    if question.type == "score":
        assert question.min is not None and question.max is not None
        low, high = range_of(min(question.min, used.least), max(question.max, used.most))
        return replace(question, min=low, max=high)
    choices = tuple(dict.fromkeys((*question.choices, *(used.labels if question.type == "multilabel" else used.choices))))
    kind = "nominal" if question.type == "binary" else question.type
    evidence = "any" if question.evidence == "first" else question.evidence
    return Question(question.id, question.ask, kind, choices, None, evidence, question.when)


def _advice(do: str, question: Question) -> str:
    """`do` with the block of study.toml that declares `question`, where it can be declared."""
    if len(question.choices) > (MOST_LABELS if question.type == "multilabel" else MANY_CHOICES):
        return f"Mend the file: this question would have {len(question.choices)} choices. Free text belongs into `rationale`."
    try:
        parse_study(f'name = "a study"\n{question_block(replace(question, when=None))}', Path())
    except StudyError as error:
        return f"Mend the file. Such a question cannot be declared: {error.wrong.partition(': ')[2]} {error.do}"
    return f"{do}:\n\n{question_block(question)}"


def resolve_positions(arrival: Arrival, steps: list[Step]) -> None:
    """Turns cited and evidence steps into positions. Raises ImportRefused for one that does not exist."""
    for kind, answers in (("cites", arrival.verdicts), ("evidence", arrival.labels)):
        for answer in answers:
            if not answer.steps:
                continue
            places: list[int | str] = []
            for step in answer.steps:
                if isinstance(step, int) and 0 <= step < len(steps):
                    places.append(step)
                    continue
                named = [position for position, other in enumerate(steps) if "id" in other and str(other["id"]) == str(step)]
                if len(named) > 1 and isinstance(step, str):
                    raise ImportRefused(
                        f"{arrival.place} (trajectory {shown(arrival.id)}): `{kind}` names an id that several steps have.",
                        f"Found {shown(step)}, the id of the steps {', '.join(map(str, named[:5]))}.",
                        "Use positions, counted from 0.",
                    )
                if isinstance(step, int) or not named:
                    raise ImportRefused(
                        f"{arrival.place} (trajectory {shown(arrival.id)}): `{kind}` names a step that does not exist.",
                        f"Found {shown(step)}; the trajectory has {len(steps)} steps, 0 to {len(steps) - 1}.",
                        "Count from 0, or use a step's own id.",
                    )
                places += named
            answer.steps = places
