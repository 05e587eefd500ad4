"""`rejudge report`: the study's findings as files to read, print and take into a paper."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from data.atomic import write_atomically
from data.command_line import CommandLine, open_study, say, tell
from data.errors import RejudgeError
from data.store import Store
from data.study import Study

if TYPE_CHECKING:
    from reports.written.content import Report

FORMS = (".html", ".md", ".tex")
FOLDER = "reports"


def report(args: argparse.Namespace) -> None:
    from judge.runs import run_meant
    from reports.of_study.report import documents_of
    from reports.written.whole import report_from

    study = open_study(args)
    paths = paths_meant(study, args.out)
    with Store.open(study.database) as store:
        documents = documents_of(study, store, run_meant(store, args.run))
    written = report_from(documents, args.names)
    for path in paths:
        text = in_form(written, path.suffix.lower())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
        except OSError as error:
            raise RejudgeError(
                f"{path} cannot be written.",
                f"Found: {error.strerror or error}.",
                "Name another place with --out, or make room there.",
            ) from None
        tell(f"{path} is written.")
    unfinished = [batch["name"] for batch in documents["about"]["batches"] if batch["state"] != "closed"]
    if unfinished:
        say(f"Not closed: {', '.join(unfinished)}. The report tells verdicts and labels: keep it from whoever labels there.")


def paths_meant(study: Study, out: str | None) -> list[Path]:
    """The files to write. Raises RejudgeError for a name whose ending says no form."""
    if out is None:
        return [study.folder / FOLDER / f"report{form}" for form in FORMS]
    path = Path(out)
    if path.suffix.lower() not in FORMS:
        raise RejudgeError(
            f"{out} does not say in which form the report is wanted.",
            f"Found the ending {path.suffix!r}." if path.suffix else "Found no ending.",
            f"Let it end in {', '.join(FORMS[:-1])} or {FORMS[-1]}, or leave --out away to get all three.",
        )
    return [path]


def in_form(content: "Report", form: str) -> str:
    """The whole file in the form that its ending names."""
    from reports.written import html, latex, markdown

    return {".html": html.written, ".md": markdown.written, ".tex": latex.written}[form](content)


def add_report(line: CommandLine) -> None:
    sub = line.add("report", report, "write the report: HTML, Markdown and LaTeX")
    sub.add_argument(
        "--out", metavar="FILE", help="one file, ending in .html, .md or .tex (default: all three, in the study's reports/)"
    )
    sub.add_argument("--run", metavar="R", help="one judge run (default: all)")
    sub.add_argument("--names", action="store_true", help="annotators under their own names")
