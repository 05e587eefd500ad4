"""Which figures a pair of raters has: by the question's type, by default or all of them; by choice, and over labels.

Everything is an estimate by name, in the order in which it is shown. What a default reader sees are kappa, agreement,
sensitivity and specificity, AC1, and where prevalence and bias lie; `all_figures` are for papers, and for who disagrees
about which of them matters.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from reports.agreement import expected_agreement, kappa, kappa_error, observed_agreement, sensitivity, specificity
from reports.binary import balanced_accuracy, bias_index, f1, npv, precision, prevalence_index
from reports.chance import ac1, ac2, pabak, scott_pi
from reports.correlation import mcc
from reports.estimate import Estimate
from reports.mcnemar import McNemar, mcnemar
from reports.per_class import specific_agreement
from reports.sample import Sample

Figures = dict[str, Estimate]

MACRO = "mean of the labels' intervals"
ALL_UNDEFINED = "no label has this figure"
NOT_ONE_BY_ONE = "McNemar's test is for items drawn alike and one by one; these are weighted or share groups"


def default_figures(sample: Sample, type_: str, positive: int | None) -> Figures:
    """Of readable verdicts. `positive`: a place among the choices of a binary question, else None."""
    figures = {"observed_agreement": observed_agreement(sample), "kappa": kappa(sample)}
    if positive is not None:
        figures["sensitivity"] = sensitivity(sample, positive)
        figures["specificity"] = specificity(sample, positive)
    figures["ac1"] = ac1(sample)
    if type_ == "ordinal":
        figures["kappa_linear"] = kappa(sample, "linear")
        figures["kappa_quadratic"] = kappa(sample, "quadratic")
    if positive is not None:
        figures["prevalence_index"] = prevalence_index(sample, positive)
        figures["bias_index"] = bias_index(sample, positive)
    return figures


def other_figures(sample: Sample, type_: str, positive: int | None) -> Figures:
    """Beside the default ones, of readable verdicts."""
    figures = {
        "expected_agreement": expected_agreement(sample),
        "kappa_standard_error": kappa_error(sample),
        "scott_pi": scott_pi(sample),
        "pabak": pabak(sample),
    }
    if type_ == "ordinal":
        figures["ac2_linear"] = ac2(sample, "linear")
        figures["ac2_quadratic"] = ac2(sample, "quadratic")
    figures["mcc"] = mcc(sample)
    if positive is not None:
        figures["precision"] = precision(sample, positive)
        figures["npv"] = npv(sample, positive)
        figures["f1"] = f1(sample, positive)
        figures["balanced_accuracy"] = balanced_accuracy(sample, positive)
    return figures


def strict_figures(sample: Sample, type_: str, positive: int | None, everything: bool) -> Figures:
    """Of all verdicts, an unreadable one being a disagreement; `sample` has the column for them."""
    figures = {"kappa_strict": kappa(sample), "observed_agreement_strict": observed_agreement(sample)}
    if positive is not None:
        figures["sensitivity_strict"] = sensitivity(sample, positive)
        if everything:
            figures["specificity_strict"] = specificity(sample, positive)
    if type_ == "ordinal" and everything:
        figures["kappa_linear_strict"] = kappa(sample, "linear")
        figures["kappa_quadratic_strict"] = kappa(sample, "quadratic")
    return figures


def choice_figures(sample: Sample, choice: int) -> Figures:
    """One choice of several against the others."""
    return {
        "sensitivity": sensitivity(sample, choice),
        "precision": precision(sample, choice),
        "specific_agreement": specific_agreement(sample, choice),
    }


def mcnemar_of(sample: Sample, positive: int) -> McNemar:
    """McNemar's test of whether the columns hold as many positives as the rows; undefined under weights and groups."""
    table = sample.counts()
    only_rows, only_columns = table[positive][1 - positive], table[1 - positive][positive]
    if not sample.weighted and sample.groups is None:
        return mcnemar(only_rows, only_columns)
    exact, midp = (Estimate.undefined(only_rows + only_columns, method, NOT_ONE_BY_ONE) for method in ("exact", "mid-p"))
    return McNemar(exact, midp, only_rows, only_columns)


def macro(by_label: Sequence[Mapping[str, Any]], n: int) -> dict[str, dict[str, Any]]:
    """The plain mean over labels of each figure, as JSON, with how many labels it rests on; undefined ones are left out.

    `by_label`: figures of each label as JSON, over the same n items. The interval runs between the means of the labels' ends: no
    mean of figures varies more than its parts do on average, so it is as wide as it need be however the labels hang
    together, and wider where they do not. A strict mean takes the readable figure of a label without an unreadable verdict.
    """
    names = dict.fromkeys(name for label in by_label for name, figure in label.items() if _is_estimate(figure))
    plain = {name: name.removesuffix("_strict") for name in names}
    return {name: _mean([label.get(name, label[plain[name]]) for label in by_label], n) for name in names}


def _mean(figures: Sequence[Mapping[str, Any]], n: int) -> dict[str, Any]:
    known = [figure for figure in figures if figure["value"] is not None]
    counted = {"labels": len(known), "left_out": len(figures) - len(known)}
    if not known:
        return Estimate.undefined(n, MACRO, ALL_UNDEFINED).as_json() | counted
    value = statistics.fmean(figure["value"] for figure in known)
    reason = next((figure["reason"] for figure in known if figure["low"] is None), "")
    if reason:
        return Estimate(value, None, None, n, MACRO, reason).as_json() | counted
    low, high = (statistics.fmean(figure[end] for figure in known) for end in ("low", "high"))
    return Estimate(value, low, high, n, MACRO).as_json() | counted


def _is_estimate(figure: object) -> bool:
    return isinstance(figure, dict) and {"value", "low", "high", "reason"} <= figure.keys()
