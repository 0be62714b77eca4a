"""The local server as a process: found, started on demand, replaced, stopped.

A call that finds no server starts one. A server of other code, as after an upgrade, is replaced by the one
that the call starts. A server that holds the lock but does not answer costs the call `SILENCE` seconds and a
ServerError; a new server is started all the same, and takes its place if it stays silent (`server.run`).
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from ..errors import ServerError
from ..home import code, home
from .client import Client
from .state import State, ensure_token, holder, read_state, server_lock

SILENCE = 2.0  # seconds that a server is given to answer
# Threads of OpenBLAS that wait for a busy core made grids of 1,000 cells ten times slower.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
_started: list[subprocess.Popen[bytes]] = []


def running(timeout: float = SILENCE) -> State | None:
    """The live server of this home, proven by its lock and its knowledge of the token; else None."""
    with server_lock() as free:
        state = read_state() if free is None else None
    if state is None:
        return None
    try:
        with Client(state, timeout) as client:
            client.prove()
    except (ServerError, OSError, http.client.HTTPException, TypeError, ValueError):
        return None
    return state


def ensure_running(timeout: float = 15.0) -> State:
    """The live server of the code on disk, started detached by this interpreter where there is none.

    Raises ServerError when none answers within `timeout` seconds, or `SILENCE` where one runs but is silent.
    """
    deadline = time.monotonic() + SILENCE
    while True:  # twice at least: the state file may be damaged, and is mended
        with server_lock() as lock:
            free = lock is not None
        state = None if free else running(SILENCE / 2)
        if state is not None and state.code == code():
            return state
        if free or state is not None:
            return _start(timeout)
        if time.monotonic() >= deadline:
            with tempfile.TemporaryFile() as said:
                _launch(said)
            raise ServerError(
                f"the local server (process {holder() or 'unknown'}) has not answered for {SILENCE:g} s; "
                "a new one takes its place if it stays silent"
            )
        time.sleep(0.05)


def stop(state: State, timeout: float = 10.0) -> None:
    """End the server `state`, which `running()` returned; ServerError if it will not end."""
    with contextlib.suppress(ServerError), Client(state, SILENCE) as client:
        client.request("POST", "/v1/stop")
    if not _ended(state.pid, timeout):
        raise ServerError(f"the server, process {state.pid}, is still running {timeout:g} s after its stop")


def stop_if_running() -> None:
    """End the server of this home where one runs, as when what it serves is installed or removed."""
    state = running()
    if state is not None:
        stop(state)


def end(pid: int, timeout: float = 2.0) -> bool:
    """Kill the process that holds the lock, which does not answer; whether the lock is free."""
    with contextlib.suppress(OSError):
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    return _ended(pid, timeout)


def _ended(pid: int, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while True:
        with server_lock() as free:
            if free is not None and all(one.poll() is not None for one in _started if one.pid == pid):
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)


def _start(timeout: float) -> State:
    """Start the server detached from this process and wait for its proof."""
    ensure_token()  # where it cannot be written, this says why
    deadline = time.monotonic() + timeout
    with tempfile.TemporaryFile() as said:
        process = _launch(said)
        while time.monotonic() < deadline:
            state = running()
            if state is not None and state.code == code():
                return state
            if process.poll():
                raise ServerError(f"the local server did not start: {_last_words(said)}")
            time.sleep(0.05)
    raise ServerError(f"the local server did not answer within {timeout:g} s; see {home() / 'voladdin.log'}")


def _launch(said: IO[bytes]) -> subprocess.Popen[bytes]:
    """The server's process, which says to this file what goes wrong."""
    process = _spawn([sys.executable, "-P", "-m", "voladdin", "serve"], said.fileno())
    _started[:] = [one for one in _started if one.poll() is None] + [process]
    return process


def _spawn(command: list[str], log: int) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return subprocess.Popen(
        command,
        cwd=home(),
        env=_ONE_THREAD | os.environ | {"PYTHONPATH": path, "VOLADDIN_HOME": str(home().resolve())},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        **options,
    )


def _last_words(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
