"""The answer of `rejudge agree` as one JSON document: every pair of raters, question by question.

The document is the contract that other programs and the terminal text read. A figure that does not apply
to a question is absent; a figure that the data do not define is null with a reason. All figures of a
weighted pair stand for the frame; `confusion` counts items, `confusion_weighted` has the frame's shares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from data.tallies import PairTally, QuestionTally, StratumMissing, StratumTally
from reports.alpha_by_design import LEVELS, alpha_by_design
from reports.estimate import Estimate
from reports.pair_figures import choice_figures, default_figures, macro, mcnemar_of, other_figures, strict_figures
from reports.sample import Sample
from reports.scores import spearman
from reports.vote_figures import vote_figures

STRICT_HEADLINE_ABOVE = 0.02
"""Share of unreadable verdicts above which the strict figures lead: a judge that fails on the hard items
looks better on the rest."""
PRELIMINARY_BELOW, PRELIMINARY_GROUPS_BELOW = 30, 10
MISSING_MARKED_ABOVE = 0.10

FEW_ITEMS = "fewer-than-30-items"
FEW_GROUPS = "fewer-than-10-groups"
MANY_MISSING = "more-than-10-percent-missing"
SELECTED = "selected-on-these-items"
"""The mark of a judge whose prompt was revised in this study: only dev is reported, on which it was chosen."""
DEV_ONLY = "dev items only: the prompt was revised in this study and selected on these items"
SELECTED_SAID = f" {DEV_ONLY[0].upper()}{DEV_ONLY[1:]}."
"""What follows a sentence on such a judge's figures."""

SIDES = ("no", "yes")
"""Of a label that was chosen or not, and of a score at the threshold or below it."""

Document = dict[str, Any]


def agreement_document(study: str, tallies: Sequence[QuestionTally], everything: bool = False) -> Document:
    """Everything that `rejudge agree --json` prints, ready for `json.dumps`; keys in the order of the design.

    `everything` adds the figures of `--all`.

    Raises ValueError for a question type without these figures, a binary question without a positive
    choice, and a pair whose unreadable verdicts do not add up.
    """
    return {"study": study, "questions": [question_document(tally, everything) for tally in tallies]}


def question_document(tally: QuestionTally, everything: bool = False) -> Document:
    """One question of the document; raises as `agreement_document`."""
    if tally.type not in LEVELS:
        raise ValueError(
            f"Question {tally.id!r} is of type {tally.type!r}, which has no agreement figures here. "
            f"Known types: {', '.join(LEVELS)}."
        )
    if tally.type == "binary" and tally.positive is None:
        raise ValueError(
            f"Binary question {tally.id!r} has no positive choice, so sensitivity has no meaning. Declare `positive` in study.toml."
        )
    document: Document = {
        "id": tally.id,
        "type": tally.type,
        "choices": list(tally.choices),
    }
    if tally.positive is not None:
        document["positive"] = tally.choices[tally.positive]
    document["pairs"] = [pair_document(tally, pair, everything) for pair in tally.judge_pairs]
    document["human_human"] = {
        "krippendorff_alpha": alpha_by_design(tally).as_json(),
        "pairs": [pair_document(tally, pair, everything) for pair in tally.human_pairs],
    }
    if everything:
        document["human_human"] |= vote_figures(tally)
    if tally.missing:
        document["missing"] = [{**asdict(each), "share": missing_share(each)} for each in tally.missing]
    if tally.outside_frame:
        document["outside_frame"] = tally.outside_frame
    return document


def selected_on(selected: bool) -> Document:
    """Which splits figures are about, where these are not all; `selected`: see `PairTally.selected`."""
    return {"splits": ["dev"], "selected": True} if selected else {}


def pair_document(tally: QuestionTally, pair: PairTally, everything: bool = False) -> Document:
    """One pair of the document. `tally` gives the type, the choices and the positive one."""
    document: Document = {"rows": pair.rows, "columns": pair.columns}
    if tally.type == "multilabel":
        n = next((_items(each) for each in pair.by_label.values()), 0)
        by_label = {label: _counted(each, "binary", SIDES, 1, everything) for label, each in pair.by_label.items()}
        document |= {"n": n, "excluded": asdict(pair.excluded), "by_label": by_label}
        document["macro"] = macro(list(by_label.values()), n)
    elif tally.type == "score":
        n = sum(pair.scores.values())
        document |= {"n": n, "excluded": asdict(pair.excluded), "spearman": spearman(pair).as_json()}
        if pair.at_threshold is not None:
            document["at_threshold"] = _counted(pair.at_threshold, "binary", SIDES, 1, everything)
    else:
        figures = _counted(pair, tally.type, tally.choices, tally.positive, everything)
        document |= {"n": figures.pop("n"), "excluded": asdict(pair.excluded)} | figures
    headline = document.pop("headline", None)
    document |= {"design": pair.design, "weighted": pair.weighted, "groups": pair.groups}
    document |= selected_on(pair.selected)
    document["marks"] = marks_of(document["n"], pair.groups, pair.selected, tally.missing if pair.strata else ())
    if pair.strata:
        document["strata"] = [_stratum(each) for each in pair.strata]
    if pair.single is not None:
        document["single"] = pair.single
    if headline is not None:
        document["headline"] = headline
    if len(pair.codebooks) > 1:
        document["codebooks"] = dict(pair.codebooks)
    return document


def _counted(pair: PairTally, type_: str, choices: Sequence[str], positive: int | None, everything: bool) -> Document:
    """n, the confusion and every figure of a table of choices; the strict ones where verdicts are unreadable."""
    if sum(pair.unreadable) != pair.excluded.error:
        raise ValueError(
            f"Pair {pair.rows} x {pair.columns} has {pair.excluded.error} unreadable "
            f"verdicts, but {sum(pair.unreadable)} by human choice. The strict figures need both to be equal."
        )
    sample = Sample.readable(pair)
    document: Document = {"n": sample.n, "confusion": [list(row) for row in pair.confusion]}
    if pair.weighted and not sample.unlabelled:
        document["confusion_weighted"] = sample.shares()
    document |= _as_json(default_figures(sample, type_, positive))
    if everything:
        document |= _as_json(other_figures(sample, type_, positive))
        if positive is not None:
            document["mcnemar"] = mcnemar_of(sample, positive).as_json()
    if len(choices) > 2:
        document["by_choice"] = {name: _as_json(choice_figures(sample, place)) for place, name in enumerate(choices)}
    if pair.excluded.error > 0:
        strict = Sample.strict(pair)
        document |= _as_json(strict_figures(strict, type_, positive, everything)) | {"headline": _headline(strict)}
    return document


def _headline(strict: Sample) -> str:
    """By the frame's share of unreadable verdicts where the pair is weighted, else by the items' share."""
    table = strict.population()
    unreadable, whole = sum(row[-1] for row in table), sum(map(sum, table))
    return "strict" if unreadable > STRICT_HEADLINE_ABOVE * whole else "readable"


def marks_of(items: int, groups: int, selected: bool, strata: Sequence[StratumMissing] = ()) -> list[str]:
    """Why figures over so many items are to be read with care, if they are; `selected`: see `PairTally.selected`."""
    marks = [FEW_ITEMS] if 0 < items < PRELIMINARY_BELOW else []
    if 0 < groups < min(items, PRELIMINARY_GROUPS_BELOW):
        marks.append(FEW_GROUPS)
    if any(missing_share(each) > MISSING_MARKED_ABOVE for each in strata):
        marks.append(MANY_MISSING)
    return [*marks, SELECTED] if selected else marks


def missing_share(stratum: StratumMissing) -> float:
    """The share of a stratum's drawn items, 0 to 1, that were not finished, or skipped."""
    return (stratum.unfinished + stratum.skipped) / stratum.drawn if stratum.drawn else 0.0


def _stratum(stratum: StratumTally) -> Document:
    """Counts of items; `missing` are those drawn that this pair's human side has not finished."""
    return {
        "name": stratum.name,
        "frame": stratum.frame,
        "drawn": stratum.drawn,
        "finished": stratum.finished,
        "missing": max(0, stratum.drawn - stratum.finished),
    }


def _items(pair: PairTally) -> int:
    return sum(map(sum, pair.confusion))


def _as_json(figures: Mapping[str, Estimate]) -> Document:
    return {name: estimate.as_json() for name, estimate in figures.items()}
