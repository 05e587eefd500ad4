"""`rejudge judge certify NEW --against OLD`: whether a new prompt takes the place of an old one, decided on test items."""

import argparse
from typing import TYPE_CHECKING

from data.command_line import AddAction, open_study, say, tell
from data.store import Store
from data.wording import amount

if TYPE_CHECKING:
    from data.study import Study
    from judge.certifying import Ahead, Document

HELP = "whether NEW is better than OLD, decided once on test items: exit 0 PROMOTE, 3 REJECT, 4 INCONCLUSIVE"
STATUS = {"PROMOTE": 0, "REJECT": 3, "INCONCLUSIVE": 4}
LOOKS = (1, 2, 3)


def certify(args: argparse.Namespace) -> int:
    from data.store.people import first_lead, person_named
    from judge.certifying import Asked, ahead, look, question_meant
    from judge.runs import judge_meant

    study = open_study(args)
    with Store.open(study.database) as store:
        lead = person_named(store, args.by) if args.by is not None else first_lead(store)
        new, old = (judge_meant(study, store, named) for named in (args.new, args.against))
        if new == old:
            tell(f"INCONCLUSIVE: no verdict differs, for both names mean the run {new.name}. No look was taken.")
            return STATUS["INCONCLUSIVE"]
        asked = Asked(study, question_meant(store, study, old, new, args.question), old, new, args.looks)
        _say_before(ahead(store, asked, lead))
        document = look(store, asked, lead)
    _tell(document)
    _write(study, document)
    return STATUS[document["result"]]


def _say_before(found: "Ahead") -> None:
    from judge.certificate import power_in_words

    for warning in found.warnings:
        say(f"Warning: {warning}")
    say(power_in_words(found.power, found.items))
    if found.left_out:
        say(f"Left out, because their looks are used up: {amount(found.left_out, 'test item')}.")
    say(f"This is look {found.look} of {found.looks} at these items; it is on record from now on.")


def _tell(document: "Document") -> None:
    from judge.certificate import MEANS, caution_in_words, more_in_words
    from reports.written.numerals import NO_BREAK, figure

    tell(f"{document['result']}: {MEANS[document['result']]}")
    kappa, new, old = document["kappa"], document["new"]["run"], document["old"]["run"]
    figures = [figure(kappa[which]).replace(NO_BREAK, " ") for which in ("new", "old", "difference")]
    tell(f"{new} against {old} on {document['question']}: kappa {figures[0]} against {figures[1]}, difference {figures[2]}.")
    for reason in [*document["reasons"], caution_in_words(document), more_in_words(document)]:
        if reason:
            tell(reason.replace(NO_BREAK, " "))


def _write(study: "Study", document: "Document") -> None:
    from data.study import write_study_file
    from judge.certificate import certificate
    from judge.report_command import FOLDER, in_form

    content = certificate(document)
    name = f"certificate-{document['question']}-{document['number']}-{document['new']['identity'][:8]}"
    for form in (".md", ".html"):
        path = study.folder / FOLDER / f"{name}{form}"
        write_study_file(path, in_form(content, form))
        tell(f"{path} is written.")


def add_certify(add_action: AddAction) -> None:
    sub = add_action("certify", HELP)
    sub.add_argument("new", metavar="NEW", help="a run, or a prompt with one run: its path, or the beginning of its hash")
    sub.add_argument("--against", required=True, metavar="OLD", help="the judge whose place it is to take")
    sub.add_argument(
        "--looks",
        type=int,
        choices=LOOKS,
        metavar="N",
        help="how many looks there will be, declared before the first (default 1, at most 3)",
    )
    sub.add_argument("--question", metavar="ID", help="where both judged several")
    sub.add_argument("--by", metavar="NAME", help="the lead who looks (default: the first one)")
    sub.set_defaults(run_command=certify)
