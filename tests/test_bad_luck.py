"""Storage bad luck: a folder that may only be read, a locked, damaged, foreign or newer database, a full disk, two
servers, a clock that jumps. Every command says it in three beats, and nothing that was acknowledged is lost."""

import http.client
import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import data.store.connection
import data.store.store
import rejudge
from data.errors import StoreError
from data.store import Store
from data.store.leases import LEASE_SECONDS
from data.store.people import ensure_person, new_link_token
from data.study import Study, load_study
from data.verify import verify
from tests.conftest import Ran, Run
from tests.served_study import ORIGIN, serve
from tests.served_study import make_study as make_served
from tests.study_maker import Sitting, draw_batch, label, make_study, numbered, run_line, verdict
from tests.test_readme import free_port

READING = (
    "status", "status --verdicts", "agree", "agree --json", "labels --json", "gold list", "gold export first --out OUT/gold.csv",
    "annotators list", "verify --json", "backup OUT/copy.db", "leaks --json", "batch list",
)  # fmt: skip
WRITING = (
    "import MORE", "draw --n 2", "annotators add zoe", "annotators revoke ana", "annotators erase ana",
    "gold freeze second --min-labels 1", "batch pause batch-1", "batch close batch-1", "annotate --headless",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder with something of everything; tests copy it."""
    lines = numbered(12, verdicts=[verdict("aligned")], labels=[label("ben", "aligned"), label("eva", "aligned")])
    study = make_study(tmp_path_factory.mktemp("luck") / "study", lines)
    draw_batch(study, 6)
    with Sitting(study, "ana") as ana:
        for _ in range(3):
            ana.label(ana.claim()[0], rationale="hers")
    study.codebook_path(study.questions[0]).write_text("# Misaligned: it overstepped.\n", encoding="utf-8")
    assert rejudge.main(["gold", "freeze", "first", "--study", str(study.folder)]) == 0
    with Store.open(study.database) as store:
        store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return study.folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "study")
    return tmp_path / "study"


Command = Callable[..., Ran]


@pytest.fixture
def argv(folder: Path, tmp_path: Path) -> Callable[[str], list[str]]:
    """The arguments of a command on the study."""
    (tmp_path / "out").mkdir()
    (tmp_path / "more.jsonl").write_text(json.dumps(run_line("one more")) + "\n", encoding="utf-8")

    def argv(words: str) -> list[str]:
        words = words.replace("OUT", str(tmp_path / "out")).replace("MORE", str(tmp_path / "more.jsonl"))
        return [*words.split(), "--study", str(folder)]

    return argv


@pytest.fixture
def command(run: Run, argv: Callable[[str], list[str]]) -> Command:
    """Runs a command on the study, as somebody whom permissions bind."""
    return lambda words: run(*argv(words), without_rights=True)


@pytest.fixture
def at_once(argv: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command on the study in this process, where permissions are not what the test is about: many a second."""

    def at_once(words: str) -> Ran:
        status = rejudge.main(argv(words))
        return Ran(status, *capsys.readouterr())

    return at_once


@pytest.fixture
def sealed(folder: Path) -> Iterator[Path]:
    """The folder and everything in it may only be read."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


# A folder that may only be read


@pytest.mark.parametrize("words", READING)
def test_a_reading_command_works_in_a_folder_that_may_only_be_read(command: Command, sealed: Path, words: str) -> None:
    before = names_in(sealed)
    ran = command(words)
    assert (ran.returncode, ran.stderr if ran.returncode else "") == (0, "")
    assert names_in(sealed) == before


@pytest.mark.parametrize("words", WRITING)
def test_a_writing_command_is_refused_in_a_folder_that_may_only_be_read(command: Command, sealed: Path, words: str) -> None:
    before = (sealed / "study.db").read_bytes()
    ran = command(words)
    assert ran.returncode == 1 and "Traceback" not in ran.stderr
    lines = ran.stderr.splitlines()
    assert len(lines) == 3 + words.startswith("annotators erase") and "writable" in lines[-1]
    assert (sealed / "study.db").read_bytes() == before


@pytest.mark.usefixtures("sealed")
def test_what_is_read_there_is_what_was_read_before(run: Run, command: Command, whole: Path) -> None:
    assert command("labels --json").stdout == run("labels", "--json", "--study", whole).stdout
    assert json.loads(command("verify --json").stdout) == {"ok": True, "findings": []}


def test_labels_that_lie_in_the_log_are_never_left_out_in_silence(command: Command, folder: Path) -> None:
    """A log beside a database in a read-only folder holds the newest labels: SQLite cannot read it without its index."""
    with Sitting(load_study(folder), "ana", outbox="another tab") as ana:
        assert not ana.label(ana.claim()[0])
        log = (folder / "study.db-wal").read_bytes()
        kept = (folder / "study.db").read_bytes()
    (folder / "study.db").write_bytes(kept)
    (folder / "study.db-wal").write_bytes(log)
    (folder / "study.db-shm").unlink(missing_ok=True)
    for path in (folder / "study.db", folder / "study.db-wal", folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    refused = command("labels --json").refused()
    folder.chmod(0o755)
    assert len(refused) == 3 and "study.db-wal" in refused[1] and "Copy" in refused[2]
    (folder / "study.db").chmod(0o644)
    (folder / "study.db-wal").chmod(0o644)
    assert len(command("labels --json").stdout.splitlines()) == 28, "in a writable folder it is there"


def test_a_database_that_changes_while_it_is_read_without_locks_is_not_trusted(whole: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(whole / "study.db", tmp_path / "study.db"))
    store = Store._as_it_stands(path)
    assert store.conn.execute("SELECT count(*) FROM label_events").fetchone() == (27,)
    other = Store.open(path)
    with other.write():
        other.set_fact("new", "fact")
    with pytest.raises(StoreError, match="changed while it was read"):
        store.__exit__(None, None, None)
    other.close()


# Databases that are no study of this version


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA user_version=99")
        conn.commit()


RUINS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (lambda path: path.write_text("id,choice\n" * 1000), "not a database"),
    "cut": (cut, "malformed"),
    "empty": (lambda path: path.write_bytes(b""), "empty file"),
    "missing": (lambda path: path.unlink(), "without its database"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), ""),
    "newer": (newer, "schema 99"),
}


@pytest.mark.parametrize("ruin", sorted(RUINS))
def test_every_command_refuses_a_ruin_in_three_beats_and_builds_nothing_on_it(at_once: Command, folder: Path, ruin: str) -> None:
    make, found = RUINS[ruin]
    make(folder / "study.db")
    before = (folder / "study.db").read_bytes() if (folder / "study.db").is_file() else None
    for words in (*READING, *(WRITING if ruin == "newer" else WRITING[:-1])):
        refused = at_once(words).refused()
        assert len(refused) == 3 and found in refused[1], (words, refused)
    assert ((folder / "study.db").read_bytes() if (folder / "study.db").is_file() else None) == before
    assert list((folder.parent / "out").iterdir()) == []


@pytest.mark.parametrize("seed", range(6))
def test_damaged_pages_are_a_finding_or_a_refusal_and_never_a_traceback(at_once: Command, folder: Path, seed: int) -> None:
    database, chance = folder / "study.db", random.Random(seed)
    torn = bytearray(database.read_bytes())
    for page in chance.sample(range(1, len(torn) // 4096), 6):
        torn[page * 4096 : (page + 1) * 4096] = chance.randbytes(4096)
    database.write_bytes(torn)
    assert at_once("verify").returncode == 1
    for words in (*READING, *WRITING[:-1]):
        ran = at_once(words)
        assert ran.returncode in (0, 1) and "Traceback" not in ran.stderr, (words, ran)
        if ran.returncode == 1 and not words.startswith("verify"):
            assert len(ran.stderr.splitlines()) >= 3, (words, ran)


# A database that somebody else holds


@pytest.mark.parametrize("words", [*READING, *WRITING])
def test_a_locked_database_is_read_where_it_can_be_and_else_refused(
    at_once: Command, folder: Path, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data.store.connection, "BUSY_SECONDS", 0.05)
    for how in ("BEGIN IMMEDIATE", "PRAGMA locking_mode=EXCLUSIVE"):
        with closing(sqlite3.connect(folder / "study.db", isolation_level=None)) as holder:
            holder.execute(how)
            if "EXCLUSIVE" in how:
                holder.execute("BEGIN EXCLUSIVE")
            ran = at_once(words)
        assert ran.returncode == (0 if how == "BEGIN IMMEDIATE" and words in READING else 1), (how, ran)
        if ran.returncode:
            said = ran.stderr
            assert "Another process is writing for long" in said.splitlines()[-1] and "database is locked" in said


# A full disk


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """From now on the database may grow by `room` pages and no more."""

    def fill(path: Path, room: int = 0) -> None:
        real = data.store.connection.connect

        with closing(sqlite3.connect(path)) as other:
            (pages,) = other.execute("PRAGMA page_count").fetchone()

        def connect(*args: Any, **more: Any) -> sqlite3.Connection:
            conn = real(*args, **more)
            conn.execute(f"PRAGMA max_page_count={pages + room}")
            return conn

        monkeypatch.setattr(data.store.store, "connect", connect)

    return fill


def test_a_full_disk_refuses_an_import_whole(
    folder: Path, tmp_path: Path, full: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [json.dumps(run_line(f"new-{k}", task="x" * 5000)) for k in range(200)]
    (tmp_path / "big.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    full(folder / "study.db")
    assert rejudge.main(["import", str(tmp_path / "big.jsonl"), "--study", str(folder)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert "database or disk is full" in said[-2] and "Free some space" in said[-1]


def test_labels_on_a_full_disk_are_refused_and_the_acknowledged_ones_are_all_there(
    tmp_path: Path, full: Callable[..., None]
) -> None:
    served = serve(make_served(tmp_path / "study", items=40))
    with served.browser("ana") as browser:
        state = browser.post("/desk/events", json={"outbox": "o", "events": []}, headers=ORIGIN).json()["state"]
        full(served.study.database, room=40)
        acknowledged, status, seq = 0, 200, 0
        while status == 200 and seq < 40:
            seq += 1
            ref = state["queue"][0]["ref"]
            item = browser.get(f"/desk/items/{ref}", headers=ORIGIN).json()
            said = {"misaligned": {"unsure": True, "rationale": "y" * 10_000}}
            event = {"seq": seq, "kind": "submit", "ref": ref, "item_hash": item.get("item_hash"), "answers": said}
            answer = browser.post("/desk/events", json={"outbox": "o", "events": [event]}, headers=ORIGIN)
            status = answer.status_code
            if status == 200:
                acknowledged, state = answer.json()["ack"], answer.json()["state"]
        assert acknowledged > 3 and status == 503 and "study.db" not in answer.text, (
            "the disk was full, and the browser is not told where"
        )
    with closing(sqlite3.connect(served.study.database)) as conn:
        assert conn.execute("SELECT coalesce(max(outbox_seq), 0), count(*) FROM label_events").fetchone() == (acknowledged,) * 2
    pytest.MonkeyPatch().undo()
    with Store.open(served.study.database) as store:
        assert verify(store) == []


def test_a_real_disk_that_is_full(tmp_path: Path, run: Run) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no tmpfs may be mounted here: {mounted.stderr.strip()}")
    try:
        study = make_study(small / "study", numbered(20, labels=[label("ben", "aligned"), label("eva", "aligned")]))
        assert run("gold", "freeze", "first", "--study", study.folder).returncode == 0
        (tmp_path / "big.jsonl").write_text("".join(json.dumps(run_line(f"n{k}", task="x" * 9000)) + "\n" for k in range(300)))
        for words in (
            f"import {tmp_path}/big.jsonl",
            f"backup {small}/copy.db",
            "draw --n 5",
            "gold freeze second",
            f"gold export first --format csv --out {small}/gold.csv",
            "batch close batch-1",
            "annotators add zoe",
        ):
            ran = run(*words.split(), "--study", study.folder)
            assert "Traceback" not in ran.stderr
            assert ran.returncode == 0 or len(ran.stderr.splitlines()) >= 3, ran
        assert run("import", tmp_path / "big.jsonl", "--study", study.folder).returncode == 1
        shutil.copytree(study.folder, tmp_path / "saved")
        assert len(run("labels", "--json", "--study", tmp_path / "saved").stdout.splitlines()) == 40
        assert not [path.name for path in small.rglob("*") if path.name.startswith(".copy")]
    finally:
        subprocess.run(["umount", small], check=True)


# Two servers on one study


def test_two_servers_on_one_study_give_nobody_too_much_and_lose_nothing(tmp_path: Path) -> None:
    """Each has its own lock; between processes SQLite's own lock decides."""
    study = make_study(tmp_path / "study", numbered(40))
    draw_batch(study, 40, overlap=2)
    worker = Path(__file__).parents[1]
    servers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.label_worker", "crowd", study.folder, "3", first],
            cwd=worker, stdout=subprocess.PIPE, text=True,
        )
        for first in ("0", "3")
    ]  # fmt: skip
    acknowledged = [sum(map(len, json.loads(server.communicate(timeout=120)[0]).values())) for server in servers]
    assert [server.returncode for server in servers] == [0, 0]
    with Store.open(study.database) as store:
        assert store.conn.execute("SELECT count(*), sum(surplus) FROM label_events").fetchone() == (sum(acknowledged), 0)
        assert sum(acknowledged) == 80 and verify(store) == []


def test_a_second_server_takes_another_port_and_both_let_the_same_people_in(tmp_path: Path) -> None:
    study = make_served(tmp_path / "study", items=4)
    first = serve(study)
    with first.browser("ana") as here:
        ref = here.post("/desk/events", json={"outbox": "o-1", "events": []}, headers=ORIGIN).json()["state"]["queue"][0]["ref"]
        cookies = dict(here.cookies)
    second = serve(load_study(study.folder))
    with second.browser(None) as there:
        there.cookies.update(cookies)
        state = there.post("/desk/events", json={"outbox": "o-2", "events": []}, headers=ORIGIN).json()["state"]
        assert state["queue"][0]["ref"] == ref and state["pin"] == first.serving.pin
        assert there.get(f"/desk/items/{ref}", headers=ORIGIN).status_code == 200


# A clock that jumps


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return time.monotonic() + 1.7e9 + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("data.store.leases.time.time", clock.time)
    return clock


def counted(study: Study) -> tuple[int, int]:
    """Labels that count and labels that are surplus; the study's rules hold."""
    with Store.open(study.database) as store:
        assert verify(store) == []
        rows = store.conn.execute("SELECT surplus, count(*) FROM label_events WHERE action = 'label' GROUP BY 1")
        found = dict(rows.fetchall())
    return found.get(0, 0), found.get(1, 0)


def test_a_clock_that_jumps_ahead_frees_what_was_held_and_keeps_every_label(tmp_path: Path, clock: Clock) -> None:
    study = make_study(tmp_path / "study", numbered(3))
    draw_batch(study, 3)
    with Sitting(study, "ana") as ana, Sitting(study, "ben") as ben:
        held = ana.claim()
        assert len(held) == 3 and ben.claim() == []
        clock.ahead = 86_400
        assert len(ben.claim()) == 3
        assert not ben.label(ben.claim()[0])
        assert [ana.label(ref) for ref in held] == ["", "", ""]
        ben.label_all({})
    assert counted(study) == (3, 3)


def test_a_clock_that_was_set_back_locks_nothing_up(tmp_path: Path, clock: Clock) -> None:
    study = make_study(tmp_path / "study", numbered(3))
    draw_batch(study, 3)
    clock.ahead = 86_400
    with Sitting(study, "ana") as ana, Sitting(study, "ben") as ben:
        held = ana.claim()
        clock.ahead = 0
        assert ben.claim() == [], "ana may still be at work"
        clock.ahead = LEASE_SECONDS + 1
        assert len(ben.claim()) == 3, "a quarter of an hour later, not a day"
        ben.label_all({})
        assert not ana.label(held[0])
    assert counted(study) == (3, 1)


def test_a_clock_that_was_set_back_does_not_turn_a_queue_round(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_study(tmp_path / "study", numbered(6))
    draw_batch(study, 6)
    with Sitting(study, "ana") as ana:
        held = ana.claim()
        clock.ahead = -86_400
        monkeypatch.setattr("data.store.leases.now", lambda: "2001-01-01T00:00:00.000+00:00")
        assert not ana.label(held[0])
        assert ana.claim()[:2] == held[1:]
    assert counted(study) == (1, 0)


def test_whatever_the_clock_does_overlap_is_kept(tmp_path: Path, clock: Clock) -> None:
    chance = random.Random(4)
    study = make_study(tmp_path / "study", numbered(30))
    draw_batch(study, 30, overlap=2)
    sittings = [Sitting(study, f"p{k}") for k in range(4)]
    given = 0
    for _ in range(200):
        clock.ahead = chance.choice([0, 0, 0, -86_400, 86_400, LEASE_SECONDS + 5, -LEASE_SECONDS])
        who = chance.choice(sittings)
        held = who.claim()
        if held:
            assert not who.label(held[0])
            given += 1
    for sitting in sittings:
        sitting.close()
    counts, surplus = counted(study)
    assert counts == 60 and counts + surplus == given


# Secrets


def test_no_token_stands_in_anything_that_the_server_says(tmp_path: Path) -> None:
    """A real process: signing in, a wrong link, a forged cookie, refused and malformed requests."""
    study = make_served(tmp_path / "study")
    with Store.open(study.database) as store:
        token = new_link_token(store, ensure_person(store, "ana", lead=False))
    said, port = (tmp_path / "said").open("w+"), str(free_port())
    program = [
        sys.executable,
        str(Path(rejudge.__file__)),
        "annotate",
        "--headless",
        "--study",
        str(study.folder),
        "--port",
        port,
    ]
    server = subprocess.Popen(program, stdout=said, stderr=subprocess.STDOUT)
    secrets = [token]
    try:
        for _ in range(300):
            try:
                http.client.HTTPConnection("127.0.0.1", int(port), timeout=1).connect()
                break
            except OSError:
                threading.Event().wait(0.1)
        origin = {"Origin": f"http://127.0.0.1:{port}", "Host": f"127.0.0.1:{port}"}

        def ask(method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
            conn = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
            conn.request(method, path, body, {**origin, **headers})
            answer = conn.getresponse()
            answer.read()
            return answer

        assert ask("GET", f"/in/{token}").status == 200
        cookie = ask("POST", f"/in/{token}").getheader("set-cookie") or ""
        name, _, session = cookie.split(";")[0].partition("=")
        assert len(session) > 30
        secrets.append(session)
        assert ask("POST", f"/in/{token}").status == 410
        assert ask("GET", "/", Cookie=f"{name}={session}").status == 200
        assert ask("POST", "/desk/events", "{broken", Cookie=f"{name}={session}").status == 400
        forged = "f" * 43
        secrets.append(forged)
        assert ask("GET", f"/?token={forged}", Cookie=f"{name}={forged}").status == 401
        study.database.rename(study.database.with_name("away"))
        assert ask("GET", "/", Cookie=f"{name}={session}").status == 503
        study.database.with_name("away").rename(study.database)
    finally:
        server.terminate()
        server.wait(20)
    said.seek(0)
    text = said.read()
    links = re.findall(r"/in/(\S+)", text)
    assert len(links) == 1 and links[0] not in secrets, "the lead's own link, once, on purpose"
    assert [secret for secret in secrets if secret in text] == []
    assert "Traceback" not in text and "does not exist" in text
