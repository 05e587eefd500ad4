"""Ending somebody's access, and erasing a person: what goes at once, what stays, and that nothing else can go that way."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from data.errors import DeskRefused, StoreError
from data.gold import Policy, freeze
from data.store import Store
from data.store.desk import save_draft
from data.store.erasure import clean, erase, words_of
from data.store.people import ensure_person, exchange_link, new_link_token, people, person_named, person_of_session, revoke
from data.store.tallying import tally
from data.study import Study
from data.verify import verify
from reports.document import agreement_document
from tests.conftest import Run
from tests.served_study import ORIGIN, serve
from tests.served_study import make_study as make_served
from tests.study_maker import Sitting, draw_batch, label, make_study, numbered, verdict

WORDS = "Her-own-words-about-it"


def person(study: Study, handle: str) -> tuple[str, str]:
    """A session, and a link that was not used."""
    with Store.open(study.database) as store:
        who = ensure_person(store, handle, lead=False)
        return exchange_link(store, new_link_token(store, who)) or "", new_link_token(store, who)


def test_revoking_ends_sessions_and_links_and_frees_what_was_held_at_once(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(4))
    draw_batch(study, 4)
    with Sitting(study, "ana") as ana, Sitting(study, "ben") as ben:
        done = ana.claim()[0]
        ana.label(done)
        held = ana.claim()
        assert len(held) == 3 and ben.claim() == [], "ana holds all that is left"
        session, link = person(study, "ana")
        with Store.open(study.database) as store:
            ended = revoke(store, "ana")
            assert (ended.sessions, ended.links, ended.leases) == (1, 1, 3)
            assert person_of_session(store, session) is None and exchange_link(store, link) is None
            assert [p.state for p in people(store) if p.handle == "ana"] == ["revoked"]
            assert verify(store) == []
        assert len(ben.claim()) == 3
        with pytest.raises(DeskRefused, match="access has ended"):
            ana.label(held[0])
        assert ana.one("SELECT count(*) FROM label_events") == 1, "her label stays, and no other came"
        ensure_person(ana.store, "ana", lead=False)
        assert not ana.label(held[0]) and ana.one("SELECT surplus FROM label_events WHERE seq = 2") == 1


def test_a_revoked_annotators_next_request_is_answered_401_until_she_is_added_again(tmp_path: Path) -> None:
    served = serve(make_served(tmp_path / "study"))
    with served.browser("ana") as browser, Store.open(served.study.database) as store:
        body = {"outbox": "o-1", "events": []}
        first = browser.post("/desk/events", json=body, headers=ORIGIN)
        ref = first.json()["state"]["queue"][0]["ref"]
        revoke(store, "ana")
        for answer in (
            browser.post("/desk/events", json=body, headers=ORIGIN),
            browser.get(f"/desk/items/{ref}", headers=ORIGIN),
            browser.get("/", headers=ORIGIN),
        ):
            assert answer.status_code == 401
    with served.browser("ana") as again:
        assert again.post("/desk/events", json=body, headers=ORIGIN).status_code == 200


def test_a_request_that_was_already_through_the_door_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve(make_served(tmp_path / "study"))
    with served.browser("ana") as browser, Store.open(served.study.database) as store:
        ana = person_named(store, "ana")
        revoke(store, "ana")
        monkeypatch.setattr(type(served.serving), "person", lambda *_: ana)
        answer = browser.post("/desk/events", json={"outbox": "o-1", "events": []}, headers=ORIGIN)
        assert (answer.status_code, store.conn.execute("SELECT count(*) FROM assignments").fetchone()) == (401, (0,))


def test_the_last_lead_can_be_neither_revoked_nor_erased(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(1))
    with Store.open(study.database) as store:
        for end in (revoke, erase):
            with pytest.raises(StoreError, match="only lead"):
                end(store, "lead")
            with pytest.raises(StoreError, match="nobody called 'nobody'"):
                end(store, "nobody")
        ensure_person(store, "second", lead=True)
        revoke(store, "lead")
        with pytest.raises(StoreError, match="only lead"):
            revoke(store, "second")


def written_study(folder: Path) -> Study:
    """Ana and ben label and write; ana also has a draft, a flag, a skip, a session, an imported label, and a named gold set."""
    lines = numbered(8, verdicts=[verdict("misaligned")])
    lines[0]["labels"] = [label("ana", "aligned", rationale=WORDS)]
    study = make_study(folder / "study", lines)
    draw_batch(study, 8, overlap=2)
    person(study, "ana")
    with Sitting(study, "ana") as ana, Sitting(study, "ben") as ben:
        for who in (ana, ben):
            refs = who.claim()
            who.do("flag", refs[0], reason=f"flag {WORDS if who is ana else 'kept'}")
            who.label(refs[0], "misaligned", rationale=WORDS if who is ana else "kept", evidence=(0,))
            who.label(refs[1], "aligned")
            who.do("skip", refs[2], reason=WORDS if who is ana else "kept")
        held = ana.claim()[0]
        save_draft(ana.desk, held, ana.read(held) or "", {"rationale": f"draft {WORDS}"})
        freeze(ana.store, study, "named", Policy(min_labels=1, names=True), {"questions": []})
        freeze(ana.store, study, "hidden", Policy(min_labels=1), {"questions": []})
    return study


def bytes_of(study: Study) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(study.folder.glob("study.db*")))


def figures(study: Study, store: Store, *names: str) -> str:
    """The agreement document with `names` (in alphabetical order, as the document has them) under one name."""
    text = json.dumps(agreement_document(study.name, tally(store, study, None, "all")), sort_keys=True)
    for name in names:
        text = text.replace(f"human:{name}", "human:SOMEBODY")
    return text


def test_erasing_takes_name_and_words_out_of_every_byte_and_changes_no_figure(tmp_path: Path) -> None:
    study = written_study(tmp_path)
    assert WORDS.encode() in bytes_of(study)
    with Store.open(study.database) as store:
        kept = "seq, annotator, action, choice, evidence, text_hash, chain"
        events = store.conn.execute(f"SELECT {kept} FROM label_events").fetchall()
        before = figures(study, store, "ana")
        words = words_of(store, person_named(store, "ana"))
        assert (words.labels, words.texts, words.drafts, words.gold_sets) == (5, 4, 1, ["named"])
        name = erase(store, "ana")
        assert clean(store) == ""
        assert store.conn.execute(f"SELECT {kept} FROM label_events").fetchall() == events
        # ben stands before erased-… and stood after ana, so of the human pair the two sides change places.
        assert len(figures(study, store, name)) == len(before)
        assert {p.handle: p.state for p in people(store)} == {"ben": "", "lead": "", name: "erased"}
        assert verify(store) == []
        assert store.conn.execute("SELECT count(*) FROM label_events WHERE rationale = 'kept'").fetchone() == (1,)
    assert WORDS.encode() not in bytes_of(study)
    left = [row for row in sqlite3.connect(study.database).iterdump() if "'ana'" in row or '"ana"' in row]
    assert left and all("gold_items" in row for row in left), "only the gold set that was frozen with names keeps it"


def test_pair_by_pair_the_figures_are_those_from_before(tmp_path: Path) -> None:
    study = written_study(tmp_path)

    def values(store: Store, handle: str) -> dict[str, object]:
        (question,) = agreement_document(study.name, tally(store, study, None, "all"))["questions"]
        pairs = [*question["pairs"], *question["human_human"]["pairs"]]
        named = {"/".join(sorted(pair[side].replace(handle, "X") for side in ("rows", "columns"))): pair for pair in pairs}
        return {who: {key: pair[key] for key in ("n", "kappa", "observed_agreement")} for who, pair in named.items()}

    with Store.open(study.database) as store:
        before = values(store, "ana")
        assert values(store, erase(store, "ana")) == before and len(before) == 4


def test_what_is_erased_cannot_come_back_and_nobody_takes_the_pseudonym(tmp_path: Path) -> None:
    study = written_study(tmp_path)
    with Store.open(study.database) as store:
        name = erase(store, "ana")
        for attempt in (
            "UPDATE label_events SET rationale = 'back' WHERE rationale IS NULL",
            "UPDATE label_events SET rationale = NULL WHERE rationale = 'kept'",
            "UPDATE label_events SET reason = NULL, rationale = NULL, text_salt = NULL",
            "UPDATE label_events SET text_salt = 'x'",
            "DELETE FROM erasures",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="keeps what was recorded"):
                store.conn.execute(attempt)
        with pytest.raises(StoreError, match="was erased"):
            ensure_person(store, name, lead=False)
        assert erase(store, name) == name
        code = person_named(store, name).code
        assert ensure_person(store, "ana", lead=False).code != code, "a new person"
        assert verify(store) == []


def test_short_words_cannot_be_guessed_back_from_what_stays(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(2, labels=[label("ana", "aligned", rationale="ok")]))
    with Store.open(study.database) as store:
        hashes = {row[0] for row in store.conn.execute("SELECT text_hash FROM label_events")}
        assert len(hashes) == 2, "the same words of the same person have different hashes"
        erase(store, "ana")
        assert store.conn.execute("SELECT count(text_salt) FROM label_events").fetchone() == (0,)


def test_the_log_that_a_reader_holds_back_is_said_and_a_second_run_cleans_it(tmp_path: Path) -> None:
    study = written_study(tmp_path)
    reader = sqlite3.connect(study.database, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM label_events").fetchone()
    with Store.open(study.database) as store:
        store.conn.execute("PRAGMA busy_timeout=50")
        name = erase(store, "ana")
        assert "reading" in clean(store)
        assert WORDS.encode() in bytes_of(study)
        reader.close()
        assert erase(store, name) == name and clean(store) == ""
    assert WORDS.encode() not in bytes_of(study)


def test_labelling_goes_on_while_somebody_is_erased(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", numbered(60, labels=[label("ana", "aligned", rationale=WORDS)]))
    draw_batch(study, 60)
    labelled: list[str] = []

    def work() -> None:
        with Sitting(study, "ben") as ben:
            labelled.extend(ben.label_all({}))

    worker = threading.Thread(target=work)
    worker.start()
    with Store.open(study.database) as store:
        erase(store, "ana")
        clean(store)
        worker.join()
        assert len(labelled) == 60 and verify(store) == [] and clean(store) == ""
    assert WORDS.encode() not in bytes_of(study)


def test_the_commands_say_what_went_and_what_remains(tmp_path: Path, run: Run) -> None:
    study = written_study(tmp_path)
    revoked = run("annotators", "revoke", "ben", "--study", study.folder)
    assert (revoked.returncode, revoked.stderr) == (0, "")
    assert "0 sessions and 0 unused links ended" in revoked.stdout and "Labels stay" in revoked.stdout
    erased = run("annotators", "erase", "ana", "--study", study.folder)
    assert erased.returncode == 0 and "4 texts and 1 draft go" in erased.stderr
    for remains in ("gold set 'named'", "backups", "exported files"):
        assert remains in erased.stderr
    listed = run("annotators", "list", "--study", study.folder).stdout.splitlines()
    assert listed[0] == "ben\tannotator\trevoked" and listed[1].endswith("\terased") and listed[2] == "lead\tlead"
    assert "ana" not in run("labels", "--study", study.folder).stdout
    assert run("annotators", "erase", "ana", "--study", study.folder).refused()[0] == "There is nobody called 'ana'."
    # Nothing is announced, or asked back, of what will not be done.
    assert run("annotators", "erase", "lead", "--study", study.folder).refused()[0] == "lead is the only lead."
    assert run("verify", "--study", study.folder).returncode == 0
