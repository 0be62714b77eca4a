"""Files of a new version that wait in the home folder until Excel lets go of those it has open."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from voladdin.errors import ServerError
from voladdin.home import folder, home, read_private, write_private

FOLDER = "waiting"  # in the home folder
_LIST = "files.json"


def put_off(files: Mapping[Path, bytes | None]) -> None:
    """Keeps them, in place of what waited before; None is a file to remove. Raises ServerError."""
    forget()
    place = home() / FOLDER
    try:
        place.mkdir(mode=0o700)
        for number, data in enumerate(files.values()):
            if data is not None:
                (place / str(number)).write_bytes(data)
    except OSError as error:
        raise ServerError(f"{place} cannot be written: {error.strerror}") from None
    paths = [[str(path), data is not None] for path, data in files.items()]
    write_private(place / _LIST, json.dumps(paths))


def files() -> dict[Path, bytes | None]:
    """What waits; nothing where it is incomplete, or not the user's own."""
    place = folder() / FOLDER
    try:
        paths = json.loads(read_private(place / _LIST))
        return {
            Path(path): (place / str(number)).read_bytes() if kept else None
            for number, (path, kept) in enumerate(paths)
        }
    except (ServerError, OSError, ValueError, TypeError):
        return {}


def forget() -> None:
    """Nothing waits any more."""
    shutil.rmtree(folder() / FOLDER, ignore_errors=True)
