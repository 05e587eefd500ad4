"""Who gets in, and what everybody else gets."""

import socket
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit.web.server.starlette import starlette_server

from annotate.server import answer_at_once, opening_page
from data.store import Store
from data.store.people import ensure_person, person_of_session, revoke
from tests.served_study import HOST, ORIGIN, Served, make_study, serve

PATHS = (
    "/", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/_stcore/agent/openapi.json", "/desk/items/x",
    "/desk/js/x/desk.js", "/static/js/index.js", "/media/x", "/component/x", "/favicon.png", "/study.db", "/in", "/../study.db",
)  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return serve(make_study(tmp_path / "study"))


@pytest.mark.parametrize("path", PATHS)
def test_without_a_session_every_path_answers_401(served: Served, path: str) -> None:
    with served.browser(None) as client:
        answer = client.get(path)
        assert answer.status_code == 401
        assert "Tide gauges" not in answer.text
        assert client.post(path, headers=ORIGIN).status_code == 401


def test_the_front_page_without_a_session_says_where_the_link_is(served: Served) -> None:
    with served.browser(None) as client:
        page = client.get("/").text
    assert "rejudge annotators add NAME" in page
    assert "rejudge annotate" in page


def test_without_a_session_no_socket_opens(served: Served) -> None:
    with (
        served.browser(None) as client,
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/_stcore/stream", headers=ORIGIN),
    ):
        pytest.fail("the socket opened")


def test_a_forged_cookie_is_no_session(served: Served) -> None:
    client = TestClient(served.app, base_url=f"http://{HOST}", cookies={served.serving.cookie: "x" * 43})
    assert client.get("/").status_code == 401


def test_looking_at_a_link_consumes_nothing_and_pressing_the_button_consumes_it(served: Served) -> None:
    token = served.link_token("ana")
    with served.browser(None) as client:
        for _ in range(3):
            page = client.get(f"/in/{token}")
            assert page.status_code == 200
            assert '<form method="post">' in page.text
            assert "set-cookie" not in page.headers
        entered = client.post(f"/in/{token}", headers=ORIGIN)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
    with served.browser(None) as other:
        assert other.get(f"/in/{token}").status_code == 410
        refused = other.post(f"/in/{token}", headers=ORIGIN)
        assert refused.status_code == 410
        assert "set-cookie" not in refused.headers


def test_the_session_cookie_is_httponly_lax_and_named_per_study(served: Served, tmp_path: Path) -> None:
    with served.browser(None) as client:
        header = client.post(f"/in/{served.link_token('ana')}", headers=ORIGIN).headers["set-cookie"].lower()
    assert "httponly" in header and "samesite=lax" in header and "path=/" in header
    assert header.startswith(served.serving.cookie)
    other = serve(make_study(tmp_path / "other"))
    assert other.serving.cookie != served.serving.cookie


def test_a_wrong_token_gets_the_same_page_as_a_used_one(served: Served) -> None:
    with served.browser(None) as client:
        assert client.get("/in/nonsense").status_code == 410
        assert client.post("/in/nonsense", headers=ORIGIN).status_code == 410


def test_a_used_link_leads_its_signed_in_owner_to_the_desk(served: Served) -> None:
    token = served.link_token("ana")
    with served.browser(None) as client:
        client.post(f"/in/{token}", headers=ORIGIN)
        again = client.get(f"/in/{token}")
        assert (again.status_code, again.headers["location"]) == (303, "/")


def test_tokens_are_nowhere_in_the_database(served: Served) -> None:
    token = served.link_token("ana")
    with served.browser("ben") as client:
        session = client.cookies[served.serving.cookie]
    files = b"".join(path.read_bytes() for path in served.study.folder.glob("study.db*"))
    assert token.encode() not in files
    assert session.encode() not in files


def test_a_signed_in_person_gets_the_app(served: Served) -> None:
    with served.browser("ana") as client:
        assert client.get("/").status_code == 200
        assert client.get("/_stcore/health").status_code == 200


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json"])
def test_streamlits_own_metrics_and_agent_endpoints_answer_nobody(served: Served, path: str) -> None:
    with served.browser("ana") as client:
        assert client.get(path).status_code == 404


def test_a_session_that_has_ended_is_out_at_the_next_request(served: Served) -> None:
    with served.browser("ana") as client:
        assert client.get("/").status_code == 200
        with Store.open(served.study.database) as store:
            with store.write():
                store.conn.execute("UPDATE sessions SET ended_at = '2026-01-01'")
            assert person_of_session(store, client.cookies[served.serving.cookie]) is None
        assert client.get("/").status_code == 401
        assert client.post("/desk/events", headers=ORIGIN, json={"outbox": "a", "events": []}).status_code == 401


ELSEWHERE = (
    {"Origin": "http://127.0.0.1:9999", "Host": HOST},
    {"Origin": "https://evil.example", "Host": HOST},
    {"Origin": "null", "Host": HOST},
    {"Host": HOST},
    {**ORIGIN, "Sec-Fetch-Site": "same-site"},
    {**ORIGIN, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://evil.example:8931", "Host": "evil.example:8931"},
)


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_page_from_elsewhere_can_neither_post_nor_open_a_socket(served: Served, headers: dict[str, str]) -> None:
    with served.browser("ana") as client:
        assert client.post("/desk/events", headers=headers, json={"outbox": "a", "events": []}).status_code == 403
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream", headers=headers):
            pytest.fail("the socket opened")


def test_another_ports_page_cannot_sign_somebody_in(served: Served) -> None:
    token = served.link_token("ana")
    with served.browser(None) as client:
        assert client.post(f"/in/{token}", headers={"Origin": "http://127.0.0.1:9999", "Host": HOST}).status_code == 403
        assert client.get(f"/in/{token}").status_code == 200


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_a_script_or_image_of_another_page_reads_nothing(served: Served, site: str) -> None:
    with served.browser("ana") as client:
        for path in ("/", "/desk/items/x", "/_stcore/health"):
            assert client.get(path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status_code == 403
        # A person who follows a link from a mail comes from elsewhere too, and may.
        assert client.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status_code == 200


def test_a_name_that_points_here_by_dns_is_not_ours(served: Served) -> None:
    with served.browser("ana") as client:
        assert client.get("/", headers={"Host": "rebound.example:8931"}).status_code == 403


def test_every_answer_carries_the_policy(served: Served) -> None:
    with served.browser("ana") as client:
        for path in ("/", "/desk/items/x", "/in/x", "/_stcore/health"):
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe-eval" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == ("strict-origin" if path.startswith("/in/") else "same-origin")


def test_every_answer_of_whatever_status_carries_the_policy(served: Served) -> None:
    token, seen = served.link_token("ana"), set[int]()

    def see(answer: Any) -> None:
        seen.add(answer.status_code)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe-eval" not in policy
        scripts = policy.partition("script-src ")[2].partition(";")[0]
        assert "unsafe-inline" not in scripts and "*" not in scripts and "http" not in scripts
        assert answer.headers["x-content-type-options"] == "nosniff"

    with served.browser(None) as nobody:
        for path in ("/", "/desk/items/x", "/static/x.js"):
            see(nobody.get(path))
        see(nobody.get("/", headers={"Host": "rebound.example"}))
        see(nobody.post(f"/in/{token}", headers=ORIGIN))
        nobody.cookies.clear()
        see(nobody.get(f"/in/{token}"))
    with served.browser("ana") as ana:
        for path in ("/", "/desk/items/x", "/desk/js/desk.js", "/desk/js/none.js", "/favicon.png", "/_stcore/metrics"):
            see(ana.get(path))
        see(ana.get("/desk/events"))
        see(ana.post("/desk/events", headers=ORIGIN, content=b"{"))
        see(ana.post("/desk/drafts", headers=ORIGIN, content=b"{"))
        see(ana.post("/desk/events", headers=ORIGIN, json={"outbox": "a", "owner": "x", "events": []}))
        served.study.database.rename(served.study.database.with_name("away"))
        see(ana.get("/"))
    assert {200, 303, 400, 401, 403, 404, 409, 410, 503} <= seen


def test_a_link_of_somebody_revoked_opens_nothing_for_anybody(served: Served) -> None:
    used, unused = served.link_token("ana"), served.link_token("ana")
    with served.browser(None) as hers, served.browser("ben") as other, served.browser(None) as thief:
        assert hers.post(f"/in/{used}", headers=ORIGIN).status_code == 303
        assert other.post(f"/in/{used}", headers=ORIGIN).status_code == 410
        assert "set-cookie" not in other.post(f"/in/{used}", headers=ORIGIN).headers
        with Store.open(served.study.database) as store:
            revoke(store, "ana")
        for token in (used, unused):
            assert thief.get(f"/in/{token}").status_code == 410
            assert thief.post(f"/in/{token}", headers=ORIGIN).status_code == 410
        assert hers.get("/").status_code == 401 and other.get("/").status_code == 200


def test_the_page_that_opens_a_browser_is_its_owners_alone_and_goes_away(tmp_path: Path) -> None:
    """A browser is given this page: its command line, which every user of the machine can read, holds no token."""
    with opening_page(tmp_path, "http://127.0.0.1:8501/in/secret") as page:
        assert page.stat().st_mode & 0o077 == 0 and "secret" not in page.name
        assert 'url=http://127.0.0.1:8501/in/secret"' in page.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == []


def test_adding_a_name_that_exists_prints_a_fresh_link_and_changes_nothing_else(served: Served) -> None:
    first, second = served.link_token("ana"), served.link_token("ana", lead=True)
    assert first != second
    with Store.open(served.study.database) as store:
        assert ensure_person(store, "ana", lead=True).role == "annotator"
        assert store.conn.execute("SELECT count(*) FROM annotators WHERE handle = 'ana'").fetchone()[0] == 1


@pytest.mark.parametrize("path", ["/in/a/b", "/in/x/index.html", "/in/x/_stcore/stream", "/in/", "/in/..%2f..%2f", "/in/x y"])
def test_only_a_link_itself_passes_without_a_session(served: Served, path: str) -> None:
    with served.browser(None) as client:
        assert client.get(path).status_code in (401, 404)
        assert "<script" not in client.get(path).text


def test_another_programs_odd_cookies_do_not_sign_anybody_out(served: Served) -> None:
    with served.browser("ana") as client:
        name = served.serving.cookie
        token = client.cookies[name]
        client.cookies.clear()
        for odd in ('prefs={"theme":"dark"}', "bad[]=1", "x=a b"):
            assert client.get("/", headers={"Cookie": f"{odd}; {name}={token}"}).status_code == 200


@pytest.mark.parametrize("headers", [{"Host": "["}, {"Host": HOST, "Origin": "http://["}])
def test_malformed_hosts_and_origins_are_refused(served: Served, headers: dict[str, str]) -> None:
    with served.browser("ana") as client:
        assert client.post("/desk/events", headers=headers, json={"outbox": "a", "events": []}).status_code == 403


def test_the_sign_in_page_says_who_would_be_signed_in_and_who_out(served: Served) -> None:
    token = served.link_token("<b>cleo")
    with served.browser("ana") as client:
        page = client.get(f"/in/{token}").text
    assert "Sign in as &lt;b&gt;cleo" in page
    assert "signs ana out" in page


def test_a_short_answer_does_not_wait_for_the_clients_acknowledgement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starlette_server, "_bind_socket", starlette_server._bind_socket)
    answer_at_once()
    with starlette_server._bind_socket("127.0.0.1", 0, 5) as listening:
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
