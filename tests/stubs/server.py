"""A local server as `server/` is one, on a thread of the test, that counts its calls and can die or hang."""

from __future__ import annotations

import contextlib
import fcntl
import json
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from server.app import CALL
from voladdin.errors import VoladdinError
from voladdin.home import write_private
from voladdin.service.state import State, proof
from voladdin.worksheet import wire

TOKEN = "a-token-of-the-tests"


class _QuietServer(ThreadingHTTPServer):
    """A client that leaves in mid-answer is part of the tests, not worth a traceback."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class LocalServer:
    """Serves `evaluate` and writes server.json, token and the lock to `home`.

    calls: (function, arguments) of each request.
    last: it dies after this many calls.
    command: what it answers to every command, or makes of what it is sent.
    """

    def __init__(self, home: Path, evaluate: Callable[[str, Sequence[Any]], Any], version: str = "1") -> None:
        self.calls: list[tuple[str, list[Any]]] = []
        self.together: list[int] = []  # of requests for many calls, how many each
        self.noted: list[dict[str, Any]] = []  # calls with warnings, among such
        self.texts: list[str] = []  # of calls as lines of cells
        self.headed = 0  # of these, in the request's head
        self.greetings = 0
        self.last: int | None = None
        self.token = TOKEN
        self.pages: list[Any] = []  # answers about pages
        self.models: list[str] = ["fx"]
        self.command: Any = None
        self._evaluate = evaluate
        self._hang = threading.Event()
        self._resume = threading.Event()
        self._connections: list[Any] = []
        self._http = _QuietServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self._lock = (home / "server.lock").open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.port = self._http.server_port
        write_private(home / "token", self.token)
        write_private(
            home / "server.json", json.dumps(asdict(State.of(self.token, self.port, version, "code")))
        )

    def hang(self) -> None:
        """From now on it accepts requests and answers none."""
        self._hang.set()

    def die(self) -> None:
        """Ends as a killed process does: connections break, the lock goes, the state file stays."""
        self._hang.clear()
        self._resume.set()
        self._lock.close()
        self._http.shutdown()
        self._http.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, name: str, arguments: list[Any]) -> tuple[int, Any]:
        self.calls.append((name, arguments))
        try:
            return 200, {"cells": self._evaluate(name, arguments)}
        except VoladdinError as error:
            body = {"cell": error.cell_error, "message": str(error), "reference": error.reference}
            return 422, {"error": body}

    def _answered(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """To one call, or to many."""
        if path == "/v1/calls":
            return 200, self._together(body["calls"])
        return self._answer(path.removeprefix("/v1/functions/"), body["arguments"])

    def _together(self, calls: list[dict[str, Any]]) -> dict[str, Any]:
        """One request for many calls."""
        self.together.append(len(calls))
        answers: list[Any] = []
        for call in calls:
            status, answer = self._answer(call["name"], call["arguments"])
            answers.append({**answer, "noted": call in self.noted} if status == 200 else None)
        return {"answers": answers}

    def _said(self, path: str, sent: str) -> Any:
        """To a command, or of a page; None to a call."""
        if path.startswith("/v1/pages/"):
            self.texts.append(f"{path}\n{sent}")
            return self.pages.pop(0) if self.pages else {"state": "closed"}
        self.texts.append(sent)
        if path != "/v1/excel":
            return None
        return self.command(sent) if callable(self.command) else self.command

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                server._connections.append(self.connection)

            def do_GET(self) -> None:
                if self.path.startswith("/v1/proof/"):
                    challenge = self.path.removeprefix("/v1/proof/")
                    self._send(200, {"proof": proof(server.token, server.port, challenge)}, proven=False)
                    return
                server.greetings += 1
                self._send(200, {"models": server.models})

            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path.startswith(("/v1/cells", "/v1/excel", "/v1/pages/")):
                    self._send_text(sent.decode())
                    return
                body = json.loads(sent)
                if server.last is not None and len(server.calls) >= server.last:
                    self.close_connection = True
                    server.die()
                    return
                if self.path.startswith("/v1/commands/"):
                    self._send(200, server.command)
                    return
                self._send(*server._answered(self.path, body))

            def _send_text(self, sent: str) -> None:
                """What `evaluate` makes of a call, or what the server says to a command."""
                server.headed += CALL in self.headers
                sent = unquote(self.headers[CALL]) if CALL in self.headers else sent
                found = server._said(self.path, sent)
                if found is not None:
                    self._send(200, found)
                    return
                call = wire.read_call(sent)
                server.calls.append((call.name, call.arguments))
                answer = server._evaluate(call.name, call.arguments) if not call.refused else [["#VALUE!"]]
                self._send(200, wire.write_answer(answer))

            def _send(self, status: int, answer: Any, proven: bool = True) -> None:
                if server._hang.is_set():
                    server._resume.wait(30)
                    self.close_connection = True
                    return
                if proven and self.headers["Authorization"] != f"Bearer {server.token}":
                    status, answer = 401, {"error": {"cell": "#N/A", "message": "no token"}}
                text = answer if isinstance(answer, str) else json.dumps(answer, allow_nan=False)
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
