"""The routes, all under /v1: health, models, the worksheet functions and the numeric imputation."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException

from voladdin import bundle, functions, imputation, local
from voladdin.errors import BundleError, ServerError, VoladdinError

from .schemas import Arguments, BadJson, ImputeBody, parse
from .security import Activity, Guard, Json, TooLarge, failure, read_body

MAX_BYTES = 4 << 20
THREADS = 4
_ARRAYS = ("mean", "std", "low", "high", "filled", "zscore")
_STATUS: tuple[tuple[type[VoladdinError], int], ...] = ((TooLarge, 413), (BadJson, 400))
T = TypeVar("T")


def create_app(*, token: str, port: int, activity: Activity | None = None) -> FastAPI:
    """The application, for the Host names of `port` and the bearer `token` only."""
    app = FastAPI(title="voladdin", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    activity = activity or Activity()
    app.add_middleware(Guard, token=token, port=port, activity=activity)
    app.add_exception_handler(VoladdinError, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    _add_routes(app, anyio.CapacityLimiter(THREADS), activity)
    return app


def _add_routes(app: FastAPI, threads: anyio.CapacityLimiter, activity: Activity) -> None:
    async def computed(function: Callable[..., T], *arguments: Any) -> T:
        return await anyio.to_thread.run_sync(function, *arguments, limiter=threads)

    @app.get("/v1/health")
    async def health() -> Json:
        answer = {"status": "ok", "version": local.version(), "pid": os.getpid(), "models": bundle.names()}
        return Json(answer | {"requests": activity.requests, "cpu_seconds": time.process_time()})

    @app.get("/v1/models")
    async def models() -> Json:
        return Json({"models": await computed(_models)})

    @app.post("/v1/functions/{name}")
    async def function(name: str, request: Request) -> Json:
        return Json(await computed(_evaluate, name, await _body(request)))

    @app.post("/v1/impute")
    async def impute(request: Request) -> Json:
        return Json(await computed(_impute, await _body(request)))


async def _body(request: Request) -> bytes:
    declared = int(request.headers.get("content-length", 0))
    return await read_body(request.receive, declared, MAX_BYTES)


def _evaluate(name: str, data: bytes) -> dict[str, Any]:
    arguments: list[Any] = parse(data, Arguments).arguments
    return {"cells": functions.evaluate(name, arguments)}


def _models() -> list[dict[str, Any]]:
    """Each model's card, or why it cannot be loaded."""
    found: list[dict[str, Any]] = []
    for name in bundle.names():
        try:
            found.append({"name": name, "card": bundle.load(name).card})
        except BundleError as error:
            found.append({"name": name, "error": str(error)})
    return found


def _impute(data: bytes) -> dict[str, Any]:
    body = parse(data, ImputeBody)
    result = imputation.impute(
        body.surface(),
        prior=None if body.prior is None else body.prior.surface(),
        prior_age=body.prior_age,
        model=body.model,
        coverage=body.coverage,
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
