"""Names that belong to one shape of input: plans, p-values, steps, two judges, prevalence, and the models of raters."""

import re
from typing import Any

import numpy as np

from reports.alt_test import alternative_annotator_test
from reports.comparing import compare
from reports.dawid_skene import dawid_skene
from reports.estimate import Estimate
from reports.false_discovery import benjamini_hochberg
from reports.intervals import clopper_pearson, normal_quantile
from reports.mcnemar import mcnemar
from reports.planner import Plan, items_for_power, items_for_width
from reports.prevalence import (
    RateStratum,
    humans_only,
    judge_raw,
    lee,
    post_stratified,
    post_stratified_error,
    ppi_mean,
    rogan_gladen,
)
from reports.shares import proportion, share, share_error
from reports.steps import evidence_overlap, first_failure_agreement, step_precision, step_recall
from tests.reference_inputs import DoesNotFit, Given

NO_INTERVAL = "it has no interval"


def counted(number: float, reason: str = NO_INTERVAL) -> Estimate:
    """A plain number of ours."""
    return Estimate(float(number), None, None, 0, "count", reason)


def of_proportion(given: Given, name: str) -> Estimate | None:
    if not given.has("successes", "n"):
        return None
    successes, n = given.input["successes"], given.input["n"]
    if name == "n":
        return counted(n)
    if name not in ("value", "wilson", "clopper_pearson"):
        return None
    found = proportion(successes, n)
    if name != "clopper_pearson" or found.value is None:
        return found
    return Estimate(found.value, *clopper_pearson(successes, n), n, name)


def of_mcnemar(given: Given, name: str) -> Estimate | None:
    if name not in ("mcnemar_exact_p", "mcnemar_midp", "only_first", "only_second"):
        return None
    if given.has("only_first", "only_second"):
        test = mcnemar(given.input["only_first"], given.input["only_second"])
    elif given.has("table3"):
        test = compare(given.input["table3"]).mcnemar
    elif len(given.table) == 2 and not given.has("strata") and not given.has("clusters"):
        test = mcnemar(given.table[0][1], given.table[1][0])
    else:
        raise DoesNotFit("McNemar's test is for two choices and items drawn alike")
    return {
        "mcnemar_exact_p": test.exact, "mcnemar_midp": test.midp,
        "only_first": counted(test.only_first), "only_second": counted(test.only_second),
    }[name]  # fmt: skip


def of_p_values(given: Given, name: str) -> Estimate | None:
    found = re.fullmatch(r"adjusted_(\d+)", name)
    if found is None or not given.has("p_values"):
        return None
    return counted(benjamini_hochberg(given.input["p_values"])[int(found[1])])


def of_plan(given: Given, name: str) -> Estimate | None:
    """An impossible plan has no n."""
    if name not in ("n", "kappa_maximum") or not (given.has("half_width") or given.has("kappa0", "kappa1")):
        return None
    plan = _plan(given.input)
    if name == "kappa_maximum":
        return counted(plan.maximum) if plan.maximum is not None else Estimate.undefined(0, "plan", "nothing was refused")
    return Estimate.undefined(0, "plan", plan.reason) if plan.n is None else counted(plan.n)


def _plan(given: dict[str, Any]) -> Plan:
    if not given.get("two_sided", True):
        raise DoesNotFit("plans are two-sided")
    margins = {"judge_prevalence": given.get("judge_prevalence"), "level": given.get("level", 0.95)}
    try:
        if "half_width" in given:
            return items_for_width(given["kappa"], given["prevalence"], given["half_width"], **margins)
        return items_for_power(given["kappa0"], given["kappa1"], given["prevalence"], given.get("power", 0.8), **margins)
    except ValueError as refused:
        return Plan(None, str(refused))


def of_steps(given: Given, name: str) -> Estimate | None:
    if not given.has("items"):
        return None
    items = [(_positions(item.get("human")), _positions(item.get("judge"))) for item in given.input["items"]]
    if name == "first_exact":
        return first_failure_agreement(items)
    if found := re.fullmatch(r"first_within_(\d+)", name):
        return first_failure_agreement(items, within=int(found[1]))
    if name == "n_both":
        return counted(first_failure_agreement(items).n)
    figures = {
        "mean_jaccard": evidence_overlap, "evidence_overlap": evidence_overlap,
        "evidence_precision": step_precision, "evidence_recall": step_recall,
    }  # fmt: skip
    return figures[name](items) if name in figures else None


def _positions(marked: Any) -> Any:
    """One position may come without its list."""
    return [marked] if isinstance(marked, int) else marked


def of_alt_test(given: Given, name: str) -> Estimate | None:
    if not given.has("judge", "humans"):
        return None
    asked = {key: given.input[key] for key in ("score", "fdr", "choices") if key in given.input}
    test = alternative_annotator_test(given.input["judge"], given.input["humans"], given.input["epsilon"], **asked)
    if found := re.fullmatch(r"p_(\d+)", name):
        return test.annotators[int(found[1]) - 1].p
    return {"winning_rate": test.winning_rate, "advantage_probability": test.advantage}.get(name)


def of_dawid_skene(given: Given, name: str) -> Estimate | None:
    """`prevalence_C`, `raterR_correct_C` with raters counted from 1, `itemI_posterior_C` with items counted from 0."""
    if not given.has("ratings") or given.case.get("question_type") == "multilabel":
        return None
    choices = {str(choice): place for place, choice in enumerate(given.choices)}
    found = re.fullmatch(r"(?:(prevalence)|rater(\d+)_correct|item(\d+)_posterior)_(.+)|loglik", name, re.DOTALL)
    if found is None or (found[4] is not None and found[4] not in choices):
        return None
    fitted = dawid_skene(given.input["ratings"], given.choices)
    if fitted.refused:
        return Estimate.undefined(0, "EM", fitted.refused)
    if found[4] is None:
        return counted(fitted.log_likelihood or 0.0)
    place = choices[found[4]]
    if found[1]:
        return fitted.prevalence[place]
    if found[2]:
        return fitted.rater_confusions[int(found[2]) - 1][place][place]
    posterior = fitted.posteriors[int(found[3])]
    return Estimate.undefined(0, "EM", "nobody rated this item") if posterior is None else counted(posterior[place])


# Prevalence


def prevalence_of(given: Given, place: int) -> Estimate:
    """How often the humans say a choice, in the population of the case's sample."""
    if given.has("strata"):
        return post_stratified(_rates(given, place))
    if given.has("clusters"):
        rows = np.zeros((len(given.choices),) * 2, dtype=np.bool_)
        rows[place] = True
        return share(given.sample(), rows, np.ones_like(rows), "there are no items")
    return humans_only(sum(given.table[place]), int(np.sum(given.table)))


def prevalence_error(given: Given, place: int) -> Estimate:
    """The large-sample standard error of `prevalence_of`."""
    if given.has("clusters"):
        rows = np.zeros((len(given.choices),) * 2, dtype=np.bool_)
        rows[place] = True
        return share_error(given.sample(), rows, np.ones_like(rows), "there are no items")
    n, positives = int(np.sum(given.table)), sum(given.table[place])
    return post_stratified_error(_rates(given, place) if given.has("strata") else [RateStratum(n, n, positives)])


def _rates(given: Given, place: int) -> list[RateStratum]:
    """Strata as they are, or the verdicts of a simple draw."""
    if not given.has("strata"):
        table, rest = given.table, _unlabelled(given)
        called = [(sum(row[j] for row in table), table[place][j]) for j in range(2)]
        verdicts = [rest[0], rest[1]] if given.positive == 0 else [rest[1], rest[0]]
        return [RateStratum(n + more, n, positives) for (n, positives), more in zip(called, verdicts, strict=True)]
    return [
        RateStratum(part["population"], int(np.sum(part["table"])), sum(part["table"][place]), str(part["stratum"]))
        for part in given.input["strata"]
    ]


def of_prevalence(given: Given, name: str) -> Estimate | None:
    if given.has("strata") and name == "post_stratified":
        return post_stratified(_rates(given, given.positive))
    if given.has("judge_positive"):
        return _of_known_errors(given.input, name)
    if not given.has("labelled", "unlabelled_verdicts"):
        return None
    if name in ("ppi", "ppi_lambda"):
        mean, weight = _ppi(given)
        return mean if name == "ppi" else Estimate.undefined(mean.n, "ppi", mean.reason) if weight is None else counted(weight)
    if name not in ("humans_only", "judge_raw", "post_stratified", "rogan_gladen", "lee"):
        return None
    table, place, rest = given.table, given.positive, _unlabelled(given)
    n, positives, found = sum(map(sum, table)), sum(table[place]), table[place][place]
    called = sum(row[place] for row in table)
    spared = n - positives - (called - found)
    if name == "humans_only":
        return humans_only(positives, n)
    if name == "judge_raw":
        return judge_raw(called + rest[0], n + sum(rest))
    if name == "post_stratified":
        return post_stratified(_rates(given, place))
    if name == "rogan_gladen":
        if not positives or positives == n:
            return Estimate.undefined(n, name, "a class without labels has no error rate")
        return rogan_gladen(rest[0], sum(rest), found / positives, spared / (n - positives))
    return lee(rest[0], sum(rest), (spared, n - positives), (found, positives))


def _unlabelled(given: Given) -> tuple[int, int]:
    """Verdicts on what nobody labelled: positive, negative."""
    verdicts = given.input["unlabelled_verdicts"]
    if isinstance(verdicts, list):
        verdicts = {str(choice): verdicts.count(choice) for choice in given.choices}
    places = {given.place(next(choice for choice in given.choices if str(choice) == name)): n for name, n in verdicts.items()}
    positive = places.get(given.positive, 0)
    return positive, sum(places.values()) - positive


def _ppi(given: Given) -> Any:
    """Scores as they are, verdicts as 1 and 0."""
    if not given.choices:
        labelled = Given(given.case | {"input": {"pairs": given.input["labelled"]["pairs"]}}).both
        return ppi_mean([human for human, _ in labelled], [judge for _, judge in labelled], given.input["unlabelled_verdicts"])
    human, judge = [], []
    for i, row in enumerate(given.table):
        for j, count in enumerate(row):
            human += [float(i == given.positive)] * count
            judge += [float(j == given.positive)] * count
    positive, negative = _unlabelled(given)
    return ppi_mean(human, judge, [1.0] * positive + [0.0] * negative)


def _of_known_errors(given: dict[str, Any], name: str) -> Estimate | None:
    """Sensitivity and specificity as shares, or as counts of a gold set."""
    positive, n = given["judge_positive"], given["n"]
    sides = [given["specificity"], given["sensitivity"]]
    if name == "judge_raw":
        return judge_raw(positive, n)
    if name == "rogan_gladen":
        if any(isinstance(side, dict) and not side["n"] for side in sides):
            return Estimate.undefined(n, name, "a class without gold items has no error rate")
        specificity, sensitivity = (side["correct"] / side["n"] if isinstance(side, dict) else side for side in sides)
        return rogan_gladen(positive, n, sensitivity, specificity)
    if name == "lee":
        if not all(isinstance(side, dict) for side in sides):
            raise DoesNotFit("Lee et al. take a gold set's counts, not known shares")
        specificity, sensitivity = ((side["correct"], side["n"]) for side in sides)
        return lee(positive, n, specificity, sensitivity)
    return None


def other_error(given: Given, stem: str) -> Estimate | None:
    """Standard errors of what is no figure of one table."""
    if stem == "post_stratified" and (given.has("strata") or given.has("labelled", "unlabelled_verdicts")):
        return post_stratified_error(_rates(given, given.positive))
    if given.has("labelled", "unlabelled_verdicts") and stem == "humans_only":
        return prevalence_error(given, given.positive)
    if given.has("labelled", "unlabelled_verdicts") and stem == "ppi":
        mean, _ = _ppi(given)
        return mean if mean.low is None or mean.high is None else counted((mean.high - mean.low) / (2 * normal_quantile()))
    if stem == "difference" and given.has("table3"):
        return compare(given.input["table3"]).error
    return None


# Two judges on the same items


def of_two_judges(given: Given, name: str) -> Estimate | None:
    if not given.has("table3"):
        return None
    compared = compare(given.input["table3"])
    figures = {
        "difference": compared.unsmoothed, "smoothed": compared.difference, "difference_smoothed": compared.difference,
        "difference_recommended": compared.difference,
        "only_first_right": counted(sum(compared.only_first_right)), "only_second_right": counted(sum(compared.only_second_right)),
        "n": counted(compared.n),
    }  # fmt: skip
    return figures.get(name)


OTHERS = (
    of_proportion, of_mcnemar, of_p_values, of_plan, of_steps, of_alt_test, of_dawid_skene, of_prevalence, of_two_judges,
)  # fmt: skip
