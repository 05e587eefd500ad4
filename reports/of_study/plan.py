"""The plan document of a study as it stands: how many items to label, from what was seen so far."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from data.rate_tallies import QuestionRates, RunRates
from data.records import CONSENSUS
from data.store import Store
from data.store.prevalence import rates_of
from data.store.tallying import Answers, read_answers
from data.store.versions import check_still_declared
from data.study import Study
from data.tallies import PairTally, QuestionTally
from reports.agreement import kappa, kappa_error
from reports.document import agreement_document
from reports.notes import parts
from reports.plan_document import Wish, planned
from reports.sample import Sample

Document = dict[str, Any]

NO_CHOICES = "scores without a threshold have no kappa to plan for; declare a threshold in study.toml"


def plan_of(study: Study, store: Store, run: int | None, labels: str | None, wish: Wish | None = None) -> Document:
    """What `rejudge plan --json` prints: `seen_so_far` with the numbers of items that a wish takes.

    Raises ValueError for a wish that makes no sense, StudyError where study.toml lost what the labels use.
    """
    return planned(seen_so_far(study, store, run, labels), wish or Wish())


def seen_so_far(study: Study, store: Store, run: int | None, labels: str | None) -> Document:
    """Per question, run and part of it (label, threshold) what a plan can start from. `run`, `labels`: as in `agreement_of`."""
    with store.reading():
        check_still_declared(store, study)
        counted = [(_consensus(answers), rates_of(answers)) for answers in read_answers(store, study, run, labels)]
    agreed = agreement_document(study.name, [tally for tally, _ in counted])["questions"]
    return {
        "study": study.name,
        "trajectories": max((rates.trajectories for _, rates in counted), default=0),
        "questions": [
            {"id": tally.id, "type": tally.type, "runs": [_run(tally, rates, run, pairs["pairs"]) for run in rates.runs]}
            for (tally, rates), pairs in zip(counted, agreed, strict=True)
        ],
    }


def _consensus(answers: Answers) -> QuestionTally:
    """The consensus beside every run, and nobody else."""
    question = answers.ratings.question
    return QuestionTally(
        id=question.id,
        type=question.type,
        choices=question.choices,
        positive=None if question.positive is None else question.choices.index(question.positive),
        judge_pairs=tuple(pair for run in answers.ratings.verdicts for pair in answers.judge_pairs(run, [CONSENSUS])),
        human_pairs=(),
        votes={},
    )


def _run(tally: QuestionTally, rates: QuestionRates, run: RunRates, pairs: Sequence[Document]) -> Document:
    columns = f"judge:{run.run}"
    shown = next((pair for pair in pairs if pair["columns"] == columns), None)
    pair = next((each for each in tally.judge_pairs if each.columns == columns), None)
    document: Document = {"run": run.run, "parts": list(_parts(rates, run, shown, pair))}
    return document


def _parts(rates: QuestionRates, run: RunRates, shown: Document | None, pair: PairTally | None) -> Iterator[Document]:
    """One entry for a question of one choice, for each label of several, for the threshold of a score."""
    figures = parts(shown) if shown else {}
    if not run.whole.tables:
        yield {"of": "", "reason": NO_CHOICES}
    for name, table in run.whole.tables.items():
        order = _order(rates)
        tally = pair if pair is None or not name else (pair.by_label.get(name) or pair.at_threshold)
        sample = None if tally is None else Sample.readable(tally)
        told = sample is not None and sample.n > 0 and not sample.unlabelled
        figure = figures.get(name)
        strict = figure is not None and figure.get("headline") == "strict"
        yield {
            "of": _of(rates, name),
            "reason": "",
            "labelled": 0 if sample is None else sample.n,
            "kappa": None if figure is None else figure["kappa_strict" if strict else "kappa"],
            "strict": strict,
            "readable_kappa": None if sample is None else kappa(sample).value,
            "table": _ordered(sample.shares(), order) if sample is not None and told else None,
            "verdicts": [table.said[place] for place in order],
            "design_effect": None if sample is None else _design_effect(sample),
            "groups": table.groups,
            "strata": rates.type != "multilabel",
            "drawn_by_verdict": rates.design == f"stratified:{run.run}",
        }


def _order(rates: QuestionRates) -> list[int]:
    """The places of the choices, the positive one first where there are two."""
    if rates.type in ("nominal", "ordinal"):
        return list(range(len(rates.choices)))
    positive = 1 if rates.positive is None else rates.positive
    return [positive, 1 - positive]


def _of(rates: QuestionRates, name: str) -> str:
    """What is positive there; empty for a question of many choices."""
    if rates.positive is not None:
        return rates.choices[rates.positive]
    return f"{rates.threshold:g} or above" if rates.type == "score" else name


def _ordered(table: list[list[float]], order: list[int]) -> list[list[float]]:
    return [[table[row][column] for column in order] for row in order]


def _design_effect(sample: Sample) -> float | None:
    """By how much the groups multiply the variance of kappa; None where there are none, or nothing tells."""
    if sample.groups is None or sample.groups.number < 2:
        return None
    robust = kappa_error(sample).value
    alone = kappa_error(replace(sample, groups=None, frame_groups=None)).value
    return None if not robust or not alone else (robust / alone) ** 2
