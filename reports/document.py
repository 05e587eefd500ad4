"""The answer of `rejudge agree` as one JSON document: every pair of raters, question by question.

The document is the contract that other programs and the terminal text read. A figure that does not apply
to a question is absent; a figure that the data do not define is null with a reason.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from data.tallies import PairTally, QuestionTally
from reports.agreement import (
    ac1,
    kappa,
    kappa_strict,
    observed_agreement,
    observed_agreement_strict,
    sensitivity,
    sensitivity_strict,
    specificity,
)
from reports.alpha import Level, krippendorff_alpha
from reports.estimate import Estimate

STRICT_HEADLINE_ABOVE = 0.02
"""Share of unreadable verdicts above which the strict figures lead: a judge that fails on the hard items
looks better on the rest."""

ALPHA_LEVELS: dict[str, Level] = {"binary": "nominal", "nominal": "nominal", "ordinal": "ordinal"}

Document = dict[str, Any]


def agreement_document(study: str, tallies: Sequence[QuestionTally]) -> Document:
    """Everything that `rejudge agree --json` prints, ready for `json.dumps`; keys in the order of the design.

    Raises ValueError for a question type without these figures, a binary question without a positive
    choice, and a pair whose unreadable verdicts do not add up.
    """
    return {"study": study, "questions": [_question(tally) for tally in tallies]}


def _question(tally: QuestionTally) -> Document:
    if tally.type not in ALPHA_LEVELS:
        raise ValueError(
            f"Question {tally.id!r} is of type {tally.type!r}, which has no agreement figures here. "
            f"Known types: {', '.join(ALPHA_LEVELS)}."
        )
    if tally.type == "binary" and tally.positive is None:
        raise ValueError(
            f"Binary question {tally.id!r} has no positive choice, so sensitivity has no meaning. Declare `positive` in study.toml."
        )
    alpha = krippendorff_alpha(tally.votes, ALPHA_LEVELS[tally.type])
    return {
        "id": tally.id,
        "type": tally.type,
        "choices": list(tally.choices),
        "pairs": [_pair(tally, pair) for pair in tally.judge_pairs],
        "human_human": {
            "krippendorff_alpha": alpha.as_json(),
            "pairs": [_pair(tally, pair) for pair in tally.human_pairs],
        },
    }


def _pair(tally: QuestionTally, pair: PairTally) -> Document:
    if sum(pair.unreadable) != pair.excluded.error:
        raise ValueError(
            f"Pair {pair.rows} x {pair.columns} of {tally.id!r} has {pair.excluded.error} unreadable "
            f"verdicts, but {sum(pair.unreadable)} by human choice. The strict figures need both to be equal."
        )
    document: Document = {
        "rows": pair.rows,
        "columns": pair.columns,
        "n": sum(map(sum, pair.confusion)),
        "excluded": asdict(pair.excluded),
        "confusion": [list(row) for row in pair.confusion],
    }
    document |= _as_json(_figures(tally, pair))
    document |= {"design": pair.design, "weighted": False, "groups": pair.groups}
    if pair.excluded.error > 0:
        document |= _as_json(_strict_figures(tally, pair)) | {"headline": _headline(document)}
    if len(pair.codebooks) > 1:
        document["codebooks"] = dict(pair.codebooks)
    return document


def _figures(tally: QuestionTally, pair: PairTally) -> dict[str, Estimate]:
    table = pair.confusion
    figures = {"observed_agreement": observed_agreement(table), "kappa": kappa(table)}
    if tally.type == "binary" and tally.positive is not None:
        figures["sensitivity"] = sensitivity(table, tally.positive)
        figures["specificity"] = specificity(table, tally.positive)
    figures["ac1"] = ac1(table)
    if tally.type == "ordinal":
        figures["kappa_linear"] = kappa(table, "linear")
        figures["kappa_quadratic"] = kappa(table, "quadratic")
    return figures


def _strict_figures(tally: QuestionTally, pair: PairTally) -> dict[str, Estimate]:
    table, unreadable = pair.confusion, pair.unreadable
    figures = {
        "kappa_strict": kappa_strict(table, unreadable),
        "observed_agreement_strict": observed_agreement_strict(table, unreadable),
    }
    if tally.type == "binary" and tally.positive is not None:
        figures["sensitivity_strict"] = sensitivity_strict(table, unreadable, tally.positive)
    return figures


def _headline(pair: Document) -> str:
    unreadable = pair["excluded"]["error"]
    return "strict" if unreadable > STRICT_HEADLINE_ABOVE * (pair["n"] + unreadable) else "readable"


def _as_json(figures: dict[str, Estimate]) -> Document:
    return {name: estimate.as_json() for name, estimate in figures.items()}
