"""Generate: four cells become a surface beside them, a table of features a sheet a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cells import Cells, is_missing, read_number
from ..errors import InputError
from ..feature_map import NAMES
from ..generation.market_words import WORDS
from ..worksheet.target_axes import TargetAxes, sheet_axes
from .ledger import CellRun, plain
from .repairing import clear_room
from .scenarios import Bad, Made, block_of, scenarios, words_of_spec
from .selection import on_sheet, selected
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME, SHEET = "generate", "voladdin generate"
MOST_SHEETS = 100
_PERCENT = "0.00%"


def generate(book: xw.Book) -> str:
    """Writes surfaces with exactly the features selected, or around the cursor; what it did, in words.

    Four numbers in a line are level, skew, curv and term of one surface, which goes beside them, or below, or
    where neither is blank onto a sheet. A table headed level, skew, curv, term, or atm, rr, bf, term, perhaps
    name and scenario, becomes a sheet a row, under the row's name; so do rows of four numbers alone.

    Raises VoladdinError where no row has a surface, and then the book is as it was.
    """
    with Transaction(book, NAME) as changes:
        cells = selected(book)
        rows = [[plain(value) for value in row] for row in cells.options(ndim=2, err_to_str=True).value]
        axes = sheet_axes(None, None, words=words_of_spec(rows))
        four = _four(rows)
        first = 2 if _headed(rows) else 1
        try:
            made, bad = scenarios(four or _table(rows), axes, name="range", first=first)
        except InputError as error:
            raise type(error)(on_sheet(str(error), cells)) from None
        if not made:
            raise type(bad[0].error)(_said(bad[0], cells))
        if four:
            return _beside(changes, cells, made[0], axes)
        for one in made:
            _write(changes, CellRun(changes.sheet(one.row.sheet, several=True), 1, 1), one, axes)
        lost = [_said(row, cells) for row in bad]
    sheets = "a sheet" if len(made) == 1 else f"{len(made)} sheets"
    return "; ".join([f"generated {sheets}, the first is {made[0].row.sheet}", *lost])


def _four(rows: Cells) -> Cells | None:
    """The spec of one surface where four numbers in a line are selected."""
    line = [cell for row in rows for cell in row]
    if len(line) != 4 or min(len(rows), len(rows[0])) > 1 or any(read_number(cell) is None for cell in line):
        return None
    return [list(NAMES), line]


def _headed(rows: Cells) -> bool:
    return any(isinstance(cell, str) and cell.strip().lower() in (*NAMES, *WORDS) for cell in rows[0])


def _table(rows: Cells) -> Cells:
    """The spec of a selection. Raises InputError where it is neither headed nor four columns wide."""
    spec: Cells = rows if _headed(rows) else [list(NAMES), *rows]
    if len(spec[-1]) != len(spec[0]):
        raise InputError(
            f"the selection has {len(rows)} x {len(rows[0])} cells and no header; expected four numbers, "
            "level, skew, curv and term, or rows of them under these names"
        )
    count = sum(not all(map(is_missing, row)) for row in spec[1:])
    if not 1 <= count <= MOST_SHEETS:
        raise InputError(
            f"the selection has {count} rows of features; expected 1 to {MOST_SHEETS}, a sheet each "
            "(voladdin scenarios --long makes one table of more)"
        )
    return spec


def _said(row: Bad, cells: xw.Range) -> str:
    """Why a row has no surface, its cells named as on the sheet."""
    return f"row {cells.row + row.number - 1}: {on_sheet(str(row.error), cells)}"


def _beside(changes: Transaction, cells: xw.Range, made: Made, axes: TargetAxes) -> str:
    height, width = len(axes.tenor_labels) + 1, len(axes.moneyness_labels) + 1
    rows, columns = cells.shape
    sheet = cells.sheet.name
    right = CellRun(sheet, cells.row, cells.column + columns + 1)
    below = CellRun(sheet, cells.row + rows + 1, cells.column)
    for place in (right, below):
        if clear_room(changes, place, height, width):
            break
    else:
        place = CellRun(changes.sheet(SHEET, several=True), 1, 1)
    _write(changes, place, made, axes)
    return f"generated a surface at {place}"


def _write(changes: Transaction, place: CellRun, made: Made, axes: TargetAxes) -> None:
    block: list[list[Any]] = block_of(made, axes)
    changes.write_rows(place.sheet, place.row, place.column, block)
    for i in range(1, len(block)):
        vols = CellRun(place.sheet, place.row + i, place.column + 1, len(block[0]) - 1)
        changes.write(vols, format=_PERCENT)
