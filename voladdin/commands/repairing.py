"""Repair: the nearest grid without static arbitrage beside the original, and the change of each quote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..arbitrage.repair import Repair
from ..arbitrage.repair import repair as nearest
from ..cells import Cells, render
from .checking import colour
from .holes import common_format
from .ledger import CellRun, Record, as_written, contents, get
from .selection import Target, find
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME, SHEET = "repair", "voladdin repair"
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


def repair(book: xw.Book) -> str:
    """Writes the repaired grid and the change of each quote in bp of vol; what it did, in words.

    They go to the right of the grid, or below it, or where neither is blank onto a sheet of their own. A
    block that an earlier Repair wrote there, and nobody changed, makes room.

    Raises VoladdinError, and then the book is as it was.
    """
    with Transaction(book, NAME) as changes:
        target = find(book)
        found = nearest(target.grid.surface)
        if not np.nan_to_num(found.change).any():
            return f"nothing to repair: {target.name} has no static arbitrage"
        repaired = _cut(target, render(target.grid, found.surface.vols))
        moved = _cut(target, render(target.grid, found.change, scale=False))
        first = _room(changes, target, len(repaired) + 1, 2 * len(repaired[0]) + 1)
        second = CellRun(first.sheet, first.row, first.column + len(repaired[0]) + 1)
        _titled(changes, first, f"Repaired {target.name}", repaired)
        _titled(changes, second, "Change, bp of vol", moved)
        _dress(changes, target, found, first, second)
    return f"repaired {target.name} at {first} ({found.method}): {found.message}"


def _titled(changes: Transaction, place: CellRun, title: str, rows: Cells) -> None:
    changes.write(place, value=[title])
    changes.write_rows(place.sheet, place.row + 1, place.column, rows)


def _cut(target: Target, cells: Cells) -> Cells:
    """The grid with its headers, without titles and what is below or beside it."""
    top, left = target.grid.corner
    return [row[left : max(target.grid.columns) + 1] for row in cells[top : max(target.grid.rows) + 1]]


def _room(changes: Transaction, target: Target, height: int, width: int) -> CellRun:
    """Where a block with a title line goes: in line with the grid, or below it, or on another sheet."""
    cells = target.cells
    rows, columns = cells.shape
    title = max(cells.row + target.grid.corner[0] - 1, 1)
    beside = CellRun(target.sheet, title, cells.column + columns + 1)
    below = CellRun(target.sheet, cells.row + rows + 1, cells.column + target.grid.corner[1])
    for place in (beside, below):
        if clear_room(changes, place, height, width):
            return place
    return CellRun(changes.sheet(SHEET), 1, 1)


def clear_room(changes: Transaction, place: CellRun, height: int, width: int) -> bool:
    """Whether the block and the cells around it are blank, once an unchanged earlier one is taken back."""
    bottom, right = place.row + height - 1, place.column + width - 1
    if bottom > LAST_ROW or right > LAST_COLUMN:
        return False
    top, left = max(place.row - 1, 1), max(place.column - 1, 1)
    around = changes.book.sheets[place.sheet].range(
        (top, left), (min(bottom + 1, LAST_ROW), min(right + 1, LAST_COLUMN))
    )
    if around.merge_cells is not False:
        return False
    earlier = [r for r in changes.records if _is_earlier(changes, r, place.sheet, (top, left, bottom, right))]
    table = contents(around)
    for record in earlier:
        for j in range(record.place.column - left, record.place.column - left + record.place.width):
            table[record.place.row - top][j] = None
    if any(cell not in (None, "") for row in table for cell in row):
        return False
    changes.take_back(earlier)
    return True


def _is_earlier(changes: Transaction, record: Record, sheet: str, area: tuple[int, int, int, int]) -> bool:
    place, (top, left, bottom, right) = record.place, area
    inside = top <= place.row <= bottom and left <= place.column and place.column + place.width - 1 <= right
    if record.command != changes.command or place.sheet != sheet or not inside or "sheet" in record.ours:
        return False
    cells = place.cells(changes.book)
    return all(as_written(name, get(cells, name), ours) for name, ours in record.ours.items())


def _dress(changes: Transaction, target: Target, found: Repair, first: CellRun, second: CellRun) -> None:
    """Number formats as in the original, and the colour of what moved."""
    top, left = target.grid.corner
    start = target.grid.columns[0]
    width = target.grid.columns[-1] - start + 1
    for place, form in ((first, common_format(target)), (second, "0.0")):
        for row in target.grid.rows:
            changes.write(_shifted(place, (row - top + 1, start - left), width), format=form)
        for row, column in _headers(target):
            header = target.cells(row + 1, column + 1).number_format
            if header != "General":
                changes.write(_shifted(place, (row - top + 1, column - left)), format=header)
        for tenor, strike in np.argwhere(np.abs(found.change) > 0).tolist():
            row, column = target.offsets(tenor, strike)
            look = colour(found.change[tenor, strike])
            changes.write(_shifted(place, (row - top + 1, column - left)), fill=look)


def _headers(target: Target) -> list[tuple[int, int]]:
    top, left = target.grid.corner
    down, across = target.grid.rows, target.grid.columns
    rows = [(i, j) for i in range(top, down[0]) for j in range(left, max(across) + 1)]
    return rows + [(i, j) for i in range(down[0], max(down) + 1) for j in range(left, across[0])]


def _shifted(place: CellRun, shift: tuple[int, int], width: int = 1) -> CellRun:
    return CellRun(place.sheet, place.row + shift[0], place.column + shift[1], width)
