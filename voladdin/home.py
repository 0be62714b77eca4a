"""Where voladdin keeps what is the user's own: models, token, log; and which code runs. Stdlib only.

Nothing there is trusted that another user could have put there: the folder and its files must belong to this
user, be writable by no one else, and no symbolic link in the folder is followed. (On Windows the profile's
own permissions do that.)
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from .errors import ServerError

VERSION = "0.2.0"  # the one place: the package, the server, the add-ins and the extension have it from here
_POSIX = os.name == "posix"
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def folder() -> Path:
    """Where the home folder is, whether or not it is there: VOLADDIN_HOME, or ~/.voladdin."""
    return Path(os.environ.get("VOLADDIN_HOME") or Path.home() / ".voladdin")


def home() -> Path:
    """Folder of the state file, token and log; created for this user only.

    Raises ServerError where it cannot be created, belongs to another user or is writable by others.
    """
    path = folder()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        links, status = path.lstat(), path.stat()
    except OSError as error:
        raise ServerError(f"VOLADDIN_HOME is {path}; expected a folder that can be made: {error}") from None
    _require_own(path, links, 0)  # a link too is only followed where it is the user's own
    _require_own(path, status, 0o022)
    return path


def write_private(path: Path, text: str) -> None:
    """Write `text` to a file of this user only, complete or not at all; a link in its place is replaced."""
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


def read_private(path: Path, *, secret: bool = False) -> str:
    """The text of a small file of this user's. secret: nobody else may even read it.

    Raises ServerError where it is absent, another user's, open to others, a link, a pipe, or no text.
    """
    descriptor = open_private(path, os.O_RDONLY, 0o077 if secret else 0o022)
    try:
        return os.read(descriptor, 1 << 16).decode("utf-8")
    except (OSError, ValueError) as error:
        raise ServerError(f"{path} cannot be read: {error}") from None
    finally:
        os.close(descriptor)


def open_private(path: Path, flags: int, others: int = 0o022) -> int:
    """Descriptor of a regular file of this user's, made for this user only where `flags` say so.

    others: permissions that no one else may have. Raises ServerError.
    """
    try:
        descriptor = os.open(path, flags | _SAFELY, 0o600)
    except OSError as error:
        link = " (it is a symbolic link; expected a file)" if path.is_symlink() else ""
        raise ServerError(f"{path} cannot be opened: {error.strerror}{link}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise ServerError(f"{path} is no file, or has two names; expected a file of its own")
        _require_own(path, status, others)
    except ServerError:
        os.close(descriptor)
        raise
    return descriptor


def _require_own(path: Path, status: os.stat_result, others: int) -> None:
    if not _POSIX:
        return
    if status.st_uid != os.geteuid():
        raise ServerError(f"{path} belongs to user {status.st_uid}; expected it to be yours ({os.geteuid()})")
    if status.st_mode & others:
        wanted = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise ServerError(
            f"{path} has mode {stat.S_IMODE(status.st_mode):o}, open to other users; expected {wanted}: see "
            f"what they left there, then chmod {wanted} {path}"
        )


def code() -> str:
    """Digest of the Python files as they are on disk now: a server of another one is replaced."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(file for part in ("server", "voladdin") for file in (root / part).rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
