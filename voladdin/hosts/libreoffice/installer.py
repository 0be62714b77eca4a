"""The extension in LibreOffice: installed, removed, and a book recalculated with it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voladdin.errors import InputError, UnavailableError
from voladdin.home import home, write_private
from voladdin.service.process import ensure_running

from .extension import build
from .programs import layers, program, run

IDENTIFIER = "org.voladdin.calc"
# Recalculate every book on load (0 is "always"), no tips, no "what's new", a window that fits the picture.
_SETTINGS = (
    ("/org.openoffice.Office.Calc/Formula/Load", "OOXMLRecalcMode", "0"),
    ("/org.openoffice.Office.Calc/Formula/Load", "ODFRecalcMode", "0"),
    ("/org.openoffice.Office.Common/Misc", "FirstRun", "false"),
    ("/org.openoffice.Office.Common/Misc", "ShowTipOfTheDay", "false"),
    ("/org.openoffice.Setup/Product", "ooSetupLastVersion", "99.9"),
    ("/org.openoffice.Setup/Product", "LastTimeGetInvolvedShown", "4102444800"),
    ("/org.openoffice.Setup/Product", "LastTimeDonateShown", "4102444800"),
    (
        "/org.openoffice.Setup/Office/Factories/"
        "org.openoffice.Setup:Factory['com.sun.star.sheet.SpreadsheetDocument']",
        "ooSetupFactoryWindowAttributes",
        "0,0,1920,820;1;0,0,0,0;",
    ),
)


def install(profile: str | Path | None = None) -> str:
    """Builds the extension and adds it to LibreOffice; says for whom.

    profile: a folder for a profile apart from the user's own, made where it is absent; None is the user's
    own (for root, all users').

    Raises UnavailableError where LibreOffice is absent, open, or refuses the extension.
    """
    here = {"python": sys.executable, "path": str(Path(__file__).resolve().parents[3])}
    write_private(home() / "install.json", json.dumps(here))
    extension = build(home() / "voladdin.oxt")
    if profile is not None:
        write_settings(Path(profile))
    _unopkg("add", ["--force", str(extension)], profile)
    return f"libreoffice: installed {_whose(profile)}; restart LibreOffice to see its menu voladdin"


def uninstall(profile: str | Path | None = None) -> str:
    """Removes the extension from LibreOffice; says for whom.

    Raises UnavailableError where LibreOffice is absent or the extension is not installed.
    """
    _unopkg("remove", [IDENTIFIER], profile)
    return f"libreoffice: uninstalled {_whose(profile)}"


def is_root() -> bool:
    """Whether this is the superuser, whose extensions are all users'."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _whose(profile: str | Path | None) -> str:
    if profile is not None:
        return f"in the profile {profile}"
    return "for all users of this computer, as root" if is_root() else "for this user"


def recalculate(book: str | Path, output: str | Path, profile: str | Path | None = None) -> Path:
    """Recalculates the whole book in LibreOffice, without a window, and writes it to `output` (.xlsx).

    profile: a folder that `install` prepared; None is a temporary one.

    Raises InputError where the book is absent, UnavailableError where LibreOffice is or does not write,
    ServerError where the local server does not start.
    """
    book, output = Path(book).resolve(), Path(output).resolve()
    if not book.is_file():
        raise InputError(f"book is {str(book)!r}; expected an existing spreadsheet file")
    with prepared(profile) as folder:
        convert(book, output, layers(folder))
    return output


def convert(book: Path, output: Path, where: list[str]) -> None:
    """The book as LibreOffice writes it to `output`; where: its options that say which profile."""
    with tempfile.TemporaryDirectory() as written:
        options = ["--headless", "--norestore", "--convert-to", "xlsx", "--outdir", written, str(book)]
        said = run([str(program("soffice")), *where, *options])
        result = Path(written, f"{book.stem}.xlsx")
        if not result.is_file():
            raise UnavailableError(f"LibreOffice did not write {output.name}: {said or 'it said nothing'}")
        shutil.move(result, output)


@contextmanager
def prepared(profile: str | Path | None) -> Iterator[Path]:
    """The profile, or a temporary one with the extension and a server that runs."""
    if profile is not None:
        yield Path(profile)
        return
    ensure_running()
    with tempfile.TemporaryDirectory() as folder:
        install(folder)
        yield Path(folder)


def _unopkg(action: str, arguments: list[str], profile: str | Path | None) -> None:
    shared = ["--shared"] if is_root() else []
    run([str(program("unopkg")), action, *shared, *layers(profile), *arguments])


def write_settings(profile: Path) -> None:
    """Writes the settings of a new profile."""
    settings = profile / "user" / "registrymodifications.xcu"
    if settings.exists():
        return
    settings.parent.mkdir(parents=True, exist_ok=True)
    items = "\n".join(
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, name, value in _SETTINGS
    )
    settings.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n{items}\n</oor:items>\n',
        "utf-8",
    )
