"""Commands around the desk: drawing what is labelled, letting people in, opening the app.

Each imports what it runs when it runs: the app is large, and `rejudge --help` should not wait for it.
"""

import argparse
import sys
from pathlib import Path

from data.codebook import untouched_pages
from data.command_line import CommandLine, open_study, print_json, say, tell
from data.errors import RejudgeError
from data.store import Store
from data.study import Study
from data.wording import amount


def draw(args: argparse.Namespace) -> None:
    from annotate.hunting import hunted_meant
    from annotate.sampling import DrawRequest, copies_in, draw, verdicts_meant

    if not (args.stratify or args.hunt) and (args.run or args.question):
        args.parser.error("--run and --question belong to --stratify verdict or --hunt")
    if args.hunt and (args.stratify or args.retest or args.split not in ("all", "train")):
        args.parser.error("--hunt takes suspected errors of train: it has no strata, no other split, and nothing labelled before")
    if args.stratify and args.retest:
        args.parser.error("--retest takes items that were labelled already; their strata are those of their first draw")
    split = None if args.split == "all" else args.split
    study = open_study(args)
    with Store.open(study.database) as store:
        by = verdicts_meant(store, study, args.run, args.question) if args.stratify else None
        hunt = hunted_meant(store, study, args.run, args.question) if args.hunt else None
        batch = draw(store, DrawRequest(args.n, args.overlap, split, args.name, args.seed, by, args.retest, hunt))
        copies = copies_in(store, batch)
        brought = _last_hunt(store, study) if hunt else []
    # Only how many strata there are: their sizes would tell how often the judge gave which verdict.
    strata = amount(len(batch.strata), "stratum", "strata")
    how = f", equally from {strata} by the verdict of {by.run}" if by else " that were labelled before" if args.retest else ""
    how = f"drawn at random from {batch.frame['items']}{how}"
    if hunt:
        why = ", ".join(f"{reason}: {count}" for reason, count in batch.recipe["reasons"].items())
        how = f"hunted, the most suspicious of {batch.frame['items']} of train ({why})"
    tell(f"{batch.name}: {amount(len(batch.items), 'item')} {how}, {amount(batch.overlap, 'label')} each; seed {batch.seed}.")
    for line in brought:
        tell(line)
    if copies:
        say(f"{copies} of the items are copies of others in the batch. Nobody is given both, so they need further annotators.")
    warn_of_skeletons(study)


def _last_hunt(store: Store, study: Study) -> list[str]:
    from reports.hunt_text import hunt_lines
    from reports.of_study.hunts import last_hunt_of

    found = last_hunt_of(study, store)
    return hunt_lines(found) if found else []


def add_draw(line: CommandLine) -> None:
    sub = line.add("draw", draw, "draw a batch to label: at random, equally by verdict, or hunting for a judge's errors")
    sub.add_argument("--n", type=int, required=True, metavar="N", help="how many items")
    sub.add_argument("--overlap", type=int, default=1, metavar="K", help="labels per item (default 1)")
    sub.add_argument("--stratify", choices=["verdict"], help="equal numbers of each verdict of --run; figures are re-weighted")
    sub.add_argument("--run", metavar="R", help="the judge run whose verdicts make the strata, or whose errors are hunted")
    sub.add_argument("--question", metavar="ID", help="on which question, where the run answers several")
    sub.add_argument(
        "--retest", action="store_true", help="items already labelled, to the same people once more: are they consistent?"
    )
    sub.add_argument(
        "--hunt",
        action="store_true",
        help="train items where judges disagree, verdicts flip over repeats or confidence is low; for causes, in no figure",
    )
    sub.add_argument("--split", choices=["train", "dev", "test", "all"], default="all")
    sub.add_argument("--name", metavar="B", help="default: batch-1 and so on")
    sub.add_argument("--seed", metavar="S", help="default: random, printed and stored")


def warn_of_skeletons(study: Study) -> None:
    for path in untouched_pages(study):
        say(f"{path} is still the skeleton: write the codebook page before anybody labels.")


def annotators(args: argparse.Namespace) -> None:
    from data.store.people import people, revoke

    with Store.open(open_study(args).database) as store:
        if args.action == "list":
            for person in people(store):
                tell("\t".join(filter(None, (person.handle, person.role, person.state))))
        elif args.action == "revoke":
            ended = revoke(store, args.name)
            tell(
                f"{args.name} is out: {amount(ended.sessions, 'session')} and "
                f"{amount(ended.links, 'unused link')} ended, "
                f"{amount(ended.leases, 'item')} given back. Labels stay."
            )
        elif args.action == "erase":
            _erase(store, args.name)
        else:
            _add(store, args.name, args.lead)


def _add(store: Store, name: str, lead: bool) -> None:
    from annotate.links import DEFAULT_PORT, sign_in_link
    from data.store.people import ensure_person, people

    if any(known.handle == name and known.role == "imported" for known in people(store)):
        say(f"{name} has imported labels: they and the ones given here count as one person's.")
    person = ensure_person(store, name, lead=lead)
    if lead and person.role != "lead":
        say(f"{person.handle} is there already, as {person.role}; that stays.")
    if store.fact("address") is None:
        say(f"The app has not run yet: the link supposes port {DEFAULT_PORT}. After `rejudge annotate` ask for a fresh one.")
    tell(f"Sign-in link for {person.handle} ({person.role}); it works once:")
    tell(sign_in_link(store, person))


def _erase(store: Store, name: str) -> None:
    from data.store.erasure import clean, erase, words_of
    from data.store.people import person_named, refuse_only_lead

    person = person_named(store, name)
    refuse_only_lead(store, person)
    words = words_of(store, person)
    say(
        f"{name}: {amount(words.labels, 'label event')} {'stays' if words.labels == 1 else 'stay'} under a pseudonym; "
        f"the name, {amount(words.texts, 'text')} and {amount(words.drafts, 'draft')} go. This cannot be taken back."
    )
    if sys.stdin.isatty() and input("Type the name again to go on: ") != name:
        raise RejudgeError("Nothing was erased.", "Found another name than before.", "Run the command again, and type it as it is.")
    pseudonym = erase(store, name)
    tell(f"Erased. What they answered stays, as {pseudonym}.")
    problem = clean(store)
    if problem:
        say(f"Free pages of {store.path} or its log still hold the text ({problem}).")
        say(f"Stop the app or free some space, then: rejudge annotators erase {pseudonym}")
    for gold_set in words.gold_sets:
        say(f"The gold set {gold_set!r} was frozen with names and keeps this one: a frozen set never changes.")
    say("Not reached from here: backups, exported files, the files that labels were imported from, and copies of the study.")


def add_annotators(line: CommandLine) -> None:
    sub = line.add("annotators", annotators, "who may sign in")
    add_action = line.actions(sub)
    add = add_action("add", "print a sign-in link for NAME")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--lead", action="store_true", help="may see verdicts and run the study")
    add_action("list", "everybody, with their roles")
    add_action("revoke", "end the access of NAME now; labels stay").add_argument("name", metavar="NAME")
    add_action("erase", "take the name and the words of NAME out of the study, for good").add_argument("name", metavar="NAME")


def annotate(args: argparse.Namespace) -> None:
    from annotate.server import Address, serve

    study = open_study(args)
    warn_of_skeletons(study)
    serve(study, Address(args.host, args.port, args.url), headless=args.headless)


def add_annotate(line: CommandLine) -> None:
    sub = line.add("annotate", annotate, "open the app")
    sub.add_argument("--host", default="127.0.0.1", metavar="H", help="default 127.0.0.1: this machine only")
    sub.add_argument("--port", type=_port, default=None, metavar="N")
    sub.add_argument(
        "--url", metavar="PUBLIC_URL", help="the address that people reach it by; its proxy must pass the Host header on"
    )
    sub.add_argument("--headless", action="store_true", help="print the link instead of opening a browser")


def demo(args: argparse.Namespace) -> None:
    from annotate.demo import ensure_demo
    from annotate.server import Address, serve

    study = ensure_demo(Path(args.dir), args.study)
    say(f"The demo study lies in {study.folder}; its labels stay there. Try `rejudge agree --study {args.dir}` beside it.")
    serve(study, Address("127.0.0.1", args.port, None), headless=args.headless)


def add_demo(line: CommandLine) -> None:
    sub = line.add("demo", demo, "the whole loop on a bundled study, in the browser", in_study=False)
    sub.add_argument("--study", metavar="NAME", help="a bundled study (default: toxic-proactivity)")
    sub.add_argument("--dir", default="rejudge-demo", help="where the study is kept, and opened again (default: ./rejudge-demo)")
    sub.add_argument("--port", type=_port, default=None, metavar="N")
    sub.add_argument("--headless", action="store_true", help="print the link instead of opening a browser")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return int(text)


def leaks(args: argparse.Namespace) -> None:
    from annotate.leaks import find_leaks
    from annotate.leaks_text import leaks_text

    study = open_study(args)
    with Store.open(study.database) as store:
        found = find_leaks(store, study)
    if args.json:
        print_json(found.as_json(study.name))
    else:
        tell(leaks_text(found))


def add_leaks(line: CommandLine) -> None:
    sub = line.add("leaks", leaks, "what could still give the answer away in what annotators see")
    sub.add_argument("--json", action="store_true")
