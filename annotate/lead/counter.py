"""Counts for the lead's pages, in a process of its own.

Reads one JSON object a line, writes one: a document of `reports.of_study`, or the drawing of a part of one. It
ends with its server, whose end of the pipe closes then.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.errors import RejudgeError
from data.store import Store
from data.store.judging import run_named
from data.store.people import person_named
from data.study import Study, load_study
from judge.prompts import Prompt, parse_prompt
from reports.forests import differences_forest, slices_forest
from reports.of_study.agreement import agreement_of
from reports.of_study.comparisons import comparisons_of
from reports.of_study.humans import humans_of
from reports.of_study.plan import seen_so_far
from reports.of_study.prevalence import prevalence_of
from reports.of_study.slices import slices_of

NICER = 10
"""How far behind the desk this process stands in the queue for a processor."""


DOCUMENTS: dict[str, Callable[[Study, Store, int | None, str | None], dict[str, Any]]] = {
    "agreement": agreement_of,
    "humans": humans_of,
    "prevalence": prevalence_of,
    "plan": seen_so_far,
    "slices": slices_of,
    "comparisons": comparisons_of,
}
"""What can be counted: from the study, its store, a run (None for all) and a source of labels."""


DRAWINGS: dict[str, Callable[[Any, str], str]] = {"slices": slices_forest, "comparisons": differences_forest}
"""What can be drawn, as SVG: from a part of a document and a title."""


def main() -> None:
    """Answers until there is nobody left to ask."""
    if hasattr(os, "nice"):
        os.nice(NICER)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_answer(asked)), flush=True)


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    if "draw" in asked:
        return {"document": {"svg": DRAWINGS[asked["draw"]](asked["of"], asked["title"])}}
    try:
        study = load_study(Path(asked["folder"]))
        with Store.open(study.database) as store:
            return {"document": _of_study(study, store, asked)}
    except RejudgeError as error:
        return {"refused": [error.wrong, error.found, error.do]}


def _of_study(study: Study, store: Store, asked: dict[str, Any]) -> dict[str, Any]:
    if "ahead" in asked:
        return _ahead(study, store, asked)
    if "prompt" in asked:
        return _linted(study, store, parse_prompt(asked["prompt"], "The prompt"))
    return DOCUMENTS[asked["what"]](study, store, asked["run"], asked["labels"])


def _linted(study: Study, store: Store, prompt: Prompt) -> dict[str, Any]:
    """What is wrong with a prompt, refused first: it reads every trajectory."""
    from judge.lint import findings, said

    return {"findings": [{"said": said(finding), "refused": finding.refused} for finding in findings(study, store, prompt)]}


def _ahead(study: Study, store: Store, asked: dict[str, Any]) -> dict[str, Any]:
    """What can be said before a look at test items; nothing of the verdicts."""
    from judge.certificate import power_in_words
    from judge.certifying import Asked, ahead

    question, old, new = study.question(asked["question"]), run_named(store, asked["old"]), run_named(store, asked["new"])
    assert question is not None and old is not None and new is not None
    found = ahead(store, Asked(study, question, old, new, asked["looks"]), person_named(store, asked["ahead"]))
    told = {"look": found.look, "looks": found.looks, "left_out": found.left_out, "warnings": list(found.warnings)}
    return told | {"power": power_in_words(found.power, found.items)}


if __name__ == "__main__":
    main()
