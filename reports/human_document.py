"""The human side of a study as one JSON document: annotators beside each other, beside the rest, beside the judge, and over time.

A figure that the data do not define is null with a reason; what could not be counted at all is a reason in
words in place of its figures. Pairs of annotators and each against the rest follow the weights of the draw,
as in the document of agreement; retests, times and fatigue speak of people at work and are taken as drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from data.human_tallies import Accord, HumanTally, HumanTimes, Panel, Sittings
from data.tallies import PairTally
from reports.document import SELECTED_SAID, Document, agreement_document, selected_on
from reports.human_side import (
    SHORTEST_SESSION,
    Fatigue,
    Sessions,
    Stretch,
    agreement_by_position,
    fatigue,
    pace,
    quantile,
    seconds_of,
    session_lengths,
    sessions,
)
from reports.one_more_human import (
    OneMoreHuman,
    one_more_human,
    one_more_human_at,
    one_more_human_on_label,
    one_more_human_on_sets,
)
from reports.one_more_scorer import one_more_human_by_rank

NO_RETEST = "no item was labelled again by the same annotator: draw some with “rejudge draw --retest”"
NOT_TIMED = "no label of a batch is counted here: imported labels have no time of their own"
NO_TIME = "no item was timed"
NO_ACCORD = "no label of a batch can be held against a majority of others"
NO_THRESHOLD = "scores without a threshold are not right or wrong, so agreement cannot fall or rise"
NO_SESSION = f"no session has {SHORTEST_SESSION} items or more"
_OF_THE_PAIR = ("rows", "columns", "single", "headline")
_OF_THE_DRAW = ("design", "weighted", "strata", "codebooks")


def human_document(study: str, tallies: Sequence[HumanTally], times: HumanTimes) -> Document:
    """The figures of `reports.of_study.humans`, ready for `json.dumps`: questions in their order, annotators by name."""
    over = sessions(times.sittings)
    return {
        "study": study,
        "questions": [_question(tally, times, over) for tally in tallies],
        "times": _times(times, over),
    }


def _question(tally: HumanTally, times: HumanTimes, over: Sessions) -> Document:
    among = agreement_document("", [tally.question])["questions"][0]
    humans = among["human_human"]
    document = {
        "id": among["id"],
        "type": among["type"],
        "choices": among["choices"],
        "annotators": list(tally.people),
        "alpha": humans["krippendorff_alpha"],
        "pairs": humans["pairs"],
        "against_rest": [_without(pair, _OF_THE_PAIR) | {"annotator": _name(pair)} for pair in _pairs(tally, tally.rest)],
        "judges": [
            _said_of_dev(_judge(tally, panel, ())) if panel.selected else _judge(tally, panel, humans["pairs"])
            for panel in tally.panels
        ],
        "retest": _retest(tally),
        "fatigue": _fatigue(tally, times, over),
    }
    return document | {key: among[key] for key in ("missing", "outside_frame") if key in among}


def _pairs(tally: HumanTally, pairs: Sequence[PairTally]) -> list[Document]:
    """The documents of other pairs of people, each with the figures that the question's type has."""
    question = replace(tally.question, human_pairs=tuple(pairs), votes={}, units={}, vote_strata=(), vote_clusters={})
    listed: list[Document] = agreement_document("", [question])["questions"][0]["human_human"]["pairs"]
    return listed


def _name(pair: Document) -> str:
    return str(pair["columns"]).partition(":")[2]


def _without(document: Document, keys: Sequence[str]) -> Document:
    return {key: value for key, value in document.items() if key not in keys}


def _judge(tally: HumanTally, panel: Panel, pairs: Sequence[Document]) -> Document:
    """One run beside single annotators, and they beside each other, on the same items."""
    question = tally.question
    document: Document = {
        "judge": panel.judge,
        "design": panel.design,
        "weighted": panel.weighted,
        **selected_on(panel.selected),
        "left_out": {"single": panel.single, "unreadable": panel.unreadable, "missing": panel.missing},
    }
    if question.type == "multilabel":
        labels = {
            label: _told_once(one_more_human_on_label(panel, place), [pair["by_label"][label]["kappa"] for pair in pairs])
            for place, label in enumerate(question.choices)
        }
        return document | one_more_human_on_sets(panel, len(question.choices)).as_json() | {"by_label": labels}
    if question.type == "score":
        document |= _told_once(one_more_human_by_rank(panel), [pair["spearman"] for pair in pairs])
        if tally.threshold is not None:
            of_pairs = [pair["at_threshold"]["kappa"] for pair in pairs]
            document["at_threshold"] = _told_once(one_more_human_at(panel, tally.threshold), of_pairs)
        return document
    document |= _told_once(one_more_human(panel, len(question.choices)), [pair["kappa"] for pair in pairs])
    if question.type == "ordinal":
        linear = one_more_human(panel, len(question.choices), "linear")
        document["linear"] = _told_once(linear, [pair["kappa_linear"] for pair in pairs])
    return document


def _said_of_dev(judge: Document) -> Document:
    """The document of a run whose prompt was revised here: each of its sentences says that only dev counts."""
    said = {key: _said_of_dev(value) if isinstance(value, dict) else value for key, value in judge.items()}
    return said | {"words": f"{said['words']}{SELECTED_SAID}"} if "words" in said else said


def _told_once(found: OneMoreHuman, pairs: Sequence[Document]) -> Document:
    """The figures as JSON. Where the humans' mean is that of one pair, it has the interval that the pair's own figure has."""
    document, mean = found.as_json(), found.human_human
    if found.pairs != 1 or mean.value is None:
        return document
    same = [
        pair
        for pair in pairs
        if pair["n"] == mean.n and pair["value"] is not None and math.isclose(pair["value"], mean.value, abs_tol=1e-9)
    ]
    return document | {"human_human": same[0]} if len(same) == 1 else document


def _retest(tally: HumanTally) -> Document:
    """First labels beside second ones: of all annotators together, and of each."""
    if not tally.retests:
        return {"reason": NO_RETEST, "together": None, "annotators": []}
    together, *each = [(_name(pair), _without(pair, (*_OF_THE_PAIR, *_OF_THE_DRAW))) for pair in _pairs(tally, tally.retests)]
    return {"reason": "", "together": together[1], "annotators": [{"annotator": name} | pair for name, pair in each]}


def _times(times: HumanTimes, over: Sessions) -> Document:
    """Active seconds at an item, of everybody and of each; and by position in the session."""
    sittings = times.sittings
    taken, _ = seconds_of(sittings)
    lengths = session_lengths(over)
    document: Document = {
        "reason": NOT_TIMED if not len(sittings.person) else "" if len(taken) else NO_TIME,
        "sessions": len(lengths),
        "longest_session": max(lengths, default=0),
        "together": _spent(sittings, None),
        "annotators": [],
        "by_position": [_stretch(each, "median") for each in pace(sittings, over)],
    }
    for place, name in enumerate(times.people):
        if (sittings.person == place).any():
            document["annotators"].append({"annotator": name} | _spent(sittings, place))
    return document


def _spent(sittings: Sittings, person: int | None) -> Document:
    seconds, untimed = seconds_of(sittings, person)
    return {
        "items": len(seconds) + untimed,
        "untimed": untimed,
        "seconds": float(seconds.sum()),
        "median": quantile(seconds, 0.5).as_json(),
        "lower_quartile": quantile(seconds, 0.25).as_json(),
        "upper_quartile": quantile(seconds, 0.75).as_json(),
    }


def _fatigue(tally: HumanTally, times: HumanTimes, over: Sessions) -> Document:
    """Agreement with the rest in the first and the last third of a session, of everybody and of each; and by position."""
    nothing: Document = {"together": None, "annotators": [], "by_position": []}
    accord = tally.accord
    if accord is None:
        scores = tally.question.type == "score" and tally.threshold is None
        return {"reason": NO_THRESHOLD if scores else NOT_TIMED if tally.imported else NO_ACCORD} | nothing
    together = fatigue(accord, times.sittings, over)
    return {
        "reason": NO_SESSION if together.difference.value is None else "",
        "together": _tired(together),
        "annotators": [
            {"annotator": times.people[place]} | _tired(fatigue(accord, times.sittings, over, place))
            for place in _who(accord, times)
        ],
        "by_position": [_stretch(each, "agreement") for each in agreement_by_position(accord, over)],
    }


def _who(accord: Accord, times: HumanTimes) -> list[int]:
    return sorted(set(times.sittings.person[accord.row].tolist()))


def _tired(found: Fatigue) -> Document:
    return {
        "sessions": found.sessions,
        "first_third": found.first.as_json(),
        "last_third": found.last.as_json(),
        "difference": found.difference.as_json(),
    }


def _stretch(each: Stretch, name: str) -> dict[str, Any]:
    return {"from": each.first, "to": each.last, name: each.figure.as_json()}
