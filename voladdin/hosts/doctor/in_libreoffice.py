"""LibreOffice: its version, and the extension in it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from voladdin.errors import ServerError, UnavailableError
from voladdin.home import VERSION, home, read_private
from voladdin.hosts.libreoffice import installed
from voladdin.hosts.libreoffice.programs import program, run

from . import transports
from .findings import FAULT, NOTE, OK, Finding

LOWEST = (25, 2)
INSTALL = "voladdin install libreoffice"
_DEBIAN = "apt install libreoffice-calc python3-uno libreoffice-script-provider-python (25.2 or later)"


def program_found() -> Iterator[Finding]:
    """Its program and version."""
    try:
        place = program("soffice")
    except UnavailableError as error:
        yield Finding(
            "LibreOffice", NOTE, str(error), "install LibreOffice 25.2 or later, where Calc is wanted"
        )
        return
    said = run([str(place), "--version"])
    number = re.search(r"(\d+)\.(\d+)", said)
    if number is not None and tuple(map(int, number.groups())) < LOWEST:
        yield Finding("LibreOffice", FAULT, f"{said.strip()}; expected 25.2 or later", _DEBIAN)
    else:
        yield Finding("LibreOffice", OK, f"{said.strip()}, {place}")


def extension() -> Iterator[Finding]:
    """Where it is installed, whether its files are this version's, and what it starts."""
    try:
        places = installed.found()
    except UnavailableError:
        return
    if not places:
        yield Finding(
            "extension", NOTE, "is not installed in LibreOffice", f"{INSTALL}, where Calc is wanted"
        )
        return
    differing = {place: installed.differing(place) for place in places}
    good = [place for place, names in differing.items() if not names]
    if good:
        yield Finding("extension", OK, f"version {VERSION}, {good[0]}")
    else:
        place, names = next(iter(differing.items()))
        said = f"{place} is not that of {VERSION}: {len(names)} files differ, {names[0]} among them"
        yield Finding("extension", FAULT, said, f"{INSTALL}, and restart LibreOffice")
    yield from _started_by_it()


def _started_by_it() -> Iterator[Finding]:
    """The interpreter that the extension starts the server with."""
    try:
        python = json.loads(read_private(home() / "install.json"))["python"]
    except (ServerError, ValueError, KeyError, TypeError) as error:
        said = f"the extension cannot start a server: {error}"
        yield Finding("extension", FAULT, said, INSTALL)
        return
    if not Path(python).is_file():
        yield Finding("extension", FAULT, f"it starts {python}, which is absent", INSTALL)
    elif python != sys.executable:
        yield Finding("extension", NOTE, f"it starts {python}, and not this Python", INSTALL)


def formula() -> Iterator[Finding]:
    """A formula in it, where the extension is installed."""
    try:
        if not installed.found():
            return
    except UnavailableError:
        return
    yield from transports.through_libreoffice()
