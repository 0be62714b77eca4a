"""Asks the local server for a worksheet function; runs inside LibreOffice's own Python.

Standard library only, Python 3.8 or later, no import of voladdin: `extension.build` packs this file into the
.oxt as `voladdin_client.py`. A dead or hung server must not block the window: one call waits for one short
timeout, and the calls after it fail at once until a pause is over.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import logging.handlers
import secrets
import socket
import subprocess
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voladdin_machine import launch, locked, read_private  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from typing import TypeAlias

    Cells: TypeAlias = list[list[float | str | bool | None]]

CONNECT_TIMEOUT = 1.0  # seconds
ANSWER_TIMEOUT = 5.0  # seconds for one answer
COMMAND_TIMEOUT = 60.0  # seconds for a command of the menu; a repair may take ten
START_TIMEOUT = 10.0  # seconds for a server to come up
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds without asking; doubled at every failure in a row
MAX_CACHED_CELLS = 1_000_000
FAILURES = (OSError, ValueError, KeyError, TypeError, http.client.HTTPException)

log = logging.getLogger("voladdin.libreoffice")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


class CommandError(Exception):
    """A command cannot be done; the message is for the user."""


class Client:
    """Evaluates worksheet functions on the local server and remembers the answers.

    home: the folder with server.json, token and install.json.
    """

    def __init__(self, home: Path) -> None:
        self._server = Server(home)
        self._answers = Answers()
        self._pause = 0.0
        self._closed_until = 0.0

    def evaluate(
        self, name: str, arguments: list[Any], cached: bool = True, caller: dict[str, Any] | None = None
    ) -> Cells:
        """The function's cells; one error cell where it fails, "#N/A" where no server answers.

        arguments: JSON values, rows of cells for a range.
        cached: whether cells, but never errors, are remembered for these arguments, version and models.
        caller: the book and the references of the arguments, for what the server remembers of errors.
        """
        body = _json({"arguments": arguments})
        whole = _json({"arguments": arguments, "caller": caller}) if caller else body
        open_ = time.monotonic() >= self._closed_until
        try:
            if open_ and self._server.replaced():
                self._server.connect()
            known = self._answers.get(self._key(name, body)) if cached else None
            if known is not None:
                return known
            if not open_:
                return [["#N/A"]]
            cells, answered = self._ask(name, whole, caller or {})
            if cached and answered:
                self._answers.put(self._key(name, body), cells)
            return cells
        except FAILURES as error:
            self._close(error)
            return [["#N/A"]]

    def command(self, name: str, book: Any, blocks: list[Any]) -> Any:
        """What `hosts.libreoffice.engine.run` answers. Raises CommandError with what to tell the user."""
        body = _json({"book": book, "blocks": blocks})
        try:
            status, answer = self._server.request("POST", f"/v1/commands/{name}", body, COMMAND_TIMEOUT)
            if status == 200:
                return answer
            message = f"{answer['error']['message']} [{answer['error'].get('reference', '')}]"
        except FAILURES as error:
            self._server.close()
            message = f"the local voladdin server does not answer ({type(error).__name__}: {error})"
        log.info("%s: %s", name, message)
        raise CommandError(message)

    def _key(self, name: str, body: bytes) -> bytes:
        return hashlib.sha256(b"\0".join((self._server.identity, name.encode(), body))).digest()

    def _ask(self, name: str, body: bytes, caller: dict[str, Any]) -> tuple[Cells, bool]:
        """The cells, and whether they are the function's, not an error's."""
        status, answer = self._server.request("POST", f"/v1/functions/{name}", body)
        self._pause = 0.0
        if status == 200:
            return answer["cells"], True
        error, book = answer["error"], f" in [{caller['book']}]" if caller.get("book") else ""
        said = error["cell"], error["message"], error.get("reference", "")
        log.info("%s%s: %s %s [%s]", name, book, *said)
        return [[error["cell"]]], False

    def _close(self, error: Exception) -> None:
        self._server.close()
        self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
        self._closed_until = time.monotonic() + self._pause
        log.warning("no server (%s: %s); asking again in %g s", type(error).__name__, error, self._pause)


class Answers:
    """The most recently used answers, bounded by their number of cells."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, Cells] = OrderedDict()
        self._cells = 0

    def get(self, key: bytes) -> Cells | None:
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key: bytes, cells: Cells) -> None:
        self._cells -= sum(map(len, self._entries.pop(key, [])))
        self._entries[key] = cells
        self._cells += sum(map(len, cells))
        while self._cells > MAX_CACHED_CELLS:
            self._cells -= sum(map(len, self._entries.popitem(last=False)[1]))


class Server:
    """A keep-alive connection to the local server, which is started where it does not run."""

    def __init__(self, home: Path) -> None:
        self._home = home
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
            self._greet(ANSWER_TIMEOUT)
        except socket.timeout:  # noqa: UP041 (not a TimeoutError before Python 3.10)
            self._launch()  # it hangs: a new one takes its place, but not in time for this call
            raise
        except FAILURES:
            self._start()

    def request(self, method: str, path: str, body: bytes, timeout: float | None = None) -> tuple[int, Any]:
        """Status and parsed answer; once more on a new connection where the old one was closed."""
        if self._connection is None:
            self.connect()
        try:
            return self._exchange(method, path, body, timeout)
        except socket.timeout:  # noqa: UP041
            raise
        except (OSError, http.client.HTTPException):
            self.connect()
            return self._exchange(method, path, body, timeout)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _exchange(
        self, method: str, path: str, body: bytes | None, timeout: float | None = None
    ) -> tuple[int, Any]:
        assert self._connection is not None
        try:
            if timeout is not None and self._connection.sock is not None:
                self._connection.sock.settimeout(timeout)
            self._connection.request(method, path, body, self._headers)
            response = self._connection.getresponse()
            answer = json.loads(response.read())
        except BaseException:
            self.close()
            raise
        if method == "POST" and self._connection.sock is not None:
            self._connection.sock.settimeout(ANSWER_TIMEOUT)
        if response.status == 401:  # another token: read it again at the next connection
            self.close()
        return response.status, answer

    def _greet(self, timeout: float) -> None:
        """Connects to the server of server.json; `timeout` holds for its first answers."""
        self.close()
        state = json.loads(read_private(self._home / "server.json"))
        token = read_private(self._home / "token").strip()
        if not locked(self._home / "server.lock"):
            raise ConnectionError("no server holds server.lock")  # its port may be another program's by now
        seen = self._stamp()
        connection = http.client.HTTPConnection("127.0.0.1", int(state["port"]), timeout=CONNECT_TIMEOUT)
        self._connection = connection
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock.settimeout(timeout)
        self._prove(token, int(state["port"]))
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        status, models = self._exchange("GET", "/v1/models", None)
        if status != 200:
            raise ConnectionError(f"the server answered {status} to GET /v1/models; expected 200")
        self.identity = hashlib.sha256(json.dumps([state["version"], models]).encode()).digest()
        self._seen = seen

    def _prove(self, token: str, port: int) -> None:
        """The other end proves that it knows the token (`voladdin.service.state`), or it is told nothing."""
        self._headers = {}
        challenge = secrets.token_hex(16)
        given = self._exchange("GET", f"/v1/proof/{challenge}", None)[1]["proof"]
        message = f"voladdin\n{port}\n{challenge}".encode()
        expected = hmac.new(token.encode(), message, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(str(given).encode(), expected.encode()):
            raise ConnectionError("another program has the server's port; it was told nothing")

    def _launch(self) -> None:
        """Starts a server with the interpreter that installed the extension, unless one starts already."""
        if self._child is None or self._child.poll() is not None:
            install = json.loads(read_private(self._home / "install.json"))
            self._child = launch(install["python"], install["path"], self._home)

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
                return self._greet(START_TIMEOUT)
            except FAILURES:
                if ended or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def _stamp(self) -> object:
        """What changes with the server or the desk's own models; None where no server is known."""
        try:
            state = (self._home / "server.json").stat()
        except OSError:
            return None
        cards = sorted((str(card), card.stat().st_mtime_ns) for card in self._home.glob("models/*/card.json"))
        return state.st_mtime_ns, state.st_ino, cards
