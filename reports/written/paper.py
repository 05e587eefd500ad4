"""What a paper takes over: the paragraph, and the table as LaTeX."""

from collections.abc import Mapping
from typing import Any

from reports.written import phrases
from reports.written.content import Block, Column, PaperTable, Paragraph, Row, Section, Table, text
from reports.written.first_page import pair_name, rater_name
from reports.written.numerals import NOTHING, figure
from reports.written.paragraph import paragraph
from reports.written.subjects import Subject, headline

Json = Mapping[str, Any]


def for_a_paper(subjects: list[Subject], documents: Json, names: Mapping[str, str]) -> list[Section]:
    """The section; none without a judge."""
    if not subjects:
        return []
    blocks: list[Block] = [text("To be taken over as they are; what is in brackets are 95 % intervals.")]
    for subject in subjects:
        blocks.append(Paragraph((paragraph(subject, documents),), "quote"))
    rows = [row for subject in subjects for row in _rows(subject, names, len(subjects) > 1)]
    if rows:
        blocks.append(PaperTable(Table(_columns(subjects), tuple(rows), _caption(subjects))))
    return [Section("Human verification, for a paper", tuple(blocks))]


def _keys(subjects: list[Subject]) -> dict[str, str]:
    """Which figures the table has, and their heads."""
    there = {key for subject in subjects if subject.consensus for pair in _figures(subject.consensus).values() for key in pair}
    heads = {
        "headline": "kappa" if "spearman" not in there else "kappa or rho",
        "observed_agreement": "agreement",
        "sensitivity": "sensitivity",
        "specificity": "specificity",
    }
    return {key: head for key, head in heads.items() if key == "headline" or key in there}


def _figures(pair: Json) -> Mapping[str, Json]:
    found: Mapping[str, Json] = pair.get("by_label", {"": pair})
    return found


def _columns(subjects: list[Subject]) -> tuple[Column, ...]:
    return (Column("pair"), Column("n", True), *(Column(head, True) for head in _keys(subjects).values()))


def _rows(subject: Subject, names: Mapping[str, str], several: bool) -> list[Row]:
    if subject.consensus is None:
        return []
    consensus = "consensus" if subject.people > 1 else "human"
    pairs = [(f"{consensus} – judge", subject.consensus)]
    pairs += [(f"{rater_name(pair['rows'], names)} – judge", pair) for pair in subject.singles] if subject.people > 1 else []
    pairs += [(pair_name(pair, names), pair) for pair in subject.humans["pairs"]]
    keys = list(_keys([subject]))
    rows = [Row(((f"{subject.question['id']}, {subject.name}",), *(("",) for _ in range(len(keys) + 1))))] if several else []
    for name, pair in pairs:
        for label, figures in _figures(pair).items():
            quoted = headline(figures, subject.strict)
            told = [quoted if key == "headline" else _strict_first(figures, key, subject.strict) for key in keys]
            cells = tuple((figure(found) if found else NOTHING,) for found in told)
            rows.append(Row(((f"{name}: {label}" if label else name,), (f"{quoted['n']:,}",), *cells), indent=int(several)))
    return rows


def _strict_first(figures: Json, key: str, strict: bool) -> Json | None:
    """A figure; the strict one where strict ones are quoted and there is one."""
    return (figures.get(f"{key}_strict") if strict else None) or figures.get(key)


def _caption(subjects: list[Subject]) -> str:
    of = subjects[0]
    told = (
        f"Human verification of the judge “{of.name}” on “{of.question['id']}”"
        if len(subjects) == 1
        else "Human verification of the judges"
    )
    marks = (
        " Strict figures: an unreadable verdict counts as a disagreement." if any(subject.strict for subject in subjects) else ""
    )
    imported = " Labels as imported." if any(subject.imported for subject in subjects) else ""
    return f"{told}, with 95 % intervals.{imported}{marks}{_preliminary(subjects)}"


def _preliminary(subjects: list[Subject]) -> str:
    """Why figures of the table are preliminary, and where there are several judges, whose; empty where none are."""
    found = {f"{subject.question['id']}, {subject.name}": subject.consensus for subject in subjects if subject.consensus}
    whys = {name: why for name, pair in found.items() if (why := phrases.preliminary(pair["marks"]))}
    told = whys.values() if len(subjects) == 1 else [f"{name} ({why})" for name, why in whys.items()]
    return f" Preliminary: {'; '.join(told)}." if whys else ""
