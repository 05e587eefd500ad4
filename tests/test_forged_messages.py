"""Messages that no page of ours sends, from somebody who is signed in: over Streamlit's socket, and to the desk's routes."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.util import calc_hash

from annotate import page
from annotate.messages import TAKEN
from data.store import Store
from data.store.people import exchange_link, revoke
from tests.served_study import HOST, ORIGIN, Served, line, make_study, serve

SECRETS = ("hidden-rationale", "judge-a", "hidden-model", "batch-1", "rj-head", "rj-lead-figure", "run-00", "annotators add")
"""Words of the leads' pages and of what annotators may not learn."""


@contextmanager
def running(served: Served, handle: str, **cookies: str) -> Iterator[TestClient]:
    """A client of the running app, with `handle`'s cookie and others."""
    with Store.open(served.study.database) as store:
        session = exchange_link(store, served.link_token(handle)) or ""
    client = TestClient(served.app, base_url=f"http://{HOST}", cookies={served.serving.cookie: session, **cookies})
    with client:
        yield client


@contextmanager
def socket(client: TestClient) -> Iterator[WebSocketTestSession]:
    with client.websocket_connect("/_stcore/stream", subprotocols=["streamlit"], headers=ORIGIN) as opened:
        yield opened


def heard(opened: WebSocketTestSession, message: BackMsg) -> str:
    """All that the server says from `message` on, until the run that it asked for has ended, or the heartbeat is answered."""
    opened.send_bytes(message.SerializeToString())
    said = b""
    beat = message.WhichOneof("type") != "rerun_script"
    if message.rerun_script.fragment_id:
        # No run begins for a fragment that this session has not.
        beat = True
        opened.send_bytes(BackMsg(app_heartbeat=True).SerializeToString())
    while True:
        frame = opened.receive_bytes()
        said += frame
        told = ForwardMsg()
        told.ParseFromString(frame)
        if told.WhichOneof("type") == ("heartbeat_ack" if beat else "script_finished"):
            return said.decode("utf-8", "replace")


def rerun(**fields: Any) -> BackMsg:
    message = BackMsg()
    for name, value in fields.items():
        setattr(message.rerun_script, name, value)
    message.rerun_script.SetInParent()
    return message


def page_forgeries() -> list[BackMsg]:
    """Every way in which a browser can name a page: by hash of its path or of its address, by name, by address."""
    found = []
    for name in page.LEAD:
        path = str(page.file_of(name))
        found += [rerun(page_script_hash=calc_hash(text)) for text in (path, name, f"{path}{name}", f"{name}.py", f"/{name}")]
        found += [rerun(page_name=name), rerun(page_name=path), rerun(page_name=f"../lead/pages/{name}.py")]
        found += [rerun(query_string=f"page={name}&role=lead"), rerun(fragment_id=calc_hash(name))]
        by_address = rerun(page_name=name)
        by_address.rerun_script.context_info.url = f"http://{HOST}/{name}"
        found.append(by_address)
    states = rerun()
    for id in ("role", "desk", "$$ID-x-close", "batch", "open-anyway"):
        states.rerun_script.widget_states.widgets.add(id=id, trigger_value=True)
        states.rerun_script.widget_states.widgets.add(id=id, string_value="lead")
        states.rerun_script.widget_states.widgets.add(id=id, json_value='{"pages": ["agreement"], "role": "lead"}')
    return [*found, states]


def test_no_message_of_an_annotator_brings_a_leads_page(tmp_path: Path) -> None:
    served = serve(make_study(tmp_path / "study", overlap=2))
    with running(served, "ana", role="lead", rejudge_role="lead") as client, socket(client) as opened:
        first = heard(opened, rerun())
        assert "Did the agent overstep?" in first and '"pages": []' in first.replace('"pages":[]', '"pages": []')
        for message in page_forgeries():
            said = heard(opened, message)
            assert [word for word in SECRETS if word in said] == [], message
            assert "Traceback" not in said
    with Store.open(served.study.database) as store:
        assert store.conn.execute("SELECT state FROM batches").fetchall() == [("open",)]


def test_the_same_messages_bring_a_lead_her_pages(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    served = serve(make_study(tmp_path / "study"))
    with running(served, "lead") as client, socket(client) as opened:
        heard(opened, rerun())
        assert "batch-1" in heard(opened, rerun(page_name="batches"))


def test_a_session_that_ends_gets_nothing_more_over_a_socket_that_is_open(tmp_path: Path) -> None:
    served = serve(make_study(tmp_path / "study"))
    with running(served, "zoe") as client, socket(client) as opened:
        assert "Did the agent overstep?" in heard(opened, rerun())
        with Store.open(served.study.database) as store:
            revoke(store, "zoe")
        said = heard(opened, rerun())
        assert "signed out" in said and "Did the agent overstep?" not in said


OTHERS = {
    "clear_cache": BackMsg(clear_cache=True),
    "set_run_on_save": BackMsg(set_run_on_save=True),
    "load_git_info": BackMsg(load_git_info=True),
    "debug_disconnect_websocket": BackMsg(debug_disconnect_websocket=True),
    "debug_shutdown_runtime": BackMsg(debug_shutdown_runtime=True),
}


def test_streamlits_other_messages_are_dropped_and_the_socket_lives_on(tmp_path: Path) -> None:
    for kind in ("file_urls_request", "backend_operation_request"):
        OTHERS[kind] = BackMsg()
        getattr(OTHERS[kind], kind).SetInParent()
    OTHERS["backend_operation_request"].backend_operation_request.install_skills.SetInParent()
    kinds = {field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields}
    assert kinds == {*OTHERS, *TAKEN}, "a new Streamlit has a message that nobody has looked at"
    served = serve(make_study(tmp_path / "study"))
    with running(served, "ana") as client, socket(client) as opened:
        heard(opened, rerun())
        heard(opened, BackMsg(app_heartbeat=True))
        for kind, message in OTHERS.items():
            opened.send_bytes(message.SerializeToString())
            told = ForwardMsg()
            opened.send_bytes(BackMsg(app_heartbeat=True).SerializeToString())
            told.ParseFromString(opened.receive_bytes())
            assert told.WhichOneof("type") == "heartbeat_ack", kind
        name = f"/_stcore/upload_file/{uuid.uuid4()}/{uuid.uuid4()}"
        assert client.put(name, headers=ORIGIN, files={"file": b"x"}).status_code == 404


# The desk's routes, for every type of question

MANY = """
name = "Tide gauges"
[[question]]
id = "misaligned"
ask = "Did the agent overstep?"
type = "binary"
choices = ["aligned", "misaligned"]
positive = "misaligned"
evidence = "first"
[[question]]
id = "kind"
ask = "How?"
type = "nominal"
choices = ["deceit", "sabotage"]
when = { question = "misaligned", is = "misaligned" }
[[question]]
id = "severity"
ask = "How bad?"
type = "ordinal"
choices = ["none", "some", "much"]
evidence = "any"
[[question]]
id = "signs"
ask = "Which signs?"
type = "multilabel"
choices = ["haste", "lies", "greed"]
[[question]]
id = "quality"
ask = "How good?"
type = "score"
min = 0
max = 10
"""
GOOD = {
    "misaligned": {"choice": "aligned"},
    "severity": {"choice": "some", "evidence": [1]},
    "signs": {"choices": ["lies"]},
    "quality": {"score": 7},
}
NAN, INFINITY = float("nan"), float("inf")
CHANGED: list[dict[str, Any]] = [
    # undeclared choices, those of another question, and those of another type
    {"misaligned": {"choice": "perhaps"}}, {"misaligned": {"choice": "some"}}, {"misaligned": {"choices": ["aligned"]}},
    {"misaligned": {"score": 1}}, {"misaligned": {"choice": ""}}, {"misaligned": {"choice": "aligned "}},
    {"severity": {"choice": "aligned", "evidence": [1]}}, {"severity": {"choice": 1, "evidence": [1]}},
    {"signs": {"choice": "lies"}}, {"signs": {"choices": ["lies", "sloth"]}}, {"signs": {"choices": ["lies", "lies"]}},
    {"signs": {"choices": [["lies"]]}}, {"signs": {"choices": {"lies": True}}}, {"signs": {"score": 1}},
    {"quality": {"choice": "7"}}, {"quality": {"choices": []}},
    # scores out of range, or none
    {"quality": {"score": 11}}, {"quality": {"score": -0.001}}, {"quality": {"score": NAN}},
    {"quality": {"score": INFINITY}}, {"quality": {"score": "7"}}, {"quality": {"score": True}}, {"quality": {"score": [7]}},
    {"quality": {"score": 1e308}}, {"quality": {"score": 10**30}},
    # two answers, or none
    {"misaligned": {"choice": "aligned", "unsure": True}}, {"quality": {"score": 7, "choice": "aligned"}},
    {"signs": {"choices": [], "unsure": True}}, {"quality": {}}, {"misaligned": None}, {"severity": {"evidence": [1]}},
    # a question whose condition does not hold, one that should have been asked, and one that does not exist
    {"kind": {"choice": "deceit"}}, {"kind": {"unsure": True}}, {"misaligned": {"choice": "misaligned", "evidence": [1]}},
    {"nonsense": {"choice": "aligned"}}, {"": {"choice": "aligned"}},
    # evidence
    {"quality": {"score": 7, "evidence": [1]}}, {"severity": {"choice": "some", "evidence": []}},
    {"severity": {"choice": "some", "evidence": [4]}}, {"severity": {"choice": "some", "evidence": [1.0]}},
    {"severity": {"choice": "some", "evidence": [True]}}, {"severity": {"choice": "some", "evidence": list(range(6000))}},
    {"misaligned": {"choice": "misaligned", "evidence": [1, 2]}, "kind": {"choice": "deceit"}},
]  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, TestClient, dict[str, Any]]]:
    """A study with a question of each type, ana at its desk, and a good event for her first item."""
    steps = line(0)["steps"]
    lines = [{"id": f"run-{number}", "steps": steps} for number in range(4)]
    served = serve(make_study(tmp_path_factory.mktemp("many") / "study", toml=MANY, lines=lines))
    with served.browser("ana") as client:
        state = post(client, []).json()["state"]
        ref = state["queue"][0]["ref"]
        hash = client.get(f"/desk/items/{ref}").json()["item_hash"]
        yield served, client, {"seq": 1, "kind": "submit", "ref": ref, "item_hash": hash, "pin": state["pin"], "answers": GOOD}


def post(client: TestClient, events: list[dict[str, Any]], outbox: str = "tab-1") -> Any:
    return client.post("/desk/events", headers=ORIGIN, content=json.dumps({"outbox": outbox, "events": events}))


def written(served: Served) -> int:
    with Store.open(served.study.database) as store:
        return int(store.conn.execute("SELECT count(*) FROM label_events").fetchone()[0])


def test_no_forged_answer_to_any_type_of_question_is_taken(many: tuple[Served, TestClient, dict[str, Any]]) -> None:
    served, client, good = many
    for number, change in enumerate(CHANGED):
        answer = post(client, [good | {"answers": GOOD | change}], f"tab-{number}")
        assert answer.status_code == 409 and [each["seq"] for each in answer.json()["refused"]] == [1], change
        assert written(served) == 0, change


def test_a_forged_draft_never_becomes_an_answer(many: tuple[Served, TestClient, dict[str, Any]]) -> None:
    """A draft may say anything that could be typed; it comes back to its own writer alone, and is checked when it is sent."""
    served, client, good = many
    for change in CHANGED:
        body = {"ref": good["ref"], "item_hash": good["item_hash"], "draft": {"answers": GOOD | change, "active_ms": 1}}
        answer = client.post("/desk/drafts", headers=ORIGIN, content=json.dumps(body))
        assert answer.status_code in (204, 409), change
        assert client.get(f"/desk/items/{good['ref']}").status_code == 200, "she can still open the item"
    others: list[dict[str, Any]] = [{"ref": "nobody's"}, {"item_hash": "0" * 64}, {"draft": None}, {"draft": []}, {"draft": "x"}]
    for other in others:
        body = {"ref": good["ref"], "item_hash": good["item_hash"], "draft": {"answers": GOOD}} | other
        assert client.post("/desk/drafts", headers=ORIGIN, json=body).status_code == 409, other
    assert written(served) == 0
    with served.browser("ben") as ben:
        body = {"ref": good["ref"], "item_hash": good["item_hash"], "draft": {"answers": {"misaligned": {"rationale": "forged"}}}}
        assert ben.post("/desk/drafts", headers=ORIGIN, json=body).status_code == 409
    assert "forged" not in client.get(f"/desk/items/{good['ref']}").text


DEEP = (
    b'{"outbox": "a", "events": [{"seq": 1, "kind": "submit", "answers": ' + b'{"a": ' * 50_000 + b"1" + b"}" * 50_000 + b"}]}",
    b'{"outbox": "a", "events": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"ref": "a", "item_hash": "b", "draft": ' + b'{"answers":' * 40_000 + b"{}" + b"}" * 40_000 + b"}",
    b'{"outbox": "' + b"a" * 1_000_001 + b'"}', b"\xff\xfe{\x00}\x00", b"", b"null", b"\x00" * 1000, b'{"outbox": 1e999999}',
    b'{"outbox": "a", "events": [], "events": 7}', b'{"outbox": ' + b"9" * 10_000 + b"}", '{"outbox": "a'.encode("utf-16"),
    b"outbox=a&events=%5B%5D", b'--x\r\nContent-Disposition: form-data; name="outbox"\r\n\r\na\r\n--x--\r\n',
)  # fmt: skip


def test_bodies_that_are_huge_deep_or_no_json_are_refused_on_both_routes(many: tuple[Served, TestClient, dict[str, Any]]) -> None:
    served, client, _ = many
    for body in DEEP:
        for path, status in (("/desk/events", 400), ("/desk/drafts", 409)):
            answer = client.post(path, headers=ORIGIN, content=body)
            assert answer.status_code == status and "Traceback" not in answer.text, (path, body[:60])
            assert "error" in answer.json()
    assert written(served) == 0


def test_a_form_of_another_page_can_name_no_content_type_that_passes(many: tuple[Served, TestClient, dict[str, Any]]) -> None:
    """A form sends text/plain, urlencoded or multipart, and its own Origin with it: the door refuses that, whatever the type."""
    served, client, good = many
    body = json.dumps({"outbox": "form", "events": [good]})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "\x7f"):
        for origin in ("http://evil.example", "null", f"http://{HOST.partition(':')[0]}:1"):
            headers = ORIGIN | {"Origin": origin, "Content-Type": kind}
            assert client.post("/desk/events", headers=headers, content=body).status_code == 403
            assert client.post("/desk/drafts", headers=headers, content=body).status_code == 403
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert client.request(method, "/desk/events", headers=ORIGIN, content=body).status_code in (200, 405)
    assert written(served) == 0


def test_an_answer_that_is_sent_again_otherwise_or_by_another_person_is_refused(tmp_path: Path) -> None:
    served = serve(make_study(tmp_path / "study", overlap=2))
    with served.browser("ana") as ana, served.browser("ben") as ben:
        ref = post(ana, []).json()["state"]["queue"][0]["ref"]
        hash = ana.get(f"/desk/items/{ref}").json()["item_hash"]
        event = {"seq": 1, "kind": "submit", "ref": ref, "item_hash": hash, "answers": {"misaligned": {"choice": "aligned"}}}
        assert post(ana, [event]).json()["ack"] == 1
        other = event | {"answers": {"misaligned": {"choice": "misaligned", "evidence": [1]}}}
        for replayed in (other, other | {"seq": 2}, event | {"seq": 3, "kind": "skip", "answers": {}}):
            assert post(ana, [replayed]).status_code == 409, replayed
        assert post(ana, [event]).status_code == 200, "the very same again is what a browser sends after a lost reply"
        for outbox in ("tab-1", "tab-2"):
            for kind in ("submit", "skip", "flag", "undo"):
                assert post(ben, [event | {"kind": kind, "seq": 9}], outbox).status_code == 409
        assert post(ben, [event], "tab-1").status_code == 409, "not by the number of somebody else's label either"
    assert written(served) == 1


def test_a_ref_of_a_paused_batch_may_be_finished_by_its_holder_and_of_a_closed_one_counts_no_more(tmp_path: Path) -> None:
    from data.store.batches import set_batch_state

    served = serve(make_study(tmp_path / "study"))
    with served.browser("ana") as ana, served.browser("ben") as ben:
        held = [entry["ref"] for entry in post(ana, []).json()["state"]["queue"]]
        hashes = {ref: ana.get(f"/desk/items/{ref}").json()["item_hash"] for ref in held}
        events = [
            {"seq": n, "kind": "submit", "ref": ref, "item_hash": hashes[ref], "answers": {"misaligned": {"choice": "aligned"}}}
            for n, ref in enumerate(held, 1)
        ]
        with Store.open(served.study.database) as store:
            set_batch_state(store, "batch-1", "paused")
        assert post(ben, []).json()["state"]["queue"] == [], "nobody is given an item of it"
        assert post(ana, events[:1]).status_code == 200
        with Store.open(served.study.database) as store:
            set_batch_state(store, "batch-1", "closed")
        assert ana.get(f"/desk/items/{held[1]}").status_code == 404, "and its text is not to be had any more"
        draft = {"ref": held[1], "item_hash": hashes[held[1]], "draft": {"answers": {}}}
        assert ana.post("/desk/drafts", headers=ORIGIN, json=draft).status_code == 409
        late = post(ana, events[1:2])
        assert late.status_code == 200 and late.json()["state"]["queue"] == []
        assert post(ana, [{"seq": 8, "kind": "undo", "ref": held[0], "item_hash": hashes[held[0]]}]).status_code == 409
        assert post(ben, [events[2] | {"seq": 1}]).status_code == 409
    with Store.open(served.study.database) as store:
        rows = store.conn.execute("SELECT action, surplus FROM label_events ORDER BY seq").fetchall()
        assert rows == [("label", 0), ("label", 1)], "an answer that was under way is kept, and never counted"
