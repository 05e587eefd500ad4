"""Everything that is known of many annotators' votes on a question, beside its headline alpha: for `agree --json --all`."""

from typing import Any

from data.tallies import QuestionTally
from reports.alpha_by_design import AnyLevel, alpha_by_design
from reports.estimate import Estimate
from reports.many_raters import fleiss, gwet
from reports.sets import alpha_by_label, alpha_macro, alpha_of_sets, of_label
from reports.vote_sample import VoteSample, at_least, two_values

Document = dict[str, Any]

OTHER_LEVELS: dict[str, tuple[AnyLevel, ...]] = {"ordinal": ("nominal", "interval", "ratio"), "score": ("ratio",)}


def vote_figures(tally: QuestionTally) -> Document:
    """Estimates as JSON, by name; all follow the weights, strata and groups of `tally`.

    Choices: `fleiss`, `ac1`; ordinal ones `ac2_linear`, `ac2_quadratic` and alpha at the other levels, each choice
    being its place. Several choices: `alpha_jaccard`, `alpha_macro` and `by_label`. Scores: `alpha_ratio`.
    """
    document = {f"alpha_{level}": alpha_by_design(tally, level).as_json() for level in OTHER_LEVELS.get(tally.type, ())}
    if tally.type == "multilabel":
        return document | _of_sets(VoteSample.of_tally(tally, two_values), VoteSample.of_tally(tally, bool), tally.choices)
    if tally.type == "score":
        return document
    sample = VoteSample.of_tally(tally, at_least(1))
    figures = {"fleiss": fleiss(sample), "ac1": gwet(sample)}
    if tally.type == "ordinal":
        figures |= {"ac2_linear": gwet(sample, "linear"), "ac2_quadratic": gwet(sample, "quadratic")}
    return {name: figure.as_json() for name, figure in figures.items()} | document


def _of_sets(paired: VoteSample, voted: VoteSample, choices: tuple[str, ...]) -> Document:
    """`voted`: with the items that have one vote, which count in the shares of AC1."""

    def of_choice(place: int, alpha: Estimate) -> Document:
        label = of_label(voted, place)
        figures = {"krippendorff_alpha": alpha, "fleiss": fleiss(label), "ac1": gwet(label)}
        return {name: figure.as_json() for name, figure in figures.items()}

    alphas = alpha_by_label(paired, len(choices))
    return {
        "alpha_jaccard": alpha_of_sets(paired, len(choices), "jaccard").as_json(),
        "alpha_macro": alpha_macro(paired, len(choices)).as_json(),
        "by_label": {choice: of_choice(place, alphas[place]) for place, choice in enumerate(choices)},
    }
