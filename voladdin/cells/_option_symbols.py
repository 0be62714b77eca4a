"""Columns out of symbols of listed options: "SPXW  270618C04000000" (OSI), "SPX US 06/18/27 C4000 Index"."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from ._values import Cell, Cells, is_missing

_OSI = re.compile(r"([A-Z]{1,6}\d?)\s*(\d{6})([CP])(\d{8})(?:\s+.*)?")
_DESK = re.compile(
    r"([A-Z0-9/.]{1,8})(?: [A-Z]{2})? (\d{1,2}/\d{1,2}/\d{2,4}) ([CP]) ?(\d+(?:\.\d+)?)(?: [A-Z]+)?"
)
SYMBOL_HEADINGS = ("root", "expiry", "type", "strike")
_LOOKED_AT = 20  # rows below the headings


class Symbol(NamedTuple):
    """Its parts as cells."""

    root: Cell
    expiry: Cell
    side: Cell
    strike: Cell


def with_symbols(cells: Cells, top: int) -> tuple[Cells, int | None]:
    """The cells with a column more for each part of the symbols, and where these stand; None without any.

    top: the row of the headings. What the list says itself comes before.
    """
    below = cells[top + 1 : top + 1 + _LOOKED_AT]
    width = min(map(len, cells[top:]))
    found = [j for j in range(width) if any(symbol_of(row[j]) for row in below)]
    if not found:
        return cells, None
    at = found[0]
    head = [None if j == at else cell for j, cell in enumerate(cells[top])]
    rows = [[*row, *_parts(row[at])] for row in cells[top + 1 :]]
    above = [[*row, *[None] * len(SYMBOL_HEADINGS)] for row in cells[:top]]
    return [*above, [*head, *SYMBOL_HEADINGS], *rows], at


def _parts(cell: Cell) -> Symbol:
    """What cannot be read stands in each column, so that it is named."""
    unread = None if is_missing(cell) else cell
    return symbol_of(cell) or Symbol(None, unread, unread, unread)


@lru_cache(maxsize=4096)
def symbol_of(cell: Cell) -> Symbol | None:
    """The parts of a symbol; None of other cells. Dates of desks' symbols have the month first."""
    text = " ".join(cell.upper().split()) if isinstance(cell, str) else ""
    if found := _OSI.fullmatch(text):
        return _symbol(found[1], found[2], "%y%m%d", found[3], int(found[4]) / 1000)
    if found := _DESK.fullmatch(text):
        form = "%m/%d/%Y" if len(found[2].rsplit("/", 1)[1]) == 4 else "%m/%d/%y"
        return _symbol(found[1], found[2], form, found[3], float(found[4]))
    return None


def _symbol(root: str, day: str, form: str, side: str, strike: float) -> Symbol | None:
    try:
        return Symbol(root, datetime.strptime(day, form).date(), side, strike)
    except ValueError:
        return None
