"""The home folder, the token, the port and the server behind it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator

from voladdin.errors import ServerError
from voladdin.home import code, folder, home, write_private
from voladdin.service.process import running
from voladdin.service.state import HOST, holder, read_token, server_lock

from .findings import FAULT, NOTE, OK, Finding

_SERVE = "voladdin serve"


def home_folder() -> Iterator[Finding]:
    """Its owner and rights, and whether it can be written."""
    try:
        place = home()
    except ServerError as error:
        yield Finding("home", FAULT, str(error), _own(str(folder())))
        return
    try:
        write_private(place / "doctor", "")
        (place / "doctor").unlink()
    except (ServerError, OSError) as error:
        yield Finding("home", FAULT, str(error), f"make room on its disk, or {_own(str(place))}")
        return
    yield Finding("home", OK, f"{place}, of this user only")
    yield from _token()


def _own(path: str) -> str:
    return f'icacls "{path}" /reset' if os.name == "nt" else f"chmod 700 {path}"


def _token() -> Iterator[Finding]:
    if not os.path.lexists(home() / "token"):
        yield Finding("token", OK, "none yet: the first start of the server makes it")
        return
    try:
        read_token()
    except ServerError as error:
        yield Finding("token", FAULT, str(error), f"{_SERVE} (it makes the token anew)")
    else:
        yield Finding("token", OK, "readable by this user only")


def loopback() -> Iterator[Finding]:
    """Whether a program of this user can listen on the loopback interface and be reached there."""
    try:
        with socket.create_server((HOST, 0)) as listener:
            listener.settimeout(2.0)
            with socket.create_connection(listener.getsockname(), 2.0), listener.accept()[0]:
                yield Finding("port", OK, f"{HOST} can be listened on and reached")
    except OSError as error:
        mend = f"let the firewall or virus scanner allow {sys.executable} on {HOST}"
        yield Finding("port", FAULT, f"{HOST} cannot be used: {error}", mend)


def server() -> Iterator[Finding]:
    """What runs in this home now."""
    state = running()
    with server_lock() as lock:
        free = lock is not None
    if state is not None and state.code == code():
        said = f"version {state.version} on {HOST}:{state.port}, process {state.pid}"
        yield Finding("server", OK, said)
    elif state is not None:
        said = f"process {state.pid} runs version {state.version} of other code; the next call replaces it"
        yield Finding("server", NOTE, said, _SERVE)
    elif free:
        yield Finding("server", OK, "not running; the first call starts it")
    else:
        said = f"process {holder() or 'unknown'} holds {home() / 'server.lock'} and does not answer"
        yield Finding("server", FAULT, said, f"{_SERVE} (it takes the place of one that is silent)")
