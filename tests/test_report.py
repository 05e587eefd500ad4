"""The written report: one content in three forms, the same bytes every time, and a paragraph that is true of every outcome."""

import re
from pathlib import Path

import pytest

from data.store import Store
from data.study import Study
from reports.of_study.disagreements import MOST_ITEMS
from tests.conftest import Run
from tests.study_maker import Sitting, draw_batch, label, make_study, run_line, verdict

FORMS = (".html", ".md", ".tex")


@pytest.fixture(scope="module")
def demo(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled study, whose labels came in with its file."""
    folder = tmp_path_factory.mktemp("bundled") / "demo"
    assert run("init", folder, "--study", "toxic-proactivity").returncode == 0
    return folder


def test_without_out_all_three_forms_lie_in_the_studys_reports_and_again_they_are_the_same_bytes(
    run: Run, demo: Path, tmp_path: Path
) -> None:
    ran = run("report", "--study", demo)
    assert ran.returncode == 0, ran
    assert {path.name for path in (demo / "reports").iterdir()} == {f"report{form}" for form in FORMS}
    for form in FORMS:
        first, second = demo / "reports" / f"report{form}", tmp_path / "elsewhere" / f"two{form}"
        assert str(first) in ran.stdout
        assert run("report", "--out", second, "--study", demo).returncode == 0
        assert first.read_bytes() == second.read_bytes()
        text = first.read_text(encoding="utf-8")
        assert str(demo.parent) not in text and str(tmp_path) not in text


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


def kept_aside(tmp_path: Path) -> Study:
    """Forty items of all splits on which humans and judge differ, each with words of its own on both sides."""
    lines = [
        run_line(
            f"item{k}", task=f"task-{k}-", verdicts=[verdict("misaligned", rationale=f"judge-{k}-", cites=[0])],
            labels=[label("ana", "aligned", rationale=f"human-{k}-", evidence=[0])],
            steps=[{"kind": "message", "text": f"step-{k}-"}],
        )
        for k in range(40)
    ]  # fmt: skip
    return make_study(tmp_path / "study", lines, rest="[split]\ntrain = 0.3\ndev = 0.3\n")


def splits(study: Study) -> dict[str, str]:
    with Store.open(study.database) as store:
        return dict(store.conn.execute("SELECT id, split FROM trajectories"))


def told_of(run: Run, study: Study) -> set[str]:
    """The items of which a report says anything, in any of its forms."""
    found = set()
    assert run("report", "--study", study.folder).returncode == 0
    for form in FORMS:
        text = (study.folder / "reports" / f"report{form}").read_text(encoding="utf-8")
        found |= {f"item{k}" for k in range(40) if re.search(rf"(item|(task|judge|human|step)-){k}(-|\\b)", text)}
    return found


def test_only_train_items_are_named_until_a_lead_opens_the_others(run: Run, tmp_path: Path) -> None:
    study = kept_aside(tmp_path)
    split, written = splits(study), study.folder / "reports" / "report.md"
    assert set(split.values()) == {"train", "dev", "test"}
    shown = told_of(run, study)
    assert shown and {split[id] for id in shown} == {"train"}
    text = written.read_text(encoding="utf-8")
    counts = [f"{sum(of == name for of in split.values())}" for name in ("train", "dev", "test")]
    assert f"| aligned | misaligned | {' | '.join(counts)} | 40 |" in text
    assert "Of dev and test there are counts alone" in text
    assert run("judge", "spend", "--study", study.folder).returncode == 0
    opened = told_of(run, study)
    assert {split[id] for id in opened} & {"dev", "test"}, "the few that are shown are of any split"
    assert "Dev and test were opened by a lead, on record" in written.read_text(encoding="utf-8")


def test_excerpts_are_short_and_few(run: Run, tmp_path: Path) -> None:
    words = "word " * 400
    lines = [
        run_line(
            f"i{k}",
            task=words,
            verdicts=[verdict("misaligned", rationale=words)],
            labels=[label("ana", "aligned", rationale=words)],
        )
        for k in range(30)
    ]
    study = make_study(tmp_path / "study", lines, rest="[split]\ntrain = 1.0\ndev = 0.0\n")
    assert run("report", "--out", tmp_path / "report.md", "--study", study.folder).returncode == 0
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert text.count("Judge: “") == MOST_ITEMS
    assert max(len(line) for line in text.splitlines() if "word word" in line) < 320


def test_one_run_can_be_asked_for_and_another_one_is_refused(run: Run, tmp_path: Path) -> None:
    lines = [run_line(f"i{k}", verdicts=[verdict("aligned"), verdict("misaligned", run="judge-b")]) for k in range(3)]
    study = make_study(tmp_path / "study", lines)
    assert run("report", "--run", "judge-b", "--out", tmp_path / "one.md", "--study", study.folder).returncode == 0
    text = (tmp_path / "one.md").read_text(encoding="utf-8")
    assert text.startswith("# Human verification of the judge “judge-b”") and "judge-a" not in text
    assert len(run("report", "--run", "nobody", "--study", study.folder).refused()) == 3


def test_who_writes_a_report_while_people_label_is_told_to_keep_it(run: Run, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line(f"i{k}", verdicts=[verdict("aligned")]) for k in range(3)])
    draw_batch(study, 2)
    assert "keep it from whoever labels there" in run("report", "--study", study.folder).stderr
    assert run("batch", "close", "batch-1", "--study", study.folder).returncode == 0
    assert run("report", "--study", study.folder).stderr == ""


def test_labels_of_leads_and_the_view_of_annotators_are_told(run: Run, tmp_path: Path) -> None:
    blind = '[blind]\nshow = ["domain"]\nreasoning = "hidden"\nredact = ["gpt-4o"]\n'
    lines = [run_line(f"i{k}", metadata={"domain": "d"}, verdicts=[verdict("aligned")]) for k in range(4)]
    study = make_study(tmp_path / "study", lines, rest=blind)
    draw_batch(study, 4)
    with Sitting(study, "lead") as lead:
        lead.label_all({})
    assert run("report", "--out", tmp_path / "report.md", "--study", study.folder).returncode == 0
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "4 labels of batches came from people with a lead’s role, who may see verdicts; 4 of them were given before" in text
    assert (
        "annotators saw task and steps, without the agent’s reasoning; of the metadata “domain”; text that matches “gpt-4o”" in text
    )
    assert "judge-a: unknown: the verdicts were imported." in text


def test_a_retest_is_told_as_one_and_is_no_draw_of_the_sample(run: Run, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", [run_line(f"i{k:02}", verdicts=[verdict("aligned")]) for k in range(40)])
    draw_batch(study, 30)
    with Sitting(study, "ana") as ana:
        ana.label_all({"i03": "misaligned"})
    assert run("draw", "--retest", "--n", "4", "--seed", "again", "--study", study.folder).returncode == 0
    with Sitting(study, "ana", outbox="another tab") as ana:
        ana.label_all({})
    assert run("report", "--out", tmp_path / "report.md", "--study", study.folder).returncode == 0
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert re.search(
        r"\| batch-2 \| labelled items once more, to the same people \(retest\); seed again; .* \| 0 \|$", text, re.MULTILINE
    )
    assert "The items are a simple random sample of 40 (seed seed)." in text
    assert "The same annotator a second time, blind and unannounced" in text


def test_a_p_value_that_is_tiny_is_not_told_as_nothing(run: Run, tmp_path: Path) -> None:
    lines = [
        run_line(
            f"r{place:02}",
            verdicts=[
                verdict(("aligned", "misaligned")[place % 2]),
                verdict(("aligned", "misaligned")[(place + (place % 3 == 0)) % 2], "judge-b"),
            ],
            labels=[label("ana", ("aligned", "misaligned")[place % 2])],
        )
        for place in range(60)
    ]
    study = make_study(tmp_path / "s", lines)
    assert run("report", "--study", str(study.folder)).returncode == 0
    told = (study.folder / "reports" / "report.md").read_text(encoding="utf-8")
    assert "McNemar: mid-p below 0.001." in told and "0.000" not in told


def test_one_item_on_which_they_differ_is_told_as_one(run: Run, tmp_path: Path) -> None:
    lines = [
        run_line(f"r{k}", verdicts=[verdict("aligned")], labels=[label("ana", "misaligned" if k == 3 else "aligned")])
        for k in range(9)
    ]
    study = make_study(tmp_path / "study", lines, rest="[split]\ntrain = 1.0\ndev = 0.0\n")
    assert run("report", "--study", study.folder).returncode == 0
    text = (study.folder / "reports" / "report.md").read_text(encoding="utf-8")
    assert "The one item of train on which they differ, in excerpts:" in text and "(all 1)" not in text
