"""The routes, all under /v1: health, models, worksheet functions, commands and the numeric imputation.

Only the extension of 0.1 asks for a function without a User-Agent. It shows nothing but cells, so its cells
say that it has to be installed again.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException

from voladdin import bundles
from voladdin.errors import BundleError, ServerError, VoladdinError
from voladdin.home import VERSION
from voladdin.imputation import filling
from voladdin.worksheet import registry, together, wire

from .connections import Strangers
from .page_routes import add_pages
from .pages import Pages
from .schemas import BadJson, CallsBody, CommandBody, FunctionCall, ImputeBody, parse
from .security import Activity, Json, RequestGate, Text, TooLarge, TooSlow, failure, read_body

T = TypeVar("T")
MAX_BYTES = 4 << 20
THREADS = 4
BODY_SECONDS = 10.0  # a client that stops in the middle of a request
CALL = "voladdin-call"  # a call in the head, percent-encoded: WinHTTP sends a body 40 ms later
OUTDATED = "an extension of voladdin 0.1 asks; expected `voladdin install libreoffice` again, and a restart"
_ARRAYS = ("mean", "std", "low", "high", "filled", "zscore", "disputed")
_STATUS: tuple[tuple[type[VoladdinError], int], ...] = (
    (TooLarge, 413),
    (TooSlow, 408),
    (BadJson, 400),
)


def create_app(
    *,
    token: str,
    port: int,
    activity: Activity | None = None,
    strangers: Strangers | None = None,
    stop: Callable[[], None] = lambda: None,
) -> FastAPI:
    """The application, for the Host names of `port` and the bearer `token` only.

    strangers: the connections that have not shown the token. stop: called by POST /v1/stop.
    """
    app = FastAPI(title="voladdin", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    activity = activity or Activity()
    strangers = Strangers() if strangers is None else strangers
    pages = Pages()
    given: dict[str, Any] = {"port": port, "activity": activity, "strangers": strangers}
    app.add_middleware(RequestGate, token=token, pages=pages, **given)
    app.add_exception_handler(VoladdinError, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    pool = ThreadPoolExecutor(THREADS, "voladdin")

    _add_routes(app, activity, stop, pool)
    add_pages(app, pages, pool, _body)
    return app


def _add_routes(app: FastAPI, activity: Activity, stop: Callable[[], None], pool: Executor) -> None:
    """Plain routes: `schemas` reads the bodies, and FastAPI's own reading of the request costs 0.1 ms."""

    async def ran(function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, function, *arguments)

    async def health(_: Request) -> Json:
        answer = {"status": "ok", "version": VERSION, "pid": os.getpid(), "models": bundles.names()}
        return Json(answer | {"requests": activity.requests, "cpu_seconds": time.process_time()})

    async def models(_: Request) -> Json:
        return Json(await ran(_models))

    async def function(request: Request) -> Json:
        if "user-agent" not in request.headers:
            return Json({"cells": [[OUTDATED]]})
        return Json(await ran(_evaluate, request.path_params["name"], await _body(request)))

    async def cells(request: Request) -> Text:
        headed = request.headers.get(CALL)
        data = await _body(request) if headed is None else unquote_to_bytes(headed)
        return Text(await ran(_cells, data))

    async def excel(request: Request) -> Text:
        return Text(await ran(_in_excel, await _body(request)))

    def of_body(function: Callable[..., Any]) -> Callable[[Request], Awaitable[Json]]:
        async def answer(request: Request) -> Json:
            return Json(await ran(function, *request.path_params.values(), await _body(request)))

        return answer

    async def stopped(_: Request) -> Json:
        stop()
        return Json({"status": "stopping"})

    app.add_route("/v1/stop", stopped, ["POST"])
    app.add_route("/v1/cells", cells, ["POST"])
    app.add_route("/v1/excel", excel, ["POST"])
    app.add_route("/v1/calls", of_body(_calls), ["POST"])
    app.add_route("/v1/functions/{name}", function, ["POST"])
    app.add_route("/v1/commands/{name}", of_body(_command), ["POST"])
    app.add_route("/v1/impute", of_body(_impute), ["POST"])
    app.add_route("/v1/health", health, ["GET"])
    app.add_route("/v1/models", models, ["GET"])


async def _body(request: Request) -> bytes:
    declared = int(request.headers.get("content-length", 0))
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await read_body(request.receive, declared, MAX_BYTES)
    except TimeoutError:
        raise TooSlow(f"the request's body was not sent within {BODY_SECONDS:g} s") from None


def _evaluate(name: str, data: bytes) -> dict[str, Any]:
    body = parse(data, FunctionCall)
    arguments: list[Any] = body.arguments
    return {"cells": registry.evaluate(name, arguments, body.caller.caller())}


def _calls(data: bytes) -> dict[str, Any]:
    """null for a call that has to be asked alone."""
    body = parse(data, CallsBody)
    found = together.evaluate_together((call.name, call.arguments) for call in body.calls)
    return {"answers": [None if one is None else one._asdict() for one in found]}


def _cells(data: bytes) -> str:
    return wire.answer(_lines(data))


def _in_excel(data: bytes) -> str:
    """What a command did to a book that Excel has open, or why it could not."""
    from voladdin.hosts.excel import calls

    return calls.in_excel(_lines(data))


def _lines(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeError:
        raise BadJson("the body is not UTF-8 text; expected lines") from None


def _command(name: str, data: bytes) -> dict[str, Any]:
    """Message and edits of a command on a document of Calc's, or the cells that it needs to see as well."""
    from voladdin.hosts.libreoffice import menu_commands  # xlwings: nothing else has to wait for it

    body = parse(data, CommandBody)
    return menu_commands.run(name, body.book, body.blocks)


def _models() -> dict[str, Any]:
    """Each model's card, or why it cannot be loaded."""
    found: list[dict[str, Any]] = []
    for name in bundles.names():
        try:
            found.append({"name": name, "card": bundles.load(name).card})
        except BundleError as error:
            found.append({"name": name, "error": str(error)})
    return {"models": found}


def _impute(data: bytes) -> dict[str, Any]:
    body = parse(data, ImputeBody)
    result = filling.impute(
        body.surface(),
        prior=None if body.prior is None else body.prior.surface(),
        prior_age=body.prior_age,
        model=body.model,
        coverage=body.coverage,
        arbitrage_free=body.arbitrage_free,
    )
    answer: dict[str, Any] = {
        name: [[None if math.isnan(x) else x for x in row] for row in getattr(result, name).tolist()]
        for name in _ARRAYS
    }
    return answer | {"model": result.model}


async def _refused(_: Request, error: Exception) -> Json:
    assert isinstance(error, VoladdinError)
    return failure(next((status for kind, status in _STATUS if isinstance(error, kind)), 422), error)


async def _no_route(request: Request, error: Exception) -> Json:
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path}: {error.detail}"
    return failure(error.status_code, ServerError(what), error.headers)
