"""Plot: the grid on a page in the browser; From page: what was sent from there, beside the grid."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

from ..cells import is_missing, render
from ..errors import InputError
from ..service.pages import open_page, sent
from .filling import still_filled
from .ledger import CellRun, load, plain
from .repairing import clear_room
from .selection import Target, find
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

RECEIVE, SHEET = "receive", "voladdin page"


def plot(book: xw.Book) -> str:
    """Opens the grid at the cursor on a page of the local server; what it did, in words.

    Nothing changes in the book. Raises VoladdinError.
    """
    target = find(book, still_filled(book, load(book)))
    if target.grid.normal is not None:
        raise InputError(f"{target.name} holds normal (Bachelier) vols; expected lognormal ones to plot")
    host = "libreoffice" if book.app.engine.name == "libreoffice" else "excel"
    source = {"book": book.name, "range": target.name, "host": host}
    body = {"title": target.name, "source": source, "cells": _cells(target)}
    address = open_page(body | {"units": "percent" if target.grid.percent else "decimal"})
    if webbrowser.open(address):
        return f"{target.name} is open in the browser; what is sent there arrives here"
    return f"open {address} in a browser within two minutes; it works once"


def receive(book: xw.Book) -> str:
    """Writes the surface that was last sent from a page of this book; what it did, in words.

    It goes to the right of its grid, or below, or where neither is blank onto a sheet. Raises VoladdinError,
    and then the book is as it was.
    """
    found = sent(book.name)
    if found is None:
        raise InputError(f"no page of {book.name} has sent a surface; expected Send to sheet pressed there")
    with Transaction(book, RECEIVE) as changes:
        rows = found["cells"]
        place = _room(changes, found["source"]["range"], len(rows) + 1, len(rows[0]))
        changes.write(place, value=[f"{found['what'].capitalize()}, from {found['source']['range']}"])
        changes.write_rows(place.sheet, place.row + 1, place.column, rows)
        form = _form(rows)
        for i in range(1, len(rows)):
            width = max(len(rows[0]) - 1, 1)
            changes.write(CellRun(place.sheet, place.row + 1 + i, place.column + 1, width), format=form)
    return f"wrote the {found['what']} surface at {place}"


def _cells(target: Target) -> list[list[Any]]:
    """As JSON has them: a marked hole is blank; of a table of market quotes, their vols."""
    if target.quotes is not None:
        return [list(row) for row in render(target.grid, target.grid.surface.vols)]
    return [[None if is_missing(cell) else plain(cell) for cell in row] for row in target.grid.raw]


def _form(rows: list[list[Any]]) -> str:
    """Percent for decimals."""
    numbers = [cell for row in rows[1:] for cell in row[1:] if isinstance(cell, float)]
    return "0.00%" if numbers and sorted(numbers)[len(numbers) // 2] < 2 else "0.00"


def _room(changes: Transaction, name: str, height: int, width: int) -> CellRun:
    sheet, _, area = name.rpartition("!")
    cells = changes.book.sheets[sheet].range(area)
    rows, columns = cells.shape
    title = max(cells.row - 1, 1)
    beside = CellRun(sheet, title, cells.column + columns + 1)
    below = CellRun(sheet, cells.row + rows + 1, cells.column)
    for place in (beside, below):
        if clear_room(changes, place, height, width):
            return place
    return CellRun(changes.sheet(SHEET), 1, 1)
