"""Which judge runs a study holds, and which one is meant."""

from data.errors import RejudgeError
from data.store import Store
from data.store.judging import JudgeRun, judge_runs
from data.store.prompts import recorded_prompts
from data.store.selection import selection
from data.store.status import judge_run_codes, verdict_counts
from data.study import Study
from data.terminal import on_one_line

SELECTED = " on dev (its prompt was revised here)"
"""What is said of the counts of a run that dev alone may speak of."""


def run_meant(store: Store, name: str | None) -> int | None:
    """The code of the run called `name`; None (every run) where no name was given.

    Raises RejudgeError that lists the runs there are.
    """
    if name is None:
        return None
    codes = judge_run_codes(store)
    if name not in codes:
        raise RejudgeError(
            f"There is no judge run {name!r}.",
            f"Runs in this study: {', '.join(codes) or 'none'}.",
            "Name one of them, or import its verdicts.",
        )
    return codes[name]


def judge_meant(study: Study, store: Store, named: str) -> JudgeRun:
    """The run called `named`, else the only run of the prompt that it means: a path, or the beginning of a hash.

    Raises RejudgeError for none, and for several.
    """
    from judge.prompts import prompt_meant

    runs = judge_runs(store)
    if by_name := [run for run in runs if run.name == named]:
        return by_name[0]
    names = ", ".join(run.name for run in runs) or "none"
    try:
        prompt = prompt_meant(study, store, named)
    except RejudgeError as error:
        raise RejudgeError(
            f"{named!r} is neither a judge run nor a prompt.", f"Runs in this study: {names}. {error.found}", "Name one of them."
        ) from None
    codes = {each.code for each in recorded_prompts(store) if each.hash == prompt.hash}
    of_prompt = [run for run in runs if run.prompt in codes]
    if len(of_prompt) == 1:
        return of_prompt[0]
    if not of_prompt:
        raise RejudgeError(
            f"The prompt {prompt.hash[:8]} has judged nothing yet.",
            f"Runs in this study: {names}.",
            f"Run it first: `rejudge judge run --prompt {named}`.",
        )
    raise RejudgeError(
        f"The prompt {prompt.hash[:8]} has {len(of_prompt)} runs.",
        f"Found {', '.join(run.name for run in of_prompt)}.",
        "Name the run instead.",
    )


def verdict_lines(store: Store) -> list[str]:
    """How often each run gave each verdict, a line each; only for somebody who asked for verdicts."""
    revised = selection(store)
    return [
        f"{run} · {question} · {on_one_line(choice)}: {count}" + (SELECTED if revised.of(run) else "")
        for run, question, choice, count in verdict_counts(store)
    ]
