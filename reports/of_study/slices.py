"""Every judge run against the human consensus, slice by slice: by metadata, length and source."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from data.records import CONSENSUS
from data.store import Store
from data.store.slicing import SliceItems, Slicing, slices
from data.store.tallying import Answers, read_answers
from data.store.versions import check_still_declared
from data.study import Study
from data.tallies import PairTally
from reports.document import SELECTED_SAID, Document, selected_on
from reports.slices import SlicedField, SlicePair, sliced

Key = tuple[str, str]
"""Question and judge run."""


def slices_of(study: Study, store: Store, run: int | None, labels: str | None) -> Document:
    """The slices of a study. `run`: a judge run's code, or None for all; `labels`: a source, or None for the default.

    Answers are read once, and counted slice by slice. Raises StudyError where study.toml lost what the labels use.
    """
    with store.reading():
        check_still_declared(store, study)
        answers, found = read_answers(store, study, run, labels), slices(store, study)
    fields = _fields(answers, [each for each in found if each.parts])
    return {
        "study": study.name,
        "questions": [_question(each, fields) for each in answers],
        "left_out": [{"field": each.field, "reason": each.left_out} for each in found if each.left_out],
    }


def _question(answers: Answers, fields: Mapping[Key, Sequence[SlicedField]]) -> Document:
    question = answers.ratings.question
    positive = None if question.positive is None else question.choices.index(question.positive)
    return {
        "id": question.id,
        "type": question.type,
        "choices": list(question.choices),
        "runs": [
            {
                "rows": whole.rows,
                "columns": whole.columns,
                "design": whole.design,
                "weighted": whole.weighted,
                **selected_on(whole.selected),
                "tables": [
                    table | {"looked_at": table["looked_at"] + (SELECTED_SAID if whole.selected else "")}
                    for table in sliced(question.type, positive, whole, fields[question.id, run])
                ],
            }
            for run, whole in _pairs(answers).items()
        ],
    }


def _pairs(answers: Answers) -> dict[str, PairTally]:
    """Run to its pair with the consensus; without an item that both had there is none."""
    return {run: pair for run in answers.ratings.verdicts for pair in answers.judge_pairs(run, [CONSENSUS])}


def _fields(answers: Sequence[Answers], found: Sequence[Slicing]) -> Mapping[Key, Sequence[SlicedField]]:
    """Every field with its slices counted, for each question and run."""
    fields: dict[Key, list[SlicedField]] = defaultdict(list)
    for slicing in found:
        counted = [(value, _counted(answers, value)) for value in slicing.values]
        for key in {key: None for _, pairs in counted for key in pairs}:
            listed = [SlicePair(value.name, value.kind, int(value.items.sum()), pairs.get(key)) for value, pairs in counted]
            fields[key].append(SlicedField(slicing.field, slicing.origin, slicing.shown, slicing.pooled, listed))
    return fields


def _counted(answers: Sequence[Answers], value: SliceItems) -> dict[Key, PairTally]:
    if not answers:
        return {}
    frame = answers[0].frame.within(value.items)
    parts = [each.within(value.items, frame) for each in answers]
    return {(part.ratings.question.id, run): pair for part in parts for run, pair in _pairs(part).items()}
