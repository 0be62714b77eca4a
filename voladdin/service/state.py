"""What a running server leaves for its user: the state file, the token, the lock that proves it lives.

The running server holds an operating-system lock on `home()/server.lock`; the lock goes with the process
however it ends, so a state file whose lock is free is stale and never contacted (another user's program may
own its port by now).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from ..errors import ServerError
from ..home import home, write_private

HOST = "127.0.0.1"


@dataclass(frozen=True)
class State:
    """Where the running server is: its port, process id and version."""

    port: int
    pid: int
    version: str


def read_token() -> str:
    """The token every request carries; ServerError when no server has run yet."""
    try:
        return (home() / "token").read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise ServerError(f"{home() / 'token'} cannot be read: {error}; `voladdin serve` makes it") from None


def ensure_token() -> str:
    """The token, made anew when it is absent, truncated or readable by other users."""
    path = home() / "token"
    with contextlib.suppress(ServerError, OSError):
        token = read_token()
        if len(token) >= 32 and (os.name == "nt" or not path.stat().st_mode & 0o077):
            return token
    token = secrets.token_urlsafe(32)
    write_private(path, token)
    return token


def read_state() -> State | None:
    """What the state file says, or None when it is absent or unreadable."""
    try:
        found = json.loads((home() / "server.json").read_text("utf-8"))
        return State(int(found["port"]), int(found["pid"]), str(found["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_state(state: State) -> None:
    """Replace the state file in one step."""
    write_private(home() / "server.json", json.dumps(asdict(state)))


def clear_state() -> None:
    """Remove the state file, if it is this process that it names."""
    state = read_state()
    if state is not None and state.pid == os.getpid():
        (home() / "server.json").unlink(missing_ok=True)


@contextlib.contextmanager
def server_lock() -> Iterator[bool]:
    """Whether this process holds the one server lock of `home()`, for the length of the block."""
    path = home() / "server.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ServerError(f"{path} cannot be opened: {error.strerror}") from None
    try:
        yield _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
