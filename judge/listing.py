"""What `rejudge judge list` tells: every prompt below the one it was made from, what its runs brought, and how far they agree.

Figures are those of `rejudge agree`, for the consensus of the annotators; of a prompt that was revised here they are about dev
alone, and nothing is told of its test verdicts.
"""

from collections.abc import Mapping
from typing import Any

from data.splits import SPLITS
from data.store import Store
from data.store.judging import JudgeRun, RunTotals, judge_runs, run_totals
from data.store.provenance import judged
from data.store.selection import WORKED_ON
from data.study import Study
from judge.prompts import prompt_files
from judge.tree import Node, prompt_tree
from reports.of_study.agreement import agreement_of
from reports.terminal import CONSENSUS

Document = dict[str, Any]
FIGURES = (
    "kappa", "kappa_strict", "kappa_linear", "observed_agreement", "observed_agreement_strict", "sensitivity", "specificity",
    "spearman", "macro",
)  # fmt: skip
"""What is told of a pair, as far as its type has it."""
_ABOUT = ("n", "splits", "selected", "weighted", "headline", "marks")


def list_of(study: Study, store: Store) -> Document:
    """The document of `rejudge judge list --json`; equal studies give equal documents."""
    agreed = {question["id"]: question["pairs"] for question in agreement_of(study, store, None, None)["questions"]}
    runs, totals = judge_runs(store), run_totals(store)
    counted = {run["name"]: {each["question"]: each for each in run["verdicts"]} for run in judged(store, None)}
    questions = []
    for question in study.questions:
        pairs = {pair["columns"]: pair for pair in agreed.get(question.id, []) if pair["rows"] == CONSENSUS}
        files, bad = prompt_files(study, question)
        nodes = prompt_tree(store, question, files)
        others = [run for run in runs if run.prompt is None and question.id in counted[run.name]]
        questions.append(
            {
                "id": question.id,
                "type": question.type,
                "prompts": [
                    _prompt(study, node)
                    | {
                        "runs": [
                            _run(run, totals.get(run.code), node.revised, pairs)
                            for run in runs
                            if node.code is not None and run.prompt == node.code
                        ]
                    }
                    for node in nodes
                ],
                "bad_files": [str(error) for error in bad],
                "other_runs": [_other(run, counted[run.name][question.id], pairs) for run in others],
            }
        )
    return {"study": study.name, "questions": questions}


def _prompt(study: Study, node: Node) -> Document:
    return {
        "hash": node.hash,
        "parent": node.parent,
        "depth": node.depth,
        "files": [path.relative_to(study.folder).as_posix() for path in node.files],
        "author": node.prompt.author,
        "note": node.prompt.note,
        "revised": node.revised,
    }


def _run(run: JudgeRun, totals: RunTotals | None, revised: bool, pairs: Mapping[str, Document]) -> Document:
    """A run of a prompt; `unreadable` is not told of test where the prompt was revised here."""
    splits = WORKED_ON if revised else SPLITS
    return {
        "name": run.name,
        "kind": run.kind,
        "model": run.document.get("model"),
        "snapshots": list(totals.snapshots) if totals else [],
        "verdicts": sum(totals.verdicts.values()) if totals else 0,
        "unreadable": sum(totals.unreadable.get(split, 0) for split in splits) if totals else 0,
        "unreadable_of": list(splits),
        "repeats": totals.repeats if totals else 0,
        "tokens_in": totals.tokens_in if totals else None,
        "tokens_out": totals.tokens_out if totals else None,
        "cost": totals.cost if totals else None,
        "agreement": _agreement(run, pairs),
    }


def _other(run: JudgeRun, counts: Mapping[str, Any], pairs: Mapping[str, Document]) -> Document:
    """A run that no prompt of this study made: imported, or a baseline; its verdicts on one question."""
    return {
        "name": run.name,
        "kind": run.kind,
        "verdicts": counts["verdicts"],
        "unreadable": counts["unreadable"],
        "more_repeats": counts["more_repeats"],
        "agreement": _agreement(run, pairs),
    }


def _agreement(run: JudgeRun, pairs: Mapping[str, Document]) -> Document | None:
    """The figures beside the annotators' consensus; None where they have no item in common."""
    pair = pairs.get(f"judge:{run.name}")
    return None if pair is None else {key: pair[key] for key in (*_ABOUT, *FIGURES) if key in pair}
