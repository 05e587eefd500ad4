"""Which name in the reference cases is which figure of ours, whatever the group that it occurs in.

`answer_of(given, name)` takes a name apart: a figure, perhaps of one choice or label, read strictly or without
weights; then the part that is meant: the value, an end of an interval (`_low`, `_high`) or the large-sample
standard error (`_se`). A declared choice is matched first, for a choice may itself be called `low`.

Intervals that the product does not use for a figure (`delta2`, `kappa_square_and_add`, ...) come from the product's
machinery given those settings; where that needs a gradient which is nobody's business but the figure's own, it is
taken by differences of the figure (`by_differences`).
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from reports.agreement import (
    Weights,
    expected_agreement,
    kappa,
    kappa_error,
    observed_agreement,
    sensitivity,
    sensitivity_error,
    specificity,
    specificity_error,
)
from reports.alpha import krippendorff_alpha
from reports.alpha_by_design import alpha_by_design
from reports.binary import balanced_accuracy, bias_index, f1, npv, precision, prevalence_index
from reports.chance import ac1, ac2, pabak, scott_pi
from reports.correlation import mcc
from reports.design import Smoothing, large_sample_error, smooth_interval
from reports.estimate import Estimate
from reports.intervals import clopper_pearson, student_quantile, wilson
from reports.many_raters import fleiss, gwet
from reports.per_class import specific_agreement
from reports.sample import Floats, Linearised, Sample
from reports.scores import spearman
from reports.sets import alpha_by_label, alpha_of_sets, exact_match, mean_jaccard
from reports.square_and_add import square_and_add
from tests.reference_inputs import DoesNotFit, Given, Unknown
from tests.reference_others import OTHERS, counted, other_error, prevalence_error, prevalence_of

NO_WEIGHTS = "these weights count no disagreement"

Family = Callable[[Given, str], Estimate | None]
"""A figure by its name, or None where the family has none of that name."""

Figure = Callable[[Sample, int], Estimate]
"""From a sample and the place of the positive choice."""

NAMED: dict[str, Weights] = {"": "unweighted", "_linear": "linear", "_quadratic": "quadratic"}
OF_ONE_CHOICE: dict[str, Figure] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "precision": precision,
    "npv": npv,
    "f1": f1,
    "balanced_accuracy": balanced_accuracy,
    "positive_agreement": specific_agreement,
    "prevalence_index": prevalence_index,
    "bias_index": bias_index,
}
"""Figures whose name may be followed by the choice that is to count as positive."""
SAMPLE: dict[str, Figure] = OF_ONE_CHOICE | {
    "kappa": lambda sample, _: kappa(sample),
    "kappa_linear": lambda sample, _: kappa(sample, "linear"),
    "kappa_quadratic": lambda sample, _: kappa(sample, "quadratic"),
    "observed_agreement": lambda sample, _: observed_agreement(sample),
    "expected_agreement": lambda sample, _: expected_agreement(sample),
    "expected_agreement_linear": lambda sample, _: expected_agreement(sample, "linear"),
    "expected_agreement_quadratic": lambda sample, _: expected_agreement(sample, "quadratic"),
    "scott_pi": lambda sample, _: scott_pi(sample),
    "pabak": lambda sample, _: pabak(sample),
    "ac1": lambda sample, _: ac1(sample),
    "ac2_linear": lambda sample, _: ac2(sample, "linear"),
    "ac2_quadratic": lambda sample, _: ac2(sample, "quadratic"),
    "mcc": lambda sample, _: mcc(sample),
}
"""Figures of two raters, of any design."""

SHARES = {"observed_agreement", "sensitivity", "specificity", "precision", "npv", "prevalence"}
IN_UNITS = {"sensitivity", "specificity", "precision", "npv", "f1", "balanced_accuracy", "positive_agreement", "observed_agreement"}
"""Figures from 0 to 1; the others go from -1 to 1."""


def answer_of(given: Given, name: str) -> tuple[float | None, str]:
    """What we say to a name: a number, or None and the reason. Raises Unknown for a name that nobody decided about."""
    found = figure_of(given, name)
    if found is not None:
        return found.value, found.reason
    for part, ask in (("_low", figure_of), ("_high", figure_of), ("_se", error_of)):
        stem = name.removesuffix(part)
        found = ask(given, stem) if stem != name else None
        if found is not None:
            return {"_low": found.low, "_high": found.high, "_se": found.value}[part], found.reason
    raise Unknown(f"Unknown name {name!r} in {given.case['id']}. Decide what it means, in tests/reference_names.py.")


def figure_of(given: Given, name: str) -> Estimate | None:
    """The estimate that a name stands for, its ends included; None where there is no such name."""
    return next((found for family in FAMILIES if (found := family(given, name)) is not None), None)


# The same name of another reading of the case


def reread(given: Given, name: str) -> tuple[Given, str] | None:
    """What a name of one label, of the strict or of the unweighted figures comes down to; None for any other name."""
    if given.of_sets:
        for choice in given.choices:
            stem = name.removesuffix(f"_label_{choice}")
            if stem != name:
                return given.label(choice), "alpha_nominal" if stem == "alpha" else stem
            stem = name.removesuffix(f"_{choice}")
            if stem != name and (stem in OF_ONE_CHOICE or stem == "prevalence"):
                return given.label(choice), stem
    elif not given.has("table3"):
        for choice in given.choices:
            stem = name.removesuffix(f"_label_{choice}")
            if stem != name and stem in ("kappa", "alpha", "scott_pi"):
                return given.one_choice(choice), "alpha_nominal" if stem == "alpha" else stem
    if given.has("table3") and name[-2:] in ("_1", "_2"):
        return given.margin(int(name[-1])), name[:-2]
    for ending, reading in (("_strict", Given.strictly), ("_readable", Given.readably), ("_at_threshold", Given.at_threshold)):
        stem = name.removesuffix(ending)
        if stem != name:
            return reading(given), stem
    stem = name.removeprefix("unweighted_")
    return (given.pooled(), stem) if stem != name else None


def of_another_reading(given: Given, name: str) -> Estimate | None:
    found = reread(given, name)
    return None if found is None else figure_of(*found)


# Two raters


def choice_of(given: Given, name: str) -> tuple[str, int] | None:
    """A name that ends in a declared choice, taken apart."""
    if given.of_sets:
        return None
    for place, choice in enumerate(given.choices):
        stem = name.removesuffix(f"_{choice}")
        if stem != name and (stem in OF_ONE_CHOICE or stem == "prevalence"):
            return stem, place
    return None


def of_choice(given: Given, name: str) -> Estimate | None:
    """`sensitivity_C` and its like: one choice against all others."""
    found = choice_of(given, name)
    if found is None:
        return None
    stem, place = found
    return prevalence_of(given, place) if stem == "prevalence" else OF_ONE_CHOICE[stem](given.sample(), place)


def of_sample(given: Given, name: str) -> Estimate | None:
    if name == "n":
        return counted(fleiss(given.patterns).n if given.raters > 2 else kappa(given.sample()).n)
    if name == "kappa_weighted":
        sample = given.sample()
        return kappa(sample, given.credit) if given.credit else Estimate.undefined(sample.n, "kappa", NO_WEIGHTS)
    if name in ("prevalence_index_abs", "bias_index_abs"):
        found = SAMPLE[name.removesuffix("_abs")](given.sample(), given.positive)
        return replace(found, value=None if found.value is None else abs(found.value))
    if name == "spearman":
        return spearman(given.scores)
    if name == "prevalence":
        return prevalence_of(given, given.positive)
    return SAMPLE[name](given.sample(), given.positive) if name in SAMPLE else None


# Many raters


def of_ratings(given: Given, name: str) -> Estimate | None:
    """A table, strata and groups of two raters' items are ratings too."""
    if name == "fleiss_kappa":
        return scott_pi(given.sample()) if given.has("strata") else fleiss(given.patterns)
    if name in ("ac1", "ac2_linear", "ac2_quadratic") and given.has("ratings"):
        return gwet(given.patterns, NAMED[name[3:]])
    level = name.removeprefix("alpha_")
    if level == name or level not in ("nominal", "ordinal", "interval", "ratio"):
        return None
    if given.has("strata") or given.has("clusters"):
        if level in ("interval", "ratio") and given.values != [*range(len(given.choices))]:
            raise DoesNotFit(f"alpha at the {level} level of numbers under a design")
        return alpha_by_design(given.question("nominal"), level)
    numbers = given if given.choices else given.numbered
    return krippendorff_alpha(numbers.patterns, level, numbers.values)


def of_sets(given: Given, name: str) -> Estimate | None:
    if not given.of_sets:
        return None
    size = len(given.choices)
    if name in ("alpha_masi", "alpha_jaccard"):
        return alpha_of_sets(given.set_units, size, name.removeprefix("alpha_"))
    if name == "alpha_macro":
        return mean_of(alpha_by_label(given.set_units, size))
    if name == "exact_match":
        return exact_match(given.set_pairs)
    if name == "mean_jaccard":
        return mean_jaccard(given.set_pairs)
    if name == "n":
        return counted(alpha_of_sets(given.set_units, size, "masi").n)
    stem = name.removesuffix("_macro")
    if stem == name:
        return None
    labels = [figure_of(given.label(choice), stem) for choice in given.choices]
    return None if None in labels else mean_of([label for label in labels if label is not None])


def mean_of(labels: Sequence[Estimate]) -> Estimate:
    """The plain mean over labels; what is undefined is left out."""
    values = [each.value for each in labels if each.value is not None]
    n = max((each.n for each in labels), default=0)
    if not values:
        return Estimate.undefined(n, "mean over labels", "; ".join(sorted({each.reason for each in labels})))
    return Estimate(sum(values) / len(values), None, None, n, "mean over labels", "no interval is asked for")


# Groups


def of_clusters(given: Given, name: str) -> Estimate | None:
    """Standard errors of items that share groups. Ours is the linearised one; a jackknife is by its definition."""
    found = re.fullmatch(r"(.+)_se_(item|linearised|jackknife)", name)
    if found is None:
        return None
    stem, kind = found.groups()
    if kind != "jackknife":
        return error_of(given.pooled() if kind == "item" else given, stem)
    if not given.has("clusters"):
        raise DoesNotFit("a jackknife leaves out groups, and there are none")
    tables = [np.array(table) for table in given.clusters]
    if not tables:
        return Estimate.undefined(0, name, "there are no groups")
    whole = sum(tables)
    left = [figure_of(given.but(choices=given.choices, table=(whole - table).tolist()), stem) for table in tables]
    if any(each is None or each.value is None for each in left):
        return None if None in left else Estimate.undefined(len(left), name, "undefined without one of the groups")
    values = np.array([each.value for each in left if each is not None])
    return counted(float(np.sqrt((len(values) - 1) * values.var())))


# Intervals and standard errors by name


def of_method(given: Given, name: str) -> Estimate | None:
    """`FIGURE_METHOD`, or the method alone for that of kappa (for a proportion: of observed agreement)."""
    if given.has("table3") or given.has("successes"):
        return None
    found = re.fullmatch(r"(?:(.+)_)?(recommended|delta\d+|delta_half|square_and_add|fisher_t|wilson|clopper_pearson)", name)
    if found is None:
        return None
    method = found[2]
    stem = found[1] or ("observed_agreement" if method in ("wilson", "clopper_pearson") else "kappa")
    estimate = figure_of(given, stem)
    if estimate is None or estimate.value is None or method == "recommended":
        return estimate
    if method in ("wilson", "clopper_pearson"):
        if choice_of(given, stem) is None and stem not in SHARES:
            raise DoesNotFit(f"{stem!r} is no share of items")
        ends = {"wilson": wilson, "clopper_pearson": clopper_pearson}[method](round(estimate.value * estimate.n), estimate.n)
        return Estimate(estimate.value, *ends, estimate.n, method)
    if method == "fisher_t":
        return fisher_t(given, stem, estimate)
    if method == "square_and_add" and (stem not in SAMPLE or stem in IN_UNITS):
        return estimate
    sample, figure = of_shares(given, stem)
    limits = (0.0 if stem in IN_UNITS else -1.0, 1.0)
    if method == "square_and_add":
        if sample.size != 2:
            raise DoesNotFit("square-and-add is for two choices")
        return Estimate(estimate.value, *square_and_add(sample, estimate.value, figure, limits), estimate.n, method)
    if method == "delta_half":
        fillable = sum(int(stratum.fillable.sum()) for stratum in sample.strata if stratum.cells)
        smoothing = Smoothing(fillable / 2, False)  # type: ignore[arg-type]
    else:
        smoothing = Smoothing(int(method.removeprefix("delta")), False)
    interval = smooth_interval(sample, estimate.value, by_differences(figure), smoothing, limits)
    return Estimate(estimate.value, interval.low, interval.high, estimate.n, interval.method, interval.reason)


def fisher_t(given: Given, stem: str, estimate: Estimate) -> Estimate:
    """Fisher's z with the robust standard error and t(M-1), also where ours takes the wider of two."""
    error = error_of(given, stem)
    groups = given.sample().groups
    if error is None or groups is None or estimate.value is None or abs(estimate.value) == 1 or not error.value:
        return estimate
    half_width = student_quantile(groups.number - 1) * error.value / (1 - estimate.value**2)
    low, high = (math.tanh(math.atanh(estimate.value) + way * half_width) for way in (-1, 1))
    return Estimate(estimate.value, low, high, estimate.n, "fisher z")


def error_of(given: Given, stem: str) -> Estimate | None:
    """The large-sample standard error of a figure, under the case's design."""
    if (found := reread(given, stem)) is not None:
        return error_of(*found)
    if (other := other_error(given, stem)) is not None:
        return other
    if stem == "kappa_weighted":
        return kappa_error(given.sample(), given.credit) if given.credit else figure_of(given, stem)
    if stem.removeprefix("kappa") in NAMED and stem.startswith("kappa"):
        return kappa_error(given.sample(), NAMED[stem.removeprefix("kappa")])
    place = given.positive
    if (of := choice_of(given, stem)) is not None:
        stem, place = of
    if stem == "prevalence":
        return prevalence_error(given, place)
    if stem in ("sensitivity", "specificity"):
        return {"sensitivity": sensitivity_error, "specificity": specificity_error}[stem](given.sample(), place)
    if stem not in SAMPLE:
        return None
    estimate = SAMPLE[stem](given.sample(), place)
    if estimate.value is None:
        return estimate
    sample, figure = of_shares(given, stem, place)
    return large_sample_error(sample, by_differences(figure))


def of_shares(given: Given, stem: str, place: int | None = None) -> tuple[Sample, Callable[[Floats], float]]:
    """The case's sample, and one of its figures as a function of a table of shares."""
    if (found := reread(given, stem)) is not None:
        return of_shares(*found)
    place = given.positive if place is None else place
    if (of := choice_of(given, stem)) is not None:
        stem, place = of
    if stem != "kappa_weighted" and stem not in SAMPLE:
        raise DoesNotFit(f"{stem!r} is no figure of a table")

    def figure(shares: Floats) -> float:
        size = len(shares)
        cells = [[round(cell * 2**53) for cell in row] for row in shares.tolist()]
        unreadable = [row[size] for row in cells] if len(cells[0]) > size else None
        sample = Sample.of_table([row[:size] for row in cells], unreadable)
        value = (kappa(sample, given.credit) if stem == "kappa_weighted" else SAMPLE[stem](sample, place)).value
        if value is None:
            raise DoesNotFit(f"{stem!r} is undefined on the way to its interval")
        return value

    return given.sample(), figure


def by_differences(figure: Callable[[Floats], float]) -> Linearised:
    """The figure and its gradient, to about twelve places. Cells without items weigh nothing, and get 0."""

    def linearised(shares: Floats) -> tuple[float, Floats]:
        gradient = np.zeros_like(shares)
        for cell in np.argwhere(shares > 0):
            step = 1e-3 * shares[tuple(cell)]

            def at(steps: int, cell: tuple[int, ...] = tuple(cell), step: float = step) -> float:
                moved = shares.copy()
                moved[cell] += steps * step
                return figure(moved)

            gradient[tuple(cell)] = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
        return figure(shares), gradient

    return linearised


FAMILIES: tuple[Family, ...] = (*OTHERS, of_choice, of_another_reading, of_clusters, of_sets, of_ratings, of_sample, of_method)
