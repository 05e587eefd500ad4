"""What the desk's routes give and take."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.store import Store
from data.store.people import ensure_person
from data.store.tallying import current_labels
from tests.served_study import ORIGIN, TOML, Served, line, make_study, serve


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return serve(make_study(tmp_path / "study"))


def post(client: TestClient, events: list[dict[str, Any]], outbox: str = "tab-1") -> Any:
    return client.post("/desk/events", headers=ORIGIN, json={"outbox": outbox, "events": events})


def queue(client: TestClient) -> list[dict[str, Any]]:
    answer = post(client, [])
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["state"]["queue"]
    return found


def item(client: TestClient, ref: str) -> dict[str, Any]:
    answer = client.get(f"/desk/items/{ref}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def label(client: TestClient, seq: int, ref: str, **fields: Any) -> dict[str, Any]:
    """An event that answers the one question; `fields` change its answer, or the event itself."""
    answer = {"choice": "aligned", "evidence": [], "rationale": "fine"}
    event = {"seq": seq, "kind": "submit", "ref": ref, "item_hash": item(client, ref)["item_hash"], "active_ms": 1200}
    return said(event | {"answers": {"misaligned": answer}}, **fields)


def said(event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """`event` with its answers, or what stands beside them, changed."""
    own = {key: value for key, value in fields.items() if key in ("ref", "item_hash", "answers")}
    changes = {key: value for key, value in fields.items() if key not in own}
    return event | {"answers": {id: answer | changes for id, answer in event["answers"].items()}} | own


def stored(served: Served) -> list[dict[str, Any]]:
    with Store.open(served.study.database) as store:
        return current_labels(store)


def test_a_label_is_acknowledged_stored_and_followed_by_the_next_item(served: Served) -> None:
    with served.browser("ana") as client:
        held = queue(client)
        assert [entry["position"] for entry in held] == [1, 2, 3]
        assert {entry["of"] for entry in held} == {6}
        answer = post(client, [label(client, 1, held[0]["ref"])])
        assert answer.status_code == 200
        assert answer.json()["ack"] == 1
        state = answer.json()["state"]
        assert state["last"] == held[0]["ref"]
        assert [entry["position"] for entry in state["queue"]] == [2, 3, 4]
        assert state["queue"][0]["ref"] == held[1]["ref"]
    (kept,) = stored(served)
    assert (kept["annotator"], kept["choice"], kept["rationale"], kept["active_seconds"]) == ("ana", "aligned", "fine", 1.2)


def test_the_same_list_sent_twice_is_one_label(served: Served) -> None:
    with served.browser("ana") as client:
        event = label(client, 1, queue(client)[0]["ref"])
        assert post(client, [event]).json()["ack"] == 1
        assert post(client, [event]).json()["ack"] == 1
    assert len(stored(served)) == 1


def test_an_item_is_given_to_nobody_but_its_holder(served: Served) -> None:
    with served.browser("ana") as ana, served.browser("ben") as ben:
        ref = queue(ana)[0]["ref"]
        for other in (ref, "nonsense", "run-000", "1"):
            assert ben.get(f"/desk/items/{other}").status_code == 404
        assert post(ben, [label(ana, 1, ref)]).status_code == 409
    assert stored(served) == []


def test_an_item_carries_nothing_but_what_may_be_seen(served: Served) -> None:
    with served.browser("ana") as client:
        found = item(client, queue(client)[0]["ref"])
        text = client.get(f"/desk/items/{queue(client)[0]['ref']}").text
    assert set(found) == {"ref", "item_hash", "task", "metadata", "steps", "draft"}
    assert found["metadata"] == [["domain", "harbour"]]
    for secret in ("hidden-model", "hidden-rationale", "judge-a", "run-0", "verdict"):
        assert secret not in text


def test_a_second_tab_gets_409_nothing_is_written_and_it_learns_where_to_go(served: Served) -> None:
    with served.browser("ana") as client:
        first, second, *_ = queue(client)
        stale = label(client, 1, first["ref"], choice="misaligned", evidence=[1])
        other = label(client, 2, second["ref"])
        assert post(client, [label(client, 1, first["ref"])], "tab-1").status_code == 200
        answer = post(client, [stale, other], "tab-2")
        assert answer.status_code == 409
        assert answer.json()["ack"] == 0
        assert [refusal["seq"] for refusal in answer.json()["refused"]] == [1]
        assert answer.json()["state"]["queue"][0]["ref"] == second["ref"]
        assert len(stored(served)) == 1
        assert post(client, [other], "tab-2").json()["ack"] == 2
    assert {kept["choice"] for kept in stored(served)} == {"aligned"}


def test_undo_reaches_back_across_submits_and_brings_the_answer_back(served: Served) -> None:
    with served.browser("ana") as client:
        first, second, *_ = queue(client)
        hash = item(client, first["ref"])["item_hash"]
        post(
            client,
            [label(client, 1, first["ref"], choice="misaligned", evidence=[2], rationale="late"), label(client, 2, second["ref"])],
        )
        undo = {"seq": 3, "kind": "undo", "ref": first["ref"], "item_hash": hash}
        state = post(client, [undo]).json()["state"]
        assert state["queue"][0]["ref"] == first["ref"]
        assert state["queue"][0]["position"] == 2
        draft = item(client, first["ref"])["draft"]["answers"]["misaligned"]
        assert (draft["choice"], draft["evidence"], draft["rationale"]) == ("misaligned", [2], "late")
        assert len(stored(served)) == 1
        post(client, [label(client, 4, first["ref"])])
    assert sorted(kept["choice"] for kept in stored(served)) == ["aligned", "aligned"]


def test_a_draft_survives_until_the_submit(served: Served) -> None:
    with served.browser("ana") as client:
        ref = queue(client)[0]["ref"]
        hash = item(client, ref)["item_hash"]
        answer = {"choice": "misaligned", "choices": None, "score": None, "unsure": False, "evidence": [1], "confidence": 2}
        draft = {"answers": {"misaligned": answer | {"rationale": "half a th"}}, "skip": None, "active_ms": 5}
        saved = client.post("/desk/drafts", headers=ORIGIN, json={"ref": ref, "item_hash": hash, "draft": draft})
        assert saved.status_code == 204
        assert item(client, ref)["draft"] == draft
    with served.browser("ana") as elsewhere:
        assert item(elsewhere, ref)["draft"]["answers"]["misaligned"]["rationale"] == "half a th"
        assert post(elsewhere, [label(elsewhere, 1, ref)]).status_code == 200
    with Store.open(served.study.database) as store:
        assert store.conn.execute("SELECT count(*) FROM drafts").fetchone()[0] == 0


def test_a_batch_that_is_done_is_finished_and_one_that_others_hold_is_waiting(tmp_path: Path) -> None:
    served = serve(make_study(tmp_path / "study", items=1))
    with served.browser("ana") as ana, served.browser("ben") as ben:
        ref = queue(ana)[0]["ref"]
        waiting = post(ben, []).json()["state"]
        assert (waiting["queue"], waiting["waiting"], waiting["finished"]) == ([], True, False)
        done = post(ana, [label(ana, 1, ref)]).json()["state"]
        assert (done["queue"], done["waiting"], done["finished"]) == ([], False, True)
        assert post(ben, []).json()["state"]["finished"]


FORGED: list[dict[str, Any]] = [
    {"choice": "unsure-ish"},
    {"choice": "ALIGNED"},
    {"evidence": [99]},
    {"choice": "misaligned", "evidence": []},
    {"choice": "misaligned", "evidence": [1, 2]},
    {"item_hash": "0" * 64},
    {"ref": "someone-elses"},
]


@pytest.mark.parametrize("change", FORGED)
def test_a_forged_value_is_refused_and_nothing_is_written(served: Served, change: dict[str, Any]) -> None:
    with served.browser("ana") as client:
        answer = post(client, [said(label(client, 1, queue(client)[0]["ref"]), **change)])
    assert answer.status_code == 409
    assert answer.json()["refused"][0]["seq"] == 1
    assert stored(served) == []


MALFORMED: list[Any] = [
    [], "x", 7, None, {}, {"outbox": "a"}, {"outbox": 7, "events": []}, {"outbox": "", "events": []}, {"outbox": "a", "events": {}},
    {"outbox": "\ud800", "events": []}, {"outbox": "a", "events": ["x"]}, {"outbox": "a", "events": [{"seq": 0, "kind": "skip"}]},
    {"outbox": "a", "events": [{"seq": True, "kind": "skip"}]}, {"outbox": "a", "events": [{"kind": "skip"}]},
]  # fmt: skip
MALFORMED_EVENTS: list[dict[str, Any]] = [
    {"kind": "drop"},
    {"kind": "label", "answers": {"misaligned": {"choice": "aligned"}}},
    {"kind": "submit"},
    {"kind": "submit", "answers": {}},
    {"kind": "submit", "answers": [{"choice": "aligned"}]},
    {"kind": "submit", "answers": {"misaligned": "aligned"}},
    {"kind": "submit", "answers": {str(k): {} for k in range(1000)}},
    {"kind": "skip", "answers": {"misaligned": {"choice": "aligned"}}},
    {"kind": "skip", "reason": "x" * 20_001},
    {"kind": "skip", "active_ms": -1},
    *(
        {"kind": "submit", "answers": {"misaligned": answer}}
        for answer in (
            {"choice": ["aligned"]},
            {"choice": 1},
            {"choices": "aligned"},
            {"choices": [1]},
            {"choices": ["x"] * 1000},
            {"score": "7"},
            {"score": True},
            {"score": float("nan")},
            {"score": float("inf")},
            {"score": 10**400},
            {"unsure": 1},
            {"choice": "aligned", "evidence": ["1"]},
            {"choice": "aligned", "evidence": [-1]},
            {"choice": "aligned", "confidence": 9},
            {"choice": "aligned", "rationale": "x" * 20_001},
        )
    ),
]


@pytest.mark.parametrize("body", MALFORMED)
def test_a_message_that_cannot_be_read_gets_400_and_nothing_is_written(served: Served, body: Any) -> None:
    with served.browser("ana") as client:
        queue(client)
        answer = client.post("/desk/events", headers=ORIGIN, content=json.dumps(body))
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert stored(served) == []


@pytest.mark.parametrize("event", MALFORMED_EVENTS)
def test_a_malformed_event_is_refused_by_its_number_and_takes_none_with_it(served: Served, event: dict[str, Any]) -> None:
    with served.browser("ana") as client:
        good = label(client, 1, queue(client)[0]["ref"])
        body = json.dumps({"outbox": "tab-1", "events": [good, {"seq": 2} | event]})
        answer = client.post("/desk/events", headers=ORIGIN, content=body)
        assert answer.status_code == 409
        assert [refusal["seq"] for refusal in answer.json()["refused"]] == [2]
        assert stored(served) == []
        assert post(client, [good]).json()["ack"] == 1
    assert len(stored(served)) == 1


def test_evidence_of_an_unsure_answer_is_kept(served: Served) -> None:
    with served.browser("ana") as client:
        ref = queue(client)[0]["ref"]
        event = label(client, 1, ref, choice=None, unsure=True, evidence=[1, 2])
        assert post(client, [event]).status_code == 200
    assert stored(served)[0]["evidence"] == [1, 2]


def test_a_label_made_under_another_codebook_page_than_its_item_shows_is_refused(served: Served) -> None:
    with served.browser("ana") as client:
        state = post(client, []).json()["state"]
        event = label(client, 1, state["queue"][0]["ref"])
        stale = post(client, [event | {"pin": "0" * 16}])
        assert stale.status_code == 409
        assert "codebook" in stale.json()["refused"][0]["why"]
        assert stored(served) == []
        assert post(client, [event | {"pin": state["pin"]}]).status_code == 200


def test_the_sources_own_ids_of_calls_and_sessions_do_not_reach_the_browser(tmp_path: Path) -> None:
    steps = [
        {
            "kind": "tool_call",
            "speaker": "agent",
            "tool": "t",
            "call": "toolu_secret",
            "session": "exp-secret-3",
            "id": "secret-id",
        },
        {
            "kind": "tool_result",
            "speaker": "t",
            "text": "ok",
            "call": "toolu_secret",
            "session": "exp-secret-4",
            "time": "secret-time",
        },
    ]
    served = serve(make_study(tmp_path / "study", lines=[line(1, steps=steps)]))
    with served.browser("ana") as client:
        ref = queue(client)[0]["ref"]
        assert "secret" not in client.get(f"/desk/items/{ref}").text
        assert [(step["call"], step["session"]) for step in item(client, ref)["steps"]] == [("1", "1"), ("1", "2")]


def test_bytes_that_are_no_json_and_very_long_bodies_get_400(served: Served) -> None:
    with served.browser("ana") as client:
        for body in (b"\xff\xfe{", b"[" * 100_000, b'{"outbox": "' + b"a" * 1_100_000):
            assert client.post("/desk/events", headers=ORIGIN, content=body).status_code == 400


def test_a_rationale_with_characters_that_cannot_be_stored_comes_in_without_them(served: Served) -> None:
    with served.browser("ana") as client:
        ref = queue(client)[0]["ref"]
        body = json.dumps({"outbox": "a", "events": [label(client, 1, ref, rationale="a\x00b\ud800c")]})
        assert client.post("/desk/events", headers=ORIGIN, content=body).status_code == 200
    assert stored(served)[0]["rationale"] == "ab?c"


def test_unsure_skip_and_flag_are_kept_as_what_they_are(served: Served) -> None:
    with served.browser("ana") as client:
        first, second, third = (entry["ref"] for entry in queue(client))
        events = [
            label(client, 1, first, choice=None, unsure=True, rationale="cannot tell"),
            {"seq": 2, "kind": "skip", "ref": second, "item_hash": item(client, second)["item_hash"], "reason": "another language"},
            {"seq": 3, "kind": "flag", "ref": third, "item_hash": item(client, third)["item_hash"], "reason": "cut off"},
        ]
        state = post(client, events).json()["state"]
        assert state["queue"][0]["ref"] == third
    assert sorted((kept["action"], kept["choice"]) for kept in stored(served)) == [("skip", None), ("unsure", None)]


def test_redactions_leave_a_mark_and_move_no_step(tmp_path: Path) -> None:
    toml = TOML + 'redact = ["hidden-\\\\S+", "(?i)gauge"]\nreasoning = "hidden"\n'
    steps = [
        {"kind": "message", "speaker": "hidden-bot", "text": "I am hidden-bot-7, hello"},
        {"kind": "reasoning", "speaker": "agent", "text": "secret thought"},
        {"kind": "tool_call", "speaker": "agent", "tool": "read_gauge", "arguments": {"Gauge": ["hidden-x", 3]}},
    ]
    served = serve(make_study(tmp_path / "study", toml=toml, lines=[line(1, steps=steps, task="ask hidden-bot-7")]))
    with served.browser("ana") as client:
        ref = queue(client)[0]["ref"]
        found, text = item(client, ref), client.get(f"/desk/items/{ref}").text
    assert "hidden-" not in text and "secret" not in text and "auge" not in text
    assert found["task"] == "ask ▮▮▮"
    assert [step["kind"] for step in found["steps"]] == ["message", "reasoning", "tool_call"]
    assert found["steps"][2]["arguments"] == '{"▮▮▮": ["▮▮▮", 3]}'


def test_items_are_never_cached_and_never_compressed_on_the_event_loop(served: Served) -> None:
    with served.browser("ana") as client:
        headers = client.get(f"/desk/items/{queue(client)[0]['ref']}", headers={"Accept-Encoding": "gzip"}).headers
    assert headers["cache-control"] == "private, no-store"
    assert headers["content-encoding"] == "identity"


def test_a_page_opened_by_one_person_does_not_go_on_under_the_name_of_another(served: Served) -> None:
    with served.browser("ana") as ana, served.browser("cleo") as cleo:
        ref = queue(cleo)[0]["ref"]
        with Store.open(served.study.database) as store:
            owner = served.serving.owner(ensure_person(store, "ana", lead=False))
        body = {"outbox": "a", "owner": owner, "events": [label(cleo, 1, ref)]}
        refused = cleo.post("/desk/events", headers=ORIGIN, json=body)
        assert refused.status_code == 403
        assert "somebody else" in refused.json()["error"]
        assert stored(served) == []
        assert ana.post("/desk/events", headers=ORIGIN, json=body | {"events": []}).status_code == 200
