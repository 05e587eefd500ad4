"""The labelled test items that two judge runs are certified on, less those whose looks are used up.

Reading them counts verdicts on test: whoever does so writes the look down in the same transaction (`test_looks`).
"""

from dataclasses import dataclass

from data.hashing import document_hash
from data.questions import Question
from data.store.factors import items_of_split
from data.store.joint import joint_items, joint_tally
from data.store.selection import for_certificate
from data.store.store import Store
from data.store.tallying import read_answers
from data.store.test_looks import budget
from data.study import Study
from data.tallies import JointTally


@dataclass(frozen=True, slots=True)
class LabelledItems:
    """What there is to certify on."""

    joint: JointTally | None
    """Old run first, new run second; None where no item has a label and both verdicts."""
    items: tuple[int, ...]
    """Trajectory numbers of the table's items."""
    labels: str
    """The hash of these items and of what people say of them together."""
    declared: tuple[int, ...]
    """The numbers of looks, ascending, that were declared for those of them that were looked at before."""
    looks: int
    """The most looks that one of them has had."""
    used_up: int
    """Other test items, which allow no further look."""


def labelled_test_items(store: Store, study: Study, question: Question, code: int, old: str, new: str) -> LabelledItems:
    """The items of test that allow a look. `code`: of the question; `old` and `new`: runs by name."""
    looked, open_ = budget(store, code), items_of_split(store, "test")
    used_up = [n for n in looked.used_up if open_[n]]
    open_[used_up] = False
    found = read_answers(store, study, None, None, open_, for_certificate(store))
    answers = next(each for each in found if each.ratings.question.id == question.id)
    items, said = joint_items(answers, old, new)
    numbers = items.tolist()
    before = [n for n in numbers if n in looked.used]
    return LabelledItems(
        joint=joint_tally(answers, old, new),
        items=tuple(numbers),
        labels=_hash(store, question, numbers, said.tolist()),
        declared=tuple(sorted({looked.declared[n] for n in before})),
        looks=max((looked.used[n] for n in before), default=0),
        used_up=len(used_up),
    )


def _hash(store: Store, question: Question, items: list[int], said: list[int]) -> str:
    known = dict(zip(items, said, strict=True))
    rows = store.conn.execute("SELECT n, id, content_hash FROM trajectories WHERE split = 'test' ORDER BY id")
    choices = question.choices if question.answered_by == "choice" else ()
    listed = [[id, content, choices[known[n]] if choices else known[n]] for n, id, content in rows if n in known]
    return document_hash("test labels", {"question": question.id, "labels": listed})
