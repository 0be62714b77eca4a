"""Where voladdin keeps what is the user's own: models, token, log; and which version runs."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import ServerError

VERSION = "0.2.0"  # the one place: the package, the server, the add-ins and the extension have it from here


def folder() -> Path:
    """Where the home folder is, whether or not it is there: VOLADDIN_HOME, or ~/.voladdin."""
    return Path(os.environ.get("VOLADDIN_HOME") or Path.home() / ".voladdin")


def home() -> Path:
    """Folder of the state file, token and log; created for this user only.

    Raises ServerError when it cannot be created.
    """
    path = folder()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServerError(f"VOLADDIN_HOME is {path}; expected a folder that can be made: {error}") from None
    return path


def write_private(path: Path, text: str) -> None:
    """Write `text` to a file of this user only, complete or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ServerError(f"{path} cannot be written: {error.strerror}") from None


def version() -> str:
    """Version of the voladdin that runs."""
    return VERSION
