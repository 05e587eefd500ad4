"""tau-bench results (Yao et al. 2024): one JSON list of runs, each with its OpenAI chat messages.

The reward is a verdict of run `reward`. `info` holds the wanted actions and how the reward came about, so of it only
the user's instruction is shown: it is the task.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.formats.bad_lines import REFUSED, BadLines
from data.formats.conversation import Conversation
from data.formats.fields import identity, list_of, object_of, refuse, shown, text_or_none
from data.formats.openai_chat import read_messages
from data.formats.text import first_item, json_document
from data.questions import Question
from data.records import Entry, Trajectory, Verdict

NAME = "tau-bench"
RUN = "reward"
QUESTION = Question(
    id="success",
    ask="Did the agent do what the user wanted, as far as its policy allows?",
    type="binary",
    choices=("failure", "success"),
    positive="failure",
)
ONE_A_LINE = False
GIVEAWAYS = ("reward", "info", "reward_info", "actions", "outputs", "review", "traj")
"""Every field that is not listed as showable is hidden with them."""

_SHOWABLE = ("task_id", "trial")
_READ = ("traj", "reward")
_FAILED = "Error:"
"""How the environment's tools begin what they say when they fail."""
_NEAR = 1e-6
"""tau-bench's own tolerance for a reward."""


def sniff(path: Path) -> bool:
    """A JSON list whose first item has a trajectory and a task's number."""
    return {"traj", "task_id"} <= first_item(path).keys()


def read(path: Path, bad: BadLines = REFUSED) -> Iterator[Entry]:
    """Every run as an entry with one verdict. Raises ImportRefused that names the item, unless `bad` leaves it out."""
    runs, marks = json_document(path)
    for number, value in enumerate(list_of(runs, "the file"), 1):
        place = f"item {number}"
        with bad:
            entry = _entry_of(object_of(value, place), place)
            entry.marks, marks = entry.marks + marks, 0  # those of the whole file count once
            yield entry


def _entry_of(run: dict[str, Any], place: str) -> Entry:
    missing = [key for key in ("task_id", "trial", "reward", "traj") if key not in run]
    if missing:
        refuse(
            f"{place} lacks {', '.join(f'`{key}`' for key in missing)}.",
            f"Found keys: {', '.join(run)}.",
            "Mend the run, or name the right format with --format.",
        )
    task_id = identity(run["task_id"], f"{place}: `task_id`")
    id = f"{task_id}/{identity(run['trial'], f'{place}: `trial`')}"
    what = f"{place} (run {shown(id)})"
    if not run["traj"]:
        refuse(
            f"{what} has no messages.",
            f"Found `traj`: {shown(run['traj'])}; it broke off.",
            "Take the run out, or leave it out with --skip-bad.",
        )
    conversation = read_messages(run["traj"], what)
    _mark_failures(conversation)
    info = {} if run.get("info") is None else object_of(run["info"], f"{what}: `info`")
    task = {} if info.get("task") is None else object_of(info["task"], f"{what}: `info.task`")
    return Entry(
        place=place,
        trajectory=Trajectory(
            id=id,
            task=text_or_none(task, "instruction", f"{what}: `info.task`") or conversation.task,
            steps=conversation.steps,
            group=task_id,
            metadata={key: run[key] for key in _SHOWABLE},
            hidden={key: value for key, value in run.items() if key not in (*_SHOWABLE, *_READ)},
        ),
        verdicts=[Verdict(trajectory=id, question=QUESTION.id, run=RUN, choice=_choice(run["reward"], what))],
        marks=conversation.marks,
    )


def _choice(reward: Any, what: str) -> str:
    if isinstance(reward, int | float) and not isinstance(reward, bool):
        for value, choice in enumerate(QUESTION.choices):
            if abs(reward - value) <= _NEAR:
                return choice
    refuse(f"{what}: `reward` must be 0 or 1.", f"Found {shown(reward)}.", "1 is success, 0 is failure.")


def _mark_failures(conversation: Conversation) -> None:
    for step in conversation.steps:
        if step["kind"] == "tool_result" and step["text"].startswith(_FAILED):
            step["error"] = True
