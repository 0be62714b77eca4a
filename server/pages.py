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
from typing import Any

import numpy as np

from voladdin._typing import FloatArray
from voladdin.cells import Cells, Grid, render
from voladdin.errors import InputError, ServerError
from voladdin.surface import Surface

from . import sliders
from .views import Drawn, read_grids, repaired, view

KEY_SECONDS = 120.0
MOST = 20  # pages; one more, and the one that was opened first is forgotten
COOKIE = "voladdin"


@dataclass(eq=False)
class Page:
    """One page: its cells, as they were when it was opened, and what was last sent from it.

    source: {"book", "range", "host"}; where the cells are.
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
    sent: dict[str, Any] | None = None
    sent_at: float = 0.0

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
        return drawn | {"title": self.title, "source": self.source, "ranges": sliders.ranges()}

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

    def move(self, changes: dict[str, float]) -> Drawn:
        """The filled surface moved."""
        drawn, self.cells_of["moved"] = sliders.moved(self.grids[0], self.filled, changes)
        return drawn

    def generate(self, features: dict[str, float], scenario: int) -> Drawn:
        """A surface of four features."""
        drawn, self.cells_of["generated"] = sliders.generated(features, scenario)
        return drawn

    def send(self, what: str) -> Drawn:
        """Keeps a surface for the sheet to take. Raises InputError where it was not drawn yet."""
        if what not in self.cells_of:
            drawn = ", ".join(self.cells_of) or "none"
            raise InputError(f"what is {what!r}; expected a surface that the page has drawn: {drawn}")
        self.sent_at = time.monotonic()
        self.sent = {"what": what, "cells": self.cells_of[what], "source": self.source}
        return {"what": what, "cells": self.cells_of[what]}


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

    def last_sent(self, book: str) -> dict[str, Any] | None:
        """What was sent last from a page of a book."""
        found = [p for p in self._pages.values() if p.sent and p.source.get("book") == book]
        return max(found, key=lambda page: page.sent_at).sent if found else None

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
        return any(hmac.compare_digest(c.encode(), page.cookie.encode()) for c in _values(cookies))


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
