"""What the report says in a few sentences, for each question and judge run: the box on its first page."""

from collections.abc import Mapping
from typing import Any

from data.wording import amount
from reports.written import phrases
from reports.written.happening import rate_in_words
from reports.written.numerals import figure, has_interval, in_letters, joined, percent_figure
from reports.written.subjects import Subject, headline, headline_name, one_more_human

Json = Mapping[str, Any]


def summary(subject: Subject, documents: Json) -> str:
    """Who labelled, how far the judge agrees, where it goes wrong, what the rate is, and what makes all this preliminary."""
    if subject.consensus is None:
        return nothing_to_say(subject)
    pair = subject.consensus
    said = [who_labelled(subject)]
    if pair["n"] == 0:
        return " ".join(
            [*said, "No item has both an answer of theirs and a readable verdict, so nothing can be said of the judge."]
        )
    if subject.strict:
        said.append(unreadable(pair))
    beside = one_more_human(subject, documents)
    compared = phrases.as_well_as_humans(beside, headline_name(pair, False)) if beside and "by_label" not in pair else ""
    said += [compared] if compared and not subject.strict else agreement(subject)
    said.append(failing(subject))
    said += [phrases.misses_and_invents(subject), rate_in_words(subject, documents)]
    if why := phrases.preliminary(pair["marks"]):
        said.append(f"All of this is preliminary: {why}.")
    return " ".join(sentence for sentence in said if sentence)


def failing(subject: Subject) -> str:
    """That the judge failed, by the figure that its question is quoted by; empty where it did not."""
    pair = subject.consensus
    assert pair is not None
    if "by_label" in pair:
        return phrases.failing_choices({label: headline(part, subject.strict) for label, part in pair["by_label"].items()})
    if "spearman" in pair:
        return phrases.failing_scores(pair, subject.question.get("threshold"))
    return phrases.failing(headline(pair, subject.strict))


def nothing_to_say(subject: Subject) -> str:
    """Why there is nothing to say of a judge."""
    verdicts = sum(each["verdicts"] for each in subject.run["verdicts"] if each["question"] == subject.question["id"])
    given = f"“{subject.name}” gave {amount(verdicts, 'verdict', form=',')} on “{subject.question['id']}”"
    return f"{given}, and no item with a verdict has a human label yet: nothing can be said of this judge."


def who_labelled(subject: Subject) -> str:
    """Who labelled how many trajectories, and under what blindness."""
    done = f"{phrases.people(subject.people)} labelled {amount(subject.labelled, 'trajectory', 'trajectories', ',')}"
    if subject.imported:
        return f"{done}; the labels were imported, and nothing is known of how the items were drawn or of what the annotators saw."
    return f"{done} without seeing the judge."


def unreadable(pair: Json) -> str:
    """That verdicts could not be read, and what became of them."""
    many = in_letters(pair["excluded"]["error"])
    return (
        f"{many[0].upper()}{many[1:]} {'verdict' if many == 'one' else 'verdicts'} on labelled items could not be read; "
        "in the strict figures, which lead here, each counts as a disagreement."
    )


def agreement(subject: Subject) -> list[str]:
    """How far judge and humans agree, where there is no agreement among humans to set beside it."""
    pair = subject.consensus
    assert pair is not None
    if "by_label" in pair:
        each = [f"“{label}” {figure(headline(part, subject.strict))}" for label, part in pair["by_label"].items()]
        return [f"Choice by choice, {headline_name({}, subject.strict)} of the judge against the humans is: {joined(each)}."]
    found, name = headline(pair, subject.strict), headline_name(pair, subject.strict)
    if found["value"] is None:
        told = f"{name[0].upper()}{name[1:]} of the judge against the humans is undefined: {found['reason']}."
        agreed = pair.get("observed_agreement_strict" if subject.strict else "observed_agreement")
        return [told, f"Judge and humans agree on {percent_figure(agreed)} of the items."] if agreed else [told]
    why = "" if has_interval(found) else f": {found['reason']}"
    return [f"{name[0].upper()}{name[1:]} of the judge against the humans is {figure(found)}{why}."]
