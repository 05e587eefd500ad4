"""The Streamlit page, driven without a browser."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from annotate import page
from annotate.serving import Serving, begin, check_askable
from data.errors import StudyError
from data.store import Store
from data.store.people import Person, ensure_person
from data.study import Study, parse_study
from tests.served_study import TOML, make_study

SCRIPT = Path(page.__file__).parent / "script" / "main.py"


def run_as(monkeypatch: pytest.MonkeyPatch, serving: Serving, handle: str | None) -> AppTest:
    """The page as `handle` sees it. Who is signed in stands behind one function, because AppTest has no cookies."""

    def person(_: Serving) -> Person | None:
        if handle is None:
            return None
        with Store.open(serving.study.database) as store:
            return ensure_person(store, handle, lead=False)

    monkeypatch.setattr(page, "signed_in", person)
    return AppTest.from_file(str(SCRIPT), default_timeout=30).run()


def mounted(app: AppTest) -> dict[str, Any]:
    """The data that the desk was mounted with."""
    (component,) = app.get("bidi_component")
    data: dict[str, Any] = json.loads(component.proto.json)
    return data


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    return begin(make_study(tmp_path / "study"))


def test_the_desk_is_mounted_with_texts_and_references_and_no_trajectory(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    app = run_as(monkeypatch, serving, "ana")
    assert not app.exception
    data = mounted(app)
    assert data["annotator"] == "ana"
    assert [question["choices"] for question in data["questions"]] == [["aligned", "misaligned"]]
    assert data["questions"][0]["codebook"]["version"] == 1
    assert [entry["position"] for entry in data["state"]["queue"]] == [1, 2, 3]
    text = json.dumps(data)
    for secret in ("Read gauge", "gauge looks odd", "hidden-model", "hidden-rationale", "judge-a", "run-0", "batch-1"):
        assert secret not in text


def test_a_rerun_holds_the_same_items(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    app = run_as(monkeypatch, serving, "ana")
    before = mounted(app)["state"]
    assert mounted(app.run())["state"] == before


def test_somebody_who_is_signed_out_sees_no_desk(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    app = run_as(monkeypatch, serving, None)
    assert not app.get("bidi_component")
    assert "signed out" in app.markdown[0].value


@pytest.mark.usefixtures("serving")
def test_without_a_cookie_nobody_is_signed_in() -> None:
    # AppTest's cookies answer anything with a mock, which is not a token.
    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()
    assert not app.get("bidi_component")


def test_an_edited_codebook_is_a_new_version_at_the_next_start(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    serving.study.codebook_path(serving.study.questions[0]).write_text("# New\n\nA *better* page.", encoding="utf-8")
    (question,) = mounted(run_as(monkeypatch, begin(serving.study), "ana"))["questions"]
    assert question["codebook"]["version"] == 2
    assert question["codebook"]["blocks"][1] == {"t": "p", "c": ["A ", {"t": "i", "c": ["better"]}, " page."]}


def test_every_question_is_mounted_with_its_range_its_condition_and_its_own_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = """[[question]]
id = "harms"
ask = "Which harms?"
type = "multilabel"
choices = ["money", "privacy"]
when = { question = "misaligned", is = "misaligned" }
[[question]]
id = "risk"
ask = "How risky?"
type = "score"
min = 0
max = 3
[[question]]
id = "share"
ask = "Which share?"
type = "score"
min = 0.0
max = 1.0
"""
    served = begin(make_study(tmp_path / "study", toml=TOML + more))
    _, harms, risk, share = mounted(run_as(monkeypatch, served, "ana"))["questions"]
    assert (harms["when"], harms["scale"]) == ({"question": "misaligned", "is": "misaligned"}, [])
    assert (risk["min"], risk["max"], risk["scale"]) == (0, 3, [0, 1, 2, 3])
    assert (share["min"], share["max"], share["scale"]) == (0, 1, [])
    assert "harms" in json.dumps(harms["codebook"]) and "risk" in json.dumps(risk["codebook"])


def test_the_desk_refuses_a_study_that_asks_nothing(tmp_path: Path) -> None:
    study: Study = parse_study('name = "x"\n', tmp_path)
    with pytest.raises(StudyError) as refusal:
        check_askable(study)
    assert str(refusal.value).count("\n") == 2
    assert "declares no question" in refusal.value.wrong
