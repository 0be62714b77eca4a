"""LibreOffice's own programs: found, and run to their end."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from voladdin.errors import UnavailableError

TIMEOUT = 120.0  # seconds for one run of LibreOffice
_PLACES = (
    "/usr/lib/libreoffice/program",
    "/opt/libreoffice/program",
    "/Applications/LibreOffice.app/Contents/MacOS",
    r"C:\Program Files\LibreOffice\program",
    r"C:\Program Files (x86)\LibreOffice\program",
)
_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX")


def program(name: str) -> Path:
    """Full path of a LibreOffice program, "soffice" or "unopkg".

    Raises UnavailableError where there is none.
    """
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(_PLACES))
    if found is None:
        raise UnavailableError(f"LibreOffice is absent: no {name} on PATH or in {', '.join(_PLACES)}")
    return Path(found).resolve()


def layers(profile: str | Path | None) -> list[str]:
    """Options that keep a profile and its extensions in a folder of their own.

    Also the shared extensions: root may install nothing but these.
    """
    if profile is None:
        return []
    folder = Path(profile).resolve()
    shared = (folder / "shared").as_uri()
    return [
        f"-env:UserInstallation={folder.as_uri()}",
        f"-env:UNO_SHARED_PACKAGES={shared}",
        f"-env:UNO_SHARED_PACKAGES_CACHE={shared}",
    ]


def environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that LibreOffice is started with: none that leads its own Python to other modules.

    That Python takes the first `python3` on PATH for its home: in a virtual environment it finds no module of
    its own, and no function of an extension works.
    """
    kept = {name: value for name, value in given.items() if name not in _FOREIGN}
    folders = given.get("PATH", "").split(os.pathsep)
    kept["PATH"] = os.pathsep.join(folder for folder in folders if not in_environment(folder))
    return kept


def in_environment(folder: str) -> bool:
    """Whether a folder of PATH is of an activated Python environment."""
    parent = os.path.dirname(os.path.realpath(folder or "."))
    return any(os.path.exists(os.path.join(parent, name)) for name in ("pyvenv.cfg", "conda-meta"))


def run(command: list[str]) -> str:
    """What the program said, its errors last. Raises UnavailableError where it fails, or does not end."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT, check=True, env=environment()
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{Path(command[0]).name} did not end within {TIMEOUT:g} s") from None
    except (OSError, subprocess.CalledProcessError) as error:
        what = getattr(error, "stderr", "") or str(error)
        raise UnavailableError(f"{Path(command[0]).name} failed: {what.strip()}") from None
    return (done.stdout + done.stderr).strip()
