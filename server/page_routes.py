"""The routes of a surface page: its files, what it shows, repair, sliders, and what it sends to the sheet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from voladdin.errors import ServerError, VoladdinError

from .pages import COOKIE, Page, Pages
from .schemas import PageBody, SendBody, SliderBody, parse
from .security import Json, failure
from .views import Drawn

FILES = {  # of the folder `page`: their media types
    "page.css": "text/css",
    "page.js": "text/javascript",
    "slices.js": "text/javascript",
    "sliders.js": "text/javascript",
    "surface.js": "text/javascript",
    "plotly-basic.min.js": "text/javascript",
}
# Styles may be inline: plotly sets its own, and no text of the page's becomes one.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_FOLDER = Path(__file__).with_name("page")

Body = Callable[[Request], Awaitable[bytes]]


def add_pages(app: FastAPI, pages: Pages, pool: Executor, body: Body) -> None:
    """Adds the routes; what takes time is done on the threads of `pool`."""

    async def computed(function: Callable[..., Any], *arguments: Any) -> Json:
        return Json(await asyncio.get_running_loop().run_in_executor(pool, function, *arguments))

    async def add(request: Request) -> Json:
        return Json({"address": pages.add(_page(parse(await body(request), PageBody)))})

    async def enter(request: Request) -> Response:
        return _entered(pages, request)

    async def file(request: Request) -> Response:
        return _file(request.path_params.get("file", "index.html"))

    async def show(request: Request) -> Json:
        return await computed(lambda: pages.at(request.url.path).view)

    async def repair(request: Request) -> Json:
        return await computed(pages.at(request.url.path).repair)

    async def slide(request: Request) -> Json:
        asked = parse(await body(request), SliderBody)
        return await computed(_slid, pages.at(request.url.path), asked)

    async def send(request: Request) -> Json:
        asked = parse(await body(request), SendBody)
        return await computed(pages.at(request.url.path).send, asked.what)

    app.add_route("/v1/pages", add, ["POST"])
    app.add_route("/pages/{page}/open", enter, ["GET"])
    app.add_route("/pages/{page}/", file, ["GET"])
    app.add_route("/pages/{page}/view", show, ["GET"])
    app.add_route("/pages/{page}/repair", repair, ["POST"])
    app.add_route("/pages/{page}/slide", slide, ["POST"])
    app.add_route("/pages/{page}/send", send, ["POST"])
    _add_arrivals(app, pages, body)
    app.add_route("/pages/{page}/{file}", file, ["GET"])


def _add_arrivals(app: FastAPI, pages: Pages, body: Body) -> None:
    """What a book's program asks of its pages, and what a page hears of it."""

    async def sent(request: Request) -> Json:
        found = pages.last_sent(request.path_params["book"])
        return Json({"sent": None if found is None else found.shown})

    async def waiting(request: Request) -> Json:
        return Json({"state": pages.waiting((await body(request)).decode("utf-8", "replace"))})

    async def arrived(request: Request) -> Json:
        book, _, said = (await body(request)).decode("utf-8", "replace").partition("\n")
        pages.arrived(book, said)
        return Json({})

    async def answer(request: Request) -> Json:
        sent = pages.at(request.url.path).sent
        return Json({"arrived": "" if sent is None else sent.arrived})

    app.add_route("/v1/pages/sent/{book:path}", sent, ["GET"])
    app.add_route("/v1/pages/waiting", waiting, ["POST"])
    app.add_route("/v1/pages/arrived", arrived, ["POST"])
    app.add_route("/pages/{page}/arrived", answer, ["GET"])


def _page(asked: PageBody) -> Page:
    cells: Any = asked.cells
    prior: Any = asked.prior
    return Page(asked.title, asked.source.model_dump(), cells, prior, asked.units)


def _slid(page: Page, asked: SliderBody) -> Drawn:
    """What the sliders draw, or why there is no such surface: sliders pass such places on their way."""
    try:
        return page.slide(asked)
    except VoladdinError as error:
        return {"refused": str(error)}


def _entered(pages: Pages, request: Request) -> Response:
    page = pages.at(request.url.path)
    if not pages.enter(page, request.query_params.get("key", "")):
        wrong = "this address was used, or is over two minutes old; Plot the grid again"
        return failure(403, ServerError(wrong), {"connection": "close"})
    answer = RedirectResponse(f"/pages/{page.id}/", 303, _HEADERS)
    options: dict[str, Any] = {"httponly": True, "samesite": "strict", "path": f"/pages/{page.id}/"}
    answer.set_cookie(COOKIE, page.cookie, **options)
    return answer


def _file(name: str) -> Response:
    kind = "text/html" if name == "index.html" else FILES.get(name)
    if kind is None:
        return failure(404, ServerError(f"file is {name!r}; expected one of {', '.join(FILES)}"))
    return Response((_FOLDER / name).read_bytes(), 200, _HEADERS, kind)
