"""Home folder, token, lock and client; and real server processes, from start to stop."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server import run
from voladdin.errors import InfeasibleError, InputError, ServerError
from voladdin.home import home, version
from voladdin.service import process
from voladdin.service.client import Client
from voladdin.service.state import (
    State,
    clear_state,
    ensure_token,
    read_state,
    read_token,
    server_lock,
    write_state,
)

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and permissions")
# A server whose functions only wait: /v1/functions/0.5 answers [["0.5"]] after half a second.
SLOW = """
import sys, time
from voladdin.worksheet import registry
def evaluate(name, arguments):
    time.sleep(float(name))
    return [[name]]
registry.evaluate = evaluate
from server.run import main
sys.exit(main(sys.argv[1:]))
"""
Serve = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An own home folder; what still serves in it at the end is stopped."""
    path = tmp_path / "home"
    monkeypatch.setenv("VOLADDIN_HOME", str(path))
    yield path
    state = process.running()
    if state is not None:
        process.stop(state)
    for one in process._started:
        one.wait(10)


@pytest.fixture
def serve(folder: Path) -> Iterator[Serve]:
    """Starts `voladdin serve` with these options, as its own process."""
    with ExitStack() as stack:

        def start(*options: str, code: str = "") -> subprocess.Popen[str]:
            command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "server.run"]
            served = subprocess.Popen(
                [*command, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            stack.enter_context(served)
            stack.callback(served.kill)
            return served

        yield start


def wait_until_running(served: subprocess.Popen[str]) -> State:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and served.poll() is None:
        state = process.running()
        if state is not None:
            return state
        time.sleep(0.02)
    raise AssertionError(f"no server: {served.communicate(timeout=1)[0]}")


def kill(pid: int) -> None:
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def test_home_is_made_for_the_user_alone(folder: Path) -> None:
    assert home() == folder
    assert os.name == "nt" or stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_home_defaults_to_the_user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOLADDIN_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert home() == tmp_path / ".voladdin"


def test_home_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ServerError, match=r"VOLADDIN_HOME is .*file"):
        home()


def test_the_token_is_private_and_kept(folder: Path) -> None:
    with pytest.raises(ServerError, match="token"):
        read_token()
    token = ensure_token()
    assert len(token) >= 32
    assert ensure_token() == read_token() == token
    assert os.name == "nt" or stat.S_IMODE((folder / "token").stat().st_mode) == 0o600


@posix
def test_a_token_that_others_could_read_is_replaced(folder: Path) -> None:
    token = ensure_token()
    (folder / "token").chmod(0o644)
    assert ensure_token() != token
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [b"", b"short", b"\xff" * 40])
def test_a_damaged_token_is_replaced(folder: Path, text: bytes) -> None:
    home()
    (folder / "token").write_bytes(text)
    assert len(ensure_token()) >= 32
    assert read_token() == ensure_token()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"port": 1}', '{"port": "x", "pid": 1, "version": ""}']
)
def test_a_damaged_state_file_is_no_state(folder: Path, text: str) -> None:
    home()
    (folder / "server.json").write_text(text)
    assert read_state() is None
    assert process.running() is None


def test_only_the_own_state_is_cleared(folder: Path) -> None:
    write_state(State(1, os.getpid() + 1, "1"))
    clear_state()
    assert read_state() == State(1, os.getpid() + 1, "1")
    write_state(State(1, os.getpid(), "1"))
    clear_state()
    assert not (folder / "server.json").exists()


def test_the_lock_is_held_once(folder: Path) -> None:
    with server_lock() as first, server_lock() as second:
        assert (first, second) == (True, False)
    with server_lock() as third:
        assert third


def test_a_stale_state_is_never_contacted(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        foreign.setblocking(False)
        write_state(State(foreign.getsockname()[1], os.getpid(), "1"))
        assert process.running() is None
        with pytest.raises(BlockingIOError):
            foreign.accept()


def test_a_server_that_cannot_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home()
    (folder / "token").mkdir()
    with pytest.raises(ServerError, match=r"did not start: .*token cannot be written"):
        process.ensure_running()


def test_a_lock_that_cannot_be_opened_is_named(folder: Path) -> None:
    (home() / "server.lock").mkdir()
    with pytest.raises(ServerError, match=r"server.lock cannot be opened"):
        process.ensure_running()
    (folder / "server.lock").rmdir()


def test_a_server_that_never_answers_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("true"))
    with pytest.raises(ServerError, match=r"within 0.2 s; see .*voladdin.log"):
        process.ensure_running(timeout=0.2)


def test_started_on_demand_found_again_and_stopped(folder: Path, serve: Serve) -> None:
    state = process.ensure_running()
    assert process.ensure_running() == read_state() == state
    second = serve()
    assert (
        f"already running on http://127.0.0.1:{state.port} (process {state.pid})"
        in second.communicate(timeout=10)[0]
    )
    assert second.returncode == 0
    assert os.name == "nt" or stat.S_IMODE((folder / "server.json").stat().st_mode) == 0o600
    assert json.loads((folder / "server.json").read_text()) == {
        "port": state.port,
        "pid": state.pid,
        "version": version(),
    }
    with Client(state) as client, pytest.raises(InputError, match="VOLNOTHING") as caught:
        client.evaluate("VOLNOTHING", [["1W", None]], 1.5)
    reference = caught.value.__notes__[0].removeprefix("reference ")
    assert reference in (folder / "voladdin.log").read_text()
    process.stop(state)
    assert not (folder / "server.json").exists()
    with pytest.raises(ServerError, match=str(state.port)):
        client.request("GET", "/v1/health")


def test_a_server_of_another_version_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = process.ensure_running()
    monkeypatch.setattr(process, "version", lambda: "99.0")
    new = process.ensure_running()
    assert new.pid != old.pid
    assert process.running() == new


def test_simultaneous_starts_yield_one_server(folder: Path, serve: Serve) -> None:
    processes = [serve() for _ in range(2)]
    deadline = time.monotonic() + 15
    while all(served.poll() is None for served in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    state = process.running()
    assert state is not None
    assert [served.pid for served in processes if served.poll() is None] == [state.pid]
    process.stop(state)
    said = [served.communicate(timeout=10)[0] for served in processes]
    assert sorted("already running" in text for text in said) == [False, True]
    assert [served.returncode for served in processes] == [0, 0]
    assert not any("Traceback" in text for text in said)


@posix
def test_an_interrupt_stops_it_cleanly(folder: Path, serve: Serve) -> None:
    served = serve(code=SLOW)
    state = wait_until_running(served)
    assert state.pid == served.pid
    served.send_signal(signal.SIGINT)
    said = served.communicate(timeout=10)[0]
    assert (served.returncode, "Traceback" in said) == (0, False)
    assert not (folder / "server.json").exists()


def test_a_taken_port_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run.main(["--port", str(port)]) == 1
    assert f"--port is {port}; expected a free port" in capsys.readouterr().err
    assert read_state() is None


@pytest.mark.parametrize("option", ["--port=70000", "--port=-1", "--idle=-1", "--idle=nan"])
def test_an_impossible_option_is_named(folder: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main([option]) == 1
    assert f"{option.replace('=', ' is ')}; expected" in capsys.readouterr().err


def test_a_server_that_hangs_while_starting_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "START_SECONDS", 0.1)
    with server_lock():
        assert run.main([]) == 1
    assert "server.lock" in capsys.readouterr().err


def test_it_stops_when_idle_and_not_before(folder: Path, serve: Serve) -> None:
    served = serve("--idle", "1", code=SLOW)
    with Client(wait_until_running(served)) as client:
        assert client.evaluate("1.3") == [["1.3"]]
        assert client.evaluate("0") == [["0"]]
        assert served.wait(10) == 0
        assert not (folder / "server.json").exists()
        with pytest.raises(ServerError, match="does not answer"):
            client.evaluate("0")


def test_killed_in_the_middle_of_a_call(folder: Path, serve: Serve) -> None:
    served = serve(code=SLOW)
    state = wait_until_running(served)
    timer = threading.Timer(0.3, kill, [served.pid])
    with Client(state) as client:
        client.request("GET", "/v1/health")
        timer.start()
        with pytest.raises(ServerError, match=f"local server on 127.0.0.1:{state.port} does not answer"):
            client.evaluate("30")
    timer.join()
    served.wait(10)
    assert read_state() == state, "the killed server left its state file"
    new = process.ensure_running()
    assert new.pid != state.pid
    assert process.running() == new


def test_calls_are_fast_and_limits_hold_on_the_wire(folder: Path) -> None:
    state = process.ensure_running()
    with Client(state) as client:
        start = time.monotonic()
        for _ in range(100):
            client.request("POST", "/v1/functions/VOLINFO", {"arguments": ["version"]})
        assert time.monotonic() - start < 2, "an answer without TCP_NODELAY takes 40 ms"
        client._connection.sock.shutdown(socket.SHUT_RDWR)
        assert client.request("GET", "/v1/health")[0] == 200, "a kept connection is opened again"
    assert exchange(state, b" " * (5 << 20), chunked=False) == 413
    assert exchange(state, b" " * (5 << 20), chunked=True) == 413
    assert exchange(state, b"{", chunked=True) == 400
    others = [info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    for address in {str(other) for other in others if not str(other).startswith("127.")}:
        with pytest.raises(OSError, match=r"refused|timed out|unreachable"):
            socket.create_connection((address, state.port), timeout=1).close()


def exchange(state: State, body: bytes, chunked: bool) -> int:
    """Status of one call with this body."""
    connection = http.client.HTTPConnection("127.0.0.1", state.port, timeout=10)
    headers = {"Authorization": f"Bearer {read_token()}"}
    parts = [body[i : i + 65536] for i in range(0, len(body), 65536)]
    content = iter(parts) if chunked else body
    try:
        connection.request("POST", "/v1/functions/VOLINFO", content, headers, encode_chunked=chunked)
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_cell_decides_the_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_token()
    client = Client(State(1, 1, "1"))
    for cell, kind in {"#VALUE!": InputError, "#NUM!": InfeasibleError, "#N/A": ServerError}.items():
        error = {"cell": cell, "message": "what was wrong", "reference": "VA-0123abcd"}
        monkeypatch.setattr(client, "request", lambda *_, error=error: (422, {"error": error}))
        with pytest.raises(kind, match="what was wrong"):
            client.evaluate("VOLIMPUTE")
