"""The connection to the local server; runs inside LibreOffice's own Python.

Standard library only, Python 3.8 or later; packed into the .oxt as `voladdin_connection.py`. A server that
hangs is told from one that computes: it does not prove itself on a second connection either, and costs
`SILENCE` seconds, while one that computes may take `ANSWER_TIMEOUT`.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import secrets
import select
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from voladdin_machine import launch, locked, read_private  # type: ignore[import-not-found]

SILENCE = 2.0  # seconds in which a server that does not hang says something
CONNECT_TIMEOUT = SILENCE / 4
ANSWER_TIMEOUT = 10.0  # seconds for one answer of a server that computes
START_TIMEOUT = 10.0  # seconds for a server to come up
FAILURES = (OSError, ValueError, KeyError, TypeError, http.client.HTTPException)


class Hung(OSError):
    """The server runs and says nothing."""


class Busy(OSError):
    """The server computes for longer than one answer may take."""


class Server:
    """A keep-alive connection to the local server, which is started where it does not run.

    home: the folder with server.json, token and install.json.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._state, self._models = str(home / "server.json"), str(home / "models")
        self._connection: http.client.HTTPConnection | None = None
        self._headers: dict[str, str] = {}
        self._seen: object = None
        self._child: subprocess.Popen[bytes] | None = None
        self.identity = b""

    def replaced(self) -> bool:
        """Whether another server runs, or the models changed, since the last connection.

        A server that went away leaves its answers valid.
        """
        stamp = self._stamp()
        return stamp is not None and stamp != self._seen

    def connect(self) -> None:
        """Connects and learns the server's identity: its version and the digests of its models."""
        try:
            self._greet()
        except (Hung, socket.timeout):  # noqa: UP041 (not a TimeoutError before Python 3.10)
            self._replace()
            raise
        except FAILURES:
            self._start()

    def request(self, method: str, path: str, body: bytes, timeout: float | None = None) -> tuple[int, Any]:
        """Status and parsed answer; once more on a new connection where the old one was closed."""
        limit = ANSWER_TIMEOUT if timeout is None else timeout
        if self._connection is None:
            self.connect()
        try:
            return self._exchange(method, path, body, limit)
        except (Hung, socket.timeout):  # noqa: UP041
            self._replace()
            raise
        except Busy:
            raise
        except (OSError, http.client.HTTPException):
            self.connect()
            return self._exchange(method, path, body, limit)

    def repeat(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """The same of the server that was connected: none is started in its place."""
        if self._connection is None:
            raise ConnectionError("the server that was asked is gone")
        return self._exchange(method, path, body, ANSWER_TIMEOUT)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _exchange(self, method: str, path: str, body: bytes | None, limit: float) -> tuple[int, Any]:
        """limit: seconds for the answer of a server that computes."""
        assert self._connection is not None
        try:
            self._connection.request(method, path, body, self._headers)
            self._await(limit)
            response = self._connection.getresponse()
            answer = json.loads(response.read())
        except BaseException:
            self.close()
            raise
        if response.status == 401:  # another token: read it again at the next connection
            self.close()
        return response.status, answer

    def _await(self, limit: float) -> None:
        """Until the answer begins. Raises Hung or Busy where it does not."""
        assert self._connection is not None
        sock, first = self._connection.sock, CONNECT_TIMEOUT
        if _readable(sock, min(first, limit)):
            return
        if limit > first and not _speaks(self._connection.port):
            raise Hung(f"it has not answered for {SILENCE:g} s")
        if not _readable(sock, limit - first):
            raise Busy(f"it has not ended the computation within {limit:g} s")

    def _greet(self) -> None:
        """Connects to the server of server.json."""
        self.close()
        state = json.loads(read_private(self._home / "server.json"))
        token = read_private(self._home / "token").strip()
        if not locked(self._home / "server.lock"):
            raise ConnectionError("no server holds server.lock")  # its port may be another program's by now
        seen, port = self._stamp(), int(state["port"])
        self._connection = connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CONNECT_TIMEOUT)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock.settimeout(SILENCE)
        self._prove(token, port)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._headers["User-Agent"] = "voladdin-libreoffice"  # 0.1 has none
        status, models = self._exchange("GET", "/v1/models", None, START_TIMEOUT)
        if status != 200:
            raise ConnectionError(f"the server answered {status} to GET /v1/models; expected 200")
        self.identity = hashlib.sha256(json.dumps([state["version"], models]).encode()).digest()
        self._seen = seen

    def _prove(self, token: str, port: int) -> None:
        """The other end proves that it knows the token (`voladdin.service.state`), or it is told nothing."""
        self._headers = {}
        challenge = secrets.token_hex(16)
        given = self._exchange("GET", f"/v1/proof/{challenge}", None, START_TIMEOUT)[1]["proof"]
        message = f"voladdin\n{port}\n{challenge}".encode()
        expected = hmac.new(token.encode(), message, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(str(given).encode(), expected.encode()):
            raise ConnectionError("another program has the server's port; it was told nothing")

    def _replace(self) -> None:
        """A new server takes the place of one that hangs, but not in time for this call."""
        try:
            self._launch()
        except FAILURES:
            self._child = None

    def _launch(self) -> None:
        """Starts a server with the interpreter that installed the extension, unless one starts already."""
        if self._child is None or self._child.poll() is not None:
            try:
                install = json.loads(read_private(self._home / "install.json"))
                self._child = launch(install["python"], install["path"], self._home)
            except (OSError, ValueError) as error:
                expected = "expected `voladdin install libreoffice`"
                raise ConnectionError(f"none runs, and none can be started: {error}; {expected}") from None

    def _start(self) -> None:
        """Starts the server with the interpreter that installed the extension, and connects."""
        deadline = time.monotonic() + START_TIMEOUT
        launched = False
        while True:
            ended = self._child is None or self._child.poll() is not None
            if ended and not launched:
                self._launch()
                launched, ended = True, False
            try:
                return self._greet()
            except FAILURES:
                if ended or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def _stamp(self) -> object:
        """What changes with the server or the desk's own models; None where no server is known."""
        try:
            state = os.stat(self._state)
        except OSError:
            return None
        return state.st_mtime_ns, state.st_ino, self._cards()

    def _cards(self) -> list[tuple[str, int]]:
        """The desk's own models, and when each card was written; asked at every formula."""
        found = []
        try:
            with os.scandir(self._models) as folders:
                for folder in folders:
                    card = os.path.join(folder.path, "card.json")
                    if os.path.exists(card):
                        found.append((folder.name, os.stat(card).st_mtime_ns))
        except OSError:
            return found
        return sorted(found)


def _readable(sock: socket.socket, seconds: float) -> bool:
    """Whether there is something to read within that time; no read that times out breaks the answer."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([sock], [], [], seconds)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(1000 * seconds))


def _speaks(port: int) -> bool:
    """Whether a server that has not answered yet answers what costs it nothing; it is told nothing."""
    other = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENCE - CONNECT_TIMEOUT)
    try:
        other.request("GET", f"/v1/proof/{secrets.token_hex(16)}")
        return other.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        other.close()
