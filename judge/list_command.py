"""`rejudge judge list`: the prompts as a tree, their runs, and how far they agree with the humans."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from data.command_line import AddAction, open_study, print_json, say, tell
from data.store import Store
from data.terminal import on_one_line
from data.wording import amount

Json = Mapping[str, Any]
HELP = "every prompt below the one it was made from, its runs, and how far they agree with the humans"
NOTHING = "Nothing was asked with it yet."


def list_judges(args: argparse.Namespace) -> None:
    from judge.listing import list_of

    study = open_study(args)
    with Store.open(study.database) as store:
        document = list_of(study, store)
    if args.json:
        print_json(document)
    else:
        tell("\n".join(on_one_line(line) for line in lines_of(document)) or "The study has no question yet.")
    for question in document["questions"]:
        for error in question["bad_files"]:
            say(error)


def lines_of(document: Json) -> Iterator[str]:
    """The document in words."""
    from judge.tree import SHORT

    for question in document["questions"]:
        yield f"{question['id']} ({question['type']})"
        for prompt in question["prompts"]:
            margin = "    " * prompt["depth"] + "  "
            named = " ".join([prompt["hash"][:SHORT], *prompt["files"]])
            by = f", by {prompt['author']}" if prompt["author"] else ""
            note = f": {prompt['note']}" if prompt["note"] else ""
            yield f"{margin}{named}{by}{note}{' (revised here)' if prompt['revised'] else ''}"
            for run in prompt["runs"]:
                yield f"{margin}  {_asked(run)}"
                yield f"{margin}    {_agreed(run['agreement'])}"
            if not prompt["runs"]:
                yield f"{margin}  {NOTHING}"
        if not question["prompts"] and not question["bad_files"]:
            yield "  No prompt yet; `rejudge judge run` writes the first one."
        for run in question["other_runs"]:
            more = f", and {run['more_repeats']:,} of further repeats" if run["more_repeats"] else ""
            yield f"  {run['name']} ({run['kind']}): {_verdicts(run)}{more}"
            yield f"    {_agreed(run['agreement'])}"


def _asked(run: Json) -> str:
    others = [snapshot for snapshot in run["snapshots"] if snapshot != run["model"]]
    model = f"{run['model']}{f', which answers as {chr(44).join(others)}' if others else ''}"
    said = [_verdicts(run)]
    if run["repeats"] > 1:
        said.append(f"{run['repeats']} repeats")
    if run["tokens_in"] is not None:
        said.append(f"{run['tokens_in']:,} tokens in, {run['tokens_out'] or 0:,} out")
    if run["cost"] is not None:
        said.append(f"cost {run['cost']:,.4f}")
    return f"{run['name']} ({model}): {'; '.join(said)}"


def _verdicts(run: Json) -> str:
    where = " of train and dev" if "test" not in run.get("unreadable_of", ["test"]) else ""
    return f"{amount(run['verdicts'], 'verdict', form=',')}, {run['unreadable']:,} unreadable{where}"


def _agreed(agreement: Json | None) -> str:
    from reports.written.numerals import NO_BREAK, figure

    if agreement is None:
        return "no labelled item with a verdict"
    figures = agreement.get("macro", agreement)
    strict = agreement.get("headline") == "strict" and "kappa_strict" in figures
    # Strict kappa stands beside strict agreement, on the same items.
    names = _STRICT if strict else _NAMES
    told = [f"{name} {figure(figures[key])}" for key, name in names.items() if key in figures] or ["no figure"]
    mean = " (means over the choices)" if "macro" in agreement else ""
    n = figures["kappa_strict"]["n"] if strict else agreement["n"]
    items = amount(n, "dev item" if agreement.get("selected") else "item", form=",")
    selected = ", selected on these items" if agreement.get("selected") else ""
    return f"{', '.join(told)}{mean} on {items}{selected}".replace(NO_BREAK, " ")


_NAMES = {"kappa": "kappa", "kappa_linear": "linear kappa", "observed_agreement": "agreement", "spearman": "Spearman"}
_STRICT = {"kappa_strict": "kappa, strict", "observed_agreement_strict": "agreement, strict"}


def add_list(add_action: AddAction) -> None:
    sub = add_action("list", HELP)
    sub.add_argument("--json", action="store_true", help="the same as one JSON document")
    sub.set_defaults(run_command=list_judges)
