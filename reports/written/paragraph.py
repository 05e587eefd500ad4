"""The paragraph for a paper: what was done and what came out, ready to be copied, whatever came out."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.written import phrases
from reports.written.first_page import methods_of
from reports.written.happening import rate_for_a_paper
from reports.written.numerals import figure, has_interval, joined, percent_figure, value
from reports.written.subjects import Subject, headline, headline_name, one_more_human

Json = Mapping[str, Any]


def paragraph(subject: Subject, documents: Json) -> str:
    """Human verification of one judge on one question, as a paper would say it."""
    pair = subject.consensus
    about = documents["about"]
    if pair is None:
        return (
            f"The verdicts of the judge “{subject.name}” on “{subject.question['id']}” have not been verified by humans: "
            "no item with a verdict has a human label."
        )
    said = [_labelled(subject, about), *_drawn(subject, about), *_agreement(subject, pair)]
    said += [_humans(subject, documents), rate_for_a_paper(subject, documents)]
    if why := phrases.preliminary(pair["marks"]):
        said.append(f"These figures are preliminary ({why}).")
    said.append(_how(pair, about))
    return " ".join(sentence for sentence in said if sentence)


def _labelled(subject: Subject, about: Json) -> str:
    """Who labelled what, and what they could see."""
    many = phrases.people(subject.people)
    of = f"{subject.labelled:,} of {amount(about['trajectories'], 'trajectory', 'trajectories', ',')}"
    asked = f"(“{subject.question['ask']}”)"
    if subject.imported:
        who = "the annotator" if subject.people == 1 else "their annotators"
        return (
            f"To verify the judge “{subject.name}” we used existing labels of {many[0].lower()}{many[1:]} on {of} {asked}. "
            f"How these items were chosen, and whether {who} could see the judge’s verdicts, is not known."
        )
    return f"To verify the judge “{subject.name}”, {many[0].lower()}{many[1:]} labelled {of} without seeing its verdicts {asked}."


def _drawn(subject: Subject, about: Json) -> list[str]:
    """How the items were drawn; nothing for imported labels, of which that is not known."""
    pair = subject.consensus
    assert pair is not None
    draws = [batch for batch in about["batches"] if batch["kind"] == "estimate"]
    if subject.imported or not draws:
        return []
    seeds = joined([str(batch["seed"]) for batch in draws])
    seed = f"seed {seeds}" if len(draws) == 1 else f"seeds {seeds}"
    run = pair["design"].partition(":")[2]
    frame = sum(stratum["frame"] for stratum in pair.get("strata", []))
    if pair["weighted"]:
        by = f" by the verdict of “{run}”" if run else ""
        told = f"The items were drawn at random within strata{by} ({seed}), "
        told += f"and all figures are weighted to the {frame:,} items of the frame."
    else:
        whole = sum(stratum["drawn"] for stratum in pair["strata"]) == frame
        told = f"These are all {frame:,} of the frame." if whole else f"The items are a simple random sample of {frame:,} ({seed})."
    missing = sum(stratum["missing"] for stratum in pair.get("strata", []))
    told += f" Of the items drawn, {missing:,} {'was' if missing == 1 else 'were'} not labelled." if missing else ""
    return [told]


def _agreement(subject: Subject, pair: Json) -> list[str]:
    """How far judge and humans agree, by the type of the question."""
    if pair["n"] == 0:
        return ["No item has both a human answer and a readable verdict, so no agreement can be computed."]
    against = "the consensus of the annotators" if subject.people > 1 else "the annotator"
    said = []
    if out := phrases.left_out(_without_errors(pair) if subject.strict else pair):
        said.append(f"We left out {out}.")
    if subject.strict:
        said.append(
            f"As {amount(pair['excluded']['error'], 'verdict', form=',')} could not be read, which is more than 2 %, "
            "we report strict figures, in which an unreadable verdict is a disagreement."
        )
    if "by_label" in pair:
        return [*said, _by_label(subject, pair, against)]
    if "spearman" in pair:
        return [*said, *_scores(subject, pair, against)]
    return [*said, *_choices(subject, pair, against)]


def _choices(subject: Subject, pair: Json, against: str) -> list[str]:
    suffix = "_strict" if subject.strict else ""
    agreed = pair[f"observed_agreement{suffix}"]
    kappa, name = headline(pair, subject.strict), headline_name(pair, subject.strict)
    name = {"kappa": "Cohen’s kappa", "strict kappa": "Cohen’s kappa (strict)"}.get(name, name)
    begun = f"{_of_items(pair, agreed['n'])}, the judge agreed with {against} on {percent_figure(agreed)} of them"
    if kappa["value"] is None:
        said = [f"{begun}; {name} is undefined, because {kappa['reason']}. Agreement beyond chance is therefore not shown."]
    else:
        interval = "" if has_interval(kappa) else f"; without an interval, because {kappa['reason']}"
        said = [f"{begun} ({name} {_with_interval(kappa)}{interval})."]
        said.append(phrases.failing(kappa))
    if "sensitivity" in pair:
        found, clean = pair[f"sensitivity{suffix}"], pair["specificity"]
        readable = "specificity, over readable verdicts," if subject.strict else "specificity"
        said.append(f"Taking “{subject.positive}” as positive, {_rate('sensitivity', found)} and {_rate(readable, clean)}.")
    return said


def _of_items(pair: Json, n: int) -> str:
    """`Of the 43 items`; where some were left out, of those that remain."""
    whole = int(pair["n"]) + sum(pair["excluded"].values())
    return f"Of the {phrases.items(n)}" + (" that remain" if n < whole else "")


def _without_errors(pair: Json) -> Json:
    """In strict figures an unreadable verdict is not left out."""
    return {**pair, "excluded": {**pair["excluded"], "error": 0}}


def _rate(name: str, estimate: Json) -> str:
    return f"{name} is undefined ({estimate['reason']})" if estimate["value"] is None else f"{name} is {figure(estimate)}"


def _by_label(subject: Subject, pair: Json, against: str) -> str:
    kappas = {label: headline(part, subject.strict) for label, part in pair["by_label"].items()}
    each = joined([f"“{label}” {figure(kappa)}" for label, kappa in kappas.items()])
    reasons = dict.fromkeys(kappa["reason"] for kappa in kappas.values() if kappa["value"] is None)
    why = f" (undefined where {joined(list(reasons), 'or')})" if reasons else ""
    begun = f"{_of_items(pair, max(kappa['n'] for kappa in kappas.values()))}, Cohen’s kappa of the judge against {against}"
    return f"{begun} is, choice by choice: {each}{why}. {phrases.failing_choices(kappas)}".rstrip()


def _scores(subject: Subject, pair: Json, against: str) -> list[str]:
    rho = pair["spearman"]
    if rho["value"] is None:
        said = [f"Spearman’s rank correlation of the judge with {against} is undefined, because {rho['reason']}."]
    else:
        interval = "" if has_interval(rho) else f"; without an interval, because {rho['reason']}"
        begun = f"{_of_items(pair, rho['n'])}, Spearman’s rank correlation of the judge with {against}"
        said = [f"{begun} is {_with_interval(rho)}{interval}."]
    if "at_threshold" in pair:
        at = pair["at_threshold"]
        kappa = headline(at, at.get("headline") == "strict")
        told = figure(kappa) if kappa["value"] is not None else f"undefined, because {kappa['reason']}"
        said.append(f"At the threshold of {subject.question['threshold']:g} Cohen’s kappa is {told}.")
        return [*said, phrases.failing_scores({"spearman": rho}, None) or phrases.failing(kappa)]
    return [*said, phrases.failing_scores(pair, None)]


def _with_interval(estimate: Json) -> str:
    """The figure, without the word that it has no interval: why it has none follows."""
    return figure(estimate) if has_interval(estimate) else value(estimate)


def _humans(subject: Subject, documents: Json) -> str:
    """Agreement among the humans, or that it is not known."""
    alpha = subject.humans["krippendorff_alpha"]
    if alpha["n"] == 0:
        return "No item was labelled by two annotators, so agreement among humans was not measured."
    if alpha["value"] is None:
        return f"Krippendorff’s alpha among the humans is undefined, because {alpha['reason']}."
    level = alpha["method"].partition(",")[0]
    double = f"{phrases.items(alpha['n'])} with two or more labels"
    told = f"Among the humans, Krippendorff’s alpha ({level}) is {figure(alpha)} ({double})."
    beside = one_more_human(subject, documents)
    return f"{told} {phrases.as_well_as_humans(beside, _mean_of(subject))}" if beside else told


def _mean_of(subject: Subject) -> str:
    pair = subject.consensus
    name = f"mean {headline_name(pair, False)}" if pair and "by_label" not in pair else "mean kappa"
    return f"{name} over readable verdicts" if subject.strict else name


def _how(pair: Json, about: Json) -> str:
    robust = any("groups" in method for method in methods_of(pair))
    groups = f", robust to the {pair['groups']:,} groups that items share" if robust and pair["groups"] < pair["n"] else ""
    return (
        f"Brackets hold 95 % intervals{groups}; computed with rejudge {about['versions']['rejudge']} (study {about['hash'][:12]})."
    )
