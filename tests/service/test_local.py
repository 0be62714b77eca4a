"""Home folder, token, lock and client; and real server processes, from start to stop."""

from __future__ import annotations

import contextlib
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
from voladdin import bundles
from voladdin import home as home_module
from voladdin.errors import InfeasibleError, InputError, ServerError
from voladdin.home import VERSION, code, home
from voladdin.hosts.excel import waiting
from voladdin.service import process
from voladdin.service.client import Client
from voladdin.service.state import (
    State,
    clear_state,
    ensure_token,
    holder,
    proof,
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
def evaluate(name, arguments, *_):
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
    for started in process._started:  # one may still be starting
        with started:
            started.kill()
    process._started.clear()


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
    deadline = time.monotonic() + 30
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
    "text",
    [
        *("", "{", "[]", "null", '{"port": 1}', "\0" * 100, "[" * 10_000),
        *(
            f'{{"port": {port}, "pid": {pid}, "version": "", "code": "", "challenge": "", "proof": ""}}'
            for port, pid in [('"x"', 1), ("1e400", 1), ("NaN", 1), (99999, 1), (-1, 1), (80, -1), (80, 0)]
        ),
    ],
)
def test_a_damaged_state_file_is_no_state(folder: Path, text: str) -> None:
    home()
    (folder / "server.json").write_text(text)
    assert read_state() is None
    assert process.running() is None


def test_only_the_own_state_is_cleared(folder: Path) -> None:
    mine, other = (State.of("t" * 43, port, "1", "c") for port in (1, 2))
    write_state(other)
    clear_state(mine)
    assert read_state() == other
    clear_state(other)
    assert not (folder / "server.json").exists()
    write_state(other)
    clear_state()
    assert not (folder / "server.json").exists()


def test_the_lock_is_held_once(folder: Path) -> None:
    with server_lock() as first, server_lock() as second:
        assert first is not None and second is None
    with server_lock() as third:
        assert third is not None


def test_a_stale_state_is_never_contacted(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        foreign.setblocking(False)
        write_state(State.of("t" * 43, foreign.getsockname()[1], "1", "c"))
        assert process.running() is None
        with pytest.raises(BlockingIOError):
            foreign.accept()


def test_a_server_that_cannot_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home()
    (folder / "token").mkdir()
    with pytest.raises(ServerError, match=r"token cannot be written"):
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
    assert State(**json.loads((folder / "server.json").read_text())) == state
    assert (state.version, state.code) == (VERSION, code())
    assert proof(read_token(), state.port, state.challenge) == state.proof
    assert holder() == state.pid
    with Client(state) as client, pytest.raises(InputError, match="VOLNOTHING") as caught:
        client.evaluate("VOLNOTHING", [["1W", None]], 1.5)
    reference = caught.value.__notes__[0].removeprefix("reference ")
    assert reference in (folder / "voladdin.log").read_text()
    process.stop(state)
    assert not (folder / "server.json").exists()
    with pytest.raises(ServerError, match=str(state.port)):
        client.request("GET", "/v1/health")


def test_a_server_of_other_code_is_replaced(folder: Path, serve: Serve) -> None:
    """Whatever its version says: that of a source folder never changes."""
    patch = "import server.run as run, sys; run.code = lambda: 'old'; sys.exit(run.main([]))"
    old = wait_until_running(serve(code=patch))
    assert old.code == "old"
    new = process.ensure_running()
    assert (new.code, new.version) == (code(), old.version) and new.pid != old.pid
    assert process.running() == new


def test_the_code_is_told_by_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "voladdin"
    package.mkdir()
    monkeypatch.setattr(home_module, "__file__", str(package / "home.py"))
    seen = [code()]
    for name, text in [("a.py", "x = 1"), ("a.py", "x = 2"), ("b.py", ""), ("note.txt", "no code")]:
        (package / name).write_text(text)
        seen.append(code())
    assert len(set(seen)) == 4 and seen[3] == seen[4]


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
    headers = {"Authorization": f"Bearer {read_token()}", "User-Agent": "test"}
    parts = [body[i : i + 65536] for i in range(0, len(body), 65536)]
    content = iter(parts) if chunked else body
    try:
        connection.request("POST", "/v1/functions/VOLINFO", content, headers, encode_chunked=chunked)
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_cell_decides_the_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_token()
    client = Client(State.of(read_token(), 1, "1", "c"))
    for cell, kind in {"#VALUE!": InputError, "#NUM!": InfeasibleError, "#N/A": ServerError}.items():
        error = {"cell": cell, "message": "what was wrong", "reference": "VA-0123abcd"}
        monkeypatch.setattr(client, "request", lambda *_, error=error: (422, {"error": error}))
        with pytest.raises(kind, match="what was wrong"):
            client.evaluate("VOLIMPUTE")


class Stranger:
    """Another user's program on a port: keeps what it is sent, and answers what it likes."""

    def __init__(self, port: int = 0) -> None:
        self.seen = b""
        self._listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.port = int(self._listener.getsockname()[1])
        self.pass_on: int | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(2)
            with connection:
                try:
                    asked = connection.recv(65536)
                    self.seen += asked
                    connection.sendall(self._answer(asked))
                    self.seen += connection.recv(65536)
                except OSError:
                    continue

    def _answer(self, asked: bytes) -> bytes:
        if self.pass_on is not None:  # to the true server
            with socket.create_connection(("127.0.0.1", self.pass_on), timeout=2) as true:
                true.sendall(asked.replace(str(self.port).encode(), str(self.pass_on).encode()))
                answer = http.client.HTTPResponse(true)
                answer.begin()
                body = answer.read()
                return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        body = json.dumps({"pid": os.getpid(), "cells": [["FORGED"]], "proof": "0" * 64}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def close(self) -> None:
        self._listener.close()


@pytest.mark.parametrize("hands_on", [False, True])
def test_the_token_never_reaches_a_stranger(folder: Path, hands_on: bool) -> None:
    """Who has a port that a state file names, even with the lock held, and even beside the true server."""
    true = process.ensure_running()
    token, stranger = read_token(), Stranger()
    stranger.pass_on = true.port if hands_on else None
    write_state(State.of(token, stranger.port, "1", code()))
    try:
        with pytest.raises(ServerError, match="another program has its port; it was told nothing"):
            Client(State.of(token, stranger.port, "1", code())).evaluate("VOLINFO")
        assert b"/v1/proof/" in stranger.seen and token.encode() not in stranger.seen
        assert process.ensure_running() == true, "it puts its state file back"
        assert token.encode() not in stranger.seen
    finally:
        stranger.close()


def test_a_port_taken_over_from_a_killed_server(folder: Path, serve: Serve) -> None:
    served = serve()
    old = wait_until_running(served)
    kill(served.pid)
    served.wait(10)
    stranger, token = Stranger(old.port), read_token()
    try:
        new = process.ensure_running()
        assert new.port != old.port
        with Client(new) as client:
            assert client.evaluate("VOLINFO", "version") == [[VERSION]]
        assert token.encode() not in stranger.seen
    finally:
        stranger.close()


@pytest.mark.parametrize("lost", ["server.json", "token"])
@pytest.mark.parametrize("how", ["gone", "damaged", "folder"])
def test_a_lost_file_comes_back(folder: Path, lost: str, how: str) -> None:
    state, token = process.ensure_running(), read_token()
    path = folder / lost
    path.unlink()
    if how == "damaged":
        path.write_text("x" * 50)
        path.chmod(0o600)
    if how == "folder":
        path.mkdir()
        time.sleep(1)
        path.rmdir()
    assert process.ensure_running() == state
    assert read_token() == token


@posix
def test_a_server_that_has_lost_its_place_ends(folder: Path, serve: Serve) -> None:
    served = serve()
    wait_until_running(served)
    (folder / "server.lock").unlink()
    assert served.wait(10) == 0
    assert process.ensure_running().pid != served.pid


@posix
def test_a_token_that_others_could_have_read_ends_the_server(folder: Path, serve: Serve) -> None:
    served = serve()
    wait_until_running(served)
    token = read_token()
    (folder / "token").chmod(0o644)
    assert served.wait(10) == 0
    process.ensure_running()
    assert read_token() != token


@posix
def test_a_server_that_hangs_is_replaced(folder: Path, serve: Serve) -> None:
    """A call fails soon and says why; the server that it starts takes the place of the one that hangs."""
    served = serve()
    wait_until_running(served)
    served.send_signal(signal.SIGSTOP)
    with pytest.raises(ServerError, match=rf"\(process {served.pid}\) has not answered for 2 s; a new"):
        process.ensure_running()
    assert served.wait(30) == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while (state := process.running()) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert state is not None and state == process.ensure_running()


def test_a_request_stops_it(folder: Path, serve: Serve) -> None:
    served = serve()
    with Client(wait_until_running(served)) as client:
        assert client.request("POST", "/v1/stop") == (200, {"status": "stopping"})
    assert served.wait(10) == 0
    assert not (folder / "server.json").exists()


def _told(state: State, data: bytes, patience: float = 10.0) -> bytes:
    """What the server answers to these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", state.port), timeout=patience) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def test_an_endless_body_of_a_stranger_is_not_read(folder: Path) -> None:
    state = process.ensure_running()
    head = f"POST /v1/impute HTTP/1.1\r\nHost: 127.0.0.1:{state.port}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", state.port), timeout=10) as connection:
        connection.sendall(head.encode())
        with contextlib.suppress(ConnectionError):
            while sent < 4_000 * len(chunk):
                connection.sendall(chunk)
                sent += len(chunk)
    assert sent < 2_000 * len(chunk)
    assert (
        b"401"
        in _told(state, head.encode().replace(b"Transfer-Encoding: chunked", b"Content-Length: 0")).split(
            b"\r\n"
        )[0]
    )
    assert process.running() == state


def test_half_a_request_is_given_up(folder: Path, serve: Serve) -> None:
    """Also where there are hundreds of them, and the server answers its user all the while."""
    short = "import server.connections as c, server.app as a, sys; from server.run import main; "
    short += "c.Strangers.__init__.__defaults__ = (1.0, 8); a.BODY_SECONDS = 1.0; sys.exit(main([]))"
    state = wait_until_running(serve(code=short))
    idle = [socket.create_connection(("127.0.0.1", state.port), timeout=10) for _ in range(40)]
    for connection in idle[::2]:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHo")
    with Client(state) as client:
        assert client.evaluate("VOLINFO", "version") == [[VERSION]]
        time.sleep(1.5)
        assert client.evaluate("VOLINFO", "version") == [[VERSION]], "the token was shown"
    for connection in idle:
        with connection, contextlib.suppress(ConnectionError):
            assert connection.recv(1) == b""
    head = f"POST /v1/impute HTTP/1.1\r\nHost: 127.0.0.1:{state.port}\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {read_token()}\r\nContent-Length: 100\r\n\r\n{{"
    answer = _told(state, head.encode())
    assert b"408" in answer.split(b"\r\n")[0] and b"was not sent within 1 s" in answer


@posix
@pytest.mark.parametrize("name", ["token", "server.json", "server.lock", "voladdin.log"])
def test_no_link_is_followed(folder: Path, name: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o600)
    (home() / name).symlink_to(victim)
    if name in ("server.lock", "voladdin.log"):
        with pytest.raises(ServerError, match=rf"{name} cannot be opened: .*symbolic link"):
            process.ensure_running()
        (folder / name).unlink()
    else:
        process.ensure_running()
        assert not (folder / name).is_symlink()
    assert (victim.read_text(), stat.S_IMODE(victim.stat().st_mode)) == ("precious", 0o600)


@posix
def test_a_file_with_another_name_or_of_others_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("x" * 43)
    os.link(tmp_path / "other", home() / "token")
    with pytest.raises(ServerError, match=r"token is no file, or has two names"):
        read_token()
    (folder / "token").unlink()
    os.mkfifo(folder / "token")
    with pytest.raises(ServerError, match=r"token is no file"):
        read_token()


@posix
def test_a_home_that_others_can_write_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    with pytest.raises(ServerError, match=r"has mode 777, open to other users; expected 700: .*chmod 700"):
        home()
    folder.chmod(0o755)
    assert home() == folder


@posix
def test_a_home_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
        with pytest.raises(ServerError, match=r"belongs to user \d+; expected it to be yours"):
            home()


def test_models_need_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / "file" / "home"))
    assert "fx" in bundles.names()


def test_what_is_installed_or_removed_ends_the_server(folder: Path, serve: Serve) -> None:
    process.stop_if_running()
    served = serve()
    wait_until_running(served)
    process.stop_if_running()
    assert served.wait(10) == 0


def test_a_server_whose_code_was_replaced_ends(folder: Path, serve: Serve) -> None:
    """By itself: not every client can tell."""
    patch = "import server.run as run, sys; run.CODE_SECONDS = 0.2; told = iter(['old']); "
    patch += "run.code = lambda: next(told, 'new'); sys.exit(run.main([]))"
    assert serve(code=patch).wait(30) == 0


def test_an_installation_that_waits_is_finished_and_keeps_the_server(serve: Serve, tmp_path: Path) -> None:
    """What Excel had open: the server tries again, does not end before for want of calls, and then does."""
    start = tmp_path / "XLSTART"
    start.write_text("in the way")
    waiting.put_off({start / "voladdin.xlam": b"new"})
    served = serve("--idle", "0.2")
    wait_until_running(served)
    time.sleep(1.5)
    assert served.poll() is None
    start.unlink()
    assert served.wait(30) == 0
    assert (start / "voladdin.xlam").read_bytes() == b"new" and not waiting.files()
