"""The wheel: what it installs, and that it works in an environment without the source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook

from voladdin.home import VERSION

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("voladdin", "server", "pyproject.toml", "setup.py", "README.md")
Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that the build leaves nothing in the clone."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--disable-pip-version-check", "-w", str(out), str(copy)], check=True)
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bin of an environment with the wheel; its dependencies are this one's, without what is editable."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    (site,) = folder.glob("lib/*/site-packages")
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("".join(f"{path}\n" for path in others))
    install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--force-reinstall", "--disable-pip-version-check", wheel], check=True)
    return folder / "bin"


@pytest.fixture
def run(environment: Path, tmp_path: Path) -> Run:
    """Runs a program of the environment away from the clone: the process that ended."""

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
            "VOLADDIN_HOME": str(tmp_path)
        }
        program = [str(environment / command[0]), *command[1:]]
        return subprocess.run(
            program, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300
        )

    return call


def test_only_voladdin_is_installed(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"voladdin", f"voladdin-{VERSION}.dist-info"}
    shipped = {path.relative_to(ROOT).as_posix() for path in (ROOT / "voladdin").rglob("*.py")}
    served = {f"voladdin/server/{path.name}" for path in (ROOT / "server").glob("*.py")}
    assert {name for name in names if name.endswith(".py")} == shipped | served
    assert {"voladdin/py.typed", "voladdin/models/fx/card.json", "voladdin/models/equity/card.json"} <= set(
        names
    )
    assert {f"voladdin/hosts/libreoffice/oxt/rdb/voladdin.{end}" for end in ("idl", "rdb")} <= set(names)


def test_the_demo_book_is_filled(run: Run, tmp_path: Path) -> None:
    done = run("voladdin", "run", str(ROOT / "workbook" / "demo.xlsx"), "-o", "filled.xlsx")
    assert done.returncode == 0, done.stdout + done.stderr
    filled = load_workbook(tmp_path / "filled.xlsx", data_only=True)
    values = [cell for row in filled.worksheets[0].iter_rows(values_only=True) for cell in row]
    assert sum(isinstance(value, float) and 0 < value < 1 for value in values) > 100


def test_the_server_is_part_of_it(run: Run) -> None:
    code = (
        "from voladdin.service.process import ensure_running, stop\n"
        "from voladdin.service.client import Client\n"
        "state = ensure_running(60)\n"
        "with Client(state) as client: print(client.evaluate('VOLINFO', 'version')[0][0])\n"
        "stop(state)\n"
    )
    done = run("python", "-c", code)
    assert done.stdout.strip() == VERSION, done.stderr
    assert "No module named" in run("python", "-P", "-m", "server.run").stderr


@pytest.mark.parametrize(
    ("command", "extra"), [(["train", "history.csv"], "train"), (["bench", "impute"], "bench")]
)
def test_commands_of_a_clone_say_so(run: Run, command: list[str], extra: str) -> None:
    done = run("voladdin", *command)
    assert done.returncode == 2
    assert f"expected a clone of its source, and pip install -e '.[{extra}]' in it" in done.stderr
