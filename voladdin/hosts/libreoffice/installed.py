"""The extension as it is installed: where, whether it is this version's, and a book calculated with it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from .extension import members
from .installer import IDENTIFIER, convert, write_settings
from .programs import program

_COPIED = ("uno_packages", "extensions")  # of a profile: its extensions
_PACKAGES = Path("uno_packages", "cache", "uno_packages")
_ENTRY = re.compile(rb"^.*" + re.escape(IDENTIFIER.encode()) + rb"\n([^\xff\n]+)\xff([^\xff\n]+)\xff", re.M)


def user_folder() -> Path:
    """The folder "user" of this user's own LibreOffice profile."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", ""), "LibreOffice", "4", "user")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "LibreOffice" / "4" / "user"
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config, "libreoffice", "4", "user")


def found() -> list[Path]:
    """Folders of the installed extension: this user's, and that of all users.

    Raises UnavailableError where LibreOffice is absent.
    """
    own, shared = (layer / _PACKAGES for layer in (user_folder(), program("soffice").parents[1] / "share"))
    listed = _listed(own)
    return [*([listed] if listed else []), *filter(_is_kept, shared.glob("*_/voladdin.oxt"))]


def _listed(packages: Path) -> Path | None:
    """By the user's list of packages: the files of a removed one lie there until LibreOffice's next start."""
    try:
        entry = _ENTRY.search(packages.with_suffix(".pmap").read_bytes())
    except OSError:
        return None
    return None if entry is None else packages / f"{entry[1].decode()}_" / entry[2].decode()


def _is_kept(place: Path) -> bool:
    """Whether a package of all users, of which there is no list, is not marked as removed."""
    return not place.parent.with_name(f"{place.parent.name[:-1]}removed").exists()


def differing(place: Path) -> list[str]:
    """Names of its files that are absent, or other than this version's."""
    wanted = members()
    return [name for name, data in wanted.items() if not _is(place / name, data)]


def _is(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def recalculate_as_installed(book: Path, output: Path) -> None:
    """Recalculates a book with a copy of this user's extensions, in a profile apart: theirs may be open.

    Raises UnavailableError where LibreOffice is absent or does not write.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in _COPIED:
            if (user_folder() / name).is_dir():
                shutil.copytree(user_folder() / name, Path(folder, "user", name))
        write_settings(Path(folder))
        convert(book, output, [f"-env:UserInstallation={Path(folder).as_uri()}"])
