"""The offline installer for Windows: all that is needed there, by hash, and the same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from voladdin.cli.program import main
from voladdin.errors import InputError, UnavailableError
from voladdin.home import VERSION
from voladdin.hosts.excel import build_installer, offline

WINDOWS = "platform_system == 'Windows'"


def wheel(folder: Path, name: str, version: str = "1.0", tag: str = "py3-none-any", *needs: str) -> Path:
    """A wheel without modules."""
    info, path = f"{name}-{version}.dist-info", folder / f"{name}-{version}-{tag}.whl"
    files = {
        f"{info}/METADATA": "\n".join(
            ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
            + [f"Requires-Dist: {need}" for need in needs]
        ),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    digests = {
        n: base64.urlsafe_b64encode(hashlib.sha256(t.encode()).digest()).decode() for n, t in files.items()
    }
    files[f"{info}/RECORD"] = "".join(f"{n},sha256={d.rstrip('=')},\n" for n, d in digests.items())
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Wheels that pip finds, and no network; voladdin's own is made, not built."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel(folder, "numerics", "2.0", "cp312-cp312-win_amd64")
    wheel(folder, "numerics", "3.0", "cp312-cp312-manylinux2014_x86_64")  # not for Windows
    wheel(folder, "pywin32", "312", "cp312-cp312-win_amd64")
    wheel(folder, "shell", "1.0", "py3-none-any", f"colours; {WINDOWS}", "loop; sys_platform == 'linux'")
    wheel(folder, "colours", "0.4", "py2.py3-none-any", "deep[more]>=1")
    wheel(folder, "deep", "1.5", "py3-none-any", "rare; extra == 'more'", "never; extra == 'other'")
    wheel(folder, "rare", "7")
    wheel(folder, "loop")
    own = offline._pip

    def pip(arguments: list[str], **variables: str) -> None:
        if arguments[0] == "wheel":
            wheel(Path(arguments[3]), "voladdin", VERSION, "py3-none-any", "numerics>=2", "shell")
        else:
            own(arguments, **variables)

    monkeypatch.setattr(offline, "_pip", pip)
    monkeypatch.setattr(offline, "_ROOT", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_what_windows_needs_and_nothing_else(index: Path, tmp_path: Path) -> None:
    found = members(build_installer(tmp_path / "installer.zip", "3.12"))
    wheels = {name.removeprefix("wheels/").split("-")[0] for name in found if name.endswith(".whl")}
    assert wheels == {"voladdin", "numerics", "pywin32", "shell", "colours", "deep", "rare"}
    assert "wheels/numerics-2.0-cp312-cp312-win_amd64.whl" in found
    for line in found["requirements.txt"].decode().splitlines():
        name, digest = re.fullmatch(r"([\w-]+)==\S+ --hash=sha256:([0-9a-f]{64})", line).groups()  # type: ignore[union-attr]
        [data] = [data for path, data in found.items() if path.startswith(f"wheels/{name}-")]
        assert hashlib.sha256(data).hexdigest() == digest
    build_installer(tmp_path / "again.zip", "3.12")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "installer.zip").read_bytes()


def test_pip_installs_it_without_a_network(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As install.cmd does, of Windows' wheels, from the files of the .zip alone."""
    with zipfile.ZipFile(build_installer(tmp_path / "installer.zip", "3.12")) as archive:
        archive.extractall(tmp_path / "there")
    monkeypatch.delenv("PIP_FIND_LINKS")
    script = (tmp_path / "there" / "install.cmd").read_bytes()
    assert script.count(b"\r\n") == script.count(b"\n")
    [options] = re.findall(rb'Scripts\\python" %PIP% (.*)\r\n', script)
    assert b'set "PIP=-m pip install --quiet --disable-pip-version-check --no-index"' in script
    tags = ["--platform", "win_amd64", "--python-version", "3.12", "--only-binary=:all:"]
    target = ["--target", str(tmp_path / "target"), "--no-deps", *tags]  # pip asks this system's markers
    command = [sys.executable, "-m", "pip", "install", "--no-index", *target, *options.decode().split()]
    subprocess.run(command, cwd=tmp_path / "there", check=True, capture_output=True)
    installed = {path.name.split("-")[0] for path in (tmp_path / "target").glob("*.dist-info")}
    assert {"voladdin", "numerics", "pywin32", "rare"} <= installed
    (tmp_path / "there" / "wheels" / "rare-7-py3-none-any.whl").write_bytes(b"other")
    command[command.index("--target") + 1] = str(tmp_path / "other")
    assert subprocess.run(command, cwd=tmp_path / "there", capture_output=True).returncode


def test_its_script_is_of_a_few_lines_and_asks_for_no_rights(index: Path, tmp_path: Path) -> None:
    script = members(build_installer(tmp_path / "installer.zip", "3.12"))["install.cmd"].decode()
    assert len(script.splitlines()) <= 15 and max(map(len, script.splitlines())) < 120
    assert "%LOCALAPPDATA%\\voladdin\\" + VERSION in script and "py -3.12-64" in script
    assert not re.search(r"runas|ProgramFiles|HKLM|http", script)


def test_another_build_has_an_environment_of_its_own(index: Path, tmp_path: Path) -> None:
    """An upgrade touches no file that a running server has open."""
    first = members(build_installer(tmp_path / "one.zip", "3.12"))["install.cmd"]
    wheel(index, "rare", "8")
    second = members(build_installer(tmp_path / "two.zip", "3.12"))["install.cmd"]
    targets = [re.findall(rb'"TARGET=(.*)"', script) for script in (first, second)]
    assert targets[0] != targets[1]


def test_what_cannot_be_built(index: Path, tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(InputError, match=r"--python is '3'; expected a version such as 3\.12"):
        build_installer(tmp_path / "x.zip", "3")
    with pytest.raises(UnavailableError, match=r"pip download failed: .*pywin32"):
        build_installer(tmp_path / "x.zip", "3.13")  # there is no such wheel
    (tmp_path / "pyproject.toml").unlink()
    assert main(["build", "installer", "-o", str(tmp_path / "x.zip")]) == 2
    assert "expected a clone" in capsys.readouterr().err
    assert not (tmp_path / "x.zip").exists()
