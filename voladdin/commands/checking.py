"""Check: colours the quotes that can be arbitraged by how much, and reports the trades on a sheet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..arbitrage.check import Check
from ..arbitrage.check import check as find_arbitrage
from .ledger import CellRun, Record
from .selection import Target, find
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME, SHEET = "check", "voladdin check"
MOST_ROWS = 500
_HEADERS = ["kind", "cells", "bp of forward", "vol bp", "trade"]
_PALE, _DEEP = (255, 242, 204), (224, 82, 67)  # of 0.1 bp and less, of 100 bp and more


def check(book: xw.Book) -> str:
    """Colours the violating quotes of the grid and lists the trades on a sheet; what it found, in words.

    What an earlier Check coloured in this grid, and its report, are taken back.

    Raises VoladdinError, and then the book is as it was.
    """
    with Transaction(book, NAME) as changes:
        target = find(book)
        found = find_arbitrage(target.grid.surface)
        changes.take_back(_earlier(changes.records, target))
        if found.ok:
            reports = {r.place.sheet for r in changes.records if r.command == NAME and "sheet" in r.ours}
            changes.take_back([r for r in changes.records if r.place.sheet in reports])
            quotes = int(target.grid.surface.observed.sum())
            return f"no static arbitrage among the {quotes} quotes of {target.name}, {target.axes}"
        for place, size in _sizes(target, found).items():
            changes.write(place, fill=colour(size))
        report = changes.sheet(SHEET)
        _write_report(changes, report, target, found)
    return f"{_summary(target, found)}; see the sheet {report}"


def _sizes(target: Target, found: Check) -> dict[CellRun, float]:
    """The largest size of each cell that takes part in a trade."""
    sizes: dict[CellRun, float] = {}
    for tenor, strike in np.argwhere(found.map > 0).tolist():
        for place in target.places(tenor, strike):
            sizes[place] = max(sizes.get(place, 0.0), float(found.map[tenor, strike]))
    return sizes


def colour(bp: float) -> list[int]:
    """[r, g, b] of a size in vol bp, on a logarithmic scale from 0.1 to 100."""
    share = min(max((math.log10(max(abs(bp), 0.1)) + 1) / 3, 0.0), 1.0)
    return [round(pale + share * (deep - pale)) for pale, deep in zip(_PALE, _DEEP, strict=True)]


def _earlier(records: list[Record], target: Target) -> list[Record]:
    """Of an earlier Check, in this grid."""
    return [r for r in records if r.command == NAME and "fill" in r.ours and target.holds(r.place)]


def _summary(target: Target, found: Check) -> str:
    count, cells = len(found.violations), int((found.map > 0).sum())
    worst = max(found.violations, key=lambda violation: violation.vol_bp)
    trades = "1 trade locks in a gain" if count == 1 else f"{count} trades lock in gains"
    return (
        f"{target.name} has static arbitrage: {trades}, {cells} quotes take part, the farthest off is "
        f"{target.places(*worst.cells[0])[0].address} by {worst.vol_bp:.3g} bp of vol"
    )


def _write_report(changes: Transaction, sheet: str, target: Target, found: Check) -> None:
    trades = found.violations[:MOST_ROWS]
    rows: list[list[object]] = [
        [_summary(target, found), "", "", "", ""],
        list(_HEADERS),
        *([v.kind, "", 1e4 * v.size, v.vol_bp, v.message] for v in trades),
    ]
    if len(found.violations) > len(trades):
        rows.append([f"and {len(found.violations) - len(trades)} smaller ones", "", "", "", ""])
    changes.write_rows(sheet, 1, 1, rows)
    for i, violation in enumerate(trades):
        places = list(dict.fromkeys(place for cell in violation.cells for place in target.places(*cell)))
        text = ", ".join(place.address for place in places)
        changes.link(CellRun(sheet, 3 + i, 2), places[0], text)
