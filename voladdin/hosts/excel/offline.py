"""`voladdin build installer`: one .zip that installs voladdin on Windows, for one user and without a network.

It holds the wheels of voladdin and of all that it needs there, their hashes, and `install.cmd`, which makes
an environment of its own for each such .zip: an upgrade touches no file that a running Excel or server has
open.
"""

from __future__ import annotations

import email
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from voladdin.errors import InputError, UnavailableError
from voladdin.home import VERSION

PLATFORM = "win_amd64"
BESIDE = ("pywin32",)  # what Excel's COM needs, and voladdin itself does not
_ROOT = Path(__file__).resolve().parents[3]
_TOLD = ["--quiet", "--disable-pip-version-check"]
_INSTALL = r"""@echo off
rem voladdin {version} for this user: no administrator, no network. "install.cmd libreoffice" is for Calc.
setlocal
set "TARGET=%LOCALAPPDATA%\voladdin\{version}-{digest}"
set "HOST=%~1"
if "%HOST%"=="" set "HOST=excel"
set "PIP=-m pip install {told} --no-index"
py -{python}-64 -c ""
if not "%ERRORLEVEL%"=="0" (echo Python {python}, 64 bits, is needed: install it for this user & exit /b 1)
py -{python}-64 -m venv "%TARGET%"
if not "%ERRORLEVEL%"=="0" exit /b 1
pushd "%~dp0"
"%TARGET%\Scripts\python" %PIP% --find-links wheels --require-hashes -r requirements.txt
if not "%ERRORLEVEL%"=="0" exit /b 1
"%TARGET%\Scripts\voladdin" install %HOST%
"""


def build_installer(path: str | Path, python: str = "") -> Path:
    """Writes the .zip, with wheels fetched by pip, and returns its path.

    python: the version of Python on the desk, such as "3.12"; that of this one unless told.

    Raises InputError for another version of Python, UnavailableError elsewhere than in a clone, or where pip
    does not find a wheel.
    """
    python = python or f"{sys.version_info.major}.{sys.version_info.minor}"
    if not re.fullmatch(r"3\.\d+", python):
        raise InputError(f"--python is {python!r}; expected a version such as 3.12")
    if not (_ROOT / "pyproject.toml").is_file():
        raise UnavailableError("an installed voladdin cannot be built again; expected a clone of its source")
    with tempfile.TemporaryDirectory() as folder:
        return write(Path(path), collected(Path(folder), python), python)


def collected(folder: Path, python: str) -> list[Path]:
    """The wheels of voladdin and all that it needs on Windows, in the folder."""
    _pip(["wheel", "--no-deps", "--wheel-dir", str(folder), str(_ROOT)], SOURCE_DATE_EPOCH="315532800")
    wanted = [f"voladdin=={VERSION}", *BESIDE]
    missing = list(wanted)
    while missing:  # pip asks markers of this system, and so leaves out what only Windows needs
        _download(folder, missing, python)
        needed, missing = closed(folder, wanted, _windows(python))
    return sorted(needed)


def _download(folder: Path, requirements: Iterable[str], python: str) -> None:
    where = ["--dest", str(folder), "--find-links", str(folder), "--only-binary=:all:"]
    tags = ["--platform", PLATFORM, "--implementation", "cp", "--python-version", python]
    constraints = _ROOT / "constraints.txt"
    known = ["--constraint", str(constraints)] if constraints.is_file() else []
    _pip(["download", *where, *tags, *known, *requirements])


def closed(folder: Path, wanted: Iterable[str], markers: Mapping[str, str]) -> tuple[set[Path], list[str]]:
    """The wheels in the folder that these requirements lead to, and the requirements that none meets."""
    wheels = {parse_wheel_filename(path.name)[0]: path for path in sorted(folder.glob("*.whl"))}
    needed: set[Path] = set()
    missing: list[str] = []
    seen: set[str] = set()
    waiting = list(wanted)
    while waiting:
        requirement = Requirement(waiting.pop())
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        wheel = wheels.get(canonicalize_name(requirement.name))
        if wheel is None or not requirement.specifier.contains(
            parse_wheel_filename(wheel.name)[1], prereleases=True
        ):
            missing.append(str(requirement))
            continue
        needed.add(wheel)
        waiting += _required(wheel, requirement.extras, markers)
    return needed, missing


def _required(wheel: Path, extras: set[str], markers: Mapping[str, str]) -> Iterator[str]:
    """What a wheel asks for, with these extras, on the system of these markers."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        told = email.message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []
    for requirement in map(Requirement, told):
        marker, requirement.marker = requirement.marker, None
        if marker is None or any(marker.evaluate({**markers, "extra": extra}) for extra in ("", *extras)):
            yield str(requirement)


def _windows(python: str) -> dict[str, str]:
    """The markers of Windows' own Python (PEP 508)."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "nt",
        "platform_machine": "AMD64",
        "platform_python_implementation": "CPython",
        "platform_release": "10",
        "platform_system": "Windows",
        "platform_version": "10.0",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "win32",
    }


def write(path: Path, wheels: Iterable[Path], python: str) -> Path:
    """The .zip of these wheels; the same bytes every time."""
    files = {wheel.name: wheel.read_bytes() for wheel in wheels}
    pinned = "".join(
        f"{name}=={release} --hash=sha256:{hashlib.sha256(files[wheel]).hexdigest()}\n"
        for wheel in sorted(files)
        for name, release in [parse_wheel_filename(wheel)[:2]]
    )
    digest = hashlib.sha256(pinned.encode()).hexdigest()[:8]
    script = _INSTALL.format(version=VERSION, digest=digest, python=python, told=" ".join(_TOLD))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # wheels are compressed
        archive.writestr(zipfile.ZipInfo("install.cmd"), script.replace("\n", "\r\n"))
        archive.writestr(zipfile.ZipInfo("requirements.txt"), pinned)
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"wheels/{name}"), data)
    return path


def _pip(arguments: list[str], **variables: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments[:1], *_TOLD, *arguments[1:]]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it said nothing")
        raise UnavailableError(f"pip {arguments[0]} failed: {said}")
