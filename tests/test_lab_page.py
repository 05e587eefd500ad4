"""The judge page, driven without a browser: prompts and their changes, runs and their cost, jobs, and what it never shows."""

import json
import os
import re
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import rejudge
from annotate import page
from annotate.lead import jobs, lab_actions
from annotate.lead.lab_arguments import address, environment, free_text
from annotate.lead.prompt_diff import counted, diff_html
from annotate.serving import Serving, begin
from data.errors import LeadRefused
from data.store import Store
from data.store.causes import assign_cause
from data.store.judging import Call, Reply, append_replies, ensure_run, run_named, run_totals
from data.store.people import Person, ensure_person, first_lead
from data.store.versions import record_versions
from data.study import Study, write_study_file
from judge.prompts import Prompt, ensure_first_prompt, next_path, prompts_in, read_prompt, record
from judge.tree import prompt_tree
from tests.study_maker import MISALIGNED, SEVERITY, import_lines, label, make_study, run_line
from tests.test_jobs import COMMAND, ended
from tests.test_lead_pages import html, words

A, M = "aligned", "misaligned"
HOSTILE = "<img src=x onerror=alert(1)> **bold** \u202eevil [a](http://evil.example/x)"
HALF = "[split]\ntrain = 0.3\ndev = 0.4\n"
Look = Callable[..., AppTest]


def lines(items: int) -> list[dict[str, Any]]:
    """Every second item misaligned, by an imported label."""
    return [run_line(f"item-{n:03}", labels=[label("ana", M if n % 2 else A)]) for n in range(items)]


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    return begin(make_study(tmp_path / "study", lines(60), (MISALIGNED, SEVERITY), HALF))


@pytest.fixture
def look(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Opens the page as somebody, at an address."""

    def look(**address: str) -> AppTest:
        with Store.open(serving.study.database) as store:
            lead = first_lead(store)
        monkeypatch.setattr(page, "signed_in", lambda _: lead)
        app = AppTest.from_file(str(page.file_of("judge")), default_timeout=60)
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return look


def two_prompts(study: Study) -> tuple[Prompt, Prompt]:
    """The built-in first one, and a child of it."""
    first = ensure_first_prompt(study, MISALIGNED)
    assert first is not None
    line = first.body.split("\n")[0]
    body = first.body.replace(line, f"{line} Judge with care.\nA new line. {HOSTILE}", 1)
    path = next_path(study, MISALIGNED.id)
    write_study_file(path, Prompt(MISALIGNED.id, body, first.hash[:10], "ana", f"care {HOSTILE}").text())
    return first, read_prompt(path)


def asked(study: Study, prompt: Prompt, name: str, wrong: Callable[[int], bool], cost: float | None = 0.001, **more: Any) -> None:
    """A run of a prompt over every item; `wrong`: on which it errs, by the item's place."""
    with Store.open(study.database) as store:
        question = record_versions(store, study)[0][0].code
        code = record(store, study, prompt, question)
        run, _ = ensure_run(store, name, "asked", code, {"model": "m-1", "prompt": prompt.hash, "name": name, **more}, {})
        numbers = store.conn.execute("SELECT n, id FROM trajectories ORDER BY n").fetchall()
        call = Call("m-1-2026", "json_schema", "{}", "stop", 100, 20, cost, 0.1)
        replies = [
            Reply(n, error="unreadable", rationale="hidden-rationale", call=call)
            if int(id[-3:]) == 7
            else Reply(n, choice=M if (int(id[-3:]) % 2 == 1) ^ wrong(int(id[-3:])) else A, rationale="hidden-rationale", call=call)
            for n, id in numbers
        ]
        append_replies(store, run.code, question, replies)


def nowhere(_: int) -> bool:
    return False


def components(app: AppTest) -> dict[str, Any]:
    found = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    return {data["handle"]: data for data in found}


def everything(app: AppTest) -> str:
    return html(app) + words(app) + "".join(component.proto.json for component in app.get("bidi_component"))


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return app


# Prompts --------------------------------------------------------------------------------------------------------------


def test_a_question_without_a_prompt_offers_the_built_in_one_and_writes_it_when_asked(serving: Serving, look: Look) -> None:
    app = look()
    assert "no prompt yet" in words(app)
    assert prompts_in(serving.study, MISALIGNED) == []
    press(app, "first-prompt")
    (prompt,) = prompts_in(serving.study, MISALIGNED)
    assert prompt.hash[:8] in components(app)["prompts"]["rows"][0][0]["text"]


def test_the_tree_shows_each_prompt_below_its_parent_with_author_note_hash_and_file(serving: Serving, look: Look) -> None:
    first, second = two_prompts(serving.study)
    app = look()
    rows = components(app)["prompts"]["rows"]
    assert [row[0]["pick"] for row in rows] == [first.hash, second.hash]
    assert [[cell["text"] for cell in row][1:3] for row in rows] == [["001.md", "rejudge"], ["002.md", "ana"]]
    assert "└" in rows[1][0]["text"] and second.hash[:8] in rows[1][0]["text"]
    assert [row[0]["on"] for row in rows] == [False, True]  # the newest one is chosen
    assert "⟨U+202E⟩" in rows[1][3]["text"]
    at_first = look(prompt=first.hash)
    assert [row[0]["on"] for row in components(at_first)["prompts"]["rows"]] == [True, False]


def test_a_parent_that_is_on_record_and_no_file_any_more_is_in_the_tree(serving: Serving) -> None:
    first, second = two_prompts(serving.study)
    asked(serving.study, first, "one", nowhere)
    assert first.path is not None
    first.path.unlink()
    with Store.open(serving.study.database) as store:
        nodes = prompt_tree(store, MISALIGNED, prompts_in(serving.study, MISALIGNED))
    assert [(node.hash, node.depth, [path.name for path in node.files]) for node in nodes] == [
        (first.hash, 0, []), (second.hash, 1, ["002.md"]),
    ]  # fmt: skip


def test_prompts_that_name_each_other_as_parent_are_shown_all_the_same(serving: Serving, look: Look) -> None:
    folder = serving.study.folder / "prompts" / MISALIGNED.id
    one, two = (Prompt(MISALIGNED.id, f"{n} {{{{trajectory}}}} {{{{choices}}}}") for n in "12")
    for name, prompt, parent in (("001.md", one, two), ("002.md", two, one)):
        write_study_file(folder / name, Prompt(prompt.question, prompt.body, parent.hash).text())
    assert len(components(look())["prompts"]["rows"]) == 2


def test_a_file_that_is_no_prompt_is_told_and_keeps_no_other_from_the_page(serving: Serving, look: Look) -> None:
    two_prompts(serving.study)
    write_study_file(serving.study.folder / "prompts" / MISALIGNED.id / "000.md", "no front matter")
    page = look()
    assert "has no front matter" in page.error[0].value
    assert len(components(page)["prompts"]["rows"]) == 2


def test_the_changes_to_its_parent_have_signs_and_obey_no_markup(serving: Serving, look: Look) -> None:
    two_prompts(serving.study)
    shown = html(look())
    assert 'data-rj="diff"' in shown
    assert '<span aria-hidden="true">+</span>' in shown and '<span aria-hidden="true">−</span>' in shown
    assert re.search("<ins>[^<]*with care[^<]*</ins>", shown)
    assert "<img" not in shown and "&lt;img src=x" in shown and "\u202e" not in shown


def test_a_difference_is_every_line_that_went_and_came_and_tells_what_it_leaves_out() -> None:
    old = "\n".join(f"line {n}" for n in range(30))
    new = old.replace("line 10", "line ten").replace("line 20\n", "")
    assert counted(old, new) == (1, 2)
    shown = diff_html(old, new)
    assert shown.count('class="rj-went"') == 2 and shown.count('class="rj-came"') == 1
    assert "7 lines as before" in shown and "Not a line differs" in diff_html(old, old)
    assert diff_html("<b>", "<i>").count("&lt;") == 2


def test_a_prompt_edited_by_hand_becomes_a_child_file_and_is_shown_first_as_a_difference(serving: Serving, look: Look) -> None:
    first, _ = two_prompts(serving.study)
    app = look(prompt=first.hash)
    app.segmented_control(key=f"view-{first.hash}").set_value("Edit").run()
    assert "Nothing is changed yet" in words(app)
    app.text_area(key=f"body-{first.hash}").set_value(f"{first.body}\nDoubt counts as aligned.").run()
    app.text_input(key=f"note-{first.hash}").set_value("doubt\u2028has a rule").run()
    assert "Doubt counts as aligned." in html(app)
    press(app, f"check-{first.hash}")
    assert "Nothing was found against it" in html(app)
    assert not (serving.study.folder / "prompts/misaligned/003.md").exists()
    press(app, f"save-{first.hash}")
    child = read_prompt(serving.study.folder / "prompts/misaligned/003.md")
    assert (child.parent, child.author, child.note) == (first.hash, "lead", "doubt has a rule")
    assert child.body == f"{first.body}\nDoubt counts as aligned."
    assert app.query_params["prompt"] == child.hash


def test_a_text_that_is_there_already_is_not_written_again(serving: Serving, look: Look) -> None:
    first, second = two_prompts(serving.study)
    app = look(prompt=first.hash)
    app.segmented_control(key=f"view-{first.hash}").set_value("Edit").run()
    app.text_area(key=f"body-{first.hash}").set_value(second.body).run()
    press(app, f"check-{first.hash}")
    press(app, f"save-{first.hash}")
    assert "there already, as 002\\.md" in words(app)
    assert len(prompts_in(serving.study, MISALIGNED)) == 2


def test_a_prompt_that_no_judge_would_be_asked_by_cannot_be_saved(serving: Serving, look: Look) -> None:
    first, _ = two_prompts(serving.study)
    app = look(prompt=first.hash)
    app.segmented_control(key=f"view-{first.hash}").set_value("Edit").run()
    app.text_area(key=f"body-{first.hash}").set_value("Say misaligned. {{unknown}}").run()
    press(app, f"check-{first.hash}")
    assert "to be mended" in html(app) and "unknown" in html(app)
    assert not [button for button in app.button if button.key == f"save-{first.hash}"]


# Runs and figures -----------------------------------------------------------------------------------------------------


def test_a_run_is_shown_with_its_model_verdicts_unreadable_tokens_and_cost(serving: Serving, look: Look) -> None:
    first, _ = two_prompts(serving.study)
    asked(serving.study, first, "first-run", lambda n: n % 5 == 0)
    told = words(look(prompt=first.hash))
    for words_of_it in ("first-run", "m-1", "answers as m-1-2026", "60", "1 (1.7 %)", "6,000", "1,200", "0.0600"):
        assert words_of_it in told, words_of_it
    with Store.open(serving.study.database) as store:
        (totals,) = run_totals(store).values()
    assert sum(totals.verdicts.values()) == 60 and sum(totals.unreadable.values()) == 1
    assert set(totals.verdicts) == {"train", "dev", "test"}


def test_a_run_without_a_price_has_no_cost_and_an_imported_one_no_tokens(serving: Serving) -> None:
    first, _ = two_prompts(serving.study)
    asked(serving.study, first, "first-run", nowhere, cost=None)
    with Store.open(serving.study.database) as store:
        (totals,) = run_totals(store).values()
    assert totals.cost is None and totals.tokens_in == 6000


def test_unreadable_replies_on_test_of_a_revised_prompt_are_not_counted_on_the_page(serving: Serving, look: Look) -> None:
    first, second = two_prompts(serving.study)
    asked(serving.study, first, "first-run", nowhere)
    asked(serving.study, second, "second-run", nowhere)
    with Store.open(serving.study.database) as store:
        split = store.conn.execute("SELECT split FROM trajectories WHERE id = 'item-007'").fetchone()[0]
        tested = store.conn.execute("SELECT count(*) FROM trajectories WHERE split = 'test'").fetchone()[0]
    told = words(look(prompt=second.hash))
    assert "unreadable, not of test" in told
    assert (f"1 ({100 / (60 - tested):.1f} %)" in told) == (split != "test")


def test_before_and_after_stand_beside_each_other_with_the_change_of_kappa(serving: Serving, look: Look) -> None:
    first, second = two_prompts(serving.study)
    asked(serving.study, first, "first-run", lambda n: n % 3 == 0)
    asked(serving.study, second, "second-run", lambda n: n % 9 == 0)
    shown = html(look())
    shown = shown[shown.index('data-rj="before-after"') :]
    assert "Before and after, on dev</h2>" in shown
    assert shown.count('data-rj="matrix"') == 2
    assert shown.index("first-run</th>") < shown.index("second-run</th>")
    assert 'data-rj="kappa-change">+0.' in shown


def test_a_later_try_at_one_item_hides_no_matrices(serving: Serving, look: Look) -> None:
    first, second = two_prompts(serving.study)
    asked(serving.study, first, "first-run", lambda n: n % 3 == 0)
    asked(serving.study, second, "second-run", lambda n: n % 9 == 0)
    with Store.open(serving.study.database) as store:
        question = record_versions(store, serving.study)[0][0].code
        code = record(store, serving.study, second, question)
        run, _ = ensure_run(store, "a-try", "asked", code, {"model": "m-2", "prompt": second.hash}, {})
        call = Call("m-2", "json_schema", "{}", "stop", 100, 20, None, 0.1)
        append_replies(store, run.code, question, [Reply(1, choice=A, call=call)])
    shown = html(look())
    assert "second-run</th>" in shown[shown.index('data-rj="before-after"') :]


def test_the_page_names_no_item_and_none_of_the_judges_words(serving: Serving, look: Look) -> None:
    first, second = two_prompts(serving.study)
    asked(serving.study, first, "first-run", lambda n: n % 3 == 0)
    asked(serving.study, second, "second-run", lambda n: n % 9 == 0)
    shown = everything(look())
    assert "item-0" not in shown and "hidden-rationale" not in shown
    with Store.open(serving.study.database) as store:
        assert store.conn.execute("SELECT count(*) FROM exposures").fetchone() == (0,)


# Jobs -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def door(serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A command that does what it is told to, in the place of `rejudge`."""
    (tmp_path / "door.py").write_text(COMMAND, encoding="utf-8")
    monkeypatch.setattr(jobs, "FRONT_DOOR", tmp_path / "door.py")
    return serving.study


def told_words(study: Study, number: int) -> list[str]:
    told = json.loads((jobs.folder_of(study) / f"{number:03}.out").read_text())
    words: list[str] = told["words"]
    return words


def test_asking_starts_the_command_with_what_was_typed_each_as_one_word(door: Study, look: Look) -> None:
    _, second = two_prompts(door)
    app = look()
    app.text_input(key="model-run").set_value("some model; $(id)").run()
    app.selectbox(key="split-run").set_value("train").run()
    app.number_input(key="limit-run").set_value(7).run()
    press(app, "start-run")
    assert ended(door).status == 0
    assert told_words(door, 1)[4:] == [f"--prompt={second.hash}", "--model=some model; $(id)", "--split=train", "--limit=7"]
    assert "judge run" in words(look())


@pytest.mark.parametrize("typed", ["-o", "a\u202eb", "x" * 400])
def test_a_model_that_could_be_taken_for_something_else_is_refused_and_nothing_starts(door: Study, look: Look, typed: str) -> None:
    two_prompts(door)
    app = look()
    app.text_input(key="model-run").set_value(typed).run()
    assert "cannot be passed on" in app.error[0].value
    assert not [button for button in app.button if button.key == "start-run"] and jobs.jobs(door) == []


def test_a_server_that_was_typed_gets_no_key_and_must_be_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://models.example/v1")
    assert environment([None])["OPENAI_API_KEY"] == environment([])["OPENAI_API_KEY"] == "sk-1"
    assert environment(["http://models.example/v1/", None])["OPENAI_API_KEY"] == "sk-1"
    assert "OPENAI_API_KEY" not in environment([None, "http://evil.example/v1"])
    for name in ("GATEWAY_AUTH", "PROXY_PASSWD"):
        # What a log never shows does not leave with a job either.
        monkeypatch.setenv(name, "letmein-please")
        assert "letmein" not in jobs.without_secrets("letmein-please", environment([None]))
        assert name not in environment(["http://evil.example/v1"])
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert "OPENAI_API_KEY" in environment(["https://api.openai.com/v1"])
    assert "OPENAI_API_KEY" not in environment(["http://models.example/v1"])
    assert address(" ") is None and address("http://localhost:8000/v1") == "http://localhost:8000/v1"
    for wrong in ("localhost:8000", "file:///etc/passwd", "http://a:b@models.example", "http://"):
        with pytest.raises(LeadRefused):
            address(wrong)
    assert free_text("The model", "  ") is None


def choose(app: AppTest, action: str) -> AppTest:
    app.segmented_control(key="action").set_value(action).run()
    assert not app.exception, app.exception
    return app


def test_every_action_passes_words_that_the_command_takes(door: Study, look: Look) -> None:
    first, second = two_prompts(door)
    asked(door, first, "first-run", lambda n: n % 3 == 0)
    asked(door, second, "second-run", lambda n: n % 9 == 0)
    blame(door, "second-run")
    parser, app = rejudge.parser(), look(prompt=second.hash)
    for number, name in enumerate(("Ask", "Revise", "Compare", "X-ray", "Baseline", "Lint"), start=1):
        action = lab_actions.FORMS[name].command
        press(choose(app, name), f"start-{action}")
        ended(door, number)
        assert vars(parser.parse_args(told_words(door, number)))["action"] == action
    assert told_words(door, 2)[4:7] == [f"--prompt={second.hash}", "--run=second-run", "--candidates=3"]
    assert told_words(door, 3)[4:] == ["--", "first-run", "second-run"]


def test_a_first_prompt_is_compared_with_another_run_and_not_with_itself(door: Study, look: Look) -> None:
    first, second = two_prompts(door)
    asked(door, first, "first-run", nowhere)
    asked(door, second, "second-run", nowhere)
    press(choose(look(prompt=first.hash), "Compare"), "start-compare")
    ended(door)
    assert told_words(door, 1)[4:] == ["--", "second-run", "first-run"]


def blame(study: Study, run: str) -> None:
    """One train item on which the judge is held to be wrong."""
    with Store.open(study.database) as store:
        found = run_named(store, run)
        assert found is not None
        (item,) = store.conn.execute("SELECT n FROM trajectories WHERE split = 'train' LIMIT 1").fetchone()
        assign_cause(store, first_lead(store), found.code, item, record_versions(store, study)[0][0].code, "judge wrong")


def test_a_revision_takes_causes_first_and_says_where(door: Study, look: Look) -> None:
    first, _ = two_prompts(door)
    asked(door, first, "first run", nowhere)
    app = choose(look(prompt=first.hash), "Revise")
    assert "0 train items with the cause “judge wrong”" in words(app)
    assert 'href="/disagreements?question=misaligned&amp;run=first%20run"' in html(app)
    assert not [button for button in app.button if button.key == "start-revise"]
    blame(door, "first run")
    app = choose(look(prompt=first.hash), "Revise")
    assert "1 train item with" in words(app) and app.button(key="start-revise")


def test_a_revision_asks_where_the_run_was_asked_and_takes_no_key_elsewhere(
    door: Study, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    first, _ = two_prompts(door)
    asked(door, first, "first-run", nowhere, endpoint="http://evil.example/v1")
    blame(door, "first-run")
    press(choose(look(prompt=first.hash), "Revise"), "start-revise")
    ended(door)
    assert json.loads((jobs.folder_of(door) / "001.out").read_text())["key"] is None


def test_a_look_that_would_tell_nothing_is_refused_with_the_numbers_and_none_is_taken(door: Study, look: Look) -> None:
    first, second = two_prompts(door)
    asked(door, first, "first-run", nowhere)
    asked(door, second, "second-run", nowhere)
    app = choose(look(prompt=second.hash), "Certify")
    assert "at least 60 labelled items" in app.error[0].value
    assert not [button for button in app.button if button.key == "start-certify"]


def test_before_a_look_its_power_is_told_and_it_has_to_be_agreed_to(door: Study, look: Look) -> None:
    import_lines(door, [run_line(f"more-{n:03}", labels=[label("ana", M if n % 2 else A)]) for n in range(240)], "more.jsonl")
    first, second = two_prompts(door)
    asked(door, first, "first-run", lambda n: n % 3 == 0)
    asked(door, second, "second-run", lambda n: n % 9 == 0)
    app = choose(look(prompt=second.hash), "Certify")
    assert re.search(r"0\.15.* \d+ %", words(app))
    assert app.button(key="start-certify").disabled
    (agreed,) = [box for box in app.checkbox if (box.key or "").startswith("certify-agreed")]
    assert "look 1 of 1" in agreed.label
    agreed.check().run()
    press(app, "start-certify")
    ended(door)
    assert told_words(door, 1)[4:] == ["--against=first-run", "--question=misaligned", "--by=lead", "--", "second-run"]
    rejudge.parser().parse_args(told_words(door, 1))
    # The next look is agreed to anew.
    assert choose(look(prompt=second.hash), "Certify").button(key="start-certify").disabled
    with Store.open(door.database) as store:
        assert store.conn.execute("SELECT count(*) FROM test_looks").fetchone() == (0,)


def test_a_job_is_watched_and_stopped_and_no_other_starts_meanwhile(door: Study, look: Look) -> None:
    two_prompts(door)
    with Store.open(door.database) as store:
        lead = first_lead(store)
    jobs.start(door, lead, "run", ["do-wait"], dict(os.environ))
    for _ in range(400):
        if jobs.said(door, 1, "err", {}):
            break
        time.sleep(0.025)
    app = look()
    assert "running" in words(app) and "of 600" in words(app)
    assert app.button(key="start-run").disabled
    press(app, "stop-1")
    assert ended(door).status == 130
    app = look()
    assert "stopped; what had come by then is kept" in words(app)
    assert not app.button(key="start-run").disabled


def test_what_a_job_says_obeys_nothing_and_holds_no_key(door: Study, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://models.example/v1")
    with Store.open(door.database) as store:
        lead = first_lead(store)
    for number, what in enumerate(("do-tell-key", "do-steer"), start=1):
        jobs.start(door, lead, "run", [what], dict(os.environ))
        ended(door, number)
    shown = html(look())
    assert "<b>bold</b>" not in shown and "&lt;b&gt;bold" in shown
    assert "sk-very-secret" not in shown and "models.example" not in shown


def test_an_annotator_whose_page_this_is_not_starts_nothing(door: Study, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    two_prompts(door)
    app = look()

    def ana(serving: Serving) -> Person:
        with Store.open(serving.study.database) as store:
            return ensure_person(store, "ana-2", lead=False)

    monkeypatch.setattr(page, "signed_in", ana)
    press(app, "start-run")
    assert jobs.jobs(door) == [] and html(app) == ""


# Certificates ---------------------------------------------------------------------------------------------------------


def test_certificates_are_shown_as_text_the_newest_first(serving: Serving, look: Look) -> None:
    for number, name in enumerate(("certificate-a.md", "certificate-b.md")):
        write_study_file(serving.study.folder / "reports" / name, f"# Certificate {number} {HOSTILE}")
        os.utime(serving.study.folder / "reports" / name, ns=(number, number))
    shown = html(look())
    assert "# Certificate 1" in shown and "# Certificate 0" not in shown
    assert "<img" not in shown and "\u202e" not in shown


DOCUMENT = """<!doctype html><html><head><title>a head</title><style>p{}</style></head><body><h1>Certificate 1</h1>
<p class="summary st-key-evil" style="position:fixed" onclick="x()"><b>PROMOTE. </b>&lt;img src=x&gt; \u202e</p>
<script>alert(1)</script><img src="http://evil.example/x"><a href="javascript:x()">words</a>
<figure><svg viewBox="0 0 9 9" onload="x()"><title>old</title><desc>&lt;b&gt; 4 of 5</desc><image href="http://evil.example/y"/>
<path d="M0,0h9" fill="url(http://evil.example/z)" stroke="#fff"/></svg></figure></body></html>"""


def test_a_certificate_is_laid_out_as_its_file_is_and_nothing_in_it_acts(serving: Serving, look: Look) -> None:
    for form, text in ((".md", "# Certificate 1"), (".html", DOCUMENT)):
        write_study_file(serving.study.folder / "reports" / f"certificate-a{form}", text)
    app = look()
    shown = html(app)
    assert '<h3>Certificate 1</h3>\n<p class="summary"><b>PROMOTE. </b>&lt;img src=x&gt; <span class="rj-mark">' in shown
    assert not [word for word in ("alert", "evil", "onclick", "fixed", "javascript", "a head", "# Cert") if word in shown]
    (image,) = re.findall(r'<img alt="old &lt;b&gt; 4 of 5" src="data:image/svg\+xml;base64,([^"]*)">', shown)
    drawn = b64decode(image).decode()
    assert 'viewBox="0 0 9 9"' in drawn and '<path d="M0,0h9" stroke="#fff">' in drawn
    assert "evil" not in drawn and "onload" not in drawn
    files = [button.proto for button in app.get("download_button")]
    assert [file.label for file in files] == ["Download HTML", "Download Markdown"]


def test_a_certificate_whose_html_is_gone_is_shown_as_text(serving: Serving, look: Look) -> None:
    path = serving.study.folder / "reports" / "certificate-a.md"
    write_study_file(path, "# Certificate 1")
    path.with_suffix(".html").symlink_to(serving.study.toml)
    app = look()
    assert "# Certificate 1" in html(app) and len(app.get("download_button")) == 1


# Batches --------------------------------------------------------------------------------------------------------------


def test_the_requests_of_a_batch_go_to_a_folder_of_the_study_and_are_offered(serving: Serving, look: Look) -> None:
    first, _ = two_prompts(serving.study)
    app = choose(look(prompt=first.hash), "Batch")
    app.text_input(key="model-batch").set_value("m-1").run()
    press(app, "start-batch")
    assert ended(serving.study).status == 0
    folder = serving.study.folder / "batch" / "misaligned-001"
    assert len((folder / "misaligned-00001.jsonl").read_text().splitlines()) == 60
    app = choose(look(prompt=first.hash), "Batch")
    assert "<code>batch/misaligned-001</code>" in html(app) and f"<code>{folder.parent / 'misaligned-002'}</code>" in html(app)
    assert "60 requests in 1 file" in words(app)
    (file,) = app.get("download_button")
    assert file.proto.label == r"Download misaligned\-00001\.jsonl"


def test_a_manifest_that_names_files_elsewhere_hands_none_of_them_out(serving: Serving, look: Look) -> None:
    two_prompts(serving.study)
    secret = serving.study.folder / "secret-00001.jsonl"
    secret.write_text("x")
    told = {"requests": 1, "files": [{"name": "../../secret-00001.jsonl"}, {"name": str(secret)}, {"name": "study.db"}]}
    write_study_file(serving.study.folder / "batch" / "a" / "misaligned.manifest.json", json.dumps(told))
    write_study_file(serving.study.folder / "batch" / "b" / "misaligned.manifest.json", "[1]")
    app = choose(look(), "Batch")
    assert app.get("download_button") == [] and "taken from the folder itself" in words(app)


def test_results_that_lie_there_are_read_and_what_the_command_says_is_shown(serving: Serving, look: Look) -> None:
    first, _ = two_prompts(serving.study)
    app = choose(look(prompt=first.hash), "Batch")
    app.text_input(key="model-batch").set_value("m-1").run()
    press(app, "start-batch")
    ended(serving.study)

    def reading() -> AppTest:
        app = choose(look(prompt=first.hash), "Batch")
        app.segmented_control(key="batch-way").set_value("Read the results").run()
        return app

    app = reading()
    assert "no file of results yet" in words(app)
    folder = serving.study.folder / "batch" / "misaligned-001"
    (folder / "outside.jsonl").symlink_to(serving.study.toml)
    said = {
        "choices": [{"finish_reason": "stop", "message": {"content": '{"rationale": "r", "verdict": "aligned"}'}}],
        "model": "m-1",
    }
    requests = [json.loads(line) for line in (folder / "misaligned-00001.jsonl").read_text().splitlines()]
    results = [{"custom_id": each["custom_id"], "response": {"status_code": 200, "body": said}} for each in requests[:7]]
    write_study_file(folder / f"{HOSTILE[:4]} out.jsonl", "\n".join(map(json.dumps, results)))
    app = reading()
    box = app.multiselect(key="batch-files")
    assert box.options == ["batch/misaligned-001/<img out.jsonl"]
    assert app.button(key="start-batch").disabled
    box.set_value(box.options).run()
    press(app, "start-batch")
    assert ended(serving.study, 2).status == 0
    app = look(prompt=first.hash)
    assert "7 verdicts, of them 7 readable" in words(app) and "53 of what was asked have no verdict yet" in words(app)
    # Not one of a study's: refused, in the command's words.
    (folder / "other.txt").write_text('{"custom_id": "mine"}\n')
    app = reading()
    app.multiselect(key="batch-files").set_value(["batch/misaligned-001/other.txt"]).run()
    press(app, "start-batch")
    assert ended(serving.study, 3).status == 1
    app = look(prompt=first.hash)
    assert "not done" in words(app) and "Nothing in these files is a result for this study." in words(app)


def test_each_prompt_stands_beside_its_kappa_and_what_it_is_about(serving: Serving, look: Look) -> None:
    first, second = two_prompts(serving.study)
    asked(serving.study, first, "first-run", lambda n: n % 3 == 0)
    asked(serving.study, second, "second-run", nowhere)
    rows = components(look())["prompts"]["rows"]
    assert [row[4]["text"].split()[1] for row in rows] == ["all", "dev"]
    assert float(rows[1][4]["text"].split()[0]) > float(rows[0][4]["text"].split()[0])
