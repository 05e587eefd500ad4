"""`rejudge judge spend`: who may, what it says, what is on record, and that it is for good."""

import sqlite3
from pathlib import Path

import pytest

from data.errors import LeadRefused
from data.store import Store
from data.store.erasure import erase
from data.store.people import Person, ensure_person, first_lead, revoke
from data.store.test_looks import opened_splits, spend, spent
from data.study import Study
from data.verify import verify
from tests.conftest import Run
from tests.study_maker import label, make_study, numbered, verdict


@pytest.fixture
def study(tmp_path: Path) -> Study:
    lines = numbered(60, labels=[label("ana", "aligned")], verdicts=[verdict("misaligned")])
    return make_study(tmp_path / "study", lines)


def splits(store: Store) -> dict[str, int]:
    return dict(store.conn.execute("SELECT split, count(*) FROM trajectories GROUP BY split"))


def test_until_it_is_spent_train_alone_is_open(study: Study) -> None:
    with Store.open(study.database) as store:
        assert spent(store) is None and opened_splits(store) == ("train",)
        look, new = spend(store, first_lead(store))
        assert new and opened_splits(store) == ("train", "dev", "test")
        assert spent(store) == look and (look.lead, look.kind, look.result) == ("lead", "spend", "opened")
        there = splits(store)
        assert look.which == {"judge_runs": ["judge-a"], "trajectories": {"dev": there["dev"], "test": there["test"]}}
        assert verify(store) == []


def test_the_command_says_what_it_means_before_and_after(study: Study, run: Run) -> None:
    done = run("judge", "spend", "--study", study.folder)
    assert done.returncode == 0
    assert "cannot be undone" in done.stderr and "Certification" in done.stderr and "about to" in done.stderr
    with Store.open(study.database) as store:
        look, there = spent(store), splits(store)
    assert look is not None
    said = f"lead opened {there['dev']} dev items and {there['test']} test items with their verdicts at {look.at}"
    assert said in done.stdout and done.stdout.startswith("Dev and test are open: ") and done.stdout.count("\n") == 1


def test_the_second_time_nothing_changes_and_it_says_who_did_it_when(study: Study, run: Run) -> None:
    first = run("judge", "spend", "--study", study.folder)
    again = run("judge", "spend", "--study", study.folder)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == f"Nothing changed. {first.stdout}"
    with Store.open(study.database) as store:
        assert store.conn.execute("SELECT count(*) FROM test_looks").fetchone() == (1,)


def test_status_says_that_the_study_is_spent(study: Study, run: Run) -> None:
    assert "opened by" not in run("status", "--study", study.folder).stdout
    run("judge", "spend", "--study", study.folder)
    with Store.open(study.database) as store:
        look = spent(store)
    assert look and f"  dev and test: opened by lead at {look.at}; nothing can be certified on them" in (
        run("status", "--study", study.folder).stdout.splitlines()
    )


def test_a_lead_is_named_and_nobody_else_may(study: Study, run: Run) -> None:
    with Store.open(study.database) as store:
        ensure_person(store, "ana", lead=False)
        ensure_person(store, "lea", lead=True)
        ensure_person(store, "gone", lead=True)
        revoke(store, "gone")
    for name, why in (("ana", "ana is annotator."), ("gone", "their access has ended"), ("nobody", "nobody called 'nobody'")):
        refused = run("judge", "spend", "--by", name, "--study", study.folder).refused()
        assert why in " ".join(refused), refused
    with Store.open(study.database) as store:
        assert spent(store) is None
    assert "lea opened" in run("judge", "spend", "--by", "lea", "--study", study.folder).stdout


def test_what_is_on_record_is_there_for_good(study: Study) -> None:
    with Store.open(study.database) as store:
        spend(store, first_lead(store))
        for statement in (
            "DELETE FROM test_looks",
            "UPDATE test_looks SET result = 'closed again'",
            "INSERT OR REPLACE INTO test_looks SELECT * FROM test_looks",
            "INSERT INTO test_looks SELECT 2, at, lead, kind, which, result, app_version, chain FROM test_looks",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                store.conn.execute(statement)
        assert opened_splits(store) == ("train", "dev", "test")


def test_a_study_that_only_measures_is_opened_by_the_same_command(tmp_path: Path, run: Run) -> None:
    study = make_study(tmp_path / "study", numbered(3, verdicts=[verdict("aligned")]), rest="[split]\ntrain = 0.0\ndev = 0.0\n")
    done = run("judge", "spend", "--study", study.folder)
    assert "lead opened 0 dev items and 3 test items" in done.stdout
    assert "train" not in done.stdout


def test_a_lead_who_opened_them_can_be_erased_and_it_stays_on_record(study: Study) -> None:
    with Store.open(study.database) as store:
        spend(store, ensure_person(store, "lea", lead=True))
        pseudonym = erase(store, "lea")
        look = spent(store)
        assert look is not None and look.lead == pseudonym
        assert verify(store) == []


def test_somebody_whose_lead_ended_meanwhile_is_refused(study: Study) -> None:
    with Store.open(study.database) as store:
        lea = ensure_person(store, "lea", lead=True)
        revoke(store, "lea")
        with pytest.raises(LeadRefused, match="Only a lead"):
            spend(store, Person(lea.code, lea.handle, "lead"))
