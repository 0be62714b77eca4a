"""The desk's side of the local server: home folder, token, state file, start on demand, a small client.

Standard library only, so that any program can use it. The running server holds an operating-system lock on
`home()/server.lock`; the lock goes with the process however it ends, so a state file whose lock is free is
stale and never contacted (another user's program may own its port by now).
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import importlib.metadata
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .errors import InfeasibleError, InputError, ServerError, VoladdinError

HOST = "127.0.0.1"
_ERRORS: dict[str, type[VoladdinError]] = {"#VALUE!": InputError, "#NUM!": InfeasibleError}
# Threads of OpenBLAS that wait for a busy core made grids of 1,000 cells ten times slower.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class State:
    """Where the running server is: its port, process id and version."""

    port: int
    pid: int
    version: str


def home() -> Path:
    """Folder of the state file, token and log: VOLADDIN_HOME, or ~/.voladdin; created for this user only.

    Raises ServerError when it cannot be created.
    """
    folder = Path(os.environ.get("VOLADDIN_HOME") or Path.home() / ".voladdin")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServerError(f"VOLADDIN_HOME is {folder}; expected a folder that can be made: {error}") from None
    return folder


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
    _write_private(path, token)
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
    _write_private(home() / "server.json", json.dumps(asdict(state)))


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


@functools.cache
def version() -> str:
    """Version of the installed voladdin; "0+source" where it runs from a source folder, not installed."""
    try:
        return importlib.metadata.version("voladdin")
    except importlib.metadata.PackageNotFoundError:
        return "0+source"


class Client:
    """JSON calls to the local server over one kept connection; not shared between threads.

    state: the server, default `ensure_running()`.
    timeout: seconds that one answer may take.
    """

    def __init__(self, state: State | None = None, timeout: float = 30.0) -> None:
        state = state or ensure_running()
        self._where = f"the local server on {HOST}:{state.port}"
        self._connection = http.client.HTTPConnection(HOST, state.port, timeout=timeout)
        self._headers = {"Authorization": f"Bearer {read_token()}", "Content-Type": "application/json"}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a later call opens another."""
        self._connection.close()

    def evaluate(self, name: str, *arguments: Any) -> list[list[Any]]:
        """Cells that the worksheet function `name` returns; its error is raised with the same message."""
        status, body = self.request("POST", f"/v1/functions/{name}", {"arguments": arguments})
        if status == 200:
            return list(body["cells"])
        error = _ERRORS.get(body["error"]["cell"], ServerError)(body["error"]["message"])
        error.add_note(f"reference {body['error']['reference']}")
        raise error

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of one call; ServerError when no JSON answer comes."""
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        kept = self._connection.sock is not None
        try:
            return self._exchange(method, path, data)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            if not (kept and isinstance(error, ConnectionError)):
                why = str(error) or type(error).__name__
                raise ServerError(f"{self._where} does not answer: {why}") from None
        return self.request(method, path, body)  # the server had closed the kept connection

    def _exchange(self, method: str, path: str, data: bytes | None) -> tuple[int, dict[str, Any]]:
        self._connection.request(method, path, data, self._headers)
        response = self._connection.getresponse()
        return response.status, dict(json.loads(response.read()))


def _start(timeout: float) -> State:
    """Start the server detached from this process and wait for its health answer."""
    with (home() / "start.log").open("wb") as log:
        process = _spawn([sys.executable, "-P", "-m", "server.run"], log.fileno())
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
    root = str(Path(__file__).resolve().parents[1])
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


def _write_private(path: Path, text: str) -> None:
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
