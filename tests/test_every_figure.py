"""What the agreement document carries beside kappa: by default, with `--all`, by choice and over labels; and how it is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.lead import figures as page
from data.tallies import Excluded, PairTally, QuestionTally
from reports.agreement import kappa, sensitivity
from reports.document import agreement_document
from reports.notes import leaning
from reports.pair_figures import macro
from reports.terminal import agreement_text
from tests.conftest import Run
from tests.study_maker import label, make_study, numbered, verdict
from tests.test_agree_document import BINARY, ESTIMATE_KEYS, Counts, pair, question, stratified

DEFAULT = {"kappa", "observed_agreement", "sensitivity", "specificity", "ac1", "prevalence_index", "bias_index"}
OTHERS = {"expected_agreement", "kappa_standard_error", "scott_pi", "pabak", "mcc"}
OF_BINARY = {"precision", "npv", "f1", "balanced_accuracy"}
THREE = ((9, 1, 0), (2, 7, 1), (0, 1, 18))


def document_of(asked: QuestionTally, everything: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = agreement_document("s", [asked], everything)["questions"][0]
    return found


def estimates(figures: dict[str, Any]) -> set[str]:
    return {name for name, figure in figures.items() if isinstance(figure, dict) and list(figure) == ESTIMATE_KEYS}


def three(type_: str, *pairs: PairTally) -> QuestionTally:
    return question(*(pairs or (pair(THREE),)), type=type_, choices=("low", "mid", "high"), positive=None)


def labels(*tables: Counts, unreadable: tuple[int, int] = (0, 0)) -> QuestionTally:
    by_label = {f"label {k}": pair(table, unreadable=unreadable) for k, table in enumerate(tables)}
    n = sum(map(sum, tables[0]))
    judged = pair((), unreadable=(), excluded=Excluded(error=sum(unreadable)), groups=n, by_label=by_label)
    return question(judged, type="multilabel", choices=tuple(by_label), positive=None)


def test_where_prevalence_and_bias_lie_is_told_by_default() -> None:
    found = document_of(question(pair()))["pairs"][0]
    assert estimates(found) == DEFAULT
    assert found["prevalence_index"]["value"] == (23 - 30) / 60 and found["bias_index"]["value"] == (4 - 3) / 60


def test_all_adds_every_other_figure_and_changes_none() -> None:
    for type_, more in (("binary", OTHERS | OF_BINARY), ("nominal", OTHERS), ("ordinal", OTHERS | {"ac2_linear", "ac2_quadratic"})):
        asked = question(pair(unreadable=(1, 2))) if type_ == "binary" else three(type_, pair(THREE, unreadable=(1, 0, 2)))
        default, everything = document_of(asked)["pairs"][0], document_of(asked, everything=True)["pairs"][0]
        assert {name: everything[name] for name in default} == default
        added = estimates(everything) - estimates(default)
        assert {name for name in added if not name.endswith("_strict")} == more, type_
        assert {name for name in added if name.endswith("_strict")} == {
            "binary": {"specificity_strict"},
            "nominal": set(),
            "ordinal": {"kappa_linear_strict", "kappa_quadratic_strict"},
        }[type_]


def test_mcnemars_test_is_told_with_all_and_undefined_where_items_are_no_independent_draws() -> None:
    found = document_of(question(pair(((30, 12), (3, 15)))), everything=True)["pairs"][0]["mcnemar"]
    assert (found["only_first"], found["only_second"]) == (3, 12)  # first is the human side
    assert found["exact"]["value"] == 0.03515625 and found["midp"]["value"] == 0.021270751953125
    weighted = document_of(question(stratified()), everything=True)["pairs"][0]["mcnemar"]
    assert weighted["exact"]["value"] is None and "one by one" in weighted["exact"]["reason"]
    nobody = document_of(question(pair(((30, 0), (0, 15)))), everything=True)["pairs"][0]["mcnemar"]
    assert nobody["midp"]["value"] is None and "no item on which the two differ" in nobody["midp"]["reason"]


@pytest.mark.parametrize("type_", ["nominal", "ordinal"])
def test_more_than_two_choices_have_figures_each(type_: str) -> None:
    found = document_of(three(type_))["pairs"][0]["by_choice"]
    assert list(found) == ["low", "mid", "high"]
    assert all(list(figures) == ["sensitivity", "precision", "specific_agreement"] for figures in found.values())
    assert found["mid"]["sensitivity"] == sensitivity(THREE, 1).as_json()
    assert found["mid"]["precision"]["value"] == 7 / 9 and found["mid"]["specific_agreement"]["value"] == 14 / 19
    assert "by_choice" not in document_of(question(pair()))["pairs"][0]


def test_the_macro_mean_leaves_out_what_is_undefined_and_says_how_much() -> None:
    found = document_of(labels(((40, 3), (4, 13)), ((50, 2), (3, 5)), ((60, 0), (0, 0))))["pairs"][0]["macro"]
    parts = [kappa(((40, 3), (4, 13))), kappa(((50, 2), (3, 5)))]
    assert found["kappa"]["value"] == pytest.approx(sum(part.value or 0 for part in parts) / 2)
    assert found["kappa"]["low"] == pytest.approx(sum(part.low or 0 for part in parts) / 2)
    assert (found["kappa"]["labels"], found["kappa"]["left_out"]) == (2, 1)
    assert (found["observed_agreement"]["labels"], found["observed_agreement"]["left_out"]) == (3, 0)
    assert found["kappa"]["n"] == 60 and set(found) == DEFAULT


def test_a_macro_mean_of_nothing_is_undefined_and_one_without_an_end_has_no_interval() -> None:
    nothing = {"kappa": {"value": None, "low": None, "high": None, "n": 0, "method": "", "reason": "why"}}
    value_alone = {"kappa": {"value": 0.5, "low": None, "high": None, "n": 9, "method": "", "reason": "one group"}}
    assert macro([nothing, nothing], 9)["kappa"]["value"] is None and macro([nothing], 9)["kappa"]["reason"]
    found = macro([nothing, value_alone], 9)["kappa"]
    assert (found["value"], found["low"], found["reason"], found["left_out"]) == (0.5, None, "one group", 1)


def test_a_strict_macro_mean_takes_readable_figures_of_labels_without_an_unreadable_verdict() -> None:
    strict, plain = {"value": 0.4, "low": 0.2, "high": 0.6, "reason": ""}, {"value": 0.8, "low": 0.6, "high": 0.9, "reason": ""}
    assert macro([{"kappa": plain, "kappa_strict": strict}, {"kappa": plain}], 9)["kappa_strict"]["value"] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (((30, 20), (1, 40)), "The judge over-calls misaligned: it says so of 20.9 in 100 items more than the humans"),
        (((30, 1), (20, 40)), "The judge under-calls misaligned: it says so of 20.9 in 100 items fewer than the humans"),
        (((30, 4), (4, 23)), "The judge says misaligned as often as the humans"),
    ],
)
def test_the_text_says_which_way_the_bias_points(table: Counts, said: str) -> None:
    text = " ".join(agreement_text(agreement_document("s", [question(pair(table))])).split())
    assert said in text and "chance alone" not in text


def test_a_bias_that_chance_explains_is_said_to_be_one() -> None:
    figures = document_of(question(pair()))["pairs"][0]
    assert "chance alone may do that" in leaning(figures, "misaligned")
    assert leaning({"bias_index": {"value": None}}, "x") == leaning({}, "x") == ""
    no_ends = {"bias_index": {"value": 0.25, "low": None, "high": None}}
    assert leaning(no_ends, "x") == "The judge over-calls x: it says so of 25.0 in 100 items more than the humans."
    below = leaning({"bias_index": {"value": -0.01, "low": -0.0504, "high": -0.0001}}, "x")
    assert below.endswith("than the humans [−5.0, 0.0].")


def test_the_text_of_all_tells_every_figure_with_its_method() -> None:
    text = agreement_text(agreement_document("s", [question(pair())], everything=True))
    for name in ("PABAK", "Scott's pi", "MCC", "NPV", "F1", "balanced accuracy", "chance agreement", "kappa's std. error"):
        assert f"\n  {name}" in text, name
    told = " ".join(text.split())
    assert "3 by the humans only, 4 by the judge only; exact p 1, mid-p 0.727" in told
    assert "F1: wilson of TP/(TP+FP+FN)" in told and "2,000 replicates of the table + 4" in told
    assert "no interval" not in told


def test_the_text_of_choices_and_labels_has_their_rows() -> None:
    ordinal = agreement_text(agreement_document("s", [three("ordinal")]))
    rows = [line.split()[:3] for line in ordinal.splitlines() if line.startswith(("  low ", "  mid ", "  high "))]
    assert ["mid", "10", "0.70"] in rows
    many = tuple(tuple(9 if i == j else 0 for j in range(13)) for i in range(13))
    text = agreement_text(
        agreement_document("s", [question(pair(many), type="nominal", choices=tuple(map(str, range(13))), positive=None)])
    )
    assert "Figures of each of the 13 choices are in --json." in text
    multilabel = agreement_text(agreement_document("s", [labels(((40, 3), (4, 13)), ((60, 0), (0, 0)))]))
    assert "macro mean" in multilabel and "left out of the macro mean: kappa 1, sensitivity 1" in " ".join(multilabel.split())


def test_the_page_draws_indices_on_a_scale_of_their_own_and_every_text_of_a_study_as_text() -> None:
    found = document_of(question(pair(BINARY)))["pairs"][0]
    html = page.figures_table(found)
    assert html.index("Gwet’s AC1") < html.index("−1 to 1") < html.index("prevalence index") < html.index("bias index")
    hostile = "<img src=x onerror=alert(1)>"
    asked = question(pair(THREE), type="nominal", choices=(hostile, "b", "c"), positive=None)
    drawn = page.choices_table(document_of(asked)["pairs"][0]["by_choice"])
    assert "<img" not in drawn and "specific agreement" in drawn and drawn.count("<tr>") == 4
    assert "Labels without the figure" in page.macro_table(document_of(labels(BINARY, ((60, 0), (0, 0))))["pairs"][0]["macro"])


def test_agree_all_prints_and_writes_every_figure(run: Run, tmp_path: Path) -> None:
    lines = numbered(
        20,
        labels=[label("ana", "aligned")],
        verdicts=[
            verdict("misaligned"),
        ],
    )
    for line in lines[:12]:
        line["verdicts"] = [verdict("aligned")]
    for line in lines[15:]:
        line["labels"] = [label("ana", "misaligned")]
    folder = make_study(tmp_path / "study", lines).folder
    default, everything = (json.loads(run("agree", "--json", *more, "--study", folder).stdout) for more in ((), ("--all",)))
    pairs = [document["questions"][0]["pairs"][0] for document in (default, everything)]
    assert "mcc" not in pairs[0] and pairs[1]["mcc"]["value"] == pytest.approx(0.7, abs=0.1)
    assert default["questions"][0]["positive"] == "misaligned"
    told = run("agree", "--all", "--study", folder)
    assert told.returncode == 0 and "balanced accuracy" in told.stdout
    assert "balanced accuracy" not in run("agree", "--study", folder).stdout
