"""A small client of the local server."""

from __future__ import annotations

import hmac
import http.client
import json
import secrets
from typing import Any

from ..errors import InfeasibleError, InputError, ServerError, VoladdinError
from .state import HOST, State, proof, read_token

_ERRORS: dict[str, type[VoladdinError]] = {"#VALUE!": InputError, "#NUM!": InfeasibleError}


class Client:
    """JSON calls to the local server over one kept connection; not shared between threads.

    The token is sent over a connection only after the other end has proven that it knows it.

    state: the server, as `process.ensure_running` gives it.
    timeout: seconds that one answer may take.
    """

    def __init__(self, state: State, timeout: float = 30.0) -> None:
        self._where = f"the local server on {HOST}:{state.port}"
        self._port, self._token = state.port, read_token()
        self._connection = http.client.HTTPConnection(HOST, state.port, timeout=timeout)
        self._headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._headers["User-Agent"] = "voladdin"

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
        """Status and JSON body of one call; ServerError when no JSON answer comes. Bytes go as they are."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body, allow_nan=False).encode()
        kept = self._connection.sock is not None
        try:
            self.prove()
            return self._exchange(method, path, data, self._headers)
        except (OSError, http.client.HTTPException, TypeError, ValueError) as error:
            self.close()
            if not (kept and isinstance(error, ConnectionError)):
                why = str(error) or type(error).__name__
                raise ServerError(f"{self._where} does not answer: {why}") from None
        return self.request(method, path, body)  # the server had closed the kept connection

    def prove(self) -> None:
        """Connects, where there is no connection, to a server that knows the token. Raises OSError."""
        if self._connection.sock is not None:
            return
        self._connection.connect()
        challenge = secrets.token_hex(16)
        given = self._exchange("GET", f"/v1/proof/{challenge}", None, {})[1].get("proof")
        if not hmac.compare_digest(str(given).encode(), proof(self._token, self._port, challenge).encode()):
            raise OSError("another program has its port; it was told nothing")

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        return response.status, dict(json.loads(response.read()))
