"""Which judge runs a study holds, and which one is meant."""

from data.errors import RejudgeError
from data.store import Store
from data.store.status import judge_run_codes, verdict_counts
from data.terminal import on_one_line


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


def verdict_lines(store: Store) -> list[str]:
    """How often each run gave each verdict, a line each; only for somebody who asked for verdicts."""
    return [f"{run} · {question} · {on_one_line(choice)}: {count}" for run, question, choice, count in verdict_counts(store)]
