"""The grid that a command is about: the selection, or the cells around the cursor."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..arbitrage.trades import cell_label
from ..cells import Grid, Label, QuoteTable, find_quotes
from ..errors import InputError, VoladdinError
from ..surface import MAX_WITH_HEADERS
from ..worksheet.quote_tables import Said, grid_of
from ..worksheet.references import placed_at
from .headers import with_headers
from .ledger import CellRun, formulas_of

if TYPE_CHECKING:
    import xlwings as xw


@dataclass(frozen=True, eq=False)
class Region:
    """Cells of a sheet. formulas: by cell."""

    cells: xw.Range
    formulas: list[list[Any]]

    @cached_property
    def sheet(self) -> str:
        name: str = self.cells.sheet.name
        return name

    @cached_property
    def first_cell(self) -> tuple[int, int]:
        """Row and column of the range's first cell, from 1; asked of the host once, as the sheet is."""
        return self.cells.row, self.cells.column

    @property
    def name(self) -> str:
        """Such as EURUSD!A5:F13."""
        return f"{self.sheet}!{self.cells.address.replace('$', '')}"

    def holds(self, place: CellRun) -> bool:
        """Whether the place is in the range."""
        rows, columns = len(self.formulas), len(self.formulas[0])
        top, left = self.first_cell
        inside = 0 <= place.row - top < rows and 0 <= place.column - left < columns
        return inside and place.sheet == self.sheet

    def place_of(self, row: int, column: int) -> CellRun:
        """Of a cell of the range; row and column from 0."""
        top, left = self.first_cell
        return CellRun(self.sheet, top + row, left + column)


@dataclass(frozen=True, eq=False)
class Target(Region):
    """A grid of vols on a sheet, or a table of market quotes and the grid of its vols."""

    grid: Grid
    quotes: QuoteTable | None = None

    @property
    def axes(self) -> str:
        """What the headers were read as, such as "tenors 1W to 5Y by deltas 10P to 10C"."""
        surface, (last, end) = self.grid.surface, (n - 1 for n in self.grid.surface.shape)
        first = cell_label(surface, 0, 0).split(" ", 1)
        other = cell_label(surface, last, end).split(" ", 1)
        kind = "deltas" if surface.deltas is not None else "strikes"
        return f"tenors {_span(first[0], other[0])} by {kind} {_span(first[1], other[1])}"

    @property
    def warnings(self) -> list[str]:
        """What was assumed or left out, its cells named as on the sheet."""
        return [on_sheet(warning, self.cells) for warning in self.grid.warnings]

    def offsets(self, tenor: int, strike: int) -> tuple[int, int]:
        """Row and column, from 0, of one vol in the range; of a table of quotes, of its tenor's ATM."""
        if self.quotes is not None:
            label = self.quote_cells("atm")[tenor]
            return label.row, label.column
        down, across = (strike, tenor) if self.grid.transposed else (tenor, strike)
        return self.grid.rows[down], self.grid.columns[across]

    def place(self, tenor: int, strike: int) -> CellRun:
        return self.place_of(*self.offsets(tenor, strike))

    def places(self, tenor: int, strike: int) -> list[CellRun]:
        """The cell of a vol; of a table of quotes, those of the quotes that it is made of."""
        if self.quotes is None:
            return [self.place(tenor, strike)]
        deltas = self.grid.surface.deltas
        assert deltas is not None
        wing = f"{100 * min(deltas[strike], 1 - deltas[strike]):.0f}"
        names = ["atm"] if wing == "50" else [f"rr{wing}", f"bf{wing}"]
        cells = [self.quote_cells(name)[tenor] for name in names if name in self.quotes.columns]
        return [self.place_of(label.row, label.column) for label in cells]

    def quote_cells(self, name: str) -> list[Label]:
        """[T] of a quote: its mids, or bids, or asks."""
        assert self.quotes is not None
        return next(iter(self.quotes.columns[name].sides.values()))


def find(book: xw.Book, blank: Collection[CellRun] = ()) -> Target:
    """The selection if it is more than one cell, else the region around the active cell, as a grid.

    A selection without headers takes those adjacent to it. blank: cells to read as blank.

    Raises InputError, its cells named as on the sheet.
    """
    return grid_at(selected(book), blank)


def grid_at(selection: xw.Range, blank: Collection[CellRun] = ()) -> Target:
    """The same of a range."""

    def read(cells: xw.Range) -> list[list[Any]]:
        return values_of(cells, blank)

    try:
        quotes = find_quotes(read(selection))
        if quotes is not None:
            return Target(selection, formulas_of(selection), grid_of(quotes, Said()), quotes)
        cells, grid = with_headers(selection, read)
    except VoladdinError as error:
        raise type(error)(on_sheet(str(error), selection)) from None
    return Target(cells, formulas_of(cells), grid)


def values_of(cells: xw.Range, blank: Collection[CellRun]) -> list[list[Any]]:
    """The cells, those of `blank` as blank."""
    values = [[_number(value) for value in row] for row in cells.options(ndim=2, err_to_str=True).value]
    for place in blank:
        row, column = place.row - cells.row, place.column - cells.column
        inside = 0 <= row < len(values) and 0 <= column < len(values[0])
        if inside and place.sheet == cells.sheet.name:
            values[row][column] = None
    return values


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _number(value: Any) -> Any:
    """Cells in currency format come from Excel as Decimal."""
    return float(value) if isinstance(value, Decimal) else value


def on_sheet(message: str, cells: xw.Range) -> str:
    """A message about "B3 of the range" with the cell's name on the sheet."""
    return placed_at(message, cells.row, cells.column)


def selection_of(book: xw.Book) -> xw.Range | None:
    """The selected cells; None where a chart or a picture is selected.

    Not xlwings' own `selection`, which counts the cells: of a whole sheet Excel cannot.
    """
    import xlwings as xw

    try:
        found = book.app.impl.selection
    except AttributeError:  # of what Excel has selected
        return None
    return None if found is None else xw.Range(impl=found)


def selected(book: xw.Book, most: int = MAX_WITH_HEADERS) -> xw.Range:
    """The selection if it is more than one cell, else the region around the cursor. Raises InputError.

    most: cells, beyond which it is refused.
    """
    selection = selection_of(book)
    if selection is None:
        raise InputError("no cell is selected; expected the cursor in a grid of vols, or the grid selected")
    where = selection.address.replace("$", "")
    if "," in where:
        raise InputError(f"several ranges are selected, {where}; expected one grid of vols")
    if selection.shape == (1, 1):  # Excel cannot count the cells of a whole sheet
        region = selection.current_region
        if region.shape == (1, 1):
            raise InputError(
                f"no grid around {where}; expected the cursor in a grid of vols, or the grid selected"
            )
        return _bounded(region, most)
    return _bounded(_used(selection), most)


def _used(selection: xw.Range) -> xw.Range:
    """The part of a selection, such as of whole columns, that has cells."""
    used = selection.sheet.used_range
    bottom, right = (
        min(start + size, other + length) - 1
        for start, size, other, length in zip(
            (selection.row, selection.column),
            selection.shape,
            (used.row, used.column),
            used.shape,
            strict=True,
        )
    )
    if bottom < selection.row or right < selection.column:
        raise InputError(
            f"the selection {selection.address.replace('$', '')} is blank; expected a grid of vols"
        )
    return selection.sheet.range((selection.row, selection.column), (bottom, right))


def _bounded(cells: xw.Range, most: int) -> xw.Range:
    if len(cells) > most:
        rows, columns = cells.shape
        raise InputError(
            f"{cells.address.replace('$', '')} has {rows} x {columns} cells; expected a grid of at most "
            f"{most} cells"
        )
    return cells
