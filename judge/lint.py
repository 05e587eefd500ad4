"""What is wrong with a prompt before anybody pays for asking it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from data.codebook import read_page
from data.errors import RejudgeError
from data.questions import Question
from data.store import Store
from data.store.judging import judge_runs
from data.store.prompts import recorded_prompts
from data.study import Study
from data.terminal import on_one_line
from data.wording import amount, quoted
from judge.copied import copied_passages
from judge.evidence import view_of
from judge.examples import example_items, examples_refused
from judge.named_labels import undeclared_labels
from judge.prompts import Prompt, prompt_meant
from judge.template import parts_of, written_parts

FRONT_MATTER = 0
"""In the place of a line of the template."""
MOST_QUOTED = 120
"""Characters of a copied passage that are repeated."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a prompt."""

    kind: str
    """`parent`, `placeholder`, `label`, `example` or `copied`."""
    line: int | None
    """The line of the template, from 1; None for the whole of it, or its front matter."""
    text: str
    """What is wrong, or worth knowing, and what to do: a sentence or two. It may quote the prompt."""
    refused: bool
    """Whether a judge is not asked by this prompt as it is; otherwise it is a note."""


def findings(study: Study, store: Store, prompt: Prompt) -> list[Finding]:
    """Everything found about a prompt, what is refused first. Reads every trajectory once.

    Raises RejudgeError for a prompt of a question that the study does not declare.
    """
    question = study.question(prompt.question)
    if question is None:
        declared = ", ".join(each.id for each in study.questions) or "none"
        raise RejudgeError(
            f"{_named(prompt)} is about a question that the study does not declare.",
            f"Found {prompt.question!r}; declared: {declared}.",
            "Mend `question` in its front matter, or declare the question in study.toml.",
        )
    found = [
        *_parent(study, store, prompt), *_placeholders(prompt, question), *_labels(prompt, question),
        *_examples(store, prompt, question), *_copied(study, store, prompt, question),
    ]  # fmt: skip
    return sorted(found, key=lambda finding: not finding.refused)


def passed(study: Study, store: Store, prompt: Prompt) -> list[Finding]:
    """The notes on a prompt that a judge may be asked by. Raises RejudgeError that lists why it may not be."""
    found = findings(study, store, prompt)
    refused = [finding for finding in found if finding.refused]
    if refused:
        raise RejudgeError(
            f"{_named(prompt)} is not as a prompt must be.",
            "Found: " + on_one_line(" ".join(said(finding) for finding in refused)),
            "Mend it; `rejudge judge lint` says when it is right.",
        )
    return found


def check_new(study: Study, store: Store, prompts: Iterable[Prompt]) -> list[str]:
    """Notes in words on those of the prompts that no judge was asked by yet. Raises RejudgeError where lint refuses one.

    What was asked with a prompt is paid for, and goes on: such a prompt is not looked at again.
    """
    codes = {run.prompt for run in judge_runs(store)}
    known = {recorded.hash for recorded in recorded_prompts(store) if recorded.code in codes}
    new = [prompt for prompt in prompts if prompt.hash not in known]
    return [f"{_named(prompt)}: {said(finding)}" for prompt in new for finding in passed(study, store, prompt)]


def said(finding: Finding) -> str:
    """A finding in words, with its line."""
    return finding.text if finding.line is None else f"Line {finding.line}: {finding.text}"


def _named(prompt: Prompt) -> str:
    return str(prompt.path) if prompt.path else f"Prompt {prompt.hash[:8]}"


def _parent(study: Study, store: Store, prompt: Prompt) -> Iterator[Finding]:
    if prompt.parent is None:
        return
    try:
        own = prompt_meant(study, store, prompt.parent).hash == prompt.hash
    except RejudgeError as error:
        text = f"`parent` in the front matter: {error.wrong} Give the file or the hash of the prompt that it was made from."
        yield Finding("parent", None, text, True)
    else:
        if own:
            yield Finding(
                "parent", None, "`parent` in the front matter names the prompt itself; name the one it was made from.", True
            )


def _placeholders(prompt: Prompt, question: Question) -> Iterator[Finding]:
    try:
        used = parts_of(prompt)[1::2]
    except RejudgeError as error:
        yield Finding("placeholder", None, " ".join((error.wrong.split(": ", 1)[-1], error.found, error.do)), True)
        return
    absent = [choice for choice in question.choices if choice not in prompt.body]
    if "choices" not in used and (absent or question.type == "score"):
        what = f"it does not name {quoted(absent)}" if absent else "the range of scores may be another one than study.toml declares"
        yield Finding("placeholder", None, f"There is no {{{{choices}}}}, and {what}. Write {{{{choices}}}}.", True)
    if "examples" in used and not prompt.examples:
        text = "{{examples}} stands for nothing: there is no line `example: ID | ANSWER` in the front matter."
        yield Finding("placeholder", None, text, False)
    if prompt.examples and "examples" not in used:
        text = "There is no {{examples}}: the judge is not shown the examples of the front matter. Write it where they belong."
        yield Finding("placeholder", None, text, True)
    if "codebook" not in used:
        text = "There is no {{codebook}}: the judge is not shown the page that annotators work from."
        yield Finding("placeholder", None, text, False)
    if "question" not in used and question.ask not in prompt.body:
        yield Finding(
            "placeholder", None, "There is no {{question}}, and the question stands in no other words of study.toml.", False
        )
    if "task" not in used:
        yield Finding("placeholder", None, "There is no {{task}}: the judge is not shown the task, as annotators are.", False)


def _labels(prompt: Prompt, question: Question) -> Iterator[Finding]:
    can_be = "a number in the range of scores" if question.type == "score" else f"one of {quoted(question.choices)}"
    for line, label in undeclared_labels(question, prompt.body):
        yield Finding("label", line, f"“{label}” is named as a verdict, and the question takes {can_be}.", True)


def _examples(store: Store, prompt: Prompt, question: Question) -> Iterator[Finding]:
    for what, then in examples_refused(prompt, question, example_items(store, prompt)):
        yield Finding("example", None, f"{what} {then}", True)


def _copied(study: Study, store: Store, prompt: Prompt, question: Question) -> Iterator[Finding]:
    page = "\n".join((question.ask, read_page(study, question)))
    reasons = [(FRONT_MATTER, example.why) for example in prompt.examples]
    for passage in copied_passages(store, [*written_parts(prompt.body), *reasons], page, view_of(study).show):
        count = len(passage.text.split())
        words = passage.text if len(passage.text) <= MOST_QUOTED else f"{passage.text[:MOST_QUOTED]}…"
        text = (
            f"{amount(count, 'word')} in a row stand in {passage.split} trajectory “{passage.trajectory}”: “{words}”. "
            "Say it in general words: a prompt that quotes what it is measured on measures nothing."
        )
        yield Finding("copied", passage.line or None, text, True)
