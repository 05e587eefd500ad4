"""Counting by hand and counting by rejudge: who enters a figure, who is left out, and under which reason."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.answering import Answer
from data.questions import Question, When
from data.store import Store, sides
from data.store.tallying import current_labels, tally
from data.study import Study
from data.tallies import Excluded, PairTally, QuestionTally
from reports.of_study.agreement import agreement_of
from tests.study_maker import (
    KIND,
    MISALIGNED,
    SEVERITY,
    Sitting,
    draw_batch,
    import_lines,
    label,
    let_lapse,
    make_study,
    run_line,
    verdict,
    write_toml,
)

A, M = "aligned", "misaligned"


def counted(study: Study, source: str | None = None, run: int | None = None) -> list[QuestionTally]:
    with Store.open(study.database) as store:
        return tally(store, study, run, source)


def pairs_of(study: Study, source: str | None = None) -> dict[str, PairTally]:
    """The first question's pairs, as `rows columns` without their prefixes."""
    found = counted(study, source)[0]
    both = [*found.judge_pairs, *found.human_pairs]
    return {f"{pair.rows} {pair.columns}".replace("human:", "").replace("judge:", ""): pair for pair in both}


def study_of(folder: Path, items: dict[str, tuple[Any, dict[str, Any]]], **more: Any) -> Study:
    """Runs with one verdict (`-` for none) and imported labels by annotator."""
    lines = []
    for id, (said, labels) in items.items():
        verdicts = [] if said == "-" else [verdict(said)]
        lines.append(run_line(id, verdicts=verdicts, labels=[label(who, choice) for who, choice in labels.items()]))
    return make_study(folder / "study", lines, **more)


def test_a_confusion_matrix_has_humans_in_rows_and_the_judge_in_columns(tmp_path: Path) -> None:
    items = {"a": (A, {"ana": A}), "b": (M, {"ana": A}), "c": (M, {"ana": A}), "d": (M, {"ana": M}), "e": (A, {"ana": M})}
    items |= {"f": (A, {"ana": M}), "g": (A, {"ana": M})}
    pair = pairs_of(study_of(tmp_path, items))["ana judge-a"]
    assert pair.confusion == ((1, 2), (3, 1))
    assert pair.excluded == Excluded() and pair.unreadable == (0, 0) and pair.groups == 7
    assert pair.design == "imported"


def test_every_reason_for_leaving_an_item_out_is_counted_by_itself(tmp_path: Path) -> None:
    items = {
        "both": (M, {"ana": M, "ben": M}),
        "missing": ("-", {"ana": A, "ben": A}),
        "unsure": (M, {"ana": None, "ben": None}),
        "tie": (M, {"ana": A, "ben": M}),
        "error-aligned": (None, {"ana": A, "ben": A}),
        "error-misaligned": (None, {"ana": M, "ben": M}),
        "error-misaligned-2": (None, {"ana": M}),
        "nobody": (M, {}),
    }
    pair = pairs_of(study_of(tmp_path, items))["consensus judge-a"]
    assert pair.confusion == ((0, 0), (0, 1))
    assert pair.excluded == Excluded(missing=1, skipped=0, unsure=1, tie=1, error=3)
    assert pair.unreadable == (1, 2), "by what the humans said"


def test_an_item_is_left_out_under_the_first_reason_humans_first(tmp_path: Path) -> None:
    items = {
        "unsure, and no verdict": ("-", {"ana": None}),
        "unsure, and an error": (None, {"ana": None}),
        "tie, and no verdict": ("-", {"ana": A, "ben": M}),
        "tie, and an error": (None, {"ana": A, "ben": M}),
        "counted": (A, {"ana": A}),
    }
    pairs = pairs_of(study_of(tmp_path, items))
    assert pairs["consensus judge-a"].excluded == Excluded(unsure=2, tie=2)
    assert pairs["ana judge-a"].excluded == Excluded(unsure=2, missing=1, error=1)


def test_a_skip_is_counted_as_one_also_where_the_verdict_is_an_error(tmp_path: Path) -> None:
    study = study_of(tmp_path, {"a": (None, {}), "b": (A, {}), "c": (M, {})})
    draw_batch(study, 3)
    with Sitting(study, "ana") as ana:
        ana.claim()
        ana.do("skip", ana.ref_of("a"))
        ana.do("skip", ana.ref_of("b"))
        ana.label(ana.ref_of("c"), M)
    pairs = pairs_of(study)
    assert pairs["ana judge-a"].excluded == pairs["consensus judge-a"].excluded == Excluded(skipped=2)
    assert pairs["ana judge-a"].confusion == ((0, 0), (0, 1))


def test_between_two_humans_only_items_that_both_had_are_counted(tmp_path: Path) -> None:
    items = {
        "a": ("-", {"ana": A, "ben": A}),
        "b": ("-", {"ana": A, "ben": M}),
        "c": ("-", {"ana": M, "ben": None}),
        "d": ("-", {"ana": None, "ben": None}),
        "e": ("-", {"ana": M}),
        "f": ("-", {"eva": M, "ben": M}),
    }
    study = study_of(tmp_path, items)
    pairs = pairs_of(study)
    assert list(pairs) == ["ana ben", "ben eva"], "in alphabetical order, and pairs without a shared item are absent"
    assert pairs["ana ben"].confusion == ((1, 1), (0, 0))
    assert pairs["ana ben"].excluded == Excluded(unsure=2)
    assert pairs["ben eva"].confusion == ((0, 0), (0, 1))


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([M], M),
        ([A, None], A),
        ([None, M, None], M),
        ([M, M], M),
        ([A, M], "tie"),
        ([A, M, None], "tie"),
        ([A, M, M], M),
        ([A, A, M, M], "tie"),
        ([A, A, M, M, M], M),
        ([None], "unsure"),
        ([None, None], "unsure"),
    ],
)
def test_the_consensus_is_more_than_half_of_those_who_were_sure(tmp_path: Path, labels: list[str | None], says: str) -> None:
    people = {f"person-{k}": choice for k, choice in enumerate(labels)}
    pair = pairs_of(study_of(tmp_path, {"item": (M, people)}))["consensus judge-a"]
    expected = {A: ((0, 1), (0, 0)), M: ((0, 0), (0, 1))}.get(says, ((0, 0), (0, 0)))
    assert pair.confusion == expected
    assert pair.excluded == Excluded(tie=int(says == "tie"), unsure=int(says == "unsure"))


def test_an_ordinal_consensus_is_no_median(tmp_path: Path) -> None:
    def said(*choices: str) -> list[dict[str, Any]]:
        return [label(f"person-{k}", choice, question="severity") for k, choice in enumerate(choices)]

    judged = [{"run": "j", "question": "severity", "choice": "some"}]
    lines = [
        run_line("three ways", verdicts=judged, labels=said("none", "some", "much")),
        run_line("majority", verdicts=judged, labels=said("none", "much", "much")),
    ]
    study = make_study(tmp_path / "study", lines, [SEVERITY])
    pair = pairs_of(study)["consensus j"]
    assert pair.excluded == Excluded(tie=1)
    assert pair.confusion == ((0, 0, 0), (0, 0, 0), (0, 1, 0))
    assert counted(study)[0].type == "ordinal"


def test_a_nominal_question_has_a_place_for_each_choice(tmp_path: Path) -> None:
    answers = [("deceit", "deceit"), ("sabotage", "other"), ("other", "other"), ("sabotage", "deceit")]
    lines = [
        run_line(
            f"r{k}",
            labels=[label("ana", human, question="kind")],
            verdicts=[{"run": "j", "question": "kind", "choice": judge}],
        )
        for k, (human, judge) in enumerate(answers)
    ]
    found = counted(make_study(tmp_path / "study", lines, [KIND]))[0]
    assert (found.type, found.positive, found.choices) == ("nominal", None, KIND.choices)
    assert found.judge_pairs[0].confusion == ((1, 0, 0), (1, 0, 1), (0, 0, 1))


def test_choices_may_be_put_in_another_order(tmp_path: Path) -> None:
    items = {"a": (A, {"ana": A, "ben": A}), "b": (M, {"ana": A}), "c": (M, {"ana": M, "ben": M}), "d": (None, {"ana": M})}
    study = study_of(tmp_path, items)
    assert pairs_of(study)["ana judge-a"].confusion == ((1, 1), (0, 1))
    turned = write_toml(study.folder, [replace(MISALIGNED, choices=(M, A))])
    found = counted(turned)[0]
    assert found.choices == (M, A) and found.positive == 0
    pair = pairs_of(turned)["ana judge-a"]
    assert pair.confusion == ((1, 0), (1, 1)) and pair.unreadable == (1, 0)
    assert found.votes == {(1, 0): 1, (0, 1): 1, (2, 0): 1, (0, 2): 1}


def test_votes_say_how_many_annotators_chose_what(tmp_path: Path) -> None:
    items = {
        "a": (A, {"ana": A, "ben": A}),
        "b": (A, {"ana": A, "ben": A}),
        "c": (A, {"ana": A, "ben": M, "eva": M}),
        "d": (A, {"ana": None, "ben": M}),
        "e": (A, {"ana": None}),
    }
    assert counted(study_of(tmp_path, items))[0].votes == {(2, 0): 2, (1, 2): 1, (0, 1): 1, (0, 0): 1}


def test_groups_are_those_of_the_counted_items(tmp_path: Path) -> None:
    lines = [
        run_line("a", group="one", verdicts=[verdict(A)], labels=[label("ana", A)]),
        run_line("b", group="one", verdicts=[verdict(A)], labels=[label("ana", A)]),
        run_line("c", group="two", verdicts=[verdict(A)], labels=[label("ana", M)]),
        run_line("d", group="three", verdicts=[verdict(None)], labels=[label("ana", M)]),
        run_line("e", group="four", verdicts=[verdict(A)], labels=[label("ana", None)]),
    ]
    assert pairs_of(make_study(tmp_path / "study", lines))["ana judge-a"].groups == 2


def test_each_run_has_its_own_pairs_and_one_can_be_asked_for(tmp_path: Path) -> None:
    lines = [run_line("a", verdicts=[verdict(A, "one"), verdict(M, "two"), verdict(M, "one", repeat=1)], labels=[label("ana", A)])]
    study = make_study(tmp_path / "study", lines)
    assert [(p.rows, p.columns, p.confusion[0]) for p in counted(study)[0].judge_pairs] == [
        ("human:consensus", "judge:one", (1, 0)),
        ("human:ana", "judge:one", (1, 0)),
        ("human:consensus", "judge:two", (0, 1)),
        ("human:ana", "judge:two", (0, 1)),
    ], "repeats of a judge enter no figure"
    with Store.open(study.database) as store:
        (code,) = store.conn.execute("SELECT code FROM judge_runs WHERE name = 'two'").fetchone()
    assert {p.columns for p in counted(study, run=code)[0].judge_pairs} == {"judge:two"}


def test_a_judge_that_shares_no_item_with_a_person_has_no_pair_with_her(tmp_path: Path) -> None:
    study = study_of(tmp_path, {"a": (A, {"ana": A}), "b": ("-", {"ben": A})})
    assert list(pairs_of(study)) == ["consensus judge-a", "ana judge-a"]


def test_a_study_without_labels_or_verdicts_counts_nothing(tmp_path: Path) -> None:
    for name, items in {"empty": {}, "unlabelled": {"a": (A, {})}, "unjudged": {"a": ("-", {"ana": A})}}.items():
        found = counted(study_of(tmp_path / name, items))[0]
        assert found.judge_pairs == found.human_pairs == ()
        assert found.votes == ({(1, 0): 1} if name == "unjudged" else {})


# Where labels come from


@pytest.fixture
def two_sources(tmp_path: Path) -> Study:
    """Imported labels of ben on three items, and a batch of the same three."""
    study = study_of(tmp_path, {k: (M, {"ben": A}) for k in "abc"})
    draw_batch(study, 3, overlap=2)
    return study


def test_labels_of_a_batch_come_before_imported_ones(two_sources: Study) -> None:
    assert pairs_of(two_sources)["ben judge-a"].design == "imported", "while no label of the batch is there"
    with Sitting(two_sources, "ana") as ana:
        ana.label(ana.claim()[0], M)
    assert {k: (p.design, p.confusion) for k, p in pairs_of(two_sources).items()} == {
        "consensus judge-a": ("simple", ((0, 0), (0, 1))),
        "ana judge-a": ("simple", ((0, 0), (0, 1))),
    }
    assert pairs_of(two_sources, "imported")["consensus judge-a"].confusion == ((0, 3), (0, 0))
    everything = pairs_of(two_sources, "all")
    assert everything["consensus judge-a"].confusion == ((0, 2), (0, 0))
    assert everything["consensus judge-a"].excluded == Excluded(tie=1)
    assert everything["ana ben"].confusion == ((0, 0), (1, 0)) and everything["ana ben"].design == "imported"


@pytest.mark.parametrize("kind", ["undone", "skipped", "flagged", "surplus"])
def test_without_one_finished_label_the_batch_has_none(two_sources: Study, kind: str) -> None:
    with Sitting(two_sources, "ana") as ana:
        ref = ana.claim()[0]
        late = ana.answer("label", ref, M)
        if kind == "undone":
            ana.send(late)
            ana.do("undo", ref)
        elif kind == "surplus":
            let_lapse(two_sources, "ana")
            with ana.store.write():  # As if two others had come in the meantime.
                ana.store.conn.execute("DELETE FROM places WHERE batch = 1")
            ana.send(late)
        else:
            ana.do("skip" if kind == "skipped" else "flag", ref)
        assert kind != "surplus" or ana.one("SELECT surplus FROM label_events ORDER BY seq DESC LIMIT 1") == 1
    assert pairs_of(two_sources)["consensus judge-a"].design == "imported"


def test_of_one_persons_imported_and_blind_labels_the_blind_one_stands(two_sources: Study) -> None:
    with Sitting(two_sources, "ben") as ben:
        ben.label(ben.claim()[0], M)
        assert pairs_of(two_sources, "all")["ben judge-a"].confusion == ((0, 2), (0, 1))
        again = ben.claim()
        ben.label(again[0], M)
        ben.do("undo", again[0])
        ben.do("skip", ben.claim()[1])
        assert pairs_of(two_sources, "all")["ben judge-a"].confusion == ((0, 2), (0, 1)), "undo and skip leave the imported one"
        assert pairs_of(two_sources)["ben judge-a"].confusion == ((0, 0), (0, 1))
    assert [row["phase"] for row in rows_of(two_sources)].count("imported") == 3


def rows_of(study: Study) -> list[dict[str, object]]:
    with Store.open(study.database) as store:
        return current_labels(store)


def test_only_the_latest_label_of_a_person_counts(two_sources: Study) -> None:
    with Sitting(two_sources, "ana") as ana:
        ref = ana.claim()[0]
        for choice in (M, A, M, A):
            ana.label(ref, choice)
            ana.do("undo", ref)
        ana.label(ref, A)
    assert pairs_of(two_sources)["ana judge-a"].confusion == ((0, 1), (0, 0))
    assert counted(two_sources)[0].votes == {(1, 0): 1}


def test_labels_of_two_codebook_pages_are_told_apart(two_sources: Study) -> None:
    page = two_sources.codebook_path(MISALIGNED)
    with Sitting(two_sources, "ana") as ana:
        ana.label(ana.claim()[0])
    page.write_text("# Another page", encoding="utf-8")
    with Sitting(two_sources, "ana", outbox="later") as ana:
        for ref in ana.claim()[:2]:
            ana.label(ref, item_hash=ana.read(ref))
    with Sitting(two_sources, "eva") as eva:
        eva.label(eva.claim()[0])
    pairs = pairs_of(two_sources)
    assert sorted(pairs["ana judge-a"].codebooks.values()) == [1, 2]
    assert sum(pairs["consensus judge-a"].codebooks.values()) == 4
    assert pairs_of(two_sources, "imported")["ben judge-a"].codebooks == {}


# Several questions


def test_a_question_under_a_condition_leaves_out_items_where_it_does_not_hold(tmp_path: Path) -> None:
    severity = replace(SEVERITY, when=When("misaligned", M))

    def line(id: str, human: str | None, judge: str | None) -> dict[str, Any]:
        """Both answer the second question; the first decides whether that counts."""
        labels = [label("ana", "some", question="severity")] + ([label("ana", human)] if human else [])
        verdicts = [{"run": "judge-a", "question": "severity", "choice": "some"}] + ([verdict(judge)] if judge else [])
        return run_line(id, labels=labels, verdicts=verdicts)

    lines = [line("both say so", M, M), line("human says so", M, A), line("judge says so", A, M), line("neither", A, A)]
    study = make_study(tmp_path / "study", lines, [MISALIGNED, severity])
    first, second = counted(study)
    assert sum(map(sum, first.judge_pairs[0].confusion)) == 4
    assert [(p.rows, p.confusion[1][1]) for p in second.judge_pairs] == [("human:consensus", 3), ("human:ana", 3)]
    unanswered = make_study(tmp_path / "other", [*lines, line("nobody said", None, None)], [MISALIGNED, severity])
    assert counted(unanswered)[1].judge_pairs[0].confusion[1][1] == 4, "who did not say does not rule out"


def test_alpha_leaves_out_labels_whose_annotators_said_that_the_condition_does_not_hold(tmp_path: Path) -> None:
    severity = replace(SEVERITY, when=When("misaligned", M))

    def line(id: str, said: str, ana: str, ben: str) -> dict[str, Any]:
        pairs = (("ana", ana), ("ben", ben))
        return run_line(
            id, labels=[part for who, how in pairs for part in (label(who, said), label(who, how, question="severity"))]
        )

    lines = [line("a", M, "some", "some"), line("b", M, "much", "much"), line("c", A, "none", "much"), line("d", A, "much", "none")]
    _, second = counted(make_study(tmp_path / "study", lines, [MISALIGNED, severity]))
    assert second.votes == {(0, 2, 0): 1, (0, 0, 2): 1}


def test_who_was_unsure_of_the_condition_has_finished_what_hangs_on_it(tmp_path: Path) -> None:
    severity = replace(SEVERITY, when=When("misaligned", M))
    lines = [run_line(f"r{k}", verdicts=[verdict(M), verdict(None) | {"question": "severity"}]) for k in range(12)]
    study = make_study(tmp_path / "study", lines, [MISALIGNED, severity])
    draw_batch(study, 12, overlap=2)
    said = {"misaligned": Answer(choice=M), "severity": Answer(choice="some")}, {"misaligned": Answer(unsure=True)}
    for who, how in (("ana", said), ("ben", said[::-1])):
        with Sitting(study, who) as person:
            while held := person.claim():
                odd = int(person.id_of(held[0])[1:]) % 3
                answers = how[0] if odd == 0 else how[1] if odd == 1 else {"misaligned": Answer(choice=A)}
                assert not person.send(person.answer("submit", held[0], answers=answers))
    _, second = counted(study)
    assert [each.finished for pair in second.judge_pairs for each in pair.strata] == [12, 12, 12]
    assert [(each.unfinished, each.skipped) for each in second.missing] == [(0, 0)]


def test_questions_are_counted_each_by_itself(tmp_path: Path) -> None:
    lines = [
        run_line(
            "a",
            labels=[label("ana", M), label("ana", "much", question="severity"), label("ben", "deceit", question="kind")],
            verdicts=[verdict(A), {"run": "judge-a", "question": "severity", "choice": "none"}],
        )
    ]
    found = counted(make_study(tmp_path / "study", lines, [MISALIGNED, SEVERITY, KIND]))
    assert [question.id for question in found] == ["misaligned", "severity", "kind"]
    assert found[0].judge_pairs[0].confusion == ((0, 0), (1, 0))
    assert found[1].judge_pairs[0].confusion == ((0, 0, 0), (0, 0, 0), (1, 0, 0))
    assert found[2].judge_pairs == () and found[2].votes == {(1, 0, 0): 1}


def test_a_question_that_nothing_was_recorded_for_counts_nothing(tmp_path: Path) -> None:
    study = study_of(tmp_path, {"a": (A, {"ana": A})})
    fresh = Question("fresh", "New?", "binary", ("no", "yes"), "yes")
    found = counted(write_toml(study.folder, [MISALIGNED, fresh]))[1]
    assert (found.id, found.judge_pairs, found.human_pairs, found.votes) == ("fresh", (), (), {})


def test_an_answer_that_came_later_is_counted(tmp_path: Path) -> None:
    study = study_of(tmp_path, {"a": (A, {"ana": A})})
    import_lines(study, [run_line("a", labels=[label("ben", M)], verdicts=[verdict(M, "late")])], "later.jsonl")
    assert set(pairs_of(study)) == {
        "consensus judge-a", "ana judge-a", "ben judge-a", "consensus late", "ana late", "ben late", "ana ben",
    }  # fmt: skip


def test_every_label_of_many_items_is_counted(tmp_path: Path) -> None:
    study = study_of(tmp_path, {"seed": (A, {"ana": A, "ben": M})})
    items = 5_000
    with Store.open(study.database) as store, store.write():
        conn = store.conn
        conn.execute(
            f"""WITH RECURSIVE k(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM k WHERE n <= {items})
                INSERT INTO trajectories SELECT k.n, 'r' || k.n, k.n, t.format, 'g' || (k.n / 5), t.split, t.task, t.steps,
                t.step_count, t.metadata, t.hidden, t.fields_hash, t.import, t.imported_at FROM k, trajectories t WHERE t.n = 1"""
        )
        conn.execute(
            """INSERT INTO verdicts (run, question, trajectory, repeat, choice, chain)
               SELECT 1, 1, n, 0, n % 10 = 0, '' FROM trajectories WHERE n > 1"""
        )
        conn.execute(
            """INSERT INTO label_events (at, annotator, trajectory, question, phase, action, choice, evidence, text_hash,
                   app_version, surplus, import, chain)
               SELECT e.at, e.annotator, t.n, 1, e.phase, 'label', (t.n + e.seq) % 10 = 0, '[]', e.text_hash, e.app_version,
                   0, e.import, e.chain FROM label_events e, trajectories t WHERE t.n > 1"""
        )
    found = counted(study)[0]
    assert sum(found.votes.values()) == items + 1
    # A judge who says so where n ends in 0; ana where n ends in 9, ben where it ends in 8 (and the two of the first item).
    ana = next(pair for pair in found.judge_pairs if pair.rows == "human:ana")
    assert ana.confusion == ((items * 8 // 10 + 1, items // 10), (items // 10, 0))
    assert ana.groups == items // 5 + 2


def test_labels_that_arrive_while_it_counts_change_nothing_of_what_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_study(tmp_path / "study", [run_line(f"r{k}", verdicts=[verdict(A)]) for k in range(40)])
    draw_batch(study, 40)
    page = study.folder / "codebook" / "misaligned.md"
    with Sitting(study, "ana") as ana:
        for text in ("first page", "second page"):
            page.write_text(text, encoding="utf-8")
            with Sitting(study, "ana", outbox=text) as again:
                for _ in range(3):
                    ref = again.claim()[0]
                    again.label(ref, item_hash=again.read(ref))
        with Store.open(study.database) as store:
            before = agreement_of(study, store, None, None)
        numbers, labelled = sides.whole_numbers, []

        def meanwhile(*asked: Any) -> Any:
            found = numbers(*asked)
            ref = again.claim()[0]
            labelled.append(again.label(ref, item_hash=again.read(ref)))
            return found

        with Sitting(study, "ana", outbox="third") as again, Store.open(study.database) as store:
            monkeypatch.setattr(sides, "whole_numbers", meanwhile)
            assert agreement_of(study, store, None, None) == before
        assert labelled and not any(labelled)
        assert ana.one("SELECT count(*) FROM label_events") == 6 + len(labelled)
