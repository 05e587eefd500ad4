"""rejudge: blind human verification for LLM judges. The front door: every command, and the public names.

Each command parses, calls one function and prints. Results go to stdout; progress, notes and warnings
to stderr. Exit status: 0 done, 1 refused, 2 wrong usage.
"""

import argparse
import io
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
# In the wheel the rooms lie in one folder of their own, so that nothing called `data` or `reports` is
# loose in anybody's site-packages; in the repository they stand beside this file.
ROOMS = _HERE / "rejudge_rooms" if (_HERE / "rejudge_rooms").is_dir() else _HERE
if sys.path[:1] != [str(ROOMS)]:
    sys.path.insert(0, str(ROOMS))
_loaded = getattr(sys.modules.get("data"), "__file__", None)
if _loaded is not None and not Path(_loaded).resolve().is_relative_to(ROOMS):
    raise ImportError(
        "Another package called `data` is already loaded, so rejudge cannot load its own.\n"
        f"Found {_loaded}.\n"
        "Import rejudge first, or run it in an environment of its own (pipx, uv tool)."
    )

from data.arrivals import Naming  # noqa: E402  the rooms can be imported only now
from data.codebook import untouched_pages  # noqa: E402
from data.errors import RejudgeError  # noqa: E402
from data.importing import Imported, import_file  # noqa: E402
from data.new_study import begin_blank, begin_bundled, begin_from, bundled_studies  # noqa: E402
from data.store import Store  # noqa: E402
from data.study import Study, find_study_folder, load_study  # noqa: E402

__all__ = ["RejudgeError", "Store", "Study", "load_study", "main"]


def say(text: str) -> None:
    """A note for the person at the terminal, on stderr."""
    print(text, file=sys.stderr)


def open_study(args: argparse.Namespace) -> Study:
    """The study that --study names, else the one around the current folder."""
    named = getattr(args, "study", None)
    return load_study(Path(named)) if named else load_study(find_study_folder(Path()))


def print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))


def init(args: argparse.Namespace) -> None:
    if args.list:
        print("\n".join(bundled_studies()))
        return
    if args.dir is None:
        args.parser.error("init needs a DIR, or --list")
    folder = Path(args.dir)
    if args.study:
        begun = begin_bundled(folder, args.study)
    elif args.source:
        begun = begin_from(folder, Path(args.source))
    else:
        begun = begin_blank(folder)
    print(f"{begun.study.folder}: study {begun.study.name!r} is ready.")
    if begun.imported:
        print(imported_line(begun.imported))
    for line in begun.to_check:
        print(f"  check {line}")
    if args.source:
        say(f"Then: rejudge import {args.source} --study {args.dir}")
    elif not args.study:
        say(f"Declare a question in {begun.study.toml}, or let an import bring one.")


def imported_line(imported: Imported) -> str:
    counts = imported.counts
    there = (counts.known_trajectories, counts.known_verdicts, counts.known_labels)
    line = f"{imported.path.name} ({imported.format}): {_amounts(counts.trajectories, counts.verdicts, counts.labels)} came in"
    if any(there):
        line += f"; already there: {_amounts(*there)}"
    if imported.marks:
        line += f"; {imported.marks} unstorable characters came in as visible marks"
    return f"{line}."


def _amounts(trajectories: int, verdicts: int, labels: int) -> str:
    return f"{trajectories} trajectories, {verdicts} verdicts, {labels} labels"


def import_(args: argparse.Namespace) -> None:
    study = open_study(args)
    for name in args.files:
        study, imported = import_file(study, Path(name), args.format, Naming(args.run, args.question, args.prefix))
        print(imported_line(imported))
        for note in imported.notes:
            say(note)


def draw(args: argparse.Namespace) -> None:
    from annotate.sampling import DrawRequest, copies_in, draw

    split = None if args.split == "all" else args.split
    study = open_study(args)
    with Store.open(study.database) as store:
        batch = draw(store, DrawRequest(args.n, args.overlap, split, args.name, args.seed))
        copies = copies_in(store, batch)
    print(
        f"{batch.name}: {len(batch.items)} items drawn at random from {batch.frame['items']}, "
        f"{batch.overlap} label{'s' if batch.overlap > 1 else ''} each; seed {batch.seed}."
    )
    if copies:
        say(f"{copies} of the items are copies of others in the batch. Nobody is given both, so they need further annotators.")
    warn_of_skeletons(study)


def warn_of_skeletons(study: Study) -> None:
    for path in untouched_pages(study):
        say(f"{path} is still the skeleton: write the codebook page before anybody labels.")


def annotators(args: argparse.Namespace) -> None:
    from annotate.links import DEFAULT_PORT, sign_in_link
    from data.store.people import ensure_person, people

    with Store.open(open_study(args).database) as store:
        if args.action == "list":
            for person in people(store):
                print(f"{person.handle}\t{person.role}")
            return
        if any(known.handle == args.name and known.role == "imported" for known in people(store)):
            say(f"{args.name} has imported labels: they and the ones given here count as one person's.")
        person = ensure_person(store, args.name, lead=args.lead)
        if args.lead and person.role != "lead":
            say(f"{person.handle} is there already, as {person.role}; that stays.")
        if store.fact("address") is None:
            say(f"The app has not run yet: the link supposes port {DEFAULT_PORT}. After `rejudge annotate` ask for a fresh one.")
        print(f"Sign-in link for {person.handle} ({person.role}); it works once:")
        print(sign_in_link(store, person))


def annotate(args: argparse.Namespace) -> None:
    from annotate.server import Address, serve

    study = open_study(args)
    warn_of_skeletons(study)
    serve(study, Address(args.host, args.port, args.url), headless=args.headless)


def demo(args: argparse.Namespace) -> None:
    from annotate.demo import ensure_demo
    from annotate.server import Address, serve

    study = ensure_demo(Path(args.dir), args.study)
    say(f"The demo study lies in {study.folder}; its labels stay there. Try `rejudge agree --study {args.dir}` beside it.")
    serve(study, Address("127.0.0.1", args.port, None), headless=args.headless)


def agreement(study: Study, store: Store, run: str | None, labels: str | None) -> dict[str, Any]:
    """The document of `rejudge agree --json`."""
    from data.store.tallying import tally
    from data.store.versions import check_still_declared
    from judge.runs import run_meant
    from reports.document import agreement_document

    check_still_declared(store, study)
    return agreement_document(study.name, tally(store, study, run_meant(store, run), labels))


def agree(args: argparse.Namespace) -> None:
    from data.store.status import study_status
    from reports.terminal import agreement_text

    study = open_study(args)
    with Store.open(study.database) as store:
        document = agreement(study, store, args.run, args.labels)
        sources = {row["source"] for row in study_status(store)["labels"]}
    if args.labels is None and sources == {"batch", "imported"}:
        say("These are the labels of batches; imported labels are set aside. `--labels all` takes both.")
    if args.json:
        print_json(document)
    else:
        positives = {question.id: question.positive for question in study.questions if question.positive}
        print(agreement_text(document, positives=positives))


def labels(args: argparse.Namespace) -> None:
    from data.store.tallying import current_labels

    with Store.open(open_study(args).database) as store:
        for label in current_labels(store):
            if args.json:
                print(json.dumps(label, ensure_ascii=False))
            else:
                answer = label["choice"] or label["action"]
                print(f"{label['id']}\t{label['question']}\t{label['annotator']}\t{answer}\t{label['batch'] or 'imported'}")


def gold(args: argparse.Namespace) -> None:
    from data.gold import Policy, export_jsonl, freeze
    from data.store.gold import gold_manifest, gold_names

    study = open_study(args)
    with Store.open(study.database) as store:
        if args.action == "list":
            for name in gold_names(store):
                frozen = gold_manifest(store, name)
                if frozen:
                    print(f"{name}\t{json.loads(frozen[1])['rows']} gold labels\t{frozen[0][:16]}")
            if not gold_names(store):
                print("No gold set is frozen yet.")
        elif args.action == "freeze":
            manifest = freeze(store, study, args.name, Policy(args.min_labels, args.names), agreement(study, store, None, "all"))
            print(f"{args.name}: {manifest['rows']} gold labels frozen; hash {manifest['hash'][:16]}.")
            for question, counts in manifest["counts"].items():
                print(f"  {question}: {', '.join(f'{count} {basis}' for basis, count in counts['basis'].items())}")
            for reason, count in Counter(left["reason"] for left in manifest["left_out"]).most_common():
                print(f"  left out: {count} ({reason})")
        else:
            manifest_path = export_jsonl(store, args.name, Path(args.out))
            print(f"{args.out} and {manifest_path} are written.")


def status(args: argparse.Namespace) -> None:
    from data.store.status import study_status
    from judge.runs import verdict_lines

    study = open_study(args)
    with Store.open(study.database) as store:
        print(status_text(study, study_status(store)))
        if args.verdicts:
            print("\n".join(["verdicts:", *(f"  {line}" for line in verdict_lines(store))]))


def status_text(study: Study, found: dict[str, Any]) -> str:
    lines = [study.name, f"questions: {', '.join(question.id for question in study.questions) or 'none yet'}"]
    lines.append(f"trajectories: {found['trajectories']}")
    for split, count in found["splits"].items():
        lines.append(f"  {split}: {count['trajectories']} in {count['groups']} groups")
    twins = found["twins"]
    if twins["trajectories"]:
        straddling = twins["contents_that_straddle_splits"]
        lines.append(f"  twins (same content, other id): {twins['trajectories']}; contents that straddle splits: {straddling}")
    for file in found["unfinished_imports"]:
        lines.append(f"  import of {file} was broken off: run the same `rejudge import` again")
    lines.append(f"judge runs: {', '.join(found['judge_runs']) or 'none'}")
    lines.append("batches:" if found["batches"] else "batches: none")
    for batch in found["batches"]:
        lines.append(
            f"  {batch['name']} ({batch['state']}): {batch['labels_finished']} of {batch['labels_wanted']} labels, "
            f"{batch['items']} items, {batch['overlap']} label{'s' if batch['overlap'] > 1 else ''} each"
        )
        counted = [f"{batch[kind]} {kind}" for kind in ("unsure", "skipped", "surplus") if batch[kind]]
        if counted:
            lines.append(f"    {', '.join(counted)}")
        lines += [f"    flagged by {flag['annotator']}: {flag['id']} ({flag['reason']})" for flag in batch["flags"]]
    lines.append("labels:" if found["labels"] else "labels: none")
    for row in found["labels"]:
        lines.append(f"  {row['annotator']} · {row['question']} · {row['source']}: {row['labels']}")
    lines.append(f"gold sets: {', '.join(found['gold_sets']) or 'none'}")
    return "\n".join(lines)


def verify(args: argparse.Namespace) -> int:
    from data.verify import verify

    with Store.open(open_study(args).database) as store:
        findings = verify(store)
    if args.json:
        print_json({"ok": not findings, "findings": [{"rule": f.rule, "where": f.where, "problem": f.problem} for f in findings]})
    else:
        for finding in findings:
            print(f"{finding.rule}: {finding.where}: {finding.problem}")
        print(f"{len(findings)} problems." if findings else "Nothing is broken: every hash and every rule holds.")
    return 1 if findings else 0


class _Commands:
    """The command line, one command after the other."""

    def __init__(self) -> None:
        self.top = argparse.ArgumentParser(
            prog="rejudge", description="Blind human verification for LLM judges of agent trajectories."
        )
        self.top.add_argument("--study", metavar="DIR", help="the study folder (default: this folder, then its parents)")
        self.commands = self.top.add_subparsers(title="commands", metavar="COMMAND", required=True)
        self.where = argparse.ArgumentParser(add_help=False)
        # SUPPRESS: an option that is not given here must not undo the one that was given before the command.
        self.where.add_argument("--study", metavar="DIR", default=argparse.SUPPRESS, help="the study folder")

    def add(self, name: str, run: Any, help: str, *, in_study: bool = True) -> argparse.ArgumentParser:
        sub = self.commands.add_parser(name, help=help, description=help, parents=[self.where] if in_study else [])
        sub.set_defaults(run_command=run, parser=sub)
        return sub

    def add_beginning(self) -> None:
        sub = self.add("demo", demo, "the whole loop on a bundled study, in the browser", in_study=False)
        sub.add_argument("--study", metavar="NAME", help="a bundled study (default: toxic-proactivity)")
        sub.add_argument(
            "--dir", default="rejudge-demo", help="where the study is kept, and opened again (default: ./rejudge-demo)"
        )
        sub.add_argument("--port", type=_port, default=None, metavar="N")
        sub.add_argument("--headless", action="store_true", help="print the link instead of opening a browser")

        sub = self.add("init", init, "make a study folder", in_study=False)
        sub.add_argument("dir", nargs="?", metavar="DIR")
        source = sub.add_mutually_exclusive_group()
        source.add_argument("--study", metavar="NAME", help="a copy of a bundled study")
        source.add_argument("--from", dest="source", metavar="FILE", help="with the questions that this file answers")
        sub.add_argument("--list", action="store_true", help="name the bundled studies")

        sub = self.add("import", import_, "bring in trajectories, verdicts and labels")
        sub.add_argument("files", nargs="+", metavar="FILE")
        sub.add_argument("--format", metavar="F", help="native, r-judge or answers (default: recognised)")
        sub.add_argument("--run", metavar="NAME", help="the judge run of verdicts that do not name one")
        sub.add_argument("--question", metavar="ID", help="the question of answers that do not name one")
        sub.add_argument("--prefix", metavar="P", default="", help="put before every id")

    def add_labelling(self) -> None:
        sub = self.add("draw", draw, "draw a simple random batch to label")
        sub.add_argument("--n", type=int, required=True, metavar="N", help="how many items")
        sub.add_argument("--overlap", type=int, default=1, metavar="K", help="labels per item (default 1)")
        sub.add_argument("--split", choices=["train", "dev", "test", "all"], default="all")
        sub.add_argument("--name", metavar="B", help="default: batch-1 and so on")
        sub.add_argument("--seed", metavar="S", help="default: random, printed and stored")

        sub = self.add("annotators", annotators, "who may sign in")
        actions = sub.add_subparsers(dest="action", required=True, metavar="ACTION")
        add = actions.add_parser("add", help="print a sign-in link for NAME", parents=[self.where])
        add.add_argument("name", metavar="NAME")
        add.add_argument("--lead", action="store_true", help="may see verdicts and run the study")
        actions.add_parser("list", help="everybody, with their roles", parents=[self.where])

        sub = self.add("annotate", annotate, "open the app")
        sub.add_argument("--host", default="127.0.0.1", metavar="H", help="default 127.0.0.1: this machine only")
        sub.add_argument("--port", type=_port, default=None, metavar="N")
        sub.add_argument(
            "--url", metavar="PUBLIC_URL", help="the address that people reach it by; its proxy must pass the Host header on"
        )
        sub.add_argument("--headless", action="store_true", help="print the link instead of opening a browser")

    def add_results(self) -> None:
        sub = self.add("agree", agree, "how far judge and humans agree")
        sub.add_argument("--run", metavar="R", help="one judge run (default: all)")
        sub.add_argument("--labels", choices=["batch", "imported", "all"], help="default: batch where there are any, else imported")
        sub.add_argument("--json", action="store_true")

        sub = self.add("labels", labels, "every current label")
        sub.add_argument("--json", action="store_true", help="one JSON object a line")

        sub = self.add("gold", gold, "freeze and export gold sets")
        actions = sub.add_subparsers(dest="action", required=True, metavar="ACTION")
        freeze = actions.add_parser("freeze", help="freeze the labels as they stand", parents=[self.where])
        freeze.add_argument("name", metavar="NAME")
        freeze.add_argument("--min-labels", type=int, default=2, metavar="M", help="labels that must agree (default 2)")
        freeze.add_argument("--names", action="store_true", help="annotators under their own names")
        actions.add_parser("list", help="the frozen sets", parents=[self.where])
        export = actions.add_parser("export", help="write a frozen set, with a manifest beside it", parents=[self.where])
        export.add_argument("name", metavar="NAME")
        export.add_argument("--format", choices=["jsonl"], default="jsonl")
        export.add_argument("--out", required=True, metavar="PATH")

        sub = self.add("status", status, "what the study holds")
        sub.add_argument("--verdicts", action="store_true", help="also how often each run gave each verdict")
        sub = self.add("verify", verify, "derive every hash again and check every rule")
        sub.add_argument("--json", action="store_true")


def parser() -> argparse.ArgumentParser:
    """Every command and option."""
    commands = _Commands()
    commands.add_beginning()
    commands.add_labelling()
    commands.add_results()
    return commands.top


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return int(text)


def main(argv: list[str] | None = None) -> int:
    """Runs one command; its exit status."""
    args = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets its escape instead of an error.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = args.run_command(args) or 0
        sys.stdout.flush()
        return status
    except RejudgeError as error:
        say(str(error))
        return 1
    except BrokenPipeError:
        # The reader of our output left (`rejudge labels | head`): nothing is wrong, and nothing more is to be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        named = f" ({error.filename})" if error.filename else ""
        say(f"Something could not be read or written{named}.\nFound: {error.strerror or error}.\nCheck room and permissions.")
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
