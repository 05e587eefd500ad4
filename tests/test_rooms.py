"""What lies where: the rooms at top level, the public names, and no module that grew two jobs."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import rejudge

ROOT = Path(__file__).parent.parent
ROOMS = ("annotate", "judge", "reports", "data")


def tracked() -> list[str]:
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in out.splitlines() if (ROOT / name).exists()]


def sources() -> list[Path]:
    return [ROOT / "rejudge.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]


def test_at_top_level_stand_the_rooms_and_what_every_repository_has() -> None:
    tops = {name.split("/")[0] for name in tracked()}
    expected = {
        *ROOMS,
        "tests",
        "docs",
        "rejudge.py",
        "pyproject.toml",
        "README.md",
        "Makefile",
        "LICENSE",
        "CHANGELOG.md",
        "requirements.lock",
    }
    assert {top for top in tops if not top.startswith(".")} == expected


def test_the_front_door_offers_these_names() -> None:
    assert sorted(rejudge.__all__) == ["RejudgeError", "Store", "Study", "agreement", "load_study", "main", "reliability"]
    assert all(hasattr(rejudge, name) for name in rejudge.__all__) and not hasattr(rejudge, "agreements")


def test_no_module_is_over_500_lines_and_no_function_over_60_or_so() -> None:
    large = []
    for path in sources():
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 500:
            large.append(str(path))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 75:
                large.append(f"{path}: {node.name}")
    assert large == []


def test_no_module_is_called_by_a_name_that_says_nothing() -> None:
    vague = {"utils", "util", "helpers", "common", "base", "manager", "misc"}
    assert [path for path in sources() if path.stem in vague] == []


def test_no_handler_swallows_everything() -> None:
    broad = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                names = ast.unparse(node.type) if node.type else "everything"
                only_pass = len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
                if only_pass or names in ("everything", "Exception", "BaseException"):
                    broad.append(f"{path}:{node.lineno}")
    assert broad == []


def test_the_lock_names_hashes_and_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "index" not in text.lower().replace("charset", "")


def test_every_module_of_the_desk_is_held_by_the_blind_contract() -> None:
    contract = next(
        part
        for part in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        if "blind" in part["name"]
    )
    there = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "annotate").rglob("*.py")
    } - {"annotate", "annotate.script.main"}
    outside = there - set(contract["source_modules"])
    # What leads alone reach stands in one package, which the contract forbids to the others.
    assert {name for name in outside if not name.startswith("annotate.lead")} == {
        "annotate.sampling",
        "annotate.demo",
        "annotate.hunting",
        "annotate.commands",
        "annotate.leaks",
        "annotate.leaks_text",
    }
    assert {"judge", "reports", "annotate.lead"} <= set(contract["forbidden_modules"])


def test_what_runs_for_an_annotator_loads_no_page_of_the_leads() -> None:
    # Static contracts see imports that are written down; this sees the ones that happen.
    code = (
        "import sys; import annotate.server, annotate.script, annotate.page; print([m for m in sys.modules if m.startswith(NAMES)])"
    )
    names = ("annotate.lead", "reports", "judge")
    out = subprocess.run([sys.executable, "-c", code.replace("NAMES", repr(names))], cwd=ROOT, capture_output=True, text=True)
    assert (out.stdout.strip(), out.returncode) == ("[]", 0), out.stderr


def test_the_lists_of_modules_in_reports_are_whole() -> None:
    for folder in (ROOT / "reports", ROOT / "reports" / "of_study"):
        listed = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
        modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        assert [name for name in sorted(modules) if f"`{name}`" not in listed] == [], folder
