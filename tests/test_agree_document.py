"""The JSON of `rejudge agree` and the text made from it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.tallies import Excluded, PairTally, QuestionTally, StratumMissing, StratumTally
from reports.document import agreement_document
from reports.matrix import matrix_lines
from reports.terminal import agreement_text
from reports.width import columns, fit, left, right, shown

Counts = tuple[tuple[int, ...], ...]
BINARY = ((30, 4), (3, 23))
ESTIMATE_KEYS = ["value", "low", "high", "n", "method", "reason"]

same_every_time = settings(derandomize=True, max_examples=100, deadline=None)


def pair(
    confusion: Counts = BINARY,
    *,
    rows: str = "human:consensus",
    columns: str = "judge:judge-a",
    unreadable: tuple[int, ...] | None = None,
    excluded: Excluded | None = None,
    design: str = "simple",
    groups: int | None = None,
    codebooks: Mapping[str, int] | None = None,
    **more: Any,
) -> PairTally:
    unreadable = unreadable or (0,) * len(confusion)
    return PairTally(
        rows,
        columns,
        confusion,
        unreadable,
        excluded or Excluded(error=sum(unreadable)),
        design,
        sum(map(sum, confusion)) if groups is None else groups,
        codebooks or {},
        **more,
    )


def stratified(**more: Any) -> PairTally:
    """A hundred of each verdict, of 1,000 and 9,000: 81 raw, 60 weighted."""
    strata = (
        StratumTally("judge-a: aligned", 9000, 102, 100, ((90, 0), (10, 0)), (0, 0), 0),
        StratumTally("judge-a: misaligned", 1000, 115, 100, ((0, 9), (0, 91)), (0, 0), 1),
    )
    return pair(((90, 9), (10, 91)), design="stratified:judge-a", weighted=True, strata=strata, **more)


def question(
    *pairs: PairTally,
    type: str = "binary",
    choices: tuple[str, ...] = ("aligned", "misaligned"),
    positive: int | None = 1,
    humans: tuple[PairTally, ...] = (),
    votes: Mapping[tuple[int, ...], int] | None = None,
    **more: Any,
) -> QuestionTally:
    return QuestionTally("misaligned", type, choices, positive, pairs, humans, votes or {}, **more)


def only_pair(*args: Any, **kwargs: Any) -> dict[str, Any]:
    document = agreement_document("s", [question(pair(*args, **kwargs))])
    found: dict[str, Any] = document["questions"][0]["pairs"][0]
    return found


def text_of(*questions: QuestionTally, width: int = 100) -> str:
    return agreement_text(agreement_document("toxic-proactivity", questions), width)


def test_the_document_has_the_keys_of_the_design_in_their_order() -> None:
    humans = (pair(rows="human:ana", columns="human:ben"),)
    document = agreement_document("s", [question(pair(), humans=humans, votes={(2, 0): 5, (1, 1): 2})])
    assert list(document) == ["study", "questions"]
    asked = document["questions"][0]
    assert list(asked) == ["id", "type", "choices", "positive", "pairs", "human_human"]
    assert list(asked["human_human"]) == ["krippendorff_alpha", "pairs"]
    expected = ["rows", "columns", "n", "excluded", "confusion", "observed_agreement", "kappa"]
    expected += ["sensitivity", "specificity", "ac1", "prevalence_index", "bias_index"]
    expected += ["design", "weighted", "groups", "marks"]
    assert list(asked["pairs"][0]) == list(asked["human_human"]["pairs"][0]) == expected
    assert list(asked["pairs"][0]["excluded"]) == ["missing", "skipped", "unsure", "tie", "error"]
    assert list(asked["pairs"][0]["kappa"]) == ESTIMATE_KEYS


def test_the_figures_of_the_example_in_the_design_are_met() -> None:
    found = only_pair()
    assert found["n"] == 60 and found["confusion"] == [[30, 4], [3, 23]]
    assert found["observed_agreement"]["value"] == pytest.approx(0.8833, abs=5e-5)
    assert found["observed_agreement"]["low"] == pytest.approx(0.7782, abs=5e-5)
    assert found["observed_agreement"]["high"] == pytest.approx(0.9423, abs=5e-5)
    assert found["kappa"]["value"] == pytest.approx(0.7635, abs=5e-5)
    assert found["kappa"]["low"] == pytest.approx(0.5432, abs=5e-5)
    assert found["kappa"]["high"] == pytest.approx(0.8876, abs=5e-5)
    assert found["sensitivity"]["value"] == 23 / 26  # the second choice is the positive one
    assert found["weighted"] is False


def test_each_question_type_has_its_own_figures_and_no_others() -> None:
    three = ((9, 1, 0), (2, 7, 1), (0, 1, 8))
    for type_, present, absent in (
        ("nominal", {"kappa", "ac1"}, {"kappa_linear", "sensitivity"}),
        ("ordinal", {"kappa", "kappa_linear", "kappa_quadratic"}, {"sensitivity", "specificity"}),
    ):
        asked = question(pair(three), type=type_, choices=("a", "b", "c"), positive=None)
        document = agreement_document("s", [asked])["questions"][0]
        assert present <= document["pairs"][0].keys()
        assert not absent & document["pairs"][0].keys()
        alpha = document["human_human"]["krippendorff_alpha"]
        assert alpha["method"].startswith(type_) and alpha["value"] is None and alpha["reason"]


def test_strict_figures_appear_exactly_when_a_verdict_is_unreadable() -> None:
    strict = {"kappa_strict", "observed_agreement_strict", "sensitivity_strict", "headline"}
    assert not strict & only_pair().keys()
    with_error = only_pair(unreadable=(0, 1))
    assert strict <= with_error.keys()
    assert with_error["n"] == 60 and with_error["kappa_strict"]["n"] == 61
    assert with_error["kappa_strict"]["value"] < with_error["kappa"]["value"]


@pytest.mark.parametrize(("unreadable", "headline"), [(2, "readable"), (3, "strict")])
def test_the_headline_turns_strict_above_two_percent(unreadable: int, headline: str) -> None:
    found = only_pair(((50, 10), (8, 30)), unreadable=(unreadable, 0))
    assert found["headline"] == headline  # 2 of 100 are 2 %, 3 of 101 are more


def test_codebook_versions_are_told_only_where_they_are_mixed() -> None:
    assert "codebooks" not in only_pair(codebooks={"a1": 60})
    assert only_pair(codebooks={"a1": 40, "b2": 20})["codebooks"] == {"a1": 40, "b2": 20}


def test_a_pair_without_a_common_item_is_kept_with_nulls_and_reasons() -> None:
    found = only_pair(((0, 0), (0, 0)), excluded=Excluded(missing=7))
    assert found["n"] == 0 and found["excluded"]["missing"] == 7
    for key in ("observed_agreement", "kappa", "sensitivity", "specificity", "ac1"):
        assert found[key]["value"] is found[key]["low"] is found[key]["high"] is None
        assert found[key]["reason"]


def test_the_document_is_json_without_nan_and_without_rounding() -> None:
    asked = question(pair(), pair(((0, 0), (0, 9))), pair(unreadable=(2, 2)), votes={(3, 0): 4, (1, 2): 5})
    document = agreement_document("s", [asked])
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["questions"][0]["pairs"][0]["observed_agreement"]["value"] == 53 / 60


def test_counts_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="unreadable"):
        only_pair(unreadable=(1, 0), excluded=Excluded(error=3))
    with pytest.raises(ValueError, match="positive"):
        agreement_document("s", [question(pair(), positive=None)])
    with pytest.raises(ValueError, match="essay"):
        agreement_document("s", [question(type="essay")])


def test_a_weighted_pair_carries_counts_shares_strata_and_figures_of_the_frame() -> None:
    missing = (StratumMissing("judge-a: aligned", 102, 1, 1), StratumMissing("judge-a: misaligned", 115, 11, 4))
    document = agreement_document("s", [question(stratified(), missing=missing, outside_frame=12)])
    asked, found = document["questions"][0], document["questions"][0]["pairs"][0]
    assert found["design"] == "stratified:judge-a" and found["weighted"] is True
    assert found["confusion"] == [[90, 9], [10, 91]] and found["n"] == 200
    assert found["confusion_weighted"] == [[pytest.approx(0.81), pytest.approx(0.009)], [pytest.approx(0.09), pytest.approx(0.091)]]
    assert round(found["kappa"]["value"], 2) == 0.60 and round(found["sensitivity"]["value"], 2) == 0.50
    assert found["strata"][1] == {"name": "judge-a: misaligned", "frame": 1000, "drawn": 115, "finished": 100, "missing": 15}
    assert asked["missing"][1]["share"] == pytest.approx(15 / 115) and asked["outside_frame"] == 12
    assert found["marks"] == ["more-than-10-percent-missing"]
    assert "confusion_weighted" not in only_pair() and "strata" not in only_pair()


def test_marks_name_what_makes_a_figure_preliminary() -> None:
    assert only_pair()["marks"] == []
    assert only_pair(((10, 2), (1, 16)))["marks"] == ["fewer-than-30-items"]
    assert only_pair(groups=9)["marks"] == ["fewer-than-10-groups"]
    assert only_pair(((3, 1), (1, 3)))["marks"] == ["fewer-than-30-items"]  # eight items alone are no eight groups


def test_a_multilabel_pair_has_figures_by_label_and_no_confusion() -> None:
    labels = {"lies": pair(((40, 3), (4, 13))), "hides": pair(((50, 3), (4, 3)), unreadable=(2, 1))}
    judged = pair((), unreadable=(), excluded=Excluded(error=3, unsure=1), groups=60, by_label=labels)
    asked = question(judged, type="multilabel", choices=("lies", "hides"), positive=None, units={(1, 1): 9, (1, 3): 4, (0, 0): 20})
    document = agreement_document("s", [asked])["questions"][0]
    found = document["pairs"][0]
    assert found["n"] == 60 and "confusion" not in found and "kappa" not in found
    assert list(found["by_label"]) == ["lies", "hides"]
    assert found["by_label"]["lies"]["kappa"] == only_pair(((40, 3), (4, 13)))["kappa"]
    assert found["by_label"]["lies"]["sensitivity"]["value"] == 13 / 17
    assert "kappa_strict" in found["by_label"]["hides"] and "kappa_strict" not in found["by_label"]["lies"]
    assert document["human_human"]["krippendorff_alpha"]["method"].startswith("MASI")
    text = text_of(asked)
    assert "lies" in text and "hides" in text and "strict: kappa" in text and "MASI, 33 items" in text


def test_the_choices_of_one_pair_never_look_alike_for_want_of_room() -> None:
    labels = {f"a choice with a long name {k}": pair(((40, 3), (4, 13))) for k in range(2)}
    judged = pair((), unreadable=(), groups=60, by_label=labels, rows="human:ana")
    text = text_of(question(judged, type="multilabel", choices=tuple(labels), positive=None))
    rows = [line[:20].rstrip() for line in text.splitlines() if line.startswith("    a choice")]
    assert len(rows) == 2 and "\n  ana\n" in text


def test_a_score_pair_has_a_rank_correlation_and_the_figures_at_its_threshold() -> None:
    scores = {(0, float(k), float(k + k % 3)): 2 for k in range(20)}
    judged = pair((), unreadable=(), groups=40, scores=scores, at_threshold=pair(((19, 3), (2, 16))))
    asked = question(judged, type="score", choices=(), positive=None, units={(1.0, 2.0): 9, (5.0, 5.0): 30})
    found = agreement_document("s", [asked])["questions"][0]["pairs"][0]
    assert found["n"] == 40 and found["spearman"]["value"] > 0.9 and "confusion" not in found
    assert found["at_threshold"]["confusion"] == [[19, 3], [2, 16]]
    text = text_of(asked)
    assert "Spearman" in text and "at the threshold" in text and "at or above" in text and "interval, 39 items" in text


def test_the_text_tells_the_design_the_strata_and_how_the_intervals_were_made() -> None:
    missing = (StratumMissing("judge-a: misaligned", 115, 11, 4),)
    contents = {((0, 0, 0, 9), (0, 1, 0, 1), (1, 1, 1, 9)): 10, ((1, 0, 1, 9), (1, 1, 1, 1)): 1}
    shown_pair = stratified(groups=11, clusters=contents, single=40)
    text = " ".join(text_of(question(shown_pair, missing=missing, outside_frame=7)).split())
    assert "by verdict of judge-a" in text and "weighted to the frame of 10,000 items" in text
    assert "judge-a: misaligned 1,000 115 100 15" in text
    assert "More than 10 % of a stratum's drawn items" in text
    assert "200 items lie in 11 groups; the intervals allow for" in text and "too narrow" not in text
    assert "consensus on 40 of 200 items is one person's label" in text
    assert "7 items came in after the last draw" in text
    assert "Intervals by: " in text and "post-stratified" in text and "cluster-robust" in text


def test_every_figure_of_a_table_has_its_interval_below_it() -> None:
    lines = text_of(question(pair(rows="human:ana"))).splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("  ana"))
    assert lines[place].count("0.") == lines[place + 1].count("[") == 5


def test_the_text_tells_kappa_with_its_interval_n_and_what_was_left_out() -> None:
    text = text_of(question(pair(excluded=Excluded(unsure=2, tie=1))))
    assert "Human consensus against judge-a" in text and "n = 60" in text
    assert "0.76 [0.54, 0.89]" in text
    assert "left out: 2 unsure, 1 tied" in text
    assert "skipped" not in text and "preliminary" not in text and "strict" not in text


def test_the_text_says_preliminary_and_as_imported_where_it_is_so() -> None:
    text = text_of(question(pair(((10, 2), (1, 16)), design="imported")))
    assert "(preliminary: fewer than 30 items)" in text and "as imported" in text
    assert "preliminary" not in text_of(question(pair(((10, 2), (1, 17)))))


def test_strict_figures_stand_beside_the_readable_ones() -> None:
    text = text_of(question(pair(unreadable=(4, 4))))
    kappa_line = next(line for line in text.splitlines() if line.strip().startswith("kappa"))
    assert kappa_line.count("[") == 2
    assert "Quote the strict figures: 11.8 % of the verdicts are unreadable." in text
    assert "Quote" not in text_of(question(pair(unreadable=(1, 0))))


def test_an_undefined_figure_is_printed_with_its_reason() -> None:
    text = text_of(question(pair(((0, 0), (0, 40)), rows="human:ana")))
    assert "kappa undefined: both sides gave one and the same choice" in text
    nothing = text_of(question(pair(((0, 0), (0, 0)))))
    assert "undefined: no item has an answer on both sides" in nothing
    assert "nan" not in text + nothing and "None" not in text + nothing


def test_groups_and_mixed_codebooks_are_not_kept_from_the_reader() -> None:
    text = text_of(question(pair(groups=12, codebooks={"aaaaaaaaaaaa": 40, "bbbbbbbbbbbb": 20})))
    assert "12 groups" in text and "too narrow" in text
    assert "40 under aaaaaaaa, 20 under bbbbbbbb" in text
    assert "groups" not in text_of(question(pair()))


def test_single_annotators_and_humans_among_themselves_have_rows() -> None:
    judged = (pair(), pair(rows="human:ana"), pair(rows="human:ben"))
    humans = (pair(rows="human:ana", columns="human:ben"),)
    text = text_of(question(*judged, humans=humans, votes={(2, 0): 30, (1, 1): 5, (0, 2): 20}))
    rows = [line.split()[0] for line in text.splitlines() if line.startswith("  ") and "0.76" in line]
    assert rows == ["kappa", "ana", "ben", "ana"]
    assert "ana – ben" in text
    assert "Krippendorff's alpha" in text and "(nominal, 55 items with two or more labels)" in text


def test_every_run_has_its_own_block() -> None:
    text = text_of(question(pair(), pair(columns="judge:strict-v2")))
    assert text.count("Human consensus against") == 2 and text.count("┌") == 2


def test_nothing_to_show_is_explained_in_words() -> None:
    assert "no question" in text_of()
    assert "no item has both a verdict and a label" in text_of(question())
    only_humans = text_of(question(votes={(2, 0): 5, (0, 2): 5}))
    assert "no labelled item has a verdict" in only_humans


def test_the_matrix_draws_counts_shades_and_margins() -> None:
    drawn = matrix_lines(["no", "yes"], [[90, 10], [20, 20]], 60)
    assert len({columns(line) for line in drawn if "│" in line}) == 1
    first, second = (line for line in drawn if "│" in line)
    assert first.split() == ["no", "│", "█", "90", "│", "░", "10", "│", "100"]
    assert second.split() == ["yes", "│", "▒", "20", "│", "▒", "20", "│", "40"]
    assert drawn[-1].split() == ["110", "30", "140"]


def test_an_empty_cell_is_blank_and_a_single_item_is_not() -> None:
    first = matrix_lines(["no", "yes"], [[1000, 1], [0, 0]], 60)[3]
    assert "█  1000" in first and "░     1" in first
    assert not set("░▒▓█") & set(matrix_lines(["no", "yes"], [[1000, 1], [0, 0]], 60)[5])


def test_names_that_would_be_cut_alike_are_numbered() -> None:
    names = ["a very long common beginning, one", "a very long common beginning, two"]
    drawn = "\n".join(matrix_lines(names, [[1, 2], [3, 4]], 50))
    assert "1 a very" in drawn and "2 a very" in drawn


def test_a_matrix_that_cannot_fit_is_said_to_be_too_wide() -> None:
    size = 40
    table = tuple(tuple(int(i == j) for j in range(size)) for i in range(size))
    assert matrix_lines([str(k) for k in range(size)], table, 90) == []
    asked = question(pair(table), type="nominal", choices=tuple(map(str, range(size))), positive=None)
    assert "too wide to draw" in text_of(asked)


def test_wide_and_combining_characters_keep_their_columns() -> None:
    assert columns("深刻") == 4 and columns("e\u0301") == 1
    assert fit("深刻な被害", 6) == "深刻…" and columns(left("深刻な被害", 6)) == 6
    assert right("害", 4) == "  害"


def test_a_name_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in shown("\x1b[31mred") and "\u202e" not in shown("\u202egnp")
    text = text_of(question(pair(columns="judge:\x1b[2Jgone\nnext")))
    assert "\x1b" not in text and "gone\nnext" not in text


@same_every_time
@given(
    st.integers(2, 8).flatmap(
        lambda size: st.tuples(
            st.lists(st.text(min_size=1, max_size=30), min_size=size, max_size=size, unique=True),
            st.lists(st.lists(st.integers(0, 10**6), min_size=size, max_size=size), min_size=size, max_size=size),
        )
    ),
    st.text(min_size=1, max_size=60),
    st.integers(60, 100),
)
def test_no_line_is_wider_than_asked_whatever_the_names(drawn: tuple[list[str], list[list[int]]], rater: str, width: int) -> None:
    names, table = drawn
    counts = tuple(map(tuple, table))
    pairs = (
        pair(counts, columns=f"judge:{rater}", unreadable=(3,) * len(counts)),
        pair(counts, rows=f"human:{rater}", columns=f"judge:{rater}", design="imported", groups=3),
    )
    strata = tuple(StratumTally(f"{rater}: {name}", 10**9, 10**9, 10**9, counts) for name in names[:2])
    drawn_by = pair(counts, columns=f"judge:{rater}", design=f"stratified:{rater}", weighted=True, strata=strata)
    asked = question(drawn_by, type="ordinal", choices=tuple(names), positive=None)
    assert max(map(columns, text_of(asked, width=width).split("\n"))) <= width
    asked = question(*pairs, type="ordinal", choices=tuple(names), positive=None)
    lines = text_of(asked, width=width).split("\n")
    assert max(map(columns, lines)) <= width
    boxes = [line for line in lines if "│" in line]
    assert not boxes or len({columns(line.partition("│")[0]) for line in boxes}) == 1
