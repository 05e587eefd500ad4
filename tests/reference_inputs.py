"""A reference case's input, in whatever shape it came, as what our functions take: a table, a sample, votes, scores.

`tests/cases/README.md` lists the shapes. A shape that cannot give what a name asks for raises `DoesNotFit`,
which fails the case: nothing is ever skipped.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from data.tallies import Excluded, PairTally, Pattern, QuestionTally, StratumTally, VoteStratum
from reports.sample import Groups, Sample

Case = dict[str, Any]
Counts = list[list[int]]

STATISTICS = {
    *("agreement_table", "cohen_kappa", "kappa_interval", "other_intervals", "proportion_interval", "mcnemar"),
    *("many_raters", "krippendorff_alpha", "multilabel", "dawid_skene", "alt_test"),
    *("post_stratified", "cluster_robust", "paired_kappa_difference", "prevalence", "planner"),
    *("score", "step_level", "benjamini_hochberg", "undefined", "robustness"),
}
KEYS = {
    *("choices", "positive", "table", "unreadable", "pairs", "ratings", "strata", "clusters", "table3"),
    *("disagreement_weights", "agreement_weights", "threshold", "successes", "n", "only_first", "only_second"),
    *("p_values", "items", "judge", "humans", "epsilon", "fdr", "score"),
    *("kappa", "kappa0", "kappa1", "prevalence", "judge_prevalence", "half_width", "power", "level", "two_sided"),
    *("unlabelled_verdicts", "labelled", "judge_positive", "sensitivity", "specificity", "design"),
}
PARTS = {
    "strata": {"stratum", "population", "table"},
    "clusters": {"cluster", "table"},
    "items": {"human", "judge"},
}
"""What one entry of a list of objects may hold."""


class DoesNotFit(AssertionError):
    """A name was asked of an input that cannot answer it."""


class Unknown(AssertionError):
    """A name, group or key that no README of cases lists."""


@dataclass(frozen=True)
class Given:
    """One case's input. Choices are the declared ones, in their order; rows human, columns judge."""

    case: Case
    strict: bool = False
    """Whether the sample holds the unreadable verdicts too."""

    def __post_init__(self) -> None:
        refuse_unknown("statistic", {self.case["statistic"]} - STATISTICS)
        refuse_unknown("input key", set(self.input) - KEYS)
        for key, known in PARTS.items():
            for part in self.input.get(key, ()):
                refuse_unknown(f"key in {key!r}", set(part) - known)

    @property
    def input(self) -> dict[str, Any]:
        given: dict[str, Any] = self.case["input"]
        return given

    def has(self, *keys: str) -> bool:
        return all(key in self.input for key in keys)

    def but(self, **changed: Any) -> "Given":
        """The same case with another input."""
        return replace(self, case=self.case | {"input": changed})

    def strictly(self) -> "Given":
        return replace(self, strict=True)

    def readably(self) -> "Given":
        return replace(self, strict=False)

    # Choices

    @cached_property
    def choices(self) -> list[Any]:
        """Declared; counted where a table comes without names."""
        if "choices" in self.input:
            return list(self.input["choices"])
        for tables in (
            [self.input.get("table")],
            *([part["table"] for part in self.input.get(key, ())] for key in ("strata", "clusters")),
        ):
            if tables and tables[0]:
                return [str(place) for place in range(len(tables[0]))]
        return []

    @property
    def positive(self) -> int:
        """Its place; the first where none is declared."""
        return self.choices.index(self.input["positive"]) if "positive" in self.input else 0

    @property
    def values(self) -> list[float]:
        """A number is its own value, a word its place among the choices."""
        if all(_number(choice) for choice in self.choices):
            return [float(choice) for choice in self.choices]
        return [float(place) for place in range(len(self.choices))]

    def place(self, answer: Any) -> int:
        if answer not in self.choices:
            raise DoesNotFit(f"{answer!r} is none of the declared choices {self.choices}")
        return self.choices.index(answer)

    # Two sides

    @property
    def rows(self) -> list[list[Any]]:
        """Items x raters, from ratings or from pairs."""
        for key in ("ratings", "pairs"):
            if key in self.input:
                return [list(row) for row in self.input[key]]
        raise DoesNotFit("there are neither ratings nor pairs")

    @property
    def answers(self) -> list[Any]:
        return [answer for row in self.rows for answer in row if answer is not None]

    @property
    def of_sets(self) -> bool:
        """Whether answers are sets of choices. In `dawid_skene` a list is several ratings by one rater."""
        if self.case["statistic"] == "dawid_skene" or not (self.has("ratings") or self.has("pairs")):
            return False
        return self.case.get("question_type") == "multilabel" or any(isinstance(answer, list) for answer in self.answers)

    @property
    def raters(self) -> int:
        """Two, unless ratings say otherwise; also where there is no item."""
        return max((len(row) for row in self.rows), default=2) if self.has("ratings") else 2

    @property
    def both(self) -> list[tuple[Any, Any]]:
        """The answers of both sides to the items that have two; none where there is one side only."""
        if self.raters > 2:
            raise DoesNotFit(f"a figure of two raters was asked of {self.raters}")
        return [(row[0], row[1]) for row in self.rows if len(row) == 2 and None not in row]

    @property
    def table(self) -> Counts:
        """K x K counts of the items that have an answer on both sides, whatever their design."""
        if self.has("labelled"):
            return Given(self.case | {"input": self._labelled()}).table
        if self.has("table"):
            return [list(row) for row in self.input["table"]]
        for parts in ("strata", "clusters"):
            if self.has(parts):
                nothing = np.zeros((max(2, len(self.choices)),) * 2, dtype=np.int64)
                pooled: Counts = sum((np.array(part["table"]) for part in self.input[parts]), nothing).tolist()
                return pooled
        if self.of_sets:
            raise DoesNotFit("sets of choices have no table; ask for one label")
        if not self.choices and self.has("threshold"):
            return self.at_threshold().table
        counts = Counter((self.place(human), self.place(judge)) for human, judge in self.both)
        places = range(len(self.choices))
        return [[counts[i, j] for j in places] for i in places]

    def _labelled(self) -> dict[str, Any]:
        labelled = dict(self.input["labelled"])
        labelled.pop("design", None)
        refuse_unknown("key in 'labelled'", set(labelled) - {"table", "pairs"})
        kept = {key: self.input[key] for key in ("choices", "positive") if key in self.input}
        return kept | labelled

    def sample(self) -> Sample:
        """The items with the design that they were drawn by."""
        if self.strict and (self.has("strata") or self.has("clusters")):
            raise DoesNotFit("strict figures of a design: its strata or groups say nothing of unreadable verdicts")
        if self.strict:
            return Sample.of_table(self.table, self.input.get("unreadable", [0] * len(self.table)))
        if self.has("strata"):
            return Sample.readable(self._stratified())
        if self.has("clusters"):
            return self._clustered()
        return Sample.of_table(self.table)

    def _stratified(self) -> PairTally:
        strata = []
        for part in self.input["strata"]:
            n, table = sum(map(sum, part["table"])), tuple(map(tuple, part["table"]))
            column = self.verdict_of(part)
            strata.append(StratumTally(part["stratum"], part["population"], n, n, table, (0,) * len(table), column))
        return _pair(self.table, design="stratified:j", weighted=True, strata=tuple(strata))

    def verdict_of(self, stratum: dict[str, Any]) -> int | None:
        """A stratum called `verdict=C` holds verdicts C alone; the others can hold any."""
        _, is_verdict, verdict = str(stratum["stratum"]).partition("=")
        names = [str(choice) for choice in self.choices]
        if not is_verdict or verdict not in names:
            return None
        column = names.index(verdict)
        elsewhere = sum(count for row in stratum["table"] for place, count in enumerate(row) if place != column)
        return None if elsewhere else column

    def _clustered(self) -> Sample:
        contents = Counter(
            tuple((0, i, j, count) for i, row in enumerate(table) for j, count in enumerate(row) if count)
            for table in self.clusters
        )
        sample = Sample.readable(_pair(self.table, groups=sum(contents.values()), clusters=contents))
        if sample.groups is not None or not contents:
            return sample
        # A study takes items as its units where no group has two of them. A case that names the groups means them.
        cells = np.array([content[0] for content in contents])
        times = np.array(list(contents.values()), dtype=np.float64)
        groups = Groups(np.arange(len(cells)), cells[:, 0], cells[:, 1], cells[:, 2], cells[:, 3].astype(np.float64), times)
        return replace(sample, groups=groups)

    @property
    def credit(self) -> list[list[float]]:
        """Custom weights as credit, 1 for agreement and 0 for the worst disagreement; only ratios matter. Empty without any."""
        if self.has("agreement_weights"):
            agreed = self.input["agreement_weights"]
            lacking = [[row[i] - weight for weight in row] for i, row in enumerate(agreed)]
        elif self.has("disagreement_weights"):
            lacking = self.input["disagreement_weights"]
        else:
            raise DoesNotFit("there are no custom weights")
        most = max(map(max, lacking))
        return [[1 - weight / most for weight in row] for row in lacking] if most else []

    @property
    def clusters(self) -> list[Counts]:
        """The tables of the groups that hold an item."""
        return [part["table"] for part in self.input["clusters"] if np.sum(part["table"])]

    # Scores

    @property
    def scores(self) -> PairTally:
        """Both sides as numbers."""
        scores: Counter[tuple[int, float, float]] = Counter()
        if self.choices:
            for i, row in enumerate(self.table):
                for j, count in enumerate(row):
                    scores[0, self.values[i], self.values[j]] += count
        else:
            scores.update((0, float(human), float(judge)) for human, judge in self.both)
        return _pair((), groups=scores.total(), scores=+scores)

    def at_threshold(self) -> "Given":
        """A score at the threshold is positive."""
        if not self.has("threshold"):
            raise DoesNotFit("there is no threshold")
        least = self.input["threshold"]
        rows = [[_reached(score, least) for score in row] for row in self.rows]
        return self.but(choices=["reached", "below"], positive="reached", **{"ratings" if self.has("ratings") else "pairs": rows})

    # Votes

    @property
    def patterns(self) -> dict[tuple[int, ...], int]:
        """Votes per choice -> items; a table is two raters, and numbers without declared choices are their own."""
        if not self.choices:
            return self.numbered.patterns
        found: Counter[tuple[int, ...]] = Counter()
        places = range(len(self.choices))
        if self.has("ratings") or self.has("pairs"):
            for row in self.rows:
                votes = Counter(self.place(answer) for answer in row if answer is not None)
                found[tuple(votes[k] for k in places)] += 1
            return dict(found)
        for i, row in enumerate(self.table):
            for j, count in enumerate(row):
                if count:
                    found[tuple((k == i) + (k == j) for k in range(len(self.table)))] += count
        return dict(found)

    @property
    def numbered(self) -> "Given":
        """Scores as ratings, every number that occurs a choice; one that does not occur changes nothing."""
        numbers = sorted({float(answer) for answer in self.answers})
        numbers += [(numbers or [0.0])[-1] + more for more in (1, 2)][: 2 - min(2, len(numbers))]
        ratings = [[None if answer is None else float(answer) for answer in row] for row in self.rows]
        return self.but(choices=numbers, ratings=ratings)

    def question(self, kind: str) -> QuestionTally:
        """Everybody's votes, by stratum and group where there are any; `kind` is a question type."""
        if self.has("strata"):
            strata = tuple(
                VoteStratum(part["stratum"], part["population"], int(np.sum(part["table"])), self._votes_of(part["table"]))
                for part in self.input["strata"]
            )
            return QuestionTally("q", kind, tuple(self.choices), None, (), (), self.patterns, vote_strata=strata)
        if self.has("clusters"):
            of_group = Counter(
                tuple(sorted((0, pattern, items) for pattern, items in self._votes_of(table).items())) for table in self.clusters
            )
            n = int(np.sum(self.table))
            strata = (VoteStratum("all", n, n, self.patterns),)
            return QuestionTally(
                "q", kind, tuple(self.choices), None, (), (), self.patterns, vote_strata=strata, vote_clusters=of_group
            )
        return QuestionTally("q", kind, tuple(self.choices), None, (), (), self.patterns)

    def _votes_of(self, table: Counts) -> dict[Pattern, int]:
        return dict(self.but(choices=self.choices, table=table).patterns)

    @property
    def sets(self) -> list[list[set[Any] | None]]:
        """Items x raters."""
        if not self.of_sets:
            raise DoesNotFit("answers are no sets of choices")
        for answer in self.answers:
            for choice in answer:
                self.place(choice)
        return [[None if answer is None else set(answer) for answer in row] for row in self.rows]

    @property
    def set_units(self) -> dict[Pattern, int]:
        """Each item's sets as whole numbers, bit i for choice i, sorted -> items."""
        return dict(
            Counter(
                tuple(sorted(sum(1 << self.place(choice) for choice in rated) for rated in row if rated is not None))
                for row in self.sets
            )
        )

    @property
    def set_pairs(self) -> dict[tuple[int, int], int]:
        """Both sides' sets as whole numbers -> items."""
        both = [tuple(sum(1 << self.place(choice) for choice in set(rated)) for rated in pair) for pair in self.both]
        return dict(Counter((human, judge) for human, judge in both))

    def label(self, choice: Any) -> "Given":
        """One label of a multilabel question: is it in the set?"""
        ratings = [[None if rated is None else "in" if choice in rated else "out" for rated in row] for row in self.sets]
        return self._in_or_out(ratings=ratings)

    def one_choice(self, choice: Any) -> "Given":
        """One choice of a question with one answer: was it given, or another?"""
        if self.has("ratings") or self.has("pairs"):
            rows = [[None if answer is None else "in" if answer == choice else "out" for answer in row] for row in self.rows]
            return self._in_or_out(**{"ratings" if self.has("ratings") else "pairs": rows})
        for parts in ("strata", "clusters"):
            if self.has(parts):
                return self._in_or_out(**{parts: [part | {"table": self._crossed(part, choice)} for part in self.input[parts]]})
        return self._in_or_out(table=self._crossed({"table": self.table}, choice))

    def _crossed(self, part: dict[str, Any], choice: Any) -> Counts:
        place, sides = self.place(choice), np.zeros((2, 2), dtype=object)
        for i, row in enumerate(part["table"]):
            for j, count in enumerate(row):
                sides[int(i != place), int(j != place)] += count
        crossed: Counts = sides.tolist()
        return crossed

    def _in_or_out(self, **given: Any) -> "Given":
        binary = {"question_type": "binary", "input": {"choices": ["in", "out"], "positive": "in", **given}}
        return replace(self, case=self.case | binary)

    # Several tables

    def margin(self, judge: int) -> "Given":
        """Human against the first (1) or second (2) judge, from human x first x second."""
        table = np.sum(self.input["table3"], axis=3 - judge).tolist()
        kept = {key: self.input[key] for key in ("choices", "positive") if key in self.input}
        return self.but(**kept, table=table)

    def pooled(self) -> "Given":
        """As if all items had been drawn alike."""
        kept = {key: self.input[key] for key in self.input if key not in ("strata", "clusters", "table")}
        return self.but(**kept, table=self.table)


def refuse_unknown(what: str, names: set[Any]) -> None:
    """Raises for names that nobody has decided about."""
    if names:
        raise Unknown(f"Unknown {what}: {', '.join(sorted(map(str, names)))}. Decide what it means, in tests/reference_*.py.")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _reached(score: float | None, least: float) -> str | None:
    return None if score is None else "reached" if score >= least else "below"


def _pair(table: Sequence[Sequence[int]], **design: Any) -> PairTally:
    """A pair of the consensus and a judge without errors."""
    counts = tuple(tuple(row) for row in table)
    given = {"design": "simple", "groups": sum(map(sum, counts))} | design
    return PairTally("human:consensus", "judge:j", counts, (0,) * len(counts), Excluded(), **given)
