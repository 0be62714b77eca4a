"""The headers of a selection of vols alone: those in the row above it and the column left of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..cells import Grid, address, kind_of, parse
from ..errors import InputError, VoladdinError

if TYPE_CHECKING:
    import xlwings as xw

_BESIDE = ((1, 1), (0, 1), (1, 0))  # rows above and columns left of the selection that are read with it
_LABELS = ("tenor", "strike")
Rows = list[list[Any]]


def with_headers(cells: xw.Range, read: Callable[[xw.Range], Rows]) -> tuple[xw.Range, Grid]:
    """The cells as a grid, with the headers adjacent to them where they lack some; and its range.

    read: the values of a range.

    Raises VoladdinError as `parse` does of the cells, and says where no headers are beside them.
    """
    values = read(cells)
    if _complete(values):
        return cells, parse(values)
    for above, left in _BESIDE:
        found = _beside(cells, above, left, read)
        if found is not None:
            return found
    try:
        return cells, parse(values)
    except InputError as error:
        raise type(error)(f"{error}{_not_beside(cells)}") from None


def _complete(values: Rows) -> bool:
    """Whether both the first row and the first column hold labels."""
    lines = values[0][1:], [row[0] for row in values[1:]]
    return all(any(kind_of(cell) in _LABELS for cell in line) for line in lines)


def _beside(
    cells: xw.Range, above: int, left: int, read: Callable[[xw.Range], Rows]
) -> tuple[xw.Range, Grid] | None:
    """The grid with a row above, a column left or both; None where these are no headers."""
    if cells.row <= above or cells.column <= left:
        return None
    rows, columns = cells.shape
    last = cells.row + rows - 1, cells.column + columns - 1
    wide = cells.sheet.range((cells.row - above, cells.column - left), last)
    values = read(wide)
    if above and left and kind_of(values[0][0]) in (*_LABELS, "number"):  # a row of the grid, no header
        return None
    try:
        grid = parse(values)
    except VoladdinError:
        return None
    headed = grid.row_header and grid.column_header and (grid.rows[0], grid.columns[0]) == (1, 1)
    return (wide, grid) if headed else None


def _not_beside(cells: xw.Range) -> str:
    column = address(0, cells.column - 2).rstrip("0123456789") if cells.column > 1 else ""
    places = [f"row {cells.row - 1}"] if cells.row > 1 else []
    places += [f"column {column}"] if column else []
    return f"; {' and '.join(places)} beside the selection are not its headers" if places else ""
