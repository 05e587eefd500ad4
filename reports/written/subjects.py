"""What the report is about, one subject a question and judge run: its pairs, its people, and what their labels are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

CONSENSUS = "human:consensus"


@dataclass(frozen=True, slots=True)
class Subject:
    """One question as one judge run answered it."""

    question: Json
    """As study.toml declares it."""
    run: Json
    """As `about` has it."""
    agreed: Json
    """The question's part of the agreement document."""
    consensus: Json | None
    """The pair of the human consensus with the run; None where no labelled item has a verdict."""
    singles: tuple[Json, ...]
    """The pairs of single annotators with the run."""
    people: int
    """Who gave the labels that count."""
    imported: bool
    """Whether the labels came in with a file, so that nothing is known of how they were made."""

    @property
    def name(self) -> str:
        return str(self.run["name"])

    @property
    def positive(self) -> str | None:
        return None if self.question["positive"] is None else str(self.question["positive"])

    @property
    def humans(self) -> Json:
        found: Json = self.agreed["human_human"]
        return found

    @property
    def strict(self) -> bool:
        """Whether so many verdicts are unreadable that the strict figures lead."""
        if self.consensus is None:
            return False
        return any(part.get("headline") == "strict" for part in (self.consensus, *self.consensus.get("by_label", {}).values()))

    @property
    def labelled(self) -> int:
        """Items on which a human gave a label, or was unsure."""
        if self.consensus is None:
            return 0
        excluded: Mapping[str, int] = self.consensus["excluded"]
        return int(self.consensus["n"]) + sum(count for why, count in excluded.items() if why != "skipped")


def headline_key(pair: Json, strict: bool) -> str:
    """The figure by which a pair is quoted: kappa, of ordered choices with linear weights, of scores the rank correlation.

    `strict`: as the subject's pair with the consensus is quoted, so that figures side by side are of one kind. A pair
    without an unreadable verdict has no strict kappa, and needs none.
    """
    if "spearman" in pair:
        return "spearman"
    if strict:
        return "kappa_strict" if "kappa_strict" in pair else "kappa"
    return "kappa_linear" if "kappa_linear" in pair else "kappa"


def headline(pair: Json, strict: bool) -> Json:
    """That figure. A pair about several choices has one for each of them, and none of its own."""
    found: Json = pair[headline_key(pair, strict)]
    return found


def headline_name(pair: Json, strict: bool) -> str:
    """What it is called."""
    names = {"spearman": "Spearman’s rho", "kappa_linear": "linearly weighted kappa"}
    return "strict kappa" if strict and "spearman" not in pair else names.get(headline_key(pair, strict), "kappa")


def one_more_human(subject: Subject, documents: Json) -> Json | None:
    """The judge beside single annotators and they beside each other, on the same items; None where that is undefined.

    Of ordered choices with linear weights, of scores by rank.
    """
    for question in documents["humans"]["questions"]:
        for judge in question["judges"]:
            if question["id"] == subject.question["id"] and judge["judge"] == subject.name:
                found: Json = judge.get("linear", judge)
                return None if found["difference"]["value"] is None else found
    return None


def subjects_of(documents: Json) -> list[Subject]:
    """Every question with every judge run that answered it, in the order of the study and of the runs' names."""
    about = documents["about"]
    declared = {question["id"]: question for question in about["questions"]}
    found = []
    for agreed in documents["agreement"]["questions"]:
        for run in about["runs"]:
            if not any(each["question"] == agreed["id"] for each in run["verdicts"]):
                continue
            pairs = [pair for pair in agreed["pairs"] if pair["columns"] == f"judge:{run['name']}"]
            consensus = next((pair for pair in pairs if pair["rows"] == CONSENSUS), None)
            imported = consensus is not None and consensus["design"] == "imported"
            found.append(
                Subject(
                    question=declared[agreed["id"]],
                    run=run,
                    agreed=agreed,
                    consensus=consensus,
                    singles=tuple(pair for pair in pairs if pair["rows"] != CONSENSUS),
                    people=_people(about, agreed["id"], "imported" if imported else "batch"),
                    imported=imported,
                )
            )
    return found


def _people(about: Json, question: str, source: str) -> int:
    return sum(
        any(each["question"] == question and each["source"] == source for each in person["labels"]) for person in about["people"]
    )


def shown_names(documents: Json, names: bool) -> dict[str, str]:
    """Handle to the name that the report shows: a pseudonym, unless names were asked for."""
    handles = sorted({person["handle"] for person in documents["about"]["people"]})
    width = len(str(len(handles)))
    return {handle: handle if names else f"annotator-{place:0{width}}" for place, handle in enumerate(handles, 1)}
