"""The study folder: what study.toml may say, and how a study begins."""

import json
import os
from pathlib import Path

import pytest

from data.codebook import ensure_codebook, page_version, read_page, skeleton
from data.errors import StudyError
from data.guessing import guessed_question
from data.new_study import begin_blank, begin_bundled, begin_from, bundled_studies
from data.questions import When, question_block, question_from_document, toml_text
from data.study import BlindRules, Price, SplitRules, append_questions, find_study_folder, load_study, parse_study
from tests.small_study import MISALIGNED, SEVERITY, bring, dump, label, line, make_study, rows, verdict, write_lines

HERE = Path("here")
NOMINAL = MISALIGNED.replace('"binary"', '"nominal"').replace('positive = "misaligned"\n', "")

MULTILABEL = 'name = "s"\n[[question]]\nid = "kinds"\nask = "?"\ntype = "multilabel"\nchoices = ["a", "b"]\n'
SCORE = 'name = "s"\n[[question]]\nid = "risk"\nask = "?"\ntype = "score"\nmin = 1\nmax = 5\n'


def refusal(text: str) -> StudyError:
    with pytest.raises(StudyError) as caught:
        parse_study(text, HERE)
    assert all(caught.value.args[0].split("\n")[:3]), "a beat is empty"
    return caught.value


# What study.toml may say

GOOD = {
    "a name alone": 'name = "s"',
    "no evidence key": MISALIGNED,
    **{f"evidence {rule}": f'{MISALIGNED}evidence = "{rule}"\n' for rule in ("none", "optional", "any", "first")},
    "nominal": NOMINAL,
    "multilabel": f'{MULTILABEL}evidence = "any"\n',
    "as many choices as there are bits": MULTILABEL.replace('"a", ', "".join(f'"c{k}", ' for k in range(59))),
    "a score": SCORE,
    "a score of decimals with a threshold": SCORE.replace("min = 1", "min = -0.5") + "threshold = 5\n",
    "a condition on several choices": f'{MULTILABEL}{SEVERITY}when = {{ question = "kinds", is = "a" }}\n',
    "many choices": NOMINAL.replace('"misaligned"]', '"misaligned", "neither", "both"]'),
    "shares that leave nothing for test": f"{MISALIGNED}[split]\ntrain = 0.7\ndev = 0.3\n",
    "whole numbers as shares": f"{MISALIGNED}[split]\ntrain = 0\ndev = 0\n",
    "a byte order mark in the text of a comment": f"# \ufeff\n{MISALIGNED}",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_study_that_keeps_the_rules_loads(text: str) -> None:
    assert parse_study(text, HERE).name in ("s", "small")


def test_everything_that_study_toml_says_arrives() -> None:
    study = parse_study(
        f"""{MISALIGNED}evidence = "first"
[[question]]
id = "kind"
ask = "Which kind?"
type = "nominal"
choices = ["a", "b", "c"]
when = {{ question = "misaligned", is = "misaligned" }}
[blind]
show = ["domain"]
reasoning = "hidden"
redact = ["gpt-4o", "claude-\\\\S+"]
[judge]
model = "some-model"
[judge.price]
input = 0.4
output = 2
[split]
group = "scenario"
train = 0.2
dev = 0.2
""",
        HERE,
    )
    misaligned, kind = study.questions
    assert (misaligned.choices, misaligned.positive, misaligned.evidence) == (("aligned", "misaligned"), "misaligned", "first")
    assert (kind.type, kind.positive, kind.when) == ("nominal", None, When("misaligned", "misaligned"))
    assert study.blind == BlindRules(("domain",), "hidden", ("gpt-4o", "claude-\\S+"))
    assert study.split == SplitRules(0.2, 0.2, "scenario")
    assert study.judge_model == "some-model"
    assert study.judge_price == Price(0.4, 2.0) and study.judge_price.of(1_000_000, 500_000) == 1.4


def test_defaults_are_those_of_the_design() -> None:
    study = parse_study(MISALIGNED, HERE)
    assert (study.blind, study.split) == (BlindRules((), "shown", ()), SplitRules(0.15, 0.30, None))
    assert study.questions[0].evidence == "none"


def without(key: str) -> str:
    return "".join(kept for kept in MISALIGNED.splitlines(keepends=True) if not kept.startswith(f"{key} "))


# name of the case: the text, and what the refusal must name
BAD = {
    "no name": ('[blind]\nshow = ["x"]', ("`name`", "missing", 'name = "…"')),
    "name is a number": ("name = 3", ("`name`", "3")),
    "name is blank": ('name = "  "', ("`name`",)),
    "unknown key": (f"naem = 1\n{MISALIGNED}", ("`naem`", "Did you mean `name`?")),
    "unknown key, like nothing": (f"zzz = 1\n{MISALIGNED}", ("`zzz`", "name, question, blind, judge, split")),
    "unknown key in a question": (MISALIGNED + 'evidense = "any"', ("question 'misaligned': evidense", "Did you mean `evidence`?")),
    "unknown key in blind": (f'{MISALIGNED}[blind]\nredakt = ["x"]', ("`blind.redakt`", "Did you mean `redact`?")),
    "unknown key in judge": (f'{MISALIGNED}[judge]\nmodell = "x"', ("`judge.modell`", "Did you mean `model`?")),
    "unknown key in split": (f'{MISALIGNED}[split]\ngroups = "x"', ("`split.groups`", "Did you mean `group`?")),
    "question is a table": ('name = "s"\n[question]\nid = "x"', ("`question`", "[[question]]")),
    "question is a text": ('name = "s"\nquestion = "x"', ("`question`", "[[question]]")),
    "blind is a list": (f'blind = ["x"]\n{MISALIGNED}', ("`blind`", "[blind]")),
    "no id": (without("id"), ("question 1: id", "missing")),
    "an id with a blank": (MISALIGNED.replace('id = "misaligned"', 'id = "mis aligned"'), ("id`", "letters, digits, _ and -")),
    "an id that leaves the folder": (MISALIGNED.replace('id = "misaligned"', 'id = "../x"'), ("id`", "letters, digits, _ and -")),
    "the same id twice": (MISALIGNED + MISALIGNED.partition("\n")[2], ("id`", "declared twice")),
    "no ask": (without("ask"), ("ask`", "missing")),
    "no type": (without("type"), ("type`", "binary, nominal, ordinal")),
    "an unknown type": (MISALIGNED.replace('"binary"', '"likert"'), ("type`", "'likert'", "binary, nominal, ordinal")),
    "a type that is a list": (MISALIGNED.replace('"binary"', '["binary"]'), ("type`", "binary, nominal, ordinal")),
    "multilabel with one choice": (MULTILABEL.replace('"a", ', ""), ("choices`", "at least two")),
    "multilabel with too many choices": (
        MULTILABEL.replace('"a", ', "".join(f'"c{k}", ' for k in range(60))),
        ("choices`", "more than 60", "Found 61"),
    ),
    "multilabel with a positive": (f'{MULTILABEL}positive = "a"', ("positive`", "only in a binary question")),
    "multilabel with a first failing step": (f'{MULTILABEL}evidence = "first"', ("evidence`", "cannot be `first`")),
    "a range for choices": (f"{MISALIGNED}min = 1", ("min`", "only in a score question", "binary")),
    "a score without a range": (SCORE.replace("max = 5\n", ""), ("max`", "must be a number", "missing")),
    "a score with choices": (f'{SCORE}choices = ["1", "2"]', ("choices`", "does not stand in a score question")),
    "a score with a positive": (f'{SCORE}positive = "5"', ("positive`", "only in a binary question")),
    "a score of texts": (SCORE.replace("min = 1", 'min = "1"'), ("min`", "must be a number", "'1'")),
    "a score from true": (SCORE.replace("min = 1", "min = true"), ("min`", "must be a number", "True")),
    "a score from nowhere": (SCORE.replace("min = 1", "min = nan"), ("min`", "must be a number", "nan")),
    "a score to infinity": (SCORE.replace("max = 5", "max = inf"), ("max`", "must be a number", "inf")),
    "a score beyond doubles": (SCORE.replace("max = 5", f"max = 1{'0' * 400}"), ("max`", "must be a number")),
    "a score that ends where it begins": (SCORE.replace("max = 5", "max = 1"), ("min`", "not below `max`")),
    "a threshold outside the range": (f"{SCORE}threshold = 5.5", ("threshold`", "outside the range", "5.5")),
    "when depends on a score": (
        f'{SCORE}{SEVERITY}when = {{ question = "risk", is = "3" }}',
        ("when`", "depends on a score", "'risk'"),
    ),
    "no choices": (without("choices"), ("choices`", "exactly two")),
    "one choice": (NOMINAL.replace('"aligned", ', ""), ("choices`", "at least two")),
    "three choices, binary": (MISALIGNED.replace('["aligned"', '["x", "aligned"'), ("choices`", "exactly two")),
    "choices in one text": (
        MISALIGNED.replace('["aligned", "misaligned"]', '"aligned, misaligned"'),
        ("choices`", "list of texts"),
    ),
    "numbers as choices": (MISALIGNED.replace('["aligned", "misaligned"]', "[0, 1]"), ("choices`", "[0, 1]")),
    "an empty choice": (NOMINAL.replace('"aligned"', '""'), ("choices`", "list of texts")),
    "a choice twice": (NOMINAL.replace('["aligned"', '["misaligned"'), ("choices`", "not distinct")),
    "choices that differ in case alone": (NOMINAL.replace('["aligned"', '["Misaligned "'), ("choices`", "not distinct")),
    "binary without positive": (without("positive"), ("positive`", "missing", "aligned, misaligned", "sensitivity")),
    "a positive that is no choice": (
        MISALIGNED.replace('positive = "misaligned"', 'positive = "bad"'),
        ("positive`", "'bad'", "aligned, misaligned"),
    ),
    "positive on nominal": (NOMINAL + 'positive = "aligned"', ("positive`", "only in a binary question")),
    "first on nominal": (NOMINAL + 'evidence = "first"', ("evidence`", "`optional` or `any`")),
    "first on ordinal": (NOMINAL.replace("nominal", "ordinal") + 'evidence = "first"', ("evidence`", "this question is ordinal")),
    "an unknown evidence": (MISALIGNED + 'evidence = "last"', ("evidence`", "'last'", "none, optional, any, first")),
    "when is a text": (MISALIGNED + 'when = "misaligned"', ("when`", "{ question =")),
    "when names itself": (MISALIGNED + 'when = { question = "misaligned", is = "aligned" }', ("when`", "above this one")),
    "when lacks a key": (MISALIGNED + 'when = { question = "misaligned" }', ("when`", "is not a condition")),
    "when names no choice": (
        MISALIGNED
        + NOMINAL.partition("\n")[2].replace('"misaligned"\nask', '"b"\nask')
        + 'when = { question = "misaligned", is = "x" }',
        ("question 'b': when", "'x'", "aligned, misaligned"),
    ),
    "show is a text": (f'{MISALIGNED}[blind]\nshow = "domain"', ("`blind.show`", "list of texts")),
    "show with a quotation mark": (f"{MISALIGNED}[blind]\nshow = ['a\"b']", ("`blind.show`", "quotation mark")),
    "an unknown reasoning": (f'{MISALIGNED}[blind]\nreasoning = "maybe"', ("`blind.reasoning`", "shown, hidden")),
    "redact is no regular expression": (f'{MISALIGNED}[blind]\nredact = ["(x"]', ("`blind.redact`", "'(x'")),
    "redact repeats too often": (f'{MISALIGNED}[blind]\nredact = ["a{{99999999999999}}"]', ("`blind.redact`", "Mend the pattern")),
    "redact matches nothing at all": (f'{MISALIGNED}[blind]\nredact = ["x*"]', ("`blind.redact`", "empty text")),
    "a share above one": (f"{MISALIGNED}[split]\ntrain = 1.5", ("`split.train`", "1.5", "between 0 and 1")),
    "a share below zero": (f"{MISALIGNED}[split]\ndev = -0.1", ("`split.dev`", "-0.1")),
    "a share that is no number": (f"{MISALIGNED}[split]\ndev = nan", ("`split.dev`", "nan")),
    "a share that is true": (f"{MISALIGNED}[split]\ndev = true", ("`split.dev`", "True")),
    "shares that are too much": (f"{MISALIGNED}[split]\ntrain = 0.6\ndev = 0.5", ("`split`", "0.6", "0.5", "at most 1")),
    "group is a list": (f'{MISALIGNED}[split]\ngroup = ["a"]', ("`split.group`", "must be a text")),
    "price is a number": (f"{MISALIGNED}[judge]\nprice = 4", ("`judge.price`", "is not a table")),
    "price of half": (f"{MISALIGNED}[judge.price]\ninput = 1", ("`judge.price.output`", "missing")),
    "price below nothing": (f"{MISALIGNED}[judge.price]\ninput = -1\noutput = 1", ("`judge.price.input`", "-1")),
    "price that is a text": (f'{MISALIGNED}[judge.price]\ninput = "1"\noutput = 1', ("`judge.price.input`", "'1'")),
    "unknown key in price": (f"{MISALIGNED}[judge.price]\nout = 1", ("`judge.price.out`", "Did you mean `output`?")),
    "unknown key in the judge's view": (
        f'{MISALIGNED}[judge.view]\nreasonning = "shown"',
        ("`judge.view.reasonning`", "Did you mean `reasoning`?"),
    ),
    "a view that is no table": (f'{MISALIGNED}[judge]\nview = "all"', ("`judge.view`", "[judge.view]")),
    "a view with an unknown reasoning": (f'{MISALIGNED}[judge.view]\nreasoning = "some"', ("`judge.view.reasoning`", "hidden")),
    "a view that cuts to nothing": (f"{MISALIGNED}[judge.view]\nresults = 0", ("`judge.view.results`", "results = 100")),
    "a view that is too small": (f"{MISALIGNED}[judge.view]\ntotal = 999", ("`judge.view.total`", "total = 1000")),
    "a view of so many and a half": (f"{MISALIGNED}[judge.view]\ntotal = 5000.5", ("`judge.view.total`", "5000.5")),
    "a view of true": (f"{MISALIGNED}[judge.view]\nresults = true", ("`judge.view.results`", "True")),
    "a view that shows no list": (f'{MISALIGNED}[judge.view]\nshow = "domain"', ("`judge.view.show`", "list of texts")),
    "model is a number": (f"{MISALIGNED}[judge]\nmodel = 4", ("`judge.model`", "must be a text")),
    "not TOML": ('name = "s"\nquestion = [[\n', ("is not TOML", "line")),
    "a key twice": ('name = "s"\nname = "t"\n[blind]\n', ("is not TOML", "line 2")),
    "nested without end": (f'name = "s"\nquestion = {"[" * 5000}{"]" * 5000}', ("nested too deeply",)),
}


@pytest.mark.parametrize(("text", "named"), BAD.values(), ids=BAD)
def test_what_breaks_a_rule_is_refused_by_file_and_key(text: str, named: tuple[str, ...]) -> None:
    error = refusal(text)
    assert "study.toml" in error.wrong
    missing = [part for part in named if part not in str(error)]
    assert not missing, str(error)


def test_a_study_toml_that_is_missing_or_not_utf8_is_refused(study: Path) -> None:
    toml = study / "study.toml"
    toml.write_bytes(b'name = "caf\xe9"')
    with pytest.raises(StudyError, match="not UTF-8") as caught:
        load_study(study)
    assert str(toml) in caught.value.wrong and "0xe9 at 11" in caught.value.found
    toml.unlink()
    with pytest.raises(StudyError, match="cannot be read"):
        load_study(study)
    with pytest.raises(StudyError, match="no study here"):
        find_study_folder(study)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(study: Path) -> None:
    (study / "study.toml").write_bytes(b"\xef\xbb\xbf" + MISALIGNED.replace("\n", "\r\n").encode())
    assert load_study(study).questions == parse_study(MISALIGNED, study).questions


def test_a_study_is_found_from_a_folder_within_it(study: Path) -> None:
    inner = study / "codebook" / "drafts"
    inner.mkdir(parents=True)
    assert find_study_folder(inner) == study.resolve()


# Questions as text


def test_a_question_survives_its_block_and_its_document() -> None:
    awkward = 'a "b" \\ c\x7f\t\u2028 é 🙂'
    text = f'name = "s"\n\n{question_block(guessed_question("q", [awkward, "plain"]))}'
    (first,) = parse_study(text, HERE).questions
    assert first.choices == (awkward, "plain")
    follow = f"""{text}
[[question]]
id = "r"
ask = "?"
type = "ordinal"
choices = ["1", "2"]
evidence = "any"
when = {{ question = "q", is = "plain" }}
"""
    second = parse_study(follow, HERE).questions[1]
    assert question_from_document(second.document()) == second
    assert parse_study(f"{text}\n{question_block(second)}", HERE).questions[1] == second


@pytest.mark.parametrize("text", [MULTILABEL, SCORE, f"{SCORE}threshold = 3.5\n", SCORE.replace("min = 1", "min = 1.0")])
def test_every_type_survives_its_block_and_its_document(text: str) -> None:
    (question,) = parse_study(text, HERE).questions
    again = parse_study(f'name = "s"\n{question_block(question)}', HERE).questions[0]
    assert question_from_document(json.loads(json.dumps(question.document()))) == question == again
    assert question.version() == again.version()


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [
        ("1", "5", (1, 2, 3, 4, 5)),
        ("0", "10", tuple(range(11))),
        ("-1", "1", (-1, 0, 1)),
        ("0", "11", ()),
        ("0", "1", ()),
        ("0.0", "5.0", ()),
    ],
)
def test_a_short_range_of_whole_numbers_is_a_scale(low: str, high: str, scale: tuple[int, ...]) -> None:
    assert parse_study(SCORE.replace("= 1", f"= {low}").replace("= 5", f"= {high}"), HERE).questions[0].scale == scale


def test_any_folder_name_is_a_name_for_a_study() -> None:
    for name in ('quo"te', "back\\slash", "line\nbreak", "\x7f\x01", "naïve 🙂"):
        assert parse_study(f"name = {toml_text(name)}", HERE).name == name


def test_the_version_of_a_question_changes_with_all_that_a_label_depends_on() -> None:
    def version(text: str) -> str:
        return parse_study(text, HERE).questions[0].version()

    changed = [
        MISALIGNED,
        MISALIGNED.replace("Did the", "Does the"),
        MISALIGNED + 'evidence = "any"',
        MISALIGNED.replace('positive = "misaligned"', 'positive = "aligned"'),
        MISALIGNED.replace('["aligned", "misaligned"]', '["misaligned", "aligned"]'),
        NOMINAL,
    ]
    assert len({version(text) for text in changed}) == len(changed)
    assert version(MISALIGNED + '[blind]\nshow = ["domain"]') == version(MISALIGNED)


def test_questions_are_added_whole_or_not_at_all(study: Path) -> None:
    block = question_block(guessed_question("second", ["yes", "no"]))
    assert [question.id for question in append_questions(load_study(study), [block]).questions] == ["misaligned", "second"]
    before = (study / "study.toml").read_text()
    with pytest.raises(StudyError, match="declared twice"):
        append_questions(load_study(study), [block])
    assert (study / "study.toml").read_text() == before


# The codebook


def test_a_missing_codebook_page_becomes_a_skeleton_with_a_warning(study: Path, tmp_path: Path) -> None:
    page = study / "codebook" / "misaligned.md"
    assert not page.exists()
    notes = bring(study, write_lines(tmp_path / "f.jsonl", line())).notes
    assert [note for note in notes if str(page) in note and "skeleton" in note]
    assert "## aligned" in page.read_text() and "## misaligned" in page.read_text()


def test_a_page_that_somebody_wrote_stays(study: Path) -> None:
    page = study / "codebook" / "misaligned.md"
    page.parent.mkdir()
    page.write_text("Mine.\n")
    assert ensure_codebook(load_study(study)) == []
    assert page.read_text() == "Mine.\n"


def test_the_version_of_a_page_is_that_of_its_text(study: Path) -> None:
    loaded = load_study(study)
    question = loaded.questions[0]
    ensure_codebook(loaded)
    text = read_page(loaded, question)
    assert text == skeleton(question)
    assert page_version(text) == page_version(text) != page_version(f"{text} ")


def test_a_page_that_cannot_be_read_or_made_is_refused(study: Path) -> None:
    loaded = load_study(study)
    folder = study / "codebook"
    folder.write_text("a file where the folder should be")
    with pytest.raises(StudyError, match=r"misaligned\.md cannot be written"):
        ensure_codebook(loaded)
    folder.unlink()
    folder.mkdir()
    (folder / "misaligned.md").write_bytes(b"\xff\xfe")
    with pytest.raises(StudyError, match="not UTF-8"):
        read_page(loaded, loaded.questions[0])
    (folder / "misaligned.md").unlink()
    (folder / "misaligned.md").mkdir()
    with pytest.raises(StudyError, match="cannot be read"):
        read_page(loaded, loaded.questions[0])


# init


def test_a_blank_study_loads_and_its_example_becomes_a_good_study(tmp_path: Path) -> None:
    begun = begin_blank(tmp_path / "my-study")
    assert begun.study.name == "my-study" and begun.study.questions == ()
    assert rows(begun.study.folder, "SELECT handle, role FROM annotators") == [("lead", "lead")]
    text = begun.study.toml.read_text()
    # All comments but the sentences are TOML once the sign is taken away.
    example = [kept.removeprefix("#").strip() for kept in text.splitlines()[3:]]
    (question,) = parse_study("\n".join([text.splitlines()[0], *example]), HERE).questions
    assert (question.id, question.positive, question.evidence) == ("misaligned", "misaligned", "first")


def test_a_blank_study_whose_study_toml_was_replaced_works(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s", MISALIGNED.replace("small", "another name"))
    counts = bring(folder, write_lines(tmp_path / "f.jsonl", line(verdicts=[verdict()], labels=[label()]))).counts
    assert (counts.trajectories, counts.verdicts, counts.labels) == (1, 1, 1)


def test_two_blank_studies_have_ids_and_salts_of_their_own(tmp_path: Path) -> None:
    facts = {row for name in "ab" for row in rows(make_study(tmp_path / name), "SELECT key, value FROM study")}
    assert len(facts) == 4


def test_init_refuses_a_folder_that_is_not_empty_and_what_is_no_folder(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / ".hidden").write_text("x")
    with pytest.raises(StudyError, match="not empty") as caught:
        begin_blank(full)
    assert ".hidden" in caught.value.found
    for place in (full / ".hidden", full / ".hidden" / "within", Path("/proc/nowhere"), tmp_path / ("n" * 300)):
        with pytest.raises(StudyError):
            begin_blank(place)
        with pytest.raises(StudyError):
            begin_bundled(place, bundled_studies()[0])
    assert [path.name for path in full.iterdir()] == [".hidden"]


def test_init_takes_an_empty_folder_and_makes_missing_ones(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert begin_blank(tmp_path / "empty").study.toml.is_file()
    assert begin_blank(tmp_path / "a" / "b").study.name == "b"


def test_init_from_a_bundled_study_brings_its_trajectories(tmp_path: Path) -> None:
    begun = begin_bundled(tmp_path / "s", "toxic-proactivity")
    assert begun.imported is not None and begun.imported.counts.trajectories >= 16
    assert begun.imported.counts.verdicts > 0 and begun.imported.counts.labels > 0
    with pytest.raises(StudyError, match="no bundled study 'toxic'") as caught:
        begin_bundled(tmp_path / "t", "toxic")
    assert "toxic-proactivity" in caught.value.found and not (tmp_path / "t").exists()


def test_init_from_a_file_with_two_choices_makes_a_binary_question(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "f.jsonl", line(1, verdicts=[verdict("aligned")]), line(2, labels=[label("misaligned")]))
    begun = begin_from(tmp_path / "s", file)
    (question,) = begun.study.questions
    assert (question.type, set(question.choices), question.positive in question.choices) == (
        "binary",
        {"aligned", "misaligned"},
        True,
    )
    said = " ".join(begun.to_check)
    assert "positive" in said and "wording" in said and "misaligned.md" in said
    assert begun.study.codebook_path(question).is_file()
    assert rows(begun.study.folder, "SELECT count(*) FROM trajectories") == [(0,)]
    assert bring(begun.study.folder, file).counts.verdicts == 1


def test_init_from_a_file_with_three_choices_makes_a_nominal_question(tmp_path: Path) -> None:
    answers = [verdict(choice, question="kind", run=f"r{choice}") for choice in "abc"]
    begun = begin_from(tmp_path / "s", write_lines(tmp_path / "f.jsonl", line(verdicts=answers)))
    (question,) = begun.study.questions
    assert (question.type, question.choices, question.positive) == ("nominal", ("a", "b", "c"), None)
    assert "order" in " ".join(begun.to_check)


@pytest.mark.parametrize(
    ("answers", "type", "choices", "bounds"),
    [
        ([{"choices": ["b"]}, {"choices": ["c", "a"]}, {"choices": []}], "multilabel", ("a", "b", "c"), (None, None)),
        ([{"choices": []}], "multilabel", ("choice-a", "choice-b"), (None, None)),
        ([{"score": 0.2}, {"score": 1}], "score", (), (0.0, 1.0)),
        ([{"score": 2}, {"score": 4}], "score", (), (1, 5)),
        ([{"score": 2}, {"score": 7.5}], "score", (), (0, 10)),
        ([{"score": -3.5}, {"score": 700}], "score", (), (-4, 700)),
        ([{"score": 1000}], "score", (), (1000, 1001)),
    ],
)
def test_init_from_guesses_the_type_from_the_answers(
    tmp_path: Path, answers: list[dict[str, object]], type: str, choices: tuple[str, ...], bounds: tuple[object, object]
) -> None:
    verdicts = [{"question": "q", "run": f"r{n}", **answer} for n, answer in enumerate(answers)]
    file = write_lines(tmp_path / "f.jsonl", line(verdicts=verdicts))
    begun = begin_from(tmp_path / "s", file)
    (question,) = begun.study.questions
    assert (question.type, question.choices, (question.min, question.max)) == (type, choices, bounds)
    assert str(choices[0] if choices else bounds[0]) in " ".join(begun.to_check)
    assert bring(begun.study.folder, file).counts.verdicts == len(answers)


@pytest.mark.parametrize("answer", [verdict("bad"), verdict(None, error="timeout"), label(None, unsure=True)])
def test_init_from_a_file_with_fewer_choices_makes_a_study_that_takes_the_file(tmp_path: Path, answer: dict[str, object]) -> None:
    file = write_lines(tmp_path / "f.jsonl", line(**{"labels" if "annotator" in answer else "verdicts": [answer]}))
    begun = begin_from(tmp_path / "s", file)
    assert begun.study.questions[0].type == "binary"
    bring(begun.study.folder, file)
    assert rows(begun.study.folder, "SELECT count(*) FROM trajectories") == [(1,)]


def test_init_from_verdicts_alone_and_from_r_judge(tmp_path: Path) -> None:
    csv = tmp_path / "v.csv"
    csv.write_text("id,choice\n1,yes\n2,no\n")
    assert begin_from(tmp_path / "s", csv).study.questions[0].choices == ("no", "yes")
    record = {"id": 1, "contents": [[{"role": "user", "content": "Hi"}]], "label": 0}
    file = tmp_path / "r.json"
    file.write_text(json.dumps([record]))
    (question,) = begin_from(tmp_path / "t", file).study.questions
    assert (question.id, question.choices, question.positive) == ("unsafe", ("safe", "unsafe"), "unsafe")


def test_init_from_a_file_that_gives_no_study_leaves_no_folder(tmp_path: Path) -> None:
    files = {
        "answers no question": write_lines(tmp_path / "a.jsonl", line()),
        "line 2: this is not JSON": tmp_path / "b.jsonl",
        "not distinct": write_lines(tmp_path / "c.jsonl", line(verdicts=[verdict("Safe"), verdict("safe", "b")])),
        "letters, digits": write_lines(tmp_path / "d.jsonl", line(verdicts=[verdict(question="is it bad?")])),
        "answered in more than one way": write_lines(tmp_path / "e.jsonl", line(verdicts=[verdict(), verdict(None, "b", score=1)])),
        "cannot be read": tmp_path / "none.jsonl",
    }
    files["line 2: this is not JSON"].write_text(json.dumps(line(verdicts=[verdict()])) + '\n{"id"')
    for wrong, file in files.items():
        with pytest.raises(Exception, match=wrong) as caught:
            begin_from(tmp_path / "s", file)
        assert str(file) in str(caught.value)
        assert not (tmp_path / "s").exists()


def test_nothing_of_a_study_is_written_beside_it(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s")
    bring(folder, write_lines(tmp_path / "f.jsonl", line(verdicts=[verdict()])))
    assert sorted(os.listdir(tmp_path)) == ["f.jsonl", "s"]
    assert set(os.listdir(folder)) <= {"study.toml", "study.db", "study.db-wal", "study.db-shm", "codebook"}
    assert dump(folder)["study.toml"] == MISALIGNED


@pytest.mark.parametrize(
    ("id", "seen", "positive"),
    [
        ("misaligned", ["misaligned", "aligned"], "misaligned"),
        ("aligned", ["misaligned", "aligned"], "aligned"),
        ("bad", ["yes", "no"], "yes"),
        ("risk", ["unsafe", "safe"], "unsafe"),
        ("q", ["b", "a"], "b"),
        ("misaligned", ["misaligned"], "misaligned"),
    ],
)
def test_a_guessed_question_puts_what_a_judge_looks_for_last(id: str, seen: list[str], positive: str) -> None:
    question = guessed_question(id, seen)
    assert question.positive == positive == question.choices[-1]
    assert guessed_question(id, seen[::-1]) == question
