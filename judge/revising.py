"""One round of revision: which prompt, by whose errors, what stands in the way, who is asked, and how the candidates fare."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from data.errors import RejudgeError
from data.questions import Question
from data.store import Store
from data.store.causes import causes_of, judges_held_wrong
from data.store.judging import JudgeRun, judge_runs
from data.store.prompts import recorded_prompts
from data.store.status import question_codes
from data.store.versions import AskedQuestion, record_versions
from data.study import Study, write_study_file
from judge.competing import ROUNDS_WITHOUT_GAIN, Contest, Optimism, Step, contest, is_gain, optimism, rounds_without_gain
from judge.dev_table import DevTable, dev_table
from judge.endpoint import JudgeEndpoint, Parameters, endpoint_meant
from judge.identity import Judge
from judge.prompts import Prompt, newest_prompt, next_path, prompt_meant, prompts_in
from judge.readiness import Readiness, agreement_of_people, readiness
from judge.reviser import Proposal
from judge.runs import run_meant
from reports.of_study.agreement import agreement_of

AUTHOR = "rejudge revise"
_ROUND = re.compile(r"round (\d+)\b")


@dataclass(frozen=True, slots=True)
class Revision:
    """What is to be revised."""

    study: Study
    asked: AskedQuestion
    prompt: Prompt
    run: JudgeRun
    """Whose errors it learns from."""

    def endpoint(self, base_url: str | None, model: str | None) -> JudgeEndpoint:
        """Where the judge is asked: as in the run, or as named where its verdicts were imported."""
        if self.run.kind == "asked":
            return JudgeEndpoint(self.run.document["endpoint"], self.run.document["model"])
        return endpoint_meant(self.study, base_url, model)

    def options(self, endpoint: JudgeEndpoint) -> list[str]:
        """What `judge run` has to be given to ask this judge: what it would not take by itself."""
        asked, most = endpoint_meant(self.study, None, endpoint.model), self.parameters.max_tokens
        return [
            *([f"--model={endpoint.model}"] if endpoint.model != self.study.judge_model else []),
            *([f"--base-url={endpoint.base_url}"] if endpoint.base_url != asked.base_url else []),
            *([f"--max-tokens={most}"] if most is not None else []),
        ]

    @property
    def parameters(self) -> Parameters:
        """What the run was asked with."""
        said = self.run.document.get("parameters", {}) if self.run.kind == "asked" else Parameters().document()
        return Parameters(said.get("temperature"), said.get("max_tokens"))

    def judge(self, store: Store, prompt: Prompt, endpoint: JudgeEndpoint) -> Judge:
        """The same judge with another prompt."""
        return Judge.of(store, self.study, self.asked, prompt, endpoint, self.parameters)


def revision_meant(study: Study, store: Store, prompt: str | None, run: str | None) -> Revision:
    """By default the run on which a cause “judge wrong” was given last, and its prompt; of imported verdicts the newest prompt.

    Raises RejudgeError where no such cause is on record, and where names mean nothing, or another question.
    """
    asked, _ = record_versions(store, study)
    named, code = None if prompt is None else prompt_meant(study, store, prompt), run_meant(store, run)
    runs = {each.code: each for each in judge_runs(store)}
    by_code = {code: id for id, code in question_codes(store).items()}
    hashes = {each.code: each.hash for each in recorded_prompts(store)}

    def fits(run: int, question: int) -> bool:
        mine = named is None or (by_code[question] == named.question and (code is not None or _is_of(runs[run], hashes, named)))
        # A judge without an LLM errs by no prompt.
        return mine and code in (None, run) and runs[run].kind != "baseline"

    found = next(((runs[run], by_code[question]) for run, question in judges_held_wrong(store) if fits(run, question)), None)
    if found is None:
        raise RejudgeError(
            "There is nothing to revise a prompt by.",
            f"Found no cause “judge wrong” on {run or 'any run'}{f' of the prompt {named.hash[:8]}' if named and not run else ''}.",
            "Run the judge on train, and say on the disagreements page why it and the humans differ.",
        )
    which, id = found
    question = next((each for each in asked if each.question.id == id), None)
    if question is None:
        raise RejudgeError(f"The question {id!r} is not declared.", "Found causes on it.", f"Put it back into {study.toml}.")
    if named is None:
        told = None if which.prompt is None else hashes[which.prompt]
        named = newest_prompt(study, question.question) if told is None else prompt_meant(study, store, told)
    return Revision(study, question, named, which)


def _is_of(run: JudgeRun, hashes: dict[int, str], prompt: Prompt) -> bool:
    """Whether a run is of this prompt; one of which nobody knows the prompt may be of any."""
    return run.prompt is None or hashes[run.prompt] == prompt.hash


def codebook_first(store: Store, revision: Revision) -> Readiness:
    """Whether the codebook is the trouble rather than the prompt."""
    document = agreement_of(revision.study, store, revision.run.code, None)
    people = next(each for each in document["questions"] if each["id"] == revision.asked.question.id)
    causes = Counter(cause.cause for cause in causes_of(store, revision.run.code, revision.asked.code).values())
    return readiness(agreement_of_people(people), causes)


def tree(store: Store, table: DevTable) -> list[Step]:
    """Every revision on record of a question, and whether it gained on its parent where one judge ran both on dev."""
    prompts = recorded_prompts(store, table.question.id)
    runs: dict[int, list[JudgeRun]] = {}
    for run in judge_runs(store):
        if run.prompt is not None:
            runs.setdefault(run.prompt, []).append(run)
    code = {prompt.hash: prompt.code for prompt in prompts}
    steps = []
    for prompt in prompts:
        pairs = [
            (one, two)
            for one in runs.get(code.get(prompt.parent or "", 0), [])
            for two in runs.get(prompt.code, [])
            if _but_for_the_prompt(one) == _but_for_the_prompt(two)
        ]
        compared = [found for one, two in pairs if (found := table.compared(one.name, two.name)).n]
        gained = any(map(is_gain, compared)) if compared else None
        steps.append(Step(prompt.hash, prompt.parent, round_of(prompt.note), gained))
    return steps


def _but_for_the_prompt(run: JudgeRun) -> dict[str, object]:
    return {key: value for key, value in run.document.items() if key != "prompt"}


def round_of(note: str) -> int | None:
    """The round that a candidate's note begins with."""
    found = _ROUND.match(note)
    return int(found[1]) if found else None


def refuse_more_rounds(steps: Sequence[Step], prompt: Prompt) -> None:
    """Raises RejudgeError where the last rounds brought nothing."""
    barren = rounds_without_gain(prompt.hash, steps)
    if barren >= ROUNDS_WITHOUT_GAIN:
        raise RejudgeError(
            f"The last {barren} rounds of revision brought no gain on dev.",
            f"Found no candidate since then that was ahead by more than one standard error ({prompt.hash[:8]} is where it stands).",
            "Certify what you have, label more dev items, mend the codebook, or go on with --anyway.",
        )


def candidate(revision: Revision, proposal: Proposal, author: str, round: int, despite: str) -> Prompt:
    """The child that a proposal makes; `despite`: what was overridden, in words, or nothing."""
    note = f"round {round}{f', {despite}' if despite else ''}: {proposal.reasons}"
    parent = revision.prompt
    return Prompt(parent.question, proposal.body, parent.hash, author, note, examples=parent.examples)


def next_round(study: Study, question: Question, prompt: Prompt) -> int:
    """The number of a round that begins at `prompt` now, by the files there are."""
    children = [each for each in prompts_in(study, question) if each.parent and prompt.hash.startswith(each.parent.lower())]
    return 1 + max((round_of(each.note) or 0 for each in children), default=0)


def save(revision: Revision, candidates: Sequence[Prompt], last: str | None) -> list[Prompt]:
    """Writes each as a file of its own, that of the hash `last` after the others: `judge run` takes the newest by itself."""
    ordered = sorted(candidates, key=lambda each: each.hash == last)
    saved = []
    for each in ordered:
        path = next_path(revision.study, revision.prompt.question)
        write_study_file(path, each.text())
        saved.append(replace(each, path=path))
    return saved


@dataclass(frozen=True, slots=True)
class Result:
    """How the candidates fared on dev."""

    contest: Contest
    """Its names are those of `runs`."""
    optimism: Optimism
    figure: str
    """What they are compared by."""
    runs: dict[str, str]
    """Run to the hash of its prompt, the parent first."""

    @property
    def winner(self) -> str:
        """The hash of the prompt to go on with."""
        return self.runs[self.contest.winner]


def result(store: Store, revision: Revision, runs: dict[str, Prompt]) -> Result:
    """`runs`: name to prompt, the parent first; all of them have verdicts on the labelled dev items."""
    table = dev_table(store, revision.study, revision.asked.question.id)
    parent = next(iter(runs))
    found = contest(parent, {run: len(prompt.body) for run, prompt in runs.items()}, table.compared)
    items = table.shared(list(runs))
    figure = table.figure(items)
    return Result(found, optimism(items, figure), figure.name, {run: prompt.hash for run, prompt in runs.items()})
