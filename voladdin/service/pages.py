"""Surface pages of the local server, opened and asked what they sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..errors import InputError, ServerError
from .client import Client
from .process import ensure_running
from .state import HOST


def open_page(body: dict[str, Any]) -> str:
    """The address of a new page, which works once; body: as `server.schemas.PageBody`.

    Raises ServerError, InputError where the server does not take it.
    """
    state = ensure_running()
    with Client(state) as client:
        answer = _answer(client, "POST", "/v1/pages", body)
    return f"http://{HOST}:{state.port}{answer['address']}"


def sent(book: str) -> dict[str, Any] | None:
    """What was sent last from a page of this book: {"what", "cells", "source"}. Raises ServerError."""
    with Client(ensure_running()) as client:
        found: dict[str, Any] | None = _answer(client, "GET", f"/v1/pages/sent/{quote(book, safe='')}")[
            "sent"
        ]
    return found


def _answer(client: Client, method: str, path: str, body: Any = None) -> dict[str, Any]:
    status, answer = client.request(method, path, body)
    if status == 200:
        return answer
    error = answer["error"]
    kind = InputError if error["cell"] == InputError.cell_error else ServerError
    raise kind(error["message"])
