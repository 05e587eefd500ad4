"""What users install: the wheel, in a clean environment, in a folder that has a `data` package of its own."""

import os
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; its dependencies come from this one, without this one's rejudge."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home / "env", with_pip=False)
    python = home / "env" / "bin" / "python"
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", query], check=True, capture_output=True, text=True).stdout.strip())
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # Folders named in a .pth file do not have their own .pth files read: the editable rejudge stays out.
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Somebody's project, with packages called like our rooms."""
    for name in ("data", "reports", "judge"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong package')\n")
    return tmp_path


def run(installed: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    program = [str(installed / "env" / "bin" / command[0]), *command[1:]]
    return subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_beside_its_metadata_the_wheel_holds_the_front_door_and_the_rooms(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"rejudge.py", "rejudge_rooms"}
    for needed in ("annotate/desk/desk.js", "annotate/desk/desk.css", "annotate/script/main.py", "data/formats/native.schema.json"):
        assert f"rejudge_rooms/{needed}" in names
    assert "rejudge_rooms/data/studies/toxic-proactivity/trajectories.jsonl" in names
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_help_runs_beside_a_foreign_data_package(installed: Path, folder: Path) -> None:
    result = run(installed, folder, "rejudge", "--help")
    assert result.returncode == 0
    assert "annotators" in result.stdout


def test_it_is_imported_from_the_rooms_and_not_from_the_current_folder(installed: Path, folder: Path) -> None:
    code = "import rejudge, data; print(rejudge.ROOMS.name, data.__file__)"
    result = run(installed, folder, "python", "-c", code)
    assert result.returncode == 0, result.stderr
    name, file = result.stdout.split()
    assert name == "rejudge_rooms"
    assert str(installed) in file


def test_a_foreign_data_package_that_is_already_loaded_is_named(installed: Path, folder: Path) -> None:
    (folder / "data" / "__init__.py").write_text("")
    result = run(installed, folder, "python", "-c", "import data, rejudge")
    assert result.returncode != 0
    assert str(folder / "data" / "__init__.py") in result.stderr
    assert "Import rejudge first" in result.stderr


def test_the_demo_serves_from_the_wheel(installed: Path, folder: Path) -> None:
    program = str(installed / "env" / "bin" / "rejudge")
    server = subprocess.Popen(
        [program, "demo", "--headless"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(3)]
        link = lines[-1].strip()
        assert link.startswith("http://127.0.0.1:")
        page = ""
        for _ in range(300):
            try:
                with urlopen(link, timeout=5) as answer:
                    page = answer.read().decode()
                    break
            except OSError:
                time.sleep(0.1)
        assert "Sign in" in page
        assert (folder / "rejudge-demo" / "study.db").exists()
    finally:
        server.kill()
        server.communicate()
