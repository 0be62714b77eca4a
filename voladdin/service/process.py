"""The local server as a process: found, started on demand, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..errors import ServerError
from ..home import home, version
from .client import Client
from .state import State, read_state, server_lock

# Threads of OpenBLAS that wait for a busy core made grids of 1,000 cells ten times slower.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
_started: list[subprocess.Popen[bytes]] = []


def running(timeout: float = 2.0) -> State | None:
    """The live server of this home, proven by its lock and a health answer; else None."""
    with server_lock() as free:
        state = None if free else read_state()
    if state is None:
        return None
    try:
        with Client(state, timeout) as client:
            status, body = client.request("GET", "/v1/health")
    except ServerError:
        return None
    return state if status == 200 and body.get("pid") == state.pid else None


def ensure_running(timeout: float = 15.0) -> State:
    """The live server, started detached by this interpreter when there is none, or one of another version.

    Raises ServerError when none answers within `timeout` seconds.
    """
    state = running()
    if state is not None and state.version != version():
        stop(state)
        state = None
    return state or _start(timeout)


def stop(state: State, timeout: float = 10.0) -> None:
    """End the server `state`, which `running()` returned; ServerError if it will not end."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(state.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with server_lock() as free:
            ended = all(one.poll() is not None for one in _started if one.pid == state.pid)
            if free and ended:
                return
        time.sleep(0.02)
    raise ServerError(f"the server with process id {state.pid} is still running {timeout:g} s after its stop")


def _start(timeout: float) -> State:
    """Start the server detached from this process and wait for its health answer."""
    with (home() / "start.log").open("wb") as log:
        process = _spawn([sys.executable, "-P", "-m", "voladdin", "serve"], log.fileno())
    _started[:] = [one for one in _started if one.poll() is None] + [process]
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        state = running()
        if state is not None:
            return state
        if process.poll():
            raise ServerError(f"the local server did not start: {_last_words()}")
        time.sleep(0.05)
    raise ServerError(f"the local server did not answer within {timeout:g} s; see {home() / 'voladdin.log'}")


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


def _last_words() -> str:
    lines = (home() / "start.log").read_text("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
