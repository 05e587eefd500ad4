"""Two people on two machines: the labels of one study join the other, as what they were."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.answering import Answer
from data.arrivals import Naming
from data.errors import ImportRefused, RejudgeError
from data.importing import Imported, import_file
from data.questions import Question
from data.store import Store
from data.store.erasure import erase
from data.store.exposures import record_exposure
from data.store.people import ensure_person, people
from data.store.tallying import current_labels, tally
from data.store.versions import check_still_declared
from data.study import Study, load_study
from data.verify import verify
from tests.conftest import Run
from tests.small_study import dump
from tests.study_maker import (
    KIND,
    MISALIGNED,
    Sitting,
    draw_batch,
    import_lines,
    label,
    make_study,
    numbered,
    run_line,
    verdict,
    write_toml,
)


def join(study: Study, other: Study, *, skip_bad: bool = False, **columns: str) -> Imported:
    """Imports the other study's database, as the command does; `columns`: who is who."""
    return import_file(study, other.database, None, Naming(columns=tuple(columns.items())), skip_bad=skip_bad)[1]


def copy_of(study: Study, folder: Path) -> Study:
    shutil.copytree(study.folder, folder)
    return load_study(folder)


def label_all(study: Study, handle: str, choice: str = "aligned", most: int = 1000, **fields: Any) -> None:
    """`handle` labels everything that is held for them, one after the other."""
    with Sitting(study, handle, outbox=f"tab {len(labels_of(study))}") as sitting:
        while most and (held := sitting.claim()):
            assert sitting.label(held[0], choice, **fields) == ""
            most -= 1


def pairs(study: Study) -> dict[tuple[str, str], tuple[tuple[int, ...], ...]]:
    with Store.open(study.database) as store:
        (question,) = tally(store, study, None, None)
    return {(pair.rows, pair.columns): pair.confusion for pair in (*question.judge_pairs, *question.human_pairs)}


def findings(study: Study) -> list[Any]:
    with Store.open(study.database) as store:
        return verify(store)


def labels_of(study: Study) -> list[dict[str, Any]]:
    with Store.open(study.database) as store:
        return current_labels(store)


@pytest.fixture
def here(tmp_path: Path) -> Study:
    lines = numbered(6, verdicts=[verdict("aligned")])
    return make_study(tmp_path / "here", lines)


def test_the_labels_of_a_copied_study_join_the_same_batch_and_count_beside_its_own(here: Study, tmp_path: Path) -> None:
    draw_batch(here, 6, overlap=2)
    there = copy_of(here, tmp_path / "there")
    label_all(here, "ana", "aligned")
    label_all(there, "ben", "misaligned", rationale="it hid the log", evidence=(1,))
    assert join(here, there).counts.labels == 6
    assert pairs(here)["human:ana", "human:ben"] == ((0, 6), (0, 0))
    assert pairs(here)["human:ben", "judge:judge-a"] == ((0, 0), (6, 0))
    joined = [row for row in labels_of(here) if row["annotator"] == "ben"]
    assert {(row["phase"], row["batch"], row["rationale"], tuple(row["evidence"])) for row in joined} == {
        ("blind", "batch-1", "it hid the log", (1,))
    }
    kept = {(row["id"], row["at"], row["codebook"], row["question_version"]) for row in labels_of(there)}
    assert {(row["id"], row["at"], row["codebook"], row["question_version"]) for row in joined} == kept
    assert findings(here) == []


def test_what_was_joined_is_asked_of_nobody_again(here: Study, tmp_path: Path) -> None:
    draw_batch(here, 6)
    there = copy_of(here, tmp_path / "there")
    label_all(there, "ben", most=4)
    join(here, there)
    with Sitting(here, "ana") as ana:
        asked = {ana.id_of(ref) for ref in ana.claim()}
    assert len(asked) == 2 and not asked & {row["id"] for row in labels_of(there)}


def test_two_people_who_both_labelled_a_whole_batch_both_count_though_it_asked_for_one(here: Study, tmp_path: Path) -> None:
    draw_batch(here, 6)
    there = copy_of(here, tmp_path / "there")
    label_all(here, "ana")
    label_all(there, "ben")
    join(here, there)
    assert pairs(here)["human:ana", "human:ben"] == ((6, 0), (0, 0))
    assert findings(here) == []


def test_labels_of_another_draw_come_in_as_imported(here: Study, tmp_path: Path) -> None:
    there = copy_of(here, tmp_path / "there")
    draw_batch(here, 6, seed="one")
    draw_batch(there, 6, seed="two")
    label_all(there, "ben")
    join(here, there)
    assert {(row["phase"], row["batch"]) for row in labels_of(here)} == {("imported", None)}
    assert findings(here) == []


def test_the_same_database_again_changes_nothing_and_later_labels_are_added(here: Study, tmp_path: Path) -> None:
    draw_batch(here, 6)
    there = copy_of(here, tmp_path / "there")
    label_all(there, "ben", most=3)
    join(here, there)
    before = dump(here.folder)
    again = join(here, there).counts
    assert (again.labels, again.known_labels) == (0, 3) and dump(here.folder) == before
    label_all(there, "ben")
    later = join(here, there).counts
    assert (later.labels, later.known_labels) == (3, 3) and findings(here) == []


def test_imported_labels_come_along_once(here: Study, tmp_path: Path) -> None:
    there = copy_of(here, tmp_path / "there")
    import_lines(there, [run_line("r000", labels=[label("carl", "misaligned")])], "more.jsonl")
    assert join(here, there).counts.labels == 1
    assert join(here, there).counts.labels == 0
    assert [(row["annotator"], row["choice"]) for row in labels_of(here)] == [("carl", "misaligned")]


def test_several_questions_of_all_types_join(tmp_path: Path) -> None:
    harms = Question("harms", "Which harms?", "multilabel", ("money", "trust", "data"), None)
    danger = Question("danger", "How dangerous?", "score", (), None, min=0, max=10)
    lines = [
        run_line(
            "r0",
            labels=[
                {"annotator": "ana", "question": "harms", "choices": ["data", "money"]},
                {"annotator": "ana", "question": "danger", "score": 7.5},
                {"annotator": "ben", "question": "harms", "choices": []},
                {"annotator": "ben", "question": "kind", "unsure": True},
            ],
        )
    ]
    there = make_study(tmp_path / "there", lines, (KIND, harms, danger))
    # Here the choices were declared in another order, so their codes differ.
    here = make_study(
        tmp_path / "here", [run_line("r0")], (danger, Question("harms", "?", "multilabel", ("trust", "data", "money"), None), KIND)
    )
    assert join(here, there).counts.labels == 4
    answers = {(row["annotator"], row["question"]): (row.get("choices"), row.get("score")) for row in labels_of(here)}
    assert set(answers["ana", "harms"][0]) == {"data", "money"} and answers["ana", "danger"][1] == 7.5
    assert list(answers["ben", "harms"][0]) == [] and findings(here) == []


# What cannot be joined


def refused(here: Study, there: Study, wrong: str, **columns: str) -> RejudgeError:
    before = dump(here.folder)
    with pytest.raises(RejudgeError, match=wrong) as caught:
        join(here, there, **columns)
    assert dump(here.folder) == before
    return caught.value


def test_a_run_that_is_not_here_refuses_the_whole_and_is_left_out_with_skip_bad(here: Study, tmp_path: Path) -> None:
    there = copy_of(here, tmp_path / "there")
    import_lines(there, [run_line("r9", labels=[label("ben", "aligned")]), run_line("r000", labels=[label("ben", "aligned")])], "m")
    refused(here, there, "not in this study")
    joined = join(here, there, skip_bad=True)
    assert joined.counts.labels == 1 and len(joined.left_out) == 1


def test_a_run_of_the_same_id_and_other_content_is_not_the_same_run(here: Study, tmp_path: Path) -> None:
    there = make_study(tmp_path / "there", [run_line("r000", task="Another.", labels=[label("ben", "aligned")])])
    refused(here, there, "other content")


def test_a_question_or_a_choice_that_is_not_declared_here_is_refused(here: Study, tmp_path: Path) -> None:
    other = Question("misaligned", "?", "nominal", ("aligned", "misaligned", "mixed"), None)
    there = make_study(tmp_path / "there", [run_line("r000", labels=[label("ben", "mixed")])], (other,))
    refused(here, there, "choice 'mixed'")
    far = make_study(
        tmp_path / "far", [run_line("r000", labels=[{"annotator": "b", "question": "kind", "choice": "other"}])], (KIND,)
    )
    refused(here, far, "no question 'kind'")


SCORE = Question("q", "How much?", "score", (), min=0, max=5)
DEEPER = replace(KIND, choices=(*KIND.choices, "more"))
OTHERWISE = [
    (MISALIGNED, replace(SCORE, id="misaligned"), Answer(score=4.0)),
    (KIND, replace(KIND, type="multilabel"), Answer(choices=("deceit",))),
    (SCORE, replace(SCORE, max=10), Answer(score=8.0)),
    (KIND, DEEPER, Answer(choice="more")),
]


@pytest.mark.parametrize(("mine", "theirs", "answer"), OTHERWISE)
def test_an_answer_that_study_toml_does_not_allow_is_refused_as_it_could_never_be_taken_back(
    tmp_path: Path, mine: Question, theirs: Question, answer: Answer
) -> None:
    here = make_study(tmp_path / "here", numbered(2), [DEEPER if mine is KIND else mine])
    here = write_toml(here.folder, [mine])  # a choice that was declared once is declared no more
    there = make_study(tmp_path / "there", numbered(2), [theirs])
    draw_batch(there, 2)
    with Sitting(there, "ben") as ben:
        ben.label_all_of({theirs.id: answer})
    with pytest.raises(ImportRefused, match="this study has no question"):
        join(here, there)
    assert labels_of(here) == []
    with Store.open(here.database) as store:
        check_still_declared(store, here)


def test_a_label_given_with_metadata_on_view_that_is_not_here_is_refused(tmp_path: Path) -> None:
    here = make_study(tmp_path / "here", numbered(3), rest='[blind]\nshow = ["domain"]\n')
    draw_batch(here, 3)
    there = copy_of(here, tmp_path / "there")
    more = [run_line(f"r{k:03}", metadata={"domain": "bank"}) for k in range(3)]
    import_lines(there, more, "more.jsonl")
    label_all(there, "ben")
    with pytest.raises(ImportRefused, match="metadata on view that is not here"):
        join(here, there)
    import_lines(here, more, "more.jsonl")
    assert join(here, there).counts.labels == 3 and findings(here) == []


def test_labels_of_somebody_who_was_shown_answers_here_join_as_imported(here: Study, tmp_path: Path) -> None:
    draw_batch(here, 6)
    with Store.open(here.database) as store:
        lea = ensure_person(store, "lea", lead=True)
    there = copy_of(here, tmp_path / "there")
    label_all(there, "lea", most=3)
    join(here, there)
    label_all(there, "lea")
    with Store.open(here.database) as store:
        for n in range(1, 7):
            record_exposure(store, lea.code, n, "verdict")
    counts = join(here, there).counts
    assert (counts.labels, counts.known_labels) == (3, 3), "what joined before it was shown stays what it was"
    assert sorted(row["phase"] for row in labels_of(here)) == ["blind"] * 3 + ["imported"] * 3
    assert findings(here) == [] and join(here, there).counts.labels == 0


def test_the_labels_of_somebody_who_was_erased_in_one_of_two_copies_do_not_count_twice(here: Study, tmp_path: Path) -> None:
    draw_batch(here, 6, overlap=2)
    label_all(here, "ana")
    there = copy_of(here, tmp_path / "there")
    named = copy_of(here, tmp_path / "named")
    with Store.open(there.database) as store:
        erase(store, "ana")
    label_all(there, "ben")
    counts = join(here, there).counts
    assert (counts.labels, counts.known_labels) == (6, 6)
    assert {row["annotator"] for row in labels_of(here)} == {"ana", "ben"}
    assert join(there, named).counts.labels == 0 and "ana" not in {row["annotator"] for row in labels_of(there)}
    with Store.open(there.database) as store:
        assert "ana" not in {person.handle for person in people(store)}, "nor does the name come back"
    assert findings(here) == findings(there) == []


def test_a_person_with_two_answers_to_one_item_is_refused_and_can_be_named_anew(here: Study, tmp_path: Path) -> None:
    draw_batch(here, 6)
    there = copy_of(here, tmp_path / "there")
    label_all(here, "ana", "aligned")
    label_all(there, "ana", "misaligned")
    refused(here, there, "is here already, and differs")
    assert join(here, there, ana="anna").counts.labels == 6
    assert {row["annotator"] for row in labels_of(here)} == {"ana", "anna"}


def test_the_first_leads_of_two_studies_are_not_taken_for_one_person(here: Study, tmp_path: Path) -> None:
    draw_batch(here, 6, overlap=2)
    there = copy_of(here, tmp_path / "there")
    label_all(here, "lead", most=2)
    label_all(there, "lead", most=2)
    assert "--map lead=" in refused(here, there, "first lead").do
    assert join(here, there, lead="ben").counts.labels == 2
    assert {row["annotator"] for row in labels_of(here)} == {"lead", "ben"}


def test_a_study_does_not_join_itself(here: Study) -> None:
    import_lines(here, [run_line("r000", labels=[label("ben", "aligned")])], "m")
    refused(here, here, "this study itself")


def test_a_study_without_labels_and_a_database_that_is_no_study_are_refused(here: Study, tmp_path: Path) -> None:
    refused(here, copy_of(here, tmp_path / "there"), "holds no labels")
    import sqlite3

    strange = tmp_path / "strange.db"
    with sqlite3.connect(strange) as conn:
        conn.execute("CREATE TABLE t (x)")
    conn.close()
    with pytest.raises(RejudgeError, match="not the database of a study"):
        import_file(here, strange, None, Naming())


def test_a_study_folder_is_told_the_name_of_its_database(here: Study, tmp_path: Path) -> None:
    there = copy_of(here, tmp_path / "there")
    with pytest.raises(ImportRefused, match="is a folder") as caught:
        import_file(here, there.folder, None, Naming())
    assert str(there.database) in caught.value.do


def test_names_of_runs_and_questions_have_no_meaning_for_a_study(here: Study, tmp_path: Path) -> None:
    there = copy_of(here, tmp_path / "there")
    import_lines(there, [run_line("r000", labels=[label("ben", "aligned")])], "m")
    with pytest.raises(ImportRefused, match="join by id and content"):
        import_file(here, there.database, None, Naming(prefix="p-"))


def test_the_command_joins_and_counts(run: Run, here: Study, tmp_path: Path) -> None:
    there = copy_of(here, tmp_path / "there")
    import_lines(there, [run_line("r000", labels=[label("ana", "aligned"), label("ben", None)])], "m")
    ran = run("import", there.database, "--map", "ana=anna", "--study", here.folder)
    assert (ran.returncode, ran.stdout) == (0, "study.db (study): 0 trajectories, 0 verdicts, 2 labels came in.\n")
    listed = [json.loads(text) for text in run("labels", "--json", "--study", here.folder).stdout.splitlines()]
    assert [(row["annotator"], row["action"]) for row in listed] == [("anna", "label"), ("ben", "unsure")]
    assert MISALIGNED.id == listed[0]["question"]
