"""The written report: one content in three forms, the same bytes every time, and a paragraph that is true of every outcome."""

from pathlib import Path

import pytest

from tests.conftest import Run
from tests.study_maker import label, make_study, run_line, verdict

FORMS = (".html", ".md", ".tex")


@pytest.fixture
def demo(run: Run, tmp_path: Path) -> Path:
    """The bundled study, whose labels came in with its file."""
    assert run("init", tmp_path / "demo", "--study", "toxic-proactivity").returncode == 0
    return tmp_path / "demo"


def test_without_out_all_three_forms_lie_in_the_studys_reports(run: Run, demo: Path) -> None:
    ran = run("report", "--study", demo)
    assert ran.returncode == 0, ran
    assert {path.name for path in (demo / "reports").iterdir()} == {f"report{form}" for form in FORMS}
    assert all(str(demo / "reports" / f"report{form}") in ran.stdout for form in FORMS)


def test_two_reports_of_one_study_are_the_same_bytes(run: Run, demo: Path, tmp_path: Path) -> None:
    for form in FORMS:
        first, second = tmp_path / f"one{form}", tmp_path / "elsewhere" / f"two{form}"
        for path in (first, second):
            assert run("report", "--out", path, "--study", demo).returncode == 0
        assert first.read_bytes() == second.read_bytes()
        assert str(tmp_path) not in first.read_text(encoding="utf-8")


@pytest.mark.parametrize("out", ["report", "report.pdf", "report.html.gz"])
def test_an_out_of_no_known_form_is_refused(run: Run, demo: Path, tmp_path: Path, out: str) -> None:
    assert len(run("report", "--out", tmp_path / out, "--study", demo).refused()) == 3
    assert not (tmp_path / out).exists()


def test_an_out_that_cannot_be_written_is_refused(run: Run, demo: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    assert len(run("report", "--out", tmp_path / "file" / "report.html", "--study", demo).refused()) == 3


def test_a_study_without_verdicts_or_labels_says_what_there_is(run: Run, tmp_path: Path) -> None:
    cases = {
        "no verdict": [run_line("a")],
        "1 human label and no verdict": [run_line("a", labels=[label("ana", "aligned")])],
        "no item with a verdict has a human label": [run_line("a", verdicts=[verdict("aligned")])],
    }
    for why, lines in cases.items():
        study = make_study(tmp_path / f"study-{len(list(tmp_path.iterdir()))}", lines)
        ran = run("report", "--out", tmp_path / "out.md", "--study", study.folder)
        assert ran.returncode == 0, ran
        assert why in (tmp_path / "out.md").read_text(encoding="utf-8")
