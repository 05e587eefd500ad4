"""Which name in the reference cases is which figure of ours, and where a case keeps its table.

Names that stand for figures that this version does not have are listed too: a new name in the cases
fails the test until somebody decides about it.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from data.tallies import Excluded, PairTally, QuestionTally, StratumTally
from reports.agreement import (
    Table,
    ac1,
    kappa,
    kappa_strict,
    observed_agreement,
    observed_agreement_strict,
    sensitivity,
    sensitivity_strict,
    specificity,
)
from reports.alpha import krippendorff_alpha
from reports.alpha_by_design import alpha_by_design
from reports.estimate import Estimate
from reports.sample import Sample
from reports.scores import spearman

Case = dict[str, Any]

Figure = Callable[[Case], Estimate]

ONE_TABLE = {
    "agreement_table",
    "kappa_interval",
    "other_intervals",
    "undefined",
    "robustness",
    "krippendorff_alpha",
    "many_raters",
}
"""Groups whose values come from one unweighted table, from pairs or from ratings, by the names in FIGURES."""

FIGURES: dict[str, Figure] = {
    "kappa": lambda case: kappa(table_of(case)),
    "kappa_readable": lambda case: kappa(table_of(case)),
    "kappa_linear": lambda case: kappa(table_of(case), "linear"),
    "kappa_quadratic": lambda case: kappa(table_of(case), "quadratic"),
    "observed_agreement": lambda case: observed_agreement(table_of(case)),
    "sensitivity": lambda case: sensitivity(table_of(case), positive_of(case)),
    "specificity": lambda case: specificity(table_of(case), positive_of(case)),
    "ac1": lambda case: ac1(table_of(case)),
    "kappa_strict": lambda case: kappa_strict(table_of(case), case["input"]["unreadable"]),
    "observed_agreement_strict": lambda case: observed_agreement_strict(table_of(case), case["input"]["unreadable"]),
    "sensitivity_strict": lambda case: sensitivity_strict(table_of(case), case["input"]["unreadable"], positive_of(case)),
    # With two choices specificity is the sensitivity of the other one.
    "specificity_strict": lambda case: sensitivity_strict(table_of(case), case["input"]["unreadable"], 1 - positive_of(case)),
    "alpha_nominal": lambda case: krippendorff_alpha(patterns_of(case), "nominal"),
    "alpha_ordinal": lambda case: krippendorff_alpha(patterns_of(case), "ordinal"),
    "alpha_interval": lambda case: alpha_by_design(scores_of(case)),
}

OTHER_GROUPS: dict[tuple[str, str], Figure] = {
    ("post_stratified", "unweighted_kappa"): lambda case: kappa(pooled(case, "strata")),
    ("post_stratified", "unweighted_sensitivity"): lambda case: sensitivity(pooled(case, "strata"), positive_of(case)),
    ("post_stratified", "unweighted_specificity"): lambda case: specificity(pooled(case, "strata"), positive_of(case)),
    ("cluster_robust", "kappa"): lambda case: kappa(pooled(case, "clusters")),
    ("paired_kappa_difference", "kappa_1"): lambda case: kappa(margin(case, 1)),
    ("paired_kappa_difference", "kappa_2"): lambda case: kappa(margin(case, 2)),
    ("score", "kappa_at_threshold"): lambda case: kappa(at_threshold(case)),
    ("score", "spearman"): lambda case: spearman(scored(case)),
    ("multilabel", "alpha_masi"): lambda case: alpha_by_design(sets_of(case)),
    ("post_stratified", "kappa"): lambda case: kappa(stratified(case)),
    ("post_stratified", "sensitivity"): lambda case: sensitivity(stratified(case), positive_of(case)),
    ("post_stratified", "specificity"): lambda case: specificity(stratified(case), positive_of(case)),
    ("post_stratified", "observed_agreement"): lambda case: observed_agreement(stratified(case)),
}
"""(group, name) -> a figure of ours on a table that the case's input holds in another shape."""

DESIGNED_INTERVALS: dict[tuple[str, str], Figure] = {
    ("post_stratified", "kappa_delta_half"): OTHER_GROUPS["post_stratified", "kappa"],
    ("post_stratified", "sensitivity_square_and_add"): OTHER_GROUPS["post_stratified", "sensitivity"],
    ("post_stratified", "specificity_square_and_add"): OTHER_GROUPS["post_stratified", "specificity"],
    ("cluster_robust", "fisher_t"): lambda case: kappa(clustered(case)),
}
"""(group, name before `_low` or `_high`) -> the figure whose interval it is."""

INTERVALS = {
    "delta4": "kappa",  # checked for two choices only: more choices have another number of pseudo-items
    "recommended": "kappa",
    "kappa_linear_recommended": "kappa_linear",
    "kappa_quadratic_recommended": "kappa_quadratic",
    "ac1": "ac1",
    "wilson": "observed_agreement",
}
"""Name before `_low` or `_high` -> the figure whose interval it is."""

NOT_IN_THIS_VERSION = {
    *("kappa_se", "kappa_linear_se", "kappa_quadratic_se", "kappa_weighted", "kappa_weighted_se"),
    *("expected_agreement", "scott_pi", "pabak", "pabak_low", "pabak_high", "mcc", "mcc_low", "mcc_high"),
    *("precision", "npv", "f1", "f1_low", "f1_high", "prevalence_index_abs", "bias_index_abs"),
    *("balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high"),
    *("mcnemar_exact_p", "mcnemar_midp", "fleiss_kappa", "ac2_linear", "ac2_quadratic"),
    *("alpha_ratio", "delta2_low", "delta2_high"),
}


def load_cases() -> list[Case]:
    path = os.environ.get("REJUDGE_CASES")
    if not path:
        pytest.skip("REJUDGE_CASES does not name reference_cases.json")
    with open(path, encoding="utf-8") as file:
        cases: list[Case] = json.load(file)["cases"]
    return cases


def table_of(case: Case) -> Table:
    """The counts of a case, from its table or from its pairs; missing answers are left out."""
    given = case["input"]
    if "table" in given:
        table: Table = given["table"]
        return table
    pairs = Counter(tuple(pair) for pair in given["pairs"])
    return [[pairs[human, judge] for judge in given["choices"]] for human in given["choices"]]


def patterns_of(case: Case) -> dict[tuple[int, ...], int]:
    """Vote patterns, from ratings, or from a table as two raters."""
    given = case["input"]
    if "ratings" in given:
        rows = [[row.count(choice) for choice in given["choices"]] for row in given["ratings"]]
        return dict(Counter(map(tuple, rows)))
    patterns: Counter[tuple[int, ...]] = Counter()
    for i, row in enumerate(given["table"]):
        for j, count in enumerate(row):
            patterns[tuple((k == i) + (k == j) for k in range(len(row)))] += count
    return dict(patterns)


def pooled(case: Case, parts: str) -> Table:
    """The sum of the tables of all strata or clusters."""
    return np.sum([part["table"] for part in case["input"][parts]], axis=0).tolist()  # type: ignore[no-any-return]


def pair_of(table: Table, **design: Any) -> PairTally:
    """A pair of the consensus and a judge without errors."""
    counts = tuple(tuple(row) for row in table)
    given = {"design": "simple", "groups": sum(map(sum, counts))} | design
    return PairTally("human:consensus", "judge:j", counts, (0,) * len(counts), Excluded(), **given)


def stratified(case: Case) -> Sample:
    """Strata called `verdict=C` hold verdicts C alone; the others can hold any."""
    strata = []
    for part in case["input"]["strata"]:
        _, is_verdict, verdict = part["stratum"].partition("=")
        column = case["input"]["choices"].index(verdict) if is_verdict else None
        n, table = sum(map(sum, part["table"])), tuple(map(tuple, part["table"]))
        strata.append(StratumTally(part["stratum"], part["population"], n, n, table, (0,) * len(table), column))
    return Sample.readable(pair_of(pooled(case, "strata"), design="stratified:j", weighted=True, strata=tuple(strata)))


def clustered(case: Case) -> Sample:
    """The groups of a case, by what they hold."""
    contents = Counter(
        tuple((0, i, j, count) for i, row in enumerate(part["table"]) for j, count in enumerate(row) if count)
        for part in case["input"]["clusters"]
    )
    return Sample.readable(pair_of(pooled(case, "clusters"), groups=sum(contents.values()), clusters=contents))


def scored(case: Case) -> PairTally:
    """Pairs of scores."""
    scores = Counter((0, float(human), float(judge)) for human, judge in case["input"]["pairs"])
    return pair_of((), groups=sum(scores.values()), scores=scores)


def sets_of(case: Case) -> QuestionTally:
    """Multilabel ratings, as bit sets."""
    choices = case["input"]["choices"]
    units = Counter(
        tuple(sorted(float(sum(1 << choices.index(choice) for choice in rated)) for rated in ratings if rated is not None))
        for ratings in case["input"]["ratings"]
    )
    return QuestionTally("q", "multilabel", tuple(choices), None, (), (), {}, units=units)


def scores_of(case: Case) -> QuestionTally:
    """Ratings as scores; a word counts as its place among the choices."""
    choices = case["input"]["choices"]
    units: Counter[tuple[float, ...]] = Counter()
    for pattern, items in patterns_of(case).items():
        values = [choice if isinstance(choice, int) else place for place, choice in enumerate(choices)]
        units[tuple(float(value) for value, votes in zip(values, pattern, strict=True) for _ in range(votes))] += items
    return QuestionTally("q", "score", (), None, (), (), {}, units=units)


def margin(case: Case, judge: int) -> Table:
    """Human against the first or the second judge, from human x first x second."""
    return np.sum(case["input"]["table3"], axis=3 - judge).tolist()  # type: ignore[no-any-return]


def at_threshold(case: Case) -> Table:
    """Scores as a 2 x 2 table; a score equal to the threshold is positive."""
    threshold = case["input"]["threshold"]
    pairs = Counter((human >= threshold, judge >= threshold) for human, judge in case["input"]["pairs"])
    return [[pairs[human, judge] for judge in (True, False)] for human in (True, False)]


def positive_of(case: Case) -> int:
    given = case["input"]
    place: int = given["choices"].index(given.get("positive", given["choices"][0]))
    return place


@dataclass(frozen=True)
class Asked:
    """A figure of ours, and which part of the estimate a name in the cases means."""

    figure: Figure
    part: str = "value"


def asked_of(name: str, case: Case) -> Asked | None:
    """What a name asks for; None where this version has no such figure. An unknown name is a KeyError."""
    group = case["statistic"]
    if (group, name) in OTHER_GROUPS:
        return Asked(OTHER_GROUPS[group, name])
    start, _, part = name.rpartition("_")
    if (group, start) in DESIGNED_INTERVALS:
        return Asked(DESIGNED_INTERVALS[group, start], part)
    if group not in ONE_TABLE or name in NOT_IN_THIS_VERSION:
        return None
    if name == "n":
        return Asked(FIGURES["kappa"], "n")
    if name in FIGURES:
        # AC1 of many raters is another statistic than AC1 of a table.
        return None if name == "ac1" and "ratings" in case["input"] else Asked(FIGURES[name])
    stem, _, end = name.rpartition("_")
    if stem == "delta4" and len(case["input"]["choices"]) != 2:
        return None
    return Asked(FIGURES[INTERVALS[stem]], end)
