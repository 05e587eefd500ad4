"""Commands about judge and humans together: agreement, gold sets, what the study holds."""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from data.command_line import CommandLine, open_study, print_json, say, tell
from data.store import Store
from data.study import Study
from data.terminal import on_one_line
from data.wording import amount


def agreement(study: Study, store: Store, run: str | None, labels: str | None, everything: bool = False) -> dict[str, Any]:
    """The document of `rejudge agree --json`, with `everything` that of `--json --all`."""
    from judge.runs import run_meant
    from reports.of_study.agreement import agreement_of

    return agreement_of(study, store, run_meant(store, run), labels, everything)


def agree(args: argparse.Namespace) -> None:
    from data.store.status import has_imported_labels, incomplete_batches
    from reports.terminal import agreement_text

    study = open_study(args)
    with Store.open(study.database) as store:
        document = agreement(study, store, args.run, args.labels, args.all)
        imported, incomplete = has_imported_labels(store), incomplete_batches(store)
    pairs = [pair for asked in document["questions"] for pair in (*asked["pairs"], *asked["human_human"]["pairs"])]
    if any(pair["design"] != "imported" for pair in pairs):
        if args.labels is None and imported:
            say("These are the labels of batches; imported labels are set aside. `--labels all` takes both.")
        if incomplete:
            named = ", ".join(f"{name} ({state})" for name, state in incomplete)
            say(f"Not finished: {named}. What is labelled of it counts, the rest is missing; see `rejudge batch list`.")
    if args.json:
        print_json(document)
    else:
        tell(agreement_text(document))


def add_agree(line: CommandLine) -> None:
    sub = line.add("agree", agree, "how far judge and humans agree")
    sub.add_argument("--run", metavar="R", help="one judge run (default: all)")
    sub.add_argument("--labels", choices=["batch", "imported", "all"], help="default: batch where there are any, else imported")
    sub.add_argument("--json", action="store_true", help="the same as one JSON document")
    sub.add_argument("--all", action="store_true", help="every figure: precision, F1, MCC, PABAK, Scott's pi, McNemar, ...")


def gold(args: argparse.Namespace) -> None:
    from data.gold import Policy, freeze
    from data.gold_files import export
    from data.store.gold import gold_manifest, gold_names

    study = open_study(args)
    with Store.open(study.database) as store:
        if args.action == "list":
            for name in gold_names(store):
                frozen = gold_manifest(store, name)
                if frozen:
                    tell(f"{name}\t{amount(json.loads(frozen[1])['rows'], 'gold label')}\t{frozen[0][:16]}")
            if not gold_names(store):
                tell("No gold set is frozen yet.")
        elif args.action == "freeze":
            manifest = freeze(store, study, args.name, Policy(args.min_labels, args.names), agreement(study, store, None, "all"))
            tell(f"{args.name}: {amount(manifest['rows'], 'gold label')} frozen; hash {manifest['hash'][:16]}.")
            for question, counts in manifest["counts"].items():
                tell(f"  {question}: {', '.join(f'{count} {basis}' for basis, count in counts['basis'].items())}")
            for reason, count in Counter(left["reason"] for left in manifest["left_out"]).most_common():
                tell(f"  left out: {count} ({reason})")
        else:
            manifest_path = export(store, args.name, args.format, Path(args.out))
            tell(f"{args.out} and {manifest_path} are written.")


def add_gold(line: CommandLine) -> None:
    sub = line.add("gold", gold, "freeze and export gold sets")
    add_action = line.actions(sub)
    freeze = add_action("freeze", "freeze the labels as they stand")
    freeze.add_argument("name", metavar="NAME")
    freeze.add_argument("--min-labels", type=int, default=2, metavar="M", help="labels that must agree (default 2)")
    freeze.add_argument("--names", action="store_true", help="annotators under their own names")
    add_action("list", "the frozen sets")
    export = add_action("export", "write a frozen set, with a manifest beside it")
    export.add_argument("name", metavar="NAME")
    export.add_argument(
        "--format", choices=["jsonl", "csv", "parquet"], default="jsonl", help="the same rows in each (default jsonl)"
    )
    export.add_argument("--out", required=True, metavar="PATH")


def batch(args: argparse.Namespace) -> None:
    from data.store.batches import set_batch_state
    from data.store.status import study_status

    with Store.open(open_study(args).database) as store:
        if args.action == "list":
            tell("\n".join(batch_lines(study_status(store)["batches"])) or "No batch is drawn yet.")
            return
        state = {"open": "open", "pause": "paused", "close": "closed"}[args.action]
        set_batch_state(store, args.name, state)
    tell(f"{args.name} is {state}: {_STATES[state]}")


_STATES = {
    "open": "its items are given out.",
    "paused": "nobody is given an item of it; who holds one may finish it.",
    "closed": "it takes no more labels, for good.",
}


def add_batch(line: CommandLine) -> None:
    sub = line.add("batch", batch, "the batches: list, pause, open again, close")
    add_action = line.actions(sub)
    add_action("list", "every batch: how far it is, and what is missing")
    for action, help in (
        ("pause", "give nobody an item of B; who holds one may finish it"),
        ("open", "end a pause of B"),
        ("close", "take no more labels for B; this ends its blindness and cannot be undone"),
    ):
        add_action(action, help).add_argument("name", metavar="B")


def batch_lines(batches: list[dict[str, Any]]) -> list[str]:
    """Every batch in words: how far it is, and what of it is missing."""
    lines = []
    for batch in batches:
        strata = f" in {batch['strata']} strata" if batch["strata"] > 1 else ""
        state = batch["state"] if batch["kind"] == "estimate" else f"{batch['kind']}, {batch['state']}"
        lines.append(
            f"{batch['name']} ({state}): {batch['labels_finished']} of {amount(batch['labels_wanted'], 'label')}, "
            f"{amount(batch['items'], 'item')}{strata}, {amount(batch['overlap'], 'label')} each"
        )
        counted = [f"{amount(batch['items_missing'], 'item')} without a label"] if batch["items_missing"] else []
        counted += [f"{batch[kind]} {kind}" for kind in ("unsure", "skipped", "surplus") if batch[kind]]
        if counted:
            lines.append(f"  {', '.join(counted)}")
        lines += [
            f"  flagged by {flag['annotator']}: {on_one_line(flag['id'])} ({on_one_line(flag['reason'] or '')})"
            for flag in batch["flags"]
        ]
    return lines


def status(args: argparse.Namespace) -> None:
    from data.store.status import study_status
    from judge.runs import verdict_lines

    study = open_study(args)
    with Store.open(study.database) as store:
        tell(status_text(study, study_status(store)))
        if args.verdicts:
            tell("\n".join(["verdicts:", *(f"  {line}" for line in verdict_lines(store))]))


def add_status(line: CommandLine) -> None:
    sub = line.add("status", status, "what the study holds")
    sub.add_argument("--verdicts", action="store_true", help="also how often each run gave each verdict")


def status_text(study: Study, found: dict[str, Any]) -> str:
    lines = [on_one_line(study.name), f"questions: {', '.join(question.id for question in study.questions) or 'none yet'}"]
    lines.append(f"trajectories: {found['trajectories']}")
    for split, count in found["splits"].items():
        lines.append(f"  {split}: {count['trajectories']} in {amount(count['groups'], 'group')}")
    if found["spent"]:
        lines.append(f"  dev and test: opened by {found['spent'].lead} at {found['spent'].at}; nothing can be certified on them")
    twins = found["twins"]
    if twins["trajectories"]:
        straddling = twins["contents_that_straddle_splits"]
        lines.append(f"  twins (same content, other id): {twins['trajectories']}; contents that straddle splits: {straddling}")
    for file in found["unfinished_imports"]:
        lines.append(f"  import of {on_one_line(file)} was broken off: run the same `rejudge import` again")
    lines.append(f"judge runs: {', '.join(found['judge_runs']) or 'none'}")
    lines.append("batches:" if found["batches"] else "batches: none")
    lines += [f"  {line}" for line in batch_lines(found["batches"])]
    lines.append("labels:" if found["labels"] else "labels: none")
    for row in found["labels"]:
        lines.append(f"  {row['annotator']} · {row['question']} · {row['source']}: {row['labels']}")
    lines.append(f"gold sets: {', '.join(found['gold_sets']) or 'none'}")
    return "\n".join(lines)
