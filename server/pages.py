"""The surface pages that are open: who may see one, and what it shows.

An address has a key that works once, within two minutes; it becomes a cookie that only this page's own
address gets, since cookies do not tell the ports of one computer apart.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie

import numpy as np

from voladdin._typing import FloatArray
from voladdin.cells import Cells, Grid, render
from voladdin.errors import InputError, ServerError
from voladdin.surface import Surface

from . import sliders
from .schemas import SliderBody
from .views import Drawn, read_grids, repaired, view

KEY_SECONDS = 120.0
MOST = 20  # pages; one more, and the one that was opened first is forgotten
COOKIE = "voladdin"
_RESULTS = {"move": "moved", "generate": "generated"}
AWAKE_SECONDS = 150.0  # since a page was last heard of; browsers let one behind others speak once a minute


@dataclass
class Sent:
    """A surface on its way from a page to its sheet.

    sent_at: by the clock that only goes forward, seconds. offered: to the host that asked what is waiting.
    arrived: what became of it there, as commands answer, "=" or "!" and words.
    """

    what: str
    cells: Cells
    source: dict[str, str]
    sent_at: float = field(default_factory=time.monotonic)
    offered: bool = False
    arrived: str = ""

    @property
    def shown(self) -> Drawn:
        """As the sheet takes it."""
        return {"what": self.what, "cells": self.cells, "source": self.source}


@dataclass(eq=False)
class Page:
    """One page: its cells, as they were when it was opened, and what was last sent from it.

    source: {"book", "range", "host"}; where the cells are. cells_of: the surfaces that were drawn, by name,
    as the sheet takes them. opened, heard: when it was, and when a browser last asked for something of it.
    """

    title: str
    source: dict[str, str]
    cells: Cells
    prior: Cells | None
    units: str | None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    opened: float = field(default_factory=time.monotonic)
    cells_of: dict[str, Cells] = field(default_factory=dict)
    heard: float = field(default_factory=time.monotonic)
    sent: Sent | None = None

    @cached_property
    def grids(self) -> tuple[Grid, Surface | None]:
        """The surface and yesterday's. Raises VoladdinError."""
        return read_grids(self.cells, self.prior, self.units)

    @cached_property
    def view(self) -> Drawn:
        """What is drawn at first. Raises VoladdinError."""
        grid, prior = self.grids
        drawn = view(grid, prior)
        self.cells_of["filled"] = render(grid, _vols(drawn["filled"]))
        ranges = sliders.ranges(grid.surface.replace(_vols(drawn["filled"])))
        return drawn | {"title": self.title, "source": self.source, "ranges": ranges}

    @property
    def filled(self) -> Surface:
        """The surface without holes."""
        return self.grids[0].surface.replace(_vols(self.view["filled"]))

    def repair(self) -> Drawn:
        """The nearest surface without arbitrage."""
        grid, _ = self.grids
        drawn = repaired(grid.surface)
        self.cells_of["repaired"] = render(grid, _vols(drawn["vols"]))
        return drawn

    def slide(self, asked: SliderBody) -> Drawn:
        """The filled surface moved, or one generated. Raises VoladdinError."""
        grid, _ = self.grids
        draw = sliders.moved_surface if asked.kind == "move" else sliders.generated_surface
        drawn, self.cells_of[_RESULTS[asked.kind]] = draw(grid, self.filled, asked)
        return drawn

    def send(self, what: str) -> Drawn:
        """Keeps a surface for the sheet to take. Raises InputError where it was not drawn yet."""
        if what not in self.cells_of:
            drawn = ", ".join(self.cells_of) or "none"
            raise InputError(f"what is {what!r}; expected a surface that the page has drawn: {drawn}")
        self.sent = Sent(what, self.cells_of[what], self.source)
        return {"what": what, "cells": self.sent.cells}

    @property
    def awake(self) -> bool:
        """Whether a browser shows it."""
        return time.monotonic() <= self.heard + AWAKE_SECONDS


class Pages:
    """The open pages by id."""

    def __init__(self) -> None:
        self._pages: OrderedDict[str, Page] = OrderedDict()

    def add(self, page: Page) -> str:
        """The address of a new page, on this server."""
        self._pages[page.id] = page
        while len(self._pages) > MOST:
            self._pages.popitem(last=False)
        return f"/pages/{page.id}/open?key={page.key}"

    def at(self, path: str) -> Page:
        """The page of a path. Raises ServerError where it is gone."""
        page = self._pages.get(_id(path))
        if page is None:
            raise ServerError("this page is gone: its server has ended; Plot the grid again")
        return page

    def last_sent(self, book: str) -> Sent | None:
        """What was sent last from a page of a book."""
        found = [page.sent for page in self._of(book) if page.sent is not None]
        return max(found, key=lambda sent: sent.sent_at, default=None)

    def waiting(self, book: str) -> str:
        """For the program of a book: "sent" once where something is, "open" while a page is, or "closed"."""
        sent = self.last_sent(book)
        if sent is not None and not sent.offered:
            sent.offered = True
            return "sent"
        return "open" if any(page.awake for page in self._of(book)) else "closed"

    def arrived(self, book: str, said: str) -> None:
        """Notes what the host of a book made of what was offered."""
        sent = self.last_sent(book)
        if sent is not None:
            sent.arrived = said

    def _of(self, book: str) -> list[Page]:
        return [page for page in list(self._pages.values()) if page.source.get("book") == book]

    def enter(self, page: Page, key: str) -> bool:
        """Whether the key opens the page; it does so once."""
        given, expected = key.encode(), page.key.encode()
        fresh = bool(page.key) and time.monotonic() <= page.opened + KEY_SECONDS
        if not (fresh and hmac.compare_digest(given, expected)):
            return False
        page.key = ""
        return True

    def knows(self, path: str) -> bool:
        """Whether the page of a path is open."""
        return _id(path) in self._pages

    def admits(self, path: str, cookies: list[str]) -> bool:
        """Whether the cookies of a request open the page of its path."""
        page = self._pages.get(_id(path))
        if page is None:
            return False
        admitted = any(hmac.compare_digest(c.encode(), page.cookie.encode()) for c in _values(cookies))
        page.heard = time.monotonic() if admitted else page.heard
        return admitted


def is_page(path: str) -> bool:
    """Whether a path belongs to a page, not to the routes that ask for the token."""
    return path.startswith("/pages/")


def _id(path: str) -> str:
    return path.split("/")[2] if is_page(path) else ""


def _values(headers: list[str]) -> list[str]:
    found = []
    for header in headers:
        try:
            cookie = SimpleCookie(header).get(COOKIE)
        except CookieError:
            continue
        found += [] if cookie is None else [cookie.value]
    return found


def _vols(rows: list[list[float | None]]) -> FloatArray:
    return np.array([[np.nan if vol is None else vol for vol in row] for row in rows])
