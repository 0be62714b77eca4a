"""install.cmd of the offline installer, run by Wine's cmd with recorders in place of Python and pip."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from export.bench.hosts.wine import DRIVE, windows
from voladdin.hosts.excel import offline

RECORDED = DRIVE / "c" / "recorded.txt"
RUN = "@echo off\r\nset LOCALAPPDATA=C:\\x y\r\nset PATH=C:\\c;%PATH%\r\n{}\r\n"


@pytest.fixture
def unpacked(tmp_path: Path) -> str:
    """The folder of an unpacked installer, as Windows names it."""
    wheel = tmp_path / "voladdin-0.2.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    target = DRIVE / "an installer"
    shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(DRIVE / "x y", ignore_errors=True)
    (DRIVE / "x y" / "voladdin").mkdir(parents=True)
    with zipfile.ZipFile(offline.write(tmp_path / "voladdin.zip", [wheel], "3.12")) as archive:
        archive.extractall(target)
    RECORDED.unlink(missing_ok=True)
    return r"C:\an installer\install.cmd"


def recorded(command: str) -> list[list[str]]:
    """Program, folder and command line of each program that the script starts."""
    (DRIVE / "c" / "run.cmd").write_bytes(RUN.format(command).encode())
    said = windows("cmd", "/c", r"C:\c\run.cmd")
    assert RECORDED.exists(), said
    return [line.split("|") for line in RECORDED.read_text().splitlines()]


def test_it_makes_an_environment_and_installs_these_files_alone(unpacked: str) -> None:
    look, make, pip, install = recorded(f'call "{unpacked}" libreoffice')
    assert look[0] == make[0] == "py.exe" and "-3.12-64 -c" in look[2]
    assert r"-3.12-64 -m venv" in make[2] and r"C:\x y\voladdin\0.2.0-" in make[2]
    assert pip[0] == "python.exe" and pip[1].rstrip("\\") == r"C:\an installer"
    assert "--no-index --find-links wheels --require-hashes -r requirements.txt" in pip[2]
    assert install[0] == "voladdin.exe" and install[2].rstrip().endswith("install libreoffice")


def test_it_installs_for_excel_unless_told(unpacked: str) -> None:
    assert recorded(f'call "{unpacked}"')[-1][2].rstrip().endswith("install excel")


@pytest.mark.parametrize(("fails", "ran"), [("-c", 1), ("venv", 2), ("pip", 3)])
def test_it_ends_where_a_step_fails(fails: str, ran: int, unpacked: str) -> None:
    assert len(recorded(f'set FAIL={fails}\r\ncall "{unpacked}"')) == ran
