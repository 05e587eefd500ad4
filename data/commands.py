"""Commands that need a study alone: making one, bringing files in, listing labels, checking everything.

Each imports what it runs when it runs: a notebook that imports rejudge waits for none of it.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.command_line import CommandLine, open_study, print_json, print_json_line, say, tell
from data.store import Store
from data.terminal import on_one_line
from data.wording import amount

if TYPE_CHECKING:
    from data.importing import Imported


def init(args: argparse.Namespace) -> None:
    from data.new_study import begin_blank, begin_bundled, begin_from, bundled_studies

    if args.list:
        tell("\n".join(bundled_studies()))
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
    tell(f"{begun.study.folder}: study {begun.study.name!r} is ready.")
    if begun.imported:
        tell(imported_line(begun.imported))
    for line in begun.to_check:
        tell(f"  check {line}")
    if args.source:
        say(f"Then: rejudge import {args.source} --study {args.dir}")
    elif not args.study:
        say(f"Declare a question in {begun.study.toml}, or let an import bring one.")


def add_init(line: CommandLine) -> None:
    sub = line.add("init", init, "make a study folder", in_study=False)
    sub.add_argument("dir", nargs="?", metavar="DIR")
    source = sub.add_mutually_exclusive_group()
    source.add_argument("--study", metavar="NAME", help="a copy of a bundled study")
    source.add_argument("--from", dest="source", metavar="FILE", help="with the questions that this file answers")
    sub.add_argument("--list", action="store_true", help="name the bundled studies")


def imported_line(imported: "Imported") -> str:
    counts = imported.counts
    there = (counts.known_trajectories, counts.known_verdicts, counts.known_labels)
    name, came = on_one_line(imported.path.name), _amounts(counts.trajectories, counts.verdicts, counts.labels)
    line = f"{name} ({imported.format}): {came} came in"
    if any(there):
        line += f"; already there: {_amounts(*there)}"
    if imported.left_out:
        line += f"; {amount(len(imported.left_out), 'bad line')} left out"
    if imported.marks:
        line += f"; {amount(imported.marks, 'unstorable character')} came in as visible marks"
    return f"{line}."


def _amounts(trajectories: int, verdicts: int, labels: int) -> str:
    return f"{amount(trajectories, 'trajectory', 'trajectories')}, {amount(verdicts, 'verdict')}, {amount(labels, 'label')}"


def import_(args: argparse.Namespace) -> None:
    from data.arrivals import Naming
    from data.importing import import_file

    study = open_study(args)
    for name in args.files:
        naming = Naming(args.run, args.question, args.prefix, tuple(args.columns))
        study, imported = import_file(study, Path(name), args.format, naming, skip_bad=args.skip_bad)
        tell(imported_line(imported))
        for refusal in imported.left_out:
            say(f"left out: {refusal.wrong} {refusal.found}")
        for note in imported.notes:
            say(note)


def add_import(line: CommandLine) -> None:
    from data.formats import FORMATS

    sub = line.add("import", import_, "bring in trajectories, verdicts and labels")
    sub.add_argument("files", nargs="+", metavar="FILE")
    sub.add_argument("--format", metavar="F", help=f"default: recognised; one of {', '.join(FORMATS)}")
    sub.add_argument("--run", metavar="NAME", help="the judge run of verdicts that do not name one")
    sub.add_argument("--question", metavar="ID", help="the question of answers that do not name one")
    sub.add_argument("--prefix", metavar="P", default="", help="put before every id")
    sub.add_argument(
        "--map",
        dest="columns",
        action="append",
        default=[],
        type=_column,
        metavar="COLUMN=FIELD",
        help="which column of a CSV or Parquet is id, text, messages, task, group, choice …; "
        "in another study's database, which annotator is who (ana=anna); repeatable",
    )
    sub.add_argument("--skip-bad", action="store_true", help="leave out the lines that cannot come in, and list them")


def _column(text: str) -> tuple[str, str]:
    column, mark, field = text.rpartition("=")
    if not mark or not column.strip() or not field.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not COLUMN=FIELD")
    return column.strip(), field.strip()


def labels(args: argparse.Namespace) -> None:
    from data.store.tallying import current_labels

    with Store.open(open_study(args).database) as store:
        for label in current_labels(store):
            if args.json:
                print_json_line(label)
            else:
                told = (label["id"], label["question"], label["annotator"], answer_in_words(label), label["batch"] or "imported")
                tell("\t".join(on_one_line(str(value)) for value in told))


def answer_in_words(label: dict[str, Any]) -> str:
    """What a label of `current_labels` says: its answer, or why it has none."""
    if label["action"] != "label":
        return str(label["action"])
    if "score" in label:
        return f"{label['score']:g}"
    return str(label["choice"]) if "choice" in label else ", ".join(label["choices"]) or "none of them"


def add_labels(line: CommandLine) -> None:
    sub = line.add("labels", labels, "every current label")
    sub.add_argument("--json", action="store_true", help="one JSON object a line")


def verify(args: argparse.Namespace) -> int:
    from data.verify import verify

    with Store.open(open_study(args).database) as store:
        findings = verify(store)
    if args.json:
        print_json({"ok": not findings, "findings": [{"rule": f.rule, "where": f.where, "problem": f.problem} for f in findings]})
    else:
        for finding in findings:
            tell(on_one_line(f"{finding.rule}: {finding.where}: {finding.problem}"))
        tell(f"{amount(len(findings), 'problem')}." if findings else "Nothing is broken: every hash and every rule holds.")
    return 1 if findings else 0


def add_verify(line: CommandLine) -> None:
    sub = line.add("verify", verify, "derive every hash again and check every rule")
    sub.add_argument("--json", action="store_true")


def backup(args: argparse.Namespace) -> None:
    from data.store.backup import back_up

    study = open_study(args)
    with Store.open(study.database) as store:
        made = back_up(store, Path(args.file))
    counts = ", ".join(amount(made.rows[table], *what) for table, what in _BACKED_UP.items())
    tell(f"{args.file}: {made.bytes / 1e6:.1f} MB, checked; {counts}.")
    say(f"It is the database alone: {study.toml.name} and the codebook are files of their own.")
    say("To restore: stop the app, remove study.db, study.db-wal and study.db-shm, and copy this file to study.db.")


_BACKED_UP = {
    "trajectories": ("trajectory", "trajectories"), "verdicts": ("verdict",), "label_events": ("label event",),
    "batches": ("batch", "batches"), "annotators": ("person", "people"), "gold_sets": ("gold set",),
}  # fmt: skip


def add_backup(line: CommandLine) -> None:
    sub = line.add("backup", backup, "a checked copy of the study's database, also while people label")
    sub.add_argument("file", metavar="FILE")
