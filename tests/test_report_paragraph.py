"""The paragraph for a paper is true of whatever came out: a good judge, a failed one, few items, nothing defined, unknown draws."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from data.new_study import begin_bundled
from data.questions import Question
from data.store import Store
from data.study import Study
from reports.of_study.report import documents_of
from reports.written.content import PaperTable
from reports.written.first_page import design_note
from reports.written.numerals import NO_BREAK
from reports.written.paper import for_a_paper
from reports.written.paragraph import paragraph
from reports.written.subjects import subjects_of
from reports.written.summary import summary
from tests.study_maker import MISALIGNED, SEVERITY, Sitting, draw_batch, label, make_study, run_line, verdict

HARMS = Question("misaligned", "Which harms?", "multilabel", ("privacy", "money"), None)
SKILL = Question("misaligned", "How skilful?", "score", (), None, min=0, max=10, threshold=7)


def said(study: Study) -> str:
    """The paragraph on the only judge, with plain blanks."""
    return told(study, paragraph)


def told(study: Study, words: Callable[[Any, Mapping[str, Any]], str]) -> str:
    with Store.open(study.database) as store:
        documents = documents_of(study, store, None)
    (subject,) = subjects_of(documents)
    return words(subject, documents).replace(NO_BREAK, " ")


def labelled(folder: Path, judge: list[str | None], human: list[str | None], people: int = 1) -> Study:
    """A study in which `people` at the desk, of one mind, label every item of a simple draw."""
    ids = [f"r{place:03}" for place in range(len(judge))]
    study = make_study(folder, [run_line(id, verdicts=[verdict(said)]) for id, said in zip(ids, judge, strict=True)])
    draw_batch(study, len(ids), overlap=people)
    for place in range(people):
        with Sitting(study, f"ana-{place}") as sitting:
            sitting.label_all(dict(zip(ids, human, strict=True)))
    return study


def imported(folder: Path, judge: list[str | None], human: list[str | None]) -> Study:
    lines = [
        run_line(f"r{place:03}", verdicts=[verdict(one)], labels=[label("ana", other)])
        for place, (one, other) in enumerate(zip(judge, human, strict=True))
    ]
    return make_study(folder, lines)


def table(both_no: int, invented: int, missed: int, found: int) -> tuple[list[str | None], list[str | None]]:
    """Verdicts and labels of a 2 x 2 table."""
    no, yes = "aligned", "misaligned"
    judge: list[str | None] = [no] * both_no + [yes] * invented + [no] * missed + [yes] * found
    human: list[str | None] = [no] * (both_no + invented) + [yes] * (missed + found)
    return judge, human


def test_a_good_judge_is_described_with_its_intervals_and_without_praise(tmp_path: Path) -> None:
    words = said(labelled(tmp_path / "s", *table(25, 2, 3, 20), people=2))
    assert "To verify the judge “judge-a”, two annotators labelled 50 of 50 trajectories without seeing its verdicts" in words
    assert "These are all 50 of the frame." in words
    assert (
        "the judge agreed with the consensus of the annotators on 90 % [79, 96] of them (Cohen’s kappa 0.80 [0.56, 0.92])." in words
    )
    assert "Taking “misaligned” as positive, sensitivity is 0.87 [0.68, 0.95] and specificity is 0.93 [0.77, 0.98]." in words
    assert "Among the humans, Krippendorff’s alpha (nominal) is 1.00" in words
    for never in ("cannot stand", "preliminary", "undefined", "imported", "not known"):
        assert never not in words


def test_a_judge_that_failed_is_said_to_have_failed(tmp_path: Path) -> None:
    study = labelled(tmp_path / "s", *table(12, 13, 13, 12))
    words = said(study)
    assert (
        "(Cohen’s kappa −0.04 [−0.30, 0.23]). Agreement beyond chance is not shown, for the interval includes 0: "
        "on this evidence its verdicts cannot stand for human labels." in words
    )
    assert "on this evidence its verdicts cannot stand for human labels" in told(study, summary)


def test_a_judge_worse_than_chance_and_a_poor_one_are_told_apart(tmp_path: Path) -> None:
    worse = said(labelled(tmp_path / "worse", *table(3, 22, 22, 3)))
    assert (
        "The judge agrees with the humans less than chance would: on this evidence its verdicts cannot stand for human labels."
        in worse
    )
    poor = said(labelled(tmp_path / "poor", *table(90, 10, 70, 40)))
    assert (
        "Agreement is poor: the whole interval lies below 0.40. On this evidence its verdicts cannot stand for human labels."
        in poor
    )


def test_under_thirty_items_the_figures_are_called_preliminary(tmp_path: Path) -> None:
    study = labelled(tmp_path / "s", *table(6, 1, 1, 4))
    assert "These figures are preliminary (fewer than 30 items)." in said(study)
    assert "All of this is preliminary: fewer than 30 items." in told(study, summary)
    enough = labelled(tmp_path / "enough", *table(16, 2, 2, 10))
    assert "preliminary" not in said(enough)


def captions(study: Study) -> list[str]:
    """Of the tables for a paper."""
    with Store.open(study.database) as store:
        documents = documents_of(study, store, None)
    (section,) = for_a_paper(subjects_of(documents), documents, {"ana": "ana"})
    return [block.table.caption for block in section.blocks if isinstance(block, PaperTable)]


def test_under_thirty_items_the_table_for_a_paper_is_called_preliminary_and_of_several_judges_told_whose(tmp_path: Path) -> None:
    (few,) = captions(imported(tmp_path / "few", *table(9, 1, 1, 9)))
    assert few.endswith("with 95 % intervals. Labels as imported. Preliminary: fewer than 30 items.")
    (enough,) = captions(imported(tmp_path / "enough", *table(20, 1, 1, 20)))
    assert enough.endswith("with 95 % intervals. Labels as imported.")
    lines = [
        run_line(
            f"r{place:03}",
            verdicts=[verdict("misaligned" if place % 3 else "aligned", run) for run in ("judge-a", "judge-b")[: 2 - (place > 20)]],
            labels=[label("ana", "misaligned" if place % 2 else "aligned")],
        )
        for place in range(40)
    ]
    (both,) = captions(make_study(tmp_path / "both", lines))
    assert both.endswith(" Preliminary: misaligned, judge-b (fewer than 30 items).")


def test_an_undefined_kappa_is_said_with_its_reason_and_no_number(tmp_path: Path) -> None:
    words = said(labelled(tmp_path / "s", ["aligned"] * 40, ["aligned"] * 40))
    assert (
        "the judge agreed with the annotator on 100 % [91, 100] of them; Cohen’s kappa is undefined, because both sides gave one "
        "and the same choice to every item, so chance alone would agree as well (0/0). Agreement beyond chance is therefore "
        "not shown." in words
    )
    assert "sensitivity is undefined (no item is positive on the human side)" in words
    assert "specificity is 1.00 [0.91, 1.00]" in words


def test_imported_labels_are_never_called_blind_or_drawn(tmp_path: Path) -> None:
    words = said(imported(tmp_path / "s", *table(20, 3, 4, 13)))
    assert "we used existing labels of one annotator on 40 of 40 trajectories" in words
    assert "How these items were chosen, and whether the annotator could see the judge’s verdicts, is not known." in words
    for never in ("without seeing", "blind", "at random", "random sample", "seed"):
        assert never not in words


def test_many_unreadable_verdicts_put_the_strict_figures_first(tmp_path: Path) -> None:
    judge, human = table(20, 2, 2, 16)
    words = said(labelled(tmp_path / "s", [*judge, None, None, None], [*human, "misaligned", "misaligned", "aligned"]))
    assert "3 verdicts could not be read, which is more than 2 %" in words
    assert "we report strict figures, in which an unreadable verdict is a disagreement." in words
    assert "Of the 43 items, the judge agreed with the annotator on 84 % [70, 92] of them (Cohen’s kappa (strict) 0.69 [" in words
    assert "We left out" not in words
    assert "sensitivity is 0.80 [0.58, 0.92] and specificity, over readable verdicts, is 0.91 [0.72, 0.97]." in words


def test_a_sample_is_said_to_be_one_and_what_is_missing_of_it_is_counted(tmp_path: Path) -> None:
    judge, human = table(30, 2, 3, 15)
    ids = [f"r{place:03}" for place in range(50)]
    study = make_study(tmp_path / "s", [run_line(id, verdicts=[verdict(one)]) for id, one in zip(ids, judge, strict=True)])
    draw_batch(study, 40)
    with Sitting(study, "ana") as ana:
        for _ in range(36):
            held = ana.claim()[0]
            assert not ana.label(held, human[ids.index(ana.id_of(held))] or "")
    words = said(study)
    assert "The items are a simple random sample of 50 (seed seed). Of the items drawn, 4 were not labelled." in words
    assert "labelled 36 of 50 trajectories" in words


def test_a_stratified_draw_is_weighted_in_words(tmp_path: Path) -> None:
    judge, human = table(80, 2, 4, 14)
    ids = [f"r{place:03}" for place in range(100)]
    study = make_study(tmp_path / "s", [run_line(id, verdicts=[verdict(one)]) for id, one in zip(ids, judge, strict=True)])
    draw_batch(study, 30, by="judge-a")
    with Sitting(study, "ana") as ana:
        ana.label_all(dict(zip(ids, human, strict=True)))
    words = said(study)
    assert "labelled 30 of 100 trajectories without seeing" in words
    assert (
        "The items were drawn at random within strata by the verdict of “judge-a” (seed seed), "
        "and all figures are weighted to the 100 items of the frame." in words
    )


def test_without_double_labels_nothing_is_said_of_agreement_among_humans(tmp_path: Path) -> None:
    words = said(labelled(tmp_path / "s", *table(16, 2, 2, 10)))
    assert "No item was labelled by two annotators, so agreement among humans was not measured." in words
    assert "alpha" not in words


def test_ties_and_unsure_labels_are_counted(tmp_path: Path) -> None:
    lines = [run_line(f"r{k:02}", verdicts=[verdict("aligned")], labels=[label("ana", "aligned")]) for k in range(30)]
    lines += [run_line("t", verdicts=[verdict("aligned")], labels=[label("ana", "aligned"), label("ben", "misaligned")])]
    lines += [run_line("u", verdicts=[verdict("misaligned")], labels=[label("ana", None)])]
    words = said(make_study(tmp_path / "s", lines))
    assert "We left out 1 item on which annotators were unsure and 1 item on which annotators tied." in words


def test_several_choices_have_a_kappa_each(tmp_path: Path) -> None:
    answers = [(["privacy"], ["privacy"]), ([], ["money"]), (["privacy", "money"], ["money"]), ([], [])]
    lines = [
        run_line(
            f"r{place:02}",
            verdicts=[{"run": "judge-a", "question": "misaligned", "choices": judge}],
            labels=[{"annotator": "ana", "question": "misaligned", "choices": human}],
        )
        for place, (judge, human) in enumerate(answers * 8)
    ]
    words = said(make_study(tmp_path / "s", lines, [HARMS]))
    assert "Of the 32 items, Cohen’s kappa of the judge against the annotator is, choice by choice: “privacy” 0.50 [" in words
    assert " and “money” 0.50 [" in words


def test_scores_have_a_rank_correlation_and_a_kappa_at_the_threshold(tmp_path: Path) -> None:
    lines = [
        run_line(
            f"r{place:02}",
            verdicts=[{"run": "judge-a", "question": "misaligned", "score": place % 11}],
            labels=[{"annotator": "ana", "question": "misaligned", "score": (place + place % 3) % 11}],
        )
        for place in range(44)
    ]
    words = said(make_study(tmp_path / "s", lines, [SKILL]))
    assert "Of the 44 items, Spearman’s rank correlation of the judge with the annotator is 0." in words
    assert "At the threshold of 7 Cohen’s kappa is 0." in words


def test_ordered_choices_are_quoted_by_the_weighted_kappa(tmp_path: Path) -> None:
    steps = ("none", "some", "much")
    lines = [
        run_line(
            f"r{place:02}",
            verdicts=[{"run": "judge-a", "question": "severity", "choice": steps[place % 3]}],
            labels=[{"annotator": "ana", "question": "severity", "choice": steps[(place + (place % 7 == 0)) % 3]}],
        )
        for place in range(42)
    ]
    words = said(make_study(tmp_path / "s", lines, [SEVERITY]))
    assert "(linearly weighted kappa 0." in words


def test_a_judge_without_labels_is_not_called_verified(tmp_path: Path) -> None:
    words = said(make_study(tmp_path / "s", [run_line("a", verdicts=[verdict("aligned")])], [MISALIGNED]))
    assert words == (
        "The verdicts of the judge “judge-a” on “misaligned” have not been verified by humans: "
        "no item with a verdict has a human label."
    )


def test_the_readme_shows_the_paragraph_of_the_bundled_study(tmp_path: Path) -> None:
    words = said(begin_bundled(tmp_path / "bundled", "toxic-proactivity").study)
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    # Which study it is, and which version, differs from one to the next.
    assert f"> {words.split('; computed with')[0]}; computed with" in readme


@pytest.mark.parametrize("share", [0, 0.02, 0.5, 0.981, 1])
def test_no_share_is_rounded_to_all_or_nothing_that_is_not(share: float) -> None:
    from reports.written.phrases import share_of

    assert (share_of(share) in ("none", "all")) == (share in (0, 1))


FRACTIONS = {
    "about one in twenty": 1 / 20, "about one in fifteen": 1 / 15, "about one in ten": 1 / 10, "about one in eight": 1 / 8,
    "about one in seven": 1 / 7, "about one in six": 1 / 6, "about one in five": 1 / 5, "about a quarter": 1 / 4,
    "about a third": 1 / 3, "about four in ten": 0.4, "nearly half": 0.47, "about half": 0.5, "more than half": 0.53,
    "about six in ten": 0.6, "about two thirds": 2 / 3, "about three quarters": 3 / 4, "about four fifths": 4 / 5,
    "about five in six": 5 / 6, "about six in seven": 6 / 7, "about seven in eight": 7 / 8, "about nine in ten": 9 / 10,
}  # fmt: skip


def test_a_share_in_words_is_near_to_what_they_say() -> None:
    from reports.written.phrases import share_of

    assert [share_of(1 / many) for many in (5, 6, 7, 8, 10)] == [
        "about one in five", "about one in six", "about one in seven", "about one in eight", "about one in ten",
    ]  # fmt: skip
    for thousandth in range(36, 921):
        share = thousandth / 1000
        assert abs(FRACTIONS[share_of(share)] - share) <= max(0.021, 0.15 * min(share, 1 - share)), share


def harms(folder: Path, money: str) -> Study:
    """Judge and human agree on privacy; on money by chance alone ("chance"), a little ("little") or wholly."""
    lines = []
    for place in range(80):
        human = {"privacy"} if place % 2 else set()
        judge = set(human)
        human |= {"money"} if place % 4 < 2 else set()
        alike = {"chance": place % 8 < 4, "wholly": True}[money]
        judge |= {"money"} if (place % 4 < 2) == alike else set()
        run = {"run": "judge-a", "question": "misaligned", "choices": sorted(judge)}
        by = {"annotator": "ana", "question": "misaligned", "choices": sorted(human)}
        lines.append(run_line(f"r{place:02}", verdicts=[run], labels=[by]))
    return make_study(folder, lines, [HARMS])


@pytest.mark.parametrize("words", [paragraph, summary])
def test_a_judge_that_fails_on_one_of_several_choices_is_said_to(tmp_path: Path, words: Any) -> None:
    fails = "Agreement beyond chance is not shown on “money”, whose interval reaches to 0 or below: on this evidence"
    assert fails in told(harms(tmp_path / "fails", "chance"), words)
    assert "cannot stand" not in told(harms(tmp_path / "good", "wholly"), words)


def scored(folder: Path, add: int) -> Study:
    lines = [
        run_line(
            f"r{place:02}",
            verdicts=[{"run": "judge-a", "question": "misaligned", "score": (place * add) % 11}],
            labels=[{"annotator": "ana", "question": "misaligned", "score": place % 11}],
        )
        for place in range(44)
    ]
    return make_study(folder, lines, [SKILL])


@pytest.mark.parametrize("words", [paragraph, summary])
def test_a_judge_whose_scores_rank_by_chance_is_said_to_fail(tmp_path: Path, words: Any) -> None:
    assert "cannot stand for human labels" in told(scored(tmp_path / "fails", 4), words)
    assert "cannot stand for human labels" not in told(scored(tmp_path / "good", 1), words)


def test_a_figure_without_an_interval_says_so_once(tmp_path: Path) -> None:
    lines = [
        run_line(
            f"r{place:02}",
            verdicts=[{"run": "judge-a", "question": "misaligned", "score": place % 11}],
            labels=[{"annotator": "ana", "question": "misaligned", "score": (place + place % 3) % 11}],
            group=f"g{place // 2}",
        )
        for place in range(44)
    ]
    study = make_study(tmp_path / "s", lines, [SKILL])
    words = said(study)
    assert words.count("without an interval") == 1 and "(no interval)" not in words
    note = told(study, lambda subject, documents: design_note(subject, documents["about"]))
    assert "they may be too narrow" not in note and "Some figures stand without an interval, because" in note


def test_what_figures_would_read_unweighted_is_of_the_figure_that_is_quoted(tmp_path: Path) -> None:
    steps = ("none", "some", "much")
    lines = [
        run_line(f"r{place:02}", verdicts=[{"run": "judge-a", "question": "severity", "choice": steps[min(place % 5, 2)]}])
        for place in range(60)
    ]
    study = make_study(tmp_path / "ordinal", lines, [SEVERITY])
    draw_batch(study, 30, by="judge-a", question="severity")
    with Sitting(study, "ana") as sitting:
        sitting.label_all({f"r{place:02}": steps[(place + (place % 7 == 0)) % 3] for place in range(60)})
    note = told(study, lambda subject, documents: design_note(subject, documents["about"]))
    assert "(every item counted alike, linearly weighted kappa would read " in note

    verdicts = [None if place % 12 == 0 else ("aligned", "misaligned")[place % 4 == 1] for place in range(60)]
    made = make_study(tmp_path / "strict", [run_line(f"r{at:02}", verdicts=[verdict(each)]) for at, each in enumerate(verdicts)])
    draw_batch(made, 30, by="judge-a")
    with Sitting(made, "ana") as sitting:
        sitting.label_all({f"r{place:02}": ("aligned", "misaligned")[place % 3 == 1] for place in range(60)})
    note = told(made, lambda subject, documents: design_note(subject, documents["about"]))
    assert re.search(r"\(over readable verdicts, unweighted, kappa would read \S+ and sensitivity \S+; weighted they are ", note)
