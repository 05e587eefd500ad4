"""`rejudge judge certify` and `compare` as a lead meets them: statuses, looks, what is on record, and what is written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import judge.certifying as certifying
from data.questions import Question
from data.store import Store
from data.store.people import ensure_person, first_lead
from data.store.test_looks import certified, spend
from data.study import Study
from data.verify import verify
from tests.conftest import Run
from tests.study_maker import MISALIGNED, Sitting, draw_batch, import_lines, make_study, numbered, run_line, verdict
from tests.two_prompts import CHOICES, ask, labelled_study, right_in, split_sizes, truth_of, two_prompts, with_salt

WORSE, BETTER = right_in(0.75, 1), right_in(0.95, 2)
TEST_ONLY = "[split]\ntrain = 0.1\ndev = 0.3\n"


def made(folder: Path, old: Any = WORSE, new: Any = BETTER, items: int = 300) -> Study:
    return two_prompts(folder, old, new, items, TEST_ONLY)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return made(tmp_path / "study")


@pytest.fixture
def certify(run: Run) -> Callable[..., Any]:
    return lambda study, *more: run("judge", "certify", "new", "--against", "old", *more, "--study", study.folder)


def looks(study: Study) -> int:
    with Store.open(study.database) as store:
        return len(certified(store, 1))


def rows(study: Study) -> list[Any]:
    with Store.open(study.database) as store:
        return store.conn.execute("SELECT kind, which, result FROM test_looks ORDER BY seq").fetchall()


def test_a_better_prompt_is_promoted_and_the_look_is_on_record(study: Study, certify: Any) -> None:
    done = certify(study)
    assert done.returncode == 0 and done.stdout.startswith("PROMOTE: ")
    assert "an improvement of kappa from 0.60 by 0.10 would be shown in" in done.stderr and "look 1 of 1" in done.stderr
    ((kind, which, result),) = rows(study)
    document = json.loads(which)
    assert (kind, result, document["looks"], document["look"]) == ("certify", "PROMOTE", 1, 1)
    with Store.open(study.database) as store:
        used = store.conn.execute(
            "SELECT count(*), count(DISTINCT t.split), min(t.split) FROM look_items i JOIN trajectories t ON t.n = i.trajectory"
        ).fetchone()
        assert used == (split_sizes(study)["test"], 1, "test") and verify(store) == []


def test_a_worse_prompt_is_rejected_with_3_and_an_equal_one_left_open_with_4(tmp_path: Path, certify: Any) -> None:
    assert certify(made(tmp_path / "worse", BETTER, WORSE)).returncode == 3
    open_ = certify(made(tmp_path / "open", right_in(0.85, 1), right_in(0.86, 2)))
    assert open_.returncode == 4 and open_.stdout.startswith("INCONCLUSIVE: ")
    assert "more test labels like these would show it with 80 % power" in open_.stdout


def test_the_same_verdicts_are_inconclusive_and_say_so(tmp_path: Path, certify: Any, run: Run) -> None:
    study = made(tmp_path / "study", WORSE, WORSE)
    same = run("judge", "certify", "old", "--against", "old", "--study", study.folder)
    assert same.returncode == 4 and "no verdict differs" in same.stdout and looks(study) == 0
    done = certify(study)
    assert done.returncode == 4 and "No verdict differs between the two" in done.stdout


def test_a_promotion_says_that_better_than_a_bad_judge_is_not_good(tmp_path: Path, certify: Any) -> None:
    bad = certify(made(tmp_path / "bad", right_in(0.2, 1), right_in(0.5, 2)))
    assert bad.stdout.startswith("PROMOTE: ") and "Better than OLD is not good: the interval of NEW’s own kappa" in bad.stdout
    (page,) = (tmp_path / "bad" / "reports").glob("*.md")
    assert "Better than OLD is not good" in page.read_text(encoding="utf-8")
    assert "is not good" not in certify(made(tmp_path / "good")).stdout


def test_a_look_beyond_the_declared_number_is_refused(study: Study, certify: Any) -> None:
    assert certify(study).returncode == 0
    refused = certify(study).refused()
    assert "used up" in refused[0] and str(split_sizes(study)["test"]) in refused[1]
    assert "new against old on 20" in refused[1] and ": PROMOTE)" in refused[1]
    assert "used up" in certify(study, "--looks", "3").refused()[0] and looks(study) == 1


def test_looks_are_declared_once_and_the_budget_is_that_of_the_items_not_of_the_names(study: Study, certify: Any, run: Run) -> None:
    assert "look 1 of 2" in certify(study, "--looks", "2").stderr
    assert "declared before the first" in certify(study, "--looks", "3").refused()[0]
    with Store.open(study.database) as store:
        (old,) = store.conn.execute("SELECT hash FROM prompts ORDER BY code LIMIT 1").fetchone()
    ask(study, "third", right_in(0.97, 5), old)
    second = run("judge", "certify", "third", "--against", "old", "--study", study.folder)
    assert "look 2 of 2" in second.stderr and second.returncode == 0
    assert [json.loads(which)["bounds"]["level"] for _, which, _ in rows(study)] == [0.025, 0.025]
    assert "used up" in run("judge", "certify", "third", "--against", "new", "--study", study.folder).refused()[0]


def test_fresh_test_items_can_be_certified_on_after_others_are_used_up(study: Study, certify: Any) -> None:
    certify(study)
    labels = [
        run_line(f"r{n}", labels=[{"annotator": "ana", "question": "misaligned", "choice": "aligned"}]) for n in range(900, 930)
    ]
    import_lines(study, labels, "few.jsonl")
    assert "used up" in certify(study).refused()[0]


def test_what_a_look_found_is_on_record_before_a_word_of_it_is_told(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    import judge.certify_command as command
    from rejudge import main

    def breaks_off(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_tell", breaks_off)
    assert main(["judge", "certify", "new", "--against", "old", "--study", str(study.folder)]) == 130
    assert looks(study) == 1 and rows(study)[0][2] == "PROMOTE"


def test_a_look_that_cannot_be_written_down_is_none(study: Study, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from rejudge import main

    def fails(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(certifying, "record_certification", fails)
    assert main(["judge", "certify", "new", "--against", "old", "--study", str(study.folder)]) == 1
    assert looks(study) == 0 and "PROMOTE" not in capsys.readouterr().out


def test_nobody_but_a_lead_looks(study: Study, certify: Any) -> None:
    with Store.open(study.database) as store:
        ensure_person(store, "ana", lead=False)
    assert "Only a lead" in certify(study, "--by", "ana").refused()[0] and looks(study) == 0


def test_a_spent_study_certifies_nothing(study: Study, certify: Any) -> None:
    with Store.open(study.database) as store:
        spend(store, first_lead(store))
    refused = certify(study).refused()
    assert "Nothing can be certified" in refused[0] and "lead opened dev and test" in refused[1]


def test_too_few_labels_are_refused_with_the_numbers_and_cost_no_look(tmp_path: Path, certify: Any) -> None:
    study = made(tmp_path / "study", items=60)
    refused = certify(study).refused()
    assert "at least 60 labelled items" in refused[0] and f"Found {split_sizes(study)['test']} test items" in refused[1]
    assert looks(study) == 0


def test_another_snapshot_of_the_server_is_warned_of(tmp_path: Path, certify: Any) -> None:
    study = labelled_study(tmp_path / "study", 300, TEST_ONLY)
    ask(study, "new", BETTER, ask(study, "old", WORSE, snapshots=["m-1", "m-2"]), snapshots=["m-3"])
    said = certify(study).stderr
    assert (
        "more than one snapshot while old was asked: m-1 (" in said
        and "another snapshot for new (m-3) than for old (m-1, m-2)" in said
    )
    assert "m-3" in next((study.folder / "reports").glob("*.md")).read_text()


def test_the_certificate_says_it_all_twice_in_one_wording(study: Study, certify: Any) -> None:
    certify(study)
    folder = study.folder / "reports"
    (markdown,), (html,) = folder.glob("certificate-misaligned-1-*.md"), folder.glob("certificate-misaligned-1-*.html")
    with Store.open(study.database) as store:
        hashes = [hash for (hash,) in store.conn.execute("SELECT hash FROM prompts UNION SELECT identity FROM judge_runs")]
    for path in (markdown, html):
        text = path.read_text(encoding="utf-8")
        assert "PROMOTE" in text and all(hash in text for hash in hashes) and "Look 1 of 1 declared" in text
        assert json.loads(rows(study)[0][1])["labels"] in text
    page = html.read_text(encoding="utf-8")
    assert "<script" not in page and "http" not in page.split("</style>")[1]


def test_what_a_lead_wrote_into_names_is_text_in_the_certificate(tmp_path: Path, run: Run) -> None:
    study = labelled_study(tmp_path / "study", 300, TEST_ONLY)
    ask(study, "<b>new", BETTER, ask(study, "old", WORSE))
    run("judge", "certify", "<b>new", "--against", "old", "--study", study.folder)
    assert "<b>new" not in next((study.folder / "reports").glob("*.html")).read_text()


def test_prompts_are_named_by_hash_as_well(study: Study, run: Run) -> None:
    with Store.open(study.database) as store:
        old, new = (hash for (hash,) in store.conn.execute("SELECT hash FROM prompts ORDER BY code"))
    done = run("judge", "compare", old[:10], new[:10], "--study", study.folder)
    assert "new agrees better with the humans than old" in done.stdout
    assert "neither a judge run nor a prompt" in run("judge", "compare", "old", "nothing", "--study", study.folder).refused()[0]
    ask(study, "old-2", WORSE, model="other")
    assert run("judge", "certify", "new", "--against", "abcdef12", "--study", study.folder).returncode == 1


def test_several_choices_are_compared_and_not_certified(tmp_path: Path, run: Run) -> None:
    kinds = Question("kinds", "Which?", "multilabel", ("deceit", "sabotage"), None)
    lines = numbered(40, verdicts=[{"run": name, "question": "kinds", "choices": ["deceit"]} for name in ("old", "new")])
    study = make_study(tmp_path / "study", lines, [kinds])
    refused = run("judge", "certify", "new", "--against", "old", "--study", study.folder).refused()
    assert "compared, not certified" in refused[0]


def test_a_question_is_named_where_both_answer_several(tmp_path: Path, run: Run) -> None:
    severity = Question("severity", "How bad?", "ordinal", ("none", "some", "much"), None)
    verdicts = [verdict("aligned", name) for name in ("old", "new")]
    verdicts += [{"run": name, "question": "severity", "choice": "some"} for name in ("old", "new")]
    study = make_study(tmp_path / "study", numbered(20, verdicts=verdicts), [MISALIGNED, severity])
    refused = run("judge", "certify", "new", "--against", "old", "--study", study.folder).refused()
    assert "misaligned, severity" in refused[1] and "--question" in refused[2]
    named = run("judge", "certify", "new", "--against", "old", "--question", "severity", "--study", study.folder).refused()
    assert "Too few" in named[0]


def test_compare_speaks_of_dev_alone_and_takes_no_look(study: Study, run: Run) -> None:
    document = json.loads(run("judge", "compare", "old", "new", "--json", "--study", study.folder).stdout)
    (question,) = document["questions"]
    sizes = split_sizes(study)
    assert question["pair"]["tables"][0]["comparison"]["n"] == sizes["dev"] and document["splits"] == ["dev"]
    assert sum(question["test"]) == sizes["test"] and looks(study) == 0
    said = run("judge", "compare", "old", "new", "--study", study.folder).stdout
    assert "McNemar" in said and "(accuracy)" in said and "only new" in said
    assert "To certify on test: With" in said and said.count("human") >= 2
    assert "nothing to compare" in run("judge", "compare", "old", "old", "--study", study.folder).refused()[0]


def test_compare_says_that_no_verdict_differs(tmp_path: Path, run: Run) -> None:
    study = made(tmp_path / "study", WORSE, WORSE)
    assert "No verdict differs between old and new" in run("judge", "compare", "old", "new", "--study", study.folder).stdout


def test_items_drawn_by_verdict_are_weighted_back_and_no_stratum_may_be_without_a_label(tmp_path: Path, certify: Any) -> None:
    study = with_salt(make_study(tmp_path / "study", rest="[split]\ntrain = 0.0\ndev = 0.3\n"))
    import_lines(study, [run_line(f"r{n}") for n in range(320)])
    ask(study, "new", BETTER, ask(study, "old", right_in(0.85, 3)))
    draw_batch(study, 120, split="test", by="old")
    with Sitting(study, "ana") as ana:
        wanted: dict[str, str | None] = {f"r{n}": CHOICES[truth_of(n)] for n in range(320)}
        for ref in ana.claim()[:1]:
            ana.label(ref)
        refused = certify(study).refused()
        assert "no label that could stand for it" in refused[0] and "no item of the stratum" in refused[1]
        ana.label_all(wanted)
    done = certify(study)
    assert done.returncode == 0 and "not finished" not in done.stderr
    text = next((study.folder / "reports").glob("*.md")).read_text()
    assert "stratified:old, re-weighted" in text and "post-stratified" in text and "(120" not in text
    with Store.open(study.database) as store:
        assert store.conn.execute("SELECT count(*) FROM look_items").fetchone() == (120,)
