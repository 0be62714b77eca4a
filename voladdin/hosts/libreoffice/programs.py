"""LibreOffice's own programs: found, and run to their end."""

from __future__ import annotations

import os
import shutil
import subprocess
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


def run(command: list[str]) -> str:
    """What the program said, its errors last."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{Path(command[0]).name} did not end within {TIMEOUT:g} s") from None
    except (OSError, subprocess.CalledProcessError) as error:
        what = getattr(error, "stderr", "") or str(error)
        raise UnavailableError(f"{Path(command[0]).name} failed: {what.strip()}") from None
    return (done.stdout + done.stderr).strip()
