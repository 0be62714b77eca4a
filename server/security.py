"""Who may ask: exact Host and Origin, the user's token; every refusal and every failure as JSON.

A page in the user's browser can reach 127.0.0.1, and with DNS rebinding under a name of its own; hence the
exact Host and Origin checks before the token is looked at (OWASP, "DNS rebinding"; RFC 9110, section 7.2).
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
import traceback
from collections.abc import Mapping
from typing import Any

from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voladdin.errors import InputError, ServerError, VoladdinError
from voladdin.service.state import proof

from .connections import Strangers
from .pages import Pages, is_page

_CHALLENGE = re.compile(r"/v1/proof/([0-9a-f]{16,64})")

log = logging.getLogger("voladdin.server")


class Text(Response):
    """Text in UTF-8, never cached, never sniffed."""

    media_type = "text/plain"

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        fixed = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        super().__init__(content, status, fixed | dict(headers or {}))


class Json(Text):
    """The same with strict JSON (no NaN)."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """ASCII bytes; ValueError for a NaN or infinite number."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def failure(status: int, error: VoladdinError, headers: Mapping[str, str] | None = None) -> Json:
    """The one error body: the value the cell shows, the message, the reference that the log has too."""
    log.info("%s %d %s", error.reference, status, " ".join(str(error).splitlines()))
    return _error(status, error, error.reference, headers)


def _refusal(status: int, error: VoladdinError, headers: Mapping[str, str] | None = None) -> Json:
    """The same for a stranger: whatever else it sends is not read."""
    return failure(status, error, {"connection": "close"} | dict(headers or {}))


def _error(
    status: int, error: VoladdinError, reference: str, headers: Mapping[str, str] | None = None
) -> Json:
    body = {"cell": error.cell_error, "message": str(error), "reference": reference}
    return Json({"error": body}, status, headers)


class Activity:
    """How many requests the server was asked, and how long it has had nothing to do."""

    def __init__(self) -> None:
        self.requests = 0
        self.active = 0
        self._last = time.monotonic()

    def __enter__(self) -> None:
        self.requests += 1
        self.active += 1

    def __exit__(self, *_: object) -> None:
        self.active -= 1
        self._last = time.monotonic()

    @property
    def idle(self) -> float:
        """Seconds since the last request ended; 0 while one runs."""
        return 0.0 if self.active else time.monotonic() - self._last

    def is_idle(self, limit: float) -> bool:
        """Whether it has had nothing to do for so many seconds; never where the limit is 0."""
        return 0 < limit <= self.idle


class RequestGate:
    """ASGI middleware: lets through what carries the right Host, Origin and token, and reports failures."""

    def __init__(
        self, app: ASGIApp, *, token: str, port: int, activity: Activity, strangers: Strangers, pages: Pages
    ) -> None:
        self.app, self._pages = app, pages
        self._token, self._port, self._strangers = token, port, strangers
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 or 401, or hand the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        known = self._no_visitor if is_page(scope["path"]) else self._unknown
        answer = self._foreign(headers) or self._proof(scope) or known(headers, scope["path"])
        if answer is not None:
            await answer(scope, receive, send)
            return
        if scope.get("client"):
            self._strangers.forget(scope["client"])
        with self._activity:
            await self._answer(scope, receive, send)

    def _foreign(self, headers: Headers) -> Json | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            allowed = " or ".join(sorted(self._hosts))
            return _refusal(403, ServerError(f"Host is {', '.join(hosts) or 'missing'}; expected {allowed}"))
        if origins and origins != [f"http://{hosts[0]}"]:
            return _refusal(
                403, ServerError(f"Origin is {', '.join(origins)}; expected none, or http://{hosts[0]}")
            )
        return None

    def _proof(self, scope: Scope) -> Json | None:
        """That this server knows the token, which a client asks for before it sends its own."""
        found = _CHALLENGE.fullmatch(scope["path"])
        if found is None or scope["method"] != "GET":
            return None
        return Json({"proof": proof(self._token, self._port, found[1])})

    def _no_visitor(self, headers: Headers, path: str) -> Json | None:
        """Of a page: a browser brings its cookie, from the page itself or by the address with the key."""
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return _refusal(403, ServerError("another site asks for this page; expected its own address"))
        asked = path.endswith("/open") and self._pages.knows(path)
        if asked or self._pages.admits(path, headers.getlist("cookie")):
            return None
        return _refusal(401, ServerError("this page is another's, or gone; Plot the grid again"))

    def _unknown(self, headers: Headers, _path: str) -> Json | None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(
            given.strip().encode(), self._token.encode()
        ):
            state = "wrong" if given else "missing"
            expected = (
                "`Authorization: Bearer <token>` with the token in the file `token` of the voladdin home"
            )
            error = ServerError(f"the token is {state}; expected {expected}")
            return _refusal(401, error, {"www-authenticate": "Bearer"})
        return None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            trace = traceback.format_exc()
            reference = ServerError(trace).reference
            log.error("%s 500 %s %r\n%s", reference, scope["method"], scope["path"], trace)
            if not started:
                error = ServerError(f"a defect of voladdin; the file voladdin.log has it under {reference}")
                await _error(500, error, reference)(scope, receive, send)


class TooLarge(InputError):
    """The request body is over the limit."""


class TooSlow(InputError):
    """The request body does not come."""


async def read_body(receive: Receive, declared: int, limit: int) -> bytes:
    """The whole request body, also a chunked one; TooLarge when it is over `limit` bytes.

    What is over the limit is read and thrown away up to 16 times the limit, because a client that is still
    sending would see a broken connection instead of the answer.
    """
    parts: list[bytes] = []
    size, more = 0, declared <= 16 * limit
    while more:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            parts.append(chunk)
        more = message.get("more_body", False) and size <= 16 * limit
    if max(size, declared) > limit:
        shown = max(size, declared)
        raise TooLarge(f"the request has {shown} bytes; at most {limit} are accepted: choose a smaller range")
    return b"".join(parts)
