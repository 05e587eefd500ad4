"""For notebooks: the figures of `rejudge agree`, of a plain pandas frame.

`agreement` takes one row an item and two columns of answers, `reliability` one row a rating. Both read the frame as
`frames` tells, count it, and hand it to the statistics that studies have.
"""

import copy
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from data.errors import FrameRefused
from data.tallies import Excluded, PairTally, QuestionTally
from data.wording import amount
from reports.document import Document, pair_document, question_document
from reports.frame_counts import Units, among_raters, crossed, labelled, scored
from reports.frames import Answers, Codes, choice_answers, columns_of, numbers_of, plain, set_answers, texts_of
from reports.notes import FRAME, HUMANS_AND_JUDGE, Sides, indented, methods
from reports.sets import exact_match, mean_jaccard
from reports.terminal import block, humans_text
from reports.width import shown

Type = Literal["binary", "nominal", "ordinal", "multilabel", "score"]
TYPES = ("binary", "nominal", "ordinal", "multilabel", "score")
WIDTH, MOST_PAIRS = 88, 28


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two columns of answers held against each other: shown by the notebook, or as `to_dict()`."""

    _tally: QuestionTally
    _pair: PairTally
    _sides: Sides
    _of_sets: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The keys of a pair in `rejudge agree --json --all`; floats are not rounded, what is undefined is None with its reason."""
        return _without_strata(pair_document(self._tally, self._pair, everything=True)) | copy.deepcopy(dict(self._of_sets))

    def __repr__(self) -> str:
        pair, question = self._shown(), _question(self._tally)
        title = f"{self._sides.axes[0]} against {self._sides.axes[1]}"
        lines = [*block(title, pair, question, WIDTH, self._sides), *indented([_methods(pair)], WIDTH, 2)]
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        from reports.notebook_html import agreement_html  # only what is drawn needs it

        pair = self._shown()
        return agreement_html(pair, _question(self._tally), self._sides, _methods(pair))

    def _shown(self) -> Document:
        return _without_strata(pair_document(self._tally, self._pair)) | {"design": FRAME}


@dataclass(frozen=True, slots=True)
class Reliability:
    """Raters among themselves: shown by the notebook, or as `to_dict()`."""

    _tally: QuestionTally
    _raters: int
    _missing: int

    def to_dict(self) -> dict[str, Any]:
        """The keys of `human_human` in `rejudge agree --json --all`."""
        found: dict[str, Any] = question_document(self._tally, everything=True)["human_human"]
        return found

    def __repr__(self) -> str:
        found, more = self._shown()
        lines = humans_text(found, WIDTH, self._title)
        return "\n".join(line.rstrip() for line in [*lines, *indented([more, self._left_out], WIDTH, 2)])

    def _repr_html_(self) -> str:
        from reports.notebook_html import reliability_html

        found, more = self._shown()
        return reliability_html(found, self._title, [note for note in (more, self._left_out) if note])

    def _shown(self) -> tuple[Document, str]:
        """What is drawn, and how many pairs are not."""
        found = self.to_dict()
        more = len(found["pairs"]) - MOST_PAIRS
        pairs = [pair | {"design": FRAME} for pair in found["pairs"][:MOST_PAIRS]]
        return found | {"pairs": pairs}, f"{more:,} more pairs are in to_dict()." if more > 0 else ""

    @property
    def _title(self) -> str:
        return f"{amount(self._raters, 'rater')} among themselves"

    @property
    def _left_out(self) -> str:
        return f"left out: {amount(self._missing, 'rating')} without a value" if self._missing else ""


def agreement(
    frame: Any,
    rows: str = "human",
    columns: str = "judge",
    *,
    type: Type = "nominal",
    choices: Sequence[Hashable] | None = None,
    positive: Hashable | None = None,
    weight: str | None = None,
    group: str | None = None,
) -> Agreement:
    """How far the answers in two columns of a pandas frame agree, one row an item.

    `type` is `binary` (give `positive`, the choice that sensitivity is about), `nominal`, `ordinal` (give `choices` in
    their order, lowest first), `multilabel` (each answer a list or set of choices, empty for none) or `score` (numbers).
    `choices` are all that could be given, used or not: AC1 and PABAK count them. Without them those that occur are taken,
    sorted. None, NaN and NA are missing: such items are left out and counted. An unreadable verdict is no missing one; give
    it a choice of its own, and kappa is the strict kappa, in which no human can match it.

    `weight` names a column with how many items a row stands for, as 1 / (chance of being drawn). The rows are then taken as
    drawn one by one, each by its weight, and the interval is linearised. Where they were drawn in strata it is wider than it
    need be: a study knows its draws, and does better.
    `group` names a column of what several items share, such as a scenario; the interval is then robust to it.

    The same figures as `rejudge agree`: each with a 95 % interval, or with the reason why it has none. Raises
    RejudgeError, which is then a ValueError too, for what cannot be read.

    Cohen 1960, table 1, of two judges and 200 patients: kappa .492.

    >>> import pandas as pd, rejudge
    >>> counts = {("disorder", "disorder"): 88, ("disorder", "neurosis"): 10, ("disorder", "psychosis"): 2,
    ...           ("neurosis", "disorder"): 14, ("neurosis", "neurosis"): 40, ("neurosis", "psychosis"): 6,
    ...           ("psychosis", "disorder"): 18, ("psychosis", "neurosis"): 10, ("psychosis", "psychosis"): 12}
    >>> frame = pd.DataFrame([pair for pair, n in counts.items() for _ in range(n)], columns=["human", "judge"])
    >>> found = rejudge.agreement(frame).to_dict()
    >>> round(found["kappa"]["value"], 3), found["n"], found["observed_agreement"]["value"]
    (0.492, 200, 0.7)

    Feinstein and Cicchetti 1990: agreement .85 both times, and kappa .70 or .32, as prevalence has it.

    >>> def kappa(a, b, c, d):
    ...     pairs = [("yes", "yes")] * a + [("yes", "no")] * b + [("no", "yes")] * c + [("no", "no")] * d
    ...     frame = pd.DataFrame(pairs, columns=["human", "judge"])
    ...     return rejudge.agreement(frame, type="binary", positive="yes").to_dict()
    >>> [round(kappa(*cells)["kappa"]["value"], 2) for cells in [(40, 9, 6, 45), (80, 10, 5, 5)]]
    [0.7, 0.32]
    >>> round(kappa(80, 10, 5, 5)["prevalence_index"]["value"], 2), kappa(80, 10, 5, 5)["bias_index"]["value"]
    (0.75, -0.05)
    """
    _check_type(type, choices)
    found = columns_of(frame, rows=rows, columns=columns, weight=weight, group=group)
    given = {str(rows): found["rows"], str(columns): found["columns"]}
    sides = HUMANS_AND_JUDGE if [*given] == ["human", "judge"] else _named(shown(str(rows)), shown(str(columns)))
    if type == "score":
        answers = Answers((), tuple(numbers_of(name, column) for name, column in given.items()))
    else:
        answers = _answers(given, type, choices)
    tally = QuestionTally("", type, answers.choices, _positive(type, answers.choices, positive), (), (), {})
    used = answers.given[0] & answers.given[-1]
    units = Units.of(found, weight, group, used)
    pair = PairTally(
        rows=f"human:{rows}",
        columns=f"judge:{columns}",
        confusion=(),
        unreadable=(),
        excluded=Excluded(missing=int((~used).sum())),
        design="imported",
        groups=units.number,
        weighted=units.weights is not None,
    )
    return _held_together(tally, pair, sides, (answers.columns[0][used], answers.columns[-1][used]), units)


def reliability(
    frame: Any,
    item: str = "item",
    rater: str = "rater",
    value: str = "value",
    *,
    type: Type = "nominal",
    choices: Sequence[Hashable] | None = None,
) -> Reliability:
    """How far raters agree among themselves, from a pandas frame with one row a rating.

    Krippendorff's alpha at the level of `type` (nominal for binary and nominal, ordinal, interval for scores, MASI for sets),
    Fleiss' kappa, Gwet's AC1, and every pair of raters. Not everybody need have rated everything; a rating that is
    None, NaN or NA is left out and counted. `type` and `choices` are as `rejudge.agreement` takes them.

    Krippendorff 2011, four observers and twelve units, of which eleven can be paired: alpha .743 nominal, .815 ordinal.

    >>> import pandas as pd, rejudge
    >>> rated = {"A": "1 2 3 3 2 1 4 1 2 - - -", "B": "1 2 3 3 2 2 4 1 2 5 - 3",
    ...          "C": "- 3 3 3 2 3 4 2 2 5 1 -", "D": "1 2 3 3 2 4 4 1 2 5 1 -"}
    >>> frame = pd.DataFrame([(unit, rater, None if vote == "-" else int(vote))
    ...                       for rater, votes in rated.items() for unit, vote in enumerate(votes.split())],
    ...                      columns=["item", "rater", "value"])
    >>> found = rejudge.reliability(frame).to_dict()
    >>> round(found["krippendorff_alpha"]["value"], 3), found["krippendorff_alpha"]["n"]
    (0.743, 11)
    >>> ordinal = rejudge.reliability(frame, type="ordinal", choices=[1, 2, 3, 4, 5]).to_dict()
    >>> round(ordinal["krippendorff_alpha"]["value"], 3)
    0.815
    """
    _check_type(type, choices)
    found = columns_of(frame, item=item, rater=rater, value=value)
    items, raters = texts_of(str(item), found["item"]), texts_of(str(rater), found["rater"])
    given = {str(value): found["value"]}
    answers = Answers((), (numbers_of(str(value), found["value"]),)) if type == "score" else _answers(given, type, choices)
    used = answers.given[0]
    rated: dict[str, dict[str, float]] = defaultdict(dict)
    for place in np.flatnonzero(used):
        of_item = rated[items[place]]
        if raters[place] in of_item:
            raise FrameRefused(
                "A rater rated an item twice.",
                f"Found {raters[place]!r} twice on {items[place]!r}.",
                "Keep one rating of each rater on each item.",
            )
        of_item[raters[place]] = answers.columns[0][place].item()
    people = sorted(set(raters))
    # No positive choice is told here, and none is needed: two choices are nominal.
    tally = among_raters("nominal" if type == "binary" else type, answers.choices, rated, people)
    return Reliability(tally, len(people), int((~used).sum()))


def _held_together(tally: QuestionTally, pair: PairTally, sides: Sides, answers: tuple[Any, Any], units: Units) -> Agreement:
    first, second = answers
    if tally.type == "score":
        return Agreement(tally, scored(pair, first, second, units), sides, {})
    if tally.type == "multilabel":
        return Agreement(tally, labelled(pair, first, second, tally.choices, units), sides, _of_sets(first, second, units))
    return Agreement(tally, crossed(pair, first, second, len(tally.choices), units), sides, {})


def _check_type(type: str, choices: Sequence[Hashable] | None) -> None:
    if type not in TYPES:
        raise FrameRefused(f"There is no type {type!r}.", f"The types are {', '.join(TYPES)}.", "Give one of them as `type`.")
    if type == "ordinal" and choices is None:
        raise FrameRefused(
            "An ordinal answer needs the order of its choices.", "Found no `choices`.", "Give all `choices`, lowest first."
        )
    if type == "score" and choices is not None:
        raise FrameRefused("A score has no choices.", f"Found {list(choices)!r}.", "Leave `choices` out, or give another `type`.")


def _answers(columns: Mapping[str, Any], type: str, choices: Sequence[Hashable] | None) -> Answers:
    answers = set_answers(columns, choices) if type == "multilabel" else choice_answers(columns, choices)
    if type == "binary" and len(answers.choices) != 2:
        raise FrameRefused(
            "A binary answer has two choices.", f"Found {', '.join(map(repr, answers.choices))}.", "Use type='nominal' for more."
        )
    return answers


def _positive(type: str, choices: Sequence[str], positive: Hashable | None) -> int | None:
    """The place of the positive choice of a binary answer. It is never guessed: that would turn sensitivity into specificity."""
    if type != "binary":
        if positive is None:
            return None
        raise FrameRefused(f"`positive` is for binary answers; these are {type}.", f"Found {positive!r}.", "Leave it out.")
    known = ", ".join(map(repr, choices))
    if positive is None:
        raise FrameRefused("A binary answer needs its positive choice.", f"The choices are {known}.", "Name one as `positive`.")
    name = str(plain(positive))
    if name not in choices:
        raise FrameRefused(f"The positive choice {name!r} is none of the choices.", f"They are {known}.", "Name one of them.")
    return choices.index(name)


def _named(rows: str, columns: str) -> Sides:
    return Sides(rows, columns, columns, (rows, columns))


def _of_sets(first: Codes, second: Codes, units: Units) -> dict[str, Any]:
    """How far whole sets agree, where rows are drawn alike and one by one."""
    if not units.alike:
        return {}
    pairs = Counter(zip(first.tolist(), second.tolist(), strict=True))
    return {"exact_match": exact_match(pairs).as_json(), "mean_jaccard": mean_jaccard(pairs).as_json()}


def _question(tally: QuestionTally) -> Document:
    sought = {} if tally.positive is None else {"positive": tally.choices[tally.positive]}
    return {"type": tally.type, "choices": list(tally.choices), **sought}


def _methods(pair: Document) -> str:
    return methods([{"pairs": [pair], "human_human": {"krippendorff_alpha": {"value": None}, "pairs": []}}])


def _without_strata(document: Document) -> Document:
    """Scores carry their weights as strata, which a frame does not have."""
    return {key: value for key, value in document.items() if key != "strata"}
