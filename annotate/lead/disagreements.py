"""The disagreements page: the confusion matrix, the items of one cell, and one item with what humans and judge said of it.

On an item on which they differ a lead says why (see `causing.py`): that decides what may drive the judge's prompt.

Where the page stands (question, run, cell, item) is in its address. An item's verdict shows as soon as the item is named
within a cell: what is listed is noted as shown before it is listed, and lists are short. Dev and test are counted and
never named until `rejudge judge spend`; the store refuses them by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from annotate.codebook_page import blocks_of
from annotate.lead.causing import FILTERS, WITHOUT, draw_causes, next_without, passing, progress_html
from annotate.lead.cells import cell_words, draw_matrix, draw_rows, totals
from annotate.lead.choosing import SOURCES
from annotate.lead.frame import heading, lead, show_refusal
from annotate.lead.kept import kept
from annotate.lead.opening import draw_opening
from annotate.lead.reading import draw_reading
from annotate.lead.still_labelling import may_look
from annotate.lead.text import html_of, html_of_blocks
from annotate.lead.votes import verdict_html, votes_html
from annotate.lead.walking import step
from annotate.serving import Serving
from data.errors import RejudgeError
from data.questions import answer_text
from data.store import Store
from data.store.causes import Cause, causes_of
from data.store.columns import Ints
from data.store.disagreements import Cell, Cells, Details, Disagreement, SideBySide, details, side_by_side
from data.store.exposures import KINDS, record_exposures
from data.store.hunting import hunted_items
from data.store.people import Person
from data.store.sides import HUNTED
from data.store.status import judge_run_codes, questions_of_run
from data.store.test_looks import opened_splits, spent
from data.store.versions import AskedQuestion
from data.wording import amount

AT_ONCE = 20
"""Items in one list: each is noted as shown, and never lies at this lead's desk again."""
EVERY_CELL = "all"
BESIDE_EACH_OTHER = 5
"""Columns of a matrix that leaves room beside itself."""
HUNTED_TAG = '<span class="rj-tag warn" data-rj="hunted">hunted</span>'
BASIS = {"single": "one label", "majority": "by majority", "median": "the median"}
WHY = (
    "This page names items together with what the judge and the others said of them. "
    "What it names, the desk will not give you any more."
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared."""

    asked: AskedQuestion
    run: str
    code: int
    """Of the run."""
    both: SideBySide
    cells: Cells
    opened: tuple[str, ...]
    causes: Mapping[int, Cause]
    """Why they differ, by trajectory."""
    source: str | None
    """Whose labels; `HUNTED`: those of closed hunts."""

    @property
    def tag(self) -> str:
        """What stands beside items that were hunted."""
        return HUNTED_TAG if self.source == HUNTED else ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The items that are walked through."""

    cell: Cell | None
    """None: all on which they differ."""
    numbers: Ints
    """Those that pass the filter by cause."""
    whole: Ints
    """Those of the cell."""


def draw() -> None:
    """One run of the page."""
    serving, person = lead()
    item = _item_named()
    about = "" if item else "Where the consensus of the humans and a judge run differ, item by item."
    heading(serving, "Disagreements", about)
    if not may_look(serving, person, "disagreements", "disagreements", WHY):
        return
    with Store.open(serving.study.database) as store:
        try:
            subject = _subject(serving, store, item is None)
        except RejudgeError as error:
            show_refusal(error)
            return
        if subject is None:
            return
        chosen = _chosen(store, subject)
        if item is not None and chosen is not None and item in chosen.numbers:
            _one(store, person, subject, chosen, item)
        elif item is not None:
            st.info("This item is not among those that are chosen.")
            st.button("Back to the matrix", on_click=_put, kwargs={"item": None})
        else:
            _overview(store, person, subject, chosen)


# Where the page stands


def _put(**values: str | None) -> None:
    """Changes the address; None takes a part out of it."""
    for name, value in values.items():
        if value is not None:
            st.query_params[name] = value
        elif name in st.query_params:
            del st.query_params[name]


def _item_named() -> int | None:
    named = st.query_params.get("item", "")
    return int(named) if named.isascii() and named.isdigit() and len(named) < 19 else None


def _picked(value: str) -> None:
    """What was picked in the matrix or in the list."""
    what, _, which = value.partition(":")
    if what == "cell":
        _put(cell=which, page=None, item=None)
    elif what == "item":
        _put(item=which)


def _ask(name: str, label: str, options: dict[str, str], width: int, below: Sequence[str] = ("cell", "page")) -> str:
    """A selector for a part of the address, and what it stands at; `options`: values to the words for them.

    `below`: the parts that make no sense any more when it changes.
    """
    names, key = list(options), f"ask-{name}"
    named = st.query_params.get(name)

    def changed() -> None:
        _put(**{name: st.session_state[key]}, **dict.fromkeys(below))

    place = names.index(named) if named in names else 0
    chosen = st.selectbox(label, names, place, options.__getitem__, key, width=width, on_change=changed)
    return chosen if chosen in names else names[place]


def _of(name: str, options: dict[str, str]) -> str:
    """The same where there is no room for selectors."""
    named = st.query_params.get(name)
    return named if named in options else next(iter(options))


def _subject(serving: Serving, store: Store, room: bool) -> Subject | None:
    """What the address names, with selectors where there is room and a choice; None where there is nothing to compare."""
    runs = judge_run_codes(store)
    answered = {name: set(questions_of_run(store, code)) for name, code in runs.items()}
    asked = {each.question.id: each for each in serving.asked if any(each.question.id in ids for ids in answered.values())}
    if not asked:
        st.info("No judge to compare: no run has a verdict on a question of this study. Bring verdicts with “rejudge import”.")
        return None

    def choose(name: str, label: str, options: dict[str, str], width: int) -> str:
        return _ask(name, label, options, width) if room and len(options) > 1 else _of(name, options)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        question = asked[choose("question", "Question", {id: id for id in asked}, 260)]
        id = question.question.id
        run = choose("run", "Judge run", {name: name for name, ids in answered.items() if id in ids}, 260)
        hunts = {HUNTED: "closed hunts"} if hunted_items(store).any() else {}
        source = choose("labels", "Labels of", SOURCES | hunts, 220)
        parts = {choice: choice for choice in question.question.choices} if question.question.type == "multilabel" else {}
        part = choose("choice", "Choice", parts, 220) if parts else None
    wanted = None if source == "default" else source
    both = kept(
        store,
        f"side by side {id} {runs[run]} {wanted}",
        lambda store: side_by_side(store, serving.study, id, runs[run], wanted),
    )
    causes = causes_of(store, runs[run], question.code)
    return Subject(question, run, runs[run], both, both.cells(part), opened_splits(store), causes, wanted)


def _chosen(store: Store, subject: Subject) -> Chosen | None:
    """The items of the cell in the address; None where it names none."""
    named = st.query_params.get("cell", "")
    rows, columns = len(subject.cells.rows), len(subject.cells.columns)
    cell = next(((k // columns, k % columns) for k in range(rows * columns) if named == f"{k // columns}-{k % columns}"), None)
    if cell is None and named != EVERY_CELL:
        return None
    whole = subject.both.trajectories(store, cell, subject.opened, subject.cells.part)
    named = _of("cause", FILTERS) if _ask_why(subject, cell) else "any"
    return Chosen(cell, np.array(passing(whole.tolist(), subject.causes, named), dtype=np.int64), whole)


def _ask_why(subject: Subject, cell: Cell | None) -> bool:
    """Whether the items of a cell have a cause: both gave an answer, and they differ."""
    return cell is None or (subject.cells.differ(cell) and cell[1] < len(subject.cells.columns) - 1)


# The matrix and the list


def _overview(store: Store, person: Person, subject: Subject, chosen: Chosen | None) -> None:
    differing = subject.both.trajectories(store, None, subject.opened, subject.cells.part)
    with st.container(border=True, key="card-cells"):
        if len(subject.cells.columns) <= BESIDE_EACH_OTHER:
            drawn, told = st.columns([1.1, 1], gap="large", vertical_alignment="top")
        else:
            told, drawn = st.container(), st.container()
        with drawn:
            draw_matrix(subject.cells, subject.opened, subject.run, chosen.cell if chosen else None, _picked)
        with told:
            st.html(_about(store, subject))
            if len(differing):
                st.html(progress_html(differing.tolist(), subject.causes))
                words = f"All {len(differing):,} on which they differ" if len(differing) > 1 else "The one on which they differ"
                st.button(words, key="every-cell", on_click=_picked, args=(f"cell:{EVERY_CELL}",))
    if chosen is not None:
        _list(store, person, subject, chosen)
    counts = totals(subject.cells)
    if counts["dev"] + counts["test"]:
        draw_opening()


def _about(store: Store, subject: Subject) -> str:
    """Which items can be opened, and how many cannot."""
    counts = totals(subject.cells)
    look = spent(store)
    if look:
        said = f"Dev and test were opened by {html_of(look.lead)} on {html_of(look.at[:10])}: their items are listed too."
    elif counts["dev"] + counts["test"]:
        said = (
            f"Large numbers are items of train: pick a cell to list them. The {counts['dev']:,} of dev{_of_test(subject, counts)} "
            "are counted and not shown, so that a revised judge can be certified on them. "
            "What stands at the end of this page, or <code>rejudge judge spend</code>, opens them for good, and nothing can be "
            "certified then."
        )
    else:
        said = "Pick a cell to list its items."
    if subject.both.selected:
        said += (
            " This run’s prompt was revised in the study and selected on dev, and train is what it was made from: of test only a "
            "certificate speaks."
        )
    if subject.source == HUNTED:
        said = (
            "<b>Hunted items.</b> They were chosen because the judge is suspected of errors on them, so their counts tell nothing "
            "about how often it errs, and no figure has them. Their causes count as any others."
        )
    if not sum(counts.values()):
        said = "No item has both a consensus of the humans and a verdict of this run yet."
    return f'<p class="rj-ask">{html_of(subject.asked.question.ask)}</p><p class="rj-soft" style="margin-top:6px">{said}</p>'


def _of_test(subject: Subject, counts: dict[str, int]) -> str:
    """Nothing of a run whose verdicts on test are not even counted."""
    return "" if subject.both.selected else f" and {counts['test']:,} of test"


def _list(store: Store, person: Person, subject: Subject, chosen: Chosen) -> None:
    words = cell_words(subject.cells, chosen.cell, subject.run)
    st.html(f'<h2 data-rj="cell">{html_of(words)}: {amount(len(chosen.whole), "item", form=",")} {subject.tag}</h2>')
    if len(chosen.whole) and _ask_why(subject, chosen.cell):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _ask("cause", "Cause", FILTERS, 220, below=["page"])
            left = passing(chosen.numbers.tolist(), subject.causes, WITHOUT)
            if left:
                put = {"item": str(left[0]), "cause": WITHOUT}
                st.button("Give causes", key="give-causes", type="primary", on_click=_put, kwargs=put)
    if not len(chosen.numbers):
        if len(chosen.whole):
            st.html('<p class="rj-soft">None of them passes the filter.</p>')
        return
    pages = -(-len(chosen.numbers) // AT_ONCE)
    page = min(_page_named(), pages)
    here = chosen.numbers[(page - 1) * AT_ONCE : page * AT_ONCE]
    _note(store, person, here)
    listed, before = subject.both.listed(store, here), (page - 1) * AT_ONCE
    draw_rows(subject.asked.question, subject.run, listed, subject.causes, before, _picked)
    if pages > 1:
        key = f"page-{st.query_params.get('cell')}"
        st.pagination(pages, default=page, key=key, on_change=lambda: _put(page=str(st.session_state[key])))


def _page_named() -> int:
    named = st.query_params.get("page", "")
    return max(1, int(named)) if named.isascii() and named.isdigit() and len(named) < 10 else 1


def _note(store: Store, person: Person, numbers: Ints) -> None:
    """Before these items are named beside what was said of them."""
    for what in KINDS:
        record_exposures(store, person.code, numbers.tolist(), what)


# One item


def _one(store: Store, person: Person, subject: Subject, chosen: Chosen, item: int) -> None:
    _note(store, person, np.array([item]))
    (listed,) = subject.both.listed(store, np.array([item]))
    found = details(store, item, subject.asked.code, subject.code, subject.source)
    _way(subject, chosen, listed)
    reading, said = st.columns([1.3, 1], gap="medium")
    with reading:
        cites = found.verdict.cites if found.verdict else ()
        draw_reading(item, [position for vote in found.votes for position in vote.evidence], cites)
    differ = listed.judge is not None and _ask_why(subject, chosen.cell)
    with said:
        if differ:
            _why(store, subject, chosen, item)
    with said, st.container(height=720, border=False, key="beside"):
        st.html(_said(subject, listed, found))
        with st.expander(f"Codebook · version {subject.asked.codebook_version}"):
            st.html(f'<div class="rj-book">{html_of_blocks(blocks_of(subject.asked.page))}</div>')


def _why(store: Store, subject: Subject, chosen: Chosen, item: int) -> None:
    """Takes the cause, and goes on to the next item without one, or back to the list where there is none."""
    following = next_without(chosen.numbers.tolist(), item, subject.causes)

    def go_on() -> None:
        if following is None:
            st.toast("That was the last one without a cause.", icon=":material/check:")
        _put(item=None if following is None else str(following), page=None)

    draw_causes(store, subject.code, subject.asked.code, item, subject.causes.get(item), go_on)


def _way(subject: Subject, chosen: Chosen, listed: Disagreement) -> None:
    """Where this item stands, and the way to the others."""
    numbers = chosen.numbers.tolist()
    place = numbers.index(listed.trajectory)

    def go(number: int) -> None:
        _put(item=str(number), page=str(numbers.index(number) // AT_ONCE + 1))

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Back to the list", key="back", icon=":material/arrow_back:", on_click=_put, kwargs={"item": None})
        step("Previous", place - 1, numbers, go)
        step("Next", place + 1, numbers, go)
        words = cell_words(subject.cells, chosen.cell, subject.run)
        why = ""
        if _ask_why(subject, chosen.cell):
            given = sum(number in subject.causes for number in chosen.whole.tolist())
            why = f" · {given:,} of {len(chosen.whole):,} have a cause"
        st.html(
            f'<div class="rj-row" data-rj="place"><b class="rj-num">Item {place + 1:,} of {len(numbers):,}</b>'
            f'<span class="rj-soft">{html_of(words)} · {html_of(listed.id)} ({listed.split}){why}</span>{subject.tag}</div>'
        )


def _said(subject: Subject, listed: Disagreement, found: Details) -> str:
    """Both sides, with their rationales beside each other, and what was decided."""
    question = subject.asked.question
    judge = verdict_html(question, subject.run, found.verdict) if found.verdict else ""
    consensus = html_of(answer_text(question, listed.human))
    decided = ""
    if found.decision:
        said = f'<div class="rj-text">{html_of(found.decision.rationale)}</div>' if found.decision.rationale else ""
        decided = (
            f'<div class="rj-decided" data-rj="standing">Adjudicated: <b>{html_of(answer_text(question, found.decision.answer))}'
            f"</b>, {html_of(found.decision.cause)}, by {html_of(found.decision.lead)}.{said}</div>"
        )
    return (
        f'<p class="rj-ask">{html_of(question.ask)}</p><div class="rj-sides">'
        f'<section><h3><span class="rj-sign-judge">◆</span> The judge</h3><div class="rj-votes">{judge}</div></section>'
        f'<section><h3><span class="rj-sign-humans">⚑</span> Humans: {consensus} ({BASIS.get(listed.basis, listed.basis)})</h3>'
        f"{votes_html(subject.asked, found.votes)}</section></div>{decided}"
    )
