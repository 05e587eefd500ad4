"""The prevalence document of a study as it stands: per question and judge run the judge's rate, the humans', the corrected one.

`rates` has one entry for each share that a question asks about: of a binary question the positive choice, of a
nominal or ordinal one each choice, of several choices each label, of a score whether it reaches the threshold.
A score has its `mean` beside. All figures of `fields` are those of a slice: its own verdicts, its own labels.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from data.rate_tallies import QuestionRates, Rates, RateTable, RunRates, ScoreRates
from data.store import Store
from data.store.exposures import labels_by_leads
from data.store.prevalence import count_rates
from data.store.slicing import slices
from data.store.versions import check_still_declared
from data.study import Study
from reports.document import marks_of, missing_share, selected_on
from reports.of_study.agreement import with_leads
from reports.prevalence_by_design import (
    Design,
    answered,
    corrected_mean,
    corrected_rate,
    design_of,
    humans_mean,
    humans_rate,
    joined_cells,
    raw_mean,
    raw_rate,
    raw_rate_in_frame,
    score_design,
)
from reports.slices import SMALL_BELOW

Document = dict[str, Any]

FEW_LABELS = f"fewer-than-{SMALL_BELOW}-labels"
"""The mark of a slice that is shown in grey."""


def prevalence_of(study: Study, store: Store, run: int | None, labels: str | None) -> Document:
    """How often it happens, question by question. `run`, `labels`: as in `agreement_of`.

    Raises StudyError where study.toml lost what the labels use.
    """
    with store.reading():
        check_still_declared(store, study)
        counted = count_rates(store, study, run, labels, slices(store, study))
        leads = labels_by_leads(store)
    return with_leads(prevalence_document(study.name, counted), leads)


def prevalence_document(study: str, counted: list[QuestionRates]) -> Document:
    """The document, ready for `json.dumps`."""
    return {"study": study, "questions": [_question(each) for each in counted]}


def _question(counted: QuestionRates) -> Document:
    document: Document = {
        "id": counted.id,
        "type": counted.type,
        "choices": list(counted.choices),
        "positive": None if counted.positive is None else counted.choices[counted.positive],
        "design": counted.design,
        "limits": None if counted.limits is None else list(counted.limits),
        "trajectories": counted.trajectories,
        "left_out": {why: getattr(counted.left_out, why) for why in ("skipped", "unsure", "tie")},
        "runs": [_run(counted, run) for run in counted.runs],
    }
    if counted.strata:
        document["missing"] = [{**asdict(each), "share": missing_share(each)} for each in counted.strata]
    if counted.outside_frame:
        document["outside_frame"] = counted.outside_frame
    if len(counted.codebooks) > 1:
        document["codebooks"] = dict(counted.codebooks)
    return document


def _run(counted: QuestionRates, run: RunRates) -> Document:
    designs = _designs(counted, run.whole)
    document: Document = {"run": run.run, **_verdicts(run.whole), **_sizes(run.whole)}
    document |= selected_on(run.selected)
    document["marks"] = marks_of(document["labelled"], document["groups"], run.selected, counted.strata)
    document |= _figures(counted, run.whole, designs)
    if len(run.whole.tables) == 1:
        document["cells"] = _cells(counted, *run.whole.tables.values())
    document["fields"] = [
        {
            "field": field.field,
            "origin": field.origin,
            "slices": [_slice(counted, name, kind, rates, designs) for name, kind, rates in field.parts],
        }
        for field in run.fields
    ]
    return document


def _designs(counted: QuestionRates, whole: Rates) -> dict[str | None, Design]:
    """By table, and under None for the scores: which strata are begun is a matter of the whole question, not of a slice."""
    names = [each.name for each in counted.strata]
    designs: dict[str | None, Design] = {name: design_of(names, table) for name, table in whole.tables.items()}
    return designs | ({None: score_design(names, whole.scores)} if whole.scores else {})


def _slice(counted: QuestionRates, name: str, kind: str, rates: Rates, designs: dict[str | None, Design]) -> Document:
    sizes = _sizes(rates)
    marks = [FEW_LABELS] if sizes["labelled"] < SMALL_BELOW else []
    document: Document = {"name": name, "kind": kind, "trajectories": rates.trajectories, **sizes, "marks": marks}
    return document | _figures(counted, rates, designs)


def _verdicts(rates: Rates) -> Document:
    """How many verdicts there are on all trajectories."""
    if rates.scores is not None:
        counts = {"readable": len(rates.scores.said), "unreadable": rates.scores.unreadable, "none": rates.scores.without}
    else:
        *said, unreadable, none = next(iter(rates.tables.values())).said
        counts = {"readable": sum(said), "unreadable": unreadable, "none": none}
    return {"verdicts": counts}


def _sizes(rates: Rates) -> Document:
    """Items of the frame, items with a human answer, and their groups."""
    if rates.scores is not None:
        cells = rates.scores.cells
        frame = sum(len(cell.human) + len(cell.unlabelled) + cell.beyond for cell in cells)
        return {"frame": frame, "labelled": sum(len(cell.human) for cell in cells), "groups": rates.scores.groups}
    table = next(iter(rates.tables.values()))
    return {"frame": sum(cell.frame for cell in table.cells), "labelled": answered(table), "groups": table.groups}


def _figures(counted: QuestionRates, rates: Rates, designs: dict[str | None, Design]) -> Document:
    shares = [
        {
            "of": named,
            "judge_raw": raw_rate(table, choice).as_json(),
            "judge_raw_in_frame": raw_rate_in_frame(table, choice).as_json(),
            "humans_only": humans_rate(table, choice, design).as_json(),
            "post_stratified": corrected_rate(table, choice, design).as_json(),
        }
        for named, table, choice, design in _asked(counted, rates, designs)
    ]
    document: Document = {"rates": shares}
    if rates.scores is not None and counted.limits is not None:
        document["mean"] = _mean(counted, rates.scores, designs[None], counted.limits)
    return document


def _asked(counted: QuestionRates, rates: Rates, designs: dict[str | None, Design]) -> Iterator[tuple[str, RateTable, int, Design]]:
    """Every share that the question asks about: its name, where it is counted, and as which choice."""
    for name, table in rates.tables.items():
        if counted.type == "multilabel":
            yield name, table, 1, designs[name]
        elif counted.type == "score":
            yield f"{counted.threshold:g} or above", table, 1, designs[name]
        else:
            wanted = range(len(counted.choices)) if counted.positive is None else [counted.positive]
            yield from ((counted.choices[choice], table, choice, designs[name]) for choice in wanted)


def _mean(counted: QuestionRates, scores: ScoreRates, design: Design, limits: tuple[float, float]) -> Document:
    return {
        "judge_raw": raw_mean(scores).as_json(),
        "humans_only": humans_mean(scores, design, limits).as_json(),
        "ppi": corrected_mean(scores, design, limits, counted.conditional).as_json(),
    }


def _cells(counted: QuestionRates, table: RateTable) -> list[Document]:
    """What the corrected rate is made of, and which cell counts with which for want of a finished item."""
    if not counted.strata:
        return []
    choices = counted.choices if counted.type != "score" else (f"below {counted.threshold:g}", f"{counted.threshold:g} or above")
    kinds = [("verdict", choice) for choice in choices] + [("unreadable", None), ("none", None)]
    joined = {each.place: each.to for each in joined_cells(table.cells)}
    cells: list[Document] = [
        {
            "stratum": counted.strata[cell.stratum].name,
            "kind": kinds[cell.verdict][0],
            "verdict": kinds[cell.verdict][1],
            "frame": cell.frame,
            "finished": cell.finished,
            "answers": list(cell.answers),
        }
        for cell in table.cells
    ]
    for place, to in joined.items():
        cells[place]["counted_with"] = to
    return cells
