"""What a running server leaves for its user: the state file, the token, the lock that proves it lives.

The running server holds an operating-system lock on `home()/server.lock`; the lock goes with the process
however it ends, so a state file whose lock is free is stale and never contacted. Another user's program may
own its port by now; so whoever answers there must first prove that it knows the token, which is sent to
nobody else: it answers a challenge with

    proof = HMAC-SHA256(token, "voladdin\\n<port>\\n<challenge>")

in hex. The port is part of it, lest a stranger hand the challenge on to the true server. For clients without
a hash function the state file holds one challenge of its server and the proof to expect.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from ..errors import ServerError
from ..home import home, open_private, read_private, write_private

HOST = "127.0.0.1"
_LOCKED = 1 << 30  # the byte that is locked: on Windows nobody else can read it
_SHORTEST = 32  # token


@dataclass(frozen=True)
class State:
    """Where the running server is: its port, process id, version, digest of its code, and a proof."""

    port: int
    pid: int
    version: str
    code: str
    challenge: str = ""
    proof: str = ""

    @classmethod
    def of(cls, token: str, port: int, version: str, code: str) -> State:
        """That of this process."""
        challenge = secrets.token_hex(16)
        return cls(port, os.getpid(), version, code, challenge, proof(token, port, challenge))


def proof(token: str, port: int, challenge: str) -> str:
    """What only a server on this port that knows the token can answer."""
    message = f"voladdin\n{port}\n{challenge}".encode()
    return hmac.new(token.encode(), message, hashlib.sha256).hexdigest()


def read_token() -> str:
    """The token every request carries; ServerError when no server has run yet, or others could read it."""
    path = home() / "token"
    try:
        token = read_private(path, secret=True).strip()
    except ServerError as error:
        raise ServerError(f"{error}; `voladdin serve` makes it anew") from None
    if len(token) < _SHORTEST or not token.isascii():
        raise ServerError(f"{path} holds no token; `voladdin serve` makes it anew")
    return token


def ensure_token() -> str:
    """The token, made anew when it is absent, truncated, or was open to other users."""
    with contextlib.suppress(ServerError):
        return read_token()
    token = secrets.token_urlsafe(32)
    write_private(home() / "token", token)
    return token


def read_state() -> State | None:
    """What the state file says, or None when it is absent, unreadable, another user's or no state."""
    try:
        found = json.loads(read_private(home() / "server.json"))
        texts = [str(found[name]) for name in ("version", "code", "challenge", "proof")]
        state = State(int(found["port"]), int(found["pid"]), *texts)
    except (ServerError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return state if 0 < state.port < 65_536 and state.pid > 0 else None


def write_state(state: State) -> None:
    """Replace the state file in one step."""
    write_private(home() / "server.json", json.dumps(asdict(state)))


def clear_state(state: State | None = None) -> None:
    """Remove the state file where it is this one's; whoever's it is, without: for the holder of the lock."""
    with contextlib.suppress(OSError, ServerError):
        if state is None or read_state() == state:
            (home() / "server.json").unlink(missing_ok=True)


@contextlib.contextmanager
def server_lock(*, claim: bool = False) -> Iterator[int | None]:
    """The lock's descriptor where this process holds the one server lock of `home()`, for the block; or None.

    claim: also write this process' id into the lock file, for `holder`.
    """
    descriptor = open_private(home() / "server.lock", os.O_RDWR | os.O_CREAT)
    try:
        locked = _try_lock(descriptor)
        if locked and claim:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        yield descriptor if locked else None
    except OSError as error:
        raise ServerError(f"{home() / 'server.lock'} cannot be written: {error.strerror}") from None
    finally:
        os.close(descriptor)


def holder() -> int | None:
    """The process id that the last server wrote into the lock file; None where there is none, or ours."""
    try:
        pid = int(read_private(home() / "server.lock"))
    except (ServerError, ValueError):
        return None
    return pid if pid > 0 and pid != os.getpid() else None


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _LOCKED, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
