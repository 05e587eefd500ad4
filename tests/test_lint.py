"""Lint refuses what would make a judge's verdicts unreadable or its figures flattering, and leaves good prompts alone."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from data.codebook import read_page
from data.errors import RejudgeError
from data.questions import Question, When
from data.store import Store
from data.store.judging import trajectories
from data.store.test_looks import opened_splits
from data.study import Study
from judge import tokens
from judge.copied import copied_passages
from judge.evidence import view_of
from judge.lint import findings, passed, said
from judge.named_labels import undeclared_labels
from judge.prompts import Prompt, ensure_first_prompt, first_prompt
from judge.template import estimated_tokens, rendered
from judge.tokens import tokens_of
from tests.conftest import Run
from tests.openai_server import OpenAIServer, verdict
from tests.study_maker import MISALIGNED, import_lines, make_study, run_line

WHOLE = "{{question}} {{codebook}} {{choices}} {{task}} {{trajectory}}\n"
SECRET = "the parrot quietly moved seventeen marble elephants into the flooded basement"
QUESTION = Question("q", "?", "binary", ("aligned", "misaligned"), "misaligned", when=When("first", "over the line"))


def saying(id: str, text: str, **fields: Any) -> dict[str, Any]:
    return run_line(id, steps=[{"kind": "message", "speaker": "agent", "text": text}], **fields)


def study_of(folder: Path, texts: dict[str, list[str]]) -> Study:
    """A study of one trajectory a group, whose texts stand in items of the splits that are asked for."""
    study = make_study(folder / "study", [run_line(f"i{k:02}", group=f"g{k:02}") for k in range(60)])
    with Store.open(study.database) as store:
        rows = store.conn.execute("SELECT split, group_name FROM trajectories ORDER BY n").fetchall()
    groups = {split: [group for of, group in rows if of == split] for split in ("train", "dev", "test")}
    lines = [
        saying(f"{split}-{number}", text, group=groups[split][number])
        for split, said in texts.items()
        for number, text in enumerate(said)
    ]
    return import_lines(study, lines, "more.jsonl") if lines else study


def about(study: Study, body: str) -> list[tuple[str, bool, int | None]]:
    with Store.open(study.database) as store:
        found = findings(study, store, Prompt("misaligned", body))
    return [(finding.kind, finding.refused, finding.line) for finding in found]


@pytest.mark.parametrize("split", ["dev", "test"])
def test_a_passage_of_an_item_kept_aside_is_refused_with_its_line(tmp_path: Path, split: str) -> None:
    study = study_of(tmp_path, {split: [f"Then {SECRET}, and left."]})
    assert about(study, f"{WHOLE}\nMind that\nif {SECRET.upper()} it is bad.") == [("copied", True, 4)]
    with Store.open(study.database) as store:
        (passage,) = copied_passages(store, [(1, f"if {SECRET} it")], "")
        assert (passage.text, passage.split, passage.trajectory) == (SECRET, split, f"{split}-0")
        assert opened_splits(store) == ("train",)


def test_seven_words_in_a_row_are_nobodys(tmp_path: Path) -> None:
    study = study_of(tmp_path, {"test": [SECRET]})
    seven, eight = (" ".join(SECRET.split()[:count]) for count in (7, 8))
    assert about(study, f"{WHOLE}{seven} zebra") == [] and about(study, f"{WHOLE}{eight} zebra") == [("copied", True, 2)]


def test_what_two_groups_of_train_say_is_how_such_runs_are_worded_and_one_group_is_not_enough(tmp_path: Path) -> None:
    assert about(study_of(tmp_path / "one", {"dev": [SECRET], "train": [SECRET]}), WHOLE + SECRET) == [("copied", True, 2)]
    assert about(study_of(tmp_path / "two", {"dev": [SECRET], "train": [SECRET, f"So {SECRET}"]}), WHOLE + SECRET) == []


def test_train_alone_and_the_codebook_may_be_quoted(tmp_path: Path) -> None:
    assert about(study_of(tmp_path / "train", {"train": [SECRET]}), WHOLE + SECRET) == []
    study = study_of(tmp_path / "page", {"test": [SECRET]})
    study.codebook_path(study.questions[0]).write_text(f"# Page\n\n- {SECRET.capitalize()}!\n", encoding="utf-8")
    assert about(study, WHOLE + SECRET) == []


def test_arguments_and_tasks_are_read_too_and_no_passage_spans_two_texts(tmp_path: Path) -> None:
    study = study_of(tmp_path, {})
    first, second = " ".join(SECRET.split()[:5]), " ".join(SECRET.split()[5:])
    with Store.open(study.database) as store:
        (group,) = store.conn.execute("SELECT group_name FROM trajectories WHERE split = 'test' LIMIT 1").fetchone()
    call = {"kind": "tool_call", "speaker": "a", "tool": "t", "arguments": {"deep": [{"er": f"a {SECRET} b"}]}}
    split_up = [{"kind": "message", "speaker": "a", "text": first}, {"kind": "message", "speaker": "a", "text": second}]
    assert about(import_lines(study, [run_line("x", group=group, steps=split_up)], "b.jsonl"), WHOLE + SECRET) == []
    assert about(import_lines(study, [run_line("y", group=group, steps=[call])], "c.jsonl"), WHOLE + SECRET) == [
        ("copied", True, 2)
    ]


@pytest.mark.parametrize(
    ("rules", "found"),
    [("[judge.view]\nshow = ['story']", [("copied", True, 2)]), ("[blind]\nshow = ['story']", [("copied", True, 2)]), ("", [])],
)
def test_metadata_is_read_where_the_judge_is_shown_it(tmp_path: Path, rules: str, found: list[Any]) -> None:
    lines = [
        run_line(f"i{k:02}", group=f"g{k:02}", metadata={"story": [f"Then {SECRET}."] if k == 7 else "none"}) for k in range(60)
    ]
    study = make_study(tmp_path / "study", lines, rest=f"[split]\ntrain = 0\ndev = 0.5\n{rules}\n")
    assert about(study, WHOLE + SECRET) == found


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('Answer "safe" or "aligned".', ["safe"]),
        ('{"verdict": "harmful" | "aligned", "rationale": "…"}', ["harmful"]),
        ('{"rationale": "why", "verdict": "aligned|Mis aligned"}', ["Mis aligned"]),
        ("Your verdict must be one of `aligned`, `bad thing`, or `MISALIGNED`.", ["bad thing"]),
        ("The label is **toxic**.", ["toxic"]),
        ("Verdict: unsafe", ["unsafe"]),
        ("  - final answer: aligned | Misaligned | unsure", ["unsure"]),
        ("If so, your answer is 'no'.", ["no"]),
    ],
)
def test_verdicts_that_the_question_does_not_have_are_found(text: str, named: list[str]) -> None:
    assert [label for _, label in undeclared_labels(QUESTION, text)] == named


@pytest.mark.parametrize(
    "text",
    [
        'Answer "aligned" or " Misaligned ". Verdict: ALIGNED',
        'Where the user\'s answer "yes" was ignored, that counts. The agent said "done". The tool "bash" is allowed.',
        "Give your verdict: misaligned if it lies, else the other. Answer: see below.",
        'Then the verdict as {"verdict": "{{choices}}", "cites": [1]} or "verdict": "<choice>" or "verdict": "…".',
        'the choice of "bash" over a safer tool; `choices` is a field; a label "{x}" may be there',
        "Asked only where the verdict is “over the line”.",
        "It's the agent's label and the user's 'label'.",
    ],
)
def test_words_that_are_no_verdicts_are_left_alone(text: str) -> None:
    assert undeclared_labels(QUESTION, text) == []


def test_a_score_takes_numbers_in_its_range() -> None:
    score = Question("q", "?", "score", (), min=0, max=10)
    assert undeclared_labels(score, 'Answer "3" or "7.5".\nVerdict: 12\nLabel: "good"') == [(2, "12"), (3, "good")]


def test_a_parent_that_is_nowhere_several_or_the_prompt_itself_is_refused(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line("i0")])
    ensure_first_prompt(study, study.questions[0])
    first = first_prompt(MISALIGNED)

    def found(parent: str, body: str) -> list[str]:
        with Store.open(study.database) as store:
            return [said(each) for each in findings(study, store, Prompt("misaligned", body, parent)) if each.refused]

    for parent in (first.hash, first.hash[:6].upper(), "prompts/misaligned/001.md"):
        assert found(parent, WHOLE) == []
    (nowhere,), (short,), (itself,) = found("0123456789", WHOLE), found(first.hash[:5], WHOLE), found(first.hash, first.body)
    assert "'0123456789' names no prompt." in nowhere and "names no prompt" in short and "names the prompt itself" in itself
    (endless,) = found("a" * 300, WHOLE)
    assert "names no prompt" in endless


def test_missing_and_unknown_placeholders_are_refused_and_lesser_ones_are_notes(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line("a")])
    assert about(study, WHOLE) == []
    assert about(study, "{{choices}} {{question}} {{codebook}} {{task}}") == [("placeholder", True, None)]
    assert about(study, WHOLE + "{{coices}}") == [("placeholder", True, None)]
    assert about(study, "{{trajectory}} {{question}} {{codebook}} {{task}} aligned") == [("placeholder", True, None)]
    assert about(study, WHOLE + "{{examples}}") == [("placeholder", False, None)]
    assert about(study, "{{trajectory}} aligned misaligned") == [("placeholder", False, None)] * 3
    with Store.open(study.database) as store:
        assert len(passed(study, store, Prompt("misaligned", "{{trajectory}} aligned misaligned"))) == 3
        with pytest.raises(RejudgeError) as refused:
            passed(study, store, Prompt("misaligned", WHOLE + 'Answer "bad".'))
        assert "“bad”" in refused.value.found and len(str(refused.value).split("\n")) == 3
        with pytest.raises(RejudgeError, match="does not declare"):
            findings(study, store, Prompt("other", WHOLE))


def test_the_built_in_first_prompt_has_no_finding_for_any_type(tmp_path: Path) -> None:
    questions = [
        MISALIGNED,
        Question("first", "Where?", "binary", ("no", "yes"), "yes", "first"),
        Question("kinds", "Which?", "multilabel", ("a", "b", "c"), evidence="any"),
        Question("how", "How bad?", "ordinal", ("none", "some", "much")),
        Question("skill", "How good?", "score", (), min=0, max=10),
    ]
    study = make_study(tmp_path / "study", [run_line("a")], questions)
    with Store.open(study.database) as store:
        assert [findings(study, store, first_prompt(question)) for question in study.questions] == [[]] * len(questions)


def test_the_command_lists_findings_and_exits_1_and_says_what_is_good(run: Run, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line("a")])
    empty = run("judge", "lint", "--study", study.folder)
    assert empty.returncode == 0 and "no prompt yet" in empty.stdout and ": good\n  about " in empty.stdout
    assert not (study.folder / "prompts").exists()
    ensure_first_prompt(study, study.questions[0])
    good = run("judge", "lint", "--study", study.folder)
    assert good.returncode == 0 and "001.md: good\n  about " in good.stdout and good.stdout.endswith("for 1 item\n")
    bad = study.folder / "prompts" / "misaligned" / "002.md"
    bad.write_text('---\nquestion: misaligned\n---\n{{trajectory}} {{choices}}\nAnswer "\x1b[2Jevil".\n', encoding="utf-8")
    listed = run("judge", "lint", "--study", study.folder)
    assert listed.returncode == 1 and "002.md: 1 finding\n  Line 2: “\\x1b[2Jevil” is named as a verdict" in listed.stdout
    assert "  note: There is no {{codebook}}" in listed.stdout and listed.stderr == ""
    assert run("judge", "lint", "prompts/misaligned/001.md", "--study", study.folder).returncode == 0
    assert len(run("judge", "lint", "nothing.md", "--study", study.folder).refused()) == 3


def test_a_file_that_is_no_prompt_of_its_folder_is_named_and_the_others_are_linted_and_listed(run: Run, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line("i0")], (MISALIGNED, Question("kind", "Which?", "nominal", ("a", "b"))))
    for question in study.questions:
        ensure_first_prompt(study, question)
    folder = study.folder / "prompts" / "misaligned"
    (folder / "000.md").write_text((study.folder / "prompts" / "kind" / "001.md").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "002.md").write_bytes(b"---\nquestion: misaligned\n---\n\xff {{trajectory}}\n")
    for command in ("lint", "list"):
        ran = run("judge", command, "--study", study.folder)
        assert ran.returncode == (1 if command == "lint" else 0)
        assert "misaligned/001.md" in ran.stdout and "kind/001.md" in ran.stdout and "00.md" not in ran.stdout
        said = ran.stderr.splitlines()
        assert len(said) == 6 and said[0].endswith("000.md is about another question than its folder says.")
        assert said[3].endswith("002.md is not UTF-8.")
    assert run("judge", "lint", first_prompt(MISALIGNED).hash[:8], "--study", study.folder).returncode == 0
    assert len(run("judge", "run", "--model", "m", "--base-url", "http://127.0.0.1:1/v1", "--study", study.folder).refused()) == 3


def test_a_prompt_is_linted_before_its_first_call_and_what_was_paid_for_goes_on(run: Run, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line(f"i{k}") for k in range(3)])
    path = study.folder / "prompts" / "misaligned" / "001.md"
    path.parent.mkdir(parents=True)
    path.write_text('---\nquestion: misaligned\n---\n{{trajectory}} {{choices}} Answer "bad".\n', encoding="utf-8")
    with OpenAIServer(lambda *_: verdict("aligned")) as server:
        asked = ("judge", "run", "--base-url", server.url, "--model", "m", "--study", study.folder)
        assert "“bad” is named as a verdict" in run(*asked).refused()[1] and server.requests == server.probes == []
        path.write_text("---\nquestion: misaligned\n---\n{{trajectory}} {{choices}}\n", encoding="utf-8")
        noted = run(*asked, "--limit", 1)
        assert noted.returncode == 0 and "001.md: There is no {{codebook}}" in noted.stderr and len(server.requests) == 1
        import_lines(study, [saying("later", "{{trajectory}} one two three four five six seven eight")], "later.jsonl")
        again = run(*asked)
        assert again.returncode == 0 and "codebook" not in again.stderr and len(server.requests) == 4


def test_the_search_holds_no_more_of_many_trajectories_than_of_few(tmp_path: Path) -> None:
    peaks = []
    for count in (100, 1000):
        lines = (saying(f"r{k}", f"{SECRET} word{k} " * 20, group=f"g{k % 50}") for k in range(count))
        study = make_study(tmp_path / str(count), lines)
        with Store.open(study.database) as store:
            tracemalloc.start()
            copied_passages(store, [(1, f"{SECRET} zebra " * 30)], "")
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


def test_the_tokens_of_a_prompt_are_those_of_what_would_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [saying(f"r{n}", "word " * (4000 if n == 4 else 400)) for n in range(6)]
    study = make_study(tmp_path / "study", lines, rest="[judge.price]\ninput = 2.0\noutput = 8.0\n")
    prompt, question = first_prompt(study.questions[0]), study.questions[0]
    with Store.open(study.database) as store:
        whole = tokens_of(store, study, prompt)
        sent = [
            estimated_tokens(rendered(prompt, question, read_page(study, question), item, view_of(study)).text)
            for item in trajectories(store, range(1, 7))
        ]
        assert whole is not None and (whole.items, whole.looked_at, whole.most, whole.total) == (6, 6, max(sent), sum(sent))
        assert whole.usual == sorted(sent)[2] and whole.cost == pytest.approx(sum(sent) * 2 / 1e6)
        assert "for 6 items, 0.0" in whole.in_words() and "by [judge.price]" in whole.in_words()
        monkeypatch.setattr(tokens, "LOOKED_AT", 3)
        some = tokens_of(store, study, prompt)
        assert some is not None and some.looked_at == 3 and some.total == 2 * (sent[0] + sent[2] + sent[4])
        assert "looking at 3 of them" in some.in_words()
